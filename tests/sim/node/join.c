/* A host that begins with a snapshot from peers, as the daemon does: it believes what
 * the light client can prove from the genesis on, and nobody. */

#include <string.h>

#include "base/assert.h"

#include "node/home/keys.h"
#include "storage/epochs.h"
#include "tests/sim/node/nodesim.h"

#define TICK_MS 100u

static struct sync_time time_of(const struct ns *ns, const struct ns_host *host)
{
    struct replica_time const t = ns_host_time(ns, host);
    return (struct sync_time){.now_ms = t.now_ns / NS_MS, .wall_ms = t.wall_ms};
}

static enum nv_err get_end(void *ctx, uint64_t epoch, struct nv_view *out)
{
    static uint8_t memory[ST_EPOCH_SIZE_MAX];
    const struct ns_host *const host = ctx;
    return st_db_epoch(host->db, out, epoch, memory);
}

static enum nv_err put_end(void *ctx, uint64_t epoch, struct nv_view bytes)
{
    const struct ns_host *const host = ctx;
    return st_db_epoch_put(host->db, epoch, bytes);
}

static enum nv_err open_sync(struct ns *ns, struct ns_host *host)
{
    struct sync_config config = {
        .at = host->snapshots,
        .epochs = {host, get_end, put_end},
        .trust = {.epoch = CS_FIRST_EPOCH, .boundary = ns_genesis()->chain_id},
    };
    cs_light_init(&config.light, &ns_genesis()->chain_id, NS_START_MS, 0, &ns->valset);
    return sync_open(&host->sync, &config, time_of(ns, host));
}

static enum sync_stage stage_of(const struct ns_host *host)
{
    struct sync_progress p;
    sync_progress(host->sync, &p);
    return p.stage;
}

static void tick(struct ns *ns, struct ns_host *host)
{
    (void)ns_push(ns, TICK_MS * NS_MS, NS_BEAT, host->id);
}

void ns_join_start(struct ns *ns, struct ns_host *host)
{
    host->snapshot_files = ns_folder_port(host->folder);
    host->snapshots = (struct st_snapshots){.files = &host->snapshot_files, .dir = "snapshots"};
    host->db = ns_db_open(host->rows);
    host->lists = 0;
    enum nv_err const err = open_sync(ns, host);
    if (err != NV_OK) {
        ns_fail(ns, "host %u cannot read its folder: %s", host->id, nv_err_name(err));
        return;
    }
    host->up = true;
    memset(host->banned_until_ns, 0, sizeof host->banned_until_ns);
    ns_trace(ns, host->id, "join", host->life, stage_of(host));
    ns_net_links(ns, host, true);
    tick(ns, host);
}

void ns_join_stop(struct ns_host *host)
{
    sync_close(host->sync);
    st_db_close(host->db);
    host->sync = NULL;
    host->db = NULL;
}

/* ---- taking over ---- */

/* dies returns whether the node is killed between two steps. */
static bool dies(struct ns *ns)
{
    return !ns->healed && ns_chance(ns, 100 * ns->conf.crash_op_ppm);
}

/* bind is what a new journal means for the vote key: node/home/keys.h. */
static void bind(const struct ns *ns, struct ns_host *host, uint64_t base_ms)
{
    uint64_t const now_ms = time_of(ns, host).wall_ms;
    host->sit_out_until_ms = (now_ms > base_ms ? now_ms : base_ms) + NODE_KEY_SIT_OUT_MS;
}

static enum nv_err load(const struct ns_host *host, const struct sync_result *result)
{
    uint32_t bad = 0;
    return st_snapshot_load(
        &host->snapshots, host->db, result->manifest, ST_SNAPSHOT_FETCHED, &bad);
}

/* take_over makes what was fetched the state of this host; false: it died. */
static bool take_over(struct ns *ns, struct ns_host *host)
{
    struct sync_result result;
    struct node_start start;
    bool is_new = false;
    sync_result(host->sync, &result);
    enum nv_err err = load(host, &result);
    if (err == NV_OK && dies(ns)) {
        return false;
    }
    bool ok = err == NV_OK && ns_host_found(ns, host, &start, &is_new);
    if (ok && !dies(ns)) {
        struct node_base const base = {
            .first = is_new,
            .epoch = result.epoch,
            .height = result.base->header.height,
            .hash = result.base->hash,
            .root = result.base->root,
            .block = result.anchor.block,
            .final = result.anchor.final,
        };
        bind(ns, host, result.base->header.time_ms);
        err = node_start_base(&start, &base);
        ok = err == NV_OK;
        if (ok && !dies(ns)) {
            err = st_snapshot_finish(&host->snapshots, base.height, ST_SNAPSHOT_FETCHED);
            host->joins = false;
            ns_trace(ns, host->id, "joined", base.height, result.epoch);
        }
    }
    ns_host_unfound(host);
    if (!ok || err != NV_OK) {
        ns_fail(ns, "host %u cannot take over a snapshot: %s", host->id, nv_err_name(err));
    }
    return !host->joins;
}

static void finish(struct ns *ns, struct ns_host *host)
{
    host->partial = true;
    bool const whole = take_over(ns, host);
    if (ns->failed) {
        return;
    }
    if (!whole) {
        ns_host_crash(ns, host);
        return;
    }
    ns_fault(ns, NS_FAULT_JOIN);
    ns_join_stop(host);
    host->up = false;
    ns_net_links(ns, host, false);
    ns_host_start(ns, host);
    if (host->key != CS_NOBODY) { /* so that it may sign again some day */
        ns_push(ns, ns_between(ns, 100, 500) * NS_MS, NS_GAP, 0)->life = 0;
    }
}

/* ---- events ---- */

static void perform(struct ns *ns, struct ns_host *host)
{
    struct sync_op op;
    while (!ns->failed && sync_next(host->sync, &op)) {
        if (op.kind == SYNC_OP_BAN) {
            ns_host_ban(ns, host, op.peer);
        } else {
            ns_trace(ns, host->id, "ask", op.type, op.peer);
            ns_net_send(ns, host, op.peer, op.type, nv_view_of(op.bytes, op.size));
        }
    }
}

void ns_join_event(struct ns *ns, struct ns_host *host, const struct ns_item *item)
{
    struct sync_time const t = time_of(ns, host);
    if (item->kind == NS_BEAT) {
        sync_tick(host->sync, t);
        tick(ns, host);
    } else if (item->kind == NS_LINK) {
        sync_link(host->sync, t, ns_net_id(&ns->host[item->a]), item->b == 1);
    } else if (item->kind == NS_MAIL &&
               (sync_is_type(item->a) || item->a == CS_MSG_EPOCH_RESPONSE)) {
        sync_take(host->sync,
                  t,
                  (uint32_t)item->b,
                  item->a,
                  nv_view_of(item->bytes->bytes, item->bytes->size));
    }
    perform(ns, host);
    enum sync_stage const stage = stage_of(host);
    if (stage == SYNC_READY) {
        finish(ns, host);
    } else if (stage == SYNC_FAILED) {
        ns_fail(ns, "host %u cannot go on with its snapshot", host->id);
    }
}

void ns_join_lose(struct ns *ns, struct ns_host *host)
{
    NV_ASSERT(!host->up);
    ns_trace(ns, host->id, "lost", host->head.height, 0);
    ns_fault(ns, NS_FAULT_LOSS);
    disk_free(host->disk);
    host->disk = disk_new();
    host->files = disk_port(host->disk);
    ns_db_wipe(host->rows);
    ns_folder_wipe(host->folder);
    memset(host->durable, 0, NS_VIEWS_MAX * sizeof *host->durable);
    memset(host->acked, 0, sizeof host->acked);
    host->dropped = 0;
    host->kept_height = 0;
    host->head = (struct rpc_head){.height = 0};
    host->joins = true;
}
