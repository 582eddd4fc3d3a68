/* The chain's beginning: three markets on two feeds, traders, four reporters, a
 * faucet, and as many validators as the seed has. */

#include <string.h>

#include "base/assert.h"

#include "tests/sim/node/nodesim.h"
#include "vm/params.h"
#include "vm/payoff/payoff.h"

#define UNIT INT64_C(1000000)

const struct node_machine_limits ns_limits = {
    .vm =
        {
            .accounts_max = 128,
            .positions_max = 256,
            .orders_max = 1024,
            .level_pages_max = 512,
            .markets_max = 4,
            .feeds_max = 3,
            .sessions_max = 64,
            .tombstones_max = 256,
            .stakes_max = 192,
            .block_txs_max = 1024,
            .block_actions_max = 4096,
            .block_output_bytes_max = 2u << 20,
        },
    .rows_max = 16384,
    .dirty_max = 8192,
};

static void market(struct vm_market_row *row, const char *symbol, uint32_t feed)
{
    *row = (struct vm_market_row){
        .feed = feed,
        .tick_micro = 100000, /* 0.1 */
        .lots_per_unit = 1000,
        .tick_value = vm_money(100),
        .order_lots_max = vm_lots(1000000),
        .open_interest_max = vm_lots(100000000),
        .funding_interval_ms = 60000,
        .program_size = VM_PAYOFF_LINEAR_SIZE,
    };
    memcpy(row->symbol, symbol, strlen(symbol));
    vm_payoff_linear(row->program);
}

static struct node_genesis genesis;

const struct node_genesis *ns_genesis(void)
{
    return &genesis;
}

static const struct vm_genesis_validator *validators(uint32_t count)
{
    static struct vm_genesis_validator list[NS_VALIDATORS_MAX];
    for (uint32_t i = 0; i < count; i++) {
        list[i] = (struct vm_genesis_validator){
            .key = ns_key(i)->key,
            .node_key = ns_key(NS_KEY_NODE + i)->key,
            .operator= ns_key(i)->address,
            .stake = vm_money(NS_STAKE),
        };
    }
    return list;
}

void ns_genesis_make(const struct ns *ns)
{
    static struct vm_market_row markets[NS_MARKETS];
    static struct vm_genesis_account accounts[NS_TRADERS + NS_REPORTERS + NS_SIGNERS + 3];
    static const struct vm_genesis_param params[] = {
        {VM_PARAM_EVIDENCE_EPOCHS, 2},
        {VM_PARAM_EVIDENCE_TIME, 1500},
        {VM_PARAM_UNBOND_EPOCHS, 3},
        {VM_PARAM_UNBOND_TIME, 4000},
    };
    static struct vm_genesis_reporter reporters[NS_REPORTERS];
    static const struct vm_genesis_feed feeds[NS_FEEDS] = {
        {.symbol = "BTC", .range_initial = {80000000}, .range_maintenance = {50000000}},
        {.symbol = "ETH", .range_initial = {100000000}, .range_maintenance = {60000000}},
    };
    market(&markets[0], "BTC-PERP", 0);
    market(&markets[1], "ETH-PERP", 1);
    market(&markets[2], "BTC-DATED", 0);
    markets[2].funding_interval_ms = 0;
    markets[2].expires_ms = NS_START_MS + 8000;
    markets[2].settle_window_ms = 3000;
    uint32_t count = 0;
    for (uint32_t i = 0; i < NS_TRADERS; i++) {
        accounts[count].address = ns_key(NS_KEY_TRADER + i)->address;
        accounts[count++].cash = vm_money(UNIT * (i < 6 ? 2000000 : 3000));
    }
    for (uint32_t i = 0; i < NS_REPORTERS; i++) {
        reporters[i].address = ns_key(NS_KEY_REPORTER + i)->address;
        reporters[i].stake = 10 + i;
        accounts[count].address = reporters[i].address;
        accounts[count++].cash = vm_money(UNIT * 10);
    }
    for (uint32_t i = 0; i < NS_SIGNERS; i++) { /* operators */
        accounts[count].address = ns_key(i)->address;
        accounts[count++].cash = vm_money(UNIT * 3000);
    }
    accounts[count].address = ns_key(NS_KEY_FUND)->address;
    accounts[count++].cash = vm_money(UNIT * 1000000);
    accounts[count].address = ns_key(NS_KEY_FAUCET)->address;
    accounts[count++].cash = vm_money(UNIT * 1000);
    accounts[count].address = ns_key(NS_KEY_POOR)->address;
    accounts[count++].cash = vm_money(0);
    memset(genesis.chain_id.bytes, 0x5a, sizeof genesis.chain_id.bytes);
    genesis.vm = (struct vm_genesis){
        .time_ms = NS_START_MS,
        .account_count = count,
        .accounts = accounts,
        .reporter_count = NS_REPORTERS,
        .reporters = reporters,
        .feed_count = NS_FEEDS,
        .feeds = feeds,
        .market_count = NS_MARKETS,
        .markets = markets,
        .fee_account = ns_key(NS_KEY_FEE)->address,
        .insurance_account = ns_key(NS_KEY_FUND)->address,
        .has_faucet = true,
        .faucet_account = ns_key(NS_KEY_FAUCET)->address,
        .param_count = sizeof params / sizeof params[0],
        .params = params,
        .validator_count = ns->validators,
        .validators = validators(ns->validators),
    };
}
