#include "storage/overlay.h"

#include "base/assert.h"
#include "base/bug.h"
#include "base/sort.h"

#define DIRTY_MAX (1u << 28)

/* A row's slot is fetched into the cache this many rows before it is looked at. */
#define AHEAD 8u

/* Up to this part of the slots they are cleared one by one. */
#define FEW 16u

/* slot_count returns a power of two of at least twice the rows. */
static uint32_t slot_count(const struct st_limits *limits)
{
    uint32_t count = 4;
    while (count < 2 * limits->dirty_max) {
        count *= 2;
    }
    return count;
}

size_t st__overlay_footprint(const struct st_limits *limits)
{
    NV_ASSERT(limits->dirty_max >= limits->writes_max && limits->dirty_max <= DIRTY_MAX);
    NV_ASSERT(limits->dirty_bytes_max >= (uint64_t)limits->writes_max * NV_ROW_VALUE_MAX);
    NV_ASSERT(limits->blocks_max >= 1 && limits->txs_max >= 1);
    size_t size = 2 * sizeof(struct nv_row) * limits->dirty_max;
    size += sizeof(uint32_t) * slot_count(limits);
    size += limits->dirty_bytes_max;
    size += sizeof(struct st__block_entry) * limits->blocks_max;
    size += 2 * sizeof(struct st__tx_entry) * (size_t)limits->txs_max;
    size += (size_t)ST_EPOCHS_AT_ONCE * ST_EPOCH_SIZE_MAX;
    return size + (size_t)8 * 64;
}

void st__overlay_init(struct st_overlay *overlay,
                      struct nv_arena *arena,
                      const struct st_limits *limits)
{
    memset(overlay, 0, sizeof *overlay);
    nv_row_empty_root(&overlay->base.root);
    overlay->limits = *limits;
    overlay->rows = NV_ARENA_NEW(arena, struct nv_row, limits->dirty_max);
    overlay->scratch = NV_ARENA_NEW(arena, struct nv_row, limits->dirty_max);
    overlay->slots = NV_ARENA_NEW(arena, uint32_t, slot_count(limits));
    overlay->slot_mask = slot_count(limits) - 1;
    overlay->bytes = NV_ARENA_NEW(arena, uint8_t, limits->dirty_bytes_max);
    overlay->blocks = NV_ARENA_NEW(arena, struct st__block_entry, limits->blocks_max);
    overlay->txs = NV_ARENA_NEW(arena, struct st__tx_entry, limits->txs_max);
    overlay->tx_scratch = NV_ARENA_NEW(arena, struct st__tx_entry, limits->txs_max);
    overlay->epoch_bytes =
        NV_ARENA_NEW(arena, uint8_t, (size_t)ST_EPOCHS_AT_ONCE * ST_EPOCH_SIZE_MAX);
}

bool st__overlay_fits(const struct st_overlay *overlay, const struct st_block *block)
{
    const struct st_limits *const limits = &overlay->limits;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < block->write_count; i++) {
        bytes += block->writes[i].value.size;
    }
    return block->write_count <= limits->dirty_max - overlay->row_count &&
           bytes <= limits->dirty_bytes_max - overlay->bytes_used &&
           overlay->block_count < limits->blocks_max &&
           block->tx_count <= limits->txs_max - overlay->tx_count;
}

/* mix spreads a key over the table.  Keys are assigned by the machine, not
 * picked by users, so no secret is needed. */
static uint32_t mix(const struct nv_row_key *key)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < NV_ROW_KEY_SIZE; i += 8) {
        uint64_t word = 0;
        memcpy(&word, key->bytes + i, sizeof word);
        sum = (sum ^ word) * 0x9e3779b97f4a7c15ull;
        sum ^= sum >> 32;
    }
    return (uint32_t)sum;
}

/* clear_slots forgets which rows there are.  A few are looked up one by one: the table
 * is for as many as a block can write, and most of it was never touched.  What lies
 * between a row's place and the next free slot goes with it, all of it being rows. */
static void clear_slots(struct st_overlay *overlay)
{
    if (overlay->row_count > overlay->slot_mask / FEW) {
        memset(overlay->slots, 0, sizeof *overlay->slots * ((size_t)overlay->slot_mask + 1));
        return;
    }
    for (uint32_t i = 0; i < overlay->row_count; i++) {
        uint32_t at = mix(&overlay->rows[i].key) & overlay->slot_mask;
        while (overlay->slots[at] != 0) {
            overlay->slots[at] = 0;
            at = (at + 1) & overlay->slot_mask;
        }
    }
}

void st__overlay_clear(struct st_overlay *overlay)
{
    clear_slots(overlay);
    overlay->row_count = 0;
    overlay->bytes_used = 0;
    overlay->block_count = 0;
    overlay->tx_count = 0;
    overlay->epoch_count = 0;
    overlay->applied = false;
    overlay->sorted = false;
}

/* slot_of returns the slot of a key, or the free one where it belongs.  At most
 * half of the slots are in use, so there is one. */
static uint32_t *slot_of(const struct st_overlay *overlay, const struct nv_row_key *key)
{
    uint32_t at = mix(key) & overlay->slot_mask;
    while (overlay->slots[at] != 0 &&
           nv_row_key_cmp(&overlay->rows[overlay->slots[at] - 1].key, key) != 0) {
        at = (at + 1) & overlay->slot_mask;
    }
    return &overlay->slots[at];
}

/* keep copies a value over the one before, where it fits, or to new bytes. */
static void keep(struct st_overlay *overlay, struct nv_view *kept, struct nv_view value)
{
    if (value.bytes == NULL) {
        *kept = NV_SEEDED(REMOVAL_LOST) ? *kept : nv_view_of(NULL, 0);
        return;
    }
    uint64_t at = overlay->bytes_used;
    if (kept->bytes != NULL && value.size <= kept->size) {
        at = (uint64_t)(kept->bytes - overlay->bytes);
    } else {
        NV_ASSERT(value.size <= overlay->limits.dirty_bytes_max - at);
        overlay->bytes_used += value.size;
    }
    if (value.size > 0) {
        memcpy(overlay->bytes + at, value.bytes, value.size);
    }
    *kept = nv_view_of(overlay->bytes + at, value.size);
}

static void add_row(struct st_overlay *overlay, const struct nv_row *write)
{
    uint32_t *const slot = slot_of(overlay, &write->key);
    if (*slot == 0) {
        NV_ASSERT(overlay->row_count < overlay->limits.dirty_max);
        struct nv_row *const row = &overlay->rows[overlay->row_count++];
        row->key = write->key;
        row->value = nv_view_of(NULL, 0);
        *slot = overlay->row_count;
    }
    keep(overlay, &overlay->rows[*slot - 1].value, write->value);
}

void st__overlay_add(struct st_overlay *overlay,
                     const struct st_block *block,
                     const struct st_head *head)
{
    NV_ASSERT(!overlay->sorted && st__overlay_fits(overlay, block));
    for (uint32_t i = 0; i < block->write_count; i++) {
        if (i + AHEAD < block->write_count) {
            uint32_t const at = mix(&block->writes[i + AHEAD].key) & overlay->slot_mask;
            __builtin_prefetch(&overlay->slots[at], 1);
        }
        add_row(overlay, &block->writes[i]);
    }
    overlay->blocks[overlay->block_count++] =
        (struct st__block_entry){.height = block->height, .place = block->place};
    for (uint32_t i = 0; i < block->tx_count; i++) {
        struct st__tx_entry *const entry = &overlay->txs[overlay->tx_count++];
        entry->hash = block->txs[i];
        entry->place = (struct st_tx_place){.height = block->height, .index = i};
    }
    overlay->head = *head;
    overlay->applied = true;
}

static int row_cmp(const void *a, const void *b)
{
    const struct nv_row *const x = (const struct nv_row *)a;
    const struct nv_row *const y = (const struct nv_row *)b;
    return nv_row_key_cmp(&x->key, &y->key);
}

static int tx_cmp(const void *a, const void *b)
{
    const struct st__tx_entry *const x = (const struct st__tx_entry *)a;
    const struct st__tx_entry *const y = (const struct st__tx_entry *)b;
    return nv_hash_cmp(&x->hash, &y->hash);
}

void st__overlay_sort(struct st_overlay *overlay)
{
    if (overlay->sorted) {
        return;
    }
    nv_sort(overlay->rows, overlay->row_count, sizeof *overlay->rows, row_cmp, overlay->scratch);
    nv_sort(overlay->txs, overlay->tx_count, sizeof *overlay->txs, tx_cmp, overlay->tx_scratch);
    overlay->sorted = true;
}
