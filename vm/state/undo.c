/* The undo log: what an action changed, written so that it can be taken back
 * from the end.  An entry is its payload, then a fixed trailer. */

#include "base/assert.h"

#include "vm/state/internal.h"

#include "base/pure.h"

enum undo_op {
    UNDO_SAVED = 1,        /* payload: the element's bytes */
    UNDO_CREATED = 2,      /* a slot was taken */
    UNDO_RELEASED = 3,     /* a slot was given back */
    UNDO_INDEX_ADDED = 4,  /* payload: key */
    UNDO_INDEX_REMOVED = 5 /* payload: key; index: the value */
};

struct undo_trailer {
    uint32_t op;    /* enum undo_op */
    uint32_t which; /* slab or index */
    uint32_t index;
    uint32_t payload_size;
};

static void log_entry(struct vm_state *s, struct undo_trailer trailer, const void *payload)
{
    NV_ASSERT(s->undo_used + trailer.payload_size + sizeof trailer <= s->undo_cap);
    if (trailer.payload_size > 0) {
        memcpy(s->undo + s->undo_used, payload, trailer.payload_size);
    }
    s->undo_used += trailer.payload_size;
    memcpy(s->undo + s->undo_used, &trailer, sizeof trailer);
    s->undo_used += sizeof trailer;
}

void vm_undo_begin(struct vm_state *s)
{
    NV_ASSERT(!s->scope_open && s->undo_used == 0);
    s->scope++;
    s->scope_open = true;
}

void vm_undo_commit(struct vm_state *s)
{
    NV_ASSERT(s->scope_open);
    s->scope_open = false;
    s->undo_used = 0;
}

static void undo_one(struct vm_state *s, const struct undo_trailer *t, const uint8_t *payload)
{
    struct nv_row_key key;
    switch ((enum undo_op)t->op) {
    case UNDO_SAVED: {
        struct vm_slab *const slab = &s->slabs[t->which];
        uint8_t *const element = slab->elements + (size_t)t->index * slab->size;
        memcpy(element + slab->save_at, payload, slab->save_size);
        break;
    }
    case UNDO_CREATED: vm_slots_release(&s->slabs[t->which].slots, t->index); break;
    case UNDO_RELEASED: vm_slots_take(&s->slabs[t->which].slots, t->index); break;
    case UNDO_INDEX_ADDED:
        memcpy(key.bytes, payload, sizeof key.bytes);
        NV_ASSERT(nv_critbit_remove(s->indexes[t->which], key.bytes, NULL));
        break;
    case UNDO_INDEX_REMOVED:
        memcpy(key.bytes, payload, sizeof key.bytes);
        NV_ASSERT(nv_critbit_insert(s->indexes[t->which], key.bytes, t->index) == NV_OK);
        break;
    }
}

void vm_undo_rollback(struct vm_state *s)
{
    NV_ASSERT(s->scope_open);
    while (s->undo_used > 0) {
        struct undo_trailer t;
        s->undo_used -= sizeof t;
        memcpy(&t, s->undo + s->undo_used, sizeof t);
        s->undo_used -= t.payload_size;
        undo_one(s, &t, s->undo + s->undo_used);
    }
    s->scope_open = false;
}

void vm__save(struct vm_state *s, enum vm_slab_id id, uint32_t index)
{
    const uint8_t *const element = vm__at(s, id, index);
    struct vm_slab *const slab = &s->slabs[id];
    NV_ASSERT(s->scope_open);
    if (slab->saved[index] != s->scope) {
        slab->saved[index] = s->scope;
        struct undo_trailer const t = {
            .op = UNDO_SAVED, .which = id, .index = index, .payload_size = slab->save_size};
        log_entry(s, t, element + slab->save_at);
    }
}

void vm__create_at(struct vm_state *s, enum vm_slab_id id, uint32_t index)
{
    struct vm_slab *const slab = &s->slabs[id];
    memset(vm__at(s, id, index), 0, slab->size);
    vm_slots_take(&slab->slots, index);
    if (s->scope_open) {
        slab->saved[index] = s->scope; /* what a free slot held need not come back */
        log_entry(s, (struct undo_trailer){.op = UNDO_CREATED, .which = id, .index = index}, NULL);
    }
}

uint32_t vm__create(struct vm_state *s, enum vm_slab_id id)
{
    uint32_t const index = vm_slots_lowest(&s->slabs[id].slots);
    if (index == VM_SLOTS_NONE) {
        return VM_NONE;
    }
    vm__create_at(s, id, index);
    return index;
}

void vm__release(struct vm_state *s, enum vm_slab_id id, uint32_t index)
{
    vm_slots_release(&s->slabs[id].slots, index);
    if (s->scope_open) {
        log_entry(s, (struct undo_trailer){.op = UNDO_RELEASED, .which = id, .index = index}, NULL);
    }
}

bool vm__index_find(const struct vm_state *s,
                    enum vm_index_id id,
                    const struct nv_row_key *key,
                    uint32_t *value)
{
    return nv_critbit_lookup(s->indexes[id], key->bytes, value);
}

void vm__index_add(struct vm_state *s,
                   enum vm_index_id id,
                   const struct nv_row_key *key,
                   uint32_t value)
{
    NV_ASSERT(nv_critbit_insert(s->indexes[id], key->bytes, value) == NV_OK);
    if (s->scope_open) {
        struct undo_trailer const t = {
            .op = UNDO_INDEX_ADDED, .which = id, .payload_size = sizeof key->bytes};
        log_entry(s, t, key->bytes);
    }
}

void vm__index_remove(struct vm_state *s, enum vm_index_id id, const struct nv_row_key *key)
{
    uint32_t value = 0;
    NV_ASSERT(nv_critbit_remove(s->indexes[id], key->bytes, &value));
    if (s->scope_open) {
        struct undo_trailer const t = {.op = UNDO_INDEX_REMOVED,
                                       .which = id,
                                       .index = value,
                                       .payload_size = sizeof key->bytes};
        log_entry(s, t, key->bytes);
    }
}
