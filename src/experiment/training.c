/* A course of training: from settings to images, network and trainer, and the run with its records and checkpoints. */
#include "experiment/training.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "nn/network.h"
#include "nn/trainer.h"

/* ---- images ------------------------------------------------------------------------------------------------- */

static sf_status load_file(sf_course *course, sf_images **out)
{
    sf_experiment *experiment = course->experiment;
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
    return sf_images_read(course->context, &spec, out);
}

static sf_status draw_patches(sf_course *course, sf_images **out)
{
    const sf_value *values = course->experiment->values;
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
    return sf_images_patches(course->context, &spec, out);
}

/* An argument that the settings let through, as an error of the file: "PLACE: KEY: what". */
static sf_status blame(const sf_course *course, sf_setting_id id, const char *key, sf_status status)
{
    char where[SF_PLACE_SIZE];
    const sf_value *value = &course->experiment->values[id];
    if (status != SF_ERR_ARGUMENT)
        return status;
    if (!value->given)
        return sf_fail_within(course->context, SF_ERR_CONFIG, "%s: %s", course->experiment->settings->name,
                              key);
    return sf_fail_within(course->context, SF_ERR_CONFIG, "%s: %s", sf_place_text(value->place, where), key);
}

static sf_status load_images(sf_course *course)
{
    const sf_value *values = course->experiment->values, *share = &values[SF_SET_SPLIT_TEST];
    bool patches = (course->experiment->settings->scope & SF_SCOPE_PATCHES) != 0;
    sf_images *all = NULL;
    sf_status status = patches ? draw_patches(course, &all) : load_file(course, &all);
    if (status != SF_OK)
        return patches
                   ? blame(course, SF_SET_PATCH_STRONG, "data.patches", status)
                   : blame(course,
                           course->experiment->settings->scope & SF_SCOPE_NAME ? SF_SET_NAME : SF_SET_FILE,
                           "data", status);
    if (!share->set) {
        course->images = all;
        return SF_OK;
    }
    status = sf_images_split(all, share->number, values[SF_SET_SPLIT_SEED].integer, &course->images,
                             &course->test);
    sf_images_destroy(&all);
    return blame(course, SF_SET_SPLIT_TEST, "data.split.test", status);
}

/* ---- network -------------------------------------------------------------------------------------------------- */

static sf_status copy_sizes(const sf_course *course, sf_setting_id id, size_t *count, size_t *sizes)
{
    const sf_value *value = &course->experiment->values[id];
    if (value->count > SF_NN_MAX_LAYERS)
        return SF_FAIL_SETTING(course->experiment, id, "found %zu numbers, expected at most %d", value->count,
                               (int)SF_NN_MAX_LAYERS);
    *count = value->count;
    for (size_t i = 0; i < value->count; i++)
        sizes[i] = (size_t)value->numbers[i];
    return SF_OK;
}

/* What the network refuses, at the place of the setting that its member comes from; NULL: of none. */
static sf_status blame_member(const sf_course *course, const char *member, sf_status status)
{
    char key[SF_SETTING_PATH_SIZE];
    snprintf(key, sizeof key, "network.%s", member ? member : "");
    sf_setting_id id = sf_setting_find(key);
    bool known = status == SF_ERR_ARGUMENT && id != SF_SETTING_COUNT && course->experiment->values[id].set;
    if (known && !course->experiment->values[id].given)
        return sf_fail_within(course->context, SF_ERR_CONFIG, "%s (default)", key);
    if (!known && member)
        sf_fail_within(course->context, status, "%s", member);
    return known ? blame(course, id, key, status) : blame(course, SF_SET_MODEL, "network", status);
}

static sf_status create_network(sf_course *course)
{
    const sf_value *values = course->experiment->values;
    sf_nn_spec spec = {.model =
                           (sf_model)values[SF_SET_MODEL].choice, // choices are in the order of the enums
                       .input = sf_images_shape(course->images),
                       .classes = sf_images_classes(course->images),
                       .activation = (sf_activation)values[SF_SET_ACTIVATION].choice,
                       .bias = values[SF_SET_BIAS].flag,
                       .depth = (size_t)values[SF_SET_DEPTH].integer,
                       .kernel = (size_t)values[SF_SET_KERNEL].integer,
                       .pool = (size_t)values[SF_SET_POOL].integer,
                       .pooling = (sf_pooling)values[SF_SET_POOLING].choice,
                       .init_scale = values[SF_SET_INIT_SCALE].number,
                       .seed = values[SF_SET_NET_SEED].integer,
                       .backend = (sf_nn_backend)values[SF_SET_BACKEND].choice};
    SF_TRY(copy_sizes(course, SF_SET_CHANNELS, &spec.convolutions, spec.channels));
    SF_TRY(copy_sizes(course, SF_SET_HIDDEN, &spec.hidden_layers, spec.hidden));
    const char *member;
    sf_status status = sf_nn_check(course->context, &spec, &member);
    if (status != SF_OK)
        return blame_member(course, member, status);
    return blame(course, SF_SET_MODEL, "network", sf_nn_create(course->context, &spec, 0, &course->nn));
}

/* ---- reading -------------------------------------------------------------------------------------------------- */

/* Takes the settings over. */
static sf_status create(sf_context *context, sf_settings *settings, sf_course **out)
{
    sf_experiment *experiment;
    *out = NULL;
    SF_TRY(sf_experiment_of(context, settings, &experiment));
    sf_course *course = *out = SF_NEW(context, sf_course);
    if (!course) {
        sf_experiment_destroy(&experiment);
        return SF_ERR_MEMORY;
    }
    *course = (sf_course){.context = context, .experiment = experiment};
    sf_status status = load_images(course);
    if (status == SF_OK)
        status = create_network(course);
    if (status != SF_OK)
        sf_course_destroy(out);
    return status;
}

sf_status sf_course_create(sf_context *context, const sf_settings *settings, sf_course **out)
{
    sf_settings *copy;
    *out = NULL;
    SF_TRY(sf_settings_copy(context, settings, &copy));
    return create(context, copy, out);
}

sf_status sf_course_read(sf_context *context, const char *path, size_t count, const char *const *overrides,
                         sf_course **out)
{
    sf_settings *settings;
    *out = NULL;
    SF_TRY(sf_settings_read(context, SF_SETTINGS_TRAINING, path, count, overrides, &settings));
    return create(context, settings, out);
}

sf_status sf_course_parse(sf_context *context, const char *name, const char *text, size_t count,
                          const char *const *overrides, sf_course **out)
{
    sf_settings *settings;
    *out = NULL;
    SF_TRY(sf_settings_parse(context, SF_SETTINGS_TRAINING, name, text, count, overrides, &settings));
    return create(context, settings, out);
}

sf_status sf_course_restore(sf_context *context, const char *checkpoint, size_t count,
                            const char *const *overrides, sf_course **out)
{
    char *settings;
    uint64_t step;
    *out = NULL;
    SF_TRY(sf_checkpoint_settings(context, checkpoint, &settings, &step));
    sf_status status = sf_course_parse(context, checkpoint, settings, count, overrides, out);
    sf_free(context, settings);
    SF_TRY(status);
    (*out)->restored = step;
    status = sf_nn_load((*out)->nn, checkpoint);
    if (status != SF_OK)
        sf_course_destroy(out);
    return status;
}

const char *sf_course_data_file(const sf_course *course, size_t index)
{
    return sf_experiment_data_file(course->experiment, index);
}

uint64_t sf_course_restored_step(const sf_course *course)
{
    return course->restored;
}

void sf_course_destroy(sf_course **course)
{
    if (!course || !*course)
        return;
    sf_course *dead = *course;
    sf_trainer_destroy(&dead->trainer);
    sf_nn_destroy(&dead->nn);
    sf_images_destroy(&dead->images);
    sf_images_destroy(&dead->test);
    sf_experiment_destroy(&dead->experiment);
    sf_free(dead->context, dead);
    *course = NULL;
}

const sf_images *sf_course_images(const sf_course *course)
{
    return course->images;
}

const sf_images *sf_course_test_images(const sf_course *course)
{
    return course->test;
}

sf_nn *sf_course_network(const sf_course *course)
{
    return course->nn;
}

sf_training sf_course_training(const sf_course *course)
{
    const sf_value *values = course->experiment->values;
    return (sf_training){.perturbation = sf_experiment_perturbation(course->experiment),
                         .adaptive = values[SF_SET_ADAPTIVE].flag,
                         .shard = (size_t)values[SF_SET_SHARD].integer,
                         .rate = values[SF_SET_RATE].number,
                         .momentum = values[SF_SET_MOMENTUM].number,
                         .weight_decay = values[SF_SET_WEIGHT_DECAY].number,
                         .batch = (size_t)values[SF_SET_BATCH].integer,
                         .seed = values[SF_SET_TRAIN_SEED].integer};
}

static uint64_t steps_per_epoch(const sf_course *course)
{
    uint64_t n = sf_images_count(course->images), batch = course->experiment->values[SF_SET_BATCH].integer;
    return batch == 0 || batch > n ? 1 : (n + batch - 1) / batch;
}

uint64_t sf_course_steps(const sf_course *course)
{
    const sf_value *values = course->experiment->values;
    return values[SF_SET_TRAIN_STEPS].set ? values[SF_SET_TRAIN_STEPS].integer
                                          : values[SF_SET_EPOCHS].integer * steps_per_epoch(course);
}

void sf_course_write_settings(const sf_course *course, sf_json *json, const char *key)
{
    sf_experiment_write(course->experiment, json, key);
}

/* ---- the run -------------------------------------------------------------------------------------------------- */

static sf_status record(sf_course *course, const sf_course_options *options)
{
    sf_training_state state = sf_trainer_state(course->trainer);
    sf_training_record record = {.step = (double)state.step,
                                 .epoch = (double)state.epoch,
                                 .test_loss = NAN,
                                 .test_accuracy = NAN,
                                 .applied_norm = state.applied_norm,
                                 .gradients = (double)state.gradients};
    SF_TRY(sf_nn_evaluate(course->nn, course->images, &record.loss, &record.accuracy));
    if (course->test)
        SF_TRY(sf_nn_evaluate(course->nn, course->test, &record.test_loss, &record.test_accuracy));
    SF_TRY(sf_trainer_record(course->trainer, &record));
    return options->at_record ? options->at_record(course, &record, options->user) : SF_OK;
}

static void show(const sf_course *course, uint64_t total)
{
    sf_training_state state = sf_trainer_state(course->trainer);
    char note[80];
    snprintf(note, sizeof note, "loss %.4f accuracy %.4f |eps| %.3g", state.loss, state.accuracy,
             state.applied_norm);
    sf_progress(course->context, (double)state.step / (double)total, note);
}

/* The settings as one line of JSON, for checkpoints; released by the caller with free. */
static char *settings_text(const sf_course *course)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    sf_json json = sf_json_make(stream, false);
    sf_experiment_write(course->experiment, &json, NULL);
    bool good = sf_json_finish(&json);
    good = fclose(stream) == 0 && good;
    if (good)
        return text;
    free(text);
    return NULL;
}

sf_status sf_course_save(const sf_course *course, const char *path)
{
    char *settings = settings_text(course);
    if (!settings)
        return sf_fail(course->context, SF_ERR_MEMORY, "no memory for the settings as text");
    sf_status status = sf_trainer_save(course->trainer, path, settings);
    free(settings);
    return status;
}

/* Whether step is one of the multiples of `every`, or the last. */
static bool due(uint64_t step, uint64_t every, uint64_t total)
{
    return step % every == 0 || step == total;
}

static sf_status train(sf_course *course, const sf_course_options *options)
{
    const sf_value *values = course->experiment->values;
    uint64_t total = sf_course_steps(course), step = sf_trainer_state(course->trainer).step;
    uint64_t every = values[SF_SET_EVERY].integer ? values[SF_SET_EVERY].integer : steps_per_epoch(course);
    uint64_t keep = values[SF_SET_CHECKPOINT_EVERY].integer;
    if (step == 0)
        SF_TRY(record(course, options));
    while (step < total) {
        SF_TRY(sf_trainer_advance(course->trainer, 1));
        step = sf_trainer_state(course->trainer).step;
        if (due(step, every, total))
            SF_TRY(record(course, options));
        if (options->checkpoint && due(step, keep, total))
            SF_TRY(sf_course_save(course, options->checkpoint));
        show(course, total);
    }
    return SF_OK;
}

static sf_status start(sf_course *course, const sf_course_options *options)
{
    sf_training training = sf_course_training(course);
    SF_TRY(
        blame(course, SF_SET_RATE, "training",
              sf_trainer_create(course->context, course->nn, course->images, &training, &course->trainer)));
    if (options->resume && options->checkpoint && access(options->checkpoint, F_OK) == 0)
        return sf_trainer_load(course->trainer, options->checkpoint);
    return SF_OK;
}

sf_status sf_course_run(sf_course *course, const sf_course_options *options)
{
    static const sf_course_options none = {0};
    options = options ? options : &none;
    if (course->trainer)
        return sf_fail(course->context, SF_ERR_ARGUMENT, "a course runs once");
    SF_TRY(start(course, options));
    sf_status status = train(course, options);
    sf_progress(course->context, 1.0, NULL);
    if (status == SF_ERR_CANCELLED) {
        course->status = SF_RUN_INTERRUPTED;
        if (options->checkpoint)
            SF_TRY(sf_course_save(course, options->checkpoint));
        return sf_fail(course->context, SF_ERR_CANCELLED, "interrupted at step %llu",
                       (unsigned long long)sf_trainer_state(course->trainer).step);
    }
    if (status == SF_ERR_NUMERIC) {
        course->status = SF_RUN_DIVERGED;
        return SF_OK;
    }
    return status;
}

sf_run_status sf_course_status(const sf_course *course)
{
    return course->status;
}

const sf_training_record *sf_course_records(const sf_course *course, size_t *count)
{
    *count = 0;
    return course->trainer ? sf_trainer_records(course->trainer, count) : NULL;
}
