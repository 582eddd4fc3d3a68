/* snapshot.c - makes snapshots for those who join, and answers them. */

#include <string.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/heap.h"
#include "base/log.h"

#include "node/runtime/internal.h"
#include "node/sync/anchor.h"
#include "node/sync/maker.h"
#include "node/sync/serve.h"
#include "vm/rows.h"

#define LATER_MAX 4000u /* blocks in which a later header must come; less than VM_RING */
#define PROOF_MAX 8192u

/* What the making of one needs; a job for the thread that owns the state. */
struct node_making {
    struct rpc_job job;             /* first */
    bool asked;                     /* the job is under way */
    struct node_snapshot *snapshot; /* NULL: nothing is being made */
    bool handed;                    /* the maker has it */
    bool found;                     /* the job's answer: */
    uint32_t proof_size;
    uint32_t certificate_size;
    uint8_t header[CS_HEADER_SIZE];
    uint8_t certificate[CS_CERTIFICATE_SIZE_MAX];
    uint8_t proof[PROOF_MAX];
};

struct node_sharing {
    struct node_making making;
    struct node_maker *maker;
    struct sync_server server;
    uint8_t bytes[SYNC_PART_SIZE]; /* of an answer */
};

/* ---- life ---- */

bool node_sharing_open(struct node *n)
{
    struct st_snapshots const at = node_snapshots(n);
    n->sharing = nv_heap_reserve(sizeof *n->sharing);
    if (n->sharing == NULL) {
        return false;
    }
    enum nv_err const err = st_snapshot_tidy(&at, 0); /* what a kill has left */
    if (err != NV_OK) {
        nv_log(NV_LOG_WARN, "event=snapshots_untidy error=\"%s\"", nv_err_text(err));
    }
    sync_server_open(&n->sharing->server, &at);
    return node_maker_start(&n->sharing->maker, &at, &n->mail) == NV_OK;
}

static void drop(struct node_making *making)
{
    if (making->snapshot != NULL) {
        st_state_close(making->snapshot->rows);
        nv_heap_free(making->snapshot);
        making->snapshot = NULL;
        making->handed = false;
    }
}

void node_sharing_stop(struct node *n)
{
    if (n->sharing != NULL) {
        node_maker_stop(n->sharing->maker);
        n->sharing->maker = NULL;
    }
}

void node_sharing_close(struct node *n)
{
    if (n->sharing == NULL) {
        return;
    }
    drop(&n->sharing->making); /* rows that the maker had are closed */
    nv_heap_unreserve(n->sharing, sizeof *n->sharing);
    n->sharing = NULL;
}

struct st_snapshots node_snapshots(struct node *n)
{
    return (struct st_snapshots){.files = st_files_system(), .dir = n->home.snapshots_dir};
}

/* ---- making ---- */

bool node_sharing_wants(const struct node *n, uint64_t height)
{
    uint64_t const every = node_config_number(n->config, NODE_SNAPSHOT_EVERY);
    return every > 0 && height % every == 0 && n->sharing->making.snapshot == NULL;
}

void node_sharing_copied(struct node *n, struct st_state *rows)
{
    struct node_making *const making = &n->sharing->making;
    NV_ASSERT(making->snapshot == NULL);
    making->snapshot = nv_heap_alloc(sizeof *making->snapshot);
    if (making->snapshot == NULL) {
        st_state_close(rows);
        return;
    }
    making->snapshot->rows = rows;
    making->snapshot->height = st_newest(rows)->height;
    making->handed = false;
}

/* find_later runs where the state is: the newest header that names a height not
 * below the snapshot's, and the proof of the snapshot's root under it. */
static void find_later(struct rpc_job *job, const struct rpc_state *state)
{
    struct node_making *const making = (struct node_making *)job;
    uint64_t const height = making->snapshot->height;
    struct nv_writer w;
    struct nv_row_range range;
    making->found = state->head.height >= height && state->header.size == CS_HEADER_SIZE;
    if (!making->found) {
        return;
    }
    memcpy(making->header, state->header.bytes, sizeof making->header);
    memcpy(making->certificate, state->certificate.bytes, state->certificate.size);
    making->certificate_size = state->certificate.size;
    making->proof_size = 0;
    if (state->head.height > height) {
        nv_writer_init(&w, making->proof, sizeof making->proof);
        vm_key_root(&range.first, height);
        range.last = range.first;
        making->found = state->ops->prove(state->ctx, &w, &range, 1) == NV_OK;
        making->proof_size = w.size;
    }
}

/* put_anchor writes the anchor into the snapshot; false: its block was not finalized
 * by itself but with a later one, and there is none. */
static bool put_anchor(struct node *n)
{
    struct node_making *const making = &n->sharing->making;
    struct node_snapshot *const snapshot = making->snapshot;
    struct replica_store const store = node_blocks_store(n->blocks);
    struct replica_stored stored;
    struct nv_writer w;
    if (store.by_height(store.ctx, snapshot->height, &stored) != NV_OK || stored.final.size == 0) {
        return false;
    }
    struct sync_anchor const anchor = {
        .block = stored.block,
        .final = stored.final,
        .later_header = nv_view_of(making->header, sizeof making->header),
        .later_final = nv_view_of(making->certificate, making->certificate_size),
        .proof = nv_view_of(making->proof, making->proof_size),
    };
    nv_writer_init(&w, snapshot->anchor, sizeof snapshot->anchor);
    sync_anchor_put(&w, &anchor);
    snapshot->anchor_size = w.size;
    return !w.overflow;
}

static void fail(struct node_making *making, const char *why)
{
    nv_log(NV_LOG_WARN,
           "event=snapshot_failed height=%" NV_U64 " error=\"%s\"",
           making->snapshot->height,
           why);
    drop(making);
}

bool node_sharing_job(struct node *n, struct rpc_job *job)
{
    struct node_making *const making = &n->sharing->making;
    if (job != &making->job) {
        return false;
    }
    making->asked = false;
    if (job->err != NV_OK || !making->found) {
        return true; /* not yet */
    }
    if (!put_anchor(n)) {
        fail(making, "its block has no finalization of its own");
        return true;
    }
    making->handed = true;
    node_maker_make(n->sharing->maker, making->snapshot);
    return true;
}

void node_sharing_made(struct node *n, struct node_mail *mail)
{
    struct node_making *const making = &n->sharing->making;
    struct node_snapshot *const snapshot = (struct node_snapshot *)mail;
    NV_ASSERT(snapshot == making->snapshot);
    if (snapshot->err != NV_OK) {
        fail(making, nv_err_text(snapshot->err));
        return;
    }
    nv_log(NV_LOG_INFO, "event=snapshot height=%" NV_U64, snapshot->height);
    sync_server_look(&n->sharing->server);
    drop(making);
}

void node_sharing_beat(struct node *n)
{
    struct node_making *const making = &n->sharing->making;
    if (making->snapshot == NULL || making->handed || making->asked || n->stopping) {
        return;
    }
    if (n->head.height > making->snapshot->height + LATER_MAX) {
        fail(making, "no header names its root");
        return;
    }
    making->job = (struct rpc_job){.run = find_later, .proved = true};
    making->asked = node_executor_read(n->executor, &making->job) == NV_OK;
}

bool node_sharing_quiet(const struct node *n)
{
    return !n->sharing->making.asked && !n->sharing->making.handed;
}

/* ---- answering ---- */

void node_sharing_message(struct node *n, const struct node_inbox_item *item)
{
    struct node_sharing *const sharing = n->sharing;
    const struct sync_message *answer = NULL;
    struct nv_writer w;
    switch (sync_serve(&sharing->server,
                       &answer,
                       item->peer,
                       uv_now(&n->loop),
                       n->head.height,
                       item->type,
                       item->bytes)) {
    case SYNC_SERVED_ANSWER: break;
    case SYNC_SERVED_NOTHING: return;
    case SYNC_SERVED_BAN:
        node_p2p_ban(n, item->peer, "its message about snapshots is none");
        return;
    }
    nv_writer_init(&w, sharing->bytes, sizeof sharing->bytes);
    sync_encode(&w, answer);
    NV_ASSERT(!w.overflow);
    node_sync_send(n, item->peer, (uint8_t)answer->type, nv_writer_view(&w));
}

void node_sync_send(struct node *n, uint32_t peer, uint8_t type, struct nv_view bytes)
{
    struct p2p_message const message = {.lane = P2P_LANE_1, .type = type, .payload = bytes};
    (void)p2p_send(n->p2p, peer, &message); /* who misses it asks again */
}
