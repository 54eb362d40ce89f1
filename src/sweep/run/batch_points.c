/* Discrete points as a batch: all points of a block that take as many steps run side by side in SIMD lanes. The rows
 * are what the general way finds, to the rounding of the kernels (batch.h); a trajectory has the same bits whatever
 * the block. */
#include <math.h>
#include <samflow/batch.h>
#include <string.h>

#include "sweep/run/worker.h"

typedef struct job {
    size_t count, parameters, features;
    uint64_t *positions; // (count)
    sf_hash *hashes;     // (count)
    uint64_t steps;
    double *theta;         // (count, L*d)
    double *rho;           // (count)
    double *eta;           // (count)
    double *example;       // (count, d), NULL: the data of the network
    double *observed;      // (count, times, d)
    double *log_abs;       // (d)
    size_t *minor, *major; // (count) weakest and strongest feature, where the order is asked for
    sf_event *events;      // changes of the leader of one point
    size_t event_room;
    bool ranked; // the strengths of the data of the network are in the findings
} job;

/* Of the frame that was entered. */
static sf_experiment *experiment_of(const sf_worker *worker)
{
    return worker->probe.frame->experiment;
}

static sf_network *network_of(const sf_worker *worker)
{
    return sf_experiment_network(experiment_of(worker));
}

static sf_status allocate_job(sf_worker *worker, size_t count, job *j)
{
    sf_context *context = worker->context;
    const sf_numbers *numbers = &worker->probe.numbers;
    size_t times = worker->sweep->measure->time_count;
    *j = (job){.features = numbers->features, .parameters = numbers->layers * numbers->features};
    bool examples = numbers->example && !sf_dataset_mirrored(sf_experiment_dataset(experiment_of(worker)));
    j->positions = SF_ARRAY(context, count, uint64_t);
    j->hashes = SF_ARRAY(context, count, sf_hash);
    j->theta = SF_ARRAY(context, count * j->parameters, double);
    j->rho = SF_ARRAY(context, count, double);
    j->eta = SF_ARRAY(context, count, double);
    j->example = examples ? SF_ARRAY(context, count * j->features, double) : NULL;
    j->observed = SF_ARRAY(context, count * times * j->features, double);
    j->log_abs = SF_ARRAY(context, j->features, double);
    j->minor = SF_ARRAY(context, count, size_t);
    j->major = SF_ARRAY(context, count, size_t);
    return j->positions && j->hashes && j->theta && j->rho && j->eta && (j->example || !examples) &&
                   j->observed && j->log_abs && j->minor && j->major
               ? SF_OK
               : SF_ERR_MEMORY;
}

static void release_job(sf_context *context, job *j)
{
    sf_free(context, j->positions);
    sf_free(context, j->hashes);
    sf_free(context, j->theta);
    sf_free(context, j->rho);
    sf_free(context, j->eta);
    sf_free(context, j->example);
    sf_free(context, j->observed);
    sf_free(context, j->log_abs);
    sf_free(context, j->minor);
    sf_free(context, j->major);
    sf_free(context, j->events);
}

static void take_point(job *j, const sf_probe *probe, uint64_t position)
{
    const sf_numbers *numbers = &probe->numbers;
    size_t index = j->count++;
    j->positions[index] = position;
    j->hashes[index] = sf_point_identity(&probe->point, &probe->frame->content);
    j->steps = numbers->steps;
    memcpy(j->theta + index * j->parameters, numbers->theta, j->parameters * sizeof *j->theta);
    j->rho[index] = numbers->rho;
    j->eta[index] = numbers->step;
    if (j->example)
        memcpy(j->example + index * j->features, numbers->example, j->features * sizeof *j->example);
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
        sf_network_evaluate(network_of(worker), beta, &finding->log_loss, &finding->min_margin);
        return;
    }
    double margin = 0.0;
    for (size_t i = 0; i < j->features; i++)
        margin += beta[i] * j->example[index * j->features + i];
    finding->min_margin = margin;
    finding->log_loss = sf_loss_log(sf_network_loss(network_of(worker)), margin);
}

/* The strengths of a point's features, weakest and strongest, into the findings. */
static void rank_point(sf_worker *worker, job *j, size_t index)
{
    double *strength = worker->findings.strength;
    if (j->ranked)
        return;
    j->ranked = !j->example;
    for (size_t f = 0; j->example && f < j->features; f++)
        strength[f] = fabs(j->example[index * j->features + f]);
    if (!j->example)
        sf_dataset_strengths(sf_experiment_dataset(experiment_of(worker)), strength);
    sf_findings_rank(&worker->findings);
}

/* The changes of the leader as events. */
static sf_status list_events(sf_worker *worker, job *j, const sf_batch *batch, size_t index, size_t *count)
{
    const sf_batch_lead *lead = sf_batch_leads(batch, index, count);
    if (*count > j->event_room) {
        sf_event *events = sf_resize(worker->context, j->events, 2 * *count, sizeof *events);
        if (!events)
            return SF_ERR_MEMORY;
        j->events = events;
        j->event_room = 2 * *count;
    }
    for (size_t i = 0; i < *count; i++)
        j->events[i] = (sf_event){.kind = SF_EVENT_DOMINANCE,
                                  .from = (int64_t)lead[i].from,
                                  .to = (int64_t)lead[i].to,
                                  .step = (double)lead[i].step,
                                  .tau = NAN,
                                  .log_time = NAN,
                                  .log_loss = NAN};
    return SF_OK;
}

/* What theory says of the flow from the start of a point; it fails as a point does that is run by itself. */
static sf_status predict_point(sf_worker *worker, const job *j, size_t index, sf_finding *finding)
{
    sf_perturbation perturbation = sf_experiment_perturbation(experiment_of(worker));
    perturbation.rho = j->rho[index];
    const double *start = j->theta + index * j->parameters;
    if (!j->example)
        return sf_findings_predict(&worker->findings, network_of(worker), &perturbation, start, false,
                                   finding);
    sf_dataset *dataset = NULL;
    sf_network *network = NULL;
    sf_status status = sf_dataset_from_points(worker->context, 1, j->features,
                                              j->example + index * j->features, NULL, &dataset);
    if (status == SF_OK)
        status = sf_network_create(worker->context, dataset, sf_network_depth(network_of(worker)),
                                   sf_network_loss(network_of(worker)), &network);
    if (status == SF_OK)
        status = sf_findings_predict(&worker->findings, network, &perturbation, start, false, finding);
    sf_network_destroy(&network);
    sf_dataset_destroy(&dataset);
    return status;
}

static sf_status measure_point(sf_worker *worker, job *j, const sf_batch *batch, size_t index,
                               sf_finding *finding)
{
    const sf_measure *measure = worker->sweep->measure;
    double *theta = j->theta + index * j->parameters, *beta = worker->predictor;
    sf_ending ending = {.status = sf_batch_diverged(batch, index) ? SF_RUN_DIVERGED : SF_RUN_COMPLETED,
                        .beta = beta,
                        .log_abs = j->log_abs,
                        .log_peak_ratio = sf_batch_log_excess(batch, index)};
    sf_batch_theta(batch, index, theta);
    sf_batch_predictor(batch, index, beta);
    log_predictor(j, theta, beta, j->log_abs);
    evaluate(worker, j, index, beta, finding);
    finding->step = (double)sf_batch_steps(batch, index);
    rank_point(worker, j, index);
    sf_perturbation perturbation = sf_experiment_perturbation(experiment_of(worker));
    perturbation.rho = j->rho[index];
    ending.collapsed =
        ending.status == SF_RUN_COMPLETED &&
        sf_findings_chatter(&worker->findings, &perturbation, j->eta[index],
                            sf_network_loss(network_of(worker)), sf_network_depth(network_of(worker)), theta);
    SF_TRY(list_events(worker, j, batch, index, &ending.event_count));
    ending.events = j->events;
    SF_TRY(sf_findings_conclude(&worker->findings, &ending, finding));
    if (measure->clock) {
        finding->beta = worker->findings.beta;
        memcpy(worker->findings.beta, j->observed + index * measure->time_count * j->features,
               measure->time_count * j->features * sizeof(double));
    }
    return SF_OK;
}

static sf_status append_point(sf_worker *worker, job *j, const sf_batch *batch, size_t index, sf_rows *rows)
{
    sf_finding finding = sf_finding_make();
    sf_status status = SF_OK;
    if (worker->sweep->measure->needs & SF_NEED_THEORY)
        status = predict_point(worker, j, index, &finding);
    if (status == SF_ERR_MEMORY || status == SF_ERR_CANCELLED)
        return status;
    if (status != SF_OK)
        return sf_worker_point(worker, j->positions[index], rows); // says why
    SF_TRY(measure_point(worker, j, batch, index, &finding));
    sf_row row = {.position = j->positions[index], .hash = j->hashes[index]};
    return sf_worker_append(worker, &row, &finding, rows);
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

/* As much of the way as the observables are about. */
static sf_status watch(sf_worker *worker, job *j, sf_batch *batch)
{
    unsigned needs = worker->sweep->measure->needs;
    if (!(needs & (SF_NEED_REGIME | SF_NEED_ORDER)))
        return SF_OK;
    for (size_t i = 0; i < j->count; i++) {
        rank_point(worker, j, i);
        j->minor[i] = worker->findings.minor;
        j->major[i] = worker->findings.major;
    }
    bool ratios = needs & SF_NEED_ORDER;
    return sf_batch_watch(batch, ratios ? j->minor : NULL, ratios ? j->major : NULL);
}

static sf_status run_job(sf_worker *worker, job *j, sf_rows *rows)
{
    if (j->count == 0)
        return SF_OK;
    sf_batch *batch = NULL;
    sf_batch_spec spec = {.size = sizeof(sf_batch_spec),
                          .count = j->count,
                          .theta = j->theta,
                          .perturbation = sf_experiment_perturbation(experiment_of(worker)),
                          .rho = j->rho,
                          .steps = j->eta,
                          .example = j->example,
                          .threads = 1};
    sf_status status = sf_batch_create(worker->context, network_of(worker), &spec, &batch);
    if (status == SF_OK)
        status = watch(worker, j, batch);
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
        sf_status set = sf_probe_move(&worker->probe, positions[i]);
        bool end = set != SF_OK || worker->probe.numbers.steps != j.steps;
        if (end && j.count > 0) {
            status = run_job(worker, &j, rows);
            j.count = 0;
            if (status == SF_OK)
                set = sf_probe_move(&worker->probe, positions[i]); // what fails in a job is set by itself
        }
        if (status == SF_OK && set == SF_OK)
            take_point(&j, &worker->probe, positions[i]);
        else if (status == SF_OK)
            status = set == SF_ERR_MEMORY ? set : sf_worker_point(worker, positions[i], rows);
    }
    if (status == SF_OK)
        status = run_job(worker, &j, rows);
    release_job(worker->context, &j);
    return status;
}
