/* zlib's gz functions read both plain and gzipped files; bzip2 and xz come through them as they are, and are unpacked behind them. A damaged or truncated gzip file shows in two
 * places, the result of gzread and the state from gzerror; both are checked at each read.
 */
#include "files/input.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "files/builtin.h"

enum { BUFFER_BYTES = 1 << 18, LARGEST_BUFFER = 1 << 30, SHOW_PROGRESS_FROM = 1 << 24 };

static sf_status refuse(sf_input *input, const char *what)
{
    return sf_fail(input->context, SF_ERR_DATA, "%s: %s", input->path, what);
}

static sf_status open_buffer(sf_input *input)
{
    input->capacity = BUFFER_BYTES;
    input->buffer = sf_alloc(input->context, input->capacity + 1, 1);
    return input->buffer ? SF_OK : SF_ERR_MEMORY;
}

static sf_status open_file(sf_input *input)
{
    int descriptor = open(input->path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return refuse(input, errno == ENOENT ? "no such file" : strerror(errno));
    struct stat about;
    if (fstat(descriptor, &about) != 0 || S_ISDIR(about.st_mode)) {
        close(descriptor);
        return refuse(input, "is a directory, expected a file");
    }
    input->disk_bytes = S_ISREG(about.st_mode) && about.st_size > 0 ? (uint64_t)about.st_size : 0;
    input->file = gzdopen(descriptor, "rb");
    if (!input->file) {
        close(descriptor);
        return sf_fail(input->context, SF_ERR_MEMORY, "%s: out of memory", input->path);
    }
    gzbuffer(input->file, BUFFER_BYTES);
    return open_buffer(input);
}

sf_status sf_input_open(sf_context *context, const char *path, sf_input *input)
{
    *input = (sf_input){.context = context, .path = path};
    input->memory = sf_builtin_bytes(path, &input->memory_left);
    if (input->memory)
        input->disk_bytes = input->memory_left;
    return input->memory ? open_buffer(input) : open_file(input);
}

void sf_input_close(sf_input *input)
{
    sf_packed_close(&input->packed);
    if (input->file)
        gzclose_r(input->file);
    if (input->reported)
        sf_progress(input->context, 1.0, NULL);
    sf_free(input->context, input->buffer);
    input->file = NULL;
    input->buffer = NULL;
}

static void report(sf_input *input)
{
    if (input->disk_bytes < SHOW_PROGRESS_FROM)
        return;
    double fraction = (double)gzoffset(input->file) / (double)input->disk_bytes;
    sf_progress(input->context, fmin(fraction, 0.999), input->path);
    input->reported = true;
}

/* Where the next byte from the file belongs in the content. */
static unsigned long long unread_offset(const sf_input *input)
{
    return input->offset + input->end - input->begin;
}

static sf_status refill_from_memory(sf_input *input)
{
    size_t room = input->capacity - input->end, got = room < input->memory_left ? room : input->memory_left;
    memcpy(input->buffer + input->end, input->memory, got);
    input->memory += got;
    input->memory_left -= got;
    input->ended = got == 0;
    input->end += got;
    return SF_OK;
}

/* ---- what the first bytes say ---------------------------------------------------------------------------- */

/* Containers that are not read, each with what to do. */
static sf_status refuse_container(sf_input *input)
{
    static const struct {
        const char *bytes;
        size_t count;
        const char *what, *advice;
    } known[] = {{"PK\x03\x04", 4, "zip", "take the file out with unzip first"},
                 {"\x28\xB5\x2F\xFD", 4, "zstd", "decompress it with unzstd first"},
                 {"7z\xBC\xAF\x27\x1C", 6, "7z", "take the file out first"}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (input->end >= known[i].count && memcmp(input->buffer, known[i].bytes, known[i].count) == 0)
            return sf_fail(input->context, SF_ERR_DATA,
                           "%s: is compressed by %s, expected plain text, gzip, bzip2 or xz; %s", input->path,
                           known[i].what, known[i].advice);
    return SF_OK;
}

static size_t put_utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    out[0] = (char)(lead[more] | c >> 6 * more);
    for (size_t k = 1; k <= more; k++)
        out[k] = (char)(0x80 | (c >> 6 * (more - k) & 0x3F));
    return more + 1;
}

/* Turns `count` bytes of UTF-16 at `in` into UTF-8 at `out`, which has room for 3 bytes for every 2; what ends within a
 * character waits in carry. Lone surrogates become U+FFFD. */
static size_t from_utf16(sf_input *input, const unsigned char *in, size_t count, char *out)
{
    size_t made = 0;
    for (size_t i = 0; i < count; i++) {
        unsigned char *c = input->carry;
        c[input->carried++] = in[i];
        if (input->carried % 2)
            continue;
        size_t low = input->order == 'b';
        uint32_t first = (uint32_t)c[1 - low] << 8 | c[low];
        if (input->carried == 2 && first >= 0xD800 && first < 0xDC00)
            continue;
        if (input->carried == 4) {
            uint32_t second = (uint32_t)c[3 - low] << 8 | c[2 + low];
            bool pair = second >= 0xDC00 && second < 0xE000;
            first = pair ? 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00) : 0xFFFD;
        }
        if (first >= 0xD800 && first < 0xE000)
            first = 0xFFFD;
        made += put_utf8(first, out + made);
        input->carried = 0;
    }
    return made;
}

/* The bytes read first are those of bzip2 or xz: the buffer begins with the content instead. */
static sf_status unpack(sf_input *input)
{
    sf_packing packing = sf_packing_of(input->buffer, input->end);
    if (packing == SF_PACKING_NONE)
        return SF_OK;
    SF_TRY(sf_packed_open(input->context, input->path, packing, input->file, input->buffer, input->end,
                          &input->packed));
    input->compressed = true;
    SF_TRY(sf_packed_read(input->packed, input->buffer, input->capacity, &input->end));
    input->ended = input->end == 0;
    return SF_OK;
}

/* The bytes read first, at the beginning of the buffer: bzip2 and xz are unpacked, UTF-16 is noted and converted. */
static sf_status look_at_beginning(sf_input *input)
{
    SF_TRY(unpack(input));
    SF_TRY(refuse_container(input));
    const unsigned char *b = (const unsigned char *)input->buffer;
    if (input->end < 2 || !((b[0] == 0xFF && b[1] == 0xFE) || (b[0] == 0xFE && b[1] == 0xFF)))
        return SF_OK;
    input->order = b[0] == 0xFF ? 'l' : 'b';
    size_t count = input->end - 2;
    unsigned char *copy = SF_ARRAY(input->context, count + 1, unsigned char);
    char *moved = sf_resize(input->context, input->buffer, 2 * input->capacity + 1, 1);
    if (moved) {
        input->buffer = moved;
        input->capacity *= 2;
    }
    if (!copy || !moved) {
        sf_free(input->context, copy);
        return SF_ERR_MEMORY;
    }
    memcpy(copy, input->buffer + 2, count);
    input->end = from_utf16(input, copy, count, input->buffer);
    sf_free(input->context, copy);
    return SF_OK;
}

/* Bytes of the content as they are, at most `room`; *got = 0 at the end. */
static sf_status read_bytes(sf_input *input, void *out, size_t room, size_t *got)
{
    *got = 0;
    if (input->packed)
        return sf_packed_read(input->packed, out, room, got);
    int count = gzread(input->file, out, (unsigned)(room < INT_MAX ? room : INT_MAX)), code = Z_OK;
    const char *message = gzerror(input->file, &code), *reason = strstr(message, ": "); // "<fd:3>: reason"
    if (code == Z_BUF_ERROR)
        return sf_fail(
            input->context, SF_ERR_DATA,
            "%s: truncated gzip file: it ends inside the compressed data, after %llu bytes of content",
            input->path, unread_offset(input) + (count > 0 ? (unsigned)count : 0U));
    if (code == Z_MEM_ERROR)
        return sf_fail(input->context, SF_ERR_MEMORY, "%s: out of memory", input->path);
    if (code == Z_ERRNO)
        return refuse(input, strerror(errno));
    if (count < 0 || code != Z_OK)
        return sf_fail(input->context, SF_ERR_DATA, "%s: damaged gzip file after %llu bytes of content: %s",
                       input->path, unread_offset(input), reason ? reason + 2 : message);
    *got = (size_t)count;
    input->compressed = !gzdirect(input->file);
    return SF_OK;
}

/* Content behind `end`, at most `room`; UTF-16 becomes UTF-8. */
static sf_status read_content(sf_input *input, size_t room)
{
    enum { PART = 16384 };
    unsigned char part[PART];
    size_t got, wanted = room / 2 < PART ? room / 2 : PART;
    if (!input->order) {
        SF_TRY(read_bytes(input, input->buffer + input->end, room, &got));
        input->end += got;
    } else {
        SF_TRY(read_bytes(input, part, wanted > 4 ? wanted - 3 : 1, &got));
        input->end += from_utf16(input, part, got, input->buffer + input->end);
    }
    input->ended = got == 0;
    return SF_OK;
}

/* Reads on behind `end`; there must be room. */
static sf_status refill(sf_input *input)
{
    if (sf_cancelled(input->context))
        return sf_fail(input->context, SF_ERR_CANCELLED, "%s: reading was interrupted", input->path);
    if (input->memory)
        return refill_from_memory(input);
    bool beginning = input->offset == 0 && input->end == 0 && !input->order && !input->packed;
    SF_TRY(read_content(input, input->capacity - input->end));
    report(input);
    return beginning ? look_at_beginning(input) : SF_OK;
}

/* Moves what is not used to the front; doubles the buffer if that gains nothing. */
static sf_status make_room(sf_input *input)
{
    if (input->begin > 0) {
        memmove(input->buffer, input->buffer + input->begin, input->end - input->begin);
        input->end -= input->begin;
        input->begin = 0;
        return SF_OK;
    }
    if (input->end < input->capacity)
        return SF_OK;
    if (input->capacity >= LARGEST_BUFFER)
        return sf_fail(input->context, SF_ERR_DATA, "%s: line %zu is longer than 1 GB, expected a text file",
                       input->path, input->line + 1);
    char *moved = sf_resize(input->context, input->buffer, 2 * input->capacity + 1, 1);
    if (!moved)
        return SF_ERR_MEMORY;
    input->buffer = moved;
    input->capacity *= 2;
    return SF_OK;
}

static void use(sf_input *input, size_t count)
{
    input->begin += count;
    input->offset += count;
    if (input->begin == input->end)
        input->begin = input->end = 0;
}

sf_status sf_input_peek(sf_input *input, size_t wanted, const char **bytes, size_t *count)
{
    while (input->end - input->begin < wanted && !input->ended) {
        SF_TRY(make_room(input));
        SF_TRY(refill(input));
    }
    *bytes = input->buffer + input->begin;
    *count = input->end - input->begin;
    return SF_OK;
}

sf_status sf_input_bytes(sf_input *input, void *out, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        if (input->begin == input->end) {
            if (input->ended)
                return SF_OK;
            SF_TRY(refill(input));
            continue;
        }
        size_t have = input->end - input->begin, part = size - *got < have ? size - *got : have;
        memcpy((char *)out + *got, input->buffer + input->begin, part);
        *got += part;
        use(input, part);
    }
    return SF_OK;
}

sf_status sf_input_line(sf_input *input, char **text, size_t *length)
{
    *text = NULL;
    *length = 0;
    size_t searched = 0;
    for (;;) {
        char *start = input->buffer + input->begin;
        size_t have = input->end - input->begin;
        char *feed = memchr(start + searched, '\n', have - searched);
        if (!feed && !input->ended) {
            searched = have;
            SF_TRY(make_room(input));
            SF_TRY(refill(input));
            continue;
        }
        if (!feed && have == 0)
            return SF_OK;
        *length = feed ? (size_t)(feed - start) : have;
        start[*length] = '\0';
        *text = start;
        size_t whole = *length + (feed != NULL);
        if (input->line++ == 0 && strncmp(start, "\xEF\xBB\xBF", 3) == 0) { // the byte order mark of UTF-8
            *text += 3;
            *length -= 3;
        }
        use(input, whole);
        return SF_OK;
    }
}
