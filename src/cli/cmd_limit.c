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
    sf_json_bool(&json, "tie", r->kind == SF_LIMIT_DIRECTION);
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

static bool parse_positive(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end > text && *end == '\0' && *value > 0.0 && isfinite(*value);
}

static int find(const sf_cli *cli, sf_experiment *experiment, const sf_limit_options *options)
{
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    const double *start = sf_experiment_start(experiment);
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

int sf_cmd_limit(sf_cli *cli, int argc, char **argv)
{
    static const sf_command command = {"limit", "FILE.yaml", "the direction at infinity of a flow, certified",
                                       sf_cmd_limit};
    const char *log_time = NULL, *tolerance = NULL;
    const sf_cli_option known[] = {
        {"log-time", "T",
         "go to log t = T at most (default 1e6; lp-SAM and deep l2-SAM 2e4; one example 1e12)", &log_time,
         NULL},
        {"tolerance", "X", "settled: the direction changes less over a factor e in log t (1e-6)", &tolerance,
         NULL}};
    int left = sf_cli_parse(cli, &command, argc, argv, known, 2, 1, NULL);
    if (left >= 0)
        return left;
    if (!cli->file)
        return sf_cli_usage(cli, command.name, "an experiment file is missing (- reads standard input)");
    sf_limit_options options = {0};
    if (log_time && (!parse_positive(log_time, &options.log_time) || options.log_time < 1.0))
        return sf_cli_usage(cli, command.name, "--log-time is '%s', expected a number >= 1", log_time);
    if (tolerance && !parse_positive(tolerance, &options.tolerance))
        return sf_cli_usage(cli, command.name, "--tolerance is '%s', expected a number > 0", tolerance);
    if ((left = sf_cli_check_document(cli, command.name)) >= 0)
        return left;
    sf_experiment *experiment = NULL;
    sf_status status =
        sf_experiment_read(cli->context, cli->file, cli->override_count, cli->overrides, &experiment);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    int code = find(cli, experiment, &options);
    sf_experiment_destroy(&experiment);
    return code;
}
