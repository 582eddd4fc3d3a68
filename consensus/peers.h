#ifndef NV_CONSENSUS_PEERS_H
#define NV_CONSENSUS_PEERS_H

/* peers.h - what an engine knows of the other validators, and has asked them for. */

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"

#define CS__FETCHES  16u /* headers and bodies asked for at once */
#define CS__REQUESTS 10u /* certificate requests answered per peer and second */

/* So much of something, of one sender, since then. */
struct cs__share {
    uint64_t start_ns;
    uint32_t count;
};

struct cs__peer {
    uint64_t seen;     /* highest view known of it */
    uint64_t heard_ns; /* last message */
    bool heard;
    uint64_t lag_ns;           /* no lag reply before */
    uint64_t ask_ns;           /* no question about its newer view before */
    uint64_t final_height;     /* by its last status; 0 when it did not deliver */
    struct cs__share requests; /* that were answered in this second */
    struct cs__share proofs;   /* of ended epochs, that were looked at */
};

/* Something asked of peers. */
struct cs__fetch {
    bool used;
    bool mark; /* still wanted */
    bool body; /* else the header */
    struct nv_hash hash;
    uint32_t count;   /* blocks to ask for */
    uint32_t hint;    /* peer to ask first */
    uint32_t attempt; /* times asked */
    bool streaming;
    uint64_t at_ns; /* next attempt */
};

#endif /* NV_CONSENSUS_PEERS_H */
