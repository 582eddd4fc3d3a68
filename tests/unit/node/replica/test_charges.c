/* test_charges.c - the transactions of a block are added up by account.
 *
 * Method: blocks of a few accounts with paying and free transactions mixed,
 * compared with counts made one by one. */

#include "node/replica/charges.h"
#include "tests/lib/nv_test.h"
#include "vm/fee.h"

#define TXS 60u

static struct vm_action const actions[] = {
    {.kind = VM_ACTION_REPORT},
    {.kind = VM_ACTION_KEEPER_CLOSE},
    {.kind = VM_ACTION_FAUCET},
    {.kind = VM_ACTION_CANCEL},
};

static struct nv_address address(uint8_t name)
{
    return (struct nv_address){.bytes = {[19] = name}};
}

static void only_what_serves_everybody_is_free(void **state)
{
    (void)state;
    struct vm_tx tx = {.action_count = 3, .actions = actions};
    assert_true(vm_fee_free(&tx));
    tx.action_count = 4;
    assert_false(vm_fee_free(&tx));
}

static void accounts_are_added_up(void **state)
{
    (void)state;
    struct vm_tx txs[TXS];
    struct node_charge list[TXS];
    struct node_charge scratch[TXS];
    uint32_t paid[7] = {0};
    for (uint32_t i = 0; i < TXS; i++) {
        uint8_t const name = (uint8_t)(i * i % 7); /* 0, 1, 2, 4 */
        bool const free = i % 3 == 0;
        txs[i] = (struct vm_tx){.account = address(name),
                                .action_count = 1,
                                .actions = free ? &actions[i % 2] : &actions[3]};
        paid[name] += free ? 0u : 1u;
    }
    struct node_charges const charges = {list, node_charges_of(list, scratch, txs, TXS)};
    assert_int_equal(charges.count, 4);
    uint32_t total = 0;
    for (uint8_t name = 0; name < 7; name++) {
        struct node_charge sum = {.account = address(name), .paid = 1000};
        node_charges_add(&charges, &sum);
        assert_int_equal(sum.paid, 1000 + paid[name]);
        total += sum.paid - 1000 + sum.free;
    }
    assert_int_equal(total, TXS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_serves_everybody_is_free),
        cmocka_unit_test(accounts_are_added_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
