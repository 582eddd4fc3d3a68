/* Which lies are told, and what a liar does with any message of its engine. */

#include "tests/sim/liar.h"

#include <string.h>

#include "base/assert.h"

static uint8_t out[CS_MESSAGE_SIZE_MAX];

uint64_t liar_choice(const struct sim *sim, const struct sim_host *host, uint64_t salt)
{
    struct sim_rng rng = {sim->seed ^ (host->id * UINT64_C(7919)) ^ (salt << 20)};
    (void)sim_next(&rng);
    return sim_next(&rng);
}

bool liar_tells(const struct sim *sim, enum sim_lie lie)
{
    return (sim->conf.lies & (uint32_t)lie) != 0;
}

bool liar_forgets(const struct sim *sim)
{
    return liar_tells(sim, SIM_LIE_AMNESIA);
}

void liar_message(struct sim *sim,
                  struct sim_host *host,
                  uint32_t to,
                  const struct cs_message *message)
{
    struct nv_writer w;
    nv_writer_init(&w, out, sizeof out);
    cs_message_encode(&w, message);
    NV_ASSERT(!w.overflow);
    sim_fault(sim, SIM_FAULT_LIE);
    sim_net_send(sim, host->id, to, (uint8_t)message->type, nv_writer_view(&w));
}

/* silent returns whether the receiver gets nothing: for a while, or ever. */
static bool silent(const struct sim *sim, const struct sim_host *host, uint32_t to)
{
    uint64_t const slot = sim->now_ns / (250 * SIM_MS);
    uint64_t const dice = liar_choice(sim, host, slot + 1000000);
    bool const all = dice % 4 == 0;
    bool const some = dice % 4 == 1 && (dice >> 8 >> to & 1u) == 0;
    bool const never = (liar_choice(sim, host, 3) >> 7 >> to & 1u) == 0;
    return (liar_tells(sim, SIM_LIE_SILENCE) && (all || some)) ||
           (liar_tells(sim, SIM_LIE_SELECTIVE) && never);
}

/* kept returns whether a message carries what the liar keeps to itself. */
static bool kept(const struct sim *sim, uint8_t type)
{
    bool const certified =
        type == CS_MSG_CERTIFICATE || type == CS_MSG_CERT_RESPONSE || type == CS_MSG_BLOCK_RESPONSE;
    bool const proposes = type == CS_MSG_PROPOSAL || type == CS_MSG_BODY_CHUNK;
    return (certified && liar_tells(sim, SIM_LIE_WITHHOLD)) ||
           (proposes && liar_tells(sim, SIM_LIE_NULLIFY_ONLY));
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
    sim_fault(sim, SIM_FAULT_LIE);
    sim_net_send(sim, host->id, to, type, nv_view_of(broken, size));
}

/* more_send sends what comes on top of any message. */
static void more_send(struct sim *sim, struct sim_host *host, uint32_t to)
{
    if (liar_tells(sim, SIM_LIE_FORGE) && sim_chance(&sim->rng, 100000)) {
        lie_forge(sim, host, to);
    }
    if (liar_tells(sim, SIM_LIE_FLOOD)) {
        lie_flood(sim, host, to);
    }
}

void liar_send(
    struct sim *sim, struct sim_host *host, uint32_t to, uint8_t type, struct nv_view bytes)
{
    struct cs_message message;
    if (sim->conf.lies == 0 || sim_number(sim, &host->set, host->id) >= host->set.count) {
        sim_net_send(sim, host->id, to, type, bytes);
        return;
    }
    if (silent(sim, host, to) || kept(sim, type)) {
        sim_fault(sim, SIM_FAULT_LIE);
        return;
    }
    more_send(sim, host, to);
    if (liar_tells(sim, SIM_LIE_GARBAGE) && sim_chance(&sim->rng, 150000)) {
        garbage_send(sim, host, to, type, bytes);
        return;
    }
    if (type == CS_MSG_BODY_CHUNK && liar_tells(sim, SIM_LIE_BODY) &&
        sim_chance(&sim->rng, 200000)) {
        sim_fault(sim, SIM_FAULT_LIE);
        return;
    }
    bool const changed = type == CS_MSG_PROPOSAL || type == CS_MSG_VOTE;
    if (changed && cs_message_decode(&message, type, bytes) != NV_OK) {
        return;
    }
    bool const proposal = type == CS_MSG_PROPOSAL;
    bool const as_it_is = proposal ? lie_proposal(sim, host, to, &message)
                                   : !changed || lie_vote(sim, host, to, &message.vote);
    if (as_it_is) {
        sim_net_send(sim, host->id, to, type, bytes);
    }
}
