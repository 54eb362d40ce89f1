/* Means over the sides of surfaces on which a trajectory of a discontinuous field slides. The mathematics is in sides.c. */
#ifndef SF_FLOW_SIDES_H
#define SF_FLOW_SIDES_H

#include "base/base.h"

enum { SIDES_MOST = 10 /* surfaces at once */, SIDES = 1 << SIDES_MOST };

typedef struct flow_sides {
    size_t k;                // surfaces
    double a[SIDES_MOST];    // mean signs; on entry to sf_sides_solve where Newton's method starts
    double pull[SIDES_MOST]; // what the mean speed should cancel beside itself: the pull back to the surface
    double speed[SIDES][SIDES_MOST]; // N_i^v
} flow_sides;

static inline size_t sides_count(const flow_sides *it)
{
    return (size_t)1 << it->k;
}

/* Sign of surface `place` on side v. */
static inline double sides_sign(size_t v, size_t place)
{
    return v >> place & 1u ? 1.0 : -1.0;
}

/* W_v */
double sf_sides_weight(const flow_sides *it, size_t v);
/* The mean signs, from the values in a; false, with a as it was, where Newton's method does not converge. They may lie
 * outside of [-1, 1]: the surface can then no longer be held. */
bool sf_sides_solve(flow_sides *it);
/* Mean signs in [-1, 1], from several starts. */
bool sf_sides_solve_inside(flow_sides *it);
/* The largest |a_i|, and which (*worst may be NULL). */
double sf_sides_largest(const flow_sides *it, size_t *worst);

#endif
