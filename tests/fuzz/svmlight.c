/* svmlight: the first byte chooses whether classes are named. */
#include "dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    sf_data_file spec = {.path = fuzz_file(data + 1, size - 1, "svm"),
                         .format = SF_FORMAT_SVMLIGHT,
                         .has_classes = data[0] & 1,
                         .classes = {-1.0, 1.0}};
    fuzz_dataset(&spec);
    return 0;
}
