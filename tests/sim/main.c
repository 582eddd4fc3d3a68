/* sim --seed S --count N [--scenario NAME] [--jobs J] [--stop] [--trace] [--list]
 *
 * Runs N seeds from S on and prints the hash of every trace.  One seed in 32,
 * and every single one asked for, is run twice: the traces must be the same.  A
 * single one, and one that fails, prints its options too.  Fails when a seed
 * does; --stop ends at the first.
 *
 * --jobs runs so many processes and prints failures only.  What was run, and how
 * fast, goes to the standard error.
 *
 * sim twins ... is twins.c. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/check.h"
#include "tests/sim/jobs.h"
#include "tests/sim/liar.h"
#include "tests/sim/sim.h"
#include "tests/sim/twins.h"

#define JOBS_MAX    64u
#define TWICE_EVERY 32u
#define FULL_BLOCKS 120u
#define FULL_FAULTS 100u

struct options {
    uint64_t seed;
    uint64_t count;
    const char *scenario;
    uint32_t jobs;
    bool stop;
    bool trace;
    bool list;
};

/* What was run. */
struct totals {
    uint64_t seeds;
    uint64_t failed;
    uint64_t full; /* with FULL_BLOCKS blocks and FULL_FAULTS faults, among 4 to 7 validators */
    uint64_t blocks;
    uint64_t steps;
    uint64_t fault[SIM_FAULT_COUNT];
};

static bool flag_read(struct options *options, const char *word)
{
    if (strcmp(word, "--stop") == 0) {
        options->stop = true;
    } else if (strcmp(word, "--trace") == 0) {
        options->trace = true;
    } else if (strcmp(word, "--list") == 0) {
        options->list = true;
    } else {
        return false;
    }
    return true;
}

static bool value_read(struct options *options, const char *word, const char *value)
{
    if (strcmp(word, "--seed") == 0) {
        options->seed = strtoull(value, NULL, 10);
    } else if (strcmp(word, "--count") == 0) {
        options->count = strtoull(value, NULL, 10);
    } else if (strcmp(word, "--jobs") == 0) {
        options->jobs = (uint32_t)strtoul(value, NULL, 10);
    } else if (strcmp(word, "--scenario") == 0) {
        options->scenario = value;
    } else {
        return false;
    }
    return true;
}

static bool options_read(struct options *options, int argc, char **argv)
{
    *options = (struct options){.seed = 1, .count = 1, .jobs = 1};
    for (int i = 1; i < argc; i++) {
        if (flag_read(options, argv[i])) {
            continue;
        }
        if (i + 1 == argc || !value_read(options, argv[i], argv[i + 1])) {
            return false;
        }
        i++;
    }
    bool const known = options->scenario == NULL || sim_scenario_find(options->scenario) != NULL;
    return known && options->jobs >= 1 && options->jobs <= JOBS_MAX;
}

static void totals_add(struct totals *totals, const struct sim *sim, bool failed)
{
    uint64_t const blocks = oracle_height(sim);
    bool const full = blocks >= FULL_BLOCKS && sim_faults(sim) >= FULL_FAULTS &&
                      sim->conf.validators >= 4 && sim->conf.validators <= 7;
    totals->seeds++;
    totals->failed += failed ? 1 : 0;
    totals->full += full ? 1 : 0;
    totals->blocks += blocks;
    totals->steps += sim->steps;
    for (uint32_t i = 0; i < SIM_FAULT_COUNT; i++) {
        totals->fault[i] += sim->fault[i];
    }
}

static void seed_print(const struct sim *sim, uint64_t trace)
{
    printf("seed %" PRIu64 " %-10s %016" PRIx64 " blocks %" PRIu64 " faults %" PRIu64 "%s%s\n",
           sim->seed,
           sim->scenario->name,
           trace,
           oracle_height(sim),
           sim_faults(sim),
           sim->failed ? " FAILED: " : "",
           sim->failed ? sim->why : "");
}

/* seed_run returns whether a seed is as it should be. */
static bool seed_run(struct sim *sim, const struct options *options, uint64_t seed)
{
    const struct sim_scenario *const scenario =
        options->scenario != NULL ? sim_scenario_find(options->scenario) : sim_scenario_of(seed);
    sim->print = options->trace;
    uint64_t const trace = sim_run(sim, scenario, seed);
    if (options->jobs == 1 || sim->failed) {
        seed_print(sim, trace);
    }
    if (options->count == 1 || sim->failed) {
        sim_conf_print(sim);
    }
    return !sim->failed;
}

static bool seed_again(struct sim *sim, uint64_t seed)
{
    uint64_t const trace = sim->trace;
    sim->print = false;
    if (sim_run(sim, sim->scenario, seed) != trace) {
        printf("seed %" PRIu64 " FAILED: its second run differs\n", seed);
        return false;
    }
    return true;
}

/* share_run runs every jobs-th seed from `first` on. */
static void share_run(const void *context, uint32_t first, void *result)
{
    static struct sim sim;
    const struct options *const options = context;
    struct totals *const totals = result;
    bool go_on = true;
    for (uint64_t i = first; go_on && i < options->count; i += options->jobs) {
        uint64_t const seed = options->seed + i;
        bool sound = seed_run(&sim, options, seed);
        if (options->count == 1 || seed % TWICE_EVERY == 0) {
            sound = seed_again(&sim, seed) && sound;
        }
        totals_add(totals, &sim, !sound);
        go_on = sound || !options->stop;
    }
}

static void totals_sum(struct totals *sum, const struct totals *part)
{
    sum->seeds += part->seeds;
    sum->failed += part->failed;
    sum->full += part->full;
    sum->blocks += part->blocks;
    sum->steps += part->steps;
    for (uint32_t i = 0; i < SIM_FAULT_COUNT; i++) {
        sum->fault[i] += part->fault[i];
    }
}

static void totals_print(const struct totals *totals, double seconds)
{
    static const char *const words[] = {
#define SIM_FAULT_WORD(name, word) word,
        SIM_FAULTS(SIM_FAULT_WORD)
#undef SIM_FAULT_WORD
    };
    uint64_t faults = 0;
    for (uint32_t i = 0; i < SIM_FAULT_COUNT; i++) {
        faults += totals->fault[i];
    }
    fprintf(stderr,
            "%" PRIu64 " seeds (%" PRIu64 " with at least %u blocks and %u faults), %" PRIu64
            " blocks, %" PRIu64 " faults, %" PRIu64 " events in %.1f s: %.0f seeds a minute\n",
            totals->seeds,
            totals->full,
            FULL_BLOCKS,
            FULL_FAULTS,
            totals->blocks,
            faults,
            totals->steps,
            seconds,
            (double)totals->seeds * 60 / seconds);
    fputs("faults:", stderr);
    for (uint32_t i = 0; i < SIM_FAULT_COUNT; i++) {
        fprintf(stderr,
                " %" PRIu64 " %s%s",
                totals->fault[i],
                words[i],
                i + 1 < SIM_FAULT_COUNT ? "," : "\n");
    }
}

int main(int argc, char **argv)
{
    struct options options;
    struct totals part[JOBS_MAX] = {{.seeds = 0}};
    struct totals totals = {.seeds = 0};
    double const start = jobs_seconds();
    (void)setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* processes share it, and may die */
    if (argc > 1 && strcmp(argv[1], "twins") == 0) {
        return twins_main(argc, argv);
    }
    if (!options_read(&options, argc, argv)) {
        fputs("sim --seed S --count N [--scenario NAME] [--jobs J] [--stop] [--trace] [--list]\n",
              stderr);
        return 2;
    }
    for (uint32_t i = 0; options.list && i < sim_scenario_count; i++) {
        puts(sim_scenarios[i].name);
    }
    if (options.list) {
        return 0;
    }
    bool const sound = jobs_run(options.jobs, share_run, &options, part, sizeof part[0]);
    for (uint32_t i = 0; i < options.jobs; i++) {
        totals_sum(&totals, &part[i]);
    }
    totals_print(&totals, jobs_seconds() - start);
    uint64_t const missing = options.stop ? 0 : options.count - totals.seeds;
    uint64_t const failed = totals.failed + missing;
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", totals.seeds - totals.failed, failed);
    return sound && failed == 0 ? 0 : 1;
}
