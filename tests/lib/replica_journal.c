/* replica_journal.c - what a node of replica_world.h has written, and reading it again. */

#include <string.h>

#include "base/heap.h"

#include "tests/lib/nv_test.h"
#include "tests/lib/replica_parts.h"

struct rw_batch {
    struct rw_batch *next;
    bool durable;
    uint32_t size;
    uint8_t bytes[];
};

void rw__journal_add(struct rw_node *node, struct nv_view records)
{
    struct rw_batch *const batch = nv_heap_alloc(sizeof *batch + records.size);
    assert_non_null(batch);
    *batch = (struct rw_batch){.size = records.size};
    memcpy(batch->bytes, records.bytes, records.size);
    struct rw_batch **at = &node->journal;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    *at = batch;
}

void rw__journal_sync(struct rw_node *node)
{
    for (struct rw_batch *b = node->journal; b != NULL; b = b->next) {
        b->durable = true;
    }
}

void rw__journal_drop(struct rw_node *node, bool all)
{
    struct rw_batch **at = &node->journal;
    while (*at != NULL) {
        struct rw_batch *const batch = *at;
        if (all || !batch->durable) {
            *at = batch->next;
            nv_heap_free(batch);
        } else {
            at = &batch->next;
        }
    }
}

struct rw_reading rw__journal_read(const struct rw_node *node)
{
    struct rw_reading reading = {.batch = node->journal};
    nv_reader_init(&reading.left, nv_view_of(NULL, 0));
    return reading;
}

bool rw__journal_next(struct rw_reading *reading, uint8_t *type, struct nv_view *payload)
{
    while (nv_reader_left(&reading->left) == 0) {
        const struct rw_batch *const batch = reading->batch;
        if (batch == NULL) {
            return false;
        }
        nv_reader_init(&reading->left, nv_view_of(batch->bytes, batch->size));
        reading->batch = batch->next;
    }
    *type = nv_get_u8(&reading->left);
    *payload = nv_get_view(&reading->left, nv_get_u32(&reading->left));
    return true;
}

/* ---- the store port: blocks out of the journal ---- */

struct found {
    struct nv_view block;
    struct nv_view body;
    struct nv_view final;
};

struct store {
    struct rw *w;
    uint32_t node;
};

static struct store stores[RW_NODES_MAX];

/* look notes what a record tells about the block `wanted`. */
static void
look(struct found *out, uint8_t type, struct nv_view payload, const struct nv_hash *wanted)
{
    struct nv_reader p;
    struct cs_header header;
    struct nv_hash at;
    nv_reader_init(&p, payload);
    if (type == REPLICA_RECORD_BODY && memcmp(payload.bytes, wanted->bytes, 32) == 0) {
        out->body = nv_view_of(payload.bytes + 32, payload.size - 32);
    }
    if ((type != CS_RECORD_BLOCK && type != CS_RECORD_FINAL) ||
        cs_header_get(&p, &header) != NV_OK) {
        return;
    }
    cs_header_hash(&at, &header);
    if (nv_hash_eq(&at, wanted) && type == CS_RECORD_BLOCK) {
        out->block = payload;
    } else if (nv_hash_eq(&at, wanted)) {
        out->final = nv_get_view(&p, nv_reader_left(&p));
    }
}

static struct found scan(const struct rw *w, uint32_t node, const struct nv_hash *wanted)
{
    struct found found = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
    struct rw_reading reading = rw__journal_read(&w->node[node]);
    struct nv_view payload;
    uint8_t type = 0;
    while (rw__journal_next(&reading, &type, &payload)) {
        look(&found, type, payload, wanted);
    }
    return found;
}

static enum nv_err by_hash(void *ctx, const struct nv_hash *hash, struct replica_stored *out)
{
    const struct store *const store = ctx;
    struct found const found = scan(store->w, store->node, hash);
    *out = (struct replica_stored){found.block, found.final};
    return found.block.size > 0 ? NV_OK : NV_ERR_NOT_FOUND;
}

static enum nv_err by_height(void *ctx, uint64_t height, struct replica_stored *out)
{
    const struct store *const store = ctx;
    const struct rw_node *const n = &store->w->node[store->node];
    if (height == 0 || height > n->executed_height) {
        return NV_ERR_NOT_FOUND;
    }
    return by_hash(ctx, &n->executed[height].hash, out);
}

static enum nv_err body_of(void *ctx, const struct nv_hash *hash, struct nv_view *out)
{
    const struct store *const store = ctx;
    *out = scan(store->w, store->node, hash).body;
    return out->size > 0 ? NV_OK : NV_ERR_NOT_FOUND;
}

static enum nv_err epoch_end(void *ctx, uint64_t epoch, struct nv_view *out)
{
    const struct store *const store = ctx;
    struct rw_reading reading = rw__journal_read(&store->w->node[store->node]);
    uint8_t type = 0;
    while (rw__journal_next(&reading, &type, out)) {
        struct nv_reader p;
        struct cs_header header;
        nv_reader_init(&p, *out);
        if (type == CS_RECORD_EPOCH && cs_header_get(&p, &header) == NV_OK &&
            header.epoch == epoch) {
            return NV_OK;
        }
    }
    return NV_ERR_NOT_FOUND;
}

struct replica_store rw__journal_store(struct rw *w, uint32_t node)
{
    stores[node] = (struct store){w, node};
    return (struct replica_store){&stores[node], by_height, by_hash, body_of, epoch_end};
}
