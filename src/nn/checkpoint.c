/* Checkpoints as HDF5, readable by h5py:
 *
 *   parameters/NAME, momentum/NAME   float, the tensors of the network (momentum only where there is some)
 *   step, epoch, gradients, position   whole numbers: where the run is (position: images of this epoch that were used)
 *   loss, accuracy, applied_norm       of the last step
 *   stopped                            1: loss or weights left the finite numbers in the step after
 *   records (n, 8)                     step, epoch, loss, accuracy, test_loss, test_accuracy, applied_norm, gradients
 *   attributes: samflow (version), backend (that wrote it), network, training, data (what they were, as text), settings
 *   (the caller's text)
 *
 * The order of the images is not kept: it follows from the seed and the epoch.
 */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "nn/trainer.h"

#ifdef SAMFLOW_HDF5

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <hdf5.h>
#include <hdf5_hl.h>

#include "files/hdf5.h"

/* ---- what a checkpoint is of, as text ------------------------------------------------------------------------ */

enum { TEXT_SIZE = 1024 };

static void append(char *text, const char *format, ...) SF_PRINTF(2, 3);
static void append(char *text, const char *format, ...)
{
    size_t used = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + used, TEXT_SIZE - used, format, arguments);
    va_end(arguments);
}

static void append_list(char *text, const char *name, size_t count, const size_t *values)
{
    append(text, ", %s", name);
    for (size_t i = 0; i < count; i++)
        append(text, " %zu", values[i]);
}

/* All that the meaning of the parameters depends on. */
static void describe_network(const sf_nn_spec *spec, char *text)
{
    static const char *const model[] = {"diagonal", "mlp", "cnn"};
    text[0] = '\0';
    append(text, "%s, input %zu x %zu x %zu, classes %zu", model[spec->model], spec->input.channels,
           spec->input.height, spec->input.width, spec->classes);
    if (spec->model == SF_MODEL_DIAGONAL) {
        append(text, ", depth %zu", spec->depth);
        return;
    }
    if (spec->model == SF_MODEL_CNN) {
        append_list(text, "channels", spec->convolutions, spec->channels);
        append(text, ", kernel %zu, pool %zu %s", spec->kernel, spec->pool,
               spec->pooling == SF_POOLING_MAX ? "max" : "average");
    }
    append_list(text, "hidden", spec->hidden_layers, spec->hidden);
    append(text, ", %s, %s", spec->activation == SF_ACTIVATION_RELU ? "relu" : "identity",
           spec->bias ? "bias" : "no bias");
}

static void describe_training(const sf_trainer *trainer, char *text)
{
    const sf_training *spec = &trainer->spec;
    const sf_nn_spec *network = &trainer->nn->spec;
    text[0] = '\0';
    append(text, "%s, rho %.17g%s, shard %zu, rate %.17g, momentum %.17g, weight_decay %.17g, batch %zu, ",
           sf_method_name(spec->perturbation.method), sf_perturbation_radius(&spec->perturbation),
           spec->adaptive ? ", adaptive" : "", spec->shard, spec->rate, spec->momentum, spec->weight_decay,
           spec->batch);
    append(text, "seed %llu, start: init_scale %.17g, seed %llu", (unsigned long long)spec->seed,
           network->init_scale, (unsigned long long)network->seed);
}

/* Multiplies words into a hash (FNV-1a on 32 bits at a time). */
static uint64_t hash_words(uint64_t hash, size_t count, const void *words)
{
    const unsigned char *next = words;
    for (size_t i = 0; i < count; i++, next += sizeof(uint32_t)) {
        uint32_t word;
        memcpy(&word, next, sizeof word);
        hash = (hash ^ word) * 1099511628211u;
        hash ^= hash >> 29;
    }
    return hash;
}

static void describe_data(const sf_images *images, char *text)
{
    sf_image_shape shape = sf_images_shape(images);
    size_t n = sf_images_count(images);
    uint64_t hash = hash_words(14695981039346656037u, n * shape.channels * shape.height * shape.width,
                               sf_images_pixels(images));
    hash = hash_words(hash, n, sf_images_labels(images));
    text[0] = '\0';
    append(text, "%zu images of %zu x %zu x %zu, %zu classes, hash %016llx", n, shape.channels, shape.height,
           shape.width, sf_images_classes(images), (unsigned long long)hash);
}

/* ---- HDF5 ---------------------------------------------------------------------------------------------------- */

/* HDF5 prints its errors by itself; silenced while we work, since we report them. */
typedef struct sf_silence {
    H5E_auto2_t report;
    void *data;
} sf_silence;

static sf_silence silence(void)
{
    sf_silence before = {NULL, NULL};
    H5dont_atexit(); // after a file that could not be closed (disk full), HDF5's clean-up at exit crashes
    H5Eget_auto2(H5E_DEFAULT, &before.report, &before.data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    return before;
}

static void unsilence(sf_silence before)
{
    H5Eset_auto2(H5E_DEFAULT, before.report, before.data);
}

/* The scalars of a checkpoint, in both directions. */
typedef struct sf_scalar {
    const char *name;
    bool real; // a double, else an unsigned 64-bit integer
    void *value;
} sf_scalar;

enum { SCALARS = 8, RECORD_NUMBERS = sizeof(sf_training_record) / sizeof(double) };

typedef struct sf_standing {
    sf_training_state state;
    uint64_t position, stopped;
} sf_standing;

static void list_scalars(sf_standing *standing, sf_scalar *scalar)
{
    sf_training_state *state = &standing->state;
    scalar[0] = (sf_scalar){"step", false, &state->step};
    scalar[1] = (sf_scalar){"epoch", false, &state->epoch};
    scalar[2] = (sf_scalar){"gradients", false, &state->gradients};
    scalar[3] = (sf_scalar){"position", false, &standing->position};
    scalar[4] = (sf_scalar){"loss", true, &state->loss};
    scalar[5] = (sf_scalar){"applied_norm", true, &state->applied_norm};
    scalar[6] = (sf_scalar){"stopped", false, &standing->stopped};
    scalar[7] = (sf_scalar){"accuracy", true, &state->accuracy};
}

/* ---- writing ------------------------------------------------------------------------------------------------- */

typedef struct sf_saving {
    const sf_trainer *trainer;
    const char *settings;
} sf_saving;

static bool write_tensors(hid_t file, const sf_layout *layout, const char *group_name, const float *values)
{
    hid_t group = H5Gcreate2(file, group_name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    bool good = group >= 0;
    for (size_t t = 0; t < layout->tensors && good; t++) {
        const sf_nn_tensor *tensor = &layout->tensor[t];
        hsize_t shape[4];
        for (size_t k = 0; k < tensor->rank; k++)
            shape[k] = tensor->shape[k];
        good = H5LTmake_dataset_float(group, tensor->name, (int)tensor->rank, shape,
                                      values + tensor->offset) >= 0;
    }
    return (group < 0 || H5Gclose(group) >= 0) && good;
}

static bool write_content(hid_t file, const sf_saving *saving)
{
    const sf_trainer *trainer = saving->trainer;
    const sf_nn *nn = trainer->nn;
    char text[TEXT_SIZE];
    bool good = H5LTset_attribute_string(file, "/", "samflow", sf_version()) >= 0 &&
                H5LTset_attribute_string(file, "/", "settings", saving->settings) >= 0 &&
                H5LTset_attribute_string(file, "/", "backend", sf_nn_backend_name(nn)) >= 0;
    describe_network(&nn->spec, text);
    good = good && H5LTset_attribute_string(file, "/", "network", text) >= 0;
    describe_training(trainer, text);
    good = good && H5LTset_attribute_string(file, "/", "training", text) >= 0;
    describe_data(trainer->images, text);
    good = good && H5LTset_attribute_string(file, "/", "data", text) >= 0;
    good = good && write_tensors(file, &nn->layout, "parameters", nn->theta);
    if (trainer->velocity)
        good = good && write_tensors(file, &nn->layout, "momentum", trainer->velocity);
    sf_scalar scalar[SCALARS];
    sf_standing standing = {trainer->state, trainer->position, trainer->stopped};
    list_scalars(&standing, scalar);
    for (int i = 0; i < SCALARS && good; i++)
        good = H5LTmake_dataset(file, scalar[i].name, 0, NULL,
                                scalar[i].real ? H5T_NATIVE_DOUBLE : H5T_NATIVE_UINT64, scalar[i].value) >= 0;
    const hsize_t shape[] = {trainer->records, RECORD_NUMBERS};
    const double nothing = 0.0; // of a table without rows
    return good && H5LTmake_dataset_double(file, "records", 2, shape,
                                           trainer->records > 0 ? &trainer->record->step : &nothing) >= 0;
}

/* Takes the room that the file will need, before HDF5 does: where its own writing fails, HDF5 1.10 can neither close
 * the file nor leave the process in peace. */
static sf_status reserve_room(const sf_saving *saving, const char *path)
{
    const sf_trainer *trainer = saving->trainer;
    size_t bytes = (trainer->velocity ? 2 : 1) * sf_nn_parameters(trainer->nn) * sizeof(float) +
                   trainer->records * sizeof(sf_training_record) + strlen(saving->settings) +
                   ((size_t)1 << 16);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    int reason = file < 0 ? errno : 0;
#if defined(_POSIX_ADVISORY_INFO) && _POSIX_ADVISORY_INFO > 0
    if (file >= 0)
        reason = posix_fallocate(file, 0, (off_t)bytes);
#endif
    if (file >= 0)
        close(file);
    return reason == 0
               ? SF_OK
               : sf_fail(trainer->context, SF_ERR_IO, "the checkpoint of %zu bytes could not be written: %s",
                         bytes, strerror(reason));
}

static sf_status write_file(const char *path, void *subject)
{
    const sf_saving *saving = subject;
    SF_TRY(reserve_room(saving, path));
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    bool good = file >= 0 && write_content(file, saving);
    good = (file < 0 || H5Fclose(file) >= 0) && good;
    return good ? SF_OK : sf_fail(saving->trainer->context, SF_ERR_IO, "HDF5 could not write the checkpoint");
}

sf_status sf_trainer_save(const sf_trainer *trainer, const char *path, const char *settings)
{
    sf_saving saving = {trainer, settings ? settings : ""};
    sf_silence before = silence();
    sf_status status = sf_write_whole(trainer->context, path, write_file, &saving);
    unsilence(before);
    return status;
}

/* ---- reading ------------------------------------------------------------------------------------------------- */

/* The attribute says what we are. */
static sf_status check_text(sf_context *context, sf_hdf5 *file, const char *name, const char *expected)
{
    char *found;
    SF_TRY(sf_hdf5_text(file, name, SF_HDF5_FIXED, &found));
    sf_status status = SF_OK;
    if (!found)
        status = sf_fail(context, SF_ERR_DATA,
                         "has no attribute '%s', expected a checkpoint of samflow train", name);
    else if (strcmp(found, expected) != 0)
        status = sf_fail(context, SF_ERR_DATA, "is of another %s: found '%.200s', expected '%s'", name, found,
                         expected);
    sf_free(context, found);
    return status;
}

static sf_status read_tensors(sf_hdf5 *file, const sf_layout *layout, const char *group, float *values)
{
    for (size_t t = 0; t < layout->tensors; t++) {
        const sf_nn_tensor *tensor = &layout->tensor[t];
        char path[SF_HDF5_NAME];
        snprintf(path, sizeof path, "%s/%s", group, tensor->name);
        const sf_hdf5_set set = {.name = path, .type = SF_HDF5_FLOAT, .rank = tensor->rank};
        SF_TRY(sf_hdf5_read(file, &set, tensor->shape, values + tensor->offset));
    }
    return SF_OK;
}

static sf_status read_scalars(sf_hdf5 *file, sf_standing *standing)
{
    sf_scalar scalar[SCALARS];
    list_scalars(standing, scalar);
    for (int i = 0; i < SCALARS; i++) {
        const sf_hdf5_set set = {.name = scalar[i].name,
                                 .type = scalar[i].real ? SF_HDF5_DOUBLE : SF_HDF5_UINT64};
        SF_TRY(sf_hdf5_read(file, &set, NULL, scalar[i].value));
    }
    return SF_OK;
}

static const sf_hdf5_set record_set = {.name = "records", .type = SF_HDF5_DOUBLE, .rank = 2};

/* How many records there are. */
static sf_status count_records(sf_context *context, sf_hdf5 *file, size_t shape[2])
{
    SF_TRY(sf_hdf5_shape(file, &record_set, shape, NULL));
    return shape[1] == RECORD_NUMBERS
               ? SF_OK
               : sf_fail(context, SF_ERR_DATA, "'records' has %zu columns, expected %d", shape[1],
                         (int)RECORD_NUMBERS);
}

static sf_status read_records(sf_context *context, sf_hdf5 *file, sf_trainer *trainer)
{
    size_t shape[2];
    SF_TRY(count_records(context, file, shape));
    SF_TRY(sf_trainer_reserve_records(trainer, shape[0]));
    if (shape[0] > 0)
        SF_TRY(sf_hdf5_read(file, &record_set, shape, &trainer->record->step));
    trainer->records = shape[0];
    return SF_OK;
}

static sf_status read_content(sf_hdf5 *file, sf_trainer *trainer)
{
    sf_context *context = trainer->context;
    sf_nn *nn = trainer->nn;
    char text[TEXT_SIZE];
    describe_network(&nn->spec, text);
    SF_TRY(check_text(context, file, "network", text));
    describe_training(trainer, text);
    SF_TRY(check_text(context, file, "training", text));
    describe_data(trainer->images, text);
    SF_TRY(check_text(context, file, "data", text));
    char *settings; // the caller's; a checkpoint without is none
    SF_TRY(sf_hdf5_text(file, "settings", SF_HDF5_FIXED, &settings));
    if (!settings)
        return sf_fail(context, SF_ERR_DATA,
                       "has no attribute 'settings', expected a checkpoint of samflow train");
    sf_free(context, settings);
    sf_standing standing;
    SF_TRY(read_scalars(file, &standing));
    if (standing.stopped)
        return sf_fail(context, SF_ERR_DATA,
                       "is of a run that left the finite numbers, expected one that can go on");
    if (standing.position >= sf_images_count(trainer->images))
        return sf_fail(context, SF_ERR_DATA, "'position': found %llu, expected less than %zu (images)",
                       (unsigned long long)standing.position, sf_images_count(trainer->images));
    // into work space first: theta stays as it is where something is missing
    SF_TRY(read_tensors(file, &nn->layout, "parameters", trainer->theta_hat));
    if (trainer->velocity)
        SF_TRY(read_tensors(file, &nn->layout, "momentum", trainer->velocity));
    SF_TRY(read_records(context, file, trainer));
    memcpy(nn->theta, trainer->theta_hat, sf_nn_parameters(nn) * sizeof(float));
    trainer->state = standing.state;
    trainer->position = (size_t)standing.position;
    trainer->ordered = 0;
    trainer->stopped = false;
    return SF_OK;
}

sf_status sf_trainer_load(sf_trainer *trainer, const char *path)
{
    sf_hdf5 *file;
    sf_status status = sf_hdf5_open(trainer->context, path, &file);
    if (status == SF_OK)
        status = read_content(file, trainer);
    sf_hdf5_close(&file);
    return status == SF_OK ? SF_OK : sf_fail_within(trainer->context, status, "checkpoint '%s'", path);
}

static sf_status read_parameters(sf_hdf5 *file, sf_nn *nn)
{
    sf_context *context = nn->context;
    char text[TEXT_SIZE];
    describe_network(&nn->spec, text);
    SF_TRY(check_text(context, file, "network", text));
    float *theta = SF_ARRAY(context, sf_nn_parameters(nn), float);
    if (!theta)
        return SF_ERR_MEMORY;
    sf_status status = read_tensors(file, &nn->layout, "parameters", theta);
    if (status == SF_OK)
        memcpy(nn->theta, theta, sf_nn_parameters(nn) * sizeof(float));
    sf_free(context, theta);
    return status;
}

sf_status sf_nn_load(sf_nn *nn, const char *path)
{
    sf_hdf5 *file;
    sf_status status = sf_hdf5_open(nn->context, path, &file);
    if (status == SF_OK)
        status = read_parameters(file, nn);
    sf_hdf5_close(&file);
    return status == SF_OK ? SF_OK : sf_fail_within(nn->context, status, "checkpoint '%s'", path);
}

/* Also what they are not asked for, numbers and records, must be as a checkpoint has it. */
static sf_status read_settings(sf_context *context, sf_hdf5 *file, char **settings, uint64_t *step)
{
    sf_standing standing;
    size_t shape[2];
    SF_TRY(read_scalars(file, &standing));
    SF_TRY(count_records(context, file, shape));
    *step = standing.state.step;
    SF_TRY(sf_hdf5_text(file, "settings", SF_HDF5_FIXED, settings));
    return *settings && **settings
               ? SF_OK
               : sf_fail(context, SF_ERR_DATA, "has no settings, expected a checkpoint of samflow train");
}

sf_status sf_checkpoint_settings(sf_context *context, const char *path, char **settings, uint64_t *step)
{
    sf_hdf5 *file;
    *settings = NULL;
    sf_status status = sf_hdf5_open(context, path, &file);
    if (status == SF_OK)
        status = read_settings(context, file, settings, step);
    sf_hdf5_close(&file);
    if (status == SF_OK)
        return SF_OK;
    sf_free(context, *settings);
    *settings = NULL;
    return sf_fail_within(context, status, "checkpoint '%s'", path);
}

#else

static sf_status unavailable(sf_context *context)
{
    return sf_fail(context, SF_ERR_UNAVAILABLE,
                   "checkpoints need HDF5, and this build has none (SAMFLOW_WITH_HDF5=OFF)");
}

sf_status sf_trainer_save(const sf_trainer *trainer, const char *path, const char *settings)
{
    (void)path;
    (void)settings;
    return unavailable(trainer->context);
}

sf_status sf_trainer_load(sf_trainer *trainer, const char *path)
{
    (void)path;
    return unavailable(trainer->context);
}

sf_status sf_nn_load(sf_nn *nn, const char *path)
{
    (void)path;
    return unavailable(nn->context);
}

sf_status sf_checkpoint_settings(sf_context *context, const char *path, char **settings, uint64_t *step)
{
    (void)path;
    (void)step;
    *settings = NULL;
    return unavailable(context);
}

#endif
