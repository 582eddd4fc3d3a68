/* Goal: an anchor is believed when every part of it is right, and a changed bit
 * anywhere makes it worth nothing.
 * Method: anchors over a chain of known validators, of both kinds; every byte
 * changed, every prefix. */

#include "tests/lib/nv_test.h"
#include "tests/lib/sync_world.h"

static struct sync_world w;
static uint8_t bytes[ST_ANCHOR_SIZE_MAX];

static int begin(void **state)
{
    (void)state;
    sync_world_open(&w, NULL, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    sync_world_close(&w);
    return 0;
}

static bool believed(struct sync_base *base, struct nv_view view, uint64_t height)
{
    struct sync_anchor anchor;
    return sync_anchor_get(&anchor, view) == NV_OK &&
           sync_anchor_check(base, &anchor, &w.light, &w.light, LIGHT_TIME_MS, height);
}

static void check(uint64_t later)
{
    struct sync_base base;
    struct nv_hash hash;
    struct nv_hash root = cs_build_hash(77);
    uint32_t const size = sync_world_anchor(&w, bytes, sizeof bytes, 50, later, &root, &hash);
    struct nv_view const whole = nv_view_of(bytes, size);
    assert_true(believed(&base, whole, 50));
    assert_memory_equal(&base.root, &root, 32);
    assert_memory_equal(&base.hash, &hash, 32);
    assert_int_equal(base.header.height, 50);
    assert_false(believed(&base, whole, 49));
    assert_false(believed(&base, whole, 51));
    assert_false(believed(&base, whole, 50 + 4096)); /* the same place in the ring */
    for (uint32_t i = 0; i < size; i++) {
        bytes[i] ^= (uint8_t)(1u << (i & 7u));
        assert_false(believed(&base, whole, 50));
        bytes[i] ^= (uint8_t)(1u << (i & 7u));
        assert_false(believed(&base, nv_view_of(bytes, i), 50));
    }
    assert_true(believed(&base, whole, 50));
}

static void the_height_itself_is_named(void **state)
{
    (void)state;
    check(50);
}

static void a_later_height_is_named(void **state)
{
    (void)state;
    check(53);
}

static void an_earlier_height_tells_nothing(void **state)
{
    (void)state;
    struct sync_base base;
    struct nv_hash hash;
    struct nv_hash const root = cs_build_hash(77);
    uint32_t const size = sync_world_anchor(&w, bytes, sizeof bytes, 50, 49, &root, &hash);
    assert_false(believed(&base, nv_view_of(bytes, size), 50));
}

static void other_validators_are_not_believed(void **state)
{
    (void)state;
    struct sync_base base;
    struct nv_hash hash;
    struct nv_hash const root = cs_build_hash(77);
    uint32_t const size = sync_world_anchor(&w, bytes, sizeof bytes, 50, 50, &root, &hash);
    struct cs_net other;
    cs_net_init_at(&other, NULL, 4, 40);
    cs_light_init(&w.light, &w.chain.net.chain_id, LIGHT_TIME_MS, 0, &other.set);
    assert_false(believed(&base, nv_view_of(bytes, size), 50));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_height_itself_is_named, begin, end),
        cmocka_unit_test_setup_teardown(a_later_height_is_named, begin, end),
        cmocka_unit_test_setup_teardown(an_earlier_height_tells_nothing, begin, end),
        cmocka_unit_test_setup_teardown(other_validators_are_not_believed, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
