/* Small problems with small integers against exact enumeration: the solutions of the l1 problem are the convex hull of the
 * best vertices, and a vertex is where d of the planes <b, z_n> = 1 and b_j = 0 meet. In integers, by Cramer's rule,
 * separability, margin, uniqueness and the coordinates that can trade are known without rounding. Ties are frequent. */
#include "common.h"

enum { MAX_D = 3, MAX_N = 6, MAX_VERTICES = 512 };

typedef struct exact {
    size_t n, d;
    long z[MAX_N][MAX_D];
    bool nonnegative;
    long numerator[MAX_VERTICES][MAX_D],
        denominator[MAX_VERTICES]; // best vertices; the denominators are positive
    size_t count;
} exact;

static long determinant(size_t d, long m[MAX_D][MAX_D])
{
    if (d == 1)
        return m[0][0];
    if (d == 2)
        return m[0][0] * m[1][1] - m[0][1] * m[1][0];
    return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) -
           m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
           m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

static bool feasible(const exact *e, const long *numerator, long denominator)
{
    for (size_t n = 0; n < e->n; n++) {
        long margin = 0;
        for (size_t j = 0; j < e->d; j++)
            margin += e->z[n][j] * numerator[j];
        if (margin < denominator)
            return false;
    }
    for (size_t j = 0; j < e->d && e->nonnegative; j++)
        if (numerator[j] < 0)
            return false;
    return true;
}

static long size_of(const exact *e, const long *numerator)
{
    long size = 0;
    for (size_t j = 0; j < e->d; j++)
        size += labs(numerator[j]);
    return size;
}

static void offer(exact *e, const long *numerator, long denominator)
{
    if (e->count > 0) {
        long order = size_of(e, numerator) * e->denominator[0] - size_of(e, e->numerator[0]) * denominator;
        if (order > 0)
            return;
        if (order < 0)
            e->count = 0;
    }
    assert_true(e->count < MAX_VERTICES);
    memcpy(e->numerator[e->count], numerator, sizeof e->numerator[0]);
    e->denominator[e->count++] = denominator;
}

/* Plane i: row i of z with right side 1, or coordinate i - n with right side 0. */
static void try_vertex(exact *e, const size_t *plane)
{
    long m[MAX_D][MAX_D] = {{0}}, right[MAX_D] = {0}, numerator[MAX_D] = {0};
    for (size_t i = 0; i < e->d; i++) {
        bool row = plane[i] < e->n;
        right[i] = row;
        for (size_t j = 0; j < e->d; j++)
            m[i][j] = row ? e->z[plane[i]][j] : plane[i] - e->n == j;
    }
    long denominator = determinant(e->d, m);
    if (denominator == 0)
        return;
    for (size_t j = 0; j < e->d; j++) {
        long replaced[MAX_D][MAX_D];
        memcpy(replaced, m, sizeof m);
        for (size_t i = 0; i < e->d; i++)
            replaced[i][j] = right[i];
        numerator[j] = determinant(e->d, replaced) * (denominator < 0 ? -1 : 1);
    }
    denominator = labs(denominator);
    if (feasible(e, numerator, denominator))
        offer(e, numerator, denominator);
}

static void enumerate(exact *e, size_t *plane, size_t chosen, size_t from)
{
    if (chosen == e->d || chosen == MAX_D) {
        try_vertex(e, plane);
        return;
    }
    for (size_t i = from; i < e->n + e->d; i++) {
        plane[chosen] = i;
        enumerate(e, plane, chosen + 1, i + 1);
    }
}

static bool trades(const exact *e, size_t j)
{
    for (size_t v = 1; v < e->count; v++)
        if (e->numerator[v][j] * e->denominator[0] != e->numerator[0][j] * e->denominator[v])
            return true;
    return false;
}

static void draw(exact *e, sf_random *random)
{
    *e = (exact){.n = 1 + (size_t)sf_random_below(random, MAX_N),
                 .d = 1 + (size_t)sf_random_below(random, MAX_D)};
    e->nonnegative = sf_random_below(random, 3) == 0;
    long limit = 1 + (long)sf_random_below(random, 3);
    for (size_t n = 0; n < e->n; n++) {
        long along = 0;
        for (size_t j = 0; j < e->d; j++) {
            e->z[n][j] = (long)sf_random_below(random, (uint64_t)(2 * limit + 1)) - limit;
            along += e->z[n][j] * (long)(j + 1);
        }
        for (size_t j = 0; j < e->d && along < 0; j++)
            e->z[n][j] = -e->z[n][j];
    }
    size_t plane[MAX_D];
    enumerate(e, plane, 0, 0);
}

static void compare(sf_context *context, const exact *e, double unit)
{
    double z[MAX_N * MAX_D];
    for (size_t n = 0; n < e->n; n++)
        for (size_t j = 0; j < e->d; j++)
            z[n * e->d + j] = unit * (double)e->z[n][j];
    sf_dataset *dataset = dataset_of(context, e->n, e->d, z);
    sf_margin *l2 = solved(context, dataset, (sf_margin_options){SF_NORM_L2, e->nonnegative}, 1e-12);
    assert_int_equal(sf_margin_separable(l2), e->count > 0);
    sf_margin *l1 = solved(context, dataset, (sf_margin_options){SF_NORM_L1, e->nonnegative}, 1e-12);
    assert_int_equal(sf_margin_separable(l1), e->count > 0);
    if (e->count > 0) {
        double margin = (double)e->denominator[0] / (double)size_of(e, e->numerator[0]);
        assert_relative(sf_margin_value(l1), unit * margin, 1e-14);
        size_t expected = 0, count;
        const size_t *face = sf_margin_face(l1, &count);
        for (size_t j = 0; j < e->d; j++)
            if (trades(e, j)) {
                assert_true(expected < count);
                assert_int_equal(face[expected++], j);
            }
        assert_int_equal(count, expected);
        assert_int_equal(sf_margin_unique(l1), expected == 0 ? SF_ANSWER_YES : SF_ANSWER_NO);
    }
    sf_margin_destroy(&l1);
    sf_margin_destroy(&l2);
    sf_dataset_destroy(&dataset);
}

static void test_enumeration(void **state)
{
    (void)state;
    sf_context *context = test_context();
    static const double unit[] = {1.0, 0.1, 1e-3, 1e5, 1e-100, 1e120};
    size_t not_separable = 0, not_unique = 0;
    for (uint64_t trial = 0; trial < 3000; trial++) {
        sf_random random = sf_random_make(5, trial);
        exact e;
        draw(&e, &random);
        compare(context, &e, unit[trial % 6]);
        not_separable += e.count == 0;
        not_unique += e.count > 1;
    }
    assert_true(not_separable > 300 && not_unique > 300); // the draws cover all outcomes
    sf_context_destroy(&context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_enumeration)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
