/* retire.c - elements whose rows are gone give their places back. */

#include "vm/state/writes.h"

#include "base/pure.h"

static void retire_order_page(struct vm_state *s, uint32_t index)
{
    const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
    vm__position(s, page->position)->page[page->page] = VM_NONE;
    vm__release(s, VM_SLAB_ORDER_PAGE, index);
}

static void retire_session(struct vm_state *s, uint32_t index)
{
    const struct vm_session_cell *const cell = vm__at(s, VM_SLAB_SESSION, index);
    struct nv_row_key key;
    vm__session_index_key(&key, (uint64_t)cell->account + 1, &cell->row.key);
    vm__index_remove(s, VM_INDEX_SESSION, &key);
    vm__release(s, VM_SLAB_SESSION, index);
}

static void retire_position(struct vm_state *s, uint32_t index)
{
    if (vm__position_empty(vm__position(s, index))) {
        vm__position_unlist(s, index);
        vm__release(s, VM_SLAB_POSITION, index);
    }
}

/* An element of these sets goes when its row does. */
static void retire(struct vm_state *s, enum vm_set_id id, uint32_t index)
{
    struct nv_row_key key;
    if (vm__row_lives(s, id, index) || !vm__taken(s, vm__row_slab(id), index)) {
        return;
    }
    if (id == VM_SET_LEVEL) {
        vm__row_key(s, id, index, &key);
        vm__index_remove(s, VM_INDEX_LEVEL_IDLE, &key);
        vm__release(s, VM_SLAB_LEVEL, index);
    } else if (id == VM_SET_TOMBSTONE) {
        vm__row_key(s, id, index, &key);
        vm__index_remove(s, VM_INDEX_TOMBSTONE, &key);
        vm__release(s, VM_SLAB_TOMBSTONE, index);
    } else if (id == VM_SET_STAKE) {
        vm__row_key(s, id, index, &key);
        vm__index_remove(s, VM_INDEX_STAKE, &key);
        vm__release(s, VM_SLAB_STAKE, index);
    } else if (id == VM_SET_SESSION) {
        retire_session(s, index);
    } else if (id == VM_SET_ORDERS) {
        retire_order_page(s, index);
    } else if (id == VM_SET_POSITION) {
        retire_position(s, index);
    }
}

void vm__retire_all(struct vm_state *s)
{
    /* Order pages before positions: a position goes with its last order. */
    static const uint8_t sets[] = {VM_SET_ORDERS,
                                   VM_SET_POSITION,
                                   VM_SET_LEVEL,
                                   VM_SET_SESSION,
                                   VM_SET_TOMBSTONE,
                                   VM_SET_STAKE};
    for (uint32_t i = 0; i < sizeof sets; i++) {
        const struct vm_rowset *const set = &s->sets[sets[i]];
        for (uint32_t j = 0; j < set->list_count; j++) {
            retire(s, (enum vm_set_id)sets[i], set->list[j]);
        }
    }
    for (uint32_t id = 0; id < VM_SET_COUNT; id++) {
        s->sets[id].list_count = 0;
    }
}
