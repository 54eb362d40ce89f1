/* Leads that are gained and lost, on the closed form of gradient descent on one example and two layers:
 * u = w_1 + w_2 = u(0) e^{mu tau}, v = w_1 - w_2 = v(0) e^{-mu tau}, beta = (u^2 - v^2) / 4. */
#include "rig.h"

enum { MOST = 64, GRID = 200000 };

typedef struct change {
    double tau;
    int from, to;
} change;

static double beta_at(const double *theta, size_t d, double mu, size_t j, double tau)
{
    double u = (theta[j] + theta[d + j]) * exp(mu * tau), v = (theta[j] - theta[d + j]) * exp(-mu * tau);
    return 0.25 * (u - v) * (u + v);
}

static int leader_at(const double *theta, size_t d, const double *mu, double tau)
{
    int top = 0;
    for (size_t j = 1; j < d; j++)
        if (fabs(beta_at(theta, d, mu[j], j, tau)) > fabs(beta_at(theta, d, mu[top], (size_t)top, tau)))
            top = (int)j;
    return top;
}

static size_t changes_of(const double *theta, size_t d, const double *mu, double end, change *list)
{
    size_t count = 0;
    int leader = leader_at(theta, d, mu, 0.0);
    for (int k = 1; k <= GRID; k++) {
        double low = end * (k - 1) / GRID, high = end * k / GRID;
        int top = leader_at(theta, d, mu, high);
        if (top == leader || count == MOST)
            continue;
        for (int i = 0; i < 60; i++) {
            double middle = 0.5 * (low + high);
            *(leader_at(theta, d, mu, middle) == leader ? &low : &high) = middle;
        }
        list[count++] = (change){high, leader, top};
        leader = top;
    }
    return count;
}

/* The flow's list is that of the closed form; its length. The same example may be given `copies` times. */
static size_t compare(const double *theta, size_t d, const double *mu, double end, size_t copies)
{
    change expected[MOST];
    double z[3 * RIG_MAX];
    size_t count = changes_of(theta, d, mu, end, expected), found, seen = 0;
    for (size_t n = 0; n < copies; n++)
        memcpy(z + n * d, mu, d * sizeof *mu);
    rig r = rig_open(test_context(), copies, d, z, 2, SF_LOSS_LOGISTIC,
                     (sf_perturbation){SF_METHOD_GD, 0.0, 0.0}, theta);
    rig_to_tau(&r, end);
    const sf_event *events = sf_flow_events(r.flow, &found);
    for (size_t i = 0; i < found; i++) {
        if (events[i].kind != SF_EVENT_DOMINANCE)
            continue;
        assert_true(seen < count);
        assert_relative(events[i].tau, expected[seen].tau, 1e-9);
        assert_int_equal(events[i].from, expected[seen].from);
        assert_int_equal(events[i].to, expected[seen].to);
        seen++;
    }
    assert_int_equal(seen, count);
    rig_close(&r);
    return count;
}

/* The leader passes 0: another coordinate leads for 1.4e-4 of tau, within one step of the integrator. */
static void test_short_lead(void **state)
{
    (void)state;
    const double mu[2] = {-1.5549507708145351, 0.8256540842678213};
    const double theta[4] = {1.7245005724011564, 0.052978089165625845, 0.6656498341864859,
                             -0.24358541852404866};
    for (size_t copies = 1; copies <= 3; copies++)
        assert_int_equal(compare(theta, 2, mu, 6.0, copies), 2);
}

static void test_random(void **state)
{
    (void)state;
    sf_random random = sf_random_make(13, 0);
    size_t changes = 0;
    for (int i = 0; i < 60; i++) {
        double mu[5], theta[10];
        size_t d = 2 + (size_t)i % 4;
        for (size_t j = 0; j < d; j++)
            mu[j] = 1.5 * sf_random_normal(&random);
        for (size_t j = 0; j < 2 * d; j++)
            theta[j] = sf_random_normal(&random);
        changes += compare(theta, d, mu, 3.0, 1 + (size_t)i % 2);
    }
    assert_true(changes > 60);
}

/* Beyond 64 layers, and for several examples, errors of a weight count L-fold. A predictor that is large from the start is no blow-up: w^(2 - L) = alpha^(2 - L) - (L - 2) mu tau. */
static void test_large_start(void **state)
{
    (void)state;
    static const struct {
        int depth;
        double alpha, mu;
    } given[] = {{1000, 1.5, 0.68}, {300, 2.3, 1.7}, {60, 80.0, 0.3}, {5, 1e50, 2.0}};
    for (size_t i = 0; i < sizeof given / sizeof given[0]; i++)
        for (size_t copies = 1; copies <= 2; copies++) {
            int depth = given[i].depth;
            double theta[1000], z[2] = {given[i].mu, given[i].mu}, power = depth - 2.0;
            double end = pow(given[i].alpha, -power) / (power * given[i].mu);
            for (int l = 0; l < depth; l++)
                theta[l] = given[i].alpha;
            rig r = rig_open(test_context(), copies, 1, z, depth, SF_LOSS_LOGISTIC,
                             (sf_perturbation){SF_METHOD_GD, 0.0, 0.0}, theta);
            rig_to_tau(&r, 0.5 * end);
            assert_relative(r.log_beta[0], depth * (log(given[i].alpha) + log(2.0) / power), 1e-8);
            rig_to_tau(&r, 2.0 * end);
            const sf_event *event = rig_event(&r, SF_EVENT_BLOW_UP, 0);
            assert_non_null(event);
            assert_relative(event->tau, end, depth <= 64 && copies == 1 ? 1e-10 : 1e-5);
            rig_close(&r);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_short_lead), cmocka_unit_test(test_random),
                                       cmocka_unit_test(test_large_start)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
