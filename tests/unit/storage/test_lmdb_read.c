/* Goal: blocks and transactions are found by the indices, and a pinned checkpoint
 * can be paged while newer ones are written.
 * Method: a database of a few checkpoints, pages of several sizes, pins of several
 * ages. */

#include "storage/epochs.h"
#include "storage/storage.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"

#define ROWS 50u

static char dir[TEMP_DIR_SIZE];
static struct st_db *db;
static struct st_state *rows_in_memory;

static struct st_limits const limits = {.rows_max = 200,
                                        .versions_max = 8,
                                        .writes_max = 60,
                                        .dirty_max = 60,
                                        .dirty_bytes_max = 60 * NV_ROW_VALUE_MAX,
                                        .blocks_max = 10,
                                        .txs_max = 10};

static int begin(void **state)
{
    (void)state;
    temp_dir_new(dir);
    struct st_db_options const options = {
        .dir = dir, .map_size = 64u << 20, .readers_max = ST_READERS_DEFAULT};
    bool const open = st_state_open(&rows_in_memory, &limits) == NV_OK;
    return open && st_db_open(&db, &options) == NV_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    st_state_close(rows_in_memory);
    st_db_close(db);
    temp_dir_remove(dir);
    return 0;
}

/* write_height makes a checkpoint of ROWS rows that hold the height. */
static void write_height(uint64_t height)
{
    struct nv_row rows[ROWS];
    struct nv_hash txs[3];
    memset(rows, 0, sizeof rows);
    memset(txs, (int)height, sizeof txs);
    for (uint32_t i = 0; i < ROWS; i++) {
        rows[i].key.bytes[10] = (uint8_t)(2 * i);
        rows[i].value = nv_view_of(&height, i == 0 ? 0 : sizeof height);
    }
    for (uint32_t i = 0; i < 3; i++) {
        txs[i].bytes[0] = (uint8_t)(200 - i);
    }
    struct st_block const block = {.height = height,
                                   .place = {.segment = 5, .offset = (uint32_t)height},
                                   .writes = rows,
                                   .write_count = ROWS,
                                   .txs = txs,
                                   .tx_count = 3};
    assert_int_equal(st_apply(rows_in_memory, &block), NV_OK);
    struct st_overlay *const overlay = st_freeze(rows_in_memory);
    assert_int_equal(st_db_checkpoint(db, overlay), NV_OK);
    st_thaw(rows_in_memory, overlay);
}

static void blocks_and_transactions_are_found(void **state)
{
    (void)state;
    struct st_place place;
    struct st_tx_place tx_place;
    struct nv_hash hash;
    for (uint64_t height = 1; height <= 3; height++) {
        write_height(height * 300);
    }
    assert_int_equal(st_db_block(db, &place, 600), NV_OK);
    assert_int_equal(place.segment, 5);
    assert_int_equal(place.offset, 600);
    assert_int_equal(st_db_block(db, &place, 601), NV_ERR_NOT_FOUND);
    memset(&hash, (int)(uint8_t)900, sizeof hash);
    hash.bytes[0] = 198;
    assert_int_equal(st_db_tx(db, &tx_place, &hash), NV_OK);
    assert_int_equal(tx_place.height, 900);
    assert_int_equal(tx_place.index, 2);
    hash.bytes[31] = 0;
    assert_int_equal(st_db_tx(db, &tx_place, &hash), NV_ERR_NOT_FOUND);
}

static void what_was_pruned_is_forgotten(void **state)
{
    (void)state;
    struct st_place place;
    struct st_tx_place tx_place;
    struct nv_hash hash;
    assert_int_equal(st_db_forget(db, 5), NV_OK); /* nothing is there */
    for (uint64_t height = 1; height <= 4; height++) {
        write_height(height);
    }
    assert_int_equal(st_db_forget(db, 2), NV_OK);
    for (uint64_t height = 1; height <= 4; height++) {
        enum nv_err const expected = height <= 2 ? NV_ERR_NOT_FOUND : NV_OK;
        assert_int_equal(st_db_block(db, &place, height), expected);
        memset(&hash, (int)height, sizeof hash);
        for (uint32_t i = 0; i < 3; i++) {
            hash.bytes[0] = (uint8_t)(200 - i);
            assert_int_equal(st_db_tx(db, &tx_place, &hash), expected);
        }
    }
    assert_int_equal(st_db_forget(db, 4), NV_OK);
    assert_int_equal(st_db_block(db, &place, 4), NV_ERR_NOT_FOUND);
    write_height(5);
    assert_int_equal(st_db_block(db, &place, 5), NV_OK);
}

static struct nv_view end_of(uint64_t epoch, uint32_t size)
{
    static uint8_t bytes[ST_EPOCH_SIZE_MAX];
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(epoch * 31 + i / 7 + size);
    }
    return nv_view_of(bytes, size);
}

static void expect_epoch(uint64_t epoch, uint32_t size)
{
    static uint8_t memory[ST_EPOCH_SIZE_MAX];
    struct nv_view found;
    assert_int_equal(st_db_epoch(db, &found, epoch, memory), NV_OK);
    assert_true(nv_view_eq(found, end_of(epoch, size)));
}

static void ends_of_epochs_go_with_a_checkpoint(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 1952, 1953, 3936, 3937, ST_EPOCH_SIZE_MAX};
    static uint8_t memory[ST_EPOCH_SIZE_MAX];
    uint64_t last = 0;
    struct nv_view found;
    struct st_block const block = {.height = 1};
    assert_int_equal(st_db_epoch_last(db, &last), NV_ERR_NOT_FOUND);
    assert_int_equal(st_db_epoch_put(db, 3, end_of(3, 5000)), NV_OK);
    assert_int_equal(st_apply(rows_in_memory, &block), NV_OK);
    struct st_overlay *overlay = st_freeze(rows_in_memory);
    for (uint32_t i = 0; i < 6; i++) {
        assert_true(st_overlay_epoch(overlay, 4 + i, end_of(4 + i, sizes[i])));
    }
    assert_int_equal(st_db_epoch_last(db, &last), NV_OK);
    assert_int_equal(last, 3);
    assert_int_equal(st_db_checkpoint(db, overlay), NV_OK);
    st_thaw(rows_in_memory, overlay);
    assert_int_equal(st_db_epoch_last(db, &last), NV_OK);
    assert_int_equal(last, 9);
    expect_epoch(3, 5000);
    for (uint32_t i = 0; i < 6; i++) {
        expect_epoch(4 + i, sizes[i]);
    }
    assert_int_equal(st_db_epoch(db, &found, 2, memory), NV_ERR_NOT_FOUND);
    assert_int_equal(st_db_epoch(db, &found, 10, memory), NV_ERR_NOT_FOUND);
    assert_int_equal(st_db_forget(db, 100), NV_OK); /* they stay */
    expect_epoch(9, ST_EPOCH_SIZE_MAX);
    struct st_block const next = {.height = 2};
    assert_int_equal(st_apply(rows_in_memory, &next), NV_OK);
    overlay = st_freeze(rows_in_memory);
    for (uint32_t i = 0; i < ST_EPOCHS_AT_ONCE; i++) {
        assert_true(st_overlay_epoch(overlay, 10 + i, end_of(1, 10)));
    }
    assert_false(st_overlay_epoch(overlay, 99, end_of(1, 10)));
    assert_int_equal(st_db_checkpoint(db, overlay), NV_OK);
    st_thaw(rows_in_memory, overlay);
    assert_int_equal(st_db_epoch_last(db, &last), NV_OK);
    assert_int_equal(last, 25);
}

/* The same block may have been made final by other signers. */
static void another_end_of_an_epoch_takes_the_place_of_the_first(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {5000, 9000, 100, 1953, 1952};
    assert_int_equal(st_db_epoch_put(db, 2, end_of(2, 7000)), NV_OK);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(st_db_epoch_put(db, 1, end_of(1, sizes[i])), NV_OK);
        expect_epoch(1, sizes[i]);
    }
    expect_epoch(2, 7000);
}

static void blocks_without_a_place_are_not_indexed(void **state)
{
    (void)state;
    struct st_place place;
    for (uint64_t height = 1; height <= 2; height++) {
        struct st_block const block = {.height = height};
        assert_int_equal(st_apply(rows_in_memory, &block), NV_OK);
    }
    struct st_overlay *const overlay = st_freeze(rows_in_memory);
    st_overlay_place(overlay, 2, (struct st_place){.segment = 3, .offset = 600});
    assert_int_equal(st_db_checkpoint(db, overlay), NV_OK);
    st_thaw(rows_in_memory, overlay);
    assert_int_equal(st_db_block(db, &place, 1), NV_ERR_NOT_FOUND);
    assert_int_equal(st_db_block(db, &place, 2), NV_OK);
    assert_int_equal(place.segment, 3);
    assert_int_equal(place.offset, 600);
}

/* check_pin pages all rows of a pin, `page` at a time. */
static void check_pin(struct st_pin *pin, uint64_t height, uint32_t page)
{
    struct nv_row rows[ROWS];
    struct nv_row_range range;
    uint32_t total = 0;
    uint32_t count = 0;
    memset(&range.first, 0, 32);
    memset(&range.last, 0xff, 32);
    assert_int_equal(st_pin_head(pin)->height, height);
    assert_int_equal(st_pin_head(pin)->row_count, ROWS);
    do {
        assert_int_equal(st_pin_rows(pin, rows, &count, &range, page), NV_OK);
        for (uint32_t i = 0; i < count; i++, total++) {
            assert_int_equal(rows[i].key.bytes[10], 2 * total);
            struct nv_view const want = nv_view_of(&height, total == 0 ? 0 : sizeof height);
            assert_true(nv_view_eq(rows[i].value, want));
        }
        range.first = rows[count > 0 ? count - 1 : 0].key;
        range.first.bytes[31] = 1;
    } while (count > 0);
    assert_int_equal(total, ROWS);
}

static void a_pin_holds_its_checkpoint(void **state)
{
    (void)state;
    struct st_pin *one = NULL;
    struct st_pin *again = NULL;
    struct st_pin *two = NULL;
    assert_int_equal(st_db_pin(db, &one, 0, 1), NV_ERR_NOT_FOUND);
    write_height(10);
    assert_int_equal(st_db_pin(db, &one, 0, 100), NV_OK);
    check_pin(one, 10, 7);
    write_height(20);
    check_pin(one, 10, ROWS);
    assert_int_equal(st_db_pin(db, &again, 10, 150), NV_OK);
    assert_ptr_equal(again, one);
    assert_int_equal(st_db_pin(db, &two, 0, 200), NV_OK);
    check_pin(two, 20, 1);
    check_pin(one, 10, 13);
    assert_int_equal(st_db_pin(db, &again, 15, 200), NV_ERR_NOT_FOUND);
    st_db_unpin(db, 100);
    check_pin(one, 10, 50);
    st_db_unpin(db, 101);
    assert_int_equal(st_db_pin(db, &again, 10, 300), NV_ERR_NOT_FOUND);
    check_pin(two, 20, 10);
}

static void a_range_is_paged(void **state)
{
    (void)state;
    struct st_pin *pin = NULL;
    struct nv_row rows[ROWS];
    struct nv_row_range range;
    uint32_t count = 0;
    write_height(10);
    assert_int_equal(st_db_pin(db, &pin, 10, 1), NV_OK);
    memset(&range, 0, sizeof range);
    range.first.bytes[10] = 5;
    range.last.bytes[10] = 12;
    assert_int_equal(st_pin_rows(pin, rows, &count, &range, ROWS), NV_OK);
    assert_int_equal(count, 4);
    assert_int_equal(rows[0].key.bytes[10], 6);
    assert_int_equal(rows[3].key.bytes[10], 12);
    range.first.bytes[0] = 1;
    range.last.bytes[0] = 1;
    assert_int_equal(st_pin_rows(pin, rows, &count, &range, ROWS), NV_OK);
    assert_int_equal(count, 0);
}

static void the_pin_that_nobody_asked_for_the_longest_makes_room(void **state)
{
    (void)state;
    struct st_pin *pin = NULL;
    for (uint64_t i = 1; i <= ST_PINS_MAX; i++) {
        write_height(i);
        assert_int_equal(st_db_pin(db, &pin, i, i), NV_OK);
    }
    assert_int_equal(st_db_pin(db, &pin, 1, 40), NV_OK); /* its reader goes on */
    write_height(100);
    assert_int_equal(st_db_pin(db, &pin, 0, 50), NV_OK);
    check_pin(pin, 100, 9);
    assert_int_equal(st_db_pin(db, &pin, 2, 50), NV_ERR_NOT_FOUND);
    for (uint64_t i = 1; i <= ST_PINS_MAX; i++) {
        if (i != 2) {
            assert_int_equal(st_db_pin(db, &pin, i, 60), NV_OK);
            check_pin(pin, i, 9);
        }
    }
}

static void readers_beside_the_writer_read_only(void **state)
{
    (void)state;
    struct st_db_options const options = {
        .dir = dir, .map_size = 64u << 20, .readers_max = ST_READERS_DEFAULT, .read_only = true};
    struct st_head head;
    st_db_close(db); /* one process has it open once */
    db = NULL;
    assert_int_equal(st_db_open(&db, &options), NV_OK); /* the tables are there */
    assert_int_equal(st_db_head(db, &head), NV_ERR_NOT_FOUND);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(blocks_and_transactions_are_found),
        CASE(what_was_pruned_is_forgotten),
        CASE(ends_of_epochs_go_with_a_checkpoint),
        CASE(another_end_of_an_epoch_takes_the_place_of_the_first),
        CASE(blocks_without_a_place_are_not_indexed),
        CASE(a_pin_holds_its_checkpoint),
        CASE(a_range_is_paged),
        CASE(the_pin_that_nobody_asked_for_the_longest_makes_room),
        CASE(readers_beside_the_writer_read_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
