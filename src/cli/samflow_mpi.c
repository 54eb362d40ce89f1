/* samflow-mpi: a sweep over several machines, by MPI.
 *
 *   mpirun -n 64 samflow-mpi GRID.yaml -o RESULT.db [--set KEY=VALUE]... [--retry-failed] [--wal] [--quiet]
 *
 * Rank 0 reads the sweep file, sends its text to all, and is the one writer of the result file. The others ask for work:
 * a message with the rows of their last block (empty at first) is answered by the positions of the next one. Blocks grow
 * until one takes about a second, so rank 0 gets one message a second and rank; towards the end they shrink, so that
 * nobody waits for a last large one. A rank that dies takes the job with it (mpirun aborts the others); what rank 0 has
 * committed stays, and the same command goes on from there.
 */
#include <math.h>
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <samflow/lab.h>

enum { TAG_ROWS = 1, TAG_WORK, TAG_ERROR, MOST_BLOCK = 65536, MESSAGE = 2048 };
#define BLOCK_SECONDS 1.0

static sf_flag interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

typedef struct arguments {
    const char *file, *output;
    const char **overrides;
    size_t override_count;
    sf_sweep_options options;
    bool quiet;
} arguments;

static int usage(const char *problem)
{
    fprintf(stderr,
            "samflow-mpi: %s\nusage: mpirun -n RANKS samflow-mpi GRID.yaml -o RESULT.db [--set "
            "KEY.PATH=VALUE]... "
            "[--retry-failed] [--wal] [--quiet]\n",
            problem);
    return 2;
}

/* 0, or the exit code. */
static int read_arguments(int argc, char **argv, arguments *a)
{
    a->options.rollback_journal = true; // the file systems of clusters have no shared memory
    for (int i = 1; i < argc; i++) {
        bool value = i + 1 < argc;
        if (strcmp(argv[i], "-o") == 0 && value)
            a->output = argv[++i];
        else if (strcmp(argv[i], "--set") == 0 && value)
            a->overrides[a->override_count++] = argv[++i];
        else if (strcmp(argv[i], "--retry-failed") == 0)
            a->options.retry_failed = true;
        else if (strcmp(argv[i], "--wal") == 0)
            a->options.rollback_journal = false;
        else if (strcmp(argv[i], "--quiet") == 0)
            a->quiet = true;
        else if (argv[i][0] != '-' && !a->file)
            a->file = argv[i];
        else
            return usage("unexpected argument");
    }
    return a->file && a->output ? 0 : usage("expected a sweep file and -o RESULT.db");
}

/* ---- rank 0 --------------------------------------------------------------------------------------------- */

typedef struct master {
    sf_context *context;
    sf_session *session;
    size_t *block;  // (ranks) size of the next block
    uint64_t *work; // (MOST_BLOCK)
    char *bytes;    // of a message
    int room, ranks, busy;
    int *parked, parked_count; // ranks whose question waits for the results of others (refine)
    sf_status status;
    bool quiet;
    double began, reported;
    uint64_t stored;
} master;

/* Seconds, then rows. */
static bool receive(master *m, int *rank, double *seconds, int *size)
{
    MPI_Status status;
    MPI_Probe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &status);
    MPI_Get_count(&status, MPI_BYTE, size);
    if (*size > m->room) {
        char *bytes = realloc(m->bytes, (size_t)*size);
        if (!bytes)
            MPI_Abort(MPI_COMM_WORLD, 1);
        m->bytes = bytes;
        m->room = *size;
    }
    MPI_Recv(m->bytes, *size, MPI_BYTE, status.MPI_SOURCE, status.MPI_TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    *rank = status.MPI_SOURCE;
    memcpy(seconds, m->bytes, sizeof *seconds);
    return status.MPI_TAG == TAG_ROWS;
}

static void adapt(master *m, int rank, double seconds)
{
    size_t *block = &m->block[rank];
    if (seconds > 0.0 && seconds < BLOCK_SECONDS / 2.0 && *block < MOST_BLOCK)
        *block *= 2;
    else if (seconds > 2.0 * BLOCK_SECONDS && *block > 1)
        *block /= 2;
    uint64_t left = m->session ? sf_session_left(m->session) : 0;
    size_t share = (size_t)(left / (2 * (uint64_t)m->ranks)) + 1;
    if (*block > share)
        *block = share;
}

/* The answer to a rank: its next positions; none when there is nothing left or the run ends. With refine the next
 * points may depend on results that other ranks still compute: then the rank waits. */
static void answer(master *m, int rank)
{
    size_t count = 0;
    if (m->status == SF_OK && !interrupted)
        m->status = sf_session_next(m->session, m->block[rank], m->work, &count);
    if (m->status != SF_OK)
        count = 0;
    if (count == 0 && m->status == SF_OK && !interrupted && sf_session_waits(m->session)) {
        m->parked[m->parked_count++] = rank;
        return;
    }
    m->busy -= count == 0;
    MPI_Send(m->work, (int)count, MPI_UINT64_T, rank, TAG_WORK, MPI_COMM_WORLD);
}

/* Those that waited ask again, now that there are results. */
static void answer_parked(master *m)
{
    int count = m->parked_count;
    m->parked_count = 0;
    for (int i = 0; i < count; i++) {
        adapt(m, m->parked[i], 0.0);
        answer(m, m->parked[i]);
    }
}

static void report(master *m)
{
    double now = MPI_Wtime();
    if (m->quiet || now - m->reported < 10.0)
        return;
    m->reported = now;
    fprintf(stderr, "samflow-mpi: %llu points left to hand out%s, %.0f s\n",
            (unsigned long long)sf_session_left(m->session),
            sf_session_waits(m->session) ? " and those that refinement adds" : "", now - m->began);
}

static void serve(master *m)
{
    while (m->busy > 0) {
        int rank, size;
        double seconds;
        bool rows = receive(m, &rank, &seconds, &size);
        if (!rows) {
            fprintf(stderr, "samflow-mpi: rank %d: %s\n", rank, m->bytes + sizeof seconds);
            m->status = m->status == SF_OK ? SF_ERR_INTERNAL : m->status;
        } else if (m->status == SF_OK && size > (int)sizeof seconds) {
            m->status =
                sf_session_store(m->session, (size_t)size - sizeof seconds, m->bytes + sizeof seconds);
        }
        adapt(m, rank, seconds);
        answer(m, rank);
        answer_parked(m);
        report(m);
    }
}

static int lead(sf_context *context, sf_sweep *sweep, const arguments *a, int ranks)
{
    master m = {
        .context = context, .ranks = ranks, .busy = ranks - 1, .quiet = a->quiet, .began = MPI_Wtime()};
    sf_sweep_counts counts = {0};
    m.block = malloc((size_t)ranks * sizeof *m.block);
    m.work = malloc(MOST_BLOCK * sizeof *m.work);
    m.parked = malloc((size_t)ranks * sizeof *m.parked);
    if (!m.block || !m.work || !m.parked)
        MPI_Abort(MPI_COMM_WORLD, 1);
    m.status = sf_session_open(sweep, a->output, &a->options, &m.session);
    for (int i = 0; i < ranks; i++)
        m.block[i] = 1;
    serve(&m);
    if (m.status == SF_OK && interrupted)
        m.status = SF_ERR_CANCELLED;
    const char *message = m.status == SF_OK ? "" : sf_context_message(context);
    if (m.status != SF_OK && m.status != SF_ERR_CANCELLED)
        fprintf(stderr, "samflow-mpi: %s\n", *message ? message : sf_status_message(m.status));
    sf_status closed = sf_session_close(&m.session, m.status, &counts);
    if (m.status == SF_OK && closed != SF_OK)
        fprintf(stderr, "samflow-mpi: %s\n", sf_context_message(context));
    printf("%s: %llu points, %llu computed, %llu there before, %llu reused, %llu failed: %s\n",
           m.status == SF_OK ? "finished" : "interrupted", (unsigned long long)counts.points,
           (unsigned long long)counts.computed, (unsigned long long)counts.finished,
           (unsigned long long)counts.reused, (unsigned long long)counts.failed, a->output);
    free(m.block);
    free(m.work);
    free(m.parked);
    free(m.bytes);
    return sf_status_exit_code(m.status != SF_OK ? m.status : closed);
}

/* ---- the other ranks ------------------------------------------------------------------------------------ */

static void send_error(sf_context *context)
{
    char message[sizeof(double) + MESSAGE] = {0};
    snprintf(message + sizeof(double), MESSAGE, "%s", sf_context_message(context));
    MPI_Send(message, (int)sizeof message, MPI_BYTE, 0, TAG_ERROR, MPI_COMM_WORLD);
}

static void send_rows(double seconds, const void *rows, size_t size, char **buffer, size_t *room)
{
    if (*room < size + sizeof seconds) {
        char *grown = realloc(*buffer, size + sizeof seconds);
        if (!grown)
            MPI_Abort(MPI_COMM_WORLD, 1);
        *buffer = grown;
        *room = size + sizeof seconds;
    }
    memcpy(*buffer, &seconds, sizeof seconds);
    if (size > 0)
        memcpy(*buffer + sizeof seconds, rows, size);
    MPI_Send(*buffer, (int)(size + sizeof seconds), MPI_BYTE, 0, TAG_ROWS, MPI_COMM_WORLD);
}

static int follow(sf_context *context, sf_sweep *sweep)
{
    uint64_t *work = malloc(MOST_BLOCK * sizeof *work);
    char *buffer = NULL;
    size_t room = 0;
    int count = 1;
    if (!work)
        MPI_Abort(MPI_COMM_WORLD, 1);
    send_rows(0.0, NULL, 0, &buffer, &room);
    for (;;) {
        MPI_Status status;
        MPI_Recv(work, MOST_BLOCK, MPI_UINT64_T, 0, TAG_WORK, MPI_COMM_WORLD, &status);
        MPI_Get_count(&status, MPI_UINT64_T, &count);
        if (count == 0)
            break;
        double begin = MPI_Wtime();
        size_t size;
        void *rows;
        if (sf_sweep_compute(sweep, (size_t)count, work, &size, &rows) == SF_OK)
            send_rows(MPI_Wtime() - begin, rows, size, &buffer, &room);
        else
            send_error(context);
        sf_sweep_release(sweep, &rows);
    }
    free(work);
    free(buffer);
    return 0;
}

/* ---- all ------------------------------------------------------------------------------------------------ */

/* The text of the file, read by rank 0; NULL if it cannot be. Release with free. */
static char *share_text(const char *path, int rank)
{
    char *text = NULL;
    size_t capacity = 0;
    int64_t size = -1;
    FILE *stream = rank == 0 ? fopen(path, "rb") : NULL;
    if (stream) {
        size = getdelim(&text, &capacity, '\0', stream);
        fclose(stream);
    }
    MPI_Bcast(&size, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
    if (size < 0) {
        free(text);
        return NULL;
    }
    if (rank != 0)
        text = malloc((size_t)size + 1);
    if (!text)
        MPI_Abort(MPI_COMM_WORLD, 1);
    MPI_Bcast(text, (int)size, MPI_BYTE, 0, MPI_COMM_WORLD);
    text[size] = '\0';
    return text;
}

static int run(sf_context *context, const arguments *a, int rank, int ranks)
{
    char *text = share_text(a->file, rank);
    if (!text) {
        if (rank == 0)
            fprintf(stderr, "samflow-mpi: %s: cannot be read\n", a->file);
        return 2;
    }
    sf_sweep *sweep = NULL;
    sf_sweep_counts counts;
    sf_status status = sf_sweep_parse(context, a->file, text, a->override_count, a->overrides, &sweep);
    int mine = status == SF_OK, all;
    MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, MPI_COMM_WORLD);
    int code = sf_status_exit_code(status == SF_OK ? SF_ERR_INTERNAL : status);
    if (!all) {
        if (!mine && rank == 0)
            fprintf(stderr, "samflow-mpi: %s\n", sf_context_message(context));
    } else if (ranks == 1) {
        status = sf_sweep_run(sweep, a->output, &a->options, &counts);
        code = sf_status_exit_code(status);
        if (status != SF_OK)
            fprintf(stderr, "samflow-mpi: %s\n", sf_context_message(context));
    } else {
        code = rank == 0 ? lead(context, sweep, a, ranks) : follow(context, sweep);
    }
    sf_sweep_destroy(&sweep);
    free(text);
    return code;
}

int main(int argc, char **argv)
{
    int rank, ranks, code = 1;
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    struct sigaction action = {.sa_handler = on_interrupt};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN);
    arguments a = {.overrides = calloc((size_t)argc + 1, sizeof *a.overrides)};
    sf_context *context = NULL;
    if (a.overrides && sf_context_create(NULL, &context) == SF_OK) {
        code = read_arguments(argc, argv, &a);
        if (code == 0)
            code = run(context, &a, rank, ranks);
    }
    sf_context_destroy(&context);
    free(a.overrides);
    MPI_Finalize();
    return code;
}
