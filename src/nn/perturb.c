/* Perturbed parameters. Sums are taken in double, piece by piece of a fixed size and then over the pieces in order, so
 * they do not depend on the number of threads. A double has room for the square of every float, so nothing is divided out
 * first; the exponent that the gradient comes with matters to USAM alone. */
#include "nn/perturb.h"

#include "sam/rule.h"

enum { PIECE = 1 << 13 };

typedef struct sf_perturb_pass {
    sf_rule rule;
    bool adaptive;
    size_t parameters;
    const float *theta, *gradient;
    float *theta_hat;
    double *partial;
} sf_perturb_pass;

static size_t piece_end(const sf_perturb_pass *pass, size_t task)
{
    size_t end = (task + 1) * PIECE;
    return end < pass->parameters ? end : pass->parameters;
}

/* The scale of ASAM at a weight (Kwon et al., ICML 2021, eta = 0.01); 1 for plain SAM. */
static inline double scale_at(bool adaptive, double weight)
{
    return adaptive ? fabs(weight) + 0.01 : 1.0;
}

static void sum_piece(void *argument, size_t task, int worker)
{
    const sf_perturb_pass *pass = argument;
    const sf_rule rule = pass->rule;
    double sum = 0.0;
    (void)worker;
    for (size_t i = task * PIECE; i < piece_end(pass, task); i++)
        sum += sf_rule_term(&rule, scale_at(pass->adaptive, pass->theta[i]) * pass->gradient[i]);
    pass->partial[task] = sum;
}

static void move_piece(void *argument, size_t task, int worker)
{
    const sf_perturb_pass *pass = argument;
    const sf_rule rule = pass->rule;
    double sum = 0.0;
    (void)worker;
    for (size_t i = task * PIECE; i < piece_end(pass, task); i++) {
        double scale = scale_at(pass->adaptive, pass->theta[i]);
        double eps = scale * sf_rule_eps(&rule, scale * pass->gradient[i]);
        sum += sf_rule_applied_term(&rule, eps);
        pass->theta_hat[i] = (float)(pass->theta[i] + eps);
    }
    pass->partial[task] = sum;
}

size_t sf_perturb_partials(size_t parameters)
{
    return (parameters + PIECE - 1) / PIECE;
}

static double over_pieces(sf_pool *pool, sf_perturb_pass *pass, sf_task_fn task)
{
    size_t pieces = sf_perturb_partials(pass->parameters);
    double sum = 0.0;
    sf_pool_run(pool, pieces, task, pass);
    for (size_t i = 0; i < pieces; i++)
        sum += pass->partial[i];
    return sum;
}

double sf_nn_perturb(sf_pool *pool, const sf_perturbation *perturbation, bool adaptive, size_t parameters,
                     const float *theta, const float *gradient, int exponent, double *partial,
                     float *theta_hat)
{
    sf_perturb_pass pass = {
        .rule = {.method = perturbation->method, .factor = perturbation->rho, .high = 1.0},
        .adaptive = adaptive,
        .parameters = parameters,
        .theta = theta,
        .gradient = gradient,
        .theta_hat = theta_hat,
        .partial = partial};
    if (pass.rule.method == SF_METHOD_USAM)
        pass.rule.factor = ldexp(pass.rule.factor, exponent);
    if (pass.rule.method == SF_METHOD_L2) {
        double sum = over_pieces(pool, &pass, sum_piece);
        sf_rule_close(&pass.rule, sum);
        if (sum == 0.0)
            pass.rule.method = SF_METHOD_GD; // a gradient of 0 leaves theta where it is
    }
    return sf_rule_applied(&pass.rule, over_pieces(pool, &pass, move_piece));
}
