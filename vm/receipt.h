#ifndef NV_VM_RECEIPT_H
#define NV_VM_RECEIPT_H

/* receipt.h - what became of a transaction, action by action.
 *
 * Canonical bytes; the Merkle root over a block's receipts (in block order) is
 * part of the block-result row, so a receipt is proved by: Merkle path to
 * receipts_root, state proof of the row, finality certificate of a header.
 * Layout: docs/spec/receipts.md. */

#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/hash.h"

#include "vm/number/units.h"
#include "vm/tx.h"

/* 0 is success; the rest from rejects.def, committed numbers. */
enum vm_reject {
    VM_OK = 0,
#define XX(code, NAME, name, text, hint) VM_REJECT_##NAME = (code),
#include "vm/rejects.def"
#undef XX
};

struct vm_outcome {
    uint16_t code;   /* enum vm_reject */
    uint64_t result; /* order handle of a place, orders cancelled by a cancel-all, else 0 */
};

struct vm_receipt {
    struct nv_hash tx_hash;
    uint64_t account;       /* id, 0 when unknown */
    uint16_t code;          /* of the transaction as a whole: key, expiry, fee */
    struct vm_money fee;    /* taken */
    uint32_t outcome_count; /* 0 when `code` is not VM_OK, else the number of actions */
    struct vm_outcome outcomes[VM_ACTIONS_MAX];
};

void vm_receipt_encode(struct nv_writer *w, const struct vm_receipt *receipt);
NV_MUST_USE enum nv_err vm_receipt_decode(struct vm_receipt *receipt, struct nv_view bytes);

/* Names and texts of a code, for people and machines; NULL for an unknown code. */
const char *vm_reject_name(uint16_t code);
const char *vm_reject_text(uint16_t code);
const char *vm_reject_hint(uint16_t code);

#endif /* NV_VM_RECEIPT_H */
