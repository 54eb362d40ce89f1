#include "cli/plot_sweep.h"

#include <stdio.h>

enum { MOST_LINES = 12 };

/* The figure's map, and what of it is printed. */
typedef struct map_report {
    sf_cli *cli;
    const sf_plot_sweep *options;
    const sf_plot_map *map;
    sf_map_comparison theory;
} map_report;

static bool write_csv(const void *subject, FILE *stream)
{
    const map_report *r = subject;
    const char *heads[] = {r->options->map.x, r->options->map.y, r->options->map.color, r->theory.column};
    for (size_t i = 0; i < 4; i++) {
        sf_cli_csv_text(stream, heads[i]);
        fputc(i < 3 ? ',' : '\n', stream);
    }
    sf_map_difference cell;
    for (size_t at = 0; sf_plot_map_next(r->map, &at, &cell);)
        fprintf(stream, "%.17g,%.17g,%s,%s\n", cell.x, cell.y, cell.measured, cell.predicted);
    return !ferror(stream);
}

static void print_json(const map_report *r)
{
    sf_json json = sf_json_make(stdout, true);
    sf_map_difference cell;
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_string(&json, "figure", r->cli->output);
    sf_json_integer(&json, "cells", (int64_t)r->theory.cells);
    sf_json_integer(&json, "compared", (int64_t)r->theory.compared);
    sf_json_integer(&json, "differing", (int64_t)r->theory.differing);
    sf_json_open_array(&json, "differences");
    for (size_t at = 0; sf_plot_map_next(r->map, &at, &cell);) {
        sf_json_open_object(&json, NULL);
        sf_json_number(&json, r->options->map.x, cell.x);
        sf_json_number(&json, r->options->map.y, cell.y);
        sf_json_string(&json, r->options->map.color, cell.measured);
        sf_json_string(&json, r->theory.column, cell.predicted);
        sf_json_close_object(&json);
    }
    sf_json_close_array(&json);
    sf_json_close_object(&json);
    sf_json_finish(&json);
}

static void print_lines(const map_report *r)
{
    if (!r->theory.column || r->cli->quiet)
        return;
    const sf_map_options *options = &r->options->map;
    if (r->theory.compared == 0) {
        sf_cli_print(stderr, "samflow: theory has no %s for these settings; nothing to compare\n",
                     options->color);
        return;
    }
    fprintf(stderr, "samflow: %zu of %zu cells differ from theory\n", r->theory.differing,
            r->theory.compared);
    sf_map_difference cell;
    size_t at = 0;
    for (size_t lines = 0; lines < MOST_LINES && sf_plot_map_next(r->map, &at, &cell); lines++)
        sf_cli_print(stderr, "  %s = %-12g %s = %-12g measured %s, theory %s\n", options->x, cell.x,
                     options->y, cell.y, cell.measured, cell.predicted);
    if (r->theory.differing > MOST_LINES)
        fprintf(stderr, "  and %zu more; --differences FILE.csv writes all\n",
                r->theory.differing - MOST_LINES);
}

static int report(const map_report *r)
{
    if (r->options->differences && !r->theory.column)
        return sf_cli_usage(r->cli,
                            "--differences needs --color regime or limit_kind, theory does not tell '%s'",
                            r->options->map.color);
    if (r->cli->json)
        print_json(r);
    else
        print_lines(r);
    return r->options->differences ? sf_cli_write_file(r->cli, r->options->differences, write_csv, r) : 0;
}

int sf_cli_plot_sweep(sf_cli *cli, const sf_plot_sweep *options, sf_figure *figure)
{
    if (!options->map.x || !options->map.y || !options->map.color)
        return sf_cli_usage(cli, "a sweep needs --x, --y and --color, each the name of a column");
    sf_store *store = NULL;
    sf_plot_map *map = NULL;
    sf_status status = sf_store_open(cli->context, cli->file, &store);
    if (status == SF_OK)
        status = sf_plot_map_create(cli->context, store, &options->map, &map);
    if (status == SF_OK)
        status = sf_plot_map_draw(map, figure);
    int code = status == SF_OK          ? 0
               : status == SF_ERR_USAGE ? sf_cli_usage(cli, "%s", sf_context_message(cli->context))
                                        : sf_cli_fail(cli, status);
    if (code == 0)
        code = report(&(map_report){cli, options, map, sf_plot_map_compare(map)});
    sf_plot_map_destroy(&map);
    sf_store_close(&store);
    return code;
}
