/* Our side of an HDF5 file: starts the process that reads it, asks, waits with a bound, and says what went wrong. */
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE // syscall
#endif
#include "files/hdf5.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "files/hdf5_serve.h"

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

struct sf_hdf5 {
    sf_context *context;
    int socket;  // -1: the process is gone
    pid_t child; // -1: likewise
    uint64_t size;
};

/* ---- the process --------------------------------------------------------------------------------------------- */

/* What else is open is none of the reader's business. */
static void close_others(int socket)
{
#ifdef SYS_close_range
    if ((socket == 3 || syscall(SYS_close_range, 3u, (unsigned)socket - 1, 0u) == 0) &&
        syscall(SYS_close_range, (unsigned)socket + 1, ~0u, 0u) == 0)
        return;
#endif
    for (int other = 3; other < 1024; other++)
        if (other != socket)
            close(other);
}

static void live_as_reader(int socket, const char *path, uint64_t size)
{
    static const int signals[] = {SIGINT,  SIGTERM, SIGHUP,  SIGUSR1, SIGUSR2,
                                  SIGSEGV, SIGBUS,  SIGABRT, SIGPIPE, SIGXCPU};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        signal(signals[i], SIG_DFL);
    close_others(socket);
    sf_hdf5_serve(socket, path, size);
    _exit(0);
}

static sf_status start(sf_hdf5 *file, const char *path)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return sf_fail(file->context, SF_ERR_IO, "no process to read HDF5 could be started: %s",
                       strerror(errno));
    fcntl(pair[0], F_SETFD, FD_CLOEXEC);
    fcntl(pair[1], F_SETFD, FD_CLOEXEC);
    file->child = fork();
    if (file->child == 0)
        live_as_reader(pair[1], path, file->size);
    close(pair[1]);
    file->socket = pair[0];
    return file->child > 0 ? SF_OK
                           : sf_fail(file->context, SF_ERR_IO, "no process to read HDF5 could be started: %s",
                                     strerror(errno));
}

/* Ends the process; what waitpid says of it, 0 if nothing. */
static int stop(sf_hdf5 *file)
{
    int state = 0;
    if (file->socket >= 0)
        close(file->socket);
    file->socket = -1;
    if (file->child > 0) {
        kill(file->child, SIGKILL);
        while (waitpid(file->child, &state, 0) < 0 && errno == EINTR)
            ;
    }
    file->child = -1;
    return state;
}

/* The other side hung up in the middle of something: why. */
static sf_status died(sf_hdf5 *file, const char *object)
{
    int state = 0;
    struct timespec moment = {0, 1000000};
    for (int i = 0; i < 500 && waitpid(file->child, &state, WNOHANG) == 0; i++) // its own end, before ours
        nanosleep(&moment, NULL);
    file->child = -1;
    stop(file);
    if (WIFSIGNALED(state) && WTERMSIG(state) == SIGXCPU)
        return sf_fail(file->context, SF_ERR_DATA,
                       "%s took more time than a file of %llu bytes can need: it is damaged", object,
                       (unsigned long long)file->size);
    return sf_fail(file->context, SF_ERR_DATA, "%s ended HDF5 (signal %d): the file is damaged", object,
                   WIFSIGNALED(state) ? WTERMSIG(state) : 0);
}

/* ---- questions ----------------------------------------------------------------------------------------------- */

/* Receives all of it. The bound on CPU time is the other side's; this one is for reads that sleep. */
static sf_status receive(sf_hdf5 *file, const char *object, void *bytes, uint64_t count)
{
    enum { TICK = 100, PATIENCE = 60000 }; // milliseconds
    int waited = 0;
    for (char *at = bytes; count > 0;) {
        struct pollfd ready = {.fd = file->socket, .events = POLLIN};
        int events = poll(&ready, 1, TICK);
        if (sf_cancelled(file->context)) {
            stop(file);
            return sf_fail(file->context, SF_ERR_CANCELLED, "reading was interrupted");
        }
        if (events == 0 && (waited += TICK) >= PATIENCE) {
            stop(file);
            return sf_fail(file->context, SF_ERR_DATA, "%s: no answer for %d s", object, PATIENCE / 1000);
        }
        if (events <= 0)
            continue;
        ssize_t got = read(file->socket, at, count < (1u << 20) ? (size_t)count : 1u << 20);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return died(file, object);
        waited = 0;
        at += got;
        count -= (uint64_t)got;
    }
    return SF_OK;
}

static sf_status ask(sf_hdf5 *file, const sf_hdf5_request *request, sf_hdf5_reply *reply)
{
    char object[SF_HDF5_NAME + 32];
    if (file->socket < 0)
        return sf_fail(file->context, SF_ERR_DATA, "the file is damaged");
    snprintf(object, sizeof object, *request->name ? "reading '%s'" : "opening the file%s", request->name);
    if (send(file->socket, request, sizeof *request, MSG_NOSIGNAL) != (ssize_t)sizeof *request)
        return died(file, object);
    SF_TRY(receive(file, object, reply, sizeof *reply));
    reply->message[sizeof reply->message - 1] = '\0';
    if (reply->outcome == SF_HDF5_WRONG)
        return sf_fail(file->context, SF_ERR_DATA, "%s", reply->message);
    if (reply->outcome == SF_HDF5_NO_MEMORY)
        return sf_fail(file->context, SF_ERR_MEMORY, "out of memory: %s", object);
    if (reply->outcome != SF_HDF5_GOOD && reply->outcome != SF_HDF5_ABSENT)
        return sf_fail(file->context, SF_ERR_DATA, "%s gave nonsense: the file is damaged", object);
    return SF_OK;
}

static sf_hdf5_request request_of(sf_hdf5_question question, const sf_hdf5_set *set)
{
    sf_hdf5_request request;
    memset(&request, 0, sizeof request); // also what lies between the members
    request.question = question;
    request.type = set->type;
    request.width = set->width;
    request.rank = set->rank;
    snprintf(request.name, sizeof request.name, "%s", set->name);
    return request;
}

static sf_status absent(sf_hdf5 *file, const char *name)
{
    return sf_fail(file->context, SF_ERR_DATA, "'%s' is missing", name);
}

sf_status sf_hdf5_shape(sf_hdf5 *file, const sf_hdf5_set *set, size_t *shape, bool *found)
{
    sf_hdf5_request request = request_of(SF_HDF5_ASK_SHAPE, set);
    sf_hdf5_reply reply = {0};
    SF_TRY(ask(file, &request, &reply));
    if (found)
        *found = reply.outcome == SF_HDF5_GOOD;
    if (reply.outcome != SF_HDF5_GOOD)
        return found ? SF_OK : absent(file, set->name);
    for (size_t k = 0; k < set->rank; k++)
        shape[k] = (size_t)reply.shape[k];
    return SF_OK;
}

static size_t element(const sf_hdf5_set *set)
{
    return set->type == SF_HDF5_TEXT    ? set->width
           : set->type == SF_HDF5_FLOAT ? sizeof(float)
                                        : sizeof(double);
}

/* One question: a piece of a megabyte, or a row. */
static sf_status read_piece(sf_hdf5 *file, const sf_hdf5_set *set, const size_t *shape, size_t first,
                            size_t rows, size_t bytes, void *values)
{
    sf_hdf5_request request = request_of(SF_HDF5_ASK_ROWS, set);
    sf_hdf5_reply reply = {0};
    for (size_t k = 0; k < set->rank; k++)
        request.shape[k] = shape[k];
    request.first = first;
    request.rows = rows;
    SF_TRY(ask(file, &request, &reply));
    if (reply.outcome == SF_HDF5_ABSENT)
        return absent(file, set->name);
    if (reply.bytes != bytes) {
        stop(file);
        return sf_fail(file->context, SF_ERR_DATA, "reading '%s' gave nonsense: the file is damaged",
                       set->name);
    }
    return receive(file, set->name, values, bytes);
}

sf_status sf_hdf5_read_rows(sf_hdf5 *file, const sf_hdf5_set *set, const size_t *shape, size_t first,
                            size_t rows, void *values)
{
    enum { PIECE = 1 << 20 };
    size_t width = element(set);
    for (size_t k = 1; k < set->rank; k++) {
        if (shape[k] > 0 && width > SIZE_MAX / shape[k])
            return sf_fail(file->context, SF_ERR_DATA, "'%s' exceeds the address space", set->name);
        width *= shape[k];
    }
    size_t most = set->rank == 0 || width == 0 || width > PIECE ? 1 : PIECE / width;
    char *out = values;
    do {
        size_t count = rows < most ? rows : most;
        SF_TRY(read_piece(file, set, shape, first, count, count * width, out));
        first += count;
        rows -= count;
        out += count * width;
    } while (rows > 0);
    return SF_OK;
}

sf_status sf_hdf5_read(sf_hdf5 *file, const sf_hdf5_set *set, const size_t *shape, void *values)
{
    return sf_hdf5_read_rows(file, set, shape, 0, set->rank > 0 ? shape[0] : 1, values);
}

sf_status sf_hdf5_text(sf_hdf5 *file, const char *name, sf_hdf5_string kind, char **text)
{
    sf_hdf5_set set = {.name = name};
    sf_hdf5_request request = request_of(SF_HDF5_ASK_TEXT, &set);
    sf_hdf5_reply reply = {0};
    *text = NULL;
    request.string = kind;
    SF_TRY(ask(file, &request, &reply));
    if (reply.outcome == SF_HDF5_ABSENT)
        return SF_OK;
    if (reply.bytes > file->size) {
        stop(file);
        return sf_fail(file->context, SF_ERR_DATA, "attribute '%s' is longer than the file", name);
    }
    char *copy = sf_alloc_zero(file->context, (size_t)reply.bytes + 1, 1);
    if (!copy) {
        stop(file); // its answer has not been taken
        return SF_ERR_MEMORY;
    }
    sf_status status = receive(file, name, copy, reply.bytes);
    if (status != SF_OK)
        sf_free(file->context, copy);
    else
        *text = copy;
    return status;
}

/* ---- open and close ------------------------------------------------------------------------------------------ */

static sf_status open_file(sf_hdf5 *file, const char *path)
{
    struct stat about;
    if (access(path, R_OK) != 0 || stat(path, &about) != 0)
        return sf_fail(file->context, SF_ERR_IO, "cannot be opened: %s", strerror(errno));
    if (!S_ISREG(about.st_mode))
        return sf_fail(file->context, SF_ERR_DATA, "is not a regular file, expected one of HDF5");
    file->size = about.st_size > 0 ? (uint64_t)about.st_size : 0;
    SF_TRY(start(file, path));
    sf_hdf5_set none = {.name = ""};
    sf_hdf5_request request = request_of(SF_HDF5_ASK_OPEN, &none);
    sf_hdf5_reply reply = {0};
    return ask(file, &request, &reply);
}

sf_status sf_hdf5_open(sf_context *context, const char *path, sf_hdf5 **out)
{
    sf_hdf5 *file = *out = SF_NEW(context, sf_hdf5);
    if (!file)
        return SF_ERR_MEMORY;
    *file = (sf_hdf5){.context = context, .socket = -1, .child = -1};
    sf_status status = open_file(file, path);
    if (status != SF_OK)
        sf_hdf5_close(out);
    return status;
}

void sf_hdf5_close(sf_hdf5 **file)
{
    if (!file || !*file)
        return;
    stop(*file);
    sf_free((*file)->context, *file);
    *file = NULL;
}
