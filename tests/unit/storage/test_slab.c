/* Goal: cells are handed out once, come back, and no new one is touched while an
 * old one is free.
 * Method: random takes and gives against a list of who holds what. */

#include "storage/slab.h"
#include "tests/lib/nv_test.h"

#define CAP 50u

static uint8_t memory[CAP * 24 + 4096];

static void cells_are_held_by_one(void **state)
{
    (void)state;
    struct nv_test_rng rng = {1};
    struct st__slab slab;
    struct nv_arena arena;
    uint32_t mine[CAP];
    uint32_t count = 0;
    uint32_t most = 0;
    nv_arena_init(&arena, memory, sizeof memory);
    st__slab_init(&slab, &arena, 20, CAP);
    for (uint32_t step = 0; step < 5000; step++) {
        if (count < CAP && nv_test_below(&rng, 100) < 20 + step / 100) {
            mine[count] = st__slab_take(&slab);
            assert_in_range(mine[count], 1, CAP);
            memset(st__slab_at(&slab, mine[count]), (int)mine[count], 20);
            count++;
        } else if (count > 0) {
            uint32_t const at = nv_test_below(&rng, count);
            const uint8_t *const cell = (const uint8_t *)st__slab_at(&slab, mine[at]);
            for (uint32_t i = 0; i < 20; i++) {
                assert_int_equal(cell[i], mine[at]);
            }
            st__slab_give(&slab, mine[at]);
            mine[at] = mine[--count];
        }
        most = count > most ? count : most;
        assert_int_equal(st__slab_left(&slab), CAP - count);
        assert_int_equal(slab.touched, most);
    }
    assert_int_equal(most, CAP);
}

static void take_one(void *ctx)
{
    (void)st__slab_take((struct st__slab *)ctx);
}

static void reach_outside(void *ctx)
{
    struct st__slab *const slab = (struct st__slab *)ctx;
    (void)st__slab_at(slab, slab->touched + 1);
}

static void reach_none(void *ctx)
{
    (void)st__slab_at((struct st__slab *)ctx, 0);
}

static void beyond_the_end_is_a_mistake(void **state)
{
    (void)state;
    struct st__slab slab;
    struct nv_arena arena;
    nv_arena_init(&arena, memory, sizeof memory);
    st__slab_init(&slab, &arena, 4, 2);
    NV_TEST_DIES(reach_outside, &slab);
    take_one(&slab);
    NV_TEST_SURVIVES(take_one, &slab);
    take_one(&slab);
    NV_TEST_DIES(take_one, &slab);
    NV_TEST_DIES(reach_none, &slab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_held_by_one),
        cmocka_unit_test(beyond_the_end_is_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
