/* Sweeps as a user runs them: reuse, changed settings, threads, shards, failures, interruptions, full disks. */
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program.h"
#include "support.h"

static const char grid_head[] = "data: {example: [1, 2]}\n"
                                "dynamics: {mode: discrete, step: 0.05, steps: 300}\n";

static void write_grid(const char *name, const char *section)
{
    char text[2048];
    snprintf(text, sizeof text, "%ssweep:\n%s\n", grid_head, section);
    program_write(name, text);
}

static const char plain_axes[] =
    "  axes:\n"
    "    network.init: {name: alpha, linspace: [0.3, 1.2, 10]}\n"
    "    data.example[1]: {name: ratio, logspace: [1.5, 6, 5]}\n"
    "    optimizer.method: {name: method, values: [gd, l2-sam]}\n"
    "  observables: [regime, limit, dominance, peak_ratio, final_loss, direction]";

static int enter(void **state)
{
    (void)state;
    program_enter();
    write_grid("grid.yaml", plain_axes);
    return 0;
}

static int leave(void **state)
{
    (void)state;
    program_leave();
    return 0;
}

#define assert_count(file, query, expected) assert_int_equal(program_query(file, query), expected)

static void test_reuse(void **state)
{
    (void)state;
    assert_int_equal(program_run("sweep grid.yaml -o a.db --dry-run"), 0);
    assert_true(program_said("100  to run"));
    assert_true(access("a.db", F_OK) != 0); // nothing was written
    assert_int_equal(program_run("sweep grid.yaml -o a.db"), 0);
    assert_true(program_said(", 100 computed"));
    assert_int_equal(program_run("sweep grid.yaml -o a.db"), 0);
    assert_true(program_said(", 0 computed, 100 there before, 0 reused, 0 failed"));
    /* Half of the finer axis is there, with the same doubles. */
    write_grid("finer.yaml", "  axes:\n"
                             "    network.init: {name: alpha, linspace: [0.3, 1.2, 19]}\n"
                             "    data.example[1]: {name: ratio, logspace: [1.5, 6, 5]}\n"
                             "    optimizer.method: {name: method, values: [gd, l2-sam]}\n"
                             "  observables: [regime]");
    assert_int_equal(program_run("sweep finer.yaml -o a.db --dry-run"), 0);
    assert_true(program_said("90  to run: not computed yet"));
    assert_int_equal(program_run("sweep finer.yaml -o a.db"), 0);
    assert_true(program_said(", 90 computed, 0 there before, 100 reused"));
    assert_count("a.db", "SELECT count(*) FROM point", 190);
    assert_count("a.db", "SELECT count(*) FROM result", 190);
    /* The finer grid asked for less; going back computes only what was not recorded. */
    assert_int_equal(program_run("sweep grid.yaml -o a.db"), 0);
    assert_true(program_said(", 0 computed, 100 there before"));
    /* An observable more: all are computed again, none is there twice, and none of the old columns is lost. */
    write_grid("more.yaml", "  axes:\n"
                            "    network.init: {name: alpha, linspace: [0.3, 1.2, 10]}\n"
                            "    data.example[1]: {name: ratio, logspace: [1.5, 6, 5]}\n"
                            "    optimizer.method: {name: method, values: [gd, l2-sam]}\n"
                            "  observables: [min_margin]");
    assert_int_equal(program_run("sweep more.yaml -o a.db"), 0);
    assert_true(program_said(", 100 computed"));
    assert_count("a.db", "SELECT count(*) FROM point", 190);
    assert_count("a.db",
                 "SELECT count(*) FROM result WHERE min_margin IS NOT NULL AND direction_1 IS NOT NULL", 100);
    assert_int_equal(program_run("sweep grid.yaml -o a.db"), 0);
    assert_true(program_said(", 0 computed"));
}

static void test_changed_setting(void **state)
{
    (void)state;
    assert_int_equal(program_run("sweep grid.yaml -o a.db"), 0);
    assert_int_equal(program_run("sweep grid.yaml -o a.db --set dynamics.steps=301"), 0);
    assert_true(program_said(", 100 computed, 0 there before, 0 reused"));
    assert_count("a.db", "SELECT count(*) FROM point", 200);
    /* The setting that differs is a column now, and right for both. */
    assert_count("a.db", "SELECT count(*) FROM point WHERE \"dynamics.steps\" = 300", 100);
    assert_count("a.db", "SELECT count(*) FROM result WHERE \"dynamics.steps\" = 301", 100);
    /* The same settings, written otherwise, are the same points. */
    assert_int_equal(program_run("sweep grid.yaml -o a.db --set dynamics.steps=3e2 --set optimizer.rho=1"),
                     0);
    assert_true(program_said(", 0 computed, 100 there before"));
    /* Another axis: the points at its old value are taken over, and have the column. */
    write_grid("rho.yaml", "  axes:\n"
                           "    network.init: {name: alpha, linspace: [0.3, 1.2, 10]}\n"
                           "    optimizer.rho: {name: rho, values: [0.5, 1]}\n"
                           "    optimizer.method: {name: method, values: [l2-sam]}\n"
                           "    data.example[1]: {name: ratio, values: [1.5]}");
    assert_int_equal(program_run("sweep rho.yaml -o a.db"), 0);
    assert_count("a.db", "SELECT count(*) FROM result WHERE rho = 1 AND regime IS NOT NULL", 10);
    assert_count("a.db", "SELECT count(*) FROM point WHERE rho IS NULL", 0);
}

/* The name of an axis begins that of another setting, which is a setting of its own all the same. */
static void test_setting_with_prefix(void **state)
{
    (void)state;
    write_grid("step.yaml", "  axes:\n    dynamics.step: [0.01, 0.02, 0.05]\n  observables: [step]");
    assert_int_equal(program_run("sweep step.yaml -o a.db"), 0);
    assert_int_equal(program_run("sweep step.yaml -o a.db --set dynamics.steps=1000"), 0);
    assert_true(program_said(", 3 computed, 0 there before, 0 reused"));
    assert_count("a.db", "SELECT count(*) FROM result WHERE step = 1000", 3);
    assert_count("a.db", "SELECT count(*) FROM point WHERE step = 300", 3);
    assert_int_equal(program_run("sweep step.yaml -o a.db --set dynamics.steps=1000"), 0);
    assert_true(program_said(", 0 computed, 3 there before"));
}

/* A data file that changes is other data, though its name is the same: also one that only some points read. */
static void test_changed_data(void **state)
{
    (void)state;
    static const char text[] =
        "optimizer: {rho: 0.1}\ndata: {file: one.csv}\ndynamics: {mode: discrete, steps: 20}\n"
        "sweep:\n  axes:\n    data.file: [one.csv, two.csv]\n    network.init: [0.3, 0.4]\n";
    program_write("files.yaml", text);
    program_write("one.csv", "a,b,label\n1,2,1\n-1,0.5,-1\n");
    program_write("two.csv", "a,b,label\n3,2,1\n-1,0.5,-1\n");
    assert_int_equal(program_run("sweep files.yaml -o a.db"), 0);
    assert_true(program_said(", 4 computed"));
    assert_int_equal(program_run("sweep files.yaml -o a.db"), 0);
    assert_true(program_said(", 0 computed, 4 there before"));
    program_write("two.csv", "a,b,label\n3,2.5,1\n-1,0.5,-1\n");
    assert_int_equal(program_run("sweep files.yaml -o a.db"), 0);
    assert_true(program_said(", 2 computed, 0 there before, 2 reused"));
    program_write("two.csv", "a,b,label\n3,2,1\n-1,0.5,-1\n"); // as it was
    assert_int_equal(program_run("sweep files.yaml -o a.db"), 0);
    assert_true(program_said(", 0 computed"));
    unlink("two.csv");
    assert_int_equal(program_run("sweep files.yaml -o a.db"), 3);
    assert_true(program_said("'two.csv' does not exist"));
}

/* Results of a samflow that made identities in another way are kept, said to be old, and computed anew. */
static void test_old_file(void **state)
{
    (void)state;
    assert_int_equal(program_run("sweep grid.yaml -o a.db"), 0);
    assert_false(program_said("another version"));
    sqlite3 *file;
    assert_int_equal(sqlite3_open("a.db", &file), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(file,
                     "DELETE FROM file WHERE key = 'identity'; UPDATE grid SET hash = randomblob(16);"
                     "UPDATE point SET hash = randomblob(16)",
                     NULL, NULL, NULL),
        SQLITE_OK);
    sqlite3_close(file);
    assert_int_equal(program_run("sweep grid.yaml -o a.db"), 0);
    assert_true(program_said("points=100 message=\"written by another version of samflow"));
    assert_true(program_said(", 100 computed, 0 there before, 0 reused"));
    assert_count("a.db", "SELECT count(*) FROM point", 200);
    assert_int_equal(program_run("sweep grid.yaml -o a.db"), 0);
    assert_true(program_said(", 0 computed, 100 there before"));
}

/* Merging changes nothing of what is merged, also where a name has signs of a URI; what lacks its view is not exported as
 * nothing. */
static void test_merge_sources(void **state)
{
    (void)state;
    static const char source[] = "a100%41?x#.db";
    assert_int_equal(program_run("sweep grid.yaml -o a.db"), 0);
    assert_int_equal(system("cp a.db before.db"), 0);
    assert_int_equal(rename("a.db", source), 0);
    assert_int_equal(program_run("merge all.db a100%41?x#.db"), 0);
    assert_true(program_same(source, "before.db"));
    assert_int_equal(program_run("export all.db -o all.csv"), 0);
    assert_int_equal(program_run("export before.db -o before.csv"), 0);
    assert_true(program_same("all.csv", "before.csv"));
    assert_count(source, "SELECT count(*) FROM result", 100);
    sqlite3 *file;
    assert_int_equal(sqlite3_open("before.db", &file), SQLITE_OK);
    assert_int_equal(sqlite3_exec(file, "DROP VIEW result", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(file);
    unlink("before.csv");
    int code = program_run("export before.db -o before.csv");
    assert_true(code == 3 || (code == 0 && program_same("all.csv", "before.csv")));
}

/* One row as text, to compare runs. */
static void test_threads(void **state)
{
    (void)state;
    assert_int_equal(program_run("sweep grid.yaml -o one.db --threads 1"), 0);
    assert_int_equal(program_run("sweep grid.yaml -o four.db --threads 4 --rollback-journal"), 0);
    assert_int_equal(program_run("export one.db -o one.csv"), 0);
    assert_int_equal(program_run("export four.db -o four.csv"), 0);
    assert_true(program_same("one.csv", "four.csv"));
}

static void test_shards(void **state)
{
    (void)state;
    assert_int_equal(program_run("sweep grid.yaml -o whole.db"), 0);
    assert_int_equal(program_run("export whole.db -o whole.csv"), 0);
    assert_int_equal(program_run("sweep grid.yaml -o 1.db --shard 1/3"), 0);
    assert_true(program_said(", 34 computed"));
    assert_int_equal(program_run("sweep grid.yaml -o 2.db --shard 2/3"), 0);
    assert_int_equal(program_run("sweep grid.yaml -o 3.db --shard 3/3"), 0);
    assert_int_equal(program_run("merge some.db 3.db 1.db"), 0);
    assert_true(program_said("67 of 100 points"));
    assert_int_equal(program_run("merge some.db 2.db 3.db"), 0); // what is there already does no harm
    assert_true(program_said("100 of 100 points"));
    assert_int_equal(program_run("export some.db -o merged.csv"), 0);
    assert_true(program_same("whole.csv", "merged.csv"));
    assert_int_equal(program_run("sweep grid.yaml -o some.db"), 0); // and the sweep can go on from it
    assert_true(program_said(", 0 computed, 100 there before"));
    assert_int_equal(program_run("sweep grid.yaml -o 1.db --shard 0/3"), 2);
    assert_int_equal(program_run("sweep grid.yaml -o 1.db --shard 4/3"), 2);
    assert_int_equal(program_run("merge grid.db grid.yaml"), 3);
    assert_int_equal(program_run("merge whole.db whole.db"), 2);
}

/* The second point has one feature more than the columns: it fails, and the others are computed. */
static void test_failing_point(void **state)
{
    (void)state;
    write_grid("bad.yaml",
               "  axes:\n    data.example: [[1, 2], [1, 2, 3], [1, 3]]\n  observables: [direction]");
    assert_int_equal(program_run("sweep bad.yaml -o a.db"), 6);
    assert_true(program_said(", 3 computed, 0 there before, 0 reused, 1 failed"));
    assert_count("a.db", "SELECT count(*) FROM result WHERE status = 'done' AND direction_0 IS NOT NULL", 2);
    assert_count(
        "a.db",
        "SELECT count(*) FROM result WHERE position = 1 AND status = 'failed' AND reason LIKE '%3 features%'",
        1);
    assert_int_equal(program_run("sweep bad.yaml -o a.db"), 6);
    assert_true(program_said(", 0 computed, 3 there before, 0 reused, 1 failed"));
    assert_int_equal(program_run("sweep bad.yaml -o a.db --dry-run --retry-failed"), 0);
    assert_true(program_said("1  to run again: they failed"));
    assert_int_equal(program_run("sweep bad.yaml -o a.db --retry-failed"), 6);
    assert_true(program_said(", 1 computed, 2 there before, 0 reused, 1 failed"));
    assert_count("a.db", "SELECT count(*) FROM point", 3);
}

static void test_refusals(void **state)
{
    (void)state;
    static const struct {
        const char *section, *said;
    } bad[] = {
        {"  axes:\n    optimizer.rh0: [1, 2]", "bad.yaml:5:5: axis 'optimizer.rh0'"},
        {"  axes:\n    optimizer.rho: [1, -2]", "bad.yaml:5:5: axis 'optimizer.rho'"},
        {"  axes:\n    dynamics.steps: {linspace: [1, 100, 7]}", "bad.yaml:5:5: axis 'dynamics.steps'"},
        {"  axes:\n    data.example[2]: [1, 2]", "no such item in the list data.example"},
        {"  axes:\n    data.points[0][1]: [1, 2]", "no list data.points"},
        {"  axes:\n    optimizer.rho: {linspace: [1, 2, 1000000000000]}", "at most 1000000000"},
        {"  axes:\n    optimizer.rho: [1, 2]\n  observables: [{beta: {tau: [1]}}]",
         "expected step in discrete mode"},
        {"  axes:\n    optimizer.rho: [1, 2]\n  observables: [regime]\n  refine: {by: log_loss, levels: 2}",
         "which no observable of this sweep fills"},
        {"  axes:\n    optimizer.rho: {values: [1, 2], name: regime}", "both called 'regime'"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        write_grid("bad.yaml", bad[i].section);
        assert_int_equal(program_run("sweep bad.yaml -o no.db"), 2);
        if (!program_said(bad[i].said))
            fail_msg("did not say '%s'", bad[i].said);
        assert_true(access("no.db", F_OK) != 0);
    }
    assert_int_equal(program_run("sweep grid.yaml"), 2);
    assert_int_equal(program_run("sweep grid.yaml -o no.db --set network.init=1"), 2);
    assert_int_equal(program_run("sweep grid.yaml -o grid.yaml"), 2); // it stays what it is
    assert_true(program_said("unknown ending"));
    assert_int_equal(program_run("export grid.yaml -o a.csv"), 3);
    assert_true(program_said("not a result file"));
    assert_int_equal(program_run("sweep grid.yaml -o no.db --dry-run"), 0);
    assert_int_equal(program_run("sweep --status no.db"), 2);
    assert_true(program_said("no such file"));
}

static const char slow_axes[] = "  axes:\n"
                                "    zip: {network.init: {linspace: [0.3, 1.2, 40]},\n"
                                "      record.samples: {linspace: [200, 239, 40]}}\n" // one point at a time
                                "    optimizer.rho: {linspace: [0.5, 2, 10]}\n"
                                "    dynamics.steps: [20000]\n"
                                "  observables: [regime]";

static int64_t finished(const char *file)
{
    return program_query(file, "SELECT count(*) FROM point WHERE status = 'done'");
}

/* Waits until a running sweep has committed some points. */
static void wait_for_points(const char *file)
{
    for (int i = 0; i < 2000; i++) {
        sqlite3 *database;
        sqlite3_stmt *statement = NULL;
        int64_t points = 0;
        if (sqlite3_open_v2(file, &database, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
            sqlite3_prepare_v2(database, "SELECT count(*) FROM point", -1, &statement, NULL) == SQLITE_OK &&
            sqlite3_step(statement) == SQLITE_ROW)
            points = sqlite3_column_int64(statement, 0);
        sqlite3_finalize(statement);
        sqlite3_close(database);
        if (points > 0)
            return;
        program_sleep(0.005);
    }
    fail_msg("no point was committed");
}

static void test_interrupt(void **state)
{
    (void)state;
    write_grid("slow.yaml", slow_axes);
    pid_t process = program_start("sweep slow.yaml -o a.db", 0);
    wait_for_points("a.db");
    pid_t other = program_start("sweep slow.yaml -o a.db", 0); // one writer at a time
    assert_int_equal(program_wait(other), 1);
    assert_true(program_said("another process"));
    assert_int_equal(program_run("sweep --status a.db"), 0);
    assert_true(program_said("running: ") && program_said("of 400 points"));
    kill(process, SIGINT);
    assert_int_equal(program_wait(process), 130);
    int64_t before = finished("a.db");
    assert_true(before > 0 && before < 400);
    assert_int_equal(program_run("sweep --status a.db --json"), 0);
    assert_true(program_said("\"state\": \"interrupted\""));
    assert_int_equal(program_run("sweep slow.yaml -o a.db"), 0);
    char said[80];
    snprintf(said, sizeof said, "%d computed, %d there before", 400 - (int)before, (int)before);
    assert_true(program_said(said));
    assert_int_equal(program_run("sweep --status a.db"), 0);
    assert_true(program_said("finished: 400 of 400 points (100.0%)"));
}

/* A file that must not grow stands for a full disk: the run ends with a message, the file stays sound, and the same
 * command goes on. */
static void test_full_disk(void **state)
{
    (void)state;
    write_grid("wide.yaml",
               "  axes:\n    network.init: {linspace: [0.3, 1.2, 4000]}\n  observables: [direction]");
    for (int mode = 0; mode < 2; mode++) {
        const char *line = mode ? "sweep wide.yaml -o b.db --rollback-journal" : "sweep wide.yaml -o a.db";
        const char *file = mode ? "b.db" : "a.db";
        int64_t before = 0;
        for (size_t limit = 120000; limit <= 200000; limit += 40000) {
            int code = program_wait(program_start(line, limit));
            assert_int_equal(code, 1);
            assert_true(program_said("disk full") || program_said("no space"));
            assert_count(file, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check = 'ok'", 1);
            assert_true(finished(file) >= before);
            before = finished(file);
        }
        assert_int_equal(program_run(line), 0);
        assert_count(file, "SELECT count(*) FROM result WHERE status = 'done'", 4000);
    }
    assert_int_equal(program_run("export a.db -o a.csv"), 0);
    assert_int_equal(program_run("export b.db -o b.csv"), 0);
    assert_true(program_same("a.csv", "b.csv"));
    assert_int_equal(program_wait(program_start("export a.db -o c.csv", 4096)), 1);
    assert_true(access("c.csv", F_OK) != 0);
}

/* Where the minor feature leads first: refinement finds the boundary as the whole lattice does. */
/* Three shards in rounds come to the same file as one run, also when one of them runs twice or is late. */
static void refine_in_rounds(void)
{
    char line[160];
    int rounds = 0, computed = 0;
    for (bool more = true; more; rounds++) {
        assert_true(rounds < 20);
        more = false;
        for (int shard = 1; shard <= 3; shard++) {
            snprintf(line, sizeof line, "sweep refined.yaml -o part-%d.db --shard %d/3%s --json", shard,
                     shard, rounds ? " --from all.db" : "");
            if (rounds == 1 && shard == 2)
                program_run(line); // what is there already does no harm
            int code = program_run(line);
            assert_int_equal(code, program_said("\"waiting\"") ? 75 : 0);
            more |= code == 75;
            computed += !program_said("\"computed\": 0,");
        }
        assert_int_equal(program_run("merge all.db part-1.db part-2.db part-3.db"), 0);
        if (rounds == 0) {
            assert_true(computed == 3);
            assert_int_equal(program_run("sweep --status part-1.db"), 0);
            assert_true(program_said("waiting: 27 of 27"));
        }
    }
    assert_true(rounds > 2);
    assert_int_equal(program_run("sweep --status all.db"), 0);
    assert_true(program_said("finished: "));
    assert_int_equal(program_run("export all.db -o all.csv"), 0);
    assert_true(program_same("refined.csv", "all.csv"));
    assert_int_equal(program_run("sweep refined.yaml -o all.db"), 0);
    assert_true(program_said(", 0 computed"));
}

static void test_refinement(void **state)
{
    (void)state;
    static const char axes[] = "  axes:\n"
                               "    network.init: {name: alpha, linspace: [0.2, 1.4, %d]}\n"
                               "    data.example[1]: {name: ratio, linspace: [1, 5, %d]}\n"
                               "  observables: [regime]\n%s";
    char section[512];
    snprintf(section, sizeof section, axes, 9, 9, "  refine: {by: regime, levels: 3}\n");
    write_grid("refined.yaml", section);
    snprintf(section, sizeof section, axes, 65, 65, "");
    write_grid("whole.yaml", section);
    assert_int_equal(program_run("sweep whole.yaml -o whole.db"), 0);
    assert_int_equal(program_run("sweep refined.yaml -o refined.db"), 0);
    int64_t points = program_query("refined.db", "SELECT count(*) FROM result");
    assert_true(points < 65 * 65 / 3);
    /* The same point, the same answer; and wherever two neighbours of the lattice differ, both are known. */
    assert_int_equal(program_run("merge both.db whole.db refined.db"), 0);
    assert_count("both.db", "SELECT count(*) FROM point", 65 * 65);
    assert_count("both.db", "SELECT count(DISTINCT regime) FROM result", 3);
    static const char edges[] = "WITH cell AS (SELECT m.position / 65 AS i, m.position %% 65 AS k, p.regime, "
                                "EXISTS(SELECT 1 FROM member r WHERE"
                                " r.grid = 2 AND r.point = p.id) AS known FROM member m JOIN point p ON p.id "
                                "= m.point WHERE m.grid = 1)"
                                " SELECT count(*) FROM cell a JOIN cell b ON b.i = a.i + %d AND b.k = a.k + "
                                "%d WHERE a.regime <> b.regime AND"
                                " NOT (a.known AND b.known)";
    char query[1024];
    for (int direction = 0; direction < 2; direction++) {
        snprintf(query, sizeof query, edges, direction, 1 - direction);
        assert_count("both.db", query, 0);
    }
    assert_int_equal(program_run("sweep refined.yaml -o refined.db"), 0);
    assert_true(program_said(", 0 computed"));
    assert_int_equal(program_run("sweep refined.yaml -o again.db --threads 1"), 0);
    assert_int_equal(program_run("export refined.db -o refined.csv"), 0);
    assert_int_equal(program_run("export again.db -o again.csv"), 0);
    assert_true(program_same("refined.csv", "again.csv"));
    /* A dry run goes as far as the results do. */
    assert_int_equal(program_run("sweep refined.yaml -o no.db --dry-run"), 0);
    assert_true(program_said("81  to run") && program_said("refinement adds more"));
    assert_int_equal(program_run("sweep refined.yaml -o refined.db --dry-run"), 0);
    assert_true(program_said("0  to run"));
    snprintf(query, sizeof query, "%lld  nothing to do", (long long)points);
    assert_true(program_said(query));
    assert_int_equal(program_run("sweep whole.yaml -o no.db --from refined.db"), 2);
    refine_in_rounds();
}

/* Collapse below the critical scale, growth above it: values of the specification, for four examples and two radii. */
static void test_exact_regime(void **state)
{
    (void)state;
    static const struct {
        const char *example;
        double critical;
        int strongest;
    } known[] = {{"[1, 2]", 0.5213212826, 1},
                 {"[3, 1]", 0.5416033514, 0},
                 {"[1, 10]", 0.605432216, 1},
                 {"[1, 2, 3]", 0.436426306, 2}};
    for (size_t i = 0; i < 4; i++)
        for (int rho = 1; rho <= 2; rho++) {
            double c = known[i].critical * rho;
            char text[1024], query[256];
            snprintf(text, sizeof text,
                     "data: {example: %s}\nnetwork: {depth: 2, init: 0.6}\ndynamics: {mode: exact}\n"
                     "optimizer: {method: l2-sam, rho: %d}\n"
                     "sweep: {axes: {network.init: {name: alpha, values: [%.17g, %.17g, 100]}}}\n",
                     known[i].example, rho, c * (1.0 - 1e-8), c * (1.0 + 1e-8));
            program_write("exact.yaml", text);
            unlink("e.db");
            assert_int_equal(program_run("sweep exact.yaml -o e.db"), 0);
            assert_count("e.db",
                         "SELECT count(*) FROM result WHERE position = 0 AND regime = 'collapse' AND"
                         " limit_kind = 'zero' AND limit_index IS NULL",
                         1);
            snprintf(query, sizeof query,
                     "SELECT count(*) FROM result WHERE regime = 'minor_first' AND position = 1"
                     " AND limit_kind = 'basis' AND limit_index = %d",
                     known[i].strongest);
            assert_count("e.db", query, 1);
            assert_count("e.db", "SELECT count(*) FROM result WHERE position = 2 AND regime = 'major_first'",
                         1);
        }
}

/* Order of features, its times and the peak ratio: numbers of the specification for mu = (1, 2), rho = 1. */
static void test_exact_order(void **state)
{
    (void)state;
    program_write("order.yaml",
                  "data: {example: [1, 2]}\nnetwork: {depth: 2, init: 0.6}\ndynamics: {mode: exact}\n"
                  "sweep:\n"
                  "  axes: {network.init: {name: alpha, values: [0.3, 0.53, 0.54, 0.55, 0.6, 0.7, 0.8, 2]}}\n"
                  "  observables: [regime, predicted_regime, critical_scale, dominance, peak_ratio]\n");
    assert_int_equal(program_run("sweep order.yaml -o a.db"), 0);
    assert_count("a.db",
                 "SELECT count(*) FROM result WHERE status = 'done' AND regime = predicted_regime AND"
                 " abs(critical_scale - 0.5213212826) < 1e-10",
                 8);
    assert_count("a.db",
                 "SELECT count(*) FROM result WHERE alpha = 2 AND dominance = '[1]' AND switches = 0 AND"
                 " switch_tau = '[]'",
                 1);
    assert_count("a.db",
                 "SELECT count(*) FROM result WHERE regime = 'minor_first' AND dominance = '[0, 1]' AND"
                 " switches = 1 AND peak_minor = 0 AND peak_major = 1",
                 6);
    assert_count("a.db",
                 "SELECT count(*) FROM result WHERE alpha = 0.6 AND"
                 " abs(json_extract(switch_log_time, '$[0]') - ln(1.14e23)) < 0.005",
                 1);
    assert_count("a.db",
                 "SELECT count(*) FROM result WHERE alpha = 0.53 AND"
                 " abs(json_extract(switch_log_time, '$[0]') - 1077880.5169) < 1e-3",
                 1);
    static const char ratio[] =
        "SELECT count(*) FROM result WHERE alpha = %s AND abs(exp(log_peak_ratio) / %s - 1) < 5e-4";
    static const char *const peak[][2] = {
        {"0.54", "755.7"}, {"0.55", "135.7"}, {"0.6", "3.794"}, {"0.7", "1.303"}, {"0.8", "1.060"}};
    char query[256];
    for (size_t i = 0; i < 5; i++) {
        snprintf(query, sizeof query, ratio, peak[i][0], peak[i][1]);
        assert_count("a.db", query, 1);
    }
    /* Regime and limit alone are told without integrating; asking for more goes the general way, with the same answer. */
    program_write(
        "short.yaml",
        "data: {example: [1, 2]}\nnetwork: {depth: 2, init: 0.6}\ndynamics: {mode: exact}\n"
        "sweep:\n"
        "  axes: {network.init: {name: alpha, values: [0.3, 0.53, 0.54, 0.55, 0.6, 0.7, 0.8, 2]}}\n");
    assert_int_equal(program_run("sweep short.yaml -o b.db"), 0);
    assert_int_equal(program_query_both("a.db", "b.db",
                                        "SELECT count(*) FROM main.result a JOIN other.result b"
                                        " USING (alpha) WHERE a.regime = b.regime"),
                     8);
}

/* Measured beside predicted: flows on either side of the critical scale, a depth of 3, and linf-SAM with its gates. */
static void test_flows(void **state)
{
    (void)state;
    program_write("flow.yaml",
                  "data: {example: [1, 2]}\nnetwork: {depth: 2, init: 0.6}\n"
                  "dynamics: {mode: flow, until: {log_time: 60}}\n"
                  "sweep:\n"
                  "  axes:\n"
                  "    network.init: {name: alpha, values: [0.4, 0.6, 1.5]}\n"
                  "    optimizer.method: {name: method, values: [l2-sam, linf-sam, gd]}\n"
                  "  observables: [regime, predicted_regime, limit, predicted_limit, log_time, dominance]\n");
    assert_int_equal(program_run("sweep flow.yaml -o a.db"), 0);
    assert_count("a.db", "SELECT count(*) FROM result WHERE status = 'done'", 9);
    assert_count("a.db", "SELECT count(*) FROM result WHERE method = 'l2-sam' AND regime = predicted_regime",
                 3);
    assert_count("a.db",
                 "SELECT count(*) FROM result WHERE outcome = 'collapsed' AND regime = 'collapse' AND"
                 " limit_kind = 'zero' AND predicted_limit_kind = 'zero' AND alpha = 0.4 AND method <> 'gd'",
                 2);
    assert_count(
        "a.db",
        "SELECT count(*) FROM result WHERE method = 'l2-sam' AND alpha = 0.6 AND dominance = '[0, 1]' AND"
        " abs(json_extract(switch_log_time, '$[0]') - ln(1.14e23)) < 0.005 AND log_time = 60",
        1);
}

/* A map whose rows share critical scales: the order of the axes, threads and shards do not matter. */
static void test_exact_map(void **state)
{
    (void)state;
    static const char text[] =
        "data: {example: [1, 2]}\nnetwork: {depth: 2, init: 0.6}\ndynamics: {mode: exact}\n"
        "sweep:\n  axes:\n    %s\n    %s\n";
    static const char alpha[] = "network.init: {name: alpha, linspace: [0.3, 1.3, 41]}";
    static const char ratio[] = "data.example[1]: {name: ratio, linspace: [1.5, 9.5, 17]}";
    char grid[1024];
    snprintf(grid, sizeof grid, text, alpha, ratio);
    program_write("map.yaml", grid);
    snprintf(grid, sizeof grid, text, ratio, alpha);
    program_write("turned.yaml", grid);
    assert_int_equal(program_run("sweep map.yaml -o a.db --threads 3"), 0);
    assert_int_equal(program_run("sweep turned.yaml -o b.db --threads 1"), 0);
    assert_int_equal(program_run("merge b.db a.db"), 0); // the same points: nothing is added
    assert_count("b.db", "SELECT count(*) FROM point", 41 * 17);
    assert_count("a.db", "SELECT count(DISTINCT regime) FROM result", 3);
    /* Major from the start exactly where sqrt(2) alpha |mu| >= mu_1 + mu_2 and alpha is not critical. */
    assert_count("a.db",
                 "SELECT count(*) FROM result WHERE regime <> 'collapse' AND (regime = 'major_first') <>"
                 " (2 * alpha * alpha * (1 + ratio * ratio) >= (1 + ratio) * (1 + ratio))",
                 0);
    assert_int_equal(program_run("sweep turned.yaml -o a.db"), 0);
    assert_true(program_said(", 0 computed, 0 there before, 697 reused"));
}

/* Batches find what single runs find. The second sweep zips the start with something else, so that its points are run one
 * by one. */
static void test_batch(void **state)
{
    (void)state;
    static const char text[] = "data: {example: [1, 2]}\nnetwork: {depth: 3, init: [1, 1]}\n"
                               "dynamics: {mode: discrete, step: 0.01, steps: 40}\n"
                               "sweep:\n"
                               "  axes:\n"
                               "%s"
                               "    data.example[1]: {name: b, linspace: [0.5, 2, 4]}\n"
                               "    optimizer.rho: {name: rho, values: [0, 0.1, 0.5]}\n"
                               "    dynamics.steps: {name: steps, values: [25, 400, 10]}\n"
                               "    dynamics.step: {name: eta, values: [0.01, 0.02]}\n"
                               "%s"
                               "  observables: [regime, dominance, peak_ratio, predicted_regime, "
                               "critical_scale, final_loss, min_margin,\n"
                               "    limit, step, direction, {beta: {step: [0, 7, 400]}}]\n";
    char grid[1200];
    static const char starts[] = "    network.init[0]: {name: a, linspace: [0.8, 1.6, 9]}\n";
    static const char mixed[] = "    zip:\n      network.init[0]: {name: a, linspace: [0.8, 1.6, 9]}\n"
                                "      record.samples: {linspace: [200, 208, 9]}\n"; // no number of a batch
    snprintf(grid, sizeof grid, text, starts, "");
    program_write("batch.yaml", grid);
    snprintf(grid, sizeof grid, text, mixed, "");
    program_write("single.yaml", grid);
    snprintf(grid, sizeof grid, text, starts, "    optimizer.method: {name: method, values: [l2-sam, gd]}\n");
    program_write("methods.yaml", grid);
    assert_int_equal(program_run("sweep batch.yaml -o batch.db"), 0);
    assert_int_equal(program_run("sweep single.yaml -o single.db --threads 2"), 0);
    /* With an axis of texts there is a batch for each text, of the same points. */
    assert_int_equal(program_run("sweep methods.yaml -o methods.db --threads 2"), 0);
    assert_count("methods.db", "SELECT count(*) FROM result WHERE status = 'done' AND regime IS NOT NULL",
                 2 * 9 * 4 * 3 * 3 * 2);
    assert_int_equal(
        program_query_both("batch.db", "methods.db",
                           "SELECT count(*) FROM main.point a JOIN other.point b USING (hash) WHERE"
                           " a.log_loss IS b.log_loss AND a.dominance IS b.dominance AND"
                           " a.direction_0 IS b.direction_0 AND a.critical_scale IS b.critical_scale"),
        9 * 4 * 3 * 3 * 2);
    assert_count("batch.db", "SELECT count(*) FROM result WHERE status = 'done'", 9 * 4 * 3 * 3 * 2);
    assert_count("batch.db", "SELECT count(*) FROM result WHERE \"beta_1 at step=400\" IS NOT NULL",
                 9 * 4 * 3 * 2);
    assert_int_equal(
        program_query_both(
            "batch.db", "single.db",
            "SELECT count(*) FROM main.result a JOIN other.result b USING (position) WHERE"
            " a.step IS b.step AND a.outcome IS b.outcome AND"
            " a.limit_kind IS b.limit_kind AND a.limit_index IS b.limit_index AND"
            " a.regime IS b.regime AND a.dominance IS b.dominance AND a.switches IS b.switches AND"
            " a.switch_step IS b.switch_step AND a.predicted_regime IS b.predicted_regime AND"
            " a.critical_scale IS b.critical_scale AND a.peak_minor IS b.peak_minor AND"
            " (a.log_peak_ratio IS b.log_peak_ratio OR"
            "  abs(a.log_peak_ratio - b.log_peak_ratio) <= 1e-12) AND"
            " abs(a.log_loss - b.log_loss) <= 1e-12 * abs(b.log_loss) AND"
            " abs(a.min_margin - b.min_margin) <= 1e-12 * abs(b.min_margin) AND"
            " abs(a.direction_0 - b.direction_0) <= 1e-12 AND"
            " abs(a.direction_1 - b.direction_1) <= 1e-12 AND"
            " a.\"beta_0 at step=0\" IS b.\"beta_0 at step=0\" AND"
            " abs(a.\"beta_0 at step=7\" - b.\"beta_0 at step=7\") <= 1e-12 AND"
            " (a.\"beta_1 at step=400\" IS NULL) = (b.\"beta_1 at step=400\" IS NULL)"),
        9 * 4 * 3 * 3 * 2);
    assert_true(program_query("batch.db", "SELECT count(*) FROM result WHERE switches > 0") > 4);
    assert_int_equal(program_run("sweep batch.yaml -o other.db --threads 3"), 0);
    assert_int_equal(program_run("export batch.db -o batch.csv"), 0);
    assert_int_equal(program_run("export other.db -o other.csv"), 0);
    assert_true(program_same("batch.csv", "other.csv"));
    assert_int_equal(program_run("sweep methods.yaml -o batch.db"), 0); // half of it is there
    assert_true(program_said(", 648 computed, 0 there before, 648 reused"));
    assert_int_equal(program_run("sweep batch.yaml -o batch.db"), 0);
    assert_true(program_said(", 0 computed, 648 there before"));
}

/* The map marks and lists the cells that differ from theory, whether the file holds what theory says or not. */
static void test_plot(void **state)
{
    (void)state;
    static const char text[] = "data: {example: [1, 2]}\ndynamics: {mode: discrete, step: 0.05, steps: 400}\n"
                               "sweep:\n  axes:\n"
                               "    optimizer.method: {name: method, values: [l2-sam, gd]}\n"
                               "    data.example[1]: {name: ratio, linspace: [1.2, 5, 39]}\n"
                               "    network.init: {name: alpha, linspace: [0.3, 1.2, 37]}\n"
                               "  observables: [regime%s]\n";
    char grid[1024], said[80];
    snprintf(grid, sizeof grid, text, ", predicted_regime");
    program_write("both.yaml", grid);
    snprintf(grid, sizeof grid, text, "");
    program_write("regime.yaml", grid);
    assert_int_equal(program_run("sweep both.yaml -o both.db"), 0);
    assert_int_equal(program_run("sweep regime.yaml -o regime.db"), 0);
    int64_t differing = program_query(
        "both.db", "SELECT count(*) FROM result WHERE regime <> predicted_regime AND method = 'l2-sam'");
    assert_count("both.db", "SELECT count(*) FROM result WHERE regime = 'collapse' AND method = 'gd'", 0);
    assert_true(differing > 0 && differing < 20); // at the boundary of collapse, which lies lower for steps
    if (program_run("plot both.db --x ratio --y alpha --color regime --where method=l2-sam -o a.svg "
                    "--differences a.csv") != 0) {
        assert_true(program_said("gnuplot"));
        skip();
    }
    snprintf(said, sizeof said, "%lld of 1443 cells differ from theory", (long long)differing);
    assert_true(program_said(said) && program_said("theory collapse"));
    assert_int_equal(
        program_run("plot regime.db --x ratio --y alpha --color regime --where method=l2-sam -o b.svg "
                    "--differences b.csv --json"),
        0);
    snprintf(said, sizeof said, "\"differing\": %lld", (long long)differing);
    assert_true(program_said(said) && program_said("\"compared\": 1443"));
    assert_true(program_same("a.csv", "b.csv") && program_same("a.svg", "b.svg"));
    assert_int_equal(program_run("plot regime.db --x ratio --y alpha --color regime -o b.svg"), 2);
    assert_true(program_said("--where") && program_said("method"));
    assert_int_equal(program_run("plot regime.db --x ratio --y beta --color regime -o b.svg"), 2);
    assert_int_equal(program_run("plot regime.db --x ratio --y alpha --color regime --where method -o b.svg"),
                     2);
    assert_int_equal(
        program_run("plot regime.db --x ratio --y alpha --color position --where method=gd -o b.svg "
                    "--differences c.csv"),
        2);
}

/* CSV and HDF5 against the result file, by Python's own readers. */
static void test_export(void **state)
{
    (void)state;
    assert_int_equal(program_run("sweep grid.yaml -o a.db"), 0);
    assert_int_equal(program_run("export a.db -o a.csv"), 0);
    assert_int_equal(program_run("export a.db -o a.parquet"), 2);
    assert_true(program_said(
        "samflow export a.db -o TABLE.csv && duckdb -c \"COPY (FROM 'TABLE.csv') TO 'a.parquet'\""));
    assert_int_equal(program_run("export a.db -o a.txt"), 2);
    assert_int_equal(program_run("export grid.yaml -o a.csv"), 3);
    if (program_run("export a.db -o a.h5") != 0) {
        assert_true(program_said("without HDF5"));
        skip();
    }
    int code = system("/usr/bin/python3 \"" SOURCE_FOLDER "/check_export.py\" a.db a.csv a.h5");
    if (WEXITSTATUS(code) == 77)
        skip();
    assert_int_equal(code, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)
    const struct CMUnitTest tests[] = {
        TEST(test_reuse),        TEST(test_changed_setting), TEST(test_setting_with_prefix),
        TEST(test_changed_data), TEST(test_old_file),        TEST(test_merge_sources),
        TEST(test_threads),      TEST(test_shards),          TEST(test_failing_point),
        TEST(test_refusals),     TEST(test_interrupt),       TEST(test_full_disk),
        TEST(test_refinement),   TEST(test_exact_regime),    TEST(test_exact_order),
        TEST(test_flows),        TEST(test_exact_map),       TEST(test_batch),
        TEST(test_plot),         TEST(test_export)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
