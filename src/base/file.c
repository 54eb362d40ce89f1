/* Files that appear under their name only when complete. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Onto the disk, before the name changes. */
static sf_status flush_file(sf_context *context, const char *path)
{
    int file = open(path, O_RDONLY);
    bool flushed = file >= 0 && fsync(file) == 0;
    int reason = errno;
    if (file >= 0)
        close(file);
    return flushed ? SF_OK : sf_fail(context, SF_ERR_IO, "could not be flushed: %s", strerror(reason));
}

sf_status sf_write_whole(sf_context *context, const char *path, sf_write_fn write, void *subject)
{
    size_t size = strlen(path) + 32;
    char *temporary = sf_alloc(context, size, 1);
    if (!temporary)
        return SF_ERR_MEMORY;
    snprintf(temporary, size, "%s.%ld.tmp", path, (long)getpid());
    sf_status status = write(temporary, subject);
    if (status == SF_OK)
        status = flush_file(context, temporary);
    if (status == SF_OK && rename(temporary, path) != 0)
        status =
            sf_fail(context, SF_ERR_IO, "could not be renamed from '%s': %s", temporary, strerror(errno));
    if (status != SF_OK)
        unlink(temporary);
    sf_free(context, temporary);
    return status == SF_OK ? SF_OK : sf_fail_within(context, status, "output '%s'", path);
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
