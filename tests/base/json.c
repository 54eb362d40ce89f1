/* The JSON writer: exact text, round trips, and misuse that must be noticed. */
#include "support.h"

enum { TEXT_BYTES = 4096 };

static void read_back(FILE *stream, char text[TEXT_BYTES])
{
    rewind(stream);
    size_t got = fread(text, 1, TEXT_BYTES - 1, stream);
    text[got] = '\0';
    fclose(stream);
}

static void test_document(void **state)
{
    (void)state;
    char text[TEXT_BYTES];
    FILE *stream = tmpfile();
    assert_non_null(stream);
    sf_json json = sf_json_make(stream, false);
    double x[3] = {1.0, NAN, -0.5};
    sf_json_open_object(&json, NULL);
    sf_json_string(&json, "text", "a \"b\" \\ \n\t\x01 \xc3\xa4");
    sf_json_string(&json, "none", NULL);
    sf_json_integer(&json, "integer", INT64_MIN);
    sf_json_bool(&json, "yes", true);
    sf_json_number(&json, "infinite", -INFINITY);
    sf_json_numbers(&json, "numbers", 3, x);
    sf_json_numbers(&json, "empty", 0, NULL);
    sf_json_open_array(&json, "array");
    sf_json_null(&json, NULL);
    sf_json_open_object(&json, NULL);
    sf_json_close_object(&json);
    sf_json_close_array(&json);
    sf_json_close_object(&json);
    assert_true(sf_json_finish(&json));
    read_back(stream, text);
    assert_string_equal(text, "{\"text\": \"a \\\"b\\\" \\\\ \\n\\t\\u0001 \xc3\xa4\", \"none\": null, "
                              "\"integer\": -9223372036854775808, \"yes\": true, \"infinite\": null, "
                              "\"numbers\": [1, null, -0.5], \"empty\": [], \"array\": [null, {}]}\n");
}

static void test_pretty(void **state)
{
    (void)state;
    char text[TEXT_BYTES];
    FILE *stream = tmpfile();
    assert_non_null(stream);
    sf_json json = sf_json_make(stream, true);
    sf_json_open_object(&json, NULL);
    sf_json_integer(&json, "a", 1);
    sf_json_open_array(&json, "b");
    sf_json_close_array(&json);
    sf_json_close_object(&json);
    assert_true(sf_json_finish(&json));
    read_back(stream, text);
    assert_string_equal(text, "{\n  \"a\": 1,\n  \"b\": []\n}\n");
}

/* Any double comes back with the same bits. */
static void test_round_trip(void **state)
{
    (void)state;
    sf_random random = sf_random_make(11, 0);
    for (int i = 0; i < 2000; i++) {
        uint64_t bits = i == 0 ? 1 : i == 1 ? UINT64_C(0x8000000000000000) : sf_random_bits(&random), same;
        double value, back;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        char text[TEXT_BYTES];
        FILE *stream = tmpfile();
        assert_non_null(stream);
        sf_json json = sf_json_make(stream, false);
        sf_json_number(&json, NULL, value);
        assert_true(sf_json_finish(&json));
        read_back(stream, text);
        back = strtod(text, NULL);
        memcpy(&same, &back, sizeof same);
        assert_true(same == bits);
    }
}

static bool finish(sf_json *json)
{
    bool good = sf_json_finish(json);
    fclose(json->stream);
    return good;
}

static void test_misuse_fails(void **state)
{
    (void)state;
    sf_json json = sf_json_make(tmpfile(), false); // not closed
    sf_json_open_object(&json, NULL);
    assert_false(finish(&json));
    json = sf_json_make(tmpfile(), false); // closed as something else
    sf_json_open_object(&json, NULL);
    sf_json_close_array(&json);
    assert_false(finish(&json));
    json = sf_json_make(tmpfile(), false); // no key in an object
    sf_json_open_object(&json, NULL);
    sf_json_integer(&json, NULL, 1);
    sf_json_close_object(&json);
    assert_false(finish(&json));
    json = sf_json_make(tmpfile(), false); // a key in an array
    sf_json_open_array(&json, NULL);
    sf_json_integer(&json, "a", 1);
    sf_json_close_array(&json);
    assert_false(finish(&json));
    json = sf_json_make(tmpfile(), false); // too deep
    for (int i = 0; i <= SF_JSON_DEPTH; i++)
        sf_json_open_array(&json, NULL);
    for (int i = 0; i <= SF_JSON_DEPTH; i++)
        sf_json_close_array(&json);
    assert_false(finish(&json));
}

static void test_full_disk_fails(void **state)
{
    (void)state;
    FILE *full = fopen("/dev/full", "w");
    if (!full) {
        print_message("skipped: no /dev/full here\n");
        skip();
    }
    sf_json json = sf_json_make(full, false);
    sf_json_integer(&json, NULL, 1);
    assert_false(finish(&json));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_document), cmocka_unit_test(test_pretty),
                                       cmocka_unit_test(test_round_trip), cmocka_unit_test(test_misuse_fails),
                                       cmocka_unit_test(test_full_disk_fails)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
