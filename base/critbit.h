#ifndef NV_BASE_CRITBIT_H
#define NV_BASE_CRITBIT_H

/* critbit.h - an ordered index from 32-byte keys to 32-bit numbers.
 *
 * A crit-bit tree: an inner node names the first bit in which the keys below
 * it differ.  Its shape depends on the set of keys alone, its depth is at most
 * the 256 bits of a key whatever keys an enemy picks, and it visits keys in the
 * order of their bytes.
 *
 * It lives in one block of the caller's memory and refers to its nodes by
 * index, never by address: a copy of the block is a copy of the index.  A slot
 * of 48 bytes holds one key and one inner node, so `cap` keys fit always.
 *
 * Pure; one thread at a time per index. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define NV_CRITBIT_KEY_SIZE 32u
/* More keys than this one index cannot hold. */
#define NV_CRITBIT_CAP_MAX 0x7ffffffeu

struct nv_critbit;

/* One key and its number.  The key is borrowed until the index is next
 * changed. */
struct nv_critbit_entry {
    const uint8_t *key32;
    uint32_t value;
};

/* nv_critbit_footprint returns the bytes that an index of `cap` keys takes, in
 * memory aligned to 4. */
size_t nv_critbit_footprint(uint32_t cap);

/* nv_critbit_init makes an empty index in `memory`, which the caller owns.  It
 * writes the head only: pages of a sparse reservation stay untouched. */
struct nv_critbit *nv_critbit_init(void *memory, uint32_t cap);

uint32_t nv_critbit_count(const struct nv_critbit *index);
uint32_t nv_critbit_cap(const struct nv_critbit *index);

/* nv_critbit_used returns how many bytes from the start of the block must be
 * copied to copy the index. */
size_t nv_critbit_used(const struct nv_critbit *index);

/* nv_critbit_insert adds a key.  NV_ERR_EXISTS when it is there already (its
 * number stays), NV_ERR_NO_MEMORY when the index holds `cap` keys. */
NV_MUST_USE enum nv_err
nv_critbit_insert(struct nv_critbit *index, const uint8_t *key32, uint32_t value);

/* nv_critbit_remove takes a key out and writes its number to `*value` unless
 * NULL.  False when it is not there. */
bool nv_critbit_remove(struct nv_critbit *index, const uint8_t *key32, uint32_t *value);

/* nv_critbit_lookup writes the number of a key.  False when it is not there. */
NV_MUST_USE bool
nv_critbit_lookup(const struct nv_critbit *index, const uint8_t *key32, uint32_t *value);

/* nv_critbit_set gives a key that is there another number.  False when it is
 * not. */
NV_MUST_USE bool nv_critbit_set(struct nv_critbit *index, const uint8_t *key32, uint32_t value);

/* nv_critbit_lower_bound writes the first entry whose key is not below
 * `key32`.  False when there is none. */
NV_MUST_USE bool nv_critbit_lower_bound(const struct nv_critbit *index,
                                        const uint8_t *key32,
                                        struct nv_critbit_entry *out);

/* nv_critbit_next writes the first entry whose key is above `key32`, which need
 * not be there itself.  False when there is none. */
NV_MUST_USE bool
nv_critbit_next(const struct nv_critbit *index, const uint8_t *key32, struct nv_critbit_entry *out);

/* nv_critbit_sound returns whether the whole block is a well-formed index of
 * `cap` keys at most, in time linear in its size: for a block that was copied or
 * stored.  Any contents are allowed; `size` bytes are readable. */
NV_MUST_USE bool nv_critbit_sound(const void *memory, size_t size, uint32_t cap);

#endif /* NV_BASE_CRITBIT_H */
