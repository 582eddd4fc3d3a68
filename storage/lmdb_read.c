#include <lmdb.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/crash.h"
#include "base/fmt.h"
#include "base/log.h"

#include "storage/db.h"
#include "storage/state.h"

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

/* row_of makes a row of what a cursor found, which borrows from the map. */
static enum nv_err row_of(struct nv_row *row, const MDB_val *key, const MDB_val *value)
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
        err = row_of(&row, &key, &value);
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

/* ---- pins ---- */

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
        NV_TRY(row_of(&rows[*count], &key, &value));
        if (nv_row_key_cmp(&rows[*count].key, &range->last) > 0) {
            break;
        }
        ++*count;
        code = mdb_cursor_get(pin->cursor, &key, &value, MDB_NEXT);
    }
    return code == MDB_NOTFOUND ? NV_OK : st__db_error(code, "page");
}
