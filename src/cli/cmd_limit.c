/* samflow limit: runs the flow of an experiment until its direction has settled, names the limit and certifies it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { SHOWN = 8 };

static const char *kind_name(sf_limit_kind kind)
{
    const char *name = sf_limit_kind_name(kind);
    return name ? name : "unknown";
}

static const char *norm_name(sf_norm norm)
{
    return norm == SF_NORM_L1 ? "l1" : "l2";
}

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void write_vector(sf_json *json, const char *key, size_t d, const double *x)
{
    if (x)
        sf_json_numbers(json, key, d, x);
    else
        sf_json_null(json, key);
}

typedef struct answer {
    const sf_experiment *experiment;
    const sf_limit_report *report;
} answer;

static bool write_json(const void *subject, FILE *stream)
{
    const sf_experiment *experiment = ((const answer *)subject)->experiment;
    const sf_limit_report *r = ((const answer *)subject)->report;
    size_t d = sf_dataset_features(sf_experiment_dataset(experiment));
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_experiment_write(experiment, &json, "experiment");
    sf_json_string(&json, "kind", kind_name(r->kind));
    if (r->index >= 0)
        sf_json_integer(&json, "index", r->index);
    else
        sf_json_null(&json, "index");
    sf_json_string(&json, "norm", norm_name(r->norm));
    sf_json_string(&json, "evidence", sf_evidence_name(r->evidence));
    write_vector(&json, "direction", d, r->kind == SF_LIMIT_POINT ? NULL : r->direction);
    write_vector(&json, "point", d, r->kind == SF_LIMIT_POINT ? r->direction : NULL);
    sf_json_number(&json, "tau", r->tau);
    sf_json_number(&json, "log_time", r->log_time);
    sf_json_number(&json, "change", r->change);
    sf_json_open_object(&json, "angle_to");
    sf_json_number(&json, "l1_max_margin", r->angle_l1);
    sf_json_number(&json, "l2_max_margin", r->angle_l2);
    if (r->nonnegative)
        sf_json_number(&json, "l1_max_margin_nonnegative", r->angle_nonnegative);
    sf_json_close_object(&json);
    sf_json_number(&json, "kkt_residual", r->kkt_residual);
    sf_json_string(&json, "reason", r->reason);
    sf_json_bool(&json, "tie", r->kind == SF_LIMIT_DIRECTION && !r->weak);
    sf_json_bool(&json, "weakly_separable", r->weak);
    sf_json_bool(&json, "nonnegative", r->nonnegative);
    write_vector(&json, "reached", d, r->reached);
    sf_json_number(&json, "distance", r->distance);
    sf_json_open_object(&json, "rate");
    sf_json_number(&json, "exponent", r->rate_exponent);
    sf_json_number(&json, "constant", r->rate_constant);
    sf_json_close_object(&json);
    sf_json_number(&json, "loss_rate", r->loss_rate);
    sf_json_number(&json, "norm_rate", r->norm_rate);
    sf_json_close_object(&json);
    return sf_json_finish(&json);
}

/* ---- text ---------------------------------------------------------------------------------------------- */

static void print_vector(const char *name, size_t d, const double *x)
{
    printf("  %-14s", name);
    for (size_t j = 0; j < d && j < SHOWN; j++)
        printf("%s%.10g", j ? ", " : "", x[j]);
    printf("%s\n", d > SHOWN ? ", ..." : "");
}

static void print_number(const char *name, double value, const char *unit)
{
    if (!isnan(value))
        printf("  %-14s%.10g%s\n", name, value, unit);
}

static void print_text(const sf_experiment *experiment, const sf_limit_report *r)
{
    size_t d = sf_dataset_features(sf_experiment_dataset(experiment));
    printf("limit: %s", kind_name(r->kind));
    if (r->index >= 0)
        printf(" (coordinate %lld)", (long long)r->index);
    printf("\n  evidence      %s\n  because       %s\n", sf_evidence_name(r->evidence), r->reason);
    if (r->direction)
        print_vector(r->kind == SF_LIMIT_POINT ? "beta"
                     : isnan(r->distance)      ? "reached"
                                               : "direction",
                     d, r->direction);
    printf("  in the norm   %s\n", norm_name(r->norm));
    print_number("log t", r->log_time, "");
    print_number("change", r->change, " over the last factor e in log t");
    print_number("distance", r->distance, " between what was reached and the limit");
    if (!isnan(r->rate_exponent))
        printf("  %-14s%.4g (log t)^-%.4g\n", "like", r->rate_constant, r->rate_exponent);
    print_number("angle to l1", r->angle_l1, " radians, to the l1-max-margin direction");
    print_number("angle to l2", r->angle_l2, " radians, to the l2-max-margin direction");
    print_number("beta >= 0", r->angle_nonnegative,
                 " radians, to the l1-max-margin direction over beta >= 0");
    print_number("KKT residual", r->kkt_residual, "");
    print_number("loss rate", r->loss_rate, " = d log F / d log t");
    print_number("norm rate", r->norm_rate, " = d ||beta|| / d log t");
}

/* ---- the command --------------------------------------------------------------------------------------- */

static int find(const sf_cli *cli, sf_experiment *experiment, const sf_limit_options *options)
{
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    const double *start = sf_experiment_initialization(experiment);
    sf_limit *limit = NULL;
    if (!start)
        return sf_cli_fail(cli, SF_ERR_MEMORY);
    sf_status status =
        sf_limit_find(cli->context, sf_experiment_network(experiment), &perturbation, start, options, &limit);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    const sf_limit_report *r = sf_limit_get(limit);
    int code = sf_cli_document(cli, write_json, &(answer){experiment, r});
    if (!cli->json && !cli->output)
        print_text(experiment, r);
    sf_limit_destroy(&limit);
    return code;
}

enum { LOG_TIME, TOLERANCE };

static int run(sf_cli *cli)
{
    const sf_limit_options options = {.size = sizeof(sf_limit_options),
                                      .log_time = cli->value[LOG_TIME].number,
                                      .tolerance = cli->value[TOLERANCE].number};
    sf_experiment *experiment = NULL;
    int code = sf_cli_read_experiment(cli, &experiment);
    if (code < 0)
        code = find(cli, experiment, &options);
    sf_experiment_destroy(&experiment);
    return code;
}

static const sf_option options[] = {
    [LOG_TIME] = {"log-time", "T",
                  "go to log t = T at most (default 1e6; lp-SAM and deep l2-SAM 2e4; one example 1e12)",
                  .type = SF_OPTION_NUMBER, .low = 1.0, .high = 1.7e308},
    [TOLERANCE] = {"tolerance", "X", "settled: the direction changes less over a factor e in log t (1e-6)",
                   .type = SF_OPTION_NUMBER, .low = 5e-324, .high = 1.7e308},
    {0}};

const sf_command sf_command_limit = {
    .name = "limit",
    .arguments = "FILE.yaml",
    .summary = "the direction at infinity of a flow, certified",
    .text = "Runs the flow of the experiment until its direction has settled, names the limit (zero, a basis "
            "vector, the "
            "max-margin direction, or unknown) and says by what it is certified.",
    .example = "samflow limit run.yaml --json",
    .options = options,
    .least = 1,
    .most = 1,
    .missing = "an experiment file is missing (- reads standard input)",
    .files = ".yaml|.yml",
    .uses = SF_USES_INPUT | SF_USES_SET | SF_USES_OUTPUT | SF_USES_TIME,
    .output = ".json",
    .run = run,
};
