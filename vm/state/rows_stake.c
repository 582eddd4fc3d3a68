/* Rows of stake: totals, validators, who owns what of them, sets, uptime.
 * Layouts: docs/spec/rows.md section 14. */

#include "vm/rows.h"
#include "vm/state/rows_put.h"

#include "base/pure.h"

const char *vm_validator_status_name(uint8_t status)
{
    switch ((enum vm_validator_status)status) {
    case VM_VALIDATOR_ACTIVE: return "active";
    case VM_VALIDATOR_JAILED: return "jailed";
    case VM_VALIDATOR_TOMBSTONED: return "tombstoned";
    }
    return "unknown";
}

static void put_shares(struct nv_writer *w, struct vm_shares s)
{
    nv_put_i64(w, vm_shares_raw(s));
}

static struct vm_shares get_shares(struct nv_reader *r)
{
    return vm_shares(nv_get_i64(r));
}

static void put_pool(struct nv_writer *w, const struct vm_pool *pool)
{
    vm_put_money(w, pool->tokens);
    put_shares(w, pool->shares);
}

static void get_pool(struct nv_reader *r, struct vm_pool *pool)
{
    pool->tokens = vm_get_money(r);
    pool->shares = get_shares(r);
}

static void put_key(struct nv_writer *w, const struct nv_pubkey *key)
{
    nv_put_bytes(w, key->bytes, sizeof key->bytes);
}

static void get_key(struct nv_reader *r, struct nv_pubkey *key)
{
    nv_get_bytes(r, key->bytes, sizeof key->bytes);
}

void vm_staking_row_encode(struct nv_writer *w, const struct vm_staking_row *row)
{
    nv_put_u64(w, row->epoch);
    nv_put_u64(w, row->epoch_height);
    vm_put_money(w, row->pot);
    vm_put_money(w, row->staked);
    vm_put_money(w, row->scrub_staked);
    nv_put_u32(w, row->validators);
}

enum nv_err vm_staking_row_decode(struct vm_staking_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->epoch = nv_get_u64(&r);
    row->epoch_height = nv_get_u64(&r);
    row->pot = vm_get_money(&r);
    row->staked = vm_get_money(&r);
    row->scrub_staked = vm_get_money(&r);
    row->validators = nv_get_u32(&r);
    NV_TRY(nv_reader_end(&r));
    bool const ok =
        row->epoch >= 1 && vm_money_raw(row->pot) >= 0 && vm_money_raw(row->staked) >= 0;
    return ok ? NV_OK : NV_ERR_MALFORMED;
}

void vm_validator_row_encode(struct nv_writer *w, const struct vm_validator_row *row)
{
    put_key(w, &row->key);
    put_key(w, &row->node_key);
    put_pool(w, &row->pool);
    vm_put_money(w, row->due);
    vm_put_money(w, row->least);
    vm_put_ratio(w, row->commission);
    nv_put_u64(w, row->commission_epoch);
    nv_put_u8(w, row->status);
    nv_put_u64(w, row->jailed_epoch);
    nv_put_u8(w, row->slash_count);
    for (uint32_t i = 0; i < row->slash_count; i++) {
        nv_put_u64(w, row->slash_epoch[i]);
    }
}

static bool validator_ok(const struct vm_validator_row *row)
{
    bool ok = vm_money_raw(row->pool.tokens) >= 0 && vm_shares_raw(row->pool.shares) >= 0 &&
              vm_money_raw(row->due) >= 0 && vm_money_raw(row->least) >= 0 &&
              vm_ratio_raw(row->commission) >= 0 &&
              vm_ratio_raw(row->commission) <= VM_RATIO_ONE_PPB &&
              row->status >= VM_VALIDATOR_ACTIVE && row->status <= VM_VALIDATOR_TOMBSTONED;
    for (uint32_t i = 1; i < row->slash_count; i++) {
        ok = ok && row->slash_epoch[i - 1] < row->slash_epoch[i];
    }
    return ok;
}

enum nv_err vm_validator_row_decode(struct vm_validator_row *row, struct nv_view value)
{
    struct nv_reader r;
    memset(row, 0, sizeof *row);
    nv_reader_init(&r, value);
    get_key(&r, &row->key);
    get_key(&r, &row->node_key);
    get_pool(&r, &row->pool);
    row->due = vm_get_money(&r);
    row->least = vm_get_money(&r);
    row->commission = vm_get_ratio(&r);
    row->commission_epoch = nv_get_u64(&r);
    row->status = nv_get_u8(&r);
    row->jailed_epoch = nv_get_u64(&r);
    row->slash_count = nv_get_u8(&r);
    for (uint32_t i = 0; i < row->slash_count && i < VM_SLASHES_MAX; i++) {
        row->slash_epoch[i] = nv_get_u64(&r);
    }
    NV_TRY(nv_reader_end(&r));
    return row->slash_count <= VM_SLASHES_MAX && validator_ok(row) ? NV_OK : NV_ERR_MALFORMED;
}

void vm_delegation_row_encode(struct nv_writer *w, const struct vm_delegation_row *row)
{
    put_shares(w, row->shares);
}

enum nv_err vm_delegation_row_decode(struct vm_delegation_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->shares = get_shares(&r);
    NV_TRY(nv_reader_end(&r));
    return vm_shares_raw(row->shares) > 0 ? NV_OK : NV_ERR_MALFORMED;
}

void vm_batch_row_encode(struct nv_writer *w, const struct vm_batch_row *row)
{
    put_pool(w, &row->pool);
}

enum nv_err vm_batch_row_decode(struct vm_batch_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    get_pool(&r, &row->pool);
    NV_TRY(nv_reader_end(&r));
    bool const ok = vm_money_raw(row->pool.tokens) >= 0 && vm_shares_raw(row->pool.shares) > 0;
    return ok ? NV_OK : NV_ERR_MALFORMED;
}

void vm_unbonding_row_encode(struct nv_writer *w, const struct vm_unbonding_row *row)
{
    put_shares(w, row->shares);
    nv_put_u64(w, row->release_ms);
}

enum nv_err vm_unbonding_row_decode(struct vm_unbonding_row *row, struct nv_view value)
{
    struct nv_reader r;
    nv_reader_init(&r, value);
    row->shares = get_shares(&r);
    row->release_ms = nv_get_u64(&r);
    NV_TRY(nv_reader_end(&r));
    return vm_shares_raw(row->shares) > 0 ? NV_OK : NV_ERR_MALFORMED;
}

void vm_set_row_encode(struct nv_writer *w, const struct vm_set_row *row)
{
    nv_put_u64(w, row->height);
    nv_put_u8(w, row->count);
    nv_put_u8(w, row->size);
    for (uint32_t i = 0; i < row->size; i++) {
        nv_put_u64(w, row->member[i].validator);
        put_key(w, &row->member[i].key);
        vm_put_money(w, row->member[i].stake);
    }
}

enum nv_err vm_set_row_decode(struct vm_set_row *row, struct nv_view value)
{
    struct nv_reader r;
    memset(row, 0, sizeof *row);
    nv_reader_init(&r, value);
    row->height = nv_get_u64(&r);
    row->count = nv_get_u8(&r);
    row->size = nv_get_u8(&r);
    bool ok = row->count >= 1 && row->count <= VM_VALIDATORS_MAX && row->size >= 1 &&
              row->size <= row->count && row->size <= VM_SET_PAGE;
    for (uint32_t i = 0; ok && i < row->size; i++) {
        struct vm_member *const m = &row->member[i];
        m->validator = nv_get_u64(&r);
        get_key(&r, &m->key);
        m->stake = vm_get_money(&r);
        ok = m->validator != 0 && vm_money_raw(m->stake) > 0;
    }
    NV_TRY(nv_reader_end(&r));
    return ok ? NV_OK : NV_ERR_MALFORMED;
}

void vm_uptime_row_encode(struct nv_writer *w, const struct vm_uptime_row *row)
{
    nv_put_u32(w, row->blocks);
    nv_put_u8(w, row->count);
    for (uint32_t i = 0; i < row->count; i++) {
        nv_put_u32(w, row->present[i]);
    }
}

enum nv_err vm_uptime_row_decode(struct vm_uptime_row *row, struct nv_view value)
{
    struct nv_reader r;
    memset(row, 0, sizeof *row);
    nv_reader_init(&r, value);
    row->blocks = nv_get_u32(&r);
    row->count = nv_get_u8(&r);
    bool ok = row->count >= 1 && row->count <= VM_VALIDATORS_MAX;
    for (uint32_t i = 0; ok && i < row->count; i++) {
        row->present[i] = nv_get_u32(&r);
        ok = row->present[i] <= row->blocks;
    }
    NV_TRY(nv_reader_end(&r));
    return ok ? NV_OK : NV_ERR_MALFORMED;
}
