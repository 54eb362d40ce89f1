/* The weights p_n of the examples at a state, p_n = s_n / sum s_n, and how they turn with it (softmax.h). */
#include "flow/softmax.h"

#include <math.h>

#include "network/loss.h"
#include "network/network.h"

struct flow_softmax {
    sf_context *context;
    sf_network *network; // borrowed
    double *rate;        // (n) p_n r_n, 0 where p_n is negligible
    double *margin;      // (n) work
    double *field;       // (d) G
};

sf_status sf_flow_softmax_create(sf_context *context, sf_network *network, flow_softmax **out)
{
    *out = SF_NEW(context, flow_softmax);
    flow_softmax *it = *out;
    if (!it)
        return SF_ERR_MEMORY;
    it->context = context;
    size_t n = sf_network_dataset(network)->n;
    it->network = network;
    it->rate = sf_alloc_doubles(context, n);
    it->margin = sf_alloc_doubles(context, n);
    it->field = sf_alloc_doubles(context, sf_network_features(network));
    if (it->rate && it->margin && it->field)
        return SF_OK;
    sf_flow_softmax_destroy(out);
    return SF_ERR_MEMORY;
}

void sf_flow_softmax_destroy(flow_softmax **softmax)
{
    flow_softmax *it = *softmax;
    if (!it)
        return;
    sf_free_aligned(it->context, it->rate);
    sf_free_aligned(it->context, it->margin);
    sf_free_aligned(it->context, it->field);
    sf_free(it->context, it);
    *softmax = NULL;
}

/* Examples with less weight do not count: their part of the field is below its rounding. */
static const double NEGLIGIBLE = 1e-20;

void sf_flow_softmax_at(flow_softmax *it, const double *beta)
{
    size_t n = sf_network_dataset(it->network)->n;
    sf_loss loss = sf_network_loss(it->network);
    double log_scale;
    sf_network_field(it->network, beta, it->field, &log_scale, NULL, it->margin);
    for (size_t i = 0; i < n; i++) {
        double log_slope = sf_loss_log_slope(loss, it->margin[i]);
        double p = exp(log_slope - log_scale) / (double)n;
        it->rate[i] = p > NEGLIGIBLE ? p * sf_log_slope_rate(loss, log_slope) : 0.0;
    }
}

double sf_flow_softmax_turn(flow_softmax *it, const double *dbeta, double *dfield)
{
    double mean = sf_network_turn(it->network, dbeta, it->rate, dfield);
    for (size_t j = 0; j < sf_network_features(it->network); j++)
        dfield[j] -= mean * it->field[j];
    return mean;
}
