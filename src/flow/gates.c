/* GD, and linf-SAM of one example, where coordinates have closed forms.
 *
 * With s_j = sign G_j, linf-SAM has w_hat_{l,j} = w_{l,j} - rho s_j prod_{k != l} sign w_{k,j}. In a mode (signs of all
 * weights fixed) w_hat moves like GD, d w_hat_l/dtau = G_hat * prod_{k != l} w_hat_k, and depends on the drive a_j = int
 * G_hat_j dtau alone. Two kinds of coordinates have a closed form:
 *
 *   balanced: |w_l| = x for all l, signs sigma_l, pi = prod sigma_l. Then w_hat_l = sigma_l x_hat with
 *   x_hat = x - s pi rho and dx_hat/da = pi x_hat^{L-1}, that is x_hat(0) + a (L = 1), x_hat(0) e^{pi a} (L = 2),
 *   x_hat(0) (1 - (L-2) pi x_hat(0)^{L-2} a)^{-1/(L-2)} (L >= 3).
 *
 *   pair: L = 2, u_hat = w_hat_1 + w_hat_2 = u_hat(0) e^a, v_hat = w_hat_1 - w_hat_2 = v_hat(0) e^{-a}.
 *
 * With one example a_j = mu_j tau, and nothing is left but the clock. With several the unknowns are tau and a (d), or
 * log x (d) for L >= 3, where a would lose the distance to the blow-up; then this is for GD alone (rho = 0), which has one mode. Everything else: layers.c.
 *
 * What happens where a weight reaches 0 (Filippov; beyond w_l = 0 the other layers have the opposite offsets):
 *
 *   balanced, L odd: the other side leads away: crossing, all signs change.
 *
 *   balanced, L even: the other side leads back: all layers rest at 0, in phase, with beta_hat = pi rho^L on both.
 *
 *   pair, |other| > rho: crossing.
 *
 *   pair, |other| < rho: the layer slides at 0 with weight (1 + s w_k / rho) / 2 of the side w_l > 0; the other
 *   one moves with dw_k/da = -rho s sign w_k and reaches 0 too. Until then dt/dtau is the mean of 1/S over the two
 *   sides, afterwards the phase of the chatter decides and t does not exist.
 *
 * The clock: s = c tau for L <= 2. For L >= 3 and one example the blow-up tau_b of the mode is known and
 * dtau/ds = tau_b - tau; with several, dtau/ds = 1 / sqrt(floor^2 + sum_j (G_hat_j x_hat_j^{L-2})^2).
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "flow/model.h"

typedef enum gate_kind {
    GATE_BALANCED,
    GATE_PAIR,
    GATE_SLIDING, // one of two layers at 0
    GATE_ZERO     // all layers at 0, or at rest there from the start
} gate_kind;

/* One coordinate. */
typedef struct gate {
    gate_kind kind;
    signed char s;       // sign of the field; 0 where the field is 0
    signed char sign[2]; // pair: of the two layers
    unsigned char layer; // sliding: which one is at 0
    uint64_t negative;   // balanced: bit l is set where w_l < 0
    double u, v; // at the base: balanced x_hat; pair u_hat, v_hat; sliding the other weight; zero beta_hat
    double base; // tau (one example) or the drive a_j (several) where u, v hold
} gate;

typedef struct gates_model {
    flow_model base;
    const sf_dataset *data;
    sf_loss loss;
    bool single;          // one example
    double rho;           // 0 for GD
    double tau0, delta;   // one example: tau = tau0 + y/c, or tau_b - delta e^{-y} with tau_b = blow_up
    double blow_up;       // INFINITY if no coordinate has one in this mode
    double floor;         // of the clock, several examples
    gate *gates;          // (d)
    double *beta, *field; // (d) work, several examples
} gates_model;

/* Coordinate j: the weights' common size x (balanced) or both weights, and beta at the perturbed point. */
typedef struct gates_coordinate {
    double w[2];     // balanced: x in w[0]
    double beta_hat; // of the mode; not set for sliding
} gates_coordinate;

static const double LOG_INFINITE = 230.0;

static double feature(const gates_model *model, size_t j)
{
    return flow_entry(model->data, 0, j);
}

/* prod_l sign w_l of a balanced coordinate */
static double sign_product(const gate *g)
{
    return __builtin_parityll(g->negative) ? -1.0 : 1.0;
}

static double tau_of(const flow_model *base, const double *y)
{
    const gates_model *model = (const gates_model *)base;
    if (!model->single)
        return y[0];
    return isinf(model->blow_up) ? model->tau0 + y[0] / base->scale
                                 : model->blow_up - model->delta * exp(-y[0]);
}

/* Several examples and L >= 3: the unknowns are log x_j, which stay resolved at a blow-up and from any start. */
static bool keeps_logs(const gates_model *model)
{
    return !model->single && model->base.depth > 2;
}

static double drive_since(const gates_model *model, const double *y, double tau, size_t j)
{
    const gate *g = &model->gates[j];
    return model->single ? feature(model, j) * (tau - g->base) : y[1 + j] - g->base;
}

/* The rate k of 1 - k (tau - base), one example and L >= 3. */
static double closing(const gates_model *model, size_t j)
{
    const gate *g = &model->gates[j];
    int n = model->base.depth - 2;
    return n * sign_product(g) * flow_power(g->u, n) * feature(model, j);
}

static double x_hat(const gates_model *model, const double *y, double tau, size_t j)
{
    const gate *g = &model->gates[j];
    int n = model->base.depth - 2;
    if (keeps_logs(model))
        return exp(y[1 + j]);
    double a = drive_since(model, y, tau, j), rest;
    if (n < 0)
        return g->u + a;
    if (n == 0)
        return g->u * exp(sign_product(g) * a);
    double k = model->single ? closing(model, j) : 0.0;
    if (k > 0.0) // from the distance to the blow-up, which keeps its relative accuracy
        rest = k * ((g->base + 1.0 / k - model->blow_up) + model->delta * exp(-y[0]));
    else
        rest = 1.0 - n * sign_product(g) * flow_power(g->u, n) * a;
    return rest > 0.0 ? g->u * pow(rest, -1.0 / n) : NAN;
}

static gates_coordinate gate_at(const gates_model *model, const double *y, double tau, size_t j)
{
    const gate *g = &model->gates[j];
    double rho = model->rho;
    gates_coordinate c = {{0.0, 0.0}, 0.0};
    if (g->kind == GATE_BALANCED) {
        double hat = x_hat(model, y, tau, j);
        c.w[0] = rho == 0.0 ? hat : hat + g->s * sign_product(g) * rho;
        c.beta_hat = sign_product(g) * flow_power(hat, model->base.depth);
    } else if (g->kind == GATE_PAIR) {
        double grow = exp(drive_since(model, y, tau, j)), u = g->u * grow, v = g->v / grow;
        c.w[0] = 0.5 * (u + v) + rho * g->s * g->sign[1];
        c.w[1] = 0.5 * (u - v) + rho * g->s * g->sign[0];
        c.beta_hat = 0.25 * (u - v) * (u + v);
    } else if (g->kind == GATE_SLIDING) {
        c.w[1 - g->layer] = g->u - rho * g->s * flow_sign(g->u) * drive_since(model, y, tau, j);
    } else {
        c.beta_hat = g->u;
    }
    return c;
}

/* Sliding with the other weight w: log of the mean of e^{mu beta_hat} over the two sides. */
static double log_mean(double mu, double rho, double s, double sign, double w)
{
    double weight = 0.5 * (1.0 + s * w / rho), own = -rho * s * sign;
    double plus = mu * own * (w - rho * s), minus = mu * own * (w + rho * s);
    return sf_log_add(log(fmax(weight, 0.0)) + plus, log(fmax(1.0 - weight, 0.0)) + minus);
}

/* ---- one example --------------------------------------------------------------------------------- */

static bool rates_single(const gates_model *model, const double *y, double *dy, flow_clocks *clocks)
{
    double tau = tau_of(&model->base, y), exponent = 0.0;
    for (size_t j = 0; j < model->base.d; j++) {
        const gate *g = &model->gates[j];
        double mu = feature(model, j);
        gates_coordinate c = gate_at(model, y, tau, j);
        exponent += g->kind == GATE_SLIDING
                        ? log_mean(mu, model->rho, g->s, flow_sign(g->u), c.w[1 - g->layer])
                        : mu * c.beta_hat;
    }
    dy[0] = 1.0;
    clocks->log_pace = isinf(model->blow_up) ? -log(model->base.scale) : log(model->delta) - y[0];
    clocks->log_dt = -sf_loss_log_slope(model->loss, exponent);
    return !isinf(exponent);
}

/* After a change of mode: the clock begins anew at tau. */
static void reset_clock(gates_model *model, double tau, double *y)
{
    model->tau0 = tau;
    model->blow_up = INFINITY;
    for (size_t j = 0; j < model->base.d && model->base.depth > 2; j++) {
        const gate *g = &model->gates[j];
        double k = g->kind == GATE_BALANCED ? closing(model, j) : 0.0;
        if (k > 0.0)
            model->blow_up = fmin(model->blow_up, g->base + 1.0 / k);
    }
    model->delta = model->blow_up - tau;
    y[0] = 0.0;
}

/* ---- several examples ---------------------------------------------------------------------------- */

/* The field at the perturbed point into field, log S there. */
static double field_hat(gates_model *model, const double *y)
{
    double log_scale;
    for (size_t j = 0; j < model->base.d; j++)
        model->beta[j] = gate_at(model, y, 0.0, j).beta_hat;
    sf_network_field(model->base.network, model->beta, model->field, &log_scale, NULL, NULL);
    return log_scale;
}

static bool rates_several(gates_model *model, const double *y, double *dy, flow_clocks *clocks)
{
    size_t d = model->base.d;
    int n = model->base.depth - 2;
    double log_dt = -field_hat(model, y), length = model->floor, pace = 1.0 / model->base.scale;
    for (size_t j = 0; j < d; j++) {
        const gate *g = &model->gates[j];
        dy[1 + j] = model->field[j];
        if (n <= 0)
            continue;
        dy[1 + j] *=
            g->kind == GATE_BALANCED ? sign_product(g) * flow_power(x_hat(model, y, 0.0, j), n) : 0.0;
        length = hypot(length, dy[1 + j]); // squares would underflow from small starts
    }
    if (n > 0)
        pace = 1.0 / length;
    dy[0] = pace;
    for (size_t j = 0; j < d; j++)
        dy[1 + j] *= pace;
    *clocks = (flow_clocks){log(pace), log_dt};
    return isfinite(log_dt) && pace > 0.0;
}

/* ---- modes --------------------------------------------------------------------------------------- */

static bool weight_passed_zero(const gates_model *model, const gate *g, const gates_coordinate *c)
{
    switch (g->kind) {
    case GATE_BALANCED:
        return model->base.depth > 1 && c->w[0] < 0.0;
    case GATE_PAIR:
        return g->sign[0] * c->w[0] < 0.0 || g->sign[1] * c->w[1] < 0.0;
    case GATE_SLIDING:
        return flow_sign(g->u) * c->w[1 - g->layer] < 0.0;
    default:
        return false;
    }
}

static bool ends_mode(flow_model *base, const double *y)
{
    gates_model *model = (gates_model *)base;
    if (model->rho == 0.0)
        return false;
    double tau = tau_of(base, y);
    for (size_t j = 0; j < base->d; j++) {
        gates_coordinate c = gate_at(model, y, tau, j);
        if (weight_passed_zero(model, &model->gates[j], &c))
            return true;
    }
    return false;
}

/* Coordinate j continues as a pair with these weights and signs (w on a surface takes the sign it is given).
 */
static void set_pair(gates_model *model, gate *g, double w1, double w2, double base)
{
    double shift = model->rho * g->s, hat1 = w1 - shift * g->sign[1], hat2 = w2 - shift * g->sign[0];
    g->kind = GATE_PAIR;
    g->u = hat1 + hat2;
    g->v = hat1 - hat2;
    g->base = base;
}

static void set_balanced(gates_model *model, gate *g, double x, double base)
{
    g->kind = GATE_BALANCED;
    g->u = x - g->s * sign_product(g) * model->rho;
    g->base = base;
}

/* At rest in 0, with beta_hat (NaN where the sides do not agree on it). */
static void set_zero(gate *g, double beta_hat)
{
    g->kind = GATE_ZERO;
    g->u = beta_hat;
}

/* Layer l of a pair is at 0, the other one at w: crosses or slides. True if it slides. */
static bool enter_surface(gates_model *model, gate *g, int l, double w, double base)
{
    if (fabs(w) < model->rho) {
        g->kind = GATE_SLIDING;
        g->layer = (unsigned char)l;
        g->u = w;
        g->base = base;
        return true;
    }
    g->sign[l] =
        (signed char)(g->s * flow_sign(w)); // dw_l/dtau has the sign of G (w -+ rho s), that is of G w
    set_pair(model, g, l == 0 ? 0.0 : w, l == 0 ? w : 0.0, base);
    return false;
}

/* True if coordinate j begins to slide. */
static bool pass_zero(gates_model *model, size_t j, const gates_coordinate *c, double base)
{
    gate *g = &model->gates[j];
    uint64_t all = model->base.depth < 64 ? ((uint64_t)1 << model->base.depth) - 1 : ~(uint64_t)0;
    if (g->kind == GATE_SLIDING) {
        set_zero(g, NAN);
        return true;
    }
    if (g->kind == GATE_PAIR) {
        bool first = g->sign[0] * c->w[0] < 0.0, second = g->sign[1] * c->w[1] < 0.0;
        if (first && second) {
            set_zero(g, NAN);
            return true;
        }
        return enter_surface(model, g, first ? 0 : 1, first ? c->w[1] : c->w[0], base);
    }
    if (model->base.depth % 2 == 0) {
        set_zero(g, sign_product(g) * flow_power(model->rho, model->base.depth));
        return true;
    }
    g->negative ^= all;
    set_balanced(model, g, -c->w[0], base);
    return false;
}

static sf_status change_mode(flow_model *base, double *y, int64_t *slides, size_t *count)
{
    gates_model *model = (gates_model *)base;
    double tau = tau_of(base, y);
    *count = 0;
    for (size_t j = 0; j < base->d; j++) {
        gates_coordinate c = gate_at(model, y, tau, j);
        if (!weight_passed_zero(model, &model->gates[j], &c))
            continue;
        if (pass_zero(model, j, &c, tau))
            slides[(*count)++] = (int64_t)j;
    }
    reset_clock(model, tau, y);
    return SF_OK;
}

/* ---- the table of functions ---------------------------------------------------------------------- */

static bool rates(flow_model *base, const double *y, double *dy, flow_clocks *clocks)
{
    gates_model *model = (gates_model *)base;
    return model->single ? rates_single(model, y, dy, clocks) : rates_several(model, y, dy, clocks);
}

static void allowance(const flow_model *base, const double *y, double tolerance, double *allowed)
{
    const gates_model *model = (const gates_model *)base;
    if (model->single) {
        allowed[0] = tolerance * (1.0 + fabs(y[0])); // exact
        return;
    }
    // tau is of the size 1 / floor from small starts of deep networks
    allowed[0] = tolerance / (keeps_logs(model) ? model->floor : base->scale) + 1e-15 * fabs(y[0]);
    for (size_t j = 0; j < base->d; j++) {
        // L >= 2: of log x. L = 1: margins are of size 1 at weights of 1 / scale, whatever the start
        double hat = base->depth > 1 ? 1.0 : fabs(x_hat(model, y, 0.0, j)) + 1e-3 / base->scale;
        allowed[1 + j] = tolerance * hat + 1e-15 * fabs(y[1 + j]);
    }
}

static void begin(const flow_model *base, double *y)
{
    const gates_model *model = (const gates_model *)base;
    memset(y, 0, base->size * sizeof *y);
    for (size_t j = 0; j < base->d && keeps_logs(model); j++)
        y[1 + j] = model->gates[j].kind == GATE_BALANCED ? log(model->gates[j].u) : 0.0;
}

static void predictor(const flow_model *base, const double *y, double *beta, double *log_abs_beta)
{
    const gates_model *model = (const gates_model *)base;
    double tau = tau_of(base, y);
    for (size_t j = 0; j < base->d; j++) {
        const gate *g = &model->gates[j];
        gates_coordinate c = gate_at(model, y, tau, j);
        if (beta)
            beta[j] = g->kind == GATE_BALANCED ? sign_product(g) * flow_power(c.w[0], base->depth)
                                               : c.w[0] * c.w[1];
        if (log_abs_beta)
            log_abs_beta[j] = g->kind == GATE_BALANCED && keeps_logs(model) ? base->depth * y[1 + j]
                              : g->kind == GATE_BALANCED                    ? base->depth * log(fabs(c.w[0]))
                                                         : log(fabs(c.w[0])) + log(fabs(c.w[1]));
    }
}

static void theta(const flow_model *base, const double *y, double *weights)
{
    const gates_model *model = (const gates_model *)base;
    double tau = tau_of(base, y);
    for (size_t j = 0; j < base->d; j++) {
        const gate *g = &model->gates[j];
        gates_coordinate c = gate_at(model, y, tau, j);
        for (int l = 0; l < base->depth; l++)
            weights[(size_t)l * base->d + j] = g->kind != GATE_BALANCED ? l < 2 ? c.w[l] : 0.0
                                               : g->negative >> l & 1u  ? -c.w[0]
                                                                        : c.w[0];
    }
}

static double applied_norm(flow_model *base, const double *y)
{
    const gates_model *model = (const gates_model *)base;
    (void)y;
    for (size_t j = 0; j < base->d; j++)
        if (model->gates[j].s != 0 && model->gates[j].kind != GATE_ZERO)
            return model->rho;
    return 0.0;
}

/* Whether coordinate j stays where it is whatever the others do: w_hat = 0 (alpha = rho), or no drive. */
static bool stands(const gates_model *model, size_t j)
{
    const gate *g = &model->gates[j];
    if (g->kind == GATE_ZERO || (model->single && feature(model, j) == 0.0))
        return true;
    return (g->kind == GATE_BALANCED && model->base.depth > 1 && g->u == 0.0) ||
           (g->kind == GATE_PAIR && g->u == 0.0 && g->v == 0.0);
}

/* Everything at 0: for one example for ever. */
static sf_flow_state rest(flow_model *base, const double *y, double *remaining)
{
    const gates_model *model = (const gates_model *)base;
    double tau = tau_of(base, y), high = -INFINITY;
    bool zero = true, rests = true;
    *remaining = 0.0;
    for (size_t j = 0; j < base->d; j++) {
        gates_coordinate c = gate_at(model, y, tau, j);
        zero &= model->gates[j].kind == GATE_ZERO;
        rests &= stands(model, j);
        if (base->depth > 2)
            high = fmax(high, base->depth * log(fabs(c.w[0])));
    }
    if (zero)
        return SF_FLOW_COLLAPSED;
    if (rests)
        return SF_FLOW_RESTING;
    return high > LOG_INFINITE ? SF_FLOW_BLOWN_UP : SF_FLOW_RUNNING;
}

static void destroy(flow_model *base)
{
    gates_model *model = (gates_model *)base;
    sf_free(base->context, model->gates);
    sf_free_aligned(base->context, model->beta);
    sf_free_aligned(base->context, model->field);
    sf_free(base->context, model);
}

static const flow_system GATES = {.name = "gates",
                                  .begin = begin,
                                  .tau = tau_of,
                                  .rates = rates,
                                  .allowance = allowance,
                                  .predictor = predictor,
                                  .theta = theta,
                                  .applied_norm = applied_norm,
                                  .rest = rest,
                                  .destroy = destroy,
                                  .ends_mode = ends_mode,
                                  .change_mode = change_mode};

/* ---- creation ------------------------------------------------------------------------------------ */

static bool is_balanced(const flow_start *start, size_t d, int depth, size_t j)
{
    for (int l = 1; l < depth; l++)
        if (fabs(start->theta[(size_t)l * d + j]) != fabs(start->theta[j]))
            return false;
    return true;
}

static bool fits(const flow_start *start)
{
    size_t d = sf_network_features(start->network);
    int depth = sf_network_depth(start->network);
    bool gd = sf_flow_is_gd(&start->perturbation);
    if (!gd && (start->perturbation.method != SF_METHOD_LINF || sf_network_dataset(start->network)->n > 1))
        return false; // several examples: a field may change its sign (layers.c)
    if (depth == 2)
        return true;
    for (size_t j = 0; j < d && depth <= 64; j++)
        if (!is_balanced(start, d, depth, j))
            return false;
    return depth <= 64;
}

/* The gate of coordinate j at the start; field = G_j there. */
static void open_gate(gates_model *model, const flow_start *start, size_t j, double field)
{
    size_t d = model->base.d;
    int depth = model->base.depth;
    gate *g = &model->gates[j];
    *g = (gate){.s = (signed char)flow_sign(field)};
    if (is_balanced(start, d, depth, j)) {
        for (int l = 0; l < depth && depth > 1; l++)
            if (start->theta[(size_t)l * d + j] < 0.0)
                g->negative |= (uint64_t)1 << l;
        if (start->theta[j] == 0.0 && depth > 1)
            set_zero(g, 0.0); // the gradient is 0 there: eps = 0 and nothing moves
        else
            set_balanced(model, g, depth > 1 ? fabs(start->theta[j]) : start->theta[j], 0.0);
        return;
    }
    double w1 = start->theta[j], w2 = start->theta[d + j];
    g->sign[0] = (signed char)flow_sign(w1);
    g->sign[1] = (signed char)flow_sign(w2);
    if (w1 != 0.0 && w2 != 0.0)
        set_pair(model, g, w1, w2, 0.0);
    else
        enter_surface(model, g, w1 == 0.0 ? 0 : 1, w1 == 0.0 ? w2 : w1, 0.0);
}

static void open_gates(gates_model *model, const flow_start *start)
{
    size_t d = model->base.d;
    double log_scale, size = model->rho, clock;
    if (!model->single) {
        sf_network_predictor(start->network, start->theta, model->beta);
        sf_network_field(start->network, model->beta, model->field, &log_scale, NULL, NULL);
    }
    for (size_t j = 0; j < d; j++) {
        size = fmax(size, fabs(start->theta[j]));
        open_gate(model, start, j, model->single ? feature(model, j) : model->field[j]);
    }
    model->floor = model->base.scale *
                   flow_power(size > 0.0 ? size : 1.0, model->base.depth > 2 ? model->base.depth - 2 : 0);
    model->floor = fmax(model->floor, DBL_MIN);
    if (model->single)
        reset_clock(model, 0.0, &clock);
}

sf_status sf_flow_gates_create(sf_context *context, const flow_start *start, flow_model **out)
{
    *out = NULL;
    if (!fits(start))
        return SF_OK;
    const sf_dataset *data = sf_network_dataset(start->network);
    size_t d = sf_network_features(start->network);
    gates_model *model = SF_NEW(context, gates_model);
    if (!model)
        return SF_ERR_MEMORY;
    model->single = data->n == 1;
    sf_flow_model_init(&model->base, &GATES, context, start, model->single ? 1 : 1 + d);
    model->data = data;
    model->loss = sf_network_loss(start->network);
    model->rho = sf_flow_is_gd(&start->perturbation) ? 0.0 : start->perturbation.rho;
    model->gates = SF_ARRAY(context, d, gate);
    model->beta = sf_alloc_doubles(context, model->single ? 0 : d);
    model->field = sf_alloc_doubles(context, model->single ? 0 : d);
    if (!model->gates || !model->beta || !model->field) {
        destroy(&model->base);
        return SF_ERR_MEMORY;
    }
    open_gates(model, start);
    *out = &model->base;
    return SF_OK;
}
