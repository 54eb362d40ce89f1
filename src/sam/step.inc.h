/* The fused passes over the weights (step.h), for the instruction set this is compiled for. */
#include "base/simd.h"
#include "sam/step.h"

typedef struct column {
    vd w[SF_STEP_MAX_DEPTH], other[SF_STEP_MAX_DEPTH]; // weights, and the products of the other layers
} column;

SF_INLINE vd product(const column *c, int depth)
{
    vd p = c->w[0];
    for (int l = 1; l < depth; l++)
        p = vd_mul(p, c->w[l]);
    return p;
}

/* other_l = head * prod_{k != l} w_k, by prefix and suffix products. */
SF_INLINE void fill_others(column *c, int depth, vd head)
{
    vd tail[SF_STEP_MAX_DEPTH];
    tail[depth - 1] = head;
    for (int l = depth - 1; l > 0; l--)
        tail[l - 1] = vd_mul(tail[l], c->w[l]);
    c->other[0] = tail[0];
    vd before = c->w[0];
    for (int l = 1; l < depth; l++) {
        c->other[l] = vd_mul(tail[l], before);
        before = vd_mul(before, c->w[l]);
    }
}

SF_INLINE void load_column(const sf_step *step, int depth, size_t j, size_t count, column *c)
{
    c->w[0] = vd_load_upto(step->theta + j, count); // depth >= 1
    for (int l = 1; l < depth; l++)
        c->w[l] = vd_load_upto(step->theta + (size_t)l * step->d + j, count);
}

/* Replaces w by w_hat; sign is that of the half. *squares += eps^2. */
SF_INLINE void move(const sf_step *step, int depth, size_t j, size_t count, double sign, column *c,
                    vd *squares)
{
    if (step->method == SF_METHOD_GD)
        return;
    vd zero = vd_set(0.0), scale = vd_set(step->scale);
    fill_others(c, depth, vd_mul(vd_load_upto(step->field + j, count), vd_set(-sign * step->prescale)));
    for (int l = 0; l < depth; l++) {
        vd e = vd_mul(c->other[l], scale);
        if (step->method == SF_METHOD_LINF) {
            vd positive = vd_select(vm_less(zero, c->other[l]), scale, zero);
            e = vd_sub(positive, vd_select(vm_less(c->other[l], zero), scale, zero));
        }
        *squares = vd_fma(e, e, *squares);
        c->w[l] = vd_add(c->w[l], e);
    }
}

SF_INLINE double square_of_depth(const sf_step *step, int depth, size_t begin, size_t end, double *largest)
{
    vd sum = vd_set(0.0), high = sum;
    for (size_t base = 0; base < step->d; base += step->stored)
        for (size_t j = begin; j < end; j += VD) {
            size_t count = end - j < VD ? end - j : VD;
            column c;
            load_column(step, depth, base + j, count, &c);
            fill_others(&c, depth, vd_load_upto(step->field + j, count));
            for (int l = 0; l < depth; l++) {
                vd g = vd_mul(c.other[l], vd_set(step->prescale));
                high = vd_max(high, vd_abs(c.other[l]));
                sum = vd_fma(g, g, sum);
            }
        }
    double highest[VD];
    vd_store(highest, high);
    for (int i = 0; i < VD; i++)
        if (!(highest[i] <= *largest))
            *largest = highest[i];
    return vd_sum(sum);
}

SF_INLINE void perturb_of_depth(const sf_step *step, int depth, size_t begin, size_t end, double *applied,
                                double *margin)
{
    vd squares = vd_set(0.0), sum = squares;
    bool mirrored = step->d != step->stored;
    for (size_t j = begin; j < end; j += VD) {
        size_t count = end - j < VD ? end - j : VD;
        column c;
        load_column(step, depth, j, count, &c);
        move(step, depth, j, count, 1.0, &c, &squares);
        vd weights = product(&c, depth);
        if (mirrored) {
            load_column(step, depth, step->stored + j, count, &c);
            move(step, depth, j, count, -1.0, &c, &squares);
            weights = vd_sub(weights, product(&c, depth));
        }
        if (step->weights)
            vd_store_upto(step->weights + j, count, weights);
        if (step->example)
            sum = vd_fma(vd_load_upto(step->example + j, count), weights, sum);
    }
    *applied += vd_sum(squares);
    *margin += vd_sum(sum);
}

/* Updates feature base + j; returns the predictor there, which is not finite if a weight is not. */
SF_INLINE vd update_column(const sf_step *step, int depth, size_t base, size_t j, size_t count, double sign)
{
    column c;
    vd squares = vd_set(0.0);
    load_column(step, depth, base + j, count, &c);
    move(step, depth, j, count, sign, &c, &squares);
    fill_others(&c, depth, vd_mul(vd_load_upto(step->ascent + j, count), vd_set(sign * step->factor)));
    for (int l = 0; l < depth; l++) {
        size_t at = (size_t)l * step->d + base + j;
        c.w[l] = vd_add(vd_load_upto(step->theta + at, count), c.other[l]);
        vd_store_upto(step->next + at, count, c.w[l]);
    }
    return product(&c, depth);
}

SF_INLINE bool update_of_depth(const sf_step *step, int depth, size_t begin, size_t end)
{
    vd strange = vd_set(0.0);
    bool mirrored = step->d != step->stored;
    for (size_t j = begin; j < end; j += VD) {
        size_t count = end - j < VD ? end - j : VD;
        vd weights = update_column(step, depth, 0, j, count, 1.0);
        if (mirrored)
            weights = vd_sub(weights, update_column(step, depth, step->stored, j, count, -1.0));
        strange = vd_fma(weights, vd_set(0.0), strange); // NaN once a number is not finite
        if (step->weights)
            vd_store_upto(step->weights + j, count, weights);
    }
    return vd_sum(strange) == 0.0;
}

/* ---- the table: a depth known when compiling keeps a column in registers
 * ----------------------------------- */

#define SF_BY_DEPTH(call)                                                                                    \
    switch (step->depth) {                                                                                   \
    case 1:                                                                                                  \
        call(1);                                                                                             \
    case 2:                                                                                                  \
        call(2);                                                                                             \
    case 3:                                                                                                  \
        call(3);                                                                                             \
    case 4:                                                                                                  \
        call(4);                                                                                             \
    default:                                                                                                 \
        call(step->depth);                                                                                   \
    }

static double square(const sf_step *step, size_t begin, size_t end, double *largest)
{
#define SF_CALL(depth) return square_of_depth(step, depth, begin, end, largest)
    SF_BY_DEPTH(SF_CALL)
#undef SF_CALL
}

static void perturb(const sf_step *step, size_t begin, size_t end, double *applied, double *margin)
{
#define SF_CALL(depth)                                                                                       \
    perturb_of_depth(step, depth, begin, end, applied, margin);                                              \
    return
    SF_BY_DEPTH(SF_CALL)
#undef SF_CALL
}

static bool update(const sf_step *step, size_t begin, size_t end)
{
#define SF_CALL(depth) return update_of_depth(step, depth, begin, end)
    SF_BY_DEPTH(SF_CALL)
#undef SF_CALL
}

const sf_step_kernels SF_SIMD(sf_step_kernels) = {square, perturb, update};
