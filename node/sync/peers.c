/* The peers of a joiner: who is linked, who is a source, what they are asked for, and
 * who is left out. */

#include "node/sync/state.h"

struct sync__peer *sync__peer_of(struct sync *s, uint32_t id)
{
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        if (s->peer[i].up && s->peer[i].id == id) {
            return &s->peer[i];
        }
    }
    return NULL;
}

bool sync__same_offer(const struct sync_offer *a, const struct sync_offer *b)
{
    return a->height == b->height && nv_hash_eq(&a->manifest_hash, &b->manifest_hash) &&
           nv_hash_eq(&a->root, &b->root);
}

static bool offers(const struct sync__peer *peer, const struct sync_offer *offer)
{
    for (uint32_t i = 0; i < peer->offers.count; i++) {
        if (sync__same_offer(&peer->offers.offer[i], offer)) {
            return true;
        }
    }
    return false;
}

bool sync__source(const struct sync *s, const struct sync__peer *peer)
{
    return s->target.set && peer->up && !peer->liar && !peer->left_out &&
           offers(peer, &s->target.offer);
}

/* ---- requests ---- */

void sync__asked(struct sync *s, uint32_t part, bool asked)
{
    if (part < ST_CHUNKS_MAX) {
        s->target.asked[part] = asked ? 1 : 0;
        s->target.next = !asked && part < s->target.next ? part : s->target.next;
    }
}

void sync__end_request(struct sync *s, struct sync__peer *peer, struct sync__request *request)
{
    sync__asked(s, request->part, false);
    request->used = false;
    peer->request_count--;
}

void sync__forget(struct sync *s, struct sync__peer *peer)
{
    for (uint32_t k = 0; k < SYNC_REQUESTS_MAX; k++) {
        struct sync__request *const request = &peer->request[k];
        if (request->used) {
            peer->faults += s->time.now_ms - request->at_ms >= SYNC__SLOW_MS ? 1 : 0;
            sync__end_request(s, peer, request);
        }
    }
}

/* ---- left out ---- */

void sync__lose(struct sync *s, struct sync__peer *peer)
{
    s->target.losses += sync__source(s, peer) || peer->liar ? 1 : 0;
    peer->left_out = true;
    sync__forget(s, peer);
}

void sync__lie(struct sync *s, struct sync__peer *peer, const char *why)
{
    peer->liar = true;
    sync__lose(s, peer);
    sync__ban(s, peer, why);
}
