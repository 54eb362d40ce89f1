#include "program.h"

#include <fcntl.h>
#include <ftw.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

static char folder[256], before[4096];

void program_enter(void)
{
    const char *temporary = getenv("TMPDIR");
    if (!temporary) // in memory where there is such a place: syncing costs nothing there
        temporary = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    snprintf(folder, sizeof folder, "%.200s/samflow-sweep-XXXXXX", temporary);
    assert_non_null(mkdtemp(folder));
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *where)
{
    (void)info;
    (void)type;
    (void)where;
    return remove(path);
}

void program_leave(void)
{
    assert_int_equal(chdir(before), 0);
    assert_int_equal(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

void program_write(const char *name, const char *text)
{
    FILE *stream = fopen(name, "wb");
    assert_non_null(stream);
    assert_true(fputs(text, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
}

static void become(const char *line, size_t file_limit)
{
    char words[1024], *argument[64];
    int count = 0;
    argument[count++] = getenv("SAMFLOW_PROGRAM");
    snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word && count < 63; word = strtok(NULL, " "))
        argument[count++] = word;
    argument[count] = NULL;
    int out = open("out.txt", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    int err = open("err.txt", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (out < 0 || err < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
        _exit(126);
    struct rlimit limit = {file_limit, file_limit};
    if (file_limit > 0 && setrlimit(RLIMIT_FSIZE, &limit) != 0)
        _exit(126);
    execv(argument[0], argument);
    _exit(127);
}

pid_t program_start(const char *line, size_t file_limit)
{
    assert_non_null(getenv("SAMFLOW_PROGRAM"));
    pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0)
        become(line, file_limit);
    return process;
}

int program_wait(pid_t process)
{
    int status;
    assert_int_equal(waitpid(process, &status, 0), process);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_run(const char *line)
{
    return program_wait(program_start(line, 0));
}

void program_sleep(double seconds)
{
    struct timespec time = {(time_t)seconds, (long)(1e9 * (seconds - (double)(time_t)seconds))};
    nanosleep(&time, NULL);
}

static bool file_holds(const char *name, const char *text)
{
    static char content[1 << 16];
    FILE *stream = fopen(name, "rb");
    assert_non_null(stream);
    content[fread(content, 1, sizeof content - 1, stream)] = '\0';
    fclose(stream);
    return strstr(content, text) != NULL;
}

bool program_said(const char *text)
{
    return file_holds("out.txt", text) || file_holds("err.txt", text);
}

int64_t program_query(const char *file, const char *query)
{
    return program_query_both(file, NULL, query);
}

int64_t program_query_both(const char *file, const char *other, const char *query)
{
    sqlite3 *database;
    sqlite3_stmt *statement;
    char attach[512];
    assert_int_equal(sqlite3_open_v2(file, &database, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    sqlite3_busy_timeout(database, 10000);
    snprintf(attach, sizeof attach, "ATTACH '%s' AS other", other ? other : ":memory:");
    assert_int_equal(sqlite3_exec(database, attach, NULL, NULL, NULL), SQLITE_OK);
    if (sqlite3_prepare_v2(database, query, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", query, sqlite3_errmsg(database));
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return value;
}

bool program_same(const char *a, const char *b)
{
    FILE *first = fopen(a, "rb"), *second = fopen(b, "rb");
    assert_non_null(first);
    assert_non_null(second);
    int x, y;
    do {
        x = getc(first);
        y = getc(second);
    } while (x == y && x != EOF);
    fclose(first);
    fclose(second);
    return x == y;
}
