#ifndef NV_TESTS_LIB_REPLICA_PARTS_H
#define NV_TESTS_LIB_REPLICA_PARTS_H

/* replica_parts.h - what the files of the world of replica_world.h share:
 *
 *     replica_world.c     opens, crashes and revives nodes, and lets time pass
 *     replica_sets.c      who validates
 *     replica_journal.c   what a node has written, and reading it again
 *     replica_shell.c     does what replicas ask for, and brings what comes of it
 *     replica_txs.c       accounts, session keys, transactions */

#include "tests/lib/replica_world.h"

#define RW_START_MS UINT64_C(1700000000000)

enum rw_kind { RW_MESSAGE = 1, RW_TIMER, RW_DURABLE, RW_DONE, RW_GOSSIP, RW_JOB };

/* What comes to a node at a time. */
struct rw_event {
    struct rw_event *next;
    uint64_t at_ns;
    uint64_t order;
    enum rw_kind kind;
    uint32_t to;
    uint64_t life; /* of the receiver */
    uint32_t from;
    uint8_t type;
    uint64_t height;
    struct nv_hash root;
    struct replica_job *job;
    uint32_t size;
    uint8_t bytes[];
};

struct replica_time rw__now(const struct rw *w);

/* rw__root_of is all that execution does. */
void rw__root_of(struct nv_hash *root, const struct nv_hash *block_hash);

/* ---- replica_journal.c ---- */

/* rw__journal_add writes a batch behind the others; all are durable after
 * rw__journal_sync, and gone after rw__journal_drop, unless only those that are not
 * durable go. */
void rw__journal_add(struct rw_node *node, struct nv_view records);
void rw__journal_sync(struct rw_node *node);
void rw__journal_drop(struct rw_node *node, bool all);

/* A journal being read. */
struct rw_reading {
    const struct rw_batch *batch;
    struct nv_reader left; /* of the batch before */
};
struct rw_reading rw__journal_read(const struct rw_node *node);
bool rw__journal_next(struct rw_reading *reading, uint8_t *type, struct nv_view *payload);

/* rw__journal_store is the port by which a node's replica reads its journal. */
struct replica_store rw__journal_store(struct rw *w, uint32_t node);

/* ---- replica_shell.c ---- */

/* rw__drain does all that a replica asks for; rw__deliver gives it an event first. */
void rw__drain(struct rw *w, uint32_t node);
void rw__deliver(struct rw *w, const struct rw_event *event);

/* rw__job_end runs a job and takes it back. */
void rw__job_end(struct rw *w, uint32_t node, struct replica_job *job);

/* ---- replica_txs.c ---- */

/* rw__charge takes the fee of a transaction, where there is one to take. */
void rw__charge(struct rw *w, struct rw_node *node, const struct vm_tx *tx);

/* rw__tell_fee tells the fee after a height; rw__tell_rows what its block wrote. */
void rw__tell_fee(struct rw *w, uint32_t node, uint64_t height);
void rw__tell_rows(struct rw *w, uint32_t node, uint64_t height, const int64_t cash[RW_ACCOUNTS]);

#endif /* NV_TESTS_LIB_REPLICA_PARTS_H */
