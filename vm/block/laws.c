/* The conservation laws, at the close of every block.
 *
 * SPEC ledger: per market Σ lots = 0 and Σ cost + realised = 0; globally
 * Σ cash + staked + reward pot = vault + Σ realised and Σ wallet + vault = supply.  The running sums
 * are checked each block.  The sums themselves are added anew from the elements
 * by slices: accounts with id mod 1024 = height mod 1024 are added at the close
 * of that height, and a change to an account that was added already in this
 * pass is added with it (vm_cash_add, vm_position_add).  After the last slice
 * the new sums must equal the running ones. */

#include "base/assert.h"

#include "vm/block/block.h"
#include "vm/state/stake.h"

#include "base/pure.h"

static void market_laws(struct vm_exec *x, uint32_t market)
{
    const struct vm_market_state_row *const m = &vm_market(x->state, market)->row;
    struct vm_money balance;
    bool const holds = vm_lots_raw(m->lots_sum) == 0 &&
                       vm_money_add(m->cost_sum, m->realised, &balance) &&
                       vm_money_raw(balance) == 0;
    if (!holds) {
        vm_exec_quarantine(x, market, VM_QUARANTINE_SUMS);
    }
}

static void chain_laws(struct vm_exec *x)
{
    const struct vm_chain_row *const chain = vm_chain(x->state);
    const struct vm_staking_row *const staking = vm_staking(x->state);
    struct vm_money sum = vm_money(0), covered, owned, held;
    bool holds = true;
    for (uint32_t i = 0; i < vm_market_count(x->state); i++) {
        holds = holds && vm_money_add(sum, vm_market(x->state, i)->row.realised, &sum);
    }
    holds = holds && vm_money_raw(sum) == vm_money_raw(chain->realised_sum) &&
            vm_money_add(chain->vault, chain->realised_sum, &covered) &&
            vm_money_add(chain->cash_sum, staking->staked, &held) &&
            vm_money_add(held, staking->pot, &held) &&
            vm_money_raw(covered) == vm_money_raw(held) &&
            vm_money_add(chain->wallet_sum, chain->vault, &owned) &&
            vm_money_raw(owned) == vm_money_raw(chain->supply);
    if (!holds) {
        vm_exec_safe_mode(x);
    }
}

/* Adds one account's balances and positions to the sums under way. */
static bool account_scrub(struct vm_state *s, uint32_t account)
{
    const struct vm_account *const a = vm_account(s, account);
    struct vm_chain_row *const chain = vm_chain_mut(s);
    bool ok = vm_money_add(chain->scrub_cash, a->row.cash, &chain->scrub_cash) &&
              vm_money_add(chain->scrub_wallet, a->row.wallet, &chain->scrub_wallet);
    for (uint32_t i = 0; i < a->position_count; i++) {
        const struct vm_position *const p = vm_position(s, a->held[i].position);
        struct vm_market_state_row *const m = &vm_market_mut(s, p->market)->row;
        ok = vm_lots_add(m->scrub_lots, p->row.lots, &m->scrub_lots) && ok;
        ok = vm_money_add(m->scrub_cost, p->row.cost, &m->scrub_cost) && ok;
    }
    return ok;
}

/* Adds the stakes of validators whose accounts are of the slice. */
static bool stakes_scrub(struct vm_state *s, uint32_t slice)
{
    struct nv_row_key key;
    bool ok = true;
    vm_key_validator(&key, 0);
    for (uint32_t i = vm_stake_after(s, &key); i != VM_NONE; i = vm_stake_after(s, &key)) {
        const struct vm_stake *const stake = vm_stake(s, i);
        if (vm_stake_table(stake) != VM_TABLE_VALIDATOR) {
            break;
        }
        key = stake->key;
        if (vm_stake_field(stake, 0) % VM_SCRUB_SLICES == slice) {
            struct vm_staking_row *const staking = vm_staking_mut(s);
            struct vm_money sum;
            ok = vm_staked_of(s, i, &sum) &&
                 vm_money_add(staking->scrub_staked, sum, &staking->scrub_staked) && ok;
        }
    }
    return ok;
}

/* Compares the new sums with the running ones and begins a new pass. */
static void pass_end(struct vm_exec *x)
{
    struct vm_chain_row *const chain = vm_chain_mut(x->state);
    struct vm_staking_row *const staking = vm_staking_mut(x->state);
    if (vm_money_raw(staking->scrub_staked) != vm_money_raw(staking->staked)) {
        vm_exec_safe_mode(x);
    }
    staking->scrub_staked = vm_money(0);
    if (vm_money_raw(chain->scrub_cash) != vm_money_raw(chain->cash_sum) ||
        vm_money_raw(chain->scrub_wallet) != vm_money_raw(chain->wallet_sum)) {
        vm_exec_safe_mode(x);
    }
    chain->scrub_cash = vm_money(0);
    chain->scrub_wallet = vm_money(0);
    for (uint32_t i = 0; i < vm_market_count(x->state); i++) {
        struct vm_market_state_row *const m = &vm_market_mut(x->state, i)->row;
        if (vm_lots_raw(m->scrub_lots) != vm_lots_raw(m->lots_sum) ||
            vm_money_raw(m->scrub_cost) != vm_money_raw(m->cost_sum)) {
            vm_exec_quarantine(x, i, VM_QUARANTINE_SUMS);
        }
        m->scrub_lots = vm_lots(0);
        m->scrub_cost = vm_money(0);
    }
}

static void slice_scrub(struct vm_exec *x)
{
    uint32_t const slice = (uint32_t)(x->block->height % VM_SCRUB_SLICES);
    uint32_t const first = (slice + VM_SCRUB_SLICES - 1) % VM_SCRUB_SLICES; /* id = index + 1 */
    for (uint32_t i = first; i < vm_account_count(x->state); i += VM_SCRUB_SLICES) {
        if (!account_scrub(x->state, i)) {
            vm_exec_safe_mode(x);
        }
    }
    if (!stakes_scrub(x->state, slice)) {
        vm_exec_safe_mode(x);
    }
    if (slice == VM_SCRUB_SLICES - 1) {
        pass_end(x);
    }
}

void vm_block_laws(struct vm_exec *x)
{
    NV_ASSERT(x->credit_count == 0);
    slice_scrub(x);
    for (uint32_t i = 0; i < vm_market_count(x->state); i++) {
        market_laws(x, i);
    }
    chain_laws(x);
}
