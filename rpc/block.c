#include "rpc/block.h"

#include "base/codec.h"

void rpc__block_write(struct rpc_json *json, const struct rpc_block *block)
{
    rpc__json_hash(json, "block_hash", &block->hash);
    rpc__json_number(json, "tx_count", block->tx_count);
    rpc__json_hex(json, "header", block->header);
    if (block->certificate.size > 0) {
        rpc__json_hex(json, "certificate", block->certificate);
    } else {
        rpc__json_null(json, "certificate");
    }
}

void rpc__block_write_transactions(struct rpc_json *json, const struct rpc_block *block)
{
    if (block->body.size == 0 && block->tx_count > 0) {
        rpc__json_null(json, "transactions");
        return;
    }
    struct nv_reader reader;
    nv_reader_init(&reader, block->body);
    rpc__json_array(json, "transactions");
    while (nv_reader_left(&reader) > 0) {
        uint32_t const size = nv_get_u32(&reader);
        struct nv_view const bytes = nv_get_view(&reader, size);
        if (reader.failed) {
            break;
        }
        rpc__json_hex(json, NULL, bytes);
    }
    rpc__json_end(json, ']');
}
