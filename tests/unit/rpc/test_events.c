/* Goal: every kind of event is told with the numbers it has, and sequence
 * numbers are read back as they were written.
 *
 * Method: events made by hand; a market of 1000 lots a unit and a tick of 0.1. */

#include <stdio.h>
#include <string.h>

#include "rpc/events.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_world.h"
#include "vm/tx.h"

static struct rpc_listing listings[1];
static struct rpc_catalogue catalogue;
static char text[4096];

static int setup(void **state)
{
    (void)state;
    memset(listings, 0, sizeof listings);
    memcpy(listings[0].symbol, "BTC-PERP", 9);
    listings[0].tick_micro = 100000;
    listings[0].lots_per_unit = 1000;
    listings[0].lot_places = 3;
    listings[0].lot_power = 1000;
    catalogue = (struct rpc_catalogue){.listings = listings, .listing_count = 1, .loaded = true};
    return 0;
}

static const char *told(const struct vm_event *event)
{
    struct rpc_json out;
    rpc__json_init(&out, sizeof text - 1);
    rpc__event_write(&out, NULL, &catalogue, event);
    assert_false(out.failed);
    memcpy(text, out.bytes, out.size);
    text[out.size] = '\0';
    rpc__json_deinit(&out);
    return text;
}

static void cash_is_told(void **state)
{
    (void)state;
    static const char *const names[] = {"deposit",
                                        "withdraw",
                                        "transfer_out",
                                        "transfer_in",
                                        "faucet",
                                        "liquidation_fee",
                                        "keeper_reward",
                                        "insurance"};
    for (uint8_t i = 0; i < 8; i++) {
        struct vm_event const event = {
            .kind = VM_EVENT_CASH,
            .cash = {.account = 5, .reason = (uint8_t)(i + 1), .amount = vm_money(-1500000)}};
        world_has(told(&event), names[i]);
        world_has(text, "\"event\":\"cash\",\"reason\":\"");
        world_has(text, "\"amount\":\"-1.5\",\"counterparty\":null");
        assert_int_equal(rpc__event_account(&event), 5);
    }
}

static void orders_are_told(void **state)
{
    (void)state;
    static const char *const names[] = {"rested",
                                        "filled",
                                        "reduced",
                                        "cancelled",
                                        "expired",
                                        "immediate_rest",
                                        "self_cross",
                                        "margin",
                                        "protected",
                                        "market_closed",
                                        "beyond_band",
                                        "not_reducing"};
    for (uint8_t i = 0; i < 12; i++) {
        struct vm_event const event = {.kind = VM_EVENT_ORDER,
                                       .order = {.account = 5,
                                                 .order = 77,
                                                 .change = (uint8_t)(i + 1),
                                                 .side = VM_SELL,
                                                 .price = vm_price(500001),
                                                 .lots = vm_lots(1500),
                                                 .client_id = i}};
        char change[64];
        snprintf(change, sizeof change, "\"change\":\"%s\"", names[i]);
        world_has(told(&event), change);
        world_has(text, "\"side\":\"sell\",\"price\":\"50000.1\",\"size\":\"1.5\"");
        world_has(text, i == 0 ? "\"client_id\":null" : "\"client_id\":\"");
    }
}

static void fills_are_told(void **state)
{
    (void)state;
    struct vm_event event = {.kind = VM_EVENT_FILL,
                             .fill = {.account = 5,
                                      .order = 77,
                                      .side = VM_BUY,
                                      .maker = 1,
                                      .price = vm_price(500000),
                                      .lots = vm_lots(1),
                                      .fee = vm_money(5000),
                                      .realised = vm_money(-1)}};
    assert_string_equal(told(&event),
                        "{\"event\":\"fill\",\"market\":\"BTC-PERP\",\"order\":\"77\","
                        "\"side\":\"buy\",\"maker\":true,\"price\":\"50000\",\"size\":\"0.001\","
                        "\"fee\":\"0.005\",\"realised\":\"-0.000001\"}");
    event.fill.order = 0; /* deleveraging has none */
    world_has(told(&event), "\"order\":null");
}

static void protection_is_told(void **state)
{
    (void)state;
    struct vm_event event = {.kind = VM_EVENT_PROTECTION,
                             .protection = {.account = 5,
                                            .stage = 1,
                                            .lots = vm_lots(-2000),
                                            .price = vm_price(499999),
                                            .equity = vm_money(1000000),
                                            .maintenance = vm_money(2000000),
                                            .keeper = 9}};
    world_has(told(&event),
              "\"stage\":\"closing\",\"market\":\"BTC-PERP\",\"size\":\"-2\","
              "\"price\":\"49999.9\",\"equity\":\"1\"");
    world_has(text, "\"keeper\":\"9\"");
    event.protection.market = UINT32_MAX; /* the account as a whole */
    event.protection.keeper = 0;
    event.protection.stage = 3;
    world_has(told(&event), "\"stage\":\"deleverage\",\"market\":null,\"size\":null");
    world_has(text, "\"keeper\":null");
}

static void settlements_are_told(void **state)
{
    (void)state;
    struct vm_event const event = {.kind = VM_EVENT_SETTLEMENT,
                                   .settlement = {.account = 5,
                                                  .lots = vm_lots(1000),
                                                  .value = vm_money(50000000),
                                                  .realised = vm_money(7000000)}};
    world_has(told(&event), "\"size\":\"1\",\"price\":\"50000\",\"realised\":\"7\"");
}

static void state_events_are_named_only(void **state)
{
    (void)state;
    static const uint8_t kinds[] = {
        VM_EVENT_INDEX, VM_EVENT_MARK, VM_EVENT_FUNDING, VM_EVENT_MARKET, VM_EVENT_SAFE_MODE};
    static const char *const names[] = {"index", "mark", "funding", "market", "safe_mode"};
    for (size_t i = 0; i < sizeof kinds; i++) {
        struct vm_event event;
        memset(&event, 0, sizeof event);
        event.kind = kinds[i];
        world_has(told(&event), names[i]);
        assert_int_equal(rpc__event_account(&event), 0);
    }
}

static void an_unknown_market_is_null(void **state)
{
    (void)state;
    struct vm_event const event = {.kind = VM_EVENT_AUCTION, .auction = {.market = 1}};
    assert_string_equal(told(&event), "null");
}

static void sequence_numbers_are_read_back(void **state)
{
    (void)state;
    static const struct {
        uint64_t height;
        uint32_t index;
    } good[] = {{0, 0}, {1, 2}, {UINT64_MAX, UINT32_MAX}};
    static const char *const bad[] = {"",
                                      ":",
                                      "1",
                                      "1:",
                                      ":1",
                                      "1:2:3",
                                      "a:1",
                                      "1:-1",
                                      "01:1",
                                      " 1:1",
                                      "1:4294967296",
                                      "18446744073709551616:0"};
    uint64_t height = 0;
    uint32_t index = 0;
    for (size_t i = 0; i < 3; i++) {
        char seq[RPC_SEQ_TEXT];
        rpc__seq_format(seq, good[i].height, good[i].index);
        assert_true(rpc__seq_parse(nv_view_of_text(seq), &height, &index));
        assert_true(height == good[i].height && index == good[i].index);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(rpc__seq_parse(nv_view_of_text(bad[i]), &height, &index));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(cash_is_told, setup),
        cmocka_unit_test_setup(orders_are_told, setup),
        cmocka_unit_test_setup(fills_are_told, setup),
        cmocka_unit_test_setup(protection_is_told, setup),
        cmocka_unit_test_setup(settlements_are_told, setup),
        cmocka_unit_test_setup(state_events_are_named_only, setup),
        cmocka_unit_test_setup(an_unknown_market_is_null, setup),
        cmocka_unit_test_setup(sequence_numbers_are_read_back, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
