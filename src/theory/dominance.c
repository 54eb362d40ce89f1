/* The order of features over time.
 *
 * With nu_j = |mu_j| and start amplitudes p_j (growing) and q_j (shrinking),
 *     log |beta_j| = 2 nu_j (tau - nu_j B) + g_j(tau),   g_j = log |p_j^2 - q_j^2 e^{-4 nu_j tau}| / 4,
 * and g_j is constant for equal layers. Two facts about every trajectory keep the search finite. d log n / d tau =
 * (S_1 - S_2 / n) / S_0 with S_k = sum w lambda^k, and wherever that is 0 its derivative is a positive multiple of
 * sum w lambda^2 (n - lambda)^2: n has no maximum, it falls and then rises. And so does s = tau / B, the harmonic mean
 * of n over the time passed.
 *
 * One start for all (alpha * 1): |beta_j| > |beta_i|, nu_j > nu_i, exactly when s > nu_i + nu_j (theory, section 3), so
 * the leader goes down the sorted list while s falls and up while it rises: one sort, and one root for each change.
 *
 * Any start: divide and conquer in time. On a piece where n is monotone the curve (tau, B) lies in the triangle of
 * its end points and the crossing of its end tangents, and g_j lies between its end values unless beta_j changes
 * sign; so a feature that another one exceeds at the three corners, g at its worst, cannot lead there. Pieces are
 * halved until one feature is left, or two whose difference has one root.
 *
 * Features with the same |mu| and the same start are tied for ever: the smallest index stands for them. Among features
 * that start level the one that is ahead right afterwards leads from the start: the search begins where one is ahead by
 * more than SF_LEVEL. From there on a change needs a lead that is more than rounding.
 */
#include "theory/reduction.h"

#include "theory/clock.h"

#include <stdlib.h>

typedef struct feature {
    size_t index;
    double nu;
    sf_real p2, q2; // p^2 / 4, q^2 / 4
    bool constant;  // q = 0: g does not change
    sf_real g;      // its value then
} feature;

/* A place on the trajectory: x in a step, or, behind the last step, x = tau with B at rest. */
typedef struct place {
    size_t step;
    sf_real x, tau, b, log_n;
} place;

typedef struct finder {
    sf_reduction *r;
    sf_leader *list;
    size_t count, capacity;
    // the last change, from where the clock goes on
    size_t step;
    sf_real x, log_time;
} finder;

/* ---- places and times ------------------------------------------------------------------------------------ */

static place at(const finder *f, size_t step, sf_real x)
{
    const sf_reduction *r = f->r;
    place p = {.step = step, .x = x, .log_n = NAN};
    if (step == r->count) {
        p.tau = x;
        p.b = r->b;
        return p;
    }
    sf_step_at(&r->steps[step], x, &p.tau, &p.b);
    return p;
}

/* The same with log n, which takes a logarithm more. */
static place at_with_n(const finder *f, size_t step, sf_real x)
{
    place p = at(f, step, x);
    p.log_n = step == f->r->count ? INFINITY : sf_step_log_n(&f->r->steps[step], x);
    return p;
}

/* log t at a place; changes come in the order of time, so spans need not be summed again. */
static double time_at(finder *f, const place *p)
{
    sf_reduction *r = f->r;
    if (p->tau <= 0)
        return -INFINITY;
    if (p->step == r->count)
        return INFINITY; // beyond the range of a double, see reduction.c
    bool known = f->step == p->step && f->x <= p->x;
    f->log_time = sf_reduction_time_from(r, p->step, p->x, known ? f->x : 0, known ? f->log_time : NAN);
    f->step = p->step;
    f->x = p->x;
    return (double)(f->log_time - real_log((sf_real)r->modes.unit));
}

static double log_loss_at(const finder *f, const place *p)
{
    const sf_reduction *r = f->r;
    if (p->step == r->count)
        return NAN;
    return sf_loss_log(r->loss, (double)sf_polynomial(r->steps[p->step].plain_margin, p->x));
}

static sf_status append(finder *f, size_t index, const place *p)
{
    if (f->count > 0 && f->list[f->count - 1].index == index)
        return SF_OK;
    if (f->count == f->capacity) {
        size_t capacity = f->capacity ? 2 * f->capacity : 8;
        sf_leader *list = sf_resize(f->r->context, f->list, capacity, sizeof *list);
        if (!list)
            return SF_ERR_MEMORY;
        f->list = list;
        f->capacity = capacity;
    }
    f->list[f->count] = (sf_leader){.index = index,
                                    .tau = (double)(p->tau / f->r->modes.unit),
                                    .log_time = time_at(f, p),
                                    .log_loss = log_loss_at(f, p)};
    f->count++;
    return SF_OK;
}

/* ---- one start for all ----------------------------------------------------------------------------------- */

/* All start predictors that move are the same and the layers equal: tau / B alone orders the features. */
static bool starts_alike(const sf_reduction *r)
{
    for (size_t j = 0; j < r->d; j++)
        if (fabs(r->w1[j]) != fabs(r->w1[0]) || r->w1[j] == 0.0 ||
            r->w2[j] != (r->mu[j] < 0.0 ? -r->w1[j] : r->w1[j]))
            return false;
    return true;
}

typedef struct ranked {
    double nu;
    size_t index;
} ranked;

static int by_strength(const void *left, const void *right)
{
    const ranked *a = left, *b = right;
    if (a->nu != b->nu)
        return a->nu > b->nu ? 1 : -1;
    return (a->index > b->index) - (a->index < b->index);
}

/* Distinct strengths in the units of the modes, ascending; of equal ones the smallest index. */
static size_t rank(const sf_reduction *r, ranked *list)
{
    for (size_t j = 0; j < r->d; j++)
        list[j] = (ranked){fabs(r->mu[j]) / r->modes.unit, j};
    qsort(list, r->d, sizeof *list, by_strength);
    size_t kept = 0;
    for (size_t j = 0; j < r->d; j++)
        if (kept == 0 || list[kept - 1].nu != list[j].nu)
            list[kept++] = list[j];
    return kept;
}

/* Where tau = sum B between two places of one step; tau - sum B has opposite signs there. Newton's method from the
 * first place, kept between them. */
static place crossing(const finder *f, sf_real sum, const place *from, const place *to)
{
    const sf_step *step = &f->r->steps[from->step];
    sf_real low = from->x, high = to->x, s = step->strength;
    sf_real x = from->tau > 0 ? low : (low + high) / 2; // tau = B = 0 is a root of its own
    sf_real tau_share = 1 / s, b_share = sum / (s * s); // of x and of the other variable, or the reverse
    bool rising = to->tau - sum * to->b > 0;
    for (int i = 0; i < 100; i++) {
        sf_real tau, b, slope = sf_polynomial_slope(step->other, x);
        sf_step_at(step, x, &tau, &b);
        sf_real miss = tau - sum * b;
        sf_real rate = step->b_clock ? tau_share * slope - b_share : tau_share - b_share * slope;
        if ((miss > 0) == rising)
            high = x;
        else
            low = x;
        sf_real next = x - miss / rate;
        if (!(next > low && next < high))
            next = (low + high) / 2;
        sf_real change = real_abs(next - x);
        x = next;
        if (change <= (sf_real)1e-10 * step->radius && change <= (sf_real)1e-10 * real_abs(x) && i > 0 &&
            i < 20)
            break; // the next change is its square
        if (change <= REAL_EPSILON * real_abs(x))
            break;
    }
    return at(f, from->step, x);
}

/* tau / B falls exactly where n is below it. */
static bool falls(const place *p, sf_real start)
{
    sf_real s = p->tau > 0 ? p->tau / p->b : start;
    return p->log_n < real_log(s);
}

/* Where tau / B is smallest, inside a step at whose ends it falls and rises. */
static place lowest(const finder *f, const place *from, const place *to, sf_real start)
{
    sf_real low = from->x, high = to->x;
    for (int i = 0; i < 80 && high - low > REAL_EPSILON * high; i++) {
        sf_real x = (low + high) / 2;
        place p = at_with_n(f, from->step, x);
        if (falls(&p, start))
            low = x;
        else
            high = x;
    }
    return at(f, from->step, high);
}

/* Changes on a piece of a step over which tau / B is monotone. */
static sf_status follow(finder *f, const ranked *list, size_t kept, size_t *leader, place from, place to)
{
    for (;;) {
        sf_real up = *leader + 1 < kept ? (sf_real)list[*leader].nu + list[*leader + 1].nu : INFINITY;
        sf_real down = *leader > 0 ? (sf_real)list[*leader].nu + list[*leader - 1].nu : -INFINITY;
        bool rises = to.tau > up * to.b, sinks = to.tau < down * to.b;
        if (!rises && !sinks)
            return SF_OK;
        place p = to;
        if (to.step < f->r->count)
            p = crossing(f, rises ? up : down, &from, &to);
        else
            p.x = p.tau = up * p.b;
        *leader += rises ? 1 : (size_t)-1;
        SF_TRY(append(f, list[*leader].index, &p));
        from = p;
    }
}

static sf_status uniform(finder *f)
{
    sf_reduction *r = f->r;
    ranked *list = SF_ARRAY(r->context, r->d, ranked);
    if (!list)
        return SF_ERR_MEMORY;
    size_t kept = rank(r, list), leader = 0;
    sf_status status = SF_OK;
    // before the first step: tau / B = n(0), a tie goes to the side to which it moves
    sf_snapshot_take(&r->modes, 0, 0, 0, &r->snapshot);
    place origin = {.log_n = r->snapshot.log_n};
    sf_real start = real_exp(origin.log_n);
    bool falling = !r->modes.descent && r->snapshot.mean * start < r->snapshot.square, fell_first = falling;
    r->elsewhere = true;
    while (leader + 1 < kept) {
        sf_real sum = (sf_real)list[leader].nu + list[leader + 1].nu, gap = start - sum;
        bool tie = real_abs(gap) <= 4 * REAL_EPSILON * sum;
        if (!r->modes.descent && (tie ? falling : gap < 0))
            break;
        leader++;
    }
    status = append(f, list[leader].index, &origin);
    for (size_t k = 0; status == SF_OK && !r->modes.descent; k++) {
        // nothing can change any more once the strongest leads in a rise
        if (k == r->count && (r->end != SF_END_OPEN || (leader + 1 == kept && k > 0 && !falling)))
            break;
        if (k == r->count)
            status = sf_reduction_extend(r);
        if (status != SF_OK)
            break;
        place from = at_with_n(f, k, 0), to = at_with_n(f, k, r->steps[k].radius);
        falling = falls(&to, start);
        if (!falling && (k == 0 ? fell_first : falls(&from, start))) {
            place turn = lowest(f, &from, &to, start);
            status = follow(f, list, kept, &leader, from, turn);
            from = turn;
        }
        if (status == SF_OK)
            status = follow(f, list, kept, &leader, from, to);
    }
    if (status == SF_OK && r->end == SF_END_FROZEN && !r->modes.descent) {
        place from = at(f, r->count, r->tau), to = from;
        to.x = to.tau = INFINITY;
        status = follow(f, list, kept, &leader, from, to);
    }
    sf_free(r->context, list);
    return status;
}

/* ---- any start ------------------------------------------------------------------------------------------- */

static sf_real g_at(const feature *c, sf_real tau)
{
    if (c->constant)
        return c->g;
    return real_log(real_abs((c->p2 - c->q2) - c->q2 * real_expm1(-4 * c->nu * tau)));
}

/* The part of log |beta_i| - log |beta_k| that is linear in (tau, B): no difference of two large logarithms. */
static sf_real linear_lead(const feature *i, const feature *k, const place *p)
{
    return 2 * ((sf_real)i->nu - k->nu) * (p->tau - ((sf_real)i->nu + k->nu) * p->b);
}

static sf_real lead(const feature *i, const feature *k, const place *p)
{
    return linear_lead(i, k, p) + (g_at(i, p->tau) - g_at(k, p->tau));
}

/* What rounding may have done to a lead. */
static sf_real noise(const feature *i, const feature *k, const place *p)
{
    sf_real g = real_abs(g_at(i, p->tau)) + real_abs(g_at(k, p->tau));
    sf_real line = 2 * real_abs((sf_real)i->nu - k->nu) * (p->tau + ((sf_real)i->nu + k->nu) * p->b);
    return 16 * REAL_EPSILON * (line + (isfinite(g) ? g : 0));
}

/* Whether beta changes sign between two times: g has no lower bound there. */
static bool changes_sign(const feature *c, sf_real tau0, sf_real tau1)
{
    sf_real first = (c->p2 - c->q2) - c->q2 * real_expm1(-4 * c->nu * tau0);
    sf_real second = (c->p2 - c->q2) - c->q2 * real_expm1(-4 * c->nu * tau1);
    return !c->constant && !((first > 0) == (second > 0) && first != 0 && second != 0);
}

/* The candidate with the largest |beta| at a place, the first of those that are level. */
static size_t largest_at(const feature *list, size_t count, const place *p)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (lead(&list[i], &list[best], p) > 0)
            best = i;
    return best;
}

/* The third corner of the triangle around the curve: the crossing of the tangents, of slope dB/dtau = 1/n. */
static place corner(const place *from, const place *to)
{
    sf_real a = real_exp(-from->log_n), b = real_exp(-to->log_n);
    place p = *from;
    p.tau = (to->b - from->b + from->tau * a - to->tau * b) / (a - b);
    if (!(p.tau > from->tau && p.tau < to->tau)) // straight to rounding
        p.tau = (from->tau + to->tau) / 2;
    p.b = from->b + (p.tau - from->tau) * a;
    if (p.b > to->b)
        p.b = to->b;
    return p;
}

/* Whether j, at its best, nowhere exceeds i, at its worst, on the triangle; rounding counts for i. */
static bool is_beaten(const feature *i, const feature *j, const place corners[3])
{
    const place *from = &corners[0], *to = &corners[1];
    if (changes_sign(i, from->tau, to->tau))
        return false;
    sf_real first = g_at(j, from->tau), last = g_at(j, to->tau), most = first > last ? first : last;
    sf_real g0 = g_at(i, from->tau), g1 = g_at(i, to->tau), least = g0 < g1 ? g0 : g1;
    for (int k = 0; k < 3; k++)
        if (!(linear_lead(i, j, &corners[k]) + (least - most) >= -noise(i, j, &corners[k])))
            return false;
    return true;
}

/* Keeps the candidates that may lead somewhere on the piece. */
static size_t prune(const feature *list, size_t count, const place *from, const place *to, feature *kept)
{
    place corners[3] = {*from, *to, corner(from, to)};
    size_t strong[3], left = 0;
    for (int v = 0; v < 3; v++)
        strong[v] = largest_at(list, count, &corners[v]);
    for (size_t j = 0; j < count; j++) {
        bool beaten = false;
        for (int v = 0; v < 3 && !beaten; v++)
            beaten =
                strong[v] != SIZE_MAX && strong[v] != j && is_beaten(&list[strong[v]], &list[j], corners);
        for (int v = 0; v < 3 && beaten;
             v++) // who is out beats nobody, so that of two that are level one stays
            strong[v] = strong[v] == j ? SIZE_MAX : strong[v];
        if (!beaten)
            kept[left++] = list[j];
    }
    return left;
}

/* Where two features are equal, with opposite order at the two places of one step. */
static place meeting(const finder *f, const feature *i, const feature *k, place from, place to)
{
    for (int n = 0; n < 120 && to.x - from.x > REAL_EPSILON * to.x; n++) {
        place middle = at(f, from.step, (from.x + to.x) / 2);
        if (lead(i, k, &middle) > 0)
            from = middle;
        else
            to = middle;
    }
    return to;
}

/* A place between two places on which to halve; the beginning of a step if they are some steps apart. false if they
 * are too close. */
static bool halfway(const finder *f, const place *from, const place *to, place *middle)
{
    if (to->step > from->step) {
        *middle = at_with_n(f, from->step + (to->step - from->step + 1) / 2, 0);
        return true;
    }
    *middle = at_with_n(f, from->step, (from->x + to->x) / 2);
    return to->x - from->x > 4 * REAL_EPSILON * to->x;
}

static const feature *find(const feature *list, size_t count, size_t index)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].index == index)
            return &list[i];
    return NULL;
}

/* The change on a piece of one step with at most one: to whoever is ahead of the leader at its end by more than
 * rounding. A leader that is no candidate any more has lost its place at the beginning. */
static sf_status change_once(finder *f, const feature *kept, size_t left, const place *from, const place *to)
{
    const feature *now = find(kept, left, f->list[f->count - 1].index);
    const feature *next = &kept[largest_at(kept, left, now ? to : from)];
    if (!now)
        return append(f, next->index, from);
    if (!(lead(next, now, to) > noise(next, now, to)))
        return SF_OK;
    place p = meeting(f, now, next, *from, *to);
    return append(f, next->index, &p);
}

/* depth counts the halvings inside one step. */
static sf_status search(finder *f, const feature *list, size_t count, const place *from, const place *to,
                        int depth)
{
    enum { DEEP = 60, ALONE = 6 };
    sf_reduction *r = f->r;
    place middle, end = *to;
    if (end.step == from->step + 1 && end.x == 0 && from->step < r->count) { // the end of the same step
        end.step = from->step;
        end.x = r->steps[from->step].radius;
    }
    feature *kept = SF_ARRAY(r->context, count, feature);
    if (!kept)
        return SF_ERR_MEMORY;
    size_t left = prune(list, count, from, &end, kept);
    bool inside = end.step == from->step, more = left > 1 && halfway(f, from, &end, &middle) && depth < DEEP;
    const feature *now = find(kept, left, f->list[f->count - 1].index);
    bool one_root = inside && left == 2 && depth >= ALONE && now &&
                    lead(now == kept ? kept + 1 : kept, now, &end) > noise(kept, kept + 1, &end);
    sf_status status = SF_OK;
    if (!more || one_root) {
        status = change_once(f, kept, left, from, &end);
    } else {
        status = search(f, kept, left, from, &middle, depth + inside);
        if (status == SF_OK)
            status = search(f, kept, left, &middle, &end, depth + inside);
    }
    sf_free(r->context, kept);
    return status;
}

/* Inside a step at whose ends n falls and rises: where it is smallest. */
static place least_n(const finder *f, const place *from, const place *to)
{
    sf_real low = from->x, high = to->x;
    const sf_real *square = f->r->steps[from->step].square;
    for (int i = 0; i < 80 && high - low > REAL_EPSILON * high; i++) {
        sf_real x = (low + high) / 2;
        if (sf_polynomial_slope(square, x) < 0)
            low = x;
        else
            high = x;
    }
    return at_with_n(f, from->step, high);
}

static size_t collect(const sf_reduction *r, feature *list)
{
    size_t count = 0;
    for (size_t j = 0; j < r->d; j++) {
        sf_real other = r->mu[j] < 0.0 ? -(sf_real)r->w2[j] : (sf_real)r->w2[j];
        sf_real p = (sf_real)r->w1[j] + other, q = (sf_real)r->w1[j] - other;
        feature c = {.index = j, .nu = fabs(r->mu[j]) / r->modes.unit, .p2 = p * p / 4, .q2 = q * q / 4};
        if (c.nu == 0.0) { // it rests
            c.p2 = real_abs(c.p2 - c.q2);
            c.q2 = 0;
        }
        if (c.p2 == 0 && c.q2 > 0) { // only v moves: exp(-2 nu tau - 2 nu^2 B), the line of strength -nu
            c.nu = -c.nu;
            c.p2 = c.q2;
            c.q2 = 0;
        }
        c.constant = c.q2 == 0;
        c.g = real_log(c.p2);
        if (c.p2 > 0 || c.q2 > 0)
            list[count++] = c;
    }
    return count;
}

static int by_all(const void *left, const void *right)
{
    const feature *a = left, *b = right;
    if (a->nu != b->nu)
        return a->nu > b->nu ? 1 : -1;
    if (a->p2 != b->p2)
        return a->p2 > b->p2 ? 1 : -1;
    if (a->q2 != b->q2)
        return a->q2 > b->q2 ? 1 : -1;
    return (a->index > b->index) - (a->index < b->index);
}

static bool is_level(sf_real a, sf_real b)
{
    return real_abs(a - b) <= SF_LEVEL * (a > b ? a : b);
}

/* Of features with one strength and one start, which stay level for ever, the smallest index stays. */
static size_t drop_twins(size_t count, feature *list)
{
    qsort(list, count, sizeof *list, by_all);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        feature *last = kept ? &list[kept - 1] : NULL;
        if (!last || last->nu != list[i].nu || !is_level(last->p2, list[i].p2) ||
            !is_level(last->q2, list[i].q2))
            list[kept++] = list[i];
        else if (list[i].index < last->index)
            last->index = list[i].index;
    }
    return kept;
}

/* The first leader, and the place from which it is one: the earliest place, in halvings of the first step, at which some
 * feature is ahead of all others by more than SF_LEVEL. */
static size_t first_leader(const finder *f, const feature *list, size_t count, place *from)
{
    enum { HALVINGS = 60 };
    size_t best = 0;
    for (int m = HALVINGS; m >= 0; m--) {
        place p = at_with_n(f, 0, real_ldexp(f->r->steps[0].radius, -m));
        bool alone = true;
        best = largest_at(list, count, &p);
        for (size_t i = 0; i < count && alone; i++)
            alone = i == best || lead(&list[best], &list[i], &p) > SF_LEVEL;
        *from = p;
        if (alone)
            break;
    }
    return list[best].index;
}

/* All steps, cut where n turns. */
static sf_status search_steps(finder *f, const feature *list, size_t count)
{
    sf_reduction *r = f->r;
    place origin = at(f, 0, 0), from = at_with_n(f, 0, 0);
    SF_TRY(append(f, first_leader(f, list, count, &from), &origin));
    for (size_t k = 0; k < r->count; k++) {
        const sf_step *step = &r->steps[k];
        place end = at_with_n(f, k, step->radius);
        if (sf_polynomial_slope(step->square, 0) < 0 && sf_polynomial_slope(step->square, step->radius) > 0) {
            place start = k == from.step ? from : at_with_n(f, k, 0), turn = least_n(f, &start, &end);
            SF_TRY(search(f, list, count, &from, &turn, 0));
            from = turn;
        }
        if (k + 1 == r->count)
            SF_TRY(search(f, list, count, &from, &end, 0));
    }
    return SF_OK;
}

static sf_status general(finder *f)
{
    sf_reduction *r = f->r;
    feature *list = SF_ARRAY(r->context, r->d, feature);
    if (!list)
        return SF_ERR_MEMORY;
    size_t count = drop_twins(collect(r, list), list);
    sf_status status = SF_OK;
    while (status == SF_OK && r->end == SF_END_OPEN)
        status = sf_reduction_extend(r);
    if (status == SF_OK && count > 0)
        status = search_steps(f, list, count);
    if (status == SF_OK && count > 0 && r->end == SF_END_FROZEN) {
        // B rests: lines in tau; behind the last possible crossing the strongest leads
        sf_real gap = 1, spread = 0;
        for (size_t i = 0; i + 1 < count; i++) {
            sf_real step = (sf_real)list[i + 1].nu - list[i].nu, g = g_at(&list[i], r->tau);
            gap = step > 0 && step < gap ? step : gap;
            spread = real_abs(g) > spread && isfinite(g) ? real_abs(g) : spread;
        }
        place from = at(f, r->count, r->tau),
              to = at(f, r->count, 2 * r->tau + 2 * r->b + (2 * spread + 1) / gap);
        status = search(f, list, count, &from, &to, 0);
    }
    sf_free(r->context, list);
    return status;
}

/* All leaders from tau = 0 to the end of the trajectory, in order; *out is allocated from the context. */
static sf_status find_leaders(sf_reduction *reduction, sf_leader **out, size_t *count)
{
    finder f = {.r = reduction, .step = SIZE_MAX};
    *out = NULL;
    *count = 0;
    sf_status status = SF_OK;
    if (reduction->end != SF_END_STILL)
        status = starts_alike(reduction) ? uniform(&f) : general(&f);
    if (status != SF_OK) {
        sf_free(reduction->context, f.list);
        return status;
    }
    *out = f.list;
    *count = f.count;
    return SF_OK;
}

sf_status sf_reduction_dominance(sf_reduction *r, const sf_leader **leaders, size_t *count)
{
    if (!r->leaders)
        SF_TRY(find_leaders(r, &r->leaders, &r->leader_count));
    *leaders = r->leaders;
    *count = r->leader_count;
    return SF_OK;
}
