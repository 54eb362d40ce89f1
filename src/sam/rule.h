/* The rule of a perturbation on a plain vector g: eps_i = factor phi(g_i).
 *
 *   l2-SAM   phi = g / ||g||_2          linf-SAM  phi = sign(g)
 *   lp-SAM   phi = sign(g) |g|^{q-1} / ||g||_q^{q-1}      USAM  phi = g
 *
 * The one place where it is written for whole vectors; what the vector is made of (doubles, floats, pieces for several
 * threads) is the caller's. Use: fill in what is known, sum sf_rule_term over the vector, sf_rule_close, then sf_rule_eps for
 * each number, and sf_rule_applied of the sum of sf_rule_applied_term for the norm that was applied.
 */
#ifndef SF_RULE_H
#define SF_RULE_H

#include <math.h>

#include <samflow/sam.h>

typedef struct sf_rule {
    sf_method method;
    double factor; // rho; USAM: times the factor that g is given without
    double p;      // lp-SAM
    double
        high; // divides g before squares and powers are taken: the largest |g|, or 1 where none can leave the range
    double norm; // of g / high, 2 or q; set by sf_rule_close
} sf_rule;

/* sf_perturb without its checks, for those that have made them. */
void sf_perturbed_point(sf_network *network, const sf_perturbation *perturbation, const double *theta,
                        double *theta_hat, double *norm);

/* What is summed for the norm. */
static inline double sf_rule_term(const sf_rule *rule, double g)
{
    double scaled = g / rule->high;
    if (rule->method == SF_METHOD_L2)
        return scaled * scaled;
    return rule->method == SF_METHOD_LP ? pow(fabs(g) / rule->high, rule->p / (rule->p - 1.0)) : 0.0;
}

static inline void sf_rule_close(sf_rule *rule, double sum)
{
    rule->norm = rule->method == SF_METHOD_LP ? pow(sum, 1.0 / (rule->p / (rule->p - 1.0))) : sqrt(sum);
}

static inline double sf_rule_eps(const sf_rule *rule, double g)
{
    switch (rule->method) {
    case SF_METHOD_L2:
        return rule->factor * (g / rule->high / rule->norm);
    case SF_METHOD_LINF:
        return g > 0.0 ? rule->factor : g < 0.0 ? -rule->factor : 0.0;
    case SF_METHOD_LP:
        return copysign(
            rule->factor * pow(fabs(g) / rule->high / rule->norm, rule->p / (rule->p - 1.0) - 1.0), g);
    case SF_METHOD_USAM:
        return rule->factor * g;
    default:
        return 0.0;
    }
}

/* What is summed for ||eps||, in the norm that the method bounds (2 for USAM). */
static inline double sf_rule_applied_term(const sf_rule *rule, double eps)
{
    switch (rule->method) {
    case SF_METHOD_LINF:
        return eps != 0.0 ? 1.0 : 0.0;
    case SF_METHOD_LP:
        return pow(fabs(eps) / rule->factor, rule->p);
    default:
        return eps * eps;
    }
}

static inline double sf_rule_applied(const sf_rule *rule, double sum)
{
    switch (rule->method) {
    case SF_METHOD_LINF:
        return sum > 0.0 ? rule->factor : 0.0;
    case SF_METHOD_LP:
        return rule->factor * pow(sum, 1.0 / rule->p);
    default:
        return sqrt(sum);
    }
}

#endif
