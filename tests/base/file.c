/* Files that appear when complete: what others see meanwhile, and what is left behind. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support.h"

typedef struct writing {
    char folder[256]; // of the target
    bool fails;
    mode_t mode;  // of the folder that holds the unfinished file
    bool beside;  // that folder is not the target's own
    bool unnamed; // the target does not exist yet
    char seen[512];
} writing;

static bool exists(const char *folder, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return access(path, F_OK) == 0;
}

static sf_status write_number(const char *path, void *subject)
{
    writing *w = subject;
    struct stat info;
    snprintf(w->seen, sizeof w->seen, "%s", path);
    *strrchr(w->seen, '/') = '\0';
    assert_int_equal(stat(w->seen, &info), 0);
    w->mode = info.st_mode & 0777;
    w->beside = strcmp(w->seen, w->folder) != 0;
    w->unnamed = !exists(w->folder, "x.json");
    FILE *file = fopen(path, "wx"); // nothing may be there, not even a link
    assert_non_null(file);
    fputs("42", file);
    fclose(file);
    return w->fails ? SF_ERR_IO : SF_OK;
}

static size_t entries(const char *folder)
{
    size_t count = 0;
    DIR *stream = opendir(folder);
    assert_non_null(stream);
    for (struct dirent *entry; (entry = readdir(stream));)
        count += entry->d_name[0] != '.';
    closedir(stream);
    return count;
}

static void test_unfinished_files_are_private(void **state)
{
    (void)state;
    for (int fails = 0; fails < 2; fails++) {
        writing w = {.folder = "/tmp/samflow-file-XXXXXX", .fails = fails};
        assert_non_null(mkdtemp(w.folder));
        char path[512];
        snprintf(path, sizeof path, "%s/x.json", w.folder);
        sf_context *context = test_context();
        assert_int_equal(sf_write_whole(context, path, write_number, &w), fails ? SF_ERR_IO : SF_OK);
        assert_int_equal(w.mode, 0700);
        assert_true(w.beside && w.unnamed);
        assert_int_equal(entries(w.folder), fails ? 0 : 1); // the file, or nothing
        assert_int_equal(exists(w.folder, "x.json"), !fails);
        unlink(path);
        assert_int_equal(rmdir(w.folder), 0);
        sf_context_destroy(&context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_unfinished_files_are_private)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
