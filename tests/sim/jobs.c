#include "tests/sim/jobs.h"

#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"

bool jobs_run(uint32_t jobs, jobs_share_fn share, const void *context, void *results, size_t size)
{
    int ends[JOBS_MAX];
    bool sound = true;
    NV_ASSERT(jobs >= 1 && jobs <= JOBS_MAX);
    if (jobs == 1) {
        share(context, 0, results);
        return true;
    }
    for (uint32_t job = 0; job < jobs; job++) {
        uint8_t *const result = (uint8_t *)results + job * size;
        int pair[2];
        int const refused = pipe(pair);
        NV_ASSERT(refused == 0);
        pid_t const child = fork();
        NV_ASSERT(child >= 0);
        if (child == 0) {
            share(context, job, result);
            (void)fflush(stdout);
            bool const written = write(pair[1], result, size) == (ssize_t)size;
            _exit(written ? 0 : 1);
        }
        close(pair[1]);
        ends[job] = pair[0];
    }
    for (uint32_t job = 0; job < jobs; job++) {
        int status = 0;
        bool const told = read(ends[job], (uint8_t *)results + job * size, size) == (ssize_t)size;
        close(ends[job]);
        bool const ended = wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
        sound = told && ended && sound;
    }
    return sound;
}

double jobs_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}
