/* Lies of a leader. */

#include <string.h>

#include "tests/sim/check.h"
#include "tests/sim/liar.h"

/* header_spoil changes one field of a header. */
static void header_spoil(struct cs_header *header, uint64_t which)
{
    switch (which % 16) {
    case 0: header->height++; break;
    case 1: header->height--; break;
    case 2: header->tx_count = 0; break;
    case 3: header->view++; break;
    case 4: header->state_root.bytes[3] ^= 1; break;
    case 5: header->executed_height += 1; break;
    case 6: header->executed_height = 0; break;
    case 7: header->valset_hash.bytes[0] ^= 1; break;
    case 8: header->params_hash.bytes[0] ^= 1; break;
    case 9: header->justify_hash.bytes[0] ^= 1; break;
    case 10: header->parent_hash.bytes[0] ^= 1; break;
    case 11: header->body_size = CS_BODY_SIZE_MAX + 1; break;
    case 12: header->tx_count++; break;
    case 13: header->proposer ^= 1; break;
    case 14: header->next_valset_hash.bytes[0] ^= 1; break;
    default: header->evidence_root.bytes[9] ^= 1; break;
    }
}

/* time_spoil takes a time from before the parent's, or from the future. */
static void time_spoil(struct cs_header *header, uint64_t dice)
{
    static const uint64_t steps[6] = {1, 40, 300, 1000, 5000, 60000};
    uint64_t const step = steps[dice / 2 % 6];
    if (dice % 2 == 0) {
        header->time_ms += step;
    } else {
        header->time_ms -= header->time_ms < step ? header->time_ms : step;
    }
}

/* root_spoil names a wrong state root, perhaps of a height that nobody has
 * executed yet, or a height before the parent's with its right root. */
static void root_spoil(const struct sim *sim, struct cs_header *header, uint64_t dice)
{
    uint64_t const top = oracle_height(sim);
    uint64_t height = header->executed_height;
    switch (dice % 3) {
    case 0: header->state_root.bytes[dice / 3 % 32] ^= 1; break;
    case 1:
        header->executed_height = header->height > 1 ? header->height - 1 : 0;
        header->state_root.bytes[1] ^= 1;
        break;
    default:
        height = height > 4 ? height - 2 - dice / 3 % 3 : 0;
        header->executed_height = height;
        header->state_root = oracle_root(sim, height < top ? height : top);
        break;
    }
}

/* chunk_follow sends the body of a changed block, whose name is new. */
static void chunk_follow(struct sim *sim,
                         struct sim_host *host,
                         uint32_t to,
                         const struct cs_proposal *proposal)
{
    struct cs_message message = {.type = CS_MSG_BODY_CHUNK};
    struct nv_view const whole = nv_view_of(host->built.bytes, host->built.size);
    if (proposal->header.body_size == 0 || host->built.size == 0) {
        return;
    }
    message.body_chunk.block_hash = proposal->block_hash;
    message.body_chunk.chunk.bytes = cs_body_chunk(whole, 0);
    cs_body_path(&message.body_chunk.chunk.path, whole, 0);
    liar_message(sim, host, to, &message);
}

static void proposal_sign(struct sim *sim, struct sim_host *host, struct cs_proposal *proposal)
{
    struct cs_ballot ballot = {.kind = CS_NOTARIZE};
    cs_header_hash(&proposal->block_hash, &proposal->header);
    ballot.epoch = proposal->epoch;
    ballot.view = proposal->view;
    ballot.parent_view = proposal->parent_view;
    ballot.block_hash = proposal->block_hash;
    struct cs_vote const vote = cs_build_vote(&sim->net, &ballot, host->key);
    proposal->sig = vote.sig;
}

/* parent_old builds on an earlier notarized block, as if the views between had
 * not been. */
static bool parent_old(struct sim *sim, struct sim_host *host, struct cs_proposal *proposal)
{
    struct cs_header parent;
    uint64_t const view = proposal->view;
    struct cs_header *const header = &proposal->header;
    if (view < 3) {
        return false;
    }
    struct sim_rng const before = sim->rng;
    sim->rng.state = liar_choice(sim, host, view); /* the same for all receivers */
    bool const found =
        oracle_pick(sim, view > 6 ? view - 6 : 1, view - 2, &parent, &proposal->justify);
    sim->rng = before;
    if (!found) {
        return false;
    }
    proposal->has_justify = true;
    proposal->parent_view = proposal->justify.ballot.view;
    header->parent_view = proposal->parent_view;
    header->parent_hash = proposal->justify.ballot.block_hash;
    header->height = parent.height + 1;
    header->executed_height = parent.executed_height;
    header->state_root = parent.state_root;
    header->body_size = 0;
    header->tx_count = 0;
    nv_merkle_root(&header->body_root, NULL, 0);
    header->time_ms = header->time_ms > parent.time_ms ? header->time_ms : parent.time_ms;
    cs_certificate_hash(&header->justify_hash, &proposal->justify);
    return true;
}

/* proposal_spoil tells at most one of the lies that are the same for all. */
static bool
proposal_spoil(struct sim *sim, struct sim_host *host, struct cs_proposal *proposal, uint64_t dice)
{
    static const enum sim_lie lies[4] = {
        SIM_LIE_PARENT, SIM_LIE_HEADER, SIM_LIE_TIME, SIM_LIE_ROOT};
    enum sim_lie const lie = lies[dice % 4];
    if (!liar_tells(sim, lie)) {
        return false;
    }
    switch (dice % 4) {
    case 0: return parent_old(sim, host, proposal);
    case 1: header_spoil(&proposal->header, dice >> 8); break;
    case 2: time_spoil(&proposal->header, dice >> 8); break;
    default: root_spoil(sim, &proposal->header, dice >> 8); break;
    }
    return true;
}

/* two_blocks makes another proposal for half of the receivers. */
static bool
two_blocks(struct sim *sim, struct sim_host *host, uint32_t to, struct cs_message *message)
{
    uint64_t const dice = liar_choice(sim, host, message->proposal.view) >> 16;
    if (!liar_tells(sim, SIM_LIE_TWO_BLOCKS) || (to + dice % sim->conf.hosts) % 2 != 0) {
        return false;
    }
    if ((dice >> 8) % 2 == 0) { /* both of them to this one */
        liar_message(sim, host, to, message);
    }
    message->proposal.header.time_ms++;
    return true;
}

bool lie_proposal(struct sim *sim, struct sim_host *host, uint32_t to, struct cs_message *message)
{
    struct cs_proposal *const proposal = &message->proposal;
    uint64_t const dice = liar_choice(sim, host, proposal->view) >> 8;
    bool const late = liar_tells(sim, SIM_LIE_LATE);
    bool const lied =
        proposal_spoil(sim, host, proposal, dice) || two_blocks(sim, host, to, message);
    if (lied) {
        proposal_sign(sim, host, proposal);
        chunk_follow(sim, host, to, proposal);
    }
    if (liar_tells(sim, SIM_LIE_WITHHOLD)) {
        proposal->certificates = (struct cs_list){.count = 0};
    }
    if (!lied && !late && !liar_tells(sim, SIM_LIE_WITHHOLD)) {
        return true;
    }
    if (late) { /* when those who wait for it are about to give up */
        sim->net_extra_ns = sim_between(&sim->rng, sim->conf.delay_ns, 3 * sim->conf.delay_ns);
    }
    liar_message(sim, host, to, message);
    sim->net_extra_ns = 0;
    return false;
}
