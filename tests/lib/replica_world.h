#ifndef NV_TESTS_LIB_REPLICA_WORLD_H
#define NV_TESTS_LIB_REPLICA_WORLD_H

/* replica_world.h - a few real replicas in one thread, on a virtual clock.
 *
 * The network delays every message by a fixed time and loses those to or from
 * a node that is down. Each node's journal is the list of its batches in
 * memory; a sync takes a millisecond; a crash loses what was not synced.
 * Execution is a stub: the root after a block is a hash of the block's hash, so
 * equal roots mean equal chains. Jobs run at once, but for those of `slow`.
 *
 * Nobody pays fees, unless the world is opened with them: then only the accounts
 * of rw_account exist, and execution takes RW_FEE for every transaction. */

#include "node/replica/replica.h"
#include "vm/rows.h"

#define RW_NODES_MAX  7u
#define RW_LINK       500u /* plus a node's number: its links' id */
#define RW_CHOICES    8u
#define RW_BLOCKS_MAX 4096u
#define RW_ACCOUNTS   16u
#define RW_SESSIONS   64u
#define RW_FEE        INT64_C(100)
#define RW_PLACES     10000u /* in a mempool, for an account too */

struct rw_event;
struct rw_batch;

/* What a node has executed, by height. */
struct rw_executed {
    struct nv_hash hash;
    uint32_t tx_count;
    struct cs_header header;
    struct vm_consensus facts; /* without the list of offences */
};

/* The state after `height`, and above it, gives the next epoch these nodes. */
struct rw_choice {
    uint64_t height;
    uint32_t nodes; /* by bit */
};

/* What the block of a height does to a session key; no scopes: it takes it away. */
struct rw_session {
    uint64_t height;
    struct nv_row_key key;
    struct vm_session_row row;
};

struct rw_node {
    struct replica *replica; /* NULL while down */
    uint64_t life;           /* events of an earlier life are dropped */
    struct rw_batch *journal;
    struct rw_executed executed[RW_BLOCKS_MAX];
    uint64_t executed_height;
    uint64_t txs_executed;
    uint64_t timer_ns;
    uint64_t sent;   /* messages */
    bool told;       /* a set, in this life */
    uint64_t epochs; /* REPLICA_EPOCH came so often */
    uint64_t epoch;  /* as the newest said */
    uint32_t me;
    struct replica_set present;
    struct replica_set last;
    uint32_t bans;
    uint32_t halts;
    uint64_t verdicts[16]; /* by enum replica_refusal */
    int64_t cash[RW_ACCOUNTS];
    uint32_t unpaid; /* executed transactions that could not be paid for */
};

struct rw {
    uint32_t count;
    struct rw_node node[RW_NODES_MAX];
    struct nv_seckey secret[RW_NODES_MAX]; /* by node; in the order of their keys */
    struct nv_pubkey key[RW_NODES_MAX];
    struct cs_valset valset;
    struct nv_pubkey node_keys[RW_NODES_MAX]; /* of valset, by index */
    uint64_t epoch_ms;
    struct rw_choice choice[RW_CHOICES]; /* by height; the first is that of height 0 */
    uint32_t choice_count;
    struct nv_hash chain_id;
    struct rw_event *queue; /* ordered by time, then by insertion */
    uint64_t now_ns;
    uint64_t order;
    uint64_t delay_ns; /* of a message */
    uint8_t *scratch;
    bool fees;
    uint32_t blind; /* the node that looks neither at fees nor at keys; CS_NOBODY: none */
    uint32_t slow;  /* the node whose jobs on bodies take `slow_ns`; CS_NOBODY: none */
    uint64_t slow_ns;
    uint32_t starved; /* how many jobs of `slow` that decode a body find no memory */
    struct nv_address account[RW_ACCOUNTS];
    uint32_t account_count;
    struct rw_session session[RW_SESSIONS];
    uint32_t session_count;
};

void rw_open(struct rw *w, uint32_t count);

/* rw_open_fees opens a world with fees, of which one node may know nothing. */
void rw_open_fees(struct rw *w, uint32_t count, uint32_t blind);

/* rw_open_epochs opens a world in which some of the nodes, by bit, validate at first
 * and epochs last `epoch_ms` at least. */
void rw_open_epochs(struct rw *w, uint32_t count, uint32_t nodes, uint64_t epoch_ms);

/* rw_choose says who validates by the state after a height that nobody has executed. */
void rw_choose(struct rw *w, uint64_t height, uint32_t nodes);

/* replica_sets.c, for the world: keys in ascending order; the set of some nodes; what
 * the state after a height gives; and what executing it tells, with the set when that
 * is another one, or the first that the node is told (in `room`). */
void rw_keys(struct rw *w);
void rw_set_of(const struct rw *w, struct replica_set *out, uint32_t nodes);
const struct rw_choice *rw_choice_at(const struct rw *w, uint64_t height);
struct replica_outcome
rw_outcome(const struct rw *w, struct rw_node *n, uint64_t height, struct replica_set *room);

/* rw_index returns a node's index in a set, or CS_VALIDATORS_MAX. */
uint32_t rw_index(const struct rw *w, const struct replica_set *set, uint32_t node);
struct nv_pubkey rw_node_key(uint32_t node);

/* rw_account opens the account of rw_tx with this salt, before any block. */
void rw_account(struct rw *w, uint64_t salt, int64_t cash);

/* rw_session lets the block of a height that nobody has executed give the account of
 * `salt` the key of `by` as a session key, or take it away (no scopes). */
void rw_session(
    struct rw *w, uint64_t height, uint64_t salt, uint64_t by, uint32_t scopes, uint64_t life_ms);

/* rw_tx_by makes a cancel of the account of `salt` that the key of `by` signs. */
uint32_t rw_tx_by(struct rw *w, uint8_t *out, uint64_t salt, uint64_t other, uint64_t by);

/* rw_tx_of makes another transaction of the account of `salt`. */
uint32_t rw_tx_of(struct rw *w, uint8_t *out, uint64_t salt, uint64_t other);

void rw_close(struct rw *w);

/* rw_run goes on until every node that is up has executed `height`, or
 * `limit_ms` of virtual time have passed; false then. */
bool rw_run(struct rw *w, uint64_t height, uint64_t limit_ms);

/* rw_epoch goes on until every node that is up is in an epoch. */
bool rw_epoch(struct rw *w, uint64_t epoch, uint64_t limit_ms);

/* rw_pass lets virtual time pass. */
void rw_pass(struct rw *w, uint64_t ms);

void rw_crash(struct rw *w, uint32_t node);
void rw_revive(struct rw *w, uint32_t node);

/* rw_tx makes the bytes of a small transaction of a throw-away account that
 * expires 30 s from now; `size_hint` closes in a keeper's plan make it larger. */
uint32_t rw_tx(struct rw *w, uint8_t *out, uint64_t salt, uint32_t closes);
void rw_submit(struct rw *w, uint32_t node, const uint8_t *bytes, uint32_t size);

/* rw_same fails unless all nodes that are up executed the same blocks. */
void rw_same(const struct rw *w);

#endif /* NV_TESTS_LIB_REPLICA_WORLD_H */
