/* rules_send.c - the own proposal, and what travels with it. */

#include "base/arena.h"

#include "consensus/chain.h"
#include "consensus/emit.h"
#include "consensus/rules.h"
#include "consensus/self.h"
#include "consensus/store.h"

#include "base/pure.h"

/* list_put adds a certificate of the present epoch to a list, if there is one. */
static bool list_put(struct nv_writer *w, struct cs_list *list, const struct cs__cert *cert)
{
    if (cert == NULL) {
        return false;
    }
    cs_certificate_put(w, &cert->body);
    list->count++;
    return true;
}

/* proposal_certs writes the certificates that travel with a proposal. */
static struct cs_list proposal_certs(struct cs *cs, const struct cs__proposal *proposal)
{
    uint32_t const cap = CS_PROPOSAL_CERTS_MAX *
                         (CS_CERTIFICATE_SIZE_MAX - 64u * (CS_VALIDATORS_MAX - cs->set.count));
    uint64_t const parent_view = proposal->parent_view;
    struct cs_list list = {.count = 0};
    struct nv_writer w;
    uint32_t skips = 0;
    nv_writer_init(&w, NV_ARENA_NEW(cs->effects->arena, uint8_t, cap), cap);
    if (proposal->again) {
        list_put(&w, &list, cs__cert_parent(cs, parent_view));
    }
    for (uint64_t view = cs->view - 1; view > parent_view && skips < CS_PROPOSAL_SKIPS_MAX;
         view--) {
        const struct cs__slot *const slot = cs__slot_find(cs, view);
        skips += list_put(&w, &list, slot != NULL ? slot->null : NULL) ? 1 : 0;
    }
    (void)list_put(&w, &list, cs__final_newest(cs));
    list.bytes = nv_writer_view(&w);
    return list;
}

bool cs__send_proposal(struct cs *cs, uint32_t peer)
{
    const struct cs__slot *const slot = cs__slot_find(cs, cs->view);
    if (slot == NULL || !slot->proposal.set || !cs__leads(cs, cs->view)) {
        return false;
    }
    const struct cs__block *const block = cs__block_find(cs, &slot->proposal.hash);
    if (block == NULL) {
        return false;
    }
    struct cs_message message = {.type = CS_MSG_PROPOSAL};
    message.proposal.epoch = cs->epoch;
    message.proposal.view = cs->view;
    message.proposal.parent_view = slot->proposal.parent_view;
    message.proposal.again = slot->proposal.again;
    message.proposal.header = block->header;
    message.proposal.block_hash = block->hash;
    message.proposal.sig = slot->proposal.sig;
    message.proposal.has_justify = block->justify != NULL;
    if (block->justify != NULL) {
        message.proposal.justify = block->justify->body;
    }
    message.proposal.evidence = block->evidence;
    message.proposal.certificates = proposal_certs(cs, &slot->proposal);
    cs__send(cs, peer, &message);
    return true;
}
