#ifndef NV_TESTS_CRASH_WITNESS_H
#define NV_TESTS_CRASH_WITNESS_H

/* witness.h - what a validator has told the world, and whether a later life of
 * it keeps its word.
 *
 *     vote      left the node: it is in the journal for ever, the gate knows it
 *     executed  a client has seen this height, block and root
 *     saved     the database holds this height
 *
 * Marks go where witness_to says: to the trace, or down a pipe. */

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

#include "consensus/vote.h"
#include "tests/crash/rig.h"

enum witness_kind { WITNESS_VOTE = 1, WITNESS_EXECUTED, WITNESS_SAVED };

/* Plain, without padding; written as it is. */
struct witness_mark {
    uint64_t kind;
    uint64_t height; /* vote: the view */
    uint64_t vote;   /* vote: enum cs_vote_kind */
    uint64_t parent; /* vote: the parent's view */
    struct nv_hash hash;
    struct nv_hash root; /* executed */
};

typedef void (*witness_fn)(const struct witness_mark *mark);

/* witness_to sets who is told; NULL is nobody. */
void witness_to(witness_fn fn);
void witness_say(const struct witness_mark *mark);
void witness_say_vote(const struct cs_ballot *ballot);

/* All that was said, in order. */
#define WITNESS_MARKS_MAX 4096u

struct witness {
    struct witness_mark mark[WITNESS_MARKS_MAX];
    uint32_t count;
};

/* witness_add takes a mark.  It returns false when it contradicts an earlier
 * one: another vote where there is one, another block or root at a height. */
bool witness_add(struct witness *w, const struct witness_mark *mark);

/* witness_check compares an open rig with what was said before the crash (the
 * first `told` marks), and with everything that the earlier life was about to
 * say.  NULL, or what is wrong. */
const char *witness_check(const struct witness *w, uint32_t told, const struct rig *rig);

#endif /* NV_TESTS_CRASH_WITNESS_H */
