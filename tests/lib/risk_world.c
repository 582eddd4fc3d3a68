#include "tests/lib/risk_world.h"

#include <stdio.h>
#include <string.h>

#include "base/heap.h"
#include "base/sort.h"

#include "tests/lib/nv_test.h"
#include "vm/machine.h"
#include "vm/payoff/payoff.h"
#include "vm/state/stake.h"

static struct nv_pubkey key_named(const char *name, uint32_t number)
{
    char text[32];
    int const size = snprintf(text, sizeof text, "%s %u", name, number);
    assert_true(size > 0 && (size_t)size < sizeof text);
    struct nv_hash hash;
    struct nv_pubkey key;
    nv_sha256(&hash, nv_view_of((const uint8_t *)text, (uint32_t)size));
    memcpy(key.bytes, hash.bytes, sizeof key.bytes);
    return key;
}

struct nv_address risk_world_address(const struct nv_pubkey *key)
{
    struct nv_address address;
    nv_address_of_key(&address, key);
    return address;
}

static struct vm_market_row
market(const char *symbol, uint32_t feed, uint64_t tick_micro, uint32_t lots_per_unit)
{
    struct vm_market_row row = {
        .feed = feed,
        .tick_micro = tick_micro,
        .lots_per_unit = lots_per_unit,
        .tick_value = vm_money((int64_t)(tick_micro / lots_per_unit)),
        .order_lots_max = vm_lots(1000000),
        .open_interest_max = vm_lots(100000000),
        .program_size = VM_PAYOFF_LINEAR_SIZE,
    };
    memcpy(row.symbol, symbol, strlen(symbol));
    vm_payoff_linear(row.program);
    return row;
}

static void start(struct risk_world *w, const struct risk_world_options *options)
{
    struct vm_market_row markets[3] = {
        market("BTC-PERP", RISK_BTC, 100000, 1000),
        market("ETH-PERP", RISK_ETH, 10000, 100),
        market("BTC-DATED", RISK_BTC, 100000, 1000),
    };
    markets[0].funding_interval_ms = 3600000;
    markets[1].funding_interval_ms = 3600000;
    markets[2].expires_ms = RISK_EXPIRES_MS;
    markets[2].settle_window_ms = 60000;
    struct vm_genesis_feed const feeds[2] = {
        {.symbol = "BTC",
         .range_initial = vm_ratio(80000000),
         .range_maintenance = vm_ratio(40000000)},
        {.symbol = "ETH",
         .range_initial = vm_ratio(100000000),
         .range_maintenance = vm_ratio(50000000)},
    };
    struct vm_genesis_account accounts[RISK_TRADERS + 1];
    struct vm_genesis_reporter reporters[RISK_REPORTERS];
    for (uint32_t i = 0; i < RISK_TRADERS; i++) {
        accounts[i] = (struct vm_genesis_account){risk_world_address(&w->trader[i]), options->cash};
    }
    accounts[RISK_TRADERS] =
        (struct vm_genesis_account){risk_world_address(&w->insurance), options->insurance_cash};
    for (uint32_t i = 0; i < RISK_REPORTERS; i++) {
        reporters[i] = (struct vm_genesis_reporter){risk_world_address(&w->reporter[i]), 1};
    }
    struct vm_genesis const genesis = {
        .time_ms = RISK_START_MS,
        .account_count = RISK_TRADERS + 1,
        .accounts = accounts,
        .reporter_count = RISK_REPORTERS,
        .reporters = reporters,
        .feed_count = 2,
        .feeds = feeds,
        .market_count = 3,
        .markets = markets,
        .param_count = options->param_count,
        .params = options->params,
        .fee_account = risk_world_address(&w->fees),
        .insurance_account = risk_world_address(&w->insurance),
    };
    assert_int_equal(vm_genesis_rows(w->vm, &genesis, &w->result), NV_OK);
}

void risk_world_open_with(struct risk_world *w, const struct risk_world_options *options)
{
    memset(w, 0, sizeof *w);
    w->limits = vm_limits_devnet();
    w->size = vm_footprint(&w->limits);
    w->memory = nv_heap_reserve(w->size);
    assert_non_null(w->memory);
    struct nv_arena arena;
    nv_arena_init_zeroed(&arena, w->memory, w->size);
    w->vm = vm_new(&arena, &w->limits);
    for (uint32_t i = 0; i < RISK_TRADERS; i++) {
        w->trader[i] = key_named("trader", i);
    }
    for (uint32_t i = 0; i < RISK_REPORTERS; i++) {
        w->reporter[i] = key_named("reporter", i);
    }
    w->insurance = key_named("insurance", 0);
    w->fees = key_named("fees", 0);
    w->time_ms = RISK_START_MS;
    start(w, options);
}

void risk_world_open(struct risk_world *w)
{
    struct risk_world_options const options = {.cash = vm_money(INT64_C(100000000000)),
                                               .insurance_cash = vm_money(INT64_C(1000000000000))};
    risk_world_open_with(w, &options);
}

void risk_world_close(struct risk_world *w)
{
    nv_heap_unreserve(w->memory, w->size);
}

uint32_t
risk_world_add(struct risk_world *w, const struct nv_pubkey *key, const struct vm_action *action)
{
    assert_true(w->pending_count < RISK_TXS_MAX);
    uint32_t const number = w->pending_count;
    struct risk_world_tx *const t = &w->pending[number];
    memset(t, 0, sizeof *t);
    t->action[0] = *action;
    if (action->kind == VM_ACTION_KEEPER_CLOSE) {
        memcpy(t->close,
               action->keeper_close.closes,
               sizeof t->close[0] * action->keeper_close.close_count);
        t->action[0].keeper_close.closes = t->close;
    }
    w->salt++;
    t->tx = (struct vm_tx){.account = risk_world_address(key),
                           .key = *key,
                           .salt = w->salt,
                           .action_count = 1,
                           .actions = t->action};
    nv_sha256(&t->tx.hash, nv_view_of((const uint8_t *)&w->salt, sizeof w->salt));
    w->pending_count++;
    return number;
}

uint32_t risk_world_place(
    struct risk_world *w, uint32_t trader, uint32_t market_id, int64_t lots, int64_t price)
{
    struct vm_action const action = {
        .kind = VM_ACTION_PLACE,
        .place = {.market = market_id,
                  .side = lots > 0 ? VM_BUY : VM_SELL,
                  .time_in_force = VM_GTC,
                  .price = vm_price(price),
                  .lots = vm_lots(lots > 0 ? lots : -lots)},
    };
    return risk_world_add(w, &w->trader[trader], &action);
}

static void report(struct risk_world *w, uint32_t reporter, uint32_t feed, int64_t price)
{
    struct vm_action const action = {
        .kind = VM_ACTION_REPORT,
        .report = {.feed = feed,
                   .price = vm_money(price * 1000000),
                   .confidence = vm_money(1000000),
                   .time_ms = w->time_ms + 1},
    };
    (void)risk_world_add(w, &w->reporter[reporter], &action);
}

void risk_world_prices(struct risk_world *w, int64_t btc, int64_t eth)
{
    for (uint32_t i = 0; i < RISK_REPORTERS; i++) {
        report(w, i, RISK_BTC, btc);
        report(w, i, RISK_ETH, eth);
    }
}

static int tx_cmp(const void *a, const void *b)
{
    const struct vm_tx *const left = a;
    const struct vm_tx *const right = b;
    return nv_hash_cmp(&left->hash, &right->hash);
}

void risk_world_block(struct risk_world *w, uint64_t elapsed_ms)
{
    static struct vm_tx scratch[RISK_TXS_MAX];
    w->time_ms += elapsed_ms;
    w->height++;
    for (uint32_t i = 0; i < w->pending_count; i++) {
        w->pending[i].tx.expires_ms = w->time_ms + 30000;
        w->txs[i] = w->pending[i].tx;
        w->hash[i] = w->pending[i].tx.hash;
    }
    w->tx_count = w->pending_count;
    w->hash_count = w->pending_count;
    w->pending_count = 0;
    nv_sort(w->txs, w->tx_count, sizeof w->txs[0], tx_cmp, scratch);
    struct vm_block block = {
        .height = w->height, .time_ms = w->time_ms, .tx_count = w->tx_count, .txs = w->txs};
    nv_sha256(&block.previous_root, nv_view_of((const uint8_t *)&w->height, sizeof w->height));
    vm_execute(w->vm, &block, &w->result);
}

struct vm_receipt risk_world_receipt(const struct risk_world *w, uint32_t tx)
{
    assert_true(tx < w->hash_count);
    for (uint32_t i = 0; i < w->tx_count; i++) {
        struct vm_receipt receipt;
        assert_int_equal(vm_receipt_decode(&receipt, w->result.receipts[i]), NV_OK);
        if (nv_hash_eq(&receipt.tx_hash, &w->hash[tx])) {
            return receipt;
        }
    }
    fail_msg("no receipt for transaction %u", tx);
    return (struct vm_receipt){.code = UINT16_MAX};
}

struct vm_outcome risk_world_outcome(const struct risk_world *w, uint32_t tx)
{
    struct vm_receipt const receipt = risk_world_receipt(w, tx);
    assert_int_equal(receipt.code, VM_OK);
    assert_int_equal(receipt.outcome_count, 1);
    return receipt.outcomes[0];
}

struct vm_state *risk_world_state(const struct risk_world *w)
{
    return w->vm->state;
}

uint32_t risk_world_account(const struct risk_world *w, const struct nv_pubkey *key)
{
    struct nv_address const address = risk_world_address(key);
    uint32_t const account = vm_account_find(w->vm->state, &address);
    assert_int_not_equal(account, VM_NONE);
    return account;
}

int64_t risk_world_cash(const struct risk_world *w, const struct nv_pubkey *key)
{
    return vm_money_raw(vm_account(w->vm->state, risk_world_account(w, key))->row.cash);
}

int64_t risk_world_lots(const struct risk_world *w, const struct nv_pubkey *key, uint32_t market_id)
{
    uint32_t const position = vm_position_find(w->vm->state, risk_world_account(w, key), market_id);
    return position == VM_NONE ? 0 : vm_lots_raw(vm_position(w->vm->state, position)->row.lots);
}

const struct vm_market *risk_world_market(const struct risk_world *w, uint32_t market_id)
{
    return vm_market(w->vm->state, market_id);
}

void risk_world_laws(const struct risk_world *w)
{
    const struct vm_state *const s = w->vm->state;
    const struct vm_chain_row *const chain = vm_chain(s);
    nv_i128 cash = 0;
    nv_i128 wallet = 0;
    nv_i128 realised = 0;
    for (uint32_t m = 0; m < vm_market_count(s); m++) {
        nv_i128 lots = 0;
        nv_i128 cost = 0;
        for (uint32_t i = 0; i < vm_account_count(s); i++) {
            uint32_t const position = vm_position_find(s, i, m);
            if (position != VM_NONE) {
                lots += vm_lots_raw(vm_position(s, position)->row.lots);
                cost += vm_money_raw(vm_position(s, position)->row.cost);
            }
        }
        assert_true(lots == 0);
        assert_true(cost + vm_money_raw(vm_market(s, m)->row.realised) == 0);
        realised += vm_money_raw(vm_market(s, m)->row.realised);
    }
    for (uint32_t i = 0; i < vm_account_count(s); i++) {
        cash += vm_money_raw(vm_account(s, i)->row.cash);
        wallet += vm_money_raw(vm_account(s, i)->row.wallet);
    }
    cash += vm_money_raw(vm_staking(s)->pot);
    assert_true(cash == vm_money_raw(chain->vault) + realised);
    assert_true(wallet + vm_money_raw(chain->vault) == vm_money_raw(chain->supply));
    assert_int_equal(chain->safe_mode, 0);
}
