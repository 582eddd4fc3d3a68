#include "vm/state/ranked.h"

#include <string.h>

#include "base/pure.h"

#define FEW 24u

static void insertion_sort(struct vm_ranked *items, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        struct vm_ranked const moving = items[i];
        uint32_t j = i;
        for (; j > 0 && items[j - 1].rank > moving.rank; j--) {
            items[j] = items[j - 1];
        }
        items[j] = moving;
    }
}

/* One pass of a radix sort, by the byte at `shift`. */
static void pass(struct vm_ranked *to, const struct vm_ranked *from, uint32_t count, uint32_t shift)
{
    uint32_t place[256] = {0};
    for (uint32_t i = 0; i < count; i++) {
        place[from[i].rank >> shift & 0xffu]++;
    }
    uint32_t sum = 0;
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t const here = place[b];
        place[b] = sum;
        sum += here;
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t const b = (uint32_t)(from[i].rank >> shift & 0xffu);
        to[place[b]] = from[i];
        place[b]++;
    }
}

void vm_ranked_sort(struct vm_ranked *items, struct vm_ranked *scratch, uint32_t count)
{
    if (count <= FEW) {
        insertion_sort(items, count);
        return;
    }
    uint64_t differ = 0;
    for (uint32_t i = 1; i < count; i++) {
        differ |= items[i].rank ^ items[0].rank;
    }
    struct vm_ranked *from = items, *to = scratch;
    for (uint32_t shift = 0; shift < 64; shift += 8) {
        if ((differ >> shift & 0xffu) != 0) {
            pass(to, from, count, shift);
            struct vm_ranked *const swap = from;
            from = to;
            to = swap;
        }
    }
    if (from != items) {
        memcpy(items, from, (size_t)count * sizeof *items);
    }
}
