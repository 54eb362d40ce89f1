/* samflow/settings.h - the table of settings: name, type, default, range, when it applies, meaning.
 *
 * Experiments, sweeps and training take their values from it; help, checks and the reference page ask it.
 */
#ifndef SAMFLOW_SETTINGS_H
#define SAMFLOW_SETTINGS_H

#include <samflow/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One row of the table of settings, for help and reference pages. */
typedef struct sf_setting_info {
    const char *key;      /* "optimizer.rho" */
    const char *fallback; /* the default as YAML, NULL if there is none */
    const char *meaning;  /* one line */
    char expected[256];   /* "a finite number >= 0" */
    char scope[256];      /* "dynamics.mode: discrete"; "" if the key always applies */
    bool run, train;      /* whether it is for runs of the diagonal network, for samflow train, or for both */
} sf_setting_info;

SF_API
size_t sf_settings_count(void);
/* Fills info for setting `index` (from 0) and returns its key; NULL beyond the last. */
SF_API
const char *sf_settings_describe(size_t index, sf_setting_info *info);

#ifdef __cplusplus
}
#endif
#endif
