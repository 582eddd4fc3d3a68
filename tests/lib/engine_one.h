#ifndef NV_TESTS_LIB_ENGINE_ONE_H
#define NV_TESTS_LIB_ENGINE_ONE_H

/* engine_one.h - one engine among validators that a test plays itself. */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

#include "consensus/consensus.h"
#include "tests/lib/consensus_build.h"

struct engine_one {
    struct cs_net net;
    struct cs_config config;
    struct cs *cs;
    struct cs_effects effects; /* of the last step */
    struct nv_arena effects_arena;
    void *memory;
    void *effects_memory;
    uint64_t now_ns;
    uint64_t wall_ms;
};

/* engine_one_init starts an engine of validator `me` among `count` equals, with
 * an empty journal. */
void engine_one_init(struct engine_one *one, uint32_t count, uint32_t me);

/* engine_one_follower returns a validator among `count` equals that leads none of the
 * first views. */
uint32_t engine_one_follower(uint32_t count, uint64_t views);

/* engine_one_epochs is that with epochs of at least `epoch_ms`. */
void engine_one_epochs(struct engine_one *one, uint32_t count, uint32_t me, uint64_t epoch_ms);

/* engine_one_again is a restart: an engine with the same configuration and an
 * empty journal, to which records can be given before START. */
void engine_one_again(struct engine_one *one);

void engine_one_drop(struct engine_one *one);

/* engine_one_step takes an event at the present time. */
void engine_one_step(struct engine_one *one, struct cs_event event);

/* engine_one_pass lets time pass and gives TIMER. */
void engine_one_pass(struct engine_one *one, uint64_t span_ms);

/* engine_one_mail gives a message as it would come from `from`: encoded,
 * decoded, admitted, checked.  It returns the plan; false in *right means that
 * a signature was wrong and nothing was stepped. */
struct cs_plan engine_one_mail(struct engine_one *one,
                               bool *right,
                               uint32_t from,
                               const struct cs_message *message);

/* engine_one_give is that, of a message that is wanted and right. */
void engine_one_give(struct engine_one *one, uint32_t from, const struct cs_message *message);

/* engine_one_vote is that with a vote of its signer. */
struct cs_plan engine_one_vote(struct engine_one *one, const struct cs_vote *vote);

/* engine_one_effect returns the last step's n-th effect of a kind, or NULL. */
const struct cs_effect *
engine_one_effect(const struct engine_one *one, enum cs_effect_kind kind, uint32_t n);

/* engine_one_sent returns the last step's first message of a type, sent to one
 * (CS_FX_SEND) or to all (CS_FX_BROADCAST), or NULL. */
const struct cs_effect *
engine_one_sent(const struct engine_one *one, enum cs_effect_kind kind, enum cs_message_type type);

/* engine_one_voted returns whether the last step broadcast a vote of that kind,
 * or a proposal if the kind is CS_NOTARIZE. */
bool engine_one_voted(const struct engine_one *one, enum cs_vote_kind kind);

/* engine_one_invalid returns the rule that the last step found broken, or 0. */
uint64_t engine_one_invalid(const struct engine_one *one);

/* engine_one_header makes the header of an empty block at `view` on the genesis
 * that the engine accepts in view 1. */
struct cs_header engine_one_header(const struct engine_one *one, uint64_t view);

/* engine_one_proposal makes a signed proposal of a header without justify. */
struct cs_message engine_one_proposal(const struct engine_one *one, const struct cs_header *header);

/* engine_one_quorum makes a certificate by everybody but the engine. */
struct cs_certificate engine_one_quorum(const struct engine_one *one,
                                        struct nv_sig *sigs,
                                        const struct cs_ballot *ballot);

#endif /* NV_TESTS_LIB_ENGINE_ONE_H */
