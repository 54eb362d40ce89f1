/* Depth 1: logistic regression under SAM. For one example mu the gradient is -s mu at every point, so the
 * perturbation only moves along mu, and so does the path: beta(t) = beta(0) + s(t) mu. */
#include "paper/programs.h"

#include <math.h>

#include "paper/tools.h"

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
    return sqrt(off) / (sqrt(way) + sf_vector_norm(d, start));
}

sf_status sf_claim_single_example_line(sf_outcome *out)
{
    enum { D = 4, STEPS = 2000 };
    static const sf_method methods[] = {SF_METHOD_GD, SF_METHOD_L2, SF_METHOD_LINF, SF_METHOD_USAM};
    static const double radii[] = {0.1, 1.0, 5.0};
    const uint64_t seed = 31;
    const size_t sets = sf_claim_quick(out) ? 5 : 20;
    const char *const headings[] = {"method", "ρ", "largest distance from the line, relative"};
    sf_table *table = sf_claim_table(out, "t31-single", "Distance from the straight line", 3, headings);
    if (!table)
        return SF_ERR_MEMORY;
    for (size_t m = 0; m < 4; m++)
        for (size_t r = 0; r < 3; r++) {
            double worst = 0.0;
            for (size_t s = 0; s < sets; s++) {
                size_t mark = sf_claim_mark(out);
                sf_random random = sf_random_make(seed, s);
                double mu[D], start[D];
                for (size_t j = 0; j < D; j++) {
                    mu[j] = sf_random_normal(&random);
                    start[j] = 2.0 * sf_random_normal(&random);
                }
                sf_network *network;
                sf_descent *descent;
                SF_TRY(sf_claim_example(out, D, mu, 1, &network));
                double step = 0.1 / (sf_vector_norm(D, mu) * sf_vector_norm(D, mu));
                SF_TRY(sf_claim_descent(out, network, methods[m], radii[r], step, start, &descent));
                SF_TRY(sf_descent_advance(descent, STEPS));
                double distance = off_line(D, start, mu, sf_descent_theta(descent));
                if (!(distance <= worst))
                    worst = distance;
                sf_claim_release(out, mark);
            }
            // l-infinity leaves along sign(mu), but only inside the gradient's argument: the step is along mu
            sf_claim_check(out, SF_RELATION_AT_MOST, 0.0, worst, 1e-12,
                           "%s, ρ = %g: distance from the line, relative", sf_title_of_method(methods[m]),
                           radii[r]);
            sf_table_text(table, sf_title_of_method(methods[m]));
            sf_table_number(table, radii[r]);
            sf_table_number(table, worst);
        }
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "%zu random examples μ ~ N(0, I) in %d dimensions, starts ~ N(0, 4 I), %d discrete steps of η = "
        "0.1/‖μ‖²; seed %llu, one stream an example.",
        sets, D, STEPS, (unsigned long long)seed);
    return SF_OK;
}

/* ---- random separable data sets: the direction converges to the l2-max-margin one ----------------------- */

enum { MOST_EXAMPLES = 20, MOST_FEATURES = 10, TIMES = 13 };

/* n examples in d features with margin at least 0.2 along a random direction. */
static sf_status separable_set(sf_outcome *out, sf_random *random, size_t *n, size_t *d,
                               const sf_dataset **dataset)
{
    double x[MOST_EXAMPLES * MOST_FEATURES], direction[MOST_FEATURES];
    int labels[MOST_EXAMPLES];
    *d = 2 + (size_t)sf_random_below(random, MOST_FEATURES - 1);
    *n = 4 + (size_t)sf_random_below(random, MOST_EXAMPLES - 3);
    for (size_t j = 0; j < *d; j++)
        direction[j] = sf_random_normal(random);
    double length = sf_vector_norm(*d, direction);
    for (size_t i = 0; i < *n; i++) {
        double margin = 0.0;
        for (size_t j = 0; j < *d; j++) {
            x[i * *d + j] = sf_random_normal(random);
            margin += x[i * *d + j] * direction[j] / length;
        }
        labels[i] = margin < 0.0 ? -1 : 1;
        for (size_t j = 0; j < *d; j++)
            x[i * *d + j] += 0.2 * labels[i] * direction[j] / length;
    }
    return sf_claim_points(out, *n, *d, x, labels, dataset);
}

/* One data set: the angle to the l2-max-margin direction at the times. */
static sf_status follow_angle(sf_outcome *out, sf_method method, double rho, sf_random *random,
                              const double *log_times, double *angles)
{
    size_t n, d;
    double start[MOST_FEATURES], beta[MOST_FEATURES];
    const sf_dataset *dataset;
    sf_network *network;
    sf_margin *margin;
    sf_flow *flow;
    SF_TRY(separable_set(out, random, &n, &d, &dataset));
    for (size_t j = 0; j < d; j++)
        start[j] = 2.0 * sf_random_normal(random);
    SF_TRY(sf_claim_max_margin(out, dataset, SF_NORM_L2, &margin));
    SF_TRY(sf_claim_network(out, dataset, 1, &network));
    SF_TRY(sf_claim_flow(out, network, method, rho, start, &flow));
    for (size_t i = 0; i < TIMES; i++) {
        SF_TRY(sf_flow_until(flow, INFINITY, log_times[i], INFINITY));
        sf_flow_predictor(flow, beta, NULL);
        angles[i] = sf_vector_angle(d, beta, sf_margin_direction(margin));
    }
    return SF_OK;
}

static sf_status draw_angles(sf_outcome *out, sf_method method, size_t sets, const double *log_times,
                             const double *angles)
{
    char name[64], caption[512];
    snprintf(name, sizeof name, "t31-%s", sf_method_name(method));
    snprintf(caption, sizeof caption,
             "%s, depth 1: angle between β and the ℓ2-max-margin direction on %zu random separable data "
             "sets, against log t. Dashed: falling exactly like 1 / log t.",
             sf_title_of_method(method), sets);
    sf_figure *figure = sf_claim_figure(
        out, name, 1, caption,
        "On log-log axes every curve becomes a straight line that falls with slope minus one.");
    if (!figure)
        return SF_ERR_MEMORY;
    sf_figure_panel(figure, &(sf_axes){.x_label = "ln t",
                                       .y_label = "angle / rad",
                                       .x_scale = SF_SCALE_LOG,
                                       .y_scale = SF_SCALE_LOG,
                                       .x_min = log_times[0],
                                       .x_max = log_times[TIMES - 1],
                                       .y_min = NAN,
                                       .y_max = NAN,
                                       .key = "bottom left"});
    for (size_t s = 0; s < sets; s++)
        sf_figure_series(figure, s == 0 ? sf_title_of_method(method) : NULL,
                         (sf_style){.color = sf_color_of_method(method), .width = 1.2}, TIMES, log_times,
                         angles + s * TIMES);
    double guide[TIMES];
    for (size_t i = 0; i < TIMES; i++)
        guide[i] = 1.0 / log_times[i];
    sf_figure_series(figure, "1 / log t", (sf_style){.color = SF_COLOR_THEORY, .dash = 1}, TIMES, log_times,
                     guide);
    return SF_OK;
}

static sf_status depth_one(sf_outcome *out, sf_method method)
{
    static const double radii[] = {0.1, 0.5, 2.0};
    static const char *const headings[] = {"data set", "ρ", "angle at log t = 1,000",
                                           "angle at log t = 10,000", "exponent between"};
    const uint64_t seed = 310;
    const size_t sets = sf_claim_quick(out) ? 6 : 24;
    double log_times[TIMES], worst = 0.0;
    double *angles = sf_claim_doubles(out, sets * TIMES), *exponents = sf_claim_doubles(out, sets);
    char name[64];
    snprintf(name, sizeof name, "t31-%s", sf_method_name(method));
    sf_table *table = sf_claim_table(out, name, "Angle to the ℓ2-max-margin direction", 5, headings);
    if (!angles || !exponents || !table)
        return SF_ERR_MEMORY;
    sf_even_ratios(TIMES, 10.0, 1e4, log_times); // four a decade
    for (size_t s = 0; s < sets; s++) {
        size_t mark = sf_claim_mark(out);
        sf_random random = sf_random_make(seed, s);
        double rho = method == SF_METHOD_GD ? 0.0 : radii[s % 3], *angle = angles + s * TIMES;
        SF_TRY(follow_angle(out, method, rho, &random, log_times, angle));
        sf_claim_release(out, mark);
        exponents[s] = log10(angle[TIMES - 1] / angle[TIMES - 5]);
        worst = sf_larger(worst, angle[TIMES - 1]);
        const double row[] = {(double)s, rho, angle[TIMES - 5], angle[TIMES - 1], exponents[s]};
        for (size_t c = 0; c < 5; c++)
            sf_table_number(table, row[c]);
    }
    double middle = sf_median(sets, exponents); // sorts
    sf_claim_check(out, SF_RELATION_AT_MOST, 0.01, worst, 0.0,
                   "largest angle to the ℓ2-max-margin direction at log t = 10,000, of %zu data sets / rad",
                   sets);
    sf_claim_check(out, SF_RELATION_EQUAL, -1.0, middle, 0.02,
                   "median exponent of the angle in log t, from 1,000 to 10,000");
    sf_claim_detail(out, SF_RELATION_AT_MOST, -0.9, exponents[sets - 1], 0.0,
                    "slowest exponent of all data sets");
    sf_claim_note(
        out, SF_NOTE_SETTING,
        "%zu random separable data sets with 4 to %d examples and 2 to %d features (margin at least 0.2), "
        "starts ~ N(0, 4 I), %s flow to log t = 10,000; seed %llu, one stream a data set.",
        sets, MOST_EXAMPLES, MOST_FEATURES, method == SF_METHOD_GD ? "gradient" : "ρ = 0.1, 0.5, 2 in turn,",
        (unsigned long long)seed);
    sf_claim_note(out, SF_NOTE_CAVEAT,
                  "The angle falls only like 1 / log t: at any time t that a discrete run reaches, log t "
                  "is below 30, and the direction is still off by several hundredths of a radian.");
    sf_claim_note(out, SF_NOTE_CAVEAT,
                  "Chosen tolerances: 0.01 rad for the largest angle at log t = 10,000; the exponent −1 "
                  "is judged by the median over data sets (± 0.02) and the slowest one only as a detail "
                  "(at most −0.9), because where a second margin is nearly as small as the least, the "
                  "slope −1 comes later than log t = 10,000.");
    return draw_angles(out, method, sets, log_times, angles);
}

sf_status sf_claim_depth_one_gd(sf_outcome *out)
{
    return depth_one(out, SF_METHOD_GD);
}

sf_status sf_claim_depth_one_l2(sf_outcome *out)
{
    return depth_one(out, SF_METHOD_L2);
}

sf_status sf_claim_depth_one_linf(sf_outcome *out)
{
    return depth_one(out, SF_METHOD_LINF);
}
