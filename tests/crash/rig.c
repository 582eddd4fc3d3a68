#include "tests/crash/rig.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/fmt.h"
#include "base/heap.h"
#include "base/secret.h"

#include "tests/crash/traffic.h"
#include "tests/crash/witness.h"

#define PATH_SIZE   512u
#define STEPS_MAX   100000u
#define JOBS_MAX    1024u
#define MS          UINT64_C(1000000)
#define CHECKPOINT  UINT32_C(65536) /* rows */
#define SLOW_ONE_IN 24u

/* The clock of the parts that ask libuv, on every thread. */
static _Atomic uint64_t clock_ns;

uint64_t uv_hrtime(void)
{
    return clock_ns;
}

/* ---- a home ---- */

static void make_key(char *text, const char *home, const char *name, enum node_key_kind kind)
{
    struct node_fault fault = {.code = NODE_EXIT_OK};
    struct node_key *const key = nv_secret_open(sizeof *key);
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/keys/%s.json", home, name);
    NV_ASSERT(key != NULL);
    bool const ok = node_key_create(path, kind, &fault) && node_key_read(key, path, kind, &fault);
    NV_ASSERT(ok);
    nv_bytes_format(text, key->key.bytes, 32);
    nv_secret_close(key, sizeof *key);
}

void rig_make(const char *home)
{
    char path[PATH_SIZE];
    char validator[NV_BYTES_TEXT(32)];
    char node[NV_BYTES_TEXT(32)];
    (void)mkdir(home, 0700);
    (void)snprintf(path, sizeof path, "%s/keys", home);
    (void)mkdir(path, 0700);
    make_key(validator, home, "validator", NODE_KEY_VALIDATOR);
    make_key(node, home, "node", NODE_KEY_NODE);
    (void)snprintf(path, sizeof path, "%s/genesis.json", home);
    FILE *const file = fopen(path, "w");
    NV_ASSERT(file != NULL);
    traffic_genesis(file, validator, node);
    int const result = fclose(file);
    NV_ASSERT(result == 0);
}

static struct node_config *config_of(const char *home)
{
    static struct node_config config;
    static const struct node_flag flags[] = {
        {"limits-database-gib", "1"},
        {"limits-state-rows", "65536"},
        {"limits-mempool-mib", "1"},
        {"limits-checkpoint-ms", "400"},
        {"limits-mempool-count", "4096"},
        {"node-log", "error"},
    };
    struct node_fault fault = {.code = NODE_EXIT_OK};
    struct node_config_sources const sources = {
        .home = home, .flags = flags, .flag_count = sizeof flags / sizeof flags[0]};
    if (strcmp(config.home, home) != 0) {
        bool const ok = node_config_read(&config, &sources, &fault);
        NV_ASSERT(ok);
    }
    return &config;
}

bool rig_open(struct rig *rig, const char *home, uint64_t seed)
{
    memset(rig, 0, sizeof *rig);
    rig->rng.state = seed;
    rig->now_ns = 1000 * MS;
    clock_ns = rig->now_ns;
    struct node *const n = nv_heap_alloc(sizeof *n);
    if (n == NULL) {
        node_fault_set(&rig->fault, NODE_EXIT_FAILED, NULL, "there is no memory to start with");
        return false;
    }
    rig->node = n;
    n->config = config_of(home);
    n->fault = &rig->fault;
    n->home.segment_size = RIG_SEGMENT_SIZE;
    node_mailbox_init(&n->mail, NULL, NULL);
    bool const ok = node_recover(n);
    if (ok) {
        rig->start_ms = node_machine_head(n->machine).time_ms + 1000;
    }
    return ok;
}

void rig_close(struct rig *rig)
{
    if (rig->node != NULL) {
        node_close_parts(rig->node);
        nv_heap_free(rig->node);
        rig->node = NULL;
    }
}

/* ---- what the replica asks for ---- */

static struct replica_time now(const struct rig *rig)
{
    return (struct replica_time){rig->now_ns, rig->start_ms + rig->now_ns / MS};
}

static void pass(struct rig *rig, uint64_t ns)
{
    rig->now_ns += ns;
    clock_ns = rig->now_ns;
}

/* tell says which votes a message holds that leaves the node. */
static void tell(const struct replica_op *op)
{
    struct cs_message message;
    enum nv_err const err = cs_message_decode(&message, op->send.type, op->send.bytes);
    NV_ASSERT(err == NV_OK);
    if (message.type == CS_MSG_VOTE) {
        witness_say_vote(&message.vote.ballot);
    } else if (message.type == CS_MSG_PROPOSAL) {
        struct cs_ballot const ballot = {
            .kind = CS_NOTARIZE,
            .epoch = message.proposal.epoch,
            .view = message.proposal.view,
            .parent_view = message.proposal.parent_view,
            .block_hash = message.proposal.block_hash,
        };
        witness_say_vote(&ballot);
    }
}

static void on_result(struct rig *rig, struct node_result *result)
{
    struct node *const n = rig->node;
    struct witness_mark const mark = {
        .kind = WITNESS_EXECUTED,
        .height = result->head.height,
        .hash = result->head.block_hash,
        .root = result->head.state_root,
    };
    n->head = result->head;
    n->executing_count--;
    witness_say(&mark);
    replica_wrote(n->replica, mark.height, result->writes, result->write_count);
    struct replica_outcome const outcome = node_result_outcome(result);
    replica_executed(n->replica, now(rig), &outcome);
    node_store_result(&n->store, rig->now_ns, result);
}

static void execute(struct rig *rig, const struct replica_block *block)
{
    struct node *const n = rig->node;
    struct node_result *result = NULL;
    n->executing[n->executing_count++] = block;
    if (n->executing_count > 1 || !node_executor_at_once(n->executor, block, &result)) {
        node_executor_block(n->executor, block);
    } else if (result != NULL) {
        on_result(rig, result);
    }
}

static void perform(struct rig *rig, const struct replica_op *op, struct replica_job **jobs)
{
    struct node *const n = rig->node;
    switch (op->kind) {
    case REPLICA_JOURNAL: node_disk_batch(n, rig->now_ns, op->journal); break;
    case REPLICA_SEND: tell(op); break;
    case REPLICA_TIMER: n->timer_ns = op->timer_ns; break;
    case REPLICA_JOB: jobs[n->pending_count++] = op->job; break;
    case REPLICA_EXECUTE: execute(rig, op->block); break;
    case REPLICA_HALT: node_fail(n, (enum node_exit)op->halt.code, NULL, "halt"); break;
    case REPLICA_GOSSIP:
    case REPLICA_VERDICT:
    case REPLICA_DROPPED:
    case REPLICA_BAN:
    case REPLICA_EPOCH:
    case REPLICA_EVIDENCE:
    case REPLICA_TRACE: break;
    }
}

static void perform_all(struct rig *rig)
{
    struct node *const n = rig->node;
    struct replica_job *jobs[JOBS_MAX];
    struct replica_op op;
    do {
        n->pending_count = 0;
        while (n->code == 0 && node_store_ready(&n->store) && n->pending_count < JOBS_MAX &&
               replica_next(n->replica, &op)) {
            perform(rig, &op, jobs);
        }
        for (uint32_t i = 0; i < n->pending_count; i++) {
            replica_job_run(jobs[i]);
            replica_job_done(n->replica, now(rig), jobs[i]);
        }
    } while (n->pending_count > 0);
}

/* ---- what comes back from the threads ---- */

static void on_written(struct rig *rig, struct node_checkpoint *checkpoint)
{
    struct witness_mark const mark = {
        .kind = WITNESS_SAVED,
        .height = st_overlay_head(checkpoint->overlay)->height,
    };
    node_disk_written(rig->node, checkpoint);
    if (rig->node->code == 0) {
        witness_say(&mark);
    }
}

/* on_batch lets the disk be slow at times: views are given up meanwhile. */
static void on_batch(struct rig *rig, struct node_batch *batch)
{
    if (nv_test_below(&rig->rng, SLOW_ONE_IN) == 0) {
        pass(rig, 2500 * MS);
        replica_timer(rig->node->replica, now(rig));
    }
    node_disk_back(rig->node, batch);
}

static void take(struct rig *rig)
{
    struct node_mail *const mail = node_mailbox_take(&rig->node->mail);
    switch ((enum node_mail_kind)mail->kind) {
    case NODE_MAIL_RESULT: on_result(rig, (struct node_result *)mail); break;
    case NODE_MAIL_FROZEN:
        node_store_frozen(&rig->node->store, rig->now_ns, (struct node_checkpoint *)mail);
        break;
    case NODE_MAIL_CHECKPOINTED: on_written(rig, (struct node_checkpoint *)mail); break;
    case NODE_MAIL_BATCH: on_batch(rig, (struct node_batch *)mail); break;
    case NODE_MAIL_FAILED: node_fail(rig->node, NODE_EXIT_FAILED, NULL, "no memory"); break;
    case NODE_MAIL_JOB:
    case NODE_MAIL_SNAPSHOT:
    case NODE_MAIL_PAGE: break;
    }
}

/* ---- running ---- */

static bool start(struct rig *rig)
{
    struct node *const n = rig->node;
    enum nv_err err = node_journal_thread_start(&n->journal, n->home.journal, &n->mail);
    if (err == NV_OK) {
        err = node_executor_start(&n->executor, n->machine, CHECKPOINT, 0, &n->mail);
    }
    if (err == NV_OK) {
        err = node_checkpointer_start(&n->checkpointer, n->home.db, &n->mail);
    }
    if (err != NV_OK) {
        node_fault_set(&rig->fault, NODE_EXIT_FAILED, NULL, "a thread cannot be started");
        return false;
    }
    rig->started = true;
    replica_start(n->replica, now(rig));
    return true;
}

static bool busy(const struct node *n)
{
    const struct node_store *const s = &n->store;
    return s->batch_busy || s->own_busy || n->executing_count > 0 || s->freeze_asked ||
           s->checkpoint_writing;
}

/* idle lets time pass until something is due, and a few transactions come. */
static void idle(struct rig *rig)
{
    struct node *const n = rig->node;
    uint64_t const beat = 50 * MS;
    uint64_t const wait = n->timer_ns > rig->now_ns ? n->timer_ns - rig->now_ns : 0;
    pass(rig, wait < beat ? wait : beat);
    if (n->timer_ns <= rig->now_ns) {
        replica_timer(n->replica, now(rig));
    }
    node_disk_beat(n, rig->now_ns);
    for (uint32_t count = nv_test_below(&rig->rng, 3); count > 0; count--) {
        uint8_t bytes[VM_TX_SIZE_MAX];
        uint32_t const size = traffic_tx(
            bytes, &rig->rng, &n->home.genesis.chain_id, rig->start_ms + rig->now_ns / MS);
        replica_submit(n->replica, CS_NOBODY, 0, nv_view_of(bytes, size));
    }
}

bool rig_run(struct rig *rig, uint32_t blocks)
{
    struct node *const n = rig->node;
    if (!rig->started && !start(rig)) {
        return false;
    }
    uint64_t const target = n->head.height + blocks;
    for (uint32_t step = 0; step < STEPS_MAX && n->code == 0; step++) {
        perform_all(rig);
        if (n->code == 0 && busy(n)) {
            take(rig);
        } else if (n->head.height >= target) {
            return true;
        } else if (n->code == 0) {
            idle(rig);
        }
    }
    node_fault_set(&rig->fault, NODE_EXIT_FAILED, NULL, "it stands still");
    return false;
}
