#ifndef NV_NODE_STORE_REPLAY_H
#define NV_NODE_STORE_REPLAY_H

/* replay.h - the steps of node_start_replay, which are the files replay_*.c.
 *
 *     every record --------------------> index of blocks, replica      replay_records.c
 *     the state at the checkpoint, and
 *     the blocks up to it -------------> the replica is told of them   replay_tell.c
 *     the blocks above it -------------> executed                      replay_execute.c
 *
 * The blocks are read by replay_blocks.c; what is wrong is told by replay_broken.c. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#include "node/replica/body.h"
#include "node/store/start.h"

/* A walk up the final blocks. */
struct node_replay__walk {
    const struct node_start *start;
    struct replica_store store;                 /* of the blocks */
    uint64_t tip;                               /* the newest final block of the journal */
    struct replica_block block;                 /* at which the walk is */
    struct node_body body;                      /* its body, which the block borrows */
    struct vm_offence offence[CS_EVIDENCE_MAX]; /* of its facts */
    struct replica_set set;                     /* room for one */
    bool told;                                  /* the replica knows a set */

    uint64_t final_height; /* of the certificate in `final`; 0: none */
    struct nv_hash final_hash;
    uint32_t final_size;
    uint8_t final[CS_CERTIFICATE_SIZE_MAX];
};

/* node_replay__broken tells in the fault what is wrong with the journal, and where;
 * always false. */
bool node_replay__broken(const struct node_start *start,
                         const char *what,
                         uint64_t height,
                         enum nv_err err);

/* node_replay__records reads all records of the journal; *votes: there are own votes
 * among them. */
NV_MUST_USE bool node_replay__records(const struct node_start *start, bool *votes);

/* node_replay__read fills walk->block with the final block of a height;
 * node_replay__read_base with that of a base, whose body is not here.  Whatever comes
 * back, node_replay__drop gives its memory back. */
NV_MUST_USE enum nv_err node_replay__read(struct node_replay__walk *walk, uint64_t height);
NV_MUST_USE enum nv_err node_replay__read_base(struct node_replay__walk *walk, uint64_t height);
void node_replay__drop(struct node_replay__walk *walk);

/* node_replay__read_facts adds to it what consensus tells the VM of it. */
NV_MUST_USE enum nv_err node_replay__read_facts(struct node_replay__walk *walk, uint64_t height);

/* node_replay__tell tells the replica what it has to know of the state that the machine
 * has loaded, and of the blocks before it. */
NV_MUST_USE bool node_replay__tell(struct node_replay__walk *walk);

/* node_replay__execute executes the blocks above the checkpoint. */
NV_MUST_USE bool node_replay__execute(struct node_replay__walk *walk);

#endif /* NV_NODE_STORE_REPLAY_H */
