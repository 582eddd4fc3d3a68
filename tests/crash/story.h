#ifndef NV_TESTS_CRASH_STORY_H
#define NV_TESTS_CRASH_STORY_H

/* story.h - one home through many lives, and what was told in them. */

#include <stdbool.h>
#include <stdint.h>

#include "tests/crash/crash.h"
#include "tests/crash/image.h"
#include "tests/crash/rig.h"
#include "tests/crash/trace.h"
#include "tests/crash/witness.h"

struct story {
    uint64_t seed; /* of the present life */
    char home[CRASH_PATH_SIZE];
    struct image *image; /* as this life began, or later */
    struct witness witness;
    uint32_t told_before; /* marks of earlier lives */
};

/* story_open prepares a story in the folder `name`; story_begin gives it a new
 * home, where nothing was ever told. */
void story_open(struct story *story, const char *name);
void story_begin(struct story *story);

/* How a life goes. */
struct story_life {
    uint32_t blocks;                 /* that it runs */
    uint64_t die_at;                 /* calls until it is killed; 0: never */
    uint32_t die_kind;               /* enum trace_kind that is counted; 0: any */
    const struct trace_fault *fault; /* NULL: none */
};

/* story_live starts a life behind what is in the trace, and returns its exit
 * code: 0 it ran, 1 it stopped by itself, TRACE_DIED, STORY_NO_FAULT when it ran
 * and the fault did not come, 256 and a signal. */
#define STORY_NO_FAULT 78

int story_live(struct story *story, const struct story_life *life);

/* story_hear adds what the trace says was told.  False: it contradicts what was
 * told before. */
bool story_hear(struct story *story);

/* story_check opens what is in `folder` like the daemon, and compares with the
 * first `told` marks; with `go_on` it then runs some blocks and is opened once
 * more.  NULL, or what is wrong; `*fault` is why it did not open, if so. */
const char *story_check(const struct story *story,
                        uint32_t told,
                        const char *folder,
                        bool go_on,
                        struct node_fault *fault);

#endif /* NV_TESTS_CRASH_STORY_H */
