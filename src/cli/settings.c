/* The reference of settings, as Markdown or as JSON. */
#include <stdio.h>

#include "cli/cli.h"

/* Text in a cell of a Markdown table. */
static void print_escaped(const char *text)
{
    for (const char *c = text; *c; c++)
        printf(*c == '|' ? "\\%c" : "%c", *c);
}

static void print_markdown(bool training)
{
    sf_setting_info info;
    printf("| key | expected | default | meaning |\n| --- | --- | --- | --- |\n");
    for (size_t i = 0; sf_settings_describe(i, &info); i++) {
        if (!(training ? info.train : info.run))
            continue;
        printf("| `%s` | ", info.key);
        print_escaped(info.expected);
        printf(info.fallback ? " | `%s` | " : " | | ", info.fallback);
        print_escaped(info.meaning);
        if (*info.scope)
            printf(" (only with `%s`)", info.scope);
        printf(" |\n");
    }
}

static bool write_settings(const void *subject, FILE *stream)
{
    const bool *training = subject;
    sf_setting_info info;
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "samflow", sf_version());
    sf_json_open_array(&json, "settings");
    for (size_t i = 0; sf_settings_describe(i, &info); i++) {
        if (!(*training ? info.train : info.run))
            continue;
        sf_json_open_object(&json, NULL);
        sf_json_string(&json, "key", info.key);
        sf_json_string(&json, "expected", info.expected);
        sf_json_string(&json, "default", info.fallback);
        sf_json_string(&json, "only_with", *info.scope ? info.scope : NULL);
        sf_json_string(&json, "meaning", info.meaning);
        sf_json_close_object(&json);
    }
    sf_json_close_array(&json);
    sf_json_close_object(&json);
    return sf_json_finish(&json);
}

int sf_cli_print_settings(const sf_cli *cli, bool training)
{
    if (cli->json)
        return sf_cli_print_document(cli, write_settings, &training);
    print_markdown(training);
    return 0;
}
