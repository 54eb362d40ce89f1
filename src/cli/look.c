/* Options that say how a figure is drawn. */
#include "cli/look.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TITLE, X_LABEL, Y_LABEL, X_LIMITS, Y_LIMITS, C_LIMITS, LOG, SIZE, FONT, STYLE };

/* "0,10", "1," or ",5". */
static bool parse_limits(const char *text, sf_limits *limits)
{
    double *ends[] = {&limits->low, &limits->high};
    *limits = (sf_limits){true, NAN, NAN};
    for (size_t i = 0; i < 2; i++) {
        const char last = i == 0 ? ',' : '\0';
        if (*text != last) {
            char *end;
            *ends[i] = strtod(text, &end);
            if (end == text || *end != last || !isfinite(*ends[i]))
                return false;
            text = end;
        }
        text += i == 0;
    }
    return !isnan(limits->low) || !isnan(limits->high);
}

static bool parse_log(const char *text, sf_look *look)
{
    for (;; text++) {
        bool *axis = *text == 'x'   ? &look->log_x
                     : *text == 'y' ? &look->log_y
                     : *text == 'c' ? &look->log_color
                                    : NULL;
        if (!axis || (text[1] != ',' && text[1] != '\0'))
            return false;
        *axis = true;
        if (*++text == '\0')
            return true;
    }
}

/* A length in cm, up to a comma or the end; 0 if it is none between 1 mm and 2 m. */
static double parse_length(const char *text, const char **end)
{
    static const struct {
        const char *name;
        double cm;
    } units[] = {{"cm", 1.0}, {"mm", 0.1}, {"in", 2.54}, {"pt", 2.54 / 72.0}};
    char *after;
    double value = strtod(text, &after);
    for (size_t i = 0; after != text && i < sizeof units / sizeof units[0]; i++)
        if (strncmp(after, units[i].name, 2) == 0) {
            *end = after + 2;
            double length = value * units[i].cm;
            return length >= 0.1 && length <= 200.0 ? length : 0.0;
        }
    return 0.0;
}

static bool parse_size(const char *text, sf_look *look)
{
    const char *end;
    look->width = parse_length(text, &end);
    if (look->width == 0.0 || *end == '\0')
        return look->width > 0.0;
    if (*end != ',')
        return false;
    look->height = parse_length(end + 1, &end);
    return look->height > 0.0 && *end == '\0';
}

/* "Helvetica,9", "Helvetica" or ",9"; the family goes into a buffer. */
static bool parse_font(const char *text, char *family, size_t size, sf_look *look)
{
    size_t length = strcspn(text, ",");
    if (length >= size || (length == 0 && text[0] == '\0'))
        return false;
    memcpy(family, text, length);
    family[length] = '\0';
    look->font = length > 0 ? family : NULL;
    if (text[length] == '\0')
        return true;
    char *end;
    look->font_size = strtod(text + length + 1, &end);
    return end != text + length + 1 && *end == '\0' && look->font_size >= 1.0 && look->font_size <= 200.0;
}

int sf_cli_look(sf_cli *cli, const sf_cli_value *values, sf_look *look)
{
    static char family[64]; // the look of the one figure that a run of the program draws
    static const char *const limits_of[] = {"xlim", "ylim", "clim"};
    sf_limits *const limits[] = {&look->x, &look->y, &look->color};
    look->title = values[TITLE].text;
    look->x_label = values[X_LABEL].text;
    look->y_label = values[Y_LABEL].text;
    for (size_t i = 0; i < 3; i++) {
        const char *text = values[X_LIMITS + i].text;
        if (text && !parse_limits(text, limits[i]))
            return sf_cli_usage(cli, "--%s is '%s', expected LOW,HIGH, such as 0,10 or 1,", limits_of[i],
                                text);
    }
    if (values[LOG].text && !parse_log(values[LOG].text, look))
        return sf_cli_usage(cli, "--log is '%s', expected x, y, c (colours) with commas between them",
                            values[LOG].text);
    if (values[SIZE].text && !parse_size(values[SIZE].text, look))
        return sf_cli_usage(cli,
                            "--size is '%s', expected WIDTH,HEIGHT in cm, mm, in or pt, such as 8.5cm,6cm",
                            values[SIZE].text);
    if (values[FONT].text && !parse_font(values[FONT].text, family, sizeof family, look))
        return sf_cli_usage(cli, "--font is '%s', expected FAMILY,POINTS, such as Helvetica,9",
                            values[FONT].text);
    const char *style = values[STYLE].text;
    for (size_t k = 0; style && sf_theme_name(k); k++)
        if (strcmp(style, sf_theme_name(k)) == 0)
            look->theme = (sf_theme)k;
    return -1;
}
