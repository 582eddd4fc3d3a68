/* floor.c - what the machine itself takes: a signature, a disk, a loopback. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/key.h"
#include "base/sort.h"

#include "tools/bench/bench.h"

#define VERIFIES  4000u
#define SYNCS     200u
#define HOPS      2000u
#define SECTOR    4096u
#define FILE_SIZE (SECTOR * 512u)

static int double_cmp(const void *a, const void *b)
{
    double const left = *(const double *)a;
    double const right = *(const double *)b;
    return (left > right) - (left < right);
}

double bench_quantile(double *values, uint32_t count, uint32_t permille)
{
    double *const scratch = bench_memory((size_t)count * sizeof *scratch);
    nv_sort(values, count, sizeof *values, double_cmp, scratch);
    bench_memory_free(scratch);
    uint32_t const at = (uint32_t)((uint64_t)count * permille / 1000);
    return values[at < count ? at : count - 1];
}

double bench_verify_s(void)
{
    uint8_t seed[32];
    struct nv_seckey secret;
    struct nv_pubkey key;
    struct nv_sig sig;
    struct nv_hash digest;
    bench_fill(1, seed, sizeof seed);
    enum nv_err const err = nv_key_from_seed(&secret, &key, seed);
    NV_ASSERT(err == NV_OK);
    nv_sha256(&digest, nv_view_of(seed, sizeof seed));
    nv_sign(&sig, &secret, &digest);
    uint32_t good = 0;
    double const begin = bench_cpu_s();
    for (uint32_t i = 0; i < VERIFIES; i++) {
        good += nv_verify(&sig, &key, &digest) ? 1u : 0u;
    }
    NV_ASSERT(good == VERIFIES);
    return (bench_cpu_s() - begin) / VERIFIES;
}

void bench_sig_ceiling_tx_s(void)
{
    double const verify = bench_verify_s();
    char note[96];
    (void)snprintf(note,
                   sizeof note,
                   "2 cores / (4 nodes x %.1f us a signature); the limit of net4",
                   verify * 1e6);
    bench_report("sig_ceiling_tx_s", 2.0 / (4.0 * verify), "tx/s", 0, 0, note);
}

double bench_sync_s(const char *dir)
{
    char path[256];
    double took[SYNCS];
    static uint8_t zeros[FILE_SIZE];
    (void)snprintf(path, sizeof path, "%s/sync", dir);
    int const fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    bool good =
        fd >= 0 && write(fd, zeros, sizeof zeros) == (ssize_t)sizeof zeros && fsync(fd) == 0;
    for (uint32_t i = 0; i < SYNCS && good; i++) {
        zeros[0] = (uint8_t)(i + 1);
        double const begin = bench_wall_s();
        good =
            pwrite(fd, zeros, SECTOR, (off_t)(i * SECTOR)) == (ssize_t)SECTOR && fdatasync(fd) == 0;
        took[i] = bench_wall_s() - begin;
    }
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(path);
    }
    return good ? bench_quantile(took, SYNCS, 500) : 0;
}

/* echo answers each byte until the other end closes. */
static void echo(int fd)
{
    char byte = 0;
    while (read(fd, &byte, 1) == 1 && write(fd, &byte, 1) == 1) {
    }
}

double bench_hop_s(void)
{
    int pair[2];
    double took[HOPS];
    char byte = 0;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0) {
        return 0;
    }
    pid_t const child = fork();
    if (child == 0) {
        (void)close(pair[0]);
        echo(pair[1]);
        _exit(0);
    }
    (void)close(pair[1]);
    bool good = child > 0;
    for (uint32_t i = 0; i < HOPS && good; i++) {
        double const begin = bench_wall_s();
        good = write(pair[0], &byte, 1) == 1 && read(pair[0], &byte, 1) == 1;
        took[i] = (bench_wall_s() - begin) / 2;
    }
    (void)close(pair[0]);
    if (child > 0) {
        (void)waitpid(child, NULL, 0);
    }
    return good ? bench_quantile(took, HOPS, 500) : 0;
}
