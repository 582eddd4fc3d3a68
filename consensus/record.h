#ifndef NV_CONSENSUS_RECORD_H
#define NV_CONSENSUS_RECORD_H

/* record.h - what the engine wants kept (docs/spec/consensus.md section 9).
 *
 * A PERSIST effect holds records one after another, each
 *
 *     type u8 | size u32 | payload
 *
 * in the order in which they must be in the journal.  After a restart the same
 * records go to cs_recover in the same order.
 *
 * Pure; any thread. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/err.h"

#include "consensus/certificate.h"
#include "consensus/evidence.h"
#include "consensus/handover.h"
#include "consensus/message.h"
#include "consensus/vote.h"

/* The values are stored. */
enum cs_record_type {
    CS_RECORD_BLOCK = 1,       /* a block; its body must be durable with it */
    CS_RECORD_CERTIFICATE = 2, /* a certificate held */
    CS_RECORD_VOTE = 3,        /* an own vote: what the sign gate remembers */
    CS_RECORD_FINAL = 4,       /* a final block and its finalization */
    CS_RECORD_EPOCH = 5,       /* the end of an epoch; payload as cs_handover_put */
    CS_RECORD_EVIDENCE = 6,    /* an item that waits for a block */
};

#define CS_RECORD_HEAD_SIZE 5u

struct cs_final {
    struct cs_header header; /* of the final block */
    struct cs_certificate certificate;
};

struct cs_waiting {
    uint64_t epoch; /* in which it waits: whoever waits longer writes it again */
    struct cs_evidence item;
};

struct cs_record {
    enum cs_record_type type;
    struct nv_view payload; /* borrowed; CS_RECORD_BLOCK: as cs_block_put */
    union {
        struct cs_block block;
        struct cs_certificate certificate;
        struct cs_vote vote;
        struct cs_final final;
        struct cs_handover handover;
        struct cs_waiting evidence;
    };
};

/* cs_record_put appends a record, head and payload; `payload` is not read. */
void cs_record_put(struct nv_writer *w, const struct cs_record *record);

/* cs_record_get reads the next record in place.  Journals are trusted as to
 * intent, not as to bits: bad bytes give an error. */
NV_MUST_USE enum nv_err cs_record_get(struct nv_reader *r, struct cs_record *record);

/* When a record is about. */
struct cs_moment {
    uint64_t epoch;
    uint64_t view;
};

/* cs_record_moment returns the view that the record is about: a journal segment
 * whose records are all of views at or below the newest final one, or of older
 * epochs, and whose heights are below a durable checkpoint, is not needed any
 * more to restart.  Epoch records are: they are what the sets are proved by.
 * Evidence is of its whole epoch: the view is the last that there can be. */
struct cs_moment cs_record_moment(const struct cs_record *record);

#endif /* NV_CONSENSUS_RECORD_H */
