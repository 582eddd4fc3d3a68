/* rpc.c - what the RPC server asks of the node, and what it is told. */

#include <string.h>

#include "base/fmt.h"
#include "base/heap.h"
#include "base/log.h"

#include "node/runtime/internal.h"
#include "vm/receipt.h"

/* The codes of refusals that the server itself gives. */
enum {
#define XX(symbol, code, http, name, text, hint) ERROR_##symbol = (code),
#include "rpc/errors.def"
#undef XX
};

#define RETRY_MS 500u

/* ---- answers ---- */

static uint32_t refusal_code(enum replica_refusal refusal)
{
    switch (refusal) {
    case REPLICA_TX_TAKEN:
    case REPLICA_TX_DUPLICATE: return 0;
    case REPLICA_TX_MALFORMED: return ERROR_TX_MALFORMED;
    case REPLICA_TX_SIGNATURE: return ERROR_TX_SIGNATURE;
    case REPLICA_TX_EXPIRED: return VM_REJECT_EXPIRED;
    case REPLICA_TX_EXPIRY_FAR: return VM_REJECT_EXPIRY_FAR;
    case REPLICA_TX_NO_ACCOUNT: return VM_REJECT_ACCOUNT_UNKNOWN;
    case REPLICA_TX_UNPAID: return VM_REJECT_FEE;
    case REPLICA_TX_KEY_UNKNOWN: return VM_REJECT_KEY_UNKNOWN;
    case REPLICA_TX_KEY_EXPIRED: return VM_REJECT_KEY_EXPIRED;
    case REPLICA_TX_KEY_SCOPE: return VM_REJECT_KEY_SCOPE;
    case REPLICA_TX_FULL:
    case REPLICA_TX_SESSION_FULL:
    case REPLICA_TX_ACCOUNT_FULL: return ERROR_MEMPOOL_FULL;
    }
    return ERROR_MEMPOOL_FULL;
}

void node_rpc_verdict(struct node *n, const struct replica_op *op)
{
    enum replica_refusal const refusal = op->verdict.refusal;
    struct rpc_verdict verdict = {
        .outcome = RPC_SUBMIT_REFUSED,
        .tx_hash = op->verdict.hash,
        .reason = refusal_code(refusal),
    };
    if (refusal == REPLICA_TX_TAKEN) {
        verdict.outcome = RPC_SUBMIT_ACCEPTED;
    } else if (refusal == REPLICA_TX_DUPLICATE) {
        verdict.outcome = RPC_SUBMIT_DUPLICATE;
    } else if (verdict.reason == ERROR_MEMPOOL_FULL) {
        verdict.retry_after_ms = RETRY_MS;
    }
    rpc_submitted(n->rpc, op->verdict.ticket, &verdict);
}

void node_rpc_dropped(struct node *n, const struct nv_hash *tx_hash)
{
    rpc_dropped(n->rpc, tx_hash, VM_REJECT_EXPIRED);
}

void node_rpc_executed(struct node *n, const struct node_result *result)
{
    struct rpc_executed const executed = {
        .head = result->head,
        .events = result->events,
        .event_count = result->event_count,
        .writes = result->writes,
        .write_count = result->write_count,
        .txs = result->txs,
        .tx_count = result->tx_count,
    };
    rpc_publish(n->rpc, &executed);
}

void node_rpc_trace(struct node *n, const struct replica_op *op)
{
    struct rpc_round round = {.view = op->trace.view, .time_ms = node_now().wall_ms};
    uint64_t const a = op->trace.a;
    nv_log(NV_LOG_DEBUG,
           "event=consensus step=%s view=%" NV_U64 " a=%" NV_U64,
           cs_trace_name(op->trace.code),
           op->trace.view,
           a);
    switch (op->trace.code) {
    case CS_TRACE_ENTER: round.step = RPC_ROUND_ENTERED; break;
    case CS_TRACE_PROPOSE:
        round.step = RPC_ROUND_PROPOSED;
        round.height = a;
        break;
    case CS_TRACE_CERTIFICATE:
        round.step = a == CS_NULLIFY ? RPC_ROUND_NULLIFIED : RPC_ROUND_NOTARISED;
        break;
    case CS_TRACE_FINAL:
        round.step = RPC_ROUND_FINALISED;
        round.height = a;
        break;
    case CS_TRACE_BEHIND: n->target_height = a > n->target_height ? a : n->target_height; return;
    case CS_TRACE_PAST_FORK:
        nv_log(NV_LOG_WARN,
               "event=past_fork epoch=%" NV_U64 " effect=none: its stake is not bound any more",
               a);
        return;
    case CS_TRACE_VOTE:
    case CS_TRACE_TIMEOUT:
    case CS_TRACE_INVALID:
    case CS_TRACE_EPOCH: return;
    }
    round.leader = replica_leader(n->replica, op->trace.view);
    rpc_publish_round(n->rpc, &round);
}

/* ---- the port: transactions and state ---- */

static void submit(void *ctx, struct nv_view tx, uint64_t ticket)
{
    struct node *const n = ctx;
    struct node_inbox_item const item = {
        .kind = NODE_ITEM_TX, .peer = CS_NOBODY, .ticket = ticket, .bytes = tx};
    if (tx.size > P2P_TRANSACTION_MAX || !node_inbox_put(&n->inbox[NODE_LANE_TXS], &item)) {
        bool const large = tx.size > P2P_TRANSACTION_MAX;
        struct rpc_verdict const verdict = {
            .outcome = RPC_SUBMIT_REFUSED,
            .reason = large ? ERROR_TX_MALFORMED : ERROR_MEMPOOL_FULL,
            .retry_after_ms = large ? 0 : RETRY_MS,
        };
        rpc_submitted(n->rpc, ticket, &verdict);
    }
}

static enum nv_err run_on_state(void *ctx, struct rpc_job *job)
{
    struct node *const n = ctx;
    return node_executor_read(n->executor, job);
}

/* find_waiting looks among the blocks that are final but not yet in the
 * index: executing, or without a record. */
static bool find_waiting(struct node *n, const struct nv_hash *hash, struct rpc_tx *out)
{
    for (const struct node_result *r = n->store.first_result; r != NULL; r = r->next) {
        for (uint32_t i = 0; i < r->tx_count; i++) {
            if (nv_hash_eq(&r->txs[i].hash, hash)) {
                *out = (struct rpc_tx){
                    .state = RPC_TX_FINAL,
                    .height = r->head.height,
                    .index = i,
                    .receipt = r->txs[i].receipt,
                };
                return node_blocks_tx_bytes(n->blocks, &r->head.block_hash, i, &out->bytes) ==
                       NV_OK;
            }
        }
    }
    for (uint32_t b = 0; b < n->executing_count; b++) {
        const struct replica_block *const block = n->executing[b];
        for (uint32_t i = 0; i < block->tx_count; i++) {
            if (nv_hash_eq(&block->txs[i].hash, hash)) {
                *out = (struct rpc_tx){.state = RPC_TX_PENDING, .bytes = block->txs[i].bytes};
                return true;
            }
        }
    }
    return false;
}

static enum nv_err get_tx(void *ctx, const struct nv_hash *hash, struct rpc_tx *out)
{
    struct node *const n = ctx;
    enum nv_err const err = node_blocks_rpc_tx(n->blocks, hash, out);
    if (err != NV_ERR_NOT_FOUND || find_waiting(n, hash, out)) {
        return err == NV_ERR_NOT_FOUND ? NV_OK : err;
    }
    *out = (struct rpc_tx){.state = RPC_TX_PENDING};
    return node_mempool_has(replica_mempool(n->replica), hash, &out->bytes) ? NV_OK : err;
}

static enum nv_err get_block(void *ctx, uint64_t height, struct rpc_block *out)
{
    struct node *const n = ctx;
    return node_blocks_rpc_block(n->blocks, height, out);
}

static enum nv_err get_epoch(void *ctx, uint64_t epoch, struct rpc_epoch *out)
{
    struct node *const n = ctx;
    return node_blocks_rpc_epoch(n->blocks, epoch, out);
}

static struct nv_view get_genesis(void *ctx)
{
    const struct node *const n = ctx;
    return n->home.genesis.text;
}

/* ---- the port: pages of rows ---- */

static void get_rows(void *ctx, struct rpc_rows *rows)
{
    struct node *const n = ctx;
    struct node_page *const page = nv_heap_alloc(sizeof *page);
    if (page == NULL) {
        rows->err = NV_ERR_NO_MEMORY;
        rpc_rows_done(n->rpc, rows);
        return;
    }
    page->rows = rows;
    node_checkpointer_page(n->checkpointer, page);
}

/* name_root finds the final header that names the root of a page's checkpoint,
 * among those that follow it soon. */
static void name_root(struct node *n, struct rpc_rows *rows)
{
    uint64_t const height = rows->head.height;
    for (uint64_t h = height + 1; h <= height + 64; h++) {
        struct cs_header header;
        struct rpc_block block;
        if (node_blocks_header(n->blocks, h, &header) != NV_OK || header.executed_height > height) {
            return;
        }
        if (header.executed_height == height &&
            node_blocks_rpc_block(n->blocks, h, &block) == NV_OK) {
            rows->header = block.header;
            rows->certificate = block.certificate;
            return;
        }
    }
}

void node_rpc_page(struct node *n, struct node_page *page)
{
    struct rpc_rows *const rows = page->rows;
    nv_heap_free(page);
    rows->header = nv_view_of(NULL, 0);
    rows->certificate = nv_view_of(NULL, 0);
    if (rows->err == NV_OK) {
        struct cs_header header;
        rows->head.time_ms = n->home.genesis.vm.time_ms;
        if (node_blocks_header(n->blocks, rows->head.height, &header) == NV_OK) {
            rows->head.time_ms = header.time_ms;
        }
        name_root(n, rows);
    }
    rpc_rows_done(n->rpc, rows);
}

/* ---- opening ---- */

static bool fill_config(struct node *n, struct rpc_config *config)
{
    struct node_config *const c = n->config;
    *config = (struct rpc_config){
        .loop = &n->loop,
        .listen = node_config_text(c, NODE_RPC_LISTEN),
        .metrics =
            node_config_none(c, NODE_RPC_METRICS) ? NULL : node_config_text(c, NODE_RPC_METRICS),
        .limits =
            {
                .connections = (uint32_t)node_config_number(c, NODE_LIMITS_RPC_CONNECTIONS),
                .connections_per_address =
                    (uint32_t)node_config_number(c, NODE_LIMITS_RPC_CONNECTIONS_PER_ADDRESS),
                .calls_per_second =
                    (uint32_t)node_config_number(c, NODE_LIMITS_RPC_CALLS_PER_SECOND),
            },
        .devnet = n->home.genesis.devnet,
    };
    return node_config_list(
               c, NODE_RPC_HOSTS, config->hosts, &config->host_count, RPC_HOSTS_MAX, n->fault) &&
           node_config_list(c,
                            NODE_RPC_ORIGINS,
                            config->origins,
                            &config->origin_count,
                            RPC_HOSTS_MAX,
                            n->fault);
}

bool node_rpc_listen(struct node *n, const struct rpc_port *port)
{
    struct rpc_config config;
    if (!fill_config(n, &config)) {
        return false;
    }
    enum nv_err const err = rpc_open(&n->rpc, &config, port);
    if (err != NV_OK) {
        node_fault_set(n->fault,
                       err == NV_ERR_BUSY ? NODE_EXIT_FAILED : NODE_EXIT_CONFIG,
                       err == NV_ERR_BUSY
                           ? "stop the program that listens there, or set rpc.listen, rpc.metrics"
                           : "see rpc.listen, rpc.metrics",
                       "rpc cannot be opened (rpc.listen is %s, rpc.metrics %s): %s",
                       config.listen,
                       node_config_text(n->config, NODE_RPC_METRICS),
                       nv_err_text(err));
        return false;
    }
    return true;
}

uint32_t node_rpc_full(void)
{
    return ERROR_MEMPOOL_FULL;
}

bool node_rpc_open(struct node *n)
{
    struct rpc_port const port = {
        .ctx = n,
        .run_on_state = run_on_state,
        .submit = submit,
        .status = node_rpc_status,
        .peers = node_rpc_peers,
        .validators = node_rpc_validators,
        .block = get_block,
        .tx = get_tx,
        .epoch = get_epoch,
        .genesis = get_genesis,
        .rows = get_rows,
        .metrics = node_rpc_metrics,
    };
    if (!node_rpc_listen(n, &port)) {
        return false;
    }
    struct rpc_executed const start = {.head = n->head};
    rpc_publish(n->rpc, &start);
    return true;
}
