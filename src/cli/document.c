/* The JSON document of a command, where the user asked for it. A file is written under a temporary name in the same
 * folder and renamed when complete, so that FILE never holds half a document. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

static bool is_folder(const char *path, size_t length)
{
    char folder[4096];
    struct stat info;
    if (length >= sizeof folder)
        return false;
    memcpy(folder, path, length);
    folder[length] = '\0';
    return stat(length ? folder : ".", &info) == 0 && S_ISDIR(info.st_mode);
}

int sf_cli_check_folder(const sf_cli *cli, const char *command)
{
    const char *slash = cli->output ? strrchr(cli->output, '/') : NULL;
    if (slash && !is_folder(cli->output, (size_t)(slash - cli->output) + 1))
        return sf_cli_usage(cli, command, "output '%s': its folder does not exist, expected one to write in",
                            cli->output);
    return -1;
}

int sf_cli_check_document(const sf_cli *cli, const char *command)
{
    size_t length = cli->output ? strlen(cli->output) : 0;
    if (cli->output && (length < 6 || strcmp(cli->output + length - 5, ".json") != 0))
        return sf_cli_usage(cli, command, "output '%s': unknown ending, expected .json", cli->output);
    return sf_cli_check_folder(cli, command);
}

static bool write_and_rename(const char *path, const char *temporary, sf_cli_document_fn write,
                             const void *subject)
{
    FILE *stream = fopen(temporary, "w");
    if (!stream)
        return false;
    bool written = write(subject, stream) && fflush(stream) == 0 && fsync(fileno(stream)) == 0;
    written = fclose(stream) == 0 && written;
    written = written && rename(temporary, path) == 0;
    int reason = errno;
    if (!written)
        unlink(temporary);
    errno = reason;
    return written;
}

int sf_cli_write_file(const char *path, sf_cli_document_fn write, const void *subject)
{
    size_t size = strlen(path) + 32;
    char *temporary = malloc(size);
    bool written = false;
    if (temporary) {
        snprintf(temporary, size, "%s.%ld.tmp", path, (long)getpid());
        written = write_and_rename(path, temporary, write, subject);
    }
    free(temporary);
    if (written)
        return 0;
    fprintf(stderr, "samflow: output '%s': could not be written: %s\n", path, strerror(errno));
    return sf_status_exit_code(SF_ERR_IO);
}

int sf_cli_print_document(sf_cli_document_fn write, const void *subject)
{
    if (write(subject, stdout))
        return 0;
    fprintf(stderr, "samflow: the JSON document could not be written: %s\n", strerror(errno));
    return sf_status_exit_code(SF_ERR_IO);
}

int sf_cli_document(const sf_cli *cli, sf_cli_document_fn write, const void *subject)
{
    int code = cli->output ? sf_cli_write_file(cli->output, write, subject) : 0;
    return code == 0 && cli->json ? sf_cli_print_document(write, subject) : code;
}

void sf_cli_csv_text(FILE *stream, const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stream);
        return;
    }
    fputc('"', stream);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', stream);
        fputc(*text, stream);
    }
    fputc('"', stream);
}
