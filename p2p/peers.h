#ifndef NV_P2P_PEERS_H
#define NV_P2P_PEERS_H

/* peers.h - the nodes that this one is linked with, and which connection is
 * theirs (docs/spec/p2p.md sections 1.4, 3.5, 7.2 and 9).
 *
 * A validator has a place as long as it is one.  Another node has a place from
 * its first connection until its last one is gone and its owner was told.  Who
 * changes from the one to the other keeps place and id.  A place is also the
 * peer's slot in gossip.
 *
 * Decides about sessions but never looks into one.  No I/O, time is handed in.
 * One thread at a time. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/key.h"

#include "p2p/address.h"
#include "p2p/announcement.h"
#include "p2p/gossip.h"
#include "p2p/handshake.h"
#include "p2p/p2p.h"
#include "p2p/queue.h"

struct p2p__session;

#define P2P__BANS_MAX 64u

struct p2p__lane {
    struct p2p__session *session; /* NULL: the lane is down */
    bool dialled;                 /* by this node */
    uint64_t instance;            /* of the remote node */
    uint64_t up_since_ms;
    struct p2p__queue queue; /* its ring is there from the first connection on */
    uint64_t frames_in, frames_out, bytes_in, bytes_out;
    uint32_t rtt_us;
};

/* A link as the owner sees it. */
struct p2p__standing {
    uint8_t lanes; /* connected, by bit */
    bool lane_0;   /* is the one to send by */
    bool up;       /* that one is connected */
};

struct p2p__peer {
    bool used;
    bool validator;
    bool loses[P2P_LANES]; /* what p2p__peers_turn takes from it */
    struct p2p__standing told;
    uint16_t listen_port;
    uint32_t id;
    uint32_t slot;
    struct nv_pubkey key;
    struct p2p__address remote; /* of its last link */
    char address[P2P_ADDRESS_SIZE];
    enum p2p_reason last_reason;
    uint64_t awaited_ms;           /* since when lane 0 is missing */
    struct p2p__announcement said; /* of its key; port 0: none */
    uint64_t said_ms;              /* when it was taken */
    struct p2p__lane lanes[P2P_LANES];
};

struct p2p__ban {
    struct nv_pubkey key;
    uint64_t until_ms; /* 0: the entry is free */
};

struct p2p__peers {
    struct nv_pubkey self_key;
    bool self_validator;
    uint32_t count; /* places: for P2P_VALIDATORS_MAX and limits->observers_max */
    uint32_t top;   /* no place from here on is taken */
    uint32_t next_id;
    const struct p2p_limits *limits; /* borrowed */
    struct p2p__peer *peers;         /* owned */
    struct p2p__ban bans[P2P__BANS_MAX];
};

/* p2p__peers_init makes places, and gives the validators of `config` theirs.
 * `limits` is borrowed.  NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err p2p__peers_init(struct p2p__peers *peers,
                                        const struct p2p_config *config,
                                        const struct p2p_limits *limits,
                                        const struct nv_pubkey *self_key);
void p2p__peers_deinit(struct p2p__peers *peers);

/* A list of validators is replaced in two steps.  p2p__peers_turn says of this node
 * and of all with a place whether they are validators, and sets in `loses` which lanes
 * a peer may not keep: 0 for LANE, 1 for FULL.  When these have ended, the owner was
 * told and the places were vacated, p2p__peers_seat gives those places that have none:
 * there is one for each.  `count` is at most P2P_VALIDATORS_MAX. */
void p2p__peers_turn(struct p2p__peers *peers,
                     const struct nv_pubkey *keys,
                     uint32_t count,
                     uint64_t now_ms);
void p2p__peers_seat(struct p2p__peers *peers, const struct nv_pubkey *keys, uint32_t count);

/* p2p__peers_both returns whether this node and the peer are validators. */
bool p2p__peers_both(const struct p2p__peers *peers, const struct p2p__peer *peer);

/* p2p__peers_standing returns how the link is. */
struct p2p__standing
p2p__peers_standing(const struct p2p__peers *peers, const struct p2p__peer *peer, uint64_t now_ms);

/* p2p__peers_by_id and _by_key return a peer, or NULL; never this node itself. */
struct p2p__peer *p2p__peers_by_id(const struct p2p__peers *peers, uint32_t id);
struct p2p__peer *p2p__peers_by_key(const struct p2p__peers *peers, const struct nv_pubkey *key);

/* p2p__peers_know returns whether a validator was linked at `address` last, or says that it
 * can be dialled there. */
bool p2p__peers_know(const struct p2p__peers *peers, const struct p2p__address *address);

/* p2p__peers_lanes returns which lanes are connected, by bit. */
uint8_t p2p__peers_lanes(const struct p2p__peer *peer);

/* A connection that is authenticated and asks for a place. */
struct p2p__claim {
    const struct p2p__auth *auth;
    bool dialled; /* by this node */
    uint64_t now_ms;
    struct p2p__session *session;
};

/* p2p__peers_place gives a connection its lane.  NONE: it has it, `*peer` is whose,
 * and `*loser` is the connection that had it before and is to be ended, or NULL;
 * what waits for the lane waits on.  Any other reason: there is no place. */
enum p2p_reason p2p__peers_place(struct p2p__peers *peers,
                                 struct p2p__peer **peer,
                                 struct p2p__session **loser,
                                 const struct p2p__claim *claim);

/* p2p__peers_leave says that a session has ended.  True if it had the lane, which
 * is down now; what waited for it is dropped. */
bool p2p__peers_leave(struct p2p__peer *peer,
                      uint8_t lane,
                      const struct p2p__session *session,
                      uint64_t now_ms);

/* p2p__peers_vacate frees the place of an observer with no lane that the owner
 * believes gone.  Others keep theirs. */
void p2p__peers_vacate(struct p2p__peers *peers, struct p2p__peer *peer);

/* p2p__peers_ban refuses `key` until `until_ms`; p2p__peers_banned asks. */
void p2p__peers_ban(struct p2p__peers *peers, const struct nv_pubkey *key, uint64_t until_ms);
bool p2p__peers_banned(const struct p2p__peers *peers,
                       const struct nv_pubkey *key,
                       uint64_t now_ms);

#endif /* NV_P2P_PEERS_H */
