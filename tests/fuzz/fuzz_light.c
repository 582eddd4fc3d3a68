/* Goal: whatever bytes a light client is given, it neither crashes nor believes what was not signed,
 * and a step that it refuses changes nothing.
 * Method: the input is a header, a certificate and a rest, each of the first two with its size before
 * it (u16). They are judged by the light state of a chain of four validators, whose key is known here
 * alone, as a final block, as its own ancestor, as the boundary before a set, and with a proof; and the
 * whole input is read as a light state. The corpus has blocks that those validators signed. */

#include <stdlib.h>
#include <string.h>

#include "base/codec.h"

#include "consensus/light_client.h"
#include "tests/lib/light_build.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void demand(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* same returns whether two light states have the same bytes. */
static bool same(const struct cs_light *a, const struct cs_light *b)
{
    uint8_t one[CS_LIGHT_SIZE_MAX];
    uint8_t other[CS_LIGHT_SIZE_MAX];
    uint32_t const size = cs_light_encode(a, one);
    return size == cs_light_encode(b, other) && memcmp(one, other, size) == 0;
}

static void try_state(struct nv_view bytes)
{
    uint8_t again[CS_LIGHT_SIZE_MAX];
    struct cs_light light;
    if (cs_light_decode(&light, bytes) == NV_OK) {
        demand(cs_light_encode(&light, again) == bytes.size);
        demand(memcmp(again, bytes.bytes, bytes.size) == 0);
    }
}

/* try_final judges the block and what hangs on it; it returns the verdict. */
static enum cs_light_verdict
try_final(const struct cs_light *light, const struct cs_light_block *block, struct nv_view rest)
{
    uint8_t again[CS_HEADER_SIZE];
    struct cs_light_final final;
    struct nv_proof proof;
    struct nv_writer w;
    enum cs_light_verdict const verdict = cs_light_final(&final, light, 0, block);
    if (verdict != CS_LIGHT_OK) {
        return verdict;
    }
    nv_writer_init(&w, again, sizeof again);
    cs_header_put(&w, &final.header);
    demand(nv_view_eq(nv_writer_view(&w), block->header));
    demand(cs_valset_quorum(&light->set, cs_valset_stake(&light->set, &final.signers)));
    demand(cs_light_parent(&final, block->header) == CS_LIGHT_PARENT);
    if (cs_light_open(&proof, &final, rest) == CS_LIGHT_OK) {
        demand(nv_hash_eq(&proof.root, &final.header.state_root));
    }
    struct nv_hash const parent = final.header.parent_hash;
    if (cs_light_parent(&final, rest) == CS_LIGHT_OK) {
        demand(nv_hash_eq(&final.hash, &parent));
    }
    return verdict;
}

static void try_advance(const struct cs_light *before,
                        const struct cs_light_block *block,
                        struct nv_view rest,
                        enum cs_light_verdict final)
{
    struct cs_light light = *before;
    enum cs_light_verdict const verdict = cs_light_advance(&light, 0, block, rest);
    if (verdict == CS_LIGHT_OK) {
        uint8_t set[CS_VALSET_SIZE_MAX];
        demand(final == CS_LIGHT_OK);
        demand(light.epoch == before->epoch + 1);
        demand(light.boundary_height > before->boundary_height);
        demand(nv_view_eq(nv_view_of(set, cs_valset_encode(&light.set, set)), rest));
    } else {
        demand(same(&light, before));
        demand(final == verdict || verdict == CS_LIGHT_NO_BOUNDARY || verdict == CS_LIGHT_SET);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct light_world world;
    static struct cs_light light;
    struct nv_reader r;
    if (light.epoch == 0) {
        light_world_init(&world, NULL, 4);
        cs_light_init(&light, &world.net.chain_id, LIGHT_TIME_MS, 0, &world.net.set);
    }
    if (size > 1u << 16) {
        return 0;
    }
    try_state(nv_view_of(bytes, (uint32_t)size));
    nv_reader_init(&r, nv_view_of(bytes, (uint32_t)size));
    struct nv_view const header = nv_get_view(&r, nv_get_u16(&r));
    struct nv_view const certificate = nv_get_view(&r, nv_get_u16(&r));
    struct nv_view const rest = nv_get_view(&r, nv_reader_left(&r));
    struct cs_light_block const block = {header, certificate};
    try_advance(&light, &block, rest, try_final(&light, &block, rest));
    return 0;
}
