/* Markets, feeds, reporters and their reports, parameters, the two rings. */

#include "base/assert.h"

#include "vm/params.h"
#include "vm/state/internal.h"

#include "base/pure.h"

uint32_t vm_market_create(struct vm_state *s, const struct vm_market_row *row)
{
    uint32_t const market = vm__create(s, VM_SLAB_MARKET);
    if (market == VM_NONE) {
        return VM_NONE;
    }
    struct vm_market *const m = vm__at(s, VM_SLAB_MARKET, market);
    m->listing = *row;
    m->row.status = VM_MARKET_OPEN;
    m->row.generation = 1;
    m->best_bid_page = VM_NONE;
    m->best_ask_page = VM_NONE;
    m->worst_bid_page = VM_NONE;
    m->worst_ask_page = VM_NONE;
    vm__dirty(s, VM_SET_MARKET, market);
    vm__dirty(s, VM_SET_MARKET_STATE, market);
    return market;
}

uint32_t vm_feed_create(struct vm_state *s, const struct vm_feed_row *row)
{
    uint32_t const feed = vm__create(s, VM_SLAB_FEED);
    if (feed == VM_NONE) {
        return VM_NONE;
    }
    vm_feed_mut(s, feed)->row = *row;
    return feed;
}

uint32_t vm_reporter_create(struct vm_state *s, const struct vm_reporter_row *row)
{
    uint32_t const reporter = vm__create(s, VM_SLAB_REPORTER);
    if (reporter == VM_NONE) {
        return VM_NONE;
    }
    struct vm_reporter_row *const own = vm__at(s, VM_SLAB_REPORTER, reporter);
    *own = *row;
    vm__dirty(s, VM_SET_REPORTER, reporter);
    return reporter;
}

static uint32_t report_index(const struct vm_state *s, uint32_t feed, uint32_t reporter)
{
    NV_ASSERT(feed < vm_feed_count(s) && reporter < VM_REPORTERS_MAX);
    return feed * VM_REPORTERS_MAX + reporter;
}

const struct vm_report_row *vm_report(const struct vm_state *s, uint32_t feed, uint32_t reporter)
{
    return vm__at(s, VM_SLAB_REPORT, report_index(s, feed, reporter));
}

struct vm_report_row *vm_report_mut(struct vm_state *s, uint32_t feed, uint32_t reporter)
{
    uint32_t const index = report_index(s, feed, reporter);
    vm__dirty(s, VM_SET_REPORT, index);
    return vm__mut(s, VM_SLAB_REPORT, index);
}

void vm_param_set(struct vm_state *s, uint16_t param, int64_t value)
{
    struct vm_param_cell *const cell = vm__mut(s, VM_SLAB_PARAM, param);
    cell->row.value = value;
    cell->live = true;
    vm__dirty(s, VM_SET_PARAM, param);
    vm_cushions_forget(s);
}

void vm_block_result_put(struct vm_state *s, const struct vm_block_result_row *row)
{
    NV_ASSERT(!s->scope_open);
    s->block_result = *row;
    vm__dirty(s, VM_SET_BLOCK_RESULT, 0);
}

void vm_root_put(struct vm_state *s, const struct vm_root_row *row)
{
    NV_ASSERT(!s->scope_open);
    s->root = *row;
    vm__dirty(s, VM_SET_ROOT, 0);
}
