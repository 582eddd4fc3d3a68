/* join.c - before the node runs: the state of a recent height from peers, when
 * there is none here or it is too old (docs/spec/sync.md). */

#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/fmt.h"
#include "base/log.h"

#include "node/runtime/internal.h"
#include "node/sync/sync.h"
#include "node/version.h"

#define TICK_MS    100u
#define REPORT_MS  5000u
#define FAR_BLOCKS 1000u /* auto: an empty node fetches a snapshot of at least this height */
#define RETRY_MS   1000u
/* A node that runs fetches a snapshot when it is so far behind, and was for so
 * long without a block, and is told that the next one is not held any more. */
#define STUCK_BLOCKS 64u
#define STUCK_NS     UINT64_C(5000000000)

/* ---- what rpc is told meanwhile ---- */

static enum nv_err no_state(void *ctx, struct rpc_job *job)
{
    (void)ctx;
    (void)job;
    return NV_ERR_BUSY;
}

static void no_submit(void *ctx, struct nv_view tx, uint64_t ticket)
{
    struct node *const n = ctx;
    struct rpc_verdict const verdict = {
        .outcome = RPC_SUBMIT_REFUSED,
        .reason = node_rpc_full(),
        .retry_after_ms = RETRY_MS,
    };
    (void)tx;
    rpc_submitted(n->rpc, ticket, &verdict);
}

static enum nv_err no_block(void *ctx, uint64_t height, struct rpc_block *out)
{
    (void)ctx;
    (void)height;
    (void)out;
    return NV_ERR_NOT_FOUND;
}

static enum nv_err no_tx(void *ctx, const struct nv_hash *hash, struct rpc_tx *out)
{
    (void)ctx;
    (void)hash;
    (void)out;
    return NV_ERR_NOT_FOUND;
}

static struct nv_view get_genesis(void *ctx)
{
    const struct node *const n = ctx;
    return n->home.genesis.text;
}

static void get_status(void *ctx, struct rpc_status *out)
{
    struct node *const n = ctx;
    struct sync_progress p;
    sync_progress(n->sync, &p);
    *out = (struct rpc_status){
        .stage = n->stopping ? RPC_STAGE_STOPPING : RPC_STAGE_SYNCING,
        .chain_id = n->home.genesis.chain_id,
        .node_key = n->home.node->key,
        .devnet = n->home.genesis.devnet,
        .validator = n->home.me == CS_NOBODY ? -1 : (int32_t)n->home.me,
        .epoch = p.epoch > 0 ? p.epoch : CS_FIRST_EPOCH,
        .target_height = p.height > 0 ? p.height : p.tip_height,
        .progress_permille = p.rows_of > 0 ? (uint32_t)(p.rows * 1000 / p.rows_of) : 0,
        .rows = p.rows,
        .rows_of = p.rows_of,
        .rows_per_second = p.rows_s,
        .eta_ms = p.eta_ms,
        .server_time_ms = node_now().wall_ms,
    };
    struct p2p_totals totals;
    p2p_totals_get(n->p2p, &totals);
    out->peers = totals.peers_up;
    (void)snprintf(out->version, sizeof out->version, "%s", NODE_VERSION);
    (void)snprintf(
        out->name, sizeof out->name, "%.60s", node_config_text(n->config, NODE_NODE_NAME));
    (void)snprintf(out->note,
                   sizeof out->note,
                   "snapshot: %s, %u of %u chunks, %u sources",
                   sync_stage_name(p.stage),
                   (unsigned)p.chunks,
                   (unsigned)p.chunks_of,
                   (unsigned)p.sources);
}

static bool open_rpc(struct node *n)
{
    struct rpc_port const port = {
        .ctx = n,
        .run_on_state = no_state,
        .submit = no_submit,
        .status = get_status,
        .peers = node_rpc_peers,
        .validators = node_rpc_validators,
        .block = no_block,
        .tx = no_tx,
        .genesis = get_genesis,
    };
    return node_rpc_listen(n, &port);
}

/* ---- the loop ---- */

static struct sync_time sync_now(void)
{
    struct replica_time const now = node_now();
    return (struct sync_time){.now_ms = now.now_ns / 1000000u, .wall_ms = now.wall_ms};
}

static void take_item(struct node *n, const struct node_inbox_item *item)
{
    switch ((enum node_item)item->kind) {
    case NODE_ITEM_LINK: sync_link(n->sync, sync_now(), item->peer, item->type == 1); break;
    case NODE_ITEM_MESSAGE:
        if (sync_is_type(item->type) || item->type == CS_MSG_EPOCH_RESPONSE) {
            sync_take(n->sync, sync_now(), item->peer, item->type, item->bytes);
        }
        break;
    case NODE_ITEM_TX: break; /* there is no state yet to judge it by */
    }
}

static void perform(struct node *n)
{
    struct sync_op op;
    while (sync_next(n->sync, &op)) {
        if (op.kind == SYNC_OP_BAN) {
            node_p2p_ban(n, op.peer, op.why);
        } else {
            node_sync_send(n, op.peer, op.type, nv_view_of(op.bytes, op.size));
        }
    }
}

static void report(struct node *n)
{
    struct sync_progress p;
    sync_progress(n->sync, &p);
    nv_log(NV_LOG_INFO,
           "event=join stage=%s epoch=%" NV_U64 " height=%" NV_U64 " rows=%" NV_U64 " of=%" NV_U64
           " rows_s=%u eta_ms=%" NV_I64 " sources=%u",
           sync_stage_name(p.stage),
           p.epoch,
           p.height,
           p.rows,
           p.rows_of,
           (unsigned)p.rows_s,
           p.eta_ms,
           (unsigned)p.sources);
}

static void on_tick(uv_timer_t *timer)
{
    struct node *const n = timer->data;
    n->beat_due = true;
}

static bool under_way(const struct node *n)
{
    struct sync_progress p;
    sync_progress(n->sync, &p);
    return !n->stopping && p.stage != SYNC_READY && p.stage != SYNC_SKIP && p.stage != SYNC_FAILED;
}

static void turn(struct node *n, uint64_t *reported_ms)
{
    struct node_inbox_item item;
    (void)uv_run(&n->loop, UV_RUN_ONCE);
    for (uint32_t lane = 0; lane < NODE_LANES; lane++) {
        while (node_inbox_take(&n->inbox[lane], &item)) {
            take_item(n, &item);
        }
    }
    if (n->held_back) {
        n->held_back = false;
        p2p_resume(n->p2p);
    }
    if (n->beat_due) {
        n->beat_due = false;
        sync_tick(n->sync, sync_now());
    }
    perform(n);
    if (sync_now().now_ms - *reported_ms >= REPORT_MS) {
        *reported_ms = sync_now().now_ms;
        report(n);
    }
}

static void on_closed(void *ctx)
{
    struct node *const n = ctx;
    n->closing--;
}

/* fetch runs the loop until the snapshot is there; false: *fault tells, or the
 * node is to stop. */
static bool fetch(struct node *n)
{
    uint64_t reported_ms = sync_now().now_ms;
    if (!node_p2p_open(n) || !open_rpc(n)) {
        return false; /* the loop runs out with what was opened */
    }
    n->beat.data = n;
    int result = uv_timer_start(&n->beat, on_tick, TICK_MS, TICK_MS);
    NV_ASSERT(result == 0);
    node_watch_signals(n);
    nv_log(NV_LOG_INFO, "event=joining rpc_port=%u", (unsigned)rpc_listen_port(n->rpc));
    while (under_way(n)) {
        turn(n, &reported_ms);
    }
    report(n);
    (void)uv_timer_stop(&n->beat);
    n->closing = 2;
    rpc_close(n->rpc, on_closed, n);
    p2p_close(n->p2p, on_closed, n);
    while (n->closing > 0) {
        (void)uv_run(&n->loop, UV_RUN_ONCE);
    }
    n->rpc = NULL;
    n->p2p = NULL;
    node_inboxes_clear(n);
    return !n->stopping;
}

/* ---- what was fetched ---- */

static bool failed(struct node *n, const char *what, enum nv_err err)
{
    node_fault_set(n->fault,
                   err == NV_ERR_NO_MEMORY ? NODE_EXIT_FAILED : NODE_EXIT_STORAGE,
                   err == NV_ERR_DISK_FULL ? "make room on the disk, then start again" : NULL,
                   "%s: %s: %s",
                   n->home.snapshots_dir,
                   what,
                   nv_err_text(err));
    return false;
}

static enum nv_err load_rows(struct node *n, const struct st_manifest *manifest)
{
    struct st_snapshots const at = node_snapshots(n);
    uint32_t bad = 0;
    return st_snapshot_load(&at, n->home.db, manifest, ST_SNAPSHOT_FETCHED, &bad);
}

/* take_over makes what was fetched the state of this node. */
static bool take_over(struct node *n)
{
    struct st_snapshots const at = node_snapshots(n);
    struct sync_result result;
    sync_result(n->sync, &result);
    uint64_t const height = result.base->header.height;
    enum nv_err err = load_rows(n, result.manifest);
    if (err != NV_OK) {
        return failed(n, "the rows cannot be loaded", err);
    }
    bool const new_journal = n->home.journal_new;
    if (new_journal && !node_found_journal(n)) {
        return false;
    }
    if (!node_home_bind(&n->home, result.base->header.time_ms, n->fault)) {
        return false;
    }
    struct node_base const base = {
        .first = new_journal,
        .epoch = result.epoch,
        .height = height,
        .hash = result.base->hash,
        .root = result.base->root,
        .block = result.anchor.block,
        .final = result.anchor.final,
    };
    err = node_note_base(n, &base);
    if (err == NV_OK) {
        err = st_snapshot_finish(&at, height, ST_SNAPSHOT_FETCHED);
    }
    if (err != NV_OK) {
        return failed(n, "the base cannot be written", err);
    }
    nv_log(NV_LOG_INFO,
           "event=joined epoch=%" NV_U64 " height=%" NV_U64 " rows=%" NV_U64,
           result.epoch,
           height,
           result.manifest->head.row_count);
    return true;
}

/* ---- whether ---- */

static bool mode_is(const struct node *n, const char *mode)
{
    return strcmp(node_config_text(n->config, NODE_SYNC_MODE), mode) == 0;
}

/* outlived returns whether the database is past what was fetched: the node went
 * on by blocks meanwhile. */
static bool outlived(struct node *n)
{
    struct sync_result result;
    struct st_head head;
    sync_result(n->sync, &result);
    return st_db_head(n->home.db, &head) == NV_OK && head.height > result.base->header.height;
}

/* height_least returns which snapshot is worth fetching. */
static uint64_t height_least(struct node *n)
{
    struct st_head head = {.height = 0};
    if (n->home.journal_new) {
        return mode_is(n, "snapshot") ? 0 : FAR_BLOCKS;
    }
    return st_db_head(n->home.db, &head) == NV_OK ? head.height + 1 : 1;
}

static bool run(struct node *n)
{
    struct sync_progress p;
    struct sync_config config = {.at = node_snapshots(n), .height_least = height_least(n)};
    if (!node_trust(n, &config)) {
        return false;
    }
    enum nv_err err = sync_open(&n->sync, &config, sync_now());
    if (err != NV_OK) {
        return failed(n, "it cannot be read", err);
    }
    if (under_way(n) && !fetch(n)) {
        return false;
    }
    sync_progress(n->sync, &p);
    if (p.stage == SYNC_FAILED) {
        return p.err == NV_ERR_TIMEOUT ? node_trust_expired(n)
                                       : failed(n, "it cannot be written", p.err);
    }
    if (p.stage == SYNC_READY && outlived(n)) {
        err = st_snapshot_tidy(&config.at, 0);
        return err == NV_OK || failed(n, "it cannot be removed", err);
    }
    return p.stage == SYNC_SKIP || take_over(n);
}

/* signs returns whether this node validates from the genesis on: then it goes by
 * blocks, since by a snapshot it would have to sit out. */
static bool signs(const struct node *n)
{
    return n->home.me != CS_NOBODY && !n->home.sits_out;
}

/* votes_now returns whether it votes in the present epoch. */
static bool votes_now(const struct node *n)
{
    struct cs_summary const summary = replica_summary(n->replica);
    return summary.me != CS_NOBODY && !summary.sits_out;
}

bool node_join(struct node *n)
{
    if (!mode_is(n, "auto") && !mode_is(n, "blocks") && !mode_is(n, "snapshot")) {
        node_fault_set(n->fault,
                       NODE_EXIT_CONFIG,
                       "take blocks, snapshot or auto",
                       "sync.mode is \"%s\", which is none",
                       node_config_text(n->config, NODE_SYNC_MODE));
        return false;
    }
    if (signs(n) || mode_is(n, "blocks") ||
        (!n->home.journal_new && !n->rejoin && !node_home_joining(&n->home))) {
        return true;
    }
    bool const ok = run(n);
    sync_close(n->sync);
    n->sync = NULL;
    return ok;
}

void node_join_hint(struct node *n, const struct node_inbox_item *item)
{
    struct cs_message message;
    bool const stuck =
        n->target_height > n->head.height + STUCK_BLOCKS && uv_hrtime() - n->head_at_ns > STUCK_NS;
    if (item->type != CS_MSG_BLOCK_RESPONSE || !stuck || signs(n) || votes_now(n) ||
        mode_is(n, "blocks") || n->stopping) {
        return;
    }
    if (cs_message_decode(&message, (uint8_t)item->type, item->bytes) != NV_OK ||
        message.block_response.blocks.count > 0 || message.block_response.has_final) {
        return;
    }
    nv_log(NV_LOG_WARN,
           "event=rejoin height=%" NV_U64 " target=%" NV_U64
           " why=\"a peer no longer holds the next block\"",
           n->head.height,
           n->target_height);
    n->rejoins = true;
    node_stop(n, NODE_EXIT_OK);
}
