/* The end of an epoch: asked for, taken, and sent to those who miss it. */

#include "base/assert.h"

#include "consensus/catchup.h"
#include "consensus/emit.h"
#include "consensus/rules.h"
#include "consensus/store.h"

#include "base/pure.h"

void cs__handover_fill(const struct cs *cs, struct cs_handover *handover, uint8_t *set_bytes)
{
    handover->header = cs->opened;
    handover->final = cs->opened_cert->body;
    handover->set = nv_view_of(set_bytes, cs_valset_encode(&cs->set, set_bytes));
}

void cs__handover_send(struct cs *cs, uint32_t peer)
{
    uint8_t set_bytes[CS_VALSET_SIZE_MAX];
    struct cs_message message = {.type = CS_MSG_EPOCH_RESPONSE};
    if (cs->opened_cert != NULL) {
        cs__handover_fill(cs, &message.handover, set_bytes);
        cs__send(cs, peer, &message);
    }
}

void cs__handover_take(struct cs *cs, const struct cs_handover *handover)
{
    if (handover->header.epoch != cs->epoch || cs->next_known) {
        return;
    }
    if (handover->final.ballot.view <= cs->fin.view) { /* nothing stands on it, and fin does not */
        (void)cs__fork_final(cs, &cs->fin.cert->body, &handover->final, &cs->set);
        return;
    }
    enum nv_err const err = cs_valset_decode(&cs->next, handover->set);
    NV_ASSERT(err == NV_OK); /* the message was decoded */
    if (cs->next.count > cs->config.validators_max) {
        return;
    }
    cs->next_known = true;
    (void)cs__cert_add(cs, &handover->final);
}

void cs__handover_need(struct cs *cs, uint32_t peer)
{
    cs->next_need = true;
    cs->next_peer = peer != CS_NOBODY ? peer : cs->next_peer;
}

/* handover_source returns whom to ask: by turns who is known to be in a later
 * epoch, and any validator. */
static uint32_t handover_source(struct cs *cs)
{
    uint32_t const attempt = cs->next_attempt++;
    if (cs->next_peer != CS_NOBODY && attempt % 2 == 0) {
        return cs->next_peer;
    }
    uint32_t const index = (attempt / 2) % cs->set.count;
    return index == cs->me ? (index + 1) % cs->set.count : index;
}

void cs__handover_run(struct cs *cs)
{
    if (!cs->next_need || cs->next_known) {
        cs->timers.next = CS__NEVER;
        return;
    }
    if (cs->timers.next != CS__NEVER && cs->timers.next > cs->now_ns) {
        return;
    }
    struct cs_message message = {.type = CS_MSG_EPOCH_REQUEST};
    message.epoch_request.epoch = cs->epoch;
    cs->timers.next = cs->now_ns + cs->config.delay_ns;
    cs__send(cs, handover_source(cs), &message);
}
