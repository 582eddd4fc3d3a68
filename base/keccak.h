#ifndef NV_BASE_KECCAK_H
#define NV_BASE_KECCAK_H

/* keccak.h - Keccak-256 as Ethereum uses it: the original padding (0x01), not
 * that of SHA-3.  For EIP-55 and wallets' signatures only; everything of
 * Novate's own is SHA-256 (base/hash.h).
 *
 * Pure; any thread. */

#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"

/* nv_keccak256 writes Keccak-256 of the view. */
void nv_keccak256(struct nv_hash *out, struct nv_view view);

#endif /* NV_BASE_KECCAK_H */
