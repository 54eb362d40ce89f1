/* Files that a test writes into a folder of its own. */
#ifndef SF_TEST_FILES_H
#define SF_TEST_FILES_H

#include "support.h"

enum { PATH_BYTES = 512 };

/* Group fixtures: *state is the path of a fresh folder, removed with what lies in it. */
int make_folder(void **state);
int remove_folder(void **state);

/* Writes bytes as folder/name and puts the path in `path`. gz: compressed. */
void write_file(const char *folder, const char *name, const void *bytes, size_t count, bool gz,
                char path[PATH_BYTES]);
/* Cuts the file to count bytes. */
void cut_file(const char *path, size_t count);
size_t file_size(const char *path);

/* The folder of the real data sets, from $SAMFLOW_DATA or ../shared/data beside the repository; NULL if there is none. */
const char *real_data(char path[PATH_BYTES]);

#endif
