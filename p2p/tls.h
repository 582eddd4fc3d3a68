#ifndef NV_P2P_TLS_H
#define NV_P2P_TLS_H

/* tls.h - TLS 1.3 over bytes in memory (docs/spec/p2p.md section 2).
 *
 *     socket -> feed -> read -> plaintext        plaintext -> write -> drain -> socket
 *
 * The library never touches a socket.  Certificates are accepted whatever they
 * say: who is at the other end is decided by the handshake's AUTH frame, for
 * which p2p__tls_exporter gives what is unique to this connection.
 *
 * The only file that speaks OpenSSL.  One thread at a time per context. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"

struct p2p__tls_context;
struct p2p__tls;

/* The most plaintext of one record, and what one record adds to it at most. */
#define P2P__TLS_RECORD       16384u
#define P2P__TLS_RECORD_EXTRA 64u

/* p2p__tls_context_open loads p2p.key and p2p.crt of `dir`.  NV_ERR_NOT_FOUND if
 * one is missing, NV_ERR_CORRUPT if they do not parse or do not belong together,
 * NV_ERR_CRYPTO if the library cannot do what is asked. */
NV_MUST_USE enum nv_err p2p__tls_context_open(struct p2p__tls_context **out, const char *dir);
void p2p__tls_context_close(struct p2p__tls_context *context);

/* p2p__tls_open starts one end of a connection.  The context must outlive it.
 * NULL when no memory is left. */
NV_MUST_USE struct p2p__tls *p2p__tls_open(struct p2p__tls_context *context, bool dialler);
void p2p__tls_close(struct p2p__tls *tls);

/* p2p__tls_feed takes bytes that came from the socket.  NV_ERR_NO_MEMORY. */
NV_MUST_USE enum nv_err p2p__tls_feed(struct p2p__tls *tls, struct nv_view bytes);

/* p2p__tls_handshake goes on with the handshake.  NV_OK: done.  NV_ERR_BUSY: it
 * waits for more bytes.  NV_ERR_CRYPTO: it failed (an alert may wait to be
 * drained). */
NV_MUST_USE enum nv_err p2p__tls_handshake(struct p2p__tls *tls);

/* p2p__tls_exporter writes the exporter of a connection whose handshake is done. */
NV_MUST_USE enum nv_err p2p__tls_exporter(struct p2p__tls *tls, struct nv_hash *out);

/* p2p__tls_read reads at most `cap` bytes of plaintext; `*count` is 0 when there
 * is none for now.  NV_ERR_CLOSED after the other end's last; NV_ERR_CRYPTO when
 * what came is not TLS. */
NV_MUST_USE enum nv_err
p2p__tls_read(struct p2p__tls *tls, uint8_t *out, uint32_t cap, uint32_t *count);

/* p2p__tls_pending returns whether there may be something to read: to look costs
 * less than to read in vain. */
bool p2p__tls_pending(const struct p2p__tls *tls);

/* p2p__tls_write turns at most P2P__TLS_RECORD bytes into one record. */
NV_MUST_USE enum nv_err p2p__tls_write(struct p2p__tls *tls, struct nv_view plaintext);

/* p2p__tls_drain moves up to `cap` bytes that are to go to the socket to `out`, and
 * returns how many. */
uint32_t p2p__tls_drain(struct p2p__tls *tls, uint8_t *out, uint32_t cap);

#endif /* NV_P2P_TLS_H */
