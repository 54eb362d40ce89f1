/* A few threads that wait for numbered tasks, for work of microseconds to seconds.
 *
 * A single run alternates between passes over the data and passes over the weights, each some ten
 * microseconds long, so workers spin briefly before they sleep. What a task computes may depend on its number
 * but not on the thread that runs it: then results do not depend on the number of threads. Built without
 * threads, or with one, tasks run one after another in the caller. */
#ifndef SF_POOL_H
#define SF_POOL_H

#include "base/base.h"

typedef struct sf_pool sf_pool;

/* worker: which thread runs the task, 0..threads-1, for work space of its own. */
typedef void (*sf_task_fn)(void *argument, size_t task, int worker);

/* threads: the caller included; 0: as many as the processors this process may use. One thread gives *out
 * NULL, which every function here accepts. A thread that cannot be started is done without. */
SF_LAB_API
sf_status sf_pool_create(sf_context *context, int threads, sf_pool **out);
SF_LAB_API
void sf_pool_destroy(sf_pool **pool);
SF_LAB_API
int sf_pool_threads(const sf_pool *pool);

/* Runs task(argument, 0..count-1, worker) and returns when all are done. Each thread begins with the same share of the
 * numbers every time (its data stay in its cache) and then helps the others. */
SF_LAB_API
void sf_pool_run(sf_pool *pool, size_t count, sf_task_fn task, void *argument);
/* The same; backward: every thread takes its tasks in falling order, so that it begins with the data that it left in its
 * cache when it took them in rising order. */
void sf_pool_run_order(sf_pool *pool, size_t count, bool backward, sf_task_fn task, void *argument);

/* Processors that this process may use, at least 1. */
int sf_pool_processors(void);

#endif
