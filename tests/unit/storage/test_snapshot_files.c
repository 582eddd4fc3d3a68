/* Goal: a snapshot is there wholly or not at all, whatever operation of the disk
 * fails or is the last one; unfinished ones and old ones go away.
 * Method: the real file system behind a port that fails from the n-th operation on,
 * for all n, which is what a process sees that is killed there; then the good port
 * again. */

#include <stdio.h>

#include "storage/snapshot.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"

static char dir[TEMP_DIR_SIZE];
static struct st_snapshots good;
static uint8_t memory[ST_CHUNK_PACKED_MAX];
static uint32_t ops_left; /* until everything fails */

static bool dead(void)
{
    if (ops_left > 0) {
        ops_left--;
        return false;
    }
    return true;
}

static enum nv_err mortal_open(void *ctx, struct st_file *out, const char *path, enum st_open mode)
{
    return dead() ? NV_ERR_IO : good.files->open(ctx, out, path, mode);
}

static enum nv_err
mortal_write(void *ctx, struct st_file file, const void *bytes, size_t size, uint64_t at)
{
    if (dead()) {
        (void)good.files->write(ctx, file, bytes, size / 2, at);
        return NV_ERR_DISK_FULL;
    }
    return good.files->write(ctx, file, bytes, size, at);
}

static enum nv_err mortal_sync(void *ctx, struct st_file file)
{
    return dead() ? NV_ERR_IO : good.files->sync(ctx, file);
}

static enum nv_err mortal_rename(void *ctx, const char *from, const char *to)
{
    return dead() ? NV_ERR_IO : good.files->rename(ctx, from, to);
}

static enum nv_err mortal_remove(void *ctx, const char *path)
{
    return dead() ? NV_ERR_IO : good.files->remove(ctx, path);
}

static enum nv_err mortal_make_dir(void *ctx, const char *path)
{
    return dead() ? NV_ERR_IO : good.files->make_dir(ctx, path);
}

static enum nv_err mortal_remove_dir(void *ctx, const char *path)
{
    return dead() ? NV_ERR_IO : good.files->remove_dir(ctx, path);
}

static enum nv_err mortal_sync_dir(void *ctx, const char *path)
{
    return dead() ? NV_ERR_IO : good.files->sync_dir(ctx, path);
}

static struct st_files mortal_port(void)
{
    struct st_files port = *good.files;
    port.open = mortal_open;
    port.write = mortal_write;
    port.sync = mortal_sync;
    port.rename = mortal_rename;
    port.remove = mortal_remove;
    port.make_dir = mortal_make_dir;
    port.remove_dir = mortal_remove_dir;
    port.sync_dir = mortal_sync_dir;
    return port;
}

static int begin(void **state)
{
    (void)state;
    temp_dir_new(dir);
    good = (struct st_snapshots){.files = st_files_system(), .dir = dir};
    return 0;
}

static int end(void **state)
{
    (void)state;
    uint64_t heights[ST_SNAPSHOTS_KEPT];
    uint32_t count = 0;
    assert_int_equal(st_snapshot_tidy(&good, 0), NV_OK);
    assert_int_equal(st_snapshot_list(&good, heights, &count, ST_SNAPSHOT_DONE), NV_OK);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(st_snapshot_remove(&good, heights[i], ST_SNAPSHOT_DONE), NV_OK);
    }
    temp_dir_remove(dir);
    return 0;
}

static struct st_state *state_at(uint64_t height)
{
    struct st_limits const limits = {.rows_max = 8,
                                     .versions_max = 1,
                                     .writes_max = 1,
                                     .dirty_max = 1,
                                     .dirty_bytes_max = NV_ROW_VALUE_MAX,
                                     .blocks_max = 1,
                                     .txs_max = 1};
    struct st_state *state = NULL;
    struct nv_row const row = {.key = {{1}}, .value = nv_view_of(&height, sizeof height)};
    struct st_block const block = {.height = height, .writes = &row, .write_count = 1};
    assert_int_equal(st_state_open(&state, &limits), NV_OK);
    assert_int_equal(st_apply(state, &block), NV_OK);
    return state;
}

static uint32_t count_of(enum st_snapshot_kind kind)
{
    uint64_t heights[ST_SNAPSHOTS_KEPT];
    uint32_t count = 0;
    assert_int_equal(st_snapshot_list(&good, heights, &count, kind), NV_OK);
    return count;
}

/* whole reads everything of a finished snapshot. */
static void whole(uint64_t height)
{
    struct nv_view view;
    struct nv_proof proof;
    struct st_manifest manifest;
    static uint8_t chunk[ST_CHUNK_SIZE_MAX];
    static uint8_t manifest_bytes[1024];
    assert_int_equal(st_snapshot_get(&good,
                                     &view,
                                     height,
                                     ST_SNAPSHOT_DONE,
                                     ST_PART_MANIFEST,
                                     manifest_bytes,
                                     sizeof manifest_bytes),
                     NV_OK);
    assert_int_equal(st_manifest_decode(&manifest, view), NV_OK);
    assert_int_equal(manifest.head.height, height);
    assert_int_equal(
        st_snapshot_get(&good, &view, height, ST_SNAPSHOT_DONE, 0, memory, sizeof memory), NV_OK);
    assert_int_equal(st_chunk_open(&proof, &manifest, 0, view, chunk), NV_OK);
    assert_int_equal(
        st_snapshot_get(
            &good, &view, height, ST_SNAPSHOT_DONE, ST_PART_ANCHOR, memory, sizeof memory),
        NV_OK);
    assert_int_equal(view.size, 3);
}

static void an_export_may_die_anywhere(void **state)
{
    (void)state;
    struct st_files const port = mortal_port();
    struct st_snapshots const mortal = {.files = &port, .dir = dir};
    bool through = false;
    uint32_t n = 0;
    struct st_state *const rows = state_at(9);
    for (; !through && n < 100; n++) {
        ops_left = n;
        enum nv_err const err = st_snapshot_export(&mortal, rows, nv_view_of("why", 3));
        through = err == NV_OK;
        if (count_of(ST_SNAPSHOT_DONE) == 1) {
            whole(9); /* the last sync may have failed after all was there */
        } else {
            assert_int_not_equal(err, NV_OK);
        }
        assert_int_equal(st_snapshot_tidy(&good, 0), NV_OK);
        assert_int_equal(count_of(ST_SNAPSHOT_MADE), 0);
        if (!through && count_of(ST_SNAPSHOT_DONE) == 1) {
            assert_int_equal(st_snapshot_remove(&good, 9, ST_SNAPSHOT_DONE), NV_OK);
        }
    }
    assert_true(n > 15);
    whole(9);
    st_state_close(rows);
}

static void an_unfinished_one_is_gone_on_with(void **state)
{
    (void)state;
    struct nv_view view;
    assert_int_equal(st_snapshot_begin(&good, 5, ST_SNAPSHOT_FETCHED), NV_OK);
    assert_int_equal(st_snapshot_put(&good, 5, ST_SNAPSHOT_FETCHED, 3, nv_view_of("three", 5)),
                     NV_OK);
    assert_int_equal(st_snapshot_begin(&good, 6, ST_SNAPSHOT_FETCHED), NV_OK);
    assert_int_equal(st_snapshot_tidy(&good, 5), NV_OK);
    assert_int_equal(count_of(ST_SNAPSHOT_FETCHED), 1);
    assert_int_equal(st_snapshot_begin(&good, 5, ST_SNAPSHOT_FETCHED), NV_OK);
    assert_int_equal(
        st_snapshot_get(&good, &view, 5, ST_SNAPSHOT_FETCHED, 3, memory, sizeof memory), NV_OK);
    assert_int_equal(view.size, 5);
    assert_memory_equal(view.bytes, "three", 5);
    assert_int_equal(st_snapshot_get(&good, &view, 5, ST_SNAPSHOT_FETCHED, 3, memory, 4),
                     NV_ERR_TOO_LARGE);
    assert_int_equal(
        st_snapshot_get(&good, &view, 5, ST_SNAPSHOT_FETCHED, 2, memory, sizeof memory),
        NV_ERR_NOT_FOUND);
    assert_int_equal(st_snapshot_get(&good, &view, 5, ST_SNAPSHOT_DONE, 3, memory, sizeof memory),
                     NV_ERR_NOT_FOUND);
}

static void the_newest_three_are_kept(void **state)
{
    (void)state;
    uint64_t heights[ST_SNAPSHOTS_KEPT];
    uint32_t count = 0;
    static uint64_t const made[] = {1000, 30, 2000, 9, 500};
    for (uint32_t i = 0; i < 5; i++) {
        struct st_state *const rows = state_at(made[i]);
        assert_int_equal(st_snapshot_export(&good, rows, nv_view_of("why", 3)), NV_OK);
        st_state_close(rows);
    }
    assert_int_equal(st_snapshot_tidy(&good, 0), NV_OK);
    assert_int_equal(st_snapshot_list(&good, heights, &count, ST_SNAPSHOT_DONE), NV_OK);
    assert_int_equal(count, 3);
    assert_int_equal(heights[0], 2000);
    assert_int_equal(heights[1], 1000);
    assert_int_equal(heights[2], 500);
    struct nv_view view;
    assert_int_equal(
        st_snapshot_get(&good, &view, 30, ST_SNAPSHOT_DONE, ST_PART_ANCHOR, memory, sizeof memory),
        NV_ERR_NOT_FOUND);
    whole(2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_export_may_die_anywhere, begin, end),
        cmocka_unit_test_setup_teardown(an_unfinished_one_is_gone_on_with, begin, end),
        cmocka_unit_test_setup_teardown(the_newest_three_are_kept, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
