/* Goal: the port to the real file system does what files.h says, and a journal
 * works on it.
 * Method: a directory of its own under TMPDIR. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "storage/files.h"
#include "storage/journal.h"
#include "tests/lib/nv_test.h"

static char dir[256];
static const struct st_files *files;

static int begin(void **state)
{
    (void)state;
    const char *const parent = getenv("TMPDIR");
    (void)snprintf(dir, sizeof dir, "%s/novate-files-XXXXXX", parent != NULL ? parent : "/tmp");
    files = st_files_system();
    return mkdtemp(dir) != NULL ? 0 : -1;
}

static const char *path_of(const char *name)
{
    static char paths[4][300];
    static uint32_t next;
    char *const path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", dir, name);
    return path;
}

static enum nv_err remove_one(void *ctx, const char *name)
{
    (void)ctx;
    return name[0] == '.' ? NV_OK : files->remove(files->ctx, path_of(name));
}

static int end(void **state)
{
    (void)state;
    bool const empty = files->list(files->ctx, dir, remove_one, NULL) == NV_OK;
    return empty && rmdir(dir) == 0 ? 0 : -1;
}

static enum nv_err count_one(void *ctx, const char *name)
{
    *(uint32_t *)ctx += name[0] == '.' ? 0 : 1;
    return NV_OK;
}

static void files_come_and_go(void **state)
{
    (void)state;
    struct st_file file;
    uint8_t bytes[8];
    size_t got = 0;
    uint64_t size = 0;
    uint32_t count = 0;
    void *const ctx = files->ctx;
    assert_int_equal(files->open(ctx, &file, path_of("a"), ST_OPEN_READ), NV_ERR_NOT_FOUND);
    assert_int_equal(files->open(ctx, &file, path_of("a"), ST_OPEN_WRITE), NV_ERR_NOT_FOUND);
    assert_int_equal(files->open(ctx, &file, path_of("a"), ST_OPEN_CREATE), NV_OK);
    assert_int_equal(files->write(ctx, file, "12345678", 8, 4), NV_OK);
    assert_int_equal(files->sync(ctx, file), NV_OK);
    assert_int_equal(files->size(ctx, file, &size), NV_OK);
    assert_int_equal(size, 12);
    assert_int_equal(files->read(ctx, file, bytes, 8, 6, &got), NV_OK);
    assert_int_equal(got, 6);
    assert_memory_equal(bytes, "345678", 6);
    assert_int_equal(files->read(ctx, file, bytes, 8, 50, &got), NV_OK);
    assert_int_equal(got, 0);
    files->close(ctx, file);
    assert_int_equal(files->open(ctx, &file, path_of("a"), ST_OPEN_CREATE), NV_ERR_EXISTS);
    assert_int_equal(files->rename(ctx, path_of("a"), path_of("b")), NV_OK);
    assert_int_equal(files->sync_dir(ctx, dir), NV_OK);
    assert_int_equal(files->list(ctx, dir, count_one, &count), NV_OK);
    assert_int_equal(count, 1);
    assert_int_equal(files->open(ctx, &file, path_of("b"), ST_OPEN_READ), NV_OK);
    assert_int_equal(files->write(ctx, file, "x", 1, 0), NV_ERR_IO);
    files->close(ctx, file);
    assert_int_equal(files->remove(ctx, path_of("b")), NV_OK);
    assert_int_equal(files->remove(ctx, path_of("b")), NV_ERR_NOT_FOUND);
    assert_int_equal(files->sync_dir(ctx, path_of("none")), NV_ERR_NOT_FOUND);
    assert_int_equal(files->list(ctx, path_of("none"), count_one, &count), NV_ERR_NOT_FOUND);
}

static void directories_are_made_once(void **state)
{
    (void)state;
    assert_int_equal(files->make_dir(files->ctx, path_of("sub")), NV_OK);
    assert_int_equal(files->make_dir(files->ctx, path_of("sub")), NV_OK);
    assert_int_equal(files->make_dir(files->ctx, path_of("no/sub")), NV_ERR_NOT_FOUND);
    assert_int_equal(rmdir(path_of("sub")), 0);
}

static void one_holds_the_lock(void **state)
{
    (void)state;
    struct st_file first;
    struct st_file second;
    assert_int_equal(files->lock(files->ctx, &first, path_of("lock")), NV_OK);
    assert_int_equal(files->lock(files->ctx, &second, path_of("lock")), NV_ERR_LOCKED);
    files->close(files->ctx, first);
    assert_int_equal(files->lock(files->ctx, &second, path_of("lock")), NV_OK);
    files->close(files->ctx, second);
}

static void a_journal_lives_here(void **state)
{
    (void)state;
    static uint8_t const id[ST_JOURNAL_ID_SIZE] = "0123456789abcdef";
    static uint8_t memory[65536];
    struct st_journal_options const options = {
        .files = files, .dir = dir, .segment_size = 1u << 18, .batch_max = 1u << 16};
    struct st_journal *journal = NULL;
    struct st_replay *replay = NULL;
    struct st_record record;
    struct st_batch batch;
    st_batch_init(&batch, memory, sizeof memory);
    assert_int_equal(st_journal_open(&journal, &options), NV_ERR_NOT_FOUND);
    assert_int_equal(st_journal_create(&journal, &options, id), NV_OK);
    for (uint32_t i = 0; i < 100; i++) {
        static uint8_t bytes[20000];
        memcpy(bytes, &i, sizeof i);
        struct nv_view const part = nv_view_of(bytes, sizeof bytes);
        st_batch_clear(&batch);
        assert_int_equal(st_batch_add(&batch, NULL, 1, &part, 1), NV_OK);
        assert_int_equal(st_journal_append(journal, &batch), NV_OK);
        assert_int_equal(st_journal_prepare(journal), NV_OK);
    }
    assert_int_equal(st_journal_drop(journal, 3), NV_OK);
    st_journal_close(journal);
    assert_int_equal(st_journal_open(&journal, &options), NV_OK);
    assert_int_equal(st_replay_open(&replay, journal, 0), NV_OK);
    uint32_t count = 0;
    uint32_t last = 0;
    while (st_replay_next(replay, &record) == NV_OK) {
        memcpy(&last, record.bytes.bytes, sizeof last);
        count++;
    }
    assert_int_equal(last, 99);
    assert_int_equal(count, 100 - 2 * 12);
    st_replay_close(replay);
    st_journal_close(journal);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(files_come_and_go),
        CASE(directories_are_made_once),
        CASE(one_holds_the_lock),
        CASE(a_journal_lives_here),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
