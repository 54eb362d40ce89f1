/* Downloads, from a server of our own: whole, interrupted and continued, with and without ranges, damaged, missing. */
#include "files.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "files/catalogue.h"

/* What is served: 300,000 bytes, byte i is i mod 251; SHA-256 by Python's hashlib. */
enum { SERVED = 300000, HALF = SERVED / 2 };
static const sf_catalogue_file file = {"file.bin", "test",
                                       "3c65ea93424a9c362fec0e3a69ea36031e8a358441479dd665cc6110eabe7b08"};

typedef struct world {
    char *source, *target; // folders: what is served, where it goes
    char base[64];         // http://127.0.0.1:PORT
    char path[PATH_BYTES], part[PATH_BYTES + 8];
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
    snprintf(w->part, sizeof w->part, "%s.part", w->path);
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

/* Each test starts without files. */
static int clear(void **state)
{
    world *w = *state;
    remove(w->path);
    remove(w->part);
    return 0;
}

static sf_status get(world *w, sf_context *context, const char *first, const char *second, bool *cached)
{
    char one[128], two[128] = "", path[SF_PATH_BYTES];
    snprintf(one, sizeof one, "%s/%s", w->base, first);
    if (second)
        snprintf(two, sizeof two, "%s/%s/", w->base, second);
    const char *const mirrors[] = {one, second ? two : NULL, NULL};
    sf_status status = sf_fetch_file(context, mirrors, &file, w->target, path, cached);
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
    assert_int_equal(access(w->part, F_OK), -1);
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
    assert_int_equal(file_size(w->part), HALF);
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
    assert_int_equal(access(w->part, F_OK), -1);
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
    volatile int flag = 1;
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
    for (size_t i = 0; sf_fetch_name(i); i++)
        for (int k = 0; k < SF_CATALOGUE_FILES; k++)
            assert_int_equal(strspn(sf_catalogue_find(sf_fetch_name(i))->file[k].sha256, "0123456789abcdef"),
                             64);
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

/* The real test files of MNIST, from the folder beside the repository, through the whole of sf_fetch. */
static void count_files(const sf_fetched *fetched, void *user)
{
    (*(int *)user)++;
    assert_int_equal(access(fetched->path, R_OK), 0);
}

static void test_mnist(void **state)
{
    world *w = *state;
    char data[PATH_BYTES], mirror[2 * PATH_BYTES], probe[2 * PATH_BYTES];
    snprintf(probe, sizeof probe, "%s/mnist/t10k-images-idx3-ubyte.gz", real_data(data) ? data : "");
    if (data[0] != '/' || access(probe, R_OK) != 0) {
        print_message("skipped: mnist is neither in $SAMFLOW_DATA nor in ../shared/data\n");
        skip();
    }
    assert_true(snprintf(mirror, sizeof mirror, "file://%s/mnist", data) < (int)sizeof mirror);
    sf_context *context = test_context();
    int count = 0;
    const sf_fetch_request request = {.name = "mnist",
                                      .part = "test",
                                      .directory = w->target,
                                      .mirror = mirror,
                                      .fetched = count_files,
                                      .user = &count};
    assert_ok(context, sf_fetch(context, &request));
    assert_int_equal(count, 2);
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
                                       cmocka_unit_test(test_mnist),
                                       cmocka_unit_test(test_cache_folder)};
    return cmocka_run_group_tests(tests, open_world, close_world);
}
