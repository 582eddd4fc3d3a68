#ifndef NV_TESTS_LIB_ENGINE_EPOCH_H
#define NV_TESTS_LIB_ENGINE_EPOCH_H

/* engine_epoch.h - one engine of four at the end of its first epoch, whose second
 * block closes it; the test plays the other validators. */

#include <stdint.h>

#include "tests/lib/engine_one.h"

#define EPOCH_VALIDATORS 4u
#define EPOCH_MS         300u

struct engine_epoch {
    struct engine_one one;
    struct nv_sig sigs[8][EPOCH_VALIDATORS]; /* by view */
    struct cs_header block[3];               /* by height */
    struct nv_hash hash[3];
    uint8_t journal[1u << 16];
    uint32_t journal_size;
};

/* engine_epoch_init brings the engine, which leads none of the first views, to where
 * the next block closes the epoch: `block[2]`, not proposed yet. */
void engine_epoch_init(struct engine_epoch *e);

/* engine_epoch_begin is that without a block. */
void engine_epoch_begin(struct engine_epoch *e);

void engine_epoch_drop(struct engine_epoch *e);

/* EPOCH_CASE is a test with such an engine: it is made before it and dropped after it. */
#define EPOCH_CASE(test, e)                                                                        \
    cmocka_unit_test_prestate_setup_teardown(test, engine_epoch_start, engine_epoch_stop, e)
int engine_epoch_start(void **state);
int engine_epoch_stop(void **state);

/* engine_epoch_give gives a message that is wanted and right, and keeps what the
 * engine makes durable. */
void engine_epoch_give(struct engine_epoch *e, uint32_t from, const struct cs_message *message);

/* engine_epoch_certificate makes one of a view, of the block of a height, by all
 * others. */
struct cs_certificate engine_epoch_certificate(struct engine_epoch *e,
                                               enum cs_vote_kind kind,
                                               uint64_t view,
                                               uint32_t height);

/* engine_epoch_header writes the header of a height, in the view of that number, on the
 * one below. */
void engine_epoch_header(struct engine_epoch *e, uint32_t height);

/* engine_epoch_propose proposes it. */
void engine_epoch_propose(struct engine_epoch *e, uint32_t height);

/* engine_epoch_finish makes block 2 final: the epoch ends. */
void engine_epoch_finish(struct engine_epoch *e);

/* engine_epoch_replay gives a new engine what was made durable. */
void engine_epoch_replay(struct engine_epoch *e);

#endif /* NV_TESTS_LIB_ENGINE_EPOCH_H */
