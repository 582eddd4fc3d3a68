/* Goal: no micro and no lot can go amiss without the laws' noticing.
 *
 * Method: the rows of a small chain with real trades behind them, as they are
 * and after one number of one row was changed by one. */

#include <string.h>

#include "base/codec.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_chain.h"
#include "tools/audit/laws.h"
#include "vm/rows.h"

static struct rpc_chain chain;

static int setup(void **state)
{
    (void)state;
    chain_open(&chain);
    chain_place(&chain, 1, VM_SELL, 500000, 120);
    chain_place(&chain, 2, VM_BUY, 500000, 120);
    chain_execute(&chain);
    chain_report(&chain, 0, 50700);
    chain_place(&chain, 2, VM_SELL, 501000, 40);
    chain_place(&chain, 3, VM_BUY, 501000, 40);
    struct vm_action action = {.kind = VM_ACTION_DELEGATE};
    action.delegate = (struct vm_delegate){chain.addresses[1], vm_money(7000000)};
    chain_add(&chain, 3, &action);
    action.kind = VM_ACTION_UNDELEGATE;
    action.delegate.amount = vm_money(3000000);
    chain_add(&chain, 1, &action);
    chain_execute(&chain);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    chain_close(&chain);
    return 0;
}

/* What was found. */
struct found {
    bool laws;
    bool running;
    int64_t realised;
};

static struct found count(void)
{
    struct laws laws;
    const struct row_model *const rows = &chain.world.rows;
    assert_true(laws_open(&laws));
    for (uint32_t i = 0; i < rows->count; i++) {
        struct nv_row const row = {rows->rows[i].key,
                                   nv_view_of(rows->rows[i].value, rows->rows[i].size)};
        assert_true(laws_add(&laws, &row));
    }
    struct found const out = {laws_hold(&laws), laws_running_hold(&laws), (int64_t)laws.realised};
    laws_close(&laws);
    return out;
}

/* first_of finds the first row of a table. */
static struct model_row *first_of(uint8_t table)
{
    struct row_model *const rows = &chain.world.rows;
    for (uint32_t i = 0; i < rows->count; i++) {
        if (rows->rows[i].key.bytes[0] == table) {
            return &rows->rows[i];
        }
    }
    fail_msg("the chain has no row of table %u", table);
    return NULL;
}

/* nudged counts with one added to the 64 bits at an offset of a row's value. */
static struct found nudged(uint8_t table, uint32_t at)
{
    uint8_t *const number = first_of(table)->value + at;
    nv_be64_store(number, nv_be64_load(number) + 1);
    struct found const out = count();
    nv_be64_store(number, nv_be64_load(number) - 1);
    return out;
}

static void test_all_is_well(void **state)
{
    (void)state;
    struct found const found = count();
    assert_true(found.laws);
    assert_true(found.running);
    assert_int_not_equal(found.realised, 0);
}

/* A micro of cash, of a wallet, of cost, a lot: each breaks a law and a sum. */
static void test_what_rows_hold(void **state)
{
    (void)state;
    static const struct {
        uint8_t table;
        uint32_t at;
    } places[] = {
        {VM_TABLE_ACCOUNT, 20}, /* address 20, cash, wallet */
        {VM_TABLE_ACCOUNT, 28},
        {VM_TABLE_POSITION, 0}, /* lots, cost */
        {VM_TABLE_POSITION, 8},
        {VM_TABLE_VALIDATOR, 64}, /* keys 64, tokens, shares, due */
        {VM_TABLE_VALIDATOR, 80},
        {VM_TABLE_BATCH, 0}, /* tokens, shares */
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct found const found = nudged(places[i].table, places[i].at);
        assert_false(found.laws);
        assert_false(found.running);
    }
}

/* A share more or less, of whatever, is found, and takes no money. */
static void test_shares(void **state)
{
    (void)state;
    static const struct {
        uint8_t table;
        uint32_t at;
    } places[] = {{VM_TABLE_VALIDATOR, 72},
                  {VM_TABLE_DELEGATION, 0},
                  {VM_TABLE_BATCH, 8},
                  {VM_TABLE_UNBONDING, 0}};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct found const found = nudged(places[i].table, places[i].at);
        assert_true(found.laws);
        assert_false(found.running);
    }
}

/* The vault has no running sum; the running sums are in no law. */
static void test_what_the_chain_keeps(void **state)
{
    (void)state;
    struct found found = nudged(VM_TABLE_CHAIN, 16); /* height, time, vault, supply, cash sum */
    assert_false(found.laws);
    assert_true(found.running);
    found = nudged(VM_TABLE_CHAIN, 24);
    assert_false(found.laws);
    found = nudged(VM_TABLE_CHAIN, 32);
    assert_true(found.laws);
    assert_false(found.running);
    found = nudged(VM_TABLE_STAKING, 16); /* epoch, its height, pot, staked */
    assert_false(found.laws);
    found = nudged(VM_TABLE_STAKING, 24);
    assert_true(found.laws);
    assert_false(found.running);
}

static void test_no_chain_row(void **state)
{
    (void)state;
    struct laws laws;
    assert_true(laws_open(&laws));
    assert_false(laws_hold(&laws));
    assert_false(laws_running_hold(&laws));
    laws_close(&laws);
}

static void test_broken_row(void **state)
{
    (void)state;
    struct laws laws;
    struct nv_row row = {.value = nv_view_of((const uint8_t *)"short", 5)};
    assert_true(laws_open(&laws));
    vm_key_account(&row.key, 7);
    assert_false(laws_add(&laws, &row));
    vm_key_market_state(&row.key, VM_MARKETS_END);
    assert_false(laws_add(&laws, &row));
    laws_close(&laws);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_is_well),
        cmocka_unit_test(test_what_rows_hold),
        cmocka_unit_test(test_shares),
        cmocka_unit_test(test_what_the_chain_keeps),
        cmocka_unit_test(test_no_chain_row),
        cmocka_unit_test(test_broken_row),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
