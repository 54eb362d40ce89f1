/* Depth 1: logistic regression under SAM. For one example mu the gradient is -s mu at every point, so the
 * perturbation only moves along mu, and so does the path: beta(t) = beta(0) + s(t) mu. */
#include "paper/programs.h"

#include <math.h>

static double norm_of(size_t n, const double *x)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

/* Distance of x from the line start + s mu, over the size of start and way. */
static double off_line(size_t d, const double *start, const double *mu, const double *x)
{
    double along = 0.0, square = 0.0, off = 0.0, way = 0.0;
    for (size_t j = 0; j < d; j++) {
        along += (x[j] - start[j]) * mu[j];
        square += mu[j] * mu[j];
    }
    for (size_t j = 0; j < d; j++) {
        double step = x[j] - start[j], rest = step - along / square * mu[j];
        off += rest * rest;
        way += step * step;
    }
    return sqrt(off) / (sqrt(way) + norm_of(d, start));
}

sf_status claim_single_example_line(sf_outcome *out)
{
    enum { D = 4, STEPS = 2000 };
    static const sf_method methods[] = {SF_METHOD_GD, SF_METHOD_L2, SF_METHOD_LINF, SF_METHOD_USAM};
    static const double radii[] = {0.1, 1.0, 5.0};
    const uint64_t seed = 31;
    const size_t sets = claim_quick(out) ? 5 : 20;
    const char *const headings[] = {"method", "ρ", "largest distance from the line, relative"};
    sf_table *table = claim_table(out, "t31-single", "Distance from the straight line", 3, headings);
    if (!table)
        return SF_ERR_MEMORY;
    for (size_t m = 0; m < 4; m++)
        for (size_t r = 0; r < 3; r++) {
            double worst = 0.0;
            for (size_t s = 0; s < sets; s++) {
                size_t mark = claim_mark(out);
                sf_random random = sf_random_make(seed, s);
                double mu[D], start[D];
                for (size_t j = 0; j < D; j++) {
                    mu[j] = sf_random_normal(&random);
                    start[j] = 2.0 * sf_random_normal(&random);
                }
                sf_network *network;
                sf_descent *descent;
                SF_TRY(claim_example(out, D, mu, 1, &network));
                double step = 0.1 / (norm_of(D, mu) * norm_of(D, mu));
                SF_TRY(claim_descent(out, network, methods[m], radii[r], step, start, &descent));
                SF_TRY(sf_descent_advance(descent, STEPS));
                double distance = off_line(D, start, mu, sf_descent_theta(descent));
                if (!(distance <= worst))
                    worst = distance;
                claim_release(out, mark);
            }
            // l-infinity leaves along sign(mu), but only inside the gradient's argument: the step is along mu
            claim_check(out, SF_RELATION_AT_MOST, 0.0, worst, 1e-12,
                        "%s, ρ = %g: distance from the line, relative", sf_method_name(methods[m]), radii[r]);
            sf_table_text(table, sf_method_name(methods[m]));
            sf_table_number(table, radii[r]);
            sf_table_number(table, worst);
        }
    claim_note(out, SF_NOTE_SETTING,
               "%zu random examples μ ~ N(0, I) in %d dimensions, starts ~ N(0, 4 I), %d discrete steps of η "
               "= 0.1/‖μ‖²; "
               "seed %llu, one stream an example.",
               sets, D, STEPS, (unsigned long long)seed);
    return SF_OK;
}
