#include "base/assert.h"
#include "base/codec.h"

#include "p2p/envelope.h"
#include "p2p/session_parts.h"
#include "p2p/tls.h"

/* What a peer may send in a tick: ten times what a busy chain needs. */
#define FRAMES_A_TICK 2000u
#define SIZE_BYTES    4u

static void send_auth(struct p2p__session *session)
{
    uint8_t auth[P2P__AUTH_SIZE];
    p2p__handshake_auth(auth, &session->handshake, &session->p2p->self);
    if (!p2p__session_put(session, P2P__TYPE_AUTH, nv_view_of(auth, sizeof(auth)))) {
        p2p__session_end(session, P2P_REASON_TLS);
    }
}

/* open_up: the other end is authenticated and may have a place. */
static void open_up(struct p2p__session *session)
{
    struct p2p *p2p = session->p2p;
    struct p2p__session_view const view = p2p__session_view(session);
    struct p2p__session *loser = NULL;
    enum p2p_reason const reason = p2p__link_place(p2p, session, &view, &loser);
    if (reason != P2P_REASON_NONE) {
        p2p__session_end(session, reason);
        return;
    }
    if (loser != NULL) {
        p2p__session_end(loser, P2P_REASON_DUPLICATE);
    }
    session->peer = p2p__peers_by_key(&p2p->peers, &session->handshake.peer.key);
    NV_ASSERT(session->peer != NULL);
    if (session->place != P2P__PLACE_NONE) {
        p2p__admission_prove(&p2p->admission, session->place);
    }
    uint64_t const now_ms = p2p__now(p2p);
    session->open_since_ms = now_ms;
    session->heard_ms = now_ms;
    session->pinged_ms = now_ms;
    session->ping_due = true;
    p2p__frame_prove(&session->frame, session->handshake.lane);
    if (p2p__handshake_placed(&session->handshake)) {
        send_auth(session);
    }
    p2p__session_touch(session);
    if (session->handshake.lane == P2P_LANE_1) {
        p2p__announce_linked(p2p, session->peer);
    }
    p2p__link_tell(p2p, session->peer);
}

static void take_auth(struct p2p__session *session, uint8_t type, struct nv_view payload)
{
    enum p2p_reason const reason = p2p__handshake_take(
        &session->handshake, &session->told, &session->p2p->self, type, payload);
    if (reason == P2P_REASON_NONE) {
        open_up(session);
    } else {
        p2p__session_end(session, reason);
    }
}

static void take_pong(struct p2p__session *session, struct nv_view payload)
{
    uint64_t const now_ns = p2p__precise_ns();
    if (session->ping_ns != 0 && nv_be64_load(payload.bytes) == session->ping_ns) {
        uint64_t const rtt_us = (now_ns - session->ping_ns) / 1000;
        struct p2p__lane *lane = &session->peer->lanes[session->handshake.lane];
        lane->rtt_us = rtt_us < UINT32_MAX ? (uint32_t)rtt_us : UINT32_MAX;
        session->ping_ns = 0;
    }
}

/* take_own handles the module's own types.  False: it breaks the protocol. */
static bool take_own(struct p2p__session *session, uint8_t type, struct nv_view payload)
{
    if (type == P2P__TYPE_REFUSE && payload.size == P2P__REFUSE_SIZE) {
        uint8_t const code = payload.bytes[0];
        session->told = true;
        p2p__session_end(session,
                         code != 0 && code < P2P_REASON_COUNT ? (enum p2p_reason)code
                                                              : P2P_REASON_PROTOCOL);
        return true;
    }
    if (type == P2P__TYPE_ADDRESS) {
        return p2p__announce_take(session->p2p, session->peer, payload);
    }
    if (type == P2P__TYPE_AUTH || payload.size != P2P__PING_SIZE) {
        return false;
    }
    if (type == P2P__TYPE_PONG) {
        take_pong(session, payload);
    } else if (!session->pong_due) {
        session->pong_due = true;
        memcpy(session->pong, payload.bytes, P2P__PING_SIZE);
        p2p__session_touch(session);
    }
    return true;
}

/* take_message hands an authenticated peer's message on.  False: it is to come
 * again later. */
static bool take_message(struct p2p__session *session, uint8_t type, struct nv_view payload)
{
    struct p2p *p2p = session->p2p;
    if (type < 16) {
        if (!take_own(session, type, payload)) {
            p2p__session_end(session, P2P_REASON_PROTOCOL);
        }
        return true;
    }
    if (type == P2P_TYPE_TRANSACTIONS) {
        if (!p2p__link_transactions(p2p, session->peer, payload)) {
            p2p__session_end(session, P2P_REASON_PROTOCOL);
        }
        return true;
    }
    struct p2p_message const message = {
        .lane = session->handshake.lane, .type = type, .payload = payload};
    return p2p__link_message(p2p, session->peer, &message);
}

/* deliver takes the ready frame.  False: it stays, the owner's inbox is full. */
static bool deliver(struct p2p__session *session)
{
    struct nv_arena *arena = &session->p2p->scratch.envelope;
    struct nv_view const envelope = p2p__frame_envelope(&session->frame);
    uint8_t type = 0;
    struct nv_view payload;
    nv_arena_reset(arena);
    if (p2p__envelope_decode(&type, &payload, envelope, arena) != NV_OK) {
        p2p__session_end(session, P2P_REASON_PROTOCOL);
        return true;
    }
    if (session->handshake.phase == P2P__PHASE_AUTH) {
        take_auth(session, type, payload);
        return true;
    }
    if (!take_message(session, type, payload)) {
        return false;
    }
    if (session->peer != NULL) {
        struct p2p__lane *lane = &session->peer->lanes[session->handshake.lane];
        lane->frames_in++;
        lane->bytes_in += SIZE_BYTES + envelope.size;
    }
    return true;
}

/* read_frame reads until a frame is ready.  False: no more for now, or ended. */
static bool read_frame(struct p2p__session *session)
{
    while (!p2p__frame_ready(&session->frame)) {
        uint8_t *at = NULL;
        uint32_t room = 0;
        uint32_t count = 0;
        if (!p2p__tls_pending(session->tls)) {
            return false;
        }
        p2p__frame_want(&session->frame, &at, &room);
        enum nv_err const err = p2p__tls_read(session->tls, at, room, &count);
        if (err != NV_OK) {
            bool const closed = err == NV_ERR_CLOSED;
            p2p__session_end(session, closed ? P2P_REASON_CLOSED : P2P_REASON_TLS);
            return false;
        }
        if (count == 0) {
            return false;
        }
        if (p2p__frame_took(&session->frame, count) != NV_OK) {
            p2p__session_end(session, P2P_REASON_PROTOCOL);
            return false;
        }
    }
    return true;
}

/* too_fast returns whether the frame at hand has to wait for the next tick. */
static bool too_fast(struct p2p__session *session)
{
    session->frames_in_tick++;
    session->fast = session->frames_in_tick > FRAMES_A_TICK;
    return session->fast;
}

static void read_frames(struct p2p__session *session)
{
    while (session->ended == P2P_REASON_NONE && read_frame(session)) {
        if (too_fast(session) || !deliver(session)) {
            session->paused = session->ended == P2P_REASON_NONE;
            p2p__socket_pause(session->socket);
            return;
        }
        p2p__frame_next(&session->frame);
    }
}

static void secure(struct p2p__session *session)
{
    enum nv_err err = p2p__tls_handshake(session->tls);
    struct nv_hash exporter;
    if (err == NV_OK) {
        err = p2p__tls_exporter(session->tls, &exporter);
    }
    if (err == NV_ERR_BUSY) {
        return;
    }
    if (err != NV_OK) {
        p2p__session_flush(session); /* an alert for the other end */
        p2p__session_end(session, P2P_REASON_TLS);
        return;
    }
    if (p2p__handshake_secured(&session->handshake, &exporter)) {
        send_auth(session);
    }
}

void p2p__session_advance(struct p2p__session *session)
{
    if (session->handshake.phase == P2P__PHASE_TLS) {
        secure(session);
    }
    if (session->handshake.phase != P2P__PHASE_TLS) {
        read_frames(session);
    }
    if (session->ended == P2P_REASON_NONE) {
        p2p__session_flush(session);
    }
}

void p2p__session_tick_read(struct p2p__session *session)
{
    session->frames_in_tick = 0;
    if (session->fast) {
        session->fast = false;
        p2p__session_resume(session);
    }
}

void p2p__session_resume(struct p2p__session *session)
{
    if (!session->paused || session->fast || session->ended != P2P_REASON_NONE) {
        return;
    }
    session->paused = false;
    session->heard_ms = p2p__now(session->p2p);
    read_frames(session);
    if (session->ended == P2P_REASON_NONE && !session->paused &&
        p2p__socket_read(session->socket) != NV_OK) {
        p2p__session_end(session, P2P_REASON_CLOSED);
    }
}
