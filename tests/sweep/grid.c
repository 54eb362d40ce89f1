/* Grids: expansion, numbering, and what is refused. */
#include <string.h>

#include "support.h"
#include "sweep/grid/grid.h"
#include "sweep/grid/point.h"

static sf_grid *parse(sf_context *context, const char *section)
{
    char text[4096];
    snprintf(text, sizeof text, "data: {example: [1, 2]}\nsweep:\n%s\nloss: logistic\n", section);
    sf_grid *grid;
    assert_ok(context, sf_grid_parse(context, "g.yaml", text, 0, NULL, &grid));
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
    sf_setting_value setting; // the rest of the file, with its places
    assert_true(sf_settings_get(grid->settings, "data.example[1]", &setting) && setting.number == 2.0);
    assert_true(sf_settings_get(grid->settings, "loss", &setting));
    assert_string_equal(setting.text, "logistic");
    assert_int_equal(grid->settings->values[SF_SET_LOSS].place.line, 7);
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
        {"  axes:\n    optimizer.rho: [1, 2, 1]", "g.yaml:4:20: axis 'optimizer.rho' holds 1 twice"},
        {"  axes:\n    zip: {optimizer.rho: [1, 2], network.init: [1, 2, 3]}",
         "'optimizer.rho' has 2 values, 'network.init' has 3"},
        {"  axes: {optimizer.rho: {values: [1], name: a}, network.init: {values: [1], name: a}}",
         "the same name 'a'"},
        {"  axes: {optimizer.rho: {values: [1], name: status}}", "the store has a column"},
        {"  axes: {optimizer.rho: [1]}\n  observables: [speed]",
         "g.yaml:4:17: unknown observable 'speed'; expected some of regime"},
        {"  axes: {optimizer.rho: [1]}\n  observables: [regime, regime]", "appears twice"},
        {"  axes: {optimizer.rho: [1]}\n  observables: [{beta: {step: [2, 1]}}]", "must increase"},
        {"  axes: {optimizer.rho: [1]}\n  observable: [regime]", "unknown key 'observable' in sweep"},
        {"  axes: {optimizer.rho: [1, 2]}\n  refine: {by: regime, levels: 99}", "whole number from 1 to 12"},
        {"  axes: {optimizer.method: [gd, usam]}\n  refine: {by: regime, levels: 1}", "increasing numbers"},
        {"  axes: {optimizer.rho: {linspace: [0, 1, 10000]}, network.init: {linspace: [0, 1, 10000]}, "
         "dynamics.step: {linspace: [1, 2, 10000]}}",
         "g.yaml:3:10: the grid has 1000000000000 points (10000 x 10000 x 10000); at most 1000000000 make a "
         "sweep. "
         "Take fewer values an axis"},
        {"  axes: [1, 2", "g.yaml:"},
        {"  axes: {optimizer.rho: [1, -1]}", "g.yaml:3:10: axis 'optimizer.rho': optimizer.rho: found -1"},
        {"  axes: {network.depth: {linspace: [1, 2, 3]}}",
         "network.depth: found 1.5, expected a whole number"},
        {"  axes: {optimizer.method: [gd, sgd]}",
         "g.yaml:3:33: optimizer.method: found 'sgd', expected one of gd"},
        {"  axes: {network: [1]}", "network: a group of settings, expected a mapping with keys among"},
        {"  axes: {optimizer.rh: [1]}", "unknown key, did you mean 'optimizer.rho'"},
        {"  axes: {\"data.example[x]\": [1]}", "not a key; expected one such as data.example[1]"},
    };
    sf_context *context = test_context();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        char text[1024];
        snprintf(text, sizeof text, "loss: logistic\nsweep:\n%s\n", bad[i].section);
        sf_grid *grid;
        assert_status(context, sf_grid_parse(context, "g.yaml", text, 0, NULL, &grid), SF_ERR_CONFIG);
        assert_null(grid);
        if (!strstr(sf_context_message(context), bad[i].message))
            fail_msg("said '%s', expected '%s'", sf_context_message(context), bad[i].message);
    }
    sf_grid *grid;
    assert_status(context, sf_grid_parse(context, "g.yaml", "loss: logistic\n", 0, NULL, &grid),
                  SF_ERR_CONFIG);
    assert_non_null(strstr(sf_context_message(context), "no section `sweep:`"));
    sf_context_destroy(&context);
}

static void hex(sf_hash hash, char *digits)
{
    for (int i = 0; i < 16; i++)
        snprintf(digits + 2 * i, 3, "%02x", hash.bytes[i]);
}

static sf_hash identity_of(const char *yaml, uint64_t position, const char *override)
{
    sf_context *context = test_context();
    sf_grid *grid;
    sf_point point;
    sf_hash content = {{7}};
    assert_ok(context, sf_grid_parse(context, "g.yaml", yaml, override ? 1 : 0, &override, &grid));
    assert_ok(context, sf_point_create(context, grid, grid->settings, &point));
    assert_ok(context, sf_point_set(&point, position));
    sf_hash hash = sf_point_identity(&point, &content);
    sf_point_release(&point);
    sf_grid_destroy(&grid);
    sf_context_destroy(&context);
    return hash;
}

#define assert_same(a, b)  assert_memory_equal(&(a), &(b), sizeof(sf_hash))
#define assert_other(a, b) assert_memory_not_equal(&(a), &(b), sizeof(sf_hash))

/* Identity: known answers of XXH3-128, and what does and does not change a point. */
static void test_identity(void **state)
{
    (void)state;
    char digits[33];
    hex(sf_hash_bytes("", 0), digits);
    assert_string_equal(digits, "99aa06d3014798d86001c324468d497f"); // the specification of XXH3
    static const char head[] = "data: {example: [1, 2]}\ndynamics: {mode: discrete}\n"
                               "sweep: {axes: {dynamics.step: [0.1, 0.2]}}\n";
    static const char *const same[] = {
        "loss=logistic",      "optimizer.rho=1",          "optimizer.rho=1e0", "dynamics.steps=20000",
        "dynamics.steps=2e4", "data={example: [1.0, 2]}", "record.samples=200"};
    static const char *const other[] = {"loss=exponential",        "optimizer.rho=1.0000000000000002",
                                        "dynamics.steps=20001",    "data.example=[2, 1]",
                                        "data.example=[1, 2, 0]",  "optimizer.method=usam",
                                        "record.samples=201",      "network.init=0.5",
                                        "network.init=[0.6, 0.6]", "network.depth=3",
                                        "data.mirror=true",        "data.scale=2",
                                        "record.at.step=[5]",      "network.init={random: {scale: 0.6}}"};
    sf_hash first = identity_of(head, 0, NULL), second = identity_of(head, 1, NULL), seen[16];
    assert_other(first, second);
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        sf_hash hash = identity_of(head, 0, same[i]);
        assert_same(first, hash);
    }
    for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) {
        seen[i] = identity_of(head, 0, other[i]);
        assert_other(first, seen[i]);
        for (size_t k = 0; k < i; k++)
            assert_other(seen[k], seen[i]);
    }
}

/* The identity is H(format, version, content of data, settings in the order of the table), nothing left out. */
static void test_identity_parts(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_grid *grid = parse(context, "  axes:\n    network.init: [0.3, 0.4]\n    optimizer.method: [gd, usam]");
    sf_point point;
    sf_hash content = {{1}}, changed = {{2}}, part[SF_SETTING_COUNT + 3];
    assert_ok(context, sf_point_create(context, grid, grid->settings, &point));
    assert_ok(context, sf_point_set(&point, 2));
    size_t count = 0;
    part[count++] = sf_hash_bytes("samflow sweep 2", 15);
    part[count++] = sf_hash_bytes(sf_version(), strlen(sf_version()));
    part[count++] = content;
    for (int id = 0; id < SF_SETTING_COUNT; id++)
        if (point.settings->values[id].set)
            part[count++] = sf_value_hash((sf_setting_id)id, &point.settings->values[id]);
    assert_true(count > 10);
    sf_hash expected = sf_hash_bytes(part, count * sizeof *part), found = sf_point_identity(&point, &content);
    assert_same(expected, found);
    found = sf_point_identity(&point, &changed);
    assert_other(expected, found);
    sf_point_release(&point);
    sf_grid_destroy(&grid);
    sf_context_destroy(&context);
}

/* From any position to any other: what a walk gives is what a point made for that position alone gives. */
static void test_walk(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_grid *grid = parse(context, "  axes:\n"
                                   "    network.init: [0.3, [0.1, 0.2], 0.4, {layers: [[1, 2], [3, 4]]}]\n"
                                   "    dynamics.mode: [flow, exact]\n"
                                   "    data.example[1]: [2, 3]\n"
                                   "    optimizer: [{method: gd}, {rho: 2}, {method: l2-sam, rho: 3}]\n"
                                   "    dynamics.until.log_time: [1, 2]");
    sf_random random = sf_random_make(5, 0);
    sf_point point;
    sf_hash content = {{0}};
    assert_int_equal(grid->points, 96);
    assert_ok(context, sf_point_create(context, grid, grid->settings, &point));
    for (int i = 0; i < 400; i++) {
        uint64_t position = i < 96 ? (uint64_t)i : sf_random_below(&random, 96);
        sf_point alone;
        assert_ok(context, sf_point_set(&point, position));
        assert_ok(context, sf_point_create(context, grid, grid->settings, &alone));
        assert_ok(context, sf_point_set(&alone, position));
        sf_hash a = sf_point_identity(&point, &content), b = sf_point_identity(&alone, &content);
        assert_same(a, b);
        unsigned char whole[2][16];
        assert_ok(context, sf_settings_hash(point.settings, whole[0]));
        assert_ok(context, sf_settings_hash(alone.settings, whole[1]));
        assert_memory_equal(whole[0], whole[1], sizeof whole[0]);
        sf_point_release(&alone);
    }
    sf_point_release(&point);
    sf_grid_destroy(&grid);
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_product),
                                       cmocka_unit_test(test_zip_and_random),
                                       cmocka_unit_test(test_refined_lattice),
                                       cmocka_unit_test(test_refusals),
                                       cmocka_unit_test(test_identity),
                                       cmocka_unit_test(test_identity_parts),
                                       cmocka_unit_test(test_walk)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
