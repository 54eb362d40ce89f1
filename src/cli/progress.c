/* The progress bar on a terminal: one line on standard error, drawn at most ten times a second, gone when the work
 * is done or something else is to be said. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void sf_cli_clear_progress(sf_cli_bar *bar)
{
    if (!bar->shown)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    bar->shown = false;
}

void sf_cli_show_progress(double fraction, const char *note, void *user)
{
    enum { WIDTH = 30 };
    static const char full[] = "##############################", empty[] = "                              ";
    sf_cli_bar *bar = user;
    if (fraction >= 1.0) {
        sf_cli_clear_progress(bar);
        return;
    }
    double now = seconds();
    if (now - bar->drawn < 0.1)
        return;
    bar->drawn = now;
    bar->shown = true;
    int filled = fraction > 0.0 ? (int)(fraction * WIDTH) : 0;
    if (isnan(fraction))
        fprintf(stderr, "\r%.60s\033[K", note ? note : "");
    else
        fprintf(stderr, "\r[%.*s%.*s] %3.0f%%  %.40s\033[K", filled, full, WIDTH - filled, empty,
                100.0 * fraction, note ? note : "");
    fflush(stderr);
}
