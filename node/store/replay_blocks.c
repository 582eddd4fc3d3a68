/* One final block after the other, out of the journal. */

#include <string.h>

#include "node/store/replay.h"

/* read_final finds the certificate that made a block final: its own, or that
 * of the next descendant that has one. */
static enum nv_err read_final(struct node_replay__walk *w, uint64_t height)
{
    struct replica_stored stored;
    for (uint64_t h = height; w->final_height < height && h <= w->tip; h++) {
        NV_TRY(w->store.by_height(w->store.ctx, h, &stored));
        if (stored.final.size > 0 && stored.final.size <= sizeof w->final) {
            struct nv_reader r;
            struct cs_certificate certificate;
            nv_reader_init(&r, stored.final);
            NV_TRY(cs_certificate_get(&r, &certificate));
            memcpy(w->final, stored.final.bytes, stored.final.size);
            w->final_size = stored.final.size;
            w->final_hash = certificate.ballot.block_hash;
            w->final_height = h;
        }
    }
    return NV_OK;
}

/* A record of the parent's header is there too: of what stands below a base, that of
 * the base. */
enum nv_err node_replay__read_facts(struct node_replay__walk *w, uint64_t height)
{
    struct replica_stored stored;
    struct nv_reader r;
    struct cs_block block;
    struct cs_header parent = {.executed_height = 0};
    if (height > 1) {
        NV_TRY(node_blocks_header(w->start->store->blocks, height - 1, &parent));
    }
    NV_TRY(w->store.by_height(w->store.ctx, height, &stored));
    nv_reader_init(&r, stored.block);
    NV_TRY(cs_block_get(&r, &block));
    replica_facts(&w->block.facts, w->offence, &block, parent.executed_height);
    return NV_OK;
}

enum nv_err node_replay__read(struct node_replay__walk *w, uint64_t height)
{
    struct replica_stored stored;
    struct nv_reader r;
    struct nv_view bytes;
    NV_TRY(read_final(w, height));
    NV_TRY(w->store.by_height(w->store.ctx, height, &stored));
    w->block = (struct replica_block){
        .final = nv_view_of(w->final, w->final_size),
        .final_hash = w->final_hash,
    };
    nv_reader_init(&r, stored.block);
    NV_TRY(cs_header_get(&r, &w->block.header));
    cs_header_hash(&w->block.hash, &w->block.header);
    node_body_init(&w->body, &w->block.hash);
    if (w->block.header.body_size == 0) {
        return NV_OK;
    }
    NV_TRY(w->store.body(w->store.ctx, &w->block.hash, &bytes));
    NV_TRY(node_body_set_header(&w->body, &w->block.header));
    NV_TRY(node_body_fill(&w->body, bytes));
    NV_TRY(node_body_decode(&w->body, &w->start->genesis->chain_id));
    w->block.body = nv_view_of(w->body.bytes, w->block.header.body_size);
    w->block.txs = w->body.txs;
    w->block.tx_count = w->body.tx_count;
    return NV_OK;
}

void node_replay__drop(struct node_replay__walk *w)
{
    node_body_deinit(&w->body);
}

enum nv_err node_replay__read_base(struct node_replay__walk *w, uint64_t height)
{
    w->block = (struct replica_block){.tx_count = 0};
    NV_TRY(node_blocks_header(w->start->store->blocks, height, &w->block.header));
    cs_header_hash(&w->block.hash, &w->block.header);
    node_body_init(&w->body, &w->block.hash);
    return NV_OK;
}
