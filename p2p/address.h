#ifndef NV_P2P_ADDRESS_H
#define NV_P2P_ADDRESS_H

/* address.h - where a connection comes from, and whose neighbours are one
 * (docs/spec/p2p.md section 7.4).  Plain functions. */

#include <stdbool.h>
#include <stdint.h>

struct sockaddr_storage;

/* A remote address: IPv6, or IPv4 mapped into it; zeros: not known. */
struct p2p__address {
    uint8_t bytes[16];
};

/* Those who take turns as one. */
struct p2p__network {
    uint8_t bytes[16];
    bool known; /* of a known address: a network of its own */
};

void p2p__address_of(struct p2p__address *out, const struct sockaddr_storage *from);
bool p2p__address_eq(const struct p2p__address *a, const struct p2p__address *b);

/* p2p__address_is_none returns whether it is not known. */
bool p2p__address_is_none(const struct p2p__address *address);

struct p2p__network p2p__network_of(const struct p2p__address *address, bool known);
bool p2p__network_eq(const struct p2p__network *a, const struct p2p__network *b);

#endif /* NV_P2P_ADDRESS_H */
