/* samflow/verdict.h - what theory says of an experiment, and the direction at infinity of a flow, named and certified, or
 * "unknown".
 *
 * The flow runs to checkpoints a factor e apart in log t until its direction settles. A direction reached at a finite
 * time proves nothing by itself: an early leader may be overtaken at log t = 1e6. So a kind is named with its evidence (proved,
 * certified, measured) or withheld; src/verdict/rules.h has the rules and their reasons. Examples that are all alike are one
 * example: the flow is the same, and so is the verdict.
 */
#ifndef SAMFLOW_VERDICT_H
#define SAMFLOW_VERDICT_H

#include <samflow/margin.h>
#include <samflow/theory.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- what theory says of an experiment ------------------------------------------------------------------ */

/* What an answer rests on (src/verdict/rules.h). */
typedef enum sf_evidence {
    SF_EVIDENCE_UNKNOWN,
    SF_EVIDENCE_MEASURED, /* seen, steady as far as the run goes; no theorem says that it lasts */
    SF_EVIDENCE_CERTIFIED, /* a certificate at the state reached: KKT conditions and the approach, or an end in finite time */
    SF_EVIDENCE_PROVED /* a theorem whose conditions have been checked */
} sf_evidence;

SF_API
const char *sf_evidence_name(sf_evidence evidence); /* "unknown", "measured", "certified", "proved" */

typedef enum sf_regime {
    SF_REGIME_NONE, /* theory has none, or it is too close to call; the basis says which */
    SF_REGIME_COLLAPSE,
    SF_REGIME_MINOR_FIRST, /* grows, and a weaker feature leads before the strongest one does */
    SF_REGIME_MAJOR_FIRST  /* grows, and the strongest feature leads from the start */
} sf_regime;

SF_API
const char *sf_regime_name(sf_regime regime); /* "collapse", ...; NULL for none */

/* The window of features at one moment (theory, section 3): amplitudes are a Gaussian in mu with this centre and
 * width. */
typedef struct sf_spotlight {
    double tau, log_time, centre /* tau / (2 B) */, width /* 1 / sqrt(2 B) */;
} sf_spotlight;

/* Starts that are certain without computation, as scales (largest |weight| of the start): all features shrink at the
 * start and the flow collapses below `collapse_below`; all grow above `growth_above`; the strongest leads from the
 * start from `major_first_from` on. Equal layers alpha * 1 only, NaN otherwise. */
typedef struct sf_thresholds {
    double collapse_below, growth_above, major_first_from;
} sf_thresholds;

typedef enum sf_answer_field {
    SF_FIELD_REGIME,
    SF_FIELD_CRITICAL_SCALE,
    SF_FIELD_SPOTLIGHT,
    SF_FIELD_DOMINANCE,
    SF_FIELD_PEAK_RATIO,
    SF_FIELD_LIMIT,
    SF_FIELD_COLLAPSE,
    SF_FIELD_GATES,
    SF_FIELD_COUNT
} sf_answer_field;

typedef struct sf_prediction sf_prediction;

/* What theory says of the flow of a network from theta (L*d), without integrating the network. Where theory has no
 * answer a field is NaN, empty or unknown, and its basis says why. Errors: SF_ERR_ARGUMENT, SF_ERR_NUMERIC,
 * SF_ERR_MEMORY, SF_ERR_CANCELLED. */
SF_API
sf_status sf_predict(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                     const double *theta, sf_prediction **out);
SF_API
void sf_prediction_destroy(sf_prediction **prediction);

SF_API
sf_regime sf_prediction_regime(const sf_prediction *prediction);
/* alpha_c, as a scale: the largest |weight| of the start that is critical; and the factor from the start given. */
SF_API
double sf_prediction_critical_scale(const sf_prediction *prediction);
SF_API
double sf_prediction_critical_factor(const sf_prediction *prediction);
/* tau / B at the start, n(0) / rho. */
SF_API
double sf_prediction_spotlight(const sf_prediction *prediction);
SF_API
const sf_spotlight *sf_prediction_spotlight_path(const sf_prediction *prediction, size_t *count);
SF_API
const sf_leader *sf_prediction_dominance(const sf_prediction *prediction, size_t *count);
/* Weakest against strongest feature; NULL where theory has none. */
SF_API
const sf_peak *sf_prediction_peak(const sf_prediction *prediction);
/* tau and log t at which theta reaches 0; NaN if it does not or the time is not known. */
SF_API
double sf_prediction_collapse_tau(const sf_prediction *prediction);
SF_API
double sf_prediction_collapse_log_time(const sf_prediction *prediction);
/* The tau at which t is infinite (depth 3 and more); NaN if there is none. */
SF_API
double sf_prediction_tau_max(const sf_prediction *prediction);
SF_API
sf_thresholds sf_prediction_thresholds(const sf_prediction *prediction);
/* d gates, NULL where coordinates do not decouple. */
SF_API
const sf_gate *sf_prediction_gates(const sf_prediction *prediction);
/* index: of a basis vector, else -1. *direction: (d), of norm 1 in *norm ("l1" or "l2"), or NULL; for a point the point
 * itself, and *norm is NULL. For max_margin *norm names the problem, *nonnegative says whether it is over beta >= 0
 * (equal layers, even depth), and *direction is NULL unless it is known in closed form (one example). Pointers may be
 * NULL. */
SF_API
sf_limit_kind sf_prediction_limit(const sf_prediction *prediction, int64_t *index, const double **direction,
                                  const char **norm, bool *nonnegative);
/* PROVED where the conditions of the theorem have been checked; UNKNOWN where it is conditional (Theorem 4.2 for SAM on several
 * examples: that the loss tends to 0 and the direction converges) or data would have to be separable first. */
SF_API
sf_evidence sf_prediction_evidence(const sf_prediction *prediction);
/* The theorem or reduction that an answer rests on, or why there is none. */
SF_API
const char *sf_prediction_basis(const sf_prediction *prediction, sf_answer_field field);

/* ---- the limit of a run -------------------------------------------------------------------------------- */

typedef struct sf_limit sf_limit;

typedef struct sf_limit_options {
    size_t size;           /* sizeof(sf_limit_options) */
    double log_time;       /* the search ends here at the latest; 0: 1e6 (lp-SAM, and l2-SAM
                          and USAM of depth >= 3: 2e4), for one example 1e12 */
    double tolerance;      /* it ends when the direction changes less over a factor e in log t; 0: 1e-6 */
    double flow_tolerance; /* of the integrator; 0: its default */
} sf_limit_options;

typedef struct sf_limit_report {
    sf_limit_kind
        kind; /* also SF_LIMIT_DIRECTION (a tie: no basis vector) and SF_LIMIT_POINT (beta itself converges) */
    sf_evidence evidence; /* what the kind rests on */
    int64_t index;        /* coordinate of a basis vector, else -1 */
    sf_norm norm;         /* in which directions have length 1 */
    const double
        *direction; /* (d) the limit if it is known, else the direction reached; NULL for zero; of a point
                                beta itself */
    const double *reached; /* (d) direction at log_time; NULL if beta is 0 */
    bool nonnegative;      /* the network cannot leave beta >= 0, so its margin problem is over beta >= 0 */
    double tau, log_time;  /* where the run ended */
    double change;         /* ||direction - direction a factor e in log t earlier||; NaN if there is none */
    double distance;       /* ||reached - direction||; NaN unless the limit is known */
    double angle_l1, angle_l2,
        angle_nonnegative; /* radians from `reached` to the max-margin directions: of either norm with
                                                     free signs, of l1 over beta >= 0; NaN where there is none */
    double kkt_residual;   /* of `reached`, for the margin problem of `norm` */
    double rate_exponent, rate_constant; /* distance = constant * (log t)^-exponent over the last factor e */
    double loss_rate;                    /* d log F / d log t over the last factor e */
    double norm_rate;                    /* d ||beta|| / d log t over the last factor e */
    const char *reason; /* what the kind rests on, or why it is unknown; owned by the limit */
    bool
        weak; /* the examples are weakly separable by the predictors that the layers can express: SF_LIMIT_DIRECTION is
                  then the max-margin direction of those that can be separated, and no tie */
} sf_limit_report;

/* Finds the limit of the flow of a network from theta (L*d). options may be NULL. An integrator that gives up ends the
 * search where it stands (the answer is then rarely certain). Errors: SF_ERR_ARGUMENT, SF_ERR_MEMORY,
 * SF_ERR_CANCELLED, SF_ERR_UNAVAILABLE (built without SUNDIALS). */
SF_API
sf_status sf_limit_find(sf_context *context, sf_network *network, const sf_perturbation *perturbation,
                        const double *theta, const sf_limit_options *options, sf_limit **out);
SF_API
void sf_limit_destroy(sf_limit **limit);

/* The answer; owned by the limit. */
SF_API
const sf_limit_report *sf_limit_get(const sf_limit *limit);

#ifdef __cplusplus
}
#endif
#endif
