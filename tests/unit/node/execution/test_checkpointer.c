/* test_checkpointer.c - checkpoints are written in order, and pages show all
 * rows of one of them, each once.
 *
 * Method: a state with a few hundred rows is written through the thread; its
 * pages are read with several sizes while a later checkpoint is made, and must
 * add up to the rows of the first. */

#include <string.h>

#include "base/codec.h"

#include "node/execution/checkpointer.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"

#define ROWS 300u

static char folder[TEMP_DIR_SIZE];
static struct st_db *db;
static struct st_state *rows_state;
static struct node_mailbox box;
static struct node_checkpointer *checkpointer;
static struct node_checkpoint checkpoint;

static int open_all(void **state)
{
    (void)state;
    struct st_limits const limits = {.rows_max = 4096,
                                     .versions_max = 4,
                                     .writes_max = 1024,
                                     .dirty_max = 2048,
                                     .dirty_bytes_max = 2048 * 1984,
                                     .blocks_max = 64,
                                     .txs_max = 256};
    temp_dir_new(folder);
    struct st_db_options const options = {.dir = folder, .map_size = 1u << 30, .readers_max = 8};
    assert_int_equal(st_db_open(&db, &options), NV_OK);
    assert_int_equal(st_state_open(&rows_state, &limits), NV_OK);
    node_mailbox_init(&box, NULL, NULL);
    assert_int_equal(node_checkpointer_start(&checkpointer, db, &box), NV_OK);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    node_checkpointer_stop(checkpointer);
    node_mailbox_deinit(&box);
    st_state_close(rows_state);
    st_db_close(db);
    temp_dir_remove(folder);
    return 0;
}

/* apply writes ROWS rows, the value of row i being `height` and i % 200 bytes. */
static void apply(uint64_t height)
{
    static struct nv_row rows[ROWS];
    static uint8_t values[ROWS][200];
    for (uint32_t i = 0; i < ROWS; i++) {
        memset(&rows[i].key, 0, sizeof rows[i].key);
        nv_be32_store(rows[i].key.bytes + 4, i);
        memset(values[i], (int)height, sizeof values[i]);
        rows[i].value = nv_view_of(values[i], i % 200);
    }
    struct st_block const block = {.height = height, .writes = rows, .write_count = ROWS};
    assert_int_equal(st_apply(rows_state, &block), NV_OK);
}

static void write_checkpoint(void)
{
    checkpoint.overlay = st_freeze(rows_state);
    assert_non_null(checkpoint.overlay);
    node_checkpointer_write(checkpointer, &checkpoint);
    struct node_mail *const mail = node_mailbox_take(&box);
    assert_int_equal(mail->kind, NODE_MAIL_CHECKPOINTED);
    assert_int_equal(checkpoint.err, NV_OK);
    st_thaw(rows_state, checkpoint.overlay);
}

static struct rpc_rows *fill(struct rpc_rows *rows)
{
    struct node_page page = {.rows = rows};
    rows->size = 0;
    rows->count = 0;
    node_checkpointer_page(checkpointer, &page);
    struct node_mail *const mail = node_mailbox_take(&box);
    assert_int_equal(mail->kind, NODE_MAIL_PAGE);
    assert_ptr_equal(mail, &page.mail);
    return rows;
}

/* look at a page: rows from `next` on, of `height`; returns the next one. */
static uint32_t expect_rows(const struct rpc_rows *page, uint32_t next, uint8_t height)
{
    uint32_t at = 0;
    for (uint32_t i = 0; i < page->count; i++) {
        const uint8_t *const key = page->bytes + at;
        uint32_t const size = nv_be16_load(key + 32);
        assert_int_equal(nv_be32_load(key + 4), next);
        assert_int_equal(size, next % 200);
        for (uint32_t j = 0; j < size; j++) {
            assert_int_equal(key[34 + j], height);
        }
        at += 34 + size;
        next++;
    }
    assert_int_equal(at, page->size);
    return next;
}

static void page_through(uint32_t max_rows, uint32_t cap)
{
    static uint8_t bytes[1 << 20];
    uint32_t next = 0;
    struct rpc_rows page = {.max_rows = max_rows, .bytes = bytes, .cap = cap};
    uint64_t const height = st_newest(rows_state)->height;
    bool moved = false;
    while (!page.end) {
        assert_int_equal(fill(&page)->err, NV_OK);
        assert_true(page.count > 0 || page.end);
        assert_int_equal(page.head.height, height);
        next = expect_rows(&page, next, (uint8_t)height);
        page.has_after = true;
        memset(&page.after, 0, sizeof page.after);
        nv_be32_store(page.after.bytes + 4, next - 1);
        if (!moved && !page.end) { /* the pin holds what is read still */
            moved = true;
            apply(height + 1);
            write_checkpoint();
        }
    }
    assert_int_equal(next, ROWS);
}

static void test_pages_add_up(void **state)
{
    (void)state;
    static uint32_t const sizes[][2] = {{1, 4096}, {7, 4096}, {1000, 300}, {1000, 1 << 20}};
    apply(1);
    write_checkpoint();
    for (uint32_t i = 0; i < 4; i++) {
        page_through(sizes[i][0], sizes[i][1]);
    }
}

static void test_no_checkpoint_no_page(void **state)
{
    (void)state;
    uint8_t bytes[64];
    struct rpc_rows page = {.max_rows = 1, .bytes = bytes, .cap = sizeof bytes};
    assert_int_equal(fill(&page)->err, NV_ERR_NOT_FOUND);
    apply(1);
    write_checkpoint();
    page.pin = 99;
    assert_int_equal(fill(&page)->err, NV_ERR_NOT_FOUND);
}

static void test_after_the_last_row_is_the_end(void **state)
{
    (void)state;
    uint8_t bytes[4096];
    struct rpc_rows page = {.max_rows = 10, .bytes = bytes, .cap = sizeof bytes, .has_after = true};
    apply(1);
    write_checkpoint();
    memset(&page.after, 0xff, sizeof page.after);
    assert_int_equal(fill(&page)->err, NV_OK);
    assert_true(page.end);
    assert_int_equal(page.count, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, open_all, close_all)

static void test_a_copy_of_the_rows_comes_along(void **state)
{
    (void)state;
    checkpoint.copy = true;
    apply(1);
    write_checkpoint();
    checkpoint.copy = false;
    assert_non_null(checkpoint.rows);
    assert_int_equal(st_newest(checkpoint.rows)->height, st_newest(rows_state)->height);
    assert_memory_equal(
        &st_newest(checkpoint.rows)->root, &st_newest(rows_state)->root, sizeof(struct nv_hash));
    st_state_close(checkpoint.rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_pages_add_up),
        CASE(test_no_checkpoint_no_page),
        CASE(test_after_the_last_row_is_the_end),
        CASE(test_a_copy_of_the_rows_comes_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
