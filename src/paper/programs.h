/* The programs of the claims, by file. */
#ifndef SF_PAPER_PROGRAMS_H
#define SF_PAPER_PROGRAMS_H

#include "paper/claim.h"

/* claims_depth_one.c */
sf_status claim_depth_one_gd(sf_outcome *out);
sf_status claim_depth_one_l2(sf_outcome *out);
sf_status claim_depth_one_linf(sf_outcome *out);
sf_status claim_single_example_line(sf_outcome *out);
/* claims_order.c */
sf_status claim_order_in_time(sf_outcome *out);
/* claims_regimes.c */
sf_status claim_regimes(sf_outcome *out);
sf_status claim_regimes_discrete(sf_outcome *out);
/* claims_peak.c */
sf_status claim_peak(sf_outcome *out);
/* claims_gates.c */
sf_status claim_gates(sf_outcome *out);
/* claims_limits.c */
sf_status claim_choice_of_limit(sf_outcome *out);
sf_status claim_gd_depth(sf_outcome *out);
/* claims_borders.c */
sf_status claim_frozen(sf_outcome *out);
sf_status claim_ties(sf_outcome *out);
sf_status claim_unequal_layers(sf_outcome *out);
/* claims_real.c */
sf_status claim_mnist_01(sf_outcome *out);
sf_status claim_mnist_49(sf_outcome *out);
sf_status claim_golub(sf_outcome *out);
sf_status claim_optical(sf_outcome *out);
/* claims_many.c */
sf_status claim_limit_l1(sf_outcome *out);
sf_status claim_gaussian(sf_outcome *out);
/* claims_depth.c */
sf_status claim_depth(sf_outcome *out);
/* claims_questions.c */
sf_status claim_deeper(sf_outcome *out);
sf_status claim_nearly_equal(sf_outcome *out);
sf_status claim_any_start(sf_outcome *out);
sf_status claim_scaling(sf_outcome *out);
sf_status claim_specific(sf_outcome *out);
sf_status claim_growth(sf_outcome *out);
sf_status claim_cost(sf_outcome *out);
/* claims_mechanism.c */
sf_status claim_mechanism(sf_outcome *out);
/* claims_clocks.c */
sf_status claim_discrete_is_flow(sf_outcome *out);
sf_status claim_clocks(sf_outcome *out);
sf_status claim_radius(sf_outcome *out);
/* claims_networks.c */
sf_status claim_network_mnist(sf_outcome *out);
sf_status claim_network_digits(sf_outcome *out);
sf_status claim_network_optical(sf_outcome *out);
sf_status claim_network_patches(sf_outcome *out);
sf_status claim_network_activation(sf_outcome *out);
sf_status claim_network_depth(sf_outcome *out);

#endif
