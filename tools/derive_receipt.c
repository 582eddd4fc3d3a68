#include "tools/derive_receipt.h"

#include <jansson.h>
#include <string.h>

#include "base/fmt.h"
#include "base/merkle.h"

#include "tools/shown.h"
#include "vm/receipt.h"

static bool read_hash(struct nv_hash *out, const json_t *text)
{
    const char *const hex = json_string_value(text);
    return hex != NULL &&
           nv_bytes_parse(out->bytes, sizeof out->bytes, nv_view_of_text(hex)) == NV_OK;
}

/* read_path reads {index, count, path}. */
static bool
read_path(struct nv_merkle_path *path, uint32_t *index, uint32_t *count, const json_t *from)
{
    const json_t *const list = json_object_get(from, "path");
    json_int_t const at = json_integer_value(json_object_get(from, "index"));
    json_int_t const of = json_integer_value(json_object_get(from, "count"));
    path->depth = (uint32_t)json_array_size(list);
    if (at < 0 || of <= at || of > UINT32_MAX || json_array_size(list) > NV_MERKLE_PATH_MAX) {
        return false;
    }
    for (uint32_t i = 0; i < path->depth; i++) {
        if (!read_hash(&path->sibling[i], json_array_get(list, i))) {
            return false;
        }
    }
    *index = (uint32_t)at;
    *count = (uint32_t)of;
    return true;
}

/* A block's receipts, as the row of its result tells of them. */
struct receipts {
    struct nv_hash root;
    uint32_t count;
};

static enum nv_err read_result(struct receipts *out, const struct nv_proof *proof, uint64_t height)
{
    struct nv_row_key key;
    struct nv_view value;
    struct vm_block_result_row row;
    vm_key_block_result(&key, height);
    NV_TRY(shown_value(proof, &key, &value));
    NV_TRY(vm_block_result_row_decode(&row, value));
    *out = (struct receipts){.root = row.receipts_root, .count = (uint32_t)row.tx_count};
    return row.height == height ? NV_OK : NV_ERR_MISMATCH;
}

/* check_path checks that the receipt stands among those of the block. */
static enum nv_err check_path(const struct receipts *receipts,
                              struct nv_view receipt,
                              uint32_t *index,
                              const json_t *from)
{
    uint8_t bytes[VM_RECEIPT_GROUP_SIZE_MAX];
    struct nv_merkle_path path;
    struct nv_hash leaf;
    struct nv_view member = {0};
    uint32_t size = 0;
    uint32_t count = 0;
    const char *const text = json_string_value(json_object_get(from, "group"));
    if (text == NULL || !read_path(&path, index, &count, from)) {
        return NV_ERR_MALFORMED;
    }
    NV_TRY(nv_bytes_parse_up_to(bytes, &size, sizeof bytes, nv_view_of_text(text)));
    struct nv_view const group = nv_view_of(bytes, size);
    NV_TRY(vm_receipt_in_group(&member, group, *index, count));
    nv_merkle_leaf(&leaf, group);
    bool const proved =
        receipts->count == count && nv_view_eq(member, receipt) &&
        nv_merkle_verify(
            &receipts->root, &path, &leaf, vm_receipt_leaves(count), *index / VM_RECEIPT_GROUP);
    return proved ? NV_OK : NV_ERR_MISMATCH;
}

static void put_code(json_t *object, uint16_t code)
{
    put_count(object, "code", code);
    if (code != VM_OK && vm_reject_name(code) != NULL) {
        put_text(object, "reason", vm_reject_name(code));
    } else {
        put_null(object, "reason");
    }
}

static json_t *receipt_json(const struct vm_receipt *receipt, struct nv_view bytes)
{
    json_t *const out = json_object();
    json_t *const outcomes = json_array();
    put_code(out, receipt->code);
    put_u64(out, "account", receipt->account);
    put_micro(out, "fee", vm_money_raw(receipt->fee));
    for (uint32_t i = 0; i < receipt->outcome_count; i++) {
        json_t *const entry = json_object();
        put_code(entry, receipt->outcomes[i].code);
        put_u64(entry, "result", receipt->outcomes[i].result);
        (void)json_array_append_new(outcomes, entry);
    }
    (void)json_object_set_new(out, "outcomes", outcomes);
    put_hex(out, "bytes", bytes.bytes, bytes.size);
    return out;
}

enum nv_err derive_receipt(json_t *out,
                           const struct nv_proof *proof,
                           const json_t *params,
                           const json_t *answer)
{
    uint8_t bytes[VM_RECEIPT_SIZE(VM_ACTIONS_MAX)];
    uint32_t size = 0;
    uint32_t index = 0;
    uint64_t height = 0;
    struct nv_hash wanted;
    struct vm_receipt receipt;
    struct receipts receipts;
    const json_t *const given = json_object_get(answer, "receipt");
    const char *const text = json_string_value(json_object_get(given, "bytes"));
    const char *const at = json_string_value(json_object_get(answer, "height"));
    if (text == NULL || at == NULL || !read_hash(&wanted, json_object_get(params, "tx_hash"))) {
        return NV_ERR_MALFORMED;
    }
    NV_TRY(nv_bytes_parse_up_to(bytes, &size, sizeof bytes, nv_view_of_text(text)));
    NV_TRY(nv_u64_parse(&height, nv_view_of_text(at)));
    struct nv_view const view = nv_view_of(bytes, size);
    NV_TRY(read_result(&receipts, proof, height));
    NV_TRY(check_path(&receipts, view, &index, json_object_get(answer, "receipt_proof")));
    NV_TRY(vm_receipt_decode(&receipt, view));
    if (!nv_hash_eq(&receipt.tx_hash, &wanted)) {
        return NV_ERR_MISMATCH;
    }
    put_hex(out, "tx_hash", wanted.bytes, sizeof wanted.bytes);
    put_text(out, "state", "final");
    put_u64(out, "height", height);
    put_count(out, "index", index);
    (void)json_object_set_new(out, "receipt", receipt_json(&receipt, view));
    return NV_OK;
}
