#ifndef NV_CONSENSUS_CONSENSUS_H
#define NV_CONSENSUS_CONSENSUS_H

/* consensus.h - the engine: Simplex with three votes (docs/spec/consensus.md).
 *
 * Validators go through numbered views, each with one leader.  The leader
 * proposes a block; a quorum of notarize votes certifies it, a quorum of
 * nullify votes skips the view, and a quorum of finalize votes makes the block
 * and its ancestors final.  In the good case a view takes two message delays
 * and a block is final after three.
 *
 * The engine is a function of (state, event) to (state, effects).  It has no
 * clock, thread, file or socket.  The shell feeds it events and performs its
 * effects:
 *
 *     messages, timer, BUILT, BODY, EXECUTED, WORK, LINK
 *         --> cs_step -->
 *     PERSIST, SEND, BROADCAST, BUILD, PUBLISH_BODY, NEED_BODY, EXECUTE, ...
 *
 * Reading order: valset.h, header.h, vote.h, certificate.h, body.h, message.h,
 * record.h, effect.h, this file; inside: state.h, gate.h, then rules_*.c.
 *
 * THE ONE RULE OF THE SHELL: durability.  Effects are performed in the order
 * given, over all steps (one queue).  Nothing behind a PERSIST with `sync` is
 * performed before its records, and those of every PERSIST before it, are
 * durable.  The engine does not wait: it may be stepped meanwhile, and its new
 * effects queue behind.  So the shell may write all the PERSISTs that its
 * queue holds as one batch with one sync, and then perform everything up to
 * the last of them.  A PERSIST without `sync` need not be waited for: its
 * records go into the next batch.  (The alternative, an event PERSISTED that
 * the engine awaits, would need in the engine the very same queue, and a
 * second copy of it in every test.)  SET_TIMER, BUILD, PUBLISH_BODY, NEED_BODY,
 * EVIDENCE and TRACE show nothing of the own votes to anybody and may be
 * performed at once; the body that PUBLISH_BODY names must be known by its
 * block's hash before a later PERSIST is written, which holds that block.
 * EXECUTE may not: a block can be final by an own vote that the disk does not
 * have yet, and nobody may be told of it before.  A failed sync ends the
 * process; it is never tried again.  A shell whose queue grows too long stops
 * taking messages and timers from its inbox until the disk has caught up.
 *
 * RESTART.  cs_new; cs_recover for every record of the journal, oldest first;
 * event EXECUTED for the heights whose state roots the shell still knows
 * (oldest first, the last 64 are enough, the newest is that of its checkpoint)
 * and for every final block above it that it executes from the journal (up to
 * cs_summary().final_height: the engine gives no EXECUTE for those); event
 * START.  The engine then listens for `listen_ns` before it votes again.  With
 * an empty journal: cs_new, START.  A journal with a gap, or a key whose
 * journal is missing, must never get here.
 *
 * EPOCHS.  Validators change from epoch to epoch.  EXECUTED tells the set that
 * the state after that height would give the next epoch.  When a block that
 * closes the epoch is final, the engine emits a PERSIST of the epoch's record,
 * CS_FX_EPOCH, and from then on lives in the next epoch.  The shell's part:
 *
 *   - Peers are named by their index in the set of the epoch the engine is in;
 *     everybody else, also who was in an earlier set, is CS_PEER_OTHER and up.
 *     An effect before CS_FX_EPOCH in a step's list uses the numbers of the old
 *     set, one behind it those of the new: translate numbers to links when
 *     walking the list, not when the effect is performed.  BROADCAST goes to
 *     the set of the epoch at its place in the list.  Events use the numbers of
 *     the engine's present epoch; a message that was admitted in an earlier one
 *     is dropped by the engine itself.
 *   - Links are kept to the members of the new set (and to the last set's for
 *     an epoch, and to some of anybody's when not a member): LINK tells the
 *     engine of those that come up, under their new number.  Links that stay up
 *     need no LINK event.
 *   - cs_message_check takes the set of plan.epoch: the one that the engine was
 *     in when cs_admit was called.  The shell keeps copies as long as checks are
 *     under way.
 *   - CS_MSG_EPOCH_REQUEST is answered with the payload of that epoch's
 *     CS_RECORD_EPOCH, from any link.  A block request by height is answered up
 *     to the first block at or above `from` that closes its epoch
 *     (cs_header_closes), never beyond.
 *   - Epoch records are kept for ever, if not in the journal.  A journal that
 *     begins in a later epoch, because its oldest part is gone or with a snapshot,
 *     has that of the epoch before in front of everything, and those of up to 64
 *     epochs before that one, as far as they are known: else EXECUTE cannot name the
 *     set of a justify, and evidence and forks of those epochs are not understood.
 *   - After a restart, EXECUTED for the heights that are told again has `next`
 *     too, as it was at that height; the first one always has it.  A height for
 *     which it is not known is better left out.
 *   - What shows a fork of an epoch that has ended (handovers, certificates) is
 *     admitted without a signature to check: the engine verifies it itself, by that
 *     epoch's set, and not often.
 *   - A node with a key that is in no set, or not in this one, is the same
 *     engine: it follows, and votes when an epoch has it.
 *   - A key whose journal is lost has votes that nobody here knows.  It signs
 *     again in the first epoch that began, by the time of its opening block,
 *     after the old journal was certainly out of use: sit_out_until_ms.  Between
 *     the end of the old one and that time the shell leaves a margin for clocks,
 *     more than ahead_ms.
 *   - An epoch's first block carries the finalization of the block on which it
 *     stands; CS_FX_EXECUTE names the set whose bits a justify has.  It is NULL
 *     only in the first block of the epoch in which the journal begins.
 *
 * CATCH-UP.  The engine finds out that it is behind, asks peers for
 * certificates and blocks, retries, and checks what comes.  It answers
 * CS_MSG_CERT_REQUEST and CS_MSG_STATUS itself.  The shell answers
 * CS_MSG_BLOCK_REQUEST, CS_MSG_EPOCH_REQUEST and CS_MSG_BODY_REQUEST from its
 * journal and its bodies in memory, and keeps for that, by height, every
 * CS_RECORD_FINAL.  By height:
 * let h be the greatest height in the range with a finalization of its own;
 * the answer is the blocks [from, h] and that finalization; if there is none
 * in the range, no block and the first finalization above it.
 *
 * BODIES stay in the shell.  A block's leader streams its body as chunks
 * (PUBLISH_BODY); a receiver keeps chunks from the leader of a view near its
 * own until the header is known, checks them with cs_body_chunk_check, and
 * says BODY.  An empty body (body_size 0) never concerns the shell.
 *
 * The engine says which bodies are there: after a step the shell has, in memory and
 * complete, every body for which cs_body_held is true, and no step leaves more of
 * them than CS_BODIES_MAX.  Others the shell may drop whenever it likes; what is
 * needed once more is asked for once more.  A body is held from BUILT, or BODY with HELD
 * or VALID, on until EXECUTE or until the engine gives it up.  After a restart none is
 * held: NEED_BODY comes for what is needed, and the shell looks into its journal
 * before it asks anybody.  Of a block that it found valid once, or that comes from the journal,
 * the engine needs no second VALID: HELD will do.
 *
 * THREADS.  One thread steps an engine.  cs_admit and cs_summary read it and
 * belong to that thread too.  Decoding and checking run anywhere.
 *
 * Event and effect pointers are borrowed: an event's during cs_step, an
 * effect's until the next cs_step with the same struct cs_effects. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/key.h"

#include "consensus/certificate.h"
#include "consensus/effect.h"
#include "consensus/evidence.h"
#include "consensus/header.h"
#include "consensus/message.h"
#include "consensus/record.h"
#include "consensus/valset.h"
#include "consensus/vote.h"

struct nv_arena;
struct cs;

#define CS_FIRST_EPOCH UINT64_C(1)
#define CS_BODIES_MAX  192u       /* bodies that the engine counts as held; BODIES */
#define CS_NOBODY      UINT32_MAX /* `me` of a node that does not vote */
/* Peers below this are validators by index; others are links that the shell
 * numbers, and are only answered. */
#define CS_PEER_OTHER 0x10000u

/* What a node is told when it starts.  All but `seckey` and the local times must
 * be the same on every node: they come from the genesis. */
struct cs_config {
    struct nv_hash chain_id;     /* hash of the genesis; also the hash of block 0 */
    struct nv_hash genesis_root; /* state root after block 0 */
    struct nv_hash params_hash;
    uint64_t genesis_time_ms;
    const struct cs_valset *valset; /* of the first epoch; copied */
    uint32_t validators_max; /* no set is larger; at most CS_VALIDATORS_MAX, which 0 stands for */
    uint64_t epoch_ms;       /* length of an epoch; 0: the first one never ends */
    uint64_t
        evidence_epochs;    /* evidence and forks mean nothing when they are older than this ... */
    uint64_t evidence_ms;   /* ... and their epoch ended longer ago than this */
    uint64_t delay_ns;      /* D: bound on propagation, transfer, checks and one sync */
    uint64_t margin_ns;     /* added to timeouts; 20 ms */
    uint64_t idle_ms;       /* T_idle: an empty block at least this often */
    uint64_t pace_ms;       /* T_min: no block sooner after its parent */
    uint64_t ahead_ms;      /* a block's time may lead the own clock; 500 ms */
    uint64_t behind_ms;     /* ... or lag it; 2000 ms */
    uint32_t body_size_max; /* at most CS_BODY_SIZE_MAX */

    struct nv_seckey seckey;   /* zero: the node has no key and votes in no epoch */
    uint64_t listen_ns;        /* silence after a restart; max(2 D, 2 s) */
    bool listen_first;         /* with an empty journal too: the chain is older than it */
    uint64_t sit_out_until_ms; /* sign in no epoch whose opening block is of this time or an
                                  earlier one; 0: sign in all, UINT64_MAX: in none */
    uint64_t status_ns;        /* a Status to everybody this often; 5 s */
    uint64_t follow_ns;        /* the same of a node that is in no set, which so hears of new
                                  blocks; 0: status_ns */
    uint32_t views_max;        /* views above the final one held at once; 1024, at least 32 */
};

/* ---- events ---- */

enum cs_event_kind {
    CS_EV_START = 1, /* once, after recovery */
    CS_EV_TIMER,     /* the time of SET_TIMER has come (early or twice is harmless) */
    CS_EV_MESSAGE,   /* decoded, admitted and checked */
    CS_EV_BUILT,     /* the answer to BUILD */
    CS_EV_BODY,      /* about a block's body */
    CS_EV_EXECUTED,  /* a final block was executed */
    CS_EV_WORK,      /* how much the mempool holds */
    CS_EV_LINK,      /* a peer was connected or lost */
};

enum cs_body_verdict {
    CS_BODY_HELD = 1, /* complete, matches the header, well framed */
    CS_BODY_VALID,    /* ... and every rule outside consensus holds: it may be voted for */
    CS_BODY_INVALID,  /* ... and breaks one */
};

struct cs_event {
    enum cs_event_kind kind;
    uint64_t now_ns;  /* monotonic; never goes back */
    uint64_t wall_ms; /* wall clock, Unix milliseconds; may jump */
    union {
        struct {
            uint32_t from; /* peer that the link authenticates */
            const struct cs_message *message;
            const struct cs_plan *plan; /* of cs_admit, checked */
        } message;
        struct {
            uint64_t view; /* as in BUILD */
            bool failed;   /* no block can be built: the view is given up */
            struct nv_hash body_root;
            uint32_t body_size; /* 0: nothing to include */
            uint32_t tx_count;
        } built;
        struct {
            struct nv_hash block_hash;
            enum cs_body_verdict verdict;
        } body;
        struct {
            uint64_t height;
            struct nv_hash root;
            const struct cs_valset *next; /* that the state after `height` would give the next
                                             epoch; NULL: the one told last, or the genesis's */
        } executed;
        struct {
            uint32_t waiting; /* transactions in the mempool, until they are in a final block */
        } work;
        struct {
            uint32_t peer;
            bool up;
        } link;
    };
};

/* ---- the engine ---- */

/* cs_memory returns how many bytes cs_new takes from its arena.  Much of it is
 * touched only when views pile up: give it reserved memory that is zero. */
size_t cs_memory(const struct cs_config *config);

/* cs_new returns an engine before view 1 of the first epoch, in memory from
 * `arena`.  The configuration is copied.  Contract: the numbers are in the
 * ranges stated beside them. */
struct cs *cs_new(struct nv_arena *arena, const struct cs_config *config);

/* cs_recover takes one journal record (head and payload).  Only before START.
 * An error means a journal that this engine did not write: do not start. */
NV_MUST_USE enum nv_err cs_recover(struct cs *cs, struct nv_view record);

/* cs_admit says what to do with a decoded message from `from`. */
struct cs_plan cs_admit(const struct cs *cs, uint32_t from, const struct cs_message *message);

/* cs_step takes one event and writes what is to be done.  Never re-entered.
 * After a HALT effect it does nothing more. */
void cs_step(struct cs *cs, const struct cs_event *event, struct cs_effects *effects);

/* Where the engine stands, for metrics, RPC and tests. */
struct cs_summary {
    uint64_t epoch;
    uint32_t me; /* own index, or CS_NOBODY */
    uint64_t view;
    uint64_t final_height;
    uint64_t final_view;
    struct nv_hash final_hash;
    uint64_t final_time_ms;
    uint64_t executed_height;
    uint32_t leader;          /* of `view` */
    uint32_t views_nullified; /* or given up, since the last finalization */
    uint32_t blocks_held;
    uint32_t bodies_held; /* BODIES */
    uint32_t certificates_held;
    bool listening; /* not voting yet after a restart */
    bool sits_out;  /* not voting in this epoch */
    bool halted;
};

struct cs_summary cs_summary(const struct cs *cs);

/* cs_block_header finds a block that the engine holds above the final one (or
 * the final one itself) by its hash; false when it holds none. */
bool cs_block_header(const struct cs *cs, const struct nv_hash *hash, struct cs_header *out);

/* cs_body_held returns whether the engine counts the body of a block as held, and
 * the body is not empty: the shell must have it.  See BODIES. */
bool cs_body_held(const struct cs *cs, const struct nv_hash *hash);

/* cs_validators returns the set of the current epoch; it lives until the next
 * step. */
const struct cs_valset *cs_validators(const struct cs *cs);

/* cs_leader returns the leader of a view of the current epoch. */
uint32_t cs_leader(const struct cs *cs, uint64_t view);

/* cs_trace_name returns a static word for the log. */
const char *cs_trace_name(enum cs_trace_code code);

#endif /* NV_CONSENSUS_CONSENSUS_H */
