#ifndef NV_TESTS_LIB_TEMP_DIR_H
#define NV_TESTS_LIB_TEMP_DIR_H

/* temp_dir.h - a directory of a test's own, under TMPDIR or /tmp. */

#include <stddef.h>

#define TEMP_DIR_SIZE 256u

/* temp_dir_new makes an empty directory and writes its path. */
void temp_dir_new(char *path);

/* temp_dir_remove removes it and the files and empty directories in it. */
void temp_dir_remove(const char *path);

#endif /* NV_TESTS_LIB_TEMP_DIR_H */
