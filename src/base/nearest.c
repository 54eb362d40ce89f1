/* "Did you mean": how far two names are apart, as the number of slips of the keyboard between them (Damerau, Comm. ACM 7,
 * 1964, in the restricted form: a letter too many, one missing, a wrong one, or two neighbours exchanged). */
#include <string.h>

#include "base/base.h"

enum { LONGEST = 127, MOST_SLIPS = 3 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c == '_' ? '-' : c;
}

size_t sf_edit_distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1], width = strlen(b), height = strlen(a);
    if (width > LONGEST || height > LONGEST)
        return SIZE_MAX;
    size_t *before = rows[0], *last = rows[1], *row = rows[2]; // of a's first i - 2, i - 1, i letters
    for (size_t j = 0; j <= width; j++)
        last[j] = j;
    for (size_t i = 1; i <= height; i++) {
        row[0] = i;
        for (size_t j = 1; j <= width; j++) {
            row[j] = least(last[j - 1] + (a[i - 1] != b[j - 1]), least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *free_row = before;
        before = last;
        last = row;
        row = free_row;
    }
    return last[width];
}

/* Without regard to capitals, and to _ for -. */
static size_t loose_distance(const char *a, const char *b)
{
    char x[LONGEST + 1] = {0}, y[LONGEST + 1] = {0};
    size_t n = strlen(a), m = strlen(b);
    if (n > LONGEST || m > LONGEST)
        return SIZE_MAX;
    for (size_t i = 0; i <= n; i++)
        x[i] = lower(a[i]);
    for (size_t i = 0; i <= m; i++)
        y[i] = lower(b[i]);
    return sf_edit_distance(x, y);
}

const char *sf_nearest_name(const char *name, size_t count, const char *const *names)
{
    size_t length = strlen(name), best = least(MOST_SLIPS, length / 3 + 1) + 1;
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t slips = strcmp(name, names[i]) == 0 ? SIZE_MAX : loose_distance(name, names[i]);
        if (slips < best && slips < length) {
            best = slips;
            nearest = names[i];
        }
    }
    return nearest;
}
