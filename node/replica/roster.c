#include "node/replica/roster.h"

#include <string.h>

#include "base/assert.h"

#include "consensus/consensus.h"

static bool same_key(const struct nv_pubkey *a, const struct nv_pubkey *b)
{
    return memcmp(a->bytes, b->bytes, sizeof a->bytes) == 0;
}

static bool no_key(const struct nv_pubkey *key)
{
    static const struct nv_pubkey none;
    return same_key(key, &none);
}

/* ---- the directory ---- */

static struct replica_entry *find(struct replica_roster *roster, const struct nv_pubkey *key)
{
    for (uint32_t i = 0; i < roster->entry_count; i++) {
        if (same_key(&roster->entry[i].key, key)) {
            return &roster->entry[i];
        }
    }
    return NULL;
}

/* holder returns whose a node key is, or NULL. */
static struct replica_entry *holder(struct replica_roster *roster, const struct nv_pubkey *node_key)
{
    for (uint32_t i = 0; i < roster->entry_count; i++) {
        if (same_key(&roster->entry[i].node_key, node_key)) {
            return &roster->entry[i];
        }
    }
    return NULL;
}

static bool in_sets(const struct replica_roster *roster, const struct nv_pubkey *key)
{
    const struct cs_valset *const sets[2] = {&roster->present.set, &roster->last.set};
    for (uint32_t i = 0; i < 2; i++) {
        if (cs_valset_find(sets[i], key) < sets[i]->count) {
            return true;
        }
    }
    return false;
}

/* room returns a new entry, or the one that was heard of least lately and is of no
 * set. */
static struct replica_entry *room(struct replica_roster *roster)
{
    struct replica_entry *oldest = NULL;
    if (roster->entry_count < REPLICA_DIRECTORY_MAX) {
        return &roster->entry[roster->entry_count++];
    }
    for (uint32_t i = 0; i < roster->entry_count; i++) {
        struct replica_entry *const e = &roster->entry[i];
        if ((oldest == NULL || e->seen < oldest->seen) && !in_sets(roster, &e->key)) {
            oldest = e;
        }
    }
    NV_ASSERT(oldest != NULL); /* two sets do not fill it */
    return oldest;
}

/* forget drops the entry of a node key that has come to another validator. */
static void forget(struct replica_roster *roster, const struct nv_pubkey *node_key)
{
    struct replica_entry *const old = holder(roster, node_key);
    if (old != NULL) {
        *old = roster->entry[--roster->entry_count];
    }
}

static void
note(struct replica_roster *roster, const struct nv_pubkey *key, const struct nv_pubkey *node_key)
{
    if (no_key(node_key)) {
        return;
    }
    struct replica_entry *entry = find(roster, key);
    if (entry == NULL || !same_key(&entry->node_key, node_key)) {
        forget(roster, node_key);
        entry = find(roster, key);
        entry = entry != NULL ? entry : room(roster);
        *entry = (struct replica_entry){.key = *key, .node_key = *node_key};
    }
    entry->seen = ++roster->order;
}

/* ---- numbers ---- */

static uint32_t number_of(struct replica_roster *roster, const struct replica_link *link)
{
    const struct replica_entry *const e = holder(roster, &link->node_key);
    uint32_t const index =
        e == NULL ? CS_VALIDATORS_MAX : cs_valset_find(&roster->present.set, &e->key);
    return index < roster->present.set.count ? index : link->other;
}

static void number_all(struct replica_roster *roster, bool name)
{
    for (uint32_t i = 0; i < roster->link_count; i++) {
        struct replica_link *const link = &roster->link[i];
        uint32_t const number = number_of(roster, link);
        link->named = link->named || (name && number != link->number && number < CS_VALIDATORS_MAX);
        link->number = number;
    }
}

/* fill writes the node keys of a set as far as they are known; returns whether
 * that changes anything. */
static bool fill(struct replica_roster *roster, struct replica_set *set)
{
    bool changed = false;
    for (uint32_t i = 0; i < set->set.count; i++) {
        const struct replica_entry *const e = find(roster, &set->set.member[i].key);
        if (e != NULL && !same_key(&e->node_key, &set->node_key[i])) {
            set->node_key[i] = e->node_key;
            changed = true;
        }
    }
    return changed;
}

static void set_begin(struct replica_roster *roster, const struct cs_valset *set)
{
    memset(&roster->present, 0, sizeof roster->present);
    roster->present.set = *set;
    (void)fill(roster, &roster->present);
    number_all(roster, false);
}

void replica_roster_init(struct replica_roster *roster,
                         const struct cs_valset *set,
                         const struct nv_pubkey *node_keys)
{
    memset(roster, 0, sizeof *roster);
    for (uint32_t i = 0; i < set->count; i++) {
        note(roster, &set->member[i].key, &node_keys[i]);
    }
    set_begin(roster, set);
}

void replica_roster_turn(struct replica_roster *roster, const struct cs_valset *set)
{
    roster->last = roster->present;
    set_begin(roster, set);
}

bool replica_roster_learn(struct replica_roster *roster, const struct replica_set *set)
{
    for (uint32_t i = 0; i < set->set.count; i++) {
        note(roster, &set->set.member[i].key, &set->node_key[i]);
    }
    bool const present = fill(roster, &roster->present);
    bool const last = fill(roster, &roster->last);
    number_all(roster, true);
    return present || last;
}

/* ---- links ---- */

static struct replica_link *link_find(struct replica_roster *roster, uint32_t id)
{
    for (uint32_t i = 0; i < roster->link_count; i++) {
        if (roster->link[i].id == id) {
            return &roster->link[i];
        }
    }
    return NULL;
}

/* link_room returns a place: that of a link of the same node that is no more, a new
 * one, or that of any link that is down; NULL when all are up. */
static struct replica_link *
link_room(struct replica_roster *roster, const struct nv_pubkey *node_key)
{
    struct replica_link *down = NULL;
    for (uint32_t i = 0; i < roster->link_count; i++) {
        struct replica_link *const link = &roster->link[i];
        if (!link->up && same_key(&link->node_key, node_key)) {
            return link;
        }
        down = down == NULL && !link->up ? link : down;
    }
    return roster->link_count < REPLICA_LINKS_MAX ? &roster->link[roster->link_count++] : down;
}

void replica_roster_link(struct replica_roster *roster,
                         uint32_t id,
                         const struct nv_pubkey *node_key,
                         bool up)
{
    struct replica_link *link = link_find(roster, id);
    if (link == NULL) {
        link = link_room(roster, node_key);
        if (link == NULL) {
            return;
        }
        roster->others = roster->others % (UINT32_MAX - CS_PEER_OTHER - 1) + 1;
        *link = (struct replica_link){
            .id = id, .other = CS_PEER_OTHER + roster->others, .node_key = *node_key};
        link->number = number_of(roster, link);
    }
    link->up = up;
}

bool replica_roster_named(struct replica_roster *roster, uint32_t *id)
{
    for (uint32_t i = 0; i < roster->link_count; i++) {
        struct replica_link *const link = &roster->link[i];
        bool const named = link->named && link->up;
        link->named = false;
        if (named) {
            *id = link->id;
            return true;
        }
    }
    return false;
}

uint32_t replica_roster_number(const struct replica_roster *roster, uint32_t id)
{
    for (uint32_t i = 0; i < roster->link_count; i++) {
        if (roster->link[i].id == id) {
            return roster->link[i].number;
        }
    }
    return CS_PEER_OTHER;
}

bool replica_roster_id(const struct replica_roster *roster, uint32_t number, uint32_t *id)
{
    for (uint32_t i = 0; i < roster->link_count; i++) {
        if (roster->link[i].number == number) {
            *id = roster->link[i].id;
            return true;
        }
    }
    return false;
}

uint32_t replica_roster_all(const struct replica_roster *roster, uint32_t ids[CS_VALIDATORS_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < roster->link_count && count < CS_VALIDATORS_MAX; i++) {
        if (roster->link[i].number < CS_VALIDATORS_MAX) {
            ids[count++] = roster->link[i].id;
        }
    }
    return count;
}
