#ifndef NV_BASE_ROW_H
#define NV_BASE_ROW_H

/* row.h - a row of state: a 32-byte ordered key and a value.
 *
 * Execution yields rows, storage keeps them, and one hash, the *state root*,
 * commits to all of them (docs/spec/state.md sections 1 and 2):
 *
 *     leaf  = SHA256(0x00 || key || SHA256(value))
 *     inner = SHA256(0x01 || depth || left || right)
 *     empty = SHA256(0x02)
 *
 * The tree is a crit-bit tree over the keys: an inner node names the first bit
 * in which the keys below it differ, bit 0 being the highest of the first
 * byte.  So the root is a function of the set of rows alone.
 *
 * Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hash.h"

#define NV_ROW_KEY_SIZE  32u
#define NV_ROW_KEY_BITS  256u
#define NV_ROW_VALUE_MAX 1984u

/* Keys are compared as bytes; big-endian fields make that the order of the
 * fields. */
struct nv_row_key {
    uint8_t bytes[32];
};

_Static_assert(sizeof(struct nv_row_key) == 32, "a key is its bytes");

/* A row, or a change to one: where rows are written, a value with NULL bytes
 * takes the row away (an empty value has a pointer and size 0). */
struct nv_row {
    struct nv_row_key key;
    struct nv_view value; /* borrowed; at most NV_ROW_VALUE_MAX bytes */
};

/* All keys from `first` to `last`, both included; first <= last. */
struct nv_row_range {
    struct nv_row_key first;
    struct nv_row_key last;
};

/* nv_row_key_cmp orders keys. */
static inline int nv_row_key_cmp(const struct nv_row_key *a, const struct nv_row_key *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

/* nv_row_key_bit returns bit `depth` (below 256) of a key. */
static inline bool nv_row_key_bit(const struct nv_row_key *key, uint32_t depth)
{
    return ((uint32_t)key->bytes[depth >> 3] >> (7u - (depth & 7u)) & 1u) != 0;
}

/* nv_row_key_diff returns the first bit in which two keys differ, or
 * NV_ROW_KEY_BITS when they are equal. */
uint32_t nv_row_key_diff(const struct nv_row_key *a, const struct nv_row_key *b);

/* nv_row_key_next makes `key` the one behind it; false when it is the last of
 * all, and becomes the first. */
bool nv_row_key_next(struct nv_row_key *key);

/* nv_row_range_prefix writes the range of the keys that begin with `prefix`, at
 * most NV_ROW_KEY_SIZE bytes; with none, of all keys. */
void nv_row_range_prefix(struct nv_row_range *out, const uint8_t *prefix, uint32_t size);

/* nv_row_key_reach writes the range of the keys that agree with `near` in the
 * bits before `depth` (below 256) and have the bit `bit` there. */
void nv_row_key_reach(struct nv_row_range *out,
                      const struct nv_row_key *near,
                      uint32_t depth,
                      bool bit);

/* nv_row_leaf_hash writes the hash of a row from the hash of its value. */
void nv_row_leaf_hash(struct nv_hash *out,
                      const struct nv_row_key *key,
                      const struct nv_hash *value_hash);

/* nv_row_inner_hash writes the hash of an inner node.  `out` may be one of its
 * children. */
void nv_row_inner_hash(struct nv_hash *out,
                       uint8_t depth,
                       const struct nv_hash *left,
                       const struct nv_hash *right);

/* nv_row_empty_root writes the root of the state without rows. */
void nv_row_empty_root(struct nv_hash *out);

#endif /* NV_BASE_ROW_H */
