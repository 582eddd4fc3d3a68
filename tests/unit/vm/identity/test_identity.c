/* Goal: who may act, what it costs, and money in and out, as docs/spec/transactions.md
 * sections 3 to 5 say.
 * Method: single transactions on the small chain; codes, balances, rows. */

#include "tests/lib/vm_world.h"
#include "vm/identity/identity.h"
#include "vm/margin/margin.h"
#include "vm/params.h"
#include "vm/receipt.h"

static struct vm_world w;

static int open_world(void **state)
{
    (void)state;
    vm_world_open(&w);
    return 0;
}

static int close_world(void **state)
{
    (void)state;
    vm_world_close(&w);
    return 0;
}

static const struct vm_account_row *account(uint32_t number)
{
    return &vm_account(vm_world_state(&w), vm_world_account(&w, number))->row;
}

static int64_t cash(uint32_t number)
{
    return vm_money_raw(account(number)->cash);
}

static int64_t wallet(uint32_t number)
{
    return vm_money_raw(account(number)->wallet);
}

/* Executes the block and returns the receipt of that transaction. */
static struct vm_receipt receipt_of(const struct vm_tx *tx)
{
    struct vm_receipt receipt;
    struct nv_hash const hash = tx->hash;
    vm_world_block(&w, 500);
    vm_world_receipt(&w, &hash, &receipt);
    assert_true(vm_state_sound(vm_world_state(&w)));
    assert_int_equal(vm_chain(vm_world_state(&w))->safe_mode, 0);
    return receipt;
}

static struct vm_tx *last(void)
{
    return &w.txs[w.tx_count - 1];
}

/* The code of a block of one transaction with one action. */
static uint16_t code_of(const struct vm_tx *tx)
{
    struct vm_receipt const receipt = receipt_of(tx);
    if (receipt.code != VM_OK) {
        assert_int_equal(receipt.outcome_count, 0);
        return receipt.code;
    }
    assert_int_equal(receipt.outcome_count, 1);
    return receipt.outcomes[0].code;
}

static uint16_t amount_code(uint32_t number, uint8_t kind, int64_t micro)
{
    vm_world_amount(&w, number, kind, micro);
    return code_of(last());
}

static uint16_t send_code(uint32_t from, uint8_t kind, uint32_t to, int64_t micro)
{
    vm_world_send(&w, from, kind, to, micro);
    return code_of(last());
}

static uint16_t session_set(uint32_t number, uint32_t key, uint32_t scopes, uint64_t expires_ms)
{
    struct vm_action a = {.kind = VM_ACTION_SESSION_SET,
                          .session_set = {.scopes = scopes, .expires_ms = expires_ms}};
    vm_world_key(&a.session_set.key, key);
    return code_of(vm_world_tx(&w, number, &a, 1));
}

static void life(void **state)
{
    (void)state;
    int64_t const fee = vm_param(vm_world_state(&w), VM_PARAM_TX_FEE);
    struct vm_action const a = {.kind = VM_ACTION_WITHDRAW, .amount = vm_money(1)};
    struct vm_tx *tx = vm_world_tx(&w, 0, &a, 1);
    tx->expires_ms = w.time_ms + 500; /* the block's time */
    assert_int_equal(code_of(tx), VM_REJECT_EXPIRED);
    tx = vm_world_tx(&w, 0, &a, 1);
    tx->expires_ms = w.time_ms + 500 + VM_EXPIRY_MAX_MS + 1;
    assert_int_equal(code_of(tx), VM_REJECT_EXPIRY_FAR);
    assert_int_equal(cash(0) + wallet(0), INT64_C(200000000000));
    tx = vm_world_tx(&w, 0, &a, 1);
    tx->expires_ms = w.time_ms + 500 + VM_EXPIRY_MAX_MS;
    struct vm_receipt const receipt = receipt_of(tx);
    assert_int_equal(receipt.code, VM_OK);
    assert_int_equal(vm_money_raw(receipt.fee), fee);
    assert_int_equal(receipt.account, vm_world_account(&w, 0) + 1);
    tx = vm_world_tx(&w, WORLD_STRANGER, &a, 1);
    assert_int_equal(code_of(tx), VM_REJECT_ACCOUNT_UNKNOWN);
    tx = vm_world_tx(&w, 0, &a, 1);
    vm_world_key(&tx->key, 1);
    assert_int_equal(code_of(tx), VM_REJECT_KEY_UNKNOWN);
    assert_int_equal(cash(0), INT64_C(200000000000) - fee - 1);
    assert_int_equal(wallet(0), 1);
    assert_int_equal(cash(WORLD_FEE), fee - fee / 2); /* the rest is the reward pot's */
}

/* The fee is taken before the actions, whatever becomes of them, and only if
 * cash suffices; whose every action serves all pays none. */
static void fees(void **state)
{
    (void)state;
    int64_t const fee = vm_param(vm_world_state(&w), VM_PARAM_TX_FEE);
    assert_int_equal(send_code(WORLD_FAUCET, VM_ACTION_FAUCET, WORLD_STRANGER, fee + 4), VM_OK);
    assert_int_equal(cash(WORLD_FAUCET), 0);
    assert_int_equal(amount_code(WORLD_STRANGER, VM_ACTION_WITHDRAW, 5), VM_REJECT_BALANCE);
    assert_int_equal(cash(WORLD_STRANGER), 4);
    assert_int_equal(amount_code(WORLD_STRANGER, VM_ACTION_WITHDRAW, 1), VM_REJECT_FEE);
    assert_int_equal(cash(WORLD_STRANGER), 4);
    /* two at once: by hash, and only one can pay */
    assert_int_equal(send_code(WORLD_FAUCET, VM_ACTION_FAUCET, WORLD_STRANGER, fee - 1), VM_OK);
    vm_world_amount(&w, WORLD_STRANGER, VM_ACTION_WITHDRAW, 1);
    vm_world_amount(&w, WORLD_STRANGER, VM_ACTION_WITHDRAW, 1);
    vm_world_sort(&w);
    struct nv_hash const first = w.txs[0].hash, second = w.txs[1].hash;
    struct vm_receipt receipt;
    vm_world_block(&w, 500);
    vm_world_receipt(&w, &first, &receipt);
    assert_int_equal(receipt.code, VM_OK);
    assert_int_equal(receipt.outcomes[0].code, VM_OK);
    vm_world_receipt(&w, &second, &receipt);
    assert_int_equal(receipt.code, VM_REJECT_FEE);
    assert_int_equal(vm_money_raw(receipt.fee), 0);
    struct vm_action mixed[2] = {
        {.kind = VM_ACTION_FAUCET, .send = {.amount = vm_money(1)}},
        {.kind = VM_ACTION_CANCEL, .cancel_order = 1},
    };
    assert_int_equal(receipt_of(vm_world_tx(&w, WORLD_FAUCET, mixed, 2)).code, VM_REJECT_FEE);
}

static void sessions(void **state)
{
    (void)state;
    uint64_t const expires = w.time_ms + 20000;
    struct vm_action const both[2] = {
        {.kind = VM_ACTION_CANCEL, .cancel_order = 99},
        {.kind = VM_ACTION_WITHDRAW, .amount = vm_money(5)},
    };
    assert_int_equal(session_set(0, 400, VM_SCOPE_TRADE, expires), VM_OK);
    struct vm_tx *tx = vm_world_tx(&w, 0, both, 2);
    vm_world_key(&tx->key, 400);
    struct vm_receipt receipt = receipt_of(tx);
    assert_int_equal(receipt.code, VM_OK);
    assert_int_equal(receipt.outcomes[0].code, VM_REJECT_ORDER_UNKNOWN);
    assert_int_equal(receipt.outcomes[1].code, VM_REJECT_KEY_SCOPE);
    assert_int_equal(session_set(0, 400, VM_SCOPE_WITHDRAW, expires), VM_OK); /* replaces */
    tx = vm_world_tx(&w, 0, both, 2);
    vm_world_key(&tx->key, 400);
    receipt = receipt_of(tx);
    assert_int_equal(receipt.outcomes[0].code, VM_REJECT_KEY_SCOPE);
    assert_int_equal(receipt.outcomes[1].code, VM_OK);
    /* not for another account, and no session key sets session keys */
    tx = vm_world_tx(&w, 1, both, 2);
    vm_world_key(&tx->key, 400);
    assert_int_equal(receipt_of(tx).code, VM_REJECT_KEY_UNKNOWN);
    struct vm_action set = {.kind = VM_ACTION_SESSION_SET,
                            .session_set = {.scopes = 1, .expires_ms = expires}};
    vm_world_key(&set.session_set.key, 401);
    tx = vm_world_tx(&w, 0, &set, 1);
    vm_world_key(&tx->key, 400);
    assert_int_equal(code_of(tx), VM_REJECT_KEY_SCOPE);
    /* the account's own key loses nothing by being a session key, too */
    assert_int_equal(session_set(1, 1, VM_SCOPE_TRADE, expires), VM_OK);
    assert_int_equal(amount_code(1, VM_ACTION_WITHDRAW, 5), VM_OK);
    assert_int_equal(session_set(1, 402, VM_SCOPE_TRADE, expires), VM_OK);
    /* revoked, and gone */
    struct vm_action revoke = {.kind = VM_ACTION_SESSION_REVOKE};
    vm_world_key(&revoke.session_revoke, 400);
    assert_int_equal(code_of(vm_world_tx(&w, 0, &revoke, 1)), VM_OK);
    assert_int_equal(code_of(vm_world_tx(&w, 0, &revoke, 1)), VM_REJECT_KEY_UNKNOWN);
    tx = vm_world_tx(&w, 0, both, 2);
    vm_world_key(&tx->key, 400);
    assert_int_equal(receipt_of(tx).code, VM_REJECT_KEY_UNKNOWN);
}

static void session_limits(void **state)
{
    (void)state;
    uint64_t const soon = w.time_ms + 15000;
    assert_int_equal(session_set(2, 500, 1, w.time_ms + 500), VM_REJECT_FIELD_RANGE);
    assert_int_equal(session_set(2, 500, 1, soon), VM_OK);
    for (uint32_t i = 1; i < VM_SESSIONS_ACCOUNT_MAX; i++) {
        assert_int_equal(session_set(2, 500 + i, 15, w.time_ms + 1000000), VM_OK);
    }
    assert_int_equal(session_set(2, 600, 1, w.time_ms + 60000), VM_REJECT_SESSION_LIMIT);
    assert_int_equal(session_set(2, 501, 7, w.time_ms + 60000), VM_OK); /* there already */
    struct vm_action const a = {.kind = VM_ACTION_CANCEL, .cancel_order = 9};
    struct vm_tx *tx = vm_world_tx(&w, 2, &a, 1);
    vm_world_key(&tx->key, 500);
    assert_int_equal(code_of(tx), VM_REJECT_ORDER_UNKNOWN);
    vm_world_block(&w, soon - w.time_ms - 500);
    tx = vm_world_tx(&w, 2, &a, 1);
    vm_world_key(&tx->key, 500);
    assert_int_equal(code_of(tx), VM_REJECT_KEY_EXPIRED);               /* at its very time */
    assert_int_equal(session_set(2, 600, 1, w.time_ms + 60000), VM_OK); /* in its place */
    struct nv_pubkey key;
    vm_world_key(&key, 500);
    assert_null(vm_session_find(vm_world_state(&w), vm_world_account(&w, 2), &key));
}

static void wallet_and_vault(void **state)
{
    (void)state;
    int64_t const vault = vm_money_raw(vm_chain(vm_world_state(&w))->vault);
    int64_t const had = cash(3);
    assert_int_equal(amount_code(3, VM_ACTION_DEPOSIT, 1), VM_REJECT_BALANCE);
    assert_int_equal(amount_code(3, VM_ACTION_WITHDRAW, 700), VM_OK);
    assert_int_equal(wallet(3), 700);
    assert_int_equal(vm_money_raw(vm_chain(vm_world_state(&w))->vault), vault - 700);
    assert_int_equal(amount_code(3, VM_ACTION_DEPOSIT, 701), VM_REJECT_BALANCE);
    assert_int_equal(amount_code(3, VM_ACTION_DEPOSIT, 600), VM_OK);
    assert_int_equal(wallet(3), 100);
    int64_t const fees = 4 * vm_param(vm_world_state(&w), VM_PARAM_TX_FEE);
    assert_int_equal(cash(3), had - 100 - fees);
    assert_int_equal(amount_code(3, VM_ACTION_WITHDRAW, cash(3)), VM_REJECT_BALANCE); /* the fee */
    assert_int_equal(amount_code(3, VM_ACTION_WITHDRAW, cash(3) - fees / 4), VM_OK);
    assert_int_equal(cash(3), 0);
}

/* What comes in lands at the phase's end: it cannot be taken out in the same. */
static void credits_land_late(void **state)
{
    (void)state;
    struct vm_action actions[3] = {
        {.kind = VM_ACTION_WITHDRAW, .amount = vm_money(1000)},
        {.kind = VM_ACTION_DEPOSIT, .amount = vm_money(1000)},
        {.kind = VM_ACTION_WITHDRAW, .amount = vm_money(0)},
    };
    int64_t const fee = vm_param(vm_world_state(&w), VM_PARAM_TX_FEE);
    actions[2].amount = vm_money(cash(1) - fee - 999);
    struct vm_receipt const receipt = receipt_of(vm_world_tx(&w, 1, actions, 3));
    assert_int_equal(receipt.outcomes[0].code, VM_OK);
    assert_int_equal(receipt.outcomes[1].code, VM_REJECT_BALANCE); /* not in the wallet yet */
    assert_int_equal(receipt.outcomes[2].code, VM_REJECT_BALANCE); /* a micro too much */
    assert_int_equal(wallet(1), 1000);
}

static void transfers(void **state)
{
    (void)state;
    int64_t const least = vm_param(vm_world_state(&w), VM_PARAM_ACCOUNT_CREATE_MIN);
    uint32_t const count = vm_account_count(vm_world_state(&w));
    assert_int_equal(send_code(0, VM_ACTION_TRANSFER, WORLD_STRANGER + 1, least - 1),
                     VM_REJECT_AMOUNT_MINIMUM);
    assert_int_equal(vm_account_count(vm_world_state(&w)), count);
    /* two in one block open it once; the one below the least counts as if alone */
    vm_world_send(&w, 0, VM_ACTION_TRANSFER, WORLD_STRANGER + 1, least);
    vm_world_send(&w, 1, VM_ACTION_TRANSFER, WORLD_STRANGER + 1, least + 5);
    vm_world_send(&w, 2, VM_ACTION_TRANSFER, WORLD_STRANGER + 1, 7);
    assert_int_equal(code_of(last()), VM_REJECT_AMOUNT_MINIMUM);
    assert_int_equal(vm_account_count(vm_world_state(&w)), count + 1);
    assert_int_equal(cash(WORLD_STRANGER + 1), 2 * least + 5);
    assert_int_equal(account(WORLD_STRANGER + 1)->created_height, w.height);
    assert_int_equal(send_code(2, VM_ACTION_TRANSFER, WORLD_STRANGER + 1, 7), VM_OK);
    assert_int_equal(cash(WORLD_STRANGER + 1), 2 * least + 12);
    int64_t const before = cash(4);
    assert_int_equal(send_code(4, VM_ACTION_TRANSFER, 4, 1000), VM_OK); /* to itself */
    assert_int_equal(cash(4), before - vm_param(vm_world_state(&w), VM_PARAM_TX_FEE));
}

static void faucet(void **state)
{
    (void)state;
    int64_t const supply = vm_money_raw(vm_chain(vm_world_state(&w))->supply);
    assert_int_equal(send_code(5, VM_ACTION_FAUCET, 5, 100), VM_REJECT_NOT_FAUCET);
    assert_int_equal(send_code(WORLD_FAUCET, VM_ACTION_FAUCET, WORLD_STRANGER + 2, 1), VM_OK);
    assert_int_equal(cash(WORLD_STRANGER + 2), 1);
    assert_int_equal(vm_money_raw(vm_chain(vm_world_state(&w))->supply), supply + 1);
    assert_int_equal(send_code(WORLD_FAUCET, VM_ACTION_FAUCET, 5, VM_SUPPLY_MAX - supply),
                     VM_REJECT_OVERFLOW);
    assert_int_equal(send_code(WORLD_FAUCET, VM_ACTION_FAUCET, 5, VM_SUPPLY_MAX - supply - 1),
                     VM_OK);
    assert_int_equal(vm_money_raw(vm_chain(vm_world_state(&w))->supply), VM_SUPPLY_MAX);
}

/* When there is no room, the rank decides and the others have their money back. */
static void no_room_for_accounts(void **state)
{
    (void)state;
    struct vm_state *const s = vm_world_state(&w);
    int64_t const amount = 2000000;
    uint32_t number = 1000;
    while (vm_account_count(s) < w.limits.accounts_max - 2) {
        struct nv_address address;
        vm_world_address(&address, number++);
        assert_int_not_equal(vm_account_create(s, &address), VM_NONE);
    }
    int64_t before = 0, after = 0;
    struct nv_hash hashes[6];
    for (uint32_t i = 0; i < 6; i++) {
        before += cash(i);
        vm_world_send(&w, i, VM_ACTION_TRANSFER, WORLD_STRANGER + 10 + i, amount);
        hashes[i] = last()->hash;
    }
    vm_world_block(&w, 500);
    uint32_t opened = 0;
    for (uint32_t i = 0; i < 6; i++) {
        struct vm_receipt receipt;
        vm_world_receipt(&w, &hashes[i], &receipt);
        bool const there = vm_world_account(&w, WORLD_STRANGER + 10 + i) != VM_NONE;
        assert_int_equal(receipt.outcomes[0].code, there ? VM_OK : VM_REJECT_ACCOUNTS_FULL);
        opened += there ? 1u : 0u;
        after += cash(i);
    }
    assert_int_equal(opened, 2);
    int64_t const fees = 6 * vm_param(s, VM_PARAM_TX_FEE);
    assert_int_equal(after, before - 2 * amount - fees);
    assert_int_equal(vm_chain(s)->safe_mode, 0);
    assert_true(vm_state_sound(s));
}

static void open_position(uint32_t buyer, uint32_t seller, int64_t lots)
{
    for (uint32_t i = 0; i < 2; i++) {
        vm_world_report(&w, 0, INT64_C(60000000000));
        vm_world_block(&w, 500);
    }
    struct vm_place p = {.market = WORLD_BTC_PERP,
                         .side = VM_BUY,
                         .time_in_force = VM_GTC,
                         .price = vm_price(600000),
                         .lots = vm_lots(lots)};
    (void)vm_world_place(&w, buyer, &p);
    p.side = VM_SELL;
    assert_int_equal(code_of(vm_world_place(&w, seller, &p)), VM_OK);
}

/* Money that margin needs stays; nothing leaves on a stale index. */
static void margin_stays(void **state)
{
    (void)state;
    /* 4 accounts have 10,000: 500 lots are half a BTC, 30,000 */
    open_position(6, 0, 500);
    int64_t low = 0, high = cash(6);
    while (low < high) {
        int64_t const middle = low + (high - low + 1) / 2;
        struct vm_state *const s = vm_world_state(&w);
        uint32_t const index = vm_world_account(&w, 6);
        struct vm_requirement need;
        vm_undo_begin(s);
        assert_true(vm_cash_add(s, index, vm_money(-middle)));
        assert_true(vm_margin_account(s, index, true, NULL, &need));
        vm_undo_rollback(s);
        bool const ok = vm_money_raw(need.equity) >= vm_money_raw(need.initial);
        low = ok ? middle : low;
        high = ok ? high : middle - 1;
    }
    int64_t const fee = vm_param(vm_world_state(&w), VM_PARAM_TX_FEE);
    assert_true(low > 1000000 && low < cash(6));
    vm_world_report(&w, 0, INT64_C(60000000000));
    assert_int_equal(amount_code(6, VM_ACTION_WITHDRAW, low - fee + 1), VM_REJECT_MARGIN);
    assert_int_equal(send_code(6, VM_ACTION_TRANSFER, 0, low - 2 * fee + 1), VM_REJECT_MARGIN);
    assert_int_equal(amount_code(6, VM_ACTION_WITHDRAW, low - 3 * fee), VM_OK);
    int64_t const age = vm_param(vm_world_state(&w), VM_PARAM_TRADE_AGE);
    vm_world_block(&w, (uint64_t)age + 1);
    assert_int_equal(amount_code(0, VM_ACTION_WITHDRAW, 1), VM_REJECT_INDEX_STALE);
    assert_int_equal(amount_code(7, VM_ACTION_WITHDRAW, 1), VM_OK); /* has no position */
    assert_int_equal(amount_code(6, VM_ACTION_DEPOSIT, 1), VM_OK);
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_WORLD(life),
        IN_WORLD(fees),
        IN_WORLD(sessions),
        IN_WORLD(session_limits),
        IN_WORLD(wallet_and_vault),
        IN_WORLD(credits_land_late),
        IN_WORLD(transfers),
        IN_WORLD(faucet),
        IN_WORLD(no_room_for_accounts),
        IN_WORLD(margin_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
