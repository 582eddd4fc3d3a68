/* announce.c - where validators can be dialled, told from node to node
 * (docs/spec/p2p.md section 10). */

#include <string.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/log.h"

#include "p2p/announcement.h"
#include "p2p/dial.h"
#include "p2p/queue.h"
#include "p2p/session.h"
#include "p2p/state.h"

/* SPEC p2p 10.2: "of one key at most one in 10 s" */
#define EACH_PART 6u /* of limits.announce_ms */

/* SPEC p2p 10.3: "it sends all to all, 5 s later" */
#define SETTLE_PART 12u

static bool self_is(const struct p2p *p2p, const struct nv_pubkey *key)
{
    return memcmp(key, &p2p->self.key, sizeof *key) == 0;
}

/* ---- sending ---- */

static void send_one(struct p2p__peer *peer, const struct p2p__announcement *what)
{
    struct p2p__session *const session = peer->lanes[P2P_LANE_1].session;
    uint8_t bytes[P2P__ADDRESS_BYTES];
    if (!peer->used || session == NULL || what->port == 0) {
        return;
    }
    p2p__announcement_encode(bytes, what);
    struct p2p__packet *const packet =
        p2p__packet_new(P2P__TYPE_ADDRESS, nv_view_of(bytes, sizeof bytes));
    if (packet == NULL) {
        return; /* it comes again */
    }
    (void)p2p__queue_put(&peer->lanes[P2P_LANE_1].queue, packet);
    p2p__session_touch(session);
    p2p__packet_release(packet);
}

/* send_all tells a peer all that is known, of itself too: it may have been set back. */
static void send_all(const struct p2p *p2p, struct p2p__peer *to)
{
    if (p2p->self.validator) {
        send_one(to, &p2p->announce.own);
    }
    for (uint32_t i = 0; i < p2p->peers.top; i++) {
        const struct p2p__peer *const peer = &p2p->peers.peers[i];
        if (peer->used && peer->validator) {
            send_one(to, &peer->said);
        }
    }
}

/* spread passes news on to all but `from`, which may be NULL. */
static void
spread(struct p2p *p2p, const struct p2p__announcement *what, const struct p2p__peer *from)
{
    for (uint32_t i = 0; i < p2p->peers.top; i++) {
        if (&p2p->peers.peers[i] != from) {
            send_one(&p2p->peers.peers[i], what);
        }
    }
}

void p2p__announce_linked(struct p2p *p2p, struct p2p__peer *peer)
{
    send_all(p2p, peer);
}

/* ---- taking ---- */

/* soon returns whether the last one of this key is too new for another. */
static bool soon(const struct p2p *p2p, uint64_t said_ms, uint64_t now_ms)
{
    return said_ms != 0 && now_ms - said_ms < p2p->limits.announce_ms / EACH_PART;
}

static void own_sign(struct p2p *p2p, uint64_t made_ms)
{
    p2p->announce.own.made_ms = made_ms;
    p2p__announcement_sign(&p2p->announce.own, p2p->seckey, &p2p->self.chain_id);
}

/* SPEC p2p 10.2: "makes its own anew, a millisecond later than that" */
static bool take_own_key(struct p2p *p2p, const struct p2p__announcement *news)
{
    uint64_t const now_ms = p2p__now(p2p);
    if (p2p->announce.own.port == 0 || news->made_ms <= p2p->announce.own.made_ms ||
        news->made_ms == UINT64_MAX || soon(p2p, p2p->announce.own_ms, now_ms)) {
        return true;
    }
    if (!p2p__announcement_proven(news, &p2p->self.chain_id)) {
        return false;
    }
    own_sign(p2p, news->made_ms + 1);
    p2p->announce.own_ms = now_ms;
    if (p2p->self.validator) {
        spread(p2p, &p2p->announce.own, NULL);
    }
    return true;
}

static void log_news(const struct p2p__peer *peer, const struct p2p__endpoint *at)
{
    char key[NV_HEX_TEXT(8)];
    nv_hex_encode(key, peer->key.bytes, 8);
    nv_log(NV_LOG_INFO,
           "event=address_told peer=%" NV_U32 " key=%s host=%s port=%u",
           peer->id,
           key,
           at->host,
           (unsigned)at->port);
}

bool p2p__announce_take(struct p2p *p2p, const struct p2p__peer *from, struct nv_view payload)
{
    struct p2p__announcement news;
    struct p2p__endpoint endpoint;
    uint64_t const now_ms = p2p__now(p2p);
    if (p2p__announcement_decode(&news, payload) != NV_OK) {
        return false;
    }
    if (self_is(p2p, &news.key)) {
        return take_own_key(p2p, &news);
    }
    struct p2p__peer *const peer = p2p__peers_by_key(&p2p->peers, &news.key);
    if (peer == NULL || !peer->validator || soon(p2p, peer->said_ms, now_ms) ||
        (peer->said.port != 0 && news.made_ms <= peer->said.made_ms)) {
        return true;
    }
    if (!p2p__announcement_proven(&news, &p2p->self.chain_id)) {
        return false;
    }
    peer->said = news;
    peer->said_ms = now_ms;
    p2p__announcement_endpoint(&endpoint, &news);
    log_news(peer, &endpoint);
    p2p__dialler_hear(p2p->dialler, &news.key, &endpoint);
    spread(p2p, &news, from);
    return true;
}

/* ---- the list, and time ---- */

void p2p__announce_seated(struct p2p *p2p)
{
    uint64_t const now_ms = p2p__now(p2p);
    p2p->announce.all_at_ms = now_ms + p2p->limits.announce_ms / SETTLE_PART;
    if (p2p->self.validator && p2p->announce.own.port == 0 && !p2p->announce.warned) {
        p2p->announce.warned = true;
        nv_log(NV_LOG_WARN,
               "event=address_not_told hint=\"set p2p.announce to IP:PORT, so that validators "
               "that do not name this one in p2p.peers can dial it\"");
    }
}

void p2p__announce_tick(struct p2p *p2p, uint64_t now_ms)
{
    if (p2p->announce.all_at_ms != 0 && now_ms >= p2p->announce.all_at_ms) {
        p2p->announce.all_at_ms = 0;
        for (uint32_t i = 0; i < p2p->peers.top; i++) {
            send_all(p2p, &p2p->peers.peers[i]);
        }
    }
    if (now_ms < p2p->announce.turn_ms + p2p->limits.announce_ms || p2p->peers.top == 0) {
        return;
    }
    p2p->announce.turn_ms = now_ms;
    for (uint32_t i = 0; i < p2p->peers.top; i++) {
        struct p2p__peer *const peer = &p2p->peers.peers[p2p->announce.turn % p2p->peers.top];
        p2p->announce.turn++;
        if (peer->lanes[P2P_LANE_1].session != NULL) {
            send_all(p2p, peer);
            return;
        }
    }
}

/* ---- opening ---- */

/* own_at sets where this node can be dialled: where it listens, or as configured. */
static enum nv_err own_at(struct p2p *p2p, const struct p2p_config *config)
{
    struct p2p__endpoint endpoint;
    bool const listens = strcmp(config->announce, P2P_ANNOUNCE_LISTEN) == 0;
    if (listens && config->listen == NULL) {
        return NV_OK;
    }
    NV_TRY(p2p__endpoint_parse(&endpoint, listens ? config->listen : config->announce));
    endpoint.port = listens ? p2p->self.listen_port : endpoint.port;
    enum nv_err const err = p2p__announcement_at(&p2p->announce.own, &endpoint);
    return listens ? NV_OK : err; /* it may listen at all addresses, and tell none */
}

enum nv_err p2p__announce_open(struct p2p *p2p, const struct p2p_config *config)
{
    p2p->announce.turn_ms = p2p__now(p2p);
    if (config->announce == NULL) {
        return NV_OK;
    }
    enum nv_err const err = own_at(p2p, config);
    if (err != NV_OK) {
        char text[512];
        nv_log(NV_LOG_ERROR,
               "event=announce_bad announce=%s text=\"what is wanted is IP:PORT, where other "
               "validators can dial this one\"",
               nv_log_quote(text, sizeof text, nv_view_of_text(config->announce)));
        return err;
    }
    p2p->announce.own.key = p2p->self.key;
    own_sign(p2p, config->announce_ms);
    return NV_OK;
}
