/* test_machine.c - the machine executes final blocks alike wherever it starts,
 * and answers reads at the right height; its thread keeps the order.
 *
 * Method: a chain made by hand is executed by one machine from genesis, by
 * another that starts from a checkpoint in the middle, and by a third on its
 * thread; all must yield the same.  Reads are jobs that look at rows and prove
 * them. */

#include <string.h>

#include "base/proof.h"

#include "node/execution/checkpointer.h"
#include "node/execution/executor.h"
#include "tests/lib/node_chain.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"

#define COUNT 24u
#define ROWS  65536u

static struct made_chain chain;
static struct node_genesis genesis;
static struct nv_hash root[COUNT + 1]; /* after each height, by the first machine */

static int make_chain(void **state)
{
    (void)state;
    assert_int_equal(node_genesis_parse(&genesis, node_chain_genesis()), NV_OK);
    node_chain_make(&chain, &genesis.chain_id, COUNT);
    return 0;
}

static int drop_chain(void **state)
{
    (void)state;
    node_genesis_deinit(&genesis);
    return 0;
}

static struct node_machine_limits limits_of(void)
{
    return (struct node_machine_limits){vm_limits_devnet(), ROWS, NODE_ROWS_PER_CHECKPOINT};
}

static struct node_machine *fresh(void)
{
    struct node_machine_limits const limits = limits_of();
    struct node_machine *m = NULL;
    assert_int_equal(node_machine_open(&m, &limits), NV_OK);
    assert_int_equal(node_machine_genesis(m, &genesis), NV_OK);
    assert_int_equal(node_machine_head(m).height, 0);
    assert_memory_equal(node_machine_head(m).block_hash.bytes, genesis.chain_id.bytes, 32);
    return m;
}

/* run executes blocks and compares with what was before, or notes it. */
static void run(struct node_machine *m, uint64_t from, uint64_t to, bool note)
{
    for (uint64_t h = from; h <= to; h++) {
        const struct replica_block *const block = &chain.block[h].block;
        struct node_result *result = NULL;
        assert_int_equal(node_machine_execute(m, block, &result), NV_OK);
        assert_int_equal(result->head.height, h);
        assert_int_equal(result->head.time_ms, block->header.time_ms);
        assert_int_equal(result->tx_count, block->tx_count);
        assert_true(result->write_count > 0);
        for (uint32_t i = 0; i < block->tx_count; i++) {
            assert_memory_equal(result->txs[i].hash.bytes, block->txs[i].hash.bytes, 32);
            assert_true(result->txs[i].receipt.size > 0);
        }
        if (note) {
            root[h] = result->head.state_root;
        }
        assert_memory_equal(result->head.state_root.bytes, root[h].bytes, 32);
        node_result_free(result);
    }
}

/* ---- from genesis, from a checkpoint ---- */

static void test_same_from_a_checkpoint(void **state)
{
    (void)state;
    char folder[TEMP_DIR_SIZE];
    struct st_db *db = NULL;
    struct node_machine *loaded = NULL;
    temp_dir_new(folder);
    struct st_db_options const options = {.dir = folder, .map_size = 1u << 30, .readers_max = 8};
    assert_int_equal(st_db_open(&db, &options), NV_OK);
    struct node_machine *const first = fresh();
    run(first, 1, 10, true);
    struct st_overlay *const overlay = node_machine_freeze(first);
    assert_non_null(overlay);
    assert_int_equal(st_db_checkpoint(db, overlay), NV_OK);
    node_machine_thaw(first, overlay);
    run(first, 11, COUNT, true);

    struct node_machine_limits const limits = limits_of();
    assert_int_equal(node_machine_open(&loaded, &limits), NV_OK);
    assert_int_equal(node_machine_load(loaded, db), NV_OK);
    node_machine_set_time(loaded, 77);
    struct rpc_head const head = node_machine_head(loaded);
    assert_int_equal(head.height, 10);
    assert_int_equal(head.time_ms, 77);
    assert_memory_equal(head.state_root.bytes, root[10].bytes, 32);
    struct nv_hash params[2];
    node_machine_params_hash(first, &params[0]);
    node_machine_params_hash(loaded, &params[1]);
    assert_memory_equal(params[0].bytes, params[1].bytes, 32);
    run(loaded, 11, COUNT, false);

    node_machine_close(first);
    node_machine_close(loaded);
    st_db_close(db);
    temp_dir_remove(folder);
}

/* ---- reads ---- */

struct look {
    struct rpc_job job;
    uint64_t height;
    uint32_t rows;
    bool vm;
    bool header;
    bool proved;
};

/* look_run counts the rows of the height and checks a proof of all of them. */
static void look_run(struct rpc_job *job, const struct rpc_state *s)
{
    static uint8_t memory[1 << 20];
    static struct nv_row rows[4096];
    struct look *const look = (struct look *)job;
    struct nv_row_range range;
    struct nv_writer w;
    memset(&range.first, 0, sizeof range.first);
    memset(&range.last, 0xff, sizeof range.last);
    look->height = s->head.height;
    look->vm = s->vm != NULL;
    look->header = s->header.size == CS_HEADER_SIZE && s->certificate.size > 0;
    assert_int_equal(s->ops->rows(s->ctx, rows, &look->rows, &range, 4096), NV_OK);
    struct nv_view value;
    assert_int_equal(s->ops->get(s->ctx, &value, &rows[0].key), NV_OK);
    assert_true(nv_view_eq(value, rows[0].value));
    nv_writer_init(&w, memory, sizeof memory);
    assert_int_equal(s->ops->prove(s->ctx, &w, &range, 1), NV_OK);
    struct nv_proof proof;
    look->proved =
        nv_proof_open(&proof, &s->head.state_root, nv_view_of(memory, w.size)) == NV_OK &&
        nv_proof_covers(&proof, &range);
}

static struct look look_at(struct node_machine *m, bool proved)
{
    struct look look = {.job = {.run = look_run, .proved = proved}};
    node_machine_job(m, &look.job);
    return look;
}

static void test_reads(void **state)
{
    (void)state;
    struct node_machine *const m = fresh();
    struct look look = look_at(m, false);
    assert_int_equal(look.height, 0);
    assert_true(look.rows > 3 && look.vm && look.proved && !look.header);
    look = look_at(m, true);
    assert_int_equal(look.job.err, NV_ERR_BUSY); /* no final header yet */
    run(m, 1, 7, true);
    look = look_at(m, false);
    assert_int_equal(look.height, 7);
    assert_true(look.vm && look.proved);
    /* Block 8 has a finalization of its own and names height 5. */
    struct cs_header *const header = &chain.block[8].block.header;
    struct cs_header const before = *header;
    header->executed_height = 5;
    header->state_root = root[5];
    run(m, 8, 8, true);
    look = look_at(m, true);
    assert_int_equal(look.job.err, NV_OK);
    assert_int_equal(look.height, 5);
    assert_true(!look.vm && look.proved && look.header);
    *header = before;
    /* One that names another root than the own is not proved by. */
    struct cs_header *const wrong = &chain.block[12].block.header;
    struct cs_header const right = *wrong;
    run(m, 9, 11, true);
    wrong->executed_height = 9;
    wrong->state_root = root[8];
    run(m, 12, 12, true);
    look = look_at(m, true);
    assert_int_equal(look.height, 5);
    *wrong = right;
    node_machine_close(m);
}

/* ---- the thread ---- */

/* A machine at the genesis, on its thread. */
struct threaded {
    struct node_mailbox box;
    struct node_machine *m;
    struct node_executor *ex;
};

static void begin(struct threaded *t, uint32_t rows_dirty, uint64_t exact_every)
{
    t->m = fresh();
    node_mailbox_init(&t->box, NULL, NULL);
    assert_int_equal(node_executor_start(&t->ex, t->m, rows_dirty, exact_every, &t->box), NV_OK);
}

/* end ends it; everything that it told has been taken. */
static void end(struct threaded *t)
{
    node_executor_stop(t->ex);
    node_executor_close(t->ex);
    assert_null(node_mailbox_try(&t->box));
    node_mailbox_deinit(&t->box);
    node_machine_close(t->m);
}

/* know_roots executes the chain without a thread, to compare with. */
static void know_roots(void)
{
    struct node_machine *const m = fresh();
    run(m, 1, COUNT, true);
    node_machine_close(m);
}

static struct node_mail *must_take(struct node_mailbox *box, uint32_t kind)
{
    struct node_mail *const mail = node_mailbox_take(box);
    assert_non_null(mail);
    assert_int_equal(mail->kind, kind);
    return mail;
}

static void test_thread_keeps_the_order(void **state)
{
    (void)state;
    struct threaded t;
    know_roots();
    struct look look[3] = {
        {.job = {.run = look_run}}, {.job = {.run = look_run}}, {.job = {.run = look_run}}};
    begin(&t, UINT32_MAX, 0);
    assert_int_equal(node_executor_read(t.ex, &look[0].job), NV_OK);
    for (uint64_t h = 1; h <= COUNT; h++) {
        node_executor_block(t.ex, &chain.block[h].block);
    }
    assert_int_equal(node_executor_read(t.ex, &look[1].job), NV_OK);
    node_executor_freeze(t.ex);
    node_executor_freeze(t.ex); /* not answered: one is out */
    assert_int_equal(node_executor_read(t.ex, &look[2].job), NV_OK);

    assert_ptr_equal(node_executor_take(t.ex, must_take(&t.box, NODE_MAIL_JOB)), &look[0].job);
    assert_int_equal(look[0].height, 0);
    for (uint64_t h = 1; h <= COUNT; h++) {
        struct node_result *const result =
            (struct node_result *)must_take(&t.box, NODE_MAIL_RESULT);
        assert_int_equal(result->head.height, h);
        assert_memory_equal(result->head.state_root.bytes, root[h].bytes, 32);
        node_result_free(result);
    }
    assert_ptr_equal(node_executor_take(t.ex, must_take(&t.box, NODE_MAIL_JOB)), &look[1].job);
    assert_int_equal(look[1].height, COUNT);
    struct node_checkpoint *const checkpoint =
        (struct node_checkpoint *)must_take(&t.box, NODE_MAIL_FROZEN);
    assert_int_equal(st_overlay_head(checkpoint->overlay)->height, COUNT);
    assert_ptr_equal(node_executor_take(t.ex, must_take(&t.box, NODE_MAIL_JOB)), &look[2].job);
    node_executor_thaw(t.ex);
    node_executor_freeze(t.ex); /* nothing has changed since */
    assert_null(((struct node_checkpoint *)must_take(&t.box, NODE_MAIL_FROZEN))->overlay);
    end(&t);
}

/* Whoever runs a block, the results are the same and in order. */
static void test_blocks_run_at_once_or_not(void **state)
{
    (void)state;
    struct threaded t;
    know_roots();
    begin(&t, UINT32_MAX, 0);
    for (uint64_t h = 1; h <= COUNT; h++) {
        struct node_result *result = NULL;
        if (!node_executor_at_once(t.ex, &chain.block[h].block, &result)) {
            assert_null(result);
            node_executor_block(t.ex, &chain.block[h].block);
            result = (struct node_result *)must_take(&t.box, NODE_MAIL_RESULT);
        }
        assert_int_equal(result->head.height, h);
        assert_memory_equal(result->head.state_root.bytes, root[h].bytes, 32);
        node_result_free(result);
        assert_null(node_mailbox_try(&t.box));
    }
    end(&t);
}

static void test_full_overlay_comes_unasked(void **state)
{
    (void)state;
    struct threaded t;
    begin(&t, 1, 0);
    node_executor_block(t.ex, &chain.block[1].block);
    node_executor_block(t.ex, &chain.block[2].block);
    node_result_free((struct node_result *)must_take(&t.box, NODE_MAIL_RESULT));
    struct node_checkpoint *const out =
        (struct node_checkpoint *)must_take(&t.box, NODE_MAIL_FROZEN);
    assert_int_equal(st_overlay_head(out->overlay)->height, 1);
    node_result_free((struct node_result *)must_take(&t.box, NODE_MAIL_RESULT)); /* goes on */
    node_executor_thaw(t.ex);
    node_executor_block(t.ex, &chain.block[3].block);
    node_result_free((struct node_result *)must_take(&t.box, NODE_MAIL_RESULT));
    (void)must_take(&t.box, NODE_MAIL_FROZEN);
    end(&t);
}

/* An overlay that ends exactly at a height comes although another one is out, as
 * soon as that is back. */
static void test_an_overlay_ends_at_round_heights(void **state)
{
    (void)state;
    struct threaded t;
    begin(&t, UINT32_MAX, 2);
    node_executor_block(t.ex, &chain.block[1].block);
    node_result_free((struct node_result *)must_take(&t.box, NODE_MAIL_RESULT));
    node_executor_freeze(t.ex);
    struct node_checkpoint *out = (struct node_checkpoint *)must_take(&t.box, NODE_MAIL_FROZEN);
    assert_int_equal(st_overlay_head(out->overlay)->height, 1);
    node_executor_block(t.ex, &chain.block[2].block);
    node_executor_block(t.ex, &chain.block[3].block);
    node_result_free((struct node_result *)must_take(&t.box, NODE_MAIL_RESULT));
    assert_null(node_mailbox_try(&t.box)); /* it waits at 2 */
    node_executor_thaw(t.ex);
    out = (struct node_checkpoint *)must_take(&t.box, NODE_MAIL_FROZEN);
    assert_int_equal(st_overlay_head(out->overlay)->height, 2);
    node_result_free((struct node_result *)must_take(&t.box, NODE_MAIL_RESULT));
    end(&t);
}

static void test_reads_are_bounded(void **state)
{
    (void)state;
    static struct look look[NODE_JOBS_MAX + 1];
    struct threaded t;
    begin(&t, UINT32_MAX, 0);
    for (uint32_t i = 0; i < NODE_JOBS_MAX; i++) {
        look[i].job = (struct rpc_job){.run = look_run};
        assert_int_equal(node_executor_read(t.ex, &look[i].job), NV_OK);
    }
    assert_int_equal(node_executor_read(t.ex, &look[NODE_JOBS_MAX].job), NV_ERR_BUSY);
    (void)node_executor_take(t.ex, must_take(&t.box, NODE_MAIL_JOB));
    assert_int_equal(node_executor_read(t.ex, &look[0].job), NV_OK);
    for (uint32_t i = 0; i < NODE_JOBS_MAX; i++) {
        (void)node_executor_take(t.ex, must_take(&t.box, NODE_MAIL_JOB));
    }
    end(&t);
}

/* The set of the genesis, with the keys of its nodes, is in force and comes next. */
static void sets_are_told_with_their_node_keys(void **state)
{
    (void)state;
    struct node_machine *const m = fresh();
    struct replica_set next;
    struct replica_set current;
    assert_true(node_machine_next(m, 0, &next));
    assert_true(node_machine_current(m, &current));
    assert_false(node_machine_next(m, 64, &next)); /* not made yet */
    assert_int_equal(current.set.count, genesis.validator_count);
    assert_memory_equal(
        &current.set.member[0].key, &genesis.validators[0].key, sizeof(struct nv_pubkey));
    assert_memory_equal(
        &current.node_key[0], &genesis.validators[0].node_key, sizeof(struct nv_pubkey));
    node_machine_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_told_with_their_node_keys),
        cmocka_unit_test(test_same_from_a_checkpoint),
        cmocka_unit_test(test_reads),
        cmocka_unit_test(test_thread_keeps_the_order),
        cmocka_unit_test(test_blocks_run_at_once_or_not),
        cmocka_unit_test(test_full_overlay_comes_unasked),
        cmocka_unit_test(test_an_overlay_ends_at_round_heights),
        cmocka_unit_test(test_reads_are_bounded),
    };
    return cmocka_run_group_tests(tests, make_chain, drop_chain);
}
