/* Validators that lie: each runs the real node, and what it sends is changed on
 * the way out.  Amnesia and twins are a matter of disks and hosts (life.c,
 * world.c); bad oracle reports one of clients (work.c). */

#include <string.h>

#include "base/assert.h"

#include "tests/sim/node/nodesim.h"

static uint8_t out[CS_MESSAGE_SIZE_MAX];

/* dice returns a number that depends on the liar and `salt` alone, so that a
 * lie can be the same for all receivers. */
static uint64_t dice(const struct ns *ns, const struct ns_host *host, uint64_t salt)
{
    struct nv_test_rng rng = {ns->seed ^ (host->key * UINT64_C(7919)) ^ (salt << 20)};
    (void)nv_test_next(&rng);
    return nv_test_next(&rng);
}

static bool tells(const struct ns *ns, enum ns_lie lie)
{
    return (ns->conf.lie & (uint64_t)lie) != 0;
}

static void
post(struct ns *ns, struct ns_host *from, struct ns_host *to, uint8_t type, struct nv_view bytes)
{
    struct ns_bytes *const mail = ns_bytes_new(bytes);
    ns_net_post(ns, from, to, type, mail);
    ns_bytes_drop(mail);
}

static void
send(struct ns *ns, struct ns_host *from, struct ns_host *to, const struct cs_message *message)
{
    struct nv_writer w;
    nv_writer_init(&w, out, sizeof out);
    cs_message_encode(&w, message);
    NV_ASSERT(!w.overflow);
    post(ns, from, to, (uint8_t)message->type, nv_writer_view(&w));
}

static void sign(const struct ns_host *host, const struct cs_ballot *ballot, struct nv_sig *sig)
{
    struct nv_hash digest;
    cs_ballot_digest(&digest, &ns_genesis()->chain_id, ballot);
    nv_sign(sig, &ns_key(host->key)->secret, &digest);
}

/* ---- votes ---- */

/* votes_more sends a vote that conflicts with the liar's own of that view. */
static void
votes_more(struct ns *ns, struct ns_host *from, struct ns_host *to, const struct cs_vote *real)
{
    struct cs_message message = {.type = CS_MSG_VOTE, .vote = *real};
    struct cs_ballot *const ballot = &message.vote.ballot;
    switch (nv_test_below(&ns->rng, 3)) {
    case 0:
        *ballot = (struct cs_ballot){
            .kind = CS_NULLIFY, .epoch = real->ballot.epoch, .view = real->ballot.view};
        break;
    case 1:
        if (ballot->kind == CS_NULLIFY) {
            return;
        }
        ballot->kind = CS_FINALIZE;
        break;
    default:
        ballot->kind = CS_NOTARIZE;
        ballot->parent_view = ballot->view - 1;
        nv_test_fill(&ns->rng, ballot->block_hash.bytes, sizeof ballot->block_hash.bytes);
        break;
    }
    ns_fault(ns, NS_FAULT_LIE);
    ns->votes_twice++;
    sign(from, ballot, &message.vote.sig);
    send(ns, from, to, &message);
}

/* ---- proposals ---- */

/* header_spoil changes one field of a header. */
static void header_spoil(struct cs_header *header, uint64_t which)
{
    switch (which % 10) {
    case 0: header->height++; break;
    case 1: header->height--; break;
    case 2: header->executed_height += 1; break;
    case 3: header->executed_height = 0; break;
    case 4: header->valset_hash.bytes[0] ^= 1; break;
    case 5: header->params_hash.bytes[0] ^= 1; break;
    case 6: header->justify_hash.bytes[0] ^= 1; break;
    case 7: header->body_root.bytes[0] ^= 1; break;
    case 8: header->tx_count++; break;
    default: header->evidence_root.bytes[9] ^= 1; break;
    }
}

static void time_spoil(struct cs_header *header, uint64_t which)
{
    static const int64_t off[4] = {60000, 450, -450, -60000};
    header->time_ms = (uint64_t)((int64_t)header->time_ms + off[which % 4]);
}

/* body_follow sends the body of a changed block, whose name is new. */
static void body_follow(struct ns *ns,
                        struct ns_host *from,
                        struct ns_host *to,
                        const struct nv_hash *real,
                        const struct cs_proposal *proposal)
{
    struct cs_message message = {.type = CS_MSG_BODY_CHUNK};
    struct replica_store const store = node_blocks_store(from->blocks);
    struct nv_view body;
    if (proposal->header.body_size == 0 || store.body(store.ctx, real, &body) != NV_OK) {
        return;
    }
    message.body_chunk.block_hash = proposal->block_hash;
    message.body_chunk.chunk.bytes = cs_body_chunk(body, 0);
    cs_body_path(&message.body_chunk.chunk.path, body, 0);
    send(ns, from, to, &message);
}

static void proposal_sign(const struct ns_host *host, struct cs_proposal *p)
{
    cs_header_hash(&p->block_hash, &p->header);
    struct cs_ballot const ballot = {
        .kind = CS_NOTARIZE,
        .epoch = p->epoch,
        .view = p->view,
        .parent_view = p->parent_view,
        .block_hash = p->block_hash,
    };
    sign(host, &ballot, &p->sig);
}

static void
proposal_send(struct ns *ns, struct ns_host *from, struct ns_host *to, struct cs_message *message)
{
    struct cs_proposal *const p = &message->proposal;
    struct nv_hash const real = p->block_hash;
    uint64_t const d = dice(ns, from, p->view) >> 8;
    bool lied = true;
    if (tells(ns, NS_LIE_HEADER) && d % 5 == 0) {
        header_spoil(&p->header, d >> 8);
    } else if (tells(ns, NS_LIE_ROOT) && d % 5 == 1) {
        p->header.state_root.bytes[(d >> 8) % 32] ^= 1;
    } else if (tells(ns, NS_LIE_TIME) && d % 5 == 2) {
        time_spoil(&p->header, d >> 8);
    } else if (tells(ns, NS_LIE_TWO_BLOCKS) && d % 5 == 3 && (to->id + d) % 2 == 0) {
        if ((d >> 16) % 2 == 0) { /* both of them to this one */
            send(ns, from, to, message);
        }
        p->header.time_ms++;
    } else {
        lied = false;
    }
    if (lied) {
        ns_fault(ns, NS_FAULT_LIE);
        proposal_sign(from, p);
        body_follow(ns, from, to, &real, p);
    }
    send(ns, from, to, message);
}

/* ---- history ---- */

/* history_spoil changes a header among the blocks that somebody asked for. */
static void
history_spoil(struct ns *ns, struct ns_host *from, struct ns_host *to, struct nv_view bytes)
{
    static uint8_t broken[CS_MESSAGE_SIZE_MAX];
    struct cs_message message;
    enum nv_err err = cs_message_decode(&message, CS_MSG_BLOCK_RESPONSE, bytes);
    memcpy(broken, bytes.bytes, bytes.size);
    if (err == NV_OK && message.block_response.blocks.count > 0) {
        uint64_t const at = (uint64_t)(message.block_response.blocks.bytes.bytes - bytes.bytes);
        broken[at + 100 + nv_test_below(&ns->rng, 200)] ^= 1; /* in the first header */
    }
    ns_fault(ns, NS_FAULT_LIE);
    post(ns, from, to, CS_MSG_BLOCK_RESPONSE, nv_view_of(broken, bytes.size));
}

/* ---- silence and noise ---- */

static bool silent(const struct ns *ns, const struct ns_host *from, const struct ns_host *to)
{
    uint64_t const d = dice(ns, from, ns->now_ns / (250 * NS_MS) + 1000000);
    bool const all = d % 4 == 0;
    bool const some = d % 4 == 1 && (d >> 8 >> to->id & 1u) == 0;
    return tells(ns, NS_LIE_SILENCE) && (all || some);
}

static void
garbage(struct ns *ns, struct ns_host *from, struct ns_host *to, uint8_t type, struct nv_view bytes)
{
    static uint8_t broken[CS_MESSAGE_SIZE_MAX];
    uint32_t const changes = 1 + nv_test_below(&ns->rng, 3);
    uint32_t const size =
        ns_chance(ns, 200000) ? nv_test_below(&ns->rng, bytes.size + 1) : bytes.size;
    memcpy(broken, bytes.bytes, bytes.size);
    for (uint32_t i = 0; i < changes; i++) {
        broken[nv_test_below(&ns->rng, bytes.size)] = (uint8_t)nv_test_next(&ns->rng);
    }
    ns_fault(ns, NS_FAULT_LIE);
    post(ns, from, to, type, nv_view_of(broken, size));
}

/* ---- snapshots ---- */

/* What a liar spoils in a seed. */
enum manner { SILENCE, OFFERS, ANCHORS, CHUNKS, MANIFESTS, ENDS, ANYTHING, MANNERS };

/* manner_of returns which manner a message is for; MANNERS: none. */
static enum manner manner_of(uint8_t type, struct nv_view bytes)
{
    if (type == SYNC_SNAPSHOTS) {
        return OFFERS;
    }
    if (type != SYNC_PART) {
        return type == CS_MSG_EPOCH_RESPONSE ? ENDS : MANNERS;
    }
    uint32_t const part = nv_be32_load(bytes.bytes + 8);
    return part == ST_PART_ANCHOR ? ANCHORS : part == ST_PART_MANIFEST ? MANIFESTS : CHUNKS;
}

/* snapshot_send answers who asks for a snapshot, or for the end of an epoch; false: as
 * it is. */
static bool snapshot_send(
    struct ns *ns, struct ns_host *from, struct ns_host *to, uint8_t type, struct nv_view bytes)
{
    static uint8_t broken[SYNC_PART_SIZE];
    uint64_t const own_dice = dice(ns, from, 0) % (MANNERS + 3u); /* chunks more often */
    enum manner const own = own_dice < MANNERS ? (enum manner)own_dice : CHUNKS;
    enum manner const asked = manner_of(type, bytes);
    uint32_t const spared = asked == OFFERS ? 9 : asked == ENDS ? 0 : SYNC_PART_HEAD;
    bool const silence = own == SILENCE && asked != OFFERS;
    bool const wrong = own == asked || (own == ANYTHING && ns_chance(ns, 500000));
    if (asked == MANNERS || bytes.size <= spared || !(silence || wrong)) {
        return false;
    }
    ns_fault(ns, NS_FAULT_LIE);
    memcpy(broken, bytes.bytes, bytes.size);
    broken[spared + nv_test_below(&ns->rng, bytes.size - spared)] ^=
        (uint8_t)(1u << nv_test_below(&ns->rng, 8));
    if (!silence) {
        post(ns, from, to, type, nv_view_of(broken, bytes.size));
    }
    return true;
}

void ns_lie_send(
    struct ns *ns, struct ns_host *from, struct ns_host *to, uint8_t type, struct nv_view bytes)
{
    struct cs_message message;
    if (silent(ns, from, to) ||
        (type == CS_MSG_BODY_CHUNK && tells(ns, NS_LIE_BODY) && ns_chance(ns, 200000))) {
        ns_fault(ns, NS_FAULT_LIE);
        return;
    }
    if (tells(ns, NS_LIE_GARBAGE) && ns_chance(ns, 20000)) {
        garbage(ns, from, to, type, bytes);
        return;
    }
    if (type == CS_MSG_BLOCK_RESPONSE && tells(ns, NS_LIE_HISTORY)) {
        history_spoil(ns, from, to, bytes);
        return;
    }
    if (tells(ns, NS_LIE_SNAPSHOT) && snapshot_send(ns, from, to, type, bytes)) {
        return;
    }
    bool const plain = type != CS_MSG_PROPOSAL && type != CS_MSG_VOTE;
    if (plain || cs_message_decode(&message, type, bytes) != NV_OK) {
        post(ns, from, to, type, bytes);
        return;
    }
    if (type == CS_MSG_PROPOSAL) {
        proposal_send(ns, from, to, &message);
        return;
    }
    if (tells(ns, NS_LIE_VOTES) && ns_chance(ns, 300000)) {
        votes_more(ns, from, to, &message.vote);
    }
    post(ns, from, to, type, bytes);
}
