#ifndef NV_P2P_SESSION_H
#define NV_P2P_SESSION_H

/* session.h - one connection from its first byte to its last: a socket, TLS,
 * the handshake, and then the frames of one lane of one peer.
 *
 *     connecting, or its turn -> TLS -> AUTH -> place -> open -> ended -> closed
 *
 * A session ends once, for one reason; its memory goes when the loop has closed
 * the socket.  Loop thread only. */

#include <stdbool.h>
#include <stdint.h>

#include "base/key.h"

#include "p2p/address.h"
#include "p2p/handshake.h"
#include "p2p/p2p.h"

struct p2p;
struct p2p__peer;
struct p2p__session;
struct sockaddr;
struct uv_stream_s;

/* Where a dialled session comes from. */
struct p2p__target {
    uint32_t dial; /* index in the dialler */
    uint8_t lane;
    const struct nv_pubkey *key;
    const struct sockaddr *address;
};

/* p2p__session_dial starts a connection; NULL when it cannot even be started. */
struct p2p__session *p2p__session_dial(struct p2p *p2p, const struct p2p__target *target);

/* p2p__session_accept takes the next connection of `server`, and cuts it when
 * admission has no place for it.  False: there was no memory to take it; it
 * waits, and nothing more comes from `server` before it is taken. */
NV_MUST_USE bool p2p__session_accept(struct p2p *p2p, struct uv_stream_s *server);

/* p2p__session_begin_next begins the handshakes of accepted connections whose turn it
 * is, as far as the budget goes. */
void p2p__session_begin_next(struct p2p *p2p);

/* p2p__session_end ends it, telling the other end why if that helps it.  Does
 * nothing when it has ended. */
void p2p__session_end(struct p2p__session *session, enum p2p_reason reason);

/* p2p__session_close ends it, and closes the socket at once: the loop is about to
 * be left. */
void p2p__session_close(struct p2p__session *session);

/* p2p__session_touch marks that something waits for its lane; p2p__session_flush
 * writes what there is, p2p__session_flush_touched only if it was marked. */
void p2p__session_touch(struct p2p__session *session);
void p2p__session_flush(struct p2p__session *session);
void p2p__session_flush_touched(struct p2p__session *session);

/* p2p__session_resume delivers again if the owner's inbox was full. */
void p2p__session_resume(struct p2p__session *session);

/* p2p__session_tick looks at the clock: time limits and keep-alive. */
void p2p__session_tick(struct p2p__session *session, uint64_t now_ms);

/* p2p__session_next returns the next of all sessions, NULL at the end. */
struct p2p__session *p2p__session_next(const struct p2p__session *session);

/* What others may know of a session. */
struct p2p__session_view {
    const struct p2p__auth *auth; /* of the remote node; valid once authenticated */
    struct p2p__peer *peer;       /* NULL: no place (yet, or any more) */
    uint32_t dial;                /* P2P__DIAL_NONE: accepted */
    uint32_t place;               /* of admission; P2P__PLACE_NONE: dialled */
    uint8_t lane;
    bool open;
    bool told; /* the reason of its end is what the other end said */
    uint64_t open_since_ms;
    const char *address;
    const struct p2p__address *remote;
};
struct p2p__session_view p2p__session_view(const struct p2p__session *session);

#endif /* NV_P2P_SESSION_H */
