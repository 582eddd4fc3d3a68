#include "tests/lib/block_shelf.h"

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

static struct nv_view copy_of(struct nv_view bytes)
{
    uint8_t *const copy = malloc(bytes.size);
    NV_ASSERT(copy != NULL);
    memcpy(copy, bytes.bytes, bytes.size);
    return nv_view_of(copy, bytes.size);
}

static void view_drop(struct nv_view view)
{
    if (view.size > 0) {
        free((void *)(uintptr_t)view.bytes);
    }
}

void shelf_drop(struct shelf *shelf)
{
    for (uint32_t i = 0; i < shelf->count; i++) {
        view_drop(shelf->block[i].payload);
        view_drop(shelf->block[i].final);
    }
    for (uint32_t i = 0; i < shelf->epoch_count; i++) {
        view_drop(shelf->epoch[i].payload);
    }
    free(shelf->block);
    free(shelf->epoch);
    memset(shelf, 0, sizeof *shelf);
}

void shelf_trim(struct shelf *shelf, uint32_t count)
{
    uint32_t const drop = shelf->count > count ? shelf->count - count : 0;
    for (uint32_t i = 0; i < drop; i++) {
        view_drop(shelf->block[i].payload);
        view_drop(shelf->block[i].final);
    }
    shelf->count -= drop;
    memmove(shelf->block, shelf->block + drop, shelf->count * sizeof *shelf->block);
}

static struct shelf_block *find(const struct shelf *shelf, const struct nv_hash *hash)
{
    for (uint32_t i = shelf->count; i > 0; i--) { /* the newest are asked for most */
        if (nv_hash_eq(&shelf->block[i - 1].hash, hash)) {
            return &shelf->block[i - 1];
        }
    }
    return NULL;
}

const struct shelf_block *shelf_find(const struct shelf *shelf, const struct nv_hash *hash)
{
    return find(shelf, hash);
}

static struct shelf_block *place_new(struct shelf *shelf)
{
    if (shelf->count == shelf->cap) {
        shelf->cap = shelf->cap == 0 ? 64 : 2 * shelf->cap;
        shelf->block = realloc(shelf->block, shelf->cap * sizeof *shelf->block);
        NV_ASSERT(shelf->block != NULL);
    }
    struct shelf_block *const place = &shelf->block[shelf->count];
    memset(place, 0, sizeof *place);
    shelf->count++;
    return place;
}

/* chain_choose marks a final block and its ancestors. */
static void chain_choose(struct shelf *shelf, struct shelf_block *block)
{
    while (block != NULL && !block->chosen) {
        block->chosen = true;
        block = find(shelf, &block->parent_hash);
    }
}

static void epoch_add(struct shelf *shelf, const struct cs_record *record)
{
    struct nv_view found;
    uint64_t const epoch = record->handover.header.epoch;
    if (!shelf_handover(shelf, epoch, &found)) {
        shelf->epoch = realloc(shelf->epoch, (shelf->epoch_count + 1) * sizeof *shelf->epoch);
        NV_ASSERT(shelf->epoch != NULL);
        shelf->epoch[shelf->epoch_count++] =
            (struct shelf_epoch){.epoch = epoch, .payload = copy_of(record->payload)};
    }
}

void shelf_add(struct shelf *shelf, const struct cs_record *record)
{
    struct nv_hash hash;
    if (record->type == CS_RECORD_BLOCK) {
        cs_header_hash(&hash, &record->block.header);
        if (find(shelf, &hash) == NULL) {
            struct shelf_block *const place = place_new(shelf);
            place->hash = hash;
            place->parent_hash = record->block.header.parent_hash;
            place->height = record->block.header.height;
            place->closes = cs_header_closes(&record->block.header);
            place->payload = copy_of(record->payload);
        }
    } else if (record->type == CS_RECORD_EPOCH) {
        epoch_add(shelf, record);
    } else if (record->type == CS_RECORD_FINAL) {
        static uint8_t bytes[CS_CERTIFICATE_SIZE_MAX];
        struct nv_writer w;
        cs_header_hash(&hash, &record->final.header);
        struct shelf_block *const place = find(shelf, &hash);
        nv_writer_init(&w, bytes, sizeof bytes);
        cs_certificate_put(&w, &record->final.certificate);
        if (place != NULL) { /* a broken engine may not have written the block */
            view_drop(place->final);
            place->final = copy_of(nv_writer_view(&w));
            chain_choose(shelf, place);
        }
    }
}

/* by_hash collects a block and its ancestors, newest first. */
static uint32_t by_hash(const struct shelf *shelf,
                        const struct shelf_block **found,
                        const struct cs_block_request *request)
{
    uint32_t count = 0;
    const struct shelf_block *block = find(shelf, &request->hash);
    while (block != NULL && count < request->count) {
        found[count++] = block;
        block = find(shelf, &block->parent_hash);
    }
    return count;
}

static const struct shelf_block *chosen_at(const struct shelf *shelf, uint64_t height)
{
    for (uint32_t i = 0; i < shelf->count; i++) {
        if (shelf->block[i].chosen && shelf->block[i].height == height) {
            return &shelf->block[i];
        }
    }
    return NULL;
}

/* by_height collects final blocks, newest first, the first of which has a
 * finalization of its own. */
static uint32_t by_height(const struct shelf *shelf,
                          const struct shelf_block **found,
                          const struct cs_block_request *request)
{
    const struct shelf_block *ascending[CS_BLOCKS_MAX];
    uint32_t count = 0;
    uint32_t last = 0;
    for (; count < request->count; count++) {
        ascending[count] = chosen_at(shelf, request->from + count);
        if (ascending[count] == NULL) {
            break;
        }
        last = ascending[count]->final.size > 0 ? count + 1 : last;
        if (ascending[count]->closes) {
            break; /* the asker knows no validators beyond */
        }
    }
    for (uint32_t i = 0; i < last; i++) {
        found[i] = ascending[last - 1 - i];
    }
    return last;
}

/* final_above returns the first block above the range with a finalization. */
static const struct shelf_block *final_above(const struct shelf *shelf, uint64_t from)
{
    const struct shelf_block *best = NULL;
    for (uint32_t i = 0; i < shelf->count; i++) {
        const struct shelf_block *const block = &shelf->block[i];
        if (block->final.size > 0 && block->height >= from &&
            (best == NULL || block->height < best->height)) {
            best = block;
        }
    }
    return best;
}

bool shelf_handover(const struct shelf *shelf, uint64_t epoch, struct nv_view *bytes)
{
    for (uint32_t i = 0; i < shelf->epoch_count; i++) {
        if (shelf->epoch[i].epoch == epoch) {
            *bytes = shelf->epoch[i].payload;
            return true;
        }
    }
    return false;
}

bool shelf_answer(const struct shelf *shelf,
                  struct nv_writer *w,
                  const struct cs_block_request *request)
{
    const struct shelf_block *found[CS_BLOCKS_MAX];
    uint32_t const count =
        request->by_hash ? by_hash(shelf, found, request) : by_height(shelf, found, request);
    const struct shelf_block *final = NULL;
    if (!request->by_hash) {
        final = count > 0 ? found[0] : final_above(shelf, request->from);
    }
    if (count == 0 && final == NULL) {
        return false;
    }
    nv_put_u8(w, final != NULL ? 1 : 0);
    if (final != NULL) {
        nv_put_bytes(w, final->final.bytes, final->final.size);
    }
    nv_put_u16(w, (uint16_t)count);
    for (uint32_t i = count; i > 0; i--) {
        nv_put_bytes(w, found[i - 1]->payload.bytes, found[i - 1]->payload.size);
    }
    return !w->overflow;
}
