/* THE table of settings of an experiment: key, type, default, range, when it applies, meaning. Reading,
 * checking, defaults, messages, help and the reference page all come from it. Private to the room
 * settings/. */
#ifndef SF_SETTINGS_H
#define SF_SETTINGS_H

#include <math.h>

#include <samflow/sam.h>
#include <samflow/settings.h>

#include "settings/document.h"

/* What an experiment is, as a set: a run of the diagonal network or a training run, and what is in it. A setting
 * applies if its kinds meet the set, and, where it names more than kinds, these do as well. */
#define SF_SCOPES(X)                                                                                         \
    X(EXAMPLE, "data.example")                                                                               \
    X(POINTS, "data.points")                                                                                 \
    X(GAUSSIAN, "data.gaussian")                                                                             \
    X(FILE, "data.file")                                                                                     \
    X(NAME, "data.name")                                                                                     \
    X(RANDOM, "network.init: {random: ...}")                                                                 \
    X(DISCRETE, "dynamics.mode: discrete")                                                                   \
    X(FLOW, "dynamics.mode: flow")                                                                           \
    X(EXACT, "dynamics.mode: exact")                                                                         \
    X(PATCHES, "data.patches")                                                                               \
    X(MLP, "network.model: mlp")                                                                             \
    X(CNN, "network.model: cnn")                                                                             \
    X(RUN, "samflow simulate, predict, limit, margin and sweep")                                             \
    X(TRAIN, "samflow train")

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
    SF_SCOPE_CONTINUOUS = SF_SCOPE_FLOW | SF_SCOPE_EXACT,
    SF_SCOPE_KINDS = SF_SCOPE_RUN | SF_SCOPE_TRAIN,
    SF_SCOPE_OF_TRAIN = SF_SCOPE_PATCHES | SF_SCOPE_MLP | SF_SCOPE_CNN, // what only a training run can be,
    SF_SCOPE_STORED = SF_SCOPE_FILE | SF_SCOPE_NAME,
    SF_SCOPE_OF_RUN = ~(SF_SCOPE_OF_TRAIN | SF_SCOPE_KINDS | SF_SCOPE_STORED), // and what only a run
    SF_SCOPE_RUN_FILE = SF_SCOPE_RUN | SF_SCOPE_FILE,
    SF_SCOPE_TRAIN_STORED = SF_SCOPE_TRAIN | SF_SCOPE_STORED,
    SF_SCOPE_LABELLED = SF_SCOPE_KINDS | SF_SCOPE_POINTS | SF_SCOPE_STORED,
    SF_SCOPE_LAYERED = SF_SCOPE_MLP | SF_SCOPE_CNN
};

#define SF_ANY                                                -INFINITY, INFINITY, false
#define SF_POSITIVE                                           0.0, INFINITY, true
#define SF_NAMES(...)                                         ((const char *const[]){__VA_ARGS__, NULL})
#define SF_METHOD_CHOICE(id, name, radius, exponent, bounded) name,
#define SF_METHODS                                            ((const char *const[]){SF_METHOD_LIST(SF_METHOD_CHOICE) NULL})
#define SF_LOSS_CHOICE(id, name)                              name,
#define SF_LOSSES                                             ((const char *const[]){SF_LOSS_LIST(SF_LOSS_CHOICE) NULL})

/* X(name, key, type, default or NULL, lowest, highest, lowest excluded, choices or NULL, scope, meaning) */
#define SF_SETTINGS(X)                                                                                         \
    X(EXAMPLE, "data.example", NUMBERS, NULL, SF_ANY, NULL, RUN, "one example mu with label +1")               \
    X(POINTS, "data.points", ROWS, NULL, SF_ANY, NULL, RUN, "N examples of d numbers, with data.labels")       \
    X(LABELS, "data.labels", NUMBERS, NULL, SF_ANY, NULL, POINTS,                                              \
      "N labels, -1 or 1; with data.classes any numbers")                                                      \
    X(MEAN, "data.gaussian.mean", NUMBERS, NULL, SF_ANY, NULL, RUN, "classes around +mean and -mean")          \
    X(STD, "data.gaussian.std", NUMBER, "1", SF_POSITIVE, NULL, GAUSSIAN,                                      \
      "standard deviation of each feature")                                                                    \
    X(PER_CLASS, "data.gaussian.per_class", INTEGER, "50", 1.0, 1e9, false, NULL, GAUSSIAN,                    \
      "examples a class")                                                                                      \
    X(DATA_SEED, "data.gaussian.seed", SEED, "1", 0.0, 9.2e18, false, NULL, GAUSSIAN, "seed of the draws")     \
    X(SEPARABLE, "data.gaussian.separable", FLAG, "false", SF_ANY, NULL, GAUSSIAN,                             \
      "draw again what the mean does not separate")                                                            \
    X(FILE, "data.file", TEXT, NULL, SF_ANY, NULL, ALWAYS,                                                     \
      "a data file; from the folder of the experiment file, then from $SAMFLOW_DATA")                          \
    X(NAME, "data.name", CHOICE, NULL, SF_ANY, SF_NAMES("digits"), ALWAYS,                                     \
      "a data set that is part of samflow; digits: images of 8 x 8 pixels from 0 to 16, ten classes")          \
    X(FORMAT, "data.format", CHOICE, NULL, SF_ANY, SF_NAMES("csv", "svmlight", "idx", "arff"), RUN_FILE,       \
      "format; else by ending or content")                                                                     \
    X(LABELS_FILE, "data.labels_file", TEXT, NULL, SF_ANY, NULL, FILE, "idx: the file of labels")              \
    X(LABEL, "data.label", TEXT, NULL, SF_ANY, NULL, RUN_FILE,                                                 \
      "csv: label column, by name or 0-based number after transpose; else the last; idx: column of labels of " \
      "2 dimensions")                                                                                          \
    X(TRANSPOSE, "data.transpose", FLAG, "false", SF_ANY, NULL, RUN_FILE, "csv: one column an example")        \
    X(HEADER, "data.header", FLAG, NULL, SF_ANY, NULL, RUN_FILE,                                               \
      "csv: whether the first line names the columns; else by what stands in it")                              \
    X(CLASSES, "data.classes", NAMES, NULL, SF_ANY, NULL, LABELLED,                                            \
      "the label that becomes -1 and the one that becomes +1, by number or name (samflow train: two or more "  \
      "numbers); others are left out")                                                                         \
    X(FEATURES, "data.features", NAMES, NULL, SF_ANY, NULL, RUN_FILE,                                          \
      "csv, arff: the columns that are features, in this order, by name or 0-based number; else all")          \
    X(DROP, "data.drop", NAMES, NULL, SF_ANY, NULL, RUN_FILE,                                                  \
      "csv, arff: columns to leave out, by name or 0-based number")                                            \
    X(MISSING, "data.missing", CHOICE, NULL, SF_ANY, SF_NAMES("error", "skip"), RUN_FILE,                      \
      "csv, arff: what an empty field, NA or ? does: stop (without the key), or leave its example out")        \
    X(WEAK, "data.weak", NUMBER, "0.1", SF_POSITIVE, NULL, TRAIN_STORED, "pixels below this are background")   \
    X(STRONG, "data.strong", NUMBER, "0.5", SF_POSITIVE, NULL, TRAIN_STORED,                                   \
      "pixels from this on are strong, those between weak")                                                    \
    X(PATCH_STRONG, "data.patches.strong", NUMBER, NULL, SF_POSITIVE, NULL, TRAIN,                             \
      "drawn images of two classes: amplitude of the strong patch")                                            \
    X(PATCH_FAINT, "data.patches.faint", NUMBER, "0.2", SF_POSITIVE, NULL, PATCHES,                            \
      "amplitude of the faint patch, less than strong")                                                        \
    X(PATCH_NOISE, "data.patches.noise", NUMBER, "0.1", 0.0, INFINITY, false, NULL, PATCHES,                   \
      "standard deviation of the pixel noise")                                                                 \
    X(PATCH_STRONG_FLIP, "data.patches.strong_flip", NUMBER, "0", 0.0, 0.4999999999, false, NULL, PATCHES,     \
      "share of images whose strong patch is of the other class")                                              \
    X(PATCH_FAINT_FLIP, "data.patches.faint_flip", NUMBER, "0", 0.0, 0.4999999999, false, NULL, PATCHES,       \
      "share of images whose faint patch is of the other class")                                               \
    X(PATCH_HEIGHT, "data.patches.height", INTEGER, "28", 1.0, 4096.0, false, NULL, PATCHES, "pixels")         \
    X(PATCH_WIDTH, "data.patches.width", INTEGER, "28", 1.0, 4096.0, false, NULL, PATCHES, "pixels")           \
    X(PATCH_SIDE, "data.patches.patch", INTEGER, "5", 1.0, 4096.0, false, NULL, PATCHES,                       \
      "side of a patch in pixels")                                                                             \
    X(PATCH_JITTER, "data.patches.jitter", INTEGER, "0", 0.0, 4096.0, false, NULL, PATCHES,                    \
      "places drawn anew for each image, by up to so many pixels")                                             \
    X(PATCH_PER_CLASS, "data.patches.per_class", INTEGER, "500", 1.0, 1e8, false, NULL, PATCHES,               \
      "images a class")                                                                                        \
    X(PATCH_SEED, "data.patches.seed", SEED, "1", 0.0, 9.2e18, false, NULL, PATCHES, "seed of the draws")      \
    X(SCALE, "data.scale", NUMBER, "1", SF_ANY, NULL, ALWAYS, "multiplies every feature")                      \
    X(STANDARDIZE, "data.standardize", FLAG, "false", SF_ANY, NULL, RUN,                                       \
      "each feature to mean 0 and population standard deviation 1")                                            \
    X(INTERCEPT, "data.intercept", NUMBER, NULL, SF_ANY, NULL, RUN,                                            \
      "value of a constant feature, appended after standardizing: hyperplanes off the origin")                 \
    X(MIRROR, "data.mirror", FLAG, "false", SF_ANY, NULL, RUN, "features x become (x, -x)")                    \
    X(SPLIT_TEST, "data.split.test", NUMBER, NULL, 0.0, 0.999999, true, NULL, TRAIN,                           \
      "share of each class that is kept for testing; without it there is no test set")                         \
    X(SPLIT_SEED, "data.split.seed", SEED, "1", 0.0, 9.2e18, false, NULL, TRAIN, "seed of the split")          \
    X(MODEL, "network.model", CHOICE, "cnn", SF_ANY, SF_NAMES("diagonal", "mlp", "cnn"), TRAIN,                \
      "linear diagonal network, fully connected, or convolutional and then fully connected")                   \
    X(CHANNELS, "network.channels", SIZES, "[16, 32]", SF_ANY, NULL, CNN,                                      \
      "output channels of each convolution")                                                                   \
    X(KERNEL, "network.kernel", INTEGER, "5", 1.0, 16384.0, false, NULL, CNN,                                  \
      "side of the kernels; padding keeps the size of the image")                                              \
    X(POOL, "network.pool", INTEGER, "2", 1.0, 16384.0, false, NULL, CNN,                                      \
      "side of the pools after each convolution; 1: none")                                                     \
    X(POOLING, "network.pooling", CHOICE, "max", SF_ANY, SF_NAMES("max", "average"), CNN,                      \
      "what a pool takes")                                                                                     \
    X(HIDDEN, "network.hidden", SIZES, "[128]", SF_ANY, NULL, LAYERED,                                         \
      "widths of the hidden fully connected layers; []: none")                                                 \
    X(ACTIVATION, "network.activation", CHOICE, "relu", SF_ANY, SF_NAMES("relu", "identity"), LAYERED,         \
      "after each convolution and hidden layer")                                                               \
    X(BIAS, "network.bias", FLAG, "true", SF_ANY, NULL, LAYERED, "whether layers have biases")                 \
    X(INIT_SCALE, "network.init_scale", NUMBER, "1", 0.0, INFINITY, false, NULL, TRAIN,                        \
      "scale of the start: weights and biases uniform in +-init_scale / sqrt(fan in); diagonal: every "        \
      "weight")                                                                                                \
    X(NET_SEED, "network.seed", SEED, "1", 0.0, 9.2e18, false, NULL, LAYERED, "seed of the start")             \
    X(BACKEND, "network.backend", CHOICE, "auto", SF_ANY, SF_NAMES("auto", "onednn", "plain"), LAYERED,        \
      "what computes it: oneDNN or loops of our own; auto: the first that the build has")                      \
    X(DEPTH, "network.depth", INTEGER, "2", 1.0, 1000.0, false, NULL, ALWAYS, "layers L")                      \
    X(INIT, "network.init", INIT, "0.6", SF_ANY, NULL, RUN, "start of every layer: a number, or d numbers")    \
    X(LAYERS, "network.init.layers", ROWS, NULL, SF_ANY, NULL, RUN, "start: L lists of d numbers")             \
    X(RANDOM_SCALE, "network.init.random.scale", NUMBER, NULL, SF_POSITIVE, NULL, RUN,                         \
      "random start: standard deviation")                                                                      \
    X(RANDOM_SEED, "network.init.random.seed", SEED, "1", 0.0, 9.2e18, false, NULL, RANDOM,                    \
      "random start: seed, every layer its own stream")                                                        \
    X(METHOD, "optimizer.method", CHOICE, "l2-sam", SF_ANY, SF_METHODS, ALWAYS, "perturbation")                \
    X(RHO, "optimizer.rho", NUMBER, "1", 0.0, INFINITY, false, NULL, ALWAYS,                                   \
      "perturbation radius; unused by gd; samflow train has no default")                                       \
    X(P, "optimizer.p", NUMBER, NULL, 1.0, INFINITY, true, NULL, RUN, "p of lp-sam")                           \
    X(ADAPTIVE, "optimizer.adaptive", FLAG, "false", SF_ANY, NULL, TRAIN,                                      \
      "l2-sam relative to the size of each weight: ASAM")                                                      \
    X(SHARD, "optimizer.shard", INTEGER, "0", 0.0, 9007199254740992.0, false, NULL, TRAIN,                     \
      "m-SAM: images that are perturbed together; 0: the batch as a whole")                                    \
    X(MOMENTUM, "optimizer.momentum", NUMBER, "0", 0.0, 0.9999999999, false, NULL, TRAIN,                      \
      "v = momentum v + g, theta -= rate v")                                                                   \
    X(WEIGHT_DECAY, "optimizer.weight_decay", NUMBER, "0", 0.0, INFINITY, false, NULL, TRAIN,                  \
      "times theta, added to g")                                                                               \
    X(LOSS, "loss", CHOICE, "logistic", SF_ANY, SF_LOSSES, RUN, "loss of a margin")                            \
    X(MODE, "dynamics.mode", CHOICE, "flow", SF_ANY, SF_NAMES("flow", "discrete", "exact"), RUN,               \
      "flow: integrated; discrete: updates; exact: the reduction (N = 1, L = 2, gd or l2-sam)")                \
    X(UNTIL_LOG_TIME, "dynamics.until.log_time", NUMBER, "50", SF_ANY, NULL, CONTINUOUS,                       \
      "end where log t is this (the default only if no other end is given)")                                   \
    X(UNTIL_TAU, "dynamics.until.tau", NUMBER, NULL, SF_POSITIVE, NULL, CONTINUOUS, "end at this tau")         \
    X(UNTIL_LOG_NORM, "dynamics.until.log_norm", NUMBER, NULL, SF_ANY, NULL, FLOW,                             \
      "end where log ||beta||_2 is this")                                                                      \
    X(UNTIL_DIRECTION, "dynamics.until.direction_tolerance", NUMBER, NULL, SF_POSITIVE, NULL, FLOW,            \
      "end where beta / ||beta||_1 changed less (in l1) over the last factor e in log t")                      \
    X(TOLERANCE, "dynamics.tolerance", NUMBER, "1e-12", 1e-14, 1e-2, false, NULL, FLOW,                        \
      "relative accuracy asked of the integrator")                                                             \
    X(STEP, "dynamics.step", NUMBER, "0.01", SF_POSITIVE, NULL, DISCRETE, "step size eta")                     \
    X(STEPS, "dynamics.steps", INTEGER, "20000", 1.0, 9007199254740992.0, false, NULL, DISCRETE,               \
      "number of updates")                                                                                     \
    X(EPOCHS, "training.epochs", INTEGER, "10", 1.0, 1e9, false, NULL, TRAIN,                                  \
      "passes over the images (the default only if no steps are given)")                                       \
    X(TRAIN_STEPS, "training.steps", INTEGER, NULL, 1.0, 9007199254740992.0, false, NULL, TRAIN,               \
      "or the number of steps")                                                                                \
    X(BATCH, "training.batch", INTEGER, "64", 0.0, 9007199254740992.0, false, NULL, TRAIN,                     \
      "images a step; 0: all of them")                                                                         \
    X(RATE, "training.rate", NUMBER, "0.1", SF_POSITIVE, NULL, TRAIN, "step size eta")                         \
    X(TRAIN_SEED, "training.seed", SEED, "1", 0.0, 9.2e18, false, NULL, TRAIN,                                 \
      "seed of the order of the images, drawn anew each epoch")                                                \
    X(CHECKPOINT_EVERY, "training.checkpoint_every", INTEGER, "500", 1.0, 9007199254740992.0, false, NULL,     \
      TRAIN, "steps between checkpoints, where --checkpoint asks for them")                                    \
    X(SAMPLES, "record.samples", INTEGER, "200", 1.0, 1e9, false, NULL, RUN,                                   \
      "records, spread evenly in log step (discrete) or progress (flow); first and last always kept")          \
    X(EVERY, "record.every", INTEGER, "0", 0.0, 9007199254740992.0, false, NULL, TRAIN,                        \
      "steps between records; 0: one each epoch; first and last always kept")                                  \
    X(AT_STEP, "record.at.step", NUMBERS, NULL, 0.0, 9007199254740992.0, false, NULL, DISCRETE,                \
      "records at exactly these steps as well")                                                                \
    X(AT_TAU, "record.at.tau", NUMBERS, NULL, 0.0, INFINITY, false, NULL, CONTINUOUS,                          \
      "records at exactly these tau as well")                                                                  \
    X(AT_LOG_TIME, "record.at.log_time", NUMBERS, NULL, SF_ANY, NULL, CONTINUOUS,                              \
      "records at exactly these log t as well")

typedef enum sf_setting_id {
#define SF_SETTING_ID(name, ...) SF_SET_##name,
    SF_SETTINGS(SF_SETTING_ID)
#undef SF_SETTING_ID
        SF_SETTING_COUNT
} sf_setting_id;

typedef struct sf_setting {
    const char *key;
    sf_setting_type type;
    const char *fallback; // the default as YAML, NULL: none
    double low, high;
    bool low_open;
    const char *const *choices; // ended by NULL
    unsigned scope;
    const char *meaning;
} sf_setting;

extern const sf_setting sf_settings_table[SF_SETTING_COUNT];

/* The value of one setting. */
typedef struct sf_value {
    bool given;     // by file, override or call
    bool set;       // given, or filled from the default
    sf_place place; // of the value, if given
    double number;
    uint64_t integer;
    bool flag;
    int choice;      // index among the choices
    char *text;      // of names: one a line
    double *numbers; // (rows, count)
    size_t rows, count;
} sf_value;

struct sf_settings {
    sf_context *context;
    char *name;   // of the file: for messages, and as the folder that paths of data start from; may be NULL
    char **texts; // (text_count) the overrides, which places point to
    size_t text_count;
    sf_place place; // of `data:`, else of the document: where a missing source is missed
    unsigned scope; // the kind; once resolved, what it is: a set of SF_SCOPE_*
    sf_value values[SF_SETTING_COUNT];
};

/* ---- values (values.c) --------------------------------------------------------------------------- */

/* Converts a node by its setting; takes numbers and text out of the node. Errors: SF_ERR_CONFIG with place,
 * key, what was found and what was expected. */
sf_status sf_value_from_node(sf_context *context, sf_setting_id id, sf_node *node, sf_value *value);
/* Converts a number, for every type that one can be written for. */
sf_status sf_value_from_number(sf_context *context, sf_setting_id id, double number, sf_place place,
                               sf_value *value);
/* Fills a value from its default, if it has one. */
sf_status sf_value_from_default(sf_context *context, sf_setting_id id, sf_value *value);
sf_status sf_value_copy(sf_context *context, const sf_value *from, sf_value *to);
void sf_value_release(sf_context *context, sf_value *value);
bool sf_setting_in_range(const sf_setting *setting, double number);

/* "a finite number >= 0" into a buffer of SF_PHRASE_SIZE. */
enum { SF_SETTING_PATH_SIZE = 256 };
const char *sf_setting_expectation(const sf_setting *setting, char *buffer);

/* Fails for a value that is well formed but does not fit: "PLACE: KEY: what". */
sf_status sf_value_fail(sf_context *context, sf_setting_id id, const sf_value *value, const char *format, ...)
    SF_PRINTF(4, 5);
#define SF_FAIL_VALUE(settings, id, ...)                                                                     \
    sf_value_fail((settings)->context, (id), &(settings)->values[id], __VA_ARGS__)

/* ---- paths (settings.c) -------------------------------------------------------------------------- */

/* The setting of this name, SF_SETTING_COUNT if there is none. */
sf_setting_id sf_setting_find(const char *key);

/* Walks a document, or the value of a path: every key known, every value converted. values: (SF_SETTING_COUNT). */
sf_status sf_settings_walk(sf_context *context, const char *path, sf_node *node, sf_value *values);

/* Fails for a path that names nothing: with what it may mean. */
sf_status sf_setting_unknown(sf_context *context, const char *path);

/* What a path names: a setting, or an item of its list. */
typedef struct sf_setting_path {
    sf_setting_id id;
    int indices;
    size_t index[2];
} sf_setting_path;
/* False if it names neither: a group of settings, or nothing. */
bool sf_setting_path_of(const char *path, sf_setting_path *target);

/* ---- objects (object.c) -------------------------------------------------------------------------- */

/* Fills from the document of a file, overrides first; not resolved. */
sf_status sf_settings_fill(sf_settings *settings, sf_node *root, size_t count, const char *const *overrides);
/* Takes back what a value at the path excludes: the setting itself, those below it, and one that it is a part of. */
void sf_settings_clear(sf_settings *settings, const char *path);
/* Puts a number where the target is, which is cleared, or has a number or a list there already. */
sf_status sf_settings_put(sf_settings *settings, const sf_setting_path *target, double number,
                          sf_place place);

/* Whether a number can be the item of a list. Errors: SF_ERR_CONFIG. */
sf_status sf_item_check(sf_context *context, const sf_setting_path *path, double number, sf_place place);

/* What a value of a path sets: one setting, or those of a group. */
typedef struct sf_patch {
    size_t count;
    struct sf_assignment {
        sf_setting_id id;
        sf_value value;
    } * items;
} sf_patch;
/* Converts a node, which is used up; release also after a failure. */
sf_status sf_patch_create(sf_context *context, const char *path, sf_node *node, sf_patch *patch);
void sf_patch_release(sf_context *context, sf_patch *patch);
/* Clears the path and copies the values there. */
sf_status sf_settings_apply(sf_settings *settings, const char *path, const sf_patch *patch);

/* ---- checks, printing, hashes (check.c, write.c) ------------------------------------------------- */

/* The kinds of experiment that a setting is for: SF_SCOPE_RUN, SF_SCOPE_TRAIN or both. */
unsigned sf_setting_kinds(const sf_setting *setting);
/* Whether it applies to an experiment of that scope. */
bool sf_setting_applies(const sf_setting *setting, unsigned scope);
/* "data.example or data.points" into a buffer. */
enum { SF_SCOPE_TEXT_SIZE = 256 };
const char *sf_scope_text(unsigned scope, char *buffer);
/* Whether the value of a setting decides about other settings: whether they apply, their defaults, or what they may be. */
bool sf_setting_is_linked(const sf_settings *settings, sf_setting_id id);

/* As sf_settings_write, but `write` may write a value itself: then it returns true. */
typedef bool (*sf_value_write_fn)(const void *user, sf_setting_id id, sf_json *json, const char *key);
void sf_settings_write_by(const sf_settings *settings, sf_json *json, const char *key,
                          sf_value_write_fn write, const void *user);
typedef struct sf_hash {
    unsigned char bytes[16]; // big-endian
} sf_hash;
sf_hash sf_hash_bytes(const void *bytes, size_t size);
/* Of one setting that is set, with its name. */
sf_hash sf_value_hash(sf_setting_id id, const sf_value *value);

#endif
