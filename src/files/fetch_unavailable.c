/* Stands in for fetch.c in a build without SAMFLOW_WITH_CURL. */
#include "base/base.h"
#include "files/catalogue.h"

sf_status sf_fetch(sf_context *context, const sf_fetch_request *request)
{
    (void)request;
    return sf_fail(context, SF_ERR_UNAVAILABLE,
                   "this samflow was built without SAMFLOW_WITH_CURL, which downloads data sets");
}
