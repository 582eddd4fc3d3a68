#ifndef NV_NODE_REPLICA_INTERNAL_H
#define NV_NODE_REPLICA_INTERNAL_H

/* internal.h - what the replica's files share; for the files of this folder.
 *
 *     replica.c       life, inputs
 *     messages.c      messages coming in
 *     restart.c       records of the journal, up to the start
 *     engine.c        stepping the engine
 *     effects.c       performing what a step asks for
 *     next.c          which operation the shell gets next
 *     checked.c       bodies: what workers find of them
 *     lend.c          final blocks on their way through execution
 *     transactions.c  transactions coming in
 *     build.c         bodies: building and publishing
 *     bodies.c        bodies: assembling
 *     judge.c         bodies: what the rules say of them
 *     serve.c         requests answered
 *     epochs.c        sets, links, numbers
 *     operations.c    the queue of operations for the shell
 *     jobs.c          what runs on workers
 *     checkers.c      whose signatures are checked
 *     events.c        the queue of events for the engine
 *     room.c          bodies: which are in memory
 *     fees.c          who can pay for what a body holds
 *     names.c         who may sign it
 *     facts.c         what consensus knows of a final block
 *
 * Each calls those below it alone. */

#include "base/arena.h"

#include "node/replica/body.h"
#include "node/replica/outbox.h"
#include "node/replica/purses.h"
#include "node/replica/replica.h"
#include "node/replica/roster.h"
#include "node/replica/sessions.h"
#include "node/replica/window.h"

#define REPLICA_BODIES_MAX  256u /* bodies of blocks not yet executed; room.c */
#define REPLICA_ASKED_MAX   16u  /* NEED_BODY under way at once */
#define REPLICA_PENDING_MAX 512u /* events for the engine that a step caused */
#define REPLICA_TX_BATCH    32u  /* transactions, or signatures, a job */

enum replica_job_kind {
    REPLICA_JOB_MESSAGE = 1, /* signatures of a consensus message */
    REPLICA_JOB_TXS,         /* decode and check new transactions */
    REPLICA_JOB_DECODE,      /* a body */
    REPLICA_JOB_SIGNATURES,  /* some transactions of a body */
};

/* The validators by whom messages are checked, as long as a check is under way.
 * Counted on the replica's thread. */
struct replica_checkers {
    uint32_t refs;
    struct cs_valset set;
};

/* A transaction that came in. */
struct replica_new_tx {
    uint32_t link; /* or CS_NOBODY */
    uint64_t ticket;
    uint8_t *bytes; /* owned by the job */
    uint32_t size;
    /* what the job finds */
    enum replica_refusal refusal;
    struct nv_hash hash;
    struct node_signer signer;
    uint64_t expires_ms;
    uint32_t actions;
    bool fee_free;
};

struct replica_job {
    enum replica_job_kind kind;
    struct nv_hash chain_id;
    bool ok;
    bool starved; /* there was no memory for it: no verdict */
    union {
        struct {
            uint32_t link;
            uint32_t from;                     /* its number in plan.epoch */
            struct replica_checkers *checkers; /* of plan.epoch; counted */
            uint8_t *bytes;                    /* owned; message borrows it */
            struct cs_message message;
            struct cs_plan plan;
        } message;
        struct {
            uint32_t count;
            struct replica_new_tx tx[REPLICA_TX_BATCH];
        } txs;
        struct {
            struct node_body *body; /* lent */
            uint32_t count;
            uint32_t index[REPLICA_TX_BATCH]; /* SIGNATURES: which transactions */
        } body;
    };
};

/* A queued operation; what it points to is owned by it. */
struct replica_queued {
    struct replica_queued *next;
    struct replica_op op;
    uint8_t *memory; /* freed with it */
};

/* A block lent to the executor, with the memory of its certificate. */
struct replica_lent {
    struct replica_lent *next;
    struct replica_block block;
    struct node_body *body; /* NULL for an empty one */
    struct vm_offence offence[CS_EVIDENCE_MAX];
};

#define REPLICA_LAG_MAX 64u /* executed heights that a header with a body may be behind */

/* What the transactions of a final block may have cost. */
struct replica_charged {
    uint64_t height;
    struct node_charge *list; /* owned */
    uint32_t count;
};

/* The blocks between the executed height that a header names and that header. */
struct replica_span {
    struct node_charges blocks[REPLICA_BODIES_MAX + REPLICA_LAG_MAX];
    uint32_t count;
};

/* What the rules outside consensus say of a body. */
enum replica_judgement {
    REPLICA_JUDGED_VALID = 1,
    REPLICA_JUDGED_INVALID,
    REPLICA_JUDGED_LATER, /* an ancestor, or the state, is not known well enough, or not yet */
};

struct replica {
    struct replica_config config;
    struct cs_valset valset; /* of the genesis */
    struct replica_roster roster;
    struct replica_checkers *checkers; /* the present ones */
    struct cs *cs;
    void *cs_memory;
    size_t cs_memory_size;
    struct cs_effects *fx;
    struct nv_arena *fx_arena;
    void *fx_memory;
    struct node_mempool *mempool;
    struct node_outbox *outbox;
    struct node_window *window;
    struct node_purses *purses;                      /* NULL: neither fees nor ... */
    struct node_sessions *sessions;                  /* ... keys are looked at */
    struct replica_charged charged[REPLICA_LAG_MAX]; /* by height */
    struct replica_time time;

    struct replica_queued *first; /* operations that wait for nothing */
    struct replica_queued *last;
    struct replica_queued *given;

    struct cs_event pending[REPLICA_PENDING_MAX];
    uint32_t pending_first;
    uint32_t pending_count;
    bool stepping;

    struct node_body *body[REPLICA_BODIES_MAX];
    uint32_t body_count;
    uint32_t bodies_checked; /* how many the engine held then; UINT32_MAX: one was dropped */
    uint64_t bodies_heard;   /* of how many, or how often, it was heard */
    struct {
        uint64_t second;
        uint32_t count;
    } asked[CS_VALIDATORS_MAX + 1]; /* requests answered, by validator; the last: of others */
    struct node_body *built;        /* the body made for the last BUILD; no hash yet */
    struct replica_lent *lent;
    struct replica_lent *final; /* those that wait for their bodies, oldest first */
    struct nv_hash last_hash;   /* of the newest block given for execution */
    uint64_t last_height;
    uint64_t parent_executed; /* executed_height of the newest final block's header */
    uint64_t executed_height;

    struct replica_job *tx_job; /* being filled */
    uint32_t jobs;              /* under way */
    uint32_t waiting_told;      /* transactions in the mempool, as the engine knows */
    bool started;
    bool halted;
    uint8_t *message_memory; /* CS_MESSAGE_SIZE_MAX for encoding */
};

/* events.c */
void replica__event(struct replica *r, const struct cs_event *event); /* queue for the engine */
void replica__work(struct replica *r); /* tell the engine of the mempool, if it changed */
struct cs_event replica__executed_event(const struct replica_outcome *outcome);

/* engine.c */
void replica__run(struct replica *r); /* step until none is left */
/* Queues an event that came at a time, and steps. */
void replica__input(struct replica *r, struct replica_time t, const struct cs_event *event);

/* effects.c */
void replica__perform(struct replica *r, const struct cs_effect *effect);

/* lend.c */
void replica__lend(struct replica *r, const struct cs_effect *effect);
/* replica__give lends the final blocks that can be: a body was checked. */
void replica__give(struct replica *r);
/* replica__lent_back takes back the block of a height, which was lent. */
void replica__lent_back(struct replica *r, uint64_t height);
void replica__lent_free(struct replica *r);

/* operations.c */
void replica__op(struct replica *r, const struct replica_op *op, uint8_t *memory);
void replica__send(struct replica *r, uint32_t link, const struct cs_message *message);
void replica__send_all(struct replica *r, const struct cs_message *message);
/* replica__send_bytes sends a message that is encoded already. */
void replica__send_bytes(struct replica *r, uint32_t link, uint8_t type, struct nv_view bytes);
void replica__ban(struct replica *r, uint32_t link);
void replica__job_start(struct replica *r, struct replica_job *job);
/* replica__op_done frees the operation that the shell was given last. */
void replica__op_done(struct replica *r);
void replica__ops_free(struct replica *r);

/* room.c */
struct node_body *replica__body(struct replica *r, const struct nv_hash *hash);
/* replica__body_new takes in a body; NULL: there is no room now.  What the engine asks for may push
 * out another that it has asked for, what comes by itself (`wanted` false) may not. */
struct node_body *replica__body_new(struct replica *r, const struct nv_hash *hash, bool wanted);
/* replica__body_own_room makes room for a body of one's own, replica__body_own takes
 * it: there is room until then.  NULL: no memory. */
bool replica__body_own_room(struct replica *r);
struct node_body *replica__body_own(struct replica *r, const struct nv_hash *hash);
/* replica__body_there returns whether the engine may count a body as held. */
bool replica__body_there(struct replica *r, const struct nv_hash *hash);
/* replica__bodies_check asserts that all is there that the engine counts as held,
 * if one was dropped, or their number has changed, since it did so last. */
void replica__bodies_check(struct replica *r);
void replica__bodies_prune(struct replica *r);
/* replica__ancestors lists the bodies between the newest final block and
 * `parent`; false when one of them is not known. */
bool replica__ancestors(struct replica *r,
                        struct nv_hash parent,
                        const struct node_body *list[REPLICA_BODIES_MAX],
                        uint32_t *count);

/* bodies.c */
void replica__body_needed(struct replica *r, const struct cs_effect *effect);
void replica__body_chunk(struct replica *r, uint32_t link, const struct cs_body_chunk *chunk);
/* replica__body_check has a body decoded, if it is complete and no job looks at it. */
void replica__body_check(struct replica *r, struct node_body *body);

/* judge.c */
/* replica__bodies_judge judges those that are held and the engine waits for. */
void replica__bodies_judge(struct replica *r);
void replica__body_answer(struct replica *r,
                          const struct node_body *body,
                          enum cs_body_verdict verdict);

/* checked.c */
void replica__body_job_done(struct replica *r, struct replica_job *job);

/* build.c */
void replica__build(struct replica *r, const struct cs_effect *effect);
void replica__publish(struct replica *r, const struct cs_effect *effect);

/* fees.c */
void replica__fees_final(struct replica *r, uint64_t height, const struct node_charges *charges);
void replica__fees_replayed(struct replica *r, const struct replica_block *block);
void replica__fees_free(struct replica *r);
/* Judges the charges of a body whose ancestors above the final block are `before`. */
enum replica_judgement replica__fees_judge(const struct replica *r,
                                           const struct node_body *body,
                                           const struct node_body *const *before,
                                           uint32_t before_count);
/* Begins to add up what a body of one's own costs; false: it must be empty. */
bool replica__fees_begin(struct replica *r,
                         uint64_t executed_height,
                         struct replica_span *span,
                         const struct node_body *const *before,
                         uint32_t before_count);
/* Adds a transaction, if its account can pay for it too. */
bool replica__fees_take(struct replica *r,
                        uint64_t executed_height,
                        const struct replica_span *span,
                        const struct node_mempool_tx *tx);
/* Whether a new transaction can be paid for by the newest state. */
enum replica_refusal replica__fees_admit(const struct replica *r, const struct replica_new_tx *tx);

/* names.c */
/* Judges by which keys a body's transactions are signed. */
enum replica_judgement replica__names_judge(const struct replica *r, const struct node_body *body);
/* Whether a leader may put a transaction into a body. */
bool replica__names_take(const struct replica *r,
                         uint64_t executed_height,
                         uint64_t time_ms,
                         const struct node_signer *signer);
/* Whether the key of a new transaction may act for its account by the newest state. */
enum replica_refusal
replica__names_admit(const struct replica *r, const struct node_signer *signer);

/* transactions.c */
void replica__tx_flush(struct replica *r);
void replica__tx_job_done(struct replica *r, struct replica_job *job);
void replica__txs_final(struct replica *r, const struct replica_block *block);

/* messages.c */
void replica__message_job_done(struct replica *r, struct replica_job *job);

/* serve.c: answers a request, if `message` is one that the engine leaves to the
 * shell; false when it is none. */
bool replica__serve(struct replica *r, uint32_t link, const struct cs_message *message);

/* epochs.c */
NV_MUST_USE enum nv_err replica__epochs_open(struct replica *r, const struct nv_pubkey *node_keys);
void replica__epochs_close(struct replica *r);
void replica__epoch_begin(struct replica *r, const struct cs_valset *set);
void replica__epoch_tell(struct replica *r); /* the shell */
/* Learns node keys, and tells engine and shell what is new by them. */
void replica__learn(struct replica *r, const struct replica_set *set);

/* checkers.c */
struct replica_checkers *replica__checkers_new(const struct cs_valset *set); /* NULL: no memory */
struct replica_checkers *replica__checkers_take(struct replica *r);          /* the present ones */
void replica__checkers_drop(struct replica_checkers *checkers);

/* jobs.c */
struct replica_job *replica__job(struct replica *r, enum replica_job_kind kind);
void replica__job_free(struct replica_job *job);

#endif /* NV_NODE_REPLICA_INTERNAL_H */
