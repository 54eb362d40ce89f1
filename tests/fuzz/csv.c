/* CSV: the first byte chooses among the keys of data. */
#include "dataset.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    static const char *const labels[] = {NULL, "0", "1", "label"};
    sf_data_file spec = {.path = fuzz_file(data + 1, size - 1, "csv"),
                         .format = SF_FORMAT_CSV,
                         .label = labels[data[0] & 3],
                         .transpose = data[0] >> 2 & 1,
                         .header = (sf_header)((data[0] >> 3 & 3) % 3),
                         .has_classes = data[0] >> 5 & 1,
                         .classes = {0.0, 1.0}};
    fuzz_dataset(&spec);
    return 0;
}
