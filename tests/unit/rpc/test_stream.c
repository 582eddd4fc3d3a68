/* Goal: streams tell each event once, in order, with the seq of its place in
 * the block, can be resumed, tell a slow reader what it missed, and never grow
 * for it.
 *
 * Method: WebSockets on loopback, blocks of the real settlement VM. */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fmt.h"

#include "rpc/conn.h"
#include "rpc/server.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/rpc_chain.h"

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

static const char *hear(int fd)
{
    uint8_t opcode = 0;
    const char *text = world_ws_hear(&chain.world, fd, &opcode);
    assert_int_equal(opcode, 1);
    return text;
}

static void subscribe_in(struct rpc_world *world, int fd, const char *channel, const char *resume)
{
    char text[512];
    snprintf(text,
             sizeof text,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sub_subscribe\",\"params\":"
             "{\"channels\":[\"%s\"]%s}}",
             channel,
             resume);
    world_ws_say(world, fd, text);
}

static void subscribe(int fd, const char *channel, const char *resume)
{
    subscribe_in(&chain.world, fd, channel, resume);
}

/* listen subscribes and takes the answer. */
static int listen_to(const char *channel)
{
    int const fd = world_ws(&chain.world);
    subscribe(fd, channel, "");
    world_has(hear(fd), "\"result\":{\"channels\":[{\"channel\":\"");
    return fd;
}

static void trade(int64_t ticks, int64_t lots)
{
    chain_place(&chain, 1, VM_BUY, ticks, lots);
    chain_place(&chain, 2, VM_SELL, ticks, lots);
    chain_execute(&chain);
}

static void blocks_are_told(void **state)
{
    (void)state;
    int const fd = listen_to("blocks");
    chain_execute(&chain);
    const char *text = hear(fd);
    world_has(text,
              "\"method\":\"subscription\",\"params\":{\"channel\":\"blocks\","
              "\"type\":\"update\",\"seq\":\"2:0\",\"prev_seq\":\"1:");
    world_has(text, "\"data\":{\"height\":\"2\"");
    chain_execute(&chain);
    world_has(hear(fd), "\"seq\":\"3:0\",\"prev_seq\":\"2:0\"");
    close(fd);
}

static void trades_are_told_to_their_market(void **state)
{
    (void)state;
    int const fd = listen_to("trades.BTC-PERP");
    int const other = listen_to("trades.ETH-PERP");
    trade(500000, 1000);
    const char *text = hear(fd);
    world_has(text, "\"channel\":\"trades.BTC-PERP\"");
    world_has(text, "\"price\":\"50000\",\"size\":\"1\"");
    trade(500010, 500);
    text = hear(fd);
    world_has(text, "\"seq\":\"3:");
    world_has(text, "\"prev_seq\":\"2:");
    uint8_t byte = 0;
    world_turn(&chain.world);
    assert_int_equal(recv(other, &byte, 1, 0), -1); /* it has heard nothing */
    close(fd);
    close(other);
}

static void an_account_hears_all_that_happens_to_it(void **state)
{
    (void)state;
    char address[NV_ADDRESS_TEXT];
    char channel[96];
    nv_address_format(address, &chain.addresses[1]);
    snprintf(channel, sizeof channel, "account.%s", address);
    int const fd = listen_to(channel);
    world_turn(&chain.world);
    chain_place(&chain, 1, VM_BUY, 499000, 1000);
    chain_execute(&chain);
    world_has(hear(fd), "\"event\":\"order\",\"market\":\"BTC-PERP\"");
    trade(500000, 1000);
    world_has(hear(fd), "\"event\":\"");
    close(fd);
}

/* The account does not exist when it is subscribed to. */
static void an_account_is_heard_from_its_first_event_on(void **state)
{
    (void)state;
    static const struct nv_address fresh = {{0x77}};
    char address[NV_ADDRESS_TEXT];
    char channel[96];
    nv_address_format(address, &fresh);
    snprintf(channel, sizeof channel, "account.%s", address);
    int const fd = listen_to(channel);
    world_turn(&chain.world);
    chain_execute(&chain);
    struct vm_action const action = {.kind = VM_ACTION_FAUCET,
                                     .send = {.to = fresh, .amount = vm_money(5000000)}};
    chain_add(&chain, 0, &action);
    chain_execute(&chain);
    const char *text = hear(fd);
    world_has(text, "\"event\":\"cash\"");
    world_has(text, "\"amount\":\"5\"");
    world_has(text, "\"seq\":\"3:");
    close(fd);
}

static void a_stream_is_resumed_where_it_broke(void **state)
{
    (void)state;
    char resume[96];
    char seq[32];
    int fd = listen_to("trades.BTC-PERP");
    trade(500000, 1000);
    const char *at = strstr(hear(fd), "\"seq\":\"");
    assert_non_null(at);
    snprintf(seq, sizeof seq, "%.*s", (int)strcspn(at + 7, "\""), at + 7);
    close(fd);
    trade(500010, 500);
    trade(500020, 250);
    fd = world_ws(&chain.world);
    snprintf(resume, sizeof resume, ",\"resume\":{\"trades.BTC-PERP\":\"%s\"}", seq);
    subscribe(fd, "trades.BTC-PERP", resume);
    hear(fd);
    const char *text = hear(fd);
    world_has(text, "\"size\":\"0.5\"");
    world_has(text, seq); /* as prev_seq */
    world_has(hear(fd), "\"size\":\"0.25\"");
    trade(500030, 100);
    world_has(hear(fd), "\"size\":\"0.1\"");
    close(fd);
}

static void what_cannot_be_resumed_says_so(void **state)
{
    (void)state;
    int const fd = world_ws(&chain.world);
    subscribe(fd, "blocks", ",\"resume\":{\"blocks\":\"9:0\"}");
    world_has(hear(fd), "\"message\":\"resume_too_old\"");
    subscribe(fd, "blocks", ",\"resume\":{\"blocks\":\"0:0\"}");
    world_has(hear(fd), "\"message\":\"resume_too_old\"");
    subscribe(fd, "blocks", ",\"resume\":{\"blocks\":\"x\"}");
    world_has(hear(fd), "\"field\":\"resume\"");
    close(fd);
}

static void unknown_channels_are_refused_all_together(void **state)
{
    (void)state;
    int const fd = world_ws(&chain.world);
    subscribe(fd, "blocks\",\"nothing", "");
    const char *text = hear(fd);
    world_has(text, "\"message\":\"unknown_channel\"");
    world_has(text, "\"got\":\"nothing\"");
    subscribe(fd, "book.XYZ.raw", "");
    world_has(hear(fd), "\"message\":\"market_unknown\"");
    subscribe(fd, "account.0x1", "");
    world_has(hear(fd), "\"message\":\"unknown_channel\"");
    chain_execute(&chain);
    world_ws_say(&chain.world,
                 fd,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sub_unsubscribe\","
                 "\"params\":{\"channels\":[\"blocks\"]}}");
    world_has(hear(fd), "\"message\":\"not_subscribed\"");
    close(fd);
    world_has(chain_call(&chain, "sub_subscribe", "{\"channels\":[\"blocks\"]}"),
              "\"message\":\"needs_websocket\"");
}

static void subscriptions_are_bounded(void **state)
{
    (void)state;
    chain_close(&chain);
    memset(&chain, 0, sizeof chain);
    chain.world.config.limits.subscriptions = 2;
    chain_open(&chain);
    int const fd = world_ws(&chain.world);
    subscribe(fd, "blocks\",\"liquidations\",\"consensus", "");
    world_has(hear(fd), "\"message\":\"too_many_subscriptions\"");
    subscribe(fd, "blocks\",\"liquidations", "");
    world_has(hear(fd), "\"result\"");
    subscribe(fd, "consensus", "");
    world_has(hear(fd), "\"message\":\"too_many_subscriptions\"");
    close(fd);
}

static void unsubscribing_ends_it(void **state)
{
    (void)state;
    int const fd = listen_to("blocks");
    world_ws_say(&chain.world,
                 fd,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"sub_unsubscribe\","
                 "\"params\":{\"channels\":[\"blocks\"]}}");
    world_has(hear(fd), "\"subscriptions\":0");
    chain_execute(&chain);
    subscribe(fd, "trades.BTC-PERP", "");
    world_has(hear(fd), "\"result\""); /* and no block before it */
    close(fd);
}

/* ---- state that is replaced ---- */

static void a_ticker_begins_with_a_snapshot(void **state)
{
    (void)state;
    int const fd = listen_to("ticker.BTC-PERP");
    const char *text = hear(fd);
    world_has(text, "\"type\":\"snapshot\"");
    world_has(text, "\"best_bid\":null");
    chain_place(&chain, 1, VM_BUY, 499000, 1000);
    chain_execute(&chain);
    text = hear(fd);
    world_has(text, "\"type\":\"update\"");
    world_has(text, "\"best_bid\":[\"49900\",\"1\"]");
    close(fd);
}

static void the_oracle_is_told_when_it_moves(void **state)
{
    (void)state;
    int const fd = listen_to("oracle.BTC");
    world_has(hear(fd), "\"index\":\"50000\"");
    chain_report(&chain, 0, 50100);
    chain_execute(&chain);
    world_has(hear(fd), "\"index\":\"50100\"");
    close(fd);
}

static void consensus_is_told_as_it_goes(void **state)
{
    (void)state;
    int const fd = listen_to("consensus");
    struct rpc_round const round = {.step = RPC_ROUND_PROPOSED, .view = 7, .height = 3};
    rpc_publish_round(chain.world.rpc, &round);
    world_has(hear(fd), "\"step\":\"proposed\",\"view\":\"7\",\"height\":\"3\"");
    close(fd);
}

/* ---- the book ---- */

static void a_book_is_a_snapshot_and_its_differences(void **state)
{
    (void)state;
    chain_place(&chain, 1, VM_BUY, 499900, 2000);
    chain_execute(&chain);
    int const fd = listen_to("book.BTC-PERP.raw");
    const char *text = hear(fd);
    world_has(text, "\"type\":\"snapshot\",\"seq\":\"2:0\"");
    world_has(text, "\"bids\":[[\"49990\",\"2\"]],\"asks\":[],\"checksum\":");
    chain_place(&chain, 2, VM_BUY, 499900, 1000);
    chain_place(&chain, 2, VM_SELL, 500100, 250);
    chain_execute(&chain);
    text = hear(fd);
    world_has(text, "\"type\":\"update\",\"seq\":\"3:0\",\"prev_seq\":\"2:0\"");
    world_has(text, "\"bids\":[[\"49990\",\"3\"]],\"asks\":[[\"50010\",\"0.25\"]]");
    chain_execute(&chain); /* nothing moves */
    chain_cancel_all(&chain, 2);
    chain_execute(&chain);
    text = hear(fd);
    world_has(text, "\"seq\":\"5:0\",\"prev_seq\":\"3:0\"");
    world_has(text, "\"bids\":[[\"49990\",\"2\"]],\"asks\":[[\"50010\",\"0\"]]");
    close(fd);
}

/* The reading happens at a height that is published only later, or blocks are
 * published before it comes back: nothing is told twice or left out. */
static void a_book_is_right_however_far_the_executor_is(void **state)
{
    (void)state;
    chain.world.hold_jobs = true;
    int const fd = world_ws(&chain.world);
    subscribe(fd, "book.BTC-PERP.raw", "");
    hear(fd);
    chain_place(&chain, 1, VM_BUY, 499900, 1000);
    chain_execute(&chain); /* 2, published before the reading */
    chain_place(&chain, 1, VM_BUY, 499800, 1000);
    chain_execute_only(&chain); /* 3, executed before the reading */
    chain.world.hold_jobs = false;
    world_turn(&chain.world);
    const char *text = hear(fd);
    world_has(text, "\"type\":\"snapshot\",\"seq\":\"3:0\"");
    world_has(text, "\"bids\":[[\"49990\",\"1\"],[\"49980\",\"1\"]]");
    chain_publish(&chain);
    chain_place(&chain, 1, VM_BUY, 499700, 1000);
    chain_execute(&chain);
    text = hear(fd);
    world_has(text, "\"seq\":\"4:0\",\"prev_seq\":\"3:0\"");
    world_has(text, "\"bids\":[[\"49970\",\"1\"]],");
    close(fd);
}

/* A mirror kept from differences alone equals a fresh snapshot after every one
 * of many random blocks, checksum included. */
static void differences_add_up(void **state)
{
    (void)state;
    struct nv_test_rng rng = {.state = 5};
    int const fd = listen_to("book.BTC-PERP.raw");
    hear(fd);
    for (int i = 0; i < 60; i++) {
        for (int j = 0; j < 4; j++) {
            bool const buy = nv_test_below(&rng, 2) == 0;
            int64_t const away = (int64_t)nv_test_below(&rng, 400);
            chain_place(&chain,
                        1 + nv_test_below(&rng, 3),
                        buy ? VM_BUY : VM_SELL,
                        buy ? 500050 - away : 499950 + away,
                        1 + nv_test_below(&rng, 50));
        }
        if (nv_test_below(&rng, 5) == 0) {
            chain_cancel_all(&chain, 1 + nv_test_below(&rng, 3));
        }
        chain_execute(&chain);
        const char *told = strstr(hear(fd), "\"checksum\":");
        assert_non_null(told);
        char checksum[64];
        snprintf(checksum, sizeof checksum, "%.*s", (int)strcspn(told, "}"), told);
        int const fresh = world_ws(&chain.world);
        subscribe(fresh, "book.BTC-PERP.raw", "");
        hear(fresh);
        world_has(hear(fresh), checksum);
        close(fresh);
        const char *book =
            chain_call(&chain, "market_book", "{\"market\":\"BTC-PERP\",\"depth\":1000}");
        world_has(book, "\"bids\":");
    }
    close(fd);
}

/* ---- transactions ---- */

static void a_transaction_is_told_once_it_is_final(void **state)
{
    (void)state;
    char channel[96] = "tx.";
    chain_place(&chain, 1, VM_BUY, 499000, 1000);
    nv_bytes_format(channel + 3, chain.newest.bytes, sizeof chain.newest.bytes);
    int const fd = listen_to(channel);
    chain_execute(&chain);
    const char *text = hear(fd);
    world_has(text, "\"state\":\"final\",\"height\":\"2\",\"index\":0");
    world_has(text, "\"receipt\":{\"code\":0");
    world_has(text, "\"dropped\":null");
    assert_int_equal(chain.world.rpc->conns->sub_count, 0); /* it is over */
    close(fd);
}

static void one_that_was_final_before_is_told_at_once(void **state)
{
    (void)state;
    chain.world.tx = (struct rpc_tx){.state = RPC_TX_FINAL, .height = 1, .index = 4};
    int const fd = listen_to("tx.0x00000000000000000000000000000000000000000000000000000000000000"
                             "01");
    world_has(hear(fd), "\"height\":\"1\",\"index\":4");
    close(fd);
}

static void a_dropped_one_is_told_too(void **state)
{
    (void)state;
    struct nv_hash hash = {{1}};
    char channel[96] = "tx.";
    nv_bytes_format(channel + 3, hash.bytes, sizeof hash.bytes);
    int const fd = listen_to(channel);
    rpc_dropped(chain.world.rpc, &hash, 6001);
    world_has(hear(fd), "\"dropped\":\"transaction_expired\"");
    close(fd);
}

/* ---- slow readers ---- */

/* A reader that does not read: ordered streams leave out and then tell one gap,
 * replaced state is told in its newest form, and what waits stays below the
 * limit all the time. */
static void a_slow_reader_is_told_its_gap(void **state)
{
    (void)state;
    enum { OUTPUT = 20000 };
    static struct rpc_world slow;
    struct rpc_round round = {.step = RPC_ROUND_ENTERED};
    uint8_t opcode = 0;
    memset(&slow, 0, sizeof slow);
    slow.config.limits.output_bytes = OUTPUT;
    world_open(&slow);
    int const fd = world_ws(&slow);
    subscribe_in(&slow, fd, "blocks\",\"consensus", "");
    world_has(world_ws_hear(&slow, fd, &opcode), "\"result\"");
    struct rpc_conn *conn = slow.rpc->conns;
    while (!conn->lagging && round.view < 200000) {
        round.view++;
        world_publish(&slow);
        rpc_publish_round(slow.rpc, &round);
        world_turn(&slow);
        assert_true(rpc__conn_pending(conn) < OUTPUT);
    }
    assert_true(conn->lagging);
    uint64_t const full = slow.head.height;
    for (int i = 0; i < 50; i++) {
        round.view++;
        world_publish(&slow);
        rpc_publish_round(slow.rpc, &round);
        assert_true(rpc__conn_pending(conn) < OUTPUT);
    }
    char last[64];
    char gap[64];
    snprintf(last, sizeof last, "\"view\":\"%" NV_U64 "\"", round.view);
    snprintf(gap, sizeof gap, "\"to\":\"%" NV_U64 ":0\"", full + 50);
    bool gap_heard = false;
    bool last_heard = false;
    for (uint64_t i = 0; i < 3 * full && !(gap_heard && last_heard); i++) {
        const char *text = world_ws_hear(&slow, fd, &opcode);
        assert_int_equal(opcode, 1);
        last_heard = last_heard || strstr(text, last) != NULL;
        if (strstr(text, "\"type\":\"gap\"") != NULL) {
            world_has(text, gap);
            gap_heard = true;
        }
    }
    assert_true(gap_heard && last_heard);
    assert_false(conn->lagging);
    world_publish(&slow);
    world_has(world_ws_hear(&slow, fd, &opcode), "\"channel\":\"blocks\",\"type\":\"update\"");
    assert_int_equal(slow.rpc->counters.gaps, 1);
    assert_true(slow.rpc->counters.messages_conflated >= 49);
    close(fd);
    world_close(&slow);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(blocks_are_told),
        CASE(trades_are_told_to_their_market),
        CASE(an_account_hears_all_that_happens_to_it),
        CASE(an_account_is_heard_from_its_first_event_on),
        CASE(a_stream_is_resumed_where_it_broke),
        CASE(what_cannot_be_resumed_says_so),
        CASE(unknown_channels_are_refused_all_together),
        CASE(subscriptions_are_bounded),
        CASE(unsubscribing_ends_it),
        CASE(a_ticker_begins_with_a_snapshot),
        CASE(the_oracle_is_told_when_it_moves),
        CASE(consensus_is_told_as_it_goes),
        CASE(a_book_is_a_snapshot_and_its_differences),
        CASE(a_book_is_right_however_far_the_executor_is),
        CASE(differences_add_up),
        CASE(a_transaction_is_told_once_it_is_final),
        CASE(one_that_was_final_before_is_told_at_once),
        CASE(a_dropped_one_is_told_too),
        CASE(a_slow_reader_is_told_its_gap),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
