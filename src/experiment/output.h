/* Endings of output files. Private to the room experiment/. */
#ifndef SF_OUTPUT_H
#define SF_OUTPUT_H

typedef enum sf_output_format { OUTPUT_JSON, OUTPUT_CSV, OUTPUT_HDF5, OUTPUT_UNKNOWN } sf_output_format;

sf_output_format sf_output_format_of(const char *path);

#endif
