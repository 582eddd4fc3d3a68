#include "node/replica/outbox.h"

#include <string.h>

#include "base/assert.h"
#include "base/bug.h"
#include "base/heap.h"

/* A queued item, its links and its bytes behind it. */
struct item {
    struct item *next;
    uint32_t link_count;
    uint32_t size; /* of both */
    uint8_t type;
    bool records;
    bool sync;         /* what follows waits for these records */
    const void *block; /* NULL: a message or records */
    bool written;      /* records that are part of the batch under way, or durable */
};

struct node_outbox {
    struct item *first;
    struct item *last;
    struct item *given; /* freed by the next call */
    struct item *lazy;  /* records passed over: they go first into the next batch */
    struct item **lazy_end;
    uint8_t *batch; /* owned; given out */
    uint64_t bytes;
    uint64_t bytes_max;
    bool syncing;
    bool flush; /* records passed over make a batch of their own */
};

enum nv_err node_outbox_open(struct node_outbox **out, uint64_t bytes_max)
{
    struct node_outbox *const outbox = nv_heap_alloc(sizeof *outbox);
    if (outbox == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    *outbox = (struct node_outbox){.bytes_max = bytes_max};
    outbox->lazy_end = &outbox->lazy;
    *out = outbox;
    return NV_OK;
}

static void free_items(struct item *item)
{
    while (item != NULL) {
        struct item *const next = item->next;
        nv_heap_free(item);
        item = next;
    }
}

void node_outbox_close(struct node_outbox *outbox)
{
    if (outbox == NULL) {
        return;
    }
    free_items(outbox->first);
    free_items(outbox->lazy);
    nv_heap_free(outbox->given);
    nv_heap_free(outbox->batch);
    nv_heap_free(outbox);
}

static enum nv_err
push(struct node_outbox *outbox, struct item head, const uint32_t *links, struct nv_view bytes)
{
    size_t const ids = head.link_count * sizeof *links;
    if (outbox->bytes + ids + bytes.size > outbox->bytes_max) {
        return NV_ERR_NO_MEMORY;
    }
    struct item *const item = nv_heap_alloc(sizeof *item + ids + bytes.size);
    if (item == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    *item = head;
    item->next = NULL;
    item->size = (uint32_t)ids + bytes.size;
    if (ids > 0) {
        memcpy(item + 1, links, ids);
    }
    if (bytes.size > 0) {
        memcpy((uint8_t *)(item + 1) + ids, bytes.bytes, bytes.size);
    }
    if (outbox->last == NULL) {
        outbox->first = item;
    } else {
        outbox->last->next = item;
    }
    outbox->last = item;
    outbox->bytes += item->size;
    return NV_OK;
}

enum nv_err node_outbox_persist(struct node_outbox *outbox, struct nv_view records, bool sync)
{
    return push(outbox, (struct item){.records = true, .sync = sync}, NULL, records);
}

enum nv_err node_outbox_send(struct node_outbox *outbox, const struct node_outbox_message *message)
{
    struct item const head = {.link_count = message->link_count, .type = message->type};
    return push(outbox, head, message->links, message->bytes);
}

enum nv_err node_outbox_block(struct node_outbox *outbox, const void *block)
{
    NV_ASSERT(block != NULL);
    return push(outbox, (struct item){.block = block}, NULL, nv_view_of(NULL, 0));
}

static struct item *unlink_first(struct node_outbox *outbox)
{
    struct item *const item = outbox->first;
    outbox->first = item->next;
    if (outbox->first == NULL) {
        outbox->last = NULL;
    }
    item->next = NULL;
    return item;
}

/* pop takes the first item out; it lives until the next pop. */
static void pop(struct node_outbox *outbox)
{
    struct item *const item = unlink_first(outbox);
    outbox->bytes -= item->size;
    nv_heap_free(outbox->given);
    outbox->given = item;
}

/* pass_over keeps the first item's records for the next batch. */
static void pass_over(struct node_outbox *outbox)
{
    struct item *const item = unlink_first(outbox);
    *outbox->lazy_end = item;
    outbox->lazy_end = &item->next;
}

static uint64_t unwritten(const struct item *list)
{
    uint64_t size = 0;
    for (const struct item *i = list; i != NULL; i = i->next) {
        size += i->records && !i->written ? i->size : 0;
    }
    return size;
}

static uint8_t *append_unwritten(uint8_t *at, struct item *list)
{
    for (struct item *i = list; i != NULL; i = i->next) {
        if (i->records && !i->written) {
            memcpy(at, i + 1, i->size);
            at += i->size;
            i->written = true;
        }
    }
    return at;
}

/* gather makes one batch of all records that were not written. */
static void gather(struct node_outbox *outbox, struct node_outbox_item *out)
{
    uint64_t const lazy = unwritten(outbox->lazy);
    uint64_t const size = lazy + unwritten(outbox->first);
    NV_ASSERT(size > 0 && size <= outbox->bytes_max && size <= UINT32_MAX);
    nv_heap_free(outbox->batch);
    outbox->batch = nv_heap_alloc(size);
    NV_ASSERT(outbox->batch != NULL); /* without it no vote may leave: stop */
    uint8_t *const at = append_unwritten(outbox->batch, outbox->lazy);
    (void)append_unwritten(at, outbox->first);
    free_items(outbox->lazy);
    outbox->lazy = NULL;
    outbox->lazy_end = &outbox->lazy;
    outbox->bytes -= lazy;
    outbox->syncing = true;
    outbox->flush = false;
    *out = (struct node_outbox_item){.kind = NODE_OUTBOX_BATCH,
                                     .batch = nv_view_of(outbox->batch, (uint32_t)size)};
}

/* flush makes a batch of what was passed over, if that is wanted. */
static bool flush(struct node_outbox *outbox, struct node_outbox_item *out)
{
    bool const wanted = outbox->flush && outbox->lazy != NULL;
    outbox->flush = wanted;
    if (!wanted || outbox->syncing) {
        return false;
    }
    gather(outbox, out);
    return true;
}

void node_outbox_flush(struct node_outbox *outbox)
{
    outbox->flush = true;
}

bool node_outbox_next(struct node_outbox *outbox, struct node_outbox_item *out)
{
    while (outbox->first != NULL && outbox->first->records) {
        if (outbox->first->written) {
            if (outbox->syncing) {
                return false;
            }
            pop(outbox); /* durable */
        } else if (!outbox->first->sync || NV_SEEDED(SEND_UNSYNCED)) {
            pass_over(outbox);
        } else if (outbox->syncing) {
            return false;
        } else {
            gather(outbox, out);
            return true;
        }
    }
    if (outbox->first == NULL) {
        return flush(outbox, out);
    }
    const struct item *const item = outbox->first;
    const uint32_t *const links = (const uint32_t *)(const void *)(item + 1);
    uint32_t const ids = item->link_count * (uint32_t)sizeof *links;
    *out = (struct node_outbox_item){
        .kind = item->block != NULL ? NODE_OUTBOX_BLOCK : NODE_OUTBOX_MESSAGE,
        .block = item->block,
        .message = {links,
                    item->link_count,
                    item->type,
                    nv_view_of((const uint8_t *)links + ids, item->size - ids)},
    };
    pop(outbox);
    return true;
}

void node_outbox_durable(struct node_outbox *outbox)
{
    NV_ASSERT(outbox->syncing);
    outbox->syncing = false;
}

bool node_outbox_pressed(const struct node_outbox *outbox)
{
    return outbox->bytes > outbox->bytes_max / 2;
}
