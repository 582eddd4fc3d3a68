#include <lmdb.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/hash.h"

#include "storage/db.h"
#include "storage/epochs.h"
#include "storage/overlay.h"

#define KEY_SIZE 12u /* epoch u64 | part u32 */

static void key_of(uint8_t key[KEY_SIZE], uint64_t epoch, uint32_t part)
{
    nv_be64_store(key, epoch);
    nv_be32_store(key + 8, part);
}

/* drop_rest removes what a longer one that was there before has left. */
static enum nv_err drop_rest(struct st_db *db, MDB_txn *txn, uint64_t epoch, uint32_t part)
{
    int code = MDB_SUCCESS;
    for (; code == MDB_SUCCESS; part++) {
        uint8_t key[KEY_SIZE];
        key_of(key, epoch, part);
        MDB_val mdb_key = {.mv_size = sizeof key, .mv_data = key};
        code = mdb_del(txn, db->tables[ST__EPOCHS], &mdb_key, NULL);
    }
    return code == MDB_NOTFOUND ? NV_OK : st__db_error(code, "drop_epoch");
}

/* SPEC state 5: "An end of an epoch is stored as `SHA256(bytes) ‖ bytes`, cut into parts of 1,984 bytes" */
enum nv_err
st__db_put_epoch(struct st_db *db, struct MDB_txn *txn, uint64_t epoch, struct nv_view bytes)
{
    uint8_t whole[NV_HASH_SIZE + ST_EPOCH_SIZE_MAX];
    struct nv_hash sum;
    NV_ASSERT(bytes.size > 0 && bytes.size <= ST_EPOCH_SIZE_MAX);
    nv_sha256(&sum, bytes);
    memcpy(whole, sum.bytes, NV_HASH_SIZE);
    memcpy(whole + NV_HASH_SIZE, bytes.bytes, bytes.size);
    uint32_t const size = NV_HASH_SIZE + bytes.size;
    uint32_t number = 0;
    for (uint32_t at = 0; at < size; at += NV_ROW_VALUE_MAX) {
        uint8_t key[KEY_SIZE];
        key_of(key, epoch, number++);
        uint32_t const part = size - at < NV_ROW_VALUE_MAX ? size - at : NV_ROW_VALUE_MAX;
        MDB_val mdb_key = {.mv_size = sizeof key, .mv_data = key};
        MDB_val value = {.mv_size = part, .mv_data = whole + at};
        NV_TRY(
            st__db_error(mdb_put(txn, db->tables[ST__EPOCHS], &mdb_key, &value, 0), "put_epoch"));
    }
    return drop_rest(db, txn, epoch, number);
}

enum nv_err st_db_epoch_put(struct st_db *db, uint64_t epoch, struct nv_view bytes)
{
    MDB_txn *txn = NULL;
    NV_ASSERT(!db->read_only);
    NV_TRY(st__db_error(mdb_txn_begin(db->env, NULL, 0, &txn), "begin_write"));
    enum nv_err const err = st__db_put_epoch(db, txn, epoch, bytes);
    if (err != NV_OK) {
        mdb_txn_abort(txn);
        return err;
    }
    return st__db_error(mdb_txn_commit(txn), "commit");
}

/* gather puts the parts together. */
static enum nv_err gather(struct st_db *db,
                          MDB_txn *txn,
                          uint64_t epoch,
                          struct nv_hash *sum,
                          uint8_t *out,
                          uint32_t *size)
{
    uint8_t whole[NV_HASH_SIZE + ST_EPOCH_SIZE_MAX];
    uint32_t at = 0;
    enum nv_err err = NV_OK;
    for (uint32_t part = 0; err == NV_OK; part++) {
        uint8_t key[KEY_SIZE];
        struct nv_view value;
        key_of(key, epoch, part);
        err = st__db_get(db, txn, &value, ST__EPOCHS, nv_view_of(key, sizeof key));
        if (err == NV_OK && value.size > sizeof whole - at) {
            err = NV_ERR_CORRUPT;
        }
        if (err == NV_OK) {
            memcpy(whole + at, value.bytes, value.size);
            at += value.size;
        }
    }
    if (err != NV_ERR_NOT_FOUND || at == 0) {
        return err;
    }
    if (at <= NV_HASH_SIZE) {
        return NV_ERR_CORRUPT;
    }
    *size = at - NV_HASH_SIZE;
    memcpy(sum->bytes, whole, NV_HASH_SIZE);
    memcpy(out, whole + NV_HASH_SIZE, *size);
    return NV_OK;
}

enum nv_err st_db_epoch(struct st_db *db, struct nv_view *out, uint64_t epoch, uint8_t *memory)
{
    MDB_txn *txn = NULL;
    struct nv_hash sum;
    struct nv_hash written;
    uint32_t size = 0;
    NV_TRY(st__db_begin(db, &txn));
    enum nv_err const err = gather(db, txn, epoch, &written, memory, &size);
    mdb_txn_abort(txn);
    NV_TRY(err);
    *out = nv_view_of(memory, size);
    nv_sha256(&sum, *out);
    return nv_hash_eq(&sum, &written) ? NV_OK : NV_ERR_CORRUPT;
}

static enum nv_err last_of(struct st_db *db, MDB_txn *txn, uint64_t *epoch)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    NV_TRY(st__db_error(mdb_cursor_open(txn, db->tables[ST__EPOCHS], &cursor), "cursor"));
    enum nv_err err = st__db_error(mdb_cursor_get(cursor, &key, &value, MDB_LAST), "last_epoch");
    if (err == NV_OK && key.mv_size != KEY_SIZE) {
        err = NV_ERR_CORRUPT;
    }
    if (err == NV_OK) {
        *epoch = nv_be64_load((const uint8_t *)key.mv_data);
    }
    mdb_cursor_close(cursor);
    return err;
}

enum nv_err st_db_epoch_last(struct st_db *db, uint64_t *epoch)
{
    MDB_txn *txn = NULL;
    NV_TRY(st__db_begin(db, &txn));
    enum nv_err const err = last_of(db, txn, epoch);
    mdb_txn_abort(txn);
    return err;
}
