#include "sweep/run/setup.h"

#include <math.h>
#include <string.h>

/* ---- what an axis sets ---------------------------------------------------------------------------------- */

/* "[12]" at *text; moves on. */
static bool read_index(const char **text, size_t *index)
{
    if (**text != '[')
        return false;
    *index = 0;
    for (++*text; **text >= '0' && **text <= '9'; ++*text)
        *index = 10 * *index + (size_t)(**text - '0');
    return *(*text)++ == ']';
}

sf_target sf_target_of(const char *key)
{
    static const struct {
        const char *key;
        sf_target_kind kind;
        int indices;
    } known[] = {{"network.init.layers", SF_TARGET_LAYER_AT, 2},
                 {"network.init", SF_TARGET_INIT_AT, 1},
                 {"network.init", SF_TARGET_INIT, 0},
                 {"data.example", SF_TARGET_EXAMPLE_AT, 1},
                 {"optimizer.rho", SF_TARGET_RHO, 0},
                 {"dynamics.step", SF_TARGET_STEP, 0},
                 {"dynamics.steps", SF_TARGET_STEPS, 0},
                 {"dynamics.until.tau", SF_TARGET_END, 0},
                 {"dynamics.until.log_time", SF_TARGET_END, 0},
                 {"dynamics.until.log_norm", SF_TARGET_END, 0}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t length = strlen(known[i].key);
        if (strncmp(key, known[i].key, length) != 0)
            continue;
        sf_target target = {.kind = known[i].kind};
        const char *rest = key + length;
        bool good = known[i].indices < 2 || read_index(&rest, &target.layer);
        good = good && (known[i].indices < 1 || read_index(&rest, &target.feature));
        if (good && *rest == '\0')
            return target;
    }
    return (sf_target){.kind = SF_TARGET_OTHER};
}

/* ---- setups --------------------------------------------------------------------------------------------- */

sf_status sf_setup_create(sf_context *context, const sf_experiment *experiment, sf_setup *setup)
{
    const sf_network *network = sf_experiment_network(experiment);
    const sf_dataset *dataset = sf_experiment_dataset(experiment);
    *setup = (sf_setup){.features = sf_network_features(network),
                        .layers = (size_t)sf_network_depth(network),
                        .rho = sf_experiment_perturbation(experiment).rho,
                        .step = sf_experiment_step_size(experiment),
                        .steps = sf_experiment_steps(experiment)};
    bool single = sf_dataset_examples(dataset) == 1;
    setup->theta = SF_ARRAY(context, sf_network_parameters(network), double);
    setup->example = single ? SF_ARRAY(context, setup->features, double) : NULL;
    if (!setup->theta || (single && !setup->example)) {
        sf_setup_release(context, setup);
        return SF_ERR_MEMORY;
    }
    sf_experiment_fill_start(experiment, setup->theta);
    if (single)
        sf_dataset_example(dataset, 0, setup->example);
    return SF_OK;
}

void sf_setup_release(sf_context *context, sf_setup *setup)
{
    sf_free(context, setup->theta);
    sf_free(context, setup->example);
    setup->theta = setup->example = NULL;
}

static void put_target(sf_setup *setup, const sf_target *target, double value)
{
    size_t d = setup->features, j = target->feature;
    switch (target->kind) {
    case SF_TARGET_INIT:
        for (size_t k = 0; k < setup->layers * d; k++)
            setup->theta[k] = value;
        break;
    case SF_TARGET_INIT_AT:
        for (size_t l = 0; l < setup->layers && j < d; l++)
            setup->theta[l * d + j] = value;
        break;
    case SF_TARGET_LAYER_AT:
        if (target->layer < setup->layers && j < d)
            setup->theta[target->layer * d + j] = value;
        break;
    case SF_TARGET_EXAMPLE_AT:
        if (setup->example && j < d)
            setup->example[j] = value;
        break;
    case SF_TARGET_RHO:
        setup->rho = value;
        break;
    case SF_TARGET_STEP:
        setup->step = value;
        break;
    case SF_TARGET_STEPS:
        setup->steps = (uint64_t)value;
        break;
    default:
        break;
    }
}

void sf_setup_put(sf_setup *setup, const sf_target *targets, size_t count, const grid_value *values)
{
    for (size_t i = 0; i < count; i++)
        put_target(setup, &targets[i], values[i].number);
}

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

bool sf_setup_same(const sf_setup *a, const sf_setup *b)
{
    bool same = a->features == b->features && a->layers == b->layers && !a->example == !b->example &&
                same_number(a->rho, b->rho) && same_number(a->step, b->step) && a->steps == b->steps;
    for (size_t k = 0; same && k < a->layers * a->features; k++)
        same = a->theta[k] == b->theta[k];
    for (size_t j = 0; same && a->example && j < a->features; j++)
        same = a->example[j] == b->example[j];
    return same;
}
