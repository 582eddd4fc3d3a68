/* The shell of one engine: performs effects in order, stalls at a PERSIST until
 * the disk has it, and may die before any of them. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/sim.h"

/* ---- the queue of effects ---- */

static struct sim_op *op_at(struct sim_host *host, uint32_t index)
{
    return &host->op[host->op_first + index];
}

/* receivers returns the hosts that an effect's peer stands for, as bits. */
static uint32_t receivers(const struct sim *sim, const struct sim_host *host, uint32_t peer)
{
    uint32_t bits = 0;
    if (peer != CS_NOBODY) {
        uint32_t const id = sim_named(sim, &host->set, peer);
        return id < sim->conf.hosts ? 1u << id : 0;
    }
    for (uint32_t i = 0; i < host->set.count; i++) {
        bits |= 1u << sim_named(sim, &host->set, i);
    }
    return bits & ~(1u << host->id);
}

static void op_push(struct sim *sim, struct sim_host *host, const struct cs_effect *effect)
{
    struct nv_view bytes = nv_view_of(NULL, 0);
    if (host->op_first + host->op_count == host->op_cap) {
        if (host->op_first > 0) {
            memmove(host->op, op_at(host, 0), host->op_count * sizeof *host->op);
            host->op_first = 0;
        }
        if (host->op_count == host->op_cap) {
            host->op_cap = host->op_cap == 0 ? 64 : 2 * host->op_cap;
            host->op = realloc(host->op, host->op_cap * sizeof *host->op);
            NV_ASSERT(host->op != NULL);
        }
    }
    struct sim_op *const op = op_at(host, host->op_count);
    memset(op, 0, sizeof *op);
    op->kind = effect->kind;
    if (effect->kind == CS_FX_PERSIST) {
        bytes = effect->persist.records;
        op->sync = effect->persist.sync;
    } else if (effect->kind == CS_FX_SEND || effect->kind == CS_FX_BROADCAST) {
        bytes = effect->send.bytes;
        op->to = receivers(sim, host, effect->send.peer);
        op->type = (uint8_t)effect->send.type;
    } else if (effect->kind == CS_FX_PUBLISH_BODY) {
        op->hash = effect->body.block_hash;
        op->to = receivers(sim, host, CS_NOBODY);
    } else if (effect->kind == CS_FX_EXECUTE) {
        op->header = *effect->execute.header;
        op->hash = effect->execute.block_hash;
    }
    if (bytes.size > 0) {
        op->bytes = malloc(bytes.size);
        NV_ASSERT(op->bytes != NULL);
        memcpy(op->bytes, bytes.bytes, bytes.size);
        op->size = bytes.size;
    }
    host->op_count++;
}

static void op_pop(struct sim_host *host)
{
    free(op_at(host, 0)->bytes);
    host->op_first++;
    host->op_count--;
    if (host->op_count == 0) {
        host->op_first = 0;
    }
}

/* ---- execution ---- */

static void execute(struct sim *sim, struct sim_host *host, const struct sim_op *op)
{
    uint64_t const height = op->header.height;
    uint64_t const start =
        host->executor_free_ns > sim->now_ns ? host->executor_free_ns : sim->now_ns;
    if (height == 1) {
        host->branch = nv_be64_load(op->hash.bytes);
    }
    oracle_executed(sim, host, &op->header, &op->hash); /* of a liar, too: finality is finality */
    if (sim->failed) {
        return;
    }
    if (height != host->given + 1) {
        sim_fail(sim, "host %u executes height %u out of order", host->id, (unsigned)height);
        return;
    }
    host->given = height;
    host->root =
        sim->conf.fork ? oracle_root_next(&host->root, &op->hash) : oracle_root(sim, height);
    host->executor_free_ns = start + sim_between(&sim->rng, 0, sim->conf.exec_max_ns);
    struct sim_item *const item = sim_push(sim, host->executor_free_ns, SIM_STEP, host->id);
    item->event.kind = CS_EV_EXECUTED;
    item->event.executed.height = height;
    item->event.executed.root = host->root;
    item->event.executed.next = sim_candidate(sim, height);
}

/* ---- performing ---- */

/* journal_write hands the records of a PERSIST to the disk's buffer. */
static void journal_write(struct sim_host *host, struct sim_op *op)
{
    struct nv_reader r;
    if (op->written) {
        return;
    }
    sim_disk_append(&host->disk, nv_view_of(op->bytes, op->size));
    op->written = true;
    op->end = host->disk.size;
    nv_reader_init(&r, nv_view_of(op->bytes, op->size));
    while (nv_reader_left(&r) > 0) {
        struct cs_record record;
        enum nv_err const err = cs_record_get(&r, &record);
        NV_ASSERT(err == NV_OK);
        shelf_add(&host->shelf, &record);
        if (record.type == CS_RECORD_BLOCK) {
            struct nv_hash hash;
            cs_header_hash(&hash, &record.block.header);
            struct sim_body *const body = sim_body_find(host, &hash);
            if (body != NULL && body->kept == 0) {
                body->kept = host->disk.size;
            }
        }
    }
}

/* persist returns whether the queue may go on. */
static bool persist(struct sim *sim, struct sim_host *host, struct sim_op *op)
{
    journal_write(host, op);
    if (!op->sync || host->disk.durable >= op->end) {
        return true;
    }
    if (host->disk.syncing_to == 0) {
        for (uint32_t i = 1; sim->conf.one_batch && i < host->op_count; i++) {
            if (op_at(host, i)->kind == CS_FX_PERSIST) {
                journal_write(host, op_at(host, i));
            }
        }
        sim_disk_sync(sim, host);
    }
    return false;
}

static void send(struct sim *sim, struct sim_host *host, const struct sim_op *op)
{
    struct nv_view const bytes = nv_view_of(op->bytes, op->size);
    struct cs_message message;
    enum nv_err const err = cs_message_decode(&message, op->type, bytes);
    if (err != NV_OK) {
        sim_fail(sim, "host %u sends what does not decode (type %u)", host->id, op->type);
        return;
    }
    sim_trace(sim, host->id, "send", op->type, op->to);
    if (host->honest) {
        oracle_sent(sim, host, &message);
    }
    for (uint32_t to = 0; to < sim->conf.hosts; to++) {
        if ((op->to >> to & 1u) == 0) {
            continue;
        }
        if (host->honest) {
            sim_net_send(sim, host->id, to, op->type, bytes);
        } else {
            sim_byz_send(sim, host, to, op->type, bytes);
        }
    }
}

void sim_host_pump(struct sim *sim, struct sim_host *host)
{
    while (host->op_count > 0 && host->up) {
        struct sim_op *const op = op_at(host, 0);
        if (sim_chaos(sim) && sim_chance(&sim->rng, sim->conf.crash_op)) {
            sim_host_crash(sim, host);
            return;
        }
        if (op->kind == CS_FX_PERSIST) {
            if (!persist(sim, host, op)) {
                return;
            }
        } else if (op->kind == CS_FX_PUBLISH_BODY) {
            sim_body_publish(sim, host, &op->hash, op->to);
        } else if (op->kind == CS_FX_EXECUTE) {
            execute(sim, host, op);
        } else {
            send(sim, host, op);
        }
        op_pop(host);
    }
}

/* durable_note notes what a batch has made durable. */
static void durable_note(struct sim *sim, struct sim_host *host, struct nv_view records)
{
    struct nv_reader r;
    nv_reader_init(&r, records);
    while (nv_reader_left(&r) > 0) {
        struct cs_record record;
        enum nv_err const err = cs_record_get(&r, &record);
        NV_ASSERT(err == NV_OK);
        struct cs_moment const moment = cs_record_moment(&record);
        uint64_t const view = sim_slot(sim, moment.epoch, moment.view);
        oracle_durable(sim, host, &record);
        if (view >= SIM_VIEWS_MAX) {
            continue;
        }
        if (record.type == CS_RECORD_VOTE) {
            const struct cs_ballot *const ballot = &record.vote.ballot;
            host->durable[view].has[ballot->kind] = true;
            host->durable[view].hash[ballot->kind] = ballot->block_hash;
        } else if (record.type == CS_RECORD_CERTIFICATE &&
                   record.certificate.ballot.kind == CS_NOTARIZE) {
            host->durable[view].certificate = true;
        }
    }
}

void sim_host_synced(struct sim *sim, struct sim_host *host)
{
    uint32_t const from = host->disk.durable;
    if (sim_chaos(sim) && sim_chance(&sim->rng, sim->conf.sync_fails)) {
        sim_trace(sim, host->id, "sync-failed", 0, 0);
        sim_host_crash(sim, host);
        return;
    }
    sim_disk_done(&host->disk);
    durable_note(sim, host, nv_view_of(host->disk.bytes + from, host->disk.durable - from));
    sim_host_pump(sim, host);
}

/* ---- stepping ---- */

static void halt(struct sim *sim, struct sim_host *host, const struct cs_effect *effect)
{
    sim_trace(sim, host->id, "halt", (uint64_t)effect->halt.code, effect->halt.height);
    if (sim->conf.fork) {
        fork_halted(sim, host, effect);
    } else if (host->honest) {
        sim_fail(sim, "honest host %u halts with %d", host->id, (int)effect->halt.code);
    } else { /* a liar that was caught out begins anew */
        sim_push(sim, sim->now_ns + 50 * SIM_MS, SIM_CRASH, host->id);
    }
}

static void records_tell(struct sim *sim, struct sim_host *host, struct nv_view records)
{
    struct nv_reader r;
    nv_reader_init(&r, records);
    while (nv_reader_left(&r) > 0) {
        struct cs_record record;
        if (cs_record_get(&r, &record) != NV_OK) {
            sim_fail(sim, "host %u writes a record that does not decode", host->id);
            return;
        }
        oracle_record(sim, &record);
    }
}

static void evidence(struct sim *sim, struct sim_host *host, const struct cs_effect *effect)
{
    const struct cs_vote *const vote = &effect->evidence.vote[0];
    uint32_t const offender = sim_named(sim, &host->set, vote->signer);
    sim->evidence++;
    proof_found(sim, host, offender, vote->ballot.epoch);
    if (sim->host[offender].honest) {
        sim_fail(sim, "evidence against honest %u", offender);
    }
}

static void effect_do(struct sim *sim, struct sim_host *host, const struct cs_effect *effect)
{
    switch (effect->kind) {
    case CS_FX_PERSIST:
        records_tell(sim, host, effect->persist.records);
        op_push(sim, host, effect);
        break;
    case CS_FX_SEND:
    case CS_FX_BROADCAST: op_push(sim, host, effect); break;
    case CS_FX_EXECUTE:
        proof_given(sim, effect);
        op_push(sim, host, effect);
        break;
    case CS_FX_PUBLISH_BODY:
        sim_body_name(host, &effect->body.block_hash);
        if (sim->conf.at_once) {
            sim_body_publish(sim, host, &effect->body.block_hash, receivers(sim, host, CS_NOBODY));
        } else {
            op_push(sim, host, effect);
        }
        break;
    case CS_FX_SET_TIMER:
        host->timer_ns = effect->timer.at_ns > sim->now_ns ? effect->timer.at_ns : sim->now_ns;
        sim_push(sim, host->timer_ns, SIM_TIMER, host->id);
        break;
    case CS_FX_BUILD: sim_body_build(sim, host, effect); break;
    case CS_FX_NEED_BODY: sim_body_need(sim, host, effect); break;
    case CS_FX_EVIDENCE:
        sim_trace(sim, host->id, "evidence", effect->evidence.vote[0].signer, 0);
        evidence(sim, host, effect);
        break;
    case CS_FX_TRACE:
        sim_trace(
            sim, host->id, cs_trace_name(effect->trace.code), effect->trace.view, effect->trace.a);
        break;
    case CS_FX_EPOCH: host->set = *effect->epoch.set; break;
    case CS_FX_HALT: halt(sim, host, effect); break;
    }
}

void sim_host_step(struct sim *sim, struct sim_host *host, struct cs_event *event)
{
    uint32_t const life = host->life;
    event->now_ns = sim->now_ns;
    event->wall_ms = (uint64_t)((int64_t)(SIM_GENESIS_MS + sim->now_ns / SIM_MS) + host->skew_ms);
    sim->steps++;
    if (event->kind == CS_EV_LINK) {
        event->link.peer = sim_number(sim, &host->set, event->link.peer);
    }
    cs_step(host->cs, event, sim->effects);
    for (uint32_t i = 0; i < sim->effects->count; i++) {
        effect_do(sim, host, &sim->effects->list[i]);
    }
    struct cs_summary const summary = cs_summary(host->cs);
    if (summary.blocks_held > 2 * sim->conf.views_max + 256 || host->op_count > 20000) {
        sim_fail(sim, "host %u holds too much", host->id);
    }
    if (host->life == life && !host->blocked) {
        sim_host_pump(sim, host);
    }
}

void sim_host_mail(struct sim *sim, struct sim_host *host, const struct sim_item *item)
{
    struct cs_message message;
    struct nv_view const bytes = nv_view_of(item->bytes, item->size);
    bool const honest = sim->host[item->from].honest;
    if (cs_message_decode(&message, item->type, bytes) != NV_OK) {
        if (honest) {
            sim_fail(sim, "message of honest %u is refused", item->from);
        }
        return;
    }
    if (message.type == CS_MSG_BLOCK_REQUEST) {
        static uint8_t answer[CS_BLOCK_RESPONSE_SIZE_MAX];
        struct nv_writer w;
        nv_writer_init(&w, answer, sizeof answer);
        if (shelf_answer(&host->shelf, &w, &message.block_request)) {
            sim_net_send(sim, host->id, item->from, CS_MSG_BLOCK_RESPONSE, nv_writer_view(&w));
        }
        return;
    }
    if (message.type == CS_MSG_EPOCH_REQUEST) {
        struct nv_view handover;
        if (shelf_handover(&host->shelf, message.epoch_request.epoch, &handover)) {
            sim_net_send(sim, host->id, item->from, CS_MSG_EPOCH_RESPONSE, handover);
        }
        return;
    }
    if (message.type == CS_MSG_BODY_CHUNK) {
        sim_body_chunk(sim, host, &message.body_chunk);
        return;
    }
    if (message.type == CS_MSG_BODY_REQUEST) {
        sim_body_request(sim, host, item->from, &message.body_request);
        return;
    }
    uint32_t const from = sim_number(sim, &host->set, item->from);
    struct cs_plan const plan = cs_admit(host->cs, from, &message);
    if (!plan.wanted) {
        return;
    }
    if (!cs_message_check(&message, &plan, &sim->net.chain_id, &host->set)) {
        if (honest) {
            sim_fail(sim, "signature in a message of honest %u is wrong", item->from);
        }
        return;
    }
    struct cs_event event = {.kind = CS_EV_MESSAGE};
    event.message.from = from;
    event.message.message = &message;
    event.message.plan = &plan;
    sim_host_step(sim, host, &event);
}

/* ---- life and death ---- */

static void engine_new(struct sim *sim, struct sim_host *host)
{
    struct nv_arena arena;
    struct cs_config const config = {
        .chain_id = sim->net.chain_id,
        .genesis_root = oracle_root(sim, 0),
        .params_hash = cs_build_hash(3),
        .genesis_time_ms = SIM_GENESIS_MS,
        .valset = &sim->epoch[1].set,
        .delay_ns = sim->conf.delay_ns,
        .margin_ns = 20 * SIM_MS,
        .idle_ms = sim->conf.idle_ms,
        .ahead_ms = 500,
        .behind_ms = 2000,
        .body_size_max = CS_BODY_SIZE_MAX,
        .validators_max = sim->conf.hosts,
        .epoch_ms = sim->conf.epoch_ms,
        .seckey = sim->net.seckey[host->id],
        .listen_ns = sim->conf.listen_ns,
        .status_ns = sim->conf.status_ns,
        .views_max = sim->conf.views_max,
    };
    size_t const size = cs_memory(&config);
    free(host->memory);
    host->memory = calloc(1, size); /* most of it is never touched */
    NV_ASSERT(host->memory != NULL);
    nv_arena_init_zeroed(&arena, host->memory, size);
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
        if (!host->honest && record.type == CS_RECORD_VOTE) {
            continue; /* a liar forgets */
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
        if (other == host || !other->up || sim->link_down[i][host->id] ||
            sim_chance(&sim->rng, 300000)) {
            continue;
        }
        struct sim_item *item = sim_push(sim, sim->now_ns + SIM_MS, SIM_STEP, i);
        item->event.kind = CS_EV_LINK;
        item->event.link.peer = host->id;
        item->event.link.up = true;
        item = sim_push(sim, sim->now_ns + SIM_MS, SIM_STEP, host->id);
        item->event.kind = CS_EV_LINK;
        item->event.link.peer = i;
        item->event.link.up = true;
    }
}

void sim_host_start(struct sim *sim, struct sim_host *host)
{
    NV_ASSERT(!host->up);
    host->up = true;
    host->life++;
    host->timer_ns = SIM_NEVER;
    host->blocked = false;
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
        event = (struct cs_event){.kind = CS_EV_WORK, .work = {.pending = host->work}};
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
    while (host->op_count > 0) {
        op_pop(host);
    }
    sim_disk_crash(sim, &host->disk);
    durable_note(sim, host, nv_view_of(host->disk.bytes + from, host->disk.durable - from));
    bodies_lose(host);
    sim_push(sim,
             sim->now_ns + sim_between(&sim->rng, SIM_MS, sim->conf.nap_max_ns),
             SIM_RESTART,
             host->id);
}

void sim_host_free(struct sim_host *host)
{
    while (host->op_count > 0) {
        op_pop(host);
    }
    free(host->op);
    free(host->memory);
    free(host->disk.bytes);
    free(host->disk.batch);
    free(host->body);
    free(host->durable);
    shelf_drop(&host->shelf);
    memset(host, 0, sizeof *host);
}
