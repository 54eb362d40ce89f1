#include "verdict/regime.h"

sf_regime sf_regime_of_leaders(size_t d, const double *strength, const bool *grows, size_t count,
                               const size_t *leader)
{
    double strongest = 0.0;
    for (size_t j = 0; j < d; j++)
        if ((!grows || grows[j]) && strength[j] > strongest)
            strongest = strength[j];
    for (size_t i = 0; i < count; i++)
        if (strength[leader[i]] < strongest)
            return SF_REGIME_MINOR_FIRST;
    return count > 0 ? SF_REGIME_MAJOR_FIRST : SF_REGIME_NONE;
}
