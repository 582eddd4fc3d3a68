#include "node/execution/machine.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/codec.h"
#include "base/heap.h"

#include "consensus/certificate.h"
#include "vm/rows.h"

#define HEADS     (2u * ST_VERSIONS_DEFAULT) /* heights whose time is remembered */
#define LOAD_ROWS 256u
/* Rows of a block that no capacity counts: parameters, reporters, the chain, rings. */
#define OTHER_ROWS 1024u

/* A final header with a finalization of its own: it names the root of an older
 * height, and proofs are given at that height. */
struct anchor {
    bool held;
    uint64_t height; /* that it names */
    struct nv_hash root;
    uint32_t certificate_size;
    uint8_t header[CS_HEADER_SIZE];
    uint8_t certificate[CS_CERTIFICATE_SIZE_MAX];
};

struct node_machine {
    struct vm *vm;
    void *vm_memory;
    size_t vm_size;
    struct st_state *state;
    struct rpc_head head[HEADS]; /* by height modulo HEADS */
    struct anchor anchor[4];     /* the newest ones, by number modulo 4 */
    uint32_t anchors;
    struct vm_result yield; /* of `ran`, not applied yet */
    uint64_t ran;           /* the height that the VM has run */
    struct nv_hash *hashes; /* of a block's transactions, and its own */
    uint32_t hashes_max;
    uint32_t blocks_dirty; /* applied since the overlay was frozen */
    uint32_t txs_dirty;
    uint32_t dirty_max; /* rows */
};

/* ---- life ---- */

/* writes_max returns how many rows one block may write: every row that these
 * capacities allow. */
static uint32_t writes_max(const struct vm_limits *l)
{
    return l->accounts_max * 4 + l->positions_max * 2 + l->orders_max * 2 + l->level_pages_max * 2 +
           l->markets_max * 8 + l->sessions_max * 2 + l->tombstones_max * 2 + l->stakes_max +
           l->feeds_max * 256 + OTHER_ROWS;
}

static enum nv_err open_parts(struct node_machine *m, const struct node_machine_limits *limits)
{
    uint32_t const writes = writes_max(&limits->vm);
    uint32_t const dirty = writes > limits->dirty_max ? writes : limits->dirty_max;
    struct st_limits const rows = {
        .rows_max = limits->rows_max,
        .versions_max = ST_VERSIONS_DEFAULT,
        .writes_max = writes,
        .dirty_max = dirty,
        .dirty_bytes_max = (uint64_t)(writes + dirty / 4u) * NV_ROW_VALUE_MAX,
        .blocks_max = NODE_BLOCKS_PER_CHECKPOINT,
        .txs_max = NODE_TXS_PER_CHECKPOINT,
    };
    m->dirty_max = dirty;
    NV_TRY(st_state_open(&m->state, &rows));
    m->vm_size = vm_footprint(&limits->vm);
    m->vm_memory = nv_heap_reserve(m->vm_size);
    m->hashes_max = VM_BLOCK_TXS_MAX + 1;
    m->hashes = nv_heap_alloc(m->hashes_max * sizeof *m->hashes);
    if (m->vm_memory == NULL || m->hashes == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    nv_heap_large_pages(m->vm_memory, m->vm_size);
    struct nv_arena arena;
    nv_arena_init_zeroed(&arena, m->vm_memory, m->vm_size);
    m->vm = vm_new(&arena, &limits->vm);
    return NV_OK;
}

enum nv_err node_machine_open(struct node_machine **out, const struct node_machine_limits *limits)
{
    struct node_machine *const m = nv_heap_alloc(sizeof *m);
    if (m == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    enum nv_err const err = open_parts(m, limits);
    if (err != NV_OK) {
        node_machine_close(m);
        return err;
    }
    *out = m;
    return NV_OK;
}

void node_machine_close(struct node_machine *m)
{
    if (m == NULL) {
        return;
    }
    st_state_close(m->state);
    if (m->vm_memory != NULL) {
        nv_heap_unreserve(m->vm_memory, m->vm_size);
    }
    nv_heap_free(m->hashes);
    nv_heap_free(m);
}

static void remember(struct node_machine *m, uint64_t time_ms)
{
    const struct st_head *const newest = st_newest(m->state);
    m->head[newest->height % HEADS] = (struct rpc_head){
        .height = newest->height,
        .time_ms = time_ms,
        .block_hash = newest->block_hash,
        .state_root = newest->root,
    };
    m->ran = newest->height;
}

enum nv_err node_machine_genesis(struct node_machine *m, const struct node_genesis *genesis)
{
    struct vm_result result;
    NV_TRY(vm_genesis_rows(m->vm, &genesis->vm, &result));
    struct st_block const block = {
        .height = 0,
        .block_hash = genesis->chain_id,
        .writes = result.writes,
        .write_count = result.write_count,
    };
    NV_TRY(st_apply(m->state, &block));
    remember(m, genesis->vm.time_ms);
    return NV_OK;
}

/* go_behind lets a range begin behind the page of rows just read; false when there
 * are no more. */
static bool go_behind(struct nv_row_range *range, const struct nv_row *rows, uint32_t count)
{
    if (count < LOAD_ROWS) {
        return false;
    }
    range->first = rows[count - 1].key;
    return nv_row_key_next(&range->first);
}

/* load_rows gives every row of the state to the VM. */
static enum nv_err load_rows(struct node_machine *m)
{
    struct nv_row rows[LOAD_ROWS];
    struct nv_row_range range;
    uint32_t count = 0;
    uint64_t const height = st_newest(m->state)->height;
    nv_row_range_prefix(&range, NULL, 0);
    do {
        NV_TRY(st_rows(m->state, rows, &count, height, &range, LOAD_ROWS));
        for (uint32_t i = 0; i < count; i++) {
            NV_TRY(vm_load_row(m->vm, &rows[i]));
        }
    } while (go_behind(&range, rows, count));
    return vm_load_end(m->vm);
}

enum nv_err node_machine_load(struct node_machine *m, struct st_db *db)
{
    NV_TRY(st_db_load(db, m->state));
    NV_TRY(load_rows(m));
    remember(m, 0);
    return vm_height(m->vm) == st_newest(m->state)->height ? NV_OK : NV_ERR_CORRUPT;
}

void node_machine_set_time(struct node_machine *m, uint64_t time_ms)
{
    m->head[m->ran % HEADS].time_ms = time_ms;
}

struct rpc_head node_machine_head(const struct node_machine *m)
{
    return m->head[st_newest(m->state)->height % HEADS];
}

void node_machine_params_hash(const struct node_machine *m, struct nv_hash *out)
{
    vm_params_hash(m->vm, out);
}

/* ---- sets of validators ---- */

static bool set_make(struct replica_set *out, const struct vm_validator *list, uint32_t count)
{
    struct cs_validator members[VM_VALIDATORS_OUT] = {{.stake = 0}};
    if (count == 0) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        members[i] = (struct cs_validator){.key = list[i].key, .stake = list[i].stake};
        out->node_key[i] = list[i].node_key;
    }
    enum nv_err const err = cs_valset_init(&out->set, members, count);
    NV_ASSERT(err == NV_OK); /* the VM keeps within the same limits */
    for (uint32_t i = 0; i < count; i++) {
        NV_ASSERT(memcmp(&out->set.member[i].key, &list[i].key, sizeof list[i].key) == 0);
    }
    return true;
}

bool node_machine_next(const struct node_machine *m, uint64_t height, struct replica_set *out)
{
    struct vm_validator list[VM_VALIDATORS_OUT];
    uint32_t count = 0;
    return vm_validators_at(m->vm, height, list, &count) && set_make(out, list, count);
}

bool node_machine_current(const struct node_machine *m, struct replica_set *out)
{
    struct vm_validator list[VM_VALIDATORS_OUT];
    uint32_t count = 0;
    vm_validators_current(m->vm, list, &count);
    return set_make(out, list, count);
}

/* tell_sets adds to a result the sets that its block may have changed. */
static enum nv_err tell_sets(const struct node_machine *m,
                             const struct vm_consensus *facts,
                             struct node_result *result)
{
    if (result->head.height % VM_CHOICE_HEIGHTS == 0) {
        result->chosen = nv_heap_alloc(sizeof *result->chosen);
        NV_TRY(result->chosen == NULL ? NV_ERR_NO_MEMORY : NV_OK);
        bool const chosen = node_machine_next(m, result->head.height, result->chosen);
        NV_ASSERT(chosen); /* just now */
    }
    if (facts->boundary) {
        result->in_force = nv_heap_alloc(sizeof *result->in_force);
        NV_TRY(result->in_force == NULL ? NV_ERR_NO_MEMORY : NV_OK);
        if (!node_machine_current(m, result->in_force)) {
            nv_heap_free(result->in_force);
            result->in_force = NULL;
        }
    }
    return NV_OK;
}

/* ---- executing ---- */

/* note_anchor keeps the header of a block that has a finalization of its own. */
static void note_anchor(struct node_machine *m, const struct replica_block *block)
{
    if (!nv_hash_eq(&block->hash, &block->final_hash) ||
        block->final.size > CS_CERTIFICATE_SIZE_MAX) {
        return;
    }
    struct anchor *const a = &m->anchor[m->anchors++ % 4u];
    struct nv_writer w;
    nv_writer_init(&w, a->header, sizeof a->header);
    cs_header_put(&w, &block->header);
    NV_ASSERT(!w.overflow && w.size == sizeof a->header);
    memcpy(a->certificate, block->final.bytes, block->final.size);
    a->certificate_size = block->final.size;
    a->height = block->header.executed_height;
    a->root = block->header.state_root;
    a->held = true;
}

static enum nv_err apply(struct node_machine *m, const struct replica_block *block)
{
    NV_ASSERT(block->tx_count < m->hashes_max);
    for (uint32_t i = 0; i < block->tx_count; i++) {
        m->hashes[i] = block->txs[i].hash;
    }
    m->hashes[block->tx_count] = block->hash;
    struct st_block const next = {
        .height = block->header.height,
        .block_hash = block->hash,
        .writes = m->yield.writes,
        .write_count = m->yield.write_count,
        .txs = m->hashes,
        .tx_count = block->tx_count + 1,
    };
    return st_apply(m->state, &next);
}

enum nv_err node_machine_execute(struct node_machine *m,
                                 const struct replica_block *block,
                                 struct node_result **out)
{
    const struct st_head *const parent = st_newest(m->state);
    NV_ASSERT(block->header.height == parent->height + 1);
    if (m->ran == parent->height) { /* else the VM has run it, and only rows wait */
        struct vm_block const run = {
            .height = block->header.height,
            .time_ms = block->header.time_ms,
            .previous_root = parent->root,
            .tx_count = block->tx_count,
            .txs = block->txs,
            .consensus = block->facts,
        };
        vm_execute(m->vm, &run, &m->yield);
        m->ran = run.height;
    }
    NV_TRY(apply(m, block));
    m->blocks_dirty++;
    m->txs_dirty += block->tx_count + 1;
    remember(m, block->header.time_ms);
    note_anchor(m, block);
    *out = node_result_new(block, &m->yield, &st_newest(m->state)->root);
    return *out == NULL ? NV_ERR_NO_MEMORY : tell_sets(m, &block->facts, *out);
}

/* ---- reads ---- */

/* The rows of one height, as a job sees them. */
struct window {
    const struct st_state *state;
    uint64_t height;
};

static enum nv_err get(void *ctx, struct nv_view *value, const struct nv_row_key *key)
{
    const struct window *const w = ctx;
    return st_get(w->state, value, w->height, key);
}

static enum nv_err rows(void *ctx,
                        struct nv_row *out,
                        uint32_t *count,
                        const struct nv_row_range *range,
                        uint32_t rows_max)
{
    const struct window *const w = ctx;
    return st_rows(w->state, out, count, w->height, range, rows_max);
}

static enum nv_err
prove(void *ctx, struct nv_writer *proof, const struct nv_row_range *ranges, uint32_t range_count)
{
    const struct window *const w = ctx;
    return st_prove(w->state, proof, w->height, ranges, range_count);
}

static const struct rpc_state_ops state_ops = {get, rows, prove};

/* newest_anchor returns the newest anchor whose height is executed and kept. */
static const struct anchor *newest_anchor(const struct node_machine *m)
{
    for (uint32_t i = 1; i <= 4 && i <= m->anchors; i++) {
        const struct anchor *const a = &m->anchor[(m->anchors - i) % 4u];
        const struct st_head *const version = st_version(m->state, a->height);
        if (a->held && version != NULL && nv_hash_eq(&version->root, &a->root) &&
            m->head[a->height % HEADS].height == a->height) {
            return a;
        }
    }
    return NULL;
}

void node_machine_job(struct node_machine *m, struct rpc_job *job)
{
    struct window window = {.state = m->state, .height = st_newest(m->state)->height};
    struct rpc_state state = {.ops = &state_ops, .ctx = &window, .vm = m->vm};
    if (job->proved) {
        const struct anchor *const a = newest_anchor(m);
        if (a == NULL) {
            job->err = NV_ERR_BUSY; /* the first headers after a start are still to come */
            return;
        }
        window.height = a->height;
        state.vm = NULL;
        state.header = nv_view_of(a->header, sizeof a->header);
        state.certificate = nv_view_of(a->certificate, a->certificate_size);
    }
    state.head = m->head[window.height % HEADS];
    job->run(job, &state);
}

enum nv_err node_machine_rows(const struct node_machine *m,
                              void (*visit)(void *ctx, const struct nv_row *rows, uint32_t count),
                              void *ctx)
{
    struct nv_row list[LOAD_ROWS];
    struct nv_row_range range;
    uint32_t count = 0;
    uint64_t const height = st_newest(m->state)->height;
    nv_row_range_prefix(&range, NULL, 0);
    do {
        NV_TRY(st_rows(m->state, list, &count, height, &range, LOAD_ROWS));
        visit(ctx, list, count);
    } while (go_behind(&range, list, count));
    return NV_OK;
}

/* ---- the overlay ---- */

uint32_t node_machine_dirty(const struct node_machine *m, bool *full)
{
    uint32_t const rows_dirty = st_dirty(m->state);
    *full = m->blocks_dirty > NODE_BLOCKS_PER_CHECKPOINT / 2 ||
            m->txs_dirty > NODE_TXS_PER_CHECKPOINT / 2 || rows_dirty > m->dirty_max / 2;
    return rows_dirty;
}

struct st_overlay *node_machine_freeze(struct node_machine *m)
{
    struct st_overlay *const overlay = st_freeze(m->state);
    if (overlay != NULL) {
        m->blocks_dirty = 0;
        m->txs_dirty = 0;
    }
    return overlay;
}

void node_machine_thaw(struct node_machine *m, struct st_overlay *overlay)
{
    st_thaw(m->state, overlay);
}
