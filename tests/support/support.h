/* What the tests share: assertions that fail closed on NaN, and a context that can run out of memory. */
#ifndef SF_TEST_SUPPORT_H
#define SF_TEST_SUPPORT_H

#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef SF_CMOCKA_STANDIN
#include <setjmp.h> // for cmocka
#endif
#include <cmocka.h>

#include <samflow/figure.h>
#include <samflow/lab.h>
#include <samflow/paper.h>
#include <samflow/report.h>

/* |actual - expected| <= tolerance * |expected|; a NaN on either side fails. */
#define assert_relative(actual, expected, tolerance)                                                         \
    sf_assert_close((actual), (expected), (tolerance)*fabs(expected), #actual, __FILE__, __LINE__)
/* |actual - expected| <= tolerance. */
#define assert_absolute(actual, expected, tolerance)                                                         \
    sf_assert_close((actual), (expected), (tolerance), #actual, __FILE__, __LINE__)
/* status is SF_OK; prints the message of the context otherwise. */
#define assert_ok(context, call) sf_assert_status((context), (call), SF_OK, #call, __FILE__, __LINE__)
#define assert_status(context, call, status)                                                                 \
    sf_assert_status((context), (call), (status), #call, __FILE__, __LINE__)

void sf_assert_close(double actual, double expected, double tolerance, const char *what, const char *file,
                     int line);
void sf_assert_status(sf_context *context, sf_status actual, sf_status expected, const char *what,
                      const char *file, int line);

/* How much of a workload is done: `all`, or `few` under an emulator, where SAMFLOW_EMULATED is set (tests/CMakeLists.txt) and
 * everything takes many times as long. */
size_t test_count(size_t all, size_t few);

sf_context *test_context(void);

/* A context whose n-th allocation (from 0) fails, and which counts what is not released. */
typedef struct test_memory {
    long fail_at, calls, live;
} test_memory;
sf_context *test_context_failing(test_memory *memory);

/* Calls body with a context whose first, second, ... allocation fails, until it succeeds, which it must before the
 * allocation number `most`: each time it fails with SF_ERR_MEMORY and leaves nothing behind. */
void test_every_allocation(sf_status (*body)(sf_context *), long most);

#endif
