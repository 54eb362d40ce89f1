/* Identity of a point: a 128-bit hash of all its settings.
 *
 * The resolved experiment is flattened to leaves "path = value" (data.example[1] = 2), sorted by path. A leaf is
 * hashed by itself, H(H(path), H(value)); a number counts as the eight bytes of its double (-0 as 0), so that 1, 1.0
 * and 1e0 are one setting. The point is H of the sequence of the hashes of its leaves. H is XXH3-128 with a seed that
 * tells numbers ('n') from texts ('t'); its value is fixed since xxHash 0.8.0. Replacing a leaf costs two small
 * hashes and one over 16 bytes a leaf.
 */
#ifndef SF_SWEEP_IDENTITY_H
#define SF_SWEEP_IDENTITY_H

#include "settings/settings.h"

typedef struct sf_leaf {
    char *path;
    char *text;    // NULL: a number
    double number; // NaN if text
    sf_hash path_hash, hash;
} sf_leaf;

typedef struct sf_leaves {
    sf_context *context;
    sf_leaf *items; // sorted by path
    size_t count, capacity;
} sf_leaves;

/* Flattens a JSON document. Release with sf_leaves_release, also after a failure. Errors: SF_ERR_INTERNAL (no
 * JSON), SF_ERR_MEMORY. */
sf_status sf_leaves_parse(sf_context *context, const char *json, sf_leaves *leaves);
/* The part of a JSON document below a path, on one line; *text is NULL if there is none. */
sf_status sf_json_member(sf_context *context, const char *json, const char *path, char **text);
/* Adds or replaces a leaf; text NULL: the number. */
sf_status sf_leaves_put(sf_leaves *leaves, const char *path, double number, const char *text);
void sf_leaves_release(sf_leaves *leaves);

/* Index of a path, SIZE_MAX if there is none. */
size_t sf_leaves_find(const sf_leaves *leaves, const char *path);
/* The number of a leaf, NaN if there is none or it is a text. */
double sf_leaves_number(const sf_leaves *leaves, const char *path);

sf_hash sf_leaf_hash(sf_hash path, double number, const char *text);
sf_status sf_leaves_hash(const sf_leaves *leaves, sf_hash *hash);

#endif
