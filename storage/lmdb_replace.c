#include <lmdb.h>

#include "base/assert.h"

#include "storage/db.h"
#include "storage/snapshot.h"

/* put_chunk appends the rows that a chunk shows of its range. */
static enum nv_err
put_chunk(MDB_cursor *cursor, const struct nv_proof *proof, const struct nv_row_range *range)
{
    struct nv_row row;
    for (uint32_t at = 0; nv_proof_next(proof, &at, &row);) {
        if (nv_row_key_cmp(&row.key, &range->first) < 0 ||
            nv_row_key_cmp(&row.key, &range->last) > 0) {
            continue;
        }
        NV_TRY(st__db_put_row(cursor, &row, MDB_APPEND));
    }
    return NV_OK;
}

static enum nv_err put_all(
    struct st_db *db, MDB_txn *txn, const struct st_manifest *manifest, st_chunk_fn next, void *ctx)
{
    MDB_cursor *cursor = NULL;
    NV_TRY(st__db_error(mdb_drop(txn, db->tables[ST__ROWS], 0), "drop_rows"));
    NV_TRY(st__db_error(mdb_cursor_open(txn, db->tables[ST__ROWS], &cursor), "cursor"));
    enum nv_err err = NV_OK;
    for (uint32_t i = 0; i < manifest->chunk_count && err == NV_OK; i++) {
        struct nv_proof proof;
        struct nv_row_range range;
        st_manifest_range(manifest, &range, i);
        err = next(ctx, &proof, i);
        err = err == NV_OK ? put_chunk(cursor, &proof, &range) : err;
    }
    mdb_cursor_close(cursor);
    return err == NV_OK ? st__db_write_head(db, txn, &manifest->head) : err;
}

enum nv_err
st_db_replace(struct st_db *db, const struct st_manifest *manifest, st_chunk_fn next, void *ctx)
{
    MDB_txn *txn = NULL;
    NV_ASSERT(!db->read_only);
    NV_TRY(st__db_error(mdb_txn_begin(db->env, NULL, 0, &txn), "begin_write"));
    enum nv_err const err = put_all(db, txn, manifest, next, ctx);
    if (err != NV_OK) {
        mdb_txn_abort(txn);
        return err;
    }
    return st__db_error(mdb_txn_commit(txn), "commit");
}
