#ifndef NV_NODE_JOURNAL_SEGMENTS_H
#define NV_NODE_JOURNAL_SEGMENTS_H

/* segments.h - which segments of the journal are not needed any more
 * (docs/spec/node.md section 7).
 *
 * Of each segment the highest height, view and block time in it are remembered;
 * a segment goes when all of them are low enough, and those before it went.
 *
 * No I/O; the loop's thread. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/header.h"
#include "storage/journal.h"

#define NODE_SEGMENTS_MAX 4096u /* told apart; newer ones are kept */

/* Journals keep at least what a restart reads below the checkpoint. */
#define NODE_SEGMENTS_HEIGHTS 64u

struct node_segment {
    uint64_t height; /* the highest of its blocks, 0: none */
    uint64_t time_ms;
    uint64_t epoch; /* of the highest view */
    uint64_t view;
    uint64_t ended; /* the highest epoch whose end is in it, 0: none */
};

/* About 160 KiB. */
struct node_segments {
    uint32_t first;                                 /* the oldest there is; 0: none is known */
    uint32_t count;                                 /* of those from it on, noted */
    struct node_segment segment[NODE_SEGMENTS_MAX]; /* by number modulo their count */
};

/* What is wanted, and where the node stands. */
struct node_segments_wish {
    uint64_t keep_blocks; /* below the checkpoint; 0: all, unless ... */
    uint64_t keep_bytes;  /* ... the journal is larger than this; 0: any size */
    uint32_t segment_size;
    uint64_t checkpoint;  /* durable */
    uint64_t time_ms;     /* of its block */
    uint64_t epoch, view; /* of the newest final block */
    uint64_t ends;        /* epochs up to this one have their ends in the database */
};

/* node_segments_note takes a record that is in the journal.  Bytes that are no
 * record of consensus count for nothing. */
void node_segments_note(struct node_segments *segments, const struct st_record *record);

/* node_segments_need says that a block needs a record of segment `number`: its body
 * may stand there when the block's own record is in a later one. */
void node_segments_need(struct node_segments *segments,
                        uint32_t number,
                        const struct cs_header *header);

/* node_segments_keep returns the oldest segment that is to be kept; those
 * before it may be dropped. */
uint32_t
node_segments_keep(const struct node_segments *segments, const struct node_segments_wish *wish);

/* node_segments_height returns the highest height in the segments before one. */
uint64_t node_segments_height(const struct node_segments *segments, uint32_t before);

/* node_segments_dropped forgets those before `first`. */
void node_segments_dropped(struct node_segments *segments, uint32_t first);

#endif /* NV_NODE_JOURNAL_SEGMENTS_H */
