/* The comparator and the verdicts: what passes, what fails, and that NaN always fails. */
#include "support.h"

static sf_check check(sf_relation relation, double predicted, double measured, double tolerance)
{
    return (sf_check){"quantity", relation, predicted, measured, tolerance, true, NULL};
}

static void test_relations(void **state)
{
    (void)state;
    const struct {
        sf_relation relation;
        double predicted, measured, tolerance;
        bool passes;
    } cases[] = {
        {SF_RELATION_EQUAL, 1.0, 1.0, 0.0, true},         {SF_RELATION_EQUAL, 1.0, 1.1, 0.2, true},
        {SF_RELATION_EQUAL, 1.0, 1.1, 0.05, false},       {SF_RELATION_EQUAL, -1.0, 1.0, 1.0, false},
        {SF_RELATION_RELATIVE, 100.0, 101.0, 0.02, true}, {SF_RELATION_RELATIVE, -100.0, -103.0, 0.02, false},
        {SF_RELATION_RELATIVE, 0.0, 1e-30, 0.5, false},   {SF_RELATION_AT_MOST, 1.0, 0.5, 0.0, true},
        {SF_RELATION_AT_MOST, 1.0, 1.5, 0.0, false},      {SF_RELATION_AT_MOST, 1.0, -INFINITY, 0.0, true},
        {SF_RELATION_AT_LEAST, 1.0, 1.5, 0.0, true},      {SF_RELATION_AT_LEAST, 1.0, 0.5, 0.0, false},
        {SF_RELATION_AT_LEAST, 1.0, 0.9, 0.2, true},      {SF_RELATION_EQUAL, 1.0, INFINITY, 1e300, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sf_check c = check(cases[i].relation, cases[i].predicted, cases[i].measured, cases[i].tolerance);
        assert_int_equal(sf_check_passes(&c), cases[i].passes);
    }
}

static void test_nan_fails(void **state)
{
    (void)state;
    for (int relation = SF_RELATION_EQUAL; relation <= SF_RELATION_AT_LEAST; relation++)
        for (int where = 0; where < 3; where++) {
            double numbers[] = {1.0, 1.0, 1e9};
            numbers[where] = NAN;
            sf_check c = check((sf_relation)relation, numbers[0], numbers[1], numbers[2]);
            assert_false(sf_check_passes(&c));
            assert_int_equal(sf_verdict_of(1, &c), SF_VERDICT_NOT_REPRODUCED);
        }
    sf_check unknown = check((sf_relation)99, 1.0, 1.0, 1.0);
    assert_false(sf_check_passes(&unknown));
}

static void test_verdicts(void **state)
{
    (void)state;
    sf_check checks[] = {check(SF_RELATION_EQUAL, 1.0, 1.0, 0.0), check(SF_RELATION_EQUAL, 1.0, 1.0, 0.0)};
    assert_int_equal(sf_verdict_of(2, checks), SF_VERDICT_REPRODUCED);
    checks[1].decisive = false;
    assert_int_equal(sf_verdict_of(2, checks), SF_VERDICT_REPRODUCED);
    checks[1].measured = 2.0;
    assert_int_equal(sf_verdict_of(2, checks), SF_VERDICT_PARTIAL);
    checks[1].decisive = true;
    assert_int_equal(sf_verdict_of(2, checks), SF_VERDICT_NOT_REPRODUCED);
    assert_int_equal(sf_verdict_of(0, checks), SF_VERDICT_NOT_REPRODUCED); // nothing measured is no proof
    checks[0].decisive = checks[1].decisive = false;
    checks[1].measured = 1.0;
    assert_int_equal(sf_verdict_of(2, checks), SF_VERDICT_NOT_REPRODUCED); // details alone prove nothing
}

static void test_descriptions(void **state)
{
    (void)state;
    char text[96];
    sf_check c = check(SF_RELATION_AT_MOST, 1.0, 0.0, 0.5);
    sf_check_describe(&c, text, sizeof text);
    assert_string_equal(text, "at most 1.5");
    c = check(SF_RELATION_EQUAL, 2.0, 0.0, 0.0);
    sf_check_describe(&c, text, sizeof text);
    assert_string_equal(text, "2");
    static const char *const words[] = {"no", "yes", NULL};
    c.words = words;
    c.predicted = 1.0;
    sf_check_describe(&c, text, sizeof text);
    assert_string_equal(text, "yes");
    sf_check_value(&c, 0.0, text, sizeof text);
    assert_string_equal(text, "no");
    sf_check_value(&c, 2.0, text, sizeof text); // no word: the number
    assert_string_equal(text, "2");
    sf_check_value(&c, NAN, text, sizeof text);
    assert_string_equal(text, "nan");
    for (int v = SF_VERDICT_NOT_RUN; v <= SF_VERDICT_NOT_REPRODUCED; v++)
        assert_non_null(sf_verdict_name((sf_verdict)v));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_relations), cmocka_unit_test(test_nan_fails),
                                       cmocka_unit_test(test_verdicts), cmocka_unit_test(test_descriptions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
