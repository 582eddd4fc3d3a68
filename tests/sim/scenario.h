#ifndef NV_TESTS_SIM_SCENARIO_H
#define NV_TESTS_SIM_SCENARIO_H

/* scenario.h - what the in_*.c share: each holds worlds of one subject.  The
 * numbers beside them are those of the design's list. */

#include "tests/sim/liar.h"
#include "tests/sim/sim.h"

/* scene_validators sets how many there are, and what that means for liveness. */
void scene_validators(struct sim *sim, uint32_t validators);
/* scene_choose takes 4, 5 or 7 validators. */
void scene_choose(struct sim *sim);
/* scene_chaos sets the times of a run with chaos until `gst_ms`. */
void scene_chaos(struct sim *sim, uint64_t gst_ms);
/* scene_least_live leaves, in some seeds, just a quorum alive: then nobody
 * covers for anybody. */
void scene_least_live(struct sim *sim);
/* scene_some draws `count` of the validators as bits. */
uint32_t scene_some(struct sim *sim, uint32_t count);
/* scene_none is the script of those that have none. */
void scene_none(struct sim *sim, const struct sim_item *item);

/* in_net.c: 1 exact latency, 2 loss, 3 long run, 9 partitions, and a network
 * slower than D; 15 far behind, and nodes without a vote */
void exact_configure(struct sim *sim);
bool exact_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
void exact_finish(struct sim *sim);
void loss_configure(struct sim *sim);
void long_configure(struct sim *sim);
void partition_configure(struct sim *sim);
void quiet_configure(struct sim *sim);
void snail_configure(struct sim *sim);
void behind_configure(struct sim *sim);
void behind_script(struct sim *sim, const struct sim_item *item);
void observer_configure(struct sim *sim);

/* in_crash.c: 4 restarts of all, 5 after nullify, 6 after finalize by a few, 11 disks */
void restart_configure(struct sim *sim);
void moment_configure(struct sim *sim);
void nullcrash_script(struct sim *sim, const struct sim_item *item);
bool nullcrash_passes(
    struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
void finalcrash_script(struct sim *sim, const struct sim_item *item);
bool finalcrash_passes(
    struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
void disk_configure(struct sim *sim);

/* in_lies.c: 8 liars in named roles and in any mix, 17 floods, 12 wrong clocks, 16 stakes, and a
 * key that is used twice */
void liars_configure(struct sim *sim);
void roles_configure(struct sim *sim);
void roles_finish(struct sim *sim);
void flood_configure(struct sim *sim);
void clock_configure(struct sim *sim);
void stake_configure(struct sim *sim);
void double_configure(struct sim *sim);
void double_finish(struct sim *sim);

/* in_proof.c: a proof that only one holds */
void witness_configure(struct sim *sim);
void witness_script(struct sim *sim, const struct sim_item *item);
bool witness_passes(
    struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
void witness_finish(struct sim *sim);

/* in_split.c: 10 certificates that only some have */
void holes_configure(struct sim *sim);
void holes_script(struct sim *sim, const struct sim_item *item);
bool holes_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
void split_configure(struct sim *sim);
void split_script(struct sim *sim, const struct sim_item *item);
bool split_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
void split_finish(struct sim *sim);

/* in_hollow.c: blocks that are notarized and not final, and one that was away */
void hollow_configure(struct sim *sim);
void hollow_script(struct sim *sim, const struct sim_item *item);
bool hollow_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);

/* in_wiped.c: a validator without its journal */
void wiped_configure(struct sim *sim);
void wiped_script(struct sim *sim, const struct sim_item *item);
bool wiped_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
void wiped_finish(struct sim *sim);

/* in_swarm.c: every option drawn */
void swarm_configure(struct sim *sim);

#endif /* NV_TESTS_SIM_SCENARIO_H */
