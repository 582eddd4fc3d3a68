#ifndef NV_BASE_WEBSOCKET_H
#define NV_BASE_WEBSOCKET_H

/* websocket.h - the answer to a WebSocket handshake (RFC 6455 section 4.2.2).
 * It is the only use of SHA-1 and base64 in the program.
 *
 * Not for pure code.  Any thread. */

#include "base/bytes.h"
#include "base/err.h"

/* 28 characters and the terminator. */
#define NV_WEBSOCKET_ACCEPT_TEXT 29u

/* nv_websocket_accept writes the Sec-WebSocket-Accept value for a client's
 * Sec-WebSocket-Key.  NV_ERR_MALFORMED unless the key is the canonical base64
 * of 16 bytes. */
NV_MUST_USE enum nv_err nv_websocket_accept(char *out, struct nv_view key);

#endif /* NV_BASE_WEBSOCKET_H */
