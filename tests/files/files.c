#include "files.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

int make_folder(void **state)
{
    const char *base = getenv("TMPDIR");
    char *path = malloc(PATH_BYTES);
    if (!path)
        return 1;
    snprintf(path, PATH_BYTES, "%s/samflow-test-XXXXXX", base && strlen(base) < 200 ? base : "/tmp");
    *state = path;
    return mkdtemp(path) == NULL;
}

int remove_folder(void **state)
{
    char *folder = *state, path[2 * PATH_BYTES];
    DIR *directory = opendir(folder);
    if (directory) {
        for (struct dirent *entry; (entry = readdir(directory));) {
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
            if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
                remove(path);
        }
        closedir(directory);
    }
    int failed = rmdir(folder);
    free(folder);
    return failed;
}

void write_file(const char *folder, const char *name, const void *bytes, size_t count, bool gz,
                char path[PATH_BYTES])
{
    assert_true(snprintf(path, PATH_BYTES, "%s/%s", folder, name) < PATH_BYTES);
    if (gz) {
        gzFile file = gzopen(path, "wb");
        assert_non_null(file);
        assert_int_equal(gzwrite(file, bytes, (unsigned)count), (int)count);
        assert_int_equal(gzclose(file), Z_OK);
        return;
    }
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

void cut_file(const char *path, size_t count)
{
    assert_int_equal(truncate(path, (off_t)count), 0);
}

size_t file_size(const char *path)
{
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    return (size_t)about.st_size;
}

const char *real_data(char path[PATH_BYTES])
{
    const char *given = getenv("SAMFLOW_DATA");
    snprintf(path, PATH_BYTES, "%s", given ? given : SOURCE_FOLDER "/../shared/data");
    return access(path, R_OK) == 0 ? path : NULL;
}
