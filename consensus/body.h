#ifndef NV_CONSENSUS_BODY_H
#define NV_CONSENSUS_BODY_H

/* body.h - the bytes of a block's transactions, and the chunks in which they
 * travel (docs/spec/consensus.md section 7).
 *
 *     body  = for each transaction: u32 size, bytes
 *     chunk = 64 KiB of the body; the last one is shorter
 *
 * The header's body_root is the Merkle root over the chunks, so that one chunk
 * can be checked alone, before the others are there.  Transactions stand in
 * ascending order of their hash, each once; what a transaction's hash is, is
 * the settlement machine's business, and so is that order.
 *
 * Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/merkle.h"

#define CS_BODY_SIZE_MAX   (4u << 20)
#define CS_CHUNK_SIZE      (64u << 10)
#define CS_BODY_CHUNKS_MAX (CS_BODY_SIZE_MAX / CS_CHUNK_SIZE)

/* cs_body_chunk_count returns how many chunks a body of `size` bytes has; 0
 * for the empty body. */
uint32_t cs_body_chunk_count(uint32_t size);

/* cs_body_chunk returns chunk `index` in place. */
struct nv_view cs_body_chunk(struct nv_view body, uint32_t index);

/* cs_body_root writes the root of a body of at most CS_BODY_SIZE_MAX bytes. */
void cs_body_root(struct nv_hash *root, struct nv_view body);

/* cs_body_path writes the Merkle path of chunk `index`.  It hashes the whole
 * body; for all chunks of one body use cs_body_leaves and nv_merkle_path. */
void cs_body_path(struct nv_merkle_path *path, struct nv_view body, uint32_t index);

/* cs_body_leaves writes the leaf hash of every chunk and returns their number,
 * at most CS_BODY_CHUNKS_MAX. */
uint32_t cs_body_leaves(struct nv_hash *leaves, struct nv_view body);

/* What a header says of its body, and one piece of it as it came. */
struct cs_chunk {
    uint32_t index;
    struct nv_view bytes; /* borrowed */
    struct nv_merkle_path path;
};

/* cs_body_chunk_check returns whether the chunk belongs, by its size, place
 * and path, to a body of `size` bytes with this root. */
NV_MUST_USE bool
cs_body_chunk_check(const struct nv_hash *root, uint32_t size, const struct cs_chunk *chunk);

/* cs_body_next reads the next transaction of a body in place.  False at the
 * end, and when the frame is broken: then nv_reader_end(r) is not NV_OK. */
bool cs_body_next(struct nv_reader *r, struct nv_view *transaction);

/* cs_body_check returns NV_OK when a body is exactly `tx_count` framed
 * transactions, none of them empty. */
NV_MUST_USE enum nv_err cs_body_check(struct nv_view body, uint32_t tx_count);

/* cs_body_put appends one transaction to a body under construction. */
void cs_body_put(struct nv_writer *w, struct nv_view transaction);

#endif /* NV_CONSENSUS_BODY_H */
