#include "base/assert.h"
#include "base/fmt.h"
#include "base/log.h"

#include "p2p/dial.h"
#include "p2p/p2p.h"
#include "p2p/session.h"
#include "p2p/state.h"

static void message_check(const struct p2p_message *message)
{
    NV_ASSERT(message->lane < P2P_LANES);
    uint32_t const size_max = p2p_type_max(message->type, message->lane);
    NV_ASSERT(size_max != 0); /* that type does not travel on that lane */
    NV_ASSERT(message->payload.size <= size_max);
}

/* put queues a packet for a peer. */
static enum p2p_sent put(struct p2p__peer *peer, uint8_t lane, struct p2p__packet *packet)
{
    struct p2p__session *session = peer->lanes[lane].session;
    if (session == NULL) {
        return P2P_SENT_DOWN;
    }
    enum p2p_sent const sent = p2p__queue_put(&peer->lanes[lane].queue, packet);
    if (sent != P2P_SENT_FULL) {
        p2p__session_touch(session);
    }
    return sent;
}

enum p2p_sent p2p_send(struct p2p *p2p, uint32_t peer, const struct p2p_message *message)
{
    message_check(message);
    struct p2p__peer *to = p2p__peers_by_id(&p2p->peers, peer);
    if (to == NULL || to->lanes[message->lane].session == NULL || p2p->closing) {
        return P2P_SENT_DOWN;
    }
    struct p2p__packet *packet = p2p__packet_new(message->type, message->payload);
    if (packet == NULL) {
        return P2P_SENT_FULL;
    }
    enum p2p_sent const sent = put(to, message->lane, packet);
    p2p__packet_release(packet);
    return sent;
}

/* lane_by returns the lane by which a peer is to get a message. */
static uint8_t
lane_by(const struct p2p *p2p, const struct p2p__peer *peer, const struct p2p_message *message)
{
    bool const lane_0 = p2p__peers_standing(&p2p->peers, peer, p2p__now(p2p)).lane_0;
    bool const may = message->payload.size <= p2p_type_max(message->type, P2P_LANE_1) &&
                     p2p_type_max(message->type, P2P_LANE_1) != 0;
    return message->lane == P2P_LANE_0 && !lane_0 && may ? P2P_LANE_1 : message->lane;
}

uint32_t p2p_send_each(struct p2p *p2p,
                       const uint32_t *peers,
                       uint32_t count,
                       const struct p2p_message *message)
{
    message_check(message);
    struct p2p__packet *packet =
        p2p->closing ? NULL : p2p__packet_new(message->type, message->payload);
    uint32_t queued = 0;
    for (uint32_t i = 0; i < count && packet != NULL; i++) {
        struct p2p__peer *peer = p2p__peers_by_id(&p2p->peers, peers[i]);
        enum p2p_sent const sent =
            peer == NULL ? P2P_SENT_DOWN : put(peer, lane_by(p2p, peer, message), packet);
        queued += sent == P2P_SENT_QUEUED || sent == P2P_SENT_DROPPED_OLDER ? 1u : 0u;
    }
    if (packet != NULL) {
        p2p__packet_release(packet);
    }
    return queued;
}

/* offer_gossip makes the sessions that carry transactions look for new ones. */
static void offer_gossip(struct p2p *p2p)
{
    p2p->gossip_waits = false;
    for (uint32_t i = 0; i < p2p->peers.top; i++) {
        struct p2p__session *session = p2p->peers.peers[i].lanes[P2P_LANE_1].session;
        if (session != NULL) {
            p2p__session_touch(session);
        }
    }
}

void p2p__gossip_tick(struct p2p *p2p)
{
    if (p2p->gossip_waits) {
        offer_gossip(p2p);
    }
}

bool p2p_gossip(struct p2p *p2p, uint32_t from, struct nv_view transaction)
{
    NV_ASSERT(transaction.size >= 1);
    NV_ASSERT(transaction.size <= P2P_TRANSACTION_MAX);
    struct nv_hash hash;
    nv_sha256(&hash, transaction);
    if (p2p->closing || !p2p__gossip_add(p2p->gossip, &hash, transaction)) {
        return false;
    }
    const struct p2p__peer *sender = p2p__peers_by_id(&p2p->peers, from);
    if (sender != NULL && sender->validator) {
        p2p->gossip_waits = true;
    } else {
        offer_gossip(p2p);
    }
    return true;
}

void p2p_resume(struct p2p *p2p)
{
    p2p->resume = true;
    p2p__wake(p2p);
}

void p2p_ban(struct p2p *p2p, uint32_t peer, uint32_t ms, const char *why)
{
    struct p2p__peer *banned = p2p__peers_by_id(&p2p->peers, peer);
    if (banned == NULL || p2p->closing) {
        return;
    }
    char key[NV_HEX_TEXT(8)];
    char text[256];
    nv_hex_encode(key, banned->key.bytes, 8);
    nv_log(NV_LOG_WARN,
           "event=peer_banned peer=%" NV_U32 " key=%s ms=%" NV_U32 " why=%s",
           peer,
           key,
           ms,
           nv_log_quote(text, sizeof(text), nv_view_of_text(why)));
    p2p__peers_ban(&p2p->peers, &banned->key, p2p__now(p2p) + ms);
    for (uint32_t i = 0; i < P2P_LANES; i++) {
        if (banned->lanes[i].session != NULL) {
            p2p__session_end(banned->lanes[i].session, P2P_REASON_BANNED);
        }
    }
}

enum nv_err p2p_add_peer(struct p2p *p2p, const char *peer)
{
    return p2p__dialler_add(p2p->dialler, peer);
}
