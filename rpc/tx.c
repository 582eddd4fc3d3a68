#include "rpc/tx.h"

#include "rpc/error.h"
#include "rpc/json_write.h"
#include "vm/receipt.h"

static void write_outcome(struct rpc_json *json, const struct vm_outcome *outcome)
{
    rpc__json_object(json, NULL);
    rpc__json_number(json, "code", outcome->code);
    rpc__json_text(json, "reason", outcome->code == VM_OK ? NULL : rpc__error_name(outcome->code));
    rpc__json_u64(json, "result", outcome->result);
    rpc__json_end(json, '}');
}

/* write_receipt writes a receipt as the member `key`; null when it is empty or cannot be
 * read. */
static void write_receipt(struct rpc_json *json, const char *key, struct nv_view bytes)
{
    struct vm_receipt receipt;
    if (bytes.size == 0 || vm_receipt_decode(&receipt, bytes) != NV_OK) {
        rpc__json_null(json, key);
        return;
    }
    rpc__json_object(json, key);
    rpc__json_number(json, "code", receipt.code);
    rpc__json_text(json, "reason", receipt.code == VM_OK ? NULL : rpc__error_name(receipt.code));
    rpc__json_u64(json, "account", receipt.account);
    rpc__json_micro(json, "fee", vm_money_raw(receipt.fee));
    rpc__json_array(json, "outcomes");
    for (uint32_t i = 0; i < receipt.outcome_count; i++) {
        write_outcome(json, &receipt.outcomes[i]);
    }
    rpc__json_end(json, ']');
    rpc__json_hex(json, "bytes", bytes);
    rpc__json_end(json, '}');
}

void rpc__tx_outcome_write(struct rpc_json *json, const struct rpc_tx_outcome *outcome)
{
    rpc__json_hash(json, "tx_hash", &outcome->hash);
    rpc__json_text(json, "state", outcome->final ? "final" : "pending");
    if (outcome->final) {
        rpc__json_u64(json, "height", outcome->height);
        rpc__json_number(json, "index", outcome->index);
    } else {
        rpc__json_null(json, "height");
        rpc__json_null(json, "index");
    }
    write_receipt(json, "receipt", outcome->receipt);
}
