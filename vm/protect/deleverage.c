#include "base/assert.h"
#include "base/int.h"
#include "base/sort.h"

#include "vm/clearing/clearing.h"
#include "vm/margin/margin.h"
#include "vm/protect/plan.h"
#include "vm/protect/stage.h"

#include "base/pure.h"

/* A bankrupt account's lots in the market at hand, or a winner's. */
struct party {
    uint32_t account;
    uint64_t id;
    int64_t lots;      /* signed, as held */
    uint64_t weight;   /* winners: lots held × leverage */
    int64_t taken;     /* winners: lots > 0 */
    nv_i128 remainder; /* of the share at hand */
    int64_t amount;    /* micro: losers: what it is paid; winners: its share of that */
};

struct side {
    struct party *party;
    uint32_t count;
};

static int64_t size_of(int64_t lots)
{
    return lots < 0 ? -lots : lots;
}

static bool leaving(const struct vm_state *s, uint32_t account)
{
    return vm_account(s, account)->row.stage == VM_STAGE_DELEVERAGE;
}

/* gather lists the holders of one side of a market: those that leave it, or
 * those that stay.  `sign` is that of their lots. */
static struct side gather(struct vm_exec *x, uint32_t market, int sign, bool leave)
{
    const struct vm_state *const s = x->state;
    uint32_t const count = vm_account_count(s);
    uint32_t found = 0;
    for (uint32_t pass = 0; pass < 2; pass++) {
        struct side side = {NULL, 0};
        side.party = pass == 0 ? NULL : NV_ARENA_NEW(x->arena, struct party, found);
        for (uint32_t i = 0; i < count; i++) {
            uint32_t const position = vm_position_find(s, i, market);
            int64_t const lots =
                position == VM_NONE ? 0 : vm_lots_raw(vm_position(s, position)->row.lots);
            if (lots == 0 || (lots > 0) != (sign > 0) || leaving(s, i) != leave) {
                continue;
            }
            if (pass == 1) {
                side.party[side.count] =
                    (struct party){.account = i, .id = vm_account(s, i)->id, .lots = lots};
            }
            side.count++;
        }
        if (pass == 1) {
            return side;
        }
        found = side.count;
    }
    NV_ASSERT(false);
    return (struct side){NULL, 0};
}

/* zero_equity_amount is what an account is paid for all its lots so that its
 * share of the deficit (or what is left of its equity) goes with them. */
static bool zero_equity_amount(const struct vm_state *s, uint32_t market, struct party *p)
{
    struct vm_margin_terms terms;
    if (!vm_margin_explain(s, p->account, false, NULL, &terms)) {
        return false;
    }
    const struct vm_market *const m = vm_market(s, market);
    nv_i128 const gross = vm_money_raw(terms.gross);
    nv_i128 const value = vm_money_raw(vm_plan_position_value(s, market, vm_lots(p->lots)));
    nv_i128 share = vm_money_raw(terms.requirement.equity);
    if (value != gross) {
        bool const ok = gross > 0 && nv_div_i128(share * value, gross, NV_ROUND_FLOOR, &share);
        if (!ok) {
            return false;
        }
    }
    nv_i128 const per_lot = (nv_i128)vm_money_raw(m->row.mark) - vm_money_raw(m->row.carry);
    return nv_narrow_try_i64(per_lot * p->lots - share, &p->amount);
}

/* SPEC protection 6: "lots held × max(1, gross value / equity) in parts per thousand" */
static void weigh(const struct vm_state *s, struct party *p)
{
    struct vm_margin_terms terms;
    uint64_t leverage = 1000;
    if (vm_margin_explain(s, p->account, false, NULL, &terms) &&
        vm_money_raw(terms.requirement.equity) > 0) {
        nv_i128 const ratio =
            (nv_i128)vm_money_raw(terms.gross) * 1000 / vm_money_raw(terms.requirement.equity);
        leverage = ratio < 1000 ? 1000 : ratio > 1000000 ? 1000000 : (uint64_t)ratio;
    }
    p->weight = (uint64_t)size_of(p->lots) * leverage;
}

/* By remainder, largest first, then by account id. */
static int remainder_cmp(const void *a, const void *b)
{
    const struct party *const left = a;
    const struct party *const right = b;
    if (left->remainder != right->remainder) {
        return left->remainder > right->remainder ? -1 : 1;
    }
    return left->id < right->id ? -1 : left->id > right->id;
}

static void sort_by_remainder(struct vm_exec *x, struct side *side)
{
    void *const scratch = NV_ARENA_NEW(x->arena, struct party, side->count);
    nv_sort(side->party, side->count, sizeof side->party[0], remainder_cmp, scratch);
}

/* round_shares gives floor(left × weight / Σ weight) to each, none more than
 * it holds, and returns how many lots that were. */
static int64_t round_shares(struct side *winners, int64_t left)
{
    nv_u128 total = 0;
    for (uint32_t i = 0; i < winners->count; i++) {
        const struct party *const p = &winners->party[i];
        total += p->taken < size_of(p->lots) ? p->weight : 0;
    }
    int64_t given = 0;
    for (uint32_t i = 0; i < winners->count && total > 0; i++) {
        struct party *const p = &winners->party[i];
        int64_t const room = size_of(p->lots) - p->taken;
        nv_u128 const product = (nv_u128)(uint64_t)left * p->weight;
        nv_u128 const exact = product / total;
        int64_t const share = exact > (nv_u128)(uint64_t)room ? room : (int64_t)exact;
        p->remainder = room > 0 ? (nv_i128)(product % total) : -1;
        p->taken += share;
        given += share;
    }
    return given;
}

/* take_lots shares `lots` over the winners; false when they hold too few. */
static bool take_lots(struct vm_exec *x, struct side *winners, int64_t lots)
{
    int64_t left = lots;
    int64_t given = 1;
    while (left > 0 && given > 0) {
        given = round_shares(winners, left);
        left -= given;
    }
    sort_by_remainder(x, winners);
    for (uint32_t i = 0; i < winners->count && left > 0; i++) {
        struct party *const p = &winners->party[i];
        if (p->taken < size_of(p->lots)) {
            p->taken++;
            left--;
        }
    }
    return left == 0;
}

/* share_amount shares what the leaving accounts are paid over the winners, in
 * proportion to the lots taken, by largest remainder. */
static bool share_amount(struct vm_exec *x, struct side *winners, nv_i128 amount, int64_t lots)
{
    nv_i128 left = amount;
    for (uint32_t i = 0; i < winners->count; i++) {
        struct party *const p = &winners->party[i];
        nv_i128 share = 0;
        if (!nv_div_i128(amount * p->taken, lots, NV_ROUND_FLOOR, &share) ||
            !nv_narrow_try_i64(share, &p->amount)) {
            return false;
        }
        p->remainder = amount * p->taken - share * lots;
        left -= share;
    }
    sort_by_remainder(x, winners);
    for (uint32_t i = 0; i < winners->count && left > 0; i++) {
        winners->party[i].amount++;
        left--;
    }
    return left == 0;
}

static void
book_party(struct vm_exec *x, uint32_t market, const struct party *p, int64_t lots, int64_t paid)
{
    vm_clearing_trade_at(x, p->account, market, vm_lots(lots), vm_money(paid));
    vm_exec_emit(x,
                 &(struct vm_event){.kind = VM_EVENT_PROTECTION,
                                    .protection = {.account = p->id,
                                                   .stage = VM_STAGE_DELEVERAGE,
                                                   .market = market,
                                                   .lots = vm_lots(lots),
                                                   .amount = vm_money(paid)}});
}

/* deleverage_side moves all lots of the leaving accounts of one side. */
static void deleverage_side(struct vm_exec *x, uint32_t market, int sign)
{
    struct side losers = gather(x, market, sign, true);
    if (losers.count == 0) {
        return;
    }
    nv_i128 lots = 0;
    nv_i128 amount = 0;
    bool ok = true;
    for (uint32_t i = 0; i < losers.count; i++) {
        ok = ok && zero_equity_amount(x->state, market, &losers.party[i]);
        lots += size_of(losers.party[i].lots);
        amount += losers.party[i].amount;
    }
    struct side winners = gather(x, market, -sign, false);
    for (uint32_t i = 0; i < winners.count; i++) {
        weigh(x->state, &winners.party[i]);
    }
    int64_t total = 0;
    if (!ok || !nv_narrow_try_i64(lots, &total) || !take_lots(x, &winners, total) ||
        !share_amount(x, &winners, amount, total)) {
        vm_exec_quarantine(x, market, VM_QUARANTINE_UNCOVERED);
        return;
    }
    for (uint32_t i = 0; i < losers.count; i++) {
        const struct party *const p = &losers.party[i];
        book_party(x, market, p, -p->lots, p->amount);
    }
    for (uint32_t i = 0; i < winners.count; i++) {
        const struct party *const p = &winners.party[i];
        if (p->taken > 0) {
            book_party(x, market, p, sign > 0 ? p->taken : -p->taken, -p->amount);
        }
    }
}

void vm_deleverage(struct vm_exec *x)
{
    bool any = false;
    for (uint32_t i = 0; i < x->unsafe_count; i++) {
        any = any || leaving(x->state, x->unsafe[i].account);
    }
    uint32_t const markets = vm_market_count(x->state);
    for (uint32_t i = 0; any && i < markets; i++) {
        if (vm_market(x->state, i)->row.status == VM_MARKET_OPEN) {
            deleverage_side(x, i, 1);
            deleverage_side(x, i, -1);
        }
    }
}
