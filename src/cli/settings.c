/* The reference of settings, as Markdown. */
#include <stdio.h>

#include "cli/cli.h"

/* Text in a cell of a Markdown table. */
static void print_escaped(const char *text)
{
    for (const char *c = text; *c; c++)
        printf(*c == '|' ? "\\%c" : "%c", *c);
}

void sf_cli_print_settings(bool training)
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
