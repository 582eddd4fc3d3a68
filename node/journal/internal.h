#ifndef NV_NODE_JOURNAL_INTERNAL_H
#define NV_NODE_JOURNAL_INTERNAL_H

/* internal.h - the index in memory, for blocks.c and read.c.
 *
 *     blocks.c        entries, noting records
 *     node/journal/read.c   reading records, the ports */

#include "base/critbit.h"

#include "node/journal/blocks.h"

#define NODE_BLOCKS_KEEP 1024u /* final blocks below the checkpoint that stay in memory */

#define NODE_BLOCKS_EPOCHS 65536u /* ends of epochs that stay in memory */

/* Records are read into one piece of memory: a block, a finalization, the end of
 * an epoch, a body, an EXECUTED record; each has its part. */
#define NODE_BLOCKS_PART      (64u << 10) /* a block, a finalization, the end of an epoch */
#define NODE_BLOCKS_BODY      (CS_BODY_SIZE_MAX + 4096u)
#define NODE_BLOCKS_EXECUTED  (ST_BATCH_MAX_DEFAULT + 4096u)
#define NODE_BLOCKS_READ_SIZE (3u * NODE_BLOCKS_PART + NODE_BLOCKS_BODY + NODE_BLOCKS_EXECUTED)

/* What is known of a block.  A place of {0, 0} is not known. */
struct node_block_entry {
    struct nv_hash hash;
    struct nv_hash parent;
    uint64_t height; /* 0: not known yet, only its body is */
    struct st_place block;
    struct st_place body;
    struct st_place certificate; /* its own finalization */
    struct st_place executed;
    uint32_t next_free; /* of a free one */
    bool used;
    bool final;
    bool empty;
};

struct node_block_tx {
    struct nv_hash hash;
    struct st_tx_place place;
};

struct node_block_epoch {
    uint64_t epoch;
    struct st_place place;
};

struct node_blocks {
    struct st_db *db;
    struct st_reader *reader;
    uint32_t validator_count;
    uint64_t checkpoint; /* the database leads to what is at or below */
    uint64_t final;
    struct node_block_entry *entry;
    uint32_t entry_count; /* in use */
    uint32_t touched;     /* slots from here on were never used */
    uint32_t free;        /* 1 + the first free one below `touched`; 0: none */
    uint32_t sweep_at;    /* entries in use that make a sweep worth its while */
    uint32_t *by_height;  /* 1 + slot, by height modulo their number */
    struct nv_critbit *by_hash;
    struct node_block_tx *tx; /* a ring, oldest first */
    uint32_t tx_first;
    uint32_t tx_count;
    uint32_t txs_max;
    struct nv_critbit *by_tx;       /* hash -> place in the ring */
    struct node_block_epoch *epoch; /* by number modulo NODE_BLOCKS_EPOCHS */
    uint64_t epoch_first;           /* the lowest and the highest noted; 0: none */
    uint64_t epoch_last;
    uint32_t segment_first; /* those below are gone */
    uint8_t *read_memory;
    void *memory; /* of all of the above */
    size_t memory_size;
};

/* node_blocks__find returns the entry of a block, node_blocks__at that of the
 * final block of a height; NULL when it is not in memory. */
struct node_block_entry *node_blocks__find(const struct node_blocks *b, const struct nv_hash *hash);
struct node_block_entry *node_blocks__at(const struct node_blocks *b, uint64_t height);

#endif /* NV_NODE_JOURNAL_INTERNAL_H */
