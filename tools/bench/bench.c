#include "tools/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/hash.h"
#include "base/heap.h"

#define HASHES 2000000u

void bench_report(
    const char *name, double value, const char *unit, double limit, double ratio, const char *note)
{
    double load = 0;
    (void)getloadavg(&load, 1);
    (void)printf("%-20s %12.5g %-6s limit %-10.5g ratio %-6.3f %s; load %.1f\n",
                 name,
                 value,
                 unit,
                 limit,
                 ratio,
                 note,
                 load);
    (void)fflush(stdout);
    FILE *const file = fopen(BENCH_RESULTS, "a");
    if (file == NULL) {
        (void)fprintf(stderr, "%s cannot be written\n", BENCH_RESULTS);
        return;
    }
    (void)fprintf(file,
                  "{\"name\":\"%s\",\"value\":%.9g,\"unit\":\"%s\",\"limit\":%.9g,"
                  "\"ratio\":%.4f,\"note\":\"%s; load %.1f\"}\n",
                  name,
                  value,
                  unit,
                  limit,
                  ratio,
                  note,
                  load);
    (void)fclose(file);
}

void *bench_memory(size_t size)
{
    void *const memory = nv_heap_alloc(size);
    NV_ASSERT(memory != NULL);
    return memory;
}

void bench_memory_free(void *memory)
{
    nv_heap_free(memory);
}

static double seconds_of(clockid_t clock)
{
    struct timespec now;
    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double bench_cpu_s(void)
{
    return seconds_of(CLOCK_THREAD_CPUTIME_ID);
}

double bench_wall_s(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double bench_hashes_s(void)
{
    uint8_t input[64] = {0};
    struct nv_hash hash;
    double const begin = bench_cpu_s();
    for (uint32_t i = 0; i < HASHES; i++) {
        memcpy(input, &i, sizeof i);
        nv_sha256(&hash, nv_view_of(input, sizeof input));
    }
    return (double)HASHES / (bench_cpu_s() - begin);
}

void bench_fill(uint64_t seed, void *out, uint32_t size)
{
    uint8_t *const bytes = (uint8_t *)out;
    for (uint32_t i = 0; i < size; i++) {
        if (i % 8 == 0) { /* SplitMix64 */
            seed += 0x9e3779b97f4a7c15ull;
        }
        uint64_t mixed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9ull;
        mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebull;
        bytes[i] = (uint8_t)((mixed ^ (mixed >> 31)) >> (8 * (i % 8)));
    }
}
