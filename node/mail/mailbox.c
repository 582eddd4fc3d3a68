#include "node/mail/mailbox.h"

#include "base/assert.h"

static void must(int result)
{
    NV_ASSERT(result == 0);
}

void node_mailbox_init(struct node_mailbox *box, node_wake_fn wake, void *wake_ctx)
{
    *box = (struct node_mailbox){.wake = wake, .wake_ctx = wake_ctx};
    must(pthread_mutex_init(&box->mutex, NULL));
    must(pthread_cond_init(&box->filled, NULL));
}

void node_mailbox_deinit(struct node_mailbox *box)
{
    NV_ASSERT(box->first == NULL);
    must(pthread_cond_destroy(&box->filled));
    must(pthread_mutex_destroy(&box->mutex));
}

void node_mailbox_put(struct node_mailbox *box, struct node_mail *mail)
{
    mail->next = NULL;
    must(pthread_mutex_lock(&box->mutex));
    NV_ASSERT(!box->closed);
    if (box->last == NULL) {
        box->first = mail;
    } else {
        box->last->next = mail;
    }
    box->last = mail;
    must(pthread_mutex_unlock(&box->mutex));
    must(pthread_cond_signal(&box->filled)); /* whom it wakes finds the mutex free */
    if (box->wake != NULL) {
        box->wake(box->wake_ctx);
    }
}

static struct node_mail *pop(struct node_mailbox *box)
{
    struct node_mail *const mail = box->first;
    if (mail != NULL) {
        box->first = mail->next;
        box->last = box->first == NULL ? NULL : box->last;
        mail->next = NULL;
    }
    return mail;
}

struct node_mail *node_mailbox_take(struct node_mailbox *box)
{
    must(pthread_mutex_lock(&box->mutex));
    while (box->first == NULL && !box->closed) {
        must(pthread_cond_wait(&box->filled, &box->mutex));
    }
    struct node_mail *const mail = pop(box);
    must(pthread_mutex_unlock(&box->mutex));
    return mail;
}

struct node_mail *node_mailbox_try(struct node_mailbox *box)
{
    must(pthread_mutex_lock(&box->mutex));
    struct node_mail *const mail = pop(box);
    must(pthread_mutex_unlock(&box->mutex));
    return mail;
}

void node_mailbox_close(struct node_mailbox *box)
{
    must(pthread_mutex_lock(&box->mutex));
    box->closed = true;
    must(pthread_cond_broadcast(&box->filled));
    must(pthread_mutex_unlock(&box->mutex));
}
