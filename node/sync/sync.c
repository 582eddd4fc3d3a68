#include "node/sync/sync.h"

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

#include "node/sync/state.h"

/* ---- listing ---- */

static void list_peer(struct sync *s, struct sync__peer *peer)
{
    struct sync_message const message = {.type = SYNC_SNAPSHOTS_REQ};
    peer->answered = false;
    sync__send(s, peer, &message);
}

static void list_again(struct sync *s)
{
    uint64_t const pause = s->stage == SYNC_LISTING ? SYNC__LIST_MS : SYNC__RELIST_MS;
    if (s->listed_ms != 0 && s->time.now_ms - s->listed_ms < pause) {
        return;
    }
    s->listed_ms = s->time.now_ms;
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        if (s->peer[i].up && !s->peer[i].liar) {
            list_peer(s, &s->peer[i]);
        }
    }
}

/* all_answered returns whether no question is open. */
static bool all_answered(const struct sync *s)
{
    bool any = false;
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        if (s->peer[i].up && !s->peer[i].liar && !s->peer[i].answered) {
            return false;
        }
        any = any || s->peer[i].up;
    }
    return any;
}

static void listing(struct sync *s)
{
    uint64_t const waited = s->time.now_ms - s->listing_ms;
    bool const patient = waited >= SYNC__GATHER_MS && (all_answered(s) || waited >= SYNC__WAIT_MS);
    if (patient && sync__choose(s)) {
        return;
    }
    if (s->config.height_least > 0 && waited >= SYNC__WAIT_MS) {
        sync__stage(s, SYNC_SKIP);
    }
}

/* ---- inputs ---- */

/* room_for finds a place: that of before, which remembers a liar, or a free one. */
static struct sync__peer *room_for(struct sync *s, uint32_t id)
{
    struct sync__peer *free_place = NULL;
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        struct sync__peer *const peer = &s->peer[i];
        if (!peer->up && peer->liar && peer->id == id) {
            return peer;
        }
        free_place = !peer->up && !peer->liar && free_place == NULL ? peer : free_place;
    }
    if (free_place != NULL) {
        memset(free_place, 0, sizeof *free_place);
    }
    return free_place;
}

static bool over(const struct sync *s)
{
    return s->stage == SYNC_READY || s->stage == SYNC_SKIP || s->stage == SYNC_FAILED;
}

void sync_link(struct sync *s, struct sync_time t, uint32_t peer, bool up)
{
    struct sync__peer *place = sync__peer_of(s, peer);
    s->time = t;
    if (place != NULL) {
        sync__forget(s, place);
        place->up = false;
    }
    if (up) {
        place = room_for(s, peer);
    }
    if (up && place != NULL) {
        place->up = true;
        place->id = peer;
        if (!over(s) && !place->liar) {
            list_peer(s, place);
        }
    }
}

static void take_offers(struct sync *s, struct sync__peer *peer, const struct sync_offers *offers)
{
    peer->offers = *offers;
    peer->answered = true;
    if (offers->executed_height > s->tip_height) {
        s->tip_height = offers->executed_height;
    }
}

void sync_take(
    struct sync *s, struct sync_time t, uint32_t peer, uint32_t type, struct nv_view bytes)
{
    struct sync_message message;
    struct sync__peer *const place = sync__peer_of(s, peer);
    s->time = t;
    if (place == NULL || place->liar || over(s)) {
        return;
    }
    if (type == CS_MSG_EPOCH_RESPONSE) {
        sync__take_epoch(s, place, bytes);
        sync__judge(s);
        sync__ask(s);
        return;
    }
    if (!sync_is_type(type) || sync_decode(&message, (enum sync_type)type, bytes) != NV_OK) {
        sync__lie(s, place, "its message about snapshots is none");
        return;
    }
    if (message.type == SYNC_SNAPSHOTS) {
        take_offers(s, place, &message.offers);
    } else if (message.type == SYNC_PART) {
        sync__take_part(s, place, &message.part);
    }
    sync__ask(s);
}

void sync_tick(struct sync *s, struct sync_time t)
{
    s->time = t;
    if (over(s)) {
        return;
    }
    sync__expire(s);
    if (s->stage == SYNC_LISTING) {
        listing(s);
    }
    list_again(s);
    sync__judge(s);
    sync__ask(s);
}

/* ---- how far ---- */

void sync_progress(const struct sync *s, struct sync_progress *out)
{
    const struct sync__target *const target = &s->target;
    *out = (struct sync_progress){
        .stage = s->stage,
        .tip_height = s->tip_height,
        .epoch = s->walk.begun ? s->walk.low.epoch : 0,
        .eta_ms = -1,
        .err = s->err,
    };
    if (!target->set) {
        return;
    }
    out->height = target->offer.height;
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        out->sources += sync__source(s, &s->peer[i]) ? 1 : 0;
    }
    if (!target->cut) {
        return;
    }
    out->chunks = target->have_count;
    out->chunks_of = target->manifest.chunk_count;
    out->rows_of = target->manifest.head.row_count;
    out->rows = out->rows_of * out->chunks / out->chunks_of;
    uint64_t const ms = s->time.now_ms - s->rate_ms;
    uint64_t const rows = out->rows_of * s->rate_chunks / out->chunks_of;
    out->rows_s = ms > 0 ? (uint32_t)(rows * 1000 / ms) : 0;
    if (out->rows_s > 0) {
        out->eta_ms = (int64_t)((out->rows_of - out->rows) * 1000 / out->rows_s);
    }
}

void sync_result(const struct sync *s, struct sync_result *out)
{
    NV_ASSERT(s->stage == SYNC_READY);
    out->manifest = &s->target.manifest;
    out->base = &s->target.base;
    enum nv_err const err =
        sync_anchor_get(&out->anchor, nv_view_of(s->target.anchor, s->target.anchor_size));
    NV_ASSERT(err == NV_OK); /* it was checked */
    const struct cs_header *const header = &out->base->header;
    out->epoch = cs_header_closes(header) ? header->epoch + 1 : header->epoch;
}

/* ---- life ---- */

enum nv_err sync_open(struct sync **out, const struct sync_config *config, struct sync_time t)
{
    struct sync *const s = nv_heap_reserve(sizeof *s);
    if (s == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    s->config = *config;
    s->time = t;
    sync__stage(s, SYNC_LISTING);
    enum nv_err const err = sync__resume(s);
    if (err != NV_OK) {
        sync_close(s);
        return err;
    }
    *out = s;
    return NV_OK;
}

void sync_close(struct sync *s)
{
    if (s != NULL) {
        nv_heap_unreserve(s, sizeof *s);
    }
}
