/* Signatures and hashes: the linker sends every nv_sign, nv_verify and SHA-256 of
 * the engine here.  Most seeds take a hash under the public key instead of a
 * signature, which whoever knows the key could forge; in the simulator nobody
 * does.  They also take a mixing hash instead of SHA-256: its outputs differ as
 * reliably, and nobody in the simulator looks for two that do not. */

#include <string.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/int.h"
#include "base/key.h"

#include "tests/sim/sim.h"

void __real_nv_sign(struct nv_sig *sig,
                    const struct nv_seckey *seckey,
                    const struct nv_hash *digest);
bool __real_nv_verify(const struct nv_sig *sig,
                      const struct nv_pubkey *pubkey,
                      const struct nv_hash *digest);
void __real_nv_sha256(struct nv_hash *out, struct nv_view view);
void __real_nv_sha256_parts(struct nv_hash *out, const struct nv_view *parts, uint32_t count);
void __real_nv_tagged_hash(struct nv_hash *out,
                           const char *tag,
                           const struct nv_view *parts,
                           uint32_t count);
void __wrap_nv_sign(struct nv_sig *sig,
                    const struct nv_seckey *seckey,
                    const struct nv_hash *digest);
bool __wrap_nv_verify(const struct nv_sig *sig,
                      const struct nv_pubkey *pubkey,
                      const struct nv_hash *digest);
void __wrap_nv_sha256(struct nv_hash *out, struct nv_view view);
void __wrap_nv_sha256_parts(struct nv_hash *out, const struct nv_view *parts, uint32_t count);
void __wrap_nv_tagged_hash(struct nv_hash *out,
                           const char *tag,
                           const struct nv_view *parts,
                           uint32_t count);

static const struct cs_net *crypto_net; /* NULL: the real ones */

void sim_crypto(const struct cs_net *net, bool real)
{
    crypto_net = real ? NULL : net;
}

/* ---- the mixing hash ---- */

#define VERIFIED 65536u

#define MIX_A UINT64_C(0x9e3779b97f4a7c15)
#define MIX_B UINT64_C(0xbf58476d1ce4e5b9)
#define MIX_C UINT64_C(0x94d049bb133111eb)

struct mixer {
    uint64_t a;
    uint64_t b;
    uint8_t rest[16]; /* bytes that do not fill a pair of words yet */
    uint32_t held;
    uint32_t size;
};

static void mix_pair(struct mixer *m, const uint8_t *bytes)
{
    uint64_t const x = nv_be64_load(bytes);
    uint64_t const y = nv_be64_load(bytes + 8);
    nv_u128 const product = (nv_u128)(m->a ^ x ^ MIX_A) * (m->b ^ y ^ MIX_B);
    m->a = (uint64_t)product ^ y * MIX_C;
    m->b = (uint64_t)(product >> 64) + x * MIX_A;
}

static void mix_bytes(struct mixer *m, struct nv_view view)
{
    uint32_t at = 0;
    m->size += view.size;
    while (at < view.size) {
        uint32_t const left = view.size - at;
        if (m->held == 0 && left >= sizeof m->rest) {
            mix_pair(m, view.bytes + at);
            at += (uint32_t)sizeof m->rest;
            continue;
        }
        uint32_t const room = (uint32_t)sizeof m->rest - m->held;
        uint32_t const taken = left < room ? left : room;
        memcpy(m->rest + m->held, view.bytes + at, taken);
        m->held += taken;
        at += taken;
        if (m->held == sizeof m->rest) {
            mix_pair(m, m->rest);
            m->held = 0;
        }
    }
}

static void mix_end(struct mixer *m, struct nv_hash *out)
{
    uint8_t last[16] = {0};
    memset(m->rest + m->held, 0, sizeof m->rest - m->held);
    mix_pair(m, m->rest);
    for (uint32_t i = 0; i < 4; i++) {
        nv_be64_store(last, (uint64_t)m->size << 8 | i);
        mix_pair(m, last);
        nv_be64_store(out->bytes + (size_t)8 * i, m->a ^ m->b);
    }
}

void __wrap_nv_sha256_parts(struct nv_hash *out, const struct nv_view *parts, uint32_t count)
{
    struct mixer m = {.a = MIX_A, .b = MIX_B};
    if (crypto_net == NULL) {
        __real_nv_sha256_parts(out, parts, count);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        mix_bytes(&m, parts[i]);
    }
    mix_end(&m, out);
}

void __wrap_nv_sha256(struct nv_hash *out, struct nv_view view)
{
    __wrap_nv_sha256_parts(out, &view, 1);
}

void __wrap_nv_tagged_hash(struct nv_hash *out,
                           const char *tag,
                           const struct nv_view *parts,
                           uint32_t count)
{
    struct mixer m = {.a = MIX_B, .b = MIX_C};
    if (crypto_net == NULL) {
        __real_nv_tagged_hash(out, tag, parts, count);
        return;
    }
    for (const char *p = tag; *p != 0; p++) {
        m.a = (m.a ^ (uint8_t)*p) * MIX_A;
    }
    for (uint32_t i = 0; i < count; i++) {
        mix_bytes(&m, parts[i]);
    }
    mix_end(&m, out);
}

/* ---- signatures ---- */

static void
keyed_hash(struct nv_sig *sig, const struct nv_pubkey *pubkey, const struct nv_hash *digest)
{
    struct nv_hash hash;
    struct nv_view const parts[2] = {
        nv_view_of(pubkey->bytes, sizeof pubkey->bytes),
        nv_hash_view(digest),
    };
    __wrap_nv_sha256_parts(&hash, parts, 2);
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

/* verify_real remembers what it has found: several hosts check one signature. */
static bool
verify_real(const struct nv_sig *sig, const struct nv_pubkey *pubkey, const struct nv_hash *digest)
{
    static struct {
        struct nv_hash name;
        bool right;
    } known[VERIFIED];
    struct mixer m = {.a = MIX_C, .b = MIX_A};
    struct nv_hash name;
    mix_bytes(&m, nv_view_of(sig->bytes, sizeof sig->bytes));
    mix_bytes(&m, nv_view_of(pubkey->bytes, sizeof pubkey->bytes));
    mix_bytes(&m, nv_hash_view(digest));
    mix_end(&m, &name);
    uint64_t const place = nv_be64_load(name.bytes) % VERIFIED;
    if (!nv_hash_eq(&known[place].name, &name)) {
        known[place].name = name;
        known[place].right = __real_nv_verify(sig, pubkey, digest);
    }
    return known[place].right;
}

bool __wrap_nv_verify(const struct nv_sig *sig,
                      const struct nv_pubkey *pubkey,
                      const struct nv_hash *digest)
{
    struct nv_sig right;
    if (crypto_net == NULL) {
        return verify_real(sig, pubkey, digest);
    }
    keyed_hash(&right, pubkey, digest);
    return memcmp(&right, sig, sizeof right) == 0;
}
