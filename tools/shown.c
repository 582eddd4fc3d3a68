#include "tools/shown.h"

#include <jansson.h>
#include <string.h>

#include "base/fmt.h"
#include "base/heap.h"
#include "base/int.h"

/* ---- rows ---- */

enum nv_err
shown_value(const struct nv_proof *proof, const struct nv_row_key *key, struct nv_view *value)
{
    switch (nv_proof_find(proof, key, value)) {
    case NV_SHOWN_PRESENT: return NV_OK;
    case NV_SHOWN_ABSENT: return NV_ERR_NOT_FOUND;
    case NV_SHOWN_NOT: return NV_ERR_MISMATCH;
    }
    return NV_ERR_MISMATCH;
}

enum nv_err shown_account(const struct nv_proof *proof,
                          const struct nv_address *address,
                          struct shown_account *out)
{
    struct nv_row_key key;
    struct nv_view value;
    struct vm_address_row found;
    memset(out, 0, sizeof *out);
    out->address = *address;
    vm_key_address(&key, address);
    NV_TRY(shown_value(proof, &key, &value));
    NV_TRY(vm_address_row_decode(&found, value));
    out->id = found.account;
    vm_key_account(&key, out->id);
    NV_TRY(shown_value(proof, &key, &value));
    return vm_account_row_decode(&out->row, value);
}

enum nv_err shown_market(const struct nv_proof *proof, uint32_t id, struct shown_market *out)
{
    struct nv_row_key key;
    struct nv_view value;
    memset(out, 0, sizeof *out);
    out->id = id;
    vm_key_market(&key, id);
    NV_TRY(shown_value(proof, &key, &value));
    NV_TRY(vm_market_row_decode(&out->row, value));
    vm_key_market_state(&key, id);
    NV_TRY(shown_value(proof, &key, &value));
    NV_TRY(vm_market_state_row_decode(&out->state, value));
    vm_key_feed(&key, out->row.feed);
    NV_TRY(shown_value(proof, &key, &value));
    NV_TRY(vm_feed_row_decode(&out->feed, value));
    if (out->row.tick_micro == 0 || out->row.tick_micro > INT64_MAX ||
        out->row.lots_per_unit == 0) {
        return NV_ERR_CORRUPT;
    }
    out->grid = (struct tool_grid){(int64_t)out->row.tick_micro, out->row.lots_per_unit};
    return NV_OK;
}

void shown_prefix(struct nv_row_range *out, const struct nv_row_key *key, uint32_t size)
{
    out->first = *key;
    out->last = *key;
    memset(out->first.bytes + size, 0, sizeof key->bytes - size);
    memset(out->last.bytes + size, 0xff, sizeof key->bytes - size);
}

enum nv_err shown_range(struct nv_row_range *out,
                        const struct nv_proof *proof,
                        const struct nv_row_key *key,
                        uint32_t size)
{
    shown_prefix(out, key, size);
    return nv_proof_covers(proof, out) ? NV_OK : NV_ERR_MISMATCH;
}

bool shown_next(const struct nv_proof *proof,
                const struct nv_row_range *range,
                uint32_t *cursor,
                struct nv_row *row)
{
    while (nv_proof_next(proof, cursor, row)) {
        if (nv_row_key_cmp(&row->key, &range->first) >= 0) {
            return nv_row_key_cmp(&row->key, &range->last) <= 0;
        }
    }
    return false;
}

static enum nv_err source_get(void *ctx, struct nv_view *value, const struct nv_row_key *key)
{
    return shown_value(ctx, key, value);
}

static enum nv_err
source_walk(void *ctx, const struct nv_row_range *range, vm_row_fn visit, void *visit_ctx)
{
    struct nv_row_range seen = *range;
    struct nv_row row;
    uint32_t cursor = 0;
    bool enough = false;
    while (!enough && shown_next(ctx, range, &cursor, &row)) {
        NV_TRY(visit(visit_ctx, &row, &enough));
    }
    if (enough) {
        seen.last = row.key;
    }
    return nv_proof_covers(ctx, &seen) ? NV_OK : NV_ERR_MISMATCH;
}

struct vm_row_source shown_source(const struct nv_proof *proof)
{
    /* Only read: the source's own functions take it for const again. */
    void *const ctx = (void *)(uintptr_t)proof;
    return (struct vm_row_source){.ctx = ctx, .get = source_get, .walk = source_walk};
}

bool shown_position_value(int64_t *micro,
                          const struct shown_market *market,
                          const struct vm_position_row *row)
{
    nv_i128 const per_lot =
        (nv_i128)vm_money_raw(market->state.mark) - vm_money_raw(market->state.carry);
    nv_i128 value = 0;
    return nv_mul_i128(vm_lots_raw(row->lots), per_lot, &value) &&
           nv_add_i128(value, vm_money_raw(row->cost), &value) && nv_narrow_try_i64(value, micro);
}

/* ---- JSON ---- */

struct nv_view get_hex(const json_t *object, const char *key, uint8_t *out, uint32_t cap)
{
    const char *const text = json_string_value(json_object_get(object, key));
    uint32_t size = 0;
    if (text == NULL || nv_bytes_parse_up_to(out, &size, cap, nv_view_of_text(text)) != NV_OK) {
        size = 0;
    }
    return nv_view_of(out, size);
}

static void put(json_t *object, const char *key, json_t *value)
{
    (void)json_object_set_new(object, key, value);
}

void put_text(json_t *object, const char *key, const char *text)
{
    put(object, key, json_string(text));
}

void put_u64(json_t *object, const char *key, uint64_t value)
{
    char text[NV_DECIMAL_TEXT];
    nv_u64_format(text, value);
    put_text(object, key, text);
}

void put_i64(json_t *object, const char *key, int64_t value)
{
    char text[NV_DECIMAL_TEXT];
    nv_decimal_format(text, value, 0);
    put_text(object, key, text);
}

void put_count(json_t *object, const char *key, uint64_t value)
{
    put(object, key, json_integer((json_int_t)value));
}

void put_count_or_null(json_t *object, const char *key, uint64_t value)
{
    put(object, key, value != 0 ? json_integer((json_int_t)value) : json_null());
}

void put_bool(json_t *object, const char *key, bool value)
{
    put(object, key, json_boolean(value));
}

void put_null(json_t *object, const char *key)
{
    put(object, key, json_null());
}

void put_micro(json_t *object, const char *key, int64_t micro)
{
    char text[NV_DECIMAL_TEXT];
    nv_decimal_format(text, micro, NV_MICRO_PLACES);
    put_text(object, key, text);
}

void put_hex(json_t *object, const char *key, const void *bytes, uint32_t size)
{
    char *const text = nv_heap_alloc(NV_BYTES_TEXT((size_t)size));
    if (text == NULL) {
        put_null(object, key);
        return;
    }
    nv_bytes_format(text, bytes, size);
    put_text(object, key, text);
    nv_heap_free(text);
}

/* A number that leaves 64 bits is null, as the node writes it. */
static json_t *or_null(const char *text)
{
    return strcmp(text, "-") == 0 ? json_null() : json_string(text);
}

json_t *price_json(const struct tool_grid *grid, int64_t ticks)
{
    char text[NV_DECIMAL_TEXT];
    grid_price(text, grid, ticks);
    return or_null(text);
}

json_t *size_json(const struct tool_grid *grid, int64_t lots)
{
    char text[NV_DECIMAL_TEXT];
    grid_size(text, grid, lots);
    return or_null(text);
}

void put_size(json_t *o, const char *key, const struct tool_grid *grid, int64_t lots)
{
    put(o, key, size_json(grid, lots));
}

void put_price(json_t *o, const char *key, const struct tool_grid *grid, int64_t ticks)
{
    put(o, key, price_json(grid, ticks));
}

void put_per_lot(json_t *o, const char *key, const struct tool_grid *grid, int64_t micro)
{
    char text[NV_DECIMAL_TEXT];
    grid_per_lot(text, grid, micro);
    put(o, key, or_null(text));
}
