/* samflow/base.h - context, errors, memory, logging, random numbers, log-domain arithmetic.
 *
 * Every samflow object hangs on an sf_context: it carries the allocator, the logger, the progress and cancellation
 * hooks and the one detailed message of the last failure. The library has no globals, never prints and never exits.
 *
 * Threads. A context, and every object made with it, belongs to one thread at a time; threads work side by side with a context
 * each. Two kinds of objects may be read by several threads at once, with contexts of their own, once the call that
 * made or changed them last has returned: data (sf_dataset, sf_images) and answers (sf_margin, sf_prediction, sf_limit: what
 * is asked of them is const). They are destroyed when nobody reads them any more.
 * Calls that use several threads inside call the allocator, the log and the progress from them, never two at once for the
 * contexts that go back to one sf_context_create. An allocator, log or progress that several
 * contexts share must be ready to be called from the threads of each. None of them may call the library with the context that
 * calls it.
 *
 * Structs. Options that later versions may extend begin with their size, `.size = sizeof options`: a program keeps working with
 * every later library of the same SONAME, and what it does not know of counts as 0. Reports that the library owns grow at their
 * end. The other structs change with the SONAME only.
 *
 * Numbers that can leave the range of a double (losses, weights that decay, the original time t) are kept
 * as natural logarithms; log 0 is -INFINITY. "Does not exist" is NaN, written as null in JSON.
 */
#ifndef SAMFLOW_BASE_H
#define SAMFLOW_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
#include <atomic>
#endif

#include <samflow/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One list for every outcome: name, exit code of the program, message. */
#define SF_STATUS_LIST(X)                                                                                    \
    X(SF_OK, 0, "ok")                                                                                        \
    X(SF_ERR_ARGUMENT, 2, "invalid argument")                                                                \
    X(SF_ERR_USAGE, 2, "wrong usage")                                                                        \
    X(SF_ERR_CONFIG, 2, "error in the experiment file")                                                      \
    X(SF_ERR_DATA, 3, "data unreadable, malformed or not what is needed")                                    \
    X(SF_ERR_NUMERIC, 4, "the numerics failed")                                                              \
    X(SF_ERR_CLAIM, 5, "a claim was not reproduced")                                                         \
    X(SF_ERR_MEMORY, 1, "out of memory")                                                                     \
    X(SF_ERR_IO, 1, "input or output failed")                                                                \
    X(SF_ERR_UNAVAILABLE, 1, "not available in this build")                                                  \
    X(SF_ERR_INTERNAL, 1, "internal error")                                                                  \
    X(SF_ERR_CANCELLED, 130, "interrupted")

typedef enum sf_status {
#define SF_STATUS_ENUM(name, code, text) name,
    SF_STATUS_LIST(SF_STATUS_ENUM)
#undef SF_STATUS_ENUM
} sf_status;

/* The name ("SF_ERR_DATA"), the general message, and the program's exit code of a status. Static strings. */
SF_API
const char *sf_status_name(sf_status status);
SF_API
const char *sf_status_message(sf_status status);
SF_API
int sf_status_exit_code(sf_status status);

/* Version of the library, for example "0.1.0", and one line that describes the build (compiler, flags). */
SF_API
const char *sf_version(void);
SF_API
const char *sf_build_info(void);

/* ---- context ------------------------------------------------------------------------------------------- */

typedef struct sf_context sf_context;

/* Where memory comes from. Semantics of malloc, realloc and free; all three or none (NULL: those of libc). */
typedef struct sf_allocator {
    void *(*allocate)(size_t bytes, void *user);
    void *(*reallocate)(void *block, size_t bytes, void *user);
    void (*release)(void *block, void *user);
    void *user;
} sf_allocator;

typedef enum sf_log_level { SF_LOG_ERROR, SF_LOG_WARNING, SF_LOG_INFO, SF_LOG_DEBUG } sf_log_level;

/* Receives one record, "key=value key=value ...", without a newline. */
typedef void (*sf_log_fn)(sf_log_level level, const char *record, void *user);

/* Told how far a long computation is: fraction in [0, 1], NaN if unknown; note is a short text or NULL. */
typedef void (*sf_progress_fn)(double fraction, const char *note, void *user);

/* Creates a context. allocator: NULL for libc's. Errors: SF_ERR_MEMORY (then *out is NULL). */
SF_API
sf_status sf_context_create(const sf_allocator *allocator, sf_context **out);
/* Releases the context; objects made with it must be gone. Accepts NULL and a pointer to NULL. */
SF_API
void sf_context_destroy(sf_context **context);

/* The detailed message of the last failure, "" if none. Owned by the context, valid until the next failure. */
SF_API
const char *sf_context_message(const sf_context *context);

SF_API
void sf_context_set_log(sf_context *context, sf_log_fn log, sf_log_level level, void *user);
SF_API
void sf_context_set_progress(sf_context *context, sf_progress_fn progress, void *user);

/* An int that may be set while others read it: from other threads and from signal handlers. */
#ifdef __cplusplus
typedef std::atomic<int> sf_flag;
#else
typedef _Atomic int sf_flag;
#endif
/* For languages without atomics; safe in signal handlers. */
SF_API
void sf_flag_set(sf_flag *flag, int value);
SF_API
int sf_flag_get(sf_flag *flag);
/* A flag that long computations poll; once it is not 0 they stop with SF_ERR_CANCELLED and keep what they have. It is borrowed,
 * and may serve several contexts. NULL: never. */
SF_API
void sf_context_set_cancel(sf_context *context, sf_flag *flag);

/* Copies a text into out (size bytes with the NUL, cut where it does not fit) as a terminal may show it: control characters
 * and bytes that are not UTF-8 become \\xNN. Returns the bytes written without the NUL. Messages of the context are such. */
SF_API
size_t sf_escape(const char *text, char *out, size_t size);

/* ---- names --------------------------------------------------------------------------------------------- */

/* Letters that are too many, missing, wrong or exchanged with their neighbour between two names: how many. SIZE_MAX for
 * names of more than 127 bytes. */
SF_API
size_t sf_edit_distance(const char *a, const char *b);
/* The one of count names that someone who wrote `name` may have meant, capitals and _ for - forgiven; NULL if none is
 * close, and never `name` itself. */
SF_API
const char *sf_nearest_name(const char *name, size_t count, const char *const *names);

/* ---- random numbers ------------------------------------------------------------------------------------ */

/* Counter-based generator Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011): a stream is named by (seed,
 * stream), so draws do not depend on how work is divided among threads. A plain value: copy it freely. */
typedef struct sf_random {
    uint64_t seed, stream, counter;
    uint32_t block[4];
    int used;     /* words of block already handed out, 0..4 */
    double spare; /* second normal of the last pair */
    bool has_spare;
} sf_random;

SF_API
sf_random sf_random_make(uint64_t seed, uint64_t stream);
SF_API
uint64_t sf_random_bits(sf_random *random); /* 64 uniform bits */
SF_API
double sf_random_uniform(sf_random *random); /* uniform on the open interval (0, 1) */
SF_API
double sf_random_normal(sf_random *random); /* standard normal (Box-Muller) */
SF_API
uint64_t sf_random_below(sf_random *random, uint64_t n); /* uniform on 0..n-1 without bias; n >= 1 */

/* ---- statistics ---------------------------------------------------------------------------------------- */

/* The t with P(|T| <= t) = level for Student's distribution with that many degrees of freedom; NaN unless
 * degrees >= 1 and 0 < level < 1. */
SF_API
double sf_student_quantile(size_t degrees, double level);

/* Mean of n numbers and half the width of its confidence interval (normal numbers of unknown variance): NaN for n < 2
 * and wherever one of x is NaN. */
typedef struct sf_interval {
    double mean, half_width;
} sf_interval;
SF_API
sf_interval sf_mean_interval(size_t n, const double *x, double level);

/* ---- log-domain arithmetic ----------------------------------------------------------------------------- */

/* log(1 + e^x), accurate for every x: e^x where x is very negative, x where it is large. */
SF_API
double sf_log1p_exp(double x);
/* log(1 - e^x) for x <= 0. */
SF_API
double sf_log1m_exp(double x);
/* log(e^a + e^b); -INFINITY is log 0. */
SF_API
double sf_log_add(double a, double b);
/* log of the sum of e^{x_i}; -INFINITY for n = 0. */
SF_API
double sf_log_sum_exp(size_t n, const double *x);

#ifdef __cplusplus
}
#endif
#endif
