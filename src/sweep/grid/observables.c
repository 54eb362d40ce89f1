/* The table of observables: one line each column, used for the schema, for the check of names and for filling. */
#include "sweep/grid/observables.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "sweep/grid/grid.h"

typedef enum source {
    MEMBER, // of the finding
    DOMINANCE,
    SWITCHES,
    SWITCH_TAU,
    SWITCH_LOG_TIME,
    SWITCH_STEP,
    DIRECTION,
    BETA
} source;

typedef struct row {
    const char *observable, *column;
    sf_cell_kind kind; // of a member: a double, an int64_t (-1: none) or a text
    source from;
    size_t offset; // of a member
    unsigned needs;
} row;
#define FIELD(member) MEMBER, offsetof(sf_finding, member)

/* Consecutive lines of one observable are its columns. direction and beta have one a feature. */
static const row table[] = {
    {"regime", "regime", SF_CELL_TEXT, FIELD(regime), SF_NEED_REGIME},
    {"predicted_regime", "predicted_regime", SF_CELL_TEXT, FIELD(predicted_regime), SF_NEED_THEORY},
    {"critical_scale", "critical_scale", SF_CELL_REAL, FIELD(critical_scale), SF_NEED_THEORY},
    {"limit", "limit_kind", SF_CELL_TEXT, FIELD(limit), SF_NEED_LIMIT},
    {"limit", "limit_index", SF_CELL_INTEGER, FIELD(limit_index), SF_NEED_LIMIT},
    {"predicted_limit", "predicted_limit_kind", SF_CELL_TEXT, FIELD(predicted_limit), SF_NEED_THEORY},
    {"predicted_limit", "predicted_limit_index", SF_CELL_INTEGER, FIELD(predicted_index), SF_NEED_THEORY},
    {"dominance", "dominance", SF_CELL_TEXT, DOMINANCE, 0, SF_NEED_ORDER},
    {"dominance", "switches", SF_CELL_INTEGER, SWITCHES, 0, SF_NEED_ORDER},
    {"dominance", "switch_tau", SF_CELL_TEXT, SWITCH_TAU, 0, SF_NEED_ORDER},
    {"dominance", "switch_log_time", SF_CELL_TEXT, SWITCH_LOG_TIME, 0, SF_NEED_ORDER},
    {"dominance", "switch_step", SF_CELL_TEXT, SWITCH_STEP, 0, SF_NEED_ORDER},
    {"peak_ratio", "log_peak_ratio", SF_CELL_REAL, FIELD(log_peak_ratio), SF_NEED_ORDER},
    {"peak_ratio", "peak_minor", SF_CELL_INTEGER, FIELD(peak_minor), SF_NEED_ORDER},
    {"peak_ratio", "peak_major", SF_CELL_INTEGER, FIELD(peak_major), SF_NEED_ORDER},
    {"final_loss", "log_loss", SF_CELL_REAL, FIELD(log_loss), SF_NEED_RUN},
    {"log_time", "log_time", SF_CELL_REAL, FIELD(log_time), SF_NEED_RUN},
    {"tau", "tau", SF_CELL_REAL, FIELD(tau), SF_NEED_RUN},
    {"step", "step", SF_CELL_REAL, FIELD(step), SF_NEED_RUN},
    {"min_margin", "min_margin", SF_CELL_REAL, FIELD(min_margin), SF_NEED_RUN},
    {"direction", "direction", SF_CELL_REAL, DIRECTION, 0, SF_NEED_RUN},
    {"beta", "beta", SF_CELL_REAL, BETA, 0, SF_NEED_RUN},
};
enum { TABLE = sizeof table / sizeof table[0], MOST_COLUMNS = 1500 };

const char *sf_observable_known(const char *name)
{
    for (size_t i = 0; i < TABLE; i++)
        if (strcmp(table[i].observable, name) == 0)
            return table[i].observable;
    return NULL;
}

void sf_observable_list(char *list, size_t size)
{
    size_t used = 0;
    list[0] = '\0';
    for (size_t i = 0; i < TABLE; i++)
        if ((i == 0 || table[i].observable != table[i - 1].observable) && used < size)
            used += (size_t)snprintf(list + used, size - used, "%s%s", i ? ", " : "", table[i].observable);
}

sf_finding sf_finding_make(void)
{
    return (sf_finding){.limit_index = -1,
                        .predicted_index = -1,
                        .critical_scale = NAN,
                        .log_peak_ratio = NAN,
                        .peak_minor = -1,
                        .peak_major = -1,
                        .log_loss = NAN,
                        .log_time = NAN,
                        .tau = NAN,
                        .step = NAN,
                        .min_margin = NAN};
}

/* ---- the columns asked for ------------------------------------------------------------------------------ */

static sf_status add_column(sf_measure *measure, const row *line, size_t feature, size_t time,
                            const char *name)
{
    sf_context *context = measure->context;
    if (measure->column_count == MOST_COLUMNS)
        return sf_fail(
            context, SF_ERR_CONFIG,
            "the observables fill more than %d columns (%zu features); ask for fewer times, or leave "
            "direction and beta out",
            MOST_COLUMNS, measure->features);
    sf_measured_column *columns =
        sf_resize(context, measure->columns, measure->column_count + 1, sizeof *columns);
    if (!columns)
        return SF_ERR_MEMORY;
    measure->columns = columns;
    char *copy = sf_strdup(context, name);
    if (!copy)
        return SF_ERR_MEMORY;
    columns[measure->column_count++] =
        (sf_measured_column){copy, line->kind, (int)line->from, line->offset, feature, time};
    measure->needs |= line->needs;
    return SF_OK;
}

static sf_status add_unit(sf_measure *measure, const char *unit)
{
    char **units = sf_resize(measure->context, measure->units, measure->unit_count + 1, sizeof *units);
    if (!units)
        return SF_ERR_MEMORY;
    measure->units = units;
    if (!(units[measure->unit_count] = sf_strdup(measure->context, unit)))
        return SF_ERR_MEMORY;
    measure->unit_count++;
    return SF_OK;
}

static sf_status add_beta(sf_measure *measure, const row *line, const grid_observable *beta)
{
    char name[80];
    measure->clock = beta->clock;
    measure->times = beta->times;
    measure->time_count = beta->time_count;
    for (size_t k = 0; k < beta->time_count; k++) {
        snprintf(name, sizeof name, "beta at %s=%.17g", beta->clock, beta->times[k]);
        SF_TRY(add_unit(measure, name));
        for (size_t j = 0; j < measure->features; j++) {
            snprintf(name, sizeof name, "beta_%zu at %s=%.15g", j, beta->clock, beta->times[k]);
            SF_TRY(add_column(measure, line, j, k, name));
        }
    }
    return SF_OK;
}

static sf_status add_observable(sf_measure *measure, const char *name, const grid_observable *observable)
{
    if (strcmp(name, "beta") != 0)
        SF_TRY(add_unit(measure, name));
    for (size_t i = 0; i < TABLE; i++) {
        const row *line = &table[i];
        if (strcmp(line->observable, name) != 0)
            continue;
        if (line->from == BETA)
            return observable ? add_beta(measure, line, observable) : SF_OK; // never among the usual ones
        if (line->from != DIRECTION) {
            SF_TRY(add_column(measure, line, 0, 0, line->column));
            continue;
        }
        for (size_t j = 0; j < measure->features; j++) {
            char column[40];
            snprintf(column, sizeof column, "direction_%zu", j);
            SF_TRY(add_column(measure, line, j, 0, column));
        }
    }
    return SF_OK;
}

static sf_status check_times(const sf_grid *grid, const grid_observable *observable)
{
    bool steps = observable->clock && strcmp(observable->clock, "step") == 0;
    bool logs = observable->clock && strcmp(observable->clock, "log_time") == 0;
    for (size_t k = 0; k < observable->time_count; k++) {
        double time = observable->times[k];
        if ((!logs && !(time >= 0.0)) || (steps && time != floor(time)))
            return GRID_FAIL(grid, observable->place, "beta at %s %g, expected %s", observable->clock, time,
                             steps ? "whole numbers >= 0" : "numbers >= 0");
    }
    return SF_OK;
}

static sf_status fill(sf_measure *measure, const sf_grid *grid, sf_mode mode)
{
    static const char *const usual[] = {"regime", "limit", "final_loss", "log_time"};
    size_t usual_count = mode == SF_MODE_EXACT ? 2 : 4;
    for (size_t i = 0; grid->observable_count == 0 && i < usual_count; i++)
        SF_TRY(add_observable(measure, usual[i], NULL));
    for (size_t i = 0; i < grid->observable_count; i++) {
        const grid_observable *observable = &grid->observables[i];
        SF_TRY(check_times(grid, observable));
        bool stepwise = observable->clock && strcmp(observable->clock, "step") == 0;
        if (observable->clock && stepwise != (mode == SF_MODE_DISCRETE))
            return GRID_FAIL(
                grid, observable->place, "times of beta are given in %s; expected %s", observable->clock,
                mode == SF_MODE_DISCRETE ? "step in discrete mode" : "tau or log_time in this mode");
        SF_TRY(add_observable(measure, observable->name, observable));
    }
    for (size_t i = 0; i < grid->axis_count; i++)
        for (size_t k = 0; k < measure->column_count; k++)
            if (strcmp(grid->axes[i].column, measure->columns[k].name) == 0)
                return GRID_FAIL(grid, grid->axes[i].place, "an axis and an observable are both called '%s'",
                                 grid->axes[i].column);
    for (size_t k = 0; grid->refine.levels > 0 && k < measure->column_count; k++)
        if (strcmp(measure->columns[k].name, grid->refine.by) == 0)
            return SF_OK;
    if (grid->refine.levels > 0)
        return GRID_FAIL(grid, grid->refine.place, "refine by '%s', which no observable of this sweep fills",
                         grid->refine.by);
    return SF_OK;
}

sf_status sf_measure_create(const sf_grid *grid, size_t features, sf_mode mode, sf_measure **out)
{
    *out = NULL;
    sf_measure *measure = SF_NEW(grid->context, sf_measure);
    if (!measure)
        return SF_ERR_MEMORY;
    measure->context = grid->context;
    measure->features = features;
    sf_status status = fill(measure, grid, mode);
    if (status != SF_OK)
        sf_measure_destroy(&measure);
    *out = measure;
    return status;
}

void sf_measure_destroy(sf_measure **measure)
{
    if (!measure || !*measure)
        return;
    sf_context *context = (*measure)->context;
    for (size_t i = 0; i < (*measure)->column_count; i++)
        sf_free(context, (*measure)->columns[i].name);
    for (size_t i = 0; i < (*measure)->unit_count; i++)
        sf_free(context, (*measure)->units[i]);
    sf_free(context, (*measure)->columns);
    sf_free(context, (*measure)->units);
    sf_free(context, *measure);
    *measure = NULL;
}

/* ---- from a finding to cells ---------------------------------------------------------------------------- */

static sf_cell real_cell(double value)
{
    return isnan(value) ? (sf_cell){.kind = SF_CELL_NULL, .real = NAN}
                        : (sf_cell){.kind = SF_CELL_REAL, .real = value};
}

static sf_cell index_cell(int64_t value)
{
    return value < 0 ? (sf_cell){.kind = SF_CELL_NULL, .real = NAN}
                     : (sf_cell){.kind = SF_CELL_INTEGER, .real = (double)value, .integer = value};
}

static sf_cell text_cell(const char *text)
{
    return (sf_cell){.kind = text ? SF_CELL_TEXT : SF_CELL_NULL, .real = NAN, .text = text};
}

static double switch_time(const sf_event *event, source from)
{
    return from == SWITCH_TAU ? event->tau : from == SWITCH_LOG_TIME ? event->log_time : event->step;
}

/* The leaders as a JSON list of indices, or the times at which the second and later ones take over. */
static bool list_cell(const sf_finding *finding, source from, sf_cell *cell, char *text, size_t room,
                      size_t *used)
{
    *cell = text_cell(NULL);
    if (!finding->leaders)
        return true;
    char *start = text + *used;
    size_t left = room - *used, length = 0;
    size_t first = from == DOMINANCE ? 0 : 1;
    bool known = from == DOMINANCE;
    for (size_t i = first; i < finding->leader_count && length < left; i++) {
        const sf_event *leader = &finding->leaders[i];
        length += (size_t)snprintf(start + length, left - length, i == first ? "[" : ", ");
        if (length >= left)
            return false;
        double time = switch_time(leader, from);
        known = known || isfinite(time);
        if (from == DOMINANCE)
            length += (size_t)snprintf(start + length, left - length, "%lld", (long long)leader->to);
        else if (isfinite(time))
            length += (size_t)snprintf(start + length, left - length, "%.17g", time);
        else
            length += (size_t)snprintf(start + length, left - length, "null");
    }
    if (length == 0 && left > 0)
        length += (size_t)snprintf(start, left, "["), known = true;
    if (length + 2 > left)
        return false;
    if (!known) // the clock does not exist in this mode
        return true;
    start[length++] = ']';
    start[length++] = '\0';
    *used += length;
    *cell = text_cell(start);
    return true;
}

static sf_cell simple_cell(const sf_measured_column *column, const sf_finding *f, size_t features)
{
    const void *member = (const char *)f + column->offset;
    if (column->source == SWITCHES)
        return index_cell(f->leaders && f->leader_count > 0 ? (int64_t)f->leader_count - 1 : -1);
    if (column->source == DIRECTION)
        return real_cell(f->direction ? f->direction[column->index] : NAN);
    if (column->source == BETA)
        return real_cell(f->beta ? f->beta[column->time * features + column->index] : NAN);
    return column->kind == SF_CELL_TEXT      ? text_cell(*(const char *const *)member)
           : column->kind == SF_CELL_INTEGER ? index_cell(*(const int64_t *)member)
                                             : real_cell(*(const double *)member);
}

bool sf_measure_cells(const sf_measure *measure, const sf_finding *finding, sf_cell *cells, char *text,
                      size_t room, size_t *used)
{
    for (size_t i = 0; i < measure->column_count; i++) {
        source from = (source)measure->columns[i].source;
        if (from == DOMINANCE || from == SWITCH_TAU || from == SWITCH_LOG_TIME || from == SWITCH_STEP) {
            if (!list_cell(finding, from, &cells[i], text, room, used))
                return false;
        } else {
            cells[i] = simple_cell(&measure->columns[i], finding, measure->features);
        }
    }
    return true;
}
