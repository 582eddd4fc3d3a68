#include "tests/lib/replica_world.h"

#include <string.h>

#include "base/heap.h"
#include "base/sort.h"

#include "node/replica/internal.h"
#include "tests/lib/nv_test.h"
#include "vm/params.h"
#include "vm/rows.h"
#include "vm/wire/wire.h"

#define SYNC_NS    UINT64_C(1000000)
#define EXECUTE_NS UINT64_C(2000000)
#define START_MS   UINT64_C(1700000000000)
#define DELAY_NS   UINT64_C(5000000)

enum rw_kind { RW_MESSAGE = 1, RW_TIMER, RW_DURABLE, RW_DONE, RW_GOSSIP, RW_JOB };

struct rw_event {
    struct rw_event *next;
    uint64_t at_ns;
    uint64_t order;
    enum rw_kind kind;
    uint32_t to;
    uint64_t life; /* of the receiver */
    uint32_t from;
    uint8_t type;
    uint64_t height;
    struct nv_hash root;
    struct replica_job *job;
    uint32_t size;
    uint8_t bytes[];
};

struct rw_batch {
    struct rw_batch *next;
    bool durable;
    uint32_t size;
    uint8_t bytes[];
};

static void post(struct rw *w, struct rw_event head, const uint8_t *bytes, uint32_t size)
{
    struct rw_event *const event = nv_heap_alloc(sizeof *event + size);
    assert_non_null(event);
    *event = head;
    event->order = w->order++;
    event->size = size;
    if (size > 0) {
        memcpy(event->bytes, bytes, size);
    }
    struct rw_event **at = &w->queue;
    while (*at != NULL && (*at)->at_ns <= event->at_ns) {
        at = &(*at)->next;
    }
    event->next = *at;
    *at = event;
}

static struct replica_time now(const struct rw *w)
{
    return (struct replica_time){w->now_ns, START_MS + w->now_ns / 1000000};
}

/* ---- the store port: blocks out of the journal ---- */

struct found {
    struct nv_view block;
    struct nv_view body;
    struct nv_view final;
};

struct store {
    struct rw *w;
    uint32_t node;
};

static struct store stores[RW_NODES_MAX];

/* look notes what a record tells about the block `wanted`. */
static void
look(struct found *out, uint8_t type, struct nv_view payload, const struct nv_hash *wanted)
{
    struct nv_reader p;
    struct cs_header header;
    struct nv_hash at;
    nv_reader_init(&p, payload);
    if (type == REPLICA_RECORD_BODY && memcmp(payload.bytes, wanted->bytes, 32) == 0) {
        out->body = nv_view_of(payload.bytes + 32, payload.size - 32);
    }
    if ((type != CS_RECORD_BLOCK && type != CS_RECORD_FINAL) ||
        cs_header_get(&p, &header) != NV_OK) {
        return;
    }
    cs_header_hash(&at, &header);
    if (nv_hash_eq(&at, wanted) && type == CS_RECORD_BLOCK) {
        out->block = payload;
    } else if (nv_hash_eq(&at, wanted)) {
        out->final = nv_get_view(&p, nv_reader_left(&p));
    }
}

static struct found scan(const struct rw *w, uint32_t node, const struct nv_hash *wanted)
{
    struct found found = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    for (const struct rw_batch *b = w->node[node].journal; b != NULL; b = b->next) {
        struct nv_reader r;
        nv_reader_init(&r, nv_view_of(b->bytes, b->size));
        while (nv_reader_left(&r) > 0) {
            uint8_t const type = nv_get_u8(&r);
            look(&found, type, nv_get_view(&r, nv_get_u32(&r)), wanted);
        }
    }
    return found;
}

static enum nv_err by_hash(void *ctx, const struct nv_hash *hash, struct replica_stored *out)
{
    const struct store *const store = ctx;
    struct found const found = scan(store->w, store->node, hash);
    *out = (struct replica_stored){found.block, found.final};
    return found.block.size > 0 ? NV_OK : NV_ERR_NOT_FOUND;
}

static enum nv_err by_height(void *ctx, uint64_t height, struct replica_stored *out)
{
    const struct store *const store = ctx;
    const struct rw_node *const n = &store->w->node[store->node];
    if (height == 0 || height > n->executed_height) {
        return NV_ERR_NOT_FOUND;
    }
    return by_hash(ctx, &n->executed[height].hash, out);
}

static enum nv_err body_of(void *ctx, const struct nv_hash *hash, struct nv_view *out)
{
    const struct store *const store = ctx;
    *out = scan(store->w, store->node, hash).body;
    return out->size > 0 ? NV_OK : NV_ERR_NOT_FOUND;
}

static enum nv_err epoch_end(void *ctx, uint64_t epoch, struct nv_view *out)
{
    const struct store *const store = ctx;
    for (const struct rw_batch *b = store->w->node[store->node].journal; b != NULL; b = b->next) {
        struct nv_reader r;
        nv_reader_init(&r, nv_view_of(b->bytes, b->size));
        while (nv_reader_left(&r) > 0) {
            uint8_t const type = nv_get_u8(&r);
            struct nv_reader p;
            struct cs_header header;
            *out = nv_get_view(&r, nv_get_u32(&r));
            nv_reader_init(&p, *out);
            if (type == CS_RECORD_EPOCH && cs_header_get(&p, &header) == NV_OK &&
                header.epoch == epoch) {
                return NV_OK;
            }
        }
    }
    return NV_ERR_NOT_FOUND;
}

static void job_end(struct rw *w, uint32_t node, struct replica_job *job);

/* ---- life ---- */

static struct replica *new_replica(struct rw *w, uint32_t node)
{
    stores[node] = (struct store){w, node};
    struct replica_config const config = {
        .consensus =
            {
                .chain_id = w->chain_id,
                .genesis_root = w->chain_id,
                .genesis_time_ms = START_MS,
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
        .store = {&stores[node], by_height, by_hash, body_of, epoch_end},
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

/* ---- opening ---- */

static void link_nodes(struct rw *w, uint32_t node, uint32_t other, bool up)
{
    struct nv_pubkey const key = rw_node_key(other);
    replica_link(w->node[node].replica, now(w), RW_LINK + other, &key, up);
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
        replica_start(w->node[i].replica, now(w));
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
    uint8_t value[VM_ROW_SIZE_MAX];
    struct vm_param_row const fee = {.value = RW_FEE};
    struct nv_writer writer;
    struct nv_row row;
    nv_writer_init(&writer, value, sizeof value);
    vm_param_row_encode(&writer, &fee);
    vm_key_param(&row.key, VM_PARAM_TX_FEE);
    row.value = nv_view_of(value, writer.size);
    for (uint32_t i = 0; i < count; i++) {
        replica_wrote(w->node[i].replica, 0, &row, 1);
    }
}

/* ---- accounts ---- */

static struct nv_pubkey key_of(uint64_t salt, struct nv_seckey *secret, struct nv_address *address)
{
    uint8_t seed[32] = {0};
    struct nv_pubkey key;
    memcpy(seed, &salt, sizeof salt);
    seed[31] = 1;
    assert_int_equal(nv_key_from_seed(secret, &key, seed), NV_OK);
    nv_address_of_key(address, &key);
    return key;
}

static void tell_cash(struct rw *w, uint32_t node, uint64_t height, uint32_t at, int64_t cash)
{
    uint8_t value[VM_ROW_SIZE_MAX];
    struct vm_account_row const account = {.address = w->account[at], .cash = vm_money(cash)};
    struct nv_writer writer;
    struct nv_row row;
    nv_writer_init(&writer, value, sizeof value);
    vm_account_row_encode(&writer, &account);
    vm_key_account(&row.key, at + 1);
    row.value = nv_view_of(value, writer.size);
    replica_wrote(w->node[node].replica, height, &row, 1);
}

void rw_account(struct rw *w, uint64_t salt, int64_t cash)
{
    struct nv_seckey secret;
    uint32_t const at = w->account_count++;
    assert_true(at < RW_ACCOUNTS);
    (void)key_of(salt, &secret, &w->account[at]);
    for (uint32_t i = 0; i < w->count; i++) {
        w->node[i].cash[at] = cash;
        tell_cash(w, i, 0, at, cash);
    }
}

/* tell_keys tells what the block of a height has done to session keys. */
static void tell_keys(struct rw *w, uint32_t node, uint64_t height)
{
    for (uint32_t i = 0; i < w->session_count; i++) {
        const struct rw_session *const session = &w->session[i];
        uint8_t value[VM_ROW_SIZE_MAX];
        struct nv_writer writer;
        struct nv_row row = {.key = session->key};
        nv_writer_init(&writer, value, sizeof value);
        vm_session_row_encode(&writer, &session->row);
        row.value = session->row.scopes == 0 ? nv_view_of(NULL, 0) : nv_writer_view(&writer);
        if (session->height == height) {
            replica_wrote(w->node[node].replica, height, &row, 1);
        }
    }
}

void rw_session(
    struct rw *w, uint64_t height, uint64_t salt, uint64_t by, uint32_t scopes, uint64_t life_ms)
{
    struct nv_seckey secret;
    struct nv_address address;
    uint32_t at = 0;
    (void)key_of(salt, &secret, &address);
    while (memcmp(&w->account[at], &address, sizeof address) != 0) {
        at++;
        assert_true(at < w->account_count);
    }
    assert_true(w->session_count < RW_SESSIONS);
    struct rw_session *const session = &w->session[w->session_count++];
    *session = (struct rw_session){
        .height = height,
        .row = {key_of(by, &secret, &address), scopes, now(w).wall_ms + life_ms},
    };
    vm_key_session(&session->key, at + 1, &session->row.key);
}

/* charge takes the fee of a transaction, where there is one to take. */
static void charge(struct rw *w, struct rw_node *n, const struct vm_tx *tx)
{
    for (uint32_t i = 0; i < w->account_count; i++) {
        if (memcmp(&w->account[i], &tx->account, sizeof tx->account) == 0 && n->cash[i] >= RW_FEE) {
            n->cash[i] -= RW_FEE;
            return;
        }
    }
    n->unpaid++;
}

static void free_journal(struct rw_node *node, bool all)
{
    struct rw_batch **at = &node->journal;
    while (*at != NULL) {
        struct rw_batch *const batch = *at;
        if (all || !batch->durable) {
            *at = batch->next;
            nv_heap_free(batch);
        } else {
            at = &batch->next;
        }
    }
}

void rw_close(struct rw *w)
{
    while (w->queue != NULL) {
        struct rw_event *const event = w->queue;
        w->queue = event->next;
        if (event->kind == RW_JOB) {
            job_end(w, event->to, event->job);
        }
        nv_heap_free(event);
    }
    for (uint32_t i = 0; i < w->count; i++) {
        replica_close(w->node[i].replica);
        free_journal(&w->node[i], true);
    }
    nv_heap_free(w->scratch);
}

void rw_crash(struct rw *w, uint32_t node)
{
    struct rw_node *const n = &w->node[node];
    replica_close(n->replica);
    n->replica = NULL;
    n->told = false;
    n->life++;
    free_journal(n, false);
    for (uint32_t i = 0; i < w->count; i++) {
        if (i != node && w->node[i].replica != NULL) {
            link_nodes(w, i, node, false);
        }
    }
}

static void root_of(struct nv_hash *root, const struct nv_hash *block_hash)
{
    nv_sha256(root, nv_view_of(block_hash->bytes, sizeof block_hash->bytes));
}

/* replay gives a node its journal back, and executes what is final in it. */
static void replay(struct rw *w, uint32_t node)
{
    struct rw_node *const n = &w->node[node];
    for (const struct rw_batch *b = n->journal; b != NULL; b = b->next) {
        struct nv_reader r;
        nv_reader_init(&r, nv_view_of(b->bytes, b->size));
        while (nv_reader_left(&r) > 0) {
            uint8_t const type = nv_get_u8(&r);
            struct nv_view const payload = nv_get_view(&r, nv_get_u32(&r));
            assert_int_equal(replica_recover(n->replica, type, payload), NV_OK);
        }
    }
    /* The checkpoint is the newest executed block that is final in the journal. */
    uint64_t const height = replica_summary(n->replica).final_height;
    uint64_t const top = height < n->executed_height ? height : n->executed_height;
    for (uint64_t h = 1; h <= top; h++) {
        struct replica_block const block = {.hash = n->executed[h].hash,
                                            .header = n->executed[h].header};
        struct replica_set room;
        struct replica_outcome outcome = rw_outcome(w, n, h, &room);
        root_of(&outcome.root, &block.hash);
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
    replica_start(n->replica, now(w));
    for (uint32_t i = 0; i < w->count; i++) {
        if (i != node && w->node[i].replica != NULL) {
            link_nodes(w, i, node, true);
            link_nodes(w, node, i, true);
        }
    }
}

/* ---- operations ---- */

static void journal(struct rw *w, uint32_t node, struct nv_view records)
{
    struct rw_batch *const batch = nv_heap_alloc(sizeof *batch + records.size);
    assert_non_null(batch);
    *batch = (struct rw_batch){.size = records.size};
    memcpy(batch->bytes, records.bytes, records.size);
    struct rw_batch **at = &w->node[node].journal;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = batch;
    post(w,
         (struct rw_event){.at_ns = w->now_ns + SYNC_NS,
                           .kind = RW_DURABLE,
                           .to = node,
                           .life = w->node[node].life},
         NULL,
         0);
}

static void send_to(struct rw *w, uint32_t from, uint32_t link, const struct replica_op *op)
{
    uint32_t const to = link - RW_LINK;
    assert_true(link >= RW_LINK && to < w->count);
    w->node[from].sent++;
    if (to == from || w->node[to].replica == NULL) {
        return;
    }
    post(w,
         (struct rw_event){.at_ns = w->now_ns + w->delay_ns,
                           .kind = RW_MESSAGE,
                           .to = to,
                           .life = w->node[to].life,
                           .from = from,
                           .type = op->send.type},
         op->send.bytes.bytes,
         op->send.bytes.size);
}

static void execute(struct rw *w, uint32_t node, const struct replica_block *block)
{
    struct rw_node *const n = &w->node[node];
    uint64_t const height = block->header.height;
    struct rw_event event = {.at_ns = w->now_ns + EXECUTE_NS,
                             .kind = RW_DONE,
                             .to = node,
                             .life = n->life,
                             .height = height};
    assert_true(height < RW_BLOCKS_MAX);
    assert_int_equal(height, n->executed_height + 1);
    n->executed[height] =
        (struct rw_executed){block->hash, block->tx_count, block->header, block->facts};
    n->executed_height = height;
    n->txs_executed += block->tx_count;
    root_of(&event.root, &block->hash);
    for (uint32_t i = 0; w->fees && i < block->tx_count; i++) {
        charge(w, n, &block->txs[i]);
    }
    post(w, event, (const uint8_t *)n->cash, sizeof n->cash);
}

/* done tells a replica that a block is executed, and what cash it left. */
static void done(struct rw *w, const struct rw_event *event)
{
    int64_t cash[RW_ACCOUNTS];
    memcpy(cash, event->bytes, sizeof cash);
    struct replica *const replica = w->node[event->to].replica;
    replica_wrote(replica, event->height, NULL, 0);
    tell_keys(w, event->to, event->height);
    for (uint32_t i = 0; i < w->account_count; i++) {
        tell_cash(w, event->to, event->height, i, cash[i]);
    }
    struct rw_node *const n = &w->node[event->to];
    const struct vm_consensus *const facts = &n->executed[event->height].facts;
    struct replica_set room;
    struct replica_outcome outcome = rw_outcome(w, n, event->height, &room);
    outcome.root = event->root;
    replica_executed(replica, now(w), &outcome);
    if (facts->boundary) {
        rw_set_of(w, &room, rw_choice_at(w, facts->next_height)->nodes);
        replica_validators(replica, now(w), &room);
    }
}

static void gossip(struct rw *w, uint32_t node, const struct replica_op *op)
{
    for (uint32_t i = 0; i < w->count && op->gossip.from == CS_NOBODY; i++) {
        if (i != node && w->node[i].replica != NULL) {
            post(w,
                 (struct rw_event){.at_ns = w->now_ns + w->delay_ns,
                                   .kind = RW_GOSSIP,
                                   .to = i,
                                   .life = w->node[i].life,
                                   .from = node},
                 op->gossip.bytes.bytes,
                 op->gossip.bytes.size);
        }
    }
}

static void job_end(struct rw *w, uint32_t node, struct replica_job *job)
{
    bool const starved = node == w->slow && job->kind == REPLICA_JOB_DECODE && w->starved > 0;
    w->starved -= starved ? 1 : 0;
    nv_heap_fail_at(starved ? 1 : 0);
    replica_job_run(job);
    nv_heap_fail_at(0);
    replica_job_done(w->node[node].replica, now(w), job);
}

static void job(struct rw *w, uint32_t node, struct replica_job *job)
{
    if (node == w->slow &&
        (job->kind == REPLICA_JOB_DECODE || job->kind == REPLICA_JOB_SIGNATURES)) {
        struct rw_event const event = {.at_ns = w->now_ns + w->slow_ns,
                                       .kind = RW_JOB,
                                       .to = node,
                                       .life = w->node[node].life,
                                       .job = job};
        post(w, event, NULL, 0);
        return;
    }
    job_end(w, node, job);
}

static void perform(struct rw *w, uint32_t node, const struct replica_op *op)
{
    struct rw_node *const n = &w->node[node];
    switch (op->kind) {
    case REPLICA_JOURNAL: journal(w, node, op->journal); break;
    case REPLICA_SEND:
        for (uint32_t i = 0; i < op->send.link_count; i++) {
            send_to(w, node, op->send.links[i], op);
        }
        break;
    case REPLICA_TIMER:
        n->timer_ns = op->timer_ns;
        post(w,
             (struct rw_event){.at_ns = op->timer_ns > w->now_ns ? op->timer_ns : w->now_ns,
                               .kind = RW_TIMER,
                               .to = node,
                               .life = n->life},
             NULL,
             0);
        break;
    case REPLICA_JOB: job(w, node, op->job); break;
    case REPLICA_EXECUTE: execute(w, node, op->block); break;
    case REPLICA_GOSSIP: gossip(w, node, op); break;
    case REPLICA_VERDICT: n->verdicts[op->verdict.refusal]++; break;
    case REPLICA_BAN: n->bans++; break;
    case REPLICA_HALT: n->halts++; break;
    case REPLICA_EPOCH:
        n->epochs++;
        n->epoch = op->epoch.number;
        n->me = op->epoch.me;
        n->present = *op->epoch.present;
        n->last = *op->epoch.last;
        break;
    case REPLICA_DROPPED:
    case REPLICA_EVIDENCE:
    case REPLICA_TRACE: break;
    }
}

static void drain(struct rw *w, uint32_t node)
{
    struct replica_op op;
    while (replica_next(w->node[node].replica, &op)) {
        perform(w, node, &op);
    }
}

static void deliver(struct rw *w, const struct rw_event *event)
{
    struct rw_node *const n = &w->node[event->to];
    struct nv_view const bytes = nv_view_of(event->bytes, event->size);
    switch (event->kind) {
    case RW_MESSAGE:
        replica_message(n->replica, now(w), RW_LINK + event->from, event->type, bytes);
        break;
    case RW_TIMER:
        if (event->at_ns >= n->timer_ns) {
            replica_timer(n->replica, now(w));
        }
        break;
    case RW_DURABLE:
        for (struct rw_batch *b = n->journal; b != NULL; b = b->next) {
            b->durable = true;
        }
        replica_durable(n->replica);
        break;
    case RW_DONE: done(w, event); break;
    case RW_GOSSIP: replica_submit(n->replica, RW_LINK + event->from, 0, bytes); break;
    case RW_JOB: job_end(w, event->to, event->job); break;
    }
    drain(w, event->to);
}

static void step(struct rw *w)
{
    struct rw_event *const event = w->queue;
    w->queue = event->next;
    w->now_ns = event->at_ns;
    if (w->node[event->to].replica != NULL && event->life == w->node[event->to].life) {
        deliver(w, event);
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
            drain(w, i);
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

static uint32_t make_tx(struct rw *w, uint8_t *out, uint64_t salt, uint64_t by, struct vm_tx *tx)
{
    struct nv_seckey secret;
    uint32_t size = 0;
    (void)key_of(by, &secret, &tx->account);
    struct nv_seckey own;
    (void)key_of(salt, &own, &tx->account);
    tx->expires_ms = now(w).wall_ms + 30000;
    assert_int_equal(vm_tx_encode(tx, out, &size, &w->chain_id, &secret), NV_OK);
    return size;
}

uint32_t rw_tx_by(struct rw *w, uint8_t *out, uint64_t salt, uint64_t other, uint64_t by)
{
    struct vm_action action = {.kind = VM_ACTION_CANCEL, .cancel_order = 1};
    struct vm_tx tx = {.salt = other, .action_count = 1, .actions = &action};
    return make_tx(w, out, salt, by, &tx);
}

uint32_t rw_tx_of(struct rw *w, uint8_t *out, uint64_t salt, uint64_t other)
{
    return rw_tx_by(w, out, salt, other, salt);
}

uint32_t rw_tx(struct rw *w, uint8_t *out, uint64_t salt, uint32_t closes)
{
    static struct vm_close list[VM_CLOSES_MAX];
    if (closes == 0) {
        return rw_tx_of(w, out, salt, salt);
    }
    for (uint32_t i = 0; i < closes; i++) {
        list[i] = (struct vm_close){VM_MARKET_MAX - i, vm_lots(VM_SIZE_MAX)};
    }
    struct vm_action action = {.kind = VM_ACTION_KEEPER_CLOSE};
    action.keeper_close.close_count = closes;
    action.keeper_close.closes = list;
    struct vm_tx tx = {.salt = salt, .action_count = 1, .actions = &action};
    return make_tx(w, out, salt, salt, &tx);
}

void rw_submit(struct rw *w, uint32_t node, const uint8_t *bytes, uint32_t size)
{
    replica_submit(w->node[node].replica, CS_NOBODY, 1, nv_view_of(bytes, size));
    drain(w, node);
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
