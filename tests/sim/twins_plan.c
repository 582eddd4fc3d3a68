/* Which Twins scenarios there are, and which of them are alike. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/twins.h"

#define PARTITIONS_MAX 32768u
#define RENAMINGS_MAX  1024u

/* ---- partitions ---- */

/* partitions_add adds all ways to put the hosts from `host` on into cells, of
 * which `used` are in use: a host enters one of these or opens the next. */
static void
partitions_add(struct twins_plan *plan, uint8_t *cell, uint32_t host, uint32_t used, uint32_t cells)
{
    uint32_t const hosts = plan->validators + plan->twins;
    if (host == hosts) {
        NV_ASSERT(plan->partitions < PARTITIONS_MAX);
        memcpy(plan->cell[plan->partitions++], cell, hosts);
        return;
    }
    for (uint32_t i = 0; i < cells && i <= used; i++) {
        cell[host] = (uint8_t)i;
        partitions_add(plan, cell, host + 1, i == used ? used + 1 : used, cells);
    }
}

/* partition_find returns the number of a partition whose cells may be numbered in
 * any order. */
static uint32_t partition_find(const struct twins_plan *plan, const uint8_t *cell)
{
    uint32_t const hosts = plan->validators + plan->twins;
    uint8_t name[TWINS_HOSTS_MAX];
    uint8_t tidy[TWINS_HOSTS_MAX] = {0};
    uint8_t next = 0;
    memset(name, 0xff, sizeof name);
    for (uint32_t i = 0; i < hosts; i++) {
        if (name[cell[i]] == 0xff) {
            name[cell[i]] = next++;
        }
        tidy[i] = name[cell[i]];
    }
    for (uint32_t i = 0; i < plan->partitions; i++) {
        if (memcmp(plan->cell[i], tidy, hosts) == 0) {
            return i;
        }
    }
    NV_ASSERT(false);
    return 0;
}

/* ---- renamings ---- */

/* renaming_add notes what becomes of every choice when host i is called name[i]. */
static void renaming_add(struct twins_plan *plan, const uint8_t *name)
{
    uint32_t const hosts = plan->validators + plan->twins;
    uint32_t *const row = plan->renamed + (size_t)plan->renamings * plan->choices;
    NV_ASSERT(plan->renamings < RENAMINGS_MAX);
    plan->renamings++;
    for (uint32_t p = 0; p < plan->partitions; p++) {
        uint8_t cell[TWINS_HOSTS_MAX] = {0};
        for (uint32_t i = 0; i < hosts; i++) {
            cell[name[i]] = plan->cell[p][i];
        }
        uint32_t const becomes = partition_find(plan, cell);
        for (uint32_t leader = 0; leader < plan->validators; leader++) {
            uint32_t const called = name[leader] % plan->validators;
            uint32_t const host =
                name[leader] < plan->validators ? called : name[leader] - plan->validators;
            row[leader * plan->partitions + p] = host * plan->partitions + becomes;
        }
    }
}

/* swaps_add exchanges each host with its twin, or not. */
static void swaps_add(struct twins_plan *plan, const uint8_t *name)
{
    for (uint32_t swaps = 0; swaps < 1u << plan->twins; swaps++) {
        uint8_t swapped[TWINS_HOSTS_MAX];
        memcpy(swapped, name, sizeof swapped);
        for (uint32_t i = 0; i < plan->twins; i++) {
            if ((swaps >> i & 1u) != 0) {
                uint8_t const first = swapped[i];
                swapped[i] = swapped[plan->validators + i];
                swapped[plan->validators + i] = first;
            }
        }
        renaming_add(plan, swapped);
    }
}

/* renamings_add gives the validators [from, to) every order; when these are the
 * doubled ones, their twins go with them, and then the others follow. */
static void renamings_add(struct twins_plan *plan, uint8_t *name, uint32_t from, uint32_t to)
{
    bool const doubled = to == plan->twins;
    if (from == to && !doubled) {
        swaps_add(plan, name);
        return;
    }
    if (from == to) {
        renamings_add(plan, name, plan->twins, plan->validators);
        return;
    }
    for (uint32_t i = from; i < to; i++) {
        uint8_t changed[TWINS_HOSTS_MAX];
        memcpy(changed, name, sizeof changed);
        changed[from] = name[i];
        changed[i] = name[from];
        if (doubled) {
            changed[plan->validators + from] = name[plan->validators + i];
            changed[plan->validators + i] = name[plan->validators + from];
        }
        renamings_add(plan, changed, from + 1, to);
    }
}

/* ---- the plan ---- */

void twins_plan_init(struct twins_plan *plan, uint32_t validators, uint32_t rounds, uint32_t cells)
{
    uint8_t cell[TWINS_HOSTS_MAX] = {0};
    *plan = (struct twins_plan){
        .validators = validators, .twins = sim_third(validators), .rounds = rounds, .count = 1};
    NV_ASSERT(validators + plan->twins <= TWINS_HOSTS_MAX && rounds <= TWINS_ROUNDS_MAX);
    plan->cell = calloc(PARTITIONS_MAX, sizeof *plan->cell);
    NV_ASSERT(plan->cell != NULL);
    partitions_add(plan, cell, 0, 0, cells);
    plan->choices = validators * plan->partitions;
    for (uint32_t i = 0; i < rounds; i++) {
        bool const many = plan->count > UINT64_MAX / plan->choices;
        plan->count = many ? 0 : plan->count * plan->choices;
    }
}

void twins_plan_rename(struct twins_plan *plan)
{
    uint8_t name[TWINS_HOSTS_MAX];
    plan->renamed = calloc((size_t)RENAMINGS_MAX * plan->choices, sizeof *plan->renamed);
    NV_ASSERT(plan->renamed != NULL);
    for (uint32_t i = 0; i < TWINS_HOSTS_MAX; i++) {
        name[i] = (uint8_t)i;
    }
    renamings_add(plan, name, 0, plan->twins);
}

void twins_plan_deinit(struct twins_plan *plan)
{
    free(plan->cell);
    free(plan->renamed);
}

/* choices_of writes the choice of each round; the first round counts most. */
static void choices_of(const struct twins_plan *plan, uint32_t *choice, uint64_t number)
{
    for (uint32_t i = plan->rounds; i > 0; i--) {
        choice[i - 1] = (uint32_t)(number % plan->choices);
        number /= plan->choices;
    }
}

bool twins_first(const struct twins_plan *plan, uint64_t number)
{
    uint32_t choice[TWINS_ROUNDS_MAX];
    choices_of(plan, choice, number);
    for (uint32_t r = 0; r < plan->renamings; r++) {
        const uint32_t *const row = plan->renamed + (size_t)r * plan->choices;
        uint32_t i = 0;
        while (i < plan->rounds && row[choice[i]] == choice[i]) {
            i++;
        }
        if (i < plan->rounds && row[choice[i]] < choice[i]) {
            return false;
        }
    }
    return true;
}

/* script_fill writes the script of one choice a round. */
static void
script_fill(const struct twins_plan *plan, struct sim_twins *twins, const uint32_t *choice)
{
    *twins = (struct sim_twins){
        .validators = plan->validators, .twins = plan->twins, .rounds = plan->rounds};
    for (uint32_t i = 0; i < plan->rounds; i++) {
        twins->leader[i] = (uint8_t)(choice[i] / plan->partitions);
        memcpy(twins->cell[i], plan->cell[choice[i] % plan->partitions], TWINS_HOSTS_MAX);
    }
}

void twins_of(const struct twins_plan *plan, struct sim_twins *twins, uint64_t number)
{
    uint32_t choice[TWINS_ROUNDS_MAX];
    choices_of(plan, choice, number);
    script_fill(plan, twins, choice);
}

void twins_draw(const struct twins_plan *plan, struct sim_twins *twins, uint64_t seed)
{
    uint32_t choice[TWINS_ROUNDS_MAX];
    struct sim_rng rng = {seed};
    for (uint32_t i = 0; i < plan->rounds; i++) {
        choice[i] = (uint32_t)sim_below(&rng, plan->choices);
    }
    script_fill(plan, twins, choice);
}
