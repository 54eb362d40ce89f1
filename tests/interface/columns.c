/* All records of a trajectory in one call: the same numbers as record by record, and as the closed form has them. */
#include "support.h"

static void test_columns(void **state)
{
    (void)state;
    enum { MOST = 300, D = 2 };
    static const char text[] = "data: {example: [1, 2]}\n"
                               "network: {depth: 2, init: 0.5}\n"
                               "optimizer: {method: linf-sam, rho: 0.1}\n"
                               "dynamics: {mode: flow, until: {tau: 2}}\n"
                               "record: {samples: 200}\n";
    sf_context *context = test_context();
    sf_experiment *experiment;
    sf_trajectory *trajectory;
    assert_ok(context, sf_experiment_parse(context, "text", text, 0, NULL, &experiment));
    assert_ok(context, sf_experiment_run(experiment, &trajectory));
    size_t n = sf_trajectory_records(trajectory);
    assert_true(n > 100 && n <= MOST && sf_trajectory_features(trajectory) == D);
    static double tau[MOST], log_time[MOST], log_loss[MOST], beta[MOST * D], logs[MOST * D];
    sf_trajectory_columns columns = {.tau = tau, .beta = beta};
    assert_status(context, sf_trajectory_read_columns(trajectory, &columns), SF_ERR_ARGUMENT);
    assert_status(context, sf_trajectory_read_columns(trajectory, NULL), SF_ERR_ARGUMENT);
    columns = (sf_trajectory_columns){.size = sizeof columns,
                                      .tau = tau,
                                      .log_time = log_time,
                                      .log_loss = log_loss,
                                      .beta = beta,
                                      .log_abs_beta = logs};
    assert_ok(context, sf_trajectory_read_columns(trajectory, &columns));
    for (size_t i = 0; i < n; i++) {
        for (size_t j = 0; j < D; j++) { // w = rho + (alpha - rho) e^{mu tau} (theory, Corollary 3.5)
            double w = 0.1 + 0.4 * exp((double)(j + 1) * tau[i]);
            assert_relative(beta[i * D + j], w * w, 1e-9);
            assert_absolute(logs[i * D + j], 2.0 * log(w), 1e-9);
        }
        sf_record record = sf_trajectory_record(trajectory, i);
        assert_true(record.tau == tau[i] && record.log_time == log_time[i] && record.log_loss == log_loss[i]);
        assert_memory_equal(record.beta, beta + i * D, D * sizeof *beta);
        assert_memory_equal(record.log_abs_beta, logs + i * D, D * sizeof *logs);
    }
    sf_record none = sf_trajectory_record(trajectory, n);
    assert_true(isnan(none.tau) && isnan(none.step) && !none.beta && !none.log_abs_beta);
    sf_trajectory_destroy(&trajectory);
    sf_experiment_destroy(&experiment);
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_columns)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
