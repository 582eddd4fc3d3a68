#include "tests/lib/vm_rig.h"

#include <string.h>

#include "base/heap.h"

#include "tests/lib/nv_test.h"
#include "vm/execution/execution.h"
#include "vm/margin/margin.h"
#include "vm/payoff/payoff.h"

#define BLOCK_MEMORY ((size_t)256 << 20)

static void address_of(struct nv_address *address, uint32_t i)
{
    memset(address, 0, sizeof *address);
    address->bytes[18] = (uint8_t)(i >> 8);
    address->bytes[19] = (uint8_t)i;
}

static void accounts_make(struct vm_rig *rig, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct nv_address address;
        address_of(&address, i + 1);
        assert_int_equal(vm_account_create(rig->state, &address), i);
        int64_t const cash = i < RIG_FIRST ? 0 : RIG_CASH;
        assert_true(vm_cash_add(rig->state, i, vm_money(cash)));
    }
    struct vm_chain_row *const chain = vm_chain_mut(rig->state);
    chain->vault = chain->cash_sum;
    chain->supply = chain->cash_sum;
    chain->fee_account = RIG_FEE + 1;
    chain->insurance_account = RIG_FEE + 2;
}

void rig_init(struct vm_rig *rig, uint32_t traders)
{
    memset(rig, 0, sizeof *rig);
    rig->limits = vm_limits_devnet();
    rig->memory_size = vm_state_footprint(&rig->limits) + 4096;
    rig->memory = nv_heap_reserve(rig->memory_size);
    rig->block_memory = nv_heap_reserve(BLOCK_MEMORY);
    nv_arena_init_zeroed(&rig->arena, rig->memory, rig->memory_size);
    nv_arena_init_zeroed(&rig->block_arena, rig->block_memory, BLOCK_MEMORY);
    rig->state = vm_state_new(&rig->arena, &rig->limits);
    for (uint32_t i = 0; i < vm_param_count(); i++) {
        const struct vm_param_spec *const spec = vm_param_spec_at(i);
        vm_param_set(rig->state, spec->number, spec->devnet);
    }
    vm_param_set(rig->state, VM_PARAM_ORDER_BAND, 1000000000);
    vm_param_set(rig->state, VM_PARAM_MONITOR_BAND, 500000000);
    vm_param_set(rig->state, VM_PARAM_MAKER_FEE, 0);
    vm_param_set(rig->state, VM_PARAM_TAKER_FEE, 0);
    vm_param_set(rig->state, VM_PARAM_STAKE_FEE_SHARE, 0);
    accounts_make(rig, traders + RIG_FIRST);
    struct vm_feed_row const feed = {
        .symbol = "BTC",
        .index = vm_money(RIG_INDEX * RIG_UNIT),
        .range_initial = vm_ratio(100000000),
        .range_maintenance = vm_ratio(50000000),
        .fresh = 1,
    };
    assert_int_equal(vm_feed_create(rig->state, &feed), 0);
    rig->block.time_ms = RIG_TIME_MS;
    rig->tx_seed = 1;
    rig_begin(rig, 0);
}

void rig_deinit(struct vm_rig *rig)
{
    nv_heap_unreserve(rig->memory, rig->memory_size);
    nv_heap_unreserve(rig->block_memory, BLOCK_MEMORY);
}

struct vm_market_row rig_listing(void)
{
    struct vm_market_row listing = {
        .symbol = "BTC-PERP",
        .tick_micro = RIG_UNIT,
        .lots_per_unit = 1,
        .tick_value = vm_money(RIG_UNIT),
        .order_lots_max = vm_lots(1000000),
        .open_interest_max = vm_lots(1000000000),
        .program_size = VM_PAYOFF_LINEAR_SIZE,
    };
    vm_payoff_linear(listing.program);
    return listing;
}

static void mark_market(struct vm_rig *rig, uint32_t market)
{
    struct vm_market *const m = vm_market_mut(rig->state, market);
    struct vm_money const index = vm_feed(rig->state, m->listing.feed)->row.index;
    struct vm_payoff_inputs const inputs = {index};
    struct nv_view const program = nv_view_of(m->listing.program, m->listing.program_size);
    m->row.index_value = vm_payoff_per_lot(program, m->listing.lots_per_unit, &inputs);
    m->row.mark = m->row.index_value;
    m->row.risk_index = index;
    vm_margin_rebuild(rig->state, market);
}

uint32_t rig_market(struct vm_rig *rig, const struct vm_market_row *listing)
{
    uint32_t const market = vm_market_create(rig->state, listing);
    assert_true(market != VM_NONE);
    vm_market_mut(rig->state, market)->row.status = VM_MARKET_OPEN;
    mark_market(rig, market);
    return market;
}

void rig_begin(struct vm_rig *rig, uint64_t ms)
{
    rig->block.height++;
    rig->block.time_ms += ms;
    vm_chain_mut(rig->state)->height = rig->block.height;
    nv_arena_reset(&rig->block_arena);
    rig->x = (struct vm_exec){
        .state = rig->state,
        .block = &rig->block,
        .arena = &rig->block_arena,
        .acts = rig->act,
        .due_max = rig->limits.block_due_max,
        .event_max = BLOCK_MEMORY / VM_EXEC_EVENT_MEMORY,
    };
    struct vm_feed_row *const feed = &vm_feed_mut(rig->state, 0)->row;
    feed->index_ms = rig->block.time_ms;
    feed->quorum_height = rig->block.height;
}

void rig_index(struct vm_rig *rig, int64_t micro)
{
    vm_feed_mut(rig->state, 0)->row.index = vm_money(micro);
    for (uint32_t i = 0; i < vm_market_count(rig->state); i++) {
        if (vm_market(rig->state, i)->row.status == VM_MARKET_OPEN) {
            mark_market(rig, i);
        }
    }
}

struct vm_act *rig_act(struct vm_rig *rig, uint32_t account, const struct vm_action *action)
{
    uint32_t const i = rig->x.act_count;
    assert_true(i < RIG_ACTS_MAX);
    uint64_t const salt = rig->tx_seed++;
    rig->action[i] = *action;
    rig->tx[i] = (struct vm_tx){
        .account = vm_account(rig->state, account)->row.address,
        .expires_ms = rig->block.time_ms + 30000,
        .salt = salt,
        .action_count = 1,
        .actions = &rig->action[i],
    };
    nv_sha256(&rig->tx[i].hash, nv_view_of(&salt, sizeof salt));
    rig->act[i] = (struct vm_act){.tx = &rig->tx[i],
                                  .action = &rig->action[i],
                                  .tx_index = i,
                                  .account = account,
                                  .kind = rig->action[i].kind};
    rig->x.act_count++;
    return &rig->act[i];
}

struct vm_act *rig_place(struct vm_rig *rig, struct rig_order order)
{
    struct vm_action const action = {
        .kind = VM_ACTION_PLACE,
        .place = {.market = order.market,
                  .side = order.lots > 0 ? VM_BUY : VM_SELL,
                  .time_in_force = order.ioc               ? VM_IOC
                                   : order.expires_ms != 0 ? VM_GTT
                                                           : VM_GTC,
                  .post_only = order.post_only,
                  .reduce_only = order.reduce_only,
                  .price = vm_price(order.price),
                  .lots = vm_lots(order.lots > 0 ? order.lots : -order.lots),
                  .expires_ms = order.expires_ms,
                  .client_id = order.client_id},
    };
    return rig_act(rig, order.account, &action);
}

void rig_run(struct vm_rig *rig)
{
    vm_execution_cancel(&rig->x);
    vm_execution_place(&rig->x);
    vm_execution_match(&rig->x);
    vm_exec_credits_land(&rig->x);
}

void rig_laws(const struct vm_rig *rig)
{
    const struct vm_state *const s = rig->state;
    int64_t cash = 0;
    int64_t realised = 0;
    for (uint32_t m = 0; m < vm_market_count(s); m++) {
        const struct vm_market_state_row *const row = &vm_market(s, m)->row;
        int64_t lots = 0;
        int64_t cost = 0;
        int64_t open = 0;
        for (uint32_t i = 0; i < vm_account_count(s); i++) {
            lots += rig_lots(rig, i, m);
            cost += rig_cost(rig, i, m);
            open += rig_lots(rig, i, m) > 0 ? rig_lots(rig, i, m) : 0;
        }
        assert_int_equal(lots, 0);
        assert_int_equal(cost + vm_money_raw(row->realised), 0);
        assert_int_equal(vm_money_raw(row->cost_sum), cost);
        assert_int_equal(vm_lots_raw(row->lots_sum), 0);
        assert_int_equal(vm_lots_raw(row->open_interest), open);
        realised += vm_money_raw(row->realised);
    }
    for (uint32_t i = 0; i < vm_account_count(s); i++) {
        cash += rig_cash(rig, i);
    }
    assert_int_equal(cash, vm_money_raw(vm_chain(s)->vault) + realised);
    assert_int_equal(vm_money_raw(vm_chain(s)->realised_sum), realised);
}

int64_t rig_lots(const struct vm_rig *rig, uint32_t account, uint32_t market)
{
    uint32_t const position = vm_position_find(rig->state, account, market);
    return position == VM_NONE ? 0 : vm_lots_raw(vm_position(rig->state, position)->row.lots);
}

int64_t rig_cost(const struct vm_rig *rig, uint32_t account, uint32_t market)
{
    uint32_t const position = vm_position_find(rig->state, account, market);
    return position == VM_NONE ? 0 : vm_money_raw(vm_position(rig->state, position)->row.cost);
}

int64_t rig_cash(const struct vm_rig *rig, uint32_t account)
{
    return vm_money_raw(vm_account(rig->state, account)->row.cash);
}

bool rig_event(const struct vm_rig *rig, uint8_t kind, uint32_t i, struct vm_event *out)
{
    for (uint32_t at = 0; at < rig->x.event_count; at++) {
        assert_int_equal(vm_event_decode(out, rig->x.events[at]), NV_OK);
        if (out->kind == kind) {
            if (i == 0) {
                return true;
            }
            i--;
        }
    }
    return false;
}

int64_t rig_resting(const struct vm_rig *rig, uint64_t handle)
{
    uint32_t const slot = vm_order_find(rig->state, handle);
    return slot == VM_NONE ? 0 : vm_lots_raw(vm_order(rig->state, slot)->row.lots);
}
