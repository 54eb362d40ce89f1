/* The runner of the stand-in. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmocka.h"

static struct group {
    const struct CMUnitTest *tests;
    size_t count, now;
    size_t passed, skipped, failed;
} group;

/* Runs the tests from `now` on and returns how many of all failed, the exit code of the program. */
static int run_rest(void)
{
    for (; group.now < group.count; group.now++) {
        void *state = NULL;
        printf("[ RUN      ] %s\n", group.tests[group.now].name);
        fflush(stdout);
        group.tests[group.now].run(&state);
        printf("[       OK ] %s\n", group.tests[group.now].name);
        group.passed++;
    }
    printf("[==========] %zu passed, %zu skipped, %zu failed\n", group.passed, group.skipped, group.failed);
    return (int)(group.count - group.passed - group.skipped);
}

int sf_standin_run(const struct CMUnitTest *tests, size_t count)
{
    group = (struct group){.tests = tests, .count = count};
    return run_rest();
}

_Noreturn void sf_standin_leave(int failed, const char *what, const char *file, int line)
{
    printf("%s:%d: %s\n[  %s ] %s\n", file, line, what, failed ? "FAILED" : "SKIPPED",
           group.tests[group.now].name);
    *(failed ? &group.failed : &group.skipped) += 1;
    group.now++;
    exit(run_rest());
}

void sf_standin_int_equal(uintmax_t a, uintmax_t b, const char *what, const char *file, int line)
{
    if (a != b) {
        print_error("%#jx != %#jx\n", a, b);
        sf_standin_leave(1, what, file, line);
    }
}

int sf_standin_memory(const void *a, const void *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

int sf_standin_strings(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

void print_message(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
}

void print_error(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    vprintf(format, values);
    va_end(values);
}
