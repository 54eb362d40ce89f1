/* --set KEY=VALUE, one a line, on an experiment that is sound. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST = 8 };
    static const char base[] =
        "data: {example: [1, 2]}\nnetwork: {depth: 2, init: 0.6}\n"
        "optimizer: {method: l2-sam, rho: 1}\ndynamics: {mode: flow, until: {tau: 5}}\n";
    const char *overrides[MOST];
    size_t count = 0;
    char *text = fuzz_text(data, size);
    for (char *line = text; line && count < MOST;) {
        char *end = strchr(line, '\n');
        overrides[count++] = line;
        if (end)
            *end++ = '\0';
        line = end;
    }
    sf_settings *settings = NULL;
    fuzz_message(
        sf_settings_parse(fuzz_context(), SF_SETTINGS_RUN, "fuzz.yaml", base, count, overrides, &settings));
    sf_settings_destroy(&settings);
    free(text);
    return 0;
}
