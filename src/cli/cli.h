/* The program: one file a command, common options and messages here. Uses only public headers. */
#ifndef SF_CLI_H
#define SF_CLI_H

#include <stdio.h>

#include <samflow/samflow.h>

/* The progress bar (progress.c). */
typedef struct sf_cli_bar {
    double drawn; // when, in seconds
    bool shown;
} sf_cli_bar;

typedef struct sf_cli {
    sf_context *context;
    bool json;              // --json: one document on standard output, nothing else there
    bool quiet;             // --quiet: no progress
    const char *file;       // FILE.yaml or "-"; NULL if not given
    const char *output;     // -o FILE
    const char **overrides; // --set key=value
    size_t override_count;
    sf_cli_bar *bar;
} sf_cli;

/* An sf_progress_fn; user is the bar. */
void sf_cli_show_progress(double fraction, const char *note, void *user);
/* Takes the bar off its line, so that a message can be written there. */
void sf_cli_clear_progress(sf_cli_bar *bar);

/* One option of a command beyond the common ones: --name or --name=VALUE (value_name NULL: a flag). `target` is a
 * const char * (value) or bool (flag). */
typedef struct sf_cli_option {
    const char *name, *value_name, *help;
    const char **value;
    bool *flag;
} sf_cli_option;

typedef struct sf_command {
    const char *name, *arguments, *summary;
    int (*run)(sf_cli *cli, int argc, char **argv); // argv[0] is the command; returns the exit code
} sf_command;

/* Parses common options and those of the command; at most `positional` arguments beside options (the first is
 * cli->file, all are put in files if not NULL). Returns -1 to go on, else the exit code to leave with (0 after
 * --help). */
int sf_cli_parse(sf_cli *cli, const sf_command *command, int argc, char **argv, const sf_cli_option *options,
                 size_t option_count, int positional, const char **files);

/* Prints "samflow: message" with a next step to standard error and returns the exit code of the status. */
int sf_cli_fail(const sf_cli *cli, sf_status status);
/* The same for a message of the program's own. */
int sf_cli_usage(const sf_cli *cli, const char *command, const char *format, ...);

/* Writes one JSON document; false if the stream failed. */
typedef bool (*sf_cli_document_fn)(const void *subject, FILE *stream);
/* Before the work: refuses an -o FILE that is no .json or has no folder. Returns -1 to go on, else the exit code. */
int sf_cli_check_document(const sf_cli *cli, const char *command);
/* The same for files of any ending. */
int sf_cli_check_folder(const sf_cli *cli, const char *command);
/* The document to -o FILE.json, whole or not at all, and to standard output under --json, where these were given.
 * Prints what went wrong and returns the exit code, 0 if nothing did. */
int sf_cli_document(const sf_cli *cli, sf_cli_document_fn write, const void *subject);
/* The two parts of it. */
int sf_cli_write_file(const char *path, sf_cli_document_fn write, const void *subject);
int sf_cli_print_document(sf_cli_document_fn write, const void *subject);
/* A cell of a CSV file, in quotes where it needs them (RFC 4180). */
void sf_cli_csv_text(FILE *stream, const char *text);

/* Prints the reference of all keys of an experiment file as Markdown: of a run, or of training. */
void sf_cli_print_settings(bool training);

/* The commands, defined in cmd_NAME.c, listed in commands.c. */
extern const sf_command sf_commands[];
extern const size_t sf_command_count;

int sf_cmd_simulate(sf_cli *cli, int argc, char **argv);
int sf_cmd_predict(sf_cli *cli, int argc, char **argv);
int sf_cmd_limit(sf_cli *cli, int argc, char **argv);
int sf_cmd_margin(sf_cli *cli, int argc, char **argv);
int sf_cmd_plot(sf_cli *cli, int argc, char **argv);
int sf_cmd_reproduce(sf_cli *cli, int argc, char **argv);
int sf_cmd_sweep(sf_cli *cli, int argc, char **argv);
int sf_cmd_export(sf_cli *cli, int argc, char **argv);
int sf_cmd_merge(sf_cli *cli, int argc, char **argv);
int sf_cmd_bench(sf_cli *cli, int argc, char **argv);
int sf_cmd_attribute(sf_cli *cli, int argc, char **argv);
int sf_cmd_train(sf_cli *cli, int argc, char **argv);
int sf_cmd_data(sf_cli *cli, int argc, char **argv);

#endif
