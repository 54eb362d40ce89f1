/* The field in its fast form: packed data, kernels for the instruction set, groups of rows for the threads.
 *
 * With a reference margin a, s_n e^a = 1 / (e^{-a} + e^{m_n - a}) (logistic) costs one exponential and one
 * division and neither over- nor underflows for a = max(0, smallest margin); e^{a - m_n} does for the
 * exponential loss with a = smallest margin. A group of rows keeps the a of its rows so far and rescales its
 * sum when a smaller one comes. The number of groups depends on the shape alone and they are added in order,
 * so neither do the bits depend on the number of threads.
 */
#include <math.h>
#include <string.h>

#include "network/network.h"

enum { GROUP_ROWS = 32, SMALL_WORK = 1 << 15, PARALLEL_WORK = 1 << 17 };

const sf_network_kernels *sf_network_kernels_of(sf_isa isa)
{
    switch (isa) {
#ifdef SF_HAVE_X86_KERNELS
    case SF_ISA_AVX2:
        return &sf_network_kernels_avx2;
    case SF_ISA_AVX512:
        return &sf_network_kernels_avx512;
#endif
#ifdef SF_HAVE_NEON_KERNELS
    case SF_ISA_NEON:
        return &sf_network_kernels_neon;
#endif
    default:
        return NULL;
    }
}

static double *new_zeros(sf_context *context, size_t count)
{
    double *block = sf_alloc_doubles(context, count);
    if (block)
        memset(block, 0, count * sizeof *block);
    return block;
}

sf_status sf_field_prepare(sf_network *network, sf_isa isa)
{
    const sf_dataset *data = network->dataset;
    sf_context *context = network->context;
    network->kernels = sf_network_kernels_of(isa);
    if (!network->kernels)
        return SF_OK;
    SF_TRY(sf_pack_create(context, data, &network->pack));
    memset(network->margin, 0, sf_padded(data->n) * sizeof *network->margin);
    if (data->n == 1)
        return SF_OK;
    const sf_pack *pack = &network->pack;
    size_t groups = data->n * data->stored < SMALL_WORK ? 1 : data->n / GROUP_ROWS;
    network->groups = groups < 1 ? 1 : groups > SF_GROUPS ? SF_GROUPS : groups;
    network->partial = sf_alloc_doubles(context, network->groups * sf_padded(pack->width));
    if (!network->partial)
        return SF_ERR_MEMORY;
    if (pack->columns || (pack->blocks && pack->width % SF_ROWS != 0)) {
        network->weights = new_zeros(context, sf_padded(pack->width));
        if (!network->weights)
            return SF_ERR_MEMORY;
    }
    return SF_OK;
}

void sf_field_release(sf_network *network)
{
    sf_free_aligned(network->context, network->partial);
    sf_free_aligned(network->context, network->weights);
    sf_pack_release(network->context, &network->pack);
    sf_pool_destroy(&network->pool);
}

sf_status sf_network_set_threads(sf_network *network, int threads)
{
    sf_pool_destroy(&network->pool);
    const sf_dataset *data = network->dataset;
    bool large = data->n * data->stored >= PARALLEL_WORK;
    return sf_pool_create(network->context,
                          large && network->kernels ? threads
                          : threads < 0             ? threads
                                                    : 1,
                          &network->pool);
}

/* The weights in the columns of the pack. */
static const double *gather(sf_network *network, const double *weights)
{
    const sf_pack *pack = &network->pack;
    if (!network->weights)
        return weights;
    if (!pack->columns)
        memcpy(network->weights, weights, pack->width * sizeof *weights);
    else
        for (size_t j = 0; j < pack->width; j++)
            network->weights[j] = weights[pack->columns[j]];
    return network->weights;
}

typedef struct pass {
    sf_network *network;
    const double *weights;
    bool backward;
} pass;

/* The reference margin that suits these margins. */
static double reference_of(sf_loss loss, size_t count, const double *margin)
{
    double low = INFINITY;
    for (size_t i = 0; i < count; i++)
        if (!(margin[i] >= low))
            low = margin[i];
    return loss == SF_LOSS_LOGISTIC ? fmax(0.0, low) : low;
}

static void pass_block(sf_network *network, const double *weights, size_t row, size_t count,
                       sf_field_part *part, double *field)
{
    const sf_pack *pack = &network->pack;
    double *margin = network->margin + row, slope[SF_ROWS];
    network->kernels->margins(pack, row, count, weights, margin);
    double reference = reference_of(network->loss, count, margin);
    if (part->reference == INFINITY) {
        part->reference = reference; // the first rows: nothing to rescale
    } else if (!(reference >= part->reference)) {
        double factor = exp(reference - part->reference);
        for (size_t j = 0; j < pack->width; j++)
            field[j] *= factor;
        part->sum *= factor;
        part->reference = reference;
    }
    part->sum += network->kernels->slopes(network->loss, count, part->reference, margin, slope);
    network->kernels->accumulate(pack, row, count, slope, field);
}

static void pass_group(void *argument, size_t group, int worker)
{
    (void)worker;
    const pass *job = argument;
    sf_network *network = job->network;
    size_t n = network->pack.n, blocks = (n + SF_ROWS - 1) / SF_ROWS, width = sf_padded(network->pack.width);
    size_t begin = group * blocks / network->groups, end = (group + 1) * blocks / network->groups;
    double *field = network->partial + group * width;
    sf_field_part *part = &network->part[group];
    *part = (sf_field_part){INFINITY, 0.0};
    memset(field, 0, width * sizeof *field);
    for (size_t k = begin; k < end; k++) {
        size_t row = (job->backward ? end - 1 - (k - begin) : k) * SF_ROWS;
        pass_block(network, job->weights, row, n - row < SF_ROWS ? n - row : SF_ROWS, part, field);
    }
}

void sf_field_pass(sf_network *network, const double *weights, bool backward, sf_field_total *total)
{
    pass job = {network, gather(network, weights), backward};
    sf_pool_run(network->pool, network->groups, pass_group, &job);
    double reference = INFINITY, sum = 0.0;
    for (size_t g = 0; g < network->groups; g++)
        if (!(network->part[g].reference >= reference))
            reference = network->part[g].reference;
    for (size_t g = 0; g < network->groups; g++) {
        total->factor[g] = exp(reference - network->part[g].reference);
        sum += total->factor[g] * network->part[g].sum;
    }
    for (size_t g = 0; g < network->groups; g++)
        total->factor[g] /= sum;
    total->log_scale = log(sum / (double)network->pack.n) - reference;
}

/* First column of the pack whose feature is `feature` or later. */
static size_t column_from(const sf_pack *pack, size_t feature)
{
    size_t low = 0, high = pack->width;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (pack->columns[middle] < feature)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void sf_field_combine(const sf_network *network, const sf_field_total *total, size_t begin, size_t end,
                      double *field)
{
    const sf_pack *pack = &network->pack;
    size_t width = sf_padded(pack->width);
    if (!pack->columns) {
        network->kernels->combine(network->groups, width, total->factor, network->partial, begin, end,
                                  field + begin);
        return;
    }
    // the columns kept come to the front of their features, then each to its own, last ones first
    size_t first = column_from(pack, begin), last = column_from(pack, end);
    network->kernels->combine(network->groups, width, total->factor, network->partial, first, last,
                              field + begin);
    size_t j = end;
    for (size_t k = last; k-- > first;) {
        double value = field[begin + (k - first)];
        while (--j > pack->columns[k])
            field[j] = 0.0;
        field[j] = value;
    }
    while (j-- > begin)
        field[j] = 0.0;
}

static void margins_of_group(void *argument, size_t group, int worker)
{
    (void)worker;
    const pass *job = argument;
    sf_network *network = job->network;
    size_t n = network->pack.n, blocks = (n + SF_ROWS - 1) / SF_ROWS,
           groups = network->groups ? network->groups : 1;
    for (size_t k = group * blocks / groups; k < (group + 1) * blocks / groups; k++) {
        size_t row = k * SF_ROWS;
        network->kernels->margins(&network->pack, row, n - row < SF_ROWS ? n - row : SF_ROWS, job->weights,
                                  network->margin + row);
    }
}

void sf_field_margins(sf_network *network, const double *weights)
{
    pass job = {network, gather(network, weights), false};
    sf_pool_run(network->pool, network->groups ? network->groups : 1, margins_of_group, &job);
}
