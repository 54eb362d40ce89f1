/* Runs a harness on files, or on all files of folders, named on the command line: those that a fuzzer found stay mended. */
#include <dirent.h>
#include <sys/stat.h>

#include "fuzz.h"

static int files;

static void replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    fuzz_require(file, path);
    size_t room = 1 << 22, size;
    uint8_t *data = malloc(room);
    fuzz_require(data, "memory");
    size = fread(data, 1, room, file);
    fclose(file);
    uint8_t *exact = malloc(size + !size); // so that a sanitizer sees its end
    fuzz_require(exact, "memory");
    memcpy(exact, data, size);
    free(data);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
    files++;
}

static void replay_folder(const char *path)
{
    DIR *folder = opendir(path);
    if (!folder)
        return; // nothing was found yet
    char name[4096];
    for (struct dirent *entry; (entry = readdir(folder));) {
        snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        if (entry->d_name[0] != '.')
            replay_file(name);
    }
    closedir(folder);
}

int main(int argc, char **argv)
{
    struct stat about;
    for (int i = 1; i < argc; i++)
        if (stat(argv[i], &about) == 0 && S_ISREG(about.st_mode))
            replay_file(argv[i]);
        else
            replay_folder(argv[i]);
    printf("%d files\n", files);
    return files > 0 ? 0 : 1;
}
