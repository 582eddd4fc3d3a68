/* Goal: evidence waits in the order that blocks have it, once about the same, and
 * no key keeps the others out (docs/spec/consensus.md section 17).
 * Method: items that differ in key and epoch alone; the pool judges nothing else. */

#include "consensus/pool.h"
#include "tests/lib/nv_test.h"

static struct cs__pool pool;

static int empty(void **state)
{
    (void)state;
    memset(&pool, 0, sizeof pool);
    return 0;
}

static struct cs_evidence about(uint8_t key, uint64_t epoch)
{
    struct cs_evidence item;
    memset(&item, 0, sizeof item);
    item.key.bytes[0] = key;
    item.half[0].ballot.epoch = epoch;
    item.half[1].ballot.epoch = epoch;
    return item;
}

static bool add(uint8_t key, uint64_t epoch)
{
    struct cs_evidence const item = about(key, epoch);
    bool const open = cs__pool_open(&pool, &item);
    if (open) {
        cs__pool_add(&pool, &item);
    }
    return open;
}

static void items_stand_in_order(void **state)
{
    (void)state;
    assert_true(add(7, 2));
    assert_true(add(3, 9));
    assert_true(add(7, 1));
    assert_true(add(9, 1));
    assert_false(add(7, 2));
    assert_int_equal(pool.count, 4);
    for (uint32_t i = 1; i < pool.count; i++) {
        assert_true(cs_evidence_cmp(&pool.item[i - 1], &pool.item[i]) < 0);
    }
}

static void what_is_included_waits_no_more_and_never_again(void **state)
{
    (void)state;
    struct cs_evidence const item = about(7, 2);
    assert_true(add(7, 2));
    assert_true(add(8, 2));
    cs__pool_include(&pool, &item);
    assert_int_equal(pool.count, 1);
    assert_int_equal(pool.item[0].key.bytes[0], 8);
    assert_false(add(7, 2));
    assert_true(add(7, 3));
}

static void one_key_leaves_room_for_others(void **state)
{
    (void)state;
    for (uint64_t epoch = 1; epoch <= 10; epoch++) {
        assert_int_equal(add(1, epoch), epoch <= CS__PROOFS_EACH);
    }
    for (uint32_t key = 2; pool.count < CS__PROOFS; key++) {
        assert_true(add((uint8_t)key, 5));
    }
    assert_false(add(250, 5));
    cs__pool_remove(&pool, 0);
    assert_true(add(250, 5));
}

static void many_included_ones_push_out_the_oldest(void **state)
{
    (void)state;
    for (uint64_t epoch = 1; epoch <= CS__INCLUDED + 1; epoch++) {
        struct cs_evidence const item = about(1, epoch);
        cs__pool_include(&pool, &item);
        cs__pool_include(&pool, &item); /* once is enough */
    }
    assert_true(add(1, 1));
    assert_false(add(1, 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(items_stand_in_order, empty),
        cmocka_unit_test_setup(what_is_included_waits_no_more_and_never_again, empty),
        cmocka_unit_test_setup(one_key_leaves_room_for_others, empty),
        cmocka_unit_test_setup(many_included_ones_push_out_the_oldest, empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
