#ifndef NV_P2P_BACKOFF_H
#define NV_P2P_BACKOFF_H

/* backoff.h - how long to wait before dialling again
 * (docs/spec/p2p.md section 6.3).
 *
 * Plain functions of times and entropy handed in. */

#include <stdbool.h>
#include <stdint.h>

struct p2p__backoff {
    uint32_t first_ms;
    uint32_t max_ms;
    uint32_t failures; /* in a row */
    uint64_t next_at_ms;
};

/* p2p__backoff_pause returns the pause after `failures` (>= 1) failures in a
 * row: first_ms doubled each time up to max_ms, its second half at random. */
uint32_t
p2p__backoff_pause(uint32_t first_ms, uint32_t max_ms, uint32_t failures, uint64_t entropy);

/* p2p__backoff_due returns whether it is time to dial. */
bool p2p__backoff_due(const struct p2p__backoff *backoff, uint64_t now_ms);

/* p2p__backoff_ended takes note that a connection, or an attempt at one, has
 * ended.  `lasted_ms` is how long it was authenticated, 0 if it never was. */
void p2p__backoff_ended(struct p2p__backoff *backoff,
                        uint64_t now_ms,
                        uint64_t lasted_ms,
                        uint64_t entropy);

#endif /* NV_P2P_BACKOFF_H */
