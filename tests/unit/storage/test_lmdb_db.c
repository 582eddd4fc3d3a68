/* test_lmdb_db.c - a database is there whole or not at all.
 *
 * Method: what a process that died while it made one can leave is put into the
 * folder; opening must not trip over it, and leaves nothing behind.  Names are
 * spoilt in the file of a database with one checkpoint: it must not open as if
 * it were new. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "storage/storage.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"

static void a_half_made_database_is_made_anew(void **state)
{
    (void)state;
    char folder[TEMP_DIR_SIZE];
    char half[TEMP_DIR_SIZE + 16];
    char whole[TEMP_DIR_SIZE + 16];
    struct st_db *db = NULL;
    struct st_head head;
    temp_dir_new(folder);
    (void)snprintf(half, sizeof half, "%s/new.mdb", folder);
    (void)snprintf(whole, sizeof whole, "%s/data.mdb", folder);
    FILE *const file = fopen(half, "wb");
    assert_non_null(file);
    assert_true(fputs("torn", file) >= 0);
    assert_int_equal(fclose(file), 0);
    struct st_db_options const options = {.dir = folder, .map_size = 1u << 20, .readers_max = 8};
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(st_db_open(&db, &options), NV_OK);
        assert_int_equal(st_db_head(db, &head), NV_ERR_NOT_FOUND);
        st_db_close(db);
        assert_int_not_equal(access(half, F_OK), 0);
        assert_int_equal(access(whole, F_OK), 0);
    }
    temp_dir_remove(folder);
}

/* checkpointed makes a database with one row at height 1. */
static void checkpointed(const struct st_db_options *options)
{
    struct st_limits const limits = {16, 2, 16, 16, UINT64_C(16) * NV_ROW_VALUE_MAX, 4, 4};
    struct nv_row const row = {.value = nv_view_of("x", 1)};
    struct st_block const block = {
        .height = 1, .place = {1, 512}, .writes = &row, .write_count = 1};
    struct st_state *rows = NULL;
    struct st_db *db = NULL;
    assert_int_equal(st_state_open(&rows, &limits), NV_OK);
    assert_int_equal(st_apply(rows, &block), NV_OK);
    assert_int_equal(st_db_open(&db, options), NV_OK);
    struct st_overlay *const overlay = st_freeze(rows);
    assert_int_equal(st_db_checkpoint(db, overlay), NV_OK);
    st_thaw(rows, overlay);
    st_db_close(db);
    st_state_close(rows);
}

/* spoil turns a bit in every place of the file where `name` stands. */
static void spoil(const char *path, const char *name)
{
    static char bytes[1u << 20];
    uint32_t found = 0;
    FILE *const file = fopen(path, "r+b");
    assert_non_null(file);
    size_t const size = fread(bytes, 1, sizeof bytes, file);
    for (size_t at = 0; at + strlen(name) < size; at++) {
        if (memcmp(bytes + at, name, strlen(name)) == 0) {
            bytes[at] ^= 1;
            found++;
        }
    }
    assert_true(found > 0);
    rewind(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static void a_lost_name_is_damage(void **state)
{
    (void)state;
    static const char *const names[] = {"head", "meta", "rows", "blocks", "txs", "epochs"};
    for (uint32_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char folder[TEMP_DIR_SIZE];
        char path[TEMP_DIR_SIZE + 16];
        struct st_db *db = NULL;
        temp_dir_new(folder);
        (void)snprintf(path, sizeof path, "%s/data.mdb", folder);
        struct st_db_options const options = {
            .dir = folder, .map_size = 1u << 20, .readers_max = 8};
        checkpointed(&options);
        spoil(path, names[i]);
        assert_int_equal(st_db_open(&db, &options), NV_ERR_CORRUPT);
        temp_dir_remove(folder);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_half_made_database_is_made_anew),
        cmocka_unit_test(a_lost_name_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
