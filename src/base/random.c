/* Philox4x32-10: ten rounds of multiplications and key additions turn (counter, key) into four random words
 * (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011). The key is the seed,
 * the counter is (position, stream), so every (seed, stream) is a stream of 2^66 words of its own.
 */
#include "base/base.h"

#include <math.h>

static void philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

sf_random sf_random_make(uint64_t seed, uint64_t stream)
{
    return (sf_random){.seed = seed, .stream = stream, .used = 4};
}

static uint32_t next_word(sf_random *random)
{
    if (random->used == 4) {
        uint32_t counter[4] = {(uint32_t)random->counter, (uint32_t)(random->counter >> 32),
                               (uint32_t)random->stream, (uint32_t)(random->stream >> 32)};
        uint32_t key[2] = {(uint32_t)random->seed, (uint32_t)(random->seed >> 32)};
        philox(counter, key, random->block);
        random->counter++;
        random->used = 0;
    }
    return random->block[random->used++];
}

uint64_t sf_random_bits(sf_random *random)
{
    uint64_t low = next_word(random);
    return low | (uint64_t)next_word(random) << 32;
}

double sf_random_uniform(sf_random *random)
{
    // 52 bits and a half: never 0, never 1, symmetric
    return ((double)(sf_random_bits(random) >> 12) + 0.5) * 0x1p-52;
}

double sf_random_normal(sf_random *random)
{
    if (random->has_spare) {
        random->has_spare = false;
        return random->spare;
    }
    double radius = sqrt(-2.0 * log(sf_random_uniform(random)));
    double angle = 6.283185307179586 * sf_random_uniform(random);
    random->spare = radius * sin(angle);
    random->has_spare = true;
    return radius * cos(angle);
}

uint64_t sf_random_below(sf_random *random, uint64_t n)
{
    uint64_t reject = (UINT64_MAX - n + 1) % n; // 2^64 mod n
    uint64_t bits;
    do
        bits = sf_random_bits(random);
    while (bits < reject);
    return bits % n;
}
