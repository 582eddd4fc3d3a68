/* Goal: the actions of stake do what docs/spec/stake.md section 2 says, refuse
 * what it refuses, and change nothing then.
 * Method: single actions on the small chain; codes, results, balances, entries.
 * After every block all shares and tokens are added up. */

#include "tests/lib/vm_world.h"
#include "vm/params.h"
#include "vm/receipt.h"
#include "vm/state/stake.h"

#define UNIT INT64_C(1000000)
#define OP   WORLD_VALIDATOR /* the first validator of genesis: 3,000 units */

static struct vm_world w;
static struct vm_bond bond;
static uint64_t result; /* of the last action */

static int open_world(void **state)
{
    (void)state;
    vm_world_open(&w);
    vm_param_set(vm_world_state(&w), VM_PARAM_TX_FEE, 0);
    vm_param_set(vm_world_state(&w), VM_PARAM_UNBOND_EPOCHS, 2);
    vm_param_set(vm_world_state(&w), VM_PARAM_UNBOND_TIME, 2000);
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

static int64_t cash(uint32_t number)
{
    return vm_money_raw(vm_account(s(), vm_world_account(&w, number))->row.cash);
}

static uint64_t id(uint32_t number)
{
    return vm_account(s(), vm_world_account(&w, number))->id;
}

static void block(void)
{
    vm_world_block(&w, 500);
    assert_true(vm_state_sound(s()));
    assert_int_equal(vm_chain(s())->safe_mode, 0);
}

static uint16_t code_of(const struct nv_hash *hash)
{
    struct vm_receipt receipt;
    vm_world_receipt(&w, hash, &receipt);
    assert_int_equal(receipt.code, VM_OK);
    result = receipt.outcomes[0].result;
    return receipt.outcomes[0].code;
}

/* The outcome of one action in a block of its own. */
static uint16_t act(uint32_t number, const struct vm_action *action)
{
    struct nv_hash const hash = vm_world_tx(&w, number, action, 1)->hash;
    block();
    return code_of(&hash);
}

static uint16_t stake(uint32_t number, uint8_t kind, uint32_t validator, int64_t micro)
{
    vm_world_stake(&w, number, kind, validator, micro);
    struct nv_hash const hash = w.txs[w.tx_count - 1].hash;
    block();
    return code_of(&hash);
}

static uint16_t bare(uint32_t number, uint8_t kind)
{
    struct vm_action const action = {.kind = kind};
    return act(number, &action);
}

static uint16_t bond_as(uint32_t number, uint32_t key, int64_t micro)
{
    struct vm_action const action = vm_world_bond_action(&bond, key, micro);
    return act(number, &action);
}

static const struct vm_validator_row *validator(uint32_t number)
{
    uint32_t const index = vm_validator_find(s(), id(number));
    return index == VM_NONE ? NULL : &vm_stake(s(), index)->validator;
}

static int64_t held(uint32_t number, uint32_t of)
{
    struct nv_row_key key;
    vm_key_delegation(&key, id(number), id(of));
    uint32_t const index = vm_stake_find(s(), &key);
    return index == VM_NONE ? 0 : vm_shares_raw(vm_stake(s(), index)->delegation.shares);
}

/* Ends the epoch. */
static void epoch_turn(void)
{
    w.facts = (struct vm_consensus){
        .epoch = vm_staking(s())->epoch, .boundary = true, .next_height = w.height};
    block();
}

/* Makes a pool's tokens more, as a reward does; the money comes from the pot. */
static void enrich(uint32_t number, int64_t micro)
{
    uint32_t const index = vm_validator_find(s(), id(number));
    vm_world_send(&w, WORLD_FAUCET, VM_ACTION_FAUCET, 11, micro);
    block();
    assert_true(vm_cash_add(s(), vm_world_account(&w, 11), vm_money(-micro)));
    assert_true(vm_pool_add(s(), index, vm_money(micro), vm_shares(0)));
    block();
}

static void bonds(void **state)
{
    (void)state;
    int64_t const before = cash(0);
    assert_int_equal(bond_as(0, 5, 1000 * UNIT - 1), VM_REJECT_STAKE_MINIMUM);
    assert_int_equal(bond_as(0, 5, before + 1), VM_REJECT_BALANCE);
    assert_int_equal(bond_as(0, 1, 1000 * UNIT), VM_REJECT_VALIDATOR_EXISTS); /* another's key */
    assert_int_equal(cash(0), before);
    assert_null(validator(0));
    assert_int_equal(bond_as(0, 5, 1000 * UNIT), VM_OK);
    assert_int_equal(result, 1000 * UNIT);
    assert_int_equal(cash(0), before - 1000 * UNIT);
    assert_int_equal(vm_money_raw(validator(0)->pool.tokens), 1000 * UNIT);
    assert_int_equal(vm_money_raw(validator(0)->least), 1000 * UNIT);
    assert_int_equal(validator(0)->status, VM_VALIDATOR_ACTIVE);
    assert_memory_equal(&validator(0)->key, &bond.key, sizeof bond.key);
    assert_int_equal(held(0, 0), 1000 * UNIT);
    assert_int_equal(bond_as(0, 6, 1000 * UNIT), VM_REJECT_VALIDATOR_EXISTS);
    assert_int_equal(vm_staking(s())->validators, WORLD_VALIDATORS + 1);
}

static struct nv_pubkey node_key(uint32_t key)
{
    struct nv_pubkey out;
    vm_world_key(&out, WORLD_KEY + 50 + key);
    return out;
}

/* Two want one key in one block, be it that of votes or of nodes: one gets it, the
 * other has its cash back. */
static void one_key_for_one(bool vote)
{
    static struct vm_bond both[2];
    int64_t const before[2] = {cash(0), cash(1)};
    struct nv_hash hash[2];
    for (uint32_t i = 0; i < 2; i++) {
        struct vm_action const action =
            vm_world_bond_action(&both[i], vote ? 5 : 5 + i, 1000 * UNIT);
        both[i].node_key = node_key(vote ? 5 + i : 5);
        hash[i] = vm_world_tx(&w, i, &action, 1)->hash;
    }
    block();
    uint16_t const code[2] = {code_of(&hash[0]), code_of(&hash[1])};
    uint32_t const winner = code[0] == VM_OK ? 0 : 1;
    assert_int_equal(code[winner], VM_OK);
    assert_int_equal(code[1 - winner], VM_REJECT_VALIDATOR_EXISTS);
    assert_int_equal(cash(winner), before[winner] - 1000 * UNIT);
    assert_int_equal(cash(1 - winner), before[1 - winner]);
}

static void one_vote_key_for_one(void **state)
{
    (void)state;
    one_key_for_one(true);
}

static void one_node_key_for_one(void **state)
{
    (void)state;
    one_key_for_one(false);
}

/* Goal: a node key is one validator's, and free again when that one is forgotten.
 * Method: it is asked for while its validator is bonded, tombstoned, undone and
 * forgotten; and again by a machine that loads the rows. */
static void node_keys_are_taken(void **state)
{
    (void)state;
    assert_int_equal(bond_as(0, 5, 1000 * UNIT), VM_OK);
    struct vm_action action = vm_world_bond_action(&bond, 6, 1000 * UNIT);
    bond.node_key = node_key(5);
    assert_int_equal(act(1, &action), VM_REJECT_VALIDATOR_EXISTS);
    assert_int_equal(vm_validator_of_key(s(), &bond.key), VM_NONE);
    vm_world_reload(&w);
    assert_int_equal(act(1, &action), VM_REJECT_VALIDATOR_EXISTS);
    uint32_t const own = vm_validator_find(s(), id(0));
    vm_stake_mut(s(), own)->validator.status = VM_VALIDATOR_TOMBSTONED;
    assert_int_equal(act(1, &action), VM_REJECT_VALIDATOR_EXISTS);
    vm_stake_mut(s(), own)->validator.status = VM_VALIDATOR_ACTIVE;
    assert_true(vm_validator_taken(s(), &bond.key, &bond.node_key));
    vm_validator_drop(s(), own);
    assert_false(vm_validator_taken(s(), &bond.key, &bond.node_key));
}

static void delegations(void **state)
{
    (void)state;
    int64_t const before = cash(0);
    assert_int_equal(stake(0, VM_ACTION_DELEGATE, 1, UNIT), VM_REJECT_VALIDATOR_UNKNOWN);
    assert_int_equal(stake(0, VM_ACTION_DELEGATE, WORLD_STRANGER, UNIT),
                     VM_REJECT_VALIDATOR_UNKNOWN);
    assert_int_equal(stake(0, VM_ACTION_DELEGATE, OP, UNIT - 1), VM_REJECT_STAKE_MINIMUM);
    assert_int_equal(stake(0, VM_ACTION_DELEGATE, OP, before + 1), VM_REJECT_BALANCE);
    assert_int_equal(stake(0, VM_ACTION_DELEGATE, OP, INT64_MAX), VM_REJECT_BALANCE);
    assert_int_equal(cash(0), before);
    assert_int_equal(stake(0, VM_ACTION_DELEGATE, OP, 5 * UNIT), VM_OK);
    assert_int_equal(result, 5 * UNIT);
    assert_int_equal(held(0, OP), 5 * UNIT);
    assert_int_equal(cash(0), before - 5 * UNIT);
    assert_int_equal(stake(0, VM_ACTION_DELEGATE, OP, 2 * UNIT), VM_OK);
    assert_int_equal(held(0, OP), 7 * UNIT);
    /* a share is worth more now: fewer of them, and never more than asked is taken */
    enrich(OP, 777777777);
    int64_t const rich = cash(0);
    struct vm_pool const pool = validator(OP)->pool;
    assert_int_equal(stake(0, VM_ACTION_DELEGATE, OP, 10 * UNIT), VM_OK);
    int64_t const cost = rich - cash(0);
    assert_true(result < 10 * (uint64_t)UNIT && cost <= 10 * UNIT && cost >= 10 * UNIT - 2);
    assert_true((nv_i128)cost * vm_shares_raw(pool.shares) >=
                (nv_i128)result * vm_money_raw(pool.tokens));
}

static void taking_back(void **state)
{
    (void)state;
    assert_int_equal(stake(0, VM_ACTION_UNDELEGATE, 1, UNIT), VM_REJECT_VALIDATOR_UNKNOWN);
    assert_int_equal(stake(0, VM_ACTION_UNDELEGATE, OP, UNIT), VM_REJECT_STAKE_UNKNOWN);
    assert_int_equal(stake(0, VM_ACTION_WITHDRAW_STAKE, OP, 0), VM_REJECT_STAKE_UNKNOWN);
    assert_int_equal(stake(0, VM_ACTION_WITHDRAW_STAKE, 1, 0), VM_REJECT_VALIDATOR_UNKNOWN);
    assert_int_equal(stake(0, VM_ACTION_DELEGATE, OP, 10 * UNIT), VM_OK);
    int64_t const before = cash(0);
    assert_int_equal(stake(0, VM_ACTION_UNDELEGATE, OP, 10 * UNIT + 1), VM_REJECT_BALANCE);
    assert_int_equal(stake(0, VM_ACTION_UNDELEGATE, OP, UNIT - 1), VM_REJECT_STAKE_MINIMUM);
    assert_int_equal(stake(0, VM_ACTION_UNDELEGATE, OP, 4 * UNIT), VM_OK);
    assert_int_equal(result, 4 * UNIT);
    assert_int_equal(held(0, OP), 6 * UNIT);
    assert_int_equal(cash(0), before);                                         /* it waits */
    assert_int_equal(stake(0, VM_ACTION_UNDELEGATE, OP, 5 * UNIT + 1), VM_OK); /* so all goes */
    assert_int_equal(result, 6 * UNIT);
    assert_int_equal(held(0, OP), 0);
    assert_int_equal(stake(0, VM_ACTION_WITHDRAW_STAKE, OP, 0), VM_REJECT_STAKE_LOCKED);
    epoch_turn();
    for (uint32_t i = 0; i < 5; i++) {
        block(); /* the time has passed, not the epochs */
    }
    assert_int_equal(stake(0, VM_ACTION_WITHDRAW_STAKE, OP, 0), VM_REJECT_STAKE_LOCKED);
    epoch_turn();
    assert_int_equal(stake(0, VM_ACTION_WITHDRAW_STAKE, OP, 0), VM_OK);
    assert_int_equal(result, 10 * UNIT);
    assert_int_equal(cash(0), before + 10 * UNIT);
    assert_int_equal(stake(0, VM_ACTION_WITHDRAW_STAKE, OP, 0), VM_REJECT_STAKE_UNKNOWN);
}

/* Enough epochs, too little time; and several batches at once. */
static void both_must_pass(void **state)
{
    (void)state;
    vm_param_set(s(), VM_PARAM_UNBOND_TIME, 5000);
    int64_t const before = cash(0);
    assert_int_equal(stake(0, VM_ACTION_DELEGATE, OP, 10 * UNIT), VM_OK);
    assert_int_equal(stake(0, VM_ACTION_UNDELEGATE, OP, 2 * UNIT), VM_OK);
    epoch_turn();
    assert_int_equal(stake(0, VM_ACTION_UNDELEGATE, OP, 3 * UNIT), VM_OK);
    epoch_turn();
    epoch_turn();
    assert_int_equal(stake(0, VM_ACTION_WITHDRAW_STAKE, OP, 0), VM_REJECT_STAKE_LOCKED);
    for (uint32_t i = 0; i < 4; i++) {
        block(); /* 5,000 ms after the first, not after the second */
    }
    assert_int_equal(stake(0, VM_ACTION_WITHDRAW_STAKE, OP, 0), VM_OK);
    assert_int_equal(result, 2 * UNIT);
    vm_world_block(&w, 5000);
    assert_int_equal(stake(0, VM_ACTION_WITHDRAW_STAKE, OP, 0), VM_OK);
    assert_int_equal(result, 3 * UNIT);
    assert_int_equal(cash(0), before - 5 * UNIT);
}

/* A validator of whom nothing is left is forgotten, and its key is free. */
static void forgotten(void **state)
{
    (void)state;
    assert_int_equal(bond_as(0, 5, 1000 * UNIT), VM_OK);
    assert_int_equal(stake(1, VM_ACTION_DELEGATE, 0, 3 * UNIT), VM_OK);
    assert_int_equal(stake(0, VM_ACTION_UNDELEGATE, 0, 1000 * UNIT), VM_OK);
    assert_int_equal(stake(1, VM_ACTION_UNDELEGATE, 0, 3 * UNIT), VM_OK);
    assert_non_null(validator(0)); /* its batch waits */
    epoch_turn();
    epoch_turn();
    vm_world_block(&w, 5000);
    assert_int_equal(stake(0, VM_ACTION_WITHDRAW_STAKE, 0, 0), VM_OK);
    assert_non_null(validator(0));
    assert_int_equal(stake(1, VM_ACTION_WITHDRAW_STAKE, 0, 0), VM_OK);
    assert_null(validator(0));
    assert_int_equal(vm_staking(s())->validators, WORLD_VALIDATORS);
    assert_int_equal(bond_as(2, 5, 1000 * UNIT), VM_OK);
    vm_world_reload(&w);
    assert_non_null(validator(2));
}

static void commissions(void **state)
{
    (void)state;
    struct vm_action set = {.kind = VM_ACTION_SET_COMMISSION, .commission = vm_ratio(100000001)};
    assert_int_equal(act(0, &set), VM_REJECT_VALIDATOR_UNKNOWN);
    assert_int_equal(bond_as(0, 5, 1000 * UNIT), VM_OK); /* 5 % */
    set.commission = vm_ratio(50000000);
    assert_int_equal(act(0, &set), VM_REJECT_COMMISSION_RATE); /* the epoch of the bond */
    epoch_turn();
    set.commission = vm_ratio(60000001);
    assert_int_equal(act(0, &set), VM_REJECT_COMMISSION_RATE);
    set.commission = vm_ratio(60000000);
    assert_int_equal(act(0, &set), VM_OK);
    set.commission = vm_ratio(0);
    assert_int_equal(act(0, &set), VM_REJECT_COMMISSION_RATE); /* once an epoch */
    epoch_turn();
    assert_int_equal(act(0, &set), VM_OK);
    assert_int_equal(vm_ratio_raw(validator(0)->commission), 0);
    epoch_turn();
    set.commission = vm_ratio(INT64_MAX);
    assert_int_equal(act(0, &set), VM_REJECT_FIELD_RANGE);
    set.commission = vm_ratio(-1);
    assert_int_equal(act(0, &set), VM_REJECT_FIELD_RANGE);
}

static void claims(void **state)
{
    (void)state;
    assert_int_equal(bare(0, VM_ACTION_CLAIM), VM_REJECT_VALIDATOR_UNKNOWN);
    assert_int_equal(bare(OP, VM_ACTION_CLAIM), VM_REJECT_STAKE_UNKNOWN);
    assert_true(vm_cash_add(s(), vm_world_account(&w, 11), vm_money(-77)));
    assert_true(vm_due_add(s(), vm_validator_find(s(), id(OP)), vm_money(77)));
    assert_int_equal(bare(OP, VM_ACTION_CLAIM), VM_OK);
    assert_int_equal(result, 77);
    assert_int_equal(cash(OP), 77);
    assert_int_equal(bare(OP, VM_ACTION_CLAIM), VM_REJECT_STAKE_UNKNOWN);
}

static void unjailing(void **state)
{
    (void)state;
    uint32_t const index = vm_validator_find(s(), id(OP));
    assert_int_equal(bare(0, VM_ACTION_UNJAIL), VM_REJECT_VALIDATOR_UNKNOWN);
    assert_int_equal(bare(OP, VM_ACTION_UNJAIL), VM_REJECT_NOT_JAILED);
    vm_stake_mut(s(), index)->validator.status = VM_VALIDATOR_JAILED;
    vm_stake_mut(s(), index)->validator.jailed_epoch = 1;
    epoch_turn();
    assert_int_equal(bare(OP, VM_ACTION_UNJAIL), VM_REJECT_JAIL_TIME);
    epoch_turn();
    assert_int_equal(stake(OP, VM_ACTION_UNDELEGATE, OP, 2500 * UNIT), VM_OK);
    assert_int_equal(bare(OP, VM_ACTION_UNJAIL), VM_REJECT_STAKE_MINIMUM);
    vm_world_send(&w, WORLD_FAUCET, VM_ACTION_FAUCET, OP, 500 * UNIT);
    block();
    assert_int_equal(stake(OP, VM_ACTION_DELEGATE, OP, 500 * UNIT), VM_OK);
    assert_int_equal(bare(OP, VM_ACTION_UNJAIL), VM_OK);
    assert_int_equal(validator(OP)->status, VM_VALIDATOR_ACTIVE);
}

/* A session key with the scope of stake moves stake and nothing else. */
static void scope(void **state)
{
    (void)state;
    struct vm_action set = {.kind = VM_ACTION_SESSION_SET};
    set.session_set.scopes = VM_SCOPE_STAKE;
    set.session_set.expires_ms = w.time_ms + 100000;
    vm_world_key(&set.session_set.key, 77);
    assert_int_equal(act(0, &set), VM_OK);
    struct vm_action actions[2] = {{.kind = VM_ACTION_DELEGATE}, {.kind = VM_ACTION_TRANSFER}};
    vm_world_address(&actions[0].delegate.validator, OP);
    actions[0].delegate.amount = vm_money(UNIT);
    vm_world_address(&actions[1].send.to, 1);
    actions[1].send.amount = vm_money(UNIT);
    struct vm_tx *const tx = vm_world_tx(&w, 0, actions, 2);
    vm_world_key(&tx->key, 77);
    struct nv_hash const hash = tx->hash;
    struct vm_receipt receipt;
    block();
    vm_world_receipt(&w, &hash, &receipt);
    assert_int_equal(receipt.outcomes[0].code, VM_OK);
    assert_int_equal(receipt.outcomes[1].code, VM_REJECT_KEY_SCOPE);
}

/* Debits count at once, what comes lands at the end: the second action of one
 * transaction sees the cash and shares that the first took, not what it gave. */
static void own_actions_in_order(void **state)
{
    (void)state;
    assert_int_equal(stake(0, VM_ACTION_DELEGATE, OP, 10 * UNIT), VM_OK);
    struct vm_action actions[4] = {{.kind = VM_ACTION_UNDELEGATE},
                                   {.kind = VM_ACTION_UNDELEGATE},
                                   {.kind = VM_ACTION_DELEGATE},
                                   {.kind = VM_ACTION_TRANSFER}};
    for (uint32_t i = 0; i < 3; i++) {
        vm_world_address(&actions[i].delegate.validator, OP);
        actions[i].delegate.amount = vm_money(6 * UNIT);
    }
    actions[2].delegate.amount = vm_money(cash(0));
    vm_world_address(&actions[3].send.to, 1);
    actions[3].send.amount = vm_money(1);
    struct nv_hash const hash = vm_world_tx(&w, 0, actions, 4)->hash;
    struct vm_receipt receipt;
    block();
    vm_world_receipt(&w, &hash, &receipt);
    assert_int_equal(receipt.outcomes[0].code, VM_OK);
    assert_int_equal(receipt.outcomes[1].code, VM_REJECT_BALANCE);
    assert_int_equal(receipt.outcomes[2].code, VM_OK);
    assert_int_equal(receipt.outcomes[3].code, VM_REJECT_BALANCE);
    assert_int_equal(cash(0), 0);
}

/* Where there is no room for another entry nothing is lost. */
static void full(void **state)
{
    (void)state;
    assert_int_equal(stake(0, VM_ACTION_DELEGATE, OP, 10 * UNIT), VM_OK);
    int64_t const before[2] = {cash(0), cash(1)};
    struct nv_row_key key;
    uint32_t filler = VM_NONE, last = VM_NONE;
    for (uint64_t i = 0; last == VM_NONE || filler != VM_NONE; i++) {
        vm_key_delegation(&key, 100000 + i, 100000);
        filler = vm_stake_put(s(), &key);
        if (filler != VM_NONE) {
            vm_stake_mut(s(), filler)->delegation.shares = vm_shares(1);
            last = filler;
        }
    }
    vm_world_stake(&w, 1, VM_ACTION_DELEGATE, OP, 5 * UNIT);
    vm_world_stake(&w, 0, VM_ACTION_UNDELEGATE, OP, 10 * UNIT);
    struct nv_hash const hash[2] = {w.txs[0].hash, w.txs[1].hash};
    vm_world_block(&w, 500);
    assert_int_equal(code_of(&hash[0]), VM_REJECT_STAKES_FULL);
    assert_int_equal(code_of(&hash[1]), VM_REJECT_STAKES_FULL);
    assert_int_equal(result, 0);
    assert_int_equal(cash(0), before[0]);
    assert_int_equal(cash(1), before[1]);
    assert_int_equal(held(0, OP), 10 * UNIT);
    assert_int_equal(held(1, OP), 0);
    /* room for a validator, none for its self-stake: neither is made */
    vm_stake_drop(s(), last);
    vm_world_block(&w, 500);
    struct vm_action const action = vm_world_bond_action(&bond, 5, 1000 * UNIT);
    struct nv_hash const bonding = vm_world_tx(&w, 1, &action, 1)->hash;
    vm_world_block(&w, 500);
    assert_int_equal(code_of(&bonding), VM_REJECT_STAKES_FULL);
    assert_int_equal(cash(1), before[1]);
    assert_int_equal(vm_validator_of_key(s(), &bond.key), VM_NONE);
    assert_int_equal(vm_staking(s())->validators, WORLD_VALIDATORS);
    assert_int_equal(vm_chain(s())->safe_mode, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(bonds),
        CASE(one_vote_key_for_one),
        CASE(one_node_key_for_one),
        CASE(node_keys_are_taken),
        CASE(delegations),
        CASE(taking_back),
        CASE(forgotten),
        CASE(both_must_pass),
        CASE(commissions),
        CASE(claims),
        CASE(unjailing),
        CASE(scope),
        CASE(full),
        CASE(own_actions_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
