/* Forks of epochs that have ended.  What is said of them is verified here, by the
 * validators of that epoch: workers know those of the present one only. */

#include "consensus/emit.h"
#include "consensus/rules.h"

#include "base/pure.h"

#define EACH 4u /* proofs of a sender that are looked at in D */

/* looked_at counts a proof of an ended epoch against its sender's share. */
static bool looked_at(struct cs *cs, uint32_t from, uint64_t epoch)
{
    struct cs__share *const share =
        from < cs->set.count ? &cs->peer[from].proofs : &cs->proofs_other;
    if (epoch <= cs->past_told) {
        return false;
    }
    if (cs->now_ns - share->start_ns >= cs->config.delay_ns) {
        *share = (struct cs__share){.start_ns = cs->now_ns};
    }
    share->count++;
    return share->count <= EACH;
}

/* bound returns whether the stake of an epoch's validators is bound; a fork of an
 * epoch long ago is told to the log, once.
 * SPEC consensus 17: "Keys whose stake was withdrawn long ago may be sold or stolen" */
static bool bound(struct cs *cs, uint64_t epoch)
{
    bool const old = cs__expired(cs, epoch);
    if (old) {
        cs->past_told = epoch;
        cs__trace(cs, CS_TRACE_PAST_FORK, cs->view, epoch);
    }
    return !old;
}

void cs__past_ask(struct cs *cs, uint32_t from, uint64_t epoch)
{
    struct cs_message message = {.type = CS_MSG_EPOCH_REQUEST};
    if (epoch >= CS_FIRST_EPOCH) {
        message.epoch_request.epoch = epoch;
        cs__send(cs, from, &message);
    }
}

void cs__past_certificate(struct cs *cs, uint32_t from, const struct cs_certificate *certificate)
{
    const struct cs__end *const end = cs__past_find(&cs->past, certificate->ballot.epoch);
    struct cs_certificate held;
    struct cs_valset set;
    if (end == NULL || cs->halted || !cs__contradicting(cs, &held, &certificate->ballot) ||
        !looked_at(cs, from, end->epoch)) {
        return;
    }
    cs__past_set(&cs->past, &set, end);
    if (cs_certificate_verify(certificate, &cs->config.chain_id, &set, NULL) &&
        bound(cs, end->epoch)) {
        cs__fork_found(cs, &held, certificate, &set);
    }
}

void cs__past_pair(struct cs *cs,
                   uint32_t from,
                   const struct cs_certificate *a,
                   const struct cs_certificate *b)
{
    const struct cs__end *const end = cs__past_find(&cs->past, a->ballot.epoch);
    struct cs_valset set;
    if (end == NULL || cs->halted || !looked_at(cs, from, end->epoch)) {
        return;
    }
    cs__past_set(&cs->past, &set, end);
    if (cs_certificate_verify(a, &cs->config.chain_id, &set, NULL) &&
        cs_certificate_verify(b, &cs->config.chain_id, &set, NULL) && bound(cs, end->epoch)) {
        cs__fork_found(cs, a, b, &set);
    }
}

bool cs__past_differs(const struct cs *cs, const struct cs_handover *handover)
{
    const struct cs__end *const end = cs__past_find(&cs->past, handover->header.epoch);
    return end != NULL && !nv_hash_eq(&end->block, &handover->final.ballot.block_hash);
}

void cs__past_handover(struct cs *cs, uint32_t from, const struct cs_handover *handover)
{
    struct cs_message const message = {.type = CS_MSG_EPOCH_RESPONSE, .handover = *handover};
    const struct cs__end *const end = cs__past_find(&cs->past, handover->header.epoch);
    struct cs_certificate own;
    struct cs_valset set;
    if (cs->halted || !cs__past_differs(cs, handover) || !looked_at(cs, from, end->epoch)) {
        return;
    }
    if (!nv_hash_eq(&handover->header.valset_hash, &end->set)) {
        cs__past_ask(cs, from, end->epoch - 1); /* they parted before */
        return;
    }
    cs__past_set(&cs->past, &set, end);
    if (!cs_certificate_verify(&handover->final, &cs->config.chain_id, &set, NULL) ||
        !bound(cs, end->epoch)) {
        return;
    }
    cs__past_final(&cs->past, &own, end);
    if (cs__fork_final(cs, &own, &handover->final, &set)) {
        cs__broadcast(cs, &message);
    }
}
