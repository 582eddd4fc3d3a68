#ifndef NV_NODE_REPLICA_HISTORY_H
#define NV_NODE_REPLICA_HISTORY_H

/* history.h - what things are now, and what they were at the last heights.
 *
 * A thing, as an account or a session key, has a key and a figure, which blocks
 * change.  It may come and go:
 *
 *     key --index--> newest figure --> the one before --> ...
 *                                      (in a ring that all things share)
 *
 * When the ring is full, the oldest figure in it is forgotten.  As far back as it
 * reaches, and no further than where the feed began, a height is *known*: what every
 * thing was after it can be told.
 *
 * No I/O.  One thread. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/critbit.h"
#include "base/err.h"

/* What its words say is known to the owner of the history. */
struct node_figure {
    uint64_t word[2];
};

struct node_history_size {
    uint32_t things_max; /* that are there at a time, also within a block */
    uint32_t older_max;  /* older figures of them all, which the ring holds */
};

/* Its fields are history.c's alone. */
struct node_history {
    struct nv_critbit *index; /* key -> place in things */
    struct node_history__thing *things;
    struct node_history__older *ring;
    struct node_history_size size;
    uint32_t free;        /* the first place that is free again */
    uint32_t untouched;   /* places from here on were never used */
    uint64_t older_first; /* of all figures that the ring ever took, those from here ... */
    uint64_t older_end;   /* ... to here stand in it */
    uint64_t floor;       /* the lowest height that is known */
    uint64_t height;      /* of the last feed */
    bool fed;
};

/* node_history_open reserves memory, in a zeroed struct.  Whatever comes back, end
 * with node_history_close. */
NV_MUST_USE enum nv_err
node_history_open(struct node_history *history, const struct node_history_size *size);
void node_history_close(struct node_history *history);

/* node_history_feed says of which height what is put from now on is: of the state
 * after it.  The first height is that of a whole state, the others follow in order,
 * each as often as one likes. */
void node_history_feed(struct node_history *history, uint64_t height);

/* node_history_put gives a thing a figure; NULL takes it away. */
void node_history_put(struct node_history *history,
                      const uint8_t key32[NV_CRITBIT_KEY_SIZE],
                      const struct node_figure *figure);

/* node_history_forget makes the present height the lowest that is known. */
void node_history_forget(struct node_history *history);

/* node_history_known returns whether what things were after `height` can be told. */
bool node_history_known(const struct node_history *history, uint64_t height);

/* node_history_newest returns the height of the last feed. */
uint64_t node_history_newest(const struct node_history *history);

/* node_history_at returns what a thing was after `height`, or NULL when it was not
 * there.  What is known is told right.  It lives until the next put. */
const struct node_figure *node_history_at(const struct node_history *history,
                                          uint64_t height,
                                          const uint8_t key32[NV_CRITBIT_KEY_SIZE]);

/* node_history_place writes the place of a thing that is there, or was lately: below
 * `things_max` where none ever goes.  It keeps it until it is gone and forgotten. */
bool node_history_place(const struct node_history *history,
                        const uint8_t key32[NV_CRITBIT_KEY_SIZE],
                        uint32_t *place);

#endif /* NV_NODE_REPLICA_HISTORY_H */
