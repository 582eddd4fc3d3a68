#ifndef NV_TOOLS_BENCH_BENCH_H
#define NV_TOOLS_BENCH_BENCH_H

/* bench.h - what the measurements share.
 *
 * A measurement is a function that reports one or more values.  Each value is
 * compared with a limit measured in the same run, so that the ratio says
 * something on any machine.  They run one after another, on one thread unless
 * they say otherwise. */

#include <stddef.h>
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

/* bench_memory returns zeroed memory and ends the program when there is none. */
void *bench_memory(size_t size);
void bench_memory_free(void *memory);

/* bench_verify_s measures the verification of a signature, in seconds. */
double bench_verify_s(void);

/* bench_sync_s returns the median time of an fdatasync of one sector written
 * to a preallocated file in `dir`, in seconds; 0 when it cannot be measured. */
double bench_sync_s(const char *dir);

/* bench_hop_s returns the median time that a small message takes to a process
 * that waits for it on loopback, in seconds. */
double bench_hop_s(void);

/* bench_quantile sorts `count` values, at least 1, and returns the one that
 * `permille` of them do not exceed. */
double bench_quantile(double *values, uint32_t count, uint32_t permille);

/* ---- the measurements, by the name of their first value ---- */

/* Roots of 1M rows with 10,000 changed, in changed rows a second; the limit is
 * what hashing alone allows. */
void bench_root_leaves_s(void);

/* From a closed database of 1M rows to a verified root, in seconds; the limit
 * is a scan of the rows and three hashes a row. */
void bench_restart_s(void);

/* From the packed chunks of a snapshot of 1M rows to a verified root, in
 * seconds; the limit is the rows appended and the tree built from them. */
void bench_snapshot_sync_s(void);

/* Transactions a second that signatures alone allow four nodes on two cores. */
void bench_sig_ceiling_tx_s(void);

/* Four validators on loopback with durable votes, as many transactions as they
 * take: of one order, and in orders of 16 a transaction. */
void bench_net4_tx_s(void);
void bench_net4_orders_s_16(void);

/* The same at leisure: 100 transactions a second, from submitting to the answer
 * that tells the receipt; then one transaction a block, as fast as it goes. */
void bench_net4_finality_ms(void);
void bench_net4_small_blocks_s(void);

/* A certificate of a bare quorum of 4, 16, 64 and 100 validators, in microseconds;
 * the limit is its signatures alone. */
void bench_certificate_check_us(void);

/* The longest pause of a loaded network of four when one is killed, in
 * milliseconds; the limit is the timer after which a silent leader is given up. */
void bench_leader_crash_ms(void);

/* A generated order flow (flow_generate.h) through the VM. */
void bench_vm_ops_s(void);

/* Margin of accounts with 16 positions; the limit is bare multiply-adds. */
void bench_margin_checks_s(void);

/* What a validator of a devnet with bots takes after so many seconds, in MiB. */
void bench_memory_mib(uint32_t seconds);

#endif /* NV_TOOLS_BENCH_BENCH_H */
