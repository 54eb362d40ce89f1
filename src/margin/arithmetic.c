/* Inner products in long double. Four running sums hide the latency of the additions; the order is fixed, so
 * the result does not depend on anything but the data. */
#include "margin/margin.h"

#define SF_DOT(x, y)                                                                                         \
    do {                                                                                                     \
        long double s0 = 0.0L, s1 = 0.0L, s2 = 0.0L, s3 = 0.0L;                                              \
        size_t i = 0;                                                                                        \
        for (; i + 4 <= n; i += 4) {                                                                         \
            s0 += (long double)(x)[i] * (y)[i];                                                              \
            s1 += (long double)(x)[i + 1] * (y)[i + 1];                                                      \
            s2 += (long double)(x)[i + 2] * (y)[i + 2];                                                      \
            s3 += (long double)(x)[i + 3] * (y)[i + 3];                                                      \
        }                                                                                                    \
        for (; i < n; i++)                                                                                   \
            s0 += (long double)(x)[i] * (y)[i];                                                              \
        return (s0 + s1) + (s2 + s3);                                                                        \
    } while (0)

long double sf_dot(size_t n, const double *x, const long double *y)
{
    SF_DOT(x, y);
}

long double sf_dot_double(size_t n, const double *x, const double *y)
{
    SF_DOT(x, y);
}

long double sf_dot_long(size_t n, const long double *x, const long double *y)
{
    SF_DOT(x, y);
}

void sf_add_multiple(size_t n, long double a, const double *x, long double *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] += a * x[i];
}
