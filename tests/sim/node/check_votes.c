/* Votes, read from the bytes that leave a node: an honest key never contradicts
 * itself, whatever crashes lay between, and says nothing that is not durable.
 * And the journal: what was durable is there after every restart. */

#include <string.h>

#include "tests/sim/node/nodesim.h"

static void vote_note(struct ns_votes *votes, const struct cs_ballot *ballot)
{
    votes->has[ballot->kind] = true;
    votes->hash[ballot->kind] = ballot->block_hash;
}

uint64_t ns_vote_place(const struct ns *ns, uint64_t epoch, uint64_t view)
{
    uint64_t const views = ns->conf.epoch_ms > 0 ? NS_EPOCH_VIEWS : NS_VIEWS_MAX;
    bool const inside = epoch >= 1 && epoch * views <= NS_VIEWS_MAX && view < views;
    return inside ? (epoch - 1) * views + view : NS_VIEWS_MAX;
}

/* conflict_check restates the four offences. */
static void conflict_check(struct ns *ns, const struct ns_host *host, const struct cs_ballot *b)
{
    struct ns_votes *const mine = &ns->votes[host->key][ns_vote_place(ns, b->epoch, b->view)];
    if (mine->has[b->kind] && !nv_hash_eq(&mine->hash[b->kind], &b->block_hash)) {
        ns_fail(ns, "honest host %u votes twice in view %u", host->id, (unsigned)b->view);
    }
    vote_note(mine, b);
    if (mine->has[CS_NULLIFY] && mine->has[CS_FINALIZE]) {
        ns_fail(ns, "honest host %u nullifies and finalizes view %u", host->id, (unsigned)b->view);
    }
    if (mine->has[CS_NOTARIZE] && mine->has[CS_FINALIZE] &&
        !nv_hash_eq(&mine->hash[CS_NOTARIZE], &mine->hash[CS_FINALIZE])) {
        ns_fail(ns, "honest host %u switches in view %u", host->id, (unsigned)b->view);
    }
}

void ns_check_sent(struct ns *ns, struct ns_host *host, uint8_t type, struct nv_view bytes)
{
    struct cs_message message;
    struct cs_ballot ballot;
    ns_trace(ns, host->id, "send", type, bytes.size);
    if (!host->honest || (type != CS_MSG_VOTE && type != CS_MSG_PROPOSAL)) {
        return;
    }
    if (cs_message_decode(&message, type, bytes) != NV_OK) {
        ns_fail(ns, "host %u sends what does not decode", host->id);
        return;
    }
    if (type == CS_MSG_VOTE) {
        ballot = message.vote.ballot;
    } else {
        ballot = (struct cs_ballot){
            .kind = CS_NOTARIZE,
            .epoch = message.proposal.epoch,
            .view = message.proposal.view,
            .block_hash = message.proposal.block_hash,
        };
    }
    uint64_t const place = ns_vote_place(ns, ballot.epoch, ballot.view);
    if (place >= NS_VIEWS_MAX || host->key == CS_NOBODY) {
        ns_fail(ns, "view %u is out of range", (unsigned)ballot.view);
        return;
    }
    conflict_check(ns, host, &ballot);
    uint64_t const began_ms = ns->began_ms[ballot.epoch]; /* 0: not known yet */
    if (began_ms > 0 && began_ms <= host->sit_out_until_ms) {
        ns_fail(ns,
                "host %u, which has lost its votes, signs in epoch %u",
                host->id,
                (unsigned)ballot.epoch);
    }
    if (host->sit_out_until_ms > 0 && !host->back) {
        host->back = true;
        ns_fault(ns, NS_FAULT_BACK);
    }
    const struct ns_votes *const durable = &host->durable[place];
    if (!durable->has[ballot.kind] ||
        !nv_hash_eq(&durable->hash[ballot.kind], &ballot.block_hash)) {
        ns_fail(ns,
                "host %u sends a vote of view %u that is not durable",
                host->id,
                (unsigned)ballot.view);
    }
}

/* ---- the journal ---- */

static void record_note(struct ns *ns, struct ns_host *host, const struct st_record *record)
{
    struct nv_reader r;
    struct cs_vote vote;
    struct node_executed executed;
    if (record->type == NODE_RECORD_EXECUTED &&
        node_executed_get(&executed, record->bytes) == NV_OK &&
        executed.height > host->kept_height) {
        host->kept_height = executed.height;
    }
    if (record->type != CS_RECORD_VOTE) {
        return;
    }
    nv_reader_init(&r, record->bytes);
    if (cs_vote_get(&r, &vote) != NV_OK ||
        ns_vote_place(ns, vote.ballot.epoch, vote.ballot.view) >= NS_VIEWS_MAX) {
        ns_fail(ns, "host %u keeps a vote that makes no sense", host->id);
        return;
    }
    vote_note(&host->durable[ns_vote_place(ns, vote.ballot.epoch, vote.ballot.view)], &vote.ballot);
}

/* stir adds a record to the trace of those of its segment that are durable. */
static void stir(struct ns *ns, struct ns_segment *segments, const struct st_record *record)
{
    uint32_t const size = record->bytes.size;
    if (record->place.segment >= NS_SEGMENTS_MAX) {
        ns_fail(ns, "the journal has too many segments");
        return;
    }
    struct ns_segment *const segment = &segments[record->place.segment];
    uint64_t trace = segment->trace;
    trace = (trace ^ record->type ^ (uint64_t)size << 8) * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < size; i += 97) {
        trace = (trace ^ record->bytes.bytes[i]) * UINT64_C(0x100000001b3);
    }
    segment->trace = trace ^ trace >> 31;
    segment->records++;
}

void ns_check_acked(struct ns *ns, struct ns_host *host, const struct node_batch *batch)
{
    for (uint32_t i = 0; i < batch->batch.count && host->honest; i++) {
        struct st_record record;
        node_batch_record(batch, i, &record);
        record_note(ns, host, &record);
        stir(ns, host->acked, &record);
    }
}

/* all_there returns whether what was durable begins each segment, but for those that
 * were dropped. */
static bool all_there(const struct ns_host *host, const bool *begins)
{
    uint32_t const first = st_journal_first(host->journal);
    for (uint32_t i = 0; i < NS_SEGMENTS_MAX; i++) {
        bool const gone = i < first && i < host->dropped;
        if (host->acked[i].records > 0 && !begins[i] && !gone) {
            return false;
        }
    }
    return true;
}

void ns_check_journal(struct ns *ns, struct ns_host *host)
{
    static struct ns_segment found[NS_SEGMENTS_MAX];
    static bool begins[NS_SEGMENTS_MAX]; /* with the records that were durable */
    struct st_replay *replay = NULL;
    struct st_record record;
    memset(found, 0, sizeof found);
    memset(begins, 0, sizeof begins);
    if (st_replay_open(&replay, host->journal, 0) != NV_OK) {
        ns_fail(ns, "host %u: the journal cannot be read", host->id);
        return;
    }
    while (!ns->failed && st_replay_next(replay, &record) == NV_OK) {
        record_note(ns, host, &record);
        stir(ns, found, &record);
        uint32_t const segment = record.place.segment % NS_SEGMENTS_MAX;
        begins[segment] =
            begins[segment] || memcmp(&found[segment], &host->acked[segment], sizeof *found) == 0;
    }
    st_replay_close(replay);
    if (!all_there(host, begins)) {
        ns_fail(ns, "host %u: what was durable is lost or changed", host->id);
    }
    memcpy(host->acked, found, sizeof found);
}
