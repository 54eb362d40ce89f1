/* The programs of the claims, by file. */
#ifndef SF_PAPER_PROGRAMS_H
#define SF_PAPER_PROGRAMS_H

#include "paper/claim.h"

/* claims_depth_one.c */
sf_status sf_claim_depth_one_gd(sf_outcome *out);
sf_status sf_claim_depth_one_l2(sf_outcome *out);
sf_status sf_claim_depth_one_linf(sf_outcome *out);
sf_status sf_claim_single_example_line(sf_outcome *out);
/* claims_order.c */
sf_status sf_claim_order_in_time(sf_outcome *out);
/* claims_regimes.c */
sf_status sf_claim_regimes(sf_outcome *out);
sf_status sf_claim_regimes_discrete(sf_outcome *out);
/* claims_peak.c */
sf_status sf_claim_peak(sf_outcome *out);
/* claims_gates.c */
sf_status sf_claim_gates(sf_outcome *out);
/* claims_limits.c */
sf_status sf_claim_choice_of_limit(sf_outcome *out);
sf_status sf_claim_gd_depth(sf_outcome *out);
/* claims_borders.c */
sf_status sf_claim_frozen(sf_outcome *out);
sf_status sf_claim_ties(sf_outcome *out);
sf_status sf_claim_unequal_layers(sf_outcome *out);
/* claims_real.c */
sf_status sf_claim_mnist_01(sf_outcome *out);
sf_status sf_claim_mnist_49(sf_outcome *out);
sf_status sf_claim_golub(sf_outcome *out);
sf_status sf_claim_optical(sf_outcome *out);
/* claims_many.c */
sf_status sf_claim_limit_l1(sf_outcome *out);
sf_status sf_claim_gaussian(sf_outcome *out);
/* claims_depth.c */
sf_status sf_claim_depth(sf_outcome *out);
/* claims_questions.c */
sf_status sf_claim_deeper(sf_outcome *out);
sf_status sf_claim_nearly_equal(sf_outcome *out);
sf_status sf_claim_any_start(sf_outcome *out);
sf_status sf_claim_scaling(sf_outcome *out);
sf_status sf_claim_specific(sf_outcome *out);
sf_status sf_claim_growth(sf_outcome *out);
sf_status sf_claim_cost(sf_outcome *out);
/* claims_mechanism.c */
sf_status sf_claim_mechanism(sf_outcome *out);
/* claims_clocks.c */
sf_status sf_claim_discrete_is_flow(sf_outcome *out);
sf_status sf_claim_clocks(sf_outcome *out);
sf_status sf_claim_radius(sf_outcome *out);
/* claims_networks.c */
sf_status sf_claim_network_mnist(sf_outcome *out);
sf_status sf_claim_network_digits(sf_outcome *out);
sf_status sf_claim_network_optical(sf_outcome *out);
sf_status sf_claim_network_patches(sf_outcome *out);
sf_status sf_claim_network_activation(sf_outcome *out);
sf_status sf_claim_network_depth(sf_outcome *out);
/* claims_beyond.c */
sf_status sf_claim_one_example(sf_outcome *out);
sf_status sf_claim_linf_time(sf_outcome *out);

#endif
