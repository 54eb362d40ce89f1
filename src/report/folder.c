#include "report/plot.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

char *sf_plot_path(sf_context *context, const char *directory, const char *name, const char *ending)
{
    size_t size = strlen(directory) + strlen(name) + strlen(ending) + 2;
    char *path = SF_ARRAY(context, size, char);
    if (path)
        snprintf(path, size, "%s/%s%s", directory, name, ending);
    return path;
}

sf_status sf_plot_make_directory(sf_context *context, const char *path)
{
    struct stat info;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode)))
        return SF_OK;
    return sf_fail(context, SF_ERR_IO, "%s: folder cannot be made: %s", path, strerror(errno));
}
