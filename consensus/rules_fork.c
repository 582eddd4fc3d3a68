#include <string.h>

#include "base/arena.h"

#include "consensus/emit.h"
#include "consensus/rules.h"

#include "base/pure.h"

#define PATIENCE 16u /* in units of D */

bool cs__contradict(const struct cs_ballot *a, const struct cs_ballot *b)
{
    bool const same =
        a->parent_view == b->parent_view && nv_hash_eq(&a->block_hash, &b->block_hash);
    if (a->epoch != b->epoch || a->view != b->view) {
        return false;
    }
    if (a->kind == CS_NULLIFY || b->kind == CS_NULLIFY) {
        return a->kind == CS_FINALIZE || b->kind == CS_FINALIZE;
    }
    return !same;
}

/* against returns the certificate if it contradicts the ballot, else NULL. */
static const struct cs__cert *against(const struct cs__cert *cert, const struct cs_ballot *ballot)
{
    return cert != NULL && cs__contradict(&cert->body.ballot, ballot) ? cert : NULL;
}

const struct cs__cert *cs__contradicting(const struct cs *cs, const struct cs_ballot *ballot)
{
    const struct cs__slot *const slot = &cs->slot[ballot->view % cs->slot_count];
    const struct cs__cert *const held[] = {
        slot->view == ballot->view ? slot->notar : NULL,
        slot->view == ballot->view ? slot->null : NULL,
        cs->fin.cert,
        cs->target,
    };
    for (uint32_t i = 0; i < sizeof held / sizeof *held; i++) {
        if (against(held[i], ballot) != NULL) {
            return held[i];
        }
    }
    return NULL;
}

/* pair_tell sends two certificates that contradict each other to all, together:
 * either alone may mean nothing to who hears it. */
static void pair_tell(struct cs *cs, const struct cs_certificate *a, const struct cs_certificate *b)
{
    uint32_t const size = cs_certificate_size(a) + cs_certificate_size(b);
    struct cs_message message = {.type = CS_MSG_CERT_RESPONSE};
    struct nv_writer w;
    nv_writer_init(&w, NV_ARENA_NEW(cs->effects->arena, uint8_t, size), size);
    cs_certificate_put(&w, a);
    cs_certificate_put(&w, b);
    message.cert_response.certificates = (struct cs_list){nv_writer_view(&w), 2};
    cs__broadcast(cs, &message);
}

/* stop halts the engine with two certificates. */
static void stop(struct cs *cs,
                 const struct cs_certificate *a,
                 const struct cs_certificate *b,
                 const struct cs_bitmap *culprits)
{
    struct nv_writer w;
    nv_writer_init(&w, cs->scratch, CS__SCRATCH);
    cs_certificate_put(&w, a);
    cs_certificate_put(&w, b);
    struct nv_view const both = cs__keep(cs, nv_writer_view(&w));
    cs__halt(cs, CS_HALT_FORK, cs->fin.header.height, both);
    struct cs_effect *const effect = &cs->effects->list[cs->effects->count - 1];
    effect->halt.culprits = *culprits;
}

void cs__fork_found(struct cs *cs, const struct cs_certificate *a, const struct cs_certificate *b)
{
    struct cs_bitmap culprits = {{0}};
    if (cs->halted) {
        return;
    }
    for (uint32_t i = 0; i < cs->set.count; i++) {
        if (cs_bitmap_has(&a->signers, i) && cs_bitmap_has(&b->signers, i)) {
            cs_bitmap_add(&culprits, i);
        }
    }
    pair_tell(cs, a, b);
    stop(cs, a, b, &culprits);
}

bool cs__fork_pair(const struct cs_list *list, struct cs_certificate *a, struct cs_certificate *b)
{
    struct nv_reader r;
    if (list->count != 2) {
        return false;
    }
    nv_reader_init(&r, list->bytes);
    cs_list_certificate(&r, a);
    cs_list_certificate(&r, b);
    return cs__contradict(&a->ballot, &b->ballot);
}

void cs__fork_suspect(struct cs *cs)
{
    if (!cs->forked) {
        cs->forked = true;
        cs->timers.split_end = cs->now_ns + PATIENCE * cs->config.delay_ns;
        cs->timers.split = cs->now_ns;
    }
}

void cs__fork_run(struct cs *cs)
{
    static const struct cs_bitmap nobody;
    struct cs_message message = {.type = CS_MSG_CERT_REQUEST};
    if (!cs->forked || cs->halted || cs->timers.split > cs->now_ns) {
        return;
    }
    if (cs->timers.split_end <= cs->now_ns || cs->fin.view == 0) {
        const struct cs__cert *const other = cs->target != NULL ? cs->target : cs->near;
        stop(cs, &cs->fin.cert->body, &other->body, &nobody);
        return;
    }
    cs->timers.split = cs->now_ns + cs->config.delay_ns;
    message.cert_request.epoch = cs->epoch;
    message.cert_request.count = 1;
    message.cert_request.view[0] = cs->fin.view;
    cs__broadcast(cs, &message);
}
