/* bench_storage.c - `novate bench storage`: the root of a large state after a
 * block, and a restart from a large database. */

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
#include "tools/command.h"

#define ROWS       1000000u
#define CHANGED    10000u
#define VALUE_SIZE 100u
#define PAGE       1024u
#define WRITES_MAX 100000u
#define DIRTY_MAX  262144u
/* Blocks that are measured, after those that fill the versions that are kept,
 * and between two checkpoints. */
#define BLOCKS     60u
#define WARM_UP    40u
#define CHECKPOINT 20u

/* Hashes a changed row costs beside its path: the value's, the row's, and the
 * part of the path that it does not share. */
#define HASHES_BESIDE 2.4
/* log2(ROWS / CHANGED) */
#define HASHES_PATH 6.6438562

static struct st_limits const limits = {.rows_max = ROWS + ROWS / 5,
                                        .versions_max = ST_VERSIONS_DEFAULT,
                                        .writes_max = WRITES_MAX,
                                        .dirty_max = DIRTY_MAX,
                                        .dirty_bytes_max = (uint64_t)DIRTY_MAX * NV_ROW_VALUE_MAX,
                                        .blocks_max = CHECKPOINT,
                                        .txs_max = 1};

static int row_cmp(const void *a, const void *b)
{
    const struct nv_row *const x = (const struct nv_row *)a;
    const struct nv_row *const y = (const struct nv_row *)b;
    return nv_row_key_cmp(&x->key, &y->key);
}

static int seconds_cmp(const void *a, const void *b)
{
    double const x = *(const double *)a;
    double const y = *(const double *)b;
    return (x > y) - (x < y);
}

/* all_rows makes ROWS sorted rows of random keys, all with one value. */
static struct nv_row *all_rows(const uint8_t *value)
{
    struct nv_row *const rows = (struct nv_row *)nv_heap_reserve(2 * ROWS * sizeof *rows);
    NV_ASSERT(rows != NULL);
    for (uint32_t i = 0; i < ROWS; i++) {
        bench_fill(1000003ull * i, &rows[i].key, sizeof rows[i].key);
        rows[i].value = nv_view_of(value, VALUE_SIZE);
    }
    nv_sort(rows, ROWS, sizeof *rows, row_cmp, rows + ROWS);
    return rows;
}

/* pass_on hands what has changed to `db`, or to nobody. */
static void pass_on(struct st_state *state, struct st_db *db)
{
    struct st_overlay *const overlay = st_freeze(state);
    NV_ASSERT(overlay != NULL);
    enum nv_err const err = db != NULL ? st_db_checkpoint(db, overlay) : NV_OK;
    NV_ASSERT(err == NV_OK);
    st_thaw(state, overlay);
}

/* fill makes a state of all rows, and checkpoints of it in `db` unless NULL. */
static struct st_state *fill(const struct nv_row *rows, struct st_db *db)
{
    struct st_state *state = NULL;
    enum nv_err err = st_state_open(&state, &limits);
    NV_ASSERT(err == NV_OK);
    for (uint32_t i = 0; i < ROWS / WRITES_MAX; i++) {
        struct st_block const block = {
            .height = i + 1, .writes = rows + (size_t)i * WRITES_MAX, .write_count = WRITES_MAX};
        err = st_apply(state, &block);
        NV_ASSERT(err == NV_OK);
        pass_on(state, db);
    }
    return state;
}

/* change applies a block of CHANGED random rows and returns what it took. */
static double change(struct st_state *state, const struct nv_row *rows, uint64_t height)
{
    static struct nv_row writes[CHANGED];
    static uint8_t value[VALUE_SIZE];
    uint32_t const stride = ROWS / CHANGED;
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
    if (height % CHECKPOINT == 0) {
        pass_on(state, NULL);
    }
    return took;
}

void bench_root_leaves_s(void)
{
    uint8_t const value[VALUE_SIZE] = {0};
    struct nv_row *const rows = all_rows(value);
    struct st_state *const state = fill(rows, NULL);
    uint64_t const first = CHECKPOINT * 10;
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
    nv_heap_unreserve(rows, 2 * ROWS * sizeof *rows);
}

/* ---- restart ---- */

/* open_db opens the database in `dir`. */
static struct st_db *open_db(const char *dir)
{
    struct st_db_options const options = {
        .dir = dir, .map_size = ST_MAP_SIZE_DEFAULT, .readers_max = ST_READERS_DEFAULT};
    struct st_db *db = NULL;
    enum nv_err const err = st_db_open(&db, &options);
    NV_ASSERT(err == NV_OK);
    return db;
}

/* fill_db writes the rows as a checkpoint. */
static void fill_db(const char *dir)
{
    uint8_t const value[VALUE_SIZE] = {0};
    struct nv_row *const rows = all_rows(value);
    struct st_db *const db = open_db(dir);
    struct st_state *const state = fill(rows, db);
    st_db_close(db);
    st_state_close(state);
    nv_heap_unreserve(rows, 2 * ROWS * sizeof *rows);
}

/* step moves a key to the next one. */
static void step(struct nv_row_key *key)
{
    uint32_t at = NV_ROW_KEY_SIZE;
    do {
        at--;
        key->bytes[at]++;
    } while (key->bytes[at] == 0 && at > 0);
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
    memset(&range.first, 0, sizeof range.first);
    memset(&range.last, 0xff, sizeof range.last);
    do {
        err = st_pin_rows(pin, page, &count, &range, PAGE);
        NV_ASSERT(err == NV_OK);
        total += count;
        range.first = page[count > 0 ? count - 1 : 0].key;
        step(&range.first);
    } while (count > 0);
    double const took = bench_cpu_s() - begin;
    NV_ASSERT(total == ROWS);
    st_db_unpin(db, UINT64_MAX);
    return took;
}

static void measure_restart(const char *dir)
{
    struct st_state *state = NULL;
    enum nv_err err = st_state_open(&state, &limits);
    NV_ASSERT(err == NV_OK);
    double const begin = bench_cpu_s();
    struct st_db *const db = open_db(dir);
    err = st_db_load(db, state);
    double const took = bench_cpu_s() - begin;
    NV_ASSERT(err == NV_OK);
    double const limit = scan(db) + 3.0 * ROWS / bench_hashes_s();
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
    char path[sizeof dir + 16];
    static const char *const files[] = {"data.mdb", "lock.mdb"};
    if (mkdtemp(dir) == NULL) {
        (void)fprintf(stderr, "build/ cannot be written\n");
        return;
    }
    fill_db(dir);
    measure_restart(dir);
    for (uint32_t i = 0; i < 2; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, files[i]);
        (void)remove(path);
    }
    (void)rmdir(dir);
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
    return TOOL_OK;
}
