/* samflow train: a real network on images, its records as a table, as JSON, or in a file. */
#include <math.h>
#include <stdio.h>

#include "cli/cli.h"

enum { TABLE_ROWS = 24 };

static void print_cell(double value, int width, const char *format)
{
    char text[64];
    snprintf(text, sizeof text, format, value);
    printf("%*s", width, isnan(value) ? "-" : text);
}

static void print_record(const sf_training_record *record)
{
    print_cell(record->step, 9, "%.0f");
    print_cell(record->epoch, 7, "%.0f");
    print_cell(record->loss, 13, "%.6g");
    print_cell(record->accuracy, 10, "%.4f");
    print_cell(record->test_loss, 13, "%.6g");
    print_cell(record->test_accuracy, 10, "%.4f");
    print_cell(record->applied_norm, 12, "%.6g");
    putchar('\n');
}

static void print_table(const sf_training_run *run)
{
    size_t count;
    const sf_training_record *records = sf_training_run_records(run, &count);
    size_t rows = count < TABLE_ROWS ? count : TABLE_ROWS;
    const sf_images *test = sf_training_run_test_images(run);
    printf("%zu images to train on, %zu to test on, %zu parameters\n",
           sf_images_count(sf_training_run_images(run)), test ? sf_images_count(test) : 0,
           sf_nn_parameters(sf_training_run_network(run)));
    printf("%9s%7s%13s%10s%13s%10s%12s\n", "step", "epoch", "loss", "accuracy", "test loss", "accuracy",
           "|eps|");
    for (size_t row = 0; row < rows; row++)
        print_record(&records[rows == count ? row : row * (count - 1) / (rows - 1)]);
    printf("%s: %zu records%s\n", sf_run_status_name(sf_training_run_status(run)), count,
           rows < count ? ", some shown here; -o FILE.json, .csv or .h5 writes all" : "");
}

/* Everything that was recorded, where it was asked for: also after an interruption or divergence. */
static sf_status deliver(const sf_cli *cli, const sf_training_run *run)
{
    size_t count;
    sf_status status = cli->output ? sf_training_run_write(run, cli->output) : SF_OK;
    sf_training_run_records(run, &count);
    if (cli->json) {
        sf_status printed = sf_training_run_write_json(run, stdout);
        return status == SF_OK ? printed : status;
    }
    if (status == SF_OK && cli->output)
        sf_cli_print(stdout, "%s: %zu records in %s\n", sf_run_status_name(sf_training_run_status(run)),
                     count, cli->output);
    else if (status == SF_OK)
        print_table(run);
    return status;
}

static int train(sf_cli *cli, sf_training_run *run, const sf_training_run_options *options)
{
    sf_status status = sf_training_run_execute(run, options);
    sf_cli_delivers();
    int code = status == SF_OK ? 0 : sf_cli_fail(cli, status);
    if (status == SF_ERR_CANCELLED && options->checkpoint)
        sf_cli_print(stderr, "The same command with --resume goes on from '%s'.\n", options->checkpoint);
    if (status != SF_OK && status != SF_ERR_CANCELLED)
        return code;
    if (status == SF_OK && sf_training_run_status(run) == SF_RUN_DIVERGED)
        code = sf_cli_fail(cli, SF_ERR_NUMERIC);
    sf_status delivered = deliver(cli, run);
    if (delivered != SF_OK) {
        int failed = sf_cli_fail(cli, delivered);
        code = code ? code : failed;
    }
    return code;
}

enum { CHECKPOINT, RESUME, SETTINGS };

static int run(sf_cli *cli)
{
    if (cli->value[SETTINGS].text)
        return sf_cli_print_settings(cli, true);
    const sf_training_run_options options = {.checkpoint = cli->value[CHECKPOINT].text,
                                             .resume = cli->value[RESUME].text != NULL};
    if (options.resume && !options.checkpoint)
        return sf_cli_usage(cli, "--resume without --checkpoint FILE.h5, expected the file");
    if (cli->output && sf_training_run_check_output(cli->context, cli->output) != SF_OK)
        return sf_cli_fail(cli, sf_training_run_check_output(cli->context, cli->output));
    if (options.checkpoint && sf_training_run_check_checkpoint(cli->context, options.checkpoint) != SF_OK)
        return sf_cli_fail(cli, sf_training_run_check_checkpoint(cli->context, options.checkpoint));
    sf_training_run *run = NULL;
    sf_status status =
        sf_training_run_read(cli->context, cli->file, cli->override_count, cli->overrides, &run);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    int code = -1;
    for (size_t i = 0; code < 0 && sf_training_run_data_file(run, i); i++)
        code = sf_cli_check_input(cli, sf_training_run_data_file(run, i));
    if (code < 0)
        code = train(cli, run, &options);
    sf_training_run_destroy(&run);
    return code;
}

static const sf_option options[] = {
    [CHECKPOINT] = {"checkpoint", "FILE.h5", "keep the state of the run there", .type = SF_OPTION_OUTPUT,
                    .choices = ".h5"},
    [RESUME] = {"resume", NULL, "go on from the checkpoint, if there is one", .type = SF_OPTION_FLAG},
    [SETTINGS] = {"settings", NULL, "print the reference of all keys, as Markdown", .type = SF_OPTION_FLAG,
                  .alone = true},
    {0}};

const sf_command sf_command_train = {
    .name = "train",
    .arguments = "FILE.yaml",
    .summary = "train a real network on images, by SAM or plainly",
    .text = "Trains a linear diagonal, fully connected or convolutional network on images, with records of "
            "loss and "
            "accuracy, and keeps checkpoints from which the same command goes on with --resume.",
    .example = "samflow train mnist.yaml --checkpoint mnist.h5 -o records.csv",
    .options = options,
    .least = 1,
    .most = 1,
    .missing = "an experiment file is missing (- reads standard input)",
    .files = ".yaml|.yml",
    .uses = SF_USES_INPUT | SF_USES_SET | SF_USES_OUTPUT | SF_USES_TIME | SF_USES_EVENTS,
    .output = ".json|.csv|.h5",
    .run = run,
};
