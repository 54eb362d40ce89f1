/* Training: theta <- theta - eta v, v = momentum v + g + weight_decay theta, where g is the gradient of the batch at the
 * perturbed parameters theta + eps(theta).
 *
 * m-SAM (Foret et al., ICLR 2021, section 4.1) cuts the batch into shards of m images and perturbs each by its own gradient;
 * g is the mean of what they see. Epoch e goes through the images in the order of a permutation drawn from stream e of the
 * seed, so a run can be taken up anywhere.
 */
#include "nn/trainer.h"

#include <math.h>
#include <string.h>

#include "nn/perturb.h"

/* ---- creation --------------------------------------------------------------------------------------------- */

static sf_status check_spec(sf_context *context, const sf_training *spec)
{
    const sf_perturbation *perturbation = &spec->perturbation;
    SF_TRY(sf_perturbation_check(context, perturbation));
    if (perturbation->method == SF_METHOD_LP)
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "method lp-sam is not there for training, expected gd, l2-sam, linf-sam or usam");
    if (spec->adaptive && perturbation->method != SF_METHOD_L2)
        return sf_fail(context, SF_ERR_ARGUMENT, "adaptive: expected only with l2-sam (then it is ASAM)");
    if (!(spec->rate > 0.0) || !isfinite(spec->rate))
        return sf_fail(context, SF_ERR_ARGUMENT, "rate: found %g, expected a finite number > 0", spec->rate);
    if (!(spec->momentum >= 0.0 && spec->momentum < 1.0))
        return sf_fail(context, SF_ERR_ARGUMENT, "momentum: found %g, expected a number in [0, 1)",
                       spec->momentum);
    if (!(spec->weight_decay >= 0.0) || !isfinite(spec->weight_decay))
        return sf_fail(context, SF_ERR_ARGUMENT, "weight_decay: found %g, expected a finite number >= 0",
                       spec->weight_decay);
    return SF_OK;
}

static sf_status check_images(sf_context *context, const sf_nn *nn, const sf_images *images)
{
    sf_image_shape have = sf_images_shape(images), want = nn->spec.input;
    if (have.channels != want.channels || have.height != want.height || have.width != want.width)
        return sf_fail(context, SF_ERR_ARGUMENT,
                       "images of %zu x %zu x %zu, expected %zu x %zu x %zu as the network has",
                       have.channels, have.height, have.width, want.channels, want.height, want.width);
    if (sf_images_classes(images) != nn->spec.classes)
        return sf_fail(context, SF_ERR_ARGUMENT, "images of %zu classes, expected %zu as the network has",
                       sf_images_classes(images), nn->spec.classes);
    return SF_OK;
}

static bool perturbs(const sf_training *spec)
{
    return sf_perturbs(&spec->perturbation);
}

/* Images of a step, at most. */
static size_t batch_size(const sf_trainer *trainer)
{
    size_t n = sf_images_count(trainer->images), batch = trainer->spec.batch;
    return batch == 0 || batch > n ? n : batch;
}

static size_t shard_size(const sf_trainer *trainer, size_t batch)
{
    size_t shard = trainer->spec.shard;
    return perturbs(&trainer->spec) && shard > 0 && shard < batch ? shard : batch;
}

static sf_status allocate(sf_trainer *trainer)
{
    sf_context *context = trainer->context;
    size_t parameters = sf_nn_parameters(trainer->nn), batch = batch_size(trainer);
    trainer->order = SF_ARRAY(context, sf_images_count(trainer->images), size_t);
    trainer->gradient = SF_ARRAY(context, parameters, float);
    trainer->theta_hat = SF_ARRAY(context, parameters, float);
    trainer->partial = SF_ARRAY(context, sf_perturb_partials(parameters), double);
    if (!trainer->order || !trainer->gradient || !trainer->theta_hat || !trainer->partial)
        return SF_ERR_MEMORY;
    if (shard_size(trainer, batch) < batch && !(trainer->total = SF_ARRAY(context, parameters, float)))
        return SF_ERR_MEMORY;
    if (trainer->spec.momentum > 0.0 &&
        !(trainer->velocity = (float *)sf_alloc_zero(context, parameters, sizeof(float))))
        return SF_ERR_MEMORY;
    return SF_OK;
}

sf_status sf_trainer_create(sf_context *context, sf_nn *nn, const sf_images *images, const sf_training *spec,
                            sf_trainer **out)
{
    SF_OUT(context, out);
    SF_TRY(check_spec(context, spec));
    SF_TRY(check_images(context, nn, images));
    sf_trainer *trainer = SF_NEW(context, sf_trainer);
    if (!trainer)
        return SF_ERR_MEMORY;
    trainer->context = context;
    trainer->nn = nn;
    trainer->images = images;
    trainer->spec = *spec;
    trainer->state.loss = trainer->state.accuracy = trainer->state.applied_norm = NAN;
    sf_status status = allocate(trainer);
    if (status == SF_OK)
        *out = trainer;
    else
        sf_trainer_destroy(&trainer);
    return status;
}

void sf_trainer_destroy(sf_trainer **trainer)
{
    if (!trainer || !*trainer)
        return;
    sf_trainer *dead = *trainer;
    sf_context *context = dead->context;
    sf_free(context, dead->order);
    sf_free(context, dead->gradient);
    sf_free(context, dead->theta_hat);
    sf_free(context, dead->total);
    sf_free(context, dead->velocity);
    sf_free(context, dead->partial);
    sf_free(context, dead->record);
    sf_free(context, dead);
    *trainer = NULL;
}

sf_training_state sf_trainer_state(const sf_trainer *trainer)
{
    return trainer->state;
}

sf_status sf_trainer_reserve_records(sf_trainer *trainer, size_t count)
{
    if (count <= trainer->records_room)
        return SF_OK;
    size_t room = count < 64 ? 64 : 2 * count;
    sf_training_record *record =
        (sf_training_record *)sf_resize(trainer->context, trainer->record, room, sizeof *record);
    if (!record)
        return SF_ERR_MEMORY;
    trainer->record = record;
    trainer->records_room = room;
    return SF_OK;
}

sf_status sf_trainer_record(sf_trainer *trainer, const sf_training_record *record)
{
    SF_TRY(sf_trainer_reserve_records(trainer, trainer->records + 1));
    trainer->record[trainer->records++] = *record;
    return SF_OK;
}

const sf_training_record *sf_trainer_records(const sf_trainer *trainer, size_t *count)
{
    *count = trainer->records;
    return trainer->record;
}

/* ---- a step ----------------------------------------------------------------------------------------------- */

/* The order of the epoch: that of the data where all images are used at once. */
static void draw_order(sf_trainer *trainer)
{
    size_t n = sf_images_count(trainer->images);
    if (trainer->ordered == trainer->state.epoch + 1)
        return;
    for (size_t i = 0; i < n; i++)
        trainer->order[i] = i;
    if (batch_size(trainer) < n) {
        sf_random random = sf_random_make(trainer->spec.seed, trainer->state.epoch);
        for (size_t i = n; i > 1; i--) {
            size_t j = (size_t)sf_random_below(&random, i), kept = trainer->order[i - 1];
            trainer->order[i - 1] = trainer->order[j];
            trainer->order[j] = kept;
        }
    }
    trainer->ordered = trainer->state.epoch + 1;
}

/* The gradient that the shard [first, first + n) of the epoch contributes to a batch: trainer->gradient times
 * 2^found->exponent; loss and right of *found are those at theta. */
static sf_status shard_gradient(sf_trainer *trainer, size_t first, size_t n, size_t batch,
                                sf_nn_outcome *found, double *applied)
{
    sf_nn *nn = trainer->nn;
    sf_nn_batch images = {.n = n,
                          .images = sf_images_pixels(trainer->images),
                          .labels = sf_images_labels(trainer->images),
                          .order = trainer->order + first};
    bool moved = perturbs(&trainer->spec);
    double weight = 1.0 / (double)(moved ? n : batch);
    SF_TRY(sf_nn_batch_gradient(nn, NULL, &images, weight, trainer->gradient, found));
    trainer->state.gradients += n;
    *applied = 0.0;
    if (!moved)
        return SF_OK;
    *applied =
        sf_nn_perturb(nn->pool, &trainer->spec.perturbation, trainer->spec.adaptive, nn->layout.parameters,
                      nn->theta, trainer->gradient, found->exponent, trainer->partial, trainer->theta_hat);
    trainer->state.gradients += n;
    sf_nn_outcome there;
    SF_TRY(sf_nn_batch_gradient(nn, trainer->theta_hat, &images, 1.0 / (double)batch, trainer->gradient,
                                &there));
    found->exponent = there.exponent;
    return SF_OK;
}

enum { PIECE = 1 << 13 };

typedef struct sf_update {
    sf_trainer *trainer;
    const float *gradient;
    float factor; // of the gradient
    size_t parameters;
} sf_update;

static size_t piece_end(const sf_update *update, size_t task)
{
    size_t end = (task + 1) * PIECE;
    return end < update->parameters ? end : update->parameters;
}

static void add_shard_piece(void *argument, size_t task, int worker)
{
    const sf_update *update = argument;
    float *total = update->trainer->total;
    (void)worker;
    for (size_t i = task * PIECE; i < piece_end(update, task); i++)
        total[i] += update->factor * update->gradient[i];
}

/* The next theta into theta_hat; partial: whether the piece is finite (0) or not (NaN). */
static void update_piece(void *argument, size_t task, int worker)
{
    const sf_update *update = argument;
    const sf_trainer *trainer = update->trainer;
    const float *theta = trainer->nn->theta;
    float *velocity = trainer->velocity, strange = 0.0f;
    float rate = (float)trainer->spec.rate, momentum = (float)trainer->spec.momentum,
          decay = (float)trainer->spec.weight_decay;
    (void)worker;
    for (size_t i = task * PIECE; i < piece_end(update, task); i++) {
        float step = update->factor * update->gradient[i];
        if (decay > 0.0f)
            step += decay * theta[i];
        if (velocity)
            step = velocity[i] = momentum * velocity[i] + step;
        float next = theta[i] - rate * step;
        strange += next * 0.0f;
        trainer->theta_hat[i] = next;
    }
    trainer->partial[task] = strange;
}

static void over_pieces(sf_update *update, sf_task_fn task)
{
    sf_pool_run(update->trainer->nn->pool, (update->parameters + PIECE - 1) / PIECE, task, update);
}

/* False if theta left the finite numbers; it is then as before. */
static bool update_theta(sf_trainer *trainer, const float *gradient, int exponent)
{
    size_t parameters = sf_nn_parameters(trainer->nn);
    sf_update update = {trainer, gradient, ldexpf(1.0f, exponent), parameters};
    double strange = 0.0;
    over_pieces(&update, update_piece);
    for (size_t i = 0; i < (parameters + PIECE - 1) / PIECE; i++)
        strange += trainer->partial[i];
    if (strange != 0.0)
        return false;
    memcpy(trainer->nn->theta, trainer->theta_hat, parameters * sizeof(float));
    return true;
}

/* Not an error of this call: sf_trainer_diverged says it, as sf_descent_diverged does. The message tells what to do. */
static sf_status diverged(sf_trainer *trainer, const char *what)
{
    trainer->stopped = true;
    (void)sf_fail(trainer->context, SF_ERR_NUMERIC,
                  "step %llu: %s left the finite numbers; the weights are those before it. "
                  "A smaller rate or rho may help.",
                  (unsigned long long)trainer->state.step + 1, what);
    return SF_OK;
}

static sf_status take_step(sf_trainer *trainer)
{
    size_t n = sf_images_count(trainer->images), left = n - trainer->position;
    size_t batch = batch_size(trainer), shard, shards = 0;
    batch = batch < left ? batch : left;
    shard = shard_size(trainer, batch);
    draw_order(trainer);
    double loss = 0.0, applied = 0.0;
    size_t right = 0;
    sf_nn_outcome found = {0};
    sf_update update = {trainer, trainer->gradient, 1.0f, sf_nn_parameters(trainer->nn)};
    if (shard < batch)
        memset(trainer->total, 0, update.parameters * sizeof(float));
    for (size_t first = 0; first < batch; first += shard, shards++) {
        size_t count = batch - first < shard ? batch - first : shard;
        double norm;
        SF_TRY(shard_gradient(trainer, trainer->position + first, count, batch, &found, &norm));
        loss += found.loss;
        right += found.right;
        applied += norm;
        update.factor = ldexpf(1.0f, found.exponent);
        if (shard < batch)
            over_pieces(&update, add_shard_piece);
    }
    if (!isfinite(loss))
        return diverged(trainer, "the loss");
    if (!(shard < batch ? update_theta(trainer, trainer->total, 0)
                        : update_theta(trainer, trainer->gradient, found.exponent)))
        return diverged(trainer, "a weight");
    trainer->state.loss = loss / (double)batch;
    trainer->state.accuracy = (double)right / (double)batch;
    trainer->state.applied_norm = applied / (double)shards;
    trainer->state.step++;
    trainer->position += batch;
    if (trainer->position == n) {
        trainer->position = 0;
        trainer->state.epoch++;
    }
    return SF_OK;
}

sf_status sf_trainer_advance(sf_trainer *trainer, uint64_t steps)
{
    for (uint64_t i = 0; i < steps && !trainer->stopped; i++) {
        if (sf_cancelled(trainer->context))
            return sf_fail(trainer->context, SF_ERR_CANCELLED, "interrupted at step %llu",
                           (unsigned long long)trainer->state.step);
        SF_TRY(take_step(trainer));
    }
    return SF_OK;
}

bool sf_trainer_diverged(const sf_trainer *trainer)
{
    return trainer->stopped;
}

/* ---- evaluation ------------------------------------------------------------------------------------------- */

sf_status sf_nn_evaluate(sf_nn *nn, const sf_images *images, double *loss, double *accuracy)
{
    SF_TRY(check_images(nn->context, nn, images));
    size_t n = sf_images_count(images), outputs = nn->layout.outputs, right = 0;
    float *logits = SF_ARRAY(nn->context, n * outputs, float);
    if (!logits)
        return SF_ERR_MEMORY;
    sf_status status = sf_nn_forward(nn, NULL, n, sf_images_pixels(images), logits);
    const int *labels = sf_images_labels(images);
    double sum = 0.0;
    for (size_t i = 0; i < n && status == SF_OK; i++) {
        sum += sf_nn_image_loss(outputs, logits + i * outputs, labels[i]);
        right += sf_nn_correct(outputs, logits + i * outputs, labels[i]);
    }
    if (status == SF_OK && loss)
        *loss = sum / (double)n;
    if (status == SF_OK && accuracy)
        *accuracy = (double)right / (double)n;
    sf_free(nn->context, logits);
    return status;
}
