/* The registry: adding a claim is one entry here and its program in a claims_*.c file, declared in
 * programs.h. */
#include "paper/claim.h"
#include "paper/programs.h"

#define DEPTH_ONE    "Depth 1: the max-margin direction, whatever the perturbation"
#define LINF_DEEP    "ℓ∞-SAM at depth 2 and more: the radius is a gate"
#define L2_DEPTH_TWO "ℓ2-SAM at depth 2: minor features first, major ones last"
#define DEPTH        "Depth side by side"
#define NETWORKS     "Real networks"
#define QUESTIONS    "Questions that reviewers asked"
#define MANY         "Many examples"
#define REAL_DATA    "Real data"
#define FOUNDATIONS  "Discrete updates, flows and clocks"
#define BEYOND       "Beyond the paper"

const claim_entry sf_claim_registry[] = {
    {{"T3.1", DEPTH_ONE, "At depth 1, ℓ∞-SAM converges in direction to the ℓ2-max-margin classifier",
      "At depth 1, for almost every separable data set, every ρ and every initialization, the flow of "
      "ℓ∞-SAM converges in direction to the ℓ2-max-margin classifier.",
      "Theorem 3.1", SF_NEEDS_NOTHING},
     sf_claim_depth_one_linf},
    {{"T4.1", DEPTH_ONE, "So does ℓ2-SAM",
      "At depth 1, for separable data, the flow of ℓ2-SAM converges in direction to the ℓ2-max-margin "
      "classifier.",
      "Theorem 4.1", SF_NEEDS_NOTHING},
     sf_claim_depth_one_l2},
    {{"T3.1-GD", DEPTH_ONE, "So does GD, the reference",
      "At depth 1, for separable data, gradient flow converges in direction to the ℓ2-max-margin "
      "classifier, with an error that falls like 1 / log t.",
      "Soudry et al., JMLR 19 (2018)", SF_NEEDS_NOTHING},
     sf_claim_depth_one_gd},
    {{"T3.1-SINGLE", DEPTH_ONE, "On one example, every method of one layer follows the straight line of GD",
      "For a single example μ and depth 1, GD, ℓ2-SAM, ℓ∞-SAM and unnormalized SAM all move along the "
      "same straight line β(0) + s μ, for every ρ and every initialization: at each time, pointwise in τ, "
      "β lies on it.",
      "Theorem 3.1, the case of one example", SF_NEEDS_NOTHING},
     sf_claim_single_example_line},
    {{"T3.2", LINF_DEEP, "Each coordinate meets a gate at ρ",
      "One example μ > 0, equal layers α, depth L ≥ 2, flow of ℓ∞-SAM: a coordinate with α_j < ρ tends to "
      "0 for even L and to ρ^L for odd L, one with α_j = ρ stays where it is, and one with α_j > ρ grows.",
      "Theorem 3.2", SF_NEEDS_NOTHING},
     sf_claim_gates},
    {{"C3.5", LINF_DEEP, "The initialization chooses the limit: 0 or any standard basis vector",
      "If some α_j > ρ, the direction converges to e_j* with j* = argmax of μ_j (α_j − ρ)^{L−2} over α_j "
      "> ρ; if there is none, β → 0 (even L). So for every j there is an initialization that leads to "
      "e_j, and one that leads to 0.",
      "Corollary 3.5", SF_NEEDS_NOTHING},
     sf_claim_choice_of_limit},
    {{"T3.2-FROZEN", LINF_DEEP, "At depth 3 and more, slower coordinates freeze on the way",
      "For L ≥ 3 the first blow-up is already t = ∞, so every other coordinate freezes where it stands "
      "then: short of 0, of ρ^L, or of infinity.",
      "Derived here from the flow of Theorem 3.2; asked in review; the final wording of the paper is not "
      "known to us",
      SF_NEEDS_NOTHING},
     sf_claim_frozen},
    {{"C3.5-TIES", LINF_DEEP, "A tie leads to no basis vector",
      "Where several coordinates attain the maximum in Corollary 3.5, the limit direction is proportional "
      "to (α_j − ρ)² on the tie for L = 2, and to μ_j^{−L/(L−2)} for L ≥ 3.",
      "Derived here from the flow of Theorem 3.2", SF_NEEDS_NOTHING},
     sf_claim_ties},
    {{"T3.2-UNEQUAL", LINF_DEEP, "Unequal layers have a gate of their own",
      "L = 2, μ > 0: from layers of equal sign a coordinate grows if and only if w_1 + w_2 > 2ρ; from (+, "
      "−), with u = w_1 + w_2 > 0 and v = w_1 − w_2, if and only if u (v + 2ρ) > 8ρ².",
      "Derived here; Theorem 3.2 is about equal layers", SF_NEEDS_NOTHING},
     sf_claim_unequal_layers},
    {{"GD-DEPTH", LINF_DEEP,
      "GD, the reference: the major coordinate wins at depth 2, the initialization decides beyond",
      "For one example and equal layers, GD at depth 2 always converges in direction to the major "
      "coordinate; at depth L ≥ 3 to argmax μ_j α_j^{L−2}.",
      "The gate at ρ = 0", SF_NEEDS_NOTHING},
     sf_claim_gd_depth},
    {{"T4.4", L2_DEPTH_TWO, "In time, the predictor relies on minor features first and on the major one last",
      "One example with 0 < μ_1 < … < μ_d, equal layers, L = 2, ℓ2-SAM: the largest coordinate of β moves "
      "from minor to major features as time passes. By the exact reduction one number, τ/B, orders all of "
      "them: j overtakes i when τ/B crosses μ_i + μ_j.",
      "Theme of Theorem 4.4; the times of the hand-overs are ours, from the exact reduction",
      SF_NEEDS_NOTHING},
     sf_claim_order_in_time},
    {{"T4.5", L2_DEPTH_TWO, "As the initialization grows: collapse, minor first, major first",
      "As the initialization scale α grows, ℓ2-SAM at depth 2 goes through three regimes: β collapses to "
      "zero; minor features come first, then major ones; major features lead from the start.",
      "Theorem 4.5; the thresholds are ours, from the exact reduction", SF_NEEDS_NOTHING},
     sf_claim_regimes},
    {{"P4.7", L2_DEPTH_TWO, "On the way, a minor feature exceeds a major one more than tenfold",
      "There are initializations from which a minor coordinate of β exceeds a major one by more than a "
      "factor of 10 on the way. For equal layers the growth rates are d log β_j/dτ = 2 (μ_j − μ_j² ρ/n).",
      "Theme of Proposition 4.7, which bounds growth rates; the factor 10 is that of a summary of the "
      "paper; the exact rates are ours",
      SF_NEEDS_NOTHING},
     sf_claim_peak},
    {{"T4.5-DISCRETE", L2_DEPTH_TWO, "The same three regimes in discrete updates",
      "Depth 2, one example, equal layers α·1: discrete ℓ2-SAM collapses to zero for small α, relies on "
      "the minor feature first for intermediate α, and on the major feature from the start for large α.",
      "Theorem 4.5; the thresholds are ours, from the exact reduction", SF_NEEDS_NOTHING},
     sf_claim_regimes_discrete},
    {{"MECHANISM", L2_DEPTH_TWO, "Without normalization the phenomenon is gone",
      "With the factor 1/‖g‖ removed from the perturbation (unnormalized SAM), nothing collapses, and the "
      "major feature leads at every time a run reaches, where ℓ2-SAM from the same initialization relies "
      "on the minor feature.",
      "Theme of the paper: the factor 1/‖g‖ as the cause; measured here", SF_NEEDS_NOTHING},
     sf_claim_mechanism},
    {{"DEPTH", DEPTH, "One layer: no effect; two and more: gates, and minor features first",
      "From the same initialization on the same example, depth 1 shows no difference between GD and SAM; "
      "from depth 2 on ℓ∞-SAM has gates and ℓ2-SAM relies on minor features first.",
      "Theme of the paper; depths 3 and 4 of ℓ2-SAM are ours", SF_NEEDS_NOTHING},
     sf_claim_depth},
    {{"DISCRETE-FLOW", FOUNDATIONS, "Discrete updates tend to the flow, in first order of the step size",
      "At a fixed time, the discrete iterates of GD and of every SAM variant tend to the flow as η → 0, "
      "with an error proportional to η.",
      "Experiments of the paper compare the two; the order is ours", SF_NEEDS_NOTHING},
     sf_claim_discrete_is_flow},
    {{"CLOCKS", FOUNDATIONS, "The rescaled clock changes the speed, not the path",
      "The flow in the rescaled clock τ, read off where its log t has a given value, is the flow in "
      "original time.",
      "Rescaled flow of the paper", SF_NEEDS_NOTHING},
     sf_claim_clocks},
    {{"RADIUS", FOUNDATIONS, "The perturbation keeps its radius however small the gradient",
      "‖ε‖ = ρ wherever the gradient is not exactly 0, at margins to 700 and gradients to e^{−700}: the "
      "statements on limits are about this perturbation.",
      "Definition of SAM", SF_NEEDS_NOTHING},
     sf_claim_radius},
    {{"T4.2", MANY, "At depth 2, ℓ2-SAM tends to the ℓ1-max-margin direction, as GD does",
      "If the loss of ℓ2-SAM flow at depth 2 tends to 0 and its direction converges, it converges to the "
      "ℓ1-max-margin direction; on one example that is the largest coordinate of μ. (Where the flow "
      "collapses, the loss does not tend to 0 and the direction may converge elsewhere.)",
      "Theorem 4.2, whose assumptions on convergence are stronger", SF_NEEDS_NOTHING},
     sf_claim_limit_l1},
    {{"GAUSSIAN", MANY, "Gaussian classes around ±(1, 2): the same three regimes",
      "With many examples drawn around ±(1, 2), ℓ2-SAM at depth 2 collapses from small initializations, "
      "relies on the minor feature first from intermediate ones, and on the major feature from large "
      "ones; GD relies on the major feature from all of them.",
      "Experiments of the paper with many examples; a reviewer took the data for Gaussian classes, the "
      "paper's own are not known to us",
      SF_NEEDS_NOTHING},
     sf_claim_gaussian},
    {{"MNIST-01", REAL_DATA, "MNIST, 0 against 1: ℓ2-SAM leans on weaker pixels first",
      "GD leans on the strong third of the features from the first step on; ℓ2-SAM first moves weight to "
      "weaker ones and gives it back later.",
      "Experiments of the paper (there on a CNN); here on linear diagonal networks", SF_NEEDS_MNIST},
     sf_claim_mnist_01},
    {{"MNIST-49", REAL_DATA, "MNIST, 4 against 9: the same on a harder pair",
      "As for 0 against 1, on digits that a line hardly separates.",
      "Experiments of the paper (there on a CNN); here on linear diagonal networks", SF_NEEDS_MNIST},
     sf_claim_mnist_49},
    {{"OPTICAL", REAL_DATA, "Pairs of the digits that are part of samflow: the same",
      "On pairs of the optical digits of UCI, ℓ2-SAM takes weight away from the strongest third of the "
      "pixels first and gives it back later; GD never takes it away.",
      "Experiments of the paper, on other data; here on linear diagonal networks", SF_NEEDS_NOTHING},
     sf_claim_optical},
    {{"GOLUB", REAL_DATA, "Gene expression: the same with many more features than examples",
      "As for the digits, on 72 patients with 7,129 genes.", "Ours, on linear diagonal networks",
      SF_NEEDS_GOLUB},
     sf_claim_golub},
    {{"NN-MNIST", NETWORKS, "A CNN on MNIST: ℓ2-SAM keeps more of its map on the background for longer",
      "At the same loss, ℓ2-SAM leaves background pixels, the minor features, a larger share of Grad-CAM "
      "than GD does from the same initialization, at suitable scales; and so it does at the same step "
      "early on. Its share falls later than that of GD; it does not rise above the share of a map that "
      "prefers nothing.",
      "Experiments of the paper on MNIST; sizes, radii and the comparison at the same loss are ours",
      SF_NEEDS_MNIST},
     sf_claim_network_mnist},
    {{"NN-DIGITS", NETWORKS, "The same with all ten digits",
      "As for 0 against 1, with ten classes and the softmax.",
      "Experiments of the paper on MNIST; sizes, radii and the comparison at the same loss are ours",
      SF_NEEDS_MNIST},
     sf_claim_network_digits},
    {{"NN-OPTICAL", NETWORKS, "A CNN on the ten digits that are part of samflow",
      "Trained side by side from the same initialization on the optical digits of UCI, ℓ2-SAM leaves "
      "background pixels a larger share of Grad-CAM than GD does at the step at which GD has learned.",
      "Experiments of the paper on MNIST, on other data; sizes and radius are ours", SF_NEEDS_NOTHING},
     sf_claim_network_optical},
    {{"NN-PATCHES", NETWORKS, "Images with a strong and a faint patch: which one is used, and when",
      "Two patches predict the class, one strong, one faint. At the same loss, ℓ2-SAM at depth 2 leans on "
      "the faint patch more than on the strong one, and more than GD does; depth 1 shows no difference. "
      "Beyond the paper: so do fully connected networks and CNNs.",
      "Theorem 4.4 on the diagonal network; the other networks are a question of the reviewers",
      SF_NEEDS_NOTHING},
     sf_claim_network_patches},
    {{"NN-ACTIVATION", NETWORKS, "What does a ReLU change?",
      "The background share of a CNN on MNIST is larger with ℓ2-SAM than with GD whether its activation "
      "is a ReLU or the identity, at the same step and at the same loss.",
      "Question of the reviewers; measured", SF_NEEDS_MNIST},
     sf_claim_network_activation},
    {{"NN-DEPTH", NETWORKS, "What does depth change in real networks?",
      "A linear classifier of MNIST looks at the same pixels with ℓ2-SAM as with GD; with hidden layers "
      "ℓ2-SAM leaves more on the background at the same step. Beyond that: so it does with one and with "
      "three convolutions, and at the same loss.",
      "Question of the reviewers; depth 1 by Theorem 4.1", SF_NEEDS_MNIST},
     sf_claim_network_depth},
    {{"Q-DEEPER", QUESTIONS, "Does the phenomenon survive at depths 3 and 4?",
      "ℓ2-SAM at depths 3 and 4 relies on the minor feature first from intermediate initializations, and "
      "on the major one from large initializations.",
      "Measured; asked in review; the final wording of the paper is not known to us", SF_NEEDS_NOTHING},
     sf_claim_deeper},
    {{"Q-NEAR", QUESTIONS, "Does the order hold for features of nearly equal strength?",
      "The order minor first, major last holds for every ratio of strengths above 1; the hand-over is "
      "where τ/B = μ_1 + μ_2.",
      "Exact reduction", SF_NEEDS_NOTHING},
     sf_claim_nearly_equal},
    {{"Q-STARTS", QUESTIONS, "Does it hold for layers that are negative or unequal at initialization?",
      "The reduction to one scalar equation, and with it the moving window, holds for any initialization "
      "of the two layers.",
      "Exact reduction", SF_NEEDS_NOTHING},
     sf_claim_any_start},
    {{"Q-RADIUS", QUESTIONS, "Which ρ matter relative to α?",
      "Replacing (θ, ρ) by (cθ, cρ) maps flows on one example at depth 2 onto each other in the rescaled "
      "clock, so only α/ρ matters.",
      "Scale law of the reduction", SF_NEEDS_NOTHING},
     sf_claim_scaling},
    {{"Q-SPECIFIC", QUESTIONS, "Is the order specific to SAM?",
      "GD at depth 2 never raises the ratio minor / major above that of its initialization, equal or not; "
      "ℓ2-SAM does from an equal one.",
      "Closed form of GD at depth 2: the ratio is proportional to e^{−2(μ_2 − μ_1)τ}", SF_NEEDS_NOTHING},
     sf_claim_specific},
    {{"Q-GROWTH", QUESTIONS, "How fast does the loss fall in original time?",
      "At depth 2 the loss of GD falls like 1/(t log t), that of ℓ2-SAM faster: −log F ≈ log t + √2 ρ "
      "√(μ_d m), m the margin.",
      "Asymptotics of the reduction", SF_NEEDS_NOTHING},
     sf_claim_growth},
    {{"Q-COST", QUESTIONS, "Which loss is reached with equally many gradient evaluations?",
      "One step of SAM takes two gradient evaluations, one of GD a single one: on one example at depth 2, "
      "ℓ2-SAM is behind at first where it relies on the minor feature, and ahead of GD from some hundred "
      "evaluations on.",
      "The exact reduction at t = η times the steps; asked in review; the final wording of the paper is "
      "not known to us",
      SF_NEEDS_NOTHING},
     sf_claim_cost},
    {{"T4.2-ONE", BEYOND, "On one example, convergence in direction is a fact and no assumption",
      "One example, L = 2, ℓ2-SAM above the critical scale: B(∞) is finite, so τ/B → ∞ and the direction "
      "converges to the strongest feature.",
      "Derived here; Theorem 4.2 assumes convergence", SF_NEEDS_NOTHING},
     sf_claim_one_example},
    {{"X-LINF-TIME", BEYOND, "ℓ∞-SAM descends faster than 1/t, the more so the deeper the network",
      "One example, equal layers above the gate: −log F − log t ≈ L ρ μ^{1/L} (log t)^{1−1/L} for the "
      "leading feature.",
      "Derived here", SF_NEEDS_NOTHING},
     sf_claim_linf_time},
};
const size_t sf_claim_registry_count = sizeof sf_claim_registry / sizeof sf_claim_registry[0];
