#ifndef NV_P2P_P2P_H
#define NV_P2P_P2P_H

/* p2p.h - authenticated links between nodes, and the gossip of transactions.
 *
 * A node is known by its node key (BIP-340, x-only).  Between two validators
 * there are two TCP connections under TLS 1.3, one a lane, so that a body of
 * a megabyte never stands in front of a vote:
 *
 *     lane 0   votes, certificates, proposals, status     (validators only)
 *     lane 1   bodies, sync, transactions                 (everybody)
 *
 * A node that is not a validator attaches by lane 1 alone.  Who is one changes
 * (p2p_validators_set); links, and the numbers that peers have, stay.
 *
 * Validators tell where they can be dialled, and nodes pass it on, so that those dial
 * each other that no configuration has brought together.
 *
 * A peer is named by its id, which is its node key's as long as the peer has a
 * place: as long as it is a validator or linked.  The validators that
 * p2p_config names have their index there for an id, all others get one from
 * P2P_PEER_OTHER on; an id says nothing of who is a validator now.  One that was
 * given up comes again only when four thousand million others have been used.
 *
 * The module moves opaque payloads, each with a type; the table P2P_TYPES says
 * on which lanes a type may travel and how large it may be, and nothing larger is
 * ever allocated for.  Nothing that a peer sends is trusted, and nothing but its
 * own authentication frame is looked at, before that frame has been checked.
 *
 * Delivery is in order within a lane, at most once, and may fail at any time
 * (a full queue, a broken link): whoever sends must be able to send again.
 * Every queue is bounded by bytes and by count; memory does not grow with a
 * slow reader.  When a queue is full, lane 0 drops its oldest waiting frame
 * for the new one, lane 1 refuses the new one.
 *
 * Threads: every function is called on the thread of the loop, and every
 * callback comes on it.  Time is the loop's (monotonic).  p2p_open makes the
 * process ignore SIGPIPE, as writing to sockets through libuv demands.
 *
 * Bytes on the wire and rules: docs/spec/p2p.md.  Reading order inside: frame,
 * envelope, handshake, queue, backoff, address, budget, admission, gossip (plain
 * functions), then tls, session, peers, dial. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"

struct uv_loop_s;
struct p2p;

#define P2P_VALIDATORS_MAX  256u   /* the last and the present set together */
#define P2P_OBSERVERS_MAX   64u    /* upper bound of p2p_limits.observers_max */
#define P2P_HALF_OPEN_MAX   4096u  /* upper bound of p2p_limits.half_open_max */
#define P2P_DIALS_MAX       320u   /* nodes that this one may be told to dial */
#define P2P_PEERS_MAX       640u   /* nodes in p2p_peer_list: with a place, or dialled */
#define P2P_PEER_OTHER      65536u /* ids from here on: nodes that p2p_config does not name */
#define P2P_PEER_NONE       UINT32_MAX
#define P2P_TRANSACTION_MAX 65536u /* bytes of one transaction */
#define P2P_ADDRESS_SIZE    64u    /* "[ipv6]:port" and its NUL fit */

#define P2P_LANES  2u
#define P2P_LANE_0 0u
#define P2P_LANE_1 1u

/* P2P_TYPES lists the messages: number, name, lanes (bit 0: lane 0, bit 1:
 * lane 1), largest payload in bytes, and whether a newer one makes an older
 * one that still waits for the same peer worthless.  Numbers are wire format:
 * never renumbered or reused.  Below 16 are the module's own. */
#define P2P_TYPES(XX)                                                                              \
    XX(16, PROPOSAL, 1u, 98304u, false)                                                            \
    XX(17, VOTE, 1u, 160u, false)                                                                  \
    XX(18, CERT, 3u, 9216u, false)                                                                 \
    XX(19, STATUS, 3u, 256u, true)                                                                 \
    XX(20, EVIDENCE, 3u, 1024u, false)                                                             \
    XX(21, CERT_REQ, 3u, 1024u, false)                                                             \
    XX(22, CERT_RESP, 2u, 458752u, false)                                                          \
    XX(23, BODY_CHUNK, 3u, 66560u, false)                                                          \
    XX(24, BLOCK_REQ, 2u, 1024u, false)                                                            \
    XX(25, BLOCK_RESP, 2u, 262144u, false)                                                         \
    XX(26, EPOCH_REQ, 2u, 256u, false)                                                             \
    XX(27, EPOCH_RESP, 2u, 65536u, false)                                                          \
    XX(28, TRANSACTIONS, 2u, 131072u, false)                                                       \
    XX(29, BODY_REQ, 2u, 64u, false)                                                               \
    XX(32, SNAPSHOTS_REQ, 2u, 1u, false)                                                           \
    XX(33, SNAPSHOTS, 2u, 256u, false)                                                             \
    XX(34, PART_REQ, 2u, 16u, false)                                                               \
    XX(35, PART, 2u, 458752u, false)

enum p2p_type {
#define P2P_TYPE_ENUM(number, name, lanes, bytes_max, replaces) P2P_TYPE_##name = (number),
    P2P_TYPES(P2P_TYPE_ENUM)
#undef P2P_TYPE_ENUM
};

/* P2P_REASONS: why a link was refused or ended; the number travels in a refusal.
 * The text completes "link with PEER ended: ...". */
#define P2P_REASONS(XX)                                                                            \
    XX(1, VERSION, "it speaks another version of the protocol")                                    \
    XX(2, CHAIN, "it is on another chain")                                                         \
    XX(3, SIGNATURE, "its authentication is not signed by the key it names")                       \
    XX(4, KEY, "another key answers at this address than the one configured")                      \
    XX(5, SELF, "it is this very node")                                                            \
    XX(6, TWIN, "another running node uses this node's own key")                                   \
    XX(7, LANE, "lane 0 is for validators")                                                        \
    XX(8, DUPLICATE, "the two are linked already")                                                 \
    XX(9, BANNED, "it is banned for now")                                                          \
    XX(10, FULL, "no place for one more node")                                                     \
    XX(11, PROTOCOL, "it broke the protocol")                                                      \
    XX(12, TLS, "the TLS handshake failed")                                                        \
    XX(13, TIMEOUT, "it did not authenticate in time")                                             \
    XX(14, IDLE, "it fell silent")                                                                 \
    XX(15, STALLED, "it stopped reading")                                                          \
    XX(16, CLOSED, "it hung up")                                                                   \
    XX(17, UNREACHABLE, "it cannot be reached")                                                    \
    XX(18, STOPPING, "this node is stopping")

enum p2p_reason {
    P2P_REASON_NONE = 0,
#define P2P_REASON_ENUM(number, name, text) P2P_REASON_##name = (number),
    P2P_REASONS(P2P_REASON_ENUM)
#undef P2P_REASON_ENUM
};
#define P2P_REASON_COUNT 19u

/* One message.  The payload is borrowed for the length of the call. */
struct p2p_message {
    uint8_t lane;
    uint8_t type; /* enum p2p_type */
    struct nv_view payload;
};

/* How a peer is linked with this node. */
struct p2p_link {
    uint32_t peer;
    struct nv_pubkey key;
    uint8_t lanes; /* connected: bit i is lane i; 0 means that the peer is gone */
    bool up;       /* the lane that p2p_has_lane0 says is connected */
};

/* What the module tells its owner.  All three are called from the loop, never
 * from inside p2p_open; on_peer also from inside p2p_validators_set.  They may call
 * any function of this header, on_peer all but p2p_validators_set; a p2p_close takes
 * effect only afterwards.  They should copy and return. */
struct p2p_events {
    void *ctx;
    /* A message of an authenticated peer.  The payload is borrowed until the
     * return.  False means "my inbox is full": the lane of this peer stops
     * being read, and the same message comes again after p2p_resume.  A peer that
     * cannot write for its stall_ms ends the link, so resume well before. */
    bool (*on_message)(void *ctx, uint32_t peer, const struct p2p_message *message);
    /* A transaction that no peer has sent lately (P2P_TYPE_TRANSACTIONS never reaches
     * on_message).  Borrowed until the return.  False: it was not taken, and is
     * forgotten, so that another peer may bring it again. */
    bool (*on_transaction)(void *ctx, uint32_t peer, struct nv_view transaction);
    /* `lanes` or `up` has changed; or the lane to send by has while the link is up,
     * which is told as a link that goes down and comes up.  Borrowed until the return. */
    void (*on_peer)(void *ctx, const struct p2p_link *link);
};

/* Bounds.  A zero takes the default given at the right. */
struct p2p_limits {
    uint32_t observers_max; /* nodes that are not validators: 32 */
    uint32_t half_open_max; /* accepted, not yet authenticated: 64 strangers that wait for their
                               handshake, 64 in it, and as many of known addresses */
    uint32_t half_open_address_max;      /* the same from one address: 16; a new one is refused */
    uint32_t address_max;                /* accepted connections from one address: 256 */
    uint32_t handshakes_per_second;      /* begun with those that were accepted: 100 */
    uint32_t queue_bytes_max[P2P_LANES]; /* waiting for one peer: 1 MiB, 8 MiB */
    uint32_t queue_count_max[P2P_LANES]; /* frames waiting for one peer: 4096, 4096 */
    uint32_t gossip_bytes_max;           /* transactions kept for sending on: 8 MiB */
    uint32_t gossip_count_max;           /* the same, in number: 8192 */
    uint32_t seen_max;                   /* transactions remembered: 65536 */
    uint32_t tick_ms;                    /* grain of all times below: 100 */
    uint32_t handshake_ms;               /* connect to authenticated: 5000 */
    uint32_t ping_ms;                    /* keep-alive: 3000 */
    uint32_t idle_ms;                    /* silence that ends a link: 12000 */
    uint32_t stall_ms;                   /* a write without progress ends a link: 30000 */
    uint32_t backoff_first_ms;           /* reconnect: first pause 200 */
    uint32_t backoff_max_ms;             /* and longest: 10000 */
    uint32_t announce_ms;                /* known addresses are told to one peer: 60000 */
};

/* Everything is copied by p2p_open except `loop`, which is borrowed until the
 * close callback; the caller may wipe the key afterwards. */
struct p2p_config {
    struct uv_loop_s *loop;
    const char *listen;          /* "127.0.0.1:27656", "[::]:0" (any port); NULL: do not listen */
    const char *certificate_dir; /* where p2p_make_certificate wrote */
    const struct nv_seckey *node_key;
    struct nv_hash chain_id;
    const struct nv_pubkey *validators; /* node keys, as for p2p_validators_set */
    uint32_t validator_count;           /* <= P2P_VALIDATORS_MAX */
    const char *const *peers;           /* "hex of x-only key@host:port"; own one is skipped */
    uint32_t peer_count;                /* <= P2P_DIALS_MAX */
    const char
        *announce; /* "IP:PORT" where validators can dial it, or the next; NULL: tell nobody */
#define P2P_ANNOUNCE_LISTEN "listen" /* where it listens, unless that is every address */
    uint64_t announce_ms;            /* wall clock: of two announcements the later one counts */
    struct p2p_limits limits;
    struct p2p_events events;
};

/* p2p_make_certificate writes a new Ed25519 key and a self-signed certificate
 * into `dir` (p2p.key, mode 0600, and p2p.crt).  They only carry TLS: who a
 * node is, its node key says.  NV_ERR_EXISTS if there is one already. */
NV_MUST_USE enum nv_err p2p_make_certificate(const char *dir);

/* p2p_open binds, listens and starts dialling; it writes the new module to
 * `*out`, which p2p_close ends.  NV_ERR_CONFIG for a peer, key or address that
 * does not parse (logged with the text), NV_ERR_NOT_FOUND or NV_ERR_CORRUPT
 * for the certificate, NV_ERR_BUSY when the address is taken, NV_ERR_IO.  After an
 * error the loop still has to run once to give back what was begun. */
NV_MUST_USE enum nv_err p2p_open(struct p2p **out, const struct p2p_config *config);

/* p2p_close ends every link and calls `on_closed` from the loop when the last
 * handle is gone; the memory is free then.  No other callback comes after it
 * was called.  `on_closed` may be NULL. */
void p2p_close(struct p2p *p2p, void (*on_closed)(void *ctx), void *ctx);

/* p2p_listen_port returns the port that was bound, 0 if none. */
uint16_t p2p_listen_port(const struct p2p *p2p);

/* p2p_validators_set says who is a validator from now on, by node key, this node
 * included or not: the last and the present set.  A key that is given twice counts
 * once.  Who becomes a validator keeps its id, its lane 1 and its counters, and gets
 * lane 0; who ceases to be one keeps lane 1 while there is a place for one more
 * observer.  The same holds for all when this node becomes or ceases to be one.
 * Calls on_peer.  NV_ERR_TOO_LARGE beyond P2P_VALIDATORS_MAX: nothing has changed. */
NV_MUST_USE enum nv_err
p2p_validators_set(struct p2p *p2p, const struct nv_pubkey *node_keys, uint32_t count);

/* p2p_has_lane0 returns whether lane 0 is the one to send to `peer` by: the two are
 * validators, and lane 0 is there or not long overdue (docs/spec/p2p.md 9.5). */
bool p2p_has_lane0(const struct p2p *p2p, uint32_t peer);

enum p2p_sent {
    P2P_SENT_QUEUED = 1,
    P2P_SENT_DROPPED_OLDER, /* lane 0: queued, and an older frame was dropped for it */
    P2P_SENT_FULL,          /* not queued: no room (on lane 0: larger than what dropping frees) */
    P2P_SENT_DOWN,          /* not queued: that lane of that peer is not connected */
};

/* p2p_send queues a copy of `message` for `peer`.  It is written at the next
 * turn of the loop together with whatever else waits.  The type, the lane and
 * the size must agree with P2P_TYPES. */
enum p2p_sent p2p_send(struct p2p *p2p, uint32_t peer, const struct p2p_message *message);

/* p2p_send_each queues one copy of `message` for all of `peers`, and returns for how
 * many of them.  One of lane 0 goes by lane 1, if it may, to those with which lane 0
 * is not the one to send by. */
uint32_t p2p_send_each(struct p2p *p2p,
                       const uint32_t *peers,
                       uint32_t count,
                       const struct p2p_message *message);

/* p2p_gossip passes a transaction that this node has checked on to every peer
 * that has neither sent it nor been sent it, validators first, in batches.
 * `from` is the peer that it came from, or P2P_PEER_NONE: what a validator has
 * sent waits a little, for it has sent it to the others too.
 * Returns false if it was passed on before (lately enough to be remembered).
 * `transaction.size` is in [1, P2P_TRANSACTION_MAX].  Copies. */
bool p2p_gossip(struct p2p *p2p, uint32_t from, struct nv_view transaction);

/* p2p_resume delivers again to lanes that stopped because on_message returned
 * false.  Cheap when none did. */
void p2p_resume(struct p2p *p2p);

/* p2p_ban ends the links with `peer` and refuses its key for `ms`.  `why` is
 * for the log alone.  Unknown peers are ignored (it may just have left). */
void p2p_ban(struct p2p *p2p, uint32_t peer, uint32_t ms, const char *why);

/* p2p_add_peer starts dialling one more node, given as in p2p_config.peers.
 * NV_ERR_CONFIG if it does not parse, NV_ERR_EXISTS if it is dialled already,
 * NV_ERR_TOO_LARGE beyond P2P_DIALS_MAX. */
NV_MUST_USE enum nv_err p2p_add_peer(struct p2p *p2p, const char *peer);

struct p2p_lane_info {
    bool up;
    bool dialled;                                        /* by this node */
    uint64_t up_since_ms;                                /* of the loop's clock */
    uint64_t frames_in, frames_out, bytes_in, bytes_out; /* payload and envelope, before TLS */
    uint64_t frames_dropped;                             /* or refused because full */
    uint32_t queue_bytes, queue_count;
    uint32_t rtt_us; /* of the last ping; 0 before the first */
};

/* A node that is connected or dialled.  Counters last as long as the peer's place. */
struct p2p_peer_info {
    uint32_t peer; /* its id; P2P_PEER_NONE: a dialled node that has no place */
    struct nv_pubkey key;
    bool validator;
    uint8_t lanes;                  /* connected, by bit */
    uint16_t listen_port;           /* as it says itself; 0 if it does not listen */
    char address[P2P_ADDRESS_SIZE]; /* connected: the remote end; else as configured; may be "" */
    enum p2p_reason last_reason;    /* why the last link or attempt ended; NONE if none did */
    uint32_t attempts;              /* dials in vain since the last success */
    struct p2p_lane_info lane[P2P_LANES];
};

/* p2p_peer_list writes up to `max` peers to `out`, those with a place first, and of
 * them validators first, and returns how many; at most P2P_PEERS_MAX. */
uint32_t p2p_peer_list(const struct p2p *p2p, struct p2p_peer_info *out, uint32_t max);

struct p2p_totals {
    uint32_t peers_up, validators_up, half_open;
    uint32_t waiting; /* of half_open: handshake not begun */
    uint64_t accepted, dialled, authenticated;
    uint64_t refused_full;            /* connections cut unauthenticated: by address or in all */
    uint64_t handshakes;              /* begun with those that were accepted */
    uint64_t handshakes_waited;       /* of those, or of the cut, that had to wait for their turn */
    uint64_t ended[P2P_REASON_COUNT]; /* links and attempts by reason; TWIN > 0 is an alarm */
    uint64_t gossip_new, gossip_repeated, gossip_refused, gossip_sent, gossip_lost;
};

/* p2p_totals_get writes the counters since p2p_open. */
void p2p_totals_get(const struct p2p *p2p, struct p2p_totals *out);

/* p2p_reason_name ("chain") and p2p_reason_text (a sentence's end) never return NULL. */
const char *p2p_reason_name(enum p2p_reason reason);
const char *p2p_reason_text(enum p2p_reason reason);

/* p2p_type_max returns the largest payload of `type` on `lane`, 0 if it may not travel there. */
uint32_t p2p_type_max(uint8_t type, uint8_t lane);

#endif /* NV_P2P_P2P_H */
