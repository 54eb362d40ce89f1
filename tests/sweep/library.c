/* The public interface: reading results, blocks of work handed elsewhere, and running out of memory at every place. */
#include <unistd.h>

#include "program.h"
#include "support.h"

static const char grid[] = "data: {example: [1, 2]}\n"
                           "dynamics: {mode: discrete, step: 0.05, steps: 20}\n"
                           "sweep:\n"
                           "  axes:\n"
                           "    optimizer.method: {name: method, values: [gd, l2-sam]}\n"
                           "    data.example[1]: {name: ratio, linspace: [2, 4, 3]}\n"
                           "  observables: [regime, dominance, final_loss, {beta: {step: [5]}}]\n";

static int enter(void **state)
{
    (void)state;
    program_enter();
    return 0;
}

static int leave(void **state)
{
    (void)state;
    program_leave();
    return 0;
}

static void test_store(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_sweep *sweep;
    sf_sweep_options options = {.threads = 1};
    sf_sweep_counts counts;
    assert_ok(context, sf_sweep_parse(context, "grid.yaml", grid, 0, NULL, &sweep));
    assert_int_equal(sf_sweep_points(sweep), 6);
    assert_ok(context, sf_sweep_plan(sweep, "a.db", &options, &counts));
    assert_int_equal(counts.pending, 6);
    assert_ok(context, sf_sweep_run(sweep, "a.db", &options, &counts));
    assert_int_equal(counts.computed, 6);
    sf_store *store;
    assert_ok(context, sf_store_open(context, "a.db", &store));
    assert_int_equal(sf_store_axes(store), 2);
    assert_true(sf_store_product(store));
    const sf_store_axis *method = sf_store_get_axis(store, 0), *ratio = sf_store_get_axis(store, 1);
    assert_string_equal(method->key, "optimizer.method");
    assert_string_equal(method->values[1].text, "l2-sam");
    assert_string_equal(ratio->name, "ratio");
    assert_true(ratio->count == 3 && ratio->values[1].real == 3.0);
    assert_null(sf_store_get_axis(store, 2));
    assert_non_null(strstr(sf_store_experiment(store), "\"example\": [1, 2]"));
    size_t settings = 0, observables = 0;
    for (size_t i = 0; i < sf_store_columns(store); i++) {
        settings += sf_store_get_column(store, i)->role == SF_COLUMN_SETTING;
        observables += sf_store_get_column(store, i)->role == SF_COLUMN_OBSERVABLE;
    }
    assert_int_equal(settings, 2);
    assert_int_equal(observables, 1 + 5 + 1 + 2);
    /* The rows, against a run of the same experiment by itself. */
    static const char *const columns[] = {"method", "ratio", "log_loss", "beta_1 at step=5", "status"};
    sf_cursor *cursor;
    sf_cell cell[5];
    bool more;
    assert_ok(context, sf_store_select(store, 5, columns, &cursor));
    for (size_t i = 0; i < 6; i++) {
        assert_ok(context, sf_cursor_next(cursor, cell, &more));
        assert_true(more);
        assert_string_equal(cell[0].text, i < 3 ? "gd" : "l2-sam");
        assert_true(cell[1].kind == SF_CELL_REAL && cell[1].real == 2.0 + (double)(i % 3));
        assert_string_equal(cell[4].text, "done");
        char example[40], name[40];
        snprintf(example, sizeof example, "data.example=[1, %g]", cell[1].real);
        snprintf(name, sizeof name, "optimizer.method=%s", cell[0].text);
        const char *overrides[] = {example, name, "record.at.step=[5]"};
        static const char plain[] =
            "data: {example: [1, 2]}\ndynamics: {mode: discrete, step: 0.05, steps: 20}\n";
        sf_experiment *experiment;
        sf_trajectory *trajectory;
        assert_ok(context, sf_experiment_parse(context, "plain.yaml", plain, 3, overrides, &experiment));
        assert_ok(context, sf_experiment_run(experiment, &trajectory));
        size_t last = sf_trajectory_records(trajectory) - 1, at = 0;
        while (sf_trajectory_record(trajectory, at).step != 5.0)
            at++;
        assert_absolute(cell[2].real, sf_trajectory_record(trajectory, last).log_loss, 1e-13);
        assert_absolute(cell[3].real, sf_trajectory_record(trajectory, at).beta[1], 1e-13);
        sf_trajectory_destroy(&trajectory);
        sf_experiment_destroy(&experiment);
    }
    assert_ok(context, sf_cursor_next(cursor, cell, &more));
    assert_false(more);
    sf_cursor_close(&cursor);
    static const char *const wrong[] = {"speed"};
    assert_status(context, sf_store_select(store, 1, wrong, &cursor), SF_ERR_USAGE);
    /* The same in one call. */
    size_t rows, count;
    double value[5][6], *values[5] = {value[0], value[1], value[2], value[3], value[4]};
    uint64_t all;
    assert_ok(context, sf_store_rows(store, &all));
    assert_int_equal(all, 6);
    assert_status(context, sf_store_read(store, 5, columns, 5, values, &rows), SF_ERR_ARGUMENT);
    assert_status(context, sf_store_read(store, 1, wrong, 6, values, &rows), SF_ERR_USAGE);
    assert_ok(context, sf_store_read(store, 5, columns, 6, values, &rows));
    assert_int_equal(rows, 6);
    const char *const *texts = sf_store_texts(store, 0, &count);
    assert_int_equal(count, 2);
    assert_string_equal(texts[0], "gd");
    assert_string_equal(texts[1], "l2-sam");
    assert_null(sf_store_texts(store, 1, &count));
    assert_null(sf_store_texts(store, 5, &count));
    assert_ok(context, sf_store_select(store, 5, columns, &cursor));
    for (size_t i = 0; i < 6; i++) {
        assert_ok(context, sf_cursor_next(cursor, cell, &more));
        assert_true(value[0][i] == (i < 3 ? 0.0 : 1.0) && value[1][i] == cell[1].real);
        assert_true(value[2][i] == cell[2].real && value[3][i] == cell[3].real && value[4][i] == 0.0);
    }
    sf_cursor_close(&cursor);
    assert_status(context, sf_store_select(store, 1, wrong, &cursor), SF_ERR_USAGE);
    assert_non_null(strstr(sf_context_message(context), "log_loss"));
    sf_store_status status;
    assert_ok(context, sf_store_get_status(store, &status));
    assert_true(!status.running && status.done == 6 && status.points == 6);
    assert_string_equal(status.state, "finished");
    sf_store_close(&store);
    sf_sweep_destroy(&sweep);
    sf_context_destroy(&context);
}

/* Blocks computed by another sweep object, given back in another order, one of them never: as with other machines. */
static void test_session(void **state)
{
    (void)state;
    sf_context *context = test_context(), *remote = test_context();
    sf_sweep *here, *there;
    sf_sweep_options options = {0};
    sf_sweep_counts counts;
    assert_ok(context, sf_sweep_parse(context, "grid.yaml", grid, 0, NULL, &here));
    assert_ok(remote, sf_sweep_parse(remote, "grid.yaml", grid, 0, NULL, &there));
    for (int round = 0; round < 2; round++) {
        sf_session *session;
        uint64_t block[4][2];
        size_t count[4], size;
        void *bytes;
        assert_ok(context, sf_session_open(here, "a.db", &options, &session));
        for (int i = 0; i < 4; i++)
            assert_ok(context, sf_session_next(session, 2, block[i], &count[i]));
        assert_true(count[0] == 2 && count[1] == (round == 0 ? 2 : 0) && count[3] == 0);
        for (int i = round == 0 ? 2 : 0; i >= 0; i -= 2) { // the second block of the first round is lost
            assert_ok(remote, sf_sweep_compute(there, count[i], block[i], &size, &bytes));
            assert_ok(context, sf_session_store(session, size, bytes));
            if (i == 0)
                assert_status(context, sf_session_store(session, size - 3, bytes), SF_ERR_INTERNAL);
            if (i == 0)
                assert_ok(context, sf_session_store(session, size, bytes)); // what was rolled back
            sf_sweep_release(there, &bytes);
        }
        assert_ok(context, sf_session_close(&session, SF_OK, &counts));
        assert_null(session);
    }
    assert_int_equal(program_query("a.db", "SELECT count(*) FROM result WHERE status = 'done'"), 6);
    assert_int_equal(program_query("a.db", "SELECT count(*) FROM point"), 6);
    sf_sweep_destroy(&here);
    sf_sweep_destroy(&there);
    sf_context_destroy(&context);
    sf_context_destroy(&remote);
}

/* What a shard counts as its points is what it hands out, and the shards together are the grid. */
static void test_shard_counts(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_sweep *sweep;
    assert_ok(context, sf_sweep_parse(context, "grid.yaml", grid, 0, NULL, &sweep));
    for (uint64_t shards = 1; shards <= 8; shards++) {
        uint64_t sum = 0;
        for (uint64_t shard = 1; shard <= shards; shard++) {
            sf_sweep_options options = {.shard = shard, .shards = shards};
            sf_sweep_counts counts;
            sf_session *session;
            uint64_t positions[8];
            size_t count;
            assert_ok(context, sf_session_open(sweep, "shard.db", &options, &session));
            assert_ok(context, sf_session_next(session, 8, positions, &count));
            for (size_t i = 0; i < count; i++)
                assert_int_equal(positions[i] % shards, shard - 1);
            assert_ok(context, sf_session_close(&session, SF_OK, &counts));
            assert_int_equal(counts.points, count);
            sum += counts.points;
            unlink("shard.db");
        }
        assert_int_equal(sum, 6);
    }
    sf_sweep_destroy(&sweep);
    sf_context_destroy(&context);
}

/* What theory says, which is not in the file. */
static sf_status read_predictions(sf_store *store)
{
    static const char *const columns[] = {"regime", "predicted_regime", "predicted_limit_kind"};
    sf_cursor *cursor = NULL;
    sf_cell cells[3];
    bool more = true;
    sf_status status = sf_store_select(store, 3, columns, &cursor);
    while (status == SF_OK && more)
        status = sf_cursor_next(cursor, cells, &more);
    sf_cursor_close(&cursor);
    return status;
}

/* The n-th allocation fails, for every n: an error, nothing leaks, and a file that can be gone on with. */
static void test_out_of_memory(void **state)
{
    (void)state;
    static const char small[] = "data: {example: [1, 2]}\n"
                                "dynamics: {mode: discrete, step: 0.05, steps: 3}\n"
                                "record: {samples: 2}\n"
                                "sweep:\n"
                                "  axes:\n"
                                "    data.example[1]: {name: ratio, values: [2, 3]}\n"
                                "    optimizer.method: [gd]\n"
                                "  observables: [regime, {beta: {step: [2]}}]\n";
    long n = 0;
    for (bool done = false; !done; n++) {
        test_memory memory = {.fail_at = n};
        sf_context *context = test_context_failing(&memory);
        sf_sweep *sweep = NULL;
        sf_store *store = NULL;
        sf_sweep_options options = {.threads = 1};
        sf_sweep_counts counts;
        sf_status status = sf_sweep_parse(context, "small.yaml", small, 0, NULL, &sweep);
        assert_true((status == SF_OK) == (sweep != NULL));
        if (status == SF_OK)
            status = sf_sweep_run(sweep, "a.db", &options, &counts);
        if (status == SF_OK)
            status = sf_store_open(context, "a.db", &store);
        if (status == SF_OK)
            status = sf_store_export(store, "a.csv");
        if (status == SF_OK)
            status = read_predictions(store);
        done = memory.calls <= n;
        if (done)
            assert_ok(context, status);
        else if (status != SF_ERR_MEMORY && status != SF_OK) // shrinking a block may fail without harm
            fail_msg("allocation %ld failed, the status is %s: %s", n, sf_status_name(status),
                     sf_context_message(context));
        sf_store_close(&store);
        sf_sweep_destroy(&sweep);
        if (memory.live != 0)
            fail_msg("allocation %ld failed, and %ld blocks were not released", n, memory.live);
        sf_context_destroy(&context);
        unlink("a.db");
        unlink("a.csv");
    }
    print_message("%ld allocations\n", n - 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
    const struct CMUnitTest tests[] = {TEST(test_store), TEST(test_session), TEST(test_shard_counts),
                                       TEST(test_out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
