/* samflow/lab.h - the core and the laboratory, libsamflow-lab: files, settings, experiments, sweeps, networks on images. Its ABI
 * is that of one version. */
#ifndef SAMFLOW_LAB_H
#define SAMFLOW_LAB_H

#include <samflow/experiment.h>
#include <samflow/fetch.h>
#include <samflow/files.h>
#include <samflow/nn.h>
#include <samflow/samflow.h>
#include <samflow/settings.h>
#include <samflow/sweep.h>
#include <samflow/training.h>

#endif
