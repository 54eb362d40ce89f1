/* Losses of images from their logits, and what they hand back to the network.
 *
 * With L = log sum_{k != y} e^{f_k - f_y} (two classes: L = -y f), the loss is log(1 + e^L) and the probability missed
 * s = 1 / (1 + e^-L); the derivatives are -s for the class itself and s e^{f_k - f_y - L} for another (two classes: -y s
 * for the one logit). All from log s, so that nothing is lost where s is e^-1000.
 */
#include <math.h>

#include "nn/network.h"

/* L of an image. */
static double log_odds_against(size_t outputs, const float *logits, int label)
{
    if (outputs == 1)
        return label == 1 ? -(double)logits[0] : (double)logits[0];
    double high = -INFINITY, sum = 0.0;
    for (size_t k = 0; k < outputs; k++)
        if ((int)k != label && !(logits[k] <= high))
            high = logits[k];
    for (size_t k = 0; k < outputs; k++)
        if ((int)k != label)
            sum += exp((double)logits[k] - high);
    return high - (double)logits[label] + log(sum);
}

double sf_nn_image_loss(size_t outputs, const float *logits, int label)
{
    return sf_log1p_exp(log_odds_against(outputs, logits, label));
}

bool sf_nn_correct(size_t outputs, const float *logits, int label)
{
    if (outputs == 1)
        return (logits[0] > 0.0f) == (label == 1);
    for (size_t k = 0; k < outputs; k++)
        if ((int)k != label && !(logits[k] < logits[label]))
            return false;
    return true;
}

/* The exponent that brings e^{highest} near 1; 0 while floats have room for it. */
static int common_exponent(double highest)
{
    const double log_2 = 0.69314718055994530942;
    double exponent = floor(highest / log_2);
    if (!(exponent < -32.0))
        return 0;
    return exponent < -1e9 ? -1000000000 : (int)exponent;
}

static void fill_seeds(size_t outputs, const float *logits, int label, double against, double derivative,
                       float *seeds)
{
    if (outputs == 1) {
        seeds[0] = (float)(label == 1 ? -derivative : derivative);
        return;
    }
    for (size_t k = 0; k < outputs; k++)
        seeds[k] = (int)k == label
                       ? (float)-derivative
                       : (float)(derivative * exp((double)logits[k] - (double)logits[label] - against));
}

double sf_nn_loss(size_t count, size_t outputs, const float *logits, const int *labels, double weight,
                  float *seeds, int *exponent)
{
    const double log_2 = 0.69314718055994530942;
    double loss = 0.0, highest = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        double against = log_odds_against(outputs, logits + i * outputs, labels[i]);
        double log_missed = -sf_log1p_exp(-against);
        loss += sf_log1p_exp(against);
        if (!(log_missed <= highest))
            highest = log_missed;
    }
    *exponent = common_exponent(highest);
    for (size_t i = 0; i < count; i++) {
        const float *row = logits + i * outputs;
        double against = log_odds_against(outputs, row, labels[i]);
        double derivative = weight * exp(-sf_log1p_exp(-against) - *exponent * log_2);
        fill_seeds(outputs, row, labels[i], against, derivative, seeds + i * outputs);
    }
    return loss;
}
