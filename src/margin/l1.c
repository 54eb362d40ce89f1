/* The l1 problem: min ||beta||_1 subject to <beta, z_n> >= 1.
 *
 * Clp finds the optimal basis, sf_basis_solve the numbers that belong to it. Clp's tolerances are absolute,
 * so the programme is solved again from the basis found, with the data scaled to margin 1, when its pair is
 * not yet optimal to working precision.
 */
#include "margin/margin.h"

#include <math.h>

#include "base/base.h"

enum { ROUNDS = 2 };
static const long double EXACT = 8192.0L * LDBL_EPSILON; // violations of this size are rounding

/* The largest violation of feasibility by a pair that satisfies complementary slackness by construction. */
static sf_status violation_of(const sf_points *points, const long double *beta, const long double *lambda,
                              const sf_basis *basis, long double *violation)
{
    size_t n = points->n, d = points->d;
    long double *q = SF_ARRAY(points->context, d, long double);
    if (!q)
        return SF_ERR_MEMORY;
    long double worst = 0.0L, beta_sum = 0.0L, lambda_sum = 0.0L;
    for (size_t j = 0; j < d; j++) {
        q[j] = 0.0L;
        beta_sum += fabsl(beta[j]) * points->column[j];
    }
    for (size_t i = 0; i < n; i++) {
        const double *z = points->z + i * d;
        worst = fmaxl(worst, sf_required(points, i) - sf_dot(d, z, beta));
        lambda_sum += fabsl(lambda[i]) * points->norm[i];
        if (lambda[i] != 0.0L)
            sf_add_multiple(d, lambda[i], z, q);
    }
    for (size_t j = 0; j < d; j++)
        worst = fmaxl(worst, (points->nonnegative ? q[j] : fabsl(q[j])) - 1.0L);
    // in units of each example and feature, so that none counts for little because its numbers are small
    for (size_t i = 0; i < basis->k; i++) {
        size_t n_i = basis->row[i], j = basis->column[i];
        worst = fmaxl(worst, -lambda[n_i] * points->norm[n_i] / lambda_sum);
        worst = fmaxl(worst, -basis->sign[i] * beta[j] * points->column[j] / beta_sum);
    }
    *violation = isfinite(worst) ? worst : INFINITY;
    sf_free(points->context, q);
    return SF_OK;
}

/* Rounding left on the wrong side of 0 goes to 0. */
static void clean(const sf_basis *basis, long double *beta, long double *lambda)
{
    for (size_t i = 0; i < basis->k; i++) {
        if (basis->sign[i] * beta[basis->column[i]] < 0.0L)
            beta[basis->column[i]] = 0.0L;
        if (lambda[basis->row[i]] < 0.0L)
            lambda[basis->row[i]] = 0.0L;
    }
}

/* The numbers of a basis, and how far they are from optimal; INFINITY if the basis is singular. */
static sf_status evaluate(const sf_points *points, const sf_basis *basis, long double *beta,
                          long double *lambda, long double *violation)
{
    sf_lu lu;
    bool regular;
    *violation = INFINITY;
    sf_status status = sf_lu_create(points, basis, &lu, &regular);
    if (status == SF_OK && regular) {
        sf_basis_solve(points, basis, &lu, beta, lambda);
        status = violation_of(points, beta, lambda, basis, violation);
    }
    sf_lu_release(&lu);
    return status;
}

static sf_status solve(const sf_points *points, double guess, sf_basis *basis, long double *beta,
                       long double *lambda, bool *solved)
{
    double factor = 1.0 / (guess > 0.0 ? guess : (double)points->largest), objective;
    long double violation = INFINITY;
    bool optimal = true;
    for (int round = 0; round < ROUNDS && optimal && !(violation <= EXACT); round++) {
        if (sf_cancelled(points->context))
            return sf_fail(points->context, SF_ERR_CANCELLED, "interrupted in the linear programme");
        SF_TRY(sf_programme_solve(points, factor, basis, &optimal, &objective));
        if (optimal)
            SF_TRY(evaluate(points, basis, beta, lambda, &violation));
        sf_log(points->context, SF_LOG_DEBUG, "event=l1_round round=%d optimal=%d basis=%zu violation=%.3g",
               round, optimal, basis->k, (double)violation);
        factor *= objective;
    }
    *solved = violation <= EXACT;
    if (!*solved && (optimal || guess > 0.0)) {
        SF_TRY(sf_basis_improve(points, basis, beta, lambda, solved));
        sf_log(points->context, SF_LOG_DEBUG, "event=l1_simplex optimal=%d basis=%zu", *solved, basis->k);
    }
    if (*solved)
        clean(basis, beta, lambda);
    return SF_OK;
}

sf_status sf_l1_solve(const sf_points *points, double guess, long double *beta, long double *lambda,
                      bool *solved)
{
    sf_context *context = points->context;
    size_t room = points->n < points->d ? points->n : points->d;
    sf_basis basis = {.row = SF_ARRAY(context, room, size_t),
                      .column = SF_ARRAY(context, room, size_t),
                      .sign = SF_ARRAY(context, room, double)};
    *solved = false;
    sf_status status = SF_ERR_MEMORY;
    if (basis.row && basis.column && basis.sign)
        status = solve(points, guess, &basis, beta, lambda, solved);
    sf_free(context, basis.row);
    sf_free(context, basis.column);
    sf_free(context, basis.sign);
    return status;
}
