#include <lmdb.h>

#include "base/assert.h"

#include "storage/db.h"

static void pin_end(struct st_pin *pin)
{
    mdb_cursor_close(pin->cursor);
    mdb_txn_abort(pin->txn);
    pin->txn = NULL;
}

static enum nv_err pin_make(struct st_db *db, struct st_pin *pin, uint64_t now_ms)
{
    MDB_txn *txn = NULL;
    NV_TRY(st__db_begin(db, &txn));
    enum nv_err err = st__db_read_head(db, txn, &pin->head);
    if (err == NV_OK) {
        err = st__db_error(mdb_cursor_open(txn, db->tables[ST__ROWS], &pin->cursor), "cursor");
    }
    if (err != NV_OK) {
        mdb_txn_abort(txn);
        return err;
    }
    pin->db = db;
    pin->txn = txn;
    pin->made_ms = now_ms;
    pin->used_ms = now_ms;
    return NV_OK;
}

/* pin_slot returns a free slot, made so if need be. */
static struct st_pin *pin_slot(struct st_db *db)
{
    struct st_pin *slot = &db->pins[0];
    for (uint32_t i = 0; i < ST_PINS_MAX; i++) {
        struct st_pin *const pin = &db->pins[i];
        if (pin->txn == NULL) {
            return pin;
        }
        slot = pin->used_ms < slot->used_ms ? pin : slot;
    }
    pin_end(slot);
    return slot;
}

enum nv_err st_db_pin(struct st_db *db, struct st_pin **out, uint64_t height, uint64_t now_ms)
{
    struct st_head newest;
    NV_TRY(st_db_head(db, &newest));
    uint64_t const wanted = height != 0 ? height : newest.height;
    for (uint32_t i = 0; i < ST_PINS_MAX; i++) {
        struct st_pin *const pin = &db->pins[i];
        if (pin->txn != NULL && pin->head.height == wanted) {
            pin->used_ms = now_ms;
            *out = pin;
            return NV_OK;
        }
    }
    if (wanted != newest.height) {
        return NV_ERR_NOT_FOUND;
    }
    *out = pin_slot(db);
    return pin_make(db, *out, now_ms);
}

void st_db_unpin(struct st_db *db, uint64_t before_ms)
{
    for (uint32_t i = 0; i < ST_PINS_MAX; i++) {
        if (db->pins[i].txn != NULL && db->pins[i].made_ms < before_ms) {
            pin_end(&db->pins[i]);
        }
    }
}

const struct st_head *st_pin_head(const struct st_pin *pin)
{
    NV_ASSERT(pin->txn != NULL);
    return &pin->head;
}

enum nv_err st_pin_rows(struct st_pin *pin,
                        struct nv_row *rows,
                        uint32_t *count,
                        const struct nv_row_range *range,
                        uint32_t rows_max)
{
    NV_ASSERT(pin->txn != NULL);
    struct nv_row_key first = range->first;
    MDB_val key = {.mv_size = sizeof first.bytes, .mv_data = first.bytes};
    MDB_val value;
    *count = 0;
    int code = mdb_cursor_get(pin->cursor, &key, &value, MDB_SET_RANGE);
    while (code == MDB_SUCCESS && *count < rows_max) {
        NV_TRY(st__db_row(&rows[*count], &key, &value));
        if (nv_row_key_cmp(&rows[*count].key, &range->last) > 0) {
            break;
        }
        ++*count;
        code = mdb_cursor_get(pin->cursor, &key, &value, MDB_NEXT);
    }
    return code == MDB_NOTFOUND ? NV_OK : st__db_error(code, "page");
}
