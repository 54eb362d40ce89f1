/* Room flow/. */
#include <samflow/flow.h>

const char *sf_event_name(sf_event_kind kind)
{
    static const char *const name[] = {"dominance", "collapse", "blow_up", "sliding"};
    return (size_t)kind < sizeof name / sizeof name[0] ? name[kind] : NULL;
}
