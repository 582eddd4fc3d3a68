#ifndef NV_P2P_ENDPOINT_H
#define NV_P2P_ENDPOINT_H

/* endpoint.h - addresses as people write them in a configuration:
 *
 *     endpoint   host:port   1.2.3.4:27656   [2001:db8::1]:27656   node.example:27656
 *     peer       hex of an x-only key @ endpoint
 *
 * Plain functions; any thread. */

#include <stdint.h>

#include "base/err.h"
#include "base/key.h"

struct sockaddr_storage;

#define P2P__HOST_SIZE 256u

struct p2p__endpoint {
    char host[P2P__HOST_SIZE]; /* without brackets */
    uint16_t port;
};

/* p2p__endpoint_parse reads an endpoint.  NV_ERR_CONFIG if it is none. */
NV_MUST_USE enum nv_err p2p__endpoint_parse(struct p2p__endpoint *out, const char *text);

/* p2p__endpoint_numeric writes the socket address of an endpoint whose host is an
 * address.  NV_ERR_NOT_FOUND if it is a name. */
NV_MUST_USE enum nv_err
p2p__endpoint_numeric(struct sockaddr_storage *out, const struct p2p__endpoint *endpoint);

/* p2p__peer_parse reads a peer.  NV_ERR_CONFIG if it is none, or its port is 0. */
NV_MUST_USE enum nv_err
p2p__peer_parse(struct nv_pubkey *key, struct p2p__endpoint *endpoint, const char *text);

#endif /* NV_P2P_ENDPOINT_H */
