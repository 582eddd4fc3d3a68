#include "vm/protect/clock.h"

#include <string.h>

#include "base/assert.h"
#include "base/int.h"

#include "vm/params.h"

#include "base/pure.h"

#define UNIT ((nv_i128)1 << 32)

/* What roundings of two requirements may differ by, micro. */
#define ROUNDINGS 16

static nv_i128 distance(struct vm_money a, struct vm_money b)
{
    nv_i128 const d = (nv_i128)vm_money_raw(a) - vm_money_raw(b);
    return d < 0 ? -d : d;
}

static int64_t risk_distance(const struct vm_market *m)
{
    int64_t most = 0;
    for (uint32_t i = 0; i < VM_NODES; i++) {
        int64_t const d = (int64_t)m->risk_maintenance[i] - m->clock_risk[i];
        int64_t const size = d < 0 ? -d : d;
        most = size > most ? size : most;
    }
    return most;
}

/* lot_loss is the bound of clock.h for one lot, micro. */
static nv_i128 lot_loss(const struct vm_state *s, const struct vm_market *m)
{
    nv_i128 const mark = distance(m->row.mark, m->clock_mark);
    nv_i128 const contingency =
        mark * vm_param(s, VM_PARAM_CONTINGENCY_MAINTENANCE) / VM_RATIO_ONE_PPB + 1;
    return mark + distance(m->row.carry, m->clock_carry) + contingency +
           ((nv_i128)risk_distance(m) << m->risk_shift);
}

static bool changed(const struct vm_market *m)
{
    return vm_money_raw(m->row.mark) != vm_money_raw(m->clock_mark) ||
           vm_money_raw(m->row.carry) != vm_money_raw(m->clock_carry) || risk_distance(m) != 0;
}

static void see(struct vm_market *m)
{
    m->clock_shift = m->risk_shift;
    m->clock_mark = m->row.mark;
    m->clock_carry = m->row.carry;
    memcpy(m->clock_risk, m->risk_maintenance, sizeof m->clock_risk);
}

/* first_sight fixes the reference value of a market's lot. */
static void first_sight(struct vm_market *m)
{
    uint64_t const mark = nv_magnitude_i64(vm_money_raw(m->row.mark));
    m->clock_reference = vm_money(mark == 0 ? 1 : mark > INT64_MAX ? INT64_MAX : (int64_t)mark);
    m->clock_seen = vm_money_raw(m->row.mark) != 0;
    see(m);
}

void vm_clock_run(struct vm_exec *x)
{
    struct vm_state *const s = x->state;
    nv_i128 advance = 0;
    uint32_t const count = vm_market_count(s);
    for (uint32_t i = 0; i < count; i++) {
        struct vm_market *const m = vm_market_derived(s, i);
        if (!m->clock_seen || m->clock_shift != m->risk_shift) {
            first_sight(m);
            vm_solvency_forget_all(s);
        } else if (changed(m)) {
            nv_i128 const loss = lot_loss(s, m) * UNIT / vm_money_raw(m->clock_reference) + 1;
            advance = loss > advance ? loss : advance;
            see(m);
        }
    }
    uint64_t by = 0;
    if (!nv_narrow_try_u64(advance, &by)) {
        vm_solvency_forget_all(s);
        by = 0;
    }
    vm_loss_clock_advance(s, by);
}

bool vm_clock_safe(const struct vm_state *s, uint32_t account)
{
    const struct vm_solvency *const known = vm_solvency(s, account);
    if (!known->known || vm_money_raw(known->slack) < 0) {
        return false;
    }
    uint64_t const elapsed = vm_loss_clock(s) - known->reading;
    nv_u128 const loss = (nv_u128)known->exposure * elapsed;
    return loss <= (nv_u128)(uint64_t)vm_money_raw(known->slack) << 32;
}

/* exposure_of sums the reference values of an account's lots; false when it
 * holds a market without one, or a quarantined one. */
static bool exposure_of(const struct vm_state *s, const struct vm_account *account, uint64_t *out)
{
    nv_i128 sum = 0;
    for (uint32_t i = 0; i < account->position_count; i++) {
        const struct vm_position *const position = vm_position(s, account->position[i]);
        const struct vm_market *const market = vm_market(s, position->market);
        uint64_t const lots = nv_magnitude_i64(vm_lots_raw(position->row.lots));
        if (lots != 0 && (!market->clock_seen || market->row.status == VM_MARKET_QUARANTINED)) {
            return false;
        }
        sum += (nv_i128)lots * vm_money_raw(market->clock_reference);
    }
    return nv_narrow_try_u64(sum, out);
}

void vm_clock_note(struct vm_state *s, uint32_t account, const struct vm_requirement *r)
{
    struct vm_solvency known = {.reading = vm_loss_clock(s), .known = true};
    struct vm_money slack;
    if (vm_account(s, account)->row.stage != VM_STAGE_SAFE ||
        !exposure_of(s, vm_account(s, account), &known.exposure) ||
        !vm_money_sub(r->equity, r->maintenance, &slack) ||
        !vm_money_sub(slack, vm_money(ROUNDINGS), &known.slack)) {
        vm_solvency_forget(s, account);
        return;
    }
    vm_solvency_set(s, account, &known);
}
