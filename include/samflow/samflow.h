/* samflow/samflow.h - everything at once. */
#ifndef SAMFLOW_H
#define SAMFLOW_H

#include <samflow/base.h>
#include <samflow/batch.h>
#include <samflow/data.h>
#include <samflow/experiment.h>
#include <samflow/fetch.h>
#include <samflow/figure.h>
#include <samflow/flow.h>
#include <samflow/images.h>
#include <samflow/json.h>
#include <samflow/margin.h>
#include <samflow/network.h>
#include <samflow/nn.h>
#include <samflow/paper.h>
#include <samflow/report.h>
#include <samflow/sam.h>
#include <samflow/settings.h>
#include <samflow/sweep.h>
#include <samflow/theory.h>
#include <samflow/training.h>
#include <samflow/verdict.h>

#endif
