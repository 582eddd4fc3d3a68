/* What blocks carry beside their headers: the certificate that proves who was
 * there, and evidence against who was not honest; restated without the engine's
 * rules. */

#include "tests/sim/proof.h"

#include <string.h>

#include "base/assert.h"
#include "base/merkle.h"

#include "tests/sim/sim.h"

#define PATIENCE_NS (1500 * SIM_MS)

/* offends returns whether two ballots of one key break the table of section 17. */
static bool offends(const struct cs_ballot *a, const struct cs_ballot *b)
{
    bool const same = a->parent_view == b->parent_view &&
                      memcmp(&a->block_hash, &b->block_hash, sizeof a->block_hash) == 0;
    uint32_t const kinds = 1u << a->kind | 1u << b->kind;
    if (a->epoch != b->epoch || a->view != b->view) {
        return false;
    }
    if (kinds == (1u << CS_NULLIFY | 1u << CS_FINALIZE)) {
        return true;
    }
    return (kinds & 1u << CS_NULLIFY) == 0 && !same;
}

static uint32_t owner(const struct sim *sim, const struct nv_pubkey *key)
{
    for (uint32_t i = 0; i < sim->conf.validators; i++) {
        if (memcmp(&sim->net.set.member[i].key, key, sizeof *key) == 0) {
            return i;
        }
    }
    return SIM_HOSTS_MAX;
}

/* place returns what is known of an offender's epoch. */
static struct sim_accused *place(struct sim *sim, uint32_t id, uint64_t epoch)
{
    for (uint32_t i = 0; i < sim->accused_count; i++) {
        if (sim->accused[i].id == id && sim->accused[i].epoch == epoch) {
            return &sim->accused[i];
        }
    }
    if (sim->accused_count == SIM_ACCUSED_MAX) {
        return NULL;
    }
    struct sim_accused *const fresh = &sim->accused[sim->accused_count++];
    *fresh =
        (struct sim_accused){.id = id, .epoch = epoch, .found_ns = SIM_NEVER, .kept_ns = SIM_NEVER};
    return fresh;
}

void proof_found(struct sim *sim, const struct sim_host *host, uint32_t offender, uint64_t epoch)
{
    struct sim_accused *const accused = place(sim, offender, epoch);
    if (host->honest && accused != NULL && sim->now_ns < accused->found_ns && !sim_chaos(sim)) {
        accused->found_ns = sim->now_ns;
    }
}

void proof_kept(struct sim *sim, const struct sim_host *host, const struct cs_evidence *item)
{
    uint32_t const id = owner(sim, &item->key);
    struct sim_accused *const accused =
        host->honest && id < SIM_HOSTS_MAX ? place(sim, id, cs_evidence_epoch(item)) : NULL;
    if (accused != NULL) {
        accused->keepers |= 1u << host->id;
        accused->kept_ns = sim->now_ns < accused->kept_ns ? sim->now_ns : accused->kept_ns;
    }
}

static void item_check(struct sim *sim, const struct cs_header *header, struct cs_evidence *item)
{
    uint32_t const id = owner(sim, &item->key);
    uint64_t const epoch = item->half[0].ballot.epoch;
    if (!offends(&item->half[0].ballot, &item->half[1].ballot)) {
        sim_fail(sim, "V1: height %u accuses of nothing", (unsigned)header->height);
    }
    for (uint32_t i = 0; i < 2; i++) {
        struct nv_hash digest;
        cs_ballot_digest(&digest, &sim->net.chain_id, &item->half[i].ballot);
        if (!nv_verify(&item->half[i].sig, &item->key, &digest)) {
            sim_fail(sim, "V2: height %u holds a forged vote", (unsigned)header->height);
        }
    }
    if (id == SIM_HOSTS_MAX || sim->host[id].honest) {
        sim_fail(sim, "V3: height %u accuses honest %u", (unsigned)header->height, id);
        return;
    }
    struct sim_accused *const accused = place(sim, id, epoch);
    if (accused == NULL) {
        return;
    }
    if (accused->height != 0 && accused->height != header->height && !sim->conf.fork) {
        sim_fail(sim,
                 "V4: %u is accused of epoch %u at height %u and again at %u",
                 id,
                 (unsigned)epoch,
                 (unsigned)accused->height,
                 (unsigned)header->height);
    }
    if (accused->height == 0) {
        sim_trace(sim, id, "named", epoch, header->height);
    }
    accused->height = header->height;
}

static void evidence_check(struct sim *sim, const struct cs_effect *effect)
{
    struct nv_view leaf[16];
    struct nv_hash root;
    struct nv_reader r;
    const struct cs_list *const list = &effect->execute.evidence;
    if (list->count > 16) {
        sim_fail(sim, "V5: a block with %u accusations", list->count);
        return;
    }
    nv_reader_init(&r, list->bytes);
    for (uint32_t i = 0; i < list->count; i++) {
        struct cs_evidence item;
        leaf[i] = nv_view_of(list->bytes.bytes + r.at, CS_EVIDENCE_SIZE);
        cs_evidence_next(&r, &item);
        item_check(sim, effect->execute.header, &item);
    }
    nv_merkle_root(&root, leaf, list->count);
    if (memcmp(&root, &effect->execute.header->evidence_root, sizeof root) != 0) {
        sim_fail(sim, "V6: the evidence is not that of the header");
    }
}

void proof_given(struct sim *sim, const struct cs_effect *effect)
{
    static const struct nv_hash none;
    const struct cs_header *const header = effect->execute.header;
    const struct cs_certificate *const justify = effect->execute.justify;
    struct nv_hash hash = none;
    if (justify != NULL) {
        uint64_t const epoch = justify->ballot.epoch;
        bool const begun = epoch < SIM_EPOCHS_MAX && sim->epoch[epoch].begun;
        cs_certificate_hash(&hash, justify);
        if (begun && (effect->execute.signers == NULL ||
                      !nv_hash_eq(&effect->execute.signers->hash, &sim->epoch[epoch].set.hash))) {
            sim_fail(sim, "U1: height %u: the wrong signers", (unsigned)header->height);
        }
    }
    if (!nv_hash_eq(&hash, &header->justify_hash)) {
        sim_fail(sim, "U2: height %u: another certificate", (unsigned)header->height);
    }
    evidence_check(sim, effect);
}

/* kept_check: V8.  What a disk held before the measure began is in a block at its
 * end, if one that holds it has led since, and it did not expire meanwhile. */
static void kept_check(struct sim *sim, const struct sim_accused *accused)
{
    bool leads = false;
    for (uint32_t i = 0; i < sim->conf.hosts; i++) {
        const struct sim_host *const host = &sim->host[i];
        bool const votes = host->up && cs_summary(host->cs).me != CS_NOBODY;
        leads = leads || (votes && (accused->keepers >> i & 1u) != 0);
    }
    bool const due = leads && accused->kept_ns < sim->conf.measure_ns &&
                     sim->conf.proof_epochs == SIM_EPOCHS_MAX &&
                     sim->conf.measure_ns + PATIENCE_NS < sim->now_ns && !sim->conf.fork;
    if (due && accused->height == 0) {
        sim_fail(sim,
                 "V8: a disk has proof against %u of epoch %u, and no block",
                 accused->id,
                 (unsigned)accused->epoch);
    }
}

void proof_end(struct sim *sim)
{
    for (uint32_t i = 0; i < sim->accused_count; i++) {
        const struct sim_accused *const accused = &sim->accused[i];
        bool const due = accused->found_ns < SIM_NEVER &&
                         accused->found_ns >= sim->conf.measure_ns &&
                         accused->found_ns + PATIENCE_NS < sim->now_ns &&
                         sim->conf.proof_epochs == SIM_EPOCHS_MAX;
        if (due && accused->height == 0) {
            sim_fail(sim,
                     "V7: %u was found out in epoch %u, and no block says so",
                     accused->id,
                     (unsigned)accused->epoch);
        }
        kept_check(sim, accused);
    }
}
