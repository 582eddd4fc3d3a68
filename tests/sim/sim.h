#ifndef NV_TESTS_SIM_SIM_H
#define NV_TESTS_SIM_SIM_H

/* sim.h - whole nets of consensus engines in one thread, under one seed.
 *
 * The engines are the real ones.  The simulator owns everything around them:
 * time, the network, disks, crashes, execution, and validators that lie.  The
 * same seed gives the same run, event by event.
 *
 *     world.c      the run of one seed, seeded choices, the trace hash
 *     heap.c       things to come, by time
 *     conf.c       the options of a seed, and how they are printed
 *     host.c       the shell of one engine: effect queue, execution, messages
 *     life.c       how it starts, crashes and comes back
 *     body.c       bodies: building, streaming, judging
 *     disk.c       batches, syncs, what a crash leaves
 *     epoch.c      validators that change, and what must hold of it
 *     proof.c      certificates and evidence in blocks
 *     net.c        delay, loss, duplication, partitions
 *     liar.c, lie_*.c   validators that lie
 *     oracle.c     what must hold of certificates, votes and chains, restated
 *                  without the engine's code
 *     memory.c     what an engine may hold
 *     live.c       what must have happened by the end
 *     audit.c      what the disks must hold at the end
 *     scenario.c, in_*.c   the worlds to run
 *     twins*.c     validators that run twice, enumerated
 *     seams.c, crypto.c   what the linker puts in the place of the engine's:
 *                  leaders, hashes; signatures are in tests/lib/key_seam.c
 *     main.c, jobs.c   the program */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#include "consensus/consensus.h"
#include "tests/lib/block_shelf.h"
#include "tests/lib/consensus_build.h"
#include "tests/sim/conf.h"
#include "tests/sim/epoch.h"
#include "tests/sim/proof.h"

#define SIM_HEIGHTS_MAX 131072u
#define SIM_VIEWS_MAX   131072u
#define SIM_MS          UINT64_C(1000000)
#define SIM_NEVER       UINT64_MAX
#define SIM_ENDLESS     UINT32_MAX /* transactions: more than the blocks of a run take */
#define SIM_GENESIS_MS  UINT64_C(1000000)
#define SIM_AHEAD_MS    500u /* that a block's time may lead a clock */

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

/* ---- things to come ---- */

enum sim_kind {
    SIM_MAIL = 1, /* a message arrives */
    SIM_TIMER,
    SIM_STEP, /* an event without a message */
    SIM_SYNC, /* a sync ends */
    SIM_CRASH,
    SIM_RESTART,
    SIM_PAUSE,
    SIM_SCRIPT, /* the scenario's own */
};

/* A message in flight, shared by its receivers. */
struct sim_bytes {
    uint32_t holders;
    uint32_t size;
    uint8_t data[];
};

struct sim_item {
    uint64_t at_ns;
    enum sim_kind kind;
    uint32_t host;
    uint32_t life; /* of the host when it was made; 0: any */
    uint32_t from; /* MAIL */
    uint8_t type;
    struct sim_bytes *bytes; /* held */
    struct cs_event event;
    uint32_t a; /* SCRIPT: what; TIMER: its number */
};

struct sim_heap {
    struct sim_key *key;
    struct sim_item *item;
    uint32_t count;
    uint32_t cap;
    uint64_t order;
};

/* ---- what goes wrong ---- */

#define SIM_FAULTS(XX)                                                                             \
    XX(LOST, "lost")       /* a message */                                                         \
    XX(DOUBLED, "doubled") /* a message */                                                         \
    XX(LATE, "late")       /* a message, beyond what the network takes at best */                  \
    XX(CUT, "cut")         /* a message on a link that is down */                                  \
    XX(CRASH, "crashes")                                                                           \
    XX(TORN, "torn")  /* batches that reached the disk in part, or not at all */                   \
    XX(SYNC, "syncs") /* that failed */                                                            \
    XX(PAUSE, "pauses")                                                                            \
    XX(CLOCK, "clocks") /* steps of a wall clock */                                                \
    XX(TIMER, "timers") /* that came early */                                                      \
    XX(LIE, "lies")

enum sim_fault {
#define SIM_FAULT_MEMBER(name, word) SIM_FAULT_##name,
    SIM_FAULTS(SIM_FAULT_MEMBER)
#undef SIM_FAULT_MEMBER
        SIM_FAULT_COUNT
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
    uint32_t end;             /* PERSIST: offset in the journal */
    struct sim_bytes *bytes;  /* held; or NULL */
    struct cs_header *header; /* EXECUTE: owned */
    struct nv_hash hash;
};

struct sim_body {
    struct nv_hash hash;
    uint8_t bytes[80];
    uint32_t size;
    bool checked;  /* matches its header */
    uint32_t kept; /* offset in the journal behind which it is durable; 0: nowhere */
};

/* What is durable of a view: by kind of vote, a digest of the ballot. */
struct sim_durable {
    uint64_t vote[4]; /* 0: none */
    bool certificate;
};

struct sim_host {
    uint32_t id;  /* its place here */
    uint32_t key; /* the validator that it is, or CS_NOBODY */
    bool up;
    bool honest;
    bool dead;  /* never restarts */
    bool wiped; /* since it ran last */
    uint64_t sit_out_ms;
    uint32_t life;
    struct cs *cs;
    struct cs_valset set; /* by which it numbers the others */
    void *memory;
    size_t memory_size;
    uint32_t timer; /* number of the one that is armed; items of others are stale */
    uint64_t paused_ns;
    int64_t skew_ms;    /* of its wall clock */
    int64_t fastest_ms; /* the most that was */
    bool work;
    struct sim_op *op; /* queue */
    uint32_t op_first;
    uint32_t op_count;
    uint32_t op_cap;
    struct sim_disk disk;
    struct shelf shelf;
    struct sim_body *body;
    uint32_t body_count;
    uint32_t body_cap;
    struct nv_hash need[64]; /* bodies that the engine waits for, a ring */
    uint32_t need_next;
    struct sim_body built;
    uint64_t executor_free_ns;
    uint64_t given;                   /* height of the last EXECUTE */
    uint64_t branch;                  /* the first bytes of the first block's hash */
    struct nv_hash root;              /* state root after the last one */
    uint64_t told;                    /* highest one ever given, in any life */
    struct sim_durable *durable;      /* by view */
    uint64_t durable_top;             /* highest one in use */
    uint64_t flood_ms[SIM_HOSTS_MAX]; /* by receiver, of the last burst */
};

/* ---- the world ---- */

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
    uint64_t trace;
    uint64_t steps;
    bool print;
    bool failed;
    bool done; /* nothing more to see */
    char why[256];
    uint64_t fault[SIM_FAULT_COUNT];
    struct sim_heap heap;
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
    uint64_t height_then[SIM_HOSTS_MAX];          /* at the start of the measure */
    uint64_t epoch_then;                          /* the newest, then */
    uint64_t target;                              /* height at which the run ends; 0: none */
    uint64_t widest_gap;                          /* views between finalizations while measured */
    uint64_t final_view_last;
    uint32_t stage; /* of a script */
    uint64_t stage_view;
    uint64_t stage_ns; /* since when */
    uint32_t stage_mask;
    uint64_t evidence;
    uint64_t past_forks;           /* of which somebody told */
    uint32_t halts;                /* of those who are not honest */
    uint64_t net_extra_ns;         /* on top of a message's time */
    const struct sim_twins *twins; /* the script of a Twins run, or NULL */
};

/* world.c */
void sim_fail(struct sim *sim, const char *format, ...) __attribute__((format(printf, 2, 3)));
void sim_trace(struct sim *sim, uint32_t host, const char *what, uint64_t a, uint64_t b);
bool sim_chaos(const struct sim *sim);
/* sim_wall_ms returns what a right wall clock shows. */
uint64_t sim_wall_ms(const struct sim *sim);
/* sim_heal ends the chaos, if it lasts: the links are mended, and the clocks where
 * too many were wrong. */
void sim_heal(struct sim *sim);
void sim_fault(struct sim *sim, enum sim_fault fault);
uint64_t sim_faults(const struct sim *sim);
/* sim_poll lets the scenario's script run at a time. */
void sim_poll(struct sim *sim, uint64_t at_ns);
/* sim_run runs one seed and returns the trace's hash; sim->failed tells. */
uint64_t sim_run(struct sim *sim, const struct sim_scenario *scenario, uint64_t seed);

/* heap.c */
/* sim_push returns the new item, to be filled in before the next one. */
struct sim_item *sim_push(struct sim *sim, uint64_t at_ns, enum sim_kind kind, uint32_t host);
/* sim_pop takes the next item out; false when there is none. */
bool sim_pop(struct sim *sim, struct sim_item *item);
void sim_heap_clear(struct sim_heap *heap);
struct sim_bytes *sim_bytes_new(struct nv_view view);
struct sim_bytes *sim_bytes_hold(struct sim_bytes *bytes);
void sim_bytes_drop(struct sim_bytes *bytes);

/* host.c */
void sim_host_step(struct sim *sim, struct sim_host *host, struct cs_event *event);
void sim_host_mail(struct sim *sim, struct sim_host *host, const struct sim_item *item);
void sim_host_synced(struct sim *sim, struct sim_host *host);
void sim_host_pump(struct sim *sim, struct sim_host *host);
void sim_host_drop_ops(struct sim_host *host);
/* sim_host_durable notes what a batch has made durable. */
void sim_host_durable(struct sim *sim, struct sim_host *host, struct nv_view records);
/* sim_receivers returns the hosts that a host means by a peer, or by all other
 * validators when it is CS_NOBODY, as bits. */
uint32_t sim_receivers(const struct sim *sim, const struct sim_host *host, uint32_t peer);
/* sim_digest returns a number other than 0 for a ballot. */
uint64_t sim_digest(const struct cs_ballot *ballot);

/* life.c */
void sim_host_start(struct sim *sim, struct sim_host *host);
void sim_host_crash(struct sim *sim, struct sim_host *host);
/* sim_host_wipe crashes a host, which loses its disk too. */
void sim_host_wipe(struct sim *sim, struct sim_host *host);
void sim_host_clear(struct sim_host *host);

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
/* sim_body_trim keeps the newest `count`. */
void sim_body_trim(struct sim_host *host, uint32_t count);
/* sim_body_sound returns whether an honest validator accepts the transaction. */
bool sim_body_sound(const struct sim_body *body);

/* disk.c */
void sim_disk_append(struct sim_disk *disk, struct nv_view bytes);
/* sim_disk_sync begins a sync of all that is written. */
void sim_disk_sync(struct sim *sim, struct sim_host *host);
/* sim_disk_done ends it: what it covered is durable. */
void sim_disk_done(struct sim_disk *disk);
/* sim_disk_forget drops what is durable. */
void sim_disk_forget(struct sim_disk *disk);
/* sim_disk_crash leaves what a crash leaves. */
void sim_disk_crash(struct sim *sim, struct sim_disk *disk);
/* sim_disk_valid returns the bytes of whole batches. */
struct nv_view sim_disk_valid(const struct sim_disk *disk);

/* net.c */
/* sim_net_post sends bytes to the hosts whose bits are set; a liar's are changed on
 * the way. */
void sim_net_post(
    struct sim *sim, struct sim_host *host, uint32_t receivers, uint8_t type, struct nv_view bytes);
/* sim_net_send sends to one host. */
void sim_net_send(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
/* sim_links_cut takes links down, in one of several ways. */
void sim_links_cut(struct sim *sim);

/* scenario.c */
extern const struct sim_scenario sim_scenarios[];
extern const uint32_t sim_scenario_count;
const struct sim_scenario *sim_scenario_find(const char *name);
const struct sim_scenario *sim_scenario_of(uint64_t seed);

/* crypto.c */
void sim_crypto(const struct cs_net *net, bool real);

/* seams.c */
void sim_seams(const struct sim_twins *twins);

#endif /* NV_TESTS_SIM_SIM_H */
