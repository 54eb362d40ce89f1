/* Trajectories as HDF5, readable by h5py:
 *
 *   step, tau, log_time, log_loss, min_margin, applied_norm   (records)      NaN: does not exist
 *   beta, log_abs_beta                                        (records, d)
 *   layers                                                    (L, d)         at the end
 *   events/kind, from, to, step, tau, log_time, log_loss      (events)       kind: text; from, to: -1 for
 * none attributes: samflow (version), status, experiment (JSON)
 *
 * Rows are written one by one, so that nothing is held twice.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "experiment/trajectory.h"

#ifdef SAMFLOW_HDF5

#include <hdf5.h>

typedef struct sf_h5 {
    const sf_trajectory *trajectory;
    hid_t file;
    FILE *experiment; // its JSON
    size_t experiment_length;
    bool failed;
} sf_h5;

static void note(sf_h5 *h5, bool good)
{
    h5->failed = h5->failed || !good;
}

/* A data set of numbers, created and closed around one write of everything. */
static void write_whole(sf_h5 *h5, hid_t group, const char *name, hid_t type, int rank, const hsize_t *shape,
                        const void *values)
{
    hid_t space = H5Screate_simple(rank, shape, NULL);
    hid_t set = H5Dcreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    note(h5, set >= 0);
    if (set >= 0) {
        if (shape[0] > 0)
            note(h5, H5Dwrite(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
        note(h5, H5Dclose(set) >= 0);
    }
    if (space >= 0)
        H5Sclose(space);
}

/* Reads one number of a record or event, by index. */
typedef double (*sf_column_fn)(const sf_trajectory *trajectory, size_t index);

#define SF_COLUMN(name, expression)                                                                          \
    static double name(const sf_trajectory *trajectory, size_t index)                                        \
    {                                                                                                        \
        return trajectory->expression;                                                                       \
    }
SF_COLUMN(sample_step, samples[index].step)
SF_COLUMN(sample_tau, samples[index].tau)
SF_COLUMN(sample_log_time, samples[index].log_time)
SF_COLUMN(sample_log_loss, samples[index].log_loss)
SF_COLUMN(sample_min_margin, samples[index].min_margin)
SF_COLUMN(sample_applied_norm, samples[index].applied_norm)
SF_COLUMN(event_step, events[index].step)
SF_COLUMN(event_tau, events[index].tau)
SF_COLUMN(event_log_time, events[index].log_time)
SF_COLUMN(event_log_loss, events[index].log_loss)
#undef SF_COLUMN

static void write_column(sf_h5 *h5, hid_t group, const char *name, size_t count, sf_column_fn column)
{
    double *values = SF_ARRAY(h5->trajectory->context, count, double);
    note(h5, values != NULL);
    if (!values)
        return;
    for (size_t i = 0; i < count; i++)
        values[i] = column(h5->trajectory, i);
    write_whole(h5, group, name, H5T_NATIVE_DOUBLE, 1, (hsize_t[]){count}, values);
    sf_free(h5->trajectory->context, values);
}

// NOLINTNEXTLINE(readability-non-const-parameter): the signature is that of sf_trajectory_log_abs_beta
static const double *beta_row(const sf_trajectory *trajectory, size_t index, double *scratch)
{
    (void)scratch;
    return trajectory->samples[index].beta;
}

/* (records, d), row by row. */
static void write_rows(sf_h5 *h5, const char *name, double *scratch,
                       const double *(*row)(const sf_trajectory *, size_t, double *))
{
    hsize_t shape[2] = {h5->trajectory->count, h5->trajectory->d}, width[2] = {1, h5->trajectory->d};
    hid_t space = H5Screate_simple(2, shape, NULL), memory = H5Screate_simple(2, width, NULL);
    hid_t set = H5Dcreate2(h5->file, name, H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    note(h5, set >= 0);
    for (hsize_t i = 0; i < shape[0] && set >= 0 && !h5->failed; i++) {
        H5Sselect_hyperslab(space, H5S_SELECT_SET, (hsize_t[]){i, 0}, NULL, width, NULL);
        note(h5, H5Dwrite(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT,
                          row(h5->trajectory, (size_t)i, scratch)) >= 0);
    }
    if (set >= 0)
        note(h5, H5Dclose(set) >= 0);
    H5Sclose(memory);
    H5Sclose(space);
}

static hid_t text_type(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

enum { KIND_SIZE = 16 };

static void write_events(sf_h5 *h5)
{
    const sf_trajectory *trajectory = h5->trajectory;
    size_t count = trajectory->event_count;
    hid_t group = H5Gcreate2(h5->file, "events", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    char *kinds = sf_alloc_zero(trajectory->context, count + 1, KIND_SIZE);
    int64_t *coordinates = SF_ARRAY(trajectory->context, 2 * count + 1, int64_t);
    note(h5, group >= 0 && kinds && coordinates);
    if (!h5->failed) {
        hid_t type = text_type(KIND_SIZE);
        for (size_t i = 0; i < count; i++) {
            snprintf(kinds + i * KIND_SIZE, KIND_SIZE, "%s", sf_event_name(trajectory->events[i].kind));
            coordinates[i] = trajectory->events[i].from;
            coordinates[count + i] = trajectory->events[i].to;
        }
        write_whole(h5, group, "kind", type, 1, (hsize_t[]){count}, kinds);
        write_whole(h5, group, "from", H5T_NATIVE_INT64, 1, (hsize_t[]){count}, coordinates);
        write_whole(h5, group, "to", H5T_NATIVE_INT64, 1, (hsize_t[]){count}, coordinates + count);
        write_column(h5, group, "step", count, event_step);
        write_column(h5, group, "tau", count, event_tau);
        write_column(h5, group, "log_time", count, event_log_time);
        write_column(h5, group, "log_loss", count, event_log_loss);
        H5Tclose(type);
    }
    sf_free(trajectory->context, kinds);
    sf_free(trajectory->context, coordinates);
    if (group >= 0)
        H5Gclose(group);
}

/* Of variable length, which h5py reads as a string. */
static void write_attribute(sf_h5 *h5, const char *name, const char *text)
{
    hid_t type = text_type(H5T_VARIABLE), space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(h5->file, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    note(h5, attribute >= 0 && H5Awrite(attribute, type, &text) >= 0);
    if (attribute >= 0)
        note(h5, H5Aclose(attribute) >= 0);
    H5Sclose(space);
    H5Tclose(type);
}

enum { ATTRIBUTE_LIMIT = 60000, PIECE = 1 << 16 };

/* The content of a stream as a data set of single characters, piece by piece. */
static void write_characters(sf_h5 *h5, const char *name, FILE *stream, size_t length)
{
    hsize_t count = length;
    hid_t type = text_type(1), space = H5Screate_simple(1, &count, NULL);
    hid_t set = H5Dcreate2(h5->file, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    note(h5, set >= 0);
    char piece[PIECE];
    for (hsize_t at = 0, width; at < count && !h5->failed; at += width) {
        width = count - at < PIECE ? count - at : PIECE;
        note(h5, fread(piece, 1, width, stream) == width);
        hid_t memory = H5Screate_simple(1, &width, NULL);
        H5Sselect_hyperslab(space, H5S_SELECT_SET, &at, NULL, &width, NULL);
        note(h5, H5Dwrite(set, type, memory, space, H5P_DEFAULT, piece) >= 0);
        H5Sclose(memory);
    }
    if (set >= 0)
        note(h5, H5Dclose(set) >= 0);
    H5Sclose(space);
    H5Tclose(type);
}

static void write_experiment(sf_h5 *h5)
{
    if (h5->experiment_length < ATTRIBUTE_LIMIT) {
        char text[ATTRIBUTE_LIMIT + 1];
        text[fread(text, 1, h5->experiment_length, h5->experiment)] = '\0';
        write_attribute(h5, "experiment", text);
    } else {
        write_characters(h5, "experiment", h5->experiment, h5->experiment_length);
    }
}

static void write_content(sf_h5 *h5, double *scratch)
{
    const sf_trajectory *trajectory = h5->trajectory;
    write_attribute(h5, "samflow", sf_version());
    write_attribute(h5, "status", sf_run_status_name(trajectory->status));
    write_experiment(h5);
    write_column(h5, h5->file, "step", trajectory->count, sample_step);
    write_column(h5, h5->file, "tau", trajectory->count, sample_tau);
    write_column(h5, h5->file, "log_time", trajectory->count, sample_log_time);
    write_column(h5, h5->file, "log_loss", trajectory->count, sample_log_loss);
    write_column(h5, h5->file, "min_margin", trajectory->count, sample_min_margin);
    write_column(h5, h5->file, "applied_norm", trajectory->count, sample_applied_norm);
    write_rows(h5, "beta", scratch, beta_row);
    write_rows(h5, "log_abs_beta", scratch, sf_trajectory_log_abs_beta);
    write_whole(h5, h5->file, "layers", H5T_NATIVE_DOUBLE, 2, (hsize_t[]){trajectory->depth, trajectory->d},
                sf_trajectory_final_layers(trajectory));
    write_events(h5);
}

/* The experiment as JSON in a temporary file: that of a million features is not held as text. */
static sf_status prepare_experiment(sf_h5 *h5)
{
    sf_context *context = h5->trajectory->context;
    h5->experiment = tmpfile();
    if (!h5->experiment)
        return sf_fail(context, SF_ERR_IO, "a temporary file could not be created: %s", strerror(errno));
    sf_json json = sf_json_make(h5->experiment, false);
    sf_experiment_write(h5->trajectory->experiment, &json, NULL);
    bool good = sf_json_finish(&json);
    long length = good ? ftell(h5->experiment) : -1;
    if (length < 0)
        return sf_fail(context, SF_ERR_IO, "a temporary file could not be written: %s", strerror(errno));
    h5->experiment_length = (size_t)length;
    rewind(h5->experiment);
    return SF_OK;
}

/* Takes the room that the file will need, before HDF5 does: where its own writing fails, HDF5 1.10 can neither close
 * the file nor leave the process in peace. */
static sf_status reserve_room(const sf_h5 *h5, const char *path)
{
    enum { STRUCTURE = 1 << 15 };
    const sf_trajectory *trajectory = h5->trajectory;
    double numbers = (double)trajectory->count * (2.0 * (double)trajectory->d + 6.0) +
                     (double)trajectory->depth * (double)trajectory->d +
                     8.0 * (double)trajectory->event_count;
    double bytes = 8.0 * numbers + (double)h5->experiment_length + STRUCTURE;
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0666);
    int reason = file < 0 ? errno : 0;
#if defined(_POSIX_ADVISORY_INFO) && _POSIX_ADVISORY_INFO > 0
    if (file >= 0)
        reason = posix_fallocate(file, 0, (off_t)bytes);
#endif
    if (file >= 0)
        close(file);
    return reason == 0
               ? SF_OK
               : sf_fail(trajectory->context, SF_ERR_IO,
                         "the HDF5 file of %.0f bytes could not be written: %s", bytes, strerror(reason));
}

static sf_status write_file(sf_h5 *h5, const char *path)
{
    sf_context *context = h5->trajectory->context;
    SF_TRY(prepare_experiment(h5));
    SF_TRY(reserve_room(h5, path));
    double *scratch = SF_ARRAY(context, h5->trajectory->d, double);
    if (!scratch)
        return SF_ERR_MEMORY;
    h5->file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
    note(h5, h5->file >= 0);
    if (h5->file >= 0) {
        write_content(h5, scratch);
        note(h5, H5Fclose(h5->file) >= 0);
    }
    sf_free(context, scratch);
    return h5->failed ? sf_fail(context, SF_ERR_IO, "HDF5 could not write the file") : SF_OK;
}

sf_status sf_write_hdf5(const sf_trajectory *trajectory, const char *path)
{
    H5E_auto2_t report = NULL;
    void *report_data = NULL;
    H5dont_atexit(); // after a file that could not be closed (disk full), HDF5's clean-up at exit crashes
    H5Eget_auto2(H5E_DEFAULT, &report, &report_data); // HDF5 prints errors by itself; we report them
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    sf_h5 h5 = {.trajectory = trajectory};
    sf_status status = write_file(&h5, path);
    if (h5.experiment)
        fclose(h5.experiment);
    H5Eset_auto2(H5E_DEFAULT, report, report_data);
    return status;
}

#else

sf_status sf_write_hdf5(const sf_trajectory *trajectory, const char *path)
{
    return sf_fail(trajectory->context, SF_ERR_UNAVAILABLE, "'%s': this build has no HDF5", path);
}

#endif
