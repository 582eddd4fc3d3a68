/* test_begin.c - a journal that has lost its oldest segments begins in the epoch of
 * its first final record.
 *
 * Method: a journal of two segments, of which the first is dropped; ends of epochs
 * in a database; the replica says where it stands. */

#include "node/store/start.h"
#include "tests/lib/node_disk.h"
#include "tests/lib/nv_test.h"

#define SEGMENT (1u << 20)
#define EPOCH   5u

static struct node_disk disk;
static struct node_store store;
static struct node_start start;
static uint8_t handover[CS_HANDOVER_SIZE_MAX];

static enum nv_err none(void *ctx, uint64_t height, struct replica_stored *out)
{
    (void)ctx;
    (void)height;
    (void)out;
    return NV_ERR_NOT_FOUND;
}

static enum nv_err none_of(void *ctx, const struct nv_hash *hash, struct replica_stored *out)
{
    (void)hash;
    return none(ctx, 0, out);
}

static enum nv_err no_bytes(void *ctx, const struct nv_hash *hash, struct nv_view *out)
{
    (void)ctx;
    (void)hash;
    (void)out;
    return NV_ERR_NOT_FOUND;
}

static enum nv_err no_epoch(void *ctx, uint64_t epoch, struct nv_view *out)
{
    (void)epoch;
    return no_bytes(ctx, NULL, out);
}

static void open_replica(void)
{
    struct cs_validator const member = {.key = {{7}}, .stake = 1};
    struct cs_valset set;
    assert_int_equal(cs_valset_init(&set, &member, 1), NV_OK);
    struct replica_config const config = {
        .consensus = {.chain_id = disk.chain.chain_id,
                      .genesis_time_ms = disk.chain.start_ms,
                      .valset = &set,
                      .epoch_ms = 1000,
                      .delay_ns = 1000,
                      .idle_ms = 1000,
                      .body_size_max = 1000,
                      .status_ns = 1000,
                      .views_max = 64},
        .node_keys = &member.key,
        .store = {NULL, none, none_of, no_bytes, no_epoch},
        .mempool = {10, 10, 1u << 20},
        .window_max = 64,
    };
    assert_int_equal(replica_open(&store.replica, &config), NV_OK);
}

static int begin(void **state)
{
    (void)state;
    node_disk_open(&disk, SEGMENT, 4);
    open_replica();
    start = (struct node_start){.journal = disk.journal, .db = disk.db, .store = &store};
    return 0;
}

static int end(void **state)
{
    (void)state;
    replica_close(store.replica);
    node_disk_close(&disk);
    return 0;
}

static void append(uint8_t type, struct nv_view payload)
{
    node_disk_append(&disk, type, payload);
}

/* lose_first makes what follows begin in the second segment, and drops the first. */
static void lose_first(void)
{
    static uint8_t filler[SEGMENT - 70000];
    append(100, nv_view_of(filler, sizeof filler));
    append(100, nv_view_of(filler, sizeof filler));
    assert_int_equal(st_journal_drop(disk.journal, 2), NV_OK);
    assert_int_equal(st_journal_first(disk.journal), 2);
}

static struct nv_view end_of(uint64_t epoch)
{
    return nv_view_of(handover, node_chain_handover(&disk.chain, epoch, handover));
}

static void keep_ends(uint64_t from, uint64_t to)
{
    for (uint64_t epoch = from; epoch <= to; epoch++) {
        assert_int_equal(st_db_epoch_put(disk.db, epoch, end_of(epoch)), NV_OK);
    }
}

/* append_final writes that a block of EPOCH is final. */
static void append_final(void)
{
    static uint8_t bytes[CS_HEADER_SIZE + CS_CERTIFICATE_SIZE_MAX];
    static const struct nv_sig sig;
    struct cs_header const header = {
        .chain_id = disk.chain.chain_id, .epoch = EPOCH, .height = 4321, .view = 77};
    struct cs_certificate certificate = {
        .ballot = {.kind = CS_FINALIZE, .epoch = EPOCH, .view = 77},
        .signer_count = 1,
        .sigs = &sig,
    };
    struct nv_writer w;
    cs_bitmap_add(&certificate.signers, 0);
    cs_header_hash(&certificate.ballot.block_hash, &header);
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_header_put(&w, &header);
    cs_certificate_put(&w, &certificate);
    append(CS_RECORD_FINAL, nv_writer_view(&w));
}

static void a_whole_journal_needs_nothing(void **state)
{
    (void)state;
    keep_ends(1, 4);
    append_final();
    assert_int_equal(node_start__begin(&start), NV_OK);
    assert_int_equal(replica_summary(store.replica).epoch, 1);
    assert_int_equal(replica_summary(store.replica).final_height, 0);
}

static void it_begins_at_its_first_final_block(void **state)
{
    (void)state;
    keep_ends(1, 4);
    lose_first();
    append(CS_RECORD_BLOCK,
           nv_view_of(disk.chain.block[1].record, disk.chain.block[1].record_size));
    append_final();
    append(CS_RECORD_EPOCH, end_of(EPOCH));
    assert_int_equal(node_start__begin(&start), NV_OK);
    struct cs_summary const summary = replica_summary(store.replica);
    assert_int_equal(summary.epoch, EPOCH);
    assert_int_equal(summary.final_height, 4321);
    assert_int_equal(summary.final_view, 77);
}

static void it_begins_at_the_end_of_an_epoch(void **state)
{
    (void)state;
    keep_ends(1, 4);
    lose_first();
    append(CS_RECORD_EPOCH, end_of(EPOCH));
    append_final();
    assert_int_equal(node_start__begin(&start), NV_OK);
    struct cs_summary const summary = replica_summary(store.replica);
    assert_int_equal(summary.epoch, EPOCH + 1);
    assert_int_equal(summary.final_height, 1000 * EPOCH);
}

static void what_was_before_it_joined_is_not_needed(void **state)
{
    (void)state;
    keep_ends(4, 4);
    lose_first();
    append_final();
    assert_int_equal(node_start__begin(&start), NV_OK);
    assert_int_equal(replica_summary(store.replica).epoch, EPOCH);
}

static void the_end_of_the_epoch_before_is_needed(void **state)
{
    (void)state;
    keep_ends(1, 3);
    lose_first();
    append_final();
    assert_int_equal(node_start__begin(&start), NV_ERR_CORRUPT);
}

static void a_journal_without_anything_final_is_damaged(void **state)
{
    (void)state;
    keep_ends(1, 4);
    lose_first();
    assert_int_equal(node_start__begin(&start), NV_ERR_CORRUPT);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(a_whole_journal_needs_nothing),
        CASE(it_begins_at_its_first_final_block),
        CASE(it_begins_at_the_end_of_an_epoch),
        CASE(what_was_before_it_joined_is_not_needed),
        CASE(the_end_of_the_epoch_before_is_needed),
        CASE(a_journal_without_anything_final_is_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
