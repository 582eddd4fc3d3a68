#ifndef NV_TESTS_LIB_DISK_MODEL_H
#define NV_TESTS_LIB_DISK_MODEL_H

/* disk_model.h - a disk in memory that forgets what was not synced.
 *
 * It holds what the program sees (the page cache) and what is durable. When the
 * power fails, what the program sees becomes what is durable plus any part of
 * what was written since: of each write any of its 512-byte sectors, of the
 * changes of the directory any beginning, with any removal undone. A sync that fails leaves the pages
 * clean and not durable, as on Linux: a later sync does not write them.
 *
 * One directory; every path's last part is a name in it. */

#include <stdbool.h>
#include <stdint.h>

#include "storage/files.h"

#define DISK_FILES_MAX 128u
#define DISK_NAME_SIZE 32u

struct disk_file {
    uint8_t *seen; /* as the program reads it */
    uint32_t seen_size;
    uint8_t *safe; /* as it is on the disk */
    uint32_t safe_size;
    uint8_t *fresh; /* per sector: 1 when it was written since the last sync */
    uint32_t cap;
};

struct disk_entry {
    char name[DISK_NAME_SIZE];
    int32_t file; /* index, or -1: no such name */
};

struct disk {
    struct disk_file files[DISK_FILES_MAX];
    uint32_t file_count;
    struct disk_entry seen[DISK_FILES_MAX];
    uint32_t seen_count;
    /* All states of the directory since it was last synced, the synced first. */
    struct disk_entry history[DISK_FILES_MAX][DISK_FILES_MAX];
    uint32_t history_counts[DISK_FILES_MAX];
    uint32_t history_length;
    uint64_t ops;      /* operations so far that change or sync something */
    uint64_t fails_at; /* this one fails (1 is the first); 0 is none */
    bool stays_failed; /* and all after it: the power is off */
    enum nv_err fails_with;
    bool locked;
};

/* disk_new returns an empty disk, disk_free gives it back. */
struct disk *disk_new(void);
void disk_free(struct disk *disk);

/* disk_port returns the port to a disk, which it borrows. */
struct st_files disk_port(struct disk *disk);

/* disk_fail makes the n-th operation from now on fail, and with `stays` all
 * after it. 0 ends that. */
void disk_fail(struct disk *disk, uint64_t n, bool stays, enum nv_err with);

/* disk_cut takes the power away and back: what was not synced survives as
 * `seed` says. */
void disk_cut(struct disk *disk, uint64_t seed);

/* disk_copy makes `to` the same as `from`. */
void disk_copy(struct disk *to, const struct disk *from);

/* disk_file_named returns a file to look into or to damage, or NULL. */
struct disk_file *disk_file_named(struct disk *disk, const char *name);

#endif /* NV_TESTS_LIB_DISK_MODEL_H */
