#include "consensus/emit.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/bug.h"

#include "consensus/store.h"

#include "base/pure.h"

#define ROOM 48u /* what one rule emits at most, with margin */

#define RECORD_MAX (CS_RECORD_HEAD_SIZE + CS_HANDOVER_SIZE_MAX)
_Static_assert(RECORD_MAX < CS__SCRATCH, "a record fits in the scratch");

struct cs_effect *cs__emit(struct cs *cs, enum cs_effect_kind kind)
{
    struct cs_effects *const effects = cs->effects;
    NV_ASSERT(effects != NULL);
    NV_ASSERT(effects->count < CS_EFFECTS_MAX);
    struct cs_effect *const effect = &effects->list[effects->count];
    effects->count++;
    memset(effect, 0, sizeof *effect);
    effect->kind = kind;
    return effect;
}

bool cs__room(const struct cs *cs)
{
    return cs->effects->count + ROOM <= CS_EFFECTS_MAX;
}

struct nv_view cs__keep(struct cs *cs, struct nv_view bytes)
{
    if (bytes.size == 0) {
        return bytes;
    }
    uint8_t *const copy = NV_ARENA_NEW(cs->effects->arena, uint8_t, bytes.size);
    memcpy(copy, bytes.bytes, bytes.size);
    return nv_view_of(copy, bytes.size);
}

const struct cs_header *cs__keep_header(struct cs *cs, const struct cs_header *header)
{
    struct cs_header *const copy = NV_ARENA_NEW(cs->effects->arena, struct cs_header, 1);
    *copy = *header;
    return copy;
}

const struct cs_certificate *cs__keep_certificate(struct cs *cs, const struct cs__cert *cert)
{
    if (cert == NULL) {
        return NULL;
    }
    struct cs_certificate *const copy = NV_ARENA_NEW(cs->effects->arena, struct cs_certificate, 1);
    struct nv_sig *const sigs =
        NV_ARENA_NEW(cs->effects->arena, struct nv_sig, cert->body.signer_count);
    memcpy(sigs, cert->body.sigs, cert->body.signer_count * sizeof *sigs);
    *copy = cert->body;
    copy->sigs = sigs;
    return copy;
}

void cs__trace(struct cs *cs, enum cs_trace_code code, uint64_t view, uint64_t a)
{
    if (cs->effects->count + 8 > CS_EFFECTS_MAX) {
        return; /* the log may miss what a crowded step did; nothing else does */
    }
    struct cs_effect *const effect = cs__emit(cs, CS_FX_TRACE);
    effect->trace.code = code;
    effect->trace.view = view;
    effect->trace.a = a;
}

static struct nv_view encode(struct cs *cs, const struct cs_message *message)
{
    struct nv_writer w;
    nv_writer_init(&w, cs->scratch, CS__SCRATCH);
    cs_message_encode(&w, message);
    NV_ASSERT(!w.overflow);
    return cs__keep(cs, nv_writer_view(&w));
}

void cs__send(struct cs *cs, uint32_t peer, const struct cs_message *message)
{
    struct nv_view const bytes = encode(cs, message);
    struct cs_effect *const effect = cs__emit(cs, peer == CS_NOBODY ? CS_FX_BROADCAST : CS_FX_SEND);
    effect->send.peer = peer;
    effect->send.type = message->type;
    effect->send.bytes = bytes;
}

void cs__broadcast(struct cs *cs, const struct cs_message *message)
{
    cs__send(cs, CS_NOBODY, message);
}

void cs__send_cert(struct cs *cs, uint32_t peer, const struct cs__cert *cert)
{
    if (cert != NULL) {
        struct cs_message const message = {.type = CS_MSG_CERTIFICATE, .certificate = cert->body};
        cs__send(cs, peer, &message);
    }
}

void cs__send_status(struct cs *cs, uint32_t peer)
{
    const struct cs__cert *const entry = cs__cert_entry(cs, cs->view);
    struct cs_message const message = {
        .type = CS_MSG_STATUS,
        .status = {.epoch = cs->epoch,
                   .view = cs->view,
                   .final_height = cs->fin.header.height,
                   .final_view = cs->fin.view,
                   .final_hash = cs->fin.hash,
                   .time_ms = cs->wall_ms,
                   .entry_kind = (uint8_t)(entry != NULL ? entry->body.ballot.kind : 0)},
    };
    cs__send(cs, peer, &message);
}

void cs__halt(struct cs *cs, enum cs_halt code, uint64_t height, struct nv_view bytes)
{
    struct cs_effect *const effect = cs__emit(cs, CS_FX_HALT);
    effect->halt.code = code;
    effect->halt.height = height;
    effect->halt.bytes = cs__keep(cs, bytes);
    cs->halted = true;
}

void cs__batch_begin(struct cs *cs, struct cs__batch *batch)
{
    nv_writer_init(&batch->w, cs->scratch, CS__SCRATCH);
    batch->count = 0;
}

void cs__batch_add(struct cs *cs, struct cs__batch *batch, const struct cs_record *record)
{
    if (batch->w.size + RECORD_MAX > batch->w.cap) {
        cs__batch_end(cs, batch, false);
        cs__batch_begin(cs, batch);
    }
    cs_record_put(&batch->w, record);
    NV_ASSERT(!batch->w.overflow);
    batch->count++;
}

void cs__batch_block(struct cs *cs, struct cs__batch *batch, struct cs__block *block)
{
    if (block->journaled || NV_SEEDED(BLOCKS_VOLATILE)) {
        return;
    }
    struct cs_record record = {.type = CS_RECORD_BLOCK};
    record.block.header = block->header;
    record.block.has_justify = block->justify != NULL;
    if (block->justify != NULL) {
        record.block.justify = block->justify->body;
    }
    record.block.evidence = block->evidence;
    block->journaled = true;
    cs__batch_add(cs, batch, &record);
}

static void batch_cert(struct cs *cs, struct cs__batch *batch, struct cs__cert *cert)
{
    if (cert == NULL || !cert->dirty) {
        return;
    }
    struct cs_record const record = {.type = CS_RECORD_CERTIFICATE, .certificate = cert->body};
    cert->dirty = false;
    cs->dirty_count--;
    if (!NV_SEEDED(CERTS_VOLATILE)) {
        cs__batch_add(cs, batch, &record);
    }
}

void cs__batch_certs(struct cs *cs, struct cs__batch *batch)
{
    for (uint64_t view = cs->fin.view + 1; cs->dirty_count > 0 && view <= cs->entry_view; view++) {
        struct cs__slot *const slot = cs__slot_find(cs, view);
        if (slot != NULL) {
            batch_cert(cs, batch, slot->notar);
            batch_cert(cs, batch, slot->null);
        }
    }
    NV_ASSERT(cs->dirty_count == 0);
}

void cs__batch_end(struct cs *cs, struct cs__batch *batch, bool sync)
{
    if (batch->count > 0) {
        struct nv_view const records = cs__keep(cs, nv_writer_view(&batch->w));
        struct cs_effect *const effect = cs__emit(cs, CS_FX_PERSIST);
        effect->persist.records = records;
        effect->persist.count = batch->count;
        effect->persist.sync = sync;
    }
}
