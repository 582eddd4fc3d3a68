/* Validators that lie.  A liar runs the engine, and what it sends is changed on
 * the way out: the engine's own messages are the best disguise. */

#include <string.h>

#include "base/assert.h"

#include "tests/sim/sim.h"

static uint8_t out[CS_MESSAGE_SIZE_MAX];

/* choice returns a number that depends on the liar and `salt` alone, so that a
 * lie can be the same for all receivers. */
static uint64_t choice(const struct sim *sim, const struct sim_host *host, uint64_t salt)
{
    struct sim_rng rng = {sim->seed ^ (host->id * UINT64_C(7919)) ^ (salt << 20)};
    (void)sim_next(&rng);
    return sim_next(&rng);
}

static bool tells(const struct sim *sim, enum sim_lie lie)
{
    return (sim->conf.lies & (uint32_t)lie) != 0;
}

static void
message_send(struct sim *sim, struct sim_host *host, uint32_t to, const struct cs_message *message)
{
    struct nv_writer w;
    nv_writer_init(&w, out, sizeof out);
    cs_message_encode(&w, message);
    NV_ASSERT(!w.overflow);
    sim->lies_told++;
    sim_net_send(sim, host->id, to, (uint8_t)message->type, nv_writer_view(&w));
}

static void
vote_send(struct sim *sim, struct sim_host *host, uint32_t to, const struct cs_ballot *ballot)
{
    struct cs_message message = {.type = CS_MSG_VOTE};
    message.vote = cs_build_vote(&sim->net, ballot, host->id);
    message.vote.signer = (uint16_t)sim_number(sim, &host->set, host->id);
    message_send(sim, host, to, &message);
}

/* votes_more sends votes that conflict with the liar's own of that view. */
static void
votes_more(struct sim *sim, struct sim_host *host, uint32_t to, const struct cs_ballot *real)
{
    struct cs_header header;
    struct cs_certificate certificate;
    struct cs_ballot ballot = *real;
    switch (sim_below(&sim->rng, 4)) {
    case 0: ballot = cs_build_ballot(CS_NULLIFY, real->view, 0, real->block_hash); break;
    case 1:
        if (real->kind == CS_NULLIFY) {
            return;
        }
        ballot.kind = CS_FINALIZE;
        break;
    case 2:
        ballot = cs_build_ballot(
            CS_NOTARIZE, real->view, real->view - 1, cs_build_hash(sim_next(&sim->rng)));
        break;
    default:
        if (!oracle_pick(
                sim, real->view > 5 ? real->view - 5 : 1, real->view, &header, &certificate)) {
            return;
        }
        ballot = certificate.ballot;
        ballot.kind = CS_FINALIZE;
        break;
    }
    ballot.epoch = real->epoch;
    vote_send(sim, host, to, &ballot);
}

/* header_spoil changes one field of a header. */
static void header_spoil(struct cs_header *header, uint64_t which)
{
    switch (which % 14) {
    case 0: header->height++; break;
    case 1: header->height--; break;
    case 2: header->time_ms += 60000; break;
    case 3: header->time_ms -= header->time_ms < 5000 ? header->time_ms : 5000; break;
    case 4: header->state_root.bytes[3] ^= 1; break;
    case 5: header->executed_height += 1; break;
    case 6: header->executed_height = 0; break;
    case 7: header->valset_hash.bytes[0] ^= 1; break;
    case 8: header->params_hash.bytes[0] ^= 1; break;
    case 9: header->justify_hash.bytes[0] ^= 1; break;
    case 10: header->parent_hash.bytes[0] ^= 1; break;
    case 11: header->body_size = CS_BODY_SIZE_MAX + 1; break;
    case 12: header->tx_count++; break;
    default: header->evidence_root.bytes[9] ^= 1; break;
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
    message_send(sim, host, to, &message);
}

static void proposal_sign(struct sim *sim, struct sim_host *host, struct cs_proposal *proposal)
{
    struct cs_ballot ballot = {.kind = CS_NOTARIZE};
    cs_header_hash(&proposal->block_hash, &proposal->header);
    ballot.epoch = proposal->epoch;
    ballot.view = proposal->view;
    ballot.parent_view = proposal->parent_view;
    ballot.block_hash = proposal->block_hash;
    struct cs_vote const vote = cs_build_vote(&sim->net, &ballot, host->id);
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
    sim->rng.state = choice(sim, host, view); /* the same for all receivers */
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

static void
proposal_send(struct sim *sim, struct sim_host *host, uint32_t to, struct cs_message *message)
{
    struct cs_proposal *const proposal = &message->proposal;
    uint64_t const dice = choice(sim, host, proposal->view) >> 8;
    bool lied = false;
    if (tells(sim, SIM_LIE_PARENT) && dice % 3 == 0) {
        lied = parent_old(sim, host, proposal);
    } else if (tells(sim, SIM_LIE_HEADER) && dice % 3 == 1) {
        header_spoil(&proposal->header, dice >> 8);
        lied = true;
    } else if (tells(sim, SIM_LIE_TWO_BLOCKS) && dice % 3 == 2 &&
               (to + dice % sim->conf.hosts) % 2 == 0) {
        if ((dice >> 16) % 2 == 0) { /* both of them to this one */
            message_send(sim, host, to, message);
        }
        proposal->header.time_ms++;
        lied = true;
    }
    if (lied) {
        proposal_sign(sim, host, proposal);
        chunk_follow(sim, host, to, proposal);
    }
    message_send(sim, host, to, message);
}

static bool silent(const struct sim *sim, const struct sim_host *host, uint32_t to)
{
    uint64_t const slot = sim->now_ns / (250 * SIM_MS);
    uint64_t const dice = choice(sim, host, slot + 1000000);
    bool const all = dice % 4 == 0;
    bool const some = dice % 4 == 1 && (dice >> 8 >> to & 1u) == 0;
    return tells(sim, SIM_LIE_SILENCE) && (all || some);
}

static void garbage_send(
    struct sim *sim, struct sim_host *host, uint32_t to, uint8_t type, struct nv_view bytes)
{
    static uint8_t broken[CS_MESSAGE_SIZE_MAX];
    uint32_t const changes = (uint32_t)sim_between(&sim->rng, 1, 3);
    uint32_t const size =
        sim_chance(&sim->rng, 200000) ? (uint32_t)sim_below(&sim->rng, bytes.size + 1) : bytes.size;
    memcpy(broken, bytes.bytes, bytes.size);
    for (uint32_t i = 0; i < changes; i++) {
        broken[sim_below(&sim->rng, bytes.size)] = (uint8_t)sim_next(&sim->rng);
    }
    sim->lies_told++;
    sim_net_send(sim, host->id, to, type, nv_view_of(broken, size));
}

void sim_byz_send(
    struct sim *sim, struct sim_host *host, uint32_t to, uint8_t type, struct nv_view bytes)
{
    struct cs_message message;
    if (silent(sim, host, to)) {
        sim->lies_told++;
        return;
    }
    if (tells(sim, SIM_LIE_GARBAGE) && sim_chance(&sim->rng, 150000)) {
        garbage_send(sim, host, to, type, bytes);
        return;
    }
    if (type == CS_MSG_BODY_CHUNK && tells(sim, SIM_LIE_BODY) && sim_chance(&sim->rng, 200000)) {
        return;
    }
    if (cs_message_decode(&message, type, bytes) != NV_OK) {
        return;
    }
    if (message.type == CS_MSG_PROPOSAL) {
        proposal_send(sim, host, to, &message);
        return;
    }
    if (message.type == CS_MSG_VOTE && tells(sim, SIM_LIE_VOTES)) {
        votes_more(sim, host, to, &message.vote.ballot);
    }
    sim_net_send(sim, host->id, to, type, bytes);
}
