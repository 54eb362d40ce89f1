#include "sweep/grid/identity.h"

#include <libfyaml.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static sf_hash canonical(XXH128_hash_t value)
{
    XXH128_canonical_t form;
    XXH128_canonicalFromHash(&form, value);
    sf_hash hash;
    memcpy(hash.bytes, form.digest, sizeof hash.bytes);
    return hash;
}

sf_hash sf_leaf_hash(sf_hash path, double number, const char *text)
{
    sf_hash pair[2] = {path};
    if (text) {
        pair[1] = canonical(XXH3_128bits_withSeed(text, strlen(text), 't'));
        return sf_hash_bytes(pair, sizeof pair);
    }
    double positive = number == 0.0 ? 0.0 : number; // no -0
    uint64_t bits;
    memcpy(&bits, &positive, sizeof bits);
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++) // lowest first on every machine
        bytes[i] = (unsigned char)(bits >> (8 * i));
    pair[1] = canonical(XXH3_128bits_withSeed(bytes, sizeof bytes, 'n'));
    return sf_hash_bytes(pair, sizeof pair);
}

/* ---- the list ------------------------------------------------------------------------------------------- */

/* First index whose path is not less. */
static size_t lower(const sf_leaves *leaves, const char *path)
{
    size_t low = 0, high = leaves->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(leaves->items[middle].path, path) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t sf_leaves_find(const sf_leaves *leaves, const char *path)
{
    size_t at = lower(leaves, path);
    return at < leaves->count && strcmp(leaves->items[at].path, path) == 0 ? at : SIZE_MAX;
}

double sf_leaves_number(const sf_leaves *leaves, const char *path)
{
    size_t at = sf_leaves_find(leaves, path);
    return at == SIZE_MAX || leaves->items[at].text ? NAN : leaves->items[at].number;
}

static sf_status append(sf_leaves *leaves, const char *path, double number, const char *text)
{
    sf_context *context = leaves->context;
    if (leaves->count == leaves->capacity) {
        size_t capacity = leaves->capacity ? 2 * leaves->capacity : 64;
        sf_leaf *items = sf_resize(context, leaves->items, capacity, sizeof *items);
        if (!items)
            return SF_ERR_MEMORY;
        leaves->items = items;
        leaves->capacity = capacity;
    }
    sf_leaf leaf = {.number = text ? NAN : number, .path_hash = sf_hash_bytes(path, strlen(path))};
    leaf.hash = sf_leaf_hash(leaf.path_hash, number, text);
    if (!(leaf.path = sf_strdup(context, path)))
        return SF_ERR_MEMORY;
    if (text && !(leaf.text = sf_strdup(context, text))) {
        sf_free(context, leaf.path);
        return SF_ERR_MEMORY;
    }
    leaves->items[leaves->count++] = leaf;
    return SF_OK;
}

sf_status sf_leaves_put(sf_leaves *leaves, const char *path, double number, const char *text)
{
    size_t at = sf_leaves_find(leaves, path);
    if (at != SIZE_MAX) {
        sf_leaf *leaf = &leaves->items[at];
        char *copy = text ? sf_strdup(leaves->context, text) : NULL;
        if (text && !copy)
            return SF_ERR_MEMORY;
        sf_free(leaves->context, leaf->text);
        leaf->text = copy;
        leaf->number = text ? NAN : number;
        leaf->hash = sf_leaf_hash(leaf->path_hash, number, text);
        return SF_OK;
    }
    at = lower(leaves, path);
    SF_TRY(append(leaves, path, number, text));
    sf_leaf added = leaves->items[leaves->count - 1];
    memmove(leaves->items + at + 1, leaves->items + at, (leaves->count - 1 - at) * sizeof added);
    leaves->items[at] = added;
    return SF_OK;
}

void sf_leaves_release(sf_leaves *leaves)
{
    for (size_t i = 0; i < leaves->count; i++) {
        sf_free(leaves->context, leaves->items[i].path);
        sf_free(leaves->context, leaves->items[i].text);
    }
    if (leaves->context)
        sf_free(leaves->context, leaves->items);
    *leaves = (sf_leaves){0};
}

sf_status sf_leaves_hash(const sf_leaves *leaves, sf_hash *hash)
{
    sf_hash *all = SF_ARRAY(leaves->context, leaves->count, sf_hash);
    if (!all)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < leaves->count; i++)
        all[i] = leaves->items[i].hash;
    *hash = sf_hash_bytes(all, leaves->count * sizeof *all);
    sf_free(leaves->context, all);
    return SF_OK;
}

/* ---- JSON ----------------------------------------------------------------------------------------------- */

enum { PATH_SIZE = 512 };

/* A number that a double holds exactly as written is one; a whole number from 2^53 on (a seed) stays text. */
static bool json_number(struct fy_node *node, const char *text, double *number)
{
    if (fy_node_get_style(node) == FYNS_DOUBLE_QUOTED || fy_node_get_style(node) == FYNS_SINGLE_QUOTED)
        return false;
    char *end;
    *number = strtod(text, &end);
    bool whole = text[strspn(text, "+-0123456789")] == '\0';
    return *text && *end == '\0' && isfinite(*number) && !(whole && fabs(*number) >= 9007199254740992.0);
}

static sf_status flatten(sf_leaves *leaves, struct fy_node *node, char *path, size_t length)
{
    void *at = NULL;
    if (node && fy_node_is_mapping(node)) {
        struct fy_node_pair *pair;
        while ((pair = fy_node_mapping_iterate(node, &at))) {
            const char *key = fy_node_get_scalar0(fy_node_pair_key(pair));
            int added =
                snprintf(path + length, PATH_SIZE - length, "%s%s", length ? "." : "", key ? key : "");
            if (added < 0 || (size_t)added >= PATH_SIZE - length)
                return sf_fail(leaves->context, SF_ERR_INTERNAL, "path '%s' is too long", path);
            SF_TRY(flatten(leaves, fy_node_pair_value(pair), path, length + (size_t)added));
        }
        return SF_OK;
    }
    if (node && fy_node_is_sequence(node)) {
        struct fy_node *item;
        for (size_t i = 0; (item = fy_node_sequence_iterate(node, &at)); i++) {
            int added = snprintf(path + length, PATH_SIZE - length, "[%zu]", i);
            if (added < 0 || (size_t)added >= PATH_SIZE - length)
                return sf_fail(leaves->context, SF_ERR_INTERNAL, "path '%s' is too long", path);
            SF_TRY(flatten(leaves, item, path, length + (size_t)added));
        }
        return SF_OK;
    }
    path[length] = '\0';
    const char *text = node ? fy_node_get_scalar0(node) : NULL;
    double number = NAN;
    bool is_number = text && json_number(node, text, &number);
    return append(leaves, path, number, is_number ? NULL : text ? text : "null");
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const sf_leaf *)a)->path, ((const sf_leaf *)b)->path);
}

sf_status sf_leaves_parse(sf_context *context, const char *json, sf_leaves *leaves)
{
    *leaves = (sf_leaves){.context = context};
    struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_JSON_FORCE};
    struct fy_document *document = fy_document_build_from_string(&config, json, (size_t)-1);
    if (!document)
        return sf_fail(context, SF_ERR_INTERNAL, "the resolved experiment is no JSON document");
    char path[PATH_SIZE] = "";
    sf_status status = flatten(leaves, fy_document_root(document), path, 0);
    fy_document_destroy(document);
    if (status == SF_OK && leaves->count > 0)
        qsort(leaves->items, leaves->count, sizeof *leaves->items, by_path);
    return status;
}

sf_status sf_json_member(sf_context *context, const char *json, const char *path, char **text)
{
    *text = NULL;
    char steps[PATH_SIZE];
    size_t length = 0;
    steps[length++] = '/';
    for (const char *c = path; *c && length + 1 < sizeof steps; c++) // a.b[1] -> /a/b/1
        if (*c != ']')
            steps[length++] = *c == '.' || *c == '[' ? '/' : *c;
    steps[length] = '\0';
    struct fy_parse_cfg config = {.flags = FYPCF_QUIET | FYPCF_JSON_FORCE};
    struct fy_document *document = fy_document_build_from_string(&config, json, (size_t)-1);
    struct fy_node *root = document ? fy_document_root(document) : NULL;
    struct fy_node *node = root ? fy_node_by_path(root, steps, (size_t)-1, FYNWF_DONT_FOLLOW) : NULL;
    char *line = node ? fy_emit_node_to_string(node, FYECF_MODE_JSON_ONELINE | FYECF_WIDTH_INF) : NULL;
    sf_status status = SF_OK;
    if (line) {
        line[strcspn(line, "\n")] = '\0';
        *text = sf_strdup(context, line);
        status = *text ? SF_OK : SF_ERR_MEMORY;
    }
    free(line);
    fy_document_destroy(document);
    return status;
}
