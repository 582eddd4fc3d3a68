#include <pthread.h>

#include <secp256k1.h>
#include <secp256k1_extrakeys.h>
#include <secp256k1_schnorrsig.h>

#include "base/assert.h"
#include "base/key.h"
#include "base/secret.h"

/* Verifying needs no tables of its own, so the library's static context
 * serves; making keys and signatures needs a context that was created. */
static secp256k1_context *signing;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void create(void)
{
    signing = secp256k1_context_create(SECP256K1_CONTEXT_NONE); /* also tests itself */
}

static const secp256k1_context *signing_context(void)
{
    int const refused = pthread_once(&once, create);
    NV_ASSERT(refused == 0);
    NV_ASSERT(signing != NULL);
    return signing;
}

enum nv_err nv_key_public(struct nv_pubkey *pubkey, const struct nv_seckey *seckey)
{
    const secp256k1_context *const context = signing_context();
    secp256k1_keypair pair;
    secp256k1_xonly_pubkey point;
    if (secp256k1_keypair_create(context, &pair, seckey->bytes) != 1) {
        return NV_ERR_RANGE;
    }
    int done = secp256k1_keypair_xonly_pub(context, &point, NULL, &pair);
    NV_ASSERT(done == 1);
    done = secp256k1_xonly_pubkey_serialize(context, pubkey->bytes, &point);
    NV_ASSERT(done == 1);
    nv_wipe(&pair, sizeof pair);
    return NV_OK;
}

bool nv_pubkey_valid(const struct nv_pubkey *pubkey)
{
    secp256k1_xonly_pubkey point;
    return secp256k1_xonly_pubkey_parse(secp256k1_context_static, &point, pubkey->bytes) == 1;
}

void nv_sign(struct nv_sig *sig, const struct nv_seckey *seckey, const struct nv_hash *digest)
{
    const secp256k1_context *const context = signing_context();
    secp256k1_keypair pair;
    int done = secp256k1_keypair_create(context, &pair, seckey->bytes);
    NV_ASSERT(done == 1);
    done = secp256k1_schnorrsig_sign32(context, sig->bytes, digest->bytes, &pair, NULL);
    NV_ASSERT(done == 1);
    nv_wipe(&pair, sizeof pair);
}

bool nv_verify(const struct nv_sig *sig,
               const struct nv_pubkey *pubkey,
               const struct nv_hash *digest)
{
    const secp256k1_context *const context = secp256k1_context_static;
    secp256k1_xonly_pubkey point;
    if (secp256k1_xonly_pubkey_parse(context, &point, pubkey->bytes) != 1) {
        return false;
    }
    return secp256k1_schnorrsig_verify(
               context, sig->bytes, digest->bytes, sizeof digest->bytes, &point) == 1;
}
