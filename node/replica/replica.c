#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "node/replica/internal.h"

#define OUTBOX_BYTES_MAX (64u << 20)

/* ---- life ---- */

static enum nv_err open_parts(struct replica *r)
{
    NV_TRY(replica__epochs_open(r, r->config.node_keys));
    r->config.node_keys = NULL; /* copied */
    NV_TRY(node_mempool_open(&r->mempool, &r->config.mempool));
    NV_TRY(node_outbox_open(&r->outbox, OUTBOX_BYTES_MAX));
    NV_TRY(node_window_open(&r->window, r->config.window_max));
    if (r->config.accounts_max > 0) {
        NV_TRY(node_purses_open(&r->purses, r->config.accounts_max));
        NV_TRY(node_sessions_open(&r->sessions, r->config.sessions_max));
    }
    r->cs_memory_size = cs_memory(&r->config.consensus);
    r->cs_memory = nv_heap_reserve(r->cs_memory_size);
    r->fx_memory = nv_heap_reserve(CS_EFFECTS_MEMORY);
    r->fx = nv_heap_alloc(sizeof *r->fx);
    r->fx_arena = nv_heap_alloc(sizeof *r->fx_arena);
    r->message_memory = nv_heap_alloc(CS_MESSAGE_SIZE_MAX);
    if (r->cs_memory == NULL || r->fx_memory == NULL || r->fx == NULL || r->fx_arena == NULL ||
        r->message_memory == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    struct nv_arena arena;
    nv_arena_init_zeroed(&arena, r->cs_memory, r->cs_memory_size);
    r->cs = cs_new(&arena, &r->config.consensus);
    nv_arena_init_zeroed(r->fx_arena, r->fx_memory, CS_EFFECTS_MEMORY);
    cs_effects_init(r->fx, r->fx_arena);
    return NV_OK;
}

/* pace: a validator that is a quorum by itself waits for nobody but the clock;
 * without a pause, one step would lead to the next for ever.  Members stand by
 * stake: it could only be the first one.  A later set may have one like that. */
static void pace(struct replica *r)
{
    struct cs_config *const c = &r->config.consensus;
    bool const alone = cs_valset_quorum(&r->valset, r->valset.member[0].stake);
    c->pace_ms = (alone || c->epoch_ms > 0) && c->pace_ms == 0 ? 1 : c->pace_ms;
}

enum nv_err replica_open(struct replica **out, const struct replica_config *config)
{
    struct replica *const r = nv_heap_alloc(sizeof *r);
    if (r == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    memset(r, 0, sizeof *r);
    r->config = *config;
    r->valset = *config->consensus.valset;
    r->config.consensus.valset = &r->valset;
    r->last_hash = config->consensus.chain_id;
    pace(r);
    enum nv_err const err = open_parts(r);
    if (err != NV_OK) {
        replica_close(r);
        return err;
    }
    *out = r;
    return NV_OK;
}

static void free_body(struct node_body *body)
{
    if (body != NULL) {
        node_body_deinit(body);
        nv_heap_free(body);
    }
}

void replica_close(struct replica *r)
{
    if (r == NULL) {
        return;
    }
    replica__ops_free(r);
    replica__job_free(r->tx_job);
    replica__lent_free(r);
    for (uint32_t i = 0; i < r->body_count; i++) {
        r->body[i]->jobs = 0;
        free_body(r->body[i]);
    }
    free_body(r->built);
    replica__epochs_close(r);
    node_mempool_close(r->mempool);
    node_outbox_close(r->outbox);
    node_window_close(r->window);
    node_purses_close(r->purses);
    node_sessions_close(r->sessions);
    replica__fees_free(r);
    if (r->cs_memory != NULL) {
        nv_heap_unreserve(r->cs_memory, r->cs_memory_size);
    }
    if (r->fx_memory != NULL) {
        nv_heap_unreserve(r->fx_memory, CS_EFFECTS_MEMORY);
    }
    nv_heap_free(r->fx);
    nv_heap_free(r->fx_arena);
    nv_heap_free(r->message_memory);
    nv_heap_free(r);
}

/* ---- inputs ---- */

void replica_timer(struct replica *r, struct replica_time t)
{
    replica__input(r, t, &(struct cs_event){.kind = CS_EV_TIMER});
}

void replica_link(struct replica *r,
                  struct replica_time t,
                  uint32_t link,
                  const struct nv_pubkey *node_key,
                  bool up)
{
    replica_roster_link(&r->roster, link, node_key, up);
    replica__input(r, t, &(struct cs_event){.kind = CS_EV_LINK, .link = {.peer = link, .up = up}});
}

void replica_executed(struct replica *r,
                      struct replica_time t,
                      const struct replica_outcome *outcome)
{
    uint64_t const height = outcome->height;
    replica__lent_back(r, height);
    r->executed_height = height;
    replica__bodies_prune(r);
    if (r->started && !r->halted) {
        replica__bodies_judge(r); /* some wait for this state */
    }
    struct cs_event const event = replica__executed_event(outcome);
    r->time = t;
    if (outcome->next != NULL) {
        replica__learn(r, outcome->next);
    }
    replica__input(r, t, &event);
}

void replica_validators(struct replica *r, struct replica_time t, const struct replica_set *set)
{
    r->time = t;
    replica__learn(r, set);
    if (r->started && !r->halted) {
        replica__run(r);
    }
}

void replica_durable(struct replica *r)
{
    node_outbox_durable(r->outbox);
}

void replica_wrote(struct replica *r,
                   uint64_t height,
                   const struct nv_row *rows,
                   uint32_t row_count)
{
    if (r->purses != NULL) {
        node_purses_feed(r->purses, height, rows, row_count);
        node_sessions_feed(r->sessions, height, rows, row_count);
    }
}

void replica_flush(struct replica *r)
{
    node_outbox_flush(r->outbox);
}

void replica_job_done(struct replica *r, struct replica_time t, struct replica_job *job)
{
    NV_ASSERT(r->jobs > 0);
    r->jobs--;
    r->time = t;
    if (!r->halted) {
        switch (job->kind) {
        case REPLICA_JOB_MESSAGE: replica__message_job_done(r, job); break;
        case REPLICA_JOB_TXS: replica__tx_job_done(r, job); break;
        case REPLICA_JOB_DECODE:
        case REPLICA_JOB_SIGNATURES: replica__body_job_done(r, job); break;
        }
        if (r->started) {
            replica__run(r);
        }
    } else if (job->kind == REPLICA_JOB_DECODE || job->kind == REPLICA_JOB_SIGNATURES) {
        job->body.body->jobs--;
    }
    replica__job_free(job);
}

/* ---- looking ---- */

bool replica_pressed(const struct replica *r)
{
    return node_outbox_pressed(r->outbox);
}

struct cs_summary replica_summary(const struct replica *r)
{
    return cs_summary(r->cs);
}

uint32_t replica_leader(const struct replica *r, uint64_t view)
{
    return cs_leader(r->cs, view);
}

const struct replica_set *replica_present(const struct replica *r)
{
    return &r->roster.present;
}

const struct node_mempool *replica_mempool(const struct replica *r)
{
    return r->mempool;
}
