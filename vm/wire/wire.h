#ifndef NV_VM_WIRE_WIRE_H
#define NV_VM_WIRE_WIRE_H

/* wire.h - protobuf transactions to fixed structs and back.  The only door to
 * protobuf-c besides p2p/envelope.c; an archive of its own, outside the purity
 * gate.  Thread-safe: all state is in the arguments.
 * Normative: docs/spec/transactions.md. */

#include "base/arena.h"

#include "vm/tx.h"

/* What vm_tx_decode may need of its arena while it works, whatever the bytes.
 * What it keeps is some hundred bytes an action. */
#define VM_TX_DECODE_MEMORY (1536u * 1024u)

/* vm_tx_decode reads one transaction as received.  Strict: size first, then
 * canonical form (no unknown field, and repacking must give the same bytes),
 * then field ranges.  The result lives in `arena`; tx->bytes borrows `bytes`.
 * The signature is not checked here.  NV_ERR_TOO_LARGE, _MALFORMED, _RANGE; and
 * NV_ERR_NO_MEMORY only when the arena has less than VM_TX_DECODE_MEMORY. */
NV_MUST_USE enum nv_err vm_tx_decode(struct vm_tx *tx,
                                     struct nv_view bytes,
                                     const struct nv_hash *chain_id,
                                     struct nv_arena *arena);

/* vm_tx_signature_ok checks tx->signature over tx->hash by tx->key, and the
 * proofs of a bond. */
bool vm_tx_signature_ok(const struct vm_tx *tx);

/* vm_bond_claim fills in what the proofs of a bond sign (docs/spec/stake.md 2.2). */
void vm_bond_claim(struct vm_bond *bond,
                   const struct nv_hash *chain_id,
                   const struct nv_address *account);

/* vm_tx_encode packs and signs: fills tx->hash, key, signature and writes the
 * transaction's bytes to `out` (capacity VM_TX_SIZE_MAX).  For clients. */
NV_MUST_USE enum nv_err vm_tx_encode(struct vm_tx *tx,
                                     uint8_t *out,
                                     uint32_t *out_size,
                                     const struct nv_hash *chain_id,
                                     const struct nv_seckey *key);

/* vm_tx_hash_of reads only the hash of a transaction's bytes (for indexes). */
NV_MUST_USE enum nv_err
vm_tx_hash_of(struct nv_hash *hash, struct nv_view bytes, const struct nv_hash *chain_id);

#endif /* NV_VM_WIRE_WIRE_H */
