/* operations.c - performs what the replica asks for. */

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/log.h"

#include "node/runtime/internal.h"

/* ---- jobs on workers ---- */

static void job_run(uv_work_t *request)
{
    const struct node_work *const work = request->data;
    replica_job_run(work->job);
}

/* job_after is called on the loop; the tick hands the job back. */
static void job_after(uv_work_t *request, int status)
{
    struct node_work *const work = request->data;
    struct node *const n = work->node;
    NV_ASSERT(status == 0); /* none is ever cancelled */
    n->done[n->done_count++] = work->job;
    work->next = n->free_work;
    n->free_work = work;
    n->work_count--;
}

void node_workers_fill(struct node *n)
{
    while (n->pending_count > 0 && n->free_work != NULL &&
           n->done_count + n->work_count < NODE_WORKERS_MAX) {
        struct node_work *const work = n->free_work;
        n->free_work = work->next;
        work->job = n->pending[n->pending_first];
        work->request.data = work;
        n->pending_first = (n->pending_first + 1) % NODE_JOBS_PENDING_MAX;
        n->pending_count--;
        n->work_count++;
        n->jobs_run++;
        int const result = uv_queue_work(&n->loop, &work->request, job_run, job_after);
        NV_ASSERT(result == 0);
    }
}

/* add_job does a light job at once: handing it to a worker and back takes longer
 * than a few signature checks.  What a tick may do so is bounded, and it does
 * nothing so while workers are busy, since then the load is high. */
static void add_job(struct node *n, struct replica_job *job)
{
    NV_ASSERT(n->pending_count < NODE_JOBS_PENDING_MAX);
    uint32_t const weight = replica_job_weight(job);
    if (weight <= n->light_left && n->pending_count + n->work_count == 0 &&
        n->done_count < NODE_WORKERS_MAX) {
        n->light_left -= weight;
        replica_job_run(job);
        n->done[n->done_count++] = job;
        return;
    }
    n->pending[(n->pending_first + n->pending_count) % NODE_JOBS_PENDING_MAX] = job;
    n->pending_count++;
    node_workers_fill(n);
}

/* ---- the timer ---- */

static void timer_fired(uv_timer_t *timer)
{
    struct node *const n = timer->data;
    n->timer_due = true;
}

void node_set_timer(struct node *n)
{
    uint64_t const now = uv_hrtime();
    uint64_t const ms = n->timer_ns <= now ? 0 : (n->timer_ns - now + 999999u) / 1000000u;
    n->timer_due = false;
    uv_update_time(&n->loop);
    int const result = uv_timer_start(&n->timer, timer_fired, ms, 0);
    NV_ASSERT(result == 0);
}

/* ---- what is told to people ---- */

static void log_evidence(const struct replica_op *op)
{
    const struct cs_vote *const v = op->evidence.vote;
    char key[NV_BYTES_TEXT(32)];
    nv_bytes_format(key, op->evidence.key.bytes, 32);
    nv_log(NV_LOG_WARN,
           "event=evidence offence=%d validator=%s epoch=%" NV_U64 " view=%" NV_U64,
           (int)op->evidence.offence,
           key,
           v[0].ballot.epoch,
           v[0].ballot.view);
}

/* write_evidence keeps what a halt tells in a file and returns its path. */
static const char *
write_evidence(const struct node *n, const struct replica_op *op, char *path, size_t size)
{
    (void)snprintf(path,
                   size,
                   "%.4000s/halt-%d-%" NV_U64 ".bin",
                   n->home.data,
                   (int)op->halt.code,
                   op->halt.height);
    FILE *const file = fopen(path, "wb");
    if (file == NULL) {
        return "(not written)";
    }
    size_t const written = fwrite(op->halt.bytes.bytes, 1, op->halt.bytes.size, file);
    return fclose(file) == 0 && written == op->halt.bytes.size ? path : "(not written)";
}

static void halt(struct node *n, const struct replica_op *op)
{
    char path[ST_PATH_MAX + 64];
    const char *what = "this node halts";
    const char *hint = NULL;
    switch (op->halt.code) {
    case CS_HALT_FORK:
        what = "two conflicting blocks are final: more than a third of the stake has lied";
        hint = "stop everything that trusts this chain; the proof is in the file";
        break;
    case CS_HALT_SECOND_SIGNER:
        what = "another running node signs with this validator's key";
        hint = "stop one of the two for good before starting the other";
        break;
    case CS_HALT_STATE:
        what = "this node's state differs from that of the quorum";
        hint = "compare versions; keep the data folder, and fetch the chain anew in another home";
        break;
    }
    nv_log(NV_LOG_ERROR,
           "event=halt code=%d height=%" NV_U64 " evidence=%s",
           (int)op->halt.code,
           op->halt.height,
           write_evidence(n, op, path, sizeof path));
    node_fail(n, (enum node_exit)op->halt.code, hint, what);
}

/* ---- operations ---- */

static void execute(struct node *n, const struct replica_block *block)
{
    struct node_result *result = NULL;
    NV_ASSERT(n->executing_count < NODE_EXECUTING_MAX);
    /* With none under way the results come in order. */
    if (n->executing_count == 0 && node_executor_at_once(n->executor, block, &result)) {
        if (result != NULL) {
            node_executed(n, result);
        }
        return;
    }
    n->executing[n->executing_count++] = block;
    node_executor_block(n->executor, block);
}

/* turn goes on with the validators of an epoch that has begun.  A key that votes in it
 * for the first time is bound before: votes come behind this operation. */
static void turn(struct node *n, const struct replica_op *op)
{
    if (op->epoch.me != CS_NOBODY && !node_home_engage(&n->home, n->fault)) {
        node_stop(n, (int)n->fault->code);
        return;
    }
    node_p2p_epoch(n, op);
}

static void perform(struct node *n, const struct replica_op *op)
{
    switch (op->kind) {
    case REPLICA_JOURNAL: node_disk_batch(n, uv_hrtime(), op->journal); break;
    case REPLICA_SEND: node_p2p_send(n, op); break;
    case REPLICA_TIMER:
        n->timer_ns = op->timer_ns;
        node_set_timer(n);
        break;
    case REPLICA_JOB: add_job(n, op->job); break;
    case REPLICA_EXECUTE: execute(n, op->block); break;
    case REPLICA_GOSSIP: (void)p2p_gossip(n->p2p, op->gossip.from, op->gossip.bytes); break;
    case REPLICA_VERDICT: node_rpc_verdict(n, op); break;
    case REPLICA_DROPPED: node_rpc_dropped(n, &op->dropped); break;
    case REPLICA_BAN: node_p2p_ban(n, op->ban_link, "a message broke the protocol"); break;
    case REPLICA_EPOCH: turn(n, op); break;
    case REPLICA_EVIDENCE: log_evidence(op); break;
    case REPLICA_TRACE: node_rpc_trace(n, op); break;
    case REPLICA_HALT: halt(n, op); break;
    }
}

void node_perform(struct node *n)
{
    struct replica_op op;
    while (n->code == 0 && node_store_ready(&n->store) &&
           n->pending_count < NODE_JOBS_PENDING_MAX && replica_next(n->replica, &op)) {
        perform(n, &op);
    }
}
