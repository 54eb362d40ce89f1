/* Training from several seeds, watched; comparisons seed by seed. */
#include "paper/networks.h"

#include <math.h>

#include "paper/tools.h"

static const double growth = 1.3; // of the step from record to record
static const double confidence = 0.95;
static const uint64_t first_seed = 1001; // the scans that radii and scales were chosen by had seeds below 100

/* ---- data ---------------------------------------------------------------------------------------------- */

sf_status sf_net_split(sf_outcome *out, const sf_images *images, size_t seeds, double train, double test,
                       net_data *data)
{
    *data = (net_data){.seeds = seeds};
    for (size_t s = 0; s < seeds; s++) {
        sf_images *rest, *chosen, *others, *measured;
        SF_TRY(sf_images_split(images, train, first_seed + s, &rest, &chosen));
        SF_TRY(sf_claim_keep_images(out, chosen));
        data->train[s] = chosen;
        SF_TRY(sf_claim_keep_images(out, rest));
        SF_TRY(sf_images_split(rest, test, first_seed + s, &others, &measured));
        sf_images_destroy(&others);
        data->test[s] = measured;
        SF_TRY(sf_claim_keep_images(out, measured));
    }
    return SF_OK;
}

sf_status sf_net_patches(sf_outcome *out, const sf_patches *spec, size_t seeds, size_t test_per_class,
                         net_data *data)
{
    *data = (net_data){.seeds = seeds};
    for (size_t s = 0; s < seeds; s++) {
        sf_patches drawn = *spec, measured = *spec;
        sf_images *made[4] = {NULL};
        drawn.seed = 2 * (first_seed + s);
        measured.seed = drawn.seed + 1;
        measured.per_class = test_per_class;
        SF_TRY(sf_images_patches(sf_claim_context(out), &drawn, &made[0]));
        SF_TRY(sf_claim_keep_images(out, made[0]));
        SF_TRY(sf_images_patches(sf_claim_context(out), &measured, &made[1]));
        SF_TRY(sf_claim_keep_images(out, made[1]));
        SF_TRY(sf_images_erase(made[1], SF_REGION_STRONG, 0.0, &made[2]));
        SF_TRY(sf_claim_keep_images(out, made[2]));
        SF_TRY(sf_images_erase(made[1], SF_REGION_WEAK, 0.0, &made[3]));
        SF_TRY(sf_claim_keep_images(out, made[3]));
        data->train[s] = made[0];
        data->test[s] = made[1];
        data->only_faint[s] = made[2];
        data->only_strong[s] = made[3];
    }
    return SF_OK;
}

/* ---- running ------------------------------------------------------------------------------------------- */

static double *cell(const net_runs *course, net_measure measure, size_t seed, size_t i)
{
    return &course->value[((size_t)measure * course->seeds + seed) * course->count + i];
}

static double faint_part(sf_shares s)
{
    return s.weak / (s.weak + s.strong);
}

/* The mean of y f over a set of two classes. */
static sf_status mean_margin(sf_nn *nn, const sf_images *images, double *margin)
{
    enum { AT_ONCE = 64 };
    float logits[AT_ONCE];
    sf_image_shape shape = sf_images_shape(images);
    size_t n = sf_images_count(images), values = shape.channels * shape.height * shape.width;
    *margin = 0.0;
    for (size_t first = 0; first < n; first += AT_ONCE) {
        size_t count = n - first < AT_ONCE ? n - first : AT_ONCE;
        SF_TRY(sf_nn_forward(nn, NULL, count, sf_images_pixels(images) + first * values, logits));
        for (size_t i = 0; i < count; i++)
            *margin += (sf_images_labels(images)[first + i] ? 1.0 : -1.0) * logits[i] / (double)n;
    }
    return SF_OK;
}

static sf_status measure_erased(sf_nn *nn, const net_data *data, size_t seed, const net_runs *course,
                                size_t i)
{
    double loss, faint, strong;
    SF_TRY(sf_nn_evaluate(nn, data->only_faint[seed], &loss, cell(course, NET_ONLY_FAINT, seed, i)));
    SF_TRY(sf_nn_evaluate(nn, data->only_strong[seed], &loss, cell(course, NET_ONLY_STRONG, seed, i)));
    SF_TRY(mean_margin(nn, data->only_faint[seed], &faint));
    SF_TRY(mean_margin(nn, data->only_strong[seed], &strong));
    *cell(course, NET_FAINT_MARGIN, seed, i) = faint / (faint + strong);
    return SF_OK;
}

size_t sf_net_example(const sf_images *images, int label)
{
    size_t i = 0;
    while (i + 1 < sf_images_count(images) && sf_images_labels(images)[i] != label)
        i++;
    return i;
}

static sf_status keep_maps(sf_nn *nn, const sf_images *test, const net_runs *course, size_t i)
{
    enum { MOST = 32 * 32 };
    float map[MOST];
    sf_image_shape shape = sf_images_shape(test);
    size_t pixels = shape.height * shape.width, layers = sf_nn_layers(nn);
    if (pixels > MOST || layers == 0)
        return SF_OK; // the maps stay 0
    for (int label = 0; label < 2; label++) {
        size_t n = sf_net_example(test, label);
        SF_TRY(sf_nn_grad_cam(nn, layers - 1, 1, sf_images_pixels(test) + n * shape.channels * pixels,
                              sf_images_labels(test) + n, map));
        for (size_t p = 0; p < pixels; p++)
            course->map[(2 * i + (size_t)label) * pixels + p] = map[p];
    }
    return SF_OK;
}

static sf_status measure_network(sf_nn *nn, const net_data *data, size_t seed, const net_runs *course,
                                 size_t i)
{
    const sf_images *test = data->test[seed];
    sf_attribution_summary s;
    size_t layers = sf_nn_layers(nn);
    SF_TRY(sf_nn_evaluate(nn, test, cell(course, NET_LOSS, seed, i), cell(course, NET_ACCURACY, seed, i)));
    if (layers == 0 || course->plan.gradients) {
        SF_TRY(sf_nn_attribute(nn, SF_ATTRIBUTION_INPUT_GRADIENT, 0, test, NULL, &s));
        *cell(course, NET_INPUT_BACKGROUND, seed, i) = s.shares.background;
        *cell(course, NET_INPUT_FAINT, seed, i) = faint_part(s.shares);
    }
    if (layers > 0) {
        SF_TRY(sf_nn_attribute(nn, SF_ATTRIBUTION_GRAD_CAM, layers - 1, test, NULL, &s));
        *cell(course, NET_CAM_BACKGROUND, seed, i) = s.shares.background;
        *cell(course, NET_CAM_FAINT, seed, i) = faint_part(s.shares);
        *cell(course, NET_CAM_EMPTY, seed, i) = (double)s.empty / (double)s.images;
    }
    if (course->map && seed == 0)
        SF_TRY(keep_maps(nn, test, course, i));
    return data->only_faint[seed] ? measure_erased(nn, data, seed, course, i) : SF_OK;
}

static sf_status run_seed(sf_outcome *out, const net_data *data, size_t seed, const net_runs *course)
{
    const net_plan *plan = &course->plan;
    sf_nn_spec spec = plan->spec;
    spec.input = sf_images_shape(data->train[seed]);
    spec.classes = sf_images_classes(data->train[seed]);
    spec.seed = first_seed + seed;
    const sf_training training = {.perturbation = {.method = plan->method, .rho = plan->rho},
                                  .rate = plan->rate,
                                  .batch = plan->batch,
                                  .seed = first_seed + seed};
    sf_nn *nn;
    sf_trainer *trainer;
    SF_TRY(sf_claim_nn(out, &spec, &nn));
    SF_TRY(sf_claim_trainer(out, nn, data->train[seed], &training, &trainer));
    for (size_t i = 0; i < course->count; i++) {
        SF_TRY(sf_trainer_advance(trainer, (uint64_t)course->step[i] - sf_trainer_state(trainer).step));
        if (sf_trainer_diverged(trainer))
            return SF_ERR_NUMERIC;
        SF_TRY(measure_network(nn, data, seed, course, i));
    }
    return SF_OK;
}

/* Steps 0, 1, 2, ... in growing distance, and the last one. */
static void choose_steps(net_runs *course)
{
    double last = (double)course->plan.steps, step = 0.0;
    while (step < last && course->count + 1 < NET_RECORDS) {
        course->step[course->count++] = step;
        step = fmax(step + 1.0, floor(step * growth));
    }
    course->step[course->count++] = last;
}

sf_status sf_net_run(sf_outcome *out, const net_plan *plan, const net_data *data, net_runs *course)
{
    *course = (net_runs){.plan = *plan, .seeds = data->seeds};
    choose_steps(course);
    size_t count = (size_t)NET_MEASURES * course->seeds * course->count;
    course->value = sf_claim_doubles(out, count);
    if (plan->maps) {
        sf_image_shape shape = sf_images_shape(data->test[0]);
        course->map = sf_claim_doubles(out, course->count * 2 * shape.height * shape.width);
    }
    if (!course->value || (plan->maps && !course->map))
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        course->value[i] = NAN;
    for (size_t s = 0; s < course->seeds; s++) {
        size_t mark = sf_claim_mark(out);
        SF_TRY(run_seed(out, data, s, course));
        sf_claim_release(out, mark);
    }
    return SF_OK;
}

/* ---- comparing ----------------------------------------------------------------------------------------- */

sf_interval sf_net_mean(const net_runs *course, net_measure measure, size_t i)
{
    double x[NET_SEEDS];
    for (size_t s = 0; s < course->seeds; s++)
        x[s] = *cell(course, measure, s, i);
    return sf_mean_interval(course->seeds, x, confidence);
}

double sf_net_at_loss(const net_runs *course, int measure, size_t seed, double level)
{
    size_t i = 0;
    while (i < course->count && !(*cell(course, NET_LOSS, seed, i) <= level))
        i++;
    if (i == 0 || i == course->count)
        return NAN;
    double above = log(*cell(course, NET_LOSS, seed, i - 1)), below = log(*cell(course, NET_LOSS, seed, i));
    double part = (above - log(level)) / (above - below);
    double from = measure < 0 ? course->step[i - 1] : *cell(course, (net_measure)measure, seed, i - 1);
    double to = measure < 0 ? course->step[i] : *cell(course, (net_measure)measure, seed, i);
    return from + part * (to - from);
}

/* At that loss, of the seeds that get there; measure < 0: the step. Returns how many do. */
static size_t gather(const net_runs *course, int measure, double level, double *x)
{
    size_t count = 0;
    for (size_t s = 0; s < course->seeds; s++) {
        double value = sf_net_at_loss(course, measure, s, level);
        if (!isnan(value))
            x[count++] = value;
    }
    return count;
}

sf_interval sf_net_mean_at_loss(const net_runs *course, net_measure measure, double level)
{
    double x[NET_SEEDS];
    size_t count = gather(course, (int)measure, level, x);
    return sf_mean_interval(count, x, confidence);
}

double sf_net_step_at_loss(const net_runs *course, double level)
{
    double x[NET_SEEDS];
    size_t count = gather(course, -1, level, x);
    return sf_mean_interval(count, x, confidence).mean;
}

size_t sf_net_reached(const net_runs *course, double level)
{
    double x[NET_SEEDS];
    return gather(course, -1, level, x);
}

sf_interval sf_net_gap_at_step(const net_runs *a, const net_runs *b, net_measure measure, size_t i)
{
    double x[NET_SEEDS];
    if (i >= a->count || i >= b->count || a->step[i] != b->step[i])
        return (sf_interval){NAN, NAN};
    for (size_t s = 0; s < a->seeds; s++)
        x[s] = *cell(a, measure, s, i) - *cell(b, measure, s, i);
    return sf_mean_interval(a->seeds, x, confidence);
}

sf_interval sf_net_gap_at_loss(const net_runs *a, const net_runs *b, net_measure measure, double level)
{
    double x[NET_SEEDS];
    size_t count = 0;
    for (size_t s = 0; s < a->seeds; s++) {
        double gap = sf_net_at_loss(a, (int)measure, s, level) - sf_net_at_loss(b, (int)measure, s, level);
        if (!isnan(gap))
            x[count++] = gap;
    }
    return sf_mean_interval(count, x, confidence);
}

size_t sf_net_record_at_loss(const net_runs *course, double level)
{
    size_t i = 0;
    while (i + 1 < course->count && !(sf_net_mean(course, NET_LOSS, i).mean <= level))
        i++;
    return i;
}

/* ---- drawing ------------------------------------------------------------------------------------------- */

static void draw(sf_figure *figure, uint32_t color, const char *title, size_t count, const double *x,
                 const sf_interval *y)
{
    double low[NET_RECORDS], high[NET_RECORDS], mean[NET_RECORDS];
    for (size_t i = 0; i < count; i++) {
        mean[i] = y[i].mean;
        low[i] = y[i].mean - y[i].half_width;
        high[i] = y[i].mean + y[i].half_width;
    }
    sf_figure_band(figure, color, count, x, low, high);
    sf_figure_series(figure, title, (sf_style){.color = color, .width = 2.5}, count, x, mean);
}

void sf_net_draw(sf_figure *figure, const net_runs *course, net_measure measure, const char *title)
{
    sf_interval y[NET_RECORDS] = {{NAN, NAN}};
    for (size_t i = 0; i < course->count; i++)
        y[i] = sf_net_mean(course, measure, i);
    // step 0 has no place on a logarithmic axis
    draw(figure, sf_color_of_method(course->plan.method), title, course->count - 1, course->step + 1, y + 1);
}

void sf_net_draw_by_loss(sf_figure *figure, const net_runs *course, const net_runs *other,
                         net_measure measure, const char *title, size_t count, const double *levels)
{
    sf_interval y[NET_RECORDS] = {{NAN, NAN}};
    for (size_t i = 0; i < count; i++) {
        double x[NET_SEEDS];
        size_t used = 0;
        for (size_t s = 0; s < course->seeds; s++)
            if (!isnan(sf_net_at_loss(course, -1, s, levels[0])) &&
                !isnan(sf_net_at_loss(other, -1, s, levels[0])))
                x[used++] = sf_net_at_loss(course, (int)measure, s, levels[i]);
        y[i] = sf_mean_interval(used, x, confidence);
    }
    draw(figure, sf_color_of_method(course->plan.method), title, count, levels, y);
}
