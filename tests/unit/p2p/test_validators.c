/* Goal: validators come and go while nodes stay linked: each keeps its id, its lane 1 and its
 * counters, and has lane 0 exactly while both ends are validators.
 * Method: two to four modules over real sockets are told new sets, in every order and in the middle
 * of handshakes; what on_peer told must agree with what is there. */

#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "base/codec.h"

#include "p2p/p2p.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/p2p_net.h"

static struct p2p_net net;
static struct p2p_peer_info list[P2P_PEERS_MAX];

/* info_of returns what `node` says of node `of`. */
static struct p2p_peer_info info_of(uint32_t node, uint32_t of)
{
    uint32_t const count = p2p_peer_list(net.nodes[node].p2p, list, P2P_PEERS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        if (memcmp(&list[i].key, &net.keys[of], sizeof(list[i].key)) == 0) {
            return list[i];
        }
    }
    return (struct p2p_peer_info){.peer = P2P_PEER_NONE};
}

/* turn_all tells every open node, in this order, who the validators are. */
static void turn_all(uint32_t members, const uint32_t *order)
{
    net.members = members;
    for (uint32_t i = 0; i < net.count; i++) {
        uint32_t const node = order == NULL ? i : order[i];
        if (net.nodes[node].p2p != NULL) {
            p2p_net_turn(&net, node, members);
        }
    }
}

static bool lane_1_came(struct p2p_net *n, void *ctx)
{
    const uint32_t *node = ctx;
    return n->nodes[*node].messages[P2P_LANE_1] > 0;
}

/* use_lane_1 lets a message go from one node to another. */
static void use_lane_1(uint32_t from, uint32_t to)
{
    struct p2p_message const cert = {P2P_LANE_1, P2P_TYPE_CERT, nv_view_of("cert", 4)};
    net.nodes[to].messages[P2P_LANE_1] = 0;
    assert_int_equal(p2p_send(net.nodes[from].p2p, net.nodes[from].ids[to], &cert),
                     P2P_SENT_QUEUED);
    p2p_net_until(&net, lane_1_came, &to);
}

static enum p2p_sent send_vote(uint32_t from, uint32_t to)
{
    struct p2p_message const vote = {P2P_LANE_0, P2P_TYPE_VOTE, nv_view_of("vote", 4)};
    return p2p_send(net.nodes[from].p2p, net.nodes[from].ids[to], &vote);
}

/* votes_queued sends a vote to all who are validators, and returns how many get it. */
static uint32_t votes_queued(uint32_t from)
{
    static struct p2p_peer_info peers[P2P_NET_PEERS_MAX];
    uint32_t ids[P2P_NET_PEERS_MAX];
    uint32_t count = 0;
    struct p2p_message const vote = {P2P_LANE_0, P2P_TYPE_VOTE, nv_view_of("vote", 4)};
    uint32_t const all = p2p_peer_list(net.nodes[from].p2p, peers, P2P_NET_PEERS_MAX);
    for (uint32_t i = 0; i < all; i++) {
        if (peers[i].validator) {
            ids[count++] = peers[i].peer;
        }
    }
    uint32_t const queued = p2p_send_each(net.nodes[from].p2p, ids, count, &vote);
    assert_int_equal(queued, count);
    return queued;
}

/* same_lane_1 checks that the peer is who it was, and its lane 1 the same connection. */
static void same_lane_1(const struct p2p_peer_info *before, const struct p2p_peer_info *after)
{
    assert_int_equal(after->peer, before->peer);
    assert_true(after->lane[1].up);
    assert_int_equal(after->lane[1].dialled, before->lane[1].dialled);
    assert_int_equal(after->lane[1].up_since_ms, before->lane[1].up_since_ms);
    assert_true(after->lane[1].frames_in >= before->lane[1].frames_in);
    assert_true(before->lane[1].frames_in > 0);
}

static bool refused_thrice(struct p2p_net *n, void *ctx)
{
    const uint32_t *node = ctx;
    return p2p_net_totals(n, *node).ended[P2P_REASON_LANE] >= 3;
}

static void test_an_observer_becomes_a_validator(void **state)
{
    (void)state;
    for (uint32_t dials = 0; dials < 2; dials++) { /* it dials; it is dialled */
        p2p_net_make(&net, 3, 2);
        p2p_net_open(&net, 0);
        p2p_net_open(&net, 1);
        p2p_net_open(&net, 2);
        p2p_net_dial(&net, 0, 1);
        p2p_net_dial(&net, dials == 0 ? 2 : 0, dials == 0 ? 0 : 2);
        p2p_net_dial(&net, dials == 0 ? 2 : 1, dials == 0 ? 1 : 2);
        p2p_net_until(&net, p2p_net_settled, NULL);
        use_lane_1(2, 0);
        struct p2p_peer_info const before = info_of(0, 2);
        uint32_t const id = net.nodes[0].ids[2];
        assert_int_equal(before.peer, id);
        assert_false(before.validator);
        assert_false(p2p_has_lane0(net.nodes[0].p2p, id));

        /* Who turns first is refused lane 0, keeps lane 1 and comes again. */
        uint32_t early = dials == 0 ? 2 : 0;
        p2p_net_turn(&net, early, 7);
        p2p_net_until(&net, refused_thrice, &early);
        struct p2p_peer_info const meanwhile = info_of(0, 2);
        same_lane_1(&before, &meanwhile);
        assert_int_equal(meanwhile.lanes, 2);
        assert_false(net.nodes[early].up[2 - early]); /* it wants lane 0 ... */
        assert_true(net.nodes[2 - early].up[early]);  /* ... and the other one does not */

        turn_all(7, NULL);
        p2p_net_until(&net, p2p_net_settled, NULL);
        struct p2p_peer_info const after = info_of(0, 2);
        same_lane_1(&before, &after);
        assert_true(after.validator);
        assert_true(p2p_has_lane0(net.nodes[0].p2p, id));
        assert_true(p2p_has_lane0(net.nodes[2].p2p, net.nodes[2].ids[0]));
        assert_int_equal(votes_queued(0), 2);
        assert_int_equal(votes_queued(2), 2);
        assert_int_equal(p2p_net_totals(&net, early).ended[P2P_REASON_BANNED], 0);
        p2p_net_end(&net);
    }
}

static bool node_2_is_gone(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return n->nodes[0].lanes[2] == 0 && n->nodes[1].lanes[2] == 0;
}

static void test_a_validator_is_one_no_more(void **state)
{
    (void)state;
    static const uint32_t orders[2][3] = {{0, 1, 2}, {2, 1, 0}};
    for (uint32_t round = 0; round < 2; round++) {
        p2p_net_make(&net, 3, 3);
        p2p_net_mesh(&net);
        p2p_net_until(&net, p2p_net_settled, NULL);
        use_lane_1(2, 0);
        struct p2p_peer_info const before = info_of(0, 2);
        turn_all(3, orders[round]);
        assert_int_equal(net.nodes[0].lanes[2], 2); /* told at once */
        assert_true(net.nodes[0].up[2]);
        assert_int_equal(send_vote(0, 2), P2P_SENT_DOWN);
        p2p_net_until(&net, p2p_net_settled, NULL);
        struct p2p_peer_info const after = info_of(0, 2);
        same_lane_1(&before, &after);
        assert_false(after.validator);
        assert_true(p2p_net_totals(&net, 0).ended[P2P_REASON_LANE] >= 1);
        assert_false(p2p_has_lane0(net.nodes[0].p2p, after.peer));
        assert_int_equal(votes_queued(0), 1);

        /* Its address goes on being dialled; its place was lost with its last lane. */
        char listen[32];
        (void)snprintf(
            listen, sizeof(listen), "127.0.0.1:%u", (unsigned)p2p_listen_port(net.nodes[2].p2p));
        p2p_net_close(&net, 2);
        p2p_net_until(&net, node_2_is_gone, NULL);
        net.nodes[2].config.listen = listen;
        net.nodes[2].config.validator_count = 2;
        p2p_net_open(&net, 2);
        p2p_net_until(&net, p2p_net_settled, NULL);
        assert_int_not_equal(net.nodes[0].ids[2], after.peer);
        p2p_net_end(&net);
    }
}

static void test_back_and_forth_with_one_id(void **state)
{
    (void)state;
    p2p_net_make(&net, 3, 2);
    p2p_net_mesh(&net);
    p2p_net_until(&net, p2p_net_settled, NULL);
    use_lane_1(2, 0);
    use_lane_1(0, 2);
    struct p2p_peer_info const seen = info_of(0, 2);
    struct p2p_peer_info const self = info_of(2, 0);
    for (uint32_t round = 0; round < 6; round++) {
        turn_all(round % 2 == 0 ? 7 : 3, NULL);
        p2p_net_until(&net, p2p_net_settled, NULL);
        struct p2p_peer_info const seen_now = info_of(0, 2);
        struct p2p_peer_info const self_now = info_of(2, 0);
        same_lane_1(&seen, &seen_now);
        same_lane_1(&self, &self_now);
    }
    assert_int_equal(p2p_net_totals(&net, 0).ended[P2P_REASON_PROTOCOL], 0);
    p2p_net_end(&net);
}

/* SPEC p2p 9.2: "whoever dials the other one dials it, the first time at once" */
static void test_a_pause_from_before_does_not_delay_lane_0(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    net.nodes[1].config.limits.backoff_first_ms = 2 * P2P_NET_BOUND_MS;
    net.nodes[1].config.limits.backoff_max_ms = 2 * P2P_NET_BOUND_MS;
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    p2p_net_dial(&net, 1, 0);
    p2p_net_until(&net, p2p_net_settled, NULL);
    for (uint32_t round = 0; round < 3; round++) {
        turn_all(1, NULL);
        p2p_net_until(&net, p2p_net_settled, NULL);
        turn_all(3, NULL);
        p2p_net_until(&net, p2p_net_settled, NULL);
    }
    p2p_net_end(&net);
}

/* The set changes after so many turns of the loop, wherever the two handshakes are. */
static void test_a_set_in_the_middle_of_handshakes(void **state)
{
    (void)state;
    for (uint32_t turns = 0; turns < 24; turns++) {
        for (uint32_t to = 0; to < 2; to++) {
            p2p_net_make(&net, 2, to == 0 ? 2 : 1);
            p2p_net_open(&net, 0);
            p2p_net_open(&net, 1);
            p2p_net_dial(&net, 1, 0);
            for (uint32_t i = 0; i < turns; i++) {
                (void)uv_run(net.loop, UV_RUN_ONCE);
            }
            turn_all(to == 0 ? 1 : 3, NULL);
            p2p_net_until(&net, p2p_net_settled, NULL);
            p2p_net_turns(&net, 20);
            assert_true(p2p_net_settled(&net, NULL)); /* and so it stays */
            assert_int_equal(p2p_net_totals(&net, 0).ended[P2P_REASON_PROTOCOL], 0);
            p2p_net_end(&net);
        }
    }
}

static bool crowded_out(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return n->nodes[0].lanes[2] == 0 && p2p_net_totals(n, 0).ended[P2P_REASON_FULL] >= 3;
}

static void test_who_ceases_to_be_one_needs_a_place(void **state)
{
    (void)state;
    p2p_net_make(&net, 4, 3);
    net.nodes[0].config.limits.observers_max = 1;
    p2p_net_mesh(&net);
    p2p_net_until(&net, p2p_net_settled, NULL);
    uint32_t const id = net.nodes[0].ids[3];
    turn_all(3, NULL);
    assert_int_equal(net.nodes[0].lanes[2], 0); /* the one place is another's */
    p2p_net_until(&net, crowded_out, NULL);
    assert_int_equal(net.nodes[0].lanes[3], 2);
    assert_int_equal(net.nodes[0].ids[3], id);
    turn_all(7, NULL);
    p2p_net_until(&net, p2p_net_settled, NULL);
    turn_all(11, NULL); /* two change places */
    p2p_net_until(&net, p2p_net_settled, NULL);
    assert_int_equal(net.nodes[0].ids[3], id);
    p2p_net_end(&net);
}

static bool up_without_lane_0(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return n->nodes[1].up[0] && n->nodes[1].lanes[0] == 2;
}

/* The one believes that both are validators, the other never heard of it: they speak on lane 1. When
 * lane 0 comes after all, the link begins anew. */
static void test_a_lane_0_that_does_not_come_is_done_without(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    net.nodes[0].config.validator_count = 1;
    net.nodes[1].config.limits.handshake_ms = 300;
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    p2p_net_dial(&net, 1, 0);
    p2p_net_until(&net, up_without_lane_0, NULL);
    assert_false(p2p_has_lane0(net.nodes[1].p2p, 0));
    assert_true(p2p_net_totals(&net, 1).ended[P2P_REASON_LANE] >= 1);
    struct p2p_message const vote = {P2P_LANE_0, P2P_TYPE_VOTE, nv_view_of("vote", 4)};
    struct p2p_message const status = {P2P_LANE_0, P2P_TYPE_STATUS, nv_view_of("status", 6)};
    uint32_t const other = 0;
    assert_int_equal(p2p_send_each(net.nodes[1].p2p, &other, 1, &vote), 0);
    assert_int_equal(p2p_send_each(net.nodes[1].p2p, &other, 1, &status), 1);
    uint32_t node = 0;
    p2p_net_until(&net, lane_1_came, &node);
    uint64_t const told = net.nodes[1].told;
    p2p_net_turn(&net, 0, 3);
    p2p_net_until(&net, p2p_net_settled, NULL);
    assert_true(p2p_has_lane0(net.nodes[1].p2p, 0));
    assert_int_equal(net.nodes[1].told, told + 2); /* down, and up */
    p2p_net_end(&net);
}

static bool banned_often(struct p2p_net *n, void *ctx)
{
    const uint64_t *times = ctx;
    return p2p_net_totals(n, 1).ended[P2P_REASON_BANNED] >= *times;
}

static void test_a_ban_holds_for_a_new_validator(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 1);
    p2p_net_open(&net, 0);
    p2p_net_open(&net, 1);
    p2p_net_dial(&net, 1, 0);
    p2p_net_until(&net, p2p_net_settled, NULL);
    p2p_ban(net.nodes[0].p2p, net.nodes[0].ids[1], P2P_NET_BOUND_MS, "it lied as an observer");
    turn_all(3, NULL);
    uint64_t times = p2p_net_totals(&net, 1).ended[P2P_REASON_BANNED] + 4;
    p2p_net_until(&net, banned_often, &times);
    assert_int_equal(net.nodes[0].lanes[1], 0);
    turn_all(1, NULL);
    times = p2p_net_totals(&net, 1).ended[P2P_REASON_BANNED] + 2;
    p2p_net_until(&net, banned_often, &times);
    assert_int_equal(net.nodes[0].lanes[1], 0);
    p2p_net_end(&net);
}

static bool turns_alone(struct p2p_net_node *node, uint32_t peer, const struct p2p_message *message)
{
    (void)peer;
    (void)message;
    assert_int_equal(p2p_validators_set(node->p2p, &node->key, 1), NV_OK);
    return true;
}

static bool node_1_is_alone(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return n->nodes[1].lanes[0] == 2;
}

static void test_a_set_from_inside_the_callback(void **state)
{
    (void)state;
    p2p_net_make(&net, 2, 2);
    net.nodes[1].on_message = turns_alone;
    p2p_net_mesh(&net);
    p2p_net_until(&net, p2p_net_settled, NULL);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(send_vote(0, 1), P2P_SENT_QUEUED);
    }
    p2p_net_until(&net, node_1_is_alone, NULL);
    assert_int_equal(net.nodes[1].messages[0], 1); /* nothing after lane 0 has ended */
    net.members = 2;
    p2p_net_turn(&net, 0, 2);
    p2p_net_until(&net, p2p_net_settled, NULL);
    p2p_net_end(&net);
}

static void make_keys(struct nv_pubkey *keys, uint32_t count, uint8_t name)
{
    for (uint32_t i = 0; i < count; i++) {
        keys[i] = (struct nv_pubkey){{name, (uint8_t)(i >> 8), (uint8_t)i}};
    }
}

static uint32_t listed(uint32_t node)
{
    return p2p_peer_list(net.nodes[node].p2p, list, P2P_PEERS_MAX);
}

static void test_two_sets_of_128_and_no_more(void **state)
{
    (void)state;
    static struct nv_pubkey keys[P2P_VALIDATORS_MAX + 1];
    p2p_net_make(&net, 1, 1);
    p2p_net_open(&net, 0);
    struct p2p *p2p = net.nodes[0].p2p;
    uint32_t id_last = 0;
    for (uint8_t round = 0; round < 4; round++) {
        make_keys(keys, P2P_VALIDATORS_MAX + 1, (uint8_t)(round % 2));
        uint32_t const had = listed(0);
        struct nv_pubkey const first = list[0].key;
        assert_int_equal(p2p_validators_set(p2p, keys, P2P_VALIDATORS_MAX + 1), NV_ERR_TOO_LARGE);
        assert_int_equal(listed(0), had); /* nothing has changed */
        assert_memory_equal(&list[0].key, &first, sizeof(first));
        assert_int_equal(p2p_validators_set(p2p, keys, P2P_VALIDATORS_MAX), NV_OK);
        assert_int_equal(listed(0), P2P_VALIDATORS_MAX);
        for (uint32_t i = 0; i < P2P_VALIDATORS_MAX; i++) {
            assert_true(list[i].validator);
            assert_false(p2p_has_lane0(p2p, list[i].peer)); /* this node is none */
            assert_true(list[i].peer > id_last);            /* an id is never another's */
            id_last = list[i].peer;
        }
    }
    /* The last and the present set have members in common, this node among them. */
    make_keys(keys, 128, 7);
    make_keys(keys + 128, 128, 7);
    keys[5] = keys[128 + 5] = net.keys[0];
    assert_int_equal(p2p_validators_set(p2p, keys, 256), NV_OK);
    assert_int_equal(listed(0), 127);
    assert_true(p2p_has_lane0(p2p, list[0].peer));
    assert_int_equal(p2p_validators_set(p2p, NULL, 0), NV_OK);
    assert_int_equal(listed(0), 0);
    p2p_net_end(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_observer_becomes_a_validator),
        cmocka_unit_test(test_a_validator_is_one_no_more),
        cmocka_unit_test(test_back_and_forth_with_one_id),
        cmocka_unit_test(test_a_pause_from_before_does_not_delay_lane_0),
        cmocka_unit_test(test_a_set_in_the_middle_of_handshakes),
        cmocka_unit_test(test_who_ceases_to_be_one_needs_a_place),
        cmocka_unit_test(test_a_lane_0_that_does_not_come_is_done_without),
        cmocka_unit_test(test_a_ban_holds_for_a_new_validator),
        cmocka_unit_test(test_a_set_from_inside_the_callback),
        cmocka_unit_test(test_two_sets_of_128_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
