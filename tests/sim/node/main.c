/* nodesim --seed S --count N [--jobs J] [--set name=value]... [--trace] [--twice] [--stop]
 *
 * Runs N seeds of whole nodes from S on, in J processes (as many as there are
 * cores).  A seed that fails is told with all its
 * options and with the line that runs it again.  One seed in sixteen, and with
 * --twice each, is run twice: the traces must be the same. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/log.h"

#include "tests/sim/node/nodesim.h"

#define CHANGES_MAX 64u

struct options {
    uint64_t seed;
    uint64_t count;
    uint64_t jobs;
    char *change[CHANGES_MAX];
    uint32_t change_count;
    bool trace;
    bool twice;
    bool stop; /* after the first failure */
};

static bool options_read(struct options *options, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool const more = i + 1 < argc;
        if (strcmp(argv[i], "--seed") == 0 && more) {
            options->seed = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--count") == 0 && more) {
            options->count = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--jobs") == 0 && more) {
            options->jobs = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--set") == 0 && more && options->change_count < CHANGES_MAX) {
            options->change[options->change_count++] = argv[++i];
        } else if (strcmp(argv[i], "--trace") == 0) {
            options->trace = true;
        } else if (strcmp(argv[i], "--twice") == 0) {
            options->twice = true;
        } else if (strcmp(argv[i], "--stop") == 0) {
            options->stop = true;
        } else {
            return false;
        }
    }
    return true;
}

struct totals {
    uint64_t passed;
    uint64_t failed;
    uint64_t blocks;
    uint64_t txs;
    uint64_t events;
    uint64_t virtual_ms;
    uint64_t epochs;
    uint64_t sets;
    uint64_t least_blocks;
    uint64_t least_faults;
    uint64_t faults[NS_FAULT_KINDS];
};

static uint64_t faults_of(const struct ns *ns)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < NS_FAULT_KINDS; i++) {
        sum += ns->faults[i];
    }
    return sum;
}

static void add(struct totals *totals, const struct ns *ns)
{
    uint64_t const faults = faults_of(ns);
    totals->passed += ns->failed ? 0 : 1;
    totals->failed += ns->failed ? 1 : 0;
    totals->blocks += ns->height;
    totals->txs += ns->included;
    totals->epochs += ns->epoch;
    totals->sets += ns->sets;
    totals->events += ns->events;
    totals->virtual_ms += ns->now_ns / NS_MS;
    totals->least_blocks = ns->height < totals->least_blocks ? ns->height : totals->least_blocks;
    totals->least_faults = faults < totals->least_faults ? faults : totals->least_faults;
    for (uint32_t i = 0; i < NS_FAULT_KINDS; i++) {
        totals->faults[i] += ns->faults[i];
    }
}

static void run(struct ns *ns, const struct options *options, uint64_t seed, struct totals *totals)
{
    uint64_t const trace = ns_run(ns, seed, options->change, options->change_count);
    if (!ns->failed && (options->twice || options->count == 1 || seed % 16 == 0)) {
        ns->print = false;
        uint64_t const again = ns_run(ns, seed, options->change, options->change_count);
        if (again != trace) {
            ns_fail(ns, "the same seed gave another trace");
        }
    }
    add(totals, ns);
    if (ns->failed || options->count == 1) {
        ns_conf_print(ns);
        printf("seed %" PRIu64 ": %s; trace %016" PRIx64 ", %" PRIu64 " blocks, %" PRIu64
               " faults, %" PRIu64 " ms\n",
               seed,
               ns->failed ? "FAILED" : "passed",
               trace,
               ns->height,
               faults_of(ns),
               ns->now_ns / NS_MS);
    }
    if (ns->failed) {
        printf("  %s\n  again: make nodesim SEED=%" PRIu64 " N=1\n", ns->why, seed);
    }
    (void)fflush(stdout);
}

/* The seed that runs: a node that dies of an assertion takes this process along. */
static uint64_t running;

static void last_words(void)
{
    printf("seed %" PRIu64 ": FAILED\n  an assertion\n  again: make nodesim SEED=%" PRIu64 " N=1\n",
           running,
           running);
    (void)fflush(stdout);
}

static double now_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void totals_print(const struct totals *totals, double seconds)
{
    uint64_t const seeds = totals->passed + totals->failed;
    uint64_t faults = 0;
    for (uint32_t i = 0; i < NS_FAULT_KINDS; i++) {
        faults += totals->faults[i];
    }
    printf("%" PRIu64 " seeds, %" PRIu64 " blocks (least %" PRIu64 "), %" PRIu64
           " transactions, %" PRIu64 " faults (least %" PRIu64 "), %" PRIu64 " events, %" PRIu64
           " virtual s; %.0f seeds a minute\n",
           seeds,
           totals->blocks,
           totals->least_blocks,
           totals->txs,
           faults,
           totals->least_faults,
           totals->events,
           totals->virtual_ms / 1000,
           (double)seeds * 60.0 / seconds);
    static const char *const names[NS_FAULT_KINDS] = {
#define NS_FAULT_NAME(name, text) text,
        NS_FAULTS(NS_FAULT_NAME)
#undef NS_FAULT_NAME
    };
    for (uint32_t i = 0; i < NS_FAULT_KINDS; i++) {
        printf("%s%" PRIu64 " %s", i == 0 ? "faults: " : ", ", totals->faults[i], names[i]);
    }
    printf("\n%" PRIu64 " ends of epochs, %" PRIu64 " with other members\n",
           totals->epochs,
           totals->sets);
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", totals->passed, totals->failed);
}

/* ---- processes ---- */

/* work runs every `jobs`-th seed and writes what became of them. */
static void work(struct ns *ns, const struct options *options, uint64_t first, int out)
{
    struct totals totals = {.least_blocks = UINT64_MAX, .least_faults = UINT64_MAX};
    for (uint64_t i = first; i < options->count && !(options->stop && totals.failed > 0);
         i += options->jobs) {
        ns->print = options->trace;
        running = options->seed + i;
        run(ns, options, running, &totals);
    }
    ssize_t const written = write(out, &totals, sizeof totals);
    _exit(written == (ssize_t)sizeof totals ? 0 : 1);
}

static void sum(struct totals *totals, const struct totals *part)
{
    totals->passed += part->passed;
    totals->failed += part->failed;
    totals->blocks += part->blocks;
    totals->txs += part->txs;
    totals->epochs += part->epochs;
    totals->sets += part->sets;
    totals->events += part->events;
    totals->virtual_ms += part->virtual_ms;
    totals->least_blocks =
        part->least_blocks < totals->least_blocks ? part->least_blocks : totals->least_blocks;
    totals->least_faults =
        part->least_faults < totals->least_faults ? part->least_faults : totals->least_faults;
    for (uint32_t i = 0; i < NS_FAULT_KINDS; i++) {
        totals->faults[i] += part->faults[i];
    }
}

/* run_all adds up what the processes write; one that died of an assertion writes
 * nothing and is one failure. */
static struct totals run_all(struct ns *ns, const struct options *options)
{
    struct totals totals = {.least_blocks = UINT64_MAX, .least_faults = UINT64_MAX};
    int ends[2];
    int const made = pipe(ends);
    NV_ASSERT(made == 0);
    for (uint64_t i = 0; i < options->jobs; i++) {
        pid_t const child = fork();
        NV_ASSERT(child >= 0);
        if (child == 0) {
            work(ns, options, i, ends[1]);
        }
    }
    (void)close(ends[1]);
    struct totals part;
    uint64_t parts = 0;
    while (read(ends[0], &part, sizeof part) == (ssize_t)sizeof part) {
        sum(&totals, &part);
        parts++;
    }
    (void)close(ends[0]);
    while (wait(NULL) > 0) {
    }
    totals.failed += options->jobs - parts;
    return totals;
}

int main(int argc, char **argv)
{
    static struct ns ns;
    struct options options = {.seed = 1, .count = 1};
    if (!options_read(&options, argc, argv)) {
        (void)fprintf(stderr,
                      "nodesim --seed S --count N [--jobs J] [--set name=value]... [--trace] "
                      "[--twice] [--stop]\n");
        return 2;
    }
    long const cores = sysconf(_SC_NPROCESSORS_ONLN);
    options.jobs = options.jobs != 0 ? options.jobs : cores > 0 ? (uint64_t)cores : 1;
    options.jobs = options.jobs < options.count ? options.jobs : options.count;
    nv_log_set_level(NV_LOG_ERROR);
    ns.last_words = last_words;
    nv_assert_last_words(last_words);
    double const began = now_s();
    struct totals const totals = run_all(&ns, &options);
    totals_print(&totals, now_s() - began);
    return totals.failed == 0 ? 0 : 1;
}
