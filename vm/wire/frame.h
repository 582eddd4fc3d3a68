#ifndef NV_VM_WIRE_FRAME_H
#define NV_VM_WIRE_FRAME_H

/* frame.h - the outer message of a transaction, which has one canonical form:
 *
 *     0a  varint(size)  body[size]      field 1, 1 to 16384 bytes
 *     12  20            key[32]         field 2
 *     1a  40            signature[64]   field 3
 *
 * Private to vm/wire.  SPEC transactions section 1. */

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"

struct vm_frame {
    struct nv_view body;
    struct nv_pubkey key;
    struct nv_sig signature;
};

/* vm_frame_read takes a transaction apart; the body borrows `bytes`. */
NV_MUST_USE enum nv_err vm_frame_read(struct vm_frame *frame, struct nv_view bytes);

/* vm_frame_write puts one together; the bytes written, at most VM_TX_SIZE_MAX. */
uint32_t vm_frame_write(uint8_t *out, const struct vm_frame *frame);

/* vm_frame_hash is TH("novate/tx/v1", chain_id || key || body). */
void vm_frame_hash(struct nv_hash *out,
                   const struct nv_hash *chain_id,
                   const struct nv_pubkey *key,
                   struct nv_view body);

#endif /* NV_VM_WIRE_FRAME_H */
