#include "node/mail/inbox.h"

#include <string.h>

#include "base/assert.h"
#include "base/heap.h"

/* Before the bytes of an item; a skip fills the end of the ring. */
struct head {
    uint32_t size; /* of the item's bytes */
    uint32_t kind;
    uint32_t peer;
    uint32_t type;
    uint64_t ticket;
};

#define SKIP UINT32_MAX /* as `size`: the item is at the beginning of the ring */

static uint32_t padded(uint32_t size)
{
    return (size + 7u) & ~7u;
}

enum nv_err node_inbox_open(struct node_inbox *inbox, uint32_t cap)
{
    NV_ASSERT(cap % 8 == 0 && cap >= sizeof(struct head));
    *inbox = (struct node_inbox){.memory = nv_heap_reserve(cap), .cap = cap};
    return inbox->memory == NULL ? NV_ERR_NO_MEMORY : NV_OK;
}

void node_inbox_close(struct node_inbox *inbox)
{
    if (inbox->memory != NULL) {
        nv_heap_unreserve(inbox->memory, inbox->cap);
    }
    *inbox = (struct node_inbox){.memory = NULL};
}

/* room_at returns where `need` bytes in a row begin, and the bytes to be
 * skipped before them; false when there is no room. */
static bool room_at(const struct node_inbox *inbox, uint32_t need, uint32_t *at, uint32_t *skip)
{
    uint32_t const end = (inbox->first + inbox->used) % inbox->cap;
    uint32_t const behind = inbox->cap - end; /* to the end of the ring */
    *at = end;
    *skip = 0;
    if (need > behind) {
        *at = 0;
        *skip = behind;
    }
    return need <= inbox->cap && (uint64_t)inbox->used + *skip + need <= inbox->cap;
}

bool node_inbox_put(struct node_inbox *inbox, const struct node_inbox_item *item)
{
    uint32_t at = 0;
    uint32_t skip = 0;
    if (item->bytes.size > inbox->cap - sizeof(struct head) ||
        !room_at(inbox, (uint32_t)sizeof(struct head) + padded(item->bytes.size), &at, &skip)) {
        return false;
    }
    struct head head = {.size = SKIP};
    if (skip >= sizeof head) {
        memcpy(inbox->memory + inbox->cap - skip, &head, sizeof head);
    }
    head = (struct head){item->bytes.size, item->kind, item->peer, item->type, item->ticket};
    memcpy(inbox->memory + at, &head, sizeof head);
    if (head.size > 0) {
        memcpy(inbox->memory + at + sizeof head, item->bytes.bytes, head.size);
    }
    inbox->used += skip + (uint32_t)sizeof head + padded(head.size);
    inbox->count++;
    return true;
}

static void pass(struct node_inbox *inbox, uint32_t size)
{
    inbox->first = (inbox->first + size) % inbox->cap;
    inbox->used -= size;
}

bool node_inbox_take(struct node_inbox *inbox, struct node_inbox_item *item)
{
    pass(inbox, inbox->given);
    inbox->given = 0;
    if (inbox->count == 0) {
        inbox->first = 0; /* the next ones lie in a row */
        inbox->used = 0;
        return false;
    }
    struct head head = {.size = SKIP};
    uint32_t const behind = inbox->cap - inbox->first;
    if (behind >= sizeof head) {
        memcpy(&head, inbox->memory + inbox->first, sizeof head);
    }
    if (head.size == SKIP) {
        pass(inbox, behind);
        memcpy(&head, inbox->memory + inbox->first, sizeof head);
    }
    *item = (struct node_inbox_item){
        .kind = head.kind,
        .peer = head.peer,
        .type = head.type,
        .ticket = head.ticket,
        .bytes = nv_view_of(inbox->memory + inbox->first + sizeof head, head.size),
    };
    inbox->given = (uint32_t)sizeof head + padded(head.size);
    inbox->count--;
    return true;
}
