#ifndef NV_CONSENSUS_PAST_H
#define NV_CONSENSUS_PAST_H

/* past.h - what an engine remembers of the epochs that have ended: when and with
 * which block, by which finalization, and who their validators were.
 *
 * Faults of those validators are evidence, and a fork of such an epoch stops the
 * chain, as long as their stake is bound (docs/spec/consensus.md section 17).
 * The memory is taken once: for each epoch a certificate and a set of the size
 * that the chain allows. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"

#include "consensus/certificate.h"
#include "consensus/header.h"
#include "consensus/valset.h"

struct nv_arena;

#define CS__ENDED 64u /* epochs that are remembered */

struct cs__end {
    uint64_t epoch;       /* 0: not in use */
    uint64_t time_ms;     /* of the block that closed it */
    struct nv_hash block; /* its hash */
    struct nv_hash set;   /* the validators' */
    uint32_t final_size;  /* of the encoded finalization ... */
    uint32_t set_size;    /* ... and set */
};

struct cs__past {
    struct cs__end end[CS__ENDED]; /* ring by epoch */
    uint32_t members_max;
    uint8_t *finals;
    uint8_t *sets;
};

/* cs__past_footprint returns the bytes that cs__past_init takes from its arena. */
size_t cs__past_footprint(uint32_t members_max);
void cs__past_init(struct cs__past *past, struct nv_arena *arena, uint32_t members_max);

/* cs__past_add notes the end of an epoch: the block that closed it, whose hash is
 * in the finalization, and the epoch's validators. */
void cs__past_add(struct cs__past *past,
                  const struct cs_header *header,
                  const struct cs_certificate *final,
                  const struct cs_valset *set);

/* cs__past_find returns what is remembered of an epoch, or NULL. */
const struct cs__end *cs__past_find(const struct cs__past *past, uint64_t epoch);

/* cs__past_final reads the finalization that closed an epoch; the signatures point
 * into `past`. */
void cs__past_final(const struct cs__past *past,
                    struct cs_certificate *final,
                    const struct cs__end *end);

/* cs__past_set reads an epoch's validators. */
void cs__past_set(const struct cs__past *past, struct cs_valset *set, const struct cs__end *end);

#endif /* NV_CONSENSUS_PAST_H */
