/* Running gnuplot, and drawing one figure into one file. */
#include "report/plot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char *plot_path(sf_context *context, const char *directory, const char *name, const char *ending)
{
    size_t size = strlen(directory) + strlen(name) + strlen(ending) + 2;
    char *path = SF_ARRAY(context, size, char);
    if (path)
        snprintf(path, size, "%s/%s%s", directory, name, ending);
    return path;
}

sf_status plot_make_directory(sf_context *context, const char *path)
{
    struct stat info;
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode)))
        return SF_OK;
    return sf_fail(context, SF_ERR_IO, "%s: folder cannot be made: %s", path, strerror(errno));
}

/* The child: gnuplot in the folder, its messages into the file NAME.log there. */
static void become_gnuplot(const char *directory, const char *script, const char *setting, const char *log)
{
    setpgid(0, 0); // Ctrl-C on the terminal is for samflow, which ends after this figure
    if (chdir(directory) != 0 || !freopen(log, "w", stderr) || !freopen("/dev/null", "r", stdin))
        _exit(126);
    execlp("gnuplot", "gnuplot", "-e", setting, script, (char *)NULL);
    _exit(errno == ENOENT ? 127 : 126);
}

/* The last line that gnuplot said: its error, after the command it could not do. */
static void last_words(const char *path, char *text, size_t size)
{
    char line[400];
    FILE *file = fopen(path, "r");
    text[0] = '\0';
    while (file && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[strspn(line, " ")] != '\0')
            snprintf(text, size, "%s", line);
    }
    if (file)
        fclose(file);
}

/* Viewers smooth an image that is larger than its pixels, which blurs cells: says in the SVG not to. */
static sf_status keep_cells_sharp(sf_context *context, const char *directory, const char *name)
{
    static const char tag[] = "<image ", style[] = "style='image-rendering:pixelated' ";
    char *path = plot_path(context, directory, name, ".svg"),
         *part = plot_path(context, directory, name, ".part");
    FILE *in = path && part ? fopen(path, "rb") : NULL, *out = in ? fopen(part, "wb") : NULL;
    sf_status status = !path || !part ? SF_ERR_MEMORY : SF_OK;
    size_t matched = 0;
    for (int c; out && (c = getc(in)) != EOF;) {
        putc(c, out);
        matched = c == tag[matched] ? matched + 1 : c == tag[0];
        if (tag[matched] == '\0') {
            fputs(style, out);
            matched = 0;
        }
    }
    bool written = out && !ferror(in) && !ferror(out);
    if (in)
        fclose(in);
    if (out)
        written = fclose(out) == 0 && written;
    if (status == SF_OK && (!written || rename(part, path) != 0))
        status = sf_fail(context, SF_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    sf_free(context, path);
    sf_free(context, part);
    return status;
}

sf_status plot_run(sf_context *context, const char *directory, const char *name, const char *ending)
{
    char setting[32], said[512];
    snprintf(setting, sizeof setting, "ending='%s'", ending);
    char *script = plot_path(context, ".", name, ".gp"), *log = plot_path(context, ".", name, ".log");
    char *log_here = plot_path(context, directory, name, ".log");
    sf_status status = SF_ERR_MEMORY;
    if (script && log && log_here) {
        pid_t child = fork();
        if (child == 0)
            become_gnuplot(directory, script, setting, log);
        int result = 0;
        bool waited = child > 0;
        while (waited && waitpid(child, &result, 0) < 0)
            waited = errno == EINTR;
        last_words(log_here, said, sizeof said);
        remove(log_here);
        if (!waited)
            status = sf_fail(context, SF_ERR_IO, "gnuplot could not be started: %s", strerror(errno));
        else if (WIFEXITED(result) && WEXITSTATUS(result) == 0)
            status = SF_OK;
        else if (WIFEXITED(result) && WEXITSTATUS(result) == 127)
            status =
                sf_fail(context, SF_ERR_UNAVAILABLE, "gnuplot was not found; install it to draw figures");
        else
            status = sf_fail(context, SF_ERR_IO, "gnuplot failed on %s/%s.gp: %s", directory, name, said);
    }
    if (status == SF_OK && strcmp(ending, "svg") == 0)
        status = keep_cells_sharp(context, directory, name);
    sf_free(context, script);
    sf_free(context, log);
    sf_free(context, log_here);
    return status;
}

/* ---- one figure -----------------------------------------------------------------------------------------
 */

/* Moves directory/NAME.ending over path. */
static sf_status move(sf_context *context, const char *directory, const char *name, const char *ending,
                      const char *path)
{
    char *from = plot_path(context, directory, name, ending);
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
static sf_status draw_in(sf_context *context, const sf_figure *figure, const char *folder, const char *path,
                         bool keep)
{
    const char *name = sf_figure_name(figure), *ending = path + strlen(path) - 3;
    SF_TRY(plot_write(context, figure, folder));
    SF_TRY(plot_run(context, folder, name, ending));
    SF_TRY(move(context, folder, name, ending - 1, path));
    static const char *const sources[] = {".gp", ".dat"};
    for (size_t i = 0; i < 2 && keep; i++) {
        char *target = beside(context, path, name, sources[i]);
        if (!target)
            return SF_ERR_MEMORY;
        sf_status status = move(context, folder, name, sources[i], target);
        sf_free(context, target);
        SF_TRY(status);
    }
    return SF_OK;
}

sf_status sf_draw(sf_context *context, const sf_figure *figure, const char *path, bool keep)
{
    size_t length = strlen(path);
    const char *ending = length > 4 ? path + length - 4 : "";
    if (strcmp(ending, ".svg") != 0 && strcmp(ending, ".png") != 0 && strcmp(ending, ".pdf") != 0)
        return sf_fail(context, SF_ERR_USAGE, "%s: a figure ends in .svg, .png or .pdf", path);
    SF_TRY(sf_figure_status(figure));
    const char *slash = strrchr(path, '/');
    char *folder = SF_ARRAY(context, length + 32, char);
    if (!folder)
        return SF_ERR_MEMORY;
    snprintf(folder, length + 32, "%.*s.samflow-plot-XXXXXX", slash ? (int)(slash - path) + 1 : 0, path);
    sf_status status;
    if (!mkdtemp(folder)) {
        status = sf_fail(context, SF_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    } else {
        status = draw_in(context, figure, folder, path, keep);
        static const char *const leftovers[] = {".gp", ".dat", ".svg", ".png", ".pdf"};
        for (size_t i = 0; i < 5; i++) {
            char *file = plot_path(context, folder, sf_figure_name(figure), leftovers[i]);
            if (file)
                remove(file);
            sf_free(context, file);
        }
        rmdir(folder);
    }
    sf_free(context, folder);
    return status;
}
