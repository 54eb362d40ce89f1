/* How a figure is drawn: themes, sizes, letters, and what LaTeX needs of a text.
 *
 * Sizes: a figure has pixels at 96 per inch of its own; a width or height in centimetres replaces them, in every format.
 * Letters: gnuplot counts those of SVG in pixels, those of PNG and PDF in points (4/3 of a pixel).
 * Dark backgrounds: greys are turned over; a colour that is too dark there is mixed with white until it stands out. */
#include "report/plot.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

static const struct {
    const char *name, *font;
    double points; // of letters; 0: as the figure has them
    double scale;  // of lines, points and, where points is 0, letters
    unsigned background;
} themes[] = {
    [SF_THEME_SCREEN] = {"screen", "sans-serif", 0.0, 1.0, 0xffffff},
    [SF_THEME_PAPER] = {"paper", "serif", 8.0, 0.6, 0xffffff},
    [SF_THEME_TALK] = {"talk", "sans-serif", 0.0, 1.5, 0xffffff},
    [SF_THEME_DARK] = {"dark", "sans-serif", 0.0, 1.0, 0x14171c},
};

const char *sf_theme_name(size_t theme)
{
    return theme < sizeof themes / sizeof themes[0] ? themes[theme].name : NULL;
}

/* ---- what a figure can have ---------------------------------------------------------------------------- */

static bool is_family(const char *font)
{
    if (!*font)
        return false;
    for (; *font; font++)
        if (!isalnum((unsigned char)*font) && !strchr(" -", *font))
            return false;
    return true;
}

static bool is_range(const sf_limits *limits)
{
    return !limits->set || isnan(limits->low) || isnan(limits->high) || limits->low < limits->high;
}

/* Cells lie evenly on the axes that they were made for. */
static bool has_cells(const sf_figure *figure, bool with_negative_numbers)
{
    for (size_t p = 0; p < sf_figure_panels(figure); p++) {
        sf_panel panel = sf_figure_get_panel(figure, p);
        for (size_t i = 0; i < panel.layer_count; i++) {
            const sf_layer *layer = &panel.layers[i];
            if (layer->kind != SF_LAYER_CELLS)
                continue;
            bool found = !with_negative_numbers || layer->palette != SF_PALETTE_SEQUENTIAL;
            for (size_t k = 0; !found && k < layer->nx * layer->ny; k++)
                found = layer->u[k] <= 0.0;
            if (found)
                return true;
        }
    }
    return false;
}

sf_status sf_look_check(sf_context *context, const sf_figure *figure, const sf_look *look)
{
    const struct {
        const char *name;
        const sf_limits *limits;
    } ranges[] = {{"x", &look->x}, {"y", &look->y}, {"colours", &look->color}};
    for (size_t i = 0; i < 3; i++)
        if (!is_range(ranges[i].limits))
            return sf_fail(context, SF_ERR_USAGE, "limits of %s are %g and %g, expected the lower one first",
                           ranges[i].name, ranges[i].limits->low, ranges[i].limits->high);
    if (look->font && !is_family(look->font))
        return sf_fail(context, SF_ERR_USAGE,
                       "the font is '%s', expected the name of a family: letters, digits, spaces, hyphens",
                       look->font);
    if ((look->log_x || look->log_y) && has_cells(figure, false))
        return sf_fail(
            context, SF_ERR_USAGE,
            "the axes of this figure are those of its cells: a logarithmic axis takes values in equal "
            "ratios (logspace in the sweep)");
    if (look->log_color && has_cells(figure, true))
        return sf_fail(context, SF_ERR_USAGE,
                       "colours cannot be logarithmic here: expected numbers above 0 in all cells");
    return SF_OK;
}

/* ---- colours ------------------------------------------------------------------------------------------- */

/* Perceived lightness, roughly: 0 to 1. */
static double lightness(const double *rgb)
{
    return (0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2]) / 255.0;
}

unsigned sf_look_color(const sf_look *look, unsigned color)
{
    const double enough = 0.55;
    double rgb[] = {color >> 16 & 255U, color >> 8 & 255U, color & 255U}, light = lightness(rgb);
    if (look->theme != SF_THEME_DARK || (light >= enough && color != 0xc8c8c8))
        return color;
    if (rgb[0] == rgb[1] && rgb[1] == rgb[2])
        return (unsigned)lround(0.9 * (255.0 - rgb[0])) * 0x010101U;
    const double part = (enough - light) / (1.0 - light); // of white
    unsigned mixed = 0;
    for (size_t i = 0; i < 3; i++)
        mixed = mixed << 8 | (unsigned)lround(rgb[i] + part * (255.0 - rgb[i]));
    return mixed;
}

/* ---- terminals ----------------------------------------------------------------------------------------- */

void sf_look_write_terminals(FILE *file, const sf_look *look, int columns, int width, int height, int font)
{
    const double pixel = 2.54 / 96.0; // in cm
    double across = look->width, down = look->height, scale = themes[look->theme].scale;
    double points = look->font_size > 0.0 ? look->font_size : themes[look->theme].points;
    const char *family = look->font ? look->font : themes[look->theme].font;
    const unsigned background = themes[look->theme].background, ink = sf_look_color(look, 0x000000);
    if (across <= 0.0 && down <= 0.0 && look->theme == SF_THEME_PAPER)
        across = columns > 1 ? 17.0 : 8.5;
    if (across <= 0.0)
        across = down > 0.0 ? down * width / height : width * pixel;
    if (down <= 0.0)
        down = across * height / width;
    // where nobody says how large the letters are, all formats take the same number
    double in_pixels = points > 0.0 ? points * 96.0 / 72.0 : font * scale;
    double in_points = points > 0.0 ? points : font * scale;
    double pixels_across = across / pixel, pixels_down = down / pixel;
    fprintf(
        file,
        "if (ending eq 'svg') set terminal svg size %.0f,%.0f standalone font '%s,%.3g' linewidth %g "
        "background '#%06x' enhanced\n"
        "if (ending eq 'png') set terminal pngcairo size %.0f,%.0f font '%s,%.3g' fontscale 2 linewidth %g "
        "pointscale %g background '#%06x' enhanced\n"
        "if (ending eq 'pdf') set terminal pdfcairo size %.3fin,%.3fin font '%s,%.3g' linewidth %g "
        "pointscale %g background '#%06x' enhanced\n"
        "if (ending eq 'tex') set terminal cairolatex pdf input colortext size %.3fin,%.3fin linewidth %g "
        "pointscale %g background '#%06x'\n",
        pixels_across, pixels_down, family, in_pixels, scale, background, 2.0 * pixels_across,
        2.0 * pixels_down, family, in_points, 2.0 * scale, 2.0 * scale, background, across / 2.54,
        down / 2.54, family, in_points, scale, scale, background, across / 2.54, down / 2.54, scale, scale,
        background);
    fprintf(file,
            "letters = ending eq 'svg' ? %.4g : %.4g\nsmall = sprintf(',%%.3g', letters * %.4g)\n"
            "set title font sprintf(',%%.3g', letters * %.4g) tc rgb '#%06x'\n",
            in_pixels, in_points, 10.0 / font, (font + 1.0) / font, ink);
}

/* ---- texts --------------------------------------------------------------------------------------------- */

static const struct {
    const char *plain, *latex;
} symbols[] = {
    {"α", "$\\alpha$"},  {"β", "$\\beta$"},   {"γ", "$\\gamma$"}, {"ε", "$\\varepsilon$"},
    {"η", "$\\eta$"},    {"θ", "$\\theta$"},  {"κ", "$\\kappa$"}, {"λ", "$\\lambda$"},
    {"μ", "$\\mu$"},     {"ρ", "$\\rho$"},    {"σ", "$\\sigma$"}, {"τ", "$\\tau$"},
    {"φ", "$\\varphi$"}, {"Σ", "$\\Sigma$"},  {"Π", "$\\Pi$"},    {"∇", "$\\nabla$"},
    {"ℓ", "$\\ell$"},    {"∞", "$\\infty$"},  {"‖", "$\\|$"},     {"±", "$\\pm$"},
    {"×", "$\\times$"},  {"·", "$\\cdot$"},   {"−", "$-$"},       {"√", "$\\surd$"},
    {"∝", "$\\propto$"}, {"≈", "$\\approx$"}, {"≤", "$\\le$"},    {"≥", "$\\ge$"},
    {"→", "$\\to$"},     {"²", "$^2$"},       {"³", "$^3$"},      {"₁", "$_1$"},
    {"₂", "$_2$"},       {"…", "\\dots "},    {"⊙", "$\\odot$"},  {"<", "$<$"},
    {">", "$>$"},        {"|", "$|$"},        {"%", "\\%"},       {"#", "\\#"},
    {"&", "\\&"},        {"$", "\\$"},        {"~", "$\\sim$"},   {"'", "''"},
    {"\n", " "},
};

/* Writes the symbol at *text and steps over it; false if it is none. */
static bool write_symbol(FILE *file, const char **text)
{
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++) {
        size_t length = strlen(symbols[i].plain);
        if (strncmp(*text, symbols[i].plain, length) == 0) {
            fputs(symbols[i].latex, file);
            *text += length;
            return true;
        }
    }
    return false;
}

/* One letter, whatever bytes it has. */
static void write_letter(FILE *file, const char **text)
{
    do
        putc(*(*text)++, file);
    while ((**text & 0xc0) == 0x80);
}

/* gnuplot's markup is that of LaTeX, but for the dollars: "β_j" -> "$\beta$$_{j}$", "10^{-3}" -> "10$^{-3}$". */
static void write_latex(FILE *file, const char *text)
{
    while (*text) {
        if (*text != '_' && *text != '^') {
            if (!write_symbol(file, &text))
                write_letter(file, &text);
            continue;
        }
        fprintf(file, "$%c{\\mbox{\\scriptsize ", *text++);
        if (*text == '{') {
            for (text++; *text && *text != '}';)
                if (!write_symbol(file, &text))
                    write_letter(file, &text);
            text += *text == '}';
        } else if (*text && !write_symbol(file, &text)) {
            write_letter(file, &text);
        }
        fputs("}}$", file);
    }
}

void sf_look_write_text(FILE *file, const char *text)
{
    bool plain = true;
    for (const char *c = text; c && *c; c++)
        plain = plain && (isalnum((unsigned char)*c) || strchr(" .,:;()/=+-", *c));
    fputs(plain ? "'" : "T('", file);
    for (const char *c = text; c && *c; c++) {
        if (*c == '\'')
            putc('\'', file);
        if (strchr("&@~", *c)) // markup of gnuplot's own that no text here means
            putc('\\', file);
        putc(*c == '\n' ? ' ' : *c, file);
    }
    putc('\'', file);
    if (plain)
        return;
    fputs(", '", file);
    write_latex(file, text);
    fputs("')", file);
}
