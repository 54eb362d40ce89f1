/* Figures and tables as data, and drawn: what goes in comes back, files are complete or absent, memory may run out. */
#include "support.h"

#include <sys/stat.h>
#include <unistd.h>

static sf_status describe(sf_context *context, sf_figure **figure)
{
    static const double x[] = {1.0, 10.0, 100.0}, y[] = {0.5, NAN, 2.0},
                        cells[] = {0.0, 1.0, 2.0, 3.0, NAN, 5.0};
    static const double rows[] = {0.0, 1.0};
    static const char *const classes[] = {"first", "", "it's <third>"};
    sf_status status = sf_figure_create(context, "test-figure", "A caption with \"quotes\" & marks",
                                        "what one sees", 2, figure);
    if (status != SF_OK)
        return status;
    sf_figure_panel(*figure, &(sf_axes){.title = "it's a title",
                                        .x_label = "x (no unit)",
                                        .x_scale = SF_SCALE_LOG,
                                        .x_min = NAN,
                                        .x_max = NAN,
                                        .y_min = NAN,
                                        .y_max = NAN});
    sf_figure_cells(*figure, NULL, SF_PALETTE_CLASSES, 3, 2, x, rows, cells);
    sf_figure_series(*figure, "β_0", (sf_style){.mark = SF_MARK_LINE_POINTS, .color = SF_COLOR_L2, .dash = 3},
                     3, x, y);
    sf_figure_classes(*figure, 3, classes);
    sf_figure_guide(*figure, 5.0, "switch");
    sf_figure_panel(*figure, &(sf_axes){.x_min = 0.0, .x_max = 1.0, .y_min = 0.0, .y_max = 1.0});
    sf_figure_band(*figure, SF_COLOR_L2, 2, rows, rows, cells);
    sf_figure_vectors(*figure, NULL, SF_COLOR_NEUTRAL, 2, rows, rows, rows, rows);
    return sf_figure_status(*figure);
}

static void test_what_goes_in(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_figure *figure;
    assert_ok(context, describe(context, &figure));
    assert_int_equal(sf_figure_panels(figure), 2);
    sf_panel panel = sf_figure_get_panel(figure, 0);
    assert_string_equal(panel.axes.title, "it's a title");
    assert_int_equal(panel.layer_count, 3);
    assert_int_equal(panel.class_count, 3);
    assert_relative(panel.layers[0].u[3], 3.0, 0.0);
    assert_relative(panel.layers[1].y[2], 2.0, 0.0);
    assert_string_equal(panel.layers[1].title, "β_0");
    panel = sf_figure_get_panel(figure, 1);
    assert_true(panel.layers[0].kind == SF_LAYER_BAND && panel.layers[0].u[1] == 1.0);
    sf_figure_destroy(&figure);
    assert_null(figure);
    sf_context_destroy(&context);
}

static void test_wrong_use(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_figure *figure;
    sf_table *table;
    const double one = 1.0;
    assert_status(context, sf_figure_create(context, "f", "c", "a", 0, &figure), SF_ERR_ARGUMENT);
    assert_null(figure);
    assert_ok(context, sf_figure_create(context, "f", "c", "a", 1, &figure));
    sf_figure_series(figure, NULL, (sf_style){0}, 1, &one, &one); // before any panel
    assert_int_equal(sf_figure_status(figure), SF_ERR_ARGUMENT);
    assert_status(context, sf_draw(context, figure, "f.svg", NULL, false), SF_ERR_ARGUMENT);
    assert_status(context, sf_draw(context, figure, "f.gif", NULL, false), SF_ERR_USAGE);
    sf_figure_destroy(&figure);
    assert_status(context, sf_table_create(context, "t", "c", 0, NULL, &table), SF_ERR_ARGUMENT);
    sf_context_destroy(&context);
}

static void test_colors(void **state)
{
    (void)state;
    assert_int_equal(sf_color_of_strength(1.0), 0x00224E);
    assert_int_equal(sf_color_of_strength(2.0), sf_color_of_strength(1.0));
    assert_int_equal(sf_color_of_strength(NAN), sf_color_of_strength(0.0));
    double last = INFINITY; // weak is light, strong is dark: legible in grey
    for (double s = 0.0; s <= 1.0; s += 0.125) {
        uint32_t c = sf_color_of_strength(s);
        double light = 0.2126 * (c >> 16) + 0.7152 * (c >> 8 & 255) + 0.0722 * (c & 255);
        assert_true(light < last);
        last = light;
    }
}

static void test_table(void **state)
{
    (void)state;
    static const char *const columns[] = {"name", "value"};
    sf_context *context = test_context();
    sf_table *table;
    double value;
    assert_ok(context, sf_table_create(context, "t", "a caption", 2, columns, &table));
    for (int i = 0; i < 40; i++) {
        sf_table_text(table, "text");
        sf_table_number(table, i / 3.0);
    }
    sf_table_text(table, "half a row");
    assert_int_equal(sf_table_status(table), SF_OK);
    assert_int_equal(sf_table_rows(table), 40);
    assert_string_equal(sf_table_cell(table, 39, 0, &value), "text");
    assert_null(sf_table_cell(table, 39, 1, &value));
    assert_relative(value, 13.0, 0.0);
    sf_table_destroy(&table);
    sf_context_destroy(&context);
}

static bool starts_with(const char *path, const char *bytes)
{
    char head[8] = {0};
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t read = fread(head, 1, strlen(bytes), file);
    fclose(file);
    return read == strlen(bytes) && memcmp(head, bytes, read) == 0;
}

static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

static void test_drawing(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_figure *figure;
    assert_ok(context, describe(context, &figure));
    char folder[] = "samflow-test-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    sf_status status = sf_draw(context, figure, "drawn.svg", NULL, false);
    if (status == SF_ERR_UNAVAILABLE) {
        print_message("skipped: gnuplot is not installed\n");
    } else {
        assert_ok(context, status);
        assert_false(exists("test-figure.gp"));
        assert_true(starts_with("drawn.svg", "<?xml"));
        assert_ok(context, sf_draw(context, figure, "./drawn.png", NULL, true));
        assert_true(starts_with("drawn.png", "\x89PNG"));
        assert_true(exists("test-figure.gp") && exists("test-figure.dat"));
        assert_ok(context, sf_draw(context, figure, "drawn.pdf", NULL, false));
        assert_true(starts_with("drawn.pdf", "%PDF"));
        assert_status(context, sf_draw(context, figure, "no/such/folder/drawn.svg", NULL, false), SF_ERR_IO);
    }
    static const char *const files[] = {"drawn.svg", "drawn.png", "drawn.pdf", "test-figure.gp",
                                        "test-figure.dat"};
    for (size_t i = 0; i < 5; i++)
        remove(files[i]);
    assert_int_equal(chdir(".."), 0);
    assert_int_equal(rmdir(folder), 0); // nothing else was left behind
    sf_figure_destroy(&figure);
    sf_context_destroy(&context);
}

/* Equal cells are drawn as larger boxes: every cell lies in exactly one, of its own class. */
static void test_regions(void **state)
{
    (void)state;
    enum { NX = 9, NY = 7 };
    double x[NX], y[NY], z[NX * NY], box[7];
    int covered[NX * NY] = {0}, boxes = 0;
    sf_context *context = test_context();
    sf_figure *figure;
    for (int i = 0; i < NX; i++)
        x[i] = i;
    for (int i = 0; i < NY; i++)
        y[i] = i;
    for (int i = 0; i < NX * NY; i++) // a triangle, a band across it, one hole
        z[i] = i == 40 ? NAN : i % NX > i / NX + 1 ? 1.0 : i / NX == 3 ? 2.0 : 0.0;
    assert_ok(context, sf_figure_create(context, "test-regions", "c", "a", 1, &figure));
    sf_figure_panel(figure, &(sf_axes){.x_max = NX, .y_max = NY});
    sf_figure_cells(figure, NULL, SF_PALETTE_CLASSES, NX, NY, x, y, z);
    sf_status status = sf_draw(context, figure, "test-regions.svg", NULL, true);
    if (status == SF_ERR_UNAVAILABLE) {
        print_message("skipped: gnuplot is not installed\n");
    } else {
        char line[256];
        assert_ok(context, status);
        FILE *file = fopen("test-regions.dat", "r");
        assert_non_null(file);
        while (fgets(line, sizeof line, file)) {
            if (sscanf(line, "%lf %lf %lf %lf %lf %lf %lf", &box[0], &box[1], &box[2], &box[3], &box[4],
                       &box[5], &box[6]) != 7)
                continue;
            boxes++;
            for (int i = 0; i < NX * NY; i++)
                if (x[i % NX] > box[2] && x[i % NX] < box[3] && y[i / NX] > box[4] && y[i / NX] < box[5]) {
                    covered[i]++;
                    assert_true(z[i] == box[6]);
                }
        }
        fclose(file);
        for (int i = 0; i < NX * NY; i++)
            assert_int_equal(covered[i], i != 40);
        assert_true(boxes < NX * NY / 2);
    }
    static const char *const files[] = {"test-regions.svg", "test-regions.gp", "test-regions.dat"};
    for (size_t i = 0; i < 3; i++)
        remove(files[i]);
    sf_figure_destroy(&figure);
    sf_context_destroy(&context);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    static const char *const columns[] = {"name", "value"};
    for (long n = 0; n < 10000; n++) {
        test_memory memory = {.fail_at = n};
        sf_context *context = test_context_failing(&memory);
        sf_figure *figure;
        sf_table *table = NULL;
        sf_status drawn = describe(context, &figure),
                  tabled = sf_table_create(context, "t", "c", 2, columns, &table);
        for (int i = 0; i < 20 && table; i++)
            sf_table_text(table, "text");
        if (table)
            tabled = sf_table_status(table);
        bool failed = memory.calls > n;
        assert_int_equal(drawn == SF_ERR_MEMORY || tabled == SF_ERR_MEMORY, failed);
        sf_figure_destroy(&figure);
        sf_table_destroy(&table);
        assert_int_equal(memory.live, 0);
        sf_context_destroy(&context);
        if (!failed)
            return;
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_goes_in), cmocka_unit_test(test_wrong_use),
                                       cmocka_unit_test(test_colors),       cmocka_unit_test(test_table),
                                       cmocka_unit_test(test_drawing),      cmocka_unit_test(test_regions),
                                       cmocka_unit_test(test_out_of_memory)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
