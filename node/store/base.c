/* What a journal says of a snapshot that was taken over: the ends of the epochs before
 * it, and the base. */

#include <string.h>

#include "base/bug.h"

#include "node/store/start.h"
#include "storage/epochs.h"

#define ENDS_FIRST  65u /* of a new journal: as many as an engine remembers, and one */
#define RECORD_SIZE (8u + 32u + 32u)

/* add_end adds a record to the batch; when it is full, that is written first. */
static enum nv_err add_end(const struct node_start *s, struct nv_view end)
{
    struct node_batch *const batch = &s->store->own;
    enum nv_err const err = node_batch_add(batch, CS_RECORD_EPOCH, end);
    if (err != NV_ERR_TOO_LARGE || batch->batch.count == 0) {
        return err;
    }
    NV_TRY(st_journal_append(s->journal, &batch->batch));
    node_batch_clear(batch);
    return node_batch_add(batch, CS_RECORD_EPOCH, end);
}

static enum nv_err append_ends(const struct node_start *s, const struct node_base *base)
{
    struct node_batch *const batch = &s->store->own;
    uint8_t memory[ST_EPOCH_SIZE_MAX];
    struct nv_view end;
    uint64_t const most = base->first ? ENDS_FIRST : UINT64_MAX;
    uint64_t from = base->epoch;
    while (from > CS_FIRST_EPOCH && base->epoch - from < most &&
           st_db_epoch(s->db, &end, from - 1, memory) == NV_OK) {
        from--;
    }
    node_batch_clear(batch);
    for (uint64_t e = from; e < base->epoch && !NV_SEEDED(BASE_BARE); e++) {
        NV_TRY(st_db_epoch(s->db, &end, e, memory));
        NV_TRY(add_end(s, end));
    }
    return batch->batch.count > 0 ? st_journal_append(s->journal, &batch->batch) : NV_OK;
}

/* add_final adds the record of the finalization of the base's block. */
static enum nv_err add_final(struct node_batch *batch, const struct node_base *base)
{
    uint8_t bytes[CS_HEADER_SIZE + CS_CERTIFICATE_SIZE_MAX];
    struct nv_writer w;
    nv_writer_init(&w, bytes, sizeof bytes);
    nv_put_bytes(&w, base->block.bytes, CS_HEADER_SIZE);
    nv_put_bytes(&w, base->final.bytes, base->final.size);
    return w.overflow ? NV_ERR_CORRUPT : node_batch_add(batch, CS_RECORD_FINAL, nv_writer_view(&w));
}

enum nv_err node_start_base(const struct node_start *s, const struct node_base *base)
{
    struct node_batch *const batch = &s->store->own;
    uint8_t record[RECORD_SIZE];
    NV_TRY(append_ends(s, base));
    nv_be64_store(record, base->height);
    memcpy(record + 8, base->hash.bytes, 32);
    memcpy(record + 40, base->root.bytes, 32);
    node_batch_clear(batch);
    NV_TRY(node_batch_add(batch, CS_RECORD_BLOCK, base->block));
    NV_TRY(add_final(batch, base));
    NV_TRY(node_batch_add(batch, NODE_RECORD_BASE, nv_view_of(record, sizeof record)));
    return st_journal_append(s->journal, &batch->batch);
}
