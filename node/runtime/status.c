/* status.c - how the node is: what it tells RPC clients and Prometheus. */

#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/heap.h"

#include "node/runtime/internal.h"
#include "node/version.h"

#define BEHIND_BLOCKS 3u                    /* more: the node is syncing */
#define HALTED_NS     UINT64_C(15000000000) /* without a final block for so long */
#define DISK_NS       UINT64_C(5000000000)  /* how often the disk is looked at */

/* What the files of one folder take. */
struct folder_size {
    const char *path;
    uint64_t bytes;
};

static enum nv_err add_file(void *ctx, const char *name)
{
    struct folder_size *const size = ctx;
    char path[ST_PATH_MAX + 256];
    struct stat file;
    (void)snprintf(path, sizeof path, "%s/%s", size->path, name);
    if (stat(path, &file) == 0 && S_ISREG(file.st_mode)) {
        size->bytes += (uint64_t)file.st_blocks * 512u;
    }
    return NV_OK;
}

static uint64_t folder_bytes(const char *path)
{
    const struct st_files *const files = st_files_system();
    struct folder_size size = {.path = path};
    return files->list(files->ctx, path, add_file, &size) == NV_OK ? size.bytes : 0;
}

/* disk_status looks at the disk, not more often than every DISK_NS. */
static void disk_status(struct node *n, struct rpc_status *out)
{
    struct statvfs disk;
    uint64_t const now_ns = uv_hrtime();
    if (n->disk_at_ns == 0 || now_ns - n->disk_at_ns >= DISK_NS) {
        n->disk_at_ns = now_ns;
        n->disk_used = folder_bytes(n->home.journal_dir) + folder_bytes(n->home.state_dir);
        n->disk_free =
            statvfs(n->home.data, &disk) == 0 ? (uint64_t)disk.f_bavail * disk.f_frsize : 0;
    }
    out->disk_used_bytes = n->disk_used;
    out->disk_free_bytes = n->disk_free;
}

/* stage_status says how far the node is, and when it will be there. */
static void stage_status(const struct node *n, const struct cs_summary *s, struct rpc_status *out)
{
    uint64_t const target = out->target_height;
    const char *note = "";
    out->stage = RPC_STAGE_READY;
    out->progress_permille = 1000;
    out->eta_ms = 0;
    if (n->stopping) {
        out->stage = RPC_STAGE_STOPPING;
    } else if (target > n->head.height + BEHIND_BLOCKS) {
        out->stage = RPC_STAGE_SYNCING;
        out->progress_permille = (uint32_t)(n->head.height * 1000 / target);
        out->eta_ms = n->rate == 0 ? -1 : (int64_t)((target - n->head.height) * 1000 / n->rate);
        note = n->rate == 0 ? "no blocks come in: no estimate" : "";
    } else if (uv_hrtime() - n->head_at_ns > HALTED_NS) {
        out->stage = RPC_STAGE_HALTED;
        out->eta_ms = -1;
        note = "no quorum: too few validators are reached";
    } else if (s->sits_out && s->me != CS_NOBODY) {
        note = "sits out: signs again in an epoch that begins later";
    } else if (s->listening) {
        note = "listens before it votes again";
    }
    (void)snprintf(out->note, sizeof out->note, "%s", note);
}

void node_rpc_status(void *ctx, struct rpc_status *out)
{
    struct node *const n = ctx;
    struct cs_summary const s = replica_summary(n->replica);
    const struct node_mempool *const mempool = replica_mempool(n->replica);
    *out = (struct rpc_status){
        .chain_id = n->home.genesis.chain_id,
        .node_key = n->home.node->key,
        .devnet = n->home.genesis.devnet,
        .validator = s.me == CS_NOBODY ? -1 : (int32_t)s.me,
        .epoch = s.epoch,
        .view = s.view,
        .finalized_height = s.final_height,
        .target_height = n->target_height > s.final_height ? n->target_height : s.final_height,
        .executed = n->head,
        .blocks_per_second = n->rate,
        .mempool_count = node_mempool_count(mempool),
        .mempool_bytes = node_mempool_bytes(mempool),
        .server_time_ms = node_now().wall_ms,
    };
    struct p2p_totals totals;
    p2p_totals_get(n->p2p, &totals);
    out->peers = totals.peers_up;
    (void)snprintf(out->version, sizeof out->version, "%s", NODE_VERSION);
    (void)snprintf(
        out->name, sizeof out->name, "%.60s", node_config_text(n->config, NODE_NODE_NAME));
    disk_status(n, out);
    stage_status(n, &s, out);
}

/* validator_of returns the index of who has this node key, or -1. */
static int32_t validator_of(const struct node *n, const struct nv_pubkey *node_key)
{
    const struct replica_set *const present = replica_present(n->replica);
    for (uint32_t i = 0; i < present->set.count; i++) {
        if (memcmp(&present->node_key[i], node_key, sizeof *node_key) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

uint32_t node_rpc_peers(void *ctx, struct rpc_peer *out, uint32_t cap)
{
    struct node *const n = ctx;
    struct p2p_peer_info *const list = nv_heap_alloc(P2P_PEERS_MAX * sizeof *list);
    if (list == NULL) {
        return 0;
    }
    uint32_t const all = p2p_peer_list(n->p2p, list, P2P_PEERS_MAX);
    uint64_t const now_ms = uv_now(&n->loop);
    uint32_t count = 0;
    for (uint32_t i = 0; i < all && count < cap; i++) {
        const struct p2p_peer_info *const p = &list[i];
        const struct p2p_lane_info *const lane = &p->lane[(p->lanes & 1u) != 0 ? 0 : 1];
        if (p->lanes == 0) {
            continue;
        }
        struct rpc_peer *const peer = &out[count++];
        *peer = (struct rpc_peer){
            .key = p->key,
            .outbound = lane->dialled,
            .validator = validator_of(n, &p->key),
            .connected_ms = now_ms - lane->up_since_ms,
            .bytes_in = p->lane[0].bytes_in + p->lane[1].bytes_in,
            .bytes_out = p->lane[0].bytes_out + p->lane[1].bytes_out,
        };
        (void)snprintf(peer->address, sizeof peer->address, "%.63s", p->address);
    }
    nv_heap_free(list);
    return count;
}

/* name_of returns what the genesis calls a validator, or nothing. */
static const char *name_of(const struct node *n, const struct nv_pubkey *key)
{
    const struct node_genesis *const genesis = &n->home.genesis;
    for (uint32_t i = 0; i < genesis->validator_count; i++) {
        if (memcmp(&genesis->validators[i].key, key, sizeof *key) == 0) {
            return genesis->validators[i].name;
        }
    }
    return "";
}

uint32_t node_rpc_validators(void *ctx, struct rpc_validator *out, uint32_t cap)
{
    const struct node *const n = ctx;
    const struct cs_valset *const set = &replica_present(n->replica)->set;
    uint32_t const count = set->count < cap ? set->count : cap;
    for (uint32_t i = 0; i < count; i++) {
        out[i] = (struct rpc_validator){.key = set->member[i].key, .power = set->member[i].stake};
        (void)snprintf(out[i].name, sizeof out[i].name, "%.63s", name_of(n, &out[i].key));
    }
    return count;
}

uint32_t node_rpc_metrics(void *ctx, struct rpc_metric *out, uint32_t cap)
{
    struct node *const n = ctx;
    struct cs_summary const s = replica_summary(n->replica);
    struct p2p_totals p2p;
    p2p_totals_get(n->p2p, &p2p);
    struct rpc_metric const list[] = {
        {"novate_height_final", "newest final block", "", false, (double)s.final_height},
        {"novate_height_executed", "newest executed block", "", false, (double)n->head.height},
        {"novate_height_checkpoint",
         "newest in the database",
         "",
         false,
         (double)n->store.checkpoint_height},
        {"novate_view", "view of consensus", "", false, (double)s.view},
        {"novate_views_nullified",
         "since the last final block",
         "",
         false,
         (double)s.views_nullified},
        {"novate_peers", "nodes connected", "", false, (double)p2p.peers_up},
        {"novate_validators_up", "validators connected", "", false, (double)p2p.validators_up},
        {"novate_p2p_half_open", "accepted, not authenticated", "", false, (double)p2p.half_open},
        {"novate_p2p_waiting", "of these, handshake not begun", "", false, (double)p2p.waiting},
        {"novate_p2p_accepted_total", "connections by others", "", true, (double)p2p.accepted},
        {"novate_p2p_refused_total", "of these, over a limit", "", true, (double)p2p.refused_full},
        {"novate_p2p_handshakes_total",
         "begun with connections by others",
         "",
         true,
         (double)p2p.handshakes},
        {"novate_p2p_handshakes_waited_total",
         "handshakes that had to wait for their turn",
         "",
         true,
         (double)p2p.handshakes_waited},
        {"novate_mempool_transactions",
         "waiting for a block",
         "",
         false,
         (double)node_mempool_count(replica_mempool(n->replica))},
        {"novate_mempool_bytes",
         "waiting for a block",
         "",
         false,
         (double)node_mempool_bytes(replica_mempool(n->replica))},
        {"novate_messages_total", "taken from peers", "", true, (double)n->messages_in},
        {"novate_jobs_total", "run by workers", "", true, (double)n->jobs_run},
        {"novate_journal_syncs_total", "batches made durable", "", true, (double)n->syncs},
        {"novate_journal_seconds_total", "spent on them", "", true, (double)n->sync_ns / 1e9},
        {"novate_checkpoints_total", "written", "", true, (double)n->checkpoints},
        {"novate_transactions_executed_total",
         "since the start",
         "",
         true,
         (double)n->txs_executed},
    };
    uint32_t const count = (uint32_t)(sizeof list / sizeof list[0]);
    memcpy(out, list, (count < cap ? count : cap) * sizeof list[0]);
    return count < cap ? count : cap;
}
