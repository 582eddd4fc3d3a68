/* open.c - the parts of a node, opened in their order and closed in
 * the reverse. */

#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"

#include "node/runtime/internal.h"
#include "vm/params.h"

#define WINDOW_MAX (4u << 20) /* a minute of full blocks, by far */
#define MARGIN_NS  UINT64_C(20000000)
#define AHEAD_MS   500u
#define BEHIND_MS  2000u
#define LISTEN_NS  UINT64_C(2000000000)
#define OLD_MS     60000u /* a genesis of that age is not just being started */
#define STATUS_NS  UINT64_C(5000000000)
#define FOLLOW_NS  UINT64_C(500000000) /* a follower hears of new blocks by asking */
#define VIEWS_MAX  1024u

/* ---- the replica ---- */

static struct cs_config consensus_config(const struct node *n)
{
    const struct node_genesis *const g = &n->home.genesis;
    uint64_t const delay_ns = (uint64_t)g->delta_ms * 1000000u;
    struct cs_config config = {
        .chain_id = g->chain_id,
        .genesis_root = n->home.chain.genesis_root,
        .params_hash = n->home.chain.params_hash,
        .genesis_time_ms = g->vm.time_ms,
        .valset = &n->home.valset,
        .validators_max = (uint32_t)node_genesis_param(g, VM_PARAM_VALIDATORS_MAX),
        .epoch_ms = g->epoch_ms,
        .evidence_epochs = (uint64_t)node_genesis_param(g, VM_PARAM_EVIDENCE_EPOCHS),
        .evidence_ms = (uint64_t)node_genesis_param(g, VM_PARAM_EVIDENCE_TIME),
        .delay_ns = delay_ns,
        .margin_ns = MARGIN_NS,
        .idle_ms = g->idle_ms,
        .pace_ms = g->interval_min_ms,
        .ahead_ms = AHEAD_MS,
        .behind_ms = BEHIND_MS,
        .body_size_max = g->body_bytes_max,
        .listen_ns = 2 * delay_ns > LISTEN_NS ? 2 * delay_ns : LISTEN_NS,
        .listen_first = node_now().wall_ms > g->vm.time_ms + OLD_MS,
        .sit_out_until_ms = n->home.sit_out_until_ms,
        .status_ns = STATUS_NS,
        .follow_ns = FOLLOW_NS,
        .views_max = VIEWS_MAX,
    };
    if (node_home_may_vote(&n->home)) {
        config.seckey = n->home.validator->secret;
    }
    return config;
}

static bool open_replica(struct node *n)
{
    struct node_config *const c = n->config;
    struct nv_pubkey node_keys[CS_VALIDATORS_MAX];
    struct node_blocks_options const blocks = {
        .journal = n->home.journal_options,
        .db = n->home.db,
        .validator_count = n->home.valset.count,
        .txs_max = NODE_TXS_PER_CHECKPOINT,
    };
    enum nv_err err = node_blocks_open(&n->blocks, &blocks);
    if (err != NV_OK) {
        return node_not_opened(n, "the index of blocks cannot be opened", err);
    }
    for (uint32_t i = 0; i < n->home.valset.count; i++) {
        node_keys[i] = n->home.genesis.validators[i].node_key;
    }
    struct replica_config const config = {
        .consensus = consensus_config(n),
        .node_keys = node_keys,
        .store = node_blocks_store(n->blocks),
        .mempool =
            {
                .count_max = (uint32_t)node_config_number(c, NODE_LIMITS_MEMPOOL_COUNT),
                .account_count_max =
                    (uint32_t)node_config_number(c, NODE_LIMITS_MEMPOOL_ACCOUNT_COUNT),
                .bytes_max = node_config_number(c, NODE_LIMITS_MEMPOOL_MIB) << 20,
            },
        .window_max = WINDOW_MAX,
        .accounts_max = vm_limits_devnet().accounts_max,
        .sessions_max = vm_limits_devnet().sessions_max,
    };
    err = replica_open(&n->replica, &config);
    return err == NV_OK || node_not_opened(n, "the replica cannot be opened", err);
}

/* ---- threads ---- */

static bool open_memory(struct node *n)
{
    enum nv_err err = node_inboxes_open(n);
    err = err != NV_OK ? err : node_store_open(&n->store, n->home.journal_options.batch_max);
    return err == NV_OK || node_not_opened(n, "memory", err);
}

static bool start_threads(struct node *n)
{
    uint32_t const workers = (uint32_t)node_config_number(n->config, NODE_LIMITS_WORKERS);
    char text[16];
    (void)snprintf(text, sizeof text, "%u", (unsigned)workers);
    int const result = setenv("UV_THREADPOOL_SIZE", text, 0);
    NV_ASSERT(result == 0);
    for (uint32_t i = 0; i < NODE_WORKERS_MAX && i < workers * 4; i++) {
        n->work[i].node = n;
        n->work[i].next = n->free_work;
        n->free_work = &n->work[i];
    }
    uint32_t const rows = (uint32_t)node_config_number(n->config, NODE_LIMITS_CHECKPOINT_ROWS);
    enum nv_err err = node_journal_thread_start(&n->journal, n->home.journal, &n->mail);
    if (err == NV_OK) {
        uint64_t const every = node_config_number(n->config, NODE_SNAPSHOT_EVERY);
        err = node_executor_start(&n->executor, n->machine, rows, every, &n->mail);
    }
    if (err == NV_OK) {
        err = node_checkpointer_start(&n->checkpointer, n->home.db, &n->mail);
    }
    if (err == NV_OK && !node_sharing_open(n)) {
        err = NV_ERR_NO_MEMORY;
    }
    return err == NV_OK || node_not_opened(n, "a thread cannot be started", err);
}

bool node_recover(struct node *n)
{
    return node_home_open(&n->home, n->config, n->fault) && open_memory(n) && node_join(n) &&
           node_state_open(n) && node_state_load(n) && open_replica(n) && node_state_replay(n);
}

bool node_open(struct node *n)
{
    bool const ok = node_recover(n) && start_threads(n) && node_p2p_open(n) && node_rpc_open(n);
    n->started_ns = uv_hrtime();
    n->head_at_ns = n->started_ns;
    n->store.checkpoint_at_ns = n->started_ns;
    n->rate_at_ns = n->started_ns;
    n->rate_height = n->head.height;
    return ok;
}

void node_abandon(struct node *n)
{
    if (n->p2p != NULL) {
        p2p_close(n->p2p, NULL, NULL);
    }
    if (n->rpc != NULL) {
        rpc_close(n->rpc, NULL, NULL);
    }
}

/* drop_mail frees what came back too late. */
static void drop_mail(struct node *n)
{
    struct node_mail *mail = NULL;
    while ((mail = node_mailbox_try(&n->mail)) != NULL) {
        if (mail->kind == NODE_MAIL_RESULT) {
            node_result_free((struct node_result *)mail);
        }
    }
}

void node_close_parts(struct node *n)
{
    if (n->executor != NULL) {
        node_executor_stop(n->executor);
    }
    node_checkpointer_stop(n->checkpointer);
    node_journal_thread_stop(n->journal);
    if (n->journal != NULL && n->code == NODE_EXIT_OK) {
        node_home_leave(&n->home, &n->store.own);
    }
    node_sharing_stop(n);
    drop_mail(n);
    node_sharing_close(n);
    node_executor_close(n->executor);
    node_mailbox_deinit(&n->mail);
    replica_close(n->replica);
    node_machine_close(n->machine);
    node_blocks_close(n->blocks);
    node_store_close(&n->store);
    node_inboxes_close(n);
    node_home_close(&n->home);
}
