/* samflow simulate: one experiment, its trajectory as a table, as JSON, or in a file. */
#include <math.h>
#include <stdio.h>

#include "cli/cli.h"

enum { TABLE_ROWS = 24, TABLE_COORDINATES = 6 };

/* ---- the table ----------------------------------------------------------------------------------- */

static void print_cell(double value, int width)
{
    if (isnan(value))
        printf("%*s", width, "-");
    else
        printf("%*.6g", width, value);
}

/* One record a row; coordinates 0 .. shown-1 of beta. */
static void print_record(const sf_trajectory *trajectory, size_t index, bool discrete, size_t shown)
{
    sf_record record = sf_trajectory_record(trajectory, index);
    if (discrete) {
        printf("%12.0f", record.step);
    } else {
        print_cell(record.tau, 12);
        print_cell(record.log_time, 13);
    }
    print_cell(record.log_loss, 13);
    print_cell(record.min_margin, 13);
    for (size_t j = 0; j < shown; j++)
        print_cell(record.beta[j], 13);
    putchar('\n');
}

static void print_heading(bool discrete, size_t shown)
{
    if (discrete)
        printf("%12s", "step");
    else
        printf("%12s%13s", "tau", "log t");
    printf("%13s%13s", "log loss", "min margin");
    for (size_t j = 0; j < shown; j++) {
        char name[32];
        snprintf(name, sizeof name, "beta_%zu", j);
        printf("%13s", name);
    }
    putchar('\n');
}

static void print_event(const sf_event *event)
{
    printf("  %s", sf_event_name(event->kind));
    if (event->from >= 0)
        printf(" %lld -> %lld", (long long)event->from, (long long)event->to);
    else if (event->to >= 0)
        printf(" %lld", (long long)event->to);
    if (!isnan(event->step))
        printf(" at step %.0f", event->step);
    if (!isnan(event->tau))
        printf(" at tau %.10g", event->tau);
    if (!isnan(event->log_time))
        printf(", log t %.10g", event->log_time);
    if (!isnan(event->log_loss))
        printf(", log loss %.6g", event->log_loss);
    putchar('\n');
}

static void print_table(const sf_trajectory *trajectory, bool discrete)
{
    size_t records = sf_trajectory_records(trajectory), d = sf_trajectory_features(trajectory);
    size_t shown = d < TABLE_COORDINATES ? d : TABLE_COORDINATES;
    size_t rows = records < TABLE_ROWS ? records : TABLE_ROWS, events;
    print_heading(discrete, shown);
    for (size_t row = 0; row < rows; row++)
        print_record(trajectory, rows == records ? row : row * (records - 1) / (rows - 1), discrete, shown);
    if (shown < d)
        printf("(the first %zu of %zu coordinates of beta)\n", shown, d);
    const sf_event *event = sf_trajectory_events(trajectory, &events);
    if (events > 0)
        printf("events:\n");
    for (size_t i = 0; i < events; i++)
        print_event(&event[i]);
    printf("%s: %zu records%s\n", sf_run_status_name(sf_trajectory_status(trajectory)), records,
           rows < records ? ", some shown here; -o FILE.json, .csv or .h5 writes all" : "");
}

/* ---- the command --------------------------------------------------------------------------------- */

/* Everything that was computed, where it was asked for: also after an interruption or divergence. */
static sf_status deliver(const sf_cli *cli, const sf_trajectory *trajectory, bool discrete)
{
    sf_cli_delivers();
    sf_status status = cli->output ? sf_trajectory_write(trajectory, cli->output) : SF_OK;
    if (cli->json) {
        sf_status printed = sf_trajectory_write_json(trajectory, stdout);
        return status == SF_OK ? printed : status;
    }
    if (status == SF_OK && cli->output)
        sf_cli_print(stdout, "%s: %zu records in %s\n", sf_run_status_name(sf_trajectory_status(trajectory)),
                     sf_trajectory_records(trajectory), cli->output);
    else if (status == SF_OK)
        print_table(trajectory, discrete);
    return status;
}

static int simulate(sf_cli *cli, sf_experiment *experiment)
{
    sf_trajectory *trajectory = NULL;
    // one run at a time: all processors may work on it; the results do not depend on their number
    sf_status status = sf_network_set_threads(sf_experiment_network(experiment), 0);
    if (status == SF_OK)
        status = sf_experiment_run(experiment, &trajectory);
    int code = status == SF_OK ? 0 : sf_cli_fail(cli, status);
    if (trajectory) {
        sf_status delivered = deliver(cli, trajectory, sf_experiment_mode(experiment) == SF_MODE_DISCRETE);
        if (delivered != SF_OK) {
            int failed = sf_cli_fail(cli, delivered);
            code = code ? code : failed;
        } else if (status == SF_OK && sf_trajectory_status(trajectory) == SF_RUN_DIVERGED) {
            size_t last = sf_trajectory_records(trajectory) - 1;
            code = sf_cli_say(cli, SF_ERR_NUMERIC,
                              "the run left the finite numbers after step %.0f; what came before is kept. "
                              "A smaller dynamics.step may help.",
                              sf_trajectory_record(trajectory, last).step);
        }
    }
    sf_trajectory_destroy(&trajectory);
    return code;
}

enum { SETTINGS };

static int run(sf_cli *cli)
{
    if (cli->value[SETTINGS].text)
        return sf_cli_print_settings(cli, false);
    if (cli->output && sf_trajectory_check_output(cli->context, cli->output) != SF_OK)
        return sf_cli_fail(cli, sf_trajectory_check_output(cli->context, cli->output));
    sf_experiment *experiment = NULL;
    int code = sf_cli_read_experiment(cli, &experiment);
    if (code < 0)
        code = simulate(cli, experiment);
    sf_experiment_destroy(&experiment);
    return code;
}

static const sf_option options[] = {[SETTINGS] = {"settings", NULL,
                                                  "print the reference of all keys, as Markdown",
                                                  .type = SF_OPTION_FLAG, .alone = true},
                                    {0}};

const sf_command sf_command_simulate = {
    .name = "simulate",
    .arguments = "FILE.yaml",
    .summary = "run one experiment, print or write its trajectory",
    .text = "Runs the experiment and prints its trajectory as a table, as JSON, or writes it to a file. "
            "Interrupted, or with "
            "numerics that fail, it still writes what was computed. A trajectory in .json or .h5 can be "
            "drawn by samflow plot.",
    .example = "samflow simulate run.yaml --set optimizer.rho=0.5 -o run.json",
    .options = options,
    .least = 1,
    .most = 1,
    .missing = "an experiment file is missing (- reads standard input)",
    .files = ".yaml|.yml",
    .uses = SF_USES_INPUT | SF_USES_SET | SF_USES_OUTPUT | SF_USES_TIME | SF_USES_EVENTS,
    .output = ".json|.csv|.h5",
    .run = run,
};
