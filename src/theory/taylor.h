/* One Taylor step of the scalar equation dB/d tau = rho / n. */
#ifndef SF_THEORY_TAYLOR_H
#define SF_THEORY_TAYLOR_H

#include "theory/modes.h"

/* A piece of trajectory. Its clock is tau, or B where n is small (dtau/dB = n / rho stays regular at a
 * collapse). All series are in local units: strengths divided by `strength`. */
typedef struct sf_step {
    sf_real tau, b, log_n;  // at its start, in the units of the modes
    sf_real strength;       // the largest |lambda| that counts here
    sf_real radius;         // length in the clock, local units; negative when going back
    sf_real end_tau, end_b; // at its end
    bool b_clock;
    sf_real other[SF_TAYLOR_ORDER + 1];  // the increment of B (or of tau) as a power series of the clock
    sf_real square[SF_TAYLOR_ORDER + 1]; // n^2 relative to the start
    // only if asked for: at theta, at theta_hat
    sf_real plain_margin[SF_TAYLOR_ORDER + 1], margin[SF_TAYLOR_ORDER + 1];
    // filled by the clock t
    sf_real log_time; // log t' at the start (t' = c t)
} sf_step;

typedef struct sf_series sf_series;

sf_status sf_series_create(const sf_modes *modes, sf_series **out);
void sf_series_destroy(const sf_modes *modes, sf_series **series);

/* Builds the step that starts at the snapshot, taken at (tau, b). backward: the clock runs down. with_margin:
 * also the series of the margins. */
void sf_step_build(const sf_modes *modes, sf_series *series, const sf_snapshot *snapshot, sf_real tau,
                   sf_real b, bool backward, bool with_margin, sf_step *step);
/* Shortens the step (|radius| <= |step->radius|) and recomputes its end. */
void sf_step_cut(sf_step *step, sf_real radius);

/* Takes the snapshot at the end of the step. The series knows the modes that count at its start only; where
 * those left out matter at the end, the step is halved until they do not. */
void sf_step_settle(const sf_modes *modes, sf_real log_factor, sf_snapshot *snapshot, sf_step *step);

/* At x in the clock: tau and B, log n, the margin at theta_hat. */
void sf_step_at(const sf_step *step, sf_real x, sf_real *tau, sf_real *b);
sf_real sf_step_log_n(const sf_step *step, sf_real x);
/* The x at which tau (or B) is reached; clamped to the step. */
sf_real sf_step_find_tau(const sf_step *step, sf_real tau);
sf_real sf_step_find_b(const sf_step *step, sf_real b);

/* c[0] + c[1] x + ... */
sf_real sf_polynomial(const sf_real *c, sf_real x);
sf_real sf_polynomial_slope(const sf_real *c, sf_real x);

#endif
