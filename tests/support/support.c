#include "support.h"

void sf_assert_close(double actual, double expected, double tolerance, const char *what, const char *file,
                     int line)
{
    double error = fabs(actual - expected);
    if (!(error <= tolerance)) {
        print_error("%s is %.17g, expected %.17g (error %.3g, tolerance %.3g)\n", what, actual, expected,
                    error, tolerance);
        _fail(file, line);
    }
}

void sf_assert_status(sf_context *context, sf_status actual, sf_status expected, const char *what,
                      const char *file, int line)
{
    if (actual != expected) {
        print_error("%s gave %s, expected %s: %s\n", what, sf_status_name(actual), sf_status_name(expected),
                    sf_context_message(context));
        _fail(file, line);
    }
}

size_t test_count(size_t all, size_t few)
{
    return getenv("SAMFLOW_EMULATED") ? few : all;
}

sf_context *test_context(void)
{
    sf_context *context = NULL;
    assert_int_equal(sf_context_create(NULL, &context), SF_OK);
    return context;
}

static void *failing_allocate(size_t bytes, void *user)
{
    test_memory *memory = user;
    if (memory->calls++ == memory->fail_at)
        return NULL;
    void *block = malloc(bytes);
    memory->live += block != NULL;
    return block;
}

static void *failing_reallocate(void *block, size_t bytes, void *user)
{
    test_memory *memory = user;
    if (memory->calls++ == memory->fail_at)
        return NULL;
    void *moved = realloc(block, bytes);
    memory->live += !block && moved;
    return moved;
}

static void failing_release(void *block, void *user)
{
    test_memory *memory = user;
    memory->live -= block != NULL;
    free(block);
}

sf_context *test_context_failing(test_memory *memory)
{
    sf_allocator allocator = {failing_allocate, failing_reallocate, failing_release, memory};
    sf_context *context = NULL;
    long fail_at = memory->fail_at;
    *memory = (test_memory){.fail_at = -1};
    assert_int_equal(sf_context_create(&allocator, &context), SF_OK);
    *memory = (test_memory){.fail_at = fail_at}; // the context itself does not count
    return context;
}

void test_every_allocation(sf_status (*body)(sf_context *), long most)
{
    sf_status status = SF_ERR_MEMORY;
    for (long n = 0; status != SF_OK; n++) {
        test_memory memory = {.fail_at = n};
        sf_context *context = test_context_failing(&memory);
        status = body(context);
        if (status != SF_OK)
            assert_int_equal(status, SF_ERR_MEMORY);
        assert_int_equal(memory.live, 0);
        assert_true(n < most);
        sf_context_destroy(&context);
    }
}
