/* Images a second of training a CNN, for the comparison of nn_train.py, which starts this program.
 *
 * usage: samflow-bench-nn IMAGES LABELS METHOD RHO BATCH THREADS STEPS SECONDS THETA [BACKEND [MODEL]]
 *
 * BACKEND: auto, onednn or plain; MODEL: cnn (default) or mlp, two hidden layers of 256. The CNN is conv 5x5 16, ReLU, pool 2, conv 5x5 32, ReLU, pool 2, dense 128, ReLU, dense. Writes the start to THETA.0 and the
 * parameters after STEPS steps to THETA.1 (raw floats), then trains on for SECONDS and prints the steps taken and the
 * images a second of the fastest tenth and of all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <samflow/nn.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void check(sf_context *context, sf_status status)
{
    if (status == SF_OK)
        return;
    fprintf(stderr, "samflow-bench-nn: %s\n", sf_context_message(context));
    exit(1);
}

static void dump(sf_nn *nn, const char *path, int number)
{
    char name[4096];
    snprintf(name, sizeof name, "%s.%d", path, number);
    FILE *file = fopen(name, "wb");
    size_t count = sf_nn_parameters(nn);
    if (!file || fwrite(sf_nn_theta(nn), sizeof(float), count, file) != count || fclose(file) != 0) {
        fprintf(stderr, "samflow-bench-nn: %s could not be written\n", name);
        exit(1);
    }
}

/* Rounds of `chunk` steps for `seconds`. */
static void measure(sf_context *context, sf_trainer *trainer, size_t batch, double seconds)
{
    const uint64_t chunk = 5;
    double begin = now(), end = begin, best = 1e30;
    uint64_t steps = 0;
    while (end - begin < seconds) {
        double start = now();
        check(context, sf_trainer_advance(trainer, chunk));
        end = now();
        best = end - start < best ? end - start : best;
        steps += chunk;
    }
    printf("%llu %.1f %.1f\n", (unsigned long long)steps, (double)(chunk * batch) / best,
           (double)(steps * batch) / (end - begin));
}

int main(int argc, char **argv)
{
    if (argc < 10 || argc > 12) {
        fprintf(stderr, "usage: samflow-bench-nn IMAGES LABELS METHOD RHO BATCH THREADS STEPS SECONDS THETA "
                        "[BACKEND [MODEL]]\n");
        return 2;
    }
    sf_context *context;
    sf_images *images;
    sf_nn *nn;
    sf_trainer *trainer;
    size_t batch = strtoul(argv[5], NULL, 10);
    if (sf_context_create(NULL, &context) != SF_OK)
        return 1;
    sf_image_file file = {
        .path = argv[1], .labels_path = argv[2], .scale = 1.0 / 255.0, .weak = 0.1, .strong = 0.5};
    check(context, sf_images_read(context, &file, &images));
    sf_nn_spec spec = {.model = SF_MODEL_CNN,
                       .input = sf_images_shape(images),
                       .classes = sf_images_classes(images),
                       .bias = true,
                       .convolutions = 2,
                       .channels = {16, 32},
                       .kernel = 5,
                       .pool = 2,
                       .hidden_layers = 1,
                       .hidden = {128},
                       .init_scale = 1.0,
                       .seed = 1};
    const char *backend = argc > 10 ? argv[10] : "auto";
    spec.backend = strcmp(backend, "plain") == 0    ? SF_NN_PLAIN
                   : strcmp(backend, "onednn") == 0 ? SF_NN_ONEDNN
                                                    : SF_NN_AUTO;
    if (argc > 11 && strcmp(argv[11], "mlp") == 0) {
        spec.model = SF_MODEL_MLP;
        spec.hidden_layers = 2;
        spec.hidden[0] = spec.hidden[1] = 256;
    }
    check(context, sf_nn_create(context, &spec, atoi(argv[6]), &nn));
    sf_training training = {
        .perturbation = {strcmp(argv[3], "gd") == 0 ? SF_METHOD_GD : SF_METHOD_L2, atof(argv[4]), 0.0},
        .rate = 0.05,
        .batch = batch,
        .seed = 1};
    check(context, sf_trainer_create(context, nn, images, &training, &trainer));
    dump(nn, argv[9], 0);
    check(context, sf_trainer_advance(trainer, strtoull(argv[7], NULL, 10)));
    dump(nn, argv[9], 1);
    measure(context, trainer, batch, atof(argv[8]));
    sf_trainer_destroy(&trainer);
    sf_nn_destroy(&nn);
    sf_images_destroy(&images);
    sf_context_destroy(&context);
    return 0;
}
