/* A YAML document as a small tree with places, built from libfyaml's events so that a list of a million
 * numbers costs its doubles and nothing else. Private to the room settings/. */
#ifndef SF_DOCUMENT_H
#define SF_DOCUMENT_H

#include "base/base.h"

/* Where something was written: a line and column of a file (from 1), or an override (line 0). */
typedef struct sf_place {
    const char *source; // file name, or the text of the override; outlives the document
    int line, column;
} sf_place;

/* Puts the place before the message of a failure; source NULL: there is none. SF_ERR_CONFIG. */
sf_status sf_fail_at(sf_context *context, sf_place place);

enum { SF_PLACE_SIZE = 400 };
/* "file.yaml:3:8" or "--set key=value" into a buffer of SF_PLACE_SIZE. */
const char *sf_place_text(sf_place place, char *buffer);

typedef enum sf_node_kind { SF_NODE_SCALAR, SF_NODE_MAPPING, SF_NODE_LIST } sf_node_kind;

/* A list is either of plain finite numbers, or of nodes. */
typedef struct sf_node sf_node;
struct sf_node {
    sf_node_kind kind;
    sf_place place;
    char *text;      // scalar: its content
    bool quoted;     // scalar: written in quotes, so a text whatever it looks like
    size_t count;    // list, mapping: items
    double *numbers; // list of numbers: (count), else NULL
    sf_node **items; // list of nodes, mapping: (count) values
    char **keys;     // mapping: (count)
    sf_place *key_places;
    size_t capacity;
};

/* A text to parse: `length` bytes from block + SF_TEXT_HEADROOM on. The bytes before are room for the parser, which
 * may put a mark in front. */
enum { SF_TEXT_HEADROOM = 4 };
typedef struct sf_text {
    char *block;
    size_t length;
} sf_text;

/* The whole of a file ("-": standard input); the block is the caller's, also on failure. expected: what it should be,
 * for messages ("an experiment file"). Errors: SF_ERR_CONFIG, SF_ERR_MEMORY. */
sf_status sf_text_read(sf_context *context, const char *path, const char *expected, sf_text *text);
/* A copy of a text. */
sf_status sf_text_copy(sf_context *context, const char *source, sf_text *text);

/* Parses a text. source: name in messages, borrowed by the nodes. A single document without anchors and tags.
 * Errors: SF_ERR_CONFIG with place, SF_ERR_MEMORY. */
sf_status sf_document_parse(sf_context *context, const char *source, const sf_text *text, sf_node **out);
/* Plain and empty, ~ or null; and a node in the words of a message ("'x'", "an empty list") into SF_PHRASE_SIZE bytes. */
enum { SF_PHRASE_SIZE = 256 };
bool sf_node_is_null(const sf_node *node);
const char *sf_node_found(const sf_node *node, char *buffer);
/* Whether a text is such a document: what it may be, sweep files and the settings in result files may be too, which are read
 * by other parsers. */
sf_status sf_document_check(sf_context *context, const char *source, const char *text);
/* Parses the value of an override: every place in it is `source`, line 0. Empty text gives *out = NULL. */
sf_status sf_document_parse_value(sf_context *context, const char *source, const char *text, sf_node **out);
void sf_node_destroy(sf_context *context, sf_node **node);

/* The value of a key of a mapping, or NULL. */
sf_node *sf_node_find(const sf_node *mapping, const char *key);
/* Replaces or appends mapping[key]; takes the value over, also on failure. value NULL removes the key. */
sf_status sf_node_put(sf_context *context, sf_node *mapping, const char *key, sf_place key_place,
                      sf_node *value);
sf_status sf_node_new_mapping(sf_context *context, sf_place place, sf_node **out);

/* Whether a node is a plain scalar that is a finite number. */
bool sf_node_number(const sf_node *node, double *value);

/* The shortest decimal that reads back to the number, into a buffer of 32. */
const char *sf_number_text(double number, char *buffer);
/* A decimal number as YAML writes it, finite or .inf/.nan; false if text is none. */
bool sf_yaml_number(const char *text, double *value);

#endif
