/* samflow/settings.h - the settings of an experiment or of training as one typed object.
 *
 * One table says what a setting is called, its type, default and range, when it applies and what it means; help, checks
 * and the reference page ask it. An sf_settings holds values for the rows of that table. It is read from YAML, or set
 * value by value; once resolved it has every default, and what has to hold between settings holds.
 *
 * A path names a setting ("optimizer.rho") or an item of its list ("data.example[1]", "network.init.layers[0][2]", from 0).
 * To give a value to a path takes away what excludes it: network.init = 0.5 forgets network.init.layers.
 */
#ifndef SAMFLOW_SETTINGS_H
#define SAMFLOW_SETTINGS_H

#include <samflow/json.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the table ----------------------------------------------------------------------------------- */

typedef enum sf_setting_type {
    SF_TYPE_NUMBER,  /* a finite number in the range */
    SF_TYPE_INTEGER, /* a whole number in the range, at most 2^53 */
    SF_TYPE_SEED,    /* a whole number 0 .. 2^63 - 1 */
    SF_TYPE_FLAG,    /* true or false */
    SF_TYPE_TEXT,    /* any text that is not empty */
    SF_TYPE_CHOICE,  /* one of a few names */
    SF_TYPE_NUMBERS, /* a list of finite numbers, at least one, each in the range */
    SF_TYPE_SIZES,   /* a list of whole numbers >= 1, may be empty */
    SF_TYPE_ROWS,    /* a list of lists of finite numbers, all of one length */
    SF_TYPE_INIT,    /* a number, or a list of numbers */
    SF_TYPE_NAMES    /* a list of names, at least one, or of numbers */
} sf_setting_type;

/* One row of the table of settings, for help and reference pages. */
typedef struct sf_setting_info {
    const char *key;      /* "optimizer.rho" */
    const char *fallback; /* the default as YAML, NULL if there is none */
    const char *meaning;  /* one line */
    char expected[256];   /* "a finite number >= 0" */
    char scope[256];      /* "dynamics.mode: discrete"; "" if the key always applies */
    bool run, train;      /* whether it is for runs of the diagonal network, for samflow train, or for both */
    sf_setting_type type;
    double low, high;           /* the range of numbers; infinite where there is no bound */
    bool low_open;              /* whether `low` itself is left out */
    const char *const *choices; /* ended by NULL; NULL unless a choice */
} sf_setting_info;

SF_API
size_t sf_settings_count(void);
/* Fills info for setting `index` (from 0) and returns its key; NULL beyond the last. */
SF_API
const char *sf_settings_describe(size_t index, sf_setting_info *info);

/* ---- settings ------------------------------------------------------------------------------------ */

typedef struct sf_settings sf_settings;

typedef enum sf_settings_kind {
    SF_SETTINGS_RUN,     /* of the diagonal network: simulate, predict, limit, margin, sweep */
    SF_SETTINGS_TRAINING /* of networks on images: train */
} sf_settings_kind;

/* Settings of which none is given yet. name: what messages call them, and the file whose folder relative paths of data
 * start from; may be NULL. Errors: SF_ERR_MEMORY. */
SF_API
sf_status sf_settings_create(sf_context *context, sf_settings_kind kind, const char *name, sf_settings **out);
/* Reads settings from a file ("-": standard input) or from text, and resolves them. overrides: count strings
 * "key.path=value" (the value is YAML; nothing after the sign removes the key), applied before checking. Errors:
 * SF_ERR_CONFIG with file, line, key, what was found and what was expected; SF_ERR_MEMORY. */
SF_API
sf_status sf_settings_read(sf_context *context, sf_settings_kind kind, const char *path, size_t count,
                           const char *const *overrides, sf_settings **out);
SF_API
sf_status sf_settings_parse(sf_context *context, sf_settings_kind kind, const char *name, const char *text,
                            size_t count, const char *const *overrides, sf_settings **out);
SF_API
sf_status sf_settings_copy(sf_context *context, const sf_settings *settings, sf_settings **out);
SF_API
void sf_settings_destroy(sf_settings **settings);

/* Give a value, which is copied, by the type of the setting: numbers, items of lists; whole numbers beyond 2^53 (seeds);
 * flags; texts and choices; rows x count numbers (rows is 1 unless SF_TYPE_ROWS). Errors: SF_ERR_CONFIG (no such setting,
 * another type, out of range: with key, what was found, what was expected), SF_ERR_MEMORY. After a failure the value is
 * what it was, or not given. */
SF_API
sf_status sf_settings_set_number(sf_settings *settings, const char *path, double value);
SF_API
sf_status sf_settings_set_integer(sf_settings *settings, const char *path, uint64_t value);
SF_API
sf_status sf_settings_set_flag(sf_settings *settings, const char *path, bool value);
SF_API
sf_status sf_settings_set_text(sf_settings *settings, const char *path, const char *value);
SF_API
sf_status sf_settings_set_numbers(sf_settings *settings, const char *path, size_t rows, size_t count,
                                  const double *values);
/* Of names; each is a text without an end of line. */
SF_API
sf_status sf_settings_set_names(sf_settings *settings, const char *path, size_t count,
                                const char *const *names);
/* Takes a setting, or all of a group, back. */
SF_API
sf_status sf_settings_unset(sf_settings *settings, const char *path);

/* Fills in the defaults and checks what has to hold between settings; may be called again after changes. Errors:
 * SF_ERR_CONFIG, SF_ERR_MEMORY. */
SF_API
sf_status sf_settings_resolve(sf_settings *settings);

/* A value as it stands. What its type does not use is NaN, 0 or NULL; pointers are the settings'. */
typedef struct sf_setting_value {
    sf_setting_type type;
    bool given;            /* by whoever made the settings; else a default */
    double number;         /* of numbers (seeds: as near as a double comes), an item of a list */
    uint64_t integer;      /* of whole numbers and seeds */
    bool flag;             /* */
    const char *text;      /* of texts and choices; of names one a line */
    const double *numbers; /* (rows, count), of lists */
    size_t rows, count;
} sf_setting_value;
/* False if the path names nothing that is set. */
SF_API
bool sf_settings_get(const sf_settings *settings, const char *path, sf_setting_value *value);

/* 128 bits (XXH3, big-endian) of all that is set: of each setting its whole name, its type and its value. -0 counts as
 * 0, a whole number as what it is, however it was written; what was given and what is a default are not told apart.
 * Errors: SF_ERR_MEMORY. */
SF_API
sf_status sf_settings_hash(const sf_settings *settings, unsigned char hash[16]);
/* All that is set as one JSON object, which is YAML too and reads back to the same settings. key: inside an object. */
SF_API
void sf_settings_write(const sf_settings *settings, sf_json *json, const char *key);
/* Calls `found` with each path that is set in one and not in the other, or has another value there; items of lists one by
 * one. Ends with the first status that is not SF_OK. */
typedef sf_status (*sf_settings_path_fn)(const char *path, void *user);
SF_API
sf_status sf_settings_diff(const sf_settings *a, const sf_settings *b, sf_settings_path_fn found, void *user);

#ifdef __cplusplus
}
#endif
#endif
