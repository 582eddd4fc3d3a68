#include "tools/bench/rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/sort.h"

#include "tools/bench/bench.h"

#define WRITES_MAX 100000u

struct st_limits const bench_limits = {.rows_max = BENCH_ROWS + BENCH_ROWS / 5,
                                       .versions_max = ST_VERSIONS_DEFAULT,
                                       .writes_max = WRITES_MAX,
                                       .dirty_max = BENCH_DIRTY_MAX,
                                       .dirty_bytes_max =
                                           (uint64_t)BENCH_DIRTY_MAX * NV_ROW_VALUE_MAX,
                                       .blocks_max = BENCH_BLOCKS_MAX,
                                       .txs_max = 1};

static int row_cmp(const void *a, const void *b)
{
    const struct nv_row *const x = (const struct nv_row *)a;
    const struct nv_row *const y = (const struct nv_row *)b;
    return nv_row_key_cmp(&x->key, &y->key);
}

struct nv_row *bench_rows(const uint8_t *value)
{
    struct nv_row *const rows = (struct nv_row *)nv_heap_reserve(2 * BENCH_ROWS * sizeof *rows);
    NV_ASSERT(rows != NULL);
    for (uint32_t i = 0; i < BENCH_ROWS; i++) {
        bench_fill(1000003ull * i, &rows[i].key, sizeof rows[i].key);
        rows[i].value = nv_view_of(value, BENCH_VALUE_SIZE);
    }
    nv_sort(rows, BENCH_ROWS, sizeof *rows, row_cmp, rows + BENCH_ROWS);
    return rows;
}

void bench_pass_on(struct st_state *state, struct st_db *db)
{
    struct st_overlay *const overlay = st_freeze(state);
    NV_ASSERT(overlay != NULL);
    enum nv_err const err = db != NULL ? st_db_checkpoint(db, overlay) : NV_OK;
    NV_ASSERT(err == NV_OK);
    st_thaw(state, overlay);
}

struct st_state *bench_state(const struct nv_row *rows, struct st_db *db)
{
    struct st_state *state = NULL;
    enum nv_err err = st_state_open(&state, &bench_limits);
    NV_ASSERT(err == NV_OK);
    for (uint32_t i = 0; i < BENCH_ROWS / WRITES_MAX; i++) {
        struct st_block const block = {
            .height = i + 1, .writes = rows + (size_t)i * WRITES_MAX, .write_count = WRITES_MAX};
        err = st_apply(state, &block);
        NV_ASSERT(err == NV_OK);
        bench_pass_on(state, db);
    }
    return state;
}

struct st_db *bench_db(const char *dir)
{
    struct st_db_options const options = {
        .dir = dir, .map_size = ST_MAP_SIZE_DEFAULT, .readers_max = ST_READERS_DEFAULT};
    struct st_db *db = NULL;
    enum nv_err const err = st_db_open(&db, &options);
    NV_ASSERT(err == NV_OK);
    return db;
}

bool bench_folder(char *path)
{
    if (mkdtemp(path) == NULL) {
        (void)fprintf(stderr, "build/ cannot be written\n");
        return false;
    }
    return true;
}

void bench_rows_free(struct nv_row *rows)
{
    nv_heap_unreserve(rows, 2 * BENCH_ROWS * sizeof *rows);
}

void bench_db_remove(const char *path)
{
    char name[256];
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    for (uint32_t i = 0; i < 2; i++) {
        (void)snprintf(name, sizeof name, "%s/%s", path, files[i]);
        (void)remove(name);
    }
    (void)rmdir(path);
}
