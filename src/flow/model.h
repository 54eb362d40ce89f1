/* What the flow integrates: a model is a choice of unknowns for one kind of problem.
 *
 * Every model has the state y = (tau, unknowns...) over the integrator's own clock s, and tells the
 * right-hand side, the predictor and the weights that belong to a state. Models differ in what they keep:
 *   scalar     one example, L = 2, GD, l2-SAM, USAM: the one number B                       (scalar.c)
 *   amplitude  L = 2, GD, l2-SAM, USAM: two integrals a coordinate, weights as logarithms   (amplitude.c)
 *   gates      GD and linf-SAM of one example, weights of a coordinate alike or L = 2; GD of several examples, weights
 *              alike: closed forms of one integral a coordinate                               (gates.c)
 *   layers     linf-SAM: the weights, from mode to mode               (velocities.c, modes.c, layers.c)
 *   weights    every smooth method: the weights themselves                                  (weights.c)
 * The first one that fits is taken; the later ones are the reference for the earlier.
 */
#ifndef SF_FLOW_MODEL_H
#define SF_FLOW_MODEL_H

#include <samflow/flow.h>

#include "base/base.h"
#include "data/dataset.h"

typedef struct flow_model flow_model;

/* The clocks at a state: pace = d tau / d s, log_dt = log(dt / d tau) = -log S at the perturbed point (NaN
 * where the original time does not exist). */
typedef struct flow_clocks {
    double log_pace, log_dt;
} flow_clocks;

typedef struct flow_system {
    const char *name;
    /* a collapse leaves layers that are not 0 (theta then gives them) */
    bool collapses_elsewhere;
    /* the state at time 0 */
    void (*begin)(const flow_model *model, double *y);
    /* tau of a state; NULL: y[0] */
    double (*tau)(const flow_model *model, const double *y);
    /* dy = dy/ds. false: y is outside of what doubles can hold. */
    bool (*rates)(flow_model *model, const double *y, double *dy, flow_clocks *clocks);
    /* Stiff models may give the derivative of rates, else NULL: linearize prepares it at y, tangent applies it, jv =
     * (d rates / d y) v. Difference quotients are not enough where margins are large: d log s_n / dy is of the size of the
     * margins, so an increment of 1e-8 y is none of the small ones at margins of 1e6. */
    bool (*linearize)(flow_model *model, const double *y);
    void (*tangent)(flow_model *model, const double *v, double *jv);
    /* the error allowed in each component, for a relative accuracy of the weights */
    void (*allowance)(const flow_model *model, const double *y, double tolerance, double *allowed);
    void (*predictor)(const flow_model *model, const double *y, double *beta, double *log_abs_beta);
    void (*theta)(const flow_model *model, const double *y, double *theta);
    /* ||eps|| in force */
    double (*applied_norm)(flow_model *model, const double *y);
    /* whether y is as good as at rest, and the tau that is left until then */
    sf_flow_state (*rest)(flow_model *model, const double *y, double *remaining);
    void (*destroy)(flow_model *model);
    /* Discontinuous models only, NULL in the others. A mode is a choice of signs for which the field is
     * smooth. ends_mode: y lies beyond a surface where the mode ends. change_mode: takes the mode that
     * continues from y, where the last one has ended (y may be put onto the surface); the coordinates that
     * begin to slide go to slides (room for d), their number to *count. */
    bool (*ends_mode)(flow_model *model, const double *y);
    sf_status (*change_mode)(flow_model *model, double *y, int64_t *slides, size_t *count);
} flow_system;

/* What all models share; each embeds it as its first member. */
struct flow_model {
    const flow_system *system;
    sf_context *context;
    sf_network *network; // borrowed
    sf_perturbation perturbation;
    size_t d;
    int depth;
    double scale; // a typical size of the field: the largest mean of |z_j|; 1/scale is the unit of tau
    size_t size;  // of y
    bool stiff;
};

/* What a model is made from. */
typedef struct flow_start {
    sf_network *network;
    sf_perturbation perturbation;
    const double *theta; // (L, d)
} flow_start;

/* Each returns SF_OK with *out = NULL if the problem is not of its kind. */
typedef sf_status flow_model_maker(sf_context *context, const flow_start *start, flow_model **out);
flow_model_maker sf_flow_scalar_create, sf_flow_amplitude_create, sf_flow_gates_create, sf_flow_layers_create,
    sf_flow_weights_create;

/* Fills the shared part. */
void sf_flow_model_init(flow_model *model, const flow_system *system, sf_context *context,
                        const flow_start *start, size_t size);
void sf_flow_model_destroy(flow_model **model);

/* GD in name or in effect (rho = 0). */
bool sf_flow_is_gd(const sf_perturbation *perturbation);

/* z_nj, also of mirrored data */
static inline double flow_entry(const sf_dataset *data, size_t n, size_t j)
{
    size_t stored = data->stored;
    const double *z = data->z + n * stored;
    return j < stored ? z[j] : -z[j - stored];
}

static inline double flow_sign(double x)
{
    return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : 0.0;
}

/* x^n for n >= 0 */
static inline double flow_power(double x, int n)
{
    double result = 1.0;
    for (; n > 0; n--)
        result *= x;
    return result;
}

/* beta = (u^2 - v^2) / 4 and its logarithm from log |u| and log |v|; either may be NULL. */
void sf_flow_from_amplitudes(double log_u, double log_v, double *beta, double *log_abs);

#endif
