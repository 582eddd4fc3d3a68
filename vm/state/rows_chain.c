/* Rows of the chain: feeds, reports, reporters, parameters, totals, rings.
 * Layouts: docs/spec/rows.md sections 9 to 12. */

#include "vm/rows.h"
#include "vm/state/rows_put.h"

#include "base/pure.h"

void vm_feed_row_encode(struct nv_writer *w, const struct vm_feed_row *row)
{
    vm_put_symbol(w, row->symbol);
    vm_put_money(w, row->index);
    vm_put_money(w, row->confidence);
    nv_put_u64(w, row->index_ms);
    nv_put_u64(w, row->quorum_height);
    nv_put_u8(w, row->fresh);
    nv_put_u64(w, row->lost_ms);
    vm_put_ratio(w, row->range_initial);
    vm_put_ratio(w, row->range_maintenance);
}

enum nv_err vm_feed_row_decode(struct vm_feed_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    bool const symbol_ok = vm_get_symbol(&r, row->symbol);
    row->index = vm_get_money(&r);
    row->confidence = vm_get_money(&r);
    row->index_ms = nv_get_u64(&r);
    row->quorum_height = nv_get_u64(&r);
    row->fresh = nv_get_u8(&r);
    row->lost_ms = nv_get_u64(&r);
    row->range_initial = vm_get_ratio(&r);
    row->range_maintenance = vm_get_ratio(&r);
    NV_TRY(nv_reader_end(&r));
    return symbol_ok && row->fresh <= 1 ? NV_OK : NV_ERR_MALFORMED;
}

void vm_report_row_encode(struct nv_writer *w, const struct vm_report_row *row)
{
    vm_put_money(w, row->price);
    vm_put_money(w, row->confidence);
    nv_put_u64(w, row->time_ms);
}

enum nv_err vm_report_row_decode(struct vm_report_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->price = vm_get_money(&r);
    row->confidence = vm_get_money(&r);
    row->time_ms = nv_get_u64(&r);
    NV_TRY(nv_reader_end(&r));
    return row->time_ms != 0 ? NV_OK : NV_ERR_MALFORMED;
}

void vm_reporter_row_encode(struct nv_writer *w, const struct vm_reporter_row *row)
{
    nv_put_u64(w, row->account);
    nv_put_u64(w, row->stake);
}

enum nv_err vm_reporter_row_decode(struct vm_reporter_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->account = nv_get_u64(&r);
    row->stake = nv_get_u64(&r);
    NV_TRY(nv_reader_end(&r));
    return row->account != 0 && row->stake != 0 ? NV_OK : NV_ERR_MALFORMED;
}

void vm_param_row_encode(struct nv_writer *w, const struct vm_param_row *row)
{
    nv_put_i64(w, row->value);
}

enum nv_err vm_param_row_decode(struct vm_param_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->value = nv_get_i64(&r);
    return nv_reader_end(&r);
}

void vm_chain_row_encode(struct nv_writer *w, const struct vm_chain_row *row)
{
    nv_put_u64(w, row->height);
    nv_put_u64(w, row->time_ms);
    vm_put_money(w, row->vault);
    vm_put_money(w, row->supply);
    vm_put_money(w, row->cash_sum);
    vm_put_money(w, row->wallet_sum);
    vm_put_money(w, row->realised_sum);
    vm_put_money(w, row->scrub_cash);
    vm_put_money(w, row->scrub_wallet);
    nv_put_u64(w, row->next_account);
    nv_put_u64(w, row->fee_account);
    nv_put_u64(w, row->insurance_account);
    nv_put_u64(w, row->faucet_account);
    nv_put_u8(w, row->safe_mode);
    nv_put_bytes(w, row->params_hash.bytes, sizeof row->params_hash.bytes);
}

enum nv_err vm_chain_row_decode(struct vm_chain_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->height = nv_get_u64(&r);
    row->time_ms = nv_get_u64(&r);
    row->vault = vm_get_money(&r);
    row->supply = vm_get_money(&r);
    row->cash_sum = vm_get_money(&r);
    row->wallet_sum = vm_get_money(&r);
    row->realised_sum = vm_get_money(&r);
    row->scrub_cash = vm_get_money(&r);
    row->scrub_wallet = vm_get_money(&r);
    row->next_account = nv_get_u64(&r);
    row->fee_account = nv_get_u64(&r);
    row->insurance_account = nv_get_u64(&r);
    row->faucet_account = nv_get_u64(&r);
    row->safe_mode = nv_get_u8(&r);
    nv_get_bytes(&r, row->params_hash.bytes, sizeof row->params_hash.bytes);
    NV_TRY(nv_reader_end(&r));
    return row->safe_mode <= 1 && row->next_account >= 1 ? NV_OK : NV_ERR_MALFORMED;
}

void vm_block_result_row_encode(struct nv_writer *w, const struct vm_block_result_row *row)
{
    nv_put_u64(w, row->height);
    nv_put_u64(w, row->time_ms);
    nv_put_u32(w, row->tx_count);
    nv_put_u32(w, row->event_count);
    nv_put_bytes(w, row->receipts_root.bytes, sizeof row->receipts_root.bytes);
    nv_put_bytes(w, row->events_root.bytes, sizeof row->events_root.bytes);
}

enum nv_err vm_block_result_row_decode(struct vm_block_result_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->height = nv_get_u64(&r);
    row->time_ms = nv_get_u64(&r);
    row->tx_count = nv_get_u32(&r);
    row->event_count = nv_get_u32(&r);
    nv_get_bytes(&r, row->receipts_root.bytes, sizeof row->receipts_root.bytes);
    nv_get_bytes(&r, row->events_root.bytes, sizeof row->events_root.bytes);
    return nv_reader_end(&r);
}

void vm_root_row_encode(struct nv_writer *w, const struct vm_root_row *row)
{
    nv_put_u64(w, row->height);
    nv_put_bytes(w, row->root.bytes, sizeof row->root.bytes);
}

enum nv_err vm_root_row_decode(struct vm_root_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->height = nv_get_u64(&r);
    nv_get_bytes(&r, row->root.bytes, sizeof row->root.bytes);
    return nv_reader_end(&r);
}
