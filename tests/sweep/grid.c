/* Grids: expansion, numbering, and what is refused. */
#include <string.h>

#include "support.h"
#include "sweep/grid/grid.h"
#include "sweep/grid/identity.h"

static sf_grid *parse(sf_context *context, const char *section)
{
    char text[4096];
    snprintf(text, sizeof text, "data: {example: [1, 2]}\nsweep:\n%s\nloss: logistic\n", section);
    sf_grid *grid;
    assert_ok(context, sf_grid_parse(context, "g.yaml", text, &grid));
    return grid;
}

static void test_product(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_grid *grid = parse(context, "  axes:\n"
                                   "    optimizer.rho: [0.5, 1, 2]\n"
                                   "    network.init: {linspace: [0.1, 0.5, 5]}\n"
                                   "    optimizer.method: [gd, l2-sam]");
    assert_int_equal(grid->points, 30);
    grid_value value[3];
    for (uint64_t n = 0; n < 30; n++) { // the last axis is the fastest
        static const double rho[] = {0.5, 1.0, 2.0}, init[] = {0.1, 0.2, 0.3, 0.4, 0.5};
        sf_grid_values(grid, sf_grid_written(grid, n), value);
        assert_true(value[0].number == rho[n / 10]);
        assert_true(value[1].number == init[n / 2 % 5]); // the decimals themselves, bit for bit
        assert_string_equal(value[2].label, n % 2 ? "l2-sam" : "gd");
        uint64_t indices[3];
        sf_grid_indices(grid, n, indices);
        assert_int_equal(sf_grid_position(grid, indices), n);
    }
    assert_string_equal(grid->experiment,
                        "data: {example: [1, 2]}\n\n\n\n\n\nloss: logistic\n"); // lines are kept
    sf_grid_destroy(&grid);
    sf_context_destroy(&context);
}

static void test_zip_and_random(void **state)
{
    (void)state;
    sf_context *context = test_context();
    static const char section[] =
        "  axes:\n"
        "    zip:\n"
        "      - optimizer.rho: {random: {log_uniform: [0.1, 10], count: 50, seed: 3}}\n"
        "        network.init: {random: {normal: [1, 0.1], count: 50, seed: 4}}\n"
        "    dynamics.steps: {random: {integer: [5, 9], count: 20, seed: 5}}\n"
        "    dynamics.step: {logspace: [0.001, 1, 4]}";
    sf_grid *grid = parse(context, section), *again = parse(context, section);
    assert_int_equal(grid->points, 50 * 20 * 4);
    assert_int_equal(grid->group_count, 3);
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < grid->axes[i].count; k++)
            assert_true(grid->axes[i].values[k].number == again->axes[i].values[k].number);
    double sum = 0.0;
    for (size_t k = 0; k < 50; k++) {
        double rho = grid->axes[0].values[k].number;
        assert_true(rho > 0.1 && rho < 10.0);
        sum += grid->axes[1].values[k].number;
    }
    assert_absolute(sum / 50.0, 1.0, 5.0 * 0.1 / sqrt(50.0)); // five standard errors
    for (size_t k = 0; k < 20; k++) {
        double steps = grid->axes[2].values[k].number;
        assert_true(steps >= 5.0 && steps <= 9.0 && steps == floor(steps));
    }
    static const double step[] = {0.001, 0.01, 0.1, 1.0};
    for (size_t k = 0; k < 4; k++)
        assert_true(grid->axes[3].values[k].number == step[k]);
    grid_value value[4];
    sf_grid_values(grid, 7 * 80 + 3, value); // zipped axes move together
    assert_true(value[0].number == grid->axes[0].values[7].number);
    assert_true(value[1].number == grid->axes[1].values[7].number);
    sf_grid_destroy(&grid);
    sf_grid_destroy(&again);
    sf_context_destroy(&context);
}

static void test_refined_lattice(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_grid *grid = parse(context, "  axes:\n"
                                   "    network.init: {linspace: [0, 1, 3]}\n"
                                   "    optimizer.rho: {logspace: [1, 16, 2]}\n"
                                   "  refine: {by: regime, levels: 2}");
    assert_int_equal(grid->points, 6);
    assert_int_equal(sf_grid_extent(grid, 0), 9);
    assert_int_equal(sf_grid_extent(grid, 1), 5);
    grid_value value[2];
    for (uint64_t i = 0; i < 9; i++)
        for (uint64_t k = 0; k < 5; k++) {
            sf_grid_values(grid, i * 5 + k, value);
            assert_true(value[0].number == (double)i / 8.0);
            assert_true(value[1].number == pow(2.0, (double)k));
        }
    assert_int_equal(sf_grid_written(grid, 5), 8 * 5 + 4);
    assert_int_equal(sf_grid_written(grid, 1), 4);
    sf_grid_destroy(&grid);
    sf_context_destroy(&context);
}

/* What is wrong, and a part of what is said about it: with line and column. */
static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *section, *message;
    } bad[] = {
        {"  axes: {}", "g.yaml:2:1: sweep expects axes"},
        {"  axes:\n    optimizer.rho: []", "g.yaml:4:5: axis 'optimizer.rho' is empty"},
        {"  axes:\n    optimizer.rho: 3", "g.yaml:4:5: axis 'optimizer.rho' expects a list"},
        {"  axes:\n    optimizer.rho: {linspace: [0, 1, 0]}", "g.yaml:4:5: axis 'optimizer.rho' is empty"},
        {"  axes:\n    optimizer.rho: {linspace: [0, 1]}", "expects three numbers"},
        {"  axes:\n    optimizer.rho: {linspace: [1, 1, 3]}", "all alike"},
        {"  axes:\n    optimizer.rho: {linspace: [1, 1.000000000000001, 30]}", "finer than 15 digits"},
        {"  axes:\n    optimizer.rho: {logspace: [-1, 1, 3]}", "one sign"},
        {"  axes:\n    optimizer.rho: {lin: [0, 1, 3]}", "g.yaml:4:21: unknown key 'lin' in an axis"},
        {"  axes:\n    optimizer.rho: {random: {uniform: [0, 1], count: 3}}", "expects seed"},
        {"  axes:\n    optimizer.rho: {random: {uniform: [1, 0], count: 3, seed: 1}}", "is no range"},
        {"  axes:\n    optimizer.rho: [1, 2, 1]", "g.yaml:4:27: axis 'optimizer.rho' holds 1 twice"},
        {"  axes:\n    zip: {a: [1, 2], b: [1, 2, 3]}", "'a' has 2 values, 'b' has 3"},
        {"  axes: {a: [1], b: {values: [1], name: a}}", "the same name 'a'"},
        {"  axes: {a: {values: [1], name: status}}", "the store has a column"},
        {"  axes: {a: [1]}\n  observables: [speed]",
         "g.yaml:4:17: unknown observable 'speed'; expected some of regime"},
        {"  axes: {a: [1]}\n  observables: [regime, regime]", "appears twice"},
        {"  axes: {a: [1]}\n  observables: [{beta: {step: [2, 1]}}]", "must increase"},
        {"  axes: {a: [1]}\n  observable: [regime]", "unknown key 'observable' in sweep"},
        {"  axes: {a: [1, 2]}\n  refine: {by: regime, levels: 99}", "whole number from 1 to 12"},
        {"  axes: {a: [x, y]}\n  refine: {by: regime, levels: 1}", "increasing numbers"},
        {"  axes: {a: {linspace: [0, 1, 10000]}, b: {linspace: [0, 1, 10000]}, c: {linspace: [0, 1, 10000]}}",
         "g.yaml:3:10: the grid has 1000000000000 points (10000 x 10000 x 10000); at most 1000000000 make a "
         "sweep. "
         "Take fewer values an axis"},
        {"  axes: [1, 2", "g.yaml:"},
    };
    sf_context *context = test_context();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text, "loss: logistic\nsweep:\n%s\n", bad[i].section);
        sf_grid *grid;
        assert_status(context, sf_grid_parse(context, "g.yaml", text, &grid), SF_ERR_CONFIG);
        assert_null(grid);
        if (!strstr(sf_context_message(context), bad[i].message))
            fail_msg("said '%s', expected '%s'", sf_context_message(context), bad[i].message);
    }
    sf_grid *grid;
    assert_status(context, sf_grid_parse(context, "g.yaml", "loss: logistic\n", &grid), SF_ERR_CONFIG);
    assert_non_null(strstr(sf_context_message(context), "no section `sweep:`"));
    sf_context_destroy(&context);
}

static void hex(sf_hash hash, char *digits)
{
    for (int i = 0; i < 16; i++)
        snprintf(digits + 2 * i, 3, "%02x", hash.bytes[i]);
}

/* Identity: known answers of XXH3-128, and what does and does not change a point. */
static void test_identity(void **state)
{
    (void)state;
    sf_context *context = test_context();
    char digits[33];
    hex(sf_hash_bytes("", 0), digits);
    assert_string_equal(digits, "99aa06d3014798d86001c324468d497f"); // the specification of XXH3
    static const char *const same[] = {"{\"a\": {\"b\": 1, \"c\": [1, 2.5]}, \"z\": \"t\"}",
                                       "{\"z\": \"t\", \"a\": {\"c\": [1.0, 25e-1], \"b\": 1e0}}"};
    static const char *const other[] = {"{\"a\": {\"b\": 1, \"c\": [2.5, 1]}, \"z\": \"t\"}",
                                        "{\"a\": {\"b\": 1, \"c\": [1, 2.5]}, \"z\": \"T\"}",
                                        "{\"a\": {\"b\": \"1\", \"c\": [1, 2.5]}, \"z\": \"t\"}",
                                        "{\"a\": {\"b\": 1, \"c\": [1, 2.5000000000000004]}, \"z\": \"t\"}",
                                        "{\"a\": {\"b\": 1, \"c\": [1, 2.5]}}"};
    sf_hash first, hash;
    for (size_t i = 0; i < 7; i++) {
        sf_leaves leaves;
        assert_ok(context, sf_leaves_parse(context, i < 2 ? same[i] : other[i - 2], &leaves));
        assert_ok(context, sf_leaves_hash(&leaves, &hash));
        if (i == 0)
            first = hash;
        assert_int_equal(memcmp(&first, &hash, sizeof hash) == 0, i < 2);
        sf_leaves_release(&leaves);
    }
    sf_leaves leaves;
    assert_ok(context, sf_leaves_parse(context, "{\"rho\": -0.0, \"seed\": 9007199254740993}", &leaves));
    assert_true(sf_leaves_number(&leaves, "rho") == 0.0);
    assert_string_equal(leaves.items[sf_leaves_find(&leaves, "seed")].text, "9007199254740993");
    assert_ok(context, sf_leaves_hash(&leaves, &first));
    assert_ok(context, sf_leaves_put(&leaves, "rho", 0.0, NULL)); // 0 and -0 are one setting
    assert_ok(context, sf_leaves_hash(&leaves, &hash));
    assert_memory_equal(&first, &hash, sizeof hash);
    sf_leaves_release(&leaves);
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_product), cmocka_unit_test(test_zip_and_random),
                                       cmocka_unit_test(test_refined_lattice),
                                       cmocka_unit_test(test_refusals), cmocka_unit_test(test_identity)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
