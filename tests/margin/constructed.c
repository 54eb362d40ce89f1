/* Known answers by construction: direction and multipliers are chosen, and data are built that satisfy the KKT
 * conditions with them. */
#include "common.h"

typedef struct problem {
    size_t n, d, k; // k support vectors, the first rows
    double *z;      // (n, d)
    double *beta;   // (d) smallest margin 1
    double *lambda; // (n)
} problem;

static problem allocate(size_t n, size_t d, size_t k)
{
    problem p = {
        n, d, k, calloc(n * d, sizeof(double)), calloc(d, sizeof(double)), calloc(n, sizeof(double))};
    assert_true(p.z && p.beta && p.lambda);
    return p;
}

static void release(problem *p)
{
    free(p->z);
    free(p->beta);
    free(p->lambda);
}

static double dot(size_t n, const double *x, const double *y)
{
    double sum = 0.0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * y[i];
    return sum;
}

/* Rows k .. n-1 with margins of at least 1.2. */
static void fill_inactive(problem *p, sf_random *random)
{
    double square = dot(p->d, p->beta, p->beta);
    for (size_t n = p->k; n < p->n; n++) {
        double *z = p->z + n * p->d;
        for (size_t j = 0; j < p->d; j++)
            z[j] = sf_random_normal(random);
        double lift = (1.2 + sf_random_uniform(random) - dot(p->d, z, p->beta)) / square;
        for (size_t j = 0; j < p->d; j++)
            z[j] += lift * p->beta[j];
    }
}

/* l1: M (k x k, the first k columns) with M beta = 1 and M' lambda = sign(beta), a correction of rank 2 of a random
 * matrix; it exists if sum lambda = sum |beta|. Other columns are scaled to |q_j| <= 0.9 (beta >= 0: any q_j <= 0.9). */
static problem build_l1(size_t n, size_t d, size_t k, bool nonnegative, sf_random *random)
{
    problem p = allocate(n, d, k);
    double sum_beta = 0.0, sum_lambda = 0.0, row_gap = 0.0;
    for (size_t j = 0; j < k; j++) {
        double sign = nonnegative || sf_random_uniform(random) < 0.5 ? 1.0 : -1.0;
        p.beta[j] = sign * (0.2 + sf_random_uniform(random));
        p.lambda[j] = 0.2 + sf_random_uniform(random);
        sum_beta += fabs(p.beta[j]);
        sum_lambda += p.lambda[j];
    }
    for (size_t i = 0; i < k; i++)
        p.lambda[i] *= sum_beta / sum_lambda;
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < d; j++)
            p.z[i * d + j] = sf_random_normal(random);
    double *row = calloc(k, sizeof *row), *column = calloc(k, sizeof *column);
    assert_true(row && column);
    double beta2 = dot(k, p.beta, p.beta), lambda2 = dot(k, p.lambda, p.lambda);
    for (size_t i = 0; i < k; i++) {
        row[i] = 1.0 - dot(k, p.z + i * d, p.beta);
        row_gap += p.lambda[i] * row[i];
    }
    for (size_t j = 0; j < d; j++) {
        double q = 0.0;
        for (size_t i = 0; i < k; i++)
            q += p.lambda[i] * p.z[i * d + j];
        double scale = nonnegative && q < 0.0 ? 1.0 : 0.9 * sf_random_uniform(random) / fabs(q);
        for (size_t i = 0; i < k && j >= k; i++)
            p.z[i * d + j] *= scale;
        if (j < k)
            column[j] = (p.beta[j] > 0.0 ? 1.0 : -1.0) - q;
    }
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < k; j++)
            p.z[i * d + j] += row[i] * p.beta[j] / beta2 + p.lambda[i] * column[j] / lambda2 -
                              p.lambda[i] * row_gap * p.beta[j] / (lambda2 * beta2);
    free(row);
    free(column);
    fill_inactive(&p, random);
    return p;
}

/* l2: z_a = beta / ||beta||^2 + w_a with w_a orthogonal to beta and sum lambda_a w_a = 0. For beta >= 0 the sum is -1 on the last
 * half of the coordinates, where beta is 0. */
static problem build_l2(size_t n, size_t d, size_t k, bool nonnegative, sf_random *random)
{
    problem p = allocate(n, d, k);
    size_t support = nonnegative ? (d + 1) / 2 : d;
    for (size_t j = 0; j < support; j++)
        p.beta[j] = nonnegative ? 0.2 + sf_random_uniform(random) : sf_random_normal(random);
    double square = dot(d, p.beta, p.beta), total = 0.0;
    for (size_t i = 0; i < k; i++)
        total += p.lambda[i] = 0.2 + sf_random_uniform(random);
    for (size_t i = 0; i < k; i++)
        p.lambda[i] *= square / total;
    double *last = p.z + (k - 1) * d;
    for (size_t i = 0; i + 1 < k; i++) {
        double *z = p.z + i * d;
        for (size_t j = 0; j < d; j++)
            z[j] = sf_random_normal(random);
        double along = dot(d, z, p.beta) / square;
        for (size_t j = 0; j < d; j++) {
            z[j] -= along * p.beta[j];
            last[j] -= p.lambda[i] * z[j] / p.lambda[k - 1];
        }
    }
    for (size_t j = support; j < d; j++)
        last[j] -= 1.0 / p.lambda[k - 1];
    for (size_t i = 0; i < k; i++)
        for (size_t j = 0; j < d; j++)
            p.z[i * d + j] += p.beta[j] / square;
    fill_inactive(&p, random);
    return p;
}

static void compare(const problem *p, const sf_margin *margin, sf_norm norm, double tolerance)
{
    double length = 0.0;
    for (size_t j = 0; j < p->d; j++)
        length += norm == SF_NORM_L1 ? fabs(p->beta[j]) : p->beta[j] * p->beta[j];
    if (norm == SF_NORM_L2)
        length = sqrt(length);
    assert_relative(sf_margin_value(margin), 1.0 / length, tolerance);
    for (size_t j = 0; j < p->d; j++)
        assert_absolute(sf_margin_direction(margin)[j], p->beta[j] / length, tolerance);
}

/* Sizes from N far below d to N far above. */
static size_t size_up_to(sf_random *random, double limit)
{
    return (size_t)exp(log(limit) * sf_random_uniform(random));
}

static void run_constructed(sf_norm norm, bool nonnegative)
{
    sf_context *context = test_context();
    for (uint64_t trial = 0; trial < test_count(60, 10); trial++) {
        sf_random random = sf_random_make(11 + (uint64_t)norm + (nonnegative ? 100 : 0), trial);
        size_t n = size_up_to(&random, 250.0), d = size_up_to(&random, 250.0), smaller = n < d ? n : d;
        size_t k = 1 + (size_t)sf_random_below(&random, smaller < 40 ? smaller : 40);
        problem p = norm == SF_NORM_L1 ? build_l1(n, d, k, nonnegative, &random)
                                       : build_l2(n, d, k, nonnegative, &random);
        sf_dataset *dataset = dataset_of(context, n, d, p.z);
        sf_margin *margin = solved(context, dataset, (sf_margin_options){norm, nonnegative}, 1e-11);
        assert_true(sf_margin_separable(margin));
        assert_int_equal(sf_margin_unique(margin), SF_ANSWER_YES);
        compare(&p, margin, norm, 1e-9);
        double residual;
        sf_margin_options options = {norm, nonnegative};
        assert_ok(context, sf_margin_residual_of(context, dataset, &options, sf_margin_direction(margin),
                                                 1e-9, &residual));
        assert_absolute(residual, 0.0, 1e-9);
        sf_margin_destroy(&margin);
        sf_dataset_destroy(&dataset);
        release(&p);
    }
    sf_context_destroy(&context);
}

static void test_l1(void **state)
{
    (void)state;
    run_constructed(SF_NORM_L1, false);
}

static void test_l1_nonnegative(void **state)
{
    (void)state;
    run_constructed(SF_NORM_L1, true);
}

static void test_l2(void **state)
{
    (void)state;
    run_constructed(SF_NORM_L2, false);
}

static void test_l2_nonnegative(void **state)
{
    (void)state;
    run_constructed(SF_NORM_L2, true);
}

/* 0 = sum lambda_n z_n over the first k rows: not separable, however the other rows lie. Both norms must agree, and both
 * with the same data mirrored. */
static void test_not_separable(void **state)
{
    (void)state;
    sf_context *context = test_context();
    for (uint64_t trial = 0; trial < test_count(60, 10); trial++) {
        sf_random random = sf_random_make(23, trial);
        size_t n = 2 + size_up_to(&random, 200.0), d = size_up_to(&random, 200.0);
        size_t k = 2 + (size_t)sf_random_below(&random, n - 1);
        problem p = allocate(n, d, k);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < d && i != k - 1; j++)
                p.z[i * d + j] = sf_random_normal(&random);
        for (size_t i = 0; i < k - 1; i++) {
            double weight = 0.1 + sf_random_uniform(&random);
            for (size_t j = 0; j < d; j++)
                p.z[(k - 1) * d + j] -= weight * p.z[i * d + j];
        }
        sf_dataset *dataset = dataset_of(context, n, d, p.z);
        for (int mirrored = 0; mirrored < 2; mirrored++) {
            for (int norm = 1; norm <= 2; norm++) {
                sf_margin *margin =
                    solved(context, dataset, (sf_margin_options){(sf_norm)norm, false}, 1e-11);
                assert_false(sf_margin_separable(margin));
                assert_true(sf_margin_certificate_residual(margin) <= 1e-10);
                sf_margin_destroy(&margin);
            }
            if (!mirrored)
                assert_ok(context, sf_dataset_mirror(dataset));
        }
        sf_dataset_destroy(&dataset);
        release(&p);
    }
    sf_context_destroy(&context);
}

/* Mirrored data stand for free signs: over beta >= 0 in 2d coordinates, the solution is that of d coordinates, split. */
static void test_mirrored(void **state)
{
    (void)state;
    sf_context *context = test_context();
    for (uint64_t trial = 0; trial < test_count(40, 10); trial++) {
        sf_random random = sf_random_make(37, trial);
        size_t n = size_up_to(&random, 40.0), d = 1 + size_up_to(&random, 40.0), k = n < d ? n : d;
        sf_norm norm = trial % 2 ? SF_NORM_L1 : SF_NORM_L2;
        problem p =
            norm == SF_NORM_L1 ? build_l1(n, d, k, false, &random) : build_l2(n, d, k, false, &random);
        sf_dataset *dataset = dataset_of(context, n, d, p.z);
        sf_margin *plain = solved(context, dataset, (sf_margin_options){norm, false}, 1e-11);
        assert_ok(context, sf_dataset_mirror(dataset));
        sf_margin *split = solved(context, dataset, (sf_margin_options){norm, true}, 1e-11);
        sf_margin *free_signs = solved(context, dataset, (sf_margin_options){norm, false}, 1e-11);
        for (size_t j = 0; j < d; j++) {
            double c = sf_margin_direction(plain)[j],
                   *both = (double[2]){c > 0.0 ? c : 0.0, c < 0.0 ? -c : 0.0};
            assert_absolute(sf_margin_direction(split)[j], both[0], 1e-13);
            assert_absolute(sf_margin_direction(split)[d + j], both[1], 1e-13);
        }
        assert_int_equal(sf_margin_unique(split), SF_ANSWER_YES);
        assert_int_equal(sf_margin_unique(free_signs), norm == SF_NORM_L1 ? SF_ANSWER_NO : SF_ANSWER_YES);
        double gain = norm == SF_NORM_L1 ? 1.0 : sqrt(2.0);
        assert_relative(sf_margin_value(free_signs), gain * sf_margin_value(plain), 1e-12);
        sf_margin_destroy(&plain);
        sf_margin_destroy(&split);
        sf_margin_destroy(&free_signs);
        sf_dataset_destroy(&dataset);
        release(&p);
    }
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_l1),
                                       cmocka_unit_test(test_l1_nonnegative),
                                       cmocka_unit_test(test_l2),
                                       cmocka_unit_test(test_l2_nonnegative),
                                       cmocka_unit_test(test_not_separable),
                                       cmocka_unit_test(test_mirrored)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
