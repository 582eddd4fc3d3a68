/* Goal: a segment goes when nothing in it is needed or wanted, and never before
 * one that is older.
 * Method: records of known heights, times and views noted by segment; wishes that
 * are just met and just not. */

#include "consensus/record.h"
#include "node/journal/segments.h"
#include "tests/lib/consensus_build.h"
#include "tests/lib/node_chain.h"
#include "tests/lib/nv_test.h"

#define SEGMENT 1000u

static struct node_segments segments;
static struct node_segments_wish wish;

static void note_block(uint32_t segment, uint64_t height, uint64_t time_ms)
{
    uint8_t bytes[1024];
    struct nv_writer w;
    struct cs_block const block = {
        .header = {.epoch = 1, .height = height, .time_ms = time_ms, .view = 100000}};
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_block_put(&w, &block);
    struct st_record const record = {
        .type = CS_RECORD_BLOCK, .bytes = nv_writer_view(&w), .place = {segment, 512}};
    node_segments_note(&segments, &record);
}

static void note_vote(uint32_t segment, uint64_t epoch, uint64_t view)
{
    uint8_t bytes[512];
    struct nv_writer w;
    struct cs_vote vote = {.ballot = cs_build_ballot(CS_NULLIFY, view, 0, cs_build_hash(1))};
    vote.ballot.epoch = epoch;
    nv_writer_init(&w, bytes, sizeof bytes);
    cs_vote_put(&w, &vote);
    struct st_record const record = {
        .type = CS_RECORD_VOTE, .bytes = nv_writer_view(&w), .place = {segment, 512}};
    node_segments_note(&segments, &record);
}

/* begin notes segments 5 to 9 of 100 heights each, a minute apart. */
static int begin(void **state)
{
    (void)state;
    memset(&segments, 0, sizeof segments);
    for (uint32_t i = 0; i < 5; i++) {
        note_block(5 + i, 100 * i + 99, 1000000 + 60000 * i);
        note_block(5 + i, 100 * i + 50, 5);
        note_vote(5 + i, 1, 1000 * i + 10);
        note_vote(5 + i, 1, 3);
    }
    wish = (struct node_segments_wish){.keep_blocks = 1,
                                       .segment_size = SEGMENT,
                                       .checkpoint = 1000,
                                       .time_ms = UINT64_MAX / 2,
                                       .epoch = 1,
                                       .view = 1000000};
    return 0;
}

static void all_but_the_newest_may_go(void **state)
{
    (void)state;
    assert_int_equal(node_segments_keep(&segments, &wish), 9);
    assert_int_equal(node_segments_height(&segments, 9), 399);
    assert_int_equal(node_segments_height(&segments, 6), 99);
    assert_int_equal(node_segments_height(&segments, 5), 0);
    wish.keep_blocks = 0;
    assert_int_equal(node_segments_keep(&segments, &wish), 5); /* an archive */
}

static void heights_near_the_checkpoint_stay(void **state)
{
    (void)state;
    wish.checkpoint = 199 + NODE_SEGMENTS_HEIGHTS;
    assert_int_equal(node_segments_keep(&segments, &wish), 6);
    wish.checkpoint++;
    assert_int_equal(node_segments_keep(&segments, &wish), 7);
}

static void the_last_minute_stays(void **state)
{
    (void)state;
    wish.time_ms = 1000000 + 60000 + 60000;
    assert_int_equal(node_segments_keep(&segments, &wish), 6);
    wish.time_ms++;
    assert_int_equal(node_segments_keep(&segments, &wish), 7);
}

static void open_views_stay(void **state)
{
    (void)state;
    wish.view = 2009;
    assert_int_equal(node_segments_keep(&segments, &wish), 7);
    wish.view = 2010;
    assert_int_equal(node_segments_keep(&segments, &wish), 8);
    note_vote(5, 2, 1); /* of the next epoch, in the oldest one */
    assert_int_equal(node_segments_keep(&segments, &wish), 5);
    wish.epoch = 3;
    wish.view = 0;
    assert_int_equal(node_segments_keep(&segments, &wish), 9);
}

static void the_end_of_an_epoch_stays_until_the_database_has_it(void **state)
{
    (void)state;
    static struct made_chain chain;
    static uint8_t bytes[CS_HANDOVER_SIZE_MAX];
    for (uint64_t epoch = 3; epoch >= 2; epoch--) {
        struct st_record const record = {
            .type = CS_RECORD_EPOCH,
            .bytes = nv_view_of(bytes, node_chain_handover(&chain, epoch, bytes)),
            .place = {7, 512},
        };
        node_segments_note(&segments, &record);
    }
    wish.epoch = 9;
    wish.ends = 2;
    assert_int_equal(node_segments_keep(&segments, &wish), 7);
    wish.ends = 3; /* now the database has it */
    assert_int_equal(node_segments_keep(&segments, &wish), 9);
}

static void a_segment_stays_that_a_later_block_needs(void **state)
{
    (void)state;
    struct cs_header const header = {.epoch = 1, .height = 990, .time_ms = 1};
    assert_int_equal(node_segments_keep(&segments, &wish), 9);
    node_segments_need(&segments, 6, &header);
    assert_int_equal(node_segments_keep(&segments, &wish), 6);
    node_segments_need(&segments, 4, &header); /* gone already */
    assert_int_equal(node_segments_keep(&segments, &wish), 6);
}

static void evidence_stays_as_long_as_its_epoch(void **state)
{
    uint8_t bytes[512];
    struct nv_writer w;
    (void)state;
    nv_writer_init(&w, bytes, sizeof bytes);
    nv_put_u64(&w, 1);
    nv_put_bytes(&w, "any", 3);
    struct st_record const record = {
        .type = CS_RECORD_EVIDENCE, .bytes = nv_writer_view(&w), .place = {7, 512}};
    node_segments_note(&segments, &record);
    assert_int_equal(node_segments_keep(&segments, &wish), 7);
    wish.epoch = 2;
    assert_int_equal(node_segments_keep(&segments, &wish), 9);
}

static void blocks_are_kept_by_number(void **state)
{
    (void)state;
    wish.keep_blocks = 1000 - 199;
    assert_int_equal(node_segments_keep(&segments, &wish), 6);
    wish.keep_blocks--;
    assert_int_equal(node_segments_keep(&segments, &wish), 7);
}

static void and_by_size(void **state)
{
    (void)state;
    wish.keep_blocks = 0;
    wish.keep_bytes = 3 * SEGMENT;
    assert_int_equal(node_segments_keep(&segments, &wish), 7);
    wish.keep_bytes = 3 * SEGMENT - 1;
    assert_int_equal(node_segments_keep(&segments, &wish), 8);
    wish.keep_bytes = 1;
    assert_int_equal(node_segments_keep(&segments, &wish), 9);
    wish.keep_bytes = 5 * SEGMENT;
    assert_int_equal(node_segments_keep(&segments, &wish), 5);
}

static void what_went_is_forgotten(void **state)
{
    (void)state;
    node_segments_dropped(&segments, 7);
    assert_int_equal(segments.first, 7);
    assert_int_equal(segments.count, 3);
    assert_int_equal(node_segments_height(&segments, 8), 299);
    note_block(12, 2000, 7);
    assert_int_equal(segments.count, 6);
    assert_int_equal(node_segments_keep(&segments, &wish), 12);
}

static void other_records_count_for_nothing(void **state)
{
    (void)state;
    struct st_record record = {
        .type = CS_RECORD_BLOCK, .bytes = nv_view_of("short", 5), .place = {5, 512}};
    node_segments_note(&segments, &record);
    record.type = 200;
    node_segments_note(&segments, &record);
    assert_int_equal(node_segments_keep(&segments, &wish), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(all_but_the_newest_may_go, begin),
        cmocka_unit_test_setup(heights_near_the_checkpoint_stay, begin),
        cmocka_unit_test_setup(the_last_minute_stays, begin),
        cmocka_unit_test_setup(open_views_stay, begin),
        cmocka_unit_test_setup(a_segment_stays_that_a_later_block_needs, begin),
        cmocka_unit_test_setup(the_end_of_an_epoch_stays_until_the_database_has_it, begin),
        cmocka_unit_test_setup(evidence_stays_as_long_as_its_epoch, begin),
        cmocka_unit_test_setup(blocks_are_kept_by_number, begin),
        cmocka_unit_test_setup(and_by_size, begin),
        cmocka_unit_test_setup(what_went_is_forgotten, begin),
        cmocka_unit_test_setup(other_records_count_for_nothing, begin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
