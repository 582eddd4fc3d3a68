/* Goal: what a checkpoint wrote is what a restart finds, to the last row; damage
 * and strangers' changes are refused; a failed or killed checkpoint leaves the one
 * before.
 * Method: random histories with a checkpoint now and then, the database closed and
 * opened between; bytes of rows changed in the file; a map that is too small; a
 * child process that is killed while it writes checkpoints. */

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "storage/storage.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"

#define WRITES_MAX 64u

static char dir[TEMP_DIR_SIZE];

static struct st_db_options const options = {
    .dir = dir, .map_size = 64u << 20, .readers_max = ST_READERS_DEFAULT};

static struct st_limits const limits = {.rows_max = 2000,
                                        .versions_max = 8,
                                        .writes_max = WRITES_MAX,
                                        .dirty_max = 2000,
                                        .dirty_bytes_max = 4u << 20,
                                        .blocks_max = 100,
                                        .txs_max = 100};

static int begin(void **state)
{
    (void)state;
    temp_dir_new(dir);
    return 0;
}

static int end(void **state)
{
    (void)state;
    temp_dir_remove(dir);
    return 0;
}

static struct st_state *new_state(void)
{
    struct st_state *state = NULL;
    assert_int_equal(st_state_open(&state, &limits), NV_OK);
    return state;
}

static struct st_db *open_db(void)
{
    struct st_db *db = NULL;
    assert_int_equal(st_db_open(&db, &options), NV_OK);
    return db;
}

/* apply_random applies a block of random puts and removals. */
static void apply_random(struct st_state *state, struct nv_test_rng *rng, uint64_t height)
{
    static uint8_t values[WRITES_MAX][300];
    struct nv_row writes[WRITES_MAX];
    struct nv_hash tx;
    uint32_t const count = nv_test_below(rng, WRITES_MAX + 1);
    uint32_t number = 0;
    memset(writes, 0, sizeof writes);
    for (uint32_t i = 0; i < count; i++) {
        number += 1 + nv_test_below(rng, 8);
        writes[i].key.bytes[0] = (uint8_t)(number / 256);
        writes[i].key.bytes[31] = (uint8_t)number;
        nv_test_fill(rng, values[i], sizeof values[i]);
        if (nv_test_below(rng, 4) > 0) {
            writes[i].value = nv_view_of(values[i], nv_test_below(rng, sizeof values[i] + 1));
        }
    }
    nv_test_fill(rng, &tx, sizeof tx);
    struct st_block const block = {.height = height,
                                   .block_hash = {{(uint8_t)height}},
                                   .place = {.segment = 1, .offset = (uint32_t)height * 512},
                                   .writes = writes,
                                   .write_count = count,
                                   .txs = &tx,
                                   .tx_count = 1};
    assert_int_equal(st_apply(state, &block), NV_OK);
}

static void checkpoint(struct st_db *db, struct st_state *state)
{
    struct st_overlay *const overlay = st_freeze(state);
    assert_non_null(overlay);
    assert_int_equal(st_db_checkpoint(db, overlay), NV_OK);
    st_thaw(state, overlay);
}

static void assert_same_head(const struct st_head *a, const struct st_head *b)
{
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->row_count, b->row_count);
    assert_memory_equal(&a->root, &b->root, 32);
    assert_memory_equal(&a->block_hash, &b->block_hash, 32);
}

static void a_restart_finds_the_checkpoint(void **unused)
{
    (void)unused;
    struct nv_test_rng rng = {1};
    struct st_db *db = open_db();
    struct st_state *state = new_state();
    struct st_head head;
    uint64_t height = 0;
    assert_int_equal(st_db_head(db, &head), NV_ERR_NOT_FOUND);
    assert_int_equal(st_db_load(db, state), NV_ERR_NOT_FOUND);
    for (uint32_t round = 0; round < 25; round++) {
        uint32_t const blocks = 1 + nv_test_below(&rng, 5);
        for (uint32_t i = 0; i < blocks; i++) {
            apply_random(state, &rng, height++);
        }
        checkpoint(db, state);
        struct st_head const before = *st_newest(state);
        apply_random(state, &rng, height); /* lost: it was not in a checkpoint */
        st_state_close(state);
        st_db_close(db);

        db = open_db();
        state = new_state();
        assert_int_equal(st_db_load(db, state), NV_OK);
        assert_same_head(st_newest(state), &before);
        assert_int_equal(st_db_head(db, &head), NV_OK);
        assert_same_head(&head, &before);
    }
    assert_true(head.row_count > 100);
    st_state_close(state);
    st_db_close(db);
}

static void all_rows_may_go(void **unused)
{
    (void)unused;
    struct st_db *db = open_db();
    struct st_state *state = new_state();
    struct nv_row row = {.value = nv_view_of("v", 1)};
    struct st_block block = {.height = 1, .writes = &row, .write_count = 1};
    memset(&row.key, 7, sizeof row.key);
    assert_int_equal(st_apply(state, &block), NV_OK);
    checkpoint(db, state);
    row.value = nv_view_of(NULL, 0);
    block.height = 2;
    assert_int_equal(st_apply(state, &block), NV_OK);
    checkpoint(db, state);
    st_state_close(state);
    state = new_state();
    assert_int_equal(st_db_load(db, state), NV_OK);
    assert_int_equal(st_newest(state)->row_count, 0);
    assert_int_equal(st_newest(state)->height, 2);
    st_state_close(state);
    st_db_close(db);
}

/* The second half of a history goes to another database than the first. */
static void changes_to_something_else_are_refused(void **unused)
{
    (void)unused;
    struct nv_test_rng rng = {2};
    struct st_db *const db = open_db();
    struct st_state *const one = new_state();
    struct st_state *const two = new_state();
    apply_random(one, &rng, 1);
    checkpoint(db, one);
    apply_random(two, &rng, 2);
    struct st_overlay *overlay = st_freeze(two);
    assert_int_equal(st_db_checkpoint(db, overlay), NV_ERR_MISMATCH);
    st_thaw(two, overlay);
    overlay = st_freeze(one);
    assert_null(overlay);
    apply_random(one, &rng, 3);
    overlay = st_freeze(one);
    assert_int_equal(st_db_checkpoint(db, overlay), NV_OK);
    assert_int_equal(st_db_checkpoint(db, overlay), NV_ERR_MISMATCH); /* twice */
    st_state_close(one);
    st_state_close(two);
    st_db_close(db);
}

/* ---- damage ---- */

static const char pattern[] = "a value that is easy to find in the file";

/* damage changes a byte of the pattern wherever it stands in the file. */
static uint32_t damage(void)
{
    static uint8_t bytes[8u << 20];
    char path[TEMP_DIR_SIZE + 16];
    uint32_t found = 0;
    (void)snprintf(path, sizeof path, "%s/data.mdb", dir);
    FILE *const file = fopen(path, "r+b");
    assert_non_null(file);
    size_t const size = fread(bytes, 1, sizeof bytes, file);
    for (size_t i = 0; i + sizeof pattern <= size; i++) {
        if (memcmp(bytes + i, pattern, sizeof pattern - 1) == 0) {
            assert_int_equal(fseek(file, (long)i + 3, SEEK_SET), 0);
            assert_int_equal(fputc('!', file), '!');
            found++;
        }
    }
    assert_int_equal(fclose(file), 0);
    return found;
}

static void a_rotten_row_is_found(void **unused)
{
    (void)unused;
    struct nv_test_rng rng = {3};
    struct st_db *db = open_db();
    struct st_state *state = new_state();
    struct nv_row row = {.value = nv_view_of(pattern, sizeof pattern)};
    memset(&row.key, 9, sizeof row.key);
    struct st_block const block = {.height = 2, .writes = &row, .write_count = 1};
    apply_random(state, &rng, 1);
    assert_int_equal(st_apply(state, &block), NV_OK);
    checkpoint(db, state);
    st_state_close(state);
    st_db_close(db);
    assert_true(damage() > 0);
    db = open_db();
    state = new_state();
    assert_int_equal(st_db_load(db, state), NV_ERR_MISMATCH);
    st_state_close(state);
    st_db_close(db);
}

static void a_database_that_is_none(void **unused)
{
    (void)unused;
    char path[TEMP_DIR_SIZE + 16];
    struct st_db *db = NULL;
    (void)snprintf(path, sizeof path, "%s/data.mdb", dir);
    FILE *const file = fopen(path, "wb");
    assert_non_null(file);
    for (uint32_t i = 0; i < 20000; i++) {
        assert_int_equal(fputc('x', file), 'x');
    }
    assert_int_equal(fclose(file), 0);
    assert_int_equal(st_db_open(&db, &options), NV_ERR_CORRUPT);
    struct st_db_options elsewhere = options;
    elsewhere.dir = "/nonexistent/novate";
    assert_int_equal(st_db_open(&db, &elsewhere), NV_ERR_NOT_FOUND);
    st_db_close(NULL);
}

static void a_full_map_leaves_the_checkpoint_before(void **unused)
{
    (void)unused;
    struct nv_test_rng rng = {4};
    struct st_db_options small = options;
    struct st_db *db = NULL;
    struct st_state *state = new_state();
    struct st_head good = {.height = 0};
    small.map_size = 256u << 10;
    assert_int_equal(st_db_open(&db, &small), NV_OK);
    enum nv_err err = NV_OK;
    for (uint64_t height = 1; err == NV_OK; height++) {
        apply_random(state, &rng, height);
        struct st_overlay *const overlay = st_freeze(state);
        err = st_db_checkpoint(db, overlay);
        st_thaw(state, overlay);
        good = err == NV_OK ? *st_newest(state) : good;
        assert_true(height < 1000);
    }
    assert_int_equal(err, NV_ERR_DISK_FULL);
    assert_true(good.height > 0);
    st_state_close(state);
    st_db_close(db);
    db = open_db();
    state = new_state();
    assert_int_equal(st_db_load(db, state), NV_OK);
    assert_same_head(st_newest(state), &good);
    apply_random(state, &rng, good.height + 1);
    checkpoint(db, state);
    st_state_close(state);
    st_db_close(db);
}

/* ---- a killed process ---- */

/* write_forever writes checkpoints, and a byte after each. */
static _Noreturn void write_forever(int out)
{
    struct nv_test_rng rng = {5};
    struct st_db *db = NULL;
    struct st_state *state = NULL;
    if (st_db_open(&db, &options) != NV_OK || st_state_open(&state, &limits) != NV_OK) {
        _exit(1);
    }
    for (uint64_t height = 1;; height++) {
        apply_random(state, &rng, height);
        checkpoint(db, state);
        if (write(out, "", 1) != 1) {
            _exit(1);
        }
    }
}

/* state_of_height replays the history that the child wrote. */
static struct st_head state_of_height(uint64_t height)
{
    struct nv_test_rng rng = {5};
    struct st_state *const state = new_state();
    for (uint64_t i = 1; i <= height; i++) {
        apply_random(state, &rng, i);
        struct st_overlay *const overlay = st_freeze(state);
        st_thaw(state, overlay);
    }
    struct st_head const head = *st_newest(state);
    st_state_close(state);
    return head;
}

static void kill_after(uint32_t checkpoints)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t const child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        write_forever(ends[1]);
    }
    (void)close(ends[1]);
    for (uint32_t i = 0; i < checkpoints; i++) {
        char byte = 0;
        assert_int_equal(read(ends[0], &byte, 1), 1);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)close(ends[0]);
}

static void a_killed_process_leaves_a_checkpoint(void **unused)
{
    (void)unused;
    for (uint32_t round = 1; round <= 8; round++) {
        char own[TEMP_DIR_SIZE];
        temp_dir_new(own);
        memcpy(dir, own, sizeof own);
        kill_after(round * 7);
        struct st_db *const db = open_db();
        struct st_state *const state = new_state();
        assert_int_equal(st_db_load(db, state), NV_OK);
        struct st_head const found = *st_newest(state);
        assert_true(found.height >= round * 7);
        struct st_head const expected = state_of_height(found.height);
        assert_same_head(&found, &expected);
        st_state_close(state);
        st_db_close(db);
        if (round < 8) {
            temp_dir_remove(own);
        }
    }
}

static int end_killed(void **state)
{
    return end(state);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_restart_finds_the_checkpoint),
        CASE(all_rows_may_go),
        CASE(changes_to_something_else_are_refused),
        CASE(a_rotten_row_is_found),
        CASE(a_database_that_is_none),
        CASE(a_full_map_leaves_the_checkpoint_before),
        cmocka_unit_test_teardown(a_killed_process_leaves_a_checkpoint, end_killed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
