/* methods_node.c - rpc_* and node_*: the server's limits, how the node is. */

#include "base/heap.h"

#include "rpc/call.h"
#include "rpc/exchange.h"
#include "rpc/methods.h"
#include "rpc/status.h"

void rpc__rpc_limits(struct rpc_call *call)
{
    struct rpc *rpc = call->rpc;
    const struct rpc_limits *limits = &rpc->limits;
    struct rpc_json *out = &call->out;
    rpc__json_number(out, "connections", limits->connections);
    rpc__json_number(out, "connections_per_address", limits->connections_per_address);
    rpc__json_number(out, "body_bytes", limits->body_bytes);
    rpc__json_number(out, "answer_bytes", limits->answer_bytes);
    rpc__json_number(out, "output_bytes", limits->output_bytes);
    rpc__json_number(out, "batch_items", limits->batch_items);
    rpc__json_number(out, "in_flight", limits->in_flight);
    rpc__json_number(out, "subscriptions", limits->subscriptions);
    rpc__json_number(out, "calls_per_second", limits->calls_per_second);
    rpc__json_number(out, "calls_burst", limits->calls_burst);
    rpc__json_number(out, "idle_ms", limits->idle_ms);
    rpc__json_number(out, "request_ms", limits->request_ms);
    rpc__json_number(out, "resume_blocks", limits->resume_blocks);
    rpc__json_number(out,
                     "calls_left",
                     rpc__buckets_left(&rpc->buckets, &call->exchange->address, rpc__now(rpc)));
    rpc__json_object(out, "weights");
    for (uint32_t i = 0; i < rpc->method_count; i++) {
        rpc__json_number(out, rpc->methods[i].name, rpc->methods[i].weight);
    }
    rpc__json_end(out, '}');
}

void rpc__node_status(struct rpc_call *call)
{
    rpc__status_write(call->rpc, &call->out);
}

void rpc__node_version(struct rpc_call *call)
{
    struct rpc_status status = {.eta_ms = -1};
    call->rpc->port.status(call->rpc->port.ctx, &status);
    rpc__json_text(&call->out, "version", status.version);
    rpc__json_hash(&call->out, "chain_id", &status.chain_id);
}

static void write_peer(struct rpc_json *out, const struct rpc_peer *peer)
{
    rpc__json_object(out, NULL);
    rpc__json_pubkey(out, "node_key", &peer->key);
    rpc__json_text(out, "address", peer->address);
    rpc__json_text(out, "direction", peer->outbound ? "outbound" : "inbound");
    if (peer->validator >= 0) {
        rpc__json_number(out, "validator", peer->validator);
    } else {
        rpc__json_null(out, "validator");
    }
    rpc__json_u64(out, "finalized_height", peer->finalized_height);
    rpc__json_number(out, "connected_ms", (int64_t)peer->connected_ms);
    rpc__json_u64(out, "bytes_in", peer->bytes_in);
    rpc__json_u64(out, "bytes_out", peer->bytes_out);
    rpc__json_end(out, '}');
}

void rpc__node_peers(struct rpc_call *call)
{
    struct rpc_peer *peers = nv_heap_alloc(RPC_PEERS_MAX * sizeof *peers);
    if (peers == NULL) {
        rpc__call_fail(call, RPC_ERROR_BUSY);
        return;
    }
    uint32_t const count = call->rpc->port.peers(call->rpc->port.ctx, peers, RPC_PEERS_MAX);
    rpc__json_array(&call->out, "peers");
    for (uint32_t i = 0; i < count; i++) {
        write_peer(&call->out, &peers[i]);
    }
    rpc__json_end(&call->out, ']');
    nv_heap_free(peers);
}
