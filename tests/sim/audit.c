/* The audit at the end of a run: what a host ever told to be final is in its
 * chain, and each honest disk alone tells the whole chain down to the genesis. */

#include "base/assert.h"

#include "tests/sim/check.h"
#include "tests/sim/sim.h"

/* chain_check walks from the newest block that the host executed down its own
 * shelf. */
static void chain_check(struct sim *sim, const struct sim_host *host)
{
    struct nv_hash hash = oracle_block(sim, host->given);
    for (uint64_t height = host->given; height > 0; height--) {
        const struct shelf_block *const block = shelf_find(&host->shelf, &hash);
        if (block == NULL || block->height != height) {
            sim_fail(
                sim, "audit: host %u has not the block of height %u", host->id, (unsigned)height);
            return;
        }
        hash = block->parent_hash;
    }
    if (!nv_hash_eq(&hash, &sim->net.chain_id)) {
        sim_fail(sim, "audit: the chain of host %u does not begin at the genesis", host->id);
    }
}

void audit_end(struct sim *sim)
{
    if (sim->conf.fork) {
        return; /* there is no one chain to hold them to */
    }
    for (uint32_t i = 0; i < sim->conf.hosts && !sim->failed; i++) {
        const struct sim_host *const host = &sim->host[i];
        if (!host->honest || !host->up || !sim->conf.keep_journals) {
            continue;
        }
        if (host->given < host->told) {
            sim_fail(sim,
                     "audit: host %u told of height %u and is at %u",
                     host->id,
                     (unsigned)host->told,
                     (unsigned)host->given);
        } else {
            chain_check(sim, host);
        }
    }
}
