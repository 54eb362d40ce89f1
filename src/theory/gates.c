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
    sf_gate gate = {.kind = SF_GATE_CONSTANT, .tau = NAN, .level = pow(alpha, depth)};
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
        gate.tau = tau_zero(&c);
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

/* *amplitude: C, where the coordinate grows. */
static sf_gate unequal_gate(double mu, double w1, double w2, double rho, double *amplitude)
{
    sf_gate gate = {.kind = SF_GATE_ZERO, .tau = NAN, .level = 0.0};
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
        } else { // the smaller weight comes to 0 where u = v
            double gap = 2.0 * rho - u;
            gate.tau = log((rho + sqrt(rho * rho - v * gap)) / gap) / m;
        }
    } else {
        double end = -rho + sqrt(rho * rho + u * (v + 2.0 * rho));
        if (nearly(u * (v + 2.0 * rho), 8.0 * rho * rho))
            gate.kind = SF_GATE_UNKNOWN;
        else if (end > 2.0 * rho)
            gate.kind = SF_GATE_GROWS;
        *amplitude = (end - 2.0 * rho) * u / end;
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
        last = fmax(last, gate[j].kind == SF_GATE_ZERO    ? gate[j].tau
                          : gate[j].kind == SF_GATE_LEVEL ? INFINITY
                                                          : 0.0);
    }
    result->kind = zero ? SF_LIMIT_ZERO : SF_LIMIT_POINT;
    result->zero_tau = zero && isfinite(last) ? last : NAN;
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
