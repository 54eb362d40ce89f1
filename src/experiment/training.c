/* A training run: from settings to images, network and trainer, and the run with its records and checkpoints. */
#include "experiment/training.h"
#include <samflow/files.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/network.h"
#include "nn/trainer.h"

/* ---- images ------------------------------------------------------------------------------------------------- */

static sf_status load_file(sf_training_run *run, sf_images **out)
{
    sf_experiment *experiment = run->experiment;
    const sf_value *values = experiment->values, *classes = &values[SF_SET_CLASSES];
    if (experiment->settings->scope & SF_SCOPE_FILE) {
        SF_TRY(sf_experiment_find_file(experiment, SF_SET_FILE));
        SF_TRY(sf_experiment_find_file(experiment, SF_SET_LABELS_FILE));
    }
    if (!(values[SF_SET_SCALE].number > 0.0))
        return SF_FAIL_SETTING(experiment, SF_SET_SCALE, "found %.17g, expected a number > 0 for images",
                               values[SF_SET_SCALE].number);
    sf_image_file spec = {.name = sf_experiment_data_name(experiment),
                          .path = values[SF_SET_FILE].text,
                          .labels_path = values[SF_SET_LABELS_FILE].text,
                          .classes = classes->set ? classes->numbers : NULL,
                          .class_count = classes->set ? classes->count : 0,
                          .scale = values[SF_SET_SCALE].number,
                          .weak = values[SF_SET_WEAK].number,
                          .strong = values[SF_SET_STRONG].number};
    return sf_images_read(run->context, &spec, out);
}

static sf_status draw_patches(sf_training_run *run, sf_images **out)
{
    const sf_value *values = run->experiment->values;
    sf_patches spec = {.height = (size_t)values[SF_SET_PATCH_HEIGHT].integer,
                       .width = (size_t)values[SF_SET_PATCH_WIDTH].integer,
                       .patch = (size_t)values[SF_SET_PATCH_SIDE].integer,
                       .strong = values[SF_SET_PATCH_STRONG].number,
                       .faint = values[SF_SET_PATCH_FAINT].number,
                       .noise = values[SF_SET_PATCH_NOISE].number,
                       .strong_flip = values[SF_SET_PATCH_STRONG_FLIP].number,
                       .faint_flip = values[SF_SET_PATCH_FAINT_FLIP].number,
                       .jitter = (size_t)values[SF_SET_PATCH_JITTER].integer,
                       .per_class = (size_t)values[SF_SET_PATCH_PER_CLASS].integer,
                       .seed = values[SF_SET_PATCH_SEED].integer};
    return sf_images_patches(run->context, &spec, out);
}

/* An argument that the settings let through, as an error of the file: "PLACE: KEY: what". */
static sf_status blame(const sf_training_run *run, sf_setting_id id, const char *key, sf_status status)
{
    char where[SF_PLACE_SIZE];
    const sf_value *value = &run->experiment->values[id];
    if (status != SF_ERR_ARGUMENT)
        return status;
    if (!value->given)
        return sf_fail_within(run->context, SF_ERR_CONFIG, "%s: %s", run->experiment->settings->name, key);
    return sf_fail_within(run->context, SF_ERR_CONFIG, "%s: %s", sf_place_text(value->place, where), key);
}

static sf_status load_images(sf_training_run *run)
{
    const sf_value *values = run->experiment->values, *share = &values[SF_SET_SPLIT_TEST];
    bool patches = (run->experiment->settings->scope & SF_SCOPE_PATCHES) != 0;
    sf_images *all = NULL;
    sf_status status = patches ? draw_patches(run, &all) : load_file(run, &all);
    if (status != SF_OK)
        return patches
                   ? blame(run, SF_SET_PATCH_STRONG, "data.patches", status)
                   : blame(run, run->experiment->settings->scope & SF_SCOPE_NAME ? SF_SET_NAME : SF_SET_FILE,
                           "data", status);
    if (!share->set) {
        run->images = all;
        return SF_OK;
    }
    status = sf_images_split(all, share->number, values[SF_SET_SPLIT_SEED].integer, &run->images, &run->test);
    sf_images_destroy(&all);
    return blame(run, SF_SET_SPLIT_TEST, "data.split.test", status);
}

/* ---- network -------------------------------------------------------------------------------------------------- */

static sf_status copy_sizes(const sf_training_run *run, sf_setting_id id, size_t *count, size_t *sizes)
{
    const sf_value *value = &run->experiment->values[id];
    if (value->count > SF_NN_MAX_LAYERS)
        return SF_FAIL_SETTING(run->experiment, id, "found %zu numbers, expected at most %d", value->count,
                               (int)SF_NN_MAX_LAYERS);
    *count = value->count;
    for (size_t i = 0; i < value->count; i++)
        sizes[i] = (size_t)value->numbers[i];
    return SF_OK;
}

/* What the network refuses, at the place of the setting that its member comes from; NULL: of none. */
static sf_status blame_member(const sf_training_run *run, const char *member, sf_status status)
{
    char key[SF_SETTING_PATH_SIZE];
    snprintf(key, sizeof key, "network.%s", member ? member : "");
    sf_setting_id id = sf_setting_find(key);
    bool known = status == SF_ERR_ARGUMENT && id != SF_SETTING_COUNT && run->experiment->values[id].set;
    if (known && !run->experiment->values[id].given)
        return sf_fail_within(run->context, SF_ERR_CONFIG, "%s (default)", key);
    if (!known && member)
        sf_fail_within(run->context, status, "%s", member);
    return known ? blame(run, id, key, status) : blame(run, SF_SET_MODEL, "network", status);
}

static sf_status create_network(sf_training_run *run)
{
    const sf_value *values = run->experiment->values;
    sf_nn_spec spec = {.model =
                           (sf_model)values[SF_SET_MODEL].choice, // choices are in the order of the enums
                       .input = sf_images_shape(run->images),
                       .classes = sf_images_classes(run->images),
                       .activation = (sf_activation)values[SF_SET_ACTIVATION].choice,
                       .bias = values[SF_SET_BIAS].flag,
                       .depth = (size_t)values[SF_SET_DEPTH].integer,
                       .kernel = (size_t)values[SF_SET_KERNEL].integer,
                       .pool = (size_t)values[SF_SET_POOL].integer,
                       .pooling = (sf_pooling)values[SF_SET_POOLING].choice,
                       .init_scale = values[SF_SET_INIT_SCALE].number,
                       .seed = values[SF_SET_NET_SEED].integer,
                       .backend = (sf_nn_backend)values[SF_SET_BACKEND].choice};
    SF_TRY(copy_sizes(run, SF_SET_CHANNELS, &spec.convolutions, spec.channels));
    SF_TRY(copy_sizes(run, SF_SET_HIDDEN, &spec.hidden_layers, spec.hidden));
    const char *member;
    sf_status status = sf_nn_check(run->context, &spec, &member);
    if (status != SF_OK)
        return blame_member(run, member, status);
    return blame(run, SF_SET_MODEL, "network", sf_nn_create(run->context, &spec, 0, &run->nn));
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

/* Takes the settings over. */
static sf_status create(sf_context *context, sf_settings *settings, sf_training_run **out)
{
    sf_experiment *experiment;
    *out = NULL;
    SF_TRY(sf_experiment_of(context, settings, &experiment));
    sf_training_run *run = *out = SF_NEW(context, sf_training_run);
    if (!run) {
        sf_experiment_destroy(&experiment);
        return SF_ERR_MEMORY;
    }
    *run = (sf_training_run){.context = context, .experiment = experiment};
    sf_status status = load_images(run);
    if (status == SF_OK)
        status = create_network(run);
    if (status != SF_OK)
        sf_training_run_destroy(out);
    return status;
}

sf_status sf_training_run_create(sf_context *context, const sf_settings *settings, sf_training_run **out)
{
    sf_settings *copy;
    SF_OUT(context, out);
    SF_TRY(sf_settings_copy(context, settings, &copy));
    return create(context, copy, out);
}

sf_status sf_training_run_read(sf_context *context, const char *path, size_t count,
                               const char *const *overrides, sf_training_run **out)
{
    sf_settings *settings;
    SF_OUT(context, out);
    SF_TRY(sf_settings_read(context, SF_SETTINGS_TRAINING, path, count, overrides, &settings));
    return create(context, settings, out);
}

sf_status sf_training_run_parse(sf_context *context, const char *name, const char *text, size_t count,
                                const char *const *overrides, sf_training_run **out)
{
    sf_settings *settings;
    SF_OUT(context, out);
    SF_TRY(sf_settings_parse(context, SF_SETTINGS_TRAINING, name, text, count, overrides, &settings));
    return create(context, settings, out);
}

sf_status sf_training_run_restore(sf_context *context, const char *checkpoint, size_t count,
                                  const char *const *overrides, sf_training_run **out)
{
    char *settings;
    uint64_t step;
    *out = NULL;
    SF_TRY(sf_checkpoint_settings(context, checkpoint, &settings, &step));
    sf_status status = sf_training_run_parse(context, checkpoint, settings, count, overrides, out);
    sf_free(context, settings);
    SF_TRY(status);
    (*out)->restored = step;
    status = sf_nn_load((*out)->nn, checkpoint);
    if (status != SF_OK)
        sf_training_run_destroy(out);
    return status;
}

const char *sf_training_run_data_file(const sf_training_run *run, size_t index)
{
    return sf_experiment_data_file(run->experiment, index);
}

uint64_t sf_training_run_restored_step(const sf_training_run *run)
{
    return run->restored;
}

void sf_training_run_destroy(sf_training_run **run)
{
    if (!run || !*run)
        return;
    sf_training_run *dead = *run;
    sf_trainer_destroy(&dead->trainer);
    sf_nn_destroy(&dead->nn);
    sf_images_destroy(&dead->images);
    sf_images_destroy(&dead->test);
    sf_experiment_destroy(&dead->experiment);
    sf_free(dead->context, dead);
    *run = NULL;
}

const sf_images *sf_training_run_images(const sf_training_run *run)
{
    return run->images;
}

const sf_images *sf_training_run_test_images(const sf_training_run *run)
{
    return run->test;
}

sf_nn *sf_training_run_network(const sf_training_run *run)
{
    return run->nn;
}

sf_training sf_training_run_spec(const sf_training_run *run)
{
    const sf_value *values = run->experiment->values;
    return (sf_training){.perturbation = sf_experiment_perturbation(run->experiment),
                         .adaptive = values[SF_SET_ADAPTIVE].flag,
                         .shard = (size_t)values[SF_SET_SHARD].integer,
                         .rate = values[SF_SET_RATE].number,
                         .momentum = values[SF_SET_MOMENTUM].number,
                         .weight_decay = values[SF_SET_WEIGHT_DECAY].number,
                         .batch = (size_t)values[SF_SET_BATCH].integer,
                         .seed = values[SF_SET_TRAIN_SEED].integer};
}

static uint64_t steps_per_epoch(const sf_training_run *run)
{
    uint64_t n = sf_images_count(run->images), batch = run->experiment->values[SF_SET_BATCH].integer;
    return batch == 0 || batch > n ? 1 : (n + batch - 1) / batch;
}

uint64_t sf_training_run_steps(const sf_training_run *run)
{
    const sf_value *values = run->experiment->values;
    return values[SF_SET_TRAIN_STEPS].set ? values[SF_SET_TRAIN_STEPS].integer
                                          : values[SF_SET_EPOCHS].integer * steps_per_epoch(run);
}

void sf_training_run_write_settings(const sf_training_run *run, sf_json *json, const char *key)
{
    sf_experiment_write(run->experiment, json, key);
}

/* ---- the run -------------------------------------------------------------------------------------------------- */

static sf_status record(sf_training_run *run, const sf_training_run_options *options)
{
    sf_training_state state = sf_trainer_state(run->trainer);
    sf_training_record record = {.step = (double)state.step,
                                 .epoch = (double)state.epoch,
                                 .test_loss = NAN,
                                 .test_accuracy = NAN,
                                 .applied_norm = state.applied_norm,
                                 .gradients = (double)state.gradients};
    SF_TRY(sf_nn_evaluate(run->nn, run->images, &record.loss, &record.accuracy));
    if (run->test)
        SF_TRY(sf_nn_evaluate(run->nn, run->test, &record.test_loss, &record.test_accuracy));
    SF_TRY(sf_trainer_record(run->trainer, &record));
    return options->at_record ? options->at_record(run, &record, options->user) : SF_OK;
}

static void show(const sf_training_run *run, uint64_t total)
{
    sf_training_state state = sf_trainer_state(run->trainer);
    char note[80];
    snprintf(note, sizeof note, "loss %.4f accuracy %.4f |eps| %.3g", state.loss, state.accuracy,
             state.applied_norm);
    sf_progress(run->context, (double)state.step / (double)total, note);
}

/* The settings as one line of JSON, for checkpoints; released by the caller with free. */
static char *settings_text(const sf_training_run *run)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    sf_json json = sf_json_make(stream, false);
    sf_experiment_write(run->experiment, &json, NULL);
    bool good = sf_json_finish(&json);
    good = fclose(stream) == 0 && good;
    if (good)
        return text;
    free(text);
    return NULL;
}

sf_status sf_training_run_save(const sf_training_run *run, const char *path)
{
    char *settings = settings_text(run);
    if (!settings)
        return sf_fail(run->context, SF_ERR_MEMORY, "no memory for the settings as text");
    sf_status status = sf_trainer_save(run->trainer, path, settings);
    free(settings);
    return status;
}

/* Whether step is one of the multiples of `every`, or the last. */
static bool due(uint64_t step, uint64_t every, uint64_t total)
{
    return step % every == 0 || step == total;
}

static sf_status train(sf_training_run *run, const sf_training_run_options *options)
{
    const sf_value *values = run->experiment->values;
    uint64_t total = sf_training_run_steps(run), step = sf_trainer_state(run->trainer).step;
    uint64_t every = values[SF_SET_EVERY].integer ? values[SF_SET_EVERY].integer : steps_per_epoch(run);
    uint64_t keep = values[SF_SET_CHECKPOINT_EVERY].integer;
    if (step == 0)
        SF_TRY(record(run, options));
    while (step < total) {
        SF_TRY(sf_trainer_advance(run->trainer, 1));
        if (sf_trainer_diverged(run->trainer)) {
            run->status = SF_RUN_DIVERGED;
            return SF_OK;
        }
        step = sf_trainer_state(run->trainer).step;
        if (due(step, every, total))
            SF_TRY(record(run, options));
        if (options->checkpoint && due(step, keep, total))
            SF_TRY(sf_training_run_save(run, options->checkpoint));
        show(run, total);
    }
    return SF_OK;
}

static sf_status start(sf_training_run *run, const sf_training_run_options *options)
{
    sf_training training = sf_training_run_spec(run);
    SF_TRY(blame(run, SF_SET_RATE, "training",
                 sf_trainer_create(run->context, run->nn, run->images, &training, &run->trainer)));
    if (options->resume && options->checkpoint && access(options->checkpoint, F_OK) == 0)
        return sf_trainer_load(run->trainer, options->checkpoint);
    return SF_OK;
}

sf_status sf_training_run_execute(sf_training_run *run, const sf_training_run_options *options)
{
    static const sf_training_run_options none = {0};
    options = options ? options : &none;
    if (run->trainer)
        return sf_fail(run->context, SF_ERR_ARGUMENT, "a training run runs once");
    SF_TRY(start(run, options));
    sf_status status = train(run, options);
    sf_progress(run->context, 1.0, NULL);
    if (status == SF_ERR_CANCELLED) {
        run->status = SF_RUN_INTERRUPTED;
        if (options->checkpoint)
            SF_TRY(sf_training_run_save(run, options->checkpoint));
        return sf_fail(run->context, SF_ERR_CANCELLED, "interrupted at step %llu",
                       (unsigned long long)sf_trainer_state(run->trainer).step);
    }
    return status;
}

sf_run_status sf_training_run_status(const sf_training_run *run)
{
    return run->status;
}

const sf_training_record *sf_training_run_records(const sf_training_run *run, size_t *count)
{
    *count = 0;
    return run->trainer ? sf_trainer_records(run->trainer, count) : NULL;
}
