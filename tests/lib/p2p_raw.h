#ifndef NV_TESTS_LIB_P2P_RAW_H
#define NV_TESTS_LIB_P2P_RAW_H

/* p2p_raw.h - a client that stops, or misbehaves, at a chosen step of a connection.
 *
 * It is made of the module's own socket, TLS and handshake.  Of three validators node 0
 * is the one under test, node 1 an honest one, and node 2's key is the client's. */

#include <stdbool.h>
#include <stdint.h>

#include "p2p/handshake.h"
#include "tests/lib/p2p_net.h"

struct p2p__socket;
struct p2p__tls;

enum p2p_raw_step {
    P2P_RAW_SILENT,  /* connects and says nothing */
    P2P_RAW_HELLO,   /* begins TLS and stops */
    P2P_RAW_SECURED, /* finishes TLS and stops */
    P2P_RAW_AUTH,    /* sends AUTH and waits for the answer */
};

/* A client that goes as far as `until`, and then sends what the test says. */
struct p2p_raw {
    struct p2p_net *net;
    struct p2p__socket *socket; /* NULL: closed */
    struct p2p__tls *tls;
    struct p2p__handshake handshake;
    struct p2p__self self;
    struct nv_seckey seckey;
    enum p2p_raw_step until;
    enum p2p_raw_step reached;
    bool piecemeal;  /* sends byte by byte */
    bool open;       /* the node has answered AUTH with AUTH */
    uint8_t refused; /* the code of a REFUSE, 0 if none came */
    uint64_t pongs;
    uint8_t frame[4096];
    uint32_t have;
};

/* p2p_raw_begin prepares the three nodes, p2p_raw_end closes what is open.  One net at a time. */
void p2p_raw_begin(struct p2p_net *net);
void p2p_raw_end(struct p2p_net *net);

/* p2p_raw_link opens node 1 and links it with node 0, which is open.  p2p_raw_end_linked checks
 * that no stranger is left and that this link has lived through it all, and ends. */
void p2p_raw_link(struct p2p_net *net);
void p2p_raw_end_linked(struct p2p_net *net);

/* p2p_raw_open connects to node 0 as node `as`.  p2p_raw_hang_up closes the client's end, if the
 * node has not, and waits until it is gone. */
void p2p_raw_open(
    struct p2p_raw *raw, struct p2p_net *net, enum p2p_raw_step until, uint8_t lane, uint32_t as);
void p2p_raw_hang_up(struct p2p_raw *raw);

/* For p2p_net_until; ctx is the client.  It has gone as far as it goes; it is closed. */
bool p2p_raw_is_there(struct p2p_net *net, void *ctx);
bool p2p_raw_is_closed(struct p2p_net *net, void *ctx);

/* p2p_raw_write writes bytes as they are, p2p_raw_send within TLS, p2p_raw_auth the AUTH frame. */
void p2p_raw_write(struct p2p_raw *raw, struct nv_view bytes);
void p2p_raw_send(struct p2p_raw *raw, const void *bytes, uint32_t size);
void p2p_raw_auth(struct p2p_raw *raw);

/* p2p_raw_frame writes a frame, and returns its size. */
uint32_t p2p_raw_frame(uint8_t *out, uint8_t type, const void *payload, uint32_t size);

#endif /* NV_TESTS_LIB_P2P_RAW_H */
