#ifndef NV_TESTS_SIM_LIAR_H
#define NV_TESTS_SIM_LIAR_H

/* liar.h - validators that lie.
 *
 * A liar runs the engine, and what it sends is changed on the way out: the
 * engine's own messages are the best disguise.  Which lies are told in a run is
 * an option of the seed; all its liars tell them. */

#include <stdbool.h>
#include <stdint.h>

#include "tests/sim/sim.h"

enum sim_lie {
    SIM_LIE_HEADER = 1 << 0,       /* a field of the own header is wrong */
    SIM_LIE_TWO_BLOCKS = 1 << 1,   /* another proposal for each half */
    SIM_LIE_PARENT = 1 << 2,       /* an old parent, leaving out views */
    SIM_LIE_VOTES = 1 << 3,        /* votes for other blocks too */
    SIM_LIE_SILENCE = 1 << 4,      /* does not send, to some or to all, for a while */
    SIM_LIE_GARBAGE = 1 << 5,      /* broken bytes and signatures */
    SIM_LIE_BODY = 1 << 6,         /* an invalid body, or none */
    SIM_LIE_NULLER = 1 << 7,       /* nullifies what it votes for */
    SIM_LIE_NULLIFY_ONLY = 1 << 8, /* does nothing but nullify */
    SIM_LIE_IMPERSONATE = 1 << 9,  /* votes in the name of another */
    SIM_LIE_OUTDATED = 1 << 10,    /* votes of views long gone */
    SIM_LIE_OTHER_EPOCH = 1 << 11, /* votes of another epoch */
    SIM_LIE_SELECTIVE = 1 << 12,   /* some never hear of it */
    SIM_LIE_WITHHOLD = 1 << 13,    /* keeps certificates and blocks to itself */
    SIM_LIE_LATE = 1 << 14,        /* proposals at the last moment */
    SIM_LIE_ROOT = 1 << 15,        /* a wrong state root */
    SIM_LIE_FORGE = 1 << 16,       /* certificates that are none */
    SIM_LIE_FLOOD = 1 << 17,       /* as much as it can */
    SIM_LIE_AMNESIA = 1 << 18,     /* forgets its votes in a restart */
    SIM_LIE_TIME = 1 << 19,        /* times from the past and the future */
};

#define SIM_LIE_COUNT 20u

bool liar_tells(const struct sim *sim, enum sim_lie lie);
bool liar_forgets(const struct sim *sim);

/* liar_send sends what a liar sends in place of `bytes`. */
void liar_send(
    struct sim *sim, struct sim_host *host, uint32_t to, uint8_t type, struct nv_view bytes);

/* ---- for the lie_*.c ---- */

/* liar_choice returns a number that depends on the liar and `salt` alone, so
 * that a lie can be the same for all receivers. */
uint64_t liar_choice(const struct sim *sim, const struct sim_host *host, uint64_t salt);
void liar_message(struct sim *sim,
                  struct sim_host *host,
                  uint32_t to,
                  const struct cs_message *message);
/* lie_proposal and lie_vote send what they make of a message, and return whether
 * it is to be sent as it is, too. */
bool lie_proposal(struct sim *sim, struct sim_host *host, uint32_t to, struct cs_message *message);
bool lie_vote(struct sim *sim, struct sim_host *host, uint32_t to, const struct cs_vote *vote);
void lie_forge(struct sim *sim, struct sim_host *host, uint32_t to);
void lie_flood(struct sim *sim, struct sim_host *host, uint32_t to);

#endif /* NV_TESTS_SIM_LIAR_H */
