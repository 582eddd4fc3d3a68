#ifndef NV_CONSENSUS_POOL_H
#define NV_CONSENSUS_POOL_H

/* pool.h - evidence that waits for a block, and of what evidence final blocks held
 * (docs/spec/consensus.md section 17).
 *
 * Nobody fills it with what costs nothing: an item is let in only about a key
 * that was a validator in the epoch of the offence, so each costs that
 * validator's stake; and few items about one key wait at a time, so that one
 * offender does not keep others out. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/evidence.h"

#define CS__PROOFS      128u /* items that wait */
#define CS__PROOFS_EACH 4u   /* of them about one key */
#define CS__INCLUDED    256u /* items of final blocks that are remembered */

/* Of what evidence is: at most one item of it counts. */
struct cs__about {
    struct nv_pubkey key;
    uint64_t epoch; /* 0: not in use */
};

struct cs__pool {
    struct cs_evidence item[CS__PROOFS]; /* in ascending order, as blocks have them */
    uint32_t count;
    uint32_t next_told;                      /* whose turn it is to be told again */
    struct cs__about included[CS__INCLUDED]; /* ring */
    uint32_t included_next;
};

/* cs__pool_open returns whether there is a place for an item: none about the same
 * waits or was included, and there is room. */
bool cs__pool_open(const struct cs__pool *pool, const struct cs_evidence *item);

/* cs__pool_add puts an item for which there is a place. */
void cs__pool_add(struct cs__pool *pool, const struct cs_evidence *item);

/* cs__pool_include notes an item of a final block. */
void cs__pool_include(struct cs__pool *pool, const struct cs_evidence *item);

/* cs__pool_remove drops the item at a place. */
void cs__pool_remove(struct cs__pool *pool, uint32_t place);

#endif /* NV_CONSENSUS_POOL_H */
