/* Content of bzip2 and xz, unpacked piece by piece. Private to the room files/. */
#ifndef SF_FILES_PACKED_H
#define SF_FILES_PACKED_H

#include <samflow/base.h>
#include <zlib.h>

typedef enum sf_packing { SF_PACKING_NONE, SF_PACKING_BZIP2, SF_PACKING_XZ } sf_packing;

/* What the first bytes of a file say. */
sf_packing sf_packing_of(const void *bytes, size_t count);
/* "bzip2", "xz" */
const char *sf_packing_name(sf_packing packing);

typedef struct sf_packed sf_packed;

/* bytes: (count), read from `file` already; the rest is read from it, which passes bytes on as they are. path is borrowed.
 * Errors: SF_ERR_DATA if the build is without the library, with what to do; SF_ERR_MEMORY. */
sf_status sf_packed_open(sf_context *context, const char *path, sf_packing packing, gzFile file,
                         const void *bytes, size_t count, sf_packed **out);
void sf_packed_close(sf_packed **packed);

/* Up to `room` bytes of content; *got = 0 only at the end. Errors: SF_ERR_DATA (damaged, truncated, more memory asked for than
 * 512 MiB, unreadable), SF_ERR_MEMORY. */
sf_status sf_packed_read(sf_packed *packed, void *out, size_t room, size_t *got);

#endif
