/* sim --seed S --count N [--scenario NAME] [--trace] [--list]
 *
 * Runs N seeds from S on and prints the hash of every trace (with --quiet only
 * failures).  One seed in eight, and every single one asked for, is run twice:
 * the traces must be the same.  Fails when a seed does. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim.h"

struct options {
    uint64_t seed;
    uint64_t count;
    const char *scenario;
    bool trace;
    bool list;
};

static bool options_read(struct options *options, int argc, char **argv)
{
    *options = (struct options){.seed = 1, .count = 1};
    for (int i = 1; i < argc; i++) {
        bool const more = i + 1 < argc;
        if (strcmp(argv[i], "--seed") == 0 && more) {
            options->seed = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--count") == 0 && more) {
            options->count = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--scenario") == 0 && more) {
            options->scenario = argv[++i];
        } else if (strcmp(argv[i], "--trace") == 0) {
            options->trace = true;
        } else if (strcmp(argv[i], "--list") == 0) {
            options->list = true;
        } else {
            return false;
        }
    }
    return options->scenario == NULL || sim_scenario_find(options->scenario) != NULL;
}

static bool seed_run(struct sim *sim, const struct options *options, uint64_t seed)
{
    const struct sim_scenario *const scenario =
        options->scenario != NULL ? sim_scenario_find(options->scenario) : sim_scenario_of(seed);
    sim->print = options->trace;
    uint64_t const trace = sim_run(sim, scenario, seed);
    bool failed = sim->failed;
    printf("seed %" PRIu64 " %-10s %016" PRIx64 " height %" PRIu64 "%s%s\n",
           seed,
           scenario->name,
           trace,
           oracle_height(sim),
           failed ? " FAILED: " : "",
           failed ? sim->why : "");
    if (options->count == 1 || seed % 8 == 0) {
        sim->print = false;
        uint64_t const again = sim_run(sim, scenario, seed);
        if (again != trace) {
            printf("seed %" PRIu64 " FAILED: its second run differs\n", seed);
            failed = true;
        }
    }
    return !failed;
}

int main(int argc, char **argv)
{
    static struct sim sim;
    struct options options;
    uint64_t passed = 0;
    if (!options_read(&options, argc, argv)) {
        fputs("sim --seed S --count N [--scenario NAME] [--trace] [--list]\n", stderr);
        return 2;
    }
    for (uint32_t i = 0; options.list && i < sim_scenario_count; i++) {
        puts(sim_scenarios[i].name);
    }
    for (uint64_t i = 0; !options.list && i < options.count; i++) {
        passed += seed_run(&sim, &options, options.seed + i) ? 1 : 0;
    }
    if (options.list) {
        return 0;
    }
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", passed, options.count - passed);
    return passed == options.count ? 0 : 1;
}
