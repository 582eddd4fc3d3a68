/* Goal: rows, receipts, events and transactions are the bytes that the second
 * implementation of docs/spec/rows.md, receipts.md and transactions.md makes.
 * Method: every vector of tests/golden/vm.json is decoded, its fields compared,
 * and encoded again; each is also cut short, lengthened and changed in each
 * byte, and what is then still accepted must encode to the same bytes. */

#include <string.h>

#include "base/arena.h"
#include "base/fmt.h"
#include "base/heap.h"
#include "base/merkle.h"

#include "tests/lib/golden.h"
#include "tests/lib/nv_test.h"
#include "vm/event.h"
#include "vm/receipt.h"
#include "vm/rows.h"
#include "vm/wire/wire.h"

#define BYTES_MAX 20000u
#define ARENA     (4u << 20)

static json_t *document;
static uint8_t bytes[BYTES_MAX];
static uint8_t again[BYTES_MAX];
static struct nv_arena arena;

/* Comparing a field of a decoded struct with the vector's. */
#define SAME(fields, value, name)                                                                  \
    assert_int_equal((uint64_t)(value), golden_number((fields), (name)))
#define SAME_MONEY(fields, s, name) SAME(fields, vm_money_raw((s).name), #name)
#define SAME_LOTS(fields, s, name)  SAME(fields, vm_lots_raw((s).name), #name)
#define SAME_PRICE(fields, s, name) SAME(fields, vm_price_raw((s).name), #name)
#define SAME_RATIO(fields, s, name) SAME(fields, vm_ratio_raw((s).name), #name)
#define SAME_INT(fields, s, name)   SAME(fields, (s).name, #name)
#define SAME_BYTES(fields, s, name) same_bytes(fields, #name, &(s).name, sizeof(s).name)

static void same_bytes(const json_t *fields, const char *name, const void *value, size_t size)
{
    uint8_t expected[64];
    assert_int_equal(golden_bytes(expected, sizeof expected, fields, name).size, size);
    assert_memory_equal(expected, value, size);
}

/* Decodes bytes and encodes what came out; false when they are refused. */
typedef bool (*again_fn)(struct nv_view in, struct nv_writer *w);

/* Any row of any table. */
union row {
#define XX(x) struct vm_##x##_row x;
    VM_ROWS(XX)
#undef XX
};

#define XX(x)                                                                                      \
    static bool again_##x(struct nv_view in, struct nv_writer *w)                                  \
    {                                                                                              \
        static struct vm_##x##_row row;                                                            \
        memset(&row, 0xa5, sizeof row);                                                            \
        if (vm_##x##_row_decode(&row, in) != NV_OK) {                                              \
            return false;                                                                          \
        }                                                                                          \
        vm_##x##_row_encode(w, &row);                                                              \
        return true;                                                                               \
    }
VM_ROWS(XX)
#undef XX

static bool again_receipt(struct nv_view in, struct nv_writer *w)
{
    static struct vm_receipt receipt;
    if (vm_receipt_decode(&receipt, in) != NV_OK) {
        return false;
    }
    vm_receipt_encode(w, &receipt);
    return true;
}

static bool again_event(struct nv_view in, struct nv_writer *w)
{
    struct vm_event event;
    if (vm_event_decode(&event, in) != NV_OK) {
        return false;
    }
    vm_event_encode(w, &event);
    return true;
}

static bool accepted(again_fn fn, struct nv_view in)
{
    struct nv_writer w;
    nv_writer_init(&w, again, sizeof again);
    if (!fn(in, &w)) {
        return false;
    }
    assert_true(nv_view_eq(nv_writer_view(&w), in));
    return true;
}

/* Accepted as it is; not when a byte is missing or one too many; and whatever
 * else is accepted is its own encoding. */
static void hostile(again_fn fn, struct nv_view good)
{
    uint8_t spoilt[2048];
    assert_true(good.size < sizeof spoilt);
    assert_true(accepted(fn, good));
    memcpy(spoilt, good.bytes, good.size);
    spoilt[good.size] = 0;
    assert_false(accepted(fn, nv_view_of(spoilt, good.size + 1)));
    for (uint32_t size = 0; size < good.size; size++) {
        assert_false(accepted(fn, nv_view_of(spoilt, size)));
    }
    for (uint32_t i = 0; i < good.size; i++) {
        static const uint8_t flips[] = {0x01, 0x80, 0xff, 0x55};
        for (uint32_t j = 0; j < sizeof flips; j++) {
            spoilt[i] = good.bytes[i] ^ flips[j];
            (void)accepted(fn, nv_view_of(spoilt, good.size));
        }
        spoilt[i] = good.bytes[i];
    }
}

/* --- rows -------------------------------------------------------------------------------- */

static bool key_of_stake(struct nv_row_key *key, const char *table, const json_t *f)
{
    if (strcmp(table, "staking") == 0) {
        vm_key_staking(key);
    } else if (strcmp(table, "validator") == 0) {
        vm_key_validator(key, golden_number(f, "account"));
    } else if (strcmp(table, "delegation") == 0) {
        vm_key_delegation(key, golden_number(f, "account"), golden_number(f, "validator"));
    } else if (strcmp(table, "batch") == 0) {
        vm_key_batch(key, golden_number(f, "validator"), golden_number(f, "epoch"));
    } else if (strcmp(table, "unbonding") == 0) {
        vm_key_unbonding(key,
                         golden_number(f, "account"),
                         golden_number(f, "validator"),
                         golden_number(f, "epoch"));
    } else if (strcmp(table, "set") == 0) {
        vm_key_set(key, (uint8_t)golden_number(f, "set"), (uint8_t)golden_number(f, "page"));
    } else if (strcmp(table, "uptime") == 0) {
        vm_key_uptime(key);
    } else {
        return false;
    }
    return true;
}

static void key_of(struct nv_row_key *key, const char *table, const json_t *f, const json_t *row)
{
    struct nv_address address;
    struct nv_pubkey session;
    uint32_t const market =
        json_object_get(f, "market") != NULL ? (uint32_t)golden_number(f, "market") : 0;
    if (strcmp(table, "account") == 0) {
        vm_key_account(key, golden_number(f, "account"));
    } else if (strcmp(table, "position") == 0) {
        vm_key_position(key, golden_number(f, "account"), market);
    } else if (strcmp(table, "market") == 0) {
        vm_key_market(key, market);
    } else if (strcmp(table, "market_state") == 0) {
        vm_key_market_state(key, market);
    } else if (strcmp(table, "level") == 0) {
        uint64_t const page = vm_page_of(vm_price((int64_t)golden_number(f, "tick")));
        vm_key_level(key, market, (uint8_t)golden_number(f, "side"), page);
    } else if (strcmp(table, "address") == 0) {
        (void)golden_bytes(address.bytes, sizeof address.bytes, f, "address");
        vm_key_address(key, &address);
    } else if (strcmp(table, "session") == 0) {
        (void)golden_bytes(session.bytes, sizeof session.bytes, row, "key");
        vm_key_session(key, golden_number(f, "account"), &session);
    } else if (strcmp(table, "orders") == 0) {
        vm_key_orders(key, market, golden_number(f, "account"), (uint8_t)golden_number(f, "page"));
    } else if (strcmp(table, "feed") == 0) {
        vm_key_feed(key, (uint32_t)golden_number(f, "feed"));
    } else if (strcmp(table, "report") == 0) {
        vm_key_report(
            key, (uint32_t)golden_number(f, "feed"), (uint16_t)golden_number(f, "reporter"));
    } else if (strcmp(table, "reporter") == 0) {
        vm_key_reporter(key, (uint16_t)golden_number(f, "reporter"));
    } else if (strcmp(table, "param") == 0) {
        vm_key_param(key, (uint16_t)golden_number(f, "param"));
    } else if (strcmp(table, "chain") == 0) {
        vm_key_chain(key);
    } else if (strcmp(table, "block_result") == 0) {
        vm_key_block_result(key, golden_number(row, "height"));
    } else if (strcmp(table, "root") == 0) {
        vm_key_root(key, golden_number(row, "height"));
    } else if (key_of_stake(key, table, f)) {
        return;
    } else {
        assert_string_equal(table, "tombstone");
        vm_key_tombstone(key, market, golden_number(f, "account"), golden_number(f, "client_id"));
    }
}

static void same_market_state(const struct vm_market_state_row *r, const json_t *f)
{
    SAME_INT(f, *r, status);
    SAME_INT(f, *r, status_ms);
    SAME_INT(f, *r, generation);
    SAME_MONEY(f, *r, carry);
    SAME_MONEY(f, *r, realised);
    SAME_MONEY(f, *r, cost_sum);
    SAME_LOTS(f, *r, lots_sum);
    SAME_LOTS(f, *r, open_interest);
    SAME_LOTS(f, *r, scrub_lots);
    SAME_MONEY(f, *r, scrub_cost);
    SAME_MONEY(f, *r, mark);
    SAME_MONEY(f, *r, index_value);
    SAME_MONEY(f, *r, basis);
    SAME_PRICE(f, *r, last_price);
    SAME_INT(f, *r, last_trade_ms);
    SAME_INT(f, *r, mid_rested_ms);
    SAME_MONEY(f, *r, mid);
    SAME_INT(f, *r, extended_from_ms);
    SAME_INT(f, *r, extension_last_ms);
    SAME_INT(f, *r, waiting_ioc);
    SAME_INT(f, *r, funding_next_ms);
    SAME_INT(f, *r, premium_at_ms);
    SAME_MONEY(f, *r, premium);
    SAME_INT(f, *r, premium_sum_hi);
    SAME_INT(f, *r, premium_sum_lo);
    SAME_INT(f, *r, average_at_ms);
    SAME_MONEY(f, *r, average_last);
    SAME_INT(f, *r, average_ms);
    SAME_INT(f, *r, average_sum_hi);
    SAME_INT(f, *r, average_sum_lo);
    SAME_MONEY(f, *r, settlement);
    SAME_MONEY(f, *r, risk_index);
    SAME_RATIO(f, *r, risk_range);
    SAME(f, vm_lots_raw(r->vwap[0].lots), "vwap0_lots");
    SAME(f, r->vwap[5].start_ms, "vwap5_start_ms");
    SAME(f, vm_money_raw(r->vwap[5].value), "vwap5_value");
}

static void same_chain(const struct vm_chain_row *r, const json_t *f)
{
    SAME_INT(f, *r, height);
    SAME_INT(f, *r, time_ms);
    SAME_MONEY(f, *r, vault);
    SAME_MONEY(f, *r, supply);
    SAME_MONEY(f, *r, cash_sum);
    SAME_MONEY(f, *r, wallet_sum);
    SAME_MONEY(f, *r, realised_sum);
    SAME_MONEY(f, *r, scrub_cash);
    SAME_MONEY(f, *r, scrub_wallet);
    SAME_INT(f, *r, next_account);
    SAME_INT(f, *r, fee_account);
    SAME_INT(f, *r, insurance_account);
    SAME_INT(f, *r, faucet_account);
    SAME_INT(f, *r, safe_mode);
    SAME_BYTES(f, *r, params_hash);
}

static void same_market(const struct vm_market_row *r, const json_t *f)
{
    SAME_BYTES(f, *r, symbol);
    SAME_INT(f, *r, feed);
    SAME_INT(f, *r, tick_micro);
    SAME_INT(f, *r, lots_per_unit);
    SAME_MONEY(f, *r, tick_value);
    SAME_INT(f, *r, expires_ms);
    SAME_INT(f, *r, settle_window_ms);
    SAME_INT(f, *r, funding_interval_ms);
    SAME_LOTS(f, *r, order_lots_max);
    SAME_LOTS(f, *r, open_interest_max);
    assert_int_equal(r->program_size, 12);
    same_bytes(f, "program", r->program, 12);
}

static void same_feed(const struct vm_feed_row *r, const json_t *f)
{
    SAME_BYTES(f, *r, symbol);
    SAME_MONEY(f, *r, index);
    SAME_MONEY(f, *r, confidence);
    SAME_INT(f, *r, index_ms);
    SAME_INT(f, *r, quorum_height);
    SAME_INT(f, *r, fresh);
    SAME_INT(f, *r, lost_ms);
    SAME_RATIO(f, *r, range_initial);
    SAME_RATIO(f, *r, range_maintenance);
}

static void same_level(const struct vm_level_row *r, const json_t *f)
{
    const char *place;
    json_t *lots;
    uint64_t occupied = 0;
    SAME_INT(f, *r, occupied);
    json_object_foreach(json_object_get(f, "lots"), place, lots)
    {
        uint64_t i = 0, expected = 0;
        assert_int_equal(nv_u64_parse(&i, nv_view_of_text(place)), NV_OK);
        assert_int_equal(nv_u64_parse(&expected, nv_view_of_text(json_string_value(lots))), NV_OK);
        assert_int_equal(vm_lots_raw(r->lots[i]), expected);
        occupied |= UINT64_C(1) << i;
    }
    assert_int_equal(occupied, r->occupied);
}

static void same_orders(const struct vm_orders_row *r, const json_t *orders)
{
    assert_int_equal(r->count, json_array_size(orders));
    for (uint32_t i = 0; i < r->count; i++) {
        const json_t *const f = json_array_get(orders, i);
        SAME(f, r->ordinal[i], "ordinal");
        SAME_INT(f, r->order[i], slot);
        SAME_INT(f, r->order[i], generation);
        SAME_INT(f, r->order[i], side);
        SAME_INT(f, r->order[i], flags);
        SAME_PRICE(f, r->order[i], price);
        SAME_LOTS(f, r->order[i], lots);
        SAME_INT(f, r->order[i], placed_height);
        SAME_INT(f, r->order[i], expires_ms);
        SAME_INT(f, r->order[i], client_id);
        SAME_INT(f, r->order[i], tie);
    }
}

#define SAME_SHARES(fields, s, name) SAME(fields, vm_shares_raw((s).name), #name)

static uint64_t item(const json_t *vector, const char *name, size_t i)
{
    const json_t *const text = json_array_get(json_object_get(vector, name), i);
    uint64_t value = 0;
    assert_int_equal(nv_u64_parse(&value, nv_view_of_text(json_string_value(text))), NV_OK);
    return value;
}

static void same_validator(const struct vm_validator_row *r, const json_t *vector)
{
    const json_t *const f = json_object_get(vector, "fields");
    SAME_BYTES(f, *r, key);
    SAME_BYTES(f, *r, node_key);
    SAME_MONEY(f, r->pool, tokens);
    SAME_SHARES(f, r->pool, shares);
    SAME_MONEY(f, *r, due);
    SAME_MONEY(f, *r, least);
    SAME_RATIO(f, *r, commission);
    SAME_INT(f, *r, commission_epoch);
    SAME_INT(f, *r, status);
    SAME_INT(f, *r, jailed_epoch);
    assert_int_equal(r->slash_count, json_array_size(json_object_get(vector, "slashes")));
    for (uint32_t i = 0; i < r->slash_count; i++) {
        assert_int_equal(r->slash_epoch[i], item(vector, "slashes", i));
    }
}

static void same_set(const struct vm_set_row *r, const json_t *vector)
{
    const json_t *const f = json_object_get(vector, "fields");
    const json_t *const members = json_object_get(vector, "members");
    SAME_INT(f, *r, height);
    SAME_INT(f, *r, count);
    assert_int_equal(r->size, json_array_size(members));
    for (uint32_t i = 0; i < r->size; i++) {
        const json_t *const m = json_array_get(members, i);
        SAME_INT(m, r->member[i], validator);
        SAME_BYTES(m, r->member[i], key);
        SAME_MONEY(m, r->member[i], stake);
    }
}

/* The tables of stake. */
static void same_stake(enum vm_table table, const union row *r, const json_t *vector)
{
    const json_t *const f = json_object_get(vector, "fields");
    if (table == VM_TABLE_STAKING) {
        SAME_INT(f, r->staking, epoch);
        SAME_INT(f, r->staking, epoch_height);
        SAME_MONEY(f, r->staking, pot);
        SAME_MONEY(f, r->staking, staked);
        SAME_MONEY(f, r->staking, scrub_staked);
        SAME_INT(f, r->staking, validators);
    } else if (table == VM_TABLE_VALIDATOR) {
        same_validator(&r->validator, vector);
    } else if (table == VM_TABLE_DELEGATION) {
        SAME_SHARES(f, r->delegation, shares);
    } else if (table == VM_TABLE_BATCH) {
        SAME_MONEY(f, r->batch.pool, tokens);
        SAME_SHARES(f, r->batch.pool, shares);
    } else if (table == VM_TABLE_UNBONDING) {
        SAME_SHARES(f, r->unbonding, shares);
        SAME_INT(f, r->unbonding, release_ms);
    } else if (table == VM_TABLE_SET) {
        same_set(&r->set, vector);
    } else {
        SAME_INT(f, r->uptime, blocks);
        assert_int_equal(r->uptime.count, json_array_size(json_object_get(vector, "present")));
        for (uint32_t i = 0; i < r->uptime.count; i++) {
            assert_int_equal(r->uptime.present[i], item(vector, "present", i));
        }
    }
}

static void same_small(enum vm_table table, const union row *r, const json_t *f)
{
    if (table == VM_TABLE_ACCOUNT) {
        SAME_BYTES(f, r->account, address);
        SAME_MONEY(f, r->account, cash);
        SAME_MONEY(f, r->account, wallet);
        SAME_INT(f, r->account, stage);
        SAME_INT(f, r->account, stage_height);
        SAME_INT(f, r->account, created_height);
    } else if (table == VM_TABLE_POSITION) {
        SAME_LOTS(f, r->position, lots);
        SAME_MONEY(f, r->position, cost);
    } else if (table == VM_TABLE_SESSION) {
        SAME_BYTES(f, r->session, key);
        SAME_INT(f, r->session, scopes);
        SAME_INT(f, r->session, expires_ms);
    } else if (table == VM_TABLE_REPORT) {
        SAME_MONEY(f, r->report, price);
        SAME_MONEY(f, r->report, confidence);
        SAME_INT(f, r->report, time_ms);
    } else if (table == VM_TABLE_REPORTER) {
        SAME_INT(f, r->reporter, account);
        SAME_INT(f, r->reporter, stake);
    } else if (table == VM_TABLE_BLOCK_RESULT) {
        SAME_INT(f, r->block_result, height);
        SAME_INT(f, r->block_result, time_ms);
        SAME_INT(f, r->block_result, tx_count);
        SAME_INT(f, r->block_result, event_count);
        SAME_BYTES(f, r->block_result, receipts_root);
        SAME_BYTES(f, r->block_result, events_root);
    } else if (table == VM_TABLE_ROOT) {
        SAME_INT(f, r->root, height);
        SAME_BYTES(f, r->root, root);
    }
}

static void row_agrees(const json_t *vector)
{
    const char *const table = json_string_value(json_object_get(vector, "table"));
    const json_t *const f = json_object_get(vector, "fields");
    struct nv_row_key key, expected;
    (void)golden_bytes(expected.bytes, sizeof expected.bytes, vector, "key");
    key_of(&key, table, json_object_get(vector, "key_fields"), f);
    assert_int_equal(nv_row_key_cmp(&key, &expected), 0);
    struct nv_view const value = golden_bytes(bytes, sizeof bytes, vector, "value");
    union row r;
#define XX(x)                                                                                      \
    if (strcmp(table, #x) == 0) {                                                                  \
        assert_int_equal(vm_##x##_row_decode(&r.x, value), NV_OK);                                 \
        hostile(again_##x, value);                                                                 \
    }
    VM_ROWS(XX)
#undef XX
    switch ((enum vm_table)key.bytes[0]) {
    case VM_TABLE_MARKET: same_market(&r.market, f); break;
    case VM_TABLE_MARKET_STATE: same_market_state(&r.market_state, f); break;
    case VM_TABLE_CHAIN: same_chain(&r.chain, f); break;
    case VM_TABLE_FEED: same_feed(&r.feed, f); break;
    case VM_TABLE_LEVEL: same_level(&r.level, f); break;
    case VM_TABLE_ORDERS: same_orders(&r.orders, json_object_get(vector, "orders")); break;
    case VM_TABLE_ADDRESS: SAME_INT(f, r.address, account); break;
    case VM_TABLE_PARAM: SAME_INT(f, r.param, value); break;
    case VM_TABLE_TOMBSTONE: SAME_INT(f, r.tombstone, expires_ms); break;
    case VM_TABLE_ACCOUNT:
    case VM_TABLE_POSITION:
    case VM_TABLE_SESSION:
    case VM_TABLE_REPORT:
    case VM_TABLE_REPORTER:
    case VM_TABLE_BLOCK_RESULT:
    case VM_TABLE_ROOT: same_small((enum vm_table)key.bytes[0], &r, f); break;
    case VM_TABLE_STAKING:
    case VM_TABLE_VALIDATOR:
    case VM_TABLE_DELEGATION:
    case VM_TABLE_BATCH:
    case VM_TABLE_UNBONDING:
    case VM_TABLE_SET:
    case VM_TABLE_UPTIME: same_stake((enum vm_table)key.bytes[0], &r, vector); break;
    }
}

static void rows(void **state)
{
    (void)state;
    bool seen[32] = {false};
    uint32_t tables = 0;
    for (size_t i = 0; i < json_array_size(golden_list(document, "rows")); i++) {
        struct nv_row_key key;
        row_agrees(json_array_get(golden_list(document, "rows"), i));
        (void)golden_bytes(
            key.bytes, sizeof key.bytes, json_array_get(golden_list(document, "rows"), i), "key");
        tables += seen[key.bytes[0]] ? 0u : 1u;
        seen[key.bytes[0]] = true;
    }
    assert_int_equal(tables, 23);
}

/* --- receipts and events ----------------------------------------------------------------- */

static struct nv_hash hash_of(const json_t *text)
{
    struct nv_hash out;
    assert_non_null(json_string_value(text));
    assert_int_equal(
        nv_bytes_parse(out.bytes, sizeof out.bytes, nv_view_of_text(json_string_value(text))),
        NV_OK);
    return out;
}

static struct nv_merkle_path path_of(const json_t *list_of_hashes)
{
    struct nv_merkle_path path = {.depth = (uint32_t)json_array_size(list_of_hashes)};
    for (uint32_t i = 0; i < path.depth; i++) {
        path.sibling[i] = hash_of(json_array_get(list_of_hashes, i));
    }
    return path;
}

/* A leaf holds its receipts and no others: a byte less or more is no leaf. */
static void group_holds(const json_t *vector, uint32_t count, const json_t *chosen)
{
    uint32_t const index = (uint32_t)json_integer_value(json_object_get(chosen, "index"));
    uint32_t const leaf = index / VM_RECEIPT_GROUP;
    const json_t *const groups = json_object_get(vector, "groups");
    struct nv_merkle_path const path = path_of(json_object_get(chosen, "path"));
    struct nv_hash const root = hash_of(json_object_get(vector, "root"));
    struct nv_view const group =
        golden_bytes(bytes, sizeof bytes, json_array_get(groups, leaf), "bytes");
    struct nv_view const receipt = golden_bytes(again, sizeof again, chosen, "receipt");
    struct nv_view found;
    struct nv_hash hash;
    assert_int_equal(vm_receipt_in_group(&found, group, index, count), NV_OK);
    assert_true(nv_view_eq(found, receipt));
    nv_merkle_leaf(&hash, group);
    assert_true(nv_merkle_verify(&root, &path, &hash, vm_receipt_leaves(count), leaf));
    for (uint32_t size = 0; size < group.size; size++) {
        struct nv_view const cut = nv_view_of(group.bytes, size);
        assert_int_equal(vm_receipt_in_group(&found, cut, index, count), NV_ERR_TRUNCATED);
    }
    struct nv_view const longer = nv_view_of(group.bytes, group.size + 1);
    assert_int_equal(vm_receipt_in_group(&found, longer, index, count), NV_ERR_TRAILING);
}

static void receipt_groups(void **state)
{
    (void)state;
    for (size_t i = 0; i < json_array_size(golden_list(document, "receipt_groups")); i++) {
        const json_t *const vector = json_array_get(golden_list(document, "receipt_groups"), i);
        const json_t *const paths = json_object_get(vector, "paths");
        uint32_t const count = (uint32_t)json_integer_value(json_object_get(vector, "count"));
        assert_int_equal(json_array_size(json_object_get(vector, "groups")),
                         vm_receipt_leaves(count));
        for (size_t j = 0; j < json_array_size(paths); j++) {
            group_holds(vector, count, json_array_get(paths, j));
        }
    }
}

static void receipts(void **state)
{
    (void)state;
    for (size_t i = 0; i < json_array_size(golden_list(document, "receipts")); i++) {
        static struct vm_receipt receipt;
        const json_t *const vector = json_array_get(golden_list(document, "receipts"), i);
        const json_t *const f = json_object_get(vector, "fields");
        const json_t *const outcomes = json_object_get(vector, "outcomes");
        struct nv_view const in = golden_bytes(bytes, sizeof bytes, vector, "bytes");
        assert_int_equal(vm_receipt_decode(&receipt, in), NV_OK);
        same_bytes(f, "hash", receipt.tx_hash.bytes, 32);
        SAME_INT(f, receipt, account);
        SAME_INT(f, receipt, code);
        SAME_MONEY(f, receipt, fee);
        assert_int_equal(receipt.outcome_count, json_array_size(outcomes));
        for (uint32_t j = 0; j < receipt.outcome_count; j++) {
            SAME_INT(json_array_get(outcomes, j), receipt.outcomes[j], code);
            SAME_INT(json_array_get(outcomes, j), receipt.outcomes[j], result);
        }
        hostile(again_receipt, in);
    }
}

static void same_order_or_fill(const struct vm_event *e, const json_t *f)
{
    if (e->kind == VM_EVENT_ORDER) {
        SAME_INT(f, e->order, account);
        SAME_INT(f, e->order, market);
        SAME_INT(f, e->order, order);
        SAME_INT(f, e->order, change);
        SAME_INT(f, e->order, side);
        SAME_PRICE(f, e->order, price);
        SAME_LOTS(f, e->order, lots);
        SAME_INT(f, e->order, client_id);
        return;
    }
    SAME_INT(f, e->fill, account);
    SAME_INT(f, e->fill, market);
    SAME_INT(f, e->fill, order);
    SAME_INT(f, e->fill, side);
    SAME_INT(f, e->fill, maker);
    SAME_PRICE(f, e->fill, price);
    SAME_LOTS(f, e->fill, lots);
    SAME_MONEY(f, e->fill, fee);
    SAME_MONEY(f, e->fill, realised);
}

static void same_protection(const struct vm_event_protection *e, const json_t *f)
{
    SAME_INT(f, *e, account);
    SAME_INT(f, *e, stage);
    SAME_INT(f, *e, market);
    SAME_LOTS(f, *e, lots);
    SAME_PRICE(f, *e, price);
    SAME_MONEY(f, *e, equity);
    SAME_MONEY(f, *e, maintenance);
    SAME_MONEY(f, *e, amount);
    SAME_INT(f, *e, keeper);
}

static void same_price_event(const struct vm_event *e, const json_t *f)
{
    if (e->kind == VM_EVENT_AUCTION) {
        SAME_INT(f, e->auction, market);
        SAME_PRICE(f, e->auction, price);
        SAME_LOTS(f, e->auction, lots);
        SAME_LOTS(f, e->auction, imbalance);
        SAME_INT(f, e->auction, extended);
    } else if (e->kind == VM_EVENT_INDEX) {
        SAME_INT(f, e->index, feed);
        SAME_MONEY(f, e->index, index);
        SAME_MONEY(f, e->index, confidence);
        SAME_INT(f, e->index, fresh);
    } else if (e->kind == VM_EVENT_MARK) {
        SAME_INT(f, e->mark, market);
        SAME_MONEY(f, e->mark, mark);
        SAME_MONEY(f, e->mark, index_value);
    } else {
        SAME_INT(f, e->funding, market);
        SAME_MONEY(f, e->funding, carry_delta);
        SAME_RATIO(f, e->funding, rate);
    }
}

static void same_other_event(const struct vm_event *e, const json_t *f)
{
    if (e->kind == VM_EVENT_CASH) {
        SAME_INT(f, e->cash, account);
        SAME_INT(f, e->cash, reason);
        SAME_MONEY(f, e->cash, amount);
        SAME_INT(f, e->cash, counterparty);
    } else if (e->kind == VM_EVENT_SETTLEMENT) {
        SAME_INT(f, e->settlement, account);
        SAME_INT(f, e->settlement, market);
        SAME_LOTS(f, e->settlement, lots);
        SAME_MONEY(f, e->settlement, value);
        SAME_MONEY(f, e->settlement, realised);
    } else if (e->kind == VM_EVENT_MARKET) {
        SAME_INT(f, e->market, market);
        SAME_INT(f, e->market, status);
        SAME_INT(f, e->market, reason);
    } else if (e->kind == VM_EVENT_VALIDATOR) {
        SAME_INT(f, e->validator, account);
        SAME_INT(f, e->validator, change);
        SAME_MONEY(f, e->validator, amount);
        SAME_INT(f, e->validator, epoch);
    } else if (e->kind == VM_EVENT_EPOCH) {
        SAME_INT(f, e->epoch, epoch);
        SAME_INT(f, e->epoch, members);
        SAME_MONEY(f, e->epoch, stake);
        SAME_MONEY(f, e->epoch, paid);
    } else {
        SAME_INT(f, *e, safe_mode);
    }
}

static void events(void **state)
{
    (void)state;
    assert_int_equal(json_array_size(golden_list(document, "events")), VM_EVENT_EPOCH);
    for (size_t i = 0; i < json_array_size(golden_list(document, "events")); i++) {
        struct vm_event e;
        const json_t *const vector = json_array_get(golden_list(document, "events"), i);
        const json_t *const f = json_object_get(vector, "fields");
        struct nv_view const in = golden_bytes(bytes, sizeof bytes, vector, "bytes");
        assert_int_equal(vm_event_decode(&e, in), NV_OK);
        assert_int_equal(e.kind, i + 1);
        if (e.kind == VM_EVENT_ORDER || e.kind == VM_EVENT_FILL) {
            same_order_or_fill(&e, f);
        } else if (e.kind == VM_EVENT_PROTECTION) {
            same_protection(&e.protection, f);
        } else if (e.kind >= VM_EVENT_AUCTION && e.kind <= VM_EVENT_FUNDING) {
            same_price_event(&e, f);
        } else {
            same_other_event(&e, f);
        }
        hostile(again_event, in);
    }
}

/* --- transactions ------------------------------------------------------------------------ */

static void transaction_agrees(const json_t *vector)
{
    struct nv_hash chain_id, hash;
    struct nv_seckey secret;
    struct vm_tx tx;
    uint32_t size = 0;
    (void)golden_bytes(chain_id.bytes, sizeof chain_id.bytes, document, "chain_id");
    (void)golden_bytes(secret.bytes, sizeof secret.bytes, vector, "secret");
    (void)golden_bytes(hash.bytes, sizeof hash.bytes, vector, "hash");
    struct nv_view const in = golden_bytes(bytes, sizeof bytes, vector, "bytes");
    nv_arena_reset(&arena);
    assert_int_equal(vm_tx_decode(&tx, in, &chain_id, &arena), NV_OK);
    assert_memory_equal(tx.hash.bytes, hash.bytes, 32);
    assert_true(vm_tx_signature_ok(&tx));
    const json_t *const kinds = json_object_get(vector, "kinds");
    assert_int_equal(tx.action_count, json_array_size(kinds));
    for (uint32_t i = 0; i < tx.action_count; i++) {
        assert_int_equal(tx.actions[i].kind, json_integer_value(json_array_get(kinds, i)));
    }
    same_bytes(vector, "account", tx.account.bytes, sizeof tx.account.bytes);
    assert_int_equal(vm_tx_encode(&tx, again, &size, &chain_id, &secret), NV_OK);
    assert_int_equal(size, in.size);
    assert_memory_equal(again, in.bytes, size);
    assert_int_equal(vm_tx_hash_of(&hash, in, &chain_id), NV_OK);
    assert_memory_equal(tx.hash.bytes, hash.bytes, 32);
}

static void transactions(void **state)
{
    (void)state;
    for (size_t i = 0; i < json_array_size(golden_list(document, "transactions")); i++) {
        transaction_agrees(json_array_get(golden_list(document, "transactions"), i));
    }
}

static int document_load(void **state)
{
    document = golden_load("vm");
    *state = nv_heap_reserve(ARENA);
    if (document == NULL || *state == NULL) {
        return -1;
    }
    nv_arena_init_zeroed(&arena, *state, ARENA);
    return 0;
}

static int document_drop(void **state)
{
    json_decref(document);
    nv_heap_unreserve(*state, ARENA);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows),
        cmocka_unit_test(receipts),
        cmocka_unit_test(receipt_groups),
        cmocka_unit_test(events),
        cmocka_unit_test(transactions),
    };
    return cmocka_run_group_tests(tests, document_load, document_drop);
}
