#include <lmdb.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/crash.h"
#include "base/fmt.h"
#include "base/log.h"

#include "storage/db.h"
#include "storage/overlay.h"

/* An LMDB value that is written: LMDB takes no pointer to const, and copies. */
static MDB_val val_of(void *bytes, size_t size)
{
    return (MDB_val){.mv_size = size, .mv_data = bytes};
}

enum nv_err st__db_put_row(MDB_cursor *cursor, const struct nv_row *row, unsigned int how)
{
    struct nv_row_key key = row->key;
    uint8_t bytes[NV_ROW_VALUE_MAX];
    MDB_val mdb_key = val_of(key.bytes, sizeof key.bytes);
    MDB_val value = val_of(bytes, row->value.size);
    if (row->value.size > 0) {
        memcpy(bytes, row->value.bytes, row->value.size);
    }
    return st__db_error(mdb_cursor_put(cursor, &mdb_key, &value, how), "put_row");
}

static enum nv_err write_row(MDB_cursor *cursor, const struct nv_row *row)
{
    if (row->value.bytes != NULL) {
        return st__db_put_row(cursor, row, 0);
    }
    struct nv_row_key key = row->key;
    MDB_val mdb_key = val_of(key.bytes, sizeof key.bytes);
    MDB_val found;
    int const code = mdb_cursor_get(cursor, &mdb_key, &found, MDB_SET);
    if (code == MDB_NOTFOUND) {
        return NV_OK; /* it came and went since the last checkpoint */
    }
    NV_TRY(st__db_error(code, "find_row"));
    return st__db_error(mdb_cursor_del(cursor, 0), "remove_row");
}

static enum nv_err write_rows(struct st_db *db, MDB_txn *txn, struct st_overlay *overlay)
{
    MDB_cursor *cursor = NULL;
    uint32_t count = 0;
    const struct nv_row *const rows = st_overlay_rows(overlay, &count);
    NV_TRY(st__db_error(mdb_cursor_open(txn, db->tables[ST__ROWS], &cursor), "cursor"));
    enum nv_err err = NV_OK;
    for (uint32_t i = 0; i < count && err == NV_OK; i++) {
        err = write_row(cursor, &rows[i]);
    }
    mdb_cursor_close(cursor);
    return err;
}

static enum nv_err write_blocks(struct st_db *db, MDB_txn *txn, const struct st_overlay *overlay)
{
    for (uint32_t i = 0; i < overlay->block_count; i++) {
        if (overlay->blocks[i].place.segment == 0) {
            continue;
        }
        uint8_t key[8];
        uint8_t value[8];
        nv_be64_store(key, overlay->blocks[i].height);
        nv_be32_store(value, overlay->blocks[i].place.segment);
        nv_be32_store(value + 4, overlay->blocks[i].place.offset);
        MDB_val mdb_key = val_of(key, sizeof key);
        MDB_val mdb_value = val_of(value, sizeof value);
        NV_TRY(st__db_error(mdb_put(txn, db->tables[ST__BLOCKS], &mdb_key, &mdb_value, 0),
                            "put_block"));
    }
    return NV_OK;
}

static enum nv_err write_txs(struct st_db *db, MDB_txn *txn, const struct st_overlay *overlay)
{
    for (uint32_t i = 0; i < overlay->tx_count; i++) {
        struct nv_hash hash = overlay->txs[i].hash;
        uint8_t value[12];
        nv_be64_store(value, overlay->txs[i].place.height);
        nv_be32_store(value + 8, overlay->txs[i].place.index);
        MDB_val mdb_key = val_of(hash.bytes, sizeof hash.bytes);
        MDB_val mdb_value = val_of(value, sizeof value);
        NV_TRY(st__db_error(mdb_put(txn, db->tables[ST__TXS], &mdb_key, &mdb_value, 0), "put_tx"));
    }
    return NV_OK;
}

static enum nv_err write_epochs(struct st_db *db, MDB_txn *txn, const struct st_overlay *overlay)
{
    for (uint32_t i = 0; i < overlay->epoch_count; i++) {
        const uint8_t *const bytes = overlay->epoch_bytes + (size_t)i * ST_EPOCH_SIZE_MAX;
        NV_TRY(st__db_put_epoch(
            db, txn, overlay->epoch[i].epoch, nv_view_of(bytes, overlay->epoch[i].size)));
    }
    return NV_OK;
}

/* check_base refuses changes to anything but what the database holds. */
static enum nv_err check_base(struct st_db *db, MDB_txn *txn, const struct st_overlay *overlay)
{
    struct st_head head = {.height = 0};
    nv_row_empty_root(&head.root);
    enum nv_err const err = st__db_read_head(db, txn, &head);
    if (err != NV_OK && err != NV_ERR_NOT_FOUND) {
        return err;
    }
    bool const same =
        head.height == overlay->base.height && nv_hash_eq(&head.root, &overlay->base.root);
    return same ? NV_OK : NV_ERR_MISMATCH;
}

enum nv_err st__db_write_head(struct st_db *db, MDB_txn *txn, const struct st_head *head)
{
    char name[] = "head";
    uint8_t bytes[ST__HEAD_SIZE];
    MDB_stat rows;
    NV_TRY(st__db_error(mdb_stat(txn, db->tables[ST__ROWS], &rows), "stat"));
    if (rows.ms_entries != head->row_count) {
        return NV_ERR_CORRUPT; /* some row was lost or is twice */
    }
    st__head_encode(bytes, head);
    MDB_val key = val_of(name, sizeof name - 1);
    MDB_val value = val_of(bytes, sizeof bytes);
    return st__db_error(mdb_put(txn, db->tables[ST__META], &key, &value, 0), "put_head");
}

static enum nv_err write_all(struct st_db *db, MDB_txn *txn, struct st_overlay *overlay)
{
    NV_CRASH_POINT(CHECKPOINT_BEGUN);
    NV_TRY(check_base(db, txn, overlay));
    NV_TRY(write_rows(db, txn, overlay));
    NV_CRASH_POINT(CHECKPOINT_ROWS);
    NV_TRY(write_blocks(db, txn, overlay));
    NV_TRY(write_txs(db, txn, overlay));
    NV_TRY(write_epochs(db, txn, overlay));
    NV_TRY(st__db_write_head(db, txn, &overlay->head));
    NV_CRASH_POINT(CHECKPOINT_HEAD);
    return NV_OK;
}

enum nv_err st_db_checkpoint(struct st_db *db, struct st_overlay *overlay)
{
    NV_ASSERT(!db->read_only && overlay->applied);
    MDB_txn *txn = NULL;
    int dead = 0;
    st__overlay_sort(overlay);
    NV_TRY(st__db_error(mdb_reader_check(db->env, &dead), "reader_check"));
    NV_TRY(st__db_error(mdb_txn_begin(db->env, NULL, 0, &txn), "begin_write"));
    enum nv_err const err = write_all(db, txn, overlay);
    if (err != NV_OK) {
        mdb_txn_abort(txn);
        nv_log(NV_LOG_ERROR,
               "event=checkpoint_failed height=%" NV_U64 " error=%s",
               overlay->head.height,
               nv_err_name(err));
        return err;
    }
    NV_TRY(st__db_error(mdb_txn_commit(txn), "commit"));
    NV_CRASH_POINT(CHECKPOINT_COMMITTED);
    return NV_OK;
}
