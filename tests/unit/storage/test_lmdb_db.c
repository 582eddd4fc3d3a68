/* test_lmdb_db.c - a database is there whole or not at all.
 *
 * Method: what a process that died while it made one can leave is put into the
 * folder; opening must not trip over it, and leaves nothing behind. */

#include <stdio.h>
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_half_made_database_is_made_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
