/* Trajectories to files. The format follows from the ending; a file is written under a temporary name in the
 * same folder, flushed to the disk and renamed when complete, so that the final name never holds half a
 * result.
 *
 * JSON: as documented for `samflow simulate`; streamed, one record after the other.
 * CSV: a header, then one row a record: step, tau, log_time, log_loss, min_margin, beta_0, ...; empty: does
 * not exist.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "experiment/output.h"
#include "experiment/trajectory.h"

/* ---- JSON ---------------------------------------------------------------------------------------- */

static void write_sample_fields(const sf_trajectory *trajectory, size_t index, double *scratch, sf_json *json)
{
    const sf_sample *sample = &trajectory->samples[index];
    if (isnan(sample->step))
        sf_json_null(json, "step");
    else
        sf_json_integer(json, "step", (int64_t)sample->step);
    sf_json_number(json, "tau", sample->tau);
    sf_json_number(json, "log_time", sample->log_time);
    sf_json_numbers(json, "beta", trajectory->d, sample->beta);
    sf_json_numbers(json, "log_abs_beta", trajectory->d,
                    sf_trajectory_log_abs_beta(trajectory, index, scratch));
    sf_json_number(json, "log_loss", sample->log_loss);
    sf_json_number(json, "min_margin", sample->min_margin);
}

static void write_coordinate(sf_json *json, const char *key, int64_t index)
{
    if (index < 0)
        sf_json_null(json, key);
    else
        sf_json_integer(json, key, index);
}

static void write_event(const sf_event *event, sf_json *json)
{
    sf_json_open_object(json, NULL);
    sf_json_string(json, "kind", sf_event_name(event->kind));
    write_coordinate(json, "from", event->from);
    write_coordinate(json, "to", event->to);
    if (isnan(event->step))
        sf_json_null(json, "step");
    else
        sf_json_integer(json, "step", (int64_t)event->step);
    sf_json_number(json, "tau", event->tau);
    sf_json_number(json, "log_time", event->log_time);
    sf_json_number(json, "log_loss", event->log_loss);
    sf_json_close_object(json);
}

static void write_final(const sf_trajectory *trajectory, double *scratch, sf_json *json)
{
    const double *layers = sf_trajectory_final_layers(trajectory);
    sf_json_open_object(json, "final");
    write_sample_fields(trajectory, trajectory->count - 1, scratch, json);
    sf_json_open_array(json, "layers");
    for (size_t l = 0; l < trajectory->depth; l++)
        sf_json_numbers(json, NULL, trajectory->d, layers + l * trajectory->d);
    sf_json_close_array(json);
    sf_json_close_object(json);
}

/* One that was read from a file lacks its experiment, and with it a part of what is written. */
static sf_status check_complete(const sf_trajectory *trajectory)
{
    if (trajectory->experiment)
        return SF_OK;
    return sf_fail(trajectory->context, SF_ERR_ARGUMENT,
                   "a trajectory that was read from a file cannot be written");
}

sf_status sf_trajectory_write_json(const sf_trajectory *trajectory, FILE *stream)
{
    SF_TRY(check_complete(trajectory));
    double *scratch = SF_ARRAY(trajectory->context, trajectory->d, double);
    if (!scratch)
        return SF_ERR_MEMORY;
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_experiment_write(trajectory->experiment, &json, "experiment");
    sf_json_string(&json, "status", sf_run_status_name(trajectory->status));
    sf_json_open_array(&json, "trajectory");
    for (size_t i = 0; i < trajectory->count; i++) {
        sf_json_open_object(&json, NULL);
        write_sample_fields(trajectory, i, scratch, &json);
        sf_json_close_object(&json);
    }
    sf_json_close_array(&json);
    sf_json_open_array(&json, "events");
    for (size_t i = 0; i < trajectory->event_count; i++)
        write_event(&trajectory->events[i], &json);
    sf_json_close_array(&json);
    write_final(trajectory, scratch, &json);
    sf_json_close_object(&json);
    sf_free(trajectory->context, scratch);
    if (!sf_json_finish(&json))
        return sf_fail(trajectory->context, SF_ERR_IO, "the JSON document could not be written: %s",
                       strerror(errno));
    return SF_OK;
}

/* ---- CSV ----------------------------------------------------------------------------------------- */

static void write_cell(FILE *stream, double value, bool last)
{
    if (!isnan(value))
        fprintf(stream, "%.17g", value);
    putc(last ? '\n' : ',', stream);
}

static sf_status write_csv(const sf_trajectory *trajectory, FILE *stream)
{
    fputs("step,tau,log_time,log_loss,min_margin", stream);
    for (size_t j = 0; j < trajectory->d; j++)
        fprintf(stream, ",beta_%zu", j);
    putc('\n', stream);
    for (size_t i = 0; i < trajectory->count && !ferror(stream); i++) {
        const sf_sample *sample = &trajectory->samples[i];
        const double head[] = {sample->step, sample->tau, sample->log_time, sample->log_loss,
                               sample->min_margin};
        for (size_t k = 0; k < sizeof head / sizeof head[0]; k++)
            write_cell(stream, head[k], false);
        for (size_t j = 0; j < trajectory->d; j++)
            write_cell(stream, sample->beta[j], j + 1 == trajectory->d);
    }
    if (fflush(stream) != 0 || ferror(stream))
        return sf_fail(trajectory->context, SF_ERR_IO, "the CSV file could not be written: %s",
                       strerror(errno));
    return SF_OK;
}

/* ---- files --------------------------------------------------------------------------------------- */

sf_output_format sf_output_format_of(const char *path)
{
    static const struct {
        const char *ending;
        sf_output_format format;
    } known[] = {{".json", OUTPUT_JSON}, {".csv", OUTPUT_CSV}, {".h5", OUTPUT_HDF5}, {".hdf5", OUTPUT_HDF5}};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        size_t width = strlen(known[i].ending);
        if (length > width && strcmp(path + length - width, known[i].ending) == 0)
            return known[i].format;
    }
    return OUTPUT_UNKNOWN;
}

sf_status sf_trajectory_check_output(sf_context *context, const char *path)
{
    sf_output_format format = sf_output_format_of(path);
    if (format == OUTPUT_UNKNOWN)
        return sf_fail(context, SF_ERR_USAGE, "output '%s': unknown ending, expected .json, .csv or .h5",
                       path);
#ifndef SAMFLOW_HDF5
    if (format == OUTPUT_HDF5)
        return sf_fail(context, SF_ERR_UNAVAILABLE,
                       "output '%s': this build has no HDF5 (SAMFLOW_WITH_HDF5=OFF), expected .json or .csv",
                       path);
#endif
    return sf_check_writable(context, path);
}

static sf_status write_stream(const sf_trajectory *trajectory, sf_output_format format, const char *path)
{
    FILE *stream = fopen(path, "wb");
    if (!stream)
        return sf_fail(trajectory->context, SF_ERR_IO, "cannot be created: %s", strerror(errno));
    sf_status status =
        format == OUTPUT_JSON ? sf_trajectory_write_json(trajectory, stream) : write_csv(trajectory, stream);
    if (fclose(stream) != 0 && status == SF_OK)
        status = sf_fail(trajectory->context, SF_ERR_IO, "could not be written: %s", strerror(errno));
    return status;
}

typedef struct sf_target {
    const sf_trajectory *trajectory;
    sf_output_format format;
} sf_target;

static sf_status write_target(const char *path, void *subject)
{
    const sf_target *target = subject;
    return target->format == OUTPUT_HDF5 ? sf_write_hdf5(target->trajectory, path)
                                         : write_stream(target->trajectory, target->format, path);
}

sf_status sf_trajectory_write(const sf_trajectory *trajectory, const char *path)
{
    SF_TRY(check_complete(trajectory));
    SF_TRY(sf_trajectory_check_output(trajectory->context, path));
    sf_target target = {trajectory, sf_output_format_of(path)};
    return sf_write_whole(trajectory->context, path, write_target, &target);
}
