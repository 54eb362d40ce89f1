/* Files that appear under their name only when complete: written under another name in the same folder, flushed to the
 * disk, renamed. */
#ifndef SF_FILE_H
#define SF_FILE_H

#include "base/base.h"

/* Writes the file `path`, which is not the final one. */
typedef sf_status (*sf_write_fn)(const char *path, void *subject);

/* Errors: those of `write`, SF_ERR_IO, SF_ERR_MEMORY; the message begins with "output 'PATH': ". */
SF_LAB_API
sf_status sf_write_whole(sf_context *context, const char *path, sf_write_fn write, void *subject);

/* Whether a file of that name could be written, to be asked before the work: folder there and writable, nothing else in
 * its place. Errors: SF_ERR_USAGE, SF_ERR_IO, SF_ERR_MEMORY. */
SF_LAB_API
sf_status sf_check_writable(sf_context *context, const char *path);

#endif
