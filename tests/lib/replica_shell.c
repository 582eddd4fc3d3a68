/* replica_shell.c - does what the replicas of replica_world.h ask for, and brings them
 * what comes of it. */

#include <string.h>

#include "base/heap.h"

#include "node/replica/internal.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/replica_parts.h"

#define SYNC_NS    UINT64_C(1000000)
#define EXECUTE_NS UINT64_C(2000000)

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

static void journal(struct rw *w, uint32_t node, struct nv_view records)
{
    rw__journal_add(&w->node[node], records);
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
    rw__root_of(&event.root, &block->hash);
    for (uint32_t i = 0; w->fees && i < block->tx_count; i++) {
        rw__charge(w, n, &block->txs[i]);
    }
    post(w, event, (const uint8_t *)n->cash, sizeof n->cash);
}

/* done tells a replica that a block is executed, and what cash it left. */
static void done(struct rw *w, const struct rw_event *event)
{
    int64_t cash[RW_ACCOUNTS];
    memcpy(cash, event->bytes, sizeof cash);
    struct replica *const replica = w->node[event->to].replica;
    rw__tell_rows(w, event->to, event->height, cash);
    struct rw_node *const n = &w->node[event->to];
    const struct vm_consensus *const facts = &n->executed[event->height].facts;
    struct replica_set room;
    struct replica_outcome outcome = rw_outcome(w, n, event->height, &room);
    outcome.root = event->root;
    replica_executed(replica, rw__now(w), &outcome);
    if (facts->boundary) {
        rw_set_of(w, &room, rw_choice_at(w, facts->next_height)->nodes);
        replica_validators(replica, rw__now(w), &room);
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

void rw__job_end(struct rw *w, uint32_t node, struct replica_job *job)
{
    bool const starved = node == w->slow && job->kind == REPLICA_JOB_DECODE && w->starved > 0;
    w->starved -= starved ? 1 : 0;
    nv_heap_fail_at(starved ? 1 : 0);
    replica_job_run(job);
    nv_heap_fail_at(0);
    replica_job_done(w->node[node].replica, rw__now(w), job);
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
    rw__job_end(w, node, job);
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

void rw__drain(struct rw *w, uint32_t node)
{
    struct replica_op op;
    while (replica_next(w->node[node].replica, &op)) {
        perform(w, node, &op);
    }
}

void rw__deliver(struct rw *w, const struct rw_event *event)
{
    struct rw_node *const n = &w->node[event->to];
    struct nv_view const bytes = nv_view_of(event->bytes, event->size);
    switch (event->kind) {
    case RW_MESSAGE:
        replica_message(n->replica, rw__now(w), RW_LINK + event->from, event->type, bytes);
        break;
    case RW_TIMER:
        if (event->at_ns >= n->timer_ns) {
            replica_timer(n->replica, rw__now(w));
        }
        break;
    case RW_DURABLE:
        rw__journal_sync(n);
        replica_durable(n->replica);
        break;
    case RW_DONE: done(w, event); break;
    case RW_GOSSIP: replica_submit(n->replica, RW_LINK + event->from, 0, bytes); break;
    case RW_JOB: rw__job_end(w, event->to, event->job); break;
    }
    rw__drain(w, event->to);
}
