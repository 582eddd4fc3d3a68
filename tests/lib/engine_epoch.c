#include "tests/lib/engine_epoch.h"

#include <string.h>

#include "base/assert.h"

void engine_epoch_begin(struct engine_epoch *e)
{
    e->journal_size = 0;
    engine_one_epochs(
        &e->one, EPOCH_VALIDATORS, engine_one_follower(EPOCH_VALIDATORS, 3), EPOCH_MS);
    e->hash[0] = e->one.net.chain_id;
    engine_one_pass(&e->one, EPOCH_MS);
}

void engine_epoch_init(struct engine_epoch *e)
{
    engine_epoch_begin(e);
    engine_epoch_header(e, 1);
    engine_epoch_propose(e, 1);
    NV_ASSERT(engine_one_voted(&e->one, CS_NOTARIZE));
    engine_epoch_header(e, 2);
    e->block[2].next_valset_hash = e->one.net.set.hash; /* by the state after the genesis */
}

void engine_epoch_drop(struct engine_epoch *e)
{
    engine_one_drop(&e->one);
}

int engine_epoch_start(void **state)
{
    engine_epoch_init(*state);
    return 0;
}

int engine_epoch_stop(void **state)
{
    engine_epoch_drop(*state);
    return 0;
}

static void keep(struct engine_epoch *e)
{
    const struct cs_effect *effect = NULL;
    for (uint32_t i = 0; (effect = engine_one_effect(&e->one, CS_FX_PERSIST, i)) != NULL; i++) {
        struct nv_view const records = effect->persist.records;
        NV_ASSERT(e->journal_size + records.size <= sizeof e->journal);
        memcpy(e->journal + e->journal_size, records.bytes, records.size);
        e->journal_size += records.size;
    }
}

void engine_epoch_give(struct engine_epoch *e, uint32_t from, const struct cs_message *message)
{
    engine_one_give(&e->one, from, message);
    keep(e);
}

struct cs_certificate engine_epoch_certificate(struct engine_epoch *e,
                                               enum cs_vote_kind kind,
                                               uint64_t view,
                                               uint32_t height)
{
    uint64_t const parent = kind == CS_NULLIFY ? 0 : view - 1;
    struct cs_ballot const ballot = cs_build_ballot(kind, view, parent, e->hash[height]);
    return engine_one_quorum(&e->one, e->sigs[view], &ballot);
}

void engine_epoch_header(struct engine_epoch *e, uint32_t height)
{
    e->block[height] = engine_one_header(&e->one, height);
    e->block[height].height = height;
    e->block[height].parent_view = height - 1;
    e->block[height].parent_hash = e->hash[height - 1];
}

void engine_epoch_propose(struct engine_epoch *e, uint32_t height)
{
    struct cs_header *const header = &e->block[height];
    struct cs_certificate justify = {.signer_count = 0};
    if (height > 1) {
        justify = engine_epoch_certificate(e, CS_NOTARIZE, height - 1, height - 1);
        cs_certificate_hash(&header->justify_hash, &justify);
    }
    struct cs_message message = engine_one_proposal(&e->one, header);
    message.proposal.has_justify = height > 1;
    message.proposal.justify = justify;
    cs_header_hash(&e->hash[height], header);
    engine_epoch_give(e, header->proposer, &message);
}

void engine_epoch_finish(struct engine_epoch *e)
{
    struct cs_message message = {.type = CS_MSG_CERTIFICATE};
    engine_epoch_propose(e, 2);
    message.certificate = engine_epoch_certificate(e, CS_FINALIZE, 2, 2);
    engine_epoch_give(e, (cs_summary(e->one.cs).me + 1) % EPOCH_VALIDATORS, &message);
}

void engine_epoch_replay(struct engine_epoch *e)
{
    struct nv_reader r;
    nv_reader_init(&r, nv_view_of(e->journal, e->journal_size));
    while (nv_reader_left(&r) > 0) {
        struct cs_record record;
        uint32_t const at = r.at;
        enum nv_err err = cs_record_get(&r, &record);
        NV_ASSERT(err == NV_OK);
        err = cs_recover(e->one.cs, nv_view_of(e->journal + at, r.at - at));
        NV_ASSERT(err == NV_OK);
    }
}
