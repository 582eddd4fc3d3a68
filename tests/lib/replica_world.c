#include "tests/lib/replica_world.h"

#include <string.h>

#include "base/heap.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/replica_parts.h"

#define DELAY_NS UINT64_C(5000000)

struct replica_time rw__now(const struct rw *w)
{
    return (struct replica_time){w->now_ns, RW_START_MS + w->now_ns / 1000000};
}

void rw__root_of(struct nv_hash *root, const struct nv_hash *block_hash)
{
    nv_sha256(root, nv_view_of(block_hash->bytes, sizeof block_hash->bytes));
}

/* ---- opening ---- */

static struct replica *new_replica(struct rw *w, uint32_t node)
{
    struct replica_config const config = {
        .consensus =
            {
                .chain_id = w->chain_id,
                .genesis_root = w->chain_id,
                .genesis_time_ms = RW_START_MS,
                .valset = &w->valset,
                .epoch_ms = w->epoch_ms,
                .evidence_epochs = 4,
                .evidence_ms = 10000,
                .delay_ns = UINT64_C(100000000),
                .margin_ns = UINT64_C(20000000),
                .idle_ms = 1000,
                .pace_ms = 0,
                .ahead_ms = 500,
                .behind_ms = 2000,
                .body_size_max = CS_BODY_SIZE_MAX,
                .seckey = w->secret[node],
                .listen_ns = UINT64_C(200000000),
                .status_ns = UINT64_C(5000000000),
                .follow_ns = UINT64_C(200000000),
                .views_max = 256,
            },
        .store = rw__journal_store(w, node),
        .node_keys = w->node_keys,
        .mempool = {RW_PLACES, RW_PLACES, 32u << 20},
        .window_max = 1u << 16,
        .accounts_max = w->fees && node != w->blind ? RW_ACCOUNTS : 0,
        .sessions_max = RW_SESSIONS,
    };
    struct replica *replica = NULL;
    assert_int_equal(replica_open(&replica, &config), NV_OK);
    return replica;
}

static void link_nodes(struct rw *w, uint32_t node, uint32_t other, bool up)
{
    struct nv_pubkey const key = rw_node_key(other);
    replica_link(w->node[node].replica, rw__now(w), RW_LINK + other, &key, up);
}

static void start_all(struct rw *w, uint32_t nodes)
{
    struct replica_set first;
    rw_choose(w, 0, nodes);
    rw_set_of(w, &first, nodes);
    w->valset = first.set;
    memcpy(w->node_keys, first.node_key, sizeof w->node_keys);
    for (uint32_t i = 0; i < w->count; i++) {
        w->node[i].replica = new_replica(w, i);
        replica_start(w->node[i].replica, rw__now(w));
    }
    for (uint32_t i = 0; i < w->count; i++) {
        for (uint32_t j = 0; j < w->count; j++) {
            if (i != j) {
                link_nodes(w, i, j, true);
            }
        }
    }
}

static void begin_world(struct rw *w, uint32_t count)
{
    memset(w, 0, sizeof *w);
    w->count = count;
    w->blind = CS_NOBODY;
    w->slow = CS_NOBODY;
    w->delay_ns = DELAY_NS;
    w->scratch = nv_heap_alloc(CS_BODY_SIZE_MAX);
    assert_non_null(w->scratch);
    memset(w->chain_id.bytes, 0x5a, sizeof w->chain_id.bytes);
    rw_keys(w);
}

void rw_open(struct rw *w, uint32_t count)
{
    begin_world(w, count);
    start_all(w, (1u << count) - 1);
}

void rw_open_epochs(struct rw *w, uint32_t count, uint32_t nodes, uint64_t epoch_ms)
{
    begin_world(w, count);
    w->epoch_ms = epoch_ms;
    start_all(w, nodes);
}

void rw_open_fees(struct rw *w, uint32_t count, uint32_t blind)
{
    begin_world(w, count);
    w->fees = true;
    w->blind = blind;
    start_all(w, (1u << count) - 1);
    for (uint32_t i = 0; i < count; i++) {
        rw__tell_fee(w, i, 0);
    }
}

void rw_close(struct rw *w)
{
    while (w->queue != NULL) {
        struct rw_event *const event = w->queue;
        w->queue = event->next;
        if (event->kind == RW_JOB) {
            rw__job_end(w, event->to, event->job);
        }
        nv_heap_free(event);
    }
    for (uint32_t i = 0; i < w->count; i++) {
        replica_close(w->node[i].replica);
        rw__journal_drop(&w->node[i], true);
    }
    nv_heap_free(w->scratch);
}

/* ---- crashes ---- */

void rw_crash(struct rw *w, uint32_t node)
{
    struct rw_node *const n = &w->node[node];
    replica_close(n->replica);
    n->replica = NULL;
    n->told = false;
    n->life++;
    rw__journal_drop(n, false);
    for (uint32_t i = 0; i < w->count; i++) {
        if (i != node && w->node[i].replica != NULL) {
            link_nodes(w, i, node, false);
        }
    }
}

/* replay gives a node its journal back, and executes what is final in it. */
static void replay(struct rw *w, uint32_t node)
{
    struct rw_node *const n = &w->node[node];
    struct rw_reading reading = rw__journal_read(n);
    struct nv_view payload;
    uint8_t type = 0;
    while (rw__journal_next(&reading, &type, &payload)) {
        assert_int_equal(replica_recover(n->replica, type, payload), NV_OK);
    }
    /* The checkpoint is the newest executed block that is final in the journal. */
    uint64_t const height = replica_summary(n->replica).final_height;
    uint64_t const top = height < n->executed_height ? height : n->executed_height;
    for (uint64_t h = 1; h <= top; h++) {
        struct replica_block const block = {.hash = n->executed[h].hash,
                                            .header = n->executed[h].header};
        struct replica_set room;
        struct replica_outcome outcome = rw_outcome(w, n, h, &room);
        rw__root_of(&outcome.root, &block.hash);
        assert_int_equal(replica_replayed(n->replica, &block, &outcome), NV_OK);
    }
    n->executed_height = top;
}

void rw_revive(struct rw *w, uint32_t node)
{
    struct rw_node *const n = &w->node[node];
    assert_null(n->replica);
    n->replica = new_replica(w, node);
    replay(w, node);
    replica_start(n->replica, rw__now(w));
    for (uint32_t i = 0; i < w->count; i++) {
        if (i != node && w->node[i].replica != NULL) {
            link_nodes(w, i, node, true);
            link_nodes(w, node, i, true);
        }
    }
}

/* ---- time ---- */

static void step(struct rw *w)
{
    struct rw_event *const event = w->queue;
    w->queue = event->next;
    w->now_ns = event->at_ns;
    if (w->node[event->to].replica != NULL && event->life == w->node[event->to].life) {
        rw__deliver(w, event);
    }
    nv_heap_free(event);
}

static bool all_at(const struct rw *w, uint64_t height)
{
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->node[i].replica != NULL && w->node[i].executed_height < height) {
            return false;
        }
    }
    return true;
}

static void drain_all(struct rw *w)
{
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->node[i].replica != NULL) {
            rw__drain(w, i);
        }
    }
}

bool rw_run(struct rw *w, uint64_t height, uint64_t limit_ms)
{
    uint64_t const end_ns = w->now_ns + limit_ms * 1000000;
    drain_all(w);
    while (!all_at(w, height)) {
        if (w->queue == NULL || w->queue->at_ns > end_ns) {
            return false;
        }
        step(w);
    }
    return true;
}

static bool all_in(const struct rw *w, uint64_t epoch)
{
    for (uint32_t i = 0; i < w->count; i++) {
        if (w->node[i].replica != NULL && replica_summary(w->node[i].replica).epoch < epoch) {
            return false;
        }
    }
    return true;
}

bool rw_epoch(struct rw *w, uint64_t epoch, uint64_t limit_ms)
{
    uint64_t const end_ns = w->now_ns + limit_ms * 1000000;
    drain_all(w);
    while (!all_in(w, epoch)) {
        if (w->queue == NULL || w->queue->at_ns > end_ns) {
            return false;
        }
        step(w);
    }
    return true;
}

void rw_pass(struct rw *w, uint64_t ms)
{
    uint64_t const end_ns = w->now_ns + ms * 1000000;
    drain_all(w);
    while (w->queue != NULL && w->queue->at_ns <= end_ns) {
        step(w);
    }
    w->now_ns = end_ns;
}

void rw_same(const struct rw *w)
{
    for (uint32_t i = 0; i < w->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            uint64_t const a = w->node[i].executed_height;
            uint64_t const b = w->node[j].executed_height;
            for (uint64_t h = 1; h <= a && h <= b; h++) {
                assert_memory_equal(&w->node[i].executed[h].hash,
                                    &w->node[j].executed[h].hash,
                                    sizeof(struct nv_hash));
            }
        }
        assert_int_equal(w->node[i].halts, 0);
        assert_int_equal(w->node[i].bans, 0);
    }
}
