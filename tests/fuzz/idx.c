/* IDX images, with labels that fit four of them. */
#include "dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t labels[] = {0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 0, 1};
    static char path[128];
    snprintf(path, sizeof path, "%s", fuzz_file(labels, sizeof labels, "labels"));
    sf_data_file spec = {.path = fuzz_file(data, size, "idx"), .labels_path = path, .format = SF_FORMAT_IDX};
    fuzz_dataset(&spec);
    return 0;
}
