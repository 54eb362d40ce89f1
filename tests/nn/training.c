/* Training against the plain reference over 20 steps, what must agree bit for bit, checkpoints, and failures. */
#include <unistd.h>

#include "reference.h"

enum { SIDE = 8, PIXELS = SIDE * SIDE, COUNT = 50, STEPS = 20 };

static void put_be32(FILE *file, unsigned value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        fputc((int)(value >> shift & 255u), file);
}

/* COUNT images of noise with a bright row that tells the class, through IDX files. */
static sf_images *make_images(sf_context *context, int classes, uint64_t seed)
{
    char images_path[64], labels_path[64];
    snprintf(images_path, sizeof images_path, "training-%ld-images", (long)getpid());
    snprintf(labels_path, sizeof labels_path, "training-%ld-labels", (long)getpid());
    FILE *images = fopen(images_path, "wb"), *labels = fopen(labels_path, "wb");
    assert_non_null(images);
    assert_non_null(labels);
    put_be32(images, 0x803);
    put_be32(images, COUNT);
    put_be32(images, SIDE);
    put_be32(images, SIDE);
    put_be32(labels, 0x801);
    put_be32(labels, COUNT);
    sf_random random = sf_random_make(seed, 0);
    for (int i = 0; i < COUNT; i++) {
        int label = i % classes;
        fputc(label, labels);
        for (int p = 0; p < PIXELS; p++)
            fputc((int)sf_random_below(&random, 120) + (p / SIDE == label ? 90 : 0), images);
    }
    fclose(images);
    fclose(labels);
    sf_image_file spec = {
        .path = images_path, .labels_path = labels_path, .scale = 1.0 / 255.0, .weak = 0.1, .strong = 0.5};
    sf_images *out;
    assert_ok(context, sf_images_read(context, &spec, &out));
    remove(images_path);
    remove(labels_path);
    return out;
}

static const sf_nn_spec cnn = {.model = SF_MODEL_CNN,
                               .input = {1, SIDE, SIDE},
                               .classes = 4,
                               .bias = true,
                               .convolutions = 2,
                               .channels = {4, 6},
                               .kernel = 3,
                               .pool = 2,
                               .hidden_layers = 1,
                               .hidden = {10},
                               .init_scale = 1.0,
                               .seed = 5};

static sf_nn_spec mlp_of(size_t classes)
{
    return (sf_nn_spec){.model = SF_MODEL_MLP,
                        .input = {1, SIDE, SIDE},
                        .classes = classes,
                        .bias = true,
                        .hidden_layers = 1,
                        .hidden = {12},
                        .init_scale = 1.0,
                        .seed = 6};
}

typedef struct method {
    const char *name;
    sf_training spec;
} method;

static const method methods[] = {
    {"gd", {.perturbation = {SF_METHOD_GD, 0.0, 0.0}, .rate = 0.1}},
    {"l2-sam", {.perturbation = {SF_METHOD_L2, 0.1, 0.0}, .rate = 0.1}},
    {"linf-sam", {.perturbation = {SF_METHOD_LINF, 0.003, 0.0}, .rate = 0.1}},
    {"usam", {.perturbation = {SF_METHOD_USAM, 0.3, 0.0}, .rate = 0.1}},
    {"ASAM", {.perturbation = {SF_METHOD_L2, 0.5, 0.0}, .adaptive = true, .rate = 0.1}},
    {"m-SAM", {.perturbation = {SF_METHOD_L2, 0.1, 0.0}, .shard = 7, .rate = 0.1, .batch = 20, .seed = 3}},
    {"m-SAM by usam", {.perturbation = {SF_METHOD_USAM, 0.3, 0.0}, .shard = 10, .rate = 0.1, .batch = 25}},
    {"momentum and decay",
     {.perturbation = {SF_METHOD_L2, 0.1, 0.0},
      .rate = 0.05,
      .momentum = 0.9,
      .weight_decay = 0.01,
      .batch = 16,
      .seed = 9}},
};
enum { METHODS = sizeof methods / sizeof methods[0] };

/* ---- the reference trainer ------------------------------------------------------------------------------------ */

typedef struct plain_run {
    reference_network net;
    const sf_training *spec;
    double *theta, *hat, *gradient, *total, *velocity;
    double applied, accuracy;
} plain_run;

static void perturb(plain_run *run)
{
    size_t n = run->net.parameters;
    const sf_perturbation *p = &run->spec->perturbation;
    double norm = 0.0, applied = 0.0;
    for (size_t i = 0; i < n; i++) {
        double scaled = run->gradient[i] * (run->spec->adaptive ? fabs(run->theta[i]) + 0.01 : 1.0);
        norm += scaled * scaled;
    }
    norm = sqrt(norm);
    for (size_t i = 0; i < n; i++) {
        double g = run->gradient[i], t = run->spec->adaptive ? fabs(run->theta[i]) + 0.01 : 1.0;
        double eps = p->method == SF_METHOD_L2     ? p->rho * t * t * g / norm
                     : p->method == SF_METHOD_LINF ? p->rho * ((g > 0.0) - (g < 0.0))
                                                   : p->rho * g;
        applied = p->method == SF_METHOD_LINF ? fmax(applied, fabs(eps)) : applied + eps * eps;
        run->hat[i] = run->theta[i] + eps;
    }
    run->applied += p->method == SF_METHOD_LINF ? applied : sqrt(applied);
}

/* One step on the images `order`. */
static double plain_step(plain_run *run, const sf_images *images, size_t n, const size_t *order)
{
    const sf_training *spec = run->spec;
    size_t parameters = run->net.parameters, shard = spec->shard ? spec->shard : n, shards = 0;
    double loss = 0.0;
    memset(run->total, 0, parameters * sizeof(double));
    run->applied = run->accuracy = 0.0;
    for (size_t first = 0; first < n; first += shard, shards++) {
        size_t count = n - first < shard ? n - first : shard;
        float *pixels = malloc(count * PIXELS * sizeof(float));
        int *labels = malloc(count * sizeof(int));
        for (size_t i = 0; i < count; i++) {
            memcpy(pixels + i * PIXELS, sf_images_pixels(images) + order[first + i] * PIXELS,
                   PIXELS * sizeof(float));
            labels[i] = sf_images_labels(images)[order[first + i]];
        }
        double share = (double)count / (double)n;
        run->accuracy += share * reference_accuracy(&run->net, run->theta, count, pixels, labels);
        loss += share * reference_gradient(&run->net, run->theta, count, pixels, labels, run->gradient);
        if (spec->perturbation.method != SF_METHOD_GD) {
            perturb(run);
            reference_gradient(&run->net, run->hat, count, pixels, labels, run->gradient);
        }
        for (size_t i = 0; i < parameters; i++)
            run->total[i] += share * run->gradient[i];
        free(pixels);
        free(labels);
    }
    run->applied /= (double)shards;
    for (size_t i = 0; i < parameters; i++) {
        run->velocity[i] =
            spec->momentum * run->velocity[i] + run->total[i] + spec->weight_decay * run->theta[i];
        run->theta[i] -= spec->rate * run->velocity[i];
    }
    return loss;
}

/* As base.h and nn.h say: Fisher-Yates from the top with stream e of the seed. */
static void shuffle(size_t n, uint64_t seed, uint64_t epoch, size_t *order)
{
    sf_random random = sf_random_make(seed, epoch);
    for (size_t i = 0; i < n; i++)
        order[i] = i;
    for (size_t i = n; i > 1; i--) {
        size_t j = (size_t)sf_random_below(&random, i), kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

static void compare_run(const sf_nn_spec *model, const method *m)
{
    sf_context *context = test_context();
    sf_images *images = make_images(context, (int)model->classes, 1);
    sf_nn *nn;
    sf_trainer *trainer;
    assert_ok(context, create_network(context, model, 0, &nn));
    assert_ok(context, sf_trainer_create(context, nn, images, &m->spec, &trainer));
    plain_run run = {.net = reference_make(model), .spec = &m->spec};
    size_t bytes = run.net.parameters * sizeof(double), order[COUNT], position = 0, epoch = 0;
    run.theta = malloc(bytes);
    run.hat = malloc(bytes);
    run.gradient = malloc(bytes);
    run.total = malloc(bytes);
    run.velocity = calloc(1, bytes);
    for (size_t i = 0; i < run.net.parameters; i++)
        run.theta[i] = sf_nn_theta(nn)[i];
    for (int step = 0; step < STEPS; step++) {
        size_t batch = m->spec.batch ? m->spec.batch : COUNT;
        batch = batch < COUNT - position ? batch : COUNT - position;
        if (position == 0) {
            shuffle(COUNT, m->spec.seed, epoch, order);
            for (size_t i = 0; i < COUNT && m->spec.batch == 0; i++)
                order[i] = i;
        }
        double loss = plain_step(&run, images, batch, order + position);
        position = (position + batch) % COUNT;
        epoch += position == 0;
        assert_ok(context, sf_trainer_advance(trainer, 1));
        sf_training_state state = sf_trainer_state(trainer);
        assert_absolute(state.loss, loss, 1e-5);
        assert_absolute(state.accuracy, run.accuracy, 1e-12);
        assert_absolute(state.applied_norm, run.applied, 1e-5);
        assert_int_equal(state.step, step + 1);
        assert_int_equal(state.epoch, epoch);
    }
    for (size_t i = 0; i < run.net.parameters; i++)
        if (!(fabs(sf_nn_theta(nn)[i] - run.theta[i]) <= 1e-5))
            fail_msg("%s: weight %zu is %.9g after %d steps, expected %.9g", m->name, i, sf_nn_theta(nn)[i],
                     STEPS, run.theta[i]);
    free(run.theta);
    free(run.hat);
    free(run.gradient);
    free(run.total);
    free(run.velocity);
    sf_trainer_destroy(&trainer);
    sf_nn_destroy(&nn);
    sf_images_destroy(&images);
    sf_context_destroy(&context);
}

static void against_reference(void **state)
{
    (void)state;
    sf_nn_spec binary = mlp_of(2), softmax = mlp_of(3);
    for (size_t m = 0; m < METHODS; m++) {
        compare_run(&binary, &methods[m]);
        compare_run(&softmax, &methods[m]);
    }
    compare_run(&cnn, &methods[1]);
    compare_run(&cnn, &methods[7]);
}

/* The diagonal network, trained here in single precision, takes the steps of sam/ in double. */
static void diagonal_as_in_sam(void **state)
{
    (void)state;
    enum { DEPTH = 2 };
    const sf_nn_spec model = {.model = SF_MODEL_DIAGONAL,
                              .input = {1, SIDE, SIDE},
                              .classes = 2,
                              .depth = DEPTH,
                              .init_scale = 0.3};
    for (size_t m = 0; m < 4; m++) {
        sf_context *context = test_context();
        sf_images *images = make_images(context, 2, 4);
        sf_nn *nn;
        sf_trainer *trainer;
        assert_ok(context, create_network(context, &model, 0, &nn));
        assert_ok(context, sf_trainer_create(context, nn, images, &methods[m].spec, &trainer));
        double points[COUNT * PIXELS], theta[DEPTH * PIXELS];
        int labels[COUNT];
        for (size_t i = 0; i < COUNT * PIXELS; i++)
            points[i] = sf_images_pixels(images)[i];
        for (size_t i = 0; i < COUNT; i++)
            labels[i] = sf_images_labels(images)[i] == 1 ? 1 : -1;
        for (size_t i = 0; i < DEPTH * PIXELS; i++)
            theta[i] = sf_nn_theta(nn)[i];
        sf_dataset *dataset;
        sf_network *network;
        sf_descent *descent;
        assert_ok(context, sf_dataset_from_points(context, COUNT, PIXELS, points, labels, &dataset));
        assert_ok(context, sf_network_create(context, dataset, DEPTH, SF_LOSS_LOGISTIC, &network));
        assert_ok(context, sf_descent_create(context, network, &methods[m].spec.perturbation,
                                             methods[m].spec.rate, theta, &descent));
        assert_ok(context, sf_descent_advance(descent, STEPS));
        assert_ok(context, sf_trainer_advance(trainer, STEPS));
        for (size_t i = 0; i < DEPTH * PIXELS; i++)
            assert_absolute(sf_nn_theta(nn)[i], sf_descent_theta(descent)[i], 1e-5);
        assert_absolute(sf_trainer_state(trainer).applied_norm, sf_descent_applied_norm(descent), 1e-5);
        sf_descent_destroy(&descent);
        sf_network_destroy(&network);
        sf_dataset_destroy(&dataset);
        sf_trainer_destroy(&trainer);
        sf_nn_destroy(&nn);
        sf_images_destroy(&images);
        sf_context_destroy(&context);
    }
}

/* ---- bits ------------------------------------------------------------------------------------------------------- */

typedef struct rig {
    sf_context *context;
    sf_images *images;
    sf_nn *nn;
    sf_trainer *trainer;
} rig;

static rig rig_make(const sf_nn_spec *model, const sf_training *spec, int threads)
{
    rig r = {.context = test_context()};
    r.images = make_images(r.context, (int)model->classes, 2);
    assert_ok(r.context, create_network(r.context, model, threads, &r.nn));
    assert_ok(r.context, sf_trainer_create(r.context, r.nn, r.images, spec, &r.trainer));
    return r;
}

static void rig_release(rig *r)
{
    sf_trainer_destroy(&r->trainer);
    sf_nn_destroy(&r->nn);
    sf_images_destroy(&r->images);
    sf_context_destroy(&r->context);
}

static void assert_same_weights(const rig *a, const rig *b)
{
    assert_memory_equal(sf_nn_theta(a->nn), sf_nn_theta(b->nn), sf_nn_parameters(a->nn) * sizeof(float));
}

static void rho_zero_is_sgd(void **state)
{
    (void)state;
    sf_training plain = {.perturbation = {SF_METHOD_GD, 0.0, 0.0}, .rate = 0.1, .momentum = 0.5, .batch = 20};
    static const sf_method sam[] = {SF_METHOD_L2, SF_METHOD_LINF, SF_METHOD_USAM};
    for (int i = 0; i < 3; i++) {
        sf_training zero = plain;
        zero.perturbation.method = sam[i];
        zero.shard = 5;
        rig a = rig_make(&cnn, &plain, 0), b = rig_make(&cnn, &zero, 0);
        assert_ok(a.context, sf_trainer_advance(a.trainer, 7));
        assert_ok(b.context, sf_trainer_advance(b.trainer, 7));
        assert_same_weights(&a, &b);
        assert_true(sf_trainer_state(b.trainer).applied_norm == 0.0);
        assert_int_equal(sf_trainer_state(b.trainer).gradients, sf_trainer_state(a.trainer).gradients);
        rig_release(&a);
        rig_release(&b);
    }
}

static void threads_do_not_matter(void **state)
{
    (void)state;
    for (size_t m = 0; m < METHODS; m++) {
        rig one = rig_make(&cnn, &methods[m].spec, 1), three = rig_make(&cnn, &methods[m].spec, 3);
        assert_ok(one.context, sf_trainer_advance(one.trainer, 6));
        assert_ok(three.context, sf_trainer_advance(three.trainer, 6));
        assert_same_weights(&one, &three);
        rig_release(&one);
        rig_release(&three);
    }
}

static void resumed(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "training-%ld.h5", (long)getpid());
    for (size_t m = 0; m < METHODS; m++) {
        rig whole = rig_make(&cnn, &methods[m].spec, 1), first = rig_make(&cnn, &methods[m].spec, 2),
            second = rig_make(&cnn, &methods[m].spec, 1);
        assert_ok(whole.context, sf_trainer_advance(whole.trainer, 20));
        assert_ok(first.context, sf_trainer_advance(first.trainer, 10));
        sf_status saved = sf_trainer_save(first.trainer, path, "{\"a\": 1}");
        if (saved == SF_ERR_UNAVAILABLE) {
            print_message("skipped: built without HDF5\n");
            rig_release(&whole);
            rig_release(&first);
            rig_release(&second);
            return;
        }
        assert_ok(first.context, saved);
        assert_ok(second.context, sf_trainer_load(second.trainer, path));
        assert_same_weights(&first, &second);
        assert_ok(second.context, sf_trainer_advance(second.trainer, 10));
        assert_same_weights(&whole, &second);
        sf_training_state a = sf_trainer_state(whole.trainer), b = sf_trainer_state(second.trainer);
        assert_memory_equal(&a, &b, sizeof a);
        // the weights alone, into a network with another start
        sf_nn_spec other = cnn;
        sf_nn *nn;
        other.seed = 77;
        assert_ok(first.context, create_network(first.context, &other, 1, &nn));
        assert_ok(first.context, sf_nn_load(nn, path));
        assert_memory_equal(sf_nn_theta(nn), sf_nn_theta(first.nn), sf_nn_parameters(nn) * sizeof(float));
        sf_nn_destroy(&nn);
        rig_release(&whole);
        rig_release(&first);
        rig_release(&second);
    }
    remove(path);
}

/* ---- refusals --------------------------------------------------------------------------------------------------- */

static void assert_refused(const rig *r, const char *path, const char *word)
{
    float before = sf_nn_theta(r->nn)[0];
    assert_status(r->context, sf_trainer_load(r->trainer, path), SF_ERR_DATA);
    assert_non_null(strstr(sf_context_message(r->context), word));
    assert_true(sf_nn_theta(r->nn)[0] == before);
}

static void foreign_checkpoints(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "training-%ld.h5", (long)getpid());
    rig r = rig_make(&cnn, &methods[1].spec, 1);
    assert_ok(r.context, sf_trainer_advance(r.trainer, 1));
    if (sf_trainer_save(r.trainer, path, NULL) == SF_ERR_UNAVAILABLE) {
        rig_release(&r);
        return;
    }
    rig other = rig_make(&cnn, &methods[2].spec, 1);
    assert_refused(&other, path, "training");
    rig_release(&other);
    sf_nn_spec wide = cnn;
    wide.hidden[0] = 11;
    other = rig_make(&wide, &methods[1].spec, 1);
    assert_refused(&other, path, "network");
    rig_release(&other);
    sf_images *images = make_images(r.context, 4, 99);
    sf_trainer *trainer;
    assert_ok(r.context, sf_trainer_create(r.context, r.nn, images, &methods[1].spec, &trainer));
    assert_status(r.context, sf_trainer_load(trainer, path), SF_ERR_DATA);
    assert_non_null(strstr(sf_context_message(r.context), "data"));
    sf_trainer_destroy(&trainer);
    sf_images_destroy(&images);
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    for (int i = 0; i < 3000; i++)
        fputc(0, file);
    fclose(file);
    assert_status(r.context, sf_trainer_load(r.trainer, path), SF_ERR_DATA);
    remove(path);
    assert_status(r.context, sf_trainer_load(r.trainer, path), SF_ERR_IO);
    rig_release(&r);
}

static void diverging(void **state)
{
    (void)state;
    sf_training wild = {.perturbation = {SF_METHOD_GD, 0.0, 0.0}, .rate = 1e30};
    rig r = rig_make(&cnn, &wild, 1);
    assert_false(sf_trainer_diverged(r.trainer));
    assert_ok(r.context, sf_trainer_advance(r.trainer, 50));
    assert_true(sf_trainer_diverged(r.trainer));
    uint64_t step = sf_trainer_state(r.trainer).step;
    assert_non_null(strstr(sf_context_message(r.context), "finite"));
    for (size_t i = 0; i < sf_nn_parameters(r.nn); i++)
        assert_true(isfinite(sf_nn_theta(r.nn)[i]));
    assert_ok(r.context, sf_trainer_advance(r.trainer, 1));
    assert_int_equal(sf_trainer_state(r.trainer).step, step);
    char path[64];
    snprintf(path, sizeof path, "training-%ld.h5", (long)getpid());
    if (sf_trainer_save(r.trainer, path, "") == SF_OK)
        assert_refused(&r, path, "finite");
    remove(path);
    rig_release(&r);
}

static void wrong_settings(void **state)
{
    (void)state;
    rig r = rig_make(&cnn, &methods[0].spec, 1);
    const sf_training wrong[] = {
        {.perturbation = {SF_METHOD_LP, 1.0, 3.0}, .rate = 0.1},
        {.perturbation = {SF_METHOD_L2, -1.0, 0.0}, .rate = 0.1},
        {.perturbation = {SF_METHOD_LINF, 1.0, 0.0}, .rate = 0.1, .adaptive = true},
        {.perturbation = {SF_METHOD_L2, 1.0, 0.0}, .rate = 0.0},
        {.perturbation = {SF_METHOD_L2, 1.0, 0.0}, .rate = 0.1, .momentum = 1.0},
        {.perturbation = {SF_METHOD_L2, 1.0, 0.0}, .rate = 0.1, .weight_decay = NAN},
    };
    sf_trainer *trainer;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_status(r.context, sf_trainer_create(r.context, r.nn, r.images, &wrong[i], &trainer),
                      SF_ERR_ARGUMENT);
        assert_null(trainer);
    }
    rig_release(&r);
}

/* On separable data the gradient gets tiny; the perturbation stays rho. */
static void norm_holds_at_tiny_gradients(void **state)
{
    (void)state;
    sf_nn_spec model = {.model = SF_MODEL_MLP, .input = {1, SIDE, SIDE}, .classes = 2, .init_scale = 1.0};
    sf_training spec = {.perturbation = {SF_METHOD_L2, 0.25, 0.0}, .rate = 1e-3};
    rig r = rig_make(&model, &spec, 2);
    float *theta = sf_nn_theta(r.nn);
    for (size_t j = 0; j < PIXELS; j++) // bright row 0: class 0; row 1: class 1
        theta[j] = j / SIDE == 0 ? -200.0f : j / SIDE == 1 ? 200.0f : 0.0f;
    assert_ok(r.context, sf_trainer_advance(r.trainer, 1));
    sf_training_state s = sf_trainer_state(r.trainer);
    assert_true(s.loss < 1e-30);
    assert_relative(s.applied_norm, 0.25, 1e-12);
    double loss, accuracy;
    assert_ok(r.context, sf_nn_evaluate(r.nn, r.images, &loss, &accuracy));
    assert_true(accuracy == 1.0);
    rig_release(&r);
}

static void memory_runs_out(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "training-%ld.h5", (long)getpid());
    sf_context *plenty = test_context();
    sf_images *images = make_images(plenty, 4, 3);
    sf_status status = SF_ERR_MEMORY;
    for (long n = 0; status != SF_OK; n++) {
        test_memory memory = {.fail_at = n};
        sf_context *context = test_context_failing(&memory);
        sf_nn *nn = NULL;
        sf_trainer *trainer = NULL;
        status = create_network(context, &cnn, 2, &nn);
        if (status == SF_OK)
            status = sf_trainer_create(context, nn, images, &methods[7].spec, &trainer);
        if (status == SF_OK)
            status = sf_trainer_advance(trainer, 2);
        if (status == SF_OK)
            status = sf_nn_evaluate(nn, images, NULL, NULL);
        if (status == SF_OK)
            status = sf_trainer_save(trainer, path, "{}");
        if (status == SF_OK)
            status = sf_trainer_load(trainer, path);
        if (status == SF_OK)
            status = sf_nn_load(nn, path);
        status = status == SF_ERR_UNAVAILABLE ? SF_OK : status; // built without HDF5
        assert_true(status == SF_OK || status == SF_ERR_MEMORY);
        sf_trainer_destroy(&trainer);
        sf_nn_destroy(&nn);
        assert_int_equal(memory.live, 0);
        sf_context_destroy(&context);
    }
    remove(path);
    sf_images_destroy(&images);
    sf_context_destroy(&plenty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(against_reference),
        cmocka_unit_test(diagonal_as_in_sam),
        cmocka_unit_test(rho_zero_is_sgd),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(resumed),
        cmocka_unit_test(foreign_checkpoints),
        cmocka_unit_test(diverging),
        cmocka_unit_test(wrong_settings),
        cmocka_unit_test(norm_holds_at_tiny_gradients),
        cmocka_unit_test(memory_runs_out),
    };
    int failed = 0;
    RUN_ON_EVERY_BACKEND(tests, failed);
    return failed;
}
