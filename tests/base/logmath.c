/* Log-domain arithmetic against identities and long double. */
#include "support.h"

static void test_log1p_exp(void **state)
{
    (void)state;
    for (double x = -745.0; x <= 60.0; x += 0.37) {
        double expected = (double)log1pl(expl((long double)x));
        assert_relative(sf_log1p_exp(x), expected, 1e-15);
    }
    assert_relative(sf_log1p_exp(1e300), 1e300, 0.0);
    assert_true(isnan(sf_log1p_exp(NAN)));
}

static void test_log_sums(void **state)
{
    (void)state;
    double x[3] = {1e5, 1e5 + log(2.0), -INFINITY};
    assert_relative(sf_log_sum_exp(3, x), 1e5 + log(3.0), 1e-15);
    assert_relative(sf_log_add(-1e5, -1e5), -1e5 + log(2.0), 1e-15);
    assert_true(sf_log_add(-INFINITY, -INFINITY) == -INFINITY);
    assert_true(sf_log_sum_exp(0, NULL) == -INFINITY);
    assert_true(isnan(sf_log_add(NAN, 1.0)));
    for (double y = -800.0; y < 0.0; y += 0.731)
        assert_relative(sf_log1m_exp(y), (double)logl(-expm1l((long double)y)), 3e-16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_log1p_exp), cmocka_unit_test(test_log_sums)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
