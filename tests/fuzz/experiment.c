/* Experiment files, of runs and of training. What is accepted is written as JSON, and read back is the same. */
#include "fuzz.h"

static char *written(const sf_settings *settings)
{
    char *bytes = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    fuzz_require(stream, "memory");
    sf_json json = sf_json_make(stream, false);
    sf_settings_write(settings, &json, NULL);
    fuzz_require(sf_json_finish(&json) && fclose(stream) == 0, "settings are written");
    return bytes;
}

static void parse(sf_settings_kind kind, const char *text)
{
    sf_settings *settings = NULL, *again = NULL;
    sf_status status = sf_settings_parse(fuzz_context(), kind, "fuzz.yaml", text, 0, NULL, &settings);
    fuzz_message(status);
    fuzz_require((status == SF_OK) == (settings != NULL), "an object or a failure");
    if (status != SF_OK)
        return;
    unsigned char hash[2][16];
    char *json = written(settings);
    status = sf_settings_parse(fuzz_context(), kind, "again.yaml", json, 0, NULL, &again);
    if (status != SF_OK)
        fprintf(stderr, "%s\n%s\n", json, sf_context_message(fuzz_context()));
    fuzz_require(status == SF_OK, "what is written reads back");
    fuzz_require(sf_settings_hash(settings, hash[0]) == SF_OK && sf_settings_hash(again, hash[1]) == SF_OK,
                 "memory");
    if (memcmp(hash[0], hash[1], sizeof hash[0]) != 0)
        fprintf(stderr, "%s\n", json);
    fuzz_require(memcmp(hash[0], hash[1], sizeof hash[0]) == 0, "what is read back is the same");
    free(json);
    sf_settings_destroy(&settings);
    sf_settings_destroy(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = fuzz_text(data, size);
    parse(SF_SETTINGS_RUN, text);
    parse(SF_SETTINGS_TRAINING, text);
    free(text);
    return 0;
}
