/* The registry: adding a claim is one entry here and its program in a claims_*.c file, declared in
 * programs.h. */
#include "paper/claim.h"
#include "paper/programs.h"

#define DEPTH_ONE    "Depth 1: the max-margin direction, whatever the perturbation"
#define L2_DEPTH_TWO "ℓ2-SAM at depth 2: minor features first"

#define FOUNDATIONS "Discrete updates, flows and clocks"

const claim_entry claim_registry[] = {
    {{"T3.1", DEPTH_ONE, "ℓ∞-SAM converges in direction to the ℓ2-max-margin classifier",
      "For depth 1, almost every separable data set, every ρ and every start, ℓ∞-SAM flow converges in "
      "direction to the "
      "ℓ2-max-margin classifier.",
      "Theorem 3.1", SF_NEEDS_NOTHING},
     claim_depth_one_linf},
    {{"T4.1", DEPTH_ONE, "So does ℓ2-SAM",
      "For depth 1 and separable data, ℓ2-SAM flow converges in direction to the ℓ2-max-margin classifier.",
      "Theorem 4.1", SF_NEEDS_NOTHING},
     claim_depth_one_l2},
    {{"T3.1-GD", DEPTH_ONE, "So does GD, the reference",
      "For depth 1 and separable data, gradient flow converges in direction to the ℓ2-max-margin classifier, "
      "with an error that "
      "falls like 1 / log t.",
      "Soudry et al., JMLR 19 (2018), which the paper builds on", SF_NEEDS_NOTHING},
     claim_depth_one_gd},
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
    {{"MECHANISM", L2_DEPTH_TWO, "Without normalization the phenomenon is gone",
      "With the factor 1/‖g‖ removed from the perturbation (unnormalized SAM), nothing collapses, and the "
      "major feature leads "
      "at every time a run reaches, where ℓ2-SAM from the same start relies on the minor feature.",
      "Section 4, discussion of the normalization factor", SF_NEEDS_NOTHING},
     claim_mechanism},
    {{"DISCRETE-FLOW", FOUNDATIONS, "Discrete updates tend to the flow, in first order of the step size",
      "At a fixed time, the discrete iterates of GD and of every SAM variant tend to the flow as η → 0, with "
      "an error "
      "proportional to η.",
      "Setting of the paper; the comparison of its experiments", SF_NEEDS_NOTHING},
     claim_discrete_is_flow},
    {{"CLOCKS", FOUNDATIONS, "The rescaled clock changes the speed, not the path",
      "The flow in the rescaled clock τ, read off where its log t has a given value, is the flow in original "
      "time.",
      "Rescaled flow of the paper, sections 3 and 4", SF_NEEDS_NOTHING},
     claim_clocks},
};
const size_t claim_registry_count = sizeof claim_registry / sizeof claim_registry[0];
