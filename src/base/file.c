/* Files that appear under their name only when complete: written in a folder that nobody else could make or enter (mkdtemp, beside
 * the target, so that the name can change hands by rename), flushed, renamed, and the folder that holds the name flushed too. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Onto the disk: a file before its name changes, a folder after. */
static sf_status flush(sf_context *context, const char *path)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    bool flushed =
        file >= 0 && (fsync(file) == 0 || errno == EINVAL); // EINVAL: a file system that cannot flush folders
    int reason = errno;
    if (file >= 0)
        close(file);
    return flushed ? SF_OK : sf_fail(context, SF_ERR_IO, "could not be flushed: %s", strerror(reason));
}

/* The folder of path; released by the caller. */
static char *folder_of(sf_context *context, const char *path)
{
    size_t size = strlen(path) + 2;
    char *folder = sf_alloc(context, size, 1);
    if (!folder)
        return NULL;
    memcpy(folder, path, size - 1);
    char *slash = strrchr(folder, '/');
    if (!slash)
        memcpy(folder, ".", 2);
    else
        slash[slash == folder] = '\0';
    return folder;
}

/* Writes `inside`, which lies in the private folder, and gives it its name. */
static sf_status write_and_rename(sf_context *context, const char *inside, const char *path,
                                  const char *folder, sf_write_fn write, void *subject)
{
    sf_status status = write(inside, subject);
    if (status == SF_OK)
        status = flush(context, inside);
    if (status == SF_OK && rename(inside, path) != 0)
        status = sf_fail(context, SF_ERR_IO, "could not be renamed from '%s': %s", inside, strerror(errno));
    if (status != SF_OK)
        unlink(inside);
    return status == SF_OK ? flush(context, folder) : status;
}

sf_status sf_write_whole(sf_context *context, const char *path, sf_write_fn write, void *subject)
{
    static const char ending[] = ".XXXXXX", name[] = "/whole";
    size_t length = strlen(path);
    char *folder = folder_of(context, path);
    char *own = sf_alloc(context, length + sizeof ending, 1);
    char *inside = sf_alloc(context, length + sizeof ending + sizeof name, 1);
    sf_status status = folder && own && inside ? SF_OK : SF_ERR_MEMORY;
    if (status == SF_OK) {
        snprintf(own, length + sizeof ending, "%s%s", path, ending);
        if (!mkdtemp(own)) {
            status = sf_fail(context, SF_ERR_IO, "a folder beside it could not be made: %s", strerror(errno));
        } else {
            snprintf(inside, length + sizeof ending + sizeof name, "%s%s", own, name);
            status = write_and_rename(context, inside, path, folder, write, subject);
            rmdir(own);
        }
        if (status != SF_OK)
            status = sf_fail_within(context, status, "output '%s'", path);
    }
    sf_free(context, folder);
    sf_free(context, own);
    sf_free(context, inside);
    return status;
}

sf_status sf_check_writable(sf_context *context, const char *path)
{
    char *folder = folder_of(context, path);
    if (!folder)
        return SF_ERR_MEMORY;
    struct stat info;
    sf_status status = SF_OK;
    if (stat(folder, &info) != 0 || !S_ISDIR(info.st_mode))
        status = sf_fail(context, SF_ERR_USAGE,
                         "output '%s': folder '%s' does not exist, expected one to write in", path, folder);
    else if (access(folder, W_OK | X_OK) != 0)
        status = sf_fail(context, SF_ERR_IO, "output '%s': folder '%s' is not writable: %s", path, folder,
                         strerror(errno));
    else if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        status =
            sf_fail(context, SF_ERR_USAGE, "output '%s': is not a regular file, expected a file name", path);
    sf_free(context, folder);
    return status;
}
