#ifndef NV_NODE_HOME_KEYS_H
#define NV_NODE_HOME_KEYS_H

/* keys.h - the files that hold a node's keys, and the guard against signing
 * twice (docs/spec/node.md sections 3 and 4).
 *
 * A key file is JSON, mode 0600.  The secret stands in it in plain hex: who can
 * read the file can sign.
 *
 * The guard.  A validator must never sign a vote that contradicts one it signed
 * before, and what it signed is in its journal.  So the file of a vote key
 * names, for every chain it has signed on, the one journal it belongs to; a key
 * whose journal is missing or another does not sign.  It can be bound to another
 * journal, if it then sits out every epoch that may hold an unknown vote of it.
 *
 * Start-up only. */

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"

#include "node/home/fault.h"
#include "storage/files.h"
#include "storage/journal.h"

#define NODE_KEY_CHAINS_MAX 64u

enum node_key_kind { NODE_KEY_VALIDATOR = 1, NODE_KEY_NODE = 2 };

/* The journal that a vote key belongs to on one chain. */
struct node_key_bond {
    struct nv_hash chain_id;
    uint8_t journal[ST_JOURNAL_ID_SIZE];
    uint64_t since_ms; /* it signs in no epoch that began then or earlier; 0: in all */
};

/* From the time at which a key is bound to another journal, to `since_ms`: what two
 * clocks may differ, and how long a transaction is remembered. */
#define NODE_KEY_SIT_OUT_MS 60000u

/* Holds a secret: keep it in memory of base/secret.h. */
struct node_key {
    enum node_key_kind kind;
    struct nv_seckey secret;
    struct nv_pubkey key;
    struct node_key_bond bond[NODE_KEY_CHAINS_MAX];
    uint32_t bond_count;
    char path[ST_PATH_MAX];
};

/* node_key_create makes a key and its file, which must not exist yet. */
NV_MUST_USE bool
node_key_create(const char *path, enum node_key_kind kind, struct node_fault *fault);

/* node_key_read reads a file.  A fault: it is missing, readable by others,
 * damaged, or of another kind. */
NV_MUST_USE bool node_key_read(struct node_key *key,
                               const char *path,
                               enum node_key_kind kind,
                               struct node_fault *fault);

/* node_key_bond finds the bond for a chain, or NULL. */
const struct node_key_bond *
node_key_bond(const struct node_key *key, const struct nv_hash *chain_id);

/* node_key_bind adds a bond, or puts it in the place of the one for its chain, and
 * makes it durable before it returns. */
NV_MUST_USE bool
node_key_bind(struct node_key *key, const struct node_key_bond *bond, struct node_fault *fault);

/* node_key_settle makes durable that the file is the one that was read: who wrote it
 * may have died before its name was. */
NV_MUST_USE bool node_key_settle(const struct node_key *key, struct node_fault *fault);

/* What is known of the journal when a validator starts. */
struct node_key_journal {
    bool found;
    uint8_t id[ST_JOURNAL_ID_SIZE]; /* if found */
    bool votes;                     /* if found: it holds votes */
    bool base;                      /* if found: it begins, or goes on, with a snapshot */
};

/* node_key_guard decides whether the key may sign on a chain with this
 * journal.  True and *bind: it never has, and the bond is to be added before
 * the first vote.  False: *fault tells (NODE_EXIT_GUARD). */
NV_MUST_USE bool node_key_guard(const struct node_key *key,
                                const struct nv_hash *chain_id,
                                const struct node_key_journal *journal,
                                bool *bind,
                                struct node_fault *fault);

#endif /* NV_NODE_HOME_KEYS_H */
