/* Completion for bash, zsh and fish, from the descriptors: commands, options, choices, and files by their endings. */
#include <string.h>

#include "cli/cli.h"

/* ---- what the shells share ------------------------------------------------------------------------------- */

static bool is_file(const sf_option *option)
{
    return option->type == SF_OPTION_INPUT || option->type == SF_OPTION_OUTPUT;
}

/* The endings of the files of an option: its own, or those of -o. NULL or "": any. */
static const char *endings_of(const sf_command *command, const sf_option *option)
{
    return strcmp(option->name, "output") == 0 ? command->output : option->choices;
}

/* The first words, each once: "simulate", "data". */
static bool is_first_of_group(size_t index)
{
    size_t length = strcspn(sf_commands[index]->name, " ");
    return index == 0 || strncmp(sf_commands[index - 1]->name, sf_commands[index]->name, length) != 0 ||
           sf_commands[index - 1]->name[length] != ' ';
}

/* Text within single quotes of a shell. */
static void print_quoted(FILE *stream, const char *text)
{
    for (; *text; text++)
        fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, stream);
}

/* ---- bash ------------------------------------------------------------------------------------------------ */

static void print_words(FILE *stream, const char *choices)
{
    char word[64];
    for (bool first = true; sf_cli_next_word(&choices, word, sizeof word); first = false)
        fprintf(stream, "%s%s", first ? "" : " ", word);
}

/* compgen of files by ending and of folders. */
static void print_bash_files(FILE *stream, const char *endings)
{
    char word[16];
    if (!endings || !*endings) {
        fputs("COMPREPLY=($(compgen -f -- \"$current\"))", stream);
        return;
    }
    fputs("COMPREPLY=($(compgen -d -- \"$current\")", stream);
    while (sf_cli_next_word(&endings, word, sizeof word))
        fprintf(stream, " $(compgen -f -X '!*%s' -- \"$current\")", word);
    fputs(")", stream);
}

static void print_bash_command(FILE *stream, const sf_command *command)
{
    const sf_option *option;
    fprintf(stream, "        '%s')\n            case \"$previous\" in\n", command->name);
    for (size_t i = 0; (option = sf_cli_option_of(command, i)) != NULL; i++) {
        if (option->type == SF_OPTION_FLAG)
            continue;
        fprintf(stream, "                %s--%s) ", strcmp(option->name, "output") == 0 ? "-o | " : "",
                option->name);
        if (option->type == SF_OPTION_CHOICE) {
            fputs("COMPREPLY=($(compgen -W '", stream);
            print_words(stream, option->choices);
            fputs("' -- \"$current\"))", stream);
        } else if (is_file(option)) {
            print_bash_files(stream, endings_of(command, option));
        } else if (option->type == SF_OPTION_FOLDER) {
            fputs("COMPREPLY=($(compgen -d -- \"$current\"))", stream);
        } else {
            fputs("COMPREPLY=()", stream);
        }
        fputs("; return ;;\n", stream);
    }
    fputs("            esac\n            if [[ $current == -* ]]; then\n                COMPREPLY=($(compgen "
          "-W '",
          stream);
    for (size_t i = 0; (option = sf_cli_option_of(command, i)) != NULL; i++)
        fprintf(stream, "%s--%s", i ? " " : "", option->name);
    fputs("' -- \"$current\"))\n            else\n                ", stream);
    if (command->files)
        print_bash_files(stream, command->files);
    else if (command == &sf_command_help)
        fputs("COMPREPLY=($(compgen -W \"$commands\" -- \"$current\"))", stream);
    else
        fputs("COMPREPLY=()", stream);
    fputs("\n            fi ;;\n", stream);
}

static void print_bash(FILE *stream)
{
    fputs("# bash completion of samflow, made by `samflow help --completion bash`\n"
          "_samflow() {\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} "
          "command=${COMP_WORDS[1]}\n"
          "    local commands='",
          stream);
    for (size_t i = 0; i < sf_command_count; i++)
        if (is_first_of_group(i))
            fprintf(stream, "%s%.*s", i ? " " : "", (int)strcspn(sf_commands[i]->name, " "),
                    sf_commands[i]->name);
    fputs("'\n    COMPREPLY=()\n"
          "    if ((COMP_CWORD == 1)); then\n"
          "        COMPREPLY=($(compgen -W \"$commands --help --version\" -- \"$current\"))\n        "
          "return\n    fi\n",
          stream);
    for (size_t i = 0; i < sf_command_count; i++)
        if (is_first_of_group(i) && strchr(sf_commands[i]->name, ' ')) {
            int length = (int)strcspn(sf_commands[i]->name, " ");
            fprintf(stream,
                    "    if [[ $command == %.*s ]]; then\n        if ((COMP_CWORD == 2)); then\n"
                    "            COMPREPLY=($(compgen -W '",
                    length, sf_commands[i]->name);
            for (size_t k = i; k < sf_command_count; k++)
                if (strncmp(sf_commands[k]->name, sf_commands[i]->name, (size_t)length + 1) == 0)
                    fprintf(stream, "%s%s", k > i ? " " : "", sf_commands[k]->name + length + 1);
            fputs("' -- \"$current\"))\n            return\n        fi\n"
                  "        command=\"$command ${COMP_WORDS[2]}\"\n    fi\n",
                  stream);
        }
    fputs("    case \"$command\" in\n", stream);
    for (size_t i = 0; i < sf_command_count; i++)
        print_bash_command(stream, sf_commands[i]);
    fputs("    esac\n}\ncomplete -o filenames -F _samflow samflow\n", stream);
}

/* ---- zsh ------------------------------------------------------------------------------------------------- */

/* '*.(json|csv)' of ".json|.csv". */
static void print_zsh_files(FILE *stream, const char *endings)
{
    char word[16];
    if (!endings || !*endings) {
        fputs("_files", stream);
        return;
    }
    fputs("_files -g \"*.(", stream);
    for (bool first = true; sf_cli_next_word(&endings, word, sizeof word); first = false)
        fprintf(stream, "%s%s", first ? "" : "|", word + 1);
    fputs(")\"", stream);
}

/* Within '...[...]' of _arguments: brackets, colons and quotes. */
static void print_zsh_text(FILE *stream, const char *text)
{
    for (; *text; text++) {
        if (*text == '[' || *text == ']' || *text == ':' || *text == '\\')
            putc('\\', stream);
        fputs(*text == '\'' ? "'\\''" : (char[]){*text, '\0'}, stream);
    }
}

static void print_zsh_command(FILE *stream, const sf_command *command)
{
    const sf_option *option;
    fprintf(stream, "        '%s')\n            _arguments -s", command->name);
    for (size_t i = 0; (option = sf_cli_option_of(command, i)) != NULL; i++) {
        bool output = strcmp(option->name, "output") == 0, again = strcmp(option->name, "set") == 0;
        fprintf(stream, " \\\n                '%s--%s%s[", again ? "*" : "", option->name,
                option->type == SF_OPTION_FLAG ? "" : "=");
        print_zsh_text(stream, option->meaning);
        fputs("]", stream);
        if (option->type != SF_OPTION_FLAG) {
            fputs(":", stream);
            print_zsh_text(stream, option->metavar);
            fputs(":", stream);
        }
        if (option->type == SF_OPTION_CHOICE) {
            fputs("(", stream);
            print_words(stream, option->choices);
            fputs(")", stream);
        } else if (is_file(option)) {
            print_zsh_files(stream, endings_of(command, option));
        } else if (option->type == SF_OPTION_FOLDER) {
            fputs("_files -/", stream);
        }
        fputs("'", stream);
        if (output) {
            fputs(" \\\n                '-o[", stream);
            print_zsh_text(stream, option->meaning);
            fputs("]:FILE:", stream);
            print_zsh_files(stream, command->output);
            fputs("'", stream);
        }
    }
    if (command->files) {
        fputs(" \\\n                '*:file:", stream);
        print_zsh_files(stream, command->files);
        fputs("'", stream);
    }
    fputs(" ;;\n", stream);
}

static void print_zsh(FILE *stream)
{
    fputs("#compdef samflow\n# zsh completion of samflow, made by `samflow help --completion zsh`\n"
          "_samflow() {\n    local command=$words[2]\n    if ((CURRENT == 2)); then\n        local -a "
          "commands=(",
          stream);
    for (size_t i = 0; i < sf_command_count; i++)
        if (is_first_of_group(i)) {
            fprintf(stream, "\n            '%.*s:", (int)strcspn(sf_commands[i]->name, " "),
                    sf_commands[i]->name);
            print_quoted(stream, sf_commands[i]->summary);
            fputs("'", stream);
        }
    fputs(")\n        _describe command commands\n        return\n    fi\n", stream);
    for (size_t i = 0; i < sf_command_count; i++)
        if (is_first_of_group(i) && strchr(sf_commands[i]->name, ' ')) {
            int length = (int)strcspn(sf_commands[i]->name, " ");
            fprintf(stream,
                    "    if [[ $command == %.*s ]]; then\n        if ((CURRENT == 3)); then\n"
                    "            compadd",
                    length, sf_commands[i]->name);
            for (size_t k = i; k < sf_command_count; k++)
                if (strncmp(sf_commands[k]->name, sf_commands[i]->name, (size_t)length + 1) == 0)
                    fprintf(stream, " %s", sf_commands[k]->name + length + 1);
            fputs("\n            return\n        fi\n        command=\"$command $words[3]\"\n"
                  "        shift words\n        ((CURRENT--))\n    fi\n",
                  stream);
        }
    fputs("    shift words\n    ((CURRENT--))\n    case $command in\n", stream);
    for (size_t i = 0; i < sf_command_count; i++)
        print_zsh_command(stream, sf_commands[i]);
    fputs("    esac\n}\n_samflow \"$@\"\n", stream);
}

/* ---- fish ------------------------------------------------------------------------------------------------ */

/* The condition under which a command's options are offered. */
static void print_fish_condition(FILE *stream, const sf_command *command)
{
    int length = (int)strcspn(command->name, " ");
    fprintf(stream, "complete -c samflow -n '__fish_seen_subcommand_from %.*s", length, command->name);
    if (command->name[length])
        fprintf(stream, "; and __fish_seen_subcommand_from %s", command->name + length + 1);
    fputs("'", stream);
}

static void print_fish_option(FILE *stream, const sf_command *command, const sf_option *option)
{
    print_fish_condition(stream, command);
    fprintf(stream, " -l %s", option->name);
    if (strcmp(option->name, "output") == 0)
        fputs(" -s o", stream);
    if (option->type == SF_OPTION_CHOICE) {
        fputs(" -x -a '", stream);
        print_words(stream, option->choices);
        fputs("'", stream);
    } else if (is_file(option) || option->type == SF_OPTION_FOLDER) {
        fputs(" -r -F", stream);
    } else if (option->type != SF_OPTION_FLAG) {
        fputs(" -x", stream);
    }
    fputs(" -d '", stream);
    print_quoted(stream, option->meaning);
    fputs("'\n", stream);
}

static void print_fish(FILE *stream)
{
    fputs("# fish completion of samflow, made by `samflow help --completion fish`\ncomplete -c samflow -f\n",
          stream);
    for (size_t i = 0; i < sf_command_count; i++) {
        const sf_command *command = sf_commands[i];
        int length = (int)strcspn(command->name, " ");
        if (is_first_of_group(i)) {
            fprintf(stream, "complete -c samflow -n __fish_use_subcommand -a %.*s -d '", length,
                    command->name);
            print_quoted(stream, command->summary);
            fputs("'\n", stream);
        }
        if (command->name[length]) {
            fprintf(stream, "complete -c samflow -n '__fish_seen_subcommand_from %.*s' -a %s -d '", length,
                    command->name, command->name + length + 1);
            print_quoted(stream, command->summary);
            fputs("'\n", stream);
        }
        if (command->files) {
            print_fish_condition(stream, command);
            fputs(" -F\n", stream);
        }
        const sf_option *option;
        for (size_t k = 0; (option = sf_cli_option_of(command, k)) != NULL; k++)
            print_fish_option(stream, command, option);
    }
}

bool sf_cli_print_completion(FILE *stream, const char *shell)
{
    if (strcmp(shell, "bash") == 0)
        print_bash(stream);
    else if (strcmp(shell, "zsh") == 0)
        print_zsh(stream);
    else if (strcmp(shell, "fish") == 0)
        print_fish(stream);
    else
        return false;
    return !ferror(stream);
}
