#ifndef NV_TESTS_SIM_JOBS_H
#define NV_TESTS_SIM_JOBS_H

/* jobs.h - the same work shared among processes, one for each core. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOBS_MAX 64u

/* Does the share of job `job`; the result is plain data, zero at first. */
typedef void (*jobs_share_fn)(const void *context, uint32_t job, void *result);

/* jobs_run does all shares, one job in this process and more in their own, and
 * writes the results, of `size` bytes each.  False when a process broke off;
 * what the others did still counts. */
bool jobs_run(uint32_t jobs, jobs_share_fn share, const void *context, void *results, size_t size);

/* jobs_seconds returns a time to measure by. */
double jobs_seconds(void);

#endif /* NV_TESTS_SIM_JOBS_H */
