#ifndef NV_P2P_DIAL_PARTS_H
#define NV_P2P_DIAL_PARTS_H

/* dial_parts.h - what the two files of the dialler share: dial.c (whom to dial, and
 * when) and dial_attempt.c, which does it.  Nobody else includes it. */

#include <sys/socket.h>

#include <uv.h>

#include "p2p/backoff.h"
#include "p2p/dial.h"
#include "p2p/endpoint.h"
#include "p2p/state.h"

struct p2p__dial_lane {
    bool under_way; /* a session of ours exists */
    struct p2p__backoff backoff;
    enum p2p_reason last_reason;
    enum p2p_reason logged; /* the reason of the last line in the log */
    uint32_t attempts;      /* in vain since the last success */
};

struct p2p__dial {
    struct p2p__dialler *dialler;
    struct nv_pubkey key;
    struct p2p__endpoint endpoint;
    bool heard; /* from others, and not configured */
    bool resolving;
    bool resolved;
    struct sockaddr_storage address;
    uv_getaddrinfo_t request;
    struct p2p__dial_lane lanes[P2P_LANES];
};

struct p2p__dialler {
    struct p2p *p2p;
    uint32_t count;
    bool closing;
    struct p2p__dial *dials[P2P_DIALS_MAX]; /* owned */
};

#endif /* NV_P2P_DIAL_PARTS_H */
