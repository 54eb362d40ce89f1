/* Running an experiment: the mode's run, and what its outcome means for the trajectory. */
#include "experiment/trajectory.h"

static sf_status run_mode(sf_experiment *experiment, sf_trajectory *trajectory)
{
    switch (sf_experiment_mode(experiment)) {
    case SF_MODE_DISCRETE:
        return sf_run_discrete(experiment, trajectory);
    case SF_MODE_FLOW:
        return sf_run_flow(experiment, trajectory);
    default:
        return sf_run_exact(experiment, trajectory);
    }
}

sf_status sf_experiment_run(sf_experiment *experiment, sf_trajectory **out)
{
    *out = NULL;
    sf_trajectory *trajectory = NULL;
    SF_TRY(sf_trajectory_create(experiment, &trajectory));
    sf_status status = run_mode(experiment, trajectory);
    sf_progress(experiment->context, 1.0, NULL);
    if (status == SF_ERR_CANCELLED)
        trajectory->status = SF_RUN_INTERRUPTED;
    if (status == SF_ERR_NUMERIC)
        trajectory->status = SF_RUN_DIVERGED;
    bool kept = status == SF_OK || status == SF_ERR_CANCELLED || status == SF_ERR_NUMERIC;
    if (!kept || trajectory->count == 0)
        sf_trajectory_destroy(&trajectory);
    *out = trajectory;
    return status;
}
