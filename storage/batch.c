#include <string.h>

#include "base/assert.h"
#include "base/codec.h"

#include "storage/segment.h"

static const uint8_t batch_magic[4] = {'N', 'V', 'J', 'B'};

/* Offsets of the fields of a batch's head. */
enum {
    AT_MAGIC = 0,
    AT_MARK = 4,
    AT_SIZE = 12,
    AT_SEQUENCE = 16,
    AT_PREVIOUS = 24,
    AT_COUNT = 56,
};

#define MARK_SIZE 8u

void st_batch_init(struct st_batch *batch, void *memory, uint32_t cap)
{
    NV_ASSERT(cap >= ST_SECTOR_SIZE);
    batch->bytes = (uint8_t *)memory;
    batch->cap = cap;
    st_batch_clear(batch);
}

void st_batch_clear(struct st_batch *batch)
{
    batch->size = ST__BATCH_HEAD;
    batch->count = 0;
    batch->at = (struct st_place){0, 0};
}

enum nv_err st_batch_add(struct st_batch *batch,
                         uint32_t *index_out,
                         uint8_t type,
                         const struct nv_view *parts,
                         uint32_t part_count)
{
    NV_ASSERT(type != 0);
    NV_ASSERT(batch->at.segment == 0); /* not written yet */
    uint64_t length = 0;
    for (uint32_t i = 0; i < part_count; i++) {
        length += parts[i].size;
    }
    if (st__padded((uint64_t)batch->size + ST__RECORD_HEAD + length + NV_HASH_SIZE) > batch->cap) {
        return NV_ERR_TOO_LARGE;
    }
    if (index_out != NULL) {
        *index_out = batch->size;
    }
    batch->bytes[batch->size] = type;
    nv_be32_store(batch->bytes + batch->size + 1, (uint32_t)length);
    batch->size += ST__RECORD_HEAD;
    for (uint32_t i = 0; i < part_count; i++) {
        if (parts[i].size > 0) {
            memcpy(batch->bytes + batch->size, parts[i].bytes, parts[i].size);
        }
        batch->size += parts[i].size;
    }
    batch->count++;
    return NV_OK;
}

struct st_place st_batch_place(const struct st_batch *batch, uint32_t index)
{
    NV_ASSERT(batch->at.segment != 0);
    NV_ASSERT(index >= ST__BATCH_HEAD && index < batch->size);
    return (struct st_place){.segment = batch->at.segment, .offset = batch->at.offset + index};
}

static void checksum_of(struct nv_hash *out, const uint8_t *id16, struct nv_view bytes)
{
    struct nv_view const parts[2] = {nv_view_of(id16, ST_JOURNAL_ID_SIZE), bytes};
    nv_sha256_parts(out, parts, 2);
}

uint32_t st__batch_seal(struct st_batch *batch,
                        struct nv_hash *checksum,
                        const uint8_t *id16,
                        uint64_t sequence,
                        const struct nv_hash *previous)
{
    NV_ASSERT(batch->count > 0);
    uint32_t const size = batch->size + NV_HASH_SIZE;
    uint32_t const padded = (uint32_t)st__padded(size);
    NV_ASSERT(padded <= batch->cap);
    memcpy(batch->bytes + AT_MAGIC, batch_magic, sizeof batch_magic);
    memcpy(batch->bytes + AT_MARK, id16, MARK_SIZE);
    nv_be32_store(batch->bytes + AT_SIZE, size);
    nv_be64_store(batch->bytes + AT_SEQUENCE, sequence);
    memcpy(batch->bytes + AT_PREVIOUS, previous->bytes, NV_HASH_SIZE);
    nv_be32_store(batch->bytes + AT_COUNT, batch->count);
    checksum_of(checksum, id16, nv_view_of(batch->bytes, batch->size));
    memcpy(batch->bytes + batch->size, checksum->bytes, NV_HASH_SIZE);
    memset(batch->bytes + size, 0, padded - size);
    return padded;
}

bool st__record_at(struct st_record *out,
                   const uint8_t *bytes,
                   const struct st__found *found,
                   uint32_t *at)
{
    uint32_t const end = found->size - NV_HASH_SIZE;
    if (end - *at < ST__RECORD_HEAD) {
        return false;
    }
    uint32_t const length = nv_be32_load(bytes + *at + 1);
    if (bytes[*at] == 0 || length > end - *at - ST__RECORD_HEAD) {
        return false;
    }
    out->type = bytes[*at];
    out->bytes = nv_view_of(bytes + *at + ST__RECORD_HEAD, length);
    *at += ST__RECORD_HEAD + length;
    return true;
}

/* records_fill returns whether the records are as many as the head says and
 * fill the batch. */
static bool records_fill(const uint8_t *bytes, const struct st__found *found)
{
    struct st_record record;
    uint32_t at = ST__BATCH_HEAD;
    uint32_t count = 0;
    while (st__record_at(&record, bytes, found, &at)) {
        count++;
    }
    return count == found->count && count > 0 && at == found->size - NV_HASH_SIZE;
}

enum nv_err st__batch_find(struct st__found *out,
                           const struct st__segment *segment,
                           const struct st_files *files,
                           uint8_t *buffer,
                           uint32_t offset)
{
    size_t got = 0;
    if (offset > segment->size || segment->size - offset < ST_SECTOR_SIZE) {
        return NV_ERR_NOT_FOUND;
    }
    NV_TRY(files->read(files->ctx, segment->file, buffer, ST_SECTOR_SIZE, offset, &got));
    if (got < ST_SECTOR_SIZE || memcmp(buffer + AT_MAGIC, batch_magic, sizeof batch_magic) != 0 ||
        memcmp(buffer + AT_MARK, segment->id, MARK_SIZE) != 0) {
        return NV_ERR_NOT_FOUND;
    }
    out->size = nv_be32_load(buffer + AT_SIZE);
    out->sequence = nv_be64_load(buffer + AT_SEQUENCE);
    out->count = nv_be32_load(buffer + AT_COUNT);
    memcpy(out->previous.bytes, buffer + AT_PREVIOUS, NV_HASH_SIZE);
    if (out->size < ST__BATCH_SMALLEST || out->size > segment->size - offset) {
        return NV_ERR_NOT_FOUND;
    }
    NV_TRY(files->read(files->ctx, segment->file, buffer, out->size, offset, &got));
    if (got < out->size) {
        return NV_ERR_NOT_FOUND;
    }
    uint32_t const end = out->size - NV_HASH_SIZE;
    checksum_of(&out->checksum, segment->id, nv_view_of(buffer, end));
    bool const same = memcmp(out->checksum.bytes, buffer + end, NV_HASH_SIZE) == 0;
    return same && records_fill(buffer, out) ? NV_OK : NV_ERR_NOT_FOUND;
}
