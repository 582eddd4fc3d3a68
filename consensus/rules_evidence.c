#include "base/arena.h"

#include "consensus/chain.h"
#include "consensus/emit.h"
#include "consensus/rules.h"

#include "base/pure.h"

/* ---- what is known ---- */

bool cs__expired(const struct cs *cs, uint64_t epoch)
{
    const struct cs__end *const end = cs__past_find(&cs->past, epoch);
    if (epoch == cs->epoch || (end != NULL && epoch + cs->config.evidence_epochs >= cs->epoch)) {
        return false;
    }
    return end == NULL || cs->fin.header.time_ms - end->time_ms > cs->config.evidence_ms;
}

/* member returns whether a key was a validator in an epoch, if that is known. */
static bool member(const struct cs *cs, const struct nv_pubkey *key, uint64_t epoch)
{
    const struct cs__end *const end = cs__past_find(&cs->past, epoch);
    if (epoch == cs->epoch) {
        return cs_valset_find(&cs->set, key) < cs->set.count;
    }
    if (end == NULL) {
        return false;
    }
    struct cs_valset set;
    cs__past_set(&cs->past, &set, end);
    return cs_valset_find(&set, key) < set.count;
}

bool cs__evidence_news(const struct cs *cs, const struct cs_evidence *item)
{
    uint64_t const epoch = cs_evidence_epoch(item);
    return !cs__expired(cs, epoch) && cs__pool_open(&cs->pool, item) &&
           member(cs, &item->key, epoch);
}

/* keep gives an item to the journal. */
static void keep(struct cs *cs, struct cs__batch *batch, const struct cs_evidence *item)
{
    struct cs_record record = {.type = CS_RECORD_EVIDENCE};
    record.evidence.epoch = cs->epoch;
    record.evidence.item = *item;
    cs__batch_add(cs, batch, &record);
}

bool cs__evidence_take(struct cs *cs, const struct cs_evidence *item)
{
    struct cs__batch batch;
    if (!cs__evidence_news(cs, item)) {
        return false;
    }
    cs__pool_add(&cs->pool, item);
    cs__batch_begin(cs, &batch);
    keep(cs, &batch, item);
    cs__batch_end(cs, &batch, true);
    return true;
}

void cs__evidence_found(struct cs *cs, const struct cs_vote *a, const struct cs_vote *b)
{
    struct cs_message message = {.type = CS_MSG_EVIDENCE};
    struct cs_effect *const effect = cs__emit(cs, CS_FX_EVIDENCE);
    effect->evidence.offence = cs_vote_offence(a, b);
    effect->evidence.vote[0] = *a;
    effect->evidence.vote[1] = *b;
    if (cs_evidence_make(&message.evidence, a, b, &cs->set) &&
        cs__evidence_take(cs, &message.evidence)) {
        cs__broadcast(cs, &message);
    }
}

void cs__evidence_again(struct cs *cs)
{
    struct cs_message message = {.type = CS_MSG_EVIDENCE};
    if (cs->pool.count > 0) {
        message.evidence = cs->pool.item[cs->pool.next_told % cs->pool.count];
        cs->pool.next_told++;
        cs__broadcast(cs, &message);
    }
}

void cs__evidence_turn(struct cs *cs, struct cs__batch *batch)
{
    for (uint32_t i = cs->pool.count; i > 0; i--) {
        if (cs__expired(cs, cs_evidence_epoch(&cs->pool.item[i - 1]))) {
            cs__pool_remove(&cs->pool, i - 1);
        } else {
            keep(cs, batch, &cs->pool.item[i - 1]);
        }
    }
}

void cs__evidence_final(struct cs *cs, const struct cs_list *list)
{
    struct nv_reader r;
    nv_reader_init(&r, list->bytes);
    for (uint32_t i = 0; i < list->count; i++) {
        struct cs_evidence item;
        cs_evidence_next(&r, &item);
        cs__pool_include(&cs->pool, &item);
    }
}

/* ---- a block's share ---- */

/* holds returns whether a list has an item about the same. */
static bool holds(const struct cs_list *list, const struct cs_evidence *item)
{
    struct nv_reader r;
    nv_reader_init(&r, list->bytes);
    for (uint32_t i = 0; i < list->count; i++) {
        struct cs_evidence other;
        cs_evidence_next(&r, &other);
        if (cs_evidence_cmp(&other, item) == 0) {
            return true;
        }
    }
    return false;
}

/* held_above returns whether a block on the way from `hash` down to fin holds an
 * item about the same. */
static bool
held_above(const struct cs *cs, const struct nv_hash *hash, const struct cs_evidence *item)
{
    const struct cs__block *block = cs__block_find(cs, hash);
    while (block != NULL && block->header.height > cs->fin.header.height) {
        if (holds(&block->evidence, item)) {
            return true;
        }
        block = cs__block_find(cs, &block->header.parent_hash);
    }
    return false;
}

struct cs_list cs__evidence_choose(struct cs *cs, const struct nv_hash *parent_hash)
{
    struct cs_list list = {.count = 0};
    struct nv_writer w;
    uint32_t const cap = CS_EVIDENCE_MAX * CS_EVIDENCE_SIZE;
    nv_writer_init(&w, NV_ARENA_NEW(cs->effects->arena, uint8_t, cap), cap);
    for (uint32_t i = 0; i < cs->pool.count && cs_evidence_fits(list.count + 1); i++) {
        const struct cs_evidence *const item = &cs->pool.item[i];
        if (!cs__expired(cs, cs_evidence_epoch(item)) && !held_above(cs, parent_hash, item)) {
            cs_evidence_put(&w, item);
            list.count++;
        }
    }
    list.bytes = nv_writer_view(&w);
    return list;
}

enum cs__verdict cs__judge_evidence(const struct cs *cs, const struct cs__block *block)
{
    struct nv_reader r;
    nv_reader_init(&r, block->evidence.bytes);
    for (uint32_t i = 0; i < block->evidence.count; i++) {
        struct cs_evidence item;
        cs_evidence_next(&r, &item);
        if (cs_evidence_epoch(&item) < CS_FIRST_EPOCH || cs_evidence_epoch(&item) > cs->epoch) {
            return CS__BAD_EVIDENCE;
        }
    }
    return CS__GOOD;
}
