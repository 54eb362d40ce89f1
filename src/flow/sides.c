/* Sliding on k surfaces at once (Filippov's solution).
 *
 * On a surface the field has two sides. Where both lead back to it, the trajectory stays and moves with a mean of the
 * velocities of the sides; discrete updates chatter between them. On k surfaces there are 2^k sides; their means that hold
 * all k are the Filippov solutions, one for k = 1. Of those for k > 1 the one is taken in which the surfaces chatter
 * independently: side v has the weight W_v(a) = prod_i (1 + v_i a_i) / 2, a_i in [-1, 1] the mean sign, with
 *
 *   sum_v W_v N_i^v + pull_i = 0,   N_i^v = speed of the i-th surface function on side v   (i = 1..k),
 *
 * solved for a by Newton's method (linear for k = 1).
 */
#include "flow/sides.h"

#include <math.h>
#include <string.h>

/* The pull takes at most this share of the speeds of the sides. */
static const double PULL_MOST = 1e-3;

enum { NEWTON_STEPS = 60 };

/* prod over the places but `without` (k: none) of (1 + v a) / 2 */
static double weight_without(const flow_sides *it, const double *a, size_t v, size_t without)
{
    double weight = 1.0;
    for (size_t place = 0; place < it->k; place++)
        if (place != without)
            weight *= 0.5 * (1.0 + sides_sign(v, place) * a[place]);
    return weight;
}

double sf_sides_weight(const flow_sides *it, size_t v)
{
    return weight_without(it, it->a, v, it->k);
}

/* Gaussian elimination with row pivoting; false if singular. */
static bool eliminate(size_t k, double matrix[SIDES_MOST][SIDES_MOST], double *right)
{
    for (size_t c = 0; c < k; c++) {
        size_t pivot = c;
        for (size_t r = c + 1; r < k; r++)
            if (fabs(matrix[r][c]) > fabs(matrix[pivot][c]))
                pivot = r;
        if (!(fabs(matrix[pivot][c]) > 0.0))
            return false;
        for (size_t i = 0; i < k; i++) {
            double kept = matrix[c][i];
            matrix[c][i] = matrix[pivot][i];
            matrix[pivot][i] = kept;
        }
        double kept = right[c];
        right[c] = right[pivot];
        right[pivot] = kept;
        for (size_t r = c + 1; r < k; r++) {
            double factor = matrix[r][c] / matrix[c][c];
            for (size_t i = c; i < k; i++)
                matrix[r][i] -= factor * matrix[c][i];
            right[r] -= factor * right[c];
        }
    }
    for (size_t c = k; c-- > 0;) {
        for (size_t i = c + 1; i < k; i++)
            right[c] -= matrix[c][i] * right[i];
        right[c] /= matrix[c][c];
    }
    return true;
}

/* One Newton step on a; its size, or NaN. */
static double newton_step(const flow_sides *it, double *a)
{
    size_t k = it->k;
    double matrix[SIDES_MOST][SIDES_MOST], right[SIDES_MOST], size = 0.0;
    for (size_t j = 0; j < k; j++) {
        double fastest = 0.0;
        for (size_t v = 0; v < sides_count(it); v++)
            fastest = fmax(fastest, fabs(it->speed[v][j]));
        right[j] = fmax(-PULL_MOST * fastest, fmin(it->pull[j], PULL_MOST * fastest));
        for (size_t i = 0; i < k; i++)
            matrix[j][i] = 0.0;
        for (size_t v = 0; v < sides_count(it); v++) {
            right[j] += weight_without(it, a, v, k) * it->speed[v][j];
            for (size_t i = 0; i < k; i++)
                matrix[j][i] += 0.5 * sides_sign(v, i) * weight_without(it, a, v, i) * it->speed[v][j];
        }
    }
    if (!eliminate(k, matrix, right))
        return NAN;
    for (size_t j = 0; j < k; j++) {
        a[j] -= right[j];
        size = fmax(size, fabs(right[j]));
    }
    return size;
}

/* Newton's method from a; false if it does not converge. */
static bool newton(const flow_sides *it, double *a)
{
    for (int step = 0; step < NEWTON_STEPS && it->k > 0; step++) {
        double size = newton_step(it, a);
        if (!(size < 1e6))
            return false;
        if (size <= 1e-14 || (size <= 1e-12 && step > 8)) // as far as rounding lets it
            return true;
    }
    return it->k == 0;
}

bool sf_sides_solve(flow_sides *it)
{
    double a[SIDES_MOST];
    memcpy(a, it->a, sizeof a);
    if (!newton(it, a))
        return false;
    memcpy(it->a, a, sizeof a);
    return true;
}

double sf_sides_largest(const flow_sides *it, size_t *worst)
{
    double most = 0.0;
    for (size_t place = 0; place < it->k; place++)
        if (!(fabs(it->a[place]) <= most)) {
            most = fabs(it->a[place]);
            if (worst)
                *worst = place;
        }
    return most;
}

bool sf_sides_solve_inside(flow_sides *it)
{
    static const double starts[] = {0.0, 0.7, -0.7};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        for (size_t place = 0; place < it->k; place++)
            it->a[place] = starts[i];
        if (newton(it, it->a) && sf_sides_largest(it, NULL) <= 1.0)
            return true;
    }
    return false;
}
