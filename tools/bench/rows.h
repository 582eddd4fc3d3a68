#ifndef NV_TOOLS_BENCH_ROWS_H
#define NV_TOOLS_BENCH_ROWS_H

/* rows.h - a state of a million rows, for what measures storage. */

#include "storage/storage.h"

#define BENCH_ROWS       1000000u
#define BENCH_VALUE_SIZE 100u
#define BENCH_DIRTY_MAX  262144u
#define BENCH_BLOCKS_MAX 20u /* between two checkpoints */

/* What a state of these rows needs. */
extern struct st_limits const bench_limits;

/* bench_rows returns BENCH_ROWS sorted rows of random keys, all with one value,
 * which is borrowed; bench_rows_free gives them back. */
struct nv_row *bench_rows(const uint8_t *value);
void bench_rows_free(struct nv_row *rows);

/* bench_state makes a state of all rows, and checkpoints of it in `db` unless
 * NULL. */
struct st_state *bench_state(const struct nv_row *rows, struct st_db *db);

/* bench_pass_on hands what has changed to `db`, or to nobody. */
void bench_pass_on(struct st_state *state, struct st_db *db);

/* bench_db opens the database in `dir`. */
struct st_db *bench_db(const char *dir);

/* bench_folder makes a folder below build/ and writes its name to `path`, which
 * ends in XXXXXX; false when it cannot.  bench_db_remove removes one that
 * holds nothing but a closed database. */
bool bench_folder(char *path);
void bench_db_remove(const char *path);

#endif /* NV_TOOLS_BENCH_ROWS_H */
