#ifndef NV_P2P_HANDSHAKE_H
#define NV_P2P_HANDSHAKE_H

/* handshake.h - how a connection learns who is at the other end
 * (docs/spec/p2p.md section 3).
 *
 *     dialler                              listener
 *        |------------- TLS 1.3 -------------|
 *        |-- AUTH ------------------------->|  judge, find a place
 *        |<------------------ AUTH or REFUSE |
 *      judge, find a place
 *
 * TLS certificates prove nothing here: the dialler's library reports success
 * before the listener has even seen its certificate.  What proves is the AUTH
 * frame, signed over this connection's exporter by the node key.
 *
 * No I/O: the caller brings frames and the exporter, and does what the returned
 * step says.  One thread at a time per object. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"

#include "p2p/p2p.h"
#include "p2p/types.h"

#define P2P__VERSION 1u

enum p2p__side {
    P2P__SIDE_DIALLER = 0,
    P2P__SIDE_LISTENER = 1,
};

/* This node, as it introduces itself. */
struct p2p__self {
    struct nv_hash chain_id;
    struct nv_pubkey key;
    const struct nv_seckey *seckey; /* borrowed, in locked memory */
    uint64_t instance;              /* drawn at random at start */
    uint16_t listen_port;
    bool validator;
};

/* The contents of an AUTH frame. */
struct p2p__auth {
    uint16_t version;
    struct nv_hash chain_id;
    struct nv_pubkey key;
    uint8_t side;
    uint8_t lane;
    uint8_t role; /* 0 observer, 1 validator */
    uint16_t listen_port;
    uint64_t instance;
    struct nv_sig sig;
};

/* p2p__auth_encode writes P2P__AUTH_SIZE bytes.  p2p__auth_decode reads what
 * may be hostile: NV_ERR_VERSION when it is of another version (the rest is not
 * looked at), NV_ERR_TRUNCATED or NV_ERR_TRAILING. */
void p2p__auth_encode(uint8_t *out, const struct p2p__auth *auth);
NV_MUST_USE enum nv_err p2p__auth_decode(struct p2p__auth *out, struct nv_view bytes);

enum p2p__phase {
    P2P__PHASE_TLS = 1, /* nothing is known of the other end */
    P2P__PHASE_AUTH,    /* its AUTH frame is awaited */
    P2P__PHASE_PLACE,   /* it is who it says; the owner decides whether there is a place */
    P2P__PHASE_OPEN,
    P2P__PHASE_ENDED,
};

struct p2p__handshake {
    enum p2p__phase phase;
    enum p2p__side side; /* ours */
    uint8_t lane;        /* dialler: the one dialled; listener: what the other says */
    bool expects;        /* dialler: `expected` must answer */
    struct nv_pubkey expected;
    struct nv_hash exporter;
    struct p2p__auth peer; /* from PHASE_PLACE on */
};

void p2p__handshake_init_dialler(struct p2p__handshake *handshake,
                                 const struct nv_pubkey *expected,
                                 uint8_t lane);
void p2p__handshake_init_listener(struct p2p__handshake *handshake);

/* p2p__handshake_secured says that TLS is up with this exporter.  True: send
 * p2p__handshake_auth now. */
bool p2p__handshake_secured(struct p2p__handshake *handshake, const struct nv_hash *exporter);

/* p2p__handshake_auth writes this end's AUTH frame's payload. */
void p2p__handshake_auth(uint8_t *out,
                         const struct p2p__handshake *handshake,
                         const struct p2p__self *self);

/* p2p__handshake_take judges a frame that came in PHASE_AUTH.  NONE: the phase
 * is PLACE now.  Any other reason: the phase is ENDED; tell the other end why,
 * unless `*told` is set, which means that this reason is what the other end said. */
enum p2p_reason p2p__handshake_take(struct p2p__handshake *handshake,
                                    bool *told,
                                    const struct p2p__self *self,
                                    uint8_t type,
                                    struct nv_view payload);

/* p2p__handshake_placed says that there was a place.  True: send
 * p2p__handshake_auth now.  The phase is OPEN. */
bool p2p__handshake_placed(struct p2p__handshake *handshake);

#endif /* NV_P2P_HANDSHAKE_H */
