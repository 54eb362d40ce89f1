#include "paper/tools.h"

#include <math.h>
#include <stdlib.h>

double sf_vector_norm(size_t n, const double *x)
{
    double high = 0.0, sum = 0.0;
    for (size_t i = 0; i < n; i++)
        high = sf_larger(high, fabs(x[i]));
    if (high == 0.0 || !isfinite(high))
        return high;
    for (size_t i = 0; i < n; i++)
        sum += x[i] / high * (x[i] / high);
    return high * sqrt(sum);
}

double sf_vector_angle(size_t n, const double *x, const double *y)
{
    // Kahan: 2 atan(|x/|x| - y/|y|| / |x/|x| + y/|y||)
    double a = sf_vector_norm(n, x), b = sf_vector_norm(n, y), minus = 0.0, plus = 0.0;
    for (size_t i = 0; i < n; i++) {
        double u = x[i] / a, v = y[i] / b;
        minus += (u - v) * (u - v);
        plus += (u + v) * (u + v);
    }
    return 2.0 * atan2(sqrt(minus), sqrt(plus));
}

double sf_larger(double a, double b)
{
    return isnan(a) || a > b ? a : b;
}

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double sf_median(size_t n, double *x)
{
    qsort(x, n, sizeof *x, compare_numbers);
    return n % 2 ? x[n / 2] : 0.5 * (x[n / 2 - 1] + x[n / 2]);
}

size_t sf_index_of_largest(size_t n, const double *x)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (x[i] > x[best])
            best = i;
    return best;
}

void sf_fill_layers(size_t d, int depth, const double *alpha, double *theta)
{
    for (size_t l = 0; l < (size_t)depth; l++)
        for (size_t j = 0; j < d; j++)
            theta[l * d + j] = alpha[j];
}

void sf_even_steps(size_t count, double low, double high, double *x)
{
    for (size_t i = 0; i < count; i++)
        x[i] = low + (high - low) * (double)i / (double)(count - 1);
}

void sf_even_ratios(size_t count, double low, double high, double *x)
{
    for (size_t i = 0; i < count; i++)
        x[i] = low * exp(log(high / low) * (double)i / (double)(count - 1));
}

sf_status sf_flow_until(sf_flow *flow, double tau, double log_time, double log_norm)
{
    sf_flow_target target = {.size = sizeof target,
                             .stops = SF_STOP_TAU | SF_STOP_LOG_TIME | SF_STOP_LOG_NORM,
                             .tau = tau,
                             .log_time = log_time,
                             .log_norm = log_norm};
    return sf_flow_advance(flow, &target);
}

sf_status sf_runge_kutta_step(sf_network *network, const sf_perturbation *perturbation, bool rescaled,
                              double h, double *theta)
{
    enum { MOST = 32 };
    static const double stage_at[] = {0.0, 0.5, 0.5, 1.0}, weight[] = {1.0, 2.0, 2.0, 1.0};
    size_t n = sf_network_parameters(network);
    double rate[MOST] = {0}, sum[MOST] = {0}, stage[MOST], theta_hat[MOST], log_scale;
    if (n > MOST)
        return SF_ERR_ARGUMENT;
    for (size_t s = 0; s < 4; s++) {
        for (size_t k = 0; k < n; k++)
            stage[k] = theta[k] + h * stage_at[s] * rate[k];
        sf_perturb(network, perturbation, stage, theta_hat, NULL);
        sf_network_gradient(network, theta_hat, rate, &log_scale);
        double scale = rescaled ? -1.0 : -exp(log_scale);
        for (size_t k = 0; k < n; k++) {
            rate[k] *= scale;
            sum[k] += weight[s] * rate[k];
        }
    }
    for (size_t k = 0; k < n; k++)
        theta[k] += h / 6.0 * sum[k];
    return SF_OK;
}

sf_status sf_record_path(sf_outcome *out, sf_flow *flow, size_t d, path_clock clock, size_t count,
                         const double *at, flow_path *path)
{
    *path = (flow_path){.count = count,
                        .d = d,
                        .tau = sf_claim_doubles(out, count),
                        .log_time = sf_claim_doubles(out, count),
                        .log_loss = sf_claim_doubles(out, count),
                        .beta = sf_claim_doubles(out, count * d),
                        .log_beta = sf_claim_doubles(out, count * d)};
    double *beta = sf_claim_doubles(out, d), *log_beta = sf_claim_doubles(out, d);
    if (!path->tau || !path->log_time || !path->log_loss || !path->beta || !path->log_beta || !beta ||
        !log_beta)
        return SF_ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        SF_TRY(sf_flow_until(flow, clock == CLOCK_TAU ? at[i] : INFINITY,
                             clock == CLOCK_TAU ? INFINITY : at[i], INFINITY));
        path->tau[i] = sf_flow_tau(flow);
        path->log_time[i] = sf_flow_log_time(flow);
        sf_flow_evaluate(flow, &path->log_loss[i], NULL, NULL);
        sf_flow_predictor(flow, beta, log_beta);
        for (size_t j = 0; j < d; j++) {
            path->beta[j * count + i] = beta[j];
            path->log_beta[j * count + i] = log_beta[j];
        }
    }
    return SF_OK;
}

size_t sf_leaders_of(const sf_flow *flow, size_t first, size_t room, leader *leaders)
{
    size_t event_count, count = 0;
    const sf_event *events = sf_flow_events(flow, &event_count);
    leaders[count++] = (leader){first, 0.0, -INFINITY};
    for (size_t i = 0; i < event_count; i++) {
        if (events[i].kind != SF_EVENT_DOMINANCE)
            continue;
        if (count == 1)
            leaders[0].index = (size_t)events[i].from; // who led from the start on
        if (count < room)
            leaders[count] = (leader){(size_t)events[i].to, events[i].tau, events[i].log_time};
        count++;
    }
    return count < room ? count : room;
}
