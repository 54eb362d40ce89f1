/* Verdicts are measured: this program is linked with an engine that was broken on purpose (mutate.cmake).
 *
 * usage: mutant ID=VERDICT ...   runs each claim and compares its verdict; returns 0 if all are as said. */
#include <stdio.h>
#include <string.h>

#include <samflow/figure.h>
#include <samflow/lab.h>
#include <samflow/paper.h>
#include <samflow/report.h>

static bool verdict_is(sf_context *context, const char *expectation)
{
    char id[64];
    const char *equals = strchr(expectation, '=');
    size_t index;
    snprintf(id, sizeof id, "%.*s", equals ? (int)(equals - expectation) : 0, expectation);
    if (!equals || !sf_claim_find(id, &index)) {
        printf("%s: expected ID=VERDICT with the ID of a claim\n", expectation);
        return false;
    }
    sf_reproduction_options options = {.quick = true, .threads = 1};
    sf_reproduction *reproduction;
    if (sf_reproduction_create(context, 1, &index, &options, &reproduction) != SF_OK ||
        sf_reproduction_run(reproduction) != SF_OK) {
        printf("%s: %s\n", id, sf_context_message(context));
        return false;
    }
    const char *verdict = sf_verdict_name(sf_outcome_verdict(sf_reproduction_outcome(reproduction, 0)));
    bool same = strcmp(verdict, equals + 1) == 0;
    printf("%s is %s%s%s\n", id, verdict, same ? "" : ", expected ", same ? "" : equals + 1);
    sf_reproduction_destroy(&reproduction);
    return same;
}

int main(int argc, char **argv)
{
    sf_context *context;
    if (argc < 2 || sf_context_create(NULL, &context) != SF_OK)
        return 2;
    int wrong = 0;
    for (int i = 1; i < argc; i++)
        wrong += !verdict_is(context, argv[i]);
    sf_context_destroy(&context);
    return wrong != 0;
}
