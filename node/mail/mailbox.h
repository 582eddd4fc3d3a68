#ifndef NV_NODE_MAIL_MAILBOX_H
#define NV_NODE_MAIL_MAILBOX_H

/* mailbox.h - how a thread hands something to another: a queue that its owner
 * waits at.
 *
 * What is sent begins with a struct node_mail and changes hands with it: the
 * sender does not touch it any more.  The mailbox takes no memory; how much
 * there may be in it is the sender's to bound.
 *
 * Any thread may put; one thread takes. */

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct node_mail {
    struct node_mail *next; /* private */
    uint32_t kind;          /* the two sides agree on it */
};

/* Called after each put, on the thread that puts; it should only wake. */
typedef void (*node_wake_fn)(void *ctx);

struct node_mailbox {
    pthread_mutex_t mutex;
    pthread_cond_t filled;
    struct node_mail *first, *last;
    bool closed;
    node_wake_fn wake;
    void *wake_ctx;
};

/* node_mailbox_init makes an empty mailbox; `wake` may be NULL. */
void node_mailbox_init(struct node_mailbox *box, node_wake_fn wake, void *wake_ctx);

/* node_mailbox_deinit ends an empty mailbox that nobody uses any more. */
void node_mailbox_deinit(struct node_mailbox *box);

void node_mailbox_put(struct node_mailbox *box, struct node_mail *mail);

/* node_mailbox_take waits for the next mail; NULL when the mailbox is closed
 * and empty.  node_mailbox_try does not wait; NULL when it is empty. */
struct node_mail *node_mailbox_take(struct node_mailbox *box);
struct node_mail *node_mailbox_try(struct node_mailbox *box);

/* node_mailbox_close lets whoever waits go, once what is in it was taken. */
void node_mailbox_close(struct node_mailbox *box);

#endif /* NV_NODE_MAIL_MAILBOX_H */
