#ifndef NV_TESTS_CRASH_CRASH_H
#define NV_TESTS_CRASH_CRASH_H

/* crash.h - what the programs of this folder share: options, counters that
 * child processes write, folders in memory.
 *
 *     crash states   power failures at every call, every state opened
 *     crash faults   the n-th call fails, for all n
 *     crash flips    bits turned in closed files
 *     crash kills    kill -9 at random times and at named points
 *
 * Reading order: trace.h, image.h, rig.h, witness.h, then states.c and its
 * neighbours. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CRASH_PATH_SIZE 512u

struct crash_options;
typedef int (*crash_fn)(const struct crash_options *options);

struct crash_options {
    crash_fn command;
    uint64_t count; /* states; the others in proportion */
    uint64_t seed;
    uint32_t workers;
};

/* How many kills, and how many bits, go with so many states. */
#define CRASH_KILLS(count) ((count) / 20 + 1)
#define CRASH_FLIPS(count) ((count) / 5 + 1)

/* What children count.  Shared; written by __atomic operations. */
struct crash_counts {
    uint64_t built;
    uint64_t distinct;
    uint64_t failed;
    uint64_t went_on; /* lives after a crash that went on */
    uint64_t other[64];
};

extern struct crash_counts *crash_counts;

void crash_count(uint64_t *counter);

/* crash_folder writes the path of a folder in memory, of this process, to
 * `out`; crash_end removes them all. */
void crash_folder(char *out, const char *name);
void crash_end(void);

/* crash_fail counts a failure and tells of it. */
__attribute__((format(printf, 1, 2))) void crash_fail(const char *format, ...);

/* crash_fork runs `fn` in a child, which ends with what it returns.
 * crash_wait waits for a child and returns its exit code, or 256 and its
 * signal. */
pid_t crash_fork(int (*fn)(void *ctx), void *ctx);
int crash_wait(pid_t child);

int crash_states(const struct crash_options *options);
int crash_faults(const struct crash_options *options);
int crash_kills(const struct crash_options *options);
int crash_flips(const struct crash_options *options);

#endif /* NV_TESTS_CRASH_CRASH_H */
