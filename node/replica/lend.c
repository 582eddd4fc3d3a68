/* lend.c - final blocks: lent to the executor, and back from it. */

#include "base/assert.h"
#include "base/heap.h"

#include "node/replica/internal.h"

/* give lends a final block to the executor. */
static void give(struct replica *r, struct replica_lent *lent)
{
    struct replica_block *const block = &lent->block;
    if (lent->body != NULL) {
        block->body = nv_view_of(lent->body->bytes, block->header.body_size);
        block->txs = lent->body->txs;
        block->tx_count = lent->body->tx_count;
        replica__fees_final(r, block->header.height, &lent->body->charges);
    }
    lent->next = r->lent;
    r->lent = lent;
    r->last_hash = block->hash;
    r->last_height = block->header.height;
    replica__txs_final(r, block);
    replica__bodies_judge(r);
    enum nv_err const err = node_outbox_block(r->outbox, block);
    NV_ASSERT(err == NV_OK); /* a final block must not be lost: stop */
}

void replica__give(struct replica *r)
{
    if (r->final != NULL && r->final->body != NULL) {
        replica__body_check(r, r->final->body); /* if no job looks at it */
    }
    while (r->final != NULL &&
           (r->final->body == NULL || r->final->body->state == NODE_BODY_HELD)) {
        struct replica_lent *const lent = r->final;
        r->final = lent->next;
        give(r, lent);
    }
}

/* note_facts writes what consensus knows of a final block. */
static void note_facts(struct replica *r, struct replica_lent *lent, const struct cs_effect *effect)
{
    struct cs_block block = {
        .header = *effect->execute.header,
        .has_justify = effect->execute.justify != NULL,
        .evidence = effect->execute.evidence,
    };
    if (block.has_justify) {
        block.justify = *effect->execute.justify;
    }
    replica_facts(&lent->block.facts, lent->offence, &block, r->parent_executed);
    r->parent_executed = block.header.executed_height;
}

/* replica__lend takes a final block.  An own one may be final before its body was
 * checked: the engine knows that it is good, and others were faster. */
void replica__lend(struct replica *r, const struct cs_effect *effect)
{
    const struct cs_certificate *const final = effect->execute.final;
    uint32_t const cap = cs_certificate_size(final);
    struct replica_lent *const lent = nv_heap_alloc(sizeof *lent + cap);
    NV_ASSERT(lent != NULL); /* a final block must not be lost: stop */
    *lent = (struct replica_lent){.next = NULL};
    struct nv_writer w;
    nv_writer_init(&w, (uint8_t *)(lent + 1), cap);
    cs_certificate_put(&w, final);
    NV_ASSERT(!w.overflow);

    struct replica_block *const block = &lent->block;
    block->header = *effect->execute.header;
    block->hash = effect->execute.block_hash;
    block->final = nv_view_of(w.bytes, w.size);
    block->final_hash = final->ballot.block_hash;
    note_facts(r, lent, effect);
    if (block->header.body_size > 0) {
        lent->body = replica__body(r, &block->hash);
        NV_ASSERT(lent->body != NULL && node_body_complete(lent->body));
        lent->body->executing = true;
    }
    struct replica_lent **end = &r->final;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = lent;
    replica__give(r);
}

/* ---- back from it ---- */

void replica__lent_back(struct replica *r, uint64_t height)
{
    struct replica_lent **at = &r->lent;
    while (*at != NULL && (*at)->block.header.height != height) {
        at = &(*at)->next;
    }
    NV_ASSERT(*at != NULL); /* it was lent */
    struct replica_lent *const lent = *at;
    *at = lent->next;
    if (lent->body != NULL) {
        lent->body->executing = false;
    }
    nv_heap_free(lent);
}

static void free_lent(struct replica_lent *lent)
{
    while (lent != NULL) {
        struct replica_lent *const next = lent->next;
        if (lent->body != NULL) {
            lent->body->executing = false;
        }
        nv_heap_free(lent);
        lent = next;
    }
}

void replica__lent_free(struct replica *r)
{
    free_lent(r->lent);
    free_lent(r->final);
}
