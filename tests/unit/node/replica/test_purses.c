/* test_purses.c - what an account could pay, at any height that is still known.
 *
 * Method: rows as the VM writes them are fed height by height; then every
 * height is asked, at the edge of what the cash pays for. */

#include "node/replica/purses.h"
#include "tests/lib/nv_test.h"
#include "vm/fee.h"
#include "vm/params.h"
#include "vm/rows.h"

#define FEE 100

static struct node_purses *p;

static struct nv_address address(uint8_t name)
{
    return (struct nv_address){.bytes = {name, 1, 2, 3}};
}

static void feed_fee(uint64_t height, int64_t fee)
{
    uint8_t value[VM_ROW_SIZE_MAX];
    struct vm_param_row const param = {.value = fee};
    struct nv_writer w;
    struct nv_row row;
    nv_writer_init(&w, value, sizeof value);
    vm_param_row_encode(&w, &param);
    vm_key_param(&row.key, VM_PARAM_TX_FEE);
    row.value = nv_view_of(value, w.size);
    node_purses_feed(p, height, &row, 1);
}

static void feed(uint64_t height, uint8_t name, int64_t cash)
{
    uint8_t value[VM_ROW_SIZE_MAX];
    struct vm_account_row const account = {.address = address(name), .cash = vm_money(cash)};
    struct nv_writer w;
    struct nv_row row;
    nv_writer_init(&w, value, sizeof value);
    vm_account_row_encode(&w, &account);
    vm_key_account(&row.key, name);
    row.value = nv_view_of(value, w.size);
    node_purses_feed(p, height, &row, 1);
}

static enum node_purse ask(uint64_t height, uint8_t name, uint32_t paid, uint32_t free)
{
    struct node_charge const charge = {address(name), paid, free};
    return node_purses_judge(p, height, &charge);
}

static void open_purses(uint32_t accounts)
{
    assert_int_equal(node_purses_open(&p, accounts), NV_OK);
    assert_false(node_purses_known(p, 0));
    feed_fee(0, FEE);
}

static void cash_pays_for_whole_fees_only(void **state)
{
    (void)state;
    open_purses(4);
    feed(0, 1, 3 * FEE - 1);
    feed(0, 2, -1);
    feed(0, 3, INT64_MAX);
    assert_int_equal(ask(0, 1, 2, 0), NODE_PURSE_ENOUGH);
    assert_int_equal(ask(0, 1, 3, 0), NODE_PURSE_EMPTY);
    assert_int_equal(ask(0, 2, 1, 0), NODE_PURSE_EMPTY);
    assert_int_equal(ask(0, 2, 0, 1), NODE_PURSE_ENOUGH);
    assert_int_equal(ask(0, 3, UINT32_MAX, 0), NODE_PURSE_ENOUGH);
    assert_int_equal(ask(0, 4, 1, 0), NODE_PURSE_NO_ACCOUNT);
    assert_int_equal(ask(0, 4, 0, 1), NODE_PURSE_NO_ACCOUNT);
    node_purses_close(p);
}

static void what_is_free_is_bounded(void **state)
{
    (void)state;
    open_purses(1);
    feed(0, 1, 0);
    assert_int_equal(ask(0, 1, 0, VM_FEE_FREE_MAX), NODE_PURSE_ENOUGH);
    assert_int_equal(ask(0, 1, 0, VM_FEE_FREE_MAX + 1), NODE_PURSE_EMPTY);
    node_purses_close(p);
}

static void every_height_keeps_its_figure(void **state)
{
    (void)state;
    open_purses(2);
    feed(0, 1, 0);
    for (uint64_t h = 1; h <= 10; h++) {
        node_purses_feed(p, h, NULL, 0);
        if (h % 3 == 0) {
            feed(h, 1, (int64_t)h * FEE);
        }
        if (h == 5) {
            feed(h, 2, FEE);
        }
    }
    for (uint64_t h = 0; h <= 10; h++) {
        uint32_t const pays = (uint32_t)(h / 3 * 3);
        assert_true(node_purses_known(p, h));
        assert_int_equal(ask(h, 1, pays, 0), NODE_PURSE_ENOUGH);
        assert_int_equal(ask(h, 1, pays + 1, 0), NODE_PURSE_EMPTY);
        assert_int_equal(ask(h, 2, 1, 0), h < 5 ? NODE_PURSE_NO_ACCOUNT : NODE_PURSE_ENOUGH);
    }
    assert_false(node_purses_known(p, 11));
    node_purses_close(p);
}

/* Whatever the ring has lost, a height that is known is told right. */
static void what_is_forgotten_is_not_known(void **state)
{
    (void)state;
    open_purses(2); /* 32 older figures */
    feed(0, 1, 0);
    feed(0, 2, 0);
    for (uint64_t h = 1; h <= 500; h++) {
        feed(h, 1, (int64_t)h * FEE);
        feed(h, 2, (int64_t)(h * 7 % 5) * FEE);
        uint64_t known = 0;
        for (uint64_t at = h > 40 ? h - 40 : 0; at <= h; at++) {
            if (node_purses_known(p, at)) {
                known++;
                assert_int_equal(ask(at, 1, (uint32_t)at, 0), NODE_PURSE_ENOUGH);
                assert_int_equal(ask(at, 1, (uint32_t)at + 1, 0), NODE_PURSE_EMPTY);
                assert_int_equal(ask(at, 2, (uint32_t)(at * 7 % 5) + 1, 0), NODE_PURSE_EMPTY);
            }
        }
        assert_true(known >= (h < 16 ? h + 1 : 16));
        assert_true(known <= 17);
    }
    node_purses_close(p);
}

static void a_new_fee_forgets_what_was_before(void **state)
{
    (void)state;
    open_purses(1);
    feed(0, 1, 10 * FEE);
    feed_fee(3, 2 * FEE);
    assert_false(node_purses_known(p, 2));
    assert_int_equal(ask(3, 1, 5, 0), NODE_PURSE_ENOUGH);
    assert_int_equal(ask(3, 1, 6, 0), NODE_PURSE_EMPTY);
    feed_fee(4, 0);
    assert_int_equal(ask(4, 1, UINT32_MAX, 0), NODE_PURSE_ENOUGH);
    node_purses_close(p);
}

static void a_tally_begins_at_nothing(void **state)
{
    (void)state;
    bool first = false;
    struct nv_address const known = address(1);
    struct nv_address const unknown = address(2);
    open_purses(2);
    feed(0, 1, FEE);
    for (uint32_t round = 0; round < 3; round++) {
        node_purses_tally(p);
        struct node_charge *const sum = node_purses_sum(p, &known, &first);
        assert_true(first);
        assert_int_equal(sum->paid, 0);
        sum->paid = 7;
        assert_ptr_equal(node_purses_sum(p, &known, &first), sum);
        assert_false(first);
        assert_int_equal(sum->paid, 7);
        assert_null(node_purses_sum(p, &unknown, &first));
    }
    node_purses_close(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cash_pays_for_whole_fees_only),
        cmocka_unit_test(what_is_free_is_bounded),
        cmocka_unit_test(every_height_keeps_its_figure),
        cmocka_unit_test(what_is_forgotten_is_not_known),
        cmocka_unit_test(a_new_fee_forgets_what_was_before),
        cmocka_unit_test(a_tally_begins_at_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
