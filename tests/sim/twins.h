#ifndef NV_TESTS_SIM_TWINS_H
#define NV_TESTS_SIM_TWINS_H

/* twins.h - validators that run twice (Bano et al., "Twins").
 *
 * As many validators as may fail run as two hosts each, with one key and no
 * knowledge of each other.  For some rounds a script says who leads the view and
 * into which cells the hosts fall: what a host sends while it is in that view
 * reaches its own cell only.  Then the network is whole, and everybody must
 * finalize ten more blocks.
 *
 * A scenario is a leader and a partition for each round.  Scenarios that differ
 * by the names of hosts alone are the same: of these the first is run. */

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/sim.h"

#define TWINS_ROUNDS_MAX 8u
#define TWINS_HOSTS_MAX  12u

struct sim_twins {
    uint32_t validators;
    uint32_t twins;
    uint32_t rounds;
    uint32_t lies; /* of the twins as leaders: enum sim_lie */
    uint8_t leader[TWINS_ROUNDS_MAX];
    uint8_t cell[TWINS_ROUNDS_MAX][TWINS_HOSTS_MAX];
};

/* All scenarios of some validators, rounds and at most so many cells, by number. */
struct twins_plan {
    uint32_t validators;
    uint32_t twins;
    uint32_t rounds;
    uint32_t partitions;
    uint32_t choices;                 /* a leader and a partition */
    uint8_t (*cell)[TWINS_HOSTS_MAX]; /* by partition; owned */
    uint32_t *renamed; /* by renaming and choice: the choice that it becomes; owned */
    uint32_t renamings;
    uint64_t count; /* of all, those alike too; 0: too many to number */
};

void twins_plan_init(struct twins_plan *plan, uint32_t validators, uint32_t rounds, uint32_t cells);
/* twins_plan_rename prepares for twins_first. */
void twins_plan_rename(struct twins_plan *plan);
void twins_plan_deinit(struct twins_plan *plan);

/* twins_first returns whether no scenario alike has a lower number. */
bool twins_first(const struct twins_plan *plan, uint64_t number);
void twins_of(const struct twins_plan *plan, struct sim_twins *twins, uint64_t number);

/* twins_draw makes any scenario, by a seed. */
void twins_draw(const struct twins_plan *plan, struct sim_twins *twins, uint64_t seed);

/* twins_main is the program for `sim twins ...`. */
int twins_main(int argc, char **argv);

#endif /* NV_TESTS_SIM_TWINS_H */
