/* The comparator: from predictions and measurements to a verdict. The only place where a verdict is made. */
#include <samflow/paper.h>

#include <math.h>
#include <stdio.h>

bool sf_check_passes(const sf_check *check)
{
    double difference = check->measured - check->predicted;
    switch (check->relation) { // written so that NaN fails
    case SF_RELATION_EQUAL:
        return fabs(difference) <= check->tolerance;
    case SF_RELATION_RELATIVE:
        return fabs(difference) <= check->tolerance * fabs(check->predicted);
    case SF_RELATION_AT_MOST:
        return check->measured <= check->predicted + check->tolerance;
    case SF_RELATION_AT_LEAST:
        return check->measured >= check->predicted - check->tolerance;
    }
    return false;
}

void sf_check_value(const sf_check *check, double value, char *text, size_t size)
{
    for (size_t i = 0; check->words && check->words[i]; i++)
        if (value == (double)i) {
            snprintf(text, size, "%s", check->words[i]);
            return;
        }
    snprintf(text, size, "%.6g", value);
}

void sf_check_describe(const sf_check *check, char *text, size_t size)
{
    double p = check->predicted, t = check->tolerance;
    if (check->words) {
        sf_check_value(check, p, text, size);
        return;
    }
    switch (check->relation) {
    case SF_RELATION_EQUAL:
        snprintf(text, size, t == 0.0 ? "%.6g" : "%.6g (± %.2g)", p, t);
        break;
    case SF_RELATION_RELATIVE:
        snprintf(text, size, "%.6g (± %.2g relative)", p, t);
        break;
    case SF_RELATION_AT_MOST:
        snprintf(text, size, "at most %.6g", p + t);
        break;
    case SF_RELATION_AT_LEAST:
        snprintf(text, size, "at least %.6g", p - t);
        break;
    }
}

const char *sf_verdict_name(sf_verdict verdict)
{
    static const char *const name[] = {"not run", "reproduced", "partial", "not reproduced"};
    return (size_t)verdict < sizeof name / sizeof name[0] ? name[verdict] : NULL;
}

sf_verdict sf_verdict_of(size_t count, const sf_check *checks)
{
    size_t decisive = 0, failed = 0;
    for (size_t i = 0; i < count; i++) {
        bool passes = sf_check_passes(&checks[i]);
        if (checks[i].decisive && !passes)
            return SF_VERDICT_NOT_REPRODUCED;
        decisive += checks[i].decisive;
        failed += !passes;
    }
    if (decisive == 0)
        return SF_VERDICT_NOT_REPRODUCED;
    return failed ? SF_VERDICT_PARTIAL : SF_VERDICT_REPRODUCED;
}
