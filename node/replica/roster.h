#ifndef NV_NODE_REPLICA_ROSTER_H
#define NV_NODE_REPLICA_ROSTER_H

/* roster.h - who is at the other end of a link.
 *
 *     links        id, node key            named by the shell, up and down
 *     directory    vote key -> node key    learned from the state
 *     sets         vote keys               of the engine's epoch, and the last one
 *          --> numbers, by which the engine names peers: the index in the present
 *              set, or one from CS_PEER_OTHER on
 *
 * Ids are the shell's and stay while a link does; numbers change with the epoch.
 * A validator whose node key is not known yet has no link: its node, when it is
 * linked, is one of the others until the directory knows better.  A node key is one
 * validator's in any state (docs/spec/stake.md 1.1), so the newest news of it holds.
 *
 * No I/O.  Plain memory, one owner. */

#include <stdbool.h>
#include <stdint.h>

#include "base/key.h"

#include "node/replica/set.h"

#define REPLICA_LINKS_MAX     640u
#define REPLICA_DIRECTORY_MAX 512u /* the present set, the last, the next, and some more */

struct replica_link {
    uint32_t id;
    uint32_t number;
    uint32_t other; /* its number when it is no validator's */
    bool up;
    bool named; /* it has become a validator's since replica_roster_named */
    struct nv_pubkey node_key;
};

struct replica_entry {
    struct nv_pubkey key;
    struct nv_pubkey node_key;
    uint64_t seen; /* order of being heard of last */
};

struct replica_roster {
    struct replica_set present;
    struct replica_set last; /* empty in the first epoch */
    struct replica_link link[REPLICA_LINKS_MAX];
    uint32_t link_count;
    uint32_t others; /* numbers given */
    struct replica_entry entry[REPLICA_DIRECTORY_MAX];
    uint32_t entry_count;
    uint64_t order;
};

/* replica_roster_init begins in the first epoch.  `node_keys` are the set's, by
 * index. */
void replica_roster_init(struct replica_roster *roster,
                         const struct cs_valset *set,
                         const struct nv_pubkey *node_keys);

/* replica_roster_turn makes another set the present one.  Links that have become a
 * validator's so are not named: the engine takes them for up. */
void replica_roster_turn(struct replica_roster *roster, const struct cs_valset *set);

/* replica_roster_learn takes the node keys of a set; returns whether those of the
 * present or the last set are others than before. */
bool replica_roster_learn(struct replica_roster *roster, const struct replica_set *set);

/* replica_roster_link notes that a link is up or down.  Without room, one that is
 * down is forgotten for it, or, if all are up, it is not taken: it is then nobody's. */
void replica_roster_link(struct replica_roster *roster,
                         uint32_t id,
                         const struct nv_pubkey *node_key,
                         bool up);

/* replica_roster_named writes a link that is up and has become a validator's by
 * what was learned, each once; false when there is no more. */
bool replica_roster_named(struct replica_roster *roster, uint32_t *id);

/* replica_roster_number returns the number of a link; of one that is not known,
 * CS_PEER_OTHER, which no link has. */
uint32_t replica_roster_number(const struct replica_roster *roster, uint32_t id);

/* replica_roster_id finds the link of a number; false when there is none. */
bool replica_roster_id(const struct replica_roster *roster, uint32_t number, uint32_t *id);

/* replica_roster_all writes the links of all members of the present set. */
uint32_t replica_roster_all(const struct replica_roster *roster, uint32_t ids[CS_VALIDATORS_MAX]);

#endif /* NV_NODE_REPLICA_ROSTER_H */
