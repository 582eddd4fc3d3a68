#ifndef NV_P2P_SOCKET_H
#define NV_P2P_SOCKET_H

/* socket.h - one TCP connection of the loop, as bytes in and bytes out.
 *
 * At most one write is under way; what the kernel does not take at once is kept
 * until it does.  The owner learns of everything through its events, and must
 * not be freed before `on_closed`.
 *
 * Loop thread only. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#include "p2p/admission.h"
#include "p2p/p2p.h"

struct sockaddr;
struct uv_loop_s;
struct uv_stream_s;
struct p2p__socket;

/* Bytes that one read brings at most. */
#define P2P__READ_SIZE 65536u

struct p2p__socket_events {
    void (*on_connected)(void *owner, bool good);
    void (*on_bytes)(void *owner, struct nv_view bytes); /* borrowed until the return */
    void (*on_ended)(void *owner);                       /* the other end, or an error */
    void (*on_written)(void *owner, bool good);          /* the write that was under way */
    void (*on_closed)(void *owner);                      /* the socket is freed */
};

/* p2p__socket_open makes an unconnected socket; `read_buffer` (P2P__READ_SIZE bytes,
 * shared by all sockets of the loop) and `events` are borrowed.  NULL when no
 * memory is left. */
NV_MUST_USE struct p2p__socket *p2p__socket_open(struct uv_loop_s *loop,
                                                 uint8_t *read_buffer,
                                                 const struct p2p__socket_events *events,
                                                 void *owner);

/* p2p__socket_close ends it; on_closed follows. */
void p2p__socket_close(struct p2p__socket *socket);

/* p2p__socket_connect starts connecting; on_connected follows if it is NV_OK. */
NV_MUST_USE enum nv_err
p2p__socket_connect(struct p2p__socket *socket, const struct sockaddr *address);

/* p2p__socket_accept takes the next connection of a listening stream. */
NV_MUST_USE enum nv_err p2p__socket_accept(struct p2p__socket *socket, struct uv_stream_s *server);

/* p2p__socket_read starts reading, p2p__socket_pause stops it. */
NV_MUST_USE enum nv_err p2p__socket_read(struct p2p__socket *socket);
void p2p__socket_pause(struct p2p__socket *socket);

/* p2p__socket_write writes all of `bytes`, keeping a copy of what must wait.  Not
 * while one is under way. */
NV_MUST_USE enum nv_err p2p__socket_write(struct p2p__socket *socket, struct nv_view bytes);

/* p2p__socket_writing returns whether a write is under way, p2p__socket_unsent how
 * many of its bytes the kernel has not taken. */
bool p2p__socket_writing(const struct p2p__socket *socket);
uint64_t p2p__socket_unsent(const struct p2p__socket *socket);

/* p2p__socket_remote writes the remote address as bytes and as text. */
void p2p__socket_remote(const struct p2p__socket *socket,
                        struct p2p__address *address,
                        char text[P2P_ADDRESS_SIZE]);

#endif /* NV_P2P_SOCKET_H */
