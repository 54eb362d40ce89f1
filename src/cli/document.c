/* The files of a command, and its JSON document where the user asked for it. A file is written under a temporary name in
 * the same folder and renamed when complete, so that FILE never holds half a document; what is read is never written to. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"

/* ---- before the work ------------------------------------------------------------------------------------- */

bool sf_cli_ends_with(const char *path, const char *ending)
{
    size_t length = strlen(path), size = strlen(ending);
    return length > size && strcmp(path + length - size, ending) == 0 && path[length - size - 1] != '/';
}

/* The folder of a path, "." for a bare name. */
static bool stat_folder(const char *path, struct stat *info)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) + 1 : 1;
    if (length >= sizeof folder)
        return false;
    memcpy(folder, slash ? path : ".", length);
    folder[length] = '\0';
    return stat(folder, info) == 0 && S_ISDIR(info->st_mode);
}

static const char *base_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Two names of one file, through links too; or, where neither is there yet, of the same place. */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    bool there = stat(a, &x) == 0;
    if (there != (stat(b, &y) == 0))
        return false;
    if (!there && (strcmp(base_of(a), base_of(b)) != 0 || !stat_folder(a, &x) || !stat_folder(b, &y)))
        return false;
    return x.st_dev == y.st_dev && x.st_ino == y.st_ino && (!there || S_ISREG(x.st_mode));
}

typedef int (*path_fn)(const sf_cli *cli, const sf_option *option, const char *path, const void *user);

/* Calls fn for each file that is written, or read; stops at the first that does not return -1. option: NULL for arguments. */
static int each_path(const sf_cli *cli, bool written, path_fn fn, const void *user)
{
    const sf_command *command = cli->command;
    unsigned uses;
    int code = -1;
    for (size_t i = 0; command->files && i < cli->file_count && code == -1; i++)
        if (written == ((int)i < command->written))
            code = fn(cli, NULL, cli->files[i], user);
    for (size_t i = 0; command->options && command->options[i].name && code == -1; i++)
        if (cli->value[i].text && command->options[i].type == (written ? SF_OPTION_OUTPUT : SF_OPTION_INPUT))
            code = fn(cli, &command->options[i], cli->value[i].text, user);
    for (size_t i = 0; written && code == -1 && sf_cli_common_option(i, &uses); i++) {
        const char *path = uses == SF_USES_EVENTS                                     ? cli->events_path
                           : uses & (SF_USES_OUTPUT | SF_USES_FOLDER) & command->uses ? cli->output
                                                                                      : NULL;
        if (path)
            code = fn(cli, sf_cli_common_option(i, &uses), path, user);
    }
    return code;
}

static int check_input(const sf_cli *cli, const sf_option *option, const char *path, const void *user)
{
    (void)user;
    struct stat info;
    if (!option && (cli->command->uses & SF_USES_INPUT) && strcmp(path, "-") == 0)
        return -1;
    if (!option && (cli->command->uses & SF_USES_BUILTIN) && sf_cli_is_builtin(path))
        return -1;
    if (stat(path, &info) != 0 || (errno = 0, access(path, R_OK)) != 0)
        return sf_cli_usage(cli, "%s: %s", path, errno == ENOENT ? "no such file" : strerror(errno));
    if (S_ISDIR(info.st_mode))
        return sf_cli_usage(cli, "%s: is a folder, expected a file", path);
    return -1;
}

/* "output" of -o; "differences" and so on of others; of an argument the name of the argument. */
static const char *name_of(const sf_option *option)
{
    return option ? option->name : "output";
}

static int check_output(const sf_cli *cli, const sf_option *option, const char *path, const void *user)
{
    (void)user;
    char word[16], list[128] = "";
    struct stat info;
    const char *endings = !option                               ? cli->command->files
                          : strcmp(option->name, "output") == 0 ? cli->command->output
                                                                : option->choices;
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode) != (endings && !*endings))
        return sf_cli_usage(cli, "%s '%s': is %s folder, expected %s", name_of(option), path,
                            S_ISDIR(info.st_mode) ? "a" : "no", S_ISDIR(info.st_mode) ? "a file" : "one");
    if (!stat_folder(path, &info))
        return sf_cli_usage(cli, "%s '%s': folder '%.*s' does not exist, expected one to write in",
                            name_of(option), path, (int)(strrchr(path, '/') - path), path);
    bool known = !endings || !*endings;
    for (size_t used = 0; sf_cli_next_word(&endings, word, sizeof word);) {
        known = known || sf_cli_ends_with(path, word);
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
                                 !used      ? ""
                                 : *endings ? ", "
                                            : " or ",
                                 word);
    }
    if (!known && sf_cli_ends_with(path, ".parquet"))
        return sf_cli_usage(
            cli,
            "%s '%s': Parquet is not written; DuckDB makes it of CSV: samflow export %s -o TABLE.csv "
            "&& duckdb -c \"COPY (FROM 'TABLE.csv') TO '%s'\"",
            name_of(option), path, cli->file, path);
    if (!known)
        return sf_cli_usage(cli, "%s '%s': unknown ending, expected %s", name_of(option), path, list);
    return -1;
}

typedef struct written_path {
    const sf_option *option;
    const char *path;
    bool input; // whether what it is compared with is read
} written_path;

static int refuse_same(const sf_cli *cli, const sf_option *option, const char *path, const void *user)
{
    const written_path *other = user;
    if (path == other->path || !same_file(path, other->path))
        return -1;
    if (other->input)
        return sf_cli_usage(cli, "%s '%s' is also read ('%s'), and what is read is never written to",
                            name_of(option), path, other->path);
    return sf_cli_usage(cli, "%s '%s' is written twice (as '%s')", name_of(option), path, other->path);
}

static int compare_input(const sf_cli *cli, const sf_option *option, const char *path, const void *user)
{
    (void)user;
    return strcmp(path, "-") == 0 ? -1
                                  : each_path(cli, true, refuse_same, &(written_path){option, path, true});
}

static int compare_output(const sf_cli *cli, const sf_option *option, const char *path, const void *user)
{
    (void)user;
    return each_path(cli, true, refuse_same, &(written_path){option, path, false});
}

int sf_cli_check_input(const sf_cli *cli, const char *path)
{
    return compare_input(cli, NULL, path, NULL);
}

int sf_cli_check_files(const sf_cli *cli)
{
    int code = each_path(cli, false, check_input, NULL);
    if (code == -1)
        code = each_path(cli, true, check_output, NULL);
    if (code == -1)
        code = each_path(cli, false, compare_input, NULL);
    return code == -1 ? each_path(cli, true, compare_output, NULL) : code;
}

/* ---- documents ------------------------------------------------------------------------------------------- */

static bool write_and_rename(const char *path, const char *temporary, sf_cli_document_fn write,
                             const void *subject)
{
    int descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return false;
    sf_cli_remember_file(temporary);
    FILE *stream = fdopen(descriptor, "w");
    bool written = stream && write(subject, stream) && fflush(stream) == 0 && fsync(fileno(stream)) == 0;
    int reason = errno;
    if (stream ? fclose(stream) != 0 : close(descriptor) != 0)
        written = false;
    if (written && rename(temporary, path) != 0) {
        reason = errno;
        written = false;
    }
    if (!written)
        unlink(temporary);
    sf_cli_forget_file();
    errno = reason;
    return written;
}

int sf_cli_write_file(const sf_cli *cli, const char *path, sf_cli_document_fn write, const void *subject)
{
    size_t size = strlen(path) + 32;
    char *temporary = malloc(size);
    bool written = false;
    if (temporary) {
        snprintf(temporary, size, "%s.%ld.tmp", path, (long)getpid());
        written = write_and_rename(path, temporary, write, subject);
    }
    int reason = errno;
    free(temporary);
    return written
               ? 0
               : sf_cli_say(cli, SF_ERR_IO, "output '%s': could not be written: %s", path, strerror(reason));
}

int sf_cli_print_document(const sf_cli *cli, sf_cli_document_fn write, const void *subject)
{
    if (write(subject, stdout))
        return 0;
    return sf_cli_say(cli, SF_ERR_IO, "the JSON document could not be written: %s", strerror(errno));
}

int sf_cli_document(const sf_cli *cli, sf_cli_document_fn write, const void *subject)
{
    sf_cli_delivers();
    int code = cli->output ? sf_cli_write_file(cli, cli->output, write, subject) : 0;
    int printed = cli->json ? sf_cli_print_document(cli, write, subject) : 0;
    return code ? code : printed;
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
