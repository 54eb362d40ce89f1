/* What the tests of margin/ share. */
#ifndef SF_TEST_MARGIN_COMMON_H
#define SF_TEST_MARGIN_COMMON_H

#include "margin_check.h"

static inline sf_dataset *dataset_of(sf_context *context, size_t n, size_t d, const double *z)
{
    sf_dataset *dataset = NULL;
    assert_ok(context, sf_dataset_from_points(context, n, d, z, NULL, &dataset));
    return dataset;
}

/* Solves and verifies; a build without an LP library skips the test. */
static inline sf_margin *solved(sf_context *context, const sf_dataset *dataset, sf_margin_options options,
                                double tolerance)
{
    sf_margin *margin = NULL;
    sf_status status = sf_margin_solve(context, dataset, &options, &margin);
    if (status == SF_ERR_UNAVAILABLE && options.norm == SF_NORM_L1) {
        print_message("skipped: built without an LP library\n");
        skip();
    }
    assert_ok(context, status);
    test_verify_margin(dataset, &options, margin, tolerance);
    return margin;
}

#endif
