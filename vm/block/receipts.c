/* Receipts of a block: outcomes gathered by transaction, encoded, hashed. */

#include "base/assert.h"
#include "base/merkle.h"

#include "vm/block/block.h"
#include "vm/receipt.h"

#include "base/pure.h"

#define RECEIPT_SIZE_MAX (51u + 10u * VM_ACTIONS_MAX)

/* Where each transaction's outcomes begin; how many there are in all. */
static uint32_t outcomes_place(struct vm_block_run *run)
{
    const struct vm_block *const block = run->x.block;
    uint32_t total = 0;
    for (uint32_t i = 0; i < block->tx_count; i++) {
        run->txs[i].outcome_first = total;
        total += run->txs[i].code == VM_OK ? block->txs[i].action_count : 0;
    }
    return total;
}

static void outcomes_gather(const struct vm_block_run *run, struct vm_outcome *outcomes)
{
    for (uint32_t i = 0; i < run->x.block->tx_count; i++) {
        const struct vm_tx_run *const t = &run->txs[i];
        for (uint64_t left = t->denied; left != 0; left &= left - 1) {
            uint32_t const action = (uint32_t)__builtin_ctzll(left);
            outcomes[t->outcome_first + action].code = VM_REJECT_KEY_SCOPE;
        }
    }
    for (uint32_t i = 0; i < run->x.act_count; i++) {
        const struct vm_act *const act = &run->x.acts[i];
        outcomes[run->txs[act->tx_index].outcome_first + act->action_index] = act->outcome;
    }
}

void vm_block_receipts(struct vm_block_run *run, struct vm_result *result)
{
    struct nv_arena *const arena = run->x.arena;
    const struct vm_block *const block = run->x.block;
    struct vm_outcome *const outcomes = NV_ARENA_NEW(arena, struct vm_outcome, outcomes_place(run));
    outcomes_gather(run, outcomes);
    struct nv_view *const views = NV_ARENA_NEW(arena, struct nv_view, block->tx_count);
    for (uint32_t i = 0; i < block->tx_count; i++) {
        const struct vm_tx_run *const t = &run->txs[i];
        struct vm_receipt receipt;
        uint8_t bytes[RECEIPT_SIZE_MAX];
        struct nv_writer w;
        receipt.tx_hash = block->txs[i].hash;
        receipt.account = t->account;
        receipt.code = t->code;
        receipt.fee = t->fee;
        receipt.outcome_count = t->code == VM_OK ? block->txs[i].action_count : 0;
        memcpy(receipt.outcomes,
               &outcomes[t->outcome_first],
               receipt.outcome_count * sizeof outcomes[0]);
        nv_writer_init(&w, bytes, sizeof bytes);
        vm_receipt_encode(&w, &receipt);
        NV_ASSERT(!w.overflow);
        uint8_t *const kept = NV_ARENA_NEW(arena, uint8_t, w.size);
        memcpy(kept, bytes, w.size);
        views[i] = nv_view_of(kept, w.size);
    }
    result->receipts = views;
    result->receipt_count = block->tx_count;
    nv_merkle_root(&result->receipts_root, views, block->tx_count);
}
