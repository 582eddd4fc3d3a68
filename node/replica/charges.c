#include "node/replica/charges.h"

#include "base/bytes.h"
#include "base/sort.h"

#include "vm/fee.h"

static int compare(const void *a, const void *b)
{
    const struct node_charge *const left = a;
    const struct node_charge *const right = b;
    return nv_bytes_cmp(left->account.bytes, right->account.bytes, sizeof left->account.bytes);
}

uint32_t node_charges_of(struct node_charge *list,
                         struct node_charge *scratch,
                         const struct vm_tx *txs,
                         uint32_t tx_count)
{
    for (uint32_t i = 0; i < tx_count; i++) {
        bool const free = vm_fee_free(&txs[i]);
        list[i] = (struct node_charge){txs[i].account, free ? 0u : 1u, free ? 1u : 0u};
    }
    nv_sort(list, tx_count, sizeof *list, compare, scratch);
    uint32_t count = 0;
    for (uint32_t i = 0; i < tx_count; i++) {
        if (count > 0 && compare(&list[count - 1], &list[i]) == 0) {
            list[count - 1].paid += list[i].paid;
            list[count - 1].free += list[i].free;
        } else {
            list[count] = list[i];
            count++;
        }
    }
    return count;
}

void node_charges_add(const struct node_charges *charges, struct node_charge *sum)
{
    uint32_t low = 0;
    uint32_t high = charges->count;
    while (low < high) {
        uint32_t const middle = low + (high - low) / 2;
        const struct node_charge *const charge = &charges->list[middle];
        int const order = compare(charge, sum);
        if (order == 0) {
            sum->paid += charge->paid;
            sum->free += charge->free;
            return;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
}
