/* test_pages.c - the look through LMDB's pages: it is content with whatever LMDB
 * has written, and with no page whose head has rotted.
 *
 * Method: a database of some megabytes is filled, thinned out and filled again,
 * so that its trees have several levels and a list of free pages needs pages of
 * its own.  Then single bits of the heads of all pages are turned. */

#include <stdio.h>
#include <string.h>

#include "storage/pages.h"
#include "storage/storage.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"

#define ROWS  30000u
#define PAGE  4096u
#define VALUE 100u

static char folder[TEMP_DIR_SIZE];
static char path[TEMP_DIR_SIZE + 16];
static struct nv_row rows[ROWS];

/* write_round writes or removes every row whose number leaves `rest` when divided
 * by 4 (4: all), as one block and checkpoint. */
static void write_round(struct st_state *state, struct st_db *db, uint32_t rest, bool remove)
{
    static const uint8_t value[VALUE];
    uint32_t count = 0;
    for (uint32_t i = 0; i < ROWS; i++) {
        if (rest == 4 || i % 4 == rest) {
            rows[count] = (struct nv_row){.value = nv_view_of(remove ? NULL : value, VALUE)};
            rows[count].key.bytes[0] = 1;
            rows[count].key.bytes[1] = (uint8_t)(i >> 8);
            rows[count].key.bytes[2] = (uint8_t)i;
            count++;
        }
    }
    struct st_block const block = {
        .height = st_newest(state)->height + 1, .writes = rows, .write_count = count};
    assert_int_equal(st_apply(state, &block), NV_OK);
    struct st_overlay *const overlay = st_freeze(state);
    assert_int_equal(st_db_checkpoint(db, overlay), NV_OK);
    st_thaw(state, overlay);
    assert_int_equal(st__pages_check(path), NV_OK);
}

static int make(void **unused)
{
    (void)unused;
    struct st_limits const limits = {
        2 * ROWS, 2, ROWS, ROWS, (uint64_t)ROWS * NV_ROW_VALUE_MAX, 64, 4};
    struct st_db_options const options = {.dir = folder, .map_size = 1u << 28, .readers_max = 8};
    struct st_state *state = NULL;
    struct st_db *db = NULL;
    temp_dir_new(folder);
    (void)snprintf(path, sizeof path, "%s/data.mdb", folder);
    assert_int_equal(st_state_open(&state, &limits), NV_OK);
    assert_int_equal(st_db_open(&db, &options), NV_OK);
    write_round(state, db, 4, false);
    for (uint32_t rest = 0; rest < 4; rest++) {
        write_round(state, db, rest, true);
    }
    write_round(state, db, 4, false);
    write_round(state, db, 4, true); /* everything is free */
    write_round(state, db, 1, false);
    write_round(state, db, 2, false);
    st_db_close(db);
    st_state_close(state);
    return 0;
}

static int drop(void **unused)
{
    (void)unused;
    temp_dir_remove(folder);
    return 0;
}

/* turn turns one bit of the file. */
static void turn(FILE *file, long at, uint32_t bit)
{
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    int const byte = fgetc(file);
    assert_true(byte >= 0);
    assert_int_equal(fseek(file, at, SEEK_SET), 0);
    assert_true(fputc(byte ^ (1 << bit), file) >= 0);
    assert_int_equal(fflush(file), 0);
}

/* A page is either in use, and then no bit of its number, flags and bounds may
 * change, or free, and then nothing of it matters. */
static void heads_that_rot_are_seen(void **unused)
{
    (void)unused;
    static const long places[] = {0, 10, 12, 13, 14, 15};
    uint32_t used = 0;
    FILE *const file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long const pages = ftell(file) / (long)PAGE;
    assert_true(pages > 1000);
    for (long page = 2; page < pages; page += 7) {
        uint32_t seen = 0;
        for (uint32_t i = 0; i < sizeof places / sizeof places[0]; i++) {
            turn(file, page * (long)PAGE + places[i], (uint32_t)page % 8);
            enum nv_err const err = st__pages_check(path);
            turn(file, page * (long)PAGE + places[i], (uint32_t)page % 8);
            assert_true(err == NV_OK || err == NV_ERR_CORRUPT);
            seen += err == NV_ERR_CORRUPT ? 1 : 0;
        }
        assert_true(seen == 0 || seen >= 4); /* a bound may be a little lower or higher */
        used += seen > 0 ? 1 : 0;
    }
    assert_true(used > 50);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(st__pages_check(path), NV_OK);
}

static void metas_that_rot_are_seen(void **unused)
{
    (void)unused;
    static const long places[] = {0, 10, 16, 20, 40, PAGE, PAGE + 10, PAGE + 16, PAGE + 40};
    FILE *const file = fopen(path, "r+b");
    assert_non_null(file);
    for (uint32_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        turn(file, places[i], 2);
        assert_int_equal(st__pages_check(path), NV_ERR_CORRUPT);
        turn(file, places[i], 2);
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(st__pages_check(path), NV_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_that_rot_are_seen),
        cmocka_unit_test(metas_that_rot_are_seen),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
