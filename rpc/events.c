#include "rpc/events.h"

#include <stdio.h>
#include <string.h>

#include "base/fmt.h"

#include "rpc/stage.h"
#include "vm/tx.h"

void rpc__seq_format(char out[RPC_SEQ_TEXT], uint64_t height, uint32_t index)
{
    snprintf(out, RPC_SEQ_TEXT, "%" NV_U64 ":%" NV_U32, height, index);
}

bool rpc__seq_parse(struct nv_view text, uint64_t *height, uint32_t *index)
{
    const uint8_t *colon = text.size > 0 ? memchr(text.bytes, ':', text.size) : NULL;
    uint64_t wide = 0;
    if (colon == NULL) {
        return false;
    }
    uint32_t const at = (uint32_t)(colon - text.bytes);
    if (nv_u64_parse(height, nv_view_of(text.bytes, at)) != NV_OK ||
        nv_u64_parse(&wide, nv_view_of(colon + 1, text.size - at - 1)) != NV_OK ||
        wide > UINT32_MAX) {
        return false;
    }
    *index = (uint32_t)wide;
    return true;
}

static const char *cash_reason(uint8_t reason)
{
    switch ((enum vm_cash_reason)reason) {
    case VM_CASH_DEPOSIT: return "deposit";
    case VM_CASH_WITHDRAW: return "withdraw";
    case VM_CASH_TRANSFER_OUT: return "transfer_out";
    case VM_CASH_TRANSFER_IN: return "transfer_in";
    case VM_CASH_FAUCET: return "faucet";
    case VM_CASH_LIQUIDATION_FEE: return "liquidation_fee";
    case VM_CASH_KEEPER_REWARD: return "keeper_reward";
    case VM_CASH_INSURANCE: return "insurance";
    case VM_CASH_STAKED: return "staked";
    case VM_CASH_UNSTAKED: return "stake_withdrawn";
    case VM_CASH_COMMISSION: return "commission";
    case VM_CASH_SLASH: return "slash";
    }
    return "other";
}

static const char *order_change(uint8_t change)
{
    switch ((enum vm_order_change)change) {
    case VM_ORDER_RESTED: return "rested";
    case VM_ORDER_FILLED: return "filled";
    case VM_ORDER_REDUCED: return "reduced";
    case VM_ORDER_CANCELLED: return "cancelled";
    case VM_ORDER_EXPIRED: return "expired";
    case VM_ORDER_IOC_REST: return "immediate_rest";
    case VM_ORDER_SELF_CROSS: return "self_cross";
    case VM_ORDER_MARGIN: return "margin";
    case VM_ORDER_PROTECTED: return "protected";
    case VM_ORDER_MARKET_CLOSED: return "market_closed";
    case VM_ORDER_BEYOND_BAND: return "beyond_band";
    case VM_ORDER_NOT_REDUCING: return "not_reducing";
    }
    return "other";
}

static const char *side_name(uint8_t side)
{
    return side == VM_BUY ? "buy" : "sell";
}

static void order_id(struct rpc_json *out, uint64_t order)
{
    if (order != 0) {
        rpc__json_u64(out, "order", order);
    } else {
        rpc__json_null(out, "order");
    }
}

void rpc__auction_write(struct rpc_json *out,
                        const struct rpc_listing *listing,
                        const struct vm_event_auction *auction)
{
    rpc__json_text(out, "market", listing->symbol);
    rpc__json_price(out, "price", listing, vm_price_raw(auction->price));
    rpc__json_size(out, "size", listing, vm_lots_raw(auction->lots));
    rpc__json_size(out, "imbalance", listing, vm_lots_raw(auction->imbalance));
    rpc__json_bool(out, "extended", auction->extended != 0);
}

void rpc__fill_write(struct rpc_json *out,
                     const struct rpc_listing *listing,
                     const struct vm_event_fill *fill)
{
    rpc__json_text(out, "market", listing->symbol);
    order_id(out, fill->order);
    rpc__json_text(out, "side", side_name(fill->side));
    rpc__json_bool(out, "maker", fill->maker != 0);
    rpc__json_price(out, "price", listing, vm_price_raw(fill->price));
    rpc__json_size(out, "size", listing, vm_lots_raw(fill->lots));
    rpc__json_micro(out, "fee", vm_money_raw(fill->fee));
    rpc__json_micro(out, "realised", vm_money_raw(fill->realised));
}

static void write_order(struct rpc_json *out,
                        const struct rpc_listing *listing,
                        const struct vm_event_order *order)
{
    rpc__json_text(out, "market", listing->symbol);
    order_id(out, order->order);
    rpc__json_text(out, "change", order_change(order->change));
    rpc__json_text(out, "side", side_name(order->side));
    rpc__json_price(out, "price", listing, vm_price_raw(order->price));
    rpc__json_size(out, "size", listing, vm_lots_raw(order->lots));
    if (order->client_id != 0) {
        rpc__json_u64(out, "client_id", order->client_id);
    } else {
        rpc__json_null(out, "client_id");
    }
}

static void write_protection(struct rpc_json *out,
                             const struct rpc_listing *listing,
                             const struct vm_event_protection *protection)
{
    rpc__json_u64(out, "account", protection->account);
    rpc__json_text(out, "stage", rpc__stage_name(protection->stage));
    if (listing != NULL) {
        rpc__json_text(out, "market", listing->symbol);
        rpc__json_size(out, "size", listing, vm_lots_raw(protection->lots));
        rpc__json_price(out, "price", listing, vm_price_raw(protection->price));
    } else {
        rpc__json_null(out, "market");
        rpc__json_null(out, "size");
        rpc__json_null(out, "price");
    }
    rpc__json_micro(out, "equity", vm_money_raw(protection->equity));
    rpc__json_micro(out, "maintenance_margin", vm_money_raw(protection->maintenance));
    rpc__json_micro(out, "amount", vm_money_raw(protection->amount));
    if (protection->keeper != 0) {
        rpc__json_u64(out, "keeper", protection->keeper);
    } else {
        rpc__json_null(out, "keeper");
    }
}

static void write_cash(struct rpc_json *out, const struct vm_event_cash *cash)
{
    rpc__json_text(out, "reason", cash_reason(cash->reason));
    rpc__json_micro(out, "amount", vm_money_raw(cash->amount));
    if (cash->counterparty != 0) {
        rpc__json_u64(out, "counterparty", cash->counterparty);
    } else {
        rpc__json_null(out, "counterparty");
    }
}

static void write_settlement(struct rpc_json *out,
                             const struct rpc_listing *listing,
                             const struct vm_event_settlement *settlement)
{
    rpc__json_text(out, "market", listing->symbol);
    rpc__json_size(out, "size", listing, vm_lots_raw(settlement->lots));
    rpc__json_per_lot(out, "price", listing, vm_money_raw(settlement->value));
    rpc__json_micro(out, "realised", vm_money_raw(settlement->realised));
}

static const char *validator_change(uint8_t change)
{
    switch ((enum vm_validator_change)change) {
    case VM_VALIDATOR_BONDED: return "bonded";
    case VM_VALIDATOR_REWARDED: return "rewarded";
    case VM_VALIDATOR_SLASHED: return "slashed";
    case VM_VALIDATOR_ABSENT: return "jailed";
    case VM_VALIDATOR_UNJAILED: return "unjailed";
    case VM_VALIDATOR_COMMISSION: return "commission_set";
    case VM_VALIDATOR_DELEGATED: return "delegated";
    case VM_VALIDATOR_UNDELEGATED: return "undelegated";
    case VM_VALIDATOR_FORGOTTEN: return "forgotten";
    }
    return "other";
}

static void write_validator(struct rpc_json *out, const struct vm_event_validator *validator)
{
    int64_t const amount = vm_money_raw(validator->amount);
    rpc__json_text(out, "change", validator_change(validator->change));
    rpc__json_u64(out, "epoch", validator->epoch);
    if (validator->change == VM_VALIDATOR_COMMISSION) {
        rpc__json_i64(out, "commission_ppb", amount);
    } else {
        rpc__json_micro(out, "amount", amount);
    }
}

static const char *kind_name(uint8_t kind)
{
    switch ((enum vm_event_kind)kind) {
    case VM_EVENT_CASH: return "cash";
    case VM_EVENT_ORDER: return "order";
    case VM_EVENT_FILL: return "fill";
    case VM_EVENT_AUCTION: return "auction";
    case VM_EVENT_INDEX: return "index";
    case VM_EVENT_MARK: return "mark";
    case VM_EVENT_FUNDING: return "funding";
    case VM_EVENT_PROTECTION: return "protection";
    case VM_EVENT_SETTLEMENT: return "settlement";
    case VM_EVENT_MARKET: return "market";
    case VM_EVENT_SAFE_MODE: return "safe_mode";
    case VM_EVENT_VALIDATOR: return "validator";
    case VM_EVENT_EPOCH: return "epoch";
    }
    return "other";
}

bool rpc__event_market(const struct vm_event *event, uint32_t *market)
{
    switch ((enum vm_event_kind)event->kind) {
    case VM_EVENT_ORDER: *market = event->order.market; return true;
    case VM_EVENT_FILL: *market = event->fill.market; return true;
    case VM_EVENT_AUCTION: *market = event->auction.market; return true;
    case VM_EVENT_MARK: *market = event->mark.market; return true;
    case VM_EVENT_FUNDING: *market = event->funding.market; return true;
    case VM_EVENT_SETTLEMENT: *market = event->settlement.market; return true;
    case VM_EVENT_MARKET: *market = event->market.market; return true;
    case VM_EVENT_PROTECTION:
        *market = event->protection.market;
        return event->protection.market != UINT32_MAX;
    case VM_EVENT_CASH:
    case VM_EVENT_INDEX:
    case VM_EVENT_SAFE_MODE:
    case VM_EVENT_VALIDATOR:
    case VM_EVENT_EPOCH: return false;
    }
    return false;
}

uint64_t rpc__event_account(const struct vm_event *event)
{
    switch ((enum vm_event_kind)event->kind) {
    case VM_EVENT_CASH: return event->cash.account;
    case VM_EVENT_ORDER: return event->order.account;
    case VM_EVENT_FILL: return event->fill.account;
    case VM_EVENT_PROTECTION: return event->protection.account;
    case VM_EVENT_SETTLEMENT: return event->settlement.account;
    case VM_EVENT_VALIDATOR: return event->validator.account;
    case VM_EVENT_AUCTION:
    case VM_EVENT_INDEX:
    case VM_EVENT_MARK:
    case VM_EVENT_FUNDING:
    case VM_EVENT_MARKET:
    case VM_EVENT_SAFE_MODE:
    case VM_EVENT_EPOCH: return 0;
    }
    return 0;
}

static void
write_members(struct rpc_json *out, const struct rpc_listing *listing, const struct vm_event *event)
{
    switch ((enum vm_event_kind)event->kind) {
    case VM_EVENT_CASH: write_cash(out, &event->cash); break;
    case VM_EVENT_ORDER: write_order(out, listing, &event->order); break;
    case VM_EVENT_FILL: rpc__fill_write(out, listing, &event->fill); break;
    case VM_EVENT_AUCTION: rpc__auction_write(out, listing, &event->auction); break;
    case VM_EVENT_PROTECTION: write_protection(out, listing, &event->protection); break;
    case VM_EVENT_SETTLEMENT: write_settlement(out, listing, &event->settlement); break;
    case VM_EVENT_VALIDATOR: write_validator(out, &event->validator); break;
    case VM_EVENT_INDEX:
    case VM_EVENT_MARK:
    case VM_EVENT_FUNDING:
    case VM_EVENT_MARKET:
    case VM_EVENT_SAFE_MODE:
    case VM_EVENT_EPOCH: break; /* told as new state, not as events */
    }
}

void rpc__event_write(struct rpc_json *out,
                      const char *key,
                      const struct rpc_catalogue *catalogue,
                      const struct vm_event *event)
{
    uint32_t market = 0;
    const struct rpc_listing *listing = NULL;
    if (rpc__event_market(event, &market)) {
        listing = rpc__listing_of(catalogue, market);
        if (listing == NULL) {
            rpc__json_null(out, key);
            return;
        }
    }
    rpc__json_object(out, key);
    rpc__json_text(out, "event", kind_name(event->kind));
    write_members(out, listing, event);
    rpc__json_end(out, '}');
}
