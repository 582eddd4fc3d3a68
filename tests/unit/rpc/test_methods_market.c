/* Goal: what the read methods tell of markets, orders and accounts is what the
 * settlement VM has in its rows, in canonical numbers, and is proved.
 *
 * Method: blocks on the real VM; the same numbers worked out by hand here. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fmt.h"
#include "base/proof.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_chain.h"
#include "vm/rows.h"

static struct rpc_chain chain;

static int setup(void **state)
{
    (void)state;
    memset(&chain, 0, sizeof chain);
    chain_open(&chain);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    chain_close(&chain);
    return 0;
}

static void markets_are_listed(void **state)
{
    (void)state;
    const char *answer = chain_call(&chain, "market_list", "{}");
    world_has(answer,
              "\"market\":\"BTC-PERP\",\"market_id\":0,\"feed\":\"BTC\","
              "\"tick_size\":\"0.1\",\"lot_size\":\"0.001\",\"tick_value\":\"0.0001\","
              "\"expires_ms\":null");
    world_has(answer, "\"market\":\"ETH-PERP\"");
    world_has(answer, "\"index\":\"50000\",\"index_fresh\":true");
    world_has(answer, "\"last_price\":null");
}

static void a_market_is_found_by_its_name_only(void **state)
{
    (void)state;
    world_has(chain_call(&chain, "market_get", "{\"market\":\"ETH-PERP\"}"),
              "\"tick_size\":\"0.01\"");
    const char *answer = chain_call(&chain, "market_get", "{\"market\":\"DOGE-PERP\"}");
    world_has(answer, "\"code\":5001,\"message\":\"market_unknown\"");
    world_has(answer, "\"got\":\"DOGE-PERP\"");
    world_has(chain_call(&chain, "market_get", "{}"), "\"field\":\"market\"");
}

/* Bids rest at 49,990 and 49,980, an ask at 50,010. */
static void rest_some(void)
{
    chain_place(&chain, 1, VM_BUY, 499900, 2000);
    chain_place(&chain, 1, VM_BUY, 499800, 500);
    chain_place(&chain, 2, VM_BUY, 499900, 1000);
    chain_place(&chain, 2, VM_SELL, 500100, 250);
    chain_execute(&chain);
}

static void the_book_is_told_best_first(void **state)
{
    (void)state;
    rest_some();
    const char *answer = chain_call(&chain, "market_book", "{\"market\":\"BTC-PERP\"}");
    world_has(answer, "\"bids\":[[\"49990\",\"3\"],[\"49980\",\"0.5\"]]");
    world_has(answer, "\"asks\":[[\"50010\",\"0.25\"]]");
    answer = chain_call(&chain, "market_book", "{\"market\":\"BTC-PERP\",\"depth\":1}");
    world_has(answer, "\"bids\":[[\"49990\",\"3\"]],");
    answer = chain_call(&chain, "market_ticker", "{\"market\":\"BTC-PERP\"}");
    world_has(answer, "\"best_bid\":[\"49990\",\"3\"],\"best_ask\":[\"50010\",\"0.25\"]");
}

/* The proof of the top of the book covers everything from the best price on:
 * a node cannot leave a better one out. */
static void the_top_of_the_book_is_proved_complete(void **state)
{
    (void)state;
    static uint8_t bytes[65536];
    rest_some();
    const char *answer =
        chain_call(&chain, "market_book", "{\"market\":\"BTC-PERP\",\"depth\":1,\"proof\":true}");
    const char *at = strstr(answer, "}],\"proof\":\"0x");
    assert_non_null(at);
    at += strlen("}],\"proof\":\"0x");
    uint32_t const size = (uint32_t)strcspn(at, "\"") / 2;
    assert_true(size <= sizeof bytes);
    assert_int_equal(nv_hex_decode(bytes, size, nv_view_of(at, 2 * size)), NV_OK);
    struct nv_proof proof;
    assert_int_equal(nv_proof_open(&proof, &chain.world.head.state_root, nv_view_of(bytes, size)),
                     NV_OK);
    struct nv_row_range range;
    vm_key_level(&range.last, 0, VM_BUY, vm_page_of(vm_price(499900)));
    memset(range.first.bytes, 0, sizeof range.first.bytes);
    memcpy(range.first.bytes, range.last.bytes, 6);
    assert_true(nv_proof_covers(&proof, &range));
}

static void orders_are_told_to_their_owner(void **state)
{
    (void)state;
    char params[160];
    rest_some();
    snprintf(params, sizeof params, "%s}", chain_of(&chain, 1));
    const char *answer = chain_call(&chain, "order_open", params);
    world_has(answer,
              "\"market\":\"BTC-PERP\",\"side\":\"buy\",\"price\":\"49990\",\"size\":\"2\"");
    world_has(answer, "\"price\":\"49980\",\"size\":\"0.5\"");
    const char *at = strstr(answer, "\"order\":\"");
    assert_non_null(at);
    char order[32];
    snprintf(order, sizeof order, "%.*s", (int)strcspn(at + 9, "\""), at + 9);
    snprintf(params, sizeof params, "%s,\"order\":\"%s\"}", chain_of(&chain, 1), order);
    world_has(chain_call(&chain, "order_get", params), order);
    snprintf(params, sizeof params, "%s,\"order\":\"%s\"}", chain_of(&chain, 3), order);
    world_has(chain_call(&chain, "order_get", params), "\"message\":\"order_unknown\"");
    snprintf(params, sizeof params, "%s,\"market\":\"ETH-PERP\"}", chain_of(&chain, 1));
    world_has(chain_call(&chain, "order_open", params), "\"orders\":[]");
}

/* One unit is traded at 50,000 and the index moves to 50,500. */
static void a_position_is_told_with_its_worth(void **state)
{
    (void)state;
    char params[160];
    chain_place(&chain, 1, VM_BUY, 500000, 1000);
    chain_place(&chain, 2, VM_SELL, 500000, 1000);
    chain_execute(&chain);
    snprintf(params, sizeof params, "%s}", chain_of(&chain, 1));
    const char *answer = chain_call(&chain, "account_positions", params);
    world_has(answer,
              "\"market\":\"BTC-PERP\",\"market_id\":0,\"size\":\"1\",\"lots\":\"1000\","
              "\"cost\":\"-50000\"");
    world_has(answer, "\"entry_price\":\"50000\"");
    answer = chain_call(&chain, "account_get", params);
    world_has(answer, "\"positions\":1,\"stage\":\"safe\"");
    world_has(answer, "\"initial_margin\":\"");
    world_has(answer, "\"maintenance_margin\":\"");
    world_has(answer, "\"health\":\"");
    answer = chain_call(&chain, "account_fills", params);
    world_has(answer, "\"side\":\"buy\",\"maker\":false,\"price\":\"50000\",\"size\":\"1\"");
    answer = chain_call(&chain, "market_trades", "{\"market\":\"BTC-PERP\"}");
    world_has(answer, "\"price\":\"50000\",\"size\":\"1\"");
    world_has(chain_call(&chain, "market_trades", "{\"market\":\"ETH-PERP\"}"), "\"trades\":[]");
}

static void an_account_that_is_not_there_says_so(void **state)
{
    (void)state;
    const char *answer = chain_call(
        &chain, "account_get", "{\"address\":\"0x0000000000000000000000000000000000000009\"}");
    world_has(answer, "\"code\":6004,\"message\":\"account_unknown\"");
    answer = chain_call(
        &chain, "account_get", "{\"address\":\"0x5AAEB6053F3E94C9B9A09F33669435E7EF1BEAED\"}");
    world_has(answer, "\"canonical\":\"0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\"");
}

static void balances_and_proofs_go_together(void **state)
{
    (void)state;
    char params[160];
    snprintf(params, sizeof params, "%s,\"proof\":true,\"meta\":true}", chain_of(&chain, 3));
    const char *answer = chain_call(&chain, "account_get", params);
    world_has(answer, "\"cash\":\"100000\",\"wallet\":\"0\",\"equity\":\"100000\"");
    world_has(answer, "\"initial_margin\":null"); /* derived: no row proves it */
    world_has(answer, "\"proof\":{\"height\":\"1\",\"state_root\":\"0x");
    world_has(answer, "\"meta\":{\"height\":\"1\"");
}

static void the_oracle_names_its_reports(void **state)
{
    (void)state;
    const char *answer = chain_call(&chain, "market_oracle", "{\"feed\":\"BTC\"}");
    world_has(answer, "\"feed\":\"BTC\",\"index\":\"50000\",\"confidence\":\"1\"");
    world_has(answer, "\"reports\":[{\"reporter\":0,\"price\":\"50000\"");
    world_has(chain_call(&chain, "market_oracle", "{\"feed\":\"XYZ\"}"),
              "\"message\":\"feed_unknown\"");
    world_has(chain_call(&chain, "market_funding", "{\"market\":\"BTC-PERP\"}"),
              "\"interval_ms\":3600000");
}

static void risk_is_told_with_every_term(void **state)
{
    (void)state;
    char params[160];
    rest_some();
    snprintf(params, sizeof params, "%s}", chain_of(&chain, 1));
    const char *answer = chain_call(&chain, "risk_margin", params);
    world_has(answer, "\"with_orders\":{\"equity\":\"");
    world_has(answer, "\"without_orders\":{\"equity\":\"");
    world_has(answer, "\"node_maintenance\":[\"0\"");
    answer = chain_call(&chain, "risk_params", "{}");
    world_has(answer,
              "{\"feed\":\"BTC\",\"range_initial\":\"0.08\","
              "\"range_maintenance\":\"0.04\"}");
    world_has(answer, "\"THETA\":\"300000000\"");
    world_has(chain_call(&chain, "liq_candidates", "{}"), "\"candidates\":[],\"cursor\":null");
    world_has(chain_call(&chain, "liq_insurance", "{}"), "\"safe_mode\":false");
}

static void session_keys_are_listed(void **state)
{
    (void)state;
    char params[160];
    struct vm_action const action = {.kind = VM_ACTION_SESSION_SET,
                                     .session_set = {.key = chain.keys[3],
                                                     .scopes = VM_SCOPE_TRADE,
                                                     .expires_ms = 1800000000000}};
    chain_add(&chain, 1, &action);
    chain_execute(&chain);
    snprintf(params, sizeof params, "%s}", chain_of(&chain, 1));
    world_has(chain_call(&chain, "account_sessionKeys", params),
              "\"scopes\":[\"trade\"],\"expires_ms\":1800000000000");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(markets_are_listed),
        CASE(a_market_is_found_by_its_name_only),
        CASE(the_book_is_told_best_first),
        CASE(the_top_of_the_book_is_proved_complete),
        CASE(orders_are_told_to_their_owner),
        CASE(a_position_is_told_with_its_worth),
        CASE(an_account_that_is_not_there_says_so),
        CASE(balances_and_proofs_go_together),
        CASE(the_oracle_names_its_reports),
        CASE(risk_is_told_with_every_term),
        CASE(session_keys_are_listed),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
