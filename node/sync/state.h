#ifndef NV_NODE_SYNC_STATE_H
#define NV_NODE_SYNC_STATE_H

/* state.h - what a joiner remembers (private to sync.c, target.c, fetch.c).
 *
 *     sync.c     inputs, operations, stages
 *     target.c   which snapshot, and what of it is in the folder
 *     fetch.c    requests and their answers */

#include "node/sync/sync.h"

#define SYNC__OPS_MAX     (SYNC_PEERS_MAX * (SYNC_REQUESTS_MAX + 2u))
#define SYNC__FAILED_MAX  8u
#define SYNC__PATIENCE_MS 10000u /* for one request */
#define SYNC__SILENCES    3u     /* then a source is left out */
#define SYNC__LOSSES      3u     /* sources left out in a row: take a newer one */
#define SYNC__LIST_MS     2000u  /* peers are asked again, while nothing is fetched */
#define SYNC__RELIST_MS   10000u /* and while something is */
#define SYNC__GATHER_MS   1000u  /* before the first choice */
#define SYNC__WAIT_MS     5000u  /* before it is skipped */

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
    uint32_t faults;   /* times it was left out */
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

/* ---- sync.c ---- */

void sync__send(struct sync *s, const struct sync__peer *peer, const struct sync_message *message);
/* sync__lie leaves a peer out for good and has it banned. */
void sync__lie(struct sync *s, struct sync__peer *peer, const char *why);
void sync__fail(struct sync *s, enum nv_err err);
void sync__stage(struct sync *s, enum sync_stage stage);

/* ---- target.c ---- */

/* sync__source returns whether a peer offers the target. */
bool sync__source(const struct sync *s, const struct sync__peer *peer);
/* sync__choose takes a target among the offers; false when there is none. */
bool sync__choose(struct sync *s);
/* sync__newer returns whether somebody offers a newer one. */
bool sync__newer(const struct sync *s);
/* sync__resume takes the target that the folder holds, if its anchor is right. */
NV_MUST_USE enum nv_err sync__resume(struct sync *s);
/* sync__take_anchor and sync__take_manifest judge bytes and keep them; false:
 * they are not right. */
bool sync__take_anchor(struct sync *s, struct nv_view bytes);
bool sync__take_manifest(struct sync *s, struct nv_view bytes);
/* sync__give_up goes back to listing; `wrong`: the sources vouched for a lie. */
void sync__give_up(struct sync *s, bool wrong);

/* ---- fetch.c ---- */

/* sync__ask makes the requests that can be made. */
void sync__ask(struct sync *s);
void sync__take_part(struct sync *s, struct sync__peer *peer, const struct sync_part *part);
/* sync__expire ends requests that nobody answers. */
void sync__expire(struct sync *s);
/* sync__forget ends all requests with a peer. */
void sync__forget(struct sync *s, struct sync__peer *peer);
/* sync__lose leaves a source out of the target. */
void sync__lose(struct sync *s, struct sync__peer *peer);

#endif /* NV_NODE_SYNC_STATE_H */
