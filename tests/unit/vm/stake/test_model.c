/* Goal: stake is what a second implementation of docs/spec/stake.md makes of it.
 * Method: the actions and facts of tests/golden/stake.txt, each account's outcome
 * and the state after every block; a VM loaded from rows goes on in between. */

#include <stdio.h>
#include <string.h>

#include "tests/lib/line_file.h"
#include "tests/lib/vm_world.h"
#include "vm/params.h"
#include "vm/receipt.h"
#include "vm/state/stake.h"

#define TRADERS  5u
#define ACTS_MAX 16u

struct expected {
    struct nv_hash hash;
    int64_t code, result;
};

static struct vm_world w;
static struct expected acts[ACTS_MAX];
static uint32_t act_count;
static bool opened;

static struct vm_state *s(void)
{
    return vm_world_state(&w);
}

/* The key number of an account of the file. */
static uint32_t number_of(int64_t account)
{
    return account < (int64_t)TRADERS ? (uint32_t)account
                                      : WORLD_VALIDATOR + (uint32_t)account - TRADERS;
}

static const struct vm_account_row *account(uint32_t number)
{
    return &vm_account(s(), vm_world_account(&w, number))->row;
}

static void do_world(void)
{
    if (opened) {
        vm_world_close(&w);
    }
    vm_world_open(&w);
    opened = true;
    static const struct {
        uint16_t param;
        int64_t value;
    } set[] = {{VM_PARAM_TX_FEE, 0},
               {VM_PARAM_STAKE_MIN, 1000000},
               {VM_PARAM_UNBOND_EPOCHS, 2},
               {VM_PARAM_UNBOND_TIME, 2000},
               {VM_PARAM_UPTIME_BLOCKS, 4},
               {VM_PARAM_UPTIME_MIN, 250000000}};
    for (uint32_t i = 0; i < sizeof set / sizeof set[0]; i++) {
        vm_param_set(s(), set[i].param, set[i].value);
    }
}

static void do_act(const struct nv_test_line *l)
{
    struct vm_action action = {.kind = (uint8_t)l->n[0]};
    struct nv_address validator;
    vm_world_address(&validator, WORLD_VALIDATOR + (uint32_t)l->n[2]);
    if (action.kind == VM_ACTION_DELEGATE || action.kind == VM_ACTION_UNDELEGATE) {
        action.delegate = (struct vm_delegate){validator, vm_money(l->n[3])};
    } else if (action.kind == VM_ACTION_SET_COMMISSION) {
        action.commission = vm_ratio(l->n[3]);
    } else {
        action.validator = validator;
    }
    assert_true(act_count < ACTS_MAX);
    acts[act_count].hash = vm_world_tx(&w, number_of(l->n[1]), &action, 1)->hash;
    acts[act_count].code = l->n[4];
    acts[act_count].result = l->n[5];
    act_count++;
}

static void do_block(const struct nv_test_line *l)
{
    struct vm_offence offence = {.epoch = (uint64_t)l->n[4], .kind = 1};
    w.facts = (struct vm_consensus){.epoch = vm_staking(s())->epoch,
                                    .boundary = l->n[1] != 0,
                                    .next_height = w.height,
                                    .signers_known = true,
                                    .signers = {(uint8_t)l->n[0]},
                                    .offences = &offence,
                                    .offence_count = l->n[3] >= 0 ? 1 : 0};
    vm_world_key(&offence.key, WORLD_KEY + (uint32_t)(l->n[3] < 0 ? 0 : l->n[3]));
    assert_true(vm_cash_add(s(), vm_world_account(&w, 11), vm_money(-l->n[2])));
    assert_true(vm_pot_add(s(), vm_money(l->n[2])));
    vm_world_block(&w, 500);
    assert_int_equal(vm_chain(s())->safe_mode, 0);
    assert_true(vm_state_sound(s()));
    for (uint32_t i = 0; i < act_count; i++) {
        struct vm_receipt receipt;
        vm_world_receipt(&w, &acts[i].hash, &receipt);
        assert_int_equal(receipt.outcomes[0].code, acts[i].code);
        assert_int_equal(receipt.outcomes[0].result, acts[i].result);
    }
    act_count = 0;
}

static void expect_validator(const struct nv_test_line *l)
{
    uint32_t const operator= vm_world_account(&w, WORLD_VALIDATOR + (uint32_t)l->n[0]);
    uint32_t const index = vm_validator_find(s(), vm_account(s(), operator)->id);
    assert_int_not_equal(index, VM_NONE);
    const struct vm_validator_row *const row = &vm_stake(s(), index)->validator;
    assert_int_equal(vm_money_raw(row->pool.tokens), l->n[1]);
    assert_int_equal(vm_shares_raw(row->pool.shares), l->n[2]);
    assert_int_equal(vm_money_raw(row->due), l->n[3]);
    assert_int_equal(row->status, l->n[4]);
}

static void expect_sums(const struct nv_test_line *l)
{
    assert_int_equal(vm_staking(s())->epoch, l->n[0]);
    assert_int_equal(vm_money_raw(vm_staking(s())->pot), l->n[1]);
    assert_int_equal(vm_money_raw(vm_staking(s())->staked), l->n[2]);
    assert_int_equal(vm_money_raw(account(WORLD_INSURANCE)->cash), l->n[3]);
    assert_int_equal(vm_set_count(s(), 0), l->n[4]);
    if (w.height % 50 == 0) {
        vm_world_reload(&w);
    }
}

static void line_do(const struct nv_test_line *l)
{
    if (strcmp(l->word, "world") == 0) {
        do_world();
    } else if (strcmp(l->word, "act") == 0) {
        do_act(l);
    } else if (strcmp(l->word, "block") == 0) {
        do_block(l);
    } else if (strcmp(l->word, "account") == 0) {
        assert_int_equal(vm_money_raw(account(number_of(l->n[0]))->cash), l->n[1]);
    } else if (strcmp(l->word, "validator") == 0) {
        expect_validator(l);
    } else {
        assert_string_equal(l->word, "sums");
        expect_sums(l);
    }
}

static void as_the_model(void **state)
{
    (void)state;
    struct nv_test_line line;
    uint32_t lines = 0;
    FILE *const file = fopen("tests/golden/stake.txt", "r");
    assert_non_null(file);
    while (nv_test_line_read(file, &line)) {
        line_do(&line);
        lines++;
    }
    (void)fclose(file);
    vm_world_close(&w);
    assert_true(lines > 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
