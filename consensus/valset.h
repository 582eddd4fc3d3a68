#ifndef NV_CONSENSUS_VALSET_H
#define NV_CONSENSUS_VALSET_H

/* valset.h - the validators of an epoch and what their stake weighs
 * (docs/spec/consensus.md section 2).
 *
 * A validator is named by its index in the set of its epoch.  The order is
 * fixed: stake descending, then key ascending.  A group of validators is a
 * quorum when it holds more than two thirds of the stake.
 *
 * Plain data, no pointers: copy it freely.  Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"

#define CS_VALIDATORS_MAX  128u
#define CS_BITMAP_SIZE     (CS_VALIDATORS_MAX / 8u)
#define CS_STAKE_TOTAL_MAX ((UINT64_C(1) << 62) - 1)
#define CS_VALIDATOR_SIZE  42u
#define CS_VALSET_SIZE_MAX (2u + CS_VALIDATORS_MAX * CS_VALIDATOR_SIZE)

struct cs_validator {
    struct nv_pubkey key;
    uint64_t stake; /* at least 1 */
};

struct cs_valset {
    struct cs_validator member[CS_VALIDATORS_MAX]; /* by index */
    uint32_t count;                                /* in [1, CS_VALIDATORS_MAX] */
    uint64_t stake_total;                          /* at most CS_STAKE_TOTAL_MAX */
    struct nv_hash hash;                           /* of the encoding */
};

/* A set of validators, by index: validator i is bit (i % 8) of byte (i / 8). */
struct cs_bitmap {
    uint8_t bytes[CS_BITMAP_SIZE];
};

/* cs_valset_init makes a set of `count` members in any order: it sorts them
 * and computes the hash.  NV_ERR_RANGE for a count, stake or sum out of range,
 * NV_ERR_EXISTS for a key that occurs twice. */
NV_MUST_USE enum nv_err
cs_valset_init(struct cs_valset *set, const struct cs_validator *members, uint32_t count);

/* cs_valset_encode writes the canonical bytes into `out`, which has room for
 * CS_VALSET_SIZE_MAX bytes, and returns their size. */
uint32_t cs_valset_encode(const struct cs_valset *set, uint8_t *out);

/* cs_valset_decode reads canonical bytes.  It refuses a set that is out of
 * order, has a stake of 0, a repeated key or a sum out of range. */
NV_MUST_USE enum nv_err cs_valset_decode(struct cs_valset *set, struct nv_view bytes);

/* cs_valset_find returns the index of `key`, or CS_VALIDATORS_MAX. */
uint32_t cs_valset_find(const struct cs_valset *set, const struct nv_pubkey *key);

/* cs_valset_quorum returns whether `stake` is more than two thirds of the
 * total.  The one place where a quorum is defined. */
bool cs_valset_quorum(const struct cs_valset *set, uint64_t stake);

/* cs_valset_stake returns the stake of the group.  Bits at or above `count`
 * are a bug of the caller: decoders have refused them. */
uint64_t cs_valset_stake(const struct cs_valset *set, const struct cs_bitmap *group);

bool cs_bitmap_has(const struct cs_bitmap *map, uint32_t index);
void cs_bitmap_add(struct cs_bitmap *map, uint32_t index);
uint32_t cs_bitmap_count(const struct cs_bitmap *map);

#endif /* NV_CONSENSUS_VALSET_H */
