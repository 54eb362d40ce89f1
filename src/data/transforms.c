/* Changes of the features in place, and what can be said about them.
 *
 * Storage holds z_nj = y_n x_nj; a feature is x_nj = y_n z_nj, which is exact. Standardizing: with m_j the
 * mean as it comes out of one pass (rounded, so somewhat off), r_nj = x_nj - m_j and c_j = (1/N) sum_n r_nj
 * (what rounding left),
 *
 *     x_nj <- (r_nj - c_j) / sqrt((1/N) sum_n (r_nj - c_j)^2)
 *
 * so that neither a large common offset nor many examples cost accuracy (two-pass algorithm with corrected
 * mean; Chan, Golub, LeVeque, "Algorithms for computing the sample variance", 1983). Each feature is first
 * brought to size 1 by a power of two, which is exact, so that no sum leaves the range of a double.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "data/dataset.h"

static sf_status refuse_mirrored(const sf_dataset *dataset, const char *what)
{
    if (dataset->mirrored)
        return sf_fail(dataset->context, SF_ERR_ARGUMENT, "%s of a mirrored data set; mirror comes last",
                       what);
    return SF_OK;
}

sf_status sf_dataset_scale(sf_dataset *dataset, double factor)
{
    SF_TRY(refuse_mirrored(dataset, "scaling"));
    if (!isfinite(factor))
        return sf_fail(dataset->context, SF_ERR_ARGUMENT, "the scale is %g, expected a finite number",
                       factor);
    size_t size = dataset->n * dataset->stored, worst = 0;
    for (size_t i = 0; i < size; i++)
        if (fabs(dataset->z[i]) > fabs(dataset->z[worst]))
            worst = i;
    size_t example = worst / dataset->stored;
    if (!isfinite(dataset->z[worst] * factor))
        return sf_fail(dataset->context, SF_ERR_DATA,
                       "example %zu, feature %zu is %g; times the scale %g it leaves the range of a double",
                       example, worst % dataset->stored, dataset->labels[example] * dataset->z[worst],
                       factor);
    for (size_t i = 0; i < size; i++)
        dataset->z[i] *= factor;
    dataset->unit *= factor;
    for (size_t j = 0; j < dataset->stored && dataset->grid.origin; j++)
        dataset->grid.spacing[j] *= factor;
    return SF_OK;
}

/* 2^-e with |x| 2^-e <= 1 for |x| <= largest; held within the range where it and its inverse are normal. */
static double unit_scale(double largest)
{
    int exponent;
    frexp(largest, &exponent);
    return ldexp(1.0, exponent < -1000 ? 1000 : -exponent);
}

/* What standardizing knows of each feature; arrays of d numbers. */
typedef struct moments {
    double *low, *high, *unit, *mean, *rest, *square;
} moments;

/* unit: the power of two that brings feature j to size 1, 0 if the feature is constant. */
static void find_units(const sf_dataset *dataset, moments *m)
{
    size_t d = dataset->stored;
    for (size_t j = 0; j < d; j++) {
        m->low[j] = INFINITY;
        m->high[j] = -INFINITY;
    }
    for (size_t i = 0; i < dataset->n; i++)
        for (size_t j = 0; j < d; j++) {
            double x = dataset->labels[i] * dataset->z[i * d + j];
            m->low[j] = x < m->low[j] ? x : m->low[j];
            m->high[j] = x > m->high[j] ? x : m->high[j];
        }
    for (size_t j = 0; j < d; j++)
        m->unit[j] = m->low[j] < m->high[j] ? unit_scale(fmax(fabs(m->low[j]), fabs(m->high[j]))) : 0.0;
}

/* x_ij in units of the feature, less the rounded mean. */
static double residual(const sf_dataset *dataset, const moments *m, size_t i, size_t j)
{
    return dataset->labels[i] * dataset->z[i * dataset->stored + j] * m->unit[j] - m->mean[j];
}

static void find_moments(const sf_dataset *dataset, moments *m)
{
    size_t n = dataset->n, d = dataset->stored;
    for (size_t j = 0; j < d; j++)
        m->mean[j] = m->rest[j] = m->square[j] = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            m->mean[j] += dataset->labels[i] * dataset->z[i * d + j] * m->unit[j];
    for (size_t j = 0; j < d; j++)
        m->mean[j] /= (double)n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++)
            m->rest[j] += residual(dataset, m, i, j);
    for (size_t j = 0; j < d; j++)
        m->rest[j] /= (double)n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < d; j++) {
            double r = residual(dataset, m, i, j) - m->rest[j];
            m->square[j] += r * r;
        }
}

/* ---- the grid of the features (dataset.h) ---- */

enum { MOST_DECIMALS = 6, GRID_LIMIT = 1 << 24 };

/* The whole number k with x = fl(fl(k / power) * unit); NaN if there is none up to the limit. Decimal numbers are read
 * with one rounding, so k / 10^decimals gives the same double. */
static double whole_of(double x, double unit, double power)
{
    double k = round(x / unit * power);
    return k / power * unit == x && fabs(k) <= GRID_LIMIT ? k : NAN;
}

/* The least power of ten that makes whole numbers of feature j; 0 if none does. */
static double decimal_power(const sf_dataset *dataset, size_t j)
{
    double power = 1.0;
    for (int decimals = 0; decimals <= MOST_DECIMALS; decimals++, power *= 10.0) {
        size_t i = 0;
        while (i < dataset->n && !isnan(whole_of(dataset->labels[i] * dataset->z[i * dataset->stored + j],
                                                 dataset->unit, power)))
            i++;
        if (i == dataset->n)
            return power;
    }
    return 0.0;
}

/* Origin and shift of feature j from its whole numbers, spacing from the factor that standardizes it. The sum that
 * gives the shift is exact. False if the feature is not on a grid. */
static bool place_on_grid(const sf_dataset *dataset, const moments *m, size_t j, double factor, sf_grid *grid)
{
    double power = decimal_power(dataset, j), sum = 0.0;
    if (power == 0.0)
        return false;
    size_t n = dataset->n;
    for (size_t i = 0; i < n; i++)
        sum += whole_of(dataset->labels[i] * dataset->z[i * dataset->stored + j], dataset->unit, power);
    grid->origin[j] = round(sum / (double)n);
    grid->shift[j] = (sum - (double)n * grid->origin[j]) / (double)n;
    grid->spacing[j] = factor * m->unit[j] * (dataset->unit / power);
    return isfinite(grid->spacing[j]);
}

/* Before the features change; factor: 1 / standard deviation in units of the feature, 0 for a constant one. */
static sf_status find_grid(sf_dataset *dataset, const moments *m, const double *factor)
{
    size_t d = dataset->stored;
    sf_free(dataset->context, dataset->grid.origin);
    dataset->grid = (sf_grid){0};
    if (dataset->unit == 0.0 || dataset->n > GRID_LIMIT)
        return SF_OK;
    double *block = sf_alloc(dataset->context, d, 3 * sizeof *block);
    if (!block)
        return SF_ERR_MEMORY;
    sf_grid grid = {block, block + d, block + 2 * d};
    for (size_t j = 0; j < d; j++)
        if (!place_on_grid(dataset, m, j, factor[j], &grid)) {
            sf_free(dataset->context, block);
            return SF_OK;
        }
    dataset->grid = grid;
    return SF_OK;
}

sf_status sf_dataset_standardize(sf_dataset *dataset)
{
    SF_TRY(refuse_mirrored(dataset, "standardizing"));
    size_t n = dataset->n, d = dataset->stored;
    double *work = sf_alloc(dataset->context, d, 6 * sizeof *work);
    if (!work)
        return SF_ERR_MEMORY;
    moments m = {work, work + d, work + 2 * d, work + 3 * d, work + 4 * d, work + 5 * d};
    find_units(dataset, &m);
    find_moments(dataset, &m);
    double *factor = m.low; // the bounds are no longer needed
    for (size_t j = 0; j < d; j++)
        factor[j] = m.unit[j] > 0.0 ? 1.0 / sqrt(m.square[j] / (double)n) : 0.0;
    sf_status status = find_grid(dataset, &m, factor);
    for (size_t i = 0; i < n && status == SF_OK; i++)
        for (size_t j = 0; j < d; j++)
            dataset->z[i * d + j] =
                dataset->labels[i] * ((residual(dataset, &m, i, j) - m.rest[j]) * factor[j]);
    dataset->unit = 0.0; // no longer a multiple of what was read
    sf_free(dataset->context, work);
    return status;
}

sf_status sf_dataset_append(sf_dataset *dataset, double value)
{
    SF_TRY(refuse_mirrored(dataset, "an intercept"));
    if (!isfinite(value) || value == 0.0)
        return sf_fail(dataset->context, SF_ERR_ARGUMENT,
                       "the intercept is %g, expected a finite number other than 0", value);
    sf_dataset *wider;
    size_t d = dataset->stored;
    SF_TRY(sf_dataset_create(dataset->context, dataset->n, d + 1, &wider));
    for (size_t i = 0; i < dataset->n; i++) {
        memcpy(wider->z + i * (d + 1), dataset->z + i * d, d * sizeof *wider->z);
        wider->z[i * (d + 1) + d] = dataset->labels[i] * value;
    }
    double *z = dataset->z;
    dataset->z = wider->z;
    wider->z = z;
    dataset->stored = d + 1;
    sf_dataset_destroy(&wider);
    // a constant is on no grid of whole numbers of the file: the narrow storage is given up
    sf_free(dataset->context, dataset->grid.origin);
    dataset->grid = (sf_grid){0};
    return SF_OK;
}

sf_status sf_dataset_mirror(sf_dataset *dataset)
{
    SF_TRY(refuse_mirrored(dataset, "mirroring"));
    if (dataset->stored > SIZE_MAX / 2 / sizeof(double))
        return sf_fail(dataset->context, SF_ERR_MEMORY, "twice %zu features exceed the address space",
                       dataset->stored);
    dataset->mirrored = true;
    return SF_OK;
}

void sf_dataset_strengths(const sf_dataset *dataset, double *strength)
{
    size_t n = dataset->n, width = dataset->stored;
    for (size_t j = 0; j < width; j++)
        strength[j] = 0.0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < width; j++)
            strength[j] += dataset->z[i * width + j];
    for (size_t j = 0; j < width; j++) {
        strength[j] = fabs(strength[j] / (double)n);
        if (dataset->mirrored)
            strength[width + j] = strength[j];
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Quantile of sorted numbers, linear between neighbours (type 7 of Hyndman and Fan, 1996). */
static double quantile(const double *sorted, size_t count, double share)
{
    double position = share * (double)(count - 1);
    size_t below = (size_t)position;
    if (below + 1 >= count)
        return sorted[count - 1];
    return sorted[below] + (position - (double)below) * (sorted[below + 1] - sorted[below]);
}

static sf_status describe_strengths(const sf_dataset *dataset, double out[5])
{
    size_t d = sf_dataset_features(dataset);
    double *strength = SF_ARRAY(dataset->context, d, double);
    if (!strength)
        return SF_ERR_MEMORY;
    sf_dataset_strengths(dataset, strength);
    qsort(strength, d, sizeof *strength, ascending);
    for (int k = 0; k < 5; k++)
        out[k] = quantile(strength, d, 0.25 * k);
    sf_free(dataset->context, strength);
    return SF_OK;
}

static sf_status count_constant(const sf_dataset *dataset, size_t *count)
{
    size_t d = dataset->stored;
    unsigned char *varies = sf_alloc_zero(dataset->context, d, 1);
    if (!varies)
        return SF_ERR_MEMORY;
    for (size_t i = 1; i < dataset->n; i++) {
        double sign = dataset->labels[i] * dataset->labels[0];
        for (size_t j = 0; j < d; j++)
            varies[j] |= sign * dataset->z[i * d + j] != dataset->z[j];
    }
    *count = 0;
    for (size_t j = 0; j < d; j++)
        *count += !varies[j];
    sf_free(dataset->context, varies);
    return SF_OK;
}

static double feature_at(const sf_dataset *dataset, size_t i, size_t j)
{
    return dataset->labels[i] * dataset->z[i * dataset->stored + j] + 0.0; // 0 rather than -0
}

typedef struct column_key {
    uint64_t hash;
    size_t column;
} column_key;

static int by_hash(const void *left, const void *right)
{
    const column_key *a = left, *b = right;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return (a->column > b->column) - (a->column < b->column);
}

static bool same_columns(const sf_dataset *dataset, size_t a, size_t b)
{
    for (size_t i = 0; i < dataset->n; i++)
        if (feature_at(dataset, i, a) != feature_at(dataset, i, b))
            return false;
    return true;
}

/* Columns like others, by hashes of their numbers (FNV-1a over the bits), then number by number. */
static sf_status count_duplicates(const sf_dataset *dataset, const double *deviation, size_t *count)
{
    size_t d = dataset->stored;
    column_key *keys = SF_ARRAY(dataset->context, d, column_key);
    if (!keys)
        return SF_ERR_MEMORY;
    for (size_t j = 0; j < d; j++)
        keys[j] = (column_key){UINT64_C(1469598103934665603), j};
    for (size_t i = 0; i < dataset->n; i++)
        for (size_t j = 0; j < d; j++) {
            double x = feature_at(dataset, i, j);
            uint64_t bits;
            memcpy(&bits, &x, sizeof bits);
            keys[j].hash = (keys[j].hash ^ bits) * UINT64_C(1099511628211);
        }
    qsort(keys, d, sizeof *keys, by_hash);
    *count = 0;
    for (size_t j = 1; j < d; j++)
        *count += keys[j].hash == keys[j - 1].hash && deviation[keys[j].column] > 0.0 &&
                  same_columns(dataset, keys[j].column, keys[j - 1].column);
    sf_free(dataset->context, keys);
    return SF_OK;
}

static bool counts_examples(const sf_dataset *dataset, size_t j)
{
    double first = feature_at(dataset, 0, j);
    for (size_t i = 0; i < dataset->n; i++)
        if (feature_at(dataset, i, j) != first + (double)i)
            return false;
    return dataset->n > 2 && first == floor(first);
}

/* Standard deviations of the features, from sums about the first example. */
static sf_status describe_columns(const sf_dataset *dataset, sf_dataset_info *info)
{
    size_t n = dataset->n, d = dataset->stored;
    double *sum = sf_alloc_zero(dataset->context, 2 * d, sizeof *sum), *square = sum + d;
    if (!sum)
        return SF_ERR_MEMORY;
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < d; j++) {
            double x = feature_at(dataset, i, j) - feature_at(dataset, 0, j);
            sum[j] += x;
            square[j] += x * x;
        }
    double low = INFINITY, high = 0.0;
    for (size_t j = 0; j < d; j++) {
        double mean = sum[j] / (double)n, deviation = sqrt(fmax(square[j] / (double)n - mean * mean, 0.0));
        sum[j] = deviation;
        high = deviation > high ? deviation : high;
        low = deviation > 0.0 && deviation < low ? deviation : low;
        info->counting += counts_examples(dataset, j);
    }
    info->spread = high > 0.0 ? high / low : NAN;
    sf_status status = count_duplicates(dataset, sum, &info->duplicates);
    sf_free(dataset->context, sum);
    return status;
}

sf_status sf_dataset_describe(const sf_dataset *dataset, sf_dataset_info *info)
{
    size_t n = dataset->n, d = dataset->stored;
    double low = INFINITY, high = -INFINITY;
    *info = (sf_dataset_info){
        .examples = n, .features = sf_dataset_features(dataset), .mirrored = dataset->mirrored};
    for (int k = 0; k < 2; k++) {
        info->raw_label[k] = dataset->raw_label[k];
        info->label_name[k] = dataset->label_name[k];
    }
    for (size_t i = 0; i < n; i++) {
        info->count[dataset->labels[i] > 0]++;
        for (size_t j = 0; j < d; j++) {
            double x = dataset->labels[i] * dataset->z[i * d + j];
            low = x < low ? x : low;
            high = x > high ? x : high;
            info->zeros += x == 0.0;
        }
    }
    SF_TRY(count_constant(dataset, &info->constant));
    SF_TRY(describe_columns(dataset, info));
    SF_TRY(describe_strengths(dataset, info->strength_quantile));
    if (dataset->mirrored) {
        double largest = fmax(-low, high);
        low = -largest;
        high = largest;
        info->zeros *= 2;
        info->constant *= 2;
        info->duplicates *= 2;
    }
    info->minimum = low + 0.0; // 0 rather than -0
    info->maximum = high + 0.0;
    return SF_OK;
}
