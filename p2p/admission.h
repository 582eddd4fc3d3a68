#ifndef NV_P2P_ADMISSION_H
#define NV_P2P_ADMISSION_H

/* admission.h - which accepted connections have a place, and whose handshake is
 * next (docs/spec/p2p.md section 7).
 *
 *     enter -> silent -> ask -> asks -> next -> in its handshake -> prove -> proved
 *
 * Strangers together hold a fixed number of places, and cost a bounded number of
 * handshakes a second.  Known addresses have as many places of their own, and
 * every other handshake.  When those that wait have filled their places, a
 * newcomer takes that of the oldest of the network that holds most; when those in
 * their handshake have, the one that was begun first makes room: an honest node
 * needs a round trip, and they can be filled no faster than handshakes begin.
 *
 * A place is an index into the caller's own table.  Time is handed in.  One
 * thread at a time. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#include "p2p/address.h"
#include "p2p/budget.h"

#define P2P__PLACE_NONE UINT32_MAX

enum p2p__stage {
    P2P__STAGE_FREE = 0,
    P2P__STAGE_SILENT, /* nothing has come from it */
    P2P__STAGE_ASKS,   /* its first bytes have: it waits for its turn */
    P2P__STAGE_SHAKES, /* its handshake has begun */
    P2P__STAGE_PROVED, /* it is authenticated */
};

struct p2p__place {
    enum p2p__stage stage;
    struct p2p__address address;
    struct p2p__network network;
    uint64_t since;     /* order of arrival */
    uint64_t served_at; /* number of its network's last handshake; while it shakes, its own */
    uint32_t crowd;     /* how many of its network wait, while it does */
};

struct p2p__admission {
    struct p2p__place *places; /* owned; `cap` of them */
    uint32_t cap;
    uint32_t half_open; /* not proved */
    uint32_t waiting;   /* of these, silent or asking */
    uint32_t half_open_max;
    uint32_t half_open_address_max;
    uint32_t address_max;
    uint64_t arrivals;
    bool known_next; /* whose turn it is when both ask */
    struct p2p__budget budget;
};

/* p2p__admission_init takes memory for `cap` places.  The bounds and the budget are
 * set by the caller: `half_open_max` is that of strangers that wait, of strangers in
 * their handshake, and of known addresses likewise.  NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err p2p__admission_init(struct p2p__admission *admission, uint32_t cap);
void p2p__admission_deinit(struct p2p__admission *admission);

/* p2p__admission_enter gives a newcomer a place, or returns P2P__PLACE_NONE: it
 * is to be closed.  When somebody else must leave for it, `*evicted` is that
 * one's place, which is taken from it at once; else P2P__PLACE_NONE.  The
 * newcomer may get that very place. */
uint32_t p2p__admission_enter(struct p2p__admission *admission,
                              const struct p2p__address *address,
                              bool known,
                              uint32_t *evicted);

/* p2p__admission_ask says that the first bytes have come from a silent one. */
void p2p__admission_ask(struct p2p__admission *admission, uint32_t place);

/* p2p__admission_next returns whose handshake begins now, or P2P__PLACE_NONE: nobody
 * asks, or the budget is used up.  `*evicted` is as for enter, and never this one. */
uint32_t p2p__admission_next(struct p2p__admission *admission, uint64_t now_ms, uint32_t *evicted);

/* p2p__admission_prove says that the connection at `place` is authenticated. */
void p2p__admission_prove(struct p2p__admission *admission, uint32_t place);

/* p2p__admission_leave frees a place. */
void p2p__admission_leave(struct p2p__admission *admission, uint32_t place);

#endif /* NV_P2P_ADMISSION_H */
