/* The keys of validators and accounts: made once, the same for every seed.
 *
 * The linker sends every nv_sign and nv_verify here.  Most seeds take a hash under
 * the public key instead, which whoever knows that could forge; in the simulator
 * nobody does. */

#include <string.h>

#include "base/assert.h"

#include "tests/sim/node/nodesim.h"

static struct ns_key keys[NS_KEYS];
static bool made;
static bool real; /* signatures */

void __real_nv_sign(struct nv_sig *sig,
                    const struct nv_seckey *seckey,
                    const struct nv_hash *digest);
bool __real_nv_verify(const struct nv_sig *sig,
                      const struct nv_pubkey *pubkey,
                      const struct nv_hash *digest);
void __wrap_nv_sign(struct nv_sig *sig,
                    const struct nv_seckey *seckey,
                    const struct nv_hash *digest);
bool __wrap_nv_verify(const struct nv_sig *sig,
                      const struct nv_pubkey *pubkey,
                      const struct nv_hash *digest);

static void keys_make(void)
{
    for (uint32_t i = 0; i < NS_KEYS; i++) {
        uint8_t const seed[32] = {(uint8_t)(i + 1), 0x5e, 0xed};
        enum nv_err const err = nv_key_from_seed(&keys[i].secret, &keys[i].key, seed);
        NV_ASSERT(err == NV_OK);
        nv_address_of_key(&keys[i].address, &keys[i].key);
    }
    made = true;
}

const struct ns_key *ns_key(uint32_t number)
{
    NV_ASSERT(number < NS_KEYS);
    if (!made) {
        keys_make();
    }
    return &keys[number];
}

void ns_keys_seam(bool signatures)
{
    real = signatures;
}

static void
keyed_hash(struct nv_sig *sig, const struct nv_pubkey *pubkey, const struct nv_hash *digest)
{
    struct nv_hash hash;
    struct nv_view const parts[2] = {
        nv_view_of(pubkey->bytes, sizeof pubkey->bytes),
        nv_hash_view(digest),
    };
    nv_sha256_parts(&hash, parts, 2);
    memcpy(sig->bytes, hash.bytes, 32);
    memcpy(sig->bytes + 32, hash.bytes, 32);
}

void __wrap_nv_sign(struct nv_sig *sig,
                    const struct nv_seckey *seckey,
                    const struct nv_hash *digest)
{
    if (real) {
        __real_nv_sign(sig, seckey, digest);
        return;
    }
    for (uint32_t i = 0; i < NS_KEYS; i++) {
        if (memcmp(&keys[i].secret, seckey, sizeof *seckey) == 0) {
            keyed_hash(sig, &keys[i].key, digest);
            return;
        }
    }
    NV_ASSERT(false);
}

bool __wrap_nv_verify(const struct nv_sig *sig,
                      const struct nv_pubkey *pubkey,
                      const struct nv_hash *digest)
{
    struct nv_sig right;
    if (real) {
        return __real_nv_verify(sig, pubkey, digest);
    }
    keyed_hash(&right, pubkey, digest);
    return memcmp(&right, sig, sizeof right) == 0;
}
