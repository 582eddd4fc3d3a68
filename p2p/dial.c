#include "p2p/dial.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/random.h"

#include "p2p/dial_parts.h"

struct p2p__dialler *p2p__dialler_open(struct p2p *p2p)
{
    struct p2p__dialler *dialler = nv_heap_alloc(sizeof(*dialler));
    if (dialler != NULL) {
        dialler->p2p = p2p;
    }
    return dialler;
}

void p2p__dialler_close(struct p2p__dialler *dialler)
{
    dialler->closing = true;
    for (uint32_t i = 0; i < dialler->count; i++) {
        if (dialler->dials[i]->resolving) {
            (void)uv_cancel((uv_req_t *)&dialler->dials[i]->request);
        }
    }
}

void p2p__dialler_free(struct p2p__dialler *dialler)
{
    for (uint32_t i = 0; i < dialler->count; i++) {
        nv_heap_free(dialler->dials[i]);
    }
    nv_heap_free(dialler);
}

static bool key_eq(const struct nv_pubkey *a, const struct nv_pubkey *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

static struct p2p__dial *dial_find(struct p2p__dialler *dialler, const struct nv_pubkey *key)
{
    for (uint32_t i = 0; i < dialler->count; i++) {
        if (key_eq(&dialler->dials[i]->key, key)) {
            return dialler->dials[i];
        }
    }
    return NULL;
}

/* idle returns whether a place may be given to another node: it was heard of, is no
 * validator any more, and nothing of it is under way. */
static bool idle(const struct p2p__dial *dial)
{
    const struct p2p__peer *peer = p2p__peers_by_key(&dial->dialler->p2p->peers, &dial->key);
    return dial->heard && (peer == NULL || !peer->validator) && !dial->resolving &&
           !dial->lanes[P2P_LANE_0].under_way && !dial->lanes[P2P_LANE_1].under_way;
}

/* place_find returns a place for one more node, or NULL: there is none. */
static struct p2p__dial *place_find(struct p2p__dialler *dialler)
{
    for (uint32_t i = 0; i < dialler->count; i++) {
        if (idle(dialler->dials[i])) {
            return dialler->dials[i];
        }
    }
    struct p2p__dial *dial = dialler->count == P2P_DIALS_MAX ? NULL : nv_heap_alloc(sizeof(*dial));
    if (dial != NULL) {
        dialler->dials[dialler->count] = dial;
        dialler->count++;
    }
    return dial;
}

/* place_set begins anew with a node. */
static void place_set(struct p2p__dialler *dialler,
                      struct p2p__dial *dial,
                      const struct nv_pubkey *key,
                      const struct p2p__endpoint *endpoint)
{
    *dial = (struct p2p__dial){.dialler = dialler, .key = *key, .endpoint = *endpoint};
    for (uint32_t i = 0; i < P2P_LANES; i++) {
        dial->lanes[i].backoff.first_ms = dialler->p2p->limits.backoff_first_ms;
        dial->lanes[i].backoff.max_ms = dialler->p2p->limits.backoff_max_ms;
    }
}

/* turn_to makes the next attempt go to another address, at once. */
static void turn_to(struct p2p__dial *dial, const struct p2p__endpoint *endpoint)
{
    dial->endpoint = *endpoint;
    dial->resolved = false;
    for (uint32_t i = 0; i < P2P_LANES; i++) {
        dial->lanes[i].backoff.next_at_ms = 0;
        dial->lanes[i].backoff.failures = 0;
    }
}

enum nv_err p2p__dialler_add(struct p2p__dialler *dialler, const char *peer)
{
    struct nv_pubkey key;
    struct p2p__endpoint endpoint;
    NV_TRY(p2p__peer_parse(&key, &endpoint, peer));
    if (key_eq(&key, &dialler->p2p->self.key)) {
        return NV_OK;
    }
    struct p2p__dial *dial = dial_find(dialler, &key);
    if (dial != NULL && !dial->heard) {
        return NV_ERR_EXISTS;
    }
    if (dial != NULL) {
        dial->heard = false;
        turn_to(dial, &endpoint);
        return NV_OK;
    }
    dial = place_find(dialler);
    if (dial == NULL) {
        return dialler->count == P2P_DIALS_MAX ? NV_ERR_TOO_LARGE : NV_ERR_NO_MEMORY;
    }
    place_set(dialler, dial, &key, &endpoint);
    return NV_OK;
}

/* SPEC p2p 10.4: "An address of its configuration goes first, always." */
void p2p__dialler_hear(struct p2p__dialler *dialler,
                       const struct nv_pubkey *key,
                       const struct p2p__endpoint *endpoint)
{
    struct p2p__dial *dial = dial_find(dialler, key);
    if (dial != NULL && dial->heard) {
        turn_to(dial, endpoint);
    } else if (dial == NULL && (dial = place_find(dialler)) != NULL) {
        place_set(dialler, dial, key, endpoint);
        dial->heard = true;
    }
}

static uint64_t entropy(void)
{
    uint64_t value = 0;
    nv_random_bytes(&value, sizeof(value));
    return value;
}

static void log_end(const struct p2p__dial *dial, const struct p2p__dial_end *end)
{
    char key[NV_HEX_TEXT(8)];
    nv_hex_encode(key, dial->key.bytes, 8);
    nv_log(end->reason == P2P_REASON_TWIN ? NV_LOG_ERROR : NV_LOG_WARN,
           "event=dial_failed key=%s host=%s port=%u lane=%u reason=%s told=%d text=\"%s\"",
           key,
           dial->endpoint.host,
           (unsigned)dial->endpoint.port,
           (unsigned)end->lane,
           p2p_reason_name(end->reason),
           end->told ? 1 : 0,
           p2p_reason_text(end->reason));
}

void p2p__dialler_ended(struct p2p__dialler *dialler, const struct p2p__dial_end *end)
{
    NV_ASSERT(end->dial < dialler->count);
    struct p2p__dial *dial = dialler->dials[end->dial];
    struct p2p__dial_lane *lane = &dial->lanes[end->lane];
    lane->under_way = false;
    lane->last_reason = end->reason;
    lane->attempts = end->lasted_ms != 0 ? 0 : lane->attempts + 1;
    dial->resolved = false; /* a name may mean another address by then */
    p2p__backoff_ended(&lane->backoff, p2p__now(dialler->p2p), end->lasted_ms, entropy());
    if (end->lasted_ms != 0 || end->reason == P2P_REASON_DUPLICATE) {
        lane->logged = P2P_REASON_NONE;
    } else if (lane->logged != end->reason) {
        lane->logged = end->reason; /* one line for each run of the same failure */
        log_end(dial, end);
    }
}

void p2p__dialler_lane_down(struct p2p__dialler *dialler, const struct nv_pubkey *key, uint8_t lane)
{
    struct p2p__dial *dial = dial_find(dialler, key);
    if (dial == NULL || dial->lanes[lane].under_way) {
        return;
    }
    struct p2p__backoff *backoff = &dial->lanes[lane].backoff;
    uint64_t const at_ms = p2p__now(dialler->p2p) +
                           p2p__backoff_pause(backoff->first_ms, backoff->max_ms, 1, entropy());
    backoff->next_at_ms = backoff->next_at_ms < at_ms ? at_ms : backoff->next_at_ms;
}

void p2p__dialler_renew(struct p2p__dialler *dialler)
{
    for (uint32_t i = 0; i < dialler->count; i++) {
        struct p2p__backoff *backoff = &dialler->dials[i]->lanes[P2P_LANE_0].backoff;
        backoff->next_at_ms = 0;
        backoff->failures = 0;
    }
}

bool p2p__dialler_knows(const struct p2p__dialler *dialler, const struct p2p__address *address)
{
    for (uint32_t i = 0; i < dialler->count && !p2p__address_is_none(address); i++) {
        struct p2p__address dialled;
        p2p__address_of(&dialled, &dialler->dials[i]->address);
        if (!dialler->dials[i]->heard && p2p__address_eq(&dialled, address)) {
            return true;
        }
    }
    return false;
}

bool p2p__dialler_view(const struct p2p__dialler *dialler,
                       uint32_t index,
                       struct p2p__dial_view *out)
{
    if (index >= dialler->count) {
        return false;
    }
    const struct p2p__dial *dial = dialler->dials[index];
    const struct p2p__dial_lane *lane = &dial->lanes[P2P_LANE_1];
    *out = (struct p2p__dial_view){.key = dial->key,
                                   .heard = dial->heard,
                                   .last_reason = lane->last_reason,
                                   .attempts = lane->attempts};
    bool const v6 = strchr(dial->endpoint.host, ':') != NULL;
    /* A name that is too long for the list is cut. */
    (void)snprintf(out->address,
                   sizeof(out->address),
                   v6 ? "[%.48s]:%u" : "%.48s:%u",
                   dial->endpoint.host,
                   (unsigned)dial->endpoint.port);
    return true;
}
