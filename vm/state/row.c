/* row.c - which row an element has: its key, whether there is one, its value. */

#include "base/assert.h"

#include "vm/state/rows_put.h"
#include "vm/state/stake.h"
#include "vm/state/writes.h"

#include "base/pure.h"

void vm__orders_encode(const struct vm_state *s, uint32_t index, struct nv_writer *w)
{
    const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
    nv_put_u8(w, page->count);
    for (uint32_t left = page->taken; left != 0; left &= left - 1) {
        uint32_t const i = (uint32_t)__builtin_ctz(left);
        vm_order_put(w, (uint8_t)i, &vm_order(s, page->own[i].slot)->row);
    }
}

static void orders_key(const struct vm_state *s, uint32_t index, struct nv_row_key *key)
{
    const struct vm_order_page *const page = vm__at(s, VM_SLAB_ORDER_PAGE, index);
    vm_key_orders(key, page->market, page->account, page->page);
}

static void level_key(const struct vm_state *s, uint32_t index, struct nv_row_key *key)
{
    const struct vm_level_page *const page = vm__at(s, VM_SLAB_LEVEL, index);
    vm_key_level(key, page->market, page->side, page->page);
}

static void session_key(const struct vm_state *s, uint32_t index, struct nv_row_key *key)
{
    const struct vm_session_cell *const cell = vm__at(s, VM_SLAB_SESSION, index);
    vm_key_session(key, (uint64_t)cell->account + 1, &cell->row.key);
}

static void tombstone_key(const struct vm_state *s, uint32_t index, struct nv_row_key *key)
{
    const struct vm_tombstone_cell *const cell = vm__at(s, VM_SLAB_TOMBSTONE, index);
    vm_key_tombstone(key, cell->market, cell->account, cell->client_id);
}

static void position_key(const struct vm_state *s, uint32_t index, struct nv_row_key *key)
{
    const struct vm_position *const p = &vm__position(s, index)->open;
    vm_key_position(key, p->account, p->market);
}

static void address_key(const struct vm_state *s, uint32_t index, struct nv_row_key *key)
{
    const struct vm_account *const a = vm__at(s, VM_SLAB_ACCOUNT, index);
    vm_key_address(key, &a->row.address);
}

/* long: dispatch switch */
void vm__row_key(const struct vm_state *s,
                 enum vm_set_id id,
                 uint32_t index,
                 struct nv_row_key *key)
{
    switch (id) {
    case VM_SET_ACCOUNT: vm_key_account(key, (uint64_t)index + 1); break;
    case VM_SET_POSITION: position_key(s, index, key); break;
    case VM_SET_MARKET: vm_key_market(key, index); break;
    case VM_SET_LEVEL: level_key(s, index, key); break;
    case VM_SET_ADDRESS: address_key(s, index, key); break;
    case VM_SET_SESSION: session_key(s, index, key); break;
    case VM_SET_ORDERS: orders_key(s, index, key); break;
    case VM_SET_FEED: vm_key_feed(key, index); break;
    case VM_SET_REPORT:
        vm_key_report(key, index / VM_REPORTERS_MAX, (uint16_t)(index % VM_REPORTERS_MAX));
        break;
    case VM_SET_PARAM: vm_key_param(key, (uint16_t)index); break;
    case VM_SET_CHAIN: vm_key_chain(key); break;
    case VM_SET_BLOCK_RESULT: vm_key_block_result(key, s->block_result.height); break;
    case VM_SET_ROOT: vm_key_root(key, s->root.height); break;
    case VM_SET_TOMBSTONE: tombstone_key(s, index, key); break;
    case VM_SET_REPORTER: vm_key_reporter(key, (uint16_t)index); break;
    case VM_SET_MARKET_STATE: vm_key_market_state(key, index); break;
    case VM_SET_STAKING: vm_key_staking(key); break;
    case VM_SET_STAKE: *key = vm_stake(s, index)->key; break;
    case VM_SET_SETS:
        vm_key_set(key, (uint8_t)(index / VM_SET_PAGES), (uint8_t)(index % VM_SET_PAGES));
        break;
    case VM_SET_UPTIME: vm_key_uptime(key); break;
    case VM_SET_COUNT: NV_ASSERT(false); break;
    }
}

enum vm_slab_id vm__row_slab(enum vm_set_id id)
{
    static const uint8_t slabs[VM_SET_COUNT] = {
        [VM_SET_ACCOUNT] = VM_SLAB_ACCOUNT,   [VM_SET_POSITION] = VM_SLAB_POSITION,
        [VM_SET_MARKET] = VM_SLAB_MARKET,     [VM_SET_LEVEL] = VM_SLAB_LEVEL,
        [VM_SET_ADDRESS] = VM_SLAB_ACCOUNT,   [VM_SET_SESSION] = VM_SLAB_SESSION,
        [VM_SET_ORDERS] = VM_SLAB_ORDER_PAGE, [VM_SET_FEED] = VM_SLAB_FEED,
        [VM_SET_REPORT] = VM_SLAB_COUNT,      [VM_SET_PARAM] = VM_SLAB_COUNT,
        [VM_SET_CHAIN] = VM_SLAB_CHAIN,       [VM_SET_BLOCK_RESULT] = VM_SLAB_COUNT,
        [VM_SET_ROOT] = VM_SLAB_COUNT,        [VM_SET_TOMBSTONE] = VM_SLAB_TOMBSTONE,
        [VM_SET_REPORTER] = VM_SLAB_REPORTER, [VM_SET_MARKET_STATE] = VM_SLAB_MARKET,
        [VM_SET_STAKING] = VM_SLAB_STAKING,   [VM_SET_STAKE] = VM_SLAB_STAKE,
        [VM_SET_SETS] = VM_SLAB_COUNT,        [VM_SET_UPTIME] = VM_SLAB_COUNT,
    };
    return (enum vm_slab_id)slabs[id];
}

bool vm__row_lives(const struct vm_state *s, enum vm_set_id id, uint32_t index)
{
    enum vm_slab_id const slab = vm__row_slab(id);
    if (slab != VM_SLAB_COUNT && !vm__taken(s, slab, index)) {
        return false;
    }
    if (id == VM_SET_POSITION) {
        const struct vm_position_row *const row = &vm__position(s, index)->open.row;
        return vm_lots_raw(row->lots) != 0 || vm_money_raw(row->cost) != 0;
    }
    if (id == VM_SET_LEVEL) {
        return ((const struct vm_level_page *)vm__at(s, slab, index))->row.occupied != 0;
    }
    if (id == VM_SET_ORDERS) {
        return ((const struct vm_order_page *)vm__at(s, slab, index))->taken != 0;
    }
    if (id == VM_SET_SESSION) {
        return ((const struct vm_session_cell *)vm__at(s, slab, index))->live;
    }
    if (id == VM_SET_TOMBSTONE) {
        return ((const struct vm_tombstone_cell *)vm__at(s, slab, index))->live;
    }
    if (id == VM_SET_STAKE) {
        return vm_stake(s, index)->live;
    }
    if (id == VM_SET_SETS) {
        return ((const struct vm_set_row *)vm__at(s, VM_SLAB_SET, index))->size != 0;
    }
    if (id == VM_SET_UPTIME) {
        return vm_uptime(s)->count != 0;
    }
    if (id == VM_SET_REPORT) {
        return ((const struct vm_report_row *)vm__at(s, VM_SLAB_REPORT, index))->time_ms != 0;
    }
    return id != VM_SET_PARAM || ((struct vm_param_cell *)vm__at(s, VM_SLAB_PARAM, index))->live;
}

static void stake_encode(const struct vm_stake *stake, struct nv_writer *w)
{
    if (vm_stake_table(stake) == VM_TABLE_VALIDATOR) {
        vm_validator_row_encode(w, &stake->validator);
    } else if (vm_stake_table(stake) == VM_TABLE_DELEGATION) {
        vm_delegation_row_encode(w, &stake->delegation);
    } else if (vm_stake_table(stake) == VM_TABLE_BATCH) {
        vm_batch_row_encode(w, &stake->batch);
    } else {
        vm_unbonding_row_encode(w, &stake->unbonding);
    }
}

/* long: dispatch switch */
static void
value_encode(const struct vm_state *s, enum vm_set_id id, uint32_t index, struct nv_writer *w)
{
    switch (id) {
    case VM_SET_ACCOUNT: vm_account_row_encode(w, &vm_account(s, index)->row); break;
    case VM_SET_POSITION: vm_position_row_encode(w, &vm_position(s, index)->row); break;
    case VM_SET_MARKET: vm_market_row_encode(w, &vm_market(s, index)->listing); break;
    case VM_SET_LEVEL: vm_level_row_encode(w, &vm_level_page(s, index)->row); break;
    case VM_SET_ADDRESS: {
        struct vm_address_row const row = {.account = (uint64_t)index + 1};
        vm_address_row_encode(w, &row);
        break;
    }
    case VM_SET_SESSION: {
        const struct vm_session_cell *const cell = vm__at(s, VM_SLAB_SESSION, index);
        vm_session_row_encode(w, &cell->row);
        break;
    }
    case VM_SET_ORDERS: vm__orders_encode(s, index, w); break;
    case VM_SET_FEED: vm_feed_row_encode(w, &vm_feed(s, index)->row); break;
    case VM_SET_REPORT: vm_report_row_encode(w, vm__at(s, VM_SLAB_REPORT, index)); break;
    case VM_SET_PARAM: {
        const struct vm_param_cell *const cell = vm__at(s, VM_SLAB_PARAM, index);
        vm_param_row_encode(w, &cell->row);
        break;
    }
    case VM_SET_CHAIN: vm_chain_row_encode(w, vm_chain(s)); break;
    case VM_SET_BLOCK_RESULT: vm_block_result_row_encode(w, &s->block_result); break;
    case VM_SET_ROOT: vm_root_row_encode(w, &s->root); break;
    case VM_SET_TOMBSTONE: {
        const struct vm_tombstone_cell *const cell = vm__at(s, VM_SLAB_TOMBSTONE, index);
        vm_tombstone_row_encode(w, &cell->row);
        break;
    }
    case VM_SET_REPORTER: vm_reporter_row_encode(w, vm_reporter(s, index)); break;
    case VM_SET_MARKET_STATE: vm_market_state_row_encode(w, &vm_market(s, index)->row); break;
    case VM_SET_STAKING: vm_staking_row_encode(w, vm_staking(s)); break;
    case VM_SET_STAKE: stake_encode(vm_stake(s, index), w); break;
    case VM_SET_SETS: vm_set_row_encode(w, vm__at(s, VM_SLAB_SET, index)); break;
    case VM_SET_UPTIME: vm_uptime_row_encode(w, vm_uptime(s)); break;
    case VM_SET_COUNT: NV_ASSERT(false); break;
    }
}

bool vm__row_encode(const struct vm_state *s,
                    enum vm_set_id id,
                    uint32_t index,
                    struct nv_row_key *key,
                    struct nv_writer *value)
{
    if (!vm__row_lives(s, id, index)) {
        return false;
    }
    vm__row_key(s, id, index, key);
    value_encode(s, id, index, value);
    NV_ASSERT(!value->overflow && value->size > 0 && value->size <= VM_ROW_SIZE_MAX);
    return true;
}
