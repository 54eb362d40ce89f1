/* The linear diagonal network: beta = prod_l w_l, margins Z beta, field G = (1/N) sum_n s_n z_n.
 *
 * The plain reference, in double precision and with one pass over the data: row n gives the margin m_n, then
 * its log slope log s_n, and is added to the field while it is still in cache. The common factor e^c of the
 * s_n is not known before the last row, so the sum runs with the largest log s_n so far as reference and is
 * rescaled when a larger one comes (the online softmax). The fast form (field.c) is compared with this one.
 */
#include "network/network.h"

#include <math.h>
#include <string.h>

#include "base/base.h"
#include "network/loss.h"

static sf_status create(sf_context *context, const sf_dataset *dataset, int depth, sf_loss loss, sf_isa isa,
                        sf_network **out)
{
    SF_OUT(context, out);
    if (!dataset)
        return sf_fail(context, SF_ERR_ARGUMENT, "a network needs a data set");
    if (depth < 1)
        return sf_fail(context, SF_ERR_ARGUMENT, "depth is %d, expected at least 1", depth);
    if (!sf_loss_name(loss))
        return sf_fail(context, SF_ERR_ARGUMENT, "unknown loss %d", (int)loss);
    size_t d = sf_dataset_features(dataset);
    if (d > SIZE_MAX / sizeof(double) / (size_t)depth)
        return sf_fail(context, SF_ERR_MEMORY, "%d layers of %zu weights exceed the address space", depth, d);
    sf_network *network = SF_NEW(context, sf_network);
    if (!network)
        return SF_ERR_MEMORY;
    *network = (sf_network){.context = context, .dataset = dataset, .depth = depth, .loss = loss, .d = d};
    network->beta = sf_alloc_doubles(context, d);
    network->margin = sf_alloc_doubles(context, sf_padded(dataset->n));
    if (dataset->mirrored)
        network->row = sf_alloc_doubles(context, dataset->stored);
    if (!network->beta || !network->margin || (dataset->mirrored && !network->row) ||
        sf_field_prepare(network, isa) != SF_OK) {
        sf_network_destroy(&network);
        return SF_ERR_MEMORY;
    }
    *out = network;
    return SF_OK;
}

sf_status sf_network_create(sf_context *context, const sf_dataset *dataset, int depth, sf_loss loss,
                            sf_network **out)
{
    return create(context, dataset, depth, loss, sf_isa_choose(), out);
}

sf_status sf_network_create_plain(sf_context *context, const sf_dataset *dataset, int depth, sf_loss loss,
                                  sf_network **out)
{
    return create(context, dataset, depth, loss, SF_ISA_PLAIN, out);
}

void sf_network_destroy(sf_network **network)
{
    if (!network || !*network)
        return;
    sf_context *context = (*network)->context;
    sf_free_aligned(context, (*network)->beta);
    sf_free_aligned(context, (*network)->margin);
    sf_free_aligned(context, (*network)->row);
    sf_field_release(*network);
    sf_free(context, *network);
    *network = NULL;
}

const sf_dataset *sf_network_dataset(const sf_network *network)
{
    return network->dataset;
}

int sf_network_depth(const sf_network *network)
{
    return network->depth;
}

sf_loss sf_network_loss(const sf_network *network)
{
    return network->loss;
}

size_t sf_network_features(const sf_network *network)
{
    return network->d;
}

size_t sf_network_parameters(const sf_network *network)
{
    return network->d * (size_t)network->depth;
}

void sf_network_predictor(const sf_network *network, const double *theta, double *beta)
{
    size_t d = network->d;
    for (size_t j = 0; j < d; j++)
        beta[j] = theta[j];
    for (int l = 1; l < network->depth; l++)
        for (size_t j = 0; j < d; j++)
            beta[j] *= theta[(size_t)l * d + j];
}

const char *sf_loss_name(sf_loss loss)
{
    static const char *const names[] = {
#define SF_LOSS_ROW(id, name) name,
        SF_LOSS_LIST(SF_LOSS_ROW)
#undef SF_LOSS_ROW
    };
    return (size_t)loss < sizeof names / sizeof names[0] ? names[loss] : NULL;
}

double sf_loss_log_slope(sf_loss loss, double margin)
{
    return sf_log_slope(loss, margin);
}

double sf_loss_log(sf_loss loss, double margin)
{
    return sf_log_loss(loss, margin);
}

/* A sum of exponentials e^{x}, kept as e^{reference} * sum. Returns the factor by which what is already
 * summed must be multiplied; *weight is that of the new term. */
static double online(double x, double *reference, double *weight)
{
    if (x <= *reference) {
        *weight = exp(x - *reference);
        return 1.0;
    }
    double factor = exp(*reference - x); // 0 the first time, when the reference is -infinity
    *reference = x;
    *weight = 1.0;
    return factor;
}

const double *sf_network_row_weights(sf_network *network, const double *beta)
{
    size_t width = network->dataset->stored;
    if (!network->dataset->mirrored)
        return beta;
    for (size_t j = 0; j < width; j++)
        network->row[j] = beta[j] - beta[width + j];
    return network->row;
}

/* The plain reference. field: (stored). */
static void plain_field(sf_network *network, const double *weights, double *field, double *log_scale,
                        double *log_loss, double *margins)
{
    const sf_dataset *data = network->dataset;
    size_t n = data->n, width = data->stored;
    double slope_reference = -INFINITY, slope_sum = 0.0, loss_reference = -INFINITY, loss_sum = 0.0;
    for (size_t j = 0; j < width; j++)
        field[j] = 0.0;
    for (size_t i = 0; i < n; i++) {
        const double *z = data->z + i * width;
        double margin = 0.0;
        for (size_t j = 0; j < width; j++)
            margin += z[j] * weights[j];
        if (margins)
            margins[i] = margin;
        double weight, factor = online(sf_loss_log_slope(network->loss, margin), &slope_reference, &weight);
        slope_sum = slope_sum * factor + weight;
        if (factor != 1.0)
            for (size_t j = 0; j < width; j++)
                field[j] = field[j] * factor + weight * z[j];
        else
            for (size_t j = 0; j < width; j++)
                field[j] += weight * z[j];
        if (log_loss) {
            factor = online(sf_loss_log(network->loss, margin), &loss_reference, &weight);
            loss_sum = loss_sum * factor + weight;
        }
    }
    if (n > 1)
        for (size_t j = 0; j < width; j++)
            field[j] /= slope_sum;
    *log_scale = slope_reference + log(slope_sum / (double)n);
    if (log_loss)
        *log_loss = loss_reference + log(loss_sum / (double)n);
}

/* log F, and the smallest of N margins. */
static void summarize(sf_loss loss, size_t n, const double *margins, double *log_loss, double *min_margin)
{
    double reference = -INFINITY, sum = 0.0, smallest = INFINITY;
    for (size_t i = 0; i < n; i++) {
        double weight, factor = online(sf_loss_log(loss, margins[i]), &reference, &weight);
        sum = sum * factor + weight;
        if (!(margins[i] >= smallest))
            smallest = margins[i];
    }
    *log_loss = reference + log(sum / (double)n);
    *min_margin = smallest;
}

/* The same with the kernels. */
static void fast_field(sf_network *network, const double *weights, double *field, double *log_scale,
                       double *log_loss, double *margins)
{
    const sf_dataset *data = network->dataset;
    if (data->n == 1) {
        sf_field_margins(network, weights);
        *log_scale = sf_loss_log_slope(network->loss, network->margin[0]);
        memcpy(field, data->z, data->stored * sizeof *field);
    } else {
        sf_field_total total;
        sf_field_take_all(network, weights);
        sf_field_pass(network, weights, false, &total);
        sf_field_combine(network, &total, 0, data->stored, field);
        *log_scale = total.log_scale;
    }
    double smallest;
    if (log_loss)
        summarize(network->loss, data->n, network->margin, log_loss, &smallest);
    if (margins)
        memcpy(margins, network->margin, data->n * sizeof *margins);
}

void sf_network_field(sf_network *network, const double *beta, double *field, double *log_scale,
                      double *log_loss, double *margins)
{
    const double *weights = sf_network_row_weights(network, beta);
    size_t width = network->dataset->stored;
    if (network->kernels)
        fast_field(network, weights, field, log_scale, log_loss, margins);
    else
        plain_field(network, weights, field, log_scale, log_loss, margins);
    if (network->dataset->mirrored)
        for (size_t j = 0; j < width; j++)
            field[width + j] = -field[j];
}

static double plain_turn(sf_network *network, const double *weights, const double *rate, double *field)
{
    const sf_dataset *data = network->dataset;
    size_t width = data->stored;
    double sum = 0.0;
    for (size_t i = 0; i < data->n; i++) {
        network->margin[i] = 0.0;
        for (size_t j = 0; j < width && rate[i] != 0.0; j++)
            network->margin[i] += data->z[i * width + j] * weights[j];
    }
    for (size_t j = 0; j < width; j++)
        field[j] = 0.0;
    for (size_t i = 0; i < data->n; i++) {
        double factor = rate[i] * network->margin[i];
        sum += factor;
        for (size_t j = 0; j < width && rate[i] != 0.0; j++)
            field[j] += factor * data->z[i * width + j];
    }
    return sum;
}

double sf_network_turn(sf_network *network, const double *dbeta, const double *rate, double *dfield)
{
    const double *weights = sf_network_row_weights(network, dbeta);
    size_t width = network->dataset->stored;
    double sum = network->kernels ? sf_field_turn(network, weights, rate, dfield)
                                  : plain_turn(network, weights, rate, dfield);
    if (network->dataset->mirrored)
        for (size_t j = 0; j < width; j++)
            dfield[width + j] = -dfield[j];
    return sum;
}

void sf_network_gradient(sf_network *network, const double *theta, double *gradient, double *log_scale)
{
    size_t d = network->d;
    int depth = network->depth;
    sf_network_predictor(network, theta, network->beta);
    sf_network_field(network, network->beta, gradient, log_scale, NULL, NULL);
    // prefix products go up through the layers in `gradient`, suffix products come down in `beta`
    double *suffix = network->beta;
    for (size_t j = 0; j < d; j++)
        gradient[j] = -gradient[j];
    for (int l = 1; l < depth; l++)
        for (size_t j = 0; j < d; j++)
            gradient[(size_t)l * d + j] = gradient[(size_t)(l - 1) * d + j] * theta[(size_t)(l - 1) * d + j];
    for (size_t j = 0; j < d; j++)
        suffix[j] = 1.0;
    for (int l = depth - 2; l >= 0; l--)
        for (size_t j = 0; j < d; j++) {
            suffix[j] *= theta[(size_t)(l + 1) * d + j];
            gradient[(size_t)l * d + j] *= suffix[j];
        }
}

static void plain_margins(sf_network *network, const double *weights)
{
    const sf_dataset *data = network->dataset;
    for (size_t i = 0; i < data->n; i++) {
        const double *z = data->z + i * data->stored;
        double margin = 0.0;
        for (size_t j = 0; j < data->stored; j++)
            margin += z[j] * weights[j];
        network->margin[i] = margin;
    }
}

void sf_network_evaluate(sf_network *network, const double *beta, double *log_loss, double *min_margin)
{
    const double *weights = sf_network_row_weights(network, beta);
    if (network->kernels)
        sf_field_margins(network, weights);
    else
        plain_margins(network, weights);
    summarize(network->loss, network->dataset->n, network->margin, log_loss, min_margin);
}
