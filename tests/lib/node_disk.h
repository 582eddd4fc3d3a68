#ifndef NV_TESTS_LIB_NODE_DISK_H
#define NV_TESTS_LIB_NODE_DISK_H

/* node_disk.h - what a node has on its disk: a journal and a database, each in a
 * temporary folder, a batch to write with, and a chain of node_chain.h to write. */

#include "node/journal/thread.h"
#include "storage/epochs.h"
#include "storage/storage.h"
#include "tests/lib/node_chain.h"
#include "tests/lib/temp_dir.h"

struct node_disk {
    char folder[TEMP_DIR_SIZE]; /* the journal's */
    char state_dir[TEMP_DIR_SIZE];
    struct st_journal_options options;
    struct st_journal *journal;
    struct st_db *db;
    struct node_batch batch;
    struct made_chain chain;
};

/* node_disk_open makes an empty journal of segments of that size, and a chain of
 * `count` blocks that are not written yet. */
void node_disk_open(struct node_disk *disk, uint32_t segment_size, uint32_t count);
void node_disk_close(struct node_disk *disk);

/* node_disk_append writes one record into the journal; it is the first of the batch
 * until the next. */
void node_disk_append(struct node_disk *disk, uint8_t type, struct nv_view payload);

#endif /* NV_TESTS_LIB_NODE_DISK_H */
