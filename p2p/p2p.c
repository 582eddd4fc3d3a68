#include "p2p/p2p.h"

#include <signal.h>

#include <uv.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"

#include "p2p/dial.h"
#include "p2p/envelope.h"
#include "p2p/listen.h"
#include "p2p/session.h"
#include "p2p/socket.h"
#include "p2p/state.h"
#include "p2p/types.h"

#define BATCH_SIZE    131072u
#define ENVELOPE_SIZE P2P__ENVELOPE_SCRATCH(P2P__PAYLOAD_MAX + P2P__ENVELOPE_EXTRA)

/* ---- the turns of the loop ---------------------------------------------- */

/* flush_lane writes what waits for validators, or for the others. */
static void flush_lane(struct p2p *p2p, uint8_t lane, bool validators)
{
    for (uint32_t i = 0; i < p2p->peers.top && !p2p->closing; i++) {
        const struct p2p__peer *peer = &p2p->peers.peers[i];
        struct p2p__session *session = peer->lanes[lane].session;
        if (session != NULL && peer->validator == validators) {
            p2p__session_flush_touched(session);
        }
    }
}

static void resume_all(struct p2p *p2p)
{
    p2p->resume = false;
    for (struct p2p__session *s = p2p->sessions; s != NULL; s = p2p__session_next(s)) {
        p2p__session_resume(s);
    }
}

/* on_turn comes at the end of each turn of the loop; there is something to do if
 * the idle handle runs. */
static void on_turn(uv_prepare_t *turn)
{
    struct p2p *p2p = turn->data;
    if (!uv_is_active((const uv_handle_t *)p2p->idle)) {
        return;
    }
    (void)uv_idle_stop(p2p->idle);
    if (p2p->resume) {
        resume_all(p2p);
    }
    p2p__link_tell_all(p2p);
    flush_lane(p2p, P2P_LANE_0, true);
    flush_lane(p2p, P2P_LANE_1, true);
    flush_lane(p2p, P2P_LANE_1, false);
}

static void on_timer(uv_timer_t *timer)
{
    struct p2p *p2p = timer->data;
    uint64_t const now_ms = p2p__now(p2p);
    for (struct p2p__session *s = p2p->sessions; s != NULL; s = p2p__session_next(s)) {
        p2p__session_tick(s, now_ms);
    }
    if (p2p->listener != NULL) {
        p2p__listener_tick(p2p->listener);
    }
    p2p__session_begin_next(p2p);
    p2p__dialler_tick(p2p->dialler, now_ms);
    p2p__gossip_tick(p2p);
    p2p__announce_tick(p2p, now_ms);
    p2p__link_tell_all(p2p); /* of a lane 0 that did not come */
}

/* ---- opening ------------------------------------------------------------ */

static void set_default(uint32_t *value, uint32_t otherwise)
{
    *value = *value != 0 ? *value : otherwise;
}

static void limits_complete(struct p2p_limits *limits)
{
    set_default(&limits->observers_max, 32);
    set_default(&limits->half_open_max, 64);
    set_default(&limits->half_open_address_max, 16);
    set_default(&limits->address_max, 256);
    set_default(&limits->handshakes_per_second, 100);
    set_default(&limits->queue_bytes_max[0], 1u << 20);
    set_default(&limits->queue_bytes_max[1], 8u << 20);
    set_default(&limits->queue_count_max[0], 4096);
    set_default(&limits->queue_count_max[1], 4096);
    set_default(&limits->gossip_bytes_max, 8u << 20);
    set_default(&limits->gossip_count_max, 8192);
    set_default(&limits->seen_max, 65536);
    set_default(&limits->tick_ms, 100);
    set_default(&limits->handshake_ms, 5000);
    set_default(&limits->ping_ms, 3000);
    set_default(&limits->idle_ms, 12000);
    set_default(&limits->stall_ms, 30000);
    set_default(&limits->backoff_first_ms, 200);
    set_default(&limits->backoff_max_ms, 10000);
    set_default(&limits->announce_ms, 60000);
}

static bool limits_good(const struct p2p_limits *limits)
{
    return limits->observers_max <= P2P_OBSERVERS_MAX &&
           limits->half_open_max <= P2P_HALF_OPEN_MAX && limits->queue_count_max[0] >= 2 &&
           limits->queue_count_max[1] >= 2 && limits->gossip_bytes_max >= P2P_TRANSACTION_MAX &&
           limits->backoff_first_ms <= limits->backoff_max_ms && limits->ping_ms < limits->idle_ms;
}

static enum nv_err open_self(struct p2p *p2p, const struct p2p_config *config)
{
    p2p->seckey = nv_secret_open(sizeof(*p2p->seckey));
    if (p2p->seckey == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    *p2p->seckey = *config->node_key;
    p2p->self.seckey = p2p->seckey;
    p2p->self.chain_id = config->chain_id;
    nv_random_bytes(&p2p->self.instance, sizeof(p2p->self.instance));
    if (nv_key_public(&p2p->self.key, p2p->seckey) != NV_OK) {
        nv_log(NV_LOG_ERROR, "event=node_key_bad text=\"the node key is no secp256k1 key\"");
        return NV_ERR_CONFIG;
    }
    NV_TRY(p2p__peers_init(&p2p->peers, config, &p2p->limits, &p2p->self.key));
    p2p->self.validator = p2p->peers.self_validator;
    return NV_OK;
}

static enum nv_err open_admission(struct p2p *p2p)
{
    /* Each pair of nodes has two lanes, and for a moment two connections a lane. */
    uint32_t const cap = 4 * p2p->limits.half_open_max + 4 * p2p->peers.count;
    NV_TRY(p2p__admission_init(&p2p->admission, cap));
    p2p->admission.half_open_max = p2p->limits.half_open_max;
    p2p->admission.half_open_address_max = p2p->limits.half_open_address_max;
    p2p->admission.address_max = p2p->limits.address_max;
    p2p__budget_init(&p2p->admission.budget, p2p->limits.handshakes_per_second);
    p2p->by_place = nv_heap_alloc((size_t)cap * sizeof(struct p2p__session *));
    return p2p->by_place == NULL ? NV_ERR_NO_MEMORY : NV_OK;
}

static enum nv_err open_memory(struct p2p *p2p)
{
    struct p2p__gossip_limits const gossip = {.seen_max = p2p->limits.seen_max,
                                              .count_max = p2p->limits.gossip_count_max,
                                              .bytes_max = p2p->limits.gossip_bytes_max};
    p2p->gossip = p2p__gossip_open(&gossip);
    p2p->dialler = p2p__dialler_open(p2p);
    struct p2p__scratch *scratch = &p2p->scratch;
    NV_ASSERT(p2p_type_max(P2P_TYPE_TRANSACTIONS, P2P_LANE_1) == BATCH_SIZE);
    scratch->read = nv_heap_alloc(P2P__READ_SIZE);
    scratch->plain = nv_heap_alloc(P2P__TLS_RECORD);
    scratch->write = nv_heap_alloc(P2P__WRITE_SIZE);
    scratch->batch = nv_heap_alloc(BATCH_SIZE);
    scratch->envelope_memory = nv_heap_alloc(ENVELOPE_SIZE);
    if (p2p->gossip == NULL || p2p->dialler == NULL || scratch->read == NULL ||
        scratch->plain == NULL || scratch->write == NULL || scratch->batch == NULL ||
        scratch->envelope_memory == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    nv_arena_init(&scratch->envelope, scratch->envelope_memory, ENVELOPE_SIZE);
    return NV_OK;
}

static enum nv_err open_handles(struct p2p *p2p)
{
    p2p->timer = nv_heap_alloc(sizeof(*p2p->timer));
    p2p->turn = nv_heap_alloc(sizeof(*p2p->turn));
    p2p->idle = nv_heap_alloc(sizeof(*p2p->idle));
    if (p2p->timer == NULL || p2p->turn == NULL || p2p->idle == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    (void)uv_timer_init(p2p->loop, p2p->timer);
    (void)uv_prepare_init(p2p->loop, p2p->turn);
    (void)uv_idle_init(p2p->loop, p2p->idle);
    p2p->timer->data = p2p;
    p2p->turn->data = p2p;
    p2p->idle->data = p2p;
    p2p->handles += 3;
    (void)uv_prepare_start(p2p->turn, on_turn);
    int const result = uv_timer_start(p2p->timer, on_timer, 0, p2p->limits.tick_ms);
    return result == 0 ? NV_OK : NV_ERR_IO;
}

static enum nv_err open_peers(struct p2p *p2p, const struct p2p_config *config)
{
    for (uint32_t i = 0; i < config->peer_count; i++) {
        enum nv_err const err = p2p__dialler_add(p2p->dialler, config->peers[i]);
        if (err != NV_OK && err != NV_ERR_EXISTS) {
            char text[512];
            nv_log(NV_LOG_ERROR,
                   "event=peer_bad error=%s peer=%s",
                   nv_err_name(err),
                   nv_log_quote(text, sizeof(text), nv_view_of_text(config->peers[i])));
            return err;
        }
    }
    return NV_OK;
}

static enum nv_err open_all(struct p2p *p2p, const struct p2p_config *config)
{
    if (!limits_good(&p2p->limits)) {
        return NV_ERR_CONFIG;
    }
    NV_TRY(open_self(p2p, config));
    NV_TRY(open_admission(p2p));
    NV_TRY(open_memory(p2p));
    NV_TRY(p2p__tls_context_open(&p2p->tls, config->certificate_dir));
    NV_TRY(open_handles(p2p));
    NV_TRY(open_peers(p2p, config));
    if (config->listen != NULL) {
        NV_TRY(p2p__listener_open(&p2p->listener, p2p, config->listen));
        p2p->self.listen_port = p2p__listener_port(p2p->listener);
    }
    return p2p__announce_open(p2p, config);
}

enum nv_err p2p_open(struct p2p **out, const struct p2p_config *config)
{
    NV_ASSERT(config->validator_count <= P2P_VALIDATORS_MAX);
    NV_ASSERT(config->events.on_message != NULL);
    NV_ASSERT(config->events.on_transaction != NULL);
    NV_ASSERT(config->events.on_peer != NULL);
    struct sigaction const ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);

    struct p2p *p2p = nv_heap_alloc(sizeof(*p2p));
    if (p2p == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    p2p->loop = config->loop;
    p2p->events = config->events;
    p2p->limits = config->limits;
    p2p->handles = 1; /* of this function and p2p_close */
    limits_complete(&p2p->limits);
    enum nv_err const err = open_all(p2p, config);
    if (err != NV_OK) {
        p2p_close(p2p, NULL, NULL);
        return err;
    }
    *out = p2p;
    return NV_OK;
}

/* ---- closing ------------------------------------------------------------ */

static void on_handle_closed(uv_handle_t *handle)
{
    p2p__handle_gone(handle->data);
}

/* close_handle closes a timer or the like, if it was begun. */
static void close_handle(uv_handle_t *handle)
{
    if (handle != NULL && handle->data != NULL) {
        uv_close(handle, on_handle_closed);
    }
}

void p2p_close(struct p2p *p2p, void (*on_closed)(void *ctx), void *ctx)
{
    NV_ASSERT(!p2p->closing);
    p2p->closing = true;
    p2p->on_closed = on_closed;
    p2p->on_closed_ctx = ctx;
    for (struct p2p__session *s = p2p->sessions; s != NULL; s = p2p__session_next(s)) {
        p2p__session_close(s);
    }
    if (p2p->listener != NULL) {
        p2p__listener_close(p2p->listener);
    }
    if (p2p->dialler != NULL) {
        p2p__dialler_close(p2p->dialler);
    }
    close_handle((uv_handle_t *)p2p->idle);
    close_handle((uv_handle_t *)p2p->turn);
    close_handle((uv_handle_t *)p2p->timer);
    p2p__handle_gone(p2p); /* the one of p2p_open */
}

uint16_t p2p_listen_port(const struct p2p *p2p)
{
    return p2p->self.listen_port;
}
