/* Many examples: the margin problem that the network can express, and whether the flow goes to its solution.
 *
 * L = 1 converges to the l2-max-margin direction (Theorem 3.1), L = 2, if at all, to the l1-max-margin direction (Theorem
 * 4.2) among the predictors that the network can reach: equal layers of even depth keep beta >= 0, w_1 = -w_2 keeps
 * beta <= 0. A coordinate that is tied to one sign stands in the problem once, a free one as the pair (z_j, -z_j); then
 * the problem is one over coefficients >= 0.
 *
 * The candidate is accepted if it is unique, the loss tends to 0 (rules.h, 2) and the direction error falls towards 0 on the last
 * two factors e in log t: like 1 / log t, or as slowly as the coordinate off the support does that decays slowest,
 * (log t)^-(1 - |q_j|), q = Z'lambda.
 */
#include "verdict/limit.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

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

/* Whether no example on the margin has the multiplier 0. */
static sf_status find_strict(sf_context *context, const sf_dataset *problem, const sf_margin *margin,
                             bool *strict)
{
    size_t n = sf_dataset_examples(problem), d = sf_dataset_features(problem);
    const double *direction = sf_margin_direction(margin), *lambda = sf_margin_multipliers(margin);
    double *row = SF_ARRAY(context, d, double), most = 0.0;
    if (!row)
        return SF_ERR_MEMORY;
    *strict = true;
    for (size_t i = 0; i < n; i++)
        most = fmax(most, lambda[i]);
    for (size_t i = 0; i < n; i++) {
        double value = 0.0;
        sf_dataset_example(problem, i, row);
        for (size_t j = 0; j < d; j++)
            value += row[j] * direction[j];
        bool active = value <= sf_margin_value(margin) * (1.0 + SF_CLOSE);
        *strict = *strict && (!active || lambda[i] > SF_CLOSE * most);
    }
    sf_free(context, row);
    return SF_OK;
}

static sf_status fill(sf_context *context, const sf_dataset *problem, const columns *c,
                      const sf_margin *margin, bool nonnegative, sf_candidate *candidate)
{
    const bool *separated = sf_margin_separated(margin);
    candidate->separability = sf_margin_separability(margin);
    if (!sf_margin_direction(margin))
        return SF_OK;
    if (candidate->separability == SF_WEAKLY_SEPARABLE && separated) {
        size_t n = sf_dataset_examples(problem);
        if (!(candidate->separated = SF_ARRAY(context, n, bool)))
            return SF_ERR_MEMORY;
        memcpy(candidate->separated, separated, n * sizeof *separated);
    }
    candidate->unique = sf_margin_unique(margin) == SF_ANSWER_YES;
    SF_TRY(find_strict(context, problem, margin, &candidate->strict));
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
    sf_free(context, candidate->separated);
    candidate->direction = NULL;
    candidate->separated = NULL;
}

static double error_at(const sf_track *track, const sf_candidate *candidate, size_t back)
{
    return sf_direction_distance(track->norm, track->d, track->marks[track->count - 1 - back].direction,
                                 candidate->direction);
}

static bool approaches(const sf_track *track, const sf_candidate *candidate)
{
    const sf_track_mark *last = &track->marks[track->count - 1];
    double e0 = error_at(track, candidate, 0), e1 = error_at(track, candidate, 1);
    double e2 = error_at(track, candidate, 2);
    double p = log(e1 / e0) / log(last->clock / (last - 1)->clock);
    double p_before = log(e2 / e1) / log((last - 1)->clock / (last - 2)->clock);
    if (e0 <= SF_REACHED && e1 <= 10.0 * SF_REACHED)
        return true;
    if (e0 <= SF_NEAR && p >= SF_STEADY && p_before >= SF_STEADY)
        return true;
    double slow = candidate->slowest;
    return slow < 1.0 && e0 <= SF_NEAR_SLOW && fabs(p - slow) <= SF_SLOW_TOLERANCE * slow &&
           fabs(p_before - slow) <= 2.0 * SF_SLOW_TOLERANCE * slow;
}

/* The loss tends to 0, as far as the run goes: every margin is late and has grown since the mark before. */
static bool is_late(const sf_track *track)
{
    const sf_track_mark *last = &track->marks[track->count - 1];
    return track->count > 2 && last->min_margin >= SF_MARGIN_LATE && last->min_margin > last[-1].min_margin;
}

/* sum_n s_n z_nj over sum_n |s_n z_nj| for every j into share (d), from logs of s_n = -l'(m_n). */
static sf_status balance(const sf_track *track, double *share)
{
    const sf_dataset *data = sf_network_dataset(track->network);
    const double *beta = track->marks[track->count - 1].beta;
    size_t n = sf_dataset_examples(data), d = track->d;
    double *row = SF_ARRAY(track->context, d, double), *log_slope = SF_ARRAY(track->context, n, double);
    double *size = sf_alloc_zero(track->context, d, sizeof *size), high = -INFINITY;
    sf_status status = row && log_slope && size ? SF_OK : SF_ERR_MEMORY;
    for (size_t i = 0; status == SF_OK && i < n; i++) {
        double margin = 0.0;
        sf_dataset_example(data, i, row);
        for (size_t j = 0; j < d; j++)
            margin += beta[j] * row[j];
        log_slope[i] = sf_loss_log_slope(sf_network_loss(track->network), margin);
        high = fmax(high, log_slope[i]);
    }
    memset(share, 0, d * sizeof *share);
    for (size_t i = 0; status == SF_OK && i < n; i++) {
        double s = exp(log_slope[i] - high);
        sf_dataset_example(data, i, row);
        for (size_t j = 0; j < d; j++) {
            share[j] += s * row[j];
            size[j] += s * fabs(row[j]);
        }
    }
    for (size_t j = 0; status == SF_OK && j < d; j++)
        share[j] = size[j] > 0.0 ? share[j] / size[j] : 0.0;
    sf_free(track->context, row);
    sf_free(track->context, log_slope);
    sf_free(track->context, size);
    return status;
}

sf_status sf_is_stationary(const sf_track *track, bool *stationary)
{
    const sf_track_mark *last = &track->marks[track->count - 1];
    *stationary = false;
    if (track->count < 2 || last->log_norm == -INFINITY)
        return SF_OK;
    double *share = SF_ARRAY(track->context, track->d, double);
    if (!share)
        return SF_ERR_MEMORY;
    sf_status status = balance(track, share);
    *stationary = status == SF_OK;
    for (size_t j = 0; status == SF_OK && j < track->d; j++) {
        // two layers and more: a coordinate on its way to 0 has a gradient that is not 0
        double fall = last->log_beta[j] - last[-1].log_beta[j], step = last->clock - last[-1].clock;
        bool dies = track->depth > 1 && (last->log_beta[j] == -INFINITY || fall < -SF_STEADY * step);
        *stationary = *stationary && (fabs(share[j]) <= SF_STATIONARY || dies);
    }
    sf_free(track->context, share);
    return status;
}

/* Two layers of coordinate j have |w_l| = rho, so that no layer of it moves under linf-SAM. */
static bool is_on_gate(const sf_track *track, size_t j)
{
    double rho = track->perturbation.rho;
    int count = 0;
    for (int l = 0; l < track->depth && track->perturbation.method == SF_METHOD_LINF; l++)
        count += fabs(fabs(track->theta[(size_t)l * track->d + j]) - rho) <= SF_STATIONARY * rho;
    return count >= 2;
}

sf_status sf_has_reason_to_rest(const sf_track *track, bool *reason)
{
    double *share = SF_ARRAY(track->context, track->d, double);
    if (!share)
        return SF_ERR_MEMORY;
    sf_status status = balance(track, share);
    *reason = status == SF_OK;
    for (size_t j = 0; status == SF_OK && j < track->d; j++)
        *reason = *reason && (fabs(share[j]) <= SF_STATIONARY || is_on_gate(track, j) ||
                              track->marks[track->count - 1].beta[j] == 0.0);
    sf_free(track->context, share);
    return status;
}

/* Without a direction that separates: the minimum of the loss, if it has come to one. */
static sf_status judge_point(const sf_track *track, const sf_candidate *candidate, sf_limit_verdict *verdict)
{
    bool stationary = false;
    bool descent = !sf_perturbs(&track->perturbation);
    verdict->reason = candidate->constrained ? "not separable by the predictors that the layers can express, "
                                               "so there is no direction to go; by the "
                                               "end of the run the gradient had not come to 0"
                                             : "not separable by a hyperplane through the origin, so there "
                                               "is no direction to go; by the end of the "
                                               "run the gradient had not come to 0";
    if (descent)
        SF_TRY(sf_is_stationary(track, &stationary));
    if (stationary) {
        memcpy(verdict->direction, track->marks[track->count - 1].beta,
               track->d * sizeof *verdict->direction);
        verdict->kind = SF_LIMIT_POINT;
        verdict->evidence = SF_EVIDENCE_CERTIFIED;
        verdict->reason =
            "not separable: beta has come to a minimum of the loss, where the terms of the gradient cancel";
    } else if (sf_fades(track)) {
        verdict->kind = SF_LIMIT_ZERO;
        verdict->evidence = SF_EVIDENCE_MEASURED;
        verdict->reason = "not separable: beta falls steadily to 0 as log t grows";
    }
    return SF_OK;
}

/* The smallest and the largest margin of the separated examples at a mark. */
static sf_status separated_margins(const sf_track *track, const sf_candidate *candidate,
                                   const sf_track_mark *mark, double *least, double *most)
{
    const sf_dataset *data = sf_network_dataset(track->network);
    double *row = SF_ARRAY(track->context, track->d, double);
    if (!row)
        return SF_ERR_MEMORY;
    *least = INFINITY;
    *most = -INFINITY;
    for (size_t i = 0; i < sf_dataset_examples(data); i++) {
        double margin = 0.0;
        if (!candidate->separated[i])
            continue;
        sf_dataset_example(data, i, row);
        for (size_t j = 0; j < track->d; j++)
            margin += mark->beta[j] * row[j];
        *least = fmin(*least, margin);
        *most = fmax(*most, margin);
    }
    sf_free(track->context, row);
    return SF_OK;
}

/* Weakly separable: the examples that can be separated drive beta to infinity, along a direction on which the others have
 * margin 0. */
static sf_status judge_weak(const sf_track *track, const sf_candidate *candidate, sf_limit_verdict *verdict)
{
    bool descent = track->perturbation.method == SF_METHOD_GD || track->perturbation.rho == 0.0;
    bool proved = descent && track->depth == 1;
    double least[2] = {NAN, NAN}, most[2] = {NAN, NAN};
    const sf_track_mark *last = &track->marks[track->count - 1];
    verdict->reason = "weakly separable: the examples that can be separated were not seen to have late and "
                      "growing margins by the end of the run";
    for (int back = 0; back < 2 && track->count > 2; back++)
        SF_TRY(separated_margins(track, candidate, last - back, &least[back], &most[back]));
    if (!proved && !(most[0] >= SF_MARGIN_LATE && least[0] > least[1] && least[1] > 0.0))
        return SF_OK;
    if (!candidate->unique && !proved) {
        verdict->reason =
            "weakly separable: the max-margin direction of the examples that can be separated is not "
            "unique, so which one is reached depends on the start";
        return SF_OK;
    }
    if (!proved && !approaches(track, candidate)) {
        verdict->reason =
            "weakly separable: by the end of the run the direction was not seen to approach the "
            "max-margin direction of the examples that can be separated";
        return SF_OK;
    }
    memcpy(verdict->direction, candidate->direction, track->d * sizeof *verdict->direction);
    verdict->kind = SF_LIMIT_DIRECTION;
    verdict->index = candidate->index;
    verdict->evidence = proved ? SF_EVIDENCE_PROVED : SF_EVIDENCE_MEASURED;
    verdict->reason =
        proved
            ? "weakly separable: gradient descent, L = 1, diverges like log t along the l2-max-margin direction "
              "of the examples that can be separated and converges across it (Ji and Telgarsky 2019)"
            : "measured: weakly separable; beta grows along the max-margin direction of the examples that can be "
              "separated, and the error of the direction falls; the other examples have margin 0 on it";
    return SF_OK;
}

/* A direction that all others leave to one coordinate, steadily. */
static void judge_lone(const sf_track *track, sf_limit_verdict *verdict)
{
    const sf_track_mark *last = &track->marks[track->count - 1];
    size_t leader = 0;
    for (size_t j = 1; j < track->d; j++)
        if (last->log_beta[j] > last->log_beta[leader])
            leader = j;
    for (size_t j = 0; j < track->d; j++)
        for (int back = 0; back < 2 && j != leader && last->log_beta[j] > -INFINITY; back++) {
            const sf_track_mark *b = last - back, *a = b - 1;
            double now = b->log_beta[j] - b->log_beta[leader], then = a->log_beta[j] - a->log_beta[leader];
            if (!(now < log(SF_NEAR)) || !(now - then < -SF_STEADY * log(b->clock / a->clock)))
                return;
        }
    memset(verdict->direction, 0, track->d * sizeof *verdict->direction);
    verdict->direction[leader] = copysign(1.0, last->beta[leader]);
    verdict->kind = SF_LIMIT_BASIS;
    verdict->index = (int64_t)leader;
    verdict->evidence = SF_EVIDENCE_MEASURED;
    verdict->reason = "measured: one coordinate leaves all others behind at a steady rate; for L >= 3 no "
                      "theorem names the limit";
}

static const char *reason_of_approach(const sf_track *track, const sf_candidate *candidate, bool theorem)
{
    if (!theorem)
        return "measured: the loss falls and the error to the unique l1-max-margin direction falls as log t "
               "grows; no theorem "
               "names the limit of this method at this depth";
    if (candidate->constrained)
        return "Theorem 4.2: the loss tends to 0, and the error to the unique l1-max-margin direction among "
               "the signs that the "
               "layers can express falls as log t grows";
    return track->depth == 1 ? "the loss tends to 0, and the error to the unique l2-max-margin direction "
                               "falls as log t grows"
                             : "Theorem 4.2: the loss tends to 0, and the error to the unique l1-max-margin "
                               "direction falls as "
                               "log t grows";
}

sf_status sf_judge_many(const sf_track *track, const sf_candidate *candidate, sf_limit_verdict *verdict)
{
    sf_method method = track->perturbation.rho == 0.0 ? SF_METHOD_GD : track->perturbation.method;
    bool smooth = method == SF_METHOD_GD || method == SF_METHOD_L2,
         named = smooth || method == SF_METHOD_LINF;
    if (candidate->separability == SF_WEAKLY_SEPARABLE && candidate->separated)
        return judge_weak(track, candidate, verdict);
    if (candidate->separability != SF_SEPARABLE)
        return judge_point(track, candidate, verdict);
    bool proved = track->depth == 1 && named && candidate->strict;
    if (!proved) {
        verdict->reason =
            "by the end of the run the margins were not large, so the loss was not seen to tend to 0";
        if (sf_fades(track)) {
            verdict->kind = SF_LIMIT_ZERO;
            verdict->evidence = SF_EVIDENCE_MEASURED;
            verdict->reason = "measured: beta falls steadily to 0 as log t grows";
        }
        if (!is_late(track) || verdict->kind == SF_LIMIT_ZERO)
            return SF_OK;
        verdict->reason =
            candidate->unique
                ? "by the end of the run the direction was not seen to approach the max-margin direction"
                : "the max-margin direction is not unique, so which one is reached depends on the start";
        if (!candidate->unique || !approaches(track, candidate)) {
            if (track->depth > 2)
                judge_lone(track, verdict);
            return SF_OK;
        }
    }
    memcpy(verdict->direction, candidate->direction, track->d * sizeof *verdict->direction);
    bool theorem = track->depth == 1 ? named : track->depth == 2 && smooth;
    verdict->kind = SF_LIMIT_MAX_MARGIN;
    verdict->index = candidate->index;
    verdict->evidence = proved ? SF_EVIDENCE_PROVED : theorem ? SF_EVIDENCE_CERTIFIED : SF_EVIDENCE_MEASURED;
    verdict->reason = proved ? "Theorem 3.1: L = 1, the data are separable and every example on the margin "
                               "has a positive multiplier"
                             : reason_of_approach(track, candidate, theorem);
    return SF_OK;
}
