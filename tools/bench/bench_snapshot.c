/* bench_snapshot.c - from the chunks of a snapshot to a state with a verified
 * root, against what cannot be spared: appending the rows, building the tree. */

#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/heap.h"

#include "storage/snapshot.h"
#include "tools/bench/bench.h"
#include "tools/bench/rows.h"

#define CHUNKS_MAX 512u
#define HEIGHT     (BENCH_ROWS / 100000u)

/* A snapshot as it came, and as it is unpacked. */
struct chunks {
    struct st_manifest manifest;
    struct nv_view packed[CHUNKS_MAX];
    struct nv_proof open[CHUNKS_MAX];
    uint8_t *chunk[CHUNKS_MAX];
    uint8_t manifest_bytes[ST_MANIFEST_SIZE_MAX];
    uint8_t memory[ST_CHUNK_PACKED_MAX];
};

/* make exports a state of all rows below `dir`. */
static void make(const struct st_snapshots *at)
{
    uint8_t const value[BENCH_VALUE_SIZE] = {0};
    struct nv_row *const rows = bench_rows(value);
    struct st_state *const state = bench_state(rows, NULL);
    enum nv_err const err = st_snapshot_export(at, state, nv_view_of("", 0));
    NV_ASSERT(err == NV_OK);
    st_state_close(state);
    bench_rows_free(rows);
}

/* fetch reads the snapshot into memory, as if it had been sent. */
static void fetch(const struct st_snapshots *at, struct chunks *c)
{
    struct nv_view view;
    enum nv_err err = st_snapshot_get(at,
                                      &view,
                                      HEIGHT,
                                      ST_SNAPSHOT_DONE,
                                      ST_PART_MANIFEST,
                                      c->manifest_bytes,
                                      sizeof c->manifest_bytes);
    NV_ASSERT(err == NV_OK && st_manifest_decode(&c->manifest, view) == NV_OK);
    NV_ASSERT(c->manifest.chunk_count <= CHUNKS_MAX);
    for (uint32_t i = 0; i < c->manifest.chunk_count; i++) {
        err = st_snapshot_get(at, &view, HEIGHT, ST_SNAPSHOT_DONE, i, c->memory, sizeof c->memory);
        NV_ASSERT(err == NV_OK);
        uint8_t *const copy = bench_memory(view.size);
        memcpy(copy, view.bytes, view.size);
        c->packed[i] = nv_view_of(copy, view.size);
        c->chunk[i] = bench_memory(ST_CHUNK_SIZE_MAX);
    }
}

/* check verifies all chunks and puts them into a folder; it returns what that
 * took. */
static double check(const struct st_snapshots *at, struct chunks *c)
{
    double const begin = bench_cpu_s();
    enum nv_err err = st_snapshot_begin(at, HEIGHT, ST_SNAPSHOT_FETCHED);
    for (uint32_t i = 0; i < c->manifest.chunk_count && err == NV_OK; i++) {
        err = st_chunk_open(&c->open[i], &c->manifest, i, c->packed[i], c->chunk[i]);
        NV_ASSERT(err == NV_OK);
        err = st_snapshot_put(at, HEIGHT, ST_SNAPSHOT_FETCHED, i, c->packed[i]);
    }
    NV_ASSERT(err == NV_OK);
    return bench_cpu_s() - begin;
}

/* load makes the database's rows those of the snapshot and returns what that
 * took. */
static double load(const struct st_snapshots *at, struct chunks *c, struct st_db *db)
{
    uint32_t bad = 0;
    double const begin = bench_cpu_s();
    enum nv_err const err = st_snapshot_load(at, db, &c->manifest, ST_SNAPSHOT_FETCHED, &bad);
    NV_ASSERT(err == NV_OK);
    return bench_cpu_s() - begin;
}

static enum nv_err next_open(void *ctx, struct nv_proof *proof, uint32_t index)
{
    const struct chunks *const c = ctx;
    *proof = c->open[index];
    return NV_OK;
}

/* append does the same with rows that lie in memory. */
static double append(struct chunks *c, struct st_db *db)
{
    double const begin = bench_cpu_s();
    enum nv_err const err = st_db_replace(db, &c->manifest, next_open, c);
    NV_ASSERT(err == NV_OK);
    return bench_cpu_s() - begin;
}

/* rebuild builds the tree from the database and returns what that took. */
static double rebuild(struct st_db *db)
{
    struct st_state *state = NULL;
    double const begin = bench_cpu_s();
    enum nv_err const err = st_snapshot_copy(&state, db);
    double const took = bench_cpu_s() - begin;
    NV_ASSERT(err == NV_OK);
    st_state_close(state);
    return took;
}

static double in_new_db(const char *name, const struct st_snapshots *at, struct chunks *c, bool all)
{
    char dir[64];
    (void)memcpy(dir, name, strlen(name) + 1);
    if (!bench_folder(dir)) {
        return 0;
    }
    struct st_db *const db = bench_db(dir);
    double const took = (all ? check(at, c) + load(at, c, db) : append(c, db)) + rebuild(db);
    st_db_close(db);
    bench_db_remove(dir);
    return took;
}

void bench_snapshot_sync_s(void)
{
    char dir[] = "build/bench-snapshot-XXXXXX";
    struct st_snapshots const at = {.files = st_files_system(), .dir = dir};
    struct chunks *const c = bench_memory(sizeof *c);
    if (!bench_folder(dir)) {
        return;
    }
    make(&at);
    fetch(&at, c);
    double const took = in_new_db("build/bench-sync-XXXXXX", &at, c, true);
    double const limit = in_new_db("build/bench-load-XXXXXX", &at, c, false);
    bench_report("snapshot_sync_s",
                 took,
                 "s",
                 limit,
                 took / limit,
                 "1M rows: chunks verified, stored, loaded, tree built; limit: rows appended, tree "
                 "built; one thread");
    enum nv_err err = st_snapshot_remove(&at, HEIGHT, ST_SNAPSHOT_DONE);
    NV_ASSERT(err == NV_OK);
    err = st_snapshot_tidy(&at, 0);
    NV_ASSERT(err == NV_OK);
    (void)rmdir(dir);
}
