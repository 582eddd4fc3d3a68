/* test_signers.c - which transactions of a block are not signed by the account's own
 * key, and what their keys must be allowed to do.
 *
 * Method: transactions with few keys and accounts, compared with what is written
 * beside them. */

#include <string.h>

#include "node/replica/signers.h"
#include "tests/lib/nv_test.h"
#include "vm/scope.h"

static struct vm_action const trade[] = {{.kind = VM_ACTION_PLACE}, {.kind = VM_ACTION_CANCEL}};
static struct vm_action const mixed[] = {{.kind = VM_ACTION_WITHDRAW}, {.kind = VM_ACTION_REPORT}};
static struct vm_action const owner[] = {{.kind = VM_ACTION_BOND}, {.kind = VM_ACTION_SESSION_SET}};

static struct vm_tx tx_of(uint8_t account, uint8_t key, const struct vm_action *actions)
{
    struct nv_pubkey const owns = {.bytes = {account}};
    struct vm_tx tx = {.key = {.bytes = {key}}, .action_count = 2, .actions = actions};
    nv_address_of_key(&tx.account, &owns);
    return tx;
}

static void the_scopes_of_all_actions_are_needed(void **state)
{
    (void)state;
    struct vm_tx tx = tx_of(1, 2, trade);
    assert_int_equal(vm_scopes_of(&tx), VM_SCOPE_TRADE);
    tx.actions = mixed;
    assert_int_equal(vm_scopes_of(&tx), VM_SCOPE_WITHDRAW | VM_SCOPE_REPORT);
    tx.actions = owner;
    assert_int_equal(vm_scopes_of(&tx), VM_SCOPE_STAKE | VM_SCOPE_OWN);
    assert_int_equal(VM_SCOPE_OWN & VM_SCOPES_ALL, 0);
}

static void own_keys_are_not_listed(void **state)
{
    (void)state;
    struct vm_tx const txs[] = {
        tx_of(1, 1, owner),
        tx_of(1, 2, trade),
        tx_of(2, 2, mixed),
        tx_of(2, 1, mixed),
        tx_of(3, 3, trade),
    };
    struct node_signer list[5];
    assert_int_equal(node_signers_of(list, txs, 5), 2);
    assert_memory_equal(&list[0].account, &txs[1].account, sizeof list[0].account);
    assert_memory_equal(&list[0].key, &txs[1].key, sizeof list[0].key);
    assert_int_equal(list[0].scopes, VM_SCOPE_TRADE);
    assert_memory_equal(&list[1].account, &txs[3].account, sizeof list[1].account);
    assert_memory_equal(&list[1].key, &txs[3].key, sizeof list[1].key);
    assert_int_equal(list[1].scopes, VM_SCOPE_WITHDRAW | VM_SCOPE_REPORT);
    node_signer_of(&list[0], &txs[0]);
    assert_int_equal(list[0].scopes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_scopes_of_all_actions_are_needed),
        cmocka_unit_test(own_keys_are_not_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
