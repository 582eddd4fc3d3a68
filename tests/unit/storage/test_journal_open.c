/* Goal: after any crash the journal holds every batch whose append returned, then
 * at most the one that was under way, and nothing else; and what a crash cannot
 * have done is refused.
 * Method: a history of appends, new segments, drops and reopenings on the model of
 * a disk. It is stopped at each of its file operations in turn, by a power cut
 * (with several outcomes of what was not synced, and again while recovering), by a
 * single error, and by a single error followed by a power cut. A batch's contents
 * follow from its number, so whatever is found can be judged. Then every bit of
 * the segments is flipped. */

#include <stdio.h>

#include "storage/journal.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/nv_test.h"

#define SEGMENT_SIZE 4096u
#define BATCH_MAX    2048u
#define STEPS        40u
#define BATCHES_MAX  200u
#define CUTS         6u

static uint8_t const id[ST_JOURNAL_ID_SIZE] = "0123456789abcdef";
static uint8_t batch_memory[BATCH_MAX + ST_SECTOR_SIZE];

/* What the program knows of its journal. */
struct story {
    struct disk *disk;
    struct st_files files;
    struct st_journal_options options;
    struct st_journal *journal;
    bool created;
    uint32_t acked;                   /* batches 1 to this one were appended */
    uint32_t segment_of[BATCHES_MAX]; /* of those */
    uint32_t dropped_to;              /* segments below may be gone */
};

static void story_begin(struct story *story, struct disk *disk)
{
    memset(story, 0, sizeof *story);
    story->disk = disk;
    story->files = disk_port(disk);
    story->options = (struct st_journal_options){
        .files = &story->files, .dir = "/d", .segment_size = SEGMENT_SIZE, .batch_max = BATCH_MAX};
}

/* ---- what a batch holds ---- */

/* record_make writes record `index` of a batch and returns its size; the type is
 * 0 when there is no such record. */
static uint32_t record_make(uint32_t batch, uint32_t index, uint8_t *type, uint8_t *bytes)
{
    struct nv_test_rng rng = {batch * 1000 + index};
    uint32_t const count = 1 + batch % 3;
    uint32_t const size = batch % 7 == 0 ? nv_test_below(&rng, 600) : nv_test_below(&rng, 60);
    *type = index < count ? (uint8_t)(1 + nv_test_below(&rng, 255)) : 0;
    nv_test_fill(&rng, bytes, size);
    return size;
}

static enum nv_err append(struct story *story)
{
    struct st_batch batch;
    uint8_t bytes[600];
    uint8_t type = 0;
    uint32_t const number = story->acked + 1;
    assert_true(number < BATCHES_MAX);
    st_batch_init(&batch, batch_memory, sizeof batch_memory);
    for (uint32_t i = 0;; i++) {
        struct nv_view const part = nv_view_of(bytes, record_make(number, i, &type, bytes));
        if (type == 0) {
            break;
        }
        assert_int_equal(st_batch_add(&batch, NULL, type, &part, 1), NV_OK);
    }
    NV_TRY(st_journal_append(story->journal, &batch));
    story->acked = number;
    story->segment_of[number] = batch.at.segment;
    return NV_OK;
}

/* ---- what is found ---- */

/* batch_starting returns the number of the batch whose first record this is, among
 * those that may have been written. */
static uint32_t batch_starting(const struct story *story, const struct st_record *record)
{
    for (uint32_t number = 1; number <= story->acked + 1; number++) {
        uint8_t bytes[600];
        uint8_t type = 0;
        uint32_t const size = record_make(number, 0, &type, bytes);
        if (type == record->type && nv_view_eq(record->bytes, nv_view_of(bytes, size))) {
            return number;
        }
    }
    fail_msg("a record that nobody wrote");
    return 0;
}

static void next_record(struct st_replay *replay, struct st_record *record, bool *end)
{
    enum nv_err const err = st_replay_next(replay, record);
    *end = err == NV_ERR_NOT_FOUND;
    assert_true(*end || err == NV_OK);
}

/* check_rest checks the records of a batch but for the first. */
static void check_rest(struct st_replay *replay, uint32_t number)
{
    for (uint32_t i = 1;; i++) {
        uint8_t bytes[600];
        uint8_t type = 0;
        struct st_record record;
        bool end = false;
        uint32_t const size = record_make(number, i, &type, bytes);
        if (type == 0) {
            return;
        }
        next_record(replay, &record, &end);
        assert_false(end);
        assert_int_equal(record.type, type);
        assert_true(nv_view_eq(record.bytes, nv_view_of(bytes, size)));
    }
}

/* check_all reads the whole journal and returns the last batch in it. */
static uint32_t check_all(const struct story *story)
{
    struct st_replay *replay = NULL;
    struct st_record record;
    uint32_t last = 0;
    bool end = false;
    assert_int_equal(st_replay_open(&replay, story->journal, 0), NV_OK);
    for (;;) {
        next_record(replay, &record, &end);
        if (end) {
            break;
        }
        uint32_t const number = batch_starting(story, &record);
        if (last == 0) {
            for (uint32_t i = 1; i < number; i++) {
                assert_true(story->segment_of[i] < story->dropped_to);
            }
        } else {
            assert_int_equal(number, last + 1);
        }
        check_rest(replay, number);
        last = number;
    }
    st_replay_close(replay);
    assert_true(last >= story->acked);
    return last;
}

/* ---- the history ---- */

static enum nv_err open_again(struct story *story)
{
    st_journal_close(story->journal);
    story->journal = NULL;
    return st_journal_open(&story->journal, &story->options);
}

static enum nv_err step(struct story *story, struct nv_test_rng *rng)
{
    uint32_t const what = nv_test_below(rng, 20);
    if (what == 0) {
        return open_again(story);
    }
    if (what == 1 && story->acked > 0) {
        uint32_t const segment = story->segment_of[story->acked];
        story->dropped_to = segment > 1 ? segment - 1 : 1;
        return st_journal_drop(story->journal, story->dropped_to);
    }
    if (what < 5) {
        return st_journal_prepare(story->journal);
    }
    return append(story);
}

/* run plays the history until it ends or something fails. */
static enum nv_err run(struct story *story)
{
    struct nv_test_rng rng = {77};
    NV_TRY(st_journal_create(&story->journal, &story->options, id));
    story->created = true;
    for (uint32_t i = 0; i < STEPS; i++) {
        NV_TRY(step(story, &rng));
    }
    return NV_OK;
}

/* recover opens the journal as it is now, which must work, and checks it. */
static void recover(struct story *story)
{
    enum nv_err const err = open_again(story);
    if (err == NV_ERR_NOT_FOUND) {
        assert_false(story->created);
        assert_int_equal(st_journal_create(&story->journal, &story->options, id), NV_OK);
    } else {
        assert_int_equal(err, NV_OK);
        assert_memory_equal(st_journal_id(story->journal), id, sizeof id);
    }
    story->created = true;
    uint32_t const last = check_all(story);
    assert_true(last == story->acked || last == story->acked + 1);
    if (last > story->acked) { /* it was under way, and now it counts */
        story->acked = last;
        story->segment_of[last] = st_journal_end(story->journal).segment;
    }
}

/* go_on appends some more and checks that they survive a power cut. */
static void go_on(struct story *story, uint64_t seed)
{
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(append(story), NV_OK);
    }
    disk_cut(story->disk, seed);
    recover(story);
    st_journal_close(story->journal);
    story->journal = NULL;
}

/* ---- the tests ---- */

static uint64_t count_ops(void)
{
    struct story story;
    struct disk *const disk = disk_new();
    story_begin(&story, disk);
    assert_int_equal(run(&story), NV_OK);
    assert_true(st_journal_end(story.journal).segment > 3);
    assert_true(st_journal_first(story.journal) > 1);
    uint64_t const ops = disk->ops;
    (void)check_all(&story);
    st_journal_close(story.journal);
    disk_free(disk);
    return ops;
}

static void the_power_fails_at_every_operation(void **state)
{
    (void)state;
    uint64_t const ops = count_ops();
    for (uint64_t n = 1; n <= ops; n++) {
        for (uint64_t cut = 0; cut < CUTS; cut++) {
            struct story story;
            struct disk *const disk = disk_new();
            story_begin(&story, disk);
            disk_fail(disk, n, true, NV_ERR_IO);
            assert_int_not_equal(run(&story), NV_OK);
            disk_cut(disk, n * 100 + cut);
            recover(&story);
            go_on(&story, n * 100 + cut + 50);
            disk_free(disk);
        }
    }
}

static void the_power_fails_again_while_recovering(void **state)
{
    (void)state;
    uint64_t const ops = count_ops();
    for (uint64_t n = 1; n <= ops; n += 3) {
        for (uint64_t again = 1; again < 12; again++) {
            struct story story;
            struct disk *const disk = disk_new();
            story_begin(&story, disk);
            disk_fail(disk, n, true, NV_ERR_IO);
            assert_int_not_equal(run(&story), NV_OK);
            disk_cut(disk, n * 100 + again);
            disk_fail(disk, again, true, NV_ERR_IO);
            enum nv_err const err = open_again(&story);
            assert_true(err == NV_OK || err == NV_ERR_IO || err == NV_ERR_NOT_FOUND);
            disk_cut(disk, n * 200 + again);
            recover(&story);
            go_on(&story, n * 300 + again);
            disk_free(disk);
        }
    }
}

/* The process ends at the first error, and starts again on the same pages. */
static void one_operation_fails(void **state)
{
    (void)state;
    uint64_t const ops = count_ops();
    for (uint64_t n = 1; n <= ops; n++) {
        for (uint32_t full = 0; full < 2; full++) {
            struct story story;
            struct disk *const disk = disk_new();
            story_begin(&story, disk);
            disk_fail(disk, n, false, full != 0 ? NV_ERR_DISK_FULL : NV_ERR_IO);
            assert_int_not_equal(run(&story), NV_OK);
            disk_fail(disk, 0, false, NV_OK);
            recover(&story);
            go_on(&story, n);
            disk_free(disk);
        }
    }
}

/* After an error of a write or a sync the journal takes nothing more. */
static void a_failed_sync_is_for_good(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        struct story story;
        struct disk *const disk = disk_new();
        story_begin(&story, disk);
        assert_int_equal(st_journal_create(&story.journal, &story.options, id), NV_OK);
        story.created = true;
        assert_int_equal(append(&story), NV_OK);
        disk_fail(disk, n, false, NV_ERR_IO);
        assert_int_equal(append(&story), NV_ERR_IO);
        assert_int_equal(append(&story), NV_ERR_CLOSED);
        assert_int_equal(st_journal_sync(story.journal), NV_ERR_CLOSED);
        assert_int_equal(st_journal_prepare(story.journal), NV_ERR_CLOSED);
        assert_int_equal(st_journal_drop(story.journal, 9), NV_ERR_CLOSED);
        recover(&story);
        go_on(&story, n);
        disk_free(disk);
    }
}

/* A full disk refuses a new segment; when there is room again, all goes on. */
static void a_full_disk_does_no_harm(void **state)
{
    (void)state;
    struct story story;
    struct disk *const disk = disk_new();
    story_begin(&story, disk);
    assert_int_equal(st_journal_create(&story.journal, &story.options, id), NV_OK);
    story.created = true;
    uint32_t refused = 0;
    while (st_journal_end(story.journal).segment < 4) {
        disk_fail(disk, 3, false, NV_ERR_DISK_FULL); /* not reached by an append alone */
        enum nv_err err = append(&story);
        disk_fail(disk, 0, false, NV_OK);
        if (err == NV_ERR_DISK_FULL) {
            refused++;
            assert_int_equal(append(&story), NV_OK);
        } else {
            assert_int_equal(err, NV_OK);
        }
    }
    assert_int_equal(refused, 3);
    recover(&story);
    go_on(&story, 1);
    disk_free(disk);
}

/* fill_three makes a journal of three segments. */
static void fill_three(struct story *story, struct disk *disk)
{
    story_begin(story, disk);
    assert_int_equal(st_journal_create(&story->journal, &story->options, id), NV_OK);
    story->created = true;
    while (st_journal_end(story->journal).segment < 3) {
        assert_int_equal(append(story), NV_OK);
    }
    assert_int_equal(append(story), NV_OK);
}

/* Any damaged bit is found, unless it is in the last batch, which is dropped as if
 * its write had been torn, or in bytes that mean nothing. */
static void every_damaged_bit_is_found(void **state)
{
    (void)state;
    struct disk *const disk = disk_new();
    struct story story;
    fill_three(&story, disk);
    struct st_place const end = st_journal_end(story.journal);
    uint32_t const acked = story.acked;
    story.acked--; /* the last batch may go */
    st_journal_close(story.journal);
    story.journal = NULL;
    uint32_t refused = 0;
    uint32_t dropped = 0;
    for (uint32_t i = 0; i < SEGMENT_SIZE * 3; i++) {
        struct disk *const copy = disk_new();
        char name[DISK_NAME_SIZE];
        disk_copy(copy, disk);
        story.files = disk_port(copy);
        story.options.files = &story.files;
        (void)snprintf(name, sizeof name, "journal-%08x", 1 + i / SEGMENT_SIZE);
        struct disk_file *const file = disk_file_named(copy, name);
        assert_non_null(file);
        uint8_t *const byte = &file->seen[i % SEGMENT_SIZE];
        *byte = (uint8_t)(*byte ^ (1u << (i % 8)));
        enum nv_err const err = st_journal_open(&story.journal, &story.options);
        if (err == NV_OK) {
            uint32_t const last = check_all(&story);
            bool const in_last = 1 + i / SEGMENT_SIZE == end.segment;
            assert_true(last == acked || (in_last && last == acked - 1));
            dropped += last == acked ? 0 : 1;
            st_journal_close(story.journal);
            story.journal = NULL;
        } else {
            assert_int_equal(err, NV_ERR_CORRUPT);
            refused++;
        }
        disk_free(copy);
    }
    assert_true(refused > 1000);
    assert_true(dropped > 0);
    disk_free(disk);
}

/* Whole batches in the wrong place: one twice, one missing. */
static void batches_out_of_order_are_refused(void **state)
{
    (void)state;
    struct disk *const disk = disk_new();
    struct story story;
    fill_three(&story, disk);
    uint8_t *const seen = disk_file_named(disk, "journal-00000001")->seen;
    uint8_t saved[ST_SECTOR_SIZE];
    memcpy(saved, seen + 1024, sizeof saved);
    memcpy(seen + 1024, seen + 512, sizeof saved); /* 1, 1, 3, ... */
    assert_int_equal(open_again(&story), NV_ERR_CORRUPT);
    memcpy(seen + 1024, saved, sizeof saved);
    assert_int_equal(open_again(&story), NV_OK);
    memcpy(seen + 512, seen + 1024, sizeof saved); /* 2, 2, 3, ... */
    assert_int_equal(open_again(&story), NV_ERR_CORRUPT);
    disk_free(disk);
}

static void rename_file(struct disk *disk, const char *from, const char *to)
{
    struct st_files const files = disk_port(disk);
    assert_int_equal(files.rename(files.ctx, from, to), NV_OK);
}

static void missing_and_foreign_segments_are_refused(void **state)
{
    (void)state;
    struct disk *const disk = disk_new();
    struct story story;
    fill_three(&story, disk);
    assert_int_equal(append(&story), NV_OK);
    rename_file(disk, "journal-00000002", "elsewhere");
    assert_int_equal(open_again(&story), NV_ERR_CORRUPT);
    rename_file(disk, "elsewhere", "journal-00000002");
    assert_int_equal(open_again(&story), NV_OK);
    rename_file(disk, "journal-00000003", "elsewhere"); /* the end, then, is earlier */
    rename_file(disk, "journal-00000002", "journal-00000003");
    rename_file(disk, "elsewhere", "journal-00000002");
    assert_int_equal(open_again(&story), NV_ERR_CORRUPT);
    disk_free(disk);
}

static void a_segment_of_another_journal_is_refused(void **state)
{
    (void)state;
    static uint8_t const other_id[ST_JOURNAL_ID_SIZE] = "another journal";
    struct disk *const disk = disk_new();
    struct disk *const other_disk = disk_new();
    struct story story;
    fill_three(&story, disk);
    struct story other;
    story_begin(&other, other_disk);
    assert_int_equal(st_journal_create(&other.journal, &other.options, other_id), NV_OK);
    other.created = true;
    while (st_journal_end(other.journal).segment < 3) {
        assert_int_equal(append(&other), NV_OK);
    }
    struct disk_file *const mine = disk_file_named(disk, "journal-00000003");
    const struct disk_file *const theirs = disk_file_named(other_disk, "journal-00000003");
    memcpy(mine->seen, theirs->seen, SEGMENT_SIZE);
    assert_int_equal(open_again(&story), NV_ERR_CORRUPT);
    st_journal_close(other.journal);
    disk_free(other_disk);
    disk_free(disk);
}

/* A record that holds the bytes of a batch of another journal, at the beginning of
 * a sector, is no batch, even when the batch around it is torn. */
static void bytes_of_strangers_are_no_batch(void **state)
{
    (void)state;
    struct disk *const disk = disk_new();
    struct story story;
    struct st_batch batch;
    static uint8_t foreign[1024];
    static uint8_t const other_id[ST_JOURNAL_ID_SIZE] = "another journal";
    struct disk *const other_disk = disk_new();
    struct story other;
    story_begin(&other, other_disk);
    assert_int_equal(st_journal_create(&other.journal, &other.options, other_id), NV_OK);
    assert_int_equal(append(&other), NV_OK);
    memcpy(foreign + 447, disk_file_named(other_disk, "journal-00000001")->seen + 512, 512);
    st_journal_close(other.journal);
    disk_free(other_disk);

    story_begin(&story, disk);
    assert_int_equal(st_journal_create(&story.journal, &story.options, id), NV_OK);
    story.created = true;
    st_batch_init(&batch, batch_memory, sizeof batch_memory);
    struct nv_view const part = nv_view_of(foreign, sizeof foreign);
    assert_int_equal(st_batch_add(&batch, NULL, 1, &part, 1), NV_OK);
    assert_int_equal(st_journal_append(story.journal, &batch), NV_OK);
    struct disk_file *const file = disk_file_named(disk, "journal-00000001");
    assert_memory_equal(file->seen + 1024, "NVJB", 4);
    file->seen[520] ^= 1; /* the batch around it is damaged */
    recover(&story);
    assert_int_equal(st_journal_end(story.journal).offset, 512);
    assert_int_equal(file->seen[1024], 0);
    go_on(&story, 1);
    disk_free(disk);
}

static void segments_are_read_from_where_one_says(void **state)
{
    (void)state;
    struct disk *const disk = disk_new();
    struct story story;
    fill_three(&story, disk);
    disk_file_named(disk, "journal-00000001")->seen[600] ^= 1;
    assert_int_equal(open_again(&story), NV_ERR_CORRUPT);
    story.options.first_segment = 2;
    assert_int_equal(open_again(&story), NV_OK);
    assert_int_equal(st_journal_first(story.journal), 1);
    assert_int_equal(append(&story), NV_OK);
    story.options.first_segment = 9;
    assert_int_equal(open_again(&story), NV_ERR_CORRUPT);
    disk_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_power_fails_at_every_operation),
        cmocka_unit_test(the_power_fails_again_while_recovering),
        cmocka_unit_test(one_operation_fails),
        cmocka_unit_test(a_failed_sync_is_for_good),
        cmocka_unit_test(a_full_disk_does_no_harm),
        cmocka_unit_test(every_damaged_bit_is_found),
        cmocka_unit_test(batches_out_of_order_are_refused),
        cmocka_unit_test(missing_and_foreign_segments_are_refused),
        cmocka_unit_test(a_segment_of_another_journal_is_refused),
        cmocka_unit_test(bytes_of_strangers_are_no_batch),
        cmocka_unit_test(segments_are_read_from_where_one_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
