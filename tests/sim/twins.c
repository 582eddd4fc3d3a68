/* sim twins [--validators N] [--rounds R] [--cells C] [--malformed] [--jobs J]
 *           [--share K/M | --only NUMBER | --sample COUNT --seed S] [--trace]
 *
 * Runs every Twins scenario that is unlike all before it, or the K-th of every M
 * of these, or one by its number; or COUNT drawn by the seeds from S on. */

#include "tests/sim/twins.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/check.h"
#include "tests/sim/jobs.h"
#include "tests/sim/liar.h"

#define TRAILING 10u /* blocks that follow when the network is whole */
#define POLL_NS  (10 * SIM_MS)

/* ---- the world of a scenario ---- */

static void configure(struct sim *sim)
{
    struct sim_conf *const conf = &sim->conf;
    const struct sim_twins *const twins = sim->twins;
    conf->validators = twins->validators;
    conf->twins = twins->twins;
    conf->byzantine = (1u << twins->twins) - 1;
    conf->lies = twins->lies;
    conf->real = 0;
    conf->idle_ms = 0;
    conf->work = 0;
    conf->early = 0;
    conf->net_min_ns = SIM_MS;
    conf->net_max_ns = 20 * SIM_MS;
    conf->sync_max_ns = SIM_MS;
    conf->views_max = 32;
    conf->gst_ns = twins->rounds * 420 * SIM_MS; /* a view may take all its time */
    conf->measure_ns = conf->gst_ns;
    conf->end_ns = conf->gst_ns + 20000 * SIM_MS;
    conf->blocks_after = TRAILING;
    conf->live_least = 0;
    conf->live_views = UINT64_MAX;
    conf->lag_views = 1000;
    sim_poll(sim, POLL_NS);
}

/* script makes the network whole as soon as all honest hosts are through the
 * rounds. */
static void script(struct sim *sim, const struct sim_item *item)
{
    (void)item;
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        const struct sim_host *const host = &sim->host[i];
        if (host->honest && cs_summary(host->cs).view <= sim->twins->rounds) {
            sim_poll(sim, sim->now_ns + POLL_NS);
            return;
        }
    }
    if (sim_chaos(sim)) {
        sim_heal(sim);
    }
}

static bool passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes)
{
    uint64_t const view = cs_summary(sim->host[from].cs).view;
    (void)type;
    (void)bytes;
    if (!sim_chaos(sim) || view < 1 || view > sim->twins->rounds) {
        return true;
    }
    const uint8_t *const cell = sim->twins->cell[view - 1];
    return cell[from] == cell[to];
}

static const struct sim_scenario world = {"twins", 0, configure, script, passes, NULL};

/* ---- options ---- */

struct options {
    uint32_t validators;
    uint32_t rounds;
    uint32_t cells;
    uint32_t jobs;
    uint64_t share;
    uint64_t shares;
    uint64_t sample;
    uint64_t seed;
    uint64_t only;
    bool one;
    bool malformed;
    bool trace;
    struct twins_plan plan;
};

static bool value_read(struct options *options, const char *word, const char *value)
{
    if (strcmp(word, "--share") == 0) {
        return sscanf(value, "%" SCNu64 "/%" SCNu64, &options->share, &options->shares) == 2 &&
               options->shares > 0;
    }
    uint64_t const number = strtoull(value, NULL, 10);
    if (strcmp(word, "--validators") == 0) {
        options->validators = (uint32_t)number;
    } else if (strcmp(word, "--rounds") == 0) {
        options->rounds = (uint32_t)number;
    } else if (strcmp(word, "--cells") == 0) {
        options->cells = (uint32_t)number;
    } else if (strcmp(word, "--jobs") == 0) {
        options->jobs = (uint32_t)number;
    } else if (strcmp(word, "--sample") == 0) {
        options->sample = number;
    } else if (strcmp(word, "--seed") == 0) {
        options->seed = number;
    } else if (strcmp(word, "--only") == 0) {
        options->only = number;
        options->one = true;
    } else {
        return false;
    }
    return true;
}

static bool options_read(struct options *options, int argc, char **argv)
{
    *options = (struct options){
        .validators = 4, .rounds = 3, .cells = 2, .jobs = 1, .shares = 1, .seed = 1};
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--malformed") == 0) {
            options->malformed = true;
        } else if (strcmp(argv[i], "--trace") == 0) {
            options->trace = true;
        } else if (i + 1 == argc || !value_read(options, argv[i], argv[i + 1])) {
            return false;
        } else {
            i++;
        }
    }
    uint32_t const n = options->validators;
    return n >= 4 && n + sim_third(n) <= TWINS_HOSTS_MAX && options->rounds >= 1 &&
           options->rounds <= TWINS_ROUNDS_MAX && options->cells >= 1 && options->jobs >= 1 &&
           options->jobs <= JOBS_MAX;
}

/* ---- running ---- */

struct totals {
    uint64_t scenarios;
    uint64_t failed;
    uint64_t blocks;
    uint64_t steps;
};

/* lies_of chooses what the twins do wrong as leaders. */
static uint32_t lies_of(uint64_t number)
{
    static const uint32_t lies[6] = {
        SIM_LIE_PARENT,
        SIM_LIE_HEADER,
        SIM_LIE_PARENT | SIM_LIE_TWO_BLOCKS,
        SIM_LIE_TIME | SIM_LIE_ROOT,
        SIM_LIE_WITHHOLD | SIM_LIE_PARENT,
        SIM_LIE_LATE | SIM_LIE_TWO_BLOCKS,
    };
    struct sim_rng rng = {number};
    return lies[sim_below(&rng, 6)];
}

static void scenario_print(const struct sim *sim, uint64_t number)
{
    const struct sim_twins *const twins = sim->twins;
    printf("twins %" PRIu64 " blocks %" PRIu64, number, oracle_height(sim));
    for (uint32_t round = 0; round < twins->rounds; round++) {
        printf(" %u:", twins->leader[round]);
        for (uint32_t i = 0; i < twins->validators + twins->twins; i++) {
            printf("%u", twins->cell[round][i]);
        }
    }
    printf(" lies %#x%s%s\n",
           twins->lies,
           sim->failed ? " FAILED: " : "",
           sim->failed ? sim->why : "");
}

static void
one_run(struct sim *sim, struct totals *totals, const struct options *options, uint64_t number)
{
    struct sim_twins twins;
    if (options->sample > 0) {
        twins_draw(&options->plan, &twins, number);
    } else {
        twins_of(&options->plan, &twins, number);
    }
    twins.lies = options->malformed ? lies_of(number) : 0;
    sim->twins = &twins;
    sim->print = options->trace;
    (void)sim_run(sim, &world, number);
    if (sim->failed || options->one || options->sample == 1) {
        scenario_print(sim, number);
    }
    totals->scenarios++;
    totals->failed += sim->failed ? 1 : 0;
    totals->blocks += oracle_height(sim);
    totals->steps += sim->steps;
}

static void
all_run(struct sim *sim, struct totals *totals, const struct options *options, uint32_t job)
{
    uint64_t at = 0;
    for (uint64_t number = 0; number < options->plan.count; number++) {
        if (!twins_first(&options->plan, number)) {
            continue;
        }
        bool const mine =
            at % options->shares == options->share && at / options->shares % options->jobs == job;
        at++;
        if (mine) {
            one_run(sim, totals, options, number);
        }
    }
}

static void share_run(const void *context, uint32_t job, void *result)
{
    static struct sim sim;
    const struct options *const options = context;
    struct totals *const totals = result;
    if (options->one) {
        one_run(&sim, totals, options, options->only);
        return;
    }
    if (options->sample == 0) {
        all_run(&sim, totals, options, job);
        return;
    }
    for (uint64_t i = job; i < options->sample; i += options->jobs) {
        one_run(&sim, totals, options, options->seed + i);
    }
}

int twins_main(int argc, char **argv)
{
    struct options options;
    struct totals part[JOBS_MAX] = {{0}};
    struct totals sum = {0};
    double const start = jobs_seconds();
    if (!options_read(&options, argc, argv)) {
        fputs("sim twins [--validators N] [--rounds R] [--cells C] [--malformed] [--jobs J]\n"
              "    [--share K/M | --only NUMBER | --sample COUNT --seed S] [--trace]\n",
              stderr);
        return 2;
    }
    twins_plan_init(&options.plan, options.validators, options.rounds, options.cells);
    if (options.sample == 0 && (options.plan.count == 0 || options.only >= options.plan.count)) {
        fputs("sim twins: no such scenario, or too many to number: --sample\n", stderr);
        return 2;
    }
    if (options.sample == 0 && !options.one) {
        twins_plan_rename(&options.plan);
    }
    bool const sound = jobs_run(options.jobs, share_run, &options, part, sizeof part[0]);
    twins_plan_deinit(&options.plan);
    for (uint32_t i = 0; i < options.jobs; i++) {
        sum.scenarios += part[i].scenarios;
        sum.failed += part[i].failed;
        sum.blocks += part[i].blocks;
        sum.steps += part[i].steps;
    }
    double const seconds = jobs_seconds() - start;
    fprintf(stderr,
            "twins: %u validators, %u twice, %u rounds, %u cells: %" PRIu64 " scenarios, %" PRIu64
            " blocks, %" PRIu64 " events in %.1f s: %.0f scenarios a minute\n",
            options.validators,
            sim_third(options.validators),
            options.rounds,
            options.cells,
            sum.scenarios,
            sum.blocks,
            sum.steps,
            seconds,
            (double)sum.scenarios * 60 / seconds);
    printf("%" PRIu64 " passed, %" PRIu64 " failed\n", sum.scenarios - sum.failed, sum.failed);
    return sound && sum.failed == 0 ? 0 : 1;
}
