/* The field in its fast form: packed data (pack.h), kernels for the instruction set, two ways through the data.
 *
 * By rows: a group of rows is a task; eight rows give their margins, then their slopes, and are added to the group's field
 * while they are still in cache. Data are read from memory once a pass.
 * By columns, for short and wide data that fit in the caches: a strip of columns is a task; it gives its part of all
 * margins, and when the slopes are known its part of the field, which needs no adding up and is used and updated in
 * the same task. Data are read twice a pass, and the weights and the field stay in the nearest cache.
 *
 * With a reference margin a, s_n e^a = 1 / (e^{-a} + e^{m_n - a}) (logistic) costs one exponential and one
 * division and neither over- nor underflows for a = max(0, smallest margin); e^{a - m_n} does for the
 * exponential loss with a = smallest margin. A group of rows keeps the a of its rows so far and rescales its
 * sum when a smaller one comes. The number of groups depends on the shape alone and they are added in order,
 * so neither do the bits depend on the number of threads.
 */
#include <math.h>
#include <string.h>

#include "network/field.h"
#include "network/loss.h"

enum { GROUP_ROWS = 32, SMALL_WORK = 1 << 15, PARALLEL_WORK = 1 << 17, CHUNK = 4 * SF_PACK_STRIP };

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

/* AVX-512 machines widen floats faster in halves: one operation for four from memory, three for eight. The bits are the
 * same. */
static const sf_network_kernels *kernels_for(sf_isa isa, sf_pack_type type)
{
    return sf_network_kernels_of(isa == SF_ISA_AVX512 && type == SF_PACK_FLOATS ? SF_ISA_AVX2 : isa);
}

static sf_status prepare_columns(sf_network *network)
{
    sf_context *context = network->context;
    size_t padded = sf_padded(network->pack.n);
    network->lanes = sf_alloc_doubles(context, network->strips * padded * SF_LANES);
    network->folded = sf_alloc_doubles(context, network->strips * padded);
    network->slope = sf_alloc_doubles(context, padded);
    return network->lanes && network->folded && network->slope ? SF_OK : SF_ERR_MEMORY;
}

static sf_status prepare_rows(sf_network *network)
{
    const sf_dataset *data = network->dataset;
    size_t groups = data->n * data->stored < SMALL_WORK ? 1 : data->n / GROUP_ROWS;
    network->groups = groups < 1 ? 1 : groups > SF_GROUPS ? SF_GROUPS : groups;
    network->partial = sf_alloc_doubles(network->context, network->groups * sf_padded(network->pack.width));
    return network->partial ? SF_OK : SF_ERR_MEMORY;
}

sf_status sf_field_prepare(sf_network *network, sf_isa isa)
{
    const sf_dataset *data = network->dataset;
    const sf_pack *pack = &network->pack;
    sf_context *context = network->context;
    if (!sf_network_kernels_of(isa))
        return SF_OK;
    SF_TRY(sf_pack_create(context, data, &network->pack));
    network->kernels = kernels_for(isa, pack->type);
    memset(network->margin, 0, sf_padded(data->n) * sizeof *network->margin);
    if (data->n == 1)
        return SF_OK;
    network->strips = (data->stored + SF_PACK_STRIP - 1) / SF_PACK_STRIP;
    SF_TRY(pack->tile < pack->stride ? prepare_columns(network) : prepare_rows(network));
    if (pack->columns || pack->scale || (pack->blocks && pack->width % SF_ROWS != 0)) {
        network->weights = new_zeros(context, sf_padded(pack->width));
        if (!network->weights)
            return SF_ERR_MEMORY;
    }
    if (pack->shift) {
        network->dots = sf_alloc_doubles(context, network->strips);
        if (!network->dots)
            return SF_ERR_MEMORY;
    }
    return SF_OK;
}

void sf_field_release(sf_network *network)
{
    sf_context *context = network->context;
    sf_free_aligned(context, network->weights);
    sf_free_aligned(context, network->dots);
    sf_free_aligned(context, network->partial);
    sf_free_aligned(context, network->lanes);
    sf_free_aligned(context, network->folded);
    sf_free_aligned(context, network->slope);
    sf_pack_release(context, &network->pack);
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

size_t sf_field_unit(const sf_network *network)
{
    return network->lanes ? network->pack.tile : CHUNK;
}

size_t sf_field_chunk(const sf_network *network)
{
    return network->lanes ? SF_PACK_STRIP : CHUNK;
}

/* ---- taking the weights -------------------------------------------------------------------------- */

/* First column of the pack whose feature is `feature` or later. */
static size_t column_from(const sf_pack *pack, size_t feature)
{
    if (!pack->columns)
        return feature < pack->width ? feature : pack->width;
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

/* Into the columns of the pack, times scale; their part of <shift, weights>. */
static double weigh(sf_network *network, size_t begin, size_t end, const double *weights)
{
    const sf_pack *pack = &network->pack;
    size_t first = column_from(pack, begin), last = column_from(pack, end);
    double *own = network->weights + first;
    if (pack->columns) {
        for (size_t j = first; j < last; j++)
            network->weights[j] = weights[pack->columns[j]];
        weights = own;
    } else {
        weights += begin;
    }
    if (pack->scale)
        return network->kernels->weigh(last - first, weights, pack->shift + first, pack->scale + first, own);
    if (weights != own)
        memcpy(own, weights, (last - first) * sizeof *own);
    return 0.0;
}

/* Tiles [begin, end) of a strip to its part of the margins. */
static void take_tiles(sf_network *network, size_t strip, size_t begin, size_t end, const double *weights)
{
    const sf_pack *pack = &network->pack;
    size_t n = pack->n, padded = sf_padded(n);
    double *lanes = network->lanes + strip * padded * SF_LANES;
    if (begin == strip * SF_PACK_STRIP)
        memset(lanes, 0, n * SF_LANES * sizeof *lanes);
    for (size_t first = begin; first < end; first += pack->tile)
        network->kernels->margins(pack, first, 0, n, weights + first, lanes);
    if (end == (strip + 1) * SF_PACK_STRIP || end == pack->width)
        network->kernels->fold(n, lanes, network->folded + strip * padded);
}

void sf_field_take(sf_network *network, size_t begin, size_t end, const double *weights)
{
    if (!network->weights && !network->lanes)
        return;
    for (size_t next; begin < end; begin = next) {
        size_t strip = begin / SF_PACK_STRIP;
        next = (strip + 1) * SF_PACK_STRIP < end ? (strip + 1) * SF_PACK_STRIP : end;
        double dot = network->weights ? weigh(network, begin, next, weights) : 0.0;
        if (network->dots)
            network->dots[strip] = begin == strip * SF_PACK_STRIP ? dot : network->dots[strip] + dot;
        if (network->lanes)
            take_tiles(network, strip, begin, next, network->weights ? network->weights : weights);
    }
}

typedef struct pass {
    sf_network *network;
    const double *weights; // in the columns of the pack
    double dot;            // <shift, weights>
    bool backward;
    const double *rate; // (n) of a turn, else NULL: slopes are those of the loss
} pass;

static void take_strip(void *argument, size_t strip, int worker)
{
    (void)worker;
    const pass *job = argument;
    size_t begin = strip * SF_PACK_STRIP, stored = job->network->dataset->stored;
    sf_field_take(job->network, begin, stored - begin < SF_PACK_STRIP ? stored : begin + SF_PACK_STRIP,
                  job->weights);
}

void sf_field_take_all(sf_network *network, const double *weights)
{
    pass job = {.network = network, .weights = weights};
    network->takes++;
    if (network->weights || network->lanes)
        sf_pool_run(network->pool, network->strips, take_strip, &job);
}

static pass pass_of(sf_network *network, const double *weights, bool backward, const double *rate)
{
    pass job = {network, network->weights ? network->weights : weights, 0.0, backward, rate};
    for (size_t s = 0; s < network->strips && network->dots; s++)
        job.dot += network->dots[s];
    return job;
}

/* ---- margins and slopes -------------------------------------------------------------------------- */

/* From sums over codes to margins. */
static void finish_margins(const pass *job, size_t row, size_t count)
{
    const double *factor = job->network->pack.row;
    double *margin = job->network->margin + row;
    for (size_t i = 0; i < count && factor; i++)
        margin[i] = factor[row + i] * (margin[i] - job->dot);
}

static void margins_of_rows(const pass *job, size_t row, size_t count)
{
    sf_network *network = job->network;
    const sf_pack *pack = &network->pack;
    double lanes[SF_ROWS * SF_LANES] = {0};
    if (pack->blocks) {
        network->kernels->sparse_margins(pack, row, count, job->weights, network->margin + row);
    } else {
        network->kernels->margins(pack, 0, row, count, job->weights, lanes);
        network->kernels->fold(count, lanes, network->margin + row);
    }
    finish_margins(job, row, count);
}

static void margins_of_strips(const pass *job)
{
    const sf_network *network = job->network;
    size_t n = network->pack.n, padded = sf_padded(n);
    memset(network->margin, 0, n * sizeof *network->margin);
    for (size_t s = 0; s < network->strips; s++)
        for (size_t i = 0; i < n; i++)
            network->margin[i] += network->folded[s * padded + i];
    finish_margins(job, 0, n);
}

/* The reference margin that suits these margins. */
static double reference_of(sf_loss loss, size_t count, const double *margin)
{
    double low = INFINITY;
    for (size_t i = 0; i < count; i++)
        if (!(margin[i] >= low))
            low = margin[i];
    return sf_reference_margin(loss, low);
}

/* The slopes of up to SF_ROWS rows, times row; adds their sums to the part. */
static void slopes_of_rows(const pass *job, size_t row, size_t count, sf_field_part *part, double *slope)
{
    const sf_network *network = job->network;
    const double *factor = network->pack.row, *margin = network->margin + row;
    if (!job->rate)
        part->sum += network->kernels->slopes(network->loss, count, part->reference, margin, slope);
    for (size_t i = 0; i < SF_ROWS && job->rate; i++)
        part->sum += slope[i] = i < count ? job->rate[row + i] * margin[i] : 0.0;
    for (size_t i = 0; i < count && factor; i++) {
        slope[i] *= factor[row + i];
        part->signed_sum += slope[i];
    }
}

/* ---- by rows ------------------------------------------------------------------------------------- */

/* Takes the reference that suits the margins of these rows; what was added up before is rescaled to it. */
static void take_reference(const pass *job, size_t row, size_t count, sf_field_part *part, double *field)
{
    sf_network *network = job->network;
    double reference = reference_of(network->loss, count, network->margin + row);
    if (part->reference == INFINITY) {
        part->reference = reference; // the first rows: nothing to rescale
    } else if (!(reference >= part->reference)) {
        double factor = exp(reference - part->reference);
        for (size_t j = 0; j < network->pack.width; j++)
            field[j] *= factor;
        part->sum *= factor;
        part->signed_sum *= factor;
        part->reference = reference;
    }
}

/* Whether rows add nothing to a turn. */
static bool all_still(const double *rate, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rate[i] != 0.0)
            return false;
    return true;
}

static void pass_block(const pass *job, size_t row, size_t count, sf_field_part *part, double *field)
{
    sf_network *network = job->network;
    const sf_pack *pack = &network->pack;
    double slope[SF_ROWS];
    if (job->rate && all_still(job->rate + row, count))
        return;
    margins_of_rows(job, row, count);
    if (!job->rate)
        take_reference(job, row, count, part, field);
    slopes_of_rows(job, row, count, part, slope);
    if (pack->blocks)
        network->kernels->sparse_accumulate(pack, row, count, slope, field);
    else
        network->kernels->accumulate(pack, 0, row, count, slope, field);
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
    *part = (sf_field_part){job->rate ? 0.0 : INFINITY, 0.0, 0.0};
    memset(field, 0, width * sizeof *field);
    for (size_t k = begin; k < end; k++) {
        size_t row = (job->backward ? end - 1 - (k - begin) : k) * SF_ROWS;
        pass_block(job, row, n - row < SF_ROWS ? n - row : SF_ROWS, part, field);
    }
}

static void total_of_turn(const sf_network *network, sf_field_total *total)
{
    *total = (sf_field_total){.log_scale = NAN};
    for (size_t g = 0; g < network->groups; g++) {
        total->factor[g] = 1.0;
        total->signed_sum += network->part[g].signed_sum;
        total->sum += network->part[g].sum;
    }
}

static void total_of_groups(const sf_network *network, sf_field_total *total)
{
    double reference = INFINITY, sum = 0.0;
    for (size_t g = 0; g < network->groups; g++)
        if (!(network->part[g].reference >= reference))
            reference = network->part[g].reference;
    for (size_t g = 0; g < network->groups; g++) {
        total->factor[g] = exp(reference - network->part[g].reference);
        sum += total->factor[g] * network->part[g].sum;
    }
    total->signed_sum = 0.0;
    for (size_t g = 0; g < network->groups; g++) {
        total->factor[g] /= sum;
        total->signed_sum += total->factor[g] * network->part[g].signed_sum;
    }
    total->log_scale = log(sum / (double)network->pack.n) - reference;
}

/* Columns [first, last) of the pack to out. */
static void combine_groups(const sf_network *network, const sf_field_total *total, size_t first, size_t last,
                           double *out)
{
    const sf_pack *pack = &network->pack;
    network->kernels->combine(network->groups, sf_padded(pack->width), total->factor,
                              network->partial + first, last - first,
                              pack->shift ? pack->shift + first : NULL,
                              pack->scale ? pack->scale + first : NULL, total->signed_sum, out);
}

/* The columns kept come to the front of their features, then each to its own, last ones first. */
static void spread_columns(const sf_pack *pack, size_t first, size_t last, size_t begin, size_t end,
                           double *field)
{
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

/* ---- by columns ---------------------------------------------------------------------------------- */

static void total_of_strips(const pass *job, sf_field_total *total)
{
    const sf_network *network = job->network;
    size_t n = network->pack.n;
    margins_of_strips(job);
    sf_field_part part = {.reference = job->rate ? 0.0 : reference_of(network->loss, n, network->margin)};
    for (size_t row = 0; row < n; row += SF_ROWS)
        slopes_of_rows(job, row, n - row < SF_ROWS ? n - row : SF_ROWS, &part, network->slope + row);
    if (job->rate) {
        *total = (sf_field_total){{1.0}, part.signed_sum, NAN, part.sum};
        return;
    }
    total->factor[0] = 1.0 / part.sum;
    total->signed_sum = part.signed_sum / part.sum;
    total->log_scale = log(part.sum / (double)n) - part.reference;
}

/* ---- the whole ----------------------------------------------------------------------------------- */

static void run_pass(const pass *job, sf_field_total *total)
{
    sf_network *network = job->network;
    if (network->lanes) {
        total_of_strips(job, total);
        return;
    }
    sf_pool_run(network->pool, network->groups, pass_group, (void *)job);
    if (job->rate)
        total_of_turn(network, total);
    else
        total_of_groups(network, total);
}

void sf_field_pass(sf_network *network, const double *weights, bool backward, sf_field_total *total)
{
    pass job = pass_of(network, weights, backward, NULL);
    run_pass(&job, total);
}

double sf_field_turn(sf_network *network, const double *weights, const double *rate, double *field)
{
    sf_field_total total = {0};
    sf_field_take_all(network, weights);
    pass job = pass_of(network, weights, false, rate);
    run_pass(&job, &total);
    sf_field_combine(network, &total, 0, network->dataset->stored, field);
    return total.sum;
}

void sf_field_combine(const sf_network *network, const sf_field_total *total, size_t begin, size_t end,
                      double *field)
{
    const sf_pack *pack = &network->pack;
    for (size_t first = begin; first < end && network->lanes; first += pack->tile)
        network->kernels->field(pack, first, network->slope, total->factor[0], total->signed_sum,
                                field + first);
    if (network->lanes)
        return;
    size_t first = column_from(pack, begin), last = column_from(pack, end);
    combine_groups(network, total, first, last, field + begin);
    if (pack->columns)
        spread_columns(pack, first, last, begin, end, field);
}

static void margins_of_group(void *argument, size_t group, int worker)
{
    (void)worker;
    const pass *job = argument;
    size_t n = job->network->pack.n, blocks = (n + SF_ROWS - 1) / SF_ROWS,
           groups = job->network->groups ? job->network->groups : 1;
    for (size_t k = group * blocks / groups; k < (group + 1) * blocks / groups; k++) {
        size_t row = k * SF_ROWS;
        margins_of_rows(job, row, n - row < SF_ROWS ? n - row : SF_ROWS);
    }
}

void sf_field_margins(sf_network *network, const double *weights)
{
    sf_field_take_all(network, weights);
    pass job = pass_of(network, weights, false, NULL);
    if (network->lanes)
        margins_of_strips(&job);
    else
        sf_pool_run(network->pool, network->groups ? network->groups : 1, margins_of_group, &job);
}
