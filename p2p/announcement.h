#ifndef NV_P2P_ANNOUNCEMENT_H
#define NV_P2P_ANNOUNCEMENT_H

/* announcement.h - a signed statement of where a node can be dialled
 * (docs/spec/p2p.md section 10.1).
 *
 * Plain functions; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"

#include "p2p/endpoint.h"
#include "p2p/types.h"

struct p2p__announcement {
    struct nv_pubkey key;
    uint64_t made_ms; /* wall clock of its maker */
    uint8_t ip[16];   /* IPv6, or IPv4 mapped into it */
    uint16_t port;    /* 0 only where there is none yet */
    struct nv_sig sig;
};

/* p2p__announcement_at sets the address and the port.  NV_ERR_CONFIG, and port 0, if the
 * endpoint's host is a name or stands for all addresses (0.0.0.0, ::), or its port is 0. */
NV_MUST_USE enum nv_err
p2p__announcement_at(struct p2p__announcement *out, const struct p2p__endpoint *at);

/* p2p__announcement_endpoint is the way back. */
void p2p__announcement_endpoint(struct p2p__endpoint *out, const struct p2p__announcement *from);

/* p2p__announcement_encode writes P2P__ADDRESS_BYTES.  p2p__announcement_decode takes
 * any bytes; NV_ERR_MALFORMED.  It does not look at the signature. */
void p2p__announcement_encode(uint8_t *out, const struct p2p__announcement *from);
NV_MUST_USE enum nv_err
p2p__announcement_decode(struct p2p__announcement *out, struct nv_view bytes);

/* p2p__announcement_sign sets the signature, of `seckey`, whose public key is in `of`;
 * p2p__announcement_proven returns whether it holds.  Both of one chain. */
void p2p__announcement_sign(struct p2p__announcement *of,
                            const struct nv_seckey *seckey,
                            const struct nv_hash *chain_id);
bool p2p__announcement_proven(const struct p2p__announcement *of, const struct nv_hash *chain_id);

#endif /* NV_P2P_ANNOUNCEMENT_H */
