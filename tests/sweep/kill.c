/* Kill -9 at random moments: the same command goes on, and what was finished is neither lost nor there twice.
 *
 * usage: test_sweep_kill [KILLS]. The moments are drawn from a fixed seed, but what a moment meets depends on the
 * machine: reading the file, creating the schema, a commit, a checkpoint, the end.
 */
#include <signal.h>
#include <unistd.h>

#include "program.h"
#include "support.h"

static int kills = 10;

static const char grid[] =
    "data: {example: [1, 2]}\n"
    "dynamics: {mode: discrete, step: 0.01, steps: 6000}\n"
    "sweep:\n"
    "  axes:\n"
    "    zip: {network.init: {linspace: [0.3, 1.2, 30]},\n"
    "      record.samples: {linspace: [200, 229, 30]}}\n" // one point at a time, some time each
    "    optimizer.rho: {linspace: [0.5, 2, 20]}\n"
    "  observables: [regime, final_loss, direction]\n";

/* The file is sound, and holds at least what it held: every point that was there, with the same row. */
static int64_t check(int64_t before)
{
    assert_int_equal(
        program_query("a.db", "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'"), 1);
    int64_t points =
        program_query("a.db", "SELECT count(*) FROM point WHERE status = 'done' AND log_loss IS NOT NULL");
    assert_true(points >= before);
    assert_int_equal(program_query("a.db", "SELECT count(*) FROM member"), points);
    assert_int_equal(program_query("a.db", "SELECT count(DISTINCT hash) FROM point"), points);
    return points;
}

static void test_kill(void **state)
{
    (void)state;
    program_enter();
    program_write("grid.yaml", grid);
    assert_int_equal(program_run("sweep grid.yaml -o whole.db"), 0);
    assert_int_equal(program_run("export whole.db -o whole.csv"), 0);
    sf_random random = sf_random_make(5, 0);
    int64_t before = 0;
    int killed = 0, rounds = 0, gained = 0;
    while (killed < kills) {
        pid_t process = program_start("sweep grid.yaml -o a.db", 0);
        program_sleep(0.3 * sf_random_uniform(&random));
        kill(process, SIGKILL);
        int code = program_wait(process);
        assert_true(code == 128 + SIGKILL || code == 0);
        killed += code != 0;
        if (access("a.db", F_OK) != 0)
            continue; // killed before it began
        if (program_query("a.db",
                          "SELECT count(*) FROM pragma_table_info('point') WHERE name = 'log_loss'") == 1) {
            int64_t after = check(before);
            gained += after > before;
            before = after;
        }
        if (before == 600) { // all done: from the start again, as long as kills are left
            before = 0;
            rounds++;
            assert_int_equal(program_run("export a.db -o a.csv"), 0);
            assert_true(program_same("a.csv", "whole.csv"));
            assert_int_equal(unlink("a.db"), 0);
            unlink("a.db-wal");
            unlink("a.db-shm");
        }
    }
    assert_int_equal(program_run("sweep grid.yaml -o a.db"), 0);
    assert_int_equal(check(before), 600);
    assert_int_equal(program_run("export a.db -o a.csv"), 0);
    assert_true(program_same("a.csv", "whole.csv"));
    print_message("%d kills, %d of the runs had committed points, %d sweeps were completed\n", killed, gained,
                  rounds);
    program_leave();
}

/* Two at once, which the lock keeps from happening unless someone removes it: no point is there twice all the same. */
static void test_two_writers(void **state)
{
    (void)state;
    program_enter();
    program_write("grid.yaml", grid);
    pid_t first = 0;
    for (int tries = 0; tries < 50; tries++) { // until one is met at work: a fast machine may be done before
        first = program_start("sweep grid.yaml -o a.db --threads 1", 0);
        for (int waited = 0;
             waited < 1000 && (access("a.db-lock", F_OK) != 0 || access("a.db-wal", F_OK) != 0);
             waited++) // it may have come and gone
            program_sleep(0.002);
        program_sleep(0.1 / (1 + tries));
        if (unlink("a.db-lock") == 0)
            break;
        assert_int_equal(program_wait(first), 0);
        assert_int_equal(unlink("a.db"), 0);
        first = 0;
    }
    assert_int_not_equal(first, 0);
    pid_t second = program_start("sweep grid.yaml -o a.db --threads 1", 0);
    int one = program_wait(first), two = program_wait(second);
    assert_int_equal(one, 0);
    assert_int_equal(two, 0);
    assert_int_equal(check(600), 600);
    assert_int_equal(
        program_query("a.db", "SELECT count(*) FROM pragma_index_list('point') WHERE \"unique\""), 1);
    program_leave();
}

int main(int argc, char **argv)
{
    if (argc > 1)
        kills = atoi(argv[1]);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kill), cmocka_unit_test(test_two_writers)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
