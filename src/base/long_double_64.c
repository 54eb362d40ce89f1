/* libm for SAMFLOW_LONG_DOUBLE_64. The compiler then makes long double 64 bits wide, but the expl of the C library still
 * takes 80: these take its place in a statically linked program, and are the functions of double. A function that is
 * missing here gives garbage where it is called, which the tests of its caller show.
 */
#include <math.h>

#define SF_UNARY(name)                                                                                       \
    long double name##l(long double x)                                                                       \
    {                                                                                                        \
        return name((double)x);                                                                              \
    }
#define SF_BINARY(name)                                                                                      \
    long double name##l(long double x, long double y)                                                        \
    {                                                                                                        \
        return name((double)x, (double)y);                                                                   \
    }

SF_UNARY(exp)
SF_UNARY(expm1)
SF_UNARY(fabs)
SF_UNARY(log)
SF_UNARY(log1p)
SF_UNARY(sqrt)
SF_BINARY(copysign)
SF_BINARY(fmax)
SF_BINARY(fmin)
SF_BINARY(hypot)
SF_BINARY(pow)
