#ifndef NV_TESTS_SIM_SIM_H
#define NV_TESTS_SIM_SIM_H

/* sim.h - whole nets of consensus engines in one thread, under one seed.
 *
 * The engines are the real ones.  The simulator owns everything around them:
 * time, the network, disks, crashes, execution, and validators that lie.  The
 * same seed gives the same run, event by event.
 *
 *     world.c      time, the event heap, seeded choices, the trace hash
 *     host.c       the shell of one engine: effect queue, bodies, execution
 *     disk.c       batches, syncs, what a crash leaves
 *     epoch.c      validators that change, and what must hold of it
 *     proof.c      certificates and evidence in blocks
 *     net.c        delay, loss, duplication, partitions
 *     byzantine.c  validators that lie
 *     oracle.c     what must hold of certificates, votes and chains, restated
 *                  without the engine's code
 *     live.c       what must have happened by the end
 *     scenario.c   the worlds to run
 *     crypto.c     signatures, real or as a keyed hash */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#include "consensus/consensus.h"
#include "tests/lib/block_shelf.h"
#include "tests/lib/consensus_build.h"
#include "tests/sim/epoch.h"
#include "tests/sim/proof.h"

#define SIM_HOSTS_MAX   16u
#define SIM_HEIGHTS_MAX 8192u
#define SIM_VIEWS_MAX   16384u
#define SIM_MS          UINT64_C(1000000)
#define SIM_NEVER       UINT64_MAX
#define SIM_GENESIS_MS  UINT64_C(1000000)

struct sim;

/* ---- choices ---- */

struct sim_rng {
    uint64_t state;
};

uint64_t sim_next(struct sim_rng *rng);
/* sim_below returns a number below `bound`, which is not 0. */
uint64_t sim_below(struct sim_rng *rng, uint64_t bound);
/* sim_between returns a number in [low, high]. */
uint64_t sim_between(struct sim_rng *rng, uint64_t low, uint64_t high);
/* sim_chance is true in `millionths` of a million cases. */
bool sim_chance(struct sim_rng *rng, uint32_t millionths);

/* ---- the heap of things to come ---- */

enum sim_kind {
    SIM_MAIL = 1, /* a message arrives */
    SIM_TIMER,
    SIM_STEP, /* an event without a message */
    SIM_SYNC, /* a sync ends */
    SIM_CRASH,
    SIM_RESTART,
    SIM_SCRIPT, /* the scenario's own */
};

struct sim_item {
    uint64_t at_ns;
    uint64_t order;
    enum sim_kind kind;
    uint32_t host;
    uint32_t life; /* of the host when it was made; 0: any */
    uint32_t from; /* MAIL */
    uint8_t type;
    uint32_t size;
    uint8_t *bytes; /* owned */
    struct cs_event event;
    uint32_t a; /* SCRIPT */
};

/* ---- disks ---- */

struct sim_batch {
    uint32_t end;
    uint64_t check;
};

struct sim_disk {
    uint8_t *bytes;
    uint32_t size; /* written, durable or not */
    uint32_t cap;
    uint32_t durable;
    uint32_t syncing_to; /* 0: no sync under way */
    struct sim_batch *batch;
    uint32_t batch_count;
    uint32_t batch_cap;
};

/* ---- hosts ---- */

struct sim_op {
    enum cs_effect_kind kind;
    uint32_t to; /* bits: the hosts that get it */
    uint8_t type;
    bool sync;
    bool written;
    uint32_t end; /* PERSIST: offset in the journal */
    uint32_t size;
    uint8_t *bytes; /* owned */
    struct cs_header header;
    struct nv_hash hash;
};

struct sim_body {
    struct nv_hash hash;
    uint8_t bytes[80];
    uint32_t size;
    bool checked;  /* matches its header */
    uint32_t kept; /* offset in the journal behind which it is durable; 0: nowhere */
};

/* What is durable of a view. */
struct sim_durable {
    bool has[4];
    struct nv_hash hash[4];
    bool certificate;
};

struct sim_host {
    uint32_t id;
    bool up;
    bool honest;
    bool dead; /* never restarts */
    uint32_t life;
    struct cs *cs;
    struct cs_valset set; /* by which it numbers the others */
    void *memory;
    uint64_t timer_ns; /* armed; items at other times are stale */
    int64_t skew_ms;
    bool work;
    struct sim_op *op; /* queue */
    uint32_t op_first;
    uint32_t op_count;
    uint32_t op_cap;
    bool blocked; /* the first one waits for the disk */
    struct sim_disk disk;
    struct shelf shelf;
    struct sim_body *body;
    uint32_t body_count;
    uint32_t body_cap;
    struct nv_hash need[64]; /* bodies that the engine waits for, a ring */
    uint32_t need_next;
    struct sim_body built;
    uint64_t executed; /* height */
    uint64_t executor_free_ns;
    uint64_t given;              /* height of the last EXECUTE */
    uint64_t branch;             /* the first bytes of the first block's hash */
    struct nv_hash root;         /* state root after it, in a run that forks */
    struct sim_durable *durable; /* by view */
    uint32_t nap;                /* restarts so far */
};

/* ---- the world ---- */

struct sim_conf {
    uint32_t hosts;
    uint64_t stakes[SIM_HOSTS_MAX];
    uint64_t delay_ns; /* D */
    uint64_t idle_ms;
    uint64_t gst_ns;     /* the chaos ends */
    uint64_t measure_ns; /* the liveness measure begins */
    uint64_t end_ns;
    uint64_t net_min_ns;
    uint64_t net_max_ns;
    uint64_t chaos_max_ns; /* before the end of chaos, of a third of the messages */
    uint32_t loss;         /* millionths, in the chaos */
    uint32_t twice;
    uint64_t sync_min_ns;
    uint64_t sync_max_ns;
    uint32_t sync_fails; /* millionths */
    uint64_t exec_max_ns;
    uint32_t crash_op;     /* millionths, before each effect in the chaos */
    uint64_t crash_ns;     /* mean time between crashes of a host in the chaos; 0: none */
    uint64_t nap_max_ns;   /* time until a crashed host restarts */
    uint64_t all_crash_ns; /* everybody at once; 0: no */
    uint32_t work;         /* millionths: how often a host has transactions */
    uint64_t listen_ns;
    uint32_t views_max;
    bool at_once;        /* local effects do not queue */
    bool one_batch;      /* group commit */
    bool real;           /* signatures */
    uint32_t byzantine;  /* bits */
    uint32_t dead;       /* bits: never there */
    uint32_t lies;       /* bits of enum sim_lie */
    uint64_t skew_ms;    /* of fewer than a third */
    uint64_t live_least; /* blocks that everybody must finalize while measured */
    uint64_t live_views; /* views a finalization may take */
    uint64_t lag_views;  /* that a host may be behind the best at the end */
    uint64_t epoch_ms;   /* 0: one without end */
    bool fork;           /* more than a third is faulty: there is no one chain */
    uint64_t status_ns;
    uint32_t churn;       /* heights for which the state gives the same next set; 0: for ever */
    uint32_t members_min; /* hosts in a set */
    uint64_t stake_most;  /* of a member, if sets change; 0: as at the start */
    uint32_t first;       /* bits: the validators of genesis; 0: all */
};

struct sim_scenario {
    const char *name;
    uint32_t weight; /* in a mixed run */
    void (*configure)(struct sim *sim);
    void (*script)(struct sim *sim, const struct sim_item *item);
    /* whether a message gets through  */
    bool (*passes)(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
    void (*finish)(struct sim *sim);
};

struct oracle;

struct sim {
    uint64_t seed;
    const struct sim_scenario *scenario;
    struct sim_conf conf;
    struct sim_rng rng;
    uint64_t now_ns;
    uint64_t order;
    uint64_t trace;
    uint64_t steps;
    bool print;
    bool failed;
    char why[256];
    struct sim_item *heap;
    uint32_t heap_count;
    uint32_t heap_cap;
    struct cs_net net;
    struct sim_host host[SIM_HOSTS_MAX];
    struct cs_effects *effects;
    struct nv_arena effects_arena;
    struct oracle *oracle;
    struct sim_epoch epoch[SIM_EPOCHS_MAX];
    struct cs_valset **candidate; /* by stretch of heights; owned */
    uint32_t candidate_count;
    uint64_t final_epoch_last;
    struct sim_accused accused[SIM_ACCUSED_MAX];
    uint32_t accused_count;
    bool echoing;         /* a faulty one's vote is on its way */
    uint64_t hold_height; /* of the newest end of an epoch that was disturbed ... */
    uint64_t hold_ns;     /* ... until then */
    bool link_down[SIM_HOSTS_MAX][SIM_HOSTS_MAX]; /* from, to */
    uint64_t proposed_ns[SIM_HEIGHTS_MAX];        /* by height, first proposal */
    uint64_t final_ns[SIM_HEIGHTS_MAX];           /* by height, first EXECUTE */
    uint64_t height_then[SIM_HOSTS_MAX];          /* at the start of the measure */
    uint64_t view_then[SIM_HOSTS_MAX];
    uint64_t widest_gap; /* views between finalizations while measured */
    uint64_t final_view_last;
    uint32_t stage; /* of a script */
    uint64_t stage_view;
    uint32_t stage_mask;
    uint64_t lies_told;
    uint64_t evidence;
};

/* world.c */
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_trace(struct sim *sim, uint32_t host, const char *what, uint64_t a, uint64_t b);
struct sim_item *sim_push(struct sim *sim, uint64_t at_ns, enum sim_kind kind, uint32_t host);
bool sim_chaos(const struct sim *sim);
/* sim_run runs one seed and returns the trace's hash; sim->failed tells. */
uint64_t sim_run(struct sim *sim, const struct sim_scenario *scenario, uint64_t seed);

/* host.c */
void sim_host_start(struct sim *sim, struct sim_host *host);
void sim_host_crash(struct sim *sim, struct sim_host *host);
void sim_host_free(struct sim_host *host);
void sim_host_step(struct sim *sim, struct sim_host *host, struct cs_event *event);
void sim_host_mail(struct sim *sim, struct sim_host *host, const struct sim_item *item);
void sim_host_synced(struct sim *sim, struct sim_host *host);
void sim_host_pump(struct sim *sim, struct sim_host *host);

/* body.c */
void sim_body_build(struct sim *sim, struct sim_host *host, const struct cs_effect *effect);
/* sim_body_name gives the body just built to a block. */
void sim_body_name(struct sim_host *host, const struct nv_hash *hash);
/* sim_body_publish streams it to the hosts whose bits are set. */
void sim_body_publish(struct sim *sim,
                      struct sim_host *host,
                      const struct nv_hash *hash,
                      uint32_t receivers);
void sim_body_need(struct sim *sim, struct sim_host *host, const struct cs_effect *effect);
void sim_body_chunk(struct sim *sim, struct sim_host *host, const struct cs_body_chunk *chunk);
void sim_body_request(struct sim *sim,
                      struct sim_host *host,
                      uint32_t from,
                      const struct cs_body_request *request);
struct sim_body *sim_body_find(struct sim_host *host, const struct nv_hash *hash);

/* disk.c */
void sim_disk_append(struct sim_disk *disk, struct nv_view bytes);
/* sim_disk_sync begins a sync of all that is written. */
void sim_disk_sync(struct sim *sim, struct sim_host *host);
/* sim_disk_done ends it: what it covered is durable. */
void sim_disk_done(struct sim_disk *disk);
/* sim_disk_crash leaves what a crash leaves. */
void sim_disk_crash(struct sim *sim, struct sim_disk *disk);
/* sim_disk_valid returns the bytes of whole batches. */
struct nv_view sim_disk_valid(const struct sim_disk *disk);

/* net.c */
void sim_net_send(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
void sim_net_broadcast(struct sim *sim, uint32_t from, uint8_t type, struct nv_view bytes);

/* byzantine.c */
enum sim_lie {
    SIM_LIE_HEADER = 1,     /* a field of the own header is wrong */
    SIM_LIE_TWO_BLOCKS = 2, /* another proposal for each half */
    SIM_LIE_PARENT = 4,     /* an old parent, leaving out views */
    SIM_LIE_VOTES = 8,      /* votes for everything */
    SIM_LIE_SILENCE = 16,   /* does not send, to some or to all */
    SIM_LIE_GARBAGE = 32,   /* broken bytes and forged signatures */
    SIM_LIE_BODY = 64,      /* an invalid body, or none */
};
/* sim_byz_send sends what a liar sends in place of `bytes`. */
void sim_byz_send(
    struct sim *sim, struct sim_host *host, uint32_t to, uint8_t type, struct nv_view bytes);

/* oracle.c */
struct oracle *oracle_new(const struct sim *sim);
void oracle_free(struct oracle *oracle);
/* What hosts did: asked the disk to keep, kept, sent, executed, saw proposed. */
void oracle_record(struct sim *sim, const struct cs_record *record);
void oracle_durable(struct sim *sim, const struct sim_host *host, const struct cs_record *record);
void oracle_sent(struct sim *sim, struct sim_host *host, const struct cs_message *message);
void oracle_executed(struct sim *sim,
                     const struct sim_host *host,
                     const struct cs_header *header,
                     const struct nv_hash *hash);
void oracle_header(struct sim *sim, const struct cs_header *header);
/* oracle_root_next returns the state root after a block. */
struct nv_hash oracle_root_next(const struct nv_hash *root, const struct nv_hash *block);
/* oracle_root returns the state root that honest hosts have after a height. */
struct nv_hash oracle_root(const struct sim *sim, uint64_t height);
/* oracle_pick chooses a notarized block at a view in [low, high]; for liars. */
bool oracle_pick(struct sim *sim,
                 uint64_t low,
                 uint64_t high,
                 struct cs_header *header,
                 struct cs_certificate *certificate);
uint64_t oracle_height(const struct sim *sim);

/* live.c */
void live_begin(struct sim *sim);
void live_final(struct sim *sim, const struct cs_header *header);
void live_end(struct sim *sim);

/* scenario.c */
extern const struct sim_scenario sim_scenarios[];
extern const uint32_t sim_scenario_count;
const struct sim_scenario *sim_scenario_find(const char *name);
const struct sim_scenario *sim_scenario_of(uint64_t seed);

/* crypto.c */
void sim_crypto(const struct cs_net *net, bool real);

#endif /* NV_TESTS_SIM_SIM_H */
