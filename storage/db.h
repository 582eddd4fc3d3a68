#ifndef NV_STORAGE_DB_H
#define NV_STORAGE_DB_H

/* db.h - the database of docs/spec/state.md section 5 (private to lmdb_*.c).
 *
 * LMDB's rules that hold here: the environment is opened once in a process and
 * never used across a fork; a read transaction belongs to no thread (MDB_NOTLS)
 * and is short or pinned for a bounded time, because the file grows behind it;
 * neither WRITEMAP nor NOSYNC; no value above NV_ROW_VALUE_MAX, so that none
 * takes a page of its own. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"

#include "storage/storage.h"

struct MDB_env;
struct MDB_txn;
struct MDB_cursor;

/* The named databases, in the order of `tables`. */
enum st__table {
    ST__META,
    ST__ROWS,
    ST__BLOCKS,
    ST__TXS,
    ST__EPOCHS,
};

#define ST__TABLES 5u

struct st_pin {
    struct st_db *db;
    struct MDB_txn *txn; /* NULL: the slot is free */
    struct MDB_cursor *cursor;
    struct st_head head;
    uint64_t made_ms;
    uint64_t used_ms;
};

struct st_db {
    struct MDB_env *env;
    unsigned int tables[ST__TABLES];
    bool read_only;
    struct st_pin pins[ST_PINS_MAX]; /* owned by the thread that pins */
};

/* st__db_error names an error of LMDB, and logs it with what was being done
 * unless it is none or "not found". */
enum nv_err st__db_error(int code, const char *doing);

/* st__db_begin begins a read transaction. */
NV_MUST_USE enum nv_err st__db_begin(struct st_db *db, struct MDB_txn **txn);

/* st__db_get reads one value, borrowed until the transaction ends. */
NV_MUST_USE enum nv_err st__db_get(struct st_db *db,
                                   struct MDB_txn *txn,
                                   struct nv_view *value,
                                   enum st__table table,
                                   struct nv_view key);

/* st__db_read_head reads the head in a transaction. */
NV_MUST_USE enum nv_err
st__db_read_head(struct st_db *db, struct MDB_txn *txn, struct st_head *head);

/* st__db_row makes a row of what a cursor found, which borrows from the map. */
struct MDB_val;
NV_MUST_USE enum nv_err
st__db_row(struct nv_row *row, const struct MDB_val *key, const struct MDB_val *value);

/* st__db_put_row puts a row that has a value; `how` is of LMDB. */
NV_MUST_USE enum nv_err
st__db_put_row(struct MDB_cursor *cursor, const struct nv_row *row, unsigned int how);

/* st__db_write_head writes the head of what the transaction has made of the
 * rows; NV_ERR_CORRUPT when they are not as many as it says. */
NV_MUST_USE enum nv_err
st__db_write_head(struct st_db *db, struct MDB_txn *txn, const struct st_head *head);

/* st__db_put_epoch puts the end of an epoch. */
NV_MUST_USE enum nv_err
st__db_put_epoch(struct st_db *db, struct MDB_txn *txn, uint64_t epoch, struct nv_view bytes);

#define ST__HEAD_SIZE 116u

void st__head_encode(uint8_t *out, const struct st_head *head);

/* st__head_decode reads a head; NV_ERR_VERSION, NV_ERR_CORRUPT. */
NV_MUST_USE enum nv_err st__head_decode(struct st_head *head, struct nv_view bytes);

#endif /* NV_STORAGE_DB_H */
