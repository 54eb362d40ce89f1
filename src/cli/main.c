/* samflow COMMAND [OPTIONS] [FILE.yaml] */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

static int run_command(sf_cli *cli, int argc, char **argv)
{
    int words = 0;
    cli->command = sf_cli_find_command(argc, argv, &words);
    if (!cli->command && argc > 1 &&
        (strcmp(argv[argc - 1], "--help") == 0 || strcmp(argv[argc - 1], "-h") == 0))
        for (size_t i = 0; i < sf_command_count; i++)
            if (argc == 2 && sf_cli_is_of(sf_commands[i], argv[0])) { // "data --help"
                sf_cli_print_help(stdout, argv[0]);
                return 0;
            }
    if (!cli->command)
        return sf_cli_unknown_command(cli, argc, argv);
    int code = sf_cli_parse(cli, argc - words, argv + words);
    if (code < 0)
        code = sf_cli_check_files(cli);
    if (code < 0)
        code = sf_cli_open_events(cli);
    if (code >= 0)
        return code;
    sf_cli_watch_signals(cli);
    sf_context_set_log(cli->context, sf_cli_show_log, SF_LOG_WARNING, cli);
    if (cli->events || (!cli->quiet && isatty(STDERR_FILENO)))
        sf_context_set_progress(cli->context, sf_cli_show_progress, cli);
    code = cli->command->run(cli);
    sf_cli_close_events(cli, sf_cli_exit_code(code));
    return code;
}

static bool write_version(const void *subject, FILE *stream)
{
    (void)subject;
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_string(&json, "build", sf_build_info());
    sf_json_close_object(&json);
    return sf_json_finish(&json);
}

static int dispatch(sf_cli *cli, int argc, char **argv)
{
    if (argc < 2) {
        sf_cli_print_overview(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        sf_cli_print_overview(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        if (argc > 2 && strcmp(argv[2], "--json") == 0)
            return sf_cli_print_document(cli, write_version, NULL);
        printf("samflow %s (%s)\n", sf_version(), sf_build_info());
        return 0;
    }
    return run_command(cli, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
    sf_cli_bar bar = {0};
    sf_cli cli = {.bar = &bar};
    size_t room = (size_t)argc + 1;
    int code = 1;
    cli.overrides = calloc(room, sizeof *cli.overrides);
    cli.files = calloc(room, sizeof *cli.files);
    if (!cli.overrides || !cli.files || sf_context_create(NULL, &cli.context) != SF_OK)
        fprintf(stderr, "samflow: out of memory\n");
    else
        code = dispatch(&cli, argc, argv);
    sf_cli_clear_progress(&cli);
    free(cli.overrides);
    free(cli.files);
    sf_context_destroy(&cli.context);
    if (fflush(stdout) != 0 && code == 0) {
        fprintf(stderr, "samflow: standard output could not be written\n");
        code = 1;
    }
    return sf_cli_exit_code(code);
}
