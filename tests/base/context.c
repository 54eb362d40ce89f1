/* The context: messages, memory, hooks, statuses; and the assertions that all tests rest on. */
#include "support.h"

#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"

static void test_statuses(void **state)
{
    (void)state;
    static const struct {
        sf_status status;
        int exit_code;
    } documented[] = {{SF_OK, 0},       {SF_ERR_ARGUMENT, 2}, {SF_ERR_USAGE, 2},      {SF_ERR_CONFIG, 2},
                      {SF_ERR_DATA, 3}, {SF_ERR_NUMERIC, 4},  {SF_ERR_CLAIM, 5},      {SF_ERR_MEMORY, 1},
                      {SF_ERR_IO, 1},   {SF_ERR_INTERNAL, 1}, {SF_ERR_CANCELLED, 130}};
    for (size_t i = 0; i < sizeof documented / sizeof *documented; i++)
        assert_int_equal(sf_status_exit_code(documented[i].status), documented[i].exit_code);
    assert_string_equal(sf_status_name(SF_ERR_DATA), "SF_ERR_DATA");
    assert_string_equal(sf_status_name((sf_status)1000), "SF_ERR_INTERNAL");
    assert_true(strlen(sf_status_message(SF_ERR_CANCELLED)) > 0);
}

static void test_message(void **state)
{
    (void)state;
    sf_context *context = test_context();
    assert_string_equal(sf_context_message(context), "");
    assert_int_equal(sf_fail(context, SF_ERR_DATA, "row %d", 3), SF_ERR_DATA);
    assert_string_equal(sf_context_message(context), "row 3");
    assert_int_equal(sf_fail_within(context, SF_ERR_DATA, "file %s", "a"), SF_ERR_DATA);
    assert_string_equal(sf_context_message(context), "file a: row 3");
    for (int i = 0; i < 200; i++) // longer than the room for it: cut, not overrun
        sf_fail_within(context, SF_ERR_DATA, "%s", "a prefix of some length");
    assert_true(strlen(sf_context_message(context)) < 4096);
    assert_int_equal(sf_fail(NULL, SF_ERR_IO, "lost"), SF_ERR_IO);
    assert_string_equal(sf_context_message(NULL), "");
    sf_context_destroy(&context);
    assert_null(context);
    sf_context_destroy(&context);
    sf_context_destroy(NULL);
}

static void test_blocks(void **state)
{
    (void)state;
    test_memory memory = {.fail_at = -1};
    sf_context *context = test_context_failing(&memory);
    void *nothing = sf_alloc(context, 0, 8);
    assert_non_null(nothing);
    double *zeros = sf_alloc_zero(context, 100, sizeof *zeros);
    for (int i = 0; i < 100; i++)
        assert_true(zeros[i] == 0.0);
    zeros = sf_resize(context, zeros, 1000, sizeof *zeros);
    assert_true(zeros[99] == 0.0);
    char *text = sf_strdup(context, "text");
    assert_string_equal(text, "text");
    for (size_t count = 0; count < 40; count++) {
        double *aligned = sf_alloc_doubles(context, count);
        assert_int_equal((uintptr_t)aligned % 64, 0);
        for (size_t i = 0; i < count; i++)
            aligned[i] = 1.0;
        sf_free_aligned(context, aligned);
    }
    sf_free(context, nothing);
    sf_free(context, zeros);
    sf_free(context, text);
    sf_free(context, NULL);
    sf_free_aligned(context, NULL);
    assert_int_equal(memory.live, 0);
    sf_context_destroy(&context);
}

static void test_overflow_is_refused(void **state)
{
    (void)state;
    test_memory memory = {.fail_at = -1};
    sf_context *context = test_context_failing(&memory);
    assert_null(sf_alloc(context, SIZE_MAX / 4, 8));
    assert_non_null(strstr(sf_context_message(context), "address space"));
    assert_null(sf_alloc_zero(context, SIZE_MAX, 2));
    assert_null(sf_resize(context, NULL, SIZE_MAX / 2, 3));
    assert_null(sf_alloc_doubles(context, SIZE_MAX / 8));
    assert_int_equal(memory.calls, 0); // refused before asking
    sf_context_destroy(&context);
}

static void test_every_allocation_can_fail(void **state)
{
    (void)state;
    test_memory memory = {.fail_at = 0};
    sf_context *context = test_context_failing(&memory);
    assert_null(sf_alloc(context, 1, 1));
    assert_non_null(strstr(sf_context_message(context), "out of memory"));
    memory.calls = 0;
    assert_null(sf_strdup(context, "x"));
    memory.calls = 0;
    assert_null(sf_alloc_doubles(context, 1));
    memory.calls = 0;
    assert_null(sf_resize(context, NULL, 1, 1));
    sf_context *fork = context;
    memory.calls = 0;
    assert_int_equal(sf_context_fork(context, &fork), SF_ERR_MEMORY);
    assert_null(fork);
    assert_int_equal(memory.live, 0);
    sf_context_destroy(&context);
}

static void test_incomplete_allocator(void **state)
{
    (void)state;
    sf_allocator allocator = {NULL, NULL, NULL, NULL};
    sf_context *context = NULL;
    assert_int_equal(sf_context_create(&allocator, &context), SF_ERR_ARGUMENT);
    assert_null(context);
    assert_int_equal(sf_context_create(NULL, NULL), SF_ERR_ARGUMENT);
}

typedef struct heard {
    int records;
    char last[128];
    double fraction;
} heard;

static void listen(sf_log_level level, const char *record, void *user)
{
    (void)level;
    heard *h = user;
    h->records++;
    snprintf(h->last, sizeof h->last, "%s", record);
}

static void watch(double fraction, const char *note, void *user)
{
    (void)note;
    ((heard *)user)->fraction = fraction;
}

static void test_hooks(void **state)
{
    (void)state;
    sf_context *context = test_context(), *fork;
    heard h = {0};
    sf_flag flag = 0;
    sf_log(context, SF_LOG_ERROR, "nobody listens");
    sf_progress(context, 0.5, NULL);
    assert_false(sf_cancelled(context));
    assert_false(sf_cancelled(NULL));
    sf_context_set_log(context, listen, SF_LOG_WARNING, &h);
    sf_context_set_progress(context, watch, &h);
    sf_context_set_cancel(context, &flag);
    sf_log(context, SF_LOG_INFO, "below the level");
    assert_int_equal(h.records, 0);
    sf_log(context, SF_LOG_WARNING, "rows=%d", 3);
    assert_int_equal(h.records, 1);
    assert_string_equal(h.last, "rows=3");
    sf_progress(context, 0.25, "note");
    assert_absolute(h.fraction, 0.25, 0.0);
    assert_ok(context, sf_context_fork(context, &fork));
    flag = 1;
    assert_true(sf_cancelled(context));
    assert_true(sf_cancelled(fork)); // a worker stops with its maker,
    sf_log(fork, SF_LOG_ERROR, "worker");
    assert_int_equal(h.records, 2); // logs where it does,
    sf_progress(fork, 0.75, NULL);
    assert_absolute(h.fraction, 0.25, 0.0); // but shows no progress of its own
    sf_context_destroy(&fork);
    sf_context_destroy(&context);
}

static void nan_actual(void **state)
{
    (void)state;
    assert_relative(NAN, 1.0, 1.0);
}

static void nan_expected(void **state)
{
    (void)state;
    assert_absolute(1.0, NAN, 1.0);
}

static void nan_tolerance(void **state)
{
    (void)state;
    assert_absolute(1.0, 1.0, NAN);
}

static void wrong_status(void **state)
{
    (void)state;
    assert_ok(NULL, SF_ERR_DATA);
}

/* An assertion that NaN passes would let every accuracy test pass: each of these must fail, in a program of
 * its own. */
static void test_assertions_fail_closed(void **state)
{
    (void)state;
    const struct CMUnitTest failing[] = {cmocka_unit_test(nan_actual), cmocka_unit_test(nan_expected),
                                         cmocka_unit_test(nan_tolerance), cmocka_unit_test(wrong_status)};
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
            _exit(100);
        _exit(cmocka_run_group_tests(failing, NULL, NULL)); // how many failed
    }
    int status = 0;
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_statuses),
                                       cmocka_unit_test(test_message),
                                       cmocka_unit_test(test_blocks),
                                       cmocka_unit_test(test_overflow_is_refused),
                                       cmocka_unit_test(test_every_allocation_can_fail),
                                       cmocka_unit_test(test_incomplete_allocator),
                                       cmocka_unit_test(test_hooks),
                                       cmocka_unit_test(test_assertions_fail_closed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
