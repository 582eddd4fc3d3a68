#ifndef NV_P2P_DIAL_H
#define NV_P2P_DIAL_H

/* dial.h - the nodes that this one dials, until each lane with them is up
 * (docs/spec/p2p.md section 6.3).
 *
 * To a validator a validator dials both lanes, each with a pause of its own;
 * any other pair has lane 1.  Loop thread only. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/key.h"

#include "p2p/address.h"
#include "p2p/p2p.h"

struct p2p;
struct p2p__dialler;
struct p2p__endpoint;

/* p2p__dialler_open makes one without nodes; NULL when no memory is left.
 * p2p__dialler_close cancels what is under way; the memory goes with
 * p2p__dialler_free, when the loop has no handle of it any more. */
NV_MUST_USE struct p2p__dialler *p2p__dialler_open(struct p2p *p2p);
void p2p__dialler_close(struct p2p__dialler *dialler);
void p2p__dialler_free(struct p2p__dialler *dialler);

/* p2p__dialler_add is p2p_add_peer; the node's own key is accepted and ignored. */
NV_MUST_USE enum nv_err p2p__dialler_add(struct p2p__dialler *dialler, const char *peer);

/* p2p__dialler_hear says where a validator can be dialled, as it has announced: it is
 * while both are validators, unless p2p__dialler_add has named it. */
void p2p__dialler_hear(struct p2p__dialler *dialler,
                       const struct nv_pubkey *key,
                       const struct p2p__endpoint *endpoint);

/* p2p__dialler_tick dials whom it is time to dial. */
void p2p__dialler_tick(struct p2p__dialler *dialler, uint64_t now_ms);

/* p2p__dialler_knows returns whether a node that p2p__dialler_add has named has, or had, this
 * address. */
bool p2p__dialler_knows(const struct p2p__dialler *dialler, const struct p2p__address *address);

/* How a dialled connection, or the attempt at one, ended. */
struct p2p__dial_end {
    uint32_t dial;
    uint8_t lane;
    enum p2p_reason reason;
    bool told;          /* the other end gave the reason */
    uint64_t lasted_ms; /* authenticated; 0 if it never was */
};
void p2p__dialler_ended(struct p2p__dialler *dialler, const struct p2p__dial_end *end);

/* p2p__dialler_lane_down says that a lane with `key` went down that this node may
 * not have dialled: if it is to, it does so after a first pause. */
void p2p__dialler_lane_down(struct p2p__dialler *dialler,
                            const struct nv_pubkey *key,
                            uint8_t lane);

/* p2p__dialler_renew says that lane 0 may be wanted where it was not: it is dialled
 * without a pause left over from before. */
void p2p__dialler_renew(struct p2p__dialler *dialler);

/* A dialled node, for the list of peers. */
struct p2p__dial_view {
    struct nv_pubkey key;
    bool heard; /* not configured */
    char address[P2P_ADDRESS_SIZE];
    enum p2p_reason last_reason;
    uint32_t attempts;
};

/* p2p__dialler_view writes the node at `index`; false beyond the last. */
bool p2p__dialler_view(const struct p2p__dialler *dialler,
                       uint32_t index,
                       struct p2p__dial_view *out);

#endif /* NV_P2P_DIAL_H */
