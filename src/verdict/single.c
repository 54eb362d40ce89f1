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
 * otherwise      by trend: over the last two factors e in log t every other coordinate loses against the leader at
 *                a rate that points to 0.
 */
#include "verdict/limit.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

/* Times or scales closer than this, relative, are not told apart. */
static const double CLOSE = 1e-9;
static const double EXACT_TIE = 1e-12;

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

static void set_basis(sf_verdict *verdict, size_t d, size_t index, double sign, const char *reason)
{
    memset(verdict->direction, 0, d * sizeof *verdict->direction);
    verdict->direction[index] = sign;
    verdict->kind = SF_LIMIT_BASIS;
    verdict->index = (int64_t)index;
    verdict->reason = reason;
}

/* The winner among the coordinates that run; several of the same speed share the limit. */
static void finish(const race *r, double tie, const char *reason, sf_verdict *verdict)
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
    verdict->reason = "a tie: several coordinates grow alike, so the limit is a mixture of basis vectors";
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
        *near = fabs(factor - 1.0) <= CLOSE;
    return status == SF_ERR_NUMERIC ? SF_OK : status;
}

static sf_status judge_modes(race *r, sf_verdict *verdict)
{
    const sf_track *track = r->track;
    double rho = track->perturbation.method == SF_METHOD_GD ? 0.0 : track->perturbation.rho;
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
        verdict->kind = SF_LIMIT_ZERO;
        verdict->reason = "no coordinate has a growing mode: beta decays to 0";
        return SF_OK;
    }
    if (rho > 0.0 && !(sqrt(n2) > rho * strongest))
        return SF_OK;
    finish(r, 0.0, "one example, L = 2: every growing mode grows for ever, the strongest feature fastest",
           verdict);
    return SF_OK;
}

/* ---- linf-SAM and blow-ups ------------------------------------------------------------------------------ */

static void judge_gates(race *r, sf_verdict *verdict)
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

static void judge_blow_up(race *r, sf_verdict *verdict)
{
    const sf_track *track = r->track;
    double rho = track->perturbation.method == SF_METHOD_GD ? 0.0 : track->perturbation.rho;
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
        if (r->runs[j] && 1.0 / r->speed[j] > first * (1.0 + EXACT_TIE))
            gap = fmin(gap, 1.0 / r->speed[j] / first - 1.0);
    if (gap <= CLOSE)
        verdict->reason = "two coordinates blow up within 1e-9 of each other: too close to call";
    else
        finish(r, EXACT_TIE,
               "one example, L >= 3: the coordinate that blows up first leaves the others behind", verdict);
}

/* ---- by trend ------------------------------------------------------------------------------------------- */

/* d (log |beta_j| - log |beta_leader|) / d log clock, between marks i - 1 and i. */
static double slope(const sf_track *track, size_t i, size_t j, size_t leader)
{
    const sf_mark *a = &track->marks[i - 1], *b = &track->marks[i];
    double now = b->log_beta[j] - b->log_beta[leader], then = a->log_beta[j] - a->log_beta[leader];
    return (now - then) / log(b->clock / a->clock);
}

static void judge_trend(const race *r, sf_verdict *verdict)
{
    const sf_track *track = r->track;
    if (track->count < 3)
        return;
    const sf_mark *last = &track->marks[track->count - 1];
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
    if (wins)
        verdict->reason =
            "one coordinate leaves the others behind at a steady rate as far as the run goes, but no "
            "theorem says that this lasts";
}

sf_status sf_judge_single(const sf_track *track, const double *mu, sf_verdict *verdict)
{
    sf_method method = track->perturbation.rho == 0.0 ? SF_METHOD_GD : track->perturbation.method;
    size_t d = track->d;
    double length = 0.0;
    for (size_t j = 0; j < d; j++)
        length = hypot(length, mu[j]);
    verdict->reason = "no coordinate has taken the lead for good by the end of the run";
    if (length == 0.0) {
        verdict->reason = "the example is 0: nothing moves";
        return SF_OK;
    }
    if (track->depth == 1) {
        for (size_t j = 0; j < d; j++)
            verdict->direction[j] = mu[j] / length;
        verdict->kind = SF_LIMIT_MAX_MARGIN;
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
            judge_trend(&r, verdict);
    }
    sf_free(track->context, r.runs);
    sf_free(track->context, r.speed);
    sf_free(track->context, r.share);
    return status;
}
