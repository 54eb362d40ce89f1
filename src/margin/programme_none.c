/* The l1 programme in a build without an LP library. */
#include "margin/margin.h"

#include "base/base.h"

sf_status sf_programme_solve(const sf_points *points, double factor, sf_basis *basis, bool *solved,
                             double *objective)
{
    (void)factor;
    (void)basis;
    (void)objective;
    *solved = false;
    return sf_fail(
        points->context, SF_ERR_UNAVAILABLE,
        "l1-max-margin classifiers need the LP library Clp; this build was made with SAMFLOW_WITH_CLP=OFF");
}
