/* Rows of markets: listing, state, price levels.
 * Layouts: docs/spec/rows.md sections 6 to 8. */

#include "vm/rows.h"
#include "vm/state/rows_put.h"

#include "base/pure.h"

bool vm_symbol_ok(const char *symbol)
{
    uint32_t size = 0;
    while (size < VM_SYMBOL_SIZE && symbol[size] > ' ' && symbol[size] <= '~') {
        size++;
    }
    bool ok = size >= 1 && size < VM_SYMBOL_SIZE;
    for (uint32_t i = size; i < VM_SYMBOL_SIZE; i++) {
        ok = ok && symbol[i] == 0;
    }
    return ok;
}

void vm_put_symbol(struct nv_writer *w, const char *symbol)
{
    nv_put_bytes(w, symbol, VM_SYMBOL_SIZE);
}

bool vm_get_symbol(struct nv_reader *r, char *symbol)
{
    nv_get_bytes(r, symbol, VM_SYMBOL_SIZE);
    return vm_symbol_ok(symbol);
}

void vm_market_row_encode(struct nv_writer *w, const struct vm_market_row *row)
{
    vm_put_symbol(w, row->symbol);
    nv_put_u32(w, row->feed);
    nv_put_u64(w, row->tick_micro);
    nv_put_u32(w, row->lots_per_unit);
    vm_put_money(w, row->tick_value);
    nv_put_u64(w, row->expires_ms);
    nv_put_u64(w, row->settle_window_ms);
    nv_put_u64(w, row->funding_interval_ms);
    vm_put_lots(w, row->order_lots_max);
    vm_put_lots(w, row->open_interest_max);
    nv_put_u16(w, row->program_size);
    nv_put_bytes(w, row->program, row->program_size);
}

/* The listing's numbers agree: the tick value is whole and at least 1. */
static bool market_ok(const struct vm_market_row *row)
{
    if (row->lots_per_unit == 0 || row->tick_micro == 0 || row->tick_micro > INT64_MAX ||
        row->tick_micro % row->lots_per_unit != 0) {
        return false;
    }
    int64_t const tick_value = (int64_t)(row->tick_micro / row->lots_per_unit);
    return vm_money_raw(row->tick_value) == tick_value && vm_lots_raw(row->order_lots_max) > 0 &&
           vm_lots_raw(row->order_lots_max) <= VM_LOTS_MAX &&
           vm_lots_raw(row->open_interest_max) > 0 && row->program_size > 0;
}

enum nv_err vm_market_row_decode(struct vm_market_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    bool const symbol_ok = vm_get_symbol(&r, row->symbol);
    row->feed = nv_get_u32(&r);
    row->tick_micro = nv_get_u64(&r);
    row->lots_per_unit = nv_get_u32(&r);
    row->tick_value = vm_get_money(&r);
    row->expires_ms = nv_get_u64(&r);
    row->settle_window_ms = nv_get_u64(&r);
    row->funding_interval_ms = nv_get_u64(&r);
    row->order_lots_max = vm_get_lots(&r);
    row->open_interest_max = vm_get_lots(&r);
    row->program_size = nv_get_u16(&r);
    if (row->program_size > VM_PROGRAM_SIZE_MAX) {
        return NV_ERR_TOO_LARGE;
    }
    memset(row->program, 0, sizeof row->program);
    nv_get_bytes(&r, row->program, row->program_size);
    NV_TRY(nv_reader_end(&r));
    return symbol_ok && market_ok(row) ? NV_OK : NV_ERR_MALFORMED;
}

static void vwap_put(struct nv_writer *w, const struct vm_vwap_bucket *bucket)
{
    nv_put_u64(w, bucket->start_ms);
    vm_put_lots(w, bucket->lots);
    vm_put_money(w, bucket->value);
}

static void vwap_get(struct nv_reader *r, struct vm_vwap_bucket *bucket)
{
    bucket->start_ms = nv_get_u64(r);
    bucket->lots = vm_get_lots(r);
    bucket->value = vm_get_money(r);
}

/* The fields of a market's state in the order of their bytes; the vwap buckets
 * follow them. */
#define MARKET_STATE_FIELDS(XX)                                                                    \
    XX(nv, u8, status)                                                                             \
    XX(nv, u64, status_ms)                                                                         \
    XX(nv, u32, generation)                                                                        \
    XX(vm, money, carry)                                                                           \
    XX(vm, money, realised)                                                                        \
    XX(vm, money, cost_sum)                                                                        \
    XX(vm, lots, lots_sum)                                                                         \
    XX(vm, lots, open_interest)                                                                    \
    XX(vm, lots, scrub_lots)                                                                       \
    XX(vm, money, scrub_cost)                                                                      \
    XX(vm, money, mark)                                                                            \
    XX(vm, money, index_value)                                                                     \
    XX(vm, money, basis)                                                                           \
    XX(vm, price, last_price)                                                                      \
    XX(nv, u64, last_trade_ms)                                                                     \
    XX(nv, u64, mid_rested_ms)                                                                     \
    XX(vm, money, mid)                                                                             \
    XX(nv, u64, extended_from_ms)                                                                  \
    XX(nv, u64, extension_last_ms)                                                                 \
    XX(nv, u32, waiting_ioc)                                                                       \
    XX(nv, u64, funding_next_ms)                                                                   \
    XX(nv, u64, premium_at_ms)                                                                     \
    XX(vm, money, premium)                                                                         \
    XX(nv, i64, premium_sum_hi)                                                                    \
    XX(nv, u64, premium_sum_lo)                                                                    \
    XX(nv, u64, average_at_ms)                                                                     \
    XX(vm, money, average_last)                                                                    \
    XX(nv, u64, average_ms)                                                                        \
    XX(nv, i64, average_sum_hi)                                                                    \
    XX(nv, u64, average_sum_lo)                                                                    \
    XX(vm, money, settlement)                                                                      \
    XX(vm, money, risk_index)                                                                      \
    XX(vm, ratio, risk_range)

void vm_market_state_row_encode(struct nv_writer *w, const struct vm_market_state_row *row)
{
#define XX(module, type, field) module##_put_##type(w, row->field);
    MARKET_STATE_FIELDS(XX)
#undef XX
    for (uint32_t i = 0; i < VM_VWAP_BUCKETS; i++) {
        vwap_put(w, &row->vwap[i]);
    }
}

enum nv_err vm_market_state_row_decode(struct vm_market_state_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
#define XX(module, type, field) row->field = module##_get_##type(&r);
    MARKET_STATE_FIELDS(XX)
#undef XX
    for (uint32_t i = 0; i < VM_VWAP_BUCKETS; i++) {
        vwap_get(&r, &row->vwap[i]);
    }
    NV_TRY(nv_reader_end(&r));
    bool const ok = row->status >= VM_MARKET_OPEN && row->status <= VM_MARKET_QUARANTINED &&
                    row->generation < VM_GENERATION_END;
    return ok ? NV_OK : NV_ERR_MALFORMED;
}

void vm_level_row_encode(struct nv_writer *w, const struct vm_level_row *row)
{
    nv_put_u64(w, row->occupied);
    for (uint64_t left = row->occupied; left != 0; left &= left - 1) {
        vm_put_lots(w, row->lots[__builtin_ctzll(left)]);
    }
}

enum nv_err vm_level_row_decode(struct vm_level_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    memset(row->lots, 0, sizeof row->lots);
    row->occupied = nv_get_u64(&r);
    bool ok = row->occupied != 0;
    for (uint64_t left = row->occupied; left != 0; left &= left - 1) {
        struct vm_lots const lots = vm_get_lots(&r);
        row->lots[__builtin_ctzll(left)] = lots;
        ok = ok && vm_lots_raw(lots) > 0;
    }
    NV_TRY(nv_reader_end(&r));
    return ok ? NV_OK : NV_ERR_MALFORMED;
}
