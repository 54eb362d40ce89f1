/* Running gnuplot. */
#include "report/plot.h"

#include <errno.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

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
    char *path = sf_plot_path(context, directory, name, ".svg"),
         *part = sf_plot_path(context, directory, name, ".part");
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

sf_status sf_plot_with_gnuplot(sf_context *context, const char *directory, const char *name,
                               const char *ending)
{
    char setting[32], said[512];
    snprintf(setting, sizeof setting, "ending='%s'", ending);
    char *script = sf_plot_path(context, ".", name, ".gp"), *log = sf_plot_path(context, ".", name, ".log");
    char *log_here = sf_plot_path(context, directory, name, ".log");
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
