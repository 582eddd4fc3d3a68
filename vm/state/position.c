/* Positions: what an account holds in a market, and the ledger's running sums. */

#include "base/assert.h"

#include "vm/state/internal.h"

#include "base/pure.h"

/* The place of a market in the account's list: the first entry not below it. */
static uint32_t list_place(const struct vm_account *a, uint32_t market)
{
    uint32_t low = 0, high = a->position_count;
    while (low < high) {
        uint32_t const middle = (low + high) / 2;
        if (a->held[middle].market < market) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The entry of that market, empty or not. */
static uint32_t list_find(const struct vm_state *s, uint32_t account, uint32_t market)
{
    const struct vm_account *const a = vm_account(s, account);
    uint32_t const place = list_place(a, market);
    bool const found = place < a->position_count && a->held[place].market == market;
    return found ? a->held[place].position : VM_NONE;
}

uint32_t vm_position_find(const struct vm_state *s, uint32_t account, uint32_t market)
{
    uint32_t const index = list_find(s, account, market);
    return index == VM_NONE || vm__position_empty(vm__position(s, index)) ? VM_NONE : index;
}

uint32_t vm_position_open(struct vm_state *s, uint32_t account, uint32_t market)
{
    uint32_t const found = list_find(s, account, market);
    if (found != VM_NONE) {
        return found;
    }
    if (vm_account(s, account)->position_count == VM_POSITIONS_MAX) {
        return VM_NONE;
    }
    uint32_t const index = vm__create(s, VM_SLAB_POSITION);
    if (index == VM_NONE) {
        return VM_NONE;
    }
    struct vm_account *const a = vm_account_mut(s, account);
    struct vm_position_cell *const cell = vm__position(s, index);
    cell->open.account = a->id;
    cell->open.market = market;
    memset(cell->page, 0xff, sizeof cell->page);
    uint32_t const place = list_place(a, market);
    memmove(&a->held[place + 1], &a->held[place], (a->position_count - place) * sizeof a->held[0]);
    a->held[place] = (struct vm_held){.market = market, .position = index};
    a->position_count++;
    vm__dirty(s, VM_SET_POSITION, index);
    return index;
}

void vm__position_unlist(struct vm_state *s, uint32_t index)
{
    const struct vm_position_cell *const cell = vm__position(s, index);
    struct vm_account *const a = vm__at(s, VM_SLAB_ACCOUNT, (uint32_t)(cell->open.account - 1));
    uint32_t const place = list_place(a, cell->open.market);
    NV_ASSERT(place < a->position_count && a->held[place].position == index);
    a->position_count--;
    memmove(&a->held[place], &a->held[place + 1], (a->position_count - place) * sizeof a->held[0]);
}

static int64_t long_part(struct vm_lots lots)
{
    return vm_lots_raw(lots) > 0 ? vm_lots_raw(lots) : 0;
}

/* The market's sums after a position went from `before` to `after`. */
struct market_sums {
    struct vm_lots lots, open_interest, scrub_lots;
    struct vm_money cost, scrub_cost;
};

static bool sums_after(struct market_sums *sums,
                       const struct vm_market_state_row *m,
                       const struct vm_position_row *change,
                       int64_t open_delta,
                       bool scrubbed)
{
    sums->scrub_lots = m->scrub_lots;
    sums->scrub_cost = m->scrub_cost;
    return vm_lots_add(m->lots_sum, change->lots, &sums->lots) &&
           vm_money_add(m->cost_sum, change->cost, &sums->cost) &&
           vm_lots_add(m->open_interest, vm_lots(open_delta), &sums->open_interest) &&
           (!scrubbed || (vm_lots_add(m->scrub_lots, change->lots, &sums->scrub_lots) &&
                          vm_money_add(m->scrub_cost, change->cost, &sums->scrub_cost)));
}

bool vm_position_add(struct vm_state *s, uint32_t index, struct vm_lots lots, struct vm_money cost)
{
    struct vm_position *const p = vm_position_mut(s, index);
    struct vm_market_state_row *const m = &vm_market_mut(s, p->market)->row;
    struct vm_position_row const change = {.lots = lots, .cost = cost};
    struct vm_position_row after;
    if (!vm_lots_add(p->row.lots, lots, &after.lots) ||
        !vm_money_add(p->row.cost, cost, &after.cost)) {
        return false;
    }
    struct market_sums sums;
    int64_t const open_delta = long_part(after.lots) - long_part(p->row.lots);
    if (!sums_after(&sums, m, &change, open_delta, vm__scrubbed(s, p->account))) {
        return false;
    }
    p->row = after;
    m->lots_sum = sums.lots;
    m->cost_sum = sums.cost;
    m->open_interest = sums.open_interest;
    m->scrub_lots = sums.scrub_lots;
    m->scrub_cost = sums.scrub_cost;
    vm__cushion_position(s, (uint32_t)(p->account - 1), p->market, &change);
    return true;
}

bool vm_realised_add(struct vm_state *s, uint32_t market, struct vm_money delta)
{
    struct vm_market_state_row *const m = &vm_market_mut(s, market)->row;
    struct vm_chain_row *const chain = vm_chain_mut(s);
    struct vm_money own, sum;
    if (!vm_money_add(m->realised, delta, &own) ||
        !vm_money_add(chain->realised_sum, delta, &sum)) {
        return false;
    }
    m->realised = own;
    chain->realised_sum = sum;
    return true;
}
