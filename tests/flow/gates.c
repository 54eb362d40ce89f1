/* linf-SAM, one example: closed forms of theory, section 2, before and after a coordinate reaches 0, just before a
 * blow-up, and Filippov's sliding of unequal layers worked out by hand.
 */
#include "rig.h"

static rig open_equal(int depth, size_t d, const double *mu, const double *alpha, double rho)
{
    double theta[RIG_MAX];
    for (int l = 0; l < depth; l++)
        memcpy(theta + (size_t)l * d, alpha, d * sizeof *theta);
    return rig_open(test_context(), 1, d, mu, depth, SF_LOSS_LOGISTIC,
                    (sf_perturbation){SF_METHOD_LINF, rho, 0.0}, theta);
}

/* x of dx/dtau = rate x^{depth-1}. */
static double power_law(int depth, double start, double rate, double tau)
{
    int n = depth - 2;
    return n == 0 ? start * exp(rate * tau) : start * pow(1.0 - n * rate * pow(start, n) * tau, -1.0 / n);
}

/* tau at which that reaches x. */
static double power_law_time(int depth, double start, double rate, double x)
{
    int n = depth - 2;
    return n == 0 ? log(x / start) / rate : (pow(start, -n) - pow(x, -n)) / (n * rate);
}

/* Above the gate: growth, and for L >= 3 the blow-up at its end. */
static void test_growth(void **state)
{
    (void)state;
    for (int depth = 2; depth <= 5; depth++) {
        double mu = 0.8, alpha = 0.9, rho = 0.3;
        double end = depth == 2 ? 6.0 : power_law_time(depth, alpha - rho, mu, INFINITY);
        rig r = open_equal(depth, 1, &mu, &alpha, rho);
        const double part[] = {0.1, 0.5, 0.9, 0.999, 1.0 - 1e-6};
        for (size_t i = 0; i < sizeof part / sizeof part[0]; i++) {
            double tau = part[i] * end, hat = power_law(depth, alpha - rho, mu, tau);
            rig_to_tau(&r, tau);
            // the relative error of the closed form itself is that of 1 - tau / tau_max
            double tolerance = 1e-13 + (depth > 2 ? 4e-16 / (1.0 - part[i]) : 0.0);
            assert_relative(r.beta[0], pow(hat + rho, depth), tolerance);
            assert_absolute(r.log_beta[0], depth * log(hat + rho), tolerance);
            double margin = mu * pow(hat, depth);
            if (margin > 1e3) // log t = M - log dM/dtau + O(1/M), here with its first correction
                assert_absolute(sf_flow_log_time(r.flow),
                                margin - log(depth * mu * mu * pow(hat, 2 * depth - 2)) +
                                    (2.0 * depth - 2.0) / depth / margin,
                                50.0 / (margin * margin) + 10.0 * tolerance * margin);
        }
        if (depth > 2) {
            rig_to_tau(&r, 2.0 * end);
            assert_int_equal(sf_flow_get_state(r.flow), SF_FLOW_BLOWN_UP);
            const sf_event *event = rig_event(&r, SF_EVENT_BLOW_UP, 0);
            assert_non_null(event);
            assert_relative(event->tau, end, 1e-13);
            assert_int_equal(event->to, 0);
        }
        rig_close(&r);
    }
}

/* Below the gate, even depth: 0 is reached, and held. The margin at the perturbed point is then mu rho^L. */
static void test_decay_to_zero(void **state)
{
    (void)state;
    for (int depth = 2; depth <= 4; depth += 2)
        for (int sign = -1; sign <= 1; sign += 2) {
            double mu = 1.3 * sign, alpha = 0.4, rho = 0.5, start = alpha - sign * rho;
            double hit = power_law_time(depth, start, mu, -sign * rho);
            rig r = open_equal(depth, 1, &mu, &alpha, rho);
            rig_to_tau(&r, 0.99 * hit);
            double hat = power_law(depth, start, mu, 0.99 * hit);
            assert_relative(r.beta[0], pow(hat + sign * rho, depth), 1e-11);
            rig_to_tau(&r, hit + 1.0);
            assert_true(r.beta[0] == 0.0 && r.theta[0] == 0.0);
            const sf_event *event = rig_event(&r, SF_EVENT_SLIDING, 0);
            assert_non_null(event);
            assert_relative(event->tau, hit, 1e-13);
            double rest = 1.0 + exp(mu * pow(rho, depth));
            assert_absolute(sf_flow_log_time(r.flow), log(exp(event->log_time) + rest), 1e-13);
            rig_close(&r);
        }
}

/* Odd depth: mu > 0 tends to rho^L; mu < 0 passes 0 and is the mirror image from there. */
static void test_odd_depth(void **state)
{
    (void)state;
    for (int depth = 3; depth <= 5; depth += 2) {
        double mu[2] = {1.0, -1.0}, alpha[2] = {0.2, 0.3}, rho = 0.6;
        double hit = power_law_time(depth, alpha[1] + rho, -1.0, rho);
        rig r = open_equal(depth, 2, mu, alpha, rho);
        rig_to_tau(&r, 0.5 * hit);
        assert_relative(r.beta[1], pow(power_law(depth, alpha[1] + rho, -1.0, 0.5 * hit) - rho, depth),
                        1e-12);
        double tau = hit + 20.0;
        rig_to_tau(&r, tau);
        assert_relative(r.beta[0], pow(rho - power_law(depth, rho - alpha[0], -1.0, tau), depth), 1e-12);
        assert_relative(r.beta[1], -pow(rho - power_law(depth, rho, -1.0, 20.0), depth), 1e-12);
        assert_null(rig_event(&r, SF_EVENT_SLIDING, 0));
        rig_close(&r);
    }
}

/* At the gate exactly: beta = rho^L for ever. */
static void test_at_the_gate(void **state)
{
    (void)state;
    double mu[2] = {1.0, 2.0}, alpha[2] = {0.5, 0.4};
    rig r = open_equal(2, 2, mu, alpha, 0.5);
    rig_to_tau(&r, 10.0);
    assert_relative(r.beta[0], 0.25, 1e-15);
    assert_true(r.beta[1] == 0.0);
    rig_close(&r);
}

/* At the gate with nothing else to move: beta_hat = 0, so t = tau (1 + e^0) to any time. */
static void test_rest_at_the_gate(void **state)
{
    (void)state;
    double mu = 2.0, alpha = 0.5;
    for (int depth = 2; depth <= 4; depth++) {
        rig r = open_equal(depth, 1, &mu, &alpha, 0.5);
        rig_to_log_time(&r, 50.0);
        assert_int_equal(sf_flow_get_state(r.flow), SF_FLOW_RESTING);
        assert_relative(sf_flow_tau(r.flow), 0.5 * exp(50.0), 1e-12);
        assert_relative(r.beta[0], pow(0.5, depth), 1e-15);
        rig_close(&r);
    }
}

/* Unequal layers, mu = rho = 1, w = (0.3, 0.5). From (+,+), u_hat = -1.2 e^tau, v_hat = -0.2 e^-tau: w_1 is 0 first; then
 * w_2 = b < rho falls at the rate 1 and reaches 0 too. While w_1 slides, beta_hat = -(b - 1) on the side w_1 > 0, which has
 * weight (1 + b)/2, and -(b + 1) on the other, so dt/dtau = 1 + (1 + b)/2 e^{1-b} + (1 - b)/2 e^{-1-b}. */
static void test_sliding(void **state)
{
    (void)state;
    double mu = 1.0, theta[2] = {0.3, 0.5};
    rig r = rig_open(test_context(), 1, 1, &mu, 2, SF_LOSS_LOGISTIC,
                     (sf_perturbation){SF_METHOD_LINF, 1.0, 0.0}, theta);
    // 1 + (-1.2 g - 0.2 / g) / 2 = 0 for g = e^tau: 1.2 g^2 - 2 g + 0.2 = 0
    double g = (2.0 + sqrt(4.0 - 0.96)) / 2.4, hit = log(g), b = 1.0 + 0.5 * (-1.2 * g + 0.2 / g);
    rig_to_tau(&r, 0.5 * hit);
    g = exp(0.5 * hit);
    assert_relative(r.theta[0], 1.0 + 0.5 * (-1.2 * g - 0.2 / g), 1e-13);
    assert_relative(r.theta[1], 1.0 + 0.5 * (-1.2 * g + 0.2 / g), 1e-13);
    rig_to_tau(&r, hit);
    const sf_event *event = rig_event(&r, SF_EVENT_SLIDING, 0);
    rig_to_tau(&r, hit + 0.75 * b);
    if (!event)
        event = rig_event(&r, SF_EVENT_SLIDING, 0);
    assert_non_null(event);
    assert_relative(event->tau, hit, 1e-13);
    double entry = event->log_time;
    assert_true(r.theta[0] == 0.0);
    assert_relative(r.theta[1], 0.25 * b, 1e-12);
    // int (1+x)/2 e^{1-x} dx = -(x + 2)/2 e^{1-x},  int (1-x)/2 e^{-1-x} dx = x/2 e^{-1-x}
    double low = 0.25 * b;
    double spent = 0.75 * b - 0.5 * (b + 2.0) * exp(1.0 - b) + 0.5 * (low + 2.0) * exp(1.0 - low) +
                   0.5 * b * exp(-1.0 - b) - 0.5 * low * exp(-1.0 - low);
    assert_absolute(sf_flow_log_time(r.flow), log(exp(entry) + spent), 1e-12);
    rig_to_tau(&r, hit + b + 1.0);
    size_t count;
    const sf_event *events = sf_flow_events(r.flow, &count);
    assert_int_equal(count, 3); // sliding, sliding, collapse
    assert_relative(events[1].tau, hit + b, 1e-13);
    assert_true(isnan(sf_flow_log_time(r.flow)));
    assert_int_equal(sf_flow_get_state(r.flow), SF_FLOW_COLLAPSED);
    rig_close(&r);
}

/* Unequal layers from (+,+): growth iff w_1 + w_2 > 2 rho (theory, section 2.3), here on both sides of it. */
static void test_unequal_threshold(void **state)
{
    (void)state;
    double mu = 1.0;
    for (int side = -1; side <= 1; side += 2) {
        double theta[2] = {0.7, 0.3 + 1e-6 * side};
        rig r = rig_open(test_context(), 1, 1, &mu, 2, SF_LOSS_LOGISTIC,
                         (sf_perturbation){SF_METHOD_LINF, 0.5, 0.0}, theta);
        rig_to_tau(&r, 30.0);
        assert_int_equal(r.theta[0] > 1.0, side > 0);
        assert_int_equal(r.beta[0] == 0.0, side < 0);
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growth),           cmocka_unit_test(test_decay_to_zero),
        cmocka_unit_test(test_odd_depth),        cmocka_unit_test(test_at_the_gate),
        cmocka_unit_test(test_rest_at_the_gate), cmocka_unit_test(test_sliding),
        cmocka_unit_test(test_unequal_threshold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
