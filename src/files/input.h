/* A file, or one that is part of the program (builtin.h), read front to back, plain or packed by gzip, bzip2 or xz, as bytes or as lines. UTF-16 with a
 * byte order mark becomes UTF-8; a byte order mark of UTF-8 is passed over by lines. */
#ifndef SF_FILES_INPUT_H
#define SF_FILES_INPUT_H

#include <samflow/base.h>
#include <zlib.h>

#include "files/packed.h"

typedef struct sf_input {
    sf_context *context;
    const char *path; // of the caller
    gzFile file;
    const unsigned char *memory; // what is left of a file that is part of the program, instead of `file`
    size_t memory_left;
    sf_packed *packed; // what unpacks bzip2 and xz, else NULL
    bool compressed;
    char order;             // of the bytes of UTF-16: 'l' or 'b'; 0: not UTF-16
    unsigned char carry[4]; // bytes of a character of UTF-16 that is not complete yet
    size_t carried;
    uint64_t disk_bytes; // size of the file as stored, 0 if it is not a regular file
    char *buffer;        // capacity + 1 bytes, of which [begin, end) are read and not used
    size_t capacity, begin, end;
    bool ended;      // nothing left to read from the file
    uint64_t offset; // of buffer[begin], counted in the uncompressed content
    size_t line;     // number of the last line handed out, from 1
    bool reported;   // progress was shown
} sf_input;

/* Errors: SF_ERR_DATA (missing, unreadable, a directory), SF_ERR_MEMORY. Close it in either case. */
sf_status sf_input_open(sf_context *context, const char *path, sf_input *input);
void sf_input_close(sf_input *input);

/* The next bytes without using them up: at least min(wanted, what is left); wanted <= 64 KiB. */
sf_status sf_input_peek(sf_input *input, size_t wanted, const char **bytes, size_t *count);
/* Up to size bytes into out; *got < size only at the end. */
sf_status sf_input_bytes(sf_input *input, void *out, size_t size, size_t *got);
/* The next line without its line feed, ended by NUL, writable, valid until the next call; NULL at the end. */
sf_status sf_input_line(sf_input *input, char **text, size_t *length);

#endif
