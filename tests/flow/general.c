/* Laws that hold for every flow, whatever its model: invariants, symmetries, limits, the discrete update as eta -> 0. */
#include "rig.h"

static const double Z[4 * 3] = {1.0, 0.4, -0.3, 0.2, 1.1, 0.5, 0.7, -0.2, 1.2, 0.9, 0.8, 0.1};
static const double W[4 * 3] = {0.5, -0.3, 0.7, 0.4, 0.6, -0.2, 0.8, 0.3, 0.4, 0.6, 0.5, 0.9};

static const sf_perturbation METHODS[] = {{SF_METHOD_GD, 0.0, 0.0},
                                          {SF_METHOD_L2, 0.1, 0.0},
                                          {SF_METHOD_LP, 0.1, 3.0},
                                          {SF_METHOD_USAM, 0.2, 0.0},
                                          {SF_METHOD_LINF, 0.05, 0.0}};
enum { METHOD_COUNT = sizeof METHODS / sizeof METHODS[0] };

/* GD conserves w_k^2 - w_l^2. */
static void test_conservation(void **state)
{
    (void)state;
    for (int depth = 2; depth <= 4; depth++) {
        rig r = rig_open(test_context(), 4, 3, Z, depth, SF_LOSS_LOGISTIC, METHODS[0], W);
        rig_to_log_time(&r, depth == 2 ? 100.0 : 20.0);
        for (int l = 1; l < depth; l++)
            for (int j = 0; j < 3; j++) {
                double first = r.theta[j], other = r.theta[l * 3 + j];
                double before = W[j] * W[j] - W[l * 3 + j] * W[l * 3 + j];
                assert_absolute(first * first - other * other, before, 1e-10 * (1.0 + first * first));
            }
        rig_close(&r);
    }
}

/* rho = 0 is GD, whatever the method is called. */
static void test_no_radius(void **state)
{
    (void)state;
    for (int depth = 1; depth <= 3; depth++)
        for (int m = 1; m < METHOD_COUNT; m++) {
            sf_perturbation none = METHODS[m];
            none.rho = 0.0;
            rig a = rig_open(test_context(), 4, 3, Z, depth, SF_LOSS_EXPONENTIAL, METHODS[0], W);
            rig b = rig_open(test_context(), 4, 3, Z, depth, SF_LOSS_EXPONENTIAL, none, W);
            rig_to_log_time(&a, 3.0);
            rig_to_log_time(&b, 3.0);
            for (int j = 0; j < 3; j++)
                assert_true(a.beta[j] == b.beta[j]);
            rig_close(&a);
            rig_close(&b);
        }
}

/* Renaming the coordinates renames the result, renaming the examples changes nothing. */
static void test_permutations(void **state)
{
    (void)state;
    const int to[3] = {2, 0, 1};
    for (int depth = 1; depth <= 3; depth++)
        for (int m = 0; m < METHOD_COUNT; m++) {
            double z[12], w[9];
            for (int n = 0; n < 4; n++)
                for (int j = 0; j < 3; j++)
                    z[(3 - n) * 3 + to[j]] = Z[n * 3 + j];
            for (int l = 0; l < depth; l++)
                for (int j = 0; j < 3; j++)
                    w[l * 3 + to[j]] = W[l * 3 + j];
            rig a = rig_open(test_context(), 4, 3, Z, depth, SF_LOSS_LOGISTIC, METHODS[m], W);
            rig b = rig_open(test_context(), 4, 3, z, depth, SF_LOSS_LOGISTIC, METHODS[m], w);
            rig_to_tau(&a, 0.4);
            rig_to_tau(&b, 0.4);
            for (int j = 0; j < 3; j++)
                assert_relative(b.beta[to[j]], a.beta[j], 1e-9);
            assert_absolute(sf_flow_log_time(b.flow), sf_flow_log_time(a.flow), 1e-9);
            rig_close(&a);
            rig_close(&b);
        }
}

/* The error of beta of the discrete update at time 2 with this step. */
static double discrete_error(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                             const double *expected, double eta)
{
    sf_descent *descent;
    double beta[3], error = 0.0;
    assert_ok(context, sf_descent_create(context, network, perturbation, eta, W, &descent));
    assert_ok(context, sf_descent_advance(descent, (uint64_t)lround(2.0 / eta)));
    sf_network_predictor(network, sf_descent_theta(descent), beta);
    for (int j = 0; j < 3; j++)
        error = fmax(error, fabs(beta[j] - expected[j]));
    sf_descent_destroy(&descent);
    return error;
}

/* The discrete update tends to the flow, to first order in eta. */
static void test_discrete_limit(void **state)
{
    (void)state;
    for (int depth = 1; depth <= 3; depth++)
        for (int m = 0; m < METHOD_COUNT - 1; m++) {
            rig r = rig_open(test_context(), 4, 3, Z, depth, SF_LOSS_LOGISTIC, METHODS[m], W);
            rig_to_log_time(&r, log(2.0));
            double coarse = discrete_error(r.context, r.network, &METHODS[m], r.beta, 0.002);
            double fine = discrete_error(r.context, r.network, &METHODS[m], r.beta, 0.001);
            double finest = discrete_error(r.context, r.network, &METHODS[m], r.beta, 0.0005);
            assert_true(finest < 2e-3);
            assert_relative(coarse / fine, 2.0, 0.02);
            assert_relative(fine / finest, 2.0, 0.02);
            rig_close(&r);
        }
}

/* L = 1, one example: all methods move along the same straight line as GD. */
static void test_straight_line(void **state)
{
    (void)state;
    for (int m = 0; m < METHOD_COUNT; m++) {
        rig r = rig_open(test_context(), 1, 3, Z, 1, SF_LOSS_LOGISTIC, METHODS[m], W);
        rig_to_tau(&r, 5.0);
        for (int j = 0; j < 3; j++)
            assert_relative(r.beta[j], W[j] + 5.0 * Z[j], 1e-11);
        rig_close(&r);
    }
}

/* Two examples in the plane, both support vectors of the l1-max-margin direction b = (x, 1 - x) with <b, z_1> = <b, z_2>:
 * the direction error is K / log t with the same K for GD and l2-SAM, and ||eps|| = rho at margins of 1e5. */
static void test_max_margin(void **state)
{
    (void)state;
    const double z[4] = {0.8, 1.4, 1.0, 0.7}, w[4] = {0.1, 0.1, 0.1, 0.1};
    double x = (1.4 - 0.7) / (1.4 - 0.7 + 1.0 - 0.8), constant[2][2];
    for (int m = 0; m < 2; m++) {
        rig r = rig_open(test_context(), 2, 2, z, 2, SF_LOSS_LOGISTIC, METHODS[m], w);
        for (int k = 0; k < 2; k++) {
            double log_time = k ? 1e5 : 1e4, log_loss, margin, norm;
            rig_to_log_time(&r, log_time);
            double error = fabs(r.beta[0] / (r.beta[0] + r.beta[1]) - x);
            constant[m][k] = error * log_time;
            sf_flow_evaluate(r.flow, &log_loss, &margin, &norm);
            assert_true(margin > 0.9 * log_time);
            assert_relative(norm, METHODS[m].rho, 1e-12);
        }
        assert_relative(constant[m][0], constant[m][1], 0.05);
        rig_close(&r);
    }
    assert_relative(constant[0][1], constant[1][1], 0.05);
}

/* Several examples to log t = 1e6: the derivative of log s_n is 1e6 there, and the steps of the integrator stay as long as they
 * were (a difference quotient in its place stops l2-SAM near 1e5). A feature off the support fades like (log t)^{zeta - 1}
 * beside K / log t (theory, section 6), zeta that of the limit direction: the same falls for every method. */
static void test_far(void **state)
{
    (void)state;
    static const double z[] = {
        0.14,  0.56, 1.29, 1.5,  1.29, 1.54,  0.85,  1.02,  1.01, 0.0,  0.17, 0.91, 0.55, 1.41, 1.46,  1.77,
        0.88,  1.48, 0.14, 0.2,  0.95, 0.82,  -0.28, -0.35, 1.11, 0.13, 1.4,  0.92, 1.08, 0.77, 1.22,  0.6,
        1.55,  0.33, 0.54, 0.28, 1.26, 0.67,  0.16,  1.89,  0.68, 0.58, 0.92, 1.74, 0.81, 1.07, 0.74,  -0.19,
        1.37,  1.26, 0.54, 0.68, -0.0, -0.27, 0.44,  1.06,  0.62, 0.82, 1.26, 0.74, 1.24, 1.51, -0.07, 1.13,
        -0.23, 0.91, 0.8,  0.36, 0.25, 0.61,  0.43,  0.75,  0.35, 0.97, 0.06, 0.5,  0.66, 1.41, -0.22, 0.44};
    const sf_perturbation method[3] = {
        {SF_METHOD_GD, 0.0, 0.0}, {SF_METHOD_L2, 0.5, 0.0}, {SF_METHOD_USAM, 0.1, 0.0}};
    double w[8] = {0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2}, direction[3][4], fall[3];
    for (int m = 0; m < 3; m++) {
        rig r = rig_open(test_context(), 20, 4, z, 2, SF_LOSS_LOGISTIC, method[m], w);
        const double log_time[3] = {1e4, 1e5, 1e6};
        for (int k = 0; k < 3; k++) {
            double margin, norm = 0.0;
            rig_to_log_time(&r, log_time[k]);
            sf_flow_evaluate(r.flow, NULL, &margin, NULL);
            assert_relative(margin, log_time[k], 1e-2);
            for (int j = 0; j < 4; j++)
                norm += fabs(r.beta[j]);
            for (int j = 0; j < 4; j++)
                direction[k][j] = r.beta[j] / norm;
        }
        assert_true(sf_flow_get_work(r.flow).steps < 10000);
        double near = 0.0, far = 0.0;
        for (int j = 0; j < 4; j++) {
            near += fabs(direction[0][j] - direction[1][j]);
            far += fabs(direction[1][j] - direction[2][j]);
        }
        fall[m] = near / far;
        assert_true(fall[m] > 2.0 && fall[m] < 10.0);
        assert_relative(fall[m], fall[0], 0.02);
        rig_close(&r);
    }
}

/* linf-SAM, L = 1, several examples: tends to the l2-max-margin direction (Theorem 3.1), here that of two orthogonal
 * support vectors of lengths 1 and 2: z_1 + z_2 / 4 up to a factor. */
static void test_linf_one_layer(void **state)
{
    (void)state;
    const double z[6] = {0.6, 0.8, -1.6, 1.2, 3.0, 3.0}, w[2] = {0.4, 0.3};
    rig r = rig_open(test_context(), 3, 2, z, 1, SF_LOSS_LOGISTIC,
                     (sf_perturbation){SF_METHOD_LINF, 0.2, 0.0}, w);
    rig_to_log_time(&r, 1e5);
    assert_absolute(atan2(r.beta[1], r.beta[0]), atan2(0.8 + 0.3, 0.6 - 0.4), 1e-4);
    rig_close(&r);
}

/* The same example twice is the same example: beta = tau z from any tiny start, L = 1. */
static void test_from_zero(void **state)
{
    (void)state;
    const double z[4] = {1.5, -0.25, 1.5, -0.25}, tiny[3] = {0.0, 1e-150, 1e-300};
    for (int k = 0; k < 3; k++) {
        double w[2] = {0.0, tiny[k]};
        rig r = rig_open(test_context(), 2, 2, z, 1, SF_LOSS_LOGISTIC,
                         (sf_perturbation){SF_METHOD_GD, 0.0, 0.0}, w);
        rig_to_tau(&r, 3.0);
        assert_relative(r.beta[0], 4.5, 1e-9);
        assert_relative(r.beta[1], -0.75, 1e-9);
        rig_close(&r);
    }
}

/* Again, L = 3: 1 / x = 1 / alpha - tau, to the blow-up at 1 / alpha from starts of every size. */
static void test_twice_blow_up(void **state)
{
    (void)state;
    const double z[2] = {1.0, 1.0}, alpha[3] = {0.7, 1e-5, 1e-200};
    for (int k = 0; k < 3; k++) {
        double w[3] = {alpha[k], alpha[k], alpha[k]}, end = 1.0 / alpha[k];
        rig r = rig_open(test_context(), 2, 1, z, 3, SF_LOSS_LOGISTIC,
                         (sf_perturbation){SF_METHOD_GD, 0.0, 0.0}, w);
        rig_to_tau(&r, 0.5 * end);
        assert_relative(r.theta[0], 2.0 * alpha[k], 1e-9);
        rig_to_tau(&r, 10.0 * end);
        const sf_event *event = rig_event(&r, SF_EVENT_BLOW_UP, 0);
        assert_non_null(event);
        assert_relative(event->tau, end, 1e-9);
        rig_close(&r);
    }
}

/* L = 3, N = 1, equal layers, l2-SAM: w' = -(w + rho / sqrt 3)^2 passes 0, whatever stands beside it without data. */
static void test_passes_zero(void **state)
{
    (void)state;
    const double z[2] = {-1.0, 0.0}, w[6] = {0.7, 1.0, 0.7, 1.0, 0.7, 1.0}, e = 2.0 / sqrt(3.0);
    rig r =
        rig_open(test_context(), 1, 2, z, 3, SF_LOSS_LOGISTIC, (sf_perturbation){SF_METHOD_L2, 2.0, 0.0}, w);
    for (int k = 1; k <= 4; k++) {
        double tau = 0.5 * k, x = 1.0 / (1.0 / (0.7 + e) + tau) - e;
        rig_to_tau(&r, tau);
        assert_relative(r.beta[0], x * x * x, 1e-8);
        assert_absolute(r.beta[1], 1.0, 0.0);
    }
    rig_close(&r);
}

/* L layers, N = 1: many weights are no blow-up. w^{2-L} = w_0^{2-L} - (L-2) tau. */
static void test_many_layers(void **state)
{
    (void)state;
    enum { DEPTH = 120 };
    double z = 1.0, w[DEPTH], tau = 0.5 * pow(0.97, -(DEPTH - 2)) / (DEPTH - 2);
    for (int l = 0; l < DEPTH; l++)
        w[l] = 0.97;
    rig r = rig_open(test_context(), 1, 1, &z, DEPTH, SF_LOSS_LOGISTIC,
                     (sf_perturbation){SF_METHOD_USAM, 1e-300, 0.0}, w);
    sf_flow_target target = rig_target(tau, INFINITY);
    assert_ok(r.context, sf_flow_advance(r.flow, &target));
    sf_flow_theta(r.flow, w); // the rig has no room for so many
    assert_relative(w[0], 0.97 * pow(0.5, -1.0 / (DEPTH - 2)), 1e-9);
    assert_null(rig_event(&r, SF_EVENT_BLOW_UP, 0));
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conservation),  cmocka_unit_test(test_no_radius),
        cmocka_unit_test(test_permutations),  cmocka_unit_test(test_discrete_limit),
        cmocka_unit_test(test_straight_line), cmocka_unit_test(test_max_margin),
        cmocka_unit_test(test_far),           cmocka_unit_test(test_linf_one_layer),
        cmocka_unit_test(test_from_zero),     cmocka_unit_test(test_twice_blow_up),
        cmocka_unit_test(test_passes_zero),   cmocka_unit_test(test_many_layers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
