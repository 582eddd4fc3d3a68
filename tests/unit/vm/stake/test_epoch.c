/* Goal: what consensus proves is paid, jailed and slashed as docs/spec/stake.md
 * sections 4 to 6 say, and the next set is the one that they choose.
 * Method: blocks with facts made up by hand; numbers worked out here. */

#include "tests/lib/vm_world.h"
#include "vm/params.h"
#include "vm/receipt.h"
#include "vm/stake/stake.h"

#define UNIT INT64_C(1000000)
#define OP   WORLD_VALIDATOR /* stakes 3,000, 2,000, 1,000 units; commission 10 % */

static struct vm_world w;
static struct vm_bond bonds[16];

static int open_world(void **state)
{
    (void)state;
    vm_world_open(&w);
    vm_param_set(vm_world_state(&w), VM_PARAM_TX_FEE, 0);
    vm_param_set(vm_world_state(&w), VM_PARAM_UNBOND_EPOCHS, 2);
    vm_param_set(vm_world_state(&w), VM_PARAM_UNBOND_TIME, 2000);
    vm_param_set(vm_world_state(&w), VM_PARAM_UPTIME_BLOCKS, 4);
    vm_param_set(vm_world_state(&w), VM_PARAM_UPTIME_MIN, 250000000);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    vm_world_close(&w);
    return 0;
}

static struct vm_state *s(void)
{
    return vm_world_state(&w);
}

static void block(void)
{
    vm_world_block(&w, 500);
    assert_true(vm_state_sound(s()));
    assert_int_equal(vm_chain(s())->safe_mode, 0);
}

static int64_t cash(uint32_t number)
{
    return vm_money_raw(vm_account(s(), vm_world_account(&w, number))->row.cash);
}

static struct vm_validator_row *validator(uint32_t number)
{
    uint64_t const id = vm_account(s(), vm_world_account(&w, number))->id;
    uint32_t const index = vm_validator_find(s(), id);
    assert_int_not_equal(index, VM_NONE);
    return &vm_stake_mut(s(), index)->validator;
}

static int64_t tokens(uint32_t number)
{
    return vm_money_raw(validator(number)->pool.tokens);
}

static int64_t due(uint32_t number)
{
    return vm_money_raw(validator(number)->due);
}

static void signed_by(uint8_t signers)
{
    w.facts.epoch = vm_staking(s())->epoch;
    w.facts.signers_known = true;
    w.facts.signers[0] = signers;
    block();
}

static void boundary(uint64_t next_height)
{
    w.facts.epoch = vm_staking(s())->epoch;
    w.facts.boundary = true;
    w.facts.next_height = next_height;
    block();
}

/* Puts money of the first trader into the pot. */
static void fill_pot(int64_t micro)
{
    assert_true(vm_cash_add(s(), vm_world_account(&w, 0), vm_money(-micro)));
    assert_true(vm_pot_add(s(), vm_money(micro)));
}

static int64_t pot(void)
{
    return vm_money_raw(vm_staking(s())->pot);
}

/* All sign, but the second one half of the time: it has half of its part, the
 * others no more for that, and the rest stays. */
static void rewards(void **state)
{
    (void)state;
    fill_pot(6000001);
    signed_by(7); /* the first block of the epoch does not count */
    signed_by(7);
    signed_by(5);
    signed_by(0xfd); /* bits above the set mean nothing */
    signed_by(7);
    assert_int_equal(vm_uptime(s())->blocks, 4);
    w.facts.epoch = vm_staking(s())->epoch + 1; /* of another epoch: does not count */
    w.facts.signers_known = true;
    block();
    block();
    boundary(w.height);
    assert_int_equal(due(OP), 300000); /* floor(6,000,001 / 2) × 10 % */
    assert_int_equal(tokens(OP), 3000 * UNIT + 2700000);
    assert_int_equal(due(OP + 1), 100000);
    assert_int_equal(tokens(OP + 1), 2000 * UNIT + 900000);
    assert_int_equal(due(OP + 2), 100000);
    assert_int_equal(tokens(OP + 2), 1000 * UNIT + 900000);
    assert_int_equal(pot(), 1000001);
    assert_int_equal(vm_staking(s())->epoch, 2);
    assert_int_equal(vm_staking(s())->epoch_height, w.height);
    assert_int_equal(vm_uptime(s())->blocks, 0);
    signed_by(7);
    assert_int_equal(vm_uptime(s())->blocks, 0); /* carries the old epoch's certificate */
    boundary(w.height);                          /* nothing was counted: nothing is paid */
    assert_int_equal(pot(), 1000001);
}

static void absence(void **state)
{
    (void)state;
    fill_pot(6000000);
    block();
    signed_by(3); /* the third signs in 1 of 5: below a quarter */
    signed_by(3);
    signed_by(3);
    signed_by(3);
    signed_by(7);
    boundary(w.height);
    assert_int_equal(validator(OP + 2)->status, VM_VALIDATOR_JAILED);
    assert_int_equal(validator(OP + 2)->jailed_epoch, 1);
    assert_int_equal(tokens(OP + 2), 1000 * UNIT);
    assert_int_equal(pot(), 1000000);
    block();
    signed_by(3);
    signed_by(3);
    signed_by(3);
    boundary(w.height); /* three blocks are too few to tell; and half of its part is not earned */
    assert_int_equal(validator(OP + 2)->jailed_epoch, 1);
}

static void fees_feed_the_pot(void **state)
{
    (void)state;
    vm_param_set(s(), VM_PARAM_TX_FEE, 101);
    vm_param_set(s(), VM_PARAM_STAKE_FEE_SHARE, 300000000);
    int64_t const before = cash(WORLD_FEE);
    vm_world_send(&w, 0, VM_ACTION_TRANSFER, 1, UNIT);
    vm_world_send(&w, 2, VM_ACTION_TRANSFER, 1, UNIT);
    block();
    assert_int_equal(pot(), 60); /* floor(202 × 0.3) */
    assert_int_equal(cash(WORLD_FEE) - before, 142);
}

static struct vm_offence offence;

static void offend(uint32_t key, uint64_t epoch)
{
    offence = (struct vm_offence){.epoch = epoch, .kind = 1};
    vm_world_key(&offence.key, WORLD_KEY + key);
    w.facts.offences = &offence;
    w.facts.offence_count = 1;
    block();
}

static uint16_t act(uint32_t number, uint8_t kind, uint32_t of, int64_t micro)
{
    struct vm_receipt receipt;
    vm_world_stake(&w, number, kind, of, micro);
    struct nv_hash const hash = w.txs[w.tx_count - 1].hash;
    block();
    vm_world_receipt(&w, &hash, &receipt);
    return receipt.outcomes[0].code;
}

/* What left before the epoch of the offence is safe; what left in it or later, and
 * what is there, pays.  Once an epoch. */
static void slashes(void **state)
{
    (void)state;
    assert_int_equal(act(0, VM_ACTION_DELEGATE, OP, 90 * UNIT), VM_OK);
    assert_int_equal(act(0, VM_ACTION_UNDELEGATE, OP, 10 * UNIT), VM_OK); /* epoch 1 */
    boundary(w.height);
    assert_int_equal(act(0, VM_ACTION_UNDELEGATE, OP, 20 * UNIT + 1), VM_OK); /* epoch 2 */
    boundary(w.height);
    assert_int_equal(act(0, VM_ACTION_UNDELEGATE, OP, 30 * UNIT), VM_OK); /* epoch 3 */
    int64_t const insurance = cash(WORLD_INSURANCE);
    offend(0, 2);
    /* 5 % of 3,029.999999, of 20.000001, of 30 units, each rounded up */
    int64_t const taken = 151500000 + 1000001 + 1500000;
    assert_int_equal(cash(WORLD_INSURANCE) - insurance, taken);
    assert_int_equal(tokens(OP), 3030 * UNIT - 1 - 151500000);
    assert_int_equal(validator(OP)->status, VM_VALIDATOR_TOMBSTONED);
    offend(0, 2);
    assert_int_equal(cash(WORLD_INSURANCE) - insurance, taken);
    offend(9, 2); /* nobody's key */
    assert_int_equal(cash(WORLD_INSURANCE) - insurance, taken);
    assert_int_equal(act(0, VM_ACTION_DELEGATE, OP, 10 * UNIT), VM_REJECT_VALIDATOR_TOMBSTONED);
    assert_int_equal(act(OP, VM_ACTION_UNJAIL, OP, 0), VM_REJECT_NOT_JAILED);
    int64_t const before = cash(0);
    boundary(w.height);
    boundary(w.height);
    vm_world_block(&w, 5000);
    assert_int_equal(act(0, VM_ACTION_WITHDRAW_STAKE, OP, 0), VM_OK);
    assert_int_equal(cash(0) - before, 10 * UNIT + 19000000 + 28500000);
    vm_world_reload(&w);
    block();
}

/* Eight epochs' offences count; the rest change nothing. */
static void slashes_end(void **state)
{
    (void)state;
    for (uint64_t epoch = 20; epoch > 0; epoch--) {
        offend(0, epoch);
    }
    int64_t left = 3000 * UNIT;
    for (uint32_t i = 0; i < VM_SLASHES_MAX; i++) {
        left -= (left * 5 + 99) / 100;
    }
    assert_int_equal(tokens(OP), left);
    assert_int_equal(validator(OP)->slash_count, VM_SLASHES_MAX);
    assert_int_equal(validator(OP)->slash_epoch[0], 13);
    assert_int_equal(validator(OP)->slash_epoch[7], 20);
}

/* The tombstoned earn nothing, and stand in no set chosen from then on. */
static void tombstoned_earn_nothing(void **state)
{
    (void)state;
    fill_pot(6000000);
    block();
    signed_by(7);
    offend(0, 1);
    int64_t const before = tokens(OP);
    boundary(w.height);
    assert_int_equal(tokens(OP), before);
    assert_int_equal(due(OP), 0);
    assert_int_equal(pot(), 3000000);
}

static uint32_t choice_now(void)
{
    while (w.height % VM_CHOICE_HEIGHTS != 0 || w.height == 0) {
        block();
    }
    uint32_t const place = vm_stake_choice(s(), w.height);
    assert_int_not_equal(place, VM_NONE);
    return place;
}

static void bond_of(uint32_t number, uint32_t key, int64_t units)
{
    struct vm_action const action = vm_world_bond_action(&bonds[key], key, units * UNIT);
    (void)vm_world_tx(&w, number, &action, 1);
    block();
    assert_int_equal(tokens(number), units * UNIT);
}

static uint64_t member(uint32_t place, uint32_t i)
{
    return vm_set_member(s(), place, i)->validator;
}

static uint64_t id(uint32_t number)
{
    return vm_account(s(), vm_world_account(&w, number))->id;
}

/* Those who stay stay; the first who enters does, the others as far as a third. */
static void choice_order(void **state)
{
    (void)state;
    bond_of(0, 10, 1500);
    bond_of(1, 11, 1600); /* 1,600 + 1,500 > 2,000, a third of 6,000 */
    bond_of(2, 12, 1001);
    uint32_t const place = choice_now();
    assert_int_equal(vm_set_count(s(), place), 4);
    assert_int_equal(member(place, 0), id(OP));
    assert_int_equal(member(place, 1), id(OP + 1));
    assert_int_equal(member(place, 2), id(1));
    assert_int_equal(member(place, 3), id(OP + 2));
    struct vm_validator out[VM_VALIDATORS_OUT];
    struct nv_pubkey key;
    uint32_t count = 0;
    assert_true(vm_validators_at(w.vm, vm_height(w.vm), out, &count));
    assert_int_equal(count, 4);
    assert_int_equal(out[2].stake, 1600 * UNIT);
    vm_world_key(&key, WORLD_KEY + 11);
    assert_memory_equal(&out[2].key, &key, sizeof key);
    vm_world_key(&key, WORLD_KEY + 50 + 11);
    assert_memory_equal(&out[2].node_key, &key, sizeof key);
    vm_validators_current(w.vm, out, &count);
    assert_int_equal(count, 3);
    block();
    boundary(w.height - 1);
    vm_validators_current(w.vm, out, &count);
    assert_int_equal(count, 4);
    assert_int_equal(vm_uptime(s())->count, 4);
    assert_true(vm_validators_at(w.vm, 63, out, &count)); /* the choice of genesis */
    assert_int_equal(count, 3);
    assert_false(vm_validators_at(w.vm, w.height + 1, out, &count));
    vm_world_reload(&w);
    vm_validators_current(w.vm, out, &count);
    assert_int_equal(count, 4);
}

static void first_enters_however_large(void **state)
{
    (void)state;
    bond_of(0, 10, 9000);
    bond_of(1, 11, 1000);
    uint32_t const place = choice_now();
    assert_int_equal(vm_set_count(s(), place), 4);
    assert_int_equal(member(place, 0), id(0));
}

static void choice_size(void **state)
{
    (void)state;
    vm_param_set(s(), VM_PARAM_VALIDATORS_MAX, 2);
    bond_of(1, 11, 2500);
    uint32_t const place = choice_now();
    assert_int_equal(vm_set_count(s(), place), 2);
    assert_int_equal(member(place, 1), id(1));
}

/* Out: the jailed, the tombstoned, and who keeps too little; and if nobody is left
 * the set stays as it is. */
static void not_eligible(void **state)
{
    (void)state;
    validator(OP)->status = VM_VALIDATOR_JAILED;
    uint32_t place = choice_now();
    assert_int_equal(vm_set_count(s(), place), 2);
    assert_int_equal(act(OP + 1, VM_ACTION_UNDELEGATE, OP + 1, 1000 * UNIT + 1), VM_OK);
    place = choice_now();
    assert_int_equal(vm_set_count(s(), place), 1);
    offend(2, 1);
    place = choice_now();
    assert_int_equal(vm_set_count(s(), place), 3);
    assert_int_equal(vm_money_raw(vm_set_member(s(), place, 1)->stake), 2000 * UNIT);
}

/* A set that was chosen too long ago is not known any more. */
static void choice_lost(void **state)
{
    (void)state;
    struct vm_validator out[VM_VALIDATORS_OUT];
    uint32_t count = 7;
    for (uint32_t i = 0; i < VM_CHOICES * VM_CHOICE_HEIGHTS; i++) {
        vm_world_block(&w, 10);
    }
    assert_false(vm_validators_at(w.vm, VM_CHOICE_HEIGHTS - 1, out, &count));
    assert_true(vm_validators_at(w.vm, VM_CHOICE_HEIGHTS, out, &count));
    assert_int_equal(count, 3);
    boundary(VM_CHOICE_HEIGHTS - 1);
    vm_validators_current(w.vm, out, &count);
    assert_int_equal(count, 0);
    fill_pot(1000);
    signed_by(7);
    signed_by(7);
    vm_world_reload(&w);
    boundary(w.height);
    assert_int_equal(pot(), 1000);
    vm_validators_current(w.vm, out, &count);
    assert_int_equal(count, 3);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(rewards),
        CASE(absence),
        CASE(slashes),
        CASE(fees_feed_the_pot),
        CASE(slashes_end),
        CASE(tombstoned_earn_nothing),
        CASE(choice_order),
        CASE(first_enters_however_large),
        CASE(choice_size),
        CASE(not_eligible),
        CASE(choice_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
