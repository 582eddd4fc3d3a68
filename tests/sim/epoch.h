#ifndef NV_TESTS_SIM_EPOCH_H
#define NV_TESTS_SIM_EPOCH_H

/* epoch.h - validators that change: what the simulated state makes of them, how
 * hosts number each other, and what must hold at the end of an epoch, restated
 * without the engine's code.
 *
 * In a run without epochs there is one, and every host is in its set. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/consensus.h"

#define SIM_EPOCHS_MAX 64u
#define SIM_STAKE_EDGE 1u /* as conf.stake_most: a quorum is missed, and made, by one unit */

struct sim;
struct sim_host;

/* An epoch as the oracle saw it begin. */
struct sim_epoch {
    bool begun;
    uint64_t begun_ns;     /* when the first one was told */
    uint64_t start_ms;     /* time of the block that closed the one before */
    struct nv_hash opened; /* that block */
    struct cs_valset set;
};

/* sim_epochs_begin sets up the first epoch. */
void sim_epochs_begin(struct sim *sim);
void sim_epochs_free(struct sim *sim);

/* sim_candidate returns the set that the state after `height` would give: among
 * the hosts of the seed another choice every conf.churn heights. */
const struct cs_valset *sim_candidate(struct sim *sim, uint64_t height);

/* sim_slot numbers a view among those of all epochs; SIM_VIEWS_MAX when it is
 * out of range. */
uint64_t sim_slot(const struct sim *sim, uint64_t epoch, uint64_t view);

/* sim_number returns what a host that knows `set` calls `id`; sim_named is the
 * reverse. */
uint32_t sim_number(const struct sim *sim, const struct cs_valset *set, uint32_t id);
uint32_t sim_named(const struct sim *sim, const struct cs_valset *set, uint32_t peer);

/* epoch_parent returns whether a first block of an epoch stands on the right one. */
bool epoch_opens(const struct sim *sim, uint64_t epoch, const struct nv_hash *hash);

/* epoch_check: whether a block closes its epoch, and with which set. */
void epoch_check(struct sim *sim, const struct cs_header *header, const struct cs_header *parent);

/* epoch_ended: the end of an epoch that somebody made durable. */
void epoch_ended(struct sim *sim, const struct cs_handover *handover);

/* in_epoch.c: 14 epochs under loss and crashes, and with their ends disturbed; 15
 * a joiner that is epochs behind; 16 stakes that change */
struct sim_item;
void epoch_configure(struct sim *sim);
void epochs_finish(struct sim *sim);
void boundary_configure(struct sim *sim);
void boundary_script(struct sim *sim, const struct sim_item *item);
bool boundary_passes(
    struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
void leavers_configure(struct sim *sim);
void leavers_script(struct sim *sim, const struct sim_item *item);
bool leavers_passes(
    struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
void joiner_configure(struct sim *sim);
void joiner_script(struct sim *sim, const struct sim_item *item);

/* in_fork.c: 13 a fork, and by whose fault; and one that somebody forges with old keys */
struct cs_effect;
void theft_configure(struct sim *sim);
void theft_script(struct sim *sim, const struct sim_item *item);
void theft_finish(struct sim *sim);
void fork_configure(struct sim *sim);
bool fork_passes(struct sim *sim, uint32_t from, uint32_t to, uint8_t type, struct nv_view bytes);
void fork_halted(struct sim *sim, const struct sim_host *host, const struct cs_effect *effect);
void fork_finish(struct sim *sim);

#endif /* NV_TESTS_SIM_EPOCH_H */
