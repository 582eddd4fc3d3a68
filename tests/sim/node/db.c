/* The database by its contract (storage/storage.h): a checkpoint is there whole
 * or not at all, what was committed stays, and bits may rot.  The linker takes
 * these st_db_* for LMDB's. */

#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

#include "storage/epochs.h"
#include "storage/overlay.h"
#include "storage/snapshot.h"
#include "storage/state.h"
#include "tests/sim/node/nodesim.h"

#define TX_BUCKETS 1024u

struct row {
    struct nv_row_key key;
    uint32_t size;
    uint8_t *bytes; /* owned */
};

struct tx {
    struct nv_hash hash;
    struct st_tx_place place;
    bool gone;
    uint32_t next; /* 1 + index */
};

struct epoch {
    uint64_t number;
    uint32_t size;
    uint8_t *bytes; /* owned */
};

struct ns_db {
    bool has_head;
    struct st_head head;
    struct row *row; /* ascending */
    uint32_t row_count;
    struct st_place *block; /* by height */
    uint64_t block_cap;
    struct tx *tx;
    uint32_t tx_count;
    uint32_t tx_cap;
    uint32_t bucket[TX_BUCKETS];
    struct epoch *epoch; /* ascending */
    uint32_t epoch_count;
};

struct st_db {
    struct ns_db *rows;
};

/* ---- what is on the disk ---- */

struct ns_db *ns_db_new(void)
{
    struct ns_db *const rows = calloc(1, sizeof *rows);
    NV_ASSERT(rows != NULL);
    return rows;
}

static void drop_rows(struct row *list, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        free(list[i].bytes);
    }
    free(list);
}

void ns_db_wipe(struct ns_db *rows)
{
    drop_rows(rows->row, rows->row_count);
    free(rows->block);
    free(rows->tx);
    for (uint32_t i = 0; i < rows->epoch_count; i++) {
        free(rows->epoch[i].bytes);
    }
    free(rows->epoch);
    memset(rows, 0, sizeof *rows);
}

void ns_db_free(struct ns_db *rows)
{
    ns_db_wipe(rows);
    free(rows);
}

bool ns_db_rot(struct ns_db *rows, struct nv_test_rng *rng)
{
    if (rows->row_count == 0) {
        return false;
    }
    struct row *const row = &rows->row[nv_test_below(rng, rows->row_count)];
    if (row->size == 0) {
        return false;
    }
    row->bytes[nv_test_below(rng, row->size)] ^= (uint8_t)(1u << nv_test_below(rng, 8));
    return true;
}

/* ---- a checkpoint ---- */

static struct row row_copy(const struct nv_row *from)
{
    struct row row = {.key = from->key, .size = from->value.size};
    row.bytes = malloc(row.size + 1u);
    NV_ASSERT(row.bytes != NULL);
    memcpy(row.bytes, from->value.bytes, row.size);
    return row;
}

/* merge makes the rows with the changes, both in order. */
static void merge(struct ns_db *rows, const struct nv_row *change, uint32_t change_count)
{
    struct row *const out = malloc(sizeof *out * (rows->row_count + change_count + 1u));
    uint32_t count = 0;
    uint32_t i = 0;
    uint32_t j = 0;
    NV_ASSERT(out != NULL);
    while (i < rows->row_count || j < change_count) {
        int const order = i == rows->row_count ? 1
                          : j == change_count  ? -1
                                               : nv_row_key_cmp(&rows->row[i].key, &change[j].key);
        if (order < 0) {
            out[count++] = rows->row[i++];
            continue;
        }
        if (order == 0) {
            free(rows->row[i++].bytes);
        }
        if (change[j].value.bytes != NULL) {
            out[count++] = row_copy(&change[j]);
        }
        j++;
    }
    free(rows->row);
    rows->row = out;
    rows->row_count = count;
}

static void put_block(struct ns_db *rows, uint64_t height, struct st_place place)
{
    if (height >= rows->block_cap) {
        uint64_t const cap = 2 * height + 64;
        rows->block = realloc(rows->block, cap * sizeof *rows->block);
        NV_ASSERT(rows->block != NULL);
        memset(rows->block + rows->block_cap, 0, (cap - rows->block_cap) * sizeof *rows->block);
        rows->block_cap = cap;
    }
    rows->block[height] = place;
}

static uint32_t *bucket_of(struct ns_db *rows, const struct nv_hash *hash)
{
    return &rows->bucket[((uint32_t)hash->bytes[0] << 8 | hash->bytes[1]) % TX_BUCKETS];
}

static void put_tx(struct ns_db *rows, const struct nv_hash *hash, struct st_tx_place place)
{
    uint32_t *const bucket = bucket_of(rows, hash);
    if (rows->tx_count == rows->tx_cap) {
        rows->tx_cap = 2 * rows->tx_cap + 256;
        rows->tx = realloc(rows->tx, rows->tx_cap * sizeof *rows->tx);
        NV_ASSERT(rows->tx != NULL);
    }
    rows->tx[rows->tx_count] = (struct tx){.hash = *hash, .place = place, .next = *bucket};
    *bucket = ++rows->tx_count;
}

static struct epoch *find_epoch(const struct ns_db *rows, uint64_t number)
{
    for (uint32_t i = 0; i < rows->epoch_count; i++) {
        if (rows->epoch[i].number == number) {
            return &rows->epoch[i];
        }
    }
    return NULL;
}

static void put_epoch(struct ns_db *rows, uint64_t number, const uint8_t *bytes, uint32_t size)
{
    struct epoch *epoch = find_epoch(rows, number);
    if (epoch == NULL) {
        rows->epoch = realloc(rows->epoch, (rows->epoch_count + 1) * sizeof *rows->epoch);
        NV_ASSERT(rows->epoch != NULL);
        epoch = &rows->epoch[rows->epoch_count++];
        *epoch = (struct epoch){.number = number};
        NV_ASSERT(rows->epoch_count == 1 || epoch[-1].number < number);
    }
    free(epoch->bytes);
    epoch->bytes = malloc(size);
    NV_ASSERT(epoch->bytes != NULL);
    memcpy(epoch->bytes, bytes, size);
    epoch->size = size;
}

enum nv_err st_db_epoch(struct st_db *db, struct nv_view *out, uint64_t epoch, uint8_t *memory)
{
    const struct epoch *const found = find_epoch(db->rows, epoch);
    if (found == NULL) {
        return NV_ERR_NOT_FOUND;
    }
    memcpy(memory, found->bytes, found->size);
    *out = nv_view_of(memory, found->size);
    return NV_OK;
}

enum nv_err st_db_epoch_put(struct st_db *db, uint64_t epoch, struct nv_view bytes)
{
    put_epoch(db->rows, epoch, bytes.bytes, bytes.size);
    return NV_OK;
}

enum nv_err st_db_epoch_last(struct st_db *db, uint64_t *epoch)
{
    const struct ns_db *const rows = db->rows;
    if (rows->epoch_count == 0) {
        return NV_ERR_NOT_FOUND;
    }
    *epoch = rows->epoch[rows->epoch_count - 1].number;
    return NV_OK;
}

enum nv_err st_db_checkpoint(struct st_db *db, struct st_overlay *overlay)
{
    struct ns_db *const rows = db->rows;
    uint32_t count = 0;
    struct nv_hash root;
    const struct nv_row *const changes = st_overlay_rows(overlay, &count);
    nv_row_empty_root(&root);
    root = rows->has_head ? rows->head.root : root;
    if ((rows->has_head ? rows->head.height : 0) != overlay->base.height ||
        !nv_hash_eq(&root, &overlay->base.root)) {
        return NV_ERR_MISMATCH;
    }
    merge(rows, changes, count);
    if (rows->row_count != overlay->head.row_count) {
        return NV_ERR_CORRUPT;
    }
    for (uint32_t i = 0; i < overlay->block_count; i++) {
        put_block(rows, overlay->blocks[i].height, overlay->blocks[i].place);
    }
    for (uint32_t i = 0; i < overlay->tx_count; i++) {
        put_tx(rows, &overlay->txs[i].hash, overlay->txs[i].place);
    }
    for (uint32_t i = 0; i < overlay->epoch_count; i++) {
        put_epoch(rows,
                  overlay->epoch[i].epoch,
                  overlay->epoch_bytes + (size_t)i * ST_EPOCH_SIZE_MAX,
                  overlay->epoch[i].size);
    }
    rows->head = overlay->head;
    rows->has_head = true;
    return NV_OK;
}

enum nv_err
st_db_replace(struct st_db *db, const struct st_manifest *manifest, st_chunk_fn next, void *ctx)
{
    struct ns_db *const rows = db->rows;
    uint32_t const cap = (uint32_t)manifest->head.row_count;
    struct row *const list = calloc(cap + 1u, sizeof *list);
    uint32_t count = 0;
    enum nv_err err = NV_OK;
    NV_ASSERT(list != NULL);
    for (uint32_t i = 0; i < manifest->chunk_count && err == NV_OK; i++) {
        struct nv_proof proof;
        struct nv_row_range range;
        struct nv_row row;
        st_manifest_range(manifest, &range, i);
        err = next(ctx, &proof, i);
        for (uint32_t at = 0; err == NV_OK && nv_proof_next(&proof, &at, &row);) {
            bool const inside = nv_row_key_cmp(&row.key, &range.first) >= 0 &&
                                nv_row_key_cmp(&row.key, &range.last) <= 0;
            err = inside && count == cap ? NV_ERR_CORRUPT : NV_OK;
            if (inside && err == NV_OK) {
                list[count++] = row_copy(&row);
            }
        }
    }
    err = err == NV_OK && count != cap ? NV_ERR_CORRUPT : err;
    if (err != NV_OK) {
        drop_rows(list, count);
        return err;
    }
    drop_rows(rows->row, rows->row_count);
    rows->row = list;
    rows->row_count = count;
    rows->head = manifest->head;
    rows->has_head = true;
    return NV_OK;
}

enum nv_err st_db_forget(struct st_db *db, uint64_t height)
{
    struct ns_db *const rows = db->rows;
    for (uint64_t h = 0; h <= height && h < rows->block_cap; h++) {
        rows->block[h] = (struct st_place){0};
    }
    for (uint32_t i = 0; i < rows->tx_count; i++) {
        struct tx *const tx = &rows->tx[i];
        tx->gone = tx->gone || tx->place.height <= height;
    }
    return NV_OK;
}

/* ---- the port ---- */

struct st_db *ns_db_open(struct ns_db *rows)
{
    struct st_db *const db = malloc(sizeof *db);
    NV_ASSERT(db != NULL);
    db->rows = rows;
    return db;
}

void st_db_close(struct st_db *db)
{
    free(db);
}

enum nv_err st_db_head(struct st_db *db, struct st_head *head)
{
    if (!db->rows->has_head) {
        return NV_ERR_NOT_FOUND;
    }
    *head = db->rows->head;
    return NV_OK;
}

enum nv_err st_db_load(struct st_db *db, struct st_state *state)
{
    const struct ns_db *const rows = db->rows;
    struct st__loader loader;
    struct st_head loaded = rows->head;
    if (!rows->has_head) {
        return NV_ERR_NOT_FOUND;
    }
    st__load_begin(&loader, &state->tree);
    for (uint32_t i = 0; i < rows->row_count; i++) {
        struct nv_row const row = {
            .key = rows->row[i].key,
            .value = nv_view_of(rows->row[i].bytes, rows->row[i].size),
        };
        NV_TRY(st__load_row(&loader, &row));
    }
    st__load_end(&loader, &loaded);
    if (!nv_hash_eq(&loaded.root, &rows->head.root) || loaded.row_count != rows->head.row_count) {
        return NV_ERR_MISMATCH;
    }
    state->overlays[state->active].base = rows->head;
    return NV_OK;
}

enum nv_err st_db_block(struct st_db *db, struct st_place *out, uint64_t height)
{
    const struct ns_db *const rows = db->rows;
    if (height >= rows->block_cap || rows->block[height].segment == 0) {
        return NV_ERR_NOT_FOUND;
    }
    *out = rows->block[height];
    return NV_OK;
}

enum nv_err st_db_tx(struct st_db *db, struct st_tx_place *out, const struct nv_hash *tx_hash)
{
    struct ns_db *const rows = db->rows;
    for (uint32_t at = *bucket_of(rows, tx_hash); at != 0; at = rows->tx[at - 1].next) {
        if (!rows->tx[at - 1].gone && nv_hash_eq(&rows->tx[at - 1].hash, tx_hash)) {
            *out = rows->tx[at - 1].place;
            return NV_OK;
        }
    }
    return NV_ERR_NOT_FOUND;
}
