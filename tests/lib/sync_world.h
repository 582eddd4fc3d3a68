#ifndef NV_TESTS_LIB_SYNC_WORLD_H
#define NV_TESTS_LIB_SYNC_WORLD_H

/* sync_world.h - a snapshot that final headers vouch for, and peers who serve
 * it, each in a way of its own.  Everything lies in a folder of the test's. */

#include <stdbool.h>
#include <stdint.h>

#include "node/sync/anchor.h"
#include "node/sync/serve.h"
#include "node/sync/sync.h"
#include "tests/lib/light_build.h"
#include "tests/lib/temp_dir.h"

#define SYNC_HEIGHT 40u /* of the first snapshot; others are made at multiples */

/* What is wrong with a peer. */
enum sync_manner {
    SYNC_HONEST = 0,
    SYNC_SILENT,     /* lists, and then says nothing */
    SYNC_MUTE,       /* says nothing at all */
    SYNC_BAD_CHUNK,  /* a bit of every chunk is wrong */
    SYNC_SHORT,      /* chunks are cut off */
    SYNC_EMPTY,      /* holds nothing of what it offers */
    SYNC_BAD_ROOT,   /* offers the right snapshot with another root */
    SYNC_BAD_ANCHOR, /* a bit of the anchor is wrong */
    SYNC_BAD_MANIFEST,
    SYNC_FORGER,      /* offers a manifest of its own, with the right root, and its chunks */
    SYNC_BAD_EPOCH,   /* a bit of the signatures under the end of an epoch is wrong */
    SYNC_OTHER_EPOCH, /* sends the end of another epoch than was asked for */
    SYNC_NO_EPOCH,    /* has no ends of epochs, and so says nothing */
    SYNC_FAR_EPOCH,   /* its anchor is of an epoch that is not there yet */
    SYNC_GARBAGE      /* sends what is no message */
};

#define SYNC_WORLD_PEERS  6u
#define SYNC_WORLD_EPOCHS 24u

struct sync_peer {
    enum sync_manner manner;
    bool up;
    bool banned;
    uint32_t second_count; /* requests in the present second */
    uint32_t second_max;   /* and the most in any */
    uint32_t chunks_asked;
    uint32_t epochs_asked;
};

/* The end of an epoch. */
struct sync_end {
    uint32_t size; /* 0: none */
    uint8_t bytes[CS_HANDOVER_SIZE_MAX];
};

struct sync_world {
    char dir[TEMP_DIR_SIZE];  /* the joiner's */
    char from[TEMP_DIR_SIZE]; /* what peers have */
    struct st_snapshots at;
    struct st_snapshots have;
    struct light_world chain;
    struct cs_light light;
    struct sync_trust trust;
    struct sync_end end[SYNC_WORLD_EPOCHS];     /* of the chain, by epoch */
    struct sync_end kept[SYNC_WORLD_EPOCHS];    /* by the joiner */
    struct nv_hash boundary[SYNC_WORLD_EPOCHS]; /* hashes of the blocks that closed them */
    bool ends_full;                             /* the joiner's disk takes no more of them */
    uint32_t epochs_asked;
    uint32_t epochs_asked_max; /* run ends when so many were asked for; 0: never */
    struct sync_server server;
    struct sync_peer peer[SYNC_WORLD_PEERS];
    uint32_t peer_count;
    struct sync *sync;
    struct sync_time time;
    uint32_t parts_stored_max; /* run ends when so many requests were made; 0: never */
    uint32_t chunks_asked;
    struct nv_hash root;
    uint8_t forged_manifest[1024];
    uint32_t forged_size;
};

/* sync_world_open makes the world with one snapshot of several chunks. */
void sync_world_open(struct sync_world *w, const enum sync_manner *manners, uint32_t count);
/* sync_world_later does that after `epochs` epochs have ended, each with validators of
 * its own. */
void sync_world_later(struct sync_world *w,
                      const enum sync_manner *manners,
                      uint32_t count,
                      uint32_t epochs);
/* sync_world_end_epoch ends one more epoch by a block of this height. */
void sync_world_end_epoch(struct sync_world *w, uint64_t height);
void sync_world_close(struct sync_world *w);

/* sync_world_add makes one more snapshot, of other rows. */
void sync_world_add(struct sync_world *w, uint64_t height);

/* sync_world_join opens the joiner, anew if it was there, and links it to all
 * peers. */
void sync_world_join(struct sync_world *w, uint64_t height_least);

/* sync_world_run goes on for at most `seconds` of the world, or until the
 * joiner has an end, and returns its stage. */
enum sync_stage sync_world_run(struct sync_world *w, uint32_t seconds);

/* sync_world_anchor writes the anchor of a height: with `later` above it by a
 * proof under a later state, else directly. */
uint32_t sync_world_anchor(struct sync_world *w,
                           uint8_t *out,
                           uint32_t cap,
                           uint64_t height,
                           uint64_t later,
                           const struct nv_hash *root,
                           struct nv_hash *block_hash);

#endif /* NV_TESTS_LIB_SYNC_WORLD_H */
