/* Goal: a lane has one connection, and both ends choose the same one whatever the order in which the
 * connections come; places and bans are bounded.
 * Method: two tables that stand for the two ends are given the same connections in every order;
 * sessions are mere addresses here. */

#include <string.h>

#include "base/heap.h"

#include "p2p/peers.h"
#include "tests/lib/nv_test.h"

#define NODES 4u

static struct nv_pubkey keys[NODES];
static struct p2p_limits limits;
static char sessions[16]; /* their addresses stand for sessions */

static struct p2p__session *session(uint32_t number)
{
    return (struct p2p__session *)(void *)&sessions[number];
}

static int make_keys(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < NODES; i++) {
        memset(keys[i].bytes, (int)(0x10 * (i + 1)), sizeof(keys[i].bytes));
    }
    limits = (struct p2p_limits){
        .observers_max = 3, .queue_bytes_max = {1000, 1000}, .queue_count_max = {8, 8}};
    return 0;
}

/* table_of makes the table of node `self` where nodes 0 and 1 are validators. */
static struct p2p__peers table_of(uint32_t self)
{
    struct p2p__peers peers;
    struct p2p_config const config = {.validators = keys, .validator_count = 2};
    assert_int_equal(p2p__peers_init(&peers, &config, &limits, &keys[self]), NV_OK);
    return peers;
}

struct connection {
    uint32_t number;
    uint32_t dialler; /* node */
    uint64_t instance[2];
    uint8_t lane;
};

static enum p2p_reason place(struct p2p__peers *peers,
                             uint32_t self,
                             uint32_t remote,
                             const struct connection *connection,
                             struct p2p__session **loser)
{
    struct p2p__auth const auth = {.key = keys[remote],
                                   .lane = connection->lane,
                                   .role = remote < 2 ? 1 : 0,
                                   .instance = connection->instance[remote % 2]};
    struct p2p__claim const claim = {.auth = &auth,
                                     .dialled = connection->dialler == self,
                                     .now_ms = 1000,
                                     .session = session(connection->number)};
    struct p2p__peer *peer = NULL;
    return p2p__peers_place(peers, &peer, loser, &claim);
}

/* winner lets `first` and then `second` be authenticated at one end. */
static uint32_t
winner(uint32_t self, const struct connection *first, const struct connection *second)
{
    struct p2p__peers peers = table_of(self);
    struct p2p__session *loser = NULL;
    assert_int_equal(place(&peers, self, 1 - self, first, &loser), P2P_REASON_NONE);
    assert_null(loser);
    enum p2p_reason const reason = place(&peers, self, 1 - self, second, &loser);
    bool const second_stays = reason == P2P_REASON_NONE;
    assert_true(second_stays || reason == P2P_REASON_DUPLICATE);
    assert_ptr_equal(loser, second_stays ? session(first->number) : NULL);
    struct p2p__peer *peer = p2p__peers_by_id(&peers, 1 - self);
    assert_ptr_equal(peer->lanes[first->lane].session,
                     session(second_stays ? second->number : first->number));
    p2p__peers_deinit(&peers);
    return second_stays ? second->number : first->number;
}

static void test_crossing_dials_have_one_winner_at_both_ends(void **state)
{
    (void)state;
    for (uint8_t lane = 0; lane < P2P_LANES; lane++) {
        struct connection const by_small = {1, 0, {7, 8}, lane};
        struct connection const by_large = {2, 1, {7, 8}, lane};
        for (uint32_t self = 0; self < 2; self++) {
            assert_int_equal(winner(self, &by_small, &by_large), 1);
            assert_int_equal(winner(self, &by_large, &by_small), 1);
        }
    }
}

static void test_the_newer_of_the_same_dialler_stays(void **state)
{
    (void)state;
    struct connection const old = {1, 0, {7, 8}, 1};
    struct connection const young = {2, 0, {7, 8}, 1};
    assert_int_equal(winner(0, &old, &young), 2);
    assert_int_equal(winner(1, &old, &young), 2);
}

static void test_a_new_instance_stays_whoever_dialled(void **state)
{
    (void)state;
    struct connection const old = {1, 0, {7, 8}, 1};
    struct connection const young = {2, 1, {7, 9}, 1}; /* node 1 was restarted, and dials */
    assert_int_equal(winner(0, &old, &young), 2);
}

static void test_lane_0_is_for_two_validators(void **state)
{
    (void)state;
    struct p2p__session *loser = NULL;
    struct connection const lane_0 = {1, 2, {7, 8}, 0};
    struct p2p__peers validator = table_of(0);
    assert_int_equal(place(&validator, 0, 2, &lane_0, &loser), P2P_REASON_LANE);
    assert_null(p2p__peers_by_key(&validator, &keys[2])); /* and takes no place */

    struct p2p__auth const modest = {.key = keys[1], .lane = 0, .role = 0};
    struct p2p__claim const claim = {.auth = &modest, .now_ms = 1, .session = session(1)};
    struct p2p__peer *peer = NULL;
    assert_int_equal(p2p__peers_place(&validator, &peer, &loser, &claim), P2P_REASON_LANE);
    p2p__peers_deinit(&validator);

    struct p2p__peers observer = table_of(2);
    assert_int_equal(place(&observer, 2, 0, &lane_0, &loser), P2P_REASON_LANE);
    p2p__peers_deinit(&observer);
}

static void test_observers_have_a_bounded_number_of_places(void **state)
{
    (void)state;
    struct p2p__peers peers = table_of(0);
    struct p2p__session *loser = NULL;
    struct connection const lane_1 = {1, 2, {7, 8}, 1};
    limits.observers_max = 3;
    uint32_t const first_id = P2P_PEER_OTHER;
    for (uint32_t i = 0; i < 5; i++) {
        keys[2].bytes[0] = (uint8_t)(0xa0 + i);
        enum p2p_reason const reason = place(&peers, 0, 2, &lane_1, &loser);
        assert_int_equal(reason, i < 3 ? P2P_REASON_NONE : P2P_REASON_FULL);
        assert_int_equal(p2p__peers_by_key(&peers, &keys[2]) != NULL, i < 3);
    }
    struct p2p__peer *second = p2p__peers_by_id(&peers, first_id + 1);
    assert_non_null(second);
    uint32_t const slot = second->slot;
    second->told.lanes = 2;
    assert_true(p2p__peers_leave(second, 1, session(1), 1000));
    p2p__peers_vacate(&peers, second); /* the owner believes it connected: it stays */
    assert_non_null(p2p__peers_by_id(&peers, first_id + 1));
    second->told.lanes = 0;
    p2p__peers_vacate(&peers, second);
    assert_null(p2p__peers_by_id(&peers, first_id + 1));

    assert_int_equal(place(&peers, 0, 2, &lane_1, &loser), P2P_REASON_NONE);
    struct p2p__peer *next = p2p__peers_by_key(&peers, &keys[2]);
    assert_int_equal(next->slot, slot);       /* the place is used again, */
    assert_int_equal(next->id, first_id + 3); /* the id is not */
    assert_null(p2p__peers_by_id(&peers, P2P_PEER_NONE));

    /* Not until all numbers have been used, and then not those that are. */
    next->told.lanes = 0;
    assert_true(p2p__peers_leave(next, 1, session(1), 1000));
    p2p__peers_vacate(&peers, next);
    peers.next_id = P2P_PEER_NONE - 1;
    assert_int_equal(place(&peers, 0, 2, &lane_1, &loser), P2P_REASON_NONE);
    assert_int_equal(p2p__peers_by_key(&peers, &keys[2])->id, first_id + 1);
    assert_null(p2p__peers_by_id(&peers, 0)); /* oneself */
    p2p__peers_deinit(&peers);
}

/* fake returns the session of a lane of a place that is only an address. */
static struct p2p__session *fake(uint32_t number, uint32_t lane)
{
    static char at[2 * (P2P_VALIDATORS_MAX + P2P_OBSERVERS_MAX)];
    return (struct p2p__session *)(void *)&at[2 * number + lane];
}

static enum p2p_reason link_lane(struct p2p__peers *peers,
                                 const struct nv_pubkey *key,
                                 struct p2p__session *with,
                                 uint8_t lane)
{
    struct p2p__auth const auth = {.key = *key, .lane = lane, .role = 1, .instance = 1};
    struct p2p__claim const claim = {.auth = &auth, .now_ms = 1000, .session = with};
    struct p2p__peer *peer = NULL;
    struct p2p__session *loser = NULL;
    return p2p__peers_place(peers, &peer, &loser, &claim);
}

static struct nv_pubkey key_of(uint32_t name, uint32_t number)
{
    return (struct nv_pubkey){{(uint8_t)name, (uint8_t)(number >> 8), (uint8_t)number}};
}

/* turn replaces the list, and does what is said of the lanes that go.  Returns how many these were. */
static uint32_t turn(struct p2p__peers *peers, const struct nv_pubkey *set, uint32_t count)
{
    uint32_t ended = 0;
    p2p__peers_turn(peers, set, count, 1000);
    for (uint32_t i = 0; i < peers->count; i++) {
        struct p2p__peer *peer = &peers->peers[i];
        for (uint8_t lane = 0; peer->used && lane < P2P_LANES; lane++) {
            struct p2p__session *had = peer->lanes[lane].session;
            if (had != NULL && peer->loses[lane]) {
                assert_true(p2p__peers_leave(peer, lane, had, 1000));
                ended++;
            }
        }
        p2p__peers_vacate(peers, peer);
    }
    p2p__peers_seat(peers, set, count);
    return ended;
}

/* Two whole sets change for two others, all linked by both lanes, and all places of observers taken:
 * there is a place for each, and no id is another's. */
static void test_256_validators_leave_for_256_others(void **state)
{
    (void)state;
    static struct nv_pubkey set[2][P2P_VALIDATORS_MAX];
    for (uint32_t i = 0; i < P2P_VALIDATORS_MAX; i++) {
        set[0][i] = key_of(1, i);
        set[1][i] = key_of(2, i);
    }
    struct p2p__peers peers;
    struct nv_pubkey const self = key_of(9, 9);
    set[0][0] = self;
    set[1][0] = self;
    struct p2p_config const config = {.validators = set[0], .validator_count = 256};
    assert_int_equal(p2p__peers_init(&peers, &config, &limits, &self), NV_OK);
    for (uint32_t i = 0; i < 3; i++) {
        struct nv_pubkey const key = key_of(3, i);
        assert_int_equal(link_lane(&peers, &key, fake(300 + i, 1), 1), P2P_REASON_NONE);
    }
    uint32_t id_least = 0;
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 1; i < P2P_VALIDATORS_MAX; i++) {
            const struct nv_pubkey *key = &set[round % 2][i];
            assert_int_equal(link_lane(&peers, key, fake(i, 0), 0), P2P_REASON_NONE);
            assert_int_equal(link_lane(&peers, key, fake(i, 1), 1), P2P_REASON_NONE);
            assert_true(p2p__peers_by_key(&peers, key)->id > id_least);
        }
        struct nv_pubkey const more = key_of(4, round);
        assert_int_equal(link_lane(&peers, &more, fake(310, 1), 1), P2P_REASON_FULL);
        id_least = p2p__peers_by_key(&peers, &set[round % 2][255])->id;
        assert_int_equal(turn(&peers, set[(round + 1) % 2], 256), 2 * 255);
        assert_null(p2p__peers_by_key(&peers, &set[round % 2][1]));
    }
    for (uint32_t i = 0; i < 3; i++) {
        struct nv_pubkey const key = key_of(3, i);
        struct p2p__peer *peer = p2p__peers_by_key(&peers, &key);
        assert_non_null(peer);
        assert_int_equal(peer->id, P2P_PEER_OTHER + i);
        assert_int_equal(p2p__peers_lanes(peer), 2);
    }
    p2p__peers_deinit(&peers);
}

/* Who becomes a validator leaves its place among the observers to who ceases to be one. */
static void test_two_change_places(void **state)
{
    (void)state;
    struct p2p__peers peers = table_of(0);
    struct nv_pubkey observer[3];
    for (uint32_t i = 0; i < 3; i++) {
        observer[i] = key_of(3, i);
        assert_int_equal(link_lane(&peers, &observer[i], fake(i, 1), 1), P2P_REASON_NONE);
    }
    assert_int_equal(link_lane(&peers, &keys[1], fake(7, 1), 1), P2P_REASON_NONE);
    struct nv_pubkey const set[2] = {keys[0], observer[1]};
    assert_int_equal(turn(&peers, set, 2), 0);
    assert_int_equal(p2p__peers_by_key(&peers, &keys[1])->id, 1);
    assert_int_equal(p2p__peers_by_key(&peers, &observer[1])->id, P2P_PEER_OTHER + 1);
    assert_int_equal(link_lane(&peers, &keys[1], fake(7, 0), 0), P2P_REASON_LANE);
    assert_int_equal(link_lane(&peers, &observer[1], fake(1, 0), 0), P2P_REASON_NONE);
    assert_int_equal(turn(&peers, keys, 1), 2); /* its lane 0, and no fourth observer */
    assert_null(p2p__peers_by_key(&peers, &observer[1]));
    assert_non_null(p2p__peers_by_key(&peers, &keys[1]));
    p2p__peers_deinit(&peers);
}

static void test_leaving_late_does_not_harm_the_successor(void **state)
{
    (void)state;
    struct p2p__peers peers = table_of(0);
    struct p2p__session *loser = NULL;
    struct connection const old = {1, 1, {7, 8}, 1};
    struct connection const young = {2, 1, {7, 8}, 1};
    assert_int_equal(place(&peers, 0, 1, &old, &loser), P2P_REASON_NONE);
    struct p2p__peer *peer = p2p__peers_by_id(&peers, 1);
    struct p2p__packet *packet = p2p__packet_new(P2P_TYPE_CERT, nv_view_of("waits", 5));
    assert_non_null(packet);
    assert_int_equal(p2p__queue_put(&peer->lanes[1].queue, packet), P2P_SENT_QUEUED);
    p2p__packet_release(packet);

    assert_int_equal(place(&peers, 0, 1, &young, &loser), P2P_REASON_NONE);
    assert_ptr_equal(loser, session(1));
    assert_false(p2p__peers_leave(peer, 1, session(1), 1000));
    assert_int_equal(p2p__peers_lanes(peer), 2);
    assert_int_equal(peer->lanes[1].queue.count, 1); /* it goes out on the successor */
    assert_true(p2p__peers_leave(peer, 1, session(2), 1000));
    assert_int_equal(p2p__peers_lanes(peer), 0);
    assert_int_equal(peer->lanes[1].queue.count, 0);
    p2p__peers_deinit(&peers);
}

static void test_bans_end_and_are_bounded(void **state)
{
    (void)state;
    struct p2p__peers peers = table_of(0);
    struct p2p__session *loser = NULL;
    struct connection const lane_1 = {1, 1, {7, 8}, 1};
    p2p__peers_ban(&peers, &keys[1], 1001);
    assert_int_equal(place(&peers, 0, 1, &lane_1, &loser), P2P_REASON_BANNED); /* now is 1000 */
    assert_true(p2p__peers_banned(&peers, &keys[1], 1000));
    assert_false(p2p__peers_banned(&peers, &keys[1], 1001));
    p2p__peers_ban(&peers, &keys[1], 5000);
    for (uint32_t i = 0; i < 2 * P2P__BANS_MAX; i++) {
        struct nv_pubkey key = {{(uint8_t)i, 1}};
        p2p__peers_ban(&peers, &key, 2000 + i);
        assert_true(p2p__peers_banned(&peers, &key, 1500));
    }
    assert_true(p2p__peers_banned(&peers, &keys[1], 1500)); /* the longest was kept */
    p2p__peers_deinit(&peers);
}

static void test_addresses_of_validators_are_known(void **state)
{
    (void)state;
    struct p2p__peers peers = table_of(0);
    struct p2p__session *loser = NULL;
    struct p2p__address const none = {{0}};
    struct p2p__address const linked = {{1}};
    struct p2p__address const said = {{2}};
    struct connection const lane_1 = {1, 2, {7, 8}, 1};
    assert_false(p2p__peers_know(&peers, &none)); /* of validators that were never linked */
    p2p__peers_by_id(&peers, 1)->remote = linked;
    assert_true(p2p__peers_know(&peers, &linked));
    memcpy(p2p__peers_by_id(&peers, 1)->said.ip, said.bytes, sizeof(said.bytes));
    assert_false(p2p__peers_know(&peers, &said));
    p2p__peers_by_id(&peers, 1)->said.port = 7;
    assert_true(p2p__peers_know(&peers, &said));
    assert_true(p2p__peers_know(&peers, &linked));

    struct p2p__address const observed = {{3}};
    assert_int_equal(place(&peers, 0, 2, &lane_1, &loser), P2P_REASON_NONE);
    p2p__peers_by_key(&peers, &keys[2])->remote = observed;
    assert_false(p2p__peers_know(&peers, &observed));
    p2p__peers_turn(&peers, &keys[2], 1, 1000); /* nodes 2 and 1 change places */
    assert_true(p2p__peers_know(&peers, &observed));
    assert_false(p2p__peers_know(&peers, &linked));
    assert_false(p2p__peers_know(&peers, &said));
    p2p__peers_deinit(&peers);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct p2p__peers peers;
    struct p2p__session *loser = NULL;
    struct p2p_config const config = {.validators = keys, .validator_count = 2};
    nv_heap_fail_at(1);
    assert_int_equal(p2p__peers_init(&peers, &config, &limits, &keys[0]), NV_ERR_NO_MEMORY);
    p2p__peers_deinit(&peers);
    peers = table_of(0);
    struct connection const lane_1 = {1, 2, {7, 8}, 1};
    nv_heap_fail_at(1);
    assert_int_equal(place(&peers, 0, 2, &lane_1, &loser), P2P_REASON_FULL);
    nv_heap_fail_at(0);
    assert_null(p2p__peers_by_key(&peers, &keys[2]));
    assert_int_equal(place(&peers, 0, 2, &lane_1, &loser), P2P_REASON_NONE);
    p2p__peers_deinit(&peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crossing_dials_have_one_winner_at_both_ends),
        cmocka_unit_test(test_the_newer_of_the_same_dialler_stays),
        cmocka_unit_test(test_a_new_instance_stays_whoever_dialled),
        cmocka_unit_test(test_lane_0_is_for_two_validators),
        cmocka_unit_test(test_observers_have_a_bounded_number_of_places),
        cmocka_unit_test(test_256_validators_leave_for_256_others),
        cmocka_unit_test(test_two_change_places),
        cmocka_unit_test(test_leaving_late_does_not_harm_the_successor),
        cmocka_unit_test(test_bans_end_and_are_bounded),
        cmocka_unit_test(test_addresses_of_validators_are_known),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, make_keys, NULL);
}
