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

/* Values of psi along one smooth stretch of the flow, the latest first. */
enum { PAST_MAX = 12 };

typedef struct flow_past {
    int count;
    double s[PAST_MAX], psi[PAST_MAX];
} flow_past;

/* A value ahead of the others; the oldest is forgotten where there is no room. */
void sf_flow_past_add(flow_past *past, double s, double psi);
/* Places the nodes of the highest degree and takes psi there from Newton's polynomial through the values given, of the
 * lowest degree whose last term is at most allowed * max(1, |psi|) on [a, b]; returns that term over what is allowed
 * (above 1: the values do not resolve psi; NaN if one is NaN). */
double sf_flow_panel_through(flow_panel *panel, const flow_past *values, double a, double b, double allowed);

/* Places the nodes. */
void sf_flow_panel_place(flow_panel *panel, double a, double b, int degree);
/* From the values at the nodes to the interpolant; returns the size of its last terms, which is about its
 * error. */
double sf_flow_panel_fit(flow_panel *panel);
/* log of the integral of e^{psi} from a to s <= b; -INFINITY for s = a, NaN if psi is. */
double sf_flow_panel_log_integral(const flow_panel *panel, double s);

#endif
