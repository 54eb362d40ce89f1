/* Arguments by the descriptor of the command: what it makes no use of is refused, with a hint. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"

/* ---- the common options ---------------------------------------------------------------------------------- */

enum common { SET, OUTPUT, FOLDER, MAX_SECONDS, EVENTS, JSON, QUIET, HELP, COMMON };

static const struct {
    sf_option option;
    char letter;
    unsigned uses;
} common[COMMON] = {
    [SET] = {{"set", "KEY.PATH=VALUE", "override one key of the experiment (repeatable)",
              .type = SF_OPTION_TEXT},
             0,
             SF_USES_SET},
    [OUTPUT] = {{"output", "FILE", "write the result to FILE", .type = SF_OPTION_OUTPUT},
                'o',
                SF_USES_OUTPUT},
    [FOLDER] = {{"output", "DIR", "write the result to the folder DIR", .type = SF_OPTION_OUTPUT},
                'o',
                SF_USES_FOLDER},
    [MAX_SECONDS] = {{"max-seconds", "N", "stop after N seconds as if by SIGTERM, and keep what there is",
                      .type = SF_OPTION_NUMBER, .low = 0.001, .high = 1e9},
                     0,
                     SF_USES_TIME},
    [EVENTS] = {{"events", "FILE", "append what happens to FILE, a JSON object a line",
                 .type = SF_OPTION_OUTPUT},
                0,
                SF_USES_EVENTS},
    [JSON] = {{"json", NULL, "one JSON document on standard output, nothing else there",
               .type = SF_OPTION_FLAG},
              0,
              0},
    [QUIET] = {{"quiet", NULL, "no progress and no reports on standard error", .type = SF_OPTION_FLAG}, 0, 0},
    [HELP] = {{"help", NULL, "this text", .type = SF_OPTION_FLAG}, 'h', 0},
};

const sf_option *sf_cli_common_option(size_t index, unsigned *uses)
{
    if (index >= COMMON)
        return NULL;
    *uses = common[index].uses;
    return &common[index].option;
}

static bool is_used(const sf_command *command, size_t index)
{
    return common[index].uses == 0 || (command->uses & common[index].uses) != 0;
}

const sf_option *sf_cli_option_of(const sf_command *command, size_t index)
{
    size_t own = 0;
    for (const sf_option *o = command->options; o && o->name; o++, own++)
        if (own == index)
            return o;
    for (size_t i = 0, at = own; i < COMMON; i++)
        if (is_used(command, i) && at++ == index)
            return &common[i].option;
    return NULL;
}

bool sf_cli_next_word(const char **at, char *word, size_t size)
{
    if (!*at || !**at)
        return false;
    size_t length = strcspn(*at, "|");
    snprintf(word, size, "%.*s", (int)length, *at);
    *at += length + ((*at)[length] == '|');
    return true;
}

/* ---- commands -------------------------------------------------------------------------------------------- */

/* How many words of argv spell the name. 0: it is another. */
static int spells(const char *name, int argc, char **argv)
{
    int words = 0;
    while (*name && words < argc) {
        size_t length = strcspn(name, " ");
        if (strncmp(name, argv[words], length) != 0 || argv[words][length] != '\0')
            return 0;
        name += length + (name[length] == ' ');
        words++;
    }
    return *name ? 0 : words;
}

const sf_command *sf_cli_find_command(int argc, char **argv, int *words)
{
    for (size_t i = 0; i < sf_command_count; i++)
        if ((*words = spells(sf_commands[i]->name, argc, argv)) > 0)
            return sf_commands[i];
    return NULL;
}

/* The commands of a group, "data info FILE..." or "data fetch NAME". */
static void list_group(const char *group, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sf_command_count && used < size; i++)
        if (sf_cli_is_of(sf_commands[i], group))
            used += (size_t)snprintf(text + used, size - used, "%s'%s %s'", used ? " or " : "",
                                     sf_commands[i]->name, sf_commands[i]->arguments);
}

int sf_cli_unknown_command(const sf_cli *cli, int argc, char **argv)
{
    const char *names[64], *word = argv[0];
    char group[256];
    size_t count = 0;
    for (size_t i = 0; i < sf_command_count && count < 64; i++)
        names[count++] = sf_commands[i]->name;
    list_group(word, group, sizeof group);
    if (*group && argc > 1)
        return sf_cli_usage(cli, "unknown command '%s %s', expected %s", word, argv[1], group);
    if (*group)
        return sf_cli_usage(cli, "expected %s", group);
    if (*word == '-')
        return sf_cli_usage(cli, "option '%s' before the command, expected samflow COMMAND [OPTIONS]", word);
    if (sf_cli_ends_with(word, ".yaml") || access(word, R_OK) == 0)
        return sf_cli_usage(cli, "unknown command '%s', did you mean 'samflow simulate %s'?", word, word);
    const char *nearest = sf_nearest_name(word, count, names);
    if (!nearest && argc > 1) { // "info FILE" for "data info FILE"
        for (size_t i = 0; i < count && !nearest; i++) {
            const char *second = strchr(names[i], ' ');
            nearest = second && strcmp(second + 1, word) == 0 ? names[i] : NULL;
        }
    }
    if (nearest)
        return sf_cli_usage(cli, "unknown command '%s', did you mean '%s'?", word, nearest);
    return sf_cli_usage(cli, "unknown command '%s'", word);
}

/* ---- options that a command does not have ---------------------------------------------------------------- */

/* Names that people know from elsewhere. */
static const struct {
    const char *tried, *name;
} habits[] = {{"out", "output"},
              {"outfile", "output"},
              {"output-file", "output"},
              {"O", "output"},
              {"q", "quiet"},
              {"silent", "quiet"},
              {"s", "set"},
              {"override", "set"},
              {"param", "set"},
              {"D", "set"},
              {"j", "threads"},
              {"jobs", "threads"},
              {"n", "threads"},
              {"workers", "threads"},
              {"nproc", "threads"},
              {"num-threads", "threads"},
              {"timeout", "max-seconds"},
              {"time-limit", "max-seconds"},
              {"max-time", "max-seconds"},
              {"log", "events"},
              {"format", "output"},
              {"claim", "only"},
              {"usage", "help"},
              {"colour", "color"},
              {"z", "color"},
              {"filter", "where"},
              {"dry", "dry-run"},
              {"n-threads", "threads"},
              {"t", "threads"},
              {"c", "checkpoint"},
              {"restart", "resume"}};

static const sf_option *option_named(const sf_command *command, const char *name)
{
    const sf_option *o;
    for (size_t i = 0; (o = sf_cli_option_of(command, i)) != NULL; i++)
        if (strcmp(o->name, name) == 0)
            return o;
    return NULL;
}

/* The setting whose key ends in this name: "rho" -> "optimizer.rho". NULL: none. */
static const char *setting_named(const char *name)
{
    sf_setting_info info;
    for (size_t i = 0; sf_settings_describe(i, &info); i++) {
        const char *dot = strrchr(info.key, '.');
        if (strcmp(info.key, name) == 0 || (dot && strcmp(dot + 1, name) == 0))
            return info.key;
    }
    return NULL;
}

/* The commands that do have the option: "samflow sweep, samflow bench". */
static void list_owners(const char *name, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < sf_command_count && used < size; i++)
        if (option_named(sf_commands[i], name))
            used += (size_t)snprintf(text + used, size - used, "%ssamflow %s", used ? ", " : "",
                                     sf_commands[i]->name);
}

static int refuse_option(const sf_cli *cli, const char *argument)
{
    const sf_command *command = cli->command;
    char name[128], owners[512], text[128];
    const char *names[64], *bare = argument + strspn(argument, "-");
    size_t count = 0;
    snprintf(name, sizeof name, "%.*s", (int)strcspn(bare, "="), bare);
    list_owners(name, owners, sizeof owners);
    if (strcmp(name, "o") == 0 || strcmp(name, "output") == 0 || strcmp(name, "set") == 0)
        return sf_cli_usage(cli, "samflow %s makes no use of '%s'%s", command->name, argument,
                            command->written ? "; its first argument is what it writes" : "");
    if (*owners)
        return sf_cli_usage(cli, "samflow %s makes no use of '--%s', an option of %s", command->name, name,
                            owners);
    const char *meant = NULL;
    for (size_t i = 0; i < sizeof habits / sizeof *habits && !meant; i++)
        if (strcmp(habits[i].tried, name) == 0 && option_named(command, habits[i].name))
            meant = habits[i].name;
    if (!meant && strcmp(name, "version") != 0 && (command->uses & SF_USES_SET) && setting_named(name))
        return sf_cli_usage(cli, "unknown option '%s', did you mean '--set %s=VALUE'?", argument,
                            setting_named(name));
    const sf_option *o;
    for (size_t i = 0; (o = sf_cli_option_of(command, i)) != NULL && count < 64; i++)
        names[count++] = o->name;
    if (!meant)
        meant = sf_nearest_name(name, count, names);
    if (meant)
        return sf_cli_usage(cli, "unknown option '%s', did you mean '%s'?", argument,
                            sf_cli_option_text(option_named(command, meant), text, sizeof text));
    return sf_cli_usage(cli, "unknown option '%s'", argument);
}

/* ---- values ---------------------------------------------------------------------------------------------- */

static int check_choice(const sf_cli *cli, const sf_option *option, const char *text)
{
    char word[64], list[256] = "";
    const char *names[32], *at = option->choices;
    char kept[32][64];
    size_t count = 0;
    for (; count < 32 && sf_cli_next_word(&at, word, sizeof word); count++) {
        if (strcmp(word, text) == 0)
            return -1;
        snprintf(kept[count], sizeof kept[count], "%s", word);
        names[count] = kept[count];
    }
    for (size_t i = 0, used = 0; i < count && used < sizeof list; i++)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                 i == 0          ? ""
                                 : i + 1 < count ? ", "
                                                 : " or ",
                                 names[i]);
    const char *nearest = sf_nearest_name(text, count, names);
    if (nearest)
        return sf_cli_usage(cli, "--%s is '%s', did you mean '%s'? Expected %s", option->name, text, nearest,
                            list);
    return sf_cli_usage(cli, "--%s is '%s', expected %s", option->name, text, list);
}

static int check_number(const sf_cli *cli, const sf_option *option, const char *text, double *number)
{
    char *end;
    bool whole = option->type == SF_OPTION_COUNT;
    errno = 0;
    *number = strtod(text, &end);
    bool good = *end == '\0' && end > text && errno == 0 && *number >= option->low && *number <= option->high;
    good = good && (!whole || strspn(text, "0123456789") == strlen(text));
    if (good)
        return -1;
    if (!whole && option->high >= 1e300)
        return sf_cli_usage(cli, "--%s is '%s', expected a number %s", option->name, text,
                            option->low >= 1.0 ? ">= 1" : "> 0");
    return sf_cli_usage(cli, "--%s is '%s', expected a %snumber from %.10g to %.10g", option->name, text,
                        whole ? "whole " : "", option->low, option->high);
}

static int take_value(sf_cli *cli, const sf_option *option, const char *text, sf_cli_value *value)
{
    if (value->text && option->type != SF_OPTION_FLAG)
        return sf_cli_usage(cli, "option '--%s' is given twice", option->name);
    value->text = text;
    if (option->type == SF_OPTION_CHOICE)
        return check_choice(cli, option, text);
    if (option->type == SF_OPTION_COUNT || option->type == SF_OPTION_NUMBER)
        return check_number(cli, option, text, &value->number);
    return -1;
}

static int take_common(sf_cli *cli, size_t index, const char *text)
{
    sf_cli_value number = {0};
    const char **slot = index == OUTPUT || index == FOLDER ? &cli->output
                        : index == EVENTS                  ? &cli->events_path
                                                           : NULL;
    if (slot && *slot)
        return sf_cli_usage(cli, "option '--%s' is given twice", common[index].option.name);
    if (slot)
        *slot = text;
    else if (index == SET)
        cli->overrides[cli->override_count++] = text; // sized by argc
    else if (index == JSON)
        cli->json = true;
    else if (index == QUIET)
        cli->quiet = true;
    else if (index == MAX_SECONDS && cli->max_seconds > 0.0)
        return sf_cli_usage(cli, "option '--max-seconds' is given twice");
    else if (index == MAX_SECONDS) {
        int code = take_value(cli, &common[index].option, text, &number);
        cli->max_seconds = number.number;
        return code;
    }
    return -1;
}

/* ---- the walk -------------------------------------------------------------------------------------------- */

/* Whether argument is the option, as --name, --name=VALUE, -x or -xVALUE; *value: what stands in the same word, or NULL. */
static bool matches(const char *argument, const sf_option *option, char letter, const char **value)
{
    size_t length = strlen(option->name);
    *value = NULL;
    if (argument[1] == '-') {
        if (strncmp(argument + 2, option->name, length) != 0)
            return false;
        *value = argument[length + 2] == '=' ? argument + length + 3 : NULL;
        return *value || argument[length + 2] == '\0';
    }
    if (!letter || argument[1] != letter)
        return false;
    if (argument[2])
        *value = argument + 2 + (argument[2] == '=');
    return true;
}

/* One option at argv[*at], which moves on past its value. -1 to go on; *help: the help is asked for. */
static int take_option(sf_cli *cli, int argc, char **argv, int *at, bool *help)
{
    const char *argument = argv[*at], *value = NULL;
    const sf_option *option = NULL;
    size_t own = 0, index = COMMON;
    for (const sf_option *o = cli->command->options; o && o->name && !option; o++, own++)
        if (matches(argument, o, 0, &value))
            option = o;
    for (size_t i = 0; i < COMMON && !option; i++)
        if (is_used(cli->command, i) && matches(argument, &common[i].option, common[i].letter, &value)) {
            option = &common[i].option;
            index = i;
        }
    if (!option)
        return refuse_option(cli, argument);
    if (option->type == SF_OPTION_FLAG && value)
        return sf_cli_usage(cli, "option '--%s' takes no value, found '%s'", option->name, argument);
    if (option->type != SF_OPTION_FLAG && !value) {
        if (*at + 1 >= argc)
            return sf_cli_usage(cli, "option '%s' needs a value", argument);
        value = argv[++*at];
    }
    if (value && !*value)
        return sf_cli_usage(cli, "option '--%s' has an empty value, expected %s", option->name,
                            option->metavar);
    *help = *help || index == HELP;
    if (index < COMMON)
        return take_common(cli, index, value);
    return take_value(cli, option, value ? value : "", &cli->value[own - 1]);
}

/* An option that says what is done stands alone. */
static int check_alone(const sf_cli *cli)
{
    const sf_option *alone = NULL, *other = NULL;
    for (size_t i = 0; cli->command->options && cli->command->options[i].name; i++)
        if (cli->value[i].text && cli->command->options[i].alone && !alone)
            alone = &cli->command->options[i];
        else if (cli->value[i].text)
            other = &cli->command->options[i];
    if (!alone)
        return -1;
    if (cli->file)
        return sf_cli_usage(cli, "--%s stands alone, found also the argument '%s'", alone->name, cli->file);
    const char *name = other                      ? other->name
                       : cli->output              ? "output"
                       : cli->override_count      ? "set"
                       : cli->max_seconds > 0.0   ? "max-seconds"
                       : cli->events_path != NULL ? "events"
                                                  : NULL;
    if (name)
        return sf_cli_usage(cli, "--%s stands alone, --%s has no use beside it", alone->name, name);
    return 0;
}

static int check_counts(const sf_cli *cli)
{
    int alone = check_alone(cli);
    if (alone != -1)
        return alone == 0 ? -1 : alone;
    if ((int)cli->file_count < cli->command->least)
        return sf_cli_usage(cli, "%s", cli->command->missing);
    return -1;
}

int sf_cli_parse(sf_cli *cli, int argc, char **argv)
{
    bool only_files = false, help = false;
    for (int i = 0; i < argc; i++) {
        const char *argument = argv[i];
        if (!only_files && strcmp(argument, "--") == 0) {
            only_files = true;
        } else if (!only_files && argument[0] == '-' && argument[1] != '\0') {
            int code = take_option(cli, argc, argv, &i, &help);
            if (code >= 0)
                return code;
        } else if (!*argument) {
            return sf_cli_usage(cli, "an argument is empty, expected %s",
                                *cli->command->arguments ? cli->command->arguments : "none");
        } else {
            cli->files[cli->file_count++] = argument; // sized by argc
        }
    }
    if (help) {
        sf_cli_print_help(stdout, cli->command->name);
        return 0;
    }
    cli->file = cli->file_count ? cli->files[0] : NULL;
    if (cli->output && strcmp(cli->output, "-") == 0) {
        if (!cli->command->output || !strstr(cli->command->output, ".json"))
            return sf_cli_usage(cli,
                                "samflow %s does not write to standard output, expected the name of a file",
                                cli->command->name);
        cli->output = NULL;
        cli->json = true;
    }
    if (cli->command->most < (int)cli->file_count)
        return sf_cli_usage(cli, "unexpected argument '%s'", cli->files[cli->command->most]);
    return check_counts(cli);
}

int sf_cli_refuse(const sf_cli *cli, size_t count, const int *places, const char *why)
{
    for (size_t i = 0; i < count; i++)
        if (cli->value[places[i]].text)
            return sf_cli_usage(cli, "--%s %s", cli->command->options[places[i]].name, why);
    return -1;
}
