/* How a host starts, crashes and comes back. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/check.h"
#include "tests/sim/liar.h"
#include "tests/sim/sim.h"

static void engine_new(struct sim *sim, struct sim_host *host)
{
    struct nv_arena arena;
    struct cs_config config = {
        .chain_id = sim->net.chain_id,
        .genesis_root = oracle_root(sim, 0),
        .params_hash = cs_build_hash(3),
        .genesis_time_ms = SIM_GENESIS_MS,
        .valset = &sim->epoch[1].set,
        .delay_ns = sim->conf.delay_ns,
        .margin_ns = sim->conf.margin_ns,
        .idle_ms = sim->conf.idle_ms,
        .ahead_ms = SIM_AHEAD_MS,
        .behind_ms = 2000,
        .body_size_max = CS_BODY_SIZE_MAX,
        .validators_max = sim->conf.validators,
        .epoch_ms = sim->conf.epoch_ms,
        .evidence_epochs = sim->conf.proof_epochs,
        .evidence_ms = sim->conf.proof_ms,
        .sit_out_until_ms = host->sit_out_ms,
        .listen_ns = sim->conf.listen_ns,
        .status_ns = sim->conf.status_ns,
        .views_max = sim->conf.views_max,
    };
    if (host->key != CS_NOBODY) {
        config.seckey = sim->net.seckey[host->key];
    }
    size_t const size = cs_memory(&config);
    if (host->memory_size != size) {
        free(host->memory);
        host->memory = calloc(1, size);
        NV_ASSERT(host->memory != NULL);
        host->memory_size = size;
        nv_arena_init_zeroed(&arena, host->memory, size);
    } else {
        nv_arena_init(&arena, host->memory, size);
    }
    host->cs = cs_new(&arena, &config);
}

/* recover feeds the engine what the disk still has. */
static void recover(struct sim *sim, struct sim_host *host)
{
    struct nv_reader r;
    nv_reader_init(&r, sim_disk_valid(&host->disk));
    shelf_drop(&host->shelf);
    while (nv_reader_left(&r) > 0) {
        struct cs_record record;
        uint32_t const at = r.at;
        enum nv_err err = cs_record_get(&r, &record);
        NV_ASSERT(err == NV_OK);
        if (!host->honest && record.type == CS_RECORD_VOTE && liar_forgets(sim)) {
            continue;
        }
        err = cs_recover(host->cs, nv_view_of(r.bytes + at, r.at - at));
        if (err != NV_OK) {
            sim_fail(sim, "host %u cannot recover: %s", host->id, nv_err_name(err));
            return;
        }
        shelf_add(&host->shelf, &record);
    }
}

/* journal_executed tells the oracle of blocks whose finalization reached the
 * disk, but whose EXECUTE nobody had performed before the crash. */
static void journal_executed(struct sim *sim, const struct sim_host *host)
{
    for (uint32_t i = 0; i < host->shelf.count && !sim->failed; i++) {
        const struct shelf_block *const block = &host->shelf.block[i];
        struct cs_header header;
        struct nv_reader r;
        nv_reader_init(&r, block->payload);
        if (!block->chosen || block->height != oracle_height(sim) + 1 ||
            cs_header_get(&r, &header) != NV_OK) {
            continue;
        }
        oracle_executed(sim, host, &header, &block->hash);
        i = UINT32_MAX; /* again from the start, for the next height */
    }
}

/* replay executes the final blocks of the journal again. */
static void replay(struct sim *sim, struct sim_host *host)
{
    host->given = cs_summary(host->cs).final_height;
    if (host->given > oracle_height(sim)) {
        journal_executed(sim, host);
    }
    if (host->given > oracle_height(sim)) {
        sim_fail(sim, "host %u recovers a final block that it does not hold", host->id);
        return;
    }
    uint64_t const first = host->given > 64 ? host->given - 64 : 0;
    for (uint64_t height = first; height <= host->given; height++) {
        struct cs_event event = {.kind = CS_EV_EXECUTED};
        event.executed.height = height;
        event.executed.root = oracle_root(sim, height);
        event.executed.next = sim_candidate(sim, height);
        sim_host_step(sim, host, &event);
    }
    host->executor_free_ns = sim->now_ns;
}

static void links_tell(struct sim *sim, struct sim_host *host)
{
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        struct sim_host *const other = &sim->host[i];
        if (other == host || other->key == host->key || !other->up || sim->link_down[i][host->id] ||
            sim_chance(&sim->rng, 300000)) {
            continue;
        }
        struct sim_item *item = sim_push(sim, sim->now_ns + SIM_MS, SIM_STEP, i);
        item->event.kind = CS_EV_LINK;
        item->event.link.peer = host->id;
        item->event.link.up = true;
        item = sim_push(sim, sim->now_ns + SIM_MS, SIM_STEP, host->id);
        item->event.kind = CS_EV_LINK;
        item->event.link.peer = other->id;
        item->event.link.up = true;
    }
}

void sim_host_start(struct sim *sim, struct sim_host *host)
{
    NV_ASSERT(!host->up);
    host->up = true;
    host->life++;
    host->timer++;
    if (host->wiped) {
        host->wiped = false;
        host->sit_out_ms = sim_wall_ms(sim) + SIM_AHEAD_MS;
    }
    engine_new(sim, host);
    sim_trace(sim, host->id, "start", host->life, host->disk.size);
    recover(sim, host);
    if (sim->failed) {
        return;
    }
    host->set = *cs_validators(host->cs);
    host->root = oracle_root(sim, 0);
    replay(sim, host);
    struct cs_event event = {.kind = CS_EV_START};
    sim_host_step(sim, host, &event);
    if (host->up) {
        event = (struct cs_event){.kind = CS_EV_WORK,
                                  .work = {.waiting = host->work ? SIM_ENDLESS : 0}};
        sim_host_step(sim, host, &event);
    }
    if (host->up && host->life > 1) {
        links_tell(sim, host);
    }
}

static void bodies_lose(struct sim_host *host)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < host->body_count; i++) {
        if (host->body[i].kept != 0 && host->body[i].kept <= host->disk.durable) {
            host->body[kept++] = host->body[i];
        }
    }
    host->body_count = kept;
    memset(host->need, 0, sizeof host->need);
    host->built.size = 0;
}

void sim_host_crash(struct sim *sim, struct sim_host *host)
{
    uint32_t const from = host->disk.durable;
    sim_trace(sim, host->id, "crash", host->disk.size, host->op_count);
    host->up = false;
    host->life++;
    sim_host_drop_ops(host);
    sim_fault(sim, SIM_FAULT_CRASH);
    sim_disk_crash(sim, &host->disk);
    sim_host_durable(sim, host, nv_view_of(host->disk.bytes + from, host->disk.durable - from));
    bodies_lose(host);
    sim_push(sim,
             sim->now_ns + sim_between(&sim->rng, SIM_MS, sim->conf.nap_max_ns),
             SIM_RESTART,
             host->id);
}

void sim_host_wipe(struct sim *sim, struct sim_host *host)
{
    sim_host_crash(sim, host);
    sim_trace(sim, host->id, "wipe", host->disk.size, 0);
    host->disk.size = 0;
    host->disk.durable = 0;
    host->disk.batch_count = 0;
    bodies_lose(host);
    host->wiped = true;
}

void sim_host_clear(struct sim_host *host)
{
    struct sim_host const last = *host;
    sim_host_drop_ops(host);
    shelf_drop(&host->shelf);
    memset(host, 0, sizeof *host);
    host->memory = last.memory;
    host->memory_size = last.memory_size;
    host->op = last.op;
    host->op_cap = last.op_cap;
    host->disk.bytes = last.disk.bytes;
    host->disk.cap = last.disk.cap;
    host->disk.batch = last.disk.batch;
    host->disk.batch_cap = last.disk.batch_cap;
    host->body = last.body;
    host->body_cap = last.body_cap;
    host->durable = last.durable;
    if (host->durable == NULL) {
        host->durable = calloc(SIM_VIEWS_MAX, sizeof *host->durable);
        NV_ASSERT(host->durable != NULL);
    } else {
        memset(host->durable, 0, (last.durable_top + 1) * sizeof *host->durable);
    }
}
