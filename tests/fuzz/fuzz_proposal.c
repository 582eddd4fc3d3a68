/* Goal: a proposal has one encoding, and an engine that gets it as it came, from
 * its leader and with no signature checked, takes no harm.
 * Method: four validators; the input is decoded as a proposal, admitted, and stepped with
 * the plan of an attacker who could forge everything. */

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/codec.h"

#include "consensus/consensus.h"
#include "tests/lib/consensus_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define VALIDATORS 4u

static struct cs_net net;
static struct cs_effects effects;
static void *memory;
static size_t memory_size;

static struct cs *engine_new(void)
{
    struct nv_arena arena;
    if (memory == NULL) {
        static struct nv_arena effects_arena;
        cs_net_init(&net, NULL, VALIDATORS);
        nv_arena_init_zeroed(&effects_arena, calloc(1, CS_EFFECTS_MEMORY), CS_EFFECTS_MEMORY);
        cs_effects_init(&effects, &effects_arena);
    }
    struct cs_config const config = {
        .chain_id = net.chain_id,
        .valset = &net.set,
        .delay_ns = 50000000,
        .idle_ms = 1000,
        .ahead_ms = 500,
        .behind_ms = 2000,
        .body_size_max = CS_BODY_SIZE_MAX,
        .validators_max = VALIDATORS,
        .seckey = net.seckey[0],
        .status_ns = 5000000000,
        .views_max = 32,
    };
    if (memory == NULL) {
        memory_size = cs_memory(&config);
        memory = calloc(1, memory_size);
        if (memory == NULL) {
            abort();
        }
    }
    nv_arena_init(&arena, memory, memory_size);
    return cs_new(&arena, &config);
}

static void engine_try(const struct cs_message *message)
{
    struct cs *const cs = engine_new();
    struct cs_event event = {.kind = CS_EV_START, .now_ns = 1, .wall_ms = 1000};
    cs_step(cs, &event, &effects);
    struct cs_plan plan = cs_admit(cs, message->proposal.header.proposer, message);
    bool const right = cs_message_check(message, &plan, &net.chain_id, &net.set);
    if (right && plan.own_sig && message->proposal.header.proposer >= VALIDATORS) {
        abort();
    }
    if (!plan.wanted) {
        return;
    }
    plan.own_sig = true;
    plan.certificates = UINT64_MAX;
    event.kind = CS_EV_MESSAGE;
    event.message.from = message->proposal.header.proposer;
    event.message.message = message;
    event.message.plan = &plan;
    cs_step(cs, &event, &effects);
    event.kind = CS_EV_TIMER;
    for (uint32_t i = 0; i < 8; i++) {
        event.now_ns += 200000000;
        event.wall_ms += 200;
        cs_step(cs, &event, &effects);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static uint8_t again[CS_MESSAGE_SIZE_MAX];
    struct cs_message message;
    struct nv_writer w;
    if (size > CS_PROPOSAL_SIZE_MAX ||
        cs_message_decode(&message, CS_MSG_PROPOSAL, nv_view_of(bytes, (uint32_t)size)) != NV_OK) {
        return 0;
    }
    nv_writer_init(&w, again, sizeof again);
    cs_message_encode(&w, &message);
    if (w.overflow || w.size != size || memcmp(again, bytes, size) != 0) {
        abort();
    }
    engine_try(&message);
    return 0;
}
