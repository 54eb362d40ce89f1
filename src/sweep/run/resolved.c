#include "sweep/run/resolved.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 33, MOST_CONTENTS = 16 };

/* The hashes of the data sets met last, by their number on the shelf. */
struct sf_contents {
    pthread_mutex_t lock;
    size_t next;
    uint64_t number[MOST_CONTENTS]; // 0: none
    char digits[MOST_CONTENTS][DIGITS];
};

sf_status sf_contents_create(sf_context *context, sf_contents **out)
{
    sf_contents *contents = *out = SF_NEW(context, sf_contents);
    if (!contents)
        return SF_ERR_MEMORY;
    *contents = (sf_contents){0};
    pthread_mutex_init(&contents->lock, NULL);
    return SF_OK;
}

void sf_contents_destroy(sf_context *context, sf_contents **contents)
{
    if (*contents)
        pthread_mutex_destroy(&(*contents)->lock);
    sf_free(context, *contents);
    *contents = NULL;
}

static bool recall(sf_contents *contents, uint64_t number, char *digits)
{
    bool found = false;
    pthread_mutex_lock(&contents->lock);
    for (size_t i = 0; i < MOST_CONTENTS && number > 0 && !found; i++)
        if (contents->number[i] == number) {
            memcpy(digits, contents->digits[i], DIGITS);
            found = true;
        }
    pthread_mutex_unlock(&contents->lock);
    return found;
}

static void remember(sf_contents *contents, uint64_t number, const char *digits)
{
    pthread_mutex_lock(&contents->lock);
    size_t place = contents->next++ % MOST_CONTENTS;
    contents->number[place] = number;
    memcpy(contents->digits[place], digits, DIGITS);
    pthread_mutex_unlock(&contents->lock);
}

/* The hash of all signed examples as 32 hexadecimal digits. */
static sf_status hash_content(sf_context *context, const sf_experiment *experiment, char *text)
{
    const sf_dataset *dataset = sf_experiment_dataset(experiment);
    size_t n = sf_dataset_examples(dataset), d = sf_dataset_features(dataset);
    double *row = SF_ARRAY(context, d, double);
    if (!row)
        return SF_ERR_MEMORY;
    sf_hash pair[2] = {{{0}}};
    for (size_t i = 0; i < n; i++) {
        sf_dataset_example(dataset, i, row);
        pair[1] = sf_hash_bytes(row, d * sizeof *row);
        pair[0] = sf_hash_bytes(pair, sizeof pair);
    }
    sf_free(context, row);
    for (int i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", pair[0].bytes[i]);
    return SF_OK;
}

/* Of data that come from a file. */
static sf_status content_leaf(sf_contents *contents, sf_context *context, const sf_experiment *experiment,
                              sf_leaves *leaves)
{
    char digits[DIGITS];
    uint64_t number = sf_experiment_data_number(experiment);
    if (sf_leaves_find(leaves, "data.file") == SIZE_MAX)
        return SF_OK;
    if (!recall(contents, number, digits)) {
        SF_TRY(hash_content(context, experiment, digits));
        remember(contents, number, digits);
    }
    return sf_leaves_put(leaves, SF_LEAF_CONTENT, NAN, digits);
}

static sf_status settings_text(sf_context *context, const sf_experiment *experiment, char **json)
{
    size_t size = 0;
    *json = NULL;
    FILE *stream = open_memstream(json, &size);
    if (!stream)
        return sf_fail(context, SF_ERR_MEMORY, "out of memory: settings of a point");
    sf_json writer = sf_json_make(stream, false);
    sf_experiment_write(experiment, &writer, NULL);
    bool good = sf_json_finish(&writer);
    good = fclose(stream) == 0 && good && *json;
    if (!good) {
        free(*json);
        *json = NULL;
        return sf_fail(context, SF_ERR_MEMORY, "out of memory: settings of a point");
    }
    return SF_OK;
}

sf_status sf_sweep_leaves(const sf_sweep *sweep, sf_context *context, const sf_experiment *experiment,
                          sf_leaves *leaves, char **json)
{
    char *text;
    *leaves = (sf_leaves){0};
    SF_TRY(settings_text(context, experiment, &text));
    sf_status status = sf_leaves_parse(context, text, leaves);
    if (status == SF_OK)
        status = sf_leaves_put(leaves, SF_LEAF_VERSION, NAN, sf_version());
    if (status == SF_OK)
        status = content_leaf(sweep->contents, context, experiment, leaves);
    if (status == SF_OK && json)
        status = (*json = sf_strdup(context, text)) ? SF_OK : SF_ERR_MEMORY;
    free(text);
    return status;
}
