#include "base/arena.h"

#include "consensus/certs.h"
#include "consensus/emit.h"
#include "consensus/rules.h"
#include "consensus/store.h"

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

/* past_contradicts is cs__contradicting about what closed an ended epoch. */
static bool
past_contradicts(const struct cs *cs, struct cs_certificate *held, const struct cs_ballot *ballot)
{
    const struct cs__end *const end = cs__past_find(&cs->past, ballot->epoch);
    if (end == NULL) {
        return false;
    }
    cs__past_final(&cs->past, held, end);
    return cs__contradict(&held->ballot, ballot);
}

bool cs__contradicting(const struct cs *cs,
                       struct cs_certificate *held,
                       const struct cs_ballot *ballot)
{
    const struct cs__slot *const slot = cs__slot_kept(cs, ballot->epoch, ballot->view);
    const struct cs__cert *const all[] = {
        slot != NULL ? slot->notar : NULL,
        slot != NULL ? slot->null : NULL,
        cs->fin.cert,
        cs->target,
        cs->doubt.other,
    };
    for (uint32_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i] != NULL && cs__contradict(&all[i]->body.ballot, ballot)) {
            *held = all[i]->body;
            return true;
        }
    }
    return past_contradicts(cs, held, ballot);
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
                 const struct cs_bitmap *culprits,
                 const struct cs_valset *set)
{
    struct nv_writer w;
    nv_writer_init(&w, cs->scratch, CS__SCRATCH);
    cs_certificate_put(&w, a);
    cs_certificate_put(&w, b);
    struct nv_view const both = cs__keep(cs, nv_writer_view(&w));
    struct cs_valset *const signers = NV_ARENA_NEW(cs->effects->arena, struct cs_valset, 1);
    *signers = *set;
    cs__halt(cs, CS_HALT_FORK, cs->fin.header.height, both);
    struct cs_effect *const effect = &cs->effects->list[cs->effects->count - 1];
    effect->halt.culprits = *culprits;
    effect->halt.signers = signers;
}

void cs__fork_found(struct cs *cs,
                    const struct cs_certificate *a,
                    const struct cs_certificate *b,
                    const struct cs_valset *set)
{
    struct cs_bitmap culprits = {{0}};
    if (cs->halted) {
        return;
    }
    for (uint32_t i = 0; i < set->count; i++) {
        if (cs_bitmap_has(&a->signers, i) && cs_bitmap_has(&b->signers, i)) {
            cs_bitmap_add(&culprits, i);
        }
    }
    pair_tell(cs, a, b);
    stop(cs, a, b, &culprits, set);
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

static void doubt(struct cs *cs, uint64_t epoch, uint64_t view)
{
    cs->doubt.set = true;
    cs->doubt.epoch = epoch;
    cs->doubt.view = view;
    cs->timers.split_end = cs->now_ns + PATIENCE * cs->config.delay_ns;
    cs->timers.split = cs->now_ns;
}

void cs__fork_suspect(struct cs *cs)
{
    if (!cs->doubt.set) {
        doubt(cs, cs->epoch, cs->fin.view);
    }
}

bool cs__fork_final(struct cs *cs,
                    const struct cs_certificate *own,
                    const struct cs_certificate *other,
                    const struct cs_valset *set)
{
    struct cs_certificate held;
    uint64_t const view =
        own->ballot.view < other->ballot.view ? own->ballot.view : other->ballot.view;
    if (cs__contradicting(cs, &held, &other->ballot)) {
        cs__fork_found(cs, &held, other, set);
        return false;
    }
    if (cs->doubt.other != NULL) {
        return false; /* that one will do */
    }
    cs->doubt.other = cs__cert_copy(cs, other);
    if (cs->doubt.other != NULL) {
        doubt(cs, other->ballot.epoch, view);
    }
    return cs->doubt.other != NULL;
}

/* give_up stops without culprits: nobody has told who they are. */
static void give_up(struct cs *cs)
{
    static const struct cs_bitmap nobody;
    const struct cs__end *const end = cs__past_find(&cs->past, cs->doubt.epoch);
    const struct cs__cert *other = cs->target != NULL ? cs->target : cs->near;
    other = cs->doubt.other != NULL ? cs->doubt.other : other;
    struct cs_certificate own = cs->fin.cert != NULL ? cs->fin.cert->body : other->body;
    struct cs_valset set = cs->set;
    if (end != NULL) {
        cs__past_final(&cs->past, &own, end);
        cs__past_set(&cs->past, &set, end);
    }
    stop(cs, &own, &other->body, &nobody, &set);
}

void cs__fork_run(struct cs *cs)
{
    if (!cs->doubt.set || cs->halted || cs->timers.split > cs->now_ns) {
        return;
    }
    if (cs->timers.split_end <= cs->now_ns) {
        give_up(cs);
        return;
    }
    struct cs_message message = {.type = CS_MSG_CERT_REQUEST};
    cs->timers.split = cs->now_ns + cs->config.delay_ns;
    message.cert_request.epoch = cs->doubt.epoch;
    message.cert_request.count = 1;
    message.cert_request.view[0] = cs->doubt.view;
    if (cs->doubt.view == 0) {
        message = (struct cs_message){.type = CS_MSG_EPOCH_REQUEST};
        message.epoch_request.epoch = cs->doubt.epoch - 1;
    }
    cs__broadcast(cs, &message);
}
