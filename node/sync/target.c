#include <string.h>

#include "base/assert.h"

#include "node/sync/state.h"

/* ---- choosing ---- */

static bool failed_before(const struct sync *s, const struct sync_offer *offer)
{
    for (uint32_t i = 0; i < s->failed_count && i < SYNC__FAILED_MAX; i++) {
        if (sync__same_offer(&s->failed[i], offer)) {
            return true;
        }
    }
    return false;
}

/* better returns whether `a` is to be taken before `b`. */
static bool better(const struct sync *s, const struct sync_offer *a, const struct sync_offer *b)
{
    bool const failed_a = failed_before(s, a);
    bool const failed_b = failed_before(s, b);
    if (failed_a != failed_b) {
        return failed_b;
    }
    bool const begun_a = a->height == s->begun;
    bool const begun_b = b->height == s->begun;
    return begun_a != begun_b ? begun_a : a->height > b->height;
}

bool sync__newer(const struct sync *s)
{
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        const struct sync__peer *const peer = &s->peer[i];
        for (uint32_t k = 0; peer->up && !peer->liar && k < peer->offers.count; k++) {
            const struct sync_offer *const offer = &peer->offers.offer[k];
            if (offer->height > s->target.offer.height && !failed_before(s, offer)) {
                return true;
            }
        }
    }
    return false;
}

static void begin_target(struct sync *s, const struct sync_offer *offer)
{
    struct sync__target *const target = &s->target;
    memset(target, 0, sizeof *target);
    target->set = true;
    target->offer = *offer;
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        s->peer[i].left_out = false;
        s->peer[i].silences = 0;
    }
}

/* read_file reads a file of the target's folder. */
static bool
read_file(struct sync *s, struct nv_view *out, uint32_t part, void *memory, uint32_t cap)
{
    return st_snapshot_get(&s->config.at,
                           out,
                           s->target.offer.height,
                           ST_SNAPSHOT_FETCHED,
                           part,
                           memory,
                           cap) == NV_OK;
}

/* read_chunks finds out which chunks of the manifest are there. */
static void read_chunks(struct sync *s)
{
    struct sync__target *const target = &s->target;
    for (uint32_t i = 0; i < target->manifest.chunk_count; i++) {
        struct nv_view packed;
        struct nv_proof proof;
        if (read_file(s, &packed, i, s->packed, sizeof s->packed) &&
            st_chunk_open(&proof, &target->manifest, i, packed, s->chunk) == NV_OK) {
            target->have[i] = 1;
            target->have_count++;
        }
    }
}

/* store writes a file of the target. */
static bool store(struct sync *s, uint32_t part, struct nv_view bytes)
{
    enum nv_err const err =
        st_snapshot_put(&s->config.at, s->target.offer.height, ST_SNAPSHOT_FETCHED, part, bytes);
    if (err != NV_OK) {
        sync__fail(s, err);
    }
    return err == NV_OK;
}

/* go_on enters the stage that the target is at. */
static void go_on(struct sync *s)
{
    const struct sync__target *const target = &s->target;
    if (s->stage == SYNC_FAILED) {
        return;
    }
    if (!target->based) {
        sync__stage(s, target->held ? SYNC_EPOCHS : SYNC_ANCHOR);
    } else if (!target->cut) {
        sync__stage(s, SYNC_MANIFEST);
    } else if (target->have_count < target->manifest.chunk_count) {
        sync__stage(s, SYNC_CHUNKS);
    } else {
        sync__stage(s, SYNC_READY);
    }
}

/* hold_anchor keeps bytes that may be an anchor; false when they are none. */
static bool hold_anchor(struct sync *s, struct nv_view bytes)
{
    struct sync__target *const target = &s->target;
    struct sync_anchor anchor;
    uint64_t epochs[2];
    if (bytes.size > sizeof target->anchor || sync_anchor_get(&anchor, bytes) != NV_OK ||
        !sync_anchor_epochs(&anchor, &epochs[0], &epochs[1])) {
        return false;
    }
    memmove(target->anchor, bytes.bytes, bytes.size);
    target->anchor_size = bytes.size;
    target->held = true;
    return true;
}

/* reach_anchor walks towards the epochs of the anchor that is held; THERE: *right
 * tells whether it is. */
static enum sync__reach reach_anchor(struct sync *s, bool *right)
{
    struct sync__target *const target = &s->target;
    struct sync_anchor anchor;
    uint64_t epochs[2] = {0, 0};
    enum nv_err const err =
        sync_anchor_get(&anchor, nv_view_of(target->anchor, target->anchor_size));
    bool const sound = err == NV_OK && sync_anchor_epochs(&anchor, &epochs[0], &epochs[1]);
    NV_ASSERT(sound); /* it was looked at when it came */
    enum sync__reach const reach = sync__reach(s, epochs[0], epochs[1]);
    *right = reach == SYNC__REACH_THERE && sync_anchor_check(&target->base,
                                                             &anchor,
                                                             &s->walk.low,
                                                             &s->walk.high,
                                                             s->time.wall_ms,
                                                             target->offer.height);
    return reach;
}

/* use_anchor takes an anchor of the folder, to whose epochs what is kept leads. */
static bool use_anchor(struct sync *s, struct nv_view bytes)
{
    bool right = false;
    enum sync__reach reach = hold_anchor(s, bytes) ? SYNC__REACH_ON : SYNC__REACH_NEVER;
    while (reach == SYNC__REACH_ON) {
        reach = reach_anchor(s, &right);
    }
    s->target.held = false;
    s->target.based = right;
    return right;
}

/* use_manifest keeps a manifest if it is right. */
static bool use_manifest(struct sync *s, struct nv_view bytes)
{
    struct sync__target *const target = &s->target;
    struct st_manifest manifest;
    if (bytes.size > sizeof target->manifest_bytes) {
        return false;
    }
    memmove(target->manifest_bytes, bytes.bytes, bytes.size);
    if (st_manifest_decode(&manifest, nv_view_of(target->manifest_bytes, bytes.size)) != NV_OK ||
        manifest.head.height != target->offer.height ||
        !nv_hash_eq(&manifest.head.block_hash, &target->base.hash) ||
        !nv_hash_eq(&manifest.head.root, &target->base.root)) {
        return false;
    }
    target->manifest = manifest;
    target->cut = true;
    return true;
}

/* use_folder takes what the folder has of the target. */
static void use_folder(struct sync *s)
{
    struct sync__target *const target = &s->target;
    struct nv_view bytes;
    struct nv_hash hash;
    if (!read_file(s, &bytes, ST_PART_ANCHOR, target->anchor, sizeof target->anchor) ||
        !use_anchor(s, bytes) || !nv_hash_eq(&target->base.root, &target->offer.root)) {
        target->based = false;
        return;
    }
    if (!read_file(
            s, &bytes, ST_PART_MANIFEST, target->manifest_bytes, sizeof target->manifest_bytes)) {
        return;
    }
    nv_sha256(&hash, bytes);
    if (nv_hash_eq(&hash, &target->offer.manifest_hash) && use_manifest(s, bytes)) {
        read_chunks(s);
    }
}

bool sync__choose(struct sync *s)
{
    const struct sync_offer *best = NULL;
    uint32_t faults = UINT32_MAX; /* of who offers it */
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        const struct sync__peer *const peer = &s->peer[i];
        for (uint32_t k = 0; peer->up && !peer->liar && k < peer->offers.count; k++) {
            const struct sync_offer *const offer = &peer->offers.offer[k];
            bool const high = offer->height >= s->config.height_least;
            bool const same = peer->faults == faults;
            if (high && (same ? better(s, offer, best) : peer->faults < faults)) {
                best = offer;
                faults = peer->faults;
            }
        }
    }
    if (best == NULL) {
        return false;
    }
    begin_target(s, best);
    enum nv_err err = st_snapshot_tidy(&s->config.at, best->height);
    if (err == NV_OK) {
        err = st_snapshot_begin(&s->config.at, best->height, ST_SNAPSHOT_FETCHED);
    }
    if (err != NV_OK) {
        sync__fail(s, err);
        return true;
    }
    s->begun = best->height;
    use_folder(s);
    go_on(s);
    return true;
}

/* ---- from the folder ---- */

enum nv_err sync__resume(struct sync *s)
{
    struct sync__target *const target = &s->target;
    uint64_t heights[ST_SNAPSHOTS_KEPT];
    uint32_t count = 0;
    struct nv_view bytes;
    struct sync_offer offer = {.height = 0};
    NV_TRY(st_snapshot_list(&s->config.at, heights, &count, ST_SNAPSHOT_FETCHED));
    if (count == 0) {
        return NV_OK;
    }
    s->begun = heights[0];
    offer.height = heights[0];
    begin_target(s, &offer);
    bool const anchored =
        read_file(s, &bytes, ST_PART_ANCHOR, target->anchor, sizeof target->anchor) &&
        use_anchor(s, bytes);
    if (anchored &&
        read_file(
            s, &bytes, ST_PART_MANIFEST, target->manifest_bytes, sizeof target->manifest_bytes)) {
        target->offer.root = target->base.root;
        nv_sha256(&target->offer.manifest_hash, bytes);
        if (use_manifest(s, bytes)) {
            read_chunks(s);
        }
    }
    bool const whole = target->cut && target->have_count == target->manifest.chunk_count;
    if (whole) {
        sync__stage(s, SYNC_READY);
    } else {
        target->set = false; /* it is taken up again when somebody offers it */
    }
    return NV_OK;
}

/* ---- what comes ---- */

bool sync__take_anchor(struct sync *s, const struct sync__peer *peer, struct nv_view bytes)
{
    if (!hold_anchor(s, bytes)) {
        return false;
    }
    s->target.giver = peer->id;
    go_on(s);
    sync__judge(s);
    return true;
}

/* blame ends the anchor that is held, which is wrong. */
static void blame(struct sync *s)
{
    s->target.held = false;
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        if (s->peer[i].up && s->peer[i].id == s->target.giver) {
            sync__lie(s, &s->peer[i], SYNC__NO_ANCHOR);
        }
    }
    go_on(s);
}

void sync__judge(struct sync *s)
{
    struct sync__target *const target = &s->target;
    bool right = false;
    if (s->stage != SYNC_EPOCHS) {
        return;
    }
    enum sync__reach const reach = reach_anchor(s, &right);
    if (reach == SYNC__REACH_NEVER && s->stage != SYNC_FAILED) {
        sync__give_up(s, false);
    } else if (reach == SYNC__REACH_THERE && !right) {
        blame(s);
    } else if (right && !nv_hash_eq(&target->base.root, &target->offer.root)) {
        sync__give_up(s, true); /* its sources vouched for another root */
    } else if (right && store(s, ST_PART_ANCHOR, nv_view_of(target->anchor, target->anchor_size))) {
        target->held = false;
        target->based = true;
        go_on(s);
    }
}

bool sync__take_manifest(struct sync *s, struct nv_view bytes)
{
    struct nv_hash hash;
    nv_sha256(&hash, bytes);
    if (!nv_hash_eq(&hash, &s->target.offer.manifest_hash)) {
        return false;
    }
    if (!use_manifest(s, bytes)) {
        sync__give_up(s, true);
        return true;
    }
    if (store(s, ST_PART_MANIFEST, bytes)) {
        read_chunks(s);
        go_on(s);
    }
    return true;
}

void sync__give_up(struct sync *s, bool wrong)
{
    struct sync__target *const target = &s->target;
    NV_ASSERT(target->set);
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        struct sync__peer *const peer = &s->peer[i];
        bool const source = sync__source(s, peer);
        sync__forget(s, peer);
        if (wrong && source) {
            sync__lie(s, peer, "it vouched for a snapshot that is wrong");
        }
    }
    s->failed[s->failed_count++ % SYNC__FAILED_MAX] = target->offer;
    s->begun = wrong ? 0 : s->begun;
    target->set = false;
    if (s->stage != SYNC_FAILED) {
        sync__stage(s, SYNC_LISTING);
    }
}
