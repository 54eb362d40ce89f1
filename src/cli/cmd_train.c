/* samflow train: a real network on images, its records as a table, as JSON, or in a file. */
#include <math.h>
#include <stdio.h>
#include <string.h>

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

static void print_table(const sf_course *course)
{
    size_t count;
    const sf_training_record *records = sf_course_records(course, &count);
    size_t rows = count < TABLE_ROWS ? count : TABLE_ROWS;
    const sf_images *test = sf_course_test_images(course);
    printf("%zu images to train on, %zu to test on, %zu parameters\n",
           sf_images_count(sf_course_images(course)), test ? sf_images_count(test) : 0,
           sf_nn_parameters(sf_course_network(course)));
    printf("%9s%7s%13s%10s%13s%10s%12s\n", "step", "epoch", "loss", "accuracy", "test loss", "accuracy",
           "|eps|");
    for (size_t row = 0; row < rows; row++)
        print_record(&records[rows == count ? row : row * (count - 1) / (rows - 1)]);
    printf("%s: %zu records%s\n", sf_run_status_name(sf_course_status(course)), count,
           rows < count ? ", some shown here; -o FILE.json, .csv or .h5 writes all" : "");
}

/* Everything that was recorded, where it was asked for: also after an interruption or divergence. */
static sf_status deliver(const sf_cli *cli, const sf_course *course)
{
    size_t count;
    sf_status status = cli->output ? sf_course_write(course, cli->output) : SF_OK;
    sf_course_records(course, &count);
    if (cli->json) {
        sf_status printed = sf_course_write_json(course, stdout);
        return status == SF_OK ? printed : status;
    }
    if (status == SF_OK && cli->output)
        printf("%s: %zu records in %s\n", sf_run_status_name(sf_course_status(course)), count, cli->output);
    else if (status == SF_OK)
        print_table(course);
    return status;
}

static int train(sf_cli *cli, sf_course *course, const sf_course_options *options)
{
    sf_status status = sf_course_run(course, options);
    int code = status == SF_OK ? 0 : sf_cli_fail(cli, status);
    if (status == SF_ERR_CANCELLED && options->checkpoint)
        fprintf(stderr, "The same command with --resume goes on from '%s'.\n", options->checkpoint);
    if (status != SF_OK && status != SF_ERR_CANCELLED)
        return code;
    if (status == SF_OK && sf_course_status(course) == SF_RUN_DIVERGED) {
        fprintf(stderr, "samflow: %s\n", sf_context_message(cli->context));
        code = sf_status_exit_code(SF_ERR_NUMERIC);
    }
    sf_status delivered = deliver(cli, course);
    if (delivered != SF_OK) {
        int failed = sf_cli_fail(cli, delivered);
        code = code ? code : failed;
    }
    return code;
}

int sf_cmd_train(sf_cli *cli, int argc, char **argv)
{
    static const sf_command command = {"train", "FILE.yaml",
                                       "train a real network on images, by SAM or plainly", sf_cmd_train};
    bool settings = false;
    sf_course_options run = {0};
    const sf_cli_option options[] = {
        {"checkpoint", "FILE.h5", "keep the state of the run there", &run.checkpoint, NULL},
        {"resume", NULL, "go on from the checkpoint, if there is one", NULL, &run.resume},
        {"settings", NULL, "print the reference of all keys, as Markdown", NULL, &settings}};
    int left = sf_cli_parse(cli, &command, argc, argv, options, sizeof options / sizeof options[0], 1, NULL);
    if (left >= 0)
        return left;
    if (settings) {
        sf_cli_print_settings(true);
        return 0;
    }
    if (!cli->file)
        return sf_cli_usage(cli, command.name, "an experiment file is missing (- reads standard input)");
    if (run.resume && !run.checkpoint)
        return sf_cli_usage(cli, command.name, "--resume without --checkpoint FILE.h5, expected the file");
    if (cli->output && sf_course_check_output(cli->context, cli->output) != SF_OK)
        return sf_cli_fail(cli, sf_course_check_output(cli->context, cli->output));
    if (run.checkpoint && sf_course_check_checkpoint(cli->context, run.checkpoint) != SF_OK)
        return sf_cli_fail(cli, sf_course_check_checkpoint(cli->context, run.checkpoint));
    sf_course *course = NULL;
    sf_status status = sf_course_read(cli->context, cli->file, cli->override_count, cli->overrides, &course);
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    int code = train(cli, course, &run);
    sf_course_destroy(&course);
    return code;
}
