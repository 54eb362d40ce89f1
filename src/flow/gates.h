/* What gates.c and chatter.c share: the gates of linf-SAM, one a coordinate. The mathematics is in gates.c. */
#ifndef SF_FLOW_GATES_H
#define SF_FLOW_GATES_H

#include "data/dataset.h"
#include "flow/model.h"

typedef struct gates_chatter gates_chatter;

typedef enum gate_kind {
    GATE_BALANCED,
    GATE_PAIR,
    GATE_SLIDING, // one of two layers at 0
    GATE_ZERO,    // all layers at 0, or at rest there from the start
    GATE_CHATTER  // balanced, several examples: slides where its gradient is 0 (chatter.c)
} gate_kind;

/* One coordinate. */
typedef struct gate {
    gate_kind kind;
    signed char s;       // sign of the field in force; 0 where the field is 0
    signed char sign[2]; // pair: of the two layers
    unsigned char layer; // sliding: which one is at 0
    uint64_t negative;   // balanced: bit l is set where w_l < 0
    double u,
        v; // at the base: balanced x_hat; pair u_hat, v_hat; sliding the other weight; zero beta_hat; chatter x
    double
        base; // tau (one example) or y_{1+j} (several: the drive a_j; chatter: x itself moves in it) where u, v hold
    double slack; // several examples: the field may be this far beyond 0 on the wrong side of s
} gate;

typedef struct gates_model {
    flow_model base;
    const sf_dataset *data;
    sf_loss loss;
    bool single;            // one example
    double rho;             // 0 for GD
    double tau0, delta;     // one example: tau = tau0 + y/c, or tau_b - delta e^{-y} with tau_b = blow_up
    double blow_up;         // INFINITY if no coordinate has one in this mode
    double floor;           // of the clock, several examples
    gate *gates;            // (d)
    double *beta, *field;   // (d) work, several examples
    gates_chatter *chatter; // several examples and rho > 0, else NULL
} gates_model;

/* Coordinate j: the weights' common size x (balanced, chatter) or both weights, and beta at the perturbed point. */
typedef struct gates_coordinate {
    double w[2];     // balanced, chatter: x in w[0]
    double beta_hat; // of the mode; not set for sliding and chatter
} gates_coordinate;

gates_coordinate gates_at(const gates_model *model, const double *y, double tau, size_t j);
double gates_beta(const gates_model *model, const gate *g, const gates_coordinate *c);
/* d beta_j / d a_j, the drive of a coordinate that does not chatter. */
double gates_gain(const gates_model *model, const double *y, size_t j);
double gates_power(double x, int n); // x^n, n >= 0
double gates_pi(const gate *g);      // prod_l sign w_l of a balanced coordinate
/* Sets what is needed after gate j was given a sign s: its form continues from the weights c. */
void gates_turn(gates_model *model, const double *y, size_t j, signed char s);

/* ---- chatter.c: sliding where gradient coordinates are 0 -------------------------------------------------- */

sf_status gates_chatter_create(sf_context *context, gates_chatter **out);
void gates_chatter_destroy(sf_context *context, gates_chatter **chatter);
/* Whether some coordinate chatters now. */
bool gates_chatters(const gates_model *model);
/* The mean field over the sides (d), for coordinates that chatter dx_j/dtau, and log of the mean of 1/S. false where
 * no weights of the sides keep the chattering gradients at 0. */
bool gates_chatter_rates(gates_model *model, const double *y, double *mean, double *log_dt);
/* Whether some coordinate can no longer be kept at gradient 0 by a mean over its sides. */
bool gates_chatter_ends(gates_model *model, const double *y);
/* Coordinates that can no longer be kept leave to the side that their gradient takes. Errors: SF_ERR_NUMERIC where no
 * way on is found, SF_ERR_MEMORY; also of the next one. */
sf_status gates_chatter_leave(gates_model *model, const double *y);
/* Gradient j has reached 0 from the side s_j: crosses or begins to slide (then *slides is true). */
sf_status gates_chatter_meet(gates_model *model, const double *y, size_t j, bool *slides);
/* Whether the field of gate j has passed 0: beyond what the location of the surface left there. */
bool gates_passed(const gates_model *model, size_t j, double field);

#endif
