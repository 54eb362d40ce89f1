/* samflow data fetch NAME: downloads a public data set, checked by SHA-256; and what samflow reproduce lacks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/data.h"

enum { PATH_BYTES = 4096 };

static const char *const unverified = "SHA-256 as others publish it, not verified by us";

typedef struct fetch_report {
    const sf_cli *cli;
    sf_json json;
    char first[PATH_BYTES], labels[PATH_BYTES]; // files for the next step
} fetch_report;

static void on_fetched(const sf_fetched *file, void *user)
{
    fetch_report *report = user;
    if (report->cli->json) {
        sf_json_open_object(&report->json, NULL);
        sf_json_string(&report->json, "name", file->name);
        sf_json_string(&report->json, "path", file->path);
        sf_json_string(&report->json, "sha256", file->sha256);
        sf_json_bool(&report->json, "verified", file->verified);
        sf_json_bool(&report->json, "cached", file->cached);
        sf_json_close_object(&report->json);
    } else {
        sf_cli_print(stdout, "%-16s %s%s%s%s\n", file->cached ? "already there" : "downloaded", file->path,
                     file->verified ? "" : " (", file->verified ? "" : unverified, file->verified ? "" : ")");
        fflush(stdout);
    }
    bool labels = strstr(file->name, "labels") != NULL;
    snprintf(labels ? report->labels : report->first, PATH_BYTES, "%s", file->path);
}

/* ---- the list ------------------------------------------------------------------------------------------ */

static void print_list(void)
{
    sf_fetch_info file;
    for (size_t i = 0; sf_fetch_name(i); i++) {
        printf("%s%s: %s\n", i ? "\n" : "", sf_fetch_name(i), sf_fetch_describe(i));
        for (size_t k = 0; sf_fetch_file_info(i, k, &file); k++) {
            if (k == 0)
                printf("  from %s\n", file.address);
            printf("  %s%s%s\n    SHA-256 %s%s\n", file.name, file.part ? ", part " : "",
                   file.part ? file.part : "", file.sha256,
                   file.verified ? "" : "\n    (as others publish it, not verified by us)");
        }
    }
}

static bool write_list(const void *subject, FILE *stream)
{
    (void)subject;
    sf_fetch_info file;
    sf_json writer = sf_json_make(stream, true), *json = &writer;
    sf_json_open_object(json, NULL);
    sf_json_string(json, "samflow", sf_version());
    sf_json_open_array(json, "data");
    for (size_t i = 0; sf_fetch_name(i); i++) {
        sf_json_open_object(json, NULL);
        sf_json_string(json, "name", sf_fetch_name(i));
        sf_json_string(json, "description", sf_fetch_describe(i));
        sf_json_open_array(json, "files");
        for (size_t k = 0; sf_fetch_file_info(i, k, &file); k++) {
            sf_json_open_object(json, NULL);
            sf_json_string(json, "name", file.name);
            sf_json_string(json, "part", file.part);
            sf_json_string(json, "address", file.address);
            sf_json_string(json, "sha256", file.sha256);
            sf_json_bool(json, "verified", file.verified);
            sf_json_close_object(json);
        }
        sf_json_close_array(json);
        sf_json_close_object(json);
    }
    sf_json_close_array(json);
    sf_json_close_object(json);
    return sf_json_finish(json);
}

static int list(const sf_cli *cli)
{
    if (cli->json)
        return sf_cli_print_document(cli, write_list, NULL);
    print_list();
    return 0;
}

/* ---- the command --------------------------------------------------------------------------------------- */

static int fetch(const sf_cli *cli, sf_fetch_request *request)
{
    fetch_report report = {.cli = cli, .json = sf_json_make(stdout, true)};
    request->fetched = on_fetched;
    request->user = &report;
    if (cli->json) {
        sf_json_open_object(&report.json, NULL);
        sf_json_string(&report.json, "samflow", sf_version());
        sf_json_string(&report.json, "name", request->name);
        sf_json_open_array(&report.json, "files");
    }
    sf_status status = sf_fetch(cli->context, request);
    if (cli->json) {
        sf_json_close_array(&report.json);
        sf_json_close_object(&report.json);
        sf_json_finish(&report.json);
    }
    if (status != SF_OK)
        return sf_cli_fail(cli, status);
    if (!cli->json && report.labels[0])
        sf_cli_print(stdout, "Next: samflow data info %s --labels %s --classes 0,1\n", report.first,
                     report.labels);
    else if (!cli->json)
        sf_cli_print(stdout, "Next: samflow data info %s --transpose --label labs\n", report.first);
    return 0;
}

enum { LIST, TO, PART, FROM };

static int run(sf_cli *cli)
{
    if (cli->value[LIST].text)
        return list(cli);
    sf_fetch_request request = {.name = cli->file,
                                .directory = cli->value[TO].text,
                                .part = cli->value[PART].text,
                                .mirror = cli->value[FROM].text};
    return fetch(cli, &request);
}

static const sf_option options[] = {
    [LIST] = {"list", NULL, "name every data set with its files, addresses and checksums, and stop",
              .type = SF_OPTION_FLAG, .alone = true},
    [TO] = {"to", "DIR", "where to put the files (default: the cache folder)", .type = SF_OPTION_FOLDER},
    [PART] = {"part", "PART", "train or test only", .type = SF_OPTION_CHOICE, .choices = "train|test"},
    [FROM] = {"mirror", "URL",
              "take the files from this folder (http, https, file; default: $SAMFLOW_MIRROR/NAME)",
              .type = SF_OPTION_TEXT},
    {0}};

const sf_command sf_command_data_fetch = {
    .name = "data fetch",
    .arguments = "NAME",
    .summary = "downloads mnist, fashion-mnist or golub, checked by SHA-256",
    .text = "Downloads a public data set into the cache folder, checks it by SHA-256, and says where its "
            "files are. What is "
            "there already and right is not downloaded again. A transfer ends that does not connect within 4 "
            "seconds, stays "
            "below 1 kB/s for 15 seconds, takes half an hour or brings more than 256 MiB.",
    .example = "samflow data fetch mnist --part test",
    .options = options,
    .least = 1,
    .most = 1,
    .missing = "no data set named, expected mnist, fashion-mnist or golub; --list says more",
    .run = run,
};
