/* Batches: against single runs, the same bits whatever the neighbours, the threads and the pieces, diverging lanes,
 * and the vector exponential, reciprocal and root inside against long double. */
#include "../network/shapes.h"

#include <samflow/batch.h>

typedef struct outcome {
    double *theta; // (count, L, d)
    uint64_t *steps;
    bool *diverged;
    size_t count, size;
} outcome;

/* Advances in `pieces` pieces. */
static outcome run_batch(const sf_dataset *dataset, int depth, sf_loss loss, const sf_batch_spec *spec,
                         uint64_t steps, uint64_t pieces)
{
    sf_context *context = test_context();
    sf_network *network = NULL;
    sf_batch *batch = NULL;
    assert_ok(context, sf_network_create(context, dataset, depth, loss, &network));
    assert_ok(context, sf_batch_create(context, network, spec, &batch));
    for (uint64_t i = 0; i < pieces; i++)
        assert_ok(context, sf_batch_advance(batch, (i + 1) * steps / pieces - i * steps / pieces));
    assert_int_equal(sf_batch_step(batch), steps);
    outcome o = {.count = sf_batch_count(batch), .size = sf_network_parameters(network)};
    o.theta = malloc(o.count * o.size * sizeof *o.theta);
    o.steps = malloc(o.count * sizeof *o.steps);
    o.diverged = malloc(o.count * sizeof *o.diverged);
    double *beta = malloc(2 * sf_network_features(network) * sizeof *beta),
           *expected = beta + sf_network_features(network);
    for (size_t i = 0; i < o.count; i++) {
        sf_batch_theta(batch, i, o.theta + i * o.size);
        o.steps[i] = sf_batch_steps(batch, i);
        o.diverged[i] = sf_batch_diverged(batch, i);
        sf_batch_predictor(batch, i, beta);
        sf_network_predictor(network, o.theta + i * o.size, expected);
        assert_memory_equal(beta, expected, sf_network_features(network) * sizeof *beta);
    }
    free(beta);
    sf_batch_destroy(&batch);
    sf_network_destroy(&network);
    sf_context_destroy(&context);
    return o;
}

static void forget(outcome *o)
{
    free(o->theta);
    free(o->steps);
    free(o->diverged);
}

/* Trajectory i as a single run. */
static void assert_as_single_run(const sf_dataset *dataset, int depth, sf_loss loss,
                                 const sf_batch_spec *spec, const outcome *o, size_t i, uint64_t steps,
                                 double tolerance)
{
    sf_context *context = test_context();
    sf_network *network = NULL;
    sf_descent *descent = NULL;
    sf_dataset *own = NULL;
    sf_perturbation perturbation = spec->perturbation;
    if (spec->rho)
        perturbation.rho = spec->rho[i];
    if (spec->example) {
        size_t d = sf_dataset_features(dataset);
        assert_ok(context, sf_dataset_from_points(context, 1, d, spec->example + i * d, NULL, &own));
        dataset = own;
    }
    assert_ok(context, sf_network_create(context, dataset, depth, loss, &network));
    assert_ok(context,
              sf_descent_create(context, network, &perturbation, spec->steps ? spec->steps[i] : spec->step,
                                spec->theta + i * o->size, &descent));
    assert_ok(context, sf_descent_advance(descent, steps));
    assert_int_equal(o->diverged[i], sf_descent_diverged(descent));
    assert_int_equal(o->steps[i], sf_descent_step(descent));
    if (!sf_descent_diverged(descent))
        assert_absolute(relative_distance(o->size, o->theta + i * o->size, sf_descent_theta(descent)), 0.0,
                        tolerance);
    sf_descent_destroy(&descent);
    sf_network_destroy(&network);
    sf_dataset_destroy(&own);
    sf_context_destroy(&context);
}

static const sf_perturbation methods[] = {{SF_METHOD_GD, 0.0, 0.0},
                                          {SF_METHOD_L2, 0.1, 0.0},
                                          {SF_METHOD_LINF, 0.02, 0.0},
                                          {SF_METHOD_USAM, 0.3, 0.0},
                                          {SF_METHOD_LP, 0.1, 3.0}};
enum { METHODS = sizeof methods / sizeof methods[0], COUNT = 37 };

static double *random_starts(size_t count, int depth, size_t d, bool equal, uint64_t seed)
{
    sf_random random = sf_random_make(seed, 1);
    double *theta = malloc(count * (size_t)depth * d * sizeof *theta);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < (size_t)depth * d; k++) {
            double *at = theta + i * (size_t)depth * d + k;
            // away from 0, where the signs of linf-SAM would change with rounding
            *at = equal && k >= d ? at[-(ptrdiff_t)d] : 0.3 * (0.5 + fabs(sf_random_normal(&random)));
        }
    return theta;
}

static void test_against_single_runs(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const shape some[] = {{1, 1, SHAPE_DOUBLES, 1.0, 0},      {1, 2, SHAPE_DOUBLES, 1.0, 0},
                          {1, 3, SHAPE_DOUBLES, 1.0, 0},      {1, 7, SHAPE_DOUBLES, 1.0, 0},
                          {1, 2, SHAPE_DOUBLES, 1.0, MIRROR}, {2, 2, SHAPE_DOUBLES, 1.0, 0},
                          {5, 3, SHAPE_DOUBLES, 1.0, MIRROR}, {17, 9, SHAPE_DOUBLES, 1.0, 0},
                          {8, 16, SHAPE_DOUBLES, 1.0, 0}};
    for (size_t k = 0; k < sizeof some / sizeof some[0]; k++) {
        sf_dataset *dataset = shape_dataset(context, &some[k], k);
        for (int depth = 1; depth <= 6; depth++) {
            bool equal = (depth + k) % 2;
            double *theta = random_starts(COUNT, depth, sf_dataset_features(dataset), equal, k);
            for (int m = 0; m < METHODS; m++) {
                // under an emulator each method at each depth on a third of the shapes
                if ((k + (size_t)(depth + m)) % test_count(1, 3) != 0)
                    continue;
                sf_loss loss = (depth + m) % 2 ? SF_LOSS_LOGISTIC : SF_LOSS_EXPONENTIAL;
                sf_batch_spec spec = {.size = sizeof(sf_batch_spec),
                                      .count = COUNT,
                                      .theta = theta,
                                      .perturbation = methods[m],
                                      .step = 1e-2,
                                      .threads = 1};
                for (sf_isa isa = SF_ISA_PLAIN; isa <= SF_ISA_AVX512; isa++) {
                    setenv("SAMFLOW_ISA", sf_isa_name(isa), 1);
                    if (!sf_isa_supported(isa) || (isa == SF_ISA_PLAIN && depth != 2))
                        continue;
                    outcome o = run_batch(dataset, depth, loss, &spec, 40, 1);
                    for (size_t i = 0; i < COUNT; i += 6)
                        assert_as_single_run(dataset, depth, loss, &spec, &o, i, 40, 1e-12);
                    forget(&o);
                }
            }
            free(theta);
        }
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

/* rho, eta and the example of each trajectory. */
static void test_own_settings(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double x[2] = {9.0, 9.0};
    double rho[COUNT], eta[COUNT], example[2 * COUNT];
    for (int i = 0; i < COUNT; i++) {
        rho[i] = i == 0 ? 0.0 : 0.02 * i;
        eta[i] = 0.01 + 0.001 * i;
        example[2 * i] = 1.0;
        example[2 * i + 1] = 1.0 + 0.1 * i;
    }
    sf_dataset *dataset = NULL;
    assert_ok(context, sf_dataset_from_points(context, 1, 2, x, NULL, &dataset));
    double *theta = random_starts(COUNT, 2, 2, true, 3);
    FOR_EACH_ISA(isa)
    {
        sf_batch_spec spec = {.size = sizeof(sf_batch_spec),
                              .count = COUNT,
                              .theta = theta,
                              .perturbation = methods[1],
                              .rho = rho,
                              .steps = eta,
                              .example = example,
                              .threads = 1};
        outcome o = run_batch(dataset, 2, SF_LOSS_LOGISTIC, &spec, 100, 3);
        for (size_t i = 0; i < COUNT; i++)
            assert_as_single_run(dataset, 2, SF_LOSS_LOGISTIC, &spec, &o, i, 100, 1e-12);
        forget(&o);
    }
    free(theta);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* Bits: threads, pieces, neighbours (also whether theirs makes all layers alike). */
static void test_same_bits(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const shape some[] = {
        {1, 2, SHAPE_DOUBLES, 1.0, 0}, {1, 9, SHAPE_DOUBLES, 1.0, 0}, {11, 5, SHAPE_DOUBLES, 1.0, MIRROR}};
    enum { MANY = 301 };
    const uint64_t steps = test_count(100, 20);
    for (size_t k = 0; k < 3; k++) {
        sf_dataset *dataset = shape_dataset(context, &some[k], k + 40);
        size_t d = sf_dataset_features(dataset);
        for (int depth = 2; depth <= 4; depth++) {
            size_t size = (size_t)depth * d;
            double *theta = random_starts(MANY, depth, d, true, 2);
            FOR_EACH_ISA(isa)
            {
                sf_batch_spec spec = {.size = sizeof(sf_batch_spec),
                                      .count = MANY,
                                      .theta = theta,
                                      .perturbation = methods[1],
                                      .step = 0.05,
                                      .threads = 1};
                outcome one = run_batch(dataset, depth, SF_LOSS_LOGISTIC, &spec, steps, 1);
                spec.threads = 3;
                outcome other = run_batch(dataset, depth, SF_LOSS_LOGISTIC, &spec, steps, 7);
                assert_memory_equal(other.theta, one.theta, MANY * size * sizeof *theta);
                forget(&other);
                double kept = theta[300 * size];
                theta[300 * size] = 1.5 * kept; // the last one's layers differ
                other = run_batch(dataset, depth, SF_LOSS_LOGISTIC, &spec, steps, 1);
                assert_memory_equal(other.theta, one.theta, 300 * size * sizeof *theta);
                forget(&other);
                theta[300 * size] = kept;
                spec.theta = theta + 5 * size;
                spec.count = 11;
                other = run_batch(dataset, depth, SF_LOSS_LOGISTIC, &spec, steps, 1);
                assert_memory_equal(other.theta, one.theta + 5 * size, 11 * size * sizeof *theta);
                forget(&other);
                forget(&one);
            }
            free(theta);
        }
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

/* Some lanes diverge, some start at 0, some have tiny or huge gradients; the others do not notice. */
static void test_difficult_lanes(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const shape some[] = {{1, 2, SHAPE_DOUBLES, 1.0, 0}, {6, 4, SHAPE_DOUBLES, 1.0, 0}};
    for (size_t k = 0; k < 2; k++) {
        sf_dataset *dataset = shape_dataset(context, &some[k], k + 7);
        size_t d = sf_dataset_features(dataset), size = 3 * d;
        double *theta = random_starts(COUNT, 3, d, false, 2), eta[COUNT];
        for (int i = 0; i < COUNT; i++) {
            eta[i] = i % 5 == 2 ? 1e4 : 1e-2;
            for (size_t j = 0; j < size; j++)
                theta[(size_t)i * size + j] *= i % 7 == 3    ? 0.0
                                               : i % 7 == 5  ? 1e-80
                                               : i % 11 == 4 ? 1e90
                                                             : 1.0;
        }
        FOR_EACH_ISA(isa)
        for (int m = 0; m < METHODS; m++) {
            sf_batch_spec spec = {.size = sizeof(sf_batch_spec),
                                  .count = COUNT,
                                  .theta = theta,
                                  .perturbation = methods[m],
                                  .steps = eta,
                                  .threads = 2};
            outcome o = run_batch(dataset, 3, SF_LOSS_EXPONENTIAL, &spec, 50, 1);
            int diverged = 0;
            for (size_t i = 0; i < COUNT; i++) {
                diverged += o.diverged[i];
                for (size_t j = 0; j < size; j++)
                    assert_true(isfinite(o.theta[i * size + j]));
                if (i % 5 != 2 && i % 7 != 5)
                    assert_as_single_run(dataset, 3, SF_LOSS_EXPONENTIAL, &spec, &o, i, 50, 1e-11);
            }
            assert_true(diverged > 0);
            outcome pieces = run_batch(dataset, 3, SF_LOSS_EXPONENTIAL, &spec, 50, 9);
            assert_memory_equal(pieces.theta, o.theta, COUNT * size * sizeof *theta);
            assert_memory_equal(pieces.steps, o.steps, COUNT * sizeof *o.steps);
            forget(&pieces);
            forget(&o);
        }
        free(theta);
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

/* ---- what is watched ---------------------------------------------------------------------------------------- */

typedef struct seen {
    sf_batch_lead leads[64];
    size_t count;
    double log_excess;
} seen;

/* The rules of batch.h over a single run, with logarithms of long double. */
static seen watch_single_run(sf_network *network, const sf_perturbation *perturbation, double step,
                             const double *theta, uint64_t steps, size_t minor, size_t major)
{
    sf_context *context = test_context();
    sf_descent *descent = NULL;
    size_t d = sf_network_features(network), size = sf_network_parameters(network), leader = SIZE_MAX;
    seen s = {.log_excess = NAN};
    double *level = malloc(d * sizeof *level);
    assert_ok(context, sf_descent_create(context, network, perturbation, step, theta, &descent));
    for (uint64_t t = 0; t <= steps; t++) {
        if (t > 0)
            assert_ok(context, sf_descent_advance(descent, 1));
        if (sf_descent_diverged(descent))
            break;
        const double *now = sf_descent_theta(descent);
        long double log_level[2] = {0.0L, 0.0L};
        sf_network_predictor(network, now, level);
        size_t best = 0, ties = 0;
        for (size_t j = 0; j < d; j++) {
            best = fabs(level[j]) > fabs(level[best]) ? j : best;
        }
        for (size_t j = 0; j < d; j++)
            ties += fabs(level[j]) == fabs(level[best]);
        if (leader != SIZE_MAX && fabs(level[best]) > fabs(level[leader])) {
            assert_true(s.count < 64);
            s.leads[s.count++] = (sf_batch_lead){t, leader, best};
            leader = best;
        } else if (leader == SIZE_MAX && (t > 0 || ties == 1)) {
            leader = best;
        }
        for (size_t k = 0; k < size; k++) {
            log_level[0] += k % d == minor ? logl(fabsl((long double)now[k])) : 0.0L;
            log_level[1] += k % d == major ? logl(fabsl((long double)now[k])) : 0.0L;
        }
        s.log_excess = fmax(s.log_excess, (double)(log_level[0] - log_level[1]));
    }
    free(level);
    sf_descent_destroy(&descent);
    sf_context_destroy(&context);
    return s;
}

/* One trajectory in `kind` classes: usual; both features level at the start; far below the normal numbers. */
static void fill_watched(size_t count, size_t size, size_t d, double *theta)
{
    sf_random random = sf_random_make(8, 2);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < size; k++)
            theta[i * size + k] = i % 5 == 1 ? 0.9 + 0.002 * (double)i
                                  : i % 5 == 2 && k % d == 0
                                      ? 1e-170
                                      : 0.5 + (double)(k % d == 0) * 0.6 * sf_random_uniform(&random);
}

static void test_watch(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double one[] = {1.0, 2.0, 1.5}, two[] = {1.0, 2.0, 1.5, 1.2, 1.7, 1.1};
    enum { WATCHED = 75, STEPS = 400 };
    size_t minor[WATCHED], major[WATCHED], switches = 0, logs = 0;
    double eta[WATCHED];
    for (size_t i = 0; i < WATCHED; i++) {
        minor[i] = 0;
        major[i] = i % 9 == 4 ? 0 : 1; // the same: no ratio
        eta[i] = i % 13 == 6 ? 1e200 : 0.02;
    }
    for (size_t n = 1; n <= 2; n++)
        for (int depth = 1; depth <= 3; depth++) {
            sf_dataset *dataset = NULL;
            sf_network *network = NULL;
            size_t size = 3 * (size_t)depth;
            double *theta = malloc(WATCHED * size * sizeof *theta);
            assert_ok(context, sf_dataset_from_points(context, n, 3, n == 1 ? one : two, NULL, &dataset));
            assert_ok(context, sf_network_create(context, dataset, depth, SF_LOSS_LOGISTIC, &network));
            fill_watched(WATCHED, size, 3, theta);
            for (int run = 0; run < 2 * (SF_ISA_AVX512 + 1); run++) {
                sf_isa isa = (sf_isa)(run / 2);
                int threads = run % 2 ? 3 : 1;
                if (!sf_isa_supported(isa) || setenv("SAMFLOW_ISA", sf_isa_name(isa), 1) != 0)
                    continue;
                sf_batch_spec spec = {.size = sizeof(sf_batch_spec),
                                      .count = WATCHED,
                                      .theta = theta,
                                      .perturbation = {SF_METHOD_L2, 0.2, 0.0},
                                      .steps = eta,
                                      .threads = threads};
                sf_batch *batch = NULL;
                assert_ok(context, sf_batch_create(context, network, &spec, &batch));
                assert_ok(context, sf_batch_watch(batch, minor, major));
                assert_ok(context, sf_batch_advance(batch, threads == 1 ? STEPS : 7));
                assert_ok(context, sf_batch_advance(batch, STEPS - sf_batch_step(batch)));
                for (size_t i = 0; i < WATCHED; i++) {
                    seen s =
                        watch_single_run(network, &spec.perturbation, eta[i], theta + i * size, STEPS, 0, 1);
                    size_t count;
                    const sf_batch_lead *lead = sf_batch_leads(batch, i, &count);
                    assert_int_equal(count, s.count);
                    for (size_t k = 0; k < count; k++) {
                        assert_int_equal(lead[k].step, s.leads[k].step);
                        assert_int_equal(lead[k].from, s.leads[k].from);
                        assert_int_equal(lead[k].to, s.leads[k].to);
                    }
                    switches += count;
                    logs += s.log_excess < -700.0;
                    if (major[i] == 0)
                        assert_true(isnan(sf_batch_log_excess(batch, i)));
                    else
                        assert_absolute(sf_batch_log_excess(batch, i), s.log_excess,
                                        1e-11 * fmax(1.0, fabs(s.log_excess)));
                }
                sf_batch_destroy(&batch);
            }
            free(theta);
            sf_network_destroy(&network);
            sf_dataset_destroy(&dataset);
        }
    assert_true(switches > 100 && logs > 10);
    sf_context_destroy(&context);
}

static void test_bad_watch(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double x[2] = {1.0, 2.0}, theta[4] = {1.0, 1.0, 1.0, 1.0};
    const size_t good = 0, bad = 2;
    sf_dataset *dataset = NULL;
    sf_network *network = NULL;
    sf_batch *batch = NULL;
    assert_ok(context, sf_dataset_from_points(context, 1, 2, x, NULL, &dataset));
    assert_ok(context, sf_network_create(context, dataset, 2, SF_LOSS_LOGISTIC, &network));
    sf_batch_spec spec = {
        .size = sizeof(sf_batch_spec), .count = 1, .theta = theta, .step = 0.1, .threads = 1};
    assert_ok(context, sf_batch_create(context, network, &spec, &batch));
    size_t count = 1;
    assert_null(sf_batch_leads(batch, 0, &count));
    assert_int_equal(count, 0);
    assert_true(isnan(sf_batch_log_excess(batch, 0)));
    assert_status(context, sf_batch_watch(batch, &good, NULL), SF_ERR_ARGUMENT);
    assert_status(context, sf_batch_watch(batch, &good, &bad), SF_ERR_ARGUMENT);
    assert_ok(context, sf_batch_watch(batch, NULL, NULL));
    assert_status(context, sf_batch_watch(batch, NULL, NULL), SF_ERR_ARGUMENT);
    assert_true(isnan(sf_batch_log_excess(batch, 0)));
    sf_batch_destroy(&batch);
    assert_ok(context, sf_batch_create(context, network, &spec, &batch));
    assert_ok(context, sf_batch_advance(batch, 1));
    assert_status(context, sf_batch_watch(batch, NULL, NULL), SF_ERR_ARGUMENT);
    sf_batch_destroy(&batch);
    sf_network_destroy(&network);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

static void test_bad_arguments(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double x[4] = {1.0, 2.0, 2.0, 1.0}, theta[4] = {1.0, 1.0, 1.0, 1.0}, bad = -1.0;
    sf_dataset *dataset = NULL;
    sf_network *network = NULL;
    sf_batch *batch = NULL;
    assert_ok(context, sf_dataset_from_points(context, 2, 2, x, NULL, &dataset));
    assert_ok(context, sf_network_create(context, dataset, 2, SF_LOSS_LOGISTIC, &network));
    const sf_batch_spec wrong[] = {
        {.size = sizeof(sf_batch_spec), .count = 0, .theta = theta, .step = 0.1, .threads = 1},
        {.size = sizeof(sf_batch_spec), .count = 1, .theta = theta, .step = 0.0, .threads = 1},
        {.size = sizeof(sf_batch_spec), .count = 1, .theta = theta, .step = NAN, .threads = 1},
        {.size = sizeof(sf_batch_spec), .count = 1, .theta = theta, .step = 0.1, .threads = -1},
        {.size = sizeof(sf_batch_spec), .count = 1, .theta = theta, .step = 0.1, .rho = &bad, .threads = 1},
        {.size = sizeof(sf_batch_spec), .count = 1, .theta = theta, .step = 0.1, .example = x, .threads = 1},
        {.size = sizeof(sf_batch_spec),
         .count = 1,
         .theta = theta,
         .step = 0.1,
         .perturbation = {SF_METHOD_LP, 0.1, 1.0},
         .threads = 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_status(context, sf_batch_create(context, network, &wrong[i], &batch), SF_ERR_ARGUMENT);
        assert_null(batch);
    }
    sf_network_destroy(&network);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

static void test_cancel(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const double x[2] = {1.0, 2.0}, theta[4] = {1.0, 1.0, 1.0, 1.0};
    sf_dataset *dataset = NULL;
    sf_network *network = NULL;
    sf_batch *batch = NULL;
    sf_flag flag = 1;
    assert_ok(context, sf_dataset_from_points(context, 1, 2, x, NULL, &dataset));
    assert_ok(context, sf_network_create(context, dataset, 2, SF_LOSS_LOGISTIC, &network));
    sf_batch_spec spec = {.size = sizeof(sf_batch_spec),
                          .count = 1,
                          .theta = theta,
                          .perturbation = methods[1],
                          .step = 0.1,
                          .threads = 1};
    assert_ok(context, sf_batch_create(context, network, &spec, &batch));
    sf_context_set_cancel(context, &flag);
    assert_status(context, sf_batch_advance(batch, 10), SF_ERR_CANCELLED);
    assert_int_equal(sf_batch_step(batch), 0);
    flag = 0;
    assert_ok(context, sf_batch_advance(batch, 10));
    assert_int_equal(sf_batch_steps(batch, 0), 10);
    sf_batch_destroy(&batch);
    sf_network_destroy(&network);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

static void test_allocation_failures(void **state)
{
    (void)state;
    sf_context *context = test_context();
    const shape some[] = {{1, 2, SHAPE_DOUBLES, 1.0, 0}, {6, 4, SHAPE_DOUBLES, 1.0, MIRROR}};
    for (size_t k = 0; k < 2; k++) {
        sf_dataset *dataset = shape_dataset(context, &some[k], k);
        double *theta = random_starts(COUNT, 2, sf_dataset_features(dataset), false, 2);
        for (sf_isa isa = SF_ISA_PLAIN; isa <= SF_ISA_AVX512; isa++) {
            if (!sf_isa_supported(isa) || setenv("SAMFLOW_ISA", sf_isa_name(isa), 1) != 0)
                continue;
            sf_network *network = NULL;
            assert_ok(context, sf_network_create(context, dataset, 2, SF_LOSS_LOGISTIC, &network));
            sf_batch_spec spec = {.size = sizeof(sf_batch_spec),
                                  .count = COUNT,
                                  .theta = theta,
                                  .perturbation = methods[1],
                                  .step = 0.1,
                                  .threads = 2};
            sf_status status = SF_ERR_MEMORY;
            for (long fail_at = 0; status != SF_OK; fail_at++) {
                test_memory memory = {.fail_at = fail_at};
                sf_context *failing = test_context_failing(&memory);
                sf_batch *batch = NULL;
                status = sf_batch_create(failing, network, &spec, &batch);
                assert_true(status == SF_OK ? batch != NULL : status == SF_ERR_MEMORY && !batch);
                size_t minor[COUNT] = {0}, major[COUNT];
                for (size_t i = 0; i < COUNT; i++)
                    major[i] = 1;
                if (status == SF_OK)
                    status = sf_batch_watch(batch, minor, major);
                if (status == SF_OK)
                    status = sf_batch_advance(batch, 300);
                assert_true(status == SF_OK || status == SF_ERR_MEMORY);
                sf_batch_destroy(&batch);
                assert_int_equal(memory.live, 0);
                sf_context_destroy(&failing);
                assert_true(fail_at < 200);
            }
            sf_network_destroy(&network);
        }
        free(theta);
        sf_dataset_destroy(&dataset);
    }
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_single_runs), cmocka_unit_test(test_own_settings),
        cmocka_unit_test(test_same_bits),           cmocka_unit_test(test_difficult_lanes),
        cmocka_unit_test(test_bad_arguments),       cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_allocation_failures), cmocka_unit_test(test_watch),
        cmocka_unit_test(test_bad_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
