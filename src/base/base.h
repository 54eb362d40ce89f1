/* Private face of the room base/: what the other rooms use to fail, allocate, log and poll. */
#ifndef SF_BASE_PRIVATE_H
#define SF_BASE_PRIVATE_H

#include <stdarg.h>
#include <stdio.h>

#include <samflow/base.h>

#if defined(__GNUC__)
#define SF_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define SF_PRINTF(text, first)
#endif

/* Records the message and returns status, so that a caller writes: return sf_fail(ctx, SF_ERR_DATA, "...", ...).
 * A NULL context is allowed (the message is lost). */
SF_LAB_API
sf_status sf_fail(sf_context *context, sf_status status, const char *format, ...) SF_PRINTF(3, 4);
/* Puts "prefix: " before the message of a failure that passes through; returns status. */
SF_LAB_API
sf_status sf_fail_within(sf_context *context, sf_status status, const char *format, ...) SF_PRINTF(3, 4);
/* clang's analyzer does not see that they return the status given, and would follow paths where a failure is SF_OK. */
#ifdef __clang_analyzer__
#define sf_fail(context, status, ...) ((void)(sf_fail)((context), (status), __VA_ARGS__), (status))
#define sf_fail_within(context, status, ...)                                                                 \
    ((void)(sf_fail_within)((context), (status), __VA_ARGS__), (status))
#endif

/* Memory of the context. count * size is checked for overflow; NULL on failure, with the message set. Zero
 * bytes yield a block that can be released. sf_new zeroes. */
SF_LAB_API
void *sf_alloc(sf_context *context, size_t count, size_t size);
SF_LAB_API
void *sf_alloc_zero(sf_context *context, size_t count, size_t size);
SF_LAB_API
void *sf_resize(sf_context *context, void *block, size_t count, size_t size);
SF_LAB_API
void sf_free(sf_context *context, void *block);
SF_LAB_API
char *sf_strdup(sf_context *context, const char *text);
#define SF_NEW(context, type)          ((type *)sf_alloc_zero((context), 1, sizeof(type)))
#define SF_ARRAY(context, count, type) ((type *)sf_alloc((context), (count), sizeof(type)))

/* Aligned to 64 bytes, for SIMD; release with sf_free_aligned. */
SF_LAB_API
double *sf_alloc_doubles(sf_context *context, size_t count);
SF_LAB_API
void sf_free_aligned(sf_context *context, void *block);

SF_LAB_API
void sf_log(sf_context *context, sf_log_level level, const char *format, ...) SF_PRINTF(3, 4);
SF_LAB_API
void sf_progress(sf_context *context, double fraction, const char *note);
SF_LAB_API
bool sf_cancelled(const sf_context *context);

/* A new context with the allocator, logger and cancel flag of another, for a worker thread. */
SF_LAB_API
sf_status sf_context_fork(const sf_context *context, sf_context **out);

/* Options that carry their size (samflow/base.h), as this library knows them: what the caller does not know of is 0. Refused:
 * NULL, a size of 0, and a newer struct that sets what this library does not know. */
SF_LAB_API
sf_status sf_take_options(sf_context *context, const char *type, void *taken, size_t size, const void *given);
#define SF_TAKE(context, type, taken, given)                                                                 \
    sf_take_options((context), #type, (type *){taken}, sizeof(type), (const type *){given})

/* What every function that creates begins with: *out = NULL; nothing can be made without a context or without a place for it. */
#define SF_OUT(context, out)                                                                                 \
    do {                                                                                                     \
        if (!(out))                                                                                          \
            return sf_fail((context), SF_ERR_ARGUMENT, "there is no place for the result: out is NULL");     \
        *(out) = NULL;                                                                                       \
        if (!(context))                                                                                      \
            return SF_ERR_ARGUMENT;                                                                          \
    } while (0)

#define SF_TRY(call)                                                                                         \
    do {                                                                                                     \
        sf_status sf_try_status_ = (call);                                                                   \
        if (sf_try_status_ != SF_OK)                                                                         \
            return sf_try_status_;                                                                           \
    } while (0)

#endif
