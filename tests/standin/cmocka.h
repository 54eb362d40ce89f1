/* A stand-in for cmocka on systems for which it is not built (script/check-cross): the calls that the tests of the core make, with
 * cmocka's meaning. It needs no setjmp, which WebAssembly lacks: what would leave a test runs the remaining tests from where it
 * stands and ends the program. */
#ifndef SF_STANDIN_CMOCKA_H
#define SF_STANDIN_CMOCKA_H

#include <stddef.h>
#include <stdint.h>

struct CMUnitTest {
    const char *name;
    void (*run)(void **state);
};

#define cmocka_unit_test(function)                                                                           \
    {                                                                                                        \
#function, function                                                                                  \
    }
/* Group fixtures are not known here: setup and teardown must be NULL. */
#define cmocka_run_group_tests(tests, setup, teardown)                                                       \
    ((setup) || (teardown) ? 1 : sf_standin_run((tests), sizeof(tests) / sizeof(tests)[0]))

int sf_standin_run(const struct CMUnitTest *tests, size_t count);
_Noreturn void sf_standin_leave(int failed, const char *what, const char *file, int line);
int sf_standin_memory(const void *a, const void *b, size_t size);
int sf_standin_strings(const char *a, const char *b);
void sf_standin_int_equal(uintmax_t a, uintmax_t b, const char *what, const char *file, int line);
__attribute__((format(printf, 1, 2))) void print_message(const char *format, ...);
__attribute__((format(printf, 1, 2))) void print_error(const char *format, ...);

#define _fail(file, line) sf_standin_leave(1, "failed", (file), (line))
#define fail()            sf_standin_leave(1, "fail()", __FILE__, __LINE__)
#define fail_msg(...)     (print_error(__VA_ARGS__), print_error("\n"), fail())
#define skip()            sf_standin_leave(0, "skip()", __FILE__, __LINE__)

#define assert_true(c)     ((c) ? (void)0 : sf_standin_leave(1, #c, __FILE__, __LINE__))
#define assert_false(c)    assert_true(!(c))
#define assert_null(p)     assert_true((p) == NULL)
#define assert_non_null(p) assert_true((p) != NULL)
#define assert_int_equal(a, b)                                                                               \
    sf_standin_int_equal((uintmax_t)(a), (uintmax_t)(b), #a " == " #b, __FILE__, __LINE__)
#define assert_in_range(a, low, high)                                                                        \
    assert_true((uintmax_t)(a) >= (uintmax_t)(low) && (uintmax_t)(a) <= (uintmax_t)(high))
#define assert_memory_equal(a, b, size) assert_true(sf_standin_memory((a), (b), (size)))
#define assert_string_equal(a, b)       assert_true(sf_standin_strings((a), (b)))

#endif
