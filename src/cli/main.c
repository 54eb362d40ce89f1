/* samflow COMMAND [OPTIONS] [FILE.yaml] */
#include "cli/cli.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static volatile int interrupted;

static void on_interrupt(int number)
{
    (void)number;
    if (interrupted)
        _exit(130); // the second Ctrl-C does not wait
    interrupted = 1;
}

static void print_log(sf_log_level level, const char *record, void *user)
{
    sf_cli_clear_progress(user);
    static const char *const name[] = {"error", "warning", "info", "debug"};
    fprintf(stderr, "samflow: %s: %s\n", name[level], record);
}

static void print_help(FILE *stream)
{
    fprintf(stream,
            "samflow %s - the implicit bias of sharpness-aware minimization\n\n"
            "usage: samflow COMMAND [OPTIONS] [FILE.yaml]\n\ncommands:\n",
            sf_version());
    for (size_t i = 0; i < sf_command_count; i++)
        fprintf(stream, "  %-10s %s\n", sf_commands[i].name, sf_commands[i].summary);
    fprintf(stream, "\nsamflow COMMAND --help says more; samflow --version prints the version.\n");
}

static void print_command_help(const sf_command *command, const sf_cli_option *options, size_t count)
{
    printf("samflow %s - %s\n\nusage: samflow %s [OPTIONS] %s\n\noptions:\n", command->name, command->summary,
           command->name, command->arguments);
    for (size_t i = 0; i < count; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", options[i].name, options[i].value_name ? " " : "",
                 options[i].value_name ? options[i].value_name : "");
        printf("  %-26s %s\n", left, options[i].help);
    }
    printf("  %-26s %s\n  %-26s %s\n  %-26s %s\n  %-26s %s\n  %-26s %s\n", "--set KEY.PATH=VALUE",
           "override one key of the experiment (repeatable)", "-o, --output FILE", "write the result to FILE",
           "--json", "one JSON document on standard output", "--quiet", "no progress on standard error",
           "-h, --help", "this text");
}

int sf_cli_fail(const sf_cli *cli, sf_status status)
{
    const char *message = sf_context_message(cli->context);
    sf_cli_clear_progress(cli->bar);
    fprintf(stderr, "samflow: %s\n", *message ? message : sf_status_message(status));
    return sf_status_exit_code(status);
}

int sf_cli_usage(const sf_cli *cli, const char *command, const char *format, ...)
{
    sf_cli_clear_progress(cli->bar);
    va_list arguments;
    va_start(arguments, format);
    fputs("samflow: ", stderr);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    if (command)
        fprintf(stderr, "\nTry: samflow %s --help\n", command);
    else
        fprintf(stderr, "\nTry: samflow --help\n");
    return sf_status_exit_code(SF_ERR_USAGE);
}

/* The value of an option given as "--name=value" or "--name value"; NULL if the name differs. Moves *at on. */
static const char *option_value(int argc, char **argv, int *at, const char *name, bool *missing)
{
    const char *argument = argv[*at];
    size_t length = strlen(name);
    if (strncmp(argument, name, length) != 0)
        return NULL;
    if (argument[length] == '=' && length > 2)
        return argument + length + 1;
    if (argument[length] != '\0')
        return NULL;
    if (*at + 1 >= argc) {
        *missing = true;
        return NULL;
    }
    return argv[++*at];
}

int sf_cli_parse(sf_cli *cli, const sf_command *command, int argc, char **argv, const sf_cli_option *options,
                 size_t option_count, int positional, const char **files)
{
    int found = 0;
    bool only_files = false;
    for (int i = 1; i < argc; i++) {
        const char *argument = argv[i], *value;
        bool missing = false, taken = false;
        if (only_files || argument[0] != '-' || argument[1] == '\0') {
            if (found == positional)
                return sf_cli_usage(cli, command->name, "unexpected argument '%s'", argument);
            if (files)
                files[found] = argument;
            if (found++ == 0)
                cli->file = argument;
            continue;
        }
        if (strcmp(argument, "--") == 0) {
            only_files = true;
            continue;
        }
        if (strcmp(argument, "-h") == 0 || strcmp(argument, "--help") == 0) {
            print_command_help(command, options, option_count);
            return 0;
        }
        if (strcmp(argument, "--json") == 0) {
            cli->json = taken = true;
        } else if (strcmp(argument, "--quiet") == 0) {
            cli->quiet = taken = true;
        } else if ((value = option_value(argc, argv, &i, "--set", &missing))) {
            cli->overrides[cli->override_count++] = value; // sized by argc
            taken = true;
        } else if (!missing && ((value = option_value(argc, argv, &i, "-o", &missing)) ||
                                (!missing && (value = option_value(argc, argv, &i, "--output", &missing))))) {
            cli->output = value;
            taken = true;
        }
        for (size_t k = 0; k < option_count && !taken && !missing; k++) {
            char name[64];
            snprintf(name, sizeof name, "--%s", options[k].name);
            if (options[k].flag && strcmp(argument, name) == 0) {
                *options[k].flag = taken = true;
            } else if (options[k].value && (value = option_value(argc, argv, &i, name, &missing))) {
                *options[k].value = value;
                taken = true;
            }
        }
        if (missing)
            return sf_cli_usage(cli, command->name, "option '%s' needs a value", argument);
        if (!taken)
            return sf_cli_usage(cli, command->name, "unknown option '%s'", argument);
    }
    if (cli->quiet)
        sf_context_set_progress(cli->context, NULL, NULL);
    return -1;
}

int main(int argc, char **argv)
{
    sf_cli_bar bar = {0};
    sf_cli cli = {.bar = &bar};
    if (sf_context_create(NULL, &cli.context) != SF_OK) {
        fprintf(stderr, "samflow: out of memory\n");
        return 1;
    }
    cli.overrides = calloc((size_t)argc + 1, sizeof *cli.overrides);
    int code = 1;
    if (!cli.overrides) {
        fprintf(stderr, "samflow: out of memory\n");
    } else if (argc < 2) {
        print_help(stderr);
        code = 2;
    } else if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        code = 0;
    } else if (strcmp(argv[1], "--version") == 0) {
        printf("samflow %s (%s)\n", sf_version(), sf_build_info());
        code = 0;
    } else {
        const sf_command *command = NULL;
        for (size_t i = 0; i < sf_command_count; i++)
            if (strcmp(argv[1], sf_commands[i].name) == 0)
                command = &sf_commands[i];
        if (!command) {
            code = sf_cli_usage(&cli, NULL, "unknown command '%s'", argv[1]);
        } else {
            struct sigaction action = {.sa_handler = on_interrupt};
            sigaction(SIGINT, &action, NULL);
            sigaction(SIGTERM, &action, NULL);
            signal(SIGPIPE, SIG_IGN);
            signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error of writing, said as one
            sf_context_set_cancel(cli.context, &interrupted);
            sf_context_set_log(cli.context, print_log, SF_LOG_WARNING, &bar);
            if (isatty(STDERR_FILENO))
                sf_context_set_progress(cli.context, sf_cli_show_progress, &bar);
            code = command->run(&cli, argc - 1, argv + 1);
        }
    }
    sf_cli_clear_progress(&bar);
    free(cli.overrides);
    sf_context_destroy(&cli.context);
    if (fflush(stdout) != 0 && code == 0) {
        fprintf(stderr, "samflow: standard output could not be written\n");
        code = 1;
    }
    return code == 0 && interrupted ? sf_status_exit_code(SF_ERR_CANCELLED)
                                    : code; // also while it was writing
}
