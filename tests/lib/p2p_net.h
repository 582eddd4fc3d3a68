#ifndef NV_TESTS_LIB_P2P_NET_H
#define NV_TESTS_LIB_P2P_NET_H

/* p2p_net.h - a few p2p modules in one loop, over real loopback sockets.
 *
 * Nobody sleeps: the loop is run until a condition holds, with a bound that only
 * a broken test meets.  Ports are the system's choice. */

#include <stdbool.h>
#include <stdint.h>

#include "p2p/p2p.h"

struct uv_loop_s;

#define P2P_NET_MAX       8u
#define P2P_NET_BOUND_MS  60000u
#define P2P_NET_PEERS_MAX 400u

struct p2p_net;

struct p2p_net_node {
    struct p2p_net *net;
    uint32_t index;
    struct nv_seckey seckey;
    struct nv_pubkey key;
    struct p2p *p2p; /* NULL: not open */
    struct p2p_config config;
    uint8_t lanes[P2P_NET_MAX]; /* as on_peer told, by node */
    bool up[P2P_NET_MAX];       /* likewise */
    uint32_t ids[P2P_NET_MAX];  /* likewise, and of the last link; P2P_PEER_NONE before the first */
    uint64_t told;              /* calls of on_peer */
    uint64_t messages[P2P_LANES];
    uint64_t transactions;
    bool full; /* the inbox takes nothing */
    bool (*on_message)(struct p2p_net_node *node, uint32_t peer, const struct p2p_message *message);
    void (*on_transaction)(struct p2p_net_node *node, uint32_t peer, struct nv_view transaction);
    void *ctx; /* for these two */
};

struct p2p_net {
    struct uv_loop_s *loop;
    char dir[64];     /* with the TLS certificate that all share */
    uint32_t members; /* bit i: node i is to be a validator in the end */
    uint32_t count;
    struct nv_pubkey keys[P2P_NET_MAX];
    struct p2p_net_node nodes[P2P_NET_MAX];
};

/* p2p_net_make prepares `count` nodes, the first `validators` of them validators,
 * with short times; none is open.  Tests may change nodes[i].config before opening. */
void p2p_net_make(struct p2p_net *net, uint32_t count, uint32_t validators);

/* p2p_net_open opens a node on a free port of 127.0.0.1 (or, if it was open before,
 * on the port it had). */
void p2p_net_open(struct p2p_net *net, uint32_t index);

/* p2p_net_turn tells an open node that the validators are `members`, by bit. */
void p2p_net_turn(struct p2p_net *net, uint32_t index, uint32_t members);

/* p2p_net_dial makes `from` dial `to`, which is open. */
void p2p_net_dial(struct p2p_net *net, uint32_t from, uint32_t to);

/* p2p_net_mesh opens all nodes and makes each dial each. */
void p2p_net_mesh(struct p2p_net *net);

/* p2p_net_close closes a node and runs the loop until it is gone. */
void p2p_net_close(struct p2p_net *net, uint32_t index);

/* p2p_net_end closes what is open, checks that nothing is left in the loop, and
 * removes the certificate. */
void p2p_net_end(struct p2p_net *net);

/* p2p_net_until runs the loop until `holds` does, and fails the test when the bound
 * is met. */
typedef bool (*p2p_net_fn)(struct p2p_net *net, void *ctx);
void p2p_net_until(struct p2p_net *net, p2p_net_fn holds, void *ctx);

/* p2p_net_turns runs so many turns of the loop that wait for nothing. */
void p2p_net_turns(struct p2p_net *net, uint32_t turns);

/* p2p_net_linked returns whether every two open validators have both lanes and all
 * others lane 1, as told by on_peer; ctx is not used. */
bool p2p_net_linked(struct p2p_net *net, void *ctx);

/* p2p_net_settled returns whether in addition each lane has one connection: its two
 * ends agree on who dialled it.  Until then a lane may still change connections, and
 * what was sent on the one that goes is lost. */
bool p2p_net_settled(struct p2p_net *net, void *ctx);

/* p2p_net_totals returns a node's counters. */
struct p2p_totals p2p_net_totals(const struct p2p_net *net, uint32_t index);

#endif /* NV_TESTS_LIB_P2P_NET_H */
