/* The registry, and what every run of claims must keep: the same numbers from two runs and any number of threads, "not run"
 * without data, interruption, and memory that runs out anywhere. */
#include "support.h"

static size_t claim(const char *id)
{
    size_t index = 0;
    assert_true(sf_claim_find(id, &index));
    return index;
}

static void test_registry(void **state)
{
    (void)state;
    size_t index;
    assert_true(sf_claim_count() >= 20);
    for (size_t i = 0; i < sf_claim_count(); i++) {
        const sf_claim *c = sf_claim_get(i);
        const char *const texts[] = {c->id, c->group, c->title, c->statement, c->source};
        for (size_t k = 0; k < 5; k++)
            assert_true(texts[k] && *texts[k]);
        assert_int_equal(claim(c->id), i);   // unique
        for (const char *p = c->id; *p; p++) // also a file name and an HTML id
            assert_true((*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '.' || *p == '-');
    }
    assert_null(sf_claim_get(sf_claim_count()));
    assert_false(sf_claim_find("no such claim", &index));
}

static sf_reproduction *run(sf_context *context, size_t count, const size_t *claims, int threads,
                            sf_status expected)
{
    sf_reproduction_options options = {.quick = true, .threads = threads};
    sf_reproduction *reproduction;
    assert_ok(context, sf_reproduction_create(context, count, claims, &options, &reproduction));
    assert_status(context, sf_reproduction_run(reproduction), expected);
    return reproduction;
}

static void assert_same(const sf_outcome *a, const sf_outcome *b)
{
    const sf_check *x, *y;
    size_t count = sf_outcome_checks(a, &x);
    assert_int_equal(sf_outcome_checks(b, &y), count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(x[i].what, y[i].what);
        assert_memory_equal(&x[i].measured, &y[i].measured, sizeof(double));
        assert_memory_equal(&x[i].predicted, &y[i].predicted, sizeof(double));
    }
}

static void test_deterministic(void **state)
{
    (void)state;
    sf_context *context = test_context();
    enum { COUNT = 5 };
    const size_t claims[COUNT] = {claim("T3.1-SINGLE"), claim("T4.5-DISCRETE"), claim("C3.5-TIES"),
                                  claim("P4.7"), claim("NN-PATCHES")};
    sf_reproduction *one = run(context, COUNT, claims, 1, SF_OK),
                    *three = run(context, COUNT, claims, 3, SF_OK);
    for (size_t i = 0; i < COUNT; i++) {
        assert_same(sf_reproduction_outcome(one, i), sf_reproduction_outcome(three, i));
        assert_int_equal(sf_outcome_verdict(sf_reproduction_outcome(one, i)), SF_VERDICT_REPRODUCED);
    }
    sf_reproduction_destroy(&one);
    sf_reproduction_destroy(&three);
    sf_context_destroy(&context);
}

static void test_without_data(void **state)
{
    (void)state;
    unsetenv("SAMFLOW_DATA");
    setenv("XDG_CACHE_HOME", "/nowhere", 1);
    sf_context *context = test_context();
    for (int i = 0; i < 4; i++) {
        const size_t index = claim(i < 2 ? "MNIST-01" : "NN-MNIST");
        const bool given = i % 2;
        sf_reproduction_options options = {
            .quick = i < 2, .data_dir = given ? "/nowhere" : NULL, .threads = 1};
        sf_reproduction *reproduction;
        assert_ok(context, sf_reproduction_create(context, 1, &index, &options, &reproduction));
        assert_ok(context, sf_reproduction_run(reproduction));
        const sf_outcome *outcome = sf_reproduction_outcome(reproduction, 0);
        assert_int_equal(sf_outcome_verdict(outcome), SF_VERDICT_NOT_RUN);
        assert_non_null(strstr(sf_outcome_reason(outcome), "samflow data fetch"));
        assert_true(!given || strstr(sf_outcome_reason(outcome), "--data"));
        sf_reproduction_destroy(&reproduction);
    }
    sf_context_destroy(&context);
}

static void test_cancelled(void **state)
{
    (void)state;
    sf_context *context = test_context();
    static sf_flag stop = 1;
    sf_context_set_cancel(context, &stop);
    const size_t index = claim("T3.1-SINGLE");
    const sf_check *checks;
    sf_reproduction *reproduction = run(context, 1, &index, 1, SF_ERR_CANCELLED);
    const sf_outcome *outcome = sf_reproduction_outcome(reproduction, 0);
    assert_int_equal(sf_outcome_verdict(outcome), SF_VERDICT_NOT_RUN);
    assert_non_null(strstr(sf_outcome_reason(outcome), "interrupted"));
    assert_int_equal(sf_outcome_checks(outcome, &checks) + sf_outcome_tables(outcome), 0);
    stop = 0; // the same once more goes on, from a clean start
    assert_ok(context, sf_reproduction_run(reproduction));
    assert_int_equal(sf_outcome_verdict(outcome), SF_VERDICT_REPRODUCED);
    assert_int_equal(sf_outcome_checks(outcome, &checks), 12);
    assert_int_equal(sf_outcome_tables(outcome), 1);
    sf_reproduction_destroy(&reproduction);
    sf_context_destroy(&context);
}

static void test_arguments(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const size_t beyond = sf_claim_count();
    sf_reproduction_options options = {0};
    sf_reproduction *reproduction;
    assert_status(context, sf_reproduction_create(context, 1, &beyond, &options, &reproduction),
                  SF_ERR_ARGUMENT);
    assert_null(reproduction);
    sf_context_destroy(&context);
}

/* One attempt with the n-th allocation failing. False once nothing failed any more. */
static bool attempt(long n)
{
    test_memory memory = {.fail_at = n};
    sf_context *context = test_context_failing(&memory);
    const size_t index = claim("C3.5-TIES");
    sf_reproduction_options options = {.quick = true, .data_dir = "somewhere", .threads = 1};
    sf_reproduction *reproduction;
    sf_status status = sf_reproduction_create(context, 1, &index, &options, &reproduction);
    if (status == SF_OK)
        status = sf_reproduction_run(reproduction);
    bool failed = memory.calls > n;
    if (!failed)
        assert_int_equal(status, SF_OK);
    else if (status != SF_OK)
        assert_int_equal(status, SF_ERR_MEMORY);
    else // a library below may take a failure for the end of its numerics, never for a success
        assert_int_equal(sf_outcome_verdict(sf_reproduction_outcome(reproduction, 0)),
                         SF_VERDICT_NOT_REPRODUCED);
    sf_reproduction_destroy(&reproduction);
    assert_int_equal(memory.live, 0);
    sf_context_destroy(&context);
    return failed;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    long n = 0;
    while (attempt(n))
        n++;
    assert_true(n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry),     cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_without_data), cmocka_unit_test(test_cancelled),
        cmocka_unit_test(test_arguments),    cmocka_unit_test(test_out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
