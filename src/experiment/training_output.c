/* Training runs to files: JSON as documented for `samflow train`, CSV with one row a record, HDF5 in the form of a
 * checkpoint (nn/checkpoint.c), with weights and records. */
#include <errno.h>
#include <string.h>

#include "base/file.h"
#include "experiment/output.h"
#include "experiment/training.h"

/* The numbers of a record in the order of the struct; whole ones are written as such. */
typedef struct sf_column {
    const char *name;
    bool whole;
} sf_column;

static const sf_column columns[] = {{"step", true},          {"epoch", true},      {"loss", false},
                                    {"accuracy", false},     {"test_loss", false}, {"test_accuracy", false},
                                    {"applied_norm", false}, {"gradients", true}};
enum { COLUMNS = sizeof columns / sizeof columns[0] };
_Static_assert(COLUMNS * sizeof(double) == sizeof(sf_training_record),
               "one column for each number of a record");

static double number_at(const sf_training_record *record, int column)
{
    double numbers[COLUMNS];
    memcpy(numbers, record, sizeof numbers);
    return numbers[column];
}

static void write_fields(const sf_training_record *record, sf_json *json)
{
    for (int c = 0; c < COLUMNS; c++)
        if (columns[c].whole)
            sf_json_integer(json, columns[c].name, (int64_t)number_at(record, c));
        else
            sf_json_number(json, columns[c].name, number_at(record, c));
}

static double norm_of(sf_nn *nn)
{
    const float *theta = sf_nn_theta(nn);
    double sum = 0.0;
    for (size_t i = 0; i < sf_nn_parameters(nn); i++)
        sum += (double)theta[i] * theta[i];
    return sqrt(sum);
}

/* The last record, and what the network is then. */
static void write_final(const sf_training_run *run, const sf_training_record *last, sf_json *json)
{
    if (!last) {
        sf_json_null(json, "final");
        return;
    }
    sf_training_state state = sf_trainer_state(run->trainer);
    sf_json_open_object(json, "final");
    write_fields(last, json);
    sf_json_integer(json, "steps_taken", (int64_t)state.step);
    sf_json_integer(json, "parameters", (int64_t)sf_nn_parameters(run->nn));
    sf_json_number(json, "theta_norm", norm_of(run->nn));
    sf_json_close_object(json);
}

sf_status sf_training_run_write_json(const sf_training_run *run, FILE *stream)
{
    size_t count;
    const sf_training_record *records = sf_training_run_records(run, &count);
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_training_run_write_settings(run, &json, "experiment");
    sf_json_integer(&json, "images", (int64_t)sf_images_count(run->images));
    if (run->test)
        sf_json_integer(&json, "test_images", (int64_t)sf_images_count(run->test));
    else
        sf_json_null(&json, "test_images");
    sf_json_string(&json, "backend", sf_nn_backend_name(run->nn));
    sf_json_string(&json, "status", sf_run_status_name(run->status));
    sf_json_open_array(&json, "records");
    for (size_t i = 0; i < count; i++) {
        sf_json_open_object(&json, NULL);
        write_fields(&records[i], &json);
        sf_json_close_object(&json);
    }
    sf_json_close_array(&json);
    write_final(run, count > 0 ? &records[count - 1] : NULL, &json);
    sf_json_close_object(&json);
    return sf_json_finish(&json) ? SF_OK
                                 : sf_fail(run->context, SF_ERR_IO,
                                           "the JSON document could not be written: %s", strerror(errno));
}

static sf_status write_csv(const sf_training_run *run, FILE *stream)
{
    size_t count;
    const sf_training_record *records = sf_training_run_records(run, &count);
    for (int c = 0; c < COLUMNS; c++)
        fprintf(stream, "%s%c", columns[c].name, c + 1 < COLUMNS ? ',' : '\n');
    for (size_t i = 0; i < count && !ferror(stream); i++)
        for (int c = 0; c < COLUMNS; c++) {
            double number = number_at(&records[i], c);
            if (!isnan(number))
                fprintf(stream, "%.17g", number);
            putc(c + 1 < COLUMNS ? ',' : '\n', stream);
        }
    return fflush(stream) == 0 && !ferror(stream)
               ? SF_OK
               : sf_fail(run->context, SF_ERR_IO, "the CSV file could not be written: %s", strerror(errno));
}

sf_status sf_training_run_check_output(sf_context *context, const char *path)
{
    return sf_trajectory_check_output(context, path);
}

sf_status sf_training_run_check_checkpoint(sf_context *context, const char *path)
{
    if (sf_output_format_of(path) != OUTPUT_HDF5)
        return sf_fail(context, SF_ERR_USAGE, "checkpoint '%s': unknown ending, expected .h5", path);
    return sf_trajectory_check_output(context, path);
}

typedef struct sf_target {
    const sf_training_run *run;
    sf_output_format format;
} sf_target;

static sf_status write_text(const char *path, void *subject)
{
    const sf_target *target = subject;
    sf_context *context = target->run->context;
    FILE *stream = fopen(path, "wb");
    if (!stream)
        return sf_fail(context, SF_ERR_IO, "cannot be created: %s", strerror(errno));
    sf_status status = target->format == OUTPUT_JSON ? sf_training_run_write_json(target->run, stream)
                                                     : write_csv(target->run, stream);
    if (fclose(stream) != 0 && status == SF_OK)
        status = sf_fail(context, SF_ERR_IO, "could not be written: %s", strerror(errno));
    return status;
}

sf_status sf_training_run_write(const sf_training_run *run, const char *path)
{
    if (!run->trainer)
        return sf_fail(run->context, SF_ERR_ARGUMENT,
                       "a training run that has not started has nothing to write");
    SF_TRY(sf_training_run_check_output(run->context, path));
    sf_target target = {run, sf_output_format_of(path)};
    if (target.format == OUTPUT_HDF5)
        return sf_training_run_save(run, path);
    return sf_write_whole(run->context, path, write_text, &target);
}
