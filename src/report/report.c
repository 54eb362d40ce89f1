/* A reproduction as files: figures, tables, and the page that holds them together. The page is written last,
 * and appears under its name only when complete. */
#include "report/html.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* ---- tables ------------------------------------------------------------------------------------------ */

static void csv_text(FILE *file, const char *s)
{
    if (!strpbrk(s, ",\"\n")) {
        fputs(s, file);
        return;
    }
    putc('"', file);
    for (; *s; s++) {
        if (*s == '"')
            putc('"', file);
        putc(*s, file);
    }
    putc('"', file);
}

static void csv_write(FILE *file, const sf_table *table)
{
    size_t columns = sf_table_columns(table);
    for (size_t c = 0; c < columns; c++) {
        csv_text(file, sf_table_heading(table, c));
        putc(c + 1 < columns ? ',' : '\n', file);
    }
    for (size_t r = 0; r < sf_table_rows(table); r++)
        for (size_t c = 0; c < columns; c++) {
            double value;
            const char *cell = sf_table_cell(table, r, c, &value);
            if (cell)
                csv_text(file, cell);
            else if (!isnan(value))
                fprintf(file, "%.17g", value);
            putc(c + 1 < columns ? ',' : '\n', file);
        }
}

/* ---- files ------------------------------------------------------------------------------------------- */

/* Closes a file written under `working` and gives it its name. */
static sf_status finish(sf_context *context, FILE *file, const char *working, const char *path,
                        sf_status status)
{
    bool failed = ferror(file) != 0;
    failed |= fclose(file) != 0;
    if (status == SF_OK && (failed || rename(working, path) != 0))
        status = sf_fail(context, SF_ERR_IO, "%s: cannot be written: %s", path, strerror(errno));
    if (status != SF_OK)
        remove(working);
    return status;
}

static sf_status write_table(sf_context *context, const sf_table *table, const char *directory)
{
    char *path = sf_plot_path(context, directory, sf_table_name(table), ".csv");
    char *working = sf_plot_path(context, directory, sf_table_name(table), ".csv.part");
    sf_status status = SF_ERR_MEMORY;
    if (path && working) {
        FILE *file = fopen(working, "w");
        if (file) {
            csv_write(file, table);
            status = finish(context, file, working, path, SF_OK);
        } else {
            status = sf_fail(context, SF_ERR_IO, "%s: cannot be created: %s", working, strerror(errno));
        }
    }
    sf_free(context, path);
    sf_free(context, working);
    return status;
}

static void remove_sources(sf_context *context, const sf_figure *figure, const char *plots)
{
    static const char *const endings[] = {".gp", ".dat"};
    for (size_t i = 0; i < 2; i++) {
        char *path = sf_plot_path(context, plots, sf_figure_name(figure), endings[i]);
        if (path)
            remove(path);
        sf_free(context, path);
    }
}

/* Draws in plots/, moves the drawings to figures/. */
static sf_status draw(sf_context *context, const sf_figure *figure, const char *plots, const char *figures)
{
    static const char *const endings[] = {"svg", "png"};
    SF_TRY(sf_plot_write(context, figure, &(sf_look){0}, plots));
    for (size_t i = 0; i < 2; i++) {
        char ending[8];
        SF_TRY(sf_plot_with_gnuplot(context, plots, sf_figure_name(figure), endings[i]));
        snprintf(ending, sizeof ending, ".%s", endings[i]);
        char *from = sf_plot_path(context, plots, sf_figure_name(figure), ending);
        char *to = sf_plot_path(context, figures, sf_figure_name(figure), ending);
        sf_status status = SF_ERR_MEMORY;
        if (from && to)
            status = rename(from, to) == 0
                         ? SF_OK
                         : sf_fail(context, SF_ERR_IO, "%s: cannot be written: %s", to, strerror(errno));
        sf_free(context, from);
        sf_free(context, to);
        SF_TRY(status);
    }
    return SF_OK;
}

typedef struct folders {
    char *figures, *tables, *plots;
} folders;

static sf_status make_folders(sf_context *context, const char *directory, folders *f)
{
    f->figures = sf_plot_path(context, directory, "figures", "");
    f->tables = sf_plot_path(context, directory, "tables", "");
    f->plots = sf_plot_path(context, directory, "plots", "");
    if (!f->figures || !f->tables || !f->plots)
        return SF_ERR_MEMORY;
    SF_TRY(sf_plot_make_directory(context, directory));
    SF_TRY(sf_plot_make_directory(context, f->figures));
    SF_TRY(sf_plot_make_directory(context, f->tables));
    return sf_plot_make_directory(context, f->plots);
}

/* *drawn counts the figures that are there in the end. */
static sf_status draw_all(sf_context *context, const sf_reproduction *reproduction, const folders *f,
                          bool keep, size_t *drawn)
{
    *drawn = 0;
    size_t count = sf_reproduction_count(reproduction);
    for (size_t i = 0; i < count; i++) {
        const sf_outcome *outcome = sf_reproduction_outcome(reproduction, i);
        for (size_t k = 0; k < sf_outcome_figures(outcome); k++) {
            const sf_figure *figure = sf_outcome_figure(outcome, k);
            if (sf_cancelled(context))
                return sf_fail(context, SF_ERR_CANCELLED, "interrupted while drawing");
            sf_progress(context, (double)i / (double)count, sf_figure_name(figure));
            sf_status status = draw(context, figure, f->plots, f->figures);
            if (!keep)
                remove_sources(context, figure, f->plots);
            SF_TRY(status);
            ++*drawn;
        }
    }
    sf_progress(context, 1.0, NULL);
    return SF_OK;
}

static sf_status write_tables(sf_context *context, const sf_reproduction *reproduction, const folders *f)
{
    for (size_t i = 0; i < sf_reproduction_count(reproduction); i++) {
        const sf_outcome *outcome = sf_reproduction_outcome(reproduction, i);
        for (size_t k = 0; k < sf_outcome_tables(outcome); k++)
            SF_TRY(write_table(context, sf_outcome_table(outcome, k), f->tables));
    }
    return SF_OK;
}

static sf_status write_page(sf_context *context, const sf_reproduction *reproduction, const char *directory,
                            const char *figures, size_t drawn)
{
    char *path = sf_plot_path(context, directory, "index", ".html");
    char *working = sf_plot_path(context, directory, "index", ".html.part");
    sf_status status = SF_ERR_MEMORY;
    if (path && working) {
        FILE *file = fopen(working, "w");
        if (file)
            status = finish(context, file, working, path,
                            sf_html_write(context, reproduction, figures, drawn, file));
        else
            status = sf_fail(context, SF_ERR_IO, "%s: cannot be created: %s", working, strerror(errno));
    }
    sf_free(context, path);
    sf_free(context, working);
    return status;
}

sf_status sf_report_prepare(sf_context *context, const char *directory)
{
    folders f = {0};
    sf_status status = make_folders(context, directory, &f);
    if (f.plots)
        rmdir(f.plots); // stays if it holds kept scripts
    sf_free(context, f.figures);
    sf_free(context, f.tables);
    sf_free(context, f.plots);
    return status;
}

sf_status sf_report_write(sf_context *context, const sf_reproduction *reproduction,
                          const sf_report_options *options, bool *drawn)
{
    folders f = {0};
    bool have_gnuplot = true;
    size_t count = 0;
    sf_status status = make_folders(context, options->directory, &f);
    if (status == SF_OK)
        status = write_tables(context, reproduction, &f);
    if (status == SF_OK)
        status = draw_all(context, reproduction, &f, options->keep_plots, &count);
    if (status == SF_ERR_UNAVAILABLE) {
        have_gnuplot = false;
        status = SF_OK;
    }
    if (status == SF_OK || status == SF_ERR_CANCELLED) {
        sf_status written =
            write_page(context, reproduction, options->directory, have_gnuplot ? f.figures : NULL, count);
        status = written == SF_OK ? status : written;
    }
    if (f.plots)
        rmdir(f.plots); // stays if it holds kept scripts
    if (drawn)
        *drawn = have_gnuplot;
    sf_free(context, f.figures);
    sf_free(context, f.tables);
    sf_free(context, f.plots);
    return status;
}
