/* How the field turns with the predictor: G = sum_n p_n z_n, p_n = s_n / sum s, r_n = d log s_n / d m_n. With
 * dm = Z dbeta,
 *
 *   dp_n = p_n (r_n dm_n - sum_k p_k r_k dm_k),   dG = sum_n p_n r_n dm_n z_n - (d log S) G,
 *   d log S = sum_k p_k r_k dm_k.
 */
#ifndef SF_FLOW_SOFTMAX_H
#define SF_FLOW_SOFTMAX_H

#include "flow/model.h"

typedef struct flow_softmax flow_softmax;

sf_status sf_flow_softmax_create(sf_context *context, sf_network *network, flow_softmax **out);
void sf_flow_softmax_destroy(flow_softmax **softmax);
/* At a predictor beta (d). */
void sf_flow_softmax_at(flow_softmax *softmax, const double *beta);
/* dG (d) for dbeta (d), which may be the same array; returns d log S. */
double sf_flow_softmax_turn(flow_softmax *softmax, const double *dbeta, double *dfield);

#endif
