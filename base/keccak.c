#include "base/keccak.h"

#include <nettle/sha3.h>

#include "base/pure.h"

/* The rate of Keccak-256: 1600 - 2 * 256 bits. */
#define RATE 136u

static void absorb(struct sha3_state *state, const uint8_t *block)
{
    for (uint32_t lane = 0; lane < RATE / 8; lane++) {
        uint64_t word = 0;
        for (uint32_t i = 0; i < 8; i++) {
            word |= (uint64_t)block[8 * lane + i] << (8 * i);
        }
        state->a[lane] ^= word;
    }
    sha3_permute(state);
}

void nv_keccak256(struct nv_hash *out, struct nv_view view)
{
    struct sha3_state state = {{0}};
    uint32_t at = 0;
    for (; view.size - at >= RATE; at += RATE) {
        absorb(&state, view.bytes + at);
    }
    uint8_t last[RATE] = {0};
    if (view.size > at) {
        memcpy(last, view.bytes + at, view.size - at);
    }
    last[view.size - at] = 0x01; /* pad10*1 without the suffix of SHA-3 */
    last[RATE - 1] |= 0x80;
    absorb(&state, last);
    for (uint32_t i = 0; i < NV_HASH_SIZE; i++) {
        out->bytes[i] = (uint8_t)((state.a[i / 8] >> (8 * (i % 8))) & 0xffu);
    }
}
