#include "base/key.h"

#include "base/secret.h"

#include "base/pure.h"

enum nv_err
nv_key_from_seed(struct nv_seckey *seckey, struct nv_pubkey *pubkey, const uint8_t *seed32)
{
    struct nv_view const part = nv_view_of(seed32, 32);
    struct nv_hash scalar;
    nv_tagged_hash(&scalar, "novate/seckey/v1", &part, 1);
    memcpy(seckey->bytes, scalar.bytes, sizeof seckey->bytes);
    nv_wipe(&scalar, sizeof scalar);
    return nv_key_public(pubkey, seckey);
}

void nv_address_of_key(struct nv_address *out, const struct nv_pubkey *pubkey)
{
    struct nv_view const part = nv_view_of(pubkey->bytes, sizeof pubkey->bytes);
    struct nv_hash hash;
    nv_tagged_hash(&hash, "novate/address/v1", &part, 1);
    memcpy(out->bytes, hash.bytes + 12, sizeof out->bytes);
}
