#include "flow/softmax.h"

#include <math.h>
#include <string.h>

struct flow_softmax {
    sf_context *context;
    const sf_dataset *data;
    sf_loss loss;
    double *p, *r;  // (n)
    double *margin; // (n) work
    double *field;  // (d) work
};

sf_status sf_flow_softmax_create(sf_context *context, sf_network *network, flow_softmax **out)
{
    *out = SF_NEW(context, flow_softmax);
    flow_softmax *it = *out;
    if (!it)
        return SF_ERR_MEMORY;
    it->context = context;
    it->data = sf_network_dataset(network);
    it->loss = sf_network_loss(network);
    it->p = sf_alloc_doubles(context, it->data->n);
    it->r = sf_alloc_doubles(context, it->data->n);
    it->margin = sf_alloc_doubles(context, it->data->n);
    it->field = sf_alloc_doubles(context, sf_network_features(network));
    if (it->p && it->r && it->margin && it->field)
        return SF_OK;
    sf_flow_softmax_destroy(out);
    return SF_ERR_MEMORY;
}

void sf_flow_softmax_destroy(flow_softmax **softmax)
{
    flow_softmax *it = *softmax;
    if (!it)
        return;
    sf_free_aligned(it->context, it->p);
    sf_free_aligned(it->context, it->r);
    sf_free_aligned(it->context, it->margin);
    sf_free_aligned(it->context, it->field);
    sf_free(it->context, it);
    *softmax = NULL;
}

void sf_flow_softmax_at(flow_softmax *it, sf_network *network, const double *beta)
{
    double reference = -INFINITY, sum = 0.0, log_scale;
    sf_network_field(network, beta, it->field, &log_scale, NULL, it->margin);
    for (size_t n = 0; n < it->data->n; n++) {
        it->p[n] = sf_loss_log_slope(it->loss, it->margin[n]);
        it->r[n] = it->loss == SF_LOSS_EXPONENTIAL ? -1.0 : expm1(it->p[n]);
        reference = fmax(reference, it->p[n]);
    }
    for (size_t n = 0; n < it->data->n; n++)
        sum += it->p[n] = exp(it->p[n] - reference);
    for (size_t n = 0; n < it->data->n; n++)
        it->p[n] /= sum;
}

/* Examples with less weight do not count: their part of the field is below its rounding. */
static const double NEGLIGIBLE = 1e-20;

/* Eight partial sums, so that a compiler may take several at once. */
static double dot(size_t count, const double *x, const double *y)
{
    double part[8] = {0.0}, sum = 0.0;
    size_t j = 0;
    for (; j + 8 <= count; j += 8)
        for (size_t i = 0; i < 8; i++)
            part[i] += x[j + i] * y[j + i];
    for (; j < count; j++)
        sum += x[j] * y[j];
    for (size_t i = 0; i < 8; i++)
        sum += part[i];
    return sum;
}

double sf_flow_softmax_turn(flow_softmax *it, const double *dbeta, double *dfield)
{
    const sf_dataset *data = it->data;
    size_t stored = data->stored;
    double mean = 0.0, *row = it->field;
    for (size_t j = 0; j < stored; j++)
        row[j] = data->mirrored ? dbeta[j] - dbeta[stored + j] : dbeta[j];
    for (size_t n = 0; n < data->n; n++) {
        if (!(it->p[n] > NEGLIGIBLE))
            continue;
        it->margin[n] = it->r[n] * dot(stored, data->z + n * stored, row);
        mean += it->p[n] * it->margin[n];
    }
    memset(dfield, 0, stored * sizeof *dfield);
    for (size_t n = 0; n < data->n; n++) {
        if (!(it->p[n] > NEGLIGIBLE))
            continue;
        const double *z = data->z + n * stored;
        double factor = it->p[n] * (it->margin[n] - mean);
        for (size_t j = 0; j < stored; j++)
            dfield[j] += factor * z[j];
    }
    for (size_t j = 0; j < stored && data->mirrored; j++)
        dfield[stored + j] = -dfield[j];
    return mean;
}
