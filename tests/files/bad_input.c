/* Bad input: each case names what the message must say, place included. */
#include "files.h"

#include <sys/stat.h>
#include <unistd.h>

typedef struct bad {
    const char *name, *text;
    sf_data_file spec;
    sf_status status;
    const char *says[3];
} bad;

static void refuse(const char *folder, const bad *b, const void *bytes, size_t count, bool gz)
{
    sf_context *context = test_context();
    char path[PATH_BYTES];
    write_file(folder, b->name, bytes, count, gz, path);
    sf_data_file spec = b->spec;
    spec.path = path;
    sf_dataset *dataset = (sf_dataset *)context; // must be overwritten
    assert_status(context, sf_dataset_read(context, &spec, &dataset), b->status);
    assert_null(dataset);
    const char *message = sf_context_message(context);
    print_message("%s\n", message);
    assert_non_null(strstr(message, b->name));
    for (int k = 0; k < 3 && b->says[k]; k++)
        if (!strstr(message, b->says[k])) {
            print_error("'%s' lacks '%s'\n", message, b->says[k]);
            fail();
        }
    sf_context_destroy(&context);
}

static void refuse_all(const char *folder, const bad *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        refuse(folder, &table[i], table[i].text, strlen(table[i].text), false);
        refuse(folder, &table[i], table[i].text, strlen(table[i].text), true);
    }
}

static void test_csv(void **state)
{
    const bad table[] = {
        {"empty.csv", "", {0}, SF_ERR_DATA, {"is empty"}},
        {"blank.csv", "\n\n  \n", {0}, SF_ERR_DATA, {"blank lines"}},
        {"header.csv", "a,b,y\n", {0}, SF_ERR_DATA, {"no example"}},
        {"nan.csv", "1,2,0\n3,nan,1\n", {0}, SF_ERR_DATA, {"line 2, column 2", "NaN"}},
        {"named.csv", "a,b,y\n1,2,0\n3,NaN,1\n", {0}, SF_ERR_DATA, {"line 3, column 2 (b)", "NaN"}},
        {"inf.csv", "1,2,0\n-inf,3,1\n", {0}, SF_ERR_DATA, {"line 2, column 1", "infinite"}},
        {"first.csv", "nan,2,0\n3,4,1\n", {0}, SF_ERR_DATA, {"line 1, column 1", "NaN"}},
        {"range.csv", "1,2,0\n1e400,3,1\n", {0}, SF_ERR_DATA, {"line 2, column 1", "range"}},
        {"missing.csv", "1,2,0\n1,,1\n", {0}, SF_ERR_DATA, {"line 2, column 2", "missing"}},
        {"text.csv",
         "1,2,0\n1,abc,1\n",
         {0},
         SF_ERR_DATA,
         {"line 2, column 2", "'abc'", "expected a number"}},
        {"comma.csv", "1;2,5;0\n1;2.5;1\n", {0}, SF_ERR_DATA, {"line 2, column 2", "decimal point"}},
        {"thousands.csv",
         "a,b,y\n\"1,234.5\",1.5,1\n\"2,000\",-2,0\n",
         {0},
         SF_ERR_DATA,
         {"line 2", "thousands"}},
        {"sex.csv",
         "sex,length,y\nM,0.5,1\nF,0.3,0\nM,0.4,0\n",
         {0},
         SF_ERR_DATA,
         {"line 4, column 1 (sex)", "line 2"}},
        {"cell.csv", "a,b,y\nx,1.5,1\n2.0,-2,0\n", {0}, SF_ERR_DATA, {"line 3, column 1 (a)", "'2.0'"}},
        {"numbers.csv",
         "0,1,2,3\n0,0.5,1.5,2\n1,1,2,0.1\n",
         {.label = "0"},
         SF_ERR_DATA,
         {"line 1", "data.header"}},
        {"counts.csv", "3,2,benign,malignant\n0.5,1.5,0.2,1\n", {0}, SF_ERR_DATA, {"line 1", "counts"}},
        {"twice.csv", "a,b,a\n1,2,0\n2,1,1\n", {.label = "a"}, SF_ERR_DATA, {"columns 0 and 2", "'a'"}},
        {"packed.csv", "BZh91AY", {0}, SF_ERR_DATA, {"bzip2"}},
        {"ragged.csv", "1,2,0\n1,2\n", {0}, SF_ERR_DATA, {"line 2", "2 fields", "expected 3"}},
        {"long.csv", "1,2,0\n1,2,3,1\n2,2,0\n", {0}, SF_ERR_DATA, {"line"}},
        {"three.csv", "1,0\n2,1\n3,2\n", {0}, SF_ERR_DATA, {"line 3, column 2", "label is 2", "third"}},
        {"one.csv", "1,4\n2,4\n", {0}, SF_ERR_DATA, {"all 2 labels are 4", "two different"}},
        {"texts.csv", "1,a\n2,b\n3,c\n", {0}, SF_ERR_DATA, {"line 3, column 2", "'c'", "third"}},
        {"sametext.csv", "1,a\n2,a\n", {0}, SF_ERR_DATA, {"'a'", "two different"}},
        {"mixed.csv", "1,2,0\n2,2,b\n", {0}, SF_ERR_DATA, {"line 2, column 3", "numbers"}},
        {"nanlabel.csv", "1,2,0\n2,2,nan\n", {0}, SF_ERR_DATA, {"line 2, column 3", "label"}},
        {"noname.csv", "a,b,y\n1,2,0\n3,4,1\n", {.label = "z"}, SF_ERR_DATA, {"'z'", "first line"}},
        {"nonumber.csv", "1,2,0\n3,4,1\n", {.label = "3"}, SF_ERR_DATA, {"column 3", "0 to 2"}},
        {"negative.csv", "1,2,0\n3,4,1\n", {.label = "-1"}, SF_ERR_DATA, {"'-1'"}},
        {"single.csv", "1\n0\n", {0}, SF_ERR_DATA, {"1 column", "commas"}},
        {"quote.csv", "1,2,0\n\"1\"x,2,1\n", {0}, SF_ERR_DATA, {"line 2", "quote"}},
        {"open.csv", "1,2,0\n1,\"2,1\n", {0}, SF_ERR_DATA, {"closing quote"}},
        {"absent.csv", "1,0\n2,1\n", {.has_classes = true, .classes = {0, 7}}, SF_ERR_DATA, {"label 7"}},
        {"equal.csv", "1,0\n2,1\n", {.has_classes = true, .classes = {1, 1}}, SF_ERR_ARGUMENT, {NULL}},
        {"textclass.csv",
         "1,a\n2,b\n",
         {.has_classes = true, .classes = {0, 1}},
         SF_ERR_DATA,
         {"line 1, column 2"}},
        {"labelsfile.csv", "1,0\n2,1\n", {.labels_path = "x"}, SF_ERR_ARGUMENT, {"labels_file"}},
        {"t-ragged.csv", "a,1,2\nb,3\ny,0,1\n", {.transpose = true}, SF_ERR_DATA, {"line 2", "2 fields"}},
        {"t-nan.csv", "a,1,2\nb,3,nan\ny,0,1\n", {.transpose = true}, SF_ERR_DATA, {"line 2, column 3"}},
        {"t-name.csv",
         "a,1,2\nb,3,4\ny,0,1\n",
         {.transpose = true, .label = "z"},
         SF_ERR_DATA,
         {"'z'", "first column"}},
        {"t-twice.csv",
         "y,1,0\nb,3,4\ny,0,1\n",
         {.transpose = true, .label = "y"},
         SF_ERR_DATA,
         {"line 3", "second"}},
        {"t-number.csv",
         "a,1,2\nb,3,4\ny,0,1\n",
         {.transpose = true, .label = "5"},
         SF_ERR_DATA,
         {"row 5", "0 to 2"}},
        {"t-alone.csv", "y,0,1\n", {.transpose = true}, SF_ERR_DATA, {"at least one feature"}},
        {"t-three.csv",
         "a,1,2,3\ny,0,1,2\n",
         {.transpose = true},
         SF_ERR_DATA,
         {"line 2, column 4", "third"}}};
    refuse_all(*state, table, sizeof table / sizeof *table);
}

static void test_svmlight(void **state)
{
    const bad table[] = {
        {"empty.svm", "", {0}, SF_ERR_DATA, {"is empty"}},
        {"comment.svm", "# nothing\n", {0}, SF_ERR_DATA, {"no example"}},
        {"minus.svm", "1 1:2\n-1 -1:3\n", {0}, SF_ERR_DATA, {"line 2, column 4", "'-1:3'", "from 0"}},
        {"huge.svm", "1 99999999999999999999:2\n", {0}, SF_ERR_DATA, {"line 1", "from 0"}},
        {"nan.svm", "1 1:2\n-1 1:nan\n", {0}, SF_ERR_DATA, {"line 2, column 4", "finite"}},
        {"inf.svm", "1 1:inf\n-1 1:1\n", {0}, SF_ERR_DATA, {"line 1, column 3", "finite"}},
        {"order.svm", "1 3:1 2:1\n", {0}, SF_ERR_DATA, {"line 1, column 7", "ascending"}},
        {"twice.svm", "1 2:1 2:1\n", {0}, SF_ERR_DATA, {"line 1, column 7", "once"}},
        {"colon.svm", "1 1:2\n-1 5\n", {0}, SF_ERR_DATA, {"line 2, column 4", "index:value"}},
        {"text.svm", "1 1:2\n-1 1:x\n", {0}, SF_ERR_DATA, {"'1:x'"}},
        {"label.svm", "one 1:2\n", {0}, SF_ERR_DATA, {"line 1, column 1", "label"}},
        {"three.svm", "1 1:2\n2 1:2\n3 1:2\n", {0}, SF_ERR_DATA, {"line 3, column 1", "third"}},
        {"single.svm", "1 1:2\n1 1:2\n", {0}, SF_ERR_DATA, {"all 2 labels are 1"}},
        {"bare.svm", "1\n-1\n", {0}, SF_ERR_DATA, {"no example has a feature"}},
        {"wide.svm", "1 1:1\n-1 9007199254740992:1\n", {0}, SF_ERR_MEMORY, {"2 examples"}},
        {"member.svm", "1 1:1\n-1 1:2\n", {.transpose = true}, SF_ERR_ARGUMENT, {"transpose"}},
        {"member2.svm", "1 1:1\n-1 1:2\n", {.label = "x"}, SF_ERR_ARGUMENT, {"label"}}};
    refuse_all(*state, table, sizeof table / sizeof *table);
    const bad nul = {"nul.svm", "", {0}, SF_ERR_DATA, {"line 2, column 3", "NUL"}};
    refuse(*state, &nul, "1 1:2\n-1\0 1:3\n", 14, false);
}

static void test_idx(void **state)
{
    char labels[PATH_BYTES], few[PATH_BYTES], cut[PATH_BYTES], three[PATH_BYTES], long_labels[PATH_BYTES];
    const unsigned char good[] = {0, 0, 8, 1, 0, 0, 0, 2, 1, 0, 9};
    write_file(*state, "labels", good, 10, false, labels);
    write_file(*state, "long", good, 11, false, long_labels);
    write_file(*state, "cut", good, 9, true, cut);
    const unsigned char less[] = {0, 0, 8, 1, 0, 0, 0, 1, 1},
                        more[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 0, 0, 1};
    write_file(*state, "few", less, sizeof less, false, few);
    write_file(*state, "square", more, sizeof more, false, three);
    const struct {
        bad b;
        size_t count;
        unsigned char bytes[32];
        bool plain_only;
    } table[] = {
        {{"magic.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"magic number 00 01 08 03", "byte 0"}},
         16,
         {0, 1, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1},
         false},
        {{"type.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"magic number 00 00 07 03"}},
         16,
         {0, 0, 7, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1},
         false},
        {{"rank.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"magic"}}, 4, {0, 0, 8, 0}, false},
        {{"short.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"truncated", "byte 3"}},
         3,
         {0, 0, 8},
         false},
        {{"dims.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"truncated", "byte 10", "16"}},
         10,
         {0, 0, 8, 3, 0, 0, 0, 2, 0, 0},
         false},
        {{"zero.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"dimension 1", "size 0", "byte 8"}},
         12,
         {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 0},
         false},
        {{"body.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"truncated", "byte 15", "expected 16"}},
         15,
         {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3},
         false},
        {{"overflow.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"overflow"}},
         16,
         {0, 0, 14, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255},
         false},
        {{"lying.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"truncated", "expected"}},
         14,
         {0, 0, 8, 2, 0, 0, 0, 2, 127, 255, 255, 255, 1, 2},
         true},
        {{"after.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"goes on after byte 14"}},
         15,
         {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2, 3},
         false},
        {{"nan.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"example 1, feature 0", "byte 16", "nan"}},
         20,
         {0, 0, 13, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0x7F, 0xC0, 0, 0},
         false},
        {{"vector.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"1 dimension", "labels"}},
         10,
         {0, 0, 8, 1, 0, 0, 0, 2, 1, 2},
         false},
        {{"nolabels.idx", NULL, {0}, SF_ERR_ARGUMENT, {"labels_file"}},
         14,
         {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2},
         false},
        {{"count.idx", NULL, {.labels_path = few}, SF_ERR_DATA, {"labels is 1", "expected 2"}},
         14,
         {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2},
         false},
        {{"label.idx", NULL, {.labels_path = labels, .label = "1"}, SF_ERR_ARGUMENT, {"label"}},
         14,
         {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2},
         false}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        refuse(*state, &table[i].b, table[i].bytes, table[i].count, false);
        if (!table[i].plain_only)
            refuse(*state, &table[i].b, table[i].bytes, table[i].count, true);
    }
    // through gzip a promise of 4 GB can only be measured against what deflate reaches
    const bad lying = {
        "lying.gz.idx", NULL, {.labels_path = labels}, SF_ERR_DATA, {"more than", "compressed"}};
    refuse(*state, &lying, table[8].bytes, table[8].count, true);
    // faults of the file of labels name that file
    sf_context *context = test_context();
    char path[PATH_BYTES];
    const struct {
        const char *labels, *says;
    } second[] = {{cut, "cut: truncated"},
                  {three, "square: has 2 dimensions"},
                  {long_labels, "long: goes on after byte 10"},
                  {"/nonexistent/labels", "no such file"},
                  {path, "has 2 dimensions"}};
    write_file(*state, "good.idx", table[14].bytes, 14, false, path);
    for (size_t i = 0; i < sizeof second / sizeof *second; i++) {
        sf_data_file spec = {.path = path, .labels_path = second[i].labels};
        sf_dataset *dataset;
        assert_status(context, sf_dataset_read(context, &spec, &dataset), SF_ERR_DATA);
        print_message("%s\n", sf_context_message(context));
        assert_non_null(strstr(sf_context_message(context), second[i].says));
    }
    sf_context_destroy(&context);
}

/* A gzip file cut at each of many places, and one with a flipped bit at each: never a data set, never SF_OK. */
static void test_gzip(void **state)
{
    sf_context *context = test_context();
    char text[20000], path[PATH_BYTES];
    size_t length = 0;
    sf_random random = sf_random_make(1, 0);
    while (length < sizeof text - 64)
        length +=
            (size_t)snprintf(text + length, 64, "%.15g,%d\n", sf_random_normal(&random), (int)(length % 2));
    write_file(*state, "cut.csv.gz", text, length, true, path);
    size_t size = file_size(path);
    for (size_t keep = size - 1; keep > 18; keep = keep * 9 / 10) {
        write_file(*state, "cut.csv.gz", text, length, true, path);
        cut_file(path, keep);
        sf_data_file spec = {.path = path};
        sf_dataset *dataset;
        assert_status(context, sf_dataset_read(context, &spec, &dataset), SF_ERR_DATA);
        assert_non_null(strstr(sf_context_message(context), "truncated gzip"));
    }
    for (size_t at = 30; at < size; at += size / 12) {
        write_file(*state, "bits.csv.gz", text, length, true, path);
        FILE *file = fopen(path, "r+b");
        assert_non_null(file);
        assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
        int byte = fgetc(file);
        assert_int_equal(fseek(file, (long)at, SEEK_SET), 0);
        fputc(byte ^ 0x10, file);
        assert_int_equal(fclose(file), 0);
        sf_data_file spec = {.path = path};
        sf_dataset *dataset;
        sf_status status = sf_dataset_read(context, &spec, &dataset);
        print_message("%s\n", sf_context_message(context));
        assert_int_equal(status, SF_ERR_DATA);
    }
    sf_context_destroy(&context);
}

static void test_files(void **state)
{
    sf_context *context = test_context();
    char path[PATH_BYTES];
    sf_dataset *dataset;
    sf_data_file spec = {.path = "/nonexistent/data.csv"};
    assert_status(context, sf_dataset_read(context, &spec, &dataset), SF_ERR_DATA);
    assert_non_null(strstr(sf_context_message(context), "/nonexistent/data.csv: no such file"));
    spec.path = *state;
    assert_status(context, sf_dataset_read(context, &spec, &dataset), SF_ERR_DATA);
    assert_non_null(strstr(sf_context_message(context), "directory"));
    spec.path = NULL;
    assert_status(context, sf_dataset_read(context, &spec, &dataset), SF_ERR_ARGUMENT);
    write_file(*state, "words.txt", "just some words\n", 16, false, path);
    spec.path = path;
    assert_status(context, sf_dataset_read(context, &spec, &dataset), SF_ERR_DATA);
    assert_non_null(strstr(sf_context_message(context), "not recognized"));
    write_file(*state, "secret.csv", "1,0\n2,1\n", 8, false, path);
    assert_int_equal(chmod(path, 0), 0);
    if (access(path, R_OK) == 0) {
        print_message("unreadable file not tried: this user reads everything\n");
    } else {
        assert_status(context, sf_dataset_read(context, &spec, &dataset), SF_ERR_DATA);
        assert_non_null(strstr(sf_context_message(context), "Permission denied"));
    }
    sf_context_destroy(&context);
}

static void test_cancelled(void **state)
{
    sf_context *context = test_context();
    sf_flag flag = 1;
    char path[PATH_BYTES];
    write_file(*state, "stop.csv", "1,0\n2,1\n", 8, false, path);
    sf_context_set_cancel(context, &flag);
    sf_data_file spec = {.path = path};
    sf_dataset *dataset;
    assert_status(context, sf_dataset_read(context, &spec, &dataset), SF_ERR_CANCELLED);
    assert_null(dataset);
    sf_context_destroy(&context);
}

/* Every allocation of every reader fails once. */
static void test_every_allocation_can_fail(void **state)
{
    char csv[PATH_BYTES], across[PATH_BYTES], svm[PATH_BYTES], images[PATH_BYTES], labels[PATH_BYTES];
    const unsigned char x[] = {0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 3, 4},
                        y[] = {0, 0, 8, 1, 0, 0, 0, 2, 1, 0};
    write_file(*state, "m.csv", "a,b,y\n1,2,p\n3,4,q\n5,6,q\n", 24, false, csv);
    write_file(*state, "t.csv", "a,1,2\nb,3,4\ny,0,1\n", 18, false, across);
    write_file(*state, "m.svm", "1 1:2\n-1 2:3\n", 13, true, svm);
    write_file(*state, "m-images", x, sizeof x, false, images);
    write_file(*state, "m-labels", y, sizeof y, false, labels);
    const sf_data_file spec[] = {{.path = csv},
                                 {.path = across, .transpose = true},
                                 {.path = svm},
                                 {.path = images, .labels_path = labels}};
    for (size_t i = 0; i < sizeof spec / sizeof *spec; i++) {
        sf_status status = SF_ERR_MEMORY;
        long n = 0;
        for (; status != SF_OK; n++) {
            test_memory memory = {.fail_at = n};
            sf_context *context = test_context_failing(&memory);
            sf_dataset *dataset;
            status = sf_dataset_read(context, &spec[i], &dataset);
            assert_true((status == SF_OK) == (dataset != NULL));
            if (status != SF_OK)
                assert_int_equal(status, SF_ERR_MEMORY);
            sf_dataset_destroy(&dataset);
            assert_int_equal(memory.live, 0);
            assert_true(n < 200);
            sf_context_destroy(&context);
        }
        assert_true(n > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_csv),
                                       cmocka_unit_test(test_svmlight),
                                       cmocka_unit_test(test_idx),
                                       cmocka_unit_test(test_gzip),
                                       cmocka_unit_test(test_files),
                                       cmocka_unit_test(test_cancelled),
                                       cmocka_unit_test(test_every_allocation_can_fail)};
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
