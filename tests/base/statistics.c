/* Student's quantiles against printed tables and closed forms, and the interval of a mean by hand. */
#include "support.h"

static void test_quantiles(void **state)
{
    (void)state;
    // mpmath 1.3: the root of 1 - betainc(v/2, 1/2, 0, v/(v + t^2)) = level, with 30 digits
    static const struct {
        size_t degrees;
        double t95, t99;
    } table[] = {{1, 12.7062047361747, 63.65674116287158},   {2, 4.302652729749464, 9.924843200918293},
                 {3, 3.18244630528371, 5.840909309733357},   {4, 2.776445105197794, 4.604094871349993},
                 {9, 2.262157162798206, 3.249835541592126},  {10, 2.228138851986275, 3.169272672616951},
                 {29, 2.045229642132704, 2.756385903670605}, {30, 2.042272456301238, 2.749995653567225}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        assert_relative(sf_student_quantile(table[i].degrees, 0.95), table[i].t95, 1e-11);
        assert_relative(sf_student_quantile(table[i].degrees, 0.99), table[i].t99, 1e-11);
    }
    for (double level = 0.1; level < 1.0; level += 0.2) { // tan(pi p / 2), and p sqrt(2 / (1 - p^2))
        assert_relative(sf_student_quantile(1, level), tan(1.5707963267948966 * level), 1e-12);
        assert_relative(sf_student_quantile(2, level), level * sqrt(2.0 / (1.0 - level * level)), 1e-12);
    }
    assert_absolute(sf_student_quantile(100000, 0.95), 1.95998770753461, 1e-10); // near the normal one
    assert_true(isnan(sf_student_quantile(0, 0.95)) && isnan(sf_student_quantile(3, 1.0)) &&
                isnan(sf_student_quantile(3, NAN)));
}

static void test_interval(void **state)
{
    (void)state;
    const double x[] = {1.0, 2.0, 6.0}, broken[] = {1.0, NAN, 2.0};
    sf_interval i = sf_mean_interval(3, x, 0.95);
    assert_absolute(i.mean, 3.0, 1e-15);
    // variance ((4 + 1 + 9) / 2) = 7
    assert_relative(i.half_width, 4.30265272974946 * sqrt(7.0 / 3.0), 1e-11);
    i = sf_mean_interval(1, x, 0.95);
    assert_true(i.mean == 1.0 && isnan(i.half_width));
    i = sf_mean_interval(0, x, 0.95);
    assert_true(isnan(i.mean) && isnan(i.half_width));
    i = sf_mean_interval(3, broken, 0.95);
    assert_true(isnan(i.mean) && isnan(i.half_width));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_quantiles), cmocka_unit_test(test_interval)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
