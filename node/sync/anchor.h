#ifndef NV_NODE_SYNC_ANCHOR_H
#define NV_NODE_SYNC_ANCHOR_H

/* anchor.h - why the root of a snapshot is to be believed
 * (docs/spec/state.md 7, docs/spec/sync.md 3).
 *
 * Bytes from strangers.  No I/O; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"

#include "consensus/header.h"
#include "consensus/light_client.h"

/* What an anchor is made of; all views are borrowed. */
struct sync_anchor {
    struct nv_view block; /* as cs_block_put, of the snapshot's height */
    struct nv_view final; /* its finalization */
    struct nv_view later_header;
    struct nv_view later_final;
    struct nv_view proof; /* empty: the later header names the snapshot's height itself */
};

/* What an anchor proves. */
struct sync_base {
    struct cs_header header; /* of the snapshot's block */
    struct nv_hash hash;
    struct nv_hash root; /* after that block */
};

/* sync_anchor_put writes an anchor. */
void sync_anchor_put(struct nv_writer *w, const struct sync_anchor *anchor);

/* sync_anchor_get takes an anchor apart, which says nothing of its truth. */
NV_MUST_USE enum nv_err sync_anchor_get(struct sync_anchor *out, struct nv_view bytes);

#define SYNC_EPOCHS_APART 8u /* of an anchor's two headers, at most */

/* sync_anchor_epochs tells in which epochs the two headers say that they are; false
 * when they are none, or too far apart. */
NV_MUST_USE bool
sync_anchor_epochs(const struct sync_anchor *anchor, uint64_t *of_block, uint64_t *of_later);

/* sync_anchor_check returns whether an anchor proves the root of `height` to whom
 * these light states, of the epochs of its two headers, are believed at the time
 * now, and writes what it proves. */
NV_MUST_USE bool sync_anchor_check(struct sync_base *out,
                                   const struct sync_anchor *anchor,
                                   const struct cs_light *of_block,
                                   const struct cs_light *of_later,
                                   uint64_t now_ms,
                                   uint64_t height);

#endif /* NV_NODE_SYNC_ANCHOR_H */
