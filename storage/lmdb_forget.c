#include <lmdb.h>

#include "base/codec.h"

#include "storage/db.h"

/* forget_blocks removes the places of the blocks up to a height: the keys
 * ascend. */
static enum nv_err forget_blocks(struct st_db *db, MDB_txn *txn, uint64_t height)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    NV_TRY(st__db_error(mdb_cursor_open(txn, db->tables[ST__BLOCKS], &cursor), "cursor"));
    int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (code == MDB_SUCCESS && key.mv_size == 8 &&
           nv_be64_load((const uint8_t *)key.mv_data) <= height) {
        code = mdb_cursor_del(cursor, 0);
        code = code == MDB_SUCCESS ? mdb_cursor_get(cursor, &key, &value, MDB_NEXT) : code;
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? NV_OK : st__db_error(code, "forget_blocks");
}

/* forget_txs removes the transactions of those blocks: all are looked at. */
static enum nv_err forget_txs(struct st_db *db, MDB_txn *txn, uint64_t height)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    NV_TRY(st__db_error(mdb_cursor_open(txn, db->tables[ST__TXS], &cursor), "cursor"));
    int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (code == MDB_SUCCESS) {
        bool const old =
            value.mv_size >= 8 && nv_be64_load((const uint8_t *)value.mv_data) <= height;
        code = old ? mdb_cursor_del(cursor, 0) : code;
        code = code == MDB_SUCCESS ? mdb_cursor_get(cursor, &key, &value, MDB_NEXT) : code;
    }
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? NV_OK : st__db_error(code, "forget_txs");
}

enum nv_err st_db_forget(struct st_db *db, uint64_t height)
{
    MDB_txn *txn = NULL;
    NV_TRY(st__db_error(mdb_txn_begin(db->env, NULL, 0, &txn), "begin_write"));
    enum nv_err err = forget_blocks(db, txn, height);
    err = err == NV_OK ? forget_txs(db, txn, height) : err;
    if (err != NV_OK) {
        mdb_txn_abort(txn);
        return err;
    }
    return st__db_error(mdb_txn_commit(txn), "commit");
}
