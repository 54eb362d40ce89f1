/* Drawing one figure into one file. */
#include "report/plot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Moves directory/NAME.ending over path. */
static sf_status move(sf_context *context, const char *directory, const char *name, const char *ending,
                      const char *path)
{
    char *from = sf_plot_path(context, directory, name, ending);
    if (!from)
        return SF_ERR_MEMORY;
    sf_status status = SF_OK;
    if (rename(from, path) != 0)
        status = sf_fail(context, SF_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    sf_free(context, from);
    return status;
}

/* The file NAME.ending in the folder of path. */
static char *beside(sf_context *context, const char *path, const char *name, const char *ending)
{
    const char *slash = strrchr(path, '/');
    size_t folder = slash ? (size_t)(slash - path) + 1 : 0, size = folder + strlen(name) + strlen(ending) + 1;
    char *other = SF_ARRAY(context, size, char);
    if (other)
        snprintf(other, size, "%.*s%s%s", (int)folder, path, name, ending);
    return other;
}

/* In a working folder beside the result, so that moving it is one rename. */
static sf_status draw_in(sf_context *context, const sf_figure *figure, const sf_look *look,
                         const char *folder, const char *path, bool keep)
{
    const char *name = sf_figure_name(figure), *ending = path + strlen(path) - 3;
    SF_TRY(sf_plot_write(context, figure, look, folder));
    SF_TRY(sf_plot_with_gnuplot(context, folder, name, ending));
    static const char *const companions[] = {".pdf", ".gp", ".dat"}; // .pdf: what a .tex includes
    for (size_t i = strcmp(ending, "tex") == 0 ? 0 : 1; i < (keep ? 3 : 1); i++) {
        char *target = beside(context, path, name, companions[i]);
        if (!target)
            return SF_ERR_MEMORY;
        sf_status status = move(context, folder, name, companions[i], target);
        sf_free(context, target);
        SF_TRY(status);
    }
    return move(context, folder, name, ending - 1, path);
}

sf_status sf_draw(sf_context *context, const sf_figure *figure, const char *path, const sf_look *look,
                  bool keep)
{
    static const sf_look as_described = {0};
    size_t length = strlen(path);
    const char *ending = length > 4 ? path + length - 4 : "";
    if (strcmp(ending, ".svg") != 0 && strcmp(ending, ".png") != 0 && strcmp(ending, ".pdf") != 0 &&
        strcmp(ending, ".tex") != 0)
        return sf_fail(context, SF_ERR_USAGE, "%s: a figure ends in .svg, .png, .pdf or .tex", path);
    SF_TRY(sf_figure_status(figure));
    look = look ? look : &as_described;
    SF_TRY(sf_look_check(context, figure, look));
    const char *slash = strrchr(path, '/');
    char *folder = SF_ARRAY(context, length + 32, char);
    if (!folder)
        return SF_ERR_MEMORY;
    snprintf(folder, length + 32, "%.*s.samflow-plot-XXXXXX", slash ? (int)(slash - path) + 1 : 0, path);
    sf_status status;
    if (!mkdtemp(folder)) {
        status = sf_fail(context, SF_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    } else {
        status = draw_in(context, figure, look, folder, path, keep);
        static const char *const leftovers[] = {".gp", ".dat", ".svg", ".png", ".pdf", ".tex"};
        for (size_t i = 0; i < 6; i++) {
            char *file = sf_plot_path(context, folder, sf_figure_name(figure), leftovers[i]);
            if (file)
                remove(file);
            sf_free(context, file);
        }
        rmdir(folder);
    }
    sf_free(context, folder);
    return status;
}
