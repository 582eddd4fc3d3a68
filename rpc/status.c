#include "rpc/status.h"

#include <stdio.h>

#include "rpc/json_write.h"
#include "rpc/server.h"

static const char *stage_name(enum rpc_stage stage)
{
    switch (stage) {
    case RPC_STAGE_STARTING: return "starting";
    case RPC_STAGE_SYNCING: return "syncing";
    case RPC_STAGE_READY: return "ready";
    case RPC_STAGE_HALTED: return "halted";
    case RPC_STAGE_STOPPING: return "stopping";
    }
    return "unknown";
}

static void write_progress(const struct rpc_status *status, struct rpc_json *json)
{
    rpc__json_text(json, "stage", stage_name(status->stage));
    rpc__json_text(json, "note", status->note[0] != '\0' ? status->note : NULL);
    rpc__json_number(json, "progress_permille", status->progress_permille);
    rpc__json_number(json, "blocks_per_second", status->blocks_per_second);
    if (status->rows_of > 0) {
        rpc__json_object(json, "snapshot");
        rpc__json_u64(json, "rows", status->rows);
        rpc__json_u64(json, "rows_of", status->rows_of);
        rpc__json_number(json, "rows_per_second", status->rows_per_second);
        rpc__json_end(json, '}');
    }
    if (status->eta_ms >= 0) {
        rpc__json_number(json, "eta_ms", status->eta_ms);
    } else {
        rpc__json_null(json, "eta_ms");
    }
}

static void write_chain(const struct rpc_status *status, struct rpc_json *json)
{
    rpc__json_u64(json, "epoch", status->epoch);
    rpc__json_u64(json, "view", status->view);
    rpc__json_u64(json, "finalized_height", status->finalized_height);
    rpc__json_u64(json, "target_height", status->target_height);
    rpc__json_object(json, "executed");
    rpc__json_u64(json, "height", status->executed.height);
    rpc__json_hash(json, "block_hash", &status->executed.block_hash);
    rpc__json_hash(json, "state_root", &status->executed.state_root);
    rpc__json_number(json, "block_time_ms", (int64_t)status->executed.time_ms);
    rpc__json_end(json, '}');
    rpc__json_number(json, "server_time_ms", (int64_t)status->server_time_ms);
}

void rpc__status_write(struct rpc *rpc, struct rpc_json *json)
{
    struct rpc_status status = {.eta_ms = -1};
    rpc->port.status(rpc->port.ctx, &status);
    rpc__json_text(json, "name", status.name);
    rpc__json_text(json, "version", status.version);
    rpc__json_hash(json, "chain_id", &status.chain_id);
    rpc__json_bool(json, "devnet", status.devnet);
    rpc__json_pubkey(json, "node_key", &status.node_key);
    if (status.validator >= 0) {
        rpc__json_number(json, "validator", status.validator);
    } else {
        rpc__json_null(json, "validator");
    }
    write_progress(&status, json);
    write_chain(&status, json);
    rpc__json_number(json, "peers", status.peers);
    rpc__json_number(json, "mempool_transactions", status.mempool_count);
    rpc__json_u64(json, "mempool_bytes", status.mempool_bytes);
    rpc__json_u64(json, "disk_used_bytes", status.disk_used_bytes);
    rpc__json_u64(json, "disk_free_bytes", status.disk_free_bytes);
    rpc__json_number(json, "connections", rpc->conn_count);
}

bool rpc__status_ready(struct rpc *rpc, char reason[RPC_NAME_CAP])
{
    struct rpc_status status = {.eta_ms = -1};
    rpc->port.status(rpc->port.ctx, &status);
    if (status.stage != RPC_STAGE_READY) {
        const char *note = status.note[0] != '\0' ? status.note : stage_name(status.stage);
        snprintf(reason, RPC_NAME_CAP, "%s", note);
        return false;
    }
    if (!rpc->has_head || !rpc->catalogue.loaded) {
        snprintf(reason, RPC_NAME_CAP, "no state to answer from yet");
        return false;
    }
    return true;
}
