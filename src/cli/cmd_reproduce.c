/* samflow reproduce: every claim of the paper, predicted, measured, judged; the report as a folder. */
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <samflow/report.h>

static const char *const needs_text[] = {"", "mnist", "golub"};

static int list_claims(const sf_cli *cli)
{
    if (!cli->json) {
        const char *group = "";
        for (size_t i = 0; i < sf_claim_count(); i++) {
            const sf_claim *claim = sf_claim_get(i);
            if (strcmp(group, claim->group) != 0)
                printf("%s%s\n", i ? "\n" : "", group = claim->group);
            printf("  %-16s %s%s%s%s\n", claim->id, claim->title, claim->needs ? " [data: " : "",
                   needs_text[claim->needs], claim->needs ? "]" : "");
        }
        return 0;
    }
    sf_json json = sf_json_make(stdout, true);
    sf_json_open_array(&json, NULL);
    for (size_t i = 0; i < sf_claim_count(); i++) {
        const sf_claim *claim = sf_claim_get(i);
        sf_json_open_object(&json, NULL);
        sf_json_string(&json, "id", claim->id);
        sf_json_string(&json, "group", claim->group);
        sf_json_string(&json, "title", claim->title);
        sf_json_string(&json, "statement", claim->statement);
        sf_json_string(&json, "source", claim->source);
        sf_json_string(&json, "needs", claim->needs ? needs_text[claim->needs] : NULL);
        sf_json_close_object(&json);
    }
    sf_json_close_array(&json);
    return sf_json_finish(&json) ? 0 : 1;
}

/* ---- the table ----------------------------------------------------------------------------------- */

/* Prints text in a column of `width` characters of UTF-8 (cut if longer), and a space. */
static void cell(const char *text, int width)
{
    int used = 0;
    for (const char *c = text; *c; c++) {
        if (((unsigned char)*c & 0xC0U) != 0x80U && ++used > width)
            break;
        putchar(*c);
    }
    for (; used < width; used++)
        putchar(' ');
    putchar(' ');
}

static void print_check(const char *label, const sf_check *check, const char *verdict)
{
    char predicted[96], measured[32];
    sf_check_describe(check, predicted, sizeof predicted);
    sf_check_value(check, check->measured, measured, sizeof measured);
    cell(label, 18);
    cell(predicted, 28);
    cell(measured, 14);
    printf("%s\n", verdict);
}

/* all: every check on a line of its own, else those that fail. */
static void print_outcome(const sf_outcome *outcome, bool all)
{
    const sf_check *checks;
    size_t count = sf_outcome_checks(outcome, &checks), passed = 0;
    for (size_t i = 0; i < count; i++)
        passed += sf_check_passes(&checks[i]);
    const char *id = sf_outcome_claim(outcome)->id, *name = sf_verdict_name(sf_outcome_verdict(outcome));
    const sf_check *shown = checks; // the first that fails, else the first
    for (size_t i = count; i-- > 0;)
        if (!sf_check_passes(&checks[i]))
            shown = &checks[i];
    char verdict[320];
    if (count) {
        snprintf(verdict, sizeof verdict, "%s (%zu of %zu): %s", name, passed, count, shown->what);
        print_check(id, shown, verdict);
    } else
        printf("%-18s %-28s %-14s %s\n", id, "-", "-", name);
    if (sf_outcome_reason(outcome))
        printf("    %s\n", sf_outcome_reason(outcome));
    for (size_t i = 0; i < count; i++) {
        bool passes = sf_check_passes(&checks[i]);
        char predicted[96], measured[32];
        sf_check_describe(&checks[i], predicted, sizeof predicted);
        sf_check_value(&checks[i], checks[i].measured, measured, sizeof measured);
        if (all || !passes)
            printf("    %s: %s: predicted %s, measured %s\n", passes ? "holds" : "fails", checks[i].what,
                   predicted, measured);
    }
}

static void print_table(const sf_reproduction *reproduction)
{
    printf("%-18s %-28s %-14s %s\n", "claim", "predicted", "measured",
           "verdict (checks that hold): the one shown");
    for (size_t i = 0; i < sf_reproduction_count(reproduction); i++)
        print_outcome(sf_reproduction_outcome(reproduction, i), sf_reproduction_count(reproduction) == 1);
}

/* ---- JSON ---------------------------------------------------------------------------------------- */

/* What a check that counts in words says: "predicted_word": "yes". */
static void json_words(sf_json *json, const sf_check *check)
{
    char predicted[32], measured[32];
    if (!check->words)
        return;
    sf_check_value(check, check->predicted, predicted, sizeof predicted);
    sf_check_value(check, check->measured, measured, sizeof measured);
    sf_json_string(json, "predicted_word", predicted);
    sf_json_string(json, "measured_word", measured);
}

static void json_outcome(sf_json *json, const sf_outcome *outcome)
{
    static const char *const relation[] = {"equal", "relative", "at_most", "at_least"};
    static const char *const note_kind[] = {"setting", "finding", "caveat"};
    const sf_claim *claim = sf_outcome_claim(outcome);
    const sf_check *checks;
    const sf_note *notes;
    char command[1024];
    sf_outcome_command(outcome, command, sizeof command);
    sf_json_open_object(json, NULL);
    sf_json_string(json, "id", claim->id);
    sf_json_string(json, "title", claim->title);
    sf_json_string(json, "statement", claim->statement);
    sf_json_string(json, "source", claim->source);
    sf_json_string(json, "verdict", sf_verdict_name(sf_outcome_verdict(outcome)));
    sf_json_string(json, "reason", sf_outcome_reason(outcome));
    sf_json_string(json, "command", command);
    sf_json_number(json, "seconds", sf_outcome_seconds(outcome));
    sf_json_open_array(json, "checks");
    for (size_t i = 0, n = sf_outcome_checks(outcome, &checks); i < n; i++) {
        sf_json_open_object(json, NULL);
        sf_json_string(json, "what", checks[i].what);
        sf_json_string(json, "relation", relation[checks[i].relation]);
        sf_json_number(json, "predicted", checks[i].predicted);
        sf_json_number(json, "measured", checks[i].measured);
        json_words(json, &checks[i]);
        sf_json_number(json, "tolerance", checks[i].tolerance);
        sf_json_bool(json, "decisive", checks[i].decisive);
        sf_json_bool(json, "holds", sf_check_passes(&checks[i]));
        sf_json_close_object(json);
    }
    sf_json_close_array(json);
    sf_json_open_array(json, "notes");
    for (size_t i = 0, n = sf_outcome_notes(outcome, &notes); i < n; i++) {
        sf_json_open_object(json, NULL);
        sf_json_string(json, "kind", note_kind[notes[i].kind]);
        sf_json_string(json, "text", notes[i].text);
        sf_json_close_object(json);
    }
    sf_json_close_array(json);
    sf_json_open_array(json, "figures");
    for (size_t i = 0; i < sf_outcome_figures(outcome); i++)
        sf_json_string(json, NULL, sf_figure_name(sf_outcome_figure(outcome, i)));
    sf_json_close_array(json);
    sf_json_open_array(json, "tables");
    for (size_t i = 0; i < sf_outcome_tables(outcome); i++)
        sf_json_string(json, NULL, sf_table_name(sf_outcome_table(outcome, i)));
    sf_json_close_array(json);
    sf_json_close_object(json);
}

static bool print_json(const sf_reproduction *reproduction, const char *directory)
{
    sf_json json = sf_json_make(stdout, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_bool(&json, "quick", sf_reproduction_get_options(reproduction)->quick);
    sf_json_number(&json, "seconds", sf_reproduction_seconds(reproduction));
    sf_json_string(&json, "report", directory);
    sf_json_open_array(&json, "claims");
    for (size_t i = 0; i < sf_reproduction_count(reproduction); i++)
        json_outcome(&json, sf_reproduction_outcome(reproduction, i));
    sf_json_close_array(&json);
    sf_json_close_object(&json);
    return sf_json_finish(&json);
}

/* ---- the command --------------------------------------------------------------------------------- */

static bool any_not_reproduced(const sf_cli *cli, const sf_reproduction *reproduction)
{
    bool any = false;
    for (size_t i = 0; i < sf_reproduction_count(reproduction); i++) {
        const sf_outcome *outcome = sf_reproduction_outcome(reproduction, i);
        if (sf_outcome_verdict(outcome) != SF_VERDICT_NOT_REPRODUCED)
            continue;
        any = true;
        sf_cli_failure_event(cli, "claim not reproduced", sf_outcome_claim(outcome)->id,
                             sf_outcome_reason(outcome));
    }
    return any;
}

/* Writes the report and the table, after Ctrl-C of what had finished. Returns the exit code. */
static int hand_over(const sf_cli *cli, const sf_reproduction *reproduction, sf_status ran,
                     const char *directory, bool keep_plots)
{
    int code = ran == SF_OK ? 0 : sf_cli_fail(cli, ran);
    bool drawn = true;
    sf_report_options options = {.directory = directory, .keep_plots = keep_plots};
    bool report = ran == SF_OK || ran == SF_ERR_CANCELLED, there = false;
    if (ran == SF_ERR_CANCELLED)
        sf_context_set_cancel(cli->context, NULL); // writing what there is; a second Ctrl-C ends the program
    if (report) {
        sf_status written = sf_report_write(cli->context, reproduction, &options, &drawn);
        there = written == SF_OK || written == SF_ERR_CANCELLED;
        if (written != SF_OK)
            code = sf_cli_fail(cli, written);
    }
    if (cli->json) {
        if (!print_json(reproduction, directory) && code == 0)
            code = 1;
    } else {
        print_table(reproduction);
        if (there)
            printf("\nreport: %s/index.html (%.1f s)\n", directory, sf_reproduction_seconds(reproduction));
    }
    if (!drawn)
        fprintf(stderr, "samflow: no figures: gnuplot was not found; install gnuplot and run again\n");
    if (any_not_reproduced(cli, reproduction) && code == 0)
        code = sf_status_exit_code(SF_ERR_CLAIM);
    return code;
}

/* Names of all claims. Released with free; NULL without memory. */
static const char **claim_names(void)
{
    const char **names = calloc(sf_claim_count() + 1, sizeof *names);
    for (size_t i = 0; names && i < sf_claim_count(); i++)
        names[i] = sf_claim_get(i)->id;
    return names;
}

static int unknown_claim(const sf_cli *cli, const char *id)
{
    const char **names = claim_names();
    const char *nearest = names ? sf_nearest_name(id, sf_claim_count(), names) : NULL;
    int code = nearest
                   ? sf_cli_usage(cli,
                                  "there is no claim '%s', did you mean '%s'? samflow reproduce --list names "
                                  "them",
                                  id, nearest)
                   : sf_cli_usage(cli, "there is no claim '%s'; samflow reproduce --list names them", id);
    free(names);
    return code;
}

/* The claims to run, as indices: those named by --only (several with commas), or all. -1, or the exit code. */
static int choose(const sf_cli *cli, const char *only, size_t *claims, size_t *count)
{
    *count = 0;
    if (!only)
        for (; *count < sf_claim_count(); ++*count)
            claims[*count] = *count;
    while (only && *only) {
        char id[64];
        size_t length = strcspn(only, ",");
        snprintf(id, sizeof id, "%.*s", (int)(length < sizeof id ? length : sizeof id - 1), only);
        if (*count == sf_claim_count() || !sf_claim_find(id, &claims[*count]))
            return unknown_claim(cli, id);
        for (size_t i = 0; i < *count; i++)
            if (claims[i] == claims[*count])
                return sf_cli_usage(cli, "claim '%s' is named twice", id);
        ++*count;
        only += length + (only[length] == ',');
    }
    return -1;
}

/* Downloads the data that the claims need and that are not there. Where that fails the claims will say that they are not run.
 * Without a network one try is enough. */
static void fetch_missing(const sf_cli *cli, size_t count, const size_t *claims)
{
    static const char *const part[] = {NULL, "test", NULL};
    bool met[sizeof needs_text / sizeof *needs_text] = {true}, unreachable = false;
    char path[4096];
    for (size_t i = 0; i < count && !unreachable; i++) {
        sf_claim_needs needs = sf_claim_get(claims[i])->needs;
        if (met[needs])
            continue;
        met[needs] = true;
        if (sf_fetch_find(cli->context, needs_text[needs], part[needs], NULL, path, sizeof path) == SF_OK)
            continue;
        if (!cli->quiet && sf_fetch_directory(cli->context, needs_text[needs], path, sizeof path) == SF_OK)
            sf_cli_print(stderr, "samflow: fetching %s into %s (--no-fetch: do not)\n", needs_text[needs],
                         path);
        const sf_fetch_request request = {
            .name = needs_text[needs], .part = part[needs], .unreachable = &unreachable};
        sf_status status = sf_fetch(cli->context, &request);
        if (status == SF_ERR_CANCELLED)
            return;
        if (status != SF_OK && !cli->quiet)
            sf_cli_fail(cli, status);
    }
}

enum { LIST, ONLY, QUICK, DATA, FETCH, NO_FETCH, KEEP_PLOTS, THREADS };

/* --data for claims that read none. */
static int check_data(const sf_cli *cli, size_t count, const size_t *claims)
{
    bool needed = false;
    for (size_t i = 0; i < count; i++)
        needed = needed || sf_claim_get(claims[i])->needs != SF_NEEDS_NOTHING;
    if (cli->value[DATA].text && !needed)
        return sf_cli_usage(cli, "--data has no use here: %s %s no data", cli->value[ONLY].text,
                            count == 1 ? "needs" : "need");
    return -1;
}

/* Whether the page in the folder holds a claim that is not among the chosen. */
static bool holds_others(const char *directory, size_t count, const size_t *claims)
{
    char path[4096], line[4096];
    bool others = false;
    snprintf(path, sizeof path, "%s/index.html", directory);
    FILE *page = fopen(path, "r");
    while (page && !others && fgets(line, sizeof line, page))
        for (size_t i = 0; i < sf_claim_count() && !others; i++) {
            char anchor[96];
            bool chosen = false;
            for (size_t k = 0; k < count; k++)
                chosen = chosen || claims[k] == i;
            snprintf(anchor, sizeof anchor, "id=\"%s\"", sf_claim_get(i)->id);
            others = !chosen && strstr(line, anchor);
        }
    if (page)
        fclose(page);
    return others;
}

/* The folder of the report: "report", or for chosen claims "report-T4.4". */
static const char *choose_folder(const sf_cli *cli, char *folder, size_t size)
{
    const char *only = cli->value[ONLY].text;
    if (cli->output || !only)
        return cli->output ? cli->output : "report";
    if (strlen(only) > 80)
        return "report-only";
    snprintf(folder, size, "report-%s", only);
    for (char *c = folder; *c; c++)
        *c = *c == ',' ? '+' : *c;
    return folder;
}

static int reproduce(const sf_cli *cli, size_t count, const size_t *claims)
{
    char folder[96];
    const char *data = cli->value[DATA].text, *directory = choose_folder(cli, folder, sizeof folder);
    if (cli->value[ONLY].text && holds_others(directory, count, claims))
        return sf_cli_usage(
            cli,
            "the report in '%s' holds other claims, which --only would take away; expected another "
            "folder in -o",
            directory);
    if (cli->value[FETCH].text && !cli->value[NO_FETCH].text && !data)
        fetch_missing(cli, count, claims);
    const sf_reproduction_options settings = {.quick = cli->value[QUICK].text != NULL,
                                              .data_dir = data,
                                              .threads = (int)cli->value[THREADS].number};
    sf_reproduction *reproduction;
    sf_status status = sf_reproduction_create(cli->context, count, claims, &settings, &reproduction);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    status = sf_report_prepare(cli->context, directory);
    int code = status == SF_OK ? hand_over(cli, reproduction, sf_reproduction_run(reproduction), directory,
                                           cli->value[KEEP_PLOTS].text != NULL)
                               : sf_cli_fail(cli, status);
    sf_reproduction_destroy(&reproduction);
    return code;
}

static int run(sf_cli *cli)
{
    if (cli->value[LIST].text)
        return list_claims(cli);
    size_t count, *claims = calloc(sf_claim_count() + 1, sizeof *claims);
    if (!claims)
        return sf_cli_no_memory(cli);
    int code = choose(cli, cli->value[ONLY].text, claims, &count);
    if (code < 0)
        code = check_data(cli, count, claims);
    if (code < 0)
        code = reproduce(cli, count, claims);
    free(claims);
    return code;
}

static const sf_option options[] = {
    [LIST] = {"list", NULL, "name every claim and stop", .type = SF_OPTION_FLAG, .alone = true},
    [ONLY] = {"only", "ID", "only this claim (several: ID,ID)", .type = SF_OPTION_TEXT},
    [QUICK] = {"quick", NULL, "fewer data sets and shorter runs", .type = SF_OPTION_FLAG},
    [DATA] = {"data", "DIR", "folder with mnist/ and golub/ (default: $SAMFLOW_DATA, then the cache)",
              .type = SF_OPTION_FOLDER},
    [FETCH] = {"fetch", NULL, "download what the claims need and neither has into the cache first",
               .type = SF_OPTION_FLAG},
    [NO_FETCH] = {"no-fetch", NULL, "do not, whatever --fetch says", .type = SF_OPTION_FLAG},
    [KEEP_PLOTS] = {"keep-plots", NULL, "leave gnuplot's scripts and data in the report",
                    .type = SF_OPTION_FLAG},
    [THREADS] = {"threads", "N", "claims side by side (default: the processors)", .type = SF_OPTION_COUNT,
                 .low = 1, .high = 64},
    {0}};

const sf_command sf_command_reproduce = {
    .name = "reproduce",
    .arguments = "",
    .summary = "every claim of the paper: predicted, measured, verdict",
    .text = "Computes the claims and writes a report with figures and tables: the page index.html in the "
            "folder -o, which is "
            "report by default. With --only the folder is report-only by default, and a report of other "
            "claims is not "
            "replaced. After Ctrl-C the page shows what was done.",
    .example = "samflow reproduce --only T4.4 --quick",
    .options = options,
    .uses = SF_USES_FOLDER | SF_USES_TIME | SF_USES_EVENTS,
    .output = "",
    .run = run,
};
