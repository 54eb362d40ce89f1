/* [+-] digits [. digits] [(e|E) [+-] digits]: sign, decimal significand w and exponent q stand for w 10^q.
 * Where w <= 2^53 and |q| <= 22, w and 10^|q| are doubles, and one rounded operation gives the correctly
 * rounded result (Clinger, "How to read floating point numbers accurately", PLDI 1990); strtod does the
 * others.
 */
#include "files/number.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

typedef struct decimal {
    uint64_t significand;
    int exponent; // of ten
    bool negative;
    bool exact; // the significand holds every digit
} decimal;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Digits from `at` on, into the significand; returns where they end. */
static const char *take_digits(const char *at, const char *end, decimal *number, bool fraction)
{
    for (; at < end && is_digit(*at); at++) {
        if (number->significand > (UINT64_MAX - 9) / 10) {
            number->exact = number->exact && *at == '0' && fraction;
            continue;
        }
        number->significand = 10 * number->significand + (uint64_t)(*at - '0');
        number->exponent -= fraction;
    }
    return at;
}

/* False if the text is not of that form. */
static bool scan(const char *at, const char *end, decimal *number)
{
    *number = (decimal){.exact = true};
    if (at < end && (*at == '+' || *at == '-'))
        number->negative = *at++ == '-';
    const char *after = take_digits(at, end, number, false);
    bool some = after > at;
    at = after;
    if (at < end && *at == '.') {
        after = take_digits(++at, end, number, true);
        some = some || after > at;
        at = after;
    }
    if (!some)
        return false;
    if (at < end && (*at == 'e' || *at == 'E')) {
        bool down = false;
        int power = 0;
        if (++at < end && (*at == '+' || *at == '-'))
            down = *at++ == '-';
        if (at == end || !is_digit(*at))
            return false;
        for (; at < end && is_digit(*at); at++)
            power = power < 100000 ? 10 * power + (*at - '0') : power;
        number->exponent += down ? -power : power;
    }
    return at == end;
}

static bool is_word(const char *at, const char *end, const char *const *words)
{
    for (; *words; words++) {
        const char *word = *words;
        const char *c = at;
        while (c < end && *word && (*c == *word || *c == *word - 'a' + 'A')) {
            c++;
            word++;
        }
        if (c == end && !*word)
            return true;
    }
    return false;
}

static sf_number_kind classify(const char *at, const char *end)
{
    static const char *const missing[] = {"", "na", "n/a", "null", "none", "?", NULL};
    static const char *const nan_words[] = {"nan", "+nan", "-nan", "nan(ind)", "-nan(ind)", NULL};
    static const char *const infinite[] = {"inf", "+inf", "-inf", "infinity", "+infinity", "-infinity", NULL};
    if (is_word(at, end, missing))
        return SF_NUMBER_MISSING;
    if (is_word(at, end, nan_words))
        return SF_NUMBER_NAN;
    return is_word(at, end, infinite) ? SF_NUMBER_INFINITE : SF_NUMBER_TEXT;
}

sf_number_kind sf_number_parse(const char *text, size_t length, double *value)
{
    static const double power[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    const char *at = text, *end = text + length;
    while (at < end && is_blank(*at))
        at++;
    while (end > at && is_blank(end[-1]))
        end--;
    *value = NAN;
    decimal number;
    if (!scan(at, end, &number))
        return classify(at, end);
    if (FLT_EVAL_METHOD == 0 && number.exact && number.significand <= (uint64_t)1 << 53 &&
        abs(number.exponent) <= 22) {
        double w = (double)number.significand;
        w = number.exponent < 0 ? w / power[-number.exponent] : w * power[number.exponent];
        *value = number.negative ? -w : w;
        return SF_NUMBER_FINITE;
    }
    *value = strtod(at, NULL);
    return isfinite(*value) ? SF_NUMBER_FINITE : SF_NUMBER_INFINITE;
}
