/* samflow-bench: ours and the peers on the same problems, in one go.
 *
 * For each workload: the plain reference answers a short version of the problem; every implementation must agree with
 * it, then it is timed (best and median of several runs). Peers in Python run in a process of their own. Written to
 * OUT/bench.csv and OUT/bench.md; the latter also to standard output.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum {
    MAX_ROWS = 512,
    MAX_REPEATS = 99,
    ENOUGH_SECONDS = 5, /* no further runs after that, however many are asked for */
    QUICK_SHARE = 10    /* of the steps, taken with --quick */
};

typedef struct row {
    const char *workload;
    char name[48], note[48]; /* note: why it was not timed; "" if it was */
    bool ours;
    int threads;
    double best, sf_median, cpu, error;
} row;

typedef struct bench {
    sf_context *context;
    const char *out, *only, *python;
    int repeats, threads;
    bool quick;
    row rows[MAX_ROWS];
    size_t count;
    FILE *report;
} bench;

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static row *add_row(bench *b, const char *workload, const char *name, int threads)
{
    row *r = &b->rows[b->count < MAX_ROWS - 1 ? b->count++ : b->count];
    *r =
        (row){.workload = workload, .threads = threads, .best = NAN, .median = NAN, .cpu = NAN, .error = NAN};
    snprintf(r->name, sizeof r->name, "%s", name);
    return r;
}

/* The greatest difference of a trajectory relative to its greatest number; NaN if there is one. */
static double distance(const bench_problem *p, const double *answer, const double *reference)
{
    size_t size = p->answer_size / p->count;
    double worst = 0.0;
    for (size_t i = 0; i < p->count; i++) {
        double high = 0.0, apart = 0.0;
        for (size_t k = i * size; k < (i + 1) * size; k++) {
            high = fmax(high, fabs(reference[k]));
            if (!(fabs(answer[k] - reference[k]) <= apart))
                apart = fabs(answer[k] - reference[k]);
        }
        if (!(apart / high <= worst))
            worst = apart / high;
    }
    return worst;
}

static void set_plain(bool plain)
{
    if (plain)
        setenv("SAMFLOW_ISA", "plain", 1);
    else
        unsetenv("SAMFLOW_ISA");
}

/* Gate, then times. */
static void compete(bench *b, const bench_problem *p, const bench_implementation *one, int threads,
                    const double *reference, double *answer)
{
    row *r = add_row(b, p->name, one->name, threads);
    r->ours = one->ours && !one->plain;
    set_plain(one->plain);
    sf_status status = one->run(b->context, p, p->check_steps, threads, answer);
    r->error = distance(p, answer, reference);
    if (status != SF_OK || !(r->error <= p->tolerance)) {
        snprintf(r->note, sizeof r->note, "%s", status != SF_OK ? sf_status_name(status) : "wrong numbers");
        return;
    }
    double seconds[MAX_REPEATS], total = 0.0;
    int runs = 0;
    r->cpu = INFINITY;
    for (int i = 0; i < b->repeats && total < ENOUGH_SECONDS; i++) {
        double start = bench_now(), cpu = bench_cpu();
        one->run(b->context, p, p->steps, threads, answer);
        total += seconds[runs++] = bench_now() - start;
        r->cpu = fmin(r->cpu, bench_cpu() - cpu);
    }
    qsort(seconds, (size_t)runs, sizeof *seconds, ascending);
    r->best = seconds[0];
    r->median = seconds[runs / 2];
    set_plain(false);
}

static bool write_numbers(const char *out, const char *name, const char *what, const double *x, size_t count)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.%s.f64", out, name, what);
    FILE *f = fopen(path, "wb");
    bool good = f && fwrite(x, sizeof *x, count, f) == count;
    return (f ? fclose(f) == 0 : false) && good;
}

/* The problem as files, for peers in other languages. */
static bool write_problem(const bench *b, const bench_problem *p, const double *reference)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s.txt", b->out, p->name);
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    fprintf(f,
            "n %zu\nd %zu\ncount %zu\ndepth %d\nrho %.17g\neta %.17g\nsteps %llu\ncheck_steps "
            "%llu\ntolerance %g\n",
            p->n, p->d, p->count, p->depth, p->rho, p->eta, (unsigned long long)p->steps,
            (unsigned long long)p->check_steps, p->tolerance);
    return fclose(f) == 0 && write_numbers(b->out, p->name, "z", p->z, p->n * p->d) &&
           write_numbers(b->out, p->name, "theta", p->theta, p->answer_size) &&
           write_numbers(b->out, p->name, "check", reference, p->answer_size);
}

/* Reads "name,threads,best,median,cpu,error,note" lines of peers.py. blas_threads: what its BLAS may use. */
static void run_python(bench *b, const char *workload, int blas_threads)
{
    char command[9000], line[512];
    snprintf(command, sizeof command,
             "OMP_NUM_THREADS=%d OPENBLAS_NUM_THREADS=%d MKL_NUM_THREADS=%d %s %s/peers.py %s %s %d %d",
             blas_threads, blas_threads, blas_threads, b->python, BENCH_SOURCE, b->out, workload, b->repeats,
             b->threads);
    FILE *f = popen(command, "r");
    while (f && fgets(line, sizeof line, f)) {
        char name[48] = "", note[48] = "";
        int threads;
        double best, sf_median, cpu, error;
        if (sscanf(line, "%47[^,],%d,%lf,%lf,%lf,%lf,%47[^\n]", name, &threads, &best, &sf_median, &cpu,
                   &error, note) < 6)
            continue;
        row *r = add_row(b, workload, name, threads);
        r->best = best;
        r->median = sf_median;
        r->cpu = cpu;
        r->error = error;
        snprintf(r->note, sizeof r->note, "%s", note);
    }
    if (!f || pclose(f) != 0)
        snprintf(add_row(b, workload, "python", 0)->note, sizeof b->rows[0].note, "%s", "failed");
}

static double best_of_ours(const bench *b, const char *workload, int threads)
{
    double best = NAN;
    for (size_t i = 0; i < b->count; i++)
        if (strcmp(b->rows[i].workload, workload) == 0 && b->rows[i].ours &&
            (threads == 0 || b->rows[i].threads == threads) && !(b->rows[i].best >= best))
            best = b->rows[i].best;
    return best;
}

static void say(bench *b, const char *text)
{
    fputs(text, stdout);
    fputs(text, b->report);
    fflush(stdout); // a run that is cut short keeps what it measured
    fflush(b->report);
}

static void report_rows(bench *b, const bench_problem *p, const char *title)
{
    char line[512];
    double ours = best_of_ours(b, p->name, 0), one = best_of_ours(b, p->name, 1),
           most = best_of_ours(b, p->name, b->threads);
    snprintf(line, sizeof line, "\n### %s: %s\n\n", p->name, title);
    say(b, line);
    say(b, "| implementation | threads | best s | median s | cpu s | trajectory-steps/s | ratio to ours | "
           "error |\n"
           "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < b->count; i++) {
        const row *r = &b->rows[i];
        if (strcmp(r->workload, p->name) != 0)
            continue;
        if (*r->note)
            snprintf(line, sizeof line, "| %s | | %s | | | | | |\n", r->name, r->note);
        else
            snprintf(line, sizeof line, "| %s | %d | %.4f | %.4f | %.4f | %.3g | %.2f | %.1e |\n", r->name,
                     r->threads, r->best, r->median, r->cpu, (double)p->count * (double)p->steps / r->best,
                     r->best / ours, r->error);
        say(b, line);
    }
    bench_work work = bench_count_work(p);
    bench_ceilings c;
    if (bench_measure(b->context, b->threads, p->count == 1 ? (double)p->n * (double)p->d * 8.0 : 1 << 16,
                      &c) != SF_OK)
        return;
    double arithmetic = work.multiply_adds / c.multiply_adds,
           memory = work.bytes > 0 ? work.bytes / c.bandwidth : 0.0;
    double bound = work.exponentials / c.exponentials + work.reciprocals / c.reciprocals +
                   work.roots / c.roots + fmax(arithmetic, memory);
    snprintf(line, sizeof line,
             "\nWork: %.4g exponentials, %.4g reciprocals, %.4g roots, %.4g multiply-adds, %.4g bytes of "
             "doubles.\n",
             work.exponentials, work.reciprocals, work.roots, work.multiply_adds, work.bytes);
    say(b, line);
    snprintf(line, sizeof line,
             "Ceilings, %d threads: %.3g, %.3g, %.3g, %.3g a second, %.3g bytes/s. Bound %.4f s, ours "
             "reaches %.0f%% of it.\n",
             b->threads, c.exponentials, c.reciprocals, c.roots, c.multiply_adds, c.bandwidth, bound,
             100.0 * bound / ours);
    say(b, line);
    snprintf(line, sizeof line, "Ours on %d threads against one: %.2f times as fast.\n", b->threads,
             one / most);
    say(b, line);
}

static bool wanted(const bench *b, const char *name)
{
    if (!b->only)
        return true;
    size_t length = strlen(name);
    for (const char *at = b->only; (at = strstr(at, name)); at += length)
        if ((at == b->only || at[-1] == ',') && (at[length] == '\0' || at[length] == ','))
            return true;
    return false;
}

static void release(bench_problem *p)
{
    free(p->z);
    free(p->theta);
    sf_dataset_destroy(&p->dataset);
}

static void run_workload(bench *b, const bench_workload *w)
{
    bench_problem p = {.name = w->name};
    sf_status status = w->make(b->context, &p);
    double *reference = malloc((p.answer_size + 1) * sizeof *reference),
           *answer = malloc((p.answer_size + 1) * sizeof *answer);
    char line[4600];
    if (b->quick) {
        p.steps = p.steps > QUICK_SHARE ? p.steps / QUICK_SHARE : 1;
        p.check_steps = p.check_steps < p.steps ? p.check_steps : p.steps;
    }
    if (status == SF_OK && reference && answer) {
        fprintf(stderr, "bench: %s\n", w->name);
        set_plain(true);
        status = w->reference(b->context, &p, p.check_steps, 1, reference);
        set_plain(false);
    }
    if (status == SF_OK && reference && answer) {
        for (size_t i = 0; i < w->implementation_count; i++) {
            compete(b, &p, &w->implementations[i], 1, reference, answer);
            if (b->threads > 1 && w->implementations[i].threaded &&
                (p.count > 1 || w->implementations[i].ours))
                compete(b, &p, &w->implementations[i], b->threads, reference, answer);
        }
        if (b->python && write_problem(b, &p, reference)) {
            run_python(b, w->name, b->threads);
            if (b->threads > 1)
                run_python(b, w->name, 1);
        }
        report_rows(b, &p, w->title);
    } else {
        snprintf(line, sizeof line, "\n### %s: %s\n\nnot run: %s\n", w->name, w->title,
                 sf_context_message(b->context));
        say(b, line);
    }
    free(reference);
    free(answer);
    release(&p);
}

static bool write_csv(const bench *b)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/bench.csv", b->out);
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    fputs("workload,implementation,threads,best_s,median_s,cpu_s,ratio_to_samflow,error,note\n", f);
    for (size_t i = 0; i < b->count; i++) {
        const row *r = &b->rows[i];
        fprintf(f, "%s,%s,%d,%.6g,%.6g,%.6g,%.4g,%.3g,%s\n", r->workload, r->name, r->threads, r->best,
                r->median, r->cpu, r->best / best_of_ours(b, r->workload, 0), r->error, r->note);
    }
    return fclose(f) == 0;
}

static bool parse(bench *b, int argc, char **argv)
{
    static const struct option options[] = {{"only", required_argument, NULL, 'w'},
                                            {"repeats", required_argument, NULL, 'r'},
                                            {"threads", required_argument, NULL, 't'},
                                            {"out", required_argument, NULL, 'o'},
                                            {"python", required_argument, NULL, 'p'},
                                            {"quick", no_argument, NULL, 'q'},
                                            {NULL, 0, NULL, 0}};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;)
        switch (c) {
        case 'w':
            b->only = optarg;
            break;
        case 'r':
            b->repeats = atoi(optarg);
            break;
        case 't':
            b->threads = atoi(optarg);
            break;
        case 'o':
            b->out = optarg;
            break;
        case 'p':
            b->python = optarg;
            break;
        case 'q':
            b->quick = true;
            break;
        default:
            return false;
        }
    return optind == argc && b->repeats >= 1 && b->repeats <= MAX_REPEATS && b->threads >= 1 &&
           b->threads <= 64;
}

int main(int argc, char **argv)
{
    static bench b = {.out = ".", .repeats = 5, .threads = 2};
    char path[4096];
    if (!parse(&b, argc, argv)) {
        fprintf(stderr,
                "usage: samflow-bench [--only W1,W2] [--repeats 1..%d] [--threads 1..64] [--out DIR] "
                "[--python CMD] [--quick]\n",
                MAX_REPEATS);
        return 2;
    }
    snprintf(path, sizeof path, "%s/bench.md", b.out);
    if (!(b.report = fopen(path, "w")) || sf_context_create(NULL, &b.context) != SF_OK) {
        fprintf(stderr, "samflow-bench: %s cannot be written\n", path);
        return 1;
    }
    char line[512];
    snprintf(line, sizeof line,
             "# Benchmark\n\nsamflow %s (%s), best of %d runs. Seconds include the creation of networks and "
             "batches.%s\n",
             sf_version(), sf_build_info(), b.repeats,
             b.quick ? " Quick: a tenth of the steps that the titles name, the main workloads only." : "");
    say(&b, line);
    for (size_t i = 0; i < bench_workload_count; i++)
        if (b.only ? wanted(&b, bench_workloads[i].name) : !b.quick || bench_workloads[i].main)
            run_workload(&b, &bench_workloads[i]);
    bool good = write_csv(&b) && fclose(b.report) == 0;
    for (size_t i = 0; i < b.count; i++)
        good &= strcmp(b.rows[i].note, "wrong numbers") != 0;
    sf_context_destroy(&b.context);
    return good ? 0 : 1;
}
