#include "base/assert.h"
#include "base/bug.h"

#include "consensus/message.h"

#include "base/pure.h"

/* What one check needs everywhere. */
struct check {
    const struct cs_plan *plan;
    const struct nv_hash *chain_id;
    const struct cs_valset *set;
    uint32_t at; /* certificates met so far */
};

/* check_certificate verifies the message's next certificate, if the plan names
 * it. */
static bool check_certificate(struct check *check, const struct cs_certificate *certificate)
{
    uint32_t const index = check->at;
    check->at++;
    if (((check->plan->certificates >> index) & 1u) == 0) {
        return true;
    }
    const struct cs_bitmap *const known = index == 0 ? &check->plan->known : NULL;
    return cs_certificate_verify(certificate, check->chain_id, check->set, known);
}

static bool check_list(struct check *check, const struct cs_list *list)
{
    struct nv_reader r;
    nv_reader_init(&r, list->bytes);
    for (uint32_t i = 0; i < list->count; i++) {
        struct cs_certificate certificate;
        cs_list_certificate(&r, &certificate);
        if (!check_certificate(check, &certificate)) {
            return false;
        }
    }
    return true;
}

static bool check_proposal(struct check *check, const struct cs_proposal *proposal)
{
    struct cs_vote vote = {
        .ballot = {.kind = CS_NOTARIZE,
                   .epoch = proposal->epoch,
                   .view = proposal->view,
                   .parent_view = proposal->parent_view,
                   .block_hash = proposal->block_hash},
        .signer = (uint16_t)check->plan->leader,
        .sig = proposal->sig,
    };
    if (check->plan->own_sig && !NV_SEEDED(PROPOSAL_UNSIGNED) &&
        !cs_vote_verify(&vote, check->chain_id, check->set)) {
        return false;
    }
    if (check->plan->evidence && !cs_evidence_list_verify(&proposal->evidence, check->chain_id)) {
        return false;
    }
    if (proposal->has_justify) {
        if (!check_certificate(check, &proposal->justify)) {
            return false;
        }
    } else {
        check->at++; /* its place stays empty */
    }
    return check_list(check, &proposal->certificates);
}

bool cs_message_check(const struct cs_message *message,
                      const struct cs_plan *plan,
                      const struct nv_hash *chain_id,
                      const struct cs_valset *set)
{
    struct check check = {.plan = plan, .chain_id = chain_id, .set = set};
    switch (message->type) {
    case CS_MSG_PROPOSAL: return check_proposal(&check, &message->proposal);
    case CS_MSG_VOTE: return !plan->own_sig || cs_vote_verify(&message->vote, chain_id, set);
    case CS_MSG_EVIDENCE: return !plan->own_sig || cs_evidence_verify(&message->evidence, chain_id);
    case CS_MSG_CERTIFICATE: return check_certificate(&check, &message->certificate);
    case CS_MSG_CERT_RESPONSE: return check_list(&check, &message->cert_response.certificates);
    case CS_MSG_BLOCK_RESPONSE:
        return !message->block_response.has_final ||
               check_certificate(&check, &message->block_response.final);
    case CS_MSG_EPOCH_RESPONSE: return check_certificate(&check, &message->handover.final);
    case CS_MSG_STATUS:
    case CS_MSG_CERT_REQUEST:
    case CS_MSG_BODY_CHUNK:
    case CS_MSG_BLOCK_REQUEST:
    case CS_MSG_EPOCH_REQUEST:
    case CS_MSG_BODY_REQUEST: return true;
    }
    NV_ASSERT(false);
    return false;
}

bool cs_block_sound(const struct cs_block *block)
{
    struct nv_hash hash;
    cs_evidence_root(&hash, &block->evidence);
    if (!nv_hash_eq(&hash, &block->header.evidence_root)) {
        return false;
    }
    if (!block->has_justify) {
        return nv_hash_is_zero(&block->header.justify_hash);
    }
    cs_certificate_hash(&hash, &block->justify);
    return NV_SEEDED(JUSTIFY_UNCHECKED) || nv_hash_eq(&hash, &block->header.justify_hash);
}
