/* Goal: strangers hold a bounded number of places, and cannot keep an honest newcomer out.
 * Method: each bound at and one beyond; then a flood from many addresses with an honest node in it. */

#include <string.h>

#include "base/heap.h"

#include "p2p/admission.h"
#include "tests/lib/nv_test.h"

static struct p2p__address address(uint32_t number)
{
    struct p2p__address out = {{0}};
    memcpy(out.bytes + 12, &number, sizeof(number));
    return out;
}

static void make(struct p2p__admission *admission, uint32_t cap)
{
    assert_int_equal(p2p__admission_init(admission, cap), NV_OK);
    admission->half_open_max = 4;
    admission->half_open_address_max = 2;
    admission->address_max = 3;
}

static uint32_t enter(struct p2p__admission *admission, uint32_t from, uint32_t *evicted)
{
    struct p2p__address const remote = address(from);
    return p2p__admission_enter(admission, &remote, evicted);
}

static void test_bounds_by_address(void **state)
{
    (void)state;
    struct p2p__admission admission;
    make(&admission, 10);
    uint32_t evicted = 0;
    uint32_t const first = enter(&admission, 1, &evicted);
    uint32_t const second = enter(&admission, 1, &evicted);
    assert_int_not_equal(first, second);
    assert_int_equal(enter(&admission, 1, &evicted), P2P__PLACE_NONE);
    assert_int_equal(evicted, P2P__PLACE_NONE);
    assert_int_not_equal(enter(&admission, 2, &evicted), P2P__PLACE_NONE);

    p2p__admission_prove(&admission, first);
    assert_int_not_equal(enter(&admission, 1, &evicted), P2P__PLACE_NONE);
    p2p__admission_prove(&admission, second);
    assert_int_equal(enter(&admission, 1, &evicted), P2P__PLACE_NONE); /* three from there */
    p2p__admission_leave(&admission, first);
    assert_int_not_equal(enter(&admission, 1, &evicted), P2P__PLACE_NONE);
    p2p__admission_deinit(&admission);
}

static void test_the_oldest_stranger_makes_room(void **state)
{
    (void)state;
    struct p2p__admission admission;
    make(&admission, 10);
    uint32_t places[6];
    uint32_t evicted = 0;
    for (uint32_t i = 0; i < 4; i++) {
        places[i] = enter(&admission, i, &evicted);
        assert_int_equal(evicted, P2P__PLACE_NONE);
    }
    p2p__admission_prove(&admission, places[0]); /* no stranger any more */
    places[4] = enter(&admission, 4, &evicted);
    assert_int_equal(evicted, P2P__PLACE_NONE);
    places[5] = enter(&admission, 5, &evicted);
    assert_int_equal(evicted, places[1]);
    assert_int_equal(admission.half_open, 4);
    p2p__admission_deinit(&admission);
}

static void test_a_full_table_of_friends_refuses(void **state)
{
    (void)state;
    struct p2p__admission admission;
    make(&admission, 3);
    uint32_t evicted = 0;
    for (uint32_t i = 0; i < 3; i++) {
        p2p__admission_prove(&admission, enter(&admission, i, &evicted));
    }
    assert_int_equal(enter(&admission, 9, &evicted), P2P__PLACE_NONE);
    assert_int_equal(evicted, P2P__PLACE_NONE);
    p2p__admission_leave(&admission, 1);
    assert_int_equal(enter(&admission, 9, &evicted), 1);
    uint32_t const place = enter(&admission, 10, &evicted); /* full again, one stranger */
    assert_int_equal(evicted, 1);
    assert_int_equal(place, 1);
    p2p__admission_deinit(&admission);
}

static void test_a_flood_does_not_push_out_who_is_quick(void **state)
{
    (void)state;
    struct p2p__admission admission;
    make(&admission, 64);
    admission.half_open_max = 32;
    uint32_t evicted = 0;
    uint32_t honest = P2P__PLACE_NONE;
    for (uint32_t i = 0; i < 100000; i++) {
        (void)enter(&admission, 1000 + i, &evicted);
        assert_true(admission.half_open <= 32);
        if (i % 1000 == 500) {
            honest = enter(&admission, 1, &evicted);
            assert_int_not_equal(honest, P2P__PLACE_NONE);
        }
        if (i % 1000 == 530) { /* 30 strangers later it has authenticated */
            assert_true(admission.places[honest].used);
            assert_true(admission.places[honest].half_open);
            p2p__admission_prove(&admission, honest);
        }
        if (i % 1000 == 999) {
            p2p__admission_leave(&admission, honest);
        }
    }
    p2p__admission_deinit(&admission);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct p2p__admission admission;
    nv_heap_fail_at(1);
    assert_int_equal(p2p__admission_init(&admission, 8), NV_ERR_NO_MEMORY);
    nv_heap_fail_at(0);
    p2p__admission_deinit(&admission);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_by_address),
        cmocka_unit_test(test_the_oldest_stranger_makes_room),
        cmocka_unit_test(test_a_full_table_of_friends_refuses),
        cmocka_unit_test(test_a_flood_does_not_push_out_who_is_quick),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
