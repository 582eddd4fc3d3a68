#include <errno.h>

#include <lmdb.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/crash.h"
#include "base/fmt.h"
#include "base/log.h"

#include "storage/db.h"
#include "storage/state.h"

/* ---- reading ---- */

static enum nv_err error_of(int code)
{
    switch (code) {
    case MDB_SUCCESS: return NV_OK;
    case MDB_NOTFOUND:
    case ENOENT: return NV_ERR_NOT_FOUND;
    case MDB_MAP_FULL:
    case ENOSPC:
    case EDQUOT:
    case EFBIG: return NV_ERR_DISK_FULL;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_PANIC: return NV_ERR_CORRUPT;
    case MDB_VERSION_MISMATCH: return NV_ERR_VERSION;
    case MDB_READERS_FULL: return NV_ERR_BUSY;
    case ENOMEM: return NV_ERR_NO_MEMORY;
    case EACCES:
    case EPERM:
    case EROFS: return NV_ERR_PERMISSION;
    default: return NV_ERR_IO;
    }
}

enum nv_err st__db_error(int code, const char *doing)
{
    if (code != MDB_SUCCESS && code != MDB_NOTFOUND) {
        char text[256];
        (void)nv_log_quote(text, sizeof text, nv_view_of_text(mdb_strerror(code)));
        nv_log(NV_LOG_ERROR, "event=database_error doing=%s code=%d text=%s", doing, code, text);
    }
    return error_of(code);
}

enum nv_err st__db_begin(struct st_db *db, struct MDB_txn **txn)
{
    return st__db_error(mdb_txn_begin(db->env, NULL, MDB_RDONLY, txn), "begin_read");
}

enum nv_err st__db_get(struct st_db *db,
                       struct MDB_txn *txn,
                       struct nv_view *value,
                       enum st__table table,
                       struct nv_view key)
{
    uint8_t key_bytes[NV_ROW_KEY_SIZE]; /* LMDB takes no pointer to const */
    NV_ASSERT(key.size <= sizeof key_bytes);
    memcpy(key_bytes, key.bytes, key.size);
    MDB_val mdb_key = {.mv_size = key.size, .mv_data = key_bytes};
    MDB_val mdb_value = {.mv_size = 0, .mv_data = NULL};
    NV_TRY(st__db_error(mdb_get(txn, db->tables[table], &mdb_key, &mdb_value), "get"));
    if (mdb_value.mv_size > UINT32_MAX) {
        return NV_ERR_CORRUPT;
    }
    *value = nv_view_of(mdb_value.mv_data, (uint32_t)mdb_value.mv_size);
    return NV_OK;
}

enum nv_err st__db_read_head(struct st_db *db, struct MDB_txn *txn, struct st_head *head)
{
    struct nv_view value;
    NV_TRY(st__db_get(db, txn, &value, ST__META, nv_view_of_text("head")));
    return st__head_decode(head, value);
}

enum nv_err st_db_head(struct st_db *db, struct st_head *head)
{
    MDB_txn *txn = NULL;
    NV_TRY(st__db_begin(db, &txn));
    enum nv_err const err = st__db_read_head(db, txn, head);
    mdb_txn_abort(txn);
    return err;
}

/* ---- the two indices ---- */

/* lookup copies a value of exactly `size` bytes. */
static enum nv_err
lookup(struct st_db *db, uint8_t *out, uint32_t size, enum st__table table, struct nv_view key)
{
    MDB_txn *txn = NULL;
    struct nv_view value;
    NV_TRY(st__db_begin(db, &txn));
    enum nv_err err = st__db_get(db, txn, &value, table, key);
    if (err == NV_OK && value.size != size) {
        err = NV_ERR_CORRUPT;
    }
    if (err == NV_OK) {
        memcpy(out, value.bytes, size);
    }
    mdb_txn_abort(txn);
    return err;
}

enum nv_err st_db_block(struct st_db *db, struct st_place *out, uint64_t height)
{
    uint8_t key[8];
    uint8_t value[8];
    nv_be64_store(key, height);
    NV_TRY(lookup(db, value, sizeof value, ST__BLOCKS, nv_view_of(key, sizeof key)));
    out->segment = nv_be32_load(value);
    out->offset = nv_be32_load(value + 4);
    return NV_OK;
}

enum nv_err st_db_tx(struct st_db *db, struct st_tx_place *out, const struct nv_hash *tx_hash)
{
    uint8_t value[12];
    NV_TRY(lookup(db, value, sizeof value, ST__TXS, nv_hash_view(tx_hash)));
    out->height = nv_be64_load(value);
    out->index = nv_be32_load(value + 8);
    return NV_OK;
}

/* ---- rows ---- */

enum nv_err st__db_row(struct nv_row *row, const MDB_val *key, const MDB_val *value)
{
    static const uint8_t nothing;
    if (key->mv_size != NV_ROW_KEY_SIZE || value->mv_size > NV_ROW_VALUE_MAX) {
        return NV_ERR_CORRUPT;
    }
    memcpy(row->key.bytes, key->mv_data, NV_ROW_KEY_SIZE);
    const void *const bytes = value->mv_size > 0 ? value->mv_data : &nothing;
    row->value = nv_view_of(bytes, (uint32_t)value->mv_size);
    return NV_OK;
}

/* load_rows feeds all rows to a loader. */
static enum nv_err load_rows(struct st_db *db, MDB_txn *txn, struct st__loader *loader)
{
    MDB_cursor *cursor = NULL;
    MDB_val key;
    MDB_val value;
    NV_TRY(st__db_error(mdb_cursor_open(txn, db->tables[ST__ROWS], &cursor), "cursor"));
    enum nv_err err = NV_OK;
    int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    while (code == MDB_SUCCESS && err == NV_OK) {
        struct nv_row row;
        err = st__db_row(&row, &key, &value);
        err = err == NV_OK ? st__load_row(loader, &row) : err;
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    if (err == NV_OK && code != MDB_NOTFOUND) {
        err = st__db_error(code, "scan");
    }
    return err;
}

static enum nv_err load(struct st_db *db, MDB_txn *txn, struct st_state *state)
{
    struct st_head head;
    struct st__loader loader;
    NV_TRY(st__db_read_head(db, txn, &head));
    st__load_begin(&loader, &state->tree);
    NV_TRY(load_rows(db, txn, &loader));
    struct st_head loaded = head;
    st__load_end(&loader, &loaded);
    if (!nv_hash_eq(&loaded.root, &head.root) || loaded.row_count != head.row_count) {
        nv_log(NV_LOG_ERROR,
               "event=root_mismatch height=%" NV_U64 " rows=%" NV_U64 " rows_expected=%" NV_U64,
               head.height,
               loaded.row_count,
               head.row_count);
        return NV_ERR_MISMATCH;
    }
    state->overlays[state->active].base = head;
    NV_CRASH_POINT(DATABASE_LOADED);
    return NV_OK;
}

enum nv_err st_db_load(struct st_db *db, struct st_state *state)
{
    MDB_txn *txn = NULL;
    NV_ASSERT(!state->overlays[state->active].applied);
    NV_TRY(st__db_begin(db, &txn));
    enum nv_err const err = load(db, txn, state);
    mdb_txn_abort(txn);
    return err;
}
