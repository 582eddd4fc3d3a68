#include "rpc/wait.h"

#include <stddef.h>

#include "base/assert.h"

#define WAIT_OF(link, member)                                                                      \
    ((struct rpc_wait *)(void *)((char *)(link)-offsetof(struct rpc_wait, member)))

static void list_init(struct rpc_wait_link *head)
{
    head->prev = head;
    head->next = head;
}

static void list_append(struct rpc_wait_link *head, struct rpc_wait_link *link)
{
    link->prev = head->prev;
    link->next = head;
    head->prev->next = link;
    head->prev = link;
}

static void list_remove(struct rpc_wait_link *link)
{
    link->prev->next = link->next;
    link->next->prev = link->prev;
    list_init(link);
}

/* list_take moves every link of `from` to `to`. */
static void list_take(struct rpc_wait_link *to, struct rpc_wait_link *from)
{
    list_init(to);
    while (from->next != from) {
        struct rpc_wait_link *link = from->next;
        list_remove(link);
        list_append(to, link);
    }
}

void rpc__waits_init(struct rpc_waits *waits)
{
    for (uint32_t i = 0; i < RPC_WAIT_BUCKETS; i++) {
        list_init(&waits->bucket[i]);
    }
    list_init(&waits->heights);
    list_init(&waits->all);
    waits->count = 0;
}

static struct rpc_wait_link *
list_for(struct rpc_waits *waits, enum rpc_wait_kind kind, uint64_t key)
{
    return kind == RPC_WAIT_HEIGHT ? &waits->heights : &waits->bucket[key % RPC_WAIT_BUCKETS];
}

void rpc__wait_add(struct rpc_waits *waits, struct rpc_wait *wait)
{
    NV_ASSERT(!wait->waiting);
    NV_ASSERT(wait->woken != NULL);
    wait->waiting = true;
    waits->count++;
    list_append(list_for(waits, wait->kind, wait->key), &wait->bucket);
    list_append(&waits->all, &wait->all);
}

void rpc__wait_wake(struct rpc_waits *waits,
                    struct rpc_wait *wait,
                    enum rpc_wake wake,
                    const void *detail)
{
    NV_ASSERT(wait->waiting);
    wait->waiting = false;
    waits->count--;
    list_remove(&wait->bucket);
    list_remove(&wait->all);
    wait->woken(wait, wake, detail);
}

/* The three loops below first move the list aside: whoever is woken may add
 * and end other waits, and those of the moved list can still be taken off it,
 * since a link need not know its head. */

void rpc__waits_happen(struct rpc_waits *waits,
                       enum rpc_wait_kind kind,
                       uint64_t key,
                       const void *detail)
{
    NV_ASSERT(kind != RPC_WAIT_HEIGHT);
    struct rpc_wait_link *list = list_for(waits, kind, key);
    struct rpc_wait_link moved;
    list_take(&moved, list);
    while (moved.next != &moved) {
        struct rpc_wait *wait = WAIT_OF(moved.next, bucket);
        if (wait->kind == kind && wait->key == key) {
            rpc__wait_wake(waits, wait, RPC_WAKE_HAPPENED, detail);
        } else {
            list_remove(&wait->bucket);
            list_append(list, &wait->bucket);
        }
    }
}

void rpc__waits_height(struct rpc_waits *waits, uint64_t height)
{
    struct rpc_wait_link moved;
    list_take(&moved, &waits->heights);
    while (moved.next != &moved) {
        struct rpc_wait *wait = WAIT_OF(moved.next, bucket);
        if (wait->key <= height) {
            rpc__wait_wake(waits, wait, RPC_WAKE_HAPPENED, NULL);
        } else {
            list_remove(&wait->bucket);
            list_append(&waits->heights, &wait->bucket);
        }
    }
}

void rpc__waits_expire(struct rpc_waits *waits, uint64_t now_ms)
{
    struct rpc_wait_link moved;
    list_take(&moved, &waits->all);
    while (moved.next != &moved) {
        struct rpc_wait *wait = WAIT_OF(moved.next, all);
        if (wait->deadline_ms <= now_ms) {
            rpc__wait_wake(waits, wait, RPC_WAKE_TIMEOUT, NULL);
        } else {
            list_remove(&wait->all);
            list_append(&waits->all, &wait->all);
        }
    }
}
