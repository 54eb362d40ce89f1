/* An independent check of max-margin answers, from the raw data alone. */
#ifndef SF_TEST_MARGIN_CHECK_H
#define SF_TEST_MARGIN_CHECK_H

#include "support.h"

/* Asserts that what an sf_margin says is true of the data, to `tolerance`: margins of the direction, feasibility and sign of the
 * multipliers, stationarity, complementary slackness, equal primal and dual values, that the reported residuals are not
 * too small; or that the certificate proves the data not separable. Everything in long double, from sf_dataset_example. */
void test_verify_margin(const sf_dataset *dataset, const sf_margin_options *options, const sf_margin *margin,
                        double tolerance);

#endif
