#ifndef NV_TESTS_CRASH_RIG_H
#define NV_TESTS_CRASH_RIG_H

/* rig.h - a validator of a chain of its own, without sockets, on a clock of its
 * own: what crashes here.
 *
 * It is the daemon's code from the files up: home, keys, guard, journal with its
 * thread, database with its thread, executor, replica, engine.  Instead of the
 * loop of libuv there is rig_run, which performs what the replica asks for and
 * lets time pass when nothing is left to do.  The disk is slow at times, so that
 * views are given up.
 *
 * Whatever the world would see is told to a witness (witness.h): votes that are
 * sent, blocks that are executed. */

#include <stdbool.h>
#include <stdint.h>

#include "node/runtime/internal.h"
#include "tests/lib/nv_test.h"

#define RIG_SEGMENT_SIZE 16384u

struct rig {
    struct node *node;
    struct node_fault fault;
    struct nv_test_rng rng;
    uint64_t now_ns;
    uint64_t start_ms; /* wall clock when now_ns was 0 */
    uint64_t salt;     /* of the next transaction */
    bool started;
};

/* rig_make makes the folder of a home with keys and a genesis of one validator,
 * all durable. */
void rig_make(const char *home);

/* rig_open opens a home like the daemon: files, guard, replay.  False: the
 * fault tells.  rig_close ends it, however far it came. */
NV_MUST_USE bool rig_open(struct rig *rig, const char *home, uint64_t seed);
void rig_close(struct rig *rig);

/* rig_run lets a rig that is open go on until it has executed `blocks` more.
 * False: it stopped before; the fault tells. */
NV_MUST_USE bool rig_run(struct rig *rig, uint32_t blocks);

#endif /* NV_TESTS_CRASH_RIG_H */
