/* Stands in for read.c in a build without SAMFLOW_WITH_FILES. */
#include "base/base.h"
#include "data/dataset.h"

sf_status sf_dataset_read(sf_context *context, const sf_data_file *spec, sf_dataset **out)
{
    *out = NULL;
    return sf_fail(context, SF_ERR_UNAVAILABLE,
                   "%s: this samflow was built without SAMFLOW_WITH_FILES, which reads data files",
                   spec->path);
}
