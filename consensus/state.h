#ifndef NV_CONSENSUS_STATE_H
#define NV_CONSENSUS_STATE_H

/* state.h - what the engine remembers (docs/spec/consensus.md section 10).
 *
 *     fin        the newest final block
 *     slots      by view, from a few below fin to views_max above: the first
 *                proposal, a notarization, a nullification, the votes
 *     gate       the own votes above fin
 *     blocks     headers above fin, by hash, and whether their bodies are there
 *     target     the newest finalization whose block is not committed yet;
 *     near       an older one that is worked on until it is committed
 *
 * All memory is taken when the engine is made, by make.c.  The files, from the ground
 * up: certs.c looks after certificates, chain.c after blocks, store.c after slots,
 * bodies.c after how many bodies are held; self.c says who this node is; emit.c writes
 * effects; rules_*.c are the protocol and catchup*.c ask for what is missing, among
 * each other but in no circle; receive.c takes messages; engine.c drives them. */

#include <stdbool.h>
#include <stdint.h>

#include "consensus/consensus.h"
#include "consensus/gate.h"
#include "consensus/leader.h"
#include "consensus/past.h"
#include "consensus/peers.h"
#include "consensus/pool.h"
#include "consensus/tally.h"

struct nv_critbit;

#define CS__NEVER   UINT64_MAX
#define CS__BELOW   10u  /* views at and below fin whose votes are kept */
#define CS__ABOVE   4u   /* views above the own one whose votes are taken */
#define CS__TALLIES 64u  /* views whose votes are held at once */
#define CS__RECENT  512u /* heights whose roots and views are remembered */
#define CS__LAG_MAX 64u  /* executed heights that a header may be behind with a body */
#define CS__TOLD    16u  /* heights from which another set would come next, remembered */
#define CS__MS      UINT64_C(1000000)

struct cs__cert {
    struct cs_certificate body; /* its signatures are in own memory */
    struct nv_sig *sigs;
    bool dirty; /* not given to the journal yet */
    struct cs__cert *next;
};

enum cs__body_state {
    CS__BODY_NONE = 0,
    CS__BODY_HELD,
    CS__BODY_VALID,
    CS__BODY_INVALID,
};

struct cs__block {
    struct cs_header header;
    struct nv_hash hash;
    struct cs__cert *justify; /* NULL in block 1 */
    struct cs_list evidence;  /* in own memory */
    uint64_t carried_view;    /* of the newest finalization that came with it; 0: none */
    enum cs__body_state body;
    bool judged; /* it was found valid, or voted for: a body that is there is valid */
    bool needed; /* among those that may be held when not all may; bodies.h */
    bool used;
    bool journaled;
    bool final;            /* committed, EXECUTE not given yet */
    bool mark;             /* for sweeps */
    uint32_t next;         /* spare: the next one, plus one */
    uint32_t link;         /* enum cs__link, as found when ... */
    uint64_t link_version; /* ... cs->version was this */
};

struct cs__proposal {
    bool set;
    bool dead;  /* found invalid */
    bool again; /* of a block that closes the epoch, first proposed in an earlier view */
    uint64_t parent_view;
    struct nv_hash hash;
    struct nv_sig sig;
    uint64_t wall_ms; /* when it came */
};

struct cs__slot {
    uint64_t view;          /* 0: not in use */
    uint64_t epoch;         /* the certificates may be of one that has ended */
    struct cs__cert *notar; /* a notarization, or a finalization */
    struct cs__cert *null;
    struct cs__tally *tally; /* NULL until a vote comes */
    struct cs__proposal proposal;
};

struct cs__timers {
    uint64_t forward; /* entry certificate to a silent leader */
    uint64_t leader;  /* no proposal */
    uint64_t view;    /* no certificate */
    uint64_t retry;
    uint64_t due;    /* a block of the own is due */
    uint64_t hold;   /* a proposal's time is no longer ahead */
    uint64_t listen; /* end of the silence after a restart */
    uint64_t status;
    uint64_t fetch;
    uint64_t certs;     /* ask for certificates again */
    uint64_t range;     /* ask for blocks by height again */
    uint64_t next;      /* ask for the epoch's end again */
    uint64_t split;     /* ask for what proves a fork again ... */
    uint64_t split_end; /* ... until then */
    uint64_t wake;      /* work was left for the next step */
};

struct cs {
    struct cs_config config;
    bool keyed;
    struct nv_pubkey key;      /* the own one, if keyed ... */
    struct nv_signer signer;   /* ... and what signs with it */
    struct nv_hash empty_root; /* of the empty list */

    /* the epoch */
    uint64_t epoch;
    uint32_t me; /* own index, or CS_NOBODY */
    struct cs_valset set;
    struct cs_valset before[2]; /* of the last epoch, and of the one before it, ... */
    uint64_t sets_from;         /* ... if they are not below this one */
    struct cs_schedule schedule;
    struct cs_header opened; /* the block that closed the epoch before; height 0: the genesis */
    struct nv_hash opened_hash;
    struct cs__cert *opened_cert; /* its finalization; NULL at the genesis */
    struct {
        uint64_t height; /* from which on the state would give ... */
        struct cs_valset set;
    } told[CS__TOLD]; /* ring, the newest at told_count - 1 */
    uint32_t told_count;
    bool next_known;       /* a peer told this epoch's end ... */
    struct cs_valset next; /* ... and this set for the next */
    bool next_need;        /* ask for it */
    uint32_t next_peer;    /* who says that the epoch is over; CS_NOBODY: nobody */
    uint32_t next_attempt;

    /* the newest final block */
    struct {
        struct cs_header header; /* height 0: the genesis */
        uint64_t view;
        struct nv_hash hash;
        struct cs__cert *cert; /* NULL at the genesis */
    } fin;
    uint64_t carried_view;     /* newest finalization carried by a final block's proposal */
    uint64_t nonempty_height;  /* newest final block with transactions */
    uint64_t executing_height; /* EXECUTE was given up to here */
    uint64_t executed_height;  /* EXECUTED came up to here, ... */
    uint64_t executed_ns;      /* ... then */
    struct {
        uint64_t height; /* 0: not in use, unless it is the genesis */
        bool known;
        bool claimed;
        struct nv_hash root;  /* the own, if known */
        struct nv_hash claim; /* a final header's, if claimed */
        bool final;           /* of the final block of this height: */
        struct nv_hash hash;  /* its hash */
        uint64_t view;        /* its view; 0: of another epoch */
    } recent[CS__RECENT];     /* ring by height */

    /* the view */
    uint64_t view;
    uint64_t entry_view; /* highest view with a certificate */
    uint64_t entered_ns;
    uint64_t left_view;       /* the one that was left for it, ... */
    uint64_t left_entered_ns; /* ... and when that was entered */
    uint64_t base_ns;         /* timers count from here; CS__NEVER: not known yet */
    uint64_t delay_ns;        /* working delay */
    uint32_t nullified;
    uint32_t retries;
    uint64_t retry_ns; /* distance of the next one */
    bool timed_out;
    uint32_t waiting; /* transactions in the mempool */
    uint64_t work_ns; /* when the newest came */
    struct {
        bool busy;
        uint64_t view;
        uint64_t parent_view;
        struct cs_header header; /* all but the body's fields */
    } build;
    uint64_t proposed_step; /* number of the step of the last proposal */

    struct cs__pool pool; /* of evidence */
    struct cs__past past;
    uint64_t past_told;            /* the newest epoch whose fork was found, too late */
    struct cs__share proofs_other; /* as of a peer, of all that are no validators */
    struct {
        bool set;       /* there is another chain: nothing is signed */
        uint64_t epoch; /* certificates of this epoch ... */
        uint64_t view;  /* ... and view would tell by whose fault; 0: the epoch before knows */
        struct cs__cert *other; /* an ended epoch's finalization that speaks against the own;
                                   NULL: the target's or the near one's does */
    } doubt;

    struct cs__gate gate;
    struct cs__slot *slot; /* ring by view */
    uint32_t slot_count;
    uint64_t slot_base; /* place of the epoch's view 0 */
    struct cs__tally *tally[CS__TALLIES];
    uint32_t tally_count;
    struct cs__cert *cert;
    struct nv_sig *sigs; /* set.count for each certificate */
    uint32_t cert_count;
    uint32_t cert_used; /* ever */
    uint32_t cert_live;
    struct cs__cert *cert_spare;
    struct cs__block *block;
    uint32_t block_count;
    uint32_t block_used; /* ever */
    uint32_t block_live;
    uint32_t block_spare; /* first one, plus one */
    uint32_t bodies;      /* held, of those that are not empty; bodies.h */
    uint8_t *evidence;    /* CS__EVIDENCE_SIZE for each block */
    struct nv_critbit *block_index;
    uint32_t *path;          /* scratch: indices of blocks */
    uint64_t version;        /* counts changes of blocks, bodies and fin */
    struct cs__cert *target; /* newest finalization above fin */
    struct cs__cert *near;   /* the finalization that is worked on, at most the target */
    uint32_t dirty_count;    /* certificates that wait for the journal */

    struct cs__peer peer[CS_VALIDATORS_MAX];
    struct cs__fetch fetch[CS__FETCHES];
    uint32_t fetch_marks; /* scratch: how many are wanted */
    uint32_t range_peer;
    uint64_t certs_need; /* a view of which a certificate is missing; 0: none */
    bool certs_all;      /* ask everybody at once */

    struct cs__timers timers;
    uint64_t timer_ns; /* of the last SET_TIMER */
    uint64_t now_ns;
    uint64_t wall_ms;
    uint64_t step;
    bool started;
    bool listening;
    bool recovered; /* something was */
    bool sat_out;   /* in the epoch before, or sits out in this one */
    bool halted;

    struct cs_effects *effects; /* during a step */
    uint8_t *scratch;           /* CS__SCRATCH bytes for encoding */
};

#define CS__EVIDENCE_SIZE (CS_EVIDENCE_MAX * CS_EVIDENCE_SIZE)
#define CS__SCRATCH       (CS_MESSAGE_SIZE_MAX + CS_CERTIFICATE_SIZE_MAX)

#endif /* NV_CONSENSUS_STATE_H */
