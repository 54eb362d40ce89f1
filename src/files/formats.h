/* The readers of the formats; each takes an open input at its beginning. Their contract is that of
 * sf_dataset_read. */
#ifndef SF_FILES_FORMATS_H
#define SF_FILES_FORMATS_H

#include "data/dataset.h"
#include "files/input.h"
#include "files/labels.h"
#include <samflow/files.h>

sf_status sf_read_csv(sf_input *input, const sf_data_file *spec, sf_labels *labels, sf_dataset **out);
sf_status sf_read_arff(sf_input *input, const sf_data_file *spec, sf_labels *labels, sf_dataset **out);
sf_status sf_read_svmlight(sf_input *input, const sf_data_file *spec, sf_labels *labels, sf_dataset **out);
sf_status sf_read_idx(sf_input *input, const sf_data_file *spec, sf_labels *labels, sf_dataset **out);

/* True if the bytes could begin an IDX file. */
bool sf_is_idx(const char *bytes, size_t count);

#endif
