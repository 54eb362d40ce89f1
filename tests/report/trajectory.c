/* Figures of trajectories: what is drawn is what was recorded; memory may run out at any moment. */
#include "support.h"

static const char text[] = "data: {points: [[1, 0.5, 2, 1.5], [1.2, 0.4, 1, 2]], labels: [1, 1]}\n"
                           "network: {depth: 2, init: 0.5}\n"
                           "optimizer: {method: l2-sam, rho: 0.3}\n"
                           "dynamics: {mode: discrete, step: 0.1, steps: 50}\n"
                           "record: {samples: 8}\n";

static const char plane_text[] = "data: {example: [1, 2]}\n"
                                 "network: {depth: 2, init: 0.5}\n"
                                 "optimizer: {method: gd}\n"
                                 "dynamics: {mode: discrete, step: 0.1, steps: 50}\n"
                                 "record: {samples: 8}\n";
static const char unequal_text[] = "data: {example: [1, 2]}\n"
                                   "network: {depth: 2, init: {layers: [[0.5, 0.5], [0.5, 0.4]]}}\n"
                                   "optimizer: {method: gd}\n"
                                   "dynamics: {mode: discrete, step: 0.1, steps: 50}\n"
                                   "record: {samples: 8}\n";

/* A trajectory with its experiment as text, as files have it. */
static sf_trajectory *read_run_of(sf_context *context, const char *experiment_text)
{
    const char *const path = "plot-trajectory-test.json";
    sf_experiment *experiment;
    sf_trajectory *run, *read;
    assert_ok(context, sf_experiment_parse(context, "test", experiment_text, 0, NULL, &experiment));
    assert_ok(context, sf_experiment_run(experiment, &run));
    assert_ok(context, sf_trajectory_write(run, path));
    assert_ok(context, sf_trajectory_read(context, path, &read));
    remove(path);
    sf_trajectory_destroy(&run);
    sf_experiment_destroy(&experiment);
    return read;
}

static sf_trajectory *read_one(sf_context *context)
{
    return read_run_of(context, text);
}

static void test_spotlight(void **state)
{
    (void)state;
    const char *const name = "run";
    sf_context *context = test_context();
    sf_trajectory *run = read_one(context);
    sf_figure *figure;
    sf_plot_options options = {.kind = SF_PLOT_SPOTLIGHT};
    assert_ok(context, sf_plot_trajectories(context, "f", 1, (const sf_trajectory *const *)&run, &name,
                                            &options, &figure));
    sf_panel panel = sf_figure_get_panel(figure, 0);
    const sf_layer *heat = &panel.layers[0];
    // strengths: the means 1.1, 0.45, 1.5, 1.75 over the examples; the last column is the last record
    static const double strength[] = {1.1, 0.45, 1.5, 1.75};
    sf_record last = sf_trajectory_record(run, sf_trajectory_records(run) - 1);
    double largest = 0.0;
    for (size_t j = 0; j < 4; j++)
        largest = fmax(largest, fabs(last.beta[j]));
    for (size_t r = 0; r < heat->ny; r++) {
        size_t nearest = 0;
        for (size_t j = 1; j < 4; j++)
            if (fabs(strength[j] - heat->y[r]) < fabs(strength[nearest] - heat->y[r]))
                nearest = j;
        assert_absolute(heat->u[r * heat->nx + heat->nx - 1], log10(fabs(last.beta[nearest]) / largest),
                        1e-12);
    }
    assert_string_equal(panel.axes.title, "ℓ2-SAM");
    sf_figure_destroy(&figure);
    sf_trajectory_destroy(&run);
    sf_context_destroy(&context);
}

/* GD at depth 2 with equal layers: d beta_j / d tau = 2 mu_j beta_j. Layers that differ have no field in the plane. */
static void test_plane(void **state)
{
    (void)state;
    const char *const name = "run";
    sf_context *context = test_context();
    for (int equal = 0; equal < 2; equal++) {
        sf_trajectory *run = read_run_of(context, equal ? plane_text : unequal_text);
        sf_figure *figure;
        sf_plot_options options = {.kind = SF_PLOT_PLANE};
        assert_ok(context, sf_plot_trajectories(context, "f", 1, (const sf_trajectory *const *)&run, &name,
                                                &options, &figure));
        sf_panel panel = sf_figure_get_panel(figure, 0);
        assert_int_equal(panel.layer_count, 2 + (size_t)equal);
        const sf_layer *field = &panel.layers[0];
        assert_true(!equal || (field->kind == SF_LAYER_VECTORS && field->nx == 169));
        for (size_t i = 0; equal && i < field->nx; i++) {
            double x = field->x[i] + 0.5 * field->u[i], y = field->y[i] + 0.5 * field->v[i];
            assert_relative(field->v[i] / field->u[i], 2.0 * y / x, 1e-9);
        }
        sf_figure_destroy(&figure);
        sf_trajectory_destroy(&run);
    }
    sf_context_destroy(&context);
}

static void test_wrong_use(void **state)
{
    (void)state;
    static const double moments[] = {1.0, -1.0};
    static const sf_plot_options wrong[] = {
        {.kind = SF_PLOT_TIME, .clock = "tau"},
        {.kind = SF_PLOT_PLANE},
        {.kind = SF_PLOT_IMAGE},
        {.kind = SF_PLOT_IMAGE, .rows = 1, .columns = 4},
        {.kind = SF_PLOT_IMAGE, .rows = 2, .columns = 3},
        {.kind = SF_PLOT_IMAGE, .rows = SIZE_MAX / 2, .columns = 4},
        {.kind = SF_PLOT_IMAGE, .rows = 2, .columns = 2, .moment_count = 2, .moments = moments},
    };
    const char *const name = "run";
    sf_context *context = test_context();
    sf_trajectory *run = read_one(context);
    sf_figure *figure;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_status(context,
                      sf_plot_trajectories(context, "f", 1, (const sf_trajectory *const *)&run, &name,
                                           &wrong[i], &figure),
                      SF_ERR_USAGE);
        assert_null(figure);
    }
    assert_null(sf_plot_kind_name(SF_PLOT_IMAGE + 1));
    sf_trajectory_destroy(&run);
    sf_context_destroy(&context);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    const char *const names[] = {"one", "two"};
    sf_context *plain = test_context();
    sf_trajectory *many = read_one(plain), *two = read_run_of(plain, plane_text);
    for (int kind = SF_PLOT_TIME; kind <= SF_PLOT_IMAGE; kind++) {
        const sf_trajectory *const run = kind == SF_PLOT_PLANE ? two : many, *const runs[] = {run, run};
        sf_plot_options options = {.kind = (sf_plot_kind)kind};
        if (kind == SF_PLOT_IMAGE)
            options.rows = options.columns = 2;
        bool failed = true;
        for (long n = 0; failed; n++) {
            test_memory memory = {.fail_at = n};
            sf_context *context = test_context_failing(&memory);
            sf_figure *figure;
            sf_status status = sf_plot_trajectories(context, "f", kind == SF_PLOT_PLANE ? 1 : 2, runs, names,
                                                    &options, &figure);
            failed = memory.calls > n;
            assert_true(status == SF_OK || (failed && status == SF_ERR_MEMORY));
            assert_true((status == SF_OK) == (figure != NULL));
            sf_figure_destroy(&figure);
            assert_int_equal(memory.live, 0);
            sf_context_destroy(&context);
        }
    }
    sf_trajectory_destroy(&many);
    sf_trajectory_destroy(&two);
    sf_context_destroy(&plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_spotlight), cmocka_unit_test(test_plane),
                                       cmocka_unit_test(test_wrong_use),
                                       cmocka_unit_test(test_out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
