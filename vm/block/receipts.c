/* Receipts of a block: outcomes gathered by transaction, encoded, hashed. */

#include "base/assert.h"
#include "base/merkle.h"

#include "vm/block/block.h"
#include "vm/receipt.h"

#include "base/pure.h"

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

/* The bytes of all groups, and where each receipt and each leaf lies in them. */
struct groups {
    struct nv_writer bytes;
    struct nv_view *receipts;
    struct nv_view *leaves;
};

static struct groups groups_new(const struct vm_block_run *run, uint32_t outcome_count)
{
    struct nv_arena *const arena = run->x.arena;
    uint32_t const count = run->x.block->tx_count;
    uint32_t const size = count * (VM_RECEIPT_SIZE(0) + 2) +
                          outcome_count * (VM_RECEIPT_SIZE(1) - VM_RECEIPT_SIZE(0));
    struct groups groups = {
        .receipts = NV_ARENA_NEW(arena, struct nv_view, count),
        .leaves = NV_ARENA_NEW(arena, struct nv_view, vm_receipt_leaves(count)),
    };
    nv_writer_init(&groups.bytes, NV_ARENA_NEW(arena, uint8_t, size), size);
    return groups;
}

/* SPEC receipts 1.3: "its leaves are groups of 16 consecutive receipts, the last group having what is
 * left, and a leaf's data are the group's receipts one after another, each after its size as a u16." */
static void groups_add(struct groups *groups, uint32_t index, const struct vm_receipt *receipt)
{
    struct nv_writer *const w = &groups->bytes;
    struct nv_view *const leaf = &groups->leaves[index / VM_RECEIPT_GROUP];
    if (index % VM_RECEIPT_GROUP == 0) {
        *leaf = nv_view_of(w->bytes + w->size, 0);
    }
    uint32_t const size = VM_RECEIPT_SIZE(receipt->outcome_count);
    nv_put_u16(w, (uint16_t)size);
    groups->receipts[index] = nv_view_of(w->bytes + w->size, size);
    vm_receipt_encode(w, receipt);
    NV_ASSERT(!w->overflow && w->bytes + w->size == groups->receipts[index].bytes + size);
    leaf->size += size + 2;
}

void vm_block_receipts(struct vm_block_run *run, struct vm_result *result)
{
    const struct vm_block *const block = run->x.block;
    uint32_t const outcome_count = outcomes_place(run);
    struct vm_outcome *const outcomes =
        NV_ARENA_NEW(run->x.arena, struct vm_outcome, outcome_count);
    outcomes_gather(run, outcomes);
    struct groups groups = groups_new(run, outcome_count);
    for (uint32_t i = 0; i < block->tx_count; i++) {
        const struct vm_tx_run *const t = &run->txs[i];
        struct vm_receipt receipt;
        receipt.tx_hash = block->txs[i].hash;
        receipt.account = t->account;
        receipt.code = t->code;
        receipt.fee = t->fee;
        receipt.outcome_count = t->code == VM_OK ? block->txs[i].action_count : 0;
        memcpy(receipt.outcomes,
               &outcomes[t->outcome_first],
               receipt.outcome_count * sizeof outcomes[0]);
        groups_add(&groups, i, &receipt);
    }
    result->receipts = groups.receipts;
    result->receipt_count = block->tx_count;
    nv_merkle_root(&result->receipts_root, groups.leaves, vm_receipt_leaves(block->tx_count));
}
