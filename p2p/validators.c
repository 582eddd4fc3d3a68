#include "base/assert.h"
#include "base/fmt.h"
#include "base/log.h"

#include "p2p/dial.h"
#include "p2p/p2p.h"
#include "p2p/session.h"
#include "p2p/state.h"

/* end_lanes ends the lanes that the new list leaves no reason or no place for. */
static void end_lanes(struct p2p *p2p)
{
    static const enum p2p_reason why[P2P_LANES] = {P2P_REASON_LANE, P2P_REASON_FULL};
    for (uint32_t i = 0; i < p2p->peers.top; i++) {
        struct p2p__peer *peer = &p2p->peers.peers[i];
        for (uint32_t lane = 0; lane < P2P_LANES; lane++) {
            struct p2p__session *session = peer->lanes[lane].session;
            if (session != NULL && peer->loses[lane]) {
                p2p__session_end(session, why[lane]);
            }
        }
    }
}

enum nv_err p2p_validators_set(struct p2p *p2p, const struct nv_pubkey *node_keys, uint32_t count)
{
    NV_ASSERT(!p2p->telling);
    if (count > P2P_VALIDATORS_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    if (p2p->closing) {
        return NV_OK;
    }
    p2p__peers_turn(&p2p->peers, node_keys, count, p2p__now(p2p));
    p2p->self.validator = p2p->peers.self_validator;
    end_lanes(p2p);
    p2p__link_tell_all(p2p);
    if (p2p->closing) {
        return NV_OK;
    }
    p2p__peers_seat(&p2p->peers, node_keys, count);
    p2p__dialler_renew(p2p->dialler);
    p2p__announce_seated(p2p);
    nv_log(NV_LOG_INFO,
           "event=validators_set count=%" NV_U32 " self=%d",
           count,
           p2p->self.validator ? 1 : 0);
    return NV_OK;
}

bool p2p_has_lane0(const struct p2p *p2p, uint32_t peer)
{
    const struct p2p__peer *to = p2p__peers_by_id(&p2p->peers, peer);
    return to != NULL && p2p__peers_standing(&p2p->peers, to, p2p__now(p2p)).lane_0;
}
