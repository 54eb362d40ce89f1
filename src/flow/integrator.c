/* CVODE (Hindmarsh et al., SUNDIALS, ACM TOMS 2005), releases 6 and 7. Its messages go into the context,
 * never to a stream.
 */
#include "flow/integrator.h"

#include <math.h>
#include <string.h>

#include <cvode/cvode.h>
#include <nvector/nvector_serial.h>
#include <sundials/sundials_config.h>
#include <sunlinsol/sunlinsol_dense.h>
#include <sunlinsol/sunlinsol_spgmr.h>
#include <sunmatrix/sunmatrix_dense.h>
#include <sunnonlinsol/sunnonlinsol_fixedpoint.h>

struct flow_integrator {
    sf_context *context;
    flow_problem problem;
    SUNContext sundials;
    void *cvode;
    N_Vector y;
    SUNMatrix matrix;
    SUNLinearSolver linear;
    SUNNonlinearSolver fixed_point;
    bool started;
    double s; // where the last step ended
    int tiny; // steps in a row that were next to nothing
    uint64_t evaluations, steps;
    char reason[200]; // of the last failure, in CVODE's words
};

static const double TINY = 1e-11;
enum { TINY_STEPS = 2000 };

static int right_hand_side(sunrealtype s, N_Vector y, N_Vector dy, void *user)
{
    (void)s;
    flow_integrator *integrator = user;
    integrator->evaluations++;
    if (sf_cancelled(integrator->context))
        return -1; // a single step may take long
    const flow_problem *problem = &integrator->problem;
    return problem->rhs(N_VGetArrayPointer(y), N_VGetArrayPointer(dy), problem->user) ? 0 : 1;
}

static int error_weights(N_Vector y, N_Vector weights, void *user)
{
    const flow_problem *problem = &((flow_integrator *)user)->problem;
    double *w = N_VGetArrayPointer(weights);
    problem->allowance(N_VGetArrayPointer(y), w, problem->user);
    for (size_t i = 0; i < problem->size; i++) {
        if (!(w[i] > 0.0))
            return -1;
        w[i] = 1.0 / w[i];
    }
    return 0;
}

static void keep_reason(flow_integrator *integrator, const char *text)
{
    strncpy(integrator->reason, text, sizeof integrator->reason - 1);
    for (char *c = integrator->reason; *c; c++)
        if (*c == '\n')
            *c = ' ';
}

#if SUNDIALS_VERSION_MAJOR >= 7
static void on_error(int line, const char *function, const char *file, const char *message, SUNErrCode code,
                     void *user, SUNContext sundials)
{
    (void)line, (void)function, (void)file, (void)code, (void)sundials;
    keep_reason(user, message ? message : "");
}

static int listen(flow_integrator *integrator)
{
    SUNContext_ClearErrHandlers(integrator->sundials);
    return SUNContext_PushErrHandler(integrator->sundials, on_error, integrator);
}

static int open_context(SUNContext *sundials)
{
    return SUNContext_Create(SUN_COMM_NULL, sundials);
}
#else
static void on_error(int code, const char *module, const char *function, char *message, void *user)
{
    (void)code, (void)module, (void)function;
    keep_reason(user, message);
}

static int listen(flow_integrator *integrator)
{
    return CVodeSetErrHandlerFn(integrator->cvode, on_error, integrator);
}

static int open_context(SUNContext *sundials)
{
    return SUNContext_Create(NULL, sundials);
}
#endif

/* The Jacobian column by column. */
static int fill_jacobian(sunrealtype s, N_Vector y, N_Vector f, SUNMatrix jacobian, void *user, N_Vector work,
                         N_Vector unused1, N_Vector unused2)
{
    (void)s, (void)f, (void)unused1, (void)unused2;
    const flow_problem *problem = &((flow_integrator *)user)->problem;
    double *unit = N_VGetArrayPointer(work);
    if (!problem->linearize(N_VGetArrayPointer(y), problem->user))
        return 1;
    memset(unit, 0, problem->size * sizeof *unit);
    for (size_t i = 0; i < problem->size; i++) {
        unit[i] = 1.0;
        problem->tangent(unit, SUNDenseMatrix_Column(jacobian, (sunindextype)i), problem->user);
        unit[i] = 0.0;
    }
    return 0;
}

static int prepare_product(sunrealtype s, N_Vector y, N_Vector f, void *user)
{
    (void)s, (void)f;
    const flow_problem *problem = &((flow_integrator *)user)->problem;
    return problem->linearize(N_VGetArrayPointer(y), problem->user) ? 0 : 1;
}

static int product(N_Vector v, N_Vector jv, sunrealtype s, N_Vector y, N_Vector f, void *user, N_Vector work)
{
    (void)s, (void)y, (void)f, (void)work;
    const flow_problem *problem = &((flow_integrator *)user)->problem;
    problem->tangent(N_VGetArrayPointer(v), N_VGetArrayPointer(jv), problem->user);
    return 0;
}

static bool attach_derivative(flow_integrator *integrator)
{
    if (!integrator->problem.tangent)
        return true;
    return integrator->matrix ? CVodeSetJacFn(integrator->cvode, fill_jacobian) == CV_SUCCESS
                              : CVodeSetJacTimes(integrator->cvode, prepare_product, product) == CV_SUCCESS;
}

/* Linear algebra of Newton's method for stiff problems, fixed-point iteration for the others. */
static bool attach_solver(flow_integrator *integrator)
{
    const flow_problem *problem = &integrator->problem;
    sunindextype n = (sunindextype)problem->size;
    if (!problem->stiff) {
        integrator->fixed_point = SUNNonlinSol_FixedPoint(integrator->y, 0, integrator->sundials);
        return integrator->fixed_point &&
               !CVodeSetNonlinearSolver(integrator->cvode, integrator->fixed_point);
    }
    if (problem->size <= FLOW_DENSE) {
        integrator->matrix = SUNDenseMatrix(n, n, integrator->sundials);
        if (!integrator->matrix)
            return false;
        integrator->linear = SUNLinSol_Dense(integrator->y, integrator->matrix, integrator->sundials);
    } else {
        integrator->linear = SUNLinSol_SPGMR(integrator->y, SUN_PREC_NONE, 60, integrator->sundials);
    }
    return integrator->linear &&
           !CVodeSetLinearSolver(integrator->cvode, integrator->linear, integrator->matrix) &&
           attach_derivative(integrator);
}

sf_status sf_flow_integrator_create(sf_context *context, const flow_problem *problem, flow_integrator **out)
{
    *out = NULL;
    flow_integrator *integrator = SF_NEW(context, flow_integrator);
    if (!integrator)
        return SF_ERR_MEMORY;
    integrator->context = context;
    integrator->problem = *problem;
    *out = integrator;
    bool made = open_context(&integrator->sundials) == 0;
    if (made)
        integrator->y = N_VNew_Serial((sunindextype)problem->size, integrator->sundials);
    if (made && integrator->y)
        integrator->cvode = CVodeCreate(problem->stiff ? CV_BDF : CV_ADAMS, integrator->sundials);
    if (!integrator->cvode) {
        sf_flow_integrator_destroy(out);
        return sf_fail(context, SF_ERR_MEMORY, "CVODE could not be set up for %zu unknowns", problem->size);
    }
    return SF_OK;
}

void sf_flow_integrator_destroy(flow_integrator **integrator)
{
    if (!integrator || !*integrator)
        return;
    flow_integrator *it = *integrator;
    CVodeFree(&it->cvode);
    if (it->linear)
        SUNLinSolFree(it->linear);
    if (it->matrix)
        SUNMatDestroy(it->matrix);
    if (it->fixed_point)
        SUNNonlinSolFree(it->fixed_point);
    if (it->y)
        N_VDestroy(it->y);
    SUNContext_Free(&it->sundials);
    sf_free(it->context, it);
    *integrator = NULL;
}

static bool begin(flow_integrator *integrator, double s)
{
    void *cvode = integrator->cvode;
    if (listen(integrator) != 0 || CVodeInit(cvode, right_hand_side, s, integrator->y) != CV_SUCCESS ||
        CVodeSetUserData(cvode, integrator) != CV_SUCCESS ||
        CVodeWFtolerances(cvode, error_weights) != CV_SUCCESS || !attach_solver(integrator))
        return false;
    CVodeSetMaxNumSteps(cvode, -1);
    CVodeSetMaxErrTestFails(cvode, 40);
    CVodeSetMaxConvFails(cvode, 60);
    CVodeSetMaxHnilWarns(cvode, -1);
    return true;
}

sf_status sf_flow_integrator_restart(flow_integrator *integrator, double s, const double *y)
{
    memcpy(N_VGetArrayPointer(integrator->y), y, integrator->problem.size * sizeof *y);
    bool ready = integrator->started ? CVodeReInit(integrator->cvode, s, integrator->y) == CV_SUCCESS
                                     : begin(integrator, s);
    integrator->started = true;
    integrator->s = s;
    if (!ready)
        return sf_fail(integrator->context, SF_ERR_MEMORY, "CVODE could not be started: %s",
                       integrator->reason);
    return SF_OK;
}

sf_status sf_flow_integrator_step(flow_integrator *integrator, double *from, double *to)
{
    void *cvode = integrator->cvode;
    sunrealtype reached, length;
    // in one-step mode the target only gives the scale of the first step: clocks are made so that this is 1
    int flag = CVode(cvode, integrator->s + 1.0 + fabs(integrator->s), integrator->y, &reached, CV_ONE_STEP);
    if (flag < 0 && sf_cancelled(integrator->context))
        return sf_fail(integrator->context, SF_ERR_CANCELLED, "interrupted at s = %.17g", integrator->s);
    if (flag < 0)
        return sf_fail(integrator->context, SF_ERR_NUMERIC, "CVODE gave up: %s", integrator->reason);
    if (CVodeGetLastStep(cvode, &length) != CV_SUCCESS)
        return sf_fail(integrator->context, SF_ERR_INTERNAL, "CVODE does not tell its last step");
    integrator->steps++;
    integrator->tiny = length < TINY * (fabs(reached) + 1.0) ? integrator->tiny + 1 : 0;
    if (integrator->tiny > TINY_STEPS)
        return sf_fail(
            integrator->context, SF_ERR_NUMERIC,
            "the integrator's steps have become too small to go on: the dynamics is not smooth here");
    *to = integrator->s = reached;
    *from = reached - length;
    return SF_OK;
}

void sf_flow_integrator_at(flow_integrator *integrator, double s, double *y)
{
    const flow_problem *problem = &integrator->problem;
    if (CVodeGetDky(integrator->cvode, s, 0, integrator->y) != CV_SUCCESS)
        for (size_t i = 0; i < problem->size; i++)
            y[i] = NAN;
    else
        memcpy(y, N_VGetArrayPointer(integrator->y), problem->size * sizeof *y);
}

void sf_flow_integrator_work(const flow_integrator *integrator, uint64_t *evaluations, uint64_t *steps)
{
    *evaluations = integrator->evaluations;
    *steps = integrator->steps;
}
