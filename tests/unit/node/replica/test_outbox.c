/* test_outbox.c - nothing leaves before what it depends on is durable.
 *
 * Method: hand-made sequences, then random ones against the rule itself: a
 * message may come out only when every synced record put in before it has been
 * in a batch that was declared durable, and batches joined are the records in
 * the order in which they were put in. */

#include <string.h>

#include "node/replica/outbox.h"
#include "tests/lib/nv_test.h"

static struct nv_view text(const char *s)
{
    return nv_view_of((const uint8_t *)s, (uint32_t)strlen(s));
}

static void send(struct node_outbox *outbox, const char *s)
{
    struct node_outbox_message const message = {
        .links = (const uint32_t[]){7, 9}, .link_count = 2, .type = 2, .bytes = text(s)};
    assert_int_equal(node_outbox_send(outbox, &message), NV_OK);
}

static void persist(struct node_outbox *outbox, const char *s, bool sync)
{
    assert_int_equal(node_outbox_persist(outbox, text(s), sync), NV_OK);
}

static void expect_batch(struct node_outbox *outbox, const char *s)
{
    struct node_outbox_item item;
    assert_true(node_outbox_next(outbox, &item));
    assert_int_equal(item.kind, NODE_OUTBOX_BATCH);
    assert_true(nv_view_eq(item.batch, text(s)));
}

static void expect_message(struct node_outbox *outbox, const char *s)
{
    struct node_outbox_item item;
    assert_true(node_outbox_next(outbox, &item));
    assert_int_equal(item.kind, NODE_OUTBOX_MESSAGE);
    assert_true(nv_view_eq(item.message.bytes, text(s)));
    assert_int_equal(item.message.type, 2);
    assert_int_equal(item.message.link_count, 2);
    assert_int_equal(item.message.links[0], 7);
    assert_int_equal(item.message.links[1], 9);
}

static void expect_nothing(struct node_outbox *outbox)
{
    struct node_outbox_item item;
    assert_false(node_outbox_next(outbox, &item));
}

static void a_vote_waits_for_its_record(void **state)
{
    (void)state;
    struct node_outbox *outbox;
    assert_int_equal(node_outbox_open(&outbox, 1000), NV_OK);
    send(outbox, "free");
    persist(outbox, "r1", true);
    send(outbox, "v1");
    persist(outbox, "r2", true);
    send(outbox, "v2");
    expect_message(outbox, "free");
    expect_batch(outbox, "r1r2"); /* one sync for both */
    persist(outbox, "r3", true);
    send(outbox, "v3");
    expect_nothing(outbox);
    node_outbox_durable(outbox);
    expect_message(outbox, "v1");
    expect_message(outbox, "v2");
    expect_batch(outbox, "r3");
    expect_nothing(outbox);
    node_outbox_durable(outbox);
    expect_message(outbox, "v3");
    expect_nothing(outbox);
    node_outbox_close(outbox);
}

static void lazy_records_hold_nobody_up_and_keep_their_order(void **state)
{
    (void)state;
    struct node_outbox *outbox;
    assert_int_equal(node_outbox_open(&outbox, 1000), NV_OK);
    persist(outbox, "a", false);
    send(outbox, "m");
    persist(outbox, "b", false);
    expect_message(outbox, "m");
    expect_nothing(outbox);
    persist(outbox, "c", true);
    persist(outbox, "d", false);
    expect_batch(outbox, "abcd");
    node_outbox_durable(outbox);
    expect_nothing(outbox);
    node_outbox_close(outbox);
}

static void lazy_records_go_alone_when_asked(void **state)
{
    (void)state;
    struct node_outbox *outbox;
    assert_int_equal(node_outbox_open(&outbox, 1000), NV_OK);
    node_outbox_flush(outbox); /* nothing waits: nothing is remembered */
    expect_nothing(outbox);
    persist(outbox, "l1", false);
    expect_nothing(outbox);
    node_outbox_flush(outbox);
    persist(outbox, "l2", false);
    expect_batch(outbox, "l1l2");
    persist(outbox, "l3", false);
    node_outbox_flush(outbox);
    expect_nothing(outbox); /* one batch at a time */
    node_outbox_durable(outbox);
    expect_batch(outbox, "l3");
    node_outbox_durable(outbox);
    persist(outbox, "l4", false);
    expect_nothing(outbox);
    node_outbox_flush(outbox);
    persist(outbox, "r", true);
    expect_batch(outbox, "l4r"); /* a batch that is due takes it along */
    node_outbox_durable(outbox);
    expect_nothing(outbox);
    node_outbox_close(outbox);
}

static void the_bound_holds(void **state)
{
    (void)state;
    struct node_outbox *outbox;
    assert_int_equal(node_outbox_open(&outbox, 10), NV_OK);
    persist(outbox, "123456", true);
    assert_true(node_outbox_pressed(outbox));
    assert_int_equal(node_outbox_persist(outbox, text("12345"), true), NV_ERR_NO_MEMORY);
    expect_batch(outbox, "123456");
    node_outbox_durable(outbox);
    expect_nothing(outbox);
    assert_false(node_outbox_pressed(outbox));
    persist(outbox, "1234567890", true);
    node_outbox_close(outbox);
}

#define STEPS 4000u

/* One put of the random run: its number is its text. */
struct put {
    bool records;
    bool sync;
    bool durable;
    bool in_batch;
};

static struct put puts_made[STEPS];

static void mark_batch(struct nv_view batch, uint32_t *next_record)
{
    assert_int_equal(batch.size % 4, 0);
    for (uint32_t i = 0; i < batch.size; i += 4) {
        uint32_t number = 0;
        memcpy(&number, batch.bytes + i, 4);
        while (!puts_made[*next_record].records) {
            (*next_record)++;
        }
        assert_int_equal(number, *next_record);
        puts_made[number].in_batch = true;
        (*next_record)++;
    }
}

static void check_message(uint32_t number)
{
    for (uint32_t i = 0; i < number; i++) {
        assert_true(!puts_made[i].records || !puts_made[i].sync || puts_made[i].durable);
    }
}

static void random_sequences_keep_the_rule(void **state)
{
    (void)state;
    struct nv_test_rng rng = {7};
    struct node_outbox *outbox;
    assert_int_equal(node_outbox_open(&outbox, 1u << 20), NV_OK);
    memset(puts_made, 0, sizeof puts_made);
    uint32_t made = 0;
    uint32_t next_record = 0;
    bool syncing = false;
    while (made < STEPS) {
        uint32_t const what = (uint32_t)nv_test_below(&rng, 6);
        struct nv_view const bytes = nv_view_of((const uint8_t *)&made, 4);
        struct node_outbox_item item;
        if (what < 2) {
            puts_made[made] = (struct put){.records = true, .sync = what == 0};
            assert_int_equal(node_outbox_persist(outbox, bytes, what == 0), NV_OK);
            made++;
        } else if (what == 2) {
            struct node_outbox_message const message = {.bytes = bytes};
            assert_int_equal(node_outbox_send(outbox, &message), NV_OK);
            made++;
        } else if (what == 3 && syncing) {
            node_outbox_durable(outbox);
            syncing = false;
            for (uint32_t i = 0; i < made; i++) {
                puts_made[i].durable = puts_made[i].in_batch;
            }
        } else if (node_outbox_next(outbox, &item)) {
            if (item.kind == NODE_OUTBOX_BATCH) {
                assert_false(syncing);
                syncing = true;
                mark_batch(item.batch, &next_record);
            } else {
                uint32_t number = 0;
                memcpy(&number, item.message.bytes.bytes, 4);
                check_message(number);
            }
        }
    }
    assert_true(next_record > STEPS / 4);
    node_outbox_close(outbox);
}

static void a_block_waits_for_the_votes_before_it(void **state)
{
    (void)state;
    static int const block;
    struct node_outbox *outbox;
    struct node_outbox_item item;
    assert_int_equal(node_outbox_open(&outbox, 1000), NV_OK);
    persist(outbox, "vote", true);
    assert_int_equal(node_outbox_block(outbox, &block), NV_OK);
    expect_batch(outbox, "vote");
    assert_false(node_outbox_next(outbox, &item));
    node_outbox_durable(outbox);
    assert_true(node_outbox_next(outbox, &item));
    assert_int_equal(item.kind, NODE_OUTBOX_BLOCK);
    assert_ptr_equal(item.block, &block);
    assert_false(node_outbox_next(outbox, &item));
    node_outbox_close(outbox);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vote_waits_for_its_record),
        cmocka_unit_test(a_block_waits_for_the_votes_before_it),
        cmocka_unit_test(lazy_records_hold_nobody_up_and_keep_their_order),
        cmocka_unit_test(lazy_records_go_alone_when_asked),
        cmocka_unit_test(the_bound_holds),
        cmocka_unit_test(random_sequences_keep_the_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
