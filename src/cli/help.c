/* Help from the descriptors: the overview, a command, a group of commands, and the table of doc/commands.md. */
#include <string.h>

#include "cli/cli.h"

bool sf_cli_is_of(const sf_command *command, const char *name)
{
    size_t length = strlen(name);
    return strncmp(command->name, name, length) == 0 &&
           (command->name[length] == '\0' || command->name[length] == ' ');
}

const char *sf_cli_option_text(const sf_option *option, char *buffer, size_t size)
{
    bool output = strcmp(option->name, "output") == 0, help = strcmp(option->name, "help") == 0;
    snprintf(buffer, size, "%s--%s%s%s",
             output ? "-o, "
             : help ? "-h, "
                    : "",
             option->name, option->metavar ? " " : "", option->metavar ? option->metavar : "");
    return buffer;
}

/* "(.json, .csv or .h5)" after the meaning of -o. */
static void print_meaning(FILE *stream, const sf_command *command, const sf_option *option)
{
    fputs(option->meaning, stream);
    if (strcmp(option->name, "output") != 0 || !command->output || !*command->output)
        return;
    const char *at = command->output;
    char word[16];
    fputs(", by its ending", stream);
    for (bool first = true; sf_cli_next_word(&at, word, sizeof word); first = false)
        fprintf(stream, "%s%s", first ? " " : *at ? ", " : " or ", word);
}

void sf_cli_print_overview(FILE *stream)
{
    fprintf(stream,
            "samflow %s - the implicit bias of sharpness-aware minimization\n\n"
            "usage: samflow COMMAND [OPTIONS] [FILE.yaml]\n\ncommands:\n",
            sf_version());
    for (size_t i = 0; i < sf_command_count; i++)
        fprintf(stream, "  %-11s %s\n", sf_commands[i]->name, sf_commands[i]->summary);
    fprintf(stream, "\nsamflow COMMAND --help says more; samflow --version prints the version.\n");
}

static void print_usage(FILE *stream, const sf_command *command, const char *lead)
{
    fprintf(stream, "%s samflow %s [OPTIONS]%s%s\n", lead, command->name, *command->arguments ? " " : "",
            command->arguments);
}

static void print_command(FILE *stream, const sf_command *command)
{
    fprintf(stream, "samflow %s - %s\n\n", command->name, command->summary);
    print_usage(stream, command, "usage:");
    fprintf(stream, "\noptions:\n");
    const sf_option *option;
    for (size_t i = 0; (option = sf_cli_option_of(command, i)) != NULL; i++) {
        char left[64];
        fprintf(stream, "  %-26s ", sf_cli_option_text(option, left, sizeof left));
        print_meaning(stream, command, option);
        fputc('\n', stream);
    }
    if (command->example)
        fprintf(stream, "\nexample: %s\n", command->example);
}

void sf_cli_print_help(FILE *stream, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < sf_command_count; i++)
        count += sf_cli_is_of(sf_commands[i], name);
    for (size_t i = 0; i < sf_command_count; i++)
        if (count == 1 && sf_cli_is_of(sf_commands[i], name))
            print_command(stream, sf_commands[i]);
    if (count == 1)
        return;
    fprintf(stream, "samflow %s\n\n", name);
    for (size_t i = 0, shown = 0; i < sf_command_count; i++)
        if (sf_cli_is_of(sf_commands[i], name)) {
            print_usage(stream, sf_commands[i], shown++ ? "      " : "usage:");
            fprintf(stream, "         %s\n", sf_commands[i]->summary);
        }
    for (size_t i = 0, shown = 0; i < sf_command_count; i++)
        if (sf_cli_is_of(sf_commands[i], name))
            fprintf(stream, "%ssamflow help %s", shown++ ? " and " : "\n", sf_commands[i]->name);
    fprintf(stream, " say more.\n");
}

/* ---- Markdown -------------------------------------------------------------------------------------------- */

/* Text in a cell of a table. */
static void print_cell(FILE *stream, const char *text)
{
    for (; *text; text++)
        fprintf(stream, *text == '|' ? "\\%c" : "%c", *text);
}

void sf_cli_print_markdown(FILE *stream)
{
    for (size_t i = 0; i < sf_command_count; i++) {
        const sf_command *command = sf_commands[i];
        const sf_option *option;
        fprintf(stream, "### samflow %s %s\n\n%c%s.\n\n| option | meaning |\n| --- | --- |\n", command->name,
                command->arguments, command->summary[0] - ('a' <= command->summary[0] ? 32 : 0),
                command->summary + 1);
        for (size_t k = 0; (option = sf_cli_option_of(command, k)) != NULL; k++) {
            char text[64];
            fputs("| `", stream);
            print_cell(stream, sf_cli_option_text(option, text, sizeof text));
            fputs("` | ", stream);
            print_meaning(stream, command, option);
            fputs(" |\n", stream);
        }
        fputs(i + 1 < sf_command_count ? "\n" : "", stream);
    }
}

/* ---- samflow help ---------------------------------------------------------------------------------------- */

static void write_option(sf_json *json, const sf_option *option)
{
    static const char *const type[] = {"flag",   "text",  "choice", "count",
                                       "number", "input", "output", "folder"};
    sf_json_open_object(json, NULL);
    sf_json_string(json, "name", option->name);
    sf_json_string(json, "metavar", option->metavar);
    sf_json_string(json, "type", type[option->type]);
    sf_json_string(json, "meaning", option->meaning);
    sf_json_close_object(json);
}

/* The descriptors of the command or group; all where name is NULL. */
static bool write_commands(const void *subject, FILE *stream)
{
    const char *name = subject;
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_open_array(&json, "commands");
    for (size_t i = 0; i < sf_command_count; i++) {
        const sf_option *option;
        if (name && !sf_cli_is_of(sf_commands[i], name))
            continue;
        sf_json_open_object(&json, NULL);
        sf_json_string(&json, "name", sf_commands[i]->name);
        sf_json_string(&json, "arguments", sf_commands[i]->arguments);
        sf_json_string(&json, "summary", sf_commands[i]->summary);
        sf_json_open_array(&json, "options");
        for (size_t k = 0; (option = sf_cli_option_of(sf_commands[i], k)) != NULL; k++)
            write_option(&json, option);
        sf_json_close_array(&json);
        sf_json_close_object(&json);
    }
    sf_json_close_array(&json);
    sf_json_close_object(&json);
    return sf_json_finish(&json);
}

enum { MAN, MARKDOWN, COMPLETION };

/* "data" and "info" as one name. Empty where no argument is given. */
static int read_name(const sf_cli *cli, char *name, size_t size)
{
    name[0] = '\0';
    for (size_t i = 0, used = 0; i < cli->file_count && used < size; i++)
        used += (size_t)snprintf(name + used, size - used, "%s%s", i ? " " : "", cli->files[i]);
    for (size_t i = 0; i < sf_command_count; i++)
        if (sf_cli_is_of(sf_commands[i], name))
            return -1;
    char *words[2] = {(char *)cli->files[0], (char *)(cli->file_count > 1 ? cli->files[1] : NULL)};
    return *name ? sf_cli_unknown_command(cli, (int)cli->file_count, words) : -1;
}

static int run(sf_cli *cli)
{
    char name[128];
    bool man = cli->value[MAN].text, markdown = cli->value[MARKDOWN].text;
    const char *shell = cli->value[COMPLETION].text;
    int code = read_name(cli, name, sizeof name);
    if (code >= 0)
        return code;
    if (man + markdown + (shell != NULL) + cli->json > 1)
        return sf_cli_usage(cli, "--man, --markdown, --completion and --json exclude each other");
    if (*name && (markdown || shell))
        return sf_cli_usage(cli, "--%s is of all commands, found also '%s'",
                            markdown ? "markdown" : "completion", name);
    if (cli->json)
        return sf_cli_print_document(cli, write_commands, *name ? name : NULL);
    if (man)
        sf_cli_print_manual(stdout, *name ? name : NULL);
    else if (markdown)
        sf_cli_print_markdown(stdout);
    else if (shell)
        sf_cli_print_completion(stdout, shell);
    else if (*name)
        sf_cli_print_help(stdout, name);
    else
        sf_cli_print_overview(stdout);
    return 0;
}

static const sf_option options[] = {
    [MAN] = {"man", NULL, "the manual page, in roff", .type = SF_OPTION_FLAG},
    [MARKDOWN] = {"markdown", NULL, "all commands and options as Markdown", .type = SF_OPTION_FLAG},
    [COMPLETION] = {"completion", "SHELL", "the completion of a shell: bash, zsh or fish",
                    .type = SF_OPTION_CHOICE, .choices = "bash|zsh|fish"},
    {0}};

const sf_command sf_command_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .summary = "what the commands do, as --help does; manual pages and completion",
    .text = "Without a name, an overview. The manual pages, the completions of shells and the tables of "
            "doc/commands.md "
            "are made by this command, from the descriptors that the program itself obeys.",
    .example = "samflow help sweep",
    .options = options,
    .most = 2,
    .run = run,
};
