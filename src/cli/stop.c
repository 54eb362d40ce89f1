/* Stopping. A signal sets the flag that long computations poll; they come back with what they have, and the command writes
 * it. What does not come back is ended after 0.9 s, so that no request goes unheeded: result files appear under their names
 * only when complete, and those of sweeps are transactions, so nothing written is lost by it. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

#define PATIENCE                                                                                             \
    0.9 // seconds from the request to the end; SAMFLOW_PATIENCE gives slow machines (tests under load) more
#define ONE_REQUEST 0.3 // signals closer than this are one: `timeout` sends its own twice

static volatile double patience = PATIENCE;
static sf_flag stop;                         // polled by the library
static volatile sig_atomic_t number_of_stop; // the first signal
static volatile double asked;                // when, in seconds; written before `stop`
static const char *volatile remembered;

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void set_alarm(double after)
{
    struct itimerval timer = {0};
    timer.it_value.tv_sec = (time_t)after;
    timer.it_value.tv_usec = (suseconds_t)((after - (double)(time_t)after) * 1e6);
    setitimer(ITIMER_REAL, &timer, NULL);
}

static void leave(void)
{
    if (remembered)
        unlink(remembered);
    _exit(128 + (int)number_of_stop);
}

static void on_signal(int number)
{
    int kept = errno;
    if (stop && (number == SIGALRM || seconds() - asked > ONE_REQUEST))
        leave();
    if (!stop) {
        asked = seconds();
        number_of_stop = number == SIGINT ? SIGINT : SIGTERM;
        stop = 1;
        set_alarm(patience);
    }
    errno = kept;
}

void sf_cli_watch_signals(sf_cli *cli)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM};
    struct sigaction action = {.sa_handler = on_signal};
    const char *given = getenv("SAMFLOW_PATIENCE");
    double asked_for = given ? strtod(given, NULL) : 0.0;
    if (asked_for > 0.0 && asked_for < 1e6)
        patience = asked_for;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaddset(&action.sa_mask, numbers[i]);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        sigaction(numbers[i], &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); // a file that may not grow is an error of writing, said as one
    sf_context_set_cancel(cli->context, &stop);
    if (cli->max_seconds > 0.0)
        set_alarm(cli->max_seconds);
}

bool sf_cli_stopped(void)
{
    return stop != 0;
}

void sf_cli_delivers(void)
{
    set_alarm(0.0);
}

void sf_cli_remember_file(const char *path)
{
    remembered = path;
}

void sf_cli_forget_file(void)
{
    remembered = NULL;
}

int sf_cli_exit_code(int code)
{
    int cancelled = sf_status_exit_code(SF_ERR_CANCELLED);
    return stop && (code == 0 || code == cancelled) ? 128 + (int)number_of_stop : code;
}
