/* A trajectory from HDF5, in the layout of output_hdf5.c, by the checked reader of files/hdf5.h. */
#include <string.h>

#include "experiment/trajectory.h"

#ifdef SAMFLOW_HDF5

#include "files/hdf5.h"

enum { KIND_SIZE = 16, BLOCK_NUMBERS = 1 << 16 };

/* A column of `count` numbers. */
static sf_status read_column(sf_hdf5 *file, const char *name, sf_hdf5_type type, size_t count, void *values)
{
    const sf_hdf5_set set = {.name = name, .type = type, .rank = 1};
    return sf_hdf5_read(file, &set, &count, values);
}

/* Rows of beta and log|beta| into the samples, some at a time. block: (2, rows, d) */
static sf_status read_rows(sf_trajectory *trajectory, sf_hdf5 *file, const size_t shape[2], size_t rows,
                           double *block)
{
    static const sf_hdf5_set beta = {.name = "beta", .rank = 2}, logs = {.name = "log_abs_beta", .rank = 2};
    size_t d = trajectory->d;
    for (size_t at = 0; at < shape[0]; at += rows) {
        size_t count = shape[0] - at < rows ? shape[0] - at : rows;
        SF_TRY(sf_hdf5_read_rows(file, &beta, shape, at, count, block));
        SF_TRY(sf_hdf5_read_rows(file, &logs, shape, at, count, block + rows * d));
        for (size_t i = 0; i < count; i++) {
            sf_sample *sample = &trajectory->samples[at + i];
            sample->log_abs_beta = SF_ARRAY(trajectory->context, d, double);
            if (!sample->log_abs_beta)
                return SF_ERR_MEMORY;
            memcpy(sample->beta, block + i * d, d * sizeof *block);
            memcpy(sample->log_abs_beta, block + (rows + i) * d, d * sizeof *block);
        }
    }
    return SF_OK;
}

static sf_status append_samples(sf_trajectory *trajectory, sf_hdf5 *file, size_t count, double *columns)
{
    static const char *const names[] = {"step", "tau", "log_time", "log_loss", "min_margin", "applied_norm"};
    for (size_t k = 0; k < 6; k++)
        SF_TRY(read_column(file, names[k], SF_HDF5_DOUBLE, count, columns + k * count));
    for (size_t i = 0; i < count; i++) {
        sf_sample *sample;
        SF_TRY(sf_trajectory_append(trajectory, columns[i], columns[count + i], columns[2 * count + i],
                                    &sample));
        memset(sample->beta, 0, trajectory->d * sizeof *sample->beta);
        sample->log_loss = columns[3 * count + i];
        sample->min_margin = columns[4 * count + i];
        sample->applied_norm = columns[5 * count + i];
    }
    return SF_OK;
}

static sf_status read_records(sf_trajectory *trajectory, sf_hdf5 *file, const size_t shape[2])
{
    sf_context *context = trajectory->context;
    double *columns = sf_alloc(context, shape[0], 6 * sizeof *columns);
    sf_status status = columns ? append_samples(trajectory, file, shape[0], columns) : SF_ERR_MEMORY;
    sf_free(context, columns);
    SF_TRY(status);
    size_t rows = shape[1] < BLOCK_NUMBERS ? BLOCK_NUMBERS / shape[1] : 1;
    double *block = sf_alloc(context, shape[1], 2 * rows * sizeof *block);
    status = block ? read_rows(trajectory, file, shape, rows, block) : SF_ERR_MEMORY;
    sf_free(context, block);
    return status;
}

/* kinds: (count + 1, KIND_SIZE), numbers: (4, count), coordinates: (2, count) */
static sf_status read_event_columns(sf_trajectory *trajectory, sf_hdf5 *file, size_t count, char *kinds,
                                    double *numbers, int64_t *coordinates)
{
    static const char *const names[] = {"events/step", "events/tau", "events/log_time", "events/log_loss"};
    const sf_hdf5_set kind_set = {.name = "events/kind", .type = SF_HDF5_TEXT, .width = KIND_SIZE, .rank = 1};
    SF_TRY(sf_hdf5_read(file, &kind_set, &count, kinds));
    SF_TRY(read_column(file, "events/from", SF_HDF5_INT64, count, coordinates));
    SF_TRY(read_column(file, "events/to", SF_HDF5_INT64, count, coordinates + count));
    for (size_t k = 0; k < 4; k++)
        SF_TRY(read_column(file, names[k], SF_HDF5_DOUBLE, count, numbers + k * count));
    for (size_t i = 0; i < count; i++) {
        sf_event event = {.from = coordinates[i],
                          .to = coordinates[count + i],
                          .step = numbers[i],
                          .tau = numbers[count + i],
                          .log_time = numbers[2 * count + i],
                          .log_loss = numbers[3 * count + i]};
        int kind = SF_EVENT_DOMINANCE;
        while (kind <= SF_EVENT_SLIDING &&
               strncmp(kinds + i * KIND_SIZE, sf_event_name((sf_event_kind)kind), KIND_SIZE) != 0)
            kind++;
        if (kind > SF_EVENT_SLIDING)
            return sf_fail(trajectory->context, SF_ERR_DATA, "'events/kind': entry %zu is no kind of event",
                           i);
        event.kind = (sf_event_kind)kind;
        SF_TRY(sf_trajectory_append_event(trajectory, &event));
    }
    return SF_OK;
}

static sf_status read_events(sf_trajectory *trajectory, sf_hdf5 *file)
{
    static const sf_hdf5_set set = {
        .name = "events/kind", .type = SF_HDF5_TEXT, .width = KIND_SIZE, .rank = 1};
    sf_context *context = trajectory->context;
    size_t count = 0;
    SF_TRY(sf_hdf5_shape(file, &set, &count, NULL));
    char *kinds = sf_alloc_zero(context, count + 1, KIND_SIZE);
    double *numbers = sf_alloc(context, count, 4 * sizeof *numbers);
    int64_t *coordinates = sf_alloc(context, count, 2 * sizeof *coordinates);
    sf_status status = kinds && numbers && coordinates
                           ? read_event_columns(trajectory, file, count, kinds, numbers, coordinates)
                           : SF_ERR_MEMORY;
    sf_free(context, kinds);
    sf_free(context, numbers);
    sf_free(context, coordinates);
    return status;
}

/* The experiment: where it is short an attribute, else a data set of single characters. */
static sf_status keep_experiment(sf_trajectory *trajectory, sf_hdf5 *file)
{
    static const sf_hdf5_set set = {.name = "experiment", .type = SF_HDF5_TEXT, .width = 1, .rank = 1};
    char **copy = &trajectory->experiment_text;
    size_t length;
    bool found;
    SF_TRY(sf_hdf5_text(file, "experiment", SF_HDF5_VARIABLE, copy));
    if (*copy)
        return SF_OK;
    SF_TRY(sf_hdf5_shape(file, &set, &length, &found));
    if (!found)
        return SF_OK;
    *copy = sf_alloc_zero(trajectory->context, length + 1, 1);
    return *copy ? sf_hdf5_read(file, &set, &length, *copy) : SF_ERR_MEMORY;
}

static sf_status read_content(sf_context *context, sf_hdf5 *file, sf_trajectory **out)
{
    static const sf_hdf5_set beta = {.name = "beta", .rank = 2};
    size_t shape[2];
    SF_TRY(sf_hdf5_shape(file, &beta, shape, NULL));
    if (shape[0] == 0 || shape[1] == 0)
        return sf_fail(context, SF_ERR_DATA, "'beta' is empty");
    SF_TRY(sf_trajectory_create_bare(context, shape[1], 0, out));
    SF_TRY(read_records(*out, file, shape));
    SF_TRY(read_events(*out, file));
    return keep_experiment(*out, file);
}

sf_status sf_trajectory_read_hdf5(sf_context *context, const char *path, sf_trajectory **out)
{
    sf_hdf5 *file;
    sf_status status = sf_hdf5_open(context, path, &file);
    if (status != SF_OK)
        return sf_fail_within(context, status == SF_ERR_IO ? SF_ERR_DATA : status, "%s", path);
    status = read_content(context, file, out);
    sf_hdf5_close(&file);
    return status == SF_OK
               ? SF_OK
               : sf_fail_within(context, status, "%s: not a trajectory of samflow, or a damaged one", path);
}

#else

sf_status sf_trajectory_read_hdf5(sf_context *context, const char *path, sf_trajectory **out)
{
    (void)out;
    return sf_fail(context, SF_ERR_UNAVAILABLE, "%s: this build of samflow lacks HDF5; use .json", path);
}

#endif
