/* Trajectories in the plane of beta, with the vector field of the flow where beta alone determines it: for layers that are
 * alike, w = beta^{1/L} for each of them, and
 *   d beta_j / d tau = sum_l (d w_{l,j} / d tau) prod_{k != l} w_{k,j}. */
#include "report/kinds.h"

#include <math.h>

enum { D = 2, ARROWS = 13 };

typedef struct range {
    double low, high;
} range;

static range range_of(const plot_job *job, size_t j)
{
    range r = {INFINITY, -INFINITY};
    for (size_t i = 0; i < job->count; i++)
        for (size_t k = 0; k < job->runs[i].count; k++) {
            double value = sf_trajectory_record(job->runs[i].trajectory, k).beta[j];
            if (isfinite(value)) {
                r.low = fmin(r.low, value);
                r.high = fmax(r.high, value);
            }
        }
    double rim = r.high > r.low ? 0.06 * (r.high - r.low) : 0.1 * fmax(fabs(r.low), 1e-3);
    return (range){r.low - rim, r.high + rim};
}

static bool layers_alike(const double *theta, int depth)
{
    for (int i = D; i < depth * D; i++)
        if (theta[i] != theta[i % D])
            return false;
    return true;
}

/* d beta / d tau at beta up to a positive factor; work: (3, L*d). False where no layers that are alike have this beta. */
static bool direction_at(const plot_run *run, const double *beta, double *work, double *direction)
{
    sf_network *network = sf_experiment_network(run->experiment);
    sf_perturbation perturbation = sf_experiment_perturbation(run->experiment);
    int depth = sf_network_depth(network);
    size_t size = (size_t)depth * D;
    double *theta = work, *theta_hat = work + size, *gradient = work + 2 * size, log_scale;
    for (size_t j = 0; j < D; j++) {
        if (beta[j] < 0.0 && depth % 2 == 0)
            return false;
        for (size_t l = 0; l < (size_t)depth; l++)
            theta[l * D + j] = copysign(pow(fabs(beta[j]), 1.0 / depth), beta[j]);
    }
    sf_perturb(network, &perturbation, theta, theta_hat, NULL);
    sf_network_gradient(network, theta_hat, gradient, &log_scale);
    for (size_t j = 0; j < D; j++) {
        direction[j] = 0.0;
        for (size_t l = 0; l < (size_t)depth; l++)
            direction[j] -= gradient[l * D + j] * pow(theta[j], depth - 1);
    }
    return isfinite(direction[0]) && isfinite(direction[1]);
}

/* Arrows of one length, in the middle of an even grid. Nothing where layers differ or are not known. */
static sf_status draw_field(plot_job *job, const plot_run *run, range x, range y)
{
    enum { COUNT = ARROWS * ARROWS };
    double at[D][COUNT], along[D][COUNT];
    size_t count = 0;
    const double *start = run->experiment ? sf_experiment_initialization(run->experiment) : NULL;
    int depth = run->experiment ? sf_network_depth(sf_experiment_network(run->experiment)) : 0;
    if (!run->experiment || (start && !layers_alike(start, depth)))
        return SF_OK;
    double *work = start ? SF_ARRAY(job->context, 3 * D * (size_t)depth, double) : NULL;
    if (!work)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < COUNT; i++) {
        size_t row = i / ARROWS, column = i % ARROWS;
        const double part[D] = {((double)column + 0.5) / ARROWS, ((double)row + 0.5) / ARROWS};
        const double width[D] = {x.high - x.low, y.high - y.low};
        const double beta[D] = {x.low + part[0] * width[0], y.low + part[1] * width[1]};
        double direction[D];
        if (!direction_at(run, beta, work, direction))
            continue;
        double norm = hypot(direction[0] / width[0], direction[1] / width[1]);
        for (size_t j = 0; j < D && norm > 0.0; j++) {
            along[j][count] = 0.6 / ARROWS * direction[j] / norm;
            at[j][count] = beta[j] - 0.5 * along[j][count];
        }
        count += norm > 0.0;
    }
    if (count > 0)
        sf_figure_vectors(job->figure, NULL, SF_COLOR_NEUTRAL, count, at[0], at[1], along[0], along[1]);
    sf_free(job->context, work);
    return SF_OK;
}

static sf_status draw_run(plot_job *job, const plot_run *run)
{
    char title[256];
    double *x = SF_ARRAY(job->context, D * run->count, double);
    if (!x)
        return SF_ERR_MEMORY;
    for (size_t k = 0; k < run->count; k++)
        for (size_t j = 0; j < D; j++)
            x[j * run->count + k] = sf_trajectory_record(run->trajectory, k).beta[j];
    sf_style style = sf_plot_style(job, run), start = {.mark = SF_MARK_POINTS, .color = style.color};
    sf_figure_series(job->figure, sf_plot_title(job, run, title, sizeof title), style, run->count, x,
                     x + run->count);
    sf_figure_series(job->figure, NULL, start, 1, x, x + run->count);
    sf_free(job->context, x);
    return SF_OK;
}

sf_status sf_plot_plane(plot_job *job)
{
    for (size_t i = 0; i < job->count; i++)
        if (job->runs[i].d != D)
            return sf_fail(job->context, SF_ERR_USAGE, "--kind plane needs 2 features, %s has %zu",
                           job->runs[i].name, job->runs[i].d);
    range x = range_of(job, 0), y = range_of(job, 1);
    sf_figure_panel(job->figure, &(sf_axes){.x_label = "β_0",
                                            .y_label = "β_1",
                                            .x_min = x.low,
                                            .x_max = x.high,
                                            .y_min = y.low,
                                            .y_max = y.high,
                                            .key = "below"});
    if (job->count == 1) // several methods have several fields
        SF_TRY(draw_field(job, &job->runs[0], x, y));
    for (size_t i = 0; i < job->count; i++)
        SF_TRY(draw_run(job, &job->runs[i]));
    return SF_OK;
}
