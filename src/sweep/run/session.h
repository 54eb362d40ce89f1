/* The writer's side of a run: which points to hand out, and how results get into the file. */
#ifndef SF_SWEEP_SESSION_H
#define SF_SWEEP_SESSION_H

#include "sweep/run/sweep.h"

/* Commits what is pending. */
sf_status sf_session_commit(sf_session *session);
const sf_sweep_counts *sf_session_counts(const sf_session *session);

#endif
