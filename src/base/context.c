/* The context: allocator, logger, progress, cancellation, and the message of the last failure. */
#include "base/base.h"

#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { MESSAGE_SIZE = 2048, RECORD_SIZE = 2048 };

struct sf_context {
    sf_allocator allocator;
    sf_log_fn log;
    void *log_user;
    sf_log_level log_level;
    sf_progress_fn progress;
    void *progress_user;
    sf_flag *cancel;
    // one thread at a time for the callbacks of a context and of its forks, which share the lock of the first
    atomic_flag own_lock, *lock;
    char message[MESSAGE_SIZE];
};

static void *libc_allocate(size_t bytes, void *user)
{
    (void)user;
    return malloc(bytes);
}

static void *libc_reallocate(void *block, size_t bytes, void *user)
{
    (void)user;
    return realloc(block, bytes);
}

static void libc_release(void *block, void *user)
{
    (void)user;
    free(block);
}

static void enter(atomic_flag *lock)
{
    while (atomic_flag_test_and_set_explicit(lock, memory_order_acquire))
        sched_yield();
}

static void leave(atomic_flag *lock)
{
    atomic_flag_clear_explicit(lock, memory_order_release);
}

/* malloc needs no lock. */
static void enter_allocator(const sf_context *context)
{
    if (context->allocator.allocate != libc_allocate)
        enter(context->lock);
}

static void leave_allocator(const sf_context *context)
{
    if (context->allocator.allocate != libc_allocate)
        leave(context->lock);
}

sf_status sf_context_create(const sf_allocator *allocator, sf_context **out)
{
    static const sf_allocator libc_allocator = {libc_allocate, libc_reallocate, libc_release, NULL};
    if (!out)
        return SF_ERR_ARGUMENT;
    *out = NULL;
    if (!allocator)
        allocator = &libc_allocator;
    if (!allocator->allocate || !allocator->reallocate || !allocator->release)
        return SF_ERR_ARGUMENT;
    sf_context *context = allocator->allocate(sizeof *context, allocator->user);
    if (!context)
        return SF_ERR_MEMORY;
    memset(context, 0, sizeof *context);
    context->allocator = *allocator;
    atomic_flag_clear(&context->own_lock);
    context->lock = &context->own_lock;
    *out = context;
    return SF_OK;
}

void sf_context_destroy(sf_context **context)
{
    if (!context || !*context)
        return;
    sf_context *dead = *context;
    sf_allocator allocator = dead->allocator;
    *context = NULL;
    // a fork goes under the lock of the context that it comes from, which outlives it
    atomic_flag *lock =
        allocator.allocate != libc_allocate && dead->lock != &dead->own_lock ? dead->lock : NULL;
    if (lock)
        enter(lock);
    allocator.release(dead, allocator.user);
    if (lock)
        leave(lock);
}

sf_status sf_context_fork(const sf_context *context, sf_context **out)
{
    enter_allocator(context);
    sf_status status = sf_context_create(&context->allocator, out);
    leave_allocator(context);
    if (status == SF_OK) {
        (*out)->lock = context->lock;
        (*out)->log = context->log;
        (*out)->log_user = context->log_user;
        (*out)->log_level = context->log_level;
        (*out)->cancel = context->cancel;
    }
    return status;
}

const char *sf_context_message(const sf_context *context)
{
    return context ? context->message : "";
}

void sf_context_set_log(sf_context *context, sf_log_fn log, sf_log_level level, void *user)
{
    context->log = log;
    context->log_level = level;
    context->log_user = user;
}

void sf_context_set_progress(sf_context *context, sf_progress_fn progress, void *user)
{
    context->progress = progress;
    context->progress_user = user;
}

void sf_context_set_cancel(sf_context *context, sf_flag *flag)
{
    context->cancel = flag;
}

/* What a message says of files and keys may hold anything; a terminal shows it. */
static void set_message(sf_context *context, const char *format, va_list arguments)
{
    char raw[MESSAGE_SIZE];
    vsnprintf(raw, sizeof raw, format, arguments);
    enter(context->lock); // threads inside one call share the message
    sf_escape(raw, context->message, sizeof context->message);
    leave(context->lock);
}

// parentheses: the names may be macros, for clang's analyzer
sf_status(sf_fail)(sf_context *context, sf_status status, const char *format, ...)
{
    if (context) {
        va_list arguments;
        va_start(arguments, format);
        set_message(context, format, arguments);
        va_end(arguments);
    }
    return status;
}

sf_status(sf_fail_within)(sf_context *context, sf_status status, const char *format, ...)
{
    if (context) {
        char inner[MESSAGE_SIZE];
        memcpy(inner, context->message, sizeof inner);
        va_list arguments;
        va_start(arguments, format);
        set_message(context, format, arguments);
        va_end(arguments);
        size_t length = strlen(context->message);
        snprintf(context->message + length, sizeof context->message - length, ": %s", inner);
    }
    return status;
}

void sf_log(sf_context *context, sf_log_level level, const char *format, ...)
{
    if (!context || !context->log || level > context->log_level)
        return;
    char record[RECORD_SIZE];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(record, sizeof record, format, arguments);
    va_end(arguments);
    enter(context->lock);
    context->log(level, record, context->log_user);
    leave(context->lock);
}

void sf_progress(sf_context *context, double fraction, const char *note)
{
    if (!context || !context->progress)
        return;
    enter(context->lock);
    context->progress(fraction, note, context->progress_user);
    leave(context->lock);
}

void sf_flag_set(sf_flag *flag, int value)
{
    atomic_store(flag, value);
}

int sf_flag_get(sf_flag *flag)
{
    return atomic_load(flag);
}

bool sf_cancelled(const sf_context *context)
{
    return context && context->cancel && atomic_load_explicit(context->cancel, memory_order_relaxed) != 0;
}

/* ---- memory -------------------------------------------------------------------------------------------- */

static void *allocate(sf_context *context, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        sf_fail(context, SF_ERR_MEMORY, "%zu items of %zu bytes exceed the address space", count, size);
        return NULL;
    }
    size_t bytes = count * size;
    enter_allocator(context);
    void *block = context->allocator.allocate(bytes ? bytes : 1, context->allocator.user);
    leave_allocator(context);
    if (!block)
        sf_fail(context, SF_ERR_MEMORY, "out of memory: %zu bytes refused", bytes);
    return block;
}

void *sf_alloc(sf_context *context, size_t count, size_t size)
{
    return allocate(context, count, size);
}

void *sf_alloc_zero(sf_context *context, size_t count, size_t size)
{
    void *block = allocate(context, count, size);
    if (block)
        memset(block, 0, count * size);
    return block;
}

void *sf_resize(sf_context *context, void *block, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        sf_fail(context, SF_ERR_MEMORY, "%zu items of %zu bytes exceed the address space", count, size);
        return NULL;
    }
    size_t bytes = count * size;
    enter_allocator(context);
    void *moved = context->allocator.reallocate(block, bytes ? bytes : 1, context->allocator.user);
    leave_allocator(context);
    if (!moved)
        sf_fail(context, SF_ERR_MEMORY, "out of memory: %zu bytes refused", bytes);
    return moved;
}

void sf_free(sf_context *context, void *block)
{
    if (!block)
        return;
    enter_allocator(context);
    context->allocator.release(block, context->allocator.user);
    leave_allocator(context);
}

char *sf_strdup(sf_context *context, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = sf_alloc(context, size, 1);
    if (copy)
        memcpy(copy, text, size);
    return copy;
}

/* The block carries its origin in the word before the aligned address. */
enum { ALIGNMENT = 64 };

double *sf_alloc_doubles(sf_context *context, size_t count)
{
    size_t extra = ALIGNMENT + sizeof(void *);
    if (count > (SIZE_MAX - extra) / sizeof(double)) {
        sf_fail(context, SF_ERR_MEMORY, "%zu doubles exceed the address space", count);
        return NULL;
    }
    char *origin = allocate(context, count * sizeof(double) + extra, 1);
    if (!origin)
        return NULL;
    uintptr_t address = ((uintptr_t)origin + extra - 1) / ALIGNMENT * ALIGNMENT;
    void **aligned = (void **)address;
    aligned[-1] = origin;
    return (double *)address;
}

void sf_free_aligned(sf_context *context, void *block)
{
    if (block)
        sf_free(context, ((void **)block)[-1]);
}

/* ---- options that carry their size ------------------------------------------------------------------------ */

sf_status sf_take_options(sf_context *context, const char *type, void *taken, size_t size, const void *given)
{
    size_t told = 0;
    if (!given)
        return sf_fail(context, SF_ERR_ARGUMENT, "%s is NULL", type);
    memcpy(&told, given, sizeof told);
    if (told < sizeof told)
        return sf_fail(context, SF_ERR_ARGUMENT, "the size of %s is %zu, expected its sizeof", type, told);
    for (size_t i = size; i < told; i++)
        if (((const unsigned char *)given)[i] != 0)
            return sf_fail(context, SF_ERR_ARGUMENT,
                           "%s of %zu bytes sets what this library does not know, which knows %zu", type,
                           told, size);
    memset(taken, 0, size);
    memcpy(taken, given, told < size ? told : size);
    memcpy(taken, &size, sizeof size);
    return SF_OK;
}
