#include "base/row.h"

#include "base/assert.h"

#include "base/pure.h"

uint32_t nv_row_key_diff(const struct nv_row_key *a, const struct nv_row_key *b)
{
    for (uint32_t word = 0; word < NV_ROW_KEY_SIZE; word += 8) {
        uint64_t x = 0;
        uint64_t y = 0;
        memcpy(&x, a->bytes + word, sizeof x);
        memcpy(&y, b->bytes + word, sizeof y);
        if (x != y) {
            uint32_t i = word;
            while (a->bytes[i] == b->bytes[i]) {
                i++;
            }
            uint32_t const difference = (uint32_t)(a->bytes[i] ^ b->bytes[i]);
            return 8u * i + (uint32_t)__builtin_clz(difference) - 24u;
        }
    }
    return NV_ROW_KEY_BITS;
}

bool nv_row_key_next(struct nv_row_key *key)
{
    for (uint32_t i = NV_ROW_KEY_SIZE; i > 0; i--) {
        key->bytes[i - 1]++;
        if (key->bytes[i - 1] != 0) {
            return true;
        }
    }
    return false;
}

void nv_row_range_prefix(struct nv_row_range *out, const uint8_t *prefix, uint32_t size)
{
    NV_ASSERT(size <= NV_ROW_KEY_SIZE);
    memset(out->first.bytes, 0x00, NV_ROW_KEY_SIZE);
    memset(out->last.bytes, 0xff, NV_ROW_KEY_SIZE);
    if (size > 0) {
        memcpy(out->first.bytes, prefix, size);
        memcpy(out->last.bytes, prefix, size);
    }
}

void nv_row_key_reach(struct nv_row_range *out,
                      const struct nv_row_key *near,
                      uint32_t depth,
                      bool bit)
{
    uint32_t const byte = depth >> 3;
    uint32_t const mask = 0x80u >> (depth & 7u);
    uint32_t const below = mask - 1u;
    uint32_t const shared = ((uint32_t)near->bytes[byte] & ~(mask | below)) | (bit ? mask : 0u);
    memset(out->first.bytes, 0x00, NV_ROW_KEY_SIZE);
    memset(out->last.bytes, 0xff, NV_ROW_KEY_SIZE);
    memcpy(out->first.bytes, near->bytes, byte);
    memcpy(out->last.bytes, near->bytes, byte);
    out->first.bytes[byte] = (uint8_t)shared;
    out->last.bytes[byte] = (uint8_t)(shared | below);
}

void nv_row_leaf_hash(struct nv_hash *out,
                      const struct nv_row_key *key,
                      const struct nv_hash *value_hash)
{
    uint8_t bytes[1 + NV_ROW_KEY_SIZE + NV_HASH_SIZE];
    bytes[0] = 0x00;
    memcpy(bytes + 1, key->bytes, NV_ROW_KEY_SIZE);
    memcpy(bytes + 1 + NV_ROW_KEY_SIZE, value_hash->bytes, NV_HASH_SIZE);
    nv_sha256(out, nv_view_of(bytes, sizeof bytes));
}

void nv_row_inner_hash(struct nv_hash *out,
                       uint8_t depth,
                       const struct nv_hash *left,
                       const struct nv_hash *right)
{
    uint8_t bytes[2 + 2 * NV_HASH_SIZE];
    bytes[0] = 0x01;
    bytes[1] = depth;
    memcpy(bytes + 2, left->bytes, NV_HASH_SIZE);
    memcpy(bytes + 2 + NV_HASH_SIZE, right->bytes, NV_HASH_SIZE);
    nv_sha256(out, nv_view_of(bytes, sizeof bytes));
}

void nv_row_empty_root(struct nv_hash *out)
{
    uint8_t const byte = 0x02;
    nv_sha256(out, nv_view_of(&byte, 1));
}
