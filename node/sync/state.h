#ifndef NV_NODE_SYNC_STATE_H
#define NV_NODE_SYNC_STATE_H

/* state.h - what a joiner remembers (private to the files of this list, each of which
 * calls those below it alone).
 *
 *     sync.c         inputs, listing, how far
 *     fetch.c        requests and their answers
 *     target.c       which snapshot, and what of it is in the folder
 *     epochs.c       from what is believed to the epochs of an anchor
 *     peers.c        who is asked for what, who is left out
 *     operations.c   the queue of what is to be done
 *     stage.c        listing, anchor, ..., ready or failed */

#include "consensus/consensus.h"
#include "node/sync/sync.h"

#define SYNC__OPS_MAX     (SYNC_PEERS_MAX * (SYNC_REQUESTS_MAX + 2u))
#define SYNC__FAILED_MAX  8u
#define SYNC__PATIENCE_MS 10000u /* for one request */
#define SYNC__SLOW_MS     2000u  /* it has not answered one that is not wanted any more */
#define SYNC__SILENCES    3u     /* then a source is left out */
#define SYNC__LOSSES      3u     /* sources left out in a row: take a newer one */
#define SYNC__LIST_MS     2000u  /* peers are asked again, while nothing is fetched */
#define SYNC__RELIST_MS   10000u /* and while something is */
#define SYNC__GATHER_MS   1000u  /* before the first choice */
#define SYNC__WAIT_MS     5000u  /* before it is skipped */

#define SYNC__NO_ANCHOR "its reason to believe a snapshot is none"

#define SYNC__EPOCH_PATIENCE_MS 2000u /* for the end of an epoch; who has it not says nothing */
#define SYNC__EPOCH_ROUNDS      2u    /* times that every peer is asked for one */

struct sync__request {
    bool used;
    uint32_t part;
    uint64_t at_ms;
};

struct sync__peer {
    bool up;
    bool answered; /* the last question which snapshots it has */
    bool liar;     /* for good */
    bool left_out; /* of the present target */
    uint32_t id;
    uint32_t silences; /* in a row */
    uint32_t faults;   /* silences, and anchors that led nowhere; not to hold a part is none */
    uint32_t request_count;
    struct sync__request request[SYNC_REQUESTS_MAX];
    uint64_t second_ms; /* the second that is counted */
    uint32_t second_count;
    struct sync_offers offers;
};

/* The snapshot that is being fetched. */
struct sync__target {
    bool set;
    struct sync_offer offer;
    bool held;       /* there is an anchor, not judged yet, ... */
    uint32_t giver;  /* ... from this peer */
    bool based, cut; /* anchor, manifest are there */
    struct sync_base base;
    struct st_manifest manifest;
    uint32_t have_count;
    uint32_t next; /* no chunk below is missing and unasked */
    uint32_t losses;
    uint8_t have[ST_CHUNKS_MAX];  /* is there */
    uint8_t asked[ST_CHUNKS_MAX]; /* is under way */
    uint32_t anchor_size;
    uint8_t anchor[ST_ANCHOR_SIZE_MAX];
    uint8_t manifest_bytes[ST_MANIFEST_SIZE_MAX];
};

/* How far a walk from epoch to epoch came. */
enum sync__reach {
    SYNC__REACH_THERE = 1,
    SYNC__REACH_ON,      /* there is more to be looked at */
    SYNC__REACH_MISSING, /* the end of an epoch is */
    SYNC__REACH_NEVER,   /* it leads nowhere, or has failed */
};

struct sync__walk {
    bool begun;
    struct cs_light low;  /* on the way to the epoch of an anchor's block */
    struct cs_light high; /* and to that of its later header; epoch 0: nowhere */
    uint64_t missing;     /* the epoch whose end is looked for; 0: none */
    uint32_t asked;       /* the peer that was asked for it, by place; SYNC_PEERS_MAX: none */
    uint64_t asked_ms;
    uint32_t attempts;
    uint32_t turn; /* whom to ask next */
    /* The end before the trusted epoch, until its signatures can be verified. */
    uint32_t pin_giver;
    uint32_t pin_size; /* 0: none */
    uint8_t pin[CS_HANDOVER_SIZE_MAX];
};

struct sync {
    struct sync_config config;
    enum sync_stage stage;
    enum nv_err err;
    struct sync_time time;
    uint64_t listing_ms; /* since when */
    uint64_t listed_ms;  /* peers were asked last */
    uint64_t tip_height;
    struct sync__peer peer[SYNC_PEERS_MAX];
    struct sync__target target;
    struct sync__walk walk;
    uint64_t begun; /* height of an unfinished folder; 0: none */
    struct sync_offer failed[SYNC__FAILED_MAX];
    uint32_t failed_count;
    struct sync_op op[SYNC__OPS_MAX];
    uint32_t op_first, op_count;
    uint64_t rate_ms; /* since when chunks are counted */
    uint32_t rate_chunks;
    uint8_t packed[ST_CHUNK_PACKED_MAX];
    uint8_t chunk[ST_CHUNK_SIZE_MAX];
};

/* ---- stage.c ---- */

void sync__stage(struct sync *s, enum sync_stage stage);
void sync__fail(struct sync *s, enum nv_err err);

/* ---- operations.c; what finds no room in the queue is as if it had been lost ---- */

void sync__send(struct sync *s, const struct sync__peer *peer, const struct sync_message *message);
void sync__send_epoch(struct sync *s, const struct sync__peer *peer, uint64_t epoch);
void sync__ban(struct sync *s, const struct sync__peer *peer, const char *why);

/* ---- peers.c ---- */

/* sync__peer_of returns the peer that is linked under an id, or NULL. */
struct sync__peer *sync__peer_of(struct sync *s, uint32_t id);
bool sync__same_offer(const struct sync_offer *a, const struct sync_offer *b);
/* sync__source returns whether a peer offers the target. */
bool sync__source(const struct sync *s, const struct sync__peer *peer);
/* sync__asked notes whether a chunk is under way; other parts are asked for of one
 * peer at a time, and are looked for among the requests. */
void sync__asked(struct sync *s, uint32_t part, bool asked);
/* sync__end_request ends a request with a peer, sync__forget all of them. */
void sync__end_request(struct sync *s, struct sync__peer *peer, struct sync__request *request);
void sync__forget(struct sync *s, struct sync__peer *peer);
/* sync__lose leaves a source out of the target. */
void sync__lose(struct sync *s, struct sync__peer *peer);
/* sync__lie leaves a peer out for good and has it banned. */
void sync__lie(struct sync *s, struct sync__peer *peer, const char *why);

/* ---- epochs.c ---- */

/* sync__reach brings both light states of the walk to these epochs, `later` not
 * below `epoch`. */
enum sync__reach sync__reach(struct sync *s, uint64_t epoch, uint64_t later);
/* sync__ask_epoch asks for the end of the epoch that is missing; false when everybody
 * was asked in vain. */
bool sync__ask_epoch(struct sync *s);
void sync__take_epoch(struct sync *s, struct sync__peer *peer, struct nv_view bytes);

/* ---- target.c ---- */

/* sync__choose takes a target among the offers; false when there is none. */
bool sync__choose(struct sync *s);
/* sync__newer returns whether somebody offers a newer one. */
bool sync__newer(const struct sync *s);
/* sync__resume takes the target that the folder holds, if its anchor is right. */
NV_MUST_USE enum nv_err sync__resume(struct sync *s);
/* sync__take_anchor keeps an anchor until sync__judge can judge it; false: it is
 * none. */
bool sync__take_anchor(struct sync *s, const struct sync__peer *peer, struct nv_view bytes);
/* sync__judge goes on towards the epochs of the anchor that is held, and judges it
 * when they are reached. */
void sync__judge(struct sync *s);
/* sync__take_manifest judges bytes and keeps them; false: they are not right. */
bool sync__take_manifest(struct sync *s, struct nv_view bytes);
/* sync__give_up goes back to listing; `wrong`: the sources vouched for a lie. */
void sync__give_up(struct sync *s, bool wrong);

/* ---- fetch.c ---- */

/* sync__ask makes the requests that can be made. */
void sync__ask(struct sync *s);
void sync__take_part(struct sync *s, struct sync__peer *peer, const struct sync_part *part);
/* sync__expire ends requests that nobody answers. */
void sync__expire(struct sync *s);

#endif /* NV_NODE_SYNC_STATE_H */
