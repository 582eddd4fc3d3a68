/* Goal: records come back, in order and by place; limits are kept; segments come
 * and go as they should.
 * Method: a journal on the model of a disk, step by step. Crashes are in
 * test_journal_open.c. */

#include "base/heap.h"

#include "storage/journal.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/nv_test.h"

#define SEGMENT_SIZE 8192u
#define BATCH_MAX    4096u

static uint8_t const id[ST_JOURNAL_ID_SIZE] = "0123456789abcdef";
static uint8_t batch_memory[BATCH_MAX + ST_SECTOR_SIZE];
static struct disk *disk;
static struct st_files files;
static struct st_journal_options options;
static struct st_journal *journal;
static struct st_batch batch;

static int begin(void **state)
{
    (void)state;
    disk = disk_new();
    files = disk_port(disk);
    options = (struct st_journal_options){
        .files = &files, .dir = "/d", .segment_size = SEGMENT_SIZE, .batch_max = BATCH_MAX};
    st_batch_init(&batch, batch_memory, sizeof batch_memory);
    return st_journal_create(&journal, &options, id) == NV_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    st_journal_close(journal);
    disk_free(disk);
    return 0;
}

/* append_sized appends a batch of one record of `size` bytes. */
static enum nv_err append_sized(uint32_t size)
{
    static uint8_t bytes[BATCH_MAX];
    struct nv_view const part = nv_view_of(bytes, size);
    st_batch_clear(&batch);
    NV_TRY(st_batch_add(&batch, NULL, 1, &part, 1));
    return st_journal_append(journal, &batch);
}

static void records_are_read_back_by_place(void **state)
{
    (void)state;
    struct st_place places[50][2];
    struct st_reader *reader = NULL;
    uint8_t memory[300];
    for (uint32_t i = 0; i < 50; i++) {
        uint32_t index[2];
        uint8_t const bytes[300] = {(uint8_t)i};
        struct nv_view const one[2] = {nv_view_of(bytes, 1), nv_view_of("tail", 4)};
        struct nv_view const two = nv_view_of(bytes, 6 * i);
        st_batch_clear(&batch);
        assert_int_equal(st_batch_add(&batch, &index[0], 3, one, 2), NV_OK);
        assert_int_equal(st_batch_add(&batch, &index[1], 255, &two, 1), NV_OK);
        assert_int_equal(st_journal_append(journal, &batch), NV_OK);
        places[i][0] = st_batch_place(&batch, index[0]);
        places[i][1] = st_batch_place(&batch, index[1]);
    }
    assert_true(places[49][0].segment > 3);
    assert_int_equal(st_reader_open(&reader, &options), NV_OK);
    for (uint32_t round = 0; round < 50; round++) {
        uint32_t const i = round * 17 % 50;
        struct st_record record;
        assert_int_equal(st_reader_read(reader, &record, places[i][0], memory, sizeof memory),
                         NV_OK);
        assert_int_equal(record.type, 3);
        assert_int_equal(record.bytes.size, 5);
        assert_int_equal(record.bytes.bytes[0], i);
        assert_memory_equal(record.bytes.bytes + 1, "tail", 4);
        assert_int_equal(st_reader_read(reader, &record, places[i][1], memory, sizeof memory),
                         NV_OK);
        assert_int_equal(record.type, 255);
        assert_int_equal(record.bytes.size, 6 * i);
        assert_int_equal(record.place.offset, places[i][1].offset);
    }
    st_reader_close(reader);
}

static void a_replay_gives_the_same_places(void **state)
{
    (void)state;
    struct st_place places[40];
    struct st_replay *replay = NULL;
    struct st_record record;
    for (uint32_t i = 0; i < 40; i++) {
        uint32_t index = 0;
        struct nv_view const part = nv_view_of(&i, sizeof i);
        st_batch_clear(&batch);
        assert_int_equal(st_batch_add(&batch, &index, 7, &part, 1), NV_OK);
        assert_int_equal(st_journal_append(journal, &batch), NV_OK);
        places[i] = st_batch_place(&batch, index);
    }
    assert_int_equal(st_replay_open(&replay, journal, 0), NV_OK);
    for (uint32_t i = 0; i < 40; i++) {
        assert_int_equal(st_replay_next(replay, &record), NV_OK);
        assert_true(nv_view_eq(record.bytes, nv_view_of(&i, sizeof i)));
        assert_int_equal(record.place.segment, places[i].segment);
        assert_int_equal(record.place.offset, places[i].offset);
    }
    assert_int_equal(st_replay_next(replay, &record), NV_ERR_NOT_FOUND);
    assert_int_equal(st_replay_next(replay, &record), NV_ERR_NOT_FOUND);
    st_replay_close(replay);
    assert_int_equal(st_replay_open(&replay, journal, places[39].segment), NV_OK);
    assert_int_equal(st_replay_next(replay, &record), NV_OK);
    assert_int_equal(record.place.segment, places[39].segment);
    st_replay_close(replay);
}

static void an_empty_journal_has_no_records(void **state)
{
    (void)state;
    struct st_replay *replay = NULL;
    struct st_record record;
    assert_int_equal(st_replay_open(&replay, journal, 0), NV_OK);
    assert_int_equal(st_replay_next(replay, &record), NV_ERR_NOT_FOUND);
    st_replay_close(replay);
    struct st_journal *other = NULL;
    assert_int_equal(st_journal_create(&other, &options, id), NV_ERR_EXISTS);
    assert_int_equal(st_journal_end(journal).segment, 1);
    assert_int_equal(st_journal_end(journal).offset, ST_SECTOR_SIZE);
}

static void a_batch_that_is_too_large_does_no_harm(void **state)
{
    (void)state;
    uint32_t const head_and_tail = 60 + 5 + 32;
    assert_int_equal(append_sized(BATCH_MAX - head_and_tail + 1), NV_ERR_TOO_LARGE);
    assert_int_equal(append_sized(BATCH_MAX - head_and_tail), NV_OK);
    assert_int_equal(st_journal_end(journal).offset, ST_SECTOR_SIZE + BATCH_MAX);

    uint8_t small[ST_SECTOR_SIZE];
    struct st_batch tiny;
    struct nv_view part = nv_view_of(small, ST_SECTOR_SIZE - head_and_tail + 1);
    memset(small, 1, sizeof small);
    st_batch_init(&tiny, small, sizeof small);
    uint8_t const fill[ST_SECTOR_SIZE] = {0};
    part.bytes = fill;
    assert_int_equal(st_batch_add(&tiny, NULL, 1, &part, 1), NV_ERR_TOO_LARGE);
    assert_int_equal(tiny.count, 0);
    part.size--;
    assert_int_equal(st_batch_add(&tiny, NULL, 1, &part, 1), NV_OK);
    part.size = 0;
    assert_int_equal(st_batch_add(&tiny, NULL, 1, &part, 1), NV_ERR_TOO_LARGE);
    assert_int_equal(st_journal_append(journal, &tiny), NV_OK);
}

/* A segment is filled to its last sector, and the next one begins. */
static void a_segment_is_filled_to_the_end(void **state)
{
    (void)state;
    struct st_replay *replay = NULL;
    struct st_record record;
    for (uint32_t i = 1; i < SEGMENT_SIZE / ST_SECTOR_SIZE; i++) {
        assert_int_equal(append_sized(10), NV_OK);
    }
    assert_int_equal(st_journal_end(journal).segment, 1);
    assert_int_equal(st_journal_end(journal).offset, SEGMENT_SIZE);
    st_journal_close(journal);
    assert_int_equal(st_journal_open(&journal, &options), NV_OK);
    assert_int_equal(st_journal_end(journal).offset, SEGMENT_SIZE);
    assert_int_equal(append_sized(10), NV_OK);
    assert_int_equal(st_journal_end(journal).segment, 2);
    assert_int_equal(st_replay_open(&replay, journal, 0), NV_OK);
    for (uint32_t i = 0; i < SEGMENT_SIZE / ST_SECTOR_SIZE; i++) {
        assert_int_equal(st_replay_next(replay, &record), NV_OK);
    }
    assert_int_equal(st_replay_next(replay, &record), NV_ERR_NOT_FOUND);
    st_replay_close(replay);
}

static void a_segment_is_prepared_once_when_half_is_full(void **state)
{
    (void)state;
    assert_int_equal(append_sized(3000), NV_OK);
    assert_int_equal(st_journal_prepare(journal), NV_OK);
    assert_null(disk_file_named(disk, "journal-00000002"));
    assert_int_equal(append_sized(1000), NV_OK);
    assert_int_equal(st_journal_prepare(journal), NV_OK);
    assert_non_null(disk_file_named(disk, "journal-00000002"));
    assert_int_equal(st_journal_prepare(journal), NV_OK);
    assert_null(disk_file_named(disk, "journal-00000003"));
    uint64_t const ops = disk->ops;
    assert_int_equal(append_sized(3900), NV_OK);
    assert_int_equal(st_journal_end(journal).segment, 2);
    assert_int_equal(disk->ops - ops, 3); /* open, write, sync: no segment was made */
    assert_int_equal(st_journal_first(journal), 1);
}

static void dropped_segments_are_gone(void **state)
{
    (void)state;
    struct st_reader *reader = NULL;
    struct st_record record;
    uint8_t memory[4096];
    for (uint32_t i = 0; i < 8; i++) {
        assert_int_equal(append_sized(3000), NV_OK);
    }
    assert_int_equal(st_journal_end(journal).segment, 4);
    assert_int_equal(st_journal_drop(journal, 3), NV_OK);
    assert_int_equal(st_journal_first(journal), 3);
    assert_null(disk_file_named(disk, "journal-00000002"));
    assert_int_equal(st_journal_drop(journal, 1), NV_OK);
    assert_int_equal(st_journal_first(journal), 3);
    assert_int_equal(st_reader_open(&reader, &options), NV_OK);
    struct st_place place = {.segment = 2, .offset = 572};
    assert_int_equal(st_reader_read(reader, &record, place, memory, sizeof memory),
                     NV_ERR_NOT_FOUND);
    place.segment = 3;
    assert_int_equal(st_reader_read(reader, &record, place, memory, sizeof memory), NV_OK);
    assert_int_equal(st_reader_read(reader, &record, place, memory, 2999), NV_ERR_TOO_LARGE);
    assert_int_equal(st_journal_drop(journal, 99), NV_OK);
    assert_int_equal(st_journal_first(journal), 4);
    st_reader_drop(reader, 4); /* it had the segment open */
    assert_int_equal(st_reader_read(reader, &record, place, memory, sizeof memory),
                     NV_ERR_NOT_FOUND);
    place.segment = 4;
    assert_int_equal(st_reader_read(reader, &record, place, memory, sizeof memory), NV_OK);
    st_reader_close(reader);
    assert_int_equal(append_sized(3000), NV_OK);
    st_journal_close(journal);
    assert_int_equal(st_journal_open(&journal, &options), NV_OK);
    assert_int_equal(st_journal_first(journal), 4);
}

static void places_where_nothing_is(void **state)
{
    (void)state;
    struct st_reader *reader = NULL;
    struct st_record record;
    uint8_t memory[64];
    assert_int_equal(append_sized(10), NV_OK);
    assert_int_equal(st_reader_open(&reader, &options), NV_OK);
    uint32_t const offsets[] = {
        0, 512, 571, 1024, SEGMENT_SIZE - 1, SEGMENT_SIZE, SEGMENT_SIZE + 1, UINT32_MAX};
    for (uint32_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        struct st_place const place = {.segment = 1, .offset = offsets[i]};
        assert_int_equal(st_reader_read(reader, &record, place, memory, sizeof memory),
                         NV_ERR_CORRUPT);
    }
    struct st_place const nowhere = {0, 0};
    assert_int_equal(st_reader_read(reader, &record, nowhere, memory, sizeof memory),
                     NV_ERR_NOT_FOUND);
    st_reader_close(reader);
}

/* The steps of an append, for a thread of its own. */
static void write_and_sync_apart(void **state)
{
    (void)state;
    struct nv_view const part = nv_view_of("x", 1);
    assert_int_equal(st_batch_add(&batch, NULL, 1, &part, 1), NV_OK);
    assert_int_equal(st_journal_write(journal, &batch), NV_OK);
    assert_int_equal(st_journal_end(journal).offset, 1024);
    assert_int_equal(st_journal_sync(journal), NV_OK);
    assert_int_equal(batch.at.offset, 512);
}

static void write_twice(void *ctx)
{
    (void)ctx;
    struct nv_view const part = nv_view_of("x", 1);
    for (uint32_t i = 0; i < 2; i++) {
        st_batch_clear(&batch);
        assert_int_equal(st_batch_add(&batch, NULL, 1, &part, 1), NV_OK);
        assert_int_equal(st_journal_write(journal, &batch), NV_OK);
    }
}

static void a_write_before_the_sync_is_a_mistake(void **state)
{
    (void)state;
    NV_TEST_DIES(write_twice, NULL);
}

static void no_memory(void **state)
{
    (void)state;
    struct st_replay *replay = NULL;
    struct st_reader *reader = NULL;
    assert_int_equal(append_sized(10), NV_OK);
    for (uint64_t n = 1; n <= 2; n++) {
        nv_heap_fail_at(n);
        assert_int_equal(st_replay_open(&replay, journal, 0), NV_ERR_NO_MEMORY);
    }
    nv_heap_fail_at(1);
    assert_int_equal(st_reader_open(&reader, &options), NV_ERR_NO_MEMORY);
    st_journal_close(journal);
    journal = NULL;
    for (uint64_t n = 1; n <= 2; n++) {
        nv_heap_fail_at(n);
        assert_int_equal(st_journal_open(&journal, &options), NV_ERR_NO_MEMORY);
    }
    nv_heap_fail_at(0);
    assert_int_equal(st_journal_open(&journal, &options), NV_OK);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(records_are_read_back_by_place),
        CASE(a_replay_gives_the_same_places),
        CASE(an_empty_journal_has_no_records),
        CASE(a_batch_that_is_too_large_does_no_harm),
        CASE(a_segment_is_filled_to_the_end),
        CASE(a_segment_is_prepared_once_when_half_is_full),
        CASE(dropped_segments_are_gone),
        CASE(places_where_nothing_is),
        CASE(write_and_sync_apart),
        CASE(a_write_before_the_sync_is_a_mistake),
        CASE(no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
