/* When a limit is named, and when it is withheld. One home for the rules; single.c, many.c and track.c apply them.
 *
 * Evidence, from the strongest:
 *   proved     a theorem names the limit and its conditions hold at the start, or at the state reached: one example by the
 *              reduction, by gates or by the race of blow-ups (single.c); L = 1 on separable data with strictly
 *              complementary multipliers (Theorem 3.1). A proof from the start does not need the run.
 *   certified  a certificate found at the state reached: the flow has come to 0 or to a point at a finite time; or the l1-
 *              max-margin direction, unique and with its own KKT conditions, to which the direction is seen to go at the rate
 *              of theory while the loss tends to 0. Theorem 4.2 assumes both and is false without the second: on a
 *              collapse the direction converges too.
 *   measured   what is seen is steady, but no theorem says that it lasts.
 *   unknown    anything else.
 *
 * Withheld, with reasons:
 *   1. The integrator gave up. What follows is not known, and where it stands may be an artefact of its tolerance.
 *   2. Nothing has moved yet. A start may lie at the candidate by chance, and tau, t, |beta| have no unit: with the
 *      examples multiplied by c the same flow takes 1/c as long. The margins alone have a unit, that of the
 *      loss. So a direction at infinity is named only where every example has a margin of SF_MARGIN_LATE and margins grew over
 *      the last factor e in log t.
 *   3. A slow rate could still change it. That |beta| is small or hardly moves is no end: from a start of size epsilon nothing
 *      happens until tau ~ epsilon^{2-L}. beta is said to come to 0 only where the flow has reached 0, where a proof says
 *      so, or where it falls steadily with log t, over two factors e in a row; and to a point only where the flow rests or
 *      the gradient is 0 relative to its own terms.
 *   4. Two outcomes are too close to call (SF_CLOSE): the critical scale, times of blow-up.
 *   5. A proof and the run disagree: one of them is at fault.
 */
#ifndef SF_VERDICT_RULES_H
#define SF_VERDICT_RULES_H

/* The loss is e^-10 of that of a margin of 0: the weights of the examples depend on differences of margins alone. */
#define SF_MARGIN_LATE 10.0
/* Times or scales closer than this, relative, are not told apart; those within SF_SAME are one. */
#define SF_CLOSE 1e-9
#define SF_SAME  1e-12
/* The sum of the terms of a gradient over the sum of their sizes: a minimum. */
#define SF_STATIONARY 1e-6
/* A steady fall or rise: at least this times the change of log t (of log log t, for ratios). */
#define SF_STEADY 0.5
/* Errors of a direction above this may be those of a flow that is on its way elsewhere; with the rate of a slow coordinate
 * known, the rate itself tells more. */
#define SF_NEAR      0.05
#define SF_NEAR_SLOW 0.3
/* How closely the measured exponent has to follow the slow one; twice that, a factor e earlier. */
#define SF_SLOW_TOLERANCE 0.1
/* Errors of a direction at the level of the integrator. */
#define SF_REACHED 1e-8

#endif
