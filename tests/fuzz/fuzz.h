/* What the fuzzers share. Each harness feeds the bytes of libFuzzer to one parser, as a user's file would reach it; a sanitizer,
 * a hang, memory without bound or a broken promise (sf_fuzz_require) ends it. Without libFuzzer, replay.c calls the same function
 * on files: seeds and what was found once, in every build.
 */
#ifndef TEST_FUZZ_H
#define TEST_FUZZ_H

#include <samflow/lab.h>

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void fuzz_require(bool kept, const char *promise)
{
    if (kept)
        return;
    fprintf(stderr, "broken: %s\n", promise);
    abort();
}

/* One for all inputs. */
static inline sf_context *fuzz_context(void)
{
    static sf_context *context;
    if (!context)
        fuzz_require(sf_context_create(NULL, &context) == SF_OK, "a context");
    return context;
}

/* As a text that ends in 0; to be freed. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    fuzz_require(text, "memory");
    if (size > 0)
        memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

/* A message is there and holds nothing that a terminal obeys. */
static inline void fuzz_message(sf_status status)
{
    const char *message = sf_context_message(fuzz_context());
    if (status == SF_OK)
        return;
    fuzz_require(*message, "a failure says why");
    for (; *message; message++)
        fuzz_require((unsigned char)*message >= 32 || *message == '\n' || *message == '\t',
                     "messages without control characters");
}

/* The path of a file of these bytes, one a process and ending. */
static inline const char *fuzz_file(const uint8_t *data, size_t size, const char *ending)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/samflow-fuzz-%ld.%s", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : ".",
             (long)getpid(), ending);
    FILE *file = fopen(path, "wb");
    fuzz_require(file && fwrite(data, 1, size, file) == size && fclose(file) == 0, "a file to write");
    return path;
}

#endif
