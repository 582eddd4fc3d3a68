#include "vm/state/slots.h"

#include "base/assert.h"

#include "base/pure.h"

static uint32_t words_of(uint32_t bits)
{
    return bits / 64 + (bits % 64 != 0);
}

size_t vm_slots_words(uint32_t cap)
{
    size_t words = 0;
    for (uint32_t level = 0; level < VM_SLOTS_LEVELS; level++) {
        cap = words_of(cap);
        words += cap;
    }
    return words;
}

void vm_slots_init(struct vm_slots *slots, uint64_t *words, uint32_t cap)
{
    NV_ASSERT(cap >= 1 && cap <= 1u << 24);
    slots->cap = cap;
    slots->count = 0;
    slots->end = 0;
    uint32_t bits = cap;
    for (uint32_t level = 0; level < VM_SLOTS_LEVELS; level++) {
        slots->level[level] = words;
        bits = words_of(bits);
        words += bits;
    }
}

uint32_t vm_slots_lowest(const struct vm_slots *slots)
{
    if (slots->count == slots->cap) {
        return VM_SLOTS_NONE;
    }
    uint32_t at = 0;
    for (uint32_t level = VM_SLOTS_LEVELS; level-- > 0;) {
        uint64_t const open = ~slots->level[level][at];
        NV_ASSERT(open != 0);
        at = at * 64 + (uint32_t)__builtin_ctzll(open);
    }
    NV_ASSERT(at < slots->cap);
    return at;
}

void vm_slots_take(struct vm_slots *slots, uint32_t slot)
{
    NV_ASSERT(slot < slots->cap && !vm_slots_taken(slots, slot));
    slots->count++;
    slots->end = slot + 1 > slots->end ? slot + 1 : slots->end;
    uint32_t at = slot;
    for (uint32_t level = 0; level < VM_SLOTS_LEVELS; level++) {
        uint64_t *const word = &slots->level[level][at >> 6];
        *word |= UINT64_C(1) << (at & 63u);
        if (*word != UINT64_MAX) {
            break;
        }
        at >>= 6;
    }
}

void vm_slots_release(struct vm_slots *slots, uint32_t slot)
{
    NV_ASSERT(vm_slots_taken(slots, slot));
    slots->count--;
    uint32_t at = slot;
    for (uint32_t level = 0; level < VM_SLOTS_LEVELS; level++) {
        uint64_t *const word = &slots->level[level][at >> 6];
        bool const was_full = *word == UINT64_MAX;
        *word &= ~(UINT64_C(1) << (at & 63u));
        if (!was_full) {
            break;
        }
        at >>= 6;
    }
}
