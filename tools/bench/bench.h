#ifndef NV_TOOLS_BENCH_BENCH_H
#define NV_TOOLS_BENCH_BENCH_H

/* bench.h - what the measurements share.
 *
 * A measurement is a function that reports one or more values.  Each value is
 * compared with a limit measured in the same run, so that the ratio says
 * something on any machine.  They run one after another, on one thread unless
 * they say otherwise. */

#include <stdint.h>

/* Where results go, from the folder that `make` runs in. */
#define BENCH_RESULTS "build/bench.jsonl"

/* bench_report prints a row of the table and adds to the results a line {"name", "value",
 * "unit", "limit", "ratio", "note"}.  A limit or ratio of 0 is
 * none.  The texts hold no quotes. */
void bench_report(
    const char *name, double value, const char *unit, double limit, double ratio, const char *note);

/* bench_cpu_s returns the processor time of this thread, in seconds: it does
 * not count what neighbours take. */
double bench_cpu_s(void);

/* bench_wall_s returns a clock that does not go back, in seconds. */
double bench_wall_s(void);

/* bench_hashes_s measures SHA-256 of independent 64-byte inputs, a second. */
double bench_hashes_s(void);

/* bench_fill writes the same bytes for the same seed. */
void bench_fill(uint64_t seed, void *out, uint32_t size);

/* ---- the measurements, by the name of their first value ---- */

/* Roots of 1M rows with 10,000 changed, in changed rows a second; the limit is
 * what hashing alone allows. */
void bench_root_leaves_s(void);

/* From a closed database of 1M rows to a verified root, in seconds; the limit
 * is a scan of the rows and three hashes a row. */
void bench_restart_s(void);

#endif /* NV_TOOLS_BENCH_BENCH_H */
