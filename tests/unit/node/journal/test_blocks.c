/* test_blocks.c - blocks, bodies, finalizations and receipts are found in the
 * journal, by height, by hash and by transaction.
 *
 * Method: a chain made by hand is written into a real journal, record by record
 * as a node would; every read is compared with the disk.chain.  Then the same reads
 * from the database alone, as after a restart with an index that has forgotten;
 * and records that are damaged or missing. */

#include <stdio.h>
#include <string.h>

#include "node/journal/internal.h"
#include "node/journal/thread.h"
#include "tests/lib/node_disk.h"
#include "tests/lib/nv_test.h"
#include "vm/receipt.h"

#define COUNT   24u
#define SEGMENT (8u << 20)

static struct node_disk disk;
static struct node_blocks *blocks;

/* ---- a place on disk ---- */

static void open_blocks(void)
{
    struct node_blocks_options const o = {
        .journal = disk.options, .db = disk.db, .validator_count = 4, .txs_max = 1024};
    assert_int_equal(node_blocks_open(&blocks, &o), NV_OK);
}

static int open_all(void **state)
{
    (void)state;
    node_disk_open(&disk, SEGMENT, COUNT);
    open_blocks();
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    node_blocks_close(blocks);
    node_disk_close(&disk);
    return 0;
}

/* ---- writing ---- */

static void append(uint8_t type, struct nv_view payload)
{
    struct st_record record;
    node_disk_append(&disk, type, payload);
    node_batch_record(&disk.batch, 0, &record);
    assert_int_equal(record.type, type);
    assert_true(nv_view_eq(record.bytes, payload));
    assert_int_equal(node_blocks_note(blocks, &record), NV_OK);
}

static void append_block(uint64_t height)
{
    const struct made_block *const b = &disk.chain.block[height];
    uint8_t bytes[9000];
    if (b->block.body.size > 0) {
        memcpy(bytes, b->block.hash.bytes, 32);
        memcpy(bytes + 32, b->block.body.bytes, b->block.body.size);
        append(REPLICA_RECORD_BODY, nv_view_of(bytes, 32 + b->block.body.size));
    }
    append(CS_RECORD_BLOCK, nv_view_of(b->record, b->record_size));
}

static void append_final(uint64_t height)
{
    const struct made_block *const b = &disk.chain.block[height];
    uint8_t bytes[2048];
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_header_put(&w, &b->block.header);
    nv_put_bytes(&w, b->block.final.bytes, b->block.final.size);
    append(CS_RECORD_FINAL, nv_view_of(bytes, w.size));
}

/* yield makes the result that executing a block would have. */
static struct node_result *yield(uint64_t height)
{
    static uint8_t memory[2][256];
    static uint8_t const event[5] = {1, 2, 3, 4, 5};
    const struct replica_block *const block = &disk.chain.block[height].block;
    struct nv_view receipts[2];
    struct nv_view const events[1] = {nv_view_of(event, sizeof event)};
    struct nv_hash const root = {.bytes = {(uint8_t)height, 7}};
    for (uint32_t i = 0; i < block->tx_count; i++) {
        struct nv_writer w;
        struct vm_receipt const receipt = {.tx_hash = block->txs[i].hash, .code = 6004};
        nv_writer_init(&w, memory[i], sizeof memory[i]);
        vm_receipt_encode(&w, &receipt);
        assert_false(w.overflow);
        receipts[i] = nv_view_of(memory[i], w.size);
    }
    struct vm_result const result = {
        .receipts = receipts, .receipt_count = block->tx_count, .events = events, .event_count = 1};
    return node_result_new(block, &result, &root);
}

static void append_executed(uint64_t height)
{
    static uint8_t bytes[65536];
    struct node_places places;
    struct nv_writer w;
    struct node_result *const result = yield(height);
    assert_non_null(result);
    assert_int_equal(node_blocks_executed(blocks, height).segment, 0);
    assert_true(node_blocks_places(blocks, result, &places));
    assert_int_equal(places.final_height, node_chain_final_height(height));
    nv_writer_init(&w, bytes, node_executed_size(result, sizeof bytes));
    node_executed_put(&w, result, &places, sizeof bytes);
    assert_false(w.overflow);
    append(NODE_RECORD_EXECUTED, nv_view_of(bytes, w.size));
    assert_int_equal(node_blocks_executed(blocks, height).segment, 1);
    node_result_free(result);
}

static void append_chain(uint64_t from, uint64_t to)
{
    for (uint64_t h = from; h <= to; h++) {
        append_block(h);
        if (h % 4 == 0) {
            append_final(h);
            for (uint64_t e = h - 3; e <= h; e++) {
                append_executed(e);
            }
        }
    }
}

/* checkpoint leads the database to the blocks up to `height`. */
static void checkpoint(uint64_t height)
{
    struct st_limits const limits = {.rows_max = 1024,
                                     .versions_max = 4,
                                     .writes_max = 16,
                                     .dirty_max = 64,
                                     .dirty_bytes_max = 64 * 1984,
                                     .blocks_max = 64,
                                     .txs_max = 256};
    struct st_state *state;
    assert_int_equal(st_state_open(&state, &limits), NV_OK);
    for (uint64_t h = 1; h <= height; h++) {
        const struct replica_block *const block = &disk.chain.block[h].block;
        struct nv_hash hashes[3];
        for (uint32_t i = 0; i < block->tx_count; i++) {
            hashes[i] = block->txs[i].hash;
        }
        hashes[block->tx_count] = block->hash;
        struct st_block const applied = {
            .height = h, .block_hash = block->hash, .txs = hashes, .tx_count = block->tx_count + 1};
        assert_int_equal(st_apply(state, &applied), NV_OK);
    }
    struct st_overlay *const overlay = st_freeze(state);
    for (uint64_t h = 1; h <= height; h++) {
        st_overlay_place(overlay, h, node_blocks_executed(blocks, h));
    }
    assert_int_equal(st_db_checkpoint(disk.db, overlay), NV_OK);
    st_thaw(state, overlay);
    st_state_close(state);
    node_blocks_checkpointed(blocks, height);
}

/* forget makes a new index, which knows only what the database leads to. */
static void forget(void)
{
    node_blocks_close(blocks);
    open_blocks();
}

/* ---- reading ---- */

static void expect_tx(uint64_t height, uint32_t index)
{
    const struct vm_tx *const tx = &disk.chain.block[height].block.txs[index];
    struct rpc_tx found;
    struct vm_receipt receipt;
    assert_int_equal(node_blocks_rpc_tx(blocks, &tx->hash, &found), NV_OK);
    assert_int_equal(found.state, RPC_TX_FINAL);
    assert_int_equal(found.height, height);
    assert_int_equal(found.index, index);
    assert_true(nv_view_eq(found.bytes, tx->bytes));
    assert_int_equal(vm_receipt_decode(&receipt, found.receipt), NV_OK);
    assert_memory_equal(receipt.tx_hash.bytes, tx->hash.bytes, 32);
}

static void expect_block(uint64_t height)
{
    const struct made_block *const b = &disk.chain.block[height];
    struct replica_store const store = node_blocks_store(blocks);
    struct replica_stored stored;
    struct rpc_block block;
    struct cs_header header;
    struct nv_view body;
    struct nv_view const record = nv_view_of(b->record, b->record_size);
    struct nv_view const own =
        height % 4 == 0 ? b->block.final : nv_view_of(NULL, 0); /* else a descendant's */
    assert_int_equal(store.by_height(store.ctx, height, &stored), NV_OK);
    assert_true(nv_view_eq(stored.block, record));
    assert_true(nv_view_eq(stored.final, own));
    assert_int_equal(store.by_hash(store.ctx, &b->block.hash, &stored), NV_OK);
    assert_true(nv_view_eq(stored.block, record));
    assert_true(nv_view_eq(stored.final, own));
    assert_int_equal(store.body(store.ctx, &b->block.hash, &body), NV_OK);
    assert_true(nv_view_eq(body, b->block.body));
    assert_int_equal(node_blocks_header(blocks, height, &header), NV_OK);
    assert_int_equal(header.height, height);
    assert_int_equal(node_blocks_rpc_block(blocks, height, &block), NV_OK);
    assert_memory_equal(block.hash.bytes, b->block.hash.bytes, 32);
    assert_true(nv_view_eq(block.header, nv_view_of(b->record, CS_HEADER_SIZE)));
    assert_true(nv_view_eq(block.body, b->block.body));
    assert_true(nv_view_eq(block.certificate, b->block.final));
    assert_int_equal(block.tx_count, b->block.tx_count);
    for (uint32_t i = 0; i < b->block.tx_count; i++) {
        expect_tx(height, i);
    }
}

static void test_found_in_memory(void **state)
{
    (void)state;
    append_chain(1, COUNT);
    assert_int_equal(node_blocks_final(blocks), COUNT);
    for (uint64_t h = 1; h <= COUNT; h++) {
        expect_block(h);
        struct node_executed executed;
        assert_int_equal(node_blocks_read_executed(blocks, h, &executed), NV_OK);
        assert_int_equal(executed.state_root.bytes[0], h);
        assert_int_equal(executed.event_count, 1);
    }
}

static void test_found_through_the_database(void **state)
{
    (void)state;
    append_chain(1, COUNT);
    checkpoint(COUNT);
    for (uint64_t h = 1; h <= COUNT; h++) {
        expect_block(h);
    }
    forget();
    for (uint64_t h = 1; h <= COUNT; h++) {
        expect_block(h);
    }
    assert_int_equal(node_blocks_final(blocks), 0); /* it knows of no final one itself */
}

static void test_half_and_half(void **state)
{
    (void)state;
    append_chain(1, 12);
    checkpoint(8);
    forget();
    struct st_replay *replay = NULL;
    struct st_record record;
    assert_int_equal(st_replay_open(&replay, disk.journal, 0), NV_OK);
    while (st_replay_next(replay, &record) == NV_OK) { /* as a restart does */
        assert_int_equal(node_blocks_note(blocks, &record), NV_OK);
    }
    st_replay_close(replay);
    assert_int_equal(node_blocks_final(blocks), 12);
    for (uint64_t h = 1; h <= 12; h++) {
        expect_block(h);
    }
}

static void test_not_there(void **state)
{
    (void)state;
    struct replica_store store = node_blocks_store(blocks);
    struct replica_stored stored;
    struct nv_view body;
    struct rpc_tx tx;
    append_chain(1, 4);
    append_block(5); /* not final */
    assert_int_equal(store.by_height(store.ctx, 0, &stored), NV_ERR_NOT_FOUND);
    assert_int_equal(store.by_height(store.ctx, 5, &stored), NV_ERR_NOT_FOUND);
    assert_int_equal(store.by_height(store.ctx, UINT64_MAX, &stored), NV_ERR_NOT_FOUND);
    assert_int_equal(store.by_hash(store.ctx, &disk.chain.block[5].block.hash, &stored), NV_OK);
    assert_int_equal(store.body(store.ctx, &disk.chain.block[5].block.hash, &body), NV_OK);
    assert_true(nv_view_eq(body, disk.chain.block[5].block.body));
    assert_int_equal(store.by_hash(store.ctx, &disk.chain.block[6].block.hash, &stored),
                     NV_ERR_NOT_FOUND);
    assert_int_equal(store.body(store.ctx, &disk.chain.block[6].block.hash, &body),
                     NV_ERR_NOT_FOUND);
    assert_int_equal(node_blocks_rpc_tx(blocks, &disk.chain.block[5].block.txs[0].hash, &tx),
                     NV_ERR_NOT_FOUND);
    checkpoint(4);
    forget();
    store = node_blocks_store(blocks);
    /* Hashes of blocks and of transactions are not taken for one another. */
    assert_int_equal(node_blocks_rpc_tx(blocks, &disk.chain.block[4].block.hash, &tx),
                     NV_ERR_NOT_FOUND);
    assert_int_equal(store.by_hash(store.ctx, &disk.chain.block[4].block.txs[0].hash, &stored),
                     NV_ERR_NOT_FOUND);
}

static void test_places_wait_for_the_finalization(void **state)
{
    (void)state;
    struct node_places places;
    struct node_result *const result = yield(3);
    append_block(1);
    append_block(2);
    assert_false(node_blocks_places(blocks, result, &places));
    append_block(3);
    append_block(4);
    assert_false(node_blocks_places(blocks, result, &places));
    append_final(4);
    assert_true(node_blocks_places(blocks, result, &places));
    assert_int_equal(places.final_height, 4);
    assert_int_equal(places.body.segment, 0); /* block 3 is empty */
    node_result_free(result);
}

static void test_damaged_records(void **state)
{
    (void)state;
    static const uint8_t types[] = {
        CS_RECORD_BLOCK, CS_RECORD_FINAL, REPLICA_RECORD_BODY, NODE_RECORD_EXECUTED};
    uint8_t bytes[64] = {0};
    for (uint32_t i = 0; i < sizeof types; i++) {
        for (uint32_t size = 0; size < 32; size++) {
            struct st_record const record = {
                .type = types[i], .bytes = nv_view_of(bytes, size), .place = {1, 512}};
            assert_int_equal(node_blocks_note(blocks, &record), NV_ERR_CORRUPT);
        }
    }
    struct st_record const unknown = {.type = 200, .bytes = nv_view_of(bytes, 8)};
    assert_int_equal(node_blocks_note(blocks, &unknown), NV_OK);
}

/* The ends of epochs are found by their numbers. */
static void test_ends_of_epochs(void **state)
{
    (void)state;
    struct replica_store const store = node_blocks_store(blocks);
    static uint8_t bytes[3][CS_HANDOVER_SIZE_MAX];
    struct nv_view end[3];
    struct nv_view found;
    for (uint32_t i = 0; i < 3; i++) {
        end[i] = nv_view_of(bytes[i], node_chain_handover(&disk.chain, i + 1, bytes[i]));
    }
    assert_int_equal(store.epoch(store.ctx, 0, &found), NV_ERR_NOT_FOUND);
    assert_int_equal(store.epoch(store.ctx, 1, &found), NV_ERR_NOT_FOUND);
    append(CS_RECORD_EPOCH, end[0]);
    append_chain(1, 4);
    append(CS_RECORD_EPOCH, end[1]);
    append(CS_RECORD_EPOCH, end[0]); /* once more */
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(store.epoch(store.ctx, i + 1, &found), NV_OK);
        assert_true(nv_view_eq(found, end[i]));
    }
    struct rpc_epoch told;
    struct nv_reader r;
    struct cs_handover handover;
    struct nv_hash hash;
    nv_reader_init(&r, end[1]);
    assert_int_equal(cs_handover_get(&r, &handover), NV_OK);
    cs_header_hash(&hash, &handover.header);
    assert_int_equal(node_blocks_rpc_epoch(blocks, 2, &told), NV_OK);
    assert_memory_equal(&told.hash, &hash, sizeof hash);
    assert_int_equal(told.header.size, CS_HEADER_SIZE);
    assert_true(nv_view_eq(told.next_validators, handover.set));
    assert_int_equal(told.header.size + told.certificate.size + told.next_validators.size,
                     end[1].size);
    assert_int_equal(node_blocks_rpc_epoch(blocks, 3, &told), NV_ERR_NOT_FOUND);
    assert_int_equal(store.epoch(store.ctx, 3, &found), NV_ERR_NOT_FOUND);
    assert_int_equal(store.epoch(store.ctx, UINT64_MAX, &found), NV_ERR_NOT_FOUND);
    /* A header that is not the finalized one. */
    bytes[2][CS_HEADER_SIZE - 1] ^= 1;
    append(CS_RECORD_EPOCH, end[2]);
    assert_int_equal(store.epoch(store.ctx, 3, &found), NV_ERR_CORRUPT);
    struct st_record const cut = {CS_RECORD_EPOCH, nv_view_of(bytes[0], 100), {1, 512}};
    assert_int_equal(node_blocks_note(blocks, &cut), NV_ERR_CORRUPT);
    expect_block(4);
}

/* Ends whose records are gone are read from the database. */
static void test_ends_of_epochs_in_the_database(void **state)
{
    (void)state;
    struct replica_store store = node_blocks_store(blocks);
    static uint8_t bytes[3][CS_HANDOVER_SIZE_MAX];
    struct nv_view end[3];
    struct nv_view found;
    uint64_t first = 0;
    uint64_t last = 0;
    assert_false(node_blocks_epochs(blocks, &first, &last));
    for (uint32_t i = 0; i < 3; i++) {
        end[i] = nv_view_of(bytes[i], node_chain_handover(&disk.chain, i + 1, bytes[i]));
        assert_int_equal(st_db_epoch_put(disk.db, i + 1, end[i]), NV_OK);
    }
    append(CS_RECORD_EPOCH, end[1]);
    append(CS_RECORD_EPOCH, end[2]);
    assert_true(node_blocks_epochs(blocks, &first, &last));
    assert_int_equal(first, 2);
    assert_int_equal(last, 3);
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 3; i++) {
            assert_int_equal(store.epoch(store.ctx, i + 1, &found), NV_OK);
            assert_true(nv_view_eq(found, end[i]));
        }
        assert_int_equal(store.epoch(store.ctx, 4, &found), NV_ERR_NOT_FOUND);
        if (round == 0) {
            node_blocks_pruned(blocks, 2); /* the segment with the records is gone */
        } else if (round == 1) {
            forget();
            store = node_blocks_store(blocks);
        }
    }
    assert_int_equal(st_db_epoch_put(disk.db, 1, end[2]), NV_OK); /* another epoch's */
    assert_int_equal(store.epoch(store.ctx, 1, &found), NV_ERR_CORRUPT);
}

/* What is on the disk is compared with its hash, by whatever way it is read. */
static void test_flipped_bytes_are_found(void **state)
{
    (void)state;
    struct replica_store const store = node_blocks_store(blocks);
    struct replica_stored stored;
    struct nv_view body;
    append_chain(1, 4);
    char path[TEMP_DIR_SIZE + 32];
    (void)snprintf(path, sizeof path, "%s/journal-00000001", disk.folder);
    FILE *const file = fopen(path, "r+b");
    assert_non_null(file);
    static uint8_t whole[SEGMENT];
    assert_int_equal(fread(whole, 1, sizeof whole, file), sizeof whole);
    const struct replica_block *const block = &disk.chain.block[4].block;
    const uint8_t *const header = memmem(whole, sizeof whole, disk.chain.block[4].record, 80);
    const uint8_t *const tx = memmem(whole, sizeof whole, block->body.bytes, 60);
    assert_non_null(header);
    assert_non_null(tx);
    const uint8_t *const places[2] = {header + 60, tx + 50};
    for (uint32_t i = 0; i < 2; i++) {
        uint8_t const flipped = *places[i] ^ 1;
        assert_int_equal(fseek(file, places[i] - whole, SEEK_SET), 0);
        assert_int_equal(fputc(flipped, file), flipped);
        assert_int_equal(fflush(file), 0);
        enum nv_err const by_height = store.by_height(store.ctx, 4, &stored);
        enum nv_err const in_body = store.body(store.ctx, &block->hash, &body);
        assert_int_equal(by_height, i == 0 ? NV_ERR_CORRUPT : NV_OK);
        assert_int_equal(in_body, NV_ERR_CORRUPT);
        assert_int_equal(fseek(file, places[i] - whole, SEEK_SET), 0);
        assert_int_equal(fputc(*places[i], file), *places[i]);
        assert_int_equal(fflush(file), 0);
    }
    assert_int_equal(fclose(file), 0);
    expect_block(4);
}

/* note_many notes `count` final blocks of a long chain, and a body that lost at
 * every height; the database follows `behind` heights behind (0: never). */
static void note_many(uint32_t count, uint64_t behind)
{
    struct nv_hash parent = disk.chain.chain_id;
    struct cs_block block = {.has_justify = false};
    for (uint64_t h = 1; h <= count; h++) {
        uint8_t bytes[CS_HEADER_SIZE + 8];
        struct nv_writer w;
        for (uint32_t i = 0; i < 2; i++) { /* first the one that loses */
            block.header.height = h;
            block.header.parent_hash = parent;
            block.header.proposer = i == 0 ? 1 : 0;
            nv_writer_init(&w, bytes, sizeof bytes);
            cs_block_put(&w, &block);
            struct st_record record = {CS_RECORD_BLOCK, nv_view_of(bytes, w.size), {1, 512}};
            assert_int_equal(node_blocks_note(blocks, &record), NV_OK);
            record.type = CS_RECORD_FINAL; /* its certificate is not looked at */
            assert_true(i == 0 || node_blocks_note(blocks, &record) == NV_OK);
        }
        cs_header_hash(&parent, &block.header);
        if (behind != 0 && h > behind) {
            node_blocks_checkpointed(blocks, h - behind);
        }
    }
}

static void test_memory_of_a_long_chain(void **state)
{
    (void)state;
    note_many(30000, 100);
    assert_true(blocks->entry_count < 16384);
    assert_true(blocks->touched < 16384);
    assert_null(node_blocks__at(blocks, 1000));
    for (uint64_t h = 29900; h <= 30000; h++) {
        assert_int_equal(node_blocks__at(blocks, h)->height, h);
    }
    assert_int_equal(node_blocks_final(blocks), 30000);
}

static void test_all_blocks_when_the_database_is_lost(void **state)
{
    (void)state;
    note_many(30000, 0);
    for (uint64_t h = 1; h <= 30000; h++) {
        assert_int_equal(node_blocks__at(blocks, h)->height, h);
    }
}

static void test_events_are_left_out_when_too_large(void **state)
{
    (void)state;
    uint8_t bytes[4096];
    struct nv_writer w;
    struct node_executed executed;
    struct node_places const places = {.final_height = 4};
    struct node_result *const result = yield(2);
    uint32_t const whole = node_executed_size(result, 4096);
    uint32_t const small = node_executed_size(result, whole - 1);
    assert_int_equal(whole, small + 4 + 5);
    nv_writer_init(&w, bytes, sizeof bytes);
    node_executed_put(&w, result, &places, whole - 1);
    assert_int_equal(w.size, small);
    assert_int_equal(node_executed_get(&executed, nv_view_of(bytes, w.size)), NV_OK);
    assert_int_equal(executed.event_count, 0);
    assert_int_equal(executed.tx_count, 2);
    for (uint32_t size = 0; size < w.size; size++) {
        assert_int_not_equal(node_executed_get(&executed, nv_view_of(bytes, size)), NV_OK);
    }
    node_result_free(result);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_found_in_memory),
        CASE(test_found_through_the_database),
        CASE(test_half_and_half),
        CASE(test_not_there),
        CASE(test_places_wait_for_the_finalization),
        CASE(test_damaged_records),
        CASE(test_ends_of_epochs),
        CASE(test_ends_of_epochs_in_the_database),
        CASE(test_flipped_bytes_are_found),
        CASE(test_memory_of_a_long_chain),
        CASE(test_all_blocks_when_the_database_is_lost),
        CASE(test_events_are_left_out_when_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
