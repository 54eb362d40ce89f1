/* The search for a limit: run, judge at every checkpoint, stop when there is nothing more to learn, measure. */
#include "verdict/limit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "sam/check.h"

static const double DEFAULT_LOG_TIME = 1e6, DEFAULT_LOG_TIME_SINGLE = 1e12, DEFAULT_TOLERANCE = 1e-6;
/* Several examples, flows without a derivative of their rates: beyond, the differences that stand for it are too coarse for
 * the margins, and the integrator's steps become small. */
static const double DEFAULT_LOG_TIME_ROUGH = 2e4;
/* Weakly separable data keep a loss above 0, so tau is of the size of t, and ends where doubles do, at log t near 700. */
static const double LOG_TIME_WEAK = 100.0;
/* Evaluations for data that are not separable, where the field of a normalized method is all but discontinuous in the end. */
static const uint64_t WORK_WITHOUT_MARGIN = 200000;
/* Examples whose margin is within this many times the error of the direction count as active, within these ends. */
static const double ACTIVE = 10.0, ACTIVE_LEAST = 1e-9, ACTIVE_MOST = 0.1;

struct sf_limit {
    sf_context *context;
    char reason[500], basis[500]; // of what was given up; of theory
    sf_limit_report report;
    double *direction, *reached; // (d)
};

typedef struct search {
    sf_context *context;
    sf_limit *limit;
    const sf_dataset *dataset;
    sf_limit_options options;
    sf_track track;
    sf_limit_verdict verdict;
    sf_candidate candidate; // of many examples
    bool has_candidate;
    double *mu;      // (d) the example, if there is one only
    sf_network *one; // of that example alone, where it stands in the data several times
    sf_dataset *one_example;
    sf_limit_verdict theory; // what holds from the start on
    bool near_critical;      // it starts too close to the critical scale to say what follows
} search;

/* The flow has ended. */
static sf_status judge_rest(search *s)
{
    const sf_track *t = &s->track;
    const sf_track_mark *last = &t->marks[t->count - 1];
    bool zero = last->log_norm == -INFINITY, collapsed = sf_flow_get_state(t->flow) == SF_FLOW_COLLAPSED,
         reason = true;
    if (!collapsed && !s->mu)
        SF_TRY(sf_has_reason_to_rest(t, &reason));
    if (!reason && s->has_candidate && s->candidate.separability == SF_WEAKLY_SEPARABLE)
        return sf_judge_many(t, &s->candidate, &s->verdict); // what drives it is beyond the range of doubles
    if (!reason) {
        s->verdict.reason = "the flow stands still where the terms of the gradient do not cancel: beyond the "
                            "range or the accuracy of "
                            "doubles";
        return SF_OK;
    }
    memcpy(s->verdict.direction, last->beta, t->d * sizeof *last->beta);
    s->verdict.kind = zero ? SF_LIMIT_ZERO : SF_LIMIT_POINT;
    s->verdict.evidence = collapsed ? SF_EVIDENCE_CERTIFIED : SF_EVIDENCE_MEASURED;
    s->verdict.reason = "the flow comes to rest at a finite point";
    if (zero)
        s->verdict.reason = "the flow reaches beta = 0 at a finite time and rests there";
    else if (collapsed)
        s->verdict.reason = "the flow reaches a point at a finite time and rests there: what moves is 0";
    return SF_OK;
}

/* What the run shows. */
static sf_status judge_run(search *s)
{
    s->verdict.kind = SF_LIMIT_UNKNOWN;
    s->verdict.evidence = SF_EVIDENCE_UNKNOWN;
    s->verdict.index = -1;
    if (s->near_critical) {
        s->verdict.reason = "the start is within 1e-9 of the critical scale, where growth and collapse part";
    } else if (s->track.lost) {
        const sf_track_mark *last = &s->track.marks[s->track.count - 1];
        char clock[64] = "where log t does not exist";
        if (!isnan(last->log_time))
            snprintf(clock, sizeof clock, "log t = %.10g", last->log_time);
        snprintf(s->limit->reason, sizeof s->limit->reason,
                 "the integration was given up at tau = %.10g, %s: %s", last->tau, clock, s->track.message);
        s->verdict.reason = s->limit->reason;
    } else if (s->track.at_rest) {
        return judge_rest(s);
    } else if (s->mu) {
        return sf_judge_single(&s->track, s->mu, &s->verdict);
    } else if (s->has_candidate) {
        return sf_judge_many(&s->track, &s->candidate, &s->verdict);
    } else {
        s->verdict.reason = "no max-margin direction to compare with could be computed";
    }
    return SF_OK;
}

static bool same_limit(const sf_limit_verdict *a, const sf_limit_verdict *b)
{
    return a->kind == b->kind && a->index == b->index;
}

/* What is not known, and that the run ended for want of work. */
static void tell_spent(search *s)
{
    const sf_track_mark *last = &s->track.marks[s->track.count - 1];
    if (!s->track.spent || s->verdict.kind != SF_LIMIT_UNKNOWN || s->verdict.reason == s->limit->reason)
        return;
    snprintf(s->limit->reason, sizeof s->limit->reason,
             "%s; the run ended at log t = %.6g, after %llu evaluations", s->verdict.reason, last->log_time,
             (unsigned long long)s->track.work);
    s->verdict.reason = s->limit->reason;
}

/* What theory says holds, unless the run proves something else. */
static sf_status judge(search *s)
{
    SF_TRY(judge_run(s));
    tell_spent(s);
    if (s->theory.kind == SF_LIMIT_UNKNOWN || s->near_critical)
        return SF_OK;
    if (s->verdict.evidence >= SF_EVIDENCE_CERTIFIED && !same_limit(&s->verdict, &s->theory)) {
        s->verdict.kind = SF_LIMIT_UNKNOWN;
        s->verdict.evidence = SF_EVIDENCE_UNKNOWN;
        s->verdict.index = -1;
        s->verdict.reason =
            "theory and the run do not agree, so one of them is at fault: please report this experiment";
        return SF_OK;
    }
    s->verdict.kind = s->theory.kind;
    s->verdict.evidence = s->theory.evidence;
    s->verdict.index = s->theory.index;
    s->verdict.reason = s->theory.reason;
    memcpy(s->verdict.direction, s->theory.direction, s->track.d * sizeof *s->theory.direction);
    return SF_OK;
}

/* One example: the limit by theory from the start, if it has one. */
static sf_status ask_theory(search *s, sf_network *network, const sf_perturbation *perturbation,
                            const double *theta)
{
    size_t d = sf_network_features(network);
    const double *direction;
    s->theory.direction = sf_alloc_zero(s->context, d, sizeof *s->theory.direction);
    if (!s->theory.direction)
        return SF_ERR_MEMORY;
    if (!s->mu)
        return SF_OK;
    sf_prediction *prediction = NULL;
    sf_status status = sf_predict(s->context, network, perturbation, theta, &prediction);
    if (status != SF_OK)
        return status == SF_ERR_NUMERIC ? SF_OK : status;
    s->theory.kind = sf_prediction_limit(prediction, &s->theory.index, &direction, NULL, NULL);
    s->theory.evidence = sf_prediction_evidence(prediction);
    if (direction)
        memcpy(s->theory.direction, direction, d * sizeof *direction);
    snprintf(s->limit->basis, sizeof s->limit->basis, "%s", sf_prediction_basis(prediction, SF_FIELD_LIMIT));
    s->theory.reason = s->limit->basis;
    sf_prediction_destroy(&prediction);
    return SF_OK;
}

/* How far the direction reached is from the limit, if that is known. */
static double distance(const search *s)
{
    const sf_track *t = &s->track;
    sf_limit_kind kind = s->verdict.kind;
    if (kind != SF_LIMIT_BASIS && kind != SF_LIMIT_MAX_MARGIN && kind != SF_LIMIT_DIRECTION)
        return NAN;
    return sf_direction_distance(t->norm, t->d, t->marks[t->count - 1].direction, s->verdict.direction);
}

/* Whether beta is at the point named. */
static bool stands_at(const search *s)
{
    const sf_track *t = &s->track;
    double high = 0.0, error = 0.0;
    for (size_t j = 0; j < t->d; j++) {
        high = fmax(high, fabs(s->verdict.direction[j]));
        error = fmax(error, fabs(t->marks[t->count - 1].beta[j] - s->verdict.direction[j]));
    }
    return error <= s->options.tolerance * high;
}

static sf_status run(search *s)
{
    if (s->has_candidate && s->candidate.separability == SF_WEAKLY_SEPARABLE)
        s->options.log_time = fmin(s->options.log_time, LOG_TIME_WEAK);
    int marks = (int)floor(log(s->options.log_time));
    for (int i = marks; i >= 0 && !s->track.ended; i--) {
        double log_time = s->options.log_time * exp(-(double)i);
        if (s->track.count && s->track.marks[s->track.count - 1].log_time >= log_time * (1.0 - 1e-9))
            continue; // a start with large margins: log t is large as soon as anything moves
        SF_TRY(sf_track_advance(&s->track, log_time));
        SF_TRY(judge(s));
        sf_progress(s->context, (double)(marks - i + 1) / (marks + 1), "direction at growing log t");
        if (s->verdict.kind == SF_LIMIT_ZERO && (s->track.at_rest || sf_fades(&s->track)))
            break; // also where beta only fades, which it does for ever
        if (s->verdict.kind == SF_LIMIT_POINT && stands_at(s))
            break;
        // settled means: what is there is the limit, and it no longer changes
        if (s->track.change <= s->options.tolerance && distance(s) <= ACTIVE * s->options.tolerance)
            break;
    }
    return SF_OK;
}

/* ---- measurements --------------------------------------------------------------------------------------- */

static sf_status angle_to(const search *s, sf_margin_options options, double *angle)
{
    sf_margin *margin = NULL;
    *angle = NAN;
    sf_status status = sf_margin_solve(s->context, s->dataset, &options, &margin);
    if (status == SF_OK && sf_margin_separable(margin))
        *angle = sf_direction_angle(s->track.d, s->limit->reached, sf_margin_direction(margin));
    sf_margin_destroy(&margin);
    return status == SF_ERR_NUMERIC || status == SF_ERR_UNAVAILABLE ? SF_OK : status;
}

static sf_status measure_margins(search *s)
{
    sf_limit_report *r = &s->limit->report;
    double error = isnan(r->distance) ? r->change : r->distance;
    double active = isnan(error) ? ACTIVE_LEAST : fmin(ACTIVE_MOST, fmax(ACTIVE_LEAST, ACTIVE * error));
    SF_TRY(angle_to(s, (sf_margin_options){SF_NORM_L1, false}, &r->angle_l1));
    SF_TRY(angle_to(s, (sf_margin_options){SF_NORM_L2, false}, &r->angle_l2));
    if (r->nonnegative)
        SF_TRY(angle_to(s, (sf_margin_options){SF_NORM_L1, true}, &r->angle_nonnegative));
    sf_margin_options options = {r->norm, r->nonnegative};
    SF_TRY(
        sf_margin_residual_of(s->context, s->dataset, &options, s->limit->reached, active, &r->kkt_residual));
    if (isinf(r->kkt_residual))
        r->kkt_residual = NAN; // the direction does not separate the data
    return SF_OK;
}

static void measure_rates(const search *s)
{
    sf_limit_report *r = &s->limit->report;
    const sf_track *t = &s->track;
    if (t->count < 2)
        return;
    const sf_track_mark *b = &t->marks[t->count - 1], *a = b - 1;
    double span = b->log_time - a->log_time;
    if (span > 0.0) {
        r->loss_rate = (b->log_loss - a->log_loss) / span;
        r->norm_rate = (exp(b->log_norm) - exp(a->log_norm)) / span;
    }
    if (isnan(r->distance))
        return;
    double before = sf_direction_distance(t->norm, t->d, a->direction, s->verdict.direction);
    if (r->distance > 0.0 && before > 0.0) {
        r->rate_exponent = log(before / r->distance) / log(b->clock / a->clock);
        r->rate_constant = r->distance * pow(b->clock, r->rate_exponent);
    }
}

static sf_status report(search *s)
{
    sf_limit_report *r = &s->limit->report;
    const sf_track *t = &s->track;
    const sf_track_mark *last = &t->marks[t->count - 1];
    memcpy(s->limit->reached, last->direction, t->d * sizeof *last->direction);
    bool known = !isnan(distance(s)) || s->verdict.kind == SF_LIMIT_POINT;
    memcpy(s->limit->direction, known ? s->verdict.direction : last->direction,
           t->d * sizeof *last->direction);
    *r = (sf_limit_report){.kind = s->verdict.kind,
                           .evidence = s->verdict.evidence,
                           .index = s->verdict.index,
                           .norm = t->norm,
                           .nonnegative = t->depth % 2 == 0 && sf_equal_layers(t->depth, t->d, t->start),
                           .tau = last->tau,
                           .log_time = last->log_time,
                           .change = t->change,
                           .distance = distance(s),
                           .angle_l1 = NAN,
                           .angle_l2 = NAN,
                           .angle_nonnegative = NAN,
                           .kkt_residual = NAN,
                           .rate_exponent = NAN,
                           .rate_constant = NAN,
                           .loss_rate = NAN,
                           .norm_rate = NAN,
                           .weak = s->candidate.separability == SF_WEAKLY_SEPARABLE,
                           .reason = s->verdict.reason};
    if (s->verdict.kind == SF_LIMIT_ZERO) { // no direction, so none of what follows
        r->change = NAN;
        return SF_OK;
    }
    measure_rates(s);
    r->direction = s->limit->direction;
    r->reached = s->limit->reached;
    return last->log_norm == -INFINITY ? SF_OK : measure_margins(s);
}

/* ---- the call ------------------------------------------------------------------------------------------- */

static bool is_rough(const sf_network *network, const sf_perturbation *perturbation)
{
    bool l2 = perturbation->method == SF_METHOD_L2 || perturbation->method == SF_METHOD_USAM;
    return perturbation->rho > 0.0 &&
           (perturbation->method == SF_METHOD_LP || (l2 && sf_network_depth(network) > 2));
}

static sf_status prepare(search *s, sf_network *network, const sf_perturbation *perturbation,
                         const double *theta)
{
    size_t d = sf_network_features(network);
    SF_TRY(sf_single_example(s->context, s->dataset, &s->mu));
    bool single = s->mu != NULL;
    if (s->options.log_time == 0.0)
        s->options.log_time = single                            ? DEFAULT_LOG_TIME_SINGLE
                              : is_rough(network, perturbation) ? DEFAULT_LOG_TIME_ROUGH
                                                                : DEFAULT_LOG_TIME;
    if (s->options.tolerance == 0.0)
        s->options.tolerance = DEFAULT_TOLERANCE;
    if (!(s->options.log_time >= 1.0) || !isfinite(s->options.log_time))
        return sf_fail(s->context, SF_ERR_ARGUMENT, "log_time is %g, expected a finite number >= 1",
                       s->options.log_time);
    if (!(s->options.tolerance > 0.0))
        return sf_fail(s->context, SF_ERR_ARGUMENT, "tolerance is %g, expected a number > 0",
                       s->options.tolerance);
    s->verdict.direction = SF_ARRAY(s->context, d, double);
    s->limit->direction = SF_ARRAY(s->context, d, double);
    s->limit->reached = SF_ARRAY(s->context, d, double);
    if (!s->verdict.direction || !s->limit->direction || !s->limit->reached)
        return SF_ERR_MEMORY;
    SF_TRY(ask_theory(s, network, perturbation, theta));
    if (single)
        return SF_OK;
    sf_norm norm = sf_network_depth(network) == 1 ? SF_NORM_L2 : SF_NORM_L1;
    sf_status status =
        sf_candidate_find(s->context, s->dataset, sf_network_depth(network), theta, norm, &s->candidate);
    s->has_candidate = status == SF_OK;
    return status == SF_ERR_NUMERIC || status == SF_ERR_UNAVAILABLE ? SF_OK : status;
}

static sf_status single_network(search *s, const sf_network *network)
{
    SF_TRY(sf_dataset_from_points(s->context, 1, sf_network_features(network), s->mu, NULL, &s->one_example));
    return sf_network_create(s->context, s->one_example, sf_network_depth(network), sf_network_loss(network),
                             &s->one);
}

sf_status sf_limit_find(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                        const double *theta, const sf_limit_options *options, sf_limit **out)
{
    SF_OUT(context, out);
    SF_TRY(sf_check_run(context, network, perturbation, theta));
    search s = {.context = context, .dataset = sf_network_dataset(network)};
    if (options)
        SF_TRY(SF_TAKE(context, sf_limit_options, &s.options, options));
    sf_limit *limit = s.limit = SF_NEW(context, sf_limit);
    if (!limit)
        return SF_ERR_MEMORY;
    limit->context = context;
    sf_status status = prepare(&s, network, perturbation, theta);
    if (status == SF_OK) {
        if (s.mu && sf_dataset_examples(s.dataset) > 1)
            status = single_network(&s, network);
        if (status == SF_OK)
            status = sf_track_create(context, s.one ? s.one : network, perturbation, theta,
                                     s.options.flow_tolerance, &s.track);
        if (status == SF_OK && s.has_candidate && s.candidate.separability != SF_SEPARABLE)
            s.track.work = WORK_WITHOUT_MARGIN;
        if (status == SF_OK && s.mu)
            status = sf_near_critical(&s.track, s.mu, &s.near_critical);
        if (status == SF_OK)
            status = run(&s);
        if (status == SF_OK)
            status = report(&s);
        sf_track_release(&s.track);
    }
    sf_candidate_release(context, &s.candidate);
    sf_free(context, s.verdict.direction);
    sf_free(context, s.theory.direction);
    sf_network_destroy(&s.one);
    sf_dataset_destroy(&s.one_example);
    sf_free(context, s.mu);
    if (status != SF_OK)
        sf_limit_destroy(&limit);
    *out = limit;
    return status;
}

void sf_limit_destroy(sf_limit **limit)
{
    if (!limit || !*limit)
        return;
    sf_context *context = (*limit)->context;
    sf_free(context, (*limit)->direction);
    sf_free(context, (*limit)->reached);
    sf_free(context, *limit);
    *limit = NULL;
}

const sf_limit_report *sf_limit_get(const sf_limit *limit)
{
    return &limit->report;
}
