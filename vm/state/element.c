/* element.c - the elements that rows are made of, by their places. */

#include "base/assert.h"

#include "vm/state/internal.h"

#include "base/pure.h"

uint32_t vm_account_count(const struct vm_state *s)
{
    return s->slabs[VM_SLAB_ACCOUNT].slots.count;
}

const struct vm_account *vm_account(const struct vm_state *s, uint32_t index)
{
    NV_ASSERT_PARANOID(vm__taken(s, VM_SLAB_ACCOUNT, index));
    return vm__at(s, VM_SLAB_ACCOUNT, index);
}

struct vm_account *vm_account_mut(struct vm_state *s, uint32_t index)
{
    NV_ASSERT(vm__taken(s, VM_SLAB_ACCOUNT, index));
    vm__dirty(s, VM_SET_ACCOUNT, index);
    return vm__mut(s, VM_SLAB_ACCOUNT, index);
}

uint32_t vm_market_count(const struct vm_state *s)
{
    return s->slabs[VM_SLAB_MARKET].slots.count;
}

const struct vm_market *vm_market(const struct vm_state *s, uint32_t market)
{
    NV_ASSERT_PARANOID(vm__taken(s, VM_SLAB_MARKET, market));
    return vm__at(s, VM_SLAB_MARKET, market);
}

struct vm_market *vm_market_mut(struct vm_state *s, uint32_t market)
{
    NV_ASSERT(vm__taken(s, VM_SLAB_MARKET, market));
    vm__dirty(s, VM_SET_MARKET_STATE, market);
    return vm__mut(s, VM_SLAB_MARKET, market);
}

struct vm_market *vm_market_derived(struct vm_state *s, uint32_t market)
{
    return vm__at(s, VM_SLAB_MARKET, market);
}

bool vm__position_empty(const struct vm_position_cell *cell)
{
    const struct vm_position *const p = &cell->open;
    return vm_lots_raw(p->row.lots) == 0 && vm_money_raw(p->row.cost) == 0 && p->order_count == 0;
}

const struct vm_position *vm_position(const struct vm_state *s, uint32_t index)
{
    NV_ASSERT_PARANOID(vm__taken(s, VM_SLAB_POSITION, index));
    return &vm__position(s, index)->open;
}

struct vm_position *vm_position_mut(struct vm_state *s, uint32_t index)
{
    NV_ASSERT(vm__taken(s, VM_SLAB_POSITION, index));
    vm__dirty(s, VM_SET_POSITION, index);
    struct vm_position_cell *const cell = vm__mut(s, VM_SLAB_POSITION, index);
    return &cell->open;
}

const struct vm_order *vm_order(const struct vm_state *s, uint32_t slot)
{
    NV_ASSERT_PARANOID(vm__taken(s, VM_SLAB_ORDER, slot));
    return vm__at(s, VM_SLAB_ORDER, slot);
}

const struct vm_level_page *vm_level_page(const struct vm_state *s, uint32_t index)
{
    NV_ASSERT_PARANOID(vm__taken(s, VM_SLAB_LEVEL, index));
    return vm__at(s, VM_SLAB_LEVEL, index);
}

uint32_t vm_feed_count(const struct vm_state *s)
{
    return s->slabs[VM_SLAB_FEED].slots.count;
}

const struct vm_feed *vm_feed(const struct vm_state *s, uint32_t feed)
{
    NV_ASSERT_PARANOID(vm__taken(s, VM_SLAB_FEED, feed));
    return vm__at(s, VM_SLAB_FEED, feed);
}

struct vm_feed *vm_feed_mut(struct vm_state *s, uint32_t feed)
{
    NV_ASSERT(vm__taken(s, VM_SLAB_FEED, feed));
    vm__dirty(s, VM_SET_FEED, feed);
    return vm__mut(s, VM_SLAB_FEED, feed);
}

uint32_t vm_reporter_count(const struct vm_state *s)
{
    return s->slabs[VM_SLAB_REPORTER].slots.count;
}

const struct vm_reporter_row *vm_reporter(const struct vm_state *s, uint32_t reporter)
{
    NV_ASSERT_PARANOID(vm__taken(s, VM_SLAB_REPORTER, reporter));
    return vm__at(s, VM_SLAB_REPORTER, reporter);
}

int64_t vm_param(const struct vm_state *s, uint16_t param)
{
    const struct vm_param_cell *const cell = vm__at(s, VM_SLAB_PARAM, param);
    NV_ASSERT(cell->live);
    return cell->row.value;
}
