/* GD and linf-SAM where the perturbation is constant as long as no gradient coordinate changes its sign.
 *
 * With s_j = sign G_j, linf-SAM has w_hat_{l,j} = w_{l,j} - rho s_j prod_{k != l} sign w_{k,j}. In a mode
 * (signs of all weights and of the field fixed) w_hat moves like GD, d w_hat_l/dtau = G_hat * prod_{k != l}
 * w_hat_k, and depends on the drive a_j = int G_hat_j dtau alone. Two kinds of coordinates have a closed form
 * in it: balanced  |w_l| = x for all l, signs sigma_l, pi = prod sigma_l: w_hat_l = sigma_l x_hat, x_hat = x
 * - s pi rho, dx_hat/da = pi x_hat^{L-1}:  x_hat(0) + a (L = 1), x_hat(0) e^{pi a} (L = 2), x_hat(0) (1 -
 * (L-2) pi x_hat(0)^{L-2} a)^{-1/(L-2)} (L >= 3) pair      L = 2: u_hat = w_hat_1 + w_hat_2 = u_hat(0) e^a,
 * v_hat = w_hat_1 - w_hat_2 = v_hat(0) e^{-a}. So the unknowns are tau and a (d); with one example a_j = mu_j
 * tau, and nothing is left but the clock.
 *
 * What happens where a weight reaches 0 (Filippov's solution; the other side of w_l = 0 has the opposite
 * offsets in the other layers): balanced, L odd   the other side leads away: crossing, all signs change;
 *   balanced, L even  the other side leads back: all layers rest at 0, in phase, with beta_hat = pi rho^L on
 * both sides; pair, |other| > rho   crossing; pair, |other| < rho   the layer slides at 0 with weight (1 + s
 * w_k / rho) / 2 of the side w_l > 0; the other one moves with dw_k/da = -rho s sign w_k and reaches 0 too.
 * Until then dt/dtau is the mean of 1/S over the two sides, afterwards the phase of the chatter decides and t
 * does not exist. With several examples a change of sign of G_j is a surface too: crossed where both sides
 * lead across.
 *
 * The clock: s = c tau for L <= 2. For L >= 3 and one example the blow-up tau_b of the mode is known and
 * dtau/ds = tau_b - tau; with several, dtau/ds = 1 / sqrt(floor^2 + sum_j (G_hat_j x_hat_j^{L-2})^2).
 */
#include <math.h>
#include <string.h>

#include "data/dataset.h"
#include "flow/model.h"

typedef enum gate_kind {
    GATE_BALANCED,
    GATE_PAIR,
    GATE_SLIDING, // one of two layers at 0
    GATE_FIELD,   // balanced, held at G_j = 0
    GATE_ZERO     // all layers at 0, or at rest there from the start
} gate_kind;

/* One coordinate. */
typedef struct gate {
    gate_kind kind;
    signed char s;       // sign of the field in force; 0 where the field is 0
    signed char sign[2]; // pair: of the two layers
    unsigned char layer; // sliding: which one is at 0
    uint64_t negative;   // balanced: bit l is set where w_l < 0
    double u,
        v; // at the base: balanced x_hat and the field it left 0 with; pair u_hat, v_hat; sliding the other weight; zero beta_hat
    double base; // tau (one example) or drive a_j (several) where u, v hold
} gate;

typedef struct gates_model {
    flow_model base;
    const sf_dataset *data;
    sf_loss loss;
    bool single;           // one example
    double rho;            // 0 for GD
    double tau0, delta;    // one example: tau = tau0 + y/c, or tau_b - delta e^{-y} with tau_b = blow_up
    double blow_up;        // INFINITY if no coordinate has one in this mode
    double floor;          // of the clock, several examples
    gate *gates;           // (d)
    double *beta, *field;  // (d) work, several examples
    double *moved, *other; // (d) work, several examples
    int64_t slider;        // the coordinate of kind GATE_FIELD, -1 if none
} gates_model;

static const double LOG_INFINITE = 230.0;

static double feature(const gates_model *model, size_t j)
{
    size_t stored = model->data->stored;
    return j < stored ? model->data->z[j] : -model->data->z[j - stored];
}

/* All layers have the size x. */
static bool is_common(const gate *g)
{
    return g->kind == GATE_BALANCED || g->kind == GATE_FIELD;
}

static double sign_of(double x)
{
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0;
}

/* x^n for n >= 0 */
static double power(double x, int n)
{
    double result = 1.0;
    for (; n > 0; n--)
        result *= x;
    return result;
}

static double pi_of(const gate *g)
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
    return n * pi_of(g) * power(g->u, n) * feature(model, j);
}

static double x_hat(const gates_model *model, const double *y, double tau, size_t j)
{
    const gate *g = &model->gates[j];
    int n = model->base.depth - 2;
    double a = drive_since(model, y, tau, j), rest;
    if (g->kind == GATE_FIELD)
        return g->u + a - g->s * pi_of(g) * model->rho;
    if (n < 0)
        return g->u + a;
    if (n == 0)
        return g->u * exp(pi_of(g) * a);
    double k = model->single ? closing(model, j) : 0.0;
    if (k > 0.0) // from the distance to the blow-up, which keeps its relative accuracy
        rest = k * ((g->base + 1.0 / k - model->blow_up) + model->delta * exp(-y[0]));
    else
        rest = 1.0 - n * pi_of(g) * power(g->u, n) * a;
    return rest > 0.0 ? g->u * pow(rest, -1.0 / n) : NAN;
}

/* Coordinate j: the weights' common size x (balanced) or both weights, and beta at the perturbed point. */
typedef struct coordinate {
    double w[2];     // balanced: x in w[0]
    double beta_hat; // of the mode; sliding: mean exponent, see log_mean
} coordinate;

static coordinate at(const gates_model *model, const double *y, double tau, size_t j)
{
    const gate *g = &model->gates[j];
    double rho = model->rho;
    coordinate c = {{0.0, 0.0}, 0.0};
    if (is_common(g)) {
        double hat = x_hat(model, y, tau, j);
        c.w[0] = rho == 0.0 ? hat : hat + g->s * pi_of(g) * rho;
        c.beta_hat = pi_of(g) * power(hat, model->base.depth);
    } else if (g->kind == GATE_PAIR) {
        double grow = exp(drive_since(model, y, tau, j)), u = g->u * grow, v = g->v / grow;
        c.w[0] = 0.5 * (u + v) + rho * g->s * g->sign[1];
        c.w[1] = 0.5 * (u - v) + rho * g->s * g->sign[0];
        c.beta_hat = 0.25 * (u - v) * (u + v);
    } else if (g->kind == GATE_SLIDING) {
        c.w[1 - g->layer] = g->u - rho * g->s * sign_of(g->u) * drive_since(model, y, tau, j);
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

/* ---- one example ----------------------------------------------------------------------------------------
 */

static bool rates_single(const gates_model *model, const double *y, double *dy, flow_clocks *clocks)
{
    double tau = tau_of(&model->base, y), exponent = 0.0;
    for (size_t j = 0; j < model->base.d; j++) {
        const gate *g = &model->gates[j];
        double mu = feature(model, j);
        coordinate c = at(model, y, tau, j);
        exponent += g->kind == GATE_SLIDING ? log_mean(mu, model->rho, g->s, sign_of(g->u), c.w[1 - g->layer])
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

/* ---- several examples ------------------------------------------------------------------------------------
 */

/* The field at the perturbed point into field, log S there. */
static double field_hat(gates_model *model, const double *y)
{
    double log_scale;
    for (size_t j = 0; j < model->base.d; j++)
        model->beta[j] = at(model, y, 0.0, j).beta_hat;
    sf_network_field(model->base.network, model->beta, model->field, &log_scale, NULL, NULL);
    return log_scale;
}

static double beta_of(const gates_model *model, const gate *g, const coordinate *c)
{
    if (is_common(g))
        return pi_of(g) * power(c->w[0], model->base.depth);
    return c->w[0] * c->w[1];
}

/* The field at the point itself into field. */
static void field_here(gates_model *model, const double *y)
{
    double log_scale;
    for (size_t j = 0; j < model->base.d; j++) {
        coordinate c = at(model, y, 0.0, j);
        model->beta[j] = beta_of(model, &model->gates[j], &c);
    }
    sf_network_field(model->base.network, model->beta, model->field, &log_scale, NULL, NULL);
}

/* dG_j/dtau for a field at the perturbed point (d). */
static double normal_velocity(gates_model *model, const double *y, size_t j, const double *field);

/* The two sides of the slider's surface: side 1 is G_j > 0. lambda is the weight of that side. */
typedef struct sides {
    double lambda, log_s[2];
} sides;

/* Leaves the mean field of the two sides in field, except for the slider: there dx/dtau. */
static sides mean_field(gates_model *model, const double *y)
{
    sides result;
    size_t j = (size_t)model->slider;
    gate *g = &model->gates[j];
    double velocity[2], moved[2];
    for (int side = 0; side < 2; side++) {
        g->s = side ? 1 : -1;
        result.log_s[side] = field_hat(model, y);
        moved[side] = pi_of(g) * model->field[j] * power(x_hat(model, y, 0.0, j), model->base.depth - 1);
        velocity[side] = normal_velocity(model, y, j, model->field);
        if (side == 0)
            memcpy(model->other, model->field, model->base.d * sizeof *model->field);
    }
    double lambda = velocity[0] / (velocity[0] - velocity[1]);
    for (size_t i = 0; i < model->base.d; i++)
        model->field[i] = lambda * model->field[i] + (1.0 - lambda) * model->other[i];
    model->field[j] = lambda * moved[1] + (1.0 - lambda) * moved[0];
    result.lambda = lambda;
    return result;
}

/* The field that drives the unknowns into field; returns log(dt/dtau). */
static double driving_field(gates_model *model, const double *y)
{
    if (model->slider < 0)
        return -field_hat(model, y);
    sides both = mean_field(model, y);
    return sf_log_add(log(fmax(both.lambda, 0.0)) - both.log_s[1],
                      log(fmax(1.0 - both.lambda, 0.0)) - both.log_s[0]);
}

static bool rates_several(gates_model *model, const double *y, double *dy, flow_clocks *clocks)
{
    size_t d = model->base.d;
    int n = model->base.depth - 2;
    double log_dt = driving_field(model, y), sum = 0.0, pace = 1.0 / model->base.scale;
    if (n > 0) {
        for (size_t j = 0; j < d; j++) {
            double rate = model->gates[j].kind == GATE_BALANCED
                              ? model->field[j] * power(x_hat(model, y, 0.0, j), n)
                              : 0.0;
            sum += rate * rate;
        }
        pace = 1.0 / sqrt(model->floor * model->floor + sum);
    }
    dy[0] = pace;
    for (size_t j = 0; j < d; j++)
        dy[1 + j] = pace * model->field[j];
    *clocks = (flow_clocks){log(pace), log_dt};
    return isfinite(log_dt) && pace > 0.0;
}

/* ---- modes ------------------------------------------------------------------------------------------------
 */

static bool weight_passed_zero(const gates_model *model, const gate *g, const coordinate *c)
{
    switch (g->kind) {
    case GATE_BALANCED:
    case GATE_FIELD:
        return model->base.depth > 1 && c->w[0] < 0.0;
    case GATE_PAIR:
        return g->sign[0] * c->w[0] < 0.0 || g->sign[1] * c->w[1] < 0.0;
    case GATE_SLIDING:
        return sign_of(g->u) * c->w[1 - g->layer] < 0.0;
    default:
        return false;
    }
}

/* Whether the field of coordinate j (in field) has left the sign of the mode, by more than rounding, and than what
 * it was off 0 when it was released from there (a tangent departure: the field grows like the square of time). */
static bool turned(const gates_model *model, size_t j)
{
    const gate *g = &model->gates[j];
    double off = g->kind == GATE_BALANCED ? fmin(0.0, g->s * g->v) : 0.0;
    return g->kind != GATE_ZERO && g->kind != GATE_FIELD &&
           g->s * model->field[j] < off - 1e-12 * model->base.scale;
}

static bool ends_mode(flow_model *base, const double *y)
{
    gates_model *model = (gates_model *)base;
    if (model->rho == 0.0)
        return false;
    double tau = tau_of(base, y);
    for (size_t j = 0; j < base->d; j++) {
        coordinate c = at(model, y, tau, j);
        if (weight_passed_zero(model, &model->gates[j], &c))
            return true;
    }
    if (model->single)
        return false;
    field_here(model, y);
    for (size_t j = 0; j < base->d; j++)
        if (turned(model, j))
            return true;
    if (model->slider >= 0) {
        double lambda = mean_field(model, y).lambda;
        return !(lambda >= 0.0 && lambda <= 1.0);
    }
    field_hat(model, y);
    for (size_t j = 0; j < base->d; j++)
        if (model->gates[j].kind == GATE_ZERO && model->gates[j].s * model->field[j] < 0.0)
            return true;
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
    g->v = 0.0;
    g->u = x - g->s * pi_of(g) * model->rho;
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
    g->sign[l] = (signed char)(g->s * sign_of(w)); // dw_l/dtau has the sign of G (w -+ rho s), that is of G w
    set_pair(model, g, l == 0 ? 0.0 : w, l == 0 ? w : 0.0, base);
    return false;
}

/* True if coordinate j begins to slide. */
static bool pass_zero(gates_model *model, size_t j, const coordinate *c, double base)
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
        set_zero(g, pi_of(g) * power(model->rho, model->base.depth));
        return true;
    }
    g->negative ^= all;
    set_balanced(model, g, -c->w[0], base);
    return false;
}

static sf_status not_covered(const gates_model *model, double tau, size_t j, const char *what)
{
    return sf_fail(model->base.context, SF_ERR_NUMERIC, "linf-SAM flow at tau = %.17g: feature %zu %s", tau,
                   j, what);
}

static void turn_field(gates_model *model, const double *y, double tau, size_t j, signed char s)
{
    gate *g = &model->gates[j];
    coordinate c = at(model, y, tau, j);
    g->s = s;
    if (g->kind == GATE_BALANCED)
        set_balanced(model, g, c.w[0], y[1 + j]);
    else
        set_pair(model, g, c.w[0], c.w[1], y[1 + j]);
}

/* dG_j/dtau on the side where the field has the sign s. */
static double side_velocity(gates_model *model, const double *y, double tau, size_t j, signed char s)
{
    gate kept = model->gates[j];
    turn_field(model, y, tau, j, s);
    field_hat(model, y);
    double velocity = normal_velocity(model, y, j, model->field);
    model->gates[j] = kept;
    return velocity;
}

/* G_j has changed its sign: crosses or begins to slide. */
static sf_status meet_field(gates_model *model, const double *y, double tau, size_t j, int64_t *slides,
                            size_t *count)
{
    gate *g = &model->gates[j];
    double plus = side_velocity(model, y, tau, j, 1), minus = side_velocity(model, y, tau, j, -1);
    if (model->slider >= 0)
        return not_covered(model, tau, j,
                           "and another one meet a gradient of 0 together, which is not covered");
    if (plus * minus > 0.0) {
        turn_field(model, y, tau, j, plus > 0.0 ? 1 : -1);
        return SF_OK;
    }
    if (g->kind != GATE_BALANCED || !(plus < 0.0 && minus > 0.0))
        return not_covered(model, tau, j,
                           "would slide where its gradient is 0 with unequal layers, which is not covered");
    coordinate c = at(model, y, tau, j);
    g->kind = GATE_FIELD;
    g->u = c.w[0];
    g->base = y[1 + j];
    model->slider = (int64_t)j;
    slides[(*count)++] = (int64_t)j;
    return SF_OK;
}

/* The slider leaves its surface once the mean would need a negative weight of one side. */
static void release_slider(gates_model *model, const double *y)
{
    if (model->slider < 0)
        return;
    size_t j = (size_t)model->slider;
    double lambda = mean_field(model, y).lambda;
    if (lambda >= 0.0 && lambda <= 1.0)
        return;
    gate *g = &model->gates[j];
    coordinate c = at(model, y, 0.0, j);
    g->s = lambda > 1.0 ? 1 : -1;
    set_balanced(model, g, c.w[0], y[1 + j]);
    model->slider = -1;
    field_here(model, y);
    g->v = model->field[j];
}

static sf_status change_fields(gates_model *model, const double *y, double tau, int64_t *slides,
                               size_t *count)
{
    release_slider(model, y);
    field_here(model, y);
    for (size_t j = 0; j < model->base.d; j++)
        if (turned(model, j)) {
            SF_TRY(meet_field(model, y, tau, j, slides, count));
            field_here(model, y);
        }
    field_hat(model, y);
    for (size_t j = 0; j < model->base.d; j++)
        if (model->gates[j].kind == GATE_ZERO && model->gates[j].s * model->field[j] < 0.0)
            return not_covered(model, tau, j,
                               "would leave 0, to a side that the dynamics does not determine");
    return SF_OK;
}

static sf_status change_mode(flow_model *base, double *y, int64_t *slides, size_t *count)
{
    gates_model *model = (gates_model *)base;
    double tau = tau_of(base, y);
    *count = 0;
    for (size_t j = 0; j < base->d; j++) {
        coordinate c = at(model, y, tau, j);
        if (!weight_passed_zero(model, &model->gates[j], &c))
            continue;
        if (pass_zero(model, j, &c, model->single ? tau : y[1 + j]))
            slides[(*count)++] = (int64_t)j;
        if (!model->single && model->gates[j].kind == GATE_SLIDING)
            return not_covered(model, tau, j,
                               "would slide with one layer at 0, which is covered for one example only");
    }
    if (model->single)
        reset_clock(model, tau, y);
    else
        SF_TRY(change_fields(model, y, tau, slides, count));
    return SF_OK;
}

/* d log s_n / d m_n at log slope log_s. */
static double slope_rate(sf_loss loss, double log_s)
{
    return loss == SF_LOSS_EXPONENTIAL ? -1.0 : expm1(log_s);
}

static double normal_velocity(gates_model *model, const double *y, size_t j, const double *field)
{
    size_t d = model->base.d, stored = model->data->stored;
    int depth = model->base.depth;
    for (size_t i = 0; i < d; i++) {
        const gate *g = &model->gates[i];
        coordinate c = at(model, y, 0.0, i);
        double moved = 0.0, shift = model->rho * g->s;
        if (is_common(g)) // beta = pi x^L, dx/da = pi x_hat^{L-1}
            moved = depth * power(c.w[0] * x_hat(model, y, 0.0, i), depth - 1);
        else if (g->kind == GATE_PAIR)
            moved = c.w[0] * (c.w[0] - shift * g->sign[1]) + c.w[1] * (c.w[1] - shift * g->sign[0]);
        model->beta[i] = beta_of(model, g, &c);
        model->moved[i] = moved * field[i]; // dbeta/dtau
    }
    double sum = 0.0, sum_z = 0.0, sum_rate = 0.0, sum_rate_z = 0.0, reference = -INFINITY;
    for (int pass = 0; pass < 2; pass++) // the largest log slope first
        for (size_t n = 0; n < model->data->n; n++) {
            const double *z = model->data->z + n * stored;
            double margin = 0.0, rate = 0.0;
            for (size_t i = 0; i < d; i++) {
                double z_i = i < stored ? z[i] : -z[i - stored];
                margin += z_i * model->beta[i];
                rate += z_i * model->moved[i];
            }
            double log_s = sf_loss_log_slope(model->loss, margin);
            if (pass == 0) {
                reference = fmax(reference, log_s);
                continue;
            }
            double p = exp(log_s - reference), z_j = j < stored ? z[j] : -z[j - stored];
            rate *= slope_rate(model->loss, log_s);
            sum += p;
            sum_z += p * z_j;
            sum_rate += p * rate;
            sum_rate_z += p * rate * z_j;
        }
    return sum_rate_z / sum - sum_z / sum * (sum_rate / sum);
}

/* ---- the table of functions ------------------------------------------------------------------------------
 */

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
    allowed[0] = tolerance / base->scale + 1e-15 * fabs(y[0]);
    double size = fmax(model->rho, 1e-300);
    for (size_t j = 0; j < base->d; j++) {
        // L = 2: log x = a. Other depths: da x^{L-2} is a relative error of x
        double hat = base->depth == 2 || model->gates[j].kind != GATE_BALANCED
                         ? 1.0
                         : fabs(x_hat(model, y, 0.0, j)) + 1e-3 * size;
        allowed[1 + j] = tolerance / pow(hat, base->depth - 2) + 1e-15 * fabs(y[1 + j]);
    }
}

static void begin(const flow_model *base, double *y)
{
    memset(y, 0, base->size * sizeof *y);
}

static void predictor(const flow_model *base, const double *y, double *beta, double *log_abs_beta)
{
    const gates_model *model = (const gates_model *)base;
    double tau = tau_of(base, y);
    for (size_t j = 0; j < base->d; j++) {
        const gate *g = &model->gates[j];
        coordinate c = at(model, y, tau, j);
        if (beta)
            beta[j] = beta_of(model, g, &c);
        if (log_abs_beta)
            log_abs_beta[j] =
                is_common(g) ? base->depth * log(fabs(c.w[0])) : log(fabs(c.w[0])) + log(fabs(c.w[1]));
    }
}

static void theta(const flow_model *base, const double *y, double *weights)
{
    const gates_model *model = (const gates_model *)base;
    double tau = tau_of(base, y);
    for (size_t j = 0; j < base->d; j++) {
        const gate *g = &model->gates[j];
        coordinate c = at(model, y, tau, j);
        for (int l = 0; l < base->depth; l++)
            weights[(size_t)l * base->d + j] = !is_common(g)           ? l < 2 ? c.w[l] : 0.0
                                               : g->negative >> l & 1u ? -c.w[0]
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

/* Everything at 0: for one example for ever. */
static sf_flow_state rest(flow_model *base, const double *y, double *remaining)
{
    const gates_model *model = (const gates_model *)base;
    double tau = tau_of(base, y), high = -INFINITY;
    bool zero = true;
    *remaining = 0.0;
    for (size_t j = 0; j < base->d; j++) {
        coordinate c = at(model, y, tau, j);
        zero &= model->gates[j].kind == GATE_ZERO;
        if (base->depth > 2)
            high = fmax(high, base->depth * log(fabs(c.w[0])));
    }
    if (zero)
        return SF_FLOW_COLLAPSED;
    return high > LOG_INFINITE ? SF_FLOW_BLOWN_UP : SF_FLOW_RUNNING;
}

static void destroy(flow_model *base)
{
    gates_model *model = (gates_model *)base;
    sf_free(base->context, model->gates);
    sf_free_aligned(base->context, model->beta);
    sf_free_aligned(base->context, model->field);
    sf_free_aligned(base->context, model->moved);
    sf_free_aligned(base->context, model->other);
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

/* ---- creation ---------------------------------------------------------------------------------------------
 */

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
    if (!flow_is_gd(&start->perturbation) && start->perturbation.method != SF_METHOD_LINF)
        return false;
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
    *g = (gate){.s = (signed char)sign_of(field)};
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
    g->sign[0] = (signed char)sign_of(w1);
    g->sign[1] = (signed char)sign_of(w2);
    if (w1 != 0.0 && w2 != 0.0)
        set_pair(model, g, w1, w2, 0.0);
    else
        enter_surface(model, g, w1 == 0.0 ? 0 : 1, w1 == 0.0 ? w2 : w1, 0.0);
}

static sf_status open_gates(gates_model *model, const flow_start *start)
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
        if (!model->single && model->gates[j].kind == GATE_SLIDING)
            return not_covered(model, 0.0, j,
                               "would slide with one layer at 0, which is covered for one example only");
    }
    model->floor =
        model->base.scale * power(size > 0.0 ? size : 1.0, model->base.depth > 2 ? model->base.depth - 2 : 0);
    if (model->single)
        reset_clock(model, 0.0, &clock);
    return SF_OK;
}

sf_status flow_gates_create(sf_context *context, const flow_start *start, flow_model **out)
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
    flow_model_init(&model->base, &GATES, context, start, model->single ? 1 : 1 + d);
    model->data = data;
    model->loss = sf_network_loss(start->network);
    model->rho = flow_is_gd(&start->perturbation) ? 0.0 : start->perturbation.rho;
    model->gates = SF_ARRAY(context, d, gate);
    model->slider = -1;
    size_t work = model->single ? 0 : d;
    model->beta = sf_alloc_doubles(context, work);
    model->field = sf_alloc_doubles(context, work);
    model->moved = sf_alloc_doubles(context, work);
    model->other = sf_alloc_doubles(context, work);
    sf_status status = SF_ERR_MEMORY;
    if (model->gates && model->beta && model->field && model->moved && model->other)
        status = open_gates(model, start);
    if (status != SF_OK)
        destroy(&model->base);
    else
        *out = &model->base;
    return status;
}
