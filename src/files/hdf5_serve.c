/* The process that reads an HDF5 file for another: bounds itself, opens the file, answers.
 *
 * Nothing here trusts the file, and nobody trusts this process: a question is answered with numbers, or with a message.
 * A data set is read only where all of these hold: each step of its name is a hard link; its type is one of those below, to
 * the bit; rank and (where told) shape are as asked; the layout is in this file and without filters; the number of bytes
 * stored is at least what the shape needs, and at most the size of the file. The last two make memory follow from the size
 * of the file: shapes whose product leaves 64 bits, and data sets that were never filled, fail them.
 */
#include "files/hdf5_serve.h"

#include <fcntl.h>
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define BOUND_MEMORY 0 // the sanitizer's shadow has terabytes of addresses
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BOUND_MEMORY 0
#endif
#endif
#ifndef BOUND_MEMORY
#define BOUND_MEMORY 1
#endif

typedef struct server {
    int socket;
    uint64_t size; // of the file
    hid_t file;
    sf_hdf5_reply reply;
    void *bytes; // (reply.bytes) what follows the reply
} server;

static bool wrong(server *s, const char *format, ...) SF_PRINTF(2, 3);
static bool wrong(server *s, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    s->reply.outcome = SF_HDF5_WRONG;
    vsnprintf(s->reply.message, sizeof s->reply.message, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- bounds -------------------------------------------------------------------------------------------------- */

static void limit(int resource, uint64_t value)
{
    struct rlimit bound;
    if (getrlimit(resource, &bound) == 0 && value < (uint64_t)bound.rlim_cur) {
        bound.rlim_cur = (rlim_t)value;
        setrlimit(resource, &bound);
    }
}

/* Addresses in use now; 0 if unknown. */
static uint64_t addresses(void)
{
    char line[64] = "";
    FILE *statm = fopen("/proc/self/statm", "r");
    if (!statm)
        return 0;
    unsigned long long pages = fgets(line, sizeof line, statm) ? strtoull(line, NULL, 10) : 0;
    fclose(statm);
    return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void bound_resources(uint64_t size)
{
    enum { BASE_SECONDS = 3, BYTES_A_SECOND = 1 << 25, BASE_MEMORY = 1 << 26 };
    uint64_t used = BOUND_MEMORY ? addresses() : 0;
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, BASE_SECONDS + size / BYTES_A_SECOND);
    if (used > 0)
        limit(RLIMIT_AS, used + BASE_MEMORY + 4 * size);
    int nowhere = BOUND_MEMORY ? open("/dev/null", O_WRONLY)
                               : -1; // last words of malloc; those of a sanitizer are heard
    if (nowhere >= 0)
        dup2(nowhere, STDERR_FILENO);
}

/* ---- objects ------------------------------------------------------------------------------------------------- */

/* Opens a path of hard links below the root. */
static bool open_object(server *s, const char *name, hid_t *object)
{
    char step[SF_HDF5_NAME];
    *object = H5Gopen2(s->file, "/", H5P_DEFAULT);
    for (const char *at = name; *object >= 0 && *at;) {
        size_t length = strcspn(at, "/");
        memcpy(step, at, length);
        step[length] = '\0';
        at += length + (at[length] == '/');
        hid_t parent = *object;
        *object = -1;
        H5L_info_t link;
        htri_t there = H5Iget_type(parent) == H5I_GROUP ? H5Lexists(parent, step, H5P_DEFAULT) : -1;
        if (there == 0)
            s->reply.outcome = SF_HDF5_ABSENT;
        else if (there < 0 || H5Lget_info(parent, step, &link, H5P_DEFAULT) < 0)
            wrong(s, "'%s' cannot be looked up: the file is damaged", name);
        else if (link.type != H5L_TYPE_HARD)
            wrong(s, "'%s' is a link to somewhere else, expected the data itself", name);
        else if ((*object = H5Oopen(parent, step, H5P_DEFAULT)) < 0)
            wrong(s, "'%s' cannot be opened: the file is damaged", name);
        H5Oclose(parent);
    }
    if (*object < 0 && s->reply.outcome == SF_HDF5_GOOD)
        wrong(s, "the root group cannot be opened: the file is damaged");
    return *object >= 0;
}

/* The type in memory; little- or big-endian in the file. */
static hid_t native(sf_hdf5_type type)
{
    return type == SF_HDF5_DOUBLE  ? H5T_NATIVE_DOUBLE
           : type == SF_HDF5_FLOAT ? H5T_NATIVE_FLOAT
           : type == SF_HDF5_INT64 ? H5T_NATIVE_INT64
                                   : H5T_NATIVE_UINT64;
}

static bool is_number(hid_t found, sf_hdf5_type type)
{
    hid_t little = type == SF_HDF5_DOUBLE  ? H5T_IEEE_F64LE
                   : type == SF_HDF5_FLOAT ? H5T_IEEE_F32LE
                   : type == SF_HDF5_INT64 ? H5T_STD_I64LE
                                           : H5T_STD_U64LE;
    hid_t big = type == SF_HDF5_DOUBLE  ? H5T_IEEE_F64BE
                : type == SF_HDF5_FLOAT ? H5T_IEEE_F32BE
                : type == SF_HDF5_INT64 ? H5T_STD_I64BE
                                        : H5T_STD_U64BE;
    return H5Tequal(found, little) > 0 || H5Tequal(found, big) > 0;
}

static bool is_text(hid_t found, uint64_t width)
{
    return H5Tget_class(found) == H5T_STRING && H5Tis_variable_str(found) == 0 && H5Tget_size(found) == width;
}

static const char *class_name(hid_t type)
{
    static const char *const names[] = {"integers",     "floating-point numbers",
                                        "times",        "texts",
                                        "bit fields",   "opaque bytes",
                                        "compounds",    "references",
                                        "enumerations", "sequences",
                                        "arrays"};
    int class = (int)H5Tget_class(type);
    return class >= 0 && class < (int)(sizeof names / sizeof *names) ? names[class] : "something unknown";
}

static bool check_type(server *s, const sf_hdf5_request *request, hid_t type)
{
    static const char *const expected[] = {"doubles", "floats", "64-bit integers",
                                           "unsigned 64-bit integers"};
    bool text = request->type == SF_HDF5_TEXT;
    if (text ? is_text(type, request->width) : is_number(type, request->type))
        return true;
    if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) > 0)
        return wrong(s, "'%s' holds texts of variable length, expected %s", request->name,
                     text ? "texts of one length" : expected[request->type]);
    if (text)
        return wrong(s, "'%s' holds %s of %zu bytes, expected texts of %llu", request->name, class_name(type),
                     H5Tget_size(type), (unsigned long long)request->width);
    return wrong(s, "'%s' holds %s of %zu bytes, expected %s", request->name, class_name(type),
                 H5Tget_size(type), expected[request->type]);
}

/* Rank, and the shape into the reply. *count: elements. */
static bool check_space(server *s, const sf_hdf5_request *request, hid_t space, uint64_t width,
                        uint64_t *count)
{
    H5S_class_t class = H5Sget_simple_extent_type(space);
    int rank = H5Sget_simple_extent_ndims(space);
    hsize_t shape[H5S_MAX_RANK] = {0};
    if (class == H5S_NULL || rank < 0 || rank > H5S_MAX_RANK)
        return wrong(s, "'%s' has no elements, expected %llu dimensions", request->name,
                     (unsigned long long)request->rank);
    if ((uint64_t)rank != request->rank)
        return wrong(s, "'%s' has %d dimensions, expected %llu", request->name, rank,
                     (unsigned long long)request->rank);
    if (rank > 0 && H5Sget_simple_extent_dims(space, shape, NULL) != rank)
        return wrong(s, "the shape of '%s' cannot be read: the file is damaged", request->name);
    *count = 1;
    for (int k = 0; k < rank; k++) {
        s->reply.shape[k] = shape[k];
        if (shape[k] > 0 && *count > s->size / width / shape[k])
            return wrong(s, "'%s' claims more numbers than the file of %llu bytes can hold", request->name,
                         (unsigned long long)s->size);
        *count *= shape[k];
    }
    return true;
}

/* In this file, as it is, all of it. */
static bool check_storage(server *s, const char *name, hid_t set, hid_t properties, uint64_t bytes)
{
    H5D_layout_t layout = H5Pget_layout(properties);
    hsize_t chunk[H5S_MAX_RANK];
    if (layout != H5D_COMPACT && layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED)
        return wrong(s, "'%s' is pieced together from elsewhere, expected its numbers in the file", name);
    if (layout == H5D_CONTIGUOUS && H5Pget_external_count(properties) != 0)
        return wrong(s, "'%s' keeps its numbers in another file, expected them in this one", name);
    if (H5Pget_nfilters(properties) != 0)
        return wrong(s, "'%s' is compressed or filtered, expected plain numbers (h5repack -f NONE)", name);
    if (layout == H5D_CHUNKED) {
        int rank = H5Pget_chunk(properties, H5S_MAX_RANK, chunk);
        uint64_t count = 1;
        for (int k = 0; k < rank; k++) {
            if (chunk[k] == 0 || count > s->size / chunk[k])
                return wrong(s, "'%s' has chunks larger than the file", name);
            count *= chunk[k];
        }
    }
    hsize_t stored = H5Dget_storage_size(set);
    if (stored < bytes || stored > s->size)
        return wrong(s, "'%s' needs %llu bytes and has %llu in the file of %llu: damaged or never written",
                     name, (unsigned long long)bytes, (unsigned long long)stored,
                     (unsigned long long)s->size);
    return true;
}

/* A data set that is what the request says. */
typedef struct opened {
    hid_t set, properties, type, space;
    uint64_t width, count;
} opened;

static void close_set(const opened *o)
{
    if (o->space >= 0)
        H5Sclose(o->space);
    if (o->type >= 0)
        H5Tclose(o->type);
    if (o->properties >= 0)
        H5Pclose(o->properties);
    if (o->set >= 0)
        H5Oclose(o->set);
}

static bool open_set(server *s, const sf_hdf5_request *request, opened *o)
{
    *o = (opened){-1, -1, -1, -1, 0, 0};
    o->width = request->type == SF_HDF5_TEXT ? request->width : request->type == SF_HDF5_FLOAT ? 4 : 8;
    if (!open_object(s, request->name, &o->set))
        return false;
    if (H5Iget_type(o->set) != H5I_DATASET)
        return wrong(s, "'%s' is not a data set", request->name);
    o->properties = H5Dget_create_plist(o->set);
    o->type = H5Dget_type(o->set);
    if (o->properties < 0 || o->type < 0 || H5Pget_layout(o->properties) == H5D_VIRTUAL)
        return wrong(s, "'%s' cannot be read as a data set of this file", request->name);
    o->space = H5Dget_space(o->set);
    if (o->space < 0)
        return wrong(s, "the shape of '%s' cannot be read: the file is damaged", request->name);
    return check_type(s, request, o->type) && check_space(s, request, o->space, o->width, &o->count) &&
           (o->count == 0 || check_storage(s, request->name, o->set, o->properties, o->width * o->count));
}

/* ---- answers ------------------------------------------------------------------------------------------------- */

static void answer_shape(server *s, const sf_hdf5_request *request)
{
    opened o;
    (void)open_set(s, request, &o);
    close_set(&o);
}

static bool same_shape(server *s, const sf_hdf5_request *request)
{
    for (uint64_t k = 0; k < request->rank; k++)
        if (s->reply.shape[k] != request->shape[k])
            return wrong(s, "'%s' has %llu entries in dimension %llu, expected %llu", request->name,
                         (unsigned long long)s->reply.shape[k], (unsigned long long)k,
                         (unsigned long long)request->shape[k]);
    return true;
}

static bool read_rows(server *s, const sf_hdf5_request *request, const opened *o)
{
    uint64_t count = o->count;
    hid_t memory = H5S_ALL, space = H5S_ALL, type = o->type;
    if (request->rank > 0) {
        hsize_t start[SF_HDF5_RANK] = {request->first}, block[SF_HDF5_RANK];
        memcpy(block, request->shape, sizeof block);
        block[0] = request->rows;
        if (request->first > request->shape[0] || request->rows > request->shape[0] - request->first)
            return wrong(s, "'%s' has no such rows", request->name);
        count = request->shape[0] ? o->count / request->shape[0] * request->rows : 0;
        if (count == 0)
            return true;
        memory = H5Screate_simple((int)request->rank, block, NULL);
        space = o->space;
        if (memory < 0 || H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, block, NULL) < 0)
            return wrong(s, "'%s' has no such rows", request->name);
    }
    s->bytes = malloc(count * o->width + 1); // the 1: a data set may be of width 0
    if (!s->bytes) {
        s->reply.outcome = SF_HDF5_NO_MEMORY;
        return false;
    }
    if (request->type != SF_HDF5_TEXT)
        type = native(request->type);
    if (H5Dread(o->set, type, memory, space, H5P_DEFAULT, s->bytes) < 0)
        return wrong(s, "the numbers of '%s' cannot be read: the file is damaged", request->name);
    s->reply.bytes = count * o->width;
    return true;
}

static void answer_rows(server *s, const sf_hdf5_request *request)
{
    opened o;
    if (open_set(s, request, &o) && same_shape(s, request))
        (void)read_rows(s, request, &o);
    close_set(&o);
}

static bool read_variable(server *s, const char *name, hid_t attribute, hid_t type)
{
    char *text = NULL;
    if (H5Aread(attribute, type, (void *)&text) < 0 || !text)
        return wrong(s, "attribute '%s' cannot be read: the file is damaged", name);
    size_t length = strlen(text);
    if (length > s->size)
        return wrong(s, "attribute '%s' is longer than the file", name);
    s->bytes = text;
    s->reply.bytes = length;
    return true;
}

static bool read_fixed(server *s, const char *name, hid_t attribute, hid_t type)
{
    size_t width = H5Tget_size(type);
    if (width == 0 || width > s->size)
        return wrong(s, "attribute '%s' is longer than the file", name);
    char *text = calloc(width + 1, 1);
    s->bytes = text;
    if (!text) {
        s->reply.outcome = SF_HDF5_NO_MEMORY;
        return false;
    }
    if (H5Aread(attribute, type, text) < 0)
        return wrong(s, "attribute '%s' cannot be read: the file is damaged", name);
    s->reply.bytes = strlen(text);
    return true;
}

static bool read_text(server *s, const sf_hdf5_request *request, hid_t attribute, hid_t type, hid_t space)
{
    const char *name = request->name;
    if (type < 0 || space < 0)
        return wrong(s, "attribute '%s' cannot be read: the file is damaged", name);
    if (H5Tget_class(type) != H5T_STRING)
        return wrong(s, "attribute '%s' holds %s, expected a text", name, class_name(type));
    bool variable = request->string == SF_HDF5_VARIABLE;
    if ((H5Tis_variable_str(type) > 0) != variable)
        return wrong(s, "attribute '%s' is a text of %s length, expected one of %s length", name,
                     variable ? "fixed" : "variable", variable ? "variable" : "fixed");
    if (H5Sget_simple_extent_type(space) != H5S_SCALAR)
        return wrong(s, "attribute '%s' has %d dimensions, expected a single text", name,
                     H5Sget_simple_extent_ndims(space));
    if (H5Aget_storage_size(attribute) > s->size)
        return wrong(s, "attribute '%s' is longer than the file", name);
    return variable ? read_variable(s, name, attribute, type) : read_fixed(s, name, attribute, type);
}

static void answer_text(server *s, const sf_hdf5_request *request)
{
    hid_t root;
    if (!open_object(s, "", &root))
        return;
    htri_t there = H5Aexists(root, request->name);
    hid_t attribute = there > 0 ? H5Aopen(root, request->name, H5P_DEFAULT) : -1;
    if (there == 0) {
        s->reply.outcome = SF_HDF5_ABSENT;
    } else if (attribute < 0) {
        wrong(s, "attribute '%s' cannot be opened: the file is damaged", request->name);
    } else {
        hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
        (void)read_text(s, request, attribute, type, space);
        if (space >= 0)
            H5Sclose(space);
        if (type >= 0)
            H5Tclose(type);
        H5Aclose(attribute);
    }
    H5Oclose(root);
}

static void answer_open(server *s, const char *path)
{
    s->file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (s->file < 0)
        wrong(s, "is no HDF5 file, or a damaged one");
}

/* ---- the socket ---------------------------------------------------------------------------------------------- */

static bool transfer(bool send_it, int socket, void *bytes, uint64_t count)
{
    for (char *at = bytes; count > 0;) {
        size_t part = count < (1u << 20) ? (size_t)count : 1u << 20;
        ssize_t done = send_it ? write(socket, at, part) : read(socket, at, part);
        if (done <= 0)
            return false;
        at += done;
        count -= (uint64_t)done;
    }
    return true;
}

void sf_hdf5_serve(int socket, const char *path, uint64_t size)
{
    server s = {.socket = socket, .size = size, .file = -1};
    sf_hdf5_request request;
    bound_resources(size);
    H5dont_atexit();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5PLset_loading_state(0);
    while (transfer(false, socket, &request, sizeof request)) {
        s.reply = (sf_hdf5_reply){.outcome = SF_HDF5_GOOD};
        s.bytes = NULL;
        if (request.question == SF_HDF5_ASK_OPEN)
            answer_open(&s, path);
        else if (request.question == SF_HDF5_ASK_SHAPE)
            answer_shape(&s, &request);
        else if (request.question == SF_HDF5_ASK_ROWS)
            answer_rows(&s, &request);
        else
            answer_text(&s, &request);
        if (s.reply.outcome != SF_HDF5_GOOD)
            s.reply.bytes = 0;
        if (!transfer(true, socket, &s.reply, sizeof s.reply) ||
            !transfer(true, socket, s.bytes, s.reply.bytes))
            return;
        free(s.bytes); // texts of variable length come from HDF5, which takes them from malloc
    }
}
