/* One writer a result file, whatever is asked of it by the process that writes. */
#include "support.h"

#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/store/database.h"

#define PATH "lock_test.db"

/* Whether another process may write. */
static bool other_may_write(void)
{
    pid_t child = fork();
    if (child == 0) {
        sf_context *context;
        sf_database *database;
        sf_status status = sf_context_create(NULL, &context);
        if (status == SF_OK)
            status = sf_database_open(context, PATH, true, false, &database);
        _exit(status == SF_OK ? 1 : 0);
    }
    int state = 0;
    waitpid(child, &state, 0);
    return WIFEXITED(state) && WEXITSTATUS(state) == 1;
}

static void test_asking_keeps_the_lock(void **state)
{
    (void)state;
    sf_context *context;
    sf_database *writer, *second;
    unlink(PATH);
    assert_int_equal(sf_context_create(NULL, &context), SF_OK);
    assert_int_equal(sf_database_open(context, PATH, true, false, &writer), SF_OK);
    assert_false(other_may_write());
    for (int i = 0; i < 3; i++) {
        assert_true(sf_database_writer(PATH) == (int64_t)getpid());
        assert_int_not_equal(sf_database_open(context, PATH, true, false, &second), SF_OK);
        assert_non_null(strstr(sf_context_message(context), "is writing to"));
        assert_false(other_may_write());
    }
    sf_database_close(&writer);
    assert_true(sf_database_writer(PATH) == 0);
    assert_true(other_may_write());
    sf_context_destroy(&context);
    unlink(PATH);
    unlink(PATH "-lock");
}

/* The name of the lock is known: what lies there is not written to. */
static void test_planted_lock(void **state)
{
    (void)state;
    sf_context *context;
    sf_database *writer;
    struct stat about;
    unlink(PATH);
    FILE *victim = fopen("victim", "w");
    assert_non_null(victim);
    fputs("secret", victim);
    fclose(victim);
    assert_int_equal(sf_context_create(NULL, &context), SF_OK);
    assert_int_equal(symlink("victim", PATH "-lock"), 0);
    assert_int_not_equal(sf_database_open(context, PATH, true, false, &writer), SF_OK);
    unlink(PATH "-lock");
    assert_int_equal(link("victim", PATH "-lock"), 0);
    assert_int_not_equal(sf_database_open(context, PATH, true, false, &writer), SF_OK);
    assert_int_equal(stat("victim", &about), 0);
    assert_true(about.st_size == 6);
    unlink(PATH "-lock");
    unlink("victim");
    sf_context_destroy(&context);
}

/* The schema keeps a point from being there twice, and values from being of another type. */
static void test_schema(void **state)
{
    (void)state;
    static const char hash[] = "x'000102030405060708090a0b0c0d0e0f'";
    sf_context *context;
    sf_database *writer;
    unlink(PATH);
    assert_int_equal(sf_context_create(NULL, &context), SF_OK);
    assert_int_equal(sf_database_open(context, PATH, true, false, &writer), SF_OK);
    const char *insert = "INSERT INTO point(hash, grid, status) VALUES(%s, %s, %s)";
    assert_int_equal(sf_database_execute(writer, insert, hash, "1", "'failed'"), SF_OK);
    assert_int_equal(sf_database_execute(writer, insert, hash, "1", "'done'"), SF_OK);
    assert_int_equal(sf_database_execute(writer, "INSERT INTO member VALUES(1, 0, 1), (1, 1, 2)"), SF_OK);
    assert_int_equal(sf_database_index(writer), SF_OK); // twins of a lost lock: the one that is done stays
    int64_t left = 0, linked = 0;
    assert_int_equal(sf_database_integer(writer, &left, NULL, "SELECT count(*) + sum(id) FROM point"), SF_OK);
    assert_int_equal(sf_database_integer(writer, &linked, NULL, "SELECT sum(point) FROM member"), SF_OK);
    assert_true(left == 3 && linked == 4);
    assert_int_not_equal(sf_database_execute(writer, insert, hash, "1", "'done'"), SF_OK);
    assert_int_not_equal(sf_database_execute(writer, insert, "x'00'", "1", "'done'"), SF_OK);
    assert_int_not_equal(sf_database_execute(writer, insert, "randomblob(16)", "1", "NULL"), SF_OK);
    assert_int_not_equal(sf_database_execute(writer, insert, "randomblob(16)", "1", "'perhaps'"), SF_OK);
    assert_int_not_equal(sf_database_execute(writer, insert, "randomblob(16)", "'one'", "'done'"), SF_OK);
    sf_database_close(&writer);
    sf_context_destroy(&context);
    unlink(PATH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_asking_keeps_the_lock),
                                       cmocka_unit_test(test_planted_lock), cmocka_unit_test(test_schema)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
