/* Results of a block as one rank sends them to another: whatever arrives, it is stored as rows of the grid, or refused. */
#include "fuzz.h"

#include "sweep/run/session.h"

static sf_sweep *sweep;
static sf_session *session;
static char path[128];

static void leave(void)
{
    sf_session_close(&session, SF_ERR_CANCELLED, NULL);
    sf_sweep_destroy(&sweep);
    unlink(path);
}

static void enter(void)
{
    static const char grid[] =
        "data: {example: [1, 2]}\ndynamics: {mode: exact}\nsweep:\n  axes:\n"
        "    network.init: {linspace: [0.3, 1.2, 30]}\n    optimizer.rho: [0.5, 1, 2]\n"
        "  observables: [regime, limit, critical_scale]\n";
    sf_sweep_options options = {.threads = 1, .rollback_journal = true};
    snprintf(path, sizeof path, "%s", fuzz_file((const uint8_t *)"", 0, "message.db"));
    unlink(path);
    fuzz_require(sf_sweep_parse(fuzz_context(), "grid.yaml", grid, 0, NULL, &sweep) == SF_OK &&
                     sf_session_open(sweep, path, &options, &session) == SF_OK,
                 sf_context_message(fuzz_context()));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int inputs;
    if (session && inputs % 2048 == 0)
        leave();
    if (!session)
        enter();
    if (inputs++ == 0)
        atexit(leave);
    sf_sweep_counts before = *sf_session_counts(session);
    sf_status status = sf_session_store(session, size, data);
    fuzz_message(status);
    if (status != SF_OK)
        fuzz_require(sf_session_counts(session)->computed <= before.computed,
                     "what is refused does not count");
    return 0;
}
