/* test_roster.c - links keep their ids while validators come and go.
 *
 * Method: sets of a few keys in which a member's index changes from set to set; what
 * a link is called is compared with where its validator stands. */

#include <string.h>

#include "consensus/consensus.h"
#include "node/replica/roster.h"
#include "tests/lib/nv_test.h"

static struct replica_roster roster;

static struct nv_pubkey vote_key(uint32_t i)
{
    return (struct nv_pubkey){{0x11, (uint8_t)(i >> 8), (uint8_t)i}};
}

static struct nv_pubkey node_key(uint32_t i)
{
    return (struct nv_pubkey){{0x22, (uint8_t)(i >> 8), (uint8_t)i}};
}

/* set_of makes the set of validators [from, to), the highest first, with all their
 * node keys. */
static void set_of(struct replica_set *out, uint32_t from, uint32_t to)
{
    struct cs_validator members[CS_VALIDATORS_MAX];
    memset(out, 0, sizeof *out);
    for (uint32_t i = from; i < to; i++) {
        members[i - from] = (struct cs_validator){.key = vote_key(i), .stake = 1 + i};
        out->node_key[to - 1 - i] = node_key(i);
    }
    assert_int_equal(cs_valset_init(&out->set, members, to - from), NV_OK);
}

static void begin(uint32_t from, uint32_t to)
{
    struct replica_set first;
    set_of(&first, from, to);
    replica_roster_init(&roster, &first.set, first.node_key);
}

static void turn(uint32_t from, uint32_t to, bool known)
{
    struct replica_set next;
    set_of(&next, from, to);
    if (known) {
        (void)replica_roster_learn(&roster, &next);
    }
    replica_roster_turn(&roster, &next.set);
}

static void link_up(uint32_t id, uint32_t who)
{
    struct nv_pubkey const key = node_key(who);
    replica_roster_link(&roster, id, &key, true);
}

static void links_are_numbered_by_the_set(void **state)
{
    (void)state;
    uint32_t id = 0;
    begin(0, 4);
    for (uint32_t i = 0; i < 6; i++) {
        link_up(900 + i, i);
    }
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(replica_roster_number(&roster, 900 + i), 3 - i);
        assert_true(replica_roster_id(&roster, 3 - i, &id));
        assert_int_equal(id, 900 + i);
    }
    uint32_t const a = replica_roster_number(&roster, 904);
    uint32_t const b = replica_roster_number(&roster, 905);
    assert_true(a > CS_PEER_OTHER && b > CS_PEER_OTHER && a != b);
    assert_true(replica_roster_id(&roster, b, &id));
    assert_int_equal(id, 905);
    assert_int_equal(replica_roster_number(&roster, 7), CS_PEER_OTHER);
    assert_false(replica_roster_id(&roster, CS_PEER_OTHER, &id));
}

static void an_epoch_renumbers_and_ids_stay(void **state)
{
    (void)state;
    uint32_t ids[CS_VALIDATORS_MAX];
    uint32_t id = 0;
    begin(0, 4);
    for (uint32_t i = 0; i < 6; i++) {
        link_up(900 + i, i);
    }
    uint32_t const other = replica_roster_number(&roster, 905);
    turn(1, 6, true); /* 0 leaves, 4 and 5 enter */
    assert_true(replica_roster_number(&roster, 900) > CS_PEER_OTHER);
    for (uint32_t i = 1; i < 6; i++) {
        assert_int_equal(replica_roster_number(&roster, 900 + i), 5 - i);
    }
    assert_false(replica_roster_named(&roster, &id)); /* the engine takes them for up */
    assert_int_equal(replica_roster_all(&roster, ids), 5);
    assert_int_equal(roster.last.set.count, 4);
    turn(0, 2, true);
    assert_int_equal(replica_roster_number(&roster, 905), other);
}

/* A laggard has a set from a handover and does not know its nodes yet. */
static void a_newcomer_is_one_of_the_others_until_its_node_is_known(void **state)
{
    (void)state;
    struct replica_set set;
    uint32_t id = 0;
    begin(0, 4);
    link_up(900, 4);
    link_up(901, 1);
    turn(1, 5, false);
    assert_true(replica_roster_number(&roster, 900) > CS_PEER_OTHER);
    assert_int_equal(replica_roster_number(&roster, 901), 3);
    set_of(&set, 1, 5);
    assert_true(replica_roster_learn(&roster, &set));
    assert_int_equal(replica_roster_number(&roster, 900), 0);
    assert_true(replica_roster_named(&roster, &id));
    assert_int_equal(id, 900);
    assert_false(replica_roster_named(&roster, &id));
    assert_false(replica_roster_learn(&roster, &set)); /* no news */
    assert_memory_equal(&roster.present.node_key[0], &set.node_key[0], sizeof set.node_key[0]);
}

static void a_link_that_is_down_is_not_named(void **state)
{
    (void)state;
    struct replica_set set;
    struct nv_pubkey const key = node_key(4);
    uint32_t id = 0;
    begin(0, 4);
    replica_roster_link(&roster, 900, &key, false);
    turn(1, 5, false);
    set_of(&set, 1, 5);
    assert_true(replica_roster_learn(&roster, &set));
    assert_false(replica_roster_named(&roster, &id));
    assert_int_equal(replica_roster_number(&roster, 900), 0);
}

/* An operator that was forgotten comes back with another vote key and the same node. */
static void a_node_key_is_whose_the_newest_state_says(void **state)
{
    (void)state;
    struct replica_set set;
    begin(0, 4);
    link_up(900, 0);
    turn(1, 4, true);
    turn(1, 4, true);
    uint32_t const other = replica_roster_number(&roster, 900);
    assert_true(other > CS_PEER_OTHER);
    set_of(&set, 1, 5);
    set.node_key[0] = node_key(0);
    for (uint32_t i = 0; i < 2; i++) { /* and is told again */
        assert_false(replica_roster_learn(&roster, &set));
    }
    replica_roster_turn(&roster, &set.set);
    assert_int_equal(replica_roster_number(&roster, 900), 0);
    assert_memory_equal(&roster.present.node_key[0], &set.node_key[0], sizeof set.node_key[0]);
}

static void a_node_that_moved_to_another_key_is_found(void **state)
{
    (void)state;
    struct replica_set set;
    begin(0, 4);
    link_up(900, 3);
    link_up(901, 77);
    set_of(&set, 0, 4);
    set.node_key[0] = node_key(77);
    assert_true(replica_roster_learn(&roster, &set));
    assert_true(replica_roster_number(&roster, 900) > CS_PEER_OTHER);
    assert_int_equal(replica_roster_number(&roster, 901), 0);
}

static void links_that_come_again_take_the_place_of_the_old_ones(void **state)
{
    (void)state;
    struct nv_pubkey const key = node_key(1);
    begin(0, 4);
    for (uint32_t i = 0; i < 5000; i++) {
        link_up(1000 + i, 1);
        assert_int_equal(replica_roster_number(&roster, 1000 + i), 2);
        replica_roster_link(&roster, 1000 + i, &key, false);
    }
    assert_int_equal(roster.link_count, 1);
}

static void rooms_are_bounded(void **state)
{
    (void)state;
    struct replica_set set;
    uint32_t id = 0;
    begin(0, 4);
    for (uint32_t i = 0; i < REPLICA_LINKS_MAX + 50; i++) {
        link_up(1000 + i, 10000 + i);
    }
    assert_int_equal(roster.link_count, REPLICA_LINKS_MAX);
    link_up(5, 1);
    assert_int_equal(replica_roster_number(&roster, 5), CS_PEER_OTHER); /* all are up */
    struct nv_pubkey const key = node_key(10003);
    replica_roster_link(&roster, 1003, &key, false);
    link_up(5, 1);
    assert_int_equal(replica_roster_number(&roster, 5), 2);
    for (uint32_t from = 100; from < 3000; from += 100) {
        set_of(&set, from, from + 100);
        (void)replica_roster_learn(&roster, &set);
        assert_true(replica_roster_id(&roster, 2, &id)); /* the present set is not forgotten */
    }
    assert_int_equal(roster.entry_count, REPLICA_DIRECTORY_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(links_are_numbered_by_the_set),
        cmocka_unit_test(an_epoch_renumbers_and_ids_stay),
        cmocka_unit_test(a_newcomer_is_one_of_the_others_until_its_node_is_known),
        cmocka_unit_test(a_link_that_is_down_is_not_named),
        cmocka_unit_test(a_node_key_is_whose_the_newest_state_says),
        cmocka_unit_test(a_node_that_moved_to_another_key_is_found),
        cmocka_unit_test(links_that_come_again_take_the_place_of_the_old_ones),
        cmocka_unit_test(rooms_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
