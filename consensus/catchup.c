#include "consensus/catchup.h"

#include "consensus/chain.h"
#include "consensus/rules.h"
#include "consensus/store.h"

#include "base/pure.h"

void cs__catchup_run(struct cs *cs)
{
    if (cs->halted || !cs->started) {
        return;
    }
    cs__certs_run(cs);
    cs__handover_run(cs);
    cs__range_run(cs);
    cs__fetches_run(cs);
}

/* ---- blocks that came ---- */

/* chain_hashes writes the hash of every block of a response; false when one is
 * not sound, or not the parent of the next. */
static bool chain_hashes(struct nv_hash *hashes, const struct cs_block_response *response)
{
    struct nv_reader r;
    nv_reader_init(&r, response->blocks.bytes);
    for (uint32_t i = 0; i < response->blocks.count; i++) {
        struct cs_block block;
        cs_list_block(&r, &block);
        if (!cs_block_sound(&block) ||
            (i > 0 && !nv_hash_eq(&block.header.parent_hash, &hashes[i - 1]))) {
            return false;
        }
        cs_header_hash(&hashes[i], &block.header);
    }
    return true;
}

/* below_fin returns whether the last block of a list, which has that hash, has a
 * finalization newer than fin's and stands no higher than it. */
static bool below_fin(const struct cs *cs, const struct cs_list *list, const struct nv_hash *hash)
{
    const struct cs__cert *const cert = cs->near != NULL ? cs->near : cs->target;
    struct cs_block block;
    struct nv_reader r;
    if (cert == NULL || !nv_hash_eq(&cert->body.ballot.block_hash, hash) ||
        nv_hash_eq(hash, &cs->fin.hash)) {
        return false;
    }
    nv_reader_init(&r, list->bytes);
    for (uint32_t i = 0; i < list->count; i++) {
        cs_list_block(&r, &block);
    }
    return block.header.height <= cs->fin.header.height;
}

void cs__blocks_take(struct cs *cs, const struct cs_block_response *response, bool final_checked)
{
    struct nv_hash hashes[CS_BLOCKS_MAX];
    struct nv_reader r;
    uint32_t const count = response->blocks.count;
    bool const final =
        response->has_final && final_checked && response->final.ballot.view > cs->fin.view;
    if (!chain_hashes(hashes, response)) {
        return;
    }
    if (count > 0 && below_fin(cs, &response->blocks, &hashes[count - 1])) {
        cs__fork_suspect(cs);
        return;
    }
    bool const by_final =
        final && count > 0 && nv_hash_eq(&hashes[count - 1], &response->final.ballot.block_hash);
    bool const by_hash = count > 0 && cs__fetch_asked(cs, &hashes[count - 1]);
    if (final && (count == 0 || by_final)) {
        cs__near_put(cs, &response->final);
        cs->timers.range = CS__NEVER;
    }
    if (!by_final && !by_hash) {
        return;
    }
    nv_reader_init(&r, response->blocks.bytes);
    for (uint32_t i = 0; i < count; i++) {
        struct cs_block block;
        cs_list_block(&r, &block);
        if (block.header.height > cs->fin.header.height) {
            (void)cs__block_add(cs, &block, &hashes[i]);
        }
    }
}
