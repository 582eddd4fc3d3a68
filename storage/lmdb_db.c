#include <stdio.h>

#include <lmdb.h>

#include "base/assert.h"
#include "base/crash.h"
#include "base/heap.h"
#include "base/log.h"

#include "storage/db.h"
#include "storage/files.h"
#include "storage/pages.h"

#define FILE_MODE 0600u

static const char *const table_names[ST__TABLES] = {
    [ST__META] = "meta",
    [ST__ROWS] = "rows",
    [ST__BLOCKS] = "blocks",
    [ST__TXS] = "txs",
    [ST__EPOCHS] = "epochs",
};

/* open_tables opens the named databases; `how` is MDB_CREATE when they are to
 * be made.  One that is missing otherwise was lost. */
static enum nv_err open_tables(struct st_db *db, unsigned int how)
{
    MDB_txn *txn = NULL;
    int code = mdb_txn_begin(db->env, NULL, db->read_only ? MDB_RDONLY : 0, &txn);
    if (code != MDB_SUCCESS) {
        return st__db_error(code, "begin");
    }
    for (uint32_t i = 0; i < ST__TABLES && code == MDB_SUCCESS; i++) {
        code = mdb_dbi_open(txn, table_names[i], how, &db->tables[i]);
    }
    if (code != MDB_SUCCESS) {
        mdb_txn_abort(txn);
        return st__db_error(code == MDB_NOTFOUND ? MDB_CORRUPTED : code, "open_table");
    }
    return st__db_error(mdb_txn_commit(txn), "commit");
}

/* check_empty refuses a database that has something and no head.  Ends of epochs
 * may come first: who joins collects them before it has a state. */
static enum nv_err check_empty(struct st_db *db)
{
    MDB_txn *txn = NULL;
    NV_TRY(st__db_begin(db, &txn));
    int code = MDB_SUCCESS;
    size_t count = 0;
    for (uint32_t i = 0; i < ST__TABLES && code == MDB_SUCCESS; i++) {
        MDB_stat stat;
        code = mdb_stat(txn, db->tables[i], &stat);
        count += code == MDB_SUCCESS && i != ST__EPOCHS ? stat.ms_entries : 0;
    }
    mdb_txn_abort(txn);
    return st__db_error(count > 0 ? MDB_CORRUPTED : code, "no_head");
}

/* check_head refuses a database of another version, or one that is not ours. */
static enum nv_err check_head(struct st_db *db)
{
    struct st_head head;
    enum nv_err const err = st_db_head(db, &head);
    return err == NV_ERR_NOT_FOUND ? check_empty(db) : err;
}

/* open_env opens the environment at a path; `how` beside MDB_NOTLS. */
static enum nv_err
open_env(struct st_db *db, const struct st_db_options *options, const char *path, unsigned int how)
{
    int code = mdb_env_create(&db->env);
    if (code != MDB_SUCCESS) {
        db->env = NULL;
        return st__db_error(code, "create");
    }
    code = mdb_env_set_mapsize(db->env, options->map_size);
    code = code == MDB_SUCCESS ? mdb_env_set_maxreaders(db->env, options->readers_max) : code;
    code = code == MDB_SUCCESS ? mdb_env_set_maxdbs(db->env, ST__TABLES) : code;
    code = code == MDB_SUCCESS ? mdb_env_open(db->env, path, MDB_NOTLS | how, FILE_MODE) : code;
    return st__db_error(code, "open");
}

/* make_file writes a database with its tables to a file that is not there, or
 * not whole. */
static enum nv_err make_file(const struct st_db_options *options, const char *path)
{
    const struct st_files *const files = st_files_system();
    struct st_db db = {.env = NULL};
    enum nv_err err = files->remove(files->ctx, path);
    if (err == NV_OK || err == NV_ERR_NOT_FOUND) {
        err = open_env(&db, options, path, MDB_NOSUBDIR | MDB_NOLOCK);
    }
    err = err == NV_OK ? open_tables(&db, MDB_CREATE) : err;
    err = err == NV_OK ? st__db_error(mdb_env_sync(db.env, 1), "sync") : err;
    if (db.env != NULL) {
        mdb_env_close(db.env);
    }
    return err;
}

/* The name is made durable also when it was there: who made it may have died before.
 * SPEC state 5: "A database is made under the name `new.mdb`, with its tables, synced, renamed to `data.mdb`, and the directory is synced: so `data.mdb` is whole from its first moment." */
static enum nv_err check_or_make(const struct st_db_options *options)
{
    const struct st_files *const files = st_files_system();
    char unfinished[ST_PATH_MAX];
    char path[ST_PATH_MAX];
    (void)snprintf(unfinished, sizeof unfinished, "%.4000s/new.mdb", options->dir);
    (void)snprintf(path, sizeof path, "%.4000s/data.mdb", options->dir);
    enum nv_err const err = st__pages_check(path);
    if (err != NV_OK && err != NV_ERR_NOT_FOUND) {
        return err;
    }
    if (err == NV_ERR_NOT_FOUND) {
        NV_TRY(make_file(options, unfinished));
        NV_CRASH_POINT(DATABASE_MADE);
        NV_TRY(files->rename(files->ctx, unfinished, path));
        NV_CRASH_POINT(DATABASE_RENAMED);
    }
    return files->sync_dir(files->ctx, options->dir);
}

static enum nv_err open_whole(struct st_db *db, const struct st_db_options *options)
{
    int dead = 0;
    if (!options->read_only) {
        NV_TRY(check_or_make(options));
    }
    NV_TRY(open_env(db, options, options->dir, options->read_only ? MDB_RDONLY : 0));
    NV_CRASH_POINT(DATABASE_OPENED);
    NV_TRY(st__db_error(mdb_reader_check(db->env, &dead), "reader_check"));
    if (dead > 0) {
        nv_log(NV_LOG_WARN, "event=database_readers_cleared count=%d", dead);
    }
    NV_TRY(open_tables(db, 0));
    return check_head(db);
}

enum nv_err st_db_open(struct st_db **out, const struct st_db_options *options)
{
    NV_ASSERT(options->map_size > 0 && options->readers_max > ST_PINS_MAX);
    struct st_db *const db = (struct st_db *)nv_heap_alloc(sizeof *db);
    if (db == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    db->read_only = options->read_only;
    enum nv_err const err = open_whole(db, options);
    if (err != NV_OK) {
        st_db_close(db);
        return err;
    }
    *out = db;
    return NV_OK;
}

void st_db_close(struct st_db *db)
{
    if (db == NULL) {
        return;
    }
    st_db_unpin(db, UINT64_MAX);
    if (db->env != NULL) {
        mdb_env_close(db->env);
    }
    nv_heap_free(db);
}
