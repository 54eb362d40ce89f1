/* The judges of limits on marks made by hand, so that each rule of verdict/rules.h is met from both sides: what the flow did is
 * known by construction, and how far it is from the candidate and how fast it goes there is the only thing that differs. And what
 * a regime and the extreme features are. */
#include "sam/watch.h"
#include "support.h"
#include "verdict/limit.h"
#include "verdict/regime.h"

enum { D = 3, MARKS = 3 };

/* Three marks a factor e apart in log t; at the last one coordinate 0 has all but `error` / 2 of |beta|_1, the rest is
 * coordinate 1's and falls like (log t)^-rate. margin: smallest, at the last mark; it grows by `growth` an e. */
typedef struct hand {
    sf_track_mark marks[MARKS];
    double direction[MARKS][D], log_beta[MARKS][D], beta[MARKS][D];
    sf_track track;
} hand;

static void make_track(hand *h, sf_context *context, sf_network *network, sf_perturbation perturbation,
                       const double *start, double error, double rate, double margin, double growth)
{
    *h = (hand){.track = {.context = context,
                          .network = network,
                          .perturbation = perturbation,
                          .start = start,
                          .theta = (double *)start,
                          .d = D,
                          .depth = sf_network_depth(network),
                          .norm = SF_NORM_L1,
                          .marks = h->marks,
                          .count = MARKS}};
    for (int i = 0; i < MARKS; i++) {
        double clock = 100.0 * exp(i), e = 0.5 * error * exp(rate * (MARKS - 1 - i)), size = clock;
        double share[D] = {1.0 - e, e, 0.0};
        for (int j = 0; j < D; j++) {
            h->direction[i][j] = share[j];
            h->beta[i][j] = share[j] * size;
            h->log_beta[i][j] = log(share[j] * size);
        }
        h->marks[i] = (sf_track_mark){.clock = clock,
                                      .log_time = clock,
                                      .log_loss = -clock,
                                      .log_norm = log(size),
                                      .min_margin = margin - growth * (MARKS - 1 - i),
                                      .direction = h->direction[i],
                                      .log_beta = h->log_beta[i],
                                      .beta = h->beta[i]};
    }
}

typedef struct setting {
    sf_context *context;
    sf_dataset *dataset;
    sf_network *network;
} setting;

static setting make_setting(size_t n, const double *z, int depth)
{
    setting s = {.context = test_context()};
    assert_ok(s.context, sf_dataset_from_points(s.context, n, D, z, NULL, &s.dataset));
    assert_ok(s.context, sf_network_create(s.context, s.dataset, depth, SF_LOSS_LOGISTIC, &s.network));
    return s;
}

static void release(setting *s)
{
    sf_network_destroy(&s->network);
    sf_dataset_destroy(&s->dataset);
    sf_context_destroy(&s->context);
}

static const double Z[] = {2.0, 1.0, 0.0, 2.0, 0.5, 1.0};
static const double START[2 * D] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5};
static const sf_perturbation L2 = {.method = SF_METHOD_L2, .rho = 0.1};

/* The verdict on two examples, L = 2, whose only l1-max-margin direction is e_0. */
static sf_evidence many(double error, double rate, double margin, double growth, double slowest, bool unique)
{
    setting s = make_setting(2, Z, 2);
    double toward[D] = {1.0, 0.0, 0.0}, direction[D];
    sf_candidate candidate = {.separability = SF_SEPARABLE,
                              .unique = unique,
                              .strict = true,
                              .direction = toward,
                              .slowest = slowest,
                              .support = 1,
                              .index = 0};
    sf_limit_verdict verdict = {.kind = SF_LIMIT_UNKNOWN, .index = -1, .direction = direction};
    hand h;
    make_track(&h, s.context, s.network, L2, START, error, rate, margin, growth);
    assert_ok(s.context, sf_judge_many(&h.track, &candidate, &verdict));
    assert_true((verdict.kind == SF_LIMIT_MAX_MARGIN) == (verdict.evidence == SF_EVIDENCE_CERTIFIED));
    if (verdict.kind == SF_LIMIT_MAX_MARGIN)
        assert_int_equal(verdict.index, 0);
    release(&s);
    return verdict.evidence;
}

static void test_approach(void **state)
{
    (void)state;
    // like 1 / log t, near: certified
    assert_int_equal(many(0.04, 1.0, 50.0, 20.0, 1.0, true), SF_EVIDENCE_CERTIFIED);
    // the same, but still far: it may be on its way elsewhere
    assert_int_equal(many(0.06, 1.0, 50.0, 20.0, 1.0, true), SF_EVIDENCE_UNKNOWN);
    assert_int_equal(many(0.2, 1.0, 50.0, 20.0, 1.0, true), SF_EVIDENCE_UNKNOWN);
    // near, but hardly falling, or rising
    assert_int_equal(many(0.04, 0.4, 50.0, 20.0, 1.0, true), SF_EVIDENCE_UNKNOWN);
    assert_int_equal(many(0.04, -0.5, 50.0, 20.0, 1.0, true), SF_EVIDENCE_UNKNOWN);
    // several max-margin directions
    assert_int_equal(many(0.04, 1.0, 50.0, 20.0, 1.0, false), SF_EVIDENCE_UNKNOWN);
}

/* A coordinate off the support that decays like (log t)^-0.2 has to be seen to do just that. */
static void test_slow_approach(void **state)
{
    (void)state;
    assert_int_equal(many(0.2, 0.2, 50.0, 20.0, 0.2, true), SF_EVIDENCE_CERTIFIED);
    assert_int_equal(many(0.2, 0.17, 50.0, 20.0, 0.2, true), SF_EVIDENCE_UNKNOWN);
    assert_int_equal(many(0.2, 0.23, 50.0, 20.0, 0.2, true), SF_EVIDENCE_UNKNOWN);
    assert_int_equal(many(0.4, 0.2, 50.0, 20.0, 0.2, true), SF_EVIDENCE_UNKNOWN);
}

/* At the candidate, but nothing has moved yet, or margins fall: Theorem 4.2 needs the loss to tend to 0. */
static void test_loss(void **state)
{
    (void)state;
    assert_int_equal(many(1e-12, 1.0, 50.0, 20.0, 1.0, true), SF_EVIDENCE_CERTIFIED);
    assert_int_equal(many(1e-12, 1.0, 1e-9, 1e-10, 1.0, true), SF_EVIDENCE_UNKNOWN);
    assert_int_equal(many(1e-12, 1.0, 9.0, 3.0, 1.0, true), SF_EVIDENCE_UNKNOWN);
    assert_int_equal(many(1e-12, 1.0, 50.0, -1.0, 1.0, true), SF_EVIDENCE_UNKNOWN);
    assert_int_equal(many(NAN, 1.0, 50.0, 20.0, 1.0, true), SF_EVIDENCE_UNKNOWN);
    assert_int_equal(many(0.04, 1.0, NAN, 20.0, 1.0, true), SF_EVIDENCE_UNKNOWN);
}

/* The verdict on one example under lp-SAM, where there is no theorem. */
static sf_limit_verdict single(const double *mu, double error, double rate, double *direction)
{
    setting s = make_setting(1, mu, 2);
    sf_limit_verdict verdict = {.kind = SF_LIMIT_UNKNOWN, .index = -1, .direction = direction};
    hand h;
    make_track(&h, s.context, s.network, (sf_perturbation){.method = SF_METHOD_LP, .rho = 0.5, .p = 1.5},
               START, error, rate, 50.0, 20.0);
    assert_ok(s.context, sf_judge_single(&h.track, mu, &verdict));
    release(&s);
    return verdict;
}

/* At L = 2 coordinate j loses like (log t)^-(1 - mu_j / mu_0) against the leader: half of that is asked for. */
static void test_trend(void **state)
{
    (void)state;
    double direction[D];
    sf_limit_verdict v = single((double[]){2.0, 1.0, 0.5}, 0.05, 0.5, direction);
    assert_int_equal(v.kind, SF_LIMIT_BASIS);
    assert_int_equal(v.index, 0);
    assert_int_equal(v.evidence, SF_EVIDENCE_MEASURED); // never more, as no theorem says that it lasts
    assert_true(direction[0] == 1.0 && direction[1] == 0.0 && direction[2] == 0.0);
    assert_int_equal(single((double[]){2.0, 1.0, 0.5}, 0.05, 0.2, direction).kind,
                     SF_LIMIT_UNKNOWN); // too slow
    assert_int_equal(single((double[]){2.0, 1.0, 0.5}, 0.3, 0.5, direction).kind,
                     SF_LIMIT_UNKNOWN); // not far ahead
    assert_int_equal(single((double[]){2.0, 1.0, 0.5}, 0.05, -0.5, direction).kind,
                     SF_LIMIT_UNKNOWN); // catching up
    // a weaker leader will be overtaken by the one behind, however late
    assert_int_equal(single((double[]){1.0, 2.0, 0.5}, 0.05, 0.5, direction).kind, SF_LIMIT_UNKNOWN);
    assert_int_equal(single((double[]){2.0, 2.0, 0.5}, 0.05, 0.5, direction).kind, SF_LIMIT_UNKNOWN);
}

static void test_regime(void **state)
{
    (void)state;
    double strength[] = {1.0, 1.95, 2.0, 2.0};
    bool grows[] = {true, true, true, true}, weak[] = {true, true, false, false};
    assert_int_equal(sf_regime_of_leaders(4, strength, grows, 2, (size_t[]){0, 2}), SF_REGIME_MINOR_FIRST);
    // a little weaker is weaker
    assert_int_equal(sf_regime_of_leaders(4, strength, grows, 2, (size_t[]){1, 3}), SF_REGIME_MINOR_FIRST);
    assert_int_equal(sf_regime_of_leaders(4, strength, grows, 1, (size_t[]){3}), SF_REGIME_MAJOR_FIRST);
    // of the strongest two either
    assert_int_equal(sf_regime_of_leaders(4, strength, grows, 2, (size_t[]){2, 3}), SF_REGIME_MAJOR_FIRST);
    // the strongest of those that can grow
    assert_int_equal(sf_regime_of_leaders(4, strength, weak, 1, (size_t[]){1}), SF_REGIME_MAJOR_FIRST);
    assert_int_equal(sf_regime_of_leaders(4, strength, weak, 2, (size_t[]){2, 1}), SF_REGIME_MAJOR_FIRST);
    assert_int_equal(sf_regime_of_leaders(4, strength, NULL, 1, (size_t[]){1}), SF_REGIME_MINOR_FIRST);
    assert_int_equal(sf_regime_of_leaders(4, strength, grows, 0, NULL), SF_REGIME_NONE);
}

/* Of equal strengths the first stands for all. */
static void test_extremes(void **state)
{
    (void)state;
    size_t minor, major;
    assert_true(sf_extreme_features(5, (double[]){2.0, 1.0, 3.0, 1.0, 3.0}, &minor, &major));
    assert_int_equal(minor, 1);
    assert_int_equal(major, 2);
    assert_false(sf_extreme_features(3, (double[]){2.0, 2.0, 2.0}, &minor, &major));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_approach), cmocka_unit_test(test_slow_approach),
                                       cmocka_unit_test(test_loss),     cmocka_unit_test(test_trend),
                                       cmocka_unit_test(test_regime),   cmocka_unit_test(test_extremes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
