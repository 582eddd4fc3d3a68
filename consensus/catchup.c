#include "consensus/catchup.h"

#include <string.h>

#include "base/arena.h"
#include "base/assert.h"
#include "base/bug.h"

#include "consensus/bodies.h"
#include "consensus/chain.h"
#include "consensus/emit.h"
#include "consensus/rules.h"
#include "consensus/store.h"

#include "base/pure.h"

#define GAP            64u  /* final heights from which on blocks are asked for by height */
#define BACKLOG        256u /* final blocks that may wait for execution in catch-up */
#define RANGE_PATIENCE 4u   /* in units of D */
#define SENDING_PART   10u  /* of D: until a block is asked for that may be under way */
#define FAR_VIEWS      256u /* beyond this a missing header is asked for alone */

/* ---- certificates ---- */

void cs__certs_need(struct cs *cs, uint64_t view, bool all)
{
    if (cs->certs_need == 0 || view < cs->certs_need) {
        cs->certs_need = view;
    }
    cs->certs_all = cs->certs_all || all;
}

/* missing_list writes the views between fin and the current one of which no
 * certificate is held, and the one that a rule waits for, in order. */
static uint32_t missing_list(const struct cs *cs, uint64_t *views)
{
    uint32_t count = 0;
    for (uint64_t view = cs->fin.view + 1;
         view < cs->view && count < CS_CERTS_MAX && !NV_SEEDED(HOLES_IGNORED);
         view++) {
        const struct cs__slot *const slot = cs__slot_find(cs, view);
        bool const hole = slot == NULL || (slot->notar == NULL && slot->null == NULL);
        bool const needed =
            cs->certs_need != 0 && view >= cs->certs_need && (slot == NULL || slot->null == NULL);
        if (hole || needed) {
            views[count] = view;
            count++;
        }
    }
    return count;
}

static void certs_run(struct cs *cs)
{
    struct cs_message message;
    bool const first = cs->timers.certs == CS__NEVER;
    uint32_t const count = missing_list(cs, message.cert_request.view);
    if (count == 0 || cs->me == CS_NOBODY) {
        cs->timers.certs = CS__NEVER;
        return;
    }
    if (!first && cs->timers.certs > cs->now_ns) {
        return;
    }
    message.type = CS_MSG_CERT_REQUEST;
    message.cert_request.epoch = cs->epoch;
    message.cert_request.count = count;
    uint32_t const leader = cs_leader(cs, cs->view);
    cs->timers.certs = cs->now_ns + cs->config.delay_ns;
    if (first && !cs->certs_all && leader != cs->me) {
        cs__send(cs, leader, &message);
    } else {
        cs__broadcast(cs, &message);
    }
}

/* Certificates for an answer; their signatures are borrowed. */
struct answer {
    struct cs_certificate list[CS_CERTS_MAX];
    uint32_t count;
};

static void answer_add(struct answer *answer, const struct cs__cert *cert)
{
    if (cert != NULL) {
        answer->list[answer->count++] = cert->body;
    }
}

static void answer_slot(struct answer *answer, const struct cs__slot *slot)
{
    if (slot != NULL) {
        answer_add(answer, slot->notar);
        answer_add(answer, NV_SEEDED(NULLS_KEPT) ? NULL : slot->null);
    }
}

/* answer_past is about one view of an ended epoch. */
static void answer_past(const struct cs *cs, struct answer *answer, uint64_t epoch, uint64_t view)
{
    const struct cs__end *const end = cs__past_find(&cs->past, epoch);
    answer_slot(answer, cs__slot_kept(cs, epoch, view));
    if (end != NULL) {
        cs__past_final(&cs->past, &answer->list[answer->count], end);
        answer->count += answer->list[answer->count].ballot.view == view ? 1 : 0;
    }
}

static void
answer_present(const struct cs *cs, struct answer *answer, const struct cs_cert_request *request)
{
    bool old = false;
    for (uint32_t i = 0; i < request->count && answer->count + 2 <= CS_CERTS_MAX; i++) {
        uint64_t const view = request->view[i];
        if (view > cs->fin.view) {
            answer_slot(answer, cs__slot_find(cs, view));
            continue;
        }
        if (!old && cs->fin.view > 0) {
            old = true;
            answer_add(answer, cs->fin.cert);
        }
        if (request->count == 1) { /* a fork is suspected */
            answer_slot(answer, cs__slot_kept(cs, cs->epoch, view));
        }
    }
}

static void answer_send(struct cs *cs, uint32_t to, const struct answer *answer)
{
    struct cs_message message = {.type = CS_MSG_CERT_RESPONSE};
    struct nv_writer w;
    uint32_t size = 0;
    uint32_t fit = 0;
    while (fit < answer->count && size + CS_CERTIFICATE_SIZE_MAX + 2 <= CS_CERT_RESPONSE_SIZE_MAX) {
        size += cs_certificate_size(&answer->list[fit]);
        fit++;
    }
    nv_writer_init(&w, NV_ARENA_NEW(cs->effects->arena, uint8_t, size), size);
    for (uint32_t i = 0; i < fit; i++) {
        cs_certificate_put(&w, &answer->list[i]);
    }
    message.cert_response.certificates.count = fit;
    message.cert_response.certificates.bytes = nv_writer_view(&w);
    cs__send(cs, to, &message);
}

void cs__certs_answer(struct cs *cs, uint32_t from, const struct cs_cert_request *request)
{
    struct answer answer = {.count = 0};
    if (request->epoch == cs->epoch) {
        answer_present(cs, &answer, request);
    } else if (request->count == 1) {
        answer_past(cs, &answer, request->epoch, request->view[0]);
    }
    if (answer.count > 0) {
        answer_send(cs, from, &answer);
    }
}

/* ---- headers and bodies by hash ---- */

/* One thing that is wanted, and who probably has it. */
struct want {
    struct nv_hash hash;
    bool body;
    bool streaming;
    uint32_t count;
    uint32_t hint;
    uint64_t at_ns;
};

static void want_add(struct cs *cs, const struct want *want)
{
    struct cs__fetch *empty = NULL;
    for (uint32_t i = 0; i < CS__FETCHES; i++) {
        struct cs__fetch *const fetch = &cs->fetch[i];
        if (fetch->used && fetch->body == want->body && nv_hash_eq(&fetch->hash, &want->hash)) {
            cs->fetch_marks += fetch->mark ? 0 : 1;
            fetch->mark = true;
            return;
        }
        empty = !fetch->used && empty == NULL ? fetch : empty;
    }
    if (empty != NULL) {
        *empty = (struct cs__fetch){.used = true,
                                    .mark = true,
                                    .body = want->body,
                                    .hash = want->hash,
                                    .count = want->count,
                                    .hint = want->hint,
                                    .streaming = want->streaming,
                                    .at_ns = want->at_ns};
        cs->fetch_marks++;
    }
}

/* count_for returns how many blocks to ask for when the header of a block of
 * about `view` is missing: as many as may be missing, if those are few. */
static uint32_t count_for(const struct cs *cs, uint64_t view)
{
    uint64_t const gap = view > cs->fin.view ? view - cs->fin.view : 1;
    if (gap > FAR_VIEWS) {
        return 1;
    }
    return gap < CS_BLOCKS_MAX ? (uint32_t)gap : CS_BLOCKS_MAX;
}

/* want_chain wants what is missing of a block and its ancestors, the lowest
 * first; the block's own header from `from_ns` on. */
static void want_chain(
    struct cs *cs, const struct nv_hash *hash, uint32_t hint, bool streaming, uint64_t from_ns)
{
    struct cs__walk walk;
    enum cs__link const link = cs__block_link(cs, hash);
    if (link == CS__LINK_FORK || link == CS__LINK_READY || cs->fetch_marks == CS__FETCHES) {
        return;
    }
    (void)cs__block_walk(cs, hash, &walk);
    const struct cs__block *const top = walk.path_count > 0 ? &cs->block[cs->path[0]] : NULL;
    bool const far = top != NULL && top->header.height > cs->fin.header.height + CS_BLOCKS_MAX;
    if (link == CS__LINK_HEADER && !far) {
        struct want const want = {.hash = walk.no_header,
                                  .count = count_for(cs, walk.no_header_view),
                                  .hint = hint,
                                  .at_ns = walk.path_count == 0 ? from_ns : cs->now_ns};
        want_add(cs, &want);
    }
    if (link == CS__LINK_HEADER && far) {
        return; /* its ancestors come by height */
    }
    for (uint32_t i = walk.path_count; i > 0 && cs->fetch_marks < CS__FETCHES; i--) {
        const struct cs__block *const block = &cs->block[cs->path[i - 1]];
        struct want const want = {.hash = block->hash,
                                  .body = true,
                                  .hint = hint,
                                  .streaming = streaming && i == 1,
                                  .at_ns = cs->now_ns};
        if (block->body == CS__BODY_NONE && cs__body_room(cs, block)) {
            want_add(cs, &want);
        }
    }
}

/* signer_after returns a signer of the certificate, another for every node. */
static uint32_t signer_after(const struct cs *cs, const struct cs__cert *cert)
{
    uint32_t const start = cs->me < cs->set.count ? cs->me : 0;
    for (uint32_t i = 1; i <= cs->set.count; i++) {
        uint32_t const index = (start + i) % cs->set.count;
        if (index != cs->me && cs_bitmap_has(&cert->body.signers, index)) {
            return index;
        }
    }
    return CS_NOBODY;
}

static void want_cert(struct cs *cs, const struct cs__cert *cert)
{
    if (cert == NULL) {
        return;
    }
    /* SPEC consensus 15: "its leader may still be sending it" */
    const struct cs_ballot *const ballot = &cert->body.ballot;
    bool const fresh = ballot->kind == CS_NOTARIZE && ballot->view + 1 >= cs->view;
    uint64_t const patience = fresh ? cs->config.delay_ns / SENDING_PART : 0;
    want_chain(cs, &ballot->block_hash, signer_after(cs, cert), false, cs->now_ns + patience);
}

/* proposal_useful returns whether the proposal's body is worth asking for. */
static bool proposal_useful(const struct cs *cs, const struct cs__slot *slot)
{
    if (!slot->proposal.set || slot->proposal.dead || slot->view < cs->view) {
        return false;
    }
    const struct cs__block *const block = cs__block_find(cs, &slot->proposal.hash);
    return block != NULL && cs__judge_alone(cs, &block->header) == CS__GOOD;
}

static void wants_collect(struct cs *cs)
{
    if (cs->near == NULL && cs->target != NULL) {
        cs__near_put(cs, &cs->target->body);
    }
    if (cs->bodies >= CS_BODIES_MAX) {
        cs__bodies_need(cs);
    }
    want_cert(cs, cs->near);
    want_cert(cs, cs->target);
    for (uint64_t view = cs->fin.view + 1; view <= cs->view + CS__ABOVE; view++) {
        const struct cs__slot *const slot = cs__slot_find(cs, view);
        if (slot == NULL) {
            continue;
        }
        want_cert(cs, slot->notar);
        if (proposal_useful(cs, slot)) {
            want_chain(cs, &slot->proposal.hash, cs_leader(cs, view), true, cs->now_ns);
        }
    }
}

/* fetch_peer returns whom to ask this time. */
static uint32_t fetch_peer(const struct cs *cs, const struct cs__fetch *fetch)
{
    uint32_t const n = cs->set.count;
    uint32_t const start = fetch->hint < n ? fetch->hint : cs->me % n;
    uint32_t const peer = (start + (NV_SEEDED(ONE_SOURCE) ? 0 : fetch->attempt)) % n;
    return peer == cs->me ? (peer + 1) % n : peer;
}

static void fetch_issue(struct cs *cs, struct cs__fetch *fetch)
{
    uint32_t const peer = fetch_peer(cs, fetch);
    uint64_t patience = cs->config.delay_ns;
    if (fetch->body) {
        const struct cs__block *const block = cs__block_find(cs, &fetch->hash);
        NV_ASSERT(block != NULL);
        struct cs_effect *const effect = cs__emit(cs, CS_FX_NEED_BODY);
        effect->body.header = cs__keep_header(cs, &block->header);
        effect->body.block_hash = block->hash;
        effect->body.view = block->header.view;
        effect->body.peer = peer;
        effect->body.streaming = fetch->streaming && fetch->attempt == 0;
        patience = effect->body.streaming ? 2 * patience : patience;
    } else {
        struct cs_message message = {.type = CS_MSG_BLOCK_REQUEST};
        message.block_request.by_hash = true;
        message.block_request.hash = fetch->hash;
        message.block_request.count = fetch->count;
        cs__send(cs, peer, &message);
    }
    if (fetch->body && fetch->streaming) {
        fetch->streaming = false; /* the first request goes to the leader, too */
    } else {
        fetch->attempt++;
    }
    fetch->at_ns = cs->now_ns + patience;
}

static void fetches_run(struct cs *cs)
{
    for (uint32_t i = 0; i < CS__FETCHES; i++) {
        cs->fetch[i].mark = false;
    }
    cs->fetch_marks = 0;
    wants_collect(cs);
    cs->timers.fetch = CS__NEVER;
    for (uint32_t i = 0; i < CS__FETCHES; i++) {
        struct cs__fetch *const fetch = &cs->fetch[i];
        fetch->used = fetch->used && fetch->mark;
        if (!fetch->used) {
            continue;
        }
        if (fetch->at_ns <= cs->now_ns) {
            fetch_issue(cs, fetch);
        }
        cs->timers.fetch = fetch->at_ns < cs->timers.fetch ? fetch->at_ns : cs->timers.fetch;
    }
}

/* ---- blocks by height ---- */

/* far_above returns whether a finalization's block stands so high above fin that one
 * below it should be found: of all blocks between, the bodies are held at once. */
static bool far_above(const struct cs *cs, const struct cs__cert *cert)
{
    const struct cs__block *const block = cs__block_find(cs, &cert->body.ballot.block_hash);
    return block != NULL && block->header.height > cs->fin.header.height + CS_BLOCKS_MAX;
}

/* range_needed returns whether blocks must be asked for by height now: not
 * while the finalization at hand only waits for bodies, unless of too many. */
static bool range_needed(struct cs *cs)
{
    if (cs->fin.header.height > cs->executed_height + BACKLOG) {
        return false;
    }
    const struct cs__cert *const cert = cs->near != NULL ? cs->near : cs->target;
    return cert == NULL || far_above(cs, cert) ||
           cs__block_link(cs, &cert->body.ballot.block_hash) == CS__LINK_HEADER;
}

static uint32_t range_source(const struct cs *cs)
{
    for (uint32_t i = 1; i <= cs->set.count; i++) {
        uint32_t const next = cs->range_peer + i;
        uint32_t const peer = next < cs->set.count ? next : next - cs->set.count;
        if (peer != cs->me && cs->peer[peer].final_height > cs->fin.header.height + GAP) {
            return peer;
        }
    }
    return CS_NOBODY;
}

static void range_run(struct cs *cs)
{
    bool const waiting = cs->timers.range != CS__NEVER;
    if (waiting && cs->timers.range > cs->now_ns) {
        return;
    }
    cs->timers.range = CS__NEVER;
    if (range_source(cs) == CS_NOBODY || !range_needed(cs)) {
        return;
    }
    if (waiting) {
        cs->peer[cs->range_peer].final_height = 0; /* it did not deliver */
    }
    uint32_t const peer = range_source(cs);
    if (peer == CS_NOBODY) {
        return;
    }
    cs->range_peer = peer;
    cs->timers.range = cs->now_ns + RANGE_PATIENCE * cs->config.delay_ns;
    struct cs_message message = {.type = CS_MSG_BLOCK_REQUEST};
    message.block_request.from = cs->fin.header.height + 1;
    message.block_request.count = CS_BLOCKS_MAX;
    cs__trace(cs, CS_TRACE_BEHIND, cs->view, cs->peer[peer].final_height);
    cs__send(cs, peer, &message);
}

/* fetch_wanted returns whether the header of that hash was asked for. */
static bool fetch_wanted(const struct cs *cs, const struct nv_hash *hash)
{
    for (uint32_t i = 0; i < CS__FETCHES; i++) {
        const struct cs__fetch *const fetch = &cs->fetch[i];
        if (fetch->used && !fetch->body && nv_hash_eq(&fetch->hash, hash)) {
            return true;
        }
    }
    return false;
}

/* chain_hashes writes the hash of every block of a response; false when one is
 * not sound, or not the parent of the next. */
static bool chain_hashes(struct nv_hash *hashes, const struct cs_block_response *response)
{
    struct nv_reader r;
    nv_reader_init(&r, response->blocks.bytes);
    for (uint32_t i = 0; i < response->blocks.count; i++) {
        struct cs_block block;
        cs_list_block(&r, &block);
        if (!cs_block_sound(&block) ||
            (i > 0 && !nv_hash_eq(&block.header.parent_hash, &hashes[i - 1]))) {
            return false;
        }
        cs_header_hash(&hashes[i], &block.header);
    }
    return true;
}

/* below_fin returns whether the last block of a list, which has that hash, has a
 * finalization newer than fin's and stands no higher than it. */
static bool below_fin(const struct cs *cs, const struct cs_list *list, const struct nv_hash *hash)
{
    const struct cs__cert *const cert = cs->near != NULL ? cs->near : cs->target;
    struct cs_block block;
    struct nv_reader r;
    if (cert == NULL || !nv_hash_eq(&cert->body.ballot.block_hash, hash) ||
        nv_hash_eq(hash, &cs->fin.hash)) {
        return false;
    }
    nv_reader_init(&r, list->bytes);
    for (uint32_t i = 0; i < list->count; i++) {
        cs_list_block(&r, &block);
    }
    return block.header.height <= cs->fin.header.height;
}

void cs__blocks_take(struct cs *cs, const struct cs_block_response *response, bool final_checked)
{
    struct nv_hash hashes[CS_BLOCKS_MAX];
    struct nv_reader r;
    uint32_t const count = response->blocks.count;
    bool const final =
        response->has_final && final_checked && response->final.ballot.view > cs->fin.view;
    if (!chain_hashes(hashes, response)) {
        return;
    }
    if (count > 0 && below_fin(cs, &response->blocks, &hashes[count - 1])) {
        cs__fork_suspect(cs);
        return;
    }
    bool const by_final =
        final && count > 0 && nv_hash_eq(&hashes[count - 1], &response->final.ballot.block_hash);
    bool const by_hash = count > 0 && fetch_wanted(cs, &hashes[count - 1]);
    if (final && (count == 0 || by_final)) {
        cs__near_put(cs, &response->final);
        cs->timers.range = CS__NEVER;
    }
    if (!by_final && !by_hash) {
        return;
    }
    nv_reader_init(&r, response->blocks.bytes);
    for (uint32_t i = 0; i < count; i++) {
        struct cs_block block;
        cs_list_block(&r, &block);
        if (block.header.height > cs->fin.header.height) {
            (void)cs__block_add(cs, &block, &hashes[i]);
        }
    }
}

/* ---- all of it ---- */

void cs__catchup_run(struct cs *cs)
{
    if (cs->halted || !cs->started) {
        return;
    }
    certs_run(cs);
    cs__handover_run(cs);
    range_run(cs);
    fetches_run(cs);
}

void cs__catchup_again(struct cs *cs)
{
    if (cs->timers.certs != CS__NEVER) {
        cs->timers.certs = cs->now_ns;
    }
    for (uint32_t i = 0; i < CS__FETCHES; i++) {
        cs->fetch[i].at_ns = cs->now_ns;
    }
}
