/* Private face of the room report/: the kinds of figures of trajectories, each into job->figure. */
#ifndef SF_REPORT_KINDS_H
#define SF_REPORT_KINDS_H

#include "report/runs.h"

/* Against time: |beta_j| or shares, one panel a run; and losses, all in one. Errors: SF_ERR_MEMORY. */
sf_status sf_plot_features(plot_job *job);
sf_status sf_plot_loss(plot_job *job);
/* The plane of beta, d = 2. Errors: SF_ERR_USAGE, SF_ERR_MEMORY. */
sf_status sf_plot_plane(plot_job *job);
/* The figures of cells. Errors: SF_ERR_USAGE, SF_ERR_DATA, SF_ERR_MEMORY. */
sf_status sf_plot_spotlight(plot_job *job);
sf_status sf_plot_images(plot_job *job);

#endif
