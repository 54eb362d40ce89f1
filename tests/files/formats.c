/* Each file format as it should be read: every spelling, plain and gzipped, against numbers written down here. */
#include "files.h"

#include <locale.h>

#include "files/number.h"

/* Reads and compares: n examples of d features, x row by row, labels. Plain and gzipped. */
static void expect(const char *folder, const char *name, const void *bytes, size_t count, sf_data_file spec,
                   size_t n, size_t d, const double *x, const int *labels)
{
    for (int gz = 0; gz < 2; gz++) {
        sf_context *context = test_context();
        char path[PATH_BYTES], full[64];
        double z[16];
        sf_dataset *dataset;
        snprintf(full, sizeof full, "%s%s", name, gz ? ".gz" : "");
        write_file(folder, full, bytes, count, gz, path);
        spec.path = path;
        assert_ok(context, sf_dataset_read(context, &spec, &dataset));
        assert_int_equal(sf_dataset_examples(dataset), n);
        assert_int_equal(sf_dataset_features(dataset), d);
        for (size_t i = 0; i < n; i++) {
            assert_int_equal(sf_dataset_labels(dataset)[i], labels[i]);
            sf_dataset_example(dataset, i, z);
            for (size_t j = 0; j < d; j++)
                assert_absolute(labels[i] * z[j], x[i * d + j], 0.0);
        }
        sf_dataset_destroy(&dataset);
        sf_context_destroy(&context);
    }
}

static void expect_text(const char *folder, const char *name, const char *text, sf_data_file spec, size_t n,
                        size_t d, const double *x, const int *labels)
{
    expect(folder, name, text, strlen(text), spec, n, d, x, labels);
}

/* ---- CSV ----------------------------------------------------------------------------------------------- */

static const double two[4] = {1.5, -2.0, 3.0, 0.25};
static const int plus_minus[2] = {1, -1};

static void test_csv_layouts(void **state)
{
    static const struct {
        const char *text;
        const char *label;
    } same[] = {
        {"1.5,-2,1\n3,0.25,0\n", NULL},        // plain
        {"a,b,y\n1.5,-2,1\n3,0.25,0\n", NULL}, // header
        {"\xEF\xBB\xBF"
         "a,b,y\r\n1.5,-2,1\r\n3,0.25,0",
         NULL},                                                 // byte order mark, CRLF, no last line feed
        {"a,y,b\n1.5,1,-2\n3,0,0.25\n", "y"},                   // label by name
        {"a,y,b\n1.5,1,-2\n3,0,0.25\n", "1"},                   // by number
        {"1,1.5,-2\n0,3,0.25\n", "0"},                          // first
        {"\n\n\"1.5\",\" -2 \",\"1\"\n\n3, 0.25 ,0\n\n", NULL}, // quotes, blanks, blank lines
        {"\"a, with comma\",\"b\"\"quoted\"\"\",y\n1.5,-2,1\n3,0.25,0\n", "2"},
        {"\"a\nover two lines\",b,y\n1.5,-2,1\n3,0.25,0\n", "y"},
        {"1.5;-2;1\n3;0.25;0\n", NULL},                                     // semicolons
        {"a\tb\ty\n1.5\t-2\t1\n3\t0.25\t0\n", NULL},                        // tabs
        {"\"\",\"a\",\"b\",\"y\"\n\"1\",1.5,-2,1\n\"2\",3,0.25,0\n", NULL}, // row numbers under an empty name
        {"\"\",\"a\",\"b\",\"y\"\n\"1\",1.5,-2,1\n\"2\",3,0.25,0\n",
         "2"},                                             // which column numbers do not count
        {"a,b,y\nr1,1.5,-2,1\nr2,3,0.25,0\n", "y"},        // row names, header one short
        {"r1,1.5,-2,1\nr2,3,0.25,0\n", NULL},              // row names, no header
        {",0,1,label\n0,1.5,-2,1\n1,3,0.25,0\n", "label"}, // numbers for names
        {"1.5,-2,tumor\n3,0.25,normal\n", NULL},           // labels in text, by byte order
        {"a,b,y\n1.5,-2,tumor\n3,0.25,normal\n", "y"},
        {"1.5,1,-2\n3,0,0.25\n", "1"},         // a number, though the first line has a 1
        {"a;b;y\n1,5;-2;1\n3;0,25;0\n", NULL}, // decimal commas
        {"1,5;-2;1\n3;0,25;0\n", NULL},        // in the first line, which has as many commas as semicolons
        {"sep=;\na;b;y\n1.5;-2;1\n3;0.25;0\n", NULL}, // as Excel is told
        {"+1.5e0,-.2E1,1\n300.e-2,2500e-4,0\n", NULL}};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        print_message("layout %zu\n", i);
        expect_text(*state, "layout.csv", same[i].text, (sf_data_file){.label = same[i].label}, 2, 2, two,
                    plus_minus);
    }
}

static void test_csv_transposed(void **state)
{
    static const struct {
        const char *text;
        const char *label;
    } same[] = {{"1.5,3\n-2,0.25\n1,0\n", NULL},
                {"\"\",\"V1\",\"V2\"\n\"labs\",1,0\n\"g1\",1.5,3\n\"g2\",-2,0.25\n", "labs"},
                {"\"\",\"V1\",\"V2\"\n\"labs\",1,0\n\"g1\",1.5,3\n\"g2\",-2,0.25\n", "0"},
                {"labs,1,0\ng1,1.5,3\ng2,-2,0.25\n", "labs"},
                {"g1,1.5,3\ng2,-2,0.25\nlabs,1,0\n", NULL},
                {"g1,1.5,3\nlabs,1,0\ng2,-2,0.25\n", "1"},
                {"V1,V2\ng1,1.5,3\ng2,-2,0.25\nlabs,ALL,AML\n", "2"},
                {"1,0\n1.5,3\n-2,0.25\n", "0"}};
    const int all_is_minus[2] = {-1, 1};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        print_message("transposed layout %zu\n", i);
        expect_text(*state, "transposed.csv", same[i].text,
                    (sf_data_file){.label = same[i].label, .transpose = true}, 2, 2, two,
                    i == 6 ? all_is_minus : plus_minus);
    }
}

static void test_csv_classes(void **state)
{
    const char *text = "1,2,7\n3,4,5\n5,6,9\n7,8,7\n";
    const double kept[6] = {1, 2, 5, 6, 7, 8};
    const int labels[3] = {1, -1, 1}, other[3] = {-1, 1, -1};
    expect_text(*state, "classes.csv", text, (sf_data_file){.has_classes = true, .classes = {9, 7}}, 3, 2,
                kept, labels);
    expect_text(*state, "classes.csv", text, (sf_data_file){.has_classes = true, .classes = {7, 9}}, 3, 2,
                kept, other);
    const char *across = "1,3,5,7\n2,4,6,8\n7,5,9,7\n";
    expect_text(*state, "across.csv", across,
                (sf_data_file){.has_classes = true, .classes = {9, 7}, .transpose = true}, 3, 2, kept,
                labels);
}

static void test_label_names(void **state)
{
    sf_context *context = test_context();
    char path[PATH_BYTES];
    const char *text = "1,ALL\n2,AML\n3,ALL\n";
    write_file(*state, "names.csv", text, strlen(text), false, path);
    sf_data_file spec = {.path = path};
    sf_dataset *dataset;
    sf_dataset_info info;
    assert_ok(context, sf_dataset_read(context, &spec, &dataset));
    assert_ok(context, sf_dataset_describe(dataset, &info));
    assert_string_equal(info.label_name[0], "ALL");
    assert_string_equal(info.label_name[1], "AML");
    assert_true(info.raw_label[0] == 0.0 && info.raw_label[1] == 1.0);
    assert_int_equal(info.count[0], 2);
    sf_dataset_destroy(&dataset);
    sf_context_destroy(&context);
}

/* A program under a locale with a decimal comma reads the same numbers. */
static void test_locale(void **state)
{
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8")) {
        print_message("skipped: no locale with a decimal comma here\n");
        skip();
    }
    const double x[2] = {0.12345678901234568, 1.5};
    expect_text(*state, "locale.csv", "0.12345678901234568,1\n1.5,0\n", (sf_data_file){0}, 2, 1, x,
                plus_minus);
    setlocale(LC_NUMERIC, "C");
}

/* ---- numbers ------------------------------------------------------------------------------------------- */

/* The fast path against strtod, which is correctly rounded in glibc; %.17g, %g and long digit strings of random doubles. */
static void test_numbers(void **state)
{
    (void)state;
    sf_random random = sf_random_make(31, 0);
    static const char *const format[] = {"%.17g", "%.6g", "%.3f", "%.15e", "%.25g"};
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = sf_random_bits(&random);
        double value, parsed;
        char text[512];
        memcpy(&value, &bits, sizeof value);
        if (i % 2)
            value = sf_random_normal(&random) * 1000.0;
        if (!isfinite(value))
            continue;
        int length = snprintf(text, sizeof text, format[i % 5], value);
        double expected = strtod(text, NULL);
        sf_number_kind kind = sf_number_parse(text, (size_t)length, &parsed);
        assert_int_equal(kind, isfinite(expected) ? SF_NUMBER_FINITE : SF_NUMBER_INFINITE);
        if (isfinite(expected))
            assert_true(memcmp(&parsed, &expected, sizeof parsed) == 0);
    }
}

static void test_number_kinds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        sf_number_kind kind;
    } known[] = {{"", SF_NUMBER_MISSING},
                 {"  ", SF_NUMBER_MISSING},
                 {"NA", SF_NUMBER_MISSING},
                 {"?", SF_NUMBER_MISSING},
                 {"nan", SF_NUMBER_NAN},
                 {"-NaN", SF_NUMBER_NAN},
                 {"inf", SF_NUMBER_INFINITE},
                 {"-Infinity", SF_NUMBER_INFINITE},
                 {"1e999", SF_NUMBER_INFINITE},
                 {"1e-999", SF_NUMBER_FINITE},
                 {"1e99999999999", SF_NUMBER_INFINITE},
                 {"0x10", SF_NUMBER_TEXT},
                 {"1,5", SF_NUMBER_TEXT},
                 {"1e", SF_NUMBER_TEXT},
                 {".", SF_NUMBER_TEXT},
                 {"+", SF_NUMBER_TEXT},
                 {"1 2", SF_NUMBER_TEXT},
                 {"--1", SF_NUMBER_TEXT},
                 {"1d3", SF_NUMBER_TEXT},
                 {" 7\r", SF_NUMBER_FINITE},
                 {"-.5", SF_NUMBER_FINITE},
                 {"5.", SF_NUMBER_FINITE},
                 {"nano", SF_NUMBER_TEXT},
                 {"information", SF_NUMBER_TEXT}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        double value;
        print_message("'%s'\n", known[i].text);
        assert_int_equal(sf_number_parse(known[i].text, strlen(known[i].text), &value), known[i].kind);
        assert_true((known[i].kind == SF_NUMBER_FINITE) == isfinite(value) ||
                    known[i].kind == SF_NUMBER_INFINITE);
    }
}

/* ---- svmlight ------------------------------------------------------------------------------------------ */

static void test_svmlight(void **state)
{
    const char *text = "# a comment\n"
                       "+1 qid:3 1:1.5 2:-2 # named\r\n"
                       "\n"
                       "  -1\t1:3\t 2:0.25 4:1e1#tight\n"
                       "1\n"
                       "-1 3:0";
    const double x[16] = {1.5, -2, 0, 0, 3, 0.25, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0};
    const int labels[4] = {1, -1, 1, -1};
    expect_text(*state, "data.svm", text, (sf_data_file){0}, 4, 4, x, labels);
    expect_text(*state, "data.libsvm", text, (sf_data_file){0}, 4, 4, x, labels);
    // d is that of the file, whichever examples stay
    const double kept[8] = {1, 0, 0, 0, 0, 2, 0, 0};
    expect_text(*state, "more.svmlight", "3 1:1\n5 4:9\n7 2:2\n",
                (sf_data_file){.has_classes = true, .classes = {7, 3}}, 2, 4, kept, plus_minus);
}

/* ---- IDX ----------------------------------------------------------------------------------------------- */

/* Two examples of 1 x 2 elements and their labels, in each element type. */
static void test_idx(void **state)
{
    static const struct {
        unsigned char type;
        size_t bytes;
        unsigned char element[32];
        double x[4];
    } known[] = {
        {0x08, 4, {0, 255, 128, 1}, {0, 255, 128, 1}},
        {0x09, 4, {0, 255, 128, 127}, {0, -1, -128, 127}},
        {0x0B, 8, {0x01, 0x02, 0xFF, 0xFF, 0x80, 0x00, 0x7F, 0xFF}, {258, -1, -32768, 32767}},
        {0x0C,
         16,
         {0, 1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFE, 0x80, 0, 0, 0, 0x7F, 0xFF, 0xFF, 0xFF},
         {65536, -2, -2147483648.0, 2147483647}},
        {0x0D, 16, {0x3F, 0x80, 0, 0, 0xC0, 0x20, 0, 0, 0, 0, 0, 0, 0x3E, 0x80, 0, 0}, {1, -2.5, 0, 0.25}},
        {0x0E,
         32,
         {0x3F, 0xF0, 0, 0, 0, 0, 0, 0, 0xC0, 0x04, 0,    0,    0,    0,    0,    0,
          0,    0,    0, 0, 0, 0, 0, 0, 0x3F, 0xB9, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9A},
         {1, -2.5, 0, 0.1}}};
    const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 9, 4};
    char labels_path[PATH_BYTES];
    write_file(*state, "labels-idx1-ubyte", labels, sizeof labels, false, labels_path);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        unsigned char bytes[64] = {0, 0, known[i].type, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2};
        memcpy(bytes + 16, known[i].element, known[i].bytes);
        print_message("element type %02x\n", known[i].type);
        expect(*state, "images-idx3-ubyte", bytes, 16 + known[i].bytes,
               (sf_data_file){.labels_path = labels_path}, 2, 2, known[i].x, plus_minus);
    }
}

/* Labels of two dimensions: a column by its number. */
static void test_idx_label_columns(void **state)
{
    const unsigned char images[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 3, 4},
                        one[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 0},
                        three[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 7, 1, 0, 7, 0, 1};
    const double x[2] = {3, 4};
    const int minus_plus[2] = {-1, 1};
    char path[PATH_BYTES];
    write_file(*state, "column.labels", one, sizeof one, false, path);
    expect(*state, "e.images", images, sizeof images, (sf_data_file){.labels_path = path, .label = "0"}, 2, 1,
           x, plus_minus);
    write_file(*state, "columns.labels", three, sizeof three, false, path);
    expect(*state, "e.images", images, sizeof images, (sf_data_file){.labels_path = path, .label = "1"}, 2, 1,
           x, plus_minus);
    expect(*state, "e.images", images, sizeof images, (sf_data_file){.labels_path = path, .label = "2"}, 2, 1,
           x, minus_plus);
    static const struct {
        const char *label, *message;
    } bad[] = {{NULL, "data.label, a column from 0 to 2"}, {"3", "no column '3'"}, {"y", "no column 'y'"}};
    char images_path[PATH_BYTES];
    write_file(*state, "f.idx", images, sizeof images, false, images_path);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        sf_context *context = test_context();
        sf_dataset *dataset;
        sf_data_file spec = {.path = images_path, .labels_path = path, .label = bad[i].label};
        assert_int_equal(sf_dataset_read(context, &spec, &dataset), SF_ERR_DATA);
        assert_non_null(strstr(sf_context_message(context), bad[i].message));
        sf_context_destroy(&context);
    }
}

/* ---- detection ----------------------------------------------------------------------------------------- */

static void test_detection_by_content(void **state)
{
    expect_text(*state, "a.data", "1.5,-2,1\n3,0.25,0\n", (sf_data_file){0}, 2, 2, two, plus_minus);
    expect_text(*state, "b.data", "# first\n1 1:1.5 2:-2\n0 1:3 2:0.25\n", (sf_data_file){0}, 2, 2, two,
                plus_minus);
    expect_text(*state, "c.txt", "1.5,-2,1\n3,0.25,0\n", (sf_data_file){.format = SF_FORMAT_CSV}, 2, 2, two,
                plus_minus);
    const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 2, 1, 0},
                        images[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 3, 4};
    const double x[2] = {3, 4};
    char path[PATH_BYTES];
    write_file(*state, "d.labels", labels, sizeof labels, true, path);
    expect(*state, "d.images", images, sizeof images, (sf_data_file){.labels_path = path}, 2, 1, x,
           plus_minus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_csv_layouts),
                                       cmocka_unit_test(test_csv_transposed),
                                       cmocka_unit_test(test_csv_classes),
                                       cmocka_unit_test(test_label_names),
                                       cmocka_unit_test(test_locale),
                                       cmocka_unit_test(test_numbers),
                                       cmocka_unit_test(test_number_kinds),
                                       cmocka_unit_test(test_svmlight),
                                       cmocka_unit_test(test_idx_label_columns),
                                       cmocka_unit_test(test_idx),
                                       cmocka_unit_test(test_detection_by_content)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
