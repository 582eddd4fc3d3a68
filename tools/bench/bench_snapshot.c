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

/* A snapshot on disk, and as it is unpacked. */
struct chunks {
    const struct st_snapshots *at;
    struct st_manifest manifest;
    struct nv_proof open[CHUNKS_MAX];
    uint8_t *chunk[CHUNKS_MAX];
    uint8_t manifest_bytes[ST_MANIFEST_SIZE_MAX];
    uint8_t packed[ST_CHUNK_PACKED_MAX];
    uint8_t memory[ST_CHUNK_SIZE_MAX];
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

/* read_verified reads a chunk and verifies it, as a joiner does. */
static enum nv_err read_verified(void *ctx, struct nv_proof *proof, uint32_t index)
{
    struct chunks *const c = ctx;
    struct nv_view packed;
    NV_TRY(st_snapshot_get(
        c->at, &packed, HEIGHT, ST_SNAPSHOT_DONE, index, c->packed, sizeof c->packed));
    return st_chunk_open(proof, &c->manifest, index, packed, c->memory);
}

/* hold reads the manifest, and the rows of all chunks into memory. */
static void hold(struct chunks *c)
{
    struct nv_view view;
    struct nv_proof proof;
    enum nv_err err = st_snapshot_get(c->at,
                                      &view,
                                      HEIGHT,
                                      ST_SNAPSHOT_DONE,
                                      ST_PART_MANIFEST,
                                      c->manifest_bytes,
                                      sizeof c->manifest_bytes);
    NV_ASSERT(err == NV_OK);
    err = st_manifest_decode(&c->manifest, view);
    NV_ASSERT(err == NV_OK && c->manifest.chunk_count <= CHUNKS_MAX);
    for (uint32_t i = 0; i < c->manifest.chunk_count; i++) {
        err = read_verified(c, &proof, i);
        NV_ASSERT(err == NV_OK);
        c->chunk[i] = bench_memory(proof.bytes.size);
        memcpy(c->chunk[i], proof.bytes.bytes, proof.bytes.size);
        c->open[i] = (struct nv_proof){.bytes = nv_view_of(c->chunk[i], proof.bytes.size),
                                       .root = proof.root};
    }
}

static enum nv_err read_held(void *ctx, struct nv_proof *proof, uint32_t index)
{
    const struct chunks *const c = ctx;
    *proof = c->open[index];
    return NV_OK;
}

/* load makes the database's rows those of the chunks that `next` gives, and
 * returns what that took. */
static double load(struct chunks *c, struct st_db *db, st_chunk_fn next)
{
    double const begin = bench_cpu_s();
    enum nv_err const err = st_db_replace(db, &c->manifest, next, c);
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

/* join measures one way from the chunks to a verified root, in a database of its
 * own. */
static double join(struct chunks *c, st_chunk_fn next)
{
    char dir[] = "build/bench-join-XXXXXX";
    if (!bench_folder(dir)) {
        return 0;
    }
    struct st_db *const db = bench_db(dir);
    double const took = load(c, db, next) + rebuild(db);
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
    c->at = &at;
    make(&at);
    hold(c);
    double const limit = join(c, read_held);
    double const took = join(c, read_verified);
    bench_report("snapshot_sync_s",
                 took,
                 "s",
                 limit,
                 took / limit,
                 "1M rows: chunks read, verified, loaded, tree built; limit: rows in memory "
                 "appended, tree built; one thread");
    enum nv_err const err = st_snapshot_remove(&at, HEIGHT, ST_SNAPSHOT_DONE);
    NV_ASSERT(err == NV_OK);
    (void)rmdir(dir);
}
