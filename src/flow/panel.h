/* A stretch of the flow between two clock values, over which the original time is integrated.
 *
 * dt = e^{psi(s)} ds with psi = log(dt/dtau) + log(dtau/ds). psi is smooth, but may change by 1e9 within one
 * step of the integrator, so e^{psi} is no integrand for a fixed rule. It is psi that is interpolated
 * (Chebyshev points of the second kind), and the integral of its exponential is taken in the log domain:
 * halves are split until psi varies by at most 4 on each, and parts that lie e^{-60} below the largest are
 * left out.
 */
#ifndef SF_FLOW_PANEL_H
#define SF_FLOW_PANEL_H

enum { PANEL_MAX = 8 };

typedef struct flow_panel {
    double a, b;
    int degree;                // at most PANEL_MAX
    double s[PANEL_MAX + 1];   // nodes, ascending, s[0] = a, s[degree] = b
    double psi[PANEL_MAX + 1]; // values there
    double coefficient[PANEL_MAX + 1];
} flow_panel;

/* Places the nodes. */
void sf_flow_panel_place(flow_panel *panel, double a, double b, int degree);
/* From the values at the nodes to the interpolant; returns the size of its last terms, which is about its
 * error. */
double sf_flow_panel_fit(flow_panel *panel);
/* log of the integral of e^{psi} from a to s <= b; -INFINITY for s = a, NaN if psi is. */
double sf_flow_panel_log_integral(const flow_panel *panel, double s);

#endif
