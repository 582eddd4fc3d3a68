#include "tools/derive_block.h"

#include <jansson.h>

#include "base/fmt.h"
#include "base/heap.h"

#include "consensus/body.h"
#include "tools/shown.h"
#include "vm/wire/wire.h"

static json_t *header_members(const struct cs_light_final *final)
{
    const struct cs_header *const header = &final->header;
    json_t *const out = json_object();
    put_u64(out, "height", header->height);
    put_hex(out, "block_hash", final->hash.bytes, sizeof final->hash.bytes);
    put_count(out, "tx_count", header->tx_count);
    put_hex(out, "parent_hash", header->parent_hash.bytes, sizeof header->parent_hash.bytes);
    put_u64(out, "epoch", header->epoch);
    put_u64(out, "view", header->view);
    put_count(out, "block_time_ms", header->time_ms);
    put_count(out, "proposer", header->proposer);
    put_count(out, "body_size", header->body_size);
    put_u64(out, "executed_height", header->executed_height);
    put_hex(out, "state_root", header->state_root.bytes, sizeof header->state_root.bytes);
    return out;
}

/* add_transaction puts a transaction into the body and its hash into the list. */
static enum nv_err add_transaction(json_t *list,
                                   struct nv_writer *body,
                                   const json_t *given,
                                   const struct nv_hash *chain_id)
{
    static uint8_t bytes[VM_TX_SIZE_MAX];
    struct nv_hash hash;
    struct nv_view const view = get_hex(given, "bytes", bytes, sizeof bytes);
    NV_TRY(vm_tx_hash_of(&hash, view, chain_id));
    cs_body_put(body, view);
    json_t *const entry = json_object();
    put_hex(entry, "tx_hash", hash.bytes, sizeof hash.bytes);
    put_hex(entry, "bytes", view.bytes, view.size);
    return json_array_append_new(list, entry) == 0 ? NV_OK : NV_ERR_NO_MEMORY;
}

static enum nv_err add_transactions(json_t *list,
                                    struct nv_writer *body,
                                    const struct cs_header *header,
                                    const json_t *given)
{
    struct nv_hash root;
    for (size_t i = 0; i < json_array_size(given); i++) {
        NV_TRY(add_transaction(list, body, json_array_get(given, i), &header->chain_id));
    }
    if (body->overflow || body->size != header->body_size) {
        return NV_ERR_MISMATCH;
    }
    cs_body_root(&root, nv_writer_view(body));
    return nv_hash_eq(&root, &header->body_root) ? NV_OK : NV_ERR_MISMATCH;
}

static enum nv_err
put_transactions(json_t *out, const struct cs_header *header, const json_t *given)
{
    struct nv_writer body;
    if (!json_is_array(given)) {
        put_null(out, "transactions");
        return NV_OK;
    }
    uint8_t *const room = nv_heap_alloc(CS_BODY_SIZE_MAX);
    if (room == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    json_t *const list = json_array();
    (void)json_object_set_new(out, "transactions", list);
    nv_writer_init(&body, room, CS_BODY_SIZE_MAX);
    enum nv_err const err = add_transactions(list, &body, header, given);
    nv_heap_free(room);
    return err;
}

enum nv_err derive_block(json_t **out, const struct cs_light_final *final, const json_t *answer)
{
    json_t *const block = header_members(final);
    enum nv_err const err =
        put_transactions(block, &final->header, json_object_get(answer, "transactions"));
    if (err != NV_OK) {
        json_decref(block);
        return err;
    }
    *out = block;
    return NV_OK;
}
