#ifndef NV_TESTS_SIM_CHECK_H
#define NV_TESTS_SIM_CHECK_H

/* check.h - what must hold of a run: at every step by the oracle, at its end by
 * the measure of liveness and the audit. */

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/sim.h"

/* oracle.c */
struct oracle *oracle_new(void);
void oracle_begin(struct sim *sim);
/* What hosts did: asked the disk to keep, kept, sent, executed, saw proposed. */
void oracle_record(struct sim *sim, const struct sim_host *host, const struct cs_record *record);
void oracle_durable(struct sim *sim, const struct sim_host *host, const struct cs_record *record);
void oracle_sent(struct sim *sim, struct sim_host *host, const struct cs_message *message);
/* oracle_encoded checks that a message encodes as the bytes it was decoded from. */
void oracle_encoded(struct sim *sim, const struct cs_message *message, struct nv_view bytes);
/* oracle_root_next returns the state root after a block. */
struct nv_hash oracle_root_next(const struct nv_hash *root, const struct nv_hash *block);
void oracle_executed(struct sim *sim,
                     const struct sim_host *host,
                     const struct cs_header *header,
                     const struct nv_hash *hash);
void oracle_header(struct sim *sim, const struct cs_header *header);
/* oracle_root returns the state root that honest hosts have after a height. */
struct nv_hash oracle_root(const struct sim *sim, uint64_t height);
/* oracle_block returns the final block of a height. */
struct nv_hash oracle_block(const struct sim *sim, uint64_t height);
/* oracle_pick chooses a notarized block at a view in [low, high]; for liars. */
bool oracle_pick(struct sim *sim,
                 uint64_t low,
                 uint64_t high,
                 struct cs_header *header,
                 struct cs_certificate *certificate);
uint64_t oracle_height(const struct sim *sim);
/* When the block of a height was proposed first, and executed first. */
uint64_t oracle_proposed_ns(const struct sim *sim, uint64_t height);
uint64_t oracle_final_ns(const struct sim *sim, uint64_t height);

/* memory.c */
/* memory_check: now and then, whether an engine holds what it may and nothing else. */
void memory_check(struct sim *sim, const struct sim_host *host);

/* live.c */
/* live_epoch returns the newest epoch that somebody is in. */
uint64_t live_epoch(const struct sim *sim);
void live_begin(struct sim *sim);
void live_final(struct sim *sim, const struct cs_header *header);
void live_end(struct sim *sim);

/* audit.c */
void audit_end(struct sim *sim);

#endif /* NV_TESTS_SIM_CHECK_H */
