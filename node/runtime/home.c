#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/crash.h"
#include "base/fmt.h"
#include "base/log.h"
#include "base/random.h"
#include "base/secret.h"

#include "node/runtime/internal.h"
#include "vm/tx.h"

_Static_assert(NODE_KEY_SIT_OUT_MS >= VM_EXPIRY_MAX_MS, "what is below a base has expired by then");

#define BATCH_ROOM (4u * ST_SECTOR_SIZE) /* of a segment, for its head and padding */

/* ---- folders and the lock ---- */

static bool make_dir(const char *path, struct node_fault *fault)
{
    enum nv_err const err = st_make_dir(st_files_system(), path);
    if (err != NV_OK) {
        node_fault_set(
            fault, NODE_EXIT_STORAGE, NULL, "%s: cannot be made: %s", path, nv_err_text(err));
    }
    return !node_fault_is(fault);
}

static bool take_lock(struct node_home *home, struct node_config *config, struct node_fault *fault)
{
    char path[ST_PATH_MAX];
    node_config_path(home->data, config, NODE_NODE_DATA);
    if (access(config->home, X_OK) != 0) {
        node_fault_set(fault,
                       NODE_EXIT_CONFIG,
                       NULL,
                       "%s: there is no home: %s",
                       config->home,
                       strerror(errno));
        node_fault_hint(fault, "novated --home %s init", config->home);
        return false;
    }
    if (!make_dir(home->data, fault)) {
        return false;
    }
    (void)snprintf(home->journal_dir, sizeof home->journal_dir, "%.4000s/journal", home->data);
    (void)snprintf(home->state_dir, sizeof home->state_dir, "%.4000s/state", home->data);
    (void)snprintf(
        home->snapshots_dir, sizeof home->snapshots_dir, "%.4000s/snapshots", home->data);
    (void)snprintf(path, sizeof path, "%.4000s/lock", home->data);
    const struct st_files *const files = st_files_system();
    enum nv_err const err = files->lock(files->ctx, &home->lock, path);
    if (err == NV_ERR_LOCKED) {
        node_fault_set(fault,
                       NODE_EXIT_LOCKED,
                       "stop the other one first, or name another --home",
                       "%s: another instance of novated uses it",
                       home->data);
    } else if (err != NV_OK) {
        node_fault_set(
            fault, NODE_EXIT_STORAGE, NULL, "%s: cannot be locked: %s", path, nv_err_text(err));
    }
    home->locked = err == NV_OK;
    NV_CRASH_POINT(HOME_LOCKED);
    return home->locked && make_dir(home->journal_dir, fault) && make_dir(home->state_dir, fault) &&
           make_dir(home->snapshots_dir, fault);
}

/* ---- genesis and keys ---- */

static bool
read_genesis(struct node_home *home, const struct node_config *config, struct node_fault *fault)
{
    char path[ST_PATH_MAX];
    struct cs_validator members[CS_VALIDATORS_MAX];
    node_config_path(path, config, NODE_NODE_GENESIS);
    enum nv_err err = node_genesis_load(&home->genesis, path);
    home->has_genesis = err == NV_OK;
    for (uint32_t i = 0; err == NV_OK && i < home->genesis.validator_count; i++) {
        members[i] = (struct cs_validator){
            .key = home->genesis.validators[i].key,
            .stake = home->genesis.validators[i].stake,
        };
    }
    if (err == NV_OK) {
        err = cs_valset_init(&home->valset, members, home->genesis.validator_count);
    }
    if (err != NV_OK) {
        node_fault_set(
            fault,
            NODE_EXIT_CONFIG,
            "every node of a network has the same file; get it from who runs one, or set "
            "node.genesis",
            "%s: no genesis could be read: %s",
            path,
            nv_err_text(err));
    }
    return err == NV_OK;
}

static struct node_key *read_key(const struct node_config *config,
                                 enum node_setting setting,
                                 enum node_key_kind kind,
                                 struct node_fault *fault)
{
    char path[ST_PATH_MAX];
    struct node_key *const key = nv_secret_open(sizeof *key);
    if (key == NULL) {
        node_fault_set(fault,
                       NODE_EXIT_FAILED,
                       "raise the limit of locked memory (ulimit -l)",
                       "no locked memory for a key");
        return NULL;
    }
    node_config_path(path, config, setting);
    if (!node_key_read(key, path, kind, fault)) {
        nv_secret_close(key, sizeof *key);
        return NULL;
    }
    return key;
}

/* read_keys reads both keys; a node without a vote key follows. */
static bool
read_keys(struct node_home *home, const struct node_config *config, struct node_fault *fault)
{
    char path[ST_PATH_MAX];
    node_config_path(path, config, NODE_KEYS_VALIDATOR);
    home->node = read_key(config, NODE_KEYS_NODE, NODE_KEY_NODE, fault);
    if (home->node != NULL && access(path, F_OK) == 0) {
        home->validator = read_key(config, NODE_KEYS_VALIDATOR, NODE_KEY_VALIDATOR, fault);
    }
    home->me = CS_NOBODY;
    if (home->validator != NULL) {
        uint32_t const index = cs_valset_find(&home->valset, &home->validator->key);
        home->me = index == CS_VALIDATORS_MAX ? CS_NOBODY : index;
    }
    if (home->me != CS_NOBODY && !node_fault_is(fault) &&
        memcmp(home->genesis.validators[home->me].node_key.bytes, home->node->key.bytes, 32) != 0) {
        node_fault_set(fault,
                       NODE_EXIT_CONFIG,
                       "the keys of this home and the genesis do not belong together",
                       "the genesis gives this validator another node key than %s holds",
                       home->node->path);
    }
    return !node_fault_is(fault);
}

bool node_home_may_vote(const struct node_home *home)
{
    return home->validator != NULL && (home->me != CS_NOBODY || home->genesis.epoch_ms > 0);
}

/* sit_out finds out which epochs the vote key sits out.  With --sit-out these are
 * all that began before nothing else signed with it, which is now, by any clock. */
static void sit_out(struct node_home *home, const struct node_config *config)
{
    const struct node_key_bond *const bond =
        home->validator == NULL ? NULL : node_key_bond(home->validator, &home->genesis.chain_id);
    home->sits_out = node_config_number(config, NODE_SYNC_SIT_OUT) == 1;
    home->sit_out_until_ms = bond == NULL ? 0 : bond->since_ms;
    if (home->sits_out) {
        home->sit_out_until_ms = node_now().wall_ms + NODE_KEY_SIT_OUT_MS;
    }
}

/* ---- the journal ---- */

static void journal_fault(const struct node_home *home, enum nv_err err, struct node_fault *fault)
{
    if (err == NV_ERR_CORRUPT && node_home_may_vote(home)) {
        node_fault_set(
            fault,
            NODE_EXIT_GUARD,
            "restore this folder from a disk that is whole; if there is none, and nothing "
            "else runs with this key, move the data folder away and start with --sit-out",
            "%s: the journal is damaged, so this validator cannot know what it has "
            "signed, and does not sign",
            home->journal_dir);
        return;
    }
    const char *hint = NULL;
    if (err == NV_ERR_CORRUPT) {
        hint = "move the data folder away: the node fetches everything from its peers";
    } else if (err == NV_ERR_DISK_FULL) {
        hint = "make room on the disk, then start again";
    }
    node_fault_set(fault,
                   NODE_EXIT_STORAGE,
                   hint,
                   "%s: the journal cannot be opened: %s",
                   home->journal_dir,
                   nv_err_text(err));
}

/* new_journal makes one with a random identity. */
static enum nv_err new_journal(struct node_home *home)
{
    uint8_t id[ST_JOURNAL_ID_SIZE];
    nv_random_bytes(id, sizeof id);
    home->journal_new = true;
    NV_TRY(st_journal_create(&home->journal, &home->journal_options, id));
    NV_CRASH_POINT(JOURNAL_MADE);
    return NV_OK;
}

static bool
open_journal(struct node_home *home, const struct node_config *config, struct node_fault *fault)
{
    home->chain.chain_id = home->genesis.chain_id;
    uint32_t const segment = home->segment_size != 0
                                 ? home->segment_size
                                 : (uint32_t)node_config_number(config, NODE_LIMITS_SEGMENT_MIB)
                                       << 20;
    home->journal_options = (struct st_journal_options){
        .files = st_files_system(),
        .dir = home->journal_dir,
        .segment_size = segment,
        .batch_max = segment - BATCH_ROOM,
    };
    NV_CRASH_POINT(HOME_FOLDERS);
    enum nv_err err = st_journal_open(&home->journal, &home->journal_options);
    if (err == NV_ERR_NOT_FOUND) {
        /* The guard comes first: no journal is made for a key that has another. */
        struct node_key_journal const none = {.found = false};
        bool bind = false;
        bool const signs = node_home_may_vote(home) && !home->sits_out;
        if (signs &&
            !node_key_guard(home->validator, &home->genesis.chain_id, &none, &bind, fault)) {
            return false;
        }
        err = new_journal(home);
    } else if (err == NV_OK) {
        err = node_start_chain(home->journal, &home->chain);
        home->journal_new = err == NV_ERR_NOT_FOUND;
        err = home->journal_new ? NV_OK : err;
    }
    if (err != NV_OK) {
        journal_fault(home, err, fault);
        return false;
    }
    if (!nv_hash_eq(&home->chain.chain_id, &home->genesis.chain_id)) {
        char text[NV_BYTES_TEXT(32)];
        nv_bytes_format(text, home->chain.chain_id.bytes, 32);
        node_fault_set(fault,
                       NODE_EXIT_CONFIG,
                       "put the right genesis back, or name another --home for another chain",
                       "%s holds the chain %s, and the genesis is another's",
                       home->data,
                       text);
    }
    return !node_fault_is(fault);
}

/* SPEC node 5: "*Closed* is the last batch of a node that ends in order" */
void node_home_leave(struct node_home *home, struct node_batch *batch)
{
    node_batch_clear(batch);
    enum nv_err err = node_batch_add(batch, NODE_RECORD_CLOSED, nv_view_of(NULL, 0));
    if (err == NV_OK) {
        err = st_journal_append(home->journal, &batch->batch);
    }
    if (err != NV_OK) {
        nv_log(NV_LOG_WARN, "event=journal_not_closed error=\"%s\"", nv_err_text(err));
    }
}

static bool bind_key(struct node_home *home, struct node_fault *fault)
{
    struct node_key_bond bond = {.chain_id = home->genesis.chain_id,
                                 .since_ms = home->sit_out_until_ms};
    memcpy(bond.journal, st_journal_id(home->journal), sizeof bond.journal);
    return node_key_bind(home->validator, &bond, fault);
}

bool node_home_bind(struct node_home *home, uint64_t base_ms, struct node_fault *fault)
{
    uint64_t const now_ms = node_now().wall_ms;
    home->sit_out_until_ms = (now_ms > base_ms ? now_ms : base_ms) + NODE_KEY_SIT_OUT_MS;
    return !node_home_may_vote(home) || bind_key(home, fault);
}

bool node_home_engage(struct node_home *home, struct node_fault *fault)
{
    return node_key_bond(home->validator, &home->genesis.chain_id) != NULL || bind_key(home, fault);
}

bool node_home_guard(struct node_home *home,
                     const struct node_found *found,
                     bool member,
                     struct node_fault *fault)
{
    if (!node_home_may_vote(home)) {
        return true;
    }
    bool bind = home->sits_out;
    struct node_key_journal journal = {.found = true, .votes = found->votes, .base = found->base};
    memcpy(journal.id, st_journal_id(home->journal), sizeof journal.id);
    if (!bind &&
        !node_key_guard(home->validator, &home->genesis.chain_id, &journal, &bind, fault)) {
        return false;
    }
    if (!bind) {
        return node_key_settle(home->validator, fault);
    }
    bool const now = member || home->sits_out; /* who follows is bound when it votes */
    return !now || bind_key(home, fault);
}

/* ---- the database ---- */

bool node_home_joining(const struct node_home *home)
{
    struct st_snapshots const at = {.files = st_files_system(), .dir = home->snapshots_dir};
    uint64_t heights[ST_SNAPSHOTS_KEPT];
    uint32_t count = 0;
    return st_snapshot_list(&at, heights, &count, ST_SNAPSHOT_FETCHED) == NV_OK && count > 0;
}

static bool
open_database(struct node_home *home, const struct node_config *config, struct node_fault *fault)
{
    struct st_db_options const options = {
        .dir = home->state_dir,
        .map_size = node_config_number(config, NODE_LIMITS_DATABASE_GIB) << 30,
        .readers_max = ST_READERS_DEFAULT,
    };
    struct st_head head;
    enum nv_err err = st_db_open(&home->db, &options);
    if (err != NV_OK) {
        node_fault_set(fault,
                       NODE_EXIT_STORAGE,
                       NULL,
                       "%s: the database cannot be opened: %s",
                       home->state_dir,
                       nv_err_text(err));
        if (err == NV_ERR_NO_MEMORY) {
            node_fault_hint(fault, "set limits.database_gib lower, or raise ulimit -v");
        } else {
            node_fault_hint(
                fault, "move %s away: the node rebuilds it from the journal", home->state_dir);
        }
        return false;
    }
    err = st_db_head(home->db, &head);
    if (err == NV_OK && home->journal_new && !node_home_joining(home)) {
        node_fault_set(fault,
                       NODE_EXIT_STORAGE,
                       "restore the journal, or move the whole data folder away to begin anew",
                       "%s: the database is of height %" NV_U64 ", but the journal is missing",
                       home->data,
                       head.height);
    }
    return !node_fault_is(fault);
}

bool node_home_open(struct node_home *home, struct node_config *config, struct node_fault *fault)
{
    if (!take_lock(home, config, fault) || !read_genesis(home, config, fault) ||
        !read_keys(home, config, fault)) {
        return false;
    }
    sit_out(home, config);
    return open_journal(home, config, fault) && open_database(home, config, fault);
}

bool node_home_read(struct node_home *home, struct node_config *config, struct node_fault *fault)
{
    return read_genesis(home, config, fault) && read_keys(home, config, fault);
}

void node_home_close(struct node_home *home)
{
    st_db_close(home->db);
    st_journal_close(home->journal);
    nv_secret_close(home->validator, sizeof *home->validator);
    nv_secret_close(home->node, sizeof *home->node);
    if (home->has_genesis) {
        node_genesis_deinit(&home->genesis);
    }
    if (home->locked) {
        const struct st_files *const files = st_files_system();
        files->close(files->ctx, home->lock);
    }
}
