/* replica_sets.c - who validates in the world of replica_world.h. */

#include <string.h>

#include "tests/lib/nv_test.h"
#include "tests/lib/replica_world.h"

struct nv_pubkey rw_node_key(uint32_t node)
{
    struct nv_pubkey key = {{0x0d, (uint8_t)node}};
    return key;
}

uint32_t rw_index(const struct rw *w, const struct replica_set *set, uint32_t node)
{
    return cs_valset_find(&set->set, &w->key[node]);
}

void rw_set_of(const struct rw *w, struct replica_set *out, uint32_t nodes)
{
    struct cs_validator members[RW_NODES_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->count; i++) {
        if ((nodes >> i & 1u) != 0) {
            members[count++] = (struct cs_validator){.key = w->key[i], .stake = 100};
        }
    }
    memset(out, 0, sizeof *out);
    assert_int_equal(cs_valset_init(&out->set, members, count), NV_OK);
    for (uint32_t i = 0; i < w->count; i++) {
        uint32_t const index = rw_index(w, out, i);
        if (index < count) {
            out->node_key[index] = rw_node_key(i);
        }
    }
}

const struct rw_choice *rw_choice_at(const struct rw *w, uint64_t height)
{
    const struct rw_choice *found = &w->choice[0];
    for (uint32_t i = 0; i < w->choice_count && w->choice[i].height <= height; i++) {
        found = &w->choice[i];
    }
    return found;
}

struct replica_outcome
rw_outcome(const struct rw *w, struct rw_node *n, uint64_t height, struct replica_set *room)
{
    const struct rw_choice *const choice = rw_choice_at(w, height);
    struct replica_outcome outcome = {.height = height};
    if (!n->told || choice->height == height) {
        rw_set_of(w, room, choice->nodes);
        outcome.next = room;
        n->told = true;
    }
    return outcome;
}

void rw_choose(struct rw *w, uint64_t height, uint32_t nodes)
{
    assert_true(w->choice_count < RW_CHOICES);
    w->choice[w->choice_count++] = (struct rw_choice){height, nodes};
}

void rw_keys(struct rw *w)
{
    for (uint32_t i = 0; i < w->count; i++) {
        uint8_t const seed[32] = {(uint8_t)(i + 1)};
        struct nv_seckey secret;
        struct nv_pubkey key;
        uint32_t at = i;
        assert_int_equal(nv_key_from_seed(&secret, &key, seed), NV_OK);
        for (; at > 0 && memcmp(&w->key[at - 1], &key, sizeof key) > 0; at--) {
            w->key[at] = w->key[at - 1];
            w->secret[at] = w->secret[at - 1];
        }
        w->key[at] = key;
        w->secret[at] = secret;
    }
}
