/* Maps of sweeps: what is drawn is what the result file holds, theory's boundary follows its formula; memory may run out
 * at any moment. */
#include "support.h"

static const char database[] = "plot-map-test.db";

/* Regimes by theory, and so that one setting has to be chosen. */
static const char grid[] = "data: {example: [1, 2]}\n"
                           "network: {depth: 2, init: 0.5}\n"
                           "optimizer: {method: l2-sam, rho: 0.5}\n"
                           "dynamics: {mode: exact}\n"
                           "sweep:\n"
                           "  axes:\n"
                           "    optimizer.rho: {name: rho, values: [0.5, 1]}\n"
                           "    data.example[1]: {name: ratio, linspace: [1.5, 3, 4]}\n"
                           "    network.init: {name: alpha, linspace: [0.1, 1.5, 5]}\n"
                           "  observables: [regime, limit]\n";

static const char small_grid[] = "data: {example: [1, 2]}\n"
                                 "network: {depth: 2, init: 0.5}\n"
                                 "optimizer: {method: l2-sam, rho: 0.5}\n"
                                 "dynamics: {mode: exact}\n"
                                 "sweep:\n"
                                 "  axes:\n"
                                 "    optimizer.rho: {name: rho, values: [1]}\n"
                                 "    data.example[1]: {name: ratio, values: [2, 3]}\n"
                                 "    network.init: {name: alpha, values: [0.1, 1]}\n"
                                 "  observables: [regime, limit]\n";

static sf_store *make_store(sf_context *context, const char *text)
{
    sf_sweep *sweep;
    sf_store *store;
    sf_sweep_options options = {.threads = 1};
    sf_sweep_counts counts;
    assert_ok(context, sf_sweep_parse(context, "grid.yaml", text, 0, NULL, &sweep));
    assert_ok(context, sf_sweep_run(sweep, database, &options, &counts));
    sf_sweep_destroy(&sweep);
    assert_ok(context, sf_store_open(context, database, &store));
    return store;
}

static void remove_store(sf_store **store)
{
    sf_store_close(store);
    remove(database);
    remove("plot-map-test.db-lock");
}

/* A text as gnuplot shows it as it stands: marks of formulas follow a backslash. */
static const char *escaped(const char *from, char *to)
{
    char *end = to;
    for (; *from; *end++ = *from++)
        if (*from == '_')
            *end++ = '\\';
    *end = '\0';
    return to;
}

/* Every cell holds the regime of its row; nothing differs, for the file is what theory says. */
static void test_cells(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_store *store = make_store(context, grid);
    sf_map_options options = {.x = "ratio", .y = "alpha", .color = "regime", .where = "rho=1"};
    sf_plot_map *map;
    sf_figure *figure;
    assert_ok(context, sf_plot_map_create(context, store, &options, &map));
    sf_map_comparison theory = sf_plot_map_compare(map);
    assert_string_equal(theory.column, "predicted_regime");
    assert_int_equal(theory.cells, 20);
    assert_int_equal(theory.compared, 20);
    assert_int_equal(theory.differing, 0);
    size_t at = 0;
    sf_map_difference difference;
    assert_false(sf_plot_map_next(map, &at, &difference));
    assert_ok(context, sf_figure_create(context, "map", "map", "map", 1, &figure));
    assert_ok(context, sf_plot_map_draw(map, figure));
    sf_panel panel = sf_figure_get_panel(figure, 0);
    const sf_layer *cells = &panel.layers[0];
    assert_true(cells->nx == 4 && cells->ny == 5);
    static const char *const columns[] = {"rho", "ratio", "alpha", "regime"};
    sf_cursor *cursor;
    sf_cell row[4];
    bool more;
    size_t seen = 0;
    assert_ok(context, sf_store_select(store, 4, columns, &cursor));
    for (assert_ok(context, sf_cursor_next(cursor, row, &more)); more;
         assert_ok(context, sf_cursor_next(cursor, row, &more))) {
        if (row[0].real != 1.0)
            continue;
        char text[64];
        size_t x = 0, y = 0;
        while (x < 3 && cells->x[x] != row[1].real)
            x++;
        while (y < 4 && cells->y[y] != row[2].real)
            y++;
        assert_true(cells->x[x] == row[1].real && cells->y[y] == row[2].real);
        assert_string_equal(panel.classes[(size_t)cells->u[y * 4 + x]], escaped(row[3].text, text));
        seen++;
    }
    assert_int_equal(seen, 20);
    sf_cursor_close(&cursor);
    sf_figure_destroy(&figure);
    sf_plot_map_destroy(&map);
    remove_store(&store);
    sf_context_destroy(&context);
}

/* Above rho (mu_1 + mu_2) / (sqrt(2) ||mu||) the major feature leads from the start, with rho that of the rows. */
static void test_boundary(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_store *store = make_store(context, grid);
    static const struct {
        const char *where;
        double rho;
    } part[] = {{"rho=0.5", 0.5}, {"rho=1", 1.0}};
    for (size_t k = 0; k < sizeof part / sizeof part[0]; k++) {
        sf_map_options options = {.x = "ratio", .y = "alpha", .color = "regime", .where = part[k].where};
        sf_plot_map *map;
        sf_figure *figure;
        assert_ok(context, sf_plot_map_create(context, store, &options, &map));
        assert_ok(context, sf_figure_create(context, "map", "map", "map", 1, &figure));
        assert_ok(context, sf_plot_map_draw(map, figure));
        sf_panel panel = sf_figure_get_panel(figure, 0);
        assert_int_equal(panel.layer_count, 3); // cells, collapse, major first
        const sf_layer *curve = &panel.layers[2];
        assert_int_equal(curve->nx, 4);
        for (size_t i = 0; i < 4; i++) {
            double mu = curve->x[i];
            assert_relative(curve->y[i], part[k].rho * (1.0 + mu) / sqrt(2.0 * (1.0 + mu * mu)), 1e-12);
        }
        sf_figure_destroy(&figure);
        sf_plot_map_destroy(&map);
    }
    remove_store(&store);
    sf_context_destroy(&context);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        sf_map_options options;
        const char *said;
    } wrong[] = {{{"ratio", "alpha", "regime", NULL}, "choose among those of: rho"},
                 {{"ratio", "alpha", "regime", "rho"}, "expected COLUMN=VALUE"},
                 {{"ratio", "beta", "regime", "rho=1"}, "no column 'beta'"},
                 {{"ratio", "alpha", "regime", "rho=2"}, "takes 0 values"},
                 {{"ratio", "rho", "position", "alpha=0.1,rho=1"}, "'rho' 1 under --where"}};
    sf_context *context = test_context();
    sf_store *store = make_store(context, grid);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        sf_plot_map *map;
        assert_int_equal(sf_plot_map_create(context, store, &wrong[i].options, &map), SF_ERR_USAGE);
        assert_null(map);
        assert_non_null(strstr(sf_context_message(context), wrong[i].said));
    }
    remove_store(&store);
    sf_context_destroy(&context);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    sf_context *plain = test_context();
    sf_store *kept = make_store(plain, small_grid);
    const sf_map_options options = {.x = "ratio", .y = "alpha", .color = "regime", .where = "rho=1"};
    bool failed = true;
    for (long n = 0; failed; n++) {
        test_memory memory = {.fail_at = n};
        sf_context *context = test_context_failing(&memory);
        sf_store *store = NULL;
        sf_plot_map *map = NULL;
        sf_figure *figure = NULL;
        sf_status status = sf_store_open(context, database, &store);
        if (status == SF_OK)
            status = sf_plot_map_create(context, store, &options, &map);
        if (status == SF_OK)
            status = sf_figure_create(context, "map", "map", "map", 1, &figure);
        if (status == SF_OK)
            status = sf_plot_map_draw(map, figure);
        failed = memory.calls > n;
        assert_true(status == SF_OK || (failed && status == SF_ERR_MEMORY));
        assert_true((status == SF_OK) <= (map && figure));
        sf_figure_destroy(&figure);
        sf_plot_map_destroy(&map);
        sf_store_close(&store);
        assert_int_equal(memory.live, 0);
        sf_context_destroy(&context);
    }
    remove_store(&kept);
    sf_context_destroy(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cells), cmocka_unit_test(test_boundary),
                                       cmocka_unit_test(test_refusals), cmocka_unit_test(test_out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
