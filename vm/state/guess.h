#ifndef NV_VM_STATE_GUESS_H
#define NV_VM_STATE_GUESS_H

/* guess.h - where something stands, by 64 bits that tell it from most others.
 *
 * The place is looked at before it is believed, so a wrong or old guess costs a
 * search and nothing else.  What the guesses are is no part of the state.
 * Private to vm/state.  Pure. */

#include <stdint.h>

#define VM_GUESS_WAYS 4u

/* Guesses that share a place in the table: half a cache line. */
struct vm_guess_set {
    uint32_t mark[VM_GUESS_WAYS]; /* 0: free */
    uint32_t place[VM_GUESS_WAYS];
};

struct vm_guess {
    struct vm_guess_set *sets; /* borrowed, zeroed at first */
    uint32_t mask;             /* sets less one: all bits */
};

static inline uint64_t vm__guess_hash(uint64_t key)
{
    return key * UINT64_C(0x9e3779b97f4a7c15);
}

/* vm__guess_set is where the guesses for a key stand. */
static inline struct vm_guess_set *vm__guess_set(const struct vm_guess *guess, uint64_t key)
{
    return &guess->sets[(uint32_t)(vm__guess_hash(key) >> 32) & guess->mask];
}

static inline uint32_t vm__guess_mark(uint64_t key)
{
    return (uint32_t)vm__guess_hash(key) | 1u;
}

/* vm__guess_find returns the place that was last noted for a key, or UINT32_MAX. */
static inline uint32_t vm__guess_find(const struct vm_guess *guess, uint64_t key)
{
    const struct vm_guess_set *const set = vm__guess_set(guess, key);
    uint32_t const mark = vm__guess_mark(key);
    for (uint32_t i = 0; i < VM_GUESS_WAYS; i++) {
        if (set->mark[i] == mark) {
            return set->place[i];
        }
    }
    return UINT32_MAX;
}

/* vm__guess_note notes a place; the oldest of its set is forgotten. */
static inline void vm__guess_note(const struct vm_guess *guess, uint64_t key, uint32_t place)
{
    struct vm_guess_set *const set = vm__guess_set(guess, key);
    uint32_t const mark = vm__guess_mark(key);
    uint32_t at = 0;
    while (at < VM_GUESS_WAYS - 1 && set->mark[at] != mark) {
        at++;
    }
    for (; at > 0; at--) {
        set->mark[at] = set->mark[at - 1];
        set->place[at] = set->place[at - 1];
    }
    set->mark[0] = mark;
    set->place[0] = place;
}

#endif /* NV_VM_STATE_GUESS_H */
