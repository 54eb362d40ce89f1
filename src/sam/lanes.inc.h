/* The batched update (lanes.h), for the instruction set this is compiled for.
 *
 * N = 1: with t_lj = z_j prod_{k != l} w_kj the gradient is -s t, so the direction of eps does not depend on the slope
 * s, and a step has one exponential: w_hat = w - rho t / ||t||, m = sum_j z_j prod_l w_hat_lj, w += eta s(m) t_hat.
 * A few registers of trajectories are taken together, stage by stage, to fill the pipes.
 *
 * N > 1: margins M = Z B and field F = Z^T S for a block of lanes are products of matrices, in panels of rows whose
 * sums stay in registers; between them one pass turns margins into slopes, divided by e^{-a} with a = max(0, smallest
 * margin) of the lane (network/field.c).
 *
 * Every lane sees the same operations in the same order whatever the block, so its bits do not depend on it.
 */
#include "base/simd_exp.h"
#include "sam/lanes.h"

enum {
    SINGLE = SF_SIMD_REGISTERS >= 16 ? 4 : 1, // registers of trajectories taken together, N = 1
    MANY = SF_SIMD_REGISTERS >= 16 ? 3 : 1,   // the same, N > 1
    PANEL = SF_SIMD_REGISTERS >= 16 ? 8 : 4,  // rows of a panel: PANEL * MANY sums
    SINGLE_LANES = SINGLE * VD,
    MANY_LANES = MANY * VD
};

/* ||t||^2 is trusted in this range. */
static const double least_square = 1e-280, greatest_square = 1e280;

/* s(m) = 1 / (1 + e^m), or e^{-m}. Beyond the bounds s is 1, or below 1e-295. */
SF_INLINE vd slope_of(sf_loss loss, vd m)
{
    if (loss == SF_LOSS_EXPONENTIAL)
        return vd_exp(vd_sub(vd_set(0.0), m));
    vd bounded = vd_max(vd_set(-680.0), vd_min(vd_set(680.0), m)); // NaN, as second argument, stays
    return vd_recip(vd_add(vd_set(1.0), vd_exp_bounded(bounded)));
}

/* other_l = prod_{k != l} w_k. The pairing is such that equal layers give equal bits for L <= 4. */
SF_INLINE void others(int depth, const vd *w, vd *other)
{
    vd tail[SF_LANES_MAX_DEPTH];
    if (depth == 1) {
        other[0] = vd_set(1.0);
        return;
    }
    tail[depth - 1] = w[depth - 1];
    for (int l = depth - 2; l > 0; l--)
        tail[l] = vd_mul(tail[l + 1], w[l]);
    other[0] = tail[1];
    vd before = w[0];
    for (int l = 1; l < depth; l++) {
        other[l] = l + 1 < depth ? vd_mul(before, tail[l + 1]) : before;
        before = vd_mul(before, w[l]);
    }
}

/* t_l = head * other_l: the gradient up to a factor that all coordinates share. */
SF_INLINE void direction(int depth, const vd *w, vd head, vd *t)
{
    others(depth, w, t);
    for (int l = 0; l < depth; l++)
        t[l] = vd_mul(head, t[l]);
}

/* w_l += head * other_l(hat). */
SF_INLINE void ascend(int depth, int kept, const vd *hat, vd head, vd *w)
{
    vd other[SF_LANES_MAX_DEPTH];
    others(depth, hat, other);
    for (int l = 0; l < kept; l++)
        w[l] = vd_fma(head, other[l], w[l]);
    for (int l = kept; l < depth; l++)
        w[l] = w[0];
}

SF_INLINE vd product(int depth, const vd *w)
{
    vd p = w[0];
    for (int l = 1; l < depth; l++)
        p = vd_mul(p, w[l]);
    return p;
}

/* ---- one example ------------------------------------------------------------------------------------------- */

/* With equal layers one layer stands for all. */
SF_INLINE void load_layers(const sf_lanes *b, int depth, bool equal, const double *at, vd *w)
{
    w[0] = vd_load(at);
    for (int l = 1; l < depth; l++)
        w[l] = equal ? w[0] : vd_load(at + (size_t)l * b->d * SINGLE_LANES);
}

/* Sums of the squares of t, layer by layer, so that equal layers need one. */
SF_INLINE void add_squares(int kept, const vd *t, vd *squares)
{
    for (int l = 0; l < kept; l++)
        squares[l] = vd_fma(t[l], t[l], squares[l]);
}

SF_INLINE vd total_square(int depth, bool equal, const vd *squares)
{
    vd sum = squares[0];
    for (int l = 1; l < depth; l++)
        sum = vd_add(sum, squares[equal ? 0 : l]);
    return sum;
}

/* eps = -(scale t), or -(scale sign(t)) for LINF. */
SF_INLINE vd displaced(sf_method method, vd w, vd t, vd scale)
{
    if (method != SF_METHOD_LINF)
        return vd_fnma(scale, t, w);
    vd zero = vd_set(0.0);
    vd e = vd_sub(vd_select(vm_less(zero, t), scale, zero), vd_select(vm_less(t, zero), scale, zero));
    return vd_sub(w, e);
}

typedef struct watch {
    vd least, greatest, strange; // of ||t||^2, and NaN after a weight or predictor that is not finite
} watch;

SF_INLINE void start_watch(watch *seen)
{
    *seen = (watch){vd_set(1.0), vd_set(1.0), vd_set(0.0)};
}

SF_INLINE unsigned suspects(const watch *seen)
{
    vm fine =
        vm_and(vm_less(vd_set(least_square), seen->least), vm_less(seen->greatest, vd_set(greatest_square)));
    fine = vm_and(fine, vm_less(seen->strange, vd_set(1.0)));
    return ~vm_bits(fine) & 0xffu;
}

/* rho / ||t||, with ||t||^2 watched. */
SF_INLINE vd scale_of_square(vd rho, vd square, watch *seen)
{
    seen->least = vd_min(seen->least, square);
    seen->greatest = vd_max(seen->greatest, square);
    return vd_mul(rho, vd_rsqrt(vd_max(vd_set(1e-290), square)));
}

/* One step of l2-SAM for SINGLE registers of trajectories; weights w[u][j][l] and examples z[u][j] are in registers
 * too. */
SF_INLINE void step_in_registers(const sf_lanes *b, int depth, int d, bool equal, vd w[SINGLE][3][4],
                                 vd z[SINGLE][3], watch *seen)
{
    int kept = equal ? 1 : depth;
    vd hat[SINGLE][3][4], t[SINGLE][3][4], square[SINGLE], scale[SINGLE], margin[SINGLE];
    SF_UNROLL for (int u = 0; u < SINGLE; u++)
    {
        vd squares[4] = {vd_set(0.0), vd_set(0.0), vd_set(0.0), vd_set(0.0)};
        SF_UNROLL for (int j = 0; j < d; j++)
        {
            direction(depth, w[u][j], z[u][j], t[u][j]);
            add_squares(kept, t[u][j], squares);
        }
        square[u] = total_square(depth, equal, squares);
    }
    SF_UNROLL for (int u = 0; u < SINGLE; u++)
    {
        scale[u] = scale_of_square(vd_load(b->rho + u * VD), square[u], &seen[u]);
    }
    SF_UNROLL for (int u = 0; u < SINGLE; u++)
    {
        SF_UNROLL for (int j = 0; j < d; j++)
        {
            for (int l = 0; l < depth; l++)
                hat[u][j][l] = l < kept ? vd_fnma(scale[u], t[u][j][l], w[u][j][l]) : hat[u][j][0];
            vd p = product(depth, hat[u][j]);
            margin[u] = j == 0 ? vd_mul(z[u][0], p) : vd_fma(z[u][j], p, margin[u]);
        }
    }
    SF_UNROLL for (int u = 0; u < SINGLE; u++)
    {
        scale[u] = vd_mul(vd_load(b->eta + u * VD), slope_of(b->loss, margin[u]));
    }
    SF_UNROLL for (int u = 0; u < SINGLE; u++)
    {
        SF_UNROLL for (int j = 0; j < d; j++)
        {
            ascend(depth, kept, hat[u][j], vd_mul(scale[u], z[u][j]), w[u][j]);
        }
    }
}

SF_INLINE sf_lane_mask in_registers(const sf_lanes *b, int depth, int d, bool equal, uint64_t steps)
{
    int kept = equal ? 1 : depth;
    vd w[SINGLE][3][4], z[SINGLE][3];
    watch seen[SINGLE];
    SF_UNROLL for (int u = 0; u < SINGLE; u++)
    {
        start_watch(&seen[u]);
        SF_UNROLL for (int j = 0; j < d; j++)
        {
            load_layers(b, depth, equal, b->theta + j * SINGLE_LANES + u * VD, w[u][j]);
            z[u][j] = vd_load(b->example + j * SINGLE_LANES + u * VD);
        }
    }
    for (uint64_t i = 0; i < steps; i++)
        step_in_registers(b, depth, d, equal, w, z, seen);
    sf_lane_mask mask = 0;
    SF_UNROLL for (int u = 0; u < SINGLE; u++)
    {
        SF_UNROLL for (int j = 0; j < d; j++)
        {
            seen[u].strange = vd_fma(product(depth, w[u][j]), vd_set(0.0), seen[u].strange);
            for (int l = 0; l < kept; l++) {
                seen[u].strange = vd_fma(w[u][j][l], vd_set(0.0), seen[u].strange);
                vd_store(b->theta + ((size_t)l * b->d + (size_t)j) * SINGLE_LANES + u * VD, w[u][j][l]);
            }
        }
        mask |= (sf_lane_mask)suspects(&seen[u]) << (u * VD);
    }
    return mask;
}

/* Any d and method: one register of trajectories after another, weights in cache. */

/* The factor of eps: rho / ||t||, rho s, rho; 0 for GD. */
SF_INLINE vd scale_in_memory(const sf_lanes *b, int depth, bool equal, size_t at, watch *seen)
{
    vd w[SF_LANES_MAX_DEPTH], t[SF_LANES_MAX_DEPTH], squares[SF_LANES_MAX_DEPTH], margin = vd_set(0.0);
    if (b->method == SF_METHOD_GD)
        return margin;
    vd rho = vd_load(b->rho + at);
    if (b->method == SF_METHOD_LINF)
        return rho;
    squares[0] = margin;
    for (int l = 1; l < depth; l++)
        squares[l] = margin;
    for (size_t j = 0; j < b->d; j++) {
        vd z = vd_load(b->example + j * SINGLE_LANES + at);
        load_layers(b, depth, equal, b->theta + j * SINGLE_LANES + at, w);
        direction(depth, w, z, t);
        add_squares(equal ? 1 : depth, t, squares);
        margin = vd_fma(z, product(depth, w), margin);
    }
    if (b->method == SF_METHOD_L2)
        return scale_of_square(rho, total_square(depth, equal, squares), seen);
    return vd_mul(rho, slope_of(b->loss, margin));
}

/* w and w_hat at feature j. */
SF_INLINE void hat_in_memory(const sf_lanes *b, int depth, bool equal, size_t at, vd z, vd scale, vd *w,
                             vd *hat)
{
    vd t[SF_LANES_MAX_DEPTH];
    load_layers(b, depth, equal, b->theta + at, w);
    if (b->method != SF_METHOD_GD)
        direction(depth, w, z, t);
    hat[0] = b->method == SF_METHOD_GD ? w[0] : displaced(b->method, w[0], t[0], scale);
    for (int l = 1; l < depth; l++)
        hat[l] = equal ? hat[0] : b->method == SF_METHOD_GD ? w[l] : displaced(b->method, w[l], t[l], scale);
}

SF_INLINE void step_in_memory(const sf_lanes *b, int depth, bool equal, size_t at, watch *seen)
{
    int kept = equal ? 1 : depth;
    vd w[SF_LANES_MAX_DEPTH], hat[SF_LANES_MAX_DEPTH], margin = vd_set(0.0);
    vd scale = scale_in_memory(b, depth, equal, at, seen);
    for (size_t j = 0; j < b->d; j++) {
        vd z = vd_load(b->example + j * SINGLE_LANES + at);
        hat_in_memory(b, depth, equal, j * SINGLE_LANES + at, z, scale, w, hat);
        margin = vd_fma(z, product(depth, hat), margin);
    }
    vd rate = vd_mul(vd_load(b->eta + at), slope_of(b->loss, margin));
    for (size_t j = 0; j < b->d; j++) {
        vd z = vd_load(b->example + j * SINGLE_LANES + at);
        hat_in_memory(b, depth, equal, j * SINGLE_LANES + at, z, scale, w, hat);
        ascend(depth, kept, hat, vd_mul(rate, z), w);
        seen->strange = vd_fma(product(depth, w), vd_set(0.0), seen->strange);
        for (int l = 0; l < kept; l++) {
            seen->strange = vd_fma(w[l], vd_set(0.0), seen->strange);
            vd_store(b->theta + ((size_t)l * b->d + j) * SINGLE_LANES + at, w[l]);
        }
    }
}

SF_INLINE sf_lane_mask in_memory(const sf_lanes *b, int depth, bool equal, uint64_t steps)
{
    sf_lane_mask mask = 0;
    for (size_t u = 0; u < SINGLE; u++) {
        watch seen;
        start_watch(&seen);
        for (uint64_t i = 0; i < steps; i++)
            step_in_memory(b, depth, equal, u * VD, &seen);
        mask |= (sf_lane_mask)suspects(&seen) << (u * VD);
    }
    return mask;
}

SF_INLINE sf_lane_mask single_of_depth(const sf_lanes *b, int depth, bool equal, uint64_t steps)
{
    if (b->method == SF_METHOD_L2 && b->d == 2)
        return in_registers(b, depth, 2, equal, steps);
    if (b->method == SF_METHOD_L2 && b->d == 3)
        return in_registers(b, depth, 3, equal, steps);
    return in_memory(b, depth, equal, steps);
}

static sf_lane_mask single(const sf_lanes *b, uint64_t steps)
{
    switch (b->depth) {
    case 1:
        return single_of_depth(b, 1, false, steps);
    case 2:
        return b->equal ? single_of_depth(b, 2, true, steps) : single_of_depth(b, 2, false, steps);
    case 3:
        return b->equal ? single_of_depth(b, 3, true, steps) : single_of_depth(b, 3, false, steps);
    case 4:
        return b->equal ? single_of_depth(b, 4, true, steps) : single_of_depth(b, 4, false, steps);
    default:
        return in_memory(b, b->depth, false, steps);
    }
}

/* ---- many examples ------------------------------------------------------------------------------------------ */

typedef struct places {
    double *weights; // (stored) row weights
    double *field;   // (stored, padded to panels)
    double *slopes;  // (n, padded): margins, then slopes
    double *hat;     // (L, d)
} places;

static places places_of(const sf_lanes *b)
{
    size_t padded = (b->stored + PANEL - 1) / PANEL * PANEL, rows = (b->n + PANEL - 1) / PANEL * PANEL;
    places p = {.weights = b->work};
    p.field = p.weights + b->stored * MANY_LANES;
    p.slopes = p.field + padded * MANY_LANES;
    p.hat = p.slopes + rows * MANY_LANES;
    return p;
}

SF_INLINE vd predictor_at(const sf_lanes *b, int depth, size_t j, size_t at)
{
    vd p = vd_load(b->theta + j * MANY_LANES + at);
    for (int l = 1; l < depth; l++)
        p = vd_mul(p, vd_load(b->theta + ((size_t)l * b->d + j) * MANY_LANES + at));
    return p;
}

/* The row weights of theta; the passes over it keep them up to date. */
SF_INLINE void row_weights(const sf_lanes *b, int depth, double *weights)
{
    for (size_t j = 0; j < b->stored; j++)
        for (size_t at = 0; at < MANY_LANES; at += VD) {
            vd p = predictor_at(b, depth, j, at);
            if (b->d != b->stored)
                p = vd_sub(p, predictor_at(b, depth, b->stored + j, at));
            vd_store(weights + j * MANY_LANES + at, p);
        }
}

/* out (PANEL, lanes) = sum_k panel[k * PANEL + i] in[k]: PANEL * MANY sums in registers. */
SF_INLINE void multiply_panel(const double *panel, size_t depth, const double *in, double *out)
{
    vd sum[PANEL][MANY];
    SF_UNROLL for (int i = 0; i < PANEL; i++) SF_UNROLL for (int u = 0; u < MANY; u++) sum[i][u] =
        vd_set(0.0);
    for (size_t k = 0; k < depth; k++) {
        vd x[MANY];
        SF_UNROLL for (int u = 0; u < MANY; u++) x[u] = vd_load(in + k * MANY_LANES + (size_t)u * VD);
        SF_UNROLL for (int i = 0; i < PANEL; i++)
        {
            vd z = vd_set(panel[k * PANEL + (size_t)i]);
            SF_UNROLL for (int u = 0; u < MANY; u++) sum[i][u] = vd_fma(z, x[u], sum[i][u]);
        }
    }
    SF_UNROLL for (int i = 0; i < PANEL; i++) SF_UNROLL for (int u = 0; u < MANY; u++)
        vd_store(out + (size_t)i * MANY_LANES + (size_t)u * VD, sum[i][u]);
}

/* Margins to slopes times e^a; returns e^{-a} in factor. The registers of a row go stage by stage. */
SF_INLINE void slopes_of_margins(const sf_lanes *b, double *slopes, vd factor[MANY])
{
    bool exponential = b->loss == SF_LOSS_EXPONENTIAL;
    vd zero = vd_set(0.0), a[MANY], s[MANY];
    SF_UNROLL for (int u = 0; u < MANY; u++) a[u] = vd_load(slopes + u * VD);
    for (size_t i = 1; i < b->n; i++)
        SF_UNROLL for (int u = 0; u < MANY; u++) a[u] =
            vd_min(a[u], vd_load(slopes + i * MANY_LANES + (size_t)u * VD));
    SF_UNROLL for (int u = 0; u < MANY; u++)
    {
        a[u] = exponential ? a[u] : vd_max(zero, a[u]);
        factor[u] = vd_exp(vd_sub(zero, a[u]));
    }
    for (size_t i = 0; i < b->n; i++) {
        double *row = slopes + i * MANY_LANES;
        if (exponential) {
            for (int u = 0; u < MANY; u++)
                vd_store(row + u * VD, vd_exp(vd_sub(a[u], vd_load(row + u * VD))));
            continue;
        }
        SF_UNROLL for (int u = 0; u < MANY; u++)
        {
            vd m = vd_sub(vd_load(row + u * VD), a[u]);
            s[u] = vd_max(vd_set(-680.0), vd_min(vd_set(680.0), m));
        }
        vd_exp_bounded_several(MANY, s);
        SF_UNROLL for (int u = 0; u < MANY; u++) s[u] = vd_recip(vd_add(factor[u], s[u]));
        SF_UNROLL for (int u = 0; u < MANY; u++) vd_store(row + u * VD, s[u]);
    }
}

/* field = e^a sum_n s_n z_n at the row weights; factor = e^{-a}. */
SF_INLINE void field_of_weights(const sf_lanes *b, const places *p, vd factor[MANY])
{
    for (size_t i = 0; i < b->n; i += PANEL)
        multiply_panel(b->rows + i * b->stored, b->stored, p->weights, p->slopes + i * MANY_LANES);
    slopes_of_margins(b, p->slopes, factor);
    for (size_t j = 0; j < b->stored; j += PANEL)
        multiply_panel(b->columns + j * b->n, b->n, p->slopes, p->field + j * MANY_LANES);
}

/* t_l = field_j prod_{k != l} w_kj at feature j of d, sign that of the mirrored half. */
SF_INLINE void direction_at(const sf_lanes *b, int depth, const double *theta, const double *field, size_t j,
                            size_t at, vd scale, vd *w, vd *t)
{
    w[0] = vd_load(theta + j * MANY_LANES + at); // depth >= 1
    for (int l = 1; l < depth; l++)
        w[l] = vd_load(theta + ((size_t)l * b->d + j) * MANY_LANES + at);
    bool second = j >= b->stored;
    vd f = vd_load(field + (second ? j - b->stored : j) * MANY_LANES + at);
    direction(depth, w, vd_mul(f, second ? vd_sub(vd_set(0.0), scale) : scale), t);
}

/* rho / ||t||, rho s or rho, as the method has it. */
SF_INLINE vd scale_many(const sf_lanes *b, int depth, const places *p, size_t at, vd factor, watch *seen)
{
    vd w[SF_LANES_MAX_DEPTH], t[SF_LANES_MAX_DEPTH], rho = vd_load(b->rho + at), square = vd_set(0.0);
    if (b->method == SF_METHOD_USAM)
        return vd_mul(rho, vd_div(factor, vd_set((double)b->n)));
    if (b->method != SF_METHOD_L2)
        return rho;
    for (size_t j = 0; j < b->d; j++) {
        direction_at(b, depth, b->theta, p->field, j, at, vd_set(1.0), w, t);
        for (int l = 0; l < depth; l++)
            square = vd_fma(t[l], t[l], square);
    }
    return scale_of_square(rho, square, seen);
}

/* theta_hat at feature j of d; returns its predictor. */
SF_INLINE vd perturb_at(const sf_lanes *b, int depth, const places *p, size_t j, size_t at, vd scale)
{
    vd w[SF_LANES_MAX_DEPTH], t[SF_LANES_MAX_DEPTH];
    direction_at(b, depth, b->theta, p->field, j, at, vd_set(1.0), w, t);
    for (int l = 0; l < depth; l++) {
        w[l] = displaced(b->method, w[l], t[l], scale);
        vd_store(p->hat + ((size_t)l * b->d + j) * MANY_LANES + at, w[l]);
    }
    return product(depth, w);
}

/* theta_hat from theta and the field, and its row weights. */
SF_INLINE void perturb_many(const sf_lanes *b, int depth, const places *p, vd factor[MANY], watch *seen)
{
    for (size_t u = 0; u < MANY; u++) {
        size_t at = u * VD;
        vd scale = scale_many(b, depth, p, at, factor[u], &seen[u]);
        for (size_t j = 0; j < b->stored; j++) {
            vd weights = perturb_at(b, depth, p, j, at, scale);
            if (b->d != b->stored)
                weights = vd_sub(weights, perturb_at(b, depth, p, b->stored + j, at, scale));
            vd_store(p->weights + j * MANY_LANES + at, weights);
        }
    }
}

/* theta after the step at feature j of d; returns its predictor, which is not finite if a weight is not. */
SF_INLINE vd update_at(const sf_lanes *b, int depth, const places *p, const double *hat, size_t j, size_t at,
                       vd scale, vd *strange)
{
    vd w[SF_LANES_MAX_DEPTH], t[SF_LANES_MAX_DEPTH];
    direction_at(b, depth, hat, p->field, j, at, scale, w, t);
    for (int l = 0; l < depth; l++) {
        double *theta = b->theta + ((size_t)l * b->d + j) * MANY_LANES + at;
        w[l] = vd_add(vd_load(theta), t[l]);
        vd_store(theta, w[l]);
    }
    vd predictor = product(depth, w);
    *strange = vd_fma(predictor, vd_set(0.0), *strange);
    return predictor;
}

/* The step from the field at hat, and the row weights after it. */
SF_INLINE void update_many(const sf_lanes *b, int depth, const places *p, const double *hat, vd factor[MANY],
                           watch *seen)
{
    for (size_t u = 0; u < MANY; u++) {
        size_t at = u * VD;
        vd scale = vd_mul(vd_load(b->eta + at), vd_div(factor[u], vd_set((double)b->n))),
           strange = seen[u].strange;
        for (size_t j = 0; j < b->stored; j++) {
            vd weights = update_at(b, depth, p, hat, j, at, scale, &strange);
            if (b->d != b->stored)
                weights = vd_sub(weights, update_at(b, depth, p, hat, b->stored + j, at, scale, &strange));
            vd_store(p->weights + j * MANY_LANES + at, weights);
        }
        seen[u].strange = strange;
    }
}

SF_INLINE sf_lane_mask many_of_depth(const sf_lanes *b, int depth, uint64_t steps)
{
    places p = places_of(b);
    watch seen[MANY];
    vd factor[MANY];
    bool descends = b->method == SF_METHOD_GD;
    for (int u = 0; u < MANY; u++)
        start_watch(&seen[u]);
    row_weights(b, depth, p.weights);
    for (uint64_t i = 0; i < steps; i++) {
        field_of_weights(b, &p, factor);
        if (!descends) {
            perturb_many(b, depth, &p, factor, seen);
            field_of_weights(b, &p, factor);
        }
        update_many(b, depth, &p, descends ? b->theta : p.hat, factor, seen);
    }
    sf_lane_mask mask = 0;
    for (int u = 0; u < MANY; u++)
        mask |= (sf_lane_mask)suspects(&seen[u]) << (u * VD);
    return mask;
}

static sf_lane_mask many(const sf_lanes *b, uint64_t steps)
{
    switch (b->depth) {
    case 1:
        return many_of_depth(b, 1, steps);
    case 2:
        return many_of_depth(b, 2, steps);
    case 3:
        return many_of_depth(b, 3, steps);
    default:
        return many_of_depth(b, b->depth, steps);
    }
}

const sf_lanes_kernels SF_SIMD(sf_lanes_kernels) = {SINGLE_LANES, MANY_LANES, PANEL, single, many};
