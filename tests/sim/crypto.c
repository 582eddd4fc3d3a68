/* Signatures: the linker sends every nv_sign and nv_verify here.  Most seeds
 * take a hash under the public key instead, which whoever knows the key could
 * forge; in the simulator nobody does. */

#include <string.h>

#include "base/assert.h"
#include "base/key.h"

#include "tests/sim/sim.h"

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

static const struct cs_net *crypto_net; /* NULL: real signatures */

void sim_crypto(const struct cs_net *net, bool real)
{
    crypto_net = real ? NULL : net;
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
    if (crypto_net == NULL) {
        __real_nv_sign(sig, seckey, digest);
        return;
    }
    for (uint32_t i = 0; i < crypto_net->set.count; i++) {
        if (memcmp(&crypto_net->seckey[i], seckey, sizeof *seckey) == 0) {
            keyed_hash(sig, &crypto_net->set.member[i].key, digest);
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
    if (crypto_net == NULL) {
        return __real_nv_verify(sig, pubkey, digest);
    }
    keyed_hash(&right, pubkey, digest);
    return memcmp(&right, sig, sizeof right) == 0;
}
