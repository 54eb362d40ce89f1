/* The pool: every task exactly once, many short rounds, work space by worker, threads that slept. */
#include "support.h"

#include <stdatomic.h>
#include <time.h>

#include "base/pool.h"

enum { TASKS = 97 };

typedef struct tally {
    atomic_int runs[TASKS];
    atomic_int wrong;
    int threads;
} tally;

static void count(void *argument, size_t task, int worker)
{
    tally *t = argument;
    atomic_fetch_add(&t->runs[task], 1);
    if (worker < 0 || worker >= t->threads)
        atomic_fetch_add(&t->wrong, 1);
}

static void test_every_task_once(void **state)
{
    (void)state;
    sf_context *context = test_context();
    for (int threads = 1; threads <= 4; threads++) {
        sf_pool *pool = NULL;
        assert_ok(context, sf_pool_create(context, threads, &pool));
        tally t = {.threads = sf_pool_threads(pool)};
        assert_in_range(t.threads, 1, threads);
        for (int round = 0; round < 200; round++) {
            sf_pool_run_order(pool, TASKS, round % 2 == 1, count, &t);
            if (round % 50 == 49)
                nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); // long enough for workers to sleep
        }
        for (int i = 0; i < TASKS; i++)
            assert_int_equal(t.runs[i], 200);
        assert_int_equal(t.wrong, 0);
        sf_pool_destroy(&pool);
        assert_null(pool);
    }
    sf_context_destroy(&context);
}

static void note(void *argument, size_t task, int worker)
{
    size_t **next = argument;
    (void)worker;
    *(*next)++ = task;
}

static void test_order(void **state)
{
    (void)state;
    for (int backward = 0; backward < 2; backward++) {
        size_t order[TASKS], *next = order;
        sf_pool_run_order(NULL, TASKS, backward, note, &next);
        for (size_t i = 0; i < TASKS; i++)
            assert_int_equal(order[i], backward ? TASKS - 1 - i : i);
    }
}

static void test_creation(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_pool *pool = NULL;
    assert_status(context, sf_pool_create(context, -1, &pool), SF_ERR_ARGUMENT);
    assert_ok(context, sf_pool_create(context, 0, &pool));
    sf_pool_destroy(&pool);
    sf_context_destroy(&context);
    for (long fail_at = 0; fail_at < 3; fail_at++) {
        test_memory memory = {.fail_at = fail_at};
        sf_context *failing = test_context_failing(&memory);
        sf_status status = sf_pool_create(failing, 2, &pool);
        if (status == SF_OK && sf_pool_threads(pool) == 1) // no threads here, and nothing for them
            sf_pool_destroy(&pool);
        else
            assert_int_equal(status, SF_ERR_MEMORY);
        assert_null(pool);
        assert_int_equal(memory.live, 0);
        sf_context_destroy(&failing);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_task_once), cmocka_unit_test(test_order),
                                       cmocka_unit_test(test_creation)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
