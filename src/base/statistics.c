/* Confidence interval of a mean, by Student's t distribution.
 *
 * For a whole number v of degrees of freedom P(|T| <= t) is a finite sum in theta = atan(t / sqrt v) (Abramowitz and
 * Stegun 26.7.3, 26.7.4):
 *
 *     v odd    2/pi (theta + sin theta (cos theta + 2/3 cos^3 theta + ... + 2 4 ... (v-3) / (3 5 ... (v-2)) cos^{v-2} theta))
 *     v even   sin theta (1 + 1/2 cos^2 theta + 1 3 / (2 4) cos^4 theta + ... + 1 3 ... (v-3) / (2 4 ... (v-2)) cos^{v-2} theta)
 *
 * It grows with theta on (0, pi/2), so the quantile is found by halving there.
 */
#include <math.h>

#include "base/base.h"

static const double pi = 3.14159265358979323846;

/* P(|T| <= sqrt(v) tan theta). */
static double within(size_t v, double theta)
{
    double c = cos(theta), s = sin(theta), term = v % 2 ? c : 1.0, sum = 0.0;
    for (size_t k = v % 2 ? 1 : 0; k + 2 <= v; k += 2) {
        sum += term;
        term *= (double)(k + 1) / (double)(k + 2) * c * c;
    }
    return v % 2 ? 2.0 / pi * (theta + s * sum) : s * sum;
}

double sf_student_quantile(size_t degrees, double level)
{
    if (degrees < 1 || !(level > 0.0 && level < 1.0))
        return NAN;
    double low = 0.0, high = 0.5 * pi;
    for (int i = 0; i < 200 && low < high; i++) {
        double middle = 0.5 * (low + high);
        if (middle <= low || middle >= high)
            break;
        if (within(degrees, middle) < level)
            low = middle;
        else
            high = middle;
    }
    return sqrt((double)degrees) * tan(0.5 * (low + high));
}

sf_interval sf_mean_interval(size_t n, const double *x, double level)
{
    double mean = 0.0, square = 0.0;
    for (size_t i = 0; i < n; i++)
        mean += x[i];
    mean /= (double)n; // NaN for n = 0
    for (size_t i = 0; i < n; i++)
        square += (x[i] - mean) * (x[i] - mean);
    if (n == 0)
        return (sf_interval){NAN, NAN};
    if (n == 1)
        return (sf_interval){mean, NAN};
    double degrees = (double)(n - 1);
    return (sf_interval){mean, sf_student_quantile(n - 1, level) * sqrt(square / degrees / (double)n)};
}
