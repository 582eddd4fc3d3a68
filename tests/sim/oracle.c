/* The oracle: sees what honest hosts ask their disks to keep, send and execute,
 * and restates what must hold, with arithmetic of its own.
 *
 *   I1  one notarization payload a view        I6  every notarization has its
 *   I2  no finalization with a nullification       parent's certificate and the
 *   I3  chains are prefixes of each other          nullifications between
 *   I4  honest keys never conflict             I8  certificates are quorums
 *   I5  nothing is sent that is not durable    I9  state roots are the chain's
 *   E1-E5  epochs, in epoch.c                  I10 messages encode as they decode
 */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "tests/sim/check.h"
#include "tests/sim/sim.h"

#define BUCKETS 4096u
#define LAG_MAX 64u /* blocks that execution may be behind one with transactions */

struct seen_votes {
    uint64_t vote[4]; /* by kind, a digest; 0: none */
};

struct seen_view {
    bool notarized;
    bool nullified;
    bool finalized;
    bool both; /* notarized and nullified */
    uint64_t parent;
    struct nv_hash hash;  /* of the notarization, or else the finalization */
    struct nv_hash final; /* of the finalization */
    struct cs_header header;
    struct seen_votes votes[SIM_HOSTS_MAX];
    uint8_t *certificate; /* of the notarization; owned */
    uint32_t certificate_size;
};

struct seen_header {
    struct nv_hash hash;
    struct cs_header header;
    struct seen_header *next;
};

struct oracle {
    struct seen_view *view;
    struct seen_header *bucket[BUCKETS];
    struct nv_hash *chain; /* by height */
    struct nv_hash *root;
    uint64_t *proposed_ns;
    uint64_t *final_ns;
    uint64_t height;
    uint64_t height_top; /* highest one that anybody proposed */
    uint64_t view_top;   /* highest one that anything is known of */
};

static void *many(size_t size, size_t count)
{
    void *const memory = calloc(count, size);
    NV_ASSERT(memory != NULL);
    return memory;
}

struct oracle *oracle_new(void)
{
    struct oracle *const oracle = many(sizeof *oracle, 1);
    oracle->view = many(sizeof *oracle->view, SIM_VIEWS_MAX);
    oracle->chain = many(sizeof *oracle->chain, SIM_HEIGHTS_MAX);
    oracle->root = many(sizeof *oracle->root, SIM_HEIGHTS_MAX);
    oracle->proposed_ns = many(sizeof *oracle->proposed_ns, SIM_HEIGHTS_MAX);
    oracle->final_ns = many(sizeof *oracle->final_ns, SIM_HEIGHTS_MAX);
    return oracle;
}

void oracle_begin(struct sim *sim)
{
    struct oracle *const oracle = sim->oracle;
    for (uint32_t i = 0; i < BUCKETS; i++) {
        while (oracle->bucket[i] != NULL) {
            struct seen_header *const next = oracle->bucket[i]->next;
            free(oracle->bucket[i]);
            oracle->bucket[i] = next;
        }
    }
    for (uint64_t i = 0; i <= oracle->view_top; i++) {
        free(oracle->view[i].certificate);
    }
    memset(oracle->view, 0, (oracle->view_top + 1) * sizeof *oracle->view);
    memset(oracle->proposed_ns, 0, (oracle->height_top + 1) * sizeof *oracle->proposed_ns);
    oracle->view_top = 0;
    oracle->height_top = 0;
    oracle->height = 0;
    oracle->chain[0] = sim->net.chain_id;
    oracle->root[0] = cs_build_hash(77);
}

/* view_of returns what was seen of a view, or NULL and fails the run. */
static struct seen_view *view_of(struct sim *sim, uint64_t epoch, uint64_t view)
{
    uint64_t const slot = sim_slot(sim, epoch, view);
    if (view == 0 || slot >= SIM_VIEWS_MAX) {
        sim_fail(sim, "view %llu is out of range", (unsigned long long)view);
        return NULL;
    }
    sim->oracle->view_top = slot > sim->oracle->view_top ? slot : sim->oracle->view_top;
    return &sim->oracle->view[slot];
}

static uint32_t bucket_of(const struct nv_hash *hash)
{
    return (((uint32_t)hash->bytes[0] << 8) | hash->bytes[1]) % BUCKETS;
}

static const struct cs_header *header_find(const struct oracle *oracle, const struct nv_hash *hash)
{
    for (const struct seen_header *seen = oracle->bucket[bucket_of(hash)]; seen != NULL;
         seen = seen->next) {
        if (nv_hash_eq(&seen->hash, hash)) {
            return &seen->header;
        }
    }
    return NULL;
}

void oracle_header(struct sim *sim, const struct cs_header *header)
{
    struct nv_hash hash;
    struct oracle *const oracle = sim->oracle;
    cs_header_hash(&hash, header);
    if (header_find(oracle, &hash) != NULL) {
        return;
    }
    struct seen_header *const seen = malloc(sizeof *seen);
    NV_ASSERT(seen != NULL);
    seen->hash = hash;
    seen->header = *header;
    seen->next = oracle->bucket[bucket_of(&hash)];
    oracle->bucket[bucket_of(&hash)] = seen;
    uint64_t const height = header->height;
    if (height < SIM_HEIGHTS_MAX && oracle->proposed_ns[height] == 0) {
        oracle->proposed_ns[height] = sim->now_ns;
        oracle->height_top = height > oracle->height_top ? height : oracle->height_top;
    }
}

struct nv_hash oracle_root(const struct sim *sim, uint64_t height)
{
    NV_ASSERT(height <= sim->oracle->height);
    return sim->oracle->root[height];
}

struct nv_hash oracle_block(const struct sim *sim, uint64_t height)
{
    NV_ASSERT(height <= sim->oracle->height);
    return sim->oracle->chain[height];
}

uint64_t oracle_height(const struct sim *sim)
{
    return sim->oracle->height;
}

uint64_t oracle_proposed_ns(const struct sim *sim, uint64_t height)
{
    return sim->oracle->proposed_ns[height];
}

uint64_t oracle_final_ns(const struct sim *sim, uint64_t height)
{
    return sim->oracle->final_ns[height];
}

/* ---- certificates ---- */

/* weight_check: I8, with the oracle's own sum. */
static void weight_check(struct sim *sim, const struct cs_certificate *certificate)
{
    uint64_t stake = 0;
    uint64_t total = 0;
    uint32_t at = 0;
    struct nv_hash digest;
    uint64_t const epoch = certificate->ballot.epoch;
    if (epoch >= SIM_EPOCHS_MAX || !sim->epoch[epoch].begun) {
        sim_fail(sim, "I8: a certificate of an epoch that has not begun");
        return;
    }
    const struct cs_valset *const set = &sim->epoch[epoch].set;
    cs_ballot_digest(&digest, &sim->net.chain_id, &certificate->ballot);
    for (uint32_t i = 0; i < set->count; i++) {
        total += set->member[i].stake;
        if ((certificate->signers.bytes[i / 8] >> (i % 8) & 1u) == 0) {
            continue;
        }
        stake += set->member[i].stake;
        if (!nv_verify(&certificate->sigs[at], &set->member[i].key, &digest)) {
            sim_fail(sim, "I8: a signature in a certificate is wrong");
        }
        at++;
    }
    if (stake <= 2 * (total / 3) + 2 * (total % 3) / 3) {
        sim_fail(sim, "I8: a certificate is no quorum");
    }
}

/* certified returns whether a block at a view has a certificate to build on. */
static bool certified(struct sim *sim, uint64_t epoch, uint64_t view, const struct nv_hash *hash)
{
    if (view == 0) {
        return epoch_opens(sim, epoch, hash);
    }
    const struct seen_view *const seen = view_of(sim, epoch, view);
    return seen != NULL && ((seen->notarized && nv_hash_eq(&seen->hash, hash)) ||
                            (seen->finalized && nv_hash_eq(&seen->final, hash)));
}

/* skips_check: the views between were nullified. */
static void skips_check(struct sim *sim, const struct cs_ballot *ballot)
{
    for (uint64_t view = ballot->parent_view + 1; view < ballot->view; view++) {
        const struct seen_view *const seen = view_of(sim, ballot->epoch, view);
        if (seen != NULL && !seen->nullified) {
            sim_fail(sim,
                     "I6: view %u leaves out view %u, which is not nullified",
                     (unsigned)ballot->view,
                     (unsigned)view);
            return;
        }
    }
}

/* views_check: a ballot's views are its block's; or the block closes its epoch and
 * was notarized before. */
static bool views_check(const struct cs_header *header, const struct cs_ballot *ballot)
{
    static const struct nv_hash none;
    if (header->epoch != ballot->epoch || ballot->parent_view >= ballot->view) {
        return false;
    }
    if (header->view == ballot->view) {
        return header->parent_view == ballot->parent_view;
    }
    return !nv_hash_eq(&header->next_valset_hash, &none) && header->view <= ballot->parent_view;
}

/* fastest_ms returns the wall clock that is furthest ahead among the honest. */
static uint64_t fastest_ms(const struct sim *sim)
{
    int64_t skew = 0;
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        const struct sim_host *const host = &sim->host[i];
        skew = host->honest && host->fastest_ms > skew ? host->fastest_ms : skew;
    }
    return sim_wall_ms(sim) + (uint64_t)skew;
}

/* follow_check: the rest of I6, what a header says against its parent's. */
static void follow_check(struct sim *sim, const struct cs_header *header)
{
    static const struct cs_header genesis;
    const struct cs_header *parent = header_find(sim->oracle, &header->parent_hash);
    unsigned const view = (unsigned)header->view;
    parent = parent != NULL ? parent : &genesis;
    if (header->height != parent->height + 1 || header->time_ms < parent->time_ms) {
        sim_fail(sim, "I6: view %u: height or time do not follow", view);
    }
    if (header->time_ms > fastest_ms(sim) + SIM_AHEAD_MS) {
        sim_fail(sim, "I6: view %u: a time from the future", view);
    }
    if (header->executed_height < parent->executed_height ||
        header->executed_height >= header->height) {
        sim_fail(sim, "I6: view %u: the executed height does not follow", view);
    }
    if (header->tx_count > 0 && header->height - header->executed_height > LAG_MAX) {
        sim_fail(sim, "I6: view %u: transactions though execution lags", view);
    }
}

/* parent_check: I6. */
static void parent_check(struct sim *sim, const struct cs_ballot *ballot)
{
    const struct cs_header *const header = header_find(sim->oracle, &ballot->block_hash);
    if (header == NULL) {
        sim_fail(sim, "I6: view %u notarizes a block nobody saw", (unsigned)ballot->view);
        return;
    }
    if (!views_check(header, ballot)) {
        sim_fail(sim, "I6: view %u notarizes a block of another", (unsigned)ballot->view);
        return;
    }
    const struct nv_hash *const base =
        header->view == ballot->view ? &header->parent_hash : &ballot->block_hash;
    if (!certified(sim, ballot->epoch, ballot->parent_view, base)) {
        sim_fail(sim, "I6: view %u builds on no certificate", (unsigned)ballot->view);
        return;
    }
    skips_check(sim, ballot);
    const struct cs_header *const parent = header_find(sim->oracle, &header->parent_hash);
    follow_check(sim, header);
    epoch_check(sim, header, parent);
}

static void notarized(struct sim *sim, const struct cs_certificate *certificate)
{
    const struct cs_ballot *const ballot = &certificate->ballot;
    struct seen_view *const seen = view_of(sim, ballot->epoch, ballot->view);
    struct nv_writer w;
    if (seen == NULL) {
        return;
    }
    if (seen->notarized) {
        if (!nv_hash_eq(&seen->hash, &ballot->block_hash) || seen->parent != ballot->parent_view) {
            sim_fail(sim, "I1: view %u has two notarizations", (unsigned)ballot->view);
        }
        return;
    }
    weight_check(sim, certificate);
    parent_check(sim, ballot);
    const struct cs_header *const header = header_find(sim->oracle, &ballot->block_hash);
    if (sim->failed || header == NULL) {
        return;
    }
    if (ballot->view != header->view) {
        sim_trace(sim, 0, "again", ballot->view, header->height);
    }
    seen->notarized = true;
    seen->parent = ballot->parent_view;
    seen->hash = ballot->block_hash;
    seen->header = *header;
    seen->certificate_size = cs_certificate_size(certificate);
    seen->certificate = malloc(seen->certificate_size);
    NV_ASSERT(seen->certificate != NULL);
    nv_writer_init(&w, seen->certificate, seen->certificate_size);
    cs_certificate_put(&w, certificate);
    if (seen->finalized && !nv_hash_eq(&seen->final, &seen->hash)) {
        sim_fail(sim, "view %u notarizes and finalizes apart", (unsigned)ballot->view);
    }
}

static void certificate_seen(struct sim *sim, const struct cs_certificate *certificate)
{
    const struct cs_ballot *const ballot = &certificate->ballot;
    struct seen_view *const seen = view_of(sim, ballot->epoch, ballot->view);
    if (seen == NULL) {
        return;
    }
    switch (ballot->kind) {
    case CS_NOTARIZE: notarized(sim, certificate); break;
    case CS_NULLIFY:
        if (!seen->nullified) {
            weight_check(sim, certificate);
        }
        seen->nullified = true;
        break;
    case CS_FINALIZE:
        if (seen->finalized && !nv_hash_eq(&seen->final, &ballot->block_hash)) {
            sim_fail(sim, "view %u has two finalizations", (unsigned)ballot->view);
        }
        if (!seen->finalized) {
            weight_check(sim, certificate);
        }
        seen->finalized = true;
        seen->final = ballot->block_hash;
        break;
    }
    if (seen->nullified && seen->notarized && !seen->both) {
        seen->both = true;
        sim_trace(sim, 0, "both", ballot->view, seen->header.next_valset_hash.bytes[0]);
    }
    if (seen->finalized && seen->nullified) {
        sim_fail(sim, "I2: view %u is finalized and nullified", (unsigned)ballot->view);
    }
    if (seen->finalized && seen->notarized && !nv_hash_eq(&seen->final, &seen->hash)) {
        sim_fail(sim, "view %u notarizes and finalizes apart", (unsigned)ballot->view);
    }
}

void oracle_record(struct sim *sim, const struct sim_host *host, const struct cs_record *record)
{
    if (record->type == CS_RECORD_BLOCK) {
        oracle_header(sim, &record->block.header);
    }
    if (record->type == CS_RECORD_BLOCK && record->block.has_justify && host->honest) {
        struct nv_hash hash;
        cs_certificate_hash(&hash, &record->block.justify);
        if (!nv_hash_eq(&hash, &record->block.header.justify_hash)) {
            sim_fail(sim, "I6: host %u keeps a block with another's certificate", host->id);
        }
    }
}

void oracle_durable(struct sim *sim, const struct sim_host *host, const struct cs_record *record)
{
    if (sim->conf.fork && record->type == CS_RECORD_EPOCH) {
        epoch_ended(sim, &record->handover);
    }
    if (!host->honest || sim->failed || sim->conf.fork) {
        return;
    }
    if (record->type == CS_RECORD_CERTIFICATE) {
        certificate_seen(sim, &record->certificate);
    } else if (record->type == CS_RECORD_FINAL) {
        certificate_seen(sim, &record->final.certificate);
    } else if (record->type == CS_RECORD_EPOCH) {
        certificate_seen(sim, &record->handover.final);
        epoch_ended(sim, &record->handover);
    }
}

/* ---- votes ---- */

/* conflict_check: I4.  Stated from the table of the four offences. */
static void conflict_check(struct sim *sim, struct seen_view *seen, const struct cs_vote *vote)
{
    uint64_t *const mine = seen->votes[vote->signer].vote;
    uint32_t const kind = (uint32_t)vote->ballot.kind;
    unsigned const view = (unsigned)vote->ballot.view;
    uint64_t const digest = sim_digest(&vote->ballot);
    if (mine[kind] != 0 && mine[kind] != digest) {
        sim_fail(sim, "I4: honest %u votes twice in view %u", vote->signer, view);
    }
    mine[kind] = digest;
    if (mine[CS_NULLIFY] != 0 && mine[CS_FINALIZE] != 0) {
        sim_fail(sim, "I4: honest %u nullifies and finalizes view %u", vote->signer, view);
    }
    if (mine[CS_NOTARIZE] != 0 && mine[CS_FINALIZE] != 0 &&
        mine[CS_NOTARIZE] != mine[CS_FINALIZE]) {
        sim_fail(sim, "I4: honest %u switches in view %u", vote->signer, view);
    }
}

/* body_check: who votes for a block has its body, and finds it sound. */
static void body_check(struct sim *sim, struct sim_host *host, const struct cs_vote *vote)
{
    const struct cs_header *const header = header_find(sim->oracle, &vote->ballot.block_hash);
    if (header == NULL || header->body_size == 0) {
        return;
    }
    const struct sim_body *const body = sim_body_find(host, &vote->ballot.block_hash);
    if (body == NULL || !body->checked) {
        sim_fail(sim, "I5: host %u votes for a body that it does not have", host->id);
    } else if (!sim_body_sound(body)) {
        sim_fail(sim, "host %u votes for an invalid body", host->id);
    }
}

/* durable_check: I5. */
static void durable_check(struct sim *sim, struct sim_host *host, const struct cs_vote *vote)
{
    uint64_t const view = vote->ballot.view;
    const struct sim_durable *const durable =
        &host->durable[sim_slot(sim, vote->ballot.epoch, view)];
    if (durable->vote[vote->ballot.kind] != sim_digest(&vote->ballot)) {
        sim_fail(sim,
                 "I5: host %u sends a vote of view %u that is not durable",
                 host->id,
                 (unsigned)view);
        return;
    }
    if (vote->ballot.kind == CS_NULLIFY) {
        return;
    }
    if (shelf_find(&host->shelf, &vote->ballot.block_hash) == NULL) {
        sim_fail(sim, "I5: host %u votes for a block that it does not keep", host->id);
    }
    if (vote->ballot.kind == CS_FINALIZE && !durable->certificate) {
        sim_fail(sim, "I5: host %u finalizes without a durable notarization", host->id);
    }
    body_check(sim, host, vote);
}

static void vote_sent(struct sim *sim, struct sim_host *host, const struct cs_vote *vote)
{
    struct seen_view *const seen = view_of(sim, vote->ballot.epoch, vote->ballot.view);
    if (seen == NULL) {
        return;
    }
    if (sim_number(sim, &sim->epoch[vote->ballot.epoch % SIM_EPOCHS_MAX].set, host->id) !=
        vote->signer) {
        sim_fail(sim, "host %u sends a vote of %u", host->id, vote->signer);
        return;
    }
    conflict_check(sim, seen, vote);
    durable_check(sim, host, vote);
}

void oracle_sent(struct sim *sim, struct sim_host *host, const struct cs_message *message)
{
    if (message->type == CS_MSG_VOTE) {
        vote_sent(sim, host, &message->vote);
    } else if (message->type == CS_MSG_PROPOSAL) {
        uint64_t const epoch = message->proposal.epoch % SIM_EPOCHS_MAX;
        struct cs_vote vote = {.signer =
                                   (uint16_t)sim_number(sim, &sim->epoch[epoch].set, host->id)};
        vote.ballot.kind = CS_NOTARIZE;
        vote.ballot.epoch = message->proposal.epoch;
        vote.ballot.view = message->proposal.view;
        vote.ballot.parent_view = message->proposal.parent_view;
        vote.ballot.block_hash = message->proposal.block_hash;
        oracle_header(sim, &message->proposal.header);
        vote_sent(sim, host, &vote);
    }
}

void oracle_encoded(struct sim *sim, const struct cs_message *message, struct nv_view bytes)
{
    static uint8_t again[CS_MESSAGE_SIZE_MAX];
    struct nv_writer w;
    nv_writer_init(&w, again, sizeof again);
    cs_message_encode(&w, message);
    if (w.overflow || w.size != bytes.size || memcmp(again, bytes.bytes, bytes.size) != 0) {
        sim_fail(sim, "I10: a message of type %u does not encode as it decodes", message->type);
    }
}

/* ---- chains ---- */

struct nv_hash oracle_root_next(const struct nv_hash *root, const struct nv_hash *block)
{
    struct nv_hash next;
    struct nv_view const parts[2] = {nv_hash_view(root), nv_hash_view(block)};
    nv_sha256_parts(&next, parts, 2);
    return next;
}

void oracle_executed(struct sim *sim,
                     const struct sim_host *host,
                     const struct cs_header *header,
                     const struct nv_hash *hash)
{
    struct oracle *const oracle = sim->oracle;
    uint64_t const height = header->height;
    if (sim->conf.fork) {
        return;
    }
    if (height >= SIM_HEIGHTS_MAX || height > oracle->height + 1) {
        sim_fail(sim, "I3: host %u executes height %u early", host->id, (unsigned)height);
        return;
    }
    if (height == oracle->height + 1) {
        if (!nv_hash_eq(&header->parent_hash, &oracle->chain[height - 1])) {
            sim_fail(
                sim, "I3: height %u does not follow on %u", (unsigned)height, (unsigned)height - 1);
            return;
        }
        oracle->height = height;
        oracle->chain[height] = *hash;
        oracle->root[height] = oracle_root_next(&oracle->root[height - 1], &oracle->chain[height]);
        oracle->final_ns[height] = sim->now_ns;
        live_final(sim, header);
    }
    if (!nv_hash_eq(&oracle->chain[height], hash)) {
        sim_fail(sim, "I3: hosts disagree at height %u", (unsigned)height);
        return;
    }
    if (header->executed_height >= height ||
        !nv_hash_eq(&header->state_root, &oracle->root[header->executed_height])) {
        sim_fail(sim, "I9: height %u names a wrong state root", (unsigned)height);
    }
}

bool oracle_pick(struct sim *sim,
                 uint64_t low,
                 uint64_t high,
                 struct cs_header *header,
                 struct cs_certificate *certificate)
{
    uint64_t const start = sim_between(&sim->rng, low, high);
    for (uint64_t i = 0; i <= high - low; i++) {
        uint64_t const view = low + (start - low + i) % (high - low + 1);
        const struct seen_view *const seen = &sim->oracle->view[view % SIM_VIEWS_MAX];
        if (seen->notarized) {
            struct nv_reader r;
            *header = seen->header;
            nv_reader_init(&r, nv_view_of(seen->certificate, seen->certificate_size));
            return cs_certificate_get(&r, certificate) == NV_OK;
        }
    }
    return false;
}
