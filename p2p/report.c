#include "p2p/dial.h"
#include "p2p/p2p.h"
#include "p2p/state.h"

static struct p2p_lane_info lane_report(const struct p2p__lane *lane)
{
    return (struct p2p_lane_info){.up = lane->session != NULL,
                                  .dialled = lane->dialled,
                                  .up_since_ms = lane->up_since_ms,
                                  .frames_in = lane->frames_in,
                                  .frames_out = lane->frames_out,
                                  .bytes_in = lane->bytes_in,
                                  .bytes_out = lane->bytes_out,
                                  .frames_dropped = lane->queue.dropped,
                                  .queue_bytes = lane->queue.bytes,
                                  .queue_count = lane->queue.count,
                                  .rtt_us = lane->rtt_us};
}

static struct p2p_peer_info peer_report(const struct p2p__peer *peer)
{
    struct p2p_peer_info info = {.peer = peer->id,
                                 .key = peer->key,
                                 .validator = peer->validator,
                                 .lanes = p2p__peers_lanes(peer),
                                 .listen_port = peer->listen_port,
                                 .last_reason = peer->last_reason};
    for (uint32_t i = 0; i < P2P_LANES; i++) {
        info.lane[i] = lane_report(&peer->lanes[i]);
    }
    if (info.lanes != 0) {
        memcpy(info.address, peer->address, sizeof(info.address));
    }
    return info;
}

/* dial_report fills in what dialling knows of a peer that is in the list, or adds
 * one that is not. */
static uint32_t dial_report(const struct p2p__dial_view *dial,
                            struct p2p_peer_info *out,
                            uint32_t count,
                            uint32_t max)
{
    uint32_t i = 0;
    while (i < count && memcmp(&out[i].key, &dial->key, sizeof(dial->key)) != 0) {
        i++;
    }
    if (i == max || (i == count && dial->heard)) {
        return count; /* who was heard of and has no place is no validator any more */
    }
    if (i == count) {
        out[i] = (struct p2p_peer_info){.peer = P2P_PEER_NONE, .key = dial->key};
        count++;
    }
    out[i].attempts = dial->attempts;
    if (out[i].lanes == 0) {
        memcpy(out[i].address, dial->address, sizeof(out[i].address));
        bool const said = dial->last_reason != P2P_REASON_NONE;
        out[i].last_reason = said ? dial->last_reason : out[i].last_reason;
    }
    return count;
}

/* places_report adds those with a place that are validators, or that are not. */
static uint32_t places_report(const struct p2p__peers *peers,
                              bool validators,
                              struct p2p_peer_info *out,
                              uint32_t count,
                              uint32_t max)
{
    for (uint32_t i = 0; i < peers->top && count < max; i++) {
        if (peers->peers[i].used && peers->peers[i].validator == validators) {
            out[count] = peer_report(&peers->peers[i]);
            count++;
        }
    }
    return count;
}

_Static_assert(P2P_PEERS_MAX == P2P_VALIDATORS_MAX + P2P_OBSERVERS_MAX + P2P_DIALS_MAX,
               "all places and all dials fit into the list");

uint32_t p2p_peer_list(const struct p2p *p2p, struct p2p_peer_info *out, uint32_t max)
{
    uint32_t count = places_report(&p2p->peers, true, out, 0, max);
    count = places_report(&p2p->peers, false, out, count, max);
    struct p2p__dial_view dial;
    for (uint32_t i = 0; p2p__dialler_view(p2p->dialler, i, &dial); i++) {
        count = dial_report(&dial, out, count, max);
    }
    return count;
}

void p2p_totals_get(const struct p2p *p2p, struct p2p_totals *out)
{
    *out = p2p->totals;
    struct p2p__gossip_counts const gossip = p2p__gossip_counts(p2p->gossip);
    out->gossip_sent = gossip.sent;
    out->gossip_lost = gossip.lost;
    out->half_open = p2p->admission.half_open;
    out->waiting = p2p->admission.waiting;
    out->peers_up = 0;
    out->validators_up = 0;
    for (uint32_t i = 0; i < p2p->peers.top; i++) {
        const struct p2p__peer *peer = &p2p->peers.peers[i];
        bool const up = peer->used && p2p__peers_lanes(peer) != 0;
        out->peers_up += up ? 1 : 0;
        out->validators_up += up && peer->validator ? 1 : 0;
    }
}
