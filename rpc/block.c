#include "rpc/block.h"

#include "base/codec.h"

#include "consensus/header.h"
#include "rpc/server.h"
#include "vm/wire/wire.h"

/* write_header writes what a header says; nothing when it cannot be read. */
static void write_header(struct rpc_json *json, struct nv_view bytes)
{
    struct nv_reader reader;
    struct cs_header header;
    nv_reader_init(&reader, bytes);
    if (cs_header_get(&reader, &header) != NV_OK) {
        return;
    }
    rpc__json_hash(json, "parent_hash", &header.parent_hash);
    rpc__json_u64(json, "epoch", header.epoch);
    rpc__json_u64(json, "view", header.view);
    rpc__json_number(json, "block_time_ms", (int64_t)header.time_ms);
    rpc__json_number(json, "proposer", header.proposer);
    rpc__json_number(json, "body_size", header.body_size);
    rpc__json_u64(json, "executed_height", header.executed_height);
    rpc__json_hash(json, "state_root", &header.state_root);
}

void rpc__block_write(struct rpc_json *json, const struct rpc_block *block)
{
    rpc__json_hash(json, "block_hash", &block->hash);
    rpc__json_number(json, "tx_count", block->tx_count);
    write_header(json, block->header);
    rpc__json_hex(json, "header", block->header);
    if (block->certificate.size > 0) {
        rpc__json_hex(json, "certificate", block->certificate);
    } else {
        rpc__json_null(json, "certificate");
    }
}

void rpc__block_write_transactions(struct rpc_json *json,
                                   struct rpc *rpc,
                                   const struct rpc_block *block)
{
    if (block->body.size == 0 && block->tx_count > 0) {
        rpc__json_null(json, "transactions");
        return;
    }
    struct nv_reader reader;
    struct nv_reader receipts;
    struct rpc_status status = {.stage = RPC_STAGE_STARTING};
    rpc->port.status(rpc->port.ctx, &status);
    nv_reader_init(&reader, block->body);
    nv_reader_init(&receipts, block->receipts);
    rpc__json_array(json, "transactions");
    while (nv_reader_left(&reader) > 0) {
        uint32_t const size = nv_get_u32(&reader);
        struct nv_view const bytes = nv_get_view(&reader, size);
        struct nv_hash hash;
        if (reader.failed || vm_tx_hash_of(&hash, bytes, &status.chain_id) != NV_OK) {
            break;
        }
        rpc__json_object(json, NULL);
        rpc__json_hash(json, "tx_hash", &hash);
        rpc__json_hex(json, "bytes", bytes);
        if (nv_reader_left(&receipts) > 0) {
            rpc__json_hex(json, "receipt", nv_get_view(&receipts, nv_get_u32(&receipts)));
        } else {
            rpc__json_null(json, "receipt");
        }
        rpc__json_end(json, '}');
    }
    rpc__json_end(json, ']');
}
