#include "node/journal/thread.h"

#include "base/assert.h"
#include "base/codec.h"
#include "base/heap.h"
#include "base/log.h"

#include "node/mail/at_once.h"

/* The smallest record is 5 bytes; real ones are far larger. */
#define RECORD_LEAST 16u
#define RECORD_HEAD  5u
#define AT_ONCE_MAX  65536u /* bytes of a batch that its composer may write */

struct node_journal_thread {
    pthread_t thread;
    struct node_mailbox in;
    struct node_mailbox *out;
    struct st_journal *journal;
    struct node_at_once at_once;
};

/* ---- batches ---- */

enum nv_err node_batch_open(struct node_batch *batch, uint32_t batch_max)
{
    uint32_t const cap = batch_max; /* padding included: the journal takes what fits */
    uint32_t const index_max = batch_max / RECORD_LEAST;
    *batch = (struct node_batch){.index_max = index_max};
    batch->memory_size = (size_t)cap + (size_t)index_max * sizeof *batch->index;
    uint8_t *const memory = nv_heap_reserve(batch->memory_size);
    if (memory == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    batch->memory = memory;
    batch->index = (uint32_t *)(void *)memory;
    st_batch_init(&batch->batch, memory + (size_t)index_max * sizeof *batch->index, cap);
    return NV_OK;
}

void node_batch_close(struct node_batch *batch)
{
    if (batch->memory != NULL) {
        nv_heap_unreserve(batch->memory, batch->memory_size);
    }
    *batch = (struct node_batch){.memory = NULL};
}

void node_batch_clear(struct node_batch *batch)
{
    st_batch_clear(&batch->batch);
    batch->err = NV_OK;
}

enum nv_err node_batch_add(struct node_batch *batch, uint8_t type, struct nv_view payload)
{
    uint32_t const at = batch->batch.count;
    if (at == batch->index_max) {
        return NV_ERR_TOO_LARGE;
    }
    return st_batch_add(&batch->batch, &batch->index[at], type, &payload, 1);
}

uint32_t node_batch_add_all(struct node_batch *batch, struct nv_view records)
{
    struct nv_reader r;
    uint32_t taken = 0;
    nv_reader_init(&r, records);
    while (r.at < r.size) {
        uint8_t const type = nv_get_u8(&r);
        struct nv_view const payload = nv_get_view(&r, nv_get_u32(&r));
        NV_ASSERT(!r.failed); /* this program wrote them */
        if (node_batch_add(batch, type, payload) != NV_OK) {
            break;
        }
        taken = r.at;
    }
    return taken;
}

void node_batch_record(const struct node_batch *batch, uint32_t i, struct st_record *record)
{
    NV_ASSERT(i < batch->batch.count);
    const uint8_t *const bytes = batch->batch.bytes + batch->index[i];
    record->type = bytes[0];
    record->bytes = nv_view_of(bytes + RECORD_HEAD, nv_be32_load(bytes + 1));
    record->place = st_batch_place(&batch->batch, batch->index[i]);
}

/* ---- the thread ---- */

static void append(struct node_journal_thread *thread, struct node_batch *batch)
{
    node_at_once_begin(&thread->at_once);
    batch->err = st_journal_append(thread->journal, &batch->batch);
    batch->sync_ns = node_at_once_end(&thread->at_once);
    batch->mail.kind = NODE_MAIL_BATCH;
}

static void prepare(struct node_journal_thread *thread)
{
    enum nv_err const err = st_journal_prepare(thread->journal);
    if (err != NV_OK) {
        nv_log(NV_LOG_WARN, "event=journal_prepare error=\"%s\"", nv_err_text(err));
    }
}

static void *work(void *ctx)
{
    struct node_journal_thread *const thread = ctx;
    struct node_mail *mail = NULL;
    while ((mail = node_mailbox_take(&thread->in)) != NULL) {
        struct node_batch *const batch = (struct node_batch *)mail;
        append(thread, batch);
        bool const failed = batch->err != NV_OK;
        if (!failed && batch->drop != 0) {
            batch->err = st_journal_drop(thread->journal, batch->drop);
        }
        if (failed || st_journal_prepared(thread->journal)) {
            node_at_once_done(&thread->at_once); /* whoever takes the batch may go on at once */
            node_mailbox_put(thread->out, mail);
        } else {
            node_mailbox_put(thread->out, mail);
            prepare(thread);
            node_at_once_done(&thread->at_once);
        }
    }
    return NULL;
}

enum nv_err node_journal_thread_start(struct node_journal_thread **out,
                                      struct st_journal *journal,
                                      struct node_mailbox *results)
{
    struct node_journal_thread *const thread = nv_heap_alloc(sizeof *thread);
    if (thread == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    thread->journal = journal;
    thread->out = results;
    node_mailbox_init(&thread->in, NULL, NULL);
    if (pthread_create(&thread->thread, NULL, work, thread) != 0) {
        node_mailbox_deinit(&thread->in);
        nv_heap_free(thread);
        return NV_ERR_NO_MEMORY;
    }
    *out = thread;
    return NV_OK;
}

void node_journal_thread_append(struct node_journal_thread *thread, struct node_batch *batch)
{
    NV_ASSERT(batch->batch.count > 0);
    node_at_once_give(&thread->at_once);
    node_mailbox_put(&thread->in, &batch->mail);
}

bool node_journal_thread_at_once(struct node_journal_thread *thread, struct node_batch *batch)
{
    NV_ASSERT(batch->batch.count > 0);
    if (batch->batch.size > AT_ONCE_MAX || batch->drop != 0 ||
        !node_at_once_may(&thread->at_once) || !st_journal_prepared(thread->journal)) {
        return false;
    }
    append(thread, batch);
    return true;
}

void node_journal_thread_stop(struct node_journal_thread *thread)
{
    if (thread == NULL) {
        return;
    }
    node_mailbox_close(&thread->in);
    int const result = pthread_join(thread->thread, NULL);
    NV_ASSERT(result == 0);
    node_mailbox_deinit(&thread->in);
    nv_heap_free(thread);
}
