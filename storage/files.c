#include "storage/files.h"

#include <stdio.h>
#include <string.h>

enum nv_err st_sync_name(const struct st_files *files, const char *path)
{
    char holder[ST_PATH_MAX];
    int const size = snprintf(holder, sizeof holder, "%s", path);
    if (size <= 0 || (uint32_t)size >= sizeof holder) {
        return NV_ERR_TOO_LARGE;
    }
    char *const slash = strrchr(holder, '/');
    if (slash == NULL) {
        return files->sync_dir(files->ctx, ".");
    }
    slash[slash == holder ? 1 : 0] = '\0';
    return files->sync_dir(files->ctx, holder);
}

enum nv_err st_make_dir(const struct st_files *files, const char *path)
{
    NV_TRY(files->make_dir(files->ctx, path));
    return st_sync_name(files, path);
}
