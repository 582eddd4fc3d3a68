#include "tests/lib/temp_dir.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/nv_test.h"

void temp_dir_new(char *path)
{
    const char *const parent = getenv("TMPDIR");
    int const size =
        snprintf(path, TEMP_DIR_SIZE, "%s/novate-XXXXXX", parent != NULL ? parent : "/tmp");
    assert_in_range(size, 1, TEMP_DIR_SIZE - 1);
    assert_non_null(mkdtemp(path));
}

void temp_dir_remove(const char *path)
{
    DIR *const dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *entry = readdir(dir); entry != NULL; entry = readdir(dir)) {
        char name[TEMP_DIR_SIZE + sizeof entry->d_name];
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            assert_int_equal(remove(name), 0);
        }
    }
    (void)closedir(dir);
    assert_int_equal(remove(path), 0);
}
