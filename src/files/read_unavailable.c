/* Stands in for read.c and images_read.c in a build without SAMFLOW_WITH_FILES. */
#include <samflow/files.h>
#include <samflow/images.h>

#include "base/base.h"
#include "data/dataset.h"

sf_status sf_dataset_read(sf_context *context, const sf_data_file *spec, sf_dataset **out)
{
    SF_OUT(context, out);
    return sf_fail(context, SF_ERR_UNAVAILABLE,
                   "%s: this samflow was built without SAMFLOW_WITH_FILES, which reads data files",
                   spec->name ? spec->name : spec->path);
}

sf_status sf_images_read(sf_context *context, const sf_image_file *spec, sf_images **out)
{
    SF_OUT(context, out);
    return sf_fail(context, SF_ERR_UNAVAILABLE,
                   "%s: this samflow was built without SAMFLOW_WITH_FILES, which reads data files",
                   spec->name ? spec->name : spec->path);
}

const char *sf_dataset_builtin(size_t index)
{
    (void)index;
    return NULL;
}
