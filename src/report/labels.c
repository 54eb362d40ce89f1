#include "report/labels.h"

#include <string.h>

const char *sf_plot_plain(const char *text, char *buffer, size_t size)
{
    size_t used = 0;
    for (; *text && used + 2 < size; text++) {
        if (strchr("_^{}@&~", *text))
            buffer[used++] = '\\';
        buffer[used++] = *text;
    }
    buffer[used] = '\0';
    return buffer;
}
