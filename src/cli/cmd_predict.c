/* samflow predict: what theory says of an experiment, without simulating it.
 *
 * Where theory gives the max-margin direction of many examples, sf_margin_solve computes it, so that the answer is a
 * direction and not only a name. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

enum { SHOWN = 12 };

static const struct {
    sf_answer_field field;
    const char *name;
} fields[] = {{SF_FIELD_REGIME, "regime"},         {SF_FIELD_CRITICAL_SCALE, "critical_scale"},
              {SF_FIELD_SPOTLIGHT, "spotlight"},   {SF_FIELD_DOMINANCE, "dominance"},
              {SF_FIELD_PEAK_RATIO, "peak_ratio"}, {SF_FIELD_LIMIT, "limit"},
              {SF_FIELD_COLLAPSE, "collapse"},     {SF_FIELD_GATES, "gates"}};

/* A prediction and what goes with it. */
typedef struct answer {
    const sf_experiment *experiment;
    const sf_prediction *prediction;
    size_t d;
    sf_limit_kind limit;
    int64_t index;
    const double *direction; // (d) or NULL
    const char *norm;
    bool nonnegative;
    sf_margin *margin;       // of the data, where the limit is a max-margin direction
    const char *margin_note; // why there is none, or NULL
} answer;

/* ---- JSON ---------------------------------------------------------------------------------------------- */

static void write_dominance(sf_json *json, const sf_prediction *prediction)
{
    size_t count;
    const sf_leader *leaders = sf_prediction_dominance(prediction, &count);
    if (count == 0) {
        sf_json_null(json, "dominance");
        return;
    }
    sf_json_open_array(json, "dominance");
    for (size_t i = 0; i < count; i++) {
        sf_json_open_object(json, NULL);
        sf_json_integer(json, "index", (int64_t)leaders[i].index);
        sf_json_number(json, "tau", leaders[i].tau);
        sf_json_number(json, "log_time", leaders[i].log_time);
        sf_json_close_object(json);
    }
    sf_json_close_array(json);
}

static void write_peak(sf_json *json, const sf_peak *peak)
{
    if (!peak) {
        sf_json_null(json, "peak_ratio");
        return;
    }
    sf_json_open_object(json, "peak_ratio");
    sf_json_integer(json, "minor", (int64_t)peak->minor);
    sf_json_integer(json, "major", (int64_t)peak->major);
    sf_json_number(json, "ratio", peak->ratio);
    sf_json_number(json, "tau", peak->tau);
    sf_json_number(json, "log_ratio", peak->log_ratio);
    sf_json_number(json, "log_time", peak->log_time);
    sf_json_close_object(json);
}

/* A theorem on separable data stands once they have been found to be. */
static const char *evidence_of(const answer *a)
{
    bool open = a->limit == SF_LIMIT_UNKNOWN || (a->limit == SF_LIMIT_MAX_MARGIN && !a->direction);
    return sf_evidence_name(open ? SF_EVIDENCE_UNKNOWN : sf_prediction_evidence(a->prediction));
}

static void write_limit(sf_json *json, const answer *a)
{
    sf_json_open_object(json, "limit");
    sf_json_string(json, "kind", sf_limit_kind_name(a->limit));
    if (a->index >= 0)
        sf_json_integer(json, "index", a->index);
    else
        sf_json_null(json, "index");
    sf_json_string(json, "evidence", evidence_of(a));
    if (a->direction && a->limit != SF_LIMIT_POINT)
        sf_json_numbers(json, "direction", a->d, a->direction);
    else
        sf_json_null(json, "direction");
    sf_json_string(json, "norm", a->norm);
    if (a->direction && a->limit == SF_LIMIT_POINT)
        sf_json_numbers(json, "point", a->d, a->direction);
    else
        sf_json_null(json, "point");
    if (a->limit == SF_LIMIT_MAX_MARGIN) {
        sf_json_bool(json, "nonnegative", a->nonnegative);
        sf_json_number(json, "margin", a->margin ? sf_margin_value(a->margin) : NAN);
        sf_answer unique = a->margin ? sf_margin_unique(a->margin) : SF_ANSWER_UNKNOWN;
        if (unique == SF_ANSWER_UNKNOWN)
            sf_json_null(json, "unique");
        else
            sf_json_bool(json, "unique", unique == SF_ANSWER_YES);
        sf_json_string(json, "note", a->margin_note);
    }
    sf_json_close_object(json);
}

static void write_gates(sf_json *json, const answer *a)
{
    const sf_gate *gates = sf_prediction_gates(a->prediction);
    if (!gates) {
        sf_json_null(json, "gates");
        return;
    }
    sf_json_open_array(json, "gates");
    for (size_t j = 0; j < a->d; j++) {
        sf_json_open_object(json, NULL);
        sf_json_string(json, "kind", sf_gate_name(gates[j].kind));
        sf_json_number(json, "tau", gates[j].tau);
        sf_json_number(json, "rest", gates[j].rest);
        sf_json_number(json, "level", gates[j].level);
        sf_json_number(json, "final", gates[j].final);
        sf_json_close_object(json);
    }
    sf_json_close_array(json);
}

static void write_path(sf_json *json, const sf_prediction *prediction)
{
    size_t count;
    const sf_spotlight *path = sf_prediction_spotlight_path(prediction, &count);
    sf_json_open_array(json, "spotlight_path");
    for (size_t i = 0; i < count; i++) {
        sf_json_open_object(json, NULL);
        sf_json_number(json, "tau", path[i].tau);
        sf_json_number(json, "log_time", path[i].log_time);
        sf_json_number(json, "centre", path[i].centre);
        sf_json_number(json, "width", path[i].width);
        sf_json_close_object(json);
    }
    sf_json_close_array(json);
}

static bool write_json(const void *subject, FILE *stream)
{
    const answer *a = subject;
    const sf_prediction *p = a->prediction;
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_string(&json, "regime", sf_regime_name(sf_prediction_regime(p)));
    sf_json_number(&json, "critical_scale", sf_prediction_critical_scale(p));
    sf_json_number(&json, "spotlight", sf_prediction_spotlight(p));
    write_dominance(&json, p);
    write_peak(&json, sf_prediction_peak(p));
    write_limit(&json, a);
    sf_json_open_object(&json, "basis");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        sf_json_string(&json, fields[i].name, sf_prediction_basis(p, fields[i].field));
    sf_json_close_object(&json);
    sf_json_number(&json, "critical_factor", sf_prediction_critical_factor(p));
    sf_thresholds t = sf_prediction_thresholds(p);
    sf_json_open_object(&json, "thresholds");
    sf_json_number(&json, "collapse_below", t.collapse_below);
    sf_json_number(&json, "growth_above", t.growth_above);
    sf_json_number(&json, "major_first_from", t.major_first_from);
    sf_json_close_object(&json);
    sf_json_open_object(&json, "collapse");
    sf_json_number(&json, "tau", sf_prediction_collapse_tau(p));
    sf_json_number(&json, "log_time", sf_prediction_collapse_log_time(p));
    sf_json_close_object(&json);
    sf_json_number(&json, "tau_max", sf_prediction_tau_max(p));
    write_gates(&json, a);
    write_path(&json, p);
    sf_experiment_write(a->experiment, &json, "experiment");
    sf_json_close_object(&json);
    return sf_json_finish(&json);
}

/* ---- text ---------------------------------------------------------------------------------------------- */

/* A number, or why there is none. */
static void print_number(const char *name, double value, const char *note, const char *reason)
{
    if (isnan(value))
        printf("%-16s none: %s\n", name, reason ? reason : "theory has no answer");
    else
        printf("%-16s %.15g%s%s\n", name, value, note ? "   " : "", note ? note : "");
}

/* The coordinates that matter: the largest few, in order of index. */
static void print_vector(const char *name, size_t d, const double *x)
{
    size_t nonzero = 0, shown = 0;
    for (size_t j = 0; j < d; j++)
        nonzero += x[j] != 0.0;
    printf("%-16s %zu of %zu coordinates differ from 0:", name, nonzero, d);
    for (size_t j = 0; j < d && shown < SHOWN; j++)
        if (x[j] != 0.0) {
            printf("%s %zu: %.10g", shown ? "," : "", j, x[j]);
            shown++;
        }
    printf("%s\n", nonzero > shown ? ", ..." : "");
}

static void print_order(const sf_prediction *p)
{
    size_t count;
    const sf_leader *leaders = sf_prediction_dominance(p, &count);
    if (count == 0)
        return;
    printf("\n%-16s %10s %22s %22s\n", "order", "feature", "from tau", "log t");
    for (size_t i = 0; i < count; i++) {
        if (count > 2 * SHOWN && i == SHOWN) {
            printf("%-16s %10s   (%zu more; --json lists all)\n", "", "...", count - 2 * SHOWN);
            i = count - SHOWN;
        }
        printf("%-16s %10zu %22.15g ", "", leaders[i].index, leaders[i].tau);
        if (leaders[i].log_time == INFINITY)
            printf("%22s\n", "beyond 1e308");
        else if (isinf(leaders[i].log_time))
            printf("%22s\n", "start");
        else
            printf("%22.15g\n", leaders[i].log_time);
    }
}

static void print_gates(const answer *a)
{
    const sf_gate *gates = sf_prediction_gates(a->prediction);
    if (!gates)
        return;
    printf("\n%-16s %10s %10s %20s %16s %16s\n", "gates", "coordinate", "fate", "at tau", "beta by itself",
           "at the end");
    for (size_t j = 0; j < a->d && j < SHOWN; j++) {
        const char *kind = sf_gate_name(gates[j].kind);
        printf("%-16s %10zu %10s ", "", j, kind ? kind : "unknown");
        if (isnan(gates[j].tau))
            printf("%20s", "-");
        else
            printf("%20.15g", gates[j].tau);
        printf(" %16.10g %16.10g\n", gates[j].level, gates[j].final);
    }
    if (a->d > SHOWN)
        printf("%-16s %10s   (%zu more; --json lists all)\n", "", "...", a->d - SHOWN);
}

static void print_limit(const answer *a)
{
    const char *kind = sf_limit_kind_name(a->limit);
    printf("%-16s %s", "limit", kind ? kind : "no answer");
    if (a->limit == SF_LIMIT_BASIS)
        printf(" e_%lld", (long long)a->index);
    else if (a->norm)
        printf(" (%s%s)", a->norm, a->nonnegative ? ", beta >= 0" : "");
    printf("   evidence: %s\n", evidence_of(a));
    if (a->direction && a->limit != SF_LIMIT_BASIS)
        print_vector("", a->d, a->direction);
    if (a->margin_note)
        printf("%-16s %s\n", "", a->margin_note);
}

static void print_collapse(const sf_prediction *p)
{
    double log_time = sf_prediction_collapse_log_time(p);
    printf("%-16s tau = %.15g", "collapse", sf_prediction_collapse_tau(p));
    if (isnan(log_time))
        printf(", log t: see the basis\n");
    else
        printf(", log t = %.15g\n", log_time);
}

/* Whether the row of a field gave the reason instead of a value. */
static bool is_told(const sf_prediction *p, sf_answer_field field)
{
    return (field == SF_FIELD_REGIME && !sf_regime_name(sf_prediction_regime(p))) ||
           (field == SF_FIELD_CRITICAL_SCALE && isnan(sf_prediction_critical_scale(p))) ||
           (field == SF_FIELD_SPOTLIGHT && isnan(sf_prediction_spotlight(p)));
}

static void print_text(const answer *a)
{
    const sf_prediction *p = a->prediction;
    const char *regime = sf_regime_name(sf_prediction_regime(p));
    printf("%-16s %s%s\n", "regime",
           regime ? regime : "none: ", regime ? "" : sf_prediction_basis(p, SF_FIELD_REGIME));
    print_number("critical scale", sf_prediction_critical_scale(p), NULL,
                 sf_prediction_basis(p, SF_FIELD_CRITICAL_SCALE));
    sf_thresholds t = sf_prediction_thresholds(p);
    if (!isnan(t.collapse_below))
        printf("%-16s certain collapse below %.10g, growth above %.10g, strongest first from %.10g\n", "",
               t.collapse_below, t.growth_above, t.major_first_from);
    print_number("spotlight", sf_prediction_spotlight(p),
                 "tau / B at the start; the window is centred at half of it",
                 sf_prediction_basis(p, SF_FIELD_SPOTLIGHT));
    const sf_peak *peak = sf_prediction_peak(p);
    if (peak && isinf(peak->log_ratio))
        printf("%-16s |beta_%zu| / |beta_%zu| grows without bound up to the collapse\n", "peak ratio",
               peak->minor, peak->major);
    else if (peak)
        printf("%-16s |beta_%zu| / |beta_%zu| up to %.10g (log %.10g), at tau = %.10g\n", "peak ratio",
               peak->minor, peak->major, peak->ratio, peak->log_ratio, peak->tau);
    if (!isnan(sf_prediction_collapse_tau(p)))
        print_collapse(p);
    if (!isnan(sf_prediction_tau_max(p)))
        print_number("tau_max", sf_prediction_tau_max(p), "where t is infinite", NULL);
    print_limit(a);
    print_order(p);
    print_gates(a);
    printf("\nbasis\n");
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const char *text = sf_prediction_basis(p, fields[i].field);
        if (*text && !is_told(p, fields[i].field))
            printf("  %-15s %s\n", fields[i].name, text);
    }
}

/* ---- the command --------------------------------------------------------------------------------------- */

/* Computes the max-margin direction that the theorem names. A failure is a note, not an error: the theorem stands. */
static void solve_margin(sf_cli *cli, answer *a)
{
    if (a->limit != SF_LIMIT_MAX_MARGIN || a->direction)
        return;
    sf_margin_options options = {strcmp(a->norm, "l1") == 0 ? SF_NORM_L1 : SF_NORM_L2, a->nonnegative};
    sf_dataset *data = sf_experiment_dataset(a->experiment);
    sf_status status = sf_margin_solve(cli->context, data, &options, &a->margin);
    if (status != SF_OK)
        a->margin_note = "the direction was not computed: the max-margin solver failed";
    else if (!sf_margin_separable(a->margin))
        a->margin_note = "the data are not separable: the theorem does not apply";
    else
        a->direction = sf_margin_direction(a->margin);
    if (status == SF_OK && !sf_margin_separable(a->margin))
        a->limit = SF_LIMIT_UNKNOWN;
}

static int deliver(sf_cli *cli, const answer *a)
{
    int code = sf_cli_document(cli, write_json, a);
    if (!cli->json && !cli->output)
        print_text(a);
    return code;
}

static int predict(sf_cli *cli, sf_experiment *experiment)
{
    sf_network *network = sf_experiment_network(experiment);
    sf_perturbation perturbation = sf_experiment_perturbation(experiment);
    sf_prediction *prediction = NULL;
    sf_status status = sf_predict(cli->context, network, &perturbation,
                                  sf_experiment_initialization(experiment), &prediction);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    answer a = {.experiment = experiment, .prediction = prediction, .d = sf_network_features(network)};
    a.limit = sf_prediction_limit(prediction, &a.index, &a.direction, &a.norm, &a.nonnegative);
    solve_margin(cli, &a);
    int code = deliver(cli, &a);
    sf_margin_destroy(&a.margin);
    sf_prediction_destroy(&prediction);
    return code;
}

static int run(sf_cli *cli)
{
    sf_experiment *experiment = NULL;
    int code = sf_cli_read_experiment(cli, &experiment);
    if (code < 0)
        code = predict(cli, experiment);
    sf_experiment_destroy(&experiment);
    return code;
}

const sf_command sf_command_predict = {
    .name = "predict",
    .arguments = "FILE.yaml",
    .summary = "what theory says of an experiment, without simulating it",
    .text = "Regime, critical scale, order of the features, peak ratio and limit, each with the theorem or "
            "reduction that it "
            "rests on. Where theory has no answer the field is null and the reason is given.",
    .example = "samflow predict run.yaml --json",
    .least = 1,
    .most = 1,
    .missing = "an experiment file is missing (- reads standard input)",
    .files = ".yaml|.yml",
    .uses = SF_USES_INPUT | SF_USES_SET | SF_USES_OUTPUT,
    .output = ".json",
    .run = run,
};
