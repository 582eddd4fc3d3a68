/* Answers about stake, by the rows that a proof shows.  What the rows say is
 * vm/read_stake.h's, as for the node; here it is written down. */

#include <jansson.h>

#include "base/fmt.h"

#include "tools/derive_part.h"
#include "tools/shown.h"

#define COMMISSION_PLACES 9u

static void put_address(json_t *out, const char *key, const struct nv_address *address)
{
    char text[NV_ADDRESS_TEXT];
    nv_address_format(text, address);
    put_text(out, key, text);
}

/* add_object appends an empty object to a list, which owns it. */
static json_t *add_object(json_t *list)
{
    json_t *const entry = json_object();
    (void)json_array_append_new(list, entry);
    return entry;
}

/* ---- validators ---- */

static void put_row(json_t *out, const struct vm_validator_row *row)
{
    char commission[NV_DECIMAL_TEXT];
    nv_decimal_format(commission, vm_ratio_raw(row->commission), COMMISSION_PLACES);
    put_hex(out, "key", row->key.bytes, sizeof row->key.bytes);
    put_hex(out, "node_key", row->node_key.bytes, sizeof row->node_key.bytes);
    put_text(out, "status", vm_validator_status_name(row->status));
    put_micro(out, "stake", vm_money_raw(row->pool.tokens));
    put_i64(out, "shares", vm_shares_raw(row->pool.shares));
    put_micro(out, "least", vm_money_raw(row->least));
    put_micro(out, "due", vm_money_raw(row->due));
    put_text(out, "commission", commission);
    put_u64(out, "jailed_epoch", row->jailed_epoch);
    put_count(out, "slashes", row->slash_count);
}

/* put_duty writes what a validator does in the epoch, nulls if it is not in its
 * set. */
static void put_duty(json_t *out, const struct vm_read_validator *validator)
{
    if (!validator->serves) {
        put_null(out, "index");
        put_null(out, "power");
        put_null(out, "signed");
        return;
    }
    put_count(out, "index", validator->index);
    put_i64(out, "power", vm_money_raw(validator->power));
    put_count(out, "signed", validator->present);
}

static enum nv_err add_validator(void *ctx, const struct vm_read_validator *validator)
{
    json_t *const entry = add_object(ctx);
    put_address(entry, "validator", &validator->address);
    put_row(entry, &validator->row);
    put_duty(entry, validator);
    return NV_OK;
}

/* read_limit reads how long a page was asked for. */
static enum nv_err read_limit(uint32_t *out, const json_t *params)
{
    const json_t *const limit = json_object_get(params, "limit");
    json_int_t const count = limit != NULL ? json_integer_value(limit) : (json_int_t)VM_READ_PAGE;
    if (count < 0) {
        return NV_ERR_MALFORMED;
    }
    *out = count < (json_int_t)VM_READ_PAGE_MAX ? (uint32_t)count : VM_READ_PAGE_MAX;
    return NV_OK;
}

/* read_page reads which page was asked for. */
static enum nv_err read_page(struct vm_read_page *out, const json_t *params)
{
    const json_t *const cursor = json_object_get(params, "cursor");
    *out = (struct vm_read_page){.first = 0};
    NV_TRY(read_limit(&out->limit, params));
    if (cursor == NULL) {
        return NV_OK;
    }
    return json_is_string(cursor)
               ? nv_u64_parse(&out->first, nv_view_of_text(json_string_value(cursor)))
               : NV_ERR_MALFORMED;
}

enum nv_err derive_stake_validators(json_t *out, const struct derive_question *q)
{
    struct vm_row_source const from = shown_source(q->proof);
    struct vm_read_page page;
    struct vm_in_force epoch;
    NV_TRY(read_page(&page, q->params));
    NV_TRY(vm_read_in_force(&from, &epoch));
    put_u64(out, "epoch", epoch.staking.epoch);
    put_u64(out, "epoch_height", epoch.staking.epoch_height);
    put_count(out, "blocks", epoch.uptime.blocks);
    put_micro(out, "staked", vm_money_raw(epoch.staking.staked));
    put_micro(out, "reward_pot", vm_money_raw(epoch.staking.pot));
    json_t *const list = json_array();
    (void)json_object_set_new(out, "validators", list);
    NV_TRY(vm_read_validators(&from, &page, &epoch, add_validator, list));
    if (page.next != 0) {
        put_u64(out, "cursor", page.next);
    } else {
        put_null(out, "cursor");
    }
    return NV_OK;
}

/* ---- of one account ---- */

static enum nv_err add_stake(void *ctx, const struct vm_read_stake *stake)
{
    json_t *const entry = add_object(ctx);
    put_address(entry, "validator", &stake->validator);
    put_text(entry, "status", vm_validator_status_name(stake->status));
    put_i64(entry, "shares", vm_shares_raw(stake->shares));
    put_micro(entry, "worth", vm_money_raw(stake->worth));
    return NV_OK;
}

static enum nv_err add_waiting(void *ctx, const struct vm_read_waiting *waiting)
{
    json_t *const entry = add_object(ctx);
    put_address(entry, "validator", &waiting->validator);
    put_u64(entry, "epoch", waiting->epoch);
    put_micro(entry, "worth", vm_money_raw(waiting->worth));
    put_count(entry, "release_ms", waiting->release_ms);
    return NV_OK;
}

/* read_own reads which page of an account's list was asked for. */
static enum nv_err read_own(struct vm_read_own *out, uint64_t account, const json_t *params)
{
    const json_t *const cursor = json_object_get(params, "cursor");
    struct nv_row_key first;
    uint32_t limit = 0;
    NV_TRY(read_limit(&limit, params));
    if (cursor == NULL) {
        return vm_read_own_begin(out, account, NULL, limit);
    }
    if (!json_is_string(cursor)) {
        return NV_ERR_MALFORMED;
    }
    NV_TRY(nv_bytes_parse(
        first.bytes, sizeof first.bytes, nv_view_of_text(json_string_value(cursor))));
    return vm_read_own_begin(out, account, &first, limit);
}

enum nv_err derive_stake_get(json_t *out, const struct derive_question *q)
{
    struct vm_row_source const from = shown_source(q->proof);
    struct nv_address address;
    struct shown_account account;
    struct vm_staking_row staking;
    struct vm_read_own own;
    const char *const asked = json_string_value(json_object_get(q->params, "address"));
    if (asked == NULL) {
        return NV_ERR_MALFORMED;
    }
    NV_TRY(nv_address_parse(&address, nv_view_of_text(asked)));
    NV_TRY(shown_account(q->proof, &address, &account));
    NV_TRY(read_own(&own, account.id, q->params));
    NV_TRY(vm_read_staking(&from, &staking));
    put_address(out, "address", &address);
    put_u64(out, "account", account.id);
    put_u64(out, "epoch", staking.epoch);
    json_t *const stakes = json_array();
    json_t *const waiting = json_array();
    (void)json_object_set_new(out, "stakes", stakes);
    (void)json_object_set_new(out, "waiting", waiting);
    NV_TRY(vm_read_stakes(&from, &own, add_stake, stakes));
    NV_TRY(vm_read_waiting(&from, &own, add_waiting, waiting));
    if (own.more) {
        put_hex(out, "cursor", own.next.bytes, sizeof own.next.bytes);
    } else {
        put_null(out, "cursor");
    }
    return NV_OK;
}
