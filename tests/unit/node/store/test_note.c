/* test_note.c - a record that is noted keeps the segment in which its block's body
 * stands.
 *
 * Method: an index of blocks over an empty journal; the body of a block noted in one
 * segment, the block itself in the next; what may be dropped is asked before and
 * after. */

#include <string.h>

#include "node/store/store.h"
#include "tests/lib/node_chain.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/temp_dir.h"

#define SEGMENT (1u << 20)
#define FIRST   3u /* the oldest segment */
#define NEWEST  7u
#define HEIGHT  2u /* of a block with transactions */

static char folder[TEMP_DIR_SIZE];
static char state_dir[TEMP_DIR_SIZE];
static struct made_chain chain;
static struct st_journal *journal;
static struct st_db *db;
static struct node_store store;

static int begin(void **state)
{
    static const uint8_t id[ST_JOURNAL_ID_SIZE] = {1};
    static const struct nv_hash chain_id = {.bytes = {5}};
    (void)state;
    temp_dir_new(folder);
    temp_dir_new(state_dir);
    node_chain_make(&chain, &chain_id, 4);
    memset(&store, 0, sizeof store);
    struct st_db_options const db_options = {
        .dir = state_dir, .map_size = 1u << 28, .readers_max = 8};
    struct node_blocks_options const options = {
        .journal = {.files = st_files_system(),
                    .dir = folder,
                    .segment_size = SEGMENT,
                    .batch_max = SEGMENT - 65536},
        .validator_count = 4,
        .txs_max = 64,
    };
    assert_int_equal(st_journal_create(&journal, &options.journal, id), NV_OK);
    assert_int_equal(st_db_open(&db, &db_options), NV_OK);
    struct node_blocks_options with_db = options;
    with_db.db = db;
    assert_int_equal(node_blocks_open(&store.blocks, &with_db), NV_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    node_blocks_close(store.blocks);
    st_db_close(db);
    st_journal_close(journal);
    temp_dir_remove(state_dir);
    temp_dir_remove(folder);
    return 0;
}

static void note(uint8_t type, struct nv_view bytes, uint32_t segment)
{
    struct st_record const record = {.type = type, .bytes = bytes, .place = {segment, 512}};
    assert_int_equal(node_store__note(&store, &record), NV_OK);
}

static void note_body(uint32_t segment)
{
    static uint8_t bytes[9000];
    const struct made_block *const b = &chain.block[HEIGHT];
    assert_true(b->block.body.size > 0 && b->block.body.size + 32 <= sizeof bytes);
    memcpy(bytes, b->block.hash.bytes, 32);
    memcpy(bytes + 32, b->block.body.bytes, b->block.body.size);
    note(REPLICA_RECORD_BODY, nv_view_of(bytes, 32 + b->block.body.size), segment);
}

static void note_block(uint32_t segment)
{
    const struct made_block *const b = &chain.block[HEIGHT];
    note(CS_RECORD_BLOCK, nv_view_of(b->record, b->record_size), segment);
}

/* oldest returns the segment from which on all are kept when the checkpoint is far
 * above the block, but for the minute of transactions that a start reads. */
static uint32_t oldest(void)
{
    struct node_segments_wish const wish = {
        .keep_blocks = 1,
        .segment_size = SEGMENT,
        .checkpoint = 1000,
        .time_ms = chain.block[HEIGHT].block.header.time_ms + 60000,
        .epoch = 100,
    };
    return node_segments_keep(&store.segments, &wish);
}

static void the_segment_of_a_body_stays_for_its_block(void **state)
{
    (void)state;
    for (uint32_t segment = FIRST; segment <= NEWEST; segment++) {
        note(100, nv_view_of((const uint8_t *)"", 0), segment);
    }
    assert_int_equal(oldest(), NEWEST);
    note_body(FIRST + 1);
    assert_int_equal(oldest(), NEWEST); /* nobody needs it yet */
    note_block(FIRST + 3);
    assert_int_equal(oldest(), FIRST + 1);
}

static void a_block_without_its_body_keeps_its_own_segment(void **state)
{
    (void)state;
    for (uint32_t segment = FIRST; segment <= NEWEST; segment++) {
        note(100, nv_view_of((const uint8_t *)"", 0), segment);
    }
    note_block(FIRST + 3);
    assert_int_equal(oldest(), FIRST + 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_segment_of_a_body_stays_for_its_block, begin, end),
        cmocka_unit_test_setup_teardown(a_block_without_its_body_keeps_its_own_segment, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
