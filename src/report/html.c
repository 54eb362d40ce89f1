/* The report: one page that opens from disk, with its style and its figures inside.
 *
 * Order: what this is, the table of verdicts, then claim by claim in the order of the registry (statement,
 * source, verdict, checks, figures, tables, notes, command), and at the end what it ran on. A verdict is
 * never told by colour alone. Tables that are too wide scroll by themselves, so that a phone never scrolls
 * the page sideways. */
#include "report/html.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "report/style.h" /* generated from page.css: static const char report_style[] */

enum { ROWS_SHOWN = 16, CHECKS_SHOWN = 12 };

/* ---- text -------------------------------------------------------------------------------------------- */

static void character(FILE *file, char c)
{
    if (c == '&')
        fputs("&amp;", file);
    else if (c == '<')
        fputs("&lt;", file);
    else if (c == '>')
        fputs("&gt;", file);
    else if (c == '"')
        fputs("&quot;", file);
    else
        putc(c, file);
}

static void text(FILE *file, const char *s)
{
    for (; s && *s; s++)
        character(file, *s);
}

/* Text with the marks of formulas: _x, ^x (one character) and _{...}, ^{...} become sub- and superscripts. */
static void formula(FILE *file, const char *s)
{
    while (s && *s) {
        if ((*s != '_' && *s != '^') || s[1] == '\0') {
            character(file, *s++);
            continue;
        }
        const char *tag = *s++ == '_' ? "sub" : "sup", *stop = *s == '{' ? strchr(s, '}') : NULL;
        fprintf(file, "<%s>", tag);
        if (stop) {
            while (++s < stop)
                character(file, *s);
            s++;
        } else {
            do // one character of UTF-8
                character(file, *s++);
            while (((unsigned char)*s & 0xC0U) == 0x80U);
        }
        fprintf(file, "</%s>", tag);
    }
}

static void element(FILE *file, const char *open, const char *s, const char *close)
{
    fputs(open, file);
    text(file, s);
    fputs(close, file);
}

static void sentence(FILE *file, const char *open, const char *s, const char *close)
{
    fputs(open, file);
    formula(file, s);
    fputs(close, file);
}

/* Text with numbers as C prints them, "-1e-08", set as readers write them: −10 to the power −8. */
static void numeric_text(FILE *file, const char *s)
{
    for (char before = ' '; *s; before = *s++) {
        bool begins = isdigit((unsigned char)*s) && !isdigit((unsigned char)before) && before != '.';
        size_t mantissa = begins ? strspn(s, "0123456789.") : 0;
        char *end = NULL;
        long power = mantissa > 0 && s[mantissa] == 'e' ? strtol(s + mantissa + 1, &end, 10) : 0;
        if (end && end > s + mantissa + 1) {
            if (mantissa > 1 || *s != '1')
                fprintf(file, "%.*s × ", (int)mantissa, s);
            fprintf(file, "10<sup>%s%ld</sup>", power < 0 ? "−" : "", labs(power));
            s = end - 1;
        } else if (*s == '-' && isdigit((unsigned char)s[1]) && before == ' ') {
            fputs("−", file);
        } else {
            character(file, *s);
        }
    }
}

static void number(FILE *file, double value)
{
    if (isnan(value))
        fputs("none", file);
    else if (isinf(value))
        fputs(value < 0.0 ? "−∞" : "∞", file);
    else {
        char shown[32];
        snprintf(shown, sizeof shown, "%.6g", value);
        numeric_text(file, shown);
    }
}

static void measurement(FILE *file, const sf_check *check)
{
    char shown[96];
    if (!check->words) {
        number(file, check->measured);
        return;
    }
    sf_check_value(check, check->measured, shown, sizeof shown);
    fputs(shown, file);
}

static const char *verdict_class(sf_verdict verdict)
{
    static const char *const name[] = {"absent", "reproduced", "partial", "failed"};
    return name[verdict];
}

static void verdict(FILE *file, sf_verdict v)
{
    static const char *const sign[] = {"○", "✓", "◐", "✗"};
    fprintf(file, "<span class=\"verdict %s\"><span aria-hidden=\"true\">%s</span> %s</span>",
            verdict_class(v), sign[v], sf_verdict_name(v));
}

/* The check that stands for the claim in the summary: the first that fails, else the first. */
static const sf_check *headline(const sf_outcome *outcome)
{
    const sf_check *checks;
    size_t count = sf_outcome_checks(outcome, &checks);
    for (size_t i = 0; i < count; i++)
        if (!sf_check_passes(&checks[i]))
            return &checks[i];
    return count ? checks : NULL;
}

/* Where drawings are (NULL: there are none), and how many of the figures to come have been drawn. */
typedef struct page_figures {
    const char *folder;
    size_t drawn;
} page_figures;

/* ---- figures ----------------------------------------------------------------------------------------- */

static void base64(FILE *in, FILE *out)
{
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char b[3];
    size_t n;
    while ((n = fread(b, 1, 3, in)) > 0) {
        unsigned word = (unsigned)b[0] << 16 | (n > 1 ? (unsigned)b[1] << 8 : 0U) | (n > 2 ? b[2] : 0U);
        putc(digit[word >> 18], out);
        putc(digit[word >> 12 & 63U], out);
        putc(n > 1 ? digit[word >> 6 & 63U] : '=', out);
        putc(n > 2 ? digit[word & 63U] : '=', out);
    }
}

static sf_status write_figure(sf_context *context, const sf_figure *figure, const char *folder, FILE *file)
{

    const char *name = sf_figure_name(figure);
    char *path = sf_plot_path(context, folder, name, ".svg");
    if (!path)
        return SF_ERR_MEMORY;
    FILE *drawing = fopen(path, "rb");
    sf_status status = SF_OK;
    if (!drawing) {
        status = sf_fail(context, SF_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    } else {
        int width, height;
        sf_plot_size(figure, &width, &height);
        fprintf(file, "<figure class=\"%s\">\n", width < 700 ? "small" : "wide");
        element(file, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Figure: ", name,
                "\">\n");
        fprintf(file, "<img width=\"%d\" height=\"%d\" alt=\"", width, height);
        text(file, sf_figure_alt(figure));
        fputs("\" src=\"data:image/svg+xml;base64,", file);
        base64(drawing, file);
        sentence(file, "\">\n</div>\n<figcaption>", sf_figure_caption(figure), "");
        fprintf(file,
                " <a href=\"figures/%s.svg\">SVG</a>, <a "
                "href=\"figures/%s.png\">PNG</a>.</figcaption>\n</figure>\n",
                name, name);
        fclose(drawing);
    }
    sf_free(context, path);
    return status;
}

/* ---- tables ------------------------------------------------------------------------------------------ */

static void write_table(FILE *file, const sf_table *table)
{
    size_t rows = sf_table_rows(table), columns = sf_table_columns(table);
    if (rows == 0)
        return;
    sentence(file, "<details>\n<summary>Table: ", sf_table_caption(table), "");
    fprintf(file, " (%zu row%s)</summary>\n", rows, rows == 1 ? "" : "s");
    element(file,
            "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Table: ", sf_table_name(table),
            "\">\n<table class=\"data\">\n<thead><tr>");
    for (size_t c = 0; c < columns; c++)
        sentence(file, "<th scope=\"col\">", sf_table_heading(table, c), "</th>");
    fputs("</tr></thead>\n<tbody>\n", file);
    for (size_t r = 0; r < rows && r < ROWS_SHOWN; r++) {
        fputs("<tr>", file);
        for (size_t c = 0; c < columns; c++) {
            double value;
            const char *cell = sf_table_cell(table, r, c, &value);
            fputs(cell ? "<td>" : "<td class=\"number\">", file);
            if (cell)
                text(file, cell);
            else
                number(file, value);
            fputs("</td>", file);
        }
        fputs("</tr>\n", file);
    }
    fprintf(file, "</tbody>\n</table>\n</div>\n<p class=\"source\">%s<a href=\"tables/%s.csv\">%s.csv</a>",
            rows > ROWS_SHOWN ? "The first rows; all of them, and every digit: " : "Every digit: ",
            sf_table_name(table), sf_table_name(table));
    fputs("</p>\n</details>\n", file);
}

/* Long lists of checks that all hold are folded away. */
static void write_checks(FILE *file, const sf_outcome *outcome)
{
    const sf_check *checks;
    size_t count = sf_outcome_checks(outcome, &checks), failed = 0;
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        failed += !sf_check_passes(&checks[i]);
    if (count > CHECKS_SHOWN && failed == 0)
        fprintf(file, "<details class=\"all\">\n<summary>%zu checks: all hold</summary>\n", count);
    else if (count > CHECKS_SHOWN)
        fprintf(file, "<details open>\n<summary>%zu checks: %zu do not hold</summary>\n", count, failed);
    const char *id = sf_outcome_claim(outcome)->id;
    element(file, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Checks of ", id,
            "\">\n");
    fputs("<table class=\"checks\">\n<thead><tr><th scope=\"col\">Quantity</th><th "
          "scope=\"col\">Predicted</th><th "
          "scope=\"col\">Measured</th>"
          "<th scope=\"col\">Holds</th></tr></thead>\n<tbody>\n",
          file);
    for (size_t i = 0; i < count; i++) {
        char predicted[96];
        sf_check_describe(&checks[i], predicted, sizeof predicted);
        sentence(file, "<tr><th scope=\"row\">", checks[i].what, "</th>");
        fputs("<td class=\"number\" data-label=\"predicted\">", file);
        numeric_text(file, predicted);
        fputs("</td><td class=\"number\" data-label=\"measured\">", file);
        measurement(file, &checks[i]);
        bool passes = sf_check_passes(&checks[i]);
        fprintf(file, "</td><td data-label=\"holds\"><span class=\"%s\">%s%s</span></td></tr>\n",
                passes ? "reproduced" : "failed", passes ? "yes" : "no",
                checks[i].decisive ? "" : " (detail)");
    }
    fputs("</tbody>\n</table>\n</div>\n", file);
    if (count > CHECKS_SHOWN)
        fputs("</details>\n", file);
}

/* ---- claims ------------------------------------------------------------------------------------------ */

static void write_notes(FILE *file, const sf_outcome *outcome, sf_note_kind kind, const char *title)
{
    const sf_note *notes;
    size_t count = sf_outcome_notes(outcome, &notes);
    bool open = false;
    for (size_t i = 0; i < count; i++) {
        if (notes[i].kind != kind)
            continue;
        if (!open)
            fprintf(file, "<h4>%s</h4>\n<ul>\n", title);
        open = true;
        sentence(file, "<li>", notes[i].text, "</li>\n");
    }
    if (open)
        fputs("</ul>\n", file);
}

static sf_status write_claim(sf_context *context, const sf_outcome *outcome, page_figures *figures,
                             FILE *file)
{
    const sf_claim *claim = sf_outcome_claim(outcome);
    char command[1024];
    fprintf(file, "<section class=\"claim\" id=\"%s\" aria-labelledby=\"h-%s\">\n<header>\n<h3 id=\"h-%s\">",
            claim->id, claim->id, claim->id);
    sentence(file, "", claim->title, "</h3>\n<p class=\"source\">");
    element(file, "<code>", claim->id, "</code> · ");
    sentence(file, "", claim->source, " · ");
    verdict(file, sf_outcome_verdict(outcome));
    sentence(file, "</p>\n</header>\n<p>", claim->statement, "</p>\n");
    if (sf_outcome_reason(outcome))
        element(file,
                sf_outcome_verdict(outcome) == SF_VERDICT_NOT_RUN ? "<p><strong>Not run:</strong> "
                                                                  : "<p><strong>Broke off:</strong> ",
                sf_outcome_reason(outcome), "</p>\n");
    for (size_t i = 0; i < sf_outcome_figures(outcome) && figures->folder; i++)
        if (figures->drawn > 0) {
            figures->drawn--;
            SF_TRY(write_figure(context, sf_outcome_figure(outcome, i), figures->folder, file));
        } else {
            sentence(file, "<p><strong>Not drawn, interrupted:</strong> ",
                     sf_figure_caption(sf_outcome_figure(outcome, i)), "</p>\n");
        }
    write_checks(file, outcome);
    write_notes(file, outcome, SF_NOTE_FINDING, "What came out besides");
    write_notes(file, outcome, SF_NOTE_CAVEAT, "Caveats");
    write_notes(file, outcome, SF_NOTE_SETTING, "Settings");
    for (size_t i = 0; i < sf_outcome_tables(outcome); i++)
        write_table(file, sf_outcome_table(outcome, i));
    sf_outcome_command(outcome, command, sizeof command);
    element(file, "<p class=\"source\">This claim alone:</p>\n<pre tabindex=\"0\"><code>", command,
            "</code></pre>\n</section>\n");
    return SF_OK;
}

static void write_summary_row(FILE *file, const sf_outcome *outcome)
{
    const sf_claim *claim = sf_outcome_claim(outcome);
    const sf_check *check = headline(outcome), *checks;
    size_t count = sf_outcome_checks(outcome, &checks), passed = 0;
    for (size_t i = 0; i < count; i++)
        passed += sf_check_passes(&checks[i]);
    fprintf(file, "<tr><th scope=\"row\"><a href=\"#%s\">%s</a></th><td>", claim->id, claim->id);
    sentence(file, "", claim->title, "");
    if (check)
        sentence(file, "<br><span class=\"source\">", check->what, "</span>");
    fputs("</td><td class=\"number\" data-label=\"predicted\">", file);
    if (check) {
        char predicted[96];
        sf_check_describe(check, predicted, sizeof predicted);
        numeric_text(file, predicted);
    }
    fputs("</td><td class=\"number\" data-label=\"measured\">", file);
    if (check)
        measurement(file, check);
    fprintf(file, "</td><td data-label=\"checks\">%zu of %zu</td><td>", passed, count);
    verdict(file, sf_outcome_verdict(outcome));
    fputs("</td></tr>\n", file);
}

static void write_summary(FILE *file, const sf_reproduction *reproduction)
{
    size_t counts[4] = {0};
    for (size_t i = 0; i < sf_reproduction_count(reproduction); i++) {
        const sf_outcome *outcome = sf_reproduction_outcome(reproduction, i);
        counts[sf_outcome_verdict(outcome)]++;
    }
    fputs("<section aria-labelledby=\"verdicts\">\n<h2 id=\"verdicts\">Verdicts</h2>\n<p>", file);
    for (int v = SF_VERDICT_REPRODUCED; v <= SF_VERDICT_NOT_REPRODUCED; v++)
        fprintf(file, "%zu %s, ", counts[v], sf_verdict_name((sf_verdict)v));
    fprintf(file, "%zu not run. ", counts[SF_VERDICT_NOT_RUN]);
    fputs("The table shows one check of each claim, the first that fails if there is one; each claim below "
          "lists all of its own. "
          "<em>Partial</em> means that the statement holds and a number that goes beyond it does not.</p>\n"
          "<table class=\"summary\">\n<thead><tr><th scope=\"col\">Claim</th><th scope=\"col\">What</th><th "
          "scope=\"col\">"
          "Predicted</th><th scope=\"col\">Measured</th><th scope=\"col\">Checks</th><th "
          "scope=\"col\">Verdict</th></tr></thead>\n"
          "<tbody>\n",
          file);
    for (size_t i = 0; i < sf_reproduction_count(reproduction); i++)
        write_summary_row(file, sf_reproduction_outcome(reproduction, i));
    fputs("</tbody>\n</table>\n</section>\n", file);
}

/* ---- what it ran on ---------------------------------------------------------------------------------- */

static void processor_name(char *name, size_t size)
{
    char line[256];
    snprintf(name, size, "unknown processor");
    FILE *file = fopen("/proc/cpuinfo", "r");
    while (file && fgets(line, sizeof line, file)) {
        char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) == 0 && colon) {
            line[strcspn(line, "\n")] = '\0';
            snprintf(name, size, "%s", colon + 2);
            break;
        }
    }
    if (file)
        fclose(file);
}

static void term(FILE *file, const char *name, const char *value)
{
    element(file, "<dt>", name, "</dt>");
    element(file, "<dd>", value, "</dd>\n");
}

static void write_footer(FILE *file, const sf_reproduction *reproduction, bool drawn)
{
    struct utsname machine;
    char value[512], processor[200], date[64];
    time_t now = time(NULL);
    struct tm utc;
    fputs("<footer aria-labelledby=\"machine\">\n<h2 id=\"machine\">What this ran on</h2>\n<dl>\n", file);
    snprintf(value, sizeof value, "samflow %s (%s)", sf_version(), sf_build_info());
    term(file, "Program", value);
    processor_name(processor, sizeof processor);
    if (uname(&machine) != 0)
        snprintf(machine.sysname, sizeof machine.sysname, "unknown system");
    snprintf(value, sizeof value, "%s, %ld processors online, %s %s %s", processor,
             sysconf(_SC_NPROCESSORS_ONLN), machine.sysname, machine.release, machine.machine);
    term(file, "Machine", value);
    const sf_reproduction_options *options = sf_reproduction_get_options(reproduction);
    snprintf(value, sizeof value, "%.1f s%s", sf_reproduction_seconds(reproduction),
             options->quick ? " (--quick: fewer data sets and shorter runs)" : "");
    term(file, "Run time", value);
    term(file, "Seeds", "fixed; each claim names its own under Settings. Two runs give the same numbers.");
    term(file, "Random numbers", "Philox 4x32-10, one stream a data set or example");
    term(file, "Figures",
         drawn ? "gnuplot, from scripts that --keep-plots leaves in plots/" : "none: gnuplot was not found");
    if (gmtime_r(&now, &utc) && strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &utc) > 0)
        term(file, "Written", date);
    fputs("</dl>\n</footer>\n", file);
}

sf_status sf_html_write(sf_context *context, const sf_reproduction *reproduction, const char *folder,
                        size_t drawn, FILE *file)
{
    page_figures figures = {folder, drawn};
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<title>Minor First, Major Last: every claim, re-derived</title>\n<style>\n",
          file);
    fputs(report_style, file);
    fputs(
        "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the verdicts</a>\n<header "
        "class=\"top\">\n"
        "<h1>Minor First, Major Last: every claim, re-derived</h1>\n"
        "<p>The paper by Moon, Si and Yun (ICLR 2026, <a "
        "href=\"https://arxiv.org/abs/2603.08290\">arXiv:2603.08290</a>) asks "
        "which classifier sharpness-aware minimization (SAM) ends at on linear diagonal networks, and on "
        "which features it "
        "relies on the way. Here samflow states each of its claims, computes what it predicts, measures it "
        "with gradient descent, SAM and their flows, and compares the two. Features count from 0, weakest "
        "first; "
        "times name their clock: steps, the original time t as log t, or the rescaled time "
        "τ.</p>\n<p>In every figure GD is blue, ℓ2-SAM vermilion, ℓ∞-SAM green and unnormalized SAM purple; "
        "predictions are black and dashed. Features run from gold (weak) to navy "
        "(strong).</p>\n</header>\n<main id=\"main\">\n",
        file);
    write_summary(file, reproduction);
    if (!folder)
        fputs("<p><strong>No figures:</strong> gnuplot was not found on this machine. Install gnuplot and "
              "run the same command "
              "again to have them.</p>\n",
              file);
    const char *group = "";
    for (size_t i = 0; i < sf_reproduction_count(reproduction); i++) {
        const sf_outcome *outcome = sf_reproduction_outcome(reproduction, i);
        if (strcmp(group, sf_outcome_claim(outcome)->group) != 0) {
            group = sf_outcome_claim(outcome)->group;
            element(file, "<h2>", group, "</h2>\n");
        }
        SF_TRY(write_claim(context, outcome, &figures, file));
    }
    fputs("</main>\n", file);
    write_footer(file, reproduction, folder != NULL);
    // checks are printed, also those folded away on the screen; tables stay with their files
    fputs(
        "<script>addEventListener('beforeprint', () => document.querySelectorAll('details.all').forEach(d => "
        "d.open = "
        "true))</script>\n</body>\n</html>\n",
        file);
    return SF_OK;
}
