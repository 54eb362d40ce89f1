/* Golub's leukaemia data, from the two tables that their authors publish to one CSV.
 *
 * A table has a line for each probe, its fields apart by tabs:
 *
 *     Gene Description   Gene Accession Number   39    call   40   call   ...
 *     hum_alu_at (...)   hum_alu_at              45815  P     20958  P    ...
 *
 * the expression of each patient, a whole number, and the call of the instrument (A, M or P), which is left out; the columns are
 * named by the number of the patient. Both tables hold the same probes in the same order. The CSV has a row for each probe and
 * a column for each patient: the 38 of the first table as they stand there, then the 34 of the second by number.
 *
 *     "","V1",...,"V72"
 *     "labs",1,...          1: ALL, 0: AML
 *     "AFFX-BioB-5_at",-214,...
 *
 * Golub et al., Molecular classification of cancer, Science 286 (1999) 531-537; patients 1 to 27, 39 to 49, 55, 56, 59 and 67
 * to 72 have ALL.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "files/catalogue.h"

enum { TABLES = SF_CATALOGUE_SOURCES, MOST_FIELDS = 256, MOST_PATIENTS = 100 };

typedef struct table {
    sf_context *context;
    char *rest; // what is not read yet
    size_t number, line;
    char *field[MOST_FIELDS]; // of the line read last
    size_t fields;
    size_t column[MOST_PATIENTS]; // field of each patient, in the order to write
    long patient[MOST_PATIENTS];
    size_t patients;
} table;

static sf_status refuse(const table *t, const char *what)
{
    return sf_fail(t->context, SF_ERR_DATA, "table %zu of Golub's data, line %zu: %s", t->number, t->line,
                   what);
}

/* The next line that is not blank, cut into its fields; none at the end. */
static sf_status next_line(table *t)
{
    t->fields = 0;
    while (*t->rest && t->fields == 0) {
        char *line = t->rest;
        size_t length = strcspn(line, "\r\n");
        t->rest = line + length;
        t->line += line[length] == '\n';
        if (*t->rest)
            *t->rest++ = '\0';
        if (length == 0)
            continue;
        for (char *at = line;; *at++ = '\0') {
            if (t->fields == MOST_FIELDS)
                return refuse(t, "has more than 256 fields");
            t->field[t->fields++] = at;
            at += strcspn(at, "\t");
            if (!*at)
                break;
        }
    }
    return SF_OK;
}

static bool whole_number(const char *text, long *value)
{
    char *end;
    *value = strtol(text, &end, 10);
    return end > text && *end == '\0' && *value > -100000000 && *value < 100000000;
}

/* Which fields are patients: those whose name is a number and that a call follows. */
static sf_status read_header(table *t)
{
    SF_TRY(next_line(t));
    if (t->fields < 4 || strcmp(t->field[1], "Gene Accession Number") != 0)
        return refuse(t, "is no line of names, expected Gene Description, Gene Accession Number, ...");
    for (size_t i = 2; i + 1 < t->fields; i++)
        if (strcmp(t->field[i + 1], "call") == 0 && whole_number(t->field[i], &t->patient[t->patients])) {
            t->column[t->patients] = i;
            if (++t->patients == MOST_PATIENTS)
                return refuse(t, "names too many patients");
        }
    return SF_OK;
}

static void sort_by_number(table *t)
{
    for (size_t i = 1; i < t->patients; i++)
        for (size_t k = i; k > 0 && t->patient[k] < t->patient[k - 1]; k--) {
            long patient = t->patient[k];
            size_t column = t->column[k];
            t->patient[k] = t->patient[k - 1];
            t->column[k] = t->column[k - 1];
            t->patient[k - 1] = patient;
            t->column[k - 1] = column;
        }
}

static bool has_all(long patient)
{
    return patient <= 27 || (patient >= 39 && patient <= 49) || patient == 55 || patient == 56 ||
           patient == 59 || patient >= 67;
}

static void write_names(const table *tables, FILE *out)
{
    size_t column = 0;
    fputs("\"\"", out);
    for (size_t k = 0; k < TABLES; k++)
        for (size_t i = 0; i < tables[k].patients; i++)
            fprintf(out, ",\"V%zu\"", ++column);
    fputs("\n\"labs\"", out);
    for (size_t k = 0; k < TABLES; k++)
        for (size_t i = 0; i < tables[k].patients; i++)
            fputs(has_all(tables[k].patient[i]) ? ",1" : ",0", out);
    fputc('\n', out);
}

static sf_status write_values(const table *t, FILE *out)
{
    for (size_t i = 0; i < t->patients; i++) {
        long value;
        if (t->column[i] >= t->fields || !whole_number(t->field[t->column[i]], &value))
            return refuse(t, "an expression is missing or no whole number");
        fprintf(out, ",%ld", value);
    }
    return SF_OK;
}

sf_status sf_golub_make(sf_context *context, char *const *text, FILE *out)
{
    table tables[TABLES] = {{.context = context, .rest = text[0], .number = 1},
                            {.context = context, .rest = text[1], .number = 2}};
    for (size_t k = 0; k < TABLES; k++)
        SF_TRY(read_header(&tables[k]));
    sort_by_number(&tables[1]);
    write_names(tables, out);
    for (;;) {
        for (size_t k = 0; k < TABLES; k++)
            SF_TRY(next_line(&tables[k]));
        if (tables[0].fields == 0 && tables[1].fields == 0)
            break;
        for (size_t k = 0; k < TABLES; k++)
            if (tables[k].fields < 2 || strcmp(tables[k].field[1], tables[0].field[1]) != 0)
                return refuse(&tables[k], "has not the probe of the other table");
        fprintf(out, "\"%s\"", tables[0].field[1]);
        for (size_t k = 0; k < TABLES; k++)
            SF_TRY(write_values(&tables[k], out));
        fputc('\n', out);
    }
    return ferror(out) ? sf_fail(context, SF_ERR_IO, "Golub's data cannot be written") : SF_OK;
}
