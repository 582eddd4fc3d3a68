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

#define SIM_LIES(XX)                                                                               \
    XX(0, HEADER, "header")             /* a field of the own header is wrong */                   \
    XX(1, TWO_BLOCKS, "equivocator")    /* another proposal for each half */                       \
    XX(2, PARENT, "parent")             /* an old parent, leaving out views */                     \
    XX(3, VOTES, "conflicter")          /* votes for other blocks too */                           \
    XX(4, SILENCE, "silent")            /* does not send, to some or to all, for a while */        \
    XX(5, GARBAGE, "garbage")           /* broken bytes and signatures */                          \
    XX(6, BODY, "body")                 /* an invalid body, or none */                             \
    XX(7, NULLER, "nuller")             /* nullifies what it votes for */                          \
    XX(8, NULLIFY_ONLY, "nullifier")    /* does nothing but nullify */                             \
    XX(9, IMPERSONATE, "impersonator")  /* votes in the name of another */                         \
    XX(10, OUTDATED, "outdated")        /* votes of views long gone */                             \
    XX(11, OTHER_EPOCH, "reconfigurer") /* votes of another epoch */                               \
    XX(12, SELECTIVE, "selective")      /* some never hear of it */                                \
    XX(13, WITHHOLD, "withholder")      /* keeps certificates and blocks to itself */              \
    XX(14, LATE, "late")                /* proposals at the last moment */                         \
    XX(15, ROOT, "root")                /* a wrong state root */                                   \
    XX(16, FORGE, "forger")             /* certificates that are none */                           \
    XX(17, FLOOD, "flooder")            /* as much as it can */                                    \
    XX(18, AMNESIA, "amnesiac")         /* forgets its votes in a restart */                       \
    XX(19, TIME, "timestamp")           /* times from the past and the future */

enum sim_lie {
#define SIM_LIE_MEMBER(bit, name, word) SIM_LIE_##name = 1 << (bit),
    SIM_LIES(SIM_LIE_MEMBER)
#undef SIM_LIE_MEMBER
};

#define SIM_LIE_COUNT 20u

/* liar_name returns the word for the lie of a bit. */
const char *liar_name(uint32_t bit);

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
