#include "node/execution/executor.h"

#include "base/assert.h"
#include "base/heap.h"

#include "node/mail/at_once.h"

#define AT_ONCE_TXS 16u /* of a block that the loop may run */

/* What the executor is asked; answers of these kinds go back in the same mail
 * where there is one. */
enum order_kind { ORDER_BLOCK = 1, ORDER_READ, ORDER_FREEZE, ORDER_THAW };

struct order {
    struct node_mail mail;
    const struct replica_block *block;
    struct rpc_job *job;
    struct order *free; /* the next unused one; the loop's */
};

struct node_executor {
    pthread_t thread;
    struct node_machine *machine;
    uint32_t rows_dirty;  /* more make a checkpoint */
    uint64_t exact_every; /* a checkpoint exactly at its multiples; 0: none */
    struct node_mailbox in;
    struct node_mailbox *out;
    /* the loop's */
    struct order read[NODE_JOBS_MAX];
    struct order *free_read;
    /* handed to and fro */
    struct node_checkpoint checkpoint;
    bool frozen; /* the executor's: the overlay is out */
    bool over;   /* memory is full: no block is run any more */
    struct node_at_once at_once;
    struct node_mail failed;
    /* the executor's: orders put off while a block waits for room */
    struct node_mail *first_late;
    struct node_mail *last_late;
};

/* ---- the executor's thread ---- */

static void freeze(struct node_executor *ex)
{
    if (ex->frozen) {
        return;
    }
    ex->checkpoint.overlay = node_machine_freeze(ex->machine);
    ex->checkpoint.err = NV_OK;
    ex->checkpoint.mail.kind = NODE_MAIL_FROZEN;
    ex->frozen = ex->checkpoint.overlay != NULL;
    node_mailbox_put(ex->out, &ex->checkpoint.mail);
}

static void thaw(struct node_executor *ex)
{
    NV_ASSERT(ex->frozen);
    ex->frozen = false;
    node_machine_thaw(ex->machine, ex->checkpoint.overlay);
}

static void read_state(struct node_executor *ex, struct order *order)
{
    node_machine_job(ex->machine, order->job);
    order->mail.kind = NODE_MAIL_JOB;
    node_mailbox_put(ex->out, &order->mail);
}

static void put_off(struct node_executor *ex, struct node_mail *mail)
{
    if (ex->last_late == NULL) {
        ex->first_late = mail;
    } else {
        ex->last_late->next = mail;
    }
    ex->last_late = mail;
}

/* wait_for_room takes orders until there is an empty overlay: the present one
 * goes out, or the one that is out comes back.  False: the node stops. */
static bool wait_for_room(struct node_executor *ex)
{
    struct node_mail *mail = NULL;
    if (!ex->frozen) {
        freeze(ex);
        return true;
    }
    while (ex->frozen && (mail = node_mailbox_take(&ex->in)) != NULL) {
        struct order *const order = (struct order *)mail;
        switch ((enum order_kind)mail->kind) {
        case ORDER_BLOCK: put_off(ex, mail); continue;
        case ORDER_READ: read_state(ex, order); break;
        case ORDER_FREEZE: nv_heap_free(order); break;
        case ORDER_THAW:
            nv_heap_free(order);
            thaw(ex);
            break;
        }
        node_at_once_done(&ex->at_once);
    }
    return !ex->frozen;
}

static void fail(struct node_executor *ex)
{
    ex->over = true;
    ex->failed.kind = NODE_MAIL_FAILED;
    node_mailbox_put(ex->out, &ex->failed);
}

/* exact returns whether a checkpoint of exactly this height is wanted. */
static bool exact(const struct node_executor *ex, uint64_t height)
{
    return ex->exact_every > 0 && height % ex->exact_every == 0;
}

/* freeze_full freezes when enough has gathered, or when this height is one to
 * stop at: then after waiting for the overlay that is out. */
static void freeze_full(struct node_executor *ex, uint64_t height)
{
    bool full = false;
    bool const many = node_machine_dirty(ex->machine, &full) >= ex->rows_dirty;
    if (exact(ex, height)) {
        if (!ex->frozen || wait_for_room(ex)) {
            freeze(ex);
        }
    } else if (many || full) {
        freeze(ex);
    }
}

static void run_block(struct node_executor *ex, const struct replica_block *block)
{
    struct node_result *result = NULL;
    node_at_once_begin(&ex->at_once);
    enum nv_err err = node_machine_execute(ex->machine, block, &result);
    while (err == NV_ERR_BUSY && wait_for_room(ex)) {
        err = node_machine_execute(ex->machine, block, &result);
    }
    (void)node_at_once_end(&ex->at_once);
    if (err != NV_OK) {
        fail(ex);
        return;
    }
    uint64_t const height = result->head.height;
    result->mail.kind = NODE_MAIL_RESULT;
    node_mailbox_put(ex->out, &result->mail);
    freeze_full(ex, height);
}

static struct node_mail *next_order(struct node_executor *ex)
{
    struct node_mail *const late = ex->first_late;
    if (late == NULL) {
        return node_mailbox_take(&ex->in);
    }
    ex->first_late = late->next;
    ex->last_late = ex->first_late == NULL ? NULL : ex->last_late;
    late->next = NULL;
    return late;
}

static void *work(void *ctx)
{
    struct node_executor *const ex = ctx;
    struct node_mail *mail = NULL;
    while ((mail = next_order(ex)) != NULL) {
        struct order *const order = (struct order *)mail;
        switch ((enum order_kind)mail->kind) {
        case ORDER_BLOCK:
            if (!ex->over) {
                run_block(ex, order->block);
            }
            nv_heap_free(order);
            break;
        case ORDER_READ: read_state(ex, order); break;
        case ORDER_FREEZE:
            nv_heap_free(order);
            freeze(ex);
            break;
        case ORDER_THAW:
            nv_heap_free(order);
            thaw(ex);
            break;
        }
        node_at_once_done(&ex->at_once);
    }
    return NULL;
}

/* ---- the loop's side ---- */

enum nv_err node_executor_start(struct node_executor **out,
                                struct node_machine *machine,
                                uint32_t rows_dirty,
                                uint64_t exact_every,
                                struct node_mailbox *results)
{
    struct node_executor *const ex = nv_heap_alloc(sizeof *ex);
    if (ex == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    ex->machine = machine;
    ex->rows_dirty = rows_dirty;
    ex->exact_every = exact_every;
    ex->out = results;
    for (uint32_t i = 0; i < NODE_JOBS_MAX; i++) {
        ex->read[i].free = ex->free_read;
        ex->free_read = &ex->read[i];
    }
    node_mailbox_init(&ex->in, NULL, NULL);
    if (pthread_create(&ex->thread, NULL, work, ex) != 0) {
        node_mailbox_deinit(&ex->in);
        nv_heap_free(ex);
        return NV_ERR_NO_MEMORY;
    }
    *out = ex;
    return NV_OK;
}

static void give(struct node_executor *ex, enum order_kind kind, const struct replica_block *block)
{
    struct order *const order = nv_heap_alloc(sizeof *order);
    NV_ASSERT(order != NULL); /* a final block must not be lost: stop */
    order->mail.kind = kind;
    order->block = block;
    node_at_once_give(&ex->at_once);
    node_mailbox_put(&ex->in, &order->mail);
}

void node_executor_block(struct node_executor *ex, const struct replica_block *block)
{
    give(ex, ORDER_BLOCK, block);
}

bool node_executor_at_once(struct node_executor *ex,
                           const struct replica_block *block,
                           struct node_result **out)
{
    bool full = false;
    *out = NULL;
    if (block->tx_count > AT_ONCE_TXS || !node_at_once_may(&ex->at_once) || ex->over ||
        exact(ex, block->header.height)) {
        return false;
    }
    node_at_once_begin(&ex->at_once);
    enum nv_err const err = node_machine_execute(ex->machine, block, out);
    (void)node_at_once_end(&ex->at_once);
    if (err == NV_ERR_BUSY) {
        return false; /* the other thread waits for room */
    }
    if (err != NV_OK) {
        fail(ex);
    } else if (node_machine_dirty(ex->machine, &full) >= ex->rows_dirty || full) {
        node_executor_freeze(ex);
    }
    return true;
}

enum nv_err node_executor_read(struct node_executor *ex, struct rpc_job *job)
{
    struct order *const order = ex->free_read;
    if (order == NULL) {
        return NV_ERR_BUSY;
    }
    ex->free_read = order->free;
    order->mail.kind = ORDER_READ;
    order->job = job;
    node_at_once_give(&ex->at_once);
    node_mailbox_put(&ex->in, &order->mail);
    return NV_OK;
}

struct rpc_job *node_executor_take(struct node_executor *ex, struct node_mail *mail)
{
    struct order *const order = (struct order *)mail;
    struct rpc_job *const job = order->job;
    order->free = ex->free_read;
    ex->free_read = order;
    return job;
}

void node_executor_freeze(struct node_executor *ex)
{
    give(ex, ORDER_FREEZE, NULL);
}

void node_executor_thaw(struct node_executor *ex)
{
    give(ex, ORDER_THAW, NULL);
}

void node_executor_stop(struct node_executor *ex)
{
    node_mailbox_close(&ex->in);
    int const result = pthread_join(ex->thread, NULL);
    NV_ASSERT(result == 0);
}

void node_executor_close(struct node_executor *ex)
{
    if (ex != NULL) {
        node_mailbox_deinit(&ex->in);
        nv_heap_free(ex);
    }
}
