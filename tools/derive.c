#include "tools/derive.h"

#include <jansson.h>
#include <string.h>

#include "base/fmt.h"
#include "base/int.h"

#include "tools/derive_part.h"
#include "tools/derive_receipt.h"
#include "tools/shown.h"
#include "vm/tx.h"

static enum nv_err read_account(struct shown_account *out, const struct derive_question *q)
{
    struct nv_address address;
    const char *const text = json_string_value(json_object_get(q->params, "address"));
    if (text == NULL) {
        return NV_ERR_MALFORMED;
    }
    NV_TRY(nv_address_parse(&address, nv_view_of_text(text)));
    return shown_account(q->proof, &address, out);
}

static void put_account(json_t *out, const struct shown_account *account)
{
    char text[NV_ADDRESS_TEXT];
    nv_address_format(text, &account->address);
    put_text(out, "address", text);
    put_u64(out, "account", account->id);
}

static void put_balances(json_t *out, const struct shown_account *account)
{
    put_micro(out, "cash", vm_money_raw(account->row.cash));
    put_micro(out, "wallet", vm_money_raw(account->row.wallet));
}

/* ---- positions ---- */

typedef enum nv_err (*position_fn)(void *ctx,
                                   const struct shown_market *market,
                                   const struct vm_position_row *position);

static enum nv_err
each_position(const struct nv_proof *proof, uint64_t account, position_fn each, void *ctx)
{
    struct nv_row_key key;
    struct nv_row_range range;
    struct nv_row row;
    uint32_t cursor = 0;
    vm_key_position(&key, account, 0);
    NV_TRY(shown_range(&range, proof, &key, 9));
    while (shown_next(proof, &range, &cursor, &row)) {
        struct shown_market market;
        struct vm_position_row position;
        NV_TRY(vm_position_row_decode(&position, row.value));
        NV_TRY(shown_market(proof, nv_be32_load(row.key.bytes + 9), &market));
        NV_TRY(each(ctx, &market, &position));
    }
    return NV_OK;
}

/* put_entry writes the price at which the position would be worth nothing. */
static void
put_entry(json_t *entry, const struct shown_market *market, const struct vm_position_row *position)
{
    int64_t per_lot = 0;
    int64_t micro = 0;
    if (nv_div_i64(
            vm_money_raw(position->cost), vm_lots_raw(position->lots), NV_ROUND_CEIL, &per_lot) &&
        nv_sub_i64(vm_money_raw(market->state.carry), per_lot, &micro)) {
        put_per_lot(entry, "entry_price", &market->grid, micro);
    } else {
        put_null(entry, "entry_price");
    }
}

static enum nv_err
add_position(void *ctx, const struct shown_market *market, const struct vm_position_row *position)
{
    json_t *const list = ctx;
    json_t *const entry = json_object();
    int64_t value = 0;
    put_text(entry, "market", market->row.symbol);
    put_count(entry, "market_id", market->id);
    put_size(entry, "size", &market->grid, vm_lots_raw(position->lots));
    put_i64(entry, "lots", vm_lots_raw(position->lots));
    put_micro(entry, "cost", vm_money_raw(position->cost));
    put_per_lot(entry, "mark", &market->grid, vm_money_raw(market->state.mark));
    put_entry(entry, market, position);
    if (shown_position_value(&value, market, position)) {
        put_micro(entry, "value", value);
    } else {
        put_null(entry, "value");
    }
    return json_array_append_new(list, entry) == 0 ? NV_OK : NV_ERR_NO_MEMORY;
}

static enum nv_err positions(json_t *out, const struct derive_question *q)
{
    struct shown_account account;
    NV_TRY(read_account(&account, q));
    put_account(out, &account);
    json_t *const list = json_array();
    (void)json_object_set_new(out, "positions", list);
    return each_position(q->proof, account.id, add_position, list);
}

/* ---- accounts ---- */

struct equity {
    nv_i128 sum;
    uint32_t positions;
};

static enum nv_err
add_value(void *ctx, const struct shown_market *market, const struct vm_position_row *position)
{
    struct equity *const equity = ctx;
    int64_t value = 0;
    if (!shown_position_value(&value, market, position)) {
        return NV_ERR_RANGE;
    }
    equity->sum += value;
    equity->positions++;
    return NV_OK;
}

static const char *stage_name(uint8_t stage)
{
    static const char *const names[] = {"safe", "closing", "insured", "deleverage"};
    return stage < sizeof names / sizeof names[0] ? names[stage] : "unknown";
}

static enum nv_err account(json_t *out, const struct derive_question *q)
{
    struct shown_account account;
    int64_t micro = 0;
    NV_TRY(read_account(&account, q));
    struct equity equity = {.sum = vm_money_raw(account.row.cash)};
    NV_TRY(each_position(q->proof, account.id, add_value, &equity));
    put_account(out, &account);
    put_balances(out, &account);
    if (nv_narrow_try_i64(equity.sum, &micro)) {
        put_micro(out, "equity", micro);
    } else {
        put_null(out, "equity");
    }
    put_count(out, "positions", equity.positions);
    put_text(out, "stage", stage_name(account.row.stage));
    put_u64(out, "stage_height", account.row.stage_height);
    put_u64(out, "created_height", account.row.created_height);
    return NV_OK;
}

static enum nv_err balances(json_t *out, const struct derive_question *q)
{
    struct shown_account account;
    NV_TRY(read_account(&account, q));
    put_account(out, &account);
    put_balances(out, &account);
    return NV_OK;
}

/* ---- orders ---- */

static void
add_order(json_t *list, const struct shown_market *market, const struct vm_order_row *order)
{
    json_t *const entry = json_object();
    put_u64(entry, "order", vm_order_handle(market->id, order->generation, order->slot));
    put_text(entry, "market", market->row.symbol);
    put_text(entry, "side", order->side == VM_BUY ? "buy" : "sell");
    put_price(entry, "price", &market->grid, vm_price_raw(order->price));
    put_size(entry, "size", &market->grid, vm_lots_raw(order->lots));
    if (order->client_id != 0) {
        put_u64(entry, "client_id", order->client_id);
    } else {
        put_null(entry, "client_id");
    }
    put_bool(entry, "post_only", (order->flags & VM_ORDER_POST_ONLY) != 0);
    put_bool(entry, "reduce_only", (order->flags & VM_ORDER_REDUCE_ONLY) != 0);
    put_bool(entry, "protective", (order->flags & VM_ORDER_PROTECTIVE) != 0);
    put_u64(entry, "placed_height", order->placed_height);
    put_count_or_null(entry, "expires_ms", order->expires_ms);
    (void)json_array_append_new(list, entry);
}

/* orders_of appends the orders of an account in one market. */
static enum nv_err
orders_of(json_t *list, const struct nv_proof *proof, uint64_t account, uint32_t id)
{
    struct nv_row_key key;
    struct nv_row_range range;
    struct nv_row row;
    uint32_t cursor = 0;
    vm_key_orders(&key, id, account, 0);
    NV_TRY(shown_range(&range, proof, &key, 13));
    while (shown_next(proof, &range, &cursor, &row)) {
        struct vm_orders_row page;
        struct shown_market market;
        NV_TRY(vm_orders_row_decode(&page, row.value));
        NV_TRY(shown_market(proof, id, &market));
        for (uint32_t i = 0; i < page.count; i++) {
            add_order(list, &market, &page.order[i]);
        }
    }
    return NV_OK;
}

/* Markets are numbered without gaps; which is the first that is not there has
 * to be shown, or orders could be kept back. */
static enum nv_err orders(json_t *out, const struct derive_question *q)
{
    struct shown_account account;
    NV_TRY(read_account(&account, q));
    char text[NV_ADDRESS_TEXT];
    nv_address_format(text, &account.address);
    put_text(out, "address", text);
    json_t *const list = json_array();
    (void)json_object_set_new(out, "orders", list);
    for (uint32_t id = 0; id < VM_MARKETS_END; id++) {
        struct nv_row_key key;
        struct nv_view value;
        vm_key_market(&key, id);
        if (nv_proof_find(q->proof, &key, &value) == NV_SHOWN_ABSENT) {
            return NV_OK;
        }
        NV_TRY(orders_of(list, q->proof, account.id, id));
    }
    return NV_OK;
}

/* ---- transactions ---- */

static enum nv_err transaction(json_t *out, const struct derive_question *q)
{
    return derive_receipt(out, q->proof, q->params, q->answer);
}

/* ---- by name ---- */

static const struct {
    const char *method;
    derive_fn run;
} methods[] = {
    {"account_get", account},
    {"account_positions", positions},
    {"account_balances", balances},
    {"order_open", orders},
    {"market_list", derive_market_list},
    {"market_get", derive_market_get},
    {"market_ticker", derive_market_ticker},
    {"market_book", derive_market_book},
    {"chain_params", derive_params},
    {"stake_validators", derive_stake_validators},
    {"stake_get", derive_stake_get},
    {"tx_get", transaction},
};

#define METHODS (sizeof methods / sizeof methods[0])

static derive_fn find(const char *method)
{
    for (size_t i = 0; i < METHODS; i++) {
        if (strcmp(methods[i].method, method) == 0) {
            return methods[i].run;
        }
    }
    return NULL;
}

bool derive_known(const char *method)
{
    return find(method) != NULL;
}

enum nv_err derive(json_t **out,
                   const struct nv_proof *proof,
                   const char *method,
                   const json_t *params,
                   const json_t *answer)
{
    struct derive_question const question = {proof, params, answer};
    derive_fn const run = find(method);
    if (run == NULL) {
        return NV_ERR_UNSUPPORTED;
    }
    json_t *const object = json_object();
    enum nv_err const err = run(object, &question);
    if (err == NV_OK) {
        *out = object;
    } else {
        json_decref(object);
    }
    return err;
}

const char *derive_difference(const json_t *derived, const json_t *answer)
{
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach((json_t *)(uintptr_t)derived, key, value)
    {
        if (!json_equal(value, json_object_get(answer, key))) {
            return key;
        }
    }
    return NULL;
}
