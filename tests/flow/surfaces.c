/* linf-SAM of several examples where gradient coordinates are held at 0 (src/flow/modes.c, sides.c): the gradient is 0 there by
 * an independent evaluation, and the path is the one that discrete updates with small steps chatter along. */
#include "rig.h"

/* Largest difference of beta between the flow at log t and discrete updates of step eta until then. */
static double distance_to_updates(const rig *r, sf_context *context, const double *start, double rho,
                                  double time, double eta)
{
    sf_descent *descent = NULL;
    sf_perturbation perturbation = {SF_METHOD_LINF, rho, 0.0};
    assert_ok(context, sf_descent_create(context, r->network, &perturbation, eta, start, &descent));
    assert_ok(context, sf_descent_advance(descent, (uint64_t)llround(time / eta)));
    size_t d = sf_network_features(r->network);
    double beta[8], worst = 0.0;
    sf_network_predictor(r->network, sf_descent_theta(descent), beta);
    for (size_t j = 0; j < d; j++)
        if (!(fabs(beta[j] - r->beta[j]) <= worst))
            worst = fabs(beta[j] - r->beta[j]);
    sf_descent_destroy(&descent);
    return worst;
}

/* One data set on which the coordinates `slides` begin to slide, in this order; the last `held` are still held at the
 * end. */
typedef struct surface_case {
    int depth;
    size_t examples, slide_count, held;
    const double *points, *start;
    const int64_t *slides;
    double tolerance; // of the updates, step 1e-4
} surface_case;

static void check_case(const surface_case *c)
{
    const double rho = 0.5, time = 1.5;
    sf_context *context = test_context();
    rig r = rig_open(context, c->examples, 5, c->points, c->depth, SF_LOSS_LOGISTIC,
                     (sf_perturbation){SF_METHOD_LINF, rho, 0.0}, c->start);
    rig_to_log_time(&r, log(time));
    size_t count, slides = 0;
    const sf_event *events = sf_flow_events(r.flow, &count);
    for (size_t i = 0; i < count; i++)
        if (events[i].kind == SF_EVENT_SLIDING) {
            assert_true(slides < c->slide_count);
            assert_int_equal(events[i].to, c->slides[slides++]);
        }
    assert_int_equal(slides, c->slide_count);
    double field[5], log_scale;
    sf_network_field(r.network, r.beta, field, &log_scale, NULL, NULL);
    for (size_t i = c->slide_count - c->held; i < c->slide_count; i++)
        assert_absolute(field[c->slides[i]], 0.0, 1e-9);
    assert_absolute(distance_to_updates(&r, context, c->start, rho, time, 1e-4), 0.0, c->tolerance);
    rig_close(&r);
}

static void test_one_surface(void **state)
{
    (void)state;
    static const double points[] = {1.44,  -1.19, -1.01, 0.27,  -0.43, 1.3,   1.58, 1.35, -0.26,
                                    -0.08, -0.78, 1.53,  -1.98, 1.27,  2.28,  0.06, 0.73, 0.61,
                                    0.17,  1.32,  -0.12, -1.4,  -0.92, -0.15, 0.16};
    check_case(&(surface_case){1, 5, 1, 1, points, (double[]){-0.12, -0.68, -0.12, -0.12, 0.07},
                               (int64_t[]){2}, 1e-4});
}

static void test_three_surfaces(void **state)
{
    (void)state;
    static const double points[] = {-1.56, 0.24, 0.22, 0.59, 2.21, 2.59, 0.97, -1.4, 1.45, 0.17};
    static const double start[] = {0.88, 0.01, 0.48, 0.2, 0.43, 0.88, 0.01, 0.48, 0.2, 0.43};
    check_case(&(surface_case){2, 2, 3, 0, points, start, (int64_t[]){1, 0, 3}, 1e-4});
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_one_surface),
                                       cmocka_unit_test(test_three_surfaces)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
