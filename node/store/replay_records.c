/* Every record of the journal is read again. */

#include "base/fmt.h"
#include "base/log.h"

#include "node/store/replay.h"

#define PROGRESS_EVERY 100000u

static enum nv_err read_base(struct node_store *store, struct nv_view payload)
{
    struct nv_reader r;
    nv_reader_init(&r, payload);
    store->base_height = nv_get_u64(&r);
    (void)nv_get_view(&r, NV_HASH_SIZE); /* of the block, whose record stands before */
    nv_get_bytes(&r, store->base_root.bytes, NV_HASH_SIZE);
    return nv_reader_end(&r) == NV_OK ? NV_OK : NV_ERR_CORRUPT;
}

bool node_replay__records(const struct node_start *s, bool *votes)
{
    struct st_replay *replay = NULL;
    struct st_record record;
    uint64_t count = 0;
    enum nv_err err = node_start__begin(s);
    err = err == NV_OK ? st_replay_open(&replay, s->journal, 0) : err;
    while (err == NV_OK && (err = st_replay_next(replay, &record)) == NV_OK) {
        err = node_store__note(s->store, &record);
        if (err == NV_OK) {
            err = replica_recover(s->store->replica, record.type, record.bytes);
        }
        *votes = *votes || record.type == CS_RECORD_VOTE;
        if (err == NV_OK && record.type == NODE_RECORD_BASE) {
            err = read_base(s->store, record.bytes);
        }
        if (++count % PROGRESS_EVERY == 0) {
            nv_log(NV_LOG_INFO,
                   "event=replay stage=records records=%" NV_U64 " final=%" NV_U64,
                   count,
                   node_blocks_final(s->store->blocks));
        }
    }
    if (replay != NULL) {
        st_replay_close(replay);
    }
    if (err != NV_ERR_NOT_FOUND) {
        return node_replay__broken(
            s, "a record cannot be used", node_blocks_final(s->store->blocks), err);
    }
    nv_log(NV_LOG_INFO,
           "event=replayed stage=records records=%" NV_U64 " final=%" NV_U64,
           count,
           node_blocks_final(s->store->blocks));
    return true;
}
