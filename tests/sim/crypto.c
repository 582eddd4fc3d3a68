/* Hashes: the linker sends every SHA-256 of the engine here.  Most seeds take a mixing
 * hash instead: its outputs differ as reliably, and nobody in the simulator looks for
 * two that do not.  Their signatures are keyed hashes (key_seam.h). */

#include <string.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/hash.h"
#include "base/int.h"
#include "base/key.h"

#include "tests/lib/key_seam.h"
#include "tests/sim/sim.h"

void __real_nv_sha256(struct nv_hash *out, struct nv_view view);
void __real_nv_sha256_parts(struct nv_hash *out, const struct nv_view *parts, uint32_t count);
void __real_nv_tagged_hash(struct nv_hash *out,
                           const char *tag,
                           const struct nv_view *parts,
                           uint32_t count);
void __wrap_nv_sha256(struct nv_hash *out, struct nv_view view);
void __wrap_nv_sha256_parts(struct nv_hash *out, const struct nv_view *parts, uint32_t count);
void __wrap_nv_tagged_hash(struct nv_hash *out,
                           const char *tag,
                           const struct nv_view *parts,
                           uint32_t count);

static const struct cs_net *crypto_net;
static bool crypto_real = true;

/* public_of knows the validators' keys. */
static const struct nv_pubkey *public_of(const struct nv_seckey *seckey)
{
    for (uint32_t i = 0; i < crypto_net->set.count; i++) {
        if (memcmp(&crypto_net->seckey[i], seckey, sizeof *seckey) == 0) {
            return &crypto_net->set.member[i].key;
        }
    }
    return NULL;
}

void sim_crypto(const struct cs_net *net, bool real)
{
    crypto_net = net;
    crypto_real = real;
    key_seam_use(net != NULL ? public_of : NULL, real);
}

/* ---- the mixing hash ---- */

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
    if (crypto_real) {
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
    if (crypto_real) {
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
