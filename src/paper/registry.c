/* The registry: adding a claim is one entry here and its program in a claims_*.c file, declared in
 * programs.h. */
#include "paper/claim.h"
#include "paper/programs.h"

#define DEPTH_ONE    "Depth 1: the max-margin direction, whatever the perturbation"
#define L2_DEPTH_TWO "ℓ2-SAM at depth 2: minor features first"

const claim_entry claim_registry[] = {
    {{"T3.1-single", DEPTH_ONE, "One example, one layer: every method follows the straight line of GD",
      "For a single example μ and depth 1, GD, ℓ2-SAM, ℓ∞-SAM and unnormalized SAM all move along the same "
      "straight "
      "line β(0) + s μ, for every ρ and every start.",
      "Theorem 3.1 and the remark on single examples", SF_NEEDS_NOTHING},
     claim_single_example_line},
    {{"T4.5-discrete", L2_DEPTH_TWO, "Three regimes in the scale of the start, in discrete updates",
      "Depth 2, one example, equal layers α·1: ℓ2-SAM collapses to zero for small α, relies on the minor "
      "feature first for "
      "intermediate α, and on the major feature from the start for large α.",
      "Theorem 4.5; thresholds from the exact reduction", SF_NEEDS_NOTHING},
     claim_regimes_discrete},
};
const size_t claim_registry_count = sizeof claim_registry / sizeof claim_registry[0];
