/* test_journal_thread.c - batches become durable in order, and a failing disk is
 * told, once.
 *
 * Method: a real journal behind files that count what happens and fail when
 * told to; batches go through the thread and must come back with their records
 * at the places where a reader finds them. */

#include <string.h>

#include "base/codec.h"

#include "node/journal/thread.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"

#define SEGMENT (1u << 20)

static char folder[TEMP_DIR_SIZE];
static struct st_files files; /* the system's, but for write and sync */
static bool sync_fails;
static bool disk_skips; /* nothing is written: no disk is quicker */
static uint32_t syncs;
static struct st_journal *journal;
static struct st_journal_options options;
static struct node_mailbox box;
static struct node_journal_thread *thread;
static struct node_batch batch[2];

static enum nv_err counted_sync(void *ctx, struct st_file file)
{
    syncs++;
    if (disk_skips) {
        return NV_OK;
    }
    return sync_fails ? NV_ERR_IO : st_files_system()->sync(ctx, file);
}

static enum nv_err
skipped_write(void *ctx, struct st_file file, const void *bytes, size_t size, uint64_t at)
{
    return disk_skips ? NV_OK : st_files_system()->write(ctx, file, bytes, size, at);
}

static int open_all(void **state)
{
    static const uint8_t id[ST_JOURNAL_ID_SIZE] = {3};
    (void)state;
    temp_dir_new(folder);
    files = *st_files_system();
    files.sync = counted_sync;
    files.write = skipped_write;
    sync_fails = false;
    disk_skips = false;
    options = (struct st_journal_options){
        .files = &files, .dir = folder, .segment_size = SEGMENT, .batch_max = SEGMENT - 8192};
    assert_int_equal(st_journal_create(&journal, &options, id), NV_OK);
    node_mailbox_init(&box, NULL, NULL);
    assert_int_equal(node_journal_thread_start(&thread, journal, &box), NV_OK);
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(node_batch_open(&batch[i], options.batch_max), NV_OK);
    }
    syncs = 0;
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    node_journal_thread_stop(thread);
    for (uint32_t i = 0; i < 2; i++) {
        node_batch_close(&batch[i]);
    }
    node_mailbox_deinit(&box);
    st_journal_close(journal);
    temp_dir_remove(folder);
    return 0;
}

static struct node_batch *back(void)
{
    struct node_mail *const mail = node_mailbox_take(&box);
    assert_int_equal(mail->kind, NODE_MAIL_BATCH);
    return (struct node_batch *)mail;
}

/* As many records as a batch takes are no more than the journal takes. */
static void test_a_full_batch_is_taken(void **state)
{
    static const uint8_t payload[100];
    (void)state;
    while (node_batch_add(&batch[0], 1, nv_view_of(payload, sizeof payload)) == NV_OK) {
    }
    node_journal_thread_append(thread, &batch[0]);
    assert_int_equal(back()->err, NV_OK);
}

static void test_records_have_places(void **state)
{
    (void)state;
    struct st_reader *reader = NULL;
    uint8_t memory[4096];
    for (uint32_t round = 0; round < 5; round++) {
        uint8_t bytes[3000];
        memset(bytes, (int)round, sizeof bytes);
        node_batch_clear(&batch[0]);
        for (uint8_t i = 1; i <= 3; i++) {
            assert_int_equal(node_batch_add(&batch[0], i, nv_view_of(bytes, 1000u * i)), NV_OK);
        }
        node_journal_thread_append(thread, &batch[0]);
        assert_ptr_equal(back(), &batch[0]);
        assert_int_equal(batch[0].err, NV_OK);
        assert_true(syncs > round);
        assert_int_equal(st_reader_open(&reader, &options), NV_OK);
        for (uint32_t i = 0; i < 3; i++) {
            struct st_record told;
            struct st_record found;
            node_batch_record(&batch[0], i, &told);
            assert_int_equal(st_reader_read(reader, &found, told.place, memory, sizeof memory),
                             NV_OK);
            assert_int_equal(found.type, i + 1);
            assert_true(nv_view_eq(found.bytes, told.bytes));
            assert_int_equal(found.bytes.size, 1000 * (i + 1));
        }
        st_reader_close(reader);
    }
}

static void test_two_under_way(void **state)
{
    (void)state;
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t const byte = i;
        assert_int_equal(node_batch_add(&batch[i], 9, nv_view_of(&byte, 1)), NV_OK);
    }
    node_journal_thread_append(thread, &batch[0]);
    node_journal_thread_append(thread, &batch[1]);
    assert_ptr_equal(back(), &batch[0]);
    assert_ptr_equal(back(), &batch[1]);
    struct st_record record[2];
    node_batch_record(&batch[0], 0, &record[0]);
    node_batch_record(&batch[1], 0, &record[1]);
    assert_true(record[0].place.offset < record[1].place.offset);
}

/* put_records writes what a replica gives: type, size, payload. */
static uint32_t put_records(uint8_t *out, uint32_t cap, uint32_t count, uint32_t size)
{
    static uint8_t payload[65536];
    struct nv_writer w;
    nv_writer_init(&w, out, cap);
    for (uint32_t i = 0; i < count; i++) {
        nv_put_u8(&w, (uint8_t)(i + 1));
        nv_put_u32(&w, size);
        nv_put_bytes(&w, payload, size);
    }
    assert_false(w.overflow);
    return w.size;
}

static void test_more_than_a_batch(void **state)
{
    (void)state;
    static uint8_t bytes[3 << 20];
    uint32_t const size = put_records(bytes, sizeof bytes, 40, 65536);
    uint32_t at = 0;
    uint32_t records = 0;
    uint32_t batches = 0;
    while (at < size) {
        node_batch_clear(&batch[0]);
        uint32_t const taken = node_batch_add_all(&batch[0], nv_view_of(bytes + at, size - at));
        assert_true(taken > 0 && taken % (65536 + 5) == 0);
        at += taken;
        records += batch[0].batch.count;
        batches++;
        node_journal_thread_append(thread, &batch[0]);
        assert_int_equal(back()->err, NV_OK);
    }
    assert_int_equal(records, 40);
    assert_int_equal(batches, 3);
}

static void test_failed_sync_is_told(void **state)
{
    (void)state;
    uint8_t const byte = 1;
    assert_int_equal(node_batch_add(&batch[0], 1, nv_view_of(&byte, 1)), NV_OK);
    sync_fails = true;
    node_journal_thread_append(thread, &batch[0]);
    assert_int_equal(back()->err, NV_ERR_IO);
    assert_int_equal(syncs, 1); /* never again */
    sync_fails = false;
    assert_int_equal(node_batch_add(&batch[1], 1, nv_view_of(&byte, 1)), NV_OK);
    node_journal_thread_append(thread, &batch[1]);
    assert_int_not_equal(back()->err, NV_OK);
    assert_int_equal(syncs, 1);
}

/* at_once appends small batches until one is taken at once: a loaded machine may
 * make some look slow. */
static void at_once(void)
{
    for (uint32_t i = 0; i < 400; i++) { /* fewer than half a segment */
        uint8_t const byte = (uint8_t)i;
        node_batch_clear(&batch[0]);
        assert_int_equal(node_batch_add(&batch[0], 1, nv_view_of(&byte, 1)), NV_OK);
        if (node_journal_thread_at_once(thread, &batch[0])) {
            return;
        }
        node_journal_thread_append(thread, &batch[0]);
        assert_int_equal(back()->err, NV_OK);
    }
    fail();
}

static void test_a_quick_disk_is_written_at_once(void **state)
{
    (void)state;
    struct st_record before;
    struct st_record after;
    disk_skips = true;
    at_once();
    uint32_t const synced = syncs;
    assert_int_equal(batch[0].err, NV_OK);
    assert_null(node_mailbox_try(&box));
    node_batch_record(&batch[0], 0, &before);
    uint8_t const byte = 9;
    assert_int_equal(node_batch_add(&batch[1], 1, nv_view_of(&byte, 1)), NV_OK);
    node_journal_thread_append(thread, &batch[1]); /* the thread goes on behind it */
    assert_int_equal(back()->err, NV_OK);
    assert_int_equal(syncs, synced + 1);
    node_batch_record(&batch[1], 0, &after);
    assert_int_equal(after.place.segment, before.place.segment);
    assert_true(after.place.offset > before.place.offset);
}

static void test_a_large_batch_is_not_written_at_once(void **state)
{
    (void)state;
    static uint8_t const bytes[65536];
    disk_skips = true;
    at_once();
    assert_int_equal(node_batch_add(&batch[1], 1, nv_view_of(bytes, sizeof bytes)), NV_OK);
    assert_false(node_journal_thread_at_once(thread, &batch[1]));
    node_batch_clear(&batch[1]);
    assert_int_equal(node_batch_add(&batch[1], 1, nv_view_of(bytes, 1)), NV_OK);
    batch[1].drop = 1;
    assert_false(node_journal_thread_at_once(thread, &batch[1]));
}

static void test_a_segment_is_made_by_the_thread(void **state)
{
    (void)state;
    static uint8_t const bytes[SEGMENT / 2];
    disk_skips = true;
    at_once();
    assert_true(st_journal_prepared(journal));
    /* On the caller's thread, so that no other one prepares the next segment. */
    assert_int_equal(node_batch_add(&batch[1], 1, nv_view_of(bytes, sizeof bytes)), NV_OK);
    assert_int_equal(st_journal_append(journal, &batch[1].batch), NV_OK);
    assert_false(st_journal_prepared(journal));
    uint8_t const byte = 9;
    node_batch_clear(&batch[0]);
    assert_int_equal(node_batch_add(&batch[0], 1, nv_view_of(&byte, 1)), NV_OK);
    assert_false(node_journal_thread_at_once(thread, &batch[0]));
    disk_skips = false;
    node_journal_thread_append(thread, &batch[0]);
    assert_int_equal(back()->err, NV_OK);
    node_journal_thread_stop(thread); /* what it was given it has done then */
    assert_true(st_journal_prepared(journal));
    assert_int_equal(node_journal_thread_start(&thread, journal, &box), NV_OK);
}

static void test_a_failed_sync_at_once_is_told(void **state)
{
    (void)state;
    uint8_t const byte = 1;
    disk_skips = true;
    at_once();
    uint32_t const synced = syncs;
    disk_skips = false;
    sync_fails = true;
    node_batch_clear(&batch[0]);
    assert_int_equal(node_batch_add(&batch[0], 1, nv_view_of(&byte, 1)), NV_OK);
    if (!node_journal_thread_at_once(thread, &batch[0])) { /* the last one looked slow */
        node_journal_thread_append(thread, &batch[0]);
        assert_ptr_equal(back(), &batch[0]);
    }
    assert_int_equal(batch[0].err, NV_ERR_IO);
    assert_int_equal(syncs, synced + 1);
}

static void test_record_larger_than_a_batch(void **state)
{
    (void)state;
    static uint8_t bytes[SEGMENT];
    assert_int_equal(node_batch_add(&batch[0], 1, nv_view_of(bytes, sizeof bytes)),
                     NV_ERR_TOO_LARGE);
    assert_int_equal(batch[0].batch.count, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_a_full_batch_is_taken),
        CASE(test_records_have_places),
        CASE(test_two_under_way),
        CASE(test_more_than_a_batch),
        CASE(test_failed_sync_is_told),
        CASE(test_a_quick_disk_is_written_at_once),
        CASE(test_a_large_batch_is_not_written_at_once),
        CASE(test_a_segment_is_made_by_the_thread),
        CASE(test_a_failed_sync_at_once_is_told),
        CASE(test_record_larger_than_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
