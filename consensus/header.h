#ifndef NV_CONSENSUS_HEADER_H
#define NV_CONSENSUS_HEADER_H

/* header.h - the header of a block (docs/spec/consensus.md section 3).
 *
 * A block is a header and a body; its name is the hash of the header.  Block 0
 * is the genesis: it has no header, and its hash is the chain id.
 *
 * Plain data, no pointers.  Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"

#define CS_HEADER_VERSION 1u
#define CS_HEADER_SIZE    348u

struct cs_header {
    struct nv_hash chain_id;
    uint64_t epoch;
    uint64_t height;
    uint64_t view;        /* in which the block was first proposed */
    uint64_t parent_view; /* of the parent's certificate that `justify_hash` names */
    struct nv_hash parent_hash;
    uint64_t time_ms; /* Unix milliseconds, never below the parent's */
    struct nv_hash body_root;
    uint32_t body_size; /* bytes of the body */
    uint32_t tx_count;
    uint64_t executed_height;        /* the block after which ... */
    struct nv_hash state_root;       /* ... the state had this root */
    struct nv_hash justify_hash;     /* of the parent's certificate; zero in block 1 */
    struct nv_hash evidence_root;    /* root of the evidence list */
    struct nv_hash valset_hash;      /* of the epoch's validators */
    struct nv_hash next_valset_hash; /* zero unless the block closes its epoch */
    struct nv_hash params_hash;      /* of the chain's parameters */
    uint16_t proposer;               /* index of the validator that built it */
};

/* cs_header_put writes the CS_HEADER_SIZE canonical bytes. */
void cs_header_put(struct nv_writer *w, const struct cs_header *header);

/* cs_header_get reads what cs_header_put wrote.  NV_ERR_TRUNCATED, or
 * NV_ERR_VERSION for a version that this program does not know.  Every other
 * value decodes: whether it is acceptable is the engine's business. */
NV_MUST_USE enum nv_err cs_header_get(struct nv_reader *r, struct cs_header *header);

/* cs_header_hash writes the block's hash. */
void cs_header_hash(struct nv_hash *out, const struct cs_header *header);

/* cs_header_closes returns whether the block closes its epoch, by what it says. */
bool cs_header_closes(const struct cs_header *header);

#endif /* NV_CONSENSUS_HEADER_H */
