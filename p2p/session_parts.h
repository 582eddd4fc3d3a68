#ifndef NV_P2P_SESSION_PARTS_H
#define NV_P2P_SESSION_PARTS_H

/* session_parts.h - what the files of a session share: session.c (its beginning and
 * its clock), session_read.c, session_write.c (and its end, which is to write why),
 * session_view.c.  Nobody else includes it. */

#include "p2p/frame.h"
#include "p2p/session.h"
#include "p2p/socket.h"
#include "p2p/state.h"
#include "p2p/types.h"

struct p2p__session {
    struct p2p *p2p;
    struct p2p__session *next;
    struct p2p__session **link; /* what points at this one */
    struct p2p__socket *socket;
    struct p2p__tls *tls;
    struct p2p__handshake handshake;
    struct p2p__frame frame;
    struct p2p__peer *peer;
    uint32_t dial;
    uint32_t place;
    enum p2p_reason ended;
    bool told;
    bool connected;
    bool waits;  /* accepted, and its handshake has not begun */
    bool paused; /* the owner's inbox is full, or it sends too fast; a frame is ready */
    bool fast;   /* the latter: until the next tick */
    uint32_t frames_in_tick;
    bool dirty;
    bool mid_frame; /* the last record ends inside a frame: no other may begin */
    bool ping_due;
    bool pong_due;
    uint8_t pong[P2P__PING_SIZE];
    uint64_t started_ms, open_since_ms, ended_ms;
    uint64_t heard_ms, pinged_ms, progress_ms;
    uint64_t ping_ns; /* what the last ping said; 0: answered */
    uint64_t unsent;
    struct p2p__address remote;
    char address[P2P_ADDRESS_SIZE];
};

/* p2p__session_is_open: authenticated, with a lane, and not ended. */
bool p2p__session_is_open(const struct p2p__session *session);

/* p2p__session_leave_place gives back what an accepted session had. */
void p2p__session_leave_place(struct p2p__session *session);

/* p2p__session_put writes a frame that is not queued into TLS at once.  False when
 * TLS fails. */
bool p2p__session_put(struct p2p__session *session, uint8_t type, struct nv_view payload);

/* p2p__session_tick_read lets a session that was too fast go on. */
void p2p__session_tick_read(struct p2p__session *session);

/* p2p__session_advance goes on with whatever has come: handshake, then frames. */
void p2p__session_advance(struct p2p__session *session);

#endif /* NV_P2P_SESSION_PARTS_H */
