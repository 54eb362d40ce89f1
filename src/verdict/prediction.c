/* What theory says of one experiment: which result applies, and what follows from it.
 *
 *   L = 1                            max-margin direction in the l2 norm (Theorem 3.1)
 *   N = 1, l2-SAM or GD, L = 2       the exact reduction (theory, section 3)
 *   N = 1, linf-SAM or GD            gates (Theorem 3.2, Corollary 3.5; theory, section 2.3)
 *   N > 1, l2-SAM or GD, L = 2       Theorem 4.2, conditional
 * Everything else: no answer, with the reason.
 */
#include <math.h>
#include <string.h>

#include <samflow/verdict.h>

#include "base/base.h"
#include "sam/check.h"
#include "theory/critical.h"
#include "theory/gates.h"
#include "theory/reduction.h"
#include "verdict/limit.h"
#include "verdict/regime.h"

enum { PATH_POINTS = 33 };

/* Closer to the critical scale than this, relative, the fate is not called. */
static const double CLOSE_CALL = 1e-9;

struct sf_prediction {
    sf_context *context;
    size_t d;
    sf_regime regime;
    double critical_scale, critical_factor, spotlight, collapse_tau, collapse_log_time, tau_max;
    sf_leader *leaders;
    size_t leader_count;
    sf_spotlight *path;
    size_t path_count;
    sf_peak peak;
    bool has_peak;
    sf_thresholds thresholds;
    sf_gate *gates;    // (d) or NULL
    double *direction; // (d)
    bool has_direction;
    sf_limit_kind limit;
    int64_t index;
    const char *norm;
    bool nonnegative;
    sf_evidence evidence;
    const char *basis[SF_FIELD_COUNT];
};

typedef struct setting {
    size_t n, d;
    int depth;
    sf_method method; // GD, L2, LINF; LP and USAM have no theory
    double rho;
    sf_loss loss;
    double *mu; // (d) the only example, if n = 1
    const double *theta;
} setting;

/* ---- names ----------------------------------------------------------------------------------------------- */

const char *sf_evidence_name(sf_evidence evidence)
{
    static const char *const name[] = {"unknown", "measured", "certified", "proved"};
    return (size_t)evidence < sizeof name / sizeof name[0] ? name[evidence] : NULL;
}

const char *sf_regime_name(sf_regime regime)
{
    static const char *const name[] = {NULL, "collapse", "minor_first", "major_first"};
    return (size_t)regime < sizeof name / sizeof name[0] ? name[regime] : NULL;
}

/* ---- the reduction ----------------------------------------------------------------------------------------- */

static void set_all(sf_prediction *p, const char *reason)
{
    for (int i = 0; i < SF_FIELD_COUNT; i++)
        p->basis[i] = reason;
}

/* Equal layers, one size of weight: the start is alpha * 1 up to signs that the flow keeps. */
static bool is_scale(const setting *s, double *alpha)
{
    *alpha = fabs(s->theta[0]);
    for (size_t j = 0; j < s->d; j++)
        if (s->theta[j] != s->theta[s->d + j] || fabs(s->theta[j]) != *alpha || !(s->mu[j] > 0.0))
            return false;
    return *alpha > 0.0;
}

static double largest(size_t n, const double *x)
{
    double high = 0.0;
    for (size_t i = 0; i < n; i++)
        high = fmax(high, fabs(x[i]));
    return high;
}

static void set_thresholds(sf_prediction *p, const setting *s)
{
    double alpha, weakest = INFINITY, strongest = 0.0, second = 0.0;
    if (!is_scale(s, &alpha) || s->rho == 0.0)
        return;
    for (size_t j = 0; j < s->d; j++) {
        weakest = fmin(weakest, s->mu[j]);
        strongest = fmax(strongest, s->mu[j]);
    }
    double sum = 0.0;
    for (size_t j = 0; j < s->d; j++) {
        sum += (s->mu[j] / strongest) * (s->mu[j] / strongest);
        if (s->mu[j] < strongest)
            second = fmax(second, s->mu[j]);
    }
    double unit = s->rho / sqrt(2.0 * sum);
    p->thresholds.collapse_below = unit * (weakest / strongest);
    p->thresholds.growth_above = unit;
    p->thresholds.major_first_from = second > 0.0 ? unit * (1.0 + second / strongest) : NAN;
}

static sf_status set_critical(sf_prediction *p, const setting *s)
{
    if (s->rho == 0.0) {
        p->basis[SF_FIELD_CRITICAL_SCALE] =
            "gradient descent has no critical scale: it never collapses in finite time";
        return SF_OK;
    }
    SF_TRY(
        sf_critical_factor(p->context, s->d, s->mu, s->theta, s->theta + s->d, s->rho, &p->critical_factor));
    if (isnan(p->critical_factor)) {
        p->basis[SF_FIELD_CRITICAL_SCALE] = "no coordinate has a growing part (u_j = w_1 + w_2 where mu_j > "
                                            "0, v_j where mu_j < 0): every scale collapses";
        return SF_OK;
    }
    p->critical_scale = p->critical_factor * largest(2 * s->d, s->theta);
    p->basis[SF_FIELD_CRITICAL_SCALE] = "exact reduction (theory, section 3): the scale (largest |weight|) "
                                        "in this direction of start whose flow tends to "
                                        "a saddle, certified by flows on both sides";
    return SF_OK;
}

static bool at_rest(const setting *s)
{
    for (size_t j = 0; j < s->d; j++)
        if (s->mu[j] != 0.0 && (s->theta[j] != 0.0 || s->theta[s->d + j] != 0.0))
            return false;
    return true;
}

/* Twice the growing part of coordinate j: u where mu > 0, v where mu < 0; 0 where mu = 0. */
static double growing_part(const setting *s, size_t j)
{
    double mu = s->mu[j], w1 = s->theta[j], w2 = s->theta[s->d + j];
    return mu == 0.0 ? 0.0 : mu < 0.0 ? w1 - w2 : w1 + w2;
}

/* Weakest and strongest among the features with a growing part; SIZE_MAX if there are none. */
static void extremes(const setting *s, size_t *weakest, size_t *strongest)
{
    *weakest = *strongest = SIZE_MAX;
    for (size_t j = 0; j < s->d; j++) {
        double nu = fabs(s->mu[j]);
        if (growing_part(s, j) == 0.0)
            continue;
        if (*weakest == SIZE_MAX || nu < fabs(s->mu[*weakest]))
            *weakest = j;
        if (*strongest == SIZE_MAX || nu > fabs(s->mu[*strongest]))
            *strongest = j;
    }
}

/* Growth: B tends to a limit, so the strongest coordinate with a growing part wins. */
static void limit_of_growth(sf_prediction *p, const setting *s)
{
    double top = 0.0;
    size_t winners = 0;
    for (size_t j = 0; j < s->d; j++)
        if (growing_part(s, j) != 0.0)
            top = fmax(top, fabs(s->mu[j]));
    for (size_t j = 0; j < s->d; j++) {
        double amplitude = growing_part(s, j);
        bool wins = amplitude != 0.0 && fabs(s->mu[j]) == top;
        p->direction[j] = wins ? amplitude : 0.0;
        winners += wins;
        if (wins)
            p->index = (int64_t)j;
    }
    double high = largest(s->d, p->direction), sum = 0.0;
    for (size_t j = 0; j < s->d; j++) {
        double ratio = p->direction[j] / high;
        p->direction[j] = copysign(ratio * ratio, s->mu[j]) * (ratio != 0.0);
        sum += ratio * ratio;
    }
    for (size_t j = 0; j < s->d; j++)
        p->direction[j] /= sum;
    p->norm = "l1";
    p->has_direction = true;
    p->limit = winners == 1 ? SF_LIMIT_BASIS : SF_LIMIT_DIRECTION;
    if (winners > 1)
        p->index = -1;
    p->basis[SF_FIELD_LIMIT] =
        winners == 1
            ? "exact reduction: B tends to a limit, so beta_j ~ p_j(0)^2 exp(2 |mu_j| tau): the strongest "
              "feature "
              "with a growing part (Theorem 4.2 without its condition)"
            : "exact reduction: features of the same, largest strength keep their ratio p_j(0)^2 for ever";
}

/* What does not move keeps its predictor; all else is 0. */
static void limit_of_collapse(sf_prediction *p, const setting *s)
{
    bool zero = true;
    for (size_t j = 0; j < s->d; j++) {
        p->direction[j] = s->mu[j] == 0.0 ? s->theta[j] * s->theta[s->d + j] : 0.0;
        zero = zero && p->direction[j] == 0.0;
    }
    p->limit = zero ? SF_LIMIT_ZERO : SF_LIMIT_POINT;
    p->has_direction = !zero;
    p->basis[SF_FIELD_LIMIT] =
        zero ? "exact reduction: n reaches 0 and theta rests at 0 from then on"
             : "exact reduction: collapse of all coordinates with mu_j != 0; the others rest";
}

static sf_status set_path(sf_prediction *p, sf_reduction *r, double end)
{
    p->path = SF_ARRAY(p->context, PATH_POINTS, sf_spotlight);
    if (!p->path)
        return SF_ERR_MEMORY;
    for (int i = 0; i < PATH_POINTS; i++) {
        sf_reduction_point point;
        SF_TRY(sf_reduction_at_tau(r, end * i / (PATH_POINTS - 1), &point));
        if (point.collapsed)
            break;
        p->path[p->path_count++] = (sf_spotlight){point.tau, point.log_time,
                                                  i == 0 ? p->spotlight / 2.0 : point.tau / (2.0 * point.b),
                                                  1.0 / sqrt(2.0 * point.b)};
    }
    return SF_OK;
}

static sf_status set_order(sf_prediction *p, sf_reduction *r)
{
    const sf_leader *leaders;
    SF_TRY(sf_reduction_dominance(r, &leaders, &p->leader_count));
    p->leaders = SF_ARRAY(p->context, p->leader_count, sf_leader);
    if (!p->leaders)
        return SF_ERR_MEMORY;
    if (p->leader_count > 0)
        memcpy(p->leaders, leaders, p->leader_count * sizeof *leaders);
    p->basis[SF_FIELD_DOMINANCE] =
        "exact reduction: coordinates ordered by 2 |mu_j| tau - 2 mu_j^2 B + log of the start "
        "(alpha * 1: by tau / B); ties of equal |mu_j| and start: the smallest index";
    return SF_OK;
}

/* The regime that the order of features makes, if it grows. */
static sf_status regime_of_order(const sf_prediction *p, const setting *s, sf_regime *regime)
{
    double *strength = SF_ARRAY(p->context, s->d, double);
    bool *grows = SF_ARRAY(p->context, s->d, bool);
    size_t *leader = SF_ARRAY(p->context, p->leader_count, size_t);
    sf_status status = strength && grows && leader ? SF_OK : SF_ERR_MEMORY;
    for (size_t j = 0; status == SF_OK && j < s->d; j++) {
        strength[j] = fabs(s->mu[j]);
        grows[j] = growing_part(s, j) != 0.0;
    }
    for (size_t i = 0; status == SF_OK && i < p->leader_count; i++)
        leader[i] = p->leaders[i].index;
    if (status == SF_OK)
        *regime = sf_regime_of_leaders(s->d, strength, grows, p->leader_count, leader);
    sf_free(p->context, strength);
    sf_free(p->context, grows);
    sf_free(p->context, leader);
    return status;
}

static void set_regime(sf_prediction *p, const setting *s, bool collapses, size_t strongest,
                       sf_regime regime_of_growth)
{
    if (s->rho > 0.0 && fabs(p->critical_factor - 1.0) <= CLOSE_CALL) {
        p->basis[SF_FIELD_REGIME] = p->basis[SF_FIELD_LIMIT] = p->basis[SF_FIELD_DOMINANCE] =
            p->basis[SF_FIELD_PEAK_RATIO] = p->basis[SF_FIELD_COLLAPSE] =
                "the start is within 1e-9 (relative) of the critical scale: collapse or growth is too close "
                "to call";
        return;
    }
    if (collapses) {
        p->regime = SF_REGIME_COLLAPSE;
        p->basis[SF_FIELD_REGIME] =
            "exact reduction: the start is below the critical scale, n reaches 0 at a finite tau";
        return;
    }
    if (strongest == SIZE_MAX)
        return; // gradient descent without a growing part, see below
    p->regime = regime_of_growth;
    bool from_start = p->regime == SF_REGIME_MAJOR_FIRST;
    p->basis[SF_FIELD_REGIME] =
        from_start ? "exact reduction: beta grows, a feature of the largest strength leads at all times"
                   : "exact reduction: beta grows, a weaker feature leads before the strongest one does";
}

/* The end of what is worth showing: the collapse, the last change of leader and half as much again, or e^3 of
 * growth. */
static double horizon(const sf_prediction *p, const setting *s, size_t strongest)
{
    if (isfinite(p->collapse_tau))
        return p->collapse_tau;
    double last = p->leader_count > 0 ? p->leaders[p->leader_count - 1].tau : 0.0;
    return last > 0.0 ? 1.5 * last : 3.0 / fabs(s->mu[strongest]);
}

static sf_status answers(sf_prediction *p, const setting *s, sf_reduction *r)
{
    bool collapses;
    double tau, log_time;
    size_t weakest, strongest;
    sf_reduction_point start;
    extremes(s, &weakest, &strongest);
    SF_TRY(set_critical(p, s));
    set_thresholds(p, s);
    SF_TRY(sf_reduction_at_tau(r, 0.0, &start));
    bool close = s->rho > 0.0 && fabs(p->critical_factor - 1.0) <= CLOSE_CALL;
    if (s->rho > 0.0) {
        p->spotlight = exp(start.log_n) / s->rho;
        p->basis[SF_FIELD_SPOTLIGHT] =
            "exact reduction: tau / B -> n(0) / rho; the window over |mu| is centred at half of it";
    } else {
        p->basis[SF_FIELD_SPOTLIGHT] = "gradient descent: B = 0, there is no window";
    }
    if (close) {
        set_regime(p, s, false, strongest, SF_REGIME_NONE);
        return SF_OK;
    }
    SF_TRY(sf_reduction_fate(r, &collapses, &tau, &log_time));
    SF_TRY(set_order(p, r));
    sf_regime regime;
    SF_TRY(regime_of_order(p, s, &regime));
    set_regime(p, s, collapses, strongest, regime);
    if (collapses) {
        p->collapse_tau = tau;
        p->collapse_log_time = log_time;
        limit_of_collapse(p, s);
        p->basis[SF_FIELD_COLLAPSE] = "exact reduction: where n reaches 0";
    } else {
        p->basis[SF_FIELD_COLLAPSE] = "the flow does not collapse";
        if (strongest != SIZE_MAX) {
            limit_of_growth(p, s);
        } else { // gradient descent along the stable manifold of 0
            limit_of_collapse(p, s);
            p->regime = SF_REGIME_NONE;
            p->basis[SF_FIELD_REGIME] =
                "no coordinate has a growing part: gradient descent tends to 0 in infinite time";
            p->basis[SF_FIELD_LIMIT] = "exact reduction with B = 0: no coordinate has a growing part";
        }
    }
    if (weakest == strongest || fabs(s->mu[weakest]) == fabs(s->mu[strongest])) {
        p->basis[SF_FIELD_PEAK_RATIO] = "all features that can grow have one strength: none is minor";
    } else {
        SF_TRY(sf_reduction_peak(r, weakest, strongest, &p->peak));
        p->has_peak = !isnan(p->peak.log_ratio);
        p->basis[SF_FIELD_PEAK_RATIO] =
            !p->has_peak ? "the layers of the weakest or the strongest feature are unequal: their predictors "
                           "may pass 0"
            : collapses  ? "exact reduction: the strongest feature dies first, the ratio grows without bound"
                         : "exact reduction: largest at n = rho (|mu_i| + |mu_j|) where n rises through it, "
                           "or at the start";
    }
    return s->rho > 0.0 ? set_path(p, r, horizon(p, s, strongest)) : SF_OK;
}

static sf_status by_reduction(sf_prediction *p, const setting *s)
{
    p->basis[SF_FIELD_GATES] =
        "coordinates of l2-SAM are coupled through ||grad||; gates are for linf-SAM and GD";
    if (at_rest(s)) {
        set_all(p, "the gradient is 0 at the start: nothing moves");
        limit_of_collapse(p, s);
        p->basis[SF_FIELD_LIMIT] = "the gradient is 0 at the start: nothing moves";
        return SF_OK;
    }
    sf_reduction *r = NULL;
    sf_status status =
        sf_reduction_create(p->context, s->d, s->mu, s->theta, s->theta + s->d, s->rho, s->loss, &r);
    if (status == SF_OK)
        status = answers(p, s, r);
    sf_reduction_destroy(&r);
    return status;
}

/* ---- gates ------------------------------------------------------------------------------------------------- */

/* When all coordinates have come to 0. */
static sf_status collapse_of_gates(sf_prediction *p, const setting *s)
{
    enum { MOST_COORDINATES = 2000 }; // the time is a sum over moments of a sum over coordinates
    p->basis[SF_FIELD_COLLAPSE] = "not every coordinate reaches 0 at a known finite tau";
    if (isnan(p->collapse_tau))
        return SF_OK;
    p->basis[SF_FIELD_COLLAPSE] =
        "Theorem 3.2: the last coordinate reaches 0; log t is not summed over more than 2000 "
        "coordinates";
    if (s->d > MOST_COORDINATES)
        return SF_OK;
    double *work = SF_ARRAY(p->context, 3 * s->d, double);
    if (!work)
        return SF_ERR_MEMORY;
    p->collapse_log_time =
        sf_gates_log_time(s->d, s->depth, s->mu, s->theta, s->rho, s->loss, p->gates, p->collapse_tau, work);
    p->basis[SF_FIELD_COLLAPSE] =
        isnan(p->collapse_log_time)
            ? "Theorem 3.2: the last coordinate reaches 0; log t does not exist, since from where two "
              "unequal layers "
              "rest at 0 it depends on the phases of their chatter"
            : "Theorem 3.2: the last coordinate reaches 0; log t by quadrature of the closed forms";
    sf_free(p->context, work);
    return SF_OK;
}

static sf_status by_gates(sf_prediction *p, const setting *s, bool limit_too)
{
    sf_gates_result result;
    p->gates = SF_ARRAY(p->context, s->d, sf_gate);
    double *direction = SF_ARRAY(p->context, s->d, double);
    if (!p->gates || !direction) {
        sf_free(p->context, direction);
        return SF_ERR_MEMORY;
    }
    sf_gates(s->d, s->depth, s->mu, s->theta, s->rho, p->gates, direction, &result);
    p->basis[SF_FIELD_GATES] = result.gates_basis;
    if (!result.has_gates) {
        sf_free(p->context, p->gates);
        p->gates = NULL;
    }
    if (limit_too) {
        memcpy(p->direction, direction, s->d * sizeof *direction);
        p->limit = result.kind;
        p->has_direction = result.kind != SF_LIMIT_UNKNOWN && result.kind != SF_LIMIT_ZERO;
        p->index = result.index;
        p->norm = result.norm;
        p->basis[SF_FIELD_LIMIT] = result.basis;
        p->tau_max = result.tau_max;
        p->collapse_tau = result.zero_tau;
    }
    sf_free(p->context, direction);
    return limit_too ? collapse_of_gates(p, s) : SF_OK;
}

/* ---- one example or many ------------------------------------------------------------------------------------- */

static bool layers_equal(const setting *s)
{
    for (int l = 1; l < s->depth; l++)
        for (size_t j = 0; j < s->d; j++)
            if (s->theta[(size_t)l * s->d + j] != s->theta[j])
                return false;
    return true;
}

/* Depth 1: w' = mu for one example, whatever the perturbation. */
static void by_margin_one(sf_prediction *p, const setting *s)
{
    set_all(p, "depth 1: the gradient does not depend on the start, there are no regimes");
    p->limit = SF_LIMIT_MAX_MARGIN;
    p->norm = "l2";
    if (s->n > 1) {
        p->basis[SF_FIELD_LIMIT] =
            "Theorem 3.1: the l2-max-margin direction, for almost every separable data set";
        return;
    }
    double high = largest(s->d, s->mu), sum = 0.0;
    if (high == 0.0) {
        memcpy(p->direction, s->theta, s->d * sizeof *p->direction);
        p->limit = SF_LIMIT_POINT;
        p->has_direction = true;
        p->norm = NULL;
        p->basis[SF_FIELD_LIMIT] = "the example is 0: nothing moves";
        return;
    }
    for (size_t j = 0; j < s->d; j++)
        sum += (s->mu[j] / high) * (s->mu[j] / high);
    for (size_t j = 0; j < s->d; j++)
        p->direction[j] = s->mu[j] / high / sqrt(sum);
    p->has_direction = true;
    p->basis[SF_FIELD_LIMIT] =
        "Theorem 3.1; for one example w moves along mu, which is its max-margin direction";
}

/* GD at L = 2 is a mirror flow of a convex loss: F tends to its infimum over the signs that the layers can express, which
 * is 0 where they separate, and then the direction converges (Ji and Telgarsky 2020, homogeneous networks). */
static const char *basis_of_many(const sf_prediction *p, const setting *s)
{
    if (s->method == SF_METHOD_GD)
        return p->nonnegative
                   ? "Theorem 4.2; gradient descent brings the loss to 0 and its direction converges; equal "
                     "layers keep "
                     "beta >= 0, so it is the l1-max-margin direction among beta >= 0 (theory, section 5)"
                   : "Theorem 4.2: the l1-max-margin direction; gradient descent brings the loss to 0 and "
                     "its "
                     "direction converges";
    return p->nonnegative ? "Theorem 4.2, if the loss tends to 0 and the direction converges, which only a "
                            "run can show (samflow limit): "
                            "a collapse ends at 0; equal layers keep beta >= 0, so it is the l1-max-margin "
                            "direction among beta >= 0 "
                            "(theory, section 5)"
                          : "Theorem 4.2: the l1-max-margin direction, if the loss tends to 0 and the "
                            "direction converges, which only a "
                            "run can show (samflow limit): a collapse ends at 0";
}

static sf_status by_examples(sf_prediction *p, const setting *s)
{
    set_all(p, "regimes, critical scale and order of features are known for one example (N = 1) only");
    if (s->depth == 2 && (s->method == SF_METHOD_L2 || s->method == SF_METHOD_GD)) {
        p->limit = SF_LIMIT_MAX_MARGIN;
        p->norm = "l1";
        p->nonnegative = layers_equal(s);
        p->basis[SF_FIELD_LIMIT] = basis_of_many(p, s);
    } else {
        p->basis[SF_FIELD_LIMIT] =
            s->depth > 2 ? "depth >= 3 with many examples: only stationary points of ||beta||_(2/L) are "
                           "known, which does not single out a direction"
                         : "linf-SAM at depth 2 with many examples: no theorem";
    }
    return SF_OK;
}

static sf_status decide(sf_prediction *p, const setting *s)
{
    if (s->method == SF_METHOD_LP || s->method == SF_METHOD_USAM) {
        set_all(p, s->method == SF_METHOD_LP ? "lp-SAM: no theorem for 1 < p < infinity other than p = 2"
                                             : "unnormalized SAM: no theorem");
        return SF_OK;
    }
    if (s->depth == 1) {
        by_margin_one(p, s);
        return SF_OK;
    }
    if (s->n > 1)
        return by_examples(p, s);
    if (s->depth == 2 && s->method != SF_METHOD_LINF) {
        SF_TRY(by_reduction(p, s));
        return s->method == SF_METHOD_GD ? by_gates(p, s, false) : SF_OK;
    }
    if (s->method == SF_METHOD_L2) {
        set_all(p, "l2-SAM at depth >= 3: the reduction is for depth 2, no theorem beyond it");
        return SF_OK;
    }
    set_all(p, "regimes, critical scale and order of features come from the reduction of l2-SAM at depth 2");
    return by_gates(p, s, true);
}

/* Methods that coincide: rho = 0 is gradient descent, lp-SAM with p = 2 is l2-SAM. */
/* All examples are the same one: their flow is that of one example. */
static bool is_single(const sf_dataset *data, size_t d, double *first, double *other)
{
    sf_dataset_example(data, 0, first);
    for (size_t i = 1; i < sf_dataset_examples(data); i++) {
        sf_dataset_example(data, i, other);
        for (size_t j = 0; j < d; j++)
            if (first[j] != other[j])
                return false;
    }
    return true;
}

sf_status sf_single_example(sf_context *context, const sf_dataset *data, double **mu)
{
    size_t d = sf_dataset_features(data);
    double *other = SF_ARRAY(context, d, double);
    *mu = SF_ARRAY(context, d, double);
    sf_status status = *mu && other ? SF_OK : SF_ERR_MEMORY;
    if (status != SF_OK || !is_single(data, d, *mu, other)) {
        sf_free(context, *mu);
        *mu = NULL;
    }
    sf_free(context, other);
    return status;
}

static sf_status describe(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                          const double *theta, setting *s)
{
    SF_TRY(sf_check_run(context, network, perturbation, theta));
    const sf_dataset *data = sf_network_dataset(network);
    *s = (setting){.n = sf_dataset_examples(data),
                   .d = sf_network_features(network),
                   .depth = sf_network_depth(network),
                   .method = perturbation->method,
                   .rho = sf_perturbation_radius(perturbation),
                   .loss = sf_network_loss(network),
                   .theta = theta};
    if (s->rho == 0.0)
        s->method = SF_METHOD_GD;
    else if (s->method == SF_METHOD_LP && perturbation->p == 2.0)
        s->method = SF_METHOD_L2;
    SF_TRY(sf_single_example(context, data, &s->mu));
    s->n = s->mu ? 1 : s->n;
    return SF_OK;
}

/* Two layers: whether the problem named is that of the signs that they can express, beta >= 0 or all. */
static bool signs_are_known(const sf_prediction *p, const setting *s)
{
    for (size_t j = 0; j < s->d; j++) {
        double u = s->theta[j] + s->theta[s->d + j], v = s->theta[j] - s->theta[s->d + j];
        if (u == 0.0 || (!p->nonnegative && v == 0.0))
            return false;
    }
    return true;
}

sf_status sf_predict(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                     const double *theta, sf_prediction **out)
{
    setting s;
    SF_OUT(context, out);
    SF_TRY(describe(context, network, perturbation, theta, &s));
    sf_status status = SF_ERR_MEMORY;
    sf_prediction *p = SF_NEW(context, sf_prediction);
    if (p) {
        *p = (sf_prediction){.context = context,
                             .d = s.d,
                             .critical_scale = NAN,
                             .critical_factor = NAN,
                             .spotlight = NAN,
                             .collapse_tau = NAN,
                             .collapse_log_time = NAN,
                             .tau_max = NAN,
                             .thresholds = {NAN, NAN, NAN},
                             .index = -1};
        p->direction = SF_ARRAY(context, s.d, double);
        if (p->direction)
            status = decide(p, &s);
        bool descent = s.depth == 2 && s.method == SF_METHOD_GD && signs_are_known(p, &s);
        if (p->limit != SF_LIMIT_UNKNOWN && (s.n == 1 || s.depth == 1 || descent))
            p->evidence = SF_EVIDENCE_PROVED;
    }
    sf_free(context, s.mu);
    if (status != SF_OK) {
        sf_prediction_destroy(&p);
        return status;
    }
    *out = p;
    return SF_OK;
}

void sf_prediction_destroy(sf_prediction **prediction)
{
    if (!prediction || !*prediction)
        return;
    sf_context *context = (*prediction)->context;
    sf_free(context, (*prediction)->leaders);
    sf_free(context, (*prediction)->path);
    sf_free(context, (*prediction)->gates);
    sf_free(context, (*prediction)->direction);
    sf_free(context, *prediction);
    *prediction = NULL;
}

/* ---- answers ----------------------------------------------------------------------------------------------- */

sf_regime sf_prediction_regime(const sf_prediction *p)
{
    return p->regime;
}

double sf_prediction_critical_scale(const sf_prediction *p)
{
    return p->critical_scale;
}

double sf_prediction_critical_factor(const sf_prediction *p)
{
    return p->critical_factor;
}

double sf_prediction_spotlight(const sf_prediction *p)
{
    return p->spotlight;
}

const sf_spotlight *sf_prediction_spotlight_path(const sf_prediction *p, size_t *count)
{
    *count = p->path_count;
    return p->path;
}

const sf_leader *sf_prediction_dominance(const sf_prediction *p, size_t *count)
{
    *count = p->leader_count;
    return p->leaders;
}

const sf_peak *sf_prediction_peak(const sf_prediction *p)
{
    return p->has_peak ? &p->peak : NULL;
}

double sf_prediction_collapse_tau(const sf_prediction *p)
{
    return p->collapse_tau;
}

double sf_prediction_collapse_log_time(const sf_prediction *p)
{
    return p->collapse_log_time;
}

double sf_prediction_tau_max(const sf_prediction *p)
{
    return p->tau_max;
}

sf_thresholds sf_prediction_thresholds(const sf_prediction *p)
{
    return p->thresholds;
}

const sf_gate *sf_prediction_gates(const sf_prediction *p)
{
    return p->gates;
}

sf_limit_kind sf_prediction_limit(const sf_prediction *p, int64_t *index, const double **direction,
                                  const char **norm, bool *nonnegative)
{
    if (index)
        *index = p->index;
    if (direction)
        *direction = p->has_direction ? p->direction : NULL;
    if (norm)
        *norm = p->norm;
    if (nonnegative)
        *nonnegative = p->nonnegative;
    return p->limit;
}

sf_evidence sf_prediction_evidence(const sf_prediction *p)
{
    return p->evidence;
}

const char *sf_prediction_basis(const sf_prediction *p, sf_answer_field field)
{
    const char *text = (size_t)field < SF_FIELD_COUNT ? p->basis[field] : NULL;
    return text ? text : "";
}
