#include "node/journal/segments.h"

#include <string.h>

#include "base/bug.h"
#include "base/codec.h"

#include "consensus/record.h"
#include "node/execution/result.h"
#include "vm/tx.h"

/* at returns what is known of a segment, or NULL. */
static struct node_segment *at(struct node_segments *s, uint32_t number)
{
    bool const known = number >= s->first && number - s->first < s->count;
    return known ? &s->segment[number % NODE_SEGMENTS_MAX] : NULL;
}

/* open_for makes the entry of a segment that a record is in. */
static struct node_segment *open_for(struct node_segments *s, uint32_t number)
{
    if (s->count == 0) {
        s->first = number;
    }
    if (number < s->first || number - s->first >= NODE_SEGMENTS_MAX) {
        return NULL;
    }
    while (s->count <= number - s->first) {
        s->segment[(s->first + s->count) % NODE_SEGMENTS_MAX] = (struct node_segment){.height = 0};
        s->count++;
    }
    return at(s, number);
}

static void note_height(struct node_segment *segment, uint64_t height)
{
    segment->height = height > segment->height ? height : segment->height;
}

static void note_header(struct node_segment *segment, const struct cs_header *header)
{
    note_height(segment, header->height);
    segment->time_ms = header->time_ms > segment->time_ms ? header->time_ms : segment->time_ms;
}

static void note_view(struct node_segment *segment, const struct cs_ballot *ballot)
{
    if (ballot->epoch > segment->epoch) {
        segment->epoch = ballot->epoch;
        segment->view = 0;
    }
    if (ballot->epoch == segment->epoch && ballot->view > segment->view) {
        segment->view = ballot->view;
    }
}

/* note_waiting: evidence is needed as long as the epoch lasts in which it waits. */
static void note_waiting(struct node_segment *segment, uint64_t epoch)
{
    struct cs_ballot const last = {.epoch = epoch, .view = UINT64_MAX};
    note_view(segment, &last);
}

static void note_end(struct node_segment *segment, uint64_t epoch)
{
    segment->ended = epoch > segment->ended ? epoch : segment->ended;
}

/* get_record decodes a record of consensus. */
static bool get_record(struct cs_record *out, const struct st_record *record)
{
    struct nv_reader r;
    struct nv_view const payload = record->bytes;
    nv_reader_init(&r, payload);
    out->type = (enum cs_record_type)record->type;
    switch (out->type) {
    case CS_RECORD_BLOCK: return cs_block_get(&r, &out->block) == NV_OK;
    case CS_RECORD_CERTIFICATE: return cs_certificate_get(&r, &out->certificate) == NV_OK;
    case CS_RECORD_VOTE: return cs_vote_get(&r, &out->vote) == NV_OK;
    case CS_RECORD_FINAL:
        return cs_header_get(&r, &out->final.header) == NV_OK &&
               cs_certificate_get(&r, &out->final.certificate) == NV_OK;
    case CS_RECORD_EPOCH: return cs_handover_get(&r, &out->handover) == NV_OK;
    case CS_RECORD_EVIDENCE: out->evidence.epoch = nv_get_u64(&r); return !r.failed;
    }
    return false;
}

void node_segments_note(struct node_segments *s, const struct st_record *record)
{
    struct cs_record decoded;
    struct node_executed executed;
    struct node_segment *const segment = open_for(s, record->place.segment);
    if (segment == NULL) {
        return;
    }
    if (record->type == NODE_RECORD_EXECUTED) {
        if (node_executed_get(&executed, record->bytes) == NV_OK) {
            note_height(segment, executed.height);
        }
        return;
    }
    if (!get_record(&decoded, record)) {
        return;
    }
    switch (decoded.type) {
    case CS_RECORD_BLOCK: note_header(segment, &decoded.block.header); break;
    case CS_RECORD_CERTIFICATE: note_view(segment, &decoded.certificate.ballot); break;
    case CS_RECORD_VOTE: note_view(segment, &decoded.vote.ballot); break;
    case CS_RECORD_FINAL:
        note_header(segment, &decoded.final.header);
        note_view(segment, &decoded.final.certificate.ballot);
        break;
    case CS_RECORD_EPOCH: note_end(segment, decoded.handover.header.epoch); break;
    case CS_RECORD_EVIDENCE: note_waiting(segment, decoded.evidence.epoch); break;
    }
}

void node_segments_need(struct node_segments *s, uint32_t number, const struct cs_header *header)
{
    struct node_segment *const segment = at(s, number);
    if (segment != NULL) {
        note_header(segment, header);
    }
}

/* unneeded returns whether a restart reads nothing of a segment. */
static bool unneeded(const struct node_segment *segment, const struct node_segments_wish *wish)
{
    bool const low = segment->height + NODE_SEGMENTS_HEIGHTS < wish->checkpoint;
    bool const old = segment->time_ms + VM_EXPIRY_MAX_MS < wish->time_ms;
    bool const decided = segment->epoch < wish->epoch ||
                         (segment->epoch == wish->epoch && segment->view <= wish->view);
    return low && old && decided && segment->ended <= wish->ends;
}

/* unwanted returns whether nobody wants to keep it. */
static bool
unwanted(const struct node_segment *segment, const struct node_segments_wish *wish, uint64_t size)
{
    bool const many =
        wish->keep_blocks > 0 && segment->height + wish->keep_blocks < wish->checkpoint;
    return many || (wish->keep_bytes > 0 && size > wish->keep_bytes);
}

uint32_t node_segments_keep(const struct node_segments *s, const struct node_segments_wish *wish)
{
    uint32_t number = s->first;
    uint64_t size = (uint64_t)s->count * wish->segment_size;
    for (uint32_t i = 0; i + 1 < s->count; i++) { /* the newest stays */
        const struct node_segment *const segment = &s->segment[number % NODE_SEGMENTS_MAX];
        if (!unneeded(segment, wish) || !unwanted(segment, wish, size)) {
            break;
        }
        size -= wish->segment_size;
        number++;
    }
    bool const more = number > s->first && number - s->first + 1 < s->count;
    return number + (NV_SEEDED(PRUNE_FAR) && more ? 1u : 0u);
}

uint64_t node_segments_height(const struct node_segments *s, uint32_t before)
{
    uint64_t height = 0;
    for (uint32_t i = 0; i < s->count && s->first + i < before; i++) {
        const struct node_segment *const segment = &s->segment[(s->first + i) % NODE_SEGMENTS_MAX];
        height = segment->height > height ? segment->height : height;
    }
    return height;
}

void node_segments_dropped(struct node_segments *s, uint32_t first)
{
    while (s->count > 0 && s->first < first) {
        s->first++;
        s->count--;
    }
}
