#include "p2p/session.h"

#include "base/assert.h"
#include "base/heap.h"

#include "p2p/dial.h"
#include "p2p/session_parts.h"
#include "p2p/tls.h"

#define DRAIN_MS        1000u
#define FIRST_BYTES_MAX 4096u /* of one that waits; the first message of TLS has some 300 */

/* ---- the end ------------------------------------------------------------ */

static void session_free(struct p2p__session *session)
{
    *session->link = session->next;
    if (session->next != NULL) {
        session->next->link = session->link;
    }
    p2p__session_leave_place(session);
    p2p__frame_deinit(&session->frame);
    if (session->tls != NULL) {
        p2p__tls_close(session->tls);
    }
    nv_heap_free(session);
}

static void on_closed(void *owner)
{
    struct p2p__session *session = owner;
    struct p2p *p2p = session->p2p;
    session_free(session);
    p2p__handle_gone(p2p);
}

void p2p__session_close(struct p2p__session *session)
{
    p2p__session_end(session, P2P_REASON_STOPPING);
    p2p__socket_close(session->socket);
}

/* ---- what the socket tells -------------------------------------------- */

static void on_connected(void *owner, bool good)
{
    struct p2p__session *session = owner;
    if (session->ended != P2P_REASON_NONE) {
        return;
    }
    if (!good || p2p__socket_read(session->socket) != NV_OK) {
        p2p__session_end(session, P2P_REASON_UNREACHABLE);
        return;
    }
    session->connected = true;
    if (session->waits) {
        return;
    }
    p2p__socket_remote(session->socket, &session->remote, session->address);
    p2p__session_advance(session);
}

/* first_bytes: an accepted session asks for its handshake, and is not read meanwhile. */
static void first_bytes(struct p2p__session *session, struct nv_view bytes)
{
    struct p2p *p2p = session->p2p;
    if (bytes.size > FIRST_BYTES_MAX || p2p__tls_feed(session->tls, bytes) != NV_OK) {
        p2p__session_end(session, P2P_REASON_TLS);
        return;
    }
    p2p__socket_pause(session->socket);
    p2p__admission_ask(&p2p->admission, session->place);
    p2p__session_begin_next(p2p);
    p2p->totals.handshakes_waited += session->waits ? 1 : 0;
}

static void on_bytes(void *owner, struct nv_view bytes)
{
    struct p2p__session *session = owner;
    if (session->ended != P2P_REASON_NONE) {
        return; /* what still comes while the last frame goes out */
    }
    if (session->waits) {
        first_bytes(session, bytes);
        return;
    }
    session->heard_ms = p2p__now(session->p2p);
    if (p2p__tls_feed(session->tls, bytes) != NV_OK) {
        p2p__session_end(session, P2P_REASON_TLS);
        return;
    }
    p2p__session_advance(session);
}

static void on_ended(void *owner)
{
    struct p2p__session *session = owner;
    p2p__session_end(session, P2P_REASON_CLOSED);
    p2p__socket_close(session->socket);
}

static void on_written(void *owner, bool good)
{
    struct p2p__session *session = owner;
    if (!good) {
        p2p__session_end(session, P2P_REASON_CLOSED);
        p2p__socket_close(session->socket);
        return;
    }
    p2p__session_flush(session);
}

/* ---- the clock ---------------------------------------------------------- */

static void tick_open(struct p2p__session *session, uint64_t now_ms)
{
    const struct p2p_limits *limits = &session->p2p->limits;
    uint64_t const unsent = p2p__socket_unsent(session->socket);
    if (unsent == 0 || unsent != session->unsent) {
        session->progress_ms = now_ms;
    }
    session->unsent = unsent;
    if (now_ms - session->progress_ms >= limits->stall_ms) {
        p2p__session_end(session, P2P_REASON_STALLED);
    } else if (!session->paused && now_ms - session->heard_ms >= limits->idle_ms) {
        p2p__session_end(session, P2P_REASON_IDLE);
    } else if (now_ms - session->pinged_ms >= limits->ping_ms) {
        session->pinged_ms = now_ms;
        session->ping_due = true;
        p2p__session_flush(session);
    }
}

void p2p__session_tick(struct p2p__session *session, uint64_t now_ms)
{
    if (session->ended != P2P_REASON_NONE) {
        if (now_ms - session->ended_ms >= DRAIN_MS) {
            p2p__socket_close(session->socket);
        }
    } else if (p2p__session_is_open(session)) {
        p2p__session_tick_read(session);
        tick_open(session, now_ms);
    } else if (now_ms - session->started_ms >= session->p2p->limits.handshake_ms) {
        p2p__session_end(session, session->connected ? P2P_REASON_TIMEOUT : P2P_REASON_UNREACHABLE);
    }
}

/* ---- the beginning ------------------------------------------------------ */

static const struct p2p__socket_events socket_events = {
    .on_connected = on_connected,
    .on_bytes = on_bytes,
    .on_ended = on_ended,
    .on_written = on_written,
    .on_closed = on_closed,
};

/* session_new makes an unconnected session in the list. */
static struct p2p__session *session_new(struct p2p *p2p)
{
    struct p2p__session *session = nv_heap_alloc(sizeof(*session));
    if (session == NULL) {
        return NULL;
    }
    session->p2p = p2p;
    session->dial = P2P__DIAL_NONE;
    session->place = P2P__PLACE_NONE;
    session->started_ms = p2p__now(p2p);
    session->socket = p2p__socket_open(p2p->loop, p2p->scratch.read, &socket_events, session);
    if (session->socket == NULL) {
        nv_heap_free(session);
        return NULL;
    }
    p2p__frame_init(&session->frame);
    p2p->handles++;
    session->next = p2p->sessions;
    session->link = &p2p->sessions;
    if (session->next != NULL) {
        session->next->link = &session->next;
    }
    p2p->sessions = session;
    return session;
}

/* session_cut ends a session that never began: nobody is told. */
static void session_cut(struct p2p__session *session, enum p2p_reason reason)
{
    session->ended = reason;
    session->ended_ms = p2p__now(session->p2p);
    p2p__socket_close(session->socket);
}

struct p2p__session *p2p__session_dial(struct p2p *p2p, const struct p2p__target *target)
{
    struct p2p__session *session = session_new(p2p);
    if (session == NULL) {
        return NULL;
    }
    p2p__handshake_init_dialler(&session->handshake, target->key, target->lane);
    session->tls = p2p__tls_open(p2p->tls, true);
    if (session->tls == NULL || p2p__socket_connect(session->socket, target->address) != NV_OK) {
        session_cut(session, P2P_REASON_UNREACHABLE);
        return NULL;
    }
    session->dial = target->dial;
    p2p->totals.dialled++;
    return session;
}

/* evict ends the session that admission has taken a place from, if any. */
static void evict(struct p2p *p2p, uint32_t place)
{
    if (place != P2P__PLACE_NONE) {
        struct p2p__session *session = p2p->by_place[place];
        NV_ASSERT(session != NULL);
        p2p->by_place[place] = NULL;
        session->place = P2P__PLACE_NONE;
        p2p->totals.refused_full++;
        p2p__session_end(session, P2P_REASON_TIMEOUT);
        p2p__socket_close(session->socket);
    }
}

/* SPEC p2p 7.3: "A *known* address is one at which a validator of the list was linked last" */
static bool is_known(const struct p2p *p2p, const struct p2p__address *address)
{
    return p2p__peers_know(&p2p->peers, address) || p2p__dialler_knows(p2p->dialler, address);
}

/* admit finds a place for an accepted session, perhaps somebody else's. */
static bool admit(struct p2p *p2p, struct p2p__session *session)
{
    const struct p2p__address *remote = &session->remote;
    uint32_t evicted = P2P__PLACE_NONE;
    p2p__socket_remote(session->socket, &session->remote, session->address);
    uint32_t const place =
        p2p__admission_enter(&p2p->admission, remote, is_known(p2p, remote), &evicted);
    evict(p2p, evicted);
    if (place == P2P__PLACE_NONE) {
        return false;
    }
    session->place = place;
    p2p->by_place[place] = session;
    return true;
}

bool p2p__session_accept(struct p2p *p2p, struct uv_stream_s *server)
{
    struct p2p__session *session = session_new(p2p);
    if (session == NULL) {
        return false;
    }
    p2p__handshake_init_listener(&session->handshake);
    session->waits = true;
    bool const came = p2p__socket_accept(session->socket, server) == NV_OK;
    if (came && admit(p2p, session)) {
        session->tls = p2p__tls_open(p2p->tls, false);
    }
    if (session->tls == NULL) {
        p2p->totals.refused_full += came ? 1 : 0;
        session_cut(session, P2P_REASON_FULL);
        return true;
    }
    p2p->totals.accepted++;
    on_connected(session, true);
    return true;
}

void p2p__session_begin_next(struct p2p *p2p)
{
    while (!p2p->closing) {
        uint32_t evicted = P2P__PLACE_NONE;
        uint32_t const place = p2p__admission_next(&p2p->admission, p2p__now(p2p), &evicted);
        if (place == P2P__PLACE_NONE) {
            return;
        }
        evict(p2p, evicted);
        struct p2p__session *session = p2p->by_place[place];
        NV_ASSERT(session != NULL);
        NV_ASSERT(session->waits);
        session->waits = false;
        session->heard_ms = p2p__now(p2p);
        p2p->totals.handshakes++;
        if (p2p__socket_read(session->socket) != NV_OK) {
            p2p__session_end(session, P2P_REASON_CLOSED);
        } else {
            p2p__session_advance(session);
        }
    }
}
