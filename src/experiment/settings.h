/* THE table of settings of an experiment: key, type, default, range, when it applies, meaning. Reading,
 * checking, defaults, messages, help and the reference page all come from it. Private to the room
 * experiment/. */
#ifndef SF_SETTINGS_H
#define SF_SETTINGS_H

#include <math.h>

#include "experiment/document.h"

typedef enum sf_value_type {
    SF_TYPE_NUMBER,  // a finite number in the range
    SF_TYPE_INTEGER, // a whole number in the range, at most 2^53
    SF_TYPE_SEED,    // a whole number 0 .. 2^63 - 1
    SF_TYPE_FLAG,    // true or false
    SF_TYPE_TEXT,    // any text that is not empty
    SF_TYPE_CHOICE,  // one of `choices`
    SF_TYPE_NUMBERS, // a list of finite numbers, at least one, each in the range
    SF_TYPE_ROWS,    // a list of lists of finite numbers, all of one length
    SF_TYPE_INIT     // a number, or a list of numbers
} sf_value_type;

/* What an experiment is, as a set: a setting applies if its scope is 0 or meets the set. */
#define SF_SCOPES(X)                                                                                         \
    X(EXAMPLE, "data.example")                                                                               \
    X(POINTS, "data.points")                                                                                 \
    X(GAUSSIAN, "data.gaussian")                                                                             \
    X(FILE, "data.file")                                                                                     \
    X(RANDOM, "network.init: {random: ...}")                                                                 \
    X(DISCRETE, "dynamics.mode: discrete")                                                                   \
    X(FLOW, "dynamics.mode: flow")                                                                           \
    X(EXACT, "dynamics.mode: exact")

enum sf_scope_bit {
#define SF_SCOPE_BIT(name, text) SF_SCOPE_BIT_##name,
    SF_SCOPES(SF_SCOPE_BIT)
#undef SF_SCOPE_BIT
};
enum sf_scope {
#define SF_SCOPE_VALUE(name, text) SF_SCOPE_##name = 1 << SF_SCOPE_BIT_##name,
    SF_SCOPES(SF_SCOPE_VALUE)
#undef SF_SCOPE_VALUE
        SF_SCOPE_ALWAYS = 0,
    SF_SCOPE_CONTINUOUS = SF_SCOPE_FLOW | SF_SCOPE_EXACT
};

#define SF_ANY      -INFINITY, INFINITY, false
#define SF_POSITIVE 0.0, INFINITY, true
#define SF_METHODS  "gd|l2-sam|linf-sam|lp-sam|usam"

/* X(name, key, type, default or NULL, lowest, highest, lowest excluded, choices or NULL, scope, meaning) */
#define SF_SETTINGS(X)                                                                                       \
    X(EXAMPLE, "data.example", NUMBERS, NULL, SF_ANY, NULL, ALWAYS, "one example mu with label +1")          \
    X(POINTS, "data.points", ROWS, NULL, SF_ANY, NULL, ALWAYS, "N examples of d numbers, with data.labels")  \
    X(LABELS, "data.labels", NUMBERS, NULL, -1.0, 1.0, false, NULL, POINTS, "N labels, -1 or 1")             \
    X(MEAN, "data.gaussian.mean", NUMBERS, NULL, SF_ANY, NULL, ALWAYS, "classes around +mean and -mean")     \
    X(STD, "data.gaussian.std", NUMBER, "1", SF_POSITIVE, NULL, GAUSSIAN,                                    \
      "standard deviation of each feature")                                                                  \
    X(PER_CLASS, "data.gaussian.per_class", INTEGER, "50", 1.0, 1e9, false, NULL, GAUSSIAN,                  \
      "examples a class")                                                                                    \
    X(DATA_SEED, "data.gaussian.seed", SEED, "1", 0.0, 9.2e18, false, NULL, GAUSSIAN, "seed of the draws")   \
    X(SEPARABLE, "data.gaussian.separable", FLAG, "false", SF_ANY, NULL, GAUSSIAN,                           \
      "draw again what the mean does not separate")                                                          \
    X(FILE, "data.file", TEXT, NULL, SF_ANY, NULL, ALWAYS,                                                   \
      "a data file; from the folder of the experiment file, then from $SAMFLOW_DATA")                        \
    X(FORMAT, "data.format", CHOICE, NULL, SF_ANY, "csv|svmlight|idx", FILE,                                 \
      "format; else by ending or content")                                                                   \
    X(LABELS_FILE, "data.labels_file", TEXT, NULL, SF_ANY, NULL, FILE, "idx: the file of labels")            \
    X(LABEL, "data.label", TEXT, NULL, SF_ANY, NULL, FILE,                                                   \
      "csv: label column, by name or 0-based number after transpose; else the last")                         \
    X(TRANSPOSE, "data.transpose", FLAG, "false", SF_ANY, NULL, FILE, "csv: one column an example")          \
    X(CLASSES, "data.classes", NUMBERS, NULL, SF_ANY, NULL, FILE,                                            \
      "the label that becomes -1 and the one that becomes +1; others are left out")                          \
    X(SCALE, "data.scale", NUMBER, "1", SF_ANY, NULL, ALWAYS, "multiplies every feature")                    \
    X(STANDARDIZE, "data.standardize", FLAG, "false", SF_ANY, NULL, ALWAYS,                                  \
      "each feature to mean 0 and population standard deviation 1")                                          \
    X(MIRROR, "data.mirror", FLAG, "false", SF_ANY, NULL, ALWAYS, "features x become (x, -x)")               \
    X(DEPTH, "network.depth", INTEGER, "2", 1.0, 1000.0, false, NULL, ALWAYS, "layers L")                    \
    X(INIT, "network.init", INIT, "0.6", SF_ANY, NULL, ALWAYS,                                               \
      "start of every layer: a number, or d numbers")                                                        \
    X(LAYERS, "network.init.layers", ROWS, NULL, SF_ANY, NULL, ALWAYS, "start: L lists of d numbers")        \
    X(RANDOM_SCALE, "network.init.random.scale", NUMBER, NULL, SF_POSITIVE, NULL, ALWAYS,                    \
      "random start: standard deviation")                                                                    \
    X(RANDOM_SEED, "network.init.random.seed", SEED, "1", 0.0, 9.2e18, false, NULL, RANDOM,                  \
      "random start: seed, every layer its own stream")                                                      \
    X(METHOD, "optimizer.method", CHOICE, "l2-sam", SF_ANY, SF_METHODS, ALWAYS, "perturbation")              \
    X(RHO, "optimizer.rho", NUMBER, "1", 0.0, INFINITY, false, NULL, ALWAYS,                                 \
      "perturbation radius; unused by gd")                                                                   \
    X(P, "optimizer.p", NUMBER, NULL, 1.0, INFINITY, true, NULL, ALWAYS, "p of lp-sam")                      \
    X(LOSS, "loss", CHOICE, "logistic", SF_ANY, "logistic|exponential", ALWAYS, "loss of a margin")          \
    X(MODE, "dynamics.mode", CHOICE, "flow", SF_ANY, "flow|discrete|exact", ALWAYS,                          \
      "flow: integrated; discrete: updates; exact: the reduction (N = 1, L = 2, gd or l2-sam)")              \
    X(UNTIL_LOG_TIME, "dynamics.until.log_time", NUMBER, "50", SF_ANY, NULL, CONTINUOUS,                     \
      "end where log t is this (the default only if no other end is given)")                                 \
    X(UNTIL_TAU, "dynamics.until.tau", NUMBER, NULL, SF_POSITIVE, NULL, CONTINUOUS, "end at this tau")       \
    X(UNTIL_LOG_NORM, "dynamics.until.log_norm", NUMBER, NULL, SF_ANY, NULL, FLOW,                           \
      "end where log ||beta||_2 is this")                                                                    \
    X(UNTIL_DIRECTION, "dynamics.until.direction_tolerance", NUMBER, NULL, SF_POSITIVE, NULL, FLOW,          \
      "end where beta / ||beta||_1 changed less (in l1) over the last factor e in log t")                    \
    X(TOLERANCE, "dynamics.tolerance", NUMBER, "1e-12", 1e-14, 1e-2, false, NULL, FLOW,                      \
      "relative accuracy asked of the integrator")                                                           \
    X(STEP, "dynamics.step", NUMBER, "0.01", SF_POSITIVE, NULL, DISCRETE, "step size eta")                   \
    X(STEPS, "dynamics.steps", INTEGER, "20000", 1.0, 9007199254740992.0, false, NULL, DISCRETE,             \
      "number of updates")                                                                                   \
    X(SAMPLES, "record.samples", INTEGER, "200", 1.0, 1e9, false, NULL, ALWAYS,                              \
      "records, spread evenly in log step (discrete) or progress (flow); first and last always kept")        \
    X(AT_STEP, "record.at.step", NUMBERS, NULL, 0.0, 9007199254740992.0, false, NULL, DISCRETE,              \
      "records at exactly these steps as well")                                                              \
    X(AT_TAU, "record.at.tau", NUMBERS, NULL, 0.0, INFINITY, false, NULL, CONTINUOUS,                        \
      "records at exactly these tau as well")                                                                \
    X(AT_LOG_TIME, "record.at.log_time", NUMBERS, NULL, SF_ANY, NULL, CONTINUOUS,                            \
      "records at exactly these log t as well")

typedef enum sf_setting_id {
#define SF_SETTING_ID(name, ...) SF_SET_##name,
    SF_SETTINGS(SF_SETTING_ID)
#undef SF_SETTING_ID
        SF_SETTING_COUNT
} sf_setting_id;

typedef struct sf_setting {
    const char *key;
    sf_value_type type;
    const char *fallback; // the default as YAML, NULL: none
    double low, high;
    bool low_open;
    const char *choices;
    unsigned scope;
    const char *meaning;
} sf_setting;

extern const sf_setting sf_settings[SF_SETTING_COUNT];

/* The value of one setting. */
typedef struct sf_value {
    bool given;     // by file or override
    bool set;       // given, or filled from the default
    sf_place place; // of the value, if given
    double number;
    uint64_t integer;
    bool flag;
    int choice; // index among the choices
    char *text;
    double *numbers; // (rows, count)
    size_t rows, count;
} sf_value;

/* Converts a node by its setting; takes numbers and text out of the node. Errors: SF_ERR_CONFIG with place,
 * key, what was found and what was expected. */
sf_status sf_value_from_node(sf_context *context, sf_setting_id id, sf_node *node, sf_value *value);
/* Fills a value from its default, if it has one. */
sf_status sf_value_from_default(sf_context *context, sf_setting_id id, sf_value *value);
void sf_value_release(sf_context *context, sf_value *value);

/* Fails for a value that is well formed but does not fit: "PLACE: KEY: what". */
sf_status sf_value_fail(sf_context *context, sf_setting_id id, const sf_value *value, const char *format, ...)
    SF_PRINTF(4, 5);

/* Walks a document: every key known, every value converted. values: SF_SETTING_COUNT, zeroed. */
sf_status sf_settings_read(sf_context *context, sf_node *root, sf_value *values);

/* "data.example or data.points" into a buffer. */
enum { SF_SCOPE_TEXT_SIZE = 256 };
const char *sf_scope_text(unsigned scope, char *buffer);

#endif
