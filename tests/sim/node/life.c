/* How a node starts, dies and comes back: as the daemon does (node/store/start.h),
 * on a disk that has lost what was not synced. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/cpu.h"

#include "tests/sim/node/nodesim.h"
#include "vm/params.h"

#define BATCH_ROOM 2048u
#define BODY_MAX   (64u << 10)

/* ---- parts ---- */

static enum nv_err open_journal(struct ns *ns, struct ns_host *host, bool *is_new)
{
    uint32_t const segment_size = (uint32_t)ns->conf.segment_kib << 10;
    host->options = (struct st_journal_options){
        .files = &host->files,
        .dir = host->dir,
        .segment_size = segment_size,
        .batch_max = segment_size - BATCH_ROOM,
    };
    *is_new = false;
    enum nv_err err = st_journal_open(&host->journal, &host->options);
    if (err == NV_ERR_NOT_FOUND) {
        uint8_t id[ST_JOURNAL_ID_SIZE];
        nv_test_fill(&ns->rng, id, sizeof id);
        *is_new = true;
        return st_journal_create(&host->journal, &host->options, id);
    }
    NV_TRY(err);
    err = node_start_chain(host->journal, &host->chain);
    *is_new = err == NV_ERR_NOT_FOUND;
    return *is_new ? NV_OK : err;
}

static struct cs_config consensus_config(const struct ns *ns, const struct ns_host *host)
{
    const struct ns_conf *const c = &ns->conf;
    struct cs_config config = {
        .chain_id = ns_genesis()->chain_id,
        .genesis_root = host->chain.genesis_root,
        .params_hash = host->chain.params_hash,
        .genesis_time_ms = NS_START_MS,
        .valset = &ns->valset,
        .epoch_ms = c->epoch_ms,
        .evidence_epochs = (uint64_t)node_genesis_param(ns_genesis(), VM_PARAM_EVIDENCE_EPOCHS),
        .evidence_ms = (uint64_t)node_genesis_param(ns_genesis(), VM_PARAM_EVIDENCE_TIME),
        .delay_ns = c->delay_ms * NS_MS,
        .margin_ns = 20 * NS_MS,
        .idle_ms = c->idle_ms,
        .ahead_ms = 500,
        .behind_ms = 2000,
        .body_size_max = BODY_MAX,
        .listen_ns = 2 * c->delay_ms * NS_MS,
        .status_ns = 2000 * NS_MS,
        .follow_ns = 300 * NS_MS,
        .views_max = (uint32_t)c->views_max,
        .sit_out_until_ms = host->sit_out_until_ms,
        .listen_first = host->partial,
    };
    if (host->key != CS_NOBODY) {
        config.seckey = ns_key(host->key)->secret;
    }
    return config;
}

static enum nv_err open_replica(struct ns *ns, struct ns_host *host)
{
    struct node_blocks_options const blocks = {
        .journal = host->options,
        .db = host->db,
        .validator_count = ns->valset.count,
        .txs_max = NODE_TXS_PER_CHECKPOINT,
    };
    NV_TRY(node_blocks_open(&host->blocks, &blocks));
    struct replica_config const config = {
        .consensus = consensus_config(ns, host),
        .node_keys = ns->node_keys,
        .store = node_blocks_store(host->blocks),
        .mempool = {(uint32_t)ns->conf.mempool, NS_PLACES, 4u << 20},
        .window_max = 1u << 16,
        .accounts_max = ns_limits.vm.accounts_max,
        .sessions_max = ns_limits.vm.sessions_max,
    };
    NV_TRY(replica_open(&host->replica, &config));
    host->store.port = ns_host_port(host);
    host->store.blocks = host->blocks;
    host->store.replica = host->replica;
    return NV_OK;
}

static bool guard(void *ctx, const struct node_found *found)
{
    (void)found;
    (void)ctx;
    return true; /* the key lies beside its journal, and is not moved */
}

static void fault(struct ns_host *host, const char *what, enum nv_err err)
{
    node_fault_set(&host->fault, NODE_EXIT_STORAGE, NULL, "%s: %s", what, nv_err_name(err));
}

static struct node_start start_of(struct ns_host *host, bool is_new)
{
    return (struct node_start){
        .fault = &host->fault,
        .data = host->dir,
        .journal_dir = host->dir,
        .state_dir = host->dir,
        .genesis = ns_genesis(),
        .journal = host->journal,
        .journal_new = is_new,
        .db = host->db,
        .chain = &host->chain,
        .machine = host->machine,
        .store = &host->store,
        .guard = guard,
    };
}

bool ns_host_found(struct ns *ns, struct ns_host *host, struct node_start *start, bool *is_new)
{
    enum nv_err err = open_journal(ns, host, is_new);
    host->fault = (struct node_fault){.code = NODE_EXIT_OK};
    if (err != NV_OK) {
        fault(host, "journal", err);
        return false;
    }
    err = node_store_open(&host->store, host->options.batch_max);
    err = err != NV_OK ? err : node_machine_open(&host->machine, &ns_limits);
    NV_ASSERT(err == NV_OK);
    *start = start_of(host, *is_new);
    return !*is_new || node_start_found(start);
}

void ns_host_unfound(struct ns_host *host)
{
    node_store_close(&host->store);
    node_machine_close(host->machine);
    st_journal_close(host->journal);
    host->store = (struct node_store){.batch_max = 0};
    host->machine = NULL;
    host->journal = NULL;
}

/* open_all is the daemon's opening without threads and sockets. */
static bool open_all(struct ns *ns, struct ns_host *host)
{
    bool is_new = false;
    host->fault = (struct node_fault){.code = NODE_EXIT_OK};
    enum nv_err err = open_journal(ns, host, &is_new);
    if (err != NV_OK) {
        fault(host, "journal", err);
        return false;
    }
    host->db = ns_db_open(host->rows);
    err = node_store_open(&host->store, host->options.batch_max);
    struct node_machine_limits limits = ns_limits;
    limits.vm.wide = host->id % 2 != 0 && nv_cpu_wide(); /* both come to the same roots */
    err = err != NV_OK ? err : node_machine_open(&host->machine, &limits);
    NV_ASSERT(err == NV_OK);
    struct node_start const start = start_of(host, is_new);
    if (!node_start_state(&start)) {
        return false;
    }
    err = open_replica(ns, host);
    if (err != NV_OK) {
        fault(host, "replica", err);
        return false;
    }
    return node_start_replay(&start);
}

static void parts_forget(struct ns_host *host)
{
    host->replica = NULL;
    host->machine = NULL;
    host->blocks = NULL;
    host->db = NULL;
    host->journal = NULL;
    host->store = (struct node_store){.batch_max = 0};
    host->writing = false; /* what was to be written went with the machine */
}

static void close_all(struct ns_host *host)
{
    node_store_close(&host->store);
    replica_close(host->replica);
    node_machine_close(host->machine);
    node_blocks_close(host->blocks);
    st_db_close(host->db);
    st_journal_close(host->journal);
    parts_forget(host);
}

/* ---- starting ---- */

/* damage does to a stopped node's disk what time and people do. */
static void damage(struct ns *ns, struct ns_host *host)
{
    if (ns->healed || host->life < 2) {
        return;
    }
    if (host->partial) { /* the database cannot be made anew */
    } else if (ns_chance(ns, ns->conf.wipe_ppm)) {
        ns_trace(ns, host->id, "wiped", 0, 0);
        ns_fault(ns, NS_FAULT_WIPE);
        ns_db_wipe(host->rows);
    } else if (ns_chance(ns, ns->conf.rot_ppm) && ns_db_rot(host->rows, &ns->rng)) {
        ns_trace(ns, host->id, "rot", 0, 0);
        ns_fault(ns, NS_FAULT_ROT);
    }
    if (ns_chance(ns, ns->conf.start_fail_ppm)) {
        bool const stays = ns_chance(ns, 500000);
        disk_fail(host->disk,
                  1 + nv_test_below(&ns->rng, 12),
                  stays,
                  ns_chance(ns, 500000) ? NV_ERR_IO : NV_ERR_DISK_FULL);
    }
}

/* try_open opens the node; a database that is not what was written is moved
 * away, as the fault's hint says. */
static bool try_open(struct ns *ns, struct ns_host *host)
{
    uint64_t const rotten = ns->faults[NS_FAULT_ROT];
    bool ok = open_all(ns, host);
    if (!ok && rotten > 0 && strstr(host->fault.what, "rows in the database") != NULL) {
        close_all(host);
        ns_db_wipe(host->rows);
        ok = open_all(ns, host);
    }
    return ok;
}

static void begin(struct ns *ns, struct ns_host *host)
{
    host->head = node_machine_head(host->machine);
    host->timer_ns = NS_NEVER;
    host->batch_count = 0;
    host->block_count = 0;
    host->frozen = false;
    host->writing = false;
    host->job_free_count = NS_JOBS_MAX;
    for (uint32_t i = 0; i < NS_JOBS_MAX; i++) {
        host->job[i] = NULL;
        host->job_free[i] = i;
    }
    memset(host->banned_until_ns, 0, sizeof host->banned_until_ns);
    ns_share_open(host);
    ns_check_started(ns, host);
    replica_start(host->replica, ns_host_time(ns, host));
    (void)ns_push(ns, ns_between(ns, 0, 50) * NS_MS, NS_BEAT, host->id);
    ns_net_links(ns, host, true);
}

void ns_host_start(struct ns *ns, struct ns_host *host)
{
    NV_ASSERT(!host->up);
    ns_memory_of(&host->memory);
    host->life++;
    if (host->joins) {
        ns_join_start(ns, host);
        return;
    }
    damage(ns, host);
    bool const fails = host->disk->fails_at != 0;
    bool const ok = try_open(ns, host);
    ns_trace(ns, host->id, "start", host->life, ok);
    if (!ok) {
        if (!fails && host->honest) {
            ns_fail(ns, "host %u does not start: %s", host->id, host->fault.what);
        }
        ns_fault(ns, NS_FAULT_START);
        close_all(host);
        disk_fail(host->disk, 0, false, NV_ERR_IO);
        (void)ns_push(ns, ns_between(ns, 1, ns->conf.nap_ms) * NS_MS, NS_START, host->id);
        return;
    }
    disk_fail(host->disk, 0, false, NV_ERR_IO);
    host->up = true;
    begin(ns, host);
    ns_host_pump(ns, host);
}

/* ---- dying ---- */

/* jobs_end lets the workers finish: the replica is closed without any. */
static void jobs_end(struct ns *ns, struct ns_host *host)
{
    for (uint32_t i = 0; i < NS_JOBS_MAX; i++) {
        if (host->job[i] != NULL) {
            replica_job_run(host->job[i]);
            replica_job_done(host->replica, ns_host_time(ns, host), host->job[i]);
            host->job[i] = NULL;
        }
    }
}

/* jobs_lose does the same for jobs that the replica wants run by now. */
static void jobs_lose(struct ns *ns, struct ns_host *host)
{
    struct replica_op op;
    jobs_end(ns, host);
    while (replica_next(host->replica, &op)) {
        if (op.kind == REPLICA_JOB) {
            replica_job_run(op.job);
            replica_job_done(host->replica, ns_host_time(ns, host), op.job);
        }
    }
}

/* stop lets go of all that a host has while it is up. */
static void stop(struct ns *ns, struct ns_host *host)
{
    host->up = false;
    if (host->sync != NULL) {
        ns_join_stop(host);
        return;
    }
    jobs_lose(ns, host);
    ns_share_close(host);
    close_all(host);
}

/* forget gives an amnesiac an earlier disk, or keeps the present one for later. */
static void forget(struct ns *ns, struct ns_host *host)
{
    if (host->honest || (ns->conf.lie & NS_LIE_AMNESIA) == 0) {
        return;
    }
    if (host->old_disk == NULL) {
        host->old_disk = disk_new();
        disk_copy(host->old_disk, host->disk);
    } else {
        ns_fault(ns, NS_FAULT_LIE);
        disk_copy(host->disk, host->old_disk);
        ns_db_wipe(host->rows);
    }
}

void ns_host_crash(struct ns *ns, struct ns_host *host)
{
    bool const power = ns_chance(ns, ns->conf.power_ppm);
    ns_memory_of(&host->memory);
    ns_trace(ns, host->id, power ? "power" : "crash", host->head.height, host->batch_count);
    ns_fault(ns, power ? NS_FAULT_POWER : NS_FAULT_CRASH);
    if (host->writing && ns_chance(ns, 500000)) {
        (void)ns_host_write(host); /* the commit had happened */
    }
    host->life++;
    stop(ns, host);
    if (power) {
        disk_cut(host->disk, nv_test_next(&ns->rng));
    }
    host->disk->locked = false;
    forget(ns, host);
    ns_net_links(ns, host, false);
    (void)ns_push(ns, ns_between(ns, 1, ns->conf.nap_ms) * NS_MS, NS_START, host->id);
}

void ns_host_sweep(struct ns *ns, struct ns_host *host)
{
    ns_trace(ns, host->id, "died", host->head.height, 0);
    ns_fault(ns, NS_FAULT_CRASH);
    host->up = false;
    host->life++;
    st_db_close(host->db);
    ns_memory_sweep(&host->memory);
    ns_share_free(host);
    parts_forget(host);
    host->disk->locked = false;
    ns_net_links(ns, host, false);
    (void)ns_push(ns, ns_between(ns, 1, ns->conf.nap_ms) * NS_MS, NS_START, host->id);
}

void ns_host_free(struct ns_host *host)
{
    ns_memory_of(&host->memory);
    if (host->up) {
        stop(host->ns, host);
    }
    if (host->folder != NULL) {
        ns_folder_free(host->folder);
    }
    ns_share_free(host);
    if (host->disk != NULL) {
        disk_free(host->disk);
    }
    if (host->old_disk != NULL) {
        disk_free(host->old_disk);
    }
    if (host->rows != NULL) {
        ns_db_free(host->rows);
    }
    free(host->durable);
    memset(host, 0, sizeof *host);
}

/* ---- looking at a chain again ---- */

struct ns_host *ns_host_copy(struct ns *ns, const struct ns_host *host)
{
    struct ns_host *const copy = calloc(1, sizeof *copy);
    NV_ASSERT(copy != NULL);
    ns_memory_of(&copy->memory);
    copy->ns = ns;
    copy->id = host->id;
    copy->key = host->key;
    copy->disk = disk_new();
    disk_copy(copy->disk, host->disk);
    copy->disk->locked = false;
    copy->files = disk_port(copy->disk);
    copy->rows = ns_db_new();
    memcpy(copy->dir, host->dir, sizeof copy->dir);
    copy->up = open_all(ns, copy);
    if (copy->up) {
        copy->head = node_machine_head(copy->machine);
    }
    return copy;
}

void ns_host_drop(struct ns_host *host)
{
    close_all(host);
    disk_free(host->disk);
    ns_db_free(host->rows);
    free(host);
}
