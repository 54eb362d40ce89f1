/* Private face of the room paper/: what a claim's program may use.
 *
 * A program is `sf_status run(sf_outcome *out)`. It adds checks, notes, tables and figures to `out`, and may
 * return early at any failure: everything it takes from the claim_* functions below is released when it ends,
 * or at sf_claim_release. It must not look at verdicts.
 */
#ifndef SF_PAPER_CLAIM_H
#define SF_PAPER_CLAIM_H

#include <samflow/batch.h>
#include <samflow/flow.h>
#include <samflow/margin.h>
#include <samflow/nn.h>
#include <samflow/paper.h>
#include <samflow/sam.h>
#include <samflow/theory.h>

#include "base/base.h"

typedef sf_status (*claim_program)(sf_outcome *out);

typedef struct claim_entry {
    sf_claim claim;
    claim_program run;
} claim_entry;

/* The registry (registry.c). */
extern const claim_entry sf_claim_registry[];
extern const size_t sf_claim_registry_count;

sf_context *sf_claim_context(sf_outcome *out);
bool sf_claim_quick(const sf_outcome *out);
/* Where a file of a data set ("mnist", "golub") lies, into path (size bytes); golub's is golub.csv.gz or golub.csv. Errors:
 * SF_ERR_UNAVAILABLE with what to do. */
sf_status sf_claim_data_path(sf_outcome *out, const char *set, const char *file, char *path, size_t size);

/* ---- results --------------------------------------------------------------------------------------------
 */

/* Decisive: part of the statement. The text names the quantity with its setting. Failures are kept in `out`.
 */
void sf_claim_check(sf_outcome *out, sf_relation relation, double predicted, double measured,
                    double tolerance, const char *format, ...) SF_PRINTF(6, 7);
/* A detail beyond the statement: failing makes the claim partial. */
void sf_claim_detail(sf_outcome *out, sf_relation relation, double predicted, double measured,
                     double tolerance, const char *format, ...) SF_PRINTF(6, 7);
/* Decisive: predicted and measured are indices into words, ended by NULL, and must be the same. */
void sf_claim_word(sf_outcome *out, const char *const *words, double predicted, double measured,
                   const char *format, ...) SF_PRINTF(5, 6);
extern const char *const sf_words_no_yes[];   /* "no", "yes" */
extern const char *const sf_words_strength[]; /* "minor", "major": of two features in ascending strength */
void sf_claim_note(sf_outcome *out, sf_note_kind kind, const char *format, ...) SF_PRINTF(3, 4);
/* Owned by the outcome. NULL on failure, which is kept. */
sf_figure *sf_claim_figure(sf_outcome *out, const char *name, size_t columns, const char *caption,
                           const char *alt);
sf_table *sf_claim_table(sf_outcome *out, const char *name, const char *caption, size_t columns,
                         const char *const *headings);

/* ---- work space and engine ------------------------------------------------------------------------------
 */

size_t sf_claim_mark(const sf_outcome *out);
void sf_claim_release(sf_outcome *out, size_t mark); /* everything taken since the mark */

/* NULL on failure, which is kept; zeroed. */
double *sf_claim_doubles(sf_outcome *out, size_t count);
/* Take over what they are given. */
sf_status sf_claim_keep_dataset(sf_outcome *out, sf_dataset *dataset);
sf_status sf_claim_points(sf_outcome *out, size_t n, size_t d, const double *x, const int *labels,
                          const sf_dataset **dataset);
sf_status sf_claim_keep_images(sf_outcome *out, sf_images *images);
/* On one thread, as claims run side by side. */
sf_status sf_claim_nn(sf_outcome *out, const sf_nn_spec *spec, sf_nn **nn);
sf_status sf_claim_trainer(sf_outcome *out, sf_nn *nn, const sf_images *images, const sf_training *training,
                           sf_trainer **trainer);
sf_status sf_claim_network(sf_outcome *out, const sf_dataset *dataset, int depth, sf_network **network);
/* A network over the one example mu (d) with label +1. */
sf_status sf_claim_example(sf_outcome *out, size_t d, const double *mu, int depth, sf_network **network);
sf_status sf_claim_descent(sf_outcome *out, sf_network *network, sf_method method, double rho, double step,
                           const double *theta, sf_descent **descent);
sf_status sf_claim_batch(sf_outcome *out, const sf_network *network, const sf_batch_spec *spec,
                         sf_batch **batch);
sf_status sf_claim_flow(sf_outcome *out, sf_network *network, sf_method method, double rho,
                        const double *theta, sf_flow **flow);
sf_status sf_claim_max_margin(sf_outcome *out, const sf_dataset *dataset, sf_norm norm, sf_margin **margin);
/* The exact reduction of l2-SAM at L = 2 on one example. */
sf_status sf_claim_reduction(sf_outcome *out, size_t d, const double *mu, const double *w1, const double *w2,
                             double rho, sf_reduction **reduction);

#endif
