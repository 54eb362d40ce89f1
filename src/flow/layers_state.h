/* The state of the flow of layers.c, its velocities within a mode (velocities.c), and the change of modes (modes.c), each
 * of which uses those before. */
#ifndef SF_FLOW_LAYERS_STATE_H
#define SF_FLOW_LAYERS_STATE_H

#include "flow/model.h"
#include "flow/sides.h"

enum { LAYERS_DEPTH = 64 };

/* Layers of one coordinate that started at the same size and keep it: w_l = w or -w. */
typedef struct layers_unit {
    size_t j;                  // coordinate
    int m;                     // how many layers
    uint64_t layers, opposite; // which, and which of them have weight -w
    signed char sign;          // of w, or the side of w = 0 that is in force
    bool slides;               // held at 0: m odd, between its sides; m even, in phase
    double a;                  // mean sign while it slides
    double offset;             // the unknown is w - offset
    double slack;              // w may be this far on the other side of 0
} layers_unit;

typedef struct layers_coordinate {
    size_t first, count; // its units
    double parity;       // beta = parity * prod_u w_u^{m_u}
    signed char s;       // sign of its field; 0: no perturbation
    bool rests;          // two layers started at 0: no gradient, nothing moves
    bool slides;         // held where its gradient is 0
    double a;            // mean s then
    double slack;        // the field may be this far beyond 0 on the wrong side of s
} layers_coordinate;

/* A surface: w_u = 0, or G_j = 0 (unit = NO_UNIT). */
typedef struct layers_place {
    size_t j, unit;
    size_t row; // of slope, for G_j = 0
} layers_place;

#define NO_UNIT SIZE_MAX

typedef struct layers_model {
    flow_model base;
    const sf_dataset *data;
    sf_loss loss;
    bool single; // one example: coordinates move independently
    double rho, size, floor;
    size_t units;
    layers_unit *unit;             // (units), those of a coordinate together
    layers_coordinate *coordinate; // (d)
    size_t sliding;                // places in force; even units not counted
    size_t held;                   // even units at 0
    double *start;                 // (units) w at time 0
    double *beta, *field;          // (d) work
    double *mean;                  // (units) mean of dw/dtau, as sf_layers_evaluate leaves it
    double *saved;                 // (2, units) work of changes of mode
    double log_dt;                 // and log of the mean of 1/S
    bool kept;                     // and whether all surfaces can be held
    // the group of coordinates in hand: one (one example) or all
    size_t from, to;
    flow_sides sides;
    layers_place place[SIDES_MOST]; // sides.k of them
    double clock[SIDES];            // log 1/S on the sides (one example: mu_j beta_hat_j)
    double *speed;                  // (room, units of the group) dw/dtau on the sides
    size_t room;
    double *slope;   // (SIDES_MOST, units) of gradients that are 0: d G_j / d w
    double *margins; // (n)
} layers_model;

static inline double layers_weight(const layers_model *model, const double *y, size_t u)
{
    const layers_unit *unit = &model->unit[u];
    bool zero = unit->slides || (model->coordinate[unit->j].rests && model->start[u] == 0.0);
    return zero ? 0.0 : y[1 + u] + unit->offset; // 0 exactly, whatever the integrator's rounding
}

/* ---- velocities.c ----------------------------------------------------------------------------------------- */

/* w - w_hat of a unit with the signs in force. */
double sf_layers_shift(const layers_model *model, size_t u);
/* The surfaces in force of the group of coordinate j (one example) or of all coordinates. */
void sf_layers_gather(layers_model *model, size_t j);
/* Room for k surfaces at once. Errors: SF_ERR_MEMORY. */
sf_status sf_layers_make_room(layers_model *model, size_t k);
/* Velocities and clocks on all sides of the group in hand, and the speeds of its surfaces into sides. */
void sf_layers_prepare(layers_model *model, const double *y);
/* The row of slope for G_j; returns G_j. */
double sf_layers_slope(layers_model *model, const double *y, size_t j, size_t row);
/* Speed of the surface function of a place on side v. */
double sf_layers_speed(const layers_model *model, const layers_place *place, size_t v);
/* The mean signs found in sides, for the next time. */
void sf_layers_keep_signs(layers_model *model);
/* Means over the sides of all groups, into mean, log_dt, kept. */
void sf_layers_evaluate(layers_model *model, const double *y);
/* The field at the point itself, into field; its margins (n), unless that is NULL. */
void sf_layers_field_here(layers_model *model, const double *y, double *margins);

/* ---- modes.c ---------------------------------------------------------------------------------------------- */

bool sf_layers_ends_mode(flow_model *base, const double *y);
sf_status sf_layers_change_mode(flow_model *base, double *y, int64_t *slides, size_t *count);
/* Signs and surfaces at the start; y[1 + u] = w_u on entry, the unknowns on return. */
sf_status sf_layers_open(layers_model *model, double *y);

#endif
