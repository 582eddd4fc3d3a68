#ifndef NV_NODE_REPLICA_BODY_H
#define NV_NODE_REPLICA_BODY_H

/* body.h - the transactions of one block, from loose chunks to decoded structs.
 *
 *     chunks --add--> complete --decode (worker)--> transactions
 *            --signatures (worker)--> judged by replica's rules
 *
 * A body may be known before its header: its chunks are then kept unchecked,
 * bounded, and checked when the header comes.  No I/O.  The replica's thread
 * owns a body; while a job works on it, only the job writes to the part named
 * in its comment. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"

#include "consensus/body.h"
#include "consensus/header.h"
#include "node/replica/charges.h"
#include "node/replica/signers.h"
#include "vm/tx.h"

enum node_body_state {
    NODE_BODY_ASSEMBLING = 1, /* chunks are missing, or the header */
    NODE_BODY_DECODING,       /* a job reads it */
    NODE_BODY_SIGNATURES,     /* jobs check signatures */
    NODE_BODY_HELD,           /* well framed, every signature good */
    NODE_BODY_INVALID,
};

struct node_loose_chunk; /* private */

struct node_body {
    struct nv_hash hash; /* of the block */
    enum node_body_state state;
    bool header_known;
    struct cs_header header;
    uint8_t *bytes; /* owned, header.body_size */
    uint64_t have;  /* bit i: chunk i is in place */
    struct node_loose_chunk *loose;
    uint32_t loose_count;
    uint64_t heard; /* when it was asked for last, or first heard of: replica's count */

    /* after decoding */
    void *memory; /* owned: txs point into it */
    size_t memory_size;
    bool mapped;       /* it is a mapping, else of the heap */
    struct vm_tx *txs; /* tx_count of them, ascending hash */
    uint32_t tx_count;
    struct node_charges charges; /* what they may cost */
    struct node_signers signers; /* by which keys they are signed */

    uint32_t jobs;      /* under way */
    bool bad_signature; /* a job found one */
    bool journaled;     /* its record has been queued, or comes from there */
    bool executing;     /* lent to the executor */
    bool wanted;        /* the engine asked for it and was not answered */
};

/* node_body_init makes an empty body of a block known by its hash alone. */
void node_body_init(struct node_body *body, const struct nv_hash *hash);

/* node_body_deinit gives back its memory.  No job may be under way. */
void node_body_deinit(struct node_body *body);

/* node_body_set_header makes room and takes in the loose chunks that fit.
 * NV_ERR_NO_MEMORY.  Contract: the header's hash is the body's. */
NV_MUST_USE enum nv_err
node_body_set_header(struct node_body *body, const struct cs_header *header);

/* node_body_add takes a chunk (copied).  False when it does not belong: the
 * sender then sent rubbish.  A repeated one is fine. */
bool node_body_add(struct node_body *body, const struct cs_chunk *chunk);

/* node_body_fill takes a whole body at once: from the journal, or one's own. */
NV_MUST_USE enum nv_err node_body_fill(struct node_body *body, struct nv_view bytes);

/* node_body_complete returns whether every chunk is in place. */
bool node_body_complete(const struct node_body *body);

/* node_body_missing writes the first run of missing chunks; false if none. */
bool node_body_missing(const struct node_body *body, uint32_t *first, uint32_t *count);

/* node_body_decode reads the complete bytes into txs: framing, canonical
 * transactions, strictly ascending hashes, expiry in (time, time + a minute],
 * and no more transactions and actions than a block may have (vm/tx.h).
 * Any thread; writes memory, txs, tx_count, charges
 * and signers.  NV_OK or why it is invalid. */
NV_MUST_USE enum nv_err node_body_decode(struct node_body *body, const struct nv_hash *chain_id);

#endif /* NV_NODE_REPLICA_BODY_H */
