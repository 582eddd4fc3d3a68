#include "vm/block/exec.h"

#include "base/assert.h"
#include "base/merkle.h"

#include "vm/params.h"
#include "vm/state/stake.h"

#include "base/pure.h"

#define EVENT_SIZE_MAX 128u
#define LIST_FIRST     64u

/* Returns `list` with room for one more than `count`; a list that is full moves
 * to twice the room, so growing costs a constant each. */
static void *
list_grow(struct nv_arena *arena, void *list, uint32_t count, uint32_t *cap, size_t size)
{
    if (count < *cap) {
        return list;
    }
    uint32_t const wider = *cap == 0 ? LIST_FIRST : *cap * 2;
    void *const moved = nv_arena_alloc(arena, size, _Alignof(max_align_t), wider);
    if (count > 0) {
        memcpy(moved, list, (size_t)count * size);
    }
    *cap = wider;
    return moved;
}

/* SPEC receipts 3.5: "its leaves are groups of 64 consecutive events, the last
 * group having what is left, and a leaf's data are the group's events one after
 * another, each after its size as a u16." */
#define GROUP_EVENTS 64u
#define GROUP_BYTES  (GROUP_EVENTS * (EVENT_SIZE_MAX + 2u))

_Static_assert(EVENT_SIZE_MAX + 2 + 3 * sizeof(struct nv_view) <= VM_EXEC_EVENT_MEMORY,
               "an event, its share of its group and of lists that have doubled");

/* Where the next event goes: at the end of the last group, or in a new one. */
static uint8_t *event_place(struct vm_exec *x)
{
    if (x->event_count % GROUP_EVENTS == 0) {
        x->groups =
            list_grow(x->arena, x->groups, x->group_count, &x->group_cap, sizeof x->groups[0]);
        uint8_t *const bytes = NV_ARENA_NEW(x->arena, uint8_t, GROUP_BYTES);
        x->groups[x->group_count] = nv_view_of(bytes, 0);
        x->group_count++;
        x->group_bytes = bytes;
    }
    return x->group_bytes + x->groups[x->group_count - 1].size;
}

void vm_exec_emit(struct vm_exec *x, const struct vm_event *event)
{
    if (x->event_count >= x->event_max) {
        return;
    }
    uint8_t *const place = event_place(x);
    struct nv_writer w;
    nv_writer_init(&w, place + 2, EVENT_SIZE_MAX);
    vm_event_encode(&w, event);
    NV_ASSERT(!w.overflow);
    nv_be16_store(place, (uint16_t)w.size);
    x->groups[x->group_count - 1].size += w.size + 2;
    x->events = list_grow(x->arena, x->events, x->event_count, &x->event_cap, sizeof x->events[0]);
    x->events[x->event_count] = nv_writer_view(&w);
    x->event_count++;
}

void vm_exec_events_root(const struct vm_exec *x, struct nv_hash *out)
{
    nv_merkle_root(out, x->groups, x->group_count);
}

void vm_exec_credit(struct vm_exec *x, uint32_t account, struct vm_money amount)
{
    NV_ASSERT(vm_money_raw(amount) >= 0);
    x->credits =
        list_grow(x->arena, x->credits, x->credit_count, &x->credit_cap, sizeof x->credits[0]);
    x->credits[x->credit_count] = (struct vm_credit){.account = account, .amount = amount};
    x->credit_count++;
}

void vm_exec_fee(struct vm_exec *x, struct vm_money fee)
{
    NV_ASSERT(vm_money_raw(fee) >= 0);
    x->fees += vm_money_raw(fee);
}

/* SPEC stake 5.1: "STAKE_FEE_SHARE of the fees that land with the fee account at the
 * end of a phase (rounded down) goes to the reward pot, the rest to the fee account." */
static bool fees_land(struct vm_exec *x)
{
    struct vm_ratio const share = vm_ratio(vm_param(x->state, VM_PARAM_STAKE_FEE_SHARE));
    uint32_t const office = (uint32_t)(vm_chain(x->state)->fee_account - 1);
    int64_t fees = 0;
    struct vm_money pot, rest;
    bool const ok = nv_narrow_try_i64(x->fees, &fees) &&
                    vm_money_share(vm_money(fees), share, NV_ROUND_FLOOR, &pot) &&
                    vm_money_sub(vm_money(fees), pot, &rest) && vm_pot_add(x->state, pot) &&
                    vm_cash_add(x->state, office, rest);
    x->fees = 0;
    return ok;
}

/* A credit that leaves 64 bits cannot land; the laws then do not hold, and the
 * chain goes to safe mode at the end of the block. */
void vm_exec_credits_land(struct vm_exec *x)
{
    for (uint32_t i = 0; i < x->credit_count; i++) {
        if (!vm_cash_add(x->state, x->credits[i].account, x->credits[i].amount)) {
            vm_exec_safe_mode(x);
        }
    }
    x->credit_count = 0;
    if (x->fees != 0 && !fees_land(x)) {
        vm_exec_safe_mode(x);
    }
}

void vm_exec_quarantine(struct vm_exec *x, uint32_t market, uint8_t reason)
{
    vm_cushions_forget(x->state);
    if (vm_market(x->state, market)->row.status == VM_MARKET_QUARANTINED) {
        return;
    }
    struct vm_market *const m = vm_market_mut(x->state, market);
    m->row.status = VM_MARKET_QUARANTINED;
    m->row.status_ms = x->block->time_ms;
    struct vm_event const event = {
        .kind = VM_EVENT_MARKET,
        .market = {.market = market, .status = VM_MARKET_QUARANTINED, .reason = reason}};
    vm_exec_emit(x, &event);
}

void vm_exec_safe_mode(struct vm_exec *x)
{
    if (vm_chain(x->state)->safe_mode != 0) {
        return;
    }
    vm_chain_mut(x->state)->safe_mode = 1;
    struct vm_event const event = {.kind = VM_EVENT_SAFE_MODE, .safe_mode = 1};
    vm_exec_emit(x, &event);
}
