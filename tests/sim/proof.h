#ifndef NV_TESTS_SIM_PROOF_H
#define NV_TESTS_SIM_PROOF_H

/* proof.h - certificates and evidence in blocks, as the oracle sees them. */

#include <stdint.h>

struct cs_effect;
struct cs_evidence;
struct sim;
struct sim_host;

#define SIM_ACCUSED_MAX 256u

/* An offender in an epoch. */
struct sim_accused {
    uint32_t id;
    uint64_t epoch;
    uint64_t found_ns; /* by somebody honest, after the chaos */
    uint64_t kept_ns;  /* an honest disk has had the proof since then */
    uint32_t keepers;  /* such disks, as bits */
    uint64_t height;   /* of the block that holds the proof; 0: none yet */
};

/* proof_found: a host found out an offender. */
void proof_found(struct sim *sim, const struct sim_host *host, uint32_t offender, uint64_t epoch);

/* proof_kept: the proof is on a disk. */
void proof_kept(struct sim *sim, const struct sim_host *host, const struct cs_evidence *item);

/* proof_given: what came with an EXECUTE. */
void proof_given(struct sim *sim, const struct cs_effect *effect);

/* proof_end: who was found out, or stands on the disk of somebody who leads, must
 * have been named in a block by now. */
void proof_end(struct sim *sim);

#endif /* NV_TESTS_SIM_PROOF_H */
