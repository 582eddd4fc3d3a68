/* What is known of each account's solvency, and the loss clock. */

#include <string.h>

#include "base/assert.h"
#include "base/int.h"

#include "vm/state/internal.h"

#include "base/pure.h"

const struct vm_solvency *vm_solvency(const struct vm_state *s, uint32_t account)
{
    NV_ASSERT(account < s->solvency_cap);
    return &s->solvency[account];
}

void vm_solvency_set(struct vm_state *s, uint32_t account, const struct vm_solvency *known)
{
    NV_ASSERT(account < s->solvency_cap);
    s->solvency[account] = *known;
}

void vm_solvency_forget(struct vm_state *s, uint32_t account)
{
    NV_ASSERT(account < s->solvency_cap);
    s->solvency[account].known = false;
}

void vm_solvency_forget_all(struct vm_state *s)
{
    uint32_t const count = vm_account_count(s);
    for (uint32_t i = 0; i < count; i++) {
        s->solvency[i].known = false;
    }
}

void vm__solvency_spend(struct vm_state *s, uint32_t account, struct vm_money delta)
{
    struct vm_solvency *const known = &s->solvency[account];
    if (known->known && vm_money_raw(delta) < 0) {
        known->known = vm_money_add(known->slack, delta, &known->slack);
    }
}

uint64_t vm_loss_clock(const struct vm_state *s)
{
    return s->loss_clock;
}

void vm_loss_clock_advance(struct vm_state *s, uint64_t by)
{
    if (!nv_add_u64(s->loss_clock, by, &s->loss_clock)) {
        vm_solvency_forget_all(s);
        s->loss_clock = 0;
    }
}
