/* A trajectory from HDF5, in the layout of output_hdf5.c. Rows are read one by one. */
#include <string.h>

#include "experiment/trajectory.h"

#ifdef SAMFLOW_HDF5

#include <hdf5.h>

enum { KIND_SIZE = 16 };

static sf_status strange(sf_context *context, const char *path, const char *name)
{
    return sf_fail(context, SF_ERR_DATA,
                   "%s: not a trajectory of samflow: data set `%s` is missing or has another shape", path,
                   name);
}

/* All of a data set of `count` values into `values`. */
static sf_status read_whole(sf_context *context, const char *path, hid_t group, const char *name, hid_t type,
                            hsize_t count, void *values)
{
    hid_t set = H5Dopen2(group, name, H5P_DEFAULT), space = set >= 0 ? H5Dget_space(set) : -1;
    bool good = space >= 0 && H5Sget_simple_extent_npoints(space) == (hssize_t)count;
    good = good && (count == 0 || H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
    if (space >= 0)
        H5Sclose(space);
    if (set >= 0)
        H5Dclose(set);
    return good ? SF_OK : strange(context, path, name);
}

static sf_status shape_of(sf_context *context, const char *path, hid_t file, hsize_t shape[2])
{
    hid_t set = H5Dopen2(file, "beta", H5P_DEFAULT), space = set >= 0 ? H5Dget_space(set) : -1;
    bool good = space >= 0 && H5Sget_simple_extent_ndims(space) == 2 &&
                H5Sget_simple_extent_dims(space, shape, NULL) == 2 && shape[0] > 0 && shape[1] > 0;
    if (space >= 0)
        H5Sclose(space);
    if (set >= 0)
        H5Dclose(set);
    return good ? SF_OK : strange(context, path, "beta");
}

/* Row `index` of a data set (records, d). */
static bool read_row(hid_t set, hsize_t index, hsize_t d, double *row)
{
    hid_t space = H5Dget_space(set), memory = H5Screate_simple(1, &d, NULL);
    bool good = H5Sselect_hyperslab(space, H5S_SELECT_SET, (hsize_t[]){index, 0}, NULL, (hsize_t[]){1, d},
                                    NULL) >= 0 &&
                H5Dread(set, H5T_NATIVE_DOUBLE, memory, space, H5P_DEFAULT, row) >= 0;
    H5Sclose(memory);
    H5Sclose(space);
    return good;
}

static sf_status read_records(sf_trajectory *trajectory, const char *path, hid_t file, hsize_t count)
{
    static const char *const names[] = {"step", "tau", "log_time", "log_loss", "min_margin", "applied_norm"};
    sf_context *context = trajectory->context;
    double *columns = SF_ARRAY(context, 6 * count, double);
    sf_status status = columns ? SF_OK : SF_ERR_MEMORY;
    for (size_t k = 0; k < 6 && status == SF_OK; k++)
        status = read_whole(context, path, file, names[k], H5T_NATIVE_DOUBLE, count, columns + k * count);
    hid_t beta = H5Dopen2(file, "beta", H5P_DEFAULT), logs = H5Dopen2(file, "log_abs_beta", H5P_DEFAULT);
    if (status == SF_OK && logs < 0)
        status = strange(context, path, "log_abs_beta");
    for (hsize_t i = 0; i < count && status == SF_OK; i++) {
        sf_sample *sample;
        status =
            sf_trajectory_append(trajectory, columns[i], columns[count + i], columns[2 * count + i], &sample);
        if (status != SF_OK)
            break;
        sample->log_loss = columns[3 * count + i];
        sample->min_margin = columns[4 * count + i];
        sample->applied_norm = columns[5 * count + i];
        sample->log_abs_beta = SF_ARRAY(context, trajectory->d, double);
        if (!sample->log_abs_beta)
            status = SF_ERR_MEMORY;
        else if (!read_row(beta, i, trajectory->d, sample->beta) ||
                 !read_row(logs, i, trajectory->d, sample->log_abs_beta))
            status = strange(context, path, "beta");
    }
    if (beta >= 0)
        H5Dclose(beta);
    if (logs >= 0)
        H5Dclose(logs);
    sf_free(context, columns);
    return status;
}

static sf_status read_event_columns(sf_trajectory *trajectory, const char *path, hid_t group, size_t count,
                                    char *kinds, double *numbers, int64_t *coordinates)
{
    static const char *const names[] = {"step", "tau", "log_time", "log_loss"};
    sf_context *context = trajectory->context;
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, KIND_SIZE);
    H5Tset_cset(text, H5T_CSET_UTF8);
    sf_status status = read_whole(context, path, group, "kind", text, count, kinds);
    H5Tclose(text);
    SF_TRY(status);
    SF_TRY(read_whole(context, path, group, "from", H5T_NATIVE_INT64, count, coordinates));
    SF_TRY(read_whole(context, path, group, "to", H5T_NATIVE_INT64, count, coordinates + count));
    for (size_t k = 0; k < 4; k++)
        SF_TRY(read_whole(context, path, group, names[k], H5T_NATIVE_DOUBLE, count, numbers + k * count));
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
            return strange(context, path, "events/kind");
        event.kind = (sf_event_kind)kind;
        SF_TRY(sf_trajectory_append_event(trajectory, &event));
    }
    return SF_OK;
}

static sf_status read_events(sf_trajectory *trajectory, const char *path, hid_t file)
{
    sf_context *context = trajectory->context;
    hid_t group = H5Gopen2(file, "events", H5P_DEFAULT),
          set = group >= 0 ? H5Dopen2(group, "kind", H5P_DEFAULT) : -1;
    hid_t space = set >= 0 ? H5Dget_space(set) : -1;
    hssize_t points = space >= 0 ? H5Sget_simple_extent_npoints(space) : -1;
    sf_status status = points < 0 ? strange(context, path, "events/kind") : SF_OK;
    if (space >= 0)
        H5Sclose(space);
    if (set >= 0)
        H5Dclose(set);
    if (status == SF_OK) {
        size_t count = (size_t)points;
        char *kinds = sf_alloc_zero(context, count + 1, KIND_SIZE);
        double *numbers = SF_ARRAY(context, 4 * count, double);
        int64_t *coordinates = SF_ARRAY(context, 2 * count, int64_t);
        status = kinds && numbers && coordinates
                     ? read_event_columns(trajectory, path, group, count, kinds, numbers, coordinates)
                     : SF_ERR_MEMORY;
        sf_free(context, kinds);
        sf_free(context, numbers);
        sf_free(context, coordinates);
    }
    if (group >= 0)
        H5Gclose(group);
    return status;
}

/* The experiment where it is short: an attribute of variable length. False if there is none. */
static bool read_attribute(sf_context *context, hid_t file, char **copy)
{
    if (H5Aexists(file, "experiment") <= 0)
        return false;
    hid_t attribute = H5Aopen(file, "experiment", H5P_DEFAULT), type = H5Aget_type(attribute);
    char *text = NULL;
    if (H5Tis_variable_str(type) > 0 && H5Aread(attribute, type, &text) >= 0 && text) {
        *copy = sf_strdup(context, text);
        H5free_memory(text);
    }
    H5Tclose(type);
    H5Aclose(attribute);
    return text != NULL;
}

/* The same where it is long: a data set of single characters. */
static bool read_characters(sf_context *context, hid_t file, char **copy)
{
    if (H5Lexists(file, "experiment", H5P_DEFAULT) <= 0)
        return false;
    hid_t set = H5Dopen2(file, "experiment", H5P_DEFAULT), space = H5Dget_space(set), type = H5Dget_type(set);
    hssize_t length = H5Sget_simple_extent_npoints(space);
    bool readable = length > 0 && H5Tget_class(type) == H5T_STRING && H5Tget_size(type) == 1;
    if (readable)
        *copy = sf_alloc_zero(context, (size_t)length + 1, 1);
    if (*copy)
        readable = H5Dread(set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, *copy) >= 0;
    H5Tclose(type);
    H5Sclose(space);
    H5Dclose(set);
    return readable;
}

static sf_status keep_experiment(sf_trajectory *trajectory, hid_t file)
{
    char **copy = &trajectory->experiment_text;
    bool there =
        read_attribute(trajectory->context, file, copy) || read_characters(trajectory->context, file, copy);
    return there && !*copy ? SF_ERR_MEMORY : SF_OK;
}

sf_status sf_trajectory_read_hdf5(sf_context *context, const char *path, sf_trajectory **out)
{
    hsize_t shape[2];
    H5E_auto2_t printer;
    void *data;
    H5Eget_auto2(H5E_DEFAULT, &printer, &data);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL); // the message is ours
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    sf_status status =
        file < 0 ? sf_fail(context, SF_ERR_DATA, "%s: cannot be opened, expected an HDF5 file", path) : SF_OK;
    if (status == SF_OK)
        status = shape_of(context, path, file, shape);
    if (status == SF_OK)
        status = sf_trajectory_create_bare(context, (size_t)shape[1], 0, out);
    if (status == SF_OK)
        status = read_records(*out, path, file, shape[0]);
    if (status == SF_OK)
        status = read_events(*out, path, file);
    if (status == SF_OK)
        status = keep_experiment(*out, file);
    if (file >= 0)
        H5Fclose(file);
    H5Eset_auto2(H5E_DEFAULT, printer, data);
    return status;
}

#else

sf_status sf_trajectory_read_hdf5(sf_context *context, const char *path, sf_trajectory **out)
{
    (void)out;
    return sf_fail(context, SF_ERR_UNAVAILABLE, "%s: this build of samflow lacks HDF5; use .json", path);
}

#endif
