/* The outcome of one claim: what its program handed over, and the work space that is released after it. */
#ifndef SF_PAPER_OUTCOME_H
#define SF_PAPER_OUTCOME_H

#include "paper/claim.h"

typedef enum held_kind {
    HELD_DOUBLES,
    HELD_DATASET,
    HELD_NETWORK,
    HELD_DESCENT,
    HELD_BATCH,
    HELD_FLOW,
    HELD_MARGIN,
    HELD_REDUCTION,
    HELD_IMAGES,
    HELD_NN,
    HELD_TRAINER
} held_kind;

typedef struct held {
    held_kind kind;
    union {
        double *doubles;
        sf_dataset *dataset;
        sf_network *network;
        sf_descent *descent;
        sf_batch *batch;
        sf_flow *flow;
        sf_margin *margin;
        sf_reduction *reduction;
        sf_images *images;
        sf_nn *nn;
        sf_trainer *trainer;
    } as;
} held;

struct sf_outcome {
    sf_context *context; // of its own; owned by the reproduction
    const claim_entry *entry;
    const sf_reproduction_options *options;
    sf_status status; // first failure while results were added
    bool finished;
    bool absent; // data, or a part of the build
    char *reason;
    double seconds;
    sf_check *checks;
    sf_note *notes;
    sf_figure **figures;
    sf_table **tables;
    held *held;
    size_t check_count, note_count, figure_count, table_count, held_count;
    size_t check_room, note_room, figure_room, table_room, held_room;
};

/* Runs the claim's program and releases its work space. SF_OK unless cancelled or out of memory. */
sf_status sf_outcome_run(sf_outcome *out);
void sf_outcome_clear(sf_outcome *out);

#endif
