/* Manual pages in roff, from the descriptors: samflow(1), and samflow-COMMAND(1) of each command or group. */
#include <ctype.h>
#include <string.h>

#include "cli/cli.h"

/* Text with what roff would read as its own made plain; an empty line begins a paragraph. */
static void print_roff(FILE *stream, const char *text)
{
    for (bool start = true; *text; text++) {
        if (text[0] == '\n' && text[1] == '\n') {
            fputs("\n.PP\n", stream);
            text++;
            start = true;
            continue;
        }
        if (start && (*text == '.' || *text == '\''))
            fputs("\\&", stream);
        start = *text == '\n';
        if (*text == '-' || *text == '\\')
            fputs(*text == '-' ? "\\-" : "\\e", stream);
        else
            putc(*text, stream);
    }
}

static void section(FILE *stream, const char *title, const char *text)
{
    fprintf(stream, ".SH %s\n", title);
    print_roff(stream, text);
    putc('\n', stream);
}

/* "samflow-data-info" */
static void print_page_name(FILE *stream, const char *name)
{
    fputs("samflow\\-", stream);
    for (; *name; name++)
        fputs(*name == ' ' || *name == '-' ? "\\-" : (char[]){*name, '\0'}, stream);
}

static void print_options(FILE *stream, const sf_command *command)
{
    const sf_option *option;
    for (size_t i = 0; (option = sf_cli_option_of(command, i)) != NULL; i++) {
        char text[64];
        fputs(".TP\n.B ", stream);
        print_roff(stream, sf_cli_option_text(option, text, sizeof text));
        putc('\n', stream);
        print_roff(stream, option->meaning);
        if (strcmp(option->name, "output") == 0 && command->output && *command->output) {
            const char *at = command->output;
            char word[16];
            fputs(", by its ending", stream);
            for (bool first = true; sf_cli_next_word(&at, word, sizeof word); first = false)
                fprintf(stream, "%s%s", first ? " " : *at ? ", " : " or ", word);
        }
        fputs(".\n", stream);
    }
}

static const char exit_status[] =
    ".SH EXIT STATUS\n"
    ".TP\n.B 0\ndone\n"
    ".TP\n.B 2\nwrong usage or experiment file; a file on the command line that is not there\n"
    ".TP\n.B 3\ndata unreadable, malformed or not what the command needs (not separable: margin still prints "
    "its "
    "certificate)\n"
    ".TP\n.B 4\nthe numerics failed (diverged, no convergence); what was computed is still written\n"
    ".TP\n.B 5\nreproduce found a claim not reproduced\n"
    ".TP\n.B 6\na sweep ended with failed points\n"
    ".TP\n.B 75\na shard waits for the results of others\n"
    ".TP\n.B 130\ninterrupted by Ctrl\\-C; nothing written so far is lost\n"
    ".TP\n.B 143\nended by SIGTERM, SIGUSR1 or SIGUSR2, as batch systems send them, or by "
    "\\-\\-max\\-seconds; nothing "
    "written so far is lost\n"
    ".TP\n.B 1\nanything else\n";

static void print_main(FILE *stream)
{
    fprintf(stream, ".TH SAMFLOW 1 \"\" \"samflow %s\" \"User Commands\"\n", sf_version());
    section(stream, "NAME",
            "samflow - implicit bias of sharpness-aware minimization on deep linear diagonal networks");
    fputs(".SH SYNOPSIS\n.B samflow\n.I COMMAND\n.RI [ OPTIONS ]\n.RI [ FILE.yaml ]\n", stream);
    section(
        stream, "DESCRIPTION",
        "samflow simulates gradient descent and sharpness-aware minimization (SAM) on linear diagonal "
        "networks\n"
        "of any depth, as discrete updates and as continuous flows, predicts how they go from exact "
        "theory,\n"
        "certifies limit directions against max-margin classifiers, sweeps grids of experiments, and "
        "reproduces the\n"
        "claims of the paper \"Minor First, Major Last: A Depth-Induced Implicit Bias of Sharpness-Aware\n"
        "Minimization\" (ICLR 2026, arXiv:2603.08290).\n\n"
        "An experiment is a YAML file that names data, network, optimizer, loss, dynamics and record;\n"
        "samflow simulate --settings prints every key with its default. A single - reads it from standard "
        "input.\n"
        "Each command has a manual page of its own, samflow-COMMAND(1).");
    fputs(".SH COMMANDS\n", stream);
    for (size_t i = 0; i < sf_command_count; i++) {
        fprintf(stream, ".TP\n.B %s ", sf_commands[i]->name);
        print_roff(stream, sf_commands[i]->arguments);
        putc('\n', stream);
        putc(toupper((unsigned char)sf_commands[i]->summary[0]), stream);
        print_roff(stream, sf_commands[i]->summary + 1);
        fputs(".\n", stream);
    }
    fputs(".SH OPTIONS\nCommon to the commands that make use of them; each prints its own with \\-\\-help.\n",
          stream);
    const sf_option *option;
    unsigned uses;
    for (size_t i = 0; (option = sf_cli_common_option(i, &uses)) != NULL; i++) {
        char text[64];
        fputs(".TP\n.B ", stream);
        print_roff(stream, sf_cli_option_text(option, text, sizeof text));
        putc('\n', stream);
        print_roff(stream, option->meaning);
        fputs(".\n", stream);
    }
    fputs(".TP\n.B \\-\\-version\nVersion and build.\n", stream);
    fputs(exit_status, stream);
    fputs(".SH ENVIRONMENT\n.TP\n.B SAMFLOW_DATA\nFolder in which data files are looked for that are not "
          "beside the "
          "experiment file.\n"
          ".TP\n.B XDG_CACHE_HOME\nData sets are downloaded into its folder samflow/NAME; without it, or "
          "where it is no "
          "absolute path, into ~/.cache/samflow/NAME.\n"
          ".TP\n.B SAMFLOW_MIRROR\nAddress (http, https or file) whose folders mnist, fashion\\-mnist and "
          "golub stand for "
          "those that samflow knows.\n"
          ".TP\n.B SLURM_ARRAY_TASK_ID, PBS_ARRAY_INDEX, PBS_ARRAYID, SGE_TASK_ID, LSB_JOBINDEX\n"
          "Which shard of a sweep this is, with \\-\\-shard auto.\n",
          stream);
    fputs(".SH EXAMPLE\n.nf\necho 'data: {example: [1, 2]}\nnetwork: {depth: 2, init: 0.6}\n"
          "optimizer: {method: l2\\-sam, rho: 1.0}' | samflow predict \\-\n.fi\n",
          stream);
    fputs(".SH SEE ALSO\n", stream);
    for (size_t i = 0; i < sf_command_count; i++) {
        fputs(i ? ",\n.BR " : ".BR ", stream);
        print_page_name(stream, sf_commands[i]->name);
        fputs(" (1)", stream);
    }
    putc('\n', stream);
}

static void print_synopsis(FILE *stream, const sf_command *command)
{
    fprintf(stream, ".B samflow %s\n.RI [ OPTIONS ]\n", command->name);
    if (*command->arguments) {
        print_roff(stream, command->arguments);
        putc('\n', stream);
    }
    fputs(".br\n", stream);
}

/* A command, or the commands of a group one after another. */
static void print_page(FILE *stream, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < sf_command_count; i++)
        count += sf_cli_is_of(sf_commands[i], name);
    fputs(".TH ", stream);
    fputs("SAMFLOW\\-", stream);
    for (const char *c = name; *c; c++)
        fputs(*c == ' ' ? "\\-" : (char[]){(char)toupper((unsigned char)*c), '\0'}, stream);
    fprintf(stream, " 1 \"\" \"samflow %s\" \"User Commands\"\n.SH NAME\n", sf_version());
    print_page_name(stream, name);
    fputs(" \\- ", stream);
    for (size_t i = 0, shown = 0; i < sf_command_count; i++)
        if (sf_cli_is_of(sf_commands[i], name)) {
            fputs(shown++ ? "; " : "", stream);
            print_roff(stream, sf_commands[i]->summary);
        }
    fputs("\n.SH SYNOPSIS\n", stream);
    for (size_t i = 0; i < sf_command_count; i++)
        if (sf_cli_is_of(sf_commands[i], name))
            print_synopsis(stream, sf_commands[i]);
    for (size_t i = 0; i < sf_command_count; i++) {
        const sf_command *command = sf_commands[i];
        if (!sf_cli_is_of(command, name))
            continue;
        if (count == 1)
            fputs(".SH DESCRIPTION\n", stream);
        else
            fprintf(stream, ".SH SAMFLOW %s\n", command->name);
        print_roff(stream, command->text);
        fputs(count == 1 ? "\n.SH OPTIONS\n" : "\n", stream);
        print_options(stream, command);
        if (command->example) {
            fputs(count == 1 ? ".SH EXAMPLE\n.nf\n" : ".PP\nExample:\n.nf\n", stream);
            print_roff(stream, command->example);
            fputs("\n.fi\n", stream);
        }
    }
    fputs(exit_status, stream);
    fputs(".SH SEE ALSO\n.BR samflow (1)\n", stream);
}

void sf_cli_print_manual(FILE *stream, const char *name)
{
    if (name)
        print_page(stream, name);
    else
        print_main(stream);
}
