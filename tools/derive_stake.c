/* Answers about stake, by the rows that a proof shows: who validates, and what an
 * account has with them. */

#include <jansson.h>
#include <string.h>

#include "base/codec.h"
#include "base/fmt.h"

#include "tools/derive_part.h"
#include "tools/shown.h"

#define COMMISSION_PLACES 9u

/* The set in force and how often each of it signed. */
struct duties {
    struct vm_uptime_row uptime;
    uint32_t count;
    struct vm_member member[VM_VALIDATORS_MAX];
};

static enum nv_err read_staking(struct vm_staking_row *out, const struct nv_proof *proof)
{
    struct nv_row_key key;
    struct nv_view value;
    vm_key_staking(&key);
    NV_TRY(shown_value(proof, &key, &value));
    return vm_staking_row_decode(out, value);
}

static enum nv_err
read_validator(struct vm_validator_row *out, const struct nv_proof *proof, uint64_t account)
{
    struct nv_row_key key;
    struct nv_view value;
    vm_key_validator(&key, account);
    NV_TRY(shown_value(proof, &key, &value));
    return vm_validator_row_decode(out, value);
}

static enum nv_err read_duties(struct duties *out, const struct nv_proof *proof)
{
    struct nv_row_key key;
    struct nv_row_range range;
    struct nv_row row;
    struct nv_view value;
    uint32_t cursor = 0;
    out->count = 0;
    vm_key_set(&key, 0, 0);
    NV_TRY(shown_range(&range, proof, &key, 2));
    while (shown_next(proof, &range, &cursor, &row)) {
        struct vm_set_row page;
        NV_TRY(vm_set_row_decode(&page, row.value));
        for (uint32_t i = 0; i < page.size && out->count < VM_VALIDATORS_MAX; i++) {
            out->member[out->count++] = page.member[i];
        }
    }
    vm_key_uptime(&key);
    enum nv_err const err = shown_value(proof, &key, &value);
    if (err == NV_ERR_NOT_FOUND) { /* the set is empty */
        out->uptime = (struct vm_uptime_row){.blocks = 0};
        return NV_OK;
    }
    NV_TRY(err);
    return vm_uptime_row_decode(&out->uptime, value);
}

/* put_operator writes the address of a validator's operator. */
static enum nv_err put_operator(json_t *out, const struct nv_proof *proof, uint64_t account)
{
    struct nv_row_key key;
    struct nv_view value;
    struct vm_account_row row;
    char text[NV_ADDRESS_TEXT];
    vm_key_account(&key, account);
    NV_TRY(shown_value(proof, &key, &value));
    NV_TRY(vm_account_row_decode(&row, value));
    nv_address_format(text, &row.address);
    put_text(out, "validator", text);
    return NV_OK;
}

/* ---- validators ---- */

static void put_validator(json_t *out, const struct vm_validator_row *row)
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
static void put_duty(json_t *out, const struct duties *duties, uint64_t account)
{
    uint32_t i = 0;
    while (i < duties->count && duties->member[i].validator != account) {
        i++;
    }
    if (i == duties->count || i >= duties->uptime.count) {
        put_null(out, "index");
        put_null(out, "power");
        put_null(out, "signed");
        return;
    }
    put_count(out, "index", i);
    put_i64(out, "power", vm_money_raw(duties->member[i].stake));
    put_count(out, "signed", duties->uptime.present[i]);
}

enum nv_err derive_stake_validators(json_t *out, const struct derive_question *q)
{
    struct nv_row_key const table = {{VM_TABLE_VALIDATOR}};
    struct vm_staking_row staking;
    struct duties duties;
    struct nv_row_range range;
    struct nv_row row;
    uint32_t cursor = 0;
    NV_TRY(read_staking(&staking, q->proof));
    NV_TRY(read_duties(&duties, q->proof));
    NV_TRY(shown_range(&range, q->proof, &table, 1));
    put_u64(out, "epoch", staking.epoch);
    put_u64(out, "epoch_height", staking.epoch_height);
    put_count(out, "blocks", duties.uptime.blocks);
    put_micro(out, "staked", vm_money_raw(staking.staked));
    put_micro(out, "reward_pot", vm_money_raw(staking.pot));
    json_t *const list = json_array();
    (void)json_object_set_new(out, "validators", list);
    while (shown_next(q->proof, &range, &cursor, &row)) {
        uint64_t const account = nv_be64_load(row.key.bytes + 1);
        struct vm_validator_row validator;
        json_t *const entry = json_object();
        (void)json_array_append_new(list, entry);
        NV_TRY(vm_validator_row_decode(&validator, row.value));
        NV_TRY(put_operator(entry, q->proof, account));
        put_validator(entry, &validator);
        put_duty(entry, &duties, account);
    }
    return NV_OK;
}

/* ---- of one account ---- */

static enum nv_err add_stake(json_t *list, const struct nv_proof *proof, const struct nv_row *row)
{
    uint64_t const account = nv_be64_load(row->key.bytes + 9);
    struct vm_delegation_row delegation;
    struct vm_validator_row of;
    json_t *const entry = json_object();
    (void)json_array_append_new(list, entry);
    NV_TRY(vm_delegation_row_decode(&delegation, row->value));
    NV_TRY(read_validator(&of, proof, account));
    NV_TRY(put_operator(entry, proof, account));
    put_text(entry, "status", vm_validator_status_name(of.status));
    put_i64(entry, "shares", vm_shares_raw(delegation.shares));
    put_micro(entry, "worth", vm_money_raw(vm_pool_worth(&of.pool, delegation.shares)));
    return NV_OK;
}

static enum nv_err add_waiting(json_t *list, const struct nv_proof *proof, const struct nv_row *row)
{
    uint64_t const account = nv_be64_load(row->key.bytes + 9);
    uint64_t const epoch = nv_be64_load(row->key.bytes + 17);
    struct vm_unbonding_row unbonding;
    struct vm_batch_row batch;
    struct nv_row_key key;
    struct nv_view value;
    json_t *const entry = json_object();
    (void)json_array_append_new(list, entry);
    NV_TRY(vm_unbonding_row_decode(&unbonding, row->value));
    vm_key_batch(&key, account, epoch);
    NV_TRY(shown_value(proof, &key, &value));
    NV_TRY(vm_batch_row_decode(&batch, value));
    NV_TRY(put_operator(entry, proof, account));
    put_u64(entry, "epoch", epoch);
    put_micro(entry, "worth", vm_money_raw(vm_pool_worth(&batch.pool, unbonding.shares)));
    put_count(entry, "release_ms", unbonding.release_ms);
    return NV_OK;
}

typedef enum nv_err (*add_fn)(json_t *list, const struct nv_proof *proof, const struct nv_row *row);

/* each adds every row of a table that belongs to an account. */
static enum nv_err
each(json_t *list, const struct nv_proof *proof, uint8_t table, uint64_t account, add_fn add)
{
    struct nv_row_key key = {{table}};
    struct nv_row_range range;
    struct nv_row row;
    uint32_t cursor = 0;
    nv_be64_store(key.bytes + 1, account);
    NV_TRY(shown_range(&range, proof, &key, 9));
    while (shown_next(proof, &range, &cursor, &row)) {
        NV_TRY(add(list, proof, &row));
    }
    return NV_OK;
}

enum nv_err derive_stake_get(json_t *out, const struct derive_question *q)
{
    struct nv_address address;
    struct shown_account account;
    struct vm_staking_row staking;
    const char *const asked = json_string_value(json_object_get(q->params, "address"));
    char text[NV_ADDRESS_TEXT];
    if (asked == NULL) {
        return NV_ERR_MALFORMED;
    }
    NV_TRY(nv_address_parse(&address, nv_view_of_text(asked)));
    NV_TRY(shown_account(q->proof, &address, &account));
    NV_TRY(read_staking(&staking, q->proof));
    nv_address_format(text, &address);
    put_text(out, "address", text);
    put_u64(out, "account", account.id);
    put_u64(out, "epoch", staking.epoch);
    json_t *const stakes = json_array();
    json_t *const waiting = json_array();
    (void)json_object_set_new(out, "stakes", stakes);
    (void)json_object_set_new(out, "waiting", waiting);
    NV_TRY(each(stakes, q->proof, VM_TABLE_DELEGATION, account.id, add_stake));
    return each(waiting, q->proof, VM_TABLE_UNBONDING, account.id, add_waiting);
}
