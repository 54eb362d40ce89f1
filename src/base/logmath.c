/* Log-domain arithmetic.
 *
 * log(1 + e^x): e^x itself below x = -37 (relative error e^x/2 < 2^-53), x + e^{-x} above 18 (the next term is
 * e^{-2x}/2 < 2^-52), log1p(e^x) between. log(1 - e^x): log(-expm1(x)) near 0, log1p(-e^x) below -log 2
 * (Maechler, "Accurately computing log(1 - exp(-|a|))", 2012).
 */
#include "base/base.h"

#include <math.h>

double sf_log1p_exp(double x)
{
    if (x <= -37.0)
        return exp(x);
    if (x <= 18.0)
        return log1p(exp(x));
    if (x <= 33.3)
        return x + exp(-x);
    return x;
}

double sf_log1m_exp(double x)
{
    return x > -0.6931471805599453 ? log(-expm1(x)) : log1p(-exp(x));
}

double sf_log_add(double a, double b)
{
    double high = a > b ? a : b, low = a > b ? b : a;
    if (isnan(a) || isnan(b))
        return a + b;
    if (isinf(high))
        return high; // both -inf, or one +inf
    return high + log1p(exp(low - high));
}

double sf_log_sum_exp(size_t n, const double *x)
{
    double high = -INFINITY, sum = 0.0;
    for (size_t i = 0; i < n; i++) {
        if (isnan(x[i]))
            return x[i];
        if (x[i] > high)
            high = x[i];
    }
    if (isinf(high))
        return high;
    for (size_t i = 0; i < n; i++)
        sum += exp(x[i] - high);
    return high + log(sum);
}
