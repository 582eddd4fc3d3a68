#ifndef NV_P2P_STATE_H
#define NV_P2P_STATE_H

/* state.h - the module's object, and what its parts call of each other.
 *
 *     listen ─┐                      ┌─ peers (who has which lane)
 *             ├─> session ──> links ─┼─ gossip
 *     dial ───┘   (socket, TLS,      └─ the owner's callbacks
 *                  frames, handshake)
 *
 * Loop thread only. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#include "p2p/admission.h"
#include "p2p/announcement.h"
#include "p2p/gossip.h"
#include "p2p/handshake.h"
#include "p2p/p2p.h"
#include "p2p/peers.h"
#include "p2p/tls.h"

struct p2p__dialler;
struct p2p__listener;
struct p2p__session;
struct p2p__session_view;
struct uv_idle_s;
struct uv_prepare_s;
struct uv_timer_s;

/* Ciphertext of one write: up to 64 KiB of plaintext records and what TLS adds. */
#define P2P__WRITE_SIZE 98304u
#define P2P__WRITE_FILL 65536u

#define P2P__DIAL_NONE UINT32_MAX

/* Buffers that are used between two callbacks and never across them. */
struct p2p__scratch {
    uint8_t *read;  /* P2P__READ_SIZE */
    uint8_t *plain; /* P2P__TLS_RECORD */
    uint8_t *write; /* P2P__WRITE_SIZE */
    uint8_t *batch; /* largest TRANSACTIONS payload */
    void *envelope_memory;
    struct nv_arena envelope;
};

struct p2p {
    struct uv_loop_s *loop; /* borrowed */
    struct p2p_limits limits;
    struct p2p_events events;
    struct p2p__self self;
    struct nv_seckey *seckey; /* owned, locked */
    struct p2p__tls_context *tls;
    struct p2p__peers peers;
    struct p2p__admission admission;
    struct p2p__session **by_place; /* owned: accepted sessions by place of admission */
    struct p2p__session *sessions;  /* all, newest first */
    struct p2p__listener *listener; /* NULL: does not listen */
    struct p2p__dialler *dialler;
    struct p2p__gossip *gossip;
    struct uv_timer_s *timer;
    struct uv_prepare_s *turn; /* the end of each turn of the loop */
    struct uv_idle_s *idle;    /* runs while something waits for that */
    struct p2p__scratch scratch;
    struct p2p_totals totals;
    uint64_t logged_at_ms[P2P_REASON_COUNT]; /* refusals of strangers, by reason; 0 never */
    struct {
        struct p2p__announcement own; /* port 0: it tells nobody */
        uint64_t own_ms;              /* when a later one of the own key came; 0 never */
        uint64_t all_at_ms;           /* all is told to all then; 0: no need */
        uint64_t turn_ms;             /* when all was told to one, in turn ... */
        uint32_t turn;                /* ... up to this */
        bool warned;                  /* of telling nobody */
    } announce;
    uint32_t handles;  /* things of the loop that are not closed yet */
    bool resume;       /* p2p_resume was called */
    bool gossip_waits; /* a transaction that the next tick offers */
    bool telling;      /* on_peer is being called */
    bool closing;
    void (*on_closed)(void *ctx);
    void *on_closed_ctx;
};

/* ---- loop.c: what the parts ask of the loop ------------------------------ */

/* p2p__now returns the loop's time in milliseconds, never 0. */
uint64_t p2p__now(const struct p2p *p2p);

/* p2p__precise_ns returns a monotonic time for measuring round trips, never 0. */
uint64_t p2p__precise_ns(void);

/* p2p__wake makes the loop come back before it waits, to write what is queued. */
void p2p__wake(struct p2p *p2p);

/* ---- handles.c: the end of the module ------------------------------------ */

/* p2p__handle_gone says that one of p2p->handles was closed; the last one frees
 * the module. */
void p2p__handle_gone(struct p2p *p2p);

/* ---- send.c -------------------------------------------------------------- */

/* p2p__gossip_tick offers the transactions that were not urgent. */
void p2p__gossip_tick(struct p2p *p2p);

/* ---- links.c: what a session means for the peer ------------------------- */

/* p2p__link_place gives an authenticated session, seen as `view`, its lane.  NONE,
 * or why there is no place.  `*loser` is NULL or a session that has lost the lane to
 * it: the caller ends that. */
enum p2p_reason p2p__link_place(struct p2p *p2p,
                                struct p2p__session *session,
                                const struct p2p__session_view *view,
                                struct p2p__session **loser);

/* p2p__link_ended takes note that a session, seen as `view`, has ended, once for
 * each. */
void p2p__link_ended(struct p2p *p2p,
                     const struct p2p__session *session,
                     const struct p2p__session_view *view,
                     enum p2p_reason reason);

/* p2p__link_tell tells the owner of changes of a link that it was not told of;
 * p2p__link_tell_all of all links, and frees the places of those who are gone. */
void p2p__link_tell(struct p2p *p2p, struct p2p__peer *peer);
void p2p__link_tell_all(struct p2p *p2p);

/* p2p__link_message hands a message of an authenticated peer to the owner.  False:
 * it is to come again. */
bool p2p__link_message(struct p2p *p2p, struct p2p__peer *peer, const struct p2p_message *message);

/* p2p__link_transactions hands on what is new in a batch.  False: it is malformed. */
bool p2p__link_transactions(struct p2p *p2p, struct p2p__peer *peer, struct nv_view batch);

/* p2p__link_fill moves gossip into the queue of lane 1 as long as it is short. */
void p2p__link_fill(struct p2p *p2p, struct p2p__peer *peer);

/* ---- announce.c: where validators can be dialled ------------------------ */

/* p2p__announce_open makes the own announcement of `config`.  NV_ERR_CONFIG (logged). */
NV_MUST_USE enum nv_err p2p__announce_open(struct p2p *p2p, const struct p2p_config *config);

/* p2p__announce_linked says that lane 1 of `peer` came up. */
void p2p__announce_linked(struct p2p *p2p, struct p2p__peer *peer);

/* p2p__announce_take takes an ADDRESS that `from` sent.  False: it breaks the protocol. */
bool p2p__announce_take(struct p2p *p2p, const struct p2p__peer *from, struct nv_view payload);

/* p2p__announce_seated says that the list of validators was replaced. */
void p2p__announce_seated(struct p2p *p2p);

/* p2p__announce_tick sends what it is time for. */
void p2p__announce_tick(struct p2p *p2p, uint64_t now_ms);

#endif /* NV_P2P_STATE_H */
