/* Reading experiments: a table of files that must fail with the right message, files that must not, overrides, and
 * the resolved experiment read back. */
#include "support.h"

/* ---- what must fail ------------------------------------------------------------------------------------- */

#define EXAMPLE "data: {example: [1, 2]}\n"

/* text, then what the message must hold: the place, the key, the expectation. */
static const struct {
    const char *text, *place, *key, *expected;
} bad[] = {
    {"", "file.yaml:1", "empty", "expected"},
    {"# nothing but a comment\n", "file.yaml:1", "empty", "expected"},
    {"- 1\n- 2\n", "file.yaml:1:", "", "expected a mapping"},
    {"just text\n", "file.yaml:1:", "'just text'", "expected a mapping"},
    {"data: {example: [1, 2}\n", "file.yaml:1:", "not YAML", ""},
    {"data:\n\texample: [1]\n", "file.yaml:2:", "not YAML", "tab"},
    {"data: {example: [1]}\nfoo\nloss: logistic\n", "file.yaml:2:", "not YAML", ""},
    {"data: {example: [1]}\n--- \ndata: {example: [1]}\n", "file.yaml:2:", "second document", "expected one"},
    {"data: &a {example: [1]}\n", "file.yaml:1:", "anchor", "plain values"},
    {"data: {example: [1]}\nloss: !!str logistic\n", "file.yaml:2:", "tag", "plain values"},
    {"data: {example: [1]}\ndata: {example: [2]}\n", "file.yaml:2:1", "'data' is given twice", "line 1"},
    {"data:\n  example: [1]\n  example: [2]\n", "file.yaml:3:3", "'example' is given twice", "line 2"},
    {"data: {example: [1\xff]}\n", "file.yaml:1", "0xff", "UTF-8"},
    {"data: {example: [1]}\nloss: \xc3\x28\n", "file.yaml:2", "0xc3", "UTF-8"},

    {"loss: logistic\n", "file.yaml:1:1", "data", "exactly one source"},
    {"data: {}\n", "file.yaml:1:7", "data", "exactly one source"},
    {"data: 3\n", "file.yaml:1:7", "data", "expected a mapping with keys among: example, points"},
    {"data: {gaussian: {std: 1}}\n", "file.yaml:1:", "data.gaussian.mean", "a list of numbers"},
    {"data:\n  sample: [1, 2]\n", "file.yaml:2:3", "data.sample", "did you mean 'data.example'"},
    {EXAMPLE "rho: 1\n", "file.yaml:2:1", "rho", "did you mean 'optimizer.rho'"},
    {EXAMPLE "optimiser: {rho: 1}\n", "file.yaml:2:1", "optimiser", "did you mean 'optimizer'"},
    {EXAMPLE "optimizer: {zzzzzz: 1}\n", "file.yaml:2:13", "optimizer.zzzzzz",
     "expected one of: method, rho, p"},
    {EXAMPLE "optimizer.rho: 1\n", "file.yaml:2:1", "optimizer.rho", "unknown key"},
    {"data: {example: [1, 2], points: [[1]], labels: [1]}\n", "file.yaml:1:", "data.points", "second source"},
    {"data: {example: [1, .nan]}\n", "file.yaml:1:21", "data.example", "a list of finite numbers"},
    {"data: {example: [1, .inf]}\n", "file.yaml:1:21", "data.example", "a list of finite numbers"},
    {"data: {example: [1, 1e999]}\n", "file.yaml:1:21", "data.example", "a list of finite numbers"},
    {"data: {example: [1, two]}\n", "file.yaml:1:21", "'two'", "a list of finite numbers"},
    {"data: {example: [1, [2]]}\n", "file.yaml:1:21", "data.example", "a list of finite numbers"},
    {"data: {example: [one, 2]}\n", "file.yaml:1:18", "'one'", "a list of finite numbers"},
    {"data: {example: [1, '2']}\n", "file.yaml:1:2", "the text '2'", "a list of finite numbers"},
    {"data: {example: []}\n", "file.yaml:1:17", "an empty list", "a list of finite numbers"},
    {"data: {example: 1}\n", "file.yaml:1:17", "data.example", "a list of finite numbers"},
    {"data: {example:}\n", "file.yaml:1:", "found nothing", "a list of finite numbers"},
    {"data: {points: [[1, 2], [3]], labels: [1, -1]}\n", "file.yaml:1:25", "data.points: row 1 has 1",
     "expected 2"},
    {"data: {points: [[1, 2], [3, x]], labels: [1, -1]}\n", "file.yaml:1:29", "data.points", "'x'"},
    {"data: {points: [1, 2], labels: [1, -1]}\n", "file.yaml:1:16", "data.points", "a list of lists"},
    {"data: {points: [[1, 2], [3, 4]]}\n", "file.yaml:1:16", "data.labels is missing", "2 labels"},
    {"data: {points: [[1], [3]], labels: [1]}\n", "file.yaml:1:36", "data.labels", "expected 2"},
    {"data: {points: [[1], [3]], labels: [1, 0]}\n", "file.yaml:1:36", "data.labels", "expected -1 or 1"},
    {"data: {points: [[1], [3]], labels: [1, 2]}\n", "file.yaml:1:36", "data.labels", "position 1"},
    {"data: {example: [1], labels: [1]}\n", "file.yaml:1:30", "data.labels", "data.points"},
    {"data: {gaussian: {mean: [1], std: 0}}\n", "file.yaml:1:35", "data.gaussian.std", "> 0"},
    {"data: {gaussian: {mean: [1], per_class: 0}}\n", "file.yaml:1:41", "data.gaussian.per_class", ">= 1"},
    {"data: {gaussian: {mean: [1], seed: -1}}\n", "file.yaml:1:36", "data.gaussian.seed", "a whole number"},
    {"data: {gaussian: {mean: [1], separable: yes}}\n", "file.yaml:1:41", "'yes'", "true or false"},
    {"data: {gaussian: [1]}\n", "file.yaml:1:18", "data.gaussian", "expected a mapping"},
    {"data: {file: x.csv, classes: [1]}\n", "file.yaml:1:30", "data.classes", "two different"},
    {"data: {file: x.csv, classes: [1, 1]}\n", "file.yaml:1:30", "data.classes", "two different"},
    {"data: {file: x.csv, format: xml}\n", "file.yaml:1:29", "data.format", "csv|svmlight|idx"},
    {"data: {example: [1], transpose: true}\n", "file.yaml:1:33", "data.transpose", "data.file"},

    {EXAMPLE "network: {depth: 0}\n", "file.yaml:2:18", "network.depth", ">= 1"},
    {EXAMPLE "network: {depth: -2}\n", "file.yaml:2:18", "network.depth", ">= 1"},
    {EXAMPLE "network: {depth: 1.5}\n", "file.yaml:2:18", "network.depth", "a whole number"},
    {EXAMPLE "network: {depth: two}\n", "file.yaml:2:18", "network.depth", "a whole number"},
    {EXAMPLE "network: {depth: 99999999999}\n", "file.yaml:2:18", "network.depth", "<= 1000"},
    {EXAMPLE "network: {init: [1, 2, 3]}\n", "file.yaml:2:17", "network.init", "3 numbers, expected 2"},
    {EXAMPLE "network: {init: .nan}\n", "file.yaml:2:17", "network.init", "a finite number"},
    {EXAMPLE "network: {init: {layers: [[1, 2]]}}\n", "file.yaml:2:26", "network.init.layers",
     "expected 2, one a layer"},
    {EXAMPLE "network: {init: {layers: [[1], [2]]}}\n", "file.yaml:2:26", "network.init.layers",
     "expected 2, one a feat"},
    {EXAMPLE "network: {init: {random: {seed: 1}}}\n", "file.yaml:2:33", "network.init.random",
     "scale is missing"},
    {EXAMPLE "network: {init: {random: {scale: 0}}}\n", "file.yaml:2:34", "network.init.random.scale", "> 0"},
    {EXAMPLE "network: {init: {random: {scale: 1}, layers: [[1,2],[1,2]]}}\n", "file.yaml:2:", "network.init",
     "one"},
    {EXAMPLE "network: {init: {foo: 1}}\n", "file.yaml:2:18", "network.init.foo", "layers, random"},
    {"data: {example: [1, 2], mirror: true}\nnetwork: {init: [1, 2]}\n", "file.yaml:2:17", "network.init",
     "expected 4"},
    {EXAMPLE "optimizer: {method: sam}\n", "file.yaml:2:21", "optimizer.method",
     "gd|l2-sam|linf-sam|lp-sam|usam"},
    {EXAMPLE "optimizer: {rho: -0.1}\n", "file.yaml:2:18", "optimizer.rho", ">= 0"},
    {EXAMPLE "optimizer: {rho: .inf}\n", "file.yaml:2:18", "optimizer.rho", "a finite number"},
    {EXAMPLE "optimizer: {method: lp-sam}\n", "file.yaml:2:21", "optimizer.p", "> 1"},
    {EXAMPLE "optimizer: {method: lp-sam, p: 1}\n", "file.yaml:2:32", "optimizer.p", "> 1"},
    {EXAMPLE "loss: hinge\n", "file.yaml:2:7", "loss", "logistic|exponential"},
    {EXAMPLE "dynamics: {mode: sgd}\n", "file.yaml:2:18", "dynamics.mode", "flow|discrete|exact"},
    {EXAMPLE "dynamics: {mode: discrete, step: 0}\n", "file.yaml:2:34", "dynamics.step", "> 0"},
    {EXAMPLE "dynamics: {mode: discrete, step: -1e-3}\n", "file.yaml:2:34", "dynamics.step", "> 0"},
    {EXAMPLE "dynamics: {mode: discrete, steps: 0}\n", "file.yaml:2:35", "dynamics.steps", ">= 1"},
    {EXAMPLE "dynamics: {mode: discrete, steps: 1e30}\n", "file.yaml:2:35", "dynamics.steps",
     "a whole number"},
    {EXAMPLE "dynamics: {step: 0.1}\n", "file.yaml:2:18", "dynamics.step", "dynamics.mode: discrete"},
    {EXAMPLE "dynamics: {mode: discrete, until: {tau: 1}}\n", "file.yaml:2:41", "dynamics.until.tau", "flow"},
    {EXAMPLE "dynamics: {until: {tau: 0}}\n", "file.yaml:2:25", "dynamics.until.tau", "> 0"},
    {EXAMPLE "dynamics: {until: 3}\n", "file.yaml:2:19", "dynamics.until", "expected a mapping"},
    {EXAMPLE "dynamics: {until: {tme: 1}}\n", "file.yaml:2:20", "dynamics.until.tme",
     "did you mean 'dynamics.until.tau'"},
    {EXAMPLE "dynamics: {mode: exact}\noptimizer: {method: usam}\n", "file.yaml:2:18", "dynamics.mode",
     "gd or l2-sam"},
    {EXAMPLE "record: {samples: 0}\n", "file.yaml:2:19", "record.samples", ">= 1"},
    {EXAMPLE "record: {at: {step: [1]}}\n", "file.yaml:2:21", "record.at.step", "dynamics.mode: discrete"},
    {EXAMPLE "record: {at: {tau: [-1]}}\n", "file.yaml:2:20", "record.at.tau", ">= 0"},
    {EXAMPLE "record: {at: {tau: 1}}\n", "file.yaml:2:20", "record.at.tau", "a list"},
    {EXAMPLE "dynamics: {mode: discrete, steps: 10}\nrecord: {at: {step: [11]}}\n", "file.yaml:3:21",
     "record.at.step", "from 0 to dynamics.steps = 10"},
    {EXAMPLE "dynamics: {mode: discrete, steps: 10}\nrecord: {at: {step: [1.5]}}\n", "file.yaml:3:21",
     "record.at.step", "a whole number"},
};

static void check_message(sf_context *context, const char *text, const char *part)
{
    if (!strstr(sf_context_message(context), part)) {
        print_error("for\n%s\nthe message is\n%s\nwhich does not say '%s'\n", text,
                    sf_context_message(context), part);
        fail();
    }
}

static void test_bad(void **state)
{
    (void)state;
    sf_context *context = test_context();
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        sf_experiment *experiment = (sf_experiment *)&experiment;
        sf_status status = sf_experiment_parse(context, "file.yaml", bad[i].text, 0, NULL, &experiment);
        if (status != SF_ERR_CONFIG)
            print_error("%s\n", bad[i].text);
        assert_status(context, status, SF_ERR_CONFIG);
        assert_null(experiment);
        check_message(context, bad[i].text, bad[i].place);
        check_message(context, bad[i].text, bad[i].key);
        check_message(context, bad[i].text, bad[i].expected);
    }
    sf_context_destroy(&context);
}

static void test_missing_data_file(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_experiment *experiment;
    assert_status(
        context,
        sf_experiment_parse(context, "file.yaml", "data:\n  file: no-such.csv\n", 0, NULL, &experiment),
        SF_ERR_DATA);
    check_message(context, "data.file", "file.yaml:2:9: data.file: 'no-such.csv' does not exist");
    assert_status(context, sf_experiment_read(context, "no-such.yaml", 0, NULL, &experiment), SF_ERR_CONFIG);
    check_message(context, "no file", "no-such.yaml: cannot be opened");
    assert_status(context, sf_experiment_read(context, "/", 0, NULL, &experiment), SF_ERR_CONFIG);
    sf_context_destroy(&context);
}

/* ---- overrides ------------------------------------------------------------------------------------------ */

static sf_experiment *parse(sf_context *context, const char *text, size_t count, const char *const *overrides)
{
    sf_experiment *experiment;
    assert_ok(context, sf_experiment_parse(context, "file.yaml", text, count, overrides, &experiment));
    return experiment;
}

static void test_overrides(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const char *set[] = {"optimizer.rho=0.25",     "optimizer.method=lp-sam",
                         "optimizer.p=3",          "network.init={layers: [[1, 2], [3, 4]]}",
                         "dynamics.mode=discrete", "dynamics.steps=1e3",
                         "dynamics.until=",        "loss=exponential"};
    sf_experiment *experiment = parse(context, EXAMPLE "dynamics: {until: {tau: 3}}\nnetwork: {init: 0.3}\n",
                                      sizeof set / sizeof set[0], set);
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    assert_int_equal(perturbation.method, SF_METHOD_LP);
    assert_true(perturbation.rho == 0.25 && perturbation.p == 3.0);
    assert_int_equal(sf_experiment_mode(experiment), SF_MODE_DISCRETE);
    assert_int_equal(sf_experiment_steps(experiment), 1000);
    assert_int_equal(sf_network_loss(sf_experiment_network(experiment)), SF_LOSS_EXPONENTIAL);
    const double *start = sf_experiment_initialization(experiment);
    for (int i = 0; i < 4; i++)
        assert_true(start[i] == i + 1.0);
    sf_experiment_destroy(&experiment);

    static const char *const wrong[][2] = {
        {"optimizer.rh=1", "--set optimizer.rh=1: optimizer.rh: unknown key"},
        {"optimizer.rho=-1", "--set optimizer.rho=-1: optimizer.rho: found '-1'"},
        {"optimizer.rho", "expected KEY.PATH=VALUE"},
        {"=1", "expected KEY.PATH=VALUE"},
        {"data.example=[1", "--set data.example=[1: the value is not YAML"},
        {"loss.x=1", "--set loss.x=1: loss: found a mapping"},
        {"network.init=[1,2,3]", "--set network.init=[1,2,3]: network.init"}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_status(context,
                      sf_experiment_parse(context, "file.yaml", EXAMPLE, 1, &wrong[i][0], &experiment),
                      SF_ERR_CONFIG);
        check_message(context, wrong[i][0], wrong[i][1]);
    }
    sf_context_destroy(&context);
}

/* ---- defaults and the resolved experiment --------------------------------------------------------------- */

static void test_defaults(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_experiment *experiment = parse(context, EXAMPLE, 0, NULL);
    assert_int_equal(sf_experiment_mode(experiment), SF_MODE_FLOW);
    assert_int_equal(sf_network_depth(sf_experiment_network(experiment)), 2);
    assert_int_equal(sf_experiment_samples(experiment), 200);
    assert_true(sf_experiment_until(experiment).log_time == 50.0);
    assert_true(isinf(sf_experiment_until(experiment).tau));
    assert_true(isnan(sf_experiment_step_size(experiment)));
    assert_int_equal(sf_experiment_steps(experiment), 0);
    sf_experiment_destroy(&experiment);
    experiment =
        parse(context, EXAMPLE "dynamics: {until: {tau: 3}}\noptimizer: {method: gd, rho: 2}\n", 0, NULL);
    assert_true(isinf(sf_experiment_until(experiment).log_time));
    assert_true(sf_experiment_perturbation(experiment).rho == 0.0);
    sf_experiment_destroy(&experiment);
    experiment =
        parse(context, "data: {example: [1, 2], mirror: true}\nnetwork: {init: [1, 2, 3, 4]}\n", 0, NULL);
    assert_int_equal(sf_network_features(sf_experiment_network(experiment)), 4);
    sf_experiment_destroy(&experiment);
    sf_context_destroy(&context);
}

static void resolved(const sf_experiment *experiment, bool pretty, char *text, size_t size)
{
    FILE *stream = tmpfile();
    assert_non_null(stream);
    sf_json json = sf_json_make(stream, pretty);
    sf_experiment_write(experiment, &json, NULL);
    assert_true(sf_json_finish(&json));
    rewind(stream);
    text[fread(text, 1, size - 1, stream)] = '\0';
    fclose(stream);
}

/* Written, read back and written again: the same text, so the same settings, and the same start and data. */
static void test_round_trip(void **state)
{
    (void)state;
    static const char *const text[] = {
        EXAMPLE,
        "data: {example: [0.1, 2e-7, -3], scale: 0.3, mirror: true}\nnetwork: {init: {random: {scale: 0.1, "
        "seed: 7}}}\n",
        "data: {points: [[1, 2], [-1, -1.5], [0, 3]], labels: [1, -1, 1], standardize: true}\n",
        "data: {points: [[1, 2], [-1, -1.5]], labels: [1, -1]}\noptimizer: {method: lp-sam, p: 3.5, rho: "
        "0.1}\n"
        "dynamics: {mode: discrete, step: 0.3, steps: 77}\nrecord: {samples: 5, at: {step: [3, 1, 3]}}\n",
        "data: {gaussian: {mean: [1, 2], per_class: 3, separable: true}}\nnetwork: {depth: 3, init: [0.1, "
        "0.2]}\n"
        "loss: exponential\ndynamics: {until: {tau: 3, direction_tolerance: 1.0e-5}}\nrecord: {at: {tau: "
        "[1]}}\n",
        EXAMPLE
        "network: {depth: 1, init: {layers: [[0.1, 0.30000000000000004]]}}\noptimizer: {method: gd}\n",
    };
    sf_context *context = test_context();
    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        char first[4096], second[4096];
        sf_experiment *a = parse(context, text[i], 0, NULL), *b;
        resolved(a, true, first, sizeof first);
        b = parse(context, first, 0, NULL);
        resolved(b, true, second, sizeof second);
        assert_string_equal(first, second);
        size_t count = sf_network_parameters(sf_experiment_network(a));
        assert_int_equal(sf_network_parameters(sf_experiment_network(b)), count);
        assert_memory_equal(sf_experiment_initialization(a), sf_experiment_initialization(b),
                            count * sizeof(double));
        size_t d = sf_dataset_features(sf_experiment_dataset(a));
        double za[8], zb[8];
        for (size_t n = 0; n < sf_dataset_examples(sf_experiment_dataset(a)); n++) {
            sf_dataset_example(sf_experiment_dataset(a), n, za);
            sf_dataset_example(sf_experiment_dataset(b), n, zb);
            assert_memory_equal(za, zb, d * sizeof(double));
        }
        sf_experiment_destroy(&a);
        sf_experiment_destroy(&b);
    }
    sf_context_destroy(&context);
}

/* A normal start: of the scale asked for, every layer its own, the same for the same seed. */
static void test_random_start(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const char *set[] = {
        "data.gaussian.mean=[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]",
        "data.mirror=true", "network.depth=20", "network.init={random: {scale: 0.1, seed: 7}}"};
    sf_experiment *a = parse(context, "{}", 4, set), *b = parse(context, "{}", 4, set);
    size_t d = 64, count = sf_network_parameters(sf_experiment_network(a));
    assert_int_equal(count, 20 * d);
    const double *theta = sf_experiment_initialization(a);
    assert_memory_equal(theta, sf_experiment_initialization(b), count * sizeof(double));
    double mean = 0.0, square = 0.0;
    for (size_t i = 0; i < count; i++) {
        mean += theta[i] / (double)count;
        square += theta[i] * theta[i] / (double)count;
        assert_true(i < d || theta[i] != theta[i - d]);
    }
    assert_absolute(mean, 0.0, 4.0 * 0.1 / sqrt((double)count)); // four standard deviations
    assert_relative(square, 0.01, 4.0 * sqrt(2.0 / (double)count));
    sf_experiment_destroy(&a);
    set[3] = "network.init={random: {scale: 0.1, seed: 8}}";
    a = parse(context, "{}", 4, set);
    assert_true(sf_experiment_initialization(a)[0] != sf_experiment_initialization(b)[0]);
    sf_experiment_destroy(&a);
    sf_experiment_destroy(&b);
    sf_context_destroy(&context);
}

static void test_table(void **state)
{
    (void)state;
    sf_setting_info info;
    size_t count = sf_settings_count();
    assert_true(count > 30);
    for (size_t i = 0; i < count; i++) {
        const char *key = sf_settings_describe(i, &info);
        assert_string_equal(key, info.key);
        assert_true(strlen(info.meaning) > 0 && strlen(info.expected) > 0);
    }
    assert_null(sf_settings_describe(count, &info));
}

/* The n-th allocation fails, for every n: an error (or none, where the memory was only to be made smaller), and
 * nothing left behind. */
static void test_allocation(void **state)
{
    (void)state;
    static const char text[] = "data: {points: [[1, 2], [-1, -1.5]], labels: [1, -1], scale: 2}\n"
                               "network: {init: {layers: [[1, 2], [3, 4]]}}\nrecord: {at: {tau: [1, 2]}}\n";
    const char *set[] = {"optimizer.rho=0.5"};
    bool refused = true;
    long n = 0;
    for (; refused; n++) {
        test_memory memory = {.fail_at = n};
        sf_context *context = test_context_failing(&memory);
        sf_experiment *experiment;
        sf_status status = sf_experiment_parse(context, "file.yaml", text, 1, set, &experiment);
        refused = memory.calls > n;
        if (status != SF_OK) {
            assert_status(context, status, SF_ERR_MEMORY);
            assert_null(experiment);
        }
        sf_experiment_destroy(&experiment);
        assert_int_equal(memory.live, 0);
        sf_context_destroy(&context);
    }
    assert_true(n > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad),          cmocka_unit_test(test_missing_data_file),
        cmocka_unit_test(test_overrides),    cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_table),
        cmocka_unit_test(test_random_start), cmocka_unit_test(test_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
