#ifndef NV_CONSENSUS_EFFECT_H
#define NV_CONSENSUS_EFFECT_H

/* effect.h - what a step of the engine asks its shell to do, in order; how they are
 * performed is said in consensus.h. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/hash.h"

#include "consensus/certificate.h"
#include "consensus/header.h"
#include "consensus/list.h"
#include "consensus/message.h"
#include "consensus/valset.h"
#include "consensus/vote.h"

struct nv_arena;

enum cs_effect_kind {
    CS_FX_PERSIST = 1,  /* append records to the journal */
    CS_FX_SEND,         /* a message to one peer; drop it if the peer is away */
    CS_FX_BROADCAST,    /* a message to all other validators */
    CS_FX_SET_TIMER,    /* give TIMER at this time; replaces the one before */
    CS_FX_BUILD,        /* make a body; answer BUILT */
    CS_FX_PUBLISH_BODY, /* stream the body just built to all validators */
    CS_FX_NEED_BODY,    /* get and check a body; answer BODY */
    CS_FX_EXECUTE,      /* a final block, in height order; answer EXECUTED */
    CS_FX_EPOCH,        /* an epoch has ended: what follows speaks of the next one's validators */
    CS_FX_EVIDENCE,     /* a validator signed two votes that conflict */
    CS_FX_TRACE,        /* for the log */
    CS_FX_HALT,         /* stop: say why and exit with the code */
};

/* The values are the exit codes. */
enum cs_halt {
    CS_HALT_FORK = 70,          /* two certificates contradict each other; `bytes` holds both */
    CS_HALT_SECOND_SIGNER = 79, /* a vote by the own key that this node did not make */
    CS_HALT_STATE = 81,         /* the own state differs from a final header's, or a
                                   final body is invalid by the own rules */
};

enum cs_trace_code {
    CS_TRACE_ENTER = 1,   /* a view; a = kind of the entry certificate */
    CS_TRACE_PROPOSE,     /* a = height */
    CS_TRACE_VOTE,        /* a = kind */
    CS_TRACE_CERTIFICATE, /* a = kind; built from votes */
    CS_TRACE_FINAL,       /* a = height */
    CS_TRACE_TIMEOUT,     /* a = 1 no proposal, 2 no certificate, 3 invalid, 4 leader gave up,
                           5 could not build, 6 retry */
    CS_TRACE_INVALID,     /* a proposal breaks rule `a` (enum cs_verdict of rules.h) */
    CS_TRACE_BEHIND,      /* a = height of a peer's final block */
    CS_TRACE_EPOCH,       /* an epoch begins; a = its number */
    CS_TRACE_PAST_FORK, /* two chains of an epoch so long ago that it means nothing; a = its number */
};

struct cs_effect {
    enum cs_effect_kind kind;
    union {
        struct {
            struct nv_view records; /* see record.h */
            uint32_t count;
            bool sync; /* what follows waits until these are durable */
        } persist;
        struct {
            uint32_t peer; /* SEND only */
            enum cs_message_type type;
            struct nv_view bytes;
        } send;
        struct {
            uint64_t at_ns;
        } timer;
        struct {
            uint64_t view;
            uint64_t height;
            struct nv_hash parent_hash;
            uint64_t time_ms;         /* the header's: expiry is judged by it */
            uint64_t executed_height; /* the header's: fees are judged by it */
            uint32_t body_size_max;
        } build;
        struct {
            const struct cs_header *header;
            struct nv_hash block_hash;
            uint64_t view;  /* PUBLISH_BODY: as in BUILD.  NEED_BODY: of the proposal */
            uint32_t peer;  /* NEED_BODY: whom to ask (or who is streaming) */
            bool streaming; /* NEED_BODY: the leader sends it unasked; ask only when the
                               effect comes again without this flag */
        } body;
        struct {
            const struct cs_header *header;
            struct nv_hash block_hash;
            const struct cs_certificate *final;   /* of this block or a descendant */
            const struct cs_certificate *justify; /* of its parent; NULL in block 1 */
            const struct cs_valset *signers;      /* whose bits `justify` has; NULL: EPOCHS */
            struct cs_list evidence; /* read it with cs_evidence_next; may be about what an
                                        earlier block had, or about nobody: then it means nothing */
        } execute;
        struct {
            uint64_t epoch;                     /* that begins */
            const struct cs_valset *set;        /* its validators */
            uint32_t me;                        /* own index in it, or CS_NOBODY */
            const struct cs_header *header;     /* of the block that closed the one before ... */
            const struct cs_certificate *final; /* ... and its finalization */
        } epoch;
        struct {
            enum cs_offence offence;
            struct cs_vote vote[2];
        } evidence;
        struct {
            enum cs_trace_code code;
            uint64_t view;
            uint64_t a;
        } trace;
        struct {
            enum cs_halt code;
            uint64_t height;
            struct nv_view bytes;
            struct cs_bitmap culprits;       /* CS_HALT_FORK: who signed both ... */
            const struct cs_valset *signers; /* ... of the validators of that epoch */
        } halt;
    };
};

#define CS_EFFECTS_MAX 256u

/* What a step asks for, in order.  The pointers in it point into `arena` or
 * into the engine. */
struct cs_effects {
    struct cs_effect list[CS_EFFECTS_MAX];
    uint32_t count;
    struct nv_arena *arena; /* private to cs_step */
};

/* cs_effects_init prepares a list; `arena` is its own, with at least
 * CS_EFFECTS_MEMORY bytes, and is reset by every step. */
#define CS_EFFECTS_MEMORY ((size_t)16 << 20)
void cs_effects_init(struct cs_effects *effects, struct nv_arena *arena);

#endif /* NV_CONSENSUS_EFFECT_H */
