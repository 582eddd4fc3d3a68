/* The shell of one engine: performs effects in order, stalls at a PERSIST until
 * the disk has it, and may die before any of them. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/check.h"
#include "tests/sim/liar.h"
#include "tests/sim/sim.h"

#define ENCODED_EVERY 16u
#define KEPT_BLOCKS   512u /* in a run that forgets journals */

/* ---- the queue of effects ---- */

static struct sim_op *op_at(struct sim_host *host, uint32_t index)
{
    return &host->op[host->op_first + index];
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
        op->to = sim_receivers(sim, host, effect->send.peer);
        op->type = (uint8_t)effect->send.type;
    } else if (effect->kind == CS_FX_PUBLISH_BODY) {
        op->hash = effect->body.block_hash;
        op->to = sim_receivers(sim, host, CS_NOBODY);
    } else if (effect->kind == CS_FX_EXECUTE) {
        op->header = malloc(sizeof *op->header);
        NV_ASSERT(op->header != NULL);
        *op->header = *effect->execute.header;
        op->hash = effect->execute.block_hash;
    }
    if (bytes.size > 0) {
        op->bytes = sim_bytes_new(bytes);
    }
    host->op_count++;
}

static struct nv_view op_view(const struct sim_op *op)
{
    return nv_view_of(op->bytes->data, op->bytes->size);
}

static void op_pop(struct sim_host *host)
{
    sim_bytes_drop(op_at(host, 0)->bytes);
    free(op_at(host, 0)->header);
    host->op_first++;
    host->op_count--;
    if (host->op_count == 0) {
        host->op_first = 0;
    }
}

void sim_host_drop_ops(struct sim_host *host)
{
    while (host->op_count > 0) {
        op_pop(host);
    }
}

/* ---- execution ---- */

/* target_check ends the run when every honest host is where it has to come. */
static void target_check(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        if (sim->host[i].honest && sim->host[i].given < sim->target) {
            return;
        }
    }
    sim->done = true;
}

static void execute(struct sim *sim, struct sim_host *host, const struct sim_op *op)
{
    uint64_t const height = op->header->height;
    uint64_t const start =
        host->executor_free_ns > sim->now_ns ? host->executor_free_ns : sim->now_ns;
    if (height == 1) {
        host->branch = nv_be64_load(op->hash.bytes);
    }
    oracle_executed(sim, host, op->header, &op->hash); /* of a liar, too: finality is finality */
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
    host->told = height > host->told ? height : host->told;
    if (!sim->conf.keep_journals && height % KEPT_BLOCKS == 0) {
        shelf_trim(&host->shelf, KEPT_BLOCKS);
        sim_body_trim(host, KEPT_BLOCKS);
    }
    if (sim->target != 0 && height >= sim->target) {
        target_check(sim);
    }
    bool const slow = (sim->conf.slow >> host->id & 1u) != 0;
    host->executor_free_ns = start + sim_between(&sim->rng, 0, sim->conf.exec_max_ns) +
                             (slow ? sim->conf.slow_ns / 4 : 0);
    struct sim_item *const item = sim_push(sim, host->executor_free_ns, SIM_STEP, host->id);
    item->event.kind = CS_EV_EXECUTED;
    item->event.executed.height = height;
    item->event.executed.root = host->root;
    item->event.executed.next = sim_candidate(sim, height);
}

/* ---- performing ---- */

/* journal_write hands the records of a PERSIST to the disk's buffer. */
static void journal_write(struct sim *sim, struct sim_host *host, struct sim_op *op)
{
    struct nv_reader r;
    if (op->written) {
        return;
    }
    sim_disk_append(&host->disk, op_view(op));
    op->written = true;
    op->end = host->disk.size;
    nv_reader_init(&r, op_view(op));
    while (nv_reader_left(&r) > 0) {
        struct cs_record record;
        enum nv_err const err = cs_record_get(&r, &record);
        NV_ASSERT(err == NV_OK);
        oracle_record(sim, host, &record);
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
    journal_write(sim, host, op);
    if (!op->sync || host->disk.durable >= op->end) {
        return true;
    }
    if (host->disk.syncing_to == 0) {
        for (uint32_t i = 1; sim->conf.one_batch && i < host->op_count; i++) {
            if (op_at(host, i)->kind == CS_FX_PERSIST) {
                journal_write(sim, host, op_at(host, i));
            }
        }
        sim_disk_sync(sim, host);
    }
    return false;
}

static void send(struct sim *sim, struct sim_host *host, const struct sim_op *op)
{
    struct nv_view const bytes = op_view(op);
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
    if (sim->steps % ENCODED_EVERY == 0) {
        oracle_encoded(sim, &message, bytes);
    }
    sim_net_post(sim, host, op->to, op->type, bytes);
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

uint32_t sim_receivers(const struct sim *sim, const struct sim_host *host, uint32_t peer)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        uint32_t const number = sim_number(sim, &host->set, i);
        bool const self =
            i == host->id || (sim->host[i].key == host->key && host->key != CS_NOBODY);
        bool const meant = peer == CS_NOBODY ? number < host->set.count : number == peer;
        bits |= meant && !self ? 1u << i : 0;
    }
    return bits;
}

uint64_t sim_digest(const struct cs_ballot *ballot)
{
    return (nv_be64_load(ballot->block_hash.bytes) ^ (ballot->parent_view << 1)) | 1u;
}

void sim_host_durable(struct sim *sim, struct sim_host *host, struct nv_view records)
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
        if (record.type == CS_RECORD_EVIDENCE) {
            proof_kept(sim, host, &record.evidence.item);
            continue;
        }
        if (view >= SIM_VIEWS_MAX) {
            continue;
        }
        host->durable_top = view > host->durable_top ? view : host->durable_top;
        if (record.type == CS_RECORD_VOTE) {
            const struct cs_ballot *const ballot = &record.vote.ballot;
            host->durable[view].vote[ballot->kind] = sim_digest(ballot);
        } else if (record.type == CS_RECORD_CERTIFICATE &&
                   record.certificate.ballot.kind == CS_NOTARIZE) {
            host->durable[view].certificate = true;
        }
    }
}

/* journal_forget drops what is durable: no restart will ask for it. */
static void journal_forget(struct sim_host *host)
{
    uint32_t const gone = host->disk.durable;
    for (uint32_t i = 0; i < host->op_count; i++) {
        struct sim_op *const op = op_at(host, i);
        op->end = op->end > gone ? op->end - gone : 0;
    }
    sim_disk_forget(&host->disk);
}

void sim_host_synced(struct sim *sim, struct sim_host *host)
{
    uint32_t const from = host->disk.durable;
    if (sim_chaos(sim) && sim_chance(&sim->rng, sim->conf.sync_fails)) {
        sim_fault(sim, SIM_FAULT_SYNC);
        sim_trace(sim, host->id, "sync-failed", 0, 0);
        sim_host_crash(sim, host);
        return;
    }
    sim_disk_done(&host->disk);
    sim_host_durable(sim, host, nv_view_of(host->disk.bytes + from, host->disk.durable - from));
    if (!sim->conf.keep_journals) {
        journal_forget(host);
    }
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
        sim->halts++;
        sim_push(sim, sim->now_ns + 50 * SIM_MS, SIM_CRASH, host->id);
    }
}

static void timer_set(struct sim *sim, struct sim_host *host, uint64_t at_ns)
{
    uint64_t at = at_ns > sim->now_ns ? at_ns : sim->now_ns;
    if (at > sim->now_ns && sim_chance(&sim->rng, sim->conf.early)) {
        sim_fault(sim, SIM_FAULT_TIMER);
        at = sim_between(&sim->rng, sim->now_ns, at);
    }
    host->timer++;
    sim_push(sim, at, SIM_TIMER, host->id)->a = host->timer;
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
    case CS_FX_SEND:
    case CS_FX_BROADCAST: op_push(sim, host, effect); break;
    case CS_FX_EXECUTE:
        proof_given(sim, effect);
        op_push(sim, host, effect);
        break;
    case CS_FX_PUBLISH_BODY:
        sim_body_name(host, &effect->body.block_hash);
        if (sim->conf.at_once) {
            uint32_t const all = sim_receivers(sim, host, CS_NOBODY);
            sim_body_publish(sim, host, &effect->body.block_hash, all);
        } else {
            op_push(sim, host, effect);
        }
        break;
    case CS_FX_SET_TIMER: timer_set(sim, host, effect->timer.at_ns); break;
    case CS_FX_BUILD: sim_body_build(sim, host, effect); break;
    case CS_FX_NEED_BODY: sim_body_need(sim, host, effect); break;
    case CS_FX_EVIDENCE:
        sim_trace(sim, host->id, "evidence", effect->evidence.vote[0].signer, 0);
        evidence(sim, host, effect);
        break;
    case CS_FX_TRACE:
        sim->past_forks += effect->trace.code == CS_TRACE_PAST_FORK ? 1 : 0;
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
    host->fastest_ms = host->skew_ms > host->fastest_ms ? host->skew_ms : host->fastest_ms;
    event->wall_ms = (uint64_t)((int64_t)sim_wall_ms(sim) + host->skew_ms);
    sim->steps++;
    if (event->kind == CS_EV_LINK) {
        event->link.peer = sim_number(sim, &host->set, event->link.peer);
    }
    cs_step(host->cs, event, sim->effects);
    for (uint32_t i = 0; i < sim->effects->count; i++) {
        effect_do(sim, host, &sim->effects->list[i]);
    }
    memory_check(sim, host);
    if (host->life == life) {
        sim_host_pump(sim, host);
    }
}

/* host_answer sends to one host what was asked for; a liar changes it. */
static void
host_answer(struct sim *sim, struct sim_host *host, uint32_t to, uint8_t type, struct nv_view bytes)
{
    if (host->honest) {
        sim_net_send(sim, host->id, to, type, bytes);
    } else {
        liar_send(sim, host, to, type, bytes);
    }
}

void sim_host_mail(struct sim *sim, struct sim_host *host, const struct sim_item *item)
{
    struct cs_message message;
    struct nv_view const bytes = nv_view_of(item->bytes->data, item->bytes->size);
    const struct sim_host *const source = &sim->host[item->from];
    bool const honest = source->honest;
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
            host_answer(sim, host, source->id, CS_MSG_BLOCK_RESPONSE, nv_writer_view(&w));
        }
        return;
    }
    if (message.type == CS_MSG_EPOCH_REQUEST) {
        struct nv_view handover;
        if (shelf_handover(&host->shelf, message.epoch_request.epoch, &handover)) {
            host_answer(sim, host, source->id, CS_MSG_EPOCH_RESPONSE, handover);
        }
        return;
    }
    if (message.type == CS_MSG_BODY_CHUNK) {
        sim_body_chunk(sim, host, &message.body_chunk);
        return;
    }
    if (message.type == CS_MSG_BODY_REQUEST) {
        sim_body_request(sim, host, source->id, &message.body_request);
        return;
    }
    uint32_t const from = sim_number(sim, &host->set, source->id);
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
