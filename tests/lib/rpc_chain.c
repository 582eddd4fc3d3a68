#include "tests/lib/rpc_chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fmt.h"
#include "base/heap.h"
#include "base/sort.h"

#include "tests/lib/nv_test.h"
#include "vm/genesis.h"
#include "vm/payoff/payoff.h"

#define START_MS 1700000000000u

static void keys_make(struct rpc_chain *chain)
{
    for (uint32_t i = 0; i < CHAIN_ACCOUNTS; i++) {
        struct nv_seckey secret;
        uint8_t seed[32] = {(uint8_t)(i + 1)};
        assert_int_equal(nv_key_from_seed(&secret, &chain->keys[i], seed), NV_OK);
        nv_address_of_key(&chain->addresses[i], &chain->keys[i]);
    }
}

static void market_make(struct vm_market_row *market,
                        const char *symbol,
                        uint32_t feed,
                        const uint32_t units[2])
{
    memset(market, 0, sizeof *market);
    snprintf(market->symbol, sizeof market->symbol, "%s", symbol);
    market->feed = feed;
    market->tick_micro = units[0];
    market->lots_per_unit = units[1];
    market->tick_value = vm_money((int64_t)(units[0] / units[1]));
    market->funding_interval_ms = 3600000;
    market->order_lots_max = vm_lots(1000000);
    market->open_interest_max = vm_lots(100000000);
    market->program_size = VM_PAYOFF_LINEAR_SIZE;
    vm_payoff_linear(market->program);
}

static void genesis_run(struct rpc_chain *chain)
{
    static const uint32_t btc[2] = {100000, 1000};
    static const uint32_t eth[2] = {10000, 100};
    struct vm_market_row markets[2];
    struct vm_genesis_account accounts[CHAIN_ACCOUNTS];
    struct vm_genesis_reporter reporter = {.address = chain->addresses[0], .stake = 1};
    struct vm_genesis_feed feeds[2] = {{.symbol = "BTC"}, {.symbol = "ETH"}};
    for (uint32_t i = 0; i < 2; i++) {
        feeds[i].range_initial = vm_ratio(80000000);
        feeds[i].range_maintenance = vm_ratio(40000000);
    }
    market_make(&markets[0], "BTC-PERP", 0, btc);
    market_make(&markets[1], "ETH-PERP", 1, eth);
    for (uint32_t i = 0; i < CHAIN_ACCOUNTS; i++) {
        accounts[i].address = chain->addresses[i];
        accounts[i].cash = vm_money(100000000000); /* 100,000 */
    }
    struct vm_genesis_validator validators[CHAIN_VALIDATORS];
    for (uint32_t i = 0; i < CHAIN_VALIDATORS; i++) {
        validators[i] = (struct vm_genesis_validator){
            .key = {{(uint8_t)(1 + i)}},
            .node_key = {{(uint8_t)(11 + i)}},
            .operator= chain->addresses[1 + i],
            .stake = vm_money(INT64_C(1000000000) * (5 - i)), /* 5,000 and 4,000 */
            .commission = vm_ratio(100000000)};
    }
    struct vm_genesis const genesis = {
        .time_ms = START_MS,
        .validator_count = CHAIN_VALIDATORS,
        .validators = validators,
        .account_count = CHAIN_ACCOUNTS,
        .accounts = accounts,
        .reporter_count = 1,
        .reporters = &reporter,
        .feed_count = 2,
        .feeds = feeds,
        .market_count = 2,
        .markets = markets,
        .fee_account = {{0xfe}},
        .insurance_account = {{0x15}},
        .has_faucet = true,
        .faucet_account = chain->addresses[0],
    };
    assert_int_equal(vm_genesis_rows(chain->vm, &genesis, &chain->result), NV_OK);
}

static void rows_apply(struct rpc_chain *chain)
{
    for (uint32_t i = 0; i < chain->result.write_count; i++) {
        const struct nv_row *row = &chain->result.writes[i];
        if (row->value.bytes == NULL) {
            model_remove(&chain->world.rows, &row->key);
        } else {
            assert_true(model_put(&chain->world.rows, row));
        }
    }
    model_root(&chain->world.head.state_root, &chain->world.rows);
}

void chain_open(struct rpc_chain *chain)
{
    struct nv_arena arena;
    struct vm_limits const limits = vm_limits_devnet();
    keys_make(chain);
    chain->memory_size = vm_footprint(&limits);
    chain->memory = nv_heap_reserve(chain->memory_size);
    assert_non_null(chain->memory);
    nv_arena_init_zeroed(&arena, chain->memory, chain->memory_size);
    chain->vm = vm_new(&arena, &limits);
    chain->world.vm = chain->vm;
    genesis_run(chain);
    rows_apply(chain);
    chain->world.head.time_ms = START_MS;
    world_open_bare(&chain->world);
    chain_report(chain, 0, 50000);
    chain_report(chain, 1, 3000);
    chain_execute(chain);
    world_turn(&chain->world);
}

void chain_close(struct rpc_chain *chain)
{
    world_close(&chain->world);
    nv_heap_unreserve(chain->memory, chain->memory_size);
}

/* ---- blocks ---- */

void chain_add(struct rpc_chain *chain, uint32_t account, const struct vm_action *action)
{
    assert_true(chain->tx_count < CHAIN_TXS_MAX);
    struct vm_tx *tx = &chain->txs[chain->tx_count];
    chain->actions[chain->tx_count] = *action;
    chain->serial++;
    nv_sha256(&tx->hash, nv_view_of(&chain->serial, sizeof chain->serial));
    tx->account = chain->addresses[account];
    tx->key = chain->keys[account];
    tx->expires_ms = chain->world.head.time_ms + 30000;
    tx->action_count = 1;
    chain->newest = tx->hash;
    chain->tx_count++;
}

void chain_place(
    struct rpc_chain *chain, uint32_t account, uint8_t side, int64_t ticks, int64_t lots)
{
    struct vm_action const action = {.kind = VM_ACTION_PLACE,
                                     .place = {.market = 0,
                                               .side = side,
                                               .time_in_force = VM_GTC,
                                               .price = vm_price(ticks),
                                               .lots = vm_lots(lots),
                                               .client_id = chain->serial + 1}};
    chain_add(chain, account, &action);
}

void chain_cancel_all(struct rpc_chain *chain, uint32_t account)
{
    struct vm_action const action = {.kind = VM_ACTION_CANCEL_ALL,
                                     .cancel_all = {.every_market = true}};
    chain_add(chain, account, &action);
}

void chain_report(struct rpc_chain *chain, uint32_t feed, int64_t price)
{
    struct vm_action const action = {.kind = VM_ACTION_REPORT,
                                     .report = {.feed = feed,
                                                .price = vm_money(price * 1000000),
                                                .confidence = vm_money(1000000),
                                                .time_ms = chain->world.head.time_ms + 100}};
    chain_add(chain, 0, &action);
}

void chain_stake(struct rpc_chain *chain)
{
    struct vm_action action = {.kind = VM_ACTION_DELEGATE};
    action.delegate = (struct vm_delegate){chain->addresses[1], vm_money(7500000)};
    chain_add(chain, 3, &action);
    chain_execute(chain);
    action.kind = VM_ACTION_UNDELEGATE;
    action.delegate.amount = vm_money(3000000);
    chain_add(chain, 3, &action);
    chain_execute(chain);
}

static void put_row(struct rpc_chain *chain, const struct nv_row_key *key, struct nv_writer *w)
{
    struct nv_row const row = {.key = *key, .value = nv_writer_view(w)};
    assert_false(w->overflow);
    assert_true(model_put(&chain->world.rows, &row));
}

/* added_account is that of an added validator: with room between. */
static uint64_t added_account(uint32_t validator)
{
    return 1000 + 3 * (uint64_t)validator;
}

void chain_add_validators(struct rpc_chain *chain, uint32_t count)
{
    for (uint32_t i = CHAIN_VALIDATORS; i < count; i++) {
        uint64_t const account = added_account(i);
        struct vm_account_row const owner = {.address = {{0xa0, (uint8_t)(i >> 8), (uint8_t)i}}};
        struct vm_validator_row const validator = {
            .key = {{0xb0, (uint8_t)(i >> 8), (uint8_t)i}},
            .node_key = {{0xc0, (uint8_t)(i >> 8), (uint8_t)i}},
            .pool = {.tokens = vm_money(1000 + i), .shares = vm_shares(1000 + i)},
            .status = (uint8_t)(VM_VALIDATOR_ACTIVE + i % 3)};
        uint8_t bytes[VM_ROW_SIZE_MAX];
        struct nv_row_key key;
        struct nv_writer w;
        nv_writer_init(&w, bytes, sizeof bytes);
        vm_account_row_encode(&w, &owner);
        vm_key_account(&key, account);
        put_row(chain, &key, &w);
        nv_writer_init(&w, bytes, sizeof bytes);
        vm_validator_row_encode(&w, &validator);
        vm_key_validator(&key, account);
        put_row(chain, &key, &w);
    }
}

static uint64_t account_id(struct rpc_chain *chain, uint32_t account)
{
    struct nv_row_key key;
    struct vm_address_row found;
    vm_key_address(&key, &chain->addresses[account]);
    const struct model_row *const row = model_get(&chain->world.rows, &key);
    assert_non_null(row);
    assert_int_equal(vm_address_row_decode(&found, nv_view_of(row->value, row->size)), NV_OK);
    return found.account;
}

void chain_add_stakes(struct rpc_chain *chain, uint32_t account, uint32_t count)
{
    uint64_t const owner = account_id(chain, account);
    for (uint32_t i = CHAIN_VALIDATORS; i < count; i++) {
        uint64_t const validator = added_account(i);
        struct vm_delegation_row const delegation = {.shares = vm_shares(1 + i)};
        struct vm_batch_row const batch = {.pool = {vm_money(2000 + i), vm_shares(2000 + i)}};
        struct vm_unbonding_row const unbonding = {.shares = vm_shares(1 + i), .release_ms = i};
        uint8_t bytes[VM_ROW_SIZE_MAX];
        struct nv_row_key key;
        struct nv_writer w;
        nv_writer_init(&w, bytes, sizeof bytes);
        vm_delegation_row_encode(&w, &delegation);
        vm_key_delegation(&key, owner, validator);
        put_row(chain, &key, &w);
        nv_writer_init(&w, bytes, sizeof bytes);
        vm_batch_row_encode(&w, &batch);
        vm_key_batch(&key, validator, 7 + i);
        put_row(chain, &key, &w);
        nv_writer_init(&w, bytes, sizeof bytes);
        vm_unbonding_row_encode(&w, &unbonding);
        vm_key_unbonding(&key, owner, validator, 7 + i);
        put_row(chain, &key, &w);
    }
}

static int by_hash(const void *a, const void *b)
{
    const struct vm_tx *x = a;
    const struct vm_tx *y = b;
    return nv_hash_cmp(&x->hash, &y->hash);
}

void chain_execute_only(struct rpc_chain *chain)
{
    struct rpc_head *head = &chain->world.head;
    struct vm_block const block = {.height = head->height + 1,
                                   .time_ms = head->time_ms + 100,
                                   .previous_root = head->state_root,
                                   .tx_count = chain->tx_count,
                                   .txs = chain->txs};
    for (uint32_t i = 0; i < chain->tx_count; i++) {
        chain->txs[i].actions = &chain->actions[i];
    }
    struct vm_tx scratch[CHAIN_TXS_MAX];
    nv_sort(chain->txs, chain->tx_count, sizeof chain->txs[0], by_hash, scratch);
    vm_execute(chain->vm, &block, &chain->result);
    rows_apply(chain);
    head->height++;
    head->time_ms += 100;
    nv_sha256(&head->block_hash, nv_view_of(&head->height, sizeof head->height));
    chain->world.status.executed = *head;
}

void chain_publish(struct rpc_chain *chain)
{
    struct rpc_executed_tx txs[CHAIN_TXS_MAX];
    for (uint32_t i = 0; i < chain->tx_count; i++) {
        txs[i].hash = chain->txs[i].hash;
        txs[i].receipt = chain->result.receipts[i];
    }
    struct rpc_executed const executed = {.head = chain->world.head,
                                          .events = chain->result.events,
                                          .event_count = chain->result.event_count,
                                          .writes = chain->result.writes,
                                          .write_count = chain->result.write_count,
                                          .txs = txs,
                                          .tx_count = chain->tx_count};
    rpc_publish(chain->world.rpc, &executed);
    chain->tx_count = 0;
}

void chain_execute(struct rpc_chain *chain)
{
    chain_execute_only(chain);
    chain_publish(chain);
}

/* ---- calls ---- */

const char *chain_call(struct rpc_chain *chain, const char *method, const char *params)
{
    static char body[1024];
    snprintf(body,
             sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
             method,
             params);
    return world_post(&chain->world, body);
}

const char *chain_of(const struct rpc_chain *chain, uint32_t account)
{
    static char text[128];
    char address[NV_ADDRESS_TEXT];
    nv_address_format(address, &chain->addresses[account]);
    snprintf(text, sizeof text, "{\"address\":\"%s\"", address);
    return text;
}
