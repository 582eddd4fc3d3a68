#include "node/journal/blocks.h"

#include <string.h>

#include "base/assert.h"
#include "base/critbit.h"
#include "base/heap.h"

#include "node/journal/internal.h"
#include "vm/receipt.h"

/* Entries in memory.  In service these are the blocks since the last checkpoint,
 * those above the final one, and NODE_BLOCKS_KEEP older ones.  When the database
 * is made anew from the journal, they are all its blocks. */
#define ENTRIES_MAX (1u << 22)
#define SWEEP_LEAST 8192u

/* ---- life ---- */

static enum nv_err reserve(struct node_blocks *b)
{
    size_t const hashes = nv_critbit_footprint(ENTRIES_MAX);
    size_t const txs = nv_critbit_footprint(b->txs_max);
    size_t const entries = ENTRIES_MAX * sizeof *b->entry;
    size_t const ring = (size_t)b->txs_max * sizeof *b->tx;
    size_t const heights = ENTRIES_MAX * sizeof *b->by_height;
    size_t const epochs = NODE_BLOCKS_EPOCHS * sizeof *b->epoch;
    b->memory_size = entries + ring + epochs + heights + hashes + txs + NODE_BLOCKS_READ_SIZE;
    uint8_t *at = nv_heap_reserve(b->memory_size);
    if (at == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    b->memory = at;
    b->entry = (struct node_block_entry *)(void *)at;
    at += entries;
    b->tx = (struct node_block_tx *)(void *)at;
    at += ring;
    b->epoch = (struct node_block_epoch *)(void *)at;
    at += epochs;
    b->by_height = (uint32_t *)(void *)at;
    at += heights;
    b->by_hash = nv_critbit_init(at, ENTRIES_MAX);
    at += hashes;
    b->by_tx = nv_critbit_init(at, b->txs_max);
    at += txs;
    b->read_memory = at;
    return NV_OK;
}

enum nv_err node_blocks_open(struct node_blocks **out, const struct node_blocks_options *options)
{
    struct st_head head = {.height = 0};
    enum nv_err err = st_db_head(options->db, &head);
    if (err != NV_OK && err != NV_ERR_NOT_FOUND) {
        return err;
    }
    struct node_blocks *const b = nv_heap_alloc(sizeof *b);
    if (b == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    b->db = options->db;
    b->validator_count = options->validator_count;
    b->txs_max = options->txs_max;
    b->checkpoint = head.height;
    b->sweep_at = SWEEP_LEAST;
    err = reserve(b);
    if (err == NV_OK) {
        err = st_reader_open(&b->reader, &options->journal);
    }
    if (err != NV_OK) {
        node_blocks_close(b);
        return err;
    }
    *out = b;
    return NV_OK;
}

void node_blocks_close(struct node_blocks *b)
{
    if (b == NULL) {
        return;
    }
    if (b->reader != NULL) {
        st_reader_close(b->reader);
    }
    if (b->memory != NULL) {
        nv_heap_unreserve(b->memory, b->memory_size);
    }
    nv_heap_free(b);
}

/* ---- entries ---- */

struct node_block_entry *node_blocks__find(const struct node_blocks *b, const struct nv_hash *hash)
{
    uint32_t slot = 0;
    return nv_critbit_lookup(b->by_hash, hash->bytes, &slot) ? &b->entry[slot] : NULL;
}

struct node_block_entry *node_blocks__at(const struct node_blocks *b, uint64_t height)
{
    uint32_t const slot = b->by_height[height % ENTRIES_MAX];
    struct node_block_entry *const e = slot == 0 ? NULL : &b->entry[slot - 1];
    return e != NULL && e->used && e->final && e->height == height ? e : NULL;
}

/* sweep forgets what the database leads to, and blocks that lost. */
static void sweep(struct node_blocks *b)
{
    for (uint32_t i = 0; i < b->touched; i++) {
        struct node_block_entry *const e = &b->entry[i];
        bool const old = e->height + NODE_BLOCKS_KEEP <= b->checkpoint;
        if (e->used && e->height > 0 && (old || (!e->final && e->height <= b->checkpoint))) {
            (void)nv_critbit_remove(b->by_hash, e->hash.bytes, NULL);
            *e = (struct node_block_entry){.next_free = b->free};
            b->free = i + 1;
            b->entry_count--;
        }
    }
    b->sweep_at = b->entry_count < SWEEP_LEAST / 2 ? SWEEP_LEAST : b->entry_count * 2;
}

/* free_slot takes an unused slot; false when there is none. */
static bool free_slot(struct node_blocks *b, uint32_t *slot)
{
    if (b->entry_count >= b->sweep_at) {
        sweep(b);
    }
    if (b->free != 0) {
        *slot = b->free - 1;
        b->free = b->entry[*slot].next_free;
        return true;
    }
    *slot = b->touched;
    b->touched += b->touched < ENTRIES_MAX ? 1u : 0u;
    return *slot < ENTRIES_MAX;
}

/* entry_of finds the entry of a block or makes it; NULL when there is no room. */
static struct node_block_entry *entry_of(struct node_blocks *b, const struct nv_hash *hash)
{
    struct node_block_entry *const found = node_blocks__find(b, hash);
    if (found != NULL) {
        return found;
    }
    uint32_t slot = 0;
    if (!free_slot(b, &slot) || nv_critbit_insert(b->by_hash, hash->bytes, slot) != NV_OK) {
        return NULL;
    }
    struct node_block_entry *const e = &b->entry[slot];
    *e = (struct node_block_entry){.hash = *hash, .used = true};
    b->entry_count++;
    return e;
}

/* mark_final makes a block and its ancestors known by their heights. */
static void mark_final(struct node_blocks *b, struct node_block_entry *e)
{
    b->final = e->height > b->final ? e->height : b->final;
    while (e != NULL && !e->final && e->height > 0) {
        e->final = true;
        b->by_height[e->height % ENTRIES_MAX] = (uint32_t)(e - b->entry) + 1;
        e = node_blocks__find(b, &e->parent);
    }
}

/* ---- noting ---- */

static enum nv_err read_header(struct nv_view bytes, struct cs_header *header, struct nv_hash *hash)
{
    struct nv_reader r;
    nv_reader_init(&r, bytes);
    NV_TRY(cs_header_get(&r, header));
    cs_header_hash(hash, header);
    return NV_OK;
}

static enum nv_err note_header(struct node_blocks *b, const struct st_record *record)
{
    struct cs_header header;
    struct nv_hash hash;
    NV_TRY(read_header(record->bytes, &header, &hash));
    struct node_block_entry *const e = entry_of(b, &hash);
    if (e == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    e->height = header.height;
    e->parent = header.parent_hash;
    e->empty = header.body_size == 0;
    if (record->type == CS_RECORD_BLOCK) {
        e->block = record->place;
        return NV_OK;
    }
    e->certificate = record->place;
    mark_final(b, e);
    return NV_OK;
}

static enum nv_err note_body(struct node_blocks *b, const struct st_record *record)
{
    struct nv_hash hash;
    if (record->bytes.size < sizeof hash.bytes) {
        return NV_ERR_CORRUPT;
    }
    memcpy(hash.bytes, record->bytes.bytes, sizeof hash.bytes);
    struct node_block_entry *const e = entry_of(b, &hash);
    if (e == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    e->body = record->place;
    return NV_OK;
}

static void drop_tx(struct node_blocks *b)
{
    (void)nv_critbit_remove(b->by_tx, b->tx[b->tx_first].hash.bytes, NULL);
    b->tx_first = (b->tx_first + 1) % b->txs_max;
    b->tx_count--;
}

/* note_tx forgets up to two that the database knows for each new one.  When
 * there is no room (the database is made anew), the oldest goes: the database
 * will know it before anybody asks. */
static void note_tx(struct node_blocks *b, const struct nv_hash *hash, struct st_tx_place place)
{
    for (uint32_t i = 0; i < 2; i++) {
        if (b->tx_count > 0 && b->tx[b->tx_first].place.height <= b->checkpoint) {
            drop_tx(b);
        }
    }
    if (b->tx_count == b->txs_max) {
        drop_tx(b);
    }
    uint32_t const at = (b->tx_first + b->tx_count) % b->txs_max;
    if (nv_critbit_insert(b->by_tx, hash->bytes, at) == NV_OK) {
        b->tx[at] = (struct node_block_tx){*hash, place};
        b->tx_count++;
    }
}

static enum nv_err note_txs(struct node_blocks *b, const struct node_executed *executed)
{
    struct nv_reader r;
    nv_reader_init(&r, executed->receipts);
    for (uint32_t i = 0; i < executed->tx_count; i++) {
        struct vm_receipt receipt;
        NV_TRY(vm_receipt_decode(&receipt, nv_get_view(&r, nv_get_u32(&r))));
        struct st_tx_place const place = {.height = executed->height, .index = i};
        note_tx(b, &receipt.tx_hash, place);
    }
    return NV_OK;
}

static enum nv_err note_executed(struct node_blocks *b, const struct st_record *record)
{
    struct node_executed executed;
    NV_TRY(node_executed_get(&executed, record->bytes));
    struct node_block_entry *const e = entry_of(b, &executed.block_hash);
    if (e == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    e->height = executed.height;
    e->block = executed.places.block;
    e->body = executed.places.body;
    e->executed = record->place;
    mark_final(b, e);
    return executed.height > b->checkpoint ? note_txs(b, &executed) : NV_OK;
}

/* note_epoch keeps the newest record of an epoch: a snapshot may bring one that
 * is there. */
static enum nv_err note_epoch(struct node_blocks *b, const struct st_record *record)
{
    struct cs_header header;
    struct nv_hash hash;
    NV_TRY(read_header(record->bytes, &header, &hash));
    b->epoch[header.epoch % NODE_BLOCKS_EPOCHS] =
        (struct node_block_epoch){header.epoch, record->place};
    bool const first = b->epoch_first == 0 || header.epoch < b->epoch_first;
    b->epoch_first = first ? header.epoch : b->epoch_first;
    b->epoch_last = header.epoch > b->epoch_last ? header.epoch : b->epoch_last;
    return NV_OK;
}

enum nv_err node_blocks_note(struct node_blocks *b, const struct st_record *record)
{
    enum nv_err err = NV_OK;
    switch (record->type) {
    case CS_RECORD_BLOCK:
    case CS_RECORD_FINAL: err = note_header(b, record); break;
    case CS_RECORD_EPOCH: err = note_epoch(b, record); break;
    case REPLICA_RECORD_BODY: err = note_body(b, record); break;
    case NODE_RECORD_EXECUTED: err = note_executed(b, record); break;
    default: break;
    }
    return err == NV_OK || err == NV_ERR_NO_MEMORY ? err : NV_ERR_CORRUPT;
}

void node_blocks_checkpointed(struct node_blocks *b, uint64_t height)
{
    b->checkpoint = height;
}

void node_blocks_pruned(struct node_blocks *b, uint32_t segment)
{
    st_reader_drop(b->reader, segment);
    b->segment_first = segment;
}

/* ---- asking ---- */

uint64_t node_blocks_final(const struct node_blocks *b)
{
    return b->final;
}

bool node_blocks_places(const struct node_blocks *b,
                        const struct node_result *result,
                        struct node_places *out)
{
    const struct node_block_entry *const e = node_blocks__find(b, &result->head.block_hash);
    const struct node_block_entry *const final = node_blocks__find(b, &result->final_hash);
    if (e == NULL || final == NULL || e->block.segment == 0 || final->certificate.segment == 0 ||
        (!e->empty && e->body.segment == 0)) {
        return false;
    }
    *out = (struct node_places){
        .block = e->block,
        .body = e->body,
        .final = final->certificate,
        .final_height = final->height,
    };
    return true;
}

bool node_blocks_epochs(const struct node_blocks *b, uint64_t *first, uint64_t *last)
{
    *first = b->epoch_first;
    *last = b->epoch_last;
    return b->epoch_first != 0;
}

struct st_place node_blocks_body(const struct node_blocks *b, const struct nv_hash *hash)
{
    const struct node_block_entry *const e = node_blocks__find(b, hash);
    return e == NULL ? (struct st_place){0, 0} : e->body;
}

struct st_place node_blocks_executed(const struct node_blocks *b, uint64_t height)
{
    const struct node_block_entry *const e = node_blocks__at(b, height);
    return e == NULL ? (struct st_place){0, 0} : e->executed;
}
