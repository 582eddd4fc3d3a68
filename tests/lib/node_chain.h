#ifndef NV_TESTS_LIB_NODE_CHAIN_H
#define NV_TESTS_LIB_NODE_CHAIN_H

/* node_chain.h - a chain of real blocks made by hand, without consensus: for
 * what stores, finds and executes them.
 *
 * Block h has h % 3 small transactions (of accounts that do not exist, so that
 * each fails with a receipt); every block with h % 4 == 0 has a finalization of
 * its own, with signatures that nobody checks. */

#include "consensus/handover.h"
#include "node/replica/replica.h"

#define NODE_CHAIN_MAX 64u

struct made_block {
    struct replica_block block; /* points into this struct and into memory below */
    uint8_t record[16384];      /* as cs_block_put */
    uint32_t record_size;
    uint8_t body[8192];
    uint8_t final[1024]; /* certificate of final_hash */
    uint8_t arena[65536];
    struct vm_tx txs[2];
};

struct made_chain {
    struct nv_hash chain_id;
    uint64_t start_ms;
    uint32_t count;                              /* blocks, heights 1 to count */
    struct made_block block[NODE_CHAIN_MAX + 1]; /* by height; 0 is unused */
};

/* node_chain_make fills a chain of `count` blocks, a multiple of 4. */
void node_chain_make(struct made_chain *chain, const struct nv_hash *chain_id, uint32_t count);

/* node_chain_final_height returns the height of the finalization that makes a
 * block final. */
uint64_t node_chain_final_height(uint64_t height);

/* node_chain_handover writes the end of an epoch into `out`, which has room for
 * CS_HANDOVER_SIZE_MAX bytes: a block above the chain, at 1000 times the epoch,
 * and a set of one.  Returns how many bytes it took. */
uint32_t node_chain_handover(const struct made_chain *chain, uint64_t epoch, uint8_t *out);

/* node_chain_genesis is the text of a genesis of one validator. */
struct nv_view node_chain_genesis(void);

#endif /* NV_TESTS_LIB_NODE_CHAIN_H */
