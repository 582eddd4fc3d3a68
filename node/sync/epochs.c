/* From epoch to epoch: the ends that lead from what is believed to the epochs of an
 * anchor (docs/spec/sync.md section 3). */

#include <string.h>

#include "base/codec.h"
#include "base/fmt.h"
#include "base/log.h"

#include "node/sync/state.h"

#define STEPS_MAX 64u /* of a walk at a time */

static enum nv_err
get(struct sync *s, uint64_t epoch, struct cs_handover *out, struct nv_view *bytes)
{
    struct nv_reader r;
    NV_TRY(s->config.epochs.get(s->config.epochs.ctx, epoch, bytes));
    nv_reader_init(&r, *bytes);
    NV_TRY(cs_handover_get(&r, out));
    return out->header.epoch == epoch ? NV_OK : NV_ERR_CORRUPT;
}

static enum sync__reach missing(struct sync *s, uint64_t epoch)
{
    if (s->walk.missing != epoch) {
        s->walk.missing = epoch;
        s->walk.attempts = 0;
        s->walk.asked = SYNC_PEERS_MAX;
    }
    return SYNC__REACH_MISSING;
}

/* step goes to the next epoch by bytes that may be anybody's. */
static enum cs_light_verdict step(const struct sync *s,
                                  struct cs_light *light,
                                  const struct cs_handover *end,
                                  struct nv_view bytes)
{
    struct cs_light_block const boundary = {
        .header = nv_view_of(bytes.bytes, CS_HEADER_SIZE),
        .certificate =
            nv_view_of(bytes.bytes + CS_HEADER_SIZE, bytes.size - CS_HEADER_SIZE - end->set.size),
    };
    return cs_light_advance(light, s->time.wall_ms, &boundary, end->set);
}

/* ---- what is believed at first ---- */

/* pinned returns whether an end is the one that the configuration names: the block
 * on which the trusted epoch stands. */
static bool pinned(const struct sync *s, const struct cs_handover *end)
{
    struct nv_hash hash;
    cs_header_hash(&hash, &end->header);
    return nv_hash_eq(&hash, &s->config.trust.boundary) &&
           nv_hash_eq(&end->header.chain_id, &s->config.light.chain_id);
}

/* trust begins with the epoch behind an end, if that is pinned. */
static bool trust(struct sync *s, const struct cs_handover *end, struct nv_view bytes)
{
    s->walk.low = s->config.light;
    enum cs_light_verdict const verdict = cs_light_begin(
        &s->walk.low, &s->config.trust.boundary, nv_view_of(bytes.bytes, CS_HEADER_SIZE), end->set);
    s->walk.begun = verdict == CS_LIGHT_OK;
    return s->walk.begun;
}

static enum sync__reach begin(struct sync *s)
{
    uint64_t const epoch = s->config.trust.epoch;
    struct cs_handover end;
    struct nv_view bytes;
    if (epoch <= CS_FIRST_EPOCH) {
        s->walk.low = s->config.light;
        s->walk.begun = true;
        return SYNC__REACH_THERE;
    }
    if (get(s, epoch - 1, &end, &bytes) == NV_OK && trust(s, &end, bytes)) {
        return SYNC__REACH_THERE;
    }
    return missing(s, s->walk.pin_size == 0 ? epoch - 1 : epoch - 2);
}

/* pin_verify keeps the pinned end if its finalization is right by the set of its own
 * epoch, which its header names; false: it is not. */
static bool pin_verify(struct sync *s, const struct cs_valset *set)
{
    struct nv_view const bytes = nv_view_of(s->walk.pin, s->walk.pin_size);
    struct nv_reader r;
    struct cs_handover end;
    nv_reader_init(&r, bytes);
    s->walk.pin_size = 0;
    if (cs_handover_get(&r, &end) != NV_OK || !nv_hash_eq(&set->hash, &end.header.valset_hash) ||
        !cs_certificate_verify(&end.final, &s->config.light.chain_id, set, NULL)) {
        return false;
    }
    enum nv_err const err = s->config.epochs.put(s->config.epochs.ctx, end.header.epoch, bytes);
    if (err != NV_OK) {
        sync__fail(s, err);
    }
    return true;
}

/* take_pin takes what a peer says of the trusted epoch's boundary: that, or for the
 * set that signed it the end of the epoch before. */
static void take_pin(struct sync *s,
                     struct sync__peer *peer,
                     const struct cs_handover *end,
                     struct nv_view bytes)
{
    struct cs_valset set;
    if (end->header.epoch + 2 == s->config.trust.epoch) {
        enum nv_err const err = cs_valset_decode(&set, end->set);
        struct cs_header pin;
        struct nv_reader r;
        nv_reader_init(&r, nv_view_of(s->walk.pin, s->walk.pin_size));
        if (err != NV_OK || cs_header_get(&r, &pin) != NV_OK ||
            !nv_hash_eq(&set.hash, &pin.valset_hash)) {
            sync__lie(s, peer, "it sent another epoch's validators");
            return;
        }
        struct sync__peer *const giver = sync__peer_of(s, s->walk.pin_giver);
        if (!pin_verify(s, &set) && giver != NULL) {
            sync__lie(s, giver, "it sent an end of an epoch that is not final");
        }
        return;
    }
    if (!pinned(s, end)) { /* whoever is wrong: it may be the configuration */
        nv_log(NV_LOG_WARN,
               "event=join_untrusted epoch=%" NV_U64
               " why=\"a peer's block at the beginning of the epoch is not that of sync.trust\"",
               s->config.trust.epoch);
        return;
    }
    memcpy(s->walk.pin, bytes.bytes, bytes.size);
    s->walk.pin_size = bytes.size;
    s->walk.pin_giver = peer->id;
    if (end->header.epoch == CS_FIRST_EPOCH && !pin_verify(s, &s->config.light.set)) {
        sync__lie(s, peer, "it sent an end of an epoch that is not final");
    }
}

/* ---- walking ---- */

static bool expired(const struct sync *s, const struct cs_light *light)
{
    return cs_light_expired(light, s->time.wall_ms);
}

/* walk goes up to an epoch, as far as what is held leads. */
static enum sync__reach walk(struct sync *s, struct cs_light *light, uint64_t epoch)
{
    for (uint32_t steps = 0; light->epoch < epoch; steps++) {
        struct cs_handover end;
        struct nv_view bytes;
        if (expired(s, light)) {
            sync__fail(s, NV_ERR_TIMEOUT);
            return SYNC__REACH_NEVER;
        }
        if (steps == STEPS_MAX) {
            return SYNC__REACH_ON;
        }
        if (get(s, light->epoch, &end, &bytes) != NV_OK ||
            step(s, light, &end, bytes) != CS_LIGHT_OK) {
            return missing(s, light->epoch);
        }
    }
    return SYNC__REACH_THERE;
}

/* reach_both walks with one light state and then with the other. */
static enum sync__reach reach_both(struct sync *s, uint64_t epoch, uint64_t later)
{
    struct sync__walk *const w = &s->walk;
    if (w->begun && w->low.epoch > epoch) { /* an older snapshot than the one before */
        w->begun = false;
    }
    enum sync__reach reach = w->begun ? SYNC__REACH_THERE : begin(s);
    if (reach == SYNC__REACH_THERE && w->low.epoch > epoch) {
        return SYNC__REACH_NEVER; /* from before what is believed */
    }
    reach = reach == SYNC__REACH_THERE ? walk(s, &w->low, epoch) : reach;
    if (reach != SYNC__REACH_THERE) {
        return reach;
    }
    if (w->high.epoch < epoch || w->high.epoch > later) {
        w->high = w->low;
    }
    reach = walk(s, &w->high, later);
    if (reach == SYNC__REACH_THERE && (expired(s, &w->low) || expired(s, &w->high))) {
        sync__fail(s, NV_ERR_TIMEOUT);
        reach = SYNC__REACH_NEVER;
    }
    return reach;
}

enum sync__reach sync__reach(struct sync *s, uint64_t epoch, uint64_t later)
{
    enum sync__reach const reach = reach_both(s, epoch, later);
    s->walk.missing = reach == SYNC__REACH_MISSING ? s->walk.missing : 0;
    return reach;
}

/* ---- asking ---- */

static uint32_t peers_up(const struct sync *s)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        count += s->peer[i].up && !s->peer[i].liar ? 1 : 0;
    }
    return count;
}

bool sync__ask_epoch(struct sync *s)
{
    struct sync__walk *const w = &s->walk;
    bool const waits =
        w->asked < SYNC_PEERS_MAX && s->time.now_ms - w->asked_ms < SYNC__EPOCH_PATIENCE_MS;
    if (w->missing == 0 || waits) {
        return true;
    }
    if (w->attempts > SYNC__EPOCH_ROUNDS * peers_up(s)) {
        w->missing = 0;
        return false;
    }
    for (uint32_t i = 0; i < SYNC_PEERS_MAX; i++) {
        uint32_t const at = w->turn++ % SYNC_PEERS_MAX;
        if (s->peer[at].up && !s->peer[at].liar) {
            w->asked = at;
            w->asked_ms = s->time.now_ms;
            w->attempts++;
            sync__send_epoch(s, &s->peer[at], w->missing);
            break;
        }
    }
    return true;
}

void sync__take_epoch(struct sync *s, struct sync__peer *peer, struct nv_view bytes)
{
    struct sync__walk *const w = &s->walk;
    struct nv_reader r;
    struct cs_handover end;
    if (w->missing == 0 || w->asked >= SYNC_PEERS_MAX || peer != &s->peer[w->asked]) {
        return; /* too late */
    }
    nv_reader_init(&r, bytes);
    w->asked = SYNC_PEERS_MAX;
    if (bytes.size > sizeof w->pin || cs_handover_get(&r, &end) != NV_OK ||
        end.header.epoch != w->missing) {
        sync__lie(s, peer, "its end of an epoch is none");
        return;
    }
    if (!w->begun) {
        take_pin(s, peer, &end, bytes);
        return;
    }
    struct cs_light light = w->low.epoch == w->missing ? w->low : w->high;
    enum cs_light_verdict const verdict = step(s, &light, &end, bytes);
    if (verdict == CS_LIGHT_EXPIRED) {
        sync__fail(s, NV_ERR_TIMEOUT);
    } else if (verdict != CS_LIGHT_OK) {
        sync__lie(s, peer, "it sent an end of an epoch that is not final");
    } else {
        enum nv_err const err = s->config.epochs.put(s->config.epochs.ctx, w->missing, bytes);
        w->missing = 0;
        if (err != NV_OK) {
            sync__fail(s, err);
        }
    }
}
