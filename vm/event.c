/* Events in canonical bytes: the kind, then its fields.
 * Layout: docs/spec/receipts.md section 3. */

#include "vm/event.h"

#include "vm/state/rows_put.h"

#include "base/pure.h"

static void cash_put(struct nv_writer *w, const struct vm_event_cash *e)
{
    nv_put_u64(w, e->account);
    nv_put_u8(w, e->reason);
    vm_put_money(w, e->amount);
    nv_put_u64(w, e->counterparty);
}

static void cash_get(struct nv_reader *r, struct vm_event_cash *e)
{
    e->account = nv_get_u64(r);
    e->reason = nv_get_u8(r);
    e->amount = vm_get_money(r);
    e->counterparty = nv_get_u64(r);
}

static void order_put(struct nv_writer *w, const struct vm_event_order *e)
{
    nv_put_u64(w, e->account);
    nv_put_u32(w, e->market);
    nv_put_u64(w, e->order);
    nv_put_u8(w, e->change);
    nv_put_u8(w, e->side);
    vm_put_price(w, e->price);
    vm_put_lots(w, e->lots);
    nv_put_u64(w, e->client_id);
}

static void order_get(struct nv_reader *r, struct vm_event_order *e)
{
    e->account = nv_get_u64(r);
    e->market = nv_get_u32(r);
    e->order = nv_get_u64(r);
    e->change = nv_get_u8(r);
    e->side = nv_get_u8(r);
    e->price = vm_get_price(r);
    e->lots = vm_get_lots(r);
    e->client_id = nv_get_u64(r);
}

static void fill_put(struct nv_writer *w, const struct vm_event_fill *e)
{
    nv_put_u64(w, e->account);
    nv_put_u32(w, e->market);
    nv_put_u64(w, e->order);
    nv_put_u8(w, e->side);
    nv_put_u8(w, e->maker);
    vm_put_price(w, e->price);
    vm_put_lots(w, e->lots);
    vm_put_money(w, e->fee);
    vm_put_money(w, e->realised);
}

static void fill_get(struct nv_reader *r, struct vm_event_fill *e)
{
    e->account = nv_get_u64(r);
    e->market = nv_get_u32(r);
    e->order = nv_get_u64(r);
    e->side = nv_get_u8(r);
    e->maker = nv_get_u8(r);
    e->price = vm_get_price(r);
    e->lots = vm_get_lots(r);
    e->fee = vm_get_money(r);
    e->realised = vm_get_money(r);
}

static void auction_put(struct nv_writer *w, const struct vm_event_auction *e)
{
    nv_put_u32(w, e->market);
    vm_put_price(w, e->price);
    vm_put_lots(w, e->lots);
    vm_put_lots(w, e->imbalance);
    nv_put_u8(w, e->extended);
}

static void auction_get(struct nv_reader *r, struct vm_event_auction *e)
{
    e->market = nv_get_u32(r);
    e->price = vm_get_price(r);
    e->lots = vm_get_lots(r);
    e->imbalance = vm_get_lots(r);
    e->extended = nv_get_u8(r);
}

static void index_put(struct nv_writer *w, const struct vm_event_index *e)
{
    nv_put_u32(w, e->feed);
    vm_put_money(w, e->index);
    vm_put_money(w, e->confidence);
    nv_put_u8(w, e->fresh);
}

static void index_get(struct nv_reader *r, struct vm_event_index *e)
{
    e->feed = nv_get_u32(r);
    e->index = vm_get_money(r);
    e->confidence = vm_get_money(r);
    e->fresh = nv_get_u8(r);
}

static void mark_put(struct nv_writer *w, const struct vm_event_mark *e)
{
    nv_put_u32(w, e->market);
    vm_put_money(w, e->mark);
    vm_put_money(w, e->index_value);
}

static void mark_get(struct nv_reader *r, struct vm_event_mark *e)
{
    e->market = nv_get_u32(r);
    e->mark = vm_get_money(r);
    e->index_value = vm_get_money(r);
}

static void funding_put(struct nv_writer *w, const struct vm_event_funding *e)
{
    nv_put_u32(w, e->market);
    vm_put_money(w, e->carry_delta);
    vm_put_ratio(w, e->rate);
}

static void funding_get(struct nv_reader *r, struct vm_event_funding *e)
{
    e->market = nv_get_u32(r);
    e->carry_delta = vm_get_money(r);
    e->rate = vm_get_ratio(r);
}

static void protection_put(struct nv_writer *w, const struct vm_event_protection *e)
{
    nv_put_u64(w, e->account);
    nv_put_u8(w, e->stage);
    nv_put_u32(w, e->market);
    vm_put_lots(w, e->lots);
    vm_put_price(w, e->price);
    vm_put_money(w, e->equity);
    vm_put_money(w, e->maintenance);
    vm_put_money(w, e->amount);
    nv_put_u64(w, e->keeper);
}

static void protection_get(struct nv_reader *r, struct vm_event_protection *e)
{
    e->account = nv_get_u64(r);
    e->stage = nv_get_u8(r);
    e->market = nv_get_u32(r);
    e->lots = vm_get_lots(r);
    e->price = vm_get_price(r);
    e->equity = vm_get_money(r);
    e->maintenance = vm_get_money(r);
    e->amount = vm_get_money(r);
    e->keeper = nv_get_u64(r);
}

static void settlement_put(struct nv_writer *w, const struct vm_event_settlement *e)
{
    nv_put_u64(w, e->account);
    nv_put_u32(w, e->market);
    vm_put_lots(w, e->lots);
    vm_put_money(w, e->value);
    vm_put_money(w, e->realised);
}

static void settlement_get(struct nv_reader *r, struct vm_event_settlement *e)
{
    e->account = nv_get_u64(r);
    e->market = nv_get_u32(r);
    e->lots = vm_get_lots(r);
    e->value = vm_get_money(r);
    e->realised = vm_get_money(r);
}

static void market_put(struct nv_writer *w, const struct vm_event_market *e)
{
    nv_put_u32(w, e->market);
    nv_put_u8(w, e->status);
    nv_put_u8(w, e->reason);
}

static void market_get(struct nv_reader *r, struct vm_event_market *e)
{
    e->market = nv_get_u32(r);
    e->status = nv_get_u8(r);
    e->reason = nv_get_u8(r);
}

/* long: dispatch switch */
static void validator_put(struct nv_writer *w, const struct vm_event_validator *e)
{
    nv_put_u64(w, e->account);
    nv_put_u8(w, e->change);
    vm_put_money(w, e->amount);
    nv_put_u64(w, e->epoch);
}

static void validator_get(struct nv_reader *r, struct vm_event_validator *e)
{
    e->account = nv_get_u64(r);
    e->change = nv_get_u8(r);
    e->amount = vm_get_money(r);
    e->epoch = nv_get_u64(r);
}

static void epoch_put(struct nv_writer *w, const struct vm_event_epoch *e)
{
    nv_put_u64(w, e->epoch);
    nv_put_u32(w, e->members);
    vm_put_money(w, e->stake);
    vm_put_money(w, e->paid);
}

static void epoch_get(struct nv_reader *r, struct vm_event_epoch *e)
{
    e->epoch = nv_get_u64(r);
    e->members = nv_get_u32(r);
    e->stake = vm_get_money(r);
    e->paid = vm_get_money(r);
}

void vm_event_encode(struct nv_writer *w, const struct vm_event *event)
{
    struct nv_writer out = *w; /* whose fields no byte that is written can be */
    nv_put_u8(&out, event->kind);
    switch ((enum vm_event_kind)event->kind) {
    case VM_EVENT_CASH: cash_put(&out, &event->cash); break;
    case VM_EVENT_ORDER: order_put(&out, &event->order); break;
    case VM_EVENT_FILL: fill_put(&out, &event->fill); break;
    case VM_EVENT_AUCTION: auction_put(&out, &event->auction); break;
    case VM_EVENT_INDEX: index_put(&out, &event->index); break;
    case VM_EVENT_MARK: mark_put(&out, &event->mark); break;
    case VM_EVENT_FUNDING: funding_put(&out, &event->funding); break;
    case VM_EVENT_PROTECTION: protection_put(&out, &event->protection); break;
    case VM_EVENT_SETTLEMENT: settlement_put(&out, &event->settlement); break;
    case VM_EVENT_MARKET: market_put(&out, &event->market); break;
    case VM_EVENT_SAFE_MODE: nv_put_u8(&out, event->safe_mode); break;
    case VM_EVENT_VALIDATOR: validator_put(&out, &event->validator); break;
    case VM_EVENT_EPOCH: epoch_put(&out, &event->epoch); break;
    }
    *w = out;
}

/* long: dispatch switch */
enum nv_err vm_event_decode(struct vm_event *event, struct nv_view bytes)
{
    struct nv_reader r;
    nv_reader_init(&r, bytes);
    memset(event, 0, sizeof *event);
    event->kind = nv_get_u8(&r);
    if (event->kind < VM_EVENT_CASH || event->kind > VM_EVENT_EPOCH) {
        return bytes.size == 0 ? NV_ERR_TRUNCATED : NV_ERR_MALFORMED;
    }
    switch ((enum vm_event_kind)event->kind) {
    case VM_EVENT_CASH: cash_get(&r, &event->cash); break;
    case VM_EVENT_ORDER: order_get(&r, &event->order); break;
    case VM_EVENT_FILL: fill_get(&r, &event->fill); break;
    case VM_EVENT_AUCTION: auction_get(&r, &event->auction); break;
    case VM_EVENT_INDEX: index_get(&r, &event->index); break;
    case VM_EVENT_MARK: mark_get(&r, &event->mark); break;
    case VM_EVENT_FUNDING: funding_get(&r, &event->funding); break;
    case VM_EVENT_PROTECTION: protection_get(&r, &event->protection); break;
    case VM_EVENT_SETTLEMENT: settlement_get(&r, &event->settlement); break;
    case VM_EVENT_MARKET: market_get(&r, &event->market); break;
    case VM_EVENT_SAFE_MODE: event->safe_mode = nv_get_u8(&r); break;
    case VM_EVENT_VALIDATOR: validator_get(&r, &event->validator); break;
    case VM_EVENT_EPOCH: epoch_get(&r, &event->epoch); break;
    }
    return nv_reader_end(&r);
}
