#ifndef NV_CONSENSUS_MESSAGE_H
#define NV_CONSENSUS_MESSAGE_H

/* message.h - what validators tell each other (docs/spec/consensus.md section
 * 8).
 *
 * A message travels as {type, bytes}: the type in the envelope, the bytes in
 * the canonical form of this file.  Lists inside a message are decoded as
 * checked views and read one by one, so that a message is small and decoding
 * takes no memory.
 *
 * How a message reaches the engine:
 *
 *     cs_message_decode   anywhere (a worker): form, sizes, block hashes
 *     cs_admit            main thread, reads the engine: is it of use, and
 *                         which of its signatures need checking?
 *     cs_message_check    anywhere (a worker): those signatures
 *     cs_step             main thread: event MESSAGE with message and plan
 *
 * A message borrows the bytes that it was decoded from.  Pure. */

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/codec.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/merkle.h"

#include "consensus/body.h"
#include "consensus/certificate.h"
#include "consensus/evidence.h"
#include "consensus/handover.h"
#include "consensus/header.h"
#include "consensus/list.h"
#include "consensus/valset.h"
#include "consensus/vote.h"

#define CS_PROPOSAL_SKIPS_MAX 8u /* nullifications a proposal carries */
#define CS_PROPOSAL_CERTS_MAX (CS_PROPOSAL_SKIPS_MAX + 2u)
#define CS_CERTS_MAX          48u     /* certificates in a response, views in a request */
#define CS_BLOCKS_MAX         128u    /* blocks in a response */
#define CS_MESSAGE_SIZE_MAX   458752u /* no message is larger */

/* The values are sent; they are those of the p2p envelope, and the sizes are
 * within its limits. */
enum cs_message_type {
    CS_MSG_PROPOSAL = 16,
    CS_MSG_VOTE = 17,
    CS_MSG_CERTIFICATE = 18,
    CS_MSG_STATUS = 19,
    CS_MSG_EVIDENCE = 20,
    CS_MSG_CERT_REQUEST = 21,
    CS_MSG_CERT_RESPONSE = 22,
    CS_MSG_BODY_CHUNK = 23,    /* taken by the shell; not for the engine */
    CS_MSG_BLOCK_REQUEST = 24, /* answered by the shell; not for the engine */
    CS_MSG_BLOCK_RESPONSE = 25,
    CS_MSG_EPOCH_REQUEST = 26, /* answered by the shell; not for the engine */
    CS_MSG_EPOCH_RESPONSE = 27,
    CS_MSG_BODY_REQUEST = 29, /* answered by the shell; not for the engine */
};

#define CS_PROPOSAL_SIZE_MAX       98304u
#define CS_CERT_RESPONSE_SIZE_MAX  458752u
#define CS_BLOCK_RESPONSE_SIZE_MAX 262144u

/* A leader's block.  The signature is the leader's notarize vote.  A block that
 * closes its epoch is proposed again, as it is, until it is final: then `view`
 * and `parent_view` are those of the new ballot, parent_view is where the block
 * itself was notarized before, and that notarization is the first certificate
 * of the list. */
struct cs_proposal {
    bool again;
    uint64_t epoch;
    uint64_t view;
    uint64_t parent_view;
    struct cs_header header;
    struct nv_hash block_hash; /* computed when decoding */
    struct nv_sig sig;
    bool has_justify; /* false for block 1 only */
    struct cs_certificate justify;
    struct cs_list evidence;
    struct cs_list certificates; /* at most CS_PROPOSAL_CERTS_MAX */
};

/* Where a node stands. */
struct cs_status {
    uint64_t epoch;
    uint64_t view;
    uint64_t final_height;
    uint64_t final_view;
    struct nv_hash final_hash;
    uint64_t time_ms;   /* the sender's wall clock */
    uint8_t entry_kind; /* enum cs_vote_kind of the certificate for view - 1; 0 in view 1 */
};

struct cs_cert_request {
    uint64_t epoch;
    uint32_t count; /* in [1, CS_CERTS_MAX] */
    uint64_t view[CS_CERTS_MAX];
};

struct cs_cert_response {
    struct cs_list certificates; /* at most CS_CERTS_MAX */
};

/* Asks for blocks (header and justify, no body): either the block `hash` with
 * up to count - 1 of its ancestors, or the final blocks of heights [from,
 * from + count). */
struct cs_block_request {
    bool by_hash;
    struct nv_hash hash; /* zero when by height */
    uint64_t from;       /* 0 when by hash */
    uint32_t count;      /* in [1, CS_BLOCKS_MAX] */
};

/* Blocks in ascending order, each the parent of the next.  To a request by
 * height belongs the finalization of the last one. */
struct cs_block_response {
    bool has_final;
    struct cs_certificate final;
    struct cs_list blocks; /* at most CS_BLOCKS_MAX */
};

/* Asks for the handover of an epoch. */
struct cs_epoch_request {
    uint64_t epoch;
};

struct cs_body_request {
    struct nv_hash block_hash;
    uint32_t first; /* chunk */
    uint32_t count; /* in [1, CS_BODY_CHUNKS_MAX] */
};

struct cs_body_chunk {
    struct nv_hash block_hash;
    struct cs_chunk chunk;
};

struct cs_message {
    enum cs_message_type type;
    union {
        struct cs_proposal proposal;
        struct cs_vote vote;
        struct cs_certificate certificate;
        struct cs_status status;
        struct cs_evidence evidence;
        struct cs_cert_request cert_request;
        struct cs_cert_response cert_response;
        struct cs_block_request block_request;
        struct cs_block_response block_response;
        struct cs_epoch_request epoch_request;
        struct cs_handover handover; /* EPOCH_RESPONSE */
        struct cs_body_request body_request;
        struct cs_body_chunk body_chunk;
    };
};

/* A block without its body, as it travels and as it is stored. */
struct cs_block {
    struct cs_header header;
    bool has_justify;
    struct cs_certificate justify; /* of the parent; borrowed */
    struct cs_list evidence;       /* borrowed */
};

#define CS_BLOCK_SIZE_MAX                                                                          \
    (CS_HEADER_SIZE + 2u + CS_CERTIFICATE_SIZE_MAX + CS_EVIDENCE_MAX * CS_EVIDENCE_SIZE)

/* cs_message_lane returns 0 for what decides (votes, certificates, proposals,
 * status) and 1 for bulk. */
uint32_t cs_message_lane(enum cs_message_type type);

/* cs_message_encode appends the message's bytes.  The writer overflows when
 * they do not fit; CS_MESSAGE_SIZE_MAX always fits. */
void cs_message_encode(struct nv_writer *w, const struct cs_message *message);

/* cs_message_decode reads one whole message.  It accepts canonical bytes only:
 * what it accepts encodes to the same bytes again.  Any thread. */
NV_MUST_USE enum nv_err
cs_message_decode(struct cs_message *message, uint8_t type, struct nv_view bytes);

/* What to do with a message: the answer of cs_admit. */
struct cs_plan {
    bool wanted;            /* false: drop it, there is no use for it */
    uint64_t epoch;         /* by whose validators signatures are checked */
    uint32_t leader;        /* whose signature is a proposal's own */
    bool own_sig;           /* check the vote's, the proposal's or the evidence's own signatures */
    bool evidence;          /* check the signatures of a proposal's evidence */
    uint64_t certificates;  /* bit i: check certificate i, in message order */
    struct cs_bitmap known; /* signers of certificate 0 found right before */
};

/* cs_message_check verifies the signatures that the plan names.  False: the
 * sender vouched for a forgery; close its connection and ban it for a while.
 * Pure: run it on any thread, with the set of the plan's epoch. */
NV_MUST_USE bool cs_message_check(const struct cs_message *message,
                                  const struct cs_plan *plan,
                                  const struct nv_hash *chain_id,
                                  const struct cs_valset *set);

/* cs_list_certificate and cs_list_block read the next item of a list of a
 * decoded message; start with nv_reader_init(r, list.bytes). */
void cs_list_certificate(struct nv_reader *r, struct cs_certificate *certificate);
void cs_list_block(struct nv_reader *r, struct cs_block *block);

/* cs_block_put and cs_block_get are a block's canonical bytes: an item of
 * CS_MSG_BLOCK_RESPONSE, and the payload of a CS_RECORD_BLOCK.  So the shell
 * answers a block request by joining payloads from its journal. */
void cs_block_put(struct nv_writer *w, const struct cs_block *block);
NV_MUST_USE enum nv_err cs_block_get(struct nv_reader *r, struct cs_block *block);

/* cs_block_sound returns whether what travels beside the header is what the
 * header names. */
bool cs_block_sound(const struct cs_block *block);

#endif /* NV_CONSENSUS_MESSAGE_H */
