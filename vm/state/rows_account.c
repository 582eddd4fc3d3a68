/* Rows of accounts: account, address, session key, position, tombstone, orders.
 * Layouts: docs/spec/rows.md sections 3 to 5. */

#include "vm/rows.h"
#include "vm/state/rows_put.h"
#include "vm/tx.h"

#include "base/pure.h"

void vm_account_row_encode(struct nv_writer *w, const struct vm_account_row *row)
{
    nv_put_bytes(w, row->address.bytes, sizeof row->address.bytes);
    struct nv_writer out = *w; /* whose fields no byte that is written can be */
    vm_put_money(&out, row->cash);
    vm_put_money(&out, row->wallet);
    nv_put_u8(&out, row->stage);
    nv_put_u64(&out, row->stage_height);
    nv_put_u64(&out, row->created_height);
    *w = out;
}

enum nv_err vm_account_row_decode(struct vm_account_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    nv_get_bytes(&r, row->address.bytes, sizeof row->address.bytes);
    row->cash = vm_get_money(&r);
    row->wallet = vm_get_money(&r);
    row->stage = nv_get_u8(&r);
    row->stage_height = nv_get_u64(&r);
    row->created_height = nv_get_u64(&r);
    NV_TRY(nv_reader_end(&r));
    bool const ok = vm_money_raw(row->wallet) >= 0 && row->stage <= VM_STAGE_DELEVERAGE;
    return ok ? NV_OK : NV_ERR_MALFORMED;
}

void vm_address_row_encode(struct nv_writer *w, const struct vm_address_row *row)
{
    nv_put_u64(w, row->account);
}

enum nv_err vm_address_row_decode(struct vm_address_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->account = nv_get_u64(&r);
    NV_TRY(nv_reader_end(&r));
    return row->account != 0 ? NV_OK : NV_ERR_MALFORMED;
}

void vm_session_row_encode(struct nv_writer *w, const struct vm_session_row *row)
{
    nv_put_bytes(w, row->key.bytes, sizeof row->key.bytes);
    nv_put_u32(w, row->scopes);
    nv_put_u64(w, row->expires_ms);
}

enum nv_err vm_session_row_decode(struct vm_session_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    nv_get_bytes(&r, row->key.bytes, sizeof row->key.bytes);
    row->scopes = nv_get_u32(&r);
    row->expires_ms = nv_get_u64(&r);
    NV_TRY(nv_reader_end(&r));
    return row->scopes >= 1 && row->scopes <= VM_SCOPES_ALL ? NV_OK : NV_ERR_MALFORMED;
}

void vm_position_row_encode(struct nv_writer *w, const struct vm_position_row *row)
{
    vm_put_lots(w, row->lots);
    vm_put_money(w, row->cost);
}

enum nv_err vm_position_row_decode(struct vm_position_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->lots = vm_get_lots(&r);
    row->cost = vm_get_money(&r);
    NV_TRY(nv_reader_end(&r));
    bool const ok = vm_lots_raw(row->lots) != 0 || vm_money_raw(row->cost) != 0;
    return ok ? NV_OK : NV_ERR_MALFORMED;
}

void vm_tombstone_row_encode(struct nv_writer *w, const struct vm_tombstone_row *row)
{
    nv_put_u64(w, row->expires_ms);
}

enum nv_err vm_tombstone_row_decode(struct vm_tombstone_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->expires_ms = nv_get_u64(&r);
    return nv_reader_end(&r);
}

/* One piece of fixed size: order pages are what most blocks write most of. */
void vm_order_put(struct nv_writer *w, uint8_t ordinal, const struct vm_order_row *row)
{
    uint8_t *const bytes = nv_writer_claim(w, VM_ORDER_SIZE);
    if (bytes == NULL) {
        return;
    }
    bytes[0] = ordinal;
    nv_be32_store(bytes + 1, row->slot);
    nv_be32_store(bytes + 5, row->generation);
    bytes[9] = row->side;
    bytes[10] = row->flags;
    nv_be64_store(bytes + 11, (uint64_t)vm_price_raw(row->price));
    nv_be64_store(bytes + 19, (uint64_t)vm_lots_raw(row->lots));
    nv_be64_store(bytes + 27, row->placed_height);
    nv_be64_store(bytes + 35, row->expires_ms);
    nv_be64_store(bytes + 43, row->client_id);
    nv_be64_store(bytes + 51, row->tie);
}

static bool order_get(struct nv_reader *r, struct vm_order_row *row)
{
    row->slot = nv_get_u32(r);
    row->generation = nv_get_u32(r);
    row->side = nv_get_u8(r);
    row->flags = nv_get_u8(r);
    row->price = vm_get_price(r);
    row->lots = vm_get_lots(r);
    row->placed_height = nv_get_u64(r);
    row->expires_ms = nv_get_u64(r);
    row->client_id = nv_get_u64(r);
    row->tie = nv_get_u64(r);
    return row->slot < VM_SLOT_END && row->generation < VM_GENERATION_END &&
           (row->side == VM_BUY || row->side == VM_SELL) && row->flags <= VM_ORDER_FLAGS_ALL &&
           vm_lots_raw(row->lots) > 0;
}

void vm_orders_row_encode(struct nv_writer *w, const struct vm_orders_row *row)
{
    nv_put_u8(w, row->count);
    for (uint32_t i = 0; i < row->count; i++) {
        vm_order_put(w, row->ordinal[i], &row->order[i]);
    }
}

enum nv_err vm_orders_row_decode(struct vm_orders_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->count = nv_get_u8(&r);
    if (row->count < 1 || row->count > VM_ORDER_PAGE) {
        return value.size == 0 ? NV_ERR_TRUNCATED : NV_ERR_MALFORMED;
    }
    bool ok = true;
    for (uint32_t i = 0; i < row->count; i++) {
        row->ordinal[i] = nv_get_u8(&r);
        ok = ok && row->ordinal[i] < VM_ORDER_PAGE;
        ok = ok && (i == 0 || row->ordinal[i] > row->ordinal[i - 1]);
        ok = order_get(&r, &row->order[i]) && ok;
    }
    NV_TRY(nv_reader_end(&r));
    return ok ? NV_OK : NV_ERR_MALFORMED;
}
