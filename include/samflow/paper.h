/* samflow/paper.h - the claims of the paper (arXiv:2603.08290), each re-derived from scratch.
 *
 * A claim is a statement with a source, and a program that computes what the statement predicts, measures it
 * with the engine, and hands over checks (prediction, measurement, tolerance), notes, tables and figures. A
 * verdict is computed from the checks by one comparator, in which NaN fails; no claim can set its own
 * verdict. Runs are deterministic: seeds are fixed and written down with the results.
 */
#ifndef SAMFLOW_PAPER_H
#define SAMFLOW_PAPER_H

#include <samflow/figure.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- the registry -------------------------------------------------------------------------------- */

typedef enum sf_claim_needs { SF_NEEDS_NOTHING, SF_NEEDS_MNIST, SF_NEEDS_GOLUB } sf_claim_needs;

typedef struct sf_claim {
    const char *id;        /* unique; the argument of `samflow reproduce --only` */
    const char *group;     /* claims of one group follow each other */
    const char *title;     /* a short line */
    const char *statement; /* what is claimed, in full */
    const char *source;    /* theorem of the paper, or where else it comes from */
    sf_claim_needs needs;  /* data set that must be present */
} sf_claim;

SF_API
size_t sf_claim_count(void);
SF_API
const sf_claim *sf_claim_get(size_t index);
/* False if there is no such id. */
SF_API
bool sf_claim_find(const char *id, size_t *index);

/* ---- checks and verdicts ------------------------------------------------------------------------- */

typedef enum sf_relation {
    SF_RELATION_EQUAL,    /* |measured - predicted| <= tolerance */
    SF_RELATION_RELATIVE, /* |measured - predicted| <= tolerance * |predicted| */
    SF_RELATION_AT_MOST,  /* measured <= predicted + tolerance */
    SF_RELATION_AT_LEAST  /* measured >= predicted - tolerance */
} sf_relation;

typedef struct sf_check {
    const char *what; /* the quantity, with its setting and unit */
    sf_relation relation;
    double predicted, measured, tolerance;
    bool decisive; /* part of the statement itself; else a detail that goes beyond it */
    const char *const
        *words; /* what the values 0, 1, 2… stand for, ended by NULL; NULL: the values are numbers */
} sf_check;

/* The comparator. False if any number in it is NaN. */
SF_API
bool sf_check_passes(const sf_check *check);
/* A value of the check (its prediction, its measurement) as text: its word where it has one, else the number. */
SF_API
void sf_check_value(const sf_check *check, double value, char *text, size_t size);
/* The prediction with its relation and tolerance, as text: "0.5213 (+- 1e-06)", "<= 0.001". */
SF_API
void sf_check_describe(const sf_check *check, char *text, size_t size);

typedef enum sf_verdict {
    SF_VERDICT_NOT_RUN,    /* no check was made: data absent, a part missing from the build, or interrupted */
    SF_VERDICT_REPRODUCED, /* every check passes */
    SF_VERDICT_PARTIAL,    /* every decisive check passes, some detail does not */
    SF_VERDICT_NOT_REPRODUCED /* a decisive check fails, or none was made */
} sf_verdict;

/* "reproduced", "partial", "not reproduced", "not run" */
SF_API
const char *sf_verdict_name(sf_verdict verdict);
SF_API
sf_verdict sf_verdict_of(size_t count, const sf_check *checks);

/* ---- running ------------------------------------------------------------------------------------- */

typedef struct sf_reproduction_options {
    bool quick;           /* fewer data sets, shorter runs; the same statements */
    const char *data_dir; /* holds mnist/ and golub/; NULL: $SAMFLOW_DATA, then where sf_fetch puts them */
    int threads;          /* claims run side by side; results do not depend on it. 0: the processors online */
} sf_reproduction_options;

typedef struct sf_reproduction sf_reproduction;
typedef struct sf_outcome sf_outcome;

/* count claims by index into the registry. Errors: SF_ERR_ARGUMENT, SF_ERR_MEMORY. */
SF_API
sf_status sf_reproduction_create(sf_context *context, size_t count, const size_t *claims,
                                 const sf_reproduction_options *options, sf_reproduction **out);
SF_API
void sf_reproduction_destroy(sf_reproduction **reproduction);

/* Runs what has not run yet. A claim whose numerics fail is not reproduced, which is no error here. Errors:
 * SF_ERR_CANCELLED (what has finished stays, and a second call goes on with the rest), SF_ERR_MEMORY. */
SF_API
sf_status sf_reproduction_run(sf_reproduction *reproduction);

SF_API
const sf_reproduction_options *sf_reproduction_get_options(const sf_reproduction *reproduction);
SF_API
size_t sf_reproduction_count(const sf_reproduction *reproduction);
SF_API
double sf_reproduction_seconds(const sf_reproduction *reproduction); /* wall clock of the runs */
/* A claim that has not finished is not run: no checks, and a reason that says so. */
SF_API
const sf_outcome *sf_reproduction_outcome(const sf_reproduction *reproduction, size_t index);

/* ---- what came out ------------------------------------------------------------------------------- */

typedef enum sf_note_kind {
    SF_NOTE_SETTING, /* what was run: sizes, radii, starts, seeds */
    SF_NOTE_FINDING, /* what came out beyond the checks */
    SF_NOTE_CAVEAT   /* where measurement and paper differ, or what the measurement cannot say */
} sf_note_kind;

typedef struct sf_note {
    sf_note_kind kind;
    const char *text;
} sf_note;

SF_API
const sf_claim *sf_outcome_claim(const sf_outcome *outcome);
SF_API
sf_verdict sf_outcome_verdict(const sf_outcome *outcome);
SF_API
const char *
sf_outcome_reason(const sf_outcome *outcome); /* why it did not run or broke off; NULL if it ran */
SF_API
double sf_outcome_seconds(const sf_outcome *outcome);
SF_API
size_t sf_outcome_checks(const sf_outcome *outcome, const sf_check **checks);
SF_API
size_t sf_outcome_notes(const sf_outcome *outcome, const sf_note **notes);
SF_API
size_t sf_outcome_figures(const sf_outcome *outcome);
SF_API
const sf_figure *sf_outcome_figure(const sf_outcome *outcome, size_t index);
SF_API
size_t sf_outcome_tables(const sf_outcome *outcome);
SF_API
const sf_table *sf_outcome_table(const sf_outcome *outcome, size_t index);
/* The command that redoes this claim alone, with the options that matter. Truncated to size. */
SF_API
void sf_outcome_command(const sf_outcome *outcome, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
