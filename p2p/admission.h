#ifndef NV_P2P_ADMISSION_H
#define NV_P2P_ADMISSION_H

/* admission.h - which accepted connections have a place
 * (docs/spec/p2p.md section 7.1).
 *
 * A stranger costs at most one TLS handshake, and strangers together hold a
 * fixed number of places.  When these are taken, a newcomer takes the place of
 * the oldest of them: an honest node authenticates in a few round trips, so it
 * is out of the queue long before a flood has pushed it out.
 *
 * A place is an index into the caller's own table.  One thread at a time. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define P2P__PLACE_NONE UINT32_MAX

/* A remote address: IPv6, or IPv4 mapped into it. */
struct p2p__address {
    uint8_t bytes[16];
};

struct p2p__place {
    struct p2p__address address;
    uint64_t since; /* order of arrival */
    bool used;
    bool half_open;
};

struct p2p__admission {
    struct p2p__place *places; /* owned; `cap` of them */
    uint32_t cap;
    uint32_t half_open;
    uint32_t half_open_max;
    uint32_t half_open_address_max;
    uint32_t address_max;
    uint64_t arrivals;
};

/* p2p__admission_init takes memory for `cap` places.  The other bounds are set
 * by the caller.  NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err p2p__admission_init(struct p2p__admission *admission, uint32_t cap);
void p2p__admission_deinit(struct p2p__admission *admission);

/* p2p__admission_enter gives a newcomer a place, or returns P2P__PLACE_NONE: it
 * is to be closed.  When somebody else must leave for it, `*evicted` is that
 * one's place, which is taken from it at once; else P2P__PLACE_NONE.  The
 * newcomer may get that very place. */
uint32_t p2p__admission_enter(struct p2p__admission *admission,
                              const struct p2p__address *address,
                              uint32_t *evicted);

/* p2p__admission_prove says that the connection at `place` is authenticated. */
void p2p__admission_prove(struct p2p__admission *admission, uint32_t place);

/* p2p__admission_leave frees a place. */
void p2p__admission_leave(struct p2p__admission *admission, uint32_t place);

#endif /* NV_P2P_ADMISSION_H */
