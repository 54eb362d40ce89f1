/* bzip2 by libbz2 and xz by liblzma. Files of several streams, one after another, are read as one, as bunzip2 and unxz do.
 *
 * Both libraries take bytes from `next` and put bytes into a buffer; a stream that has not ended when the file has is
 * truncated. What is behind the last stream and is none (but zeros that pad xz) is an error. Neither format says how long the content is
 * before it is there, so nothing is allocated by what it promises; the dictionary of xz, which it does promise, is bounded.
 */
#include "files/packed.h"

#include <limits.h>
#include <string.h>
#ifdef SF_HAVE_BZIP2
#include <bzlib.h>
#endif
#ifdef SF_HAVE_XZ
#include <lzma.h>
#endif

#include "base/base.h"

enum { INPUT_BYTES = 1 << 18, MOST_MEMORY = 512 << 20 };

struct sf_packed {
    sf_context *context;
    const char *path;
    sf_packing packing;
    gzFile file;
    unsigned char *block; // (INPUT_BYTES) of the file, of which [next, end) are not used
    size_t next, end;
    bool file_ended, running, finished; // running: within a stream; finished: the content has ended
    uint64_t content;                   // bytes handed out
#ifdef SF_HAVE_BZIP2
    bz_stream bzip2;
#endif
#ifdef SF_HAVE_XZ
    lzma_stream xz;
#endif
};

sf_packing sf_packing_of(const void *bytes, size_t count)
{
    const unsigned char *b = bytes;
    if (count >= 4 && memcmp(b, "BZh", 3) == 0 && b[3] >= '1' && b[3] <= '9')
        return SF_PACKING_BZIP2;
    return count >= 6 && memcmp(b,
                                "\xFD"
                                "7zXZ",
                                6) == 0
               ? SF_PACKING_XZ
               : SF_PACKING_NONE;
}

const char *sf_packing_name(sf_packing packing)
{
    return packing == SF_PACKING_BZIP2 ? "bzip2" : "xz";
}

static bool is_built(sf_packing packing)
{
    bool bzip2 = false, xz = false;
#ifdef SF_HAVE_BZIP2
    bzip2 = true;
#endif
#ifdef SF_HAVE_XZ
    xz = true;
#endif
    return packing == SF_PACKING_BZIP2 ? bzip2 : xz;
}

sf_status sf_packed_open(sf_context *context, const char *path, sf_packing packing, gzFile file,
                         const void *bytes, size_t count, sf_packed **out)
{
    *out = NULL;
    if (!is_built(packing))
        return sf_fail(
            context, SF_ERR_DATA,
            "%s: is compressed by %s, which this build of samflow cannot read; decompress it with %s first",
            path, sf_packing_name(packing), packing == SF_PACKING_BZIP2 ? "bunzip2" : "unxz");
    size_t size = count > INPUT_BYTES ? count : INPUT_BYTES;
    sf_packed *packed = sf_alloc_zero(context, 1, sizeof *packed);
    unsigned char *block = SF_ARRAY(context, size, unsigned char);
    if (!packed || !block) {
        sf_free(context, packed);
        sf_free(context, block);
        return SF_ERR_MEMORY;
    }
    memcpy(block, bytes, count);
    packed->context = context;
    packed->path = path;
    packed->packing = packing;
    packed->file = file;
    packed->block = block;
    packed->end = count;
    *out = packed;
    return SF_OK;
}

static sf_status damaged(const sf_packed *packed, const char *why)
{
    return sf_fail(packed->context, SF_ERR_DATA, "%s: damaged %s file after %llu bytes of content: %s",
                   packed->path, sf_packing_name(packed->packing), (unsigned long long)packed->content, why);
}

static sf_status no_memory(const sf_packed *packed)
{
    return sf_fail(packed->context, SF_ERR_MEMORY, "%s: out of memory", packed->path);
}

/* More of the file, where all that was read is used. */
static sf_status fetch(sf_packed *packed)
{
    if (packed->next < packed->end || packed->file_ended)
        return SF_OK;
    int got = gzread(packed->file, packed->block, INPUT_BYTES), code = Z_OK;
    const char *reason = gzerror(packed->file, &code);
    if (got < 0 || code != Z_OK)
        return sf_fail(packed->context, SF_ERR_DATA, "%s: %s", packed->path, reason);
    packed->next = 0;
    packed->end = (size_t)got;
    packed->file_ended = got == 0;
    return SF_OK;
}

/* ---- one step of a library: from [next, end) into out, *got bytes ------------------------------------------ */

#ifdef SF_HAVE_BZIP2
static sf_status begin_bzip2(sf_packed *packed)
{
    packed->bzip2 = (bz_stream){0};
    if (BZ2_bzDecompressInit(&packed->bzip2, 0, 0) != BZ_OK)
        return no_memory(packed);
    packed->running = true;
    return SF_OK;
}

static sf_status step_bzip2(sf_packed *packed, void *out, size_t room, size_t *got)
{
    if (!packed->running) {
        packed->finished = packed->file_ended;
        if (packed->finished)
            return SF_OK;
        SF_TRY(begin_bzip2(packed));
    }
    bz_stream *s = &packed->bzip2;
    unsigned wanted = (unsigned)(room < INT_MAX ? room : INT_MAX);
    s->next_in = (char *)packed->block + packed->next;
    s->avail_in = (unsigned)(packed->end - packed->next);
    s->next_out = out;
    s->avail_out = wanted;
    int code = BZ2_bzDecompress(s);
    packed->next = packed->end - s->avail_in;
    *got = wanted - s->avail_out;
    if (code == BZ_STREAM_END) { // another stream may follow
        BZ2_bzDecompressEnd(s);
        packed->running = false;
        return SF_OK;
    }
    if (code == BZ_MEM_ERROR)
        return no_memory(packed);
    return code == BZ_OK ? SF_OK
                         : damaged(packed, code == BZ_DATA_ERROR_MAGIC ? "bytes that begin no stream"
                                                                       : "a checksum or a code is wrong");
}
#endif

#ifdef SF_HAVE_XZ
static sf_status step_xz(sf_packed *packed, void *out, size_t room, size_t *got)
{
    lzma_stream *s = &packed->xz;
    if (!packed->running) {
        packed->xz = (lzma_stream)LZMA_STREAM_INIT;
        if (lzma_stream_decoder(s, MOST_MEMORY, LZMA_CONCATENATED) != LZMA_OK)
            return no_memory(packed);
        packed->running = true;
    }
    s->next_in = packed->block + packed->next;
    s->avail_in = packed->end - packed->next;
    s->next_out = out;
    s->avail_out = room;
    lzma_ret code = lzma_code(s, packed->file_ended ? LZMA_FINISH : LZMA_RUN);
    packed->next = packed->end - s->avail_in;
    *got = room - s->avail_out;
    switch (code) {
    case LZMA_STREAM_END:
        packed->finished = true;
        return SF_OK;
    case LZMA_OK:
    case LZMA_BUF_ERROR: // no progress: the file has ended, which sf_packed_read says
        return SF_OK;
    case LZMA_MEM_ERROR:
        return no_memory(packed);
    case LZMA_MEMLIMIT_ERROR:
        return damaged(packed, "it asks for more than 512 MiB of memory; decompress it with unxz first");
    case LZMA_OPTIONS_ERROR:
        return damaged(packed, "it uses what this version of liblzma does not know");
    default:
        return damaged(packed, code == LZMA_FORMAT_ERROR ? "bytes that begin no stream"
                                                         : "a checksum or a code is wrong");
    }
}
#endif

static sf_status step(sf_packed *packed, void *out, size_t room, size_t *got)
{
    *got = 0;
#ifdef SF_HAVE_BZIP2
    if (packed->packing == SF_PACKING_BZIP2)
        return step_bzip2(packed, out, room, got);
#endif
#ifdef SF_HAVE_XZ
    if (packed->packing == SF_PACKING_XZ)
        return step_xz(packed, out, room, got);
#endif
    (void)out;
    (void)room;
    return sf_fail(packed->context, SF_ERR_INTERNAL, "%s: nothing unpacks it", packed->path);
}

sf_status sf_packed_read(sf_packed *packed, void *out, size_t room, size_t *got)
{
    *got = 0;
    while (*got == 0 && !packed->finished && room > 0) {
        SF_TRY(fetch(packed));
        bool last = packed->file_ended;
        SF_TRY(step(packed, out, room, got));
        packed->content += *got;
        if (last && *got == 0 && packed->running && !packed->finished)
            return sf_fail(
                packed->context, SF_ERR_DATA,
                "%s: truncated %s file: it ends inside the compressed data, after %llu bytes of content",
                packed->path, sf_packing_name(packed->packing), (unsigned long long)packed->content);
    }
    return SF_OK;
}

void sf_packed_close(sf_packed **packed)
{
    sf_packed *dead = *packed;
    if (!dead)
        return;
#ifdef SF_HAVE_BZIP2
    if (dead->packing == SF_PACKING_BZIP2 && dead->running)
        BZ2_bzDecompressEnd(&dead->bzip2);
#endif
#ifdef SF_HAVE_XZ
    if (dead->packing == SF_PACKING_XZ && dead->running)
        lzma_end(&dead->xz);
#endif
    sf_free(dead->context, dead->block);
    sf_free(dead->context, dead);
    *packed = NULL;
}
