/* samflow/network.h - linear diagonal networks, their loss and its gradient.
 *
 * theta = (w_1, ..., w_L), each in R^d, stored layer after layer: theta[l * d + j]. Predictor
 * beta = w_1 * ... * w_L (elementwise), margins m_n = <beta, z_n>, training loss F = (1/N) sum_n ell(m_n) with
 * ell(u) = log(1 + e^{-u}) (logistic) or e^{-u} (exponential).
 *
 * The gradient is grad_{w_l} F = -G * prod_{k != l} w_k with G = (1/N) sum_n s_n z_n, s_n = -ell'(m_n) > 0. At
 * margins beyond 700 s_n underflows, so the field is returned as G = e^{log_scale} * field, where
 * field = sum_n p_n z_n, p_n = s_n / sum s (a softmax of log s_n) and log_scale = log((1/N) sum_n s_n).
 * For N = 1 the field is z_1 exactly. Source: theory of the paper, section 2 (arXiv:2603.08290).
 */
#ifndef SAMFLOW_NETWORK_H
#define SAMFLOW_NETWORK_H

#include <samflow/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The list of losses: constant and the name used in experiment files. Adding one: a row here and its formulas in
 * src/network/loss.h. */
#define SF_LOSS_LIST(X)                                                                                      \
    X(SF_LOSS_LOGISTIC, "logistic")                                                                          \
    X(SF_LOSS_EXPONENTIAL, "exponential")

typedef enum sf_loss {
#define SF_LOSS_ENUM(id, name) id,
    SF_LOSS_LIST(SF_LOSS_ENUM)
#undef SF_LOSS_ENUM
} sf_loss;

typedef struct sf_network sf_network;

/* A network of depth L >= 1 over a data set, which is borrowed and must outlive it. Holds the work space of the
 * kernels: one thread at a time. Errors: SF_ERR_ARGUMENT, SF_ERR_MEMORY. */
SF_API
sf_status sf_network_create(sf_context *context, const sf_dataset *dataset, int depth, sf_loss loss,
                            sf_network **out);
SF_API
void sf_network_destroy(sf_network **network);

/* Threads for a pass over the data: 1 (as created), more, or 0 for all processors that this process may use. Data
 * that are too small to gain stay with one. The results have the same bits for any number. Errors: SF_ERR_ARGUMENT
 * (negative), SF_ERR_MEMORY. */
SF_API
sf_status sf_network_set_threads(sf_network *network, int threads);

SF_API
const sf_dataset *sf_network_dataset(const sf_network *network);
SF_API
int sf_network_depth(const sf_network *network);
SF_API
sf_loss sf_network_loss(const sf_network *network);
SF_API
size_t sf_network_features(const sf_network *network); /* d */
SF_API
size_t sf_network_parameters(const sf_network *network); /* L * d */

/* beta (d) of theta (L*d). */
SF_API
void sf_network_predictor(const sf_network *network, const double *theta, double *beta);

/* field (d) and log_scale at a predictor beta (d); log_loss may be NULL, margins may be NULL or take N numbers.
 * One pass over the data, rows fused. */
SF_API
void sf_network_field(sf_network *network, const double *beta, double *field, double *log_scale,
                      double *log_loss, double *margins);

/* gradient (L*d) of the loss at theta, divided by e^{log_scale}; the sign is that of +grad F. */
SF_API
void sf_network_gradient(sf_network *network, const double *theta, double *gradient, double *log_scale);

/* log F and the smallest margin at a predictor. */
SF_API
void sf_network_evaluate(sf_network *network, const double *beta, double *log_loss, double *min_margin);

/* The name used in experiment files; NULL for a value that is no loss. */
SF_API
const char *sf_loss_name(sf_loss loss);

/* log s = log(-ell'(m)) and log ell(m), accurate for every finite m. */
SF_API
double sf_loss_log_slope(sf_loss loss, double margin);
SF_API
double sf_loss_log(sf_loss loss, double margin);

#ifdef __cplusplus
}
#endif
#endif
