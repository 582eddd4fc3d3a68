/* Goal: validators that no configuration brings together find each other, wherever they move, and
 * nobody is dialled on the word of somebody else.
 * Method: modules over real sockets that all name node 0 alone; what is hostile is handed in. */

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "p2p/announcement.h"
#include "p2p/p2p.h"
#include "p2p/state.h"
#include "tests/lib/nv_test.h"
#include "tests/lib/p2p_net.h"

#define ALL_MS 120u /* so that nothing takes long */

static struct p2p_net net;
static struct p2p_peer_info list[P2P_PEERS_MAX];

static void make(uint32_t count, uint32_t validators)
{
    p2p_net_make(&net, count, validators);
    for (uint32_t i = 0; i < count; i++) {
        net.nodes[i].config.announce = P2P_ANNOUNCE_LISTEN;
        net.nodes[i].config.announce_ms = 1000;
        net.nodes[i].config.limits.announce_ms = ALL_MS;
    }
}

/* star opens all, and the others dial node 0. */
static void star(void)
{
    for (uint32_t i = 0; i < net.count; i++) {
        p2p_net_open(&net, i);
    }
    for (uint32_t i = 1; i < net.count; i++) {
        p2p_net_dial(&net, i, 0);
    }
}

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

static struct p2p__peer *peer_of(uint32_t node, uint32_t of)
{
    return p2p__peers_by_key(&net.nodes[node].p2p->peers, &net.keys[of]);
}

/* SPEC p2p 10.4: "the validators that it is not linked with and that its configuration does not name" */
static void test_those_who_name_only_a_third_find_each_other(void **state)
{
    (void)state;
    make(4, 4);
    star();
    p2p_net_until(&net, p2p_net_settled, NULL);
    p2p_net_end(&net);
}

static bool star_linked(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    for (uint32_t i = 1; i < n->count; i++) {
        if (!n->nodes[0].up[i] || !n->nodes[i].up[0]) {
            return false;
        }
    }
    return true;
}

/* SPEC p2p 10.3: "since others may have had the new list later than it" */
static void test_newcomers_are_found_whoever_turns_last(void **state)
{
    (void)state;
    for (uint32_t last = 0; last < 4; last++) {
        make(4, 2);
        star();
        p2p_net_until(&net, star_linked, NULL);
        assert_int_equal(net.nodes[1].lanes[2] | net.nodes[2].lanes[3], 0); /* observers are not */
        net.members = 15;
        for (uint32_t i = 0; i < 4; i++) {
            if (i != last) {
                p2p_net_turn(&net, i, 15);
            }
        }
        p2p_net_turns(&net, 50);
        p2p_net_turn(&net, last, 15);
        p2p_net_until(&net, p2p_net_settled, NULL);
        p2p_net_end(&net);
    }
}

static bool knows_the_port(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return peer_of(1, 2)->said.port == p2p_listen_port(n->nodes[2].p2p);
}

static bool three_is_gone(struct p2p_net *n, void *ctx)
{
    (void)ctx;
    return n->nodes[1].lanes[3] == 0;
}

/* SPEC p2p 10.1: "of two of one key the later one counts" */
static void test_who_moves_is_found_again(void **state)
{
    (void)state;
    static const uint64_t clocks[] = {2000, 10}; /* the second one was set back */
    make(3, 3);
    star();
    p2p_net_until(&net, p2p_net_settled, NULL);
    for (uint32_t i = 0; i < 2; i++) {
        p2p_net_close(&net, 2);
        net.nodes[2].config.announce_ms = clocks[i];
        p2p_net_open(&net, 2);
        p2p_net_dial(&net, 2, 0);
        p2p_net_until(&net, knows_the_port, NULL);
        p2p_net_until(&net, p2p_net_settled, NULL);
        assert_true(peer_of(1, 2)->said.made_ms >= clocks[i]);
    }
    assert_true(peer_of(1, 2)->said.made_ms > 2000);
    p2p_net_end(&net);
}

/* SPEC p2p 10.4: "An address of its configuration goes first, always." */
static void test_a_configured_address_goes_first(void **state)
{
    (void)state;
    char key[NV_HEX_TEXT(32)];
    char text[128];
    make(4, 4);
    star();
    nv_hex_encode(key, net.keys[3].bytes, 32);
    (void)snprintf(text, sizeof text, "%s@127.0.0.1:1", key);
    assert_int_equal(p2p_add_peer(net.nodes[1].p2p, text), NV_OK);
    p2p_net_until(&net, p2p_net_linked, NULL); /* since 3 dials 1 */
    p2p_net_close(&net, 3);
    p2p_net_until(&net, three_is_gone, NULL);
    assert_int_not_equal(peer_of(1, 3)->said.port, 0);
    assert_string_equal(info_of(1, 3).address, "127.0.0.1:1");
    p2p_net_end(&net);
}

static bool take(uint32_t node, uint32_t from, const struct p2p__announcement *what)
{
    uint8_t bytes[P2P__ADDRESS_BYTES];
    p2p__announcement_encode(bytes, what);
    return p2p__announce_take(
        net.nodes[node].p2p, peer_of(node, from), nv_view_of(bytes, sizeof bytes));
}

static struct p2p__announcement by(uint32_t node, uint64_t made_ms, uint16_t port)
{
    struct p2p__announcement out = {
        .key = net.keys[node], .made_ms = made_ms, .ip = {[15] = 1}, .port = port};
    p2p__announcement_sign(&out, &net.nodes[node].seckey, &net.nodes[node].config.chain_id);
    return out;
}

/* SPEC p2p 10.2: "and of no other key" */
static void test_what_is_not_taken(void **state)
{
    (void)state;
    make(3, 2);
    net.nodes[0].config.limits.announce_ms = 3600000;
    p2p_net_open(&net, 0);
    struct p2p__announcement forged = by(1, 5, 7);
    forged.port = 8;
    assert_false(take(0, 1, &forged)); /* which ends the link */
    assert_int_equal(peer_of(0, 1)->said.port, 0);

    struct p2p__announcement const first = by(1, 5, 7);
    assert_true(take(0, 1, &first));
    assert_int_equal(peer_of(0, 1)->said.port, 7);
    struct p2p__announcement const early = by(1, 6, 9);
    assert_true(take(0, 1, &early)); /* sooner than 10 s after the last */
    assert_int_equal(peer_of(0, 1)->said.port, 7);
    peer_of(0, 1)->said_ms = 0;
    struct p2p__announcement const older = by(1, 4, 9);
    assert_true(take(0, 1, &older));
    assert_int_equal(peer_of(0, 1)->said.port, 7);
    assert_true(take(0, 1, &early));
    assert_int_equal(peer_of(0, 1)->said.port, 9);

    struct p2p__announcement const stranger = by(2, 5, 7);
    assert_true(take(0, 1, &stranger));
    assert_null(peer_of(0, 2));
    assert_int_equal(info_of(0, 2).peer, P2P_PEER_NONE);
    p2p_net_end(&net);
}

/* SPEC p2p 10.2: "makes its own anew, a millisecond later than that" */
static void test_a_later_one_of_the_own_key(void **state)
{
    (void)state;
    make(2, 2);
    net.nodes[0].config.limits.announce_ms = 3600000;
    p2p_net_open(&net, 0);
    const struct p2p__announcement *const own = &net.nodes[0].p2p->announce.own;
    struct p2p__announcement forged = by(0, 5000, 7);
    forged.made_ms++;
    assert_false(take(0, 1, &forged));
    assert_int_equal(own->made_ms, 1000);
    struct p2p__announcement const later = by(0, 5000, 7);
    assert_true(take(0, 1, &later));
    assert_int_equal(own->made_ms, 5001);
    assert_int_equal(own->port, p2p_listen_port(net.nodes[0].p2p));
    assert_true(p2p__announcement_proven(own, &net.nodes[0].config.chain_id));
    struct p2p__announcement const again = by(0, 6000, 7); /* a twin does not make it busy */
    assert_true(take(0, 1, &again));
    assert_int_equal(own->made_ms, 5001);
    p2p_net_end(&net);
}

static void test_what_cannot_be_announced(void **state)
{
    (void)state;
    static const char *const bad[] = {"node.example:1", "0.0.0.0:1", "1.2.3.4", "1.2.3.4:0", ""};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        make(1, 1);
        struct p2p_net_node *const node = &net.nodes[0];
        node->config.announce = bad[i];
        assert_int_equal(p2p_open(&node->p2p, &node->config), NV_ERR_CONFIG);
        node->p2p = NULL;
        p2p_net_end(&net);
    }
    make(1, 1);
    net.nodes[0].config.listen = "0.0.0.0:0"; /* every address: it tells none */
    p2p_net_open(&net, 0);
    assert_int_equal(net.nodes[0].p2p->announce.own.port, 0);
    p2p_net_end(&net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_those_who_name_only_a_third_find_each_other),
        cmocka_unit_test(test_newcomers_are_found_whoever_turns_last),
        cmocka_unit_test(test_who_moves_is_found_again),
        cmocka_unit_test(test_a_configured_address_goes_first),
        cmocka_unit_test(test_what_is_not_taken),
        cmocka_unit_test(test_a_later_one_of_the_own_key),
        cmocka_unit_test(test_what_cannot_be_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
