/* test_history.c - what things were, at any height that is still known.
 *
 * Method: things come, change and go at random, and every height is compared with a
 * plain list of all that was. */

#include <string.h>

#include "base/heap.h"

#include "node/replica/history.h"
#include "tests/lib/nv_test.h"

#define THINGS  6u
#define HEIGHTS 2000u

static struct node_history h;
static struct node_figure was[HEIGHTS][THINGS]; /* word[0] 0: not there */

struct key {
    uint8_t bytes[NV_CRITBIT_KEY_SIZE];
};

static struct key key_of(uint32_t name)
{
    return (struct key){.bytes = {[0] = 7, [31] = (uint8_t)name}};
}

static void open_history(uint32_t things, uint32_t older)
{
    struct node_history_size const size = {things, older};
    memset(&h, 0, sizeof h);
    assert_int_equal(node_history_open(&h, &size), NV_OK);
}

static void put(uint32_t name, uint64_t first, uint64_t second)
{
    struct key const key = key_of(name);
    struct node_figure const figure = {{first, second}};
    node_history_put(&h, key.bytes, first != 0 ? &figure : NULL);
}

static uint64_t first_at(uint64_t height, uint32_t name)
{
    struct key const key = key_of(name);
    const struct node_figure *const figure = node_history_at(&h, height, key.bytes);
    return figure != NULL ? figure->word[0] : 0;
}

static void nothing_is_known_before_the_feed(void **state)
{
    (void)state;
    open_history(1, 1);
    assert_false(node_history_known(&h, 0));
    node_history_feed(&h, 5);
    assert_false(node_history_known(&h, 4));
    assert_true(node_history_known(&h, 5));
    assert_false(node_history_known(&h, 6));
    assert_int_equal(node_history_newest(&h), 5);
    node_history_close(&h);
}

static void a_thing_comes_and_goes(void **state)
{
    (void)state;
    static const uint64_t right[] = {0, 10, 10, 30, 0, 0, 60, 0};
    open_history(1, 8);
    node_history_feed(&h, 0);
    for (uint64_t height = 1; height < 8; height++) {
        node_history_feed(&h, height);
        put(1, right[height], height);
    }
    for (uint64_t height = 0; height < 8; height++) {
        assert_true(node_history_known(&h, height));
        assert_int_equal(first_at(height, 1), right[height]);
        assert_int_equal(first_at(height, 2), 0);
    }
    node_history_close(&h);
}

/* What says the same takes no room. */
static void the_same_figure_changes_nothing(void **state)
{
    (void)state;
    open_history(1, 1);
    for (uint64_t height = 0; height < 10; height++) {
        node_history_feed(&h, height);
        put(1, 4, 4);
    }
    assert_true(node_history_known(&h, 0));
    put(1, 4, 5); /* the one before goes into the ring ... */
    assert_true(node_history_known(&h, 0));
    node_history_feed(&h, 10);
    put(1, 4, 6); /* ... and out of it */
    assert_false(node_history_known(&h, 8));
    assert_true(node_history_known(&h, 9));
    node_history_close(&h);
}

static void forgetting_leaves_the_present(void **state)
{
    (void)state;
    open_history(1, 4);
    node_history_feed(&h, 1);
    put(1, 10, 0);
    node_history_feed(&h, 2);
    put(1, 20, 0);
    node_history_forget(&h);
    assert_false(node_history_known(&h, 1));
    assert_true(node_history_known(&h, 2));
    assert_int_equal(first_at(2, 1), 20);
    node_history_close(&h);
}

static void places_are_kept_and_used_again(void **state)
{
    (void)state;
    struct key const one = key_of(1);
    struct key const two = key_of(2);
    uint32_t first = 9;
    uint32_t place = 9;
    open_history(1, 1);
    node_history_feed(&h, 0);
    for (uint64_t height = 1; height < 100; height++) { /* of two places there are */
        node_history_feed(&h, height);
        put(1, 0, 0);
        put(2, height, 0);
        assert_true(node_history_place(&h, two.bytes, &first));
        put(2, height + 1, 0);
        assert_true(node_history_place(&h, two.bytes, &place));
        assert_int_equal(first, place);
        put(2, 0, 0);
        put(1, height, 0);
        assert_true(node_history_place(&h, one.bytes, &place));
        assert_true(place < 2);
    }
    node_history_close(&h);
}

static void change(struct nv_test_rng *rng, uint64_t height, uint32_t things_max)
{
    uint32_t live = 0;
    memcpy(was[height], was[height - 1], sizeof was[height]);
    for (uint32_t name = 0; name < THINGS; name++) {
        live += was[height][name].word[0] != 0 ? 1u : 0u;
    }
    node_history_feed(&h, height);
    for (uint32_t name = 0; name < THINGS; name++) {
        struct node_figure *const figure = &was[height][name];
        if (nv_test_below(rng, 4) != 0) {
            continue;
        }
        bool const there = figure->word[0] != 0;
        bool const stays = (there || live < things_max) && nv_test_below(rng, 3) != 0;
        figure->word[0] = stays ? 1 + nv_test_below(rng, 2) : 0;
        live += (stays ? 1u : 0u) - (there ? 1u : 0u);
        put(name, figure->word[0], figure->word[1]);
    }
}

/* known_near compares the last heights and returns how many of them are known. */
static uint64_t known_near(uint64_t height)
{
    uint64_t known = 0;
    for (uint64_t at = height > 100 ? height - 100 : 0; at <= height; at++) {
        if (!node_history_known(&h, at)) {
            assert_int_equal(known, 0); /* they are the last */
            continue;
        }
        known++;
        for (uint32_t name = 0; name < THINGS; name++) {
            assert_int_equal(first_at(at, name), was[at][name].word[0]);
        }
    }
    return known;
}

/* Whatever the ring has lost, a height that is known is told right, and there is
 * always a place for what is there. */
static void what_is_known_is_told_right(void **state)
{
    (void)state;
    struct nv_test_rng rng = {11};
    for (uint32_t things_max = 1; things_max <= THINGS; things_max++) {
        uint64_t most = 0;
        memset(was, 0, sizeof was);
        open_history(things_max, 4 * things_max);
        node_history_feed(&h, 0);
        for (uint64_t height = 1; height < HEIGHTS; height++) {
            change(&rng, height, things_max);
            uint64_t const known = known_near(height);
            assert_true(known >= 1);
            most = known > most ? known : most;
        }
        assert_true(most > 2 && most < 100);
        node_history_close(&h);
    }
}

static void no_memory_is_told(void **state)
{
    (void)state;
    struct node_history_size const size = {4, 4};
    for (uint64_t nth = 1; nth <= 3; nth++) {
        memset(&h, 0, sizeof h);
        nv_heap_fail_at(nth);
        assert_int_equal(node_history_open(&h, &size), NV_ERR_NO_MEMORY);
        nv_heap_fail_at(0);
        node_history_close(&h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_known_before_the_feed),
        cmocka_unit_test(a_thing_comes_and_goes),
        cmocka_unit_test(the_same_figure_changes_nothing),
        cmocka_unit_test(forgetting_leaves_the_present),
        cmocka_unit_test(places_are_kept_and_used_again),
        cmocka_unit_test(what_is_known_is_told_right),
        cmocka_unit_test(no_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
