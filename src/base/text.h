/* Text from files: UTF-8 (RFC 3629) without control characters, before any parser sees it. */
#ifndef SF_TEXT_H
#define SF_TEXT_H

#include "base/base.h"

/* What one character is. Controls are U+0000-U+001F but tab, line feed and carriage return, U+007F, U+0080-U+009F, and
 * U+FFFE and U+FFFF, which are no characters: nothing that a person types, and what terminals obey. */
typedef enum sf_character {
    SF_CHARACTER_TEXT,
    SF_CHARACTER_BLANK,
    SF_CHARACTER_CONTROL,
    SF_CHARACTER_NOT_UTF8
} sf_character;

/* The character at text, of `left` >= 1 bytes; BLANK: tab, line feed, carriage return. *width: its bytes, 1 where it is none. */
sf_character sf_text_character(const char *text, size_t left, size_t *width);

/* Offset of the first byte that is no plain text, `length` where all is. Blanks are plain text only with `lines`. */
SF_LAB_API
size_t sf_text_plain(const char *text, size_t length, bool lines);

/* The same for a file: SF_ERR_CONFIG or whatever `status` is, with file and line, "expected " and the last word. */
SF_LAB_API
sf_status sf_text_check(sf_context *context, sf_status status, const char *source, const char *text,
                        size_t length, const char *expected);

#endif
