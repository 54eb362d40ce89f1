/* Text from files. What is not plain is shown as \xNN, byte by byte. */
#include "base/text.h"

#include <string.h>

/* Length of the UTF-8 sequence at c (1 to 4), 0 if it is none. */
static size_t utf8_length(const unsigned char *c, size_t left)
{
    if (c[0] < 0x80)
        return 1;
    size_t length = c[0] >= 0xc2 && c[0] < 0xe0   ? 2
                    : (c[0] & 0xf0) == 0xe0       ? 3
                    : c[0] >= 0xf0 && c[0] < 0xf5 ? 4
                                                  : 0;
    if (length == 0 || length > left)
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90);
    bool beyond = (c[0] == 0xed && c[1] >= 0xa0) || (c[0] == 0xf4 && c[1] >= 0x90);
    return overlong || beyond ? 0 : length;
}

sf_character sf_text_character(const char *text, size_t left, size_t *width)
{
    const unsigned char *c = (const unsigned char *)text;
    *width = utf8_length(c, left);
    if (*width == 0) {
        *width = 1;
        return SF_CHARACTER_NOT_UTF8;
    }
    if (*c == '\t' || *c == '\n' || *c == '\r')
        return SF_CHARACTER_BLANK;
    bool none = *width == 3 && c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe;
    return *c < 0x20 || *c == 0x7f || (*c == 0xc2 && c[1] < 0xa0) || none ? SF_CHARACTER_CONTROL
                                                                          : SF_CHARACTER_TEXT;
}

size_t sf_text_plain(const char *text, size_t length, bool lines)
{
    for (size_t i = 0, width; i < length; i += width) {
        if ((unsigned char)(text[i] - 0x20) < 0x5f) { // most of what there is
            width = 1;
            continue;
        }
        sf_character is = sf_text_character(text + i, length - i, &width);
        if (is > SF_CHARACTER_BLANK || (is == SF_CHARACTER_BLANK && !lines))
            return i;
    }
    return length;
}

sf_status sf_text_check(sf_context *context, sf_status status, const char *source, const char *text,
                        size_t length, const char *expected)
{
    size_t at = sf_text_plain(text, length, true), line = 1, width;
    if (at == length)
        return SF_OK;
    for (const char *c = text; (c = memchr(c, '\n', (size_t)(text + at - c))); c++)
        line++;
    bool control = sf_text_character(text + at, length - at, &width) == SF_CHARACTER_CONTROL;
    return sf_fail(context, status, "%s:%zu: byte 0x%02x is %s, expected %s", source, line,
                   (unsigned)(unsigned char)text[at],
                   control ? "part of a control character" : "not text in UTF-8", expected);
}

size_t sf_escape(const char *text, char *out, size_t size)
{
    size_t left = strlen(text), used = 0;
    while (left > 0 && size > 0) {
        size_t width;
        bool plain = sf_text_character(text, left, &width) == SF_CHARACTER_TEXT;
        size_t needed = plain ? width : 4 * width;
        if (used + needed >= size)
            break;
        for (size_t i = 0; i < width; i++)
            if (plain)
                out[used++] = text[i];
            else
                used +=
                    (size_t)snprintf(out + used, size - used, "\\x%02x", (unsigned)(unsigned char)text[i]);
        text += width;
        left -= width;
    }
    if (size > 0)
        out[used] = '\0';
    return used;
}
