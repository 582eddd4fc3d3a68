/* What a start begins with: the chain that the journal is of, and its state. */

#include "node/store/start.h"

#include <string.h>

#include "base/crash.h"
#include "base/fmt.h"
#include "base/log.h"

#include "storage/epochs.h"

#define CHAIN_RECORD_SIZE (3u * 32u)

enum nv_err node_start_chain(struct st_journal *journal, struct node_chain *out)
{
    struct st_replay *replay = NULL;
    struct st_record record = {.type = 0};
    bool const whole = st_journal_first(journal) == 1;
    NV_TRY(st_replay_open(&replay, journal, 0));
    enum nv_err err = st_replay_next(replay, &record);
    bool const empty = err == NV_ERR_NOT_FOUND;
    while (err == NV_OK && !whole && record.type != NODE_RECORD_CHAIN) {
        err = st_replay_next(replay, &record);
    }
    if (err == NV_OK &&
        (record.type != NODE_RECORD_CHAIN || record.bytes.size != CHAIN_RECORD_SIZE)) {
        err = NV_ERR_CORRUPT;
    }
    if (err == NV_OK) {
        memcpy(out->chain_id.bytes, record.bytes.bytes, 32);
        memcpy(out->genesis_root.bytes, record.bytes.bytes + 32, 32);
        memcpy(out->params_hash.bytes, record.bytes.bytes + 64, 32);
    }
    st_replay_close(replay);
    return err == NV_ERR_NOT_FOUND && !empty ? NV_ERR_CORRUPT : err;
}

enum nv_err node_start_chain_record(const struct node_chain *chain, struct node_batch *batch)
{
    uint8_t record[CHAIN_RECORD_SIZE];
    memcpy(record, chain->chain_id.bytes, 32);
    memcpy(record + 32, chain->genesis_root.bytes, 32);
    memcpy(record + 64, chain->params_hash.bytes, 32);
    node_batch_clear(batch);
    return node_batch_add(batch, NODE_RECORD_CHAIN, nv_view_of(record, sizeof record));
}

/* note_chain writes the journal's first record. */
static bool note_chain(const struct node_start *s)
{
    struct node_batch *const batch = &s->store->own;
    enum nv_err err = node_start_chain_record(s->chain, batch);
    if (err == NV_OK) {
        err = st_journal_append(s->journal, &batch->batch);
    }
    NV_CRASH_POINT(CHAIN_NOTED);
    if (err != NV_OK) {
        node_fault_set(s->fault,
                       NODE_EXIT_STORAGE,
                       NULL,
                       "%s: the journal cannot be written: %s",
                       s->journal_dir,
                       nv_err_text(err));
    }
    return err == NV_OK;
}

bool node_start_found(const struct node_start *s)
{
    enum nv_err const err = node_machine_genesis(s->machine, s->genesis);
    if (err != NV_OK) {
        node_fault_set(s->fault,
                       NODE_EXIT_CONFIG,
                       "the genesis must be made anew",
                       "the genesis contradicts itself: %s",
                       nv_err_text(err));
        return false;
    }
    struct rpc_head const head = node_machine_head(s->machine);
    if (s->journal_new) {
        s->chain->chain_id = s->genesis->chain_id;
        s->chain->genesis_root = head.state_root;
        node_machine_params_hash(s->machine, &s->chain->params_hash);
        return note_chain(s);
    }
    if (!nv_hash_eq(&head.state_root, &s->chain->genesis_root)) {
        node_fault_set(s->fault,
                       NODE_EXIT_CONFIG,
                       "run the version of novated that this chain runs",
                       "this version makes another state of the genesis than the one before");
        return false;
    }
    return true;
}

/* read_ends finds out which ends of epochs the database has. */
static bool read_ends(const struct node_start *s)
{
    enum nv_err const err = st_db_epoch_last(s->db, &s->store->ends);
    if (err == NV_OK || err == NV_ERR_NOT_FOUND) {
        return true;
    }
    node_fault_set(s->fault,
                   NODE_EXIT_STORAGE,
                   NULL,
                   "%s: the ends of epochs in the database cannot be read: %s",
                   s->state_dir,
                   nv_err_text(err));
    return false;
}

bool node_start_state(const struct node_start *s)
{
    struct st_head head;
    if (!read_ends(s)) {
        return false;
    }
    if (st_db_head(s->db, &head) == NV_ERR_NOT_FOUND) {
        return node_start_found(s);
    }
    enum nv_err const err = node_machine_load(s->machine, s->db);
    if (err != NV_OK) {
        node_fault_set(s->fault,
                       err == NV_ERR_NO_MEMORY ? NODE_EXIT_FAILED : NODE_EXIT_STORAGE,
                       NULL,
                       "%s: the rows in the database are not what was written: %s",
                       s->data,
                       nv_err_text(err));
        node_fault_hint(
            s->fault, "move %s away: the node rebuilds it from the journal", s->state_dir);
        return false;
    }
    s->store->checkpoint_height = node_machine_head(s->machine).height;
    nv_log(NV_LOG_INFO,
           "event=replayed stage=rows height=%" NV_U64 " rows=%" NV_U64,
           s->store->checkpoint_height,
           head.row_count);
    return true;
}
