/* Philox4x32-10 against the known answers of its authors, and the distributions drawn from it. */
#include "support.h"

/* kat_vectors of the Random123 distribution (D. E. Shaw Research), philox4x32 with 10 rounds: counter, key,
 * output. Our counter is (position, stream), our key the seed, each 64 bits with the low word first. */
static void test_known_answers(void **state)
{
    (void)state;
    static const struct {
        uint64_t position, stream, seed;
        uint32_t word[4];
    } known[] = {{0, 0, 0, {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}},
                 {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}},
                 {0x85a308d3243f6a88u,
                  0x0370734413198a2eu,
                  0x299f31d0a4093822u,
                  {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}}};
    for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
        sf_random random = sf_random_make(known[k].seed, known[k].stream);
        random.counter = known[k].position;
        assert_true(sf_random_bits(&random) == ((uint64_t)known[k].word[1] << 32 | known[k].word[0]));
        assert_true(sf_random_bits(&random) == ((uint64_t)known[k].word[3] << 32 | known[k].word[2]));
    }
}

/* Streams are told apart by seed and by number, and a copy continues where the original was. */
static void test_streams(void **state)
{
    (void)state;
    sf_random a = sf_random_make(7, 0), b = sf_random_make(7, 1), c = sf_random_make(8, 0);
    uint64_t first = sf_random_bits(&a);
    assert_true(first != sf_random_bits(&b));
    assert_true(first != sf_random_bits(&c));
    sf_random copy = a;
    for (int i = 0; i < 100; i++)
        assert_true(sf_random_normal(&a) == sf_random_normal(&copy));
}

enum { DRAWS = 1000000 };

/* Moments within 5 standard errors; chi-squared over 100 cells within 5 standard deviations of its mean 99.
 */
static void test_uniform(void **state)
{
    (void)state;
    sf_random random = sf_random_make(1, 2);
    double sum = 0.0, square = 0.0, chi = 0.0;
    static long cell[100];
    for (int i = 0; i < DRAWS; i++) {
        double u = sf_random_uniform(&random);
        assert_true(u > 0.0 && u < 1.0);
        sum += u;
        square += u * u;
        cell[(int)(100.0 * u)]++;
    }
    for (int k = 0; k < 100; k++)
        chi += (cell[k] - DRAWS / 100.0) * (cell[k] - DRAWS / 100.0) / (DRAWS / 100.0);
    assert_absolute(sum / DRAWS, 0.5, 5.0 * sqrt(1.0 / 12.0 / DRAWS));
    assert_absolute(square / DRAWS, 1.0 / 3.0, 5.0 * sqrt(4.0 / 45.0 / DRAWS));
    assert_absolute(chi, 99.0, 5.0 * sqrt(2.0 * 99.0));
}

static void test_normal(void **state)
{
    (void)state;
    sf_random random = sf_random_make(3, 4);
    double moment[5] = {0.0}, lag = 0.0, previous = 0.0;
    long beyond_2 = 0;
    for (int i = 0; i < DRAWS; i++) {
        double g = sf_random_normal(&random), power = 1.0;
        for (int k = 1; k <= 4; k++) {
            power *= g;
            moment[k] += power / DRAWS;
        }
        beyond_2 += fabs(g) > 2.0;
        lag += g * previous / DRAWS; // cosine and sine of a pair, and pair to pair
        previous = g;
    }
    // the variances of g, g^2, g^3, g^4 are 1, 2, 15, 96
    assert_absolute(moment[1], 0.0, 5.0 * sqrt(1.0 / DRAWS));
    assert_absolute(moment[2], 1.0, 5.0 * sqrt(2.0 / DRAWS));
    assert_absolute(moment[3], 0.0, 5.0 * sqrt(15.0 / DRAWS));
    assert_absolute(moment[4], 3.0, 5.0 * sqrt(96.0 / DRAWS));
    assert_absolute(lag, 0.0, 5.0 * sqrt(1.0 / DRAWS));
    double tail = erfc(2.0 / sqrt(2.0));
    assert_absolute((double)beyond_2 / DRAWS, tail, 5.0 * sqrt(tail / DRAWS));
}

static void test_below(void **state)
{
    (void)state;
    sf_random random = sf_random_make(5, 6);
    long count[7] = {0};
    for (int i = 0; i < 70000; i++)
        count[sf_random_below(&random, 7)]++;
    for (int k = 0; k < 7; k++)
        assert_absolute((double)count[k], 10000.0, 5.0 * sqrt(10000.0));
    assert_true(sf_random_below(&random, 1) == 0);
    // the largest n refuses nearly half of the bits, so the rejection is exercised
    uint64_t n = ((uint64_t)1 << 63) + 1;
    for (int i = 0; i < 1000; i++)
        assert_true(sf_random_below(&random, n) < n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_known_answers), cmocka_unit_test(test_streams),
                                       cmocka_unit_test(test_uniform), cmocka_unit_test(test_normal),
                                       cmocka_unit_test(test_below)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
