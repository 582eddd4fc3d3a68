/* Goal: a connection opens exactly when the right node on the right chain signed for this very TLS
 * connection; every other case ends with the reason that the specification names first.
 * Method: two state machines joined by hand; one deviation at a time, and two at once to see the
 * order; every bit of a good AUTH frame changed. */

#include "base/codec.h"

#include "p2p/handshake.h"
#include "tests/lib/nv_test.h"

struct node {
    struct nv_seckey seckey;
    struct p2p__self self;
};

static struct node alice, bob, carol;
static const struct nv_hash exporter = {{0xe0, 1, 2, 3}};

static void make_node(struct node *node, uint8_t number)
{
    uint8_t const seed[32] = {number};
    *node = (struct node){.self = {.instance = 100u + number, .listen_port = 7, .validator = true}};
    assert_int_equal(nv_key_from_seed(&node->seckey, &node->self.key, seed), NV_OK);
    node->self.seckey = &node->seckey;
    memset(node->self.chain_id.bytes, 0xc4, sizeof(node->self.chain_id.bytes));
}

static int make_nodes(void **state)
{
    (void)state;
    make_node(&alice, 1);
    make_node(&bob, 2);
    make_node(&carol, 3);
    return 0;
}

/* dialler_of and listener_of return machines after TLS. */
static struct p2p__handshake dialler_of(const struct nv_pubkey *expected, uint8_t lane)
{
    struct p2p__handshake handshake;
    p2p__handshake_init_dialler(&handshake, expected, lane);
    assert_true(p2p__handshake_secured(&handshake, &exporter));
    return handshake;
}

static struct p2p__handshake listener_of(void)
{
    struct p2p__handshake handshake;
    p2p__handshake_init_listener(&handshake);
    assert_false(p2p__handshake_secured(&handshake, &exporter));
    return handshake;
}

static enum p2p_reason
take(struct p2p__handshake *handshake, const struct node *me, const uint8_t *auth)
{
    bool told = true;
    enum p2p_reason const reason = p2p__handshake_take(
        handshake, &told, &me->self, P2P__TYPE_AUTH, nv_view_of(auth, P2P__AUTH_SIZE));
    assert_false(told);
    assert_int_equal(handshake->phase,
                     reason == P2P_REASON_NONE ? P2P__PHASE_PLACE : P2P__PHASE_ENDED);
    return reason;
}

static void test_two_nodes_find_each_other(void **state)
{
    (void)state;
    for (uint8_t lane = 0; lane < P2P_LANES; lane++) {
        uint8_t auth[P2P__AUTH_SIZE];
        struct p2p__handshake dialler = dialler_of(&bob.self.key, lane);
        struct p2p__handshake listener = listener_of();

        p2p__handshake_auth(auth, &dialler, &alice.self);
        assert_int_equal(take(&listener, &bob, auth), P2P_REASON_NONE);
        assert_int_equal(listener.lane, lane);
        assert_int_equal(listener.peer.instance, alice.self.instance);
        assert_int_equal(listener.peer.listen_port, 7);
        assert_memory_equal(&listener.peer.key, &alice.self.key, 32);
        assert_true(p2p__handshake_placed(&listener));

        p2p__handshake_auth(auth, &listener, &bob.self);
        assert_int_equal(take(&dialler, &alice, auth), P2P_REASON_NONE);
        assert_false(p2p__handshake_placed(&dialler));
        assert_int_equal(dialler.phase, P2P__PHASE_OPEN);
        assert_int_equal(listener.phase, P2P__PHASE_OPEN);
    }
}

/* judged lets bob, listening, judge what alice would send as `self` over another exporter. */
static enum p2p_reason judged(const struct p2p__self *self, const struct nv_hash *over)
{
    uint8_t auth[P2P__AUTH_SIZE];
    struct p2p__handshake dialler;
    p2p__handshake_init_dialler(&dialler, &bob.self.key, 1);
    (void)p2p__handshake_secured(&dialler, over);
    p2p__handshake_auth(auth, &dialler, self);
    struct p2p__handshake listener = listener_of();
    return take(&listener, &bob, auth);
}

static void test_who_is_refused_and_why(void **state)
{
    (void)state;
    struct p2p__self self = alice.self;
    assert_int_equal(judged(&self, &exporter), P2P_REASON_NONE);

    struct nv_hash other = exporter;
    other.bytes[31] ^= 1;
    assert_int_equal(judged(&self, &other), P2P_REASON_SIGNATURE); /* relayed or replayed */

    self.seckey = &carol.seckey;
    assert_int_equal(judged(&self, &exporter), P2P_REASON_SIGNATURE);
    self.chain_id.bytes[0] ^= 1;
    assert_int_equal(judged(&self, &exporter), P2P_REASON_CHAIN); /* the chain is looked at first */

    self = bob.self;
    assert_int_equal(judged(&self, &exporter), P2P_REASON_SELF);
    self.instance++;
    assert_int_equal(judged(&self, &exporter), P2P_REASON_TWIN);
}

static void test_a_dialler_wants_the_node_it_dialled(void **state)
{
    (void)state;
    uint8_t auth[P2P__AUTH_SIZE];
    struct p2p__handshake listener = listener_of();
    listener.lane = 1;
    p2p__handshake_auth(auth, &listener, &carol.self);
    struct p2p__handshake dialler = dialler_of(&bob.self.key, 1);
    assert_int_equal(take(&dialler, &alice, auth), P2P_REASON_KEY);

    dialler = dialler_of(&carol.self.key, 0); /* the other lane than it dialled */
    assert_int_equal(take(&dialler, &alice, auth), P2P_REASON_PROTOCOL);
}

static void test_an_auth_frame_cannot_be_sent_back(void **state)
{
    (void)state;
    uint8_t auth[P2P__AUTH_SIZE];
    struct p2p__handshake dialler = dialler_of(&bob.self.key, 1);
    p2p__handshake_auth(auth, &dialler, &alice.self);
    assert_int_equal(take(&dialler, &alice, auth), P2P_REASON_PROTOCOL); /* same side */
}

static void test_every_changed_bit_is_noticed(void **state)
{
    (void)state;
    uint8_t auth[P2P__AUTH_SIZE];
    struct p2p__handshake const dialler = dialler_of(&bob.self.key, 1);
    p2p__handshake_auth(auth, &dialler, &alice.self);
    for (uint32_t bit = 0; bit < 8 * P2P__AUTH_SIZE; bit++) {
        auth[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        struct p2p__handshake listener = listener_of();
        enum p2p_reason const reason = take(&listener, &bob, auth);
        assert_int_not_equal(reason, P2P_REASON_NONE);
        if (bit < 16) {
            assert_int_equal(reason, P2P_REASON_VERSION);
        } else if (bit < 16 + 256) {
            assert_int_equal(reason, P2P_REASON_CHAIN);
        }
        auth[bit / 8] ^= (uint8_t)(1u << (bit % 8));
    }
}

static enum p2p_reason frame(uint8_t type, const void *bytes, uint32_t size, bool *told)
{
    struct p2p__handshake listener = listener_of();
    enum p2p_reason const reason =
        p2p__handshake_take(&listener, told, &bob.self, type, nv_view_of(bytes, size));
    assert_int_equal(listener.phase, P2P__PHASE_ENDED);
    return reason;
}

static void test_other_frames_end_it(void **state)
{
    (void)state;
    uint8_t auth[P2P__AUTH_SIZE + 1] = {0, 1};
    bool told = false;
    for (uint32_t size = 0; size <= P2P__AUTH_SIZE + 1; size++) {
        if (size != P2P__AUTH_SIZE) {
            assert_int_equal(frame(P2P__TYPE_AUTH, auth, size, &told), P2P_REASON_PROTOCOL);
            assert_false(told);
        }
    }
    auth[1] = 2; /* another version may have another size */
    assert_int_equal(frame(P2P__TYPE_AUTH, auth, 40, &told), P2P_REASON_VERSION);
    assert_int_equal(frame(P2P__TYPE_PING, auth, 8, &told), P2P_REASON_PROTOCOL);
    assert_false(told);
}

static void test_a_refusal_is_taken_for_what_it_says(void **state)
{
    (void)state;
    bool told = false;
    for (uint32_t code = 0; code < 256; code++) {
        uint8_t const byte = (uint8_t)code;
        enum p2p_reason const reason = frame(P2P__TYPE_REFUSE, &byte, 1, &told);
        bool const known = code != 0 && code < P2P_REASON_COUNT;
        assert_int_equal(reason, known ? code : P2P_REASON_PROTOCOL);
        assert_true(told);
    }
    assert_int_equal(frame(P2P__TYPE_REFUSE, "", 0, &told), P2P_REASON_PROTOCOL);
}

static void test_the_bytes_of_an_auth_frame(void **state)
{
    (void)state;
    uint8_t auth[P2P__AUTH_SIZE];
    struct p2p__handshake const dialler = dialler_of(&bob.self.key, 1);
    p2p__handshake_auth(auth, &dialler, &alice.self);
    assert_int_equal(nv_be16_load(auth), 1);
    assert_memory_equal(auth + 2, alice.self.chain_id.bytes, 32);
    assert_memory_equal(auth + 34, alice.self.key.bytes, 32);
    static const uint8_t rest[] = {0, 1, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0, 101};
    assert_memory_equal(auth + 66, rest, sizeof(rest));

    struct nv_hash digest;
    struct nv_sig sig;
    struct nv_view const parts[2] = {nv_hash_view(&exporter), nv_view_of(auth, 79)};
    nv_tagged_hash(&digest, "novate/p2p-auth/v1", parts, 2);
    memcpy(sig.bytes, auth + 79, 64);
    assert_true(nv_verify(&sig, &alice.self.key, &digest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_two_nodes_find_each_other),
        cmocka_unit_test(test_who_is_refused_and_why),
        cmocka_unit_test(test_a_dialler_wants_the_node_it_dialled),
        cmocka_unit_test(test_an_auth_frame_cannot_be_sent_back),
        cmocka_unit_test(test_every_changed_bit_is_noticed),
        cmocka_unit_test(test_other_frames_end_it),
        cmocka_unit_test(test_a_refusal_is_taken_for_what_it_says),
        cmocka_unit_test(test_the_bytes_of_an_auth_frame),
    };
    return cmocka_run_group_tests(tests, make_nodes, NULL);
}
