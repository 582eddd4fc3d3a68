#ifndef NV_P2P_LISTEN_H
#define NV_P2P_LISTEN_H

/* listen.h - the listening socket.  Loop thread only. */

#include <stdint.h>

#include "base/err.h"

struct p2p;
struct p2p__listener;

/* p2p__listener_open binds `endpoint` ("127.0.0.1:0") and listens.  NV_ERR_CONFIG if
 * it does not parse or is a name, NV_ERR_BUSY if it is taken, NV_ERR_IO.
 * p2p__listener_close ends it and frees it later; it is one of p2p->handles. */
NV_MUST_USE enum nv_err
p2p__listener_open(struct p2p__listener **out, struct p2p *p2p, const char *endpoint);
void p2p__listener_close(struct p2p__listener *listener);

/* p2p__listener_tick takes a connection that waits, for memory or for this tick. */
void p2p__listener_tick(struct p2p__listener *listener);

/* p2p__listener_port returns the port that was bound. */
uint16_t p2p__listener_port(const struct p2p__listener *listener);

#endif /* NV_P2P_LISTEN_H */
