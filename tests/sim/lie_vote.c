/* Lies about votes, and certificates of them. */

#include <string.h>

#include "tests/sim/check.h"
#include "tests/sim/liar.h"

#define FLOOD_BURST 24u          /* messages to one receiver in a burst */
#define FLOOD_EVERY UINT64_C(20) /* in so many milliseconds */

static void
vote_send(struct sim *sim, struct sim_host *host, uint32_t to, const struct cs_ballot *ballot)
{
    struct cs_message message = {.type = CS_MSG_VOTE};
    message.vote = cs_build_vote(&sim->net, ballot, host->key);
    message.vote.signer = (uint16_t)sim_number(sim, &host->set, host->id);
    liar_message(sim, host, to, &message);
}

/* conflict sends a vote that conflicts with the liar's own of that view. */
static void
conflict(struct sim *sim, struct sim_host *host, uint32_t to, const struct cs_ballot *real)
{
    struct cs_header header;
    struct cs_certificate certificate;
    struct cs_ballot ballot = *real;
    switch (sim_below(&sim->rng, 3)) {
    case 0:
        if (real->kind == CS_NULLIFY) {
            return;
        }
        ballot.kind = CS_FINALIZE;
        break;
    case 1:
        ballot = cs_build_ballot(
            CS_NOTARIZE, real->view, real->view - 1, cs_build_hash(sim_next(&sim->rng)));
        break;
    default:
        if (!oracle_pick(
                sim, real->view > 5 ? real->view - 5 : 1, real->view, &header, &certificate)) {
            return;
        }
        ballot = certificate.ballot;
        ballot.kind = CS_FINALIZE;
        break;
    }
    ballot.epoch = real->epoch;
    vote_send(sim, host, to, &ballot);
}

static void
nullify(struct sim *sim, struct sim_host *host, uint32_t to, const struct cs_ballot *real)
{
    struct cs_ballot ballot = cs_build_ballot(CS_NULLIFY, real->view, 0, real->block_hash);
    ballot.epoch = real->epoch;
    vote_send(sim, host, to, &ballot);
}

static void
outdated(struct sim *sim, struct sim_host *host, uint32_t to, const struct cs_ballot *real)
{
    struct cs_ballot ballot = *real;
    uint64_t const back = 1 + sim_below(&sim->rng, 20);
    ballot.view = real->view > back ? real->view - back : 1;
    ballot.parent_view = real->parent_view < ballot.view ? real->parent_view : ballot.view - 1;
    vote_send(sim, host, to, &ballot);
}

static void
impersonate(struct sim *sim, struct sim_host *host, uint32_t to, const struct cs_vote *real)
{
    struct cs_message message = {.type = CS_MSG_VOTE, .vote = *real};
    message.vote.signer =
        (uint16_t)((real->signer + 1 + sim_below(&sim->rng, 3)) % host->set.count);
    liar_message(sim, host, to, &message);
}

bool lie_vote(struct sim *sim, struct sim_host *host, uint32_t to, const struct cs_vote *vote)
{
    const struct cs_ballot *const ballot = &vote->ballot;
    if (liar_tells(sim, SIM_LIE_NULLIFY_ONLY)) {
        nullify(sim, host, to, ballot);
        return false;
    }
    if (liar_tells(sim, SIM_LIE_NULLER)) {
        nullify(sim, host, to, ballot);
    }
    if (liar_tells(sim, SIM_LIE_VOTES)) {
        conflict(sim, host, to, ballot);
    }
    if (liar_tells(sim, SIM_LIE_OUTDATED)) {
        outdated(sim, host, to, ballot);
    }
    if (liar_tells(sim, SIM_LIE_IMPERSONATE)) {
        impersonate(sim, host, to, vote);
    }
    if (liar_tells(sim, SIM_LIE_OTHER_EPOCH)) {
        struct cs_ballot other = *ballot;
        other.epoch += 1 + sim_below(&sim->rng, 2);
        vote_send(sim, host, to, &other);
    }
    return true;
}

/* ---- certificates ---- */

/* signers_draw takes the liar and some others. */
static struct cs_bitmap signers_draw(struct sim *sim, const struct sim_host *host)
{
    struct cs_bitmap signers = {{0}};
    uint64_t const dice = sim_next(&sim->rng);
    uint32_t const own = sim_number(sim, &host->set, host->id);
    for (uint32_t i = 0; i < host->set.count; i++) {
        if (i == own || (dice >> i & 1u) != 0) {
            cs_bitmap_add(&signers, i);
        }
    }
    return signers;
}

/* lie_forge sends a certificate of a view near the liar's: signed by itself
 * alone, or with signatures of others that it cannot make, or with those that it
 * has seen and one that is spoilt. */
void lie_forge(struct sim *sim, struct sim_host *host, uint32_t to)
{
    struct nv_sig sigs[CS_VALIDATORS_MAX];
    struct cs_header header;
    struct cs_message message = {.type = CS_MSG_CERTIFICATE};
    struct cs_certificate *const made = &message.certificate;
    uint64_t const view = cs_summary(host->cs).view;
    uint64_t const dice = sim_below(&sim->rng, 4);
    if (dice == 0 && oracle_pick(sim, view > 3 ? view - 3 : 1, view, &header, made)) {
        memcpy(sigs, made->sigs, made->signer_count * sizeof *sigs);
        sigs[sim_below(&sim->rng, made->signer_count)].bytes[5] ^= 4;
        made->sigs = sigs;
        liar_message(sim, host, to, &message);
        return;
    }
    struct cs_bitmap signers = {{0}};
    struct cs_ballot ballot =
        cs_build_ballot(dice == 1 ? CS_NULLIFY : (enum cs_vote_kind)(1 + sim_below(&sim->rng, 3)),
                        view + sim_below(&sim->rng, 3),
                        view - 1,
                        cs_build_hash(sim_next(&sim->rng)));
    ballot.epoch = cs_summary(host->cs).epoch;
    cs_bitmap_add(&signers, sim_number(sim, &host->set, host->id));
    if (dice != 1) {
        signers = signers_draw(sim, host);
    }
    *made = (struct cs_certificate){.ballot = ballot, .signers = signers, .sigs = sigs};
    made->signer_count = cs_bitmap_count(&signers);
    struct cs_vote const own = cs_build_vote(&sim->net, &ballot, host->key);
    for (uint32_t i = 0; i < made->signer_count; i++) {
        sigs[i] = own.sig; /* right for the liar only */
    }
    liar_message(sim, host, to, &message);
}

/* ---- floods ---- */

static void flood_one(struct sim *sim, struct sim_host *host, uint32_t to, uint64_t view)
{
    struct cs_message message = {.type = CS_MSG_BODY_CHUNK};
    uint8_t junk[64] = {0};
    uint64_t const ahead = 1 + sim_below(&sim->rng, 100000);
    struct cs_ballot ballot = cs_build_ballot(
        CS_NOTARIZE, view + ahead, view, cs_build_hash(sim_below(&sim->rng, 1000000)));
    ballot.epoch = cs_summary(host->cs).epoch;
    switch (sim_below(&sim->rng, 4)) {
    case 0: vote_send(sim, host, to, &ballot); break;
    case 1:
        ballot =
            cs_build_ballot(CS_NULLIFY, view + sim_below(&sim->rng, 200), 0, ballot.block_hash);
        vote_send(sim, host, to, &ballot);
        break;
    case 2: lie_forge(sim, host, to); break;
    default:
        message.body_chunk.block_hash = ballot.block_hash;
        message.body_chunk.chunk.bytes = nv_view_of(junk, sizeof junk);
        liar_message(sim, host, to, &message);
        break;
    }
}

void lie_flood(struct sim *sim, struct sim_host *host, uint32_t to)
{
    uint64_t const now_ms = sim->now_ns / SIM_MS;
    if (now_ms < host->flood_ms[to] + FLOOD_EVERY) {
        return;
    }
    host->flood_ms[to] = now_ms;
    for (uint32_t i = 0; i < FLOOD_BURST; i++) {
        flood_one(sim, host, to, cs_summary(host->cs).view);
    }
}
