#include "tests/lib/engine_one.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "consensus/leader.h"

void engine_one_again(struct engine_one *one)
{
    struct nv_arena arena;
    nv_arena_init(&arena, one->memory, cs_memory(&one->config));
    one->cs = cs_new(&arena, &one->config);
}

uint32_t engine_one_follower(uint32_t count, uint64_t views)
{
    struct cs_net net;
    struct cs_schedule schedule;
    uint32_t leads = 0;
    uint32_t me = 0;
    cs_net_init(&net, NULL, count);
    cs_schedule_init(&schedule, &net.set, &net.chain_id, CS_FIRST_EPOCH, &net.chain_id);
    for (uint64_t view = 1; view <= views; view++) {
        leads |= 1u << cs_schedule_leader(&schedule, view);
    }
    while ((leads >> me & 1u) != 0) {
        me++;
    }
    NV_ASSERT(me < count);
    return me;
}

void engine_one_init(struct engine_one *one, uint32_t count, uint32_t me)
{
    engine_one_epochs(one, count, me, 0);
}

void engine_one_epochs(struct engine_one *one, uint32_t count, uint32_t me, uint64_t epoch_ms)
{
    memset(one, 0, sizeof *one);
    cs_net_init(&one->net, NULL, count);
    one->now_ns = 1;
    one->wall_ms = 2000000;
    one->config = (struct cs_config){
        .chain_id = one->net.chain_id,
        .genesis_root = cs_build_hash(7),
        .params_hash = cs_build_hash(8),
        .genesis_time_ms = one->wall_ms,
        .valset = &one->net.set,
        .validators_max = count,
        .epoch_ms = epoch_ms,
        .delay_ns = 100000000,
        .margin_ns = 20000000,
        .idle_ms = 1000,
        .ahead_ms = 500,
        .behind_ms = 2000,
        .body_size_max = 1u << 20,
        .listen_ns = 200000000,
        .status_ns = 5000000000,
        .views_max = 64,
    };
    if (me != CS_NOBODY) {
        one->config.seckey = one->net.seckey[me];
    }
    size_t const size = cs_memory(&one->config);
    one->memory = calloc(1, size);
    one->effects_memory = calloc(1, CS_EFFECTS_MEMORY);
    NV_ASSERT(one->memory != NULL && one->effects_memory != NULL);
    nv_arena_init_zeroed(&one->effects_arena, one->effects_memory, CS_EFFECTS_MEMORY);
    cs_effects_init(&one->effects, &one->effects_arena);
    engine_one_again(one);
    engine_one_step(one, (struct cs_event){.kind = CS_EV_START});
}

void engine_one_drop(struct engine_one *one)
{
    free(one->memory);
    free(one->effects_memory);
}

void engine_one_step(struct engine_one *one, struct cs_event event)
{
    event.now_ns = one->now_ns;
    event.wall_ms = one->wall_ms;
    cs_step(one->cs, &event, &one->effects);
}

void engine_one_pass(struct engine_one *one, uint64_t span_ms)
{
    one->now_ns += span_ms * 1000000;
    one->wall_ms += span_ms;
    engine_one_step(one, (struct cs_event){.kind = CS_EV_TIMER});
}

struct cs_plan engine_one_mail(struct engine_one *one,
                               bool *right,
                               uint32_t from,
                               const struct cs_message *message)
{
    static uint8_t bytes[CS_MESSAGE_SIZE_MAX];
    struct cs_message decoded;
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_message_encode(&w, message);
    enum nv_err const err = cs_message_decode(&decoded, (uint8_t)message->type, nv_writer_view(&w));
    NV_ASSERT(err == NV_OK);
    struct cs_plan const plan = cs_admit(one->cs, from, &decoded);
    *right = cs_message_check(&decoded, &plan, &one->net.chain_id, &one->net.set);
    one->effects.count = 0;
    if (plan.wanted && *right) {
        engine_one_step(one,
                        (struct cs_event){
                            .kind = CS_EV_MESSAGE,
                            .message = {.from = from, .message = &decoded, .plan = &plan},
                        });
    }
    return plan;
}

void engine_one_give(struct engine_one *one, uint32_t from, const struct cs_message *message)
{
    bool right = false;
    struct cs_plan const plan = engine_one_mail(one, &right, from, message);
    NV_ASSERT(plan.wanted);
    NV_ASSERT(right);
}

struct cs_plan engine_one_vote(struct engine_one *one, const struct cs_vote *vote)
{
    bool right = false;
    struct cs_message const message = {.type = CS_MSG_VOTE, .vote = *vote};
    struct cs_plan const plan = engine_one_mail(one, &right, vote->signer, &message);
    NV_ASSERT(right);
    return plan;
}

const struct cs_effect *
engine_one_effect(const struct engine_one *one, enum cs_effect_kind kind, uint32_t n)
{
    for (uint32_t i = 0; i < one->effects.count; i++) {
        if (one->effects.list[i].kind == kind) {
            if (n == 0) {
                return &one->effects.list[i];
            }
            n--;
        }
    }
    return NULL;
}

const struct cs_effect *
engine_one_sent(const struct engine_one *one, enum cs_effect_kind kind, enum cs_message_type type)
{
    const struct cs_effect *effect = NULL;
    for (uint32_t i = 0; (effect = engine_one_effect(one, kind, i)) != NULL; i++) {
        if (effect->send.type == type) {
            return effect;
        }
    }
    return NULL;
}

bool engine_one_voted(const struct engine_one *one, enum cs_vote_kind kind)
{
    const struct cs_effect *effect = NULL;
    for (uint32_t i = 0; (effect = engine_one_effect(one, CS_FX_BROADCAST, i)) != NULL; i++) {
        bool const vote =
            effect->send.type == CS_MSG_VOTE && effect->send.bytes.bytes[0] == (uint8_t)kind;
        if (vote || (kind == CS_NOTARIZE && effect->send.type == CS_MSG_PROPOSAL)) {
            return true;
        }
    }
    return false;
}

uint64_t engine_one_invalid(const struct engine_one *one)
{
    const struct cs_effect *effect = NULL;
    for (uint32_t i = 0; (effect = engine_one_effect(one, CS_FX_TRACE, i)) != NULL; i++) {
        if (effect->trace.code == CS_TRACE_INVALID) {
            return effect->trace.a;
        }
    }
    return 0;
}

struct cs_header engine_one_header(const struct engine_one *one, uint64_t view)
{
    struct cs_header header;
    struct nv_hash empty;
    memset(&header, 0, sizeof header);
    nv_merkle_root(&empty, NULL, 0);
    header.chain_id = one->net.chain_id;
    header.epoch = CS_FIRST_EPOCH;
    header.height = 1;
    header.view = view;
    header.parent_hash = one->net.chain_id;
    header.time_ms = one->wall_ms;
    header.body_root = empty;
    header.state_root = one->config.genesis_root;
    header.evidence_root = empty;
    header.valset_hash = one->net.set.hash;
    header.params_hash = one->config.params_hash;
    header.proposer = (uint16_t)cs_leader(one->cs, view);
    return header;
}

struct cs_message engine_one_proposal(const struct engine_one *one, const struct cs_header *header)
{
    struct cs_message message = {.type = CS_MSG_PROPOSAL};
    struct nv_hash hash;
    cs_header_hash(&hash, header);
    struct cs_ballot ballot = cs_build_ballot(CS_NOTARIZE, header->view, header->parent_view, hash);
    ballot.epoch = header->epoch;
    struct cs_vote const vote = cs_build_vote(&one->net, &ballot, header->proposer);
    message.proposal.epoch = header->epoch;
    message.proposal.view = header->view;
    message.proposal.parent_view = header->parent_view;
    message.proposal.header = *header;
    message.proposal.block_hash = hash;
    message.proposal.sig = vote.sig;
    return message;
}

struct cs_certificate
engine_one_quorum(const struct engine_one *one, struct nv_sig *sigs, const struct cs_ballot *ballot)
{
    struct cs_bitmap signers = {{0}};
    for (uint32_t i = 0; i < one->net.set.count; i++) {
        if (i != cs_summary(one->cs).me) {
            cs_bitmap_add(&signers, i);
        }
    }
    return cs_build_certificate(&one->net, sigs, ballot, &signers);
}
