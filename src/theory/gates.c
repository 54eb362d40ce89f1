/* linf-SAM (and GD, rho = 0) on one example mu: coordinates decouple in tau, and rho is a gate for each.
 *
 * Equal layers (Theorem 3.2). Depth 1: w' = mu. Depth L >= 2, with m = |mu|:
 *   even L: beta = y^L, y = |alpha|. mu > 0: y' = m (y - rho)^{L-1} until y = 0, where it slides.
 *           mu < 0: y' = -m (y + rho)^{L-1} until y = 0, where it slides; with rho = 0 it only tends to 0.
 *   odd L:  beta = sign(mu) y^L, y = sign(mu) alpha: y' = m (y - rho)^{L-1}, from negative y as well.
 * With z = y - rho: z = z_0 e^{m tau} for L = 2, |z|^{2-L} = |z_0|^{2-L} -+ (L - 2) m tau for L >= 3 (minus where |z|
 * grows). alpha = 0 rests: the gradient of its coordinate is 0.
 *
 * Limit (Corollary 3.5): L = 2: the largest mu_j among the growing; a tie is proportional to (alpha_j - rho)^2.
 * L >= 3: the first blow-up, tau_max, which is t = infinity; ties proportional to mu_j^{-L/(L-2)}; every other
 * coordinate is frozen where it stands at tau_max. If nothing grows beta itself converges.
 *
 * Unequal layers, L = 2, linf-SAM (theory, section 2.3), after mirroring mu > 0 and u = w_1 + w_2 >= 0: from w_2 >= 0,
 *   u' = mu (u - 2 rho), v' = -mu v: grows iff u > 2 rho, at u = 2 rho beta tends to rho^2;
 * from w_2 < 0, u' = mu u, v' = -mu (v + 2 rho) until u = v = u_e, u_e (u_e + 2 rho) = u_0 (v_0 + 2 rho), so it grows iff
 * u_0 (v_0 + 2 rho) > 8 rho^2. Growing: u - 2 rho = C e^{mu tau}, and a tie of mu is proportional to C^2.
 * Unequal layers at L >= 3 have no closed form here.
 */
#include "theory/gates.h"

#include <math.h>
#include <stdlib.h>

#include "base/base.h"

const char *sf_limit_kind_name(sf_limit_kind kind)
{
    static const char *const name[] = {NULL, "zero", "basis", "direction", "point", "max_margin"};
    return (size_t)kind < sizeof name / sizeof name[0] ? name[kind] : NULL;
}

const char *sf_gate_name(sf_gate_kind kind)
{
    static const char *const name[] = {NULL, "zero", "level", "constant", "grows", "blow_up"};
    return (size_t)kind < sizeof name / sizeof name[0] ? name[kind] : NULL;
}

// weights are decimals on their way through doubles: this close is equal
static const double EQUAL = 1e-14;

static bool nearly(double a, double b)
{
    return fabs(a - b) <= EQUAL * fmax(fabs(a), fabs(b));
}

/* ---- equal layers ---------------------------------------------------------------------------------------- */

typedef struct lane {
    double m, y, rho;
    int depth;
    bool sinks;  // even depth, mu < 0
    double sign; // of beta
} lane;

static lane make_lane(int depth, double mu, double alpha, double rho)
{
    lane c = {.m = fabs(mu), .rho = rho, .depth = depth, .sign = 1.0};
    if (depth % 2 == 0) {
        c.y = fabs(alpha);
        c.sinks = mu < 0.0;
    } else {
        c.y = mu < 0.0 ? -alpha : alpha;
        c.sign = mu < 0.0 ? -1.0 : 1.0;
    }
    return c;
}

/* y at tau, before any event. */
static double y_at(const lane *c, double tau)
{
    double z = c->sinks ? c->y + c->rho : c->y - c->rho, k = c->depth - 2;
    bool even = c->depth % 2 == 0, grows = even ? !c->sinks : z > 0.0;
    if (z == 0.0)
        return c->y;
    double size = c->depth == 2 ? fabs(z) * exp((grows ? 1.0 : -1.0) * c->m * tau)
                                : pow(pow(fabs(z), -k) - (grows ? k : -k) * c->m * tau, -1.0 / k);
    z = copysign(size, z);
    return c->sinks ? z - c->rho : z + c->rho;
}

/* The tau at which a lane that shrinks comes to y = 0. */
static double tau_zero(const lane *c)
{
    double k = c->depth - 2, rho = c->rho;
    if (c->sinks && c->depth == 2)
        return log1p(c->y / rho) / c->m;
    if (c->sinks)
        return (pow(rho, -k) - pow(c->y + rho, -k)) / (k * c->m);
    if (c->depth == 2)
        return -log1p(-c->y / rho) / c->m;
    return (pow(rho - c->y, -k) - pow(rho, -k)) / (k * c->m);
}

static sf_gate equal_gate(int depth, double mu, double alpha, double rho)
{
    sf_gate gate = {.kind = SF_GATE_CONSTANT, .tau = NAN, .rest = NAN, .level = pow(alpha, depth)};
    lane c = make_lane(depth, mu, alpha, rho);
    if (mu == 0.0 || (alpha == 0.0 && depth > 1))
        return gate;
    if (depth == 1) {
        gate.kind = SF_GATE_GROWS;
        gate.level = copysign(INFINITY, mu);
    } else if (!c.sinks && nearly(c.y, rho)) {
        gate.level = c.sign * pow(rho, depth);
    } else if (!c.sinks && c.y > rho) {
        gate.kind = depth == 2 ? SF_GATE_GROWS : SF_GATE_BLOW_UP;
        gate.level = c.sign * INFINITY;
        if (depth > 2)
            gate.tau = pow(c.y - rho, -(depth - 2.0)) / ((depth - 2.0) * c.m);
    } else if (depth % 2 == 0 && rho > 0.0) {
        gate.kind = SF_GATE_ZERO;
        gate.tau = gate.rest = tau_zero(&c);
        gate.level = 0.0;
    } else {
        gate.kind = SF_GATE_LEVEL;
        gate.level = depth % 2 == 0 ? 0.0 : c.sign * pow(rho, depth);
    }
    return gate;
}

static double final_beta(const sf_gate *gate, int depth, double mu, double alpha, double rho, double tau_max)
{
    lane c = make_lane(depth, mu, alpha, rho);
    if (gate->kind == SF_GATE_CONSTANT || isnan(tau_max) ||
        (gate->kind == SF_GATE_ZERO && gate->tau <= tau_max))
        return gate->level;
    if (gate->kind == SF_GATE_BLOW_UP && !(gate->tau > tau_max * (1.0 + 1e-13)))
        return gate->level;
    return c.sign * pow(y_at(&c, tau_max), depth);
}

/* ---- unequal layers, depth 2, linf-SAM --------------------------------------------------------------------- */

/* From the quadrant (+,+), u < 2 rho, at time `from`: the smaller weight comes to 0 where u = v, at E = e^{m tau} with
 * (2 rho - u) E^2 - 2 rho E + v = 0, and slides there; the larger one has rho - sqrt(rho^2 - v (2 rho - u)) left,
 * of which it loses m rho a unit of tau. */
static void sink(double m, double u, double v, double rho, double from, sf_gate *gate)
{
    double gap = 2.0 * rho - u, root = sqrt(fmax(0.0, rho * rho - v * gap));
    gate->tau = from + log((rho + root) / gap) / m;
    gate->rest = gate->tau + v * gap / (rho + root) / (rho * m);
}

/* *amplitude: C, where the coordinate grows. */
static sf_gate unequal_gate(double mu, double w1, double w2, double rho, double *amplitude)
{
    sf_gate gate = {.kind = SF_GATE_ZERO, .tau = NAN, .rest = NAN, .level = 0.0};
    double sign = mu < 0.0 ? -1.0 : 1.0, m = fabs(mu), high, low, u, v;
    if (mu == 0.0 || (w1 == 0.0 && w2 == 0.0)) {
        gate.kind = SF_GATE_CONSTANT;
        gate.level = w1 * w2;
        return gate;
    }
    w2 *= sign;
    high = w1 > w2 ? w1 : w2;
    low = w1 > w2 ? w2 : w1;
    if (high + low < 0.0) { // the negative of both
        double swap = high;
        high = -low;
        low = -swap;
    }
    u = high + low;
    v = high - low;
    if (low >= 0.0) {
        *amplitude = u - 2.0 * rho;
        if (nearly(u, 2.0 * rho)) {
            gate.kind = nearly(high, low) ? SF_GATE_CONSTANT : SF_GATE_LEVEL;
            gate.level = sign * rho * rho;
        } else if (*amplitude > 0.0) {
            gate.kind = SF_GATE_GROWS;
        } else {
            sink(m, u, v, rho, 0.0, &gate);
        }
    } else {
        // from (+,-) to u = v = end
        double product = u * (v + 2.0 * rho), end = product / (rho + sqrt(rho * rho + product));
        if (nearly(product, 8.0 * rho * rho))
            gate.kind = SF_GATE_UNKNOWN;
        else if (end > 2.0 * rho)
            gate.kind = SF_GATE_GROWS;
        else if (u == 0.0) // both come to 0 together
            gate.tau = gate.rest = log1p(v / (2.0 * rho)) / m;
        else
            sink(m, end, end, rho, log(end / u) / m, &gate);
        *amplitude = (end - 2.0 * rho) * (u / end);
    }
    if (gate.kind == SF_GATE_GROWS)
        gate.level = sign * INFINITY;
    else if (gate.kind == SF_GATE_UNKNOWN)
        gate.level = NAN;
    return gate;
}

/* ---- limits ---------------------------------------------------------------------------------------------- */

static void scale_l1(size_t d, double *x)
{
    double sum = 0.0;
    for (size_t j = 0; j < d; j++)
        sum += fabs(x[j]);
    for (size_t j = 0; j < d; j++)
        x[j] /= sum;
}

/* direction holds the weights of the winners, 0 elsewhere. */
static void conclude(size_t d, double *direction, sf_gates_result *result)
{
    size_t winners = 0;
    for (size_t j = 0; j < d; j++)
        if (direction[j] != 0.0) {
            winners++;
            result->index = (int64_t)j;
        }
    scale_l1(d, direction);
    result->norm = "l1";
    result->kind = winners == 1 ? SF_LIMIT_BASIS : SF_LIMIT_DIRECTION;
    if (winners > 1)
        result->index = -1;
}

/* Nothing grows: beta converges to the levels. */
static void settle(size_t d, const sf_gate *gate, double *direction, sf_gates_result *result)
{
    bool zero = true;
    double last = 0.0;
    for (size_t j = 0; j < d; j++) {
        direction[j] = gate[j].level;
        zero = zero && gate[j].level == 0.0;
        double rest = gate[j].kind == SF_GATE_CONSTANT ? 0.0 : gate[j].rest;
        last = rest > last || isnan(rest) ? rest : last; // NaN stays
    }
    result->kind = zero ? SF_LIMIT_ZERO : SF_LIMIT_POINT;
    result->zero_tau = zero && last > 0.0 ? last : NAN;
}

static bool is_growing(const sf_gate *gate)
{
    return gate->kind == SF_GATE_GROWS || gate->kind == SF_GATE_BLOW_UP;
}

/* Depth 2: the largest mu among the growing; ties weighed by amplitude^2. */
static void limit_two(size_t d, const double *mu, const sf_gate *gate, double *direction,
                      sf_gates_result *result)
{
    double top = 0.0, open = 0.0;
    for (size_t j = 0; j < d; j++) {
        if (gate[j].kind == SF_GATE_GROWS)
            top = fmax(top, fabs(mu[j]));
        else if (gate[j].kind == SF_GATE_UNKNOWN)
            open = fmax(open, fabs(mu[j]));
    }
    if (open > 0.0 && open >= top) {
        result->kind = SF_LIMIT_UNKNOWN;
        result->basis =
            "a coordinate starts on the boundary between growth and 0 (theory 2.3, unequal layers: "
            "u (v + 2 rho) = 8 rho^2), where the statement decides nothing";
        return;
    }
    for (size_t j = 0; j < d; j++)
        direction[j] = gate[j].kind == SF_GATE_GROWS && nearly(fabs(mu[j]), top)
                           ? copysign(direction[j] * direction[j], gate[j].level)
                           : 0.0;
    conclude(d, direction, result);
}

/* Depth >= 3: the first blow-up. */
static void limit_deep(size_t d, int depth, const double *mu, const sf_gate *gate, double *direction,
                       sf_gates_result *result)
{
    double least = INFINITY;
    for (size_t j = 0; j < d; j++)
        if (gate[j].kind == SF_GATE_BLOW_UP)
            least = fmin(least, fabs(mu[j]));
    for (size_t j = 0; j < d; j++) {
        direction[j] = 0.0;
        if (gate[j].kind == SF_GATE_BLOW_UP && gate[j].tau <= result->tau_max * (1.0 + 1e-13))
            direction[j] = copysign(pow(fabs(mu[j]) / least, -depth / (depth - 2.0)), gate[j].level);
    }
    conclude(d, direction, result);
}

static bool layers_equal(size_t d, int depth, const double *theta)
{
    for (int l = 1; l < depth; l++)
        for (size_t j = 0; j < d; j++)
            if (theta[(size_t)l * d + j] != theta[j])
                return false;
    return true;
}

/* ---- the original time of a collapse ------------------------------------------------------------------------ */

typedef struct clock {
    size_t d;
    int depth;
    bool equal;
    const double *mu, *theta;
    const sf_gate *gate;
    double rho;
    sf_loss loss;
} clock;

/* The term of one unequal pair of layers, on its way to 0, in the exponent: mu beta_hat, and where one layer slides at 0
 * with the other one at w, the log of the mean of e^{mu beta_hat} over the sides w_hat = w -+ rho. *from: when it leaves
 * (+,-). */
static double pair_exponent(double mu, double w1, double w2, double rho, const sf_gate *gate, double tau)
{
    double m = fabs(mu), other = mu < 0.0 ? -w2 : w2, u = fabs(w1 + other), v = fabs(w1 - other), from = 0.0;
    double a = u, b = v;
    if (tau >= gate->tau && gate->rest > gate->tau) {
        double w = fmax(0.0, (gate->rest - tau) * m * rho), share = 0.5 * (1.0 + w / rho);
        return sf_log_add(log(share) - m * rho * (w - rho), log1p(-share) - m * rho * (w + rho));
    }
    if (v > u) {
        double product = u * (v + 2.0 * rho), end = product / (rho + sqrt(rho * rho + product));
        from = u > 0.0 ? log(end / u) / m : INFINITY;
        a = tau < from ? u + 2.0 * rho : end;
        b = tau < from ? v + 2.0 * rho : end;
        from = tau < from ? 0.0 : from;
    }
    tau = fmin(tau, gate->rest);
    a = (a - 2.0 * rho) * exp(m * (tau - from));
    b *= exp(-m * (tau - from));
    return 0.25 * m * (a - b) * (a + b);
}

static double log_dt(const clock *c, double tau)
{
    double exponent = 0.0;
    for (size_t j = 0; j < c->d; j++) {
        if (c->gate[j].kind == SF_GATE_CONSTANT)
            continue;
        if (c->equal) {
            lane one = make_lane(c->depth, c->mu[j], c->theta[j], c->rho);
            double y = tau < c->gate[j].tau ? y_at(&one, tau) : 0.0;
            exponent += c->mu[j] * pow(one.sinks ? y + c->rho : y - c->rho, c->depth);
        } else {
            exponent += pair_exponent(c->mu[j], c->theta[j], c->theta[c->d + j], c->rho, &c->gate[j], tau);
        }
    }
    return -sf_loss_log_slope(c->loss, exponent);
}

/* log of the integral of e^{log_dt} over [a, b], smooth inside: Gauss and Legendre, halved until both halves agree. */
static double log_span(const clock *c, double a, double b, double whole, int depth)
{
    static const double node[] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267,
                                  0.9602898564975363};
    static const double weight[] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745,
                                    0.1012285362903763};
    double part[2], middle = 0.5 * (a + b);
    for (int half = 0; half < 2; half++) {
        double low = half ? middle : a, centre = low + 0.25 * (b - a), radius = 0.25 * (b - a);
        part[half] = -INFINITY;
        for (int i = 0; i < 8; i++) {
            double x = i % 2 ? node[i / 2] : -node[i / 2];
            part[half] = sf_log_add(part[half], log(weight[i / 2] * radius) + log_dt(c, centre + radius * x));
        }
    }
    double sum = sf_log_add(part[0], part[1]);
    if (fabs(sum - whole) <= 1e-14 * fmax(1.0, fabs(sum)) || depth == 40 || !isfinite(sum))
        return sum;
    return sf_log_add(log_span(c, a, middle, part[0], depth + 1), log_span(c, middle, b, part[1], depth + 1));
}

static int by_size(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

double sf_gates_log_time(size_t d, int depth, const double *mu, const double *theta, double rho, sf_loss loss,
                         const sf_gate *gate, double tau, double *work)
{
    clock c = {d, depth, layers_equal(d, depth, theta), mu, theta, gate, rho, loss};
    size_t count = 0;
    for (size_t j = 0; j < d; j++) {
        if (gate[j].kind == SF_GATE_CONSTANT)
            continue;
        if (!c.equal) {
            double other = mu[j] < 0.0 ? -theta[d + j] : theta[d + j], u = fabs(theta[j] + other),
                   v = fabs(theta[j] - other), product = u * (v + 2.0 * rho);
            if (u != 0.0 && v != 0.0 && gate[j].rest < tau * (1.0 - EQUAL))
                return NAN; // from there on the phases of its two layers decide
            if (v > u && u > 0.0)
                work[count++] = log(product / (rho + sqrt(rho * rho + product)) / u) / fabs(mu[j]);
        }
        work[count++] = gate[j].tau;
        work[count++] = gate[j].rest;
    }
    qsort(work, count, sizeof *work, by_size);
    double total = -INFINITY, from = 0.0;
    for (size_t i = 0; i < count && from < tau; i++) {
        double to = fmin(work[i], tau);
        if (to > from)
            total = sf_log_add(total, log_span(&c, from, to, NAN, 0));
        from = fmax(from, to);
    }
    return total;
}

void sf_gates(size_t d, int depth, const double *mu, const double *theta, double rho, sf_gate *gate,
              double *direction, sf_gates_result *result)
{
    bool equal = layers_equal(d, depth, theta), growing = false, open = false;
    *result = (sf_gates_result){.kind = SF_LIMIT_UNKNOWN, .index = -1, .tau_max = NAN, .zero_tau = NAN};
    if (!equal && (depth != 2 || rho == 0.0)) {
        result->basis = result->gates_basis = "layers are unequal: coordinates have a closed form for equal "
                                              "layers, and for depth 2 under linf-SAM";
        return;
    }
    for (size_t j = 0; j < d; j++) {
        double amplitude = fabs(theta[j]) - rho;
        gate[j] = equal ? equal_gate(depth, mu[j], theta[j], rho)
                        : unequal_gate(mu[j], theta[j], theta[d + j], rho, &amplitude);
        direction[j] = amplitude;
        growing = growing || is_growing(&gate[j]);
        open = open || gate[j].kind == SF_GATE_UNKNOWN;
        if (gate[j].kind == SF_GATE_BLOW_UP && !(gate[j].tau >= result->tau_max))
            result->tau_max = gate[j].tau;
    }
    for (size_t j = 0; j < d; j++)
        gate[j].final =
            equal ? final_beta(&gate[j], depth, mu[j], theta[j], rho, result->tau_max) : gate[j].level;
    result->has_gates = true;
    result->gates_basis =
        equal ? "Theorem 3.2: coordinates decouple, d w_j/d tau = mu_j (w_j - rho)^(L-1); final: frozen "
                "at tau_max where another coordinate blows up before"
              : "theory 2.3, unequal layers at depth 2: growth from u > 2 rho or u (v + 2 rho) > 8 rho^2";
    result->basis = equal ? "Corollary 3.5 (rho = 0: gradient descent), with its ties"
                          : "theory 2.3, unequal layers at depth 2";
    if (!growing && !open)
        settle(d, gate, direction, result);
    else if (depth == 2)
        limit_two(d, mu, gate, direction, result);
    else if (growing)
        limit_deep(d, depth, mu, gate, direction, result);
}
