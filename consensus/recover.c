#include "base/assert.h"
#include "base/bug.h"

#include "consensus/certs.h"
#include "consensus/chain.h"
#include "consensus/consensus.h"
#include "consensus/rules.h"
#include "consensus/state.h"
#include "consensus/store.h"

#include "base/pure.h"

static enum nv_err recover_block(struct cs *cs, const struct cs_block *block)
{
    struct nv_hash hash;
    if (block->header.height <= cs->fin.header.height) {
        return NV_OK;
    }
    cs_header_hash(&hash, &block->header);
    struct cs__block *const place = cs__block_add(cs, block, &hash);
    if (place == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    place->judged = true; /* it was voted for, or became final; the shell has the body */
    place->journaled = true;
    return NV_OK;
}

/* stale returns what a record of another epoch is: done with, or a gap.
 * SPEC consensus 18: "never replayed into a later one" */
static enum nv_err stale(const struct cs *cs, uint64_t epoch)
{
    return epoch < cs->epoch ? NV_OK : NV_ERR_MISMATCH;
}

static enum nv_err recover_certificate(struct cs *cs, const struct cs_certificate *certificate)
{
    struct cs__cert *cert = NULL;
    if (certificate->ballot.epoch != cs->epoch) {
        return stale(cs, certificate->ballot.epoch);
    }
    if (!cs__cert_add(cs, certificate)) {
        return NV_OK;
    }
    const struct cs__slot *const slot = cs__slot_find(cs, certificate->ballot.view);
    if (slot != NULL) {
        cert = certificate->ballot.kind == CS_NULLIFY ? slot->null : slot->notar;
    }
    if (cert != NULL && cert->dirty) {
        cert->dirty = false;
        cs->dirty_count--;
    }
    return NV_OK;
}

static enum nv_err recover_vote(struct cs *cs, const struct cs_vote *vote)
{
    if (vote->ballot.epoch != cs->epoch) {
        return stale(cs, vote->ballot.epoch);
    }
    if (vote->signer != cs->me) {
        return NV_ERR_MISMATCH;
    }
    if (vote->ballot.view <= cs->fin.view || NV_SEEDED(VOTES_FORGOTTEN) ||
        (NV_SEEDED(NULLIFY_FORGOTTEN) && vote->ballot.kind == CS_NULLIFY)) {
        return NV_OK;
    }
    if (vote->ballot.view > cs->fin.view + cs->config.views_max) {
        return NV_ERR_RANGE;
    }
    cs__gate_store(&cs->gate, vote);
    if (NV_SEEDED(RECOVER_LAST)) {
        cs->entry_view = vote->ballot.view - 1;
    }
    return NV_OK;
}

/* path_note notes what is remembered of a final block and its ancestors. */
static void path_note(struct cs *cs, const struct nv_hash *hash)
{
    for (const struct cs__block *block = cs__block_find(cs, hash); block != NULL;
         block = cs__block_find(cs, &block->header.parent_hash)) {
        if (block->header.tx_count > 0 && block->header.height > cs->nonempty_height) {
            cs->nonempty_height = block->header.height;
        }
        cs__evidence_final(cs, &block->evidence);
    }
}

static enum nv_err recover_final(struct cs *cs, const struct cs_final *final)
{
    struct nv_hash hash;
    uint64_t const from = cs->fin.view;
    cs_header_hash(&hash, &final->header);
    if (!nv_hash_eq(&hash, &final->certificate.ballot.block_hash)) {
        return NV_ERR_MISMATCH;
    }
    if (final->certificate.ballot.epoch != cs->epoch) {
        return stale(cs, final->certificate.ballot.epoch);
    }
    if (final->certificate.ballot.view <= from || cs_header_closes(&final->header)) {
        return NV_OK; /* what closes an epoch is final by the epoch's record */
    }
    struct cs__cert *const cert = cs__cert_copy(cs, &final->certificate);
    if (cert == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    path_note(cs, &hash);
    cs__cert_give(cs, &cs->fin.cert, cert);
    cs->fin.header = final->header;
    cs->fin.hash = hash;
    cs->fin.view = final->certificate.ballot.view;
    cs->executing_height = NV_SEEDED(EXECUTE_AGAIN) ? cs->executing_height : final->header.height;
    cs__gate_raise(&cs->gate, cs->fin.view);
    cs__store_prune(cs, from);
    return NV_OK;
}

/* recover_epoch turns to the next epoch.  The first record of all may be of a
 * later one than the first: what was before it is not known.
 * SPEC consensus 9: "Such a handover is believed as it stands" */
static enum nv_err recover_epoch(struct cs *cs, const struct cs_handover *handover, bool first)
{
    struct cs_valset set;
    uint64_t const epoch = handover->header.epoch;
    bool const begins = first && epoch > cs->epoch;
    if (!nv_hash_eq(&handover->header.chain_id, &cs->config.chain_id)) {
        return NV_ERR_MISMATCH;
    }
    if (epoch != cs->epoch && !begins) {
        return stale(cs, epoch);
    }
    NV_TRY(cs_valset_decode(&set, handover->set));
    if (set.count > cs->config.validators_max) {
        return NV_ERR_RANGE;
    }
    cs->sets_from = begins ? epoch + 1 : cs->sets_from;
    path_note(cs, &handover->final.ballot.block_hash);
    cs->executing_height = handover->header.height;
    return cs__epoch_turn(cs, &handover->header, &handover->final, &set) ? NV_OK : NV_ERR_RANGE;
}

/* recover_evidence lets an item wait again that no final block has held since. */
static void recover_evidence(struct cs *cs, const struct cs_evidence *item)
{
    if (cs__evidence_news(cs, item)) {
        cs__pool_add(&cs->pool, item);
    }
}

enum nv_err cs_recover(struct cs *cs, struct nv_view record_bytes)
{
    struct cs_record record;
    struct nv_reader r;
    NV_ASSERT(!cs->started);
    nv_reader_init(&r, record_bytes);
    NV_TRY(cs_record_get(&r, &record));
    NV_TRY(nv_reader_end(&r));
    bool const first = !cs->recovered;
    cs->recovered = true;
    switch (record.type) {
    case CS_RECORD_BLOCK: return recover_block(cs, &record.block);
    case CS_RECORD_CERTIFICATE: return recover_certificate(cs, &record.certificate);
    case CS_RECORD_VOTE: return recover_vote(cs, &record.vote);
    case CS_RECORD_FINAL: return recover_final(cs, &record.final);
    case CS_RECORD_EPOCH: return recover_epoch(cs, &record.handover, first);
    case CS_RECORD_EVIDENCE: recover_evidence(cs, &record.evidence.item); return NV_OK;
    }
    NV_ASSERT(false);
    return NV_ERR_MALFORMED;
}
