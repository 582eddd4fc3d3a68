#include <string.h>

#include "base/assert.h"
#include "base/bug.h"
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

static void free_lent(struct replica_lent *lent)
{
    while (lent != NULL) {
        struct replica_lent *const next = lent->next;
        if (lent->body != NULL) {
            lent->body->executing = false;
        }
        nv_heap_free(lent);
        lent = next;
    }
}

void replica_close(struct replica *r)
{
    if (r == NULL) {
        return;
    }
    replica__ops_free(r);
    replica__job_free(r->tx_job);
    free_lent(r->lent);
    free_lent(r->final);
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

/* ---- the engine's effects ---- */

/* queue_body writes the record of a block's body, which must be durable with
 * the block. */
static void queue_body(struct replica *r, const struct nv_hash *hash)
{
    struct node_body *const body = replica__body(r, hash);
    NV_ASSERT(body != NULL && node_body_complete(body)); /* the engine counts it as held */
    if (body->journaled || NV_SEEDED(BODY_VOLATILE)) {
        return;
    }
    uint32_t const size = 32 + body->header.body_size;
    uint8_t *const record = nv_heap_alloc(CS_RECORD_HEAD_SIZE + (size_t)size);
    NV_ASSERT(record != NULL); /* no vote may leave without it: stop */
    struct nv_writer w;
    nv_writer_init(&w, record, CS_RECORD_HEAD_SIZE + size);
    nv_put_u8(&w, REPLICA_RECORD_BODY);
    nv_put_u32(&w, size);
    nv_put_bytes(&w, hash->bytes, sizeof hash->bytes);
    nv_put_bytes(&w, body->bytes, body->header.body_size);
    NV_ASSERT(!w.overflow);
    enum nv_err const err = node_outbox_persist(r->outbox, nv_view_of(record, w.size), false);
    NV_ASSERT(err == NV_OK);
    body->journaled = true;
    nv_heap_free(record);
}

static void persist(struct replica *r, const struct cs_effect *effect)
{
    struct nv_reader reader;
    nv_reader_init(&reader, effect->persist.records);
    for (uint32_t i = 0; i < effect->persist.count; i++) {
        struct cs_record record;
        enum nv_err const err = cs_record_get(&reader, &record);
        NV_ASSERT(err == NV_OK); /* the engine wrote it */
        if (record.type == CS_RECORD_BLOCK && record.block.header.body_size > 0) {
            struct nv_hash hash;
            cs_header_hash(&hash, &record.block.header);
            queue_body(r, &hash);
        }
    }
    enum nv_err const err =
        node_outbox_persist(r->outbox, effect->persist.records, effect->persist.sync);
    NV_ASSERT(err == NV_OK);
}

static void send(struct replica *r, const struct cs_effect *effect)
{
    uint32_t links[CS_VALIDATORS_MAX];
    uint32_t count = 0;
    if (effect->kind == CS_FX_BROADCAST) {
        count = replica_roster_all(&r->roster, links);
    } else if (replica_roster_id(&r->roster, effect->send.peer, &links[0])) {
        count = 1;
    }
    if (count == 0) {
        return; /* away */
    }
    struct node_outbox_message const message = {
        .links = links,
        .link_count = count,
        .type = (uint8_t)effect->send.type,
        .bytes = effect->send.bytes,
    };
    if (node_outbox_send(r->outbox, &message) != NV_OK) {
        return; /* without room it is lost, as on a network; the engine repeats */
    }
}

/* give lends a final block to the executor. */
static void give(struct replica *r, struct replica_lent *lent)
{
    struct replica_block *const block = &lent->block;
    if (lent->body != NULL) {
        block->body = nv_view_of(lent->body->bytes, block->header.body_size);
        block->txs = lent->body->txs;
        block->tx_count = lent->body->tx_count;
        replica__fees_final(r, block->header.height, &lent->body->charges);
    }
    lent->next = r->lent;
    r->lent = lent;
    r->last_hash = block->hash;
    r->last_height = block->header.height;
    replica__txs_final(r, block);
    replica__bodies_judge(r);
    enum nv_err const err = node_outbox_block(r->outbox, block);
    NV_ASSERT(err == NV_OK); /* a final block must not be lost: stop */
}

void replica__give(struct replica *r)
{
    if (r->final != NULL && r->final->body != NULL) {
        replica__body_check_own(r, r->final->body); /* if no job looks at it */
    }
    while (r->final != NULL &&
           (r->final->body == NULL || r->final->body->state == NODE_BODY_HELD)) {
        struct replica_lent *const lent = r->final;
        r->final = lent->next;
        give(r, lent);
    }
}

/* note_facts writes what consensus knows of a final block. */
static void note_facts(struct replica *r, struct replica_lent *lent, const struct cs_effect *effect)
{
    struct cs_block block = {
        .header = *effect->execute.header,
        .has_justify = effect->execute.justify != NULL,
        .evidence = effect->execute.evidence,
    };
    if (block.has_justify) {
        block.justify = *effect->execute.justify;
    }
    replica_facts(&lent->block.facts, lent->offence, &block, r->parent_executed);
    r->parent_executed = block.header.executed_height;
}

/* lend takes a final block.  An own one may be final before its body was
 * checked: the engine knows that it is good, and others were faster. */
static void lend(struct replica *r, const struct cs_effect *effect)
{
    const struct cs_certificate *const final = effect->execute.final;
    uint32_t const cap = cs_certificate_size(final);
    struct replica_lent *const lent = nv_heap_alloc(sizeof *lent + cap);
    NV_ASSERT(lent != NULL); /* a final block must not be lost: stop */
    *lent = (struct replica_lent){.next = NULL};
    struct nv_writer w;
    nv_writer_init(&w, (uint8_t *)(lent + 1), cap);
    cs_certificate_put(&w, final);
    NV_ASSERT(!w.overflow);

    struct replica_block *const block = &lent->block;
    block->header = *effect->execute.header;
    block->hash = effect->execute.block_hash;
    block->final = nv_view_of(w.bytes, w.size);
    block->final_hash = final->ballot.block_hash;
    note_facts(r, lent, effect);
    if (block->header.body_size > 0) {
        lent->body = replica__body(r, &block->hash);
        NV_ASSERT(lent->body != NULL && node_body_complete(lent->body));
        lent->body->executing = true;
    }
    struct replica_lent **end = &r->final;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = lent;
    replica__give(r);
}

static void halt(struct replica *r, const struct cs_effect *effect)
{
    uint8_t *const copy = nv_heap_alloc(effect->halt.bytes.size + 1u);
    struct nv_view bytes = nv_view_of(NULL, 0);
    if (copy != NULL && effect->halt.bytes.size > 0) {
        memcpy(copy, effect->halt.bytes.bytes, effect->halt.bytes.size);
        bytes = nv_view_of(copy, effect->halt.bytes.size);
    }
    struct replica_op const op = {
        .kind = REPLICA_HALT,
        .halt = {effect->halt.code, effect->halt.height, bytes},
    };
    r->halted = true;
    replica__op(r, &op, copy);
}

/* evidence names the key of who signed both: its number is the present epoch's. */
static void evidence(struct replica *r, const struct cs_effect *effect)
{
    uint32_t const signer = effect->evidence.vote[0].signer;
    struct replica_op op = {.kind = REPLICA_EVIDENCE};
    NV_ASSERT(signer < r->roster.present.set.count); /* the engine has verified the votes */
    op.evidence.offence = effect->evidence.offence;
    op.evidence.key = r->roster.present.set.member[signer].key;
    memcpy(op.evidence.vote, effect->evidence.vote, sizeof op.evidence.vote);
    replica__op(r, &op, NULL);
}

static void perform(struct replica *r, const struct cs_effect *effect)
{
    struct replica_op op = {.kind = REPLICA_TRACE};
    switch (effect->kind) {
    case CS_FX_PERSIST: persist(r, effect); break;
    case CS_FX_SEND:
    case CS_FX_BROADCAST: send(r, effect); break;
    case CS_FX_SET_TIMER:
        op.kind = REPLICA_TIMER;
        op.timer_ns = effect->timer.at_ns;
        replica__op(r, &op, NULL);
        break;
    case CS_FX_BUILD: replica__build(r, effect); break;
    case CS_FX_PUBLISH_BODY: replica__publish(r, effect); break;
    case CS_FX_NEED_BODY: replica__body_needed(r, effect); break;
    case CS_FX_EXECUTE: lend(r, effect); break;
    case CS_FX_EVIDENCE: evidence(r, effect); break;
    case CS_FX_TRACE:
        op.trace.code = effect->trace.code;
        op.trace.view = effect->trace.view;
        op.trace.a = effect->trace.a;
        replica__op(r, &op, NULL);
        break;
    case CS_FX_EPOCH:
        replica__epoch_begin(r, effect->epoch.set);
        replica__epoch_tell(r);
        break;
    case CS_FX_HALT: halt(r, effect); break;
    }
}

/* ---- stepping ---- */

void replica__event(struct replica *r, const struct cs_event *event)
{
    NV_ASSERT(r->pending_count < REPLICA_PENDING_MAX);
    uint32_t const at = (r->pending_first + r->pending_count) % REPLICA_PENDING_MAX;
    r->pending[at] = *event;
    r->pending_count++;
}

/* outdated: a body was dropped after the engine had been told of it, and had given it
 * up: there was no room for it. */
static bool outdated(struct replica *r, const struct cs_event *event)
{
    return event->kind == CS_EV_BODY && event->body.verdict != CS_BODY_INVALID &&
           !replica__body_there(r, &event->body.block_hash);
}

void replica__run(struct replica *r)
{
    NV_ASSERT(!r->stepping);
    r->stepping = true;
    while (r->pending_count > 0 && !r->halted) {
        struct cs_event event = r->pending[r->pending_first];
        r->pending_first = (r->pending_first + 1) % REPLICA_PENDING_MAX;
        r->pending_count--;
        if (outdated(r, &event)) {
            continue;
        }
        event.now_ns = r->time.now_ns;
        event.wall_ms = r->time.wall_ms;
        if (event.kind == CS_EV_LINK) { /* a link has its number of now */
            event.link.peer = replica_roster_number(&r->roster, event.link.peer);
        }
        cs_step(r->cs, &event, r->fx);
        for (uint32_t i = 0; i < r->fx->count; i++) {
            perform(r, &r->fx->list[i]);
        }
    }
    r->stepping = false;
    if (!r->halted) {
        replica__bodies_check(r);
    }
}

void replica__work(struct replica *r)
{
    uint32_t const waiting = node_mempool_count(r->mempool);
    if (waiting != r->waiting_told) {
        r->waiting_told = waiting;
        struct cs_event const event = {.kind = CS_EV_WORK, .work = {.waiting = waiting}};
        replica__event(r, &event);
    }
}

static void input(struct replica *r, struct replica_time t, const struct cs_event *event)
{
    r->time = t;
    if (r->started && !r->halted) {
        replica__event(r, event);
        replica__run(r);
    }
}

void replica_timer(struct replica *r, struct replica_time t)
{
    input(r, t, &(struct cs_event){.kind = CS_EV_TIMER});
}

void replica_link(struct replica *r,
                  struct replica_time t,
                  uint32_t link,
                  const struct nv_pubkey *node_key,
                  bool up)
{
    replica_roster_link(&r->roster, link, node_key, up);
    input(r, t, &(struct cs_event){.kind = CS_EV_LINK, .link = {.peer = link, .up = up}});
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

static struct cs_event executed_event(const struct replica_outcome *outcome)
{
    return (struct cs_event){
        .kind = CS_EV_EXECUTED,
        .executed = {.height = outcome->height,
                     .root = outcome->root,
                     .next = outcome->next != NULL ? &outcome->next->set : NULL},
    };
}

void replica_executed(struct replica *r,
                      struct replica_time t,
                      const struct replica_outcome *outcome)
{
    uint64_t const height = outcome->height;
    struct replica_lent **at = &r->lent;
    while (*at != NULL && (*at)->block.header.height != height) {
        at = &(*at)->next;
    }
    NV_ASSERT(*at != NULL); /* it was lent */
    struct replica_lent *const lent = *at;
    *at = lent->next;
    if (lent->body != NULL) {
        lent->body->executing = false;
    }
    nv_heap_free(lent);
    r->executed_height = height;
    replica__bodies_prune(r);
    if (r->started && !r->halted) {
        replica__bodies_judge(r); /* some wait for this state */
    }
    struct cs_event const event = executed_event(outcome);
    r->time = t;
    if (outcome->next != NULL) {
        replica__learn(r, outcome->next);
    }
    input(r, t, &event);
}

/* ---- restart ---- */

enum nv_err replica_recover(struct replica *r, uint8_t type, struct nv_view payload)
{
    if (type >= REPLICA_RECORD_BODY) {
        return NV_OK; /* a record of the shell's, or a body: it is read when it is needed */
    }
    uint8_t *const record = nv_heap_alloc(CS_RECORD_HEAD_SIZE + (size_t)payload.size);
    if (record == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    struct nv_writer w;
    nv_writer_init(&w, record, CS_RECORD_HEAD_SIZE + payload.size);
    nv_put_u8(&w, type);
    nv_put_u32(&w, payload.size);
    nv_put_bytes(&w, payload.bytes, payload.size);
    uint64_t const epoch = cs_summary(r->cs).epoch;
    enum nv_err const err = cs_recover(r->cs, nv_view_of(record, w.size));
    nv_heap_free(record);
    if (err == NV_OK && type == CS_RECORD_EPOCH && cs_summary(r->cs).epoch != epoch) {
        replica__epoch_begin(r, cs_validators(r->cs));
    }
    return err;
}

void replica_checkpoint(struct replica *r, const struct replica_outcome *outcome)
{
    struct cs_event const event = executed_event(outcome);
    r->executed_height = outcome->height;
    if (outcome->next != NULL) {
        replica__learn(r, outcome->next);
    }
    replica__event(r, &event);
    replica__run(r);
}

enum nv_err replica_replayed(struct replica *r,
                             const struct replica_block *block,
                             const struct replica_outcome *outcome)
{
    node_window_forget(r->window, block->header.time_ms);
    for (uint32_t i = 0; i < block->tx_count && !NV_SEEDED(WINDOW_VOLATILE); i++) {
        NV_TRY(node_window_add(r->window, &block->txs[i].hash, block->txs[i].expires_ms));
    }
    replica__fees_replayed(r, block);
    r->last_hash = block->hash;
    r->last_height = block->header.height;
    r->parent_executed = block->header.executed_height;
    if (outcome != NULL) {
        replica_checkpoint(r, outcome);
    }
    return NV_OK;
}

void replica_start(struct replica *r, struct replica_time t)
{
    r->started = true;
    r->time = t;
    replica__epoch_tell(r);
    input(r, t, &(struct cs_event){.kind = CS_EV_START});
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
