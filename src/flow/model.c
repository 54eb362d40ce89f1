#include "flow/model.h"

#include <math.h>

#include "data/dataset.h"

static double typical_field(const sf_dataset *data)
{
    double largest = 0.0;
    for (size_t j = 0; j < data->stored; j++) {
        double sum = 0.0;
        for (size_t i = 0; i < data->n; i++)
            sum += fabs(data->z[i * data->stored + j]);
        largest = fmax(largest, sum / (double)data->n);
    }
    return largest > 0.0 ? largest : 1.0;
}

void sf_flow_model_init(flow_model *model, const flow_system *system, sf_context *context,
                        const flow_start *start, size_t size)
{
    const sf_dataset *data = sf_network_dataset(start->network);
    *model = (flow_model){.system = system,
                          .context = context,
                          .network = start->network,
                          .perturbation = start->perturbation,
                          .d = sf_network_features(start->network),
                          .depth = sf_network_depth(start->network),
                          .scale = typical_field(data),
                          .size = size,
                          .stiff = data->n > 1};
}

void sf_flow_model_destroy(flow_model **model)
{
    if (!model || !*model)
        return;
    (*model)->system->destroy(*model);
    *model = NULL;
}

bool sf_flow_is_gd(const sf_perturbation *perturbation)
{
    return !sf_perturbs(perturbation);
}

static const double LOG_FOUR = 1.3862943611198906;

void sf_flow_from_amplitudes(double log_u, double log_v, double *beta, double *log_abs)
{
    double high = log_u >= log_v ? log_u : log_v, low = log_u >= log_v ? log_v : log_u;
    double value = 2.0 * high - LOG_FOUR;
    if (low > high - 20.0) // e^{-40} is below rounding
        value += sf_log1m_exp(2.0 * (low - high));
    if (log_abs)
        *log_abs = value;
    if (beta)
        *beta = log_u >= log_v ? exp(value) : -exp(value);
}
