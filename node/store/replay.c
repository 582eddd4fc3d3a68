/* From the journal to the present: every record is read again, and the final
 * blocks above the checkpoint are executed. */

#include <string.h>

#include "base/bug.h"
#include "base/crash.h"
#include "base/fmt.h"
#include "base/heap.h"
#include "base/log.h"

#include "node/replica/body.h"
#include "node/store/start.h"
#include "vm/rows.h"

#define ROOTS_KNOWN    64u /* state roots that the engine is told */
#define PROGRESS_EVERY 100000u

static const struct replica_time never; /* before the start there is no time */

/* One walk up the final blocks. */
struct walk {
    const struct node_start *start;
    struct replica_store store;
    uint64_t tip;
    struct node_body body;
    struct replica_block block;
    uint64_t final_height; /* of the certificate in `final`; 0: none */
    struct nv_hash final_hash;
    uint32_t final_size;
    uint8_t final[CS_CERTIFICATE_SIZE_MAX];
    struct vm_offence offence[CS_EVIDENCE_MAX];
    struct replica_set set; /* room for one */
    bool told;              /* the replica knows a set */
};

static bool broken(const struct node_start *s, const char *what, uint64_t height, enum nv_err err)
{
    node_fault_set(s->fault,
                   err == NV_ERR_NO_MEMORY ? NODE_EXIT_FAILED : NODE_EXIT_STORAGE,
                   "restore the data folder, or move it away to begin anew (not a validator's)",
                   "%s: %s at height %" NV_U64 ": %s",
                   s->journal_dir,
                   what,
                   height,
                   nv_err_text(err));
    return false;
}

/* lacks_state returns whether the state cannot be made of the journal, which has
 * not all blocks, and is not in the database either. */
static bool lacks_state(const struct node_start *s)
{
    uint64_t const height = node_machine_head(s->machine).height;
    bool const pruned = st_journal_first(s->journal) != 1;
    if (height >= s->store->base_height && (height > 0 || !pruned)) {
        return false;
    }
    node_fault_set(s->fault,
                   NODE_EXIT_STORAGE,
                   NULL,
                   "%s: the database is not there, and the journal cannot make it anew: its oldest "
                   "blocks are gone, or came by a snapshot",
                   s->state_dir);
    node_fault_hint(s->fault,
                    "restore %s, or move %s away to begin anew (a validator then with --sit-out)",
                    s->state_dir,
                    s->data);
    return true;
}

/* ---- records ---- */

static enum nv_err read_base(struct node_store *store, struct nv_view payload)
{
    struct nv_reader r;
    nv_reader_init(&r, payload);
    store->base_height = nv_get_u64(&r);
    (void)nv_get_view(&r, NV_HASH_SIZE); /* of the block, whose record stands before */
    nv_get_bytes(&r, store->base_root.bytes, NV_HASH_SIZE);
    return nv_reader_end(&r) == NV_OK ? NV_OK : NV_ERR_CORRUPT;
}

static bool read_records(const struct node_start *s, bool *votes)
{
    struct st_replay *replay = NULL;
    struct st_record record;
    uint64_t count = 0;
    enum nv_err err = node_start__begin(s);
    err = err == NV_OK ? st_replay_open(&replay, s->journal, 0) : err;
    while (err == NV_OK && (err = st_replay_next(replay, &record)) == NV_OK) {
        err = node_store__note(s->store, &record);
        if (err == NV_OK) {
            err = replica_recover(s->store->replica, record.type, record.bytes);
        }
        *votes = *votes || record.type == CS_RECORD_VOTE;
        if (err == NV_OK && record.type == NODE_RECORD_BASE) {
            err = read_base(s->store, record.bytes);
        }
        if (++count % PROGRESS_EVERY == 0) {
            nv_log(NV_LOG_INFO,
                   "event=replay stage=records records=%" NV_U64 " final=%" NV_U64,
                   count,
                   node_blocks_final(s->store->blocks));
        }
    }
    if (replay != NULL) {
        st_replay_close(replay);
    }
    if (err != NV_ERR_NOT_FOUND) {
        return broken(s, "a record cannot be used", node_blocks_final(s->store->blocks), err);
    }
    nv_log(NV_LOG_INFO,
           "event=replayed stage=records records=%" NV_U64 " final=%" NV_U64,
           count,
           node_blocks_final(s->store->blocks));
    return true;
}

/* ---- blocks ---- */

/* read_final finds the certificate that made a block final: its own, or that
 * of the next descendant that has one. */
static enum nv_err read_final(struct walk *w, uint64_t height)
{
    struct replica_stored stored;
    for (uint64_t h = height; w->final_height < height && h <= w->tip; h++) {
        NV_TRY(w->store.by_height(w->store.ctx, h, &stored));
        if (stored.final.size > 0 && stored.final.size <= sizeof w->final) {
            struct nv_reader r;
            struct cs_certificate certificate;
            nv_reader_init(&r, stored.final);
            NV_TRY(cs_certificate_get(&r, &certificate));
            memcpy(w->final, stored.final.bytes, stored.final.size);
            w->final_size = stored.final.size;
            w->final_hash = certificate.ballot.block_hash;
            w->final_height = h;
        }
    }
    return NV_OK;
}

/* read_facts writes what consensus knows of a block.  A record of the parent's
 * header is there too: of what stands below a base, that of the base. */
static enum nv_err read_facts(struct walk *w, uint64_t height)
{
    struct replica_stored stored;
    struct nv_reader r;
    struct cs_block block;
    struct cs_header parent = {.executed_height = 0};
    if (height > 1) {
        NV_TRY(node_blocks_header(w->start->store->blocks, height - 1, &parent));
    }
    NV_TRY(w->store.by_height(w->store.ctx, height, &stored));
    nv_reader_init(&r, stored.block);
    NV_TRY(cs_block_get(&r, &block));
    replica_facts(&w->block.facts, w->offence, &block, parent.executed_height);
    return NV_OK;
}

/* read_block fills `w->block` with the final block of a height; end_block gives
 * its memory back. */
static enum nv_err read_block(struct walk *w, uint64_t height)
{
    struct replica_stored stored;
    struct nv_reader r;
    struct nv_view bytes;
    NV_TRY(read_final(w, height));
    NV_TRY(w->store.by_height(w->store.ctx, height, &stored));
    w->block = (struct replica_block){
        .final = nv_view_of(w->final, w->final_size),
        .final_hash = w->final_hash,
    };
    nv_reader_init(&r, stored.block);
    NV_TRY(cs_header_get(&r, &w->block.header));
    cs_header_hash(&w->block.hash, &w->block.header);
    node_body_init(&w->body, &w->block.hash);
    if (w->block.header.body_size == 0) {
        return NV_OK;
    }
    NV_TRY(w->store.body(w->store.ctx, &w->block.hash, &bytes));
    NV_TRY(node_body_set_header(&w->body, &w->block.header));
    NV_TRY(node_body_fill(&w->body, bytes));
    NV_TRY(node_body_decode(&w->body, &w->start->genesis->chain_id));
    w->block.body = nv_view_of(w->body.bytes, w->block.header.body_size);
    w->block.txs = w->body.txs;
    w->block.tx_count = w->body.tx_count;
    return NV_OK;
}

static void end_block(struct walk *w)
{
    node_body_deinit(&w->body);
}

/* ---- below the checkpoint ---- */

/* tell_root tells a height at or below the checkpoint, with the set that its state
 * gave: the first time, and where a set was chosen.
 * SPEC stake 4.6: "Choices are rows, the last eight of them." */
static void tell_root(struct walk *w, uint64_t height, const struct nv_hash *root)
{
    struct replica_outcome outcome = {.height = height, .root = *root, .next = NULL};
    if ((!w->told || height % VM_CHOICE_HEIGHTS == 0) &&
        node_machine_next(w->start->machine, height, &w->set)) {
        outcome.next = &w->set;
        w->told = true;
    }
    replica_checkpoint(w->start->store->replica, &outcome);
}

static bool tell_roots(struct walk *w, uint64_t height)
{
    const struct node_start *const s = w->start;
    uint64_t const base = s->store->base_height;
    uint64_t h = height > ROOTS_KNOWN ? height - ROOTS_KNOWN : 1;
    if (base >= h && base < height) {
        tell_root(w, base, &s->store->base_root);
    }
    for (h = h > base ? h : base + 1; h < height; h++) {
        struct node_executed executed;
        enum nv_err const err = node_blocks_read_executed(s->store->blocks, h, &executed);
        if (err != NV_OK) {
            return broken(s, "what a block yielded cannot be read", h, err);
        }
        tell_root(w, h, &executed.state_root);
    }
    struct rpc_head const head = node_machine_head(s->machine);
    tell_root(w, head.height, &head.state_root);
    return true;
}

/* read_base_block fills `w->block` with the header of a base, whose body is not
 * here. */
static enum nv_err read_base_block(struct walk *w, uint64_t height)
{
    w->block = (struct replica_block){.tx_count = 0};
    NV_TRY(node_blocks_header(w->start->store->blocks, height, &w->block.header));
    cs_header_hash(&w->block.hash, &w->block.header);
    node_body_init(&w->body, &w->block.hash);
    return NV_OK;
}

/* tell_window tells the blocks up to the checkpoint whose transactions may not
 * have expired, so that none of them is taken twice. */
static bool tell_window(struct walk *w, uint64_t height, uint64_t time_ms)
{
    const struct node_start *const s = w->start;
    struct cs_header header;
    uint64_t const base = s->store->base_height;
    uint64_t from = height;
    while (from > base + 1 && node_blocks_header(s->store->blocks, from - 1, &header) == NV_OK &&
           header.time_ms + VM_EXPIRY_MAX_MS >= time_ms) {
        from--;
    }
    for (uint64_t h = from; h <= height; h++) {
        enum nv_err err = h > base ? read_block(w, h) : read_base_block(w, h);
        if (err == NV_OK) {
            err = replica_replayed(s->store->replica, &w->block, NULL);
        }
        end_block(w);
        if (err != NV_OK) {
            return broken(s, "a block cannot be read", h, err);
        }
    }
    return true;
}

static bool below_checkpoint(struct walk *w)
{
    const struct node_start *const s = w->start;
    uint64_t const height = node_machine_head(s->machine).height;
    struct cs_header header;
    if (height == 0) {
        return true;
    }
    enum nv_err const err = node_blocks_header(s->store->blocks, height, &header);
    if (err != NV_OK) {
        return broken(s, "the checkpoint's block cannot be read", height, err);
    }
    node_machine_set_time(s->machine, header.time_ms);
    return tell_roots(w, height) && tell_window(w, height, header.time_ms);
}

/* ---- above the checkpoint ---- */

/* write_checkpoint makes room in the overlay. */
static enum nv_err write_checkpoint(const struct node_start *s)
{
    struct st_overlay *const overlay = node_machine_freeze(s->machine);
    if (overlay == NULL) {
        return NV_ERR_BUSY;
    }
    uint64_t const height = st_overlay_head(overlay)->height;
    node_store__index(s->store, overlay);
    NV_TRY(st_db_checkpoint(s->db, overlay));
    node_machine_thaw(s->machine, overlay);
    node_store__indexed(s->store, height);
    return NV_OK;
}

/* record_result appends what a block yielded, unless the journal has it. */
static enum nv_err record_result(const struct node_start *s, struct node_result *result)
{
    if (node_blocks_executed(s->store->blocks, result->head.height).segment != 0) {
        return NV_OK;
    }
    node_batch_clear(&s->store->own);
    if (!node_store__add(s->store, &s->store->own, result)) {
        return NV_ERR_CORRUPT;
    }
    NV_TRY(st_journal_append(s->journal, &s->store->own.batch));
    struct st_record record;
    node_batch_record(&s->store->own, 0, &record);
    return node_store__note(s->store, &record);
}

static enum nv_err run_block(struct walk *w, uint64_t height)
{
    const struct node_start *const s = w->start;
    struct node_result *result = NULL;
    NV_TRY(read_block(w, height));
    if (!NV_SEEDED(FACTS_FORGOTTEN)) {
        NV_TRY(read_facts(w, height));
    }
    enum nv_err err = node_machine_execute(s->machine, &w->block, &result);
    if (err == NV_ERR_BUSY) {
        NV_TRY(write_checkpoint(s));
        err = node_machine_execute(s->machine, &w->block, &result);
    }
    NV_TRY(err);
    err = record_result(s, result);
    NV_CRASH_POINT(REPLAYED_BLOCK);
    replica_wrote(s->store->replica, height, result->writes, result->write_count);
    if (result->in_force != NULL) {
        replica_validators(s->store->replica, never, result->in_force);
    }
    if (err == NV_OK) {
        struct replica_outcome const outcome = node_result_outcome(result);
        err = replica_replayed(s->store->replica, &w->block, &outcome);
    }
    node_result_free(result);
    return err;
}

static bool above_checkpoint(struct walk *w)
{
    const struct node_start *const s = w->start;
    uint64_t const from = node_machine_head(s->machine).height + 1;
    for (uint64_t h = from; h <= w->tip; h++) {
        enum nv_err const err = run_block(w, h);
        end_block(w);
        if (err != NV_OK) {
            return broken(s, "a final block cannot be executed", h, err);
        }
        if ((h - from) % 1000 == 999) {
            nv_log(NV_LOG_INFO,
                   "event=replay stage=execute height=%" NV_U64 " of=%" NV_U64,
                   h,
                   w->tip);
        }
    }
    nv_log(NV_LOG_INFO,
           "event=replayed stage=execute from=%" NV_U64 " height=%" NV_U64,
           from - 1,
           node_machine_head(s->machine).height);
    return true;
}

/* tell_in_force tells by which keys the nodes of the present validators are known:
 * the journal has their vote keys alone. */
static void tell_in_force(struct walk *w)
{
    if (node_machine_current(w->start->machine, &w->set)) {
        replica_validators(w->start->store->replica, never, &w->set);
    }
}

/* Who is told the rows that a start begins with. */
struct teller {
    struct replica *replica;
    uint64_t height;
};

static void tell_rows(void *ctx, const struct nv_row *rows, uint32_t row_count)
{
    const struct teller *const teller = ctx;
    replica_wrote(teller->replica, teller->height, rows, NV_SEEDED(RESTART_BLIND) ? 0 : row_count);
}

/* guarded asks whether the vote key may sign with this journal. */
static bool guarded(const struct node_start *s, bool votes)
{
    struct node_found const found = {.votes = votes, .base = s->store->base_height > 0};
    return s->guard(s->guard_ctx, &found);
}

bool node_start_replay(const struct node_start *s)
{
    bool votes = false;
    if (lacks_state(s) || !read_records(s, &votes) || lacks_state(s) || !guarded(s, votes)) {
        return false;
    }
    NV_CRASH_POINT(REPLAYED_RECORDS);
    uint64_t const height = node_machine_head(s->machine).height;
    struct teller teller = {s->store->replica, height};
    enum nv_err const err = node_machine_rows(s->machine, tell_rows, &teller);
    if (err != NV_OK) {
        return broken(s, "the rows cannot be read", height, err);
    }
    struct walk *const w = nv_heap_alloc(sizeof *w);
    if (w == NULL) {
        return broken(s, "no memory", height, NV_ERR_NO_MEMORY);
    }
    memset(w, 0, sizeof *w);
    w->start = s;
    w->store = node_blocks_store(s->store->blocks);
    w->tip = node_blocks_final(s->store->blocks);
    bool ok = height <= w->tip;
    if (!ok) {
        (void)broken(s, "the database is ahead of the journal", height, NV_ERR_MISMATCH);
    }
    tell_in_force(w);
    ok = ok && below_checkpoint(w) && above_checkpoint(w);
    nv_heap_free(w);
    NV_CRASH_POINT(REPLAYED);
    return ok;
}
