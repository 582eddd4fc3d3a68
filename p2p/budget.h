#ifndef NV_P2P_BUDGET_H
#define NV_P2P_BUDGET_H

/* budget.h - how many handshakes of accepted connections are begun, and who has
 * had one lately (docs/spec/p2p.md section 7.4).
 *
 * A handshake costs this node about a millisecond of processor, whoever is at
 * the other end.  So they are begun at a bounded rate: a bucket of tokens that
 * fills with time and holds those of a quarter of a second.
 *
 * Plain functions of times handed in. */

#include <stdbool.h>
#include <stdint.h>

#include "p2p/address.h"

#define P2P__SERVED_MAX 256u

struct p2p__served {
    struct p2p__network network;
    uint64_t at; /* number of the handshake; 0: free */
};

struct p2p__budget {
    uint32_t per_second;
    uint64_t milli;   /* tokens, in thousandths */
    uint64_t time_ms; /* when `milli` was right */
    uint64_t begun;   /* handshakes so far */
    struct p2p__served served[P2P__SERVED_MAX];
};

/* p2p__budget_init makes a full bucket.  `per_second` >= 1. */
void p2p__budget_init(struct p2p__budget *budget, uint32_t per_second);

/* p2p__budget_has returns whether there is a token.  `now_ms` does not go back. */
bool p2p__budget_has(struct p2p__budget *budget, uint64_t now_ms);

/* p2p__budget_take takes the token that there is for a handshake with `network`,
 * and returns the handshake's number, from 1. */
uint64_t p2p__budget_take(struct p2p__budget *budget, const struct p2p__network *network);

/* p2p__budget_served returns the number of the last handshake with `network`, 0
 * when none is remembered. */
uint64_t p2p__budget_served(const struct p2p__budget *budget, const struct p2p__network *network);

#endif /* NV_P2P_BUDGET_H */
