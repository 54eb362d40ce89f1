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
}

/* The reference takes the form without cancellation on either side, as 1 - e^y rounds to 1 in any precision.
 */
static void test_log1m_exp(void **state)
{
    (void)state;
    for (double y = -700.0; y < 0.0; y += 0.0731) {
        long double x = y;
        double expected = (double)(y > -0.7 ? logl(-expm1l(x)) : log1pl(-expl(x)));
        assert_relative(sf_log1m_exp(y), expected, 4e-16);
    }
    for (double y = -1.0; y < -1e-300; y /= 7.0)
        assert_relative(sf_log1m_exp(y), (double)logl(-expm1l((long double)y)), 4e-16);
    assert_true(sf_log1m_exp(0.0) == -INFINITY);
    assert_true(sf_log1m_exp(-INFINITY) == 0.0);
    assert_true(isnan(sf_log1m_exp(NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_log1p_exp), cmocka_unit_test(test_log_sums),
                                       cmocka_unit_test(test_log1m_exp)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
