/* Where a journal begins whose oldest segments are gone: what the replica is told
 * before its first record. */

#include "node/store/start.h"
#include "storage/epochs.h"

/* What an engine remembers of the past: ends of epochs, and who their validators were,
 * which the end of the one before tells.
 * SPEC consensus 9: "of the sets before nothing is known, unless their handovers
 * stand in front of it" */
#define ENDS_TOLD 65u

/* begins returns whether a record says where the journal stands, and in which
 * epoch; what stands before it there is of views that count from a block that is
 * not there. */
static bool begins(const struct st_record *record, uint64_t *epoch)
{
    struct nv_reader r;
    struct cs_header header;
    nv_reader_init(&r, record->bytes);
    if ((record->type != CS_RECORD_FINAL && record->type != CS_RECORD_EPOCH) ||
        cs_header_get(&r, &header) != NV_OK) {
        return false;
    }
    *epoch = header.epoch;
    return record->type == CS_RECORD_EPOCH || !cs_header_closes(&header);
}

/* tell_ends tells the ends of the epochs before one, as far back as they are known
 * without a gap: at least the last. */
static enum nv_err tell_ends(const struct node_start *s, uint64_t epoch)
{
    uint8_t memory[ST_EPOCH_SIZE_MAX];
    struct nv_view end;
    uint64_t from = epoch;
    while (from > CS_FIRST_EPOCH && epoch - from < ENDS_TOLD &&
           st_db_epoch(s->db, &end, from - 1, memory) == NV_OK) {
        from--;
    }
    if (from == epoch && epoch > CS_FIRST_EPOCH) {
        return NV_ERR_CORRUPT;
    }
    for (uint64_t e = from; e < epoch; e++) {
        NV_TRY(st_db_epoch(s->db, &end, e, memory));
        NV_TRY(replica_recover(s->store->replica, CS_RECORD_EPOCH, end));
    }
    return NV_OK;
}

enum nv_err node_start__begin(const struct node_start *s)
{
    struct st_replay *replay = NULL;
    struct st_record record = {.type = 0};
    uint64_t epoch = 0;
    if (st_journal_first(s->journal) == 1) {
        return NV_OK;
    }
    NV_TRY(st_replay_open(&replay, s->journal, 0));
    enum nv_err err = NV_OK;
    do {
        err = st_replay_next(replay, &record);
    } while (err == NV_OK && !begins(&record, &epoch));
    if (err == NV_OK) {
        err = tell_ends(s, epoch);
    }
    if (err == NV_OK) {
        err = replica_recover(s->store->replica, record.type, record.bytes);
    }
    st_replay_close(replay);
    return err == NV_ERR_NOT_FOUND ? NV_ERR_CORRUPT : err;
}
