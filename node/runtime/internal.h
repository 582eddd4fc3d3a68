#ifndef NV_NODE_RUNTIME_INTERNAL_H
#define NV_NODE_RUNTIME_INTERNAL_H

/* internal.h - the parts of a running node, for the files of this folder.
 *
 *     runtime.c     the loop: callbacks, the tick, the end
 *     open.c        the parts in their order, and back
 *     join.c        the state of a recent height from peers
 *     operations.c  performs the replica's operations
 *     executed.c    what a block has yielded, to all that wait for it
 *     state.c       the state out of journal and database
 *     disk.c        performs the store's orders, and what it means when they fail
 *     snapshot.c    snapshots for those who join
 *     rpc.c         what the RPC server asks
 *     status.c      how the node is
 *     peers.c       peers <-> inboxes, messages
 *     inboxes.c     the inboxes, one a lane
 *     trust.c       whom a joiner believes, from epoch to epoch
 *     home.c        lock, genesis, keys, journal, database
 *     signals.c     SIGINT and SIGTERM
 *     stop.c        the wish to end, and why
 *     clock.c       the two clocks
 *
 * Each calls those below it alone. */

#include <uv.h>

#include "node/execution/checkpointer.h"
#include "node/execution/executor.h"
#include "node/execution/machine.h"
#include "node/execution/result.h"
#include "node/home/config.h"
#include "node/home/fault.h"
#include "node/home/genesis.h"
#include "node/home/keys.h"
#include "node/journal/blocks.h"
#include "node/journal/thread.h"
#include "node/mail/inbox.h"
#include "node/replica/outbox.h"
#include "node/replica/replica.h"
#include "node/store/start.h"
#include "node/store/store.h"
#include "p2p/p2p.h"
#include "rpc/rpc.h"
#include "storage/epochs.h"
#include "storage/snapshot.h"
#include "storage/storage.h"

struct sync;
struct sync_config;
struct node_sharing;

/* What may wait in an inbox, and how it is drained: the first before the
 * second before the third. */
enum node_lane {
    NODE_LANE_VOTES = 0, /* what decides, and links */
    NODE_LANE_BULK,      /* bodies, blocks */
    NODE_LANE_TXS,       /* transactions of peers and clients */
    NODE_LANES,
};

/* Kinds of items in the inboxes. */
enum node_item {
    NODE_ITEM_MESSAGE = 1, /* peer, type */
    NODE_ITEM_LINK,        /* peer; type: 1 up, 0 down; bytes: its node key */
    NODE_ITEM_TX,          /* peer, ticket */
};

#define NODE_JOBS_PENDING_MAX 4096u /* jobs that wait for a worker */

/* What a home holds once it is open (home.c). */
struct node_home {
    char data[ST_PATH_MAX];
    char journal_dir[ST_PATH_MAX];
    char state_dir[ST_PATH_MAX];
    char snapshots_dir[ST_PATH_MAX];
    struct st_file lock;
    bool locked;
    struct node_genesis genesis;
    bool has_genesis;
    struct cs_valset valset;
    struct node_key *validator; /* in locked memory; NULL: no such file */
    struct node_key *node;
    uint32_t me;           /* own index in the genesis, or CS_NOBODY */
    uint32_t segment_size; /* of a new journal; 0: as the configuration says */
    struct st_journal_options journal_options;
    struct st_journal *journal;
    bool journal_new;          /* made just now, or without a record */
    bool sits_out;             /* --sit-out: the key is bound to this journal anew */
    uint64_t sit_out_until_ms; /* as consensus has it */
    struct st_db *db;
    struct node_chain chain; /* as the journal's first record says */
};

/* A worker's job under way. */
struct node_work {
    uv_work_t request;
    struct node *node;
    struct replica_job *job;
    struct node_work *next; /* unused ones */
};

#define NODE_WORKERS_MAX   64u
#define NODE_EXECUTING_MAX 1024u

struct node {
    struct node_config *config;
    struct node_fault *fault;
    struct node_home home;

    uv_loop_t loop;
    uv_async_t wake;
    uv_check_t check; /* the tick, behind every poll */
    uv_idle_t spin;   /* active while a tick has left something */
    uv_timer_t timer; /* the replica's */
    uv_timer_t beat;
    uv_signal_t sigint, sigterm;
    uint64_t timer_ns; /* when the replica's timer is to be called */
    bool timer_due;
    bool beat_due;

    struct node_mailbox mail;
    struct node_inbox inbox[NODE_LANES];
    bool held_back; /* a lane of p2p waits for p2p_resume */

    struct replica *replica;
    struct replica_job *pending[NODE_JOBS_PENDING_MAX]; /* a ring */
    uint32_t pending_first, pending_count;
    struct node_work work[NODE_WORKERS_MAX];
    struct node_work *free_work;
    uint32_t work_count; /* under way */
    struct replica_job *done[NODE_WORKERS_MAX];
    uint32_t done_count;
    uint32_t light_left; /* weight of the jobs that this tick may still do itself */

    struct node_machine *machine;
    struct node_executor *executor;
    struct node_blocks *blocks;
    struct node_journal_thread *journal;
    struct node_checkpointer *checkpointer;

    struct node_store store;
    struct node_batch *appended; /* at once, and not taken back yet */

    struct p2p *p2p;
    struct rpc *rpc;
    uint64_t target_height; /* the highest final one heard of */
    struct rpc_head head;   /* executed */
    uint64_t head_at_ns;    /* when it came */
    uint64_t started_ns;
    uint64_t rate_height; /* a second ago */
    uint64_t rate_at_ns;
    uint32_t rate;

    uint64_t disk_used, disk_free, disk_at_ns; /* and when they were measured */

    /* counters for metrics */
    uint64_t messages_in, jobs_run, syncs, sync_ns, checkpoints, txs_executed;

    const struct replica_block *executing[NODE_EXECUTING_MAX]; /* lent; for tx_get */
    uint32_t executing_count;

    struct sync *sync;                    /* while it joins */
    uint8_t epoch_end[ST_EPOCH_SIZE_MAX]; /* read last, while it joins */
    struct node_sharing *sharing;         /* afterwards */
    bool rejoin;  /* before it runs, it fetches a snapshot, because its peers ... */
    bool rejoins; /* ... did not hold the blocks it needs: it ends and begins anew */

    bool stopping;
    uint64_t stopping_ns;
    bool parts_closed; /* p2p and rpc were told to close */
    uint32_t closing;  /* how many of the two have not yet */
    bool ended;
    int code;
};

/* home.c */
NV_MUST_USE bool
node_home_open(struct node_home *home, struct node_config *config, struct node_fault *fault);
/* node_home_may_vote returns whether some epoch may have the vote key of this home: on
 * a chain whose first epoch never ends, only one that the genesis has. */
bool node_home_may_vote(const struct node_home *home);
/* node_home_read reads genesis and keys alone. */
NV_MUST_USE bool
node_home_read(struct node_home *home, struct node_config *config, struct node_fault *fault);
void node_home_close(struct node_home *home);
/* node_home_joining returns whether a snapshot is being fetched or taken over:
 * then its rows may be there before the journal. */
bool node_home_joining(const struct node_home *home);
/* node_home_leave writes the journal's last record, of an end in order. */
void node_home_leave(struct node_home *home, struct node_batch *batch);
/* node_home_guard lets the vote key sign with this journal, or not; `member`: it is of the
 * genesis's set, or of the present one. */
NV_MUST_USE bool node_home_guard(struct node_home *home,
                                 const struct node_found *found,
                                 bool member,
                                 struct node_fault *fault);
/* node_home_engage binds the vote key to this journal, unless it has a bond, before it votes
 * for the first time. */
NV_MUST_USE bool node_home_engage(struct node_home *home, struct node_fault *fault);
/* node_home_bind binds the vote key, if there is one, to this journal, which is about to
 * take over a base of a block of this time: it sits out until an epoch begins late enough
 * after now, and after the base. */
NV_MUST_USE bool node_home_bind(struct node_home *home, uint64_t base_ms, struct node_fault *fault);

/* join.c: fetches a snapshot when one is wanted. */
NV_MUST_USE bool node_join(struct node *n);
/* node_join_hint looks whether a message says that it can only go on so. */
void node_join_hint(struct node *n, const struct node_inbox_item *item);

/* trust.c */
/* node_trust fills in what is believed, and where ends of epochs are kept. */
NV_MUST_USE bool node_trust(struct node *n, struct sync_config *config);
/* node_trust_expired says that it is too old; it returns false. */
bool node_trust_expired(struct node *n);

/* snapshot.c */
NV_MUST_USE bool node_sharing_open(struct node *n);
void node_sharing_stop(struct node *n); /* its mail is in the mailbox then */
void node_sharing_close(struct node *n);
struct st_snapshots node_snapshots(struct node *n);
/* node_sharing_wants says whether the rows of the checkpoint of a height are to
 * be copied; node_sharing_copied takes the copy. */
bool node_sharing_wants(const struct node *n, uint64_t height);
void node_sharing_copied(struct node *n, struct st_state *rows);
/* node_sharing_job takes a job that is back if it is its own. */
bool node_sharing_job(struct node *n, struct rpc_job *job);
void node_sharing_made(struct node *n, struct node_mail *mail);
void node_sharing_beat(struct node *n);
bool node_sharing_quiet(const struct node *n);
void node_sharing_message(struct node *n, const struct node_inbox_item *item);
void node_sync_send(struct node *n, uint32_t peer, uint8_t type, struct nv_view bytes);

/* state.c */
/* node_state_open makes the machine, empty. */
NV_MUST_USE bool node_state_open(struct node *n);
/* node_state_load fills it; node_state_replay brings it, index and replica to the present. */
NV_MUST_USE bool node_state_load(struct node *n);
NV_MUST_USE bool node_state_replay(struct node *n);
/* node_found_journal notes in a new journal which chain it is of. */
NV_MUST_USE bool node_found_journal(struct node *n);
/* node_note_base notes in the journal that a snapshot was taken over. */
NV_MUST_USE enum nv_err node_note_base(struct node *n, const struct node_base *base);

/* inboxes.c */
NV_MUST_USE enum nv_err node_inboxes_open(struct node *n);
void node_inboxes_clear(struct node *n);
void node_inboxes_close(struct node *n);

/* open.c */
NV_MUST_USE bool node_open(struct node *n);
/* node_recover is the part of node_open that goes from the files of a home to
 * the present, without threads and sockets. */
NV_MUST_USE bool node_recover(struct node *n);
void node_abandon(struct node *n); /* after a failed opening, before the loop runs out */
void node_close_parts(struct node *n);

/* clock.c */
struct replica_time node_now(void);

/* stop.c */
/* node_stop wants the node to end; the first code that is not 0 stays. */
void node_stop(struct node *n, int code);
/* node_fail tells why in the fault, and ends it. */
void node_fail(struct node *n, enum node_exit code, const char *hint, const char *what);
/* node_not_opened tells in the fault what could not be opened; always false. */
bool node_not_opened(struct node *n, const char *what, enum nv_err err);

/* signals.c */
void node_watch_signals(struct node *n);

/* executed.c */
void node_executed(struct node *n, struct node_result *result); /* takes it over */

/* operations.c */
void node_perform(struct node *n);
/* node_set_timer makes timer_due true at timer_ns, or a little before: the
 * loop's clock is coarse. */
void node_set_timer(struct node *n);
void node_workers_fill(struct node *n);

/* disk.c */
struct node_store_port node_disk_port(struct node *n);
void node_disk_batch(struct node *n, uint64_t now_ns, struct nv_view records);
void node_disk_back(struct node *n, struct node_batch *batch);
void node_disk_frozen(struct node *n, struct node_checkpoint *checkpoint);
void node_disk_written(struct node *n, struct node_checkpoint *checkpoint);
void node_disk_beat(struct node *n, uint64_t now_ns);

/* peers.c */
NV_MUST_USE bool node_p2p_open(struct node *n);
void node_p2p_send(struct node *n, const struct replica_op *op);
/* node_p2p_ban refuses a peer for as long as p2p.ban_ms says; `why` is for the log. */
void node_p2p_ban(struct node *n, uint32_t peer, const char *why);
/* node_p2p_epoch keeps links to the validators of REPLICA_EPOCH. */
void node_p2p_epoch(struct node *n, const struct replica_op *op);

/* rpc.c */
NV_MUST_USE bool node_rpc_open(struct node *n);
NV_MUST_USE bool node_rpc_listen(struct node *n, const struct rpc_port *port);
uint32_t node_rpc_full(void); /* the code of a refusal for want of room */
void node_rpc_verdict(struct node *n, const struct replica_op *op);
void node_rpc_dropped(struct node *n, const struct nv_hash *tx_hash);
void node_rpc_executed(struct node *n, const struct node_result *result);
void node_rpc_trace(struct node *n, const struct replica_op *op);
void node_rpc_page(struct node *n, struct node_page *page);

/* status.c: functions of struct rpc_port; `ctx` is the node. */
void node_rpc_status(void *ctx, struct rpc_status *out);
uint32_t node_rpc_peers(void *ctx, struct rpc_peer *out, uint32_t cap);
uint32_t node_rpc_validators(void *ctx, struct rpc_validator *out, uint32_t cap);
uint32_t node_rpc_metrics(void *ctx, struct rpc_metric *out, uint32_t cap);

#endif /* NV_NODE_RUNTIME_INTERNAL_H */
