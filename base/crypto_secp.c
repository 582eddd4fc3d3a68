#include <pthread.h>
#include <string.h>

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

static void sign(struct nv_sig *sig, const secp256k1_keypair *pair, const struct nv_hash *digest)
{
    int const done =
        secp256k1_schnorrsig_sign32(signing_context(), sig->bytes, digest->bytes, pair, NULL);
    NV_ASSERT(done == 1);
}

void nv_sign(struct nv_sig *sig, const struct nv_seckey *seckey, const struct nv_hash *digest)
{
    secp256k1_keypair pair;
    int const done = secp256k1_keypair_create(signing_context(), &pair, seckey->bytes);
    NV_ASSERT(done == 1);
    sign(sig, &pair, digest);
    nv_wipe(&pair, sizeof pair);
}

_Static_assert(sizeof(secp256k1_keypair) == sizeof((struct nv_signer){.pair = {0}}.pair),
               "a signer holds a pair");

enum nv_err
nv_signer_init(struct nv_signer *signer, struct nv_pubkey *pubkey, const struct nv_seckey *seckey)
{
    secp256k1_keypair pair;
    NV_TRY(nv_key_public(pubkey, seckey));
    int const done = secp256k1_keypair_create(signing_context(), &pair, seckey->bytes);
    NV_ASSERT(done == 1);
    signer->seckey = *seckey;
    memcpy(signer->pair, &pair, sizeof pair);
    nv_wipe(&pair, sizeof pair);
    return NV_OK;
}

void nv_signer_sign(struct nv_sig *sig,
                    const struct nv_signer *signer,
                    const struct nv_hash *digest)
{
    secp256k1_keypair pair;
    memcpy(&pair, signer->pair, sizeof pair);
    sign(sig, &pair, digest);
    nv_wipe(&pair, sizeof pair);
}

/* A key's point takes a square root, an eighth of a check.  Few keys sign most of
 * what is checked; the last one of each place is remembered. */
#define POINTS 4096u

static _Thread_local struct {
    bool set;
    struct nv_pubkey key;
    secp256k1_xonly_pubkey point;
} met[POINTS];

/* point_of returns the point of a key, or NULL when there is none. */
static const secp256k1_xonly_pubkey *point_of(const struct nv_pubkey *key)
{
    uint32_t const place = (key->bytes[0] * 256u + key->bytes[1]) % POINTS;
    if (!met[place].set || memcmp(met[place].key.bytes, key->bytes, sizeof key->bytes) != 0) {
        met[place].key = *key;
        met[place].set = secp256k1_xonly_pubkey_parse(
                             secp256k1_context_static, &met[place].point, key->bytes) == 1;
    }
    return met[place].set ? &met[place].point : NULL;
}

bool nv_verify(const struct nv_sig *sig,
               const struct nv_pubkey *pubkey,
               const struct nv_hash *digest)
{
    const secp256k1_xonly_pubkey *const point = point_of(pubkey);
    return point != NULL &&
           secp256k1_schnorrsig_verify(
               secp256k1_context_static, sig->bytes, digest->bytes, sizeof digest->bytes, point) ==
               1;
}
