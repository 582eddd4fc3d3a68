#include "p2p/address.h"

#include <netinet/in.h>
#include <string.h>

#define MAPPED_AT 12u /* bytes before an IPv4 address within IPv6 */
#define NETWORK_4 15u /* bytes of a stranger's network: 24 bits of IPv4 */
#define NETWORK_6 6u  /* and 48 of IPv6 */

void p2p__address_of(struct p2p__address *out, const struct sockaddr_storage *from)
{
    *out = (struct p2p__address){{0}};
    if (from->ss_family == AF_INET6) {
        memcpy(out->bytes, &((const struct sockaddr_in6 *)from)->sin6_addr, 16);
    } else if (from->ss_family == AF_INET) {
        memset(out->bytes + MAPPED_AT - 2, 0xff, 2);
        memcpy(out->bytes + MAPPED_AT, &((const struct sockaddr_in *)from)->sin_addr, 4);
    }
}

bool p2p__address_eq(const struct p2p__address *a, const struct p2p__address *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool p2p__address_is_none(const struct p2p__address *address)
{
    static const struct p2p__address none;
    return p2p__address_eq(address, &none);
}

/* SPEC p2p 7.4: "the first 24 bits of its IPv4 address, or the first 48 of IPv6" */
struct p2p__network p2p__network_of(const struct p2p__address *address, bool known)
{
    static const uint8_t mapped[MAPPED_AT] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    bool const v4 = memcmp(address->bytes, mapped, sizeof(mapped)) == 0;
    uint32_t const part = v4 ? NETWORK_4 : NETWORK_6;
    struct p2p__network network = {.known = known};
    memcpy(network.bytes, address->bytes, known ? sizeof(network.bytes) : part);
    return network;
}

bool p2p__network_eq(const struct p2p__network *a, const struct p2p__network *b)
{
    return a->known == b->known && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
