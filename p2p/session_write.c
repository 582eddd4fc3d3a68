#include "base/assert.h"
#include "base/codec.h"

#include "p2p/envelope.h"
#include "p2p/session_parts.h"
#include "p2p/tls.h"

#define SIZE_BYTES      4u
#define SMALL_FRAME_MAX 256u /* an AUTH frame is the largest that is not queued */

bool p2p__session_put(struct p2p__session *session, uint8_t type, struct nv_view payload)
{
    uint8_t frame[SMALL_FRAME_MAX];
    uint32_t const envelope = p2p__envelope_size(type, payload.size);
    NV_ASSERT(SIZE_BYTES + envelope <= sizeof(frame));
    nv_be32_store(frame, envelope);
    p2p__envelope_encode(frame + SIZE_BYTES, type, payload);
    struct nv_view const whole = nv_view_of(frame, SIZE_BYTES + envelope);
    return p2p__tls_write(session->tls, whole) == NV_OK;
}

/* fill_control puts what keeps the link alive into TLS.  Only between frames. */
static bool fill_control(struct p2p__session *session)
{
    bool good = true;
    if (session->ping_due) {
        session->ping_due = false;
        session->ping_ns = p2p__precise_ns();
        uint8_t sent[P2P__PING_SIZE];
        nv_be64_store(sent, session->ping_ns);
        good = p2p__session_put(session, P2P__TYPE_PING, nv_view_of(sent, sizeof(sent)));
    }
    if (good && session->pong_due) {
        session->pong_due = false;
        struct nv_view const echo = nv_view_of(session->pong, sizeof(session->pong));
        good = p2p__session_put(session, P2P__TYPE_PONG, echo);
    }
    return good;
}

/* fill_queued puts the next record's worth of queued frames into TLS, or the rest
 * of the frame that was begun when something else is to go first.  `*any` is set
 * when there was one. */
static bool fill_queued(struct p2p__session *session, bool *any)
{
    uint8_t *plain = session->p2p->scratch.plain;
    struct p2p__lane *lane = &session->peer->lanes[session->handshake.lane];
    uint32_t const unfinished = p2p__queue_unfinished(&lane->queue);
    bool const urgent = (session->ping_due || session->pong_due) && unfinished != 0;
    uint32_t const cap = urgent && unfinished < P2P__TLS_RECORD ? unfinished : P2P__TLS_RECORD;
    uint32_t const size = p2p__queue_take(&lane->queue, plain, cap, &lane->frames_out);
    session->mid_frame = p2p__queue_unfinished(&lane->queue) != 0;
    *any = *any || size != 0;
    lane->bytes_out += size;
    return size == 0 || p2p__tls_write(session->tls, nv_view_of(plain, size)) == NV_OK;
}

/* fill_record puts the next record into TLS.  Returns whether there was one; a
 * failure of TLS ends the session. */
static bool fill_record(struct p2p__session *session)
{
    bool any = !session->mid_frame && (session->ping_due || session->pong_due);
    bool good = session->mid_frame || fill_control(session);
    if (session->handshake.lane == P2P_LANE_1) {
        p2p__link_fill(session->p2p, session->peer);
    }
    good = good && fill_queued(session, &any);
    if (!good) {
        p2p__session_end(session, P2P_REASON_TLS);
    }
    return good && any;
}

/* gather collects ciphertext for one write and returns how much. */
static uint32_t gather(struct p2p__session *session)
{
    uint8_t *out = session->p2p->scratch.write;
    uint32_t size = p2p__tls_drain(session->tls, out, P2P__WRITE_SIZE);
    while (size < P2P__WRITE_FILL && p2p__session_is_open(session) && fill_record(session)) {
        size += p2p__tls_drain(session->tls, out + size, P2P__WRITE_SIZE - size);
    }
    return size;
}

void p2p__session_touch(struct p2p__session *session)
{
    session->dirty = true;
    p2p__wake(session->p2p);
}

void p2p__session_flush_touched(struct p2p__session *session)
{
    if (session->dirty) {
        p2p__session_flush(session);
    }
}

void p2p__session_flush(struct p2p__session *session)
{
    session->dirty = false;
    if (!session->connected) {
        return;
    }
    while (!p2p__socket_writing(session->socket)) {
        uint32_t const size = gather(session);
        if (size == 0) {
            break;
        }
        session->progress_ms = p2p__now(session->p2p);
        struct nv_view const bytes = nv_view_of(session->p2p->scratch.write, size);
        if (p2p__socket_write(session->socket, bytes) != NV_OK) {
            p2p__session_end(session, P2P_REASON_CLOSED);
            p2p__socket_close(session->socket);
            return;
        }
    }
    if (session->ended != P2P_REASON_NONE && !p2p__socket_writing(session->socket)) {
        p2p__socket_close(session->socket);
    }
}

/* ---- the end ------------------------------------------------------------ */

void p2p__session_leave_place(struct p2p__session *session)
{
    struct p2p *p2p = session->p2p;
    if (session->place != P2P__PLACE_NONE) {
        p2p->by_place[session->place] = NULL;
        p2p__admission_leave(&p2p->admission, session->place);
        session->place = P2P__PLACE_NONE;
    }
}

/* helps_to_know: the other end can do something about it, and can still hear it. */
static bool helps_to_know(const struct p2p__session *session, enum p2p_reason reason)
{
    bool const silent = reason == P2P_REASON_TLS || reason == P2P_REASON_TIMEOUT ||
                        reason == P2P_REASON_IDLE || reason == P2P_REASON_STALLED ||
                        reason == P2P_REASON_CLOSED || reason == P2P_REASON_UNREACHABLE;
    return !silent && !session->told && !session->mid_frame &&
           session->handshake.phase != P2P__PHASE_TLS;
}

void p2p__session_end(struct p2p__session *session, enum p2p_reason reason)
{
    NV_ASSERT(reason != P2P_REASON_NONE);
    if (session->ended != P2P_REASON_NONE) {
        return;
    }
    bool const tell = helps_to_know(session, reason);
    session->ended = reason;
    session->ended_ms = p2p__now(session->p2p);
    struct p2p__session_view const view = p2p__session_view(session);
    p2p__link_ended(session->p2p, session, &view, reason);
    session->peer = NULL;
    if (session->waits) {
        p2p__session_leave_place(session); /* its turn is not to come any more */
    }
    uint8_t const code = (uint8_t)reason;
    if (!tell || !p2p__session_put(session, P2P__TYPE_REFUSE, nv_view_of(&code, 1))) {
        p2p__socket_close(session->socket);
        return;
    }
    p2p__session_flush(session); /* closes when all is written */
}
