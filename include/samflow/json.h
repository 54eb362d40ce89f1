/* samflow/json.h - a streaming writer of JSON documents.
 *
 * Nothing is held in memory: calls go straight to the stream, with commas and indentation placed by the writer.
 * Doubles carry 17 significant digits, so reading them back gives the same bits; what is not finite is null.
 */
#ifndef SAMFLOW_JSON_H
#define SAMFLOW_JSON_H

#include <stdio.h>

#include <samflow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { SF_JSON_DEPTH = 32 };

/* Holds the state between calls; set it up with sf_json_make. A plain value, nothing to release. */
typedef struct sf_json {
    FILE *stream;
    int depth;
    bool pretty;                        /* objects over several lines; arrays of numbers always on one */
    bool failed;                        /* a write failed, or calls did not nest */
    unsigned char state[SF_JSON_DEPTH]; /* per level: what it is and whether it holds something */
} sf_json;

SF_API
sf_json sf_json_make(FILE *stream, bool pretty);

/* key: name inside an object; NULL inside an array or at the top. */
SF_API
void sf_json_open_object(sf_json *json, const char *key);
SF_API
void sf_json_close_object(sf_json *json);
SF_API
void sf_json_open_array(sf_json *json, const char *key);
SF_API
void sf_json_close_array(sf_json *json);
SF_API
void sf_json_number(sf_json *json, const char *key, double value); /* null if not finite */
SF_API
void sf_json_integer(sf_json *json, const char *key, int64_t value);
SF_API
void sf_json_bool(sf_json *json, const char *key, bool value);
SF_API
void sf_json_null(sf_json *json, const char *key);
SF_API
void sf_json_string(sf_json *json, const char *key, const char *value); /* UTF-8; NULL is null */
SF_API
void sf_json_numbers(sf_json *json, const char *key, size_t n, const double *values);

/* Ends the document with a newline and flushes. False if any write failed. */
SF_API
bool sf_json_finish(sf_json *json);

#ifdef __cplusplus
}
#endif
#endif
