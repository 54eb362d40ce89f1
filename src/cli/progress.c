/* The progress bar on a terminal: one line on standard error, drawn at most ten times a second, gone when the work
 * is done or something else is to be said. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/cli.h"

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void clear(sf_cli_bar *bar)
{
    if (!bar->shown)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    bar->shown = false;
}

void sf_cli_clear_progress(const sf_cli *cli)
{
    clear(cli->bar);
}

void sf_cli_show_progress(double fraction, const char *note, void *user)
{
    enum { WIDTH = 30 };
    static const char full[] = "##############################", empty[] = "                              ";
    sf_cli *cli = user;
    sf_cli_bar *bar = cli->bar;
    sf_cli_progress_event(cli, fraction, note);
    if (cli->quiet || !isatty(STDERR_FILENO))
        return;
    if (fraction >= 1.0) {
        clear(bar);
        return;
    }
    double now = seconds();
    if (now - bar->drawn < 0.1)
        return;
    bar->drawn = now;
    bar->shown = true;
    int filled = fraction > 0.0 ? (int)(fraction * WIDTH) : 0;
    fputs("\r", stderr);
    if (isnan(fraction))
        sf_cli_print(stderr, "%.60s", note ? note : "");
    else
        sf_cli_print(stderr, "[%.*s%.*s] %3.0f%%  %.40s", filled, full, WIDTH - filled, empty,
                     100.0 * fraction, note ? note : "");
    fputs("\033[K", stderr);
    fflush(stderr);
}
