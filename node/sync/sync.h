#ifndef NV_NODE_SYNC_SYNC_H
#define NV_NODE_SYNC_SYNC_H

/* sync.h - fetches a snapshot from peers that may lie (docs/spec/sync.md
 * sections 3 and 4).
 *
 *     links, messages, ticks --> sync --> messages to send, peers to ban
 *                                  |
 *                                  +--> folder of the snapshot
 *
 *     LISTING ─> ANCHOR ─> EPOCHS ─> MANIFEST ─> CHUNKS ─> READY
 *        ^          |         |          |          |
 *        '----------'---------'----------'----------'  no source is left
 *
 * EPOCHS: from the validators that are believed to those of the anchor, end by end
 * of the epochs between, each verified by the light client before it is kept.
 *
 * No clock, no sockets; the folder is behind the port of storage/files.h, ends of
 * epochs behind one of their own.  Every byte is checked against what the anchor
 * proves before it is stored, and these two are all that is remembered: open it
 * again after a kill.
 *
 * One thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#include "consensus/light_client.h"
#include "node/sync/anchor.h"
#include "node/sync/message.h"
#include "storage/snapshot.h"

struct sync;

#define SYNC_PEERS_MAX    64u
#define SYNC_REQUESTS_MAX 8u  /* under way with one peer */
#define SYNC_RATE_MAX     10u /* made of one peer in a second */

/* Where ends of epochs are kept (as in consensus/handover.h), implemented by the
 * shell. */
struct sync_epochs {
    void *ctx;
    enum nv_err (*get)(void *ctx, uint64_t epoch, struct nv_view *out); /* until the next call */
    enum nv_err (*put)(void *ctx, uint64_t epoch, struct nv_view bytes);
};

/* A later epoch to begin with, whose validators nobody vouches for but the operator. */
struct sync_trust {
    uint64_t epoch;          /* 0 or 1: begin with the genesis */
    struct nv_hash boundary; /* of the block that closed the epoch before it */
};

struct sync_config {
    struct st_snapshots at;
    struct cs_light light; /* the first epoch, as the genesis says */
    struct sync_trust trust;
    struct sync_epochs epochs;
    uint64_t height_least; /* skip when no offer is as high after a while; 0: wait for one */
};

enum sync_stage {
    SYNC_LISTING = 1,
    SYNC_ANCHOR,
    SYNC_EPOCHS,
    SYNC_MANIFEST,
    SYNC_CHUNKS,
    SYNC_READY,  /* all is there: sync_result */
    SYNC_SKIP,   /* not worth it: go by blocks */
    SYNC_FAILED, /* the disk, or what is believed is too old: NV_ERR_TIMEOUT */
};

/* Where the two clocks stand. */
struct sync_time {
    uint64_t now_ms;  /* monotonic */
    uint64_t wall_ms; /* UTC */
};

enum sync_op_kind {
    SYNC_OP_SEND = 1,
    SYNC_OP_BAN,
};

struct sync_op {
    enum sync_op_kind kind;
    uint32_t peer;
    uint8_t type; /* SEND */
    uint8_t size;
    uint8_t bytes[SYNC_PART_HEAD];
    const char *why; /* BAN */
};

/* sync_open begins, with what the folder holds: it may be READY at once.
 * NV_ERR_NO_MEMORY, or what reading the folder gives. */
NV_MUST_USE enum nv_err
sync_open(struct sync **out, const struct sync_config *config, struct sync_time t);
void sync_close(struct sync *s);

/* Inputs.  A tick every 100 ms or so. */
void sync_link(struct sync *s, struct sync_time t, uint32_t peer, bool up);
/* sync_take takes a message of a type of sync_is_type, or CS_MSG_EPOCH_RESPONSE. */
void sync_take(
    struct sync *s, struct sync_time t, uint32_t peer, uint32_t type, struct nv_view bytes);
void sync_tick(struct sync *s, struct sync_time t);

/* sync_next writes the next operation; false when there is none. */
bool sync_next(struct sync *s, struct sync_op *op);

struct sync_progress {
    enum sync_stage stage;
    uint64_t height;        /* of the snapshot being fetched; 0: none */
    uint64_t tip_height;    /* the highest that a peer has executed */
    uint64_t epoch;         /* that the walk has come to; 0: it has not begun */
    uint64_t rows, rows_of; /* those in the chunks that are there, about */
    uint32_t chunks, chunks_of;
    uint32_t sources;
    uint32_t rows_s; /* recent rate */
    int64_t eta_ms;  /* -1: unknown */
    enum nv_err err; /* FAILED */
};

void sync_progress(const struct sync *s, struct sync_progress *out);

/* What was fetched; borrowed until sync_close.  READY only. */
struct sync_result {
    const struct st_manifest *manifest;
    const struct sync_base *base;
    struct sync_anchor anchor;
    uint64_t epoch; /* in which the state is: ends of all before, from the one that was
                       trusted on, are where ends are kept */
};

void sync_result(const struct sync *s, struct sync_result *out);

/* sync_stage_name returns a word for the log. */
const char *sync_stage_name(enum sync_stage stage);

#endif /* NV_NODE_SYNC_SYNC_H */
