#ifndef NV_TESTS_SIM_NODE_NODESIM_H
#define NV_TESTS_SIM_NODE_NODESIM_H

/* nodesim.h - whole nodes in one thread, under one seed.
 *
 * A host is what a daemon is without threads and sockets: the real replica
 * (consensus, mempool, bodies, fees), the real VM and tree, the real journal,
 * index and store, the daemon's own way back at a start.  Modelled are what
 * lies outside: time, the network, the disk below the journal (tests/lib/
 * disk_model.h), the database by its contract, clients, and validators that
 * lie.  The same seed gives the same run, event by event.
 *
 * A run has four phases: safety (everything fails), heal, liveness (what was
 * promised must happen), audit (the chain is executed again from genesis).
 *
 *     conf.h      the options of a seed, lies, kinds of faults
 *     world.c     time, events, phases
 *     queue.c     events by time
 *     memory.c    what each host takes
 *     lack.c      hosts that have no memory left
 *     keys.c      the keys of validators and accounts
 *     genesis.c   the chain's beginning
 *     host.c      what a node's loop does: operations, batches, execution
 *     life.c      start, crash, restart
 *     folder.c    a folder of snapshots
 *     share.c     snapshots that are made, and given to those who ask
 *     join.c      a host that begins with one
 *     db.c        the database: the contract of st_db_*
 *     net.c       delay, loss, partitions, gossip
 *     liar.c      validators that lie
 *     work.c      clients, reporters, keepers
 *     stake.c     who bonds, delegates and takes stake back
 *     check_*.c   what must hold */

#include <stdbool.h>
#include <stdint.h>

#include "node/store/start.h"
#include "node/sync/sync.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/nv_test.h"
#include "tests/sim/node/conf.h"
#include "tests/sim/node/keys.h"
#include "tests/sim/node/queue.h"

#define NS_VALIDATORS_MAX 7u
#define NS_HOSTS_MAX      12u /* validators, candidates, twins, a newcomer */
#define NS_HEIGHTS_MAX    4096u
#define NS_EPOCHS_MAX     128u
#define NS_EPOCH_VIEWS    2048u /* in one epoch; in one that never ends, in all */
#define NS_VIEWS_MAX      (NS_EPOCHS_MAX * NS_EPOCH_VIEWS)
#define NS_TXS_MAX        8192u
#define NS_PLACES         64u /* of one account in a mempool */
#define NS_JOBS_MAX       4096u
#define NS_MS             UINT64_C(1000000)
#define NS_NEVER          UINT64_MAX
#define NS_START_MS       UINT64_C(1760000000000)

/* ---- the genesis ---- */

struct ns;

#define NS_STAKE   INT64_C(1000000000) /* of a validator, at the beginning */
#define NS_MARKETS 3u
#define NS_FEEDS   2u
extern const struct node_machine_limits ns_limits;
/* ns_genesis_make makes the genesis of a seed, ns_genesis returns it. */
void ns_genesis_make(const struct ns *ns);
const struct node_genesis *ns_genesis(void);

/* ---- memory ---- */

#define NS_RESERVED_MAX 1024u

struct ns_piece;
struct ns_reserved {
    void *memory;
    size_t size;
};

/* What one host has taken. */
struct ns_memory {
    struct ns_piece *first;
    uint64_t allocated;
    struct ns_reserved reserved[NS_RESERVED_MAX];
    uint32_t count;
};

/* ns_memory_of makes a host the one who takes memory; NULL: nobody.
 * ns_memory_sweep gives all of it back. */
void ns_memory_of(struct ns_memory *memory);
void ns_memory_sweep(struct ns_memory *memory);

/* ---- hosts ---- */

struct ns_folder;
struct ns_share;

#define NS_SEGMENTS_MAX 512u

/* The records of a segment of the journal that are durable. */
struct ns_segment {
    uint64_t records;
    uint64_t trace;
};

struct ns_votes {
    bool has[4]; /* by enum cs_vote_kind */
    struct nv_hash hash[4];
};

struct ns;

struct ns_host {
    struct ns *ns;
    uint32_t id;
    uint32_t key; /* number of its vote key, or CS_NOBODY */
    bool honest;
    bool up;
    bool gone; /* never restarts */
    uint32_t life;
    int64_t skew_ms;
    char dir[16];

    /* on its disk */
    struct disk *disk;
    struct st_files files;
    struct disk *old_disk; /* an earlier copy, for who forgets */
    struct ns_db *rows;
    struct ns_folder *folder;
    bool joins;                /* it has lost all but its key, or never had more */
    uint64_t sit_out_until_ms; /* stands in its key's file */
    bool back;                 /* it has signed again */

    uint32_t lists; /* whom it has lane 0 with, by key number, as REPLICA_EPOCH said */

    /* while it is up */
    struct ns_memory memory;
    struct node_fault fault;
    struct st_journal_options options;
    struct st_journal *journal;
    struct node_chain chain;
    bool partial; /* its journal is not the whole chain's */
    struct st_db *db;
    struct sync *sync; /* while it joins; then there is no machine yet, ... */
    struct st_files snapshot_files;
    struct st_snapshots snapshots;
    struct ns_share *share;
    struct node_machine *machine;
    struct node_blocks *blocks;
    struct replica *replica;
    struct node_store store;
    struct rpc_head head;
    uint64_t timer_ns;
    struct node_batch *batch[2]; /* for the disk; the first is being written */
    uint32_t batch_count;
    const struct replica_block *block[8192]; /* to execute, a ring; empty ones pile up */
    uint32_t block_first, block_count;
    struct replica_job *job[NS_JOBS_MAX];
    uint32_t job_free[NS_JOBS_MAX];
    uint32_t job_free_count;
    struct node_checkpoint checkpoint;
    bool frozen;
    bool writing;
    uint64_t banned_until_ns[NS_HOSTS_MAX];

    /* what it has promised, kept by the checkers */
    uint64_t kept_height;                     /* executed, and its record is durable */
    struct ns_segment acked[NS_SEGMENTS_MAX]; /* by number */
    uint32_t dropped;                         /* segments below it may be gone */
    struct ns_votes *durable;                 /* by ns_vote_place */
};

/* ---- transactions ---- */

struct ns_tx {
    struct nv_hash hash;
    uint64_t expires_ms;
    uint16_t came;                /* hosts that it came to, since they started */
    uint16_t known[NS_HOSTS_MAX]; /* by host: peers that have it, as far as it knows */
    bool good;                    /* it must be included */
    bool forged;                  /* a stranger signed it in another's name */
    bool owed;                    /* an honest node has taken it while that is measured */
    uint32_t next;                /* in its bucket, 1 + index */
    uint64_t owed_epoch;          /* 0: not known yet */
    uint64_t owed_view;
    uint64_t height; /* of its block; 0: none */
    struct ns_bytes *bytes;
};

/* ---- the chain as all must see it ---- */

struct ns_seen {
    bool given;
    bool executed;
    struct nv_hash hash;
    struct nv_hash root;
    struct nv_hash yield; /* of receipts and events */
    uint64_t given_ns;
};

/* What is known of a validator's stake. */
struct ns_stake {
    uint64_t slashed_height; /* 0: it was not */
    uint64_t accused_ns;     /* an honest node found evidence while nothing failed; 0: none */
};

struct ns {
    uint64_t seed;
    struct ns_conf conf;
    struct nv_test_rng rng;
    uint64_t now_ns;
    uint64_t gaps_ns;     /* of it, in which everybody was off, ... */
    uint64_t waits_ns;    /* ... and in which somebody who joins was waited for */
    uint32_t votes_twice; /* votes sent that conflict with the liar's own */
    uint64_t trace;
    uint64_t events;
    bool print;
    void (*last_words)(void); /* of the simulator, before an assertion ends it */
    bool failed;
    char why[512];
    struct ns_queue queue;

    uint32_t validators;
    uint32_t host_count;
    uint32_t newcomer;  /* host that joins when all is well */
    uint32_t archivist; /* the one that keeps the whole chain */
    struct ns_host host[NS_HOSTS_MAX];
    struct cs_valset valset;
    struct nv_pubkey node_keys[NS_VALIDATORS_MAX]; /* of valset, by index */
    bool cut[NS_HOSTS_MAX][NS_HOSTS_MAX];          /* from, to */
    bool link[NS_HOSTS_MAX][NS_HOSTS_MAX];
    bool healed;
    bool measured;

    struct ns_seen seen[NS_HEIGHTS_MAX];
    uint64_t height;                    /* greatest given by an honest host */
    struct ns_votes *votes[NS_SIGNERS]; /* of honest validators, by key number and ns_vote_place */
    uint64_t height_then[NS_HOSTS_MAX];

    struct ns_tx *tx;
    uint32_t tx_count;
    uint32_t tx_bucket[4096];
    uint32_t owed_first; /* transactions before it are settled */
    uint64_t included;
    uint64_t began_ms[NS_EPOCHS_MAX + 2u]; /* time of the block on which an epoch stands */
    uint64_t price[NS_FEEDS];
    uint64_t salt;

    struct ns_stake stake[NS_SIGNERS]; /* by key number */
    uint64_t epoch;                    /* the newest in force, and ... */
    uint32_t members;                  /* ... who is of its set, by key number */
    uint64_t sets;                     /* that had other members than the one before */

    uint64_t faults[NS_FAULT_KINDS];
};

/* world.c */
uint64_t ns_between(struct ns *ns, uint64_t low, uint64_t high);
bool ns_chance(struct ns *ns, uint64_t ppm);
void ns_fail(struct ns *ns, const char *format, ...) __attribute__((format(printf, 2, 3)));
void ns_trace(struct ns *ns, uint32_t host, const char *what, uint64_t a, uint64_t b);
void ns_fault(struct ns *ns, enum ns_fault fault);
struct ns_item *ns_push(struct ns *ns, uint64_t after_ns, enum ns_kind kind, uint32_t host);
uint64_t ns_wall_ms(const struct ns *ns);
/* ns_run runs a seed with its own options but for those in `changes`, and
 * returns the hash of its trace. */
uint64_t ns_run(struct ns *ns, uint64_t seed, char *const *changes, uint32_t change_count);

/* ns_runs returns whether a host is up and has a state. */
bool ns_runs(const struct ns_host *host);

/* host.c */
void ns_host_ban(struct ns *ns, struct ns_host *host, uint32_t link);
struct replica_time ns_host_time(const struct ns *ns, const struct ns_host *host);
struct node_store_port ns_host_port(struct ns_host *host);
/* ns_host_write writes the checkpoint under way. */
enum nv_err ns_host_write(struct ns_host *host);
void ns_host_event(struct ns *ns, struct ns_host *host, const struct ns_item *item);
void ns_host_pump(struct ns *ns, struct ns_host *host);

/* lack.c: ns_host_event, while an allocation fails */
void ns_lack(struct ns *ns, struct ns_host *host, const struct ns_item *item);

/* life.c */
void ns_host_start(struct ns *ns, struct ns_host *host);
void ns_host_crash(struct ns *ns, struct ns_host *host);
/* ns_host_sweep does it to one that has died of an assertion. */
void ns_host_sweep(struct ns *ns, struct ns_host *host);
void ns_host_free(struct ns_host *host);
/* ns_host_found opens the journal of a host that joins, and founds one that is new:
 * what `start` is about, until ns_host_unfound. */
bool ns_host_found(struct ns *ns, struct ns_host *host, struct node_start *start, bool *is_new);
void ns_host_unfound(struct ns_host *host);
/* ns_host_copy opens a node on a copy of another's journal, without its database,
 * and does not start it; ns_host_drop ends it. */
struct ns_host *ns_host_copy(struct ns *ns, const struct ns_host *host);
void ns_host_drop(struct ns_host *host);

/* folder.c */
struct ns_folder *ns_folder_new(void);
void ns_folder_free(struct ns_folder *folder);
void ns_folder_wipe(struct ns_folder *folder);
struct st_files ns_folder_port(struct ns_folder *folder);

/* share.c */
void ns_share_open(struct ns_host *host);
void ns_share_close(struct ns_host *host); /* what it holds of the heap */
void ns_share_free(struct ns_host *host);
/* ns_share_wants returns whether the checkpoint of a height is to become a snapshot;
 * ns_share_copy takes the database's rows for it. */
bool ns_share_wants(const struct ns_host *host, uint64_t height);
void ns_share_copy(struct ns_host *host);
void ns_share_beat(struct ns *ns, struct ns_host *host);
void ns_share_message(struct ns *ns, struct ns_host *host, const struct ns_item *item);

/* join.c */
void ns_join_start(struct ns *ns, struct ns_host *host);
void ns_join_stop(struct ns_host *host);
void ns_join_event(struct ns *ns, struct ns_host *host, const struct ns_item *item);
/* ns_join_lose takes away all that a host has but its key. */
void ns_join_lose(struct ns *ns, struct ns_host *host);

/* db.c */
struct ns_db *ns_db_new(void);
void ns_db_free(struct ns_db *rows);
void ns_db_wipe(struct ns_db *rows);
/* ns_db_rot flips a bit; false when there is none. */
bool ns_db_rot(struct ns_db *rows, struct nv_test_rng *rng);
/* ns_db_open is st_db_open; st_db_close ends it. */
struct st_db *ns_db_open(struct ns_db *rows);

/* net.c */
void ns_net_send(
    struct ns *ns, struct ns_host *from, uint32_t id, uint8_t type, struct nv_view bytes);
void ns_net_post(
    struct ns *ns, struct ns_host *from, struct ns_host *to, uint8_t type, struct ns_bytes *bytes);
void ns_net_gossip(struct ns *ns, struct ns_host *from, struct nv_view bytes);
/* ns_net_came notes who brought a transaction, and returns whether it had come
 * before. */
bool ns_net_came(struct ns *ns, struct ns_host *host, const struct ns_item *item);
/* ns_net_id is the id of links to a host: twins share it, as they share the key. */
uint32_t ns_net_id(const struct ns_host *host);
struct nv_pubkey ns_net_node_key(const struct ns_host *host);
/* ns_net_epoch notes with whom a host has lane 0 now. */
void ns_net_epoch(struct ns_host *host, const struct replica_op *op);
void ns_net_links(struct ns *ns, struct ns_host *host, bool up);
void ns_net_cut(struct ns *ns);
void ns_net_reset(struct ns *ns);
void ns_net_heal(struct ns *ns);

/* liar.c */
void ns_lie_send(
    struct ns *ns, struct ns_host *from, struct ns_host *to, uint8_t type, struct nv_view bytes);

/* work.c */
void ns_work_start(struct ns *ns);
void ns_work(struct ns *ns);
struct ns_tx *ns_tx_find(struct ns *ns, const struct nv_hash *hash);
/* ns_work_send signs the actions of an account with its own key, and submits. */
void ns_work_send(struct ns *ns, uint32_t account, const struct vm_action *action, bool good);

/* stake.c */
void ns_work_stake(struct ns *ns);

/* check_votes.c */
/* ns_vote_place numbers a view of all epochs; NS_VIEWS_MAX when it is out of range. */
uint64_t ns_vote_place(const struct ns *ns, uint64_t epoch, uint64_t view);
void ns_check_sent(struct ns *ns, struct ns_host *host, uint8_t type, struct nv_view bytes);
void ns_check_acked(struct ns *ns, struct ns_host *host, const struct node_batch *batch);
void ns_check_journal(struct ns *ns, struct ns_host *host);
/* check_chain.c */
void ns_check_given(struct ns *ns, struct ns_host *host, const struct replica_block *block);
void ns_check_result(struct ns *ns,
                     struct ns_host *host,
                     const struct replica_block *block,
                     const struct node_result *result);
void ns_check_started(struct ns *ns, struct ns_host *host);
void ns_check_memory(struct ns *ns, const struct ns_host *host);
/* check_stake.c */
void ns_check_accused(struct ns *ns, const struct ns_host *host, const struct nv_pubkey *key);
void ns_check_stake(struct ns *ns,
                    const struct replica_block *block,
                    const struct node_result *result);
/* ns_check_slashed returns whether all who were slashed are out of the set. */
bool ns_check_slashed(const struct ns *ns);
void ns_check_justice(struct ns *ns);
/* check_live.c */
void ns_check_verdict(struct ns *ns,
                      const struct ns_host *host,
                      const struct nv_hash *hash,
                      enum replica_refusal refusal);
/* ns_check_names looks whether any of a block's transactions is signed by a stranger. */
void ns_check_names(struct ns *ns, const struct replica_block *block);
void ns_check_mark(struct ns *ns, uint32_t tx);
void ns_check_final(struct ns *ns, const struct cs_header *header);
void ns_check_measure(struct ns *ns);
void ns_check_live(struct ns *ns);
/* check_audit.c */
void ns_check_audit(struct ns *ns);
/* check_light.c */
void ns_check_light(struct ns *ns);

#endif /* NV_TESTS_SIM_NODE_NODESIM_H */
