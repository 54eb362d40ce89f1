/* The registry: adding a claim is one entry here and its program in a claims_*.c file, declared in
 * programs.h. */
#include "paper/claim.h"
#include "paper/programs.h"

#define DEPTH_ONE    "Depth 1: the max-margin direction, whatever the perturbation"
#define LINF_DEEP    "ℓ∞-SAM at depth 2 and more: the radius is a gate"
#define L2_DEPTH_TWO "ℓ2-SAM at depth 2: minor features first"

#define DEPTH       "Depth side by side"
#define NETWORKS    "Real networks"
#define QUESTIONS   "What readers asked and the paper leaves open"
#define MANY        "Many examples"
#define REAL_DATA   "Real data"
#define FOUNDATIONS "Discrete updates, flows and clocks"

const claim_entry sf_claim_registry[] = {
    {{"T3.1", DEPTH_ONE, "ℓ∞-SAM converges in direction to the ℓ2-max-margin classifier",
      "For depth 1, almost every separable data set, every ρ and every start, ℓ∞-SAM flow converges in "
      "direction to the "
      "ℓ2-max-margin classifier.",
      "Theorem 3.1", SF_NEEDS_NOTHING},
     sf_claim_depth_one_linf},
    {{"T4.1", DEPTH_ONE, "So does ℓ2-SAM",
      "For depth 1 and separable data, ℓ2-SAM flow converges in direction to the ℓ2-max-margin classifier.",
      "Theorem 4.1", SF_NEEDS_NOTHING},
     sf_claim_depth_one_l2},
    {{"T3.1-GD", DEPTH_ONE, "So does GD, the reference",
      "For depth 1 and separable data, gradient flow converges in direction to the ℓ2-max-margin classifier, "
      "with an error that "
      "falls like 1 / log t.",
      "Soudry et al., JMLR 19 (2018), which the paper builds on", SF_NEEDS_NOTHING},
     sf_claim_depth_one_gd},
    {{"T3.1-SINGLE", DEPTH_ONE, "One example, one layer: every method follows the straight line of GD",
      "For a single example μ and depth 1, GD, ℓ2-SAM, ℓ∞-SAM and unnormalized SAM all move along the same "
      "straight "
      "line β(0) + s μ, for every ρ and every start.",
      "Theorem 3.1 and the remark on single examples", SF_NEEDS_NOTHING},
     sf_claim_single_example_line},
    {{"T3.2", LINF_DEEP, "Every coordinate meets a gate at ρ",
      "One example μ > 0, equal layers α, depth L ≥ 2, ℓ∞-SAM flow: a coordinate with α_j < ρ goes to 0 for "
      "even L and to ρ^L "
      "for odd L, one with α_j = ρ stays, one with α_j > ρ grows.",
      "Theorem 3.2", SF_NEEDS_NOTHING},
     sf_claim_gates},
    {{"C3.5", LINF_DEEP, "The start chooses the limit: 0 or any standard basis vector",
      "If some α_j > ρ, the direction converges to e_j* with j* = argmax of μ_j (α_j − ρ)^{L−2} over α_j > "
      "ρ; if none is, β → 0 "
      "(even L). So for every j there is a start that leads to e_j, and one that leads to 0.",
      "Corollary 3.5", SF_NEEDS_NOTHING},
     sf_claim_choice_of_limit},
    {{"T3.2-FROZEN", LINF_DEEP, "Depth 3 and more: slower coordinates freeze on the way",
      "For L ≥ 3 the first blow-up is already t = ∞, so every other coordinate freezes where it stands then: "
      "short of 0, of ρ^L, "
      "or of infinity.",
      "Derived from Theorem 3.2; the paper does not say it", SF_NEEDS_NOTHING},
     sf_claim_frozen},
    {{"C3.5-TIES", LINF_DEEP, "A tie leads to no basis vector",
      "Where several coordinates attain the maximum in Corollary 3.5, the limit direction is proportional to "
      "(α_j − ρ)² on the tie "
      "for L = 2, and to μ_j^{−L/(L−2)} for L ≥ 3.",
      "Derived from Corollary 3.5; the paper does not say it", SF_NEEDS_NOTHING},
     sf_claim_ties},
    {{"T3.2-UNEQUAL", LINF_DEEP, "Unequal layers have a gate of their own",
      "L = 2, μ > 0: from layers of equal sign a coordinate grows iff w_1 + w_2 > 2ρ; from (+, −), with u = "
      "w_1 + w_2 > 0 and v = w_1 "
      "− w_2, iff u (v + 2ρ) > 8ρ².",
      "Derived; the paper assumes equal layers", SF_NEEDS_NOTHING},
     sf_claim_unequal_layers},
    {{"GD-DEPTH", LINF_DEEP, "GD, the reference: the major coordinate at depth 2, the start decides beyond",
      "For one example and equal layers, GD at depth 2 always converges in direction to the major "
      "coordinate; at depth L ≥ 3 to "
      "argmax μ_j α_j^{L−2}.",
      "Section 3, the case ρ = 0", SF_NEEDS_NOTHING},
     sf_claim_gd_depth},
    {{"T4.4", L2_DEPTH_TWO, "In time: the predictor relies on minor features first, on the major one last",
      "One example with 0 < μ_1 < … < μ_d, equal layers, L = 2, ℓ2-SAM: the largest coordinate of β moves "
      "from minor to major features as time "
      "passes. By the exact reduction, one number, τ/B, orders all of them: j follows i when τ/B crosses μ_i "
      "+ μ_j.",
      "Theorem 4.4; switch times from the exact reduction", SF_NEEDS_NOTHING},
     sf_claim_order_in_time},
    {{"T4.5", L2_DEPTH_TWO, "In the scale of the start: collapse, minor first, major first",
      "As the scale α of the start grows, ℓ2-SAM at depth 2 goes through three regimes: β collapses to zero; "
      "minor features first, then "
      "major; major from the start.",
      "Theorem 4.5; thresholds from the exact reduction", SF_NEEDS_NOTHING},
     sf_claim_regimes},
    {{"P4.7", L2_DEPTH_TWO, "On the way minor features exceed major ones more than ten times",
      "There are starts from which a minor coordinate of β exceeds a major one by more than a factor of 10 "
      "on the way.",
      "Proposition 4.7", SF_NEEDS_NOTHING},
     sf_claim_peak},
    {{"T4.5-DISCRETE", L2_DEPTH_TWO, "Three regimes in the scale of the start, in discrete updates",
      "Depth 2, one example, equal layers α·1: ℓ2-SAM collapses to zero for small α, relies on the minor "
      "feature first for "
      "intermediate α, and on the major feature from the start for large α.",
      "Theorem 4.5; thresholds from the exact reduction", SF_NEEDS_NOTHING},
     sf_claim_regimes_discrete},
    {{"MECHANISM", L2_DEPTH_TWO, "Without normalization the phenomenon is gone",
      "With the factor 1/‖g‖ removed from the perturbation (unnormalized SAM), nothing collapses, and the "
      "major feature leads "
      "at every time a run reaches, where ℓ2-SAM from the same start relies on the minor feature.",
      "Section 4, discussion of the normalization factor", SF_NEEDS_NOTHING},
     sf_claim_mechanism},
    {{"DEPTH", DEPTH, "One layer: no effect; two and more: gates and minor features first",
      "From the same start on the same example, depth 1 shows no difference between GD and SAM; from depth 2 "
      "on ℓ∞-SAM has gates and "
      "ℓ2-SAM relies on minor features first.",
      "Figure 1 and sections 3, 4; depth 3 and 4 of ℓ2-SAM are beyond the paper", SF_NEEDS_NOTHING},
     sf_claim_depth},
    {{"DISCRETE-FLOW", FOUNDATIONS, "Discrete updates tend to the flow, in first order of the step size",
      "At a fixed time, the discrete iterates of GD and of every SAM variant tend to the flow as η → 0, with "
      "an error "
      "proportional to η.",
      "Setting of the paper; the comparison of its experiments", SF_NEEDS_NOTHING},
     sf_claim_discrete_is_flow},
    {{"CLOCKS", FOUNDATIONS, "The rescaled clock changes the speed, not the path",
      "The flow in the rescaled clock τ, read off where its log t has a given value, is the flow in original "
      "time.",
      "Rescaled flow of the paper, sections 3 and 4", SF_NEEDS_NOTHING},
     sf_claim_clocks},
    {{"RADIUS", FOUNDATIONS, "The perturbation keeps its radius however small the gradient",
      "‖ε‖ = ρ wherever the gradient is not exactly 0, at margins to 700 and gradients to e^{−700}: the "
      "statements on limits are about "
      "this perturbation.",
      "Definition of SAM, section 2", SF_NEEDS_NOTHING},
     sf_claim_radius},
    {{"T4.2", MANY, "ℓ2-SAM at depth 2 tends to the ℓ1-max-margin, as GD does",
      "If the direction of ℓ2-SAM flow at depth 2 converges, it converges to the ℓ1-max-margin direction; on "
      "one example that is the "
      "largest coordinate of μ.",
      "Theorem 4.2", SF_NEEDS_NOTHING},
     sf_claim_limit_l1},
    {{"GAUSSIAN", MANY, "Gaussian classes around ±(1, 2): the same three regimes",
      "With many examples drawn around ±(1, 2), ℓ2-SAM at depth 2 collapses from small starts, relies on the "
      "minor feature first from "
      "intermediate ones, and on the major feature from large ones; GD relies on the major feature from all.",
      "Section 5, experiments with many examples", SF_NEEDS_NOTHING},
     sf_claim_gaussian},
    {{"MNIST-01", REAL_DATA, "MNIST, 0 against 1: ℓ2-SAM leans on weaker pixels first",
      "GD leans on the strong third of the features from the first step on; ℓ2-SAM first moves weight to "
      "weaker ones and gives it back "
      "later.",
      "Section 5 (there on a convolutional network); theory on linear diagonal networks", SF_NEEDS_MNIST},
     sf_claim_mnist_01},
    {{"MNIST-49", REAL_DATA, "MNIST, 4 against 9: the same on a harder pair",
      "As for 0 against 1, on digits that are hardly separable by a line.",
      "Section 5; theory on linear diagonal networks", SF_NEEDS_MNIST},
     sf_claim_mnist_49},
    {{"OPTICAL", REAL_DATA, "Pairs of the digits that are part of samflow: the same",
      "On pairs of the optical digits of UCI, ℓ2-SAM takes weight away from the strongest third of the "
      "pixels first and "
      "gives it back later; GD never takes it away.",
      "Section 5, on other data; theory on linear diagonal networks", SF_NEEDS_NOTHING},
     sf_claim_optical},
    {{"GOLUB", REAL_DATA, "Gene expression: the same with many more features than examples",
      "As for the digits, on 72 patients with 7,129 genes.", "Theory on linear diagonal networks",
      SF_NEEDS_GOLUB},
     sf_claim_golub},
    {{"NN-MNIST", NETWORKS, "A CNN on MNIST: ℓ2-SAM looks at the background where GD looks at the digit",
      "Trained side by side from the same start, ℓ2-SAM leaves background pixels, the minor features, a "
      "larger share of "
      "Grad-CAM than GD does, early on and at suitable scales of the start. Beyond the paper: it does so at "
      "the same loss.",
      "Section 5, experiment on MNIST; sizes, radii and the comparison at the same loss are ours",
      SF_NEEDS_MNIST},
     sf_claim_network_mnist},
    {{"NN-DIGITS", NETWORKS, "The same with all ten digits",
      "As for 0 against 1, with ten classes and the softmax.",
      "Section 5, experiment on MNIST; sizes, radii and the comparison at the same loss are ours",
      SF_NEEDS_MNIST},
     sf_claim_network_digits},
    {{"NN-OPTICAL", NETWORKS, "A CNN on the ten digits that are part of samflow",
      "Trained side by side from the same start on the optical digits of UCI, ℓ2-SAM leaves background "
      "pixels a "
      "larger share of Grad-CAM than GD does at the step at which GD has learned.",
      "Section 5, experiment on MNIST, on other data; sizes and radius are ours", SF_NEEDS_NOTHING},
     sf_claim_network_optical},
    {{"NN-PATCHES", NETWORKS, "Images with a strong and a faint patch: which one is used, and when",
      "Two patches predict the class, one strong, one faint. At the same loss, ℓ2-SAM at depth 2 leans on "
      "the faint patch "
      "more than on the strong one, and more than GD does; depth 1 shows no difference. Beyond the paper: so "
      "do fully "
      "connected networks and CNNs.",
      "Section 4 on the diagonal network; the other networks are a question of the reviewers",
      SF_NEEDS_NOTHING},
     sf_claim_network_patches},
    {{"NN-ACTIVATION", NETWORKS, "What does a ReLU change?",
      "The background share of a CNN on MNIST is larger with ℓ2-SAM than with GD whether its activation is a "
      "ReLU or the "
      "identity, at the same step and at the same loss.",
      "Question of the reviewers; measured", SF_NEEDS_MNIST},
     sf_claim_network_activation},
    {{"NN-DEPTH", NETWORKS, "What does depth change in real networks?",
      "A linear classifier of MNIST looks at the same pixels with ℓ2-SAM as with GD; with hidden layers "
      "ℓ2-SAM leaves more on "
      "the background at the same step. Beyond that: so it does with one and with three convolutions, and at "
      "the same loss.",
      "Question of the reviewers; depth 1 by Theorem 4.1", SF_NEEDS_MNIST},
     sf_claim_network_depth},
    {{"Q-DEEPER", QUESTIONS, "Does the phenomenon survive at depth 3 and 4?",
      "ℓ2-SAM at depth 3 and 4 relies on the minor feature first from intermediate starts, and on the major "
      "one from large starts.",
      "Open in the paper; measured", SF_NEEDS_NOTHING},
     sf_claim_deeper},
    {{"Q-NEAR", QUESTIONS, "Features of nearly equal strength",
      "The order minor first, major last holds for every ratio of strengths above 1; the switch is where τ/B "
      "= μ_1 + μ_2.",
      "Exact reduction", SF_NEEDS_NOTHING},
     sf_claim_nearly_equal},
    {{"Q-STARTS", QUESTIONS, "Starts with negative or unequal layers",
      "The reduction to one scalar equation, and with it the moving window, holds for any start of the two "
      "layers.",
      "Exact reduction", SF_NEEDS_NOTHING},
     sf_claim_any_start},
    {{"Q-RADIUS", QUESTIONS, "Which ρ matter relative to α",
      "Replacing (θ, ρ) by (cθ, cρ) maps flows on one example at depth 2 onto each other in the rescaled "
      "clock, so only α/ρ matters.",
      "Scale law of the reduction", SF_NEEDS_NOTHING},
     sf_claim_scaling},
    {{"Q-SPECIFIC", QUESTIONS, "Is the order specific to SAM?",
      "GD at depth 2 never raises the ratio minor / major above that of its start, equal or not; ℓ2-SAM does "
      "from an equal start.",
      "Closed form of GD at depth 2: the ratio is proportional to e^{−2(μ_2 − μ_1)τ}", SF_NEEDS_NOTHING},
     sf_claim_specific},
    {{"Q-GROWTH", QUESTIONS, "Growth in original time",
      "At depth 2 the loss of GD falls like 1/(t log t), that of ℓ2-SAM faster: −log F ≈ log t + √2 ρ √(μ_d "
      "m), m the margin.",
      "Asymptotics of the reduction", SF_NEEDS_NOTHING},
     sf_claim_growth},
    {{"Q-COST", QUESTIONS, "Loss at equal gradient evaluations",
      "Two gradient evaluations a step of SAM against one of GD: on one example at depth 2, ℓ2-SAM is behind "
      "at first where it "
      "relies on the minor feature, and ahead of GD from some hundred evaluations on.",
      "Open in the paper; the exact reduction at t = η times the steps", SF_NEEDS_NOTHING},
     sf_claim_cost},
};
const size_t sf_claim_registry_count = sizeof sf_claim_registry / sizeof sf_claim_registry[0];
