#ifndef NV_VM_RECEIPT_H
#define NV_VM_RECEIPT_H

/* receipt.h - what became of a transaction, action by action.
 *
 * Canonical bytes; the Merkle root over a block's receipts (in block order) is
 * part of the block-result row, so a receipt is proved by: its group of
 * receipts, which is a leaf, the leaf's Merkle path to receipts_root, state proof of the row, finality certificate of a header.
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

/* A receipt of so many outcomes has so many bytes; a group of receipts at most
 * VM_RECEIPT_GROUP_SIZE_MAX. */
#define VM_RECEIPT_SIZE(outcomes) (51u + 10u * (outcomes))
#define VM_RECEIPT_GROUP          16u
#define VM_RECEIPT_GROUP_SIZE_MAX (VM_RECEIPT_GROUP * (VM_RECEIPT_SIZE(VM_ACTIONS_MAX) + 2u))

/* vm_receipt_leaves returns how many leaves the receipts of a block have. */
static inline uint32_t vm_receipt_leaves(uint32_t count)
{
    return count / VM_RECEIPT_GROUP + (count % VM_RECEIPT_GROUP != 0);
}

/* vm_receipt_in_group finds receipt `index` of a block's `count`, `index` below
 * `count`, in the data of leaf index / VM_RECEIPT_GROUP, from where it is borrowed.
 * NV_ERR_TRUNCATED and NV_ERR_TRAILING: that is not as many receipts as the leaf
 * has. */
NV_MUST_USE enum nv_err
vm_receipt_in_group(struct nv_view *receipt, struct nv_view group, uint32_t index, uint32_t count);

void vm_receipt_encode(struct nv_writer *w, const struct vm_receipt *receipt);
NV_MUST_USE enum nv_err vm_receipt_decode(struct vm_receipt *receipt, struct nv_view bytes);

/* Names and texts of a code, for people and machines; NULL for an unknown code. */
const char *vm_reject_name(uint16_t code);
const char *vm_reject_text(uint16_t code);
const char *vm_reject_hint(uint16_t code);

#endif /* NV_VM_RECEIPT_H */
