/* Discrete points as a batch: all points of a block that take as many steps run side by side in SIMD lanes. The rows
 * are what the general way finds, to the rounding of the kernels (batch.h); a trajectory has the same bits whatever
 * the block. */
#include <math.h>
#include <samflow/batch.h>
#include <string.h>

#include "sweep/worker.h"

typedef struct job {
    size_t count, parameters, features;
    const uint64_t *positions;
    uint64_t steps;
    double *theta;    // (count, L*d)
    double *rho;      // (count)
    double *eta;      // (count)
    double *example;  // (count, d), NULL: the data of the network
    double *observed; // (count, times, d)
    double *log_abs;  // (d)
} job;

static sf_status allocate_job(sf_worker *worker, size_t count, job *j)
{
    sf_context *context = worker->context;
    const sf_setup *setup = &worker->setup;
    size_t times = worker->sweep->measure->time_count;
    *j = (job){.features = setup->features, .parameters = setup->layers * setup->features};
    bool examples = setup->example && !sf_dataset_mirrored(sf_experiment_dataset(worker->sweep->first));
    j->theta = SF_ARRAY(context, count * j->parameters, double);
    j->rho = SF_ARRAY(context, count, double);
    j->eta = SF_ARRAY(context, count, double);
    j->example = examples ? SF_ARRAY(context, count * j->features, double) : NULL;
    j->observed = SF_ARRAY(context, count * times * j->features, double);
    j->log_abs = SF_ARRAY(context, j->features, double);
    return j->theta && j->rho && j->eta && (j->example || !examples) && j->observed && j->log_abs
               ? SF_OK
               : SF_ERR_MEMORY;
}

static void release_job(sf_context *context, job *j)
{
    sf_free(context, j->theta);
    sf_free(context, j->rho);
    sf_free(context, j->eta);
    sf_free(context, j->example);
    sf_free(context, j->observed);
    sf_free(context, j->log_abs);
}

static bool valid(const sf_worker *worker)
{
    const sf_setup *setup = &worker->setup;
    size_t steps_axis = 0, axes = worker->sweep->grid->axis_count;
    while (steps_axis < axes && worker->sweep->targets[steps_axis].kind != SF_TARGET_STEPS)
        steps_axis++;
    double steps = steps_axis < axes ? worker->values[steps_axis].number : (double)setup->steps;
    return setup->rho >= 0.0 && setup->step > 0.0 && steps >= 1.0 && steps == floor(steps);
}

static void take_point(job *j, const sf_setup *setup, size_t index)
{
    memcpy(j->theta + index * j->parameters, setup->theta, j->parameters * sizeof *j->theta);
    j->rho[index] = setup->rho;
    j->eta[index] = setup->step;
    if (j->example)
        memcpy(j->example + index * j->features, setup->example, j->features * sizeof *j->example);
}

/* ---- after the run -------------------------------------------------------------------------------------- */

/* log|beta| of theta (L*d), by the layers where beta itself is not a normal number. */
static void log_predictor(const job *j, const double *theta, const double *beta, double *log_abs)
{
    size_t d = j->features;
    for (size_t i = 0; i < d; i++) {
        log_abs[i] = isnormal(beta[i]) ? log(fabs(beta[i])) : 0.0;
        for (size_t k = i; k < j->parameters && !isnormal(beta[i]); k += d)
            log_abs[i] += log(fabs(theta[k]));
    }
}

static void evaluate(const sf_worker *worker, const job *j, size_t index, const double *beta,
                     sf_finding *finding)
{
    if (!j->example) {
        sf_network_evaluate(worker->network, beta, &finding->log_loss, &finding->min_margin);
        return;
    }
    double margin = 0.0;
    for (size_t i = 0; i < j->features; i++)
        margin += beta[i] * j->example[index * j->features + i];
    finding->min_margin = margin;
    finding->log_loss = sf_loss_log(sf_network_loss(worker->network), margin);
}

static sf_status append_point(sf_worker *worker, const job *j, const sf_batch *batch, size_t index,
                              sf_rows *rows)
{
    const sf_measure *measure = worker->sweep->measure;
    double *theta = j->theta + index * j->parameters, *beta = worker->predictor;
    sf_finding finding = sf_finding_make();
    bool diverged = sf_batch_diverged(batch, index);
    sf_batch_theta(batch, index, theta);
    sf_batch_predictor(batch, index, beta);
    log_predictor(j, theta, beta, j->log_abs);
    evaluate(worker, j, index, beta, &finding);
    finding.outcome = sf_run_status_name(diverged ? SF_RUN_DIVERGED : SF_RUN_COMPLETED);
    finding.step = (double)sf_batch_steps(batch, index);
    finding.limit = sf_limit_kind_name(SF_LIMIT_UNKNOWN);
    sf_findings_direction(&worker->findings, beta, j->log_abs, &finding);
    if (diverged) {
        finding.limit = sf_limit_kind_name(SF_LIMIT_UNKNOWN);
        finding.limit_index = -1;
    }
    if (measure->clock) {
        finding.beta = worker->findings.beta;
        memcpy(worker->findings.beta, j->observed + index * measure->time_count * j->features,
               measure->time_count * j->features * sizeof(double));
    }
    sf_grid_values(worker->sweep->grid, j->positions[index], worker->values);
    sf_hash hash = sf_sweep_lean_hash(worker->sweep, worker->values, worker->hashes);
    return sf_worker_append(worker, j->positions[index], &hash, &finding, rows);
}

/* The predictors at the steps asked for, those that a run reaches; then its end. */
static sf_status advance(sf_worker *worker, const job *j, sf_batch *batch)
{
    const sf_measure *measure = worker->sweep->measure;
    for (size_t k = 0; k < measure->time_count; k++) {
        double time = measure->times[k];
        bool reached = time <= (double)j->steps;
        if (reached)
            SF_TRY(sf_batch_advance(batch, (uint64_t)time - sf_batch_step(batch)));
        for (size_t i = 0; i < j->count; i++) {
            double *beta = j->observed + (i * measure->time_count + k) * j->features;
            bool there = reached && sf_batch_steps(batch, i) == (uint64_t)time;
            if (there)
                sf_batch_predictor(batch, i, beta);
            for (size_t f = 0; f < j->features && !there; f++)
                beta[f] = NAN;
        }
    }
    return sf_batch_advance(batch, j->steps - sf_batch_step(batch));
}

static sf_status run_job(sf_worker *worker, const job *j, sf_rows *rows)
{
    if (j->count == 0)
        return SF_OK;
    sf_batch *batch = NULL;
    sf_batch_spec spec = {.count = j->count,
                          .theta = j->theta,
                          .perturbation = sf_experiment_perturbation(worker->sweep->first),
                          .rho = j->rho,
                          .steps = j->eta,
                          .example = j->example,
                          .threads = 1};
    sf_status status = sf_batch_create(worker->context, worker->network, &spec, &batch);
    if (status == SF_OK)
        status = advance(worker, j, batch);
    for (size_t i = 0; i < j->count && status == SF_OK; i++)
        status = append_point(worker, j, batch, i, rows);
    sf_batch_destroy(&batch);
    return status;
}

sf_status sf_worker_batch(sf_worker *worker, size_t count, const uint64_t *positions, sf_rows *rows)
{
    job j;
    sf_status status = allocate_job(worker, count, &j);
    for (size_t i = 0; i < count && status == SF_OK; i++) {
        sf_worker_set(worker, positions[i]);
        bool good = valid(worker);
        if (j.count > 0 && (!good || worker->setup.steps != j.steps)) {
            status = run_job(worker, &j, rows);
            j.count = 0;
            sf_worker_set(worker, positions[i]);
        }
        if (status == SF_OK && !good) {
            status = sf_worker_point(worker, positions[i], rows);
        } else if (status == SF_OK) {
            if (j.count == 0)
                j.positions = positions + i;
            j.steps = worker->setup.steps;
            take_point(&j, &worker->setup, j.count++);
        }
    }
    if (status == SF_OK)
        status = run_job(worker, &j, rows);
    release_job(worker->context, &j);
    return status;
}
