/* The programs of the claims, by file. */
#ifndef SF_PAPER_PROGRAMS_H
#define SF_PAPER_PROGRAMS_H

#include "paper/claim.h"

/* claims_depth_one.c */
sf_status claim_single_example_line(sf_outcome *out);
/* claims_l2.c */
sf_status claim_regimes_discrete(sf_outcome *out);

#endif
