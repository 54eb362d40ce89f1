/* samflow/samflow.h - the whole core, libsamflow. */
#ifndef SAMFLOW_H
#define SAMFLOW_H

#include <samflow/base.h>
#include <samflow/batch.h>
#include <samflow/data.h>
#include <samflow/flow.h>
#include <samflow/images.h>
#include <samflow/json.h>
#include <samflow/margin.h>
#include <samflow/network.h>
#include <samflow/sam.h>
#include <samflow/theory.h>
#include <samflow/verdict.h>

#endif
