/* dial_attempt.c - attempts to connect to whom it is time to dial. */

#include <stdio.h>

#include "p2p/dial.h"
#include "p2p/dial_parts.h"
#include "p2p/session.h"

static void attempt_failed(struct p2p__dial *dial, uint32_t index, uint8_t lane)
{
    struct p2p__dial_end const end = {
        .dial = index, .lane = lane, .reason = P2P_REASON_UNREACHABLE};
    dial->dialler->p2p->totals.ended[P2P_REASON_UNREACHABLE]++;
    p2p__dialler_ended(dial->dialler, &end);
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *info)
{
    struct p2p__dial *dial = request->data;
    struct p2p *p2p = dial->dialler->p2p;
    dial->resolving = false;
    if (status == 0 && info->ai_addrlen <= sizeof(dial->address)) {
        memcpy(&dial->address, info->ai_addr, info->ai_addrlen);
        dial->resolved = true;
    }
    uv_freeaddrinfo(info);
    p2p__handle_gone(p2p);
}

/* resolve finds the socket address.  NV_ERR_BUSY: it is being looked up. */
static enum nv_err resolve(struct p2p__dial *dial)
{
    if (dial->resolved || p2p__endpoint_numeric(&dial->address, &dial->endpoint) == NV_OK) {
        dial->resolved = true;
        return NV_OK;
    }
    char port[8];
    (void)snprintf(port, sizeof(port), "%u", (unsigned)dial->endpoint.port);
    struct addrinfo const hints = {.ai_socktype = SOCK_STREAM, .ai_protocol = IPPROTO_TCP};
    struct p2p *p2p = dial->dialler->p2p;
    dial->request.data = dial;
    int const result =
        uv_getaddrinfo(p2p->loop, &dial->request, on_resolved, dial->endpoint.host, port, &hints);
    if (result != 0) {
        return NV_ERR_IO;
    }
    p2p->handles++;
    dial->resolving = true;
    return NV_ERR_BUSY;
}

static void attempt(struct p2p__dial *dial, uint32_t index, uint8_t lane)
{
    enum nv_err const err = resolve(dial);
    if (err == NV_ERR_BUSY) {
        /* When this pause is over the address is known, or the attempt has failed. */
        struct p2p__backoff *backoff = &dial->lanes[lane].backoff;
        backoff->next_at_ms = p2p__now(dial->dialler->p2p) + backoff->first_ms;
        return;
    }
    struct p2p__target const target = {.dial = index,
                                       .lane = lane,
                                       .key = &dial->key,
                                       .address = (const struct sockaddr *)&dial->address};
    if (err != NV_OK || p2p__session_dial(dial->dialler->p2p, &target) == NULL) {
        attempt_failed(dial, index, lane);
        return;
    }
    dial->lanes[lane].under_way = true;
}

/* wanted: a lane that is to be up with this node and is not. */
static bool wanted(const struct p2p__dial *dial, uint8_t lane)
{
    const struct p2p__peers *peers = &dial->dialler->p2p->peers;
    const struct p2p__peer *peer = p2p__peers_by_key(peers, &dial->key);
    bool const both = peer != NULL && p2p__peers_both(peers, peer);
    bool const up = peer != NULL && peer->lanes[lane].session != NULL;
    return !up && (both || (lane == P2P_LANE_1 && !dial->heard));
}

void p2p__dialler_tick(struct p2p__dialler *dialler, uint64_t now_ms)
{
    for (uint32_t i = 0; i < dialler->count && !dialler->closing; i++) {
        struct p2p__dial *dial = dialler->dials[i];
        for (uint8_t lane = 0; lane < P2P_LANES && !dial->resolving; lane++) {
            const struct p2p__dial_lane *state = &dial->lanes[lane];
            if (!state->under_way && wanted(dial, lane) &&
                p2p__backoff_due(&state->backoff, now_ms)) {
                attempt(dial, i, lane);
            }
        }
    }
}
