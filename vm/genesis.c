#include "vm/genesis.h"

#include "base/assert.h"

#include "vm/block/block.h"
#include "vm/clearing/clearing.h"
#include "vm/identity/identity.h"
#include "vm/machine.h"
#include "vm/margin/margin.h"
#include "vm/params.h"
#include "vm/stake/stake.h"
#include "vm/state/rows_put.h"

#include "base/pure.h"

/* SPEC stake 6.2: "a genesis in which EVIDENCE_EPOCHS + 1 > UNBOND_EPOCHS or
 * EVIDENCE_TIME ≥ UNBOND_TIME is refused" */
static bool stake_params_ok(const struct vm_state *s)
{
    return vm_param(s, VM_PARAM_EVIDENCE_EPOCHS) + 1 <= vm_param(s, VM_PARAM_UNBOND_EPOCHS) &&
           vm_param(s, VM_PARAM_EVIDENCE_TIME) < vm_param(s, VM_PARAM_UNBOND_TIME);
}

static enum nv_err params_add(struct vm_state *s, const struct vm_genesis *g)
{
    for (uint32_t i = 0; i < vm_param_count(); i++) {
        const struct vm_param_spec *const spec = vm_param_spec_at(i);
        vm_param_set(s, spec->number, spec->devnet);
    }
    for (uint32_t i = 0; i < g->param_count; i++) {
        const struct vm_genesis_param *const p = &g->params[i];
        const struct vm_param_spec *const spec = vm_param_spec_of(p->number);
        bool repeated = false;
        for (uint32_t j = 0; j < i; j++) {
            repeated = repeated || g->params[j].number == p->number;
        }
        if (spec == NULL || repeated || p->value < spec->minimum || p->value > spec->maximum) {
            return NV_ERR_CONFIG;
        }
        vm_param_set(s, p->number, p->value);
    }
    vm_params_hash_of(&vm_chain_mut(s)->params_hash, s);
    return stake_params_ok(s) ? NV_OK : NV_ERR_CONFIG;
}

/* The account of an address, opened when it is not there yet. */
static enum nv_err
account_open(struct vm_state *s, const struct nv_address *address, uint32_t *index)
{
    *index = vm_account_find(s, address);
    if (*index == VM_NONE) {
        *index = vm_account_create(s, address);
    }
    return *index != VM_NONE ? NV_OK : NV_ERR_NO_MEMORY;
}

static enum nv_err offices_add(struct vm_state *s, const struct vm_genesis *g)
{
    uint32_t fee = 0, insurance = 0, faucet = 0;
    NV_TRY(account_open(s, &g->fee_account, &fee));
    NV_TRY(account_open(s, &g->insurance_account, &insurance));
    if (fee == insurance) {
        return NV_ERR_CONFIG;
    }
    struct vm_chain_row *const chain = vm_chain_mut(s);
    chain->fee_account = vm_account(s, fee)->id;
    chain->insurance_account = vm_account(s, insurance)->id;
    if (g->has_faucet) {
        NV_TRY(account_open(s, &g->faucet_account, &faucet));
        chain->faucet_account = vm_account(s, faucet)->id;
    }
    return NV_OK;
}

/* Mints the cash of genesis into the vault. */
static enum nv_err accounts_add(struct vm_state *s, const struct vm_genesis *g)
{
    struct vm_chain_row *const chain = vm_chain_mut(s);
    for (uint32_t i = 0; i < g->account_count; i++) {
        const struct vm_genesis_account *const account = &g->accounts[i];
        uint32_t index = 0;
        NV_TRY(account_open(s, &account->address, &index));
        if (vm_money_raw(account->cash) < 0 ||
            !vm_money_add(chain->supply, account->cash, &chain->supply) ||
            vm_money_raw(chain->supply) > VM_SUPPLY_MAX || !vm_cash_add(s, index, account->cash)) {
            return NV_ERR_CONFIG;
        }
        chain->vault = chain->supply;
    }
    return NV_OK;
}

/* Bonds the validators of genesis; they are the first set, and the first choice. */
static enum nv_err
validators_add(struct vm_state *s, const struct vm_genesis *g, struct nv_arena *arena)
{
    struct vm_chain_row *const chain = vm_chain_mut(s);
    if (g->validator_count > VM_VALIDATORS_MAX) {
        return NV_ERR_CONFIG;
    }
    for (uint32_t i = 0; i < g->validator_count; i++) {
        const struct vm_genesis_validator *const v = &g->validators[i];
        uint32_t account = 0;
        NV_TRY(account_open(s, &v->operator, & account));
        if (!vm_money_add(chain->supply, v->stake, &chain->supply) ||
            vm_money_raw(chain->supply) > VM_SUPPLY_MAX || vm_ratio_raw(v->commission) < 0 ||
            vm_ratio_raw(v->commission) > VM_RATIO_ONE_PPB || !vm_stake_found(s, account, v)) {
            return NV_ERR_CONFIG;
        }
        chain->vault = chain->supply;
    }
    vm_stake_choose(s, arena, 0);
    vm_stake_enforce(s, vm_stake_choice(s, 0), 0);
    return NV_OK;
}

static enum nv_err reporters_add(struct vm_state *s, const struct vm_genesis *g)
{
    uint64_t stake_sum = 0;
    for (uint32_t i = 0; i < g->reporter_count; i++) {
        const struct vm_genesis_reporter *const reporter = &g->reporters[i];
        uint32_t index = 0;
        NV_TRY(account_open(s, &reporter->address, &index));
        struct vm_reporter_row const row = {.account = vm_account(s, index)->id,
                                            .stake = reporter->stake};
        for (uint32_t j = 0; j < i; j++) {
            if (vm_reporter(s, j)->account == row.account) {
                return NV_ERR_CONFIG;
            }
        }
        /* A third of the sum must still be a number that can be tripled. */
        if (row.stake == 0 || !nv_add_u64(stake_sum, row.stake, &stake_sum) ||
            stake_sum > UINT64_MAX / 3) {
            return NV_ERR_CONFIG;
        }
        if (vm_reporter_create(s, &row) == VM_NONE) {
            return NV_ERR_NO_MEMORY;
        }
    }
    return NV_OK;
}

static enum nv_err feeds_add(struct vm_state *s, const struct vm_genesis *g)
{
    int64_t const mark_band = vm_param(s, VM_PARAM_MARK_BAND);
    for (uint32_t i = 0; i < g->feed_count; i++) {
        struct vm_feed_row row;
        memset(&row, 0, sizeof row);
        memcpy(row.symbol, g->feeds[i].symbol, sizeof row.symbol);
        row.range_initial = g->feeds[i].range_initial;
        row.range_maintenance = g->feeds[i].range_maintenance;
        int64_t const maintenance = vm_ratio_raw(row.range_maintenance);
        bool ok = vm_symbol_ok(row.symbol) && maintenance > 0 &&
                  maintenance <= vm_ratio_raw(row.range_initial) && mark_band <= maintenance / 4 &&
                  vm_ratio_raw(row.range_initial) < VM_RATIO_ONE_PPB;
        for (uint32_t j = 0; j < i; j++) {
            ok = ok && memcmp(vm_feed(s, j)->row.symbol, row.symbol, VM_SYMBOL_SIZE) != 0;
        }
        if (!ok) {
            return NV_ERR_CONFIG;
        }
        if (vm_feed_create(s, &row) == VM_NONE) {
            return NV_ERR_NO_MEMORY;
        }
    }
    return NV_OK;
}

/* A listing must be a canonical row, keep the rules of the ledger, name a feed,
 * and have a symbol of its own. */
static bool market_ok(const struct vm_state *s, const struct vm_market_row *row)
{
    uint8_t bytes[VM_ROW_SIZE_MAX];
    struct nv_writer w;
    struct vm_market_row again;
    if (!vm_clearing_listing_ok(row)) {
        return false;
    }
    nv_writer_init(&w, bytes, sizeof bytes);
    vm_market_row_encode(&w, row);
    if (w.overflow || vm_market_row_decode(&again, nv_writer_view(&w)) != NV_OK) {
        return false;
    }
    for (uint32_t i = 0; i < vm_market_count(s); i++) {
        const char *const other = vm_market(s, i)->listing.symbol;
        if (memcmp(other, row->symbol, VM_SYMBOL_SIZE) == 0) {
            return false;
        }
    }
    return row->feed < vm_feed_count(s);
}

static enum nv_err markets_add(struct vm_state *s, const struct vm_genesis *g)
{
    for (uint32_t i = 0; i < g->market_count; i++) {
        if (!market_ok(s, &g->markets[i])) {
            return NV_ERR_CONFIG;
        }
        if (vm_market_create(s, &g->markets[i]) == VM_NONE) {
            return NV_ERR_NO_MEMORY;
        }
    }
    return NV_OK;
}

enum nv_err
vm_genesis_rows(struct vm *vm, const struct vm_genesis *genesis, struct vm_result *result)
{
    struct vm_state *const s = vm->state;
    NV_ASSERT(!vm->ready && vm_account_count(s) == 0);
    memset(result, 0, sizeof *result);
    vm_chain_mut(s)->time_ms = genesis->time_ms;
    NV_TRY(params_add(s, genesis));
    NV_TRY(offices_add(s, genesis));
    NV_TRY(accounts_add(s, genesis));
    nv_arena_reset(&vm->arena);
    NV_TRY(validators_add(s, genesis, &vm->arena));
    NV_TRY(reporters_add(s, genesis));
    NV_TRY(feeds_add(s, genesis));
    NV_TRY(markets_add(s, genesis));
    for (uint32_t i = 0; i < vm_market_count(s); i++) {
        vm_margin_rebuild(s, i);
    }
    nv_arena_reset(&vm->arena);
    struct vm_block const block = {.height = 0, .time_ms = genesis->time_ms};
    struct vm_exec x = {.state = s, .block = &block, .arena = &vm->arena};
    vm_block_laws(&x);
    NV_ASSERT(vm_chain(s)->safe_mode == 0);
    result->write_count = vm_state_writes(s, &vm->arena, &result->writes);
    vm->ready = true;
    return NV_OK;
}
