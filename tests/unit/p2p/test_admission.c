/* Goal: strangers hold a bounded number of places and get a bounded number of handshakes, share them
 * by network, and can neither keep an honest newcomer out nor a known address waiting.
 * Method: each bound at and one beyond, and whose turn it is, by a clock that the test moves; then
 * floods from one and from many networks with an honest node in them. */

#include <string.h>

#include "base/heap.h"

#include "p2p/admission.h"
#include "tests/lib/nv_test.h"

#define PER_SECOND 100u
#define AT_ONCE    25u
#define SECONDS    4u /* that a flood lasts */

static struct p2p__admission admission;
static uint64_t now_ms;
static uint32_t evicted;

/* address: the upper bits of `number` say which network, the last eight which host. */
static struct p2p__address address(uint32_t number)
{
    struct p2p__address out = {{0}};
    memset(out.bytes + 10, 0xff, 2);
    for (uint32_t i = 0; i < 4; i++) {
        out.bytes[12 + i] = (uint8_t)(number >> (24 - 8 * i));
    }
    return out;
}

/* host returns an address of network `number`. */
static uint32_t host(uint32_t number)
{
    return number << 8 | 1;
}

static void make(uint32_t cap, uint32_t half_open_max)
{
    assert_int_equal(p2p__admission_init(&admission, cap), NV_OK);
    admission.half_open_max = half_open_max;
    admission.half_open_address_max = 2;
    admission.address_max = 3;
    p2p__budget_init(&admission.budget, PER_SECOND);
    now_ms = 1;
}

static uint32_t enter(uint32_t from, bool known)
{
    struct p2p__address const remote = address(from);
    return p2p__admission_enter(&admission, &remote, known, &evicted);
}

/* ask enters a place that nobody must leave for, and speaks. */
static uint32_t ask(uint32_t from, bool known)
{
    uint32_t const place = enter(from, known);
    assert_int_not_equal(place, P2P__PLACE_NONE);
    assert_int_equal(evicted, P2P__PLACE_NONE);
    p2p__admission_ask(&admission, place);
    return place;
}

static uint32_t next(void)
{
    return p2p__admission_next(&admission, now_ms, &evicted);
}

/* prove takes a newcomer through its handshake. */
static uint32_t prove(uint32_t from)
{
    uint32_t const place = ask(from, false);
    assert_int_equal(next(), place);
    p2p__admission_prove(&admission, place);
    return place;
}

/* spend uses up what the budget has at once. */
static void spend(void)
{
    for (uint32_t i = 0; i < AT_ONCE; i++) {
        uint32_t const place = prove(host(0xfff000 + i));
        p2p__admission_leave(&admission, place);
    }
    (void)ask(host(0xfffff0), false);
    assert_int_equal(next(), P2P__PLACE_NONE);
}

/* later gives the budget one handshake, and returns whose it is. */
static uint32_t later(void)
{
    now_ms += 1000 / PER_SECOND;
    return next();
}

static void test_bounds_by_address(void **state)
{
    (void)state;
    make(10, 4);
    uint32_t const first = ask(1, false);
    uint32_t const second = enter(1, false);
    assert_int_not_equal(first, second);
    assert_int_equal(enter(1, false), P2P__PLACE_NONE);
    assert_int_equal(evicted, P2P__PLACE_NONE);
    assert_int_not_equal(enter(2, false), P2P__PLACE_NONE);

    assert_int_equal(next(), first);
    assert_int_equal(enter(1, false), P2P__PLACE_NONE); /* a handshake counts */
    p2p__admission_prove(&admission, first);
    assert_int_not_equal(enter(1, false), P2P__PLACE_NONE);
    p2p__admission_ask(&admission, second);
    assert_int_equal(next(), second);
    p2p__admission_prove(&admission, second);
    assert_int_equal(enter(1, false), P2P__PLACE_NONE); /* three from there */
    p2p__admission_leave(&admission, first);
    assert_int_not_equal(enter(1, false), P2P__PLACE_NONE);
    p2p__admission_deinit(&admission);
}

static void test_who_is_silent_has_no_turn(void **state)
{
    (void)state;
    make(10, 4);
    uint32_t const place = enter(1, false);
    assert_int_equal(next(), P2P__PLACE_NONE);
    p2p__admission_ask(&admission, place);
    assert_int_equal(admission.waiting, 1);
    assert_int_equal(next(), place);
    assert_int_equal(admission.waiting, 0);
    assert_int_equal(admission.half_open, 1);
    assert_int_equal(next(), P2P__PLACE_NONE);
    p2p__admission_deinit(&admission);
}

static void test_the_oldest_that_waits_makes_room(void **state)
{
    (void)state;
    make(10, 4);
    uint32_t places[5];
    for (uint32_t i = 0; i < 4; i++) {
        places[i] = enter(host(i), false);
        assert_int_equal(evicted, P2P__PLACE_NONE);
    }
    p2p__admission_ask(&admission, places[0]);
    assert_int_equal(next(), places[0]); /* waits no more */
    places[0] = enter(host(4), false);
    assert_int_equal(evicted, P2P__PLACE_NONE);
    places[4] = enter(host(5), false);
    assert_int_equal(evicted, places[1]);
    assert_int_equal(places[4], places[1]);
    assert_int_equal(admission.waiting, 4);
    assert_int_equal(admission.half_open, 5);
    p2p__admission_deinit(&admission);
}

static void test_the_network_that_holds_most_makes_room(void **state)
{
    (void)state;
    make(10, 4);
    uint32_t const honest = enter(host(1), false);
    uint32_t const crowd = enter(host(2), false);
    uint32_t const second = enter(host(2) + 1, false);
    uint32_t const other = enter(host(3), false);
    (void)enter(host(2) + 2, false);
    assert_int_equal(evicted, crowd);
    (void)enter(host(4), false);
    assert_int_equal(evicted, second);
    (void)enter(host(1) + 1,
                false); /* now the honest one's network holds most: two, itself counted */
    assert_int_equal(evicted, honest);
    (void)enter(host(5), false); /* all hold one */
    assert_int_equal(evicted, other);
    p2p__admission_deinit(&admission);
}

static void test_the_handshake_that_began_first_makes_room(void **state)
{
    (void)state;
    make(20, 2);
    uint32_t places[3];
    for (uint32_t i = 0; i < 2; i++) {
        places[i] = ask(host(9 - i), false);
        assert_int_equal(next(), places[i]);
    }
    uint32_t const known = ask(host(1), true);
    assert_int_equal(next(), known); /* has places of its own */
    assert_int_equal(evicted, P2P__PLACE_NONE);
    places[2] = ask(host(1), false);
    assert_int_equal(next(), places[2]);
    assert_int_equal(evicted, places[0]);
    assert_int_equal(admission.half_open, 3);
    p2p__admission_deinit(&admission);
}

static void test_strangers_do_not_take_places_of_known_addresses(void **state)
{
    (void)state;
    make(20, 2);
    uint32_t const known[2] = {enter(1, true), enter(2, true)};
    for (uint32_t i = 0; i < 100; i++) {
        (void)enter(host(100 + i), false);
        assert_true(i < 2 || (evicted != known[0] && evicted != known[1]));
    }
    uint32_t const third = enter(3, true); /* as others of a known address do */
    assert_int_equal(evicted, known[0]);
    assert_int_equal(third, known[0]);
    assert_int_equal(admission.waiting, 4);
    p2p__admission_deinit(&admission);
}

static void test_a_full_table_of_friends_refuses(void **state)
{
    (void)state;
    make(3, 4);
    for (uint32_t i = 0; i < 3; i++) {
        (void)prove(host(i));
    }
    assert_int_equal(enter(host(9), false), P2P__PLACE_NONE);
    assert_int_equal(evicted, P2P__PLACE_NONE);
    p2p__admission_leave(&admission, 1);
    assert_int_equal(ask(host(9), false), 1);
    uint32_t place = enter(host(10), false); /* full again, one stranger */
    assert_int_equal(evicted, 1);
    assert_int_equal(place, 1);
    p2p__admission_ask(&admission, place);
    assert_int_equal(next(), place);
    place = enter(host(11), false); /* the same, in its handshake */
    assert_int_equal(evicted, 1);
    assert_int_equal(place, 1);
    p2p__admission_deinit(&admission);
}

static void test_turns_by_network(void **state)
{
    (void)state;
    make(40, 16);
    spend();
    (void)later(); /* the one that spend left */
    uint32_t const crowd[3] = {
        ask(host(1), false), ask(host(1) + 1, false), ask(host(1) + 2, false)};
    uint32_t const other = ask(host(2), false);
    assert_int_equal(next(), P2P__PLACE_NONE);
    assert_int_equal(later(), crowd[0]);
    assert_int_equal(later(), other);
    assert_int_equal(later(), crowd[1]);
    uint32_t const again = ask(host(2) + 1, false);
    assert_int_equal(later(), again); /* network 1 was served after network 2 */
    uint32_t const fresh = ask(host(3), false);
    assert_int_equal(later(), fresh);
    assert_int_equal(later(), crowd[2]);
    assert_int_equal(later(), P2P__PLACE_NONE);
    p2p__admission_deinit(&admission);
}

static void test_known_addresses_and_strangers_take_turns(void **state)
{
    (void)state;
    make(40, 16);
    spend();
    (void)later();
    uint32_t const strangers[3] = {ask(host(1), false), ask(host(2), false), ask(host(3), false)};
    uint32_t const same[2] = {ask(host(7), true), ask(host(7), true)};
    uint32_t const known = ask(host(7) + 1, true); /* of one network, and yet for itself */
    assert_int_equal(later(), same[0]);
    assert_int_equal(later(), strangers[0]);
    assert_int_equal(later(), known);
    assert_int_equal(later(), strangers[1]);
    assert_int_equal(later(), same[1]);
    assert_int_equal(later(), strangers[2]);
    uint32_t const more[2] = {ask(host(4), false), ask(host(5), false)};
    assert_int_equal(later(), more[0]); /* nobody known asks: none is lost */
    assert_int_equal(later(), more[1]);
    p2p__admission_deinit(&admission);
}

/* flood: `rate` strangers a millisecond, from so many networks, speak and go no further; and
 * `honest` asks every second.  Returns how many of its handshakes begin. */
static uint32_t flood(uint32_t rate, uint32_t networks, uint32_t honest, bool known)
{
    make(500, 64);
    uint32_t place = P2P__PLACE_NONE;
    uint32_t begun = 0;
    uint32_t served = 0;
    uint32_t from = 0;
    for (now_ms = 1; now_ms <= SECONDS * 1000; now_ms++) {
        for (uint32_t i = 0; i < rate; i++) {
            from = (from + 1) % (networks << 8);
            uint32_t const stranger = enter(from, false);
            place = evicted == place ? P2P__PLACE_NONE : place;
            if (stranger != P2P__PLACE_NONE) {
                p2p__admission_ask(&admission, stranger);
            }
        }
        if (now_ms % 1000 == 500) {
            place = enter(honest, known);
            assert_int_not_equal(place, P2P__PLACE_NONE);
            p2p__admission_ask(&admission, place);
        }
        for (uint32_t shakes = next(); shakes != P2P__PLACE_NONE; shakes = next()) {
            begun++;
            if (shakes == place) {
                served++;
                p2p__admission_prove(&admission, place);
                p2p__admission_leave(&admission, place);
                place = P2P__PLACE_NONE;
            }
        }
        assert_true(admission.half_open <= 4 * 64);
        assert_true(begun <= AT_ONCE + now_ms * PER_SECOND / 1000);
    }
    assert_true(begun >= SECONDS * PER_SECOND - 1);
    p2p__admission_deinit(&admission);
    return served;
}

static void test_a_flood_from_a_few_networks_keeps_nobody_out(void **state)
{
    (void)state;
    assert_int_equal(flood(1, 1, host(0x10000), false), SECONDS);
    assert_int_equal(flood(10, 5, host(0x10000), false), SECONDS);
}

static void test_a_flood_from_many_networks_keeps_no_known_address_out(void **state)
{
    (void)state;
    assert_int_equal(flood(10, 5000, host(0x10000), true), SECONDS);
    assert_int_equal(flood(20, 60000, host(0x10000), true), SECONDS);
}

static void test_no_memory(void **state)
{
    (void)state;
    nv_heap_fail_at(1);
    assert_int_equal(p2p__admission_init(&admission, 8), NV_ERR_NO_MEMORY);
    nv_heap_fail_at(0);
    p2p__admission_deinit(&admission);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounds_by_address),
        cmocka_unit_test(test_who_is_silent_has_no_turn),
        cmocka_unit_test(test_the_oldest_that_waits_makes_room),
        cmocka_unit_test(test_the_network_that_holds_most_makes_room),
        cmocka_unit_test(test_the_handshake_that_began_first_makes_room),
        cmocka_unit_test(test_strangers_do_not_take_places_of_known_addresses),
        cmocka_unit_test(test_a_full_table_of_friends_refuses),
        cmocka_unit_test(test_turns_by_network),
        cmocka_unit_test(test_known_addresses_and_strangers_take_turns),
        cmocka_unit_test(test_a_flood_from_a_few_networks_keeps_nobody_out),
        cmocka_unit_test(test_a_flood_from_many_networks_keeps_no_known_address_out),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
