/* One example z = mu: what the state reached says about the limit (theory, sections 2 and 3).
 *
 * L = 1          w moves along mu: the direction converges to mu / ||mu||_2.
 * L = 2, GD, l2  u = w_1 + w_2, v = w_1 - w_2: u_j' = (mu_j - kappa mu_j^2) u_j, v_j' = -(mu_j + kappa mu_j^2) v_j, kappa = rho / n. The mode
 *                that mu_j favours (u for mu_j > 0, v for mu_j < 0) grows iff n > rho |mu_j|. If the favoured modes
 *                alone have n > rho max |mu_j|, they all grow, so this holds for ever, kappa is integrable, and the
 *                largest |mu_j| among those present wins. GD needs no such condition.
 * L = 2, linf    a coordinate past its gate, with |w_1|, |w_2| > rho and sign(w_1 w_2) = sign(mu_j), grows for ever
 *                like e^{|mu_j| tau}: the largest |mu_j| wins. Others do not matter unless their |mu_j| is as large.
 * L >= 3         equal layers, GD and linf: coordinates past their gate blow up after a further
 *                (|w_j| - rho)^{-(L-2)} / ((L-2) |mu_j|) of the rescaled clock: the first one wins.
 * L >= 3         any layers, every method with |eps| <= rho in each weight (all but USAM): a coordinate with all |w_l| > rho and the
 *                sign of mu_j blows up after (min |w_l| - rho)^{-(L-2)} / ((L-2) |mu_j|) at the latest, and any coordinate after
 *                (max |w_l| + rho)^{-(L-2)} / ((L-2) |mu_j|) at the earliest, since |w_l|' <= |mu_j| (max |w| + rho)^{L-1}.
 * GD, L >= 3     a coordinate never grows iff mu_j = 0, two of its layers are 0, or mu_j works against its sign and its two
 *                smallest layers are of one size (w_a^2 - w_b^2 is conserved): then it rests or falls to 0.
 * otherwise      by trend: over the last two factors e in log t every other coordinate loses against the leader at
 *                a rate that points to 0.
 */
#include "verdict/limit.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

typedef struct race {
    const sf_track *track;
    const double *mu;
    bool *runs;    // (d) coordinate grows for ever
    double *speed; // (d) of those: larger wins
    double *share; // (d) of beta among those of equal speed, up to a common factor
} race;

static double w(const race *r, const double *theta, int layer, size_t j)
{
    return theta[(size_t)layer * r->track->d + j];
}

static void set_basis(sf_limit_verdict *verdict, size_t d, size_t index, double sign, const char *reason)
{
    memset(verdict->direction, 0, d * sizeof *verdict->direction);
    verdict->direction[index] = sign;
    verdict->kind = SF_LIMIT_BASIS;
    verdict->evidence = SF_EVIDENCE_PROVED;
    verdict->index = (int64_t)index;
    verdict->reason = reason;
}

/* The winner among the coordinates that run; several of the same speed share the limit. */
static void finish(const race *r, double tie, const char *reason, sf_limit_verdict *verdict)
{
    size_t d = r->track->d, winner = SIZE_MAX, tied = 0;
    double sum = 0.0;
    for (size_t j = 0; j < d; j++)
        if (r->runs[j] && (winner == SIZE_MAX || r->speed[j] > r->speed[winner]))
            winner = j;
    if (winner == SIZE_MAX)
        return;
    for (size_t j = 0; j < d; j++) {
        bool in = r->runs[j] && r->speed[j] >= r->speed[winner] * (1.0 - tie);
        tied += in;
        sum += in ? r->share[j] : 0.0;
    }
    if (tied == 1) {
        set_basis(verdict, d, winner, copysign(1.0, r->mu[winner]), reason);
        return;
    }
    for (size_t j = 0; j < d; j++) {
        bool in = r->runs[j] && r->speed[j] >= r->speed[winner] * (1.0 - tie);
        verdict->direction[j] = in ? copysign(r->share[j] / sum, r->mu[j]) : 0.0;
    }
    verdict->kind = SF_LIMIT_DIRECTION;
    verdict->evidence = SF_EVIDENCE_PROVED;
    verdict->reason = "a tie: several coordinates grow alike, so the limit is a mixture of basis vectors";
}

/* Everything that moves comes to 0: what mu_j = 0 or two layers of 0 hold keeps its place. */
static void set_rest(const race *r, sf_limit_verdict *verdict, const char *reason)
{
    const sf_track *track = r->track;
    bool zero = true;
    for (size_t j = 0; j < track->d; j++) {
        double beta = r->mu[j] == 0.0 ? 1.0 : 0.0;
        for (int l = 0; l < track->depth; l++)
            beta *= w(r, track->start, l, j);
        verdict->direction[j] = beta;
        zero = zero && beta == 0.0;
    }
    verdict->kind = zero ? SF_LIMIT_ZERO : SF_LIMIT_POINT;
    verdict->evidence = SF_EVIDENCE_PROVED;
    verdict->reason = reason;
}

/* ---- L = 2, GD and l2-SAM ------------------------------------------------------------------------------- */

static double favoured(const race *r, const double *theta, size_t j)
{
    double a = w(r, theta, 0, j), b = w(r, theta, 1, j);
    return r->mu[j] > 0.0 ? a + b : a - b;
}

sf_status sf_near_critical(const sf_track *track, const double *mu, bool *near)
{
    double factor;
    *near = false;
    if (track->depth != 2 || track->perturbation.method != SF_METHOD_L2 || track->perturbation.rho == 0.0)
        return SF_OK;
    sf_status status = sf_critical_factor(track->context, track->d, mu, track->start, track->start + track->d,
                                          track->perturbation.rho, &factor);
    if (status == SF_OK)
        *near = fabs(factor - 1.0) <= SF_CLOSE;
    return status == SF_ERR_NUMERIC ? SF_OK : status;
}

static sf_status judge_modes(race *r, sf_limit_verdict *verdict)
{
    const sf_track *track = r->track;
    double rho = sf_perturbation_radius(&track->perturbation);
    double n2 = 0.0, strongest = 0.0;
    for (size_t j = 0; j < track->d; j++) {
        r->runs[j] = r->mu[j] != 0.0 && favoured(r, track->start, j) != 0.0;
        if (!r->runs[j])
            continue;
        double mode = favoured(r, track->theta, j);
        r->speed[j] = fabs(r->mu[j]);
        r->share[j] = mode * mode;
        n2 += 0.5 * r->mu[j] * r->mu[j] * mode * mode;
        strongest = fmax(strongest, r->speed[j]);
    }
    if (strongest == 0.0 && rho == 0.0) {
        set_rest(r, verdict, "no coordinate has a growing mode: what moves decays to 0");
        return SF_OK;
    }
    if (rho > 0.0 && !(sqrt(n2) > rho * strongest))
        return SF_OK;
    finish(r, 0.0, "one example, L = 2: every growing mode grows for ever, the strongest feature fastest",
           verdict);
    return SF_OK;
}

/* ---- linf-SAM and blow-ups ------------------------------------------------------------------------------ */

static void judge_gates(race *r, sf_limit_verdict *verdict)
{
    const sf_track *track = r->track;
    double rho = track->perturbation.rho, open = 0.0;
    for (size_t j = 0; j < track->d; j++) {
        double a = w(r, track->theta, 0, j), b = w(r, track->theta, 1, j);
        r->runs[j] = fabs(a) > rho && fabs(b) > rho && a * b * r->mu[j] > 0.0;
        r->speed[j] = fabs(r->mu[j]);
        r->share[j] = (0.5 * (fabs(a) + fabs(b)) - rho) * (0.5 * (fabs(a) + fabs(b)) - rho);
        bool settled = r->runs[j] || (fabs(a) <= rho && fabs(b) <= rho); // within the gate nothing escapes
        if (!settled)
            open = fmax(open, fabs(r->mu[j]));
    }
    double best = 0.0;
    for (size_t j = 0; j < track->d; j++)
        best = r->runs[j] ? fmax(best, r->speed[j]) : best;
    if (best > open)
        finish(r, 0.0, "one example, linf-SAM, L = 2: the strongest feature past its gate grows fastest",
               verdict);
}

static void judge_blow_up(race *r, sf_limit_verdict *verdict)
{
    const sf_track *track = r->track;
    double rho = sf_perturbation_radius(&track->perturbation);
    double power = track->depth - 2, tau = track->marks[track->count - 1].tau, first = INFINITY,
           gap = INFINITY;
    for (size_t j = 0; j < track->d; j++) {
        double weight = w(r, track->theta, 0, j);
        bool favoured_sign = track->depth % 2 ? weight * r->mu[j] > 0.0 : r->mu[j] > 0.0;
        r->runs[j] = favoured_sign && fabs(weight) > rho;
        if (!r->runs[j])
            continue;
        double left = pow(fabs(weight) - rho, -power) / (power * fabs(r->mu[j]));
        r->speed[j] = 1.0 / (tau + left);
        r->share[j] = pow(fabs(r->mu[j]), -track->depth / power);
        first = fmin(first, tau + left);
    }
    for (size_t j = 0; j < track->d; j++)
        if (r->runs[j] && 1.0 / r->speed[j] > first * (1.0 + SF_SAME))
            gap = fmin(gap, 1.0 / r->speed[j] / first - 1.0);
    if (gap <= SF_CLOSE)
        verdict->reason = "two coordinates blow up within 1e-9 of each other: too close to call";
    else
        finish(r, SF_SAME, "one example, L >= 3: the coordinate that blows up first leaves the others behind",
               verdict);
}

/* ---- by trend ------------------------------------------------------------------------------------------- */

/* d (log |beta_j| - log |beta_leader|) / d log clock, between marks i - 1 and i. */
static double slope(const sf_track *track, size_t i, size_t j, size_t leader)
{
    const sf_track_mark *a = &track->marks[i - 1], *b = &track->marks[i];
    double now = b->log_beta[j] - b->log_beta[leader], then = a->log_beta[j] - a->log_beta[leader];
    return (now - then) / log(b->clock / a->clock);
}

static void judge_trend(const race *r, sf_limit_verdict *verdict)
{
    const sf_track *track = r->track;
    if (track->count < 3)
        return;
    const sf_track_mark *last = &track->marks[track->count - 1];
    size_t leader = 0;
    for (size_t j = 1; j < track->d; j++)
        if (last->log_beta[j] > last->log_beta[leader])
            leader = j;
    double growth = last->log_beta[leader] - (last - 1)->log_beta[leader];
    bool wins = growth > 0.5 * log(last->clock / (last - 1)->clock) && r->mu[leader] != 0.0;
    for (size_t j = 0; j < track->d && wins; j++) {
        double ratio = last->log_beta[j] - last->log_beta[leader];
        if (j == leader || ratio == -INFINITY)
            continue;
        // L >= 3: the others freeze, so they lose like 1 / log t; L = 2: like (log t)^-(1 - mu_j / mu)
        double expected = track->depth >= 3 ? 0.5 : 0.5 * (1.0 - fabs(r->mu[j]) / fabs(r->mu[leader]));
        wins = expected > 0.0 && ratio < log(0.1) && slope(track, track->count - 1, j, leader) < -expected &&
               slope(track, track->count - 2, j, leader) < -expected;
    }
    if (!wins)
        return;
    set_basis(
        verdict, track->d, leader, copysign(1.0, last->beta[leader]),
        "measured: one coordinate leaves the others behind at a steady rate as far as the run goes, but no "
        "theorem says that this lasts");
    verdict->evidence = SF_EVIDENCE_MEASURED;
}

/* ---- L >= 3, layers of any sizes -------------------------------------------------------------------------- */

/* The smallest and the second smallest |w_l| of coordinate j, the largest, and the sign of beta_j. */
typedef struct extent {
    double least, second, most, sign;
} extent;

static extent extent_of(const race *r, const double *theta, size_t j)
{
    extent e = {INFINITY, INFINITY, 0.0, 1.0};
    for (int l = 0; l < r->track->depth; l++) {
        double value = w(r, theta, l, j), size = fabs(value);
        e.sign *= value < 0.0 ? -1.0 : value > 0.0 ? 1.0 : 0.0;
        e.second = fmin(e.second, fmax(e.least, size));
        e.least = fmin(e.least, size);
        e.most = fmax(e.most, size);
    }
    return e;
}

/* By the bounds on times of blow-up. */
static bool judge_race(const race *r, sf_limit_verdict *verdict)
{
    const sf_track *track = r->track;
    double rho = sf_perturbation_radius(&track->perturbation);
    double power = track->depth - 2, latest = INFINITY;
    size_t first = SIZE_MAX;
    for (size_t j = 0; j < track->d; j++) {
        extent e = extent_of(r, track->theta, j);
        if (!(e.least > rho && e.sign * r->mu[j] > 0.0))
            continue;
        double time = -power * log(e.least - rho) - log(fabs(r->mu[j]));
        if (time < latest) {
            latest = time;
            first = j;
        }
    }
    for (size_t j = 0; j < track->d; j++) {
        double most = extent_of(r, track->theta, j).most + rho;
        if (first == SIZE_MAX || (j != first && r->mu[j] != 0.0 &&
                                  !(-power * log(most) - log(fabs(r->mu[j])) > latest + SF_CLOSE)))
            return false;
    }
    set_basis(verdict, track->d, first, copysign(1.0, r->mu[first]),
              "one example, L >= 3: this coordinate is bound to blow up before any other one can, and leaves "
              "them behind");
    return true;
}

static bool judge_descent_to_rest(const race *r, sf_limit_verdict *verdict)
{
    const sf_track *track = r->track;
    for (size_t j = 0; j < track->d; j++) {
        extent e = extent_of(r, track->start, j);
        if (r->mu[j] != 0.0 && e.second > 0.0 && !(e.sign * r->mu[j] < 0.0 && e.least == e.second))
            return false;
    }
    set_rest(r, verdict, "one example, gradient descent: no coordinate can grow, what moves falls to 0");
    return true;
}

/* Everything that an example moves has moved, and for two factors e of log t nothing does any more. */
static void judge_still(const race *r, sf_limit_verdict *verdict)
{
    static const double MOVED = 1e-3, STILL = 1e-9;
    const sf_track *track = r->track;
    if (track->count < 3)
        return;
    const sf_track_mark *last = &track->marks[track->count - 1];
    bool zero = true;
    for (size_t j = 0; j < track->d; j++) {
        double start = 0.0;
        for (int l = 0; l < track->depth; l++)
            start += log(fabs(w(r, track->start, l, j)));
        bool rests = r->mu[j] == 0.0 || start == -INFINITY;
        if (!rests && (!(fabs(last->log_beta[j] - start) > MOVED) ||
                       !(fabs(last->log_beta[j] - last[-1].log_beta[j]) <= STILL) ||
                       !(fabs(last[-1].log_beta[j] - last[-2].log_beta[j]) <= STILL)))
            return;
        verdict->direction[j] = last->beta[j];
        zero = zero && last->beta[j] == 0.0;
    }
    verdict->kind = zero ? SF_LIMIT_ZERO : SF_LIMIT_POINT;
    verdict->evidence = SF_EVIDENCE_MEASURED;
    verdict->reason = "measured: beta has moved and come to a stop, for two factors e in log t";
}

/* L >= 3 and methods without a theorem. */
static void judge_other(const race *r, sf_method method, sf_limit_verdict *verdict)
{
    if (r->track->depth > 2 && method != SF_METHOD_USAM && judge_race(r, verdict))
        return;
    if (r->track->depth > 2 && method == SF_METHOD_GD && judge_descent_to_rest(r, verdict))
        return;
    judge_trend(r, verdict);
    if (verdict->kind == SF_LIMIT_UNKNOWN)
        judge_still(r, verdict);
}

sf_status sf_judge_single(const sf_track *track, const double *mu, sf_limit_verdict *verdict)
{
    sf_method method = track->perturbation.rho == 0.0 ? SF_METHOD_GD : track->perturbation.method;
    size_t d = track->d;
    double length = 0.0;
    for (size_t j = 0; j < d; j++)
        length = hypot(length, mu[j]);
    verdict->reason = "no coordinate has taken the lead for good by the end of the run";
    if (length == 0.0) {
        verdict->reason = "the example is 0: nothing moves";
        return SF_OK; // limit.c has it from theory
    }
    if (track->depth == 1) {
        for (size_t j = 0; j < d; j++)
            verdict->direction[j] = mu[j] / length;
        verdict->kind = SF_LIMIT_MAX_MARGIN;
        verdict->evidence = SF_EVIDENCE_PROVED;
        verdict->reason = "one example, L = 1: the weights move along the example";
        return SF_OK;
    }
    race r = {.track = track, .mu = mu};
    r.runs = sf_alloc_zero(track->context, d, sizeof *r.runs);
    r.speed = sf_alloc_zero(track->context, d, sizeof *r.speed);
    r.share = sf_alloc_zero(track->context, d, sizeof *r.share);
    sf_status status = r.runs && r.speed && r.share ? SF_OK : SF_ERR_MEMORY;
    if (status == SF_OK) {
        if (track->depth == 2 && (method == SF_METHOD_GD || method == SF_METHOD_L2))
            status = judge_modes(&r, verdict);
        else if (track->depth == 2 && method == SF_METHOD_LINF)
            judge_gates(&r, verdict);
        else if ((method == SF_METHOD_GD || method == SF_METHOD_LINF) &&
                 sf_equal_layers(track->depth, d, track->start))
            judge_blow_up(&r, verdict);
        else
            judge_other(&r, method, verdict);
        if (verdict->kind == SF_LIMIT_UNKNOWN && track->depth > 2)
            judge_other(&r, method, verdict);
    }
    sf_free(track->context, r.runs);
    sf_free(track->context, r.speed);
    sf_free(track->context, r.share);
    return status;
}
