#include "tools/audit/laws.h"

#include <string.h>

#include "base/codec.h"
#include "base/heap.h"

#include "vm/rows.h"

bool laws_open(struct laws *laws)
{
    memset(laws, 0, sizeof *laws);
    laws->market = nv_heap_reserve(LAWS_MARKETS_MAX * sizeof *laws->market);
    return laws->market != NULL;
}

void laws_close(struct laws *laws)
{
    if (laws->market != NULL) {
        nv_heap_unreserve(laws->market, LAWS_MARKETS_MAX * sizeof *laws->market);
        laws->market = NULL;
    }
}

static struct laws_market *market(struct laws *laws, uint32_t id)
{
    if (id >= LAWS_MARKETS_MAX) {
        return NULL;
    }
    if (id >= laws->market_count) {
        laws->market_count = id + 1;
    }
    return &laws->market[id];
}

static bool add_account(struct laws *laws, const struct nv_row *row)
{
    struct vm_account_row account;
    if (vm_account_row_decode(&account, row->value) != NV_OK) {
        return false;
    }
    laws->cash += vm_money_raw(account.cash);
    laws->wallet += vm_money_raw(account.wallet);
    laws->wallet_below_0 = laws->wallet_below_0 || vm_money_raw(account.wallet) < 0;
    return true;
}

static bool add_position(struct laws *laws, const struct nv_row *row)
{
    struct vm_position_row position;
    struct laws_market *const m = market(laws, nv_be32_load(row->key.bytes + 9));
    if (m == NULL || vm_position_row_decode(&position, row->value) != NV_OK) {
        return false;
    }
    m->lots += vm_lots_raw(position.lots);
    m->cost += vm_money_raw(position.cost);
    return true;
}

static bool add_market(struct laws *laws, const struct nv_row *row)
{
    struct vm_market_row listing;
    struct laws_market *const m = market(laws, nv_be32_load(row->key.bytes + 1));
    if (m == NULL || vm_market_row_decode(&listing, row->value) != NV_OK) {
        return false;
    }
    m->listed = true;
    memcpy(m->symbol, listing.symbol, sizeof listing.symbol);
    return true;
}

static bool add_market_state(struct laws *laws, const struct nv_row *row)
{
    struct vm_market_state_row state;
    struct laws_market *const m = market(laws, nv_be32_load(row->key.bytes + 1));
    if (m == NULL || vm_market_state_row_decode(&state, row->value) != NV_OK) {
        return false;
    }
    m->realised = vm_money_raw(state.realised);
    laws->realised += m->realised;
    m->running_lots = vm_lots_raw(state.lots_sum);
    m->running_cost = vm_money_raw(state.cost_sum);
    return true;
}

static bool add_chain(struct laws *laws, const struct nv_row *row)
{
    struct vm_chain_row chain;
    if (vm_chain_row_decode(&chain, row->value) != NV_OK) {
        return false;
    }
    laws->vault = vm_money_raw(chain.vault);
    laws->supply = vm_money_raw(chain.supply);
    laws->running_cash = vm_money_raw(chain.cash_sum);
    laws->running_wallet = vm_money_raw(chain.wallet_sum);
    laws->running_realised = vm_money_raw(chain.realised_sum);
    laws->chain_found = true;
    return true;
}

bool laws_add(struct laws *laws, const struct nv_row *row)
{
    laws->rows++;
    switch (row->key.bytes[0]) {
    case VM_TABLE_ACCOUNT: return add_account(laws, row);
    case VM_TABLE_POSITION: return add_position(laws, row);
    case VM_TABLE_MARKET: return add_market(laws, row);
    case VM_TABLE_MARKET_STATE: return add_market_state(laws, row);
    case VM_TABLE_CHAIN: return add_chain(laws, row);
    default: return stakes_add(&laws->stakes, row); /* the others hold no money */
    }
}

bool laws_market_holds(const struct laws_market *m)
{
    return m->listed && m->lots == 0 && m->cost + m->realised == 0;
}

bool laws_running_hold(const struct laws *laws)
{
    bool held = laws->chain_found && !laws->wallet_below_0 && laws->cash == laws->running_cash &&
                laws->wallet == laws->running_wallet && laws->realised == laws->running_realised &&
                stakes_running_hold(&laws->stakes) && stakes_shares_hold(&laws->stakes);
    for (uint32_t i = 0; i < laws->market_count; i++) {
        const struct laws_market *const m = &laws->market[i];
        held = held && m->lots == m->running_lots && m->cost == m->running_cost;
    }
    return held;
}

bool laws_hold(const struct laws *laws)
{
    const struct stakes *const stakes = &laws->stakes;
    bool held = laws->chain_found &&
                laws->cash + stakes->staked + stakes->pot == laws->vault + laws->realised &&
                laws->wallet + laws->vault == laws->supply;
    for (uint32_t i = 0; i < laws->market_count; i++) {
        held = held && laws_market_holds(&laws->market[i]);
    }
    return held;
}
