/* The program: each command is one descriptor (its name, arguments, options, text and what runs it), from which
 * parsing, help, manual pages, completion and the table in doc/commands.md come. Uses public headers only, as a first
 * customer of the libraries. */
#ifndef SF_CLI_H
#define SF_CLI_H

#include <stdio.h>

#include <samflow/figure.h>
#include <samflow/lab.h>
#include <samflow/paper.h>
#include <samflow/report.h>

#if defined(__GNUC__)
#define SF_CLI_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define SF_CLI_PRINTF(text, first)
#endif

/* ---- descriptors ---------------------------------------------------------------------------------------- */

typedef enum sf_option_type {
    SF_OPTION_FLAG,   // takes no value
    SF_OPTION_TEXT,   // any text but the empty one
    SF_OPTION_CHOICE, // one of `choices`
    SF_OPTION_COUNT,  // a whole number from low to high
    SF_OPTION_NUMBER, // a finite number from low to high
    SF_OPTION_INPUT,  // a file that is read: must be there, and is never written to
    SF_OPTION_OUTPUT, // a file that is written, with one of the endings in `choices`
    SF_OPTION_FOLDER
} sf_option_type;

typedef struct sf_option {
    const char *name, *metavar, *meaning; // without dashes; metavar NULL for flags
    sf_option_type type;
    const char *choices; // CHOICE: "l1|l2"; INPUT, OUTPUT: ".csv|.h5", NULL: any
    double low, high;
    bool alone; // says what the command does: beside it only --json and --quiet
} sf_option;

enum {
    SF_CLI_OPTIONS = 24, // own options of a command at most
    // what a command has of the common options beside --json, --quiet and --help
    SF_USES_SET = 1,
    SF_USES_OUTPUT = 2,
    SF_USES_FOLDER = 4, // -o DIR
    SF_USES_TIME = 8,
    SF_USES_EVENTS = 16,
    SF_USES_INPUT = 32,     // the argument - is standard input
    SF_USES_BUILTIN = 64,   // an argument may be the name of a data set that is part of samflow
    SF_ANY_NUMBER = 1 << 20 // of arguments
};

typedef struct sf_cli sf_cli;

typedef struct sf_command {
    const char *name;         // "simulate", or of a group "data info"
    const char *arguments;    // as the usage line has them
    const char *summary;      // one line
    const char *text;         // of the manual page: paragraphs, an empty line between them
    const char *example;      // a command line
    const sf_option *options; // its own; a name of NULL ends them. NULL: none
    int least, most;          // arguments
    int written;              // so many of the first arguments are written, the others read
    const char *missing;      // "expected an experiment file", where there are too few arguments
    const char *files;        // endings of the arguments, for completion; NULL: no files
    unsigned uses;            // SF_USES_...
    const char *output;       // endings of -o, ".json|.csv"; "": a folder
    int (*run)(sf_cli *cli);  // returns the exit code
} sf_command;

extern const sf_command *const sf_commands[];
extern const size_t sf_command_count;
/* The common option `index` (SF_USES_..., 0 for those of all commands); NULL past the last. */
const sf_option *sf_cli_common_option(size_t index, unsigned *uses);

/* ---- one call of the program ----------------------------------------------------------------------------- */

/* The progress bar (progress.c). */
typedef struct sf_cli_bar {
    double drawn; // when, in seconds
    bool shown;
} sf_cli_bar;

typedef struct sf_cli_value {
    const char *text; // NULL: not given
    double number;    // of COUNT and NUMBER
} sf_cli_value;

struct sf_cli {
    sf_context *context;
    const sf_command *command;
    bool json;              // --json: one document on standard output, nothing else there
    bool quiet;             // --quiet: no progress, no reports
    const char *output;     // -o FILE
    const char **overrides; // --set key=value
    size_t override_count;
    const char **files; // the arguments
    size_t file_count;
    const char *file; // the first of them; NULL if none was given
    double max_seconds;
    const char *events_path;
    sf_cli_value value[SF_CLI_OPTIONS]; // of the command's options, by their place in the descriptor
    sf_cli_bar *bar;
    struct sf_cli_events *events;
};

/* ---- parsing (parse.c) ----------------------------------------------------------------------------------- */

/* The command that argv names, argv[0] being the first word after the program's name; *words: how many belong to the name.
 * NULL if there is none. */
const sf_command *sf_cli_find_command(int argc, char **argv, int *words);
/* Fills cli from what follows the name of the command, refusing what it makes no use of. Arrays of cli are those of the caller,
 * with room for argc. Returns -1 to go on, else the exit code to leave with (0 after --help). */
int sf_cli_parse(sf_cli *cli, int argc, char **argv);
/* Refuses the options of `count` places in the descriptor that were given: "--NAME WHY". -1 to go on, else the exit code. */
int sf_cli_refuse(const sf_cli *cli, size_t count, const int *places, const char *why);
/* What is said of a command that does not exist; returns the exit code. */
int sf_cli_unknown_command(const sf_cli *cli, int argc, char **argv);

/* ---- messages (terminal.c) ------------------------------------------------------------------------------- */

/* printf, but of the text that comes out control characters are written as \xNN (newlines and tabs stay): names and keys
 * of users may hold sequences that a terminal obeys. */
void sf_cli_print(FILE *stream, const char *format, ...) SF_CLI_PRINTF(2, 3);
/* Prints "samflow: message" to standard error and returns the exit code of the status. */
int sf_cli_fail(const sf_cli *cli, sf_status status);
/* The same for a message of the program's own; _usage names --help as the next step and returns 2. */
int sf_cli_say(const sf_cli *cli, sf_status status, const char *format, ...) SF_CLI_PRINTF(3, 4);
int sf_cli_usage(const sf_cli *cli, const char *format, ...) SF_CLI_PRINTF(2, 3);
int sf_cli_no_memory(const sf_cli *cli);

/* An sf_progress_fn and an sf_log_fn; user is the cli. */
void sf_cli_show_progress(double fraction, const char *note, void *user);
void sf_cli_show_log(sf_log_level level, const char *record, void *user);
/* Takes the bar off its line, so that a message can be written there. */
void sf_cli_clear_progress(const sf_cli *cli);

/* ---- help (help.c, manual.c, completion.c) ---------------------------------------------------------------- */

extern const sf_command sf_command_help;

void sf_cli_print_overview(FILE *stream);
/* Of one command, or of a group such as "data". */
void sf_cli_print_help(FILE *stream, const char *name);
/* Whether the descriptor is the command of that name, or one of the group. */
bool sf_cli_is_of(const sf_command *command, const char *name);
/* "--name METAVAR" into a buffer. */
const char *sf_cli_option_text(const sf_option *option, char *buffer, size_t size);
/* The option of a command, its own first and then the common ones; NULL past the last. */
const sf_option *sf_cli_option_of(const sf_command *command, size_t index);
/* A manual page in roff: of a command or group, or of samflow itself (NULL). */
void sf_cli_print_manual(FILE *stream, const char *name);
void sf_cli_print_markdown(FILE *stream);
bool sf_cli_print_completion(FILE *stream, const char *shell);
/* The words of "a|b|c": the next one from *at on; false past the last. */
bool sf_cli_next_word(const char **at, char *word, size_t size);

/* ---- stopping (stop.c) ------------------------------------------------------------------------------------ */

/* SIGINT, SIGTERM, SIGUSR1, SIGUSR2 and the end of --max-seconds ask the context to stop; a command that has not come to
 * its end 0.9 s later is ended. A second signal ends at once. */
void sf_cli_watch_signals(sf_cli *cli);
bool sf_cli_stopped(void);
/* From here on what there is is written: it may take the time it needs, unless it is asked to stop once more. */
void sf_cli_delivers(void);
/* A file to be removed if the program ends before sf_cli_forget_file (one at a time). */
void sf_cli_remember_file(const char *path);
void sf_cli_forget_file(void);
/* The exit code, seen that a stop may have been asked for. */
int sf_cli_exit_code(int code);

/* ---- events (events.c) ------------------------------------------------------------------------------------- */

/* Opens --events FILE, if it was given, and writes the first line. Returns -1 to go on, else the exit code. */
int sf_cli_open_events(sf_cli *cli);
void sf_cli_progress_event(sf_cli *cli, double fraction, const char *note);
/* A point of a sweep, or a claim, that did not come out. */
void sf_cli_failure_event(const sf_cli *cli, const char *event, const char *name, const char *reason);
void sf_cli_close_events(sf_cli *cli, int code);

/* Whether it is the name of a data set that is part of samflow, and no file has that name. */
bool sf_cli_is_builtin(const char *path);

/* ---- files (document.c) ------------------------------------------------------------------------------------ */

/* Writes one JSON document; false if the stream failed. */
typedef bool (*sf_cli_document_fn)(const void *subject, FILE *stream);
/* Before the work: inputs that are not there, -o FILE with an ending or a folder that will not do, a file that would be
 * read and written. Returns -1 to go on, else the exit code. */
int sf_cli_check_files(const sf_cli *cli);
/* The same for one more file that is read (named in an experiment, say): refuses it where it is also written. */
int sf_cli_check_input(const sf_cli *cli, const char *path);
/* The document to -o FILE.json, whole or not at all, and to standard output under --json (or -o -), where these were given.
 * Prints what went wrong and returns the exit code, 0 if nothing did. */
int sf_cli_document(const sf_cli *cli, sf_cli_document_fn write, const void *subject);
/* The two parts of it. */
int sf_cli_write_file(const sf_cli *cli, const char *path, sf_cli_document_fn write, const void *subject);
int sf_cli_print_document(const sf_cli *cli, sf_cli_document_fn write, const void *subject);
/* A cell of a CSV file, in quotes where it needs them (RFC 4180). */
void sf_cli_csv_text(FILE *stream, const char *text);
bool sf_cli_ends_with(const char *path, const char *ending);

/* The experiment that cli->file names, with the overrides; its data files are not written to either. Returns -1 to go on, else
 * the exit code after a message; in both cases the caller destroys what there is. */
int sf_cli_read_experiment(const sf_cli *cli, sf_experiment **experiment);

/* Prints the reference of all keys of an experiment file, of a run or of training, as Markdown or under --json as JSON; the
 * exit code. */
int sf_cli_print_settings(const sf_cli *cli, bool training);

#endif
