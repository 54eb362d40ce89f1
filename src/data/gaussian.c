/* Two Gaussian classes: x_n = y_n mean + std g_n with g_n standard normal in d dimensions; y_n = +1 for the
 * first per_class examples, -1 for the others. Example n draws g_n from stream n of the seed, coordinate 0
 * first, so that it does not depend on the other examples. With `separable`, g_n is drawn again (from the
 * same stream) until <mean, z_n> > 0, which each draw satisfies with probability Phi(||mean||/std) > 1/2.
 */
#include <math.h>

#include "base/base.h"
#include "data/dataset.h"

static sf_status check(sf_context *context, const sf_gaussian *spec, double *largest)
{
    *largest = 0.0;
    if (!spec || !spec->mean)
        return sf_fail(context, SF_ERR_ARGUMENT, "the %s of the Gaussian classes is NULL",
                       spec ? "mean" : "description");
    if (spec->d < 1 || spec->per_class < 1)
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "Gaussian classes of %zu examples with %zu features, expected at least 1",
                       spec->per_class, spec->d);
    if (!(spec->std > 0.0) || !isfinite(spec->std))
        return sf_fail(context, SF_ERR_ARGUMENT, "the standard deviation is %g, expected a number above 0",
                       spec->std);
    if (spec->per_class > SIZE_MAX / 2)
        return sf_fail(context, SF_ERR_MEMORY, "twice %zu examples exceed the address space",
                       spec->per_class);
    for (size_t j = 0; j < spec->d; j++) {
        if (!isfinite(spec->mean[j]))
            return sf_fail(context, SF_ERR_ARGUMENT, "entry %zu of the mean is %g, expected a finite number",
                           j, spec->mean[j]);
        *largest = fmax(*largest, fabs(spec->mean[j]));
    }
    if (spec->separable && *largest == 0.0)
        return sf_fail(context, SF_ERR_ARGUMENT, "the mean is 0, but separable classes need a direction");
    return SF_OK;
}

/* One draw of z = y x into z (d). False if it left the range of a double; *side has the sign of <mean, z>,
 * computed with mean / largest so that it neither overflows nor vanishes. */
static bool draw(const sf_gaussian *spec, int label, double largest, sf_random *random, double *z,
                 double *side)
{
    bool finite = true;
    *side = 0.0;
    for (size_t j = 0; j < spec->d; j++) {
        double x = label * spec->mean[j] + spec->std * sf_random_normal(random);
        z[j] = label * x;
        finite = finite && isfinite(z[j]);
        if (spec->separable)
            *side += spec->mean[j] / largest * z[j];
    }
    return finite && isfinite(*side);
}

sf_status sf_dataset_gaussian(sf_context *context, const sf_gaussian *spec, sf_dataset **out)
{
    SF_OUT(context, out);
    double largest;
    SF_TRY(check(context, spec, &largest));
    sf_dataset *dataset;
    SF_TRY(sf_dataset_create(context, 2 * spec->per_class, spec->d, &dataset));
    for (size_t n = 0; n < dataset->n; n++) {
        sf_random random = sf_random_make(spec->seed, n);
        dataset->labels[n] = n < spec->per_class ? 1 : -1;
        double side;
        do {
            if (!draw(spec, dataset->labels[n], largest, &random, dataset->z + n * spec->d, &side)) {
                sf_dataset_destroy(&dataset);
                return sf_fail(
                    context, SF_ERR_ARGUMENT,
                    "a Gaussian example left the range of a double; expected a smaller mean or std than "
                    "%g and %g",
                    largest, spec->std);
            }
        } while (spec->separable && !(side > 0.0));
    }
    *out = dataset;
    return SF_OK;
}
