/* make.c - an engine's memory, and an engine at the genesis. */

#include "base/arena.h"
#include "base/assert.h"
#include "base/critbit.h"
#include "base/merkle.h"

#include "consensus/consensus.h"
#include "consensus/rules.h"
#include "consensus/state.h"

#include "base/pure.h"

#define SPARE_CERTIFICATES 8u
#define SPARE_BLOCKS       (2u * CS_BLOCKS_MAX)
#define ALIGNMENTS         4096u

static uint32_t slots_for(const struct cs_config *config)
{
    return config->views_max + CS__BELOW + 1;
}

static uint32_t blocks_for(const struct cs_config *config)
{
    return 2 * config->views_max + SPARE_BLOCKS;
}

static uint32_t certs_for(const struct cs_config *config)
{
    return 2 * slots_for(config) + blocks_for(config) + SPARE_CERTIFICATES;
}

/* members_max returns how many validators a set may have. */
static uint32_t members_max(const struct cs_config *config)
{
    return config->validators_max == 0 ? CS_VALIDATORS_MAX : config->validators_max;
}

size_t cs_memory(const struct cs_config *config)
{
    size_t const n = members_max(config);
    size_t const tally =
        sizeof(struct cs__tally) +
        CS_VOTE_KINDS * n * (sizeof(struct cs__tally_entry) + sizeof(struct cs__candidate)) + 256;
    return sizeof(struct cs) + config->views_max * sizeof(struct cs__own) +
           slots_for(config) * sizeof(struct cs__slot) + CS__TALLIES * tally +
           certs_for(config) * (sizeof(struct cs__cert) + n * sizeof(struct nv_sig)) +
           blocks_for(config) * (sizeof(struct cs__block) + sizeof(uint32_t) + CS__EVIDENCE_SIZE) +
           nv_critbit_footprint(blocks_for(config)) + cs__past_footprint(members_max(config)) +
           CS__SCRATCH + ALIGNMENTS;
}

static void pools_take(struct cs *cs, struct nv_arena *arena)
{
    uint32_t const n = cs->config.validators_max;
    cs__gate_init(&cs->gate, arena, cs->config.views_max);
    cs->slot_count = slots_for(&cs->config);
    cs->slot = NV_ARENA_NEW(arena, struct cs__slot, cs->slot_count);
    for (uint32_t i = 0; i < CS__TALLIES; i++) {
        cs->tally[i] = cs__tally_new(arena, &cs->set, n, cs->epoch);
    }
    cs->tally_count = CS__TALLIES;
    cs->cert_count = certs_for(&cs->config);
    cs->cert = NV_ARENA_NEW(arena, struct cs__cert, cs->cert_count);
    cs->sigs = NV_ARENA_NEW(arena, struct nv_sig, (size_t)cs->cert_count * n);
    cs->block_count = blocks_for(&cs->config);
    cs->block = NV_ARENA_NEW(arena, struct cs__block, cs->block_count);
    cs->path = NV_ARENA_NEW(arena, uint32_t, cs->block_count);
    cs->evidence = NV_ARENA_NEW(arena, uint8_t, (size_t)cs->block_count * CS__EVIDENCE_SIZE);
    void *const index =
        nv_arena_alloc(arena, nv_critbit_footprint(cs->block_count), sizeof(uint64_t), 1);
    cs->block_index = nv_critbit_init(index, cs->block_count);
    cs__past_init(&cs->past, arena, n);
    cs->scratch = NV_ARENA_NEW(arena, uint8_t, CS__SCRATCH);
}

static void config_check(const struct cs_config *config)
{
    NV_ASSERT(config->valset->count >= 1);
    NV_ASSERT(config->valset->count <= members_max(config));
    NV_ASSERT(members_max(config) <= CS_VALIDATORS_MAX);
    NV_ASSERT(config->delay_ns >= 1);
    NV_ASSERT(config->views_max >= 32);
    NV_ASSERT(config->body_size_max <= CS_BODY_SIZE_MAX);
    NV_ASSERT(config->idle_ms <= UINT32_MAX);
    NV_ASSERT(config->pace_ms <= config->idle_ms);
}

static void timers_clear(struct cs *cs)
{
    cs->timers = (struct cs__timers){.forward = CS__NEVER,
                                     .leader = CS__NEVER,
                                     .view = CS__NEVER,
                                     .retry = CS__NEVER,
                                     .due = CS__NEVER,
                                     .hold = CS__NEVER,
                                     .listen = CS__NEVER,
                                     .status = CS__NEVER,
                                     .fetch = CS__NEVER,
                                     .certs = CS__NEVER,
                                     .range = CS__NEVER,
                                     .next = CS__NEVER,
                                     .split = CS__NEVER,
                                     .split_end = CS__NEVER,
                                     .wake = CS__NEVER};
    cs->timer_ns = CS__NEVER;
    cs->base_ns = CS__NEVER;
}

struct cs *cs_new(struct nv_arena *arena, const struct cs_config *config)
{
    config_check(config);
    struct cs *const cs = NV_ARENA_NEW(arena, struct cs, 1);
    cs->config = *config;
    cs->config.validators_max = members_max(config);
    cs->set = *config->valset;
    cs->config.valset = &cs->set;
    cs->keyed = nv_signer_init(&cs->signer, &cs->key, &config->seckey) == NV_OK;
    cs->epoch = CS_FIRST_EPOCH;
    cs->sets_from = CS_FIRST_EPOCH;
    cs->opened.time_ms = config->genesis_time_ms;
    cs->opened_hash = config->chain_id;
    cs->told_count = 1;
    cs->told[0].set = cs->set;
    cs->next_peer = CS_NOBODY;
    nv_merkle_root(&cs->empty_root, NULL, 0);
    cs__epoch_found(cs);
    cs->fin.hash = config->chain_id;
    cs->fin.header.time_ms = config->genesis_time_ms;
    cs->fin.header.state_root = config->genesis_root;
    cs->recent[0].known = true;
    cs->recent[0].root = config->genesis_root;
    cs->delay_ns = config->delay_ns;
    timers_clear(cs);
    cs->version = 1;
    pools_take(cs, arena);
    return cs;
}
