/* publish.c - what the node tells: verdicts, blocks, rounds, pages. */

#include "base/assert.h"

#include "rpc/rpc.h"
#include "rpc/server.h"
#include "rpc/subscribe.h"
#include "rpc/tx.h"
#include "vm/rows.h"

void rpc_submitted(struct rpc *rpc, uint64_t ticket, const struct rpc_verdict *verdict)
{
    rpc__waits_happen(&rpc->waits, RPC_WAIT_TICKET, ticket, verdict);
}

void rpc_dropped(struct rpc *rpc, const struct nv_hash *tx_hash, uint32_t reason)
{
    struct rpc_tx_outcome const outcome = {.hash = *tx_hash, .reason = (int32_t)reason};
    rpc__waits_happen(&rpc->waits, RPC_WAIT_TX, rpc__tx_key(tx_hash), &outcome);
    rpc__hub_dropped(rpc->hub, tx_hash, (int32_t)reason);
}

/* lists_market returns whether the block wrote a listing. */
static bool lists_market(const struct rpc_executed *block)
{
    for (uint32_t i = 0; i < block->write_count; i++) {
        if (block->writes[i].key.bytes[0] == VM_TABLE_MARKET) {
            return true;
        }
    }
    return false;
}

void rpc_publish(struct rpc *rpc, const struct rpc_executed *block)
{
    NV_ASSERT(!rpc->has_head || block->head.height == rpc->head.height + 1);
    if (rpc->closing) {
        return;
    }
    rpc->head = block->head;
    rpc->has_head = true;
    if (!rpc->catalogue.loaded || lists_market(block)) {
        rpc__catalogue_load(rpc);
    }
    rpc__waits_height(&rpc->waits, block->head.height);
    for (uint32_t i = 0; i < block->tx_count; i++) {
        const struct rpc_executed_tx *tx = &block->txs[i];
        struct rpc_tx_outcome const outcome = {.hash = tx->hash,
                                               .final = true,
                                               .height = block->head.height,
                                               .index = i,
                                               .receipt = tx->receipt};
        rpc__waits_happen(&rpc->waits, RPC_WAIT_TX, rpc__tx_key(&tx->hash), &outcome);
    }
    rpc__hub_publish(rpc->hub, block);
}

void rpc_publish_round(struct rpc *rpc, const struct rpc_round *round)
{
    if (!rpc->closing) {
        rpc__hub_round(rpc->hub, round);
    }
}

void rpc_rows_done(struct rpc *rpc, struct rpc_rows *page)
{
    NV_ASSERT(rpc->borrowed > 0);
    page->done(page);
    rpc->borrowed--;
    rpc__close_step(rpc);
}
