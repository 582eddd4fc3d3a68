/* bench_storage.c - `novate bench storage`: the root of a large state after a
 * block, a restart from a large database, and a snapshot of it. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/sort.h"

#include "storage/storage.h"
#include "tools/args.h"
#include "tools/bench/bench.h"
#include "tools/bench/rows.h"
#include "tools/command.h"

#define CHANGED 10000u
#define PAGE    1024u
/* Blocks that are measured, after those that fill the versions that are kept,
 * and between two checkpoints. */
#define BLOCKS  60u
#define WARM_UP 40u

/* Hashes a changed row costs beside its path: the value's, the row's, and the
 * part of the path that it does not share. */
#define HASHES_BESIDE 2.4
/* log2(BENCH_ROWS / CHANGED) */
#define HASHES_PATH 6.6438562

static int seconds_cmp(const void *a, const void *b)
{
    double const x = *(const double *)a;
    double const y = *(const double *)b;
    return (x > y) - (x < y);
}

/* change applies a block of CHANGED random rows and returns what it took. */
static double change(struct st_state *state, const struct nv_row *rows, uint64_t height)
{
    static struct nv_row writes[CHANGED];
    static uint8_t value[BENCH_VALUE_SIZE];
    uint32_t const stride = BENCH_ROWS / CHANGED;
    bench_fill(height, value, sizeof value);
    for (uint32_t i = 0; i < CHANGED; i++) {
        uint32_t pick = 0;
        bench_fill(height * CHANGED + i, &pick, sizeof pick);
        writes[i].key = rows[i * stride + pick % stride].key;
        writes[i].value = nv_view_of(value, sizeof value);
    }
    struct st_block const block = {.height = height, .writes = writes, .write_count = CHANGED};
    double const begin = bench_cpu_s();
    enum nv_err const err = st_apply(state, &block);
    double const took = bench_cpu_s() - begin;
    NV_ASSERT(err == NV_OK);
    if (height % BENCH_BLOCKS_MAX == 0) {
        bench_pass_on(state, NULL);
    }
    return took;
}

void bench_root_leaves_s(void)
{
    uint8_t const value[BENCH_VALUE_SIZE] = {0};
    struct nv_row *const rows = bench_rows(value);
    struct st_state *const state = bench_state(rows, NULL);
    uint64_t const first = BENCH_BLOCKS_MAX * 10;
    static double took[WARM_UP + BLOCKS];
    static double scratch[BLOCKS];
    for (uint64_t i = 0; i < WARM_UP + BLOCKS; i++) {
        took[i] = change(state, rows, first + i);
    }
    nv_sort(took + WARM_UP, BLOCKS, sizeof *took, seconds_cmp, scratch);
    double const rate = CHANGED / took[WARM_UP + BLOCKS / 2];
    double const bound = bench_hashes_s() / (HASHES_PATH + HASHES_BESIDE);
    bench_report("root_leaves_s",
                 rate,
                 "rows/s",
                 bound,
                 rate / bound,
                 "10k of 1M rows changed, median block, versions and overlay kept, one thread; "
                 "limit: hashes alone");
    st_state_close(state);
    bench_rows_free(rows);
}

/* ---- restart ---- */

/* fill_db writes the rows as a checkpoint. */
static void fill_db(const char *dir)
{
    uint8_t const value[BENCH_VALUE_SIZE] = {0};
    struct nv_row *const rows = bench_rows(value);
    struct st_db *const db = bench_db(dir);
    struct st_state *const state = bench_state(rows, db);
    st_db_close(db);
    st_state_close(state);
    bench_rows_free(rows);
}

/* scan reads all rows and returns what it took. */
static double scan(struct st_db *db)
{
    static struct nv_row page[PAGE];
    struct nv_row_range range;
    struct st_pin *pin = NULL;
    uint32_t count = 0;
    uint64_t total = 0;
    double const begin = bench_cpu_s();
    enum nv_err err = st_db_pin(db, &pin, 0, 1);
    NV_ASSERT(err == NV_OK);
    nv_row_range_prefix(&range, NULL, 0);
    bool more = true;
    while (more) {
        err = st_pin_rows(pin, page, &count, &range, PAGE);
        NV_ASSERT(err == NV_OK);
        total += count;
        more = count > 0;
        if (more) {
            range.first = page[count - 1].key;
            more = nv_row_key_next(&range.first);
        }
    }
    double const took = bench_cpu_s() - begin;
    NV_ASSERT(total == BENCH_ROWS);
    st_db_unpin(db, UINT64_MAX);
    return took;
}

static void measure_restart(const char *dir)
{
    struct st_state *state = NULL;
    enum nv_err err = st_state_open(&state, &bench_limits);
    NV_ASSERT(err == NV_OK);
    double const begin = bench_cpu_s();
    struct st_db *const db = bench_db(dir);
    err = st_db_load(db, state);
    double const took = bench_cpu_s() - begin;
    NV_ASSERT(err == NV_OK);
    double const limit = scan(db) + 3.0 * BENCH_ROWS / bench_hashes_s();
    bench_report("restart_s",
                 took,
                 "s",
                 limit,
                 took / limit,
                 "1M rows, database to verified root, one thread; limit: scan and 3 hashes a row");
    st_db_close(db);
    st_state_close(state);
}

void bench_restart_s(void)
{
    char dir[] = "build/bench-db-XXXXXX";
    if (bench_folder(dir)) {
        fill_db(dir);
        measure_restart(dir);
        bench_db_remove(dir);
    }
}

enum tool_exit tool_bench_storage(char **argv)
{
    struct tool_args args;
    static const char usage[] = "novate bench storage";
    enum tool_exit const code = tool_args_read(&args, NULL, 0, usage, argv);
    if (code != TOOL_OK) {
        return code;
    }
    if (args.count != 0) {
        return tool_fail(TOOL_USAGE, NULL, usage, "it takes no words");
    }
    bench_root_leaves_s();
    bench_restart_s();
    bench_snapshot_sync_s();
    return TOOL_OK;
}
