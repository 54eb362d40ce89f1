/* Names, messages and exit codes of the statuses, from the one list in samflow/base.h. */
#include "base/base.h"

static const struct {
    const char *name;
    int exit_code;
    const char *message;
} table[] = {
#define SF_STATUS_ROW(name, code, text) {#name, code, text},
    SF_STATUS_LIST(SF_STATUS_ROW)
#undef SF_STATUS_ROW
};

static size_t row(sf_status status)
{
    size_t index = (size_t)status;
    return index < sizeof table / sizeof table[0] ? index : (size_t)SF_ERR_INTERNAL;
}

const char *sf_status_name(sf_status status)
{
    return table[row(status)].name;
}

const char *sf_status_message(sf_status status)
{
    return table[row(status)].message;
}

int sf_status_exit_code(sf_status status)
{
    return table[row(status)].exit_code;
}

const char *sf_version(void)
{
    return SAMFLOW_VERSION;
}

const char *sf_build_info(void)
{
    return "compiler=\"" SAMFLOW_COMPILER "\" build=" SAMFLOW_BUILD_TYPE;
}
