#ifndef NV_VM_STATE_SLOTS_H
#define NV_VM_STATE_SLOTS_H

/* slots.h - which of `cap` slots are taken, and which free one is the lowest.
 *
 * Bitmaps in four levels: a bit of a level says that the word below it is
 * full, so finding the lowest free slot reads four words.  "Lowest free" makes
 * slot numbers a function of the set of taken slots alone.  Private to
 * vm/state.  Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VM_SLOTS_LEVELS 4u
#define VM_SLOTS_NONE   UINT32_MAX

struct vm_slots {
    uint64_t *level[VM_SLOTS_LEVELS]; /* [0]: bit i = slot i is taken; borrowed */
    uint32_t cap;                     /* at most 64^4 */
    uint32_t count;
    uint32_t end; /* one above the highest slot ever taken */
};

/* vm_slots_words returns how many 64-bit words the four levels of `cap` take. */
size_t vm_slots_words(uint32_t cap);

/* vm_slots_init makes all slots free over zeroed `words`. */
void vm_slots_init(struct vm_slots *slots, uint64_t *words, uint32_t cap);

/* vm_slots_lowest returns the lowest free slot, or VM_SLOTS_NONE. */
uint32_t vm_slots_lowest(const struct vm_slots *slots);

/* vm_slots_take and _release change one slot, which must be free and taken. */
void vm_slots_take(struct vm_slots *slots, uint32_t slot);
void vm_slots_release(struct vm_slots *slots, uint32_t slot);

static inline bool vm_slots_taken(const struct vm_slots *slots, uint32_t slot)
{
    return slot < slots->cap && (slots->level[0][slot >> 6] >> (slot & 63u) & 1u) != 0;
}

#endif /* NV_VM_STATE_SLOTS_H */
