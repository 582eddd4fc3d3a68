#include <string.h>

#include "base/assert.h"

#include "consensus/catchup.h"
#include "consensus/certs.h"
#include "consensus/emit.h"
#include "consensus/rules.h"
#include "consensus/self.h"
#include "consensus/store.h"

#include "base/pure.h"

/* ---- the next set ---- */

/* told_at returns the entry that was told `back` entries before the newest. */
static uint32_t told_at(const struct cs *cs, uint32_t back)
{
    return (cs->told_count - 1 - back) % CS__TOLD;
}

void cs__told_put(struct cs *cs, uint64_t height, const struct cs_valset *next)
{
    bool const gap = height > cs->executed_height + 1;
    const struct cs_valset *const last = &cs->told[told_at(cs, 0)].set;
    bool const same = next == NULL || nv_hash_eq(&next->hash, &last->hash);
    if (!gap && same) {
        return;
    }
    const struct cs_valset set = next != NULL ? *next : *last;
    cs->told_count = gap ? 1 : cs->told_count + 1; /* of what lies in a gap nothing is known */
    cs->told[told_at(cs, 0)].height = height;
    cs->told[told_at(cs, 0)].set = set;
}

/* next_told returns the set that the state after `height` would give, or NULL
 * when that is not known. */
static const struct cs_valset *next_told(const struct cs *cs, uint64_t height)
{
    uint32_t const count = cs->told_count < CS__TOLD ? cs->told_count : CS__TOLD;
    for (uint32_t back = 0; back < count && height <= cs->executed_height; back++) {
        if (cs->told[told_at(cs, back)].height <= height) {
            return &cs->told[told_at(cs, back)].set;
        }
    }
    return NULL;
}

/* closes returns whether the block above `parent` closes the epoch.
 * SPEC consensus 18: "the first block whose parent's time is at least" */
static bool closes(const struct cs *cs, const struct cs_header *parent)
{
    uint64_t const start_ms = cs->opened.time_ms;
    return cs->config.epoch_ms > 0 && parent->time_ms >= start_ms &&
           parent->time_ms - start_ms >= cs->config.epoch_ms;
}

bool cs__next_fill(const struct cs *cs, struct cs_header *header, const struct cs_header *parent)
{
    if (!closes(cs, parent)) {
        return true;
    }
    const struct cs_valset *const next = next_told(cs, parent->executed_height);
    if (next != NULL) {
        header->next_valset_hash = next->hash;
    }
    return next != NULL;
}

enum cs__verdict
cs__judge_epoch(const struct cs *cs, const struct cs_header *header, const struct cs_header *parent)
{
    if (cs_header_closes(parent) && parent->epoch == header->epoch) {
        return CS__BAD_PARENT;
    }
    if (cs_header_closes(header) != closes(cs, parent)) {
        return CS__BAD_SET;
    }
    if (!cs_header_closes(header)) {
        return CS__GOOD;
    }
    const struct cs_valset *const next = next_told(cs, parent->executed_height);
    if (next == NULL) {
        return CS__WAIT;
    }
    return nv_hash_eq(&next->hash, &header->next_valset_hash) ? CS__GOOD : CS__BAD_SET;
}

const struct cs_valset *
cs__next_set(struct cs *cs, const struct cs_header *header, const struct cs_header *parent)
{
    const struct cs_valset *const own = next_told(cs, parent->executed_height);
    if (own != NULL && !nv_hash_eq(&own->hash, &header->next_valset_hash)) {
        cs__halt(cs, CS_HALT_STATE, parent->executed_height, nv_view_of(NULL, 0));
        return NULL;
    }
    if (own == NULL && cs->next_known && nv_hash_eq(&cs->next.hash, &header->next_valset_hash)) {
        return &cs->next;
    }
    if (own == NULL) {
        cs__handover_need(cs, CS_NOBODY);
    }
    return own;
}

/* ---- turning ---- */

void cs__epoch_found(struct cs *cs)
{
    uint32_t const index = cs_valset_find(&cs->set, &cs->key);
    cs->me = cs->keyed && index < cs->set.count ? index : CS_NOBODY;
    cs_schedule_init(&cs->schedule, &cs->set, &cs->config.chain_id, cs->epoch, &cs->opened_hash);
}

/* view_forget forgets all views, their timers, and whom they were shared with. */
static void view_forget(struct cs *cs, uint64_t final_view)
{
    cs__store_forget(cs, final_view > cs->entry_view ? final_view : cs->entry_view);
    cs__gate_reset(&cs->gate);
    memset(cs->peer, 0, sizeof cs->peer);
    memset(cs->fetch, 0, sizeof cs->fetch);
    cs->timers.fetch = CS__NEVER;
    cs->timers.certs = CS__NEVER;
    cs->timers.range = CS__NEVER;
    cs->timers.next = CS__NEVER;
    cs->range_peer = 0;
    cs->next_known = false;
    cs->next_need = false;
    cs->next_peer = CS_NOBODY;
    cs->next_attempt = 0;
    cs->carried_view = 0;
    for (uint32_t i = 0; i < CS__RECENT; i++) {
        cs->recent[i].view = 0; /* final for everybody who is in the new epoch */
    }
    cs->nullified = 0;
    cs->entry_view = 0;
    cs->view = 1;
}

bool cs__epoch_turn(struct cs *cs,
                    const struct cs_header *header,
                    const struct cs_certificate *final,
                    const struct cs_valset *set)
{
    const struct cs_valset next = *set; /* it may be one of those that move */
    struct cs__cert *const opened = cs__cert_copy(cs, final);
    struct cs__cert *const fin = cs__cert_copy(cs, final);
    if (opened == NULL || fin == NULL) {
        return false;
    }
    cs__cert_give(cs, &cs->opened_cert, opened);
    cs__cert_give(cs, &cs->fin.cert, fin);
    if (nv_hash_eq(&header->valset_hash, &cs->set.hash)) { /* else it is not known who they were */
        cs__past_add(&cs->past, header, final, &cs->set);
    }
    cs->opened = *header;
    cs_header_hash(&cs->opened_hash, header);
    cs->fin.header = *header;
    cs->fin.hash = cs->opened_hash;
    cs->fin.view = 0;
    cs->before[1] = cs->before[0];
    cs->before[0] = cs->set;
    cs->set = next;
    cs->epoch = header->epoch + 1;
    view_forget(cs, final->ballot.view);
    cs__epoch_found(cs);
    return true;
}

void cs__epoch_begin(struct cs *cs)
{
    uint8_t set_bytes[CS_VALSET_SIZE_MAX];
    struct cs__batch batch;
    struct cs_record record = {.type = CS_RECORD_EPOCH};
    cs__handover_fill(cs, &record.handover, set_bytes);
    cs__batch_begin(cs, &batch);
    cs__batch_add(cs, &batch, &record);
    cs__evidence_turn(cs, &batch);
    cs__batch_end(cs, &batch, true);
    struct cs_effect *const effect = cs__emit(cs, CS_FX_EPOCH);
    effect->epoch.epoch = cs->epoch;
    effect->epoch.set = &cs->set;
    effect->epoch.me = cs->me;
    effect->epoch.header = &cs->opened;
    effect->epoch.final = &cs->opened_cert->body;
    cs__trace(cs, CS_TRACE_EPOCH, 1, cs->epoch);
    if (cs->sat_out && !cs__sits_out(cs)) {
        cs->sat_out = false;
        cs__listen(cs);
    }
    cs__view_begin(cs);
    cs__send_status(cs, CS_NOBODY);
    cs->timers.status = cs->now_ns + cs__status_pace(cs); /* another, for who has left */
}
