#include "base/bug.h"

#include "node/sync/state.h"

/* ---- requests ---- */

static bool under_way(const struct sync *s, uint32_t part)
{
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        for (uint32_t k = 0; k < SYNC_REQUESTS_MAX; k++) {
            const struct sync__request *const request = &s->peer[i].request[k];
            if (request->used && request->part == part) {
                return true;
            }
        }
    }
    return false;
}

/* may_ask returns whether the limits allow one more request to a peer. */
static bool may_ask(const struct sync *s, const struct sync__peer *peer)
{
    bool const new_second = s->time.now_ms - peer->second_ms >= 1000;
    return sync__source(s, peer) && peer->request_count < SYNC_REQUESTS_MAX &&
           (new_second || peer->second_count < SYNC_RATE_MAX);
}

static void ask(struct sync *s, struct sync__peer *peer, uint32_t part)
{
    uint32_t k = 0;
    while (peer->request[k].used) {
        k++; /* may_ask has seen that there is one */
    }
    peer->request[k] = (struct sync__request){true, part, s->time.now_ms};
    peer->request_count++;
    if (s->time.now_ms - peer->second_ms >= 1000) {
        peer->second_ms = s->time.now_ms;
        peer->second_count = 0;
    }
    peer->second_count++;
    sync__asked(s, part, true);
    struct sync_message const message = {
        .type = SYNC_PART_REQ,
        .part = {.height = s->target.offer.height, .part = part},
    };
    sync__send(s, peer, &message);
}

/* better returns whether a peer is to be asked rather than another one. */
static bool better(const struct sync__peer *peer, const struct sync__peer *than)
{
    return peer->faults != than->faults ? peer->faults < than->faults
                                        : peer->silences < than->silences;
}

/* ask_one asks one source for an anchor or a manifest, the most reliable one. */
static void ask_one(struct sync *s, uint32_t part)
{
    struct sync__peer *best = NULL;
    if (under_way(s, part)) {
        return;
    }
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        struct sync__peer *const peer = &s->peer[i];
        if (may_ask(s, peer) && (best == NULL || better(peer, best))) {
            best = peer;
        }
    }
    if (best != NULL) {
        ask(s, best, part);
    }
}

/* next_chunk finds a chunk that is neither there nor under way. */
static bool next_chunk(struct sync *s, uint32_t *index)
{
    struct sync__target *const target = &s->target;
    while (target->next < target->manifest.chunk_count &&
           (target->have[target->next] != 0 || target->asked[target->next] != 0)) {
        target->next++;
    }
    *index = target->next;
    return target->next < target->manifest.chunk_count;
}

/* ask_chunks spreads requests over the sources, one each at a time. */
static void ask_chunks(struct sync *s)
{
    bool any = true;
    while (any) {
        any = false;
        for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
            uint32_t index = 0;
            if (may_ask(s, &s->peer[i]) && next_chunk(s, &index)) {
                ask(s, &s->peer[i], index);
                any = true;
            }
        }
    }
}

/* sources_left returns whether anybody offers the target. */
static bool sources_left(const struct sync *s)
{
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        if (sync__source(s, &s->peer[i])) {
            return true;
        }
    }
    return false;
}

/* ask_epoch goes back to the anchor when nobody has the end of an epoch that it
 * needs: what it says of its epochs may be a lie. */
static void ask_epoch(struct sync *s)
{
    if (sync__ask_epoch(s)) {
        return;
    }
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        if (s->peer[i].up && s->peer[i].id == s->target.giver) {
            s->peer[i].faults++;
            sync__lose(s, &s->peer[i]);
        }
    }
    s->target.held = false;
    sync__stage(s, SYNC_ANCHOR);
}

void sync__ask(struct sync *s)
{
    if (s->stage != SYNC_ANCHOR && s->stage != SYNC_EPOCHS && s->stage != SYNC_MANIFEST &&
        s->stage != SYNC_CHUNKS) {
        return;
    }
    if (!sources_left(s) || (s->target.losses >= SYNC__LOSSES && sync__newer(s))) {
        sync__give_up(s, false);
        return;
    }
    switch (s->stage) {
    case SYNC_ANCHOR: ask_one(s, ST_PART_ANCHOR); break;
    case SYNC_EPOCHS: ask_epoch(s); break;
    case SYNC_MANIFEST: ask_one(s, ST_PART_MANIFEST); break;
    case SYNC_CHUNKS: ask_chunks(s); break;
    case SYNC_LISTING:
    case SYNC_READY:
    case SYNC_SKIP:
    case SYNC_FAILED: break;
    }
}

void sync__expire(struct sync *s)
{
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        struct sync__peer *const peer = &s->peer[i];
        for (uint32_t k = 0; k < SYNC_REQUESTS_MAX; k++) {
            struct sync__request *const request = &peer->request[k];
            if (request->used && s->time.now_ms - request->at_ms >= SYNC__PATIENCE_MS) {
                sync__end_request(s, peer, request);
                peer->silences++;
                peer->faults++;
            }
        }
        if (peer->silences >= SYNC__SILENCES) {
            peer->silences = 0;
            sync__lose(s, peer);
        }
    }
}

/* ---- answers ---- */

static void take_chunk(struct sync *s, struct sync__peer *peer, const struct sync_part *part)
{
    struct sync__target *const target = &s->target;
    struct nv_proof proof;
    if (part->part >= target->manifest.chunk_count || target->have[part->part] != 0) {
        return;
    }
    enum nv_err err =
        NV_SEEDED(CHUNK_UNCHECKED)
            ? NV_OK
            : st_chunk_open(&proof, &target->manifest, part->part, part->bytes, s->chunk);
    if (err == NV_ERR_REFUSED) {
        sync__lie(s, peer, "it sent a chunk that is not the one of the snapshot");
        return;
    }
    if (err != NV_OK) {
        sync__give_up(s, true);
        return;
    }
    err = st_snapshot_put(
        &s->config.at, target->offer.height, ST_SNAPSHOT_FETCHED, part->part, part->bytes);
    if (err != NV_OK) {
        sync__fail(s, err);
        return;
    }
    target->have[part->part] = 1;
    target->have_count++;
    target->losses = 0;
    s->rate_chunks++;
    if (target->have_count == target->manifest.chunk_count) {
        sync__stage(s, SYNC_READY);
    }
}

void sync__take_part(struct sync *s, struct sync__peer *peer, const struct sync_part *part)
{
    struct sync__request *request = NULL;
    for (uint32_t k = 0; k < SYNC_REQUESTS_MAX; k++) {
        if (peer->request[k].used && peer->request[k].part == part->part) {
            request = &peer->request[k];
        }
    }
    if (request == NULL || part->height != s->target.offer.height) {
        return; /* too late */
    }
    sync__end_request(s, peer, request);
    peer->silences = 0;
    if (part->bytes.size == 0) {
        sync__lose(s, peer); /* it does not hold it any more */
    } else if (part->part == ST_PART_ANCHOR) {
        if (s->stage == SYNC_ANCHOR && !sync__take_anchor(s, peer, part->bytes)) {
            sync__lie(s, peer, SYNC__NO_ANCHOR);
        }
    } else if (part->part == ST_PART_MANIFEST) {
        if (s->stage == SYNC_MANIFEST && !sync__take_manifest(s, part->bytes)) {
            sync__lie(s, peer, "it sent a manifest that is not the one it offered");
        }
    } else if (s->stage == SYNC_CHUNKS) {
        take_chunk(s, peer, part);
    }
}
