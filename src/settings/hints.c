/* What a setting is called in papers and in other programs, by its whole path or, where the path starts with a dot, by the
 * last part of it. */
#include "settings/hints.h"

#include <string.h>

static const struct {
    const char *tried, *key, *train; // train: the name in samflow train, NULL if it is the same
} hints[] = {
    {".alpha", "network.init", "network.init_scale"},
    {"network.scale", "network.init", "network.init_scale"},
    {"network.init_scale", "network.init", NULL},
    {".initialization", "network.init", "network.init_scale"},
    {".weights", "network.init.layers", NULL},
    {"network.layers", "network.depth", NULL},
    {"layers", "network.depth", NULL},
    {".L", "network.depth", NULL},
    {".n_layers", "network.depth", NULL},
    {".num_layers", "network.depth", NULL},
    {".lr", "dynamics.step", "training.rate"},
    {".learning_rate", "dynamics.step", "training.rate"},
    {".eta", "dynamics.step", "training.rate"},
    {".step_size", "dynamics.step", "training.rate"},
    {".dt", "dynamics.step", "training.rate"},
    {"optimizer.step", "dynamics.step", "training.rate"},
    {"optimizer.rate", "dynamics.step", "training.rate"},
    {".iterations", "dynamics.steps", "training.steps"},
    {".iters", "dynamics.steps", "training.steps"},
    {".n_steps", "dynamics.steps", "training.steps"},
    {".num_steps", "dynamics.steps", "training.steps"},
    {".max_steps", "dynamics.steps", "training.steps"},
    {".max_iter", "dynamics.steps", "training.steps"},
    {"optimizer.steps", "dynamics.steps", "training.steps"},
    {".epsilon", "optimizer.rho", NULL},
    {".radius", "optimizer.rho", NULL},
    {".perturbation", "optimizer.method", NULL},
    {".algorithm", "optimizer.method", NULL},
    {"optimizer.name", "optimizer.method", NULL},
    {"optimizer.type", "optimizer.method", NULL},
    {"optimizer.norm", "optimizer.method", NULL},
    {"method", "optimizer.method", NULL},
    {".batch_size", "training.batch", NULL},
    {".time", "dynamics.until.log_time", NULL},
    {".t_end", "dynamics.until.log_time", NULL},
    {".t_max", "dynamics.until.log_time", NULL},
    {".T", "dynamics.until.log_time", NULL},
    {"dynamics.log_time", "dynamics.until.log_time", NULL},
    {"dynamics.type", "dynamics.mode", NULL},
    {".rtol", "dynamics.tolerance", NULL},
    {".tol", "dynamics.tolerance", NULL},
    {"data.x", "data.points", NULL},
    {"data.X", "data.points", NULL},
    {"data.y", "data.labels", NULL},
    {"data.Y", "data.labels", NULL},
    {"data.mu", "data.example", NULL},
    {"data.path", "data.file", NULL},
    {"data.csv", "data.file", NULL},
    {"data.filename", "data.file", NULL},
    {"data.target", "data.label", NULL},
    {"data.normalize", "data.standardize", NULL},
    {".loss_function", "loss", NULL},
    {".n_samples", "record.samples", "record.every"},
    {".num_samples", "record.samples", "record.every"},
};

const char *sf_setting_hint(const char *path, const char **train)
{
    const char *last = strrchr(path, '.');
    last = last ? last + 1 : path;
    for (size_t i = 0; i < sizeof hints / sizeof *hints; i++) {
        const char *tried = hints[i].tried;
        if (strcmp(*tried == '.' ? tried + 1 : tried, *tried == '.' ? last : path) != 0 ||
            strcmp(hints[i].key, path) == 0)
            continue;
        *train = hints[i].train;
        return hints[i].key;
    }
    return NULL;
}
