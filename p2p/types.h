#ifndef NV_P2P_TYPES_H
#define NV_P2P_TYPES_H

/* types.h - the module's own message types, and the bounds of all.
 *
 * The types of others are in P2P_TYPES of p2p/p2p.h. */

#include <stdbool.h>
#include <stdint.h>

enum p2p__type {
    P2P__TYPE_AUTH = 1,
    P2P__TYPE_REFUSE = 2,
    P2P__TYPE_PING = 3,
    P2P__TYPE_PONG = 4,
    P2P__TYPE_ADDRESS = 5,
};

#define P2P__AUTH_SIZE     143u
#define P2P__REFUSE_SIZE   1u
#define P2P__PING_SIZE     8u
#define P2P__ADDRESS_BYTES 122u

/* The largest payload of the table. */
#define P2P__PAYLOAD_MAX 458752u

/* p2p__payload_max returns the largest payload of `type` on `lane`, and writes
 * whether the type may travel there at all.  `proven`: the connection is
 * authenticated.  Any type is allowed. */
uint32_t p2p__payload_max(bool *allowed, uint8_t type, uint8_t lane, bool proven);

/* p2p__type_replaces returns whether a newer message makes an older one that
 * still waits worthless. */
bool p2p__type_replaces(uint8_t type);

#endif /* NV_P2P_TYPES_H */
