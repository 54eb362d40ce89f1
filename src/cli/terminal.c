/* What the program says: messages on standard error, with the next step, and text of users made harmless. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

/* Bytes of text that form one control character, 0 if it is none: C0, DEL, and C1 as UTF-8 has it (C2 80 .. C2 9F). */
static size_t control_bytes(const char *text)
{
    unsigned char first = (unsigned char)text[0], second = first ? (unsigned char)text[1] : 0;
    if (first == 0xC2 && second >= 0x80 && second <= 0x9F)
        return 2;
    return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F;
}

static void put_harmless(FILE *stream, const char *text)
{
    while (*text) {
        size_t control = control_bytes(text);
        if (control == 0)
            putc(*text++, stream);
        for (; control > 0; control--)
            fprintf(stream, "\\x%02x", (unsigned char)*text++);
    }
}

static void print_text(FILE *stream, const char *format, va_list arguments)
{
    char text[2048];
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(text, sizeof text, format, arguments);
    char *longer = length >= (int)sizeof text ? malloc((size_t)length + 1) : NULL;
    if (longer)
        vsnprintf(longer, (size_t)length + 1, format, again);
    va_end(again);
    put_harmless(stream, longer ? longer : text);
    free(longer);
}

void sf_cli_print(FILE *stream, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_text(stream, format, arguments);
    va_end(arguments);
}

int sf_cli_fail(const sf_cli *cli, sf_status status)
{
    const char *message = sf_context_message(cli->context);
    return sf_cli_say(cli, status, "%s", *message ? message : sf_status_message(status));
}

int sf_cli_say(const sf_cli *cli, sf_status status, const char *format, ...)
{
    sf_cli_clear_progress(cli);
    va_list arguments;
    va_start(arguments, format);
    fputs("samflow: ", stderr);
    print_text(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return sf_status_exit_code(status);
}

int sf_cli_usage(const sf_cli *cli, const char *format, ...)
{
    sf_cli_clear_progress(cli);
    va_list arguments;
    va_start(arguments, format);
    fputs("samflow: ", stderr);
    print_text(stderr, format, arguments);
    va_end(arguments);
    if (cli->command)
        fprintf(stderr, "\nTry: samflow %s --help\n", cli->command->name);
    else
        fprintf(stderr, "\nTry: samflow --help\n");
    return sf_status_exit_code(SF_ERR_USAGE);
}

int sf_cli_no_memory(const sf_cli *cli)
{
    return sf_cli_say(cli, SF_ERR_MEMORY, "%s", sf_status_message(SF_ERR_MEMORY));
}

void sf_cli_show_log(sf_log_level level, const char *record, void *user)
{
    static const char *const name[] = {"error", "warning", "info", "debug"};
    sf_cli_clear_progress(user);
    sf_cli_print(stderr, "samflow: %s: %s\n", name[level], record);
}
