/* samflow margin: the max-margin direction of the data of an experiment, with its certificate, or the certificate that
 * the data are not separable. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { SHOWN = 12 };

static const char *separability_name(const sf_margin *margin)
{
    static const char *const names[] = {[SF_INSEPARABLE] = "not separable",
                                        [SF_WEAKLY_SEPARABLE] = "weakly separable",
                                        [SF_SEPARABLE] = "separable"};
    return names[sf_margin_separability(margin)];
}

static const char *answer_name(sf_answer answer)
{
    return answer == SF_ANSWER_YES ? "yes" : answer == SF_ANSWER_NO ? "no" : "unknown";
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void write_unique(sf_json *json, const sf_margin *margin)
{
    sf_answer unique = sf_margin_unique(margin);
    if (unique == SF_ANSWER_UNKNOWN)
        sf_json_null(json, "unique");
    else
        sf_json_bool(json, "unique", unique == SF_ANSWER_YES);
    size_t count;
    const size_t *face = sf_margin_face(margin, &count);
    sf_json_open_array(json, "face");
    for (size_t i = 0; i < count; i++)
        sf_json_integer(json, NULL, (int64_t)face[i]);
    sf_json_close_array(json);
}

typedef struct answer {
    const sf_dataset *dataset;
    const sf_margin *margin;
    const sf_margin_options *options;
} answer;

static bool write_json(const void *subject, FILE *stream)
{
    const sf_dataset *dataset = ((const answer *)subject)->dataset;
    const sf_margin *margin = ((const answer *)subject)->margin;
    const sf_margin_options *options = ((const answer *)subject)->options;
    size_t n = sf_dataset_examples(dataset), d = sf_dataset_features(dataset);
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_integer(&json, "examples", (int64_t)n);
    sf_json_integer(&json, "features", (int64_t)d);
    sf_json_bool(&json, "separable", sf_margin_separable(margin));
    sf_json_string(&json, "separability", separability_name(margin));
    sf_json_string(&json, "norm", options->norm == SF_NORM_L1 ? "l1" : "l2");
    sf_json_bool(&json, "nonnegative", options->nonnegative);
    const bool *separated = sf_margin_separated(margin);
    if (separated) {
        sf_json_open_array(&json, "separated");
        for (size_t i = 0; i < n; i++)
            if (separated[i])
                sf_json_integer(&json, NULL, (int64_t)i);
        sf_json_close_array(&json);
    }
    if (sf_margin_direction(margin)) {
        sf_json_numbers(&json, "direction", d, sf_margin_direction(margin));
        sf_json_number(&json, "margin", sf_margin_value(margin));
        sf_json_numbers(&json, "multipliers", n, sf_margin_multipliers(margin));
        sf_json_number(&json, "kkt_residual", sf_margin_kkt_residual(margin));
        write_unique(&json, margin);
    }
    if (!sf_margin_separable(margin)) {
        sf_json_numbers(&json, "certificate", n, sf_margin_certificate(margin));
        sf_json_number(&json, "residual", sf_margin_certificate_residual(margin));
    }
    sf_json_close_object(&json);
    return sf_json_finish(&json);
}

/* ---- text ---------------------------------------------------------------------------------------------- */

typedef struct entry {
    size_t index;
    double value;
} entry;

static int by_size(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    double p = fabs(x->value), q = fabs(y->value);
    return p < q ? 1 : p > q ? -1 : x->index > y->index ? 1 : -1;
}

/* The largest entries of a vector, as "index: value". */
static bool print_largest(const char *name, size_t n, const double *x)
{
    entry *sorted = calloc(n, sizeof *sorted);
    if (!sorted)
        return false;
    size_t nonzero = 0;
    for (size_t i = 0; i < n; i++)
        if (x[i] != 0.0)
            sorted[nonzero++] = (entry){i, x[i]};
    qsort(sorted, nonzero, sizeof *sorted, by_size);
    printf("  %-13s%zu of %zu numbers differ from 0", name, nonzero, n);
    for (size_t i = 0; i < nonzero && i < SHOWN; i++)
        printf("%s%zu: %.10g", i % 4 == 0 ? "\n               " : ", ", sorted[i].index, sorted[i].value);
    printf("%s\n", nonzero > SHOWN ? ", ..." : "");
    free(sorted);
    return true;
}

static bool print_text(const sf_dataset *dataset, const sf_margin *margin, const sf_margin_options *options)
{
    size_t n = sf_dataset_examples(dataset), d = sf_dataset_features(dataset), count;
    const bool *separated = sf_margin_separated(margin);
    printf("%zu %s, %zu %s: %s by a hyperplane through the origin%s\n", n, n == 1 ? "example" : "examples", d,
           d == 1 ? "feature" : "features", separability_name(margin),
           options->nonnegative ? " with beta >= 0" : "");
    if (!sf_margin_separable(margin)) {
        printf("  residual     ||sum lambda_n z_n|| = %.3g, lambda >= 0, sum 1\n",
               sf_margin_certificate_residual(margin));
        if (!print_largest("certificate", n, sf_margin_certificate(margin)))
            return false;
        if (!separated)
            return true;
        size_t many = 0;
        for (size_t i = 0; i < n; i++)
            many += separated[i];
        printf("  separated    %zu of %zu examples; the others have margin 0 for every beta that separates "
               "these\n",
               many, n);
        if (!sf_margin_direction(margin))
            return true;
    }
    const size_t *face = sf_margin_face(margin, &count);
    printf("  margin       %.17g (l%d)\n  KKT residual %.3g\n", sf_margin_value(margin), (int)options->norm,
           sf_margin_kkt_residual(margin));
    printf("  unique       %s", answer_name(sf_margin_unique(margin)));
    for (size_t i = 0; i < count && i < SHOWN; i++)
        printf("%s%zu", i ? ", " : "; these coordinates can trade: ", face[i]);
    printf("%s\n", count > SHOWN ? ", ..." : "");
    return print_largest("direction", d, sf_margin_direction(margin)) &&
           print_largest("multipliers", n, sf_margin_multipliers(margin));
}

/* ---- the command --------------------------------------------------------------------------------------- */

static int deliver(const sf_cli *cli, const answer *found)
{
    int code = sf_cli_document(cli, write_json, found);
    if (!cli->json && !cli->output && !print_text(found->dataset, found->margin, found->options))
        code = sf_status_exit_code(SF_ERR_MEMORY);
    if (code == 0 && !sf_margin_separable(found->margin))
        code = sf_cli_say(cli, SF_ERR_DATA,
                          "the data are %s by a hyperplane through the origin; the certificate says why",
                          separability_name(found->margin));
    return code;
}

static int solve(const sf_cli *cli, const sf_dataset *dataset, const sf_margin_options *options)
{
    sf_margin *margin = NULL;
    sf_status status = sf_margin_solve(cli->context, dataset, options, &margin);
    int code = status == SF_OK ? deliver(cli, &(answer){dataset, margin, options}) : sf_cli_fail(cli, status);
    sf_margin_destroy(&margin);
    return code;
}

enum { NORM, NONNEGATIVE };

static int run(sf_cli *cli)
{
    const char *norm = cli->value[NORM].text;
    const sf_margin_options options = {norm && strcmp(norm, "l2") == 0 ? SF_NORM_L2 : SF_NORM_L1,
                                       cli->value[NONNEGATIVE].text != NULL};
    sf_experiment *experiment = NULL;
    int code = sf_cli_read_experiment(cli, &experiment);
    if (code < 0)
        code = solve(cli, sf_experiment_dataset(experiment), &options);
    sf_experiment_destroy(&experiment);
    return code;
}

static const sf_option options[] = {[NORM] = {"norm", "l1|l2", "norm of the direction (default l1)",
                                              .type = SF_OPTION_CHOICE, .choices = "l1|l2"},
                                    [NONNEGATIVE] = {"nonnegative", NULL,
                                                     "only beta >= 0, as equal layers of even depth allow",
                                                     .type = SF_OPTION_FLAG},
                                    {0}};

const sf_command sf_command_margin = {
    .name = "margin",
    .arguments = "FILE.yaml",
    .summary = "max-margin direction of a data set, with its certificate",
    .text = "The l1- or l2-max-margin direction of the data of an experiment, with multipliers that certify "
            "it; or, where "
            "the data are not separable, the convex combination of examples that says so, with exit code 3.",
    .example = "samflow margin data.yaml --norm l2",
    .options = options,
    .least = 1,
    .most = 1,
    .missing = "an experiment file is missing (- reads standard input)",
    .files = ".yaml|.yml",
    .uses = SF_USES_INPUT | SF_USES_SET | SF_USES_OUTPUT,
    .output = ".json",
    .run = run,
};
