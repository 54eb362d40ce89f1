/* Reads a file as a data set: what comes out is finite and has labels. */
#ifndef TEST_FUZZ_DATASET_H
#define TEST_FUZZ_DATASET_H

#include "fuzz.h"

static inline void fuzz_dataset(const sf_data_file *spec)
{
    sf_dataset *dataset = NULL;
    sf_status status = sf_dataset_read(fuzz_context(), spec, &dataset);
    fuzz_message(status);
    fuzz_require((status == SF_OK) == (dataset != NULL), "an object or a failure");
    if (status == SF_OK)
        fuzz_require(sf_dataset_examples(dataset) > 0 && sf_dataset_features(dataset) > 0,
                     "a data set of something");
    sf_dataset_destroy(&dataset);
}

#endif
