#include <string.h>

#include "base/assert.h"

#include "consensus/body.h"
#include "node/journal/internal.h"
#include "storage/epochs.h"

enum part { PART_BLOCK, PART_FINAL, PART_EPOCH, PART_BODY, PART_EXECUTED };

/* read_record reads the record at a place into the memory of `part`. */
static enum nv_err read_record(struct node_blocks *b,
                               enum part part,
                               struct st_place place,
                               uint8_t type,
                               struct nv_view *payload)
{
    static const uint32_t at[] = {
        0,
        NODE_BLOCKS_PART,
        2u * NODE_BLOCKS_PART,
        3u * NODE_BLOCKS_PART,
        3u * NODE_BLOCKS_PART + NODE_BLOCKS_BODY,
        NODE_BLOCKS_READ_SIZE,
    };
    struct st_record record;
    if (place.segment == 0) {
        return NV_ERR_NOT_FOUND;
    }
    NV_TRY(st_reader_read(
        b->reader, &record, place, b->read_memory + at[part], at[part + 1] - at[part]));
    if (record.type != type) {
        return NV_ERR_CORRUPT;
    }
    *payload = record.bytes;
    return NV_OK;
}

/* read_block reads a block and compares its hash. */
static enum nv_err read_block(struct node_blocks *b,
                              struct st_place place,
                              const struct nv_hash *hash,
                              struct cs_header *header,
                              struct nv_view *payload)
{
    struct nv_reader r;
    struct nv_hash found;
    NV_TRY(read_record(b, PART_BLOCK, place, CS_RECORD_BLOCK, payload));
    nv_reader_init(&r, *payload);
    NV_TRY(cs_header_get(&r, header));
    cs_header_hash(&found, header);
    return nv_hash_eq(&found, hash) ? NV_OK : NV_ERR_CORRUPT;
}

static enum nv_err read_body(struct node_blocks *b,
                             struct st_place place,
                             const struct cs_header *header,
                             struct nv_view *body)
{
    struct nv_hash root;
    *body = nv_view_of(NULL, 0);
    if (header->body_size == 0) {
        return NV_OK;
    }
    struct nv_view payload;
    NV_TRY(read_record(b, PART_BODY, place, REPLICA_RECORD_BODY, &payload));
    if (payload.size != header->body_size + sizeof root.bytes) {
        return NV_ERR_CORRUPT;
    }
    *body = nv_view_of(payload.bytes + sizeof root.bytes, header->body_size);
    cs_body_root(&root, *body);
    return nv_hash_eq(&root, &header->body_root) ? NV_OK : NV_ERR_CORRUPT;
}

/* read_certificate reads the certificate of a FINAL record. */
static enum nv_err
read_certificate(struct node_blocks *b, struct st_place place, struct nv_view *certificate)
{
    struct nv_view payload;
    NV_TRY(read_record(b, PART_FINAL, place, CS_RECORD_FINAL, &payload));
    if (payload.size <= CS_HEADER_SIZE) {
        return NV_ERR_CORRUPT;
    }
    *certificate = nv_view_of(payload.bytes + CS_HEADER_SIZE, payload.size - CS_HEADER_SIZE);
    return NV_OK;
}

static enum nv_err
read_executed(struct node_blocks *b, struct st_place place, struct node_executed *out)
{
    struct nv_view payload;
    NV_TRY(read_record(b, PART_EXECUTED, place, NODE_RECORD_EXECUTED, &payload));
    return node_executed_get(out, payload) == NV_OK ? NV_OK : NV_ERR_CORRUPT;
}

/* executed_place finds the EXECUTED record of a height. */
static enum nv_err executed_place(struct node_blocks *b, uint64_t height, struct st_place *place)
{
    *place = node_blocks_executed(b, height);
    return place->segment != 0 ? NV_OK : st_db_block(b->db, place, height);
}

enum nv_err
node_blocks_read_executed(struct node_blocks *b, uint64_t height, struct node_executed *out)
{
    struct st_place place;
    NV_TRY(executed_place(b, height, &place));
    return read_executed(b, place, out);
}

/* A final block found by its height. */
struct found {
    struct nv_hash hash;
    struct node_places places;
};

static enum nv_err find_final(struct node_blocks *b, uint64_t height, struct found *out)
{
    const struct node_block_entry *const e = node_blocks__at(b, height);
    if (e != NULL && e->executed.segment == 0) {
        *out = (struct found){e->hash, {e->block, e->body, e->certificate, height}};
        return NV_OK;
    }
    struct node_executed executed;
    NV_TRY(node_blocks_read_executed(b, height, &executed));
    *out = (struct found){executed.block_hash, executed.places};
    if (e != NULL && e->certificate.segment != 0) {
        out->places.final = e->certificate;
        out->places.final_height = height;
    }
    return NV_OK;
}

enum nv_err node_blocks_header(struct node_blocks *b, uint64_t height, struct cs_header *out)
{
    struct found found;
    struct nv_view payload;
    NV_TRY(find_final(b, height, &found));
    return read_block(b, found.places.block, &found.hash, out, &payload);
}

/* ---- the replica's port ---- */

static enum nv_err by_height(void *ctx, uint64_t height, struct replica_stored *out)
{
    struct node_blocks *const b = ctx;
    struct found found;
    struct cs_header header;
    *out = (struct replica_stored){.final = nv_view_of(NULL, 0)};
    NV_TRY(find_final(b, height, &found));
    NV_TRY(read_block(b, found.places.block, &found.hash, &header, &out->block));
    bool const own = found.places.final_height == height && found.places.final.segment != 0;
    return own ? read_certificate(b, found.places.final, &out->final) : NV_OK;
}

/* find_hash finds the records of a block by its hash: in memory, or as one of
 * the hashes that the database leads to a height. */
static enum nv_err
find_hash(struct node_blocks *b, const struct nv_hash *hash, struct node_places *out)
{
    const struct node_block_entry *const e = node_blocks__find(b, hash);
    if (e != NULL && e->block.segment != 0) {
        *out = (struct node_places){e->block, e->body, e->certificate, e->height};
        return NV_OK;
    }
    struct st_tx_place place;
    struct found found;
    NV_TRY(st_db_tx(b->db, &place, hash));
    NV_TRY(find_final(b, place.height, &found));
    if (!nv_hash_eq(&found.hash, hash)) {
        return NV_ERR_NOT_FOUND; /* the hash of a transaction */
    }
    *out = found.places;
    out->final = out->final_height == place.height ? out->final : (struct st_place){0, 0};
    return NV_OK;
}

static enum nv_err by_hash(void *ctx, const struct nv_hash *hash, struct replica_stored *out)
{
    struct node_blocks *const b = ctx;
    struct cs_header header;
    struct node_places places;
    *out = (struct replica_stored){.final = nv_view_of(NULL, 0)};
    NV_TRY(find_hash(b, hash, &places));
    NV_TRY(read_block(b, places.block, hash, &header, &out->block));
    return places.final.segment == 0 ? NV_OK : read_certificate(b, places.final, &out->final);
}

static enum nv_err body(void *ctx, const struct nv_hash *hash, struct nv_view *out)
{
    struct node_blocks *const b = ctx;
    struct cs_header header;
    struct nv_view payload;
    struct node_places places;
    NV_TRY(find_hash(b, hash, &places));
    NV_TRY(read_block(b, places.block, hash, &header, &payload));
    return read_body(b, places.body, &header, out);
}

static enum nv_err epoch_end(void *ctx, uint64_t epoch, struct nv_view *out)
{
    struct node_blocks *const b = ctx;
    const struct node_block_epoch *const e = &b->epoch[epoch % NODE_BLOCKS_EPOCHS];
    struct cs_handover handover;
    struct nv_reader r;
    if (e->epoch == epoch && e->place.segment >= b->segment_first) {
        NV_TRY(read_record(b, PART_EPOCH, e->place, CS_RECORD_EPOCH, out));
    } else {
        NV_TRY(st_db_epoch(b->db, out, epoch, b->read_memory + PART_EPOCH * NODE_BLOCKS_PART));
    }
    nv_reader_init(&r, *out);
    bool const whole = cs_handover_get(&r, &handover) == NV_OK && handover.header.epoch == epoch;
    return whole ? NV_OK : NV_ERR_CORRUPT;
}

struct replica_store node_blocks_store(struct node_blocks *blocks)
{
    return (struct replica_store){blocks, by_height, by_hash, body, epoch_end};
}

/* ---- rpc's port ---- */

enum nv_err node_blocks_rpc_block(struct node_blocks *b, uint64_t height, struct rpc_block *out)
{
    struct found found;
    struct cs_header header;
    struct nv_view payload;
    *out = (struct rpc_block){.certificate = nv_view_of(NULL, 0)};
    NV_TRY(find_final(b, height, &found));
    NV_TRY(read_block(b, found.places.block, &found.hash, &header, &payload));
    NV_TRY(read_body(b, found.places.body, &header, &out->body));
    out->hash = found.hash;
    out->header = nv_view_of(payload.bytes, CS_HEADER_SIZE);
    out->tx_count = header.tx_count;
    struct node_executed executed;
    if (node_blocks_read_executed(b, height, &executed) == NV_OK) {
        out->receipts = executed.receipts;
    }
    return found.places.final.segment == 0
               ? NV_OK
               : read_certificate(b, found.places.final, &out->certificate);
}

enum nv_err node_blocks_rpc_epoch(struct node_blocks *b, uint64_t epoch, struct rpc_epoch *out)
{
    struct nv_reader r;
    struct nv_view bytes;
    struct cs_handover end;
    NV_TRY(epoch_end(b, epoch, &bytes));
    nv_reader_init(&r, bytes);
    NV_TRY(cs_handover_get(&r, &end));
    cs_header_hash(&out->hash, &end.header);
    out->header = nv_view_of(bytes.bytes, CS_HEADER_SIZE);
    out->certificate =
        nv_view_of(bytes.bytes + CS_HEADER_SIZE, bytes.size - CS_HEADER_SIZE - end.set.size);
    out->next_validators = end.set;
    return NV_OK;
}

static enum nv_err nth_tx(struct nv_view whole, uint32_t index, struct nv_view *out)
{
    struct nv_reader r;
    nv_reader_init(&r, whole);
    for (uint32_t i = 0; i <= index; i++) {
        if (!cs_body_next(&r, out)) {
            return NV_ERR_CORRUPT;
        }
    }
    return NV_OK;
}

enum nv_err node_blocks_tx_bytes(struct node_blocks *b,
                                 const struct nv_hash *block_hash,
                                 uint32_t index,
                                 struct nv_view *out)
{
    struct nv_view whole;
    NV_TRY(body(b, block_hash, &whole));
    return nth_tx(whole, index, out);
}

static bool find_tx(struct node_blocks *b, const struct nv_hash *hash, struct st_tx_place *place)
{
    uint32_t at = 0;
    if (nv_critbit_lookup(b->by_tx, hash->bytes, &at)) {
        *place = b->tx[at].place;
        return true;
    }
    return st_db_tx(b->db, place, hash) == NV_OK;
}

enum nv_err
node_blocks_rpc_tx(struct node_blocks *b, const struct nv_hash *hash, struct rpc_tx *out)
{
    struct st_tx_place place;
    struct node_executed executed;
    struct rpc_block block;
    if (!find_tx(b, hash, &place)) {
        return NV_ERR_NOT_FOUND;
    }
    NV_TRY(node_blocks_rpc_block(b, place.height, &block));
    NV_TRY(node_blocks_read_executed(b, place.height, &executed));
    if (place.index >= executed.tx_count) {
        return NV_ERR_NOT_FOUND; /* the hash of a block */
    }
    struct nv_view bytes;
    NV_TRY(nth_tx(block.body, place.index, &bytes));
    *out = (struct rpc_tx){
        .state = RPC_TX_FINAL,
        .height = place.height,
        .index = place.index,
        .bytes = bytes,
        .receipt = node_executed_receipt(&executed, place.index),
        .receipts = executed.receipts,
        .receipt_count = executed.tx_count,
    };
    return NV_OK;
}
