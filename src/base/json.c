/* The streaming JSON writer (RFC 8259). Levels nest up to SF_JSON_DEPTH; deeper is a programming error that
 * marks the writer as failed. */
#include <samflow/json.h>

#include <math.h>

enum { IN_OBJECT = 1, NOT_EMPTY = 2 };

sf_json sf_json_make(FILE *stream, bool pretty)
{
    return (sf_json){.stream = stream, .pretty = pretty};
}

static void put(sf_json *json, const char *text)
{
    if (fputs(text, json->stream) < 0)
        json->failed = true;
}

static void newline(sf_json *json)
{
    if (!json->pretty)
        return;
    put(json, "\n");
    for (int i = 0; i < json->depth; i++)
        put(json, "  ");
}

static void quoted(sf_json *json, const char *text)
{
    put(json, "\"");
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        char escape[8];
        if (*c == '"' || *c == '\\')
            snprintf(escape, sizeof escape, "\\%c", *c);
        else if (*c == '\n')
            snprintf(escape, sizeof escape, "\\n");
        else if (*c == '\t')
            snprintf(escape, sizeof escape, "\\t");
        else if (*c < 0x20)
            snprintf(escape, sizeof escape, "\\u%04x", *c);
        else
            snprintf(escape, sizeof escape, "%c", *c);
        put(json, escape);
    }
    put(json, "\"");
}

/* Comma, line and key before a value. */
static void begin(sf_json *json, const char *key)
{
    if (json->depth > 0) {
        unsigned char *state = &json->state[json->depth - 1];
        if (*state & NOT_EMPTY)
            put(json, json->pretty ? "," : ", ");
        *state |= NOT_EMPTY;
        newline(json);
        if (((*state & IN_OBJECT) != 0) != (key != NULL))
            json->failed = true;
    }
    if (key) {
        quoted(json, key);
        put(json, ": ");
    }
}

static void enter(sf_json *json, const char *key, unsigned char state, const char *bracket)
{
    begin(json, key);
    put(json, bracket);
    if (json->depth == SF_JSON_DEPTH) {
        json->failed = true;
        return;
    }
    json->state[json->depth++] = state;
}

static void leave(sf_json *json, unsigned char state, const char *bracket)
{
    if (json->depth == 0 || (json->state[json->depth - 1] & IN_OBJECT) != state) {
        json->failed = true;
        return;
    }
    bool empty = !(json->state[--json->depth] & NOT_EMPTY);
    if (!empty)
        newline(json);
    put(json, bracket);
}

void sf_json_open_object(sf_json *json, const char *key)
{
    enter(json, key, IN_OBJECT, "{");
}

void sf_json_close_object(sf_json *json)
{
    leave(json, IN_OBJECT, "}");
}

void sf_json_open_array(sf_json *json, const char *key)
{
    enter(json, key, 0, "[");
}

void sf_json_close_array(sf_json *json)
{
    leave(json, 0, "]");
}

static void bare_number(sf_json *json, double value)
{
    if (!isfinite(value)) {
        put(json, "null");
        return;
    }
    if (fprintf(json->stream, "%.17g", value) < 0)
        json->failed = true;
}

void sf_json_number(sf_json *json, const char *key, double value)
{
    begin(json, key);
    bare_number(json, value);
}

void sf_json_integer(sf_json *json, const char *key, int64_t value)
{
    begin(json, key);
    if (fprintf(json->stream, "%lld", (long long)value) < 0)
        json->failed = true;
}

void sf_json_bool(sf_json *json, const char *key, bool value)
{
    begin(json, key);
    put(json, value ? "true" : "false");
}

void sf_json_null(sf_json *json, const char *key)
{
    begin(json, key);
    put(json, "null");
}

void sf_json_string(sf_json *json, const char *key, const char *value)
{
    begin(json, key);
    if (value)
        quoted(json, value);
    else
        put(json, "null");
}

void sf_json_numbers(sf_json *json, const char *key, size_t n, const double *values)
{
    begin(json, key);
    put(json, "[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            put(json, ", ");
        bare_number(json, values[i]);
    }
    put(json, "]");
}

bool sf_json_finish(sf_json *json)
{
    put(json, "\n");
    if (json->depth != 0 || fflush(json->stream) != 0)
        json->failed = true;
    return !json->failed;
}
