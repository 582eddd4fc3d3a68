/* Goal: nodes that should be linked are, on the lanes they should have, and stay so; what they send
 * arrives in order, and a node that takes nothing costs a bounded amount.
 * Method: two to four modules in one loop over real sockets, each dialling each, so that duplicates
 * arise; then traffic, closing, restarting, banning. */

#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "base/codec.h"
#include "base/fmt.h"
#include "base/heap.h"

#include "p2p/p2p.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/p2p_net.h"

static struct p2p_net net;

/* ---- linking ------------------------------------------------------------ */

static void test_four_validators_find_each_other(void **state)
{
    (void)state;
    p2p_net_make(&net, 4, 4);
    p2p_net_mesh(&net);
    p2p_net_until(&net, p2p_net_linked, NULL);
    for (uint32_t i = 0; i < 4; i++) {
        struct p2p_totals const totals = p2p_net_totals(&net, i);
        assert_int_equal(totals.validators_up, 3);
        assert_int_equal(totals.peers_up, 3);
        assert_int_equal(totals.ended[P2P_REASON_TWIN], 0);
    }
    p2p_net_end(&net);
}

/* Both dial both lanes at the same moment; afterwards each lane has one connection, and both ends
 * agree on who dialled it. */
static void test_duplicates_are_resolved_alike_at_both_ends(void **state)
{
    (void)state;
    for (uint32_t round = 0; round < 10; round++) {
        p2p_net_make(&net, 2, 2);
        p2p_net_mesh(&net);
        p2p_net_until(&net, p2p_net_settled, NULL);
        uint64_t const told = net.nodes[0].told + net.nodes[1].told;
        p2p_net_turns(&net, 200);
        assert_true(p2p_net_settled(&net, NULL)); /* and so it stays */
        assert_int_equal(net.nodes[0].told + net.nodes[1].told, told);
        p2p_net_end(&net);
    }
}

static void test_an_observer_has_lane_1_only(void **state)
{
    (void)state;
    p2p_net_make(&net, 3, 2);
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    p2p_net_open(&net, 2);
    p2p_net_dial(&net, 0, 1);
    p2p_net_dial(&net, 2, 0);
    p2p_net_dial(&net, 2, 1);
    p2p_net_until(&net, p2p_net_linked, NULL);
    struct p2p_peer_info peers[P2P_NET_PEERS_MAX];
    assert_int_equal(p2p_peer_list(net.nodes[0].p2p, peers, P2P_NET_PEERS_MAX), 2);
    assert_int_equal(peers[0].peer, 1);
    assert_true(peers[0].validator);
    assert_int_equal(peers[1].peer, P2P_PEER_OTHER);
    assert_false(peers[1].validator);
    assert_int_equal(peers[1].lanes, 2);
    assert_memory_equal(&peers[1].key, &net.keys[2], 32);
    assert_int_equal(peers[1].listen_port, p2p_listen_port(net.nodes[2].p2p));
    assert_true(strncmp(peers[1].address, "127.0.0.1:", 10) == 0);

    struct p2p_message const vote = {P2P_LANE_0, P2P_TYPE_VOTE, nv_view_of("x", 1)};
    assert_int_equal(p2p_send(net.nodes[0].p2p, P2P_PEER_OTHER, &vote), P2P_SENT_DOWN);
    p2p_net_end(&net);
}

/* ---- traffic ------------------------------------------------------------ */

#define MESSAGES 10000u

struct expectation {
    uint64_t next[P2P_LANES];
    bool wrong;
};

static bool in_order(struct p2p_net_node *node, uint32_t peer, const struct p2p_message *message)
{
    struct expectation *expected = node->ctx;
    struct nv_reader reader;
    nv_reader_init(&reader, message->payload);
    uint64_t const number = nv_get_u64(&reader);
    uint32_t const size = 8 + (uint32_t)(number * 37 % 120);
    expected->wrong = expected->wrong || number != expected->next[message->lane] ||
                      message->payload.size != size || peer != 1 - node->index;
    expected->next[message->lane]++;
    return true;
}

static void send_number(uint32_t from, uint8_t lane, uint64_t number)
{
    uint8_t payload[128] = {0};
    nv_be64_store(payload, number);
    uint32_t const size = 8 + (uint32_t)(number * 37 % 120);
    struct p2p_message const message = {lane, P2P_TYPE_CERT, nv_view_of(payload, size)};
    assert_int_equal(p2p_send(net.nodes[from].p2p, 1 - from, &message), P2P_SENT_QUEUED);
}

static bool all_came(struct p2p_net *n, void *ctx)
{
    uint64_t const *wanted = ctx;
    for (uint32_t i = 0; i < 2; i++) {
        const struct expectation *expected = n->nodes[i].ctx;
        if (expected->next[0] < *wanted || expected->next[1] < *wanted) {
            return false;
        }
    }
    return true;
}

static void test_ten_thousand_messages_each_way_in_order(void **state)
{
    (void)state;
    struct expectation expected[2] = {0};
    p2p_net_make(&net, 2, 2);
    net.nodes[0].on_message = in_order;
    net.nodes[1].on_message = in_order;
    net.nodes[0].ctx = &expected[0];
    net.nodes[1].ctx = &expected[1];
    p2p_net_mesh(&net);
    p2p_net_until(&net, p2p_net_settled, NULL);
    for (uint64_t number = 0; number < MESSAGES;) {
        for (uint32_t burst = 0; burst < 500; burst++, number++) {
            for (uint8_t lane = 0; lane < P2P_LANES; lane++) {
                send_number(0, lane, number);
                send_number(1, lane, number);
            }
        }
        p2p_net_until(&net, all_came, &number);
    }
    assert_false(expected[0].wrong);
    assert_false(expected[1].wrong);
    struct p2p_peer_info peers[P2P_NET_PEERS_MAX];
    assert_int_equal(p2p_peer_list(net.nodes[0].p2p, peers, P2P_NET_PEERS_MAX), 1);
    assert_true(peers[0].lane[0].frames_in >= MESSAGES);
    assert_true(peers[0].lane[1].frames_out >= MESSAGES);
    assert_int_equal(peers[0].lane[0].frames_dropped, 0);
    assert_int_equal(peers[0].lane[0].queue_bytes, 0);
    p2p_net_end(&net);
}

static bool large_is_whole(struct p2p_net_node *node, uint32_t peer, const struct p2p_message *m)
{
    (void)peer;
    bool *good = node->ctx;
    *good = m->payload.size == p2p_type_max(m->type, m->lane);
    for (uint32_t i = 0; i < m->payload.size; i++) {
        *good = *good && m->payload.bytes[i] == (uint8_t)(i * 7 + (i >> 9));
    }
    return true;
}

static bool one_came(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return n->nodes[1].messages[0] + n->nodes[1].messages[1] == 1;
}

static void test_the_largest_of_each_type_arrives_whole(void **state)
{
    (void)state;
    static uint8_t payload[458752];
    static const uint8_t types[] = {
        P2P_TYPE_PROPOSAL, P2P_TYPE_CERT_RESP, P2P_TYPE_BODY_CHUNK, P2P_TYPE_BLOCK_RESP};
    for (uint32_t i = 0; i < sizeof(payload); i++) {
        payload[i] = (uint8_t)(i * 7 + (i >> 9));
    }
    bool good = false;
    p2p_net_make(&net, 2, 2);
    net.nodes[1].on_message = large_is_whole;
    net.nodes[1].ctx = &good;
    p2p_net_mesh(&net);
    p2p_net_until(&net, p2p_net_settled, NULL);
    for (uint32_t i = 0; i < sizeof(types); i++) {
        uint8_t const lane = types[i] == P2P_TYPE_PROPOSAL ? 0 : 1;
        struct nv_view const view = nv_view_of(payload, p2p_type_max(types[i], lane));
        struct p2p_message const message = {lane, types[i], view};
        net.nodes[1].messages[0] = 0;
        net.nodes[1].messages[1] = 0;
        good = false;
        assert_int_equal(p2p_send(net.nodes[0].p2p, 1, &message), P2P_SENT_QUEUED);
        p2p_net_until(&net, one_came, NULL);
        assert_true(good);
    }
    p2p_net_end(&net);
}

static bool three_got_it(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return n->nodes[0].messages[0] == 1 && n->nodes[1].messages[0] == 1 &&
           n->nodes[3].messages[0] == 1;
}

static void test_one_message_goes_to_many(void **state)
{
    (void)state;
    p2p_net_make(&net, 4, 4);
    p2p_net_mesh(&net);
    p2p_net_until(&net, p2p_net_settled, NULL);
    struct p2p_message const vote = {P2P_LANE_0, P2P_TYPE_VOTE, nv_view_of("vote", 4)};
    uint32_t const others[] = {0, 1, 3, 77}; /* the last is nobody */
    assert_int_equal(p2p_send_each(net.nodes[2].p2p, others, 4, &vote), 3);
    p2p_net_until(&net, three_got_it, NULL);
    assert_int_equal(net.nodes[2].messages[0], 0);

    p2p_net_close(&net, 0);
    p2p_net_until(&net, p2p_net_linked, NULL);
    while (net.nodes[2].lanes[0] != 0) {
        p2p_net_turns(&net, 1);
    }
    assert_int_equal(p2p_send_each(net.nodes[2].p2p, others, 4, &vote), 2);
    p2p_net_end(&net);
}

/* ---- who takes nothing -------------------------------------------------- */

static struct p2p_lane_info lane_of(uint32_t node, uint32_t lane)
{
    static struct p2p_peer_info peers[P2P_NET_PEERS_MAX];
    assert_int_equal(p2p_peer_list(net.nodes[node].p2p, peers, P2P_NET_PEERS_MAX), 1);
    return peers[0].lane[lane];
}

/* What node 0 got rid of, and how long it has been getting rid of nothing. */
struct pressure {
    uint64_t queued[P2P_LANES];
    uint32_t stuck_turns;
    uint64_t since_ms;
};

static bool pressed(struct p2p_net *n, void *ctx)
{
    static uint8_t payload[60000];
    struct pressure *pressure = ctx;
    struct p2p_message const chunk = {
        P2P_LANE_1, P2P_TYPE_BODY_CHUNK, nv_view_of(payload, sizeof(payload))};
    struct p2p_message const cert = {P2P_LANE_0, P2P_TYPE_CERT, nv_view_of(payload, 9000)};
    uint64_t const before = pressure->queued[1];
    for (uint32_t i = 0; i < 100; i++) {
        enum p2p_sent const body = p2p_send(n->nodes[0].p2p, 1, &chunk);
        pressure->queued[1] += body == P2P_SENT_QUEUED ? 1 : 0;
        (void)p2p_send(n->nodes[0].p2p, 1, &cert);
        assert_true(lane_of(0, 1).queue_bytes <= 2000000);
        assert_true(lane_of(0, 0).queue_bytes <= 100000);
    }
    assert_true(pressure->queued[1] < 1000); /* the other end does not read on */
    pressure->stuck_turns = pressure->queued[1] == before ? pressure->stuck_turns + 1 : 0;
    /* Long enough also that a ping is due while a frame is half written. */
    return pressure->stuck_turns >= 20 && lane_of(0, 0).frames_dropped > 1000 &&
           uv_now(n->loop) >= pressure->since_ms + 100;
}

static bool drained(struct p2p_net *n, void *ctx)
{
    const struct pressure *pressure = ctx;
    return n->nodes[1].messages[1] == pressure->queued[1];
}

static void test_a_node_that_takes_nothing_costs_a_bounded_amount(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    struct pressure pressure = {.since_ms = uv_now(net.loop)};
    net.nodes[0].config.limits.ping_ms = 5;
    net.nodes[0].config.limits.queue_bytes_max[0] = 100000;
    net.nodes[0].config.limits.queue_bytes_max[1] = 2000000;
    p2p_net_mesh(&net);
    p2p_net_until(&net, p2p_net_settled, NULL);
    net.nodes[1].full = true;
    p2p_net_until(&net, pressed, &pressure);
    assert_int_equal(net.nodes[1].messages[0] + net.nodes[1].messages[1], 0);
    assert_true(p2p_net_linked(&net, NULL)); /* pressure is no reason to part */

    net.nodes[1].full = false;
    p2p_resume(net.nodes[1].p2p);
    p2p_net_until(&net, drained, &pressure);
    assert_true(net.nodes[1].messages[0] > 0);
    assert_int_equal(p2p_net_totals(&net, 1).ended[P2P_REASON_PROTOCOL], 0);
    p2p_net_end(&net);
}

static bool parted(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return n->nodes[0].lanes[1] == 1;
}

static bool keep_pressing(struct p2p_net *n, void *ctx)
{
    static uint8_t payload[60000];
    struct p2p_message const chunk = {
        P2P_LANE_1, P2P_TYPE_BODY_CHUNK, nv_view_of(payload, sizeof(payload))};
    for (uint32_t i = 0; i < 100; i++) {
        (void)p2p_send(n->nodes[0].p2p, 1, &chunk);
    }
    return parted(n, ctx);
}

static void test_a_write_without_progress_ends_the_link(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    net.nodes[0].config.limits.stall_ms = 200;
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    p2p_net_dial(&net, 1, 0);
    p2p_net_until(&net, p2p_net_linked, NULL);
    net.nodes[1].full = true;
    p2p_net_until(&net, keep_pressing, NULL);
    assert_int_equal(p2p_net_totals(&net, 0).ended[P2P_REASON_STALLED], 1);
    p2p_net_end(&net);
}

/* ---- gossip ------------------------------------------------------------- */

#define TRANSACTIONS 3000u

static void pass_on(struct p2p_net_node *node, uint32_t peer, struct nv_view transaction)
{
    (void)peer;
    assert_true(p2p_gossip(node->p2p, P2P_PEER_NONE, transaction));
}

static bool all_have_all(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    uint64_t held = 0;
    for (uint32_t i = 0; i < 4; i++) {
        held += n->nodes[i].transactions;
    }
    return held >= 3ull * TRANSACTIONS;
}

static void test_every_transaction_reaches_every_node_once(void **state)
{
    (void)state;
    p2p_net_make(&net, 4, 4);
    for (uint32_t i = 0; i < 4; i++) {
        net.nodes[i].on_transaction = pass_on;
    }
    p2p_net_mesh(&net);
    p2p_net_until(&net, p2p_net_settled, NULL);
    uint8_t transaction[200] = {0};
    for (uint32_t i = 0; i < TRANSACTIONS; i++) {
        nv_be32_store(transaction, i);
        assert_true(p2p_gossip(
            net.nodes[i % 4].p2p, P2P_PEER_NONE, nv_view_of(transaction, sizeof(transaction))));
        assert_false(p2p_gossip(
            net.nodes[i % 4].p2p, P2P_PEER_NONE, nv_view_of(transaction, sizeof(transaction))));
        if (i % 50 == 0) {
            p2p_net_turns(&net, 1);
        }
    }
    p2p_net_until(&net, all_have_all, NULL);
    p2p_net_turns(&net, 50);
    uint64_t sent = 0;
    for (uint32_t i = 0; i < 4; i++) {
        struct p2p_totals const totals = p2p_net_totals(&net, i);
        assert_int_equal(net.nodes[i].transactions, totals.gossip_new);
        assert_int_equal(totals.gossip_new, TRANSACTIONS - TRANSACTIONS / 4);
        assert_int_equal(totals.gossip_lost, 0);
        sent += totals.gossip_sent;
    }
    /* At most each of the four sends each to its three others, less the one it came from. */
    assert_true(sent <= (3ull + 3ull * 2ull) * TRANSACTIONS);
    p2p_net_end(&net);
}

static bool refused_once(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return p2p_net_totals(n, 1).gossip_refused == 1;
}

static bool one_transaction(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return n->nodes[1].transactions == 1;
}

static void test_a_refused_transaction_may_come_again(void **state)
{
    (void)state;
    p2p_net_make(&net, 3, 3);
    p2p_net_mesh(&net);
    p2p_net_until(&net, p2p_net_settled, NULL);
    net.nodes[1].full = true;
    assert_true(p2p_gossip(net.nodes[0].p2p, P2P_PEER_NONE, nv_view_of("pay", 3)));
    p2p_net_until(&net, refused_once, NULL);
    net.nodes[1].full = false;
    assert_true(p2p_gossip(net.nodes[2].p2p, P2P_PEER_NONE, nv_view_of("pay", 3)));
    p2p_net_until(&net, one_transaction, NULL);
    p2p_net_end(&net);
}

static void test_a_node_that_links_anew_is_sent_what_it_may_have_missed(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    p2p_net_open(&net, 0);
    for (uint32_t round = 0; round < 2; round++) {
        p2p_net_open(&net, 1);
        if (round == 0) {
            assert_true(p2p_gossip(net.nodes[0].p2p, P2P_PEER_NONE, nv_view_of("pay", 3)));
        }
        net.nodes[1].transactions = 0;
        p2p_net_dial(&net, 1, 0);
        p2p_net_until(&net, one_transaction, NULL);
        p2p_net_close(&net, 1);
    }
    p2p_net_end(&net);
}

/* ---- parting ------------------------------------------------------------ */

static bool node_0_is_alone(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return n->nodes[0].lanes[1] == 0;
}

static void test_a_node_that_comes_back_is_dialled_again(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    p2p_net_dial(&net, 0, 1);
    p2p_net_until(&net, p2p_net_linked, NULL);
    char listen[32];
    (void)snprintf(
        listen, sizeof(listen), "127.0.0.1:%u", (unsigned)p2p_listen_port(net.nodes[1].p2p));
    net.nodes[1].config.listen = listen;
    for (uint32_t round = 0; round < 3; round++) {
        p2p_net_close(&net, 1);
        p2p_net_until(&net, node_0_is_alone, NULL);
        struct p2p_peer_info peers[P2P_NET_PEERS_MAX];
        assert_int_equal(p2p_peer_list(net.nodes[0].p2p, peers, P2P_NET_PEERS_MAX), 1);
        assert_int_equal(peers[0].lanes, 0);
        assert_true(strstr(peers[0].address, "127.0.0.1:") == peers[0].address);
        assert_int_not_equal(peers[0].last_reason, P2P_REASON_NONE);
        p2p_net_open(&net, 1);
        p2p_net_until(&net, p2p_net_linked, NULL);
    }
    p2p_net_end(&net);
}

/* The pause before dialling keeps both ends from dialling at the same moment. */
static void test_a_lost_lane_is_not_dialled_at_once(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    net.nodes[0].config.limits.backoff_first_ms = P2P_NET_BOUND_MS;
    net.nodes[0].config.limits.backoff_max_ms = P2P_NET_BOUND_MS;
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    p2p_net_dial(&net, 1, 0);
    p2p_net_until(&net, p2p_net_settled, NULL);
    p2p_net_dial(&net, 0, 1);
    p2p_net_close(&net, 1);
    p2p_net_until(&net, node_0_is_alone, NULL);
    uint64_t const since_ms = uv_now(net.loop);
    while (uv_now(net.loop) < since_ms + 10 * net.nodes[0].config.limits.tick_ms) {
        (void)uv_run(net.loop, UV_RUN_ONCE); /* ten ticks: ten chances to dial */
    }
    assert_int_equal(p2p_net_totals(&net, 0).dialled, 0);
    p2p_net_end(&net);
}

static bool ended(struct p2p_net *n, void *ctx)
{
    const enum p2p_reason *reason = ctx;
    return p2p_net_totals(n, 0).ended[*reason] >= 2;
}

static void expect_refusal(enum p2p_reason reason)
{
    p2p_net_until(&net, ended, &reason);
    assert_int_equal(net.nodes[0].told, 0); /* it never came up */
    p2p_net_end(&net);
}

static void test_another_chain_is_refused(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    net.nodes[1].config.chain_id.bytes[0] ^= 1;
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    p2p_net_dial(&net, 0, 1);
    expect_refusal(P2P_REASON_CHAIN);
}

static void test_another_key_at_the_address_is_refused(void **state)
{
    (void)state;
    p2p_net_make(&net, 3, 3);
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    char key[NV_HEX_TEXT(32)];
    char text[128];
    nv_hex_encode(key, net.keys[2].bytes, 32); /* node 2's key at node 1's address */
    (void)snprintf(
        text, sizeof(text), "%s@127.0.0.1:%u", key, (unsigned)p2p_listen_port(net.nodes[1].p2p));
    assert_int_equal(p2p_add_peer(net.nodes[0].p2p, text), NV_OK);
    expect_refusal(P2P_REASON_KEY);
}

static void test_two_nodes_with_one_key_raise_the_alarm(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    net.nodes[1].config.node_key = &net.nodes[0].seckey;
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    p2p_net_dial(&net, 0, 1); /* it asks for node 1's key, and meets its own */
    expect_refusal(P2P_REASON_TWIN);
}

static void test_a_node_that_dials_itself_notices(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    p2p_net_open(&net, 0);
    char key[NV_HEX_TEXT(32)];
    char text[128];
    nv_hex_encode(key, net.keys[1].bytes, 32); /* its own address under another key */
    (void)snprintf(
        text, sizeof(text), "%s@127.0.0.1:%u", key, (unsigned)p2p_listen_port(net.nodes[0].p2p));
    assert_int_equal(p2p_add_peer(net.nodes[0].p2p, text), NV_OK);
    expect_refusal(P2P_REASON_SELF);
}

static bool told_banned(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return p2p_net_totals(n, 1).ended[P2P_REASON_BANNED] >= 4 && n->nodes[1].lanes[0] == 0;
}

static void test_a_ban_holds_until_it_ends(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    p2p_net_dial(&net, 1, 0);
    p2p_net_until(&net, p2p_net_linked, NULL);
    p2p_ban(net.nodes[0].p2p, 1, 300, "a vote that does not verify");
    p2p_ban(net.nodes[0].p2p, 7, 300, "nobody");
    p2p_net_until(&net, told_banned, NULL);
    p2p_net_until(&net, p2p_net_linked, NULL);
    p2p_net_end(&net);
}

static bool bans_sender(struct p2p_net_node *node, uint32_t peer, const struct p2p_message *message)
{
    (void)message;
    p2p_ban(node->p2p, peer, P2P_NET_BOUND_MS, "from inside the callback");
    return true;
}

static void test_a_ban_from_inside_the_callback(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    net.nodes[1].on_message = bans_sender;
    p2p_net_mesh(&net);
    p2p_net_until(&net, p2p_net_settled, NULL);
    struct p2p_message const vote = {P2P_LANE_0, P2P_TYPE_VOTE, nv_view_of("x", 1)};
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(p2p_send(net.nodes[0].p2p, 1, &vote), P2P_SENT_QUEUED);
    }
    p2p_net_until(&net, node_0_is_alone, NULL);
    assert_int_equal(net.nodes[1].messages[0], 1); /* nothing after the ban */
    p2p_net_end(&net);
}

static bool sink_closed;

static void on_closed(void *ctx)
{
    struct p2p_net_node *node = ctx;
    node->p2p = NULL;
    sink_closed = true;
}

static bool closes(struct p2p_net_node *node, uint32_t peer, const struct p2p_message *message)
{
    (void)peer;
    (void)message;
    p2p_close(node->p2p, on_closed, node);
    return false;
}

static bool is_gone(struct p2p_net *n, void *ctx)
{
    (void)n;
    (void)ctx;
    return sink_closed;
}

static void test_closing_from_inside_the_callback(void **state)
{
    (void)state;
    sink_closed = false;
    p2p_net_make(&net, 2, 2);
    net.nodes[1].on_message = closes;
    p2p_net_mesh(&net);
    p2p_net_until(&net, p2p_net_settled, NULL);
    struct p2p_message const vote = {P2P_LANE_0, P2P_TYPE_VOTE, nv_view_of("x", 1)};
    for (uint32_t i = 0; i < 100; i++) {
        (void)p2p_send(net.nodes[0].p2p, 1, &vote);
    }
    p2p_net_until(&net, is_gone, NULL);
    assert_int_equal(net.nodes[1].messages[0], 1);
    p2p_net_end(&net);
}

/* ---- opening ------------------------------------------------------------ */

static enum nv_err open_with(const struct p2p_config *config)
{
    struct p2p *p2p = NULL;
    enum nv_err const err = p2p_open(&p2p, config);
    if (err == NV_OK) {
        p2p_close(p2p, NULL, NULL);
    }
    (void)uv_run(net.loop, UV_RUN_DEFAULT); /* what was begun is given back */
    return err;
}

static void test_what_cannot_be_opened(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    struct p2p_config const good = net.nodes[0].config;
    struct p2p_config config = good;
    assert_int_equal(open_with(&config), NV_OK);

    config.certificate_dir = "/nonexistent";
    assert_int_equal(open_with(&config), NV_ERR_NOT_FOUND);
    config = good;
    static const char *const listens[] = {
        "", "127.0.0.1", "localhost:0", "127.0.0.1:65536", "::1:5"};
    for (uint32_t i = 0; i < 5; i++) {
        config.listen = listens[i];
        assert_int_equal(open_with(&config), NV_ERR_CONFIG);
    }
    config = good;
    const char *peers[1] = {"nonsense"};
    config.peers = peers;
    config.peer_count = 1;
    assert_int_equal(open_with(&config), NV_ERR_CONFIG);
    config = good;
    struct nv_seckey const zero = {{0}};
    config.node_key = &zero;
    assert_int_equal(open_with(&config), NV_ERR_CONFIG);

    p2p_net_open(&net, 0);
    char taken[32];
    (void)snprintf(
        taken, sizeof(taken), "127.0.0.1:%u", (unsigned)p2p_listen_port(net.nodes[0].p2p));
    config = good;
    config.listen = taken;
    struct p2p *p2p = NULL;
    assert_int_equal(p2p_open(&p2p, &config), NV_ERR_BUSY);
    assert_int_equal(p2p_make_certificate(net.dir), NV_ERR_EXISTS);
    assert_int_equal(p2p_make_certificate("/nonexistent"), NV_ERR_IO);
    p2p_net_end(&net);
}

/* Every request for memory on the way fails once; each failure is told and nothing leaks. */
static void test_opening_without_memory(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    uint64_t n = 1;
    enum nv_err err = NV_ERR_NO_MEMORY;
    for (; err != NV_OK && n < 100; n++) {
        nv_heap_fail_at(n);
        struct p2p *p2p = NULL;
        err = p2p_open(&p2p, &net.nodes[0].config);
        nv_heap_fail_at(0);
        assert_true(err == NV_OK || err == NV_ERR_NO_MEMORY);
        if (err == NV_OK) {
            p2p_close(p2p, NULL, NULL);
        }
        (void)uv_run(net.loop, UV_RUN_DEFAULT);
    }
    assert_true(n > 10);
    assert_int_equal(err, NV_OK);
    p2p_net_end(&net);
}

/* Any one request for memory fails while two nodes link: they link all the same, at the next try. */
static void test_linking_when_memory_fails_once(void **state)
{
    (void)state;
    for (uint64_t n = 1; n <= 40; n++) {
        p2p_net_make(&net, 2, 2);
        p2p_net_open(&net, 0);
        p2p_net_open(&net, 1);
        p2p_net_dial(&net, 0, 1);
        nv_heap_fail_at(n);
        p2p_net_until(&net, p2p_net_linked, NULL);
        nv_heap_fail_at(0);
        p2p_net_end(&net);
    }
}

static void test_a_corrupt_certificate_is_told(void **state)
{
    (void)state;
    p2p_net_make(&net, 1, 1);
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/p2p.crt", net.dir);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fputs("-----BEGIN CERTIFICATE-----\nAAAA\n", file) >= 0, 1);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(open_with(&net.nodes[0].config), NV_ERR_CORRUPT);
    p2p_net_end(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_four_validators_find_each_other),
        cmocka_unit_test(test_duplicates_are_resolved_alike_at_both_ends),
        cmocka_unit_test(test_an_observer_has_lane_1_only),
        cmocka_unit_test(test_ten_thousand_messages_each_way_in_order),
        cmocka_unit_test(test_the_largest_of_each_type_arrives_whole),
        cmocka_unit_test(test_one_message_goes_to_many),
        cmocka_unit_test(test_a_node_that_takes_nothing_costs_a_bounded_amount),
        cmocka_unit_test(test_a_write_without_progress_ends_the_link),
        cmocka_unit_test(test_every_transaction_reaches_every_node_once),
        cmocka_unit_test(test_a_refused_transaction_may_come_again),
        cmocka_unit_test(test_a_node_that_comes_back_is_dialled_again),
        cmocka_unit_test(test_a_node_that_links_anew_is_sent_what_it_may_have_missed),
        cmocka_unit_test(test_a_lost_lane_is_not_dialled_at_once),
        cmocka_unit_test(test_another_chain_is_refused),
        cmocka_unit_test(test_another_key_at_the_address_is_refused),
        cmocka_unit_test(test_two_nodes_with_one_key_raise_the_alarm),
        cmocka_unit_test(test_a_node_that_dials_itself_notices),
        cmocka_unit_test(test_a_ban_holds_until_it_ends),
        cmocka_unit_test(test_a_ban_from_inside_the_callback),
        cmocka_unit_test(test_closing_from_inside_the_callback),
        cmocka_unit_test(test_what_cannot_be_opened),
        cmocka_unit_test(test_opening_without_memory),
        cmocka_unit_test(test_linking_when_memory_fails_once),
        cmocka_unit_test(test_a_corrupt_certificate_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
