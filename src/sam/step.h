/* The passes of one discrete update over the weights, fused, for ranges of features; one table an instruction
 * set.
 *
 * theta_hat is never stored: a pass forms it again from theta and the field, which costs less than reading
 * it. */
#ifndef SF_STEP_H
#define SF_STEP_H

#include <samflow/sam.h>

#include "base/isa.h"

/* Shapes: stored = features in storage, d = stored or 2 * stored (mirrored: feature stored + j has field
 * -field_j). */
typedef struct sf_step {
    size_t stored, d;
    int depth;
    sf_method method;     // GD, L2 or USAM: eps = scale * direction; LINF: eps = scale * sign(direction)
    double prescale;      // power of two that direction is multiplied by first, so that squares stay in range
    double scale;         // see method
    double factor;        // eta e^{log_scale} of the perturbed point
    const double *theta;  // (L, d)
    double *next;         // (L, d)
    const double *field;  // (stored) at theta: direction = -field * prod_{k != l} w_k
    const double *ascent; // (stored) at theta_hat
    double *weights;      // (stored) row weights; NULL: not kept
    const double *example; // (stored) z_1 if N = 1, for its margin; else NULL
} sf_step;

typedef struct sf_step_kernels {
    /* Sum of squares of prescale * direction over stored features [begin, end), both halves if mirrored;
     * *largest is raised to the largest |direction|. */
    double (*square)(const sf_step *step, size_t begin, size_t end, double *largest);
    /* Row weights of the perturbed point; *applied gains the sum of eps^2 (LINF: the number of eps that are
     * not 0), *margin gains <weights, example>. */
    void (*perturb)(const sf_step *step, size_t begin, size_t end, double *applied, double *margin);
    /* next = theta + factor * ascent * prod_{k != l} w_hat_k, and the row weights of next. False if they
     * or next are not finite. */
    bool (*update)(const sf_step *step, size_t begin, size_t end);
} sf_step_kernels;

enum { SF_STEP_MAX_DEPTH = 8 }; // deeper networks take the plain path

/* NULL for the plain reference or where it was not built. */
const sf_step_kernels *sf_step_kernels_of(sf_isa isa);

extern const sf_step_kernels sf_step_kernels_avx2, sf_step_kernels_avx512, sf_step_kernels_neon;

#endif
