/* Running the program as a user would, in a folder of its own. */
#ifndef TEST_SWEEP_PROGRAM_H
#define TEST_SWEEP_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Makes a new folder and changes into it; leaves it and removes it with what it holds. */
void program_enter(void);
void program_leave(void);
void program_write(const char *name, const char *text);

/* Starts $SAMFLOW_PROGRAM with a command line cut at spaces; output goes to out.txt and err.txt. file_limit: largest
 * file in bytes, 0: none. */
pid_t program_start(const char *line, size_t file_limit);
/* The exit code, or 128 + the signal. */
int program_wait(pid_t process);
int program_run(const char *line);
void program_sleep(double seconds);

/* Whether out.txt or err.txt holds a text. */
bool program_said(const char *text);

/* First number of the first row of a query on a result file; fails the test if there is none. */
int64_t program_query(const char *file, const char *query);
/* The same with another result file attached as `other`. */
int64_t program_query_both(const char *file, const char *other, const char *query);
/* Whether two files have the same bytes. */
bool program_same(const char *a, const char *b);

#endif
