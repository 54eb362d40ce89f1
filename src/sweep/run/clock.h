/* The times of a run. */
#ifndef SF_SWEEP_CLOCK_H
#define SF_SWEEP_CLOCK_H

double sf_clock(void);    // seconds since some moment, never back
double sf_calendar(void); // seconds since the first of January 1970, UTC

#endif
