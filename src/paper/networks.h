/* What the claims on real networks share: training a network from several seeds while it is watched, and comparing two
 * ways of training seed by seed. */
#ifndef SF_PAPER_NETWORKS_H
#define SF_PAPER_NETWORKS_H

#include <samflow/nn.h>

#include "paper/claim.h"

enum { NET_RECORDS = 48, NET_SEEDS = 8 };

/* Measured on test images. Shares are means over images. */
typedef enum net_measure {
    NET_LOSS,
    NET_ACCURACY,
    NET_CAM_BACKGROUND,   // share of |Grad-CAM| of the last convolution on background pixels
    NET_CAM_FAINT,        // weak / (weak + strong) of the same
    NET_CAM_EMPTY,        // part of the images whose Grad-CAM has no positive part
    NET_INPUT_BACKGROUND, // share of |input gradient| on background pixels
    NET_INPUT_FAINT,      // weak / (weak + strong) of the same
    NET_ONLY_FAINT,       // accuracy where the strong patch is erased
    NET_ONLY_STRONG,      // accuracy where the faint patch is erased
    NET_FAINT_MARGIN,     // faint / (faint + strong) of the mean margins where only that patch is left
    NET_MEASURES
} net_measure;

/* For each seed: what is trained on, what is measured on. */
typedef struct net_data {
    size_t seeds;
    const sf_images *train[NET_SEEDS], *test[NET_SEEDS];
    const sf_images *only_faint[NET_SEEDS], *only_strong[NET_SEEDS]; // patches; else NULL
} net_data;

typedef struct net_plan {
    sf_nn_spec spec; // input, classes and seed are set from the data
    sf_method method;
    double rho, rate;
    size_t batch;
    uint64_t steps;
    bool gradients; // measure the input gradient of a CNN as well; other networks always have it
    bool maps;      // keep Grad-CAM maps of seed 0
} net_plan;

/* The course of a plan from every seed, measured at the same steps. */
typedef struct net_runs {
    net_plan plan;
    size_t seeds, count;
    double step[NET_RECORDS]; // (count)
    double *value;            // (NET_MEASURES, seeds, count), NaN where a network has no such measure
    double
        *map; // (count, 2, height, width): Grad-CAM of the first test image of both classes, seed 0, or NULL
} net_runs;

/* The images are split by seed: `train` of each class to train on, `test` of the others to measure on. Takes over
 * nothing; what it makes lives in the claim's work space. */
sf_status sf_net_split(sf_outcome *out, const sf_images *images, size_t seeds, double train, double test,
                       net_data *data);
/* Patches drawn anew for each seed, `test_per_class` images of each class to measure on. */
sf_status sf_net_patches(sf_outcome *out, const sf_patches *spec, size_t seeds, size_t test_per_class,
                         net_data *data);

sf_status sf_net_run(sf_outcome *out, const net_plan *plan, const net_data *data, net_runs *course);

/* The first image of a class. */
size_t sf_net_example(const sf_images *images, int label);

/* Over all seeds at record i, with the 95 % interval. */
sf_interval sf_net_mean(const net_runs *course, net_measure measure, size_t i);
/* The measure when the test loss first falls below `level`, linear in log loss between records; NaN if it does not, or
 * if the start is below. measure < 0: the step. */
double sf_net_at_loss(const net_runs *course, int measure, size_t seed, double level);
/* The mean of that over the seeds that get there, with the 95 % interval; the mean step. */
sf_interval sf_net_mean_at_loss(const net_runs *course, net_measure measure, double level);
double sf_net_step_at_loss(const net_runs *course, double level);
size_t sf_net_reached(const net_runs *course, double level); /* seeds that get there */

/* a - b seed by seed: mean and 95 % interval; NaN where they were not both measured at that step. */
sf_interval sf_net_gap_at_step(const net_runs *a, const net_runs *b, net_measure measure, size_t i);
/* Over the seeds that reach the level in both; NaN if fewer than two do. */
sf_interval sf_net_gap_at_loss(const net_runs *a, const net_runs *b, net_measure measure, double level);
/* The first record at which the mean test loss is below the level, else the last. */
size_t sf_net_record_at_loss(const net_runs *course, double level);

/* Curves with bands of the intervals, in the colour of the method. */
void sf_net_draw(sf_figure *figure, const net_runs *course, net_measure measure, const char *title);
/* The same against the test loss, at `count` ascending levels, of the seeds that get to the lowest one in this course and in
 * `other`: the same seeds everywhere. */
void sf_net_draw_by_loss(sf_figure *figure, const net_runs *course, const net_runs *other,
                         net_measure measure, const char *title, size_t count, const double *levels);

#endif
