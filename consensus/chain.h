#ifndef NV_CONSENSUS_CHAIN_H
#define NV_CONSENSUS_CHAIN_H

/* chain.h - the blocks of an engine, and how they hang together with fin. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/state.h"

/* cs__block_find returns the block of that hash, or NULL. */
struct cs__block *cs__block_find(const struct cs *cs, const struct nv_hash *hash);

/* cs__header_find returns the header of that block or of fin, or NULL. */
const struct cs_header *cs__header_find(const struct cs *cs, const struct nv_hash *hash);

/* cs__block_add takes a block in, or returns the one that is there.  NULL when
 * there is no room. */
struct cs__block *
cs__block_add(struct cs *cs, const struct cs_block *block, const struct nv_hash *hash);
void cs__block_drop(struct cs *cs, struct cs__block *block);

/* cs__blocks_prune drops those at or below fin that are not final; cs__blocks_forget
 * all that are not. */
void cs__blocks_prune(struct cs *cs);
void cs__blocks_forget(struct cs *cs);

/* How a block hangs together with fin. */
enum cs__link {
    CS__LINK_READY = 1, /* it and all its ancestors above fin are there */
    CS__LINK_BODY,      /* a body is missing */
    CS__LINK_HEADER,    /* a header is missing */
    CS__LINK_INVALID,   /* a body is invalid */
    CS__LINK_FORK,      /* it does not descend from fin */
};

/* What a walk found on its way; the block nearest to fin of its kind. */
struct cs__walk {
    const struct cs__block *no_body; /* lacks its body; NULL: none */
    struct nv_hash no_header;        /* hash of a block whose header is missing */
    uint64_t no_header_view;         /* about its view */
    uint32_t path_count;             /* blocks in cs->path, from the given one down */
};

/* cs__block_walk follows a block's ancestors down to fin. */
enum cs__link
cs__block_walk(const struct cs *cs, const struct nv_hash *hash, struct cs__walk *walk);

/* cs__block_link returns what cs__block_walk would, without the walk when
 * nothing has changed.  It may use cs->path. */
enum cs__link cs__block_link(struct cs *cs, const struct nv_hash *hash);

/* cs__body_there returns whether a block's body is there and not found invalid. */
bool cs__body_there(const struct cs__block *block);

/* cs__body_counts returns whether a block's body is held and not empty. */
bool cs__body_counts(const struct cs__block *block);

/* cs__block_body sets what is known of a block's body. */
void cs__block_body(struct cs *cs, struct cs__block *block, enum cs__body_state body);

#endif /* NV_CONSENSUS_CHAIN_H */
