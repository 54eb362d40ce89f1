/* Observables: what is recorded of a point, and the columns it fills. */
#ifndef SF_SWEEP_OBSERVABLES_H
#define SF_SWEEP_OBSERVABLES_H

#include <samflow/sweep.h>
#include <samflow/verdict.h>

#include "base/base.h"

struct sf_grid;

/* The name as a static string, NULL if there is no such observable; and all names, "a, b, c". */
const char *sf_observable_known(const char *name);
void sf_observable_list(char *list, size_t size);

/* What is found out about one point. NaN, NULL and -1: not known, or does not exist. */
typedef struct sf_finding {
    const char *outcome; // completed, collapsed, diverged; predicted where nothing was integrated
    const char *regime, *limit;
    int64_t limit_index;
    const char *predicted_regime, *predicted_limit;
    int64_t predicted_index;
    double critical_scale;
    const sf_event *leaders; // (leader_count): `to` leads from the time of the event on
    size_t leader_count;
    double log_peak_ratio;
    int64_t peak_minor, peak_major;
    double log_loss, log_time, tau, step, min_margin;
    const double *direction; // (d), norm 1
    const double *beta;      // (time_count, d)
} sf_finding;

sf_finding sf_finding_make(void);

/* What has to be done to fill the columns. */
enum { SF_NEED_REGIME = 1, SF_NEED_THEORY = 2, SF_NEED_ORDER = 4, SF_NEED_RUN = 8, SF_NEED_LIMIT = 16 };

typedef struct sf_measured_column {
    char *name;
    sf_cell_kind kind;
    int source; // where in the finding (private to observables.c)
    size_t offset;
    size_t index; // feature, and for beta the time
    size_t time;
} sf_measured_column;

/* The observables asked for, for d features. */
typedef struct sf_measure {
    sf_context *context;
    size_t features;
    unsigned needs;
    const char *clock; // of the times of beta; NULL: none
    size_t time_count;
    const double *times; // owned by the grid
    sf_measured_column *columns;
    size_t column_count;
    char **units; // what a point has been asked for: "regime", "beta at tau=0.5"
    size_t unit_count;
} sf_measure;

/* exact: the mode, which decides the observables if the grid names none. Errors: SF_ERR_CONFIG, SF_ERR_MEMORY. */
sf_status sf_measure_create(const struct sf_grid *grid, size_t features, sf_mode mode, sf_measure **out);
void sf_measure_destroy(sf_measure **measure);

/* Fills the cells (column_count). Lists are written to text, `room` bytes, of which *used are taken; false if they
 * do not fit. */
bool sf_measure_cells(const sf_measure *measure, const sf_finding *finding, sf_cell *cells, char *text,
                      size_t room, size_t *used);

#endif
