/* What a node's loop does, on virtual time: performs the replica's operations,
 * makes batches durable, executes blocks, writes checkpoints. */

#include <string.h>

#include "base/assert.h"

#include "tests/sim/node/nodesim.h"

struct replica_time ns_host_time(const struct ns *ns, const struct ns_host *host)
{
    return (struct replica_time){
        .now_ns = ns->now_ns + 1000 * NS_MS,
        .wall_ms = (uint64_t)((int64_t)ns_wall_ms(ns) + host->skew_ms),
    };
}

/* ---- the store's orders ---- */

static void batch_begin(struct ns *ns, struct ns_host *host)
{
    struct node_batch *const batch = host->batch[0];
    batch->err = st_journal_write(host->journal, &batch->batch);
    uint64_t const us = ns_between(ns, ns->conf.sync_min_us, ns->conf.sync_max_us);
    (void)ns_push(ns, us * 1000, NS_SYNC, host->id);
}

static void order_append(void *ctx, struct node_batch *batch)
{
    struct ns_host *const host = ctx;
    NV_ASSERT(host->batch_count < 2);
    host->batch[host->batch_count++] = batch;
    if (host->batch_count == 1) {
        batch_begin(host->ns, host);
    }
}

static void freeze(struct ns_host *host)
{
    if (host->frozen) {
        return;
    }
    host->checkpoint.overlay = node_machine_freeze(host->machine);
    host->checkpoint.err = NV_OK;
    host->frozen = host->checkpoint.overlay != NULL;
    (void)ns_push(host->ns, 1000, NS_FROZEN, host->id);
}

static void order_freeze(void *ctx)
{
    freeze(ctx);
}

static void order_write(void *ctx, struct node_checkpoint *checkpoint)
{
    struct ns_host *const host = ctx;
    NV_ASSERT(checkpoint == &host->checkpoint && !host->writing);
    host->writing = true;
    uint64_t const ms = ns_between(host->ns, 1, host->ns->conf.write_max_ms);
    (void)ns_push(host->ns, ms * NS_MS, NS_WRITE, host->id);
}

static void order_thaw(void *ctx)
{
    struct ns_host *const host = ctx;
    host->frozen = false;
    node_machine_thaw(host->machine, host->checkpoint.overlay);
}

struct node_store_port ns_host_port(struct ns_host *host)
{
    return (struct node_store_port){host, order_append, order_freeze, order_write, order_thaw};
}

enum nv_err ns_host_write(struct ns_host *host)
{
    host->writing = false;
    host->checkpoint.err = st_db_checkpoint(host->db, host->checkpoint.overlay);
    if (host->checkpoint.err == NV_OK && host->checkpoint.forget > 0) {
        host->checkpoint.err = st_db_forget(host->db, host->checkpoint.forget);
    }
    if (host->checkpoint.err == NV_OK &&
        ns_share_wants(host, st_overlay_head(host->checkpoint.overlay)->height)) {
        ns_share_copy(host);
    }
    return host->checkpoint.err;
}

/* ---- what comes back from the disk ---- */

static void drop(struct ns *ns, struct ns_host *host, struct node_batch *batch)
{
    host->dropped = batch->drop;
    host->partial = true;
    batch->err = st_journal_drop(host->journal, batch->drop);
    ns_trace(ns, host->id, "pruned", batch->drop, host->head.height);
    ns_fault(ns, NS_FAULT_PRUNE);
}

static void synced(struct ns *ns, struct ns_host *host)
{
    struct node_batch *const batch = host->batch[0];
    bool const fails = !ns->healed && ns_chance(ns, ns->conf.sync_fail_ppm);
    bool const prunes = batch->drop != 0;
    if (batch->err == NV_OK) {
        disk_fail(host->disk, fails ? 1 : 0, false, NV_ERR_IO);
        batch->err = st_journal_sync(host->journal);
        disk_fail(host->disk, 0, false, NV_ERR_IO);
    }
    if (batch->err == NV_OK && batch->drop != 0) {
        drop(ns, host, batch);
    }
    host->batch[0] = host->batch[1];
    host->batch_count--;
    if (batch->err != NV_OK) {
        ns_trace(ns, host->id, "sync-failed", (uint64_t)batch->err, 0);
        ns_fault(ns, NS_FAULT_SYNC);
        if (!fails) {
            ns_fail(ns, "host %u cannot write: %s", host->id, nv_err_name(batch->err));
        }
        ns_host_crash(ns, host);
        return;
    }
    ns_check_acked(ns, host, batch);
    enum nv_err const ahead = st_journal_prepare(host->journal);
    NV_ASSERT(ahead == NV_OK);
    if (host->batch_count > 0) { /* before the store gives another */
        batch_begin(ns, host);
    }
    enum nv_err const err = node_store_back(&host->store, ns->now_ns, batch);
    if (err != NV_OK) {
        ns_fail(ns, "host %u: a batch is not taken back: %s", host->id, nv_err_name(err));
    }
    if (prunes && !ns->measured && ns_chance(ns, 500000)) { /* it starts from what is left */
        ns_host_crash(ns, host);
        (void)ns_push(ns, ns_between(ns, 1, 30) * NS_MS, NS_START, host->id);
    }
}

static void written(struct ns *ns, struct ns_host *host)
{
    (void)ns_host_write(host);
    ns_trace(ns, host->id, "checkpoint", st_overlay_head(host->checkpoint.overlay)->height, 0);
    enum nv_err const err = node_store_written(&host->store, &host->checkpoint);
    if (err != NV_OK) {
        ns_fail(ns, "host %u: a checkpoint fails: %s", host->id, nv_err_name(err));
    }
}

/* ---- execution ---- */

static void execute_next(struct ns *ns, struct ns_host *host)
{
    if (host->block_count > 0) {
        uint64_t const us = ns_between(ns, 0, ns->conf.execute_max_us);
        (void)ns_push(ns, us * 1000, NS_EXECUTE, host->id);
    }
}

static void execute(struct ns *ns, struct ns_host *host, const struct replica_block *block)
{
    uint32_t const room = sizeof host->block / sizeof host->block[0];
    ns_check_given(ns, host, block);
    NV_ASSERT(host->block_count < room);
    host->block[(host->block_first + host->block_count) % room] = block;
    host->block_count++;
    if (host->block_count == 1) {
        execute_next(ns, host);
    }
}

static void executed(struct ns *ns, struct ns_host *host)
{
    uint32_t const room = sizeof host->block / sizeof host->block[0];
    struct node_result *result = NULL;
    const struct replica_block *const block = host->block[host->block_first];
    enum nv_err const err = node_machine_execute(host->machine, block, &result);
    if (err == NV_ERR_NO_MEMORY) { /* the node stops */
        ns_host_crash(ns, host);
        return;
    }
    if (err != NV_OK) {
        ns_fail(ns, "host %u cannot execute: %s", host->id, nv_err_name(err));
        return;
    }
    host->block_first = (host->block_first + 1) % room;
    host->block_count--;
    host->head = result->head;
    ns_trace(ns, host->id, "executed", result->head.height, result->head.state_root.bytes[0]);
    ns_check_result(ns, host, block, result);
    replica_wrote(host->replica, result->head.height, result->writes, result->write_count);
    struct replica_outcome const outcome = node_result_outcome(result);
    replica_executed(host->replica, ns_host_time(ns, host), &outcome);
    if (result->in_force != NULL) {
        replica_validators(host->replica, ns_host_time(ns, host), result->in_force);
    }
    node_store_result(&host->store, ns->now_ns, result);
    bool full = false;
    if (node_machine_dirty(host->machine, &full) >= ns->conf.dirty_rows || full ||
        ns_share_wants(host, host->head.height)) {
        freeze(host);
    }
    execute_next(ns, host);
}

/* ---- operations ---- */

static void job(struct ns *ns, struct ns_host *host, struct replica_job *job)
{
    if (host->job_free_count == 0) {
        ns_fail(ns, "host %u has too many jobs", host->id);
        return;
    }
    uint32_t const slot = host->job_free[--host->job_free_count];
    host->job[slot] = job;
    uint64_t const us = ns_between(ns, 0, ns->conf.job_max_us);
    ns_push(ns, us * 1000, NS_JOB, host->id)->a = slot;
}

bool ns_runs(const struct ns_host *host)
{
    return host->up && host->sync == NULL;
}

void ns_host_ban(struct ns *ns, struct ns_host *host, uint32_t link)
{
    ns_trace(ns, host->id, "ban", link, 0);
    for (uint32_t i = 0; i < ns->host_count; i++) {
        const struct ns_host *const other = &ns->host[i];
        if (ns_net_id(other) != link) {
            continue;
        }
        host->banned_until_ns[i] = ns->now_ns + 60000 * NS_MS;
        if (host->honest && other->honest) {
            ns_fail(ns, "honest host %u bans honest host %u", host->id, i);
        }
    }
}

static void halt(struct ns *ns, struct ns_host *host, const struct replica_op *op)
{
    ns_trace(ns, host->id, "halt", (uint64_t)op->halt.code, op->halt.height);
    if (host->honest) {
        ns_fail(ns,
                "honest host %u halts with %d at height %u",
                host->id,
                (int)op->halt.code,
                (unsigned)op->halt.height);
    }
    ns_host_crash(ns, host);
}

static void evidence(struct ns *ns, const struct ns_host *host, const struct replica_op *op)
{
    uint32_t const signer = op->evidence.vote[0].signer;
    ns_trace(ns, host->id, "evidence", signer, (uint64_t)op->evidence.offence);
    ns_check_accused(ns, host, &op->evidence.key);
}

static void perform(struct ns *ns, struct ns_host *host, const struct replica_op *op)
{
    switch (op->kind) {
    case REPLICA_JOURNAL: node_store_batch(&host->store, ns->now_ns, op->journal); break;
    case REPLICA_SEND:
        ns_check_sent(ns, host, op->send.type, op->send.bytes);
        for (uint32_t i = 0; i < op->send.link_count; i++) {
            ns_net_send(ns, host, op->send.links[i], op->send.type, op->send.bytes);
        }
        break;
    case REPLICA_TIMER: {
        uint64_t const now = ns_host_time(ns, host).now_ns;
        uint64_t const wait = op->timer_ns > now ? op->timer_ns - now : 0;
        host->timer_ns = ns->now_ns + wait;
        (void)ns_push(ns, wait, NS_TIMER, host->id);
        break;
    }
    case REPLICA_JOB: job(ns, host, op->job); break;
    case REPLICA_EXECUTE: execute(ns, host, op->block); break;
    case REPLICA_GOSSIP: ns_net_gossip(ns, host, op->gossip.bytes); break;
    case REPLICA_VERDICT:
        ns_trace(ns, host->id, "verdict", op->verdict.ticket, (uint64_t)op->verdict.refusal);
        ns_check_verdict(ns, host, &op->verdict.hash, op->verdict.refusal);
        break;
    case REPLICA_DROPPED: ns_trace(ns, host->id, "dropped", op->dropped.bytes[0], 0); break;
    case REPLICA_BAN: ns_host_ban(ns, host, op->ban_link); break;
    case REPLICA_EPOCH: ns_net_epoch(host, op); break;
    case REPLICA_EVIDENCE: evidence(ns, host, op); break;
    case REPLICA_TRACE:
        ns_trace(ns, host->id, cs_trace_name(op->trace.code), op->trace.view, op->trace.a);
        break;
    case REPLICA_HALT: halt(ns, host, op); break;
    }
}

void ns_host_pump(struct ns *ns, struct ns_host *host)
{
    struct replica_op op;
    uint32_t const life = host->life;
    while (host->life == life && !ns->failed && node_store_ready(&host->store) &&
           replica_next(host->replica, &op)) {
        if (!ns->healed && ns_chance(ns, ns->conf.crash_op_ppm)) {
            ns_host_crash(ns, host);
            return;
        }
        perform(ns, host, &op);
    }
}

/* ---- events ---- */

static void message(struct ns *ns, struct ns_host *host, const struct ns_item *item)
{
    if (replica_pressed(host->replica)) { /* the inbox waits for the disk */
        struct ns_item *const again = ns_push(ns, NS_MS, item->kind, host->id);
        again->life = item->life;
        again->a = item->a;
        again->b = item->b;
        again->bytes = item->bytes;
        item->bytes->refs++;
        return;
    }
    struct nv_view const bytes = nv_view_of(item->bytes->bytes, item->bytes->size);
    if (item->kind == NS_TX && item->a != CS_NOBODY && ns_net_came(ns, host, item)) {
        return;
    }
    if (item->kind == NS_MAIL && sync_is_type(item->a)) {
        ns_share_message(ns, host, item);
    } else if (item->kind == NS_TX) {
        replica_submit(host->replica, item->a, item->b, bytes);
    } else {
        replica_message(
            host->replica, ns_host_time(ns, host), (uint32_t)item->b, (uint8_t)item->a, bytes);
    }
}

/* kept returns how many blocks below its checkpoint a host keeps: an operator leaves
 * those there that a node of its own kind still needs. */
static uint64_t kept(const struct ns *ns, const struct ns_host *host)
{
    uint64_t const top = host->store.checkpoint_height;
    uint64_t least = ns->conf.keep_blocks;
    if (least == 0 || host->id == ns->archivist) {
        return 0;
    }
    for (uint32_t i = 0; i < ns->newcomer; i++) {
        uint64_t const height = ns->host[i].joins ? top : ns->host[i].head.height;
        least = top > height + least ? top - height : least;
    }
    return least;
}

static void beat(struct ns *ns, struct ns_host *host)
{
    struct node_store_beat const beat = {
        .keep = {.blocks = kept(ns, host),
                 .segment_size = host->options.segment_size,
                 .chain = &host->chain},
        .now_ns = ns->now_ns,
        .checkpoint_every_ns = ns->conf.checkpoint_ms * NS_MS,
        .head_height = host->head.height,
    };
    node_store_beat(&host->store, &beat);
    ns_share_beat(ns, host);
    ns_check_memory(ns, host);
    (void)ns_push(ns, 50 * NS_MS, NS_BEAT, host->id);
}

static void job_done(struct ns *ns, struct ns_host *host, uint32_t slot)
{
    struct replica_job *const job = host->job[slot];
    host->job[slot] = NULL;
    host->job_free[host->job_free_count++] = slot;
    replica_job_run(job);
    replica_job_done(host->replica, ns_host_time(ns, host), job);
}

static void link_told(struct ns *ns, struct ns_host *host, const struct ns_item *item)
{
    const struct ns_host *const other = &ns->host[item->a];
    struct nv_pubkey const key = ns_net_node_key(other);
    replica_link(host->replica, ns_host_time(ns, host), ns_net_id(other), &key, item->b == 1);
}

void ns_host_event(struct ns *ns, struct ns_host *host, const struct ns_item *item)
{
    ns_memory_of(&host->memory);
    if (host->sync != NULL) {
        ns_join_event(ns, host, item);
        return;
    }
    switch ((int)item->kind) {
    case NS_MAIL:
    case NS_TX: message(ns, host, item); break;
    case NS_TIMER:
        if (item->at_ns == host->timer_ns) {
            host->timer_ns = NS_NEVER;
            replica_timer(host->replica, ns_host_time(ns, host));
        }
        break;
    case NS_SYNC: synced(ns, host); break;
    case NS_JOB: job_done(ns, host, item->a); break;
    case NS_EXECUTE: executed(ns, host); break;
    case NS_FROZEN: node_store_frozen(&host->store, ns->now_ns, &host->checkpoint); break;
    case NS_WRITE: written(ns, host); break;
    case NS_BEAT: beat(ns, host); break;
    case NS_LINK: link_told(ns, host, item); break;
    default: NV_ASSERT(false);
    }
    if (host->up && !ns->failed) {
        ns_host_pump(ns, host);
    }
}
