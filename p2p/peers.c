#include "p2p/peers.h"

#include "base/assert.h"
#include "base/heap.h"

static bool key_eq(const struct nv_pubkey *a, const struct nv_pubkey *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static bool listed(const struct nv_pubkey *keys, uint32_t count, const struct nv_pubkey *key)
{
    for (uint32_t i = 0; i < count; i++) {
        if (key_eq(&keys[i], key)) {
            return true;
        }
    }
    return false;
}

/* seat gives a key the first free place.  NULL: there is none. */
static struct p2p__peer *
seat(struct p2p__peers *peers, const struct nv_pubkey *key, uint32_t id, bool validator)
{
    for (uint32_t i = 0; i < peers->count; i++) {
        struct p2p__peer *peer = &peers->peers[i];
        if (!peer->used) {
            peers->top = i < peers->top ? peers->top : i + 1;
            peer->used = true;
            peer->validator = validator;
            peer->key = *key;
            peer->id = id;
            return peer;
        }
    }
    return NULL;
}

enum nv_err p2p__peers_init(struct p2p__peers *peers,
                            const struct p2p_config *config,
                            const struct p2p_limits *limits,
                            const struct nv_pubkey *self_key)
{
    NV_ASSERT(config->validator_count <= P2P_VALIDATORS_MAX);
    NV_ASSERT(limits->observers_max <= P2P_OBSERVERS_MAX);
    *peers = (struct p2p__peers){.self_key = *self_key,
                                 .self_validator =
                                     listed(config->validators, config->validator_count, self_key),
                                 .count = P2P_VALIDATORS_MAX + limits->observers_max,
                                 .next_id = P2P_PEER_OTHER,
                                 .limits = limits};
    peers->peers = nv_heap_alloc((size_t)peers->count * sizeof(struct p2p__peer));
    if (peers->peers == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    for (uint32_t i = 0; i < peers->count; i++) {
        peers->peers[i].slot = i;
    }
    for (uint32_t i = 0; i < config->validator_count; i++) {
        const struct nv_pubkey *key = &config->validators[i];
        if (!key_eq(key, self_key) && p2p__peers_by_key(peers, key) == NULL) {
            (void)seat(peers, key, i, true);
        }
    }
    return NV_OK;
}

static void lane_deinit(struct p2p__lane *lane)
{
    if (lane->queue.ring != NULL) {
        p2p__queue_deinit(&lane->queue);
    }
}

void p2p__peers_deinit(struct p2p__peers *peers)
{
    for (uint32_t i = 0; peers->peers != NULL && i < peers->top; i++) {
        lane_deinit(&peers->peers[i].lanes[0]);
        lane_deinit(&peers->peers[i].lanes[1]);
    }
    nv_heap_free(peers->peers);
    peers->peers = NULL;
}

struct p2p__peer *p2p__peers_by_id(const struct p2p__peers *peers, uint32_t id)
{
    for (uint32_t i = 0; i < peers->top; i++) {
        if (peers->peers[i].used && peers->peers[i].id == id) {
            return &peers->peers[i];
        }
    }
    return NULL;
}

struct p2p__peer *p2p__peers_by_key(const struct p2p__peers *peers, const struct nv_pubkey *key)
{
    for (uint32_t i = 0; i < peers->top; i++) {
        if (peers->peers[i].used && key_eq(&peers->peers[i].key, key)) {
            return &peers->peers[i];
        }
    }
    return NULL;
}

uint8_t p2p__peers_lanes(const struct p2p__peer *peer)
{
    uint32_t lanes = 0;
    for (uint32_t i = 0; i < P2P_LANES; i++) {
        lanes |= peer->lanes[i].session != NULL ? 1u << i : 0u;
    }
    return (uint8_t)lanes;
}

bool p2p__peers_both(const struct p2p__peers *peers, const struct p2p__peer *peer)
{
    return peers->self_validator && peer->validator;
}

struct p2p__standing
p2p__peers_standing(const struct p2p__peers *peers, const struct p2p__peer *peer, uint64_t now_ms)
{
    bool const there = peer->lanes[P2P_LANE_0].session != NULL;
    /* SPEC p2p 9.5: "within the time of 3.7 while lane 1 is there" */
    bool const overdue = !there && peer->lanes[P2P_LANE_1].session != NULL &&
                         now_ms - peer->awaited_ms >= peers->limits->handshake_ms;
    bool const lane_0 = p2p__peers_both(peers, peer) && !overdue;
    uint8_t const lanes = p2p__peers_lanes(peer);
    return (struct p2p__standing){
        .lanes = lanes, .lane_0 = lane_0, .up = lane_0 ? there : lanes != 0};
}

/* id_new returns an id that no peer has. */
static uint32_t id_new(struct p2p__peers *peers)
{
    do {
        bool const last = peers->next_id == P2P_PEER_NONE - 1;
        peers->next_id = last ? P2P_PEER_OTHER + 1 : peers->next_id + 1;
    } while (p2p__peers_by_id(peers, peers->next_id - 1) != NULL);
    return peers->next_id - 1;
}

static uint32_t observer_count(const struct p2p__peers *peers)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < peers->top; i++) {
        count += peers->peers[i].used && !peers->peers[i].validator ? 1 : 0;
    }
    return count;
}

bool p2p__peers_know(const struct p2p__peers *peers, const struct p2p__address *address)
{
    for (uint32_t i = 0; i < peers->top && !p2p__address_is_none(address); i++) {
        const struct p2p__peer *peer = &peers->peers[i];
        bool const said = peer->said.port != 0 &&
                          memcmp(peer->said.ip, address->bytes, sizeof(peer->said.ip)) == 0;
        if (peer->used && peer->validator && (said || p2p__address_eq(&peer->remote, address))) {
            return true;
        }
    }
    return false;
}

static struct p2p__peer *observer_new(struct p2p__peers *peers, const struct nv_pubkey *key)
{
    return observer_count(peers) < peers->limits->observers_max
               ? seat(peers, key, id_new(peers), false)
               : NULL;
}

void p2p__peers_turn(struct p2p__peers *peers,
                     const struct nv_pubkey *keys,
                     uint32_t count,
                     uint64_t now_ms)
{
    NV_ASSERT(count <= P2P_VALIDATORS_MAX);
    NV_ASSERT(observer_count(peers) <= peers->limits->observers_max);
    bool const self_was = peers->self_validator;
    uint32_t room = peers->limits->observers_max - observer_count(peers);
    peers->self_validator = listed(keys, count, &peers->self_key);
    /* Who becomes a validator leaves room for who ceases to be one. */
    for (uint32_t i = 0; i < peers->top; i++) {
        const struct p2p__peer *peer = &peers->peers[i];
        room += peer->used && !peer->validator && listed(keys, count, &peer->key) ? 1 : 0;
    }
    for (uint32_t i = 0; i < peers->top; i++) {
        struct p2p__peer *peer = &peers->peers[i];
        if (!peer->used) {
            continue;
        }
        bool const was = peer->validator;
        peer->validator = listed(keys, count, &peer->key);
        bool const both = p2p__peers_both(peers, peer);
        peer->awaited_ms = both && !(self_was && was) ? now_ms : peer->awaited_ms;
        bool const moves = was && !peer->validator && peer->lanes[P2P_LANE_1].session != NULL;
        peer->loses[P2P_LANE_0] = !both;
        peer->loses[P2P_LANE_1] = moves && room == 0;
        room -= moves && room > 0 ? 1 : 0;
    }
}

void p2p__peers_seat(struct p2p__peers *peers, const struct nv_pubkey *keys, uint32_t count)
{
    NV_ASSERT(count <= P2P_VALIDATORS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (!key_eq(&keys[i], &peers->self_key) && p2p__peers_by_key(peers, &keys[i]) == NULL) {
            const struct p2p__peer *peer = seat(peers, &keys[i], id_new(peers), true);
            NV_ASSERT(peer != NULL);
        }
    }
}

/* newcomer_stays decides by section 1.4 between a lane's connection and another. */
static bool newcomer_stays(const struct p2p__peers *peers,
                           const struct p2p__lane *lane,
                           const struct p2p__claim *claim)
{
    if (lane->instance != claim->auth->instance || lane->dialled == claim->dialled) {
        return true;
    }
    /* SPEC p2p 1.4: "the one that was dialled by the node whose key is smaller" */
    bool const self_smaller =
        memcmp(&peers->self_key, &claim->auth->key, sizeof(claim->auth->key)) < 0;
    return claim->dialled == self_smaller;
}

/* lane_ready makes sure that the lane has a queue. */
static bool lane_ready(const struct p2p__peers *peers, struct p2p__peer *peer, uint8_t number)
{
    struct p2p__lane *lane = &peer->lanes[number];
    uint32_t const count_max = peers->limits->queue_count_max[number];
    uint32_t const bytes_max = peers->limits->queue_bytes_max[number];
    return lane->queue.ring != NULL ||
           p2p__queue_init(&lane->queue, number, count_max, bytes_max) == NV_OK;
}

enum p2p_reason p2p__peers_place(struct p2p__peers *peers,
                                 struct p2p__peer **out,
                                 struct p2p__session **loser,
                                 const struct p2p__claim *claim)
{
    const struct p2p__auth *auth = claim->auth;
    NV_ASSERT(auth->lane < P2P_LANES);
    *loser = NULL;
    if (p2p__peers_banned(peers, &auth->key, claim->now_ms)) {
        return P2P_REASON_BANNED;
    }
    struct p2p__peer *peer = p2p__peers_by_key(peers, &auth->key);
    bool const both = peer != NULL && p2p__peers_both(peers, peer) && auth->role == 1;
    if (auth->lane == P2P_LANE_0 && !both) {
        return P2P_REASON_LANE;
    }
    if (peer == NULL) {
        peer = observer_new(peers, &auth->key);
    }
    if (peer == NULL) {
        return P2P_REASON_FULL;
    }
    if (!lane_ready(peers, peer, auth->lane)) {
        p2p__peers_vacate(peers, peer);
        return P2P_REASON_FULL;
    }
    struct p2p__lane *lane = &peer->lanes[auth->lane];
    if (lane->session != NULL && !newcomer_stays(peers, lane, claim)) {
        return P2P_REASON_DUPLICATE;
    }
    if (auth->lane == P2P_LANE_1 && lane->session == NULL) {
        peer->awaited_ms = claim->now_ms;
    }
    *loser = lane->session;
    *out = peer;
    lane->session = claim->session;
    lane->dialled = claim->dialled;
    lane->instance = auth->instance;
    lane->up_since_ms = claim->now_ms;
    lane->rtt_us = 0;
    p2p__queue_rewind(&lane->queue);
    peer->listen_port = auth->listen_port;
    return P2P_REASON_NONE;
}

bool p2p__peers_leave(struct p2p__peer *peer,
                      uint8_t number,
                      const struct p2p__session *session,
                      uint64_t now_ms)
{
    struct p2p__lane *lane = &peer->lanes[number];
    if (lane->session != session) {
        return false;
    }
    lane->session = NULL;
    peer->awaited_ms = number == P2P_LANE_0 ? now_ms : peer->awaited_ms;
    p2p__queue_clear(&lane->queue);
    return true;
}

void p2p__peers_vacate(struct p2p__peers *peers, struct p2p__peer *peer)
{
    if (peer->validator || !peer->used || peer->told.lanes != 0 || p2p__peers_lanes(peer) != 0) {
        return;
    }
    lane_deinit(&peer->lanes[0]);
    lane_deinit(&peer->lanes[1]);
    *peer = (struct p2p__peer){.slot = peer->slot};
    while (peers->top > 0 && !peers->peers[peers->top - 1].used) {
        peers->top--;
    }
}

void p2p__peers_ban(struct p2p__peers *peers, const struct nv_pubkey *key, uint64_t until_ms)
{
    struct p2p__ban *place = &peers->bans[0];
    for (uint32_t i = 0; i < P2P__BANS_MAX; i++) {
        struct p2p__ban *ban = &peers->bans[i];
        if (ban->until_ms != 0 && key_eq(&ban->key, key)) {
            place = ban;
            break;
        }
        place = ban->until_ms < place->until_ms ? ban : place; /* the soonest to end */
    }
    *place = (struct p2p__ban){.key = *key, .until_ms = until_ms};
}

bool p2p__peers_banned(const struct p2p__peers *peers, const struct nv_pubkey *key, uint64_t now_ms)
{
    for (uint32_t i = 0; i < P2P__BANS_MAX; i++) {
        const struct p2p__ban *ban = &peers->bans[i];
        if (ban->until_ms > now_ms && key_eq(&ban->key, key)) {
            return true;
        }
    }
    return false;
}
