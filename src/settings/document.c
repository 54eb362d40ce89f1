/* YAML (1.2, the core schema without anchors and tags) to a tree, by libfyaml's event parser.
 *
 * The document tree of libfyaml keeps a token of some hundred bytes for every scalar; at a million features
 * that is more than the trajectory. So the events are read one by one, and plain numbers in lists become
 * doubles at once. Places are kept for keys, mappings, lists and single scalars: for all that a message can
 * name.
 */
#include "settings/document.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <libfyaml.h>

#include "base/text.h"

enum { MAXIMUM_DEPTH = 12 };

const char *sf_place_text(sf_place place, char *buffer)
{
    if (place.line > 0)
        snprintf(buffer, SF_PLACE_SIZE, "%.300s:%d:%d", place.source, place.line, place.column);
    else
        snprintf(buffer, SF_PLACE_SIZE, "--set %.300s", place.source);
    return buffer;
}

sf_status sf_fail_at(sf_context *context, sf_place place)
{
    char where[SF_PLACE_SIZE];
    return place.source ? sf_fail_within(context, SF_ERR_CONFIG, "%s", sf_place_text(place, where))
                        : SF_ERR_CONFIG;
}

/* ---- nodes --------------------------------------------------------------------------------------- */

static sf_node *new_node(sf_context *context, sf_node_kind kind, sf_place place)
{
    sf_node *node = SF_NEW(context, sf_node);
    if (node) {
        node->kind = kind;
        node->place = place;
    }
    return node;
}

sf_status sf_node_new_mapping(sf_context *context, sf_place place, sf_node **out)
{
    *out = new_node(context, SF_NODE_MAPPING, place);
    return *out ? SF_OK : SF_ERR_MEMORY;
}

void sf_node_destroy(sf_context *context, sf_node **node)
{
    sf_node *dead = *node;
    if (!dead)
        return;
    for (size_t i = 0; i < dead->count; i++) {
        if (dead->items)
            sf_node_destroy(context, &dead->items[i]);
        if (dead->keys)
            sf_free(context, dead->keys[i]);
    }
    sf_free(context, dead->text);
    sf_free(context, dead->numbers);
    sf_free(context, dead->items);
    sf_free(context, dead->keys);
    sf_free(context, dead->key_places);
    sf_free(context, dead);
    *node = NULL;
}

static bool find_key(const sf_node *mapping, const char *key, size_t *index)
{
    for (size_t i = 0; i < mapping->count; i++)
        if (strcmp(mapping->keys[i], key) == 0) {
            *index = i;
            return true;
        }
    return false;
}

sf_node *sf_node_find(const sf_node *mapping, const char *key)
{
    size_t index;
    return find_key(mapping, key, &index) ? mapping->items[index] : NULL;
}

/* Grows one array of a node to `capacity` items. */
static bool grow(sf_context *context, void **array, size_t capacity, size_t size)
{
    void *moved = sf_resize(context, *array, capacity, size);
    if (moved)
        *array = moved;
    return moved != NULL;
}

/* Room for one more item in the arrays that the node uses. */
static sf_status reserve(sf_context *context, sf_node *node, bool numbers)
{
    if (node->count < node->capacity && (!numbers || node->numbers))
        return SF_OK;
    size_t capacity = node->capacity ? 2 * node->capacity : 8;
    bool grown = numbers ? grow(context, (void **)&node->numbers, capacity, sizeof(double))
                         : grow(context, (void **)&node->items, capacity, sizeof(sf_node *));
    if (grown && node->kind == SF_NODE_MAPPING)
        grown = grow(context, (void **)&node->keys, capacity, sizeof(char *)) &&
                grow(context, (void **)&node->key_places, capacity, sizeof(sf_place));
    if (!grown)
        return SF_ERR_MEMORY;
    node->capacity = capacity;
    return SF_OK;
}

static void remove_key(sf_context *context, sf_node *mapping, size_t index)
{
    sf_node_destroy(context, &mapping->items[index]);
    sf_free(context, mapping->keys[index]);
    size_t after = mapping->count - index - 1;
    memmove(mapping->items + index, mapping->items + index + 1, after * sizeof *mapping->items);
    memmove(mapping->keys + index, mapping->keys + index + 1, after * sizeof *mapping->keys);
    memmove(mapping->key_places + index, mapping->key_places + index + 1,
            after * sizeof *mapping->key_places);
    mapping->count--;
}

sf_status sf_node_put(sf_context *context, sf_node *mapping, const char *key, sf_place key_place,
                      sf_node *value)
{
    size_t index;
    bool found = find_key(mapping, key, &index);
    if (!value) {
        if (found)
            remove_key(context, mapping, index);
        return SF_OK;
    }
    if (!found) {
        char *copy = sf_strdup(context, key);
        if (!copy || reserve(context, mapping, false) != SF_OK) {
            sf_free(context, copy);
            sf_node_destroy(context, &value);
            return SF_ERR_MEMORY;
        }
        index = mapping->count++;
        mapping->keys[index] = copy;
        mapping->items[index] = NULL;
    }
    mapping->key_places[index] = key_place;
    sf_node_destroy(context, &mapping->items[index]);
    mapping->items[index] = value;
    return SF_OK;
}

/* ---- numbers ------------------------------------------------------------------------------------- */

static const char *skip_digits(const char *c)
{
    while (*c >= '0' && *c <= '9')
        c++;
    return c;
}

bool sf_yaml_number(const char *text, double *value)
{
    const char *c = text + (*text == '-' || *text == '+'), *digits = c;
    if (strcmp(c, ".inf") == 0 || strcmp(c, ".Inf") == 0 || strcmp(c, ".INF") == 0) {
        *value = *text == '-' ? -INFINITY : INFINITY;
        return true;
    }
    if (strcmp(text, ".nan") == 0 || strcmp(text, ".NaN") == 0 || strcmp(text, ".NAN") == 0) {
        *value = NAN;
        return true;
    }
    c = skip_digits(c);
    ptrdiff_t count = c - digits;
    if (*c == '.') {
        const char *fraction = ++c;
        c = skip_digits(c);
        count += c - fraction;
    }
    if (count == 0)
        return false;
    if (*c == 'e' || *c == 'E') {
        c += 1 + (c[1] == '-' || c[1] == '+');
        const char *exponent = c;
        c = skip_digits(c);
        if (c == exponent)
            return false;
    }
    if (*c != '\0')
        return false;
    *value = strtod(text, NULL);
    return true;
}

/* ---- events to nodes ----------------------------------------------------------------------------- */

typedef struct sf_builder {
    sf_context *context;
    const char *source;
    const char *text; // what is parsed
    bool override;    // places are the override, not lines
    int mark;         // bytes put in front of the first line, not of the file
    sf_node *root;
    sf_node *open[MAXIMUM_DEPTH]; // mappings and lists not closed yet; owned by their parent or root
    int depth;
    char *key; // of the innermost mapping: read, its value not yet
    sf_place key_place;
} sf_builder;

static sf_place place_of(const sf_builder *builder, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (builder->override)
        return (sf_place){builder->source, 0, 0};
    if (!mark) // a value left out: the place of its key
        return builder->key_place.line > 0 ? builder->key_place : (sf_place){builder->source, 1, 1};
    return (sf_place){builder->source, mark->line + 1,
                      mark->column + 1 - (mark->line == 0 ? builder->mark : 0)};
}

static sf_status fail_at(const sf_builder *builder, sf_place place, const char *what)
{
    char where[SF_PLACE_SIZE];
    return sf_fail(builder->context, SF_ERR_CONFIG, "%s: %s", sf_place_text(place, where), what);
}

bool sf_node_number(const sf_node *node, double *value)
{
    return node->kind == SF_NODE_SCALAR && !node->quoted && sf_yaml_number(node->text, value) &&
           isfinite(*value);
}

enum { MOST_MIXED = 1 << 16 };

/* A short list that begins with numbers and goes on otherwise becomes one of nodes: for the values of an axis, or for a
 * message. A long one is refused where it goes on otherwise. */
static sf_status make_mixed(sf_builder *builder, sf_node *list, const sf_node *other)
{
    sf_context *context = builder->context;
    char digits[32], was[SF_PHRASE_SIZE];
    if (list->count > MOST_MIXED) {
        sf_fail(context, SF_ERR_CONFIG, "found %s in a list of numbers, expected numbers only",
                sf_node_found(other, was));
        return sf_fail_at(context, other->place);
    }
    list->items = sf_alloc_zero(context, list->capacity, sizeof(sf_node *));
    if (!list->items)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < list->count; i++) {
        sf_node *node = list->items[i] = new_node(context, SF_NODE_SCALAR, list->place);
        if (!node || !(node->text = sf_strdup(context, sf_number_text(list->numbers[i], digits))))
            return SF_ERR_MEMORY;
    }
    sf_free(context, list->numbers);
    list->numbers = NULL;
    return SF_OK;
}

/* Takes the node over. */
static sf_status append_to_list(sf_builder *builder, sf_node *list, sf_node *node)
{
    double value;
    bool number = sf_node_number(node, &value), numbers = list->numbers || (list->count == 0 && number);
    sf_status status = numbers && !number ? make_mixed(builder, list, node) : SF_OK;
    numbers = numbers && number;
    if (status == SF_OK)
        status = reserve(builder->context, list, numbers);
    if (status == SF_OK && numbers)
        list->numbers[list->count++] = value;
    else if (status == SF_OK)
        list->items[list->count++] = node;
    if (status != SF_OK || numbers)
        sf_node_destroy(builder->context, &node);
    return status;
}

/* Hangs a node where the document is at, taking it over. */
static sf_status attach(sf_builder *builder, sf_node *node)
{
    if (builder->depth == 0) {
        builder->root = node;
        return SF_OK;
    }
    sf_node *parent = builder->open[builder->depth - 1];
    if (parent->kind == SF_NODE_LIST)
        return append_to_list(builder, parent, node);
    sf_status status = sf_node_put(builder->context, parent, builder->key, builder->key_place, node);
    sf_free(builder->context, builder->key);
    builder->key = NULL;
    return status;
}

static sf_status take_key(sf_builder *builder, sf_place place, const char *text, size_t length)
{
    sf_node *mapping = builder->open[builder->depth - 1];
    char *key = sf_alloc(builder->context, length + 1, 1);
    if (!key)
        return SF_ERR_MEMORY;
    memcpy(key, text, length);
    key[length] = '\0';
    size_t index;
    if (find_key(mapping, key, &index)) {
        char where[SF_PLACE_SIZE];
        sf_fail(builder->context, SF_ERR_CONFIG, "%s: key '%s' is given twice, first on line %d",
                sf_place_text(place, where), key, mapping->key_places[index].line);
        sf_free(builder->context, key);
        return SF_ERR_CONFIG;
    }
    builder->key = key;
    builder->key_place = place;
    return SF_OK;
}

static bool expects_key(const sf_builder *builder)
{
    return builder->depth > 0 && builder->open[builder->depth - 1]->kind == SF_NODE_MAPPING && !builder->key;
}

static sf_status take_scalar(sf_builder *builder, struct fy_event *event)
{
    sf_place place = place_of(builder, event);
    size_t length = 0;
    const char *text = event->scalar.value ? fy_token_get_text(event->scalar.value, &length) : "";
    if (!text)
        return sf_fail(builder->context, SF_ERR_MEMORY, "out of memory reading %s", builder->source);
    bool key = expects_key(builder);
    if (sf_text_plain(text, length, !key) < length) // escapes such as "\x01"
        return fail_at(builder, place,
                       key ? "a key with a control character, expected a name"
                           : "a text with a control character, expected plain text");
    if (key)
        return take_key(builder, place, text, length);
    sf_node *node = new_node(builder->context, SF_NODE_SCALAR, place);
    if (!node)
        return SF_ERR_MEMORY;
    node->quoted = event->scalar.value && fy_token_scalar_style(event->scalar.value) != FYSS_PLAIN;
    node->text = sf_alloc(builder->context, length + 1, 1);
    if (!node->text) {
        sf_node_destroy(builder->context, &node);
        return SF_ERR_MEMORY;
    }
    memcpy(node->text, text, length);
    node->text[length] = '\0';
    return attach(builder, node);
}

static sf_status open_node(sf_builder *builder, struct fy_event *event, sf_node_kind kind)
{
    sf_place place = place_of(builder, event);
    if (expects_key(builder))
        return fail_at(builder, place, "a list or mapping as a key, expected a name");
    if (builder->depth == MAXIMUM_DEPTH)
        return fail_at(builder, place, "nested too deeply for an experiment file");
    sf_node *node = new_node(builder->context, kind, place);
    if (!node)
        return SF_ERR_MEMORY;
    SF_TRY(attach(builder, node));
    builder->open[builder->depth++] = node;
    return SF_OK;
}

/* Trims a list of numbers to its size. */
static void close_node(sf_builder *builder)
{
    sf_node *node = builder->open[--builder->depth];
    if (node && node->numbers) {
        double *trimmed = sf_resize(builder->context, node->numbers, node->count, sizeof *trimmed);
        if (trimmed) {
            node->numbers = trimmed;
            node->capacity = node->count;
        }
    }
}

static bool has_anchor_or_tag(const struct fy_event *event)
{
    switch (event->type) {
    case FYET_SCALAR:
        return event->scalar.anchor || event->scalar.tag;
    case FYET_SEQUENCE_START:
        return event->sequence_start.anchor || event->sequence_start.tag;
    case FYET_MAPPING_START:
        return event->mapping_start.anchor || event->mapping_start.tag;
    default:
        return event->type == FYET_ALIAS;
    }
}

static sf_status take_event(sf_builder *builder, struct fy_event *event)
{
    if (has_anchor_or_tag(event))
        return fail_at(builder, place_of(builder, event),
                       "an anchor, alias or tag, expected plain values: write the value out");
    switch (event->type) {
    case FYET_DOCUMENT_START:
        if (builder->root)
            return fail_at(builder, place_of(builder, event),
                           "a second document, expected one experiment a file");
        return SF_OK;
    case FYET_SCALAR:
        return take_scalar(builder, event);
    case FYET_SEQUENCE_START:
        return open_node(builder, event, SF_NODE_LIST);
    case FYET_MAPPING_START:
        return open_node(builder, event, SF_NODE_MAPPING);
    case FYET_SEQUENCE_END:
    case FYET_MAPPING_END:
        close_node(builder);
        return SF_OK;
    default:
        return SF_OK;
    }
}

/* The line of a directive %YAML, else 1. */
static int version_line(const char *text)
{
    int line = 1;
    for (; text; line++) {
        if (strncmp(text, "%YAML", 5) == 0)
            return line;
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    return 1;
}

/* The message of libfyaml's first error, as ours. */
static sf_status fail_as_yaml(const sf_builder *builder, struct fy_diag *diag)
{
    void *previous = NULL;
    const struct fy_diag_error *error = fy_diag_errors_iterate(diag, &previous);
    if (builder->override)
        return sf_fail(builder->context, SF_ERR_CONFIG, "--set %s: the value is not YAML%s%s",
                       builder->source, error && error->msg ? ": " : "",
                       error && error->msg ? error->msg : "");
    if (!error) // libfyaml has no words for a version that it does not know
        return sf_fail(builder->context, SF_ERR_CONFIG, "%s:%d: not YAML of versions 1.1 to 1.3",
                       builder->source, version_line(builder->text));
    return sf_fail(builder->context, SF_ERR_CONFIG, "%s:%d:%d: not YAML: %s", builder->source, error->line,
                   error->column - (error->line == 1 ? builder->mark : 0),
                   error->msg ? error->msg : "malformed");
}

static sf_status parse_events(sf_builder *builder, struct fy_parser *parser, struct fy_diag *diag)
{
    sf_status status = SF_OK;
    struct fy_event *event;
    while (status == SF_OK && (event = fy_parser_parse(parser)) != NULL) {
        status = take_event(builder, event);
        fy_parser_event_free(parser, event);
    }
    if (status == SF_OK && fy_parser_get_stream_error(parser))
        status = fail_as_yaml(builder, diag);
    return status;
}

static sf_status parse(sf_builder *builder, const char *text, size_t length)
{
    builder->text = text;
    struct fy_diag_cfg diag_settings;
    fy_diag_cfg_default(&diag_settings);
    diag_settings.fp = NULL;
    struct fy_diag *diag = fy_diag_create(&diag_settings);
    if (!diag)
        return sf_fail(builder->context, SF_ERR_MEMORY, "out of memory");
    fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg settings = {.flags = FYPCF_QUIET | FYPCF_COLLECT_DIAG | FYPCF_DISABLE_ACCELERATORS |
                                             FYPCF_ALLOW_DUPLICATE_KEYS,
                                    .diag = diag};
    struct fy_parser *parser = fy_parser_create(&settings);
    sf_status status;
    if (!parser || fy_parser_set_string(parser, text, length) != 0)
        status = sf_fail(builder->context, SF_ERR_MEMORY, "out of memory");
    else
        status = parse_events(builder, parser, diag);
    if (parser)
        fy_parser_destroy(parser);
    fy_diag_destroy(diag);
    sf_free(builder->context, builder->key);
    if (status != SF_OK)
        sf_node_destroy(builder->context, &builder->root);
    return status;
}

/* ---- text ---------------------------------------------------------------------------------------- */

/* A document that opens with a bracket could be a key up to the end of its line, and the parser would hold every
 * token of it till then. After the mark of a document no key can follow: then it holds none. */
static void put_mark(sf_builder *builder, const sf_text *text, const char **start)
{
    static const char mark[SF_TEXT_HEADROOM] = {'-', '-', '-', ' '};
    if (text->length == 0 || (**start != '{' && **start != '['))
        return;
    memcpy(text->block, mark, sizeof mark);
    builder->mark = sizeof mark;
    *start = text->block;
}

sf_status sf_document_parse(sf_context *context, const char *source, const sf_text *text, sf_node **out)
{
    *out = NULL;
    const char *start = text->block + SF_TEXT_HEADROOM;
    SF_TRY(sf_text_check(context, SF_ERR_CONFIG, source, start, text->length, "YAML"));
    sf_builder builder = {.context = context, .source = source};
    put_mark(&builder, text, &start);
    SF_TRY(parse(&builder, start, text->length + (size_t)builder.mark));
    if (!builder.root)
        return sf_fail(context, SF_ERR_CONFIG, "%s:1: the file is empty, expected at least `data:`", source);
    *out = builder.root;
    return SF_OK;
}

sf_status sf_document_check(sf_context *context, const char *source, const char *text)
{
    sf_text copy = {NULL, strlen(text)};
    sf_node *tree = NULL;
    copy.block = sf_alloc(context, copy.length + SF_TEXT_HEADROOM + 1, 1);
    if (!copy.block)
        return SF_ERR_MEMORY;
    memcpy(copy.block + SF_TEXT_HEADROOM, text, copy.length + 1);
    sf_status status = sf_document_parse(context, source, &copy, &tree);
    sf_node_destroy(context, &tree);
    sf_free(context, copy.block);
    return status;
}

sf_status sf_document_parse_value(sf_context *context, const char *source, const char *text, sf_node **out)
{
    *out = NULL;
    if (text[strspn(text, " \t")] == '\0')
        return SF_OK;
    size_t length = strlen(text);
    if (sf_text_plain(text, length, true) < length)
        return sf_fail(context, SF_ERR_CONFIG,
                       "--set %s: a control character or not UTF-8, expected a value in YAML", source);
    sf_builder builder = {.context = context, .source = source, .override = true};
    SF_TRY(parse(&builder, text, length));
    *out = builder.root;
    return SF_OK;
}

/* ---- text of a file ------------------------------------------------------------------------------ */

static sf_status read_stream(sf_context *context, FILE *stream, const char *name, const char *expected,
                             sf_text *text)
{
    size_t capacity = 1 << 16, used = SF_TEXT_HEADROOM;
    text->block = sf_alloc(context, capacity, 1);
    if (!text->block)
        return SF_ERR_MEMORY;
    for (;;) {
        used += fread(text->block + used, 1, capacity - used, stream);
        if (used < capacity)
            break;
        char *grown = capacity <= SIZE_MAX / 2 ? sf_resize(context, text->block, capacity * 2, 1) : NULL;
        if (!grown)
            return SF_ERR_MEMORY;
        text->block = grown;
        capacity *= 2;
    }
    text->length = used - SF_TEXT_HEADROOM;
    if (ferror(stream))
        return sf_fail(context, SF_ERR_CONFIG, "%s: cannot be read: %s, expected %s", name, strerror(errno),
                       expected);
    return SF_OK;
}

sf_status sf_text_read(sf_context *context, const char *path, const char *expected, sf_text *text)
{
    if (strcmp(path, "-") == 0)
        return read_stream(context, stdin, "standard input", expected, text);
    FILE *stream = fopen(path, "rb");
    if (!stream)
        return sf_fail(context, SF_ERR_CONFIG, "%s: cannot be opened: %s, expected %s", path, strerror(errno),
                       expected);
    sf_status status = read_stream(context, stream, path, expected, text);
    fclose(stream);
    return status;
}

sf_status sf_text_copy(sf_context *context, const char *source, sf_text *text)
{
    text->length = strlen(source);
    text->block = sf_alloc(context, text->length + SF_TEXT_HEADROOM, 1);
    if (!text->block)
        return SF_ERR_MEMORY;
    memcpy(text->block + SF_TEXT_HEADROOM, source, text->length);
    return SF_OK;
}
