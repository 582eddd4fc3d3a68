/* Goal: nobody gains by coming and going: what rounding leaves belongs to those
 * who stay.  (FLAVOUR=noguard_STAKE_ROUNDING rounds the other way: the grinder then
 * gains, and this test fails.)
 * Method: in pools whose shares are worth odd fractions, seeded sequences of
 * delegating, taking back and withdrawing of amounts down to one micro; what the
 * grinder has, and what the others' shares are worth, is compared each time. */

#include "tests/lib/vm_world.h"
#include "vm/params.h"
#include "vm/state/stake.h"

#define GRINDER 0u
#define OTHER   1u
#define SEEDS   24u
#define ROUNDS  120u

static struct vm_world w;

static struct vm_state *s(void)
{
    return vm_world_state(&w);
}

static uint64_t id(uint32_t number)
{
    return vm_account(s(), vm_world_account(&w, number))->id;
}

static int64_t cash(uint32_t number)
{
    return vm_money_raw(vm_account(s(), vm_world_account(&w, number))->row.cash);
}

static const struct vm_pool *pool(void)
{
    return vm_stake_pool(vm_stake(s(), vm_validator_find(s(), id(WORLD_VALIDATOR))));
}

static int64_t worth(uint32_t number)
{
    struct nv_row_key key;
    vm_key_delegation(&key, id(number), id(WORLD_VALIDATOR));
    uint32_t const own = vm_stake_find(s(), &key);
    return own == VM_NONE
               ? 0
               : vm_money_raw(vm_pool_worth(pool(), vm_stake(s(), own)->delegation.shares));
}

/* What waits for the grinder, by what it is worth. */
static int64_t waiting(void)
{
    int64_t sum = 0;
    for (uint64_t epoch = 1; epoch <= vm_staking(s())->epoch; epoch++) {
        struct nv_row_key key;
        vm_key_unbonding(&key, id(GRINDER), id(WORLD_VALIDATOR), epoch);
        uint32_t const own = vm_stake_find(s(), &key);
        vm_key_batch(&key, id(WORLD_VALIDATOR), epoch);
        uint32_t const batch = vm_stake_find(s(), &key);
        if (own != VM_NONE && batch != VM_NONE) {
            sum += vm_money_raw(vm_pool_worth(vm_stake_pool(vm_stake(s(), batch)),
                                              vm_stake(s(), own)->unbonding.shares));
        }
    }
    return sum;
}

/* Makes a share worth more (a reward) or less (a slash), before the grinder comes. */
static void odd_rate(struct nv_test_rng *rng)
{
    uint32_t const index = vm_validator_find(s(), id(WORLD_VALIDATOR));
    int64_t const change = (int64_t)nv_test_below(rng, 2000000000) - 1000000000;
    assert_true(vm_pool_add(s(), index, vm_money(change), vm_shares(0)));
    assert_true(vm_cash_add(s(), vm_world_account(&w, 11), vm_money(-change)));
}

static void start(struct nv_test_rng *rng)
{
    vm_world_open(&w);
    vm_param_set(s(), VM_PARAM_TX_FEE, 0);
    vm_param_set(s(), VM_PARAM_STAKE_MIN, 1);
    vm_param_set(s(), VM_PARAM_UNBOND_EPOCHS, 2);
    vm_param_set(s(), VM_PARAM_UNBOND_TIME, 1);
    vm_world_stake(&w, OTHER, VM_ACTION_DELEGATE, WORLD_VALIDATOR, 123456789);
    vm_world_block(&w, 500);
    odd_rate(rng);
    vm_world_block(&w, 500);
}

static void grind(struct nv_test_rng *rng)
{
    static const uint8_t kinds[] = {
        VM_ACTION_DELEGATE, VM_ACTION_DELEGATE, VM_ACTION_UNDELEGATE, VM_ACTION_WITHDRAW_STAKE};
    for (uint32_t i = 1 + nv_test_below(rng, 6); i > 0; i--) {
        uint32_t const bits = nv_test_below(rng, 24);
        vm_world_stake(&w,
                       GRINDER,
                       kinds[nv_test_below(rng, 4)],
                       WORLD_VALIDATOR,
                       1 + (int64_t)nv_test_below(rng, 1u << bits));
    }
    if (nv_test_below(rng, 5) == 0) {
        w.facts = (struct vm_consensus){
            .epoch = vm_staking(s())->epoch, .boundary = true, .next_height = w.height};
    }
    vm_world_block(&w, 500);
}

static void grinders_do_not_gain(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct nv_test_rng rng = {seed};
        start(&rng);
        int64_t const had = cash(GRINDER);
        int64_t other = worth(OTHER), founder = worth(WORLD_VALIDATOR);
        for (uint32_t i = 0; i < ROUNDS; i++) {
            grind(&rng);
            assert_true(cash(GRINDER) + worth(GRINDER) + waiting() <= had);
            assert_true(worth(OTHER) >= other && worth(WORLD_VALIDATOR) >= founder);
            assert_true(vm_state_sound(s()));
            assert_int_equal(vm_chain(s())->safe_mode, 0);
            other = worth(OTHER);
            founder = worth(WORLD_VALIDATOR);
        }
        assert_true(had - cash(GRINDER) - worth(GRINDER) - waiting() < 10000); /* dust alone */
        vm_world_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grinders_do_not_gain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
