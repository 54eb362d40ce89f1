/* Sliding of linf-SAM where gradient coordinates are 0, several examples (Filippov's solution).
 *
 * On G_j = 0 the offset -rho sign of coordinate j has two sides, s_j = +1 and s_j = -1. Where both lead back to the
 * surface, the trajectory stays on it and moves with a mean of the velocities of the sides; discrete updates chatter
 * between them. With k coordinates on their surfaces at once there are 2^k sides; their means that keep all k
 * gradients at 0 are the Filippov solutions, one for k = 1. Of those for k > 1 the one is taken in which coordinates
 * chatter independently: side v has the weight W_v(a) = prod_j (1 + v_j a_j) / 2, a_j in [-1, 1] the mean sign, with
 *
 *   sum_v W_v N_j^v = 0,   N_j^v = d G_hat_j / dtau on side v   (j = 1..k),
 *
 * solved for a by Newton's method (linear for k = 1). N_j^v = h_j . (d beta/dtau)^v, where
 * h_ji = sum_n p_n r_n (z_nj - G_hat_j) z_ni at the point itself, p_n = s_n / sum s, r_n = d log s_n / d m_n. The same
 * weights average the original time: dt/dtau = sum_v W_v / S^v. A coordinate leaves when its a_j passes +-1, to that
 * side. What rounding leaves of G_j is drawn to 0 by -pull * G_j on the right.
 */
#include <math.h>
#include <string.h>

#include "flow/gates.h"

/* The pull towards G_j = 0 takes at most this share of the speeds of the sides. */
static const double PULL_MOST = 1e-3;

enum { MOST = 6, SIDES = 1 << MOST, NEWTON_STEPS = 60 };

struct gates_chatter {
    size_t k;                  // coordinates that chatter
    size_t index[MOST];        // which
    double a[MOST];            // mean signs of the last solution: where Newton's method starts
    double speed[SIDES][MOST]; // N_j^v
    double log_dt[SIDES];      // log 1/S on the sides
    double drift[MOST];        // G_hat_j at the point itself
    double *normal;            // (MOST, d) h_j
    double *field;             // (SIDES, d) G_hat on the sides, room for `sides` rows
    double *margins;           // (n)
    size_t sides;
};

sf_status gates_chatter_create(sf_context *context, gates_chatter **out)
{
    *out = SF_NEW(context, gates_chatter);
    return *out ? SF_OK : SF_ERR_MEMORY;
}

void gates_chatter_destroy(sf_context *context, gates_chatter **chatter)
{
    if (!*chatter)
        return;
    sf_free(context, (*chatter)->normal);
    sf_free(context, (*chatter)->field);
    sf_free(context, (*chatter)->margins);
    sf_free(context, *chatter);
    *chatter = NULL;
}

bool gates_chatters(const gates_model *model)
{
    return model->chatter && model->chatter->k > 0;
}

bool gates_passed(const gates_model *model, size_t j, double field)
{
    const gate *g = &model->gates[j];
    return g->s * field < -fmax(g->slack, 1e-12 * model->base.scale);
}

/* Work space for k coordinates. */
static sf_status make_room(gates_model *model, size_t k)
{
    gates_chatter *chatter = model->chatter;
    sf_context *context = model->base.context;
    size_t d = model->base.d, sides = (size_t)1 << k;
    if (!chatter->normal && !(chatter->normal = SF_ARRAY(context, MOST * d, double)))
        return SF_ERR_MEMORY;
    if (!chatter->margins && !(chatter->margins = SF_ARRAY(context, model->data->n, double)))
        return SF_ERR_MEMORY;
    if (sides > chatter->sides) {
        double *field = sf_resize(context, chatter->field, sides * d, sizeof *field);
        if (!field)
            return SF_ERR_MEMORY;
        chatter->field = field;
        chatter->sides = sides;
    }
    return SF_OK;
}

static double entry(const gates_model *model, size_t n, size_t i)
{
    size_t stored = model->data->stored;
    const double *z = model->data->z + n * stored;
    return i < stored ? z[i] : -z[i - stored];
}

/* d log s_n / d m_n */
static double slope_rate(sf_loss loss, double margin)
{
    return loss == SF_LOSS_EXPONENTIAL ? -1.0 : expm1(sf_loss_log_slope(loss, margin));
}

/* h_j (d) for coordinate j, and G_hat_j, at the point itself. */
static double normal_of(gates_model *model, const double *y, size_t j, double *h)
{
    size_t d = model->base.d, examples = model->data->n;
    double *margins = model->chatter->margins, log_scale, reference = -INFINITY, sum = 0.0;
    for (size_t i = 0; i < d; i++) {
        gates_coordinate c = gates_at(model, y, 0.0, i);
        model->beta[i] = gates_beta(model, &model->gates[i], &c);
        h[i] = 0.0;
    }
    sf_network_field(model->base.network, model->beta, model->field, &log_scale, NULL, margins);
    double drift = model->field[j];
    for (size_t n = 0; n < examples; n++)
        reference = fmax(reference, sf_loss_log_slope(model->loss, margins[n]));
    for (size_t n = 0; n < examples; n++)
        sum += exp(sf_loss_log_slope(model->loss, margins[n]) - reference);
    for (size_t n = 0; n < examples; n++) {
        double p = exp(sf_loss_log_slope(model->loss, margins[n]) - reference) / sum;
        double q = p * slope_rate(model->loss, margins[n]) * (entry(model, n, j) - drift);
        for (size_t i = 0; i < d; i++)
            h[i] += q * entry(model, n, i);
    }
    return drift;
}

/* x_hat of a chattering coordinate on its side s. */
static double side_hat(const gates_model *model, const double *y, size_t j, double s)
{
    return gates_at(model, y, 0.0, j).w[0] - s * gates_pi(&model->gates[j]) * model->rho;
}

static double sign_on(size_t v, size_t place)
{
    return v >> place & 1u ? 1.0 : -1.0;
}

/* Fields and clocks on all sides. */
static void visit_sides(gates_model *model, const double *y)
{
    gates_chatter *chatter = model->chatter;
    size_t d = model->base.d;
    int depth = model->base.depth;
    for (size_t i = 0; i < d; i++)
        model->beta[i] = gates_at(model, y, 0.0, i).beta_hat;
    for (size_t v = 0; v < (size_t)1 << chatter->k; v++) {
        for (size_t place = 0; place < chatter->k; place++) {
            size_t j = chatter->index[place];
            model->beta[j] =
                gates_pi(&model->gates[j]) * gates_power(side_hat(model, y, j, sign_on(v, place)), depth);
        }
        double log_scale;
        sf_network_field(model->base.network, model->beta, chatter->field + v * d, &log_scale, NULL, NULL);
        chatter->log_dt[v] = -log_scale;
    }
}

/* h . (d beta / dtau) on side v. */
static double speed_on(const gates_model *model, const double *y, size_t v, const double *h)
{
    const gates_chatter *chatter = model->chatter;
    const double *field = chatter->field + v * model->base.d;
    double speed = 0.0;
    for (size_t i = 0; i < model->base.d; i++)
        speed += h[i] * gates_gain(model, y, i) * field[i]; // the gain of those that chatter is 0
    for (size_t place = 0; place < chatter->k; place++) {
        size_t j = chatter->index[place];
        double x = gates_at(model, y, 0.0, j).w[0], hat = side_hat(model, y, j, sign_on(v, place));
        speed += h[j] * model->base.depth * gates_power(x * hat, model->base.depth - 1) * field[j];
    }
    return speed;
}

/* prod over the places but `without` (k: none) of (1 + v a) / 2 */
static double weight_of(const gates_chatter *chatter, const double *a, size_t v, size_t without)
{
    double weight = 1.0;
    for (size_t place = 0; place < chatter->k; place++)
        if (place != without)
            weight *= 0.5 * (1.0 + sign_on(v, place) * a[place]);
    return weight;
}

/* Gaussian elimination with row pivoting; false if singular. */
static bool eliminate(size_t k, double matrix[MOST][MOST], double *right)
{
    for (size_t c = 0; c < k; c++) {
        size_t pivot = c;
        for (size_t r = c + 1; r < k; r++)
            if (fabs(matrix[r][c]) > fabs(matrix[pivot][c]))
                pivot = r;
        if (!(fabs(matrix[pivot][c]) > 0.0))
            return false;
        for (size_t i = 0; i < k; i++) {
            double kept = matrix[c][i];
            matrix[c][i] = matrix[pivot][i];
            matrix[pivot][i] = kept;
        }
        double kept = right[c];
        right[c] = right[pivot];
        right[pivot] = kept;
        for (size_t r = c + 1; r < k; r++) {
            double factor = matrix[r][c] / matrix[c][c];
            for (size_t i = c; i < k; i++)
                matrix[r][i] -= factor * matrix[c][i];
            right[r] -= factor * right[c];
        }
    }
    for (size_t c = k; c-- > 0;) {
        for (size_t i = c + 1; i < k; i++)
            right[c] -= matrix[c][i] * right[i];
        right[c] /= matrix[c][c];
    }
    return true;
}

/* One Newton step on a; its size, or NaN. */
static double newton_step(const gates_chatter *chatter, double pull, double *a)
{
    size_t k = chatter->k;
    double matrix[MOST][MOST], right[MOST], size = 0.0;
    for (size_t j = 0; j < k; j++) {
        double fastest = 0.0;
        for (size_t v = 0; v < (size_t)1 << k; v++)
            fastest = fmax(fastest, fabs(chatter->speed[v][j]));
        right[j] = fmax(-PULL_MOST * fastest, fmin(pull * chatter->drift[j], PULL_MOST * fastest));
        for (size_t i = 0; i < k; i++)
            matrix[j][i] = 0.0;
        for (size_t v = 0; v < (size_t)1 << k; v++) {
            right[j] += weight_of(chatter, a, v, k) * chatter->speed[v][j];
            for (size_t i = 0; i < k; i++)
                matrix[j][i] += 0.5 * sign_on(v, i) * weight_of(chatter, a, v, i) * chatter->speed[v][j];
        }
    }
    if (!eliminate(k, matrix, right))
        return NAN;
    for (size_t j = 0; j < k; j++) {
        a[j] -= right[j];
        size = fmax(size, fabs(right[j]));
    }
    return size;
}

/* Newton's method from a; false if it does not converge. */
static bool newton(const gates_chatter *chatter, double pull, double *a)
{
    for (int step = 0; step < NEWTON_STEPS; step++) {
        double size = newton_step(chatter, pull, a);
        if (!(size < 1e6))
            return false;
        if (size <= 1e-14 || (size <= 1e-12 && step > 8)) // as far as rounding lets it
            return true;
    }
    return false;
}

/* Normals and speeds of the coordinates that chatter. */
static void prepare(gates_model *model, const double *y)
{
    gates_chatter *chatter = model->chatter;
    size_t k = chatter->k, d = model->base.d;
    for (size_t place = 0; place < k; place++)
        chatter->drift[place] = normal_of(model, y, chatter->index[place], chatter->normal + place * d);
    visit_sides(model, y);
    for (size_t v = 0; v < (size_t)1 << k; v++)
        for (size_t place = 0; place < k; place++)
            chatter->speed[v][place] = speed_on(model, y, v, chatter->normal + place * d);
}

/* The mean signs that keep the gradients at 0, from those of the last solution. */
static bool solve(gates_model *model, const double *y)
{
    gates_chatter *chatter = model->chatter;
    double a[MOST];
    prepare(model, y);
    memcpy(a, chatter->a, sizeof a);
    if (!newton(chatter, model->base.scale, a))
        return false;
    memcpy(chatter->a, a, sizeof a);
    return true;
}

/* The same with all mean signs in [-1, 1], from several starts. */
static bool solve_inside(gates_model *model, const double *y)
{
    static const double starts[] = {0.0, 0.7, -0.7};
    gates_chatter *chatter = model->chatter;
    prepare(model, y);
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        double a[MOST], most = 0.0;
        for (size_t place = 0; place < chatter->k; place++)
            a[place] = starts[i];
        bool found = newton(chatter, model->base.scale, a);
        for (size_t place = 0; place < chatter->k; place++)
            most = fmax(most, fabs(a[place]));
        if (found && most <= 1.0) {
            memcpy(chatter->a, a, sizeof a);
            return true;
        }
    }
    return false;
}

bool gates_chatter_rates(gates_model *model, const double *y, double *mean, double *log_dt)
{
    gates_chatter *chatter = model->chatter;
    size_t d = model->base.d, k = chatter->k;
    int depth = model->base.depth;
    double high = -INFINITY, sum = 0.0;
    solve(model, y); // where there is no solution, beyond the end of the mode, the last mean goes on
    memset(mean, 0, d * sizeof *mean);
    for (size_t v = 0; v < (size_t)1 << k; v++)
        high = fmax(high, chatter->log_dt[v]);
    for (size_t v = 0; v < (size_t)1 << k; v++) {
        double weight = weight_of(chatter, chatter->a, v, k), *field = chatter->field + v * d;
        sum += weight * exp(chatter->log_dt[v] - high);
        for (size_t place = 0; place < k; place++) {
            size_t j = chatter->index[place];
            field[j] *= gates_pi(&model->gates[j]) *
                        gates_power(side_hat(model, y, j, sign_on(v, place)), depth - 1); // dx_j / dtau
        }
        for (size_t i = 0; i < d; i++)
            mean[i] += weight * field[i];
    }
    *log_dt = high + log(fmax(sum, 0.0));
    return isfinite(high);
}

bool gates_chatter_ends(gates_model *model, const double *y)
{
    gates_chatter *chatter = model->chatter;
    if (!solve(model, y))
        return true;
    for (size_t place = 0; place < chatter->k; place++)
        if (!(fabs(chatter->a[place]) <= 1.0))
            return true;
    return false;
}

static sf_status not_kept(const gates_model *model, const double *y, size_t j)
{
    return sf_fail(
        model->base.context, SF_ERR_NUMERIC,
        "linf-SAM flow at tau = %.17g: the gradient of feature %zu is 0, and no way on was found that "
        "is consistent with the sides (unequal layers are not covered here)",
        y[0], j);
}

static void take_out(gates_model *model, const double *y, size_t place)
{
    gates_chatter *chatter = model->chatter;
    gates_turn(model, y, chatter->index[place], chatter->a[place] > 0.0 ? 1 : -1);
    // it leaves at a tangent, its gradient growing like the square of time
    model->gates[chatter->index[place]].slack = 2.0 * fabs(chatter->drift[place]);
    chatter->k--;
    for (size_t i = place; i < chatter->k; i++) {
        chatter->index[i] = chatter->index[i + 1];
        chatter->a[i] = chatter->a[i + 1];
    }
}

/* ---- which way on, where gradients of several coordinates are 0 ------------------------------------------- */

/* A coordinate with gradient 0 chatters or continues on one side. */
enum { CHATTERS = 0, PLUS = 1, MINUS = 2, CHOICES = 3 };

static void set_mode(gates_model *model, const double *y, size_t n, const size_t *met, const int *choice)
{
    gates_chatter *chatter = model->chatter;
    chatter->k = 0;
    for (size_t i = 0; i < n; i++) {
        gate *g = &model->gates[met[i]];
        if (choice[i] != CHATTERS) {
            gates_turn(model, y, met[i], choice[i] == PLUS ? 1 : -1);
            continue;
        }
        double x = gates_at(model, y, 0.0, met[i]).w[0];
        g->kind = GATE_CHATTER;
        g->u = x;
        g->base = y[1 + met[i]];
        chatter->index[chatter->k++] = met[i];
    }
}

/* Whether the mode in force leads where it says: a mean inside for those that chatter, and gradients of the others
 * that grow on the side chosen. */
static bool is_consistent(gates_model *model, const double *y, size_t n, const size_t *met, const int *choice)
{
    gates_chatter *chatter = model->chatter;
    if (!solve_inside(model, y))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (choice[i] == CHATTERS)
            continue;
        double speed = 0.0,
               *h = chatter->normal + (MOST - 1) * model->base.d; // free: fewer than MOST chatter
        model->gates[met[i]].slack = 2.0 * fabs(normal_of(model, y, met[i], h));
        for (size_t v = 0; v < (size_t)1 << chatter->k; v++)
            speed += weight_of(chatter, chatter->a, v, chatter->k) * speed_on(model, y, v, h);
        if (!(choice[i] == PLUS ? speed > 0.0 : speed < 0.0))
            return false;
    }
    return true;
}

/* Chooses how the coordinates met (whose gradients are 0) continue: the consistent mode with the most that chatter. */
static sf_status settle(gates_model *model, const double *y, size_t n, const size_t *met)
{
    gate kept[MOST];
    size_t modes = 1;
    for (size_t i = 0; i < n; i++, modes *= CHOICES)
        kept[i] = model->gates[met[i]];
    SF_TRY(make_room(model, n));
    for (size_t chattering = n + 1; chattering-- > 0;)
        for (size_t mode = 0; mode < modes; mode++) {
            int choice[MOST];
            size_t count = 0, rest = mode;
            bool possible = true;
            for (size_t i = 0; i < n; i++, rest /= CHOICES) {
                choice[i] = (int)(rest % CHOICES);
                count += choice[i] == CHATTERS;
                possible &= choice[i] != CHATTERS || kept[i].kind != GATE_PAIR;
            }
            if (count != chattering || !possible)
                continue;
            for (size_t i = 0; i < n; i++)
                model->gates[met[i]] = kept[i];
            set_mode(model, y, n, met, choice);
            if (is_consistent(model, y, n, met, choice))
                return SF_OK;
        }
    return not_kept(model, y, met[n - 1]);
}

sf_status gates_chatter_leave(gates_model *model, const double *y)
{
    gates_chatter *chatter = model->chatter;
    while (chatter->k > 0) {
        if (!solve(model, y)) {
            size_t met[MOST], n = chatter->k;
            memcpy(met, chatter->index, n * sizeof *met);
            return settle(model, y, n, met);
        }
        size_t worst = 0;
        for (size_t place = 1; place < chatter->k; place++)
            if (fabs(chatter->a[place]) > fabs(chatter->a[worst]))
                worst = place;
        if (fabs(chatter->a[worst]) <= 1.0)
            break;
        take_out(model, y, worst);
    }
    return SF_OK;
}

sf_status gates_chatter_meet(gates_model *model, const double *y, size_t j, bool *slides)
{
    gates_chatter *chatter = model->chatter;
    *slides = false;
    if (chatter->k == MOST)
        return sf_fail(
            model->base.context, SF_ERR_NUMERIC,
            "linf-SAM flow at tau = %.17g: more than %d features slide where their gradients are 0", y[0],
            MOST);
    size_t met[MOST], n = chatter->k;
    memcpy(met, chatter->index, n * sizeof *met);
    met[n++] = j;
    SF_TRY(settle(model, y, n, met));
    *slides = model->gates[j].kind == GATE_CHATTER;
    return SF_OK;
}
