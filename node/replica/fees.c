/* fees.c - who can pay for what a body holds
 * (docs/spec/transactions.md section 6). */

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "node/replica/internal.h"

/* ---- final blocks ---- */

void replica__fees_final(struct replica *r, uint64_t height, const struct node_charges *charges)
{
    if (r->purses == NULL || charges->count == 0) {
        return;
    }
    struct replica_charged *const place = &r->charged[height % REPLICA_LAG_MAX];
    size_t const size = sizeof *place->list * (size_t)charges->count;
    nv_heap_free(place->list);
    place->list = nv_heap_alloc(size);
    NV_ASSERT(place->list != NULL); /* no body could be judged right without: stop */
    memcpy(place->list, charges->list, size);
    place->height = height;
    place->count = charges->count;
}

void replica__fees_replayed(struct replica *r, const struct replica_block *block)
{
    if (r->purses == NULL || block->tx_count == 0) {
        return;
    }
    struct node_charge *const list = nv_heap_alloc(2 * sizeof *list * (size_t)block->tx_count);
    NV_ASSERT(list != NULL);
    struct node_charges const charges = {
        .list = list,
        .count = node_charges_of(list, list + block->tx_count, block->txs, block->tx_count),
    };
    replica__fees_final(r, block->header.height, &charges);
    nv_heap_free(list);
}

void replica__fees_free(struct replica *r)
{
    for (uint32_t i = 0; i < REPLICA_LAG_MAX; i++) {
        nv_heap_free(r->charged[i].list);
        r->charged[i].list = NULL;
    }
}

/* ---- spans ---- */

/* open_span lists what lies between `executed_height` and a child of the
 * newest of `before`. */
static void open_span(const struct replica *r,
                      struct replica_span *span,
                      uint64_t executed_height,
                      const struct node_body *const *before,
                      uint32_t before_count)
{
    span->count = 0;
    for (uint32_t i = 0; i < before_count; i++) {
        if (before[i]->header.height > executed_height) {
            span->blocks[span->count] = before[i]->charges;
            span->count++;
        }
    }
    for (uint32_t i = 0; i < REPLICA_LAG_MAX; i++) {
        const struct replica_charged *const c = &r->charged[i];
        if (c->list != NULL && c->height > executed_height) {
            span->blocks[span->count] = (struct node_charges){c->list, c->count};
            span->count++;
        }
    }
}

static void add_span(const struct replica_span *span, struct node_charge *sum)
{
    for (uint32_t i = 0; i < span->count; i++) {
        node_charges_add(&span->blocks[i], sum);
    }
}

enum replica_judgement replica__fees_judge(const struct replica *r,
                                           const struct node_body *body,
                                           const struct node_body *const *before,
                                           uint32_t before_count)
{
    uint64_t const executed = body->header.executed_height;
    struct replica_span span;
    if (r->purses == NULL) {
        return REPLICA_JUDGED_VALID;
    }
    if (executed > node_purses_newest(r->purses)) {
        return REPLICA_JUDGED_LATER;
    }
    /* SPEC transactions 6.3: "One that has not the rows of that height any more, because it began
     * at a later one, does not vote for a body with transactions" */
    if (body->charges.count > 0 && !node_purses_known(r->purses, executed)) {
        return REPLICA_JUDGED_LATER;
    }
    open_span(r, &span, executed, before, before_count);
    for (uint32_t i = 0; i < body->charges.count; i++) {
        struct node_charge sum = body->charges.list[i];
        add_span(&span, &sum);
        if (node_purses_judge(r->purses, executed, &sum) != NODE_PURSE_ENOUGH) {
            return REPLICA_JUDGED_INVALID;
        }
    }
    return REPLICA_JUDGED_VALID;
}

/* ---- one's own bodies ---- */

bool replica__fees_begin(struct replica *r,
                         uint64_t executed_height,
                         struct replica_span *span,
                         const struct node_body *const *before,
                         uint32_t before_count)
{
    if (r->purses == NULL) {
        return true;
    }
    if (!node_purses_known(r->purses, executed_height)) {
        return false;
    }
    open_span(r, span, executed_height, before, before_count);
    node_purses_tally(r->purses);
    return true;
}

bool replica__fees_take(struct replica *r,
                        uint64_t executed_height,
                        const struct replica_span *span,
                        const struct node_mempool_tx *tx)
{
    bool first = false;
    if (r->purses == NULL) {
        return true;
    }
    struct node_charge *const sum = node_purses_sum(r->purses, &tx->signer.account, &first);
    if (sum == NULL) {
        return false;
    }
    if (first) {
        add_span(span, sum);
    }
    struct node_charge more = *sum;
    more.paid += tx->fee_free ? 0u : 1u;
    more.free += tx->fee_free ? 1u : 0u;
    if (node_purses_judge(r->purses, executed_height, &more) != NODE_PURSE_ENOUGH) {
        return false;
    }
    *sum = more;
    return true;
}

enum replica_refusal replica__fees_admit(const struct replica *r, const struct replica_new_tx *tx)
{
    if (r->purses == NULL) {
        return REPLICA_TX_TAKEN;
    }
    struct node_charge const charge = {
        .account = tx->signer.account,
        .paid = tx->fee_free ? 0u : 1u,
        .free = tx->fee_free ? 1u : 0u,
    };
    switch (node_purses_judge(r->purses, node_purses_newest(r->purses), &charge)) {
    case NODE_PURSE_ENOUGH: return REPLICA_TX_TAKEN;
    case NODE_PURSE_EMPTY: return REPLICA_TX_UNPAID;
    case NODE_PURSE_NO_ACCOUNT: return REPLICA_TX_NO_ACCOUNT;
    }
    NV_ASSERT(false);
    return REPLICA_TX_UNPAID;
}
