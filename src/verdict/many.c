/* Many examples: the margin problem that the network can express, and whether the flow goes to its solution.
 *
 * L = 1 converges to the l2-max-margin direction (Theorem 3.1), L = 2, if at all, to the l1-max-margin direction (Theorem
 * 4.2) among the predictors that the network can reach: equal layers of even depth keep beta >= 0, w_1 = -w_2 keeps
 * beta <= 0. A coordinate that is tied to one sign stands in the problem once, a free one as the pair (z_j, -z_j); then
 * the problem is one over coefficients >= 0.
 *
 * The candidate is accepted if it is unique and the direction error falls towards 0 on the last two factors e in log t: like 1
 * / log t, or as slowly as the coordinate off the support does that decays slowest, (log t)^-(1 - |q_j|), q = Z'lambda.
 */
#include "verdict/limit.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

/* Errors above this may be those of a flow that is on its way elsewhere. */
static const double NEAR = 0.05;
static const double NEAR_SLOW = 0.3;
/* Exponents of the error, measured per factor e in log t. */
static const double FAST = 0.5;
static const double SLOW_TOLERANCE = 0.1;
/* Errors at the level of the integrator. */
static const double REACHED = 1e-8;

typedef struct columns {
    size_t count, plus, minus; // columns; coordinates that can be positive, negative
    size_t *coordinate;        // (2d)
    double *sign;              // (2d)
} columns;

/* Which signs beta_j can take: exact at L = 2, where u_j = 0 or v_j = 0 stays so. */
static void find_columns(int depth, size_t d, const double *theta, columns *c)
{
    bool confined = depth > 2 && depth % 2 == 0 && sf_equal_layers(depth, d, theta);
    for (size_t j = 0; j < d; j++) {
        bool plus = depth != 2 || theta[j] + theta[d + j] != 0.0;
        bool minus = depth == 2 ? theta[j] - theta[d + j] != 0.0 : !confined;
        if (plus) {
            c->coordinate[c->count] = j;
            c->sign[c->count++] = 1.0;
            c->plus++;
        }
        if (minus) {
            c->coordinate[c->count] = j;
            c->sign[c->count++] = -1.0;
            c->minus++;
        }
    }
}

/* The data set over the columns. */
static sf_status expand(sf_context *context, const sf_dataset *dataset, const columns *c, sf_dataset **out)
{
    size_t n = sf_dataset_examples(dataset), d = sf_dataset_features(dataset);
    double *wide = sf_alloc(context, n, c->count * sizeof *wide), *row = SF_ARRAY(context, d, double);
    sf_status status = wide && row ? SF_OK : SF_ERR_MEMORY;
    for (size_t i = 0; status == SF_OK && i < n; i++) {
        sf_dataset_example(dataset, i, row);
        for (size_t k = 0; k < c->count; k++)
            wide[i * c->count + k] = c->sign[k] * row[c->coordinate[k]];
    }
    if (status == SF_OK)
        status = sf_dataset_from_points(context, n, c->count, wide, NULL, out);
    sf_free(context, wide);
    sf_free(context, row);
    return status;
}

/* The slowest decay off the support: 1 - max |q_j|. */
static sf_status find_slowest(sf_context *context, const sf_dataset *dataset, const double *direction,
                              const double *lambda, bool nonnegative, double *slowest)
{
    size_t n = sf_dataset_examples(dataset), d = sf_dataset_features(dataset);
    double *row = SF_ARRAY(context, d, double), *q = sf_alloc_zero(context, d, sizeof *q);
    sf_status status = row && q ? SF_OK : SF_ERR_MEMORY;
    *slowest = 1.0;
    for (size_t i = 0; status == SF_OK && i < n; i++) {
        sf_dataset_example(dataset, i, row);
        for (size_t j = 0; j < d; j++)
            q[j] += lambda[i] * row[j];
    }
    for (size_t j = 0; status == SF_OK && j < d; j++)
        if (direction[j] == 0.0)
            *slowest = fmin(*slowest, 1.0 - fmax(0.0, nonnegative ? q[j] : fabs(q[j])));
    sf_free(context, row);
    sf_free(context, q);
    return status;
}

static sf_status fill(sf_context *context, const sf_dataset *problem, const columns *c,
                      const sf_margin *margin, bool nonnegative, sf_candidate *candidate)
{
    candidate->separable = sf_margin_separable(margin);
    if (!candidate->separable)
        return SF_OK;
    candidate->unique = sf_margin_unique(margin) == SF_YES;
    size_t d = sf_dataset_features(problem);
    const double *direction = sf_margin_direction(margin);
    for (size_t k = 0; k < d; k++)
        if (direction[k] != 0.0) {
            candidate->direction[c ? c->coordinate[k] : k] = (c ? c->sign[k] : 1.0) * direction[k];
            candidate->index = (int64_t)(c ? c->coordinate[k] : k);
            candidate->support++;
        }
    if (candidate->support != 1)
        candidate->index = -1;
    return find_slowest(context, problem, direction, sf_margin_multipliers(margin), nonnegative,
                        &candidate->slowest);
}

static sf_status solve(sf_context *context, const sf_dataset *problem, const columns *c,
                       sf_margin_options options, sf_candidate *candidate)
{
    sf_margin *margin = NULL;
    sf_status status = sf_margin_solve(context, problem, &options, &margin);
    if (status == SF_OK)
        status = fill(context, problem, c, margin, options.nonnegative, candidate);
    sf_margin_destroy(&margin);
    return status;
}

sf_status sf_candidate_find(sf_context *context, const sf_dataset *dataset, int depth, const double *theta,
                            sf_norm norm, sf_candidate *candidate)
{
    size_t d = sf_dataset_features(dataset);
    *candidate = (sf_candidate){.index = -1, .slowest = 1.0};
    columns c = {.coordinate = SF_ARRAY(context, 2 * d, size_t), .sign = SF_ARRAY(context, 2 * d, double)};
    candidate->direction = sf_alloc_zero(context, d, sizeof *candidate->direction);
    sf_status status = c.coordinate && c.sign && candidate->direction ? SF_OK : SF_ERR_MEMORY;
    if (status == SF_OK) {
        find_columns(depth, d, theta, &c);
        candidate->constrained = c.count < 2 * d;
        sf_dataset *problem = NULL;
        if (!candidate->constrained || (c.plus == d && c.minus == 0)) {
            status =
                solve(context, dataset, NULL, (sf_margin_options){norm, candidate->constrained}, candidate);
        } else if (c.count > 0) {
            status = expand(context, dataset, &c, &problem);
            if (status == SF_OK)
                status = solve(context, problem, &c, (sf_margin_options){norm, true}, candidate);
            sf_dataset_destroy(&problem);
        }
    }
    sf_free(context, c.coordinate);
    sf_free(context, c.sign);
    return status;
}

void sf_candidate_release(sf_context *context, sf_candidate *candidate)
{
    sf_free(context, candidate->direction);
    candidate->direction = NULL;
}

static double error_at(const sf_track *track, const sf_candidate *candidate, size_t back)
{
    return sf_direction_distance(track->norm, track->d, track->marks[track->count - 1 - back].direction,
                                 candidate->direction);
}

static bool approaches(const sf_track *track, const sf_candidate *candidate)
{
    if (track->count < 3)
        return false;
    const sf_mark *last = &track->marks[track->count - 1];
    double e0 = error_at(track, candidate, 0), e1 = error_at(track, candidate, 1);
    double e2 = error_at(track, candidate, 2);
    double p = log(e1 / e0) / log(last->clock / (last - 1)->clock);
    double p_before = log(e2 / e1) / log((last - 1)->clock / (last - 2)->clock);
    if (e0 <= REACHED && e1 <= 10.0 * REACHED)
        return true;
    if (e0 <= NEAR && p >= FAST && p_before >= FAST)
        return true;
    double slow = candidate->slowest;
    return slow < 1.0 && e0 <= NEAR_SLOW && fabs(p - slow) <= SLOW_TOLERANCE * slow &&
           fabs(p_before - slow) <= 2.0 * SLOW_TOLERANCE * slow;
}

void sf_judge_many(const sf_track *track, const sf_candidate *candidate, sf_verdict *verdict)
{
    if (!candidate->separable) {
        verdict->reason = candidate->constrained
                              ? "not separable by the predictors that the layers can express, so there is no "
                                "direction to go"
                              : "the data are not separable, so there is no direction to go";
        return;
    }
    if (!candidate->unique) {
        verdict->reason =
            "the max-margin direction is not unique, so which one is reached depends on the start";
        return;
    }
    if (!approaches(track, candidate)) {
        verdict->reason =
            "by the end of the run the direction was not seen to approach the max-margin direction";
        return;
    }
    memcpy(verdict->direction, candidate->direction, track->d * sizeof *verdict->direction);
    verdict->kind = SF_LIMIT_MAX_MARGIN;
    verdict->index = candidate->index;
    if (track->depth > 2)
        verdict->reason =
            "measured: the error to the unique l1-max-margin direction falls as log t grows; for L >= 3 "
            "no theorem names it";
    else if (candidate->constrained)
        verdict->reason =
            "the error to the unique l1-max-margin direction among the signs that the layers can express "
            "falls as log t grows";
    else
        verdict->reason = track->depth == 1
                              ? "the error to the unique l2-max-margin direction falls as log t grows"
                              : "the error to the unique l1-max-margin direction falls as log t grows";
}
