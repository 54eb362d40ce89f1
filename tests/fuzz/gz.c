/* What lies below all readers of data: gzip and UTF-16, as bytes and as lines. The first byte says whether the rest is compressed
 * here first, and which byte of that is then changed. */
#include "fuzz.h"

#include "files/input.h"

static const char *compressed_file(uint8_t change, const uint8_t *data, size_t size)
{
    uint8_t *packed = malloc(size + 1024);
    fuzz_require(packed, "memory");
    z_stream stream = {0};
    fuzz_require(deflateInit2(&stream, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
    stream.next_in = (Bytef *)(uintptr_t)data;
    stream.avail_in = (uInt)size;
    stream.next_out = packed;
    stream.avail_out = (uInt)size + 1024;
    fuzz_require(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib");
    deflateEnd(&stream);
    if (change > 1)
        packed[change % stream.total_out] ^= change;
    const char *path = fuzz_file(packed, stream.total_out, "gz");
    free(packed);
    return path;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const char *path =
        data[0] & 1 ? compressed_file(data[0], data + 1, size - 1) : fuzz_file(data + 1, size - 1, "gz");
    for (int lines = 0; lines < 2; lines++) {
        sf_input input;
        char none[] = "", *line = none, bytes[57];
        size_t length, got = sizeof bytes;
        sf_status status = sf_input_open(fuzz_context(), path, &input);
        while (status == SF_OK && (lines ? line != NULL : got == sizeof bytes)) {
            status = lines ? sf_input_line(&input, &line, &length)
                           : sf_input_bytes(&input, bytes, sizeof bytes, &got);
            if (status == SF_OK && lines && line)
                fuzz_require(line[length] == '\0', "lines end in 0");
        }
        fuzz_message(status);
        sf_input_close(&input);
    }
    return 0;
}
