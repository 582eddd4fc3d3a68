#include "node/sync/maker.h"

#include <pthread.h>

#include "base/assert.h"
#include "base/heap.h"

struct node_maker {
    pthread_t thread;
    struct node_mailbox in;
    struct node_mailbox *out;
    struct st_snapshots at;
};

static void *work(void *ctx)
{
    struct node_maker *const m = ctx;
    struct node_mail *mail = NULL;
    while ((mail = node_mailbox_take(&m->in)) != NULL) {
        struct node_snapshot *const snapshot = (struct node_snapshot *)mail;
        struct nv_view const anchor = nv_view_of(snapshot->anchor, snapshot->anchor_size);
        snapshot->err = st_snapshot_export(&m->at, snapshot->rows, anchor);
        if (snapshot->err == NV_OK) {
            snapshot->err = st_snapshot_tidy(&m->at, 0);
        }
        st_state_close(snapshot->rows);
        snapshot->rows = NULL;
        mail->kind = NODE_MAIL_SNAPSHOT;
        node_mailbox_put(m->out, mail);
    }
    return NULL;
}

enum nv_err node_maker_start(struct node_maker **out,
                             const struct st_snapshots *at,
                             struct node_mailbox *results)
{
    struct node_maker *const m = nv_heap_alloc(sizeof *m);
    if (m == NULL) {
        return NV_ERR_NO_MEMORY;
    }
    m->at = *at;
    m->out = results;
    node_mailbox_init(&m->in, NULL, NULL);
    if (pthread_create(&m->thread, NULL, work, m) != 0) {
        node_mailbox_deinit(&m->in);
        nv_heap_free(m);
        return NV_ERR_NO_MEMORY;
    }
    *out = m;
    return NV_OK;
}

void node_maker_make(struct node_maker *m, struct node_snapshot *snapshot)
{
    node_mailbox_put(&m->in, &snapshot->mail);
}

void node_maker_stop(struct node_maker *m)
{
    if (m == NULL) {
        return;
    }
    node_mailbox_close(&m->in);
    int const result = pthread_join(m->thread, NULL);
    NV_ASSERT(result == 0);
    node_mailbox_deinit(&m->in);
    nv_heap_free(m);
}
