#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/sort.h"

#include "consensus/chain.h"
#include "consensus/emit.h"
#include "consensus/rules.h"

#include "base/pure.h"

/* ---- what is known ---- */

static bool about_same(const struct cs__about *about, const struct cs_evidence *item)
{
    return about->epoch == cs_evidence_epoch(item) &&
           memcmp(&about->key, &item->key, sizeof item->key) == 0;
}

/* waiting returns the place of an item about the same, or NULL. */
static struct cs__proof *waiting(struct cs *cs, const struct cs_evidence *item)
{
    for (uint32_t i = 0; i < CS__PROOFS; i++) {
        if (cs->proof[i].used && cs_evidence_cmp(&cs->proof[i].item, item) == 0) {
            return &cs->proof[i];
        }
    }
    return NULL;
}

/* included returns whether a final block holds an item about the same. */
static bool included(const struct cs *cs, const struct cs_evidence *item)
{
    for (uint32_t i = 0; i < CS__INCLUDED; i++) {
        if (about_same(&cs->included[i], item)) {
            return true;
        }
    }
    return false;
}

/* expired returns whether an item is too old to be included.
 * SPEC consensus 17: "counted from the end of its epoch, by the times of blocks" */
static bool expired(const struct cs *cs, uint64_t epoch)
{
    if (epoch + cs->config.evidence_epochs >= cs->epoch) {
        return false;
    }
    bool const known = cs->epoch - epoch <= CS__ENDED;
    uint64_t const end_ms = known ? cs->ended_ms[epoch % CS__ENDED] : 0;
    return end_ms == 0 || cs->fin.header.time_ms - end_ms > cs->config.evidence_ms;
}

bool cs__evidence_news(const struct cs *cs, const struct cs_evidence *item)
{
    uint64_t const epoch = cs_evidence_epoch(item);
    const struct cs_valset *const set = cs__set_of(cs, epoch);
    if (set == NULL || cs_valset_find(set, &item->key) == CS_VALIDATORS_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < CS__PROOFS; i++) {
        if (cs->proof[i].used && cs_evidence_cmp(&cs->proof[i].item, item) == 0) {
            return false;
        }
    }
    return !included(cs, item) && !expired(cs, epoch);
}

bool cs__evidence_take(struct cs *cs, const struct cs_evidence *item)
{
    if (!cs__evidence_news(cs, item)) {
        return false;
    }
    for (uint32_t i = 0; i < CS__PROOFS; i++) {
        if (!cs->proof[i].used) {
            cs->proof[i].used = true;
            cs->proof[i].item = *item;
            return true;
        }
    }
    return false; /* the others come first; who found it has told everybody */
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

void cs__evidence_final(struct cs *cs, const struct cs_list *list)
{
    struct nv_reader r;
    nv_reader_init(&r, list->bytes);
    for (uint32_t i = 0; i < list->count; i++) {
        struct cs_evidence item;
        cs_evidence_next(&r, &item);
        struct cs__proof *const place = waiting(cs, &item);
        if (place != NULL) {
            place->used = false;
        }
        if (!included(cs, &item)) {
            struct cs__about *const about = &cs->included[cs->included_next % CS__INCLUDED];
            about->key = item.key;
            about->epoch = cs_evidence_epoch(&item);
            cs->included_next++;
        }
    }
}

/* ---- a block's share ---- */

/* held_above returns whether a block on the way from `hash` down to fin holds an
 * item about the same. */
static bool
held_above(const struct cs *cs, const struct nv_hash *hash, const struct cs_evidence *item)
{
    for (const struct cs__block *block = cs__block_find(cs, hash);
         block != NULL && block->header.height > cs->fin.header.height;
         block = cs__block_find(cs, &block->header.parent_hash)) {
        struct nv_reader r;
        nv_reader_init(&r, block->evidence.bytes);
        for (uint32_t i = 0; i < block->evidence.count; i++) {
            struct cs_evidence other;
            cs_evidence_next(&r, &other);
            if (cs_evidence_cmp(&other, item) == 0) {
                return true;
            }
        }
    }
    return false;
}

static int items_cmp(const void *a, const void *b)
{
    return cs_evidence_cmp(a, b);
}

struct cs_list cs__evidence_choose(struct cs *cs, const struct nv_hash *parent_hash)
{
    struct cs_evidence chosen[CS__PROOFS];
    struct cs_evidence scratch[CS__PROOFS];
    struct cs_list list = {.count = 0};
    uint32_t count = 0;
    struct nv_writer w;
    for (uint32_t i = 0; i < CS__PROOFS; i++) {
        struct cs__proof *const proof = &cs->proof[i];
        proof->used = proof->used && !expired(cs, cs_evidence_epoch(&proof->item));
        if (proof->used && !held_above(cs, parent_hash, &proof->item)) {
            chosen[count++] = proof->item;
        }
    }
    nv_sort(chosen, count, sizeof *chosen, items_cmp, scratch);
    uint32_t const cap = CS_EVIDENCE_MAX * CS_EVIDENCE_SIZE;
    nv_writer_init(&w, NV_ARENA_NEW(cs->effects->arena, uint8_t, cap), cap);
    while (list.count < count && cs_evidence_fits(list.count + 1)) {
        cs_evidence_put(&w, &chosen[list.count]);
        list.count++;
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
