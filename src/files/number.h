/* Decimal numbers in text. */
#ifndef SF_FILES_NUMBER_H
#define SF_FILES_NUMBER_H

#include <stdbool.h>
#include <stddef.h>

typedef enum sf_number_kind {
    SF_NUMBER_FINITE,
    SF_NUMBER_MISSING, // nothing, NA, null, ? - what programs write where there is no value
    SF_NUMBER_NAN,
    SF_NUMBER_INFINITE, // inf, or beyond the range of a double
    SF_NUMBER_TEXT      // anything else
} sf_number_kind;

/* Parses text[0, length), blanks around it allowed; text[length] must not continue a number (NUL or a blank
 * do). The result is correctly rounded. The numeric locale of the thread must be "C". */
sf_number_kind sf_number_parse(const char *text, size_t length, double *value);

#endif
