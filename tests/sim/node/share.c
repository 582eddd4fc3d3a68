/* Snapshots that a host makes of its checkpoints, and gives to those who join. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "node/sync/anchor.h"
#include "node/sync/serve.h"
#include "tests/sim/node/nodesim.h"
#include "vm/rows.h"

#define PROOF_MAX 8192u

struct ns_share {
    struct sync_server server;
    struct st_state *rows; /* of a checkpoint that becomes a snapshot, or NULL */
};

/* ---- life ---- */

void ns_share_open(struct ns_host *host)
{
    host->snapshot_files = ns_folder_port(host->folder);
    host->snapshots = (struct st_snapshots){.files = &host->snapshot_files, .dir = "snapshots"};
    enum nv_err const err = st_snapshot_tidy(&host->snapshots, 0);
    NV_ASSERT(err == NV_OK);
    if (host->share == NULL) {
        host->share = calloc(1, sizeof *host->share);
        NV_ASSERT(host->share != NULL);
    }
    sync_server_open(&host->share->server, &host->snapshots);
}

void ns_share_close(struct ns_host *host)
{
    if (host->share != NULL && host->share->rows != NULL) {
        st_state_close(host->share->rows);
        host->share->rows = NULL;
    }
}

void ns_share_free(struct ns_host *host)
{
    free(host->share);
    host->share = NULL;
}

/* ---- making ---- */

bool ns_share_wants(const struct ns_host *host, uint64_t height)
{
    uint64_t const every = host->ns->conf.snapshot_every;
    /* Who joins and is waited for has the newest for a while. */
    bool const awaited = host->ns->waits_ns > 0 && host->share->server.offers.count > 0;
    return every > 0 && !awaited && height % every == 0 && host->share->rows == NULL;
}

void ns_share_copy(struct ns_host *host)
{
    if (st_snapshot_copy(&host->share->rows, host->db) != NV_OK) {
        host->share->rows = NULL;
    }
}

/* What an anchor is made of; a job for the machine. */
struct making {
    struct rpc_job job; /* first */
    struct ns_host *host;
    bool over;
    bool made;
};

/* make writes the snapshot when a final header names its height or a later one.  A
 * block that has no finalization of its own by then never gets one. */
static void make(struct rpc_job *job, const struct rpc_state *state)
{
    static uint8_t anchor_bytes[ST_ANCHOR_SIZE_MAX];
    static uint8_t proof_bytes[PROOF_MAX];
    struct making *const making = (struct making *)job;
    struct ns_host *const host = making->host;
    struct replica_store const store = node_blocks_store(host->blocks);
    uint64_t const height = st_newest(host->share->rows)->height;
    struct replica_stored stored;
    struct nv_writer proof, w;
    nv_writer_init(&proof, proof_bytes, sizeof proof_bytes);
    if (state->head.height < height || state->header.size != CS_HEADER_SIZE) {
        return;
    }
    making->over = true;
    if (store.by_height(store.ctx, height, &stored) != NV_OK || stored.final.size == 0) {
        return;
    }
    if (state->head.height > height) {
        struct nv_row_range range;
        vm_key_root(&range.first, height);
        range.last = range.first;
        if (state->ops->prove(state->ctx, &proof, &range, 1) != NV_OK) {
            return;
        }
    }
    struct sync_anchor const anchor = {
        .block = stored.block,
        .final = stored.final,
        .later_header = state->header,
        .later_final = state->certificate,
        .proof = nv_writer_view(&proof),
    };
    nv_writer_init(&w, anchor_bytes, sizeof anchor_bytes);
    sync_anchor_put(&w, &anchor);
    NV_ASSERT(!w.overflow);
    enum nv_err err = st_snapshot_export(&host->snapshots, host->share->rows, nv_writer_view(&w));
    err = err == NV_OK ? st_snapshot_tidy(&host->snapshots, 0) : err;
    making->made = err == NV_OK;
}

void ns_share_beat(struct ns *ns, struct ns_host *host)
{
    struct making making = {.job = {.run = make, .proved = true}, .host = host};
    if (host->share->rows == NULL) {
        return;
    }
    node_machine_job(host->machine, &making.job);
    if (making.over) {
        ns_trace(ns, host->id, "snapshot", st_newest(host->share->rows)->height, making.made);
        ns_share_close(host);
        sync_server_look(&host->share->server);
    }
}

/* ---- giving ---- */

void ns_share_message(struct ns *ns, struct ns_host *host, const struct ns_item *item)
{
    static uint8_t answer_bytes[SYNC_PART_SIZE];
    const struct sync_message *answer = NULL;
    struct nv_writer w;
    enum sync_served const served = sync_serve(&host->share->server,
                                               &answer,
                                               (uint32_t)item->b,
                                               ns->now_ns / NS_MS,
                                               host->head.height,
                                               item->a,
                                               nv_view_of(item->bytes->bytes, item->bytes->size));
    if (served == SYNC_SERVED_ANSWER) {
        nv_writer_init(&w, answer_bytes, sizeof answer_bytes);
        sync_encode(&w, answer);
        NV_ASSERT(!w.overflow);
        ns_net_send(ns, host, (uint32_t)item->b, (uint8_t)answer->type, nv_writer_view(&w));
    } else if (served == SYNC_SERVED_BAN) {
        ns_host_ban(ns, host, (uint32_t)item->b);
    }
}
