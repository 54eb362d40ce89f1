/* Downloads, from a server of our own: whole, interrupted and continued, with and without ranges, damaged, missing, without end,
 * too slow; and what runs that ended have left. */
#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files/catalogue.h"

/* What is served: 300,000 bytes, byte i is i mod 251; SHA-256 by Python's hashlib. */
enum { SERVED = 300000, HALF = SERVED / 2 };
static const sf_catalogue_file file = {
    "file.bin", "test", "3c65ea93424a9c362fec0e3a69ea36031e8a358441479dd665cc6110eabe7b08", true};
static const sf_fetch_limits limits = {
    .connect_seconds = 5, .slow_seconds = 2, .slow_bytes = 1000, .total_seconds = 60, .largest = 4 * SERVED};

typedef struct world {
    char *source, *target;                       // folders: what is served, where it goes
    char base[64];                               // http://127.0.0.1:PORT
    char path[PATH_BYTES], part[2 * PATH_BYTES]; // part: one that a test leaves
    unsigned char bytes[SERVED];
    pid_t server;
    int input; // closing it ends the server
} world;

static int start_server(world *w)
{
    int in[2], out[2], port = 0;
    if (pipe(in) != 0 || pipe(out) != 0)
        return 1;
    w->server = fork();
    if (w->server == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execlp("python3", "python3", SOURCE_FOLDER "/tests/files/server.py", w->source, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    w->input = in[1];
    FILE *said = fdopen(out[0], "r");
    char line[32] = "";
    if (said && fgets(line, sizeof line, said))
        port = atoi(line); // NOLINT(cert-err34-c): 0 is no port
    if (said)
        fclose(said);
    snprintf(w->base, sizeof w->base, "http://127.0.0.1:%d", port);
    return w->server < 0 || port == 0;
}

static int open_world(void **state)
{
    world *w = calloc(1, sizeof *w);
    if (!w || make_folder((void **)&w->source) || make_folder((void **)&w->target))
        return 1;
    signal(SIGPIPE, SIG_IGN);
    for (int i = 0; i < SERVED; i++)
        w->bytes[i] = (unsigned char)(i % 251);
    char served[PATH_BYTES];
    write_file(w->source, file.name, w->bytes, SERVED, false, served);
    snprintf(w->path, sizeof w->path, "%s/%s", w->target, file.name);
    snprintf(w->part, sizeof w->part, "%s/.%s.0123456789abcdef.part", w->target, file.name);
    *state = w;
    if (start_server(w) != 0) {
        print_message("tests of downloads need python3\n");
        return 1;
    }
    return 0;
}

static int close_world(void **state)
{
    world *w = *state;
    int status;
    close(w->input);
    waitpid(w->server, &status, 0);
    int failed = remove_folder((void **)&w->source) + remove_folder((void **)&w->target);
    free(w);
    return failed;
}

/* How many parts lie in the target; found: the last of them. */
static size_t parts(const world *w, char *found, bool removed)
{
    size_t count = 0;
    DIR *folder = opendir(w->target);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char path[3 * PATH_BYTES];
        if (!strstr(entry->d_name, ".part"))
            continue;
        count++;
        snprintf(path, sizeof path, "%s/%s", w->target, entry->d_name);
        if (found)
            snprintf(found, sizeof path, "%s", path);
        if (removed)
            remove(path);
    }
    if (folder)
        closedir(folder);
    return count;
}

/* Each test starts without files. */
static int clear(void **state)
{
    world *w = *state;
    remove(w->path);
    parts(w, NULL, true);
    return 0;
}

static sf_status get(world *w, sf_context *context, const char *first, const char *second, bool *cached)
{
    char one[128], two[128] = "", path[SF_PATH_BYTES];
    snprintf(one, sizeof one, "%s/%s", w->base, first);
    if (second)
        snprintf(two, sizeof two, "%s/%s/", w->base, second);
    const char *const mirrors[] = {one, second ? two : NULL, NULL};
    sf_status status = sf_fetch_file(context, mirrors, &file, &limits, w->target, path, cached, NULL);
    if (status != SF_OK)
        print_message("%s\n", sf_context_message(context));
    return status;
}

static void expect_file(const world *w)
{
    static unsigned char got[SERVED + 1];
    FILE *stream = fopen(w->path, "rb");
    assert_non_null(stream);
    assert_int_equal(fread(got, 1, sizeof got, stream), SERVED);
    fclose(stream);
    assert_memory_equal(got, w->bytes, SERVED);
    assert_int_equal(parts(w, NULL, false), 0);
}

static void leave_part(const world *w, size_t count, bool right)
{
    static const unsigned char zeros[2 * SERVED];
    FILE *stream = fopen(w->part, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(right ? w->bytes : zeros, 1, count, stream), count);
    assert_int_equal(fclose(stream), 0);
}

/* The last request that the server saw, for example "/whole/file.bin bytes=150000-". */
static void last_request(world *w, char *line, size_t size)
{
    char command[256];
    snprintf(command, sizeof command,
             "python3 -c \"import urllib.request as u;"
             "print(u.urlopen('%s/log').read().decode().split(chr(10))[-2])\"",
             w->base);
    FILE *stream = popen(command, "r");
    assert_non_null(stream);
    assert_non_null(fgets(line, (int)size, stream));
    assert_int_equal(pclose(stream), 0);
}

static void test_whole(void **state)
{
    world *w = *state;
    sf_context *context = test_context();
    bool cached = true;
    assert_ok(context, get(w, context, "whole", NULL, &cached));
    assert_false(cached);
    expect_file(w);
    assert_ok(context, get(w, context, "nothing", NULL, &cached)); // there: nobody is asked
    assert_true(cached);
    sf_context_destroy(&context);
}

static void test_redirect_and_second_mirror(void **state)
{
    world *w = *state;
    sf_context *context = test_context();
    bool cached;
    assert_ok(context, get(w, context, "nothing", "moved", &cached));
    expect_file(w);
    remove(w->path);
    assert_ok(context, get(w, context, "wrong", "whole", &cached));
    expect_file(w);
    sf_context_destroy(&context);
}

static void test_resume(void **state)
{
    world *w = *state;
    sf_context *context = test_context();
    bool cached;
    char line[256];
    assert_status(context, get(w, context, "cut", NULL, &cached), SF_ERR_IO);
    assert_int_equal(access(w->path, F_OK), -1); // nothing under the final name
    char part[3 * PATH_BYTES];
    assert_int_equal(parts(w, part, false), 1);
    assert_int_equal(file_size(part), HALF);
    assert_ok(context, get(w, context, "whole", NULL, &cached));
    expect_file(w);
    last_request(w, line, sizeof line);
    assert_string_equal(line, "/whole/file.bin bytes=150000-\n");
    sf_context_destroy(&context);
}

/* Parts that cannot be continued as they are: the server has no ranges, the bytes are wrong, too many, or all there. */
static void test_resume_anew(void **state)
{
    world *w = *state;
    sf_context *context = test_context();
    bool cached;
    static const struct {
        const char *kind;
        size_t count;
        bool right;
    } left[] = {{"plain", HALF, true},    {"whole", HALF, false},       {"whole", SERVED, true},
                {"whole", SERVED, false}, {"whole", SERVED + 5, false}, {"plain", SERVED, true}};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++) {
        print_message("part %zu\n", i);
        clear(state);
        leave_part(w, left[i].count, left[i].right && left[i].count <= SERVED);
        assert_ok(context, get(w, context, left[i].kind, NULL, &cached));
        expect_file(w);
    }
    sf_context_destroy(&context);
}

static void test_failures(void **state)
{
    world *w = *state;
    sf_context *context = test_context();
    bool cached;
    assert_status(context, get(w, context, "wrong", NULL, &cached), SF_ERR_DATA);
    assert_non_null(strstr(sf_context_message(context), file.sha256));
    assert_int_equal(parts(w, NULL, false), 0);
    assert_status(context, get(w, context, "nothing", "also-nothing", &cached), SF_ERR_IO);
    assert_non_null(strstr(sf_context_message(context), "404"));
    assert_non_null(strstr(sf_context_message(context), "Without a network"));
    assert_non_null(strstr(sf_context_message(context), w->path));
    assert_int_equal(access(w->path, F_OK), -1);
    char other[PATH_BYTES]; // a file of another content under the name is not overwritten
    write_file(w->target, file.name, "mine", 4, false, other);
    assert_status(context, get(w, context, "whole", NULL, &cached), SF_ERR_DATA);
    assert_int_equal(file_size(other), 4);
    sf_context_destroy(&context);
}

static void test_cancelled(void **state)
{
    world *w = *state;
    sf_context *context = test_context();
    sf_flag flag = 1;
    bool cached;
    sf_context_set_cancel(context, &flag);
    leave_part(w, HALF, true);
    assert_status(context, get(w, context, "whole", NULL, &cached), SF_ERR_CANCELLED);
    assert_true(file_size(w->part) >= HALF); // kept
    flag = 0;
    assert_ok(context, get(w, context, "whole", NULL, &cached));
    expect_file(w);
    sf_context_destroy(&context);
}

static void test_requests(void **state)
{
    (void)state;
    sf_context *context = test_context();
    sf_fetch_request request = {.name = "imagenet"};
    assert_status(context, sf_fetch(context, &request), SF_ERR_ARGUMENT);
    assert_non_null(strstr(sf_context_message(context), "mnist, fashion-mnist"));
    request = (sf_fetch_request){.name = "mnist", .part = "validation"};
    assert_status(context, sf_fetch(context, &request), SF_ERR_ARGUMENT);
    request = (sf_fetch_request){.name = "mnist", .directory = ""};
    assert_status(context, sf_fetch(context, &request), SF_ERR_ARGUMENT);
    request = (sf_fetch_request){.name = "mnist", .directory = "/dev/null/folder"};
    assert_status(context, sf_fetch(context, &request), SF_ERR_IO);
    request = (sf_fetch_request){.name = "golub", .part = "train"};
    assert_status(context, sf_fetch(context, &request), SF_ERR_ARGUMENT);
    sf_fetch_info info;
    size_t files = 0;
    for (size_t i = 0; sf_fetch_name(i); i++)
        for (size_t k = 0; sf_fetch_file_info(i, k, &info); k++, files++) {
            assert_int_equal(strspn(info.sha256, "0123456789abcdef"), 64);
            assert_int_equal(strlen(info.sha256), 64);
            assert_non_null(strstr(info.address, "://"));
        }
    assert_int_equal(files, 9);
    sf_context_destroy(&context);
}

static void test_cache_folder(void **state)
{
    (void)state;
    sf_context *context = test_context();
    char path[PATH_BYTES];
    setenv("XDG_CACHE_HOME", "/some/cache", 1);
    setenv("HOME", "/home/someone", 1);
    assert_ok(context, sf_fetch_directory(context, "mnist", path, sizeof path));
    assert_string_equal(path, "/some/cache/samflow/mnist");
    setenv("XDG_CACHE_HOME", "relative", 1); // to be ignored
    assert_ok(context, sf_fetch_directory(context, "mnist", path, sizeof path));
    assert_string_equal(path, "/home/someone/.cache/samflow/mnist");
    unsetenv("XDG_CACHE_HOME");
    assert_status(context, sf_fetch_directory(context, "mnist", path, 20), SF_ERR_IO);
    unsetenv("HOME");
    assert_status(context, sf_fetch_directory(context, "mnist", path, sizeof path), SF_ERR_IO);
    sf_context_destroy(&context);
}

/* A server that declares no length, one that sends 3 bytes a second, one that never answers: each transfer ends. */
static void test_without_end(void **state)
{
    world *w = *state;
    sf_context *context = test_context();
    bool cached;
    assert_status(context, get(w, context, "endless", NULL, &cached), SF_ERR_IO);
    assert_non_null(strstr(sf_context_message(context), "more than 1200000 bytes"));
    assert_int_equal(parts(w, NULL, false), 0);
    assert_status(context, get(w, context, "slow", NULL, &cached), SF_ERR_IO);
    assert_non_null(strstr(sf_context_message(context), "too slow"));
    clear(state);
    assert_status(context, get(w, context, "silent", NULL, &cached), SF_ERR_IO);
    clear(state);
    assert_ok(context, get(w, context, "endless", "whole", &cached));
    expect_file(w);
    // the time in all: slow, but never too slow
    sf_fetch_limits patient = limits;
    patient.slow_bytes = 1;
    patient.total_seconds = 2;
    clear(state);
    char base[128], path[SF_PATH_BYTES];
    snprintf(base, sizeof base, "%s/slow", w->base);
    const char *const mirrors[] = {base, NULL};
    assert_status(context, sf_fetch_file(context, mirrors, &file, &patient, w->target, path, &cached, NULL),
                  SF_ERR_IO);
    sf_context_destroy(&context);
}

static void test_unreachable(void **state)
{
    world *w = *state;
    sf_context *context = test_context();
    char path[SF_PATH_BYTES];
    bool cached, unreachable = false;
    const char *const refused[] = {"http://127.0.0.1:9", "http://no-such-host.invalid", NULL};
    assert_status(context,
                  sf_fetch_file(context, refused, &file, &limits, w->target, path, &cached, &unreachable),
                  SF_ERR_IO);
    assert_true(unreachable);
    const char *const missing[] = {"http://127.0.0.1:9", w->base, NULL};
    assert_status(context,
                  sf_fetch_file(context, missing, &file, &limits, w->target, path, &cached, &unreachable),
                  SF_ERR_IO);
    assert_false(unreachable); // 404 is an answer
    sf_context_destroy(&context);
}

/* Parts in the way: a link to a file of somebody's, a second name of it, a part that another run holds, several leftovers. */
static void test_leftovers(void **state)
{
    world *w = *state;
    sf_context *context = test_context();
    bool cached;
    char victim[PATH_BYTES], other[2 * PATH_BYTES];
    write_file(w->source, "victim", "mine", 4, false, victim);
    assert_int_equal(symlink(victim, w->part), 0);
    assert_ok(context, get(w, context, "whole", NULL, &cached));
    assert_int_equal(file_size(victim), 4);
    clear(state);
    assert_int_equal(link(victim, w->part), 0);
    assert_ok(context, get(w, context, "whole", NULL, &cached));
    assert_int_equal(file_size(victim), 4);
    clear(state);
    remove(victim);
    leave_part(w, HALF, false);
    int held = open(w->part, O_RDWR);
    assert_int_equal(flock(held, LOCK_EX), 0);
    assert_ok(context, get(w, context, "whole", NULL, &cached));
    assert_int_equal(file_size(w->part), HALF); // of a process that lives
    assert_int_equal(parts(w, NULL, false), 1);
    close(held);
    remove(w->path);
    snprintf(other, sizeof other, "%s/.%s.fedcba9876543210.part", w->target, file.name);
    FILE *stream = fopen(other, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(w->bytes, 1, HALF + 1, stream), HALF + 1);
    assert_int_equal(fclose(stream), 0);
    snprintf(other, sizeof other, "%s/.%s.0000000000000000.part", w->target,
             file.name); // nothing to go on with
    assert_non_null(stream = fopen(other, "wb"));
    assert_int_equal(fclose(stream), 0);
    char line[256];
    assert_ok(context, get(w, context, "whole", NULL, &cached));
    expect_file(w); // and both leftovers have gone
    last_request(w, line, sizeof line);
    assert_string_equal(line, "/whole/file.bin bytes=150001-\n");
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup(test_whole, clear),
                                       cmocka_unit_test_setup(test_redirect_and_second_mirror, clear),
                                       cmocka_unit_test_setup(test_resume, clear),
                                       cmocka_unit_test_setup(test_resume_anew, clear),
                                       cmocka_unit_test_setup(test_failures, clear),
                                       cmocka_unit_test_setup(test_cancelled, clear),
                                       cmocka_unit_test(test_requests),
                                       cmocka_unit_test_setup(test_without_end, clear),
                                       cmocka_unit_test_setup(test_unreachable, clear),
                                       cmocka_unit_test_setup(test_leftovers, clear),
                                       cmocka_unit_test(test_cache_folder)};
    return cmocka_run_group_tests(tests, open_world, close_world);
}
