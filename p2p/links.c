#include "base/assert.h"
#include "base/codec.h"
#include "base/fmt.h"
#include "base/log.h"

#include "p2p/dial.h"
#include "p2p/session.h"
#include "p2p/state.h"

#define KEY_SHOWN   8u /* bytes of a key in the log */
#define LOG_EACH_MS 60000u
#define BATCH_TYPE  P2P_TYPE_TRANSACTIONS

/* ---- the log ------------------------------------------------------------ */

static void log_lane(const struct p2p__peer *peer, uint8_t lane, const char *event, const char *why)
{
    char key[NV_HEX_TEXT(KEY_SHOWN)];
    nv_hex_encode(key, peer->key.bytes, KEY_SHOWN);
    nv_log(NV_LOG_INFO,
           "event=%s peer=%" NV_U32 " key=%s lane=%u address=%s why=%s",
           event,
           peer->id,
           key,
           (unsigned)lane,
           peer->address,
           why);
}

/* log_stranger: what strangers do is told at most once a minute for each reason. */
static void
log_stranger(struct p2p *p2p, const struct p2p__session_view *view, enum p2p_reason reason)
{
    uint64_t *logged_at_ms = &p2p->logged_at_ms[reason];
    uint64_t const now_ms = p2p__now(p2p);
    if (*logged_at_ms != 0 && now_ms - *logged_at_ms < LOG_EACH_MS) {
        return;
    }
    *logged_at_ms = now_ms;
    nv_log(reason == P2P_REASON_TWIN ? NV_LOG_ERROR : NV_LOG_WARN,
           "event=connection_refused address=%s reason=%s told=%d count=%" NV_U64 " text=\"%s\"",
           view->address,
           p2p_reason_name(reason),
           view->told ? 1 : 0,
           p2p->totals.ended[reason],
           p2p_reason_text(reason));
}

/* ---- coming and going --------------------------------------------------- */

static void tell(struct p2p *p2p, struct p2p__peer *peer, struct p2p__standing standing)
{
    struct p2p_link const link = {
        .peer = peer->id, .key = peer->key, .lanes = standing.lanes, .up = standing.up};
    peer->told = standing;
    p2p->telling = true;
    p2p->events.on_peer(p2p->events.ctx, &link);
    p2p->telling = false;
}

void p2p__link_tell(struct p2p *p2p, struct p2p__peer *peer)
{
    struct p2p__standing is = p2p__peers_standing(&p2p->peers, peer, p2p__now(p2p));
    /* SPEC p2p 9.5: "Once lane 0 is there, the link begins anew." */
    if (peer->told.up && is.up && peer->told.lane_0 != is.lane_0 && !p2p->closing) {
        is.up = false;
        tell(p2p, peer, is);
        is = p2p__peers_standing(&p2p->peers, peer, p2p__now(p2p));
    }
    if (peer->told.lanes == is.lanes && peer->told.up == is.up) {
        peer->told.lane_0 = is.lane_0;
    } else if (!p2p->closing) {
        tell(p2p, peer, is);
    }
}

void p2p__link_tell_all(struct p2p *p2p)
{
    for (uint32_t i = 0; i < p2p->peers.top && !p2p->closing; i++) {
        if (p2p->peers.peers[i].used) {
            p2p__link_tell(p2p, &p2p->peers.peers[i]);
            p2p__peers_vacate(&p2p->peers, &p2p->peers.peers[i]);
        }
    }
}

enum p2p_reason p2p__link_place(struct p2p *p2p,
                                struct p2p__session *session,
                                const struct p2p__session_view *view,
                                struct p2p__session **loser)
{
    struct p2p__claim const claim = {.auth = view->auth,
                                     .dialled = view->dial != P2P__DIAL_NONE,
                                     .now_ms = p2p__now(p2p),
                                     .session = session};
    struct p2p__peer *peer = NULL;
    enum p2p_reason const reason = p2p__peers_place(&p2p->peers, &peer, loser, &claim);
    if (reason != P2P_REASON_NONE) {
        return reason;
    }
    peer->remote = *view->remote;
    memcpy(peer->address, view->address, sizeof(peer->address));
    p2p->totals.authenticated++;
    if (*loser == NULL && view->lane == P2P_LANE_1) {
        p2p__gossip_reset(p2p->gossip, peer->slot);
    }
    log_lane(peer, view->lane, "lane_up", claim.dialled ? "dialled" : "accepted");
    return P2P_REASON_NONE;
}

void p2p__link_ended(struct p2p *p2p,
                     const struct p2p__session *session,
                     const struct p2p__session_view *view,
                     enum p2p_reason reason)
{
    p2p->totals.ended[reason]++;
    if (view->peer != NULL) {
        view->peer->last_reason = reason;
        if (p2p__peers_leave(view->peer, view->lane, session, p2p__now(p2p))) {
            log_lane(view->peer, view->lane, "lane_down", p2p_reason_name(reason));
            p2p__dialler_lane_down(p2p->dialler, &view->peer->key, view->lane);
            p2p__wake(p2p); /* the owner is told at the end of the turn */
        }
    }
    if (view->dial != P2P__DIAL_NONE) {
        uint64_t const lasted_ms = view->open ? p2p__now(p2p) - view->open_since_ms + 1 : 0;
        struct p2p__dial_end const end = {.dial = view->dial,
                                          .lane = view->lane,
                                          .reason = reason,
                                          .told = view->told,
                                          .lasted_ms = lasted_ms};
        p2p__dialler_ended(p2p->dialler, &end);
    } else if (!view->open && !p2p->closing) {
        log_stranger(p2p, view, reason);
    }
}

/* ---- messages ----------------------------------------------------------- */

bool p2p__link_message(struct p2p *p2p, struct p2p__peer *peer, const struct p2p_message *message)
{
    if (p2p->closing) {
        return true;
    }
    return p2p->events.on_message(p2p->events.ctx, peer->id, message);
}

static void
take_transaction(struct p2p *p2p, const struct p2p__peer *peer, struct nv_view transaction)
{
    struct nv_hash hash;
    nv_sha256(&hash, transaction);
    if (!p2p__gossip_came(p2p->gossip, &hash, peer->slot)) {
        p2p->totals.gossip_repeated++;
    } else if (p2p->events.on_transaction(p2p->events.ctx, peer->id, transaction)) {
        p2p->totals.gossip_new++;
    } else {
        p2p->totals.gossip_refused++;
        p2p__gossip_forget(p2p->gossip, &hash);
    }
}

bool p2p__link_transactions(struct p2p *p2p, struct p2p__peer *peer, struct nv_view batch)
{
    struct nv_reader reader;
    struct nv_view transaction;
    nv_reader_init(&reader, batch);
    for (;;) {
        if (p2p__batch_next(&transaction, &reader) != NV_OK) {
            return false;
        }
        /* The owner may have banned the peer, or closed the module, meanwhile. */
        if (transaction.size == 0 || peer->lanes[P2P_LANE_1].session == NULL || p2p->closing) {
            return true;
        }
        take_transaction(p2p, peer, transaction);
    }
}

void p2p__link_fill(struct p2p *p2p, struct p2p__peer *peer)
{
    struct p2p__queue *queue = &peer->lanes[P2P_LANE_1].queue;
    /* SPEC p2p 8.5: "while lane 1's queue for it is more than a quarter full" */
    while (queue->bytes <= queue->bytes_max / 4 && queue->count <= queue->cap / 4 &&
           p2p__gossip_waits(p2p->gossip, peer->slot)) {
        uint32_t const cap = p2p_type_max(BATCH_TYPE, P2P_LANE_1);
        uint32_t const size = p2p__gossip_batch(p2p->gossip, peer->slot, p2p->scratch.batch, cap);
        if (size == 0) {
            return;
        }
        struct p2p__packet *packet =
            p2p__packet_new(BATCH_TYPE, nv_view_of(p2p->scratch.batch, size));
        if (packet == NULL) {
            return; /* its other peers have them */
        }
        (void)p2p__queue_put(queue, packet);
        p2p__packet_release(packet);
    }
}
