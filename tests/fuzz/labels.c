/* A file of IDX labels, for four images of 2 x 1 pixels; the first byte chooses whether classes are named. */
#include "dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t images[] = {0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8};
    static char path[128];
    if (size == 0)
        return 0;
    snprintf(path, sizeof path, "%s", fuzz_file(images, sizeof images, "idx"));
    sf_data_file spec = {.path = path,
                         .labels_path = fuzz_file(data + 1, size - 1, "labels"),
                         .format = SF_FORMAT_IDX,
                         .has_classes = data[0] & 1,
                         .classes = {0.0, 1.0}};
    fuzz_dataset(&spec);
    return 0;
}
