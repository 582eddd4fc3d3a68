#ifndef NV_BASE_KEY_H
#define NV_BASE_KEY_H

/* key.h - BIP-340 Schnorr keys and signatures on secp256k1, and addresses
 * (docs/spec/bytes.md sections 4 and 5).
 *
 * Signing is deterministic: the auxiliary randomness of BIP-340 is absent,
 * which counts as 32 zero bytes.  So the same key and digest give the same
 * signature on every machine.
 *
 * The functions are pure.  Any thread: the contexts are shared and only read, and
 * which public keys it has met lately each thread remembers for itself. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"

/* A secret key: a scalar in [1, n-1], big-endian.  Keep it in memory of
 * base/secret.h and wipe copies. */
struct nv_seckey {
    uint8_t bytes[32];
};

/* An x-only public key: the x coordinate of the point with even y. */
struct nv_pubkey {
    uint8_t bytes[32];
};

struct nv_sig {
    uint8_t bytes[64];
};

/* An account's address: 20 bytes, the form of an Ethereum address. */
struct nv_address {
    uint8_t bytes[20];
};

_Static_assert(sizeof(struct nv_sig) == 64, "a signature is its bytes");
_Static_assert(sizeof(struct nv_address) == 20, "an address is its bytes");

/* nv_key_from_seed derives a key from 32 bytes of entropy: the secret key is
 * the tagged hash "novate/seckey/v1" of the seed.  NV_ERR_RANGE when that is
 * no scalar, which no seed is known to do. */
NV_MUST_USE enum nv_err
nv_key_from_seed(struct nv_seckey *seckey, struct nv_pubkey *pubkey, const uint8_t *seed32);

/* nv_key_public writes the public key of a secret key.  NV_ERR_RANGE when the
 * secret key is zero or not below the group's order. */
NV_MUST_USE enum nv_err nv_key_public(struct nv_pubkey *pubkey, const struct nv_seckey *seckey);

/* nv_pubkey_valid returns whether the bytes are the x coordinate of a point.
 * Any input is allowed. */
NV_MUST_USE bool nv_pubkey_valid(const struct nv_pubkey *pubkey);

/* nv_sign writes the signature of `digest` by `seckey`, which must be valid
 * (nv_key_public has accepted it).  Sign tagged hashes only. */
void nv_sign(struct nv_sig *sig, const struct nv_seckey *seckey, const struct nv_hash *digest);

/* A secret key made ready to sign: a signature costs half of what nv_sign takes.
 * It holds the key and is to be kept like it. */
struct nv_signer {
    struct nv_seckey seckey;
    uint8_t pair[96]; /* private */
};

/* nv_signer_init makes a key ready and writes its public key.  NV_ERR_RANGE as in
 * nv_key_public. */
NV_MUST_USE enum nv_err
nv_signer_init(struct nv_signer *signer, struct nv_pubkey *pubkey, const struct nv_seckey *seckey);

/* nv_signer_sign writes the signature that nv_sign writes. */
void nv_signer_sign(struct nv_sig *sig,
                    const struct nv_signer *signer,
                    const struct nv_hash *digest);

/* nv_verify returns whether `sig` is a signature of `digest` by `pubkey`.  Any
 * input is allowed; an invalid public key verifies nothing. */
NV_MUST_USE bool
nv_verify(const struct nv_sig *sig, const struct nv_pubkey *pubkey, const struct nv_hash *digest);

/* nv_address_of_key writes the address of a public key: the last 20 bytes of
 * the tagged hash "novate/address/v1" of its 32 bytes. */
void nv_address_of_key(struct nv_address *out, const struct nv_pubkey *pubkey);

#endif /* NV_BASE_KEY_H */
