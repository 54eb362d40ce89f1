/* linf-SAM and GD on one example: coordinates by themselves. */
#ifndef SF_THEORY_GATES_H
#define SF_THEORY_GATES_H

#include <samflow/theory.h>

typedef struct sf_gates_result {
    sf_limit_kind kind;
    int64_t index;
    const char *norm, *basis, *gates_basis;
    double tau_max;  // where t is infinite; NaN if there is none
    double zero_tau; // where all coordinates have come to 0; NaN
    bool has_gates;
} sf_gates_result;

/* theta: (L, d). gate: (d), direction: (d), both filled in. rho = 0 is gradient descent. */
void sf_gates(size_t d, int depth, const double *mu, const double *theta, double rho, sf_gate *gate,
              double *direction, sf_gates_result *result);

/* log t at tau <= the moment where all coordinates have come to 0, of gates as filled in by sf_gates. NaN where t does
 * not exist: two unequal layers rest at 0 before. work: 3 d numbers. O(d) for each of the moments where one comes to 0. */
double sf_gates_log_time(size_t d, int depth, const double *mu, const double *theta, double rho, sf_loss loss,
                         const sf_gate *gate, double tau, double *work);

#endif
