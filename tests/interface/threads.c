/* What the headers promise of threads: data and answers are read by several at once, with a context each; the callbacks of one
 * context are never entered twice at once, whatever threads a call uses inside; a flag stops a run from another thread. Run
 * under the thread sanitizer this test sees every race, without it those that show in results. */
#include "support.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

enum { N = 40, D = 16, THREADS = 4 };

static sf_dataset *make_data(sf_context *context)
{
    double mean[D];
    for (size_t j = 0; j < D; j++)
        mean[j] = 1.0 / (double)(j + 1);
    sf_gaussian spec = {.d = D, .mean = mean, .std = 0.5, .per_class = N / 2, .seed = 3};
    sf_dataset *data = NULL;
    assert_ok(context, sf_dataset_gaussian(context, &spec, &data));
    return data;
}

/* ---- one data set, a network and a context for each thread ---- */

typedef struct reader {
    const sf_dataset *data;
    double theta[2 * D];
    sf_status status;
} reader;

static void *descend(void *argument)
{
    reader *r = argument;
    const sf_perturbation perturbation = {.method = SF_METHOD_L2, .rho = 0.3};
    sf_context *context = NULL;
    sf_network *network = NULL;
    sf_descent *descent = NULL;
    double start[2 * D];
    for (size_t k = 0; k < 2 * D; k++)
        start[k] = 0.1;
    r->status = sf_context_create(NULL, &context);
    if (r->status == SF_OK)
        r->status = sf_network_create(context, r->data, 2, SF_LOSS_LOGISTIC, &network);
    if (r->status == SF_OK)
        r->status = sf_descent_create(context, network, &perturbation, 0.05, start, &descent);
    if (r->status == SF_OK)
        r->status = sf_descent_advance(descent, 300);
    if (r->status == SF_OK)
        memcpy(r->theta, sf_descent_theta(descent), sizeof r->theta);
    sf_descent_destroy(&descent);
    sf_network_destroy(&network);
    sf_context_destroy(&context);
    return NULL;
}

static void test_shared_data(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_dataset *data = make_data(context);
    reader readers[THREADS] = {{.data = data}, {.data = data}, {.data = data}, {.data = data}};
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, descend, &readers[i]), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    reader alone = {.data = data};
    descend(&alone);
    assert_int_equal(alone.status, SF_OK);
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(readers[i].status, SF_OK);
        assert_memory_equal(readers[i].theta, alone.theta, sizeof alone.theta);
    }
    sf_dataset_destroy(&data);
    sf_context_destroy(&context);
}

/* ---- callbacks ---- */

typedef struct watched {
    atomic_int inside, most, calls;
    pthread_t caller;
    atomic_bool elsewhere; // called from another thread than the caller
} watched;

static void enter(watched *w)
{
    int now = atomic_fetch_add(&w->inside, 1) + 1, most = atomic_load(&w->most);
    while (now > most && !atomic_compare_exchange_weak(&w->most, &most, now)) {
    }
    int call = atomic_fetch_add(&w->calls, 1);
    if (!pthread_equal(w->caller, pthread_self()))
        atomic_store(&w->elsewhere, true);
    if (call % 16 == 0)
        sched_yield(); // so that a second one would come in
}

static void *allocate(size_t bytes, void *user)
{
    enter(user);
    void *block = malloc(bytes);
    atomic_fetch_sub(&((watched *)user)->inside, 1);
    return block;
}

static void *reallocate(void *block, size_t bytes, void *user)
{
    enter(user);
    void *moved = realloc(block, bytes);
    atomic_fetch_sub(&((watched *)user)->inside, 1);
    return moved;
}

static void release(void *block, void *user)
{
    enter(user);
    free(block);
    atomic_fetch_sub(&((watched *)user)->inside, 1);
}

static void take_record(sf_log_level level, const char *record, void *user)
{
    (void)level;
    (void)record;
    enter(user);
    atomic_fetch_sub(&((watched *)user)->inside, 1);
}

static void take_progress(double fraction, const char *note, void *user)
{
    (void)fraction;
    (void)note;
    enter(user);
    atomic_fetch_sub(&((watched *)user)->inside, 1);
}

static const char GRID[] = "data: {example: [1, 2]}\n"
                           "network: {depth: 2, init: 0.5}\n"
                           "optimizer: {method: l2-sam, rho: 0.1}\n"
                           "dynamics: {mode: flow, until: {log_time: 1}}\n"
                           "sweep: {axes: {network.init: {linspace: [0.1, 1, 8]}}}\n";

static void test_callbacks(void **state)
{
    (void)state;
    watched memory = {.caller = pthread_self()}, log = {.caller = pthread_self()},
            progress = {.caller = pthread_self()};
    const sf_allocator allocator = {allocate, reallocate, release, &memory};
    sf_context *context = NULL;
    assert_int_equal(sf_context_create(&allocator, &context), SF_OK);
    sf_context_set_log(context, take_record, SF_LOG_DEBUG, &log);
    sf_context_set_progress(context, take_progress, &progress);
    sf_sweep *sweep = NULL;
    sf_status status = sf_sweep_parse(context, "grid", GRID, 0, NULL, &sweep);
    if (status != SF_ERR_UNAVAILABLE) {
        assert_ok(context, status);
        char path[64];
        snprintf(path, sizeof path, "threads-%ld.db", (long)getpid());
        remove(path);
        sf_sweep_options options = {.threads = THREADS};
        sf_sweep_counts counts;
        assert_ok(context, sf_sweep_run(sweep, path, &options, &counts));
        assert_int_equal(counts.computed, 8);
        remove(path);
        assert_true(atomic_load(&memory.elsewhere)); // or the test shows nothing
    }
    sf_sweep_destroy(&sweep);
    sf_context_destroy(&context);
    assert_true(atomic_load(&memory.calls) > 0);
    assert_int_equal(atomic_load(&memory.most), 1);
    assert_true(atomic_load(&log.most) <= 1);
    assert_true(atomic_load(&progress.most) <= 1);
}

/* ---- stopping from elsewhere ---- */

typedef struct stopper {
    sf_flag flag, begun;
} stopper;

static void *ask_to_stop(void *argument)
{
    stopper *s = argument;
    while (!sf_flag_get(&s->begun))
        sched_yield();
    sf_flag_set(&s->flag, 1);
    return NULL;
}

static void test_stop(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_dataset *data = make_data(context);
    sf_network *network = NULL;
    sf_descent *descent = NULL;
    const sf_perturbation perturbation = {.method = SF_METHOD_L2, .rho = 0.3};
    double start[2 * D];
    for (size_t k = 0; k < 2 * D; k++)
        start[k] = 0.1;
    stopper s = {0, 0};
    sf_context_set_cancel(context, &s.flag);
    assert_ok(context, sf_network_create(context, data, 2, SF_LOSS_LOGISTIC, &network));
    assert_ok(context, sf_descent_create(context, network, &perturbation, 0.01, start, &descent));
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, ask_to_stop, &s), 0);
    sf_flag_set(&s.begun, 1);
    assert_status(context, sf_descent_advance(descent, UINT64_MAX), SF_ERR_CANCELLED);
    pthread_join(thread, NULL);
    sf_descent_destroy(&descent);
    sf_network_destroy(&network);
    sf_dataset_destroy(&data);
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shared_data),
        cmocka_unit_test(test_callbacks),
        cmocka_unit_test(test_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
