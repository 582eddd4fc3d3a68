#include "node/execution/checkpointer.h"

#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/codec.h"
#include "base/heap.h"

#include "storage/snapshot.h"

#define ROWS_AT_ONCE 64u
#define ROW_HEAD     (NV_ROW_KEY_SIZE + 2u)

enum order_kind { ORDER_WRITE = 1, ORDER_PAGE };

struct node_checkpointer {
    pthread_t thread;
    struct node_mailbox in;
    struct node_mailbox *out;
    struct st_db *db;
};

static uint64_t now_ms(void)
{
    struct timespec t;
    int const result = clock_gettime(CLOCK_MONOTONIC, &t);
    NV_ASSERT(result == 0);
    return (uint64_t)t.tv_sec * 1000u + (uint64_t)t.tv_nsec / 1000000u;
}

/* ---- pages ---- */

/* put_rows writes rows into the page, as many as fit; false when it is full. */
static bool put_rows(struct rpc_rows *page, const struct nv_row *rows, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct nv_row *const row = &rows[i];
        if (page->count == page->max_rows || page->cap - page->size < ROW_HEAD + row->value.size) {
            return false;
        }
        uint8_t *const at = page->bytes + page->size;
        memcpy(at, row->key.bytes, NV_ROW_KEY_SIZE);
        nv_be16_store(at + NV_ROW_KEY_SIZE, (uint16_t)row->value.size);
        if (row->value.size > 0) {
            memcpy(at + ROW_HEAD, row->value.bytes, row->value.size);
        }
        page->size += ROW_HEAD + row->value.size;
        page->count++;
    }
    return true;
}

static enum nv_err fill(struct node_checkpointer *c, struct rpc_rows *page)
{
    struct st_pin *pin = NULL;
    struct nv_row rows[ROWS_AT_ONCE];
    struct nv_row_range range;
    uint32_t count = ROWS_AT_ONCE;
    NV_TRY(st_db_pin(c->db, &pin, page->pin, now_ms()));
    const struct st_head *const head = st_pin_head(pin);
    page->pin = head->height;
    page->head = (struct rpc_head){
        .height = head->height, .block_hash = head->block_hash, .state_root = head->root};
    nv_row_range_prefix(&range, NULL, 0);
    if (page->has_after) {
        range.first = page->after;
    }
    bool more = !page->has_after || nv_row_key_next(&range.first);
    while (more && count == ROWS_AT_ONCE) {
        NV_TRY(st_pin_rows(pin, rows, &count, &range, ROWS_AT_ONCE));
        if (!put_rows(page, rows, count)) {
            return NV_OK;
        }
        if (count > 0) {
            range.first = rows[count - 1].key;
            more = nv_row_key_next(&range.first);
        }
    }
    page->end = true;
    return NV_OK;
}

/* ---- the thread ---- */

static void *work(void *ctx)
{
    struct node_checkpointer *const c = ctx;
    struct node_mail *mail = NULL;
    while ((mail = node_mailbox_take(&c->in)) != NULL) {
        uint64_t const now = now_ms();
        st_db_unpin(c->db, now < NODE_PIN_MS ? 0 : now - NODE_PIN_MS);
        if (mail->kind == ORDER_WRITE) {
            struct node_checkpoint *const checkpoint = (struct node_checkpoint *)mail;
            checkpoint->err = st_db_checkpoint(c->db, checkpoint->overlay);
            checkpoint->rows = NULL;
            if (checkpoint->err == NV_OK && checkpoint->forget > 0) {
                checkpoint->err = st_db_forget(c->db, checkpoint->forget);
            }
            if (checkpoint->err == NV_OK && checkpoint->copy &&
                st_snapshot_copy(&checkpoint->rows, c->db) != NV_OK) {
                checkpoint->rows = NULL;
            }
            mail->kind = NODE_MAIL_CHECKPOINTED;
        } else {
            struct node_page *const page = (struct node_page *)mail;
            page->rows->err = fill(c, page->rows);
            mail->kind = NODE_MAIL_PAGE;
        }
        node_mailbox_put(c->out, mail);
    }
    return NULL;
}

enum nv_err node_checkpointer_start(struct node_checkpointer **out,
                                    struct st_db *db,
                                    struct node_mailbox *results)
{
    struct node_checkpointer *const c = nv_heap_alloc(sizeof *c);
    if (c == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    c->db = db;
    c->out = results;
    node_mailbox_init(&c->in, NULL, NULL);
    if (pthread_create(&c->thread, NULL, work, c) != 0) {
        node_mailbox_deinit(&c->in);
        nv_heap_free(c);
        return NV_ERR_NO_MEMORY;
    }
    *out = c;
    return NV_OK;
}

void node_checkpointer_write(struct node_checkpointer *c, struct node_checkpoint *checkpoint)
{
    checkpoint->mail.kind = ORDER_WRITE;
    node_mailbox_put(&c->in, &checkpoint->mail);
}

void node_checkpointer_page(struct node_checkpointer *c, struct node_page *page)
{
    page->mail.kind = ORDER_PAGE;
    node_mailbox_put(&c->in, &page->mail);
}

void node_checkpointer_stop(struct node_checkpointer *c)
{
    if (c == NULL) {
        return;
    }
    node_mailbox_close(&c->in);
    int const result = pthread_join(c->thread, NULL);
    NV_ASSERT(result == 0);
    node_mailbox_deinit(&c->in);
    nv_heap_free(c);
}
