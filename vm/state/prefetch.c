/* Hints to the processor: what will be read soon.  Bounds are checked, contents
 * are not: a hint for what is not there fetches something else. */

#include "vm/state/internal.h"

#include "base/pure.h"

#define LINE 64u

static void fetch(const void *at, uint32_t lines)
{
    const uint8_t *const bytes = at;
    for (uint32_t i = 0; i < lines; i++) {
        vm__hint(bytes + (size_t)i * LINE);
    }
}

static void fetch_element(const struct vm_state *s, enum vm_slab_id id, uint32_t index, uint32_t n)
{
    if (index < s->slabs[id].slots.cap) {
        fetch(vm__at(s, id, index), n);
    }
}

void vm_prefetch_address(const struct vm_state *s, const struct nv_address *address)
{
    fetch(vm__guess_set(&s->account_guess, vm__address_guess(address)), 1);
}

void vm_prefetch_account(const struct vm_state *s, const struct nv_address *address)
{
    uint32_t const index = vm__guess_find(&s->account_guess, vm__address_guess(address));
    if (index >= s->slabs[VM_SLAB_ACCOUNT].slots.cap) {
        return;
    }
    fetch_element(s, VM_SLAB_ACCOUNT, index, 2);
    fetch(&s->own_keys[index], 1);
    fetch(s->cushions[index], 1);
}

void vm_prefetch_holder(const struct vm_state *s, uint32_t account)
{
    fetch_element(s, VM_SLAB_ACCOUNT, account, 2);
    fetch(s->cushions[account], 1);
}

/* The position that the account has, if it has but one or its first. */
static uint32_t first_position(const struct vm_state *s, uint32_t account)
{
    const struct vm_account *const a = vm__at(s, VM_SLAB_ACCOUNT, account);
    return a->position_count > 0 ? a->held[0].position : VM_NONE;
}

void vm_prefetch_position(const struct vm_state *s, uint32_t account)
{
    fetch_element(s, VM_SLAB_POSITION, first_position(s, account), 3);
}

void vm_prefetch_positions(const struct vm_state *s, uint32_t account)
{
    const struct vm_account *const a = vm__at(s, VM_SLAB_ACCOUNT, account);
    for (uint32_t i = 0; i < a->position_count; i++) {
        fetch_element(s, VM_SLAB_POSITION, a->held[i].position, 1);
    }
}

/* Where an order of that ordinal stands in its page. */
static void fetch_page(const struct vm_state *s, const struct vm_position_cell *cell, uint32_t at)
{
    uint32_t const index = cell->page[at / VM_ORDER_PAGE];
    if (index < s->slabs[VM_SLAB_ORDER_PAGE].slots.cap) {
        const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
        fetch(page, 1);
        fetch(&page->own[at % VM_ORDER_PAGE], 1);
        fetch(&s->sets[VM_SET_ORDERS].dirty[index], 1);
    }
}

void vm_prefetch_pages(const struct vm_state *s, uint32_t account)
{
    uint32_t const position = first_position(s, account);
    if (position != VM_NONE) {
        const struct vm_position_cell *const cell = vm__position(s, position);
        uint32_t const ordinal = vm__ordinal_lowest(&cell->open);
        fetch_page(s, cell, ordinal % VM_ORDERS_ACCOUNT_MARKET_MAX);
    }
}

void vm_prefetch_level(const struct vm_state *s,
                       uint32_t market,
                       uint8_t side,
                       struct vm_price price)
{
    uint64_t const guess = vm__level_guess(market, side, vm_page_of(price));
    uint32_t const index = vm__guess_find(&s->level_guess, guess);
    if (index < s->slabs[VM_SLAB_LEVEL].slots.cap) {
        const struct vm_level_page *const page = vm__at(s, VM_SLAB_LEVEL, index);
        fetch_element(
            s, VM_SLAB_ORDER, page->last[(uint64_t)vm_price_raw(price) % VM_LEVEL_TICKS], 2);
    }
    uint32_t const next = vm_slots_lowest(&s->slabs[VM_SLAB_ORDER].slots);
    fetch_element(s, VM_SLAB_ORDER, next, 2);
}

void vm_prefetch_order(const struct vm_state *s, uint64_t handle)
{
    uint32_t market, generation, slot;
    vm_order_handle_split(handle, &market, &generation, &slot);
    fetch_element(s, VM_SLAB_ORDER, slot, 2);
}

/* The order of a handle, or of one that had its slot before or after. */
static const struct vm_order *order_near(const struct vm_state *s, uint64_t handle)
{
    uint32_t market, generation, slot;
    vm_order_handle_split(handle, &market, &generation, &slot);
    return vm__taken(s, VM_SLAB_ORDER, slot) ? vm__at(s, VM_SLAB_ORDER, slot) : NULL;
}

void vm_prefetch_around_order(const struct vm_state *s, uint64_t handle)
{
    const struct vm_order *const order = order_near(s, handle);
    if (order != NULL) {
        fetch_element(s, VM_SLAB_POSITION, order->position, 3);
        fetch_element(s, VM_SLAB_ORDER, order->level_prev, 2);
        fetch_element(s, VM_SLAB_ORDER, order->level_next, 2);
    }
}

void vm_prefetch_order_page(const struct vm_state *s, uint64_t handle)
{
    const struct vm_order *const order = order_near(s, handle);
    if (order != NULL) {
        fetch_page(s, vm__position(s, order->position), order->ordinal);
    }
}

void vm_prefetch_owner(const struct vm_state *s, const struct vm_order *order)
{
    fetch_element(s, VM_SLAB_POSITION, order->position, 3);
}

void vm_prefetch_own_orders(const struct vm_state *s, uint32_t position)
{
    const struct vm_position_cell *const cell = vm__position(s, position);
    for (uint32_t p = 0; p < VM_ORDERS_ACCOUNT_MARKET_MAX / VM_ORDER_PAGE; p++) {
        if (cell->page[p] == VM_NONE) {
            continue;
        }
        const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, cell->page[p]);
        for (uint32_t left = page->taken; left != 0; left &= left - 1) {
            fetch_element(s, VM_SLAB_ORDER, page->own[__builtin_ctz(left)].slot, 2);
        }
    }
}
